"""Pentana's arrows by its published rule, worked by hand, and what they do to noise."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pmf_analysis.measures.arrows import arrows as every_arrow
from pmf_analysis.measures.arrows import statuses
from pmf_analysis.measures.spc import RuleSet, spc_chart

# Two years and a quarter; the newest is 12, the one before 10, the same quarter a year before 14.
# Last four before it: 10, 9, 13, 14, mean 11.5. That quarter in the two years before: 14, 11, mean
# 12.5.
QUARTERS = [11.0, 20.0, 20.0, 20.0, 14.0, 13.0, 9.0, 10.0, 12.0]


def table(values: list[float], *, series: str = "s") -> pd.DataFrame:
    periods = pd.date_range("2024-07-01", periods=len(values), freq="3MS")
    return pd.DataFrame({"series": series, "indicator": "i", "period": periods, "value": values})


def ways(way: str) -> pd.DataFrame:
    return pd.DataFrame({"indicator": ["i"], "polarity": [way]})


def arrows(values: list[float], way: str = "higher", **options: Any) -> tuple[str, str]:
    """Arrows of the newest usable value."""
    found = every_arrow(table(values), ways(way), **options)
    assert list(found.columns) == ["series", "period", "short", "long"]
    return (found["short"].iloc[-1], found["long"].iloc[-1]) if len(found) else ("", "")


@pytest.mark.parametrize(
    ("way", "by_year", "expected"),
    [  # the four rules of the help page, by both directions of the gauge
        ("higher", False, ("improving", "improving")),  # 12 > 10, 12 > 11.5
        ("lower", False, ("worsening", "worsening")),
        ("higher", True, ("worsening", "worsening")),  # 12 < 14, 12 < 12.5
        ("lower", True, ("improving", "improving")),
    ],
)
def test_ongoing_and_year_to_year_trends(way: str, by_year: bool, expected: Any) -> None:
    assert arrows(QUARTERS, way, by_year=by_year) == expected


def test_year_to_year_holds_months_of_a_leap_year_together_and_skips_what_is_missing() -> None:
    days = pd.to_datetime(["2023-02-01", "2024-02-01", "2024-03-01", "2025-02-01"])
    rows = pd.DataFrame(
        {"series": "s", "indicator": "i", "period": days, "value": [6.0, 1.0, 9.0, 3.0]}
    )
    found = every_arrow(rows, ways("higher"), by_year=True).set_index("period")
    assert tuple(found.loc["2025-02-01", ["short", "long"]]) == ("improving", "worsening")
    assert tuple(found.loc["2024-03-01", ["short", "long"]]) == ("", "")  # no March before
    gone = every_arrow(rows.drop(index=1), ways("higher"), by_year=True).set_index("period")
    assert tuple(gone.loc["2025-02-01", ["short", "long"]]) == ("", "worsening")


def test_every_period_has_the_arrows_that_were_shown_then() -> None:
    found = every_arrow(table([5.0, 7.0, 6.0]), ways("higher"))
    assert found["short"].tolist() == ["", "improving", "worsening"]
    assert found["long"].tolist() == ["", "improving", "same"]


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
    assert arrows(QUARTERS, x=8) == ("improving", "worsening")  # mean of eight 14.625
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
    found = every_arrow(rows, ways("higher"))
    assert found.equals(every_arrow(rows.iloc[::-1], ways("higher")))
    last = found[found["series"] == "b"].iloc[-1]
    assert (last["short"], last["long"]) == higher


def test_the_arrow_points_down_half_of_the_time_where_nothing_changes() -> None:
    """Systems page: worse by short 49.9 %, long 49.9 %, both 39.3 %; outside limits 1.0 %."""
    rows = stable(4_000, np.random.default_rng(20261031))
    found = every_arrow(rows, ways("higher"))
    worse = found.groupby("series").tail(1)[["short", "long"]] == "worsening"
    assert worse.mean().tolist() == pytest.approx([0.499, 0.499], abs=0.025)
    assert worse.all(axis=1).mean() == pytest.approx(0.393, abs=0.025)
    limits = RuleSet(shift=None, trend=None, two_in_three=False)
    last = spc_chart(rows, rules=limits).segments["variation"]
    assert last.str.startswith("special").mean() == pytest.approx(0.010, abs=0.005)
    # Of nine quarters eight have a short arrow, which can turn seven times: published 4.6, and in
    # theory 7 * 2/3 = 4.67.
    nine = rows.groupby("series").head(9)
    nine = nine[nine.groupby("series")["value"].transform("size") == 9]
    short = every_arrow(nine, ways("higher")).query("short != ''")
    same = short["series"] == short["series"].shift()
    turned = same & (short["short"] != short["short"].shift())
    assert turned.sum() / short["series"].nunique() == pytest.approx(4.65, abs=0.12)


def test_a_target_at_the_true_mean_is_green_half_of_the_time() -> None:
    """Systems page: green 51, amber 37, red 12 % by a target at the mean and 5 % tolerance.

    The page does not give the spread of its values; 4.3 % of the mean leads to these shares: the
    tolerance reaches 1.16 spreads below the target, which is 50, 37.7 and 12.3 % in theory.
    """
    rng = np.random.default_rng(20261031)
    rows = stable(4_000, rng).assign(polarity="higher", target_low=np.nan, target_high=np.nan)
    rows["value"] = 50 + 2.15 * rng.normal(size=len(rows))
    lines = rows[["series", "period"]].assign(
        target=50.0, target_low=np.nan, target_high=np.nan, tolerance_abs=np.nan, tolerance_pct=5.0
    )
    shares = statuses(rows, lines).value_counts(normalize=True)
    assert shares[["on_target", "near", "off_target"]].tolist() == pytest.approx(
        [0.51, 0.37, 0.12], abs=0.02
    )


def stable(count: int, rng: np.random.Generator) -> pd.DataFrame:
    """Series of 8 to 12 quarters in which nothing ever changes."""
    lengths = rng.integers(8, 13, count)
    series = np.repeat(np.arange(count), lengths)
    step = np.arange(len(series)) - np.repeat(np.cumsum(lengths) - lengths, lengths)
    periods = pd.date_range("2020-04-01", periods=12, freq="3MS")[step]
    names = pd.Series(series).astype("str")
    values = rng.normal(size=len(series))
    return pd.DataFrame({"series": names, "indicator": "i", "period": periods, "value": values})
