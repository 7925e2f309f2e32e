"""The page that joins the reports of a run: what is in them, where they are, what went in."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from markupsafe import Markup

from pmf_analysis.documents.html import TEMPLATES, Section, make_page
from pmf_analysis.problems import EXIT_DATA_UNUSABLE, PmfError, Problem
from pmf_analysis.story.bank import words_of
from pmf_analysis.story.blocks import Block, Column, Table
from pmf_analysis.story.rendering import block_html

# Verdicts that have a column in every run, and those that have one where any series has them.
_ALWAYS = ("improving", "worsening", "no_clear_change", "cannot_judge")
_UNRATED = ("rising", "falling", "higher", "lower")
_FURTHER = ("better", "worse", *_UNRATED, "no_status")
_COUNTING = (
    "Counted as on the trends page of each theme: a breakdown of an indicator counts by itself, "
    "and a measure that the council does not control has no status."
)
_LEVELS = {"error": "Errors", "warning": "Warnings", "info": "Notes"}
_ROWS = ("accepted", "quarantined", "ignored")


def render_index(run: Mapping[str, Any]) -> str:
    """Return the index page of a run; it holds no run id and no clock.

    Parameters
    ----------
    run
        ``council, notice, title, period, as_at, content_hash, contact`` as for a report;
        ``themes`` and ``analyses``: lists of ``id`` and ``title``, in order;
        ``reports``: a list of ``theme, analysis`` (ids), ``status`` (Made, Failed, ...),
        ``href`` where it was made, ``reason`` where it was not;
        ``summary``: by theme id, how many series are improving, worsening, no_clear_change,
        cannot_judge and whatever else a trends page shows as a status;
        ``rows``: read, accepted, quarantined, ignored;
        ``problems``: how many of each level (error, warning, info);
        ``problems_href``: link to all of them.

    Raises
    ------
    PmfError
        When rows read are not those accepted, quarantined and ignored: then some were lost.
    """
    from jinja2 import Environment, FileSystemLoader

    headings = {"themes": "Themes", "reports": "Reports", "data": "Data"}
    sections = [Section(id, heading) for id, heading in headings.items()]
    found = [f"{word}: {run['problems'].get(level, 0):,}." for level, word in _LEVELS.items()]
    problems = Block("note", "problems", "Problems found in the data", text=(" ".join(found),))
    blocks = {"summary": _summary(run), "rows": _rows(run["rows"]), "problems": problems}
    loader = FileSystemLoader(TEMPLATES / "pmf")
    environment = Environment(loader=loader, autoescape=True, trim_blocks=True, lstrip_blocks=True)
    shown = {
        "page": make_page({"title": "Performance reports", **run}, sections),
        "reports": {(report["theme"], report["analysis"]): report for report in run["reports"]},
        **{name: Markup(block_html(block)) for name, block in blocks.items()},
    }
    return environment.get_template("run.html.j2").render({**run, **shown}).strip() + "\n"


def _summary(run: Mapping[str, Any]) -> Block:
    counts: Mapping[str, Mapping[str, int]] = run["summary"]
    found = {verdict for count in counts.values() for verdict, n in count.items() if n}
    verdicts = [*_ALWAYS, *(code for code in _FURTHER if code in found)]
    words = words_of("status") | words_of("level_status")
    words |= {code: f"{words[code]}, not rated" for code in _UNRATED}
    columns = [Column(verdict, words[verdict], "right", "number") for verdict in verdicts]
    rows = tuple(
        {"theme": theme["title"]}
        | {verdict: str(counts.get(theme["id"], {}).get(verdict, 0)) for verdict in verdicts}
        for theme in run["themes"]
    )
    caption = "How many indicators have really changed"
    table = Table(caption, (Column("theme", "Theme"), *columns), rows)
    return Block("table", "theme-summary", caption, table=table, notes=(_COUNTING,))


def _rows(rows: Mapping[str, int]) -> Block:
    if rows["read"] != sum(rows[kind] for kind in _ROWS):
        lost = "Rows read are not the rows accepted, quarantined and ignored."
        raise PmfError(Problem(lost, code="rows-lost"), EXIT_DATA_UNUSABLE)
    parts = " + ".join(f"{rows[kind]:,} {kind}" for kind in _ROWS)
    said = f"{rows['read']:,} rows read = {parts}."
    return Block("note", "rows", "Every row is accounted for", text=(said,))
