"""The trends page, which asks whether a change is real."""

from __future__ import annotations

import math
from collections import Counter

import pandas as pd

from pmf_analysis.story.bank import count_of, say, title
from pmf_analysis.story.blocks import Block, Table
from pmf_analysis.story.facts import TrendFacts
from pmf_analysis.story.figures import number, text
from pmf_analysis.story.pages import (
    counting_entry,
    data_table,
    exception_blocks,
    headline_blocks,
    key_figure_blocks,
    method_blocks,
    method_words,
    narrative_notes,
    paragraph,
    provenance,
    quality,
    scope_blocks,
    source_line,
    why_not,
)
from pmf_analysis.story.sentences import (
    assurance_sentences,
    budget_sentence,
    counted,
    level_sentences,
    named,
    noise_sentences,
    trend_sentences,
    trend_title,
)
from pmf_analysis.story.style import tone_of
from pmf_analysis.story.view import ThemeView, rows_of

_ORDER = ("worsening", "improving", "rising", "falling", "no_clear_change", "cannot_judge")
_TOLD = ("improving", "worsening", "rising", "falling", "no_clear_change", "cannot_judge")


def facts_of(view: ThemeView) -> tuple[TrendFacts, ...]:
    """Return the facts of every own series."""
    return view.trend_facts


def headline(view: ThemeView) -> list[Block]:
    """Say in three or four sentences what changed in the theme, then show every indicator."""
    columns = ("indicator", "trend", "latest", "period", "target", "status")
    rows = [_glance_row(view, facts) for facts in view.trend_facts]
    return headline_blocks(view, theme_sentences(view), columns, rows)


def theme_sentences(view: ThemeView) -> tuple[str, ...]:
    """Say what happened, to which indicators, what chance explains and how fresh it is."""
    facts = view.trend_facts
    counts = Counter(each.verdict for each in facts)
    if counts["cannot_judge"] == len(facts):
        return (say("theme.nothing_judged", n=len(facts)),)
    told = counted(
        "trends", counting_entry(view, facts), [(code, counts[code]) for code in _TOLD], len(facts)
    )
    names = [
        named(
            view.status_words[code], [each.subject.short for each in facts if each.verdict == code]
        )
        for code in ("worsening", "improving")
    ]
    rates = [each.chance_alone.raw for each in facts if each.verdict != "cannot_judge"]
    budget = budget_sentence([rate for rate in rates if rate is not None])
    return (*told, *names[0], *names[1], *budget, *_freshness(facts))


def _freshness(facts: tuple[TrendFacts, ...]) -> tuple[str, ...]:
    counts = {
        "provisional": sum(each.status in ("provisional", "estimated") for each in facts),
        "stale": sum(each.is_stale for each in facts),
    }
    return tuple(count_of(f"theme.{state}", n) for state, n in counts.items() if n)


def _glance_row(view: ThemeView, facts: TrendFacts) -> dict[str, str]:
    from pmf_analysis.story.spark import draw_spark

    points = view.of_series(view.points, facts.subject.series)
    ends = (facts.lower_limit.raw, facts.upper_limit.raw)
    lower, upper = (math.nan if end is None else end for end in ends)
    values = points["value"].astype(float).tolist() if len(points) else []
    return {
        "indicator": facts.subject.short,
        "trend": draw_spark(values, lower, upper, id=f"spark-{view.slugs[facts.subject.series]}"),
        "latest": facts.value.cell,
        "period": facts.period_label,
        "target": facts.target.cell,
        "status": facts.verdict,
    }


def scope(view: ThemeView) -> list[Block]:
    """List every indicator: judged by which method, or not and why."""
    judged = {
        facts.subject.series: ("cannot_judge", facts.reason)
        if facts.verdict == "cannot_judge"
        else ("judged", method_words(facts.method, facts.n))
        for facts in view.trend_facts
    }
    return scope_blocks(view, judged)


def pictures(view: ThemeView) -> list[Block]:
    """Show each indicator: what it means in words, then its chart with the data behind it."""
    blocks: list[Block] = []
    for facts in view.trend_facts:
        slug = view.slugs[facts.subject.series]
        blocks.append(
            Block(
                "finding",
                f"finding-{slug}",
                trend_title(facts),
                text=paragraph(trend_sentences(facts)),
                facts=facts.scalars(),
                notes=narrative_notes(view, facts.subject.indicator),
                tone=tone_of(facts.verdict),
            )
        )
        points = view.of_series(view.points, facts.subject.series)
        if len(points) and points["value"].notna().any():
            blocks.append(_chart(view, facts, points))
    return blocks


def _chart(view: ThemeView, facts: TrendFacts, points: pd.DataFrame) -> Block:
    from pmf_analysis.story.spc import draw_spc

    subject, slug = facts.subject, view.slugs[facts.subject.series]
    labels = points.loc[points["value"].notna(), "period_label"]
    heading = title(f"trend.picture.{facts.verdict}", subject.short, value=facts.value)
    slots = {"first": labels.iloc[0], "last": labels.iloc[-1], "council": view.council}
    subtitle = say("subtitle.trend", title=subject.title, **slots)
    told = (*level_sentences(facts), *noise_sentences(facts))
    return Block(
        "figure",
        f"chart-{slug}",
        heading,
        subtitle=f"{subtitle} {say(f'polarity.{subject.polarity}')}",
        alt=" ".join((say("trend.alt", name=subject.short, **slots), *told)),
        facts=facts.scalars(),
        table=_points_table(facts, points),
        svg=draw_spc(
            points,
            unit=subject.unit,
            decimals=subject.decimals,
            polarity=subject.polarity,
            id=slug,
            frequency=subject.frequency,
        ),
        source=source_line(view, subject.indicator),
        notes=(say("source.value_note", note=facts.value_note),) if facts.value_note else (),
    )


def _points_table(facts: TrendFacts, points: pd.DataFrame) -> Table:
    rows = []
    for row in rows_of(points):
        cells = {"period": text(row, "period_label"), "note": text(row, "status")}
        columns = {"value": "value", "usual_low": "lower_limit", "usual_high": "upper_limit"}
        for key, column in {**columns, "target": "target"}.items():
            cells[key] = facts.subject.figure(number(row, column)).cell
        rows.append({**cells, "note": cells["note"].replace("_", " ")})
    shown = ["period", "value", "usual_low", "usual_high", "target", "note"]
    used = [key for key in shown if key in ("period", "value") or any(row[key] for row in rows)]
    return data_table(say("section.data", name=facts.subject.short), used, rows)


def key_figures(view: ThemeView) -> list[Block]:
    """Show every number of the page in one table."""
    columns = ("indicator", "latest", "period", "previous", "last_year", "usual_range", "method")
    rows = [_key_row(facts) for facts in view.trend_facts]
    return key_figure_blocks(view, (*columns, "status"), rows)


def _key_row(facts: TrendFacts) -> dict[str, str]:
    has_limits = facts.lower_limit.is_known and facts.upper_limit.is_known
    limits = facts.subject.range(facts.lower_limit, facts.upper_limit)
    return {
        "indicator": facts.subject.short,
        "latest": facts.value.cell,
        "period": facts.period_label,
        "previous": facts.previous_value.cell,
        "last_year": facts.last_year_value.cell,
        "usual_range": limits if has_limits else "",
        "method": method_words(facts.method, facts.n),
        "status": facts.verdict,
    }


def exceptions(view: ThemeView) -> list[Block]:
    """Name the indicators that moved, and those whose usual range falls short of the target."""
    facts = sorted(view.trend_facts, key=lambda each: _ORDER.index(each.verdict))
    said = [
        f"{trend_title(each)}. {' '.join(noise_sentences(each)[:1])}"
        for each in facts
        if each.is_signal
    ]
    said += [
        f"{each.subject.short}. {' '.join(assurance_sentences(each))}"
        for each in facts
        if each.assurance == "consistent_fail" and not each.is_signal
    ]
    return exception_blocks(said)


def method(view: ThemeView) -> list[Block]:
    """Name the methods that judged this theme, and what they cannot tell."""
    used = {facts.method for facts in view.trend_facts}
    entries: list[str] = [name for name in ("xmr", "mann_kendall", "recent_trend") if name in used]
    if "xmr" in used:
        entries.insert(1, "xmr_rules")
    return method_blocks([*entries, "trends_limits"])


__all__ = [
    "exceptions",
    "facts_of",
    "headline",
    "key_figures",
    "method",
    "pictures",
    "provenance",
    "quality",
    "scope",
    "why_not",
]
