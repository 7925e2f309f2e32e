"""The funnel: every council by its size, and how far apart chance alone would put them.

After Spiegelhalter, "Funnel plots for comparing institutional performance", Statistics in Medicine
2005. The limits are those of the result table, adjusted for over-dispersion as declared; nothing
is measured here.
"""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd

from pmf_analysis.story import canvas, marks
from pmf_analysis.story.canvas import Canvas, Floats, Words
from pmf_analysis.story.figures import Subject
from pmf_analysis.story.style import BAND, GREY, Tone, tone_of

_HEIGHT, _TOP, _BOTTOM = 380.0, 24.0, 52.0
_WIDE, _VERY_WIDE = 20.0, 200.0
_ROOM = 0.35
_MOST_NAMED = 3
_OUTSIDE = {"low_998": -1, "high_998": 1}
_LIMITS: dict[str, tuple[str, dict[str, Any]]] = {
    "998": ("99.8%", {"lw": 1.3}),
    "95": ("95%", {"lw": 0.9, "ls": (0, (4, 3))}),
}
_BENCHMARK = "Combined value\nof the others"
_SIZE = "Number that each figure is based on"


def draw_funnel(
    peers: pd.DataFrame,
    limits: pd.DataFrame,
    subject: Subject,
    *,
    id: str,
    own_name: str,
    verdict: str = "",
) -> str:
    """Draw rows of ``peers`` and ``funnels`` of one own series and peer set, and return SVG.

    Parameters
    ----------
    peers
        Columns used: area_name, is_own, value, denominator, label. Rows without value or
        denominator are left out. Others beyond the 99.8 % limits are named, if at most three.
    limits
        Columns used: size, benchmark, lower_95, upper_95, lower_998, upper_998; may be empty.
    subject, id, own_name
        The series, for unit and polarity; prefix of every id in the SVG; our own name.
    verdict
        Code of the comparison's verdict, which gives our shape, so that picture and words agree;
        without one, our place outside the 99.8 % limits does.

    Raises
    ------
    PmfError
        When no council has both value and denominator.
    """
    placed = peers.dropna(subset=["value"]).query("denominator > 0")
    if placed.empty:
        raise canvas.no_value()
    limits = limits.sort_values("size")
    ends = _value_ends(placed["value"].to_numpy(float), limits, subject.unit)
    sides = {"left": canvas.scale_width(ends, subject.unit), "bottom": _BOTTOM, "top": _TOP}
    right = 16.0 + canvas.measure(Words(_BENCHMARK))[0]
    with canvas.canvas(_HEIGHT, right=right, **sides) as sheet:
        _draw_sizes(sheet, np.append(placed["denominator"], limits["size"]))
        sheet.scale(ends, subject.unit)
        if len(limits):
            _draw_limits(sheet, limits, subject)
        _draw_councils(sheet, placed, subject, own_name, verdict)
        return sheet.svg(id)


def _value_ends(values: Floats, limits: pd.DataFrame, unit: str) -> tuple[float, float]:
    """Return a scale for all councils; the limits of the smallest may run out of it."""
    known = limits.filter(regex="lower|upper|benchmark").to_numpy(float)
    shown = np.append(values, known[len(known) // 2 :])
    room = _ROOM * (shown.max() - shown.min())
    every = np.append(shown, known).clip(shown.min() - room, shown.max() + room)
    low, high = canvas.scale_ends(float(every.min()), float(every.max()), 0.06)
    is_share = unit == "%" and values.max() <= 100
    return (max(low, 0.0), min(high, 100.0)) if is_share else (low, high)


def _draw_sizes(sheet: Canvas, sizes: Floats) -> None:
    """Write the scale of sizes, which is logarithmic where they differ greatly."""
    low, high = float(sizes.min()), max(float(sizes.max()), 1.01 * float(sizes.min()))
    steps = (1, 2, 5) if high < _VERY_WIDE * low else (1,)
    values = [step * 10.0**power for power in range(10) for step in steps]
    if high < _WIDE * low:
        values = [value for value, _ in canvas.grid(low, high, "")]
    sheet.axes.set(xlim=(low, high), xscale="linear" if high < _WIDE * low else "log")
    sheet.axes.minorticks_off()
    foot = sheet.area.bottom
    for value in (value for value in values if low <= value <= high):
        x = sheet.pixel(value, 1)[0]
        sheet.line([x, x], [foot, foot - 4], color=GREY, lw=0.8)
        text = f"{value / 1e6:g}m" if value >= 1e6 else f"{value:,.9g}"
        sheet.write(Words(text), x, foot - 14, anchor="center")
    sheet.write(Words(_SIZE), sheet.area.left, foot - 34)


def _draw_limits(sheet: Canvas, limits: pd.DataFrame, subject: Subject) -> None:
    """Draw both pairs of limits and the benchmark, each named where it ends."""
    (low, high), area, size = sheet.axes.get_ylim(), sheet.area, limits["size"]
    edges = (limits[f"{side}_998"].clip(low, high) for side in ("lower", "upper"))
    sheet.axes.fill_between(size, *edges, color=BAND, lw=0, zorder=0.5)
    value = float(limits["benchmark"].iloc[-1])
    name = f"{_BENCHMARK}\n{canvas.short_value(value, *subject.scale)}"
    lines = {f"{side}_{level}": _LIMITS[level] for side in ("lower", "upper") for level in _LIMITS}
    labels = []
    for column, (text, looks) in {**lines, "benchmark": (name, {"lw": 1.6})}.items():
        shown = limits[limits[column].between(low, high)]
        shown = shown.iloc[[0, -1]] if column == "benchmark" else shown
        sheet.axes.plot(shown["size"], shown[column], color=GREY, zorder=1, **looks)
        sheet.keep_clear(shown["size"], shown[column])
        labels.append((Words(text), sheet.pixel(1, float(limits[column].iloc[-1]))[1]))
    sheet.column(labels, area.right + 10, area.bottom - 6, area.top + 12)


def _draw_councils(
    sheet: Canvas, placed: pd.DataFrame, subject: Subject, own_name: str, verdict: str
) -> None:
    """Draw the others, name those outside, then draw and name us."""
    places = sheet.axes.transData.transform(placed[["denominator", "value"]].to_numpy(float))
    is_own = placed["is_own"].to_numpy(bool)
    marks.draw_others(sheet, *places[~is_own].T)
    placed = placed.assign(spot=pd.Series([(x, y) for x, y in places.tolist()], placed.index))
    own, outside = placed[is_own], placed[~is_own & placed["label"].isin(_OUTSIDE)]
    for label, spot in zip(own["label"], own["spot"], strict=True):
        tone = tone_of(verdict) if verdict else _tone(label, subject)
        marks.draw_own(sheet, spot, tone)
    if len(outside) <= _MOST_NAMED:
        for name, spot in zip(outside["area_name"], outside["spot"], strict=True):
            marks.name_mark(sheet, Words(name), spot)
    for value, spot in zip(own["value"], own["spot"], strict=True):
        text = f"{own_name} {canvas.short_value(value, *subject.scale)}"
        marks.name_own(sheet, text, spot, tone)


def _tone(label: str, subject: Subject) -> Tone:
    """Return what our place says: good or bad news only beyond the 99.8 % limits."""
    way = _OUTSIDE.get(label, 0) * subject.better_sign
    return "neutral" if subject.is_city or not way else "better" if way > 0 else "worse"
