"""A first look at any spreadsheet, before there is a mapping: what is in it, and what is wrong."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pandas as pd

from pmf_analysis.periods import AmbiguousPeriodError, parse_period
from pmf_analysis.problems import PmfError, Problems
from pmf_analysis.systems.cells import ERROR_CELLS, Sheet, column_letter
from pmf_analysis.systems.folder import read_file
from pmf_analysis.systems.mapping import spelling
from pmf_analysis.systems.values import is_blank, to_date, to_number

_SEARCHED = 40
_SAMPLE = 5000
_MEASURE = re.compile(
    r"\s*\b(value|actual|outturn|target|status|note|numerator|denominator)s?$", re.I
)


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

    def lines(self) -> Iterator[str]:
        """Yield the table in plain words."""
        where = f'Sheet "{self.sheet}": ' if self.sheet else ""
        yield f"{where}header in row {self.header_row}, {self.rows:,} rows below it."
        if self.repeated_headers:
            yield f"The header comes again {self.repeated_headers} times: several tables a sheet."
        for column in self.columns:
            yield (
                f'  {column.letter} "{column.name}": {column.kind}, {column.filled:,} filled, '
                f"such as {column.example}"
            )
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


def look(path: Path) -> Look:
    """Look at any file; one that cannot be read gives a problem, never an error."""
    try:
        raw = read_file(path)
    except PmfError as error:
        return Look(path.name, (), error.problems)
    problems = Problems(raw.problems)
    tables = tuple(_look_at_sheet(sheet, path.name, problems) for sheet in raw.sheets)
    return Look(path.name, tables, problems)


def _look_at_sheet(sheet: Sheet, file: str, problems: Problems) -> TableLook:
    cells = sheet.cells
    header_row = 0 if sheet.names else _likely_header(cells)
    texts = sheet.names or [str(cells.at[header_row, p]).strip() for p in range(cells.shape[1])]
    body = cells if sheet.names else cells.loc[header_row + 1 :]
    is_header = _repeats(body, texts) & (not sheet.names)
    repeated, body = int(is_header.sum()), body[~is_header]
    columns = tuple(_look_at_columns(body, texts))
    _note_names(texts, body, sheet, file, header_row, problems)
    _note_cells(sheet, file, problems)
    periods = _periods(texts, body, sheet, file, problems)
    return TableLook(sheet.name, header_row, len(body), repeated, columns, periods)


def _likely_header(cells: pd.DataFrame) -> int:
    """Return the row, near the top, with the most different names; numbers are no names."""

    def names(row: int) -> int:
        texts = {str(text).strip() for text in cells.loc[row]} - {""}
        return sum(bool(re.search(r"[A-Za-z]", text)) or _is_period(text) for text in texts)

    rows = [int(row) for row in cells.index[:_SEARCHED]]
    return max(rows, key=lambda row: (names(row), -row))


def _repeats(body: pd.DataFrame, texts: tuple[str, ...] | list[str]) -> pd.Series[bool]:
    """Whether a row begins with the same two names as the header: another table, or page."""
    same = pd.Series(True, index=body.index)
    for position in [p for p, text in enumerate(texts) if text][:2]:
        same &= body[position].astype("str").str.strip() == texts[position]
    return same


def _look_at_columns(
    body: pd.DataFrame, texts: tuple[str, ...] | list[str]
) -> Iterator[ColumnLook]:
    for position, text in enumerate(texts):
        filled = body[position][~is_blank(body[position])]
        example = str(filled.iloc[0])[:40] if len(filled) else "nothing"
        if text or len(filled):
            kind = _kind_of(filled.head(_SAMPLE))
            yield ColumnLook(column_letter(position), text, kind, len(filled), example)


def _kind_of(filled: pd.Series[str]) -> str:
    """Say what nine in ten cells are."""
    if filled.empty:
        return "empty"
    for kind, typed in (("numbers", to_number), ("dates", to_date)):
        share = 1 - float(typed(filled)[1].mean())
        if share >= 0.9:
            return kind if share == 1 else f"{kind}, and some text"
    return "text"


def _is_period(text: str) -> bool:
    try:
        parse_period(text)
    except AmbiguousPeriodError:
        return True
    except PmfError:
        return False
    return True


def _periods(
    texts: tuple[str, ...] | list[str],
    body: pd.DataFrame,
    sheet: Sheet,
    file: str,
    problems: Problems,
) -> tuple[str, ...]:
    """Return the period labels in the header, else those of the first column that holds them."""
    in_header = [_MEASURE.sub("", text) for text in texts]
    labels = tuple(dict.fromkeys(text for text in in_header if text and _is_period(text)))
    for position in range(body.shape[1]) if not labels else ():
        column = body[position]
        if labels or column.dtype.kind in "iufM":
            continue
        filled = column[~is_blank(column)].drop_duplicates().head(_SAMPLE)
        known = filled[filled.map(_is_period)]
        # A column of years or dates is one of periods; a column of small numbers is not.
        if len(known) and len(known) >= 0.8 * len(filled):
            labels = tuple(known)
    for label in labels:
        try:
            parse_period(label)
        except PmfError as error:
            problem = error.problems[0]
            problems.add(
                message=problem.message,
                level="warning",
                code=problem.code,
                file=file,
                sheet=sheet.name,
                fix="declare year_type or frequency under period in the mapping",
            )
            break
    return labels


def _note_names(
    texts: tuple[str, ...] | list[str],
    body: pd.DataFrame,
    sheet: Sheet,
    file: str,
    header_row: int,
    problems: Problems,
) -> None:
    """Note names that two columns bear, and columns with cells but without a name."""
    spelt = [spelling(text) for text in texts]
    for position, text in enumerate(texts):
        nameless = not text and bool((~is_blank(body[position])).any())
        twice = bool(text) and spelling(text) in spelt[:position]
        if nameless or twice:
            problems.add(
                message="the column has cells but no name."
                if nameless
                else "another column has the same name.",
                level="warning",
                code="column-without-name" if nameless else "column-name-twice",
                file=file,
                sheet=sheet.name,
                row=header_row or None,
                column=f'{column_letter(position)} "{text}"',
            )


def _note_cells(sheet: Sheet, file: str, problems: Problems) -> None:
    """Note error cells, formulas without a value, numbers as text, percentages, hidden rows."""
    errors = frozenset(
        (int(row), position)
        for position in range(sheet.cells.shape[1])
        if sheet.cells[position].dtype.kind not in "iufM"
        for row in sheet.cells.index[sheet.cells[position].isin(ERROR_CELLS)]
    )
    for places, level, code, message in (
        (errors, "error", "error-cell", "the cell shows a spreadsheet error"),
        (sheet.formulas, "error", "formula-not-calculated", "the formula was never calculated"),
        (sheet.text_numbers, "warning", "text-number", "the number is kept as text"),
        (sheet.percent, "info", "percent-format", "shown as a percentage; read as 0 to 100"),
    ):
        if places:
            row, position = min(places)
            problems.add(
                message=f"{message} ({len(places):,} such cells).",
                level=level,
                code=code,
                file=file,
                sheet=sheet.name,
                row=row,
                column=column_letter(position),
                value=str(sheet.cells.at[row, position]),
            )
    hidden = sheet.hidden_rows & set(sheet.cells.index)
    if hidden or sheet.is_hidden:
        what = "the sheet is" if sheet.is_hidden else f"{len(hidden):,} rows are"
        problems.add(
            message=f"{what} hidden in the workbook, and would be read.",
            level="warning",
            code="hidden",
            file=file,
            sheet=sheet.name,
        )
