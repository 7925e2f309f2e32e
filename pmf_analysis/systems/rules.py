"""Records typed and judged: what a row must satisfy before pmf believes it.

Only the file and the register are needed here. A row with an error goes to quarantine whole;
what merely looks odd is kept and noted.
"""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from typing import Any

import pandas as pd

from pmf_analysis.data.contract import TABLES, Column, conform
from pmf_analysis.problems import did_you_mean
from pmf_analysis.systems.context import Context
from pmf_analysis.systems.faults import Faults
from pmf_analysis.systems.mapping import MappingFile
from pmf_analysis.systems.observation_rules import judge_observations
from pmf_analysis.systems.record_periods import set_periods
from pmf_analysis.systems.tabular import Records
from pmf_analysis.systems.values import is_blank, is_error, state_of_text, to_kind

# The column a reader looks at first; accepted rows carry its source column in LABEL.
MAIN_COLUMN = {
    "observations": "value",
    "targets": "target",
    "narratives": "text",
    "peer_sets": "member_code",
    "actions": "title",
    "risks": "title",
    "projects": "title",
    "statements": "text",
    "changes": "reason",
}
LABEL = "_label"


@dataclass(frozen=True)
class Judged:
    """Records of one table after judgement."""

    accepted: pd.DataFrame
    faults: Faults
    ignored: Counter[str]


def judge(records: Records, file: str, mapping: MappingFile, context: Context) -> Judged:
    """Type the records of one table and sheet, and part those that can be believed."""
    faults = Faults(file, records)
    ignored: Counter[str] = Counter()
    raw = _with_constants(records.raw, records.table, mapping)
    typed = _typed(raw, records.table, mapping, faults)
    if "indicator_id" in typed:
        typed["indicator_id"] = _registered(typed["indicator_id"], faults, context)
    facts = context.facts.reindex(
        typed.get("indicator_id", pd.Series(index=raw.index, dtype="str"))
    )
    facts.index = raw.index
    dropped = set_periods(typed, raw, facts, mapping, faults)
    ignored["period of another length than the indicator's"] += int(dropped.sum())
    if records.table == "observations":
        judge_observations(typed, raw, facts, mapping, faults, context)
    if records.table == "targets":
        unset = ~dropped & _without_target(typed, faults)
        ignored["no target set"] += int(unset.sum())
        dropped |= unset
    _fill_area_and_id(typed, records.table, context)
    _check_required(typed, records.table, faults)
    _note_evidence(faults)
    kept = ~(faults.bad | dropped)
    accepted = conform(_with_source(typed, file, records)[kept], records.table)
    accepted[LABEL] = faults.labels(MAIN_COLUMN[records.table])[kept].to_numpy()
    faults.bad &= ~dropped
    return Judged(accepted, faults, ignored)


def _with_constants(raw: pd.DataFrame, table: str, mapping: MappingFile) -> pd.DataFrame:
    """Add the columns that the mapping gives itself; a cell of the file is stronger."""
    known = {column.name for column in TABLES[table]} | {"period_label"}
    raw = raw.copy()
    for name, constant in mapping.constants.items():
        if name in known and name not in raw:
            raw[name] = str(constant)
        elif name in known:
            raw[name] = raw[name].mask(is_blank(raw[name]), str(constant))
    return raw


def _typed(raw: pd.DataFrame, table: str, mapping: MappingFile, faults: Faults) -> pd.DataFrame:
    """Type every column that is there, and quarantine what cannot be typed."""
    typed = pd.DataFrame(index=raw.index)
    for column in TABLES[table]:
        if column.name not in raw:
            continue
        cells = raw[column.name]
        synonyms = mapping.enums.get(column.name, {})
        values, bad = to_kind(cells, column, synonyms)
        states = state_of_text(cells, mapping.values) if bad.any() else None
        if states is not None and column.kind == "number":
            bad &= states == ""
        if column.name in mapping.multiply:
            values = values * mapping.multiply[column.name]
        typed[column.name] = values
        _refuse_cells(bad, cells, column, faults)
        _check_bounds(values, column, faults)
    return typed


def _refuse_cells(
    bad: pd.Series[bool], cells: pd.Series[Any], column: Column, faults: Faults
) -> None:
    is_formula = faults.at_places(column.name, faults.records.sheet.formulas)
    broken = bad & is_error(cells)
    expected = {
        "number": "a number",
        "integer": "a whole number",
        "date": "a date such as 31/03/2026 or 2026-03-31",
        "yes_no": "yes or no",
    }.get(column.kind, "text")
    expected = "one of " + ", ".join(column.choices) if column.choices else expected
    faults.add(
        broken,
        column.name,
        "the cell shows a spreadsheet error.",
        code="error-cell",
        expected=expected,
        fix="correct the formula in the cell",
    )
    faults.add(
        is_formula,
        column.name,
        "the formula was never calculated, so its value is not in the file.",
        code="formula-not-calculated",
        expected=expected,
        fix="open the file in Excel and save it again",
    )
    code = "not-a-choice" if column.choices else f"not-{column.kind}".replace("_", "-")
    faults.add(
        bad & ~broken & ~is_formula,
        column.name,
        f"the cell is not {expected}.",
        code=code,
        expected=expected,
    )


def _check_bounds(values: pd.Series[Any], column: Column, faults: Faults) -> None:
    for bound, compare in ((column.minimum, "lt"), (column.maximum, "gt")):
        if bound is not None:
            word = "below" if compare == "lt" else "above"
            outside = getattr(values, compare)(bound).fillna(False).astype(bool)
            faults.add(
                outside, column.name, f"the value is {word} {bound:g}.", code="outside-bounds"
            )


def _registered(names: pd.Series[str], faults: Faults, context: Context) -> pd.Series[str]:
    """Return the register's id of each name or alias; a name that it lacks is quarantined."""
    found = {name: context.ids.get(name.casefold(), "") for name in names.unique()}
    unknown = [name for name, known in found.items() if name and not known]
    # Likeness is searched for a few: a foreign file may hold thousands of names.
    hints = {name: did_you_mean(name, context.ids) for name in unknown[:20]}
    message = names.map(
        {name: f'the register has no indicator "{name}".{hints.get(name, "")}' for name in unknown}
    )
    faults.add(
        names.isin(unknown),
        "indicator_id",
        message.astype("str").fillna(""),
        code="indicator-unknown",
        expected="an id or alias of the register",
        fix="add the indicator or the alias to the register, or a keep rule to the mapping",
    )
    return names.map(found).astype("str")


def _without_target(typed: pd.DataFrame, faults: Faults) -> pd.Series[bool]:
    """Find records whose target cell says in words that there is none."""
    names = [name for name in ("target", "target_low", "target_high") if name in typed]
    if not names:
        return pd.Series(False, index=typed.index)
    return typed[names].isna().all(axis=1) & ~faults.bad


def _fill_area_and_id(typed: pd.DataFrame, table: str, context: Context) -> None:
    """Fill what a council's own file leaves out: its area, and a stable name for a target."""
    columns = {column.name for column in TABLES[table]}
    if table != "peer_sets" and "area_code" in columns:
        area = typed.get("area_code", pd.Series("", index=typed.index))
        typed["area_code"] = area.where(area != "", context.own_area)
    if "area_name" in columns:
        name = typed.get("area_name", pd.Series("", index=typed.index))
        is_own = (name == "") & (typed["area_code"] == context.own_area)
        typed["area_name"] = name.mask(is_own, context.own_name)
    if table == "targets":
        kind = typed.get("kind", pd.Series("", index=typed.index)).replace("", "improvement")
        start, end = (
            typed[name].dt.strftime("%Y-%m-%d") for name in ("period_start", "period_end")
        )
        made = (
            typed["indicator_id"] + "|" + typed["area_code"] + "|" + start + "|" + end + "|" + kind
        )
        given = typed.get("target_id", pd.Series("", index=typed.index))
        typed["target_id"] = given.where(given != "", made)


def _check_required(typed: pd.DataFrame, table: str, faults: Faults) -> None:
    for column in TABLES[table]:
        if not column.required or column.default is not None:
            continue
        cells = typed.get(column.name, pd.Series("", index=typed.index))
        missing = cells.isna() | (cells.astype("str") == "")
        faults.add(
            missing & ~faults.bad,
            column.name,
            f"{column.name.replace('_', ' ')} is missing.",
            code="required-cell-empty",
            expected=column.meaning[0].lower() + column.meaning[1:],
            fix="fill the cell in; of merged cells only the first counts as filled",
        )


def _note_evidence(faults: Faults) -> None:
    """Note what the sheet hides: percentages as fractions, numbers as text, hidden rows."""
    sheet = faults.records.sheet
    for column in TABLES[faults.records.table]:
        if column.kind == "number":
            faults.note(
                faults.at_places(column.name, sheet.percent),
                column.name,
                "shown as a percentage, so it was multiplied by 100.",
                code="percent-format",
                level="info",
            )
            faults.note(
                faults.at_places(column.name, sheet.text_numbers),
                column.name,
                "the number is kept as text.",
                code="text-number",
            )
    hidden = faults.records.rows.isin(sheet.hidden_rows) | sheet.is_hidden
    what = "sheet" if sheet.is_hidden else "row"
    faults.note(hidden, "", f"the {what} is hidden in the workbook, but was read.", code="hidden")


def _with_source(typed: pd.DataFrame, file: str, records: Records) -> pd.DataFrame:
    return typed.assign(source_file=file, source_sheet=records.sheet.name, source_row=records.rows)
