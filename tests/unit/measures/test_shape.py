"""Shapes are told apart on simulated series whose shape is known."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from pmf_analysis.measures.shape import detect_shape, season_effects

SERIES = 300


def quarterly(values: np.ndarray) -> pd.DataFrame:
    count, n = values.shape
    periods = pd.date_range("2018-04-01", periods=n, freq="QS")
    return pd.DataFrame(
        {
            "series": np.repeat([f"s{i:04}" for i in range(count)], n),
            "period": np.tile(periods, count),
            "value": values.ravel(),
        }
    )


def noise(n: int) -> np.ndarray:
    return np.random.default_rng(n).normal(0, 1, (SERIES, n))


def shares(values: np.ndarray, **declared: str) -> pd.Series:
    found = detect_shape(quarterly(values), periods_per_year=4)
    return found["shape"].value_counts(normalize=True)


@pytest.mark.parametrize("n", [8, 12, 24])
def test_year_to_date_is_found(n: int) -> None:
    by_quarter = 20 + noise(n)
    running = by_quarter.reshape(SERIES, -1, 4).cumsum(axis=2).reshape(SERIES, n)
    assert shares(running).get("ytd", 0) >= 0.98
    assert shares(by_quarter).get("ytd", 0) <= 0.01
    assert shares(by_quarter + np.arange(n)).get("ytd", 0) <= 0.01


@pytest.mark.parametrize(("n", "share"), [(12, 0.5), (16, 0.68), (24, 0.86)])
def test_rolling_is_found_also_beside_a_trend(n: int, share: float) -> None:
    base = noise(n + 3)
    rolling = np.lib.stride_tricks.sliding_window_view(base, 4, axis=1).mean(axis=2)
    assert shares(rolling).get("rolling", 0) >= share
    assert shares(rolling + 0.1 * np.arange(n)).get("rolling", 0) >= share


@pytest.mark.parametrize("n", [12, 16, 24, 36])
def test_false_alarms_are_rare(n: int) -> None:
    for values in (noise(n), noise(n) + 0.3 * np.arange(n)):
        found = shares(values)
        assert found.get("rolling", 0) <= 0.04
        assert found.get("seasonal", 0) <= 0.03
    seasonal = noise(n) + 4 * np.tile([1.0, -1.0, 1.5, -1.5], n // 4)
    assert shares(seasonal).get("rolling", 0) <= 0.02
    assert shares(seasonal).get("seasonal", 0) >= 0.9


def test_declared_beats_detection_but_leaves_seasons_open() -> None:
    running = (20 + noise(16)).reshape(SERIES, -1, 4).cumsum(axis=2).reshape(SERIES, 16)
    table = quarterly(running[:1])
    for declared, expected in [("discrete", "seasonal"), ("rolling", "rolling"), ("ytd", "ytd")]:
        found = detect_shape(table, periods_per_year=4, declared={"s0000": declared})
        assert found["shape"].tolist() == [expected]
    flat = detect_shape(quarterly(noise(16)[:1]), periods_per_year=4, declared={"s0000": "ytd"})
    assert flat["treatment"].tolist() == ["same_period_last_year"]


def test_short_and_constant_series() -> None:
    found = detect_shape(quarterly(np.full((1, 4), 3.0)), periods_per_year=4)
    assert found[["shape", "treatment"]].to_numpy().tolist() == [["too_short", "none"]]
    found = detect_shape(quarterly(np.full((1, 9), 0.1)), periods_per_year={"s0000": 4})
    assert found[["shape", "treatment"]].to_numpy().tolist() == [["constant", "none"]]


def test_removing_seasons_keeps_level_and_trend() -> None:
    pattern = np.tile([3.0, -1.0, -4.0, 2.0], 5)
    table = quarterly((50 + 0.5 * np.arange(20) + pattern)[None, :])
    left = table["value"] - season_effects(table)
    np.testing.assert_allclose(left, 50 + 0.5 * np.arange(20), atol=1e-9)
