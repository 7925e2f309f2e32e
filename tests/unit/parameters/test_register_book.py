"""The register as a workbook: the same indicators, and every fault with its cell."""

from __future__ import annotations

import io
import subprocess
import sys
from datetime import date
from pathlib import Path
from typing import Any, get_args

import openpyxl
import pytest

from pmf_analysis.parameters.loading import read_document
from pmf_analysis.parameters.models import Guessable, Indicator
from pmf_analysis.parameters.register_book import COLUMNS, write_register
from pmf_analysis.parameters.workspace import Workspace
from pmf_analysis.problems import PmfError, Problems

NOT_IN_THE_BOOK = {"exceptional_periods"}


def _book(workspace: Workspace, *rows: dict[str, Any]) -> Path:
    """Put the register of a workspace into a workbook, with the rows in place of its own."""
    old = workspace.parameters / "indicators.yml"
    document = read_document(old, "indicators.yml", Problems())
    assert document
    entries = document.values["indicators"]
    path = workspace.parameters / "register.xlsx"
    path.write_bytes(write_register(rows or entries, {}))
    old.unlink()
    return path


def _row(**more: Any) -> dict[str, Any]:
    facts = {"id": "recycling", "title": "Waste recycled", "themes": ["place"], "decimals": 1}
    facts |= {"data_type": "percentage", "polarity": "higher", "frequency": "annual"}
    return facts | {"director": "director_place"} | more


def _heads(sheet: Any) -> dict[str, str]:
    return {cell.value: cell.column_letter for cell in sheet[1]}


def _faults(workspace: Workspace) -> list[str]:
    with pytest.raises(PmfError) as error:
        workspace.load()
    return [problem.line() for problem in error.value.problems if problem.level == "error"]


def test_every_setting_of_an_indicator_has_a_column_and_every_guess_hangs_on_something() -> None:
    assert {*COLUMNS} == {*Indicator.model_fields} - NOT_IN_THE_BOOK
    assert {name for name, about in COLUMNS.items() if "hangs" in about} == {*get_args(Guessable)}


def test_a_workbook_gives_the_same_register_as_the_file_of_settings(workspace: Workspace) -> None:
    before = workspace.load()
    _book(workspace)
    after = workspace.load()
    assert after.register == before.register
    assert "parameters/register.xlsx" in after.files
    assert "parameters/indicators.yml" not in after.files
    rows = {p.code: (p.sheet, p.row) for p in after.problems}
    assert {place[0] for place in rows.values()} <= {"Indicators"}


def test_every_kind_of_setting_comes_back_as_it_was(workspace: Workspace) -> None:
    given = _row(
        aliases=["R; 1", '"the" rate', "Recycled (%)"],
        valid_from=date(2020, 4, 1),
        publish_lag_days=30,
        minimum=-0.5,
        allow_negative=True,
        standardised_by="age",
        standard_population={"0 to 64": 0.8, "65 and over": 0.2},
        reference_groups={"deprivation": "Least deprived fifth"},
        guessed={"polarity": "the title begins with Increase", "unit": ""},
        definition="=1+1",
    )
    _book(workspace, given)
    read = workspace.load().register.indicators["recycling"]
    for name, value in given.items():
        assert getattr(read, name) == (tuple(value) if isinstance(value, list) else value), name


def test_a_changed_workbook_changes_the_hash_of_the_parameters(workspace: Workspace) -> None:
    path = _book(workspace, _row())
    before = workspace.load().files["parameters/register.xlsx"]
    same = write_register([_row()], {})
    assert path.read_bytes() == same
    path.write_bytes(write_register([_row(polarity="lower")], {}))
    assert workspace.load().files["parameters/register.xlsx"] != before


def test_all_faults_are_told_at_once_each_with_its_cell_and_what_is_expected(
    workspace: Workspace,
) -> None:
    path = _book(workspace, _row(), _row(id="second"), _row(id="third", themes=["plce"]))
    book = openpyxl.load_workbook(path)
    sheet = book["Indicators"]
    heads = _heads(sheet)
    sheet[f"{heads['Polarity']}2"] = "upwards"
    sheet[f"{heads['Decimals']}2"] = "two"
    sheet[f"{heads['Title']}3"] = "=A1"
    sheet[f"{heads['Frequency']}3"] = None
    sheet[f"{heads['Valid from']}4"] = "next year"
    sheet[f"{heads['Guessed']}4"] = "Polarty: no reason"
    sheet[f"{heads['Quality note']}4"] = "password=hunter2"
    sheet["AZ1"] = "Polarities"
    book.save(path)
    said = "\n".join(_faults(workspace))
    place = 'parameters/register.xlsx | sheet "Indicators" | row'
    polarity = (
        f'{heads["Polarity"]} "Polarity" | value "upwards" | expected which direction is good'
    )
    assert f"{place} 2 | column {polarity}" in said
    assert f"fix: correct cell {heads['Polarity']}2" in said
    assert f'{place} 2 | column {heads["Decimals"]} "Decimals" | value "two"' in said
    assert f'{place} 3 | column {heads["Title"]} "Title" | value "=A1" | expected a value' in said
    assert f'{place} 3 | column {heads["Frequency"]} "Frequency"' in said
    assert f'{place} 4 | column {heads["Valid from"]} "Valid from" | value "next year"' in said
    assert '"Polarty" is "Polarty", which is not known. Did you mean "polarity"?' in said
    assert f'{place} 1 | column AZ "Polarities"' in said
    assert 'theme "plce" is not in any framework file' in said
    assert f"{place} 4 | column {heads['Quality note']}" in said
    assert "hunter2" not in said


def test_cells_are_read_as_people_type_them(workspace: Workspace) -> None:
    path = _book(workspace, _row())
    book = openpyxl.load_workbook(path)
    sheet = book["Indicators"]
    heads = _heads(sheet)
    sheet[f"{heads['Polarity']}1"] = "polarity"  # the setting's own name
    sheet[f"{heads['Polarity']}2"] = " Lower"
    sheet[f"{heads['Frequency']}2"] = "Half-yearly"
    sheet[f"{heads['ID']}2"] = 101
    sheet[f"{heads['Decimals']}2"] = 2.0
    sheet[f"{heads['Valid from']}2"] = date(2020, 6, 18)
    sheet[f"{heads['Allow negative']}2"] = True
    sheet["A3"] = "   "  # a row of blanks is no indicator
    book.save(path)
    read = workspace.load().register.indicators["101"]
    assert (read.polarity, read.frequency, read.decimals) == ("lower", "half_yearly", 2)
    assert read.valid_from == date(2020, 6, 18)


def test_a_council_has_one_register(workspace: Workspace) -> None:
    kept = (workspace.parameters / "indicators.yml").read_bytes()
    _book(workspace)
    (workspace.parameters / "indicators.yml").write_bytes(kept)
    assert any("a council has one register" in line for line in _faults(workspace))


def test_what_is_no_workbook_is_refused_in_plain_words(workspace: Workspace) -> None:
    path = _book(workspace)
    other = io.BytesIO()
    openpyxl.Workbook().save(other)
    for content in (b"not a workbook", other.getvalue(), path.read_bytes()[:2000]):
        path.write_bytes(content)
        assert 'expected an XLSX workbook with a sheet "Indicators"' in "".join(_faults(workspace))


def test_an_empty_register_is_a_register(workspace: Workspace) -> None:
    path = _book(workspace)
    path.write_bytes(write_register([], {"director": ["director_place"]}))
    assert workspace.load().register.indicators == {}


def test_nothing_heavy_is_imported_for_a_register_of_settings(workspace: Workspace) -> None:
    code = (
        "import sys; from pathlib import Path\n"
        "from pmf_analysis.parameters.workspace import Workspace\n"
        f"Workspace(Path({str(workspace.root)!r})).load()\n"
        "print({'openpyxl', 'pandas', 'xlsxwriter'} & set(sys.modules))"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "set()"
