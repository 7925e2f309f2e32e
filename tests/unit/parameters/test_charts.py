"""What the council decides about its charts, and how its rules of signals are declared."""

import shutil
from dataclasses import fields
from datetime import date

import pytest

from pmf_analysis.parameters.models import TrendRules
from pmf_analysis.parameters.small_files import Annotation, Baseline, ChartFile, Rebase
from pmf_analysis.parameters.workspace import Parameters, Workspace
from pmf_analysis.problems import PmfError

CHARTS = """
format: 1
rebases:
  - {indicator: visits, from: 2024-11-01, reason: " Longer hours ", owner: Head of Libraries,
     recorded_on: 2025-01-14}
baselines:
  - {indicator: visits, from: 2024-11-01, until: 2026-03-31, reason: Plan, owner: Head of Libraries,
     recorded_on: 2026-04-14}
  - {indicator: recycling, mean: 44, lower_limit: 40.5, upper_limit: 47.5, reason: Plan,
     owner: Head of Waste, recorded_on: 2026-04-14}
annotations:
  - {indicator: visits, on: 2025-10-01, text: Sunday opening}
"""


def _said(workspace: Workspace) -> list[str]:
    with pytest.raises(PmfError) as caught:
        workspace.load()
    assert caught.value.exit_code == 2
    return [line.removeprefix("parameters/") for line in str(caught.value).splitlines()]


@pytest.fixture
def charts(workspace: Workspace) -> ChartFile:
    path = workspace.parameters / "charts.yml"
    path.write_text(CHARTS.lstrip(), encoding="utf-8")
    parameters = workspace.load()
    assert len(parameters.files["parameters/charts.yml"]) == 64
    return parameters.charts


def test_there_may_be_no_chart_file(workspace):
    parameters = workspace.load()
    assert parameters.charts == ChartFile(format=1)
    assert parameters.charts.rebase_rows() == []
    assert "parameters/charts.yml" not in parameters.files
    assert "charts" in {field.name for field in fields(Parameters)}


def test_a_rebase_is_a_row_of_the_table_of_changes(charts):
    assert charts.rebase_rows() == [
        {
            "indicator": "visits",
            "period_start": date(2024, 11, 1),
            "kind": "rebase",
            "comparable": True,
            "reason": "Longer hours",
            "owner": "Head of Libraries",
            "recorded_on": date(2025, 1, 14),
        }
    ]


def test_a_baseline_has_periods_or_numbers(charts):
    periods, numbers = charts.baseline_rows()
    assert list(periods) == list(numbers)
    names = ["period_from", "period_until", "mean", "lower_limit", "upper_limit"]
    given = [date(2024, 11, 1), date(2026, 3, 31), None, None, None]
    assert [periods[name] for name in names] == given
    assert [numbers[name] for name in names] == [None, None, 44.0, 40.5, 47.5]


def test_an_annotation_needs_no_owner(charts):
    assert charts.annotation_rows() == [
        {"indicator": "visits", "on": date(2025, 10, 1), "text": "Sunday opening", "owner": ""}
    ]


def test_every_fault_of_a_chart_file_is_told_with_its_line(workspace, invalid):
    shutil.copy(invalid / "charts_faults.yml", workspace.parameters / "charts.yml")
    either = "A baseline is given by periods or by numbers: this has "
    of_what = ' of "until" and "mean" with its limits.'
    order = '"lower_limit" must be below "mean", and "mean" below "upper_limit".'
    frozen = '"until" must be after "from", and not after "recorded_on".'
    assert _said(workspace) == [
        'charts.yml line 3: indicator "recyling" is not in the register. Did you mean "recycling"?',
        'charts.yml line 4: "reason" is missing.',
        'charts.yml line 5: "reason" is empty.',
        'charts.yml line 5: "visits" is declared twice with the same from, on lines 4 and 5.',
        'charts.yml line 6: "recorded_on" is missing.',
        'charts.yml line 10: "recorded" is not a setting here. Did you mean "recorded_on"?',
        f"charts.yml line 13: {either}both{of_what}",
        f"charts.yml line 14: {either}neither{of_what}",
        'charts.yml line 14: "visits" is declared twice, on lines 13 and 14.',
        f"charts.yml line 15: {order}",
        'charts.yml line 15: indicator "a1" is not in the register. '
        "Expected one of recycling, visits.",
        f"charts.yml line 16: {order}",
        'charts.yml line 16: "recycling" is declared twice, on lines 12 and 16.',
        f"charts.yml line 17: {frozen}",
        'charts.yml line 17: "visits" is declared twice, on lines 13 and 17.',
        f"charts.yml line 18: {frozen}",
        'charts.yml line 18: "visits" is declared twice, on lines 13 and 18.',
        'charts.yml line 19: "from" goes with "until"; a baseline of numbers has neither.',
        'charts.yml line 19: "visits" is declared twice, on lines 13 and 19.',
        'charts.yml line 22: "visits" is declared twice with the same on and text, on lines 21 '
        "and 22.",
        'charts.yml line 23: "on" must be a date such as 2026-10-31, without quotes and without '
        "a time.",
        'charts.yml line 23: "text" is empty.',
    ]


def test_a_register_that_cannot_be_read_makes_no_indicator_look_unknown(workspace):
    (workspace.parameters / "charts.yml").write_text(CHARTS.lstrip(), encoding="utf-8")
    (workspace.parameters / "indicators.yml").write_text("a: [", encoding="utf-8")
    assert _said(workspace) == ["indicators.yml line 1: A bracket is opened and never closed."]


@pytest.mark.parametrize("model", [Rebase, Baseline])
def test_no_usual_range_is_set_without_reason_owner_and_day(model):
    required = {name for name, field in model.model_fields.items() if field.is_required()}
    assert {"indicator", "reason", "owner", "recorded_on"} <= required
    assert {"indicator", "on", "text"} == {
        name for name, field in Annotation.model_fields.items() if field.is_required()
    }


def test_rules_are_those_of_the_profile_until_the_council_says_otherwise(workspace, spoil):
    assert workspace.load().framework.trend_rules == TrendRules(profile="mdc")
    rules = "trend_rules: {profile: mdc-excel, shift: 6, ties: skip}\nthemes:"
    spoil("framework.yml", "themes:", rules)
    declared = workspace.load().framework.trend_rules
    assert declared == TrendRules(profile="mdc-excel", shift=6, ties="skip")
    assert (declared.trend, declared.screen) == (None, None)


@pytest.mark.parametrize(
    ("rules", "said"),
    [
        (
            "{profile: mcd}",
            '"profile" is "mcd", which is not known. Did you mean "mdc"? '
            "It can be mdc, mdc-excel, wheeler or anhoej.",
        ),
        ("{shift: 5}", '"shift" is "5", which is not known. It can be 6, 7 or 8.'),
        ("{tie: skip}", '"tie" is not a setting here. Did you mean "ties"?'),
        ('{screen: "no"}', '"screen" must be true or false.'),
        (
            "{profile: anhoej, shift: 8}",
            'Profile "anhoej" finds the length of a run itself; remove "shift".',
        ),
        (
            "{profile: wheeler, ties: skip}",
            'Profile "wheeler" has no trend rule, so "ties" does nothing.',
        ),
    ],
)
def test_faults_of_the_rules(workspace, spoil, rules, said):
    spoil("framework.yml", "themes:", f"trend_rules: {rules}\nthemes:")
    assert _said(workspace) == [f"framework.yml line 7: {said}"]
