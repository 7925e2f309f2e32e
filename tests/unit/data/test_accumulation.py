"""Year-to-date values become what each period added, or say why they cannot."""

from __future__ import annotations

import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pmf_analysis.data.accumulation import to_discrete
from pmf_analysis.data.contract import conform

QUARTER_ENDS = ["2026-06-30", "2026-09-30", "2026-12-31", "2027-03-31"]


def register(**facts: object) -> pd.DataFrame:
    row = {
        "indicator": "kpi",
        "accumulation": "ytd",
        "data_type": "count",
        "frequency": "quarterly",
        "year_type": "financial",
        "rate_base": None,
    }
    return pd.DataFrame([row | facts])


def year(values: list[float | None], ends: list[str] | None = None, **more: object) -> pd.DataFrame:
    ends = (ends or QUARTER_ENDS)[: len(values)]
    rows = pd.DataFrame(
        {"value": pd.Series(values, dtype="float64"), "period_end": ends, "period_label": ends}
    ).assign(
        indicator_id="kpi",
        period_start="2026-04-01",
        frequency="quarterly",
        area_code="X",
        value_status=["missing" if value is None else "final" for value in values],
    )
    return conform(rows.assign(**more), "observations")


def test_counts_are_differenced_and_cover_their_own_quarter() -> None:
    made, problems = to_discrete(year([10, 25, 25, 40]), register())
    assert made["value"].tolist() == [10, 15, 0, 15]
    assert made["numerator"].tolist() == [10, 15, 0, 15]
    assert made["period_start"].dt.strftime("%m-%d").tolist() == [
        "04-01",
        "07-01",
        "10-01",
        "01-01",
    ]
    assert set(made["accumulation"]) == {"discrete"}
    assert problems.empty


def test_calendar_year_crosses_no_financial_boundary() -> None:
    ends = ["2025-12-31", "2026-03-31", "2026-06-30"]
    made, _ = to_discrete(year([90, 20, 50], ends), register(year_type="calendar"))
    assert pd.isna(made["value"][0])
    assert made["value"].tolist()[1:] == [20, 30]


def test_a_gap_a_fall_and_the_quarter_after_them_say_why() -> None:
    made, problems = to_discrete(year([10, None, 30, 25]), register())
    assert made["value"].isna().tolist() == [False, True, True, True]
    assert made["value_status"].tolist() == ["final", "missing", "missing", "missing"]
    assert "not known" in made["value_note"][2]
    assert "falls" in made["value_note"][3]
    assert problems["code"].tolist() == ["not-discrete", "not-discrete"]


def test_a_percentage_with_growing_counts_is_differenced_above_and_below_the_line() -> None:
    rows = year([50, 60, 62], numerator=[50, 120, 186], denominator=[100, 200, 300])
    made, _ = to_discrete(rows, register(data_type="percentage"))
    assert made["value"].tolist() == pytest.approx([50, 70, 66])
    assert made["denominator"].tolist() == [100, 100, 100]


def test_a_percentage_without_counts_is_left_and_marked() -> None:
    rows = year([50, 60, 62])
    made, problems = to_discrete(rows, register(data_type="percentage"))
    assert made["value"].tolist() == [50, 60, 62]
    assert set(made["accumulation"]) == {"ytd"}
    assert problems["code"].tolist() == ["left-year-to-date"]


def test_a_share_of_a_fixed_yearly_total_is_left() -> None:
    rows = year([28, 56, 84], numerator=[28, 56.3, 84.8], denominator=[100, 100.5, 101])
    made, _ = to_discrete(rows, register(data_type="percentage"))
    assert made["value"].tolist() == [28, 56, 84]


def test_a_rate_on_a_standing_population_is_divided_by_it() -> None:
    rows = year([1, 3, 4], numerator=[10, 30, 40], denominator=[10_000] * 3)
    made, _ = to_discrete(rows, register(data_type="rate", rate_base=1000))
    assert made["value"].tolist() == pytest.approx([1, 2, 1])
    assert made["denominator"].tolist() == [10_000] * 3 and made["adds_up"].all()


def test_a_derived_value_is_as_certain_as_the_less_certain_of_two() -> None:
    rows = year([10, 20, 30]).assign(value_status=["provisional", "final", "final"])
    made, _ = to_discrete(rows, register())
    assert made["value_status"].tolist() == ["provisional", "provisional", "final"]


@settings(max_examples=25, deadline=None)
@given(st.lists(st.integers(0, 1000), min_size=1, max_size=12), st.randoms())
def test_monthly_differences_add_up_to_the_year_in_any_row_order(added: list[int], random) -> None:
    ends = pd.date_range("2026-04-30", periods=len(added), freq="ME").strftime("%Y-%m-%d").tolist()
    total = pd.Series(added, dtype="float64").cumsum().tolist()
    rows = year(total, ends, frequency="monthly")
    order = list(rows.index)
    random.shuffle(order)
    made, _ = to_discrete(rows.loc[order], register(frequency="monthly"))
    assert made.index.tolist() == order
    assert made.sort_index()["value"].tolist() == added


def test_other_indicators_are_untouched() -> None:
    rows = year([10, 25])
    made, problems = to_discrete(rows, register(accumulation="discrete", data_type="score"))
    pd.testing.assert_frame_equal(made.drop(columns=["accumulation", "adds_up"]), rows)
    assert problems.empty
