"""The copy of a faulty file shows each fault where it stands, and runs nothing."""

from __future__ import annotations

import json
from collections.abc import Callable
from datetime import date
from pathlib import Path

import openpyxl
import pytest

from pmf_analysis.cli import main
from pmf_analysis.parameters.workspace import Workspace
from pmf_analysis.systems.guards import LIMITS
from pmf_analysis.systems.importing import import_files

HEADER = ["indicator_id", "period_label", "value", "value_note"]
ROWS = [
    HEADER,
    ["CNT", "2026-27 Q1", 12, "as usual"],
    ["CNT", "2026-27 Q2", "about twelve", '=cmd|"/C calc"!A0'],
    ["NOPE", "2026-27 Q1", 3, "x" * 40_000],
]


def tidy_book(write_book: Callable[..., Path], rows: list[list[object]]) -> Path:
    return write_book({"Problems": rows, "Notes": [["nothing"]]}, "faulty.xlsx")


def test_faulty_cells_are_filled_and_say_why(
    workspace: Workspace, write_book: Callable[..., Path]
) -> None:
    source = tidy_book(write_book, ROWS)
    outcome = import_files(workspace, [source], date(2026, 10, 31), "generic_tidy")
    assert outcome.vintage
    (place,) = outcome.marked
    assert place.endswith(f"vintages/{outcome.vintage.id}/marked/faulty.xlsx")
    book = openpyxl.load_workbook(place)
    assert book.sheetnames[:2] == ["Problems", "Problems 2"]
    listed = [[cell.value for cell in row] for row in book["Problems"].iter_rows()]
    places = {(row[3], row[4]) for row in listed[1:]}
    assert {("3", 'C "value"'), ("4", 'A "indicator_id"')} <= places
    sheet = book["Problems 2"]
    faulty = sheet["C3"]
    assert faulty.value == "about twelve"
    assert faulty.fill.fgColor.rgb == "FFF7D9C4"
    assert "not a number" in faulty.comment.text and "Fix: " in faulty.comment.text
    assert sheet["C2"].value == 12 and sheet["C2"].comment is None
    assert sheet["C2"].fill.fill_type is None
    hostile = sheet["D3"]
    assert hostile.data_type == "s" and hostile.quotePrefix and hostile.value.startswith("=cmd")
    assert len(sheet["D4"].value) == 32_767
    # Without the list it can be read like the source, and has the same faults.
    del book["Problems"]
    book.save(place)
    again = import_files(workspace, [Path(place)], date(2026, 10, 31), "generic_tidy")
    assert again.results[0].quarantined == outcome.results[0].quarantined == 2


def test_of_a_file_that_is_refused_whole_there_is_a_copy_too(
    workspace: Workspace, write_book: Callable[..., Path], capsys: pytest.CaptureFixture[str]
) -> None:
    source = write_book({"Data": [["a", "b"], [1, 2], [3, 4]]}, "observations_x.xlsx")
    command = ["import", str(source), "--as", "generic_tidy", "--workspace", str(workspace.root)]
    assert main([*command, "--json"]) == 3
    told = json.loads(capsys.readouterr().out)
    (place,) = told["marked"]
    assert Path(place).parent == workspace.outputs / "marked"
    book = openpyxl.load_workbook(place)
    assert book["Data"]["A2"].comment is not None
    assert main(command) == 3
    assert f"Marked copy: {place}" in capsys.readouterr().out


def test_a_file_without_faults_has_no_copy(
    workspace: Workspace, write_book: Callable[..., Path]
) -> None:
    source = write_book({"Data": ROWS[:2]})
    assert import_files(workspace, [source], date(2026, 10, 31), "generic_tidy").marked == []
    assert not list(workspace.root.rglob("marked"))


def test_the_copy_of_the_same_file_is_the_same(
    workspace: Workspace, tmp_path: Path, write_book: Callable[..., Path]
) -> None:
    source = tidy_book(write_book, ROWS)
    made = []
    for _ in range(2):
        (place,) = import_files(workspace, [source], date(2026, 10, 31), "generic_tidy").marked
        made.append(Path(place).read_bytes())
    assert made[0] == made[1]


def test_of_very_long_tables_the_faulty_rows_are_kept(
    workspace: Workspace, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(LIMITS, "marked", 90)
    lines = [",".join(HEADER), *(f"CNT,{2000 + n}-{n + 1:02} Q1,{n}," for n in range(26))]
    lines[24] = "CNT,2023-24 Q1,lots,"
    path = tmp_path / "long.csv"
    path.write_text("\n".join(lines), encoding="utf-8")
    (place,) = import_files(workspace, [path], date(2026, 10, 31), "generic_tidy").marked
    sheet = openpyxl.load_workbook(place)["Data"]
    assert sheet["C25"].value == "lots" and sheet["C25"].comment is not None
    assert sheet["C20"].value == 18 and sheet["C24"].value is None
