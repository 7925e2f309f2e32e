"""The figures of one fictional indicator for every area, drawn from its recipe.

A level moves on a log scale (a share: log odds) from a declared start to a declared end, with
seasons and shocks that areas share and wandering that they do not. Counts are drawn around it with
the scatter that their denominator gives (binomial, Poisson), so that a small council's figures jump
as much as real ones do; a value is its counts divided.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from itertools import takewhile
from zlib import crc32

import numpy as np
from numpy.typing import NDArray

from pmf_analysis.data.demo_recipes import Place, Recipe, World
from pmf_analysis.period_spans import YEAR_STARTS
from pmf_analysis.periods import PERIODS_PER_YEAR, Period, period_from_start

Array = NDArray[np.float64]

LAST_DAY = date(2026, 9, 30)
GROWTH = 0.004  # of every population, a year
SURVEY_SIZE = {"region": 9.0, "nation": 60.0}  # times a council's sample
DESIGN_EFFECT = 1.3  # of a weighted survey, on the variance of a share
MEMORY = 0.8  # of one snapshot in the next: most of the people counted are still there
Z95 = 1.959964


@dataclass(frozen=True, slots=True)
class Drawn:
    """Above and below the line: a row an area, a column a period; a plain value has 1 below."""

    places: list[Place]
    periods: list[Period]
    above: Array
    below: Array


def draw_series(recipe: Recipe, world: World, seed: int) -> Drawn:
    """Draw one indicator from its own random stream, so that no other indicator changes it."""
    rng = np.random.default_rng([seed, crc32(recipe.indicator.encode())])
    places, periods = world.places(recipe), _base_periods(recipe)
    size = _sizes(recipe, world, places, periods, rng)
    level = _levels(recipe, world, places, periods, rng)
    above = _counts(recipe, level, size, _parts_of_year(recipe, periods), rng)
    if recipe.accumulation == "ytd":
        above, size = _year_to_date(recipe, periods, above, size)
    if recipe.accumulation == "rolling":
        periods, above, size = _windows(recipe, periods, above, size)
    return Drawn(places, periods, above, size)


def as_published(recipe: Recipe, above: Array, below: Array) -> dict[str, Array]:
    """Return the columns of observations that `above` and `below` make, rounded as published.

    Whatever is not published is NaN: counts of surveys, intervals of everything else.
    """
    none = np.full(above.shape, np.nan)
    is_value = recipe.makes in ("count", "plain")
    value = above if is_value else recipe.per * above / below
    lower, upper = _interval(recipe, value, below)
    return {
        "value": np.round(value, recipe.decimals),
        "numerator": above if recipe.has_counts else none,
        "denominator": below if recipe.has_counts else none,
        "ci_lower": np.round(lower, recipe.decimals),
        "ci_upper": np.round(upper, recipe.decimals),
        "sample_size": below if recipe.sample else none,
    }


def _interval(recipe: Recipe, value: Array, below: Array) -> tuple[Array, Array]:
    """Return the 95 % interval of an estimate; for a share of a survey, that of Wilson (1927)."""
    if recipe.sample and recipe.makes == "share":
        share, answers = value / 100, below / DESIGN_EFFECT
        middle = (share + Z95**2 / (2 * answers)) / (1 + Z95**2 / answers)
        root = np.sqrt(share * (1 - share) / answers + Z95**2 / (4 * answers**2))
        half = Z95 * root / (1 + Z95**2 / answers)
        return 100 * (middle - half), 100 * (middle + half)
    if not recipe.error:
        return np.full(value.shape, np.nan), np.full(value.shape, np.nan)
    width = Z95 * recipe.error
    if recipe.scale == "identity":
        return value - width, value + width
    return value * np.exp(-width), value * np.exp(width)


def _base_periods(recipe: Recipe) -> list[Period]:
    """Return the periods from the recipe's first to the last that has ended."""
    first = period_from_start(recipe.starts, recipe.frequency, recipe.year_type)
    return list(takewhile(lambda period: period.end <= LAST_DAY, map(first.next, range(600))))


def _sizes(
    recipe: Recipe,
    world: World,
    places: list[Place],
    periods: list[Period],
    rng: np.random.Generator,
) -> Array:
    """Denominators: a population estimated each financial year, cases, survey answers, or size."""
    shape = (len(places), len(periods))
    residents = np.array([[place.residents] for place in places], dtype=float)
    if recipe.of:
        years = np.array([period.start.year - (period.start.month < 4) for period in periods])
        size = residents * world.populations[recipe.of] * (1 + GROWTH) ** (years - 2025.0)
    elif recipe.sample:
        answers = [[recipe.sample * SURVEY_SIZE.get(place.role, 1.0)] for place in places]
        size = np.array(answers) * rng.uniform(0.94, 1.06, shape)
    elif recipe.cases:
        size = recipe.cases * residents / world.own.residents * np.ones(shape)
        size = size if recipe.accumulation == "snapshot" else rng.poisson(size).astype(float)
    else:
        return residents / world.own.residents * np.ones(shape)
    for row, place in enumerate(places):
        if place.cases:
            size[row] = rng.poisson(place.cases, len(periods))
    return np.asarray(np.maximum(np.round(size), 1.0))


# The level behind the values


def _levels(
    recipe: Recipe,
    world: World,
    places: list[Place],
    periods: list[Period],
    rng: np.random.Generator,
) -> Array:
    """Return the level of each area and period, on the recipe's scale."""
    shape = (len(places), len(periods))
    is_own, is_total = (
        np.array([[place.role in roles] for place in places])
        for roles in (("own", "part"), ("region", "nation"))
    )
    step = recipe.wander / np.sqrt(PERIODS_PER_YEAR[recipe.frequency])
    together = _bridged(rng.normal(0, step, (1, shape[1])).cumsum(axis=1))
    apart = rng.normal(0, step, shape).cumsum(axis=1)
    apart = np.where(is_own, _bridged(apart) / 2, np.where(is_total, 0, apart))
    scatter = rng.normal(0, recipe.extra, shape) * np.where(is_total, 0.1, 1)
    paths = np.array([_path(recipe, place, periods) for place in places])
    levels = paths + together + apart + scatter + _differences(recipe, places, rng)
    for name, size in recipe.season.items():
        levels += size * _mean_of_months(periods, _of_season(world.seasons[name]))
    for name, size in recipe.shocks.items():
        effect = size * _mean_of_months(periods, _strength(world.shocks[name]))
        levels += np.where(is_own | (name not in world.westshire_only), effect, 0)
    return np.asarray(levels)


def _path(recipe: Recipe, place: Place, periods: list[Period]) -> Array:
    """Move from the first to the last declared level: evenly, at once, or from a turning point."""
    is_own = place.role in ("own", "part")
    days = np.array([period.start.toordinal() for period in periods], dtype=float)
    progress = (days - days[0]) / max(days[-1] - days[0], 1.0)
    if is_own and recipe.step:
        progress = (days >= recipe.step.toordinal()).astype(float)
    elif is_own and recipe.turn:
        turn = recipe.turn.toordinal()
        progress = np.clip((days - turn) / (days[-1] - turn), 0, 1)
    pair = recipe.westshire if is_own or recipe.peers is None else recipe.peers
    first, last = _on_scale(recipe, np.array(pair, dtype=float))
    path = first + (last - first) * progress
    if place.level:
        path += _on_scale(recipe, np.array(place.level)) - last
    if recipe.new_definition:
        path += recipe.jump * (days >= recipe.new_definition.toordinal())
    return np.asarray(path)


def _on_scale(recipe: Recipe, level: Array) -> Array:
    """Return levels as log odds (shares), as logs, or as they are."""
    if recipe.makes == "share":
        level = level / (100 - level)
    return level if recipe.scale == "identity" else np.asarray(np.log(level))


def _bridged(walk: Array) -> Array:
    """Take out a walk's net drift, so that the declared last level is reached."""
    return np.asarray(walk - walk[:, -1:] * np.linspace(0, 1, walk.shape[1]))


def _differences(recipe: Recipe, places: list[Place], rng: np.random.Generator) -> Array:
    """Lasting differences between areas: partly deprivation, partly their own; none for Westshire.

    Peers' differences have mean nought, so that their declared level is that of the middle one.
    """
    hardship = np.array([place.hardship for place in places])
    is_peer = np.array([place.role == "peer" for place in places])
    differ = recipe.hardship * hardship
    differ += np.sqrt(1 - recipe.hardship**2) * rng.normal(0, 1, len(places))
    if is_peer.any():
        differ -= differ[is_peer].mean()
    reach = [{"peer": 1.0, "region": 0.25}.get(place.role, 0.0) for place in places]
    return np.asarray(recipe.spread * differ * reach)[:, None]


def _mean_of_months(periods: list[Period], of_month: Callable[[int], float]) -> Array:
    """Average a pattern of months, counted from year 0, over each period."""
    firsts = [period.start.year * 12 + period.start.month - 1 for period in periods]
    lengths = [period.months for period in periods]
    spans = [range(first, first + months) for first, months in zip(firsts, lengths, strict=True)]
    return np.array([np.mean([of_month(month) for month in span]) for span in spans])


def _of_season(pattern: Sequence[float]) -> Callable[[int], float]:
    return lambda month: pattern[month % 12]


def _strength(told: Mapping[str, float]) -> Callable[[int], float]:
    """Return the strength of a shock in a month: the one last declared up to then."""
    since = [(int(month[:4]) * 12 + int(month[5:]) - 1, size) for month, size in told.items()]
    return lambda month: next((size for start, size in reversed(since) if start <= month), 0.0)


# Counts around the level


def _counts(
    recipe: Recipe, level: Array, size: Array, part: Array, rng: np.random.Generator
) -> Array:
    """Draw what is above the line (for a plain value: the value itself) around the level."""
    noise = rng.normal(0, 1, level.shape)
    if recipe.makes == "plain":
        # The declared error is that of the published value, which may pool several draws.
        error = recipe.error * np.sqrt(recipe.window)
        return _off_scale(recipe, level + error * noise) * part
    if recipe.makes == "mean":
        spread = recipe.cv / np.sqrt(size)
        return np.asarray(np.round(size * part * _off_scale(recipe, level + spread * noise)))
    if recipe.accumulation == "snapshot":
        return _stock(recipe, level, size, noise)
    chance = part * _off_scale(recipe, level) / recipe.base
    if recipe.makes == "share":
        answers = np.maximum(size // (DESIGN_EFFECT if recipe.sample else 1), 1).astype(np.int64)
        return np.asarray(rng.binomial(answers, chance) * (size / answers))
    return rng.poisson(size * chance).astype(float)


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


def _off_scale(recipe: Recipe, level: Array) -> Array:
    if recipe.makes == "share":
        return np.asarray(1 / (1 + np.exp(-level)))
    return level if recipe.scale == "identity" else np.asarray(np.exp(level))


def _parts_of_year(recipe: Recipe, periods: list[Period]) -> Array:
    """Return the part of the year's total in each period; 1 where levels are no totals."""
    if not recipe.sums:
        return np.ones(len(periods))
    number = int(PERIODS_PER_YEAR[recipe.frequency])
    profile = recipe.profile or (1 / number,) * number
    return np.array([profile[period.number - 1] for period in periods])


def _year_to_date(
    recipe: Recipe, periods: list[Period], above: Array, below: Array
) -> tuple[Array, Array]:
    """Add up within each year; cases add up below the line too, a population does not."""
    above, below = above.copy(), below.copy()
    for column, period in enumerate(periods):
        if column and period.start.month != YEAR_STARTS[recipe.year_type]:
            above[:, column] += above[:, column - 1]
            below[:, column] += 0 if recipe.of else below[:, column - 1]
    return above, below


def _windows(
    recipe: Recipe, periods: list[Period], above: Array, below: Array
) -> tuple[list[Period], Array, Array]:
    """Pool rolling windows: sums of counts and cases, means of plain values and populations."""
    width = recipe.window
    starts = [period.start for period in periods[: len(periods) - width + 1]]
    named = [period_from_start(s, recipe.frequency, recipe.year_type, recipe.span) for s in starts]
    total, cases = (
        np.lib.stride_tricks.sliding_window_view(m, width, axis=1).sum(axis=2)
        for m in (above, below)
    )
    if recipe.makes == "plain":
        return named, total / width, cases
    return named, total, np.round(cases / width) if recipe.of else cases
