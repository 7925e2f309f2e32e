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

MOST = 0.95  # a coefficient nearer to 1 is a random walk, which has no usual range
# The lag-1 correlation of differences of n independent values is about -1/2 with this standard
# error times 1 / sqrt(n) (4,000 simulated series each of 13 to 60 normal values: 0.71 to 0.74).
SPREAD_OF_ESTIMATE = 0.73
CLEAR = 1.96


def coefficient(values: NDArray[np.float64]) -> float:
    """Autoregressive coefficient, 0 where the data do not clearly show one.

    Differences beyond three times their typical size are cut to that, so that one step or one
    slip of the pen does not hide or feign dependence. Missing values are left out with the
    differences that touch them.
    """
    steps = np.diff(values)
    known = steps[np.isfinite(steps)]
    drift = np.median(known) if len(known) else 0.0  # a steady rise is no dependence
    typical = np.median(np.abs(known - drift)) * 1.4826 if len(known) else 0.0
    if not typical > 0:
        return 0.0
    cut = np.clip(steps - drift, -3 * typical, 3 * typical)
    pairs = cut[1:] * cut[:-1]
    variance = np.nanmean(cut**2)
    lag1 = np.nansum(pairs) / max(np.isfinite(pairs).sum(), 1) / variance
    if lag1 < -0.5 + CLEAR * SPREAD_OF_ESTIMATE / np.sqrt(len(known)):
        return 0.0
    return float(np.clip(1 + 2 * lag1, 0.0, MOST))


def coefficients(rows: pd.DataFrame) -> pd.Series:
    """Coefficient of each series; rows: series, period, value, sorted, gaps as missing values."""
    found = {
        str(series): coefficient(part.to_numpy(float))
        for series, part in rows.groupby("series")["value"]
    }
    return pd.Series(found, dtype="float64")


def widened(limits: pd.DataFrame, found: pd.Series) -> pd.DataFrame:
    """Limits (mean, lower_limit, upper_limit by series) made as wide as the dependence asks."""
    factor = 1 / np.sqrt(1 - found.reindex(limits.index).fillna(0.0))
    half = (limits["upper_limit"] - limits["mean"]) * factor
    return limits.assign(lower_limit=limits["mean"] - half, upper_limit=limits["mean"] + half)


def steps_test(values: NDArray[np.float64]) -> tuple[int, float]:
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
