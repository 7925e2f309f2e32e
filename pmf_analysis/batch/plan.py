"""From a run file to the list of notebooks to run; everything checked that needs no kernel."""

import hashlib
import importlib.metadata
import platform
import shutil
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import Any

from pmf_analysis.batch.manifest import describe_file, package_digest
from pmf_analysis.batch.notebooks import PARAMETER_TYPES, check_notebook, fingerprint
from pmf_analysis.data.store import Store
from pmf_analysis.parameters import checks, loading, models, place
from pmf_analysis.parameters.workspace import Parameters, Workspace
from pmf_analysis.periods import Period, parse_period
from pmf_analysis.problems import EXIT_DATA_UNUSABLE, PmfError, Problem, Problems, did_you_mean

Names = Sequence[str]
_FREE_BYTES = 200_000_000
# The packages that can move a number.
_VERSIONS_OF = ("pmf-analysis", "numpy", "pandas", "scipy", "statsmodels", "papermill", "nbconvert")


@dataclass(frozen=True)
class Job:
    """One notebook to run: an analysis of a theme, for a council and a period."""

    theme: str
    analysis: str
    peer_set: str

    @property
    def id(self) -> str:
        """Name of the job, and its folder within the run."""
        return f"{self.theme}/{self.analysis}"


@dataclass(frozen=True)
class Plan:
    """A checked run: its declaration, the register it reads, and its jobs in order."""

    workspace: Workspace
    run_file: str
    spec: models.RunSpec
    parameters: Parameters
    period: Period
    jobs: tuple[Job, ...]
    shard: str = ""

    @property
    def notebooks(self) -> dict[str, Path]:
        """The source notebook of each analysis."""
        folder = self.workspace.notebooks
        return {job.analysis: folder / f"{job.analysis}.ipynb" for job in self.jobs}

    @property
    def store(self) -> Store:
        """The store of the workspace."""
        return Store(self.workspace.store)

    @property
    def place(self) -> Path:
        """The folder of all runs of this council and period."""
        return self.workspace.outputs / self.spec.council / self.period.slug

    def notebook_parameters(self, job: Job, run_folder: str) -> dict[str, Any]:
        """Return the values of a notebook's ``parameters`` cell, all of them."""
        own = {"theme": job.theme, "peer_set": job.peer_set, "run_folder": run_folder}
        values = self.spec.model_dump(mode="json") | own
        return {name: values[name] for name in PARAMETER_TYPES}

    def indicators(self, theme: str) -> list[str]:
        """Return the ids of the indicators of a theme, in the order of the register."""
        return [indicator.id for indicator in self.parameters.register.for_theme(theme)]

    def content(self) -> dict[str, Any]:
        """Return the fingerprints of everything that decides what the reports say."""
        from pmf_analysis.data.seals import records_read

        as_at = self.spec.as_at
        run_file = describe_file(self.workspace.root / self.run_file)["sha256"]
        notebooks = {name: fingerprint(path) for name, path in self.notebooks.items()}
        vintages = [vintage.id for vintage in self.store.vintages(as_at)]
        parameters = self.parameters.files | {self.run_file: run_file}
        found: dict[str, Any] = {"parameters": parameters, "versions": versions()}
        found |= {"notebooks": notebooks, "package": package_digest()}
        found |= {"data": self.store.digest(as_at).overall, "vintages": vintages}
        said = records_read(self.workspace.store, council=self.spec.council, as_at=as_at)
        return {**found, "jobs": [job.id for job in self.jobs], **said}

    def rows(self) -> dict[str, int]:
        """Return what became of the rows of all files imported; those read are all the others."""
        files = [file for vintage in self.store.vintages(self.spec.as_at) for file in vintage.files]
        kinds = ("read", "accepted", "quarantined", "ignored")
        return {kind: sum(getattr(file, f"rows_{kind}") for file in files) for kind in kinds}


def versions() -> dict[str, str]:
    """Return the versions of Python and of the packages that can move a number."""
    found = {name: importlib.metadata.version(name) for name in _VERSIONS_OF}
    return {"python": platform.python_version(), **found}


def make_plan(
    workspace: Workspace,
    run_file: str = "",
    *,
    themes: Names | None = None,
    analyses: Names | None = None,
    shard: str = "",
) -> Plan:
    """Read and check a run file and everything it names, and list the jobs.

    Parameters
    ----------
    themes, analyses
        Only these, of those that the run file asks for; none means all.
    shard
        A share of the jobs such as ``2/4``, the same ones on every machine; "" means all.

    Raises
    ------
    PmfError
        Exit 2, with all problems of the parameters and the notebooks at once.
    """
    run_file, spec, parameters = _load(workspace, run_file)
    known = [theme.id for theme in parameters.framework.themes]
    declared = [theme for theme in known if spec.themes == "all" or theme in spec.themes]
    problems = Problems()
    wanted_themes = _chosen(declared, themes, "theme", problems)
    wanted_analyses = _chosen(spec.analyses, analyses, "analysis", problems)
    jobs = tuple(
        Job(theme, analysis, spec.peer_sets_by_theme.get(theme, spec.peer_set))
        for theme in wanted_themes
        for analysis in wanted_analyses
    )
    period = parse_period(spec.period, year_type=parameters.framework.year_type)
    jobs = tuple(job for job in jobs if _is_in(shard, f"{spec.council} {spec.period} {job.id}"))
    plan = Plan(workspace, run_file, spec, parameters, period, jobs, shard)
    for path in plan.notebooks.values():
        name = path.relative_to(workspace.root).as_posix()
        problems.extend(check_notebook(path, name, spec.accepted_notebooks.values()))
    problems.raise_if_errors()
    return plan


def _load(workspace: Workspace, run_file: str) -> tuple[str, models.RunSpec, Parameters]:
    """Return the run and its parameters; a faulty run file does not hide other faulty files."""
    found = Problems()
    try:
        run_file = workspace.run_file(run_file)
        spec = workspace.load_run(run_file, problems=found)
    except PmfError as error:
        try:
            workspace.load()
        except PmfError as others:
            error.problems.extend(others.problems)
        raise
    parameters = workspace.load(spec.framework)
    parameters.problems.extend(found)
    return run_file, spec, parameters


def _chosen(declared: Names, wanted: Names | None, kind: str, problems: Problems) -> list[str]:
    """Return the declared names that are wanted, all when none is; note those not declared."""
    for name in wanted or ():
        if name not in declared:
            facts = {"hint": did_you_mean(name, declared), "declared": ", ".join(declared)}
            problems.tell("not-asked-for", kind=kind, name=name, **facts)
    return [name for name in declared if not wanted or name in wanted]


def _is_in(shard: str, key: str) -> bool:
    """Whether a job falls to a share; its key alone decides, so that machines need not talk."""
    if not shard:
        return True
    share, _, shares = shard.partition("/")
    if not (share.isdecimal() and shares.isdecimal() and 1 <= int(share) <= int(shares)):
        raise PmfError(Problem.of("not-a-shard", shard=shard))
    return int(hashlib.sha256(key.encode()).hexdigest(), 16) % int(shares) == int(share) - 1


def check_data(plan: Plan) -> None:
    """Stop when the run's data cannot give reports: nothing imported, unknown peers, no disk space.

    Raises
    ------
    PmfError
        Exit 3, with all problems at once; exit 2 for a peer set that nobody declares.
    """
    problems, spec, series = Problems(), plan.spec, plan.store.series(plan.spec.as_at)
    if series:
        _check_names(plan, series, problems)
    else:
        problems.tell("store-empty", day=spec.as_at.isoformat())
    free = shutil.disk_usage(plan.workspace.root).free
    if free < _FREE_BYTES:
        problems.tell("disk-full", free=free // 1_000_000)
    problems.raise_if_errors(EXIT_DATA_UNUSABLE)
    plan.parameters.problems.extend(problems)
    declared = {name for name, peers in plan.parameters.peer_sets.items() if peers.members}
    if not {spec.peer_set, *spec.peer_sets_by_theme.values()} - {""} <= declared:
        # They may have come with the data, which are read only when it matters.
        rows = plan.store.as_known_on(spec.as_at, "peer_sets")["peer_sets"]
        rows = rows[rows["area_code"].isin(["", plan.parameters.framework.council.area_code])]
        days = rows["as_at"].dt.date.fillna(date.min).groupby(rows["peer_set"]).min().to_dict()
        plan.workspace.load_run(plan.run_file, store_peer_sets=days)


def _check_names(plan: Plan, series: set[tuple[str, ...]], problems: Problems) -> None:
    """Check our area and the groups of breakdowns against the series that are stored."""
    own, areas = plan.parameters.framework.council.area_code, {area for _, area, *_ in series}
    if own not in areas:  # a council that replaced others may have only their figures
        changes = plan.store.as_known_on(plan.spec.as_at, "area_changes")["area_changes"]
        areas |= {*changes.loc[changes["old_code"].isin(areas), "new_code"]}
    folder = plan.workspace.parameters
    names = (plan.spec.framework, place.register_name(folder))
    read = [loading.read_document(folder / name, f"parameters/{name}", problems) for name in names]
    if read[0] and read[1]:
        checks.check_names_in_data(read[0], read[1], series, areas)
