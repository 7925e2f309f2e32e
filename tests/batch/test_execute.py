"""One notebook at a time, with real kernels: nothing may pass for a success that is none."""

from __future__ import annotations

import sys
import threading
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from pmf_analysis.batch.execute import Outcome, execute
from pmf_analysis.batch.kernels import Kernels

RESULTS = "import os, pathlib; pathlib.Path(os.environ['RESULTS']).write_text('a,b\\n1,2\\n')"


@pytest.fixture
def kernels(tmp_path: Path) -> Iterator[Kernels]:
    """Ordinary ones; test_kernel_faults.py has the faults of both kinds."""
    environment = {"PMF_WORKSPACE": str(tmp_path), "RESULTS": str(tmp_path / "results.csv")}
    with Kernels(environment, fork=False) as room:
        yield room


@pytest.fixture
def run_notebook(
    make_notebook: Any, kernels: Kernels, tmp_path: Path, parameters: dict[str, Any]
) -> Any:
    def run(*steps: str, seconds: int = 60, **options: Any) -> Outcome:
        notebook = make_notebook(*steps, **options)
        return execute(notebook, parameters, kernels=kernels, folder=tmp_path, seconds=seconds)

    return run


def test_a_sound_notebook_is_made_in_the_running_python(run_notebook: Any, tmp_path: Path) -> None:
    outcome = run_notebook("import sys; print(sys.executable, seed, theme)", RESULTS)
    assert (outcome.status, outcome.message, outcome.attempts) == ("ok", "", 1)
    shown = outcome.notebook.cells[2].outputs[0].text
    assert shown == f"{sys.executable} 1 people\n"
    assert (tmp_path / "kernel.log").read_text() == ""


@pytest.mark.parametrize(
    ("step", "status", "attempts", "says"),
    [
        ("1 / 0", "failed", 1, 'the cell "step-1" raised ZeroDivisionError: division by zero'),
        ("import sys; sys.exit(0)", "failed", 1, "SystemExit: 0"),
        ("raise MemoryError('full')", "failed", 1, "MemoryError: full"),
        ("import os; os._exit(3)", "kernel_died", 2, 'the kernel died in the cell "step-1"'),
        ("import os; os.kill(os.getpid(), 9)", "kernel_died", 2, "the kernel died"),
        ("print('fine')", "failed", 1, "wrote no results.csv"),
    ],
)
def test_what_goes_wrong_has_its_name(
    run_notebook: Any, step: str, status: str, attempts: int, says: str
) -> None:
    after = RESULTS if "print" not in step else ""
    outcome = run_notebook(step, after)
    assert (outcome.status, outcome.attempts) == (status, attempts)
    assert says in outcome.message


def test_a_cell_that_never_ends_is_timed_out_and_its_words_are_kept(run_notebook: Any) -> None:
    started = time.monotonic()
    outcome = run_notebook("print('before', flush=True)", "import time; time.sleep(60)", seconds=3)
    assert outcome.status == "timed_out"
    assert outcome.cell == "step-2"
    assert time.monotonic() - started < 20
    assert "before" in str(outcome.notebook.cells)


def test_the_limit_is_the_whole_notebooks_and_not_each_cells(run_notebook: Any) -> None:
    steps = ["import time; time.sleep(1.5)"] * 3
    assert run_notebook(*steps, RESULTS, seconds=3).status == "timed_out"


def test_an_error_that_a_tag_forgives_is_still_a_failure(run_notebook: Any) -> None:
    outcome = run_notebook("1 / 0", RESULTS, tags=("raises-exception",))
    assert outcome.status == "failed"


def test_a_cell_that_is_skipped_is_a_failure_even_with_old_output(
    make_notebook: Any, kernels: Kernels, tmp_path: Path, parameters: dict[str, Any]
) -> None:
    notebook = make_notebook("print(1)", tags=("skip-execution",))
    notebook.cells[1].execution_count = 7
    outcome = execute(notebook, parameters, kernels=kernels, folder=tmp_path, seconds=30)
    assert (outcome.status, outcome.message) == ("failed", 'the cell "step-1" never ran')


def test_results_of_an_earlier_run_do_not_count(run_notebook: Any, tmp_path: Path) -> None:
    (tmp_path / "results.csv").write_text("old")
    assert run_notebook("pass").status == "failed"


def test_a_notebook_sees_neither_the_other_nor_the_users_start_up_files(run_notebook: Any) -> None:
    first = run_notebook("import json; json.leak = 1; import os; os.environ['LEAK'] = '1'", RESULTS)
    second = run_notebook(
        "import json, os; assert not hasattr(json, 'leak') and 'LEAK' not in os.environ", RESULTS
    )
    assert (first.status, second.status) == ("ok", "ok")


def test_stopping_kills_the_kernel_at_work(run_notebook: Any, kernels: Kernels) -> None:
    started = time.monotonic()
    threading.Timer(2, kernels.stop).start()
    outcome = run_notebook("import time; time.sleep(60)", RESULTS)
    assert outcome.status == "not_run"
    assert time.monotonic() - started < 15
    assert run_notebook("pass", RESULTS).status == "not_run"
