"""The verdict layer: which method speaks, what it says, and what it refuses to say."""

from __future__ import annotations

import time
from typing import Any

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pmf_analysis.measures.arrays import SENTENCES
from pmf_analysis.measures.spc import spc_chart
from pmf_analysis.measures.special_causes import LIMITS, RuleSet
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
    assert found["reason"] == "There are 4 usable values; a verdict needs five."
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


def test_what_was_left_out_as_exceptional_moves_no_recent_trend() -> None:
    declared = register(frequency="annual", statistic="proportion")
    verdict = set()
    for odd in (490, 1100):
        table = annual([380, 395, 390, 460, odd, 520, 545, 570])
        table["is_exceptional"] = table["numerator"] == odd
        found = trend_verdicts(table, declared)[0].iloc[0]
        verdict.add((found["verdict"], found["method"], found["p_value"]))
    assert len(verdict) == 1


def test_dependence_or_seasons_in_twelve_values_are_not_tested_for_a_tendency() -> None:
    seasons = np.tile([0.0, 40, 10, 70], 3) + np.arange(12) / 9
    found = judged(list(seasons), frequency="quarterly")
    assert (found["verdict"], found["n"]) == ("cannot_judge", 12)
    assert found["reason"] == "The figures follow the time of year: a verdict then needs 13."


def test_a_frozen_range_states_no_chance_and_no_smallest_step() -> None:
    values = list(RNG.normal(50, 2, 24))
    baselines = pd.DataFrame(
        {"indicator": ["indicator"], "recorded_on": [pd.Timestamp("2030-01-01")]}
    )
    baselines = baselines.assign(mean=50.0, lower_limit=44.0, upper_limit=56.0)
    baselines = baselines.assign(period_from=pd.NaT, period_until=pd.NaT)
    table = observations(values, "quarterly")
    baselines["indicator"] = table["indicator"].iloc[0]
    own, _ = trend_verdicts(table, register(frequency="quarterly"))
    frozen, _ = trend_verdicts(table, register(frequency="quarterly"), baselines=baselines)
    odds = ["chance_alone", "detect_4"]
    assert own[odds].notna().all(axis=None) and frozen[odds].isna().all(axis=None)
    assert frozen["limits_from"].tolist() == ["frozen"]


def test_an_exceptional_newest_period_is_not_judged() -> None:
    table = observations(list(RNG.normal(50, 1, 24)), "quarterly")
    table["is_exceptional"] = table["period"] == table["period"].max()
    table.loc[table["is_exceptional"], "value"] = 80.7
    found = trend_verdicts(table, register(frequency="quarterly"))[0].iloc[0]
    assert (found["value"], found["verdict"], found["rule"]) == (80.7, "cannot_judge", "none")
    assert found["reason"] == "The newest period is declared exceptional, so it is not judged."


def test_a_series_whose_newest_figure_is_hidden_is_not_judged() -> None:
    table = observations(list(RNG.normal(50, 1, 24)), "quarterly")
    table.loc[table.index[[5, 23]], "value"] = np.nan
    table.loc[table.index[5], "status"] = "suppressed"
    told = trend_verdicts(table, register(frequency="quarterly"))[0].iloc[0]
    assert told["verdict"] != "cannot_judge"  # what is hidden is older than what is shown
    table.loc[table.index[23], "status"] = "suppressed"
    found = trend_verdicts(table, register(frequency="quarterly"))[0].iloc[0]
    assert (found["verdict"], found["rule"]) == ("cannot_judge", "none")
    assert found["reason"] == SENTENCES["newest_hidden"]


def test_windows_that_overlap_against_a_guess_are_not_judged() -> None:
    noise = np.random.default_rng(7).normal(80, 6, 47)
    windows = [float(noise[at : at + 12].mean()) for at in range(36)]
    guess = {"frequency": "monthly", "guessed": "polarity; accumulation"}
    found = judged(windows, **guess)
    assert (found["verdict"], found["method"]) == ("cannot_judge", "none")
    assert found["reason"].startswith("Taken as single periods, but neighbouring values move")
    declared = judged(windows, frequency="monthly")
    assert declared["verdict"] != "cannot_judge"
    assert declared["contradiction"].startswith("Declared as single periods")
    assert judged([float(one) for one in noise], **guess)["verdict"] != "cannot_judge"


def test_a_run_outside_the_limits_is_counted_from_its_beginning() -> None:
    values = [*RNG.normal(50, 0.5, 20), 60.0, 61.0, 60.5]
    found = judged(values, frequency="quarterly")
    assert (found["rule"], found["rule_points"]) == ("outside_limits", 3)


def test_figures_that_mostly_repeat_have_no_usual_range() -> None:
    values = np.repeat([89.0, 84, 84, 83, 75], 5)
    found = judged(list(values), frequency="monthly")
    assert found["verdict"] == "cannot_judge" and "equal" in found["reason"]


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
    assert scattered["p_value"].iloc[0] > 0.05  # F with 1 and 3 degrees of freedom
    assert "scatter" in scattered["reason"].iloc[0]
    assert [rising["chance_alone"].iloc[0], scattered["chance_alone"].iloc[0]] == [0.05, 0.05]
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
    assert short["assurance"] == "" and "fewer than 13" in short["reason"]
    moving = judged([*STEADY[:-1], 70.0], **target)
    assert moving["assurance"] == "" and "beyond normal variation" in moving["reason"]


def test_range_polarity_uses_the_declared_band() -> None:
    band = {"polarity": "range", "target_low": 48.0, "target_high": 60.0}
    assert judged(RISING, **{**band, "target_low": 55.0})["verdict"] == "improving"
    assert judged(RISING, **{**band, "target_low": 10.0, "target_high": 20.0})["verdict"] == (
        "worsening"
    )
    wide = judged(STEADY, **{**band, "target_low": 30.0, "target_high": 70.0})
    assert (wide["assurance"], wide["met_share"]) == ("consistent_pass", 1.0)
    without = judged(RISING, polarity="range")
    assert without["reason"] == "Nobody has declared the range that is better."


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


SHIFTED = [*STEADY[:12], *[value + 20 for value in STEADY]]
REBASE = pd.DataFrame(
    {
        "indicator": ["ind"], "period_start": [pd.Timestamp("2019-04-01")], "kind": ["rebase"],
        "comparable": [True], "reason": ["New depot"], "owner": ["Head of Waste"],
        "recorded_on": [pd.Timestamp("2020-01-14")],
    }
)  # fmt: skip


def test_a_rebase_says_what_the_verdict_would_be_without_it() -> None:
    found = judged(SHIFTED, changes=REBASE)
    assert (found["verdict"], found["verdict_without_rebase"]) == ("no_clear_change", "improving")
    assert (found["n"], found["reason"]) == (14, "")
    plain = judged(SHIFTED)
    assert (plain["verdict"], plain["verdict_without_rebase"]) == ("improving", "")
    later = judged(SHIFTED, changes=REBASE.assign(period_start=pd.Timestamp("2030-04-01")))
    assert later["verdict_without_rebase"] == ""
    broken = pd.concat([REBASE, REBASE.assign(kind="boundary", comparable=False)])
    assert judged(SHIFTED, changes=broken)["verdict_without_rebase"] == ""


@pytest.mark.parametrize("missing", ["reason", "owner", "recorded_on"])
def test_a_rebase_without_its_record_is_not_applied(missing: str) -> None:
    for nothing in (None, pd.NaT if missing == "recorded_on" else ""):
        bare = REBASE.astype("object").assign(**{missing: nothing})
        found = judged(SHIFTED, changes=bare)
        assert (found["verdict"], found["n"]) == ("improving", 26)
        assert "reason, owner and day" in found["reason"]
    assert judged(SHIFTED, changes=REBASE.drop(columns=missing))["n"] == 26


def frozen(values: list[float], changes: Any = None, **baseline: Any) -> pd.Series:
    row = dict.fromkeys(["period_from", "period_until", "mean", "lower_limit", "upper_limit"])
    table = pd.DataFrame([{"indicator": "ind", **row, **baseline}])
    declared = {"baselines": table, "changes": changes, "targets": target_line(values, target=40.0)}
    trends, _ = trend_verdicts(observations(values), register(), **declared)
    return trends.iloc[0]


def test_limits_of_a_baseline_stay_whatever_comes_later() -> None:
    until = pd.Timestamp("2019-04-01")  # thirteen values
    later = [[*STEADY, *[value + lift for value in STEADY]] for lift in (0, 3, 9)]
    found = [frozen(values, period_until=until) for values in (STEADY, *later)]
    expected = spc_chart(observations(STEADY[:13])).segments.loc[0, LIMITS].to_numpy(float)
    for row in found:
        assert row[LIMITS].to_numpy(float) == pytest.approx(expected)
        assert (row["limits_from"], row["reason"] in ("", SENTENCES["moving"])) == ("frozen", True)
    assert [row["verdict"] for row in found] == ["no_clear_change"] * 2 + ["improving"] * 2
    assert judged(later[2])["mean"] > found[3]["mean"]
    assert judged(STEADY)["limits_from"] == "own" and judged(RISING)["limits_from"] == ""


def test_a_baseline_that_cannot_carry_limits_is_refused_with_the_reason() -> None:
    few = frozen([*STEADY, *STEADY], period_until=pd.Timestamp("2018-04-01"))
    assert few["limits_from"] == "own" and "fewer than 13" in few["reason"]
    outside = frozen(STEADY, period_until=pd.Timestamp("2012-04-01"))
    assert outside["limits_from"] == "own" and "fewer than 13" in outside["reason"]
    flat = frozen([*[7.0] * 14, *STEADY], period_until=pd.Timestamp("2019-04-01"))
    assert flat["limits_from"] == "own" and "equal" in flat["reason"]


def test_a_baseline_holds_until_a_rebase() -> None:
    values = [*STEADY, *[value + 20 for value in STEADY]]
    change = REBASE.assign(period_start=pd.Timestamp("2019-10-01"))
    until = pd.Timestamp("2019-04-01")
    superseded = frozen(values, change, period_until=until)
    assert (superseded["limits_from"], superseded["verdict"]) == ("own", "no_clear_change")
    assert superseded["verdict_without_rebase"] == "improving"
    numbers = {"mean": 50.0, "lower_limit": 44.0, "upper_limit": 56.0}
    declared = frozen(values, **numbers)
    assert declared[LIMITS].tolist() == [50.0, 44.0, 56.0]
    before = frozen(values, change, **numbers, recorded_on=pd.Timestamp("2019-01-01"))
    after = frozen(values, change, **numbers, recorded_on=pd.Timestamp("2020-01-01"))
    assert [before["limits_from"], after["limits_from"]] == ["own", "frozen"]


def test_frozen_limits_of_a_seasonal_series_keep_their_seasons() -> None:
    rng = np.random.default_rng(8)
    values = list(50 + np.tile([8.0, -4.0, -8.0, 4.0], 8) + rng.normal(0, 1, 32))
    until = {"period_until": pd.Timestamp("2019-01-01")}  # three years
    short, full = frozen(values[:28], **until), frozen(values, **until)
    assert short["treatment"] == full["treatment"] == "season_means_removed"
    assert short["limits_from"] == "own"  # twelve values
    until = {"period_until": pd.Timestamp("2020-01-01")}
    short, full = frozen(values[:28], **until), frozen(values, **until)
    assert short["limits_from"] == full["limits_from"] == "frozen"
    assert short[LIMITS].to_numpy(float) == pytest.approx(full[LIMITS].to_numpy(float))


def test_the_run_that_a_rule_speaks_of_has_its_first_period() -> None:
    shifted = judged([*STEADY, *[value + 4 for value in STEADY[:8]]])
    assert (shifted["rule"], shifted["rule_points"]) == ("shift", 8)
    assert shifted["signal_from"] == pd.Timestamp("2019-10-01")
    risen = judged([*STEADY, 48.0, 48.5, 49, 49.5, 50, 50.5, 51.0])
    assert (risen["rule"], risen["rule_points"]) == ("trend", 7)
    assert risen["signal_from"] == pd.Timestamp("2019-10-01")
    outside = judged([*STEADY, 70.0])
    assert outside["signal_from"] == outside["period"]
    assert judged(RISING)["signal_from"] == pd.Timestamp("2016-04-01")
    quiet = judged(STEADY)
    assert pd.isna(quiet["signal_from"]) and quiet["rule_points"] == 0


def test_a_gap_ends_the_run_that_is_counted() -> None:
    high = [value + 4 for value in STEADY[:8]]
    found = judged([*STEADY, *STEADY, 54.0, 54.5, np.nan, *high])
    assert (found["rule"], found["rule_points"]) == ("shift", 8)


def test_rule_profiles_reach_the_chart_and_its_odds() -> None:
    values = [*STEADY, *STEADY, *[value + 3 for value in STEADY[:7]]]

    def ask(rules: Any) -> pd.Series:
        return trend_verdicts(observations(values), register(), rules=rules)[0].iloc[0]

    mdc, wheeler = ask("mdc"), ask("wheeler")
    assert (mdc["rule"], wheeler["rule"]) == ("shift", "three_in_four")
    assert (mdc["rule_profile"], wheeler["rule_profile"]) == ("mdc", "wheeler")
    assert mdc["chance_alone"] != wheeler["chance_alone"]
    assert mdc["detect_4"] > mdc["detect_8"] > mdc["detect_12"] > 0
    own = ask(RuleSet(shift=None, trend=None, two_in_three=False))
    assert own["rule_profile"].startswith("custom: shift=None, ") and own["rule"] == "none"
    assert np.isnan(judged(RISING)["detect_4"]) and judged(RISING)["rule_profile"] == ""


@pytest.mark.parametrize(
    ("polarity", "target", "tolerance", "edges", "words"),
    [
        ("higher", 60.0, {"tolerance_abs": 25.0}, (35.0, None), ("consistent_fail", "pass")),
        ("higher", 60.0, {"tolerance_pct": 50.0}, (30.0, None), ("consistent_fail", "pass")),
        ("lower", 40.0, {"tolerance_abs": 25.0}, (None, 65.0), ("consistent_fail", "pass")),
        ("higher", 60.0, {"tolerance_abs": 0.0}, (None, None), ("consistent_fail", "")),
        ("higher", 60.0, {}, (None, None), ("consistent_fail", "")),
    ],
)
def test_tolerance_has_its_own_assurance(polarity, target, tolerance, edges, words) -> None:
    line = target_line(STEADY, target=target, **tolerance)
    found = judged(STEADY, polarity=polarity, targets=line)
    for name, edge in zip(("tolerance_low", "tolerance_high"), edges, strict=True):
        assert found[name] == edge if edge is not None else np.isnan(found[name])
    told = f"consistent_{words[1]}" if words[1] else ""
    assert (found["assurance"], found["assurance_tolerance"]) == (words[0], told)


def test_a_value_to_be_near_is_a_band_by_its_tolerance() -> None:
    near = judged(STEADY, polarity="range", targets=target_line(STEADY, target=50.0))
    assert near["reason"] == "Nobody has declared the range that is better."
    line = target_line(STEADY, target=50.0, tolerance_abs=15.0)
    found = judged(STEADY, polarity="range", targets=line)
    assert (found["target_low"], found["target_high"]) == (35.0, 65.0)
    assert (found["assurance"], found["met_share"]) == ("consistent_pass", 1.0)
    band = target_line(STEADY, target_low=49.0, target_high=51.0, tolerance_abs=12.0)
    outer = judged(STEADY, polarity="range", targets=band)
    assert (outer["tolerance_low"], outer["tolerance_high"]) == (37.0, 63.0)
    assert (outer["assurance"], outer["assurance_tolerance"]) == ("inconsistent", "consistent_pass")


def test_targets_that_change_count_in_their_own_period() -> None:
    line = target_line(STEADY, target=60.0)
    line.loc[len(line) - 4 :, "target"] = 40.0
    found = judged(STEADY, targets=line)
    assert (found["target"], found["met_share"]) == (40.0, 4 / 14)
    assert found["assurance"] == "consistent_pass"  # against what is asked now


def test_a_seasonal_year_passes_only_if_each_season_does() -> None:
    values = list(
        50 + np.tile([8.0, -4.0, -8.0, 4.0], 5) + np.random.default_rng(2).normal(0, 1, 20)
    )
    assert (
        judged(values, targets=target_line(values, target=30.0))["assurance"] == "consistent_pass"
    )
    some = judged(values, targets=target_line(values, target=50.0))
    assert some["treatment"] == "season_means_removed" and some["assurance"] == "inconsistent"


def many(seed: int = 1) -> tuple[pd.DataFrame, pd.DataFrame, pd.DataFrame]:
    """A council of every shape, length and polarity, with targets."""
    rng, tables, entries = np.random.default_rng(seed), [], []
    for number in range(48):
        frequency = ["quarterly", "monthly", "annual"][number % 3]
        n = [26, 4, 9, 14, 40][number % 5]
        values = 50 + rng.normal(0, 3, n) + [0, 0.6, -0.6, 0][number % 4] * np.arange(n)
        values[rng.random(n) < [0, 0.1, 0.3][number % 3]] = np.nan
        name = f"i{number:02}"
        table = observations(list(values), frequency).assign(
            indicator=name, series=f"{name}|A|||v1"
        )
        tables.append(table)
        accumulation = ["discrete", "discrete", "discrete", "rolling", "ytd"][number % 5]
        entries.append(register(indicator=name, frequency=frequency, accumulation=accumulation))
    table = pd.concat(tables, ignore_index=True)
    level = rng.normal(50, 20, 48)[table["indicator"].str[1:].astype(int)]
    targets = table[["series", "period"]].assign(target=level, tolerance_abs=2.0)
    return table, pd.concat(entries, ignore_index=True), targets


def test_flipping_every_polarity_swaps_good_and_bad_and_nothing_else() -> None:
    table, declared, targets = many()
    up, up_points = trend_verdicts(table, declared, targets=targets)
    flipped = declared.assign(polarity="lower")
    down, down_points = trend_verdicts(table, flipped, targets=targets)
    swap = {"improving": "worsening", "worsening": "improving"}
    swap |= {"consistent_pass": "consistent_fail", "consistent_fail": "consistent_pass"}
    swapped = ["verdict", "assurance", "arrow_short", "arrow_long"]
    for name in swapped:
        assert up[name].replace(swap).tolist() == down[name].tolist()
        assert set(swap) & set(up[name])
    assert up["met_share"].to_numpy() == pytest.approx(
        1 - down["met_share"].to_numpy(), nan_ok=True
    )
    # the tolerated edge lies on the other side of the target, so what it says is another question
    other = [*swapped, "polarity", "met_share", "assurance_tolerance"]
    other += ["tolerance_low", "tolerance_high"]
    pd.testing.assert_frame_equal(up.drop(columns=other), down.drop(columns=other))
    assert up["tolerance_low"].notna().equals(down["tolerance_high"].notna())
    types = {"special_cause_improvement": "special_cause_concern"}
    types |= {bad: good for good, bad in types.items()}
    assert up_points["point_type"].replace(types).tolist() == down_points["point_type"].tolist()
    pd.testing.assert_frame_equal(
        up_points.drop(columns="point_type"), down_points.drop(columns="point_type")
    )


def test_every_verdict_says_method_n_and_evidence_and_every_refusal_why() -> None:
    table, declared, targets = many(2)
    trends, _ = trend_verdicts(table, declared, targets=targets)
    refused = trends["verdict"] == "cannot_judge"
    assert refused.any() and not refused.all()
    assert (trends.loc[~refused, "n"] >= 5).all()
    assert (trends.loc[~refused, ["method", "evidence"]] != "none").all(axis=None)
    assert (trends.loc[refused, "reason"] != "").all()
    assert trends["change"].notna()[trends["n"] == 4].any()  # values are told without a verdict


def test_broken_series_raise_no_exception_and_no_false_verdict() -> None:
    rng, tables = np.random.default_rng(11), []
    for number in range(250):
        n = [1, 2, 5, 13, 24, 36][number % 6]
        values = rng.normal(50, 5, n) if number % 4 else np.full(n, [0.0, 7.0, 0.1][number % 3])
        values[rng.random(n) < rng.choice([0, 0.2, 0.4])] = np.nan
        if number % 7 == 0:
            values[rng.integers(n)] = [np.inf, -np.inf][number % 2]
        if number % 25 == 0:
            values[:] = np.nan
        tables.append(observations(list(values), "monthly").assign(series=f"s{number:03}|A|||v1"))
    trends, points = trend_verdicts(pd.concat(tables), register(frequency="monthly"))
    assert len(trends) == 250 and len(points) >= sum(map(len, tables))
    few = trends["n"] < 5
    assert (trends.loc[few, "verdict"] == "cannot_judge").all() and few.any()
    called = ~trends["verdict"].isin(["cannot_judge", "no_clear_change"])
    assert not called[trends["shape"] == "constant"].any()
    assert called.sum() <= 10  # of some 150 series of noise
    limits = points[["lower_limit", "upper_limit"]].to_numpy()
    assert not np.isinf(limits).any()


def test_no_rows_give_no_verdict() -> None:
    trends, points = trend_verdicts(observations(STEADY).iloc[:0], register())
    assert trends.empty and points.empty and "verdict" in trends.columns


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


def test_monthly_figures_of_a_quarterly_series_would_mark_smaller_changes() -> None:
    noise = list(np.random.default_rng(8).normal(50, 2, 24))
    quarterly = judged(noise, frequency="quarterly")
    assert quarterly["detect_12"] < quarterly["detect_monthly"] < quarterly["detect_4"]
    assert np.isnan(judged(noise, frequency="monthly")["detect_monthly"])
