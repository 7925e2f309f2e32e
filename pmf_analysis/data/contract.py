"""The contract of every table pmf keeps: declared once here, as plain data.

The checks, the documentation page and the published Table Schema (``schema.py``) all derive from
:data:`TABLES`, so they cannot disagree. Missing text is ``""``, a missing number
is NaN, a missing date NaT; an observation without a usable value says why in ``value_status``.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Literal

import pandas as pd

Kind = Literal["text", "number", "integer", "date", "yes_no"]

DTYPES: dict[Kind, Any] = {
    "text": "str",
    "number": "float64",
    "integer": "Int64",
    "date": "datetime64[us]",
    "yes_no": "boolean",
}
USABLE_STATUSES = ("final", "provisional", "estimated", "revised")
ABSENT_STATUSES = ("suppressed", "not_yet_available", "not_applicable", "missing")
FREQUENCIES = (
    "weekly",
    "monthly",
    "quarterly",
    "termly",
    "half_yearly",
    "annual",
    "biennial",
    "snapshot",
)
TARGET_KINDS = (
    "floor",
    "improvement",
    "trajectory",
    "statutory",
    "contractual",
    "ambition",
    "baseline",
)


@dataclass(frozen=True, slots=True)
class Column:
    """One column: its kind, meaning, and what a value must satisfy."""

    name: str
    kind: Kind
    meaning: str
    required: bool = False
    choices: tuple[str, ...] = ()
    minimum: float | None = None
    maximum: float | None = None
    default: str | int | None = None


def _text(name: str, meaning: str, **rules: Any) -> Column:
    return Column(name, "text", meaning, **rules)


def _number(name: str, meaning: str, **rules: Any) -> Column:
    return Column(name, "number", meaning, **rules)


def _date(name: str, meaning: str, **rules: Any) -> Column:
    return Column(name, "date", meaning, **rules)


INDICATOR = _text("indicator_id", "Indicator, as named in the register", required=True)
START = _date("period_start", "First day of the period", required=True)
END = _date("period_end", "Last day of the period", required=True)
LABEL = _text("period_label", "Period as the source wrote it; shown, never decides")
AREA = _text("area_code", "Area (GSS code); the council's own where the source has none")
OWNER = _text("owner", "Role that answers for it")
SOURCE = (
    _text("source_file", "File the row came from"),
    _text("source_sheet", "Sheet of that file"),
    Column("source_row", "integer", "Row of that sheet or file, counted from 1", minimum=1),
)

TABLES: dict[str, tuple[Column, ...]] = {
    "observations": (
        INDICATOR,
        START,
        END,
        LABEL,
        _text("frequency", "How often the value is made", required=True, choices=FREQUENCIES),
        _text("area_code", "Area (GSS code); the council's own by default", required=True),
        _text("area_name", "Name of the area"),
        _text("dimension", "What the value is broken down by, such as sex; empty for the total"),
        _text("dimension_value", "Member of that breakdown; empty for the total"),
        Column("definition_version", "integer", "Definition used", minimum=1, default=1),
        _number("value", "The value; percentages 0 to 100; empty only with a status that says why"),
        _number("numerator", "Count above the line, in whole units"),
        _number("denominator", "Count below the line, in whole units", minimum=0),
        _number("ci_lower", "Lower 95 % confidence limit, unit of the value"),
        _number("ci_upper", "Upper 95 % confidence limit, unit of the value"),
        _number("sample_size", "Answers behind a survey value", minimum=0),
        _text(
            "value_status",
            "State of the value",
            required=True,
            choices=USABLE_STATUSES + ABSENT_STATUSES,
            default="final",
        ),
        _text("value_note", "The source's own remark on the value"),
        _date("collected_on", "Day the value was collected"),
        _text("approved_by", "Role that approved the value"),
        _date("approved_on", "Day of approval"),
        *SOURCE,
    ),
    "targets": (
        _text(
            "target_id", "Stable name of the target; a changed target is a new one", required=True
        ),
        INDICATOR,
        AREA,
        START,
        END,
        _number("target", "Target value, unit of the indicator"),
        _number("target_low", "Lower end, where the aim is a range"),
        _number("target_high", "Upper end, where the aim is a range"),
        _number("tolerance_abs", "Shortfall still tolerated, unit of the indicator", minimum=0),
        _number("tolerance_pct", "Shortfall still tolerated, per cent of the target", minimum=0),
        _text("kind", "What sort of target", choices=TARGET_KINDS, default="improvement"),
        _text(
            "target_basis",
            "Value of the (last) period, or sum of the year",
            choices=("period", "year_total"),
            default="period",
        ),
        _text("rationale", "Why this value was chosen"),
        _text("comparator", "Whom it was set against"),
        _text("set_by", "Role that set it"),
        _date("set_on", "Day it was set"),
        _text("agreed_by", "Meeting or role that agreed it"),
        _text("supersedes", "target_id it replaces"),
        *SOURCE,
    ),
    "narratives": (
        INDICATOR,
        START,
        END,
        _text(
            "kind",
            "What the text tells",
            required=True,
            choices=("reason", "action", "outlook", "good_news"),
            default="reason",
        ),
        _text("text", "The words, verbatim", required=True),
        _text("author_role", "Role of the author"),
        _date("written_on", "Day of writing"),
        _date("due_back_on_target", "Day by which the target is expected to be met again"),
        *SOURCE,
    ),
    "peer_sets": (
        _text("peer_set", "Name of the set", required=True),
        _text("area_code", "Area whose peers these are", required=True),
        _text("member_code", "Area code of the peer", required=True),
        _text("member_name", "Name of the peer"),
        Column("rank", "integer", "Closeness, 1 = nearest", minimum=1),
        _text("source", "Who drew up the set"),
        _date("as_at", "Day the set was drawn up"),
        *SOURCE,
    ),
    "actions": (
        _text("action_id", "Stable name of the action", required=True),
        INDICATOR,
        _text("title", "What is to be done", required=True),
        _text("parent_id", "Action it is part of"),
        OWNER,
        _date("due_on", "Day it is due"),
        _date("completed_on", "Day it was done"),
        _number("progress_pct", "Done so far, per cent", minimum=0, maximum=100),
        _text(
            "status",
            "State of the action",
            choices=("not_started", "on_track", "at_risk", "late", "complete", "cancelled"),
            default="not_started",
        ),
        _text("note", "Latest note"),
        *SOURCE,
    ),
    "risks": (
        _text("risk_id", "Stable name of the risk", required=True),
        INDICATOR,
        _text("title", "What may happen", required=True),
        OWNER,
        Column("likelihood", "integer", "Likelihood now, 1 to 5", minimum=1, maximum=5),
        Column("impact", "integer", "Impact now, 1 to 5", minimum=1, maximum=5),
        Column("target_likelihood", "integer", "Likelihood aimed at", minimum=1, maximum=5),
        Column("target_impact", "integer", "Impact aimed at", minimum=1, maximum=5),
        _text("status", "State of the risk", choices=("open", "closed"), default="open"),
        _date("reviewed_on", "Day of the last review"),
        _text("controls", "What keeps it down"),
        *SOURCE,
    ),
    "projects": (
        _text("project_id", "Stable name of the project", required=True),
        _text("milestone_id", "Milestone; empty for the project as a whole"),
        _text("title", "Project or milestone", required=True),
        _text("theme", "Theme it belongs to"),
        _text("indicator_id", "Indicator it is meant to move, as named in the register"),
        OWNER,
        _date("planned_on", "Day planned"),
        _date("forecast_on", "Day now expected"),
        _date("actual_on", "Day reached"),
        _number("budget_gbp", "Budget, pounds"),
        _number("spend_gbp", "Spent so far, pounds"),
        _text("note", "Latest note"),
        *SOURCE,
    ),
    "statements": (
        INDICATOR,
        START,
        END,
        LABEL,
        AREA,
        _text("text", "The judgement in words", required=True),
        _text("status", "Milestone reached, or grade, in the indicator's own words"),
        *SOURCE,
    ),
    "changes": (
        INDICATOR,
        _date("period_start", "First period under the new rule", required=True),
        _text(
            "kind",
            "What changed",
            required=True,
            choices=("definition", "boundary", "rebase", "restatement"),
        ),
        _text("reason", "Why", required=True),
        OWNER,
        _date("recorded_on", "Day it was recorded"),
        Column("comparable", "yes_no", "Whether values before and after may be compared"),
        *SOURCE,
    ),
}

ROW_MEANS: dict[str, str] = {
    "observations": "one value of one indicator, for one area, breakdown and period",
    "targets": "one target; never overwritten, a new one supersedes it",
    "narratives": "one text on an indicator in a period",
    "peer_sets": "one peer of one area in one set",
    "actions": "one action",
    "risks": "one risk",
    "projects": "one project, or one of its milestones",
    "statements": "one judgement in words, milestone or grade; never charted or scored",
    "changes": "one break or restatement of an indicator",
}

KEYS: dict[str, tuple[str, ...]] = {
    "observations": (
        "indicator_id",
        "period_start",
        "period_end",
        "area_code",
        "dimension",
        "dimension_value",
        "definition_version",
    ),
    "targets": ("target_id",),
    "narratives": ("indicator_id", "period_start", "period_end", "kind"),
    "peer_sets": ("peer_set", "area_code", "member_code"),
    "actions": ("action_id",),
    "risks": ("risk_id",),
    "projects": ("project_id", "milestone_id"),
    "statements": ("indicator_id", "period_start", "period_end", "area_code"),
    "changes": ("indicator_id", "period_start", "kind"),
}
# A newer list of peers replaces the older one of the same set and area, also for those who left.
REPLACED_WHOLE: dict[str, tuple[str, ...]] = {"peer_sets": ("peer_set", "area_code")}
SERIES_PARTS = ("indicator_id", "area_code", "dimension", "dimension_value", "definition_version")
SOURCE_COLUMNS = tuple(column.name for column in SOURCE)


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
    typed = {
        column.name: _cast(frame[column.name], column)
        if column.name in frame
        else _cast(pd.Series(None, index=frame.index, dtype=object), column)
        for column in TABLES[table]
    }
    return pd.DataFrame(typed, index=frame.index).reset_index(drop=True)


def _cast(values: pd.Series[Any], column: Column) -> pd.Series[Any]:
    """`values` in the column's type, its default where nothing was given."""
    if column.kind == "date":
        return pd.to_datetime(values).astype("datetime64[us]")
    if column.kind == "text":
        text = values.astype("str").fillna("")
        return text.where(text != "", str(column.default)) if column.default else text
    typed: pd.Series[Any] = values.astype(DTYPES[column.kind])
    return typed if column.default is None else typed.fillna(column.default)


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
    if series.empty:
        return conform(pd.DataFrame(), "observations")[list(SERIES_PARTS)].set_index(series.index)
    parts = series.str.split("|", expand=True).set_axis(list(SERIES_PARTS), axis=1)
    for name in SERIES_PARTS[:-1]:
        text = parts[name].str.replace("%7C", "|", regex=False)
        parts[name] = text.str.replace("%25", "%", regex=False)
    parts["definition_version"] = parts["definition_version"].str.removeprefix("v").astype("Int64")
    return parts
