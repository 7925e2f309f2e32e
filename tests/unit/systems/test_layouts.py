"""Tables as people lay them out: merged headers, a column an indicator, the period in a title."""

from __future__ import annotations

import time
from collections.abc import Callable
from datetime import date
from pathlib import Path
from typing import Any

import pandas as pd
import pytest

from pmf_analysis.parameters.workspace import Workspace
from pmf_analysis.problems import PmfError
from pmf_analysis.systems.importing import import_files
from pmf_analysis.systems.mapping import load_mappings
from pmf_analysis.systems.patterns import find, fits
from pmf_analysis.systems.results import ImportResult

HEAD = """\
format: 1
name: mine
system: test
version: 1
table: observations
match: {files: ["mine*"], sheets: "^Ward"}
"""


def read(
    workspace: Workspace, mapping: str, path: Path
) -> tuple[pd.DataFrame, ImportResult, list[str]]:
    (workspace.parameters / "mappings" / "mine.yml").write_text(HEAD + mapping, encoding="utf-8")
    outcome = import_files(workspace, [path], date(2026, 10, 31))
    (result,) = outcome.results
    record = result.record
    placed = record.rows_accepted + record.rows_quarantined + record.rows_ignored
    assert record.rows_read == placed
    rows = result.tables.get("observations", pd.DataFrame())
    return rows, result, [problem.code for problem in outcome.problems]


WIDE = """\
header: {containing: [["Cases", "/Share[0-9]/"]], until: area_code}
columns: {area_code: [column A]}
indicators:
  CNT: {value: ["/Cases All[0-9,]*/"], target: ["/.*Cases target/"]}
  PCT: ["/Share[0-9]/"]
  OTHER: ["Cases Of which: new"]
keep: [{column: column A, startswith: [E05]}]
on_unknown_column: ignore
"""
# A merged "Cases" over three columns, areas down the side, notes below.
WARDS = [
    ["Cases by ward", "", "", "", "", ""],
    ["England, July to September 2026", "", "", "", "", ""],
    ["", "", "Cases", "", "", "Area"],
    ["", "", "All1,2", "Of which:\nnew", "Cases target", ""],
    ["E05000001", "Abbey", 12, 4, 10, 1],
    ["E05000002", "Quay", "..", 2, "", 2],
    ["1", "A note on all", "", "", "", ""],
]
SHARES = [
    ["Share of wards, July to September 2026"],
    ["", "", "Share1"],
    ["E05000001", "Abbey", 55],
]


def test_merged_headers_unnamed_columns_and_the_period_of_a_title(
    workspace: Workspace, write_book: Callable[..., Path]
) -> None:
    mapping = (
        WIDE + "period: {title: '(England|wards), (?P<period>.+)'}\nvalues: {missing: ['..']}\n"
    )
    sheets = {"Ward cases": WARDS, "Ward shares": SHARES, "Cover": [["Nothing"]]}
    rows, result, codes = read(workspace, mapping, write_book(sheets, "mine.xlsx"))
    told = rows[["indicator_id", "area_code", "value_status"]].values.tolist()
    assert sorted(told) == [
        ["CNT", "E05000001", "final"],
        ["CNT", "E05000002", "missing"],
        ["PCT", "E05000001", "final"],
    ]
    assert set(rows["period_start"].dt.strftime("%Y-%m-%d")) == {"2026-07-01"}
    assert result.tables["targets"]["target"].tolist() == [10]
    assert codes == ["indicators-not-read"]  # of OTHER, which the register lacks
    assert result.ignored["not kept by the mapping"] == 1
    assert result.ignored["on a sheet the mapping does not name"] == 1
    assert rows["source_row"].tolist() == [5, 6, 3]


@pytest.mark.parametrize(
    ("told", "name", "sheet"),
    [
        ("{sheet: 'Wards (?P<period>.+)'}", "mine.xlsx", "Wards Q2 2026-27"),
        (
            "{file: 'mine (?P<period>.+)[.]xlsx', year_type: financial}",
            "mine 2026-27 Q2.xlsx",
            "Ward",
        ),
    ],
)
def test_the_period_stands_in_the_name_of_the_sheet_or_file(
    workspace: Workspace, write_book: Callable[..., Path], told: str, name: str, sheet: str
) -> None:
    mapping = (
        WIDE.replace('["Cases", "/Share[0-9]/"]', "Cases")
        + f"period: {told}\nvalues: {{missing: ['..']}}\n"
    )
    rows, _, _ = read(workspace, mapping, write_book({sheet: WARDS}, name))
    assert set(rows["period_label"].str.replace("Q2 2026-27", "2026-27 Q2")) == {"2026-27 Q2"}


def test_without_a_period_nothing_is_guessed(
    workspace: Workspace, write_book: Callable[..., Path]
) -> None:
    mapping = WIDE + "period: {title: 'Scotland, (?P<period>.+)'}\n"
    _, result, codes = read(workspace, mapping, write_book({"Ward": WARDS}, "mine.xlsx"))
    assert "column-missing" in codes
    assert result.quarantined == 3


def test_a_pattern_that_fits_two_columns_is_refused(
    workspace: Workspace, write_book: Callable[..., Path]
) -> None:
    mapping = (
        WIDE.replace("/Cases All[0-9,]*/", "/Cases.*/") + "period: {title: '(?P<period>July.+)'}\n"
    )
    _, result, codes = read(workspace, mapping, write_book({"Ward": WARDS}, "mine.xlsx"))
    assert "column-missing" in codes
    assert result.quarantined == 3


def test_names_in_several_columns_are_joined_and_other_ids_are_known(
    workspace: Workspace, tmp_path: Path
) -> None:
    mapping = """\
header: {containing: [Measure]}
columns: {value: [Value], period_label: [Quarter]}
join: {indicator_id: [Measure, Sex, Unit]}
enums: {indicator_id: {"Cases; men; n": CNT, Share: PCT}}
period: {year_type: financial}
values: {missing: [NA]}
"""
    path = tmp_path / "mine.csv"
    lines = [
        "Measure,Sex,Value,Quarter,Unit",
        "Cases,men,3,Q1 2026/27,n",
        "Share,NA,40,Q1 2026/27,",
    ]
    path.write_text("\n".join([*lines, "Cases,women,3,Q1 2026/27,n"]), encoding="utf-8")
    mapping_text = mapping
    (workspace.parameters / "mappings" / "mine.yml").write_text(
        HEAD.replace(', sheets: "^Ward"', "") + mapping_text, encoding="utf-8"
    )
    outcome = import_files(workspace, [path], date(2026, 10, 31))
    (result,) = outcome.results
    assert result.tables["observations"]["indicator_id"].tolist() == ["CNT", "PCT"]
    assert result.quarantine["value"].tolist() == ["Cases; women; n"]
    assert 'no indicator "Cases; women; n"' in result.quarantine["message"][0]


HANGS = ["(a+)+$", "(a|aa)+$", "(a{1,30}){1,30}$", "(a?){30}b", "(.*)(.*)(.*)x", "(?=(a+)+)b"]


@pytest.mark.parametrize("pattern", HANGS)
@pytest.mark.parametrize("place", ["sheets", "title", "column", "keep", "unpivot"])
def test_a_pattern_that_could_take_for_ever_is_refused(
    tmp_path: Path, pattern: str, place: str
) -> None:
    told: dict[str, Any] = {
        "sheets": HEAD.replace("^Ward", pattern) + "columns: {value: [v]}",
        "title": HEAD + f"columns: {{value: [v]}}\nperiod: {{title: '{pattern}'}}",
        "column": HEAD + f"columns: {{value: ['/{pattern}/']}}",
        "keep": HEAD + f"columns: {{value: [v]}}\nkeep: [{{column: '/{pattern}/', in: [x]}}]",
        "unpivot": HEAD
        + f"columns: {{value: [v]}}\nunpivot: {{pattern: '{pattern}', measures: {{V: value}}}}",
    }
    (tmp_path / "mine.yml").write_text(told[place] + "\nheader: {row: 1}\n", encoding="utf-8")
    with pytest.raises(PmfError, match="could take for ever") as refused:
        load_mappings(tmp_path)
    assert "mine.yml line" in str(refused.value)


def test_what_is_let_through_ends_soon() -> None:
    begun = time.perf_counter()
    assert not fits("/(.*)a(.*)b/", "a" * 5000)
    assert find("(.*)a(.*)b", "a" * 5000) == ""
    assert time.perf_counter() - begun < 5
