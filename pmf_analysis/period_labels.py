"""The grammar of period labels: every meaning that a published label can have.

Councils and departments write the same quarter in many ways, and some labels have more than one
meaning. This module lists the meanings of a label; :mod:`pmf_analysis.periods` accepts a label
that has one, and refuses one that has several. Dates are read day first, as the United Kingdom
writes them.
"""

import re
from collections.abc import Callable, Iterable
from datetime import date, timedelta
from typing import NamedTuple

from pmf_analysis import period_spans as spans
from pmf_analysis.period_spans import YEAR_STARTS, Kind, Period, YearType, add_months, part_of_year

_LONGEST_LABEL = 60


class Context(NamedTuple):
    """What the file or register declares beside the label."""

    year_type: YearType | None
    frequency: str | None

    @property
    def of_months(self) -> YearType:
        """The type of year for labels such as months, whose dates do not depend on it."""
        return self.year_type or "calendar"

    def of_kind(self, kind: Kind) -> "Context":
        """Return the same for a kind of period; terms are of academic years whatever is said."""
        return self._replace(year_type="academic") if kind == "term" else self

    def types(self, *possible: YearType) -> Iterable[YearType]:
        """Return the declared type of year alone, else those that a label can be of."""
        return (self.year_type,) if self.year_type else possible


def split_mark(label: str) -> tuple[str, str]:
    """Split a status mark from a label.

    Examples
    --------
    >>> split_mark("2019-20 (Rev)")
    ('2019-20', 'revised')
    >>> split_mark("2019-20")
    ('2019-20', '')
    """
    text = label.strip()
    stem, _, last = text.replace("(", " (").rpartition(" ")
    mark = spans.MARKS.get(last.strip("()").casefold(), "") if stem else ""
    return (stem.rstrip(), mark) if mark else (text, "")


def meanings(label: str, context: Context) -> list[Period]:
    """List what a label can mean, without repeats; an empty list when it cannot be read."""
    if len(label) > _LONGEST_LABEL:
        return []
    text = re.sub(r"[\u2010-\u2015\u2212]", "-", split_mark(label)[0].casefold())
    return list(dict.fromkeys(_read(" ".join(text.replace(",", " ").split()), context)))


def _read(text: str, context: Context) -> list[Period]:
    for pattern, form in _PATTERNS:
        if match := pattern.fullmatch(text):
            try:
                return form(match, context)
            except ValueError:  # a date that does not exist, such as 31 February
                return []
    return _read_range(text, context)


def _read_range(text: str, context: Context) -> list[Period]:
    """Read "A to B", where both sides are labels of the same kind, and "Apr-Jun 2023"."""
    text = re.sub("({M}) ?(-|to) ?({M} ({Y}))".format_map(_PIECES), r"\1 \4 \2 \3", text)
    side = Context(context.year_type, "snapshot")
    for dash in re.finditer(r"\s+to\s+|\s*-\s*", text):
        found = [
            _span(first.start, last.end, first.year_type, context)
            for first in _read_side(text[: dash.start()], side)
            for last in _read_side(text[dash.end() :], side)
            if (first.kind, first.year_type) == (last.kind, last.year_type)
            and first.start <= last.start
        ]
        if found:
            return found
    return []


def _read_side(text: str, context: Context) -> list[Period]:
    """Read one side of a range, which is not a bare year and not itself a range."""
    if text.isdigit() or not any(pattern.fullmatch(text) for pattern, _ in _PATTERNS):
        return []
    return [meaning for meaning in _read(text, context) if meaning.kind != "rolling"]


def _span(start: date, end: date, year_type: YearType, context: Context) -> Period:
    """Call a span a year or a quarter where it is one and the frequency allows it, else rolling."""
    span = Period(start, end, "rolling", year_type)
    if span.months == 12 and start.day == 1 and context.frequency == "annual":
        for candidate in (year_type, *YEAR_STARTS):
            if start.month == YEAR_STARTS[candidate]:
                return Period(start, end, "year", candidate)
    starts_quarter = start.day == 1 and (start.month - YEAR_STARTS[year_type]) % 3 == 0
    if span.months == 3 and starts_quarter and context.frequency in {None, "quarterly"}:
        return Period(start, end, "quarter", year_type)
    return span


# Each form below takes the match of its pattern and returns what the label can mean.


def _bare_year(match: re.Match[str], context: Context) -> list[Period]:
    """Read "2019", in published tables a calendar year or a year that starts or ends in 2019.

    "Year ending 2019" leaves out the years that start in it.
    """
    year = int(match["year"])
    firsts = (year - 1,) if match["ending"] else (year - 1, year)
    return [
        part_of_year(first, year_type, "year")
        for year_type in context.types(*YEAR_STARTS)
        for first in ((year,) if year_type == "calendar" else firsts)
    ]


def _typed_year(match: re.Match[str], _: Context) -> list[Period]:
    """Read "academic year 2022/23", "FY 2022-23" and "2022/23 (academic)"."""
    words: dict[str, YearType] = {"f": "financial", "c": "calendar"}
    return _read(match["rest"], Context(words.get(match["type"][0], "academic"), "annual"))


def _split_year(match: re.Match[str], context: Context) -> list[Period]:
    """Read "2017/18", which is financial or academic, and "18/19"."""
    return _split_year_from(_first_year(match["years"]), context)


def _split_year_from(first: int, context: Context) -> list[Period]:
    types: tuple[YearType, ...] = ("financial", "academic")
    declared = [context.year_type] if context.year_type in types else types
    return [part_of_year(first, year_type, "year") for year_type in declared if year_type]


def _years_with_dash(match: re.Match[str], context: Context) -> list[Period]:
    """Read "2017-18" (a year), "2023-04" (a month) and "2010 - 12" (pooled calendar years)."""
    first, tail = int(match["first"]), match["last"]
    last = int(tail) if len(tail) == 4 else first + (int(tail) - first) % 100
    is_month = match["dash"] == "-" and len(tail) == 2 and 1 <= int(tail) <= 12
    month = _month_meanings(first, int(tail), context) if is_month else []
    if context.frequency in {"monthly", "quarterly"}:
        return month
    years: list[Period] = []
    if last - first == 1 and not (context.frequency or "").startswith("2-year"):
        years = _split_year_from(first, context)
    elif 1 <= last - first <= 10:
        years = _pooled_years(first, last, context)
    if context.frequency is None and month and not years:
        years = _split_year_from(first, context)  # "2023-04" may be "2023-24", mistyped
    return (month if context.frequency in {None, "snapshot"} else []) + years


def _pooled_years(first: int, last: int, context: Context) -> list[Period]:
    """Pool whole years; pooled years without a slash are calendar years unless declared."""
    year_type, years = context.of_months, last - first + 1
    pools = [(first, years)]
    if year_type != "calendar":
        pools = [(first, years - 1), (first, years), (first - 1, years)]
    month = YEAR_STARTS[year_type]
    return [spans.months_from(start, month, 12 * n, "rolling", year_type) for start, n in pools]


def _part(match: re.Match[str], context: Context) -> list[Period]:
    """Read a part of a year; months in the label decide where the year does not.

    A quarter or half of "2022" is of a year that starts in it, or itself starts in it; a term is
    in it, so that "Spring 2026" is of the school year 2025-26.
    """
    term, year = match["term"], match["years"]
    kind: Kind = "term" if term else "quarter" if match["part"][0] == "q" else "half_year"
    number = spans.TERMS.index(term) + 1 if term else int(match["number"])
    declared = context.of_kind(kind)
    if not year.isdigit():
        split_type: YearType = "academic" if declared.year_type == "academic" else "financial"
        found = [part_of_year(_first_year(year), split_type, kind, number)]
    else:
        found = [
            meaning
            for year_type in declared.types("calendar", "financial")
            for first in (int(year), int(year) - 1)
            for meaning in [part_of_year(first, year_type, kind, number)]
            if int(year) in ({meaning.start.year} if term else {first, meaning.start.year})
        ]
    names = re.findall(r"[a-z]+", match["months"] or "")
    wanted = [_month_number(name) for name in (*names[:1], *names[-1:])]
    return [m for m in found if wanted in ([], [m.start.month, m.end.month])]


def _month(match: re.Match[str], context: Context) -> list[Period]:
    return _month_meanings(_full_year(match["year"]), _month_number(match["month"]), context)


def _month_meanings(year: int, month: int, context: Context) -> list[Period]:
    """Return the month; in a quarterly series the quarter of which it is the first or last."""
    itself = spans.months_from(year, month, 1, "month", context.of_months)
    if context.frequency != "quarterly":
        return [itself]
    ends = (itself.start, itself.end)
    return [q for day in ends for q in _bounded(day, "quarter", context)] or [itself]


def _period_to(match: re.Match[str], context: Context) -> list[Period]:
    """Read "Year to Mar 2010" and "12 months ending 31 March 2010"."""
    length = {"year": 12, "quarter": 3}.get(match["length"]) or int(match["length"].split()[0])
    ends = _read(match["end"], Context(context.year_type, "snapshot"))
    return [
        _span(add_months(last.end + timedelta(days=1), -length), last.end, last.year_type, context)
        for last in ends
        if last.kind in {"month", "day"}
    ]


def _days_of(match: re.Match[str], context: Context) -> list[Period]:
    """Read "As at 31 January 2024" and "week ending 13 September 2026"."""
    days = _read(match["day"], Context(context.year_type, "snapshot"))
    if match["edge"] in {"as at", "as of", "at"}:
        return days
    back = timedelta(days=0 if match["edge"] in {"w/c", "week of", "week commencing"} else 6)
    return [spans.week_from(day.start - back, context.of_months) for day in days]


def _date(match: re.Match[str], context: Context) -> list[Period]:
    """Read a date: the day itself, or the period of the declared frequency that it bounds."""
    day = date(int(match["year"]), _month_number(match["month"]), int(match["day"]))
    itself = Period(day, day, "day", context.of_months)
    if context.frequency == "weekly":
        weeks = [spans.week_from(day - timedelta(days=back), context.of_months) for back in (0, 6)]
        return [week for week in weeks if week.start.weekday() == 0] or weeks
    if context.frequency is None:
        months, quarters = (_bounded(day, kind, context) for kind in ("month", "quarter"))
        return [itself, *months, *quarters]
    wanted = spans.KIND_OF_FREQUENCY.get(context.frequency)
    return (_bounded(day, wanted, context) if wanted else []) or [itself]


def _bounded(day: date, kind: Kind, context: Context) -> list[Period]:
    """Return the year, or parts of a year, that begin or end on a day; often there is none."""
    possible: tuple[YearType, ...] = tuple(YEAR_STARTS) if kind == "year" else ("financial",)
    candidates = [
        part_of_year(first_year, year_type, kind, number)
        for year_type in context.of_kind(kind).types(*possible)
        for first_year in (day.year - 1, day.year)
        for number in range(1, 12 // spans.MONTHS_IN[kind] + 1)
    ]
    return [period for period in candidates if day in {period.start, period.end}]


def _first_year(years: str) -> int:
    """Return the year in which "2017/18" or "17-18" starts; a ValueError for 2017/19."""
    start, end = re.split(r"[/-]", years)
    first = _full_year(start)
    if (first + 1) % 10 ** len(end) != int(end):
        raise ValueError(years)
    return first


def _full_year(year: str) -> int:
    if len(year) == 4:
        return int(year)
    return int(year) + (1900 if int(year) >= 70 else 2000)


def _month_number(name: str) -> int:
    """Return the number of a month's name, whole or in three letters, or of its digits."""
    return int(name) if name.isdigit() else _MONTHS.index(name[:3]) + 1


_MONTHS = [name[:3].casefold() for name in spans.MONTH_NAMES]
_PIECES: dict[str, str] = {}
for _name, _piece in spans.NAMES["pieces"].items():
    _PIECES[_name] = _piece.format_map(_PIECES)
Form = Callable[[re.Match[str], Context], list[Period]]
_FORMS: dict[str, Form] = {
    **{"bare_year": _bare_year, "years_with_dash": _years_with_dash, "split_year": _split_year},
    **{"part": _part, "month": _month, "date": _date, "days_of": _days_of},
    **{"typed_year": _typed_year, "period_to": _period_to},
}
_PATTERNS = [
    (re.compile(pattern.format_map(_PIECES)), _FORMS[form])
    for form, patterns in spans.NAMES["patterns"].items()
    for pattern in patterns
]
