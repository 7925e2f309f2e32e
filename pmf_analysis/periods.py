"""Reporting periods: reading a label, naming the period of a day, labels for whole columns.

The span itself is :class:`pmf_analysis.period_spans.Period`; what a label can mean is in
:mod:`pmf_analysis.period_labels`. Everything that other rooms need is named here.
"""

from __future__ import annotations

from collections.abc import Iterable
from datetime import date, timedelta
from functools import lru_cache

from pmf_analysis.period_labels import Context, meanings, split_mark
from pmf_analysis.period_spans import (
    KIND_OF_FREQUENCY,
    MONTH_NAMES,
    MONTHS_IN,
    YEAR_STARTS,
    Kind,
    Period,
    YearType,
    add_months,
    week_from,
)
from pmf_analysis.problems import PmfError, Problem

__all__ = [
    "PERIODS_PER_YEAR",
    "YEAR_STARTS",
    "AmbiguousPeriodError",
    "Kind",
    "Period",
    "YearType",
    "label_starts",
    "parse_period",
    "period_from_start",
    "split_mark",
]

PERIODS_PER_YEAR: dict[str, float] = {
    "weekly": 52,
    "monthly": 12,
    "quarterly": 4,
    "termly": 3,
    "half_yearly": 2,
    "annual": 1,
    "biennial": 0.5,
}
_MONTHS_OF_FREQUENCY = {
    "monthly": 1,
    "quarterly": 3,
    "termly": 4,
    "half_yearly": 6,
    "annual": 12,
    "biennial": 24,
}


class AmbiguousPeriodError(PmfError):
    """A label with more than one meaning; ``choices`` are the periods it may mean."""

    def __init__(self, label: str, choices: tuple[Period, ...]) -> None:
        self.label, self.choices = label, choices
        super().__init__(
            Problem(
                f'The period "{label}" can mean more than one thing: '
                f"{'; or '.join(choice.long_label for choice in choices)}.",
                code="period-ambiguous",
                value=label,
                expected="a label with one meaning",
                fix="declare the type of year (financial, academic or calendar) or the frequency, "
                f"or write {' or '.join(_in_full(choice) for choice in choices)}.",
            )
        )

    def __reduce__(self) -> tuple[type[AmbiguousPeriodError], tuple[str, tuple[Period, ...]]]:
        return AmbiguousPeriodError, (self.label, self.choices)


@lru_cache(maxsize=4096)
def parse_period(
    text: str, *, year_type: YearType | None = None, frequency: str | None = None
) -> Period:
    """Read a period label that has exactly one meaning.

    Parameters
    ----------
    text
        The label as published; marks such as ``(Rev)`` or ``(prov)`` are passed over, see
        :func:`split_mark`.
    year_type
        The type of year of the indicator or file. Without it "2017/18" is refused, because it
        may be a financial or an academic year.
    frequency
        The declared frequency, which tells a month "2011-12" from a year, and the quarter that
        ends on "2008-12-31" from that day.

    Raises
    ------
    AmbiguousPeriodError
        When the label has several meanings, with the choices.
    PmfError
        When it has none; a blank label too.

    Examples
    --------
    >>> parse_period("Q1 18/19").label
    '2018-19 Q1'
    >>> parse_period("2019 Q1 Jan-Mar").long_label
    'Quarter 1 (January to March) 2019'
    """
    found = meanings(text, Context(year_type, frequency))
    if not found:
        raise PmfError(
            Problem(
                f'The period "{text}" cannot be read.',
                code="period-not-read",
                value=text,
                expected='a label such as "2026-27 Q2", "Sep 2026", "2026-27" or "Autumn 2026"',
            )
        )
    if len(found) > 1:
        raise AmbiguousPeriodError(text, tuple(found))
    return found[0]


@lru_cache(maxsize=16384)
def period_from_start(
    start: date, frequency: str, year_type: YearType = "financial", span: str = ""
) -> Period:
    """Return the period of a frequency that starts on a day.

    A start that does not begin a quarter, term or year of the type of year gives a ``rolling``
    period of that length. ``span`` ("1m", "1q", "1y", "3y") is the length of a rolling or pooled
    value where it differs from the frequency. A frequency that is not known gives the day.
    """
    start = date(start.year, start.month, start.day)  # a time stamp of pandas is a date too
    if span:
        months = int(span[:-1]) * {"m": 1, "q": 3, "y": 12}[span[-1]]
    elif frequency == "weekly":
        return week_from(start, year_type)
    else:
        months = _MONTHS_OF_FREQUENCY.get(frequency, 0)
    if not months:
        return Period(start, start, "day", year_type)
    end = add_months(start, months) - timedelta(days=1)
    named_by: YearType = "academic" if frequency == "termly" else year_type
    kind = KIND_OF_FREQUENCY.get(frequency, "rolling")
    offset = (start.month - YEAR_STARTS[named_by]) % 12
    if MONTHS_IN.get(kind) != months or start.day != 1 or offset % months:
        kind = "rolling"
    return Period(start, end, kind, named_by)


def label_starts(
    starts: Iterable[date], frequency: str, year_type: YearType = "financial", span: str = ""
) -> list[str]:
    """Return the label of each period that starts on the given days; blank for a missing day.

    Every distinct day is named once, so thousands of rows cost little.
    """
    days = list(starts)
    names = {day: _label_of_start(day, frequency, year_type, span) for day in set(days)}
    return [names[day] for day in days]


def _label_of_start(start: date, frequency: str, year_type: YearType, span: str) -> str:
    is_missing = start != start  # the missing time of pandas, alone, differs from itself
    return "" if is_missing else period_from_start(start, frequency, year_type, span).label


def _in_full(period: Period) -> str:
    """Write a period so that its label has one meaning even where nothing is declared."""
    first, last = (MONTH_NAMES[day.month - 1][:3] for day in (period.start, period.end))
    label = period.label
    if period.kind == "year":
        label = f"{period.year_type} year {label}"
    elif period.kind == "quarter" and period.year_type == "calendar":
        label = f"{label} {first}-{last}"
    elif period.kind == "rolling":
        label = f"{first} {period.start.year} to {last} {period.end.year}"
    return f'"{label}"'
