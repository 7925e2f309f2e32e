"""Whether a target for several periods together will be met, from the part that is known.

The periods that are known are joined to sample paths of those to come, drawn together: errors that
would last make a year's total far less certain than months drawn one by one (target-realism.md
6.1). The second way takes last year's same periods, moved by past changes on the year.
"""

from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import pandas as pd
from numpy.lib.stride_tricks import sliding_window_view

from pmf_analysis.measures import chance, placement, realism, seasonal_pattern
from pmf_analysis.measures.arrays import SHIPPED, TYPES, Floats, Frame, constants
from pmf_analysis.measures.calibration import Factors, shipped_factors
from pmf_analysis.measures.outlook import Found, finite, own_forecasts, panels
from pmf_analysis.measures.realism import Answer, Bands, Question, Row

_SET = constants("outturn")


def assess_outturns(
    known: Frame, asked: Frame, register: Frame, origin: Any = None, found: Any = None, **how: Any
) -> tuple[Frame, Frame]:
    """Chance of each target for several periods together, and the way there.

    Parameters
    ----------
    known, register, origin, found
        As in `assess_targets`; values of base periods, not running totals. Where `denominator` is
        known for all values, a mean is the pooled ratio, with last year's denominators to come.
    how
        factors, bands and seed, as in `assess_targets`.
    asked
        target_id, series, indicator, area, kind, target, first and period (starts of the first and
        the last base period), how ("sum" or "mean"), and for indicators with a best range
        target_low and target_high.

    Returns
    -------
    tuple
        A row a question: target_id, `answers` of tables.yml and done (periods known), of (all),
        required_rate (value per period to come with which the target is just met; in a range the
        one nearest to what is expected), rate_share (of rate_n own past stretches as long, in the
        same part of the year where there are enough, that reached it), outturn_low, _mid and
        _high (quantiles .05, .5 and .95). last_value is the sum, mean or value so far, n the values
        used and horizon the periods to come. Then `paths` of tables.yml, a row a period of each
        target with an answer, in all numbers cumulative: the value so far (`actual`, NaN to come),
        the `path` to the target (for a range to its middle), the chance of being on it, quantiles.
    """
    found = found or panels(known, register, origin=origin)
    declared = register.set_index("indicator").to_dict("index")
    answers = []
    for row in asked.to_dict("records"):
        answer = _window(row, declared.get(row["indicator"]), found, known)
        if isinstance(answer, Window):
            answer = _judged(answer, **how)
        answers.append(SHIPPED["no_answer"] | answer | {"target_id": row["target_id"]})
    ways = [each["way"].assign(target_id=each["target_id"]) for each in answers if "way" in each]
    paths = pd.concat(ways or [pd.DataFrame()], ignore_index=True).reindex(columns=_SET.paths)
    table = pd.DataFrame(answers, columns=["target_id", *TYPES["answers"]])
    return table.astype(TYPES["answers"]), paths


@dataclass(frozen=True)
class Window:
    """The places from `first` to `question.due` on a series' line, N of them."""

    question: Question
    first: int
    how: str  # "sum" or "mean"
    so_far: Floats  # (done,) values known in the window
    history: Floats  # (due + 1,) usable values, NaN where there is none
    weights: Floats  # (due + 1,) what the value at each place counts for in a sum or mean
    to_come: int  # periods of the window that are not yet known

    def cumulative(self, ahead: Floats) -> Floats:
        """Sum or mean up to each period (N, any), with values (to_come, any) to come."""
        known = np.repeat(self.so_far[:, None], ahead.shape[1], axis=1)
        values, weights = np.vstack([known, ahead]), self.weights[self.first :, None]
        counted = np.cumsum(weights, axis=0) if self.how == "mean" else 1.0
        return np.asarray(np.cumsum(values * weights, axis=0) / counted)

    @property
    def reach(self) -> Floats:
        """Least and most (2, N) that arithmetic allows up to each period.

        Where denominators to come are not known, only the bounds themselves are arithmetic.
        """
        ends = np.tile(chance.limits(self.question.panel.bounds), (self.to_come, 1))
        reach = self.cumulative(ends)
        if (self.weights != 1).any():
            reach[len(self.so_far) :] = ends
        return reach.T

    def draws(self, ahead: Floats) -> Floats:
        """Sorted draws (N, D) of the cumulative values, calibrated, from paths (to_come, D)."""
        drawn, later = np.sort(self.cumulative(ahead), axis=1), slice(len(self.so_far), None)
        rate, factors = self.question.panel.usable.periods_per_year, shipped_factors("outturn")
        n = len(finite(self.history))
        stretched = factors.stretch(drawn[later], periods_per_year=rate, history=n)
        low, high = self.reach[:, later, None]
        at_end = (drawn[later] <= low) | (drawn[later] >= high)  # arithmetic is not stretched
        drawn[later] = np.sort(np.where(at_end, drawn[later], stretched), axis=1)
        return np.clip(drawn, *self.reach[..., None])

    def last_years(self) -> Floats:
        """Paths (to_come, any): last year's same periods moved by every past change on the year.

        Changes are taken in stretches as long as what is to come, up and down alike; no path where
        there is no such stretch or a period was not known last year.
        """
        m, steps = self.question.panel.season_length, self.to_come
        changes = np.append(self.history[m:] - self.history[:-m], np.full(steps, np.nan))
        stretches = sliding_window_view(changes, steps)
        both = np.concatenate([stretches, -stretches]) + _carried(self.history, m)[-steps:]
        return both[np.isfinite(both).all(axis=1)].T

    @property
    def path(self) -> Floats:
        """(edges, N) where the cumulative value has to be at the end of each period.

        A total is split by the seasons of the years before, shrunk towards none.
        """
        before, m = self.history[: self.first], self.question.panel.season_length
        edges, weights = np.atleast_1d(self.question.aim.target), self.weights[self.first :]
        seen, parts = np.isfinite(before), weights
        if seasonal_pattern.countable_seasons(seen, m) and seen.sum() >= _SET.fewest_years * m:
            usual = np.nanmean(before) + seasonal_pattern.seasonal_pattern(before[None], seen, m)[0]
            usual = np.maximum(np.roll(usual, -self.first), np.finfo(float).tiny)
            parts = parts * np.resize(usual, len(parts))
        way = np.outer(edges, np.cumsum(parts) / parts.sum())
        if self.how == "mean":
            way = way * weights.sum() / np.cumsum(weights)
        way[:, -1] = edges
        return np.asarray(way)

    def chances(self, draws: Floats) -> list[float]:
        """Chance at the end of each period of being on the path then; 1 or 0 where known."""
        found = []
        for edges, drawn, low, high in zip(self.path.T, draws, *self.reach, strict=True):
            aim = replace(self.question.aim, target=(edges[0], edges[-1]))
            known = float(aim.met_by(drawn)[0]) if low == high else aim.certainty((low, high))
            found.append(realism.chance_of(aim, drawn, known))
        return found

    def required(self, expected: float) -> Answer:
        """Value per period to come that just meets the target, and how often it was reached.

        Compared with the means of own past stretches as long, in the same part of the year where
        there are three years. In a best range it is the value nearest to what is `expected`.
        """
        aim, m = self.question.aim, self.question.panel.season_length
        rates, weights = np.append(np.resize(aim.target, 2), expected), self.weights[self.first :]
        done, length = len(self.so_far), self.to_come
        whole = weights.sum() if self.how == "mean" else 1.0
        rates = (rates * whole - self.so_far @ weights[:done]) / weights[done:].sum()
        sums = sliding_window_view(self.history * self.weights, length).sum(axis=1)
        means = sums / sliding_window_view(self.weights, length).sum(axis=1)
        past = finite(means[(self.question.due + 1 - length) % m :: m])
        past = past if len(past) >= _SET.fewest_years else finite(means)
        reached = replace(aim, target=(rates[0], rates[1]), decimals=None).met_by(past)
        share = reached.mean() if len(past) else float("nan")
        return {"required_rate": np.median(rates), "rate_share": share, "rate_n": len(past)}


def _carried(values: Floats, season_length: int) -> Floats:
    """Values with gaps filled by the last one of the same season; NaN where there is none."""
    seasons = np.arange(len(values)) % season_length
    return np.asarray(pd.Series(values).groupby(seasons).ffill(), dtype=float)


def _window(row: Row, indicator: Row | None, found: Found, observations: Frame) -> Window | Answer:
    """Periods of a target with what they count for, or why it cannot be judged."""
    question = realism.question_of(row, indicator, found)
    if not isinstance(question, Question):
        return question
    panel, place, after = question.panel, question.row, question.due + 1
    first = panel.known.place_of(pd.Timestamp(row["first"]))
    so_far = panel.known.values[place, max(first, 0) : panel.known.last[place] + 1][: after - first]
    missing = [first] if first < 0 else first + np.flatnonzero(np.isnan(so_far))
    if len(missing):
        day = panel.known.start(int(missing[0]))
        reason = f"There is no usable value for the period that starts on {day.day} {day:%B %Y}."
        return question.known | realism.refusal(reason)
    history = np.append(panel.usable.values[place], np.full(after, np.nan))[:after]
    own = observations[observations["series"] == question.series]
    weights = _weights(question, own) if row["how"] == "mean" else np.ones(after)
    ahead = after - first - len(so_far)
    return Window(question, first, str(row["how"]), so_far, history, weights, ahead)


def _weights(question: Question, own: Frame) -> Floats:
    """Denominators at each place, those to come as last year; ones where any is not known."""
    line, row, after = question.panel.known, question.row, question.due + 1
    where = placement.places(pd.to_datetime(own["period"]), line.anchor, line.periods_per_year)
    given = own.reindex(columns=["denominator"])["denominator"].set_axis(where)
    known = given.groupby(level=0).last().reindex(range(min(int(line.last[row]) + 1, after)))
    if not (known[np.isfinite(line.values[row, : len(known)])] > 0).all():
        return np.ones(after)
    filled = _carried(known.reindex(range(after)).to_numpy(), question.panel.season_length)
    return np.where(np.isfinite(filled), filled, known.iloc[-1])


def _judged(
    window: Window, factors: Factors | None = None, seed: int = 0, bands: Bands = realism.BANDS
) -> Answer:
    """Answer for one window, with `way`, its rows of the table of paths, where it can be judged.

    The chance is that of the joint paths; lower or upper is that of last year's profile.
    """
    question, ahead, done = window.question, window.to_come, len(window.so_far)
    factors = factors or shipped_factors()
    draws, panel = window.cumulative(np.full((ahead, 1), np.nan)), question.panel
    starts = [panel.known.start(place) for place in range(window.first, question.due + 1)]
    way = pd.DataFrame({"period": starts, "actual": draws[:, 0]}).assign(series=question.series)
    answer = question.known | {"method": "outturn", "done": done, "of": len(starts)}
    answer |= {"last_value": draws[done - 1, 0] if done else np.nan, "horizon": ahead}
    answer["last_period"] = min(answer["last_period"], starts[-1])
    if ahead:
        asked = ([(panel, question.row)], [question.series], question.horizon)
        _, record = next(own_forecasts(*asked, factors=factors, seed=seed, joint=True))
        if record.reason:
            return answer | realism.refusal(record.reason)
        draws = window.draws(record.draws[-ahead:])
    way[_SET.shown], chances = chance.quantiles(draws, [0.05, 0.5, 0.95]), window.chances(draws)
    answer["way"] = way.assign(path=window.path.mean(axis=0), chance_on_path=chances)
    answer |= zip(_SET.outturn, way[_SET.shown].iloc[-1], strict=True)
    if not ahead:
        return answer | realism.already_known(question.aim, answer["last_value"])
    own, last_year = chances[-1], window.last_years()
    other = window.chances(window.draws(last_year))[-1] if last_year.size else own
    note = f"last year's profile {other:.2f}; " if last_year.size else ""
    evidence = f"own paths {own:.2f} from {answer['n']} values; {note}calibrated on: "
    answer |= {"probability": own, "lower": min(own, other), "upper": max(own, other)}
    answer |= {f"value_{c}": question.aim.value_at(draws[-1], c / 100) for c in (60, 45, 30)}
    answer |= {"evidence": evidence + factors.source, "peer_n": 0, "peer_share": np.nan}
    answer |= window.required(answer["outturn_mid"])
    reach = (window.reach[0, -1], window.reach[1, -1])
    within = replace(question, panel=replace(panel, bounds=reach))
    return answer | realism.verdict_of(within, answer, question.aim.certainty(reach), bands)
