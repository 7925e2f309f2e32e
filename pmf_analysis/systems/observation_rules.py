"""Rules for values and targets: their state, bounds, counts and day, and what looks odd."""

from __future__ import annotations

from datetime import date

import pandas as pd

from pmf_analysis.data.contract import ABSENT_STATUSES
from pmf_analysis.periods import split_mark
from pmf_analysis.systems import tabular, values
from pmf_analysis.systems.faults import Case

_AIMS = ("target", "target_low", "target_high")
_COUNTS = ["numerator", "denominator"]
_LIMITS = ["ci_lower", "ci_upper"]
# Where all other percentages of an indicator are above 10, one of 1 or less is a fraction if 100
# times it is not far outside their range.
_PLAIN, _NEAR = 10, 1.5


def judge_observations(case: Case, as_at: date) -> None:
    """Set the state of each value, quarantine what cannot be, and note what looks odd."""
    case.typed["value_status"] = _statuses(case)
    _blank_beside_absent(case)
    _blank_nothing_counted(case)
    case.hold_to("values")
    _refuse_percentages(case, ["value", *_LIMITS, *_COUNTS])
    derived = _derived(case)
    _refuse_fractions(case, "value", derived)
    _note_fractions(case)
    today = pd.Timestamp(as_at)
    case.hold_to("observations", today=today, as_at=as_at.isoformat(), derived=derived)


def judge_targets(case: Case) -> None:
    """Quarantine targets that their indicator can never reach, or that show another unit."""
    case.hold_to("targets")
    for name in _AIMS:
        _refuse_percentages(case, [name])
        _refuse_fractions(case, name)


def _blank_beside_absent(case: Case) -> None:
    """Leave out counts and limits beside a value that is not shown; they would give it away."""
    beside = [*_COUNTS, *_LIMITS]
    absent = case.typed["value_status"].isin(ABSENT_STATUSES)
    filled = absent & case.typed[beside].drop(columns="denominator").notna().any(axis=1)
    names = [name for name in beside if case.typed.loc[filled, name].notna().any()]
    case.typed.loc[absent, beside] = float("nan")
    case.tell(filled, (*names, "value")[0], "beside-absent-value", names=", ".join(names))


def _shows_percent(case: Case, name: str) -> pd.Series[bool]:
    """Whether a reader of each cell sees a per-cent sign."""
    return case.records.marked(name, "percent") | case.raw_text(name).str.strip().str.endswith("%")


def _refuse_percentages(case: Case, names: list[str]) -> None:
    """Quarantine percentages where the register, or the column itself, is of something else."""
    unit = case.facts["unit"].fillna("").astype("str")
    is_percent = case.facts["is_percentage"] | unit.str.contains("%|per ?cent", case=False)
    for name in [name for name in names if name in case.raw]:
        shown, is_count = _shows_percent(case, name), name in _COUNTS
        wrong = shown if is_count else shown & ~is_percent & (unit != "")
        meant = unit.where(unit == "", "a count") if is_count else unit
        case.tell(wrong, name, "shown-as-percentage", meant=meant)


def _blank_nothing_counted(case: Case) -> None:
    """Leave out 0 of 0, which is published as 0 %, but says nothing."""
    counted = ["value", *_COUNTS]
    empty = (case.typed[counted] == 0).all(axis=1)
    case.typed["value_status"] = case.typed["value_status"].mask(empty, "not_applicable")
    case.typed.loc[empty, counted] = float("nan")
    case.tell(empty, "value", "nothing-counted")


def _refuse_fractions(
    case: Case, name: str, derived: pd.Series[float] | float = float("nan")
) -> None:
    """Quarantine what looks like a fraction among percentages: 0.76 beside 75, or beside 75 %.

    A cell that shows a per-cent sign is none, nor is a value that its counts give, nor one whose
    neighbours are small too.
    """
    shown, typed = _shows_percent(case, name), case.typed
    value = typed[name].where(case.facts["is_percentage"] & ~case.bad)
    small = (value > 0) & (value <= 1) & ~shown & ~((derived - value).abs() <= 0.6)
    above = value.where(value > 1).groupby(typed["indicator_id"])
    low, high = above.transform("min"), above.transform("max")
    is_near = (value * 100).between(low / _NEAR, high * _NEAR)
    odd = small & is_near & (low > _PLAIN)
    with_sign = shown & value.notna()
    for beside in (case.raw[tabular.LAYOUT], typed["indicator_id"]):
        odd |= small & with_sign.groupby(beside).transform("any")
    case.tell(odd, name, "stored-as-fraction")


def _derived(case: Case) -> pd.Series[float]:
    """Return the percentage or rate that the counts give; NaN where there are none."""
    facts, below = case.facts, case.typed["denominator"]
    scale = facts["rate_base"].where(facts["data_type"] == "rate")
    scale = scale.mask(facts["is_percentage"], 100.0)
    return scale * case.typed["numerator"] / below.where(below > 0)


def _statuses(case: Case) -> pd.Series[str]:
    """Return the state of each value: as its text, the file or its label says, else final.

    Without a value, a text in the cell decides, then the status the file declares, then what the
    mapping says of empty cells.
    """
    value, cells = case.typed["value"], case.raw["value"]
    declared = case.typed["value_status"].where(case.raw_text("value_status").str.strip() != "", "")
    is_absent = declared.isin(ABSENT_STATUSES)
    contradicted = value.notna() & is_absent
    case.tell(contradicted, "value", "value-not-for-use")
    in_text = values.state_of_text(cells.where(value.isna(), ""), case.mapping.values)
    absent = in_text.mask(is_absent & (values.is_blank(cells) | (in_text == "")), declared)
    label = case.raw_text("period_label")
    marks = label.map({text: split_mark(text)[1] for text in label.unique()})
    marks = marks.where(marks.isin(["revised", "provisional"]), "final")
    present = declared.where(declared != "", marks)
    return present.where(value.notna(), absent.replace("", "missing"))


def _note_fractions(case: Case) -> None:
    """Note percentages that are all 1 or less; the rows are kept."""
    value = case.typed["value"].where(~case.bad & case.facts["is_percentage"])
    by_indicator = value.groupby(case.typed["indicator_id"])
    small = by_indicator.transform("max").between(0, 1, inclusive="right") & value.notna()
    case.tell(small & (by_indicator.transform("count") >= 3), "value", "all-as-fractions")
