"""Chances and quantiles of a distribution given as sorted draws; what a target asks for."""

from dataclasses import dataclass
from functools import cached_property, lru_cache
from math import ceil, isfinite

import numpy as np
from numpy.typing import ArrayLike

from pmf_analysis.measures.arrays import Flags, Floats

Target = float | tuple[float, float]
Bounds = tuple[float | None, float | None]  # smallest and largest possible value

DRAWS = 1000

_SLACK = 1e-9  # relative; sums of decimals are not exact, and 0.3 / 0.1 is not quite 3


def middles(points: int) -> Floats:
    """Middles of that many equal strata of (0, 1)."""
    return np.asarray((np.arange(points) + 0.5) / points)


@lru_cache(maxsize=256)
def student_quantiles(freedom: float, points: int = DRAWS) -> Floats:
    """Quantiles of Student's t at the middles of that many equal strata."""
    from scipy.special import stdtrit

    return np.asarray(stdtrit(freedom, middles(points)), dtype=float)


def quantiles(draws: Floats, chances: ArrayLike) -> Floats:
    """(..., len(chances)) quantiles of sorted draws (..., N), linear between draws; NaN for NaN."""
    position = np.asarray(chances) * (draws.shape[-1] - 1)
    below = np.floor(position).astype(int)
    share = position - below
    above = np.minimum(below + 1, draws.shape[-1] - 1)
    return np.asarray(draws[..., below] * (1 - share) + draws[..., above] * share)


def limits(bounds: Bounds) -> tuple[float, float]:
    """Smallest and largest possible value, infinite where there is no limit."""
    low, high = bounds
    return (-np.inf if low is None else low, np.inf if high is None else high)


def _least(target: float, decimals: int | None) -> float:
    """Smallest value that is published as at least `target`."""
    if decimals is None:
        return target
    unit = 10.0**-decimals
    return (ceil(target / unit - _SLACK) - 0.5) * unit if isfinite(target) else target


@dataclass(frozen=True)
class Aim:
    """A target as an interval of values that meet it.

    A published value is at least the target when it is at least the target rounded up to the
    published precision, so the value before rounding may be half a unit less (target-realism.md
    11 d). Without `decimals` values count as they are.

    Parameters
    ----------
    target
        A number, or (low, high) where `better` is "range".
    better
        "higher" (at least the target), "lower" (at most) or "range" (from low to high).
    decimals
        With how many places values are published.
    """

    target: Target
    better: str
    decimals: int | None

    @cached_property
    def meeting(self) -> tuple[float, float]:
        """Smallest and largest value that meets the target as published."""
        if self.better not in ("higher", "lower", "range"):
            raise ValueError(f'better is "{self.better}", expected "higher", "lower" or "range"')
        low, high = self.target if isinstance(self.target, tuple) else (self.target, self.target)
        least = -np.inf if self.better == "lower" else _least(low, self.decimals)
        return least, np.inf if self.better == "higher" else -_least(-high, self.decimals)

    def chance(self, draws: Floats) -> float:
        """Share of sorted draws (N,) that meet the target; NaN where any is missing."""
        low, high = self.meeting
        if np.isnan([draws[0], low, high]).any():
            return float("nan")
        meeting = draws.searchsorted(high, side="right") - draws.searchsorted(low)
        return max(int(meeting), 0) / len(draws)

    def met_by(self, values: Floats) -> Flags:
        """Whether each value meets the target."""
        low, high = self.meeting
        slack = _SLACK * np.maximum(1.0, np.abs(values))
        return np.asarray((values >= low - slack) & (values <= high + slack))

    def share_of(self, changes: Floats, last: float) -> float:
        """Share of past changes that would lead from `last` to the target; NaN for none."""
        met = np.count_nonzero(self.met_by(last + changes))
        return met / len(changes) if len(changes) else float("nan")

    def required_change(self, last: float) -> float:
        """Target minus `last`; for a range the distance to its nearer edge, 0 inside."""
        if isinstance(self.target, tuple):
            low, high = self.target
            return max(low - last, 0.0) + min(high - last, 0.0)
        return self.target - last

    def certainty(self, bounds: Bounds) -> float | None:
        """0 where no possible value meets the target, 1 where all do, else None."""
        (low, high), (least, most) = self.meeting, limits(bounds)
        if low > most or high < least:
            return 0.0
        return 1.0 if low <= least and high >= most else None

    def best(self, bounds: Bounds) -> float | None:
        """Best possible value; None where there is no such limit."""
        return {"higher": bounds[1], "lower": bounds[0]}.get(self.better)

    def headroom(self, last: float, bounds: Bounds) -> float:
        """Share of what separates `last` from the best possible value that the target asks for."""
        best = self.best(bounds)
        if best is None or best == last:
            return float("nan")
        return self.required_change(last) / (best - last)

    def value_at(self, draws: Floats, chance: float) -> float:
        """Value, as published, that is met with `chance`; NaN for a range."""
        if self.better == "range":
            return float("nan")
        is_higher = self.better == "higher"
        edge = float(quantiles(draws, 1 - chance if is_higher else chance))
        if self.decimals is None:
            return edge
        half = 0.5 * 10.0**-self.decimals
        return round(edge + half if is_higher else edge - half, self.decimals)
