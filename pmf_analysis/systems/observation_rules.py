"""Rules for values and targets: their state, bounds, counts and day, and what looks odd."""

from __future__ import annotations

from datetime import date

import pandas as pd

from pmf_analysis.data.contract import ABSENT_STATUSES
from pmf_analysis.periods import split_mark
from pmf_analysis.systems.faults import Case
from pmf_analysis.systems.tabular import LAYOUT
from pmf_analysis.systems.values import is_blank, state_of_text

_PERCENTAGES = ("percentage", "survey_percentage")
_AIMS = ("target", "target_low", "target_high")
_COUNTS = ["numerator", "denominator"]
_LIMITS = ["ci_lower", "ci_upper"]
# Where all other percentages of an indicator are above 10, one of 1 or less is a fraction if 100
# times it is not far outside their range.
_PLAIN, _NEAR = 10, 1.5


def judge_observations(case: Case, as_at: date) -> None:
    """Set the state of each value, quarantine what cannot be, and note what looks odd."""
    typed = case.typed
    typed["value_status"] = _statuses(case)
    _blank_beside_absent(case)
    _refuse_outside(case, "value")
    _refuse_percentages(case, ["value", *_LIMITS, *_COUNTS])
    _refuse_counts(case)
    _refuse_fractions(case, "value")
    _refuse_crossed(case, *_LIMITS)
    unpaired = (case.typed_text("dimension") == "") != (case.typed_text("dimension_value") == "")
    case.add(unpaired, "dimension", "dimension-unpaired")
    _judge_days(case, as_at)
    _note_odd_values(case)


def judge_targets(case: Case) -> None:
    """Quarantine targets that their indicator can never reach, or that show another unit."""
    for name in _AIMS:
        if name in case.typed:
            _refuse_outside(case, name)
            _refuse_percentages(case, [name])
            _refuse_fractions(case, name)
    _refuse_crossed(case, *_AIMS[1:])


def _refuse_outside(case: Case, name: str) -> None:
    """Quarantine numbers outside the bounds of their indicator; a year's total has no upper one."""
    value, facts = case.typed[name], case.facts
    is_total = case.typed_text("target_basis") == "year_total"
    outside = (value < facts["minimum"] - 1e-9) | ((value > facts["maximum"] + 1e-9) & ~is_total)
    what = "value" if name == "value" else "target"
    case.add(outside, name, "outside-bounds", what=what, bounds=_bounds_in_words(facts))


def _bounds_in_words(facts: pd.DataFrame) -> pd.Series[str]:
    low, high = (facts[name].map("{:g}".format).astype("str") for name in ("minimum", "maximum"))
    words = "a number from " + low + " to " + high
    words = words.mask(high == "nan", "a number of " + low + " or more")
    words = words.mask(low == "nan", "a number of " + high + " or less")
    return words.mask(facts["data_type"].isin(_PERCENTAGES), words + " (percentage)")


def _refuse_crossed(case: Case, low: str, high: str) -> None:
    if {low, high} <= set(case.typed):
        case.add(case.typed[low] > case.typed[high], low, "limits-crossed")


def _judge_days(case: Case, as_at: date) -> None:
    """Quarantine values of the future; note those of periods not ended or after retirement."""
    typed, day = case.typed, pd.Timestamp(as_at)
    value = typed["value"]
    future = value.notna() & (typed["period_start"] > day)
    name = "period_label" if "period_label" in case.raw else "period_start"
    case.add(future, name, "period-in-future", as_at=as_at.isoformat())
    unfinished = value.notna() & (typed["period_end"] > day) & ~future
    unfinished &= typed["value_status"] == "final"
    case.note(unfinished, "value", "period-not-ended")
    retired = typed["period_start"] > pd.to_datetime(case.facts["valid_to"])
    case.note(retired, "indicator_id", "indicator-retired")


def _blank_beside_absent(case: Case) -> None:
    """Leave out counts and limits beside a value that is not shown; they would give it away."""
    beside = [name for name in (*_COUNTS, *_LIMITS) if name in case.typed]
    absent = case.typed["value_status"].isin(ABSENT_STATUSES)
    telling = case.typed[beside].drop(columns="denominator", errors="ignore")
    filled = absent & telling.notna().any(axis=1)
    names = [name for name in beside if case.typed.loc[filled, name].notna().any()]
    case.typed.loc[absent, beside] = float("nan")
    case.note(filled, (*names, "value")[0], "beside-absent-value", names=", ".join(names))


def _shows_percent(case: Case, name: str) -> pd.Series[bool]:
    """Whether a reader of each cell sees a per-cent sign."""
    return case.records.marked(name, "percent") | case.raw_text(name).str.strip().str.endswith("%")


def _refuse_percentages(case: Case, names: list[str]) -> None:
    """Quarantine percentages where the register, or the column itself, is of something else."""
    unit = case.facts["unit"].fillna("").astype("str")
    is_percent = case.facts["data_type"].isin(_PERCENTAGES)
    is_percent |= unit.str.contains("%|per ?cent", case=False)
    for name in [name for name in names if name in case.raw]:
        shown, is_count = _shows_percent(case, name), name in _COUNTS
        wrong = shown if is_count else shown & ~is_percent & (unit != "")
        meant = unit.where(unit == "", "a count") if is_count else unit
        case.add(wrong, name, "shown-as-percentage", meant=meant)


def _refuse_counts(case: Case) -> None:
    """Quarantine counts that no value can come from."""
    if not {*_COUNTS} <= set(case.typed):
        return
    above, below = (case.typed[name] for name in _COUNTS)
    # 0 of 0 is published as 0 %, but says nothing; elsewhere a denominator of 0 is an error.
    empty = (below == 0) & (above == 0) & (case.typed["value"] == 0)
    case.typed["value_status"] = case.typed["value_status"].mask(empty, "not_applicable")
    case.typed.loc[empty, ["value", *_COUNTS]] = float("nan")
    case.note(empty, "value", "nothing-counted")
    nothing = (below == 0) & ~empty
    case.add(nothing, "denominator", "denominator-zero")
    case.add((above < 0) & (case.facts["minimum"] >= 0), "numerator", "numerator-negative")
    is_part = case.facts["data_type"].isin(_PERCENTAGES) & ~(case.facts["maximum"] > 100)
    more = is_part & (above > below) & ~nothing
    shown = case.raw_text("denominator")
    case.add(more, "numerator", "numerator-above-denominator", below=shown)


def _refuse_fractions(case: Case, name: str) -> None:
    """Quarantine what looks like a fraction among percentages: 0.76 beside 75, or beside 75 %.

    A cell that shows a per-cent sign is none, nor is a value that its counts give, nor one whose
    neighbours are small too.
    """
    shown, typed = _shows_percent(case, name), case.typed
    is_percent = case.facts["data_type"].isin(_PERCENTAGES)
    value = typed[name].where(is_percent & ~case.bad)
    small = (value > 0) & (value <= 1) & ~shown & ~((_derived(case) - value).abs() <= 0.6)
    above = value.where(value > 1).groupby(typed["indicator_id"])
    low, high = above.transform("min"), above.transform("max")
    is_near = (value * 100).between(low / _NEAR, high * _NEAR)
    odd = small & is_near & (low > _PLAIN)
    with_sign = shown & value.notna()
    for beside in (case.raw[LAYOUT], typed["indicator_id"]):
        odd |= small & with_sign.groupby(beside).transform("any")
    case.add(odd, name, "stored-as-fraction")


def _derived(case: Case) -> pd.Series[float]:
    """Return the percentage or rate that the counts give; NaN where there are none."""
    if not {*_COUNTS} <= set(case.typed):
        return pd.Series(float("nan"), index=case.raw.index)
    facts, below = case.facts, case.typed["denominator"]
    scale = facts["rate_base"].where(facts["data_type"] == "rate")
    scale = scale.mask(facts["data_type"].isin(_PERCENTAGES), 100.0)
    return scale * case.typed["numerator"] / below.where(below > 0)


def _statuses(case: Case) -> pd.Series[str]:
    """Return the state of each value: as its text, the file or its label says, else final.

    Without a value, a text in the cell decides, then the status the file declares, then what the
    mapping says of empty cells.
    """
    value, cells = case.typed["value"], case.raw["value"]
    declared = case.typed_text("value_status")
    is_absent = declared.isin(ABSENT_STATUSES)
    contradicted = value.notna() & is_absent
    case.add(contradicted, "value", "value-not-for-use")
    in_text = state_of_text(cells.where(value.isna(), ""), case.mapping.values)
    absent = in_text.mask(is_absent & (is_blank(cells) | (in_text == "")), declared)
    label = case.raw_text("period_label")
    marks = label.map({text: split_mark(text)[1] for text in label.unique()})
    marks = marks.where(marks.isin(["revised", "provisional"]), "final")
    present = declared.where(declared != "", marks)
    return present.where(value.notna(), absent.replace("", "missing"))


def _note_odd_values(case: Case) -> None:
    """Note what can be right but is often wrong; the rows are kept."""
    typed, facts = case.typed, case.facts
    value = typed["value"].where(~case.bad)
    percent = facts["data_type"].isin(_PERCENTAGES)
    by_indicator = value.where(percent).groupby(typed["indicator_id"])
    small = by_indicator.transform("max").between(0, 1, inclusive="right") & value.notna()
    small &= (by_indicator.transform("count") >= 3) & percent
    case.note(small, "value", "all-as-fractions")
    # Published values are rounded, percentages often to whole numbers.
    differs = (_derived(case) - value).abs() > (value.abs() * 0.01).clip(lower=0.6)
    case.note(differs, "value", "counts-disagree")
    is_counted = percent | facts["rate_base"].notna()
    for name in [name for name in _COUNTS if name in typed]:
        odd = is_counted & typed[name].notna() & (typed[name] % 1 != 0) & ~case.bad
        case.note(odd, name, "count-not-whole", what=name)
