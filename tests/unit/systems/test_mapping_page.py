"""The page on mapping files keeps its word: its example is imported as it says."""

from __future__ import annotations

import re
from datetime import date
from pathlib import Path

import pytest

from pmf_analysis.parameters.workspace import Workspace
from pmf_analysis.systems.importing import import_files
from pmf_analysis.systems.mapping import (
    Header,
    Keep,
    MappingFile,
    Match,
    PeriodRule,
    choose_mapping,
    load_mappings,
)

NAME = "Housing return Q2.csv"


@pytest.fixture
def page(repository: Path) -> str:
    return (repository / "docs" / "mapping-files.md").read_text(encoding="utf-8")


def example(page: str, kind: str) -> str:
    (found,) = re.findall(rf"```{kind}\n(.*?)```", page, re.DOTALL)
    return str(found)


def test_the_worked_example_is_imported_as_the_page_says(
    page: str, workspace: Workspace, tmp_path: Path
) -> None:
    folder = workspace.parameters
    (folder / "mappings" / "housing_return.yml").write_text(example(page, "yaml"), encoding="utf-8")
    register = (folder / "indicators.yml").read_text(encoding="utf-8")
    register = register.replace("[old pct]", "[Empty homes]")
    register = register.replace("title: RATE", "title: RATE\n    aliases: [Repairs on time]")
    register = register.replace("rate_base: 1000", "rate_base: 100")
    (folder / "indicators.yml").write_text(register, encoding="utf-8")
    (tmp_path / NAME).write_text(example(page, "csv"), encoding="utf-8")
    assert choose_mapping(NAME, load_mappings(folder / "mappings")).name == "housing_return"
    outcome = import_files(workspace, [tmp_path / NAME], date(2026, 10, 31))
    assert outcome.problems == []
    (result,) = outcome.results
    record = result.record
    assert (record.rows_read, record.rows_accepted, record.rows_ignored) == (6, 4, 2)
    assert record.ignored_because == {"above the header": 1, "not kept by the mapping": 1}
    made = result.tables["observations"]
    assert made["value"].fillna(-1).tolist() == [1.8, -1, 91.5, 92.0]
    assert made["value_status"].tolist()[1] == "not_yet_available"
    assert set(made["period_start"].dt.strftime("%Y-%m-%d")) == {"2026-04-01", "2026-07-01"}
    assert made["source_row"].tolist() == [3, 4, 5, 6]


def test_the_page_names_every_setting(page: str) -> None:
    names = {*MappingFile.model_fields, *Match.model_fields, *Header.model_fields}
    names |= {*PeriodRule.model_fields, *Keep.model_fields} - {"in_", "startswith"}
    assert {name for name in names if not re.search(rf"\b{name}\b", page)} == set()
