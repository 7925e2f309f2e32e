"""A real scheduler and real workers on this machine, some of which are killed."""

from __future__ import annotations

import json
import os
import shutil
import signal
import socket
import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import fsspec
import psutil
import pytest

import pmf_analysis
from pmf_analysis.batch.cluster import connected, copy_run, make_reports
from pmf_analysis.batch.manifest import describe_files, is_unchanged
from pmf_analysis.batch.pages import describe_pages
from pmf_analysis.batch.plan import make_plan
from pmf_analysis.batch.reports import Order
from pmf_analysis.cli import main
from pmf_analysis.parameters.workspace import Workspace
from pmf_analysis.problems import PmfError

Client = pytest.importorskip("distributed", reason="the extra cluster is not installed").Client

PACKAGE = Path(pmf_analysis.__file__).parent
MakeWorkspace = Callable[..., Path]
PATIENCE = 120  # seconds; nothing waits so long unless it is broken
# Reads what must have come with the order, and leaves a mark; some themes do some harm.
STEP = """\
import os, pathlib, time
import psutil
root, marks = pathlib.Path(os.environ["PMF_WORKSPACE"]), pathlib.Path({marks!r})
assert (root / run_folder / "measures" / "trends.parquet").read_bytes() == b"figures"
assert (root / "parameters" / "framework.yml").is_file()
(marks / f"{{theme}}.{{os.getpid()}}").write_text(str(root))
if theme == "raises":
    1 / 0
if theme == "ends_its_worker":
    next(each for each in psutil.Process().parents() if "spawn_main" in str(each.cmdline())).kill()
while theme == "waits" and (marks / "gate").exists():
    time.sleep(0.02)
"""
FREE_PORTS = ("--port", "0", "--dashboard-address", "127.0.0.1:0")
EXPECTED = {"sound": "ok", "raises": "failed"}


def _until(true: Callable[[], Any], what: str = "") -> None:
    deadline = time.monotonic() + PATIENCE
    while not true():
        assert time.monotonic() < deadline, f"waited in vain for {what or true}"
        time.sleep(0.05)


class Machines:
    """A scheduler and workers, each a nanny with its worker, as separate processes."""

    def __init__(self, folder: Path, opened: ExitStack, **variables: str) -> None:
        self.folder, self.scratch, self._opened = folder, folder / "scratch", opened
        for place in (folder / "tmp", self.scratch):
            place.mkdir()
        told = folder / "scheduler.json"
        self._start("dask_scheduler", *FREE_PORTS, "--scheduler-file", str(told), **variables)
        _until(lambda: told.exists() and told.read_text().endswith("}"), "the scheduler")
        self.address = json.loads(told.read_text())["address"]

    def _start(self, program: str, *options: str, **variables: str) -> psutil.Popen:
        command = [sys.executable, "-m", f"distributed.cli.{program}", "--host", "127.0.0.1"]
        environment = {**os.environ, "TMPDIR": str(self.folder / "tmp"), **variables}
        with (self.folder / "log").open("ab") as log:
            out = {"env": environment, "cwd": self.folder, "stdout": log, "stderr": log}
            process = psutil.Popen([*command, "--no-dashboard", *options], **out)
        self._opened.callback(_end, process)
        return process

    def add_worker(self, **variables: str) -> psutil.Popen:
        """Start a nanny with one worker, which clears what a dead one left in the scratch space."""
        place = ["--local-directory", str(self.scratch)]
        return self._start("dask_worker", self.address, "--nthreads", "1", *place, **variables)

    def left(self) -> list[str]:
        """Folders of runs that are still there, and processes that still know one."""
        found = [where for where, names, _ in os.walk(self.scratch) if "parameters" in names]
        for process in psutil.process_iter():
            try:
                known = process.environ().get("PMF_WORKSPACE", "")
            except psutil.Error:
                continue
            found += [f"process {process.pid}"] if known.startswith(str(self.folder)) else []
        return found


def _end(process: psutil.Popen) -> None:
    try:
        family = [process, *process.children(recursive=True)]
        process.terminate()
        psutil.wait_procs([process], timeout=10)
    except psutil.NoSuchProcess:
        return
    for each in family:
        if each.is_running():
            each.kill()


@pytest.fixture
def machines(tmp_path: Path) -> Iterator[Machines]:
    with ExitStack() as opened:
        yield Machines(tmp_path, opened)


Ordered = Callable[..., tuple[Path, Path, list[Order]]]


@pytest.fixture
def marks(tmp_path: Path) -> Path:
    """Where each kernel leaves its theme, its process and its workspace."""
    folder = tmp_path / "marks"
    folder.mkdir()
    return folder


@pytest.fixture
def ordered(make_workspace: MakeWorkspace, tmp_path: Path, marks: Path) -> Ordered:
    """A workspace with the given themes, its run folder, and the orders of the run."""

    def make(*themes: str) -> tuple[Path, Path, list[Order]]:
        root = make_workspace(tmp_path / "council", STEP.format(marks=str(marks)), themes=themes)
        folder = root / "outputs" / "tinyshire" / "2026-27-q2" / "20261102T093000Z-0000.partial"
        (folder / "measures").mkdir(parents=True)
        (folder / "measures" / "trends.parquet").write_bytes(b"figures")
        plan = make_plan(Workspace(root))
        text, about = plan.notebooks["trends"].read_text(encoding="utf-8"), describe_pages(plan)
        where = folder.relative_to(root).as_posix()
        orders = [
            Order(job, text, plan.notebook_parameters(job, where), about, 60, 60)
            for job in plan.jobs
        ]
        return root, folder, orders

    return make


def _worker_of(client: Any, nanny: psutil.Popen) -> psutil.Process:
    workers = [psutil.Process(pid) for pid in client.run(os.getpid).values()]
    return next(worker for worker in workers if worker.ppid() == nanny.pid)


def _kill(worker: psutil.Process) -> list[str]:
    """Kill a worker; the folders that its preloaded processes, if it has any, must now clear."""
    commands = [child.cmdline() for child in worker.children()]
    worker.kill()
    return [command[-1] for command in commands if "pmf_analysis.batch.preloaded" in command]


def test_42_reports_outlive_a_worker_and_a_machine(
    machines: Machines, ordered: Ordered, marks: Path, tmp_path: Path
) -> None:
    themes = [f"theme{number}" for number in range(42)]
    root, folder, orders = ordered(*themes)
    first, second = machines.add_worker(), machines.add_worker()
    records: list[dict[str, Any]] = []
    with connected(machines.address, seconds=PATIENCE) as client:
        client.wait_for_workers(2, timeout=PATIENCE)
        doomed = [_worker_of(client, nanny) for nanny in (first, second)]
        connections: list[str] = []
        for record in make_reports(client, orders, root, folder):
            records.append(record)
            if len(records) == 6:  # a worker dies; its nanny starts another
                connections += _kill(doomed[0])
            if len(records) == 20:  # a machine is lost
                second.kill()
                connections += _kill(doomed[1])
    assert sorted(record["id"] for record in records) == sorted(f"{name}/trends" for name in themes)
    assert [record for record in records if record["status"] != "ok"] == []
    for record in records:
        assert set(record["files"]) == {"notebook.ipynb", "report.html", "results.csv"}
        assert is_unchanged(folder / record["id"], record["files"])
    assert len(describe_files(folder)) == 42 * 3 + 1
    assert len({path.read_text() for path in marks.iterdir()}) == 3  # one workspace a worker
    for trace in (str(tmp_path), socket.gethostname(), "127.0.0.1"):
        assert trace not in json.dumps(records)
    assert not list(folder.rglob(".*.tmp"))
    machines.add_worker()  # on the lost machine's disk, which it clears first
    _until(lambda: not machines.left(), "nothing to be left")
    _until(lambda: not [place for place in connections if Path(place).exists()], "no sockets")


def _interrupt_when(true: Callable[[], Any]) -> None:
    _until(true, "a report to be begun")
    os.kill(os.getpid(), signal.SIGINT)


def test_a_run_that_is_given_up_withdraws_what_nobody_has_begun(
    machines: Machines, ordered: Ordered, marks: Path
) -> None:
    gate = marks / "gate"
    gate.touch()
    root, folder, orders = ordered("waits", *(f"theme{number}" for number in range(9)))
    machines.add_worker()
    with connected(machines.address, seconds=PATIENCE) as client:
        made = make_reports(client, orders, root, folder)
        # The only worker is held up by the one that waits, and then the driver is interrupted.
        threading.Thread(target=_interrupt_when, args=[lambda: [*marks.glob("waits.*")]]).start()
        with pytest.raises(KeyboardInterrupt):
            list(made)
        gate.unlink()
        _until(lambda: not machines.left(), "nothing to be left")
    begun = {path.name.split(".")[0] for path in marks.iterdir()}
    assert "waits" in begun and len(begun) < len(orders)
    assert {path.name for path in folder.iterdir()} == begun - {"waits"} | {"measures"}


def test_a_report_that_fails_or_ends_its_worker_costs_no_other(
    ordered: Ordered, tmp_path: Path
) -> None:
    root, folder, orders = ordered("sound", "raises", "ends_its_worker")
    with ExitStack() as opened:
        machines = Machines(tmp_path, opened, DASK_DISTRIBUTED__SCHEDULER__ALLOWED_FAILURES="0")
        machines.add_worker()
        with connected(machines.address, seconds=PATIENCE) as client:
            both = {
                record["theme"]: record for record in make_reports(client, orders[:2], root, folder)
            }
            (last,) = make_reports(client, orders[2:], root, folder)
    assert [both[name]["status"] for name in ("sound", "raises")] == ["ok", "failed"]
    assert "ZeroDivisionError" in both["raises"]["message"]
    assert [path.name for path in (folder / "raises/trends").iterdir()] == ["notebook.failed.ipynb"]
    assert (last["status"], last["files"]) == ("failed", {})
    assert last["message"].startswith("no worker could make it (KilledWorker)")


def test_a_cluster_that_cannot_be_used_is_told(
    machines: Machines, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    def told(address: str) -> str:
        with pytest.raises(PmfError) as raised, connected(address, seconds=1):
            pass
        assert raised.value.exit_code == 2
        return str(raised.value)

    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        nobody = f"tcp://127.0.0.1:{free.getsockname()[1]}"
    assert f"No Dask cluster with at least one worker answers at {nobody}" in told(nobody)
    assert "answers at nonsense" in told("nonsense")
    assert f"answers at {machines.address}" in told(machines.address)  # no worker yet
    other = tmp_path / "other"
    shutil.copytree(PACKAGE, other / PACKAGE.name)
    (other / PACKAGE.name / "problems.yml").write_text("{}")
    machines.add_worker(PYTHONPATH=str(other))
    with Client(machines.address, set_as_default=False) as client:
        client.wait_for_workers(1, timeout=PATIENCE)
    found = told(machines.address)
    assert "A worker of the cluster runs another program than this machine: files of pmf" in found
    monkeypatch.setitem(sys.modules, "distributed", None)
    assert "pip install dask distributed" in told(machines.address)


def test_a_copied_run_has_its_manifest_last(tmp_path: Path) -> None:
    run = tmp_path / "outputs" / "tinyshire" / "2026-27-q2" / "20261102T093000Z-0000"
    texts = {"manifest.json": "{}", "index.html": "index", "zoo/trends/report.html": "report"}
    for name, text in texts.items():
        (run / name).parent.mkdir(parents=True, exist_ok=True)
        (run / name).write_text(text)
    memory = fsspec.filesystem("memory")
    try:
        for _ in range(2):  # again in the place of the first
            copy_run(run, "memory://reports/")
        place = "/reports/tinyshire/2026-27-q2/20261102T093000Z-0000"
        assert {name: memory.cat(f"{place}/{name}").decode() for name in texts} == texts
        assert [*memory.store][-1] == f"{place}/manifest.json"
    finally:
        memory.store.clear()
    copy_run(run, (tmp_path / "copies").as_uri())
    copied = tmp_path / "copies" / run.relative_to(tmp_path / "outputs")
    assert {name: (copied / name).read_text() for name in texts} == texts
    (tmp_path / "file").touch()
    for url in ("nonsense://there", str(tmp_path / "file")):
        with pytest.raises(PmfError, match="could not be copied") as raised:
            copy_run(run, url)
        assert raised.value.exit_code == 1 and str(tmp_path) not in str(raised.value)


def test_the_command_makes_on_a_cluster_what_it_makes_here(
    machines: Machines, make_workspace: MakeWorkspace, tmp_path: Path
) -> None:
    machines.add_worker()
    root = make_workspace(tmp_path / "council")
    there, run = tmp_path / "there", ["run", "--fresh", "--workspace", str(root)]
    assert main([*run, "--cluster", machines.address, "--copy-to", str(there)]) == 0
    assert main(run) == 0
    on_cluster, here = sorted(root.glob("outputs/*/*/2*"))
    copied = there.joinpath(*on_cluster.parts[-3:])
    for file in (path for path in here.rglob("*.*") if path.suffix not in (".json", ".log")):
        name = file.relative_to(here)
        assert (on_cluster / name).read_bytes() == file.read_bytes() == (copied / name).read_bytes()
    assert (copied / "manifest.json").is_file() and (copied / "run.log").is_file()
    _until(lambda: not machines.left(), "the worker to clear up")
