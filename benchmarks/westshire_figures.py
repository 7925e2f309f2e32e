"""Draw the figures of Westshire, the fictional council, from ``westshire_recipes.yml``.

A level moves on a log scale (a share: log odds) from a declared start to a declared end, with
seasons and shocks that areas share and wandering that they do not. Counts are drawn around it with
the scatter that their denominator gives (binomial, Poisson), so that a small council's figures jump
as much as real ones do; a value is its counts divided. Arrays have a row an area and a column a
period. What was known is told for each vintage: what had been published by then.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from datetime import date, timedelta
from functools import lru_cache
from pathlib import Path
from types import SimpleNamespace
from typing import Any
from zlib import crc32

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from ruamel.yaml import YAML

from pmf_analysis.data.contract import conform
from pmf_analysis.period_spans import YEAR_STARTS
from pmf_analysis.periods import PERIODS_PER_YEAR, Period, period_from_start

Array = NDArray[np.float64]
Periods = list[Period]
Rng = np.random.Generator

SEED = 20261031
VINTAGES = (date(2026, 7, 31), date(2026, 10, 31))
OWN = "X06000001"
RECIPES = Path(__file__).with_name("westshire_recipes.yml")
LAST_DAY = date(2026, 9, 30)
GROWTH = 0.004  # of every population, a year
SURVEY_SIZE = {"region": 9.0, "nation": 60.0}  # times a council's sample
DESIGN_EFFECT = 1.3  # of a weighted survey, on the variance of a share
MEMORY = 0.8  # of one snapshot in the next: most of the people counted are still there
Z95 = 1.959964


class Recipe(SimpleNamespace):
    """How one indicator is drawn, in the words that `defaults` of the recipes explains."""

    @property
    def has_counts(self) -> bool:
        """Whether numerator and denominator are published; weighted survey counts are not."""
        return self.counts and not self.sample and self.makes not in ("count", "plain")

    @property
    def per(self) -> float:
        """What one above the line and one below make: 100 for a percentage."""
        return {"share": 100.0, "rate": float(self.base)}.get(self.makes, 1.0)


class World(SimpleNamespace):
    """The fictional council, its neighbours, their populations, and what happened to them.

    `areas` has a row an area: role (own, peer, region, nation), area_code, area_name, residents,
    hardship (deprivation in standard deviations between councils) and since, the first day of a
    council that a reorganisation made (else NaT). `recipes` are by indicator; all else is as
    ``westshire_recipes.yml`` gives it.
    """


@lru_cache(maxsize=1)
def load_world() -> World:
    """Read the recipes; a word that no recipe knows raises TypeError."""
    told = YAML(typ="safe", pure=True).load(RECIPES)
    columns = ["role", "area_code", "area_name", "residents", "hardship", "since"]
    areas = pd.DataFrame(told.pop("areas"), columns=columns)
    areas["residents"] *= 1000
    areas["since"] = pd.to_datetime(areas["since"])
    defaults, recipes = told.pop("defaults"), {}
    for name, words in told.pop("recipes").items():
        if unknown := words.keys() - defaults.keys():
            raise TypeError(f"The recipe of {name} has words that no recipe knows: {unknown}")
        recipes[name] = Recipe(indicator=name, **defaults | words)
    return World(areas=areas, recipes=recipes, **told)


def draw_figures(seed: int) -> pd.DataFrame:
    """Observations of every indicator as known on each as-at date, in the column `vintage`.

    Each indicator is drawn from the seed and its own name, so a new one changes no other. An
    absent value is NaN and its status says why.
    """
    world = load_world()
    drawn = {name: draw_series(recipe, world, seed) for name, recipe in world.recipes.items()}
    known = [
        _observed(world.recipes[name], drawn[name], as_at).assign(vintage=as_at.isoformat())
        for as_at in VINTAGES
        for name in drawn
    ]
    rows = pd.concat(known, ignore_index=True)
    return conform(rows, "observations").assign(vintage=rows["vintage"])


def pooled_periods(recipe: Recipe) -> int:
    """How many base periods a value pools: years of the span times periods in a year."""
    years = int(recipe.span[:-1]) if recipe.span else 0
    return max(int(years * PERIODS_PER_YEAR[recipe.frequency]), 1)


def draw_series(recipe: Recipe, world: World, seed: int) -> pd.DataFrame:
    """Draw one indicator from its own random stream, so that no other indicator changes it.

    Returns
    -------
    DataFrame
        A row an area and period, areas first: the columns of `World.areas`, dimension and
        dimension_value (parts of Westshire have the role "part"), period_start, period_end,
        period_label, and what is above and below the line; a plain value has 1 below.
    """
    rng = np.random.default_rng([seed, crc32(recipe.indicator.encode())])
    areas, periods = _areas(recipe, world), _base_periods(recipe)
    below = _sizes(recipe, world, areas, periods, rng)
    level = _levels(recipe, world, areas, periods, rng)
    above = _counts(recipe, level, below, _parts_of_year(recipe, periods), rng)
    if recipe.accumulation == "ytd":
        above, below = _year_to_date(recipe, periods, above, below)
    if recipe.accumulation == "rolling":
        periods, above, below = _windows(recipe, periods, above, below)
    spans = [(pd.Timestamp(p.start), pd.Timestamp(p.end), p.label) for p in periods]
    times = pd.DataFrame(spans, columns=["period_start", "period_end", "period_label"])
    drawn = areas.merge(times, how="cross").assign(above=above.ravel(), below=below.ravel())
    return pd.concat([drawn, *_splits(recipe, drawn.head(len(periods)), seed)], ignore_index=True)


def _splits(recipe: Recipe, whole: pd.DataFrame, seed: int) -> Iterator[pd.DataFrame]:
    """Divide Westshire's counts among all groups of a dimension, from a random stream apart.

    A group's part of what is above the line follows its part below and its level relative to the
    others, which moves evenly from the first to the last period.
    """
    rng = np.random.default_rng([seed, crc32(f"{recipe.indicator} split".encode())])
    below = whole["below"].to_numpy()
    for dimension, groups in recipe.splits.items():
        share, first, last = np.array(list(groups.values())).T[..., np.newaxis]
        size = np.diff(np.round(share.cumsum(axis=0) * below), axis=0, prepend=0.0)
        weight = size * (first + (last - first) * np.linspace(0, 1, len(whole)))
        chance = (weight / weight.sum(axis=0)).T
        count = rng.multinomial(whole["above"].astype(int), chance).astype(float)
        for place, group in enumerate(groups):
            names = {"role": "part", "dimension": dimension, "dimension_value": group}
            yield whole.assign(**names, above=count[:, place], below=size[place])


def _areas(recipe: Recipe, world: World) -> pd.DataFrame:
    """Areas that a recipe is drawn for: Westshire, its parts with their cases, and the others."""
    whole = {"dimension": "", "dimension_value": "", "cases": 0.0, "level": 0.0}
    own, *others = (area | whole for area in world.areas.to_dict("records"))
    parts = [
        own
        | {"role": "part", "hardship": 0.0, "dimension": dimension, "dimension_value": member}
        | {"cases": cases, "level": level}
        for dimension, members in recipe.breakdowns.items()
        for member, (cases, level) in members.items()
    ]
    return pd.DataFrame([own, *parts, *(others if recipe.peers else [])])


def _base_periods(recipe: Recipe) -> Periods:
    """Return the periods from the recipe's first to the last that has ended."""
    found, start = Periods(), recipe.starts
    while (each := period_from_start(start, recipe.frequency, recipe.year_type)).end <= LAST_DAY:
        found.append(each)
        start = each.end + timedelta(days=1)
    return found


def _sizes(recipe: Recipe, world: World, areas: pd.DataFrame, periods: Periods, rng: Rng) -> Array:
    """Denominators: a population estimated each financial year, cases, survey answers, or size."""
    shape = (len(areas), len(periods))
    residents = areas[["residents"]].to_numpy(dtype=float)
    if recipe.of:
        years = np.array([period.start.year - (period.start.month < 4) for period in periods])
        size = residents * world.populations[recipe.of] * (1 + GROWTH) ** (years - 2025.0)
    elif recipe.sample:
        answers = recipe.sample * areas["role"].map(SURVEY_SIZE).fillna(1.0).to_numpy()
        size = answers[:, None] * rng.uniform(0.94, 1.06, shape)
    elif recipe.cases:
        size = recipe.cases * residents / residents[0] * np.ones(shape)
        size = size if recipe.accumulation == "snapshot" else rng.poisson(size).astype(float)
    else:
        return np.asarray(residents / residents[0] * np.ones(shape))
    for row in np.flatnonzero(areas["cases"]):
        size[row] = rng.poisson(areas["cases"].iloc[row], len(periods))
    return np.asarray(np.maximum(np.round(size), 1.0))


# The level behind the values


def _levels(recipe: Recipe, world: World, areas: pd.DataFrame, periods: Periods, rng: Rng) -> Array:
    """Return the level of each area and period, on the recipe's scale."""
    role, shape = areas[["role"]], (len(areas), len(periods))
    is_own = role.isin(["own", "part"]).to_numpy()
    is_total = role.isin(["region", "nation"]).to_numpy()
    step = recipe.wander / np.sqrt(PERIODS_PER_YEAR[recipe.frequency])
    together = _bridged(rng.normal(0, step, (1, shape[1])).cumsum(axis=1))
    apart = rng.normal(0, step, shape).cumsum(axis=1)
    apart = np.where(is_own, _bridged(apart) / 2, np.where(is_total, 0, apart))
    scatter = rng.normal(0, recipe.extra, shape) * np.where(is_total, 0.1, 1)
    levels = _paths(recipe, areas, periods) + together + apart + scatter
    levels = levels + _differences(recipe, areas, rng)
    for name, size in recipe.season.items():
        levels += size * _mean_of_months(periods, world.seasons[name])
    for name, size in recipe.shocks.items():
        effect = size * _mean_of_months(periods, world.shocks[name])
        levels += np.where(is_own | (name not in world.westshire_only), effect, 0)
    return np.asarray(levels)


def _paths(recipe: Recipe, areas: pd.DataFrame, periods: Periods) -> Array:
    """Move from the first to the last declared level: evenly, at once, or from a turning point."""
    is_own = areas[["role"]].isin(["own", "part"]).to_numpy()
    days = np.array([period.start.toordinal() for period in periods], dtype=float)
    evenly = own = (days - days[0]) / max(days[-1] - days[0], 1.0)
    if recipe.step:
        own = (days >= recipe.step.toordinal()).astype(float)
    elif recipe.turn:
        turn = recipe.turn.toordinal()
        own = np.clip((days - turn) / (days[-1] - turn), 0, 1)
    pairs = np.where(is_own, recipe.westshire, recipe.peers or recipe.westshire).astype(float)
    first, last = np.hsplit(_on_scale(recipe, pairs), 2)
    paths = first + (last - first) * np.where(is_own, own, evenly)
    level = areas[["level"]].to_numpy(dtype=float)
    paths += _on_scale(recipe, np.where(level > 0, level, pairs[:, 1:])) - last
    if recipe.new_definition:
        paths += recipe.jump * (days >= recipe.new_definition.toordinal())
    return np.asarray(paths)


def _on_scale(recipe: Recipe, level: Array) -> Array:
    """Return levels as log odds (shares), as logs, or as they are."""
    if recipe.makes == "share":
        level = level / (100 - level)
    return level if recipe.scale == "identity" else np.asarray(np.log(level))


def _off_scale(recipe: Recipe, level: Array) -> Array:
    if recipe.makes == "share":
        return np.asarray(1 / (1 + np.exp(-level)))
    return level if recipe.scale == "identity" else np.asarray(np.exp(level))


def _bridged(walk: Array) -> Array:
    """Take out a walk's net drift, so that the declared last level is reached."""
    return np.asarray(walk - walk[:, -1:] * np.linspace(0, 1, walk.shape[1]))


def _differences(recipe: Recipe, areas: pd.DataFrame, rng: Rng) -> Array:
    """Lasting differences between areas: partly deprivation, partly their own; none for Westshire.

    Peers' differences have mean nought, so that their declared level is that of the middle one.
    """
    own_part = np.sqrt(1 - recipe.hardship**2) * rng.normal(0, 1, len(areas))
    differ = recipe.hardship * areas["hardship"].to_numpy() + own_part
    is_peer = areas["role"] == "peer"
    differ -= differ[is_peer].mean() if is_peer.any() else 0.0
    reach = areas["role"].map({"peer": 1.0, "region": 0.25}).fillna(0.0).to_numpy()
    return np.asarray(recipe.spread * differ * reach)[:, None]


def _mean_of_months(periods: Periods, told: Sequence[float] | Mapping[str, float]) -> Array:
    """Average over each period a season (January to December) or a shock (from each month on)."""
    first = [period.start.year * 12 + period.start.month - 1 for period in periods]
    spans = [month + np.arange(p.months) for month, p in zip(first, periods, strict=True)]
    if not isinstance(told, Mapping):
        return np.array([np.take(told, span, mode="wrap").mean() for span in spans])
    since = [int(month[:4]) * 12 + int(month[5:]) - 1 for month in told]
    sizes = np.array([0.0, *told.values()])
    return np.array([sizes[np.searchsorted(since, span, "right")].mean() for span in spans])


# Counts around the level


def _counts(recipe: Recipe, level: Array, size: Array, part: Array, rng: Rng) -> Array:
    """Draw what is above the line (for a plain value: the value itself) around the level."""
    noise = rng.normal(0, 1, level.shape)
    if recipe.makes == "plain":
        # The declared error is that of the published value, which may pool several draws.
        error = recipe.error * np.sqrt(pooled_periods(recipe))
        return np.asarray(_off_scale(recipe, level + error * noise) * part)
    if recipe.makes == "mean":
        spread = recipe.cv / np.sqrt(size)
        return np.asarray(np.round(size * part * _off_scale(recipe, level + spread * noise)))
    if recipe.accumulation == "snapshot":
        return _stock(recipe, level, size, noise)
    chance = part * _off_scale(recipe, level) / recipe.base
    if recipe.makes == "share":
        answers = np.maximum(size // (DESIGN_EFFECT if recipe.sample else 1), 1).astype(np.int64)
        return np.asarray(rng.binomial(answers, chance) * (size / answers))
    return np.asarray(rng.poisson(size * chance), dtype=float)


def _stock(recipe: Recipe, level: Array, size: Array, noise: Array) -> Array:
    """People counted on a day: they scatter as counts do, but mostly stay from one to the next."""
    lasting = noise.copy()
    for column in range(1, noise.shape[1]):
        fresh = np.sqrt(1 - MEMORY**2) * noise[:, column]
        lasting[:, column] = MEMORY * lasting[:, column - 1] + fresh
    chance = _off_scale(recipe, level) / recipe.base
    events = size * chance * (1 - chance if recipe.makes == "share" else 1)
    level = level + 0.6 / np.sqrt(np.maximum(events, 1)) * lasting
    return np.asarray(np.round(size * _off_scale(recipe, level) / recipe.base))


def _parts_of_year(recipe: Recipe, periods: Periods) -> Array:
    """Return the part of the year's total in each period; 1 where levels are no totals."""
    number = int(PERIODS_PER_YEAR[recipe.frequency])
    profile = recipe.profile or [1 / number] * number
    return np.array([profile[period.number - 1] if recipe.sums else 1.0 for period in periods])


def _year_to_date(recipe: Recipe, periods: Periods, *counts: Array) -> tuple[Array, Array]:
    """Add up within each year; cases add up below the line too, a population does not."""
    above, below = (count.copy() for count in counts)
    for column, period in enumerate(periods):
        if column and period.start.month != YEAR_STARTS[recipe.year_type]:
            above[:, column] += above[:, column - 1]
            below[:, column] += 0 if recipe.of else below[:, column - 1]
    return above, below


def _windows(recipe: Recipe, periods: Periods, *counts: Array) -> tuple[Periods, Array, Array]:
    """Pool rolling windows: sums of counts and cases, means of plain values and populations."""
    width = pooled_periods(recipe)
    starts = [period.start for period in periods[: len(periods) - width + 1]]
    named = [period_from_start(s, recipe.frequency, recipe.year_type, recipe.span) for s in starts]
    windows = (np.lib.stride_tricks.sliding_window_view(c, width, axis=1) for c in counts)
    total, cases = (window.sum(axis=2) for window in windows)
    if recipe.makes == "plain":
        return named, total / width, cases
    return named, total, np.round(cases / width) if recipe.of else cases


# What was published of them, by a day


def _observed(recipe: Recipe, drawn: pd.DataFrame, as_at: date) -> pd.DataFrame:
    """One row a value that was due by `as_at`, with its state; an absent one has no figures."""
    is_own = drawn["role"].isin(["own", "part"])
    repeated = is_own & drawn["period_start"].isin(pd.to_datetime(recipe.carried_forward))
    lag = recipe.lag if recipe.peer_lag is None else np.where(is_own, recipe.lag, recipe.peer_lag)
    breaks = pd.Timestamp(recipe.new_definition or date.max)
    rows = drawn.assign(
        **drawn[["above", "below"]].mask(repeated).ffill(),
        indicator_id=recipe.indicator,
        frequency=recipe.frequency,
        definition_version=1 + (drawn["period_start"] >= breaks),
        collected_on=drawn["period_end"] + pd.to_timedelta(lag, unit="D"),
        value_status="final",
        value_note="",
    )
    # A new council has no past, and some never take part.
    never = (rows["period_start"] < rows["since"]) | rows["area_code"].isin(recipe.absent)
    rows = rows[~never & (rows["collected_on"] <= pd.Timestamp(as_at))].reset_index(drop=True)
    absences = [told for told in _absences(recipe, rows) if told[0].any()]
    _as_first_published(recipe, rows, as_at)
    figures = _as_published(recipe, rows["above"], rows["below"])
    rows = rows.assign(**figures)
    for absent, state, note in absences:
        rows.loc[absent, ["value_status", "value_note"]] = [state, note]
        rows.loc[absent, list(figures)] = np.nan
    approved = (rows["role"] == "own") & rows["value_status"].isin(["final", "revised"])
    rows["approved_by"] = np.where(approved, "Performance and Insight Manager", "")
    return rows.assign(approved_on=rows["collected_on"].where(approved))


def _as_first_published(recipe: Recipe, rows: pd.DataFrame, as_at: date) -> None:
    """Set Westshire's counts to what was known on the day: provisional, or not yet restated."""
    own = rows[rows["role"] == "own"]

    def mark(starts: list[Any], part: float, status: str, note: str = "") -> None:
        chosen = own.index[own["period_start"].isin(pd.to_datetime(starts))]
        above = rows.loc[chosen, "above"] * part
        rows.loc[chosen, "above"] = above.round() if recipe.has_counts else above
        rows.loc[chosen, ["value_status", "value_note"]] = [status, note]

    if recipe.provisional < 1:
        known = [own[own["collected_on"] <= pd.Timestamp(v)] for v in VINTAGES if v <= as_at]
        *before, newest = [values["period_start"].max() for values in known]
        mark(before, 1.0, "revised")
        mark([newest], recipe.provisional, "provisional")
    for day, first_published in recipe.first_published.items():
        restated = (1.0, "revised", "Restated in October 2026")
        mark([day], *((first_published, "final", "") if as_at == VINTAGES[0] else restated))


def _absences(recipe: Recipe, rows: pd.DataFrame) -> Iterator[tuple[Any, str, str]]:
    """Which values were not returned, too small, never collected or late: state and reason."""
    for code, newest in recipe.no_return.items():
        unsent = rows.index[rows["area_code"] == code][-newest:]
        yield rows.index.isin(unsent), "missing", "No return made"
    small = (rows["above"] > 0) & (rows["above"] < recipe.suppress_below)
    yield small, "suppressed", f"Count of 1 to {recipe.suppress_below - 1}"
    never = rows["period_start"].isin(pd.to_datetime(recipe.not_collected))
    yield never, "not_applicable", "Not collected in the pandemic"
    late = (rows["role"] == "own") & rows["period_start"].isin(pd.to_datetime(recipe.late))
    yield late, "not_yet_available", "Not available until January 2027"


def _as_published(recipe: Recipe, above: pd.Series, below: pd.Series) -> dict[str, Any]:
    """Return the columns of observations that `above` and `below` make, rounded as published.

    Whatever is not published is NaN: counts of surveys, intervals of everything else.
    """
    value = above if recipe.makes in ("count", "plain") else recipe.per * above / below
    lower, upper = _interval(recipe, value, below)
    return {
        "value": np.round(value, recipe.decimals),
        "numerator": above if recipe.has_counts else np.nan,
        "denominator": below if recipe.has_counts else np.nan,
        "ci_lower": np.round(lower, recipe.decimals),
        "ci_upper": np.round(upper, recipe.decimals),
        "sample_size": below if recipe.sample else np.nan,
    }


def _interval(recipe: Recipe, value: Any, below: Any) -> tuple[Any, Any]:
    """Return the 95 % interval of an estimate; for a share of a survey, that of Wilson (1927)."""
    if recipe.sample and recipe.makes == "share":
        share, answers = value / 100, below / DESIGN_EFFECT
        middle = (share + Z95**2 / (2 * answers)) / (1 + Z95**2 / answers)
        root = np.sqrt(share * (1 - share) / answers + Z95**2 / (4 * answers**2))
        half = Z95 * root / (1 + Z95**2 / answers)
        return 100 * (middle - half), 100 * (middle + half)
    width = Z95 * (recipe.error or np.nan)
    if recipe.scale == "identity":
        return value - width, value + width
    return value * np.exp(-width), value * np.exp(width)
