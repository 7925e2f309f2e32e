"""Dependence between successive values: found where it is, and not where it is not."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from pmf_analysis.measures.dependence import coefficient, steps_test, widened

RNG = np.random.default_rng(20261121)


def autoregressive(r: float, n: int) -> np.ndarray:
    values = [0.0]
    for _ in range(n + 50):
        values.append(r * values[-1] + RNG.normal())
    return np.array(values[-n:])


def share_found(r: float, drift: float = 0.0) -> float:
    series = [autoregressive(r, 40) + drift * np.arange(40) for _ in range(300)]
    return float(np.mean([coefficient(values) > 0 for values in series]))


def test_dependence_is_found_where_it_is() -> None:
    assert share_found(0.0) < 0.09
    assert share_found(0.9) > 0.8


def test_a_steady_rise_is_no_dependence_and_one_step_seldom_feigns_it() -> None:
    assert share_found(0.0, drift=2.0) < 0.09
    stepped = [np.r_[RNG.normal(size=30), RNG.normal(8, 1, 10)] for _ in range(300)]
    assert np.mean([coefficient(values) > 0 for values in stepped]) < 0.35


def test_wider_limits_hold_false_alarms_down() -> None:
    """The last of 30 values of a first-order autoregression, outside three standard deviations."""
    usual = wide = 0
    for _ in range(400):
        values = autoregressive(0.8, 30)
        half = 2.66 * np.abs(np.diff(values)).mean()
        limits = pd.DataFrame(
            {"mean": values.mean(), "lower_limit": values.mean() - half}, index=["s"]
        ).assign(upper_limit=values.mean() + half)
        made = widened(limits, pd.Series({"s": coefficient(values)})).loc["s"]
        usual += abs(values[-1] - values.mean()) > half
        wide += not made["lower_limit"] <= values[-1] <= made["upper_limit"]
    assert usual / 400 > 0.1 > 0.06 > wide / 400


def test_gaps_constants_and_short_series_show_nothing() -> None:
    assert coefficient(np.array([])) == coefficient(np.array([1.0])) == 0.0
    assert coefficient(np.full(20, 5.0)) == 0.0
    assert coefficient(np.r_[np.nan, np.arange(5.0), np.nan]) == 0.0


@pytest.mark.parametrize(
    ("values", "expected"),
    [
        ([1, 2, 3, 4, 5, 6, 7], (1, 2 / 2**6)),
        ([3, 2, 1, 2, 3], (0, 1.0)),
        ([1, 1, 1], (0, 1.0)),
        ([9, 8, 7, 6, 5, 4, 3, 4], (-1, 2 * 8 / 2**7)),
    ],
)
def test_steps_are_counted_exactly(values: list[float], expected: tuple[int, float]) -> None:
    way, chance = steps_test(np.array(values, dtype=float))
    assert (way, chance) == (expected[0], pytest.approx(expected[1]))
