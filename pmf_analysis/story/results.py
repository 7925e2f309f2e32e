"""The numbers of a page as rows of ``results.csv``: what packs and comparisons of runs read."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from pmf_analysis.data.store import neutral_cell
from pmf_analysis.story.figures import Facts
from pmf_analysis.story.pages import Page

RESULT_COLUMNS = (
    *("council", "theme", "analysis", "indicator", "series", "area", "period", "measure"),
    *("value", "unit", "verdict", "method", "n", "evidence", "reason"),
)


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
    for place, (measure, (figure, unit)) in enumerate(facts.figures().items()):
        if figure.is_known or place == 0:
            value = "" if figure.raw is None else f"{figure.raw:.12g}"
            yield {**_neutral({**base, "measure": measure, "unit": unit}), "value": value}


def _neutral(row: dict[str, str]) -> dict[str, str]:
    return {name: neutral_cell(value) for name, value in row.items()}
