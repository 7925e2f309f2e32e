"""Which rows are for a group and which for the area, where several columns tell of whom."""

from __future__ import annotations

from datetime import date
from pathlib import Path

import pytest

from pmf_analysis.data.store import Store
from pmf_analysis.parameters.workspace import Workspace
from pmf_analysis.systems.importing import import_files

MAPPING = """
format: 1
name: grouped
system: test
version: 1
table: observations
match: {files: ["grouped*.csv"]}
header: {containing: [ID, Value]}
columns: {indicator_id: [ID], area_code: [Area], period_label: [Period], value: [Value]}
prefix: "Sys "
breakdowns:
  Sex: {total: [Persons]}
  Age: {total: [All ages]}
  Category: {named_by: Category Type}
keep: [{column: ID, in: register}]
ignore: ["Compared to * value"]
"""
HEADER = "ID,Area,Period,Sex,Age,Category Type,Category,Value,Compared to Anywhere value"
Group = tuple[str, str]


def groups_of(workspace: Workspace, tmp_path: Path, *rows: str) -> list[Group]:
    """Return dimension and member of each row of an indicator that is known by a number."""
    (workspace.parameters / "mappings" / "grouped.yml").write_text(MAPPING, encoding="utf-8")
    register = workspace.parameters / "indicators.yml"
    text = register.read_text(encoding="utf-8").replace("[old pct]", "[Sys 7]")
    register.write_text(text, encoding="utf-8")
    path = tmp_path / "grouped.csv"
    lines = [f"7,X06000001,Q{n} 2025/26,{row},50,x" for n, row in enumerate(rows, 1)]
    path.write_text("\n".join([HEADER, *lines, "8,X06000001,Q1 2025/26,Male,,,,1,x"]) + "\n")
    outcome = import_files(workspace, [path], date(2026, 11, 20))
    assert not outcome.problems, outcome.problems
    [result] = outcome.results
    assert result.record.rows_ignored == 1  # the number 8 is no indicator of the register
    rows_read = Store(workspace.store).as_known_on(date(2026, 11, 20), "observations")
    found = rows_read["observations"].sort_values("period_start")
    assert set(found["indicator_id"]) == {"PCT"}
    return [*zip(found["dimension"], found["dimension_value"], strict=True)]


@pytest.mark.parametrize(
    ("rows", "expected"),
    [
        (["Persons,All ages,,", "Male,All ages,,"], [("", ""), ("Sex", "Male")]),
        # A screening that only women have is the figure of the area; so is the one age it is for.
        (["Female,53-70 yrs,,", "Female,53-70 yrs,,"], [("", ""), ("", "")]),
        # Life expectancy has men and women, and nobody's total.
        (["Male,All ages,,", "Female,All ages,,"], [("Sex", "Male"), ("Sex", "Female")]),
        # A tenth of areas is never a total, even where a file has nothing else.
        (["Persons,,Deciles,Most deprived", "Persons,,Deciles,Most deprived"],
         [("Deciles", "Most deprived")] * 2),
        (["persons ,ALL AGES,,", "Male,0-4,Deciles,Least deprived"],
         [("", ""), ("Sex; Age; Deciles", "Male; 0-4; Least deprived")]),
    ],
)  # fmt: skip
def test_groups(
    workspace: Workspace, tmp_path: Path, rows: list[str], expected: list[Group]
) -> None:
    assert groups_of(workspace, tmp_path, *rows) == expected
