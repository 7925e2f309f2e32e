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

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import ArrayLike

from pmf_analysis.measures import arrays, polarity, special_causes
from pmf_analysis.measures.arrays import LIMITS, PRECISION, Flags, Floats, Frame, Integers, Places
from pmf_analysis.measures.polarity import Improvement, Targets, words
from pmf_analysis.measures.special_causes import PROFILES, RULES, RuleSet, Usable, rule_set

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

    `points`: series, period, value, segment, mean, lower_limit, upper_limit, rule, direction (1
    high or rising, -1 low or falling, 0 none), point_type ("missing" where there is no value).
    `segments`: series, segment, n, mean, lower_limit, upper_limit, variation (type of the last
    point), assurance (last segment only), reason (why limits have no width or are absent).
    """

    points: Frame
    segments: Frame


def spc_chart(
    observations: Frame,
    *,
    improvement: Ways = "higher",
    rules: str | RuleSet = "mdc",
    screen: bool = True,
    targets: Targets = None,
    rebase: Mapping[str, Sequence[Any]] | None = None,
    baseline_points: int | None = None,
    baseline: Frame | None = None,
) -> SpcChart:
    """Natural process limits, special causes and assurance of every series.

    Parameters
    ----------
    observations
        Columns series, period (anything sortable), value; one row a series and period. A missing
        value is NaN; periods that have no row at all cannot be seen here.
    improvement
        Which way is better, for all series or by series; see `polarity.point_types`.
    rules, screen
        Profile name or `RuleSet`; whether large moving ranges are left out of the limits.
    targets
        By series a number (a pair for "range"), or columns series, period, target, target_low,
        target_high. Assurance uses the target of the last point.
    rebase
        By series the periods that start a new segment, with limits of its own.
    baseline_points, baseline
        Limits from the first so many values of each segment; or frozen earlier limits (columns
        series, mean, lower_limit, upper_limit), which hold until a rebase.

    Raises
    ------
    ValueError
        Unknown profile name, or two rows for one series and period.
    """
    chosen = rule_set(rules, screen=None if screen else False)
    points, segments, segment_ids = _arrange(observations, rebase or {})
    usable = _usable(points["value"].to_numpy(), segment_ids, len(segments))
    segments = pd.concat([segments, _limits(usable, chosen, baseline_points)], axis=1)
    if baseline is not None:
        segments = _freeze(segments, baseline)
    codes = np.zeros((2, len(points)), dtype=np.int64)
    codes[:, usable.rows] = special_causes.find(usable, segments, chosen)
    for name in LIMITS:
        points[name] = segments[name].to_numpy()[segment_ids]
    points["rule"], points["direction"] = words(RULES, codes[0]), codes[1]
    return _told(points, segments, usable, improvement, targets)


def signals(values: Floats, rules: RuleSet) -> Integers:
    """Rule (position in `RULES`) of every value, and direction; a row of `values` is one series.

    As `spc_chart`, without tables: for simulations. No value may be missing.
    """
    segment_ids = np.repeat(np.arange(len(values)), values.shape[1])
    usable = _usable(values.ravel(), segment_ids, len(values))
    found = special_causes.find(usable, _limits(usable, rules, None), rules)
    return np.reshape(found, (2, *values.shape))


def _told(points: Frame, segments: Frame, usable: Usable, ways: Ways, targets: Targets) -> SpcChart:
    """Say what points, and the last one of each segment, mean by polarity and target.

    Only points with a signal and last points are looked at one by one: the rest is common cause.
    """
    is_last = np.diff(usable.segment, append=-1) != 0
    last = usable.rows[is_last]
    looked_at = np.union1d(np.flatnonzero(points["direction"].to_numpy()), last)
    some = points.iloc[looked_at].reset_index(drop=True)
    better, bands = polarity.better_way(some, ways), polarity.target_bands(some, targets)
    found = polarity.point_types(some, better, bands)
    codes = (~np.isnan(points["value"].to_numpy())).astype(np.int64)
    codes[looked_at] = pd.Index(polarity.POINT_TYPES).get_indexer(pd.Index(found))
    points["point_type"] = words(polarity.POINT_TYPES, codes)
    ends = bands.assign(better=better, variation=found).iloc[np.searchsorted(looked_at, last)]
    ends = ends.set_index(usable.segment[is_last]).reindex(segments.index)
    segments["variation"] = ends["variation"].fillna("")
    held = segments.join(ends[bands.columns])
    assurance = polarity.held_against(held, ends["better"], usable.tolerance)
    segments["assurance"] = assurance.where(held["series"] != held["series"].shift(-1), "")
    columns = ["series", "segment", "n", *LIMITS, "variation", "assurance", "reason"]
    return SpcChart(points, segments[columns])


def _arrange(given: Frame, rebase: Mapping[str, Sequence[Any]]) -> tuple[Frame, Frame, Places]:
    """Sort by series and period; number the segments; one id a segment over the whole table."""
    codes, names = pd.factorize(given["series"], sort=True)
    period_codes, periods = pd.factorize(given["period"], sort=True)
    place = codes * (len(periods) + 1) + period_codes
    order = np.argsort(place, kind="stable")
    if not np.diff(place[order]).all():
        raise ValueError("two rows for one series and period")
    points, codes = given[["series", "period"]].iloc[order], codes[order]
    value = given["value"].to_numpy(dtype=np.float64, na_value=np.nan)[order]
    points = points.assign(value=np.where(np.isfinite(value), value, np.nan)).reset_index(drop=True)
    starts = np.diff(codes, prepend=-2) != 0
    new_segment = starts.copy()
    labels = np.asarray(names, dtype=object)
    for code in np.flatnonzero(np.isin(labels, list(rebase))):
        low, high = np.searchsorted(codes, [code, code + 1])
        rows = points["period"].iloc[low:high].searchsorted(sorted(rebase[labels[code]])) + low
        new_segment[rows[rows < high]] = True  # the first row on or after each rebase
    segment_ids = np.cumsum(new_segment) - 1
    points["segment"] = segment_ids - np.maximum.accumulate(np.where(starts, segment_ids, 0))
    segments = points.loc[new_segment, ["series", "segment"]].reset_index(drop=True)
    return points, segments, segment_ids


def _usable(value: Floats, segment_ids: Places, count: int) -> Usable:
    rows = np.flatnonzero(~np.isnan(value))
    value, segment = value[rows], segment_ids[rows]
    joined = (np.diff(rows, prepend=-2) == 1) & (np.diff(segment, prepend=-1) == 0)
    tolerance = PRECISION * _segment_mean(np.abs(value), segment, count) + np.finfo(float).tiny
    return Usable(rows, value, segment, joined, tolerance)


def _segment_mean(value: Floats, segment: Places, count: int) -> Floats:
    with np.errstate(invalid="ignore"):
        return np.bincount(segment, value, count) / np.bincount(segment, minlength=count)


def _limits(usable: Usable, rules: RuleSet, baseline_points: int | None) -> Frame:
    """Give n, mean, limits and why they have no width or are absent; a row a segment."""
    count = len(usable.tolerance)
    n = np.bincount(usable.segment, minlength=count)
    position = np.arange(len(usable.value)) - (np.cumsum(n) - n)[usable.segment]
    counted = position < (baseline_points or len(usable.value) + 1)
    value, segment = usable.value[counted], usable.segment[counted]
    mean = _segment_mean(value, segment, count)
    mean += _segment_mean(value - mean[segment], segment, count)  # second pass removes rounding
    varies = np.abs(value - mean[segment]) > usable.tolerance[segment]
    is_constant = (np.bincount(segment, varies, count) == 0) & (n > 1)
    first_values = value[np.flatnonzero(np.diff(segment, prepend=-1))]
    mean[n > 0] = np.where(is_constant[n > 0], first_values, mean[n > 0])
    raw, kept = _moving_ranges(usable, counted, count, rules.screen)
    unmeasured = ~is_constant & ~(raw > 0)  # gaps hide every difference
    width = np.select([is_constant, unmeasured], [0.0, np.nan], rules.limit_factor * kept)
    reasons = ["fewer than two values", "every value is the same", "no two neighbours differ"]
    reason = np.select([n < 2, is_constant, unmeasured], reasons, "")
    columns = {"n": n, "mean": mean, "lower_limit": mean - width, "upper_limit": mean + width}
    return pd.DataFrame({**columns, "reason": reason, "is_constant": is_constant})


def _moving_ranges(usable: Usable, counted: Flags, count: int, screen: bool) -> tuple[Floats, ...]:
    """Average moving range of each segment: of all ranges, and of those kept by screening."""
    has_range = usable.joined & counted
    ranges = np.abs(np.diff(usable.value, prepend=0.0))[has_range]
    segment = usable.segment[has_range]
    raw = _segment_mean(ranges, segment, count)
    keep = (ranges < SCREEN_FACTOR * raw[segment]) | (not screen)
    return raw, _segment_mean(ranges[keep], segment[keep], count)


def _freeze(segments: Frame, baseline: Frame) -> Frame:
    """Put frozen limits in place of those of a series' first segment."""
    frozen = segments[["series"]].merge(baseline, on="series", how="left", validate="m:1")
    is_frozen = (segments["segment"] == 0) & frozen["mean"].notna()
    segments[LIMITS] = segments[LIMITS].mask(is_frozen, frozen[LIMITS])
    reason = segments["reason"].mask(is_frozen, "")
    return segments.assign(reason=reason, is_constant=segments["is_constant"] & ~is_frozen)


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
