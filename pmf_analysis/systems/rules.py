"""Records typed and judged: what a row must satisfy before pmf believes it.

Only the file and the register are needed here. A row with an error goes to quarantine whole;
what merely looks odd is kept and noted.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from typing import Any

import pandas as pd

from pmf_analysis.data.contract import TABLES, Column, column_names, conform
from pmf_analysis.parameters.models import Indicator
from pmf_analysis.problems import did_you_mean
from pmf_analysis.systems.faults import Faults
from pmf_analysis.systems.mapping import MappingFile
from pmf_analysis.systems.observation_rules import judge_observations
from pmf_analysis.systems.record_periods import set_periods
from pmf_analysis.systems.tabular import Records
from pmf_analysis.systems.values import is_blank, is_error, state_of_text, to_kind

# The column a reader looks at first; accepted rows carry its source column in LABEL.
MAIN_COLUMN = dict.fromkeys(TABLES, "title") | {
    **{"observations": "value", "targets": "target", "narratives": "text", "changes": "reason"},
    **{"peer_sets": "member_code", "statements": "text"},
}
LABEL = "_label"
_IN_WORDS = {
    "number": "a number",
    "integer": "a whole number",
    "date": "a date such as 31/03/2026 or 2026-03-31",
    "yes_no": "yes or no",
}
_NUMBERS = ["minimum", "maximum", "rate_base"]
_FACTS = ["year_type", "frequency", "data_type", "accumulation", "period_span", "valid_to"]


@dataclass(frozen=True)
class Context:
    """What is known beside the files: facts of the register by id, ids by name, the council.

    ``ids`` has the ids and aliases in lower case.
    """

    facts: pd.DataFrame
    ids: Mapping[str, str]
    own_area: str
    own_name: str
    as_at: date

    @classmethod
    def of(
        cls, indicators: Mapping[str, Indicator], own_area: str, own_name: str, as_at: date
    ) -> Context:
        """Gather the facts of the register that rules ask for."""
        columns = [*_FACTS, *_NUMBERS]
        rows = {i: [getattr(entry, name) for name in columns] for i, entry in indicators.items()}
        facts = pd.DataFrame.from_dict(rows, orient="index", columns=columns)
        names = {alias: i for i, entry in indicators.items() for alias in entry.aliases}
        ids = {name.casefold(): i for name, i in (names | {i: i for i in indicators}).items()}
        facts = facts.astype(dict.fromkeys(_NUMBERS, "float64"))
        return cls(facts, ids, own_area, own_name, as_at)


@dataclass(frozen=True)
class Judged:
    """Records of one table after judgement."""

    accepted: pd.DataFrame
    faults: Faults
    ignored: Counter[str]


def judge(records: Records, mapping: MappingFile, context: Context) -> Judged:
    """Type the records of one table and sheet, and part those that can be believed."""
    faults, table = Faults(records), records.table
    raw = _with_constants(records.raw, table, mapping)
    typed = _typed(raw, table, mapping, faults)
    if "indicator_id" in typed:
        typed["indicator_id"] = _registered(typed["indicator_id"], faults, context)
    names = typed.get("indicator_id", pd.Series("", index=raw.index))
    facts = context.facts.reindex(names).set_axis(raw.index)
    dropped = set_periods(typed, raw, facts, mapping, faults)
    ignored = Counter({"period of another length than the indicator's": int(dropped.sum())})
    if table == "observations":
        judge_observations(typed, raw, facts, mapping, faults, context.as_at)
    if table == "targets":
        aims = typed.filter(["target", "target_low", "target_high"])
        unset = aims.isna().all(axis=1) & ~faults.bad & ~dropped
        ignored["no target set"] += int(unset.sum())
        dropped |= unset
    _fill_area_and_id(typed, table, context)
    _check_required(typed, table, faults)
    _note_evidence(faults)
    accepted = conform(typed, table).set_axis(typed.index)
    accepted[LABEL] = records.labels(MAIN_COLUMN[table], faults.bad | True)
    accepted = accepted[~(faults.bad | dropped)].reset_index(drop=True)
    faults.bad &= ~dropped
    return Judged(accepted, faults, ignored)


def _with_constants(raw: pd.DataFrame, table: str, mapping: MappingFile) -> pd.DataFrame:
    """Add the columns that the mapping gives itself; a cell of the file is stronger."""
    raw = raw.copy()
    for name in [*column_names(table), "period_label"]:
        if name in mapping.constants:
            constant = str(mapping.constants[name])
            raw[name] = raw[name].mask(is_blank(raw[name]), constant) if name in raw else constant
    return raw


def _typed(raw: pd.DataFrame, table: str, mapping: MappingFile, faults: Faults) -> pd.DataFrame:
    """Type every column that is there, and quarantine what cannot be typed."""
    typed = pd.DataFrame(index=raw.index)
    for column in TABLES[table]:
        name = column.name
        if name in raw:
            values, bad = to_kind(raw[name], column, mapping.enums.get(name, {}))
            if column.kind == "number" and bad.any():
                bad &= state_of_text(raw[name], mapping.values) == ""
            typed[name] = values * mapping.multiply[name] if name in mapping.multiply else values
            _refuse_cells(bad, raw[name], column, faults)
            _check_bounds(typed[name], column, faults)
    return typed


def _refuse_cells(
    bad: pd.Series[bool], cells: pd.Series[Any], column: Column, faults: Faults
) -> None:
    """Say of cells that cannot be typed whether they are errors, formulas, or other texts."""
    expected = _IN_WORDS.get(column.kind, "text")
    code = f"not-{column.kind}".replace("_", "-")
    if column.choices:
        expected, code = "one of " + ", ".join(column.choices), "not-a-choice"
    formula = faults.records.marked(column.name, "formula")
    error = bad & is_error(cells) if bad.any() else bad
    other = bad & ~error & ~formula
    shows = "the cell shows a spreadsheet error."
    faults.add(error, column.name, "error-cell", shows, expected, "correct the formula in the cell")
    never = "the formula was never calculated, so its value is not in the file."
    again = "open the file in Excel and save it again"
    faults.add(formula, column.name, "formula-not-calculated", never, expected, again)
    faults.add(other, column.name, code, f"the cell is not {expected}.", expected)


def _check_bounds(values: pd.Series[Any], column: Column, faults: Faults) -> None:
    for bound, outside, word in (
        (column.minimum, values.lt, "below"),
        (column.maximum, values.gt, "above"),
    ):
        if bound is not None:
            mask = outside(bound).fillna(False).astype(bool)
            faults.add(mask, column.name, "outside-bounds", f"the value is {word} {bound:g}.")


def _registered(names: pd.Series[str], faults: Faults, context: Context) -> pd.Series[str]:
    """Return the register's id of each name or alias; a name that it lacks is quarantined."""
    found = {name: context.ids.get(name.casefold(), "") for name in names.unique()}
    unknown = [name for name, known in found.items() if name and not known]
    # Likeness is searched for a few: a foreign file may hold thousands of names.
    hints = {name: did_you_mean(name, context.ids) for name in unknown[:20]}
    said = {name: f'the register has no indicator "{name}".{hints.get(name, "")}' for name in found}
    fix = "add the indicator or the alias to the register, or a keep rule to the mapping"
    expected = "an id or alias of the register"
    mask = names.isin(unknown)
    faults.add(mask, "indicator_id", "indicator-unknown", names.map(said), expected, fix)
    return names.map(found).astype("str")


def _fill_area_and_id(typed: pd.DataFrame, table: str, context: Context) -> None:
    """Fill what a council's own file leaves out: its area, and a stable name for a target."""

    def given(name: str) -> pd.Series[str]:
        return typed.get(name, pd.Series("", index=typed.index))

    columns = column_names(table)
    if table != "peer_sets" and "area_code" in columns:
        typed["area_code"] = given("area_code").replace("", context.own_area)
    if "area_name" in columns:
        is_own = (given("area_name") == "") & (typed["area_code"] == context.own_area)
        typed["area_name"] = given("area_name").mask(is_own, context.own_name)
    if table == "targets":
        start, end = (
            typed[name].dt.strftime("|%Y-%m-%d") for name in ("period_start", "period_end")
        )
        made = given("indicator_id") + "|" + typed["area_code"] + start + end
        made += "|" + given("kind").replace("", "improvement")
        typed["target_id"] = given("target_id").mask(given("target_id") == "", made)


def _check_required(typed: pd.DataFrame, table: str, faults: Faults) -> None:
    for column in TABLES[table]:
        if column.required and column.default is None:
            cells = typed.get(column.name, pd.Series("", index=typed.index))
            missing = (cells.isna() | (cells.astype("str") == "")) & ~faults.bad
            faults.add(
                missing,
                column.name,
                "required-cell-empty",
                f"{column.name.replace('_', ' ')} is missing.",
                column.meaning[0].lower() + column.meaning[1:],
                "fill the cell in; of merged cells only the first counts as filled",
            )


def _note_evidence(faults: Faults) -> None:
    """Note what the sheet hides: percentages as fractions, numbers as text, hidden rows."""
    records = faults.records
    percent = "shown as a percentage, so it was multiplied by 100."
    for column in TABLES[records.table]:
        if column.kind == "number":
            name = column.name
            faults.note(records.marked(name, "percent"), name, "percent-format", percent, "info")
            is_text = records.marked(name, "text number")
            faults.note(is_text, name, "text-number", "the number is kept as text.")
    sheet = records.sheet
    hidden = records.raw["source_row"].isin(sheet.hidden_rows) | sheet.is_hidden
    what = "sheet" if sheet.is_hidden else "row"
    faults.note(hidden, "", "hidden", f"the {what} is hidden in the workbook, but was read.")
