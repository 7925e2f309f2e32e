"""Forecasts of one series or of a table, with the questions that tests ask of them."""

import numpy as np
import pandas as pd
from numpy.typing import ArrayLike

from pmf_analysis.measures import chance
from pmf_analysis.measures.calibration import Factors
from pmf_analysis.measures.forecast import Forecast, forecast_table, forecasts, published
from pmf_analysis.measures.placement import place

NO_LIMITS = (None, None)


def forecast(
    history: ArrayLike,
    *,
    periods_per_year: float,
    horizon: int,
    bounds: chance.Bounds | None = None,
    factors: Factors | None = None,
) -> Forecast:
    values = np.asarray(history, dtype=float)
    return next(
        forecasts([values], [""], periods_per_year, horizon, [bounds or NO_LIMITS], factors)
    )[1]


def forecast_many(
    observations: pd.DataFrame, *, periods_per_year: float, horizon: int, seed: int = 0
) -> pd.DataFrame:
    (placed,) = place(observations, periods_per_year)
    histories = [placed.history(row) for row in range(len(placed.series))]
    found = forecasts(histories, placed.series, periods_per_year, horizon, seed=seed)
    return forecast_table((placed, row, published(x.draws), x.n, x.reason) for row, x in found)


def quantile(found: Forecast, q: float) -> np.ndarray:
    """Value at each horizon that is not exceeded with chance `q`."""
    return chance.quantiles(found.draws, [q])[..., 0]


def probability(
    found: Forecast,
    target: chance.Target,
    *,
    horizon: int,
    better: str = "higher",
    decimals: int | None = None,
) -> float:
    """Chance that the value `horizon` periods on meets `target` once rounded to `decimals`."""
    return chance.Aim(target, better, decimals).chance(found.draws[horizon - 1])
