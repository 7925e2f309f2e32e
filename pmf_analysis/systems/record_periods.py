"""The period of each record: from its first day and frequency, else from its label."""

from __future__ import annotations

from math import nan
from typing import Any, NamedTuple

import pandas as pd

from pmf_analysis.data.contract import column_names
from pmf_analysis.period_spans import KIND_OF_FREQUENCY
from pmf_analysis.periods import (
    PERIODS_PER_YEAR,
    AmbiguousPeriodError,
    Period,
    parse_period,
    period_from_start,
)
from pmf_analysis.problems import PmfError
from pmf_analysis.systems.faults import Case
from pmf_analysis.systems.mapping import spelling

_MONTHS_OF_UNIT = {"m": 1, "q": 3, "y": 12}
_FREQUENCY_OF_KIND = {str(kind): frequency for frequency, kind in KIND_OF_FREQUENCY.items()}


def _months_of_span(span: str) -> float:
    return int(span[:-1]) * _MONTHS_OF_UNIT[span[-1]] if span else nan


class _Question(NamedTuple):
    """What decides a record's period; ``declared`` is the register's frequency."""

    start: Any
    label: str
    given: str
    declared: str
    span: str
    year_type: Any


def set_periods(case: Case) -> pd.Series[bool]:
    """Set start, end and frequency of each record; returns which are of a length to be ignored.

    A first day and frequency decide where the file carries them; the label is then only shown.
    Values of, say, a whole year among those of a quarterly indicator are held back, or ignored
    where the mapping says so; targets and texts may well be for a year.
    """
    raw, typed = case.raw, case.typed
    nothing = pd.Series(False, index=raw.index)
    columns = column_names(case.records.table)
    if "period_start" not in columns:
        return nothing
    asked = _questions(case)
    answers = {question: _answer(question) for question in dict.fromkeys(asked)}
    table = pd.DataFrame.from_records(list(answers.values()), columns=list(_Answer._fields))
    table = table.astype({"start": "datetime64[us]", "end": "datetime64[us]", "fits": bool})
    numbers = {question: number for number, question in enumerate(answers)}
    found = table.iloc[[numbers[question] for question in asked]].set_axis(raw.index)
    name = "period_label" if "period_label" in raw or "period_start" not in raw else "period_start"
    failed = (found["reason"] != "") & ~case.bad
    case.add(failed, name, "period-not-read", reason=found["reason"])
    typed["period_start"] = found["start"]
    if "period_end" in columns:
        typed["period_end"] = typed.get("period_end", found["end"]).fillna(found["end"])
        reversed_ = typed["period_end"] < typed["period_start"]
        case.add(reversed_, "period_end", "period-reversed")
    if "frequency" not in columns:  # only observations have one, and only they must fit it
        return nothing
    given = case.typed_text("frequency")
    typed["frequency"] = found["frequency"]
    declared = case.facts["frequency"]
    is_other = given.isin(PERIODS_PER_YEAR) & declared.notna() & (given != declared)
    other = ~(found["fits"] & _has_length_of_register(case)) | is_other
    other &= ~failed & (typed["period_end"] >= typed["period_start"])
    if case.mapping.period.other_lengths == "ignore":
        return other & ~case.bad
    frequency, span = (case.facts[name].fillna("") for name in ("frequency", "period_span"))
    wanted = frequency.astype("str") + (" or spans " + span.astype("str")).where(span != "", "")
    case.add(other, name, "period-length", wanted=wanted)
    return nothing


def _has_length_of_register(case: Case) -> pd.Series[bool]:
    """Whether each record lasts as long as its indicator's frequency or period span says.

    A rolling value may be named by the last period of its window, unless its indicator has values
    of both lengths in the file. A snapshot may be a day, the year to date any part of a year, and
    windows that the mapping reads from their labels grow up to the span.
    """
    facts, start = case.facts, case.typed["period_start"]
    after = case.typed["period_end"] + pd.Timedelta(days=1)
    days = (after - start).dt.days
    months = (after.dt.year - start.dt.year) * 12 + after.dt.month - start.dt.month
    months = months.where(after.dt.day == start.dt.day, 0)
    lengths = {name: int(12 / n) for name, n in PERIODS_PER_YEAR.items()}
    usual = facts["frequency"].map(lengths).astype("float64")
    span = facts["period_span"].map(_months_of_span, na_action="ignore").astype("float64")
    is_pooled = (months == span) & (span != usual)
    both = is_pooled.groupby(case.typed["indicator_id"]).transform("any") & ~is_pooled
    fits = is_pooled | (months == usual) & ~both & ((months > 0) | (days == 7))
    fits |= (facts["frequency"] == "biennial") & (months == 12)  # a year, every other year
    fits |= (facts["accumulation"] == "snapshot") & (days == 1)
    fits |= (facts["accumulation"] == "ytd") & months.between(1, 12) & (months % usual == 0)
    grows = _spans(case) == "label"
    fits |= grows & (months > 0) & (months <= span)
    judged: pd.Series[bool] = (fits | usual.isna() | start.isna()).astype(bool)
    return judged


def _questions(case: Case) -> list[_Question]:
    """Return what decides the period of each record."""
    facts, rule = case.facts, case.mapping.period
    no_start = pd.Series(pd.NaT, index=facts.index)
    rolling = facts["period_span"].where(facts["accumulation"] == "rolling")
    year_type = facts["year_type"].astype("object").where(facts["year_type"].notna(), None)
    columns = (
        case.typed.get("period_start", no_start).astype("object"),
        case.raw_text("period_label").str.strip(),
        case.typed_text("frequency"),
        facts["frequency"].astype("object").fillna(rule.frequency or ""),
        _spans(case).fillna(rolling).fillna(""),
        year_type if rule.year_type is None else year_type.map(lambda _: rule.year_type),
    )
    return [*map(_Question._make, zip(*(column.tolist() for column in columns), strict=True))]


def _spans(case: Case) -> pd.Series[Any]:
    """Return the length that the mapping gives for each record's frequency text, NaN for none."""
    spans = {spelling(text): span for text, span in case.mapping.period.spans.items()}
    return case.raw_text("frequency").map(spelling).map(spans).astype("object")


class _Answer(NamedTuple):
    """A period, or the reason why there is none."""

    start: Any = pd.NaT
    end: Any = pd.NaT
    frequency: str = ""
    fits: bool = True
    reason: str = ""


def _answer(question: _Question) -> _Answer:
    try:
        period = _period(question)
    except PmfError as error:
        return _Answer(reason=error.problems[0].message)
    except (ValueError, OverflowError):  # of a period that ends after the year 9999
        return _Answer(reason="the period is outside the calendar.")
    frequency = _FREQUENCY_OF_KIND.get(period.kind, question.declared)
    start, end = pd.Timestamp(period.start), pd.Timestamp(period.end)
    return _Answer(start, end, question.given or frequency, period.fits(question.declared))


def _period(question: _Question) -> Period:
    start, label, given, declared, span, year_type = question
    if pd.notna(start) and span != "label":
        day, frequency = start.date(), given or declared
        return period_from_start(day, frequency, year_type or "financial", span)
    if not label:
        raise PmfError("the period is missing.")
    try:
        return parse_period(label, year_type=year_type, frequency=given or declared or None)
    except AmbiguousPeriodError:
        raise
    except PmfError:
        # A year's target of a quarterly indicator: the register's frequency is only a hint.
        if given or not declared:
            raise
        return parse_period(label, year_type=year_type)
