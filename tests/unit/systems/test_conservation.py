"""However broken a workbook is, no row and no cell of it is lost, and nothing fails."""

from __future__ import annotations

import os
from collections import Counter
from datetime import date

import pytest
from broken_books import broken_file

from pmf_analysis.parameters.workspace import Parameters
from pmf_analysis.problems import PmfError
from pmf_analysis.systems.blocks import find_blocks
from pmf_analysis.systems.cells import Sheet
from pmf_analysis.systems.folder import RawFile, read_content
from pmf_analysis.systems.importing import judge_file
from pmf_analysis.systems.mapping import MappingFile
from pmf_analysis.systems.results import ImportResult
from pmf_analysis.systems.rules import Context

BOOKS = int(os.environ.get("PMF_BROKEN_BOOKS", "200"))
SHARES = 8


@pytest.fixture(scope="module")
def context(parameters: Parameters) -> Context:
    return Context.of(parameters, date(2026, 10, 31))


@pytest.fixture(scope="module")
def several(mappings: dict[str, MappingFile]) -> list[MappingFile]:
    """The tidy mapping as it ships, and one that finds headers by their names, several a sheet."""
    tidy = mappings["generic_tidy"].model_dump(by_alias=True, exclude_unset=True)
    found = {"header": {"containing": ("indicator_id", "period_label"), "several": True}}
    return [
        mappings["generic_tidy"],
        MappingFile.model_validate(tidy | found | {"name": "several"}),
    ]


def rows_of(raw: RawFile) -> Counter[tuple[str, int]]:
    return Counter((sheet.name, int(row)) for sheet in raw.sheets for row in sheet.cells.index)


@pytest.mark.parametrize("share", range(SHARES))
def test_rows_and_cells_are_in_exactly_one_place(
    share: int, several: list[MappingFile], context: Context
) -> None:
    for number in range(share, BOOKS, SHARES):
        name, content = broken_file(number)
        try:
            raw = read_content(name, content)
        except PmfError as error:
            assert error.problems.has_errors
            continue
        mapping = several[number // SHARES % 2]
        result = judge_file(raw, mapping, context)
        assert result.record.rows_read >= 0, number  # which fails where a row is lost
        check_places(number, raw, mapping, result)


def check_places(number: int, raw: RawFile, mapping: MappingFile, result: ImportResult) -> None:
    """Every row that is neither a header nor declared ignored is accepted or held back, once."""
    tables = result.tables.values()
    accepted = Counter(
        (str(sheet), int(row))
        for table in tables
        for sheet, row in zip(table["source_sheet"], table["source_row"], strict=True)
    )
    lines = result.quarantine
    held = {(str(sheet), int(row)) for sheet, row in zip(lines["sheet"], lines["row"], strict=True)}
    assert not held & {*accepted}, number
    assert max(accepted.values(), default=1) == 1, number
    there = rows_of(raw)
    assert {*accepted} | held <= {*there}, number
    left = len(there) - len(accepted) - len(held)
    headers = sum(headers_of(sheet, mapping) for sheet in raw.sheets)
    assert left == result.ignored.total() + headers, (number, mapping.name, result.ignored)


def headers_of(sheet: Sheet, mapping: MappingFile) -> int:
    ignored: Counter[str] = Counter()
    list(find_blocks(sheet, mapping, ignored))
    return ignored["header"]
