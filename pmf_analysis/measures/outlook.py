"""Where a series may stand some periods on, estimated in two independent ways and pooled.

The first way is the series' own record (the Bayesian grid). The second is what like councils'
changes say; where there are too few of those, a naive forecast takes its place, only to show how
far two ways of estimating differ: it is not pooled.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from pmf_analysis.measures.calibration import Factors
from pmf_analysis.measures.chance import DRAWS, Bounds, middles, quantiles
from pmf_analysis.measures.forecast import (
    FORECAST_COLUMNS,
    PUBLISHED,
    Forecast,
    clipped,
    forecast_rows,
    forecasts,
    season_length,
    seasonal_evidence,
)
from pmf_analysis.measures.frames import exceptional_mask
from pmf_analysis.measures.peers_model import PeersModel, fit_peers
from pmf_analysis.measures.placement import Placed, place
from pmf_analysis.measures.seasonal_pattern import countable_seasons, seasonal_pattern
from pmf_analysis.periods import PERIODS_PER_YEAR

Array = NDArray[np.float64]

NO_TREND = 0.8  # prior of no trend for council indicators (target-realism.md 11 c)
_KEY = ["indicator", "dimension", "dimension_value", "definition_version"]


@dataclass(frozen=True)
class Panel:
    """One indicator in the areas compared; `usable` and `known` have the same places."""

    usable: Placed  # without exceptional periods
    known: Placed
    bounds: Bounds
    _models: dict[int, PeersModel | None] = field(default_factory=dict, repr=False)

    @property
    def season_length(self) -> int:
        """Periods in a year, 1 for none."""
        return season_length(self.usable.periods_per_year)

    @cached_property
    def seasonal_vote(self) -> float:
        """Mean log Bayes factor for a seasonal pattern; NaN where none could be fitted."""
        histories = [self.usable.history(row) for row in range(len(self.usable.series))]
        evidence = _known(seasonal_evidence(histories, self.usable.periods_per_year))
        return float(evidence.mean()) if len(evidence) else float("nan")

    @cached_property
    def patterns(self) -> Array:
        """Seasonal pattern of each series (S, season length); zero where the panel has none."""
        values, m = self.usable.values, self.season_length
        result = np.zeros((len(values), m))
        if self.seasonal_vote >= 0:
            for row, seen in enumerate(np.isfinite(values)):
                if countable_seasons(seen, m):
                    result[row] = seasonal_pattern(values[[row]], seen, m)[0]
        return result

    def peers_draws(self, row: int, horizon: int) -> Array | None:
        """Draws of the peers' model, None where there are too few changes; fitted once.

        The model sees seasonally adjusted values: a season that all share would look to it like
        a common movement that nobody can foresee.
        """
        columns = np.arange(self.usable.values.shape[1]) % self.season_length
        if horizon not in self._models:
            adjusted = self.usable.values - self.patterns[:, columns]
            self._models[horizon] = fit_peers(
                adjusted, horizon=horizon, season_length=self.season_length
            )
        model, last = self._models[horizon], int(self.usable.last[row])
        if model is None:
            return None
        season = self.patterns[row, (last + horizon) % self.season_length]
        return np.asarray(model.draws(row, last) + season)


@dataclass(frozen=True)
class Outlook:
    """Distributions of one value to come, as sorted draws; NaN where nothing can be said."""

    own: Array
    second: Array
    has_peers: bool  # whether `second` is the peers' model
    n: int
    reason: str
    own_changes: Array  # past changes over the same number of periods
    peer_changes: Array  # those of the other areas

    @cached_property
    def pooled(self) -> Array:
        """Half own record, half peers' model; the own record alone where there is no such model."""
        return np.sort(np.concatenate([self.own, self.second])) if self.has_peers else self.own


def evidence_until(
    observations: pd.DataFrame,
    *,
    origin: object,
    peer_sets: pd.DataFrame | None,
    areas: Collection[str],
) -> pd.DataFrame:
    """Rows that may be used: periods that start by `origin`, of `areas` and their peers.

    Parameters
    ----------
    origin
        Day, or None for no limit.
    peer_sets
        Column member: the areas whose changes are evidence; None for all in `observations`.
    """
    usable = observations
    if origin is not None:
        usable = usable[usable["period"] <= pd.Timestamp(str(origin))]
    if peer_sets is not None:
        usable = usable[usable["area"].isin({*peer_sets["member"], *areas})]
    return usable


def panels(observations: pd.DataFrame, register: pd.DataFrame) -> dict[str, tuple[Panel, int]]:
    """Panel and row of each series whose indicator is in the register.

    Parameters
    ----------
    observations
        series, indicator, area, period, value; where known dimension, dimension_value,
        definition_version (a panel holds one of each) and is_exceptional.
    register
        indicator; periods_per_year or frequency; where known minimum, maximum and
        exceptional_periods (pairs of first and last day).
    """
    frequency = periods_per_year(register).dropna()
    declared = {str(row["indicator"]): row for row in records(register)}
    chosen = observations[observations["indicator"].isin(frequency.index)]
    found: dict[str, tuple[Panel, int]] = {}
    keys = [name for name in _KEY if name in chosen.columns]
    for _, group in chosen.groupby(keys, sort=True, dropna=False):
        indicator = str(group["indicator"].iloc[0])
        panel = _panel(group, declared[indicator], float(frequency[indicator]))
        found |= {series: (panel, row) for row, series in enumerate(panel.known.series)}
    return found


def periods_per_year(register: pd.DataFrame) -> pd.Series:
    """Periods a year by indicator: the column of that name, or else from `frequency`."""
    declared = register.set_index("indicator")
    if "periods_per_year" in declared.columns:
        return declared["periods_per_year"]
    return declared["frequency"].map(PERIODS_PER_YEAR)


def records(frame: pd.DataFrame) -> list[dict[str, Any]]:
    """Rows of a table by column name."""
    return [{str(name): value for name, value in row.items()} for row in frame.to_dict("records")]


def _panel(group: pd.DataFrame, indicator: Mapping[str, object], frequency: float) -> Panel:
    spans = indicator.get("exceptional_periods")
    declared = spans if isinstance(spans, (list, tuple)) else []
    exceptional = exceptional_mask(group["period"], declared)
    if "is_exceptional" in group.columns:
        exceptional |= group["is_exceptional"].astype(bool)
    masked = group.assign(value=group["value"].mask(exceptional))
    bounds = (limit(indicator, "minimum"), limit(indicator, "maximum"))
    return Panel(place(masked, frequency), place(group, frequency), bounds)


def limit(indicator: Mapping[str, object], name: str) -> float | None:
    """Read a number in a row of the register or of targets; None where it is missing."""
    value = indicator.get(name)
    return float(value) if isinstance(value, (int, float)) and value == value else None


def outlooks(
    found: Mapping[str, tuple[Panel, int]],
    wanted: Mapping[str, Collection[int]],
    *,
    factors: Factors | None,
    seed: int,
) -> dict[tuple[str, int], Outlook]:
    """Outlook of each wanted series at each wanted horizon (periods after its last usable value).

    What is found for a series depends on its panel and the seed, not on what else is wanted.
    """
    result: dict[tuple[str, int], Outlook] = {}
    for series, record in _own_records(found, wanted, factors, seed):
        panel, row = found[series]
        for horizon in wanted[series]:
            result[series, horizon] = _outlook(panel, row, horizon, record)
    return result


def _own_records(
    found: Mapping[str, tuple[Panel, int]],
    wanted: Mapping[str, Collection[int]],
    factors: Factors | None,
    seed: int,
) -> Iterator[tuple[str, Forecast]]:
    """Forecast of each wanted series from its own record, batched by frequency."""
    by_frequency: dict[float, list[str]] = {}
    for series in wanted:
        by_frequency.setdefault(found[series][0].usable.periods_per_year, []).append(series)
    for frequency, names in by_frequency.items():
        pairs = [found[series] for series in names]
        for position, record in forecasts(
            [panel.usable.history(row) for panel, row in pairs],
            names,
            periods_per_year=frequency,
            horizon=max(max(wanted[series]) for series in names),
            bounds=[panel.bounds for panel, _ in pairs],
            factors=factors,
            seed=seed,
            no_trend=NO_TREND,
            seasonal=[not panel.seasonal_vote < 0 for panel, _ in pairs],
        ):
            yield names[position], record


def _outlook(panel: Panel, row: int, horizon: int, record: Forecast) -> Outlook:
    values, last = panel.usable.values, int(panel.usable.last[row])
    own = record.draws[horizon - 1]
    second = None if record.reason else panel.peers_draws(row, horizon)
    has_peers = second is not None
    if record.reason:
        second = own
    elif second is None:
        length = panel.season_length if panel.seasonal_vote >= 0 else 1
        second = naive_draws(values[row, : last + 1], horizon=horizon, season_length=length)
    changes = values[:, horizon:] - values[:, :-horizon]
    return Outlook(
        own=own,
        second=clipped(second, panel.bounds),
        has_peers=has_peers,
        n=record.n,
        reason=record.reason,
        own_changes=_known(changes[row]),
        peer_changes=_known(np.delete(changes, row, axis=0)),
    )


def _known(numbers: Array) -> Array:
    return np.asarray(numbers[np.isfinite(numbers)])


def naive_draws(history: Array, *, horizon: int, season_length: int) -> Array:
    """Sorted draws about the last value (of the same season), as far apart as past changes were.

    A random walk with Student-t steps, by periods or by whole years. A last value of the season
    that is missing is replaced by the last value of all; a change over a gap counts as so many
    steps.
    """
    from scipy.special import stdtrit

    blocks = -(-horizon // season_length)
    place = len(history) - 1 + horizon - blocks * season_length
    centre = history[place] if np.isfinite(history[place]) else history[-1]
    steps = _known(history[season_length:] - history[:-season_length])
    if season_length == 1 or not len(steps):
        seen = np.flatnonzero(np.isfinite(history))
        steps = np.diff(history[seen]) / np.sqrt(np.diff(seen) / season_length)
    spread = np.sqrt((steps**2).mean() * blocks)
    return np.asarray(centre + spread * stdtrit(len(steps), middles(DRAWS)))


def pooled_forecasts(
    observations: pd.DataFrame,
    horizons: Mapping[str, int],
    *,
    register: pd.DataFrame,
    peer_sets: pd.DataFrame | None = None,
    origin: object = None,
    factors: Factors | None = None,
    seed: int = 0,
) -> pd.DataFrame:
    """Forecasts of the very distributions that `assess_targets` takes its chances from.

    Parameters
    ----------
    observations, register, peer_sets, origin
        As in `assess_targets`.
    horizons
        Periods after its last usable value, by series; series without any value are left out.

    Returns
    -------
    DataFrame
        As `forecast_many` gives it: a row a series and horizon.
    """
    own = observations.loc[observations["series"].isin(list(horizons)), "area"].unique()
    usable = evidence_until(observations, origin=origin, peer_sets=peer_sets, areas=own)
    found = panels(usable, register)
    known = [
        s for s in sorted(horizons) if s in found and found[s][0].usable.last[found[s][1]] >= 0
    ]
    wanted = {series: range(1, horizons[series] + 1) for series in known}
    views = outlooks(found, wanted, factors=factors, seed=seed)
    tables = []
    for series in known:
        panel, row = found[series]
        ahead = [views[series, horizon] for horizon in wanted[series]]
        numbers = np.array([quantiles(view.pooled, PUBLISHED) for view in ahead])
        periods = panel.usable.ahead(row, len(ahead))
        rows = forecast_rows(series, periods, numbers, n=ahead[0].n, reason=ahead[0].reason)
        tables.append(rows)
    empty = pd.DataFrame(columns=FORECAST_COLUMNS)
    return pd.concat(tables, ignore_index=True) if tables else empty
