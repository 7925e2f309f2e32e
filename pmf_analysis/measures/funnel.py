"""Funnel comparison of many areas, with allowance for their spread beyond chance.

Spiegelhalter, "Funnel plots for comparing institutional performance" (2005) and "Handling
over-dispersion of performance indicators" (2005), as FunnelPlotR 0.6.0 computes them.
"""

from collections.abc import Callable
from typing import Literal

import numpy as np
import pandas as pd
from numpy.typing import ArrayLike

from pmf_analysis.measures.arrays import Flags, Floats, Frame
from pmf_analysis.measures.intervals import two_sided_z

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
    centre = transformed(np.full(1, benchmark), benchmark, statistic)[0]
    distance = transformed(value, benchmark, statistic) - centre
    phi, tau2 = spread_between(distance, error)
    z = distance / np.sqrt(error**2 + (tau2 if overdispersion else 0.0))
    limits = funnel_limits(size, benchmark, tau2 if overdispersion else None, statistic)
    codes = [
        np.subtract(value > limits[f"upper_{name}"], value < limits[f"lower_{name}"], dtype=float)
        for name in LEVELS
    ]
    label = pd.Series(LABELS)[np.add(*codes).astype(int) + 2].where(~np.isnan(z), "")
    table = limits.drop(columns="size").assign(z=z, phi=phi, tau2=tau2, label=label.to_numpy())
    table.insert(0, "value", value)
    table.insert(0, "area", areas["area"].to_numpy())
    return table


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
    centre = transformed(np.full(1, benchmark), benchmark, statistic)[0]
    width = np.sqrt(standard_error(size, benchmark, statistic) ** 2 + (tau2 or 0.0))
    for name, confidence in LEVELS.items():
        reach = two_sided_z(confidence)
        if tau2 is not None or statistic == "mean":
            ends = [_back(centre + way * reach * width, benchmark, statistic) for way in (-1, 1)]
        elif statistic == "proportion":  # Wilson's interval is the score test turned round
            spread = reach * np.sqrt(benchmark * (1 - benchmark) / size)
            ends = [np.clip(benchmark + way * spread, 0, 1) for way in (-1, 1)]
        else:
            ends = [count / size for count in _event_limits(benchmark * size, confidence)]
        table[f"lower_{name}"], table[f"upper_{name}"] = ends
    return table


def _event_limits(expected: Floats, confidence: float) -> tuple[Floats, Floats]:
    """Counts at which the interval of `intervals.poisson` begins to leave `expected` out."""
    from scipy.special import gammainc

    z, tail = two_sided_z(confidence), (1 - confidence) / 2

    def is_high(count: Floats) -> Flags:
        byar = count * (1 - 1 / (9 * count) - z / (3 * np.sqrt(count))) ** 3
        return np.where(count < 10, gammainc(count, expected) < tail, byar > expected)

    def is_not_low(count: Floats) -> Flags:
        more = count + 1
        byar = more * (1 - 1 / (9 * more) + z / (3 * np.sqrt(more))) ** 3
        return np.where(count < 10, gammainc(more, expected) <= 1 - tail, byar >= expected)

    far = (np.sqrt(expected) + z + 2) ** 2
    return _turning(is_not_low, 0 * far, far), _turning(is_high, 0 * far, far)


def _turning(is_past: Callable[[Floats], Flags], low: Floats, high: Floats) -> Floats:
    """Where a condition that holds at `high`, and from some point on, begins to hold."""
    for _ in range(HALVINGS):
        middle = (low + high) / 2
        past = is_past(middle)
        low, high = np.where(past, low, middle), np.where(past, middle, high)
    return low


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


def transformed(value: Floats, benchmark: float, statistic: Statistic) -> Floats:
    """Put values on the scale where their sampling error does not depend on them.

    No event anywhere (a benchmark of 0) gives NaN: there is nothing to compare.
    """
    if statistic == "proportion":
        return np.arcsin(np.sqrt(value))
    return np.sqrt(value / (benchmark or np.nan)) if statistic in EVENTS else value


def standard_error(size: Floats, benchmark: float, statistic: Statistic) -> Floats:
    """Give the sampling error on the transformed scale."""
    if statistic == "mean":
        return np.asarray(1 / np.sqrt(size))
    return np.asarray(0.5 / np.sqrt(size * ((benchmark or np.nan) if statistic in EVENTS else 1.0)))


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


def _back(limit: Floats, benchmark: float, statistic: Statistic) -> Floats:
    if statistic == "proportion":
        return np.sin(np.clip(limit, 0, np.pi / 2)) ** 2
    return benchmark * np.maximum(limit, 0) ** 2 if statistic in EVENTS else limit
