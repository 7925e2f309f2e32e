"""The path to a target: Brighton & Hove's steps, what each finds, and other orders of them."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd
import pytest

from pmf_analysis.measures.arrays import TABLES
from pmf_analysis.measures.target_rule import decision_path
from pmf_analysis.parameters.models import TargetRule, TargetStep

NAN = float("nan")
DAY = pd.Timestamp("2025-04-01")


def own(value: float = 60.0) -> pd.DataFrame:
    row = {"series": "x|E1", "indicator": "x", "area": "E1", "value": value, "period": DAY}
    return pd.DataFrame([{**row, "value": 1.0, "period": DAY - pd.DateOffset(years=1)}, row])


def beside(**more: Any) -> pd.DataFrame:
    usual = {
        "series": "x|E1", "peer_set": "near", "period": DAY, "peer_median": 64.0, "peer_q1": 55.0,
        "peer_q3": 72.0, "nation_value": 66.0, "value": 60.0,
    }  # fmt: skip
    return pd.DataFrame([usual | more])


def live(target: float = 65.0, **more: Any) -> pd.DataFrame:
    usual = {
        "target_id": "t", "series": "x|E1", "indicator": "x", "target": target,
        "kind": "improvement", "set_on": pd.Timestamp("2024-03-01"), "rationale": "agreed",
        "comparator": "", "how": "", "period": DAY,
    }  # fmt: skip
    return pd.DataFrame([usual | more])


def path(
    comparisons: pd.DataFrame | None = None,
    targets: pd.DataFrame | None = None,
    *,
    value: float = 60.0,
    polarity: str = "higher",
    rule: TargetRule | None = None,
    seasonal: tuple[str, ...] = (),
) -> dict[str, tuple[Any, ...]]:
    """Answer, value and comparator of each step."""
    table = decision_path(
        rule or TargetRule(),
        beside() if comparisons is None else comparisons,
        live() if targets is None else targets,
        own(value),
        pd.DataFrame({"indicator": ["x"], "polarity": [polarity]}),
        seasonal,
    )
    assert list(table.columns) == TABLES["decisions"]
    assert table["place"].tolist() == list(range(1, len(table) + 1))
    told = table[["answer", "value", "comparator"]].itertuples(index=False, name=None)
    return dict(zip(table["step"], told, strict=True))


def test_the_more_challenging_benchmark_is_what_the_path_suggests() -> None:
    told = path()
    assert told["required"][0] == "no"
    assert told["neighbours"] == ("yes", 64.0, "near")
    assert told["nation"] == ("yes", 66.0, "nation")
    assert told["more_challenging"] == ("yes", 66.0, "nation")
    assert told["already_better"] == ("no", 60.0, "present")
    assert told["as_challenging"] == ("no", 66.0, "nation")
    assert path(targets=live(66.0))["as_challenging"][0] == "yes"
    assert (told["rationale"][0], told["comparator"][0]) == ("yes", "no")
    assert told["may_change"] == ("yes", 66.0, "nation")


def test_lower_is_more_challenging_where_lower_is_better() -> None:
    told = path(beside(value=70.0), polarity="lower", value=70.0)
    assert told["more_challenging"] == ("yes", 64.0, "near")
    assert told["already_better"] == ("no", 70.0, "present")
    assert told["as_challenging"] == ("no", 64.0, "near")
    assert path(polarity="lower")["already_better"] == ("yes", 60.0, "present")


def test_what_the_law_asks_for_counts_where_it_is_more_challenging() -> None:
    for level, most in ((70.0, (70.0, "statutory")), (50.0, (66.0, "nation"))):
        told = path(targets=live(level, kind="statutory"))
        assert told["required"] == ("yes", level, "statutory")
        assert told["more_challenging"][1:] == most


def test_present_performance_may_be_used_and_takes_the_place_of_no_benchmark() -> None:
    told = path(beside(value=68.0), value=68.0, targets=live(67.0))
    assert told["already_better"] == ("yes", 68.0, "present")
    assert told["as_challenging"] == ("yes", 66.0, "nation")


def test_present_performance_is_that_of_the_benchmark_s_period() -> None:
    assert path(value=90.0)["already_better"] == ("no", 60.0, "present")
    assert path(beside(value=NAN), value=90.0)["already_better"][0] == "not_known"
    law = path(beside().head(0), live(80.0, kind="statutory"), value=90.0)
    assert law["already_better"] == ("yes", 90.0, "present")  # a level for every period


def test_a_target_for_the_year_so_far_is_not_held_against_levels_of_periods() -> None:
    told = path(targets=live(260.0, how="sum", kind="statutory"))
    assert (told["required"][0], told["as_challenging"][0]) == ("not_known", "not_asked")
    assert told["more_challenging"] == ("yes", 66.0, "nation")
    assert path(targets=live(260.0, how="sum"))["as_challenging"][0] == "not_known"


@pytest.mark.parametrize("kind", ["floor", "statutory", "contractual"])
def test_what_must_be_kept_need_not_be_as_challenging(kind: str) -> None:
    assert path(targets=live(50.0, kind=kind))["as_challenging"][0] == "not_asked"


def test_what_is_written_has_no_number() -> None:
    told = path()
    for step in ("rationale", "comparator"):
        assert np.isnan(told[step][1]) and told[step][2] == ""


@pytest.mark.parametrize("polarity", ["none", "range", "unknown"])
def test_without_a_better_way_nothing_is_more_challenging(polarity: str) -> None:
    told = path(polarity=polarity)
    assert told["neighbours"][0] == "yes"
    for step in ("more_challenging", "already_better", "as_challenging"):
        assert told[step][0] == "not_known"


def test_an_old_benchmark_is_none_and_a_missing_one_is_not_known() -> None:
    old = beside(period=DAY - pd.DateOffset(months=30))
    assert path(old)["neighbours"][0] == "no"
    assert path(old)["more_challenging"][0] == "not_known"
    missing = path(beside(peer_median=NAN, nation_value=NAN))
    assert {missing[step][0] for step in ("neighbours", "nation")} == {"not_known"}
    assert missing["may_change"][0] == "not_known"
    assert path(beside().head(0))["neighbours"] == (
        "not_known",
        pytest.approx(NAN, nan_ok=True),
        "",
    )


def test_where_seasons_matter_levels_are_of_the_target_s_part_of_the_year() -> None:
    autumn = DAY + pd.DateOffset(months=6)
    levels = pd.concat([beside(), beside(period=autumn - pd.DateOffset(years=1), peer_median=81.0,
                                         nation_value=80.0, value=79.0)])  # fmt: skip
    targets = live(80.5, period=autumn)
    assert path(levels, targets)["neighbours"][1] == 64.0
    told = path(levels, targets, seasonal=("x|E1",))
    assert told["neighbours"] == ("yes", 81.0, "near")
    assert told["already_better"] == ("no", 79.0, "present")
    assert told["as_challenging"] == ("no", 81.0, "near")
    missing = path(beside(), targets, seasonal=("x|E1",))
    steps = ("neighbours", "nation", "already_better", "as_challenging")
    assert {missing[step][0] for step in steps} == {"not_known"}
    law = path(beside(), live(70.0, kind="statutory", period=autumn), seasonal=("x|E1",))
    assert law["already_better"][0] == "not_known"  # our figure of another season is none


def test_every_number_has_its_period() -> None:
    earlier = DAY - pd.DateOffset(months=3)
    rule, register = TargetRule(), pd.DataFrame({"indicator": ["x"], "polarity": ["higher"]})
    for kind, days in (("improvement", [earlier] * 3), ("statutory", [earlier, pd.NaT, DAY])):
        level = live(90.0, kind=kind)
        table = decision_path(rule, beside(period=earlier), level, own(), register)
        found = table.set_index("step")["period"]
        assert pd.isna(found["required"]) and pd.isna(found["rationale"])
        steps = found[["neighbours", "as_challenging", "already_better"]]
        pd.testing.assert_series_equal(steps, pd.Series(days), check_index=False, check_names=False)


def test_a_target_may_change_when_the_benchmark_is_newer() -> None:
    assert path(targets=live(set_on=DAY))["may_change"][0] == "no"
    assert path(targets=live(set_on=pd.NaT))["may_change"][0] == "not_known"


def test_an_indicator_without_a_target_still_has_its_path() -> None:
    for none in (live().head(0), live(kind="baseline")):
        told = path(targets=none)
        assert told["more_challenging"] == ("yes", 66.0, "nation")
        for step in ("as_challenging", "rationale", "comparator", "may_change"):
            assert told[step][0] == "not_known", step


def test_steps_may_be_dropped_reordered_and_set_without_code() -> None:
    best = TargetStep(step="neighbours", place="best_quarter", peer_set="far")
    rule = TargetRule(steps=(best, TargetStep(step="more_challenging"), TargetStep(step="nation")))
    both = pd.concat([beside(), beside(peer_set="far", peer_q3=75.0)])
    told = path(both, rule=rule)
    assert list(told) == ["neighbours", "more_challenging", "nation"]
    assert told["more_challenging"] == ("yes", 75.0, "far")
    alone = TargetRule(steps=(TargetStep(step="nation"), TargetStep(step="more_challenging")))
    assert path(both, rule=alone)["more_challenging"] == ("yes", 66.0, "nation")
    strict = TargetRule(steps=(TargetStep(step="required", kinds=("contractual",)),))
    assert path(targets=live(kind="statutory"), rule=strict)["required"][0] == "no"
    assert path(rule=TargetRule(steps=())) == {}
