"""The time axis of a chart: where a period stands and how councils name its year.

Positions are months since year 0, and a period stands in its middle, so that quarters, months and
years of one series and its forecast share a scale. Years are the council's: financial years begin
in April, academic years in September.
"""

import math
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from itertools import pairwise
from typing import Any

import numpy as np
import pandas as pd

from pmf_analysis.periods import PERIODS_PER_YEAR
from pmf_analysis.story import figures
from pmf_analysis.story.canvas import Canvas, Ends, Floats, Words, canvas, measure, scale_width

MONTHS = {name: 12 / count for name, count in PERIODS_PER_YEAR.items()}
_FIRST_MONTH = {"financial": 4, "academic": 9, "calendar": 1}
_NAMES = ["Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"]
_DAYS = 30.44
_MOST_NAMED = {"monthly": 14, "quarterly": 7}


def positions(starts: Sequence[Any] | pd.Series, frequency: str) -> Floats:
    """Return where periods that begin on these dates stand; unknown frequencies count as months."""
    dates = pd.DatetimeIndex(pd.to_datetime(starts))
    months = dates.year * 12 + dates.month - 1 + (dates.day - 1) / _DAYS
    return np.asarray(months, float) + MONTHS.get(frequency, 1) / 2


def year_label(year: int, year_type: str) -> str:
    """Name the year that begins in this calendar year: 2026-27, academic 2026/27, or 2026."""
    join = {"financial": "-", "academic": "/"}.get(year_type)
    return f"{year}{join}{(year + 1) % 100:02d}" if join else str(year)


@contextmanager
def time_chart(
    values: Ends, span: Ends, room: tuple[float, float, float], subject: figures.Subject
) -> Iterator[Canvas]:
    """Open a canvas with a scale of values at the left and the council's time below.

    ``span`` is the places of the first and the last period.
    ``room`` is the height of the canvas without the time axis, and the margins at top and right.
    Years are centred under their span, and the
    periods stand above them where they are few enough to write the months of each.
    """
    (height, top, right), frequency = room, subject.frequency
    months = MONTHS.get(frequency, 1)
    low, high = span[0] - months / 2, span[1] + months / 2
    has_periods = round((high - low) / months) <= _MOST_NAMED.get(frequency, 0)
    bottom, left = 50.0 if has_periods else 32.0, scale_width(values, subject.unit)
    with canvas(height + bottom, left=left, right=right, bottom=bottom, top=top) as sheet:
        sheet.is_timeline = True
        sheet.axes.set_xlim(low, high)
        sheet.scale(values, subject.unit)
        if has_periods:
            _write_periods(sheet, low, high, months, bottom - 13)
        _write_years(sheet, low, high, subject.year_type, bottom - (30 if has_periods else 13))
        yield sheet


def _write_years(sheet: Canvas, low: float, high: float, year_type: str, y: float) -> None:
    first, area = _FIRST_MONTH.get(year_type, 1) - 1, sheet.area
    years = range(math.floor((low - first) / 12), math.floor((high - first - 1e-9) / 12) + 1)
    edges = [sheet.pixel(year * 12 + first, 0)[0] for year in (*years, years[-1] + 1)]
    spans = list(pairwise(np.clip(edges, area.left, area.right)))
    for start, _ in spans[1:]:
        sheet.line("tick", [start, start], [area.bottom, area.bottom - 5])
    widest = measure(Words(year_label(years[0], year_type)))[0] + 10
    every = max(1, math.ceil(widest / max(end - start for start, end in spans)))
    for index in range(len(spans) - 1, -1, -every):
        start, end = spans[index]
        # The newest year may have begun just now; its name may reach past the end of the axis.
        middle = max((start + end) / 2, start + widest / 2) if index else (start + end) / 2
        if index == len(spans) - 1 or every > 1 or end - start >= widest:
            sheet.write(Words(year_label(years[index], year_type)), middle, y, anchor="center")


def _write_periods(sheet: Canvas, low: float, high: float, months: float, y: float) -> None:
    """Write the months that each period covers: "Apr" or "Apr to Jun"."""
    for start in low + months * np.arange(round((high - low) / months)) + 1e-6:
        first, last = _NAMES[int(start) % 12], _NAMES[int(start + months - 1) % 12]
        text = first if months == 1 else f"{first} to {last}"
        sheet.write(Words(text), sheet.pixel(start + months / 2, 0)[0], y, anchor="center")
