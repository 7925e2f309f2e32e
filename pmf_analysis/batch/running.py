"""A whole run: measures once, every notebook in a kernel of its own, an index, a manifest."""

from __future__ import annotations

import threading
from collections.abc import Callable, Generator, Iterator
from concurrent.futures import ThreadPoolExecutor, as_completed
from contextlib import closing, contextmanager
from dataclasses import asdict, dataclass, field, replace
from datetime import date, datetime
from functools import cached_property, partial
from typing import TYPE_CHECKING, Any

from pmf_analysis.batch import execute, manifest, reports, unchanged
from pmf_analysis.batch.council_index import write_council_index
from pmf_analysis.batch.kernels import Kernels
from pmf_analysis.batch.manifest import RunRecord, is_unchanged, write_atomically
from pmf_analysis.batch.pages import OnJob, describe_pages, job_line, page_facts, write_index
from pmf_analysis.batch.plan import Job, Plan, check_data
from pmf_analysis.problems import PmfError, Problem

if TYPE_CHECKING:
    from pmf_analysis.assess import Measures

Reports = Generator[dict[str, Any], None, None]
Maker = Callable[[list[reports.Order]], Reports]
_EXIT_SOME_FAILED = 1


@dataclass(frozen=True)
class Options:
    """How to run: notebooks at a time, seconds for each and for a cell, what a failure stops.

    ``fresh`` makes again what has not changed since an earlier run. ``cluster`` is the address of
    the scheduler of a Dask cluster that makes the reports, "" for this machine.
    """

    workers: int = 2
    seconds: int = 600
    cell_seconds: int = 300
    fail_fast: bool = False
    fresh: bool = False
    cluster: str = ""


def run_plan(
    plan: Plan, options: Options, *, now: datetime, on_job: OnJob, resumed: RunRecord | None = None
) -> RunRecord:
    """Make the reports of a plan in a folder of their own.

    The folder is called ``<run id>.partial`` until all is done. A notebook that fails is recorded
    and leaves a ``notebook.failed.ipynb``; the others are made all the same. Ctrl-C leaves a valid
    manifest. Reports of a theme as it was in an earlier run are taken from there; where nothing
    has changed at all there is no new run.

    Parameters
    ----------
    now
        The time in UTC, for the run's id and record; no report shows it.
    on_job
        Called after each notebook with its record, how many are done, and of how many.
    resumed
        A run that was stopped, to finish in place of a new one.

    Returns
    -------
    RunRecord
        The run, or the earlier one of the same content.

    Raises
    ------
    PmfError
        Exit 3 when the data are unusable, 2 when a run cannot be resumed or there is no cluster at
        the address; nothing has run then.
        Exit 1 when the disk could not be written to; the run can be resumed.
    """
    check_data(plan)
    with manifest.locked(plan.workspace.outputs / plan.spec.council):
        earlier = unchanged.Earlier(plan.place)
        same = None if options.fresh or resumed else earlier.same(plan.content())
        if same:
            return same
        record = _resumable(plan, resumed) if resumed else _new(plan, options, now)
        taken_from = None if record.manifest["fresh"] else earlier
        made = _Work(plan, options, record, taken_from).run(now.date(), on_job)
        write_council_index(plan.place.parent)
        return made


def _resumable(plan: Plan, record: RunRecord) -> RunRecord:
    if record.is_finished:
        raise PmfError(Problem.of("run-finished", run=record.id))
    if record.manifest["content"] != plan.content():
        raise PmfError(Problem.of("run-changed"))
    for left_over in record.folder.rglob(".*.tmp"):  # of a run that was killed while it wrote
        left_over.unlink()
    return record


def _new(plan: Plan, options: Options, now: datetime) -> RunRecord:
    content, name = plan.content(), manifest.new_run_id(now)
    facts: dict[str, Any] = {"schema_version": manifest.SCHEMA_VERSION, "run": name}
    facts |= {"status": "running", "started": now.isoformat(timespec="seconds")}
    facts |= {"content_hash": manifest.digest_of(content), "run_file": plan.run_file}
    facts |= {"shard": plan.shard, "fresh": options.fresh}
    facts |= {"parameters": plan.spec.model_dump(mode="json"), "pages": describe_pages(plan)}
    facts |= {"content": content, "rows": plan.rows(), "problems": {}}
    jobs = {job.id: reports.record_of(job, execute.Outcome("not_run")) for job in plan.jobs}
    facts |= {"jobs": jobs, "files": {}}
    return RunRecord(plan.place / f"{name}{manifest.PARTIAL}", facts)


@dataclass
class _Work:
    """A run at work: its record is written again after every notebook."""

    plan: Plan
    options: Options
    record: RunRecord
    earlier: unchanged.Earlier | None
    views: dict[str, str] = field(default_factory=dict)
    lock: threading.Lock = field(default_factory=threading.Lock)

    def __post_init__(self) -> None:
        self.folder, self.jobs = self.record.folder, self.record.jobs

    def run(self, today: date, on_job: OnJob) -> RunRecord:
        """Measure and make the reports; whatever stops this leaves a record to resume from."""
        try:
            with self._maker() as make:
                self.measure()
                with closing(self.made(make)) as made:
                    for done, job in enumerate(made, start=1):
                        on_job(job, done, len(self.jobs))
                        self.record.note(job_line(job, done, len(self.jobs)))
            is_short = any(job["status"] == "not_run" for job in self.jobs.values())
            return self.stop("stopped") if is_short else self.finish(today)
        except KeyboardInterrupt:
            return self.stop("interrupted")
        except OSError as error:
            facts = {"run": self.record.id, "why": error.strerror or error}
            raise PmfError(Problem.of("run-unwritable", **facts), _EXIT_SOME_FAILED) from None

    def measure(self) -> None:
        """Assess the whole council once, unless this or an earlier run already has its tables."""
        if is_unchanged(self.folder, self.record.manifest["files"]):
            return
        self.folder.mkdir(parents=True, exist_ok=True)
        content = self.record.manifest["content"]
        counts = self.earlier.take_measures(content, self.folder) if self.earlier else None
        self.record.manifest["problems"] = self._assess() if counts is None else counts
        self.record.save_with_shared_files()

    def _assess(self) -> dict[str, int]:
        """Write result tables and problems; how many problems there are of each level."""
        import pandas as pd

        from pmf_analysis.assess import assess_run, write_measures
        from pmf_analysis.data.store import safe_csv

        measures = assess_run(self.plan.workspace, self.plan.spec)
        write_measures(measures, self.folder / "measures")
        imported = self.plan.store.problems(self.plan.spec.as_at)
        imported["theme"] = self.plan.parameters.register.themes_of(imported["indicator"])
        problems = pd.concat([imported, measures.problems], ignore_index=True).drop_duplicates()
        write_atomically(self.folder / "problems.csv", safe_csv(problems))
        counts: dict[str, int] = problems["level"].value_counts().to_dict()
        return counts

    @contextmanager
    def _maker(self) -> Iterator[Maker]:
        """Yield what makes reports: a cluster, or kernels here, which get ready meanwhile."""
        if self.options.cluster:
            from pmf_analysis.batch.cluster import connected

            with connected(self.options.cluster) as client:
                yield partial(self._make_there, client)
        else:
            with Kernels({"PMF_WORKSPACE": str(self.plan.workspace.root)}) as kernels:
                yield partial(self._make_here, kernels)

    def made(self, make: Maker) -> Reports:
        """Yield the record of each report: those already there, those as before, those made now."""
        todo, earlier = [], self.earlier
        for job in self.plan.jobs:
            known, folder = self.jobs[job.id], self.folder / job.id
            if known["status"] == "ok" and is_unchanged(folder, known["files"]):
                yield known | {"status": "skipped"}
                continue
            if taken := earlier.take_report(self._key(job), job.id, folder) if earlier else None:
                yield self._keep(taken) | {"status": "unchanged"}
            else:
                todo.append(self._order(job))
        with closing(make(todo)) as records:
            for record in records:
                if record["status"] != "not_run":
                    yield record
                if record["status"] not in ("ok", "not_run") and self.options.fail_fast:
                    return

    def _key(self, job: Job) -> str:
        """Return a digest of all that decides a report."""
        content, values = self.record.manifest["content"], self.plan.notebook_parameters(job, "")
        facts = page_facts(self.record.manifest["pages"], asdict(job))
        code = (content["notebooks"][job.analysis], content["package"], content["versions"])
        return manifest.digest_of([self._view(job.theme, job.peer_set), facts, values, code])

    def _view(self, theme: str, peer_set: str) -> str:
        """Return a digest of what a theme's pages read, made once for all of them."""
        from pmf_analysis.notebook import theme_view

        if theme not in self.views:
            asked = self.plan.spec.model_copy(update={"peer_set": peer_set})
            view = theme_view(self.measures, self.plan.parameters, asked, theme)
            self.views[theme] = unchanged.view_digest(view)
        return self.views[theme]

    @cached_property
    def measures(self) -> Measures:
        """The run's result tables."""
        from pmf_analysis.assess import read_measures

        return read_measures(self.folder / "measures")

    def _order(self, job: Job) -> reports.Order:
        run_folder = self.folder.relative_to(self.plan.workspace.root).as_posix()
        notebook = self.plan.notebooks[job.analysis].read_text(encoding="utf-8")
        values = self.plan.notebook_parameters(job, run_folder)
        limits = (self.options.seconds, self.options.cell_seconds)
        return reports.Order(job, notebook, values, self.record.manifest["pages"], *limits)

    def _make_here(self, kernels: Kernels, todo: list[reports.Order]) -> Reports:
        """Make reports on this machine, several at a time."""
        with ThreadPoolExecutor(self.options.workers) as pool:
            futures = [pool.submit(self._make, order, kernels) for order in todo]
            try:
                for future in as_completed(futures):
                    yield future.result()
            finally:  # whatever ends this early, the kernels at work must not outlive it
                kernels.stop()

    def _make(self, order: reports.Order, kernels: Kernels) -> dict[str, Any]:
        if kernels.stopped:
            return reports.record_of(order.job, execute.Outcome("not_run"))
        return self._keep(reports.make_report(order, self.folder / order.job.id, kernels))

    def _make_there(self, client: Any, todo: list[reports.Order]) -> Reports:
        """Make reports on a cluster."""
        from pmf_analysis.batch.cluster import make_reports

        with closing(make_reports(client, todo, self.plan.workspace.root, self.folder)) as records:
            yield from map(self._keep, records)

    def _keep(self, record: dict[str, Any]) -> dict[str, Any]:
        """Put a record in the manifest as soon as its report is there."""
        with self.lock:
            job = Job(record["theme"], record["analysis"], record["peer_set"])
            self.jobs[record["id"]] = record | {"key": self._key(job)}
            self.record.save()
        return record

    def stop(self, status: str) -> RunRecord:
        """Leave the run unfinished, with a manifest from which it can be resumed."""
        self.record.manifest["status"] = status
        if self.folder.is_dir():
            self.record.save()
        return self.record

    def finish(self, today: date) -> RunRecord:
        """Seal the chances, write the index and the manifest, give the folder its final name."""
        all_made = all(job["status"] == "ok" for job in self.jobs.values())
        self.record.manifest["seal"] = self._seal(today) if all_made else ""
        self.record.manifest["status"] = "complete" if all_made else "some_failed"
        if formats := self.plan.spec.formats:
            from pmf_analysis.batch.copies import export

            export(self.plan.workspace, self.record, formats, self.record.note)
        write_index(self.record)
        final = self.folder.with_name(self.record.id)
        self.folder.rename(final)
        return replace(self.record, folder=final)

    def _seal(self, today: date) -> str:
        """Keep the chances that the reports give; the seal's name, "" where none is kept."""
        from pmf_analysis.data.contract import problem_table
        from pmf_analysis.data.seals import seal
        from pmf_analysis.data.store import safe_csv
        from pmf_analysis.measures.track_record import with_aims

        spec, register = self.plan.spec, self.plan.parameters.register.frame()
        targets = with_aims(self.measures.targets, register)
        place, when = self.plan.workspace.store, {"as_at": spec.as_at, "sealed_on": today}
        try:
            kept = seal(place, targets, council=spec.council, period=spec.period, **when)
        # The reports stand, though nobody will score their chances.
        except (OSError, PmfError) as error:
            why = getattr(error, "strerror", None) or error
            failed = problem_table([Problem.of("not-sealed", why=why)]).assign(theme="")
            path, counts = self.folder / "problems.csv", self.record.manifest["problems"]
            write_atomically(path, path.read_bytes() + safe_csv(failed).partition(b"\n")[2])
            counts["warning"] = counts.get("warning", 0) + 1
            return ""
        return kept.stem if kept else ""
