"""What is added to the answers on targets: breaks, capability, and cases."""

from __future__ import annotations

import pandas as pd
import pytest

from pmf_analysis.measures.target_tables import with_breaks, with_context


def evidence() -> pd.DataFrame:
    starts = pd.date_range("2020-04-01", periods=4, freq="YS-APR")
    rows = [
        {"indicator": indicator, "area": area, "period": start}
        for indicator in ("a", "b") for area in ("OWN", "X1") for start in starts
    ]  # fmt: skip
    return pd.DataFrame(rows)


def change(kind: str, **more: object) -> dict[str, object]:
    row = {"indicator": "a", "period_start": pd.Timestamp("2022-04-01"), "kind": kind}
    told = {
        "comparable": False,
        "reason": "r",
        "owner": "o",
        "recorded_on": pd.Timestamp("2022-05-01"),
    }
    return {**row, **told, **more}


def before(*changes: dict[str, object]) -> dict[tuple[str, str], int]:
    marked = with_breaks(evidence(), pd.DataFrame(changes), "OWN")
    return marked.groupby(["indicator", "area"])["before_break"].sum().to_dict()


def test_a_new_definition_breaks_all_series_and_a_boundary_or_rebase_the_own_one():
    assert before(change("definition")) == {
        ("a", "OWN"): 2, ("a", "X1"): 2, ("b", "OWN"): 0, ("b", "X1"): 0,
    }  # fmt: skip
    for kind in ("boundary", "rebase"):
        assert before(change(kind))["a", "OWN"] == 2 and before(change(kind))["a", "X1"] == 0


def test_what_is_comparable_or_lacks_its_record_breaks_nothing():
    assert sum(before(change("definition", comparable=True)).values()) == 0
    assert sum(before(change("rebase", reason="")).values()) == 0
    assert not with_breaks(evidence(), pd.DataFrame(), "OWN")["before_break"].any()


def limits(polarity: str, verdict: str = "no_clear_change") -> pd.DataFrame:
    row = {"series": "s", "polarity": polarity, "verdict": verdict}
    return pd.DataFrame([row | {"lower_limit": 40.0, "upper_limit": 60.0}])


@pytest.mark.parametrize(
    ("polarity", "target", "found"),
    [
        ("higher", 39.0, "consistent_pass"), ("higher", 50.0, "inconsistent"),
        ("higher", 61.0, "consistent_fail"), ("lower", 61.0, "consistent_pass"),
        ("lower", 50.0, "inconsistent"), ("lower", 39.0, "consistent_fail"), ("none", 50.0, ""),
    ],
)  # fmt: skip
def test_capability_holds_the_usual_range_against_the_target(polarity, target, found):
    asked = pd.DataFrame({"series": ["s"] * 2, "target": target, "required_change": 1.0})
    asked = asked.assign(how=["", "sum"], indicator="a")
    own = pd.DataFrame({"series": [], "value": [], "numerator": [], "denominator": []})
    told = with_context(asked, own, limits(polarity), {})["capability"].tolist()
    assert told == [found, ""]  # the range is that of single periods
    moving = with_context(asked, own, limits(polarity, "improving"), {})["capability"]
    assert moving.tolist() == ["", ""]


def test_the_gap_is_told_in_cases_at_the_newest_denominator():
    own = pd.DataFrame(
        {"series": "s", "value": [9.0, 8.0], "numerator": [90, 120], "denominator": [1000, 1500]}
    )
    asked = pd.DataFrame({"series": ["s", "s", "t"], "target": 6.0, "required_change": -2.0})
    asked = asked.assign(how=["", "sum", ""], indicator="a")
    told = with_context(asked, own, limits("lower"), {"a": "proportion"})
    assert told["people"].tolist()[0] == pytest.approx(-30)
    assert told["people"].isna().tolist() == [False, True, True]
    days = with_context(asked, own, limits("lower"), {"a": "mean"})
    assert days["people"].isna().all()
