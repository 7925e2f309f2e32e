"""How far successive values of a series depend on each other, and what that does to its limits.

A control chart takes its width from the moving range, which is too small where each value starts
from the last one, as stocks and caseloads do. For a first-order autoregression with coefficient r
the mean moving range is sqrt(1 - r) of what independent values of that spread would give, so
limits are divided by that. False alarms of a last point outside such limits, 4,000 simulated series
of 30 values each: .004, .017, .020 and .039 at r = 0, .6, .8 and .9, against .005, .07, .18 and .31
outside the usual ones; of 16 values .007, .034, .066 and .11, as short series hide dependence.
"""

import numpy as np
import pandas as pd

from pmf_analysis.measures.arrays import Column, Floats, Frame, Places, constants
from pmf_analysis.measures.history import by_length

_SET = constants("dependence")


def coefficients(rows: Frame) -> Column:
    """Autoregressive coefficient of each series, 0 where the data do not clearly show one.

    The mean over a grid of coefficients by their likelihood; a drift disturbs nothing, and a series
    that one step explains as well shows none. Missing values are left out, and the others keep
    their distance in time. Short series show little: a true 0.8 is found in a fifth of series of
    12 values, 0.45 of 16, three quarters of 24 and nine tenths of 36, and feigned by 1 to 2 % of
    independent values and 2 to 4 % of those with one step.

    Parameters
    ----------
    rows
        series, period, value; gaps as missing values.
    """
    found: dict[str, float] = {}
    for names, _, values in by_length(rows):
        found |= dict(zip(names, dependence(values, np.ones(len(names)))[0], strict=True))
    return pd.Series(found, dtype="float64").sort_index()


def dependence(values: Floats, windows: Floats) -> tuple[Floats, Floats]:
    """Coefficients of many series of one length, and the log odds that they are rolling means.

    The odds are those of means over overlapping windows of so many periods against a mixture of
    independent values, the same with one step anywhere, and autoregressions: above 0 windows are
    likelier, at prior odds that hold false alarms down in short series. 0 where not looked for.
    """
    values = values[:, -_SET.longest :]
    known = np.isfinite(values)
    found, odds = np.zeros(len(values)), np.zeros(len(values))
    patterns = np.unique(np.column_stack([windows, known]), axis=0, return_inverse=True)[1].ravel()
    order = np.argsort(patterns, kind="stable")
    for rows in np.split(order, np.flatnonzero(np.diff(patterns[order])) + 1):
        time = np.flatnonzero(known[rows[:1]].any(axis=0))
        part = values[rows][:, time]
        if len(time) < _SET.fewest:
            continue
        single, *others, rolling = _log_likelihoods(part, time, windows[rows[0]])
        dependent = np.logaddexp.reduce(others[1:], axis=0)
        bar = _SET.clear + np.log(len(_SET.autoregressions)) + np.logaddexp(single, others[0])
        mean = np.array(_SET.autoregressions) @ np.exp(others[1:] - dependent)
        found[rows] = np.where((dependent > bar) & (np.ptp(part, axis=1) > 0), mean, 0.0)
        against = np.log(_SET.prior_odds)[:, None] + [single, *others]
        odds[rows] = rolling - np.logaddexp.reduce(against, axis=0)
    return found, odds


def _log_likelihoods(values: Floats, time: Places, window: float) -> list[Floats]:
    """Of independent values, those with one step, each autoregression, rolling means.

    Those of normal series (k, n) with the exact covariance of each model, level and scale
    integrated out.
    """
    n, lag = len(time), np.abs(np.subtract.outer(time, time))
    drift = _SET.drift * (time - time.mean()) / (time[-1] + 1 - time[0])
    models = [np.eye(n), *(r**lag for r in _SET.autoregressions), np.maximum(1 - lag / window, 0)]
    root = np.linalg.cholesky(np.stack(models) + np.outer(drift, drift))
    middle = values - values.mean(axis=1, keepdims=True)
    middle /= np.maximum(np.abs(middle).max(axis=1, keepdims=True), np.finfo(float).tiny)
    steps = (np.arange(n)[:, None] >= np.arange(2, n - 1)).astype(float)
    right = np.hstack([np.ones((n, 1)), middle.T])
    solved = np.linalg.solve(root, np.broadcast_to(right, (len(root), *right.shape)))
    level, rest = solved[:, :, :1], solved[:, :, 1:]
    size = (level**2).sum(axis=1, keepdims=True)
    rest = rest - level * (level * rest).sum(axis=1, keepdims=True) / size
    widths = np.log(np.diagonal(root, axis1=1, axis2=2)).sum(axis=1) + np.log(size[:, 0, 0]) / 2
    left = np.maximum((rest**2).sum(axis=1), np.finfo(float).tiny)
    fits = -widths[:, None] - (n - 1) / 2 * np.log(left)
    moved = np.linalg.solve(root[0], steps)
    moved -= level[0] * (level[0] * moved).sum(axis=0) / size[0]
    spans = (moved**2).sum(axis=0)[:, None] + _SET.step**-2
    gain = 1 - np.einsum("ts,tk->sk", moved, rest[0]) ** 2 / spans / left[0]
    each = -np.log(_SET.step**2 * spans) / 2 - (n - 1) / 2 * np.log(np.maximum(gain, 1e-300))
    return [fits[0], fits[0] + np.logaddexp.reduce(each, axis=0) - np.log(len(spans)), *fits[1:]]


def widened(limits: Frame, found: Column) -> Frame:
    """Limits (mean, lower_limit, upper_limit by series) made as wide as the dependence asks."""
    factor = 1 / np.sqrt(1 - found.reindex(limits.index).fillna(0.0))
    half = (limits["upper_limit"] - limits["mean"]) * factor
    return limits.assign(lower_limit=limits["mean"] - half, upper_limit=limits["mean"] + half)


def steps_test(rows: Frame) -> Frame:
    """Sign (1, -1, 0 for none) of most steps, and how often chance gives so many of a kind.

    The exact sign test of the differences other than zero: it asks whether a series that starts
    each time from its last value drifts. Two-sided; no step gives 0 and 1.0.

    Parameters
    ----------
    rows
        series, value, in order; no value missing.
    """
    from scipy.special import bdtr

    step = np.sign(rows.groupby("series")["value"].diff())
    count = pd.DataFrame({"way": step, "n": step.abs()}).groupby(rows["series"]).sum()
    fewer = (count["n"] - count["way"].abs()) / 2
    chance = np.minimum(2 * bdtr(fewer, count["n"].astype(int), 0.5), 1.0)
    return pd.DataFrame({"sign": np.sign(count["way"]), "p_value": chance})
