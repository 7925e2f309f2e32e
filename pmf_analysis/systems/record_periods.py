"""The period of each record: from its first day and frequency, else from its label."""

from __future__ import annotations

from typing import Any

import pandas as pd

from pmf_analysis.data.contract import TABLES
from pmf_analysis.periods import AmbiguousPeriodError, Period, parse_period, period_from_start
from pmf_analysis.problems import PmfError
from pmf_analysis.systems.faults import Faults
from pmf_analysis.systems.mapping import MappingFile, spelling

_FREQUENCY_OF_KIND = {
    "year": "annual",
    "half_year": "half_yearly",
    "quarter": "quarterly",
    "month": "monthly",
    "week": "weekly",
    "term": "termly",
}
# First day, label, frequency in the file and in the register, span and type of year.
Question = tuple[Any, str, str, str, str, Any]


def set_periods(
    typed: pd.DataFrame,
    raw: pd.DataFrame,
    facts: pd.DataFrame,
    mapping: MappingFile,
    faults: Faults,
) -> pd.Series[bool]:
    """Set start, end and frequency of each record; returns which are of a length to be ignored.

    A first day and frequency decide where the file carries them; the label is then only shown.
    """
    nothing = pd.Series(False, index=raw.index)
    columns = {column.name for column in TABLES[faults.records.table]}
    if "period_start" not in columns:
        return nothing
    asked = _period_questions(typed, raw, facts, mapping)
    answers = {question: _answer(question) for question in set(asked)}
    periods = pd.Series([answers[question] for question in asked], index=raw.index, dtype=object)
    failed = periods.map(lambda answer: isinstance(answer, str)) & ~faults.bad
    faults.add(
        failed,
        "period_start" if "period_start" in raw and "period_label" not in raw else "period_label",
        periods.where(failed, "").astype("str"),
        code="period-not-read",
        expected='a period with one meaning, such as "2026-27 Q2"',
    )
    is_period = periods.map(lambda answer: isinstance(answer, Period))
    start = periods[is_period].map(lambda period: period.start)
    end = periods[is_period].map(lambda period: period.end)
    typed["period_start"] = pd.to_datetime(start.reindex(raw.index))
    if "period_end" in columns:
        given = typed.get("period_end", pd.Series(pd.NaT, index=raw.index))
        typed["period_end"] = given.fillna(pd.to_datetime(end.reindex(raw.index)))
    if "frequency" in columns:
        _set_frequency(typed, periods.where(is_period), facts)
    return _of_another_length(periods.where(is_period), facts, mapping, faults)


def _period_questions(
    typed: pd.DataFrame, raw: pd.DataFrame, facts: pd.DataFrame, mapping: MappingFile
) -> list[Question]:
    """Return what decides the period of each record."""
    blank = pd.Series("", index=raw.index)
    label = raw.get("period_label", blank).astype("str").str.strip()
    starts = typed.get("period_start", pd.Series(pd.NaT, index=raw.index))
    declared = facts["frequency"].astype("object").fillna(mapping.period.frequency or "")
    given = typed.get("frequency", blank)
    source = raw.get("frequency", blank).astype("str").map(spelling)
    spans = {spelling(text): span for text, span in mapping.period.spans.items()}
    rolling = facts["period_span"].where(facts["accumulation"] == "rolling")
    span = source.map(spans).astype("object").fillna(rolling).fillna("")
    year_type = (
        pd.Series(mapping.period.year_type, index=raw.index)
        if mapping.period.year_type
        else facts["year_type"].astype("object").where(facts["year_type"].notna(), None)
    )
    columns = (starts.astype("object"), label, given, declared, span, year_type)
    return list(zip(*(column.tolist() for column in columns), strict=True))


def _answer(question: Question) -> Period | str | None:
    """Return the period, or in words why there is none; None where the record names none."""
    start, label, given, declared, span, year_type = question
    frequency = given or declared
    if start == start and start is not None and span != "label":
        return period_from_start(start.date(), frequency, year_type or "financial", span)
    if not label:
        return "the period is missing."
    try:
        return parse_period(label, year_type=year_type, frequency=frequency or None)
    except AmbiguousPeriodError as error:
        return error.problems[0].message
    except PmfError as error:
        # A year's target of a quarterly indicator: the register's frequency is only a hint.
        return error.problems[0].message if given or not declared else _without_hint(question)


def _without_hint(question: Question) -> Period | str | None:
    start, label, given, _, span, year_type = question
    return _answer((start, label, given, "", span, year_type))


def _set_frequency(typed: pd.DataFrame, periods: pd.Series[Any], facts: pd.DataFrame) -> None:
    kinds = {period: _FREQUENCY_OF_KIND.get(period.kind) for period in periods.dropna().unique()}
    found = periods.map(kinds).astype("object").fillna(facts["frequency"]).fillna("").astype("str")
    given = typed.get("frequency", pd.Series("", index=typed.index))
    typed["frequency"] = given.where(given != "", found)


def _of_another_length(
    periods: pd.Series[Any], facts: pd.DataFrame, mapping: MappingFile, faults: Faults
) -> pd.Series[bool]:
    """Find values of, say, a whole year among those of a quarterly indicator.

    Targets and texts may well be for a year where values are for quarters.
    """
    if faults.records.table != "observations":
        return pd.Series(False, index=periods.index)
    pairs = list(zip(periods, facts["frequency"], strict=True))
    fits = {
        (period, frequency): period.fits(frequency)
        for period, frequency in set(pairs)
        if isinstance(period, Period) and isinstance(frequency, str)
    }
    other = pd.Series([not fits.get(pair, True) for pair in pairs], index=periods.index)
    if mapping.period.other_lengths == "ignore":
        return other & ~faults.bad
    name = "period_label" if "period_label" in faults.records.raw else "period_start"
    expected = "a period of an indicator that is " + facts["frequency"].fillna("").astype("str")
    faults.add(
        other,
        name,
        "the period is of another length than the register says.",
        code="period-length",
        expected=expected,
        fix="correct the frequency in the register, or let the mapping ignore other_lengths",
    )
    return pd.Series(False, index=periods.index)
