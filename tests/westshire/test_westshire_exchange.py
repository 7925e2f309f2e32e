"""What other systems take from a whole run: on its record, the same every time, and valid."""

from __future__ import annotations

import json
import re
import shutil
import socket
from pathlib import Path

import pandas as pd
import pyarrow.parquet as pq
import pytest
from frictionless import validate
from made_runs import MadeRun, pmf

from pmf_analysis.assess import TABLES as RESULTS
from pmf_analysis.assess import read_measures
from pmf_analysis.batch import copies, exchange
from pmf_analysis.batch.manifest import RunRecord, describe_files
from pmf_analysis.data.contract import TABLES
from pmf_analysis.parameters.workspace import Workspace
from pmf_analysis.problems import PmfError
from pmf_analysis.story.bank import words_of

ALL = [part for name in exchange.MAKERS for part in ("--to", name)]
OWN = "X06000001"


@pytest.fixture(scope="module")
def exported(westshire_run: MadeRun, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The run in a copy of its workspace, with all that other systems take."""
    workspace = tmp_path_factory.mktemp("exchange") / "workspace"
    shutil.copytree(westshire_run.workspace, workspace)
    done = pmf(workspace, "export", *ALL, "--json")
    assert done.returncode == 0, done.stderr
    for name in exchange.MAKERS:
        assert f"{name}: " in done.stderr
    return workspace / westshire_run.folder.relative_to(westshire_run.workspace)


def workspace_of(run: Path) -> Path:
    return run.parents[3]


def known(run: Path) -> exchange.Known:
    return exchange.Known.of(Workspace(workspace_of(run)), RunRecord.read(run))


def test_every_file_is_on_the_record_and_none_names_a_machine(exported: Path) -> None:
    files = RunRecord.read(exported).files()
    assert describe_files(exported) == files
    made = [name for name in files if name.startswith("exchange/")]
    assert {name.split("/")[1] for name in made} == {*exchange.MAKERS}
    assert not list((exported / "exchange").rglob(".*.tmp"))
    host = re.compile(rf"\b{re.escape(socket.gethostname())}\b".encode())
    for name in (*made, "datapackage.json"):
        content = (exported / name).read_bytes()
        traces = [str(exported.parents[4]), f"{Path.home()}/"]
        assert not [trace for trace in traces if trace.encode() in content], name
        # A short name turns up among the bytes of a packed file by chance.
        assert name.endswith((".parquet", ".xlsx")) or not host.search(content), name


def test_a_second_export_gives_the_same_bytes_and_no_new_run(exported: Path) -> None:
    before = describe_files(exported)
    assert pmf(workspace_of(exported), "export", *ALL).returncode == 0
    assert describe_files(exported) == before
    again = pmf(workspace_of(exported), "run", "westshire_2026-27_q2.yml", "--json")
    told = json.loads(again.stdout)
    assert told["unchanged"] and told["run"] == exported.name


def test_the_figures_are_those_of_the_reports(exported: Path) -> None:
    data, results = exported / "exchange/powerbi/data", read_measures(exported / "measures")
    spc = pq.read_table(data / "fact_spc/fact_spc.parquet").to_pandas()
    points = results.points
    assert spc["value"].equals(points["value"]) and spc["lower_limit"].equals(points["lower_limit"])
    seen = pq.read_table(data / "fact_observation/fact_observation.parquet").to_pandas()
    keys = ["indicator_id", "period_end"]
    mine = seen[(seen["area_code"] == OWN) & (seen["dimension"] == "")]
    newest = mine.groupby("indicator_id")["definition_version"].transform("max")
    mine = mine[mine["definition_version"] == newest]
    both = spc.merge(mine, on=keys, how="left", suffixes=("", "_seen"), validate="one_to_one")
    assert len(both) == len(points)
    assert both["value"].equals(both["value_seen"])
    assert seen.loc[seen["status"] == "suppressed", "value"].isna().all()
    assert (seen["status"] == "suppressed").any()
    chances = pq.read_table(data / "fact_target/fact_target.parquet").to_pandas()
    assert chances["chance"].equals(results.targets["probability"])
    # The cards of the page say what the index says.
    whole = results.portfolio.set_index("group").loc["council"]
    counted = chances.loc[chances["is_counted"], "chance"]
    assert (len(counted), round(counted.sum(), 9)) == (whole["n"], round(whole["expected"], 9))
    assert set(chances.loc[chances["is_counted"], "verdict_words"]) <= {
        *words_of("status").values()
    }


def test_nothing_hidden_is_in_the_tables(exported: Path) -> None:
    rows = pd.read_csv(exported / "exchange/tables/contract/observations.csv")
    hidden = rows["value_status"] == "suppressed"
    assert hidden.any() and rows.loc[hidden, ["value", "numerator"]].isna().all(axis=None)
    assert rows["source_row"].notna().any()


def test_every_csv_of_the_run_is_what_its_description_says(exported: Path) -> None:
    package = json.loads((exported / "datapackage.json").read_text("utf-8"))
    paths = {each["path"] for each in package["resources"]}
    csvs = {path.relative_to(exported).as_posix() for path in exported.rglob("*.csv")}
    assert paths == {path for path in csvs if not path.startswith("exchange/")}
    found = validate(exported / "datapackage.json")
    assert found.valid, found.flatten(["path", "type", "note"])[:3]
    assert package["licenses"][0]["title"] == "Open Government Licence v3.0"
    assert {"title": "Annual Population Survey"} in package["sources"]
    assert exported.name not in json.dumps(package)


def test_all_tables_are_what_their_description_says(exported: Path, tmp_path: Path) -> None:
    folder = tmp_path / "tables"
    shutil.copytree(exported / "exchange/tables", folder)
    package = json.loads((folder / "datapackage.json").read_text("utf-8"))
    wanted = [f"contract/{name}.csv" for name in TABLES]
    wanted += [f"results/{name}.csv" for name in RESULTS]
    assert [each["path"] for each in package["resources"]] == wanted
    found = validate(folder / "datapackage.json")
    assert found.valid, found.flatten(["path", "type", "note"])[:3]
    assert package["resources"][0]["schema"]["primaryKey"][0] == "indicator_id"
    assert "licenses" not in package  # which is for what is published
    peers = next(each for each in package["resources"] if each["path"] == "results/peers.csv")
    meanings = {each["name"]: each["description"] for each in peers["schema"]["fields"][:4]}
    assert meanings["area_name"] == "Name of the area"
    kinds = {each["name"]: each["type"] for each in peers["schema"]["fields"]}
    assert (kinds["value"], kinds["period"], kinds["is_own"]) == ("number", "date", "boolean")


@pytest.mark.parametrize(
    ("path", "column", "cell", "fault"),
    [
        ("contract/observations.csv", "value", "12a", "type-error"),
        ("contract/observations.csv", "frequency", "sometimes", "constraint-error"),
        ("contract/targets.csv", "set_on", "30/06/2026", "type-error"),
        ("results/trends.csv", "is_stale", "perhaps", "type-error"),
    ],
)
def test_a_broken_cell_is_found(
    exported: Path, tmp_path: Path, path: str, column: str, cell: str, fault: str
) -> None:
    source = exported / "exchange/tables"
    package = json.loads((source / "datapackage.json").read_text("utf-8"))
    package["resources"] = [each for each in package["resources"] if each["path"] == path]
    (tmp_path / path).parent.mkdir()
    table = pd.read_csv(source / path, dtype="str", keep_default_na=False)
    table.loc[3, column] = cell
    table.to_csv(tmp_path / path, index=False, lineterminator="\n")
    (tmp_path / "datapackage.json").write_text(json.dumps(package), encoding="utf-8")
    types = {kind for (kind,) in validate(tmp_path / "datapackage.json").flatten(["type"])}
    assert types == {fault, "hash-count"} or types == {fault, "hash-count", "byte-count"}


def test_a_folder_gets_new_figures_and_keeps_the_report(exported: Path, tmp_path: Path) -> None:
    folder, here = tmp_path / "power-bi", known(exported)
    exchange.export(here, ["powerbi"], folder)
    page = folder / "performance.Report/definition/pages/summary/page.json"
    figures = folder / "data/fact_spc/fact_spc.parquet"
    first = figures.read_bytes()
    page.write_text("somebody's work", encoding="utf-8")
    figures.write_bytes(b"old figures")
    (folder / "notes.docx").write_bytes(b"theirs")
    (folder / "data/old.parquet").write_bytes(b"of an earlier version")
    record = folder / exchange.RECORD
    names = json.loads(record.read_text("utf-8"))
    outside = tmp_path / "outside.txt"
    outside.write_text("not ours", encoding="utf-8")
    record.write_text(json.dumps([*names, "data/old.parquet", "../outside.txt"]), encoding="utf-8")
    exchange.export(here, ["powerbi"], folder)
    assert page.read_text("utf-8") == "somebody's work"
    assert figures.read_bytes() == first
    assert (folder / "notes.docx").exists() and outside.exists()
    assert not (folder / "data/old.parquet").exists()
    assert json.loads(record.read_text("utf-8")) == names
    place = json.loads((folder / "power-bi.pbids").read_text("utf-8"))["connections"][0]["details"]
    assert place["address"]["path"] == str(folder / "data")
    told = exported / "exchange/powerbi/power-bi.pbids"
    assert "PMF" in told.read_text("utf-8") and str(tmp_path) not in told.read_text("utf-8")


def test_a_folder_with_other_files_is_left_alone(exported: Path, tmp_path: Path) -> None:
    (tmp_path / "mine.txt").write_text("mine", encoding="utf-8")
    with pytest.raises(PmfError, match=r"mine\.txt"):
        exchange.export(known(exported), ["tables"], tmp_path)
    assert [path.name for path in tmp_path.iterdir()] == ["mine.txt"]


@pytest.mark.parametrize("asked", [["pdf"], [], ["powerbi", "tables"]])
def test_a_folder_goes_with_one_system(exported: Path, tmp_path: Path, asked: list[str]) -> None:
    workspace, record = Workspace(workspace_of(exported)), RunRecord.read(exported)
    with pytest.raises(PmfError, match="--folder goes with"):
        copies.export(workspace, record, asked, print, tmp_path)
    assert not list(tmp_path.iterdir())


def test_parameters_that_no_longer_fit_the_run_are_told(exported: Path, tmp_path: Path) -> None:
    here = known(exported)
    register = here.parameters.register
    gone = next(iter(register.indicators))
    left = {name: each for name, each in register.indicators.items() if name != gone}
    object.__setattr__(register, "indicators", left)
    before = describe_files(exported)
    with pytest.raises(PmfError) as told:
        exchange.export(here, ["powerbi"])
    assert any(gone in problem.message for problem in told.value.problems)
    assert describe_files(exported) == before
