"""The benchmarking page, which asks how the council compares with similar ones."""

from __future__ import annotations

import math
from collections import Counter
from typing import TYPE_CHECKING

import pandas as pd

from pmf_analysis.story import pages
from pmf_analysis.story.bank import say, title
from pmf_analysis.story.blocks import Block
from pmf_analysis.story.facts import ComparisonFacts
from pmf_analysis.story.figures import Figure, number, text
from pmf_analysis.story.pages import (
    counting_entry,
    data_table,
    evidence_words,
    exception_blocks,
    headline_blocks,
    key_figure_blocks,
    method_blocks,
    narrative_notes,
    paragraph,
    provenance,
    quality,
    scope_blocks,
    source_line,
)
from pmf_analysis.story.sentences import (
    NAMED_PEERS,
    comparison_sentences,
    comparison_title,
    counted,
    named,
)
from pmf_analysis.story.strip import StripRow, draw_strip
from pmf_analysis.story.style import tone_of
from pmf_analysis.story.view import ThemeView, rows_of

if TYPE_CHECKING:
    from pmf_analysis.parameters.models import Indicator

_TOLD = ("better", "worse", "higher", "lower", "similar", "position_only", "cannot_judge")
_FEWEST_GAPS = 3


def facts_of(view: ThemeView) -> tuple[ComparisonFacts, ...]:
    """Return facts of each series beside the view's peer set, in the order of the trends page."""
    rows = {
        text(row, "series"): row
        for row in rows_of(view.comparisons)
        if text(row, "peer_set") == view.peer_set
    }
    subjects = [facts.subject for facts in view.trend_facts if facts.subject.series in rows]
    return tuple(ComparisonFacts.of(rows[subject.series], subject) for subject in subjects)


def headline(view: ThemeView) -> list[Block]:
    """Say how many indicators are better, similar or worse, then show every one."""
    facts = facts_of(view)
    columns = ("indicator", "latest", "median", "rank", "status", "evidence")
    rows = [_glance_row(each) for each in facts]
    return headline_blocks(view, _theme_sentences(view, facts), columns, rows)


def _theme_sentences(view: ThemeView, facts: tuple[ComparisonFacts, ...]) -> tuple[str, ...]:
    if not facts:
        return (say("theme.no_comparison"),)
    counts = Counter(each.verdict for each in facts)
    if counts["cannot_judge"] == len(facts):
        return (say("theme.nothing_judged", n=len(facts)),)
    told = counted(
        "benchmarking",
        counting_entry(view, facts),
        [(code, counts[code]) for code in _TOLD],
        len(facts),
    )
    shorts = {code: [f.subject.short for f in facts if f.verdict == code] for code in _TOLD}
    words = view.status_words
    sets = (say("scope.peer_set", peer_set=facts[0].peer_set),)
    lists = (named(words[code], shorts[code]) for code in ("worse", "better"))
    return (*sets, *told, *(sentence for said in lists for sentence in said))


def _glance_row(facts: ComparisonFacts) -> dict[str, str]:
    rank = say("compare.rank_cell", rank=facts.rank, of=facts.rank_of) if facts.rank else ""
    return {
        "indicator": facts.subject.short,
        "latest": facts.value.cell,
        "median": facts.peer_median.cell,
        "rank": rank,
        "status": facts.verdict,
        "evidence": evidence_words(facts.evidence),
    }


def scope(view: ThemeView) -> list[Block]:
    """List every indicator: compared on what evidence, or not and why."""
    judged = {}
    for facts in facts_of(view):
        is_judged = facts.verdict != "cannot_judge"
        on = say("scope.compared_on", evidence=evidence_words(facts.evidence))
        reason = on if is_judged else facts.reason
        judged[facts.subject.series] = ("judged" if is_judged else facts.verdict, reason)
    return scope_blocks(view, judged, say("scope.no_peers"))


def why_not(view: ThemeView, indicator: Indicator) -> str:
    """Say why an indicator has nothing on this page."""
    return pages.why_not(view, indicator, say("scope.no_peers"))


def pictures(view: ThemeView) -> list[Block]:
    """Show where the council stands on all indicators, then each with its gap over time."""
    facts = facts_of(view)
    drawn = [each for each in facts if each.value.is_known and each.peer_median.is_known]
    blocks = [_strip(view, drawn)] if drawn else []
    for each in facts:
        slug = view.slugs[each.subject.series]
        blocks.append(
            Block(
                "finding",
                f"finding-{slug}",
                comparison_title(each),
                text=paragraph(comparison_sentences(each)),
                facts=each.scalars(),
                notes=(*_missing_notes(each), *narrative_notes(view, each.subject.indicator)),
                tone=tone_of(each.verdict),
            )
        )
        gaps = _gaps(view, each)
        if len(gaps) >= _FEWEST_GAPS:
            blocks.append(_gap_chart(view, each, gaps))
    return blocks


def _gaps(view: ThemeView, facts: ComparisonFacts) -> pd.DataFrame:
    rows = view.of_series(view.gaps, facts.subject.series)
    if rows.empty:
        return rows
    return rows[rows["peer_set"] == view.peer_set].dropna(subset=["value", "peer_median"])


def _missing_notes(facts: ComparisonFacts) -> tuple[str, ...]:
    """Name in a note the peers whom the sentences only count."""
    named_above = len(facts.missing) <= NAMED_PEERS
    return () if named_above else named(say("compare.missing_note"), facts.missing)


def _strip(view: ThemeView, facts: list[ComparisonFacts]) -> Block:
    slots = {"council": view.council, "peer_set": facts[0].peer_set, "period": view.period}
    parts = [_strip_words(each) for each in facts if each.rank]
    columns = ("indicator", "value", "median", "middle_half", "rank", "period")
    rows = [{**_glance_row(each), **_strip_cells(each)} for each in facts]
    return Block(
        "figure",
        "strip",
        say("compare.strip_title", **slots),
        subtitle=say("compare.strip_subtitle", **slots),
        alt=" ".join((say("compare.strip_alt", n=len(facts), **slots), *parts)),
        table=data_table(say("compare.strip_title", **slots), columns, rows),
        svg=draw_strip([_strip_row(view, each) for each in facts], id="strip"),
        source=say("compare.strip_source"),
        notes=(say("compare.strip_note"),),
    )


def _strip_words(facts: ComparisonFacts) -> str:
    slots = {"value": facts.value, "rank": facts.rank, "of": facts.rank_of}
    return say("compare.strip_alt_one", name=facts.subject.short, **slots)


def _strip_cells(facts: ComparisonFacts) -> dict[str, str]:
    known = facts.peer_q1.is_known and facts.peer_q3.is_known
    middle = facts.subject.range(facts.peer_q1, facts.peer_q3) if known else ""
    return {"value": facts.value.cell, "middle_half": middle, "period": facts.period_label}


def _strip_row(view: ThemeView, facts: ComparisonFacts) -> StripRow:
    peers = view.peers[
        (view.peers["series"] == facts.subject.series)
        & (view.peers["peer_set"] == view.peer_set)
        & ~view.peers["is_own"].astype(bool)
    ]
    place = "".join(filter(str.isdigit, facts.rank))
    return StripRow(
        short_title=facts.subject.short,
        own=_raw(facts.value),
        peers=peers["value"].dropna().astype(float).tolist(),
        q1=_raw(facts.peer_q1),
        q3=_raw(facts.peer_q3),
        median=_raw(facts.peer_median),
        polarity="none" if facts.subject.is_city else facts.subject.polarity,
        rank=int(place) if place else None,
        rank_of=facts.rank_of,
        unit=facts.subject.unit,
        decimals=facts.subject.decimals,
        verdict=facts.verdict,
    )


def _raw(figure: Figure) -> float:
    return math.nan if figure.raw is None else figure.raw


def _gap_chart(view: ThemeView, facts: ComparisonFacts, gaps: pd.DataFrame) -> Block:
    from pmf_analysis.story.gap import draw_gap

    subject, slug = facts.subject, view.slugs[facts.subject.series]
    labels = gaps["period_label"]
    slots = {"first": labels.iloc[0], "last": labels.iloc[-1], "council": view.council}
    rows = []
    for row in rows_of(gaps):
        rows.append(
            {
                "period": text(row, "period_label"),
                "value": subject.figure(number(row, "value")).cell,
                "median": subject.figure(number(row, "peer_median")).cell,
                "gap": subject.figure(number(row, "gap"), "signed").cell,
            }
        )
    said = comparison_sentences(facts)
    return Block(
        "figure",
        f"gap-{slug}",
        title("compare.gap_title", subject.short),
        subtitle=say("compare.gap_subtitle", title=subject.title, peer_set=facts.peer_set, **slots),
        alt=" ".join((say("compare.gap_alt", **slots), *said)),
        facts=facts.scalars(),
        table=data_table(
            say("section.data", name=subject.short), ("period", "value", "median", "gap"), rows
        ),
        svg=draw_gap(
            gaps,
            unit=subject.unit,
            decimals=subject.decimals,
            id=f"gap-{slug}",
            own=view.council,
            frequency=subject.frequency,
        ),
        source=source_line(view, subject.indicator),
    )


def key_figures(view: ThemeView) -> list[Block]:
    """Show every comparison in one table."""
    columns = ("indicator", "value", "period", "median", "rank", "gap", "gap_trend", "status")
    rows = [_key_row(each, view.status_words) for each in facts_of(view)]
    return key_figure_blocks(view, columns, rows)


def _key_row(facts: ComparisonFacts, words: dict[str, str]) -> dict[str, str]:
    signed = facts.subject.figure(facts.gap.raw, "signed").cell
    gap_word = words.get(facts.gap_verdict, "") if facts.gap.is_known else ""
    return {**_glance_row(facts), **_strip_cells(facts), "gap": signed, "gap_trend": gap_word}


def exceptions(view: ThemeView) -> list[Block]:
    """Name the indicators that differ from similar councils by more than chance."""
    facts = facts_of(view)
    order = ("worse", "better", "higher", "lower")
    standing = [each for code in order for each in facts if each.verdict == code]
    widening = [each for each in facts if _falls_behind(each) and each not in standing]
    said = [
        f"{comparison_title(each)}. {' '.join(comparison_sentences(each)[:2])}"
        for each in (*standing, *widening)
    ]
    return exception_blocks(said)


def _falls_behind(facts: ComparisonFacts) -> bool:
    """Whether an unfavourable gap has been widening."""
    against = facts.sign(facts.gap) * facts.subject.better_sign < 0 and not facts.subject.is_city
    return against and facts.gap_verdict == "widening"


def method(_: ThemeView) -> list[Block]:
    """Name the methods of comparison, what their labels mean, and what they cannot tell."""
    return method_blocks(["compare", "compare_label", "compare_limits"])


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
