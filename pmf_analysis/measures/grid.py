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
from functools import cached_property, lru_cache

import numpy as np

from pmf_analysis.measures.arrays import Flags, Floats, Places
from pmf_analysis.measures.chance import DRAWS, middles
from pmf_analysis.measures.seasonal_pattern import countable_seasons, seasonal_pattern

_ALPHAS = (0.05, 0.15, 0.3, 0.5, 0.7, 0.85, 1.0)
_DAMPING = (0.8, 0.9, 0.97)
_TREND_GAINS = (0.0, 0.1, 0.3)  # beta as a share of alpha
_GRID = np.array(
    [(a, 0.0, 0.0) for a in _ALPHAS]
    + [(a, a * gain, phi) for phi in _DAMPING for gain in _TREND_GAINS for a in _ALPHAS]
)
ALPHA, BETA, PHI = (np.ascontiguousarray(column) for column in _GRID.T)
MODELS = len(_GRID)

# Priors, in units of a robust scale of the first differences.
_START_VARIANCE = (3.0**2, 0.5**2)  # of the level before the first value, of the slope
_NU0 = 4.0  # degrees of freedom of the prior on the error variance, whose centre is 1

_SEASONAL_PENALTY = 1.5  # where a series votes for itself; 1 where a whole panel does
_PANEL_PENALTY = 1.0
_MOST_COUNTED = 3  # seasons; a shrunken pattern has fewer numbers of its own than seasons
_SMALLEST_SCALE = 1e-3  # of the range of the values
_LARGEST_EXPONENT = 300.0  # keeps every draw of the log scale finite
_GOLDEN = (5**0.5 - 1) / 2


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

    def draws(self, shifts: Floats) -> Floats:
        """Sorted stratified draws (S, H, DRAWS) of the values at each horizon.

        Parameters
        ----------
        shifts
            One number in [0, 1) a series, which alone decides how its draws are stratified.
        """
        steps = _student_quantiles(self.machine.freedom)
        errors = np.sqrt(self.machine.variance)
        result = np.empty((len(self.weight), errors.shape[1], DRAWS))
        for row, shift in enumerate(shifts):
            variant, model = np.divmod(self._chosen(row, float(shift)), MODELS)
            result[row] = self._values(row, variant, model, errors[model].T * steps)
        result.sort(axis=2)
        return result

    def ranks(self, shifts: Floats, streams: Sequence[np.random.Generator]) -> Places:
        """Rank (S, H, DRAWS) of each joint path among the draws of each horizon.

        A path takes its model and start as a draw does and carries every error forward as that
        model would, with one error variance for the whole path. Reordering sorted draws by these
        ranks (the Schaake shuffle) gives paths with just the spread of the forecast.
        """
        roots, freedom = self.machine.roots, self.machine.freedom
        result = np.empty((len(self.weight), roots.shape[1], DRAWS), dtype=np.intp)
        for row, (shift, stream) in enumerate(zip(shifts, streams, strict=True)):
            variant, model = np.divmod(self._chosen(row, float(shift)), MODELS)
            normal = stream.standard_normal((roots.shape[1], DRAWS))
            errors = np.einsum("dhi,id->hd", roots[model], normal)
            errors /= np.sqrt(stream.chisquare(freedom, DRAWS) / freedom)
            value = self._values(row, variant, model, errors)
            result[row] = value.argsort(axis=1).argsort(axis=1)
        return result

    def _values(self, row: int, variant: Places, model: Places, errors: Floats) -> Floats:
        """Values (H, DRAWS) of a series, from errors in units of the one-step spread."""
        slope, spread = self.slope[row, variant, model], self.spread[row, variant, model]
        middle = self.level[row, variant, model] + self.machine.damping[model].T * slope
        value = middle + self.season[row, variant].T + errors * spread
        on_log = np.clip(value, -_LARGEST_EXPONENT, _LARGEST_EXPONENT)
        return np.asarray(np.where(self.is_log[variant], np.exp(on_log), value))

    def _chosen(self, row: int, shift: float) -> Places:
        """Variant and model (one number) of each draw: a golden-ratio lattice over the weights.

        The lattice is even in [0, 1) and stays even beside the strata of the Student-t quantiles,
        so a thousand draws give quantiles as good as far more independent ones.
        """
        cumulative = np.cumsum(self.weight[row].ravel())
        uniform = (np.arange(DRAWS) * _GOLDEN + shift) % 1.0 * cumulative[-1]
        chosen = np.searchsorted(cumulative, uniform, side="right")
        return np.asarray(np.minimum(chosen, len(cumulative) - 1))


@lru_cache(maxsize=256)
def _student_quantiles(freedom: float) -> Floats:
    """Quantiles of Student's t at the middles of DRAWS equal strata."""
    from scipy.special import stdtrit

    return np.asarray(stdtrit(freedom, middles(DRAWS)), dtype=float)


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
    given = (values, observed, season_length, machine)
    fitted = _variants(*given, is_log=False) + _variants(*given, is_log=True)
    is_log, patterned = np.array([variant[:2] for variant in fitted]).T
    log_weight, level, slope, spread, season = (
        np.stack(arrays, axis=1) for arrays in zip(*(each[2:] for each in fitted), strict=True)
    )
    plain = PHI == 0
    log_weight += np.log(np.where(plain, no_trend / plain.sum(), (1 - no_trend) / (~plain).sum()))
    size = np.log(observed.sum()) * min(season_length - 1, _MOST_COUNTED) / 2
    evidence = _log_sum(log_weight[:, patterned]) - _log_sum(log_weight[:, ~patterned])
    log_weight[:, patterned] -= _SEASONAL_PENALTY * size
    log_weight[np.ix_(~seasonal, patterned)] = -np.inf
    weight = np.exp(log_weight - log_weight.max(axis=(1, 2), keepdims=True))
    weight /= weight.sum(axis=(1, 2), keepdims=True)
    evidence -= _PANEL_PENALTY * size
    return Posterior(weight, level, slope, spread, season, is_log, evidence, machine)


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
    variance: Floats  # (K, H), relative to the one-step variance
    started: Floats  # (K, H, 2): what a unit of error in the starting state adds

    @cached_property
    def roots(self) -> Floats:
        """Cholesky roots (K, H, H) of the covariance of the errors at all horizons."""
        steps, overdue = self.damping.shape[1], int(np.argmax(self.observed[::-1]))
        size = steps + overdue
        passed_on = np.insert(_passed_on(size), 0, 1.0, axis=0)  # (size + 1, K)
        ago = np.arange(overdue, size)[:, None] - np.arange(size)
        moving = np.where(ago >= 0, passed_on[np.maximum(ago, 0)].transpose(2, 0, 1), 0.0)
        started = self.started @ self.covariance @ self.started.transpose(0, 2, 1)
        return np.asarray(np.linalg.cholesky(moving @ moving.transpose(0, 2, 1) + started), float)

    @property
    def freedom(self) -> float:
        """Degrees of freedom of the Student-t."""
        return _NU0 + int(self.observed.sum())


@lru_cache(maxsize=64)
def _machine(pattern: bytes, horizon: int) -> _Machine:
    """Prepare the recursion for `pattern`, the bytes of the flags of observed periods."""
    observed = np.frombuffer(pattern, dtype=bool)
    seen = np.flatnonzero(observed)
    unit = np.eye(2)[:, :, None]
    responses, level, slope = _smooth(np.zeros((2, len(observed))), observed, unit[0], unit[1])
    start_errors = -responses
    overdue = len(observed) - 1 - seen[-1]
    spreading = 1 + _error_growth(len(observed) + horizon)
    weight = 1 / spreading[np.diff(seen, prepend=seen[0] - 1) - 1]
    precision = np.einsum("nik,nk,njk->kij", start_errors, weight, start_errors)
    covariance = np.linalg.inv(precision + np.diag(1 / np.array(_START_VARIANCE)))
    powers = np.cumprod(np.tile(PHI[:, None], horizon), axis=1)
    damping = np.cumsum(powers, axis=1)
    reach = level[:, :, None] + damping * slope[:, :, None]  # (2, K, H)
    started = np.einsum("ikh,kij,jkh->kh", reach, covariance, reach)
    ahead = spreading[overdue : overdue + horizon].T
    log_evidence = (np.log(np.linalg.det(covariance)) + np.log(weight).sum(axis=0)) / 2
    return _Machine(
        observed, start_errors, level, slope, weight, covariance, log_evidence, damping,
        ahead + started, reach.transpose(1, 2, 0),
    )  # fmt: skip


def _error_growth(steps: int) -> Floats:
    """Variance (steps, K) that 0, 1, 2... errors which nobody saw add to the next one."""
    return np.vstack([np.zeros((1, MODELS)), np.cumsum(_passed_on(steps - 1) ** 2, axis=0)])


def _passed_on(steps: int) -> Floats:
    """What of an error (steps, K) is in the values 1, 2, 3... periods later."""
    powers = np.cumprod(np.tile(PHI, (steps, 1)), axis=0)
    return np.asarray(ALPHA + BETA * np.cumsum(powers, axis=0))


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


_Variant = tuple[bool, bool, Floats, Floats, Floats, Floats, Floats]


def _variants(
    values: Floats, observed: Flags, season_length: int, machine: _Machine, *, is_log: bool
) -> list[_Variant]:
    """Fit one scale, plain and (where every season is seen twice) with a seasonal pattern.

    Series with a value that is not positive are computed raw on the log scale too, without weight.

    Returns
    -------
    list
        is_log, whether seasonal, then log evidence, level, slope, spread (S, K), season (S, H).
    """
    jacobian = np.zeros((len(values), 1))
    if is_log:
        usable = np.all(values[:, observed] > 0, axis=1)[:, None]
        logs = np.log(np.where(usable, values, 1.0))
        jacobian = np.where(usable, -logs[:, observed].sum(axis=1, keepdims=True), -np.inf)
        values = np.where(usable, logs, values)
    # a pattern that explains everything must not leave a scale of zero
    floor = _SMALLEST_SCALE * np.ptp(values[:, observed], axis=1, keepdims=True)
    patterns = [np.zeros((len(values), season_length))]
    if countable_seasons(observed, season_length):
        patterns.append(seasonal_pattern(values, observed, season_length))
    past = np.arange(len(observed)) % season_length
    ahead = (len(observed) + np.arange(machine.damping.shape[1])) % season_length
    result = []
    for pattern in patterns:
        evidence, level, slope, spread = _solve(values - pattern[:, past], floor, machine)
        fitted = (evidence + jacobian, level, slope, spread, pattern[:, ahead])
        result.append((is_log, pattern is not patterns[0], *fitted))
    return result


def _solve(
    values: Floats, floor: Floats, machine: _Machine
) -> tuple[Floats, Floats, Floats, Floats]:
    """Log evidence, final level, final slope and spread, each (S, K), of `values` (S, n).

    `floor` (S, 1) is the smallest scale of differences that is believed.
    """
    seen = values[:, machine.observed]
    centre, scale = seen[:, :1], np.maximum(_difference_scale(seen), floor)
    errors, level, slope = _smooth((values - centre) / scale, machine.observed, 0.0, 0.0)
    weighted = machine.start_errors * machine.weight[:, None, :]
    cross = np.einsum("nik,nsk->ski", weighted, errors)
    start = np.einsum("kij,skj->ski", machine.covariance, cross)
    squares = np.einsum("nk,nsk,nsk->sk", machine.weight, errors, errors)
    squares = np.maximum(squares - (cross * start).sum(axis=2), 0.0)
    evidence = machine.log_evidence - machine.freedom / 2 * np.log(_NU0 + squares)
    evidence = evidence - seen.shape[1] * np.log(scale)
    level = level + np.einsum("ski,ik->sk", start, machine.final_level)
    slope = slope + np.einsum("ski,ik->sk", start, machine.final_slope)
    spread = scale * np.sqrt((_NU0 + squares) / machine.freedom)
    return evidence, centre + scale * level, scale * slope, spread


def _difference_scale(values: Floats) -> Floats:
    """(S, 1) robust scale of the first differences; above zero unless a series is constant."""
    steps = np.abs(np.diff(values, axis=1))
    typical = np.sqrt((steps**2).mean(axis=1, keepdims=True))
    return np.asarray(np.maximum(1.4826 * np.median(steps, axis=1, keepdims=True), typical / 4))


def _log_sum(log_terms: Floats) -> Floats:
    """Log of the sum of exponentials over all axes but the first; -inf for an empty sum."""
    flat = log_terms.reshape(len(log_terms), -1)
    return np.asarray(np.logaddexp.reduce(flat, axis=1, initial=-np.inf))
