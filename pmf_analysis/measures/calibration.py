"""Factors that make forecast intervals honest.

A factor multiplies the distance of each quantile from the median. It is the split-conformal
quantile of |outcome - median| / (half-width on the outcome's side), learnt on other series
(target-realism.md 4.2). The shipped table was learnt by ``benchmarks/forecast_factors.py`` on the
M1 and Tourism competitions only, never on M3 or on council data, which stay exam questions.
"""

from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from pmf_analysis.measures.arrays import Floats
from pmf_analysis.measures.chance import middles

LEVELS = (0.5, 0.8, 0.95)  # central intervals for which factors are learnt


@dataclass(frozen=True)
class Factors:
    """Calibration factors by periods a year, length of history and horizon.

    `table` maps (periods a year, history) to rows (horizon, factor at each of LEVELS). Between
    histories and between horizons factors are interpolated (on log scales), outside they stay.
    """

    table: dict[tuple[int, int], Floats]
    source: str

    def at(self, *, periods_per_year: float, history: int, horizon: int) -> Floats:
        """Factors (horizon, len(LEVELS)) for horizons 1 to `horizon`."""
        rates = sorted({rate for rate, _ in self.table})
        nearest = min(rates, key=lambda rate: abs(np.log(rate / periods_per_year)))
        known = {n: rows.T for (rate, n), rows in sorted(self.table.items()) if rate == nearest}
        steps, place, lengths = np.log(range(1, horizon + 1)), np.log(history), np.log([*known])
        grid = [[np.interp(steps, np.log(h), row) for row in rows] for h, *rows in known.values()]
        return np.apply_along_axis(lambda cell: np.interp(place, lengths, cell), 0, grid).T

    def stretch(self, draws: Floats, *, periods_per_year: float, history: int) -> Floats:
        """Stretch sorted draws (..., H, N) about their medians; the order is kept."""
        steps = draws.shape[-2]
        factors = self.at(periods_per_year=periods_per_year, history=history, horizon=steps)
        central = np.abs(2 * middles(draws.shape[-1]) - 1)
        multiplier = np.array([np.interp(central, LEVELS, row) for row in factors])
        middle = np.median(draws, axis=-1, keepdims=True)
        stretched = middle + (draws - middle) * multiplier
        stretched.sort(axis=-1)
        return np.asarray(stretched)


UNCALIBRATED = Factors({(1, 1): np.ones((1, 1 + len(LEVELS)))}, "none")


@lru_cache(maxsize=2)
def shipped_factors(name: str = "forecast") -> Factors:
    """Factors of forecast_factors.csv, or for totals of so many periods outturn_factors.csv."""
    rows = pd.read_csv(Path(__file__).with_name(f"{name}_factors.csv"))
    learnt = rows.groupby(list(rows.columns[:2]))
    table: dict[Any, Floats] = {key: part.iloc[:, 2:].to_numpy(float) for key, part in learnt}
    return Factors(table, "M1 and Tourism competitions")
