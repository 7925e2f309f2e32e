"""The numbers of a page as rows of ``results.csv``, and of its charts as rows of ``audit.csv``."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from pmf_analysis import __version__
from pmf_analysis.data.store import neutral_cell
from pmf_analysis.story.figures import Facts, Row, number, text
from pmf_analysis.story.pages import Page
from pmf_analysis.story.view import rows_of

RESULT_COLUMNS = (
    *("council", "theme", "analysis", "indicator", "series", "area", "period", "measure"),
    *("value", "unit", "verdict", "method", "n", "evidence", "reason"),
)
_TESTED = ("lower_limit", "upper_limit")
_OF_SERIES = ("method", "rule_profile", "limits_from", "shape", "treatment")
AUDIT_COLUMNS = (
    *("council", "theme", "indicator", "series", "period", "period_label", "value", "status"),
    *("segment", "mean", *_TESTED, "effect", "rule", "direction", "point_type", "target"),
    *(*_OF_SERIES, "version"),
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


def audit_rows(page: Page[Any]) -> Iterator[dict[str, str]]:
    """Yield a row for every point of every series of the theme: what its judgement rests on.

    Limits are those that values were tested against, which may lie outside what is possible;
    ``effect`` is the seasonal part in mean and limits. Numbers and texts are as in result rows.
    """
    view, of_theme = page.view, {"theme": page.view.theme, "version": __version__}
    for facts in view.trend_facts:
        whole = {"council": view.council, "indicator": facts.subject.indicator, **of_theme}
        whole |= {name: getattr(facts, name) for name in _OF_SERIES}
        for row in rows_of(view.of_series(view.points, facts.subject.series)):
            point: dict[Any, Any] = {**row, **whole, "period": text(row, "period")[:10]}
            point |= {name: row.get(f"raw_{name}", row.get(name)) for name in _TESTED}
            yield {name: _cell(point, name) for name in AUDIT_COLUMNS}


def _cell(row: Row, name: str) -> str:
    figure = number(row, name)
    return neutral_cell(text(row, name)) if figure is None else f"{figure:.12g}"


def _neutral(row: dict[str, str]) -> dict[str, str]:
    return {name: neutral_cell(value) for name, value in row.items()}
