"""What a target asks for, given which way is better and how values are published."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from pmf_analysis.measures.chance import (
    Bounds,
    Target,
    chance_within,
    limits,
    meeting_values,
    quantiles,
)

Array = NDArray[np.float64]

_SLACK = 1e-9  # relative; sums of decimals are not exact


@dataclass(frozen=True)
class Aim:
    """A target as an interval of values that meet it."""

    target: Target
    better: str  # "higher", "lower" or "range"
    decimals: int | None

    @property
    def meeting(self) -> tuple[float, float]:
        """Smallest and largest value that meets the target as published."""
        return meeting_values(self.target, better=self.better, decimals=self.decimals)

    def chance(self, draws: Array) -> float:
        """Share of sorted draws that meet the target."""
        return chance_within(draws, *self.meeting)

    def met_by(self, values: Array) -> NDArray[np.bool_]:
        """Whether each value meets the target."""
        low, high = self.meeting
        slack = _SLACK * np.maximum(1.0, np.abs(values))
        return np.asarray((values >= low - slack) & (values <= high + slack))

    def share_of(self, changes: Array, last: float) -> float:
        """Share of past changes that would lead from `last` to the target; NaN for none."""
        return float(self.met_by(last + changes).mean()) if len(changes) else float("nan")

    def required_change(self, last: float) -> float:
        """Target minus `last`; for a range the distance to its nearer edge, 0 inside."""
        if isinstance(self.target, tuple):
            low, high = self.target
            return max(low - last, 0.0) + min(high - last, 0.0)
        return self.target - last

    def certainty(self, bounds: Bounds) -> float | None:
        """0 where no possible value meets the target, 1 where all do, else None."""
        low, high = self.meeting
        least, most = limits(bounds)
        if low > most or high < least:
            return 0.0
        return 1.0 if low <= least and high >= most else None

    def best(self, bounds: Bounds) -> float | None:
        """Best possible value; None where there is no such limit."""
        return {"higher": bounds[1], "lower": bounds[0]}.get(self.better)

    def is_best_possible(self, bounds: Bounds) -> bool:
        """Whether nothing better than the target can be reached."""
        best = self.best(bounds)
        return best is not None and bool(self.met_by(np.array([best]))[0]) and self.target == best

    def headroom(self, last: float, bounds: Bounds) -> float:
        """Share of what separates `last` from the best possible value that the target asks for."""
        best = self.best(bounds)
        if best is None or best == last:
            return float("nan")
        return self.required_change(last) / (best - last)

    def value_at(self, draws: Array, chance: float) -> float:
        """Value that is reached with `chance`: at least as high, or as low; NaN for a range."""
        if self.better == "range":
            return float("nan")
        return float(quantiles(draws, [1 - chance if self.better == "higher" else chance])[0])
