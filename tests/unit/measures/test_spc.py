"""Laws of `spc_chart`, and its named deviations from the reference."""

from __future__ import annotations

import time

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pmf_analysis.measures.spc import RuleSet, spc_chart

values = st.lists(st.integers(0, 40).map(float), min_size=1, max_size=30)
gappy = st.lists(st.one_of(st.none(), st.integers(0, 12).map(float)), min_size=1, max_size=30).map(
    lambda items: [np.nan if item is None else item for item in items]
)


def one_series(numbers: list[float], name: str = "a") -> pd.DataFrame:
    return pd.DataFrame({"series": name, "period": range(len(numbers)), "value": numbers})


def test_published_example_of_screening() -> None:
    numbers = [1, 2, 1, 2, 10, 1, 2, 1, 2, 1, 2, 1, 2, 1, 2, 1, 2, 1]
    screened = spc_chart(one_series(numbers)).segments.iloc[0]
    unscreened = spc_chart(one_series(numbers), screen=False).segments.iloc[0]
    assert screened["mean"] == pytest.approx(1.94444, abs=1e-5)
    assert screened[["lower_limit", "upper_limit"]].tolist() == pytest.approx(
        [-0.71556, 4.60444], abs=1e-5
    )
    assert unscreened[["lower_limit", "upper_limit"]].tolist() == pytest.approx(
        [-3.06261, 6.95150], abs=1e-5
    )


@given(values)
@settings(max_examples=60, deadline=None)
def test_flipping_polarity_swaps_good_and_bad_and_nothing_else(numbers: list[float]) -> None:
    up = spc_chart(one_series(numbers), improvement="higher").points
    down = spc_chart(one_series(numbers), improvement="lower").points
    swap = {
        "special_cause_improvement": "special_cause_concern",
        "special_cause_concern": "special_cause_improvement",
    }
    assert (up["point_type"].replace(swap) == down["point_type"]).all()
    pd.testing.assert_frame_equal(up.drop(columns="point_type"), down.drop(columns="point_type"))


@given(gappy, st.sampled_from([0.5, 3.0, 1e6]), st.integers(-1000, 1000))
@settings(max_examples=60, deadline=None)
def test_scale_and_origin_change_no_flag(numbers: list[float], scale: float, move: int) -> None:
    before = spc_chart(one_series(numbers)).points
    after = spc_chart(one_series([number * scale + move for number in numbers])).points
    columns = ["rule", "direction", "point_type"]
    pd.testing.assert_frame_equal(before[columns], after[columns])


@given(st.permutations(range(16)))
@settings(max_examples=25, deadline=None)
def test_row_order_and_dtype_change_nothing(order: list[int]) -> None:
    table = pd.concat([one_series([3, 9, 4, 4, 8, 1, 2, 3], name) for name in ("b", "a")])
    shuffled = table.iloc[list(order)].astype({"value": "float32", "series": "object"})
    expected, found = spc_chart(table).points, spc_chart(shuffled).points
    pd.testing.assert_frame_equal(expected, found.astype({"series": "str"}))


@given(st.floats(-1e6, 1e6), st.integers(2, 30), st.integers(0, 29))
@settings(max_examples=60, deadline=None)
def test_constant_series_raises_no_flag(level: float, n: int, nudged: int) -> None:
    numbers = [level] * n
    numbers[nudged % n] = float(np.nextafter(level, np.inf))
    chart = spc_chart(one_series(numbers), targets={"a": level - 1})
    segment = chart.segments.iloc[0]
    assert (chart.points["rule"] == "none").all()
    assert segment["lower_limit"] == segment["mean"] == segment["upper_limit"]
    assert (segment["assurance"], segment["reason"]) == (
        "consistent_pass",
        "every value is the same",
    )


@pytest.mark.parametrize(
    ("improvement", "target", "expected"),
    [
        ("higher", 7, "consistent_pass"),
        ("higher", 7.5, "consistent_fail"),
        ("lower", 7, "consistent_pass"),
        ("lower", 6, "consistent_fail"),
        ("range", (6.0, 7.0), "consistent_pass"),
        ("range", (8.0, 9.0), "consistent_fail"),
        ("none", 7, ""),
    ],
)
def test_constant_series_is_compared_directly(improvement, target, expected) -> None:
    chart = spc_chart(one_series([7.0] * 14), improvement=improvement, targets={"a": target})
    assert chart.segments["assurance"].tolist() == [expected]


@given(gappy)
@settings(max_examples=100, deadline=None)
def test_missing_values_break_runs_and_never_crash(numbers: list[float]) -> None:
    points = spc_chart(one_series(numbers), targets={"a": 5.0}).points
    missing = points["value"].isna()
    assert ((points["point_type"] == "missing") == missing).all()
    assert (points.loc[missing, "rule"] == "none").all()
    stretch = points.assign(stretch=missing.cumsum())[~missing.to_numpy()]
    longest = stretch.groupby("stretch")["value"].transform("size")
    assert (longest[stretch["rule"].isin(["shift", "trend"])] >= 7).all()


def test_moving_ranges_across_a_gap_are_dropped() -> None:
    segment = spc_chart(one_series([1, 2, 1, np.nan, 11, 12, 11]), screen=False).segments.iloc[0]
    assert segment["upper_limit"] - segment["mean"] == pytest.approx(2.66)
    lonely = spc_chart(one_series([1, np.nan, 5, np.nan, 9])).segments.iloc[0]
    assert np.isnan(lonely["upper_limit"]) and lonely["reason"]


def test_range_polarity_judges_by_distance_to_the_band() -> None:
    wobble = [10, 11, 10, 9, 10, 11, 10, 9, 10, 11, 10, 9]
    for last, expected in [(20, "improvement"), (0, "concern")]:
        chart = spc_chart(
            one_series([*wobble, last]), improvement="range", targets={"a": (18.0, 22.0)}
        )
        assert chart.segments["variation"].tolist() == [f"special_cause_{expected}"]
    without_band = spc_chart(one_series([*wobble, 20]), improvement="range")
    assert without_band.segments["variation"].tolist() == ["special_cause_neutral_high"]
    rising = spc_chart(one_series([*range(8)]), improvement="range", targets={"a": (18.0, 22.0)})
    assert rising.segments["variation"].tolist() == ["special_cause_improvement"]


def test_target_of_the_last_point_decides_assurance() -> None:
    table = one_series([10, 11, 10, 9] * 4)
    targets = pd.DataFrame({"series": "a", "period": [0, 15], "target": [100.0, 2.0]})
    assert spc_chart(table, targets=targets).segments["assurance"].tolist() == ["consistent_pass"]
    early = spc_chart(table, targets=targets.iloc[:1])
    assert early.segments["assurance"].tolist() == [""]


def test_frozen_limits_hold_until_a_rebase() -> None:
    first = spc_chart(one_series([10, 12, 9, 11, 10, 12]))
    later = one_series([10, 12, 9, 11, 10, 12, 20, 21, 20, 22])
    frozen = spc_chart(later, baseline=first.segments, rebase={"a": [8]})
    assert frozen.segments.loc[0, "mean"] == first.segments.loc[0, "mean"]
    assert frozen.points["rule"].tolist()[6:8] == ["outside_limits"] * 2
    assert frozen.segments["mean"].tolist()[1] == 21


def test_profiles_and_rule_sets() -> None:
    six = [1, 2, 3, 4, 5, 5.0, 6, 7]
    assert (spc_chart(one_series(six)).points["rule"] != "trend").all()
    skipping = spc_chart(one_series(six), rules=RuleSet(ties="skip")).points
    assert (skipping["rule"] == "trend").sum() == 6  # the ends lie outside the limits
    eight_above = one_series([0, 0.5, 0.2, 0.4, *[1.1, 1.0] * 4])
    seven = (spc_chart(eight_above.iloc[:-1]).points["rule"] == "shift").sum()
    assert seven == 7
    assert "shift" not in set(spc_chart(eight_above.iloc[:-1], rules="wheeler").points["rule"])
    with pytest.raises(ValueError, match="no rule profile 'nelson'"):
        spc_chart(eight_above, rules="nelson")


def test_two_rows_for_one_period_are_refused() -> None:
    with pytest.raises(ValueError, match="two rows"):
        spc_chart(pd.concat([one_series([1, 2]), one_series([3])]))


def test_empty_table() -> None:
    chart = spc_chart(one_series([]).astype({"series": "str", "value": "float"}))
    assert chart.points.empty and chart.segments.empty


@pytest.mark.slow
def test_a_hundred_thousand_series_take_seconds() -> None:
    rng = np.random.default_rng(1)
    table = pd.DataFrame(
        {
            "series": np.repeat(np.arange(100_000), 24),
            "period": np.tile(np.arange(24), 100_000),
            "value": rng.normal(50, 5, 2_400_000),
        }
    )
    start = time.perf_counter()
    chart = spc_chart(table)
    assert time.perf_counter() - start < 20  # measured: about 2 s
    assert len(chart.segments) == 100_000
