"""Westshire is consistent with itself, with its register, and the same every time."""

from __future__ import annotations

import csv
import importlib
import sys
import zipfile
from datetime import date
from functools import partial
from pathlib import Path
from types import ModuleType, SimpleNamespace

import numpy as np
import openpyxl
import pandas as pd
import pytest

from pmf_analysis.data.contract import KEYS, TABLES, USABLE_STATUSES, series_key
from pmf_analysis.data.disclosure import suppress
from pmf_analysis.data.schema import check_table
from pmf_analysis.parameters.models import DataType, Indicator
from pmf_analysis.parameters.workspace import Parameters, Workspace
from pmf_analysis.systems.demo import SOURCES

# Reads workbooks as pandas has always done, whatever else is installed.
openpyxl_table = partial(pd.read_excel, engine="openpyxl")

Tables = dict[date, dict[str, pd.DataFrame]]
Recipe = World = SimpleNamespace


def load_script(name: str) -> ModuleType:
    """A script of ``benchmarks``, one of those that make the files of Westshire."""
    folder = str(Path(__file__).parents[3] / "benchmarks")
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(sys, "path", [folder, *sys.path])
        return importlib.import_module(name)


drawing, making = load_script("westshire_figures"), load_script("westshire")
OWN, (JULY, OCTOBER) = drawing.OWN, drawing.VINTAGES
PENTANA: dict[str, dict[str, str]] = making.read_words()["pentana"]


@pytest.fixture(scope="module")
def world() -> World:
    world: World = drawing.load_world()
    return world


@pytest.fixture(scope="module")
def tables() -> Tables:
    tables: Tables = making.westshire_tables()
    return tables


@pytest.fixture(scope="module")
def observations(tables: Tables) -> pd.DataFrame:
    return tables[OCTOBER]["observations"]


@pytest.fixture(scope="module")
def parameters(repository: Path) -> Parameters:
    return Workspace(repository).load()


@pytest.fixture(scope="module")
def register(parameters: Parameters) -> dict[str, Indicator]:
    return parameters.register.indicators


@pytest.fixture(scope="module")
def sources(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("sources")
    making.write_sources(folder)
    return folder


# The register and the recipes


def test_every_recipe_is_in_the_register_and_every_chartable_indicator_has_a_recipe(
    world: World, register: dict[str, Indicator]
) -> None:
    chartable = {name for name, item in register.items() if item.is_chartable}
    assert set(world.recipes) == chartable


def test_the_register_has_no_problem(parameters: Parameters) -> None:
    assert [problem.line() for problem in parameters.problems] == []


def test_indicators_without_numbers_speak_in_statements(
    tables: Tables, register: dict[str, Indicator]
) -> None:
    worded = {name for name, item in register.items() if not item.is_chartable}
    assert set(tables[OCTOBER]["statements"]["indicator_id"]) == worded


def declared(recipe: Recipe) -> dict[str, object]:
    return {
        "frequency": recipe.frequency,
        "year_type": recipe.year_type,
        "accumulation": recipe.accumulation,
        "period_span": recipe.span,
        "decimals": recipe.decimals,
        "publish_lag_days": recipe.lag,
        "rate_base": recipe.base if recipe.makes == "rate" else None,
        "definition_version": 2 if recipe.new_definition else 1,
        "valid_from": recipe.new_definition,
    }


def test_the_register_says_what_the_recipes_make(
    world: World, register: dict[str, Indicator]
) -> None:
    for name, recipe in world.recipes.items():
        told = {setting: getattr(register[name], setting) for setting in declared(recipe)}
        if not recipe.new_definition:
            told["valid_from"] = None
        assert told == declared(recipe), name


def test_a_word_that_no_recipe_knows_is_refused(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    words = drawing.RECIPES.read_text(encoding="utf-8")
    recipes = tmp_path / "recipes.yml"
    recipes.write_text(words.replace("season: {garden: 0.13}", "seeson: {garden: 0.13}"), "utf-8")
    monkeypatch.setattr(drawing, "RECIPES", recipes)
    with pytest.raises(TypeError, match=r"recycling.*seeson"):
        drawing.load_world.__wrapped__()


def test_percentages_are_shares_and_surveys_say_so(
    world: World, register: dict[str, Indicator]
) -> None:
    kinds = {"share": {"percentage", "survey_percentage"}, "rate": {"rate"}, "count": {"count"}}
    for name, recipe in world.recipes.items():
        data_type = register[name].data_type
        assert data_type in kinds.get(recipe.makes, {data_type}), name
        is_survey = recipe.sample > 0 and recipe.makes == "share"
        assert (data_type == "survey_percentage") == is_survey, name


def test_codes_in_the_pentana_workbook_are_aliases(
    register: dict[str, Indicator],
) -> None:
    assert PENTANA
    for name, words in PENTANA.items():
        assert words["code"] in register[name].aliases


def test_every_kind_of_series_is_there(
    world: World, register: dict[str, Indicator], observations: pd.DataFrame
) -> None:
    recipes = world.recipes.values()
    assert {r.frequency for r in recipes} == {"monthly", "quarterly", "termly", "annual"}
    assert {r.year_type for r in recipes} == {"financial", "academic", "calendar"}
    assert {r.accumulation for r in recipes} == {"discrete", "ytd", "rolling", "snapshot"}
    assert {r.base for r in recipes if r.makes == "rate"} == {1000, 10000, 100000}
    assert {item.data_type for item in register.values()} == set(DataType.__args__)
    assert {item.polarity for item in register.values()} == {"higher", "lower", "range", "none"}
    assert set(observations["value_status"]) >= {
        *("final", "provisional", "revised", "suppressed"),
        *("not_yet_available", "not_applicable", "missing"),
    }


def test_some_indicators_belong_to_two_themes_of_a_framework(
    register: dict[str, Indicator], parameters: Parameters
) -> None:
    themes = {theme.id for theme in parameters.framework.themes}
    shared = [item for item in register.values() if len(themes & set(item.themes)) == 2]
    assert len(shared) >= 4
    assert all(len(set(item.themes) - themes) in (1, 2) for item in register.values())


def test_each_theme_has_something_that_cannot_be_judged(
    parameters: Parameters, world: World, observations: pd.DataFrame
) -> None:
    own = observations[(observations["area_code"] == OWN) & observations["value"].notna()]
    version = own.groupby("indicator_id")["definition_version"].transform("max")
    newest = own[own["definition_version"] == version]
    lengths = newest.groupby("indicator_id").size()
    without_counts = {
        name for name, r in world.recipes.items() if r.accumulation == "ytd" and not r.has_counts
    }
    for theme in parameters.framework.themes:
        names = {item.id for item in parameters.register.for_theme(theme.id)}
        assert names & (without_counts | set(lengths[lengths < 5].index)), theme.id


def test_peer_sets_are_the_same_in_the_data_and_in_the_parameters(
    tables: Tables, parameters: Parameters, world: World
) -> None:
    rows = tables[OCTOBER]["peer_sets"].sort_values(["peer_set", "rank"])
    in_data = {name: list(rs["member_code"]) for name, rs in rows.groupby("peer_set")}
    assert in_data == {
        name: list(spec.members) for name, spec in parameters.peer_sets.items() if spec.members
    }
    peers = world.areas[world.areas["role"] == "peer"]
    names = dict(zip(peers["area_code"], peers["area_name"], strict=True))
    assert len(names) == 16
    for spec in parameters.peer_sets.values():
        assert spec.members.items() <= names.items()


@pytest.mark.realdata
def test_no_place_is_real(world: World, real_data: Path) -> None:
    with (real_data / "lookups" / "authorities.csv").open(encoding="utf-8") as file:
        cells = {cell.casefold() for row in csv.reader(file) for cell in row}
    assert "trafford" in cells
    councils = world.areas[world.areas["role"].isin(["own", "peer"])]
    assert len(councils) == 17
    for name in ("area_code", "area_name"):
        assert not set(councils[name].str.casefold()) & cells


# Values


@pytest.mark.parametrize("as_at", [JULY, OCTOBER])
def test_every_table_keeps_the_contract(tables: Tables, as_at: date) -> None:
    # never reorganised, and no other system speaks of it
    assert set(tables[as_at]) == set(TABLES) - {"area_changes", "published"}
    for name, table in tables[as_at].items():
        assert len(table), name
        assert [problem.line() for problem in check_table(table, name)] == [], name


@pytest.mark.parametrize("as_at", [JULY, OCTOBER])
def test_counts_divided_give_the_value(tables: Tables, world: World, as_at: date) -> None:
    rows = tables[as_at]["observations"].dropna(subset=["value", "numerator"])
    assert rows["indicator_id"].nunique() > 35
    per = rows["indicator_id"].map({name: r.per for name, r in world.recipes.items()})
    decimals = rows["indicator_id"].map({name: r.decimals for name, r in world.recipes.items()})
    gap = (per * rows["numerator"] / rows["denominator"] - rows["value"]).abs()
    assert (gap <= 0.5 * 10.0**-decimals + 1e-9).all()
    assert (rows["numerator"] % 1 == 0).all()
    assert (rows["denominator"] % 1 == 0).all()


def test_values_keep_their_bounds(
    observations: pd.DataFrame, register: dict[str, Indicator]
) -> None:
    values = observations.dropna(subset=["value"])
    for name, rows in values.groupby("indicator_id"):
        item = register[str(name)]
        assert item.minimum is None or rows["value"].min() >= item.minimum, name
        assert item.maximum is None or rows["value"].max() <= item.maximum, name
    assert register["revenue_variance"].minimum is None


def test_intervals_hold_their_value_and_surveys_their_sample(
    observations: pd.DataFrame, world: World
) -> None:
    rows = observations.dropna(subset=["value"])
    surveys = rows["indicator_id"].isin([n for n, r in world.recipes.items() if r.sample])
    assert rows.loc[surveys, "sample_size"].min() > 100
    assert rows.loc[~surveys, "sample_size"].isna().all()
    held = rows.dropna(subset=["ci_lower"])
    assert held["indicator_id"].nunique() >= 7
    assert ((held["ci_lower"] < held["value"]) & (held["value"] < held["ci_upper"])).all()


def test_year_to_date_values_start_anew_each_year_and_never_fall_within_it(
    tables: Tables, world: World
) -> None:
    rows = tables[JULY]["observations"]
    names = [name for name, r in world.recipes.items() if r.accumulation == "ytd"]
    rows = rows[rows["indicator_id"].isin(names)].dropna(subset=["value"])
    year = rows["period_start"].dt.year - (rows["period_start"].dt.month < 4)
    steps = rows.groupby([series_key(rows), year])["value"].diff().dropna()
    assert len(steps) > 500
    assert (steps >= 0).all()
    restarts = rows[rows["period_start"].dt.month == 4].groupby("indicator_id")["value"].mean()
    closes = rows[rows["period_start"].dt.month == 1].groupby("indicator_id")["value"].mean()
    assert (restarts.reindex(closes.index) < closes / 2).all()


def test_small_counts_are_hidden_and_nought_is_not(observations: pd.DataFrame) -> None:
    rows = observations[observations["indicator_id"] == "families_in_bed_and_breakfast"]
    hidden = rows["value_status"] == "suppressed"
    assert hidden.any()
    assert rows.loc[hidden, ["value", "numerator", "denominator"]].isna().all(axis=None)
    shown = rows.loc[~hidden, "numerator"].dropna()
    assert not shown.between(1, 4).any()
    assert (shown == 0).any()


def test_groups_of_a_complete_dimension_add_up_to_westshire(
    observations: pd.DataFrame, world: World
) -> None:
    keys, counts = ["indicator_id", "period_end"], ["numerator", "denominator"]
    own = observations[observations["area_code"] == OWN]
    wholes = own[own["dimension"] == ""].set_index(keys)[counts]
    found = 0
    for name, recipe in world.recipes.items():
        for dimension, groups in recipe.splits.items():
            assert sum(share for share, _, _ in groups.values()) == pytest.approx(1)
            rows = own[(own["indicator_id"] == name) & (own["dimension"] == dimension)]
            assert list(rows["dimension_value"].unique()) == list(groups)
            assert rows["period_end"].nunique() >= 6
            sums = rows.groupby(keys)[counts].sum()
            pd.testing.assert_frame_equal(sums, wholes.loc[sums.index], check_dtype=False)
            found += 1
    assert found >= 4


def test_one_group_is_so_small_that_it_and_another_are_hidden(observations: pd.DataFrame) -> None:
    rows = suppress(observations[observations["indicator_id"] == "young_people_neet"])
    newest = rows[rows["period_end"] == rows.loc[rows["dimension"] != "", "period_end"].max()]
    hidden = newest.loc[newest["value_status"] == "suppressed", "dimension_value"].tolist()
    assert "Other" in hidden and len(hidden) == 2


def test_an_absent_value_says_why(observations: pd.DataFrame) -> None:
    absent = observations[~observations["value_status"].isin(USABLE_STATUSES)]
    assert (absent["value_note"] != "").all()
    assert absent[["value", "numerator", "sample_size"]].isna().all(axis=None)


@pytest.mark.parametrize("name", ["major_planning_decisions", "invoices_on_time", "fly_tipping"])
def test_noise_fits_the_denominator(world: World, name: str) -> None:
    """Around a level that stands still, counts scatter as binomial and Poisson counts do."""
    still = dict.fromkeys(("extra", "wander", "spread"), 0.0) | {"step": None, "turn": None}
    level = (6.0, 6.0) if name == "fly_tipping" else (85.0, 85.0)
    words = {"westshire": level, "peers": level, "shocks": {}}
    recipe = drawing.Recipe(**vars(world.recipes[name]) | words | still)
    drawn = drawing.draw_series(recipe, world, drawing.SEED)
    chance = level[0] / recipe.per
    expected = drawn.below * chance
    spread = np.sqrt(expected * (1 - chance if recipe.makes == "share" else 1))
    dispersion = np.var((drawn.above - expected) / spread)
    assert dispersion == pytest.approx(1, abs=0.2)


def test_peers_differ_in_level_and_move_together(observations: pd.DataFrame) -> None:
    rows = observations[observations["indicator_id"] == "library_visits"]
    wide = rows.pivot(index="period_start", columns="area_code", values="value")
    assert wide.filter(like="X0600").corr().median(axis=None) > 0.5
    assert wide.filter(like="X0600").mean().std() > 50


# The same every time


def test_what_ships_is_what_the_recipes_make(sources: Path, tables: Tables) -> None:
    shipped = {path.relative_to(SOURCES): path for path in SOURCES.glob("*/*")}
    assert set(shipped) == {path.relative_to(sources) for path in sources.glob("*/*")}
    for name, path in shipped.items():
        made = sources / name
        if path.suffix == ".csv":
            assert path.read_bytes() == made.read_bytes(), name
        else:
            read = openpyxl_table if path.suffix == ".xlsx" else pd.read_parquet
            pd.testing.assert_frame_equal(read(path), read(made))
    other = making.westshire_tables(seed=1)
    mine, theirs = (t[OCTOBER]["observations"]["value"].dropna() for t in (tables, other))
    assert not np.array_equal(mine.to_numpy()[:500], theirs.to_numpy()[:500])


def test_an_indicator_does_not_depend_on_the_others(world: World) -> None:
    recipe = world.recipes["recycling"]
    alone = drawing.World(**vars(world) | {"recipes": {recipe.indicator: recipe}})
    np.testing.assert_array_equal(
        drawing.draw_series(recipe, alone, drawing.SEED).above,
        drawing.draw_series(recipe, world, drawing.SEED).above,
    )
    renamed = drawing.Recipe(**vars(recipe) | {"indicator": "recycling_too"})
    assert not np.array_equal(
        drawing.draw_series(renamed, world, drawing.SEED).above,
        drawing.draw_series(recipe, world, drawing.SEED).above,
    )


# Vintages


def test_nothing_was_known_before_it_was_published(tables: Tables) -> None:
    for as_at in (JULY, OCTOBER):
        rows = tables[as_at]["observations"]
        assert (rows["collected_on"] > rows["period_end"] - pd.Timedelta(days=1)).all()
        assert rows["collected_on"].max() <= pd.Timestamp(as_at)
    newest = {as_at: tables[as_at]["observations"]["period_end"].max() for as_at in (JULY, OCTOBER)}
    assert newest == {JULY: pd.Timestamp(2026, 6, 30), OCTOBER: pd.Timestamp(drawing.LAST_DAY)}


def changed_values(tables: Tables) -> pd.DataFrame:
    keys = list(KEYS["observations"])
    both = tables[JULY]["observations"].merge(
        tables[OCTOBER]["observations"], on=keys, suffixes=("_july", "")
    )
    assert len(both) == len(tables[JULY]["observations"])
    same = (both["value_july"] == both["value"]) | (
        both["value_july"].isna() & both["value"].isna()
    )
    return both[~same]


def test_the_second_vintage_revises_what_was_declared_and_nothing_else(
    tables: Tables, world: World
) -> None:
    changed = changed_values(tables)
    came_late = changed["value_status_july"] == "missing"
    assert (changed.loc[came_late, "value_status"] == "final").all()
    assert set(changed.loc[came_late, "area_code"]) <= set(
        world.areas.query("role == 'peer'")["area_code"]
    )
    changed = changed[~came_late]
    assert (changed["area_code"] == OWN).all()
    assert (changed["value_status"] == "revised").all()
    restated = {
        (name, pd.Timestamp(day)) for name, r in world.recipes.items() for day in r.first_published
    }
    provisional = {name for name, r in world.recipes.items() if r.provisional < 1}
    found = set(zip(changed["indicator_id"], changed["period_start"], strict=True))
    assert restated <= found
    others = changed[~changed["indicator_id"].isin([name for name, _ in restated])]
    assert set(others["indicator_id"]) == provisional
    assert (others["value_status_july"] == "provisional").all()
    assert not others["indicator_id"].duplicated().any()


def test_a_late_value_is_announced_and_a_cancelled_survey_stays_empty(
    observations: pd.DataFrame, world: World
) -> None:
    own = observations[observations["area_code"] == OWN]
    for name, recipe in world.recipes.items():
        rows = own[own["indicator_id"] == name].set_index("period_start")
        for day in recipe.late:
            assert rows.loc[pd.Timestamp(day), "value_status"] == "not_yet_available"
        for day in recipe.not_collected:
            assert rows.loc[pd.Timestamp(day), "value_status"] == "not_applicable"


def test_a_value_carried_forward_repeats_the_one_before_without_a_word(
    observations: pd.DataFrame, world: World
) -> None:
    own = observations[(observations["area_code"] == OWN) & (observations["dimension"] == "")]
    carried = {n: pd.to_datetime(r.carried_forward) for n, r in world.recipes.items()}
    carried = {name: days for name, days in carried.items() if len(days)}
    assert carried
    for name, days in carried.items():
        rows = own[own["indicator_id"] == name].set_index("period_start")
        assert set(rows.index[rows["value"].duplicated()]) == set(days), name
        assert (rows.loc[days, "value_status"] == "final").all()
        assert rows.loc[days, "numerator"].nunique() == 1


def test_a_survey_of_three_waves_has_a_change_beyond_its_samples(
    observations: pd.DataFrame,
) -> None:
    """One of two, so that the reports show both answers: by the intervals as published."""
    changes = {}
    for name in ("bus_satisfaction", "loneliness"):
        rows = observations[observations["indicator_id"] == name]
        rows = rows[(rows["area_code"] == OWN) & (rows["dimension"] == "")]
        before, newest = rows.iloc[-2], rows.iloc[-1]
        errors = (rows["ci_upper"] - rows["ci_lower"]).iloc[-2:] / (2 * 1.96)
        changes[name] = (len(rows), (newest["value"] - before["value"]) / np.hypot(*errors))
    assert changes["bus_satisfaction"][0] == 3
    assert changes["bus_satisfaction"][1] > 2.5
    assert changes["loneliness"][0] >= 5
    assert abs(changes["loneliness"][1]) < 1.5


def test_what_was_decided_on_charts_fits_what_happened(
    parameters: Parameters, world: World, tables: Tables
) -> None:
    charts, recipes = parameters.charts, world.recipes
    (rebase,) = charts.rebases
    assert rebase.period_start == recipes[rebase.indicator].step
    (baseline,) = charts.baselines
    assert baseline.period_until is not None
    assert baseline.period_until < recipes[baseline.indicator].step
    assert len({note.indicator for note in charts.annotations}) >= 2
    in_data = set(tables[OCTOBER]["changes"].query("kind == 'rebase'")["indicator_id"])
    assert in_data and rebase.indicator not in in_data


def test_a_new_council_has_no_past(observations: pd.DataFrame) -> None:
    pellingham = observations[observations["area_name"] == "Pellingham"]
    assert pellingham["period_start"].min() >= pd.Timestamp(2023, 1, 1)
    assert observations["period_start"].min() < pd.Timestamp(2015, 1, 1)


# Targets and the small tables


def test_targets_keep_their_history(tables: Tables) -> None:
    targets = tables[OCTOBER]["targets"].set_index("target_id")
    kinds = next(column.choices for column in TABLES["targets"] if column.name == "kind")
    assert set(targets["kind"]) == set(kinds)
    assert (targets["target_basis"] == "year_total").sum() >= 2
    later = targets[targets["supersedes"] != ""]
    assert len(later) >= 3
    for _, row in later.iterrows():
        before = targets.loc[row["supersedes"]]
        same = ["indicator_id", "period_start", "period_end", "kind"]
        assert (before[same] == row[same]).all()
        assert before["target"] != row["target"]
        assert before["set_on"] < row["set_on"]
    assert len(tables[JULY]["targets"]) < len(targets)
    assert (targets["rationale"] == "").any()
    tolerant = targets[["tolerance_abs", "tolerance_pct"]].notna().sum()
    assert (tolerant > 0).all()
    yearly = targets[targets["kind"] != "statutory"].groupby("indicator_id")["target"].nunique()
    assert (yearly >= 3).sum() >= 3
    has_band = targets[["target_low", "target_high"]].notna().all(axis=1)
    assert (has_band ^ targets["target"].notna()).all()


def test_targets_are_set_before_their_year_unless_they_supersede(tables: Tables) -> None:
    targets = tables[OCTOBER]["targets"]
    first = targets[targets["supersedes"] == ""]
    starts = first["period_start"].where(~first["target_id"].str.contains("-q"), first["set_on"])
    assert (first["set_on"] <= starts).all()


def test_targets_of_three_years_that_are_over_have_an_outcome(
    tables: Tables, register: dict[str, Indicator]
) -> None:
    targets, observations = tables[OCTOBER]["targets"], tables[OCTOBER]["observations"]
    live = targets[~targets["target_id"].isin(targets["supersedes"])]
    past = live[live["period_end"] <= pd.Timestamp(OCTOBER)]
    years = past["period_end"].dt.year.groupby(past["indicator_id"]).nunique()
    assert (years >= 3).sum() >= 40
    own = observations[(observations["area_code"] == OWN) & (observations["dimension"] == "")]
    own = own.dropna(subset=["value"])[["indicator_id", "period_end", "value"]]
    of_value = past[past["target_basis"] == "period"].dropna(subset=["target"])
    known = of_value.merge(own, on=["indicator_id", "period_end"])
    assert len(known) >= 100
    is_higher = known["indicator_id"].map({n: i.polarity == "higher" for n, i in register.items()})
    met = (known["value"] >= known["target"]).where(is_higher, known["value"] <= known["target"])
    assert 0.3 < met.mean() < 0.8
    assert ((past["rationale"] != "") & (past["comparator"] != "")).mean() > 0.6


def test_some_targets_were_set_by_a_ratchet_or_a_slip(tables: Tables) -> None:
    targets = tables[OCTOBER]["targets"]
    observations = tables[OCTOBER]["observations"]
    own = observations[observations["indicator_id"] == "staff_recommend"]
    steps = targets[
        (targets["indicator_id"] == "staff_recommend") & (targets["kind"] == "improvement")
    ]
    before = own.sort_values("period_end")["value"].to_numpy()
    assert len(steps) == 4
    np.testing.assert_allclose(steps["target"].to_numpy() - before, 2)
    slip = targets[(targets["target"] == 0) & targets["target_id"].isin(targets["supersedes"])]
    assert slip["indicator_id"].tolist() == ["suspensions"]
    changed = targets[(targets["supersedes"] != "") & (targets["set_on"] > targets["period_start"])]
    assert "homelessness_prevented" in set(changed["indicator_id"])


def test_every_row_names_an_indicator_of_the_register(
    tables: Tables, register: dict[str, Indicator]
) -> None:
    for name, table in tables[OCTOBER].items():
        if "indicator_id" in table:
            assert set(table["indicator_id"]) - {""} <= set(register), name


def test_what_officers_wrote_is_fit_to_be_shown(sources: Path) -> None:
    """Text that tries to be code is tested elsewhere: these are read as a council's own words."""
    texts = pd.read_csv(sources / "2026-10-31" / "narratives.csv")["text"]
    assert not texts.str.contains(r"[<>{}`$\\]|^[=+@-]|\bTBC\b|javascript", regex=True).any()
    assert texts.str.split().str.len().min() >= 8
    assert texts.str.len().max() > 1500  # one is so long that it is folded


# Files


def test_two_runs_write_the_same_bytes(sources: Path, tmp_path: Path) -> None:
    again = making.write_sources(tmp_path)
    assert len(again) == 2 * 13
    for path in again:
        assert path.read_bytes() == (sources / path.relative_to(tmp_path)).read_bytes(), path.name


def test_workbooks_carry_no_clock(sources: Path) -> None:
    for path in sources.glob("*/*.xlsx"):
        with zipfile.ZipFile(path) as book:
            assert {entry.date_time for entry in book.infolist()} == {
                load_script("westshire_files").MADE_ON
            }
            properties = book.read("docProps/core.xml").decode()
        assert properties.count("2026-01-01T00:00:00Z") == 2


def test_files_hold_every_observation_once(sources: Path, tables: Tables) -> None:
    folder = sources / "2026-10-31"
    parts = [pd.read_csv(path) for path in folder.glob("observations_*.csv")]
    parts.append(pd.read_parquet(folder / "observations_benchmarks.parquet"))
    parts.append(openpyxl_table(folder / "observations_annual.xlsx"))
    whole = tables[OCTOBER]["observations"]
    in_pentana = list(PENTANA)
    is_kept_there = whole["indicator_id"].isin(in_pentana) & (whole["area_code"] == OWN)
    found = pd.concat(part[["indicator_id", "area_code", "period_end", "value"]] for part in parts)
    assert len(found) == (~is_kept_there).sum()
    assert found["value"].sum() == pytest.approx(whole.loc[~is_kept_there, "value"].sum())


def pentana_values(path: Path) -> dict[tuple[str, str], object]:
    """Read the wide workbook by its headers: (code, quarter) to value cell."""
    sheet = openpyxl.load_workbook(path).worksheets[0]
    found: dict[tuple[str, str], object] = {}
    header: tuple[object, ...] = ()
    for row in sheet.iter_rows(values_only=True):
        if row[0] == "Code":
            header = row
        elif header and row[1]:
            for title, cell in zip(header, row, strict=True):
                if str(title).endswith(" Value"):
                    found[str(row[0]), str(title).removesuffix(" Value")] = cell
    return found


def test_the_pentana_workbook_holds_own_values_and_says_what_is_late(
    sources: Path, observations: pd.DataFrame
) -> None:
    cells = pentana_values(sources / "2026-10-31" / "pentana_transport.xlsx")
    assert cells["TRA-06", "Q2 2026/27"] == "Not available until January 2027"
    own = observations[observations["area_code"] == OWN].set_index(["indicator_id", "period_label"])
    codes = {words["code"]: name for name, words in PENTANA.items()}
    numbers = {key: cell for key, cell in cells.items() if not isinstance(cell, str)}
    assert len(numbers) > 100
    for (code, quarter), cell in numbers.items():
        part, year = quarter.split(" ")
        label = f"{year.replace('/', '-')} {part}"
        assert cell == own.loc[(codes[code], label), "value"]


def test_pentana_words_follow_the_direction_of_the_gauge(sources: Path) -> None:
    sheet = openpyxl.load_workbook(sources / "2026-10-31" / "pentana_transport.xlsx").worksheets[0]
    rows = {row[0]: row for row in sheet.iter_rows(values_only=True) if row[0]}
    values = pentana_values(sources / "2026-10-31" / "pentana_transport.xlsx")
    newest, before = values["TRA-02", "Q2 2026/27"], values["TRA-02", "Q1 2026/27"]
    assert isinstance(newest, (int, float)) and isinstance(before, (int, float))
    assert newest != before
    assert rows["TRA-02"][-2] == ("Getting Worse" if newest > before else "Improving")
