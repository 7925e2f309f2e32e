"""What derives from the contract: checks, and the published Table Schema.

pandera takes two seconds to import and is wanted at the boundary only (import and store), so it is
imported inside the functions that use it.
"""

from collections.abc import Mapping
from typing import Any

import pandas as pd

from pmf_analysis.data.contract import DTYPES, KEYS, ROW_RULES, TABLES, Column
from pmf_analysis.problems import Problem, Problems


def check_table(frame: pd.DataFrame, table: str) -> Problems:
    """Check `frame` against the contract of `table`; one error a broken rule and row.

    Rows that carry a source are named by it. An empty list means that the contract holds.
    """
    from pandera.errors import SchemaErrors

    try:
        _pandera_schema(table).validate(frame, lazy=True)
    except SchemaErrors as errors:
        failures = errors.failure_cases.to_dict("records")
        return Problems(dict.fromkeys(_problem(failure, frame, table) for failure in failures))
    return Problems()


def _problem(failure: Mapping[Any, Any], frame: pd.DataFrame, table: str) -> Problem:
    """Name the source of one of pandera's failures; a failure of the whole table has none."""
    position = failure["index"]
    source = {} if pd.isna(position) else frame.iloc[int(position)].to_dict()
    line = source.get("source_row")
    column = str(failure["column"]) if failure["schema_context"] == "Column" else ""
    place = {"file": str(source.get("source_file", "")) or table, "column": column}
    place |= {"sheet": str(source.get("source_sheet", "")), "check": failure["check"]}
    row = None if line is None or pd.isna(line) else int(line)
    return Problem.of("contract-broken", table=table, row=row, **place)


def _pandera_schema(table: str) -> Any:
    import pandera.pandas as pa

    columns = {
        c.name: pa.Column(DTYPES[c.kind], checks=_column_checks(c), nullable=not c.required)
        for c in TABLES[table]
    }
    checks = [
        pa.Check(lambda rows, holds=holds: rows.eval(holds, engine="python"), error=words)
        for words, (one, other, holds) in ROW_RULES.items()
        if {one, other} <= set(columns)
    ]
    exactly: Any = {"unique": list(KEYS[table]), "strict": True, "ordered": True}
    return pa.DataFrameSchema(columns, checks=checks, name=table, **exactly)


def _column_checks(column: Column) -> list[Any]:
    from pandera.pandas import Check

    choices = [*column.choices, *([] if column.required else [""])] if column.choices else None
    is_name = column.required and column.kind == "text" and not choices
    rules = {"isin": choices, "ge": column.minimum, "le": column.maximum}
    checks = [getattr(Check, name)(rule) for name, rule in rules.items() if rule is not None]
    return [*checks, Check.str_length(min_value=1)] if is_name else checks


def table_schema(table: str) -> dict[str, Any]:
    """Return the frictionless Table Schema (v1) of `table`, for whatever pmf publishes."""
    fields = [_schema_field(column) for column in TABLES[table]]
    return {"fields": fields, "primaryKey": list(KEYS[table]), "missingValues": [""]}


def _schema_field(column: Column) -> dict[str, Any]:
    kind = {"text": "string", "yes_no": "boolean"}.get(column.kind, column.kind)
    rules: dict[str, Any] = {"minimum": column.minimum, "maximum": column.maximum}
    rules |= {"required": column.required or None, "enum": list(column.choices) or None}
    constraints = {name: rule for name, rule in rules.items() if rule is not None}
    told = {"name": column.name, "type": kind, "description": column.meaning}
    return told | {"constraints": constraints}
