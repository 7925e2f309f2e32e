"""Intervals agree with PHEindicatormethods 2.1.0 (tests/reference/benchmarking)."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from pmf_analysis.measures.intervals import poisson, wilson


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
