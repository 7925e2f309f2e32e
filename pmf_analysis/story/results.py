"""The numbers of a page as rows of ``results.csv``: what packs and comparisons of runs read."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from pmf_analysis.data.store import neutral_cell
from pmf_analysis.story.figures import Facts, Figure
from pmf_analysis.story.pages import Page

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
_SHARES = ("met_share", "chance_alone", "probability", "lower", "upper", "own_share", "peer_share")
_UNITS = {**dict.fromkeys(_SHARES, "probability"), "rank": "rank", "rank_of": "rank"}
_CHANGES = ("change", "change_on_year", "slope", "gap", "required_change")


def result_rows(page: Page[Any]) -> Iterator[dict[str, str]]:
    """Yield a row for every number of a page, and one for every indicator without any.

    Numbers have 12 digits, so that two machines write the same bytes; a text that a spreadsheet
    would take for a formula is made harmless.
    """
    view = page.view
    whole = dict.fromkeys(RESULT_COLUMNS, "")
    whole |= {"council": view.council, "theme": view.theme, "analysis": page.analysis}
    for facts in page.facts:
        yield from _facts_rows(facts, whole)
    told = {facts.subject.indicator for facts in page.facts}
    for indicator in view.indicators:
        if indicator.id not in told:
            without = {"verdict": "cannot_judge", "measure": "none"}
            row = {**whole, **without, "indicator": indicator.id}
            yield _neutral({**row, "reason": page.why_not(indicator)})


def _facts_rows(facts: Facts, whole: dict[str, str]) -> Iterator[dict[str, str]]:
    subject = facts.subject
    base = {
        **whole,
        **{name: getattr(subject, name) for name in ("indicator", "series", "area")},
        **{name: getattr(facts, name) for name in ("verdict", "method", "evidence", "reason")},
        "period": facts.period_label,
        "n": str(facts.n),
    }
    for place, measure in enumerate(_MEASURES[whole["analysis"]]):
        found = getattr(facts, measure)
        value = found.raw if isinstance(found, Figure) else found
        if value is not None or place == 0:
            is_points = measure in _CHANGES and subject.unit == "%"
            unit = _UNITS.get(measure, "percentage points" if is_points else subject.unit)
            written = "" if value is None else f"{value:.12g}"
            yield {**_neutral({**base, "measure": measure, "unit": unit}), "value": written}


def _neutral(row: dict[str, str]) -> dict[str, str]:
    return {name: neutral_cell(value) for name, value in row.items()}
