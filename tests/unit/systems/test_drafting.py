"""The first hour: a messy spreadsheet becomes a register with guesses, and reports say them."""

from __future__ import annotations

import html
import json
import re
from datetime import date
from functools import partial
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import openpyxl
import pytest
from messy_council import KNOWN, write_messy_workbook

from pmf_analysis.cli import main
from pmf_analysis.parameters.workspace import Workspace
from pmf_analysis.problems import PmfError
from pmf_analysis.story.pages import data_table
from pmf_analysis.story.view import ThemeView, guess_blocks
from pmf_analysis.systems.drafting import draft_into, search_catalogue
from pmf_analysis.systems.guessing import catalogue, usual_for

FILE = "Northmoor KPIs.xlsx"
TODAY = date(2026, 11, 22)


@pytest.fixture
def workspace(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Workspace:
    monkeypatch.delenv("PMF_WORKSPACE", raising=False)
    assert main(["new", str(tmp_path / "ws"), "--council", "Northmoor Council"]) == 0
    write_messy_workbook(tmp_path / FILE)
    return Workspace(tmp_path / "ws")


def _draft(workspace: Workspace) -> dict[str, Any]:
    added, _ = draft_into(workspace, [workspace.root.parent / FILE], None, TODAY)
    return {row["id"]: row for row in added}


def _edit(workspace: Workspace, id: str, **cells: str | None) -> None:
    path = workspace.parameters / "register.xlsx"
    book = openpyxl.load_workbook(path)
    sheet: Any = book["Indicators"]
    heads = {cell.value: cell.column for cell in sheet[1]}
    row = next(cells[0].row for cells in sheet.iter_rows(min_row=2) if cells[0].value == id)
    for name, value in cells.items():
        sheet.cell(row, heads[name]).value = value
    book.save(path)


def test_a_new_council_is_declared_whole_and_has_no_indicator_yet(workspace: Workspace) -> None:
    declared = workspace.load()
    assert declared.framework.council.name == "Northmoor Council"
    assert [theme.id for theme in declared.framework.themes] == ["all_indicators"]
    assert declared.register.indicators == {}
    assert (workspace.parameters / "mappings" / "wide_periods.yml").is_file()
    assert not (workspace.parameters / "indicators.yml").exists()


def test_a_councils_name_is_only_ever_text(tmp_path: Path) -> None:
    name = 'A "b": {c} [d] # Dŵr'
    assert main(["new", str(tmp_path / "ws"), "--council", name, "--area-code", "E06000001"]) == 0
    council = Workspace(tmp_path / "ws").load().framework.council
    assert (council.name, council.id, council.area_code) == (name, "a_b_c_d_d_r", "E06000001")


def test_what_columns_say_is_taken_and_the_rest_is_guessed_with_its_reason(
    workspace: Workspace,
) -> None:
    rows = _draft(workspace)
    tax, calls, bins, mill = (rows[name] for name in ("FIN1", "CUS1", "env_2", "ZZ9"))
    assert (tax["unit"], tax["owner"], tax["themes"]) == ("%", "Head of Revenues", ["money"])
    assert "unit" not in tax["guessed"]
    assert tax["accumulation"] == "ytd"
    assert tax["guessed"]["accumulation"].startswith("values rise through each year")
    assert (calls["data_type"], calls["guessed"]["data_type"]) == (
        "percentage",
        "figures or their column have a % sign",
    )
    assert (bins["polarity"], bins["rate_base"]) == ("lower", 100_000)
    assert bins["guessed"]["polarity"] == "the title begins with Reduce"
    assert bins["aliases"] == ["ENV 2"]
    assert (mill["polarity"], mill["data_type"], mill["frequency"]) == (
        *("unknown", "count"),
        "quarterly",
    )
    assert mill["guessed"]["frequency"] == "figures are 3 months apart"


def test_the_draft_is_the_register_with_its_guesses_and_says_what_hangs_on_each(
    workspace: Workspace,
) -> None:
    _draft(workspace)
    declared = workspace.load()
    indicator = declared.register.indicators["env_2"]
    assert indicator.guessed["polarity"] == "the title begins with Reduce"
    assert [theme.title for theme in declared.framework.themes][-1] == "Homes & places"
    book = openpyxl.load_workbook(workspace.parameters / "register.xlsx")
    assert book.sheetnames == ["Indicators", "How to fill this in", "Choices"]
    sheet: Any = book["Indicators"]
    heads = {cell.value: cell.column_letter for cell in sheet[1]}
    cell = sheet[f"{heads['Polarity']}4"]
    assert "called better or worse" in cell.comment.text and "Reduce" in cell.comment.text
    assert cell.fill.fgColor.rgb != sheet[f"{heads['ID']}4"].fill.fgColor.rgb
    lists = {
        str(rule.sqref).rstrip("0123456789:") for rule in sheet.data_validations.dataValidation
    }
    assert any(range.startswith(heads["Polarity"]) for range in lists)


def test_another_draft_keeps_what_a_person_changed_and_adds_what_is_new(
    workspace: Workspace,
) -> None:
    _draft(workspace)
    _edit(workspace, "ZZ9", Polarity="higher", Guessed=None, Title="Events at the mill")
    path = workspace.root.parent / FILE
    book = openpyxl.load_workbook(path)
    book["KPIs Q2"].append(
        ["NEW1", "Potholes filled on time", "Streets", "", "%", *[90] * len(KNOWN)]
    )
    book.save(path)
    assert [*_draft(workspace)] == ["NEW1"]
    kept = workspace.load().register.indicators
    assert (kept["ZZ9"].polarity, kept["ZZ9"].title) == ("higher", "Events at the mill")
    assert (kept["ZZ9"].guessed, len(kept)) == ({}, 7)
    assert kept["env_2"].guessed["polarity"]


def test_a_file_that_no_mapping_reads_is_drafted_through_one_that_is_proposed(
    workspace: Workspace,
) -> None:
    path = workspace.root.parent / "long list.csv"
    rows = [f"Visits to the mill,{month} 2025,1{n}0" for n, month in enumerate(("Apr", "May"))]
    path.write_text("\n".join(["What we count,Month,How many", *rows]), "utf-8")
    added, lines = draft_into(workspace, [path], None, TODAY)
    assert [(row["title"], row["frequency"]) for row in added] == [
        ("Visits to the mill", "monthly")
    ]
    assert added[0]["id"] == "visits_to_the_mill"
    name = lines[-2].rpartition(" ")[2]
    assert (workspace.parameters / "mappings" / f"{name}.yml").is_file()
    assert main(["import", str(path), "--as", name, "--workspace", str(workspace.root)]) == 0


def test_columns_that_nothing_is_read_from_are_named(workspace: Workspace) -> None:
    path = workspace.root.parent / "our kpis by period.csv"
    rows = [
        "Ref,Title,Unit,Qtr 2 23-24,Oct-Dec 23,Q4,3rd quarter 2023,Target,Remark,Commentary,Empty",
        "S1,Share of staff hurt,no.,0.00041,0.00038,3,4,0.0005,Why?,Ice,",
        "S2,Missed bins,#,12.25,11,3,4,5,,,",
    ]
    path.write_text("\n".join(rows), "utf-8")
    added, lines = draft_into(workspace, [path], None, TODAY)
    said = "2 columns of figures have no period that pmf can read: Q4, 3rd quarter 2023."
    assert any(line.startswith(said) for line in lines)
    assert "1 column of text is not read: Remark." in lines
    assert [(row["decimals"], row["frequency"]) for row in added] == [
        (5, "quarterly"),
        (2, "quarterly"),
    ]
    assert {row["unit"] for row in added}.isdisjoint({"no.", "#"})


def test_a_workbook_that_cannot_be_read_is_never_written_over(workspace: Workspace) -> None:
    other = workspace.root / "mine.xlsx"
    other.write_bytes(b"not a workbook")
    with pytest.raises(PmfError):
        draft_into(workspace, [workspace.root.parent / FILE], other, TODAY)
    assert other.read_bytes() == b"not a workbook"


def test_a_framework_that_a_person_changed_is_left_alone(workspace: Workspace) -> None:
    path = workspace.parameters / "framework.yml"
    path.write_text(path.read_text("utf-8").replace("Performance", "Our plan"), "utf-8")
    before = path.read_bytes()
    _draft(workspace)
    assert path.read_bytes() == before
    assert {i.themes for i in workspace.load().register.indicators.values()} == {
        ("all_indicators",)
    }


def test_a_register_of_settings_is_never_joined_by_a_second(
    workspace: Workspace, capsys: pytest.CaptureFixture[str]
) -> None:
    (workspace.parameters / "register.xlsx").unlink()
    (workspace.parameters / "indicators.yml").write_text("format: 1\nindicators: []\n", "utf-8")
    file = str(workspace.root.parent / FILE)
    assert main(["register", "draft", file, "--workspace", str(workspace.root)]) == 2
    assert "one register" in capsys.readouterr().err
    assert not (workspace.parameters / "register.xlsx").exists()


def test_the_first_hour_ends_with_verdicts_and_the_guesses_said(
    workspace: Workspace, capsys: pytest.CaptureFixture[str]
) -> None:
    """From the messy workbook to a report, as docs/systems/first-hour.md says it."""
    file, root = str(workspace.root.parent / FILE), ["--workspace", str(workspace.root)]
    assert main(["register", "draft", file, *root]) == 0
    assert f'pmf import "{file}" --as wide_periods' in capsys.readouterr().out
    assert main(["import", file, "--as", "wide_periods", *root]) == 0
    asked = ["--theme", "customers", "--analysis", "trends", "--jobs", "1", *root]
    assert main(["run", *asked]) == 0
    said = _page(workspace)
    assert "Calls answered within 60 seconds: low against its own record" in said
    assert "1 is worse than its average and 1 shows no clear change" in said
    assert "Settings that were guessed" in said
    assert "What is called better or worse" in said


def test_a_confirmed_guess_is_no_longer_said(workspace: Workspace) -> None:
    def said() -> str:
        indicators = tuple(workspace.load().register.indicators.values())
        view: Any = SimpleNamespace(indicators=indicators)
        view.guesses = ThemeView.guesses.func(view)
        blocks = guess_blocks(view, partial(data_table, words={}))
        return " ".join(str(block.table.rows) for block in blocks if block.table)

    _draft(workspace)
    assert "What is called better or worse" in said()
    for name in ("FIN1", "CUS1", "env_2", "HOU1", "CUS2"):
        _edit(workspace, name, Guessed="Unit: nobody knows")
    assert "better or worse" not in said()  # of the last one nobody knows which is better
    assert "'indicator': 'Events at the old mill'" in said()
    for name in ("FIN1", "CUS1", "env_2", "HOU1", "CUS2", "ZZ9"):
        _edit(workspace, name, Guessed=None)
    assert said() == ""


def _page(workspace: Workspace) -> str:
    pages = workspace.outputs.glob("*/*/*/customers/trends/report.html")
    text = max(pages, key=lambda path: path.stat().st_mtime).read_text("utf-8")
    return " ".join(html.unescape(re.sub(r"<[^>]+>", " ", text)).split())


def test_the_single_list_says_what_it_lacks(
    workspace: Workspace, capsys: pytest.CaptureFixture[str]
) -> None:
    _draft(workspace)
    root = ["--workspace", str(workspace.root)]
    capsys.readouterr()
    assert main(["register", "check", *root]) == 0
    lines = capsys.readouterr().out.splitlines()
    assert lines[-1] == "6 indicators: 0 are complete and confirmed."
    assert any(
        line.startswith("env_2: no benchmark; no lead; no source; guessed") for line in lines
    )
    assert main(["register", "check", "--ref", "QRC4", "--json", *root]) == 0
    rows = json.loads(capsys.readouterr().out)
    assert [(row["id"], row["lead"]) for row in rows] == [("FIN1", "Head of Revenues")]


def test_every_entry_of_the_catalogue_says_what_is_usual_and_its_trap() -> None:
    assert len(catalogue()) >= 120
    for entry in catalogue():
        assert {"title", "words", "trap"} <= {*entry}, entry
        assert entry["trap"].endswith("."), entry
    titles = [entry["title"] for entry in catalogue()]
    assert len({*titles}) == len(titles)


@pytest.mark.parametrize(
    ("title", "polarity"),
    [
        ("% of council tax collected", "higher"),
        ("Council tax arrears", "lower"),
        ("Average working days lost to sickness per FTE", "lower"),
        ("Household waste recycled or composted", "higher"),
        ("Household waste not sent for recycling", None),
        ("% of major planning applications decided within 13 weeks", "higher"),
        ("Number of complaints received", "none"),
        ("% of complaints upheld", "lower"),
        ("Number of households in temporary accommodation", "lower"),
        ("Homelessness applications where a duty is owed", "none"),
        ("Rate of children looked after per 10,000", "none"),
        ("Events at the old mill", None),
    ],
)
def test_titles_are_found_in_the_catalogue(title: str, polarity: str | None) -> None:
    assert usual_for(title).get("polarity") == polarity


def test_the_catalogue_is_searched_by_words(capsys: pytest.CaptureFixture[str]) -> None:
    assert [each["title"] for each in search_catalogue(["Council", "electronic"])]
    assert main(["register", "catalogue", "sickness"]) == 0
    out = capsys.readouterr().out
    assert out.startswith(
        "Sickness absence: lower, days, days per employee, rolling, monthly. Find"
    )
