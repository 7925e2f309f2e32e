"""The period of each record: from its first day and frequency, else from its label."""

from __future__ import annotations

from typing import Any, NamedTuple

import pandas as pd

from pmf_analysis.data.contract import column_names
from pmf_analysis.period_spans import KIND_OF_FREQUENCY
from pmf_analysis.periods import AmbiguousPeriodError, Period, parse_period, period_from_start
from pmf_analysis.problems import PmfError
from pmf_analysis.systems.faults import Case
from pmf_analysis.systems.mapping import spelling

_FREQUENCY_OF_KIND = {str(kind): frequency for frequency, kind in KIND_OF_FREQUENCY.items()}


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
    expected = 'a period with one meaning, such as "2026-27 Q2"'
    case.add(failed, name, "period-not-read", found["reason"], expected)
    typed["period_start"] = found["start"]
    if "period_end" in columns:
        typed["period_end"] = typed.get("period_end", found["end"]).fillna(found["end"])
    if "frequency" not in columns:  # only observations have one, and only they must fit it
        return nothing
    typed["frequency"] = found["frequency"]
    other = ~found["fits"] & ~failed
    if case.mapping.period.other_lengths == "ignore":
        return other & ~case.bad
    case.add(
        other,
        name,
        "period-length",
        "the period is of another length than the register says.",
        "a period of an indicator that is " + case.facts["frequency"].fillna("").astype("str"),
        "correct the frequency in the register, or let the mapping ignore other_lengths",
    )
    return nothing


def _questions(case: Case) -> list[_Question]:
    """Return what decides the period of each record."""
    facts, rule = case.facts, case.mapping.period
    no_start = pd.Series(pd.NaT, index=facts.index)
    spans = {spelling(text): span for text, span in rule.spans.items()}
    span = case.raw_text("frequency").map(spelling).map(spans).astype("object")
    rolling = facts["period_span"].where(facts["accumulation"] == "rolling")
    year_type = facts["year_type"].astype("object").where(facts["year_type"].notna(), None)
    columns = (
        case.typed.get("period_start", no_start).astype("object"),
        case.raw_text("period_label").str.strip(),
        case.typed_text("frequency"),
        facts["frequency"].astype("object").fillna(rule.frequency or ""),
        span.fillna(rolling).fillna(""),
        year_type if rule.year_type is None else year_type.map(lambda _: rule.year_type),
    )
    return [*map(_Question._make, zip(*(column.tolist() for column in columns), strict=True))]


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
