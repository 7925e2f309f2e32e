"""Directly standardised rates: formula, cover, and never from a part of the strata."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from pmf_analysis.data.contract import series_key
from pmf_analysis.measures.denominators import directly_standardised, standardised

WEIGHTS = {"0 to 39": 52.0, "40 to 64": 33.0, "65 and over": 15.0}


def strata(counts: np.ndarray, sizes: np.ndarray) -> pd.DataFrame:
    """Rows of as many series as `counts` has rows, a stratum a column."""
    n, k = counts.shape
    return pd.DataFrame(
        {
            "series": np.repeat(np.arange(n), k),
            "period": 2024,
            "stratum": np.tile(list(WEIGHTS)[:k], n),
            "numerator": counts.ravel(),
            "denominator": np.broadcast_to(sizes, counts.shape).ravel(),
            "standard_population": np.tile(list(WEIGHTS.values())[:k], n),
        }
    )


def test_by_hand() -> None:
    """Two strata worked by hand from the printed formula of Dobson and others (1991)."""
    found = directly_standardised(
        strata(np.array([[20, 45]]), np.array([10_000, 9_000])), scale=1000
    ).iloc[0]
    # weights 52 and 33: (52 * 0.002 + 33 * 0.005) / 85 = 0.0031647
    assert found["value"] == pytest.approx(3.1647058824)
    # variance (52^2 * 20 / 10000^2 + 33^2 * 45 / 9000^2) / 85^2; Byar of 65 is 50.16 to 82.85
    stretch = np.sqrt((52**2 * 20 / 1e8 + 33**2 * 45 / 8.1e7) / 85**2 / 65) * 1000
    assert found["lower"] == pytest.approx(3.1647058824 + stretch * (50.16452 - 65), abs=1e-4)
    assert found["upper"] == pytest.approx(3.1647058824 + stretch * (82.84926 - 65), abs=1e-4)
    assert found["numerator"] == 65


def test_one_stratum_is_the_crude_rate_with_its_own_interval() -> None:
    found = directly_standardised(strata(np.array([[65]]), np.array([10_000])), scale=100_000)
    assert found[["value", "lower", "upper"]].iloc[0].tolist() == pytest.approx(
        [650, 501.6, 828.5], abs=0.1
    )


@pytest.mark.parametrize("confidence", [0.95, 0.998])
def test_the_interval_holds_the_truth_as_often_as_it_says(confidence: float) -> None:
    rng = np.random.default_rng(19)
    rates, sizes = np.array([0.001, 0.004, 0.02]), np.array([9000, 5000, 900])
    truth = (rates * list(WEIGHTS.values())).sum() / 100
    found = directly_standardised(
        strata(rng.poisson(rates * sizes, (20_000, 3)), sizes), confidence=confidence
    )
    held = ((found["lower"] <= truth) & (truth <= found["upper"])).mean()
    assert confidence - 0.01 < held < confidence + (1 - confidence) * 0.6


@pytest.mark.parametrize(
    ("column", "value"),
    [("numerator", np.nan), ("denominator", 0), ("denominator", np.nan), ("numerator", -1)],
)
def test_a_stratum_that_cannot_be_used_leaves_no_value(column: str, value: float) -> None:
    table = strata(np.array([[20, 45, 60], [20, 45, 60]]), np.array([9000, 8000, 700])).astype(
        {"numerator": float, "denominator": float}
    )
    table.loc[1, column] = value
    found = directly_standardised(table)
    assert found["value"].isna().tolist() == [True, False]
    assert found[["lower", "upper", "numerator"]].isna().all(axis=1).tolist() == [True, False]


def test_an_absent_stratum_and_fewer_than_ten_events_leave_no_value() -> None:
    table = strata(np.array([[20, 45, 60], [2, 3, 4]]), np.array([9000, 8000, 700]))
    other = table[table["series"] == 0].assign(period=2025)
    found = directly_standardised(pd.concat([table.drop(index=1), other]))
    known = found.set_index(["series", "period"])["value"].notna()
    assert known.to_dict() == {(0, 2024): False, (0, 2025): True, (1, 2024): False}


REGISTER = pd.DataFrame(
    {
        "indicator": ["falls", "other"],
        "statistic": ["rate", "rate"],
        "rate_base": [1000.0, 1000.0],
        "standardised_by": ["age", ""],
        "standard_population": [WEIGHTS, {}],
    }
)


def panel(whole: list[dict], counts: tuple[float, ...] = (20, 45, 60)) -> pd.DataFrame:
    """Rows of one area and year: its age groups, and what is said of the whole."""
    groups = [
        {"dimension": "age", "dimension_value": name, "numerator": n, "denominator": 5000.0}
        for name, n in zip(WEIGHTS, counts, strict=True)
    ]
    rows = pd.DataFrame([*groups, *({"dimension": "", "dimension_value": ""} | w for w in whole)])
    rows = rows.reindex(columns=[*rows.columns.union(["value", "ci_lower", "ci_upper"])])
    rows = rows.assign(
        indicator="falls", area="A", definition_version=1, period=pd.Timestamp("2024-04-01")
    )
    rows["status"] = rows.get("status", pd.Series(index=rows.index, dtype="str")).fillna("final")
    rows["value_note"] = ""
    names = {"indicator": "indicator_id", "area": "area_code"}
    return rows.assign(series=series_key(rows.rename(columns=names)))


def test_a_whole_area_without_a_value_gets_the_standardised_one() -> None:
    before = panel([{"value": np.nan, "status": "missing", "numerator": 125}])
    filled = standardised(before.sample(frac=1, random_state=1), REGISTER)
    row = filled[filled["dimension"] == ""].iloc[0]
    assert row["value"] == pytest.approx((52 * 4 + 33 * 9 + 15 * 12) / 100)
    assert row["ci_lower"] < row["value"] < row["ci_upper"]
    assert (row["status"], row["series"]) == ("estimated", "falls|A|||v1")
    assert row["value_note"] == "Directly standardised by us from the counts by age."
    assert np.isnan(row["numerator"])
    assert len(filled) == 4


@pytest.mark.parametrize(
    "whole",
    [
        {"value": 8.0},
        {"value": np.nan, "status": "suppressed"},
    ],
)
def test_what_is_published_or_hidden_stays(whole: dict) -> None:
    before = panel([whole])
    after = standardised(before, REGISTER)
    row = after[after["dimension"] == ""].iloc[0]
    assert row["status"] == whole.get("status", "final")
    np.testing.assert_equal(row["value"], whole["value"])


def test_nothing_is_made_from_a_part_or_without_a_declaration() -> None:
    plain = panel([{"value": np.nan, "status": "missing"}])
    hidden = panel([{"value": np.nan, "status": "missing"}], counts=(20, np.nan, 60))
    for table in (hidden, plain.iloc[1:]):
        pd.testing.assert_frame_equal(standardised(table, REGISTER), table)
    for declared in (REGISTER.iloc[1:], REGISTER[["indicator", "statistic", "rate_base"]]):
        pd.testing.assert_frame_equal(standardised(plain, declared), plain)


def test_weights_of_any_size_are_shares() -> None:
    usual = strata(np.array([[20, 45, 60]]), np.array([9000, 8000, 700]))
    huge = usual.assign(standard_population=usual["standard_population"] * 1e300)
    pd.testing.assert_frame_equal(directly_standardised(huge), directly_standardised(usual))
