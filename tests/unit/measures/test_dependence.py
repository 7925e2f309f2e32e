"""Dependence between successive values: found where it is, and not where it is not."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from pmf_analysis.measures.dependence import (
    coefficients,
    dependence,
    steps_test,
    widened,
)

RNG = np.random.default_rng(20261121)


def coefficient(*values: np.ndarray) -> np.ndarray:
    """Coefficient of each series."""
    rows = [
        pd.DataFrame({"series": f"{number:04}", "period": range(len(each)), "value": each})
        for number, each in enumerate(values)
    ]
    return coefficients(pd.concat(rows)).to_numpy()


def autoregressive(r: float, n: int) -> np.ndarray:
    values = [0.0]
    for _ in range(n + 50):
        values.append(r * values[-1] + RNG.normal())
    return np.array(values[-n:])


def share_found(r: float, drift: float = 0.0) -> float:
    series = [autoregressive(r, 40) + drift * np.arange(40) for _ in range(300)]
    return float(np.mean(coefficient(*series) > 0))


def test_dependence_is_found_where_it_is_also_in_series_with_gaps() -> None:
    assert share_found(0.0) < 0.05
    assert share_found(0.9) > 0.9
    gappy = [np.where(RNG.random(40) < 0.2, np.nan, autoregressive(0.9, 40)) for _ in range(60)]
    assert np.mean(coefficient(*gappy) > 0) > 0.8
    gappy = [np.where(RNG.random(40) < 0.2, np.nan, RNG.normal(size=40)) for _ in range(60)]
    assert np.mean(coefficient(*gappy) > 0) < 0.1


def test_a_steady_rise_or_one_step_is_no_dependence() -> None:
    assert share_found(0.0, drift=2.0) < 0.05
    stepped = [np.r_[RNG.normal(size=30), RNG.normal(8, 1, 10)] for _ in range(300)]
    assert np.mean(coefficient(*stepped) > 0) < 0.05


def test_wider_limits_hold_false_alarms_down() -> None:
    """The last of 30 values of a first-order autoregression, outside three standard deviations."""
    series = np.array([autoregressive(0.8, 30) for _ in range(400)])
    half = 2.66 * np.abs(np.diff(series, axis=1)).mean(axis=1)
    mean, last = series.mean(axis=1), series[:, -1]
    limits = pd.DataFrame({"mean": mean, "lower_limit": mean - half, "upper_limit": mean + half})
    made = widened(limits, pd.Series(coefficient(*series)))
    assert np.mean(np.abs(last - mean) > half) > 0.1
    assert np.mean((last < made["lower_limit"]) | (last > made["upper_limit"])) < 0.04


def test_gaps_constants_and_short_series_show_nothing() -> None:
    assert coefficient(np.array([1.0]), np.full(20, 5.0), np.full(20, np.nan)).tolist() == [0] * 3
    assert coefficient(np.r_[np.nan, np.arange(8.0), np.nan]).tolist() == [0]
    assert coefficients(pd.DataFrame({"series": [], "period": [], "value": []})).empty


def test_windows_are_likelier_than_chance_where_they_overlap() -> None:
    base = RNG.normal(size=(200, 39))
    windows = np.lib.stride_tricks.sliding_window_view(base, 4, axis=1).mean(axis=2)
    odds = dependence(windows, np.full(200, 4.0))[1]
    assert np.mean(odds > 0) > 0.95 and np.mean(dependence(base, np.full(200, 4.0))[1] > 0) < 0.02
    # Scale, level and drift change nothing.
    moved = dependence(1000 - 7 * windows + np.arange(36), np.full(200, 4.0))[1]
    np.testing.assert_allclose(moved, odds, atol=1e-4)


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
    rows = pd.DataFrame({"series": "a", "value": np.array(values, dtype=float)})
    found = steps_test(pd.concat([rows, rows.assign(series="b", value=-rows["value"])]))
    assert found["sign"].to_dict() == {"a": expected[0], "b": -expected[0]}
    assert found["p_value"].tolist() == pytest.approx([expected[1]] * 2)
    assert steps_test(rows.head(0)).empty
