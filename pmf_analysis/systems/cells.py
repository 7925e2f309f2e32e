"""Workbooks read cell by cell, with the evidence that table readers lose, and cut into tables.

``pd.read_excel`` turns ``n/a`` and ``#DIV/0!`` into the same missing value, a formula never
calculated into 0 and 45.2 % into 0.452, and it says nothing of hidden rows. Here every cell
becomes the text that its reader sees, and what was noticed on the way is kept beside it.
"""

import io
import re
import warnings
import zipfile
from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from decimal import Decimal
from functools import lru_cache
from typing import Literal

import openpyxl
import pandas as pd
from openpyxl.worksheet.worksheet import Worksheet

from pmf_analysis.shipped import read_shipped
from pmf_analysis.systems.mapping import MappingFile, spelling

KNOWN = read_shipped("systems/files.yml")
Place = tuple[int, int]

Mark = Literal["percent", "text number", "formula"]
_TEXT_NUMBER = re.compile(r"\s*-?[\d,]*\.?\d+\s*%?\s*")
# A formula element that its cell's end, or an empty value, follows.
_NO_VALUE = re.compile(rb"(</f>|<f[^>]*/>)\s*(</c>|<v\s*/>|<v>\s*</v>)")


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
    """
    values = _load(content, formulas=False)
    formulas = _load(content, formulas=True) if _has_uncalculated(content) else None
    sheets = [_read_sheet(one, formulas[one.title] if formulas else None) for one in values]
    return [sheet for sheet in sheets if len(sheet.cells)]


def _has_uncalculated(content: bytes) -> bool:
    """Whether any formula has no value beside it; most books have none, and are parsed once."""
    with zipfile.ZipFile(io.BytesIO(content)) as archive:
        names = [name for name in archive.namelist() if name.startswith("xl/worksheets/")]
        return any(_NO_VALUE.search(archive.read(name)) for name in names if name.endswith(".xml"))


def _load(content: bytes, *, formulas: bool) -> openpyxl.Workbook:

    with warnings.catch_warnings():
        # openpyxl warns of features it does not read (validation lists, pictures, headers).
        warnings.filterwarnings("ignore", category=UserWarning, module="openpyxl")
        return openpyxl.load_workbook(io.BytesIO(content), data_only=not formulas)


def _read_sheet(worksheet: Worksheet, formulas: Worksheet | None) -> Sheet:
    texts: dict[Place, str] = {}
    marks: dict[Place, Mark] = {}
    # The dense iterators of openpyxl create every cell of a sheet that was formatted to its end.
    for (row, column), cell in worksheet._cells.items():
        place, value = (row, column - 1), cell.value
        if value is None and formulas is not None:
            written = formulas.cell(row, column).value
            formula = getattr(written, "text", written)  # of an array formula, its text
            if isinstance(formula, str) and formula.startswith("="):
                value, marks[place] = formula, "formula"
        text = shown_text(value, cell.number_format)
        if not text:
            continue
        texts[place] = text
        if isinstance(value, int | float) and is_percent_format(cell.number_format):
            marks[place] = "percent"
        elif isinstance(value, str) and _TEXT_NUMBER.fullmatch(value):
            marks[place] = "text number"
    hidden = frozenset(row for row, shape in worksheet.row_dimensions.items() if shape.hidden)
    is_hidden = worksheet.sheet_state != "visible"
    return Sheet(worksheet.title, _as_frame(texts), (), is_hidden, hidden, marks)


def _as_frame(texts: dict[Place, str]) -> pd.DataFrame:
    rows = sorted({row for row, _ in texts})
    columns = range(1 + max((column for _, column in texts), default=-1))
    filled = [[texts.get((row, column), "") for column in columns] for row in rows]
    return pd.DataFrame(filled, index=rows, columns=columns, dtype="str")


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


# The tables of a sheet: where each header stands, its names, and the rows under it


@dataclass(frozen=True)
class Block:
    """One table on a sheet: the row of its header, its names by position, and its rows."""

    sheet: Sheet
    header_row: int
    headers: dict[int, str]
    rows: pd.DataFrame

    def position(self, name: str) -> int | None:
        """Return the position of the first column of that name, in any spelling."""
        wanted = spelling(name)
        return next((p for p, text in self.headers.items() if spelling(text) == wanted), None)


def find_blocks(sheet: Sheet, mapping: MappingFile, ignored: Counter[str]) -> Iterator[Block]:
    """Yield the tables of a sheet; rows outside them are ignored, as the mapping declares."""
    cells, header = sheet.cells, mapping.header
    if sheet.names:
        yield Block(sheet, 0, dict(enumerate(sheet.names)), cells)
        return
    starts = _header_rows(cells, mapping)
    if not starts:
        return
    tops = [row - header.above for row in starts]
    ignored["above the header"] += int((cells.index < tops[0]).sum())
    for start, next_top in zip(starts, [*tops[1:], None], strict=True):
        ignored["header"] += len(cells.loc[start - header.above : start])
        body = cells.loc[start + 1 :] if next_top is None else cells.loc[start + 1 : next_top - 1]
        if header.several:
            is_heading = (body.map(lambda text: bool(text.strip()))).sum(axis=1) == 1
            ignored["heading or note"] += int(is_heading.sum())
            body = body[~is_heading]
        yield Block(sheet, start, _header_names(cells, start, header.above), body)


def repeats_names(rows: pd.DataFrame, names: Mapping[int, str]) -> "pd.Series[bool]":
    """Whether a row holds names again, as some systems print the header on every page."""
    repeats = pd.Series(bool(names), index=rows.index)
    for position, name in names.items():
        if repeats.any():
            repeats &= rows[position].astype("str").str.strip() == name
    return repeats


def _header_rows(cells: pd.DataFrame, mapping: MappingFile) -> list[int]:
    """Row numbers of the headers: the one declared, or the rows that hold all the names."""
    header = mapping.header
    if header.row is not None:
        return [header.row] if header.row in cells.index else []
    # A name may stand in any of the spellings of its column.
    spelt = {name: [name, *names] for names in reversed(mapping.columns.values()) for name in names}
    accepted = [set(map(spelling, spelt.get(name, [name]))) for name in header.containing]
    # A single header stands near the top; searching 640,000 rows for it would take seconds.
    searched = cells if header.several else cells.head(200)
    found = []
    for row, texts in zip(searched.index, searched.itertuples(index=False), strict=True):
        names = {spelling(str(text)) for text in texts if text}
        if all(names & group for group in accepted):
            found.append(int(row))
            if not header.several:
                break
    return found


def _header_names(cells: pd.DataFrame, row: int, above: int) -> dict[int, str]:
    """Names by position; a merged cell above spans the columns up to the next filled one."""
    names = {p: str(cells.at[row, p]).strip() for p in range(cells.shape[1])}
    for upper in range(row - 1, row - 1 - above, -1):
        spanning = ""
        for position in names:
            text = str(cells.at[upper, position]).strip() if upper in cells.index else ""
            spanning = text or spanning
            names[position] = f"{spanning} {names[position]}".strip()
    return {position: text for position, text in names.items() if text}
