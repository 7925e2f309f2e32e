"""What each part of the year adds to the level: beside a line, or shrunken for short series."""

import numpy as np

from pmf_analysis.measures.arrays import Flags, Floats


def line_and_seasons(values: Floats, member: Floats) -> tuple[Floats, Floats]:
    """Least squares of a straight line and seasons, for many series at once.

    Values and time are centred within seasons, which leaves the slope as one ratio.

    Parameters
    ----------
    values
        (k, n), missing values NaN.
    member
        (k, n, seasons), 1 where a value belongs to a season; the others are left out.

    Returns
    -------
    tuple
        (k,) sum of squares left; (k, seasons) deviations of the seasons from their mean over the
        known values, NaN for a season that is never seen.
    """
    belongs = member * ~np.isnan(values)[..., None]
    counts, known = belongs.sum(axis=1), belongs.any(axis=2)
    total = np.maximum(known.sum(axis=1, keepdims=True), 1)
    value = np.where(known, values, 0.0)
    value = np.where(known, value - value.sum(axis=1, keepdims=True) / total, 0.0)
    both = np.stack([value, known * (np.arange(values.shape[1]) - values.shape[1] / 2)])
    means = np.einsum("ckt,ktm->ckm", both, belongs) / np.maximum(counts, 1)
    within = both - np.einsum("ckm,ktm->ckt", means, belongs)
    moved = (within[1] ** 2).sum(axis=1, keepdims=True)
    slope = (within[0] * within[1]).sum(axis=1, keepdims=True) / np.where(moved > 0, moved, 1.0)
    left = ((within[0] - slope * within[1]) ** 2).sum(axis=1)
    level = means[0] - slope * means[1]
    level -= (level * counts).sum(axis=1, keepdims=True) / total
    return left, np.where(counts > 0, level, np.nan)


def countable_seasons(observed: Flags, season_length: int) -> bool:
    """Whether there are two years of values and every season is seen at least twice."""
    counts = np.bincount(np.flatnonzero(observed) % season_length, minlength=season_length)
    return bool(season_length > 1 and counts.min() >= 2)


def seasonal_pattern(values: Floats, observed: Flags, season_length: int) -> Floats:
    """(S, season_length) mean deviations from a centred moving average, shrunk towards none.

    The James-Stein factor is max(0, 1 - 1/F), F the variance between seasons over that within
    (target-realism.md 4.1). Season 0 is that of the first column.

    Parameters
    ----------
    values
        (S, n); missing columns (the same in all series) are interpolated for the moving average
        and counted in no season.
    """
    columns, seen = np.arange(len(observed)), np.flatnonzero(observed)
    whole = np.array([np.interp(columns, seen, row[seen]) for row in values])
    detrended = (values - _moving_average(whole, season_length))[:, observed]
    season = seen % season_length
    member = np.eye(season_length)[season]
    counts = member.sum(axis=0)
    means = detrended @ member / counts
    means -= means.mean(axis=1, keepdims=True)
    between = (counts * means**2).sum(axis=1) / (season_length - 1)
    left = detrended - detrended.mean(axis=1, keepdims=True) - means[:, season]
    within = (left**2).sum(axis=1) / (len(season) - season_length)
    ratio = within / np.maximum(between, np.finfo(float).tiny)
    return np.asarray(means * np.clip(1 - ratio, 0, 1)[:, None])


def _moving_average(values: Floats, season_length: int) -> Floats:
    """Centred moving average over a year, carried on at both ends with its own mean slope."""
    half, is_even = season_length // 2, season_length % 2 == 0
    kernel = np.convolve(np.ones(season_length), [0.5, 0.5] if is_even else [1.0])
    windows = np.lib.stride_tricks.sliding_window_view(values, len(kernel), axis=1)
    middle = windows @ (kernel / season_length)
    steps = max(middle.shape[1] - 1, 1)
    slope = (middle[:, -1:] - middle[:, :1]) / steps
    ends = slope * np.arange(1, half + 1)
    return np.hstack([middle[:, :1] - ends[:, ::-1], middle, middle[:, -1:] + ends])
