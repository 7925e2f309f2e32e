"""No hidden count can be worked out from what is shown, nor from what was shown before."""

from __future__ import annotations

import pandas as pd
from hypothesis import given, settings
from hypothesis import strategies as st

from pmf_analysis.data.contract import conform
from pmf_analysis.data.disclosure import EXPOSED_NOTE, suppress


def quarter_rows(counts: list[float], year_total: float | None = None) -> pd.DataFrame:
    starts = pd.date_range("2026-04-01", periods=len(counts), freq="QS")
    ends = starts + pd.offsets.QuarterEnd()
    frame = pd.DataFrame({"period_start": starts, "period_end": ends, "value": counts})
    if year_total is not None:
        frame.loc[len(frame)] = [starts[0], ends[-1], year_total]
    return _observations(frame)


def breakdown_rows(counts: dict[str, float], total: float) -> pd.DataFrame:
    frame = pd.DataFrame({"dimension_value": ["", *counts], "value": [total, *counts.values()]})
    frame["dimension"] = frame["dimension_value"].map(lambda member: "sex" if member else "")
    return _observations(frame.assign(period_start="2026-04-01", period_end="2026-06-30"))


def _observations(frame: pd.DataFrame) -> pd.DataFrame:
    frame = frame.assign(
        indicator_id="kpi", area_code="X", frequency="quarterly", numerator=frame["value"]
    )
    return conform(frame, "observations")


def hidden(rows: pd.DataFrame) -> list[bool]:
    return rows["value"].isna().tolist()


def test_counts_of_one_to_four_are_hidden_and_zero_is_shown() -> None:
    made = suppress(quarter_rows([0, 1, 4, 5]))
    assert hidden(made) == [False, True, True, False]
    assert made["value_status"].tolist() == ["final", "suppressed", "suppressed", "final"]
    assert made["numerator"].isna().tolist() == hidden(made)


def test_money_in_pence_and_rows_without_a_count_are_not_judged() -> None:
    rows = quarter_rows([3.5, 3.0]).assign(numerator=[3.5, None])
    assert hidden(suppress(rows)) == [False, False]


def test_harmless_small_counts_are_shown_but_not_what_their_source_hid() -> None:
    rows = breakdown_rows({"a": 3, "b": 2, "c": 9}, 14)
    assert hidden(suppress(rows, exempt=["kpi"])) == [False] * 4
    assert hidden(suppress(rows, exempt=["other"])) == hidden(suppress(rows))
    rows.loc[1, ["value", "numerator"]] = None
    rows.loc[1, "value_status"] = "suppressed"
    assert hidden(suppress(rows, exempt={"kpi"})) == [False, True, True, True]


def test_a_second_part_is_hidden_where_the_sum_is_shown() -> None:
    made = suppress(breakdown_rows({"female": 30, "male": 3, "other": 9}, 42))
    assert hidden(made) == [False, False, True, True]


def test_two_small_parts_with_a_small_sum_need_a_third() -> None:
    made = suppress(breakdown_rows({"a": 1, "b": 1, "c": 9, "d": 20}, 31))
    assert hidden(made) == [False, True, True, True, False]


def test_a_year_total_protects_its_quarters() -> None:
    made = suppress(quarter_rows([10, 3, 20, 8], 41))
    assert hidden(made) == [False, True, False, True, False]


def test_year_to_date_figures_of_an_earlier_report_count_as_sums() -> None:
    earlier = quarter_rows([10, 3], 13).iloc[2:]
    made = suppress(quarter_rows([10, 3]), history=earlier)
    assert hidden(made) == [True, True]


def test_what_was_published_before_protects_nothing() -> None:
    rows = breakdown_rows({"a": 3, "b": 7, "c": 8}, 18)
    earlier = rows[rows["dimension_value"] == "b"]
    assert hidden(suppress(rows)) == [False, True, True, False]
    assert hidden(suppress(rows, history=earlier)) == [False, True, False, True]


def test_a_figure_given_away_by_earlier_reports_says_so() -> None:
    rows = breakdown_rows({"a": 3, "b": 7}, 10)
    earlier = rows[rows["dimension_value"] != "a"]
    made = suppress(rows, history=earlier)
    assert hidden(made) == [False, True, False]
    assert EXPOSED_NOTE in made["value_note"][1]


counts = st.lists(st.integers(0, 12), min_size=2, max_size=6)


@settings(max_examples=25, deadline=None)
@given(counts, st.lists(st.booleans(), min_size=6, max_size=6))
def test_no_single_unknown_is_left_beside_a_known_sum(
    parts: list[int], published: list[bool]
) -> None:
    rows = breakdown_rows({f"m{i}": float(n) for i, n in enumerate(parts)}, float(sum(parts)))
    before = rows[[False, *published[: len(parts)]]]
    before = before[~before["value"].between(1, 4)]
    made = suppress(rows, history=before)
    unknown = made["value"].isna() & ~rows["dimension_value"].isin(before["dimension_value"])
    assert (made.loc[rows["value"].between(1, 4), "value"].isna()).all()
    given_away = made["value_note"].str.contains(EXPOSED_NOTE).any()
    assert unknown.sum() != 1 or given_away


@settings(max_examples=25, deadline=None)
@given(st.permutations(range(5)))
def test_row_order_does_not_decide_what_is_hidden(order: list[int]) -> None:
    rows = quarter_rows([10, 3, 20, 8], 41)
    made = suppress(rows.iloc[order]).sort_index()
    assert hidden(made) == hidden(suppress(rows))
