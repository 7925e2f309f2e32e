"""Rules for values: their state, bounds and day, and what looks odd in them."""

from __future__ import annotations

import pandas as pd

from pmf_analysis.data.contract import ABSENT_STATUSES
from pmf_analysis.periods import split_mark
from pmf_analysis.systems.context import Context
from pmf_analysis.systems.faults import Faults
from pmf_analysis.systems.mapping import MappingFile
from pmf_analysis.systems.values import state_of_text

_PERCENTAGES = ("percentage", "survey_percentage")


def judge_observations(
    typed: pd.DataFrame,
    raw: pd.DataFrame,
    facts: pd.DataFrame,
    mapping: MappingFile,
    faults: Faults,
    context: Context,
) -> None:
    """Set the state of each value, quarantine what cannot be, and note what looks odd."""
    typed["value_status"] = _statuses(typed, raw, mapping, faults)
    value = typed["value"]
    low, high = facts["minimum"], facts["maximum"]
    outside = (value < low - 1e-9) | (value > high + 1e-9)
    faults.add(
        outside,
        "value",
        "the value is outside the bounds of its indicator.",
        code="outside-bounds",
        expected=_bounds_in_words(facts),
        fix="correct the value, or the indicator's minimum and maximum in the register",
    )
    if {"ci_lower", "ci_upper"} <= set(typed):
        crossed = typed["ci_lower"] > typed["ci_upper"]
        faults.add(
            crossed, "ci_lower", "the lower limit is above the upper.", code="limits-crossed"
        )
    as_at = pd.Timestamp(context.as_at)
    future = value.notna() & (typed["period_start"] > as_at)
    faults.add(
        future,
        "period_label" if "period_label" in raw else "period_start",
        f"the period begins after the day of this import, {context.as_at.isoformat()}.",
        code="period-in-future",
    )
    _note_odd_values(typed, facts, faults, as_at)


def _bounds_in_words(facts: pd.DataFrame) -> pd.Series[str]:
    low, high = (facts[name].map("{:g}".format) for name in ("minimum", "maximum"))
    words = "a number from " + low + " to " + high
    words = words.mask(high == "nan", "a number of " + low + " or more")
    words = words.mask(low == "nan", "a number of " + high + " or less")
    return words.mask(facts["data_type"].isin(_PERCENTAGES), words + " (percentage)")


def _statuses(
    typed: pd.DataFrame, raw: pd.DataFrame, mapping: MappingFile, faults: Faults
) -> pd.Series[str]:
    """Return the state of each value: as declared, as its text or label says, else final."""
    declared = typed.get("value_status", pd.Series("", index=raw.index))
    value = typed["value"]
    in_text = state_of_text(raw["value"].where(value.isna(), ""), mapping.values)
    label = raw.get("period_label", pd.Series("", index=raw.index)).astype("str")
    marks = label.map({text: split_mark(text)[1] for text in label.unique()})
    marks = marks.where(marks.isin(["revised", "provisional"]), "final")
    contradicted = value.notna() & declared.isin(ABSENT_STATUSES)
    faults.add(
        contradicted,
        "value",
        "a value is given although its status says that there is none to show.",
        code="value-not-for-use",
        expected="no value, or another status",
    )
    absent = in_text.where(in_text != "", declared.where(declared.isin(ABSENT_STATUSES), "missing"))
    present = declared.where(declared != "", marks)
    return present.where(value.notna(), absent)


def _note_odd_values(
    typed: pd.DataFrame, facts: pd.DataFrame, faults: Faults, as_at: pd.Timestamp
) -> None:
    """Note what can be right but is often wrong; the rows are kept."""
    value = typed["value"].where(~faults.bad)
    percent = facts["data_type"].isin(_PERCENTAGES)
    by_indicator = value.where(percent).groupby(typed["indicator_id"])
    small = (by_indicator.transform("max") <= 1) & (by_indicator.transform("max") > 0)
    small &= (by_indicator.transform("count") >= 3) & percent & value.notna()
    faults.note(
        small,
        "value",
        "all values of this percentage are 1 or less; are they stored as fractions?",
        code="stored-as-fraction",
    )
    if {"numerator", "denominator"} <= set(typed):
        scale = facts["rate_base"].where(facts["data_type"] == "rate").mask(percent, 100.0)
        derived = scale * typed["numerator"] / typed["denominator"].where(typed["denominator"] > 0)
        # Published values are rounded, percentages often to whole numbers.
        rounding = (value.abs() * 0.01).clip(lower=0.6)
        faults.note(
            (derived - value).abs() > rounding,
            "value",
            "numerator and denominator do not give the value.",
            code="counts-disagree",
        )
    unfinished = value.notna() & (typed["period_end"] > as_at)
    unfinished &= typed["value_status"] == "final"
    faults.note(
        unfinished & (typed["period_start"] <= as_at),
        "value",
        "the value is called final although its period has not ended.",
        code="period-not-ended",
    )
    closed = pd.to_datetime(facts["valid_to"])
    faults.note(
        typed["period_start"] > closed,
        "indicator_id",
        "the indicator was retired before this period.",
        code="indicator-retired",
    )
