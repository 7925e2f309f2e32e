"""Laws of `spc_chart`, and its named deviations from the reference."""

from __future__ import annotations

import math
import time
from dataclasses import replace
from itertools import groupby

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pmf_analysis.measures.spc import (
    PROFILES,
    RULES,
    RuleSet,
    rule_set,
    signals,
    spc_chart,
)

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
@settings(max_examples=60, deadline=None)
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
    start = time.process_time()  # other programs must not fail it
    chart = spc_chart(table)
    assert time.process_time() - start < 4  # measured: 0.6 s on a quiet machine
    assert len(chart.segments) == 100_000


@pytest.mark.parametrize("profile", list(PROFILES))
def test_ten_thousand_awkward_series_raise_nothing_false(profile: str) -> None:
    """G3: gaps, constants, infinities, one point, no point."""
    rng = np.random.default_rng(3)
    lengths = rng.integers(1, 30, 10_000)
    series = np.repeat(np.arange(10_000), lengths)
    value = rng.normal(50, 5, len(series)).round(rng.integers(0, 3))
    value[rng.random(len(series)) < (rng.random(10_000) * 0.4)[series]] = np.nan
    value[rng.random(len(series)) < 0.02] = rng.choice([np.inf, -np.inf])
    is_constant = series % 10 == 0
    value[is_constant & np.isfinite(value)] = 0.1
    value[series % 97 == 1] = np.nan
    table = pd.DataFrame({"series": series, "value": value})
    table["period"] = table.groupby("series").cumcount()
    chart = spc_chart(table, rules=profile, targets=dict.fromkeys(range(10_000), 45.0))
    points, segments = chart.points, chart.segments
    flagged = (points["rule"] != "none").to_numpy()
    assert len(points) == len(table) and len(segments) == 10_000
    assert 0.005 < flagged.mean() < 0.1
    assert not flagged[is_constant].any() and not flagged[~np.isfinite(value)].any()
    assert np.isfinite(points["value"].dropna()).all()
    assert ((points["point_type"] == "missing") == ~np.isfinite(value)).all()
    empty = segments["n"] == 0
    assert (segments.loc[empty, "variation"] == "").all() and empty.sum() > 100
    assert (segments.loc[segments["upper_limit"].isna(), "assurance"] == "").all()
    assert (points.loc[points["upper_limit"].isna(), "rule"] != "outside_limits").all()


def test_an_infinite_value_is_a_missing_one() -> None:
    numbers = [10.0, 11, 9, 10, np.inf, 10, 9, 11, 30]
    as_missing = [np.nan if np.isinf(number) else number for number in numbers]
    pd.testing.assert_frame_equal(
        spc_chart(one_series(numbers)).points, spc_chart(one_series(as_missing)).points
    )


@pytest.mark.parametrize("profile", list(PROFILES))
def test_flags_are_the_same_in_any_unit_order_and_type(profile: str) -> None:
    """G14, on 600 series of whole numbers, where ties are common."""
    rng = np.random.default_rng(14)
    table = pd.concat(
        [
            pd.DataFrame({"series": kind, "period": range(n), "value": rng.poisson(6, n)})
            for kind, n in enumerate(rng.integers(1, 40, 600))
        ]
    )
    before = spc_chart(table, rules=profile).points[["rule", "direction", "point_type"]]
    for scale, move in [(0.1, 0.0), (1 / 3, -7.7), (1e6, 0.3), (1.0, 1000.0)]:
        other = table.assign(value=table["value"] * scale + move)
        found = spc_chart(other, rules=profile).points
        pd.testing.assert_frame_equal(before, found[["rule", "direction", "point_type"]])
    shuffled = table.sample(frac=1.0, random_state=1).astype({"value": "float32"})
    shuffled = shuffled.assign(series=shuffled["series"].astype("int16"), note="x")
    found = spc_chart(shuffled, rules=profile).points
    pd.testing.assert_frame_equal(before, found[["rule", "direction", "point_type"]])


def nearer_the_limit(numbers: list[float], lower: float, mean: float, upper: float) -> list[bool]:
    """Wheeler's rule by its words: three of four successive values, one by one."""
    marked = [False] * len(numbers)
    for start in range(len(numbers) - 3):
        for limit in (lower, upper):
            near = [
                place
                for place in range(start, start + 4)
                if abs(numbers[place] - limit) < abs(numbers[place] - mean)
                or (numbers[place] - limit) * (limit - mean) > 0
            ]
            if len(near) >= 3:
                for place in near:
                    marked[place] = True
    return marked


@given(st.lists(st.integers(0, 1000).map(float), min_size=4, max_size=30))
@settings(max_examples=50, deadline=None)
def test_wheeler_marks_three_of_four_nearer_a_limit(numbers: list[float]) -> None:
    only = replace(PROFILES["wheeler"], shift=None)
    points = spc_chart(one_series(numbers), rules=only).points
    limits = points[["lower_limit", "mean", "upper_limit"]].iloc[0]
    expected = nearer_the_limit(numbers, *limits)
    outside = (points["rule"] == "outside_limits").to_numpy()
    if limits.notna().all() and limits["upper_limit"] > limits["lower_limit"]:
        assert ((points["rule"] == "three_in_four") == expected & ~outside).all()


def test_wheeler_asks_for_eight_in_a_row_and_counts_points_beyond_the_limit() -> None:
    level = [10.0, 12, 8, 11, 9, 12, 8, 10, 11, 9] * 3
    limits = pd.DataFrame({"series": ["a"], "mean": 10.0, "lower_limit": 4.0, "upper_limit": 16.0})
    above = spc_chart(one_series([*level, 14, 17, 9.5, 14]), rules="wheeler", baseline=limits)
    rules = above.points["rule"].tolist()
    assert rules[-4:] == ["three_in_four", "outside_limits", "none", "three_in_four"]
    eight = one_series([*level[:-1], 9, *[10.5] * 8])
    assert (spc_chart(eight, rules="wheeler", baseline=limits).points["rule"] == "shift").sum() == 8
    seven = spc_chart(eight.iloc[:-1], rules="wheeler", baseline=limits).points
    assert (seven["rule"] == "none").all()


def anhoej(side: list[int]) -> tuple[bool, bool]:
    """Longest run and crossings by their published definition, with an exact binomial."""
    useful = [here for here in side if here]
    runs = [len(list(run)) for _, run in groupby(useful)]
    n = len(useful)
    chance, least = 0.0, 0
    while (chance := chance + math.comb(n - 1, least) / 2 ** (n - 1)) < 0.05:
        least += 1
    return max(runs) > round(math.log2(n)) + 3, len(runs) - 1 < least


@given(st.lists(st.sampled_from([-1, -1, 0, 1, 1]), min_size=8, max_size=40), st.data())
@settings(max_examples=60, deadline=None)
def test_anhoej_agrees_with_its_definition(side: list[int], data: st.DataObject) -> None:
    side = data.draw(st.sampled_from([side, sorted(side)]))
    if not any(side):
        return
    limits = pd.DataFrame({"series": ["a"], "mean": 0.0, "lower_limit": -9.0, "upper_limit": 9.0})
    chart = spc_chart(one_series([float(x) for x in side]), rules="anhoej", baseline=limits)
    rules = chart.points["rule"].tolist()
    long, few = anhoej(side)
    assert ("shift" in rules) == long
    newest = [place for place, here in enumerate(side) if here]
    newest = newest[max([0, *(k + 1 for k in range(len(newest) - 1)
                              if side[newest[k]] != side[newest[k + 1]])]) :]  # fmt: skip
    if few:
        assert {rules[place] for place in newest} <= {"crossings", "shift"}
        assert sum(rule == "crossings" for rule in rules) in (0, len(newest))
    else:
        assert "crossings" not in rules
    assert all(rules[place] == "none" for place, here in enumerate(side) if not here)


def test_anhoej_has_the_limits_of_qicharts2_and_judges_segments_apart() -> None:
    numbers = [1.0, 3, 2, 5, 4, 6, 3, 2]
    segment = spc_chart(one_series(numbers), rules="anhoej").segments.iloc[0]
    ranges = np.abs(np.diff(numbers))
    assert segment["upper_limit"] - segment["mean"] == pytest.approx(3 * ranges.mean() / 1.128)
    stepped = one_series([*[1.0, 2, 3, 2, 1.5, 2.5] * 3, *[11.0, 12, 13, 12, 11.5, 12.5] * 3])
    whole = spc_chart(stepped, rules="anhoej").points["rule"]
    assert (whole != "none").sum() >= 18
    apart = spc_chart(stepped, rules="anhoej", rebase={"a": [18]}).points["rule"]
    assert (apart == "none").all()


def test_run_lengths_and_ties_can_be_chosen() -> None:
    assert rule_set("mdc", shift=8, ties=None) == RuleSet(shift=8)
    assert rule_set("wheeler", trend=6, screen=True).trend == 6
    level = [10.0, 12, 8, 11, 9, 12, 8, 10, 11, 9] * 2
    limits = pd.DataFrame({"series": ["a"], "mean": 10.0, "lower_limit": 0.0, "upper_limit": 20.0})
    for length in (6, 7, 8):
        for run in (length - 1, length):
            table = one_series([*level, *[10.5, 10.6] * 4][: 20 + run])
            for name in PROFILES:
                rules = rule_set(name, shift=length)
                marks = spc_chart(table, rules=rules, baseline=limits).points["rule"] == "shift"
                assert marks.sum() == (length if run == length else 0)
        rising = [9.0, *(9 - length / 10 + step / 10 for step in range(length))]
        rules = RuleSet(shift=None, trend=length, two_in_three=False)
        points = spc_chart(one_series(rising), rules=rules, baseline=limits).points
        assert (points["rule"] == "trend").sum() == length
        one_less = spc_chart(one_series(rising[:-1]), rules=rules, baseline=limits).points
        assert (one_less["rule"] == "none").all()


def test_signals_are_those_of_the_chart() -> None:
    values = np.random.default_rng(5).normal(size=(400, 20)).round(1)
    table = pd.concat([one_series(list(row), str(place)) for place, row in enumerate(values)])
    table["series"] = table["series"].astype(int)
    for rules in PROFILES.values():
        points = spc_chart(table, rules=rules).points
        rule, direction = signals(values, rules)
        assert [RULES[code] for code in rule.ravel()] == points["rule"].tolist()
        assert direction.ravel().tolist() == points["direction"].tolist()
