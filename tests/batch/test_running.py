"""Whole runs of a tiny council, with real kernels."""

from __future__ import annotations

import csv
import getpass
import json
import os
import shutil
import signal
import socket
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Callable
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any

import nbformat
import pytest

from pmf_analysis.batch.manifest import RunRecord, describe_file, find_run, locked
from pmf_analysis.batch.notebooks import trust_notebooks
from pmf_analysis.batch.pages import render_again
from pmf_analysis.batch.plan import make_plan
from pmf_analysis.batch.running import Options, run_plan
from pmf_analysis.parameters.workspace import Workspace
from pmf_analysis.problems import PmfError, Problem, Problems

MakeWorkspace = Callable[..., Path]
NOW = datetime(2026, 11, 2, 9, 30, 0, tzinfo=UTC)
FAULTS = """\
import os, sys, time
faults = {
    "raises": lambda: 1 / 0,
    "exits": lambda: sys.exit(0),
    "dies": lambda: os.kill(os.getpid(), 9),
    "never_ends": lambda: time.sleep(600),
}
faults.get(theme, lambda: None)()
"""
EXPECTED = {
    "first": "ok",
    "raises": "failed",
    "exits": "failed",
    "dies": "kernel_died",
    "never_ends": "timed_out",
    "last": "ok",
}


def _run(root: Path, resume: str = "", **options: Any) -> RunRecord:
    workspace = Workspace(root)
    seen: list[tuple[str, int, int]] = []
    result = run_plan(
        make_plan(workspace, "q2.yml"),
        Options(**options),
        now=NOW,
        on_job=lambda record, done, total: seen.append((record["id"], done, total)),
        resumed=find_run(root, resume) if resume else None,
    )
    assert [done for _, done, _ in seen] == list(range(1, len(seen) + 1))
    return result


@pytest.fixture
def sound(make_workspace: MakeWorkspace, tmp_path: Path) -> Path:
    return make_workspace(tmp_path / "council")


def test_every_fault_has_its_status_and_the_others_are_made(
    make_workspace: MakeWorkspace, tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    root = make_workspace(tmp_path / "council", FAULTS, themes=tuple(EXPECTED))
    result = _run(root, seconds=6)
    statuses = {job["theme"]: job["status"] for job in result.manifest["jobs"].values()}
    assert statuses == EXPECTED
    assert result.exit_code == 1
    assert capfd.readouterr() == ("", "")  # what there is to say is said by the caller
    for theme, status in EXPECTED.items():
        names = {path.name for path in (result.folder / theme / "trends").iterdir()}
        made = {"report.html", "results.csv", "notebook.ipynb"}
        assert names == (made if status == "ok" else {"notebook.failed.ipynb"})
    failed = nbformat.read(result.folder / "never_ends/trends/notebook.failed.ipynb", 4)
    assert failed.cells[0].source.startswith("**This notebook did not finish (timed out).**")
    index = (result.folder / "index.html").read_text(encoding="utf-8")
    assert "division by zero" in index and "kernel died" in index.lower()
    assert not list(root.rglob("*.tmp")) and not list(root.rglob("*.partial"))


def test_the_manifest_holds_every_file_and_names_no_machine(sound: Path) -> None:
    result = _run(sound)
    text = (result.folder / "manifest.json").read_text(encoding="utf-8")
    manifest = json.loads(text)
    assert manifest["status"] == "complete" and result.exit_code == 0
    recorded = dict(manifest["files"])
    for job in manifest["jobs"].values():
        recorded |= {f"{job['id']}/{name}": entry for name, entry in job["files"].items()}
    present = {p.relative_to(result.folder).as_posix() for p in result.folder.rglob("*.*")}
    assert present - {"manifest.json", "run.log"} == set(recorded)
    log = (result.folder / "run.log").read_text(encoding="utf-8")
    assert "[2/2]" in log and str(sound) not in log
    assert all(describe_file(result.folder / name) == entry for name, entry in recorded.items())
    assert manifest["parameters"]["period"] == "2026-27 Q2"
    assert set(manifest["content"]["parameters"]) >= {"parameters/framework.yml"}
    for trace in (str(sound), str(Path.home()), socket.gethostname()):
        assert trace not in text
    if getpass.getuser() != "root":  # an everyday word in any text
        assert getpass.getuser() not in text


def test_two_runs_give_the_same_bytes_apart_from_the_manifest(sound: Path) -> None:
    first, second = _run(sound, workers=1), _run(sound, workers=2, fresh=True)
    assert first.folder != second.folder
    for one in (p for p in first.folder.rglob("*.*") if p.suffix not in (".json", ".log")):
        other = second.folder / one.relative_to(first.folder)
        assert one.read_bytes() == other.read_bytes(), one.name
    assert first.manifest["content_hash"] == second.manifest["content_hash"]


def test_the_imports_problems_are_listed_and_every_one_is_counted(sound: Path) -> None:
    from pmf_analysis.data.store import FileRecord, Store

    told = [
        Problem("No number.", file="kpi.csv", row=7, column="D", value="=1+1", indicator="KPI1"),
        Problem("Look at it.", level="warning", file="kpi.csv"),
    ]
    store = Store(sound / "store")
    known = store.as_known_on(date(2026, 10, 31))["observations"]
    again = known.assign(value=known["value"] + 1)
    file = FileRecord("kpi.csv", "0" * 64, "", 38, 36, 1, 1)
    tables, as_at = {"observations": again}, date(2026, 10, 30)
    store.add(tables, as_at=as_at, files=[file], problems=Problems(told))
    result = _run(sound)
    with (result.folder / "problems.csv").open(encoding="utf-8-sig", newline="") as stream:
        rows = list(csv.DictReader(stream))
    assert list(rows[0])[:4] == ["level", "code", "file", "sheet"]
    assert [row["message"] for row in rows[:2]] == ["No number.", "Look at it."]
    assert (rows[0]["indicator"], rows[0]["theme"], rows[1]["theme"]) == ("KPI1", "one; two", "")
    assert rows[0]["value"] == "'=1+1" and rows[0]["row"] == "7" and rows[1]["row"] == ""
    assert result.manifest["problems"] == Counter(row["level"] for row in rows)
    index = (result.folder / "index.html").read_text(encoding="utf-8")
    assert "Errors: 1. Warnings:" in index and "38 rows read" in index


def test_pages_are_made_again_only_from_untouched_notebooks(sound: Path) -> None:
    result = _run(sound)
    report = result.folder / "one/trends/report.html"
    before = report.read_bytes()
    report.write_text("spoilt")
    render_again(find_run(sound))
    assert report.read_bytes() == before
    notebook = result.folder / "two/trends/notebook.ipynb"
    notebook.write_text(notebook.read_text().replace("council", "counsel"))
    with pytest.raises(PmfError, match=r"two/trends/notebook\.ipynb"):
        render_again(find_run(sound))


def test_only_notebooks_as_their_run_made_them_are_trusted(
    sound: Path, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    from nbformat.sign import NotebookNotary

    monkeypatch.setenv("JUPYTER_DATA_DIR", str(tmp_path / "jupyter"))
    result = _run(sound)
    changed = result.folder / "two/trends/notebook.ipynb"
    changed.write_text(changed.read_text().replace("X06", "X07").replace("theme", "tbeme"))
    assert trust_notebooks(sound) == 1
    notary = NotebookNotary()
    assert notary.check_signature(nbformat.read(result.folder / "one/trends/notebook.ipynb", 4))
    assert not notary.check_signature(nbformat.read(changed, 4))


def test_fail_fast_stops_and_the_run_can_be_finished(
    make_workspace: MakeWorkspace, tmp_path: Path
) -> None:
    switch = tmp_path / "broken"
    switch.touch()
    step = f"import pathlib; assert not pathlib.Path({str(switch)!r}).exists() or theme != 'a'"
    root = make_workspace(tmp_path / "council", step, themes=("a", "b", "c"))
    stopped = _run(root, workers=1, fail_fast=True)
    statuses = [job["status"] for job in stopped.manifest["jobs"].values()]
    assert statuses == ["failed", "not_run", "not_run"]
    assert stopped.exit_code == 1 and stopped.folder.name.endswith(".partial")
    switch.unlink()
    finished = _run(root, resume=stopped.manifest["run"])
    assert finished.exit_code == 0
    assert finished.folder.name == stopped.manifest["run"]


def test_a_run_whose_inputs_have_changed_is_not_resumed(
    make_workspace: MakeWorkspace, tmp_path: Path
) -> None:
    root = make_workspace(tmp_path / "council", "1 / 0")
    stopped = _run(root, workers=1, fail_fast=True)
    peers = root / "parameters/peer_sets.yml"
    peers.write_text(peers.read_text() + "# a remark\n")
    with pytest.raises(PmfError, match="have changed since this run was stopped"):
        _run(root, resume=stopped.manifest["run"])


def test_a_second_run_for_the_same_council_is_refused(sound: Path) -> None:
    code = (
        "import sys; from pmf_analysis.cli import main;"
        "sys.exit(main(['run', '--workspace', sys.argv[1]]))"
    )
    with locked(sound / "outputs" / "tinyshire"):
        done = subprocess.run([sys.executable, "-c", code, sound], capture_output=True, text=True)
    assert done.returncode == 2
    assert "Another run or export for this council is at work." in done.stderr


def test_an_empty_store_runs_nothing(sound: Path) -> None:
    shutil.rmtree(sound / "store")
    with pytest.raises(PmfError, match="No figures had been imported") as raised:
        _run(sound)
    assert raised.value.exit_code == 3
    assert not list((sound / "outputs").rglob("manifest.json"))


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_an_interrupted_run_leaves_no_kernel_and_is_finished_by_resume(
    make_workspace: MakeWorkspace, tmp_path: Path, number: signal.Signals
) -> None:
    switch = tmp_path / "slow"
    switch.touch()
    step = (
        f"import os, pathlib, time\nslow = pathlib.Path({str(switch)!r})\n"
        f"slow.with_name(theme).write_text(str(os.getpid()))\n"
        f"time.sleep(600 if slow.exists() and theme == 'two' else 0)"
    )
    root = make_workspace(tmp_path / "council", step)
    command = [sys.executable, "-m", "pmf_analysis.cli", "run", "--jobs", "1"]
    command += ["--workspace", str(root)]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
        try:
            assert process.stdout is not None
            assert process.stdout.readline().startswith("[1/2] one/trends made")
            at_work = tmp_path / "two"
            while process.poll() is None and not at_work.exists():
                time.sleep(0.05)
            process.send_signal(number)
            rest, _ = process.communicate(timeout=30)
        finally:
            process.kill()
    assert process.returncode == 130
    assert "pmf run --resume 20" in rest
    with pytest.raises(ProcessLookupError):
        os.kill(int(at_work.read_text()), 0)
    manifest = json.loads(next(root.rglob("manifest.json")).read_text())
    assert manifest["status"] == "interrupted"
    assert [job["status"] for job in manifest["jobs"].values()] == ["ok", "not_run"]
    if number is signal.SIGTERM:
        return  # the same code finishes both, and a run takes seconds
    switch.unlink()
    done = subprocess.run([*command, "--resume", manifest["run"]], capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    assert done.stdout.splitlines()[0] == "[1/2] one/trends already made"
    assert done.stdout.splitlines()[-1].endswith("index.html")
