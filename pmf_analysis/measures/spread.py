"""Whether an authority lies beyond the usual spread between its peers, of whom it is not one.

The funnel of many areas, with allowance for their spread beyond chance (Spiegelhalter, "Funnel
plots for comparing institutional performance" and "Handling over-dispersion of performance
indicators", both 2005), as FunnelPlotR 0.6.0 computes it; and the same turned into a prediction:
where would one more council like these lie?
"""

from typing import Any, Literal

import numpy as np
import pandas as pd

from pmf_analysis.measures.arrays import FEWEST_PEERS, PAIR, Column, Flags, Floats, Frame, constants
from pmf_analysis.measures.history import RATIOS
from pmf_analysis.measures.intervals import poisson, two_sided_z, wilson
from pmf_analysis.measures.ranks import Panel, ordered_quantile

Numbers = Floats | float
Statistic = Literal["proportion", "rate", "ratio", "mean"]

_SET = constants("spread")
LEVELS = {"95": 0.95, "998": 0.998}
FEWEST_EVENTS = 10  # below it a place in a funnel says little (the rule of England's OHID)


def places(panel: Panel, own: Frame, *, overdispersion: bool) -> tuple[Frame, Panel]:
    """Place each case, and each of its peers, in the funnel of its peers.

    Distances are taken on the scale of `funnel`, from the peers' pooled value. The variance
    between peers beyond chance is the one that makes their winsorised z-scores vary as those of
    normal values do; the share that winsorising takes away is put back, for without that one
    ordinary council in eight would be called unusual (`benchmarks/comparison_errors.py`).

    Parameters
    ----------
    panel
        Matrices numerator, denominator (of peers judged by counts), value, lower, upper.
    own
        A row a case: scale_of ("proportion", "rate" for counts, "mean" for intervals, "" for
        neither), numerator, denominator, value, lower, upper.
    overdispersion
        False: chance alone; tau2 is 0.

    Returns
    -------
    DataFrame, Panel
        centre (weighted value of the peers with counts, or intervals: a fraction of the
        denominator, or a mean), phi (dispersion ratio; 1 = chance alone), tau2, adjusted_z (with
        the uncertainty of the pooled value), freedom (degrees, for `reach`; infinite without
        over-dispersion), all NaN below five such peers; matrices `z` and `size` of the peers.
    """
    kind = own["scale_of"].to_numpy(object)[:, None]
    value, size = _values(panel, kind == "mean")
    own_columns = {name: own[name].to_numpy(float)[:, None] for name in panel if name in own}
    value_own, size_own = _values(own_columns, kind == "mean")
    n = np.where(kind[:, 0] != "", (~np.isnan(value * size)).sum(axis=1), 0)
    enough = np.where(n >= FEWEST_PEERS, 1.0, np.nan)[:, None]
    size = size * np.where(np.isnan(value), np.nan, 1) * enough
    total = np.nansum(size, axis=1, keepdims=True) * enough
    pooled = np.nansum(value * size, axis=1, keepdims=True) / total
    centre = transformed(pooled, pooled, kind)
    error2 = standard_error(size, pooled, kind) ** 2
    distance = transformed(value, pooled, kind) - centre
    phi, tau2 = _variance_between(distance, error2, n)
    tau2 = tau2 * overdispersion
    pull = np.nansum(size**2, axis=1, keepdims=True) / total**2  # 1 / effective number of peers
    own_error2 = standard_error(size_own, pooled, kind) ** 2
    own_distance = transformed(value_own, pooled, kind) - centre
    own_z = own_distance / np.sqrt(own_error2 + tau2 * (1 + pull))
    freedom = (_SET.freedom * (n[:, None] - 1) if overdispersion else np.inf) * enough
    columns = [pooled, phi, tau2, own_z, pull, size_own, freedom]
    z = distance / np.sqrt(error2 + tau2 * (1 + pull))
    return pd.DataFrame(np.hstack(columns), own.index, _SET.columns), {"z": z, "size": size}


def _values(columns: Panel, mean: Flags) -> tuple[Floats, Floats]:
    """Value and weight: of counts, or the inverse variance that a 95 % interval implies."""
    width = columns["upper"] - columns["lower"]
    weight = (2 * 1.96 / np.where(width > 0, width, np.nan)) ** 2
    count, size = columns["numerator"], columns["denominator"]
    return np.where(mean, columns["value"], count / size), np.where(mean, weight, size)


def _variance_between(distance: Floats, error2: Floats, n: Floats) -> tuple[Floats, Floats]:
    """Dispersion ratio, and variance beyond chance, of each row."""
    goal = (_SET.left_by_winsorising * (n - 1) / np.maximum(n, 1))[:, None]
    tau2 = np.zeros((len(distance), 1))
    known = np.maximum((~np.isnan(distance)).sum(axis=1, keepdims=True), 1)
    phi = np.full_like(tau2, np.nan)
    for step in range(_SET.steps):
        variance = error2 + tau2
        z = distance / np.sqrt(variance)
        ordered = np.sort(z, axis=1)
        ends = [ordered_quantile(ordered, share)[:, None] for share in _SET.winsorised]
        square = np.clip(z, *ends) ** 2
        level = np.nansum(square, axis=1, keepdims=True) / known
        slope = np.nansum(square / variance, axis=1, keepdims=True) / known
        phi = level / goal if step == 0 else phi
        move = level * (level / goal - 1) / np.where(slope > 0, slope, np.nan)
        tau2 = np.maximum(tau2 + np.nan_to_num(move), 0.0)
    return np.where(np.isnan(distance).all(axis=1, keepdims=True), np.nan, phi), tau2


def reach(freedom: Column, level: float) -> Column:
    """|z| beyond which one more council like its peers lies with chance 1 - level.

    Student's t, because the spread is known from few peers only; normal without over-dispersion.
    """
    from scipy.special import stdtrit

    return pd.Series(stdtrit(freedom, (1 + level) / 2), freedom.index)


def labels(z: Column, count: Column, own: Frame) -> Column:
    """Funnel label of each place; "" without one, or where counts of fewer than ten are compared.

    `own`: freedom and scale_of of the case that each place belongs to.
    """
    code = pd.Series(2, z.index)
    for level in LEVELS.values():
        outside = z.abs() > reach(own["freedom"], level)
        code += (np.sign(z) * outside).fillna(0).astype(int)
    text = pd.Series(np.array(_SET.labels)[code.to_numpy(int)], z.index, dtype="str")
    return text.where(z.notna() & ~(own["scale_of"].isin(RATIOS) & (count < FEWEST_EVENTS)), "")


def funnels(pairs: Frame, sizes: Floats) -> Frame:
    """Smooth limits of the funnel of every pair judged by counts, in the unit of its value.

    `pairs` have `places`, scale_of and scale (unit of a fraction); `sizes` are the peers'
    denominators. The limits are those of the labels: a council outside them is labelled so.
    Columns series, peer_set, size, benchmark, lower_95, upper_95, lower_998, upper_998.
    """
    sizes = np.column_stack([sizes, pairs["denominator"]])
    counted = (pairs["scale_of"].isin(RATIOS) & (pairs["centre"] > 0)).to_numpy()
    pairs, sizes = pairs[counted], sizes[counted]
    ends = np.nanmin(sizes, axis=1, initial=np.inf), np.nanmax(sizes, axis=1, initial=0)
    points = np.geomspace(*ends, _SET.funnel_points, axis=1)
    benchmark = (pairs["centre"] * pairs["scale"]).to_numpy()[:, None]
    columns = {"size": points, "benchmark": benchmark + 0 * points}
    for name, level in LEVELS.items():
        columns[f"lower_{name}"], columns[f"upper_{name}"] = limits(pairs, points, level)
    table = pairs[PAIR].loc[pairs.index.repeat(_SET.funnel_points)].reset_index(drop=True)
    return table.assign(**{name: column.ravel() for name, column in columns.items()})


def limits(pairs: Frame, sizes: Floats, level: float) -> Floats:
    """Lower and upper limits of each pair's funnel at each of its sizes, in the unit of its value.

    Beside our own size: where one more such council would lie.
    """
    names = ["centre", "tau2", "pull"]
    pooled, tau2, pull = (pairs[name].to_numpy(float)[:, None] for name in names)
    kind = pairs["scale_of"].to_numpy(object)[:, None]
    scale = np.where(kind == "mean", 1.0, pairs["scale"].to_numpy(float)[:, None])
    far = reach(pairs["freedom"], level).to_numpy()[:, None]
    return scale * limits_at(sizes, pooled, tau2 * (1 + pull), far, kind)


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


def transformed(value: Numbers, benchmark: Numbers, statistic: Any) -> Floats:
    """Put values on the scale where their sampling error does not depend on them.

    `statistic` may differ between rows. No event anywhere (a benchmark of 0) gives NaN: there is
    nothing to compare.
    """
    root = np.sqrt(np.maximum(value, 0) / _unit(benchmark, statistic))
    scaled = np.where(np.isin(statistic, _SET.events), root, np.arcsin(np.minimum(root, 1)))
    return np.where(np.equal(statistic, "mean"), value, scaled)


def standard_error(size: Floats, benchmark: Numbers, statistic: Any) -> Floats:
    """Give the sampling error on the transformed scale."""
    one = np.where(np.equal(statistic, "mean"), 1.0, 0.5)
    return np.asarray(one / np.sqrt(size * _unit(benchmark, statistic)))


def limits_at(size: Floats, centre: Numbers, tau2: Numbers, far: Numbers, statistic: Any) -> Floats:
    """Values `far` standard deviations below and above the centre, as far as there are any."""
    off = far * np.sqrt(standard_error(size, centre, statistic) ** 2 + tau2)
    scaled = transformed(centre, centre, statistic) + np.stack([-off, off])
    root = np.maximum(scaled, 0)
    share = np.sin(np.minimum(root, np.pi / 2)) ** 2
    value = np.where(np.isin(statistic, _SET.events), centre * root**2, share)
    return np.where(np.equal(statistic, "mean"), scaled, value)


def _unit(benchmark: Numbers, statistic: Any) -> Floats:
    known = np.where(np.greater(benchmark, 0), benchmark, np.nan)
    return np.where(np.isin(statistic, _SET.events), known, 1.0)


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
