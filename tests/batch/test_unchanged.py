"""What has not changed is not made again, and what has changed always is."""

from __future__ import annotations

import shutil
import subprocess
import sys
from collections.abc import Callable, Iterator
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any

import pandas as pd
import pytest

from pmf_analysis.batch.manifest import RunRecord
from pmf_analysis.batch.plan import make_plan
from pmf_analysis.batch.running import Options, run_plan
from pmf_analysis.cli import main
from pmf_analysis.data.store import Store
from pmf_analysis.parameters.workspace import Workspace
from pmf_analysis.problems import PmfError

MakeWorkspace = Callable[..., Path]
MINUTES = iter(range(60))
SECOND = """\
  - id: KPI2
    title: Bins emptied
    themes: [two]
    data_type: percentage
    polarity: higher
    frequency: quarterly
    director: director
"""
# Leaves a trace, outside the run, of every notebook that is really run.
TRACE = "import pathlib\npathlib.Path({!r}, theme + '_ran').touch()"


def _run(root: Path, shard: str = "", **options: Any) -> RunRecord:
    now = datetime(2026, 11, 2, 9, next(MINUTES), tzinfo=UTC)
    plan = make_plan(Workspace(root), "q2.yml", shard=shard)
    return run_plan(plan, Options(**options), now=now, on_job=lambda *_: None)


@pytest.fixture
def trace(tmp_path: Path) -> Path:
    (place := tmp_path / "trace").mkdir()
    return place


@pytest.fixture
def council(make_workspace: MakeWorkspace, tmp_path: Path, trace: Path) -> Iterator[Path]:
    """Two themes, each with an indicator of its own."""
    root = make_workspace(tmp_path / "council", TRACE.format(str(trace)))
    path = root / "parameters" / "indicators.yml"
    text = path.read_text(encoding="utf-8").replace("[one, two]", "[one]")
    path.write_text(text + SECOND, encoding="utf-8")
    known = Store(root / "store").as_known_on(date(2026, 10, 31))["observations"]
    _import(root, known.assign(indicator_id="KPI2"))
    yield root


def _import(root: Path, rows: pd.DataFrame) -> None:
    Store(root / "store").add({"observations": rows}, as_at=date(2026, 10, 31))


def _correct(root: Path, indicator: str) -> None:
    rows = Store(root / "store").as_known_on(date(2026, 10, 31))["observations"]
    rows = rows[(rows["indicator_id"] == indicator) & (rows["area_code"] == "X06000099")].tail(1)
    _import(root, rows.assign(value=rows["value"] + 1))


def _ran(trace: Path) -> set[str]:
    """Themes whose notebooks were run since this was last asked."""
    themes = {path.name.removesuffix("_ran") for path in trace.iterdir()}
    for path in trace.iterdir():
        path.unlink()
    return themes


def _reports(run: RunRecord) -> dict[str, bytes]:
    return {path.parts[-3]: path.read_bytes() for path in run.folder.rglob("report.html")}


def test_nothing_changed_names_the_last_run_and_makes_none(council: Path, trace: Path) -> None:
    first = _run(council)
    assert _ran(trace) == {"one", "two"}
    assert _run(council).folder == first.folder
    assert _ran(trace) == set()
    assert _run(council, fresh=True).folder != first.folder
    assert _ran(trace) == {"one", "two"}


def test_one_theme_changed_makes_that_theme(council: Path, trace: Path) -> None:
    first = _run(council)
    _ran(trace)
    _correct(council, "KPI2")
    second = _run(council)
    assert _ran(trace) == {"two"} and second.manifest["status"] == "complete"
    assert second.jobs["one/trends"]["made_in"] == first.id
    assert "made_in" not in second.jobs["two/trends"]
    before, after = _reports(first), _reports(second)
    assert before["one"] == after["one"]
    third = _run(council, fresh=True)
    assert _reports(third) == after
    _correct(council, "KPI1")
    assert _run(council).jobs["two/trends"]["made_in"] == third.id


def _change_notebook(root: Path) -> None:
    path = root / "notebooks" / "trends.ipynb"
    path.write_text(path.read_text(encoding="utf-8").replace("touch()", "touch( )"))
    from pmf_analysis.batch.notebooks import accept_notebooks

    accept_notebooks(Workspace(root), "q2.yml")


def _change_title(root: Path) -> None:
    path = root / "parameters" / "framework.yml"
    path.write_text(path.read_text(encoding="utf-8").replace("Tinyshire C", "Tinyshire District C"))


@pytest.mark.parametrize("change", [_change_notebook, _change_title])
def test_what_every_report_shows_or_runs_makes_all_again(
    council: Path, trace: Path, change: Callable[[Path], None]
) -> None:
    _run(council)
    _ran(trace)
    change(council)
    _run(council)
    assert _ran(trace) == {"one", "two"}


@pytest.mark.parametrize("file", ["report.html", "results.csv", "notebook.ipynb"])
def test_a_file_that_was_changed_since_is_never_taken(
    council: Path, trace: Path, file: str
) -> None:
    first = _run(council)
    _ran(trace)
    path = first.folder / "one" / "trends" / file
    path.write_text(path.read_text(encoding="utf-8") + " ", encoding="utf-8")
    again = _run(council)
    assert again.folder != first.folder and _ran(trace) == {"one"}


def test_damaged_result_tables_are_measured_again(council: Path, trace: Path) -> None:
    first = _run(council)
    (first.folder / "measures" / "trends.parquet").write_bytes(b"PAR1")
    again = _run(council)
    assert again.manifest["status"] == "complete" and again.folder != first.folder


def test_a_report_that_failed_is_tried_again_alone(
    make_workspace: MakeWorkspace, tmp_path: Path, trace: Path
) -> None:
    fault = f"import os\nassert theme == 'one' or os.path.exists({str(tmp_path / 'mended')!r})"
    root = make_workspace(tmp_path / "council", TRACE.format(str(trace)), fault)
    assert _run(root).exit_code == 1
    assert _ran(trace) == {"one", "two"}
    (tmp_path / "mended").touch()
    again = _run(root)
    assert again.exit_code == 0 and _ran(trace) == {"two"}


def test_shares_are_disjoint_and_a_plain_run_puts_them_together(
    make_workspace: MakeWorkspace, tmp_path: Path, trace: Path
) -> None:
    themes = tuple("abcdef")
    root = make_workspace(tmp_path / "council", TRACE.format(str(trace)), themes=themes)
    elsewhere = shutil.copytree(root, tmp_path / "other")
    shares = [_run(elsewhere if n == 2 else root, f"{n}/2") for n in (1, 2)]
    first, second = (set(share.jobs) for share in shares)
    assert first and second and not first & second
    assert _ran(trace) == set(themes)
    place = shares[0].folder.parent
    shutil.copytree(shares[1].folder, place / shares[1].id)
    whole = _run(root)
    assert set(whole.jobs) == first | second and _ran(trace) == set()
    assert whole.exit_code == 0 and len(_reports(whole)) == len(themes)


@pytest.mark.parametrize("shard", ["0/2", "3/2", "2", "x/y", "1/0", "-1/2"])
def test_a_share_that_is_none_is_refused(council: Path, shard: str) -> None:
    with pytest.raises(PmfError, match="is no share"):
        make_plan(Workspace(council), "q2.yml", shard=shard)


HEAVY = ("pandas", "numpy", "papermill", "nbconvert", "matplotlib", "pyarrow")
LIGHT = f"""\
import sys
from pmf_analysis.cli import main
code = main(["run", "--workspace", sys.argv[1]])
print("heavy:", sorted(set(sys.modules) & set({HEAVY!r})), "code:", code)
"""


def test_the_command_knows_without_pandas(council: Path, trace: Path) -> None:
    command = [sys.executable, "-c", LIGHT, str(council)]
    subprocess.run(command, check=True, capture_output=True)
    folders = set(council.glob("outputs/*/*/*"))
    _ran(trace)
    done = subprocess.run(command, check=True, capture_output=True, text=True)
    assert done.stdout.splitlines()[-1] == "heavy: [] code: 0"
    assert "Nothing has changed" in done.stdout and "index.html" in done.stdout
    assert set(council.glob("outputs/*/*/*")) == folders and _ran(trace) == set()
    # A report that was altered, be it by one letter, is made again.
    report = next(council.glob("outputs/*/*/*/one/trends/report.html"))
    altered = bytearray(report.read_bytes())
    altered[-20] ^= 1
    report.write_bytes(altered)
    for mark in council.glob("outputs/.unchanged/*"):
        mark.write_bytes(b"rubbish \xff")
    subprocess.run(command, check=True, capture_output=True)
    assert _ran(trace) == {"one"}


def test_a_run_file_outside_the_workspace_is_read_again(
    council: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    outside = Path(shutil.move(council / "parameters/runs/q2.yml", tmp_path / "mine.yml"))
    run = ["run", str(outside), "--workspace", str(council)]
    assert main(run) == main(run) == 0
    assert "Nothing has changed" in capsys.readouterr().out
    outside.write_text(outside.read_text(encoding="utf-8").replace("Q2", "Q1"), encoding="utf-8")
    assert main(run) == 0
    assert "Nothing has changed" not in capsys.readouterr().out
    assert len(list(council.glob("outputs/tinyshire/*/2*"))) == 2


def test_a_damaged_store_is_named(council: Path, capsys: pytest.CaptureFixture[str]) -> None:
    table = next(council.glob("store/vintages/*/observations.parquet"))
    table.write_bytes(table.read_bytes()[:1000])
    assert main(["run", "--workspace", str(council)]) == 3
    told = capsys.readouterr().err
    assert "observations.parquet" in told and "is damaged" in told and "withdraw" in told


def test_a_copy_to_nowhere_is_refused(council: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["run", "--workspace", str(council), "--copy-to", ""]) == 2
    assert "needs an address" in capsys.readouterr().err


@pytest.mark.parametrize("damage", [lambda path: path.write_bytes(b"PAR1 cut"), Path.unlink])
def test_damaged_tables_kept_for_jupyterlab_are_made_again(
    council: Path, monkeypatch: pytest.MonkeyPatch, damage: Callable[[Path], Any]
) -> None:
    from pmf_analysis.notebook import open_run

    monkeypatch.setenv("PMF_WORKSPACE", str(council))
    asked = {"council": "tinyshire", "framework": "framework.yml", "theme": "one", "seed": 1}
    asked |= {"period": "2026-27 Q2", "as_at": "2026-10-31", "peer_set": "neighbours"}
    before = open_run("trends", **asked, run_folder="").view.trends
    (kept,) = council.glob("store/cache/*")
    damage(kept / "trends.parquet")
    pd.testing.assert_frame_equal(open_run("trends", **asked, run_folder="").view.trends, before)
    assert (kept / "trends.parquet").read_bytes().endswith(b"PAR1")
