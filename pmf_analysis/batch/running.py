"""A whole run: measures once, every notebook in a kernel of its own, an index, a manifest."""

from __future__ import annotations

import contextlib
import shutil
import signal
import threading
from collections.abc import Callable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor, as_completed
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from types import FrameType
from typing import TYPE_CHECKING, Any

from pmf_analysis.batch.execute import Outcome, execute
from pmf_analysis.batch.inputs import content_of, rows_of_data
from pmf_analysis.batch.kernels import Kernels
from pmf_analysis.batch.manifest import (
    PARTIAL,
    SCHEMA_VERSION,
    describe_files,
    digest_of,
    is_unchanged,
    locked,
    new_run_id,
    read_manifest,
    redacted,
    shared_files,
    versions,
    write_atomically,
    write_manifest,
)
from pmf_analysis.batch.notebooks import (
    as_failed,
    as_published,
    notebook_text,
    read_notebook,
)
from pmf_analysis.batch.pages import STATUS_WORDS, describe_pages, index_page, report_page
from pmf_analysis.batch.plan import Job, Plan, check_data
from pmf_analysis.batch.runs import find_run, unfinished_run
from pmf_analysis.problems import EXIT_WRONG_USAGE, PmfError, Problem

if TYPE_CHECKING:
    from pmf_analysis.parameters.workspace import Workspace

EXIT_SOME_FAILED = 1
EXIT_INTERRUPTED = 130

OnJob = Callable[[dict[str, Any], int, int], None]


@dataclass(frozen=True)
class Options:
    """How to run: notebooks at a time, seconds for each, and when to stop."""

    workers: int = 2
    seconds: int = 600
    fail_fast: bool = False
    resume: str = ""


@dataclass(frozen=True)
class RunResult:
    """Where a run is, what became of it, and how the command shall exit."""

    folder: Path
    manifest: dict[str, Any]
    exit_code: int


def run(plan: Plan, options: Options, *, now: datetime, on_job: OnJob) -> RunResult:
    """Make the reports of a plan in a folder of their own.

    The folder is called ``<run id>.partial`` until all is done. A notebook that fails is recorded
    and leaves a ``notebook.failed.ipynb``; the others are made all the same. Ctrl-C and SIGTERM
    leave a valid manifest, and ``Options.resume`` finishes such a run.

    Parameters
    ----------
    now
        The time in UTC, for the run's id and record; no report shows it.
    on_job
        Called after each notebook with its record, how many are done, and of how many.

    Raises
    ------
    PmfError
        Exit 3 when the data are unusable, 2 when a run cannot be resumed; nothing has run then.
    """
    check_data(plan)
    council = plan.workspace.outputs / plan.spec.council
    with locked(council), _sigterm_as_interrupt():
        work = _open(plan, options, now)
        try:
            work.measure()
            work.make_reports(on_job)
        except KeyboardInterrupt:
            return work.stop("interrupted", EXIT_INTERRUPTED)
        if any(record["status"] == "not_run" for record in work.records.values()):
            return work.stop("stopped", EXIT_SOME_FAILED)
        return work.finish()


def result_of(workspace: Workspace, wanted: str) -> RunResult:
    """Return what became of an earlier run, by its id; "" for the newest."""
    folder = find_run(workspace, wanted)
    manifest = read_manifest(folder)
    exit_code = {"complete": 0, "interrupted": EXIT_INTERRUPTED}.get(manifest["status"])
    return RunResult(folder, manifest, EXIT_SOME_FAILED if exit_code is None else exit_code)


@contextlib.contextmanager
def _sigterm_as_interrupt() -> Iterator[None]:
    """Treat SIGTERM as Ctrl-C, so that a scheduler's stop leaves as clean a run as a person's."""

    def interrupt(_number: int, _frame: FrameType | None) -> None:
        raise KeyboardInterrupt

    if threading.current_thread() is not threading.main_thread():
        yield
        return
    before = signal.signal(signal.SIGTERM, interrupt)
    try:
        yield
    finally:
        signal.signal(signal.SIGTERM, before)


def _open(plan: Plan, options: Options, now: datetime) -> _Work:
    """Make the folder of a new run, or open that of the run to resume."""
    content = content_of(plan)
    if options.resume:
        folder, manifest = unfinished_run(plan.workspace, options.resume)
        if manifest["content"] != content:
            raise PmfError(
                Problem(
                    "Data, parameters or program have changed since this run was stopped.",
                    code="run-changed",
                    fix="start a new run",
                ),
                EXIT_WRONG_USAGE,
            )
        return _Work(plan, options, folder, manifest)
    name = new_run_id(now)
    folder = plan.workspace.outputs / plan.spec.council / plan.period.slug / f"{name}{PARTIAL}"
    return _Work(plan, options, folder, _new_manifest(plan, content, name, now))


def _new_manifest(plan: Plan, content: dict[str, Any], name: str, now: datetime) -> dict[str, Any]:
    return {
        "schema_version": SCHEMA_VERSION,
        "run": name,
        "status": "running",
        "started": now.isoformat(timespec="seconds"),
        "content_hash": digest_of(content),
        "run_file": plan.run_file,
        "parameters": plan.spec.model_dump(mode="json"),
        "pages": describe_pages(plan),
        "content": content,
        "rows": rows_of_data(plan),
        "versions": versions(),
        "problems": {},
        "jobs": {job.id: _record(job, Outcome("not_run")) for job in plan.jobs},
        "files": {},
    }


def _record(job: Job, outcome: Outcome, folder: Path | None = None) -> dict[str, Any]:
    return {
        "id": job.id,
        "theme": job.theme,
        "analysis": job.analysis,
        "peer_set": job.peer_set,
        "status": outcome.status,
        "message": redacted(outcome.message),
        "cell": outcome.cell,
        "seconds": round(outcome.seconds, 2),
        "attempts": outcome.attempts,
        "files": describe_files(folder) if folder and folder.is_dir() else {},
    }


class _Work:
    """A run at work: its folder and its manifest, which is rewritten after every notebook."""

    def __init__(
        self, plan: Plan, options: Options, folder: Path, manifest: dict[str, Any]
    ) -> None:
        self.plan, self.options, self.folder, self.manifest = plan, options, folder, manifest
        self.halted = threading.Event()
        self.sources = {job.notebook: read_notebook(job.notebook) for job in plan.jobs}

    @property
    def records(self) -> dict[str, dict[str, Any]]:
        records: dict[str, dict[str, Any]] = self.manifest["jobs"]
        return records

    def measure(self) -> None:
        """Assess the whole council once, unless a resumed run already has its tables."""
        from pmf_analysis.assess import assess_run, write_measures
        from pmf_analysis.data.store import neutral_cell

        if is_unchanged(self.folder, self.manifest["files"]):
            return
        measures = assess_run(self.plan.workspace, self.plan.spec)
        self.folder.mkdir(parents=True, exist_ok=True)
        write_measures(measures, self.folder / "measures")
        problems = measures.problems
        text = problems.map(neutral_cell).to_csv(index=False, lineterminator="\n")
        write_atomically(self.folder / "problems.csv", text.encode("utf-8-sig"))
        self.manifest["problems"] = problems["level"].value_counts().to_dict()
        self.manifest["files"] = shared_files(self.folder, self.manifest)
        write_manifest(self.folder, self.manifest)

    def make_reports(self, on_job: OnJob) -> None:
        """Run the notebooks that are not yet made, several at a time."""
        todo = [job for job in self.plan.jobs if not self._is_made(job)]
        for number, job in enumerate(job for job in self.plan.jobs if job not in todo):
            on_job({**self.records[job.id], "status": "skipped"}, number + 1, len(self.records))
        environment = {"PMF_WORKSPACE": str(self.plan.workspace.root)}
        with (
            Kernels(environment) as kernels,
            ThreadPoolExecutor(self.options.workers) as pool,
        ):
            futures = {pool.submit(self._make_report, job, kernels): job for job in todo}
            try:
                self._collect(futures, on_job)
            except KeyboardInterrupt:
                kernels.stop()
                pool.shutdown(wait=True, cancel_futures=True)
                self._keep([future.result() for future in futures if not future.cancelled()])
                raise

    def _is_made(self, job: Job) -> bool:
        record = self.records[job.id]
        return record["status"] == "ok" and is_unchanged(self.folder / job.id, record["files"])

    def _collect(self, futures: dict[Future[dict[str, Any]], Job], on_job: OnJob) -> None:
        done = len(self.records) - len(futures)
        for future in as_completed(futures):
            record = future.result()
            self._keep([record])
            done += 1
            if record["status"] != "not_run":
                on_job(record, done, len(self.records))

    def _keep(self, records: list[dict[str, Any]]) -> None:
        self.records.update({record["id"]: record for record in records})
        write_manifest(self.folder, self.manifest)

    def _make_report(self, job: Job, kernels: Kernels) -> dict[str, Any]:
        """Run one notebook and keep what came of it; the record of the job."""
        if self.halted.is_set():
            return _record(job, Outcome("not_run"))
        folder = self.folder / job.id
        shutil.rmtree(folder, ignore_errors=True)
        folder.mkdir(parents=True)
        run_folder = self.folder.relative_to(self.plan.workspace.root).as_posix()
        parameters = self.plan.notebook_parameters(job, run_folder)
        outcome = execute(
            self.sources[job.notebook],
            parameters,
            kernels=kernels,
            folder=folder,
            seconds=self.options.seconds,
        )
        if outcome.status == "ok":
            outcome = self._publish(job, outcome, parameters)
        if outcome.status != "ok" and self.options.fail_fast:
            self.halted.set()
        _tidy(folder, outcome)
        return _record(job, outcome, folder)

    def _publish(self, job: Job, outcome: Outcome, parameters: dict[str, Any]) -> Outcome:
        """Write the notebook and its report; a report that cannot be made is a failure."""
        folder = self.folder / job.id
        notebook = as_published(outcome.notebook, parameters)
        try:
            page = report_page(notebook, self.manifest, self.records[job.id])
        # A fault of the exporter is this report's alone, and the other reports are still made.
        except Exception as error:
            reason = f"the report could not be made: {type(error).__name__}: {error}"
            return Outcome("failed", reason, "", outcome.seconds, outcome.attempts, notebook)
        write_atomically(folder / "notebook.ipynb", notebook_text(notebook))
        write_atomically(folder / "report.html", page)
        return outcome

    def stop(self, status: str, exit_code: int) -> RunResult:
        """Leave the run unfinished, with a manifest from which it can be resumed."""
        self.manifest["status"] = status
        if self.folder.is_dir():
            write_manifest(self.folder, self.manifest)
        return RunResult(self.folder, self.manifest, exit_code)

    def finish(self) -> RunResult:
        """Write the index, close the manifest, and give the folder its final name."""
        all_made = all(record["status"] == "ok" for record in self.records.values())
        self.manifest["status"] = "complete" if all_made else "some_failed"
        write_atomically(self.folder / "index.html", index_page(self.folder, self.manifest))
        self.manifest["files"] = shared_files(self.folder, self.manifest)
        write_manifest(self.folder, self.manifest)
        final = self.folder.with_name(self.folder.name.removesuffix(PARTIAL))
        self.folder.rename(final)
        return RunResult(final, self.manifest, 0 if all_made else EXIT_SOME_FAILED)


def _tidy(folder: Path, outcome: Outcome) -> None:
    """Leave of a job that made no report only what tells why, and of one not run nothing."""
    log = folder / "kernel.log"
    if outcome.status == "ok" or (log.is_file() and not log.stat().st_size):
        log.unlink(missing_ok=True)
    if outcome.status == "ok":
        return
    for name in ("results.csv", "notebook.ipynb", "report.html"):
        (folder / name).unlink(missing_ok=True)
    if outcome.status == "not_run":
        shutil.rmtree(folder)
    elif outcome.notebook is not None:
        failed = as_failed(outcome.notebook, STATUS_WORDS[outcome.status], outcome.message)
        write_atomically(folder / "notebook.failed.ipynb", notebook_text(failed))
