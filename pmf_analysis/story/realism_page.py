"""The target realism page, which asks whether targets are challenging yet realistic."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from typing import TYPE_CHECKING

import pandas as pd

from pmf_analysis.story import pages
from pmf_analysis.story.bank import count_of, say, title
from pmf_analysis.story.benchmarking_page import facts_of as comparisons_of
from pmf_analysis.story.blocks import Block
from pmf_analysis.story.facts import TargetFacts
from pmf_analysis.story.figures import Figure, Row, number, text
from pmf_analysis.story.formatting import twentieths
from pmf_analysis.story.pages import (
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
)
from pmf_analysis.story.sentences import counted, reason_sentences
from pmf_analysis.story.target_sentences import (
    challenge_questions,
    reference_sentences,
    target_sentences,
    target_title,
)
from pmf_analysis.story.view import ThemeView, rows_of

if TYPE_CHECKING:
    from pmf_analysis.parameters.models import Indicator

_TOLD = (
    *("not_realistic", "stretch", "challenging", "little_stretch", "too_easy"),
    *("between", "no_verdict", "cannot_judge"),
)
_DOTS = [f"d{place:02d}" for place in range(1, 21)]
_MOST_QUESTIONS = 3


def facts_of(view: ThemeView) -> tuple[TargetFacts, ...]:
    """Return facts of every target and standing question, in the order of the trends page."""
    rows = rows_of(view.targets)
    return tuple(
        TargetFacts.of(row, facts.subject)
        for facts in view.trend_facts
        for row in rows
        if text(row, "series") == facts.subject.series
    )


def _set(view: ThemeView) -> list[TargetFacts]:
    return [facts for facts in facts_of(view) if not facts.is_reference]


def _without(view: ThemeView) -> list[str]:
    """Series that have no target of their own."""
    covered = {facts.subject.series for facts in _set(view)}
    series = [facts.subject.series for facts in view.trend_facts]
    return [each for each in series if each not in covered]


def headline(view: ThemeView) -> list[Block]:
    """Say how many targets are challenging yet realistic, then show every one with its chance."""
    columns = ("indicator", "latest", "target", "due", "chance", "status")
    rows = [_glance_row(each) for each in facts_of(view)]
    return headline_blocks(view, _theme_sentences(view), columns, rows)


def _theme_sentences(view: ThemeView) -> tuple[str, ...]:
    targets, without = _set(view), _without(view)
    if not targets:
        return (say("theme.no_targets"), say("theme.no_targets_next"))
    counts = Counter(facts.verdict for facts in targets)
    told = counted(
        "realism", "theme.of_targets", [(code, counts[code]) for code in _TOLD], len(targets)
    )
    if not without:
        return told
    return (*told, count_of("theme.some_without", len(without)))


def _glance_row(facts: TargetFacts) -> dict[str, str]:
    kind = say(f"realism.asked.{facts.kind}") if facts.is_reference else ""
    target = (
        say("realism.asked_cell", target=facts.target, kind=kind) if kind else facts.target.cell
    )
    return {
        "indicator": facts.subject.short,
        "latest": facts.last_value.cell,
        "target": target,
        "due": facts.period_label,
        "chance": facts.probability.text,
        "status": "no_target" if facts.is_reference else facts.verdict,
    }


def scope(view: ThemeView) -> list[Block]:
    """List every indicator: with a target that is judged, without a target, or not judged."""
    judged: dict[str, tuple[str, str]] = {
        series: ("no_target", say("realism.no_target")) for series in _without(view)
    }
    for facts in facts_of(view):
        known, series = facts.probability.is_known, facts.subject.series
        reason = method_words(facts.method, facts.n) if known else facts.reason
        if facts.is_reference:
            judged[series] = ("no_target", reason)
        elif judged.get(series, ("", ""))[0] != "judged":
            judged[series] = ("judged" if known else "cannot_judge", reason)
    return scope_blocks(view, judged, say("realism.no_target"))


def why_not(view: ThemeView, indicator: Indicator) -> str:
    """Say why an indicator has nothing on this page."""
    return pages.why_not(view, indicator, say("realism.no_target"))


def pictures(view: ThemeView) -> list[Block]:
    """Show each indicator: its targets with their chances, history and forecast, and the dots."""
    blocks: list[Block] = []
    facts = facts_of(view)
    for trend in view.trend_facts:
        series, slug = trend.subject.series, view.slugs[trend.subject.series]
        own = [each for each in facts if each.subject.series == series]
        blocks += [
            _finding(view, each, f"finding-{slug}-{place + 1}")
            for place, each in enumerate(each for each in own if not each.is_reference)
        ]
        if series in _without(view):
            blocks.append(_no_target(view, trend.subject.short, own, f"finding-{slug}"))
        blocks += _figures(view, own, slug)
    return blocks


def _finding(view: ThemeView, facts: TargetFacts, id: str) -> Block:
    said = [*target_sentences(facts)]
    if facts.rationale:
        said.append(say("realism.rationale", rationale=facts.rationale))
    notes = narrative_notes(view, facts.subject.indicator)
    return Block(
        "finding", id, target_title(facts), text=paragraph(said), facts=facts.scalars(), notes=notes
    )


def _no_target(view: ThemeView, name: str, asked: list[TargetFacts], id: str) -> Block:
    """Say "no target set", the chances of two standing questions, and the range there would be."""
    said: list[str] = [say("realism.no_target")]
    for each in asked:
        said += [sentence for sentence in reference_sentences(each) if sentence not in said]
    for each in asked[:1]:
        said += target_sentences(each)[len(reference_sentences(each)) :]
    if not asked:
        said.append(say("realism.no_question"))
    return Block("finding", id, title("realism.title.no_target", name), text=paragraph(said))


def _figures(view: ThemeView, own: list[TargetFacts], slug: str) -> list[Block]:
    """Draw the chart with its fan, and the dots of the first question that was answered."""
    answered = [each for each in own if each.probability.is_known]
    fans = view.of_series(view.forecasts, own[0].subject.series) if own else pd.DataFrame()
    if not answered or fans.empty:
        return []
    first = answered[0]
    blocks = [_fan(view, first, fans, slug)]
    at_target = fans[fans["horizon"] == first.horizon]
    if len(at_target) and not first.is_reference and first.target.is_known:
        blocks += _dots(view, first, at_target.iloc[0], slug)
    return blocks


def _fan(view: ThemeView, facts: TargetFacts, fans: pd.DataFrame, slug: str) -> Block:
    from pmf_analysis.story.spc import draw_spc

    subject = facts.subject
    points = view.of_series(view.points, subject.series)
    targets = view.of_series(view.targets, subject.series)
    last = fans.iloc[-1].to_dict()
    ends = {
        key: subject.figure(number(last, column))
        for key, column in (("low", "q05"), ("high", "q95"))
    }
    labels = points.loc[points["value"].notna(), "period_label"]
    slots = {"first": labels.iloc[0], "last": text(last, "period_label"), "council": view.council}
    subtitle = say("subtitle.trend", title=subject.title, **slots)
    heading = "realism.fan_title" if not facts.is_reference else "realism.fan_title_no_target"
    return Block(
        "figure",
        f"fan-{slug}",
        title(heading, subject.short),
        subtitle=f"{subtitle} {say(f'polarity.{subject.polarity}')}",
        alt=" ".join(
            (say("realism.fan_alt", period=slots["last"], **ends), *target_sentences(facts)[:2])
        ),
        facts=facts.scalars(),
        table=data_table(
            say("section.data", name=subject.short),
            ("period", "low", "middle", "high"),
            [_fan_row(facts, row) for row in rows_of(fans)],
        ),
        svg=draw_spc(
            points,
            unit=subject.unit,
            decimals=subject.decimals,
            polarity=subject.polarity,
            id=f"fan-{slug}",
            targets=targets[~targets["is_reference"].astype(bool)],
            forecast=fans,
            frequency=subject.frequency,
        ),
        source=source_line(view, subject.indicator),
    )


def _fan_row(facts: TargetFacts, row: Row) -> dict[str, str]:
    columns = {"low": "q05", "middle": "q50", "high": "q95"}
    cells = {key: facts.subject.figure(number(row, column)).cell for key, column in columns.items()}
    return {"period": text(row, "period_label"), **cells}


def _dots(view: ThemeView, facts: TargetFacts, row: pd.Series, slug: str) -> list[Block]:
    """Draw the chance as twenty dots, unless they would tell another story than the words.

    The dots come from the own record and the chance from the pool of both ways of estimating it:
    one dot apart is said in a note, more is not drawn.
    """
    from pmf_analysis.story.dots import count_meeting, draw_dots

    subject = facts.subject
    goal = _goal(view, facts)
    dots = [float(row[name]) for name in _DOTS]
    count = count_meeting(dots, goal, subject.polarity, subject.decimals)
    slots = {"count": count, "period": facts.period_label, "target": facts.target}
    apart = abs(count - twentieths(facts.probability.raw or 0.0))
    picture = Block(
        "figure",
        f"dots-{slug}",
        title("realism.dots_title", subject.short, **slots),
        subtitle=say("realism.dots_subtitle", title=subject.title, council=view.council, **slots),
        alt=say("realism.dots_alt", **slots),
        facts=facts.scalars(),
        table=data_table(
            say("section.data", name=subject.short),
            ("dot", "value"),
            [{"dot": str(i), "value": str(subject.figure(dot))} for i, dot in enumerate(dots, 1)],
        ),
        svg=draw_dots(
            dots,
            target=goal,
            better=subject.polarity,
            unit=subject.unit,
            decimals=subject.decimals,
            id=f"dots-{slug}",
        ),
        source=source_line(view, subject.indicator),
        notes=(say("realism.dots_note"),) if apart else (),
    )
    return [picture] if apart <= 1 else []


def _goal(view: ThemeView, facts: TargetFacts) -> float | tuple[float, float]:
    """Return the target as the dots take it: a number, or both ends of a range."""
    row = view.targets[view.targets["target_id"] == facts.target_id].iloc[0].to_dict()
    low, high = number(row, "target_low"), number(row, "target_high")
    if facts.subject.polarity == "range" and low is not None and high is not None:
        return (low, high)
    return facts.target.raw or 0.0


def key_figures(view: ThemeView) -> list[Block]:
    """Show every target with its chance and range in one table."""
    columns = ("indicator", "latest", "target", "due", "chance", "range", "status")
    rows = [{**_glance_row(each), "range": _range_cell(each)} for each in facts_of(view)]
    return key_figure_blocks(view, columns, rows)


def _range_cell(facts: TargetFacts) -> str:
    if not (facts.value_60.is_known and facts.value_30.is_known):
        return ""
    return facts.subject.range(facts.value_60, facts.value_30)


def exceptions(view: ThemeView) -> list[Block]:
    """Name targets that are met on the present course, out of reach, or cannot be judged."""
    calls = ("not_realistic", "too_easy", "between", "cannot_judge")
    targets = _set(view)
    said = [
        f"{target_title(each)}. {' '.join(_why(each))}"
        for code in calls
        for each in targets
        if each.verdict == code
    ]
    return exception_blocks(list(dict.fromkeys(said)))


def _why(facts: TargetFacts) -> Iterable[str]:
    told = target_sentences(facts)
    return told[:2] if facts.probability.is_known else reason_sentences(facts.reason)


def challenge(view: ThemeView) -> list[Block]:
    """Questions for the director that the evidence raises, by indicator."""
    medians: dict[str, Figure] = {
        each.subject.series: each.peer_median for each in comparisons_of(view)
    }
    asked: list[str] = []
    seen: set[str] = set()
    for facts in facts_of(view):
        if facts.is_reference and facts.subject.series in seen:
            continue
        seen.add(facts.subject.series)
        questions = challenge_questions(facts, medians.get(facts.subject.series))
        if questions:
            asked.append(f"{facts.subject.short}. {' '.join(questions[:_MOST_QUESTIONS])}")
    text_ = tuple(dict.fromkeys(asked)) or (say("challenge.nothing"),)
    return [Block("note", "challenge", say("section.challenge"), text=text_)]


def method(_: ThemeView) -> list[Block]:
    """Name how chances are estimated and tested, and what they cannot tell."""
    return method_blocks(["realism", "realism_tested", "realism_bands", "realism_limits"])


__all__ = [
    "challenge",
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
