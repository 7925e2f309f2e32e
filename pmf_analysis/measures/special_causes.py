"""Special-cause rules: which points of a chart are more than chance, by which rule.

Rules of NHS England's *Making Data Count* (as NHSRplotthedots 0.2.2 applies them), of Wheeler, and
of Anhoej (as qicharts2 applies them), on flat arrays of many series at once.
"""

from dataclasses import dataclass, replace
from typing import Any, Literal

import numpy as np

from pmf_analysis.measures.arrays import LIMITS, SHIPPED, Flags, Floats, Frame, Integers, Places

# In order of priority.
RULES = ["none", "outside_limits", "trend", "two_in_three", "three_in_four", "shift", "crossings"]


@dataclass(frozen=True, slots=True)
class RuleSet:
    """Which special-cause rules speak, and their run lengths; None or False switches one off.

    `shift`: so many in a row on one side of the mean, where a point on the line ends the run;
    "by_length" is Anhoej's rule: more than round(log2(n) + 3) of n points, those on the line left
    out. `crossings`: the line crosses the mean less often than the 5 % quantile of chance; the run
    that holds the newest points is marked.
    `ties`: in a trend a repeated value breaks the run ("break", as the reference does) or neither
    adds to it nor ends it ("skip", as NHS measurement guidance says).
    `two_in_three`: beyond two thirds of the way to the limit, all three on one side.
    `three_in_four`: nearer to one limit than to the mean; the fourth may lie anywhere.
    `screen`: False switches off the screening of moving ranges whatever `spc_chart` is told.
    `limit_factor`: 3 / d2 for moving ranges of two, as rounded by Wheeler and by the reference.
    """

    shift: int | Literal["by_length"] | None = 7
    trend: int | None = 7
    ties: Literal["break", "skip"] = "break"
    two_in_three: bool = True
    screen: bool = True
    three_in_four: bool = False
    crossings: bool = False
    limit_factor: float = 2.66


Rules = str | RuleSet
PROFILES = {name: RuleSet(**rules) for name, rules in SHIPPED["profiles"].items()}


@dataclass(frozen=True)
class Usable:
    """The points that have a value, sorted: arrays of one length.

    `joined` says that the point before belongs to the same segment with no gap between;
    `tolerance` is for each segment the difference that counts as none.
    """

    rows: Places
    value: Floats
    segment: Places
    joined: Flags
    tolerance: Floats


def rule_set(rules: Rules, **changes: Any) -> RuleSet:
    """Rules of a profile or a rule set, with changes; None leaves what the profile says."""
    if isinstance(rules, str):
        if rules not in PROFILES:
            raise ValueError(f"no rule profile {rules!r}; there are {', '.join(PROFILES)}")
        rules = PROFILES[rules]
    return replace(rules, **{name: value for name, value in changes.items() if value is not None})


def find(usable: Usable, segments: Frame, rules: RuleSet) -> tuple[Integers, Integers]:
    """Rule (index into `RULES`, in order of priority) and direction of every usable point."""
    tolerance = usable.tolerance[usable.segment]
    mean, lower, upper = (segments[name].to_numpy()[usable.segment] for name in LIMITS)
    value = usable.value
    side = _sign(value - mean, tolerance)
    outside = (value > upper + tolerance) | (value < lower - tolerance)
    depth = np.where(side > 0, value - mean, mean - value) - tolerance
    reach = np.where(side > 0, upper - mean, mean - lower)
    close = (depth > reach * 2 / 3) & ~outside & rules.two_in_three
    pairs = _crowded(close, side, usable.joined, 3)
    triples = _crowded((depth > reach / 2) & rules.three_in_four, side, usable.joined, 4)
    few = np.zeros(len(value), dtype=bool)
    if rules.crossings or rules.shift == "by_length":
        runs, few = _unusual_runs(side, usable)
    if rules.shift != "by_length":
        runs = _run_lengths(side, usable.joined) >= (rules.shift or np.inf)
    trend = _trend_direction(usable, tolerance, rules)
    found = [outside, trend != 0, pairs, triples, runs, few & rules.crossings]
    rule = np.select(found, range(1, len(RULES)), 0)
    return rule, np.where(rule == 2, trend, np.where(rule > 0, side, 0))


def _unusual_runs(side: Integers, usable: Usable) -> tuple[Flags, Flags]:
    """Points of runs too long for the length of their segment; the newest run if crossings are few.

    Points on the line are left out. A gap ends a run, and a change of side across it is counted as
    a crossing: both make a signal rarer.
    """
    from scipy.stats import binom

    rows = np.flatnonzero(side)
    state, segment = side[rows], usable.segment[rows]
    joined = np.diff(np.cumsum(~usable.joined)[rows], prepend=-1) == 0
    crossed = (np.diff(state, prepend=0) != 0) & (np.diff(segment, prepend=-1) == 0)
    n = np.bincount(segment)
    least = binom.ppf(0.05, np.maximum(np.arange(n.max(initial=0) + 1) - 1, 0), 0.5)
    too_long = _run_lengths(state, joined) > np.round(np.log2(np.maximum(n, 1)) + 3)[segment]
    run = np.cumsum(~joined | crossed)
    newest = run == np.maximum.reduceat(run, np.cumsum(n) - n)[segment] if len(run) else run > 0
    runs, few = np.zeros((2, len(side)), dtype=bool)
    runs[rows], few[rows] = too_long, (np.bincount(segment, crossed) < least[n])[segment] & newest
    return runs, few


def _sign(difference: Floats, tolerance: Floats) -> Integers:
    return np.where(np.abs(difference) > tolerance, np.sign(difference), 0).astype(np.int64)


def _run_lengths(state: Integers, joined: Flags, weight: Integers | None = None) -> Floats:
    """At every point the length of the run of one state that it belongs to (0 if state is 0)."""
    run = np.cumsum(~joined | (np.diff(state, prepend=0) != 0)) - 1
    lengths = np.bincount(run, np.ones(len(state)) if weight is None else weight)
    return np.where(state != 0, lengths[run], 0) if len(state) else np.zeros(0)


def _trend_direction(usable: Usable, tolerance: Floats, rules: RuleSet) -> Integers:
    """1 or -1 at every point of a long enough rise or fall.

    Where one trend ends and the next begins, the point belongs to the later one.
    """
    step = _sign(np.diff(usable.value, prepend=0.0), tolerance) * usable.joined
    if rules.trend is None or not len(step):
        return np.zeros_like(step)
    movement = step
    if rules.ties == "skip":  # a repeated value continues the movement before it in its stretch
        moves = np.where((step != 0) | ~usable.joined, np.arange(len(step)), 0)
        movement = step[np.maximum.accumulate(moves)]
    lengths = _run_lengths(movement, usable.joined, np.abs(step))
    into = np.where(lengths >= rules.trend - 1, movement, 0)
    next_into = np.append(into[1:], 0) * np.append(usable.joined[1:], False)
    return np.where(next_into != 0, next_into, into)


def _crowded(close: Flags, side: Integers, joined: Flags, size: int) -> Flags:
    """Close points of any `size` neighbours, three on one side, of which all but one are close."""
    member = np.zeros(len(close), dtype=bool)
    parts = [slice(step, step + max(len(close) - size + 1, 0)) for step in range(size)]
    together = np.all([joined[part] for part in parts[1:]], axis=0)
    for way in (1, -1) if close.any() else ():
        here = side == way
        near = close & here
        found = together & (sum(near[part].astype(np.int8) for part in parts) >= size - 1)
        found &= sum(here[part].astype(np.int8) for part in parts) >= 3
        for part in parts:
            member[part] |= found & near[part]
    return member
