"""The span of days that a value describes: its order, its arithmetic and its names.

A period is its first and last day. Its kind and the type of year it belongs to say how it is
named: the quarter from July to September is ``2026-27 Q2`` of a financial year and ``2026 Q3``
of a calendar year. School terms are cut into thirds of the academic year, September to December,
January to April, May to August, because the dates of Easter and of holidays differ by council.
"""

from calendar import monthrange
from dataclasses import dataclass, field, replace
from datetime import date, timedelta
from functools import lru_cache
from typing import Literal

from pmf_analysis.shipped import read_shipped

Kind = Literal["year", "half_year", "quarter", "month", "week", "term", "day", "rolling"]
YearType = Literal["financial", "academic", "calendar"]

YEAR_STARTS: dict[YearType, int] = {"financial": 4, "academic": 9, "calendar": 1}
MONTHS_IN: dict[Kind, int] = {"year": 12, "half_year": 6, "term": 4, "quarter": 3, "month": 1}
NAMES = read_shipped("period_names.yml")
PERIODS_PER_YEAR: dict[str, float] = NAMES["periods_per_year"]
# Of every frequency but weekly.
MONTHS_A_PERIOD = {name: int(12 / rate) for name, rate in PERIODS_PER_YEAR.items() if rate <= 12}
KIND_OF_FREQUENCY: dict[str, Kind] = NAMES["kind_of_frequency"]
TERMS = ("autumn", "spring", "summer")
MONTH_NAMES: list[str] = NAMES["months"]
# Words behind a label, such as "(prov)", and the state of values that each tells.
MARKS: dict[str, str] = NAMES["marks"]
_DAY = timedelta(days=1)


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
        return self._named("label", 3)

    @property
    def long_label(self) -> str:
        """The name in full words, such as ``Quarter 2 (July to September) 2026-27``."""
        return self._named("long_label", 9)

    @property
    def plain_label(self) -> str:
        """The name with one meaning where no type of year is declared: ``2026 Q3 Jul-Sep``."""
        return self._named("plain_label", 3)

    @property
    def slug(self) -> str:
        """The name for files and addresses, such as ``2026-27-q2``."""
        return self.label.casefold().replace(" ", "-")

    @property
    def months(self) -> int:
        """How many whole months it lasts; 0 for a day, a week or another number of days."""
        after = self.end + _DAY
        months = (after.year - self.start.year) * 12 + after.month - self.start.month
        return months if months > 0 and after.day == self.start.day else 0

    @property
    def number(self) -> int:
        """Which quarter, half or term of its year it is, from 1; 1 for a year."""
        since_start = (self.start.month - YEAR_STARTS[self.year_type]) % 12
        return since_start // MONTHS_IN.get(self.kind, 12) + 1

    def fits(self, frequency: str) -> bool:
        """Say whether values of this period can belong to a series of that frequency.

        A rolling window or a day in a snapshot series fits every frequency.
        """
        return self.kind in {"rolling", "day", KIND_OF_FREQUENCY.get(frequency, self.kind)}

    def _named(self, names: str, letters: int) -> str:
        first, last = (MONTH_NAMES[day.month - 1] for day in (self.start, self.end))
        year, last_year = (_year_name(day, self.year_type) for day in (self.start, self.end))
        parts = {"first": first, "last": last, "year": year, "last_year": last_year, "m": letters}
        parts["half"] = ("First", "Second")[(self.number - 1) % 2]
        parts["term"] = TERMS[(self.number - 1) % 3].title()
        return str(NAMES[names][self._style]).format(p=self, **parts)

    @property
    def _style(self) -> str:
        """The kind; of a rolling span what names it: years if it pools them, months or days."""
        if self.kind != "rolling":
            return self.kind
        if not self.months or self.start.day != 1:
            return "days"
        starts_a_year = self.start.month == YEAR_STARTS[self.year_type]
        return "years" if starts_a_year and self.months in range(24, 1200, 12) else "months"


def months_from(year: int, month: int, months: int, kind: Kind, year_type: YearType) -> Period:
    """Return the period that starts on the first of a month and lasts whole months."""
    start = date(year, month, 1)
    return Period(start, add_months(start, months) - _DAY, kind, year_type)


def part_of_year(first_year: int, year_type: YearType, kind: Kind, number: int = 1) -> Period:
    """Return the numbered quarter, half, term or month of a year, or the year itself."""
    start = add_months(date(first_year, YEAR_STARTS[year_type], 1), (number - 1) * MONTHS_IN[kind])
    return months_from(start.year, start.month, MONTHS_IN[kind], kind, year_type)


def week_from(start: date, year_type: YearType) -> Period:
    """Return the seven days from a day on, which need not be a Monday."""
    return Period(start, start + 6 * _DAY, "week", year_type)


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
    if frequency == "weekly" and not span:
        return week_from(start, year_type)
    months = months_of_span(span) if span else MONTHS_A_PERIOD.get(frequency, 0)
    if not months:
        return Period(start, start, "day", year_type)
    named_by: YearType = "academic" if frequency == "termly" else year_type
    kind, end = KIND_OF_FREQUENCY.get(frequency, "rolling"), add_months(start, months) - _DAY
    return called(kind, start, end, named_by)


def called(kind: Kind, start: date, end: date, year_type: YearType) -> Period:
    """Return a span as a period of a kind where it is one, else as a rolling one."""
    span = Period(start, end, "rolling", year_type)
    offset = start.month - YEAR_STARTS[year_type]
    is_one = span.months == MONTHS_IN.get(kind) and start.day == 1 and offset % span.months == 0
    return replace(span, kind=kind) if is_one else span


def months_of_span(span: str) -> int:
    """Return how many months a span lasts: 1 of "1m", 3 of "1q", 36 of "3y"."""
    return int(span[:-1]) * {"m": 1, "q": 3, "y": 12}[span[-1]]


def add_months(day: date, months: int) -> date:
    """Move a date by whole months; a day that the month lacks becomes its last day."""
    year, month0 = divmod(day.year * 12 + day.month - 1 + months, 12)
    return date(year, month0 + 1, min(day.day, monthrange(year, month0 + 1)[1]))


def _year_name(day: date, year_type: YearType) -> str:
    if year_type == "calendar":
        return str(day.year)
    first = day.year - (day.month < YEAR_STARTS[year_type])
    return f"{first}-{(first + 1) % 100:02d}"
