"""An Excel copy of an imported file with its faulty cells marked, to be put right by its owner.

It is written anew from the cells as they were read, never by saving the user's own workbook, so
that it holds no formula, macro or link. Rows and columns stand where they stood.
"""

import io
import re
from collections.abc import Iterable
from datetime import datetime
from pathlib import Path
from typing import Any

import pandas as pd

from pmf_analysis.data.store import neutral_cell
from pmf_analysis.places import opened, write_whole
from pmf_analysis.problems import COLUMNS
from pmf_analysis.systems.cells import Sheet
from pmf_analysis.systems.folder import RawFile
from pmf_analysis.systems.guards import LIMITS
from pmf_analysis.systems.results import ImportResult

_LISTED = [name for name in COLUMNS if name not in ("file", "indicator")]
_SAID = {"message": "{}", "expected": "Expected {}.", "fix": "Fix: {}."}
_NUMBER = re.compile(r"-?(0|[1-9]\d{0,14})(\.\d{1,12})?")
_FAULT = {"bg_color": "#F7D9C4", "border": 1, "border_color": "#B5500B"}
# What no sheet may be called, how long a text may be, and how far a sheet reaches, in Excel.
_NOT_IN_NAMES = re.compile(r"[\[\]:*?/\\']")
_LONGEST, _ROWS, _WIDTH = 32_767, 1_048_576, 16_384
_COMMENTS = 1_000


def keep_marked(read: Iterable[tuple[RawFile, ImportResult]], folder: Path | str) -> list[str]:
    """Write a marked copy of every file of which rows were held back; return where they are."""
    copies: dict[str, bytes] = {}
    for raw, result in read:
        if result.quarantined:
            name = re.sub(r"[^\w. ()-]", "_", raw.name)
            name = re.sub(r"(?i)\.xlsx$", "", name)
            twice = f" {raw.sha256[:6]}" if f"{name}.xlsx" in copies else ""
            copies[f"{name}{twice}.xlsx"] = marked_copy(raw, result)
    if copies:
        files, base = opened(folder)
        for name, content in copies.items():
            write_whole(files, f"{base}/{name}", content)
    return [f"{folder}/{name}" for name in copies]


def marked_copy(raw: RawFile, result: ImportResult) -> bytes:
    """Return a workbook: a first sheet that lists all problems, then every sheet as read.

    Faulty cells are filled and have a comment that says what is wrong, what was expected and how
    to put it right; where a whole row is at fault, its first filled cell. Of sheets with very many
    cells only the first rows and those with a fault are there.
    """
    from xlsxwriter import Workbook  # type: ignore[import-untyped]

    made, lines = io.BytesIO(), result.quarantine.fillna({"row": 0})
    names = {"problems"}
    with Workbook(made, {"in_memory": True, "strings_to_formulas": False}) as book:
        book.set_properties({"created": datetime(2000, 1, 1)})  # the same bytes every time
        _list_problems(book, lines, result)
        for sheet in raw.sheets:
            name = _free_name(sheet.name or "Data", names)
            _write_sheet(book, name, sheet, lines[lines["sheet"] == sheet.name])
    return made.getvalue()


def _free_name(name: str, taken: set[str]) -> str:
    """Return a name that Excel takes for a sheet, and that no other has, in any case."""
    stem = _NOT_IN_NAMES.sub(" ", name)[:27]
    tries = [stem, *(f"{stem} {number}" for number in range(2, 1000))]
    free = next(each for each in tries if each.casefold() not in taken)
    taken.add(free.casefold())
    return free


def _list_problems(book: Any, lines: pd.DataFrame, result: ImportResult) -> None:
    page, bold = book.add_worksheet("Problems"), book.add_format({"bold": True})
    noted = pd.DataFrame([p for p in result.problems.rows() if p["level"] != "error"])
    told = pd.concat([lines.assign(level="error"), noted]).reindex(columns=_LISTED)
    page.write_row(0, 0, _LISTED, bold)
    page.freeze_panes(1, 0)
    page.set_column(_LISTED.index("message"), len(_LISTED), 50)
    for number, line in enumerate(told.fillna("").to_numpy()[: _ROWS - 1], 1):
        for column, text in enumerate(line):
            page.write_string(number, column, neutral_cell(text)[:_LONGEST])


def _write_sheet(book: Any, name: str, sheet: Sheet, lines: pd.DataFrame) -> None:
    page = book.add_worksheet(name)
    faults = _faults_by_place(sheet, lines)
    cells = sheet.cells
    if cells.size > LIMITS["marked"]:
        cells = cells[cells.index.isin({*cells.index[:20], *(row for row, _ in faults)})]
    looks = {False: book.add_format(), True: book.add_format(_FAULT)}
    # A text that looks like a formula stays a text when its cell is edited.
    odd = {key: book.add_format((_FAULT if key else {}) | {"quote_prefix": True}) for key in looks}
    for row, line in zip(cells.index, cells.itertuples(index=False), strict=True):
        for column, value in enumerate(line[:_WIDTH] if row <= _ROWS else ()):
            place, text = (row, column), "" if pd.isna(value) else str(value)
            look = (looks if neutral_cell(text) == text else odd)[place in faults]
            if _NUMBER.fullmatch(text) and sheet.marks.get(place) != "text number":
                page.write_number(row - 1, column, float(text), looks[place in faults])
            elif text or place in faults:
                page.write_string(row - 1, column, text[:_LONGEST], look)
    for (row, column), said in list(faults.items())[:_COMMENTS]:
        if row <= _ROWS and column < _WIDTH:
            page.write_comment(row - 1, column, said[:_LONGEST], {"x_scale": 2, "y_scale": 2})


def _faults_by_place(sheet: Sheet, lines: pd.DataFrame) -> dict[tuple[int, int], str]:
    """Return what is said of each faulty cell, by its row and its column from 0."""
    from xlsxwriter.utility import xl_cell_to_rowcol  # type: ignore[import-untyped]

    said: dict[tuple[int, int], list[str]] = {}
    for line in lines.to_dict("records"):
        row, letters = int(line["row"]), str(line["column"]).split(" ")[0]
        if re.fullmatch("[A-Z]{1,3}", letters):
            column = xl_cell_to_rowcol(f"{letters}1")[1]
        else:
            texts = sheet.cells.loc[row].astype("str") if row in sheet.cells.index else ()
            column = next((number for number, text in enumerate(texts) if text), 0)
        parts = [words.format(line[name]) for name, words in _SAID.items() if line[name]]
        if row:
            said.setdefault((row, column), []).append("\n".join(parts))
    return {place: "\n\n".join(dict.fromkeys(each)) for place, each in said.items()}
