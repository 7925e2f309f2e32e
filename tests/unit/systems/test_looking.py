"""A first look finds tables, columns, periods and faults without being told anything."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from time import process_time

from openpyxl import Workbook

from pmf_analysis.systems.looking import look


def test_a_wide_report_is_described(write_book: Callable[..., Path]) -> None:
    def edit(book: Workbook) -> None:
        book["PIs"]["D7"].data_type = "e"
        book["PIs"].row_dimensions[5].hidden = True

    header = ["Code", "Name", "2024/25 Value", "2025/26 Value", "Name"]
    rows = [
        ["Performance report"],
        [],
        header,
        ["A1", "First", 1, 2, "x"],
        ["A2", "Second", "1,000", 3, "y"],
        header,
        ["B1", "Third", 4, "#DIV/0!", "z"],
    ]
    seen = look(write_book({"PIs": rows}, "any.xlsx", edit))
    (table,) = seen.tables
    assert (table.header_row, table.rows, table.repeated_headers) == (3, 3, 1)
    assert table.periods == ("2024/25", "2025/26")
    assert [column.kind for column in table.columns][:3] == ["text", "text", "numbers"]
    codes = {problem.code for problem in seen.problems}
    assert codes == {"error-cell", "text-number", "hidden", "column-name-twice", "period-ambiguous"}
    assert any("D7" in line or "row 7 | column D" in line for line in seen.lines())


def test_of_very_many_columns_the_first_are_described(tmp_path: Path) -> None:
    path = tmp_path / "x.csv"
    path.write_text(",".join(f"c{n}" for n in range(2000)) + "\n" + "1," * 1999 + "1\n")
    seen = look(path)
    assert len(seen.tables[0].columns) == 500
    assert [problem.code for problem in seen.problems] == ["many-columns"]
    assert "there are 2,000 columns" in seen.lines()[-1]


def test_a_tidy_file_is_described(tmp_path: Path) -> None:
    path = tmp_path / "x.csv"
    path.write_text("kpi,when,n\na,2026-27 Q1,1\nb,2026-27 Q2,2\n", encoding="utf-8")
    seen = look(path)
    assert seen.problems == []
    assert seen.tables[0].periods == ("2026-27 Q1", "2026-27 Q2")
    assert "header in row 1, 2 rows below it." in seen.lines()


def test_days_are_no_periods_that_want_a_remark(tmp_path: Path) -> None:
    path = tmp_path / "x.csv"
    rows = [f"CNT,2026-{month:02}-01,{month}" for month in range(1, 7)]
    path.write_text("\n".join(["indicator_id,period_start,value", *rows]), encoding="utf-8")
    seen = look(path)
    assert seen.problems == []
    assert seen.tables[0].columns[1].kind == "dates"


def test_a_sheet_of_16000_columns_is_looked_at_soon(tmp_path: Path) -> None:
    path = tmp_path / "wide.xlsx"
    book = Workbook(write_only=True)
    sheet = book.create_sheet("Wide")
    for row in range(4):
        sheet.append([f"c{n}" if row == 0 else n * row for n in range(16_000)])
    book.save(path)
    started = process_time()
    assert look(path).tables[0].rows == 3
    assert process_time() - started < 5


def test_columns_of_periods_are_one_line(tmp_path: Path) -> None:
    path = tmp_path / "wide.csv"
    head = ["Ref", *(f"Q{n} 2025/26 {what}" for n in (1, 2, 3) for what in ("Value", "Target"))]
    path.write_text("\n".join([",".join([*head, "Note"]), "A,1,2,3,4,5,6,x"]), encoding="utf-8")
    lines = [line for line in look(path).lines() if line.startswith("  ")]
    assert lines[1] == (
        '  B "Q1 2025/26 Value" to G "Q3 2025/26 Target": numbers, 6 filled, such as 6'
    )
    assert len(lines) == 4
