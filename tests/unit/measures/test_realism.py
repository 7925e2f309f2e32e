"""Chances and verdicts on targets: refusals, laws, and honesty on a real panel."""

from __future__ import annotations

import sys

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pmf_analysis.measures.outlook import naive_draws, panels, pooled_forecasts
from pmf_analysis.measures.realism import assess_targets, shown_chance

YEARS = 10
DUE = pd.Timestamp("2025-04-01")  # one year after the last value


def series_of(indicator: str, area: str) -> str:
    return f"{indicator}|{area}|||v1"


def panel(areas: int = 12, seed: int = 0, years: int = YEARS, indicator: str = "a") -> pd.DataFrame:
    rng = np.random.default_rng(seed)
    values = 60 + 5 * rng.normal(size=(areas, 1)) + rng.normal(size=(areas, years)).cumsum(axis=1)
    names = [f"X{number:02d}" for number in range(areas)]
    starts = pd.date_range("2015-04-01", periods=years, freq="YS-APR")
    return pd.DataFrame(
        {
            "series": [series_of(indicator, name) for name in names for _ in starts],
            "indicator": indicator,
            "area": np.repeat(names, years),
            "period": np.tile(starts, areas),
            "value": values.ravel(),
        }
    )


def register(**changes: object) -> pd.DataFrame:
    row = {
        "indicator": "a", "polarity": "higher", "frequency": "annual",
        "decimals": 1, "minimum": 0.0, "maximum": 100.0,
    }  # fmt: skip
    return pd.DataFrame([{**row, **changes}])


def target(number: float = 60.0, **changes: object) -> dict[str, object]:
    row: dict[str, object] = {
        "target_id": "t1", "series": series_of("a", "X00"), "indicator": "a", "area": "X00",
        "period": DUE, "kind": "improvement", "target": number,
    }  # fmt: skip
    return {**row, **changes}


def assessed(rows: list[dict[str, object]], **how: object) -> pd.DataFrame:
    options = {"observations": panel(), "register": register(), **how}
    observations = options.pop("observations")
    return assess_targets(observations, pd.DataFrame(rows), **options)  # type: ignore[arg-type]  # as given


def one(number: float = 60.0, **how: object) -> pd.Series:
    changes = how.pop("target_changes", {})
    return assessed([target(number, **changes)], **how).iloc[0]  # type: ignore[dict-item]  # as given


def last_of(observations: pd.DataFrame, area: str = "X00") -> float:
    return float(observations.loc[observations["area"] == area, "value"].iloc[-1])


def test_a_judged_row_is_complete():
    observations = panel()
    last = last_of(observations)
    row = one(last + 0.5)
    assert row["method"] == "own_and_peers" and row["n"] == YEARS and row["horizon"] == 1
    assert 0.02 <= row["lower"] <= row["probability"] <= row["upper"] <= 0.98
    assert row["value_60"] < row["value_45"] < row["value_30"]
    assert row["required_change"] == pytest.approx(0.5)
    assert row["last_value"] == last and row["last_period"] == pd.Timestamp("2024-04-01")
    assert row["headroom"] == pytest.approx(0.5 / (100 - last))
    changes = observations.pivot(index="area", columns="period", values="value").diff(axis=1)
    needed = np.ceil((last + 0.5) * 10 - 1e-9) / 10 - 0.05 - last
    assert row["own_share"] == pytest.approx((changes.loc["X00"].dropna() >= needed).mean())
    others = changes.drop(index="X00").stack().dropna()
    assert row["peer_share"] == pytest.approx((others >= needed).mean())
    assert row["peer_n"] == len(others) == 11 * (YEARS - 1)
    assert row["own_n"] == YEARS - 1 < row["n"]
    assert "own record" in row["evidence"] and row["reason"] == ""


@pytest.mark.parametrize(("decimals", "off"), [(None, 0.011), (3, 0.011), (1, 0.03)])
def test_values_reached_have_the_chances_they_name_as_they_are_published(decimals, off):
    found = one(register=register(decimals=decimals))
    for chance in (60, 45, 30):
        again = one(found[f"value_{chance}"], register=register(decimals=decimals))
        assert again["probability"] == pytest.approx(chance / 100, abs=off)


def test_where_there_are_seasons_shares_are_of_changes_from_the_same_one():
    starts = pd.date_range("2018-04-01", periods=26, freq="QS-APR")
    rng = np.random.default_rng(2)
    rows = [
        {"series": series_of("a", f"X{n:02d}"), "indicator": "a", "area": f"X{n:02d}", "period": s}
        | {"value": 20.0 + 20 * (place % 4) + rng.normal()}
        for n in range(12) for place, s in enumerate(starts)
    ]  # fmt: skip
    asked = target(45.0, period=pd.Timestamp("2024-10-01"))  # from 40 in July to 60 in October
    quarterly = register(frequency="quarterly")
    row = assessed([asked], observations=pd.DataFrame(rows), register=quarterly).iloc[0]
    assert row["own_share"] == row["peer_share"] == 1.0 and row["probability"] > 0.9
    assert row["best_change"] < 25 and row["peer_n"] == 11 * 6


def test_forecast_rows_come_from_the_same_distributions():
    series = series_of("a", "X00")
    rows = pooled_forecasts(panels(panel(), register()), {series: 2, "nobody": 2})
    assert list(rows["horizon"]) == [1, 2] and list(rows["series"].unique()) == [series]
    assert rows["period"][0] == DUE
    found = one(register=register(decimals=None))
    assert rows["q40"][0] == pytest.approx(found["value_60"])
    assert rows["q55"][0] == pytest.approx(found["value_45"])
    assert rows["q70"][0] == pytest.approx(found["value_30"])


@pytest.mark.parametrize(
    ("number", "changes", "how", "verdict", "word"),
    [
        (60, {"kind": "baseline"}, {}, "no_verdict", "baseline"),
        (60, {"indicator": "z"}, {}, "cannot_judge", "not in the register"),
        (60, {}, {"register": register(polarity="none")}, "cannot_judge", "Neither"),
        (60, {}, {"register": register(polarity="unknown")}, "cannot_judge", "Nobody"),
        (np.nan, {}, {}, "cannot_judge", "not a number"),
        (60, {"series": "a|Q|||v1"}, {}, "cannot_judge", "no values"),
        (60, {"period": pd.NaT}, {}, "cannot_judge", "by when"),
        (60, {"period": pd.Timestamp("2035-04-01")}, {}, "cannot_judge", "5 years"),
        (60, {"period": pd.Timestamp("2010-04-01")}, {}, "cannot_judge", "is over"),
        (
            60,
            {"period": pd.Timestamp("2020-04-01")},
            {"observations": panel(years=4)},
            "cannot_judge",
            "4 values",
        ),
        (60, {}, {"register": register(polarity="range")}, "cannot_judge", "lower and an upper"),
        (60, {"kind": "maintain"}, {}, "no_verdict", "No target is set"),
    ],
)
def test_what_cannot_be_judged_says_why(number, changes, how, verdict, word):
    row = one(number, target_changes=changes, **how)
    assert row["verdict"] == verdict
    assert word in row["reason"]
    assert np.isnan(row["probability"]) or changes.get("kind") == "maintain"


def test_an_outcome_that_is_known_is_compared():
    period = pd.Timestamp("2024-04-01")
    last = last_of(panel())
    met = one(round(last, 1), target_changes={"period": period})
    missed = one(last + 1, target_changes={"period": period})
    assert met["reason"] == "The outcome is already known: met."
    assert missed["reason"] == "The outcome is already known: not met."
    assert {met["verdict"], missed["verdict"]} == {"no_verdict"}
    assert met["method"] == "observed" and np.isnan(met["probability"])


def test_arithmetic_alone_gives_certainty():
    beyond, floor = one(100.2), one(0)
    assert beyond["probability"] == 0 and beyond["verdict"] == "not_realistic"
    assert floor["probability"] == 1 and floor["verdict"] == "too_easy"
    assert one(99)["probability"] == 0.02 and one(1)["probability"] == 0.98


def test_floors_and_statutory_standards_are_never_too_easy():
    assert one(40)["verdict"] == "too_easy"
    for kind in ("floor", "statutory"):
        row = one(40, target_changes={"kind": kind})
        assert row["verdict"] == "little_stretch" and "never called too easy" in row["reason"]


def test_a_target_at_the_best_possible_value_is_never_too_easy():
    full = panel().assign(
        value=lambda rows: np.minimum(rows["value"] + 60, 100) - 1e-3 * rows.index
    )
    row = one(100, observations=full, register=register(decimals=0))
    assert row["probability"] > 0.85 and row["verdict"] != "too_easy"


def test_bands_are_an_argument_and_disagreement_is_between():
    wide = {"too_easy": 0.99, "little_stretch": 0.985, "challenging": 0.01, "stretch": 0.001}
    assert one(last_of(panel()) + 0.5, bands=wide)["verdict"] == "challenging"
    asked = [target(last_of(panel()) + step / 4) for step in range(-8, 9)]
    rows = assessed(asked)
    shown = rows[["lower", "upper"]].map(shown_chance)
    shown = shown[(shown["lower"] > 0) & (shown["upper"] < 0.98)]
    differ = shown["lower"] < shown["upper"]
    assert differ.any() and not differ.all()
    for place, edge in shown["upper"].items():
        split = {"too_easy": 0.99, "little_stretch": 0.985, "challenging": edge, "stretch": 0.001}
        torn = assessed([asked[place]], bands=split).iloc[0]  # type: ignore[call-overload]  # a row number
        assert torn["verdict"] == ("between" if differ[place] else "challenging")
        assert torn["verdict_low"] == ("stretch" if differ[place] else "challenging")


def test_polarity_mirrors():
    number = 60.0
    exact = {"decimals": None}
    up = one(number, register=register(**exact))
    down = one(number, register=register(polarity="lower", **exact))
    assert up["probability"] + down["probability"] == pytest.approx(1, abs=1e-9)
    assert up["lower"] + down["upper"] == pytest.approx(1, abs=1e-9)
    assert up["own_share"] + down["own_share"] == pytest.approx(1)
    assert up["required_change"] == down["required_change"]


def test_a_range_counts_both_edges():
    frame = register(polarity="range", target_low=58.0, target_high=62.0)
    inside = one(np.nan, register=frame)
    wide = one(np.nan, register=frame, target_changes={"target_low": 30.0, "target_high": 90.0})
    assert 0.02 <= inside["probability"] < wide["probability"] == 0.98
    assert np.isnan(inside["value_60"]) and wide["required_change"] == 0


def test_without_peers_the_own_record_speaks_and_a_naive_forecast_is_the_second_opinion():
    alone = panel(areas=1)
    row = one(observations=alone)
    assert row["method"] == "own" and row["peer_n"] == 0 and np.isnan(row["peer_share"])
    assert "naive forecast" in row["evidence"]
    assert row["probability"] in (row["lower"], row["upper"])


def test_peer_sets_choose_the_evidence():
    members = pd.DataFrame({"peer_set": "near", "member": [f"X{n:02d}" for n in range(1, 7)]})
    row = one(peer_sets=members)
    assert row["peer_n"] == 6 * (YEARS - 1)
    outsiders = panel()
    outside = outsiders["area"].isin(["X08", "X09"])
    outsiders.loc[outside, "value"] *= 3
    assert one(peer_sets=members, observations=outsiders).equals(row)


def test_exceptional_periods_count_as_missing():
    covid = panel()
    hit = covid["period"] == pd.Timestamp("2020-04-01")
    covid.loc[hit, "value"] -= 25
    clean = panel()
    clean.loc[hit, "value"] = np.nan
    flagged = covid.assign(is_exceptional=hit)
    spans = [(pd.Timestamp("2020-04-01"), pd.Timestamp("2021-03-31"))]
    declared = register().assign(exceptional_periods=[tuple(spans)])
    expected = one(observations=clean)
    assert one(observations=flagged).equals(expected)
    assert one(observations=covid, register=declared).equals(expected)
    assert not one(observations=covid).equals(expected)


def test_an_exceptional_newest_value_is_told_and_the_forecast_starts_before_it():
    newest = pd.Timestamp("2024-04-01")
    spike = panel()
    spike.loc[spike["period"] == newest, "value"] += 20
    declared = register().assign(exceptional_periods=[((newest, newest),)])
    row = one(70, observations=spike, register=declared)
    before = one(70, observations=panel()[lambda rows: rows["period"] < newest])
    last = last_of(spike)
    assert (row["last_value"], row["last_period"]) == (last, newest)
    assert row["required_change"] == pytest.approx(70 - last)
    assert row["headroom"] == pytest.approx((70 - last) / (100 - last))
    assert (row["n"], row["horizon"]) == (before["n"], before["horizon"]) == (YEARS - 1, 2)
    assert row["value_45"] == before["value_45"] and row["probability"] == before["probability"]
    # one year lies between the newest value and the target, so changes over one year are shown
    assert row["peer_n"] == 11 * (YEARS - 2)
    changes = np.diff(panel()["value"].to_numpy()[: YEARS - 1])
    assert row["own_share"] == (last + changes >= 69.95).mean()
    told = "The newest value is from a period declared exceptional; the forecast starts before it."
    assert row["reason"].endswith(told) and told not in before["reason"]
    level = one(last, observations=spike, register=declared, target_changes={"kind": "maintain"})
    assert level["required_change"] == 0 and told in level["reason"]


def test_nothing_after_the_origin_is_used():
    origin = pd.Timestamp("2022-04-01")
    observations = panel()
    future = observations["period"] > origin
    shuffled = observations.copy()
    values = observations.loc[future, "value"].to_numpy()
    shuffled.loc[future, "value"] = np.random.default_rng(1).permutation(values) * 7
    asked = {"period": pd.Timestamp("2023-04-01")}
    row = one(origin=origin, target_changes=asked)
    assert row["horizon"] == 1 and row["verdict"] != "no_verdict"
    assert one(origin=origin, target_changes=asked, observations=shuffled).equals(row)
    assert one(origin=origin, target_changes=asked, observations=observations[~future]).equals(row)


def test_answers_depend_neither_on_row_order_nor_on_other_questions():
    observations = pd.concat([panel(), panel(seed=3, indicator="b")], ignore_index=True)
    both = pd.concat([register(), register(indicator="b", polarity="lower")], ignore_index=True)
    rows = [
        target(50.0 + k, target_id=f"{i}{k}{h}", series=series_of(i, f"X{k:02d}"), indicator=i,
               area=f"X{k:02d}", period=DUE + pd.DateOffset(years=h))
        for i in "ab" for k in range(5) for h in range(3)
    ]  # fmt: skip
    whole = assessed(rows, observations=observations, register=both)
    mixed = assessed(
        rows[::-1], observations=observations.sample(frac=1, random_state=5), register=both[::-1]
    )
    back = mixed.iloc[::-1].reset_index(drop=True)
    pd.testing.assert_frame_equal(whole, back, rtol=1e-12)
    single = assessed([rows[7]], observations=observations, register=both)
    pd.testing.assert_frame_equal(whole.iloc[[7]].reset_index(drop=True), single, rtol=1e-12)
    assert list(whole["target_id"]) == [row["target_id"] for row in rows]


def test_no_targets_give_an_empty_table_of_the_same_types():
    none = assessed([target()]).iloc[:0]
    empty = assess_targets(panel(), pd.DataFrame([target()]).iloc[:0], register=register())
    assert empty.empty and (empty.dtypes[6:] == none.dtypes[6:]).all()


def test_sub_annual_targets_count_periods_and_dimensions_stay_apart():
    quarters = pd.date_range("2019-04-01", periods=20, freq="QS-APR")
    rng = np.random.default_rng(0)
    base = {"series": "a|X00|||v1", "indicator": "a", "area": "X00", "period": quarters}
    total = pd.DataFrame({**base, "value": 50 + rng.normal(size=20), "dimension": ""})
    part = total.assign(series="a|X00|sex|f|v1", dimension="sex", value=9.0)
    both = pd.concat([total, part])
    frame = register(frequency="quarterly")
    row = one(50, observations=both, register=frame,
              target_changes={"period": pd.Timestamp("2025-01-01")})  # fmt: skip
    assert row["horizon"] == 4
    found = panels(both, frame)
    assert found["a|X00|||v1"][0] is not found["a|X00|sex|f|v1"][0]


def test_a_season_that_all_share_is_foreseen_by_both_ways():
    quarters = pd.date_range("2018-04-01", periods=28, freq="QS-APR")
    rng = np.random.default_rng(0)
    season = np.tile([6.0, 0, -6, 0], 7)
    frames = [
        pd.DataFrame({"series": series_of("a", f"X{k:02d}"), "indicator": "a", "area": f"X{k:02d}",
                      "period": quarters, "value": 50 + season + rng.normal(size=28)})
        for k in range(12)
    ]  # fmt: skip
    row = one(54, observations=pd.concat(frames), register=register(frequency="quarterly"),
              target_changes={"period": pd.Timestamp("2025-04-01")})  # fmt: skip
    assert row["method"] == "own_and_peers" and row["lower"] > 0.85


def test_naive_draws_follow_the_season_and_widen():
    past = np.tile([1.0, 5, 9, 5], 5) + np.arange(20) * 0.01
    near = naive_draws(past, horizon=1, season_length=4)
    assert np.median(near) == pytest.approx(past[16])
    far = naive_draws(past, horizon=9, season_length=4)
    assert np.ptp(far) == pytest.approx(np.ptp(near) * np.sqrt(3))
    every_other = np.where(np.arange(15) % 2 == 0, np.arange(15.0) ** 2, np.nan)
    assert np.isfinite(naive_draws(every_other, horizon=2, season_length=1)).all()


values = st.one_of(
    st.floats(allow_nan=True, allow_infinity=True),
    st.sampled_from([0.0, 100.0, -3.0, 1e9, float("nan"), 55.5]),
)


@settings(max_examples=60, deadline=None)
@given(
    history=st.lists(values, min_size=1, max_size=9),
    peers=st.lists(values, min_size=8, max_size=8),
    number=values,
    polarity=st.sampled_from(["higher", "lower", "range", "none", "unknown", None, np.nan]),
    decimals=st.sampled_from([None, 0, 2]),
)
def test_whatever_comes_in_every_row_is_judged_or_refused(
    history, peers, number, polarity, decimals
):
    observations = panel(areas=8)
    own = observations["area"] == "X00"
    observations.loc[own, "value"] = (
        (history * 10)[:YEARS] if len(history) > 5 else (history + [np.nan] * YEARS)[:YEARS]
    )
    observations.loc[observations["area"] == "X01", "value"] = [*peers, 1.0, 2.0]
    frame = register(polarity=polarity, decimals=decimals, minimum=None, maximum=None)
    row = one(number, observations=observations, register=frame)
    if np.isnan(row["probability"]):
        assert row["reason"] and row["verdict"] in {"cannot_judge", "no_verdict"}
    else:
        assert 0 <= row["lower"] <= row["probability"] <= row["upper"] <= 1
        assert np.isfinite([row["value_60"], row["value_45"], row["value_30"]]).all()


@settings(max_examples=40, deadline=None)
@given(
    numbers=st.lists(st.floats(40, 80), min_size=2, max_size=6),
    polarity=st.sampled_from(["higher", "lower"]),
)
def test_a_harder_target_never_has_a_greater_chance(numbers, polarity):
    rows = [target(number, target_id=str(k)) for k, number in enumerate(sorted(numbers))]
    chances = assessed(rows, register=register(polarity=polarity))["probability"].to_numpy()
    harder = chances if polarity == "higher" else chances[::-1]
    assert np.all(np.diff(harder) <= 1e-12)


@pytest.mark.realdata
def test_chances_are_skilled_and_honest_on_scottish_councils(real_data, repository, monkeypatch):
    monkeypatch.setattr(sys, "path", [str(repository / "benchmarks"), *sys.path])
    import realism_lgbf as exam

    observations, register_frame = exam.load(real_data)
    chosen = register_frame.iloc[::4]
    observations = observations[observations["indicator"].isin(chosen["indicator"])]
    table = exam.answered(observations, chosen, 2017)
    near = table[table["horizon"] == 1]
    assert len(near) > 3000
    chance, hit = near["probability"].to_numpy(), near["met"].to_numpy()
    assert exam.brier_skill(chance, hit, near["base"].to_numpy()) > 0.15
    assert exam.calibration_error(chance, hit) < 0.08
    # a council that is told "around 1 in 5" or less should seldom find that it was met
    assert near.loc[near["probability"] < 0.2, "met"].mean() < 0.2


def test_changes_from_a_similar_start_are_those_of_the_same_quarter():
    observations = panel(areas=16)
    wide = observations.pivot(index="area", columns="period", values="value")
    row = one(last_of(observations) + 0.5, observations=observations)
    quarter = np.floor(4 * (wide.rank() - 1) / 16)
    start, change = quarter.iloc[:, :-1].to_numpy(), wide.diff(axis=1).iloc[:, 1:].to_numpy()
    same = start[1:] == quarter.iloc[0, -1]
    assert row["similar_n"] == same.sum()
    assert row["similar_share"] == pytest.approx((change[1:][same] >= 0.5 - 1e-9).mean())
    assert row["best_change"] == pytest.approx(change[0].max())
    few = one(60.0, observations=panel(areas=7))
    assert few["similar_n"] == 0 and np.isnan(few["similar_share"])


def test_chances_by_year_ask_the_same_target_and_agree_with_its_own():
    observations = panel()
    row = one(last_of(observations) + 0.5, observations=observations)
    later = target(last_of(observations) + 0.5, period=pd.Timestamp("2026-04-01"))
    after = assessed([later]).iloc[0]
    assert after["probability"] == row["probability_1"]
    assert after["probability_1"] == row["probability_2"]  # counted from the target's own period
    assert np.isnan(one(60.0, years=())["probability_1"])
