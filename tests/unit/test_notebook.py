"""The façade: parameters are checked again, results are written the same every time."""

from __future__ import annotations

import ast
import csv
import json
import shutil
from pathlib import Path
from typing import Any

import nbformat
import pandas as pd
import pytest

from pmf_analysis.assess import TABLES, Measures, write_measures
from pmf_analysis.notebook import RefusedError, finish, open_run, show
from pmf_analysis.story.benchmarking_page import BenchmarkingPage
from pmf_analysis.story.pages import Page
from pmf_analysis.story.realism_page import RealismPage
from pmf_analysis.story.results import RESULT_COLUMNS
from pmf_analysis.story.trends_page import TrendsPage

from .story.made_up import made_up_view, trend_row

PARAMETERS: dict[str, Any] = {
    "council": "westshire",
    "framework": "framework.yml",
    "theme": "homes_and_communities",
    "period": "2026-27 Q2",
    "as_at": "2026-10-31",
    "peer_set": "nearest_neighbours",
    "run_folder": "outputs/run",
    "seed": 20261031,
}
DIGESTS = pd.DataFrame(
    {"indicator": ["homelessness_prevented", "potholes_repaired"], "digest": ["1a", "2b"]}
)
PAGES = {page.analysis: page for page in (TrendsPage, BenchmarkingPage, RealismPage)}
NOTEBOOKS = tuple(PAGES)


@pytest.fixture
def workspace(tmp_path: Path, repository: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A workspace with Westshire's parameters and the finished measures of one indicator."""
    shutil.copytree(repository / "parameters", tmp_path / "parameters")
    monkeypatch.setenv("PMF_WORKSPACE", str(tmp_path))
    view = made_up_view()
    tables = {name: getattr(view, name) for name in TABLES if name != "digests"}
    renamed = {
        name: table.replace(
            {"recycling": "homelessness_prevented", "neighbours": "nearest_neighbours"}
        )
        for name, table in tables.items()
    }
    write_measures(Measures(**renamed, digests=DIGESTS), tmp_path / "outputs/run/measures")
    return tmp_path


def run_of(tmp_path: Path, analysis: str = "trends", **given: Any) -> Page[Any]:
    return PAGES[analysis](made_up_view(**given), tmp_path / "homes" / analysis)


def rows_in(folder: Path) -> list[dict[str, str]]:
    with (folder / "results.csv").open(encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file))


def test_a_batch_run_reads_its_measures_and_writes_results(workspace: Path) -> None:
    run = open_run("trends", **PARAMETERS)
    assert run.headline()[0].id == "headline"
    assert "Westshire is a fictional council" in run.provenance()[0].text[0]
    finish(run)
    rows = rows_in(workspace / "outputs/run/homes_and_communities/trends")
    judged = [row for row in rows if row["indicator"] == "homelessness_prevented"]
    assert judged and {row["theme"] for row in rows} == {"homes_and_communities"}


@pytest.mark.parametrize(("place", "changes"), [(0, True), (1, False)])
def test_the_hash_of_the_data_is_that_of_the_themes_indicators(
    workspace: Path, place: int, changes: bool
) -> None:
    before = open_run("trends", **PARAMETERS).view.vintage
    digests = DIGESTS.copy()
    digests.loc[place, "digest"] = "3c"
    digests.to_parquet(workspace / "outputs/run/measures/digests.parquet")
    assert (open_run("trends", **PARAMETERS).view.vintage != before) == changes


def test_every_wrong_parameter_is_named_at_once(workspace: Path) -> None:
    wrong = {"council": "westshir", "theme": "homes", "period": "2026-27 Q9", "as_at": "31/10/2026"}
    with pytest.raises(RefusedError) as refused:
        open_run("trend", **{**PARAMETERS, **wrong, "seed": -1, "run_folder": "../outside"})
    told = str(refused.value)
    assert 'Did you mean "trends"?' in told and 'Did you mean "westshire"?' in told
    assert 'parameters line 3: theme "homes" is not in this framework' in told
    for word in ("2026-27 Q9", "31/10/2026", "seed", "run_folder"):
        assert word in told
    assert refused.value.exit_code == 2
    assert refused.value._render_traceback_() == told.splitlines()


@pytest.mark.parametrize(
    ("name", "word", "meant"),
    [
        ("peer_set", "nearest_neighbour", "nearest_neighbours"),
        ("framework", "framwork.yml", "framework.yml"),
    ],
)
def test_a_misspelt_name_gets_a_suggestion(
    workspace: Path, name: str, word: str, meant: str
) -> None:
    with pytest.raises(RefusedError, match=f'Did you mean "{meant}"'):
        open_run("trends", **{**PARAMETERS, name: word})


def test_another_councils_data_are_not_made_up(workspace: Path) -> None:
    path = workspace / "parameters" / "framework.yml"
    text = path.read_text(encoding="utf-8").replace("id: westshire", "id: eastshire")
    path.write_text(text, encoding="utf-8")
    given = {**PARAMETERS, "council": "eastshire", "run_folder": ""}
    with pytest.raises(RefusedError, match="There is no data in the store") as refused:
        open_run("trends", **given)
    assert refused.value.exit_code == 3


@pytest.mark.parametrize("analysis", NOTEBOOKS)
def test_results_have_the_fixed_columns_and_every_indicator(tmp_path: Path, analysis: str) -> None:
    run = run_of(tmp_path, analysis)
    finish(run)
    rows = rows_in(tmp_path / "homes" / analysis)
    assert tuple(rows[0]) == RESULT_COLUMNS
    assert {row["indicator"] for row in rows} == {each.id for each in run.view.indicators}
    without = [row for row in rows if row["measure"] == "none"]
    assert without and all(row["reason"] and row["verdict"] == "cannot_judge" for row in without)
    assert all(float(row["value"]) == float(row["value"]) for row in rows if row["value"])


def test_results_agree_with_the_page(tmp_path: Path) -> None:
    run = run_of(tmp_path)
    finish(run)
    rows = {(row["indicator"], row["measure"]): row for row in rows_in(tmp_path / "homes/trends")}
    assert float(rows["recycling", "value"]["value"]) == 39.84
    assert rows["recycling", "change"]["unit"] == "percentage points"
    assert rows["recycling", "value"]["verdict"] == "improving"
    assert rows["air", "value"]["verdict"] == "rising"
    assert rows["prevention", "value"]["reason"].startswith("Four figures")


@pytest.mark.parametrize("analysis", NOTEBOOKS)
def test_the_same_results_give_the_same_bytes(tmp_path: Path, analysis: str) -> None:
    finish(run_of(tmp_path, analysis))
    path = tmp_path / "homes" / analysis / "results.csv"
    first = path.read_bytes()
    finish(run_of(tmp_path, analysis, trends=made_up_view().trends.sample(frac=1, random_state=1)))
    assert path.read_bytes() == first
    assert b"\r" not in first


def test_no_cell_is_read_as_a_formula(tmp_path: Path) -> None:
    row = trend_row(reason="=HYPERLINK(1)", verdict="cannot_judge", value=-3.5)
    finish(run_of(tmp_path, trends=pd.DataFrame([row])))
    rows = rows_in(tmp_path / "homes/trends")
    assert rows[0]["reason"] == "'=HYPERLINK(1)"
    assert rows[0]["value"] == "-3.5"


def test_nothing_is_written_outside_a_batch_run(tmp_path: Path) -> None:
    finish(TrendsPage(made_up_view()))
    assert not list(tmp_path.iterdir())


def test_show_displays_each_block(monkeypatch: pytest.MonkeyPatch) -> None:
    shown: list[Any] = []
    monkeypatch.setattr("IPython.display.display", shown.append)
    run = TrendsPage(made_up_view())
    show(run.headline(), run.method()[0])
    assert [block.id for block in shown] == ["headline", "at-a-glance", "method"]


@pytest.mark.parametrize("name", NOTEBOOKS)
def test_source_notebooks_are_short_clean_documents(repository: Path, name: str) -> None:
    path = repository / "notebooks" / f"{name}.ipynb"
    notebook = nbformat.read(path, as_version=4)
    nbformat.validate(notebook)
    raw = json.loads(path.read_text(encoding="utf-8"))
    assert 9 <= len(notebook.cells) <= 14
    assert (raw["nbformat"], raw["nbformat_minor"]) == (4, 5)
    assert notebook.metadata.kernelspec.name == "python3"
    code = [cell for cell in notebook.cells if cell.cell_type == "code"]
    assert all(not cell.outputs and cell.execution_count is None for cell in code)
    assert all(cell.id.replace("-", "").isalpha() for cell in notebook.cells)
    for cell in code:
        for node in ast.walk(ast.parse(cell.source)):
            assert not isinstance(
                node, ast.FunctionDef | ast.For | ast.While | ast.BinOp | ast.ListComp | ast.With
            )
    tags = {cell.id: cell.metadata.get("tags", []) for cell in code}
    assert tags["inputs"] == ["parameters"] and tags["setup"] == ["setup"]
    assert tags["key-figures"] == ["nbval-check-output"]
    assert ("challenge" in tags) == (name == "target_realism")


def test_methods_of_a_run_are_those_that_notebooks_call(repository: Path) -> None:
    for name in NOTEBOOKS:
        notebook = nbformat.read(repository / "notebooks" / f"{name}.ipynb", as_version=4)
        for cell in notebook.cells:
            for node in ast.walk(ast.parse(cell.source if cell.cell_type == "code" else "")):
                if isinstance(node, ast.Attribute) and isinstance(node.value, ast.Name):
                    assert hasattr(PAGES[name], node.attr)
