"""Past targets and chances against what happened; records beside what perfect ones would show."""

from __future__ import annotations

from datetime import date

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pmf_analysis.data.contract import conform
from pmf_analysis.data.seals import open_seals, seal
from pmf_analysis.measures.chance import Aim
from pmf_analysis.measures.track_record import (
    FEWEST,
    KNOWN,
    OUTCOMES,
    RECORDS,
    judged,
    outcomes,
    records,
    with_aims,
)

AS_AT = date(2026, 10, 31)
SERIES = "a|X|||v1"


def register(**changes: object) -> pd.DataFrame:
    row = {
        "indicator": "a", "polarity": "higher", "decimals": 1, "frequency": "quarterly",
        "year_type": "financial", "data_type": "percentage", "accumulation": "discrete",
        "periods_per_year": 4.0, "target_low": np.nan, "target_high": np.nan,
    }  # fmt: skip
    return pd.DataFrame([{**row, **changes}])


def own(values: list[float] | None = None, **columns: object) -> pd.DataFrame:
    numbers = [50.0, 51.0, 52.0, 53.0, 54.0, 55.0] if values is None else values
    starts = pd.date_range("2025-04-01", periods=len(numbers), freq="QS")
    table = pd.DataFrame({"series": SERIES, "indicator": "a", "area": "X", "period": starts})
    ends = starts + pd.offsets.QuarterEnd()
    return table.assign(value=numbers, period_end=ends, accumulation="discrete", **columns)


def target(name: str, number: float = 52.0, **changes: object) -> dict[str, object]:
    row: dict[str, object] = {
        "target_id": name, "indicator_id": "a", "area_code": "X", "target": number,
        "period_start": "2026-01-01", "period_end": "2026-03-31", "set_on": "2025-03-01",
    }  # fmt: skip
    return {**row, **changes}


def found(*rows: dict[str, object], values: list[float] | None = None, **changes: object):
    table = conform(pd.DataFrame(rows), "targets")
    return outcomes(table, own(values), None, None, register(**changes), as_at=AS_AT).set_index(
        "target_id"
    )


def test_a_target_whose_period_is_over_was_met_or_not():
    table = found(
        target("met", 53.0),
        target("missed", 53.1),
        target("to come", period_start="2026-10-01", period_end="2026-12-31"),
        target("start", kind="baseline"),
    )
    assert table["met"].to_dict() == {"met": 1.0, "missed": 0.0}
    assert (table["outcome"] == 53.0).all() and (table["source"] == "targets").all()
    assert table["probability"].isna().all() and list(table.columns) == OUTCOMES[1:]


def test_values_count_as_published_and_tolerances_do_not_count():
    table = found(target("a", 53.05), target("b", 53.1, tolerance_abs=5), values=[53.06] * 6)
    assert table["met"].to_dict() == {"a": 1.0, "b": 1.0}  # published as 53.1
    assert found(target("c", 53.2, tolerance_abs=5), values=[53.06] * 6)["met"].tolist() == [0.0]


def test_lower_and_ranges_are_judged_by_their_side():
    assert found(target("a", 53.0), polarity="lower")["met"].tolist() == [1.0]
    assert found(target("a", 52.9), polarity="lower")["met"].tolist() == [0.0]
    band = target("a", float("nan"), target_low=50.0, target_high=53.0)
    assert found(band, polarity="range")["met"].tolist() == [1.0]
    declared = found(target("a"), polarity="range", target_low=54.0, target_high=60.0)
    assert declared["met"].tolist() == [0.0] and declared["target_low"].tolist() == [54.0]
    unknown = found(target("a"), polarity="unknown")
    assert unknown["met"].isna().all() and (unknown["reason"] != "").all()


def test_a_target_that_was_replaced_counts_as_it_stood_when_its_period_ended():
    in_time = [target("old"), target("new", 60.0, supersedes="old", set_on="2026-02-01")]
    assert found(*in_time)["met"].to_dict() == {"new": 0.0}
    too_late = [target("old"), target("new", 60.0, supersedes="old", set_on="2026-04-20")]
    table = found(*too_late)
    assert table.loc["old", "met"] == 1.0
    assert np.isnan(table.loc["new", "met"]) and "after" in table.loc["new", "reason"]


def test_a_period_without_a_value_is_not_judged():
    table = found(target("a"), values=[50.0, 51.0, 52.0, float("nan"), 54.0, 55.0])
    assert table["met"].isna().all() and "no value" in table["reason"].iloc[0]


@pytest.mark.parametrize(
    ("data_type", "denominator", "expected"),
    [("count", 1.0, 206.0), ("percentage", 1.0, 51.5), ("percentage", [1, 1, 1, 5, 1, 1], 52.25)],
)
def test_a_target_for_the_year_is_held_against_the_whole_year(data_type, denominator, expected):
    year = target("y", period_start="2025-04-01", target_basis="year_total")
    table = conform(pd.DataFrame([year]), "targets")
    values = own(denominator=denominator)
    declared = register(data_type=data_type)
    seen = outcomes(table, values, None, None, declared, as_at=AS_AT)
    assert seen["outcome"].tolist() == [pytest.approx(expected)]
    gap = values.assign(value=values["value"].mask(values.index == 1))
    without = outcomes(table, gap, None, None, declared, as_at=AS_AT)
    assert without["met"].isna().all() and without["outcome"].isna().all()


@settings(max_examples=30, deadline=None)
@given(
    value=st.integers(-2000, 2000).map(lambda n: n / 100),
    aim=st.integers(-200, 200).map(lambda n: n / 10),
    better=st.sampled_from(["higher", "lower"]),
    decimals=st.sampled_from([0, 1, 2, None]),
)
def test_the_rule_is_that_of_the_chances(value, aim, better, decimals):
    rows = pd.DataFrame({"series": [SERIES], "target": [aim], "target_low": np.nan})
    rows = rows.assign(
        target_high=np.nan, better=better, decimals=np.nan if decimals is None else decimals,
        frequency="annual", period=pd.Timestamp("2025-04-01"),
    )  # fmt: skip
    happened = pd.DataFrame(
        {"series": [SERIES], "period": pd.to_datetime(["2025-04-01"]), "value": [value]}
    )
    met = judged(rows, happened, "sealed")["met"].iloc[0]
    assert bool(met) == bool(Aim(aim, better, decimals).met_by(np.array([value]))[0])


def test_a_sealed_chance_is_opened_with_its_own_target_when_its_period_is_over(tmp_path):
    rows = pd.DataFrame(
        {
            "target_id": ["hit", "miss", "to come", "elsewhere"],
            "series": [SERIES, SERIES, SERIES, "a|Y|||v1"],
            "indicator": "a", "area": "X", "kind": "improvement", "how": "", "verdict": "stretch",
            "period": pd.to_datetime(["2026-01-01", "2026-01-01", "2026-10-01", "2026-01-01"]),
            "target": [53.0, 60.0, 53.0, 53.0], "probability": [0.6, 0.1, 0.5, 0.5],
            "lower": 0.1, "upper": 0.9, "is_reference": False,
        }
    )  # fmt: skip
    rows = with_aims(rows.assign(first=rows["period"]), register())
    days = {"2025-10-31": date(2025, 11, 1), "2026-01-31": date(2026, 5, 1)}
    for as_at, sealed_on in days.items():
        when = {"as_at": date.fromisoformat(as_at), "sealed_on": sealed_on}
        seal(tmp_path, rows, council="c", period="2025-26 Q2", **when)
    opened, problems = open_seals(tmp_path, before=AS_AT)
    assert len(opened) == 8 and not problems
    targets = conform(pd.DataFrame([target("t")]), "targets")
    table = outcomes(targets, own(), opened, None, register(polarity="lower"), as_at=AS_AT)
    table = table[table["source"] == "sealed"]
    assert table["target_id"].tolist() == ["hit", "miss"] * 2  # judged by what was sealed
    assert table["met"].tolist()[:2] == [1.0, 0.0] and table["met"][2:].isna().sum() == 2
    assert table["probability"].tolist() == [0.6, 0.1] * 2
    assert table["reason"].str.contains("Sealed after").tolist() == [False, False, True, True]
    assert table["sealed_on"].tolist() == ["2025-11-01"] * 2 + ["2026-05-01"] * 2
    assert table["seal"].str.len().tolist() == [12] * 4
    assert records(table, groups={})["n"].iloc[0] == 2


def asked(chances: np.ndarray, met: np.ndarray, **columns: object) -> pd.DataFrame:
    n = len(chances)
    names = [f"{number:05d}" for number in range(n)]
    rows = {
        "target_id": names, "series": names, "indicator": "a", "kind": "improvement",
        "period": pd.Timestamp("2025-04-01"), "probability": chances, "met": met.astype(float),
        "source": "sealed", "sealed_on": "2024-10-31", "as_at": "2024-10-31", "seal": "x",
    }  # fmt: skip
    return pd.DataFrame({**rows, **columns}).reindex(columns=OUTCOMES)


def perfect(n: int, seed: int, groups: int | None = None) -> pd.DataFrame:
    """Chances that are right, of values that `groups` questions share."""
    rng = np.random.default_rng(seed)
    shared = np.arange(n) % (groups or n)
    chances = rng.uniform(0.05, 0.95, n)
    met = rng.random(groups or n)[shared] < chances
    return asked(chances, met, series=[f"s{code}" for code in shared])


def record(table: pd.DataFrame, band: str = "all", **how: object) -> pd.Series:
    rows = records(table, groups={}, **how)  # type: ignore[arg-type]  # as given
    return rows[(rows["source"] != "shipped") & (rows["band"] == band)].iloc[0]


@pytest.mark.parametrize("groups", [None, 40])
def test_perfect_forecasters_stay_within_the_bars(groups):
    inside = []
    for seed in range(20):
        rows = records(perfect(150, seed, groups), groups={}, seed=1)
        rows = rows[rows["source"] == "sealed"]
        kept = (rows["seen"] >= rows["bar_low"] - 1e-9) & (rows["seen"] <= rows["bar_high"] + 1e-9)
        inside += kept.tolist()
    assert 0.9 <= np.mean(inside) <= 1  # 80 bars, of which 95 in 100 should hold


def test_questions_about_one_value_make_the_bars_wider():
    alone, together = (record(perfect(200, 3, groups)) for groups in (None, 20))
    widths = [row["bar_high"] - row["bar_low"] for row in (alone, together)]
    assert widths[1] > 2 * widths[0]


def test_a_perfect_forecaster_shows_the_error_that_was_measured():
    errors = [record(perfect(120, seed))["perfect_error"] for seed in range(5)]
    assert np.mean(errors) == pytest.approx(0.091, abs=0.008)


def test_a_forecaster_who_is_far_off_leaves_the_bars():
    table = perfect(200, 7)
    wrong = table.assign(probability=(table["probability"] + 0.5) % 1)
    row = record(wrong)
    assert row["calibration_error"] > 2 * row["perfect_error"] and row["skill"] < 0
    high = record(wrong, "high")
    assert high["seen"] < high["bar_low"]


def test_scores_are_the_textbooks():
    table = perfect(200, 5)
    row, chance, met = record(table), table["probability"], table["met"]
    brier = ((chance - met) ** 2).mean()
    assert row["brier"] == pytest.approx(brier) and row["n"] == 200
    assert row["skill"] == pytest.approx(1 - brier / (met.mean() * (1 - met.mean())))
    assert row["said"] == pytest.approx(chance.mean()) and row["seen"] == pytest.approx(met.mean())
    low = chance < 1 / 3
    assert record(table, "low")["seen"] == pytest.approx(met[low].mean())
    bins = (chance * 10).astype(int).clip(upper=9)
    off = (chance.groupby(bins).sum() - met.groupby(bins).sum()).abs().sum() / 200
    assert row["calibration_error"] == pytest.approx(off)


def test_the_order_of_rows_does_not_matter():
    table = perfect(150, 9, 50)
    shuffled = table.sample(frac=1, random_state=4)
    pd.testing.assert_frame_equal(records(table, groups={}), records(shuffled, groups={}))


def test_fewer_than_sixty_are_not_scored():
    few, enough = record(perfect(FEWEST - 1, 1)), record(perfect(FEWEST, 1))
    assert few["n"] == FEWEST - 1 and "59" in few["reason"] and np.isnan(few["bar_low"])
    assert np.isnan(few["calibration_error"])
    assert enough["reason"] == "" and enough["calibration_error"] > 0


def test_of_a_question_sealed_twice_the_first_chance_counts():
    first = perfect(100, 2)
    second = first.assign(as_at="2025-01-31", probability=0.5)
    both = pd.concat([second, first], ignore_index=True)
    assert record(both)["n"] == 100
    assert record(both)["brier"] == pytest.approx(record(first)["brier"])


def test_a_run_dated_back_does_not_take_the_place_of_the_first_chance():
    honest = perfect(100, 2)
    dated_back = honest.assign(as_at="2020-01-31", sealed_on="2024-12-01", probability=0.5)
    both = pd.concat([dated_back, honest], ignore_index=True)
    assert record(both)["brier"] == pytest.approx(record(honest)["brier"])


def test_targets_without_a_chance_have_a_rate_by_group():
    met = np.arange(10) % 4 == 0
    table = asked(np.full(10, np.nan), met, source="targets", indicator=["a"] * 4 + ["b"] * 6)
    rows = records(table, groups={"place": ["a", "c"], "none": ["z"]})
    rows = rows[rows["source"] == "targets"].set_index("group")
    assert rows["n"].to_dict() == {"all": 10, "place": 4}
    assert rows.loc["all", "seen"] == pytest.approx(0.3) and rows["said"].isna().all()
    assert (rows["reason"] == "").all() and set(rows["band"]) == {"all"}


def test_past_questions_about_real_targets_are_told_apart():
    kinds = ["keep"] * 70 + ["improvement"] * 61 + ["floor"] * 2
    rows = records(perfect(133, 2).assign(source="backtest", kind=kinds), groups={})
    rows = rows[(rows["source"] == "backtest") & (rows["band"] == "all")].set_index("group")
    assert rows["n"].to_dict() == {"all": 133, "set_by_people": 63}
    assert (rows["reason"] == "").all()


def test_what_is_not_known_is_not_counted():
    table = perfect(100, 2)
    table.loc[:4, "met"] = np.nan
    table.loc[5:9, "probability"] = np.nan
    assert record(table)["n"] == 90


def test_shipped_evidence_stands_beside_every_record():
    rows = records(perfect(100, 2), groups={})
    assert list(rows.columns) == RECORDS
    shipped = rows[rows["source"] == "shipped"]
    assert {"low", "middle", "high", "all"} <= set(shipped.loc[shipped["group"] == "all", "band"])
    assert (shipped["n"] > FEWEST).all()
    assert [rate["share"] for rate in KNOWN["base_rates"]] == [0.397, 0.39]
