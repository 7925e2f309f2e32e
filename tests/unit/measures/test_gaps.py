"""The gap to the peers: its verdict, its chart, and the pace that would close it."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pmf_analysis.measures.gaps import closing_pace, gap_trends


def pair(**columns: Any) -> pd.DataFrame:
    row = {
        "series": "s", "peer_set": "near", "accumulation": "discrete", "periods_per_year": 1.0,
        "span_years": 1.0, "price_basis": "", "data_type": "percentage", "polarity": "higher",
        "value": 40.0, "peer_median": 50.0,
    }  # fmt: skip
    return pd.DataFrame([{**row, **columns}])


PAIRS = pd.DataFrame({"series": ["s"], "peer_set": ["near"], "indicator": ["ind"]})


def register(**columns: Any) -> pd.DataFrame:
    row = {
        "indicator": "ind", "accumulation": "discrete", "frequency": "annual", "period_span": "",
        "periods_per_year": 1.0, "price_basis": "", "data_type": "percentage", "polarity": "higher",
    }  # fmt: skip
    return pd.DataFrame([{**row, **columns}])


def gap_rows(values: list[float], **columns: Any) -> pd.DataFrame:
    periods = pd.date_range("2000-04-01", periods=len(values), freq="YS-APR")
    table = pd.DataFrame({"series": "s", "peer_set": "near", "period": periods, "gap": values})
    return table.assign(peer_median=50.0, value=50.0 + table["gap"], **columns)


def judged(gaps: pd.DataFrame, **columns: Any) -> pd.Series:
    return gap_trends(gaps, PAIRS, register(**columns))[0].iloc[0]


@pytest.mark.parametrize(
    ("values", "expected"),
    [
        ([-9, -7, -6, -4, -2], "closing"),
        ([9, 7, 6, 4, 2], "closing"),
        ([-2, -4, -6, -7, -9], "widening"),
        ([-9, -7, -5, -3, 1], "crossed"),
        ([-5, -4, -5, -4, -5], "steady"),
        ([-9, -7, -6, -4], "cannot_judge"),
    ],
)
def test_a_gap_closes_widens_crosses_or_holds(values: list[float], expected: str) -> None:
    found = judged(gap_rows(values))
    assert found["gap_verdict"] == expected
    assert judged(gap_rows([-value for value in values]))["gap_verdict"] == expected
    assert found["own_moved"] == values[-1] - values[0] and found["peers_moved"] == 0


def test_one_unusual_gap_is_no_movement_and_neither_is_one_of_long_ago() -> None:
    noise = [0.3, -0.2, 0.1, -0.3, 0.2, -0.1, 0.25, -0.25, 0.15, -0.15, 0.05, -0.05]
    last = judged(gap_rows([5 + value for value in noise * 2] + [1.0]))
    assert last["gap_verdict"] == "steady" and "newest gap alone" in last["gap_reason"]
    step = [9 + value for value in noise] + [5 + value for value in noise]
    long_ago = judged(gap_rows(step))
    assert long_ago["gap_verdict"] == "steady" and "has held since" in long_ago["gap_reason"]
    # the newest breaks a limit within a run that began long before
    rough = [9 + 5 * value for value in noise] + [5 + 5 * value for value in noise[:-1]]
    within = judged(gap_rows([*rough, 1.0]))
    marks = gap_trends(gap_rows([*rough, 1.0]), PAIRS, register())[1]["rule"]
    assert marks.tail(4).tolist() == ["shift", "shift", "shift", "outside_limits"]
    assert within["gap_verdict"] == "steady" and "has held since" in within["gap_reason"]
    drift = [5 + value for value in noise] + [6.5 + place for place in range(12)]
    assert judged(gap_rows(drift))["gap_verdict"] == "widening"


def test_money_in_current_prices_has_no_gap_over_time() -> None:
    money = {"price_basis": "current", "data_type": "money"}
    found = judged(gap_rows([-9, -7, -6, -4, -2]), **money)
    assert found["gap_verdict"] == "cannot_judge" and "prices" in found["gap_reason"]


def test_values_made_from_predecessors_are_not_tested_with_what_follows() -> None:
    gaps = gap_rows([-9, -7, -6, -5, -4, -3, -3.1, -3, -3.1, -3])
    assert judged(gaps)["gap_verdict"] == "closing"
    gaps["is_as_if"] = [True] * 5 + [False] * 5
    found = judged(gaps)
    assert found["gap_verdict"] == "steady" and "on 5 gaps" in found["gap_reason"]
    assert found["gap_since"] == pd.Timestamp("2005-04-01")


def test_periods_with_another_denominator_are_drawn_and_not_tested() -> None:
    gaps = gap_rows([-5, -4, -5, -4, -5, -9, -5, -4]).assign(is_off=False)
    gaps.loc[5, "is_off"] = True
    verdicts, drawn = gap_trends(gaps, PAIRS, register())
    assert "on 7 gaps" in verdicts["gap_reason"].iloc[0]
    assert drawn["gap"].tolist() == gaps["gap"].tolist() and "is_off" not in drawn


def test_the_chart_has_limits_from_thirteen_gaps() -> None:
    values = [-5.0, -4, -6, -5, -4, -6, -5, -4, -6, -5, -4, -6, 0]
    chart = gap_trends(gap_rows(values), PAIRS, register())[1]
    assert chart["mean"].tolist() == pytest.approx([np.mean(values)] * 13)
    assert chart["rule"].tolist() == ["none"] * 12 + ["outside_limits"]
    assert chart["direction"].tolist() == [0] * 12 + [1]
    short = gap_trends(gap_rows(values[1:]), PAIRS, register())[1]
    assert short["mean"].isna().all() and (short["rule"] == "none").all()


def test_overlapping_windows_are_judged_by_separate_ones_only() -> None:
    three_years = {"accumulation": "rolling", "period_span": "3y"}
    found = judged(gap_rows(list(np.tile([-5.0, -4, -6], 6))), **three_years)
    assert "on 6 gaps" in found["gap_reason"]


def test_no_gaps_no_verdict_no_pace() -> None:
    verdicts, chart = gap_trends(gap_rows([]).assign(is_off=False), PAIRS.iloc[:0], register())
    assert verdicts.empty and chart.empty and "rule" in chart
    rows = peer_values([[1.0]]).iloc[:0]
    assert len(closing_pace(rows, pair().iloc[:0], years=3)) == 0
    found = closing_pace(rows, pair(), years=3).iloc[0]
    assert found["peers_tested"] == 0 and np.isnan(found["own_kept"])


def peer_values(peers: list[list[float]], own: list[float] | None = None) -> pd.DataFrame:
    """Annual values of peers, and ours beside each."""
    tables = []
    for number, values in enumerate(peers):
        periods = pd.date_range("2015-04-01", periods=len(values), freq="YS-APR")
        ours = [40.0] * len(values) if own is None else own[: len(values)]
        columns = {"area": f"P{number}", "period": periods, "value": values, "own_value": ours}
        tables.append(pd.DataFrame(columns))
    return pd.concat(tables, ignore_index=True).assign(series="s", peer_set="near")


def test_the_pace_that_closes_the_gap_and_who_kept_it() -> None:
    peers = [
        [30.0, 33, 36, 40, 40],  # ten in three years
        [30.0, 31, 39, 39, 40],  # nine in three years, ten in four
        [50.0, 55, 60],  # ten, but in two years: no span of three
        [60.0, 50, 45, 40, 40],  # the wrong way
    ]
    found = closing_pace(peer_values(peers), pair(), years=3).iloc[0]
    assert found["close_pace"] == pytest.approx(10 / 3) and found["close_years"] == 3
    assert found[["peers_tested", "peers_kept", "own_kept"]].tolist() == [3, 1, 0]
    ours = closing_pace(peer_values(peers, own=[28.0, 30, 31, 38, 40]), pair(), years=3).iloc[0]
    assert ours["own_kept"] == 1


def test_spans_are_of_the_same_time_of_year() -> None:
    """A record of quarters that only has a summer and a winter holds no span of a whole year."""
    rows = peer_values([[30.0, 60.0]])
    rows["period"] = pd.to_datetime(["2020-04-01", "2021-10-01"])
    assert closing_pace(rows, pair(), years=1)["peers_tested"].tolist() == [0]
    rows["period"] = pd.to_datetime(["2020-10-01", "2021-10-01"])
    assert closing_pace(rows, pair(), years=1)["peers_kept"].tolist() == [1]


@pytest.mark.parametrize(
    "settings", [{"value": 50.0}, {"value": 60.0}, {"polarity": "none"}, {"polarity": "range"}]
)
def test_no_pace_where_no_gap_is_to_be_closed(settings: dict[str, Any]) -> None:
    found = closing_pace(peer_values([[1.0] * 5]), pair(**settings), years=3)
    assert found[["close_pace", "peers_tested", "peers_kept", "own_kept"]].isna().all(axis=None)


def test_a_total_has_no_pace_and_current_prices_no_record() -> None:
    rows = peer_values([[30.0, 33, 36, 40, 40]])
    assert closing_pace(rows, pair(data_type="count"), years=3)["close_pace"].isna().all()
    money = closing_pace(rows, pair(price_basis="current"), years=3).iloc[0]
    assert money["close_pace"] > 0 and np.isnan(money["peers_tested"])


records = st.lists(st.lists(st.integers(0, 90).map(float), min_size=1, max_size=6), min_size=1)


@given(records, st.integers(0, 89).map(float), st.randoms(use_true_random=False))
@settings(max_examples=25, deadline=None)
def test_the_mirror_image_and_the_order_of_rows_change_nothing(peers, value, random) -> None:
    rows, ours = peer_values(peers), pair(value=value, peer_median=90.0)
    up = closing_pace(rows, ours, years=2)
    order = list(range(len(rows)))
    random.shuffle(order)
    turned = rows.iloc[order].assign(value=100 - rows["value"], own_value=100 - rows["own_value"])
    mirrored = pair(value=100 - value, peer_median=10.0, polarity="lower")
    down = closing_pace(turned, mirrored, years=2)
    assert down["close_pace"].tolist() == pytest.approx((-up["close_pace"]).tolist())
    pd.testing.assert_frame_equal(up.drop(columns="close_pace"), down.drop(columns="close_pace"))
    kept = [any(b - a >= 90 - value for a, b in zip(one, one[2:], strict=False)) for one in peers]
    assert up["peers_kept"].tolist() == [sum(kept)]
