"""Workbooks read cell by cell, with the evidence that table readers lose.

``pd.read_excel`` turns ``n/a`` and ``#DIV/0!`` into the same missing value, a formula never
calculated into 0 and 45.2 % into 0.452, and it says nothing of hidden rows. Here every cell
becomes the text that its reader sees, and what was noticed on the way is kept beside it.
"""

import io
import re
import warnings
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from decimal import Decimal
from functools import lru_cache
from typing import Any, Literal

import openpyxl
import pandas as pd
from lxml import etree
from openpyxl.cell.read_only import ReadOnlyCell
from openpyxl.worksheet._reader import FORMULA_TAG, ROW_TAG, VALUE_TAG, WorkSheetParser

from pmf_analysis.systems.guards import KNOWN as KNOWN
from pmf_analysis.systems.guards import RefusedError

Place = tuple[int, int]

Mark = Literal["percent", "text number", "formula"]
_TEXT_NUMBER = re.compile(r"\s*-?[\d,]*\.?\d+\s*%?\s*")
# How XML is parsed, which guards has looked through before: nothing is fetched or expanded.
PARSED: Any = {
    "resolve_entities": False,
    "no_network": True,
    "remove_comments": True,
    "remove_pis": True,
}
# A reference such as [1]Sheet!A1 or [1]!Name, which no reference to a column of a table looks like.
_OTHER_BOOK = re.compile(r"(?<![\w\[\]])\[[^\[\]@#]+\][^\[\]!,()*+/&]*!")
_QUOTED = re.compile(r'"[^"]*"')


@dataclass(frozen=True)
class Sheet:
    """One sheet, or one flat file, as its reader sees it.

    Parameters
    ----------
    name
        Name of the sheet; empty for a flat file.
    cells
        A row a source row that is not blank, indexed by its number; columns numbered from 0. All
        text, ``""`` where empty, but for Parquet, whose columns keep their type.
    names
        Column names where the file itself declares them (Parquet); else the header is searched.
    marks
        By place (row, column): a number shown as a percentage, which was multiplied by 100; a
        number kept as text; a formula never calculated, whose text is the formula.
    """

    name: str
    cells: pd.DataFrame
    names: tuple[str, ...] = ()
    is_hidden: bool = False
    hidden_rows: frozenset[int] = frozenset()
    marks: Mapping[Place, Mark] = field(default_factory=dict)


def read_workbook(content: bytes) -> list[Sheet]:
    """Read the sheets of an XLSX workbook; charts and empty sheets are left out.

    A formula that was never calculated is given as its own text, such as ``=B2/C2``. Anything
    that openpyxl cannot read raises its error; the caller knows the file's name.

    Raises
    ------
    RefusedError
        A formula refers to another workbook.
    """
    with warnings.catch_warnings():
        # openpyxl warns of features it does not read (validation lists, pictures, headers).
        warnings.filterwarnings("ignore", category=UserWarning, module="openpyxl")
        # Its other way of reading fills every merged range with cells, up to a whole sheet.
        book: Any = openpyxl.load_workbook(io.BytesIO(content), read_only=True, keep_links=False)
        sheets = [_read_sheet(sheet) for sheet in book._sheets]
    return [sheet for sheet in sheets if len(sheet.cells)]


class _Parser(WorkSheetParser):
    """Reads rows only, and a formula where its value is not in the file."""

    def rows(self) -> Iterator[dict[str, Any]]:
        source: Any = self.source
        for _, element in etree.iterparse(source, tag=ROW_TAG, **PARSED):
            yield from self.parse_row(element)[1]
            element.clear()

    def parse_cell(self, element: Any) -> dict[str, Any]:
        cell: dict[str, Any] = super().parse_cell(element)
        formula, cell["is_formula"] = element.find(FORMULA_TAG), False
        if formula is None:
            return cell
        if _OTHER_BOOK.search(_QUOTED.sub("", formula.text or "")):
            raise RefusedError("linked", row=cell["row"], column=column_letter(cell["column"] - 1))
        # A text formula may have an empty text as its value.
        is_empty = element.find(VALUE_TAG) is not None and element.get("t") == "str"
        if cell["value"] is None and not is_empty:
            written = self.parse_formula(element)  # type: ignore[no-untyped-call]
            cell["value"] = str(getattr(written, "text", written))  # of an array formula, its text
            cell["is_formula"] = True
        return cell


def _read_sheet(worksheet: Any) -> Sheet:
    book, found = worksheet.parent, Found()
    styles = range(len(book._cell_styles))
    cells = [ReadOnlyCell(worksheet, 1, 1, None, style_id=number) for number in styles]
    percents = {n for n, cell in enumerate(cells) if is_percent_format(cell.number_format)}
    known = (book.epoch, book._date_formats, book._timedelta_formats)
    with worksheet._get_source() as source:
        parser = _Parser(source, worksheet._shared_strings, True, *known)
        try:
            for cell in parser.rows():
                place = (cell["row"], cell["column"] - 1)
                found.add(place, cell["value"], is_percent=cell["style_id"] in percents)
                if cell["is_formula"]:
                    found.marks[place] = "formula"
        except RefusedError as refused:
            refused.place["sheet"] = worksheet.title
            raise
    rows = parser.row_dimensions.items()
    found.hidden_rows |= {int(row) for row, of in rows if of.get("hidden") in ("1", "true")}
    return found.sheet(worksheet.title, is_hidden=worksheet.sheet_state != "visible")


class Found:
    """The cells of one sheet while it is read, whatever its format."""

    def __init__(self) -> None:
        self.texts: dict[Place, str] = {}
        self.marks: dict[Place, Mark] = {}
        self.hidden_rows: set[int] = set()

    def add(self, place: Place, value: object, *, is_percent: bool = False) -> None:
        """Keep a cell that has anything in it; `is_percent` multiplies a number by 100."""
        if text := shown_text(value, "%" if is_percent else ""):
            self.texts[place] = text
            if isinstance(value, int | float) and is_percent:
                self.marks[place] = "percent"
            elif isinstance(value, str) and _TEXT_NUMBER.fullmatch(value):
                self.marks[place] = "text number"

    def sheet(self, name: str, *, is_hidden: bool = False) -> Sheet:
        """Return what was found as a sheet."""
        rows = sorted({row for row, _ in self.texts})
        columns = range(1 + max((column for _, column in self.texts), default=-1))
        filled = [[self.texts.get((row, column), "") for column in columns] for row in rows]
        cells = pd.DataFrame(filled, index=rows, columns=columns, dtype="str")
        return Sheet(name, cells, (), is_hidden, frozenset(self.hidden_rows), self.marks)


def shown_text(value: object, number_format: str = "General") -> str:
    """Return a cell's value as text: percentages times 100, dates in ISO form, 15 digits.

    Examples
    --------
    >>> shown_text(0.452, "0.0%")
    '45.2'
    >>> shown_text(0.1 + 0.2)
    '0.3'
    """
    if value is None:
        return ""
    if isinstance(value, bool):
        return str(value).upper()
    if isinstance(value, int | float):
        digits = Decimal(f"{value:.15g}")
        scaled = digits * 100 if is_percent_format(number_format) else digits
        return f"{scaled.normalize():f}" if scaled.is_finite() else str(value)
    if isinstance(value, datetime):
        return value.isoformat(" ", "seconds").removesuffix(" 00:00:00")
    return str(value).strip()


@lru_cache(maxsize=512)
def is_percent_format(number_format: str) -> bool:
    """Whether a number format multiplies by 100; a quoted or escaped % sign does not."""
    return "%" in re.sub(r'"[^"]*"|\\.', "", number_format or "")


def column_letter(position: int) -> str:
    """Return the letters of a column counted from 0.

    Examples
    --------
    >>> column_letter(0), column_letter(27)
    ('A', 'AB')
    """
    above, rest = divmod(position, 26)
    return (column_letter(above - 1) if above else "") + chr(ord("A") + rest)
