"""A workbook is read as its reader sees it, with the evidence beside it."""

from __future__ import annotations

import io
from datetime import date, datetime

import pytest
from openpyxl import Workbook

from pmf_analysis.systems.cells import Sheet, column_letter, is_percent_format, read_workbook


def read(book: Workbook) -> list[Sheet]:
    made = io.BytesIO()
    book.save(made)
    return read_workbook(made.getvalue())


def test_what_pandas_loses_is_kept() -> None:
    book = Workbook()
    sheet = book.worksheets[0]
    sheet.append(["name", 0.452, "n/a", "#DIV/0!", "=1/3", " 1,234 ", date(2026, 4, 1)])
    sheet["B1"].number_format = "0.0%"
    sheet["D1"].data_type = "e"
    sheet["A4"] = 0.1 + 0.2
    sheet["B4"] = datetime(2026, 4, 1, 9, 30)
    sheet["C4"] = True
    sheet.row_dimensions[4].hidden = True
    (made,) = read(book)
    first = made.cells.loc[1].tolist()
    assert first == ["name", "45.2", "n/a", "#DIV/0!", "=1/3", "1,234", "2026-04-01"]
    assert made.cells.loc[4].tolist()[:3] == ["0.3", "2026-04-01 09:30:00", "TRUE"]
    assert made.cells.index.tolist() == [1, 4]
    assert made.marks == {(1, 1): "percent", (1, 4): "formula", (1, 5): "text number"}
    assert made.hidden_rows == {4}


def test_only_the_first_of_merged_cells_is_filled_and_empty_sheets_are_left_out() -> None:
    book = Workbook()
    sheet = book.worksheets[0]
    sheet["A1"] = "theme"
    sheet.merge_cells("A1:A3")
    sheet["B3"] = 1
    hidden = book.create_sheet("Hidden")
    hidden["A1"] = "x"
    hidden.sheet_state = "hidden"
    book.create_sheet("Empty")
    made = read(book)
    assert [(item.name, item.is_hidden) for item in made] == [("Sheet", False), ("Hidden", True)]
    assert made[0].cells[0].tolist() == ["theme", ""]


@pytest.mark.parametrize(
    ("number_format", "is_percent"),
    [("0%", True), ("0.00%;[Red]-0.00%", True), ('0.0"%"', False), ("0.0\\%", False), ("", False)],
)
def test_a_percent_sign_in_quotes_multiplies_nothing(number_format: str, is_percent: bool) -> None:
    assert is_percent_format(number_format) is is_percent


def test_letters_are_those_of_a_spreadsheet() -> None:
    assert [column_letter(n) for n in (0, 25, 26, 701, 702)] == ["A", "Z", "AA", "ZZ", "AAA"]
