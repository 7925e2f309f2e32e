"""Which questions are asked: live targets, the line in force, and the two standing questions."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd
import pytest

from pmf_analysis.data.contract import conform
from pmf_analysis.measures.arrays import TABLES
from pmf_analysis.measures.polarity import TARGETS
from pmf_analysis.measures.questions import (
    TOLERANCES,
    live_targets,
    reference_questions,
    target_lines,
    target_questions,
)
from pmf_analysis.periods import PERIODS_PER_YEAR

SERIES = "ind|OWN|||v1"
QUARTERS = pd.date_range("2024-04-01", periods=8, freq="QS-APR")


def targets(*rows: dict[str, Any]) -> pd.DataFrame:
    base = {
        "indicator_id": "ind", "area_code": "OWN", "period_start": "2024-04-01",
        "period_end": "2025-03-31", "target": 10.0, "kind": "improvement",
        "target_basis": "period", "set_on": "2024-03-01",
    }  # fmt: skip
    table = [{"target_id": f"t{n}", **base, **row} for n, row in enumerate(rows)]
    return conform(pd.DataFrame(table), "targets")


def own(values: Any = range(8), indicator: str = "ind") -> pd.DataFrame:
    rows = pd.DataFrame({"period": QUARTERS[: len(values)], "value": np.array(values, float)})
    rows["period_end"] = rows["period"] + pd.DateOffset(months=3, days=-1)
    rows = rows.assign(series=f"{indicator}|OWN|||v1", indicator=indicator, area="OWN")
    return rows.assign(accumulation="discrete")


def register(*polarities: str, frequency: str = "quarterly") -> pd.DataFrame:
    names = ["ind", "b", "c", "d", "e"][: max(1, len(polarities))]
    declared = pd.DataFrame({"indicator": names, "polarity": [*polarities] or ["higher"]})
    rate = PERIODS_PER_YEAR[frequency]
    return declared.assign(
        frequency=frequency, periods_per_year=rate, accumulation="discrete", data_type="percentage"
    )


def standing(own: pd.DataFrame, declared: pd.DataFrame, as_at: str = "2024-10-31") -> pd.DataFrame:
    nothing, unknown = pd.DataFrame({"series": []}), pd.Series(dtype=float)
    return reference_questions(own, declared, nothing, unknown, as_at=pd.Timestamp(as_at))


def test_a_superseded_target_is_no_longer_asked_about() -> None:
    table = targets({}, {"supersedes": "t0"}, {"indicator_id": "unseen"})
    live = live_targets(table, own(), register())
    assert live["target_id"].tolist() == ["t1"]
    assert live[["series", "indicator", "area"]].iloc[0].tolist() == [SERIES, "ind", "OWN"]
    assert live["first"].iloc[0] == QUARTERS[0] and live["period"].iloc[0] == QUARTERS[3]


def test_a_chain_of_targets_leaves_its_last_link() -> None:
    table = targets({}, {"supersedes": "t0"}, {"supersedes": "t1"}, {"supersedes": ""})
    assert live_targets(table, own(), register())["target_id"].tolist() == ["t2", "t3"]


def test_a_years_target_of_a_figure_to_date_is_no_line_on_the_way_there() -> None:
    declared = register().assign(accumulation="ytd")
    live = live_targets(targets({"target": 6.0}), own().assign(accumulation="ytd"), declared)
    lines = target_lines(live, own())
    assert lines["period"].tolist() == [QUARTERS[3]] and lines["target"].tolist() == [6.0]


def test_the_shortest_span_speaks_and_then_the_one_set_last() -> None:
    table = targets(
        {"target": 10},
        {"target": 12, "set_on": "2024-09-01", "tolerance_abs": 0.5},
        {"target": 7, "period_start": "2024-07-01", "period_end": "2024-09-30"},
        {"target": 9, "target_basis": "year_total", "set_on": "2025-01-01"},
        {"target": 9, "kind": "baseline", "set_on": "2025-01-01"},
    )
    values = own([8, 9, 10, 11])
    lines = target_lines(live_targets(table, values, register()), values)
    assert list(lines.columns) == ["series", "period", *TARGETS, *TOLERANCES]
    assert lines["target"].tolist() == [12, 7, 12, 12]
    assert lines["tolerance_abs"].fillna(0).tolist() == [0.5, 0, 0.5, 0.5]
    assert lines["period"].tolist() == QUARTERS[:4].tolist()


def test_no_targets_give_no_line_and_no_question() -> None:
    live = live_targets(targets({}).iloc[:0], own(), register())
    assert target_lines(live, own()).empty
    assert list(target_questions(live, since=QUARTERS[0]).columns) == TABLES["questions"]


def test_targets_still_to_be_met_or_due_in_the_period_are_asked_about() -> None:
    table = targets({}, {"period_end": "2024-06-30"}, {"period_end": "2026-03-31"})
    live = live_targets(table, own(), register())
    asked = target_questions(live, since=pd.Timestamp("2025-01-01"))
    assert asked["target_id"].tolist() == ["t0", "t2"] and not asked["is_reference"].any()
    assert asked["period"].tolist() == [QUARTERS[3], QUARTERS[7]]


def test_standing_questions_need_a_direction_and_no_target() -> None:
    names = ["ind", "b", "c", "d", "e"]
    declared = register("higher", "lower", "range", "none", "higher")
    table = pd.concat([own([1, 2, 3], name) for name in names])
    asked = pd.DataFrame({"series": ["e|OWN|||v1"]})
    medians = pd.Series({"ind|OWN|||v1": 5.0, "b|OWN|||v1": np.nan})
    as_at = pd.Timestamp("2025-01-31")
    found = reference_questions(table, declared, asked, medians, as_at=as_at)
    assert list(found.columns) == TABLES["questions"] and found["is_reference"].all()
    told = found[["indicator", "kind", "target"]].to_numpy().tolist()
    assert told == [["b", "maintain", 3.0], ["ind", "maintain", 3.0], ["ind", "peer_median", 5.0]]
    assert found["target_id"].is_unique


def test_the_present_level_is_the_newest_value_that_there_is() -> None:
    table = own([4, 6, np.nan]).sample(frac=1, random_state=2)
    found = standing(table, register())
    assert found["target"].tolist() == [6.0] and found["period"].tolist() == [QUARTERS[5]]


@pytest.mark.parametrize(
    ("frequency", "as_at", "due"),
    [
        ("monthly", "2024-10-31", "2025-07-01"),
        ("termly", "2024-10-31", "2025-07-01"),
        ("annual", "2025-10-31", "2026-07-01"),
        ("weekly", "2024-10-31", "2025-06-30"),
    ],
)
def test_standing_questions_look_whole_years_ahead_of_what_is_known(frequency, as_at, due) -> None:
    found = standing(own([4, 6]), register(frequency=frequency), as_at)
    assert found["period"].tolist() == [pd.Timestamp(due)]


def test_old_figures_say_nothing_about_what_is_to_come_and_totals_are_not_the_peers() -> None:
    old = standing(own([4, 6]), register(), "2028-10-31")
    assert "years old" in old["refused"].iloc[0]
    assert standing(own([4, 6]), register())["refused"].tolist() == [""]
    declared = register().assign(data_type="count")
    nothing, medians = pd.DataFrame({"series": []}), pd.Series({SERIES: 5.0})
    asked = reference_questions(own(), declared, nothing, medians, as_at=QUARTERS[7])
    assert asked["kind"].tolist() == ["maintain"]


def test_targets_for_the_year_so_far_say_how_it_is_counted_and_from_when() -> None:
    values, declared = own([10.0] * 4), register().assign(accumulation="ytd")
    quarter = {"period_start": "2024-07-01", "period_end": "2024-09-30"}
    table = targets({"target_basis": "year_total"}, {}, quarter)
    live = live_targets(table, values, declared)
    assert live["how"].tolist() == ["mean"] * 3 and (live["first"] == QUARTERS[0]).all()
    assert live["period"].tolist() == [QUARTERS[3], QUARTERS[3], QUARTERS[1]]
    assert target_lines(live, values).empty
    academic = declared.assign(year_type="academic")
    assert (live_targets(table, values, academic)["first"] == pd.Timestamp("2023-09-01"))[2]
    counts = register().assign(data_type="count")
    assert live_targets(table, values, counts)["how"].tolist() == ["sum", "", ""]
    stock = counts.assign(accumulation="snapshot")
    levels = values.assign(accumulation="snapshot")
    assert live_targets(table, levels, stock)["how"].tolist() == ["", "", ""]
    assert live_targets(table, values, register(frequency="annual"))["how"].eq("").all()
    on_people = values.assign(adds_up=True)  # a rate on a population that stands still
    assert live_targets(table, on_people, declared)["how"].tolist() == ["sum"] * 3
    rates = register().assign(data_type="rate")
    assert live_targets(table, values, rates)["how"].tolist() == ["sum", "", ""]


def test_a_target_of_another_unit_is_refused() -> None:
    values, table = own([10.0] * 4), targets({}, {"target": 60}, {"target": 1.5})
    why = live_targets(table, values, register())["refused"].tolist()
    assert why[0] == "" and "more than 5 times" in why[1] and "less than a fifth" in why[2]
    totals = [{"target": number, "target_basis": "year_total"} for number in (40, 60, 210, 7)]
    counts = register().assign(data_type="count")
    why = live_targets(targets(*totals), values, counts)["refused"].tolist()
    assert why[:2] == ["", ""] and "more than 5 times" in why[2] and "a fifth" in why[3]


def test_a_target_that_ends_beside_the_periods_of_the_indicator_is_refused() -> None:
    beside = {"period_end": "2025-01-17"}
    why = live_targets(targets({}, beside), own([10.0] * 4), register())["refused"].tolist()
    assert why[0] == "" and "does not end with one" in why[1]


def test_a_week_that_ends_on_a_day_began_six_days_before_and_windows_have_no_year_total() -> None:
    weekly = register(frequency="weekly")
    table = targets({"period_end": "2025-03-30", "target_basis": "year_total"})
    assert live_targets(table, own(), weekly)["period"].tolist() == [pd.Timestamp("2025-03-24")]
    rolling, values = (
        register().assign(accumulation="rolling"),
        own().assign(accumulation="rolling"),
    )
    assert live_targets(table, values, rolling)["how"].tolist() == [""]


def test_targets_beside_no_observation_are_no_questions() -> None:
    nothing = own().iloc[:0]
    live = live_targets(targets({"target": 6.0}), nothing, register())
    assert live.empty and "refused" in live
    empty = targets().reindex(columns=targets({}).columns)
    assert live_targets(conform(empty, "targets"), nothing, register()).empty
