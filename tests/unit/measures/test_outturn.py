"""Targets for a year in progress: totals from what is known, laws, and honest ways there."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pmf_analysis.measures import forecast, outlook
from pmf_analysis.measures.calibration import shipped_factors
from pmf_analysis.measures.outturn import assess_outturns

START, FIRST = pd.Timestamp("2020-04-01"), pd.Timestamp("2024-04-01")
MONTHS = 48  # before the year in progress
SEASON = np.array([1, 1, 1, 1, 1, 1, 2, 2, 3, 3, 2, 1.0])


def counts(series: str = "a|X", seed: int = 0, known: int = 6) -> np.ndarray:
    rng = np.random.default_rng([seed, len(series), ord(series[0])])
    return np.round(
        100 * np.resize(SEASON, MONTHS + known) * rng.lognormal(0, 0.08, MONTHS + known)
    )


def table(values: np.ndarray, series: str = "a|X", step: int = 1, **more: object) -> pd.DataFrame:
    periods = [START + pd.DateOffset(months=step * n) for n in range(len(values))]
    indicator, area = series.split("|")
    frame = pd.DataFrame({"period": periods, "value": values})
    return frame.assign(series=series, indicator=indicator, area=area, **more)


def register(**changes: object) -> pd.DataFrame:
    row = {
        "indicator": "a", "polarity": "higher", "frequency": "monthly",
        "decimals": 0, "minimum": 0.0, "maximum": np.nan,
    }  # fmt: skip
    return pd.DataFrame([{**row, **changes}])


def question(target: float = 1900.0, **changes: object) -> dict[str, object]:
    row: dict[str, object] = {
        "target_id": "t", "series": "a|X", "indicator": "a", "area": "X", "first": FIRST,
        "period": FIRST + pd.DateOffset(months=11), "how": "sum", "target": target,
        "target_low": np.nan, "target_high": np.nan, "kind": "improvement",
    }  # fmt: skip
    return {**row, **changes}


def both(
    observations: pd.DataFrame, *asked: dict[str, object], **options: object
) -> tuple[pd.DataFrame, pd.DataFrame]:
    options = {"register": register(), **options}
    return assess_outturns(observations, pd.DataFrame(list(asked)), **options)  # type: ignore[arg-type]


def one(observations: pd.DataFrame, target: float = 1900.0, **options: object) -> pd.Series:
    changes = {"target": target, **options.pop("changes", {})}  # type: ignore[dict-item]
    return both(observations, question(**changes), **options)[0].iloc[0]


def test_a_judged_row_and_its_way_are_complete():
    values = counts()
    answers, paths = both(table(values), question(1900.0))
    row = answers.iloc[0]
    assert (row["done"], row["of"], row["horizon"], row["n"]) == (6, 12, 6, MONTHS + 6)
    assert row["method"] == "outturn" and row["last_period"] == pd.Timestamp("2024-09-01")
    assert row["last_value"] == values[-6:].sum()
    assert row["required_rate"] == pytest.approx((1900 - values[-6:].sum()) / 6)
    assert row["rate_n"] == 4  # the second halves of the four years before
    halves = values[:MONTHS].reshape(4, 12)[:, 6:].mean(axis=1)
    assert row["rate_share"] == (halves >= row["required_rate"]).mean()
    assert 0.02 <= row["lower"] <= row["probability"] <= row["upper"] <= 0.98
    assert row["outturn_low"] < row["outturn_mid"] < row["outturn_high"]
    assert row["value_60"] < row["value_45"] < row["value_30"]
    assert list(paths["period"]) == list(pd.date_range(FIRST, periods=12, freq="MS"))
    assert (
        np.allclose(paths["actual"][:6], values[-6:].cumsum()) and paths["actual"][6:].isna().all()
    )
    assert set(paths["chance_on_path"][:6]) <= {0.0, 1.0}
    assert paths["chance_on_path"].iloc[-1] == row["probability"]
    assert paths["q50"].iloc[-1] == row["outturn_mid"]
    assert (paths[["q05", "q50", "q95"]].to_numpy()[:6] == values[-6:].cumsum()[:, None]).all()


def test_months_are_drawn_together_and_their_total_is_calibrated():
    values = counts()
    settings_ = ([values], ["a|X"], 12, 6, [(0.0, None)])
    record = next(forecast.forecasts(*settings_, no_trend=outlook.NO_TREND, joint=True))[1]
    sums = np.sort(record.draws.cumsum(axis=0), axis=1)
    part = shipped_factors("outturn").stretch(sums, periods_per_year=12, history=54)[-1]
    expected = values[-6:].sum() + np.quantile(part, [0.05, 0.5, 0.95])
    row = one(table(values))
    assert np.allclose(row[["outturn_low", "outturn_mid", "outturn_high"]].tolist(), expected)


def test_the_path_follows_the_councils_own_seasons_only_where_they_are_seen():
    path = both(table(counts()), question(1900.0))[1]["path"].to_numpy()
    share = np.diff(path, prepend=0) / 1900
    assert path[-1] == 1900 and np.allclose(share, SEASON / SEASON.sum(), atol=0.02)
    short = both(table(counts()[24:]), question(1900.0))[1]["path"].to_numpy()  # two years
    assert short[-1] == 1900
    two = table(counts()).iloc[24:]
    equal = both(two, question(1900.0))[1]["path"].to_numpy()
    assert np.allclose(equal, 1900 * np.arange(1, 13) / 12)
    noise = 100 + np.random.default_rng(3).normal(size=MONTHS + 2)
    flat = np.diff(both(table(noise), question(1200.0))[1]["path"], prepend=0)
    assert np.abs(flat - 100).max() < 0.5


@pytest.mark.parametrize(("polarity", "expected"), [("higher", 1.0), ("lower", 0.0)])
def test_a_count_already_past_the_target_is_certain_only_by_arithmetic(polarity, expected):
    values = counts()
    target = values[-6:].sum() - 100
    row = one(table(values), target, register=register(polarity=polarity))
    assert row["probability"] == row["lower"] == row["upper"] == expected
    assert "possible value" in row["reason"]
    free = one(table(values), target, register=register(polarity=polarity, minimum=np.nan))
    assert 0.02 <= free["probability"] <= 0.98


def test_when_every_period_is_known_so_is_the_outcome():
    values = counts(known=12)
    total = values[-12:].sum()
    for target, word, met in ((total, "met", 1.0), (total + 1, "not met", 0.0)):
        answers, paths = both(table(values), question(target))
        row = answers.iloc[0]
        assert row["reason"] == f"The outcome is already known: {word}."
        assert row["last_value"] == total == row["outturn_low"] == row["outturn_high"]
        assert np.isnan(row["probability"]) and row["verdict"] == "no_verdict"
        assert paths["chance_on_path"].iloc[-1] == met and paths["actual"].notna().all()
    longer = counts(known=14)  # what came after the window is no part of it
    row = one(table(longer), 1900.0)
    assert (row["done"], row["of"], row["last_value"]) == (12, 12, longer[-14:-2].sum())
    assert row["last_period"] == pd.Timestamp("2025-03-01")


def test_a_missing_month_inside_the_year_is_named():
    values = counts()
    values[-3] = np.nan
    answers, paths = both(table(values), question())
    assert answers["reason"][0].endswith("for the period that starts on 1 July 2024.")
    assert answers["verdict"][0] == "cannot_judge" and np.isnan(answers["probability"][0])
    assert paths.empty
    early = one(table(counts()), changes={"first": START - pd.DateOffset(months=2)})
    assert early["reason"].endswith("1 February 2020.")


@pytest.mark.parametrize(
    ("changes", "options", "reason"),
    [
        ({"series": "a|Y"}, {}, "no values"),
        ({"kind": "baseline"}, {}, "baseline"),
        ({"target": np.nan}, {}, "not a number"),
        ({"period": pd.Timestamp("2031-03-01")}, {}, "more than 5 years"),
        ({}, {"register": register(polarity="none")}, "Neither"),
        ({}, {"origin": "2020-07-31"}, "a forecast needs at least 5"),
    ],
)
def test_what_cannot_be_judged_says_why(changes, options, reason):
    answers, paths = both(table(counts()), question(**changes), **options)
    assert reason in answers["reason"][0] and np.isnan(answers["probability"][0])
    assert paths.empty


def test_a_mean_is_pooled_where_denominators_are_known_and_plain_elsewhere():
    values, weights = 50 + counts(seed=2) / 100, np.resize([100.0, 300.0], MONTHS + 6)
    asked = {"target": 51.5, "how": "mean"}
    plain, pooled = (
        one(table(values, **more), changes=asked) for more in ({}, {"denominator": weights})
    )
    assert plain["last_value"] == pytest.approx(values[-6:].mean())
    assert pooled["last_value"] == pytest.approx(np.average(values[-6:], weights=weights[-6:]))
    assert plain["required_rate"] == pytest.approx((51.5 * 12 - values[-6:].sum()) / 6)
    rest = 51.5 * 2400 - (values * weights)[-6:].sum()
    assert pooled["required_rate"] == pytest.approx(rest / 1200)
    gappy = weights.copy()
    gappy[5] = np.nan
    same = one(table(values, denominator=gappy), changes=asked)
    assert same["last_value"] == plain["last_value"]
    assert same["probability"] == plain["probability"]


def test_a_range_is_met_between_its_ends():
    asked = question(np.nan, target_low=1850.0, target_high=1950.0)
    answers, paths = both(table(counts()), asked, register=register(polarity="range"))
    row, path = answers.iloc[0], paths["path"].iloc[-1]
    above, over = one(table(counts()), 1850.0), one(table(counts()), 1951.0)
    assert row["probability"] == pytest.approx(above["probability"] - over["probability"])
    assert path == 1900 and np.isnan(row["value_60"])
    so_far = row["last_value"]
    assert (1850 - so_far) / 6 <= row["required_rate"] <= (1950 - so_far) / 6


def test_a_year_that_has_not_begun_and_a_year_in_quarters():
    row = one(table(counts(known=0)[:-1]), 1900.0)
    assert (row["done"], row["horizon"]) == (0, 12) and np.isnan(row["last_value"])
    assert row["required_rate"] == pytest.approx(1900 / 12)
    quarters = np.round(counts().reshape(-1, 3).sum(axis=1))
    asked = {"period": pd.Timestamp("2025-01-01")}
    found = one(table(quarters, step=3), changes=asked, register=register(frequency="quarterly"))
    assert (found["done"], found["of"]) == (2, 4) and 0 < found["probability"] < 1


def test_nothing_after_the_origin_and_no_other_series_changes_an_answer():
    own, rng = table(counts(known=12)), np.random.default_rng(5)
    origin = "2024-09-01"
    first, way = both(own, question(), origin=origin)
    later = own["period"] > pd.Timestamp(origin)
    shuffled = own.assign(value=own["value"].where(~later, rng.permutation(own["value"])))
    second, other_way = both(shuffled, question(), origin=origin)
    pd.testing.assert_frame_equal(first, second)
    pd.testing.assert_frame_equal(way, other_way)
    strange = table(counts("b|X", known=12), "b|X", denominator=7.0)
    together = pd.concat([strange, own]).sample(frac=1, random_state=1)
    declared = pd.concat([register(indicator="b"), register()])
    more = question(2500.0, target_id="u", series="b|X", indicator="b")
    third, ways = both(together, more, question(), origin=origin, register=declared)
    pd.testing.assert_frame_equal(first, third.iloc[[1]].reset_index(drop=True))
    mine = ways[ways["target_id"] == "t"].reset_index(drop=True)
    pd.testing.assert_frame_equal(way, mine)


noisy = st.integers(0, 10_000)


@settings(max_examples=15, deadline=None)
@given(noisy, st.integers(0, 11), st.lists(st.integers(1200, 2600), min_size=2, max_size=2))
def test_a_harder_target_is_never_likelier(seed, known, targets):
    own = table(counts(seed=seed, known=known))
    easy, hard = (one(own, float(number)) for number in sorted(targets))
    for name in ("probability", "lower", "upper"):
        assert easy[name] >= hard[name]


@settings(max_examples=15, deadline=None)
@given(noisy, st.integers(0, 11), st.integers(1500, 2100))
def test_turning_the_polarity_mirrors_the_chance(seed, known, target):
    own, free = table(counts(seed=seed, known=known)), {"minimum": np.nan, "decimals": np.nan}
    up, down = (
        one(own, target + 0.5, register=register(polarity=way, **free))
        for way in ("higher", "lower")
    )
    assert up["probability"] + down["probability"] == pytest.approx(1)
    assert up["lower"] + down["upper"] == pytest.approx(1)


@settings(max_examples=15, deadline=None)
@given(noisy, st.integers(-5, 5), st.integers(0, 11))
def test_a_constant_added_to_every_month_moves_total_and_target_alike(seed, constant, known):
    rng = np.random.default_rng(seed)
    values = rng.normal(size=MONTHS + known)  # of both signs, so there is no logarithmic scale
    values[3] = -20.0
    options = {"register": register(minimum=np.nan, decimals=np.nan)}
    plain = one(table(values), 1.5, **options)
    moved = one(table(values + constant), 1.5 + 12 * constant, **options)
    for name in ("probability", "lower", "upper", "rate_share"):
        assert plain[name] == pytest.approx(moved[name], abs=0.002)
    assert moved["outturn_mid"] - plain["outturn_mid"] == pytest.approx(12 * constant, abs=1e-6)
    assert moved["required_rate"] - plain["required_rate"] == pytest.approx(constant)
