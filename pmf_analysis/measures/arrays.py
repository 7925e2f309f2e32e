"""Kinds of arrays that measures hand to each other, and their median."""

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]
Flags = NDArray[np.bool_]
Places = NDArray[np.intp]
Integers = NDArray[np.int64]


def from_median(values: Floats, axis: int = -1) -> tuple[Floats, Floats]:
    """Median along an axis, and the median of the absolute distances to it (MAD, not scaled).

    Missing values (NaN) are left out; where all are missing, both are NaN. The axis is kept with
    length 1, so that ``(values - median) / mad`` is the distance in MADs.

    >>> median, mad = from_median(np.array([1.0, 2.0, np.nan, 4.0, 9.0]))
    >>> float(median[0]), float(mad[0])
    (3.0, 1.5)
    """
    median = _middle(values, axis)
    return median, _middle(np.abs(values - median), axis)


def _middle(values: Floats, axis: int) -> Floats:
    """Median without what is missing: sorted, missing values stand at the end."""
    ordered = np.sort(values, axis=axis)
    n = (~np.isnan(ordered)).sum(axis=axis, keepdims=True)
    lower, upper = np.maximum(n - 1, 0) // 2, np.minimum(n // 2, ordered.shape[axis] - 1)
    at = [np.take_along_axis(ordered, place, axis=axis) for place in (lower, upper)]
    return np.asarray((at[0] + at[1]) / 2)
