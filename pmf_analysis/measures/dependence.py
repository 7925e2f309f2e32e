"""How far successive values of a series depend on each other, and what that does to its limits.

A control chart takes its width from the moving range, which is too small where each value starts
from the last one, as stocks and caseloads do. For a first-order autoregression with coefficient r
the mean moving range is sqrt(1 - r) of what independent values of that spread would give, so
limits are divided by that. The coefficient is taken from the differences, which no step or trend
in the level disturbs: their own lag-1 correlation is (r - 1) / 2. False alarms of a last point
outside such limits, 1,500 simulated series of 30 values each: .005, .02, .03, .05 at r = 0, .6, .8
and .9, against .005, .07, .17 and .31 outside the usual ones; with runs and trends .02 to .58.
"""

from __future__ import annotations

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from pmf_analysis.measures.history import by_length, numbers

Floats = NDArray[np.float64]
Flags = NDArray[np.bool_]

MOST = 0.95  # a coefficient nearer to 1 is a random walk, which has no usual range
# The lag-1 correlation of differences of n independent values is about -1/2 with this standard
# error times 1 / sqrt(n) (4,000 simulated series each of 13 to 60 normal values: 0.71 to 0.74).
SPREAD_OF_ESTIMATE = 0.73
CLEAR = 1.96
# Against windows, in standard deviations of single values: the yearly wave, the drift over the
# series and the step that are allowed for; and what is likelier beforehand: independent values,
# those with one step, each of the others. Chosen on simulated series (benchmarks/shape_gate.py).
WAVE, DRIFT, STEP = 2.0, 6.0, 4.0
AUTOREGRESSIONS = (0.3, 0.6, 0.8, 0.9, 0.99)
PRIOR_ODDS = (3.0, 0.9, 0.055)


def coefficient(values: Floats) -> float:
    """Autoregressive coefficient, 0 where the data do not clearly show one.

    Differences beyond three times their typical size are cut to that, so that one step or one
    slip of the pen does not hide or feign dependence. Missing values are left out with the
    differences that touch them. Short series bias it towards 0: of twelve values with a true 0.6
    it is found in one in six, of forty in four in five.
    """
    return float(autoregression(np.asarray(values, dtype=float)[None])[0])


def autoregression(values: Floats) -> Floats:
    """`coefficient` of many series of one length, a row each."""
    steps = np.diff(values, axis=1)
    known = np.isfinite(steps)
    count = known.sum(axis=1)
    drift = _median(steps, known)[:, None]  # a steady rise is no dependence
    typical = 1.4826 * _median(np.abs(steps - drift), known)[:, None]
    cut = np.where(known, np.clip(steps - drift, -3 * typical, 3 * typical), 0.0)
    pairs = np.maximum((known[:, 1:] & known[:, :-1]).sum(axis=1), 1)
    variance = (cut**2).sum(axis=1) / np.maximum(count, 1)
    near = (cut[:, 1:] * cut[:, :-1]).sum(axis=1) / pairs
    lag1 = near / np.where(variance > 0, variance, 1.0)
    bar = -0.5 + CLEAR * SPREAD_OF_ESTIMATE / np.sqrt(np.maximum(count, 1))
    shown = (typical[:, 0] > 0) & (lag1 >= bar)
    return np.where(shown, np.clip(1 + 2 * lag1, 0.0, MOST), 0.0)


def _median(values: Floats, known: Flags) -> Floats:
    """Median of the known values of each row; 0 where there is none."""
    ordered = np.sort(np.where(known, values, np.inf), axis=1)
    count = known.sum(axis=1)
    if not ordered.shape[1]:
        return np.zeros(len(values))
    middle = np.maximum(np.stack([(count - 1) // 2, count // 2]), 0)
    pair = np.take_along_axis(ordered, middle.T, axis=1)
    return np.where(count > 0, pair.sum(axis=1) / 2, 0.0)


def coefficients(rows: pd.DataFrame) -> pd.Series:
    """Coefficient of each series; rows: series, period, value, gaps as missing values."""
    value, found = numbers(rows["value"]), {}
    for names, places in by_length(rows):
        found |= dict(zip(names, autoregression(value[places]), strict=True))
    return pd.Series(found, dtype="float64").sort_index()


def window_odds(values: Floats, window: int) -> Floats:
    """Log odds that values are means of overlapping windows rather than single or dependent ones.

    The exact likelihood of normal series with the covariance of such means, against a mixture:
    independent values, the same with one step anywhere, a yearly wave, and autoregressions. Level
    and scale are integrated out; a drift is allowed for in all. Above 0 windows are likelier, at
    prior odds (`PRIOR_ODDS`) that hold false alarms down in short series.

    Parameters
    ----------
    values
        (k, n), none missing, none constant.
    """
    n = values.shape[1]
    time = np.arange(n)
    lag = np.abs(np.subtract.outer(time, time))
    models = [np.clip(window - lag, 0, None) / window, np.eye(n)]
    models += [np.eye(n) + WAVE**2 * np.cos(2 * np.pi * lag / window)]
    models += [r**lag for r in AUTOREGRESSIONS]
    centred = (time - time.mean()) * DRIFT / n
    root = np.linalg.cholesky(np.stack(models) + np.outer(centred, centred))
    whiten = np.linalg.inv(root)
    level = whiten.sum(axis=2)
    size = np.sqrt((level**2).sum(axis=1))
    unit = level / size[:, None]
    whiten -= unit[:, :, None] * (unit[:, None, :] @ whiten)
    constant = -np.log(np.diagonal(root, axis1=1, axis2=2)).sum(axis=1) - np.log(size)
    middle = values - values.mean(axis=1, keepdims=True)
    rest = np.einsum("mij,kj->kmi", whiten, middle / np.abs(middle).max(axis=1, keepdims=True))
    left = (rest**2).sum(axis=2)
    fits = constant - (n - 1) / 2 * np.log(left)
    steps = (time >= np.arange(2, n - 1)[:, None]) @ whiten[1].T
    spans = (steps**2).sum(axis=1) + STEP**-2
    explained = np.einsum("ki,si->ks", rest[:, 1], steps) ** 2 / spans
    stepped = constant[1] - np.log(STEP * np.sqrt(spans)) - np.log(len(spans))
    stepped = stepped - (n - 1) / 2 * np.log(left[:, [1]] - explained)
    single, one_step, other = np.log(PRIOR_ODDS)
    others = [fits[:, [1]] + single, stepped + one_step, fits[:, 2:] + other]
    return np.asarray(fits[:, 0] - np.logaddexp.reduce(np.hstack(others), axis=1))


def widened(limits: pd.DataFrame, found: pd.Series) -> pd.DataFrame:
    """Limits (mean, lower_limit, upper_limit by series) made as wide as the dependence asks."""
    factor = 1 / np.sqrt(1 - found.reindex(limits.index).fillna(0.0))
    half = (limits["upper_limit"] - limits["mean"]) * factor
    return limits.assign(lower_limit=limits["mean"] - half, upper_limit=limits["mean"] + half)


def steps_test(values: Floats) -> tuple[int, float]:
    """Direction (1, -1, 0 for none) of most steps, and how often chance gives so many of a kind.

    The exact sign test of the differences other than zero: it asks whether a series that starts
    each time from its last value drifts. Two-sided; no step gives (0, 1.0).
    """
    from scipy.stats import binomtest

    steps = np.diff(values)
    rises, falls = int((steps > 0).sum()), int((steps < 0).sum())
    if rises == falls:
        return 0, 1.0
    p_value = float(binomtest(rises, rises + falls).pvalue)
    return (1 if rises > falls else -1), p_value
