"""The contract of every table pmf keeps, read from ``contract.yml``, where it is declared once.

The checks, the documentation page and the published Table Schema (``schema.py``) all derive from
:data:`TABLES`, so they cannot disagree. Missing text is ``""``, a missing number
is NaN, a missing date NaT; an observation without a usable value says why in ``value_status``.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal
from urllib.parse import unquote

import pandas as pd

from pmf_analysis.problems import COLUMNS, Problem, Problems
from pmf_analysis.shipped import read_shipped

Kind = Literal["text", "number", "integer", "date", "yes_no"]

USABLE_STATUSES = ("final", "provisional", "estimated", "revised")
ABSENT_STATUSES = ("suppressed", "not_yet_available", "not_applicable", "missing")


@dataclass(frozen=True, slots=True)
class Column:
    """One column: its kind, meaning, and what a value must satisfy."""

    name: str
    kind: Kind
    meaning: str
    required: bool = False
    choices: Sequence[str] = ()
    minimum: float | None = None
    maximum: float | None = None
    default: str | int | None = None


def _columns(declared: Mapping[str, list[Any] | None]) -> tuple[Column, ...]:
    every = {**declared, **_DECLARED["source"]}
    told = {name: every[name] or _DECLARED["shared"][name] for name in every}
    return tuple(Column(name, *told[name][:2], **dict(*told[name][2:])) for name in every)


_DECLARED = read_shipped("data/contract.yml")
DTYPES: dict[Kind, Any] = _DECLARED["types"]
# Between two columns of a row: what is said when a rule is broken, the columns, what must hold.
ROW_RULES: dict[str, tuple[str, str, str]] = _DECLARED["rules"]
TABLES = {name: _columns(told["columns"]) for name, told in _DECLARED["tables"].items()}
ROW_MEANS: dict[str, str] = {name: t["a_row_is"] for name, t in _DECLARED["tables"].items()}
KEYS = {name: tuple(told["key"]) for name, told in _DECLARED["tables"].items()}
# The column a reader looks at first.
MAIN_COLUMN: dict[str, str] = {name: t["main"] for name, t in _DECLARED["tables"].items()}
# Rows that share these columns are one list: a newer list replaces the older one whole.
REPLACED_WHOLE: dict[str, list[str]] = _DECLARED["replaced_whole"]
SERIES_PARTS = ("indicator_id", "area_code", "dimension", "dimension_value", "definition_version")
SOURCE_COLUMNS = tuple(_DECLARED["source"])


def column_names(table: str) -> list[str]:
    """Names of the columns of `table`, in order."""
    return [column.name for column in TABLES[table]]


def empty_table(table: str) -> pd.DataFrame:
    """`table` without rows, every column of its right type."""
    return conform(pd.DataFrame(), table)


def conform(frame: pd.DataFrame, table: str) -> pd.DataFrame:
    """Rows of `frame` with exactly the columns and types of `table`.

    Absent columns, and empty cells of columns with a default, get the default; other missing text
    becomes ``""``. Columns the contract does not know are dropped. A value that cannot be cast
    raises ValueError: importers type cells first, so that happens only in code.
    """
    absent = pd.Series(None, index=frame.index, dtype=object)
    typed = {c.name: cast(frame.get(c.name, absent), c) for c in TABLES[table]}
    return pd.DataFrame(typed, index=frame.index).reset_index(drop=True)


def cast(values: pd.Series[Any], column: Column) -> pd.Series[Any]:
    """Return `values` in the column's type, its default where nothing was given."""
    if column.kind == "date":
        return pd.to_datetime(values).astype("datetime64[us]")
    if column.kind == "text":
        text = values.astype("str").fillna("")
        return text.where(text != "", str(column.default)) if column.default else text
    typed: pd.Series[Any] = values.astype(DTYPES[column.kind])
    return typed if column.default is None else typed.fillna(column.default)


def problem_table(problems: Iterable[Problem]) -> pd.DataFrame:
    """Problems as a table with the columns of `problems.COLUMNS`; row is Int64, the rest text."""
    table = pd.DataFrame(Problems(problems).rows(), columns=list(COLUMNS))
    return table.astype({name: "Int64" if name == "row" else "str" for name in COLUMNS})


def series_key(frame: pd.DataFrame) -> pd.Series[str]:
    """One string a series: ``indicator|area|dimension|dimension_value|v1``.

    The only place that makes it; `split_series` is its inverse. A ``|`` inside a part is escaped.
    """
    indicator, area, dimension, member = (_escape(frame[name]) for name in SERIES_PARTS[:-1])
    version = frame["definition_version"].astype("str")
    key = indicator + "|" + area + "|" + dimension + "|" + member + "|v" + version
    return key.rename("series")


def _escape(part: pd.Series[Any]) -> pd.Series[str]:
    text: pd.Series[str] = part.astype("str").fillna("")
    return text.str.replace("%", "%25", regex=False).str.replace("|", "%7C", regex=False)


def split_series(series: pd.Series[str]) -> pd.DataFrame:
    """Parts of each series key: indicator_id, area_code, dimension, dimension_value, version."""
    # An indicator without figures is its own series: the other parts are missing.
    known = ([*map(unquote, key.split("|"))] for key in series)
    rows = [[*parts, *[None] * (len(SERIES_PARTS) - len(parts))] for parts in known]
    parts = pd.DataFrame(rows, series.index, list(SERIES_PARTS), dtype="str")
    parts["definition_version"] = parts["definition_version"].str.removeprefix("v").astype("Int64")
    return parts
