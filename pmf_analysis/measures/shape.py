"""What kind of series it is: the first question, because it decides which method may be asked.

A running total, an overlapping window or a seasonal pattern breaks control charts silently:
year-to-date figures hide every change, rolling figures raise false alarms, seasons hide steps.
What is declared decides; what the values look like is said beside it where the two differ.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from pmf_analysis.measures.dependence import autoregression, window_odds
from pmf_analysis.measures.history import by_length, numbers
from pmf_analysis.measures.seasonal_pattern import line_and_seasons

Floats = NDArray[np.float64]
Flags = NDArray[np.bool_]

TREATMENTS = {
    "too_short": "none",
    "constant": "none",
    "ytd": "same_period_last_year",
    "rolling": "non_overlapping",
    "seasonal": "season_means_removed",
    "autocorrelated": "wider_limits",
    "discrete": "as_it_is",
}
FEATURES = ["bounded", "rounded", "gappy", "carried_forward", "revised"]
COLUMNS = ["series", "shape", "evidence", "treatment", "features", "contradiction"]
FEWEST = 5  # values below which nothing is judged
FEWEST_FOR_YTD = 8
FEWEST_FOR_DEPENDENCE = 12
FULL_CYCLES = {12: 2.5}  # years of values before seasons may be told from chance, by length of year
USUAL_CYCLES = 3.0
SEASON_SIGNIFICANCE = 0.01
FIRST_PART = (0.25, 1.8)  # first value of a year in mean steps within years; running totals: 1
CERTAIN = 2.0  # log odds for windows before a declaration of single periods is doubted
IMPOSSIBLE = -6.0  # and those at which one of rolling figures is
DAYS = 365.25
SAID = {"discrete": "single periods", "snapshot": "figures of one day"}
AS_TOTALS = ", but values rise within each year and start again, as running totals do."
AS_WINDOWS = ", but neighbouring values move together as overlapping windows do."
NO_TOTAL = "Declared as running totals, but values never start again at the turn of a year."
NO_WINDOW = "Declared as rolling, but values do not move together as overlapping windows do."


@dataclass(frozen=True)
class _Block:
    """Series of one length: a row a series in every array; missing values are NaN."""

    value: Floats
    month: NDArray[np.intp]
    day: Floats  # since 1970; NaN where periods are not dates
    per_year: Floats
    declared: NDArray[Any]
    is_revised: Flags

    @property
    def known(self) -> Flags:
        return ~np.isnan(self.value)

    @property
    def count(self) -> NDArray[np.intp]:
        return np.asarray(self.known.sum(axis=1))


def detect_shape(
    observations: pd.DataFrame,
    *,
    periods_per_year: float | Mapping[str, float],
    declared: Mapping[str, str] | None = None,
) -> pd.DataFrame:
    """Tell the shape of every series, from what is declared and else from the values.

    Parameters
    ----------
    observations
        Columns series, period (dates where seasons are to be found), value, and status where
        known; missing and infinite values are left out.
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
    Measured by `benchmarks/shape_gate.py`, which prints how often each shape is found and feigned.
    Windows of half a year and running totals of two parts a year are not looked for.
    """
    value, month = numbers(observations["value"]), months(observations["period"])
    day = _days(observations["period"])
    revised = np.zeros(len(value), dtype=bool)
    if "status" in observations.columns:
        revised = (observations["status"] == "revised").to_numpy(dtype=bool, na_value=False)
    found: list[tuple[str, ...]] = []
    for names, rows in by_length(observations):
        given = [
            periods_per_year[name] if isinstance(periods_per_year, Mapping) else periods_per_year
            for name in names
        ]
        said = np.array([(declared or {}).get(name, "") for name in names], dtype=object)
        per_year = np.nan_to_num(np.array(given, dtype=float))
        block = _Block(
            value[rows], month[rows], day[rows], per_year, said, revised[rows].any(axis=1)
        )
        found += zip(names, *_judged(block), strict=True)
    return pd.DataFrame(sorted(found), columns=COLUMNS, dtype="str")


def months(periods: pd.Series) -> NDArray[np.intp]:
    """Month of every period; 0 where periods are not dates."""
    if not pd.api.types.is_datetime64_any_dtype(periods):
        return np.zeros(len(periods), dtype=np.intp)
    return periods.dt.month.fillna(0).to_numpy(dtype=np.intp)


def _days(periods: pd.Series) -> Floats:
    if not pd.api.types.is_datetime64_any_dtype(periods):
        return np.full(len(periods), np.nan)
    return np.asarray((periods - pd.Timestamp(0)) / pd.Timedelta(days=1), dtype=float)


def _judged(block: _Block) -> tuple[list[str], ...]:
    """Shape, evidence, treatment, features and contradiction of every series of a block."""
    count, said = block.count, block.declared
    free, single = said == "", np.isin(said, list(SAID))
    sizes = np.abs(np.where(block.known, block.value, 0)).max(axis=1, initial=0)
    lowest = np.where(block.known, block.value, np.inf).min(axis=1, initial=np.inf)
    highest = np.where(block.known, block.value, -np.inf).max(axis=1, initial=-np.inf)
    constant = (count > 0) & (highest - lowest <= 1e-12 * sizes)
    varied = (count >= FEWEST) & ~constant
    total = varied & _are_running_totals(block)
    odds = np.where(varied, _window_odds(block), 0.0)
    chance = np.where(varied, _season_chance(block), 1.0)
    enough = varied & (count >= FEWEST_FOR_DEPENDENCE)
    found = np.where(enough, autoregression(block.value), 0.0)
    tests = {
        "ytd": said == "ytd",
        "rolling": said == "rolling",
        "too_short": count < FEWEST,
        "constant": constant,
        "ytd ": free & total,
        "rolling ": free & (odds > 0),
        "seasonal": chance < SEASON_SIGNIFICANCE,
        "autocorrelated": found > 0,
    }
    shape = np.select(list(tests.values()), list(tests), "discrete")
    features = _features(block, constant)
    doubts = [single & total, single & (odds > CERTAIN), (said == "ytd") & _never_restart(block)]
    doubts.append((said == "rolling") & (odds < IMPOSSIBLE) & ~features["rounded"])
    opening = np.array([f"Declared as {SAID.get(each, each)}" for each in said], dtype=object)
    sentences = [opening + AS_TOTALS, opening + AS_WINDOWS, NO_TOTAL, NO_WINDOW]
    evidence = [
        _evidence(*each) for each in zip(shape, said, count, chance, found, strict=True)
    ]
    plain = [str(each).strip() for each in shape]
    treatment = [TREATMENTS[each] for each in plain]
    contradiction = list(np.select(doubts, sentences, ""))
    return plain, evidence, treatment, _joined(features), contradiction


def _evidence(shape: str, declared: str, count: int, chance: float, found: float) -> str:
    """Say what the shape rests on."""
    if declared == shape:
        return "Declared in the register."
    return {
        "too_short": f"Only {count} values.",
        "constant": "Every value is the same.",
        "ytd ": "Values rise within each year and start again at the next.",
        "rolling ": "Neighbouring values move together as overlapping windows do.",
        "seasonal": f"Seasons differ by more than chance (p = {chance:.2g}).",
        "autocorrelated": f"Each value depends on the one before (coefficient {found:.1f}).",
    }.get(shape, "Declared in the register." if declared else "No other pattern was found.")


def _steps(block: _Block) -> Floats:
    return np.diff(block.value, axis=1)


def _members(block: _Block) -> Floats:
    """(k, n, 12): 1 where a value belongs to a month of the year."""
    return (block.month[..., None] == np.arange(1, 13)).astype(float)


def _are_running_totals(block: _Block) -> Flags:
    """Whether values climb in every year and fall back, far enough, in one and the same season.

    A pattern of seasons that rises within the year does so too: steps (the first value of a year
    being one) must be explained as well as values are.
    """
    step, member = _steps(block), _members(block)
    known, into = ~np.isnan(step), member[:, 1:]
    step = np.where(known, step, 0.0)

    def of_month(weights: Floats | Flags, months: Floats) -> Floats:
        return np.asarray(np.einsum("kt,ktm->km", weights.astype(float), months))

    def of_others(weights: Floats | Flags) -> Floats:
        by_month = of_month(weights, into)
        return weights.sum(axis=1, keepdims=True) - by_month

    turns, rises = of_month(known, into), of_others(known)
    falls = of_month(step < 0, into)
    climbs = of_others(known & (step >= 0)) >= 0.95 * rises
    with np.errstate(invalid="ignore", divide="ignore"):
        opening = of_month(np.nan_to_num(block.value), member) / of_month(block.known, member)
        part = opening / (of_others(step) / rises)
    low, high = FIRST_PART
    starts = (turns > 0) & (falls >= 0.8 * turns) & climbs & (part > low) & (part < high)
    fits = (block.count >= FEWEST_FOR_YTD) & (block.per_year > 2) & ~(block.value < 0).any(axis=1)
    found: Flags = fits & starts.any(axis=1)
    rows = np.flatnonzero(found)
    opens = member[rows, :, starts[rows].argmax(axis=1)] > 0
    found[rows] = _sums_better(block.value[rows], member[rows], opens)
    return found


def _sums_better(value: Floats, member: Floats, opens: Flags) -> Flags:
    """Whether seasons explain values no better than they, or a line alone, explain steps (BIC).

    In short series the difference is mostly noise, so less is asked there.
    """
    before = np.concatenate([np.full((len(value), 1), np.nan), value[:, :-1]], axis=1)
    step, line = np.where(opens, value, value - before), np.ones((*value.shape, 1))
    count = np.maximum((~np.isnan(step)).sum(axis=1), 1)
    scores = []
    for values, seasons in ((step, line), (step, member), (value, member)):
        fit = line_and_seasons(values, seasons)
        freedom = np.maximum((~np.isnan(values)).sum(axis=1) - fit.seasons - 1, 1)
        scatter = np.log(np.maximum(fit.left / freedom, 1e-300))
        scores.append(count * scatter + (fit.seasons + 1) * np.log(count))
    slack = np.maximum(0.0, 30 - 1.5 * count)
    return np.minimum(scores[0], scores[1]) <= scores[2] + slack


def _never_restart(block: _Block) -> Flags:
    """Whether values never fall over two turns of the year, though they do rise."""
    step = _steps(block)
    enough = (~np.isnan(step)).sum(axis=1) >= 2 * block.per_year
    return enough & (block.per_year > 1) & (step > 0).any(axis=1) & ~(step < 0).any(axis=1)


def _window_odds(block: _Block) -> Floats:
    """Log odds of windows of a year, from the longest stretch without a gap; 0 if too short."""
    odds = np.zeros(len(block.value))
    first, last = _longest_stretch(block.known)
    sizes = np.column_stack([last - first, block.per_year.astype(int)])
    for length, window in np.unique(sizes, axis=0):
        if window < 3 or length < max(20 - 2 * window, window + 8):
            continue
        rows = np.flatnonzero((sizes == (length, window)).all(axis=1))
        used = min(length, max(160, 3 * window))
        columns = (last[rows] - used)[:, None] + np.arange(used)
        odds[rows] = window_odds(block.value[rows[:, None], columns], int(window))
    return odds


def _longest_stretch(known: Flags) -> tuple[NDArray[np.intp], NDArray[np.intp]]:
    """First column, and the one after the last, of the newest of the longest known stretches."""
    columns = np.arange(1, known.shape[1] + 1)
    gap = np.maximum.accumulate(np.where(known, 0, columns), axis=1)
    run = np.where(known, columns - gap, 0)
    last = known.shape[1] - run[:, ::-1].argmax(axis=1)
    return last - run.max(axis=1), last


def _season_chance(block: _Block) -> Floats:
    """F test of seasons beside a straight line; 1 where there are too few full years."""
    from scipy.special import fdtrc

    fit = line_and_seasons(block.value, _members(block))
    line = line_and_seasons(block.value, np.ones((*block.value.shape, 1)))
    cycles = np.array([FULL_CYCLES.get(int(each), USUAL_CYCLES) for each in block.per_year])
    fits = (fit.seasons == block.per_year) & (fit.seasons > 1)
    fits &= block.count >= cycles * fit.seasons
    between, freedom = np.maximum(fit.seasons - 1, 1), np.maximum(block.count - fit.seasons - 1, 1)
    left = np.maximum(fit.left, 1e-20 * np.nansum(block.value**2, axis=1) + 1e-300)
    ratio = np.maximum(line.left - fit.left, 0) / between / (left / freedom)
    return np.where(fits, fdtrc(between, freedom, ratio), 1.0)


def _features(block: _Block, constant: Flags) -> dict[str, Flags]:
    """Tell what else a reader should know of the values, by code."""
    value, known, count = block.value, block.known, np.maximum(block.count, 1)
    step = np.abs(_steps(block))
    pairs = np.maximum((~np.isnan(step)).sum(axis=1), 1)
    spread = np.nansum(step, axis=1) / pairs / 1.128
    mean, enough = np.nansum(value, axis=1) / count, block.count >= FEWEST
    positive = ~(value < 0).any(axis=1)
    crowded = ((value == 0).sum(axis=1) >= count / 5) | (mean < 1.5 * spread)
    full = ((value == 100).sum(axis=1) >= count / 5) | (100 - mean < 1.5 * spread)
    apart = np.diff(np.sort(value, axis=1), axis=1)  # missing values are sorted to the end
    ties = (apart <= 1e-9 * np.abs(mean)[:, None]).sum(axis=1)
    grid = np.where(apart > 1e-9 * np.abs(mean)[:, None], apart, np.inf).min(axis=1, initial=np.inf)
    packed = np.take_along_axis(value, np.argsort(~known, axis=1, kind="stable"), axis=1)
    rows, newest = np.arange(len(value)), np.maximum(block.count - 1, 0)
    repeats = [packed[rows, np.maximum(newest - back, 0)] for back in (0, 1, ties)]
    same = (repeats[0] == repeats[1]) & (repeats[0] == repeats[2])
    return {
        "bounded": enough & positive & (crowded | full & ~(value > 100).any(axis=1)),
        "rounded": enough & ~constant & (ties > 0) & (grid >= 0.5 * spread),
        "gappy": enough & (_expected(block) > 1.1 * block.count),
        "carried_forward": same & (ties > 0) & (block.count - ties >= 6),
        "revised": block.is_revised,
    }


def _expected(block: _Block) -> Floats:
    """How many periods lie between the first and the last value, by rows or by dates."""
    columns = np.arange(block.value.shape[1])
    first = np.where(block.known, columns, len(columns)).min(axis=1, initial=len(columns))
    last = np.where(block.known, columns, -1).max(axis=1, initial=-1)
    days = np.where(block.known, block.day, np.nan)
    ends = np.fmax.reduce(days, axis=1) - np.fmin.reduce(days, axis=1)
    by_date = np.round(np.nan_to_num(ends) / DAYS * block.per_year) + 1
    return np.maximum(last - first + 1.0, by_date)


def _joined(features: dict[str, Flags]) -> list[str]:
    flags = np.column_stack([features[name] for name in FEATURES])
    return [";".join(np.array(FEATURES, dtype=object)[row]) for row in flags]


def season_effects(observations: pd.DataFrame) -> pd.Series:
    """How far each season lies from the series' level, beside a straight line; a row a row.

    Subtracting it leaves what a control chart can judge (power for a step of three standard
    deviations rises from none to about 0.84 at 16 quarters). Missing values get their season's
    effect too; a season without any value has none.
    """
    value, month = numbers(observations["value"]), months(observations["period"])
    effects = np.zeros(len(value))
    for _, rows in by_length(observations):
        member = (month[rows][..., None] == np.arange(1, 13)).astype(float)
        fit = line_and_seasons(value[rows], member)
        effects[rows] = np.einsum("km,ktm->kt", fit.effect, member)
    return pd.Series(effects, index=observations.index)
