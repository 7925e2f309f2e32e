"""Nine quarterly workbooks of one department over seven years of layouts: one mapping reads all."""

from __future__ import annotations

import re
import warnings
from datetime import date
from pathlib import Path

import openpyxl
import pandas as pd
import pytest
from made_runs import REPOSITORY
from raw_files import tidy, workspace_of

from pmf_analysis.problems import Problems
from pmf_analysis.systems.cells import _read_sheet
from pmf_analysis.systems.folder import RawFile, read_file
from pmf_analysis.systems.importing import judge_file
from pmf_analysis.systems.mapping import load_mappings
from pmf_analysis.systems.results import ImportResult
from pmf_analysis.systems.rules import Context

pytestmark = pytest.mark.realdata

SHIPPED = (REPOSITORY / "parameters/mappings/homelessness_hclic.yml").read_text(encoding="utf-8")
# Of the first year's workbooks the headers have another wording.
FIRST_YEAR = {
    "DetailedLA_201806.xlsx": "first_year",
    "DetailedLA_201903_revised.xlsx": "first_year",
}
# By figure: the indicator of the tidy table and its column.
COUNTS = {
    "hclic_assessed": ("hclic_assessed", "value"),
    "hclic_owed": ("hclic_owed_rate", "count"),
    "hclic_prevention": ("hclic_prevention_rate", "count"),
    "hclic_relief": ("hclic_relief_rate", "count"),
    "hclic_s21": ("hclic_s21", "value"),
    "hclic_prevention_ended": ("hclic_prevention_success", "denominator"),
    "hclic_prevention_secured": ("hclic_prevention_success", "count"),
    "hclic_relief_ended": ("hclic_relief_success", "denominator"),
    "hclic_relief_secured": ("hclic_relief_success", "count"),
    "hclic_ta": ("hclic_ta_rate", "count"),
    "hclic_ta_children": ("hclic_ta_children", "value"),
    "hclic_bb": ("hclic_bb", "value"),
    "hclic_bb_children_6wk": ("hclic_bb_children_6wk", "value"),
}
RATES = {
    name: (name, "value")
    for name in ("hclic_prevention_rate", "hclic_relief_rate", "hclic_ta_rate")
}
# Published rates that do not follow from the counts and households beside them.
MISPRINTS = {"hclic_relief_rate": [("E12000007", "2020-04-01"), ("E92000001", "2020-04-01")]}
QUARTERS = ["2018-04", "2019-01", "2019-04", "2020-04", "2021-01", "2022-01", "2023-04", "2024-04"]


def read(path: Path, pattern: str) -> RawFile:
    """ODS whole; of XLSX the sheets that the mapping names, since all take a minute."""
    if path.suffix == ".ods":
        return read_file(path)
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", category=UserWarning, module="openpyxl")
        book = openpyxl.load_workbook(path, read_only=True)
        named = [sheet for sheet in book.worksheets if re.search(pattern, sheet.title)]
        sheets = tuple(_read_sheet(sheet) for sheet in named)
    assert len(sheets) == 4
    return RawFile(path.name, "", sheets, Problems())


@pytest.fixture(scope="module")
def results(tmp_path_factory: pytest.TempPathFactory, real_data: Path) -> list[ImportResult]:
    made = [{"id": name, "title": name, "frequency": "quarterly"} for name in {**COUNTS, **RATES}]
    first = SHIPPED.replace("name: homelessness_hclic", "name: first_year")
    first = first.replace("whose (", "where (").replace("whose ", "where ")
    where = workspace_of(tmp_path_factory.mktemp("homelessness"), made, {"first_year": first})
    known = load_mappings(where.parameters / "mappings")
    context = Context.of(where.load(), date(2026, 6, 30))
    found = sorted((real_data / "raw" / "mhclg_homelessness").iterdir())
    chosen = [known[FIRST_YEAR.get(path.name, "homelessness_hclic")] for path in found]
    return [
        judge_file(read(path, mapping.match.sheets), mapping, context)
        for path, mapping in zip(found, chosen, strict=True)
    ]


@pytest.fixture(scope="module")
def rows(results: list[ImportResult]) -> pd.DataFrame:
    return pd.concat([result.tables["observations"] for result in results], ignore_index=True)


def test_every_row_of_the_nine_workbooks_is_accounted_for(results: list[ImportResult]) -> None:
    assert len(results) == 9
    for result in results:
        record = result.record
        placed = record.rows_accepted + record.rows_quarantined + record.rows_ignored
        assert record.rows_read == placed, record.name
        assert record.rows_quarantined == 0, (record.name, result.quarantine.head())
        other = "on a sheet the mapping does not name"
        assert {*record.ignored_because} - {other} == {
            "above the header",
            "not kept by the mapping",
        }
        # titles, leftovers of pivot tables, sums of regions without a code, and notes
        assert record.rows_ignored - record.ignored_because.get(other, 0) < 80
        assert [problem.code for problem in result.problems] in ([], ["indicators-not-read"])


def test_the_quarters_are_those_of_the_titles(rows: pd.DataFrame) -> None:
    starts = rows.groupby("source_file")["period_start"].agg(["min", "max"])
    assert (starts["min"] == starts["max"]).all()
    assert sorted(starts["min"].dt.strftime("%Y-%m")) == [*QUARTERS, "2025-10"]
    assert set(rows["frequency"]) == {"quarterly"}


@pytest.mark.parametrize("figure", sorted({**COUNTS, **RATES}))
def test_figures_are_those_of_the_tidy_table(
    rows: pd.DataFrame, tidied: pd.DataFrame, figure: str
) -> None:
    indicator, column = {**COUNTS, **RATES}[figure]
    key = ["area_code", "period_start"]
    read = rows[rows["indicator_id"] == figure].assign(
        period_start=lambda found: found["period_start"].dt.strftime("%Y-%m-%d")
    )
    wanted = tidied[(tidied["indicator_id"] == indicator)].dropna(subset=[column])
    wanted = wanted[wanted["period_start"].isin(read["period_start"])]
    both = wanted.merge(read[[*key, "value"]], on=key, how="left", suffixes=("_tidy", ""))
    expected = both["value_tidy"] if column == "value" else both[column]
    gap = (expected - both["value"]).abs()
    # Rates were recomputed from counts, those of England from rounded ones.
    odd = both[~(gap <= (0.01 if figure in RATES else 1e-6))]
    told = sorted(zip(odd["area_code"], odd["period_start"], strict=True))
    assert told == MISPRINTS.get(figure, []), odd.head(10).to_string()
    assert len(both) > 1500


@pytest.fixture(scope="module")
def tidied(real_data: Path) -> pd.DataFrame:
    return tidy(real_data / "tidy" / "homelessness_hclic_quarterly.csv.gz")
