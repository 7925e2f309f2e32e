"""The numbers of a page as rows of ``results.csv``, and of its charts as rows of ``audit.csv``."""

from collections.abc import Iterator
from typing import Any

from pmf_analysis import __version__
from pmf_analysis.data.store import neutral_cell
from pmf_analysis.story import bank, figures, pages
from pmf_analysis.story.view import rows_of

RESULT_COLUMNS = tuple(bank.stored("cells.yml")["columns"]["results"])
AUDIT_COLUMNS = tuple(bank.stored("cells.yml")["columns"]["audit"])
_TESTED = ("lower_limit", "upper_limit")
_OF_SERIES = ("method", "rule_profile", "limits_from", "shape", "treatment")


def result_rows(page: pages.Page[Any]) -> Iterator[dict[str, str]]:
    """Yield a row for every number of a page, and one for every indicator without any.

    Numbers have 12 digits and none is "-0", so that two machines write the same bytes; a text that
    a spreadsheet would take for a formula is made harmless.
    """
    view, of_page = page.view, _of_theme(page) | {"analysis": page.analysis}
    told = {facts.subject.indicator for facts in page.facts}
    without = {"verdict": "cannot_judge", "measure": "none"}
    rows = [row for facts in (*page.facts, *page.more_facts) for row in _facts_rows(facts)]
    for each in view.indicators:
        if each.id not in told:
            rows.append({**without, "indicator": each.id, "reason": page.why_not(each)})
    for row in rows:
        yield {name: _cell(of_page | row, name) for name in RESULT_COLUMNS}


def _facts_rows(facts: figures.Facts) -> Iterator[dict[str, Any]]:
    base = {name: getattr(facts.subject, name) for name in ("indicator", "series", "area")}
    base |= {name: getattr(facts, name) for name in ("verdict", "method", "evidence", "reason")}
    base |= {"period": facts.period_label, "n": facts.n}
    for place, (measure, (figure, unit)) in enumerate(facts.figures().items()):
        if figure.is_known or place == 0:
            name = f"{facts.row.get('of_group', '')}{measure}"
            yield {**base, "measure": name, "unit": unit, "value": figure.raw}


def audit_rows(page: pages.Page[Any]) -> Iterator[dict[str, str]]:
    """Yield a row for every point of every series of the theme: what its judgement rests on.

    Limits are those that values were tested against, which may lie outside what is possible;
    ``effect`` is the seasonal part in mean and limits. Numbers and texts are as in result rows.
    """
    view, of_page = page.view, _of_theme(page) | {"version": __version__}
    for facts in view.trend_facts:
        whole = of_page | {"indicator": facts.subject.indicator}
        whole |= {name: getattr(facts, name) for name in _OF_SERIES}
        for row in rows_of(view.of_series(view.points, facts.subject.series)):
            point = {**row, **whole, "period": figures.text(row, "period")[:10]}
            point |= {name: row.get(f"raw_{name}", row.get(name)) for name in _TESTED}
            yield {name: _cell(point, name) for name in AUDIT_COLUMNS}


def _of_theme(page: pages.Page[Any]) -> dict[Any, Any]:
    return {"council": page.view.council, "theme": page.view.theme}


def _cell(row: figures.Row, name: str) -> str:
    figure = figures.number(row, name)
    return neutral_cell(figures.text(row, name)) if figure is None else f"{figure + 0.0:.12g}"
