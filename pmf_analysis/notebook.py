"""What a notebook imports: open a run, show its sections, finish it.

``run = open_run("trends", council=..., ...)`` checks every parameter again and reads the result
tables of a batch run, or measures them here and keeps them in ``store/cache``. ``show`` displays
blocks. ``finish`` writes ``results.csv`` beside the report of a batch run.
"""

from __future__ import annotations

import csv
import hashlib
import io
import os
import shutil
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date
from importlib import import_module
from pathlib import Path, PurePosixPath
from types import ModuleType
from typing import TYPE_CHECKING

import pandas as pd

from pmf_analysis import __version__
from pmf_analysis.data.store import Store
from pmf_analysis.parameters.models import ANALYSES, RunSpec
from pmf_analysis.parameters.workspace import Parameters, Workspace
from pmf_analysis.periods import parse_period
from pmf_analysis.problems import PmfError, Problems, did_you_mean
from pmf_analysis.story.blocks import Block
from pmf_analysis.story.results import RESULT_COLUMNS, result_rows
from pmf_analysis.story.view import ThemeView

if TYPE_CHECKING:
    from pmf_analysis.assess import Measures

DEMO_COUNCIL = "westshire"
_PAGES = {
    "trends": "trends_page",
    "benchmarking": "benchmarking_page",
    "target_realism": "realism_page",
}


class RefusedError(PmfError):
    """A run that cannot be opened; JupyterLab shows its problems as sentences, not a traceback."""

    def _render_traceback_(self) -> list[str]:
        return [problem.line() for problem in self.problems]


@dataclass(frozen=True)
class Run:
    """One analysis of one theme: every method returns the blocks of a section, ready to show."""

    analysis: str
    view: ThemeView
    results_folder: Path | None

    @property
    def page(self) -> ModuleType:
        """The module of the analysis's page."""
        return import_module(f"pmf_analysis.story.{_PAGES[self.analysis]}")

    def _section(self, name: str) -> list[Block]:
        blocks: list[Block] = getattr(self.page, name)(self.view)
        return blocks

    def headline(self) -> list[Block]:
        """Return the finding and the table of every indicator at a glance."""
        return self._section("headline")

    def scope(self) -> list[Block]:
        """Return which indicators are judged, and which are not and why."""
        return self._section("scope")

    def pictures(self) -> list[Block]:
        """Return each indicator's finding and charts."""
        return self._section("pictures")

    def key_figures(self) -> list[Block]:
        """Return the numbers in one table, whose plain text nbval compares."""
        return self._section("key_figures")

    def exceptions(self) -> list[Block]:
        """Return what needs attention."""
        return self._section("exceptions")

    def challenge(self) -> list[Block]:
        """Return questions for the director; of the target realism analysis."""
        return self._section("challenge")

    def quality(self) -> list[Block]:
        """Return what limits trust in the data."""
        return self._section("quality")

    def method(self) -> list[Block]:
        """Return by which methods the page judges, and what they cannot tell."""
        return self._section("method")

    def provenance(self) -> list[Block]:
        """Return sources, licences, as-at date and content hash."""
        return self._section("provenance")


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
) -> Run:
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
    given = {"council": council, "theme": theme, "period": period, "as_at": as_at}
    try:
        workspace = Workspace.find()
        parameters = workspace.load(framework)
        _check(analysis, {**given, "run_folder": run_folder}, parameters, seed)
        spec = RunSpec(
            format=1,
            council=council,
            framework=framework,
            period=period,
            as_at=date.fromisoformat(as_at),
            themes=(theme,),
            peer_set=peer_set,
            seed=seed,
        )
        folder = workspace.root / run_folder if run_folder else None
        measures = _measures(workspace, parameters, spec, folder)
        _check_peer_set(peer_set, parameters, measures)
        view = theme_view(measures, parameters, spec, theme, store=Store(workspace.store))
    except PmfError as error:
        raise RefusedError(error.problems, error.exit_code) from None
    return Run(analysis, view, folder and folder / theme / analysis)


def _check(analysis: str, given: dict[str, str], parameters: Parameters, seed: int) -> None:
    """Raise every problem of the parameters at once."""
    framework, problems = parameters.framework, Problems()
    known = {
        "analysis": (analysis, ANALYSES),
        "council": (given["council"], (framework.council.id,)),
        "theme": (given["theme"], [theme.id for theme in framework.themes]),
    }
    for name, (word, choices) in known.items():
        if word not in choices:
            message = f'The {name} "{word}" is not known.{did_you_mean(word, choices)}'
            problems.add(message=message, code=f"unknown-{name}", expected=", ".join(choices))
    try:
        parse_period(given["period"], year_type=framework.year_type)
    except PmfError as error:
        problems.extend(error.problems)
    try:
        date.fromisoformat(given["as_at"])
    except (TypeError, ValueError):
        message = f'The as_at "{given["as_at"]}" is not a date.'
        problems.add(message=message, code="not-a-date", expected="a date such as 2026-10-31")
    if isinstance(seed, bool) or not isinstance(seed, int) or seed < 0:
        problems.add(message=f'The seed "{seed}" is not a whole number.', code="not-a-seed")
    place = PurePosixPath(given["run_folder"])
    if place.is_absolute() or ".." in place.parts or "\\" in given["run_folder"]:
        message = "The run_folder must be a folder inside the workspace, with forward slashes."
        problems.add(message=message, code="run-folder-outside")
    problems.raise_if_errors()


def _check_peer_set(peer_set: str, parameters: Parameters, measures: Measures) -> None:
    """Peer sets come with the data too, so they are checked once these are read."""
    used = measures.comparisons["peer_set"].unique().tolist() if len(measures.comparisons) else []
    known = sorted({*parameters.peer_sets, *used})
    if peer_set not in known:
        problems = Problems()
        message = f'The peer_set "{peer_set}" is not known.{did_you_mean(peer_set, known)}'
        problems.add(message=message, code="unknown-peer_set", expected=", ".join(known))
        problems.raise_if_errors()


def _measures(
    workspace: Workspace, parameters: Parameters, spec: RunSpec, folder: Path | None
) -> Measures:
    """Read the run's result tables, or measure them here once for the same inputs."""
    from pmf_analysis.assess import assess_run, read_measures, write_measures
    from pmf_analysis.systems.demo import make_demo

    if folder is not None:
        return read_measures(folder / "measures")
    store = Store(workspace.store)
    if not store.vintages() and spec.council == DEMO_COUNCIL:
        make_demo(workspace)
    if not store.vintages():
        raise PmfError("There is no data in the store. Fix: run pmf demo, or import your own.", 3)
    kept = workspace.store / "cache" / _cache_key(store, parameters, spec)
    if kept.is_dir():
        return read_measures(kept)
    measures = assess_run(workspace, spec)
    partial = kept.with_name(f"{kept.name}.{os.getpid()}.partial")
    write_measures(measures, partial)
    try:
        partial.rename(kept)
    except OSError:  # another notebook was quicker; its tables are the same
        shutil.rmtree(partial)
    return measures


def _cache_key(store: Store, parameters: Parameters, spec: RunSpec) -> str:
    """Return a name that changes with data, parameters and the code that measures."""
    package = Path(__file__).parent
    code = [package / "assess.py", *sorted((package / "measures").iterdir())]
    sums = [hashlib.sha256(path.read_bytes()).hexdigest() for path in code if path.is_file()]
    asked = (spec.council, spec.framework, spec.period, spec.as_at, spec.peer_set, spec.seed)
    parts = [__version__, store.digest(spec.as_at).overall, sorted(parameters.files.items())]
    return hashlib.sha256(repr((parts, asked, sums)).encode()).hexdigest()[:32]


def theme_view(
    measures: Measures, parameters: Parameters, spec: RunSpec, theme: str, *, store: Store
) -> ThemeView:
    """Return one theme's part of a council's result tables, with the names a page needs."""
    framework = parameters.framework
    indicators = tuple(parameters.register.for_theme(theme))
    ids = {indicator.id for indicator in indicators}
    trends = measures.trends[measures.trends["indicator"].isin(ids)]
    series = set(trends["series"])
    period = parse_period(spec.period, year_type=framework.year_type)
    names = ("points", "comparisons", "peers", "gaps", "targets", "forecasts")
    tables = {name: _part(getattr(measures, name), "series", series) for name in names}
    return ThemeView(
        council=framework.council.name,
        theme=theme,
        theme_title=next(each.title for each in framework.themes if each.id == theme),
        framework=framework.title,
        period=period.label,
        period_long=period.long_label,
        as_at=spec.as_at,
        peer_set=spec.peer_set,
        indicators=indicators,
        trends=trends,
        **tables,
        problems=_problems_of(measures.problems, theme, ids),
        narratives=_narratives(store, spec.as_at, ids, pd.Timestamp(period.end)),
        notice=framework.council.notice,
        vintage=store.digest(spec.as_at).overall,
        seed=spec.seed,
        words=framework.status_words,
    )


def _part(table: pd.DataFrame, column: str, wanted: set[str]) -> pd.DataFrame:
    return table[table[column].isin(wanted)] if len(table) else table


def _problems_of(problems: pd.DataFrame, theme: str, ids: set[str]) -> pd.DataFrame:
    if problems.empty:
        return problems
    return problems[problems["indicator"].isin(ids) | (problems["theme"] == theme)]


def _narratives(store: Store, as_at: date, ids: set[str], end: pd.Timestamp) -> pd.DataFrame:
    """Return what owners wrote by the as-at date about periods up to the one reported."""
    if not any("narratives" in vintage.rows for vintage in store.vintages()):
        return pd.DataFrame()
    written = _part(store.as_known_on(as_at)["narratives"], "indicator_id", ids)
    return written[written["period_end"] <= end]


def show(*blocks: Block | Iterable[Block]) -> None:
    """Display blocks one after the other, each as HTML, plain text and structure."""
    from IPython.display import display

    for each in blocks:
        for block in (each,) if isinstance(each, Block) else each:
            display(block)  # type: ignore[no-untyped-call]  # IPython is not annotated


def finish(run: Run) -> None:
    """Write the run's numbers as ``results.csv`` beside its report; nothing outside a batch run.

    The same results give the same bytes, and no cell is read as a formula by a spreadsheet.
    """
    if run.results_folder is None:
        return
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow(RESULT_COLUMNS)
    rows = result_rows(run.analysis, run.view, run.page)
    writer.writerows([row[name] for name in RESULT_COLUMNS] for row in rows)
    run.results_folder.mkdir(parents=True, exist_ok=True)
    path = run.results_folder / "results.csv"
    path.write_text(text.getvalue(), encoding="utf-8", newline="")
