"""The whole council once, for every page, pack and notebook: tables in, result tables out."""

from __future__ import annotations

import hashlib
from datetime import date
from pathlib import Path
from types import SimpleNamespace

import pandas as pd
from pyarrow.parquet import ParquetFile

from pmf_analysis import __version__, periods
from pmf_analysis.data import contract, corrections, seals
from pmf_analysis.data.store import Store
from pmf_analysis.measures import arrays, denominators, events, frames, questions, result_tables
from pmf_analysis.measures.arrays import Frames, Known
from pmf_analysis.measures.arrows import council_statuses, disagreements
from pmf_analysis.measures.benchmarking import benchmark_tables, followed_panel
from pmf_analysis.measures.frames import KnownCouncil
from pmf_analysis.measures.peer_sets import neighbour_lists
from pmf_analysis.measures.plan_tables import plan_tables
from pmf_analysis.measures.target_tables import Before, target_tables
from pmf_analysis.measures.trend_tables import trend_tables
from pmf_analysis.parameters.models import RunSpec
from pmf_analysis.parameters.workspace import Parameters, Workspace

TABLES: tuple[str, ...] = tuple(arrays.SHIPPED["result_tables"])


class Measures(SimpleNamespace):
    """The result tables of one council, period and as-at date; columns in docs/result-tables.md.

    With a ``folder``, each is read from there when it is first asked for.
    """

    def __getattr__(self, name: str) -> pd.DataFrame:
        if name not in TABLES or "folder" not in vars(self):
            raise AttributeError(f"there is no result table {name}")
        # A file's own reader, because pandas asks a data set of files, which takes twice as long.
        table: pd.DataFrame = ParquetFile(self.folder / f"{name}.parquet").read().to_pandas()
        setattr(self, name, table)
        return table


# Columns of a few hundred texts: Arrow's arrays take a quarter longer in all.
@pd.option_context("mode.string_storage", "python")
def assess_run(workspace: Workspace, spec: RunSpec) -> Measures:
    """Assess what the store of a workspace knew on the run's as-at date.

    Trends, comparisons, forecasts and targets of every indicator in the register; nothing that
    ends after the run's period is used, and each indicator speaks with its newest value. Every
    chartable indicator has a row in `trends`, with the reason where it is not judged.

    Raises
    ------
    PmfError
        When the parameters have problems, or a declared peer set is nowhere defined.
    """
    parameters, known, council = council_at(workspace, spec)
    framework, store = parameters.framework, Store(workspace.store)
    as_at, seed = spec.as_at, spec.seed
    sets = frames.sets_by_indicator(parameters, spec.peer_set, spec.peer_sets_by_theme)
    live = questions.live_targets(council.targets, council.own, council.register)
    compared = benchmark_tables(council, framework, peer_set=spec.peer_set, used=sets)
    restated = store.restatements(as_at)
    trends = trend_tables(council, live, parameters, restated=restated, seed=seed)
    beside = compared["comparisons"]
    beside = beside[beside["peer_set"] == beside["indicator"].map(sets)]
    sealed, broken = seals.open_seals(workspace.store, before=as_at)
    asked, damaged = seals.read_backtest(workspace.store, council=framework.council.id, until=as_at)
    before = Before(live, trends["trends"], beside, compared["gaps"], sealed, asked)
    targets = target_tables(council, parameters, before, sets=sets, seed=seed)
    damage = contract.problem_table([*broken, *damaged])
    doubted = store.problems(as_at).query("code == 'unit-changed'")
    notes = [council.notes, store.problems(as_at, area=council.area), doubted, damage]
    if restated is not None:
        notes.append(result_tables.restatement_notes(restated, council.own, council.register))
    problems = pd.concat(notes, ignore_index=True)
    # reports show those of their own themes
    problems["theme"] = parameters.register.themes_of(problems["indicator"])
    written = known["narratives"]
    written = written[written["period_end"] <= pd.Timestamp(council.period.end)]
    digests = result_tables.digest_table(store.digest(as_at).series)
    rules = framework.arrows.model_dump()
    said = disagreements(known, council, trends["trends"], rules)
    told = {"problems": problems, "narratives": written, "disagreements": said, "digests": digests}
    steps = framework.model_dump()["status_rule"]
    aimed = targets["targets"].query("~is_reference")["series"].tolist()
    told["statuses"] = council_statuses(trends["trends"], steps, aimed)
    told |= plan_tables(known, pd.Timestamp(as_at))
    return Measures(**trends, **compared, **targets, **told)


def code_digest() -> str:
    """Hash of the code that measures: what is kept by it is made again when the code changes."""
    code = [Path(__file__), *sorted(Path(__file__).with_name("measures").iterdir())]
    sums = [hashlib.sha256(path.read_bytes()).hexdigest() for path in code if path.is_file()]
    return hashlib.sha256(repr((__version__, sums)).encode()).hexdigest()


def write_measures(measures: Measures, folder: Path) -> list[Path]:
    """Write each result table as Parquet; returns the files written."""
    folder.mkdir(parents=True, exist_ok=True)
    paths = {name: folder / f"{name}.parquet" for name in TABLES}
    for name, path in paths.items():
        getattr(measures, name).to_parquet(path, index=False)
    return list(paths.values())


def are_whole(folder: Path) -> bool:
    """Whether every result table is in a folder, to its end."""
    paths = [folder / f"{name}.parquet" for name in TABLES]
    return all(path.is_file() and path.read_bytes().endswith(b"PAR1") for path in paths)


def read_measures(folder: Path) -> Measures:
    """Return the result tables that :func:`write_measures` wrote; each is read when it is used."""
    return Measures(folder=folder)


def council_at(workspace: Workspace, spec: RunSpec) -> tuple[Parameters, Frames, KnownCouncil]:
    """What is declared, and what the store knew on a run's as-at date: as imported, and ready."""
    parameters, store = workspace.load(spec.framework), Store(workspace.store)
    period = periods.parse_period(spec.period, year_type=parameters.framework.year_type)
    days = sorted({vintage.as_at for vintage in store.vintages(spec.as_at)})
    # nothing hidden now may be worked out from what was published before
    published = store.as_known_on(days[-2], "observations")["observations"] if days[1:] else None
    known = store.as_known_on(spec.as_at)
    return parameters, known, known_council(known, parameters, period, spec.as_at, published)


def known_council(
    tables: Frames, parameters: Parameters, period: periods.Period, as_at: date, published: Known
) -> KnownCouncil:
    """Make what is known of a council on a day ready to be measured: of the contract's tables."""
    register = frames.judged_register(parameters)
    known = tables["observations"]
    known = known[known["period_end"] <= pd.Timestamp(period.end)]
    known = known[known["indicator_id"].isin(register["indicator"])]
    area = parameters.framework.council.area_code
    known, corrected = corrections.apply_corrections(
        known, parameters.corrections, parameters.register, own_area=area
    )
    shown, notes = frames.shown_observations(known, register, published)
    panel = frames.measure_frame(shown, register)
    panel["is_exceptional"] = frames.in_exceptional_period(panel, register)
    panel, peer_sets, breaks, found = followed_panel(panel, tables, parameters, register, as_at)
    targets = tables["targets"]
    ours = targets["area_code"].isin([area, ""]) & ~(targets["set_on"] > pd.Timestamp(as_at))
    targets = targets[ours]
    moved = [events.declared_changes(tables["changes"], parameters, as_at), breaks]
    own = frames.own_totals(panel, area)
    bare = targets["indicator_id"][~targets["indicator_id"].isin(own["indicator"])].unique()
    unheld = arrays.SHIPPED["unheld"] | {"indicator": bare}
    told = [corrected, notes, found, denominators.denominator_jumps(own), pd.DataFrame(unheld)]
    changes, said = (pd.concat(each, ignore_index=True) for each in (moved, told))
    lists = neighbour_lists(tables["peer_sets"], as_at)
    tidy = register, panel, own, changes, targets, peer_sets, lists, said
    return KnownCouncil(*tidy, area=area, period=period, as_at=as_at)
