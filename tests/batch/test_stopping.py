"""What stops a whole run, with real processes: it can be finished, and nothing is left behind."""

from __future__ import annotations

import json
import os
import resource
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

MakeWorkspace = Callable[..., Path]
# Writes its kernel's process number down; the last theme then waits as long as the switch is there.
WAITS = """\
import os, pathlib, time
switch = pathlib.Path({!r})
switch.with_name(theme).write_text(str(os.getpid()))
while switch.exists() and theme == "two":
    time.sleep(0.05)
"""
LIMITED = """\
import resource, sys
from pathlib import Path
from datetime import UTC, datetime
from pmf_analysis.batch.plan import make_plan
from pmf_analysis.batch.running import Options, run_plan
from pmf_analysis.parameters.workspace import Workspace
from pmf_analysis.problems import PmfError

def fill_the_disk(job, done, total):
    resource.setrlimit(resource.RLIMIT_FSIZE, (500, resource.RLIM_INFINITY))

plan = make_plan(Workspace(Path(sys.argv[1])))
try:
    run_plan(plan, Options(workers=1), now=datetime.now(UTC), on_job=fill_the_disk)
except PmfError as error:
    print(error, error.exit_code)
"""


def _command(root: Path, *more: str) -> list[str]:
    return [sys.executable, "-m", "pmf_analysis.cli", "run", "--workspace", str(root), *more]


def _wait_for(happened: Callable[[], bool], seconds: float = 60) -> None:
    end = time.monotonic() + seconds
    while not happened():
        assert time.monotonic() < end, "it did not happen"
        time.sleep(0.02)


def _is_alive(pid: str) -> bool:
    state = Path(f"/proc/{pid}/stat")
    return state.exists() and ") Z " not in state.read_text(encoding="utf-8")


@pytest.fixture
def switch(tmp_path: Path) -> Iterator[Path]:
    path = tmp_path / "switch"
    path.touch()
    yield path
    path.unlink(missing_ok=True)


@pytest.fixture
def waiting(make_workspace: MakeWorkspace, tmp_path: Path, switch: Path) -> Path:
    return make_workspace(tmp_path / "council", WAITS.format(str(switch)))


def test_a_killed_driver_leaves_no_kernel_and_its_run_is_finished(
    waiting: Path, switch: Path, tmp_path: Path
) -> None:
    with subprocess.Popen(_command(waiting, "--jobs", "1"), stdout=subprocess.PIPE) as process:
        try:
            at_work = tmp_path / "two"
            _wait_for(lambda: at_work.exists() and at_work.read_text() != "")
        finally:
            process.kill()
    _wait_for(lambda: not _is_alive(at_work.read_text()))
    place = next(waiting.glob("outputs/*/*/*.partial"))
    manifest = json.loads((place / "manifest.json").read_text())
    statuses = {id: job["status"] for id, job in manifest["jobs"].items()}
    assert statuses == {"one/trends": "ok", "two/trends": "not_run"}
    assert not (place / "two" / "trends" / "report.html").exists()
    (place / ".manifest.json.tmp").write_text('{"half')  # as a killed writer leaves it
    switch.unlink()
    command = _command(waiting, "--resume", manifest["run"])
    done = subprocess.run(command, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    assert "[1/2] one/trends already made" in done.stdout
    assert not list(waiting.glob("outputs/**/.*.tmp"))
    assert not list(waiting.glob("outputs/*/*/*.partial"))


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_a_stop_before_anything_was_made_says_so(waiting: Path, number: signal.Signals) -> None:
    with subprocess.Popen(_command(waiting), stderr=subprocess.PIPE, text=True) as process:
        # The lock is taken right before measuring, which takes longer than this needs.
        _wait_for(lambda: any(waiting.glob("outputs/*/.lock")))
        process.send_signal(number)
        _, told = process.communicate(timeout=30)
    assert process.returncode == 130
    assert "Traceback" not in told
    for folder in waiting.glob("outputs/*/*/*"):
        assert json.loads((folder / "manifest.json").read_text())["status"] == "interrupted"


def test_two_runs_at_once_never_mix(waiting: Path, switch: Path, tmp_path: Path) -> None:
    with subprocess.Popen(_command(waiting), stdout=subprocess.PIPE) as first:
        try:
            _wait_for(lambda: (tmp_path / "two").exists())
            second = subprocess.run(_command(waiting), capture_output=True, text=True)
            switch.unlink()
            assert first.wait(60) == 0
        finally:
            first.kill()
    assert second.returncode == 2
    assert "Another run or export for this council is at work" in second.stderr
    (only,) = waiting.glob("outputs/*/*/*")
    assert json.loads((only / "manifest.json").read_text())["status"] == "complete"


def _small_files_only() -> None:
    resource.setrlimit(resource.RLIMIT_FSIZE, (1_000_000, 1_000_000))


def test_a_report_that_does_not_fit_on_the_disk_fails_alone(
    make_workspace: MakeWorkspace, tmp_path: Path
) -> None:
    large = "print('x' * (2_000_000 if theme == 'two' else 1))"
    root = make_workspace(tmp_path / "council", large)
    done = subprocess.run(
        _command(root), capture_output=True, text=True, preexec_fn=_small_files_only
    )
    assert done.returncode == 1, done.stderr
    (place,) = root.glob("outputs/*/*/*")
    jobs = json.loads((place / "manifest.json").read_text())["jobs"]
    assert {id: job["status"] for id, job in jobs.items()} == {
        "one/trends": "ok",
        "two/trends": "failed",
    }
    assert "could not be written: File too large" in done.stdout
    assert not list((place / "two" / "trends").rglob("*.*"))


def test_a_manifest_that_cannot_be_written_stops_the_run_and_leaves_the_last_one(
    make_workspace: MakeWorkspace, tmp_path: Path
) -> None:
    root = make_workspace(tmp_path / "council", themes=("one", "two", "three"))
    code = [sys.executable, "-c", LIMITED, str(root)]
    done = subprocess.run(code, capture_output=True, text=True, check=True)
    assert "could not be written on: File too large" in done.stdout
    assert "pmf run --resume 20" in done.stdout and done.stdout.rstrip().endswith(" 1")
    (place,) = root.glob("outputs/*/*/*.partial")
    jobs = json.loads((place / "manifest.json").read_text())["jobs"]
    assert jobs["one/trends"]["status"] == "ok"
    command = _command(root, "--resume", place.name.removesuffix(".partial"))
    resumed = subprocess.run(command, capture_output=True, text=True)
    assert resumed.returncode == 0, resumed.stderr
    assert "[1/3] one/trends already made" in resumed.stdout


FILLS = """\
import contextlib, os, pathlib
if theme == "c":
    filler = pathlib.Path(os.environ["PMF_WORKSPACE"], "x")
    with contextlib.suppress(OSError), filler.open("wb") as x:
        while True:
            x.write(bytes(100_000))
            x.flush()
"""


def test_a_disk_that_fills_up_leaves_no_broken_file(
    make_workspace: MakeWorkspace, tmp_path: Path
) -> None:
    """On a file system of its own, which the third notebook fills."""
    disk = tmp_path / "disk"
    disk.mkdir()
    mount = ["mount", "-t", "tmpfs", "-o", "size=230m", "tmpfs", str(disk)]
    if os.geteuid() != 0 or subprocess.run(mount, capture_output=True).returncode:
        pytest.skip("only root can mount a small disk; the limits above are tested anyway")
    try:
        root = make_workspace(disk / "council", FILLS, themes=tuple("abcde"))
        done = subprocess.run(_command(root, "--jobs", "1"), capture_output=True, text=True)
        assert done.returncode == 1 and "Traceback" not in done.stderr
        assert "pmf run --resume 20" in done.stderr
        (place,) = root.glob("outputs/*/*/*.partial")
        jobs = json.loads((place / "manifest.json").read_text())["jobs"]
        assert jobs["b/trends"]["status"] == "ok" and jobs["d/trends"]["status"] != "ok"
        for id, job in jobs.items():
            names = {path.name for path in (place / id).glob("*")}
            assert job["status"] == "ok" or "report.html" not in names
        (root / "x").unlink()
        command = _command(root, "--resume", place.name.removesuffix(".partial"), "--jobs", "1")
        again = subprocess.run(command, capture_output=True, text=True)
        assert "[1/5] a/trends already made" in again.stdout and again.returncode == 1
    finally:
        subprocess.run(["umount", str(disk)], check=True)
