"""Questions put to the past: by rule and as set; nothing that came later reaches a chance."""

from __future__ import annotations

from datetime import date

import numpy as np
import pandas as pd
import pytest

from pmf_analysis.data.contract import conform, empty_table
from pmf_analysis.measures.backtest import RULES, answered, backtest, rule_questions
from pmf_analysis.measures.track_record import OUTCOMES, past_targets

YEARS, AREAS = 12, 8
ORIGIN = pd.Timestamp("2020-04-01")


def panel(seed: int = 0) -> pd.DataFrame:
    rng = np.random.default_rng(seed)
    values = 60 + 5 * rng.normal(size=(AREAS, 1)) + rng.normal(size=(AREAS, YEARS)).cumsum(axis=1)
    names = [f"X{number}" for number in range(AREAS)]
    starts = pd.date_range("2012-04-01", periods=YEARS, freq="YS-APR")
    table = pd.DataFrame(
        {
            "series": [f"a|{name}|||v1" for name in names for _ in starts],
            "indicator": "a",
            "area": np.repeat(names, YEARS),
            "period": np.tile(starts, AREAS),
            "value": values.round(1).ravel(),
            "accumulation": "discrete",
        }
    )
    return table.assign(period_end=table["period"] + pd.offsets.YearEnd(1, month=3))


LEVEL = float(panel().set_index(["area", "period"])["value"]["X0", pd.Timestamp("2020-04-01")])


def register(**changes: object) -> pd.DataFrame:
    row = {
        "indicator": "a", "polarity": "higher", "frequency": "annual", "decimals": 1,
        "minimum": 0.0, "maximum": 100.0, "publish_lag_days": 60, "accumulation": "discrete",
        "data_type": "percentage", "periods_per_year": 1.0, "year_type": "financial",
    }  # fmt: skip
    return pd.DataFrame([{**row, **changes}])


def people(**changes: object) -> pd.DataFrame:
    """A target for 2022-23 as people set it (the level of 2020-21), ready to be asked."""
    row = {
        "target_id": "t", "indicator_id": "a", "area_code": "X0", "target": LEVEL,
        "period_start": "2022-04-01", "period_end": "2023-03-31", "set_on": "2022-03-01",
    }  # fmt: skip
    table = conform(pd.DataFrame([{**row, **changes}]), "targets")
    own = panel()[panel()["area"] == "X0"]
    return past_targets(table, own, register(), as_at=date(2024, 10, 31))


@pytest.mark.parametrize(("polarity", "sign"), [("higher", 1), ("lower", -1)])
def test_the_seven_rules_ask_for_what_they_say(polarity, sign):
    observations, declared = panel(), register(polarity=polarity)
    asked = rule_questions(observations, declared, ORIGIN, [1])
    assert len(asked) == len(RULES) * AREAS and asked["target_id"].is_unique
    assert (asked["period"] == pd.Timestamp("2021-04-01")).all()
    mine = asked[asked["area"] == "X3"].set_index("kind")["target"]
    past = observations[observations["period"] <= ORIGIN]
    now = past[past["period"] == ORIGIN].set_index("area")["value"]
    record = sign * past.loc[past["area"] == "X3", "value"]
    expected = {
        "keep": now["X3"],
        "plus_2": now["X3"] * (1 + 0.02 * sign),
        "plus_5": now["X3"] * (1 + 0.05 * sign),
        "plus_10": now["X3"] * (1 + 0.10 * sign),
        "best_ever": sign * record.max(),
        "median": now.median(),
        "top_quarter": now.quantile(0.75 if sign > 0 else 0.25),
    }
    assert mine.to_dict() == pytest.approx(expected)


def test_rules_need_five_values_five_areas_and_a_direction():
    observations = panel()
    early = rule_questions(observations, register(), pd.Timestamp("2015-04-01"))
    assert early.empty and len(rule_questions(observations, register(), ORIGIN)) == 7 * 2 * AREAS
    few = rule_questions(observations[observations["area"] < "X4"], register(), ORIGIN)
    assert set(few["kind"]) == {"keep", "plus_2", "plus_5", "plus_10", "best_ever"}
    assert rule_questions(observations, register(polarity="none"), ORIGIN).empty


def test_every_question_has_a_chance_and_an_outcome():
    table = backtest(panel(), None, register(), area="X0")
    assert list(table.columns) == OUTCOMES and (table["source"] == "backtest").all()
    assert set(table["area"]) == {"X0"} and table["target_id"].is_unique
    assert table["met"].isin([0.0, 1.0]).all() and table["probability"].between(0, 1).all()
    origins = sorted(table["as_at"].unique())
    assert origins == [f"{year}-04-01" for year in range(2017, 2023)]  # the newest six
    happened = panel().set_index(["series", "period"])["value"]
    found = happened.loc[list(zip(table["series"], table["period"], strict=True))]
    assert table["outcome"].tolist() == found.tolist()
    easier = table[table["kind"] == "keep"]["probability"].mean()
    assert easier > table[table["kind"] == "plus_10"]["probability"].mean()
    again = backtest(panel(), None, register(), area="X0")
    pd.testing.assert_frame_equal(table, again)


def test_shuffling_the_future_changes_no_chance():
    observations, rng = panel(), np.random.default_rng(1)
    asked = backtest(observations, None, register(), origins=[ORIGIN])
    later = observations["period"] > ORIGIN
    other = observations.copy()
    other.loc[later, "value"] = rng.permutation(other.loc[later, "value"].to_numpy())
    again = backtest(other, None, register(), origins=[ORIGIN])
    assert asked["target_id"].tolist() == again["target_id"].tolist()
    assert np.array_equal(asked["probability"], again["probability"])
    assert (asked["outcome"] != again["outcome"]).any()


def test_targets_that_people_set_are_asked_on_the_day_they_were_set():
    table = backtest(panel(), people(), register(), area="X0", origins=[ORIGIN])
    (row,) = table[table["kind"] == "improvement"].to_dict("records")
    assert row["as_at"] == "2022-03-01" and row["target_id"] == "t"
    assert row["met"] == float(row["outcome"] >= LEVEL)
    undated = backtest(panel(), people(set_on=None), register(), area="X0", origins=[ORIGIN])
    assert undated["as_at"].iloc[-1] == "2022-04-01"


@pytest.mark.parametrize(("year", "is_known"), [(2020, True), (2021, False), (2022, False)])
def test_only_what_was_published_by_that_day_is_known(year, is_known):
    # set on 1 March 2022: 2020-21 was out by the end of May 2021, 2021-22 had not ended
    observations = panel()
    other = observations.copy()
    other.loc[other["period"] == pd.Timestamp(f"{year}-04-01"), "value"] += 4.0
    chances = [
        backtest(each, people(), register(), area="X0", origins=[ORIGIN])["probability"].iloc[-1]
        for each in (observations, other)
    ]
    assert (chances[0] != chances[1]) == is_known


def test_publishing_takes_time():
    slow, quick = (
        backtest(panel(), people(), register(publish_lag_days=lag), area="X0", origins=[ORIGIN])
        for lag in (400, 0)
    )
    assert slow["probability"].iloc[-1] != quick["probability"].iloc[-1]


def test_targets_for_a_year_so_far_and_refused_ones_are_not_asked():
    for change in ({"how": "sum"}, {"refused": "Its unit is wrong."}):
        table = backtest(panel(), people().assign(**change), register(), origins=[ORIGIN])
        assert "improvement" not in set(table["kind"])


def test_what_has_no_outcome_is_left_out():
    asked = rule_questions(panel(), register(), ORIGIN, [1, 9])
    table = answered(panel(), asked, register(), panel(), ORIGIN)
    assert set(table["horizon"]) == {1} and table["met"].notna().all()


def test_a_council_without_targets_is_asked_by_rule_only():
    own = panel()[panel()["area"] == "X0"]
    none = past_targets(empty_table("targets"), own, register(), as_at=date(2024, 10, 31))
    table = backtest(panel(), none, register(), area="X0", origins=[ORIGIN])
    assert none.empty and set(table["kind"]) == set(RULES)


def test_a_council_without_figures_has_no_questions():
    table = backtest(panel(), None, register(), area="elsewhere")
    assert table.empty and list(table.columns) == OUTCOMES


def test_the_past_is_asked_with_what_the_present_is_asked_with():
    rows = panel()
    lists = pd.DataFrame({"member": sorted(set(rows["area"])), "area": ""})
    near = pd.DataFrame(
        [{"area": f"X{a}", "member": f"X{(a + s) % AREAS}"} for a in range(AREAS) for s in (1, 2)]
    )
    usual = backtest(rows, None, register(), origins=[ORIGIN])
    other = backtest(rows, None, register(), origins=[ORIGIN], seed=7)
    assert (usual["probability"] != other["probability"]).any()
    beside = pd.concat([lists, near])
    listed = backtest(rows, None, register(), origins=[ORIGIN], peer_sets=beside)
    assert listed["target_id"].tolist() == usual["target_id"].tolist()
    assert (usual["probability"] != listed["probability"]).any()
