"""One honest page on any spreadsheet, from nothing but the file itself.

What it is, what is wrong with it, whether each of its changes is real, and what its arrows would
be worth. A workspace is made for it, with the register as pmf guesses it, and thrown away; the
page is the trends report of one theme, so nothing on it is judged otherwise than in a report.
"""

from __future__ import annotations

import re
import tempfile
from collections import Counter
from collections.abc import Iterable, Iterator
from datetime import date
from pathlib import Path
from typing import Any

import nbformat
import pandas as pd

from pmf_analysis.assess import assess_run
from pmf_analysis.batch import notebooks
from pmf_analysis.documents.html import render_report
from pmf_analysis.measures import arrows
from pmf_analysis.notebook import theme_view
from pmf_analysis.parameters.register_book import write_register
from pmf_analysis.parameters.workspace import Workspace
from pmf_analysis.problems import EXIT_DATA_UNUSABLE, PmfError, Problem, Problems
from pmf_analysis.story.bank import say, tell
from pmf_analysis.story.blocks import Block
from pmf_analysis.story.pages import Page, data_table, table_block, words_block
from pmf_analysis.story.trends_page import TrendsPage
from pmf_analysis.systems import drafting, looking
from pmf_analysis.systems.folder import read_file
from pmf_analysis.systems.importing import import_files

_SECTION = re.compile(r"run\.(\w+)\(\)")
_MAKE: Any = nbformat.v4  # untyped


def first_look(path: Path, seen: looking.Look, today: date) -> str:
    """Return a page on a file; what cannot be read or judged is said on it.

    Parameters
    ----------
    seen
        What :func:`pmf_analysis.systems.looking.look` found in the file.
    today
        The day on which its figures are taken as known.
    """
    with tempfile.TemporaryDirectory(prefix="pmf-look-") as place:
        workspace = Workspace(Path(place, "council"))
        notebooks.new_workspace(workspace.root, say("look.council"))
        try:
            page, unread = _page_of(workspace, path, today)
            told = _cell(words_block("note", "unread", unread) if unread else [])
            cells = [told, *_cells(page, workspace.notebooks / "trends.ipynb")]
        except PmfError as error:
            cells = [_cell(_why_not(error.problems))]
        found = [_cell(_columns_of(seen)), *cells]
    heading = _MAKE.new_markdown_cell(f"# {say('look.title')}\n\n## {say('look.what')}")
    about = {"title": say("look.of", file=path.name), "notice": say("look.notice")}
    about |= {"as_at": today.isoformat()}
    return render_report(_MAKE.new_notebook(cells=[heading, *found]), meta=about)


def _page_of(workspace: Workspace, path: Path, today: date) -> tuple[Page[Any], tuple[str, ...]]:
    """Draft a register, import the file and assess it; the page, and what was not read."""
    framework = workspace.parameters / "framework.yml"
    # A framework that somebody has touched keeps its themes, so that all stand on one page.
    framework.write_text(framework.read_text("utf-8") + "# one page\n", encoding="utf-8")
    mappings = workspace.parameters / "mappings"
    chosen = drafting.mapping_for(path, read_file(path), mappings)
    rows, _ = drafting.draft_into(workspace, [path], None, today)
    if not (workspace.parameters / "runs" / "first_report.yml").is_file():
        raise PmfError(Problem.of("look-no-figures", file=path.name), EXIT_DATA_UNUSABLE)
    # The page is its maker's own: small numbers are shown on it.
    shown = write_register([row | {"small_counts": "show"} for row in rows], {})
    (workspace.parameters / "register.xlsx").write_bytes(shown)
    outcome = import_files(workspace, [path], today, chosen.name)
    if outcome.vintage is None:
        raise PmfError(outcome.problems)
    spec = workspace.load_run("first_report.yml")
    parameters = workspace.load()
    theme = parameters.framework.themes[0].id
    measures = assess_run(workspace, spec)
    unread = tuple(p.message for p in outcome.problems if p.code == "column-unknown")
    return TrendsPage(theme_view(measures, parameters, spec, theme)), tuple(dict.fromkeys(unread))


def _cells(page: Page[Any], notebook: Path) -> Iterator[Any]:
    """Yield the cells of a notebook with what a page shows in each, as if it had been run."""
    for cell in notebooks.read_notebook(notebook).cells:
        if cell.cell_type == "markdown":
            # The page has a title of its own.
            heading = cell.source.partition("\n## ")
            cell.source = "".join(heading[1:]).strip() if heading[1] else cell.source
            yield cell
        for name in _SECTION.findall(cell.source) if cell.cell_type == "code" else ():
            yield _cell(getattr(page, name)())
            if name == "headline":
                yield _cell(_arrows(page))


def _cell(blocks: Iterable[Block]) -> Any:
    shown = [_MAKE.new_output("display_data", data=block._repr_mimebundle_()) for block in blocks]
    return _MAKE.new_code_cell("", outputs=shown)


def _columns_of(seen: looking.Look) -> Iterator[Block]:
    """Show each table of the file: where it is, its columns, and what they hold."""
    for number, table in enumerate(seen.tables, 1):
        slots = {"sheet": table.sheet, "row": table.header_row, "rows": f"{table.rows:,}"}
        caption = say("look.sheet" if table.sheet else "look.file", **slots)
        rows = []
        # The columns of a wide table are one row, from the first period to the last.
        for of_row in table.grouped():
            names = dict.fromkeys(f"{c.letter} {c.name}" for c in (of_row[0], of_row[-1]))
            filled, last = sum(c.filled for c in of_row), of_row[-1]
            row = {"column": say("look.to").join(names), "holds": last.kind}
            rows.append(row | {"filled": f"{filled:,}", "example": last.example})
        columns = ("column", "holds", "filled", "example")
        yield table_block(f"file-{number}", data_table(caption, columns, rows))


def _why_not(problems: Problems) -> list[Block]:
    return words_block("note", "unreadable", tuple(each.line() for each in problems))


def _arrows(page: Page[Any]) -> list[Block]:
    """Say what arrows between two figures would be worth, where no system's own are there."""
    if len(page.view.disagreements):
        return []
    # Sampling error moves the figures of a survey, and its arrows.
    shown = [each for each in page.facts if each.arrow_short and not each.change_test]
    rows = [("short_trend", each.arrow_short, each.verdict, each.shape) for each in shown]
    worth = Counter(arrows.worth(pd.DataFrame(rows, columns=["what", "says", "verdict", "shape"])))
    slots: Any = {"worth": worth, "system": say("look.two_points"), "differ": 0, "of": 0}
    slots["not_again"] = 0
    return words_block("note", "arrows", tell("arrows", **slots))
