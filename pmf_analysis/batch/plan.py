"""From a run file to the list of notebooks to run; everything checked that needs no kernel."""

from __future__ import annotations

import shutil
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from pmf_analysis.batch.notebooks import check_notebook
from pmf_analysis.batch.runs import unfinished_run
from pmf_analysis.problems import (
    EXIT_DATA_UNUSABLE,
    EXIT_WRONG_USAGE,
    PmfError,
    Problem,
    Problems,
    did_you_mean,
)

if TYPE_CHECKING:
    from pmf_analysis.parameters.models import RunSpec
    from pmf_analysis.parameters.workspace import Parameters, Workspace
    from pmf_analysis.periods import Period

_FREE_BYTES = 200_000_000


@dataclass(frozen=True)
class Job:
    """One notebook to run: an analysis of a theme, for a council and a period."""

    theme: str
    analysis: str
    peer_set: str
    notebook: Path

    @property
    def id(self) -> str:
        """Name of the job, and its folder within the run."""
        return f"{self.theme}/{self.analysis}"


@dataclass(frozen=True)
class Plan:
    """A checked run: its declaration, the register it reads, and its jobs in order."""

    workspace: Workspace
    run_file: str
    spec: RunSpec
    parameters: Parameters
    period: Period
    jobs: tuple[Job, ...]

    def notebook_parameters(self, job: Job, run_folder: str) -> dict[str, Any]:
        """Return the values of a notebook's ``parameters`` cell, all of them."""
        return {
            "council": self.spec.council,
            "framework": self.spec.framework,
            "theme": job.theme,
            "period": self.spec.period,
            "as_at": self.spec.as_at.isoformat(),
            "peer_set": job.peer_set,
            "run_folder": run_folder,
            "seed": self.spec.seed,
        }

    def indicators(self, theme: str) -> list[str]:
        """Return the ids of the indicators of a theme, in the order of the register."""
        return [indicator.id for indicator in self.parameters.register.for_theme(theme)]


def find_run_file(workspace: Workspace, name: str = "") -> str:
    """Return a run file's name within the workspace; without a name, that of its only one.

    A file that is not there keeps its name, for reading it says what the choices are.

    Raises
    ------
    PmfError
        When no name is given and there is none, or more than one to choose from.
    """
    runs = workspace.parameters / "runs"
    if name:
        places = (Path(name), workspace.root / name, runs / name, runs / f"{name}.yml")
        path = next((place.resolve() for place in places if place.is_file()), Path(name))
        inside = path.is_relative_to(workspace.root)
        return path.relative_to(workspace.root).as_posix() if inside else str(path)
    paths = sorted(runs.glob("*.yml"))
    if len(paths) == 1:
        return paths[0].relative_to(workspace.root).as_posix()
    names = ", ".join(path.name for path in paths)
    message = f"Say which run: {names}." if paths else "There is no run file in parameters/runs."
    raise PmfError(Problem(message, code="which-run-file"))


def make_plan(
    workspace: Workspace,
    run_file: str = "",
    *,
    themes: Sequence[str] | None = None,
    analyses: Sequence[str] | None = None,
) -> Plan:
    """Read and check a run file and everything it names, and list the jobs.

    Parameters
    ----------
    themes, analyses
        Only these, of those that the run file asks for; none means all.

    Raises
    ------
    PmfError
        Exit 2, with all problems of the parameters and the notebooks at once.
    """
    from pmf_analysis.periods import parse_period

    run_file = find_run_file(workspace, run_file)
    spec, parameters = _load(workspace, run_file)
    problems = Problems()
    wanted_themes = _chosen(_declared_themes(spec, parameters), themes, "theme", problems)
    wanted_analyses = _chosen(list(spec.analyses), analyses, "analysis", problems)
    jobs = tuple(
        Job(
            theme=theme,
            analysis=analysis,
            peer_set=spec.peer_sets_by_theme.get(theme, spec.peer_set),
            notebook=workspace.notebooks / f"{analysis}.ipynb",
        )
        for theme in wanted_themes
        for analysis in wanted_analyses
    )
    problems.extend(_check_notebooks(workspace, jobs, spec))
    problems.raise_if_errors(EXIT_WRONG_USAGE)
    period = parse_period(spec.period, year_type=parameters.framework.year_type)
    return Plan(workspace, run_file, spec, parameters, period, jobs)


def plan_to_resume(workspace: Workspace, run_id: str) -> Plan:
    """Return the plan of a run that was stopped, with the same themes and analyses.

    Raises
    ------
    PmfError
        When there is no such run, it has finished, or its parameters now have problems.
    """
    _, manifest = unfinished_run(workspace, run_id)
    jobs = manifest["jobs"].values()
    return make_plan(
        workspace,
        manifest["run_file"],
        themes=list(dict.fromkeys(job["theme"] for job in jobs)),
        analyses=list(dict.fromkeys(job["analysis"] for job in jobs)),
    )


def _load(workspace: Workspace, run_file: str) -> tuple[RunSpec, Parameters]:
    """Return the run and its parameters; a faulty run file does not hide other faulty files."""
    try:
        spec = workspace.load_run(run_file)
    except PmfError as error:
        others = _problems_of(workspace.load)
        raise PmfError([*error.problems, *others], EXIT_WRONG_USAGE) from None
    return spec, workspace.load(spec.framework)


def _problems_of(action: Callable[[], object]) -> Problems:
    try:
        action()
    except PmfError as error:
        return error.problems
    return Problems()


def _declared_themes(spec: RunSpec, parameters: Parameters) -> list[str]:
    known = [theme.id for theme in parameters.framework.themes]
    return known if spec.themes == "all" else [theme for theme in known if theme in spec.themes]


def _chosen(
    declared: Sequence[str], wanted: Sequence[str] | None, kind: str, problems: Problems
) -> list[str]:
    """Return the declared names that are wanted, all when none is; note those not declared."""
    for name in wanted or ():
        if name not in declared:
            message = f'The run has no {kind} "{name}".{did_you_mean(name, declared)}'
            problems.add(message=message, code=f"unknown-{kind}", expected=", ".join(declared))
    return [name for name in declared if not wanted or name in wanted]


def _check_notebooks(workspace: Workspace, jobs: Sequence[Job], spec: RunSpec) -> Problems:
    problems = Problems()
    for path in dict.fromkeys(job.notebook for job in jobs):
        name = path.relative_to(workspace.root).as_posix()
        problems.extend(check_notebook(path, name, spec.accepted_notebooks.values()))
    return problems


def check_data(plan: Plan) -> None:
    """Stop when the run's data cannot give reports: nothing imported, unknown peers, no disk space.

    Raises
    ------
    PmfError
        Exit 3, with all problems at once; exit 2 for a peer set that nobody declares.
    """
    from pmf_analysis.data.store import Store

    problems = Problems()
    spec, store = plan.spec, Store(plan.workspace.store)
    if not any(vintage.as_at <= spec.as_at for vintage in store.vintages()):
        problems.add(
            message=f"Nothing had been imported by {spec.as_at.isoformat()}, the run's as-at date.",
            code="store-empty",
            fix="pmf import FILE, or pmf demo for the fictional council",
        )
    free = shutil.disk_usage(plan.workspace.root).free
    if free < _FREE_BYTES:
        problems.add(
            message=f"Only {free // 1_000_000} MB are free on the disk; a run needs 200 MB.",
            code="disk-full",
        )
    problems.raise_if_errors(EXIT_DATA_UNUSABLE)
    if not {spec.peer_set, *spec.peer_sets_by_theme.values()} <= set(plan.parameters.peer_sets):
        # They may have come with the data, which are read only when it matters.
        imported = set(store.as_known_on(spec.as_at)["peer_sets"]["peer_set"])
        plan.workspace.load_run(plan.run_file, store_peer_sets=imported)
