"""The time axis of a chart: where a period stands and how councils name its year.

Positions are months since year 0, and a period stands in its middle, so that quarters, months and
years of one series and its forecast share a scale. Years are the council's: financial years begin
in April, academic years in September.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

import numpy as np
import pandas as pd

from pmf_analysis.story.canvas import Canvas, Floats, Words, measure
from pmf_analysis.story.style import GREY

MONTHS: dict[str, float] = {
    "weekly": 0.25,
    "monthly": 1,
    "quarterly": 3,
    "termly": 4,
    "half_yearly": 6,
    "annual": 12,
    "biennial": 24,
}
_FIRST_MONTH = {"financial": 4, "academic": 9, "calendar": 1}
_NAMES = ["Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"]
_DAYS = 30.44


def positions(starts: Sequence[Any] | pd.Series[Any], frequency: str) -> Floats:
    """Return where periods that begin on these dates stand; unknown frequencies count as months."""
    dates = pd.DatetimeIndex(pd.to_datetime(starts))
    months = dates.year * 12 + dates.month - 1 + (dates.day - 1) / _DAYS
    return np.asarray(months, float) + MONTHS.get(frequency, 1) / 2


def year_label(year: int, year_type: str) -> str:
    """Name the year that begins in this calendar year: 2026-27, academic 2026/27, or 2026."""
    join = {"financial": "-", "academic": "/"}.get(year_type)
    return f"{year}{join}{(year + 1) % 100:02d}" if join else str(year)


def axis_height(low: float, high: float, frequency: str) -> float:
    """Return the room in pixels that the axis needs below the chart: one row of words or two."""
    return 50.0 if _has_periods(low, high, frequency) else 32.0


def _has_periods(low: float, high: float, frequency: str) -> bool:
    """Whether the periods are few enough to write the months of every one."""
    most = {"monthly": 14, "quarterly": 7}.get(frequency, 0)
    return round((high - low) / MONTHS.get(frequency, 1)) <= most


def time_axis(canvas: Canvas, low: float, high: float, *, frequency: str, year_type: str) -> None:
    """Set the horizontal scale: years centred under their span, periods above them if few."""
    axes = canvas.axes
    axes.set_xlim(low, high)
    axes.set_xticks([])
    y = float(axes.get_window_extent().y0) - 13
    if _has_periods(low, high, frequency):
        _write_periods(canvas, low, high, MONTHS[frequency], y)
        y -= 17
    _write_years(canvas, low, high, year_type, y)


def _write_years(canvas: Canvas, low: float, high: float, year_type: str, y: float) -> None:
    first = _FIRST_MONTH.get(year_type, 1) - 1
    years = range(math.floor((low - first) / 12), math.floor((high - first - 1e-9) / 12) + 1)
    area = canvas.axes.get_window_extent()
    spans = [
        np.clip(_to_pixels(canvas, [year * 12 + first, year * 12 + first + 12]), area.x0, area.x1)
        for year in years
    ]
    for start, _ in spans[1:]:
        canvas.line([start, start], [area.y0, area.y0 - 5], color=GREY, lw=0.8)
    widest = measure(Words(year_label(years[0], year_type)))[0] + 10
    every = max(1, math.ceil(widest / max(end - start for start, end in spans)))
    for index in range(len(spans) - 1, -1, -every):
        start, end = spans[index]
        # The newest year may have begun just now; its name may reach past the end of the axis.
        middle = max((start + end) / 2, start + widest / 2) if index else (start + end) / 2
        is_newest = index == len(spans) - 1
        if is_newest or every > 1 or end - start >= widest:
            canvas.write(Words(year_label(years[index], year_type)), middle, y, anchor="center")


def _write_periods(canvas: Canvas, low: float, high: float, months: float, y: float) -> None:
    """Write the months that each period covers: "Apr" or "Apr to Jun"."""
    starts = low + months * np.arange(round((high - low) / months)) + 1e-6
    centres = _to_pixels(canvas, (starts + months / 2).tolist())
    for start, centre in zip(starts, centres, strict=True):
        first, last = _NAMES[int(start) % 12], _NAMES[int(start + months - 1) % 12]
        text = first if months == 1 else f"{first} to {last}"
        canvas.write(Words(text), float(centre), y, anchor="center")


def _to_pixels(canvas: Canvas, months: Sequence[float]) -> Floats:
    points = np.column_stack([months, np.zeros(len(months))])
    return np.asarray(canvas.axes.transData.transform(points))[:, 0]
