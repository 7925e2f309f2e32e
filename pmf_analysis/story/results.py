"""The numbers of a page as rows of ``results.csv``: what packs and comparisons of runs read."""

from __future__ import annotations

from collections.abc import Iterator
from types import ModuleType
from typing import Any

from pmf_analysis.data.store import neutral_cell
from pmf_analysis.story.figures import Facts, Figure
from pmf_analysis.story.view import ThemeView

RESULT_COLUMNS = (
    *("council", "theme", "analysis", "indicator", "series", "area", "period", "measure"),
    *("value", "unit", "verdict", "method", "n", "evidence", "reason"),
)
_MEASURES = {
    "trends": (
        *("value", "previous_value", "change", "last_year_value", "change_on_year", "mean"),
        *("lower_limit", "upper_limit", "slope", "target", "met_share", "chance_alone"),
    ),
    "benchmarking": (
        *("value", "peer_median", "peer_q1", "peer_q3", "gap", "rank", "rank_of"),
        *("nation_value", "region_value"),
    ),
    "target_realism": (
        *("target", "probability", "lower", "upper", "value_60", "value_45", "value_30"),
        *("last_value", "required_change", "own_share", "peer_share"),
    ),
}
_CHANGES = ("change", "change_on_year", "slope", "gap", "required_change")
_SHARES = ("met_share", "chance_alone", "probability", "lower", "upper", "own_share", "peer_share")
_RANKS = ("rank", "rank_of")


def result_rows(analysis: str, view: ThemeView, page: ModuleType) -> Iterator[dict[str, str]]:
    """Yield a row for every number of a page, and one for every indicator without any.

    Numbers have 12 digits, so that two machines write the same bytes; a text that a spreadsheet
    would take for a formula is made harmless.
    """
    whole = {"council": view.council, "theme": view.theme, "analysis": analysis}
    told: set[str] = set()
    for facts in page.facts_of(view):
        told.add(facts.subject.indicator)
        yield from _facts_rows(facts, whole, _MEASURES[analysis])
    for indicator in view.indicators:
        if indicator.id not in told:
            reason = page.why_not(view, indicator)
            row = {**dict.fromkeys(RESULT_COLUMNS, ""), **whole, "indicator": indicator.id}
            yield _neutral({**row, "verdict": "cannot_judge", "measure": "none", "reason": reason})


def _facts_rows(
    facts: Any, whole: dict[str, str], measures: tuple[str, ...]
) -> Iterator[dict[str, str]]:
    base = {
        **whole,
        "indicator": facts.subject.indicator,
        "series": facts.subject.series,
        "area": facts.subject.area,
        "period": facts.period_label,
        "verdict": facts.verdict,
        "method": facts.method,
        "n": str(facts.n),
        "evidence": facts.evidence,
        "reason": facts.reason,
    }
    for place, measure in enumerate(measures):
        value = _raw(facts, measure)
        if value is not None or place == 0:
            written = "" if value is None else f"{value:.12g}"
            named = {"measure": measure, "unit": _unit(facts, measure)}
            yield {**_neutral({**base, **named}), "value": written}


def _raw(facts: Facts, measure: str) -> float | None:
    value = getattr(facts, measure)
    if isinstance(value, Figure):
        return value.raw
    digits = "".join(filter(str.isdigit, str(value)))
    return float(digits) if digits else None


def _unit(facts: Facts, measure: str) -> str:
    if measure in _SHARES:
        return "probability"
    if measure in _RANKS:
        return "rank"
    is_points = measure in _CHANGES and facts.subject.unit == "%"
    return "percentage points" if is_points else facts.subject.unit


def _neutral(row: dict[str, str]) -> dict[str, str]:
    return {name: neutral_cell(value) for name, value in row.items()}
