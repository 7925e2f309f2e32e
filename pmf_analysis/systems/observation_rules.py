"""Rules for values: their state, bounds and day, and what looks odd in them."""

from __future__ import annotations

from datetime import date

import pandas as pd

from pmf_analysis.data.contract import ABSENT_STATUSES
from pmf_analysis.periods import split_mark
from pmf_analysis.systems.faults import Case
from pmf_analysis.systems.values import is_blank, state_of_text

_PERCENTAGES = ("percentage", "survey_percentage")


def judge_observations(case: Case, as_at: date) -> None:
    """Set the state of each value, quarantine what cannot be, and note what looks odd."""
    typed, facts = case.typed, case.facts
    typed["value_status"] = _statuses(case)
    value, low, high = typed["value"], facts["minimum"], facts["maximum"]
    outside = (value < low - 1e-9) | (value > high + 1e-9)
    case.add(
        outside,
        "value",
        "outside-bounds",
        "the value is outside the bounds of its indicator.",
        _bounds_in_words(facts),
        "correct the value, or the indicator's minimum and maximum in the register",
    )
    if {"ci_lower", "ci_upper"} <= set(typed):
        crossed = typed["ci_lower"] > typed["ci_upper"]
        message = "the lower limit is above the upper."
        case.add(crossed, "ci_lower", "limits-crossed", message)
    future = value.notna() & (typed["period_start"] > pd.Timestamp(as_at))
    name = "period_label" if "period_label" in case.raw else "period_start"
    message = f"the period begins after the day of this import, {as_at.isoformat()}."
    case.add(future, name, "period-in-future", message)
    _note_odd_values(case)
    unfinished = value.notna() & (typed["period_end"] > pd.Timestamp(as_at)) & ~future
    unfinished &= typed["value_status"] == "final"
    message = "the value is called final although its period has not ended."
    case.note(unfinished, "value", "period-not-ended", message)
    retired = typed["period_start"] > pd.to_datetime(facts["valid_to"])
    message = "the indicator was retired before this period."
    case.note(retired, "indicator_id", "indicator-retired", message)


def _bounds_in_words(facts: pd.DataFrame) -> pd.Series[str]:
    low, high = (facts[name].map("{:g}".format).astype("str") for name in ("minimum", "maximum"))
    words = "a number from " + low + " to " + high
    words = words.mask(high == "nan", "a number of " + low + " or more")
    words = words.mask(low == "nan", "a number of " + high + " or less")
    return words.mask(facts["data_type"].isin(_PERCENTAGES), words + " (percentage)")


def _statuses(case: Case) -> pd.Series[str]:
    """Return the state of each value: as its text, the file or its label says, else final.

    Without a value, a text in the cell decides, then the status the file declares, then what the
    mapping says of empty cells.
    """
    value, cells = case.typed["value"], case.raw["value"]
    declared = case.typed_text("value_status")
    is_absent = declared.isin(ABSENT_STATUSES)
    contradicted = value.notna() & is_absent
    message = "a value is given although its status says that there is none to show."
    expected = "no value, or another status"
    case.add(contradicted, "value", "value-not-for-use", message, expected)
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
    message = "all values of this percentage are 1 or less; are they stored as fractions?"
    case.note(small, "value", "stored-as-fraction", message)
    if {"numerator", "denominator"} <= set(typed):
        scale = facts["rate_base"].where(facts["data_type"] == "rate").mask(percent, 100.0)
        derived = scale * typed["numerator"] / typed["denominator"].where(typed["denominator"] > 0)
        # Published values are rounded, percentages often to whole numbers.
        rounding = (value.abs() * 0.01).clip(lower=0.6)
        differs = (derived - value).abs() > rounding
        message = "numerator and denominator do not give the value."
        case.note(differs, "value", "counts-disagree", message)
