"""Pentana's arrows by its published rule, worked by hand, and what they do to noise."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pmf_analysis.measures.change_test import pentana_arrows
from pmf_analysis.measures.spc import RuleSet, spc_chart

# Two years and a quarter; the newest is 12, the one before 10, the same quarter a year before 14.
# Last four before it: 10, 9, 13, 14, mean 11.5. That quarter in the two years before: 14, 11.
QUARTERS = [11.0, 20.0, 20.0, 20.0, 14.0, 13.0, 9.0, 10.0, 12.0]


def table(values: list[float], *, series: str = "s") -> pd.DataFrame:
    periods = pd.date_range("2024-07-01", periods=len(values), freq="3MS")
    return pd.DataFrame({"series": series, "period": periods, "value": values})


def arrows(values: list[float], way: str = "higher", **options: Any) -> tuple[str, str]:
    found = pentana_arrows(table(values), {"s": way}, **options)
    assert list(found.columns) == ["arrow_short", "arrow_long"] and len(found) == 1
    return found["arrow_short"].iloc[0], found["arrow_long"].iloc[0]


@pytest.mark.parametrize(
    ("way", "expected"),
    [
        ("higher", ("improving", "improving")),  # 12 > 10, 12 > 11.5
        ("lower", ("worsening", "worsening")),
    ],
)
def test_aim_to_max_and_min(way: str, expected: tuple[str, str]) -> None:
    assert arrows(QUARTERS, way) == expected


@pytest.mark.parametrize(
    ("target", "expected"),
    [
        (12.5, ("improving", "improving")),  # away 0.5; was 2.5 and 1.0
        (11.2, ("improving", "worsening")),  # away 0.8; was 1.2 and 0.3
        (11.0, ("same", "worsening")),  # 10 and 12 are equally far from 11
        ((11.8, 13.0), ("improving", "improving")),  # inside; was 1.8 and 0.3 outside
        ((10.0, 12.0), ("same", "same")),  # all inside
    ],
)
def test_goldilocks_closer_to_target_is_better(target: Any, expected: tuple[str, str]) -> None:
    assert arrows(QUARTERS, "range", targets={"s": target}) == expected


def test_goldilocks_holds_both_values_against_the_newest_target() -> None:
    lines = table(QUARTERS)[["series", "period"]].assign(target=[10.0] * 8 + [12.5])
    assert arrows(QUARTERS, "range", targets=lines) == ("improving", "improving")
    assert arrows(QUARTERS, "range", targets=lines.assign(target=np.nan)) == ("", "")


def test_the_window_is_a_setting_and_a_shorter_history_gives_the_mean_of_what_there_is() -> None:
    assert arrows(QUARTERS, window=8) == ("improving", "worsening")  # mean of eight 14.625
    assert arrows([9.0, 13.0, 12.0]) == ("worsening", "improving")  # mean of two 11


def test_equal_is_same_whatever_the_arithmetic() -> None:
    assert arrows([0.1, 0.1, 0.1, 0.1]) == ("same", "same")  # their computed mean is not 0.1
    assert arrows([0.0, 0.0]) == ("same", "same")


def test_unusable_values_are_passed_over_and_nothing_to_compare_with_gives_no_arrow() -> None:
    assert arrows([8.0, np.nan, 9.0, np.inf]) == ("improving", "improving")
    assert arrows([10.0, np.nan, 9.0]) == ("worsening", "worsening")
    assert arrows([np.nan, 9.0]) == ("", "") and arrows([np.nan]) == ("", "")


@pytest.mark.parametrize("way", ["none", "unknown", "range"])
def test_no_direction_no_arrow(way: str) -> None:
    assert arrows(QUARTERS, way) == ("", "")


@settings(max_examples=10, deadline=None)
@given(st.lists(st.integers(-50, 50).map(float), min_size=1, max_size=12))
def test_turning_polarity_turns_every_arrow_and_order_of_rows_none(values: list[float]) -> None:
    turned = {"improving": "worsening", "worsening": "improving", "same": "same", "": ""}
    higher, lower = (arrows(values, way) for way in ("higher", "lower"))
    assert tuple(turned[word] for word in higher) == lower
    rows = pd.concat([table(values, series="b"), table(values[::-1], series="a")])
    ways = {"a": "higher", "b": "higher"}
    found = pentana_arrows(rows, ways)
    assert found.equals(pentana_arrows(rows.iloc[::-1], ways))
    assert tuple(found.loc["b"]) == higher


def test_the_arrow_points_down_half_of_the_time_where_nothing_changes() -> None:
    """Systems page: worse by short 49.9 %, long 49.9 %, both 39.3 %; outside limits 1.0 %."""
    rng = np.random.default_rng(20261031)
    lengths = rng.integers(8, 13, 4_000)
    series = np.repeat(np.arange(4_000), lengths)
    step = np.arange(len(series)) - np.repeat(np.cumsum(lengths) - lengths, lengths)
    periods = pd.date_range("2020-04-01", periods=12, freq="3MS")[step]
    names = pd.Series(series).astype("str")
    rows = pd.DataFrame({"series": names, "period": periods, "value": rng.normal(size=len(series))})
    found = pentana_arrows(rows, dict.fromkeys(names, "higher"))
    worse = found[["arrow_short", "arrow_long"]] == "worsening"
    assert worse.mean().tolist() == pytest.approx([0.499, 0.499], abs=0.025)
    assert worse.all(axis=1).mean() == pytest.approx(0.393, abs=0.025)
    limits = RuleSet(shift=None, trend=None, two_in_three=False)
    last = spc_chart(rows, rules=limits).segments["variation"]
    assert last.str.startswith("special").mean() == pytest.approx(0.010, abs=0.005)
