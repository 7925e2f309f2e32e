"""XmR charts: natural process limits, special-cause rules and assurance, many series at once.

The method is that of NHS England's *Making Data Count*, as NHSRplotthedots 0.2.2 computes it.
Everything works on flat arrays sorted by series and period, so that 100,000 series take seconds.

Named deviations from that reference, each with a test:

* a constant series gets limits equal to its mean, no flag, and assurance by direct comparison;
* a missing value stays in the table, breaks every run, and gives no moving range on either side;
* limits are given at any length: whether they carry a verdict is decided by `trend`;
* differences below the precision of floating-point arithmetic count as none.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from pmf_analysis.measures import polarity
from pmf_analysis.measures.polarity import Improvement, Target, words

Floats = NDArray[np.float64]
Flags = NDArray[np.bool_]
Signs = NDArray[np.int64]

LIMIT_FACTOR = 2.66  # 3 / d2 for moving ranges of two, as rounded by Wheeler and by the reference
SCREEN_FACTOR = 3.267  # D4: moving ranges at or above this multiple of their mean are left out
PRECISION = 1e-12  # relative to the size of the values of a segment
RULES = ["none", "outside_limits", "trend", "two_in_three", "shift"]  # in order of priority
LIMITS = ["mean", "lower_limit", "upper_limit"]


@dataclass(frozen=True, slots=True)
class RuleSet:
    """Run lengths of the special-cause rules; None or False switches a rule off.

    `ties`: in a trend a repeated value breaks the run ("break", as the reference does) or neither
    adds to it nor ends it ("skip", as NHS measurement guidance says).
    `screen`: False switches off the screening of moving ranges whatever `spc_chart` is told.
    """

    shift: int | None = 7
    trend: int | None = 7
    ties: Literal["break", "skip"] = "break"
    two_in_three: bool = True
    screen: bool = True


PROFILES: dict[str, RuleSet] = {
    "mdc": RuleSet(),
    "mdc-excel": RuleSet(screen=False),
    "wheeler": RuleSet(shift=8, trend=None, two_in_three=False, screen=False),
}


@dataclass(frozen=True)
class SpcChart:
    """Result of `spc_chart`.

    `points`: series, period, value, segment, mean, lower_limit, upper_limit, rule, direction (1
    high or rising, -1 low or falling, 0 none), point_type ("missing" where there is no value).
    `segments`: series, segment, n, mean, lower_limit, upper_limit, variation (type of the last
    point), assurance (last segment only), reason (why limits have no width or are absent).
    """

    points: pd.DataFrame
    segments: pd.DataFrame


@dataclass(frozen=True)
class _Usable:
    """The points that have a value, sorted: arrays of one length.

    `joined` says that the point before belongs to the same segment with no gap between.
    """

    rows: NDArray[np.intp]
    value: Floats
    segment: NDArray[np.intp]
    joined: Flags


def spc_chart(
    observations: pd.DataFrame,
    *,
    improvement: Improvement | Mapping[str, Improvement] = "higher",
    rules: str | RuleSet = "mdc",
    screen: bool = True,
    targets: Mapping[str, Target] | pd.DataFrame | None = None,
    rebase: Mapping[str, Sequence[Any]] | None = None,
    baseline_points: int | None = None,
    baseline: pd.DataFrame | None = None,
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
    rule_set = _rule_set(rules)
    points, segments, segment_ids = _arrange(observations, rebase or {})
    usable = _usable(points["value"].to_numpy(), segment_ids)
    sizes = _segment_mean(np.abs(usable.value), usable.segment, len(segments))
    tolerance = PRECISION * sizes + np.finfo(float).tiny
    limits = _limits(usable, tolerance, screen and rule_set.screen, baseline_points)
    segments = pd.concat([segments, limits], axis=1)
    if baseline is not None:
        segments = _freeze(segments, baseline)
    rule, direction = _special_causes(usable, segments, tolerance, rule_set)
    points[LIMITS] = segments[LIMITS].to_numpy()[segment_ids]
    points["rule"] = words(RULES, _spread_out(rule, usable, len(points)))
    points["direction"] = _spread_out(direction, usable, len(points))
    return _judged(points, segments, usable, tolerance, improvement, targets)


def _judged(
    points: pd.DataFrame,
    segments: pd.DataFrame,
    usable: _Usable,
    tolerance: Floats,
    improvement: Improvement | Mapping[str, Improvement],
    targets: Mapping[str, Target] | pd.DataFrame | None,
) -> SpcChart:
    """Say what points, and the last one of each segment, mean by polarity and target."""
    better, bands = polarity.better_way(points, improvement), polarity.target_bands(points, targets)
    points["point_type"] = polarity.point_types(points, better, bands)
    last = bands.assign(better=better, variation=points["point_type"]).iloc[usable.rows]
    last = last.set_index(usable.segment).groupby(level=0).tail(1).reindex(range(len(segments)))
    segments["variation"] = last["variation"].fillna("")
    segments["assurance"] = polarity.assurance(
        segments.join(last[bands.columns]), last["better"], tolerance
    )
    columns = ["series", "segment", "n", *LIMITS, "variation", "assurance", "reason"]
    return SpcChart(points, segments[columns])


def _rule_set(rules: str | RuleSet) -> RuleSet:
    if isinstance(rules, RuleSet):
        return rules
    if rules not in PROFILES:
        raise ValueError(f"no rule profile {rules!r}; there are {', '.join(PROFILES)}")
    return PROFILES[rules]


def _arrange(
    observations: pd.DataFrame, rebase: Mapping[str, Sequence[Any]]
) -> tuple[pd.DataFrame, pd.DataFrame, NDArray[np.intp]]:
    """Sort by series and period; number the segments; one id a segment over the whole table."""
    codes, names = pd.factorize(observations["series"], sort=True)
    period_codes = pd.factorize(observations["period"], sort=True)[0]
    order = np.lexsort((period_codes, codes))
    codes, period_codes = codes[order], period_codes[order]
    if len(order) > 1 and np.any((np.diff(codes) == 0) & (np.diff(period_codes) == 0)):
        raise ValueError("two rows for one series and period")
    points = observations[["series", "period"]].iloc[order].reset_index(drop=True)
    points["value"] = observations["value"].to_numpy(dtype=np.float64, na_value=np.nan)[order]
    starts = np.diff(codes, prepend=-1) != 0
    new_segment = starts | _rebase_starts(points["period"], codes, names, rebase)
    segment_ids = np.cumsum(new_segment) - 1
    first_of_series = np.maximum.accumulate(np.where(starts, segment_ids, 0))
    points["segment"] = segment_ids - first_of_series
    segments = points.loc[new_segment, ["series", "segment"]].reset_index(drop=True)
    return points, segments, segment_ids


def _rebase_starts(
    periods: pd.Series, codes: NDArray[np.intp], names: Any, rebase: Mapping[str, Sequence[Any]]
) -> Flags:
    """Mark the first row on or after each rebase period of its series."""
    starts = np.zeros(len(codes), dtype=bool)
    for code in np.flatnonzero(np.isin(np.asarray(names, dtype=object), list(rebase))):
        low, high = np.searchsorted(codes, [code, code + 1])
        rows = periods.iloc[low:high].searchsorted(sorted(rebase[names[code]])) + low
        starts[rows[rows < high]] = True
    return starts


def _usable(value: Floats, segment_ids: NDArray[np.intp]) -> _Usable:
    rows = np.flatnonzero(~np.isnan(value))
    segment = segment_ids[rows]
    joined = (np.diff(rows, prepend=-2) == 1) & (np.diff(segment, prepend=-1) == 0)
    return _Usable(rows, value[rows], segment, joined)


def _segment_mean(value: Floats, segment: NDArray[np.intp], count: int) -> Floats:
    with np.errstate(invalid="ignore"):
        return np.bincount(segment, value, count) / np.bincount(segment, minlength=count)


def _limits(
    usable: _Usable, tolerance: Floats, screen: bool, baseline_points: int | None
) -> pd.DataFrame:
    """Give n, mean, limits and why they have no width or are absent; a row a segment."""
    count = len(tolerance)
    n = np.bincount(usable.segment, minlength=count)
    position = np.arange(len(usable.value)) - (np.cumsum(n) - n)[usable.segment]
    counted = position < (baseline_points or len(usable.value) + 1)
    value, segment = usable.value[counted], usable.segment[counted]
    mean = _segment_mean(value, segment, count)
    mean += _segment_mean(value - mean[segment], segment, count)  # second pass removes rounding
    varies = np.abs(value - mean[segment]) > tolerance[segment]
    is_constant = (np.bincount(segment, varies, count) == 0) & (n > 1)
    first_values = value[np.flatnonzero(np.diff(segment, prepend=-1))]
    mean[n > 0] = np.where(is_constant[n > 0], first_values, mean[n > 0])
    raw, kept = _average_moving_range(usable, counted, count, screen)
    unmeasured = ~is_constant & ~(raw > 0)  # gaps hide every difference
    width = np.where(is_constant, 0.0, LIMIT_FACTOR * kept)
    width[unmeasured] = np.nan
    reasons = ["fewer than two values", "every value is the same"]
    reasons.append("no two neighbouring values differ")
    reason = np.select([n < 2, is_constant, unmeasured], reasons, "")
    columns = {"n": n, "mean": mean, "lower_limit": mean - width, "upper_limit": mean + width}
    return pd.DataFrame({**columns, "reason": reason, "is_constant": is_constant})


def _average_moving_range(
    usable: _Usable, counted: Flags, count: int, screen: bool
) -> tuple[Floats, Floats]:
    """Average moving range of each segment: of all ranges, and of those kept by screening."""
    has_range = usable.joined & counted
    ranges = np.abs(np.diff(usable.value, prepend=0.0))[has_range]
    segment = usable.segment[has_range]
    raw = _segment_mean(ranges, segment, count)
    keep = (ranges < SCREEN_FACTOR * raw[segment]) | (not screen)
    return raw, _segment_mean(ranges[keep], segment[keep], count)


def _freeze(segments: pd.DataFrame, baseline: pd.DataFrame) -> pd.DataFrame:
    """Put frozen limits in place of those of a series' first segment."""
    frozen = segments[["series"]].merge(baseline, on="series", how="left", validate="m:1")
    is_frozen = (segments["segment"] == 0) & frozen["mean"].notna()
    segments[LIMITS] = segments[LIMITS].mask(is_frozen, frozen[LIMITS])
    reason = segments["reason"].mask(is_frozen, "")
    return segments.assign(reason=reason, is_constant=segments["is_constant"] & ~is_frozen)


def _special_causes(
    usable: _Usable, segments: pd.DataFrame, tolerances: Floats, rules: RuleSet
) -> tuple[Signs, Signs]:
    """Rule (index into `RULES`, in order of priority) and direction of every usable point."""
    tolerance = tolerances[usable.segment]
    mean, lower, upper = (segments[name].to_numpy()[usable.segment] for name in LIMITS)
    value = usable.value
    side = _sign(value - mean, tolerance)
    outside = (value > upper + tolerance) | (value < lower - tolerance)
    near = (value > mean + (upper - mean) * 2 / 3 + tolerance) | (
        value < mean - (mean - lower) * 2 / 3 - tolerance
    )
    trend = _trend_direction(usable, tolerance, rules)
    pairs = _two_in_three(near & ~outside & rules.two_in_three, side, usable.joined)
    shift = _run_lengths(side, usable.joined) >= (rules.shift or np.inf)
    rule = np.select([outside, trend != 0, pairs, shift], [1, 2, 3, 4], 0)
    return rule, np.where(rule == 2, trend, np.where(rule > 0, side, 0))


def _sign(difference: Floats, tolerance: Floats) -> Signs:
    return np.where(np.abs(difference) > tolerance, np.sign(difference), 0).astype(np.int64)


def _run_lengths(state: Signs, joined: Flags, weight: Signs | None = None) -> Floats:
    """At every point the length of the run of one state that it belongs to (0 if state is 0)."""
    starts = ~joined | (np.diff(state, prepend=0) != 0)
    run = np.cumsum(starts) - 1
    lengths = np.bincount(run, np.ones(len(state)) if weight is None else weight)
    return np.where(state != 0, lengths[run], 0) if len(state) else np.zeros(0)


def _trend_direction(usable: _Usable, tolerance: Floats, rules: RuleSet) -> Signs:
    """1 or -1 at every point of a long enough rise or fall.

    Where one trend ends and the next begins, the point belongs to the later one.
    """
    step = _sign(np.diff(usable.value, prepend=0.0), tolerance) * usable.joined
    if rules.trend is None or not len(step):
        return np.zeros_like(step)
    movement = step if rules.ties == "break" else _carry_over_ties(step, usable.joined)
    lengths = _run_lengths(movement, usable.joined, np.abs(step))
    into = np.where(lengths >= rules.trend - 1, movement, 0)
    next_into = np.append(into[1:], 0) * np.append(usable.joined[1:], False)
    return np.where(next_into != 0, next_into, into)


def _carry_over_ties(step: Signs, joined: Flags) -> Signs:
    """Let a repeated value continue the movement before it, within its stretch."""
    positions = np.arange(len(step))
    moves = np.maximum.accumulate(np.where((step != 0) | ~joined, positions, 0))
    return step[moves]


def _two_in_three(close: Flags, side: Signs, joined: Flags) -> Flags:
    """Close points of any three neighbours on one side of the mean of which two are close."""
    window = np.zeros(len(close) + 2, dtype=bool)
    if len(close) > 2:
        together = joined[2:] & joined[1:-1]
        one_side = np.abs(side[2:] + side[1:-1] + side[:-2]) == 3
        two_close = close[2:].astype(int) + close[1:-1] + close[:-2] >= 2
        window[2:-2] = together & one_side & two_close
    return close & (window[:-2] | window[1:-1] | window[2:])


def _spread_out(codes: Signs, usable: _Usable, length: int) -> Signs:
    """Put codes of usable points back among all points; 0 where a value is missing."""
    result = np.zeros(length, dtype=np.int64)
    result[usable.rows] = codes
    return result
