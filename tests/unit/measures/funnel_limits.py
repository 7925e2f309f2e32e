"""Limits of a funnel, exact at every size: the check on the labels and limits of the package."""

import numpy as np
import pandas as pd
from numpy.typing import ArrayLike

from pmf_analysis.measures.arrays import Floats, Frame
from pmf_analysis.measures.intervals import Bounds, poisson, two_sided_z
from pmf_analysis.measures.spread import LEVELS, Statistic, limits_at

HALVINGS = 60  # of a bracket, until it is as narrow as a float can be


def funnel_limits(
    sizes: ArrayLike, benchmark: float, tau2: float | None, statistic: Statistic
) -> Frame:
    """Limits of a funnel for areas of given sizes: smooth, and exact at each of them.

    Parameters
    ----------
    sizes
        Denominators; for "mean" one over the squared standard error. NaN gives NaN.
    benchmark
        Pooled value: a fraction, a rate a unit of the denominator, or a mean.
    tau2
        Variance between areas beyond chance (:func:`funnel`). None: no allowance for it, and the
        limits are the values at which an area's own Wilson interval (in closed form) or Poisson
        interval (by bisection) begins to leave the benchmark out.

    Returns
    -------
    DataFrame
        size, benchmark, lower_95, upper_95, lower_998, upper_998, in the unit of `benchmark`.
    """
    given = np.asarray(sizes, float)
    size = np.where(given > 0, given, np.nan)
    table = pd.DataFrame({"size": size, "benchmark": benchmark})
    for name, confidence in LEVELS.items():
        reach = two_sided_z(confidence)
        if tau2 is not None or statistic == "mean":
            ends = limits_at(size, benchmark, tau2 or 0.0, reach, statistic)
        elif statistic == "proportion":  # Wilson's interval is the score test turned round
            spread = reach * np.sqrt(benchmark * (1 - benchmark) / size)
            ends = np.maximum(benchmark - spread, 0), np.minimum(benchmark + spread, 1)
        else:
            ends = _event_limits(size, benchmark, confidence)
        table[f"lower_{name}"], table[f"upper_{name}"] = ends
    return table


def _event_limits(size: Floats, rate: float, confidence: float) -> Bounds:
    """Rates at which the interval of `intervals.poisson` begins to leave `rate` out."""
    expected, ends = rate * size, []
    far = (np.sqrt(expected) + two_sided_z(confidence) + 2) ** 2
    for end in (1, 0):
        low, high = 0 * far, far
        for _ in range(HALVINGS):
            middle = (low + high) / 2
            is_past = poisson(middle, confidence)[end] >= expected
            low, high = np.where(is_past, low, middle), np.where(is_past, middle, high)
        ends.append(low / size)
    return ends[0], ends[1]
