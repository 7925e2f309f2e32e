"""How good forecasts were: scores and calibration factors from outcomes that are known.

Used by the benchmarks beside this module and by the tests of chances and factors.
"""

from __future__ import annotations

import numpy as np

from pmf_analysis.measures.arrays import Floats


def conformal_factor(ratios: Floats, level: float) -> float:
    """Quantile of `ratios` that a new, exchangeable one stays below with chance `level`.

    Missing ratios are left out; with fewer than 1 / (1 - level) of them the largest is given.
    """
    known = np.sort(ratios[np.isfinite(ratios)])
    if not len(known):
        return 1.0
    rank = int(np.ceil((len(known) + 1) * level))
    return float(known[min(rank, len(known)) - 1])


def width_ratios(outcome: Floats, draws: Floats, level: float) -> Floats:
    """|outcome - median| over the half-width on its side of sorted draws (..., N).

    NaN where the interval has no width.
    """
    low, middle, high = np.quantile(draws, [(1 - level) / 2, 0.5, (1 + level) / 2], axis=-1)
    width = np.where(outcome >= middle, high - middle, middle - low)
    with np.errstate(divide="ignore", invalid="ignore"):
        return np.where(width > 0, np.abs(outcome - middle) / width, np.nan)


def brier_skill(chance: Floats, happened: Floats, reference: Floats) -> float:
    """1 - Brier score of `chance` over that of `reference`; above 0 is better than it."""
    own = float(np.mean((chance - happened) ** 2))
    return 1 - own / float(np.mean((reference - happened) ** 2))


def calibration_error(chance: Floats, happened: Floats, *, bins: int = 10) -> float:
    """Mean distance of chance from frequency over equal bins (expected calibration error)."""
    member = np.minimum((chance * bins).astype(int), bins - 1)
    said = np.bincount(member, weights=chance, minlength=bins)
    seen = np.bincount(member, weights=happened, minlength=bins)
    return float(np.abs(said - seen).sum() / len(chance))
