"""A whole run: measures once, every notebook in a kernel of its own, an index, a manifest."""

import importlib.metadata
import platform
import shutil
import threading
from concurrent.futures import Future, ThreadPoolExecutor, as_completed
from dataclasses import asdict, dataclass, field, replace
from datetime import date, datetime
from pathlib import Path
from typing import Any

from pmf_analysis.batch import manifest
from pmf_analysis.batch.execute import Outcome, execute
from pmf_analysis.batch.kernels import Kernels
from pmf_analysis.batch.manifest import RunRecord, is_unchanged, write_atomically
from pmf_analysis.batch.notebooks import as_failed, as_published, notebook_text, read_notebook
from pmf_analysis.batch.pages import OnJob, describe_pages, report_page, status_words, write_index
from pmf_analysis.batch.plan import Job, Plan, check_data
from pmf_analysis.problems import PmfError, Problem

# The packages that can move a number.
_VERSIONS_OF = ("pmf-analysis", "numpy", "pandas", "scipy", "statsmodels", "papermill", "nbconvert")


@dataclass(frozen=True)
class Options:
    """How to run: notebooks at a time, seconds for each, and whether a failure stops the others."""

    workers: int = 2
    seconds: int = 600
    fail_fast: bool = False


def run_plan(
    plan: Plan, options: Options, *, now: datetime, on_job: OnJob, resumed: RunRecord | None = None
) -> RunRecord:
    """Make the reports of a plan in a folder of their own.

    The folder is called ``<run id>.partial`` until all is done. A notebook that fails is recorded
    and leaves a ``notebook.failed.ipynb``; the others are made all the same. Ctrl-C leaves a valid
    manifest.

    Parameters
    ----------
    now
        The time in UTC, for the run's id and record; no report shows it.
    on_job
        Called after each notebook with its record, how many are done, and of how many.
    resumed
        A run that was stopped, to finish in place of a new one.

    Raises
    ------
    PmfError
        Exit 3 when the data are unusable, 2 when a run cannot be resumed; nothing has run then.
    """
    check_data(plan)
    with manifest.locked(plan.workspace.outputs / plan.spec.council):
        work = _Work(plan, options, _resumable(plan, resumed) if resumed else _new(plan, now))
        try:
            work.measure()
            work.make_reports(on_job)
        except KeyboardInterrupt:
            return work.stop("interrupted")
        is_short = any(job["status"] == "not_run" for job in work.record.jobs.values())
        return work.stop("stopped") if is_short else work.finish(now.date())


def _resumable(plan: Plan, record: RunRecord) -> RunRecord:
    if record.is_finished:
        raise PmfError(Problem.of("run-finished", run=record.id))
    if record.manifest["content"] != plan.content():
        raise PmfError(Problem.of("run-changed"))
    return record


def _new(plan: Plan, now: datetime) -> RunRecord:
    content, name = plan.content(), manifest.new_run_id(now)
    python = {"python": platform.python_version()}
    facts = {
        "schema_version": manifest.SCHEMA_VERSION,
        "run": name,
        "status": "running",
        "started": now.isoformat(timespec="seconds"),
        "content_hash": manifest.digest_of(content),
        "run_file": plan.run_file,
        "parameters": plan.spec.model_dump(mode="json"),
        "pages": describe_pages(plan),
        "content": content,
        "rows": plan.rows(),
        "versions": python | {name: importlib.metadata.version(name) for name in _VERSIONS_OF},
        "problems": {},
        "jobs": {job.id: _record_of(job, Outcome("not_run")) for job in plan.jobs},
        "files": {},
    }
    place = plan.workspace.outputs / plan.spec.council / plan.period.slug
    return RunRecord(place / f"{name}{manifest.PARTIAL}", facts)


def _record_of(job: Job, outcome: Outcome, folder: Path | None = None) -> dict[str, Any]:
    told = {name: getattr(outcome, name) for name in ("status", "cell", "attempts")}
    told |= {"message": manifest.redacted(outcome.message), "seconds": round(outcome.seconds, 2)}
    files = manifest.describe_files(folder) if folder else {}
    return {"id": job.id, **asdict(job), **told, "files": files}


@dataclass
class _Work:
    """A run at work: its record is written again after every notebook."""

    plan: Plan
    options: Options
    record: RunRecord
    halted: threading.Event = field(default_factory=threading.Event)

    def __post_init__(self) -> None:
        self.folder = self.record.folder
        notebooks = self.plan.notebooks.items()
        self.sources = {analysis: read_notebook(path) for analysis, path in notebooks}

    def measure(self) -> None:
        """Assess the whole council once, unless a resumed run already has its tables."""
        import pandas as pd

        from pmf_analysis.assess import assess_run, write_measures
        from pmf_analysis.data.store import safe_csv

        if is_unchanged(self.folder, self.record.manifest["files"]):
            return
        measures = assess_run(self.plan.workspace, self.plan.spec)
        self.folder.mkdir(parents=True, exist_ok=True)
        write_measures(measures, self.folder / "measures")
        imported = self.plan.store.problems(self.plan.spec.as_at)
        imported["theme"] = self.plan.parameters.register.themes_of(imported["indicator"])
        problems = pd.concat([imported, measures.problems], ignore_index=True).drop_duplicates()
        write_atomically(self.folder / "problems.csv", safe_csv(problems))
        self.record.manifest["problems"] = problems["level"].value_counts().to_dict()
        self.record.save_with_shared_files()

    def make_reports(self, on_job: OnJob) -> None:
        """Run the notebooks that are not yet made, several at a time."""
        jobs = self.record.jobs
        done = [name for name, job in jobs.items() if job["status"] == "ok"]
        made = [name for name in done if is_unchanged(self.folder / name, jobs[name]["files"])]
        for number, name in enumerate(made, start=1):
            on_job({**jobs[name], "status": "skipped"}, number, len(jobs))
        environment = {"PMF_WORKSPACE": str(self.plan.workspace.root)}
        with Kernels(environment) as kernels, ThreadPoolExecutor(self.options.workers) as pool:
            todo = [job for job in self.plan.jobs if job.id not in made]
            futures = [pool.submit(self._make_report, job, kernels) for job in todo]
            try:
                for number, future in enumerate(as_completed(futures), start=len(made) + 1):
                    self._keep(future)
                    if future.result()["status"] != "not_run":
                        on_job(future.result(), number, len(jobs))
            except KeyboardInterrupt:
                kernels.stop()
                pool.shutdown(wait=True, cancel_futures=True)
                for future in futures:
                    self._keep(future)
                raise

    def _keep(self, future: Future[dict[str, Any]]) -> None:
        if not future.cancelled():
            self.record.jobs[future.result()["id"]] = future.result()
            self.record.save()

    def _make_report(self, job: Job, kernels: Kernels) -> dict[str, Any]:
        """Run one notebook and keep what came of it; the record of the job."""
        if self.halted.is_set():
            return _record_of(job, Outcome("not_run"))
        folder = self.folder / job.id
        shutil.rmtree(folder, ignore_errors=True)
        folder.mkdir(parents=True)
        run_folder = self.folder.relative_to(self.plan.workspace.root).as_posix()
        parameters = self.plan.notebook_parameters(job, run_folder)
        source, seconds = self.sources[job.analysis], self.options.seconds
        outcome = execute(source, parameters, kernels=kernels, folder=folder, seconds=seconds)
        if outcome.status == "ok":
            outcome = self._publish(job, outcome, parameters)
        if outcome.status != "ok":
            _leave_reason(folder, outcome)
            if self.options.fail_fast:
                self.halted.set()
        return _record_of(job, outcome, folder)

    def _publish(self, job: Job, outcome: Outcome, parameters: dict[str, Any]) -> Outcome:
        """Write the notebook and its report; a report that cannot be made is a failure."""
        folder, about = self.folder / job.id, self.record.manifest["pages"]
        notebook = as_published(outcome.notebook, parameters)
        try:
            page = report_page(notebook, about, asdict(job))
        # A fault of the exporter is this report's alone, and the other reports are still made.
        except Exception as error:
            why = f"the report could not be made: {type(error).__name__}: {error}"
            return replace(outcome, status="failed", message=why, notebook=notebook)
        write_atomically(folder / "notebook.ipynb", notebook_text(notebook))
        write_atomically(folder / "report.html", page)
        (folder / "kernel.log").unlink()
        return outcome

    def stop(self, status: str) -> RunRecord:
        """Leave the run unfinished, with a manifest from which it can be resumed."""
        self.record.manifest["status"] = status
        if self.folder.is_dir():
            self.record.save()
        return self.record

    def finish(self, today: date) -> RunRecord:
        """Seal the chances, write the index and the manifest, give the folder its final name."""
        all_made = all(job["status"] == "ok" for job in self.record.jobs.values())
        self.record.manifest["seal"] = self._seal(today) if all_made else ""
        self.record.manifest["status"] = "complete" if all_made else "some_failed"
        write_index(self.record)
        final = self.folder.with_name(self.record.id)
        self.folder.rename(final)
        return replace(self.record, folder=final)

    def _seal(self, today: date) -> str:
        """Keep the chances that the reports give; the seal's name, "" where none is kept."""
        from pmf_analysis.assess import read_measures
        from pmf_analysis.data.contract import problem_table
        from pmf_analysis.data.seals import seal
        from pmf_analysis.data.store import safe_csv
        from pmf_analysis.measures.track_record import with_aims

        spec, register = self.plan.spec, self.plan.parameters.register.frame()
        targets = with_aims(read_measures(self.folder / "measures").targets, register)
        place, when = self.plan.workspace.store, {"as_at": spec.as_at, "sealed_on": today}
        try:
            kept = seal(place, targets, council=spec.council, period=spec.period, **when)
        except OSError as error:  # the reports stand, though nobody will score their chances
            failed = problem_table([Problem.of("not-sealed", why=error.strerror)]).assign(theme="")
            path, counts = self.folder / "problems.csv", self.record.manifest["problems"]
            write_atomically(path, path.read_bytes() + safe_csv(failed).partition(b"\n")[2])
            counts["warning"] = counts.get("warning", 0) + 1
            return ""
        return kept.stem if kept else ""


def _leave_reason(folder: Path, outcome: Outcome) -> None:
    """Leave of a job that made no report only what tells why, and of one not run nothing."""
    if outcome.status == "not_run":
        shutil.rmtree(folder)
        return
    for path in folder.iterdir():
        if path.name != "kernel.log" or not path.stat().st_size:
            path.unlink()
    failed = as_failed(outcome.notebook, status_words(outcome.status), outcome.message)
    write_atomically(folder / "notebook.failed.ipynb", notebook_text(failed))
