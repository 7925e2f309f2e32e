"""Bayesian exponential smoothing over a fixed grid of models, many short series at once.

Each model of the grid is exponential smoothing in innovations form (Hyndman, Koehler, Ord and
Snyder 2008), without trend or with a damped one. For given smoothing parameters the one-step errors
are linear in the starting level and slope, so with a normal prior on these and an inverse-gamma one
on the variance everything has a closed form: marginal likelihood, final state, Student-t forecast.
No model is chosen: all are mixed by their posterior weight, on the raw and (if all values are
positive) the log scale, with and without a seasonal pattern. Recipe and measurements:
target-realism.md 4.1, 11 (b) and (c).

Axes: S series, n periods, V variants (scale and season), K models, H horizons.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache
from itertools import product

import numpy as np

from pmf_analysis.measures.arrays import Flags, Floats, Places, constants
from pmf_analysis.measures.chance import DRAWS, student_quantiles
from pmf_analysis.measures.seasonal_pattern import countable_seasons, seasonal_pattern

_SET = constants("grid")
_TRENDS = product(_SET.damping, _SET.trend_gains, _SET.alphas)
_GRID = np.array([(a, 0, 0) for a in _SET.alphas] + [(a, a * g, phi) for phi, g, a in _TRENDS])
ALPHA, BETA, PHI = (np.ascontiguousarray(column) for column in _GRID.T)
MODELS = len(_GRID)


@dataclass(frozen=True)
class Posterior:
    """The mixture fitted to series of equal length."""

    weight: Floats  # (S, V, K), sums to 1 for each series
    level: Floats  # (S, V, K) at the end of the history, in the unit of the variant
    slope: Floats  # (S, V, K)
    spread: Floats  # (S, V, K), scale of the one-step Student-t
    season: Floats  # (S, V, H), added at each horizon
    is_log: Flags  # (V,)
    seasonal_evidence: Floats  # (S,), log Bayes factor, -inf where no pattern could be fitted
    machine: _Machine

    def draws(self, shifts: Floats, streams: Sequence[np.random.Generator] = ()) -> Floats:
        """Stratified draws (S, H, DRAWS) of the values at each horizon, not sorted.

        With `streams` each column is a joint path: it takes its model and start as a draw does and
        carries every error forward as that model would, with one error variance for the whole path.

        Parameters
        ----------
        shifts
            One number in [0, 1) a series, which alone decides how its draws are stratified.
        streams
            Random numbers of each series, for paths.
        """
        machine, freedom = self.machine, self.machine.freedom
        steps = student_quantiles(freedom)
        roots = np.linalg.cholesky(machine.joint)
        sizes = np.sqrt(machine.joint.diagonal(axis1=1, axis2=2))  # (K, H)
        result = np.empty((len(self.weight), sizes.shape[1], DRAWS))
        for row, stream in enumerate(streams or [None] * len(result)):
            variant, model = np.divmod(self._chosen(row, float(shifts[row])), MODELS)
            if stream is None:
                errors = sizes[model].T * steps
            else:
                normal = stream.standard_normal((sizes.shape[1], DRAWS))
                errors = np.einsum("dhi,id->hd", roots[model], normal)
                errors /= np.sqrt(stream.chisquare(freedom, DRAWS) / freedom)
            result[row] = self._values(row, variant, model, errors)
        return result

    def _values(self, row: int, variant: Places, model: Places, errors: Floats) -> Floats:
        """Values (H, DRAWS) of a series, from errors in units of the one-step spread."""
        slope, spread = self.slope[row, variant, model], self.spread[row, variant, model]
        middle = self.level[row, variant, model] + self.machine.damping[model].T * slope
        value = middle + self.season[row, variant].T + errors * spread
        on_log = np.clip(value, -_SET.largest_exponent, _SET.largest_exponent)
        return np.asarray(np.where(self.is_log[variant], np.exp(on_log), value))

    def _chosen(self, row: int, shift: float) -> Places:
        """Variant and model (one number) of each draw: a golden-ratio lattice over the weights.

        The lattice is even in [0, 1) and stays even beside the strata of the Student-t quantiles,
        so a thousand draws give quantiles as good as far more independent ones.
        """
        cumulative = np.cumsum(self.weight[row].ravel())
        uniform = (np.arange(DRAWS) * _SET.golden + shift) % 1.0 * cumulative[-1]
        chosen = np.searchsorted(cumulative, uniform, side="right")
        return np.asarray(np.minimum(chosen, len(cumulative) - 1))


def fit(
    values: Floats, *, season_length: int, horizon: int, no_trend: float, seasonal: Flags
) -> Posterior:
    """Fit the grid to series with the same pattern of missing periods.

    Parameters
    ----------
    values
        (S, n): finite, or NaN for whole columns but the first (a period missing in every series).
        No series may be constant. A missing period passes without an update; the error after it
        counts with its larger variance.
    season_length
        Periods a year; 1 for none.
    horizon
        Periods after the last column.
    no_trend
        Prior probability of all models without trend together.
    seasonal
        (S,) whether a seasonal pattern is allowed.
    """
    observed = np.isfinite(values[0])
    machine = _machine(observed.tobytes(), horizon)
    seasons = np.arange(len(observed) + horizon) % season_length
    past, ahead = seasons[: len(observed)], seasons[len(observed) :]
    fitted, repeats = [], 1 + countable_seasons(observed, season_length)
    for scaled, jacobian in _on_both_scales(values, observed):
        # a pattern that explains everything must not leave a scale of zero
        floor = _SET.smallest_scale * np.ptp(scaled[:, observed], axis=1, keepdims=True)
        pattern = np.zeros((len(values), season_length))
        for variant in range(repeats):
            if variant:
                pattern = seasonal_pattern(scaled, observed, season_length)
            evidence, *states = _solve(scaled - pattern[:, past], floor, machine)
            fitted.append((evidence + jacobian, *states, pattern[:, ahead]))
    variants = np.arange(len(fitted))
    is_log, patterned = variants >= repeats, variants % repeats == 1
    arrays = (np.stack(each, axis=1) for each in zip(*fitted, strict=True))
    log_weight, level, slope, spread, season = arrays
    plain = PHI == 0
    log_weight += np.log(np.where(plain, no_trend / plain.sum(), (1 - no_trend) / (~plain).sum()))
    size = np.log(observed.sum()) * min(season_length - 1, _SET.most_counted) / 2
    with_pattern, without = (
        np.logaddexp.reduce(part.reshape(len(part), -1), axis=1, initial=-np.inf)
        for part in (log_weight[:, patterned], log_weight[:, ~patterned])
    )
    log_weight[:, patterned] -= _SET.seasonal_penalty * size
    log_weight[np.ix_(~seasonal, patterned)] = -np.inf
    weight = np.exp(log_weight - log_weight.max(axis=(1, 2), keepdims=True))
    weight /= weight.sum(axis=(1, 2), keepdims=True)
    evidence = with_pattern - without - _SET.panel_penalty * size
    return Posterior(weight, level, slope, spread, season, is_log, evidence, machine)


def _on_both_scales(values: Floats, observed: Flags) -> list[tuple[Floats, Floats]]:
    """Values as they are and on the log scale, each with its log Jacobian (S, 1).

    Series with a value that is not positive are computed raw on the log scale too, without weight.
    """
    usable = np.all(values[:, observed] > 0, axis=1)[:, None]
    logs = np.log(np.where(usable, values, 1.0))
    jacobian = np.where(usable, -logs[:, observed].sum(axis=1, keepdims=True), -np.inf)
    return [(values, np.zeros_like(jacobian)), (np.where(usable, logs, values), jacobian)]


@dataclass(frozen=True)
class _Machine:
    """What the recursion gives for one pattern of missing periods, whatever the values are."""

    observed: Flags
    start_errors: Floats  # (n, 2, K): errors that a starting level and slope of 1 would leave
    final_level: Floats  # (2, K), from a starting level and slope of 1
    final_slope: Floats  # (2, K)
    weight: Floats  # (n, K): one over the relative variance of each error
    covariance: Floats  # (K, 2, 2) of the starting state, relative to the error variance
    log_evidence: Floats  # (K,): the part of the log likelihood that the values do not change
    damping: Floats  # (K, H), what is left of the slope, summed up to each horizon
    joint: Floats  # (K, H, H) covariance of the errors at all horizons, relative too

    @property
    def freedom(self) -> float:
        """Degrees of freedom of the Student-t."""
        return float(_SET.freedom + self.observed.sum())


@lru_cache(maxsize=64)
def _machine(pattern: bytes, horizon: int) -> _Machine:
    """Prepare the recursion for `pattern`, the bytes of the flags of observed periods."""
    observed = np.frombuffer(pattern, dtype=bool)
    seen = np.flatnonzero(observed)
    unit = np.eye(2)[:, :, None]
    responses, level, slope = _smooth(np.zeros((2, len(observed))), observed, unit[0], unit[1])
    start_errors = -responses
    size = len(observed) - 1 - seen[-1] + horizon
    # What of an error is in the values 0, 1, 2... periods later.
    powers = np.cumprod(np.tile(PHI, (len(observed) + horizon - 1, 1)), axis=0)
    passed_on = np.vstack([np.ones((1, MODELS)), ALPHA + BETA * np.cumsum(powers, axis=0)])
    weight = 1 / np.cumsum(passed_on**2, axis=0)[np.diff(seen, prepend=seen[0] - 1) - 1]
    precision = np.einsum("nik,nk,njk->kij", start_errors, weight, start_errors)
    covariance = np.linalg.inv(precision + np.diag(1 / np.array(_SET.start_variance)))
    damping = np.cumsum(powers[:horizon], axis=0).T
    started = (level[:, :, None] + damping * slope[:, :, None]).transpose(1, 2, 0)  # (K, H, 2)
    ago = np.arange(size - horizon, size)[:, None] - np.arange(size)
    moving = (passed_on[np.maximum(ago, 0)] * (ago >= 0)[..., None]).transpose(2, 0, 1)
    joint = moving @ moving.transpose(0, 2, 1) + started @ covariance @ started.transpose(0, 2, 1)
    log_evidence = (np.log(np.linalg.det(covariance)) + np.log(weight).sum(axis=0)) / 2
    finals = (level, slope, weight, covariance, log_evidence)
    return _Machine(observed, start_errors, *finals, damping, joint)


def _smooth(
    values: Floats, observed: Flags, level: Floats | float, slope: Floats | float
) -> tuple[Floats, Floats, Floats]:
    """Run all models over `values` (S, n): errors (seen, S, K), final level and slope (S, K)."""
    shape = (len(values), MODELS)
    errors = np.empty((int(observed.sum()), *shape))
    row = 0
    for column, seen in enumerate(observed):
        slope = PHI * slope
        level = level + slope
        if seen:
            errors[row] = values[:, column, None] - level
            level = level + ALPHA * errors[row]
            slope = slope + BETA * errors[row]
            row += 1
    return errors, np.broadcast_to(level, shape), np.broadcast_to(slope, shape)


def _solve(values: Floats, floor: Floats, machine: _Machine) -> tuple[Floats, ...]:
    """Log evidence, final level, final slope and spread, each (S, K), of `values` (S, n).

    `floor` (S, 1) is the smallest scale of differences that is believed.
    """
    seen = values[:, machine.observed]
    steps = np.abs(np.diff(seen, axis=1))
    typical = np.sqrt((steps**2).mean(axis=1, keepdims=True))
    # robust, and above zero unless a series is constant
    scale = np.maximum(1.4826 * np.median(steps, axis=1, keepdims=True), typical / 4)
    centre, scale = seen[:, :1], np.maximum(scale, floor)
    errors, level, slope = _smooth((values - centre) / scale, machine.observed, 0.0, 0.0)
    weighted = machine.start_errors * machine.weight[:, None, :]
    cross = np.einsum("nik,nsk->ski", weighted, errors)
    start = np.einsum("kij,skj->ski", machine.covariance, cross)
    squares = np.einsum("nk,nsk,nsk->sk", machine.weight, errors, errors)
    squares = np.maximum(squares - (cross * start).sum(axis=2), 0.0)
    evidence = machine.log_evidence - machine.freedom / 2 * np.log(_SET.freedom + squares)
    evidence = evidence - seen.shape[1] * np.log(scale)
    level = level + np.einsum("ski,ik->sk", start, machine.final_level)
    slope = slope + np.einsum("ski,ik->sk", start, machine.final_slope)
    spread = scale * np.sqrt((_SET.freedom + squares) / machine.freedom)
    return evidence, centre + scale * level, scale * slope, spread
