"""The verdict layer: which method speaks, what it says, and what it refuses to say."""

from __future__ import annotations

import time
from typing import Any

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pmf_analysis.measures.spc import spc_chart
from pmf_analysis.measures.trend import trend_verdicts

RNG = np.random.default_rng(20261031)
STEADY = [50.0, 52.0, 49.0, 51.0, 50.5, 48.5, 51.5, 49.5, 50.0, 52.0, 49.0, 51.0, 50.0, 51.0]
RISING = [40 + 2.0 * step for step in range(8)]
FREQUENCY = {"annual": "12MS", "quarterly": "3MS", "monthly": "MS"}


def register(**changes: Any) -> pd.DataFrame:
    row = {
        "indicator": "ind", "polarity": "higher", "statistic": "", "frequency": "quarterly",
        "accumulation": "discrete", "target_low": np.nan, "target_high": np.nan,
    }  # fmt: skip
    return pd.DataFrame([{**row, **changes}])


def observations(values: list[float], frequency: str = "quarterly", **columns: Any) -> pd.DataFrame:
    periods = pd.date_range("2016-04-01", periods=len(values), freq=FREQUENCY[frequency])
    table = pd.DataFrame({"series": "ind|A|||v1", "period": periods, "value": values})
    return table.assign(indicator="ind", area="A", status="final", **columns)


def judged(values: list[float], *, targets: Any = None, changes: Any = None, **declared: Any):
    declared_register = register(**declared)
    frequency = declared_register["frequency"].iloc[0]
    table = observations(values, frequency)
    trends, _ = trend_verdicts(table, declared_register, targets=targets, changes=changes)
    assert len(trends) == 1
    return trends.iloc[0]


def target_line(values: list[float], **columns: float) -> pd.DataFrame:
    return observations(values)[["series", "period"]].assign(**columns)


def test_too_few_points_are_shown_and_not_judged() -> None:
    found = judged([1.0, 2.0, 3.0, np.nan, 5.0])
    assert (found["verdict"], found["method"], found["value"]) == ("cannot_judge", "none", 5.0)
    assert found["reason"] == "Only 4 usable values; a verdict needs five."
    nothing = judged([np.nan, np.nan])
    assert nothing["verdict"] == "cannot_judge" and nothing["reason"].startswith("There is no")


@pytest.mark.parametrize(
    ("polarity", "verdict"),
    [("higher", "improving"), ("lower", "worsening"), ("none", "rising"),
     ("unknown", "cannot_judge")],
)  # fmt: skip
def test_short_series_are_tested_by_mann_kendall(polarity: str, verdict: str) -> None:
    found = judged(RISING, polarity=polarity)
    assert found["verdict"] == verdict
    if verdict == "cannot_judge":
        assert found["reason"] == "Nobody has declared which way is better."
    else:
        assert (found["method"], found["rule"]) == ("mann_kendall", "mann_kendall")
        assert (found["slope"], found["rule_points"]) == (2.0, 8)
        assert found["chance_alone"] == pytest.approx(0.031, abs=0.001)
    assert judged(STEADY[:8])["verdict"] == "no_clear_change"


def test_long_series_are_charted() -> None:
    found = judged([*STEADY, 70.0])
    assert (found["verdict"], found["method"]) == ("improving", "xmr")
    assert (found["rule"], found["rule_points"]) == ("outside_limits", 1)
    assert found["lower_limit"] < found["mean"] < found["upper_limit"] < 70
    assert 0.014 < found["chance_alone"] < 0.015
    assert judged(STEADY)["verdict"] == "no_clear_change"
    shifted = judged([*STEADY, *[value + 4 for value in STEADY[:8]]], polarity="lower")
    assert (shifted["verdict"], shifted["rule"]) == ("worsening", "shift")
    assert shifted["rule_points"] == 8


@pytest.mark.parametrize("n", [13, 24, 36])
def test_chance_alone_is_what_simulation_gives(n: int) -> None:
    count = 12_000
    noise = pd.DataFrame(
        {
            "series": np.repeat(np.arange(count), n),
            "period": np.tile(np.arange(n), count),
            "value": np.random.default_rng(n).normal(0, 1, count * n),
        }
    )
    called = (spc_chart(noise).segments["variation"] != "common_cause").mean()
    said = judged(list(RNG.normal(0, 1, n)), frequency="monthly")["chance_alone"]
    assert said == pytest.approx(called, rel=0.2)


def annual(counts: list[int], size: int = 2000) -> pd.DataFrame:
    table = observations([100 * count / size for count in counts], "annual")
    return table.assign(numerator=[float(count) for count in counts], denominator=float(size))


def test_annual_counts_get_the_recent_trend() -> None:
    declared = register(frequency="annual", statistic="proportion")
    rising, _ = trend_verdicts(annual([400, 400, 420, 460, 500, 540, 580]), declared)
    found = rising.iloc[0]
    assert (found["verdict"], found["method"], found["n"]) == ("improving", "recent_trend", 5)
    assert found["evidence"] == "counts" and found["p_value"] < 0.002 and found["slope"] > 0
    scattered, _ = trend_verdicts(annual([400, 400, 300, 500, 350, 700, 600]), declared)
    assert scattered["verdict"].tolist() == ["no_clear_change"]
    assert "scatter" in scattered["reason"].iloc[0]
    assert [rising["chance_alone"].iloc[0], scattered["chance_alone"].iloc[0]] == [0.002, 0.05]
    gap = annual([400, 400, 420, 460, 500, 540, 580, 620]).drop(index=5)
    assert trend_verdicts(gap, declared)[0]["method"].tolist() == ["mann_kendall"]


def test_published_intervals_get_the_recent_trend() -> None:
    table = observations([10.0, 11, 12, 13, 14], "annual")
    table = table.assign(ci_lower=table["value"] - 0.5, ci_upper=table["value"] + 0.5)
    found, _ = trend_verdicts(table, register(frequency="annual", polarity="lower"))
    assert found[["verdict", "evidence"]].to_numpy().tolist() == [["worsening", "interval"]]


def test_running_totals_are_compared_with_last_year_only() -> None:
    found = judged([10.0, 20, 30, 40] * 5, accumulation="ytd")
    assert (found["verdict"], found["shape"]) == ("cannot_judge", "ytd")
    assert found["treatment"] == "same_period_last_year" and "running total" in found["reason"]
    assert found["change_on_year"] == 0 and np.isnan(found["change"])


def test_rolling_windows_that_overlap_are_thinned_or_refused() -> None:
    rolling = [50 + 0.5 * step for step in range(24)]
    found = judged(rolling, accumulation="rolling")
    assert (found["n"], found["method"], found["verdict"]) == (6, "mann_kendall", "improving")
    assert found["treatment"] == "non_overlapping" and found["slope"] == 2.0
    few = judged(rolling[:16], accumulation="rolling")
    assert few["verdict"] == "cannot_judge" and "overlap" in few["reason"]
    three_year = judged(rolling, accumulation="rolling", frequency="annual", period_span="3y")
    assert three_year["n"] == 8


def test_seasons_are_removed_before_a_chart_is_drawn() -> None:
    pattern = np.tile([8.0, -4.0, -8.0, 4.0], 5)
    values = list(50 + pattern + RNG.normal(0, 1, 20))
    quiet = judged(values)
    assert (quiet["shape"], quiet["treatment"]) == ("seasonal", "season_means_removed")
    stepped = judged([*values[:16], *[value - 6 for value in values[16:]]])
    assert (stepped["verdict"], stepped["method"]) == ("worsening", "xmr")
    assert quiet["upper_limit"] - quiet["lower_limit"] < 12  # not the width of the seasons
    _, points = trend_verdicts(observations(values), register())
    assert points["upper_limit"].round(6).nunique() == 4
    assert points["value"].tolist() == values


def test_assurance_needs_length_and_stable_limits() -> None:
    target = {"targets": target_line(STEADY, target=40.0)}
    found = judged(STEADY, **target)
    assert (found["assurance"], found["met_share"]) == ("consistent_pass", 1.0)
    assert found["target"] == 40 and found["reason"] == ""
    short = judged(STEADY[:12], targets=target_line(STEADY[:12], target=40.0))
    assert short["assurance"] == "" and "Fewer than 13" in short["reason"]
    moving = judged([*STEADY[:-1], 70.0], **target)
    assert moving["assurance"] == "" and "is changing" in moving["reason"]


def test_range_polarity_uses_the_declared_band() -> None:
    band = {"polarity": "range", "target_low": 48.0, "target_high": 60.0}
    assert judged(RISING, **{**band, "target_low": 55.0})["verdict"] == "improving"
    assert judged(RISING, **{**band, "target_low": 10.0, "target_high": 20.0})["verdict"] == (
        "worsening"
    )
    wide = judged(STEADY, **{**band, "target_low": 30.0, "target_high": 70.0})
    assert (wide["assurance"], wide["met_share"]) == ("consistent_pass", 1.0)
    without = judged(RISING, polarity="range")
    assert without["reason"] == "Nobody has declared the range that is best."


def test_a_break_leaves_only_the_points_since() -> None:
    change = pd.DataFrame(
        {
            "indicator": ["ind"],
            "period_start": [pd.Timestamp("2019-04-01")],
            "kind": ["definition"],
            "comparable": [False],
        }
    )
    found = judged([*STEADY[:12], 90.0, 91.0], changes=change)
    assert (found["n"], found["verdict"]) == (2, "cannot_judge")
    assert "since the last recorded change" in found["reason"]
    assert np.isnan(found["change_on_year"]) and found["change"] == 1.0
    comparable = judged([*STEADY[:12], 90.0, 91.0], changes=change.assign(comparable=True))
    assert comparable["n"] == 14
    _, points = trend_verdicts(observations(STEADY), register(), changes=change)
    assert points["segment"].tolist() == [0] * 12 + [1, 1]


def test_gaps_show_and_constant_or_stuck_series_raise_no_flag() -> None:
    table = observations(STEADY).drop(index=5)
    trends, points = trend_verdicts(table, register())
    assert trends["n"].tolist() == [13]
    assert (points["point_type"] == "missing").sum() == 1 and len(points) == 14
    constant = judged([7.0] * 14)
    assert (constant["verdict"], constant["shape"]) == ("no_clear_change", "constant")
    assert judged([7.0] * 8)["verdict"] == "no_clear_change"
    stuck = judged([*[100.0] * 13, 99.0])
    assert stuck["verdict"] == "cannot_judge" and "equal" in stuck["reason"]


def test_period_cuts_off_what_came_later() -> None:
    trends, _ = trend_verdicts(observations(RISING), register(), period="2017-06-30")
    assert trends["period"].tolist() == [pd.Timestamp("2017-04-01")]


series_values = st.lists(st.integers(20, 60).map(float), min_size=1, max_size=20)


@given(series_values)
@settings(max_examples=8, deadline=None)
def test_flipping_polarity_swaps_good_and_bad_and_nothing_else(values: list[float]) -> None:
    (up, up_points), (down, down_points) = (
        trend_verdicts(observations(values), register(polarity=way)) for way in ("higher", "lower")
    )
    swap = {"improving": "worsening", "worsening": "improving"}
    assert (up["verdict"].replace(swap) == down["verdict"]).all()
    for name in ("arrow_short", "arrow_long"):
        assert (up[name].replace(swap) == down[name]).all()
    changed = ["verdict", "polarity", "arrow_short", "arrow_long"]
    pd.testing.assert_frame_equal(up.drop(columns=changed), down.drop(columns=changed))
    same = up_points.drop(columns="point_type"), down_points.drop(columns="point_type")
    pd.testing.assert_frame_equal(*same)


@given(series_values, st.sampled_from([0.25, 8.0]), st.integers(0, 500))
@settings(max_examples=8, deadline=None)
def test_scale_and_origin_change_no_verdict(values, scale: float, move: int) -> None:
    moved = [value * scale + move for value in values]
    columns = ["n", "shape", "method", "rule", "rule_points", "verdict", "reason"]
    assert judged(values)[columns].tolist() == judged(moved)[columns].tolist()


def test_row_order_and_other_series_change_nothing() -> None:
    table = observations([*STEADY, 70.0])
    other = observations(RISING).assign(series="ind|A|sex|F|v1")
    alone, _ = trend_verdicts(table, register())
    mixed, _ = trend_verdicts(pd.concat([other, table.sample(frac=1, random_state=1)]), register())
    both = mixed[mixed["series"] == "ind|A|||v1"].reset_index(drop=True)
    pd.testing.assert_frame_equal(alone, both)


def test_a_council_of_300_indicators_takes_seconds() -> None:
    names = [f"i{i:03}" for i in range(300)]
    values = RNG.normal(50, 5, (300, 40))
    tables = [
        observations(list(row)).assign(indicator=name, series=f"{name}|A|||v1")
        for name, row in zip(names, values, strict=True)
    ]
    many = pd.concat([register(indicator=name) for name in names])
    start = time.perf_counter()
    trends, points = trend_verdicts(pd.concat(tables), many)
    assert time.perf_counter() - start < 15  # measured: about 1.5 s on a busy machine
    assert (len(trends), len(points)) == (300, 12_000)
