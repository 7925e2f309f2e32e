"""Funnel comparison of many areas, with allowance for their spread beyond chance.

Spiegelhalter, "Funnel plots for comparing institutional performance" (2005) and "Handling
over-dispersion of performance indicators" (2005), as FunnelPlotR 0.6.0 computes them.
"""

from typing import Any, Literal

import numpy as np
import pandas as pd
from numpy.typing import ArrayLike

from pmf_analysis.measures.arrays import Floats, Frame
from pmf_analysis.measures.intervals import Bounds, poisson, two_sided_z

Numbers = Floats | float
Statistic = Literal["proportion", "rate", "ratio", "mean"]

WINSORISED = 0.1  # share of z-scores pulled in at either end before dispersion is measured
LEVELS = {"95": 0.95, "998": 0.998}
LABELS = ["low_998", "low_95", "within", "high_95", "high_998"]
EVENTS = ("rate", "ratio")  # events per denominator, or observed over expected
HALVINGS = 60  # of a bracket, until it is as narrow as a float can be


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
        pooled value, as England's public health bodies do, and limits are where that changes.

    Returns
    -------
    DataFrame
        Rows of `areas` in their order: area, value (a fraction for proportions and rates),
        benchmark, lower_95, upper_95, lower_998, upper_998, z, phi, tau2, label (high_998,
        high_95, within, low_95, low_998; "" without value). Areas without a usable value have no
        limits and do not count towards the pooled value.
    """
    size, value, benchmark = _values(areas, statistic)
    error = standard_error(size, benchmark, statistic)
    distance = transformed(value, benchmark, statistic)
    distance = distance - transformed(benchmark, benchmark, statistic)
    phi, tau2 = spread_between(distance, error)
    used = tau2 if overdispersion else None
    z = distance / np.sqrt(error**2 + (used or 0.0))
    limits = funnel_limits(size, benchmark, used, statistic).drop(columns="size")
    ends = [(limits[f"lower_{name}"], limits[f"upper_{name}"]) for name in LEVELS]
    code = sum(np.subtract(value > upper, value < lower, dtype=int) for lower, upper in ends)
    label = np.where(np.isnan(z), "", np.array(LABELS)[code + 2])
    table = pd.DataFrame({"area": areas["area"].to_numpy(), "value": value})
    return table.join(limits.assign(z=z, phi=phi, tau2=tau2, label=label))


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


def _values(areas: Frame, statistic: Statistic) -> tuple[Floats, Floats, float]:
    """Size (denominator, or inverse variance of a mean), value and pooled value."""
    if statistic == "mean":
        value, error = (areas[name].to_numpy(float) for name in ("value", "sd"))
        size = np.where(error > 0, error, np.nan) ** -2.0
    else:
        count, size = (areas[name].to_numpy(float) for name in ("count", "denominator"))
        possible = (size > 0) & (count >= 0) & ((count <= size) | (statistic in EVENTS))
        size = np.where(possible, size, np.nan)
        value = count / size
    size = np.where(np.isnan(value), np.nan, size)
    total = float(np.nansum(size))
    return size, value, float(np.nansum(value * size)) / total if total else np.nan


def transformed(value: Numbers, benchmark: Numbers, statistic: Any) -> Floats:
    """Put values on the scale where their sampling error does not depend on them.

    `statistic` may differ between rows. No event anywhere (a benchmark of 0) gives NaN: there is
    nothing to compare.
    """
    root = np.sqrt(np.maximum(value, 0) / _unit(benchmark, statistic))
    scaled = np.where(np.isin(statistic, EVENTS), root, np.arcsin(np.minimum(root, 1)))
    return np.where(np.equal(statistic, "mean"), value, scaled)


def standard_error(size: Floats, benchmark: Numbers, statistic: Any) -> Floats:
    """Give the sampling error on the transformed scale."""
    one = np.where(np.equal(statistic, "mean"), 1.0, 0.5)
    return np.asarray(one / np.sqrt(size * _unit(benchmark, statistic)))


def limits_at(
    size: Floats, benchmark: Numbers, tau2: Numbers, reach: Numbers, statistic: Any
) -> Bounds:
    """Values `reach` standard deviations below and above the benchmark, as far as there are any."""
    deviation = np.sqrt(standard_error(size, benchmark, statistic) ** 2 + tau2)
    ends = []
    for way in (-1, 1):
        scaled = transformed(benchmark, benchmark, statistic) + way * reach * deviation
        root = np.maximum(scaled, 0)
        share = np.sin(np.minimum(root, np.pi / 2)) ** 2
        value = np.where(np.isin(statistic, EVENTS), benchmark * root**2, share)
        ends.append(np.where(np.equal(statistic, "mean"), scaled, value))
    return ends[0], ends[1]


def _unit(benchmark: Numbers, statistic: Any) -> Floats:
    known = np.where(np.greater(benchmark, 0), benchmark, np.nan)
    return np.where(np.isin(statistic, EVENTS), known, 1.0)


def spread_between(distance: Floats, error: Floats) -> tuple[float, float]:
    """Dispersion ratio (1 = chance alone; extremes winsorised), variance beyond chance."""
    known = ~np.isnan(distance / error)
    z, weight = (distance / error)[known], error[known] ** -2.0
    n = len(z)
    if n < 2:
        return np.nan, 0.0
    z = np.clip(z, *np.quantile(z, [WINSORISED, 1 - WINSORISED]))
    phi = float((z**2).mean())
    room = weight.sum() - (weight**2).sum() / weight.sum()
    return phi, max(0.0, float((n * phi - (n - 1)) / room))
