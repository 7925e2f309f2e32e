"""Faults of kernels, forked and ordinary: never a false success, and never a neighbour's harm."""

from __future__ import annotations

import os
import threading
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest

from pmf_analysis.batch import execute as executing
from pmf_analysis.batch.execute import Outcome, execute
from pmf_analysis.batch.kernels import Kernels

PIDS = "import os, pathlib; pathlib.Path(run_folder, f'{os.getpid()}.pid').touch()"
RESULTS = "pathlib.Path(run_folder, 'results.csv').write_text('a')"
LIMIT = "import resource; resource.setrlimit(resource.{0}, ({1}, {1}))\n"
ENDLESS = "while True: pass"
# Holds the interpreter's lock too, so that not even the heart-beat is heard.
DEAF = (
    "import ctypes, signal; signal.signal(signal.SIGINT, signal.SIG_IGN)\n"
    "ctypes.PyDLL(None).sleep(600)"
)
STOPPED = "import signal; os.kill(os.getpid(), signal.SIGSTOP)"
OF_CELL = "was still running after the 3 seconds that a cell may take"
Run = Callable[..., Outcome]


@pytest.fixture(scope="module", params=[True, False], ids=["forked", "ordinary"])
def room(request: pytest.FixtureRequest) -> Iterator[Kernels]:
    with Kernels({}, fork=request.param) as kernels:
        yield kernels


@pytest.fixture
def run(make_notebook: Any, room: Kernels, parameters: dict[str, Any], tmp_path: Path) -> Run:
    def run_steps(*steps: str, name: str = "faulty", seconds: int = 60, cell: int = 60) -> Outcome:
        folder = tmp_path / name
        folder.mkdir()
        values = parameters | {"run_folder": str(folder)}
        notebook = make_notebook(PIDS, *steps, RESULTS)
        limits = {"seconds": seconds, "cell_seconds": cell}
        return execute(notebook, values, kernels=room, folder=folder, **limits)

    return run_steps


def all_gone(place: Path, seconds: float = 30) -> bool:
    """Whether every kernel that ever ran here has ended, a zombie being none that has."""
    pids = [path.stem for path in place.rglob("*.pid")]
    assert pids
    end = time.monotonic() + seconds
    while any(Path(f"/proc/{pid}").exists() for pid in pids) and time.monotonic() < end:
        time.sleep(0.02)
    return not any(Path(f"/proc/{pid}").exists() for pid in pids)


@pytest.mark.skipif(os.name != "posix", reason="limits and signals of POSIX")
@pytest.mark.parametrize(
    ("step", "status", "says"),
    [
        ("1 / 0", "failed", 'the cell "step-2" raised ZeroDivisionError: division by zero'),
        ("import sys; sys.exit(0)", "failed", 'the cell "step-2" ended the notebook: SystemExit'),
        ("os._exit(3)", "kernel_died", 'the kernel died in the cell "step-2"'),
        ("os.kill(os.getpid(), 9)", "kernel_died", 'the kernel died in the cell "step-2"'),
        (LIMIT.format("RLIMIT_AS", 2**32) + "b'0' * 2**33", "failed", "raised MemoryError"),
        (LIMIT.format("RLIMIT_CPU", 3) + ENDLESS, "kernel_died", "perhaps the memory ran out"),
        (ENDLESS, "timed_out", OF_CELL),
        (DEAF, "timed_out", OF_CELL),
        (STOPPED, "timed_out", OF_CELL),
    ],
    ids=["raises", "exits", "_exits", "killed", "memory", "limit", "endless", "deaf", "stopped"],
)
def test_a_fault_has_its_name_and_stays_its_own(
    run: Run, tmp_path: Path, step: str, status: str, says: str
) -> None:
    cell = 3 if status == "timed_out" else 60
    with ThreadPoolExecutor(2) as pool:
        faulty = pool.submit(run, "print('before')", step, cell=cell)
        sound = pool.submit(run, "print('fine')", name="neighbour")
    outcome = faulty.result()
    assert (outcome.status, outcome.cell) == (status, "step-3")
    assert says.replace("step-2", "step-3") in outcome.message
    assert outcome.attempts == (2 if status == "kernel_died" else 1)
    assert bool(outcome.retried) == (status == "kernel_died")
    assert "before" in str(outcome.notebook.cells)
    assert not (tmp_path / "faulty" / "results.csv").exists()
    assert sound.result().status == "ok" and sound.result().attempts == 1
    assert all_gone(tmp_path)


def test_the_notebooks_time_is_that_of_all_its_cells(run: Run, tmp_path: Path) -> None:
    outcome = run(*["import time; time.sleep(1.5)"] * 4, seconds=4)
    assert outcome.status == "timed_out"
    assert outcome.message.endswith("still running after the 4 seconds that a notebook may take")
    assert all_gone(tmp_path)


def test_a_client_that_would_wait_for_ever_is_ended(
    run: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(executing, "_GRACE_SECONDS", 1)
    monkeypatch.setattr(executing._Work, "seconds_left", lambda *_: 600)
    started, threads = time.monotonic(), threading.active_count()
    outcome = run(ENDLESS, seconds=4)
    assert (
        outcome.status == "timed_out" and "after the 4 seconds that a notebook" in outcome.message
    )
    assert time.monotonic() - started < 60
    assert all_gone(tmp_path)
    assert threading.active_count() <= threads
