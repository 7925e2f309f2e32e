"""Forecasts of short series with honest intervals, from the Bayesian grid and shipped factors.

A history is an array in order of time, one place a period, NaN where there is no usable value.
Leading gaps are dropped, interior ones pass without an update (the grid knows that more may have
happened meanwhile), and so do trailing ones: horizon 1 is the period after the end of the array.
Values that are not finite count as missing.
"""

import hashlib
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import ArrayLike

from pmf_analysis.measures import calibration, chance, grid, placement
from pmf_analysis.measures.arrays import Flags, Floats, Frame, constants
from pmf_analysis.measures.chance import Aim, Bounds, Target

Row = tuple[placement.Placed, int, Floats, int, str]  # of which row, numbers, n, reason

_SET = constants("forecast")
QUANTILES = {f"q{round(100 * q):02d}": q for q in _SET.shown}
QUANTILES |= {f"d{dot + 1:02d}": (dot + 0.5) / 20 for dot in range(20)}
FORECAST_COLUMNS = ["series", "horizon", "period", "n", "reason", *QUANTILES]


@dataclass(frozen=True)
class Forecast:
    """Distribution of the values at horizons 1 to H.

    `reason` says in plain words why nothing can be said; then all quantiles and chances are NaN.
    """

    draws: Floats  # (H, N), sorted but in joint paths
    n: int  # values used
    reason: str = ""

    def quantile(self, q: float) -> Floats:
        """Value at each horizon that is not exceeded with chance `q`."""
        return np.asarray(chance.quantiles(self.draws, [q])[..., 0])

    def probability(
        self, target: Target, *, horizon: int, better: str = "higher", decimals: int | None = None
    ) -> float:
        """Chance that the value `horizon` periods on meets `target` once rounded to `decimals`.

        Parameters
        ----------
        target
            A number, or (low, high) where `better` is "range".
        better
            "higher" (at least the target), "lower" (at most) or "range" (from low to high).
        """
        if not 1 <= horizon <= len(self.draws):
            raise ValueError(f"horizon {horizon} is not between 1 and {len(self.draws)}")
        return Aim(target, better, decimals).chance(self.draws[horizon - 1])


def forecast(
    history: ArrayLike,
    *,
    periods_per_year: float,
    horizon: int,
    bounds: Bounds | None = None,
    factors: calibration.Factors | None = None,
    seed: int = 0,
) -> Forecast:
    """Forecast one series.

    Parameters
    ----------
    history
        Values in order of time, one a period; see the module on missing ones.
    bounds
        Smallest and largest possible value (None for no limit); draws outside are put on them.
    factors
        Calibration factors; those shipped with the package by default.
    """
    values, limits = np.asarray(history, dtype=float), [bounds or (None, None)]
    return next(forecasts([values], [""], periods_per_year, horizon, limits, factors, seed))[1]


def forecasts(
    histories: Sequence[Floats],
    keys: Sequence[str],
    periods_per_year: float,
    horizon: int,
    bounds: Sequence[Bounds] | None = None,
    factors: calibration.Factors | None = None,
    seed: int = 0,
    *,
    no_trend: float = _SET.no_trend,
    seasonal: Sequence[bool] | None = None,
    joint: bool = False,
) -> Iterator[tuple[int, Forecast]]:
    """Forecast many series, in batches: yields (position, forecast), not in order.

    What is forecast for a series depends on its own history, key and the seed alone. With `joint`
    draws are not sorted: each column is one path, and each row holds the same draws as without.
    """
    factors = factors or calibration.shipped_factors()
    allowed = np.ones(len(histories), bool) if seasonal is None else np.asarray(seasonal, bool)
    usable = [_usable(history) for history in histories]
    reasons = [_why_not(history) for history in usable]
    for position, reason in enumerate(reasons):
        if reason:
            n = int(np.isfinite(usable[position]).sum())
            yield position, Forecast(np.full((horizon, 1), np.nan), n, reason)
    how = {"season_length": season_length(periods_per_year), "no_trend": no_trend}
    for batch, posterior in _fitted(usable, reasons, horizon, allowed, **how):
        # Random numbers of a series come from its key and the seed, whoever else is there.
        digests = [hashlib.blake2b(keys[at].encode("utf-8"), digest_size=8) for at in batch]
        whole = [int.from_bytes(each.digest(), "big") for each in digests]
        streams = [np.random.default_rng([seed, number]) for number in whole]
        shifts = np.array([stream.random() for stream in streams])
        drawn, n = posterior.draws(shifts), int(posterior.machine.observed.sum())
        drawn.sort()
        drawn = factors.stretch(drawn, periods_per_year=periods_per_year, history=n)
        paths = posterior.draws(shifts, streams) if joint else drawn
        for position, draws, path in zip(batch, drawn, paths, strict=True):
            if joint:  # the Schaake shuffle: paths with just the spread of the forecast
                draws = np.take_along_axis(draws, path.argsort().argsort(), axis=1)
            inside = np.clip(draws, *chance.limits(bounds[position])) if bounds else draws
            yield position, Forecast(inside, n)


def season_length(periods_per_year: float) -> int:
    """Whole periods in a year; 1 where there is nothing to be seasonal."""
    return max(1, round(periods_per_year))


def seasonal_evidence(histories: Sequence[Floats], rate: float) -> Floats:
    """Log Bayes factor for a seasonal pattern in each history; NaN where none could be fitted.

    The mean over a panel decides better than each series for itself (target-realism.md 11 b).
    """
    evidence = np.full(len(histories), np.nan)
    how = {"season_length": season_length(rate), "no_trend": _SET.no_trend}
    usable = [_usable(history) for history in histories] if how["season_length"] > 1 else []
    reasons, allowed = [_why_not(history) for history in usable], np.ones(len(usable), bool)
    for batch, posterior in _fitted(usable, reasons, 1, allowed, **how):
        evidence[batch] = posterior.seasonal_evidence
    return np.where(np.isfinite(evidence), evidence, np.nan)


def forecast_many(
    observations: Frame,
    *,
    periods_per_year: float,
    horizon: int,
    bounds: Mapping[str, Bounds] | None = None,
    factors: calibration.Factors | None = None,
    seed: int = 0,
) -> Frame:
    """Forecast each series of a table.

    Parameters
    ----------
    observations
        series, period, value; one frequency. Periods without a row count as missing.
    bounds
        Smallest and largest possible value by series.

    Returns
    -------
    DataFrame
        One row a series and horizon, sorted: series, horizon, period (start), n, reason, then
        q05 to q95 and d01 to d20 (the quantiles .025 to .975 of a twenty-dot plot); NaN with a
        reason where nothing can be said.
    """
    (placed,) = placement.place(observations, periods_per_year)
    histories = [placed.history(row) for row in range(len(placed.series))]
    limits = [(bounds or {}).get(series, (None, None)) for series in placed.series]
    found = forecasts(histories, placed.series, periods_per_year, horizon, limits, factors, seed)
    return forecast_table((placed, row, published(x.draws), x.n, x.reason) for row, x in found)


def published(draws: Floats) -> Floats:
    """Published quantiles (..., QUANTILES) of sorted draws (..., N)."""
    return chance.quantiles(draws, [*QUANTILES.values()])


def forecast_table(found: Iterable[Row]) -> Frame:
    """Table of `forecast_many`; `numbers` (H, quantiles) of each row as `published`."""
    tables = [pd.DataFrame(columns=FORECAST_COLUMNS)]
    for placed, row, numbers, n, reason in found:
        table = pd.DataFrame(numbers, columns=[*QUANTILES]).assign(n=n, reason=reason)
        table["series"], table["horizon"] = placed.series[row], range(1, len(table) + 1)
        table["period"] = [placed.start(int(placed.last[row]) + step) for step in table["horizon"]]
        tables.append(table)
    table = pd.concat(tables[1:] or tables)[FORECAST_COLUMNS]
    return table.sort_values(["series", "horizon"], ignore_index=True)


def _usable(history: Floats) -> Floats:
    """`history` from its first usable value on; NaN for what is not a finite, sane number."""
    values = placement.sane(history)
    return values[np.isfinite(values).cumsum() > 0]


def _why_not(history: Floats) -> str:
    """Plain reason why a history cannot be forecast; "" where it can."""
    seen = history[np.isfinite(history)]
    if len(seen) < _SET.minimum_values:
        plural = "value" if len(seen) == 1 else "values"
        return f"{len(seen)} {plural} known; a forecast needs at least {_SET.minimum_values}."
    if np.ptp(seen) <= max(_SET.same * np.abs(seen).max(), _SET.smallest_range):
        return "All values are the same, so nothing shows how much they may change."
    return ""


def _fitted(
    usable: Sequence[Floats], reasons: Sequence[str], horizon: int, seasonal: Flags, **how: Any
) -> Iterator[tuple[list[int], grid.Posterior]]:
    """Positions and fit of series with the same missing periods, few enough to be held at once."""
    alike: dict[bytes, list[int]] = defaultdict(list)
    for position, reason in enumerate(reasons):
        if not reason:
            alike[np.isfinite(usable[position]).tobytes()].append(position)
    for pattern, positions in alike.items():
        size = max(1, _SET.cells // (70 * len(pattern) + chance.DRAWS * horizon))
        for start in range(0, len(positions), size):
            batch = positions[start : start + size]
            values = np.array([usable[position] for position in batch])
            yield batch, grid.fit(values, horizon=horizon, seasonal=seasonal[batch], **how)
