"""Where a series may stand some periods on, estimated in two independent ways and pooled.

The first way is the series' own record (the Bayesian grid). The second is what like councils'
changes say; where there are too few of those, a naive forecast takes its place, only to show how
far two ways of estimating differ: it is not pooled.
"""

from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any

import numpy as np
import pandas as pd

from pmf_analysis.measures import forecast, frames
from pmf_analysis.measures.arrays import Column, Flags, Floats, Frame, Known, Texts, constants
from pmf_analysis.measures.calibration import Factors
from pmf_analysis.measures.chance import Bounds, limits, quantiles, student_quantiles
from pmf_analysis.measures.peers_model import PeersModel, fit_peers
from pmf_analysis.measures.placement import Placed, place
from pmf_analysis.measures.seasonal_pattern import countable_seasons, seasonal_pattern
from pmf_analysis.periods import PERIODS_PER_YEAR

NO_TREND = 0.8  # prior of no trend for council indicators (target-realism.md 11 c)
_SET = constants("outlook")


@dataclass(frozen=True)
class Panel:
    """One indicator in the areas compared; `usable` and `known` have the same places."""

    usable: Placed  # without exceptional periods
    known: Placed
    bounds: Bounds
    lists: Flags | None  # (S, S) who is whose neighbour
    errors: Floats  # (S,) standard error of a count, share or rate, NaN for others
    _models: dict[int, PeersModel | None] = field(default_factory=dict, repr=False)

    @property
    def season_length(self) -> int:
        """Periods in a year, 1 for none."""
        return forecast.season_length(self.usable.periods_per_year)

    @cached_property
    def seasonal_vote(self) -> float:
        """Mean log Bayes factor for a seasonal pattern; NaN where none could be fitted."""
        histories = [self.usable.history(row) for row in range(len(self.usable.series))]
        rate = self.usable.periods_per_year
        evidence = finite(forecast.seasonal_evidence(histories, rate))
        return float(evidence.mean()) if len(evidence) else float("nan")

    @cached_property
    def patterns(self) -> Floats:
        """Seasonal pattern of each series (S, season length); zero where the panel has none."""
        values, m = self.usable.values, self.season_length
        result = np.zeros((len(values), m))
        for row, seen in enumerate(np.isfinite(values)):
            if self.seasonal_vote >= 0 and countable_seasons(seen, m):
                result[row] = seasonal_pattern(values[[row]], seen, m)[0]
        return result

    @cached_property
    def quarters(self) -> Floats:
        """Quarter (0 to 3, by value) in which each area stands in each period (A, T).

        NaN if unknown, and in periods with too few areas.
        """
        ranks = pd.DataFrame(self.known.values).rank(method="first")
        counts = ranks.count().where(lambda areas: areas >= _SET.fewest_in_quarters)
        return (4 * (ranks - 1) // counts).to_numpy()

    def changes(self, row: int, periods: int) -> Floats:
        """Past changes of all areas over so many periods (S, T), NaN where unknown.

        Where there are seasons, only those that began in that of the newest value of a series.
        """
        changes = self.usable.values[:, periods:] - self.usable.values[:, :-periods]
        length = self.season_length if self.seasonal_vote >= 0 else 1
        same = (np.arange(changes.shape[1]) - self.known.last[row]) % length == 0
        return np.where(same, changes, np.nan)

    def peers_model(self, horizon: int) -> PeersModel | None:
        """Model of the areas' changes, None where there are too few; fitted once.

        The model sees seasonally adjusted values: a season that all share would look to it like
        a common movement that nobody can foresee.
        """
        if horizon not in self._models:
            values, m = self.usable.values, self.season_length
            adjusted = values - self.patterns[:, np.arange(values.shape[1]) % m]
            model = fit_peers(adjusted, horizon=horizon, season_length=m, lists=self.lists)
            self._models[horizon] = model
        return self._models[horizon]

    def credible(self, row: int, draws: Floats) -> Floats:
        """Sorted draws within the bounds, no nearer to their median than counting allows."""
        error, (low, middle, high) = 2 * self.errors[row], quantiles(draws, (0.16, 0.5, 0.84))
        if error > high - low > 0:
            draws = middle + (draws - middle) * (error / (high - low))
        return np.clip(draws, *limits(self.bounds))


Place = tuple[Panel, int]
Found = dict[str, Place]  # by series its panel and its row there


@dataclass(frozen=True)
class Outlook:
    """Distributions of one value to come, as sorted draws; NaN where nothing can be said."""

    own: Floats
    second: Floats
    has_peers: bool  # whether `second` is the peers' model
    n: int
    reason: str

    @cached_property
    def pooled(self) -> Floats:
        """Half own record, half peers' model; the own record alone where there is no such model."""
        return np.sort(np.concatenate([self.own, self.second])) if self.has_peers else self.own


Views = dict[tuple[str, int], Outlook]  # by series and periods ahead


def finite(numbers: Floats) -> Floats:
    """Only those numbers that are known."""
    return np.asarray(numbers[np.isfinite(numbers)])


def panels(
    given: Frame, register: Frame, *, origin: Any = None, peer_sets: Known = None, areas: Texts = ()
) -> Found:
    """Panel and row of each series whose indicator is in the register.

    Parameters
    ----------
    given
        series, indicator, area, period, value; where known dimension, dimension_value,
        definition_version (a panel holds one of each), is_exceptional and before_break (not
        usable either), numerator and denominator (a forecast is no surer than their chance).
    register
        indicator, frequency or periods_per_year; where known minimum, maximum (NaN for none),
        statistic, data_type and exceptional_periods (pairs of first and last day).
    origin
        Day after which no period may start; None for no limit.
    peer_sets, areas
        Column member: the areas whose changes are evidence, beside `areas`; None for all. With
        a column area (whose list it is) for at least half of a panel's areas, each area's list is
        a second point of reversion.
    """
    chosen = given[given["indicator"].isin(register["indicator"])]
    if origin is not None:
        chosen = chosen[chosen["period"] <= pd.Timestamp(str(origin))]
    if peer_sets is not None:
        chosen = chosen[chosen["area"].isin({*peer_sets["member"], *areas})]
    chosen = chosen.reset_index(drop=True)
    unusable = frames.in_exceptional_period(chosen, register) | chosen.get("is_exceptional", False)
    chosen["usable"] = chosen["value"].mask(unusable | chosen.get("before_break", False))
    keys = [name for name in _SET.key if name in chosen.columns]
    group = chosen.groupby(keys, sort=True, dropna=False).ngroup()
    chosen["error"] = _counting_variance(chosen, register, group)
    beside = None
    if peer_sets is not None and "area" in peer_sets:
        beside = pd.crosstab(peer_sets["area"], peer_sets["member"])
    declared = register.set_index("indicator").to_dict("index")
    found: Found = {}
    for _, rows in chosen[_SET.placed].groupby(group):
        indicator = declared[rows["indicator"].iloc[0]]
        rate = limit(indicator, "periods_per_year") or PERIODS_PER_YEAR[indicator["frequency"]]
        usable, known, spread = place(rows, rate, _SET.placed[-3:])
        bounds = limit(indicator, "minimum"), limit(indicator, "maximum")
        errors = np.sqrt(pd.DataFrame(spread.values).mean(axis=1).to_numpy())
        whose = rows.drop_duplicates("series").set_index("series")["area"].loc[known.series]
        panel = Panel(usable, known, bounds, _lists(beside, whose), errors)
        found |= {series: (panel, row) for row, series in enumerate(known.series)}
    return found


def _lists(beside: Frame | None, areas: Column) -> Flags | None:
    """Who is whose neighbour (S, S); None where under half of the areas have a list."""
    if beside is None:
        return None
    row, column = (ends.get_indexer(pd.Index(areas)) for ends in beside.axes)
    lists = beside.to_numpy(dtype=bool)[np.ix_(row, column)]
    lists &= (row >= 0)[:, None] & (column >= 0)
    return lists if lists.any(axis=1).mean() >= _SET.enough_lists else None


def _counting_variance(rows: Frame, register: Frame, group: Column) -> Column:
    """Variance of values that chance alone gives: binomial shares, Poisson rates and counts."""
    of = register.set_index("indicator").reindex(columns=["data_type", "statistic"])
    kind, statistic = (rows["indicator"].map(of[name]) for name in of)
    is_count = kind == "count"
    count, whole = (pd.to_numeric(rows.get(x, np.nan * rows["value"])) for x in _SET.counts)
    count, whole = count.mask(is_count, rows["value"]), whole.mask(is_count, 1.0)
    ratio = rows["value"] * whole / count.where(count > 0)
    unit = ratio.groupby(group).transform("median")  # 100 for a percentage
    share = ((whole - count).clip(lower=1.0) / whole).where(statistic == "proportion", 1.0)
    variance = (unit / whole.where(whole > 0)) ** 2 * count.clip(lower=1.0) * share
    return variance.where(is_count | statistic.isin(["proportion", "rate"]))


def limit(row: Mapping[Any, Any], name: str) -> float | None:
    """Read a number in a row of the register or of targets; None where it is missing."""
    value = row.get(name)
    return float(value) if isinstance(value, (int, float)) and value == value else None


def outlooks(
    found: Found, wanted: Mapping[str, Collection[int]], *, factors: Factors | None, seed: int
) -> Views:
    """Outlook of each wanted series at each wanted horizon (periods after its last usable value).

    What is found for a series depends on its panel and the seed, not on what else is wanted.
    """
    result: Views = {}
    for rate in {found[series][0].usable.periods_per_year for series in wanted}:
        names = [series for series in wanted if found[series][0].usable.periods_per_year == rate]
        pairs, farthest = [found[name] for name in names], max(max(wanted[name]) for name in names)
        for position, record in own_forecasts(pairs, names, farthest, factors=factors, seed=seed):
            for horizon in wanted[names[position]]:
                result[names[position], horizon] = _outlook(*pairs[position], horizon, record)
    return result


def own_forecasts(
    pairs: Sequence[Place], names: Texts, horizon: int, pasts: Sequence[Floats] = (), **how: Any
) -> Iterator[tuple[int, forecast.Forecast]]:
    """Forecasts of series of one frequency from their own record or `pasts`, as the panel votes.

    `how` goes on to `forecast.forecasts`.
    """
    records = pasts or [panel.usable.history(row) for panel, row in pairs]
    how |= {"no_trend": NO_TREND, "bounds": [panel.bounds for panel, _ in pairs]}
    how["seasonal"] = [not panel.seasonal_vote < 0 for panel, _ in pairs]
    return forecast.forecasts(records, names, pairs[0][0].usable.periods_per_year, horizon, **how)


def _outlook(panel: Panel, row: int, horizon: int, record: forecast.Forecast) -> Outlook:
    own = record.draws[horizon - 1]
    if record.reason:
        return Outlook(own, own, False, record.n, record.reason)
    model, last, m = panel.peers_model(horizon), int(panel.usable.last[row]), panel.season_length
    if model:
        second = model.draws(row, last) + panel.patterns[row, (last + horizon) % m]
    else:
        length = m if panel.seasonal_vote >= 0 else 1
        second = naive_draws(panel.usable.history(row), horizon=horizon, season_length=length)
    own, second = (panel.credible(row, draws) for draws in (own, second))
    return Outlook(own, second, model is not None, record.n, "")


def naive_draws(history: Floats, *, horizon: int, season_length: int) -> Floats:
    """Sorted draws about the last value (of the same season), as far apart as past changes were.

    A random walk with Student-t steps, by periods or by whole years. A last value of the season
    that is missing is replaced by the last value of all; a change over a gap counts as so many
    steps.
    """
    blocks = -(-horizon // season_length)
    place = len(history) - 1 + horizon - blocks * season_length
    centre = history[place] if np.isfinite(history[place]) else history[-1]
    steps = finite(history[season_length:] - history[:-season_length])
    if season_length == 1 or not len(steps):
        seen = np.flatnonzero(np.isfinite(history))
        steps = np.diff(history[seen]) / np.sqrt(np.diff(seen) / season_length)
    spread = np.sqrt((steps**2).mean() * blocks)
    return np.asarray(centre + spread * student_quantiles(len(steps)))


def pooled_forecasts(
    found: Found, horizons: Mapping[str, int], *, factors: Factors | None = None, seed: int = 0
) -> Frame:
    """Forecasts of the very distributions that `assess_targets` takes its chances from.

    Parameters
    ----------
    horizons
        Periods after its last usable value, by series; series without any value are left out.

    Returns
    -------
    DataFrame
        As `forecast.forecast_table` gives it: a row a series and horizon.
    """
    known = [s for s in horizons if s in found and found[s][0].usable.last[found[s][1]] >= 0]
    wanted = {series: range(1, horizons[series] + 1) for series in known}
    views = outlooks(found, wanted, factors=factors, seed=seed)
    rows = []
    for series, ahead in wanted.items():
        (panel, row), first = found[series], views[series, 1]
        numbers = np.array([forecast.published(views[series, step].pooled) for step in ahead])
        rows.append((panel.usable, row, numbers, first.n, first.reason))
    return forecast.forecast_table(rows)
