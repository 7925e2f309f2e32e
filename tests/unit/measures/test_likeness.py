"""Peer sets built from characteristics: distance, what is left out, and real lists."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pmf_analysis.measures.peer_sets import nearest_councils

NAMES = ["a", "b", "c", "d"]


def panel(values: dict[str, list[float]], period: str = "2024-04-01") -> pd.DataFrame:
    """Values of a, b, c, d by area."""
    rows = [
        {"indicator": name, "area": area, "value": value}
        for area, numbers in values.items()
        for name, value in zip(NAMES, numbers, strict=False)
    ]
    table = pd.DataFrame(rows).assign(dimension="", period=pd.Timestamp(period))
    table["series"] = table["indicator"] + "|" + table["area"] + "|||v1"
    return table.assign(area_name="Council " + table["area"])


def nearest(observations: pd.DataFrame, names: list[str] = NAMES, **more: Any) -> pd.DataFrame:
    return nearest_councils(observations, "OWN", names, **more)


def test_distances_in_standard_deviations() -> None:
    values = {"OWN": [0.0, 0], "P1": [1.0, 10], "P2": [-1.0, 0], "P3": [2.0, -10], "P4": [-2.0, 0]}
    table = nearest(panel(values), ["a", "b"])
    # median 0 and MAD 1 of a; MAD 0 of b, so its standard deviation (50 ** 0.5)
    expected = {"P1": ((1 / 1.4826**2 + 2) / 2) ** 0.5, "P2": 1 / 1.4826 / 2**0.5}
    by_member = table.set_index("member")["distance"]
    assert by_member[list(expected)].tolist() == pytest.approx(list(expected.values()))
    assert table["member"].tolist() == ["P2", "P4", "P1", "P3"]
    assert table["rank"].tolist() == [1, 2, 3, 4]
    assert table["member_name"].iloc[0] == "Council P2"
    assert nearest(panel(values), ["a", "b"], size=2)["member"].tolist() == ["P2", "P4"]
    among = nearest(panel(values), ["a", "b"], among=["P3", "P1"])
    assert among["member"].tolist() == ["P1", "P3"]


def test_sums_over_councils_are_no_peers() -> None:
    codes = ("OWN", "E92000001", "E12000009", "E06000023")
    values = {code: [1.0, 2, 3, float(place)] for place, code in enumerate(codes)}
    assert nearest(panel(values))["member"].tolist() == ["E06000023"]


def test_who_lacks_more_than_a_quarter_is_left_out() -> None:
    nan = np.nan
    values = {"OWN": [1.0, 2, 3, 4], "P1": [1.0, 2, 3, nan], "P2": [1.0, 2, nan, nan]}
    values |= {f"P{number}": [1.0, number, number, 4] for number in range(3, 9)}
    table = nearest(panel(values))
    assert "P2" not in set(table["member"]) and len(table) == 7
    assert table["distance"].iloc[0] == 0 and table["member"].iloc[0] == "P1"
    assert nearest(panel(values | {"OWN": [1.0, 2, nan, nan]})).empty
    assert nearest(panel(values), ["e", "f"]).empty


def test_values_of_different_years_are_not_mixed() -> None:
    old = {"OWN": [5.0], "P1": [5.0], "P2": [7.0], "P3": [9.0]}
    new = {"OWN": [50.0], "P1": [90.0]}  # few have the newest year yet
    both = pd.concat([panel(old, "2023-04-01"), panel(new, "2024-04-01")])
    pd.testing.assert_frame_equal(nearest(both, ["a"]), nearest(panel(old), ["a"]))
    new |= {"P2": [50.0]}  # three of four do
    both = pd.concat([panel(old, "2023-04-01"), panel(new, "2024-04-01")])
    assert nearest(both, ["a"])["member"].tolist() == ["P2", "P1"]


table_values = st.lists(
    st.lists(st.integers(-9, 9).map(float), min_size=4, max_size=4), min_size=4, max_size=9
)


@given(table_values, st.randoms(use_true_random=False))
@settings(max_examples=25, deadline=None)
def test_units_order_and_names_change_nothing(values: list[list[float]], random: Any) -> None:
    rows = panel({"OWN": values[0]} | {f"P{i}": row for i, row in enumerate(values[1:])})
    order = list(range(len(rows)))
    random.shuffle(order)
    other = rows.iloc[order].assign(value=lambda table: 7 - 2 * table["value"])
    expected, actual = nearest(rows), nearest(other, [*reversed(NAMES), "a"])
    assert actual["distance"].tolist() == pytest.approx(expected["distance"].tolist())
    same = expected["distance"].round(9).duplicated(keep=False)  # rounding may swap equals
    assert actual.loc[~same, "member"].tolist() == expected.loc[~same, "member"].tolist()
    assert "OWN" not in set(expected["member"])


def test_lists_are_like_the_published_ones(real_data: Path) -> None:
    """ONS made its lists from other indicators; ours share a third, chance alone would a 15th."""
    rows = pd.read_csv(real_data / "tidy" / "ons_subnational_snapshot.csv.gz")
    names = {"indicator_id": "indicator", "area_code": "area"}
    rows = rows.rename(columns=names).assign(dimension="", period=rows["period_start"])
    rows["series"] = rows["indicator"] + "|" + rows["area"]
    known = rows.groupby("indicator")["area"].nunique()
    lists = pd.read_csv(real_data / "lookups" / "neighbours.csv.gz")
    lists = lists[lists["scheme"] == "ons_2025_global"]
    published = lists.groupby("area_code")["neighbour_code"].agg(set)
    chosen, candidates = list(known.index[known >= 290]), set(lists["area_code"])
    shared = []
    for area in [code for code in published.index if code.startswith("E0")][::15]:
        found = nearest_councils(rows, area, chosen, size=20, among=candidates)
        shared.append(len(published[area] & set(found["member"])))
    assert len(shared) >= 15
    assert np.mean(shared) >= 6


def test_a_characteristic_that_is_the_same_everywhere_makes_nobody_alike() -> None:
    same = panel({"OWN": [5.0], "P1": [5.0], "P2": [5.0]})
    assert nearest(same, ["a"]).empty
