"""Trends of short series: exact Mann-Kendall with Sen's slope, and the Fingertips recent trend."""

import math
from functools import lru_cache, reduce
from typing import Any

import numpy as np
import pandas as pd

from pmf_analysis.measures.arrays import TABLES, TYPES, Floats, Frame, Integers, Places, constants
from pmf_analysis.measures.history import by_length

_SET = constants("short_series")
RECENT_CRITICAL = 9.54953570608324  # chi-square, 1 df, p = 0.002, as Fingertips prints it


def mann_kendall(observations: Frame) -> Frame:
    """Test every series for a steady rise or fall, and estimate its slope.

    Mann (1945), Kendall (1975), Sen (1968). Up to 12 points the p-value is exact: the distribution
    of S over all orders of the same values, ties among them (the normal approximation is badly
    off there). Above, it is normal with correction for ties and continuity.

    Parameters
    ----------
    observations
        Columns series, period, value, one row a period in even steps. A missing value is left out
        but its period still counts as time passing.

    Returns
    -------
    DataFrame
        series, n, s, p_value (two-sided), slope (median change a period), direction (increasing,
        decreasing, no_change, or cannot_judge below four points).
    """
    rows: list[tuple[Any, ...]] = []
    for names, _, values in by_length(observations):
        known = ~np.isnan(values)
        for n in np.unique(known.sum(axis=1)):
            chosen = np.flatnonzero(known.sum(axis=1) == n)
            time = np.nonzero(known[chosen])[1].reshape(len(chosen), n)
            each = np.take_along_axis(values[chosen], time, axis=1)
            rows += zip([names[row] for row in chosen], *_tests(each, time), strict=True)
    return _typed(rows, TYPES["mann_kendall"])


def _typed(rows: list[tuple[Any, ...]], types: dict[str, Any]) -> Frame:
    return pd.DataFrame(sorted(rows), columns=list(types)).astype(types)


def _tests(value: Floats, time: Places) -> tuple[Any, ...]:
    """What `mann_kendall` gives after `series`, for series of equally many values, a row each."""
    count, n = value.shape
    if n < _SET.fewest:
        nothing = np.zeros(count, dtype=int)
        return nothing + n, nothing, *[np.full(count, np.nan)] * 2, ["cannot_judge"] * count
    first, second = np.triu_indices(n, 1)
    rises = value[:, second] - value[:, first]
    s = np.sign(rises).sum(axis=1).astype(int)
    slopes = rises / (time[:, second] - time[:, first])
    # How many times each distinct value occurs, from few to many.
    ties = [tuple(sorted(np.unique(row, return_counts=True)[1].tolist())) for row in value]
    p_value = np.array([_p_value(abs(int(one)), sizes) for one, sizes in zip(s, ties, strict=True)])
    words = np.select([p_value > _SET.alpha, s > 0], ["no_change", "increasing"], "decreasing")
    return np.full(count, n), s, p_value, np.median(slopes, axis=1), words


@lru_cache(maxsize=4096)
def _p_value(s: int, ties: tuple[int, ...]) -> float:
    from scipy.special import ndtr

    if sum(ties) <= _SET.exact_up_to:
        scores, chance = null_distribution(ties)
        return float(min(1.0, chance[np.abs(scores) >= abs(s)].sum()))
    sizes = np.array([sum(ties), *ties], dtype=float)
    parts = sizes * (sizes - 1) * (2 * sizes + 5) / 18
    deviation = max(float(np.sqrt(parts[0] - parts[1:].sum())), np.finfo(float).tiny)
    return float(2 * ndtr(-max(abs(s) - 1, 0) / deviation))


@lru_cache(maxsize=4096)
def null_distribution(ties: tuple[int, ...]) -> tuple[Integers, Floats]:
    """Exact distribution of S when every order of the values is equally likely.

    `ties`: how many times each distinct value occurs. Inversions of a multiset are distributed as
    the coefficients of a Gaussian multinomial (MacMahon 1915): a ratio of q-factorials, which are
    products of the polynomials 1, 1 + q, 1 + q + q²... The coefficients are whole numbers.
    """
    whole = reduce(np.convolve, map(np.ones, range(1, sum(ties) + 1)), np.ones(1))
    parts = (np.ones(place) for size in ties for place in range(1, size + 1))
    counts = np.polynomial.polynomial.polydiv(whole, reduce(np.convolve, parts, np.ones(1)))[0]
    pairs = len(counts) - 1
    return pairs - 2 * np.arange(pairs + 1), counts / counts.sum()


def attained_size(n: int) -> float:
    """Chance that pure noise of n different values gives a significant Mann-Kendall test."""
    if n > _SET.exact_up_to:
        return float(_SET.alpha)
    sizes = (_p_value(s, (1,) * n) for s in range(math.comb(n, 2) + 1))
    return max((size for size in sizes if size <= _SET.alpha), default=0.0)


def recent_trend(observations: Frame) -> Frame:
    """Judge the five most recent years as OHID's Fingertips does ("recent trend").

    A weighted line through values with intervals, or the Cochran-Armitage test of counts, is
    significant if chi-square exceeds 9.55 (p 0.002) and the slope keeps its sign whichever year
    is left out. Whether periods are annual and do not overlap is for the caller to know.

    Parameters
    ----------
    observations
        series, period, and numerator and denominator (used where all five years have them), or
        value, ci_lower and ci_upper (95 %).

    Returns
    -------
    DataFrame
        series, n (points used, 0 or 5), chi_square, direction (increasing, decreasing, no_change,
        cannot_judge), reason, dispersion (residual chi-square around the line per degree of
        freedom: about 1 if only sampling error is at work), method (proportion or interval).
    """
    known = observations.reindex(columns=["series", "period", *TABLES["recent_trend"]])
    given = known[TABLES["recent_trend"]].to_numpy(float)
    rows: list[tuple[Any, ...]] = []
    for names, places, _ in by_length(known):
        last = map(_recent_one, given[places[:, -_SET.recent_points :]])
        rows += [(name, *found) for name, found in zip(names, last, strict=True)]
    return _typed(rows, TYPES["recent_trend"])


def _recent_one(last: Floats) -> tuple[Any, ...]:
    count, n, value, lower, upper = last.T
    reason = "One of the last five points has neither counts nor an interval."
    if len(n) < _SET.recent_points:
        reason = f"Only {len(n)} points; five are needed."
    elif ((count > 0) & (count < n)).all():
        # Cochran-Armitage: a line through the shares, each with the variance of the common share.
        odds, share = np.log(count / (n - count)), count.sum() / n.sum()
        line = _weighted_line(count / n, n / (share * (1 - share)))
        return _judged(*line, _slopes(odds, np.ones(len(n))), "proportion")
    elif ((upper > lower) & ~np.isnan(value)).all():
        weight = 1 / ((upper - lower) / (2 * 1.96)) ** 2
        return _judged(*_weighted_line(value, weight), _slopes(value, weight), "interval")
    elif (count <= n).all():
        reason = "A year counts none or all of the cases."
    return 0, np.nan, "cannot_judge", reason, np.nan, ""


def _judged(chi_square: float, dispersion: float, slopes: Floats, method: str) -> tuple[Any, ...]:
    steady = bool((np.sign(slopes) == np.sign(slopes[0])).all()) and slopes[0] != 0
    way = "increasing" if slopes[0] > 0 else "decreasing"
    word = way if steady and chi_square > RECENT_CRITICAL else "no_change"
    return _SET.recent_points, chi_square, word, "", dispersion, method


def _weighted_line(value: Floats, weight: Floats) -> tuple[float, float]:
    """Chi-square of the slope of a line, and residual chi-square per degree of freedom."""
    time, slope = np.arange(1.0, len(value) + 1), _slopes(value, weight)[0]
    off, level = time - np.average(time, weights=weight), np.average(value, weights=weight)
    residual = (weight * (value - level - slope * off) ** 2).sum()
    return float(slope**2 * (weight * off**2).sum()), float(residual / (len(value) - 2))


def _slopes(value: Floats, weight: Floats) -> Floats:
    """Slope of the weighted line through all points, then with each point left out."""
    time = np.arange(1.0, len(value) + 1)
    weights = np.vstack([weight, weight * (1 - np.eye(len(value)))])
    s1, s3, s4 = weights.sum(axis=1), weights @ time, weights @ value
    s2, s5 = weights @ (value * time), weights @ time**2
    return np.asarray((s1 * s2 - s3 * s4) / (s1 * s5 - s3**2))
