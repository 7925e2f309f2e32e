"""How many of a set of targets are met: expected number, its range, and where none stretches."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from pmf_analysis.measures.target_tables import FEWEST_TARGETS, TOGETHER, portfolio


def rows(chances: list[float], **columns: object) -> pd.DataFrame:
    table = pd.DataFrame({"probability": chances})
    table["series"] = table["indicator"] = [f"s{number}" for number in range(len(chances))]
    defaults = {"kind": "improvement", "verdict": "challenging", "is_reference": False}
    return (
        table.assign(**defaults).assign(director="d1", themes=[[]] * len(chances)).assign(**columns)
    )


def council(table: pd.DataFrame) -> pd.Series:
    return portfolio(table, 0.85).iloc[0]


def test_expected_number_is_the_sum_of_chances_and_its_range_is_wider_than_a_binomial():
    found = council(rows([0.5] * 40))
    assert found["expected"] == pytest.approx(20) and found["n"] == 40
    half = 1.2816 * np.sqrt(40 / 4 * (1 + TOGETHER * 39))
    assert (found["low"], found["high"]) == (round(20 - half), round(20 + half))
    assert 0 <= council(rows([0.02] * 6))["low"] <= council(rows([0.98] * 6))["high"] <= 6


def test_few_targets_have_no_range_and_those_of_one_series_no_independence():
    assert np.isnan(council(rows([0.5] * (FEWEST_TARGETS - 1)))["low"])
    alone, together = rows([0.5] * 20), rows([0.5] * 20, series="one")
    assert council(together)["high"] > council(alone)["high"]


def test_themes_and_directorates_have_their_own_and_only_judged_targets_count():
    table = rows([0.9, 0.9, 0.2, np.nan, 0.5], director=["a", "a", "b", "b", "b"])
    table.loc[4, "is_reference"] = True
    table["themes"] = [["x", "y"], [], ["y"], ["x"], ["x"]]
    found = portfolio(table, 0.85).set_index(["group", "name"])
    assert found["n"].to_dict() == {
        ("council", ""): 3, ("theme", "x"): 1, ("theme", "y"): 2,
        ("directorate", "a"): 2, ("directorate", "b"): 1,
    }  # fmt: skip
    assert portfolio(table.iloc[3:], 0.85).empty


def test_a_set_in_which_most_are_met_anyway_is_told_but_not_for_standards():
    assert council(rows([0.9] * 4 + [0.3] * 3))["mostly_easy"]
    assert not council(rows([0.9] * 3 + [0.3] * 4))["mostly_easy"]
    assert council(rows([0.9] * 7, kind="statutory"))["n_easy"] == 0
