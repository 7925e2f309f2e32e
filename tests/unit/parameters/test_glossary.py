"""The glossary explains every word that a parameter file or a result table can hold."""

import re
from typing import get_args

import pytest
from ruamel.yaml import YAML

from pmf_analysis.parameters.models import VERDICTS, Indicator, TargetBands
from pmf_analysis.period_spans import YEAR_STARTS

WORDED = ["polarity", "data_type", "frequency", "accumulation", "control", "tier", "kind"]


@pytest.fixture(scope="module")
def glossary(repository):
    return (repository / "docs" / "glossary.md").read_text(encoding="utf-8")


@pytest.mark.parametrize("setting", WORDED)
def test_every_choice_of_a_setting_is_explained(setting, glossary):
    choices = get_args(Indicator.model_fields[setting].annotation)
    assert len(choices) >= 3
    assert [choice for choice in choices if f"`{choice}`" not in glossary] == []


@pytest.mark.parametrize("setting", [*WORDED, "year_type", "small_counts"])
def test_the_guide_lists_every_choice_of_a_setting(setting, repository):
    guide = (repository / "docs" / "getting-started.md").read_text(encoding="utf-8")
    (line,) = [line for line in guide.splitlines() if line.startswith(f"| `{setting}` |")]
    choices = get_args(Indicator.model_fields[setting].annotation)
    assert [choice for choice in choices if not re.search(rf"\b{choice}\b", line)] == []


def test_the_smallest_indicator_of_the_guide_is_one(repository):
    guide = (repository / "docs" / "getting-started.md").read_text(encoding="utf-8")
    (entry,) = YAML(typ="safe", pure=True).load(guide.split("```yaml\n")[1].split("```")[0])
    lists = {name: tuple(value) for name, value in entry.items() if isinstance(value, list)}
    assert set(entry) == {n for n, field in Indicator.model_fields.items() if field.is_required()}
    assert Indicator(**entry | lists).accumulation == "discrete"


def test_every_verdict_and_type_of_year_is_explained(glossary):
    words = [*VERDICTS, *YEAR_STARTS]
    assert [word for word in words if f"`{word}`" not in glossary] == []


def test_the_limits_of_the_verdicts_are_the_defaults(glossary):
    for verdict, chance in TargetBands().model_dump().items():
        (line,) = [line for line in glossary.splitlines() if line.startswith(f"| `{verdict}` |")]
        assert f"{chance:.0%}" in line
