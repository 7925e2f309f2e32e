"""Intervals agree with PHEindicatormethods 2.1.0 (tests/reference/benchmarking)."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from pmf_analysis.measures.intervals import (
    difference_interval,
    mean_interval,
    poisson,
    wilson,
)


@pytest.fixture(scope="module")
def expected(repository: Path) -> pd.DataFrame:
    return pd.read_csv(repository / "tests/reference/benchmarking/intervals.csv.gz")


@pytest.mark.parametrize(("level", "confidence"), [("95_0cl", 0.95), ("99_8cl", 0.998)])
def test_every_case_agrees(expected: pd.DataFrame, level: str, confidence: float) -> None:
    assert len(expected) == 1500
    proportions = wilson(expected["count"], expected["denominator"], confidence)
    rates = [
        bound / expected["denominator"] * 1000 for bound in poisson(expected["count"], confidence)
    ]
    for side, proportion, rate in zip(("lower", "upper"), proportions, rates, strict=True):
        np.testing.assert_allclose(
            proportion, expected[f"wilson_{side}{level}"], rtol=1e-9, atol=1e-12
        )
        np.testing.assert_allclose(rate, expected[f"rate1000_{side}{level}"], rtol=1e-9)


def test_missing_and_impossible_input_gives_nan() -> None:
    for lower, upper in [
        wilson([np.nan, 3, 5, -1, 2], [10, 0, 4, 10, np.nan]),
        poisson([np.nan, -1]),
    ]:
        assert np.isnan(lower).all() and np.isnan(upper).all()


@given(st.integers(0, 5000), st.integers(1, 5000))
def test_interval_holds_its_estimate_and_widens_with_confidence(count: int, more: int) -> None:
    for interval, estimate in [
        (lambda level: wilson(count, count + more, level), count / (count + more)),
        (lambda level: poisson(count, level), count),
    ]:
        (low, high), (lowest, highest) = interval(0.95), interval(0.998)
        assert 0 <= lowest <= low <= estimate <= high <= highest


@pytest.mark.parametrize(
    ("first", "second", "lower", "upper"),
    [  # Newcombe (1998), Statistics in Medicine 17: 873-890, table II, method 10
        ((56, 70), (48, 80), 0.0524, 0.3339),
        ((9, 10), (3, 10), 0.1705, 0.8090),
        ((6, 7), (2, 7), 0.0582, 0.8062),
        ((5, 56), (0, 29), -0.0381, 0.1926),
        ((0, 10), (0, 20), -0.1611, 0.2775),
        ((10, 10), (0, 20), 0.6791, 1.0),
    ],
)
def test_differences_of_two_proportions_are_those_of_newcombe(
    first: tuple[int, int], second: tuple[int, int], lower: float, upper: float
) -> None:
    shares = [np.array(x / n) for x, n in (first, second)]
    found = difference_interval(shares[0], wilson(*first), shares[1], wilson(*second))
    assert [float(bound) for bound in found] == pytest.approx([lower, upper], abs=6e-5)


def test_differences_and_ratios_hold_the_truth_as_often_as_they_say() -> None:
    rng = np.random.default_rng(3)
    seen = rng.normal([12.0, 9.0], 0.8, (20_000, 2)).T
    ends = [(one - 1.96 * 0.8, one + 1.96 * 0.8) for one in seen]
    lower, upper = difference_interval(seen[0], ends[0], seen[1], ends[1])
    assert 0.94 < ((lower <= 3) & (upper >= 3)).mean() < 0.96
    (one, first), (other, second) = (
        (np.log(value), (np.log(low), np.log(high)))
        for value, (low, high) in zip(seen, ends, strict=True)
    )
    below, above = np.exp(difference_interval(one, first, other, second))
    assert 0.94 < ((below <= 12 / 9) & (above >= 12 / 9)).mean() < 0.96
    # both say nearly always the same of equality
    assert ((lower > 0) == (below > 1)).mean() > 0.97


def test_each_place_may_have_a_level_of_its_own() -> None:
    levels = np.array([0.95, 0.998])
    for many, single in [
        (wilson([7, 7], [30, 30], levels), [wilson(7, 30, level) for level in levels]),
        (poisson([70, 7], levels), [poisson(n, level) for n, level in ((70, 0.95), (7, 0.998))]),
    ]:
        for side in (0, 1):
            np.testing.assert_allclose(many[side], [bounds[side] for bounds in single])


def test_a_mean_has_the_interval_of_student() -> None:
    from scipy.stats import t

    lower, upper = mean_interval([10, 10, 10], [2, 2, -1], [16, 1, 16], 0.998)
    assert (lower[0], upper[0]) == pytest.approx(t.interval(0.998, 15, 10, 0.5))
    assert np.isnan([lower[1:], upper[1:]]).all()
