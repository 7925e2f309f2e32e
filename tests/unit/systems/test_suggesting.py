"""A proposed mapping reads the file it was proposed for; trying one stores nothing."""

from __future__ import annotations

from collections.abc import Callable
from datetime import date
from pathlib import Path

import pytest
from openpyxl import Workbook

from pmf_analysis.cli import main
from pmf_analysis.data.store import Store
from pmf_analysis.parameters.workspace import Workspace
from pmf_analysis.problems import PmfError
from pmf_analysis.systems.drafting import draft_register, mapping_for
from pmf_analysis.systems.folder import read_file
from pmf_analysis.systems.importing import import_files, try_mapping
from pmf_analysis.systems.mapping import MappingFile, load_mappings
from pmf_analysis.systems.suggesting import propose, suggest_mapping

AS_AT = date(2026, 10, 31)
LONG = """\
Our figures,,,,
KPI Refs,Quarter ended,Result of it,Current Targt,Latest Note
CNT,Q1 2026/27,41,40,Well
PCT,Q2 2026/27,70.5,,
"""
WIDE = """\
PI Ref,Name of it,Q1 2025/26,Q2 2025/26,Q2 2025/26 Target
CNT,Cases,3,TBC,5
PCT,Share,90,91,
"""
WARDS = """\
Homes by ward, July to September 2026,,
Ward code,Ward,CNT,PCT
E05000001,Abbey,12,31
E05000002,Quay,9,40
"""


@pytest.mark.parametrize(
    ("text", "name", "counts"),
    [
        (LONG, "figures 2026.csv", {"observations": 2, "targets": 1}),
        (WIDE, "by quarter.csv", {"observations": 4, "targets": 1}),
        (WARDS.replace(", July", "; July"), "wards Q2 2026-27.csv", {"observations": 4}),
    ],
)
def test_the_file_is_read_through_what_is_proposed_for_it(
    workspace: Workspace, tmp_path: Path, text: str, name: str, counts: dict[str, int]
) -> None:
    path = tmp_path / name
    path.write_text(text, encoding="utf-8")
    before = load_mappings(workspace.parameters / "mappings")
    chosen, said = propose(str(path), workspace.parameters / "mappings", write=True)
    assert len(load_mappings(workspace.parameters / "mappings")) == len(before) + 1
    assert "look whether" in said or "by quarter" in name
    trial = try_mapping(workspace, str(path), AS_AT, chosen)
    record = trial.result.record
    placed = record.rows_accepted + record.rows_quarantined + record.rows_ignored
    assert record.rows_read == placed
    assert record.rows_quarantined == 0, [*trial.result.problems]
    assert not Store(workspace.store).vintages()
    outcome = import_files(workspace, [path], AS_AT, chosen)
    assert outcome.vintage is not None
    assert dict(outcome.vintage.rows).items() >= counts.items()
    with pytest.raises(PmfError, match="already"):
        propose(str(path), workspace.parameters / "mappings", write=True)


def test_hostile_headers_stay_text(
    write_book: Callable[..., Path], mappings: dict[str, MappingFile]
) -> None:
    def odd(book: Workbook) -> None:
        book.worksheets[0]["B1"] = 'x": !!python/object:os\n- [*a'

    path = write_book(
        {"S": [["Ref", "", "Q1 2026/27", "Q2 2026/27"], ["A", 1, 2, 3]]}, "o.xlsx", odd
    )
    text = suggest_mapping(read_file(path), mappings)
    assert '"x\\": !!python/object:os\\n- [*a"' in text
    assert "\n- [*a" not in text


def test_a_file_without_a_table_is_refused(
    write_book: Callable[..., Path], mappings: dict[str, MappingFile]
) -> None:
    with pytest.raises(PmfError, match="holds a table"):
        suggest_mapping(read_file(write_book({"S": [["only a title"]]}, "o.xlsx")), mappings)


def test_the_commands_say_faults_headers_and_rows(
    workspace: Workspace, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path = tmp_path / "odd observations.csv"
    path.write_text("kpi,value,period,Extra\nCNT,4,Q1 2026/27,x\nNIX,4,Q1 2026/27,x\n")
    here = ["--workspace", str(workspace.root)]
    assert main(["map", "check", *here]) == 0
    assert "generic_tidy: version 1, makes observations" in capsys.readouterr().out
    assert main(["map", "check", "generic_tidy", str(path), *here]) == 1
    said = capsys.readouterr()
    assert "2 rows read = 1 accepted + 1 quarantined + 0 ignored" in said.out
    assert 'headers: "kpi" in place of "indicator_id"' in said.out
    assert 'headers: no "area_code" (area_code)' in said.out
    assert 'headers: "Extra" is not known to the mapping' in said.out
    assert 'no indicator "NIX"' in said.err
    assert main(["map", "suggest", str(path), *here]) == 0
    assert 'indicator_id: ["kpi"]' in capsys.readouterr().out
    (workspace.parameters / "mappings" / "bad.yml").write_text("format: 1\nname: bad\n")
    assert main(["map", "check", *here]) == 2
    assert "bad.yml line 1" in capsys.readouterr().err


def test_the_same_file_twice_and_a_second_withdrawal_are_said(
    workspace: Workspace, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path = tmp_path / "observations.csv"
    path.write_text("kpi,value,period\nCNT,4,2026-27 Q1\n")
    here = ["--workspace", str(workspace.root), "--as-at", "2026-10-31"]
    assert main(["import", str(path), "--as", "generic_tidy", *here]) == 0
    (vintage,) = Store(workspace.store).vintages()
    assert "imported before" not in capsys.readouterr().err
    assert main(["import", str(path), *here]) == 0
    assert f"imported before, as vintage {vintage.id}" in capsys.readouterr().err
    away = ["import", "--withdraw", vintage.id, "--reason", "wrong file", *here[:2]]
    assert main(away) == 0
    assert main(away) == 2
    assert 'withdrawn already: "wrong file"' in capsys.readouterr().err


EXTRACT = """\
KPI_REF,MEASURE_DESC,RPT_MTH,ACT_VAL,TGT,DEPT_NM,LOAD_DTTM
CC-101,Calls answered,Apr-26,79.2%,80%,Customers,05/10/2026 07:12
PAR-1,PCN income,Apr-26,"£41,000.00",,Parking,05/10/2026 07:12
CC-102,Average wait,Apr-26,3:58,04:00,Customers,05/10/2026 07:12
LIB-2,Library visits,Apr-26,"21,000",,Libraries,05/10/2026 07:12
"""
GROUPS = """\
Measure of ours,Month,Ward,How many
Visits,Apr 2026,All,30
Visits,Apr 2026,Abbey,12
Visits,Apr 2026,Quay,18
"""


def test_headers_of_a_database_are_read_by_their_parts(
    workspace: Workspace, tmp_path: Path, mappings: dict[str, MappingFile]
) -> None:
    path = tmp_path / "BI_EXTRACT_1.csv"
    path.write_text(EXTRACT, encoding="utf-8")
    name, _ = propose(str(path), workspace.parameters / "mappings", write=True)
    columns = load_mappings(workspace.parameters / "mappings")[name].columns
    assert {ours: names[0] for ours, names in columns.items()} == {
        "indicator_id": "KPI_REF",
        "period_label": "RPT_MTH",
        "value": "ACT_VAL",
        "target": "TGT",
    }
    mapping = load_mappings(workspace.parameters / "mappings")[name]
    rows = draft_register(read_file(path), mapping).rows
    assert [(row["id"], row["title"], row["themes"]) for row in rows][:2] == [
        ("CC-101", "Calls answered", "Customers"),
        ("PAR-1", "PCN income", "Parking"),
    ]
    assert [row["data_type"] for row in rows][:2] == ["percentage", "money"]


def test_rows_of_wards_are_groups_and_the_whole_is_the_figure(
    workspace: Workspace, tmp_path: Path
) -> None:
    path = tmp_path / "our visits.csv"
    path.write_text(GROUPS, encoding="utf-8")
    name, text = propose(str(path), workspace.parameters / "mappings", write=True)
    mapping = load_mappings(workspace.parameters / "mappings")[name]
    assert "All" in mapping.breakdowns["Ward"].total
    assert "guessed" in text[text.index("breakdowns") :].splitlines()[0]
    (row,) = draft_register(read_file(path), mapping).rows
    trial = try_mapping(workspace, str(path), AS_AT, name)
    assert not [each for each in trial.result.problems if "delete" in str(each.fix)]
    assert row["title"] == "Visits"


def test_a_wide_sheet_by_ward_is_parted_into_groups(workspace: Workspace, tmp_path: Path) -> None:
    path = tmp_path / "wards by period.csv"
    path.write_text("Ref,Ward,Q1 2026/27,Q2 2026/27\nCNT,All,9,8\nCNT,Abbey,4,3\nCNT,Quay,5,5\n")
    trial = try_mapping(workspace, str(path), AS_AT)
    rows = trial.result.tables["observations"]
    assert [*rows["dimension_value"]].count("Abbey") == 2
    assert trial.result.record.rows_quarantined == 0


def test_a_draft_that_finds_no_figures_names_what_it_wrote(
    workspace: Workspace, tmp_path: Path
) -> None:
    path = tmp_path / "odd things.csv"
    path.write_text("KPI_REF,PRD,FIRST,SECOND\nA,Apr 2026,many,few\nB,Apr 2026,some,none\n")
    with pytest.raises(PmfError, match="odd_things") as error:
        mapping_for(path, read_file(path), workspace.parameters / "mappings")
    assert "FIRST, SECOND" in str(error.value)
