"""What derives from the contract: checks, the documentation page, the published Table Schema.

pandera takes two seconds to import and is wanted at the boundary only (import and store), so it is
imported inside the functions that use it.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

import pandas as pd

from pmf_analysis.data.contract import (
    DTYPES,
    KEYS,
    ROW_MEANS,
    TABLES,
    USABLE_STATUSES,
    Column,
    Kind,
    column_names,
)
from pmf_analysis.data.vintages import SCHEMA_VERSION
from pmf_analysis.problems import Problem, Problems

if TYPE_CHECKING:
    from pandera.pandas import Check, DataFrameSchema


def check_table(frame: pd.DataFrame, table: str) -> Problems:
    """Check `frame` against the contract of `table`; one error a broken rule and row.

    Rows that carry a source are named by it. An empty list means that the contract holds.
    """
    from pandera.errors import SchemaErrors

    try:
        pandera_schema(table).validate(frame, lazy=True)
    except SchemaErrors as errors:
        return Problems(_failures_as_problems(errors.failure_cases, frame, table))
    return Problems()


def _failures_as_problems(failures: Any, frame: pd.DataFrame, table: str) -> list[Problem]:
    rows: list[Problem] = []
    for context, check, column, position in zip(
        *(failures[name] for name in ("schema_context", "check", "column", "index")), strict=True
    ):
        source = frame.iloc[int(position)] if pd.notna(position) else pd.Series(dtype=object)
        line = source.get("source_row")
        problem = Problem(
            f"The table {table} breaks its contract: {check}",
            code="contract-broken",
            file=str(source.get("source_file", "")) or table,
            sheet=str(source.get("source_sheet", "")),
            row=int(line) if line is not None and pd.notna(line) else None,
            column=str(column) if context == "Column" else "",
        )
        if problem not in rows:
            rows.append(problem)
    return rows


def pandera_schema(table: str) -> DataFrameSchema:
    """Return the contract of `table` as a pandera schema."""
    import pandera.pandas as pa

    columns = {
        column.name: pa.Column(
            DTYPES[column.kind], checks=_column_checks(column), nullable=not column.required
        )
        for column in TABLES[table]
    }
    return pa.DataFrameSchema(
        columns,
        checks=_row_checks(table),
        unique=list(KEYS[table]),
        strict=True,
        ordered=True,
        name=table,
    )


def _column_checks(column: Column) -> list[Check]:
    import pandera.pandas as pa

    checks = []
    if column.choices:
        checks.append(pa.Check.isin([*column.choices, *([] if column.required else [""])]))
    elif column.required and column.kind == "text":
        checks.append(pa.Check.str_length(min_value=1))
    if column.minimum is not None:
        checks.append(pa.Check.ge(column.minimum))
    if column.maximum is not None:
        checks.append(pa.Check.le(column.maximum))
    return checks


def _row_checks(table: str) -> list[Check]:
    """Return the rules between columns of one row."""
    import pandera.pandas as pa

    names = set(column_names(table))
    checks = []
    if {"period_start", "period_end"} <= names:
        checks.append(pa.Check(_period_in_order, error="period_end is before period_start"))
    if table == "observations":
        checks.append(pa.Check(_absence_explained, error="no value and no status saying why"))
        checks.append(pa.Check(_interval_in_order, error="ci_lower is above ci_upper"))
    return checks


def _period_in_order(frame: pd.DataFrame) -> pd.Series[bool]:
    return frame["period_start"] <= frame["period_end"]


def _absence_explained(frame: pd.DataFrame) -> pd.Series[bool]:
    """Whether a value is there exactly when its status says that it is usable."""
    return frame["value"].notna() == frame["value_status"].isin(USABLE_STATUSES)


def _interval_in_order(frame: pd.DataFrame) -> pd.Series[bool]:
    return ~(frame["ci_lower"] > frame["ci_upper"])


def table_schema(table: str) -> dict[str, Any]:
    """Return the frictionless Table Schema (v1) of `table`, for whatever pmf publishes."""
    return {
        "fields": [_schema_field(column) for column in TABLES[table]],
        "primaryKey": list(KEYS[table]),
        "missingValues": [""],
    }


def _schema_field(column: Column) -> dict[str, Any]:
    types: Mapping[Kind, str] = {"text": "string", "yes_no": "boolean"}
    bounds = {"minimum": column.minimum, "maximum": column.maximum}
    rules: dict[str, Any] = {name: bound for name, bound in bounds.items() if bound is not None}
    if column.required:
        rules["required"] = True
    if column.choices:
        rules["enum"] = list(column.choices)
    field = {
        "name": column.name,
        "type": types.get(column.kind, column.kind),
        "description": column.meaning,
    }
    return field | ({"constraints": rules} if rules else {})


def contract_page() -> str:
    """Return the Markdown page of the contract, committed as docs/data-contract.md."""
    intro = (
        "# Data contract\n\n"
        f"Version {SCHEMA_VERSION}. This page is made from `pmf_analysis/data/contract.py`.\n\n"
        "Percentages are stored 0 to 100, counts as whole numbers, dates as days. Missing text is "
        "an empty string. A value that is not there says why in its status: suppressed, not yet "
        "available, not applicable and missing are states, never zero.\n"
    )
    return intro + "".join(_page_section(table) for table in TABLES)


def _page_section(table: str) -> str:
    rows = [f"| `{c.name}` | {c.kind} | {_rule_words(c)} | {c.meaning} |" for c in TABLES[table]]
    return (
        f"\n## {table}\n\nA row is {ROW_MEANS[table]}. "
        f"No two rows share {', '.join(f'`{name}`' for name in KEYS[table])}.\n\n"
        "| column | type | rule | meaning |\n| --- | --- | --- | --- |\n" + "\n".join(rows) + "\n"
    )


def _rule_words(column: Column) -> str:
    words = ["required"] if column.required else []
    if column.choices:
        words.append("one of " + ", ".join(column.choices))
    if column.minimum is not None:
        words.append(f"at least {column.minimum:g}")
    if column.maximum is not None:
        words.append(f"at most {column.maximum:g}")
    if column.default is not None:
        words.append(f"{column.default} when not given")
    return "; ".join(words)
