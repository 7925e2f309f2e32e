"""Make one report: run its notebook, judge the outcome, write what is kept; here or on a worker."""

import shutil
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any

from pmf_analysis.batch import manifest, notebooks, pages, plan
from pmf_analysis.batch.execute import Outcome, execute
from pmf_analysis.batch.kernels import Kernels
from pmf_analysis.batch.manifest import write_atomically
from pmf_analysis.problems import without_secrets


@dataclass(frozen=True)
class Order:
    """One report to make, fit to be sent to another machine: it names no folder of this one.

    Attributes
    ----------
    notebook
        Text of the source notebook.
    parameters
        The values of its ``parameters`` cell, all of them.
    about
        What all pages of the run say of themselves.
    seconds, cell_seconds
        Time for the whole notebook, and for each of its cells.
    """

    job: plan.Job
    notebook: str
    parameters: dict[str, Any]
    about: dict[str, Any]
    seconds: int
    cell_seconds: int


def record_of(job: plan.Job, outcome: Outcome, folder: Path | None = None) -> dict[str, Any]:
    """Return what the manifest says of a job."""
    told = {name: getattr(outcome, name) for name in ("status", "cell", "attempts")}
    told |= {name: manifest.redacted(getattr(outcome, name)) for name in ("message", "retried")}
    told |= {name: round(getattr(outcome, name), 2) for name in ("seconds", "cpu_seconds")}
    files = manifest.describe_files(folder) if folder else {}
    return {"id": job.id, **asdict(job), **told, "peak_mb": outcome.peak_mb, "files": files}


def make_report(order: Order, folder: Path, kernels: Kernels) -> dict[str, Any]:
    """Make one report in a folder, emptied first, and return its record; never raises.

    What is left there is ``notebook.ipynb``, ``report.html`` and the tables, or of a failure a
    ``notebook.failed.ipynb`` and the kernel's last words.
    """
    try:
        shutil.rmtree(folder, ignore_errors=True)
        folder.mkdir(parents=True)
        notebook = notebooks.notebook_of(order.notebook)
        how: Any = {"seconds": order.seconds, "cell_seconds": order.cell_seconds}
        outcome = execute(notebook, order.parameters, kernels=kernels, folder=folder, **how)
        if outcome.status == "ok":
            outcome = _publish(order, outcome, folder)
        if outcome.status != "ok":
            _leave_reason(folder, outcome)
    except OSError as error:  # a full disk must cost no other report, and leave no half of this one
        shutil.rmtree(folder, ignore_errors=True)
        outcome = Outcome("failed", f"the report could not be written: {error.strerror}")
    return record_of(order.job, outcome, folder)


def _publish(order: Order, outcome: Outcome, folder: Path) -> Outcome:
    """Write the notebook and its report; a report that cannot be made is a failure."""
    text = notebooks.as_published(outcome.notebook, order.parameters)
    try:  # from the text, as the page is when it is made again later
        page = pages.report_page(notebooks.notebook_of(text), order.about, asdict(order.job))
    # A fault of the exporter is this report's alone, and the other reports are still made.
    except Exception as error:
        why = f"the report could not be made: {type(error).__name__}: {error}"
        return replace(outcome, status="failed", message=why)
    write_atomically(folder / "notebook.ipynb", text)
    write_atomically(folder / "report.html", page)
    (folder / "kernel.log").unlink(missing_ok=True)
    return outcome


def _leave_reason(folder: Path, outcome: Outcome) -> None:
    """Leave of a job that made no report only what tells why, and of one not run nothing."""
    if outcome.status == "not_run":
        shutil.rmtree(folder)
        return
    for path in folder.iterdir():
        if path.name != "kernel.log" or not path.stat().st_size:
            path.unlink()
        else:
            said = path.read_text(encoding="utf-8", errors="replace")
            write_atomically(path, without_secrets(said))
    title = pages.status_words(outcome.status)
    failed = notebooks.as_failed(outcome.notebook, title, outcome.message)
    write_atomically(folder / "notebook.failed.ipynb", notebooks.notebook_text(failed))
