"""What kind of series it is: the first question, because it decides which method may be asked.

A running total, an overlapping window or a seasonal pattern breaks control charts silently:
year-to-date figures hide every change, rolling figures raise false alarms, seasons hide steps.
What is declared decides; what the values look like is said beside it where the two differ.
"""

from collections.abc import Mapping
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from pmf_analysis.measures import history, seasonal_pattern
from pmf_analysis.measures.arrays import TABLES, Column, Flags, Floats, Frame, Places, constants
from pmf_analysis.measures.dependence import dependence

FEATURES = ["bounded", "rounded", "gappy", "carried_forward", "revised"]
TESTS = constants("shape_tests")


def detect_shape(
    observations: Frame,
    *,
    periods_per_year: float | Mapping[Any, float],
    declared: Mapping[Any, str] | None = None,
) -> Frame:
    """Tell the shape of every series, from what is declared and else from the values.

    Parameters
    ----------
    observations
        Columns series, period (dates where seasons are to be found), value, and status where
        known; missing and infinite values are left out. Put in left-out periods before
        (`history.complete_periods`): gaps without a row cannot be seen.
    periods_per_year
        For all series or by series.
    declared
        By series its accumulation: "discrete", "snapshot", "ytd" or "rolling". It beats
        detection; "discrete" and "snapshot" leave open whether there are seasons or dependence.

    Returns
    -------
    DataFrame
        series; shape (too_short, constant, ytd, rolling, seasonal, autocorrelated, discrete);
        evidence (a sentence); treatment (none, as_it_is, same_period_last_year, non_overlapping,
        season_means_removed, wider_limits); features (";" between the codes in `FEATURES`);
        contradiction (a sentence where declaration and values differ, else "").

    Notes
    -----
    `benchmarks/shape_gate.py` prints how often each shape is found and feigned. Running totals
    and windows are not looked for where a year has only two parts. Seasons of fewer than
    2.5 years are named and treated by wider limits.
    """
    member, rows = _members(observations["period"]), list[tuple[str, ...]]()
    status = observations.get("status", pd.Series("", observations.index))
    revised = (status == "revised").to_numpy(dtype=bool, na_value=False)
    given = periods_per_year
    for names, places, value in history.by_length(observations):
        each = [given[name] if isinstance(given, Mapping) else given for name in names]
        said = np.array([(declared or {}).get(name, "") for name in names], dtype=object)
        flags = np.column_stack([*_features(value), revised[places].any(axis=1)])
        per_year = np.nan_to_num(np.array(each, dtype=float))
        found = _judged(value, member[places], per_year, said, flags[:, 1])
        marks = [";".join(np.array(FEATURES)[row]) for row in flags]
        rows += [(name, *row, mark) for name, row, mark in zip(names, found, marks, strict=True)]
    columns = [*TABLES["shapes"][:4], "contradiction", "features"]
    return pd.DataFrame(sorted(rows), columns=columns, dtype="str")[TABLES["shapes"]]


def _members(periods: Column) -> Floats:
    """(n, 12): 1 where a period starts in a month of the year; all 0 where they are not dates."""
    if not pd.api.types.is_datetime64_any_dtype(periods):
        return np.zeros((len(periods), 12))
    return np.asarray(periods.dt.month.to_numpy()[:, None] == np.arange(1, 13), dtype=float)


def _judged(
    value: Floats, member: Floats, per_year: Floats, said: NDArray[Any], coarse: Flags
) -> list[tuple[str, str, str, str]]:
    """Shape, evidence, treatment and contradiction of series of one length."""
    count, tiny = (~np.isnan(value)).sum(axis=1), np.finfo(float).tiny
    value = value / (np.nan_to_num(np.abs(value)).max(axis=1, keepdims=True) + tiny)
    distances = np.diff(np.sort(value, axis=1), axis=1)
    constant = (count > 0) & (np.nansum(distances, axis=1) <= 1e-12)
    varied = (count >= TESTS.fewest) & ~constant
    total = varied & (per_year > 2) & _are_running_totals(value, member)
    chance = np.where(varied, _season_chance(value, member, per_year, count), 1.0)
    found, odds = dependence(np.where(varied[:, None], value, np.nan), np.maximum(per_year, 1))
    odds[(per_year <= 2) | (count < np.maximum(20 - 2 * per_year, per_year + 8))] = 0
    free, single = said == "", np.isin(said, list(TESTS.single))
    seasonal, few = chance < TESTS.season_significance, count < TESTS.fewest
    tests = [said == "ytd", said == "rolling", few, constant, free & total, seasonal]
    tests += [free & (odds > 0), found > 0]
    names = ["ytd", "rolling", "too_short", "constant", "ytd", "seasonal", "rolling"]
    shape = np.select(tests, [*names, "autocorrelated"], "discrete")
    step = np.diff(value, axis=1)
    never = ~constant & ~(step < 0).any(axis=1) & (per_year > 1)
    never &= (~np.isnan(step)).sum(axis=1) >= 2 * per_year
    doubts = [single & total, single & ~seasonal & (odds > TESTS.certain), (said == "ytd") & never]
    # Values that crowd on a coarse grid cannot show whether they move as windows do.
    doubts.append((said == "rolling") & (odds < TESTS.impossible) & ~coarse)
    doubt = np.select(doubts, TESTS.doubts, "")
    few_years = seasonal & (count < TESTS.cycles_to_remove * per_year)
    rows = []
    for i, (name, word) in enumerate(zip(shape, said, strict=True)):
        treatment, evidence = TESTS.shapes[str(name)]
        if word and name in (word, "discrete"):
            evidence = "Declared in the register."
        if name == "seasonal" and few_years[i]:
            treatment = "wider_limits"
        evidence = evidence.format(n=count[i], p=chance[i], r=found[i])
        told = doubt[i].format(said=TESTS.single.get(word, word))
        rows.append((str(name), evidence, treatment, told))
    return rows


def _are_running_totals(value: Floats, member: Floats) -> Flags:
    """Whether values climb in every year and fall back, far enough, in one and the same season."""
    known, step = ~np.isnan(value), np.diff(value, axis=1)
    parts = np.array([~np.isnan(step), step < 0, step > 0, np.nan_to_num(step)], dtype=float)
    into = np.einsum("ckt,ktm->ckm", parts, member[:, 1:])
    elsewhere = into.sum(axis=2, keepdims=True) - into
    starts = (into[1] >= 0.8 * into[0]) & (into[0] > 0)
    starts &= (elsewhere[1] <= 0.05 * elsewhere[0]) & (elsewhere[2] >= 0.7 * elsewhere[0])
    both = np.einsum("ckt,ktm->ckm", np.array([known, np.nan_to_num(value)], dtype=float), member)
    with np.errstate(invalid="ignore", divide="ignore"):
        part = both[1] / both[0] / (elsewhere[3] / elsewhere[0])
    starts &= (part > TESTS.least_first) & (part < TESTS.most_first)
    enough = (known.sum(axis=1) >= TESTS.fewest_of_totals) & ~(value < 0).any(axis=1)
    return np.asarray(enough & starts.any(axis=1))


def _season_chance(value: Floats, member: Floats, per_year: Floats, count: Places) -> Floats:
    """F test of seasons beside a straight line; 1 where there are too few full years."""
    from scipy.special import fdtrc

    left, effect = seasonal_pattern.line_and_seasons(value, member)
    plain = seasonal_pattern.line_and_seasons(value, np.ones((*value.shape, 1)))[0]
    seasons = (~np.isnan(effect)).sum(axis=1)
    fits = (seasons == per_year) & (seasons > 1)
    fits &= count >= (TESTS.full_cycles - (per_year == 12)) * seasons
    between, freedom = np.maximum(seasons - 1, 1), np.maximum(count - seasons - 1, 1)
    noise = np.maximum(left, 1e-20 * np.nansum(value**2, axis=1) + np.finfo(float).tiny) / freedom
    ratio = np.maximum(plain - left, 0) / between / noise
    return np.where(fits, fdtrc(between, freedom, ratio), 1.0)


def _features(value: Floats) -> list[Flags]:
    """Whether values are bounded, rounded, gappy and carried forward."""
    known, step = ~np.isnan(value), np.abs(np.diff(value, axis=1))
    count = np.maximum(known.sum(axis=1), 1)
    mean = np.nansum(value, axis=1) / count
    spread = np.nansum(step, axis=1) / np.maximum((~np.isnan(step)).sum(axis=1), 1) / 1.128
    low, high = ~(value < 0).any(axis=1), ~(value > 100).any(axis=1)
    near = 1.25 * spread
    crowds = [((value == x).sum(axis=1) >= count / 5) | (np.abs(mean - x) < near) for x in (0, 100)]
    apart = np.diff(np.sort(value, axis=1), axis=1)  # missing values are sorted to the end
    is_tie = apart <= 1e-9 * np.abs(mean)[:, None]
    ties = is_tie.sum(axis=1)
    grid = np.where(is_tie | np.isnan(apart), np.inf, apart).min(axis=1, initial=np.inf)
    place = np.cumsum(known, axis=1)
    newest = known & (place >= (place[:, -1:] - ties[:, None]))
    span = ((place > 0) & (place[:, -1:] > place - known)).sum(axis=1)
    latest = np.sort(np.where(newest, value, np.nan), axis=1)
    alike = np.nansum(np.diff(latest, axis=1), axis=1) == 0
    bounded = low & (crowds[0] | crowds[1] & high)
    rounded = (ties > 0) & (grid >= 0.5 * spread) & np.isfinite(grid)
    carried = (ties > 0) & alike & (count - ties >= 6)
    found = (bounded, rounded, span > 1.1 * count, carried)
    return [(count >= TESTS.fewest) & flag for flag in found]


def season_effects(observations: Frame) -> Column:
    """How far each season lies from the series' level, beside a straight line; a row a row.

    Subtracting it leaves what a control chart can judge: a step of three standard deviations in
    the last 4 of 16 quarters is found in 0.85 of series, and in none before. The last point is
    flagged by chance in 0.02 to 0.04 of series of three years and more, against 0.01 to 0.02
    without. Missing values get their season's effect; a season without any value has none.
    """
    member, effects = _members(observations["period"]), np.zeros(len(observations))
    for _, places, value in history.by_length(observations):
        effect = np.nan_to_num(seasonal_pattern.line_and_seasons(value, member[places])[1])
        effects[places] = np.einsum("km,ktm->kt", effect, member[places])
    return pd.Series(effects, index=observations.index)
