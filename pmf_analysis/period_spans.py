"""The span of days that a value describes: its order, its arithmetic and its names.

A period is its first and last day. Its kind and the type of year it belongs to say how it is
named: the quarter from July to September is ``2026-27 Q2`` of a financial year and ``2026 Q3``
of a calendar year. School terms are cut into thirds of the academic year, September to December,
January to April, May to August, because the dates of Easter and of holidays differ by council.
"""

from __future__ import annotations

from calendar import monthrange
from dataclasses import dataclass, field
from datetime import date, timedelta
from typing import Literal

Kind = Literal["year", "half_year", "quarter", "month", "week", "term", "day", "rolling"]
YearType = Literal["financial", "academic", "calendar"]

YEAR_STARTS: dict[YearType, int] = {"financial": 4, "academic": 9, "calendar": 1}
MONTHS_IN: dict[Kind, int] = {"year": 12, "half_year": 6, "term": 4, "quarter": 3, "month": 1}
KIND_OF_FREQUENCY: dict[str, Kind] = {
    "annual": "year",
    "half_yearly": "half_year",
    "termly": "term",
    "quarterly": "quarter",
    "monthly": "month",
    "weekly": "week",
}
TERMS = ("autumn", "spring", "summer")
MONTH_NAMES = (
    *("January", "February", "March", "April", "May", "June"),
    *("July", "August", "September", "October", "November", "December"),
)
HALVES = ("First half", "Second half")


@dataclass(frozen=True, order=True, slots=True)
class Period:
    """A span of whole days, ordered and compared by its dates alone.

    Parameters
    ----------
    start, end
        First and last day, both included.
    kind
        What the span is called; ``rolling`` is any span without a name of its own, such as
        twelve months to any month, or pooled years.
    year_type
        The type of year that names it.
    """

    start: date
    end: date
    kind: Kind = field(compare=False)
    year_type: YearType = field(compare=False)

    @property
    def label(self) -> str:
        """The name that sorts and that :func:`parse_period` reads back, such as ``2026-27 Q2``."""
        if self.kind in {"quarter", "half_year"}:
            return f"{self._year_name} {self.kind[0].upper()}{self.number}"
        if self.kind == "term":
            return f"{self._year_name} {TERMS[self.number - 1].title()}"
        return {
            "year": self._year_name,
            "month": _month_name(self.start, 3),
            "week": f"Week of {_day_name(self.start, 3)}",
            "day": f"As at {_day_name(self.start, 3)}",
            "rolling": self._span_name(3),
        }[self.kind]

    @property
    def long_label(self) -> str:
        """The name in full words, such as ``Quarter 2 (July to September) 2026-27``."""
        months = f"({MONTH_NAMES[self.start.month - 1]} to {MONTH_NAMES[self.end.month - 1]})"
        part = {
            "quarter": f"Quarter {self.number}",
            "half_year": HALVES[(self.number - 1) % 2],
            "term": f"{TERMS[(self.number - 1) % 3].title()} term",
        }.get(self.kind)
        if part:
            return f"{part} {months} {self._year_name}"
        return {
            "year": f"{self._year_name} {self.year_type} year {months}",
            "month": _month_name(self.start),
            "week": f"Week of {_day_name(self.start)}",
            "day": _day_name(self.start),
            "rolling": self._long_span_name(),
        }[self.kind]

    @property
    def short_label(self) -> str:
        """The name for an axis, where the part of the year comes first: ``Q2 2026-27``."""
        if self.kind in {"quarter", "half_year", "term"}:
            year, part = self.label.rsplit(" ", 1)
            return f"{part} {year}"
        if self.kind == "rolling" and self.months == 12 and self.start.day == 1:
            return f"Year to {_month_name(self.end, 3)}"
        return self.label.removeprefix("As at ").removeprefix("Week of ")

    @property
    def slug(self) -> str:
        """The name for files and addresses, such as ``2026-27-q2``."""
        return self.label.casefold().replace(" ", "-")

    @property
    def months(self) -> int:
        """How many whole months it lasts; 0 for a day, a week or another number of days."""
        return whole_months(self.start, self.end)

    @property
    def number(self) -> int:
        """Which quarter, half or term of its year it is, from 1; 1 for a year."""
        since_start = (self.start.month - YEAR_STARTS[self.year_type]) % 12
        return since_start // MONTHS_IN.get(self.kind, 12) + 1

    @property
    def same_period_last_year(self) -> Period:
        """The period a year before; for a week, the one 52 weeks before."""
        return self._moved(0, -364) if self.kind == "week" else self._moved(-12, 0)

    def next(self, n: int = 1) -> Period:
        """Return the n-th period after this one, of the same length and not overlapping."""
        if self.months:
            return self._moved(n * self.months, 0)
        return self._moved(0, n * ((self.end - self.start).days + 1))

    def previous(self, n: int = 1) -> Period:
        """Return the n-th period before this one, of the same length and not overlapping."""
        return self.next(-n)

    def fits(self, frequency: str) -> bool:
        """Say whether values of this period can belong to a series of that frequency.

        A rolling window or a day in a snapshot series fits every frequency.
        """
        return self.kind in {"rolling", "day", KIND_OF_FREQUENCY.get(frequency, self.kind)}

    def _moved(self, months: int, days: int) -> Period:
        """Move both ends; the end is moved by the day after it, so that months stay whole."""
        step, day = timedelta(days=days), timedelta(days=1)
        start = add_months(self.start, months) + step
        if not self.months:
            end = start + (self.end - self.start)
        else:
            end = add_months(self.end + day, months) + step - day
        return Period(start, end, self.kind, self.year_type)

    @property
    def _year_name(self) -> str:
        return _year_name(self.start, self.year_type)

    def _span_name(self, letters: int | None) -> str:
        """Name a rolling span by its years if it pools whole years, by months, else by days."""
        if self._pools_years:
            return f"{self._year_name} to {_year_name(self.end, self.year_type)}"
        name = _month_name if self.months and self.start.day == 1 else _day_name
        return f"{name(self.start, letters)} to {name(self.end, letters)}"

    def _long_span_name(self) -> str:
        return self._span_name(None) + f" ({self.year_type} years)" * self._pools_years

    @property
    def _pools_years(self) -> bool:
        starts_a_year = (self.start.month, self.start.day) == (YEAR_STARTS[self.year_type], 1)
        return starts_a_year and self.months > 12 and self.months % 12 == 0


def months_from(year: int, month: int, months: int, kind: Kind, year_type: YearType) -> Period:
    """Return the period that starts on the first of a month and lasts whole months."""
    start = date(year, month, 1)
    return Period(start, add_months(start, months) - timedelta(days=1), kind, year_type)


def part_of_year(first_year: int, year_type: YearType, kind: Kind, number: int = 1) -> Period:
    """Return the numbered quarter, half, term or month of a year, or the year itself."""
    start = add_months(date(first_year, YEAR_STARTS[year_type], 1), (number - 1) * MONTHS_IN[kind])
    return months_from(start.year, start.month, MONTHS_IN[kind], kind, year_type)


def week_from(start: date, year_type: YearType) -> Period:
    """Return the seven days from a day on, which need not be a Monday."""
    return Period(start, start + timedelta(days=6), "week", year_type)


def month_number(name: str) -> int:
    """Return the number of a month's name, whole or in three letters, or of its digits."""
    if name.isdigit():
        return int(name)
    return 1 + [month[:3].casefold() for month in MONTH_NAMES].index(name[:3].casefold())


def bounded_by(day: date, kind: Kind, year_type: YearType) -> list[Period]:
    """Return the year, or parts of a year, that begin or end on a day; often there is none."""
    candidates = (
        part_of_year(first_year, year_type, kind, number)
        for first_year in (day.year - 1, day.year)
        for number in range(1, 12 // MONTHS_IN[kind] + 1)
    )
    return [period for period in candidates if day in {period.start, period.end}]


def add_months(day: date, months: int) -> date:
    """Move a date by whole months; a day that the month lacks becomes its last day."""
    year, month0 = divmod(day.year * 12 + day.month - 1 + months, 12)
    return date(year, month0 + 1, min(day.day, monthrange(year, month0 + 1)[1]))


def whole_months(start: date, end: date) -> int:
    """Count the months of a span, 0 when it is not made of whole months."""
    after = end + timedelta(days=1)
    months = (after.year - start.year) * 12 + after.month - start.month
    return months if months > 0 and after.day == start.day else 0


def _year_name(day: date, year_type: YearType) -> str:
    if year_type == "calendar":
        return str(day.year)
    first = day.year - (day.month < YEAR_STARTS[year_type])
    return f"{first}-{(first + 1) % 100:02d}"


def _month_name(day: date, letters: int | None = None) -> str:
    return f"{MONTH_NAMES[day.month - 1][:letters]} {day.year}"


def _day_name(day: date, letters: int | None = None) -> str:
    return f"{day.day} {_month_name(day, letters)}"
