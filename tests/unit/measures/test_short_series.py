"""Mann-Kendall against full enumeration and pymannkendall; recent trend against Fingertips."""

from __future__ import annotations

import math
from itertools import permutations
from pathlib import Path

import numpy as np
import pandas as pd
import pymannkendall
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.stats import norm

from pmf_analysis.measures.short_series import (
    attained_size,
    mann_kendall,
    null_distribution,
    recent_trend,
)


def table(values: list[float], series: str = "a") -> pd.DataFrame:
    return pd.DataFrame({"series": series, "period": range(len(values)), "value": values})


def kendall_s(values: tuple[float, ...]) -> int:
    n = len(values)
    return int(sum(np.sign(values[j] - values[i]) for i in range(n) for j in range(i + 1, n)))


@given(st.lists(st.integers(0, 4), min_size=4, max_size=7))
@settings(max_examples=25, deadline=None)
def test_exact_p_equals_full_enumeration_ties_included(numbers: list[int]) -> None:
    found = mann_kendall(table([float(number) for number in numbers])).iloc[0]
    scores = [abs(kendall_s(order)) for order in permutations(numbers)]
    assert found["s"] == kendall_s(tuple(numbers))
    assert found["p_value"] == pytest.approx(np.mean([s >= abs(found["s"]) for s in scores]))


@pytest.mark.parametrize("n", [4, 5, 6, 7, 8])
def test_every_p_value_without_ties_equals_full_enumeration(n: int) -> None:
    orders = np.array(list(permutations(range(n))))
    first, second = np.triu_indices(n, 1)
    scores = np.sign(orders[:, second] - orders[:, first]).sum(axis=1)
    samples = [orders[np.flatnonzero(scores == score)[0]] for score in np.unique(scores)]
    rows = mann_kendall(
        pd.concat([table(list(map(float, row)), f"s{i:02}") for i, row in enumerate(samples)])
    )
    assert rows["s"].tolist() == np.unique(scores).tolist()
    expected = [np.mean(np.abs(scores) >= abs(score)) for score in np.unique(scores)]
    assert rows["p_value"].to_numpy() == pytest.approx(np.array(expected), abs=1e-12)


def test_the_null_distribution_of_nine_to_twelve_values_counts_every_order() -> None:
    for n in range(9, 13):
        scores, chance = null_distribution((1,) * n)
        # the recurrence over where the largest value stands (Kendall 1975), not the product
        counts = {0: 1}
        for size in range(2, n + 1):
            grown: dict[int, int] = {}
            for score, ways in counts.items():
                for place in range(size):
                    after = score + size - 1 - 2 * place
                    grown[after] = grown.get(after, 0) + ways
            counts = grown
        assert sum(counts.values()) == math.factorial(n)
        found = dict(
            zip(scores.tolist(), (chance * math.factorial(n)).round().tolist(), strict=True)
        )
        assert found == counts


def test_published_smallest_p_values() -> None:
    rising = [mann_kendall(table([*map(float, range(n))])).iloc[0] for n in (4, 5, 12)]
    assert [row["p_value"] for row in rising[:2]] == pytest.approx([2 / 24, 2 / 120])
    assert rising[2]["p_value"] == pytest.approx(2 / 479001600)
    assert [row["direction"] for row in rising] == ["no_change", "increasing", "increasing"]
    # statistics page, section 7: false alarms of the exact test at 5 %
    assert [attained_size(n) for n in (5, 6, 8, 12)] == pytest.approx(
        [0.018, 0.017, 0.031, 0.048], abs=0.004
    )


def test_agrees_with_pymannkendall_on_a_thousand_series() -> None:
    rng = np.random.default_rng(3)
    series = {
        f"s{case:04}": np.round(rng.normal(0, 1, 4 + case % 28) + 0.05 * (case % 60), case % 3)
        for case in range(1000)
    }
    ours = mann_kendall(pd.concat([table(list(row), name) for name, row in series.items()]))
    theirs = [pymannkendall.original_test(row) for row in series.values()]
    assert ours["series"].tolist() == list(series)
    assert ours["s"].tolist() == [one.s for one in theirs]
    np.testing.assert_allclose(ours["slope"], [one.slope for one in theirs], atol=1e-12)
    normal = ours["n"].to_numpy() > 12  # below, theirs approximates and ours is exact
    assert normal.sum() > 600
    np.testing.assert_allclose(
        ours["p_value"][normal], np.array([one.p for one in theirs])[normal], atol=1e-12
    )
    # their z, as our p-value says it
    z = np.sign(ours["s"]) * norm.isf(ours["p_value"] / 2)
    clear = normal & (ours["p_value"].to_numpy() > 1e-12)
    np.testing.assert_allclose(z[clear], np.array([one.z for one in theirs])[clear], atol=1e-6)


@given(st.lists(st.floats(-100, 100), min_size=4, max_size=16), st.floats(0.1, 50))
@settings(max_examples=40, deadline=None)
def test_slope_scales_and_a_mirrored_series_falls(values: list[float], scale: float) -> None:
    row = mann_kendall(table(values)).iloc[0]
    mirrored = mann_kendall(table([-value for value in values])).iloc[0]
    assert (mirrored["s"], mirrored["p_value"]) == (-row["s"], pytest.approx(row["p_value"]))
    bigger = mann_kendall(table([value * scale for value in values])).iloc[0]
    assert bigger["slope"] == pytest.approx(row["slope"] * scale, abs=1e-9)


def test_missing_values_count_as_time_but_not_as_points() -> None:
    row = mann_kendall(table([0.0, np.nan, 2.0, 3.0, np.nan, 5.0])).iloc[0]
    assert (row["n"], row["slope"]) == (4, 1.0)
    short = mann_kendall(table([1.0, np.nan, 2.0])).iloc[0]
    assert (short["n"], short["direction"]) == (2, "cannot_judge")


def test_constant_series_has_no_trend() -> None:
    rows = mann_kendall(pd.concat([table([0.1] * 9), table([0.1] * 20, "b")]))
    assert rows["p_value"].tolist() == [1.0, 1.0]
    assert rows["direction"].tolist() == ["no_change", "no_change"]


@pytest.fixture(scope="module")
def published(repository: Path) -> pd.DataFrame:
    cases = pd.read_csv(repository / "tests/reference/trends/fingertips_recent_trend.csv")
    names = {"case": "series", "lower95": "ci_lower", "upper95": "ci_upper", "count": "numerator"}
    return cases.rename(columns=names)


def test_every_published_case_of_fingertips(published: pd.DataFrame) -> None:
    found = recent_trend(published).set_index("series")
    expected = published.groupby("series")[["expected_direction", "expected_chi_square"]].first()
    assert len(found) == 5
    assert found["direction"].to_dict() == expected["expected_direction"].to_dict()
    known = expected["expected_chi_square"].dropna()
    np.testing.assert_allclose(found.loc[known.index, "chi_square"], known, atol=0.005)


def test_uses_the_last_five_years_only(published: pd.DataFrame) -> None:
    case = published[published["series"] == "legacy_proportion"]
    older = case.iloc[[0]].assign(period=0, numerator=30000)
    assert recent_trend(pd.concat([older, case])).equals(recent_trend(case))


def test_what_cannot_be_computed_is_never_called_no_change(published: pd.DataFrame) -> None:
    case = published[published["series"] == "legacy_proportion"]
    everyone = case.assign(numerator=case["denominator"])
    impossible = case.assign(numerator=case["denominator"] + 1)
    bare = case.assign(numerator=np.nan, value=1.0)
    for rows in (case.iloc[1:], everyone, impossible, bare):
        found = recent_trend(rows).iloc[0]
        assert found["direction"] == "cannot_judge" and found["reason"] and found["n"] == 0


def test_noise_is_rarely_a_recent_trend() -> None:
    rng = np.random.default_rng(9)
    counts = rng.binomial(2000, 0.3, (1500, 5))
    rows = pd.DataFrame(
        {
            "series": np.repeat(np.arange(1500), 5),
            "period": np.tile(np.arange(5), 1500),
            "numerator": counts.ravel(),
            "denominator": 2000,
        }
    )
    found = recent_trend(rows)
    assert (found["direction"] != "no_change").mean() < 0.006
    assert found["dispersion"].mean() == pytest.approx(1, abs=0.1)


def test_a_series_without_any_value_is_not_judged() -> None:
    rows = pd.concat([table([math.nan, math.nan], "empty"), table([1, 2, 3, 4, 5, 6], "full")])
    found = mann_kendall(rows).set_index("series")
    assert found["n"].to_dict() == {"empty": 0, "full": 6}
    assert found["direction"].to_dict() == {"empty": "cannot_judge", "full": "increasing"}
