"""What result tables carry beside the measures: rows for the silent, labels, ages, clipping."""

from __future__ import annotations

from datetime import date, timedelta
from typing import Any

import numpy as np
import pandas as pd
import pytest

from pmf_analysis.measures.result_tables import (
    clipped,
    complete_trends,
    digest_table,
    labels,
    restatement_notes,
    with_labels,
)

SERIES = "ind|OWN|||v1"


def register(*rows: dict[str, Any]) -> pd.DataFrame:
    base = {
        "indicator": "ind", "title": "Share of homes", "short_title": "Homes", "unit": "%",
        "data_type": "percentage", "decimals": 1, "polarity": "higher", "frequency": "quarterly",
        "year_type": "financial", "control": "council", "owner": "Head", "director": "Director",
        "source": "Own", "accumulation": "discrete", "period_span": "", "periods_per_year": 4.0,
        "publish_lag_days": np.nan, "minimum": 0.0, "maximum": 100.0,
    }  # fmt: skip
    return pd.DataFrame([{**base, **row} for row in rows or ({},)])


def own(values: list[float] = [50.0, 60.0]) -> pd.DataFrame:  # noqa: B006 - never changed
    starts = pd.date_range("2026-04-01", periods=len(values), freq="QS-APR")
    ends = starts + pd.DateOffset(months=3, days=-1)
    rows = pd.DataFrame({"period": starts, "period_end": ends, "value": values})
    return rows.assign(series=SERIES, indicator="ind")


def trends(**columns: Any) -> pd.DataFrame:
    row = {
        "series": SERIES, "indicator": "ind", "area": "OWN", "polarity": "higher", "n": 2,
        "period": pd.Timestamp("2026-07-01"), "previous_period": pd.Timestamp("2026-04-01"),
        "last_year_period": pd.NaT, "verdict": "no_clear_change", "method": "xmr", "rule": "none",
        "reason": "", "target": 1.0, "met_share": np.nan, "assurance": "",
    }  # fmt: skip
    return pd.DataFrame([{**row, **columns}])


def lines(*numbers: float) -> pd.DataFrame:
    table = own()[["series", "period"]].head(len(numbers)).assign(target=numbers)
    return table.assign(target_low=np.nan, target_high=np.nan).astype({"target": float})


def completed(
    declared: pd.DataFrame | None = None, asked: pd.DataFrame | None = None, **day: Any
) -> pd.DataFrame:
    return complete_trends(
        trends(),
        own(),
        register() if declared is None else declared,
        lines() if asked is None else asked,
        area="OWN",
        as_at=day.get("as_at", date(2026, 10, 31)),
    )


def test_an_indicator_without_data_has_its_row_and_its_reason() -> None:
    declared = register({}, {"indicator": "silent", "title": "Never sent"})
    found = completed(declared).set_index("indicator")
    silent = found.loc["silent"]
    assert (silent["verdict"], silent["method"], silent["n"]) == ("cannot_judge", "none", 0)
    assert silent["reason"] == "There are no values for this council."
    assert (silent["title"], silent["series"], silent["area"]) == ("Never sent", "silent", "OWN")
    assert silent["assurance"] == ""  # a text that nobody gave is empty, not missing
    assert silent["period_label"] == silent["period_long"] == "" and not silent["is_stale"]
    assert found.loc["ind", "verdict"] == "no_clear_change" and len(found) == 2


def test_labels_titles_and_ages_stand_beside_the_verdict() -> None:
    found = completed().iloc[0]
    assert (found["title"], found["unit"], found["director"]) == ("Share of homes", "%", "Director")
    assert (found["period_label"], found["previous_label"]) == ("2026-27 Q2", "2026-27 Q1")
    assert found["period_long"] == "Quarter 2 (July to September) 2026-27"
    assert found["last_year_label"] == "" and found["age_days"] == 31


@pytest.mark.parametrize(
    ("declared", "days", "stale"),
    [
        ({}, 182, False),  # two quarters are 182.6 days
        ({}, 183, True),
        ({"publish_lag_days": 90}, 272, False),
        ({"publish_lag_days": 90}, 273, True),
        ({"periods_per_year": 12.0, "frequency": "monthly"}, 61, True),
    ],
)
def test_a_value_older_than_two_of_its_periods_and_its_lag_is_stale(declared, days, stale) -> None:
    found = completed(register(declared), as_at=date(2026, 9, 30) + timedelta(days=days)).iloc[0]
    assert (found["age_days"], bool(found["is_stale"])) == (days, stale)


def test_the_target_is_that_in_force() -> None:
    found = completed(asked=lines(50.0, 61.0)).iloc[0]
    assert (found["target"], found["target_period_label"]) == (61.0, "2026-27 Q2")
    none = completed().iloc[0]
    assert np.isnan(none["target"]) and none["target_period_label"] == ""


def test_rolling_windows_are_labelled_by_all_that_they_cover() -> None:
    declared = register({"frequency": "annual", "accumulation": "rolling", "period_span": "3y"})
    starts = pd.Series([pd.Timestamp("2024-04-01"), pd.NaT], index=[4, 2])
    found = labels(pd.Series(["ind", "ind"], index=[4, 2]), starts, declared)
    assert found.index.tolist() == [4, 2] and found[2] == ""
    assert found[4] == "2022-23 to 2024-25"
    single = labels(pd.Series(["ind"]), starts.iloc[:1], register({"frequency": "annual"}))
    assert single.tolist() == ["2024-25"]


def test_the_last_value_is_labelled_where_there_is_one() -> None:
    table = pd.DataFrame({"series": [SERIES], "period": [pd.Timestamp("2026-07-01")]})
    assert with_labels(table, register())["period_label"].tolist() == ["2026-27 Q2"]
    later = table.assign(last_period=pd.NaT).astype({"last_period": "datetime64[us]"})
    assert with_labels(later, register())["last_label"].tolist() == [""]
    assert with_labels(table.iloc[:0], register()).columns[-1] == "period_label"


def test_shown_limits_stay_inside_what_is_possible_and_the_tested_ones_are_kept() -> None:
    table = pd.DataFrame(
        {"series": [SERIES, "free|OWN|||v1"], "lower": [-3.0, -3.0], "upper": [104.0, np.nan]}
    )
    declared = register({}, {"indicator": "free", "minimum": np.nan, "maximum": np.nan})
    found = clipped(table, declared, ["lower", "upper"])
    assert found["lower"].tolist() == [0.0, -3.0] and found["upper"][0] == 100.0
    assert np.isnan(found["upper"][1])
    assert found["raw_lower"].tolist() == [-3.0, -3.0] and found["raw_upper"][0] == 104.0


def test_only_our_own_changed_values_are_told_and_a_withdrawn_one_says_so() -> None:
    restated = pd.DataFrame(
        {
            "indicator_id": "ind",
            "area_code": ["OWN", "OWN", "OTHER"],
            "dimension": "",
            "dimension_value": "",
            "definition_version": 1,
            "period_start": pd.Timestamp("2026-04-01"),
            "old_value": [50.04, 60.0, 1.0],
            "new_value": [52.3, np.nan, 2.0],
        }
    )
    notes = restatement_notes(restated, own(), register())
    assert notes["message"].tolist() == [
        "Share of homes, 2026-27 Q1: published as 50.0, now 52.3.",
        "Share of homes, 2026-27 Q1: published as 60.0, now taken back.",
    ]
    assert set(notes["code"]) == {"restated"}
    assert restatement_notes(restated.iloc[:0], own(), register()).empty


def test_an_indicators_digest_is_that_of_its_own_series() -> None:
    known = {"waste|E1|||v1": "aa", "waste|E2|||v1": "bb", "roads|E1|||v1": "cc"}
    digests = digest_table(known).set_index("indicator")["digest"]
    assert sorted(digests.index) == ["roads", "waste"]
    later = digest_table(dict(reversed(known.items())) | {"waste|E2|||v1": "dd"})
    assert (later.set_index("indicator")["digest"] != digests).to_dict() == {
        "roads": False,
        "waste": True,
    }
    assert digest_table({}).empty
