"""Run one notebook with papermill, and decide ourselves whether it succeeded.

What papermill writes into a notebook is not evidence: after a dead kernel or a time-out every cell
reads "completed", and ``sys.exit(0)`` in a cell ends the notebook with no error at all. So success
here means: nothing was raised, every code cell ran, no output is an error, the parameters are the
ones asked for, and the notebook wrote its ``results.csv``.
"""

import logging
import threading
import time
from collections.abc import Mapping
from copy import deepcopy
from dataclasses import dataclass, field, replace
from functools import partial
from pathlib import Path
from typing import Any, Literal

from pmf_analysis.batch.kernels import KERNEL_NAME, KERNELS, Kernels

Status = Literal["ok", "failed", "kernel_died", "timed_out", "skipped", "not_run"]

_GRACE_SECONDS = 30
# A forked kernel (True) is ready at once, or has hung and an ordinary one is tried.
_START_SECONDS = {True: 20, False: 60}
_SILENT = logging.NullHandler()  # a handler is added to a logger only once


@dataclass(frozen=True)
class Outcome:
    """What became of one notebook.

    Attributes
    ----------
    status
        ``ok``, or why there is no report: ``failed`` (the notebook's own fault), ``kernel_died``,
        ``timed_out``, ``not_run`` (the run was stopped first).
    message
        Why, one plain sentence; "" when all is well.
    cell
        Id of the cell at fault, where one is known.
    notebook
        The notebook with the outputs of the cells that ran; None when none did.
    seconds, attempts, retried
        Wall time over all attempts, how many there were, and why the first was given up, "" when
        it was not; only a kernel that died or did not start is tried again.
    cpu_seconds, peak_mb
        Processor time and most memory of the last attempt's kernel, 0 where not known.
    """

    status: Status
    message: str = ""
    cell: str = ""
    notebook: Any = None
    seconds: float = 0.0
    attempts: int = 1
    retried: str = ""
    cpu_seconds: float = 0.0
    peak_mb: int = 0


@dataclass
class _Work:
    """One attempt: the cells as the client works on them, which papermill drops when it raises."""

    source: Any
    parameters: Mapping[str, Any]
    seconds: int
    cell_seconds: int
    cells: dict[int, Any] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self.deadline = time.monotonic() + self.seconds

    def start_cell(self, cell: Any, cell_index: int) -> None:
        self.cells[cell_index] = cell

    def seconds_left(self, _cell: Any = None) -> int:
        """Return the time of the next cell, at least one second, within the notebook's."""
        return max(1, min(self.cell_seconds, round(self.deadline - time.monotonic())))

    def time_out(self) -> str:
        """Say which of the two limits was passed."""
        limits = (self.cell_seconds, "cell"), (self.seconds, "notebook")
        seconds, what = limits[time.monotonic() >= self.deadline - 1]  # limits are whole seconds
        why = f"was still running after the {seconds} seconds that a {what} may take"
        return f'the cell "{self.current_cell}" {why}'

    @property
    def current_cell(self) -> str:
        return str(self.cells[max(self.cells)].get("id", "")) if self.cells else ""

    def unfinished(self) -> Any:
        """Return the notebook with what its cells showed before the end came."""
        notebook = deepcopy(self.source)
        reached = [deepcopy(self.cells[index]) for index in sorted(self.cells)]
        ids = {cell.get("id") for cell in reached}
        notebook.cells = reached + [c for c in notebook.cells if c.get("id") not in ids]
        return notebook


def execute(
    source: Any,
    parameters: Mapping[str, Any],
    *,
    kernels: Kernels,
    folder: Path,
    seconds: int,
    cell_seconds: int = 10**6,
) -> Outcome:
    """Run a notebook in a kernel of its own and say what became of it; never raises.

    A kernel that died is tried once more, in the ordinary way, because the fault may have been the
    machine's or the fork's; a cell that raised never is.

    Parameters
    ----------
    source
        The notebook node to run; it is not changed. Old outputs are dropped, so that nothing shown
        can be left over from another run.
    parameters
        The values of the notebook's ``parameters`` cell, all of them.
    folder
        Where the notebook writes its ``results.csv``; a kernel's own last words go to
        ``kernel.log`` there while it runs.
    seconds, cell_seconds
        Time for the whole notebook, and for each cell within it.
    """
    from nbconvert.preprocessors import ClearOutputPreprocessor

    started = time.monotonic()
    # Old outputs go, or cells that are not reached would show them. (nbconvert has no types.)
    source, _ = ClearOutputPreprocessor().preprocess(deepcopy(source), {})  # type: ignore[no-untyped-call]
    work = partial(_Work, source, parameters, seconds, cell_seconds)
    outcome = _attempt(work(), kernels, folder, fork=True)
    if outcome.status == "kernel_died" and not kernels.stopped:
        again = _attempt(work(), kernels, folder, fork=False)
        outcome = replace(again, attempts=2, retried=outcome.message)
    if kernels.stopped and outcome.status != "ok":
        outcome = replace(outcome, status="not_run", message="the run was stopped")
    return replace(outcome, seconds=time.monotonic() - started)


def _attempt(work: _Work, kernels: Kernels, folder: Path, *, fork: bool) -> Outcome:
    results = folder / "results.csv"
    results.unlink(missing_ok=True)
    with (folder / "kernel.log").open("wb") as log:
        kernel = kernels.manager_class(log, fork=fork)
        # A client that waits for ever sees its kernel die.
        watchdog = threading.Timer(work.seconds + _GRACE_SECONDS, kernel.kill)
        watchdog.start()
        try:
            done = _run(work, kernel, _START_SECONDS[fork])
            cell, why = _fault(done, work.parameters, results)
            outcome = Outcome("failed" if why else "ok", why, cell, done)
        # Whatever happens to one notebook must not reach the others of the run.
        except Exception as error:
            _forget_tasks()
            outcome = _explain(error, work)
        finally:
            watchdog.cancel()
    return replace(outcome, **kernel.used)


def _run(work: _Work, kernel: type, start_seconds: int) -> Any:
    import papermill

    # Its warnings would otherwise land on the operator's screen; ours say the same, once.
    logging.getLogger("papermill").addHandler(_SILENT)
    how = {"kernel_manager_class": kernel, "start_timeout": start_seconds, **KERNELS["papermill"]}
    how |= {"timeout_func": work.seconds_left, "on_cell_start": work.start_cell}
    given = {"parameters": dict(work.parameters), "kernel_name": KERNEL_NAME}
    return papermill.execute_notebook(deepcopy(work.source), None, **given, **how)


def _forget_tasks() -> None:
    """End what nbclient leaves waiting in this thread's event loop, which would complain later."""
    import asyncio

    from jupyter_core.utils import ensure_event_loop

    loop = ensure_event_loop()
    for task in (pending := asyncio.all_tasks(loop)):
        task.cancel()
    loop.run_until_complete(asyncio.gather(*pending, return_exceptions=True))


def _explain(error: Exception, work: _Work) -> Outcome:
    """Name what an exception of papermill, nbclient or jupyter_client means."""
    from nbclient.exceptions import CellTimeoutError, DeadKernelError
    from papermill.exceptions import PapermillExecutionError

    cell = work.current_cell
    status: Status = "failed"
    message = f'{type(error).__name__} in the cell "{cell}": {error}'
    if isinstance(error, PapermillExecutionError):
        message = f'the cell "{cell}" raised {error.ename}: {error.evalue}'
    # Past its time and the grace, the watchdog has ended the kernel.
    elif isinstance(error, CellTimeoutError) or time.monotonic() > work.deadline + _GRACE_SECONDS:
        status, message = "timed_out", work.time_out()
    elif not cell:
        status, message = "kernel_died", f"the kernel did not start: {error}"
    elif isinstance(error, DeadKernelError):
        status = "kernel_died"
        message = f'the kernel died in the cell "{cell}"; perhaps the memory ran out'
    return Outcome(status, message, cell, work.unfinished())


def _fault(notebook: Any, parameters: Mapping[str, Any], results: Path) -> tuple[str, str]:
    """Return what is wrong, and in which cell, of a notebook that papermill did not complain of."""
    for cell in notebook.cells:
        if cell.cell_type != "code" or not cell.source.strip():
            continue
        name = str(cell.get("id", ""))
        for output in cell.outputs:
            if output.output_type == "error":
                what = f"{output.ename}: {output.evalue}"
                return name, f'the cell "{name}" ended the notebook: {what}'
        if cell.execution_count is None:
            return name, f'the cell "{name}" never ran'
    if dict(notebook.metadata.papermill.parameters) != dict(parameters):
        return "", "the parameters of the run did not arrive"
    return "", "" if results.is_file() else "the notebook wrote no results.csv"
