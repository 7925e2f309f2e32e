"""A report's numbers as a workbook: the data pack that government statisticians publish.

Cover, contents, one marked table a sheet, and a sheet that explains signs; written by gptables. No
cell is blank without a reason and none is a formula, whatever a title or a comment says. The
analyst's copy has a native line chart beside each table of periods, and true blanks for its gaps.
"""

import io
import re
import warnings
from collections.abc import Mapping
from dataclasses import dataclass
from itertools import chain, count
from textwrap import wrap
from typing import Any

import pandas as pd

from pmf_analysis.documents.columns import Written, apart, plain, signs_of, written_columns
from pmf_analysis.documents.office import finished, visible
from pmf_analysis.documents.reading import Report, Shown
from pmf_analysis.story.bank import join_words, say, words_of
from pmf_analysis.story.style import COLOURS

_SENTENCE_END = re.compile(r"(?<=[.!?])(?<!^\d\.)(?<!^\d\d\.)\s+")  # a note's number ends none
_LINE = 120  # characters above a table
# Of Arial of 12 points: a letter's width as Excel counts, and a line's height.
_LETTER, _ROW, _HIGHEST = 1.2, 16, 400  # Excel has no row higher than 409 points
_LINES = {"value": "blue", "middle": "blue", "target": "target"}  # others are grey


@dataclass(frozen=True)
class _Sheet:
    """A table on its sheet."""

    name: str
    table: Any
    about: str
    first_row: int
    columns: list[Written]
    has_chart: bool


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

        numbered = [each for each in report.shown if each.number and each.block.table]
        told = [each for each in numbered if each.block.table and each.block.table.rows]
        names = apart([re.sub(r"\W+", "_", _kind(each))[:25] for each in told])
        sheets = [_sheet(*each, charts=charts) for each in zip(names, told, strict=True)]
        signs = _signs({sign for sheet in sheets for sign in signs_of(sheet.columns)})
        contents = words_of("workbook.contents_columns")
        above = {name: say(f"workbook.contents_{name}") for name in ("title", "instructions")}
        cover = _cover(report.facts)
        made = produce_workbook(
            written,
            {sheet.name: sheet.table for sheet in sheets} | signs,
            cover=cover,
            contentsheet_label=say("workbook.contents"),
            contentsheet_options={"column_names": [*contents.values()], **above},
            workbook_options={"strings_to_formulas": False, "strings_to_urls": False},
        )
        _head_cover(made, cover)
        for printed in made.worksheets():
            printed.set_landscape()
            printed.fit_to_pages(1, 0)
        for sheet in sheets:
            _finish(made, sheet)
        made.close()
    return finished(written.getvalue(), report)


def _kind(shown: Shown) -> str:
    return say(f"page.{shown.block.kind}_n", number=shown.number)


def _cover(facts: Mapping[str, Any]) -> Any:
    from gptables import Cover

    as_at, brand = say("page.figures_known", as_at=facts["as_at"]), facts["brand"]
    contacts = _told(brand.get("contact") or facts["contact"], brand.get("licence"))
    return Cover(
        plain(facts["title"]),
        intro=_told(facts["council"], facts["period"], as_at, facts["notice"]),
        about=_told(*words_of("workbook.about").values()),
        contact=contacts or None,
        cover_label=say("workbook.cover"),
    )


def _head_cover(workbook: Any, cover: Any) -> None:
    """Write the headings of the cover's parts, which gptables has in English, over its own."""
    looks, row = workbook.add_format(workbook.theme.cover_subtitle_format), 1
    for name, heading in words_of("workbook.cover_parts").items():
        if lines := getattr(cover, name):
            workbook.worksheets()[0].write_string(row, 0, heading, looks)
            row += 1 + len(lines)


def _signs(used: set[str]) -> dict[str, Any]:
    """Return the sheet that explains the signs that stand in cells without a value, if any do."""
    from gptables import GPTable

    meaning = words_of("workbook.meaning").items()
    told = [(say(f"workbook.sign.{name}"), text) for name, text in meaning]
    rows = [row for row in told if row[0] in used]
    frame = pd.DataFrame(rows, columns=[*words_of("workbook.signs_columns").values()])
    words = {name: say(f"workbook.signs_{name}") for name in ("title", "instructions")}
    sheet = {say("workbook.signs"): GPTable(frame, "signs", **words, index_columns={1: 0})}
    return sheet if rows else {}


def _sheet(name: str, shown: Shown, *, charts: bool) -> _Sheet:
    from gptables import GPTable

    block, table = shown.block, shown.block.table
    assert table is not None  # a block without one has been passed over
    columns = written_columns(table)
    signs = signs_of(columns)
    has_chart = charts and table.columns[0].key == "period" and any(each.shape for each in columns)
    for column in columns if has_chart else ():
        column.cells = [None if column.shape and each in signs else each for each in column.cells]
    signs = signs_of(columns)
    said = say("workbook.instructions.signs", signs=join_words(signs))
    said = say("workbook.instructions.gaps") if has_chart else said
    title, *more = _lines(f"{_kind(shown)}: {block.title or table.caption}")
    source = say("page.source", source=block.source)
    notes = (each for note in block.commentary + block.notes for each in _SENTENCE_END.split(note))
    legend = _told(*(line for text in (*notes, source) for line in _lines(text)))
    subtitles = _told(*more, *_lines(block.subtitle))
    made = GPTable(
        pd.DataFrame({each.heading: each.cells for each in columns}, dtype=object),
        f"{block.kind}_{shown.number}",
        plain(title),
        subtitles=subtitles,
        instructions=said or say("workbook.instructions.plain"),
        legend=legend,
        index_columns={1: 0},
        additional_formatting=[*chain(*map(_looks, count(), columns))],
    )
    above = len(("title", "instructions", *subtitles, *legend))
    return _Sheet(name, made, visible(block.alt), above, columns, has_chart)


def _lines(text: str) -> list[str]:
    """Return lines that are about as long as each other: no text wraps above a table."""
    lines = wrap(text, _LINE)
    return lines if len(lines) < 2 else wrap(text, len(text) // len(lines) + 10)


def _looks(at: int, column: Written) -> list[dict[str, Any]]:
    """Return how a column looks, and each number of it that has another number of decimals."""
    looks: dict[str, Any] = {"align": "left", "indent": min(at, 1)}  # columns do not touch
    if column.shape:
        looks |= {"align": "right", "num_format": column.shape}
    made = [{"column": {"columns": [at], "format": {"valign": "top", **looks}}}]
    for row, shape in enumerate(column.shapes, 1):
        if shape not in ("", column.shape):
            made.append({"cell": {"cells": (row, at), "format": {"num_format": shape}}})
    return made


def _told(*texts: str | None) -> list[str]:
    return [plain(text) for text in texts if text and text.strip()]


def _finish(workbook: Any, sheet: _Sheet) -> None:
    """Set widths, what is printed again on each page, and a chart where the sheet has one."""
    place = workbook.get_worksheet_by_name(sheet.name)
    place.repeat_rows(sheet.first_row)
    place.ignore_errors({"number_stored_as_text": "A1:XFD1048576"})  # years are labels
    for at, column in enumerate(sheet.columns):
        place.set_column(at, at, _LETTER * column.letters + 3)
    across = [column.letters + 3 for column in sheet.columns]
    rows = zip(*([column.heading, *column.cells] for column in sheet.columns), strict=True)
    for at, row in enumerate(rows, sheet.first_row):
        # Not every program makes a row as high as the lines of its cells.
        lines = max(len(wrap(str(cell), n)) for cell, n in zip(row, across, strict=True))
        place.set_row(at, min(_ROW * max(lines, 1), _HIGHEST))
    if sheet.has_chart:
        _add_chart(workbook, place, sheet)


def _add_chart(workbook: Any, place: Any, sheet: _Sheet) -> None:
    """Put a line chart of a table's figures beside it, over the table's periods."""
    chart, numbers = workbook.add_chart({"type": "line"}), list[int]()
    first, last = sheet.first_row + 1, sheet.first_row + len(sheet.table.table)
    for at, column in enumerate(sheet.columns):
        if column.shape:
            numbers.append(at)
            colour = {"color": COLOURS[_LINES.get(column.key, "grey")]}
            looks = {"width": 2.25} if column.key in _LINES else {"width": 1, "dash_type": "dash"}
            dot = {"type": "circle", "size": 4, "border": colour, "fill": colour}
            line = {
                "name": [sheet.name, sheet.first_row, at],
                "categories": [sheet.name, first, 0, last, 0],
                "values": [sheet.name, first, at, last, at],
                "line": {**colour, **looks},
                "marker": dot,  # of figures that have no neighbour
            }
            chart.add_series(line)
    # Names are those of cells: XlsxWriter takes some texts for formulas.
    chart.set_title({"name": [sheet.name, 0, 0], "name_font": {"size": 12}})
    grid = {"visible": True, "line": {"color": COLOURS["grid"]}}
    heading = [sheet.name, sheet.first_row, numbers[0]]
    chart.set_y_axis({"name": heading, "major_gridlines": grid})
    chart.set_legend({"position": "bottom"})
    about = {"description": sheet.about, "x_scale": 1.6, "y_scale": 1.6}
    place.insert_chart(first, len(sheet.columns) + 1, chart, about)
