"""The grammar of period labels: every meaning that a published label can have.

Councils and departments write the same quarter in many ways, and some labels have more than one
meaning. This module lists the meanings of a label; :mod:`pmf_analysis.periods` accepts a label
that has one, and refuses one that has several. Dates are read day first, as the United Kingdom
writes them.
"""

import re
from collections.abc import Iterable
from contextlib import suppress
from datetime import date, timedelta
from typing import NamedTuple

from pmf_analysis import period_spans as spans
from pmf_analysis.period_spans import YEAR_STARTS, Kind, Period, YearType, add_months, part_of_year

_LONGEST_LABEL = 60
_MONTHS = [name[:3].casefold() for name in spans.MONTH_NAMES]


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


class Context(NamedTuple):
    """What the file or register declares beside a label, and how labels are read with it.

    Each form of label in ``period_names.yml`` is read by the method of its name, ``_read_`` and
    the form, which takes the match of its pattern and returns what the label can mean.
    """

    year_type: YearType | None
    frequency: str | None

    @property
    def of_months(self) -> YearType:
        """The type of year for labels such as months, whose dates do not depend on it."""
        return self.year_type or "calendar"

    def types(self, kind: Kind, *possible: YearType) -> Iterable[YearType]:
        """Return the declared type of year alone, else those that a kind of period can be of.

        Terms are of academic years whatever is said.
        """
        declared: YearType | None = "academic" if kind == "term" else self.year_type
        return (declared,) if declared else possible

    def meanings(self, label: str) -> list[Period]:
        """List what a label can mean, without repeats; an empty list when it cannot be read."""
        if len(label) > _LONGEST_LABEL:
            return []
        text = re.sub(r"[\u2010-\u2015\u2212]", "-", split_mark(label)[0].casefold())
        return list(dict.fromkeys(self._read(" ".join(text.replace(",", " ").split()))))

    def _read(self, text: str) -> list[Period]:
        for pattern, form in _PATTERNS:
            if match := pattern.fullmatch(text):
                with suppress(ValueError):  # of a date that does not exist, such as 31 February
                    return list(getattr(self, f"_read_{form}")(match))
                return []
        return self._read_range(text)

    def _read_range(self, text: str) -> list[Period]:
        """Read "A to B", where both sides are labels of the same kind, and "Apr-Jun 23"."""
        months = r"({M}) ?(-|to) ?({M} ({Y}|\d\d))(?!\S)".format_map(_PIECES)
        text, side = re.sub(months, r"\1 \4 \2 \3", text), self._replace(frequency="snapshot")
        for dash in re.finditer(r"\s+to\s+|\s*-\s*", text):
            found = [
                self._span(first.start, last.end, first.year_type)
                for first in side._read_side(text[: dash.start()])
                for last in side._read_side(text[dash.end() :])
                if (first.kind, first.year_type) == (last.kind, last.year_type)
                and first.start <= last.start
            ]
            if found:
                return found
        return []

    def _read_side(self, text: str) -> list[Period]:
        """Read one side of a range, which is not a bare year and not itself a range."""
        if text.isdigit() or not any(pattern.fullmatch(text) for pattern, _ in _PATTERNS):
            return []
        return [meaning for meaning in self._read(text) if meaning.kind != "rolling"]

    def _span(self, start: date, end: date, year_type: YearType) -> Period:
        """Call a span a year or quarter where it is one of the frequency, else rolling."""
        kinds: dict[str | None, Kind] = {None: "quarter", "quarterly": "quarter", "annual": "year"}
        kind = kinds.get(self.frequency, "rolling")
        types = (year_type, *YEAR_STARTS) if kind == "year" else (year_type,)
        found = [spans.called(kind, start, end, each) for each in types]
        return next((span for span in found if span.kind == kind), found[0])

    def _read_bare_year(self, match: re.Match[str]) -> list[Period]:
        """Read "2019", in published tables a calendar year or a year that starts or ends in 2019.

        "Year ending 2019" leaves out the years that start in it.
        """
        year = int(match["year"])
        firsts = (year - 1,) if match["ending"] else (year - 1, year)
        return [
            part_of_year(first, year_type, "year")
            for year_type in self.types("year", *YEAR_STARTS)
            for first in ((year,) if year_type == "calendar" else firsts)
        ]

    def _read_typed_year(self, match: re.Match[str]) -> list[Period]:
        """Read "academic year 2022/23", "FY 2022-23" and "2022/23 (academic)"."""
        words: dict[str, YearType] = {"f": "financial", "c": "calendar"}
        return Context(words.get(match["type"][0], "academic"), "annual")._read(match["rest"])

    def _read_split_year(self, match: re.Match[str]) -> list[Period]:
        """Read "2017/18", which is financial or academic, and "18/19"."""
        return self._split_year(_first_year(match["years"]))

    def _split_year(self, first: int) -> list[Period]:
        types: tuple[YearType, ...] = ("financial", "academic")
        declared = [each for each in types if self.year_type in {None, "calendar", each}]
        return [part_of_year(first, year_type, "year") for year_type in declared]

    def _read_years_with_dash(self, match: re.Match[str]) -> list[Period]:
        """Read "2017-18" (a year), "2023-04" (a month) and "2010 - 12" (pooled calendar years)."""
        first, tail = int(match["first"]), match["last"]
        last = int(tail) if len(tail) == 4 else first + (int(tail) - first) % 100
        is_month = match["dash"] == "-" and len(tail) == 2 and 1 <= int(tail) <= 12
        month = self._months(first, int(tail)) if is_month else []
        if self.frequency in {"monthly", "quarterly"}:
            return month
        years: list[Period] = []
        if last - first == 1 and not (self.frequency or "").startswith("2-year"):
            years = self._split_year(first)
        elif 1 <= last - first <= 10:
            years = self._pooled_years(first, last)
        if self.frequency is None and month and not years:
            years = self._split_year(first)  # "2023-04" may be "2023-24", mistyped
        return (month if self.frequency in {None, "snapshot"} else []) + years

    def _pooled_years(self, first: int, last: int) -> list[Period]:
        """Pool whole years; pooled years without a slash are calendar years unless declared."""
        year_type, years = self.of_months, last - first + 1
        pools = [(first, years)]
        if year_type != "calendar":
            pools = [(first, years - 1), (first, years), (first - 1, years)]
        month = YEAR_STARTS[year_type]
        return [spans.months_from(start, month, 12 * n, "rolling", year_type) for start, n in pools]

    def _read_part(self, match: re.Match[str]) -> list[Period]:
        """Read a part of a year; months in the label decide where the year does not.

        A quarter or half of "2022" is of a year that starts in it, or itself starts in it; a term
        is in it, so that "Spring 2026" is of the school year 2025-26.
        """
        term, year = match["term"], match["years"]
        kind: Kind = "term" if term else "quarter" if match["part"][0] == "q" else "half_year"
        number = spans.TERMS.index(term) + 1 if term else int(match["number"])
        if not year.isdigit():
            split_type: YearType = "academic" if "academic" in self.types(kind) else "financial"
            found = [part_of_year(_first_year(year), split_type, kind, number)]
        else:
            found = [
                meaning
                for year_type in self.types(kind, "calendar", "financial")
                for first in (int(year), int(year) - 1)
                for meaning in [part_of_year(first, year_type, kind, number)]
                if int(year) in ({meaning.start.year} if term else {first, meaning.start.year})
            ]
        names = re.findall(r"[a-z]+", match["months"] or "")
        wanted = [_month_number(name) for name in (*names[:1], *names[-1:])]
        return [m for m in found if wanted in ([], [m.start.month, m.end.month])]

    def _read_month(self, match: re.Match[str]) -> list[Period]:
        return self._months(_full_year(match["year"]), _month_number(match["month"]))

    def _months(self, year: int, month: int) -> list[Period]:
        """Return the month; in a quarterly series the quarter of which it is the first or last."""
        itself = spans.months_from(year, month, 1, "month", self.of_months)
        if self.frequency != "quarterly":
            return [itself]
        ends = (itself.start, itself.end)
        return [q for day in ends for q in self._bounded(day, "quarter")] or [itself]

    def _read_period_to(self, match: re.Match[str]) -> list[Period]:
        """Read "Year to Mar 2010" and "12 months ending 31 March 2010"."""
        length = {"year": 12, "quarter": 3}.get(match["length"]) or int(match["length"].split()[0])
        return [
            self._span(add_months(last.end + timedelta(days=1), -length), last.end, last.year_type)
            for last in self._replace(frequency="snapshot")._read(match["end"])
            if last.kind in {"month", "day"}
        ]

    def _read_days_of(self, match: re.Match[str]) -> list[Period]:
        """Read "As at 31 January 2024" and "week ending 13 September 2026"."""
        days = self._replace(frequency="snapshot")._read(match["day"])
        if match["edge"] in {"as at", "as of", "at"}:
            return days
        back = timedelta(days=0 if match["edge"] in {"w/c", "week of", "week commencing"} else 6)
        return [spans.week_from(day.start - back, self.of_months) for day in days]

    def _read_date(self, match: re.Match[str]) -> list[Period]:
        """Read a date: the day itself, or the period of the declared frequency that it bounds."""
        day = date(int(match["year"]), _month_number(match["month"]), int(match["day"]))
        itself = Period(day, day, "day", self.of_months)
        if self.frequency == "weekly":
            weeks = [spans.week_from(day - timedelta(days=back), self.of_months) for back in (0, 6)]
            return [week for week in weeks if week.start.weekday() == 0] or weeks
        if self.frequency is None:
            months, quarters = (self._bounded(day, kind) for kind in ("month", "quarter"))
            return [itself, *months, *quarters]
        wanted = spans.KIND_OF_FREQUENCY.get(self.frequency)
        return (self._bounded(day, wanted) if wanted else []) or [itself]

    def _bounded(self, day: date, kind: Kind) -> list[Period]:
        """Return the year, or parts of a year, that begin or end on a day; often there is none."""
        possible: tuple[YearType, ...] = tuple(YEAR_STARTS) if kind == "year" else ("financial",)
        candidates = [
            part_of_year(first_year, year_type, kind, number)
            for year_type in self.types(kind, *possible)
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


_PIECES = spans.NAMES["pieces"]
# Each pattern with the name of its form; a piece may itself hold pieces.
_PATTERNS = [
    (re.compile(pattern.format_map(_PIECES).format_map(_PIECES)), form)
    for form, patterns in spans.NAMES["patterns"].items()
    for pattern in patterns
]
