"""The funnel: every council by its size, and how far apart chance alone would put them.

After Spiegelhalter, "Funnel plots for comparing institutional performance", Statistics in Medicine
2005. The limits are those of the result table, adjusted for over-dispersion as declared; nothing
is measured here.
"""

from itertools import product

import numpy as np
import pandas as pd

from pmf_analysis.story import canvas, marks, scales
from pmf_analysis.story.bank import say
from pmf_analysis.story.canvas import Canvas, Floats, Words
from pmf_analysis.story.figures import Subject

Rows = pd.DataFrame
_HEIGHT, _TOP, _BOTTOM = 380.0, 24.0, 52.0
_WIDE, _VERY_WIDE = 20.0, 200.0
_MOST_NAMED = 3
_OUTSIDE = {"low_998": -1, "high_998": 1}
_LIMITS, _SIDES = {"998": "99.8%", "95": "95%"}, ("lower", "upper")


def draw_funnel(
    peers: Rows, limits: Rows, subject: Subject, *, id: str, own_name: str, verdict: str = ""
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
    canvas.require_value(len(placed))
    limits, unit = limits.sort_values("size"), subject.unit
    # The limits of the smallest councils may run out of the scale.
    known = limits.filter(regex="lower|upper|benchmark").to_numpy(float)[len(limits) // 2 :]
    shown = np.append(placed["value"], known)
    ends = scales.scale_ends(float(shown.min()), float(shown.max()), 0.15)
    low, high = np.clip(ends, *scales.natural_ends(shown, unit)).tolist()
    labels = _labels(limits, subject) if len(limits) else []
    room = (_HEIGHT, canvas.room_for(labels), _BOTTOM, _TOP)
    with canvas.scaled_canvas((low, high), unit, *room) as sheet:
        _draw_sizes(sheet, np.append(placed["denominator"], limits["size"]))
        if labels:
            _draw_limits(sheet, limits)
            sheet.name_ends(labels)
        _draw_councils(sheet, placed, subject, own_name, verdict)
        return sheet.svg(id)


def _draw_sizes(sheet: Canvas, sizes: Floats) -> None:
    """Write the scale of sizes, which is logarithmic where they differ greatly."""
    low, high = float(sizes.min()), max(float(sizes.max()), 1.01 * float(sizes.min()))
    values, scale = [value for value, _ in canvas.grid(low, high, "")], "linear"
    if high > _WIDE * low:
        steps, scale = (1, 2, 5) if high < _VERY_WIDE * low else (1,), "log"
        values = [step * 10.0**power for power in range(10) for step in steps]
    sheet.axes.set(xlim=(low, high), xscale=scale)
    sheet.axes.minorticks_off()
    for value in (value for value in values if low <= value <= high):
        sheet.tick(value, f"{value / 1e6:g}m" if value >= 1e6 else f"{value:,.9g}")
    sheet.write(Words(say("chart.size")), sheet.area.left, sheet.area.bottom - 34)


def _labels(limits: Rows, subject: Subject) -> list[canvas.Label]:
    """Return the labels of both pairs of limits and of the benchmark."""
    last = limits.iloc[-1]
    value = canvas.short_value(last["benchmark"], *subject.scale)
    edges = [(Words(text), last[f"{s}_{level}"]) for s in _SIDES for level, text in _LIMITS.items()]
    return [*edges, (Words(say("chart.combined", value=value)), last["benchmark"])]


def _draw_limits(sheet: Canvas, limits: Rows) -> None:
    """Draw both pairs of limits and the benchmark."""
    low, high = sheet.axes.get_ylim()
    edges = (limits[f"{side}_998"].clip(low, high) for side in _SIDES)
    sheet.fill("band", limits["size"], *edges)
    for side, (level, text) in product(_SIDES, _LIMITS.items()):
        column = f"{side}_{level}"
        shown = limits[limits[column].between(low, high)]
        sheet.draw(f"limit {text}", shown["size"], shown[column])
    ends = limits.iloc[[0, -1]]
    sheet.draw("benchmark", ends["size"], ends["benchmark"])


def _draw_councils(
    sheet: Canvas, placed: Rows, subject: Subject, own_name: str, verdict: str
) -> None:
    """Draw the others and us, name those outside, then name us."""
    spots = sheet.axes.transData.transform(placed[["denominator", "value"]].to_numpy(float))
    is_own, outside = placed["is_own"].to_numpy(bool), placed["label"].isin(_OUTSIDE).to_numpy()
    marks.draw_others(sheet, spots[~is_own])
    for spot, (_, row) in zip(spots[is_own], placed[is_own].iterrows(), strict=True):
        way = _OUTSIDE.get(row["label"], 0) * subject.better_sign * (not subject.is_city)
        shape = verdict or ("worse", "similar", "better")[way + 1]
        own = f"{own_name} {canvas.short_value(row['value'], *subject.scale)}", spot, shape
        marks.draw_own(sheet, spot, shape)
    named = np.flatnonzero(outside & ~is_own)
    for each in named if len(named) <= _MOST_NAMED else ():
        marks.name_mark(sheet, Words(placed["area_name"].iloc[each]), spots[each])
    if is_own.any():
        marks.name_own(sheet, *own)
