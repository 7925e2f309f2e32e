"""Confidence intervals of counts, proportions and their differences: arrays in and out.

`confidence` is one level, or one for each place of the arrays.
"""

import numpy as np
from numpy.typing import ArrayLike

from pmf_analysis.measures.arrays import Floats

Bounds = tuple[Floats, Floats]


def wilson(count: ArrayLike, denominator: ArrayLike, confidence: ArrayLike = 0.95) -> Bounds:
    """Wilson score interval of proportions (Wilson 1927; Newcombe 1998), as fractions of 1.

    Missing or impossible input (no denominator, a count below 0 or above it) gives NaN.

    >>> lower, upper = wilson([50, 0], [100, 20])
    >>> [round(float(bound), 3) for bound in (*lower, *upper)]
    [0.404, 0.0, 0.596, 0.161]
    """
    x, n = np.broadcast_arrays(np.asarray(count, float), np.asarray(denominator, float))
    possible = (n > 0) & (x >= 0) & (x <= n)
    x, n = np.where(possible, x, np.nan), np.where(possible, n, np.nan)
    z = two_sided_z(confidence)
    middle = 2 * x + z**2
    reach = z * np.sqrt(z**2 + 4 * x * (1 - x / n))
    scale = 2 * (n + z**2)
    # rounding must not leave a sliver below 0 or above 1
    lower = np.where(x == 0, 0.0, (middle - reach) / scale)
    return lower, np.where(x == n, 1.0, (middle + reach) / scale)


def poisson(count: ArrayLike, confidence: ArrayLike = 0.95) -> Bounds:
    """Interval of an event count: Byar's approximation, and the exact interval below 10.

    Breslow and Day (1987) and Garwood (1936), as England's public health bodies use them. Divide
    by the denominator for a rate. Missing or negative counts give NaN.

    >>> lower, upper = poisson([0, 65])
    >>> [round(float(bound), 2) for bound in (*lower, *upper)]
    [0.0, 50.16, 3.69, 82.85]
    """
    from scipy.special import gammaincinv

    given = np.asarray(count, float)
    x = np.where(given >= 0, given, np.nan)
    z, tail = two_sided_z(confidence), (1 - np.asarray(confidence, float)) / 2
    byar = np.maximum(x, 1.0)  # keeps the formula defined where the exact one is used instead
    lower = byar * (1 - 1 / (9 * byar) - z / (3 * np.sqrt(byar))) ** 3
    upper = (x + 1) * (1 - 1 / (9 * (x + 1)) + z / (3 * np.sqrt(x + 1))) ** 3
    small = x < 10
    lower = np.where(small, np.where(x == 0, 0.0, gammaincinv(byar, tail)), lower)
    return lower, np.where(small, gammaincinv(x + 1, 1 - tail), upper)


def mean_interval(
    mean: ArrayLike, sd: ArrayLike, n: ArrayLike, confidence: ArrayLike = 0.95
) -> Bounds:
    """Interval of a mean of `n` cases with standard deviation `sd` (Student 1908).

    Fewer than two cases, a negative deviation and what is missing give NaN.

    >>> lower, upper = mean_interval(10, 2, 16)
    >>> [round(float(bound), 3) for bound in (lower, upper)]
    [8.934, 11.066]
    """
    from scipy.special import stdtrit

    size, spread = np.asarray(n, float), np.asarray(sd, float)
    size, spread = np.where(size >= 2, size, np.nan), np.where(spread >= 0, spread, np.nan)
    reach = stdtrit(size - 1, (1 + np.asarray(confidence, float)) / 2) * spread / np.sqrt(size)
    return np.asarray(mean - reach), np.asarray(mean + reach)


def difference_interval(
    first: Floats, first_bounds: Bounds, second: Floats, second_bounds: Bounds
) -> Bounds:
    """Interval of first minus second from the interval of each: square and add.

    Zou and Donner (2008); of two proportions with Wilson's intervals it is Newcombe's hybrid score
    interval (1998, method 10). Of logarithms it gives the interval of a ratio. The estimates must
    be independent. NaN gives NaN.
    """
    (low1, high1), (low2, high2) = first_bounds, second_bounds
    down = np.hypot(first - low1, high2 - second)
    return first - second - down, first - second + np.hypot(high1 - first, second - low2)


def two_sided_z(confidence: ArrayLike) -> Floats:
    """Give how many standard errors an interval of each level reaches to either side."""
    from scipy.special import ndtri

    return np.asarray(ndtri((1 + np.asarray(confidence, float)) / 2))
