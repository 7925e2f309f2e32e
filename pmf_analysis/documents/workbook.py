"""A report's numbers as a workbook: the data pack that government statisticians publish.

Cover, contents, one marked table a sheet, and a sheet that explains signs; written by gptables. No
cell is blank without a reason and none is a formula, whatever a title or a comment says. The
analyst's copy has a native line chart beside each table of periods, and true blanks for its gaps.
"""

import io
import re
import warnings
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import pandas as pd

from pmf_analysis.documents.office import finished, visible
from pmf_analysis.documents.reading import Report, Shown
from pmf_analysis.story.bank import say, words_of
from pmf_analysis.story.rendering import plain_column, units_in_headings
from pmf_analysis.story.style import COLOURS

_SENTENCE_END = re.compile(r"(?<=[.!?])(?<!^\d\.)(?<!^\d\d\.)\s+")  # a note's number ends none
_LONGEST_CELL, _LONGEST_HEADING = 32_000, 200
_LINES = {"value": "blue", "middle": "blue", "target": "target"}  # others are grey


@dataclass(frozen=True)
class _Sheet:
    """A table on its sheet; ``numbers`` are its columns of figures, by place, with their keys."""

    name: str
    table: Any
    about: str
    first_row: int
    numbers: dict[int, str]
    of_periods: bool


def make_workbook(report: Report, *, charts: bool = False) -> bytes:
    """Return the tables of a report, and the data of its figures, as an Excel workbook.

    Parameters
    ----------
    report
        Any report; every text of it is written as text.
    charts
        Whether each table of periods gets a line chart, and gaps are blank cells.
    """
    written = io.BytesIO()
    with warnings.catch_warnings():
        # gptables leaves a file of its own open when it is imported, uses what pandas gives up, and
        # asks for the reasons of blank cells, which every sheet of ours gives.
        warnings.filterwarnings("ignore", message="unclosed")
        warnings.filterwarnings("ignore", module="gptables")
        from gptables import produce_workbook  # type: ignore[import-untyped]

        sheets = [_sheet(each, charts) for each in report.shown if each.number and each.block.table]
        tables = {sheet.name: sheet.table for sheet in sheets} | {say("workbook.signs"): _signs()}
        contents = words_of("workbook.contents_columns")
        above = {name: say(f"workbook.contents_{name}") for name in ("title", "instructions")}
        made = produce_workbook(
            written,
            tables,
            cover=_cover(report.facts),
            contentsheet_label=say("workbook.contents"),
            contentsheet_options={"column_names": [*contents.values()], **above},
            workbook_options={"strings_to_formulas": False, "strings_to_urls": False},
        )
        for printed in made.worksheets():
            printed.set_landscape()
            printed.fit_to_pages(1, 0)
        for sheet in sheets if charts else ():
            if sheet.of_periods and sheet.numbers:
                _add_chart(made, sheet)
        made.close()
    return finished(written.getvalue(), report)


def _cover(facts: Mapping[str, Any]) -> Any:
    from gptables import Cover

    as_at, brand = say("page.figures_known", as_at=facts["as_at"]), facts["brand"]
    contacts = _told(brand.get("contact") or facts["contact"], brand.get("licence"))
    return Cover(
        _plain(facts["title"]),
        intro=_told(facts["council"], facts["period"], as_at, facts["notice"]),
        about=_told(*words_of("workbook.about").values()),
        contact=contacts or None,
        cover_label=say("workbook.cover"),
    )


def _signs() -> Any:
    """Return the sheet that explains what stands in a cell without a value."""
    from gptables import GPTable

    meaning = words_of("workbook.meaning").items()
    told = [(_plain(say(f"workbook.sign.{name}")), text) for name, text in meaning]
    frame = pd.DataFrame(told, columns=[*words_of("workbook.signs_columns").values()])
    words = {name: say(f"workbook.signs_{name}") for name in ("title", "instructions")}
    return GPTable(frame, "signs", **words, index_columns={1: 0})


def _sheet(shown: Shown, charts: bool) -> _Sheet:
    from gptables import GPTable

    block, name = shown.block, f"{shown.block.kind}_{shown.number}"
    assert block.table is not None  # a numbered block without one has been passed over
    table = units_in_headings(block.table)
    columns = [column for column in table.columns if column.kind != "spark"]
    plain = [plain_column(table, column) for column in columns]
    figures = {at: cells for at, (_, is_number, cells) in enumerate(plain) if is_number}
    cells = [_cells(cells, at in figures, charts) for at, (*_, cells) in enumerate(plain)]
    headings = _headings([heading for heading, *_ in plain])
    kind = say(f"page.{block.kind}_n", number=shown.number)
    # Text does not wrap above a table, so that each sentence has a row of its own.
    legend = _told(
        *(said for note in block.commentary + block.notes for said in _SENTENCE_END.split(note))
    )
    made = GPTable(
        pd.DataFrame(dict(zip(headings, cells, strict=True))),
        name,
        _plain(f"{kind}: {block.title or table.caption}"),
        subtitles=_told(block.subtitle),
        instructions=say("workbook.instructions"),
        source=(block.source and _plain(say("page.source", source=block.source))) or None,
        legend=legend,
        index_columns={1: 0},
        additional_formatting=[_format(at, cells) for at, cells in figures.items()],
    )
    above = len(("title", "instructions", *legend)) + bool(block.subtitle) + bool(block.source)
    keys = {at: columns[at].key for at in figures}
    return _Sheet(name.capitalize(), made, block.alt, above, keys, columns[0].key == "period")


def _headings(names: Sequence[str]) -> list[str]:
    """Return headings as Excel takes them: short, no two alike, none empty."""
    made: list[str] = []
    for name in names:
        short = _plain(name)[:_LONGEST_HEADING] or "-"
        made.append(f"{short} ({len(made) + 1})" if short in made else short)
    return made


def _cells(cells: Sequence[str], is_number: bool, charts: bool) -> list[Any]:
    """Return a column's cells: numbers as numbers, and a sign where there is no value."""
    missing = None if charts and is_number else say("workbook.sign.none")
    told = [cell and float(cell) if is_number else _plain(cell) for cell in cells]
    return [missing if each == "" else each for each in told]


def _format(at: int, cells: Sequence[str]) -> dict[str, Any]:
    decimals = max(len(cell.partition(".")[2]) for cell in cells)
    shape = "#,##0" + f".{'0' * decimals}" * bool(decimals)
    return {"column": {"columns": [at], "format": {"num_format": shape}}}


def _plain(text: str) -> str:
    """Return a text that gptables writes as it stands, or as nearly so as Excel allows.

    gptables takes ``$$`` for a note's mark and ``[a](b)`` for a link, and refuses signs alone.
    """
    shown = str(visible(text))[:_LONGEST_CELL]
    shown = shown.replace("](", "] (").replace("$$", "$ $")
    # A cell is text here, but would run once somebody edits it.
    shown = re.sub(r"^(?=[=@\t\r]|[+-][^\d\s.,(+-])", "'", shown)
    is_told = not shown.strip() or re.search("[a-zA-Z0-9]", shown)
    return shown if is_told else f"{shown} ({say('workbook.sign_alone')})"


def _told(*texts: str | None) -> list[str]:
    return [_plain(text) for text in texts if text and text.strip()]


def _add_chart(workbook: Any, sheet: _Sheet) -> None:
    """Put a line chart of a table's figures beside it, over the table's periods."""
    chart, table = workbook.add_chart({"type": "line"}), sheet.table
    first, last = sheet.first_row + 1, sheet.first_row + len(table.table)
    for at, key in sheet.numbers.items():
        is_main = key in _LINES
        line = {"color": COLOURS[_LINES.get(key, "grey")], "width": 2.25 if is_main else 1}
        chart.add_series(
            {
                "name": [sheet.name, sheet.first_row, at],
                "categories": [sheet.name, first, 0, last, 0],
                "values": [sheet.name, first, at, last, at],
                "line": line if is_main else {**line, "dash_type": "dash"},
            }
        )
    # Names are those of cells: XlsxWriter takes some texts for formulas.
    chart.set_title({"name": [sheet.name, 0, 0], "name_font": {"size": 12}})
    chart.set_y_axis({"name": [sheet.name, sheet.first_row, min(sheet.numbers)]})
    chart.set_legend({"position": "bottom"})
    place = workbook.get_worksheet_by_name(sheet.name)
    about = {"description": sheet.about, "x_scale": 1.6, "y_scale": 1.4}
    place.insert_chart(first, len(table.table.columns) + 1, chart, about)
