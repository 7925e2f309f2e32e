"""Records typed and judged: what a row must satisfy before pmf believes it.

Only the file and the register are needed here. A row with an error goes to quarantine whole;
what merely looks odd is kept and noted.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date

import pandas as pd

from pmf_analysis.data.contract import MAIN_COLUMN, TABLES, Column, cast
from pmf_analysis.data.store import Store
from pmf_analysis.parameters import loading, models, workspace
from pmf_analysis.problems import Problem, did_you_mean
from pmf_analysis.systems import doubts, record_rules
from pmf_analysis.systems.mapping import MappingFile
from pmf_analysis.systems.results import RULES, Case, ImportResult, Records
from pmf_analysis.systems.values import is_blank, is_error, is_too_large, state_of_text, to_kind

# Accepted rows carry here the source column of what a reader looks at first.
LABEL = "_label"


@dataclass(frozen=True)
class Context:
    """What is known beside the files: facts of the register by id, ids by name, the council.

    ``ids`` has the ids and aliases in lower case.
    """

    facts: pd.DataFrame
    ids: Mapping[str, str]
    council: models.Council
    as_at: date

    @classmethod
    def of(
        cls, parameters: workspace.Parameters, as_at: date, store: Store | None = None
    ) -> Context:
        """Gather the facts of the register that rules ask for, and what is usual in the store."""
        council, register = parameters.framework.council, parameters.register
        names = {alias: i for i, each in register.indicators.items() for alias in each.aliases}
        names |= {i: i for i in register.indicators}
        ids = {name.casefold(): i for name, i in names.items()}
        facts = register.frame().set_index("indicator")[RULES["facts"]]
        facts = facts.assign(bounds=_bounds_in_words(facts))
        facts["usual"] = float("nan")
        if store is not None:
            known = store.as_known_on(as_at, "observations")["observations"]
            own = known[(known["area_code"] == council.area_code) & (known["dimension"] == "")]
            facts["usual"] = own.groupby("indicator_id")["value"].median().reindex(facts.index)
        return cls(facts, ids, council, as_at)


def _bounds_in_words(facts: pd.DataFrame) -> pd.Series[str]:
    low, high = (facts[name].map("{:g}".format).astype("str") for name in ("minimum", "maximum"))
    words = "a number from " + low + " to " + high
    words = words.mask(high == "nan", "a number of " + low + " or more")
    words = words.mask(low == "nan", "a number of " + high + " or less")
    return words.mask(facts["statistic"] == "proportion", words + " (percentage)")


def judge(
    records: Records, mapping: MappingFile, context: Context, result: ImportResult
) -> pd.DataFrame:
    """Type the records of one table and sheet; what cannot be believed goes into `result`."""
    table = records.table
    case = Case(records, _with_constants(records.raw, table, mapping), mapping)
    typed = case.typed
    _type_columns(case)
    ids = _registered(case, context) if "indicator_id" in typed else case.raw_text("indicator_id")
    facts = context.facts.reindex(ids).set_axis(typed.index)
    case.facts = facts.assign(is_percentage=facts["statistic"] == "proportion")
    dropped = record_rules.set_periods(case)
    result.ignored["period of another length than the indicator's"] += int(dropped.sum())
    if table == "observations":
        record_rules.judge_observations(case, context.as_at)
    if table == "targets":
        record_rules.judge_targets(case)
        spare = record_rules.widen_to_years(case)
        result.ignored["the year's target, given in each period"] += int(spare.sum())
        dropped |= spare
        unset = typed[RULES["aims"]].isna().all(axis=1) & ~case.bad & ~dropped
        result.ignored["no target set"] += int(unset.sum())
        dropped |= unset
    _fill_area_and_id(case, context)
    _check_required(case)
    _note_evidence(case)
    # Changes of areas that nobody can follow are held back; lists that a slip cuts are noted.
    case.hold_to(f"lists of {table}")
    labels = records.labels(MAIN_COLUMN[table], case.bad | True)
    accepted = typed.assign(**{LABEL: labels})[~(case.bad | dropped)].reset_index(drop=True)
    case.bad &= ~dropped
    result.problems.extend(case.notes)
    result.hold(case.quarantine(), int(case.bad.sum()))
    return accepted


def _with_constants(raw: pd.DataFrame, table: str, mapping: MappingFile) -> pd.DataFrame:
    """Add the columns that the mapping gives itself; a cell of the file is stronger."""
    raw = raw.copy()
    for name, constant in mapping.constants_of(table).items():
        raw[name] = raw[name].mask(is_blank(raw[name]), constant) if name in raw else constant
    return raw


def _type_columns(case: Case) -> None:
    """Type every column that is there, and quarantine what cannot be typed."""
    mapping, table = case.mapping, case.records.table
    enums = mapping.of_table(mapping.enums, table)
    multiply = mapping.of_table(mapping.multiply, table)
    for column in TABLES[table]:
        name = column.name
        if name not in case.raw:
            case.typed[name] = cast(pd.Series(None, index=case.raw.index, dtype=object), column)
            continue
        values, bad = to_kind(case.raw[name], column, enums.get(name, {}))
        if column.kind == "number" and bad.any():
            bad &= state_of_text(case.raw[name], case.mapping.values) == ""
        if column.kind == "number":
            doubts.tell_two_meanings(case, name)
        values = values * multiply[name] if name in multiply else values
        values = _shown(case, name, values) if name.endswith(tuple(RULES["printed"])) else values
        case.typed[name] = cast(values, column)
        if column.kind == "date":
            _note_date_orders(case, name)
        _refuse_cells(case, column, bad)
        _check_bounds(case, column)


def _note_date_orders(case: Case, name: str) -> None:
    """Note dates that may be of either order in a column where others have the month first."""
    parts = case.raw_text(name).str.extract(RULES["date_parts"]).astype("float64")
    month_first = (parts[1] > 12) & (parts[0] <= 12)
    either = (parts <= 12).all(axis=1) & (parts[0] != parts[1])
    case.tell(either & bool(month_first.any()), name, "mixed-date-orders")


def _shown(case: Case, name: str, texts: pd.Series[str]) -> pd.Series[str]:
    """Names as pages can show them: in one line, without characters that nobody sees."""
    odd = [text for text in texts.unique() if loading.HIDDEN.search(text)]
    case.tell(texts.isin(odd), name, "hidden-characters")
    return texts.replace({text: loading.HIDDEN.sub("", " ".join(text.split())) for text in odd})


def _refuse_cells(case: Case, column: Column, bad: pd.Series[bool]) -> None:
    """Say of cells that cannot be typed whether they are errors, formulas, or other texts."""
    name, choices = column.name, ", ".join(column.choices)
    fault = "not-a-choice" if choices else f"not-{column.kind}".replace("_", "-")
    expected = Problem.of(fault, choices=choices).expected
    formula = case.records.marked(name, "formula")
    error, huge = bad, bad
    if bad.any():
        error = bad & is_error(case.raw[name])
        huge = bad & is_too_large(case.raw[name]) & (column.kind in ("number", "integer"))
    case.tell(huge, name, "not-believable")
    case.tell(error, name, "error-cell", expected=expected)
    case.tell(formula, name, "formula-not-calculated", expected=expected)
    case.tell(bad & ~error & ~formula & ~huge, name, fault, choices=choices)


def _check_bounds(case: Case, column: Column) -> None:
    values, (low, high) = case.typed[column.name], (column.minimum, column.maximum)
    for bound, outside, word in ((low, values.lt, "below"), (high, values.gt, "above")):
        if bound is not None:
            mask = outside(bound).fillna(False).astype(bool)
            case.tell(mask, column.name, "column-bound", word=word, bound=bound)


def _registered(case: Case, context: Context) -> pd.Series[str]:
    """Return the register's id of each name or alias; one that it lacks is quarantined as it is."""
    names = case.typed["indicator_id"]
    names = names.where(names == "", case.mapping.prefix + names)
    found = {name: context.ids.get(name.casefold(), name) for name in names.unique()}
    unknown = [name for name in found if name and name.casefold() not in context.ids]
    # Likeness is searched for a few, for a foreign file may hold thousands of names; and the
    # number of another metric of a system is never what was meant.
    alike = [] if case.mapping.prefix else unknown[:20]
    hints = {name: did_you_mean(name, context.ids) for name in alike}
    hint = names.map({name: hints.get(name, "") for name in found})
    case.tell(names.isin(unknown), "indicator_id", "indicator-unknown", indicator=names, hint=hint)
    case.typed["indicator_id"] = names.map(found).astype("str")
    return case.typed["indicator_id"]


def _fill_area_and_id(case: Case, context: Context) -> None:
    """Fill what a council's own file leaves out: its area, and a stable name for a target."""
    typed, table, own = case.typed, case.records.table, context.council
    if table != "peer_sets" and "area_code" in typed:
        typed["area_code"] = typed["area_code"].replace("", own.area_code)
    if "area_name" in typed:
        is_own = (typed["area_name"] == "") & (typed["area_code"] == own.area_code)
        typed["area_name"] = typed["area_name"].mask(is_own, own.name)
    if table == "targets":
        days = [typed[name].dt.strftime("|%Y-%m-%d") for name in ("period_start", "period_end")]
        made = typed["indicator_id"] + "|" + typed["area_code"] + days[0] + days[1]
        made = made.fillna("") + "|" + typed["kind"]
        typed["target_id"] = typed["target_id"].mask(typed["target_id"] == "", made)


def _check_required(case: Case) -> None:
    for column in TABLES[case.records.table]:
        if column.required and column.default is None:
            cells, meaning = case.typed[column.name], column.meaning[0].lower() + column.meaning[1:]
            empty = (cells.isna() | (cells.astype("str") == "")) & ~case.bad
            case.tell(empty, column.name, "required-cell-empty", meaning=meaning)


def _note_evidence(case: Case) -> None:
    """Note what the sheet hides: percentages as fractions, numbers as text, hidden rows."""
    records, sheet = case.records, case.records.sheet
    for name in [column.name for column in TABLES[records.table] if column.kind == "number"]:
        case.tell(records.marked(name, "percent"), name, "percent-format")
        case.tell(records.marked(name, "text number"), name, "text-number")
    hidden = case.raw["source_row"].isin(sheet.hidden_rows) | sheet.is_hidden
    case.tell(hidden, "", "hidden", what="sheet" if sheet.is_hidden else "row")
