"""The page on trends is right: its examples load, its words are those of the program."""

import re
import shutil
from pathlib import Path
from typing import get_args

import pytest

from pmf_analysis.parameters.models import TrendRules
from pmf_analysis.parameters.place import WORKSPACE_VARIABLE
from pmf_analysis.parameters.small_files import ChartFile
from pmf_analysis.parameters.workspace import Workspace

GOALS = ["G1", "G2", "G3", "G7", *(f"G{n}" for n in range(9, 20))]


@pytest.fixture(scope="module")
def page(repository: Path) -> str:
    return (repository / "docs" / "trend-methods.md").read_text(encoding="utf-8")


@pytest.fixture(scope="module")
def examples(page: str) -> dict[str, str]:
    """Every YAML example by the file that its first line names."""
    blocks = re.findall(r"```yaml\n# (\S+)\n(.*?)```", page, re.DOTALL)
    assert len(blocks) == page.count("```yaml")
    return dict(blocks)


def test_every_example_loads_in_the_workspace_that_ships(
    examples, repository, tmp_path, monkeypatch
):
    monkeypatch.delenv(WORKSPACE_VARIABLE, raising=False)
    shutil.copytree(repository / "parameters", tmp_path / "parameters")
    files = tmp_path / "parameters"
    for name in ("framework.yml", "indicators.yml"):
        with (files / name).open("a", encoding="utf-8") as file:
            file.write("\n" + examples[name])
    (files / "charts.yml").write_text(examples["charts.yml"], encoding="utf-8")
    parameters = Workspace(tmp_path).load()
    assert set(examples) == {"framework.yml", "indicators.yml", "charts.yml"}
    assert parameters.framework.trend_rules.shift == 8
    assert parameters.register.indicators["visits_to_museums"].accumulation == "ytd"
    assert len(parameters.charts.baselines) == 2


def test_the_examples_show_every_setting(examples):
    for name, field in ChartFile.model_fields.items():
        assert f"\n{name}:" in f"\n{examples['charts.yml']}", name
        if name != "format":
            (model, _) = get_args(field.annotation)
            for setting, each in model.model_fields.items():
                assert f"{each.alias or setting}: " in examples["charts.yml"], setting
    for setting in TrendRules.model_fields:
        assert f"  {setting}: " in examples["framework.yml"]


def test_every_profile_and_tie_policy_is_explained(page):
    for setting in ("profile", "ties"):
        choices = get_args(TrendRules.model_fields[setting].annotation)
        choices = [part for choice in choices for part in get_args(choice) or (choice,)]
        words = [choice for choice in choices if isinstance(choice, str)]
        assert len(words) >= 2
        assert [word for word in words if f"`{word}`" not in page] == []


def test_every_goal_names_tests_that_exist(page, repository):
    rows = [line.split("|") for line in page.splitlines() if re.match(r"\| G\d", line)]
    assert [row[1].strip() for row in rows] == GOALS
    for row in rows:
        paths = re.findall(r"`((?:tests|benchmarks)/\S+\.py)`", row[4])
        assert paths
        assert [path for path in paths if not (repository / path).is_file()] == []
