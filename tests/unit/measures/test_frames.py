"""From store tables to measure frames: base periods, usable values, exceptional periods."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd
import pytest

from pmf_analysis.data.contract import conform
from pmf_analysis.measures.frames import (
    base_starts,
    in_exceptional_period,
    is_aggregate,
    measure_frame,
    own_totals,
)
from pmf_analysis.period_spans import MONTHS_A_PERIOD


def observed(**columns: Any) -> pd.DataFrame:
    row = {
        "indicator_id": "ind", "area_code": "X06000001", "frequency": "annual",
        "period_start": "2024-04-01", "period_end": "2025-03-31", "value": 5.0,
        "value_status": "final", "definition_version": 1,
    }  # fmt: skip
    rows = pd.DataFrame({**row, **columns}, index=range(len(next(iter(columns.values()), [0]))))
    return conform(rows, "observations")


def register(**columns: Any) -> pd.DataFrame:
    row = {"indicator": "ind", "accumulation": "discrete", "frequency": "annual", "decimals": 1}
    return pd.DataFrame([{**row, **columns}])


@pytest.mark.parametrize(
    ("frequency", "end", "start"),
    [
        ("monthly", "2024-02-29", "2024-02-01"),
        ("quarterly", "2024-06-30", "2024-04-01"),
        ("termly", "2024-12-31", "2024-09-01"),
        ("half_yearly", "2024-09-30", "2024-04-01"),
        ("annual", "2024-08-31", "2023-09-01"),
        ("biennial", "2025-03-31", "2023-04-01"),
        ("weekly", "2024-06-09", "2024-06-03"),
    ],
)
def test_the_last_base_period_of_a_span_starts_so_many_months_before_its_end(
    frequency: str, end: str, start: str
) -> None:
    ends, otherwise = (pd.to_datetime(pd.Series([day])) for day in (end, "2001-01-01"))
    assert base_starts(ends, pd.Series([frequency]), otherwise).tolist() == [pd.Timestamp(start)]


def test_base_starts_of_mixed_frequencies_keep_their_rows_and_their_input() -> None:
    ends = pd.to_datetime(pd.Series(["2024-06-30", "2025-03-31"], index=[7, 3]))
    frequency = pd.Series(["quarterly", "annual"], index=[7, 3])
    otherwise = pd.to_datetime(pd.Series(["2000-01-01"] * 2, index=[7, 3]))
    before = otherwise.copy()
    found = base_starts(ends, frequency, otherwise)
    assert found.to_dict() == {7: pd.Timestamp("2024-04-01"), 3: pd.Timestamp("2024-04-01")}
    pd.testing.assert_series_equal(otherwise, before)


def test_months_of_every_frequency_but_weeks() -> None:
    assert MONTHS_A_PERIOD == {
        "monthly": 1, "quarterly": 3, "termly": 4, "half_yearly": 6, "annual": 12, "biennial": 24,
    }  # fmt: skip


def test_a_value_without_a_usable_status_is_none() -> None:
    statuses = ["final", "provisional", "estimated", "revised", "suppressed", "not_yet_available"]
    starts = pd.date_range("2015-04-01", periods=6, freq="YS-APR")
    ends = starts + pd.DateOffset(years=1, days=-1)
    rows = observed(value_status=statuses, period_start=starts, period_end=ends)
    frame = measure_frame(rows, register())
    assert frame["value"].notna().tolist() == [True] * 4 + [False] * 2
    assert frame["status"].tolist() == statuses and set(frame["decimals"]) == {1}
    assert frame["series"].unique().tolist() == ["ind|X06000001|||v1"]


def test_windows_are_placed_by_their_last_base_period_and_single_periods_by_their_first_day() -> (
    None
):
    rows = observed(period_start=["2022-04-01"] * 2, period_end=["2025-03-31", "2024-03-31"])
    rolling = measure_frame(rows, register(accumulation="rolling"))
    assert rolling["period"].dt.year.tolist() == [2023, 2024]
    quarters = observed(
        period_start=["2024-04-01"] * 2, period_end=["2024-06-30", "2024-09-30"]
    ).assign(accumulation=["discrete", "ytd"])
    told = measure_frame(quarters, register(accumulation="ytd", frequency="quarterly"))
    assert told["period"].tolist() == [pd.Timestamp("2024-04-01"), pd.Timestamp("2024-07-01")]
    silent = measure_frame(
        quarters.assign(accumulation=["", None]),
        register(accumulation="ytd", frequency="quarterly"),
    )
    assert silent["accumulation"].tolist() == ["ytd", "ytd"]


def test_of_spans_that_start_together_the_shortest_is_the_series() -> None:
    rows = observed(
        period_start=["2022-01-01", "2022-01-01", "2023-01-01"],
        period_end=["2024-12-31", "2022-12-31", "2023-12-31"],
        value=[14.6, 17.4, 16.0],
    )
    assert measure_frame(rows, register())["value"].tolist() == [17.4, 16.0]


def test_indicators_outside_the_register_are_left_out() -> None:
    assert measure_frame(observed(indicator_id=["other"]), register()).empty


def test_own_totals_are_undivided_and_of_the_newest_definition() -> None:
    rows = observed(
        area_code=["X06000001", "X06000001", "X06000001", "X06000002"],
        definition_version=[1, 2, 2, 3],
        dimension=["", "", "sex", ""],
        dimension_value=["", "", "women", ""],
        value=[1.0, 2.0, 3.0, 4.0],
    )
    assert own_totals(measure_frame(rows, register()), "X06000001")["value"].tolist() == [2.0]


def test_nations_regions_and_county_sums_are_no_councils() -> None:
    codes = ["E92000001", "E12000009", "E13000001", "E11000001", "E47000001", "K02000001"]
    assert is_aggregate(pd.Series(codes)).all()
    assert not is_aggregate(pd.Series(["E06000023", "E08000009", "S12000033", "X06000001"])).any()


def test_exceptional_spans_hold_for_their_indicator_only_and_both_ends_belong() -> None:
    starts = pd.to_datetime(["2020-03-01", "2020-04-01", "2021-03-31", "2021-04-01"])
    panel = pd.DataFrame({"indicator": np.repeat(["a", "b"], 4), "period": [*starts, *starts]})
    spans = [[(pd.Timestamp("2020-04-01"), "2021-03-31")], []]
    declared = pd.DataFrame({"indicator": ["a", "b"], "exceptional_periods": spans})
    found = in_exceptional_period(panel, declared)
    assert found.tolist() == [False, True, True, False] + [False] * 4
    assert not in_exceptional_period(panel, pd.DataFrame({"indicator": ["a", "b"]})).any()
