"""How many signals chance alone gives, against simulation, and targets missed in earlier years."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd
import pytest
from numpy.typing import NDArray

from pmf_analysis.measures.shape import season_effects
from pmf_analysis.measures.short_series import attained_size, mann_kendall
from pmf_analysis.measures.spc import spc_chart
from pmf_analysis.measures.trend import trend_verdicts
from pmf_analysis.measures.trend_tables import expected_signals, fine_figures, off_target

Values = NDArray[np.float64]
CHART_FROM = 13


def pack(rng: np.random.Generator, series: int, n: int, correlation: float = 0.0) -> Values:
    """Stable series, a row each, that share a common factor."""
    own = rng.normal(size=(series, n)) * np.sqrt(1 - correlation)
    return own + np.sqrt(correlation) * rng.normal(size=n)


def tables(values: Values, **columns: Any) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Result tables of stable quarterly series, as the verdict layer would give them."""
    count, n = values.shape
    names = [f"i{number:03d}|A|||v1" for number in range(count)]
    trends = pd.DataFrame({"series": names, "indicator": [name[:4] for name in names]})
    method = "xmr" if n >= CHART_FROM else "mann_kendall"
    said = {"verdict": "no_clear_change", "method": method, "shape": "discrete"}
    said |= {"treatment": "as_it_is", "chance_alone": 0.015, "frequency": "quarterly"}
    periods = pd.date_range("2010-04-01", periods=n, freq="3MS")
    points = pd.DataFrame({"series": np.repeat(names, n), "period": np.tile(periods, count)})
    points = points.assign(value=values.ravel(), segment=0, mean=0.0, point_type="common_cause")
    return trends.assign(**{**said, **columns}), points


def expected(values: Values, *, seed: int = 1, draws: int = 200, **columns: Any) -> pd.Series:
    trends, points = tables(values, **columns)
    table = expected_signals(trends, points, {}, seed=seed, draws=draws)
    assert table["theme"].tolist() == [""]
    return table.iloc[0]


def signals(values: Values) -> int:
    """Signals that the newest values of the series show, by the methods themselves."""
    rows = tables(values)[1]
    if values.shape[1] < CHART_FROM:
        return int(mann_kendall(rows)["direction"].isin(["increasing", "decreasing"]).sum())
    return int(spc_chart(rows).segments["variation"].str.startswith("special").sum())


@pytest.mark.parametrize("correlation", [0.0, 0.5])
@pytest.mark.parametrize("n", [8, 20])
def test_expected_number_matches_simulation_within_a_fifth(n: int, correlation: float) -> None:
    rng = np.random.default_rng(20261031)
    rate = attained_size(n) if n < CHART_FROM else signals(pack(rng, 20_000, n)) / 20_000
    told = [expected(pack(rng, 40, n, correlation), seed=s, draws=60)["value"] for s in range(12)]
    assert np.mean(told) == pytest.approx(40 * rate, rel=0.2)


def test_range_covers_nine_packs_of_ten_and_is_wider_where_indicators_move_together() -> None:
    highs = {}
    for correlation in (0.0, 0.5):
        rng = np.random.default_rng(7)
        covered, high = [], []
        for seed in range(20):
            values = pack(rng, 30, 8, correlation)
            told, found = expected(values, seed=seed, draws=100), signals(values)
            covered.append(told["low"] <= found <= told["high"])
            high.append(told["high"])
        assert np.mean(covered) >= 0.85
        highs[correlation] = np.mean(high)
    assert highs[0.5] > 1.3 * highs[0.0]


def test_whole_periods_move_so_copies_of_a_series_signal_together() -> None:
    rng = np.random.default_rng(3)
    for n in (12, 15):
        values = pack(rng, 1, n)
        values[0, 4] = np.nan  # a gap stays where it is
        one, many = expected(values), expected(np.repeat(values, 10, axis=0) * 3 + 1)
        assert one["value"] > 0
        assert many["value"] == pytest.approx(10 * one["value"])
        assert many["high"] == 10 * one["high"]


def test_monthly_and_quarterly_series_do_not_share_an_order() -> None:
    values = np.repeat(pack(np.random.default_rng(5), 1, 12), 2, axis=0)
    together, apart = expected(values), expected(values, frequency=["monthly", "quarterly"])
    assert together["value"] * 200 % 2 == 0 and apart["value"] > 0
    assert apart["value"] != together["value"]


def test_a_seasonal_series_is_judged_as_often_by_chance_as_after_taking_out_its_seasons() -> None:
    rng = np.random.default_rng(11)
    pattern = np.tile([4.0, -4.0, 2.0, -2.0], 4)
    noise = pack(rng, 800, 16)
    _, points = tables(noise + pattern)
    effect = season_effects(points)
    left = points["value"] - effect
    found = spc_chart(points.assign(value=left)).segments["variation"]
    rate = found.str.startswith("special").mean()
    trends, points = tables(noise[:150] + pattern, treatment="season_means_removed")
    points["effect"] = effect.iloc[: len(points)]
    told = expected_signals(trends, points, {}, seed=1, draws=60).iloc[0]
    assert told["value"] == pytest.approx(150 * rate, rel=0.25)
    kept = expected_signals(trends.assign(treatment="as_it_is"), points, {}, seed=1, draws=60)
    assert kept["value"].iloc[0] < 0.8 * told["value"]  # without estimating the seasons again


@pytest.mark.parametrize(
    "columns",
    [
        {"method": "recent_trend"},
        {"treatment": "wider_limits"},
        {"treatment": "non_overlapping"},
        {"method": "none"},
    ],
)
def test_series_that_cannot_be_reordered_signal_by_their_stated_chance(columns: Any) -> None:
    values = pack(np.random.default_rng(2), 4, 14)
    told = expected(values, **columns, chance_alone=[1.0, 1.0, 0.0, 0.0])
    assert (told["value"], told["low"], told["high"], told["n"]) == (2, 2, 2, 4)
    unknown = expected(np.repeat(values, 50, axis=0), **columns, chance_alone=np.nan)
    assert unknown["value"] == pytest.approx(200 * 0.05, rel=0.1)


def test_only_values_that_are_judged_count() -> None:
    """A constant never signals, whatever was before its last break or in exceptional periods."""
    values = np.full((1, 30), 7.0)
    values[0, :10] = 1000.0 + np.arange(10)
    values[0, 20] = 99.0
    trends, points = tables(values, shape="constant", chance_alone=np.nan)
    points["segment"] = np.arange(30) // 10 > 0
    points = points.assign(segment=points["segment"].astype(int))
    points.loc[20, "point_type"] = "missing"
    told = expected_signals(trends, points, {}, seed=1)
    assert told[["value", "low", "high", "n"]].iloc[0].tolist() == [0, 0, 0, 1]
    shown = expected_signals(trends, points.assign(point_type="common_cause"), {}, seed=1)
    assert shown["value"].iloc[0] > 0


def test_a_row_a_theme_and_one_for_the_council_in_which_each_series_counts_once() -> None:
    trends, points = tables(pack(np.random.default_rng(4), 4, 14), method="recent_trend")
    trends["chance_alone"] = [1.0, 1.0, 1.0, 1.0]
    trends["verdict"] = ["improving", "no_clear_change", "worsening", "cannot_judge"]
    themes = {"i000": ("place", "people"), "i001": ("people",), "i003": ("prosperity",)}
    table = expected_signals(trends, points, themes, seed=1).set_index("theme")
    assert table["n"].to_dict() == {"": 3, "people": 2, "place": 1}
    assert table["value"].to_dict() == {"": 3.0, "people": 2.0, "place": 1.0}
    assert set(table["measure"]) == {"chance_signals"} and set(table["period_label"]) == {""}
    nothing = expected_signals(trends.assign(verdict="cannot_judge"), points, themes, seed=1)
    assert nothing.empty and "high" in nothing.columns


def test_same_seed_same_table() -> None:
    values = pack(np.random.default_rng(4), 20, 20)
    assert expected(values).equals(expected(values))
    assert any(not expected(values, seed=s).equals(expected(values)) for s in (2, 3))


def test_it_reads_what_the_verdict_layer_writes() -> None:
    rng = np.random.default_rng(9)
    periods = pd.date_range("2016-04-01", periods=24, freq="3MS")
    frame = pd.concat(
        pd.DataFrame(
            {"indicator": name, "series": f"{name}|A|||v1", "area": "A", "period": periods[:n]}
        ).assign(value=rng.normal(50, 2, n) + season[:n], status="final")
        for name, n, season in [
            ("plain", 24, np.zeros(24)),
            ("short", 9, np.zeros(9)),
            ("seasonal", 24, np.tile([9.0, -9.0, 4.0, -4.0], 6)),
        ]
    )
    register = pd.DataFrame({"indicator": ["plain", "short", "seasonal"], "polarity": "higher"})
    register = register.assign(frequency="quarterly", accumulation="discrete", statistic="")
    trends, points = trend_verdicts(frame, register.assign(target_low=np.nan, target_high=np.nan))
    told = expected_signals(trends.assign(frequency="quarterly"), points, {}, seed=1)
    assert told["n"].iloc[0] == 3 and 0 < told["value"].iloc[0] < 0.5


def yearly_points(
    values: list[float], targets: list[float], *, first: str = "2024-07-01"
) -> pd.DataFrame:
    periods = pd.date_range(first, periods=len(values), freq="12MS")
    return pd.DataFrame({"period": periods, "value": values, "target": targets})


def test_off_target_counts_the_same_period_of_earlier_years() -> None:
    nan = np.nan
    # Quarterly, higher is better: missed two years before and now; no target in the year between.
    quarter = yearly_points([5.0, 9.0, 8.0], [6.0, nan, 8.5])
    other = yearly_points([0.0, 0.0], [9.0, 9.0], first="2024-10-01")  # another quarter
    # Annual, lower is better, newest a year old: met now, missed a year earlier.
    annual = yearly_points([4.0, 3.0], [3.5, 3.5], first="2024-04-01")
    # Near a value is best: the band decides; outside it only now.
    band = yearly_points([50.0, 50.0, 61.0], [nan, nan, nan])
    band = band.assign(target_low=45.0, target_high=[55.0, 55.0, 60.0])
    parts = {"q": pd.concat([quarter, other]), "a": annual, "b": band}
    points = pd.concat([part.assign(series=name) for name, part in parts.items()])
    trends = pd.DataFrame({"series": [*"qab"], "indicator": [*"qab"]})
    trends["frequency"] = ["quarterly", "annual", "quarterly"]
    trends["polarity"] = ["higher", "lower", "range"]
    trends["period"] = pd.to_datetime(["2026-07-01", "2025-04-01", "2026-07-01"])
    table = off_target(points, trends, {"q": ("place",), "b": ("place",), "a": ("people",)})
    told = table.set_index(["theme", "period_label"])[["value", "n"]].apply(tuple, axis=1)
    assert told.to_dict() == {
        ("", "0"): (2, 3),
        ("", "1"): (1, 2),
        ("", "2"): (1, 2),
        ("people", "0"): (0, 1),
        ("people", "1"): (1, 1),
        ("place", "0"): (2, 2),
        ("place", "1"): (0, 1),
        ("place", "2"): (1, 2),
    }
    assert table["low"].isna().all() and set(table["measure"]) == {"off_target"}


def test_off_target_goes_back_four_years_and_takes_the_present_band_where_none_is_recorded() -> (
    None
):
    points = yearly_points([9.0] * 7, [np.nan] * 7, first="2020-07-01").assign(series="s")
    trends = pd.DataFrame({"series": ["s"], "indicator": ["i"], "frequency": "annual"})
    trends = trends.assign(polarity="range", period=pd.Timestamp("2026-07-01"))
    assert off_target(points, trends, {}).empty
    table = off_target(points, trends.assign(target_low=1.0, target_high=5.0), {})
    assert table["period_label"].tolist() == ["0", "1", "2", "3", "4"]
    assert table["value"].tolist() == [1.0] * 5


def test_the_chance_of_coarse_figures_is_not_stated() -> None:
    trends = pd.DataFrame(
        {
            "features": ["rounded", "bounded;rounded", "", "rounded"],
            "method": ["xmr", "xmr", "xmr", "mann_kendall"],
            "chance_alone": 0.015,
        }
    )
    assert fine_figures(trends)["chance_alone"].notna().tolist() == [False, False, True, False]
