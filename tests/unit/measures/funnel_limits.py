"""FunnelPlotR's funnel of many areas, on the scale of the package; limits exact at every size.

The package places one council in the funnel of others, and estimates their spread for prediction.
What it shares with FunnelPlotR, the scale, its errors and its limits, is held against that here.
"""

from typing import Literal

import numpy as np
import pandas as pd
from numpy.typing import ArrayLike

from pmf_analysis.measures.arrays import Floats, Frame, constants
from pmf_analysis.measures.intervals import Bounds, poisson, two_sided_z, wilson
from pmf_analysis.measures.spread import LEVELS, limits_at, standard_error, transformed

Statistic = Literal["proportion", "rate", "ratio", "mean"]
_SET = constants("spread")

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


def funnel(
    areas: Frame, *, statistic: Statistic = "proportion", overdispersion: bool = True
) -> Frame:
    """Place every area in a funnel around the pooled value of all.

    Parameters
    ----------
    areas
        area, count, denominator; for "mean" area, value, sd (standard error of the value).
    statistic
        "proportion" (arcsine square-root scale), "rate" of rare events (square-root scale of
        observed over expected), "ratio" (indirectly standardised: the denominator is the expected
        count; same scale) or "mean".
    overdispersion
        Whether spread between areas beyond chance widens the limits (additive random effects).
        Without it areas are labelled by whether their own Wilson or Poisson interval holds the
        pooled value, as England's public health bodies do; the limits are then those of chance.

    Returns
    -------
    DataFrame
        Rows of `areas` in their order: area, value (a fraction for proportions and rates),
        benchmark, lower_95, upper_95, lower_998, upper_998, z, phi, tau2, label (high_998,
        high_95, within, low_95, low_998; "" without value). Areas without a usable value have no
        limits and do not count towards the pooled value.
    """
    size, value, benchmark = _sized(areas, statistic)
    error = standard_error(size, benchmark, statistic)
    distance = transformed(value, benchmark, statistic)
    distance = distance - transformed(benchmark, benchmark, statistic)
    phi, tau2 = spread_between(distance, error)
    used = tau2 if overdispersion else None
    z = distance / np.sqrt(error**2 + (used or 0.0))
    table = pd.DataFrame({"area": areas["area"].to_numpy(), "value": value})
    table["benchmark"] = benchmark
    code = np.zeros(len(value), int)
    for name, level in LEVELS.items():
        ends = limits_at(size, benchmark, used or 0.0, two_sided_z(level), statistic)
        table[f"lower_{name}"], table[f"upper_{name}"] = ends
        above, below = value > ends[1], value < ends[0]
        if used is None and statistic != "mean":
            of_rate, count = statistic in _SET.events, np.round(value * size, 9)
            low, high = poisson(count, level) if of_rate else wilson(count, size, level)
            held = benchmark * size if of_rate else benchmark
            above, below = low > held, high < held
        code += np.subtract(above, below, dtype=int)
    label = np.where(np.isnan(z), "", np.array(_SET.labels)[code + 2])
    return table.assign(z=z, phi=phi, tau2=tau2, label=label)


def _sized(areas: Frame, statistic: Statistic) -> tuple[Floats, Floats, float]:
    """Size (denominator, or inverse variance of a mean), value and pooled value."""
    if statistic == "mean":
        value, error = (areas[name].to_numpy(float) for name in ("value", "sd"))
        size = np.where(error > 0, error, np.nan) ** -2.0
    else:
        count, size = (areas[name].to_numpy(float) for name in ("count", "denominator"))
        possible = (size > 0) & (count >= 0) & ((count <= size) | (statistic in _SET.events))
        size = np.where(possible, size, np.nan)
        value = count / size
    size = np.where(np.isnan(value), np.nan, size)
    total = float(np.nansum(size))
    return size, value, float(np.nansum(value * size)) / total if total else np.nan


def spread_between(distance: Floats, error: Floats) -> tuple[float, float]:
    """Dispersion ratio (1 = chance alone; extremes winsorised), variance beyond chance."""
    known = ~np.isnan(distance / error)
    z, weight = (distance / error)[known], error[known] ** -2.0
    n = len(z)
    if n < 2:
        return np.nan, 0.0
    phi = float((np.clip(z, *np.quantile(z, _SET.winsorised)) ** 2).mean())
    room = weight.sum() - (weight**2).sum() / weight.sum()
    return phi, max(0.0, float((n * phi - (n - 1)) / room))
