"""A first look at any spreadsheet, before there is a mapping: what is in it, and what is wrong."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from functools import partial
from itertools import groupby
from pathlib import Path

import pandas as pd

from pmf_analysis.periods import parse_period
from pmf_analysis.problems import PmfError, Problems
from pmf_analysis.systems import folder, mapping, values
from pmf_analysis.systems.blocks import repeats_names
from pmf_analysis.systems.cells import KNOWN, Sheet, column_letter

_SEARCHED = 40
_SAMPLE = 5000
_MOST_COLUMNS = 500
Tell = Callable[..., None]
_MEASURE = r"(?i)\s*\b(value|actual|outturn|target|status|note|numerator|denominator)s?$"


@dataclass(frozen=True)
class ColumnLook:
    """A column: its letter and name, what its cells are, and the first of them."""

    letter: str
    name: str
    kind: str
    filled: int
    example: str


@dataclass(frozen=True)
class TableLook:
    """A table on a sheet: where its header is, how many rows it has, its columns and periods."""

    sheet: str
    header_row: int
    rows: int
    repeated_headers: int
    columns: tuple[ColumnLook, ...]
    periods: tuple[str, ...]

    def grouped(self) -> list[list[ColumnLook]]:
        """Return its columns, those of periods that stand side by side together."""

        def key(column: ColumnLook) -> object:
            return re.sub(_MEASURE, "", column.name) in self.periods or column.letter

        return [[*group] for _, group in groupby(self.columns, key=key)]

    def lines(self) -> Iterator[str]:
        """Yield the table in plain words."""
        where = f'Sheet "{self.sheet}": ' if self.sheet else ""
        yield f"{where}header in row {self.header_row}, {self.rows:,} rows below it."
        if self.repeated_headers:
            yield f"The header comes again {self.repeated_headers} times: several tables a sheet."
        for group in self.grouped():
            c, names = group[-1], dict.fromkeys(f'{c.letter} "{c.name}"' for c in group)
            filled = sum(c.filled for c in group)
            told = " to ".join([*names][:: max(len(names) - 1, 1)])
            yield f"  {told}: {c.kind}, {filled:,} filled, such as {c.example}"
        if self.periods:
            yield f"  Periods: {len(self.periods)}, {self.periods[0]} to {self.periods[-1]}."


@dataclass(frozen=True)
class Look:
    """What a file is and holds; whatever is wrong with it is in `problems`."""

    file: str
    tables: tuple[TableLook, ...]
    problems: Problems

    def lines(self) -> list[str]:
        """Return the look in plain words, a line each."""
        found = [line for table in self.tables for line in table.lines()]
        return [*found, *(problem.line() for problem in self.problems)]


def look(place: Path | str) -> Look:
    """Look at any file; one that cannot be read gives a problem, never an error."""
    try:
        raw = folder.read_file(place)
    except PmfError as error:
        return Look(error.problems[0].file, (), error.problems)
    return look_into(raw)


def look_into(raw: folder.RawFile) -> Look:
    """Look at a file that is read already."""
    problems = Problems(raw.problems)
    tells = [partial(problems.tell, file=raw.name, sheet=sheet.name) for sheet in raw.sheets]
    return Look(raw.name, tuple(map(_look_at_sheet, raw.sheets, tells)), problems)


def _look_at_sheet(sheet: Sheet, tell: Tell) -> TableLook:
    if (width := sheet.cells.shape[1]) > _MOST_COLUMNS:
        tell("many-columns", width=width, most=_MOST_COLUMNS)
        near = {place: mark for place, mark in sheet.marks.items() if place[1] < _MOST_COLUMNS}
        sheet = replace(sheet, cells=sheet.cells.iloc[:, :_MOST_COLUMNS], marks=near)
    cells, header_row, texts = sheet.cells, 0, sheet.names[:_MOST_COLUMNS]
    is_header = pd.Series(False, index=cells.index)
    if not texts:
        header_row = _likely_header(cells)
        texts = tuple(str(text).strip() for text in cells.loc[header_row])
        cells = cells.loc[header_row + 1 :]
        # A row that begins with the same two names is the header of another table, or page.
        named = [(position, text) for position, text in enumerate(texts) if text]
        is_header = repeats_names(cells, dict(named[:2]))
    body = cells[~is_header]
    columns = tuple(_look_at_columns(body, texts, header_row, tell))
    _note_cells(sheet, tell)
    periods = _periods(texts, body, tell)
    return TableLook(sheet.name, header_row, len(body), int(is_header.sum()), columns, periods)


def _likely_header(cells: pd.DataFrame) -> int:
    """Return the row, near the top, with the most different names; numbers are no names."""

    def names(row: int) -> int:
        texts = {str(text).strip() for text in cells.loc[row]} - {""}
        return sum(bool(re.search(r"[A-Za-z]", text)) or mapping.is_period(text) for text in texts)

    return max([int(row) for row in cells.index[:_SEARCHED]], key=names)


def _look_at_columns(
    body: pd.DataFrame, texts: Sequence[str], header_row: int, tell: Tell
) -> Iterator[ColumnLook]:
    """Yield the columns; note names that two bear, and columns with cells but without a name."""
    spelt = [mapping.spelling(text) for text in texts]
    for position, text in enumerate(texts):
        letter, filled = column_letter(position), body[position][~values.is_blank(body[position])]
        if text or len(filled):
            if not text or spelt[position] in spelt[:position]:
                fault = "column-name-twice" if text else "column-without-name"
                tell(fault, row=header_row or None, column=f'{letter} "{text}"')
            example = str(filled.iloc[0])[:40] if len(filled) else "nothing"
            yield ColumnLook(letter, text, _kind_of(filled.head(_SAMPLE)), len(filled), example)


def _kind_of(filled: pd.Series[str]) -> str:
    """Say what nine in ten cells are."""
    if filled.empty:
        return "empty"
    for kind, typed in (("numbers", values.to_number), ("dates", values.to_date)):
        share = 1 - float(typed(filled)[1].mean())
        if share >= 0.9:
            return kind if share == 1 else f"{kind}, and some text"
    return "text"


def _periods(texts: Sequence[str], body: pd.DataFrame, tell: Tell) -> tuple[str, ...]:
    """Return the period labels in the header, else those of the first column that holds them."""
    in_header = dict.fromkeys(re.sub(_MEASURE, "", text) for text in texts)
    labels = [text for text in in_header if text and mapping.is_period(text)]
    for position in [p for p in body if not values.is_typed(body[p])]:
        if labels:
            break
        filled = body[position][~values.is_blank(body[position])].drop_duplicates().head(_SAMPLE)
        if _kind_of(filled) == "dates":  # a day is no period, and needs no remark
            continue
        known = [text for text in filled if mapping.is_period(text)]
        # A column of years or dates is one of periods; a column of small numbers is not.
        labels = known if len(known) >= 0.8 * len(filled) else []
    for label in labels:
        try:
            parse_period(label)
        except PmfError as error:
            tell("look-period", why=error.problems[0].message, of=error.problems[0].code)
            break
    return tuple(labels)


def _note_cells(sheet: Sheet, tell: Tell) -> None:
    """Note error cells, formulas without a value, numbers as text, percentages, hidden rows."""
    cells = sheet.cells
    marks: dict[tuple[int, int], str] = dict(sheet.marks)
    for position in range(cells.shape[1]):
        rows = cells.index[values.is_error(cells[position])]
        marks |= {(int(row), position): "error" for row in rows}
    for mark, fault in KNOWN["look"].items():
        places = [place for place, found in marks.items() if found == mark]
        if places:
            row, position = min(places)
            place = {"row": row, "column": column_letter(position)}
            tell(fault, n=len(places), value=str(cells.at[row, position]), **place)
    hidden = sheet.hidden_rows & set(cells.index)
    if hidden or sheet.is_hidden:
        tell("look-hidden", what="the sheet is" if sheet.is_hidden else f"{len(hidden):,} rows are")
