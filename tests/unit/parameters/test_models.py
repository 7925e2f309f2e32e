"""What a model refuses and what it fills in."""

import copy
import json
import re
from datetime import date
from typing import get_args

import pytest
from pydantic import TypeAdapter, ValidationError
from pydantic_core.core_schema import ErrorType
from ruamel.yaml import YAML

from pmf_analysis.data.contract import TABLES
from pmf_analysis.parameters.messages import wording
from pmf_analysis.parameters.models import (
    ComparisonRules,
    Framework,
    Indicator,
    RunSpec,
    TargetBands,
    TargetKind,
    TargetRule,
    TargetStepName,
)

ENTRY = {
    "id": "recycling",
    "title": "Household waste recycled",
    "themes": ("place",),
    "data_type": "percentage",
    "frequency": "quarterly",
    "director": "director_place",
}
RUN = {
    "format": 1,
    "council": "westshire",
    "period": "2026-27 Q2",
    "as_at": date(2026, 10, 31),
    "peer_set": "neighbours",
}


def test_bounds_unit_and_short_title_follow_from_the_data_type():
    percentage = Indicator(**ENTRY)
    assert (percentage.minimum, percentage.maximum, percentage.unit) == (0, 100, "%")
    assert percentage.short_title == percentage.title
    count = Indicator(**ENTRY | {"data_type": "count", "unit": "visits"})
    assert (count.minimum, count.maximum, count.decimals) == (0, None, 0)
    money = Indicator(**ENTRY | {"data_type": "money", "allow_negative": True})
    assert (money.minimum, money.unit) == (None, "£")
    score = Indicator(**ENTRY | {"data_type": "score", "unit": "points", "minimum": -2.0})
    assert score.minimum == -2


def test_what_is_declared_beats_what_follows():
    indicator = Indicator(**ENTRY | {"maximum": 250.0, "unit": "per cent", "short_title": "Waste"})
    assert (indicator.maximum, indicator.unit, indicator.short_title) == (250, "per cent", "Waste")


@pytest.mark.parametrize(
    ("data_type", "rate_base", "statistic", "is_chartable"),
    [
        ("percentage", None, "proportion", True),
        ("survey_percentage", None, "proportion", True),
        ("rate", 1000, "rate", True),
        ("rate", None, None, True),
        ("days", None, "mean", True),
        ("money", None, None, True),
        ("milestone", None, None, False),
        ("ordinal", None, None, False),
    ],
)
def test_statistic_and_chart_follow_from_the_data_type(
    data_type, rate_base, statistic, is_chartable
):
    entry = ENTRY | {"data_type": data_type, "rate_base": rate_base, "unit": "units"}
    indicator = Indicator(**entry)
    assert (indicator.statistic, indicator.is_chartable) == (statistic, is_chartable)


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"polarity": "range"}, "needs target_low and target_high"),
        ({"target_low": 3.0, "target_high": 2.0}, "target_low is above target_high"),
        ({"data_type": "score"}, "the unit is missing"),
        ({"accumulation": "rolling"}, "needs period_span"),
        ({"valid_from": date(2026, 4, 1), "valid_to": date(2025, 4, 1)}, "valid_to is before"),
        ({"data_type": "rate", "unit": "x", "accumulation": "ytd"}, "needs rate_base"),
        ({"themes": ["place"]}, "valid tuple"),
        ({"id": "a|b"}, "pattern"),
    ],
)
def test_settings_that_do_not_agree_are_refused(change, said):
    with pytest.raises(ValidationError, match=said):
        Indicator(**ENTRY | change)


def test_models_cannot_be_changed():
    indicator = Indicator(**ENTRY)
    with pytest.raises(ValidationError):
        indicator.polarity = "higher"


def test_types_are_as_written():
    for change in ({"seed": True}, {"seed": 1.0}, {"as_at": "2026-10-31"}, {"period": 2026}):
        with pytest.raises(ValidationError):
            RunSpec(**RUN | change)


def test_themes_of_a_run_are_all_or_a_list():
    assert RunSpec(**RUN).themes == "all"
    assert RunSpec(**RUN | {"themes": ("people",)}).themes == ("people",)
    with pytest.raises(ValidationError, match="list"):
        RunSpec(**RUN | {"themes": "people"})


def test_target_bands_must_fall():
    assert TargetBands().challenging == 0.3
    with pytest.raises(ValidationError, match="must fall"):
        TargetBands(too_easy=0.5)
    with pytest.raises(ValidationError, match="must fall"):
        TargetBands(stretch=0.3)


def test_defaults_are_not_shared_between_runs():
    first, second = RunSpec(**RUN), RunSpec(**copy.deepcopy(RUN))
    assert first.peer_sets_by_theme is not second.peer_sets_by_theme


def test_every_sentence_is_for_a_fault_that_pydantic_knows():
    known = {*get_args(ErrorType), "pattern_regex"}  # of patterns, which pydantic does not list
    assert set(wording("settings")) <= known
    with pytest.raises(ValidationError) as faulty:
        TypeAdapter(re.Pattern[str]).validate_python("(")
    assert faulty.value.errors()[0]["type"] == "pattern_regex"
    assert {"int_type", "too_short", "missing"} <= set(wording("settings"))


@pytest.mark.parametrize("level", [95, 95.0, 99.8])
def test_a_comparison_has_one_of_two_levels(level):
    assert ComparisonRules(level=level).level == level
    with pytest.raises(ValidationError, match=r"can be 95 or 99\.8"):
        ComparisonRules(level=99)


def test_a_standard_population_weighs_the_strata_of_one_dimension():
    whole = {"standardised_by": "age", "standard_population": {"under_65": 3.0, "65_up": 1.0}}
    assert Indicator(**ENTRY | whole).standard_population["under_65"] == 3
    for wrong in (
        {"standardised_by": "age"},
        whole | {"standardised_by": ""},
        whole | {"standard_population": {"under_65": 3.0}},
        whole | {"standard_population": {"under_65": 3.0, "65_up": 0.0}},
    ):
        with pytest.raises(ValidationError):
            Indicator(**ENTRY | wrong)


def test_the_rule_for_targets_has_every_step_unless_a_council_leaves_some_out():
    assert [step.step for step in TargetRule().steps] == list(get_args(TargetStepName))
    own = TargetRule(steps=({"step": "nation", "months": 12}, {"step": "required"}))
    assert [(step.step, step.months) for step in own.steps] == [("nation", 12), ("required", 24)]
    for wrong in ({"step": "by_feeling"}, {"step": "nation", "place": "top"}, {"months": 12}):
        with pytest.raises(ValidationError):
            TargetRule(steps=(wrong,))


@pytest.mark.parametrize(
    ("steps", "said"),
    [
        ([{"step": "required", "kinds": ["statutry"]}], "literal"),
        ([{"step": "required", "kinds": []}], "at least 1 item"),
        ([{"step": "nation"}, {"step": "nation", "months": 12}], "twice"),
        ([{"step": "nation", "place": "median"}], "does not use"),
        ([{"step": "rationale", "months": 24}], "does not use"),
        ([{"step": "rationale"}, {"step": "as_challenging"}, {"step": "nation"}], "come first"),
        ([{"step": "may_change"}], "come first"),
    ],
)
def test_steps_that_say_nothing_are_refused(steps, said):
    steps = [{**step, "kinds": tuple(step["kinds"])} if "kinds" in step else step for step in steps]
    with pytest.raises(ValidationError) as error:
        TargetRule(steps=tuple(steps))
    assert said in str(error.value)


def test_the_kinds_of_a_target_are_the_contract_s():
    [kind] = [column for column in TABLES["targets"] if column.name == "kind"]
    assert {*get_args(TargetKind), "baseline"} == {*kind.choices}  # a baseline is no target
    assert TargetRule(steps=({"step": "rationale"},)) and TargetRule(steps=())


def test_both_published_rules_of_colour_in_the_guide_are_rules(repository):
    guide = (repository / "docs" / "how-to-read-a-report.md").read_text(encoding="utf-8")
    rules = re.findall(r"```yaml\n(status_style.*?)```", guide, flags=re.S)
    assert len(rules) == 2
    for text in rules:
        told = YAML(typ="safe", pure=True).load(text)
        framework = framework_with(**told)
        assert framework.status_rule[-1].when == "otherwise"


@pytest.mark.parametrize(
    ("given", "contradiction"),
    [
        ({"status_style": "rag"}, "rag_without_rule"),
        ({"status_rule": [{"colour": "red", "when": "met"}]}, "status_otherwise"),
        ({"status_rule": [{"colour": "red", "when": "otherwise"}] * 2}, "status_otherwise"),
        ({"status_rule": [{"colour": "red", "when": "otherwise", "pct": 5}]}, "status_pct"),
        ({"status_rule": [{"colour": "red", "when": "within_pct"}]}, "status_pct"),
    ],
)
def test_a_rule_of_colour_that_leaves_something_open_is_refused(given, contradiction):
    with pytest.raises(ValidationError, match=re.escape(wording("contradictions")[contradiction])):
        framework_with(**given)


def test_a_rule_of_colour_is_no_code():
    with pytest.raises(ValidationError):
        framework_with(status_rule=[{"colour": "red", "when": "value > 3"}])


def framework_with(**given):
    council = {"id": "a", "name": "A", "area_code": "X1"}
    plain = {"format": 1, "title": "T", "council": council, "directors": [{"id": "d", "role": "D"}]}
    plain["themes"] = [{"id": "t", "title": "T", "director": "d"}]
    return Framework.model_validate_json(json.dumps(plain | given))
