"""Chances and quantiles of a distribution given as sorted draws; values that meet a target."""

from __future__ import annotations

from typing import cast

import numpy as np
from numpy.typing import ArrayLike, NDArray

Array = NDArray[np.float64]
Target = float | tuple[float, float]
Bounds = tuple[float | None, float | None]  # smallest and largest possible value

DRAWS = 1000

_ROUNDING = 1e-9  # binary representation of decimals: 0.3 / 0.1 is not quite 3


def middles(points: int) -> Array:
    """Middles of that many equal strata of (0, 1)."""
    return np.asarray((np.arange(points) + 0.5) / points)


def quantiles(draws: Array, chances: ArrayLike) -> Array:
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


def chance_within(draws: Array, low: float, high: float) -> float:
    """Share of sorted draws (N,) from `low` to `high`, both included; NaN where any is missing."""
    if np.isnan(draws[0]) or np.isnan(low) or np.isnan(high):
        return float("nan")
    below = int(np.searchsorted(draws, low, side="left"))
    within = int(np.searchsorted(draws, high, side="right"))
    return max(within - below, 0) / len(draws)


def meeting_values(target: Target, *, better: str, decimals: int | None) -> tuple[float, float]:
    """Smallest and largest value that meets `target` once published with `decimals` places.

    A published value is at least the target when it is at least the target rounded up to the
    published precision, so the value before rounding may be half a unit less (target-realism.md
    11 d). Without `decimals` values count as they are.

    Parameters
    ----------
    target
        A number, or (low, high) where `better` is "range".
    better
        "higher" (at least the target), "lower" (at most) or "range" (from low to high).
    """
    if better == "range":
        low, high = cast("tuple[float, float]", target)
        return _least(low, decimals), -_least(-high, decimals)
    number = cast("float", target)
    if better == "higher":
        return _least(number, decimals), np.inf
    if better == "lower":
        return -np.inf, -_least(-number, decimals)
    raise ValueError(f'better is "{better}", expected "higher", "lower" or "range"')


def _least(target: float, decimals: int | None) -> float:
    """Smallest value that is published as at least `target`."""
    if decimals is None:
        return target
    unit = 10.0**-decimals
    return float((np.ceil(target / unit - _ROUNDING) - 0.5) * unit)
