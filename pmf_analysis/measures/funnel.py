"""Funnel comparison of many areas, with allowance for their spread beyond chance.

Spiegelhalter, "Funnel plots for comparing institutional performance" (2005) and "Handling
over-dispersion of performance indicators" (2005), as FunnelPlotR 0.6.0 computes them.
"""

from typing import Any, Literal

import numpy as np
import pandas as pd

from pmf_analysis.measures.arrays import Floats, Frame
from pmf_analysis.measures.intervals import Bounds, poisson, two_sided_z, wilson

Numbers = Floats | float
Statistic = Literal["proportion", "rate", "ratio", "mean"]

WINSORISED = 0.1  # share of z-scores pulled in at either end before dispersion is measured
LEVELS = {"95": 0.95, "998": 0.998}
LABELS = ["low_998", "low_95", "within", "high_95", "high_998"]
EVENTS = ("rate", "ratio")  # events per denominator, or observed over expected


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
    size, value, benchmark = _values(areas, statistic)
    error = standard_error(size, benchmark, statistic)
    distance = transformed(value, benchmark, statistic)
    distance = distance - transformed(benchmark, benchmark, statistic)
    phi, tau2 = spread_between(distance, error)
    used = tau2 if overdispersion else None
    z = distance / np.sqrt(error**2 + (used or 0.0))
    limits = pd.DataFrame({"benchmark": np.full(len(value), benchmark)})
    code = np.zeros(len(value), int)
    for name, level in LEVELS.items():
        ends = limits_at(size, benchmark, used or 0.0, two_sided_z(level), statistic)
        limits[f"lower_{name}"], limits[f"upper_{name}"] = ends
        above, below = value > ends[1], value < ends[0]
        if used is None and statistic != "mean":
            of_rate, count = statistic in EVENTS, np.round(value * size, 9)
            low, high = poisson(count, level) if of_rate else wilson(count, size, level)
            held = benchmark * size if of_rate else benchmark
            above, below = low > held, high < held
        code += np.subtract(above, below, dtype=int)
    label = np.where(np.isnan(z), "", np.array(LABELS)[code + 2])
    table = pd.DataFrame({"area": areas["area"].to_numpy(), "value": value})
    return table.join(limits.assign(z=z, phi=phi, tau2=tau2, label=label))


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
    phi = float((np.clip(z, *np.quantile(z, [WINSORISED, 1 - WINSORISED])) ** 2).mean())
    room = weight.sum() - (weight**2).sum() / weight.sum()
    return phi, max(0.0, float((n * phi - (n - 1)) / room))
