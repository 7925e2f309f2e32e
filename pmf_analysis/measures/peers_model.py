"""What the changes of like councils say about the next change of one of them.

The h-period change is regressed on the distance to the peers' median (regression to the mean) and
on recent changes. A year that moved every council is one observation of such a movement, not
dozens: the common movement has its own, wide, distribution (target-realism.md 4.3, 11 a).
"""

from dataclasses import dataclass

import numpy as np

from pmf_analysis.measures.arrays import Flags, Floats, Places, constants
from pmf_analysis.measures.chance import DRAWS, middles, quantiles, student_quantiles

_SET = constants("peers_model")


@dataclass(frozen=True)
class PeersModel:
    """Model of the change over so many periods; A areas, T places, F features."""

    slopes: Floats  # (F,)
    medians: int  # so many features, the first ones, are distances to a median
    unexplained: Floats  # DRAWS sorted draws of what the features leave, in units of `scale`
    scale: Floats  # (A,)
    features: Floats  # (A, T, F)
    values: Floats  # (A, T)
    changes: Floats  # pooled changes over the horizon, in the indicator's unit

    def draws(self, row: int, place: int) -> Floats:
        """Sorted draws (DRAWS,) of the value of an area so many periods after `place`.

        A feature that is not known counts as no distance, no change.
        """
        known = np.nan_to_num(self.features[row, place])
        expected = self.values[row, place] + float(known @ self.slopes)
        return np.asarray(expected + self.scale[row] * self.unexplained)

    def reversion(self, row: int, place: int) -> float:
        """Change expected from the distance to the medians alone; NaN where that is not known."""
        return float(self.features[row, place, : self.medians] @ self.slopes[: self.medians])


def fit_peers(
    values: Floats, *, horizon: int, season_length: int, lists: Flags | None = None
) -> PeersModel | None:
    """Fit the model to a panel; None with fewer usable changes than it needs.

    Parameters
    ----------
    values
        (A, T) of like areas on one line of periods, NaN where missing.
    lists
        (A, A) whether the area of a column is a neighbour of that of the row. Their median is a
        second point that areas revert to (target-realism.md 11 f); for an area of whose neighbours
        fewer than three are known it is the median of all.
    """
    if values.shape[1] <= horizon + 1:
        return None
    scale = _scales(values)
    features = _features(values, horizon, season_length, lists)
    change = values[:, horizon:] - values[:, :-horizon]
    complete = np.isfinite(change) & np.isfinite(features[:, :-horizon]).all(axis=2)
    area, year = np.nonzero(complete & (scale > 0)[:, None])
    if len(area) < _SET.fewest_changes:
        return None
    x = features[area, year] / scale[area, None]
    y = change[area, year] / scale[area]
    slopes = _slopes(np.clip(np.column_stack([x, y]), -_SET.unusual, _SET.unusual), year)
    left = y - x @ slopes
    by_year = np.full(change.shape, np.nan)
    by_year[area, year] = left
    common = _median(by_year, 1)
    steps = _common_movement(common[np.isfinite(common)], horizon)
    within = np.quantile(left - common[year], middles(_SET.residual_points))
    unexplained = quantiles(np.sort((within[:, None] + steps).ravel()), middles(DRAWS))
    found = (slopes, 1 if lists is None else 2, unexplained)
    return PeersModel(*found, scale, features, values, change[area, year])


def _scales(values: Floats) -> Floats:
    """Size (A,) of one-period changes: own, pulled half-way (geometrically) to the panel's."""
    own = 1.4826 * _median(np.abs(np.diff(values, axis=1)).T, 1)
    panel = _median(own[:, None], 1)[0]
    return np.asarray(np.sqrt(panel * np.maximum(np.where(np.isnan(own), panel, own), panel / 10)))


def _features(values: Floats, horizon: int, season_length: int, lists: Flags | None) -> Floats:
    """Distance to the medians, last change and, within years, seasonal moves (A, T, F)."""
    median = _median(values)
    features = [median - values, values - _earlier(values, 1)]
    if lists is not None:
        listed = np.argsort(~lists, axis=1, kind="stable")[:, : lists.sum(axis=1).max()]
        inside = np.take_along_axis(lists, listed, axis=1)
        near = _median(np.where(inside[..., None], values[listed], np.nan))
        features.insert(1, np.where(np.isnan(near), median, near) - values)
    if season_length > 1:
        year = season_length * -(-horizon // season_length)
        features.append(_earlier(values, year - horizon) - _earlier(values, year))
        features.append(values - _earlier(values, season_length))
    return np.stack(features, axis=2)


def _median(values: Floats, fewest: int = _SET.fewest_peers) -> Floats:
    """Median (..., T) over areas (..., A, T), NaN of fewer than so many."""
    known = np.isfinite(values).sum(axis=-2, keepdims=True)
    ordered = np.sort(values, axis=-2)  # NaN last
    last = values.shape[-2] - 1
    ends = (np.clip(place, 0, last) for place in ((known - 1) // 2, known // 2))
    middle = sum(np.take_along_axis(ordered, end, axis=-2) for end in ends) / 2
    return np.where(known >= fewest, middle, np.nan)[..., 0, :]


def _earlier(values: Floats, periods: int) -> Floats:
    """Value of each area that many periods before each place; NaN before the first."""
    is_known = np.arange(values.shape[1]) >= periods
    return np.where(is_known, np.roll(values, periods, axis=1), np.nan)


def _slopes(known: Floats, year: Places) -> Floats:
    """Ridge slopes of the last column on the others.

    They come from within-year differences, so that no common movement is in them.
    """
    counts = np.maximum(np.bincount(year), 1)
    means = [np.bincount(year, weights=column) / counts for column in known.T]
    inside = known - np.column_stack(means)[year]
    inside, target = inside[:, :-1], inside[:, -1]
    ridge = _SET.ridge * (inside**2).mean(axis=0) + np.finfo(float).eps
    return np.asarray(np.linalg.solve(inside.T @ inside + np.diag(ridge), inside.T @ target))


def _common_movement(movements: Floats, horizon: int) -> Floats:
    """Draws of the next common movement, from those of past origins (overlapping if horizon > 1).

    It is shrunk to none unless the evidence for a steady one is strong.
    """
    years = max(1.0, len(movements) / horizon)
    mean = float(movements.mean())
    variance = _movement_variance(movements, mean, years, horizon)
    centre = mean * max(0.0, 1 - 2 * variance / (years * mean**2)) if mean else 0.0
    variance = _movement_variance(movements, centre, years, horizon)
    spread = np.sqrt(variance * (1 + 1 / (years + 1)))
    return np.asarray(centre + spread * student_quantiles(_SET.freedom + years, _SET.common_points))


def _movement_variance(movements: Floats, centre: float, years: float, horizon: int) -> float:
    squares = ((movements - centre) ** 2).sum() * years / len(movements)
    return float((_SET.freedom * _SET.size**2 * horizon + squares) / (_SET.freedom + years))
