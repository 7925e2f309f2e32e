"""What derives from the contract: checks, and the published Table Schema and data packages.

pandera takes two seconds to import and is wanted at the boundary only (import and store), so it is
imported inside the functions that use it.
"""

from __future__ import annotations

import csv
import hashlib
import json
import re
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import pandas as pd

from pmf_analysis.data.contract import DTYPES, KEYS, ROW_RULES, TABLES, Column, Kind
from pmf_analysis.data.store import neutral_cell
from pmf_analysis.problems import Problem, Problems
from pmf_analysis.shipped import read_shipped

_PUBLISHED = read_shipped("data/published.yml")
TITLES: Mapping[str, str] = _PUBLISHED["titles"]
"""Of the CSV files of a run."""


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


def schema_of(columns: Sequence[Column], key: Sequence[str] = ()) -> dict[str, Any]:
    """Return the frictionless Table Schema (v1) of a table with these columns."""
    unique = {"primaryKey": list(key)} if key else {}
    fields = [_schema_field(column) for column in columns]
    return {"fields": fields, **unique, "missingValues": [""]}


def _schema_field(column: Column) -> dict[str, Any]:
    kind = {"text": "string", "yes_no": "boolean"}.get(column.kind, column.kind)
    told: dict[str, Any] = {"name": column.name, "type": kind, "description": column.meaning}
    rules: dict[str, Any] = {"minimum": column.minimum, "maximum": column.maximum}
    rules |= {"required": column.required or None, "enum": list(column.choices) or None}
    return told | {"constraints": {name: rule for name, rule in rules.items() if rule is not None}}


def columns_of(frame: pd.DataFrame) -> list[Column]:
    """Return the columns of a result table: kinds by its types, meanings if alike in all."""
    letters: dict[str, Kind] = {"f": "number", "i": "integer", "M": "date", "b": "yes_no"}
    kinds = {str(name): kind.kind for name, kind in frame.dtypes.items()}
    told = _PUBLISHED["results"]
    return [
        Column(name, letters.get(kind, "text"), told.get(name, "")) for name, kind in kinds.items()
    ]


def header_columns(file: str, header: bytes) -> list[Column]:
    """Return the columns of a CSV that a run has written, by its first line."""
    known = _PUBLISHED["columns"] | _PUBLISHED.get(file, {})
    names = next(csv.reader([header.decode("utf-8-sig")]), [])
    return [Column(name, *known.get(name, ("text", ""))) for name in names]


def typed_csv(frame: pd.DataFrame, columns: Sequence[Column]) -> bytes:
    """Return a CSV that a Table Schema can describe: texts are neutralised, and nothing else is."""
    cells = {column.name: _cells(frame[column.name], column.kind) for column in columns}
    return pd.DataFrame(cells).to_csv(index=False, lineterminator="\n").encode()


def _cells(values: pd.Series[Any], kind: Kind) -> pd.Series[Any]:
    if kind == "date":
        return pd.to_datetime(values).dt.strftime("%Y-%m-%d")
    if kind == "yes_no":
        return values.map({True: "true", False: "false"})
    return values.map(neutral_cell, na_action="ignore") if kind == "text" else values


def resource(
    path: str, content: bytes, title: str, columns: Sequence[Column], key: Sequence[str] = ()
) -> dict[str, Any]:
    """Return the entry of a CSV in a data package, with its size, hash and Table Schema."""
    name = re.sub(r"[^a-z0-9]+", "-", path.removesuffix(".csv").lower())
    told: dict[str, Any] = {"name": name, "title": title, "path": path}
    told |= {"profile": "tabular-data-resource", "format": "csv", "mediatype": "text/csv"}
    told |= {"encoding": "utf-8"}
    told |= {"bytes": len(content), "hash": f"sha256:{hashlib.sha256(content).hexdigest()}"}
    return told | {"schema": schema_of(columns, key)}


def data_package(
    about: Mapping[str, Any], sources: Iterable[str], resources: Sequence[Mapping[str, Any]]
) -> bytes:
    """Return a ``datapackage.json`` (v1): the same tables give the same bytes.

    Parameters
    ----------
    about
        ``name`` (lower case, digits and hyphens), ``title``, ``description``, and ``licence`` with
        ``licence_url``, without which no licence is stated.
    sources
        Where the figures come from, in people's words.
    resources
        As :func:`resource` returns them.
    """
    package: dict[str, Any] = {"profile": "tabular-data-package"}
    package |= {name: about[name] for name in ("name", "title", "description")}
    if about["licence_url"]:
        package["licenses"] = [{"title": about["licence"], "path": about["licence_url"]}]
    if told := sorted({*sources} - {""}):
        package["sources"] = [{"title": source} for source in told]
    package["resources"] = list(resources)
    return (json.dumps(package, indent=1, ensure_ascii=False) + "\n").encode()
