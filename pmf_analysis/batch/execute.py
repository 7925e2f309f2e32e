"""Run one notebook with papermill, and decide ourselves whether it succeeded.

What papermill writes into a notebook is not evidence: after a dead kernel or a time-out every cell
reads "completed", and ``sys.exit(0)`` in a cell ends the notebook with no error at all. So success
here means: nothing was raised, every code cell ran, no output is an error, the parameters are the
ones asked for, and the notebook wrote its ``results.csv``.
"""

from __future__ import annotations

import logging
import time
from collections.abc import Mapping
from copy import deepcopy
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal

from pmf_analysis.batch.kernels import KERNEL_NAME, Kernels

Status = Literal["ok", "failed", "kernel_died", "timed_out", "skipped", "not_run"]

_ATTEMPTS = 2
_START_SECONDS = 60
_IOPUB_SECONDS = 30
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
    seconds, attempts
        Wall time over all attempts, and how many there were; only a dead kernel is tried again.
    notebook
        The notebook with the outputs of the cells that ran; None when none did.
    """

    status: Status
    message: str = ""
    cell: str = ""
    seconds: float = 0.0
    attempts: int = 1
    notebook: Any = None


@dataclass
class _Work:
    """One attempt: the cells as the client works on them, which papermill drops when it raises."""

    source: Any
    deadline: float
    cells: dict[int, Any] = field(default_factory=dict)

    def start_cell(self, cell: Any, cell_index: int) -> None:
        self.cells[cell_index] = cell

    def seconds_left(self, _cell: Any = None) -> int:
        """Return what the notebook's time leaves for the next cell, at least one second."""
        return max(1, round(self.deadline - time.monotonic()))

    @property
    def current_cell(self) -> str:
        return str(self.cells[max(self.cells)].get("id", "")) if self.cells else ""

    def unfinished(self) -> Any:
        """Return the notebook with what its cells showed before the end came."""
        notebook = deepcopy(self.source)
        if self.cells:
            reached = [deepcopy(self.cells[index]) for index in sorted(self.cells)]
            ids = {cell.get("id") for cell in reached}
            notebook.cells = reached + [c for c in notebook.cells if c.get("id") not in ids]
        return notebook


def execute(
    source: Any, parameters: Mapping[str, Any], *, kernels: Kernels, folder: Path, seconds: int
) -> Outcome:
    """Run a notebook in a kernel of its own and say what became of it; never raises.

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
    seconds
        Time for the whole notebook; what is left of it limits each cell.

    Returns
    -------
    Outcome
        A kernel that died is tried once more, because the fault may have been the machine's; a
        cell that raised never is.
    """
    started, attempts = time.monotonic(), 0
    while True:
        attempts += 1
        outcome = _attempt(without_outputs(source), parameters, kernels, folder, seconds)
        if outcome.status != "kernel_died" or attempts == _ATTEMPTS or kernels.stopped:
            break
    status: Status = "not_run" if kernels.stopped and outcome.status != "ok" else outcome.status
    return Outcome(
        status=status,
        message="the run was stopped" if status == "not_run" else outcome.message,
        cell=outcome.cell,
        seconds=time.monotonic() - started,
        attempts=attempts,
        notebook=outcome.notebook,
    )


def without_outputs(notebook: Any) -> Any:
    """Return a copy of a notebook in which no cell has run."""
    notebook = deepcopy(notebook)
    for cell in notebook.cells:
        if cell.cell_type == "code":
            cell.outputs, cell.execution_count = [], None
    return notebook


def _attempt(
    source: Any, parameters: Mapping[str, Any], kernels: Kernels, folder: Path, seconds: int
) -> Outcome:
    import papermill

    # Its warnings would otherwise land on the operator's screen; ours say the same, once.
    logging.getLogger("papermill").addHandler(_SILENT)
    work = _Work(source, time.monotonic() + seconds)
    results = folder / "results.csv"
    results.unlink(missing_ok=True)
    with (folder / "kernel.log").open("wb") as log:
        try:
            done = papermill.execute_notebook(
                source,
                None,
                parameters=dict(parameters),
                kernel_name=KERNEL_NAME,
                kernel_manager_class=kernels.manager_class(log),
                request_save_on_cell_execute=False,
                autosave_cell_every=0,
                progress_bar=False,
                start_timeout=_START_SECONDS,
                execution_timeout=seconds,
                timeout_func=work.seconds_left,
                iopub_timeout=_IOPUB_SECONDS,
                shutdown_kernel="immediate",
                record_timing=False,
                on_cell_start=work.start_cell,
            )
        # Whatever happens to one notebook must not reach the others of the run.
        except Exception as error:
            _forget_tasks()
            return _explain(error, work, seconds)
    return _judge(done, parameters, results)


def _forget_tasks() -> None:
    """End what nbclient leaves waiting in this thread's event loop, which would complain later."""
    import asyncio

    from jupyter_core.utils import ensure_event_loop

    loop = ensure_event_loop()
    for task in (pending := asyncio.all_tasks(loop)):
        task.cancel()
    loop.run_until_complete(asyncio.gather(*pending, return_exceptions=True))


def _explain(error: Exception, work: _Work, seconds: int) -> Outcome:
    """Name what an exception of papermill, nbclient or jupyter_client means."""
    from nbclient.exceptions import CellTimeoutError, DeadKernelError
    from papermill.exceptions import PapermillExecutionError

    cell = work.current_cell
    status: Status
    if isinstance(error, PapermillExecutionError):
        status, message = "failed", f'the cell "{cell}" raised {error.ename}: {error.evalue}'
    elif isinstance(error, CellTimeoutError):
        status = "timed_out"
        message = f'the cell "{cell}" was still running after {seconds} seconds'
    elif isinstance(error, DeadKernelError) and cell:
        status = "kernel_died"
        message = f'the kernel died in the cell "{cell}"; perhaps the memory ran out'
    elif not cell:
        status, message = "kernel_died", f"the kernel did not start: {error}"
    else:
        status, message = "failed", f'{type(error).__name__} in the cell "{cell}": {error}'
    return Outcome(status, message, cell, notebook=work.unfinished())


def _judge(notebook: Any, parameters: Mapping[str, Any], results: Path) -> Outcome:
    """Decide whether a notebook that papermill returned without complaint really succeeded."""
    for cell in notebook.cells:
        if cell.cell_type != "code" or not cell.source.strip():
            continue
        name = str(cell.get("id", ""))
        errors = [output for output in cell.outputs if output.output_type == "error"]
        if errors:
            reason = f'the cell "{name}" ended the notebook: {errors[0].ename}: {errors[0].evalue}'
            return Outcome("failed", reason, name, notebook=notebook)
        if cell.execution_count is None:
            return Outcome("failed", f'the cell "{name}" never ran', name, notebook=notebook)
    if dict(notebook.metadata.papermill.parameters) != dict(parameters):
        return Outcome("failed", "the parameters of the run did not arrive", notebook=notebook)
    if not results.is_file():
        return Outcome("failed", "the notebook wrote no results.csv", notebook=notebook)
    return Outcome("ok", notebook=notebook)
