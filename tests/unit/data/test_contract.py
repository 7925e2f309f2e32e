"""Everything that is said of a table derives from one declaration."""

from __future__ import annotations

from pathlib import Path

import pandas as pd
import pytest
from contract_page import contract_page
from frictionless import Resource, Schema
from hypothesis import given, settings
from hypothesis import strategies as st

from pmf_analysis.data.contract import (
    ABSENT_STATUSES,
    KEYS,
    MAIN_COLUMN,
    ROW_MEANS,
    SOURCE_COLUMNS,
    TABLES,
    USABLE_STATUSES,
    column_names,
    conform,
    empty_table,
    series_key,
    split_series,
)
from pmf_analysis.data.schema import check_table, schema_of


def observation(**more: object) -> pd.DataFrame:
    row = {
        "indicator_id": "kpi",
        "period_start": "2026-04-01",
        "period_end": "2026-06-30",
        "frequency": "quarterly",
        "area_code": "X",
        "value": 1.5,
    }
    return conform(pd.DataFrame([row | more]), "observations")


def test_the_documentation_page_is_the_contract(repository: Path) -> None:
    page = repository / "docs" / "data-contract.md"
    assert page.read_text(encoding="utf-8") == contract_page(), (
        "docs/data-contract.md is old: run tests/contract_page.py"
    )


@pytest.mark.parametrize("table", TABLES)
def test_every_table_has_a_key_a_meaning_and_holds_its_own_contract(table: str) -> None:
    assert set(KEYS[table]) <= set(column_names(table))
    assert ROW_MEANS[table]
    assert check_table(empty_table(table), table) == []
    assert Schema.from_descriptor(
        schema_of(TABLES[table], KEYS[table])
    ).field_names == column_names(table)


def test_every_state_of_a_value_is_either_usable_or_absent() -> None:
    states = next(c for c in TABLES["observations"] if c.name == "value_status").choices
    assert tuple(states) == USABLE_STATUSES + ABSENT_STATUSES


def test_rows_that_hold_the_contract_are_valid_by_the_published_schema(tmp_path: Path) -> None:
    observation(source_row=3).to_csv(tmp_path / "rows.csv", index=False)
    schema = Schema.from_descriptor(schema_of(TABLES["observations"], KEYS["observations"]))
    wrong = observation(frequency="now and then", source_row=3)
    assert Resource(path="rows.csv", basepath=str(tmp_path), schema=schema).validate().valid
    wrong.to_csv(tmp_path / "rows.csv", index=False)
    assert not Resource(path="rows.csv", basepath=str(tmp_path), schema=schema).validate().valid


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"indicator_id": ""}, "str_length"),
        ({"frequency": "often"}, "isin"),
        ({"period_end": "2026-03-31"}, "before period_start"),
        ({"value": None}, "no status saying why"),
        ({"value_status": "suppressed"}, "no status saying why"),
        ({"ci_lower": 2.0, "ci_upper": 1.0}, "ci_lower is above"),
        ({"denominator": -1.0}, "greater_than_or_equal_to"),
    ],
)
def test_a_broken_row_is_named_by_its_source(change: dict[str, object], words: str) -> None:
    rows = pd.concat(
        [
            observation(source_file="a.csv", source_row=2),
            observation(area_code="Y", source_file="a.csv", source_row=3, **change),
        ],
        ignore_index=True,
    )
    problems = check_table(rows, "observations")
    assert [(problem.file, problem.row) for problem in problems] == [("a.csv", 3)]
    assert words in problems[0].message


def test_a_repeated_key_is_broken() -> None:
    rows = pd.concat([observation(), observation(value=2.0)], ignore_index=True)
    assert check_table(rows, "observations").has_errors


def test_conform_fills_what_is_missing_and_drops_what_is_unknown() -> None:
    made = observation(surprise=1)
    assert made.columns.tolist() == column_names("observations")
    assert made.loc[0, ["dimension", "value_status"]].tolist() == ["", "final"]
    assert made.loc[0, "definition_version"] == 1
    assert pd.isna(made.loc[0, "numerator"])


names = st.text(st.characters(codec="utf-8", exclude_characters="\x00"), max_size=8)


@settings(max_examples=40, deadline=None)
@given(st.lists(st.tuples(names, names, names, names, st.integers(1, 99)), max_size=6))
def test_a_series_key_is_split_into_the_parts_it_was_made_of(
    parts: list[tuple[object, ...]],
) -> None:
    columns = ["indicator_id", "area_code", "dimension", "dimension_value", "definition_version"]
    frame = pd.DataFrame(parts, columns=columns).astype(
        dict.fromkeys(columns[:4], "str") | {columns[4]: "Int64"}
    )
    keys = series_key(frame)
    pd.testing.assert_frame_equal(split_series(keys), frame)
    assert keys.nunique() == len(set(parts))


@pytest.mark.parametrize("table", TABLES)
def test_every_table_has_a_main_column_among_its_own(table: str) -> None:
    assert MAIN_COLUMN[table] in set(column_names(table)) - set(SOURCE_COLUMNS)
