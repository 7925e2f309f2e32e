"""A target for several base periods together: what is known, what may come and the way there."""

from dataclasses import dataclass, replace
from functools import cached_property

import numpy as np
import pandas as pd
from numpy.lib.stride_tricks import sliding_window_view

from pmf_analysis.measures.arrays import Floats
from pmf_analysis.measures.calibration import shipped_factors
from pmf_analysis.measures.chance import Aim, limits
from pmf_analysis.measures.outlook import finite
from pmf_analysis.measures.realism import Question, chance_of

FEWEST_YEARS = 3  # that show seasonal shares
ENOUGH_SAME = 3  # past stretches in the same part of the year that are compared without others


@dataclass(frozen=True)
class Window:
    """The places from `first` to `question.due` on a series' line, N of them."""

    question: Question
    first: int
    how: str  # "sum", "mean" or "last"
    so_far: Floats  # (done,) values known in the window
    history: Floats  # (due + 1,) usable values, NaN where there is none
    weights: Floats  # (due + 1,) what the value at each place counts for in a sum or mean

    @property
    def to_come(self) -> int:
        """Periods that are not yet known."""
        return len(self.weights) - self.first - len(self.so_far)

    @property
    def season_length(self) -> int:
        """Periods in a year, 1 for none."""
        return self.question.panel.season_length

    def cumulative(self, ahead: Floats) -> Floats:
        """Sum, mean or value up to each period (N, any), with values (to_come, any) to come."""
        known = np.repeat(self.so_far[:, None], ahead.shape[1], axis=1)
        values, weights = np.vstack([known, ahead]), self.weights[self.first :, None]
        if self.how == "last":
            return values
        sums = np.cumsum(values * weights, axis=0)
        return np.asarray(sums / np.cumsum(weights, axis=0) if self.how == "mean" else sums)

    @cached_property
    def reach(self) -> tuple[Floats, Floats]:
        """Least and most (N,) that arithmetic allows up to each period.

        Where denominators to come are not known, only the bounds themselves are arithmetic.
        """
        ends = [np.full((self.to_come, 1), end) for end in limits(self.question.panel.bounds)]
        low, high = (self.cumulative(end)[:, 0] for end in ends)
        if (self.weights != 1).any():
            low[len(self.so_far) :], high[len(self.so_far) :] = (end[:, 0] for end in ends)
        return low, high

    def draws(self, ahead: Floats, *, calibrated: bool) -> Floats:
        """Sorted draws (N, D) of the cumulative values from paths (to_come, D)."""
        drawn, done = np.sort(self.cumulative(ahead), axis=1), len(self.so_far)
        if calibrated and self.how != "last":
            drawn[done:] = shipped_factors("outturn").stretch(
                drawn[done:],
                periods_per_year=self.question.panel.usable.periods_per_year,
                history=int(np.isfinite(self.history).sum()),
            )
        low, high = self.reach
        return np.clip(drawn, low[:, None], high[:, None])

    def last_years(self) -> Floats:
        """Paths (to_come, any): last year's same periods moved by every past change on the year.

        Changes are taken in stretches as long as what is to come, up and down alike; no path where
        there is no such stretch.
        """
        m, steps = self.season_length, self.to_come
        changes = np.append(self.history[m:] - self.history[:-m], np.full(steps, np.nan))
        stretches = sliding_window_view(changes, steps)
        stretches = stretches[np.isfinite(stretches).all(axis=1)]
        base = carried_forward(self.history, m)[-steps:, None]
        return np.asarray(base + np.concatenate([stretches, -stretches]).T)

    def shares(self) -> Floats:
        """(N,) share of each period in the years before, shrunk to equal ones; the sum is 1.

        By the James-Stein factor max(0, 1 - 1/F), F the variance between periods over that between
        years; equal with fewer than FEWEST_YEARS complete years.
        """
        length = len(self.weights) - self.first
        starts = range(self.first - self.season_length, -1, -self.season_length)
        years = np.array([self.history[s : s + length] for s in starts]).reshape(-1, length)
        years = years[(years >= 0).all(axis=1) & (years.sum(axis=1) > 0)]
        if len(years) < FEWEST_YEARS or length == 1:
            return np.full(length, 1 / length)
        parts = years / years.sum(axis=1, keepdims=True)
        seasons = parts.mean(axis=0) - 1 / length
        between = max(len(years) * seasons.var(ddof=1), np.finfo(float).tiny)
        within = parts.var(axis=0, ddof=1).sum() / (length - 1)
        return np.asarray(1 / length + seasons * max(0.0, 1 - within / between))

    def path(self) -> Floats:
        """(edges, N) where the cumulative value has to be at the end of each period.

        To a value of the last period a straight line leads from the value before the window.
        """
        edges, weights = (
            np.atleast_1d(self.question.aim.target)[:, None],
            self.weights[self.first :],
        )
        if self.how == "last":
            start = carried_forward(np.append(np.nan, self.history[: self.first]), 1)[-1]
            way = start + (edges - start) * np.arange(1, len(weights) + 1) / len(weights)
        else:
            way = edges * np.cumsum(self.shares() * weights) / (self.shares() * weights).sum()
            way = way * weights.sum() / np.cumsum(weights) if self.how == "mean" else way
        way[:, -1:] = edges
        return np.asarray(way)

    def chances(self, draws: Floats, path: Floats) -> list[float]:
        """Chance at the end of each period of being on `path` (edges, N) then."""
        aims = [_aimed(self.question.aim, edges) for edges in path.T]
        return [
            float(aim.met_by(drawn[:1])[0])
            if low == high
            else chance_of(aim, drawn, aim.certainty((low, high)))
            for aim, drawn, low, high in zip(aims, draws, *self.reach, strict=True)
        ]

    def required(self, expected: float) -> dict[str, float]:
        """Value per period to come that just meets the target, and how often it was reached.

        Compared with the means of own past stretches as long, in the same part of the year where
        there are ENOUGH_SAME. In a best range it is the value nearest to what is `expected`.
        """
        aim, length, start = self.question.aim, self.to_come, len(self.weights) - self.to_come
        rates, weights = np.append(aim.target, expected), self.weights[self.first :]
        if self.how == "last":
            length, start = 1, self.question.due
        else:
            done = (self.so_far * weights[: len(self.so_far)]).sum()
            whole = rates * weights.sum() if self.how == "mean" else rates
            rates = (whole - done) / self.weights[start:].sum()
        sums = sliding_window_view(self.history * self.weights, length).sum(axis=1)
        means = sums / sliding_window_view(self.weights, length).sum(axis=1)
        same = finite(means[start % self.season_length :: self.season_length])
        past = same if len(same) >= ENOUGH_SAME else finite(means)
        reached = _aimed(replace(aim, decimals=None), rates[:-1]).met_by(past)
        return {
            "required_rate": float(np.clip(rates[-1], rates[0], rates[-2])),
            "rate_share": float(reached.mean()) if len(past) else float("nan"),
            "rate_n": len(past),
        }


def _aimed(aim: Aim, edges: Floats) -> Aim:
    """The same aim at another value or, of two edges, range."""
    return replace(aim, target=(edges[0], edges[1]) if len(edges) > 1 else float(edges[0]))


def carried_forward(values: Floats, season_length: int) -> Floats:
    """Values with gaps filled by the last one of the same season; NaN where there is none."""
    seasons = np.arange(len(values)) % season_length
    return np.asarray(pd.Series(values).groupby(seasons).ffill(), dtype=float)
