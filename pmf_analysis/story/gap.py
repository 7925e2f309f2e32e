"""The gap to similar councils over time: our line, theirs, and the room between."""

from __future__ import annotations

import numpy as np
import pandas as pd

from pmf_analysis.problems import EXIT_DATA_UNUSABLE, PmfError, Problem
from pmf_analysis.story.canvas import Words, axis_width, canvas, short_value, value_axis
from pmf_analysis.story.style import BAND, BLUE, GREY
from pmf_analysis.story.timeline import MONTHS, axis_height, positions, time_axis

_HEIGHT, _TOP, _RIGHT = 200.0, 14.0, 190.0


def draw_gap(
    gaps: pd.DataFrame,
    *,
    unit: str,
    decimals: int,
    id: str,
    own: str = "Us",
    peers: str = "Similar councils",
    frequency: str = "quarterly",
    year_type: str = "financial",
) -> str:
    """Draw rows of the result table ``gaps`` of one series and peer set, and return SVG.

    Columns used: period, value, peer_median. A period where either is missing breaks the wash
    between the lines; the line of the other goes on.

    Raises
    ------
    PmfError
        When either line has no value at all.
    """
    ordered = gaps.sort_values("period")
    lines = {name: ordered[name].to_numpy(float) for name in ("value", "peer_median")}
    if not all(np.isfinite(line).any() for line in lines.values()):
        raise PmfError(
            Problem("A line has no value to draw.", code="nothing-to-draw"), EXIT_DATA_UNUSABLE
        )
    x = positions(ordered["period"], frequency)
    half = MONTHS.get(frequency, 1) / 2
    values = np.concatenate(list(lines.values()))
    low, high = float(np.nanmin(values)), float(np.nanmax(values))
    room = 0.1 * (high - low) or 0.05 * abs(high) or 1.0
    foot, top = 0.0 if low >= 0 and low - room < 0 else low - room, high + room
    start, end = float(x[0]) - half, float(x[-1]) + half
    bottom, left = axis_height(start, end, frequency), axis_width(foot, top, unit)
    with canvas(_HEIGHT + bottom, left=left, right=_RIGHT, bottom=bottom, top=_TOP) as sheet:
        value_axis(sheet, foot, top, unit)
        time_axis(sheet, start, end, frequency=frequency, year_type=year_type)
        sheet.axes.fill_between(x, lines["value"], lines["peer_median"], color=BAND, lw=0, zorder=1)
        labels = []
        for name, text, colour in (("peer_median", peers, GREY), ("value", own, BLUE)):
            bold = name == "value"
            sheet.axes.plot(
                x, lines[name], color=colour, lw=2.2 if bold else 1.6, marker="o", ms=4.5, zorder=3
            )
            last = float(lines[name][np.isfinite(lines[name])][-1])
            words = Words(f"{text}\n{short_value(last, unit, decimals)}", colour, bold=bold)
            labels.append((words, float(sheet.pixels([x[-1]], [last])[0][1])))
        area = sheet.axes.get_window_extent()
        sheet.column(labels, area.x1 + 10, area.y0 - 6, area.y1 + 12)
        return sheet.svg(id)
