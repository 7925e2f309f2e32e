"""What a notebook imports: open a run, show its sections, finish it.

``run = open_run("trends", council=..., ...)`` checks every parameter again and reads the result
tables of a batch run, or measures them here and keeps them in ``store/cache``. ``show`` displays
blocks. ``finish`` writes ``results.csv`` beside the report of a batch run.
"""

from __future__ import annotations

import hashlib
import os
import shutil
from collections.abc import Iterable, Iterator, Mapping
from datetime import date
from pathlib import Path, PurePosixPath
from typing import TYPE_CHECKING, Any

import pandas as pd

from pmf_analysis.data.seals import records_read
from pmf_analysis.data.store import Store
from pmf_analysis.parameters.checks import check_peer_sets, check_run
from pmf_analysis.parameters.loading import Document, read_document, validated
from pmf_analysis.parameters.models import RunSpec
from pmf_analysis.parameters.workspace import Parameters, Workspace
from pmf_analysis.periods import parse_period
from pmf_analysis.problems import EXIT_DATA_UNUSABLE, PmfError, Problem, Problems
from pmf_analysis.story.bank import inflected, say, speak, stored
from pmf_analysis.story.benchmarking_page import BenchmarkingPage
from pmf_analysis.story.blocks import PAGE_MIME, Block
from pmf_analysis.story.pages import Page
from pmf_analysis.story.realism_page import RealismPage
from pmf_analysis.story.results import AUDIT_COLUMNS, RESULT_COLUMNS, audit_rows, result_rows
from pmf_analysis.story.trends_page import TrendsPage
from pmf_analysis.story.view import ThemeView

if TYPE_CHECKING:
    from pmf_analysis.assess import Measures

DEMO_COUNCIL = "westshire"
# The lines of a notebook's parameters cell, by the names that a run file has for them.
_CELL = ("council", "framework", "themes", "period", "as_at", "peer_set", "run_folder", "seed")
# By which column a theme's rows are found, where it is not the series.
_BY_INDICATOR = {name: "indicator" for name in ("trends", "target_checks")}
_BY_INDICATOR |= {"value": "performance_indicator", "narratives": "indicator_id"}
# Parts of a plan, whole where one row is of an indicator of the theme or of the theme itself.
_PLANS = {"actions": "action_id", "risks": "risk_id", "projects": "project_id"}
_PAGES: Mapping[str, type[Page[Any]]] = {
    page.analysis: page for page in (TrendsPage, BenchmarkingPage, RealismPage)
}


class RefusedError(PmfError):
    """A run that cannot be opened; JupyterLab shows its problems as sentences, not a traceback."""

    def _render_traceback_(self) -> list[str]:
        return [problem.line() for problem in self.problems]


def open_run(
    analysis: str,
    *,
    council: str,
    framework: str,
    theme: str,
    period: str,
    as_at: str,
    peer_set: str,
    run_folder: str,
    seed: int,
) -> Page[Any]:
    """Check the parameters of a notebook and open its run.

    Parameters
    ----------
    analysis
        ``trends``, ``benchmarking`` or ``target_realism``.
    council, framework, theme, period, as_at, peer_set, seed
        As in a run file; ``as_at`` is an ISO date.
    run_folder
        Folder of a batch run, relative to the workspace, with ``measures/*.parquet`` in it; ""
        measures here.

    Raises
    ------
    RefusedError
        With every problem of the parameters, or when there is no data to measure.
    """
    from pmf_analysis.assess import read_measures

    given = (council, framework, (theme,), period, as_at, peer_set, run_folder, seed)
    cell = {**dict(zip(_CELL, given, strict=True)), "analyses": (analysis,)}
    try:
        workspace = Workspace.find()
        parameters = workspace.load(framework)
        speak(parameters.framework.language, parameters.wording)
        document, spec = _checked(cell, workspace)
        folder = workspace.root / run_folder if run_folder else None
        kept = folder / "measures" if folder else _kept_measures(workspace, parameters, spec)
        measures = read_measures(kept)
        # Peer sets come with the data too, so these names are the last to be checked.
        used = measures.comparisons["peer_set"].tolist() if len(measures.comparisons) else []
        check_peer_sets(document, parameters.peer_sets, used)
        document.problems.raise_if_errors()
        view = theme_view(measures, parameters, spec, theme)
        facts = council_facts(workspace, parameters, spec)
    except PmfError as error:
        raise RefusedError(error.problems, error.exit_code) from None
    _tell({**facts, "theme": view.theme_title, "analysis": say(f"page.analysis.{analysis}")})
    return _PAGES[analysis](view, folder and folder / theme / analysis)


def council_facts(workspace: Workspace, parameters: Parameters, spec: RunSpec) -> dict[str, Any]:
    """Return what every page of a council and period says of itself."""
    council = parameters.framework.council
    period = parse_period(spec.period, year_type=parameters.framework.year_type)
    return {
        "council": council.name,
        "notice": council.notice,
        "period": period.long_label,
        "as_at": spec.as_at.isoformat(),
        "brand": workspace.brand(council),
        "wording": parameters.wording,
    }


def _tell(facts: Mapping[str, Any]) -> None:
    """Leave with a notebook what its page says of itself, for documents made of it later."""
    from IPython import get_ipython
    from IPython.display import display

    words = ", ".join(facts[name] for name in ("council", "theme", "analysis", "period"))
    if get_ipython():
        display({"text/plain": words, PAGE_MIME: facts}, raw=True)  # type: ignore[no-untyped-call]


def _checked(cell: dict[str, Any], workspace: Workspace) -> tuple[Document, RunSpec]:
    """Check the parameters of a notebook as those of a run file are: all problems at once."""
    problems, path = Problems(), workspace.parameters / cell["framework"]
    lines: dict[tuple[str | int, ...], int] = {(n,): i for i, n in enumerate(_CELL, start=1)}
    place = PurePosixPath(run_folder := cell.pop("run_folder"))
    if place.is_absolute() or ".." in place.parts or "\\" in run_folder:
        problems.tell("run-folder-outside")
    try:
        day = date.fromisoformat(cell["as_at"])
    except (TypeError, ValueError):
        day = date.max
        problems.tell("not-a-date", day=cell["as_at"])
    document = Document("parameters", {"format": 1, **cell, "as_at": day}, lines, "", problems)
    spec = validated(RunSpec, document, problems)
    check_run(document, {path.name: read_document(path, path.name, problems)})
    problems.raise_if_errors()
    assert spec is not None  # else there was an error
    return document, spec


def _kept_measures(workspace: Workspace, parameters: Parameters, spec: RunSpec) -> Path:
    """Return the folder of result tables, which are measured here once for the same inputs."""
    from pmf_analysis.assess import are_whole, assess_run, write_measures
    from pmf_analysis.systems.demo import make_demo

    store = Store(workspace.store)
    if not store.vintages() and spec.council == DEMO_COUNCIL:
        make_demo(workspace)
    if not store.vintages():
        raise PmfError(Problem.of("no-data"), EXIT_DATA_UNUSABLE)
    kept = workspace.local_store / "cache" / _cache_key(workspace, parameters, spec)
    if are_whole(kept):
        return kept
    shutil.rmtree(kept, ignore_errors=True)  # damaged, if there at all
    partial = kept.with_name(f"{kept.name}.{os.getpid()}.partial")
    write_measures(assess_run(workspace, spec), partial)
    try:
        partial.rename(kept)
    except OSError:  # another notebook was quicker; its tables are the same
        shutil.rmtree(partial)
    return kept


def _cache_key(workspace: Workspace, parameters: Parameters, spec: RunSpec) -> str:
    """Return a name that changes with data, parameters and the code that measures."""
    from pmf_analysis.assess import code_digest

    asked = (spec.council, spec.framework, spec.period, spec.as_at, spec.peer_set, spec.seed)
    council = parameters.framework.council.id
    said_before = records_read(workspace.store, council=council, as_at=spec.as_at)
    data = Store(workspace.store).digest(spec.as_at).overall
    parts = [data, sorted(parameters.files.items()), said_before]
    return hashlib.sha256(repr((code_digest(), parts, asked)).encode()).hexdigest()[:32]


class ThemeTables(Mapping[str, pd.DataFrame]):
    """A theme's rows of the result tables, each read and cut when a page asks for it."""

    def __init__(self, measures: Measures, theme: str, ids: set[str]) -> None:
        self._measures, self._theme, self._ids = measures, theme, ids
        self._cut: dict[str, pd.DataFrame] = {}

    def __getitem__(self, name: str) -> pd.DataFrame:
        if name not in self._cut:
            table: pd.DataFrame = getattr(self._measures, name)
            self._cut[name] = table if table.empty else self._part(name, table)
        return self._cut[name]

    def __iter__(self) -> Iterator[str]:
        return iter(stored("cells.yml")["tables"])

    def __len__(self) -> int:
        return len(stored("cells.yml")["tables"])

    def _part(self, name: str, table: pd.DataFrame) -> pd.DataFrame:
        if name == "problems":
            return table[table["indicator"].isin(self._ids) | (table["theme"] == self._theme)]
        # A page tells of its own theme, so that it changes with this theme alone.
        if name == "portfolio":
            return table[(table["group"] == "theme") & (table["name"] == self._theme)]
        if name == "records":
            return table[(table["group"] == self._theme) | (table["source"] != "targets")]
        if key := _PLANS.get(name):
            own = table["indicator_id"].isin(self._ids) | (table.get("theme") == self._theme)
            return table[table[key].isin(table.loc[own, key])]
        # Rows that name no theme or indicator hold for all of them.
        if name in _BY_INDICATOR:
            return table[table[_BY_INDICATOR[name]].isin({*self._ids, ""})]
        if "series" in table:
            return table[table["series"].isin(set(self["trends"]["series"]))]
        return table[table["theme"] == self._theme] if "theme" in table else table


def theme_view(measures: Measures, parameters: Parameters, spec: RunSpec, theme: str) -> ThemeView:
    """Return one theme's part of a council's result tables, with the names a page needs."""
    framework = parameters.framework
    # What names no licence is published under the council's own.
    licence, of = framework.council.brand.licence, parameters.register.for_theme(theme)
    indicators = tuple(e if e.licence else e.model_copy(update={"licence": licence}) for e in of)
    ids = {indicator.id for indicator in indicators}
    digests = measures.digests[measures.digests["indicator"].isin(ids)]
    return ThemeView(
        council=framework.council.name,
        theme=theme,
        theme_title=next(each.title for each in framework.themes if each.id == theme),
        period=inflected("labels", parse_period(spec.period, year_type=framework.year_type).label),
        as_at=spec.as_at,
        peer_set=spec.peer_set,
        indicators=indicators,
        tables=ThemeTables(measures, theme, ids),
        easy_level=framework.target_bands.too_easy,
        comparison_level=framework.comparison.level,
        overdispersion=framework.comparison.overdispersion,
        notice=framework.council.notice,
        vintage=hashlib.sha256(digests.to_csv(index=False).encode()).hexdigest(),
        seed=spec.seed,
        words=framework.status_words,
        roles=roles_of(parameters),
        data_language=framework.data_language,
    )


def roles_of(parameters: Parameters) -> frozenset[str]:
    """Return the posts by which officers are named."""
    roles = {each.role for each in parameters.framework.directors}
    roles |= {each.owner for each in parameters.register.indicators.values()}
    return frozenset(" ".join(role.casefold().split()) for role in roles if role)


def show(*blocks: Block | Iterable[Block]) -> None:
    """Display blocks one after the other, each as HTML, plain text and structure."""
    from IPython.display import display

    for each in blocks:
        for block in (each,) if isinstance(each, Block) else each:
            display(block)  # type: ignore[no-untyped-call]  # IPython is not annotated


def finish(run: Page[Any]) -> None:
    """Write ``results.csv``, and for trends ``audit.csv``, beside the report of a batch run.

    The same results give the same bytes, and no cell is read as a formula by a spreadsheet.
    """
    if run.results_folder is None:
        return
    run.results_folder.mkdir(parents=True, exist_ok=True)
    tables = {"results.csv": pd.DataFrame(result_rows(run), columns=RESULT_COLUMNS)}
    if run.analysis == "trends":
        tables["audit.csv"] = pd.DataFrame(audit_rows(run), columns=AUDIT_COLUMNS)
    for name, table in tables.items():
        table.to_csv(run.results_folder / name, index=False, lineterminator="\n")
