"""XmR charts: natural process limits, special-cause rules and assurance, many series at once.

The method is that of NHS England's *Making Data Count*, as NHSRplotthedots 0.2.2 computes it;
other profiles are its Excel tool (no screening), Wheeler's rules, and Anhoej's with the limits of
qicharts2. Everything works on flat arrays sorted by series and period, so that 100,000 series take
a second.

Named deviations from that reference, each with a test:

* a constant series gets limits equal to its mean, no flag, and assurance by direct comparison;
* a missing or infinite value stays in the table as missing, breaks every run, and gives no moving
  range on either side;
* limits are given at any length: whether they carry a verdict is decided by `trend`;
* differences below the precision of floating-point arithmetic count as none.

What a chart can tell, its false alarms and the smallest step that it would show, comes from
simulated series of independent normal values, because no formula covers several rules together
with limits that come from the same few points. Figures of the shipped profiles are in a table
beside this module (`benchmarks/trend_alarms.py` makes it); those of any other rule set are
simulated when they are asked for, from fewer series.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path

import numpy as np
import pandas as pd
from numpy.typing import ArrayLike

from pmf_analysis.measures import arrays, polarity, special_causes
from pmf_analysis.measures.arrays import LIMITS, PRECISION, Floats, Frame, Integers, Known, Places
from pmf_analysis.measures.polarity import Improvement, words
from pmf_analysis.measures.special_causes import PROFILES, RULES, Rules, RuleSet, Usable, rule_set

__all__ = ["LIMITS", "PROFILES", "RULES", "RuleSet", "SpcChart", "rule_set", "signals", "spc_chart"]

SCREEN_FACTOR = 3.267  # D4: moving ranges at or above this multiple of their mean are left out
FEWEST, MOST = 13, 240  # values: below, a chart carries no verdict; above, little changes
LENGTHS = (13, 16, 20, 25, 30, 36, 42, 48, 60, 80, 120, MOST)  # where steps are simulated
_SET = arrays.constants("spc")
TABLE = Path(__file__).with_name("chart_alarms.csv")
Ways = Improvement | Mapping[str, Improvement]


@dataclass(frozen=True)
class SpcChart:
    """Result of `spc_chart`.

    `points`: series, period, value, mean, lower_limit, upper_limit, rule, direction (1 high or
    rising, -1 low or falling, 0 none), point_type ("missing" where there is no value).
    `series`: series, n, mean, lower_limit, upper_limit, variation (type of the last point),
    assurance, reason (why limits have no width or are absent).
    """

    points: Frame
    series: Frame


def spc_chart(
    observations: Frame,
    *,
    improvement: Ways = "higher",
    rules: Rules = "mdc",
    targets: Known = None,
    baseline: Frame | None = None,
) -> SpcChart:
    """Natural process limits, special causes and assurance of every series.

    Parameters
    ----------
    observations
        Columns series, period (anything sortable), value; one row a series and period. A missing
        value is NaN; periods that have no row at all cannot be seen here. What lies between two
        breaks or rebases is a series of its own.
    improvement
        Which way is better, for all series or by series; see `polarity.point_types`.
    rules
        Profile name or `RuleSet`.
    targets
        Columns series, period, target, target_low, target_high. Assurance uses the target of the
        last point.
    baseline
        Frozen earlier limits (columns series, mean, lower_limit, upper_limit).

    Raises
    ------
    ValueError
        Unknown profile name, or two rows for one series and period.
    """
    chosen = rule_set(rules)
    points, series, of = _arrange(observations)
    usable = _usable(points["value"].to_numpy(), of, len(series))
    series = series.join(_limits(usable, chosen))
    if baseline is not None:
        series = _freeze(series, baseline)
    codes = np.zeros((2, len(points)), dtype=np.int64)
    codes[:, usable.rows] = special_causes.find(usable, series, chosen)
    for name in LIMITS:
        points[name] = series[name].to_numpy()[of]
    points["rule"], points["direction"] = words(RULES, codes[0]), codes[1]
    return _told(points, series, usable, improvement, targets)


def signals(values: Floats, rules: RuleSet) -> Integers:
    """Rule (position in `RULES`) of every value, and direction; a row of `values` is one series.

    As `spc_chart`, without tables: for simulations. No value may be missing.
    """
    of = np.repeat(np.arange(len(values)), values.shape[1])
    usable = _usable(values.ravel(), of, len(values))
    found = special_causes.find(usable, _limits(usable, rules), rules)
    return np.reshape(found, (2, *values.shape))


def _told(points: Frame, series: Frame, usable: Usable, ways: Ways, targets: Known) -> SpcChart:
    """Say what points, and the last one of each series, mean by polarity and target.

    Only points with a signal and last points are looked at one by one: the rest is common cause.
    """
    is_last = np.diff(usable.series, append=-1) != 0
    last = usable.rows[is_last]
    looked_at = np.union1d(np.flatnonzero(points["direction"].to_numpy()), last)
    some = points.iloc[looked_at].reset_index(drop=True)
    better, bands = polarity.better_way(some, ways), polarity.target_bands(some, targets)
    found = polarity.point_types(some, better, bands)
    codes = (~np.isnan(points["value"].to_numpy())).astype(np.int64)
    codes[looked_at] = pd.Index(polarity.POINT_TYPES).get_indexer(pd.Index(found))
    points["point_type"] = words(polarity.POINT_TYPES, codes)
    ends = bands.assign(better=better, variation=found).iloc[np.searchsorted(looked_at, last)]
    ends = ends.set_index(usable.series[is_last]).reindex(series.index)
    series["variation"] = ends["variation"].fillna("")
    held = series.join(ends[bands.columns])
    series["assurance"] = polarity.held_against(held, ends["better"], usable.tolerance)
    columns = ["series", "n", *LIMITS, "variation", "assurance", "reason"]
    return SpcChart(points, series[columns])


def _arrange(given: Frame) -> tuple[Frame, Frame, Places]:
    """Rows sorted by series and period; the series; which of them each row belongs to."""
    codes, names = pd.factorize(given["series"], sort=True)
    period_codes, periods = pd.factorize(given["period"], sort=True)
    place = codes * (len(periods) + 1) + period_codes
    order = np.argsort(place, kind="stable")
    if not np.diff(place[order]).all():
        raise ValueError("two rows for one series and period")
    value = given["value"].to_numpy(dtype=np.float64, na_value=np.nan)
    points = given[["series", "period"]].assign(value=np.where(np.isfinite(value), value, np.nan))
    return points.iloc[order].reset_index(drop=True), pd.DataFrame({"series": names}), codes[order]


def _usable(value: Floats, of: Places, count: int) -> Usable:
    rows = np.flatnonzero(~np.isnan(value))
    value, of = value[rows], of[rows]
    joined = (np.diff(rows, prepend=-2) == 1) & (np.diff(of, prepend=-1) == 0)
    tolerance = PRECISION * _mean(np.abs(value), of, count) + np.finfo(float).tiny
    return Usable(rows, value, of, joined, tolerance)


def _mean(value: Floats, of: Places, count: int) -> Floats:
    with np.errstate(invalid="ignore"):
        return np.bincount(of, value, count) / np.bincount(of, minlength=count)


def _limits(usable: Usable, rules: RuleSet) -> Frame:
    """Give n, mean, limits and why they have no width or are absent; a row a series."""
    value, of, count = usable.value, usable.series, len(usable.tolerance)
    n = np.bincount(of, minlength=count)
    mean = _mean(value, of, count)
    mean += _mean(value - mean[of], of, count)  # second pass removes rounding
    varies = np.abs(value - mean[of]) > usable.tolerance[of]
    is_constant = (np.bincount(of, varies, count) == 0) & (n > 1)
    first_values = value[np.flatnonzero(np.diff(of, prepend=-1))]
    mean[n > 0] = np.where(is_constant[n > 0], first_values, mean[n > 0])
    ranges = np.abs(np.diff(value, prepend=0.0))[usable.joined]
    of = of[usable.joined]
    raw = _mean(ranges, of, count)
    kept = (ranges < SCREEN_FACTOR * raw[of]) | (not rules.screen)
    unmeasured = ~is_constant & ~(raw > 0)  # gaps hide every difference
    usual = rules.limit_factor * _mean(ranges[kept], of[kept], count)
    width = np.select([is_constant, unmeasured], [0.0, np.nan], usual)
    reasons = ["fewer than two values", "every value is the same", "no two neighbours differ"]
    reason = np.select([n < 2, is_constant, unmeasured], reasons, "")
    columns = {"n": n, "mean": mean, "lower_limit": mean - width, "upper_limit": mean + width}
    return pd.DataFrame({**columns, "reason": reason, "is_constant": is_constant})


def _freeze(series: Frame, baseline: Frame) -> Frame:
    """Put frozen limits in place of a series' own."""
    frozen = series[["series"]].merge(baseline, on="series", how="left", validate="m:1")
    is_frozen = frozen["mean"].notna()
    series[LIMITS] = series[LIMITS].mask(is_frozen, frozen[LIMITS])
    reason = series["reason"].mask(is_frozen, "")
    return series.assign(reason=reason, is_constant=series["is_constant"] & ~is_frozen)


def last_point_alarm(rules: RuleSet, n: ArrayLike) -> Floats:
    """Chance that the last of n independent values is flagged; NaN below 13 values."""
    return detectable_step(rules, n, 0)


def detectable_step(rules: RuleSet, n: ArrayLike, within: int) -> Floats:
    """Smallest step, in standard deviations, that a chart shows in 80 % of cases.

    After n independent normal values the level moves at once and for good. The chart is the one
    drawn `within` values later, its limits from all of its values, and shows the step where any
    value after it is flagged on the side of the step. NaN below 13 values before, and where no
    step up to 16 is shown.
    """
    lengths = np.asarray(n, dtype=float)
    return np.where(lengths >= FEWEST, np.interp(lengths, *_curve(rules, within)), np.nan)


@lru_cache
def _curve(rules: RuleSet, within: int) -> Floats:
    """Lengths, and step (or alarm, within 0) of each: of a shipped profile, else simulated."""
    table, column = pd.read_csv(TABLE), f"within_{within}" if within else "last_point"
    for profile, shipped in PROFILES.items():
        if shipped == rules and column in table:
            known = table.loc[table["profile"] == profile, ["n", column]]
            return np.array(known.dropna(), float).T
    step = simulated_step if within else simulated_alarm
    return np.array([LENGTHS[::2], [step(rules, n, within) for n in LENGTHS[::2]]])


def simulated_alarm(rules: RuleSet, n: int, within: int = 0, drawn: int = _SET.drawn) -> float:
    """Share of simulated series whose last value is flagged (`within` nothing to be waited for)."""
    values = np.random.default_rng([_SET.seed, n]).normal(size=(drawn // n, n))
    return float(np.mean(signals(values, rules)[0][:, -1] > 0))


def simulated_step(rules: RuleSet, n: int, within: int, drawn: int = _SET.drawn // 8) -> float:
    """Find the step by halving; every size is tried on the same noise."""
    length = n + within
    noise = np.random.default_rng([_SET.seed, n, within]).normal(size=(drawn // length, length))
    low, high = 0.0, 2 * _SET.largest
    while high - low > 0.01:
        middle = (low + high) / 2
        direction = signals(noise + middle * (np.arange(length) >= n), rules)[1]
        is_shown = np.mean((direction[:, n:] > 0).any(axis=1)) >= _SET.power
        low, high = (low, middle) if is_shown else (middle, high)
    return high if high <= _SET.largest else float("nan")
