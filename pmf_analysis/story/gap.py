"""The gap to similar councils over time: our line, theirs, and the room between."""

from __future__ import annotations

import pandas as pd

from pmf_analysis.story.canvas import Words, no_value, scale_ends, short_value
from pmf_analysis.story.style import BAND, BLUE, GREY
from pmf_analysis.story.timeline import MONTHS, positions, time_chart

_ROOM = (200.0, 14.0, 190.0)


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
    known = ordered[["value", "peer_median"]].astype(float)
    if known.isna().all().any():
        raise no_value()
    x = positions(ordered["period"], frequency)
    half = MONTHS.get(frequency, 1) / 2
    low, high = float(known.min().min()), float(known.max().max())
    ends, span = scale_ends(low, high, 0.1), (float(x[0]) - half, float(x[-1]) + half)
    with time_chart(ends, span, _ROOM, (unit, frequency, year_type)) as sheet:
        sheet.axes.fill_between(x, known["value"], known["peer_median"], color=BAND, lw=0, zorder=1)
        labels = []
        lines = (("peer_median", peers, GREY, 1.6), ("value", own, BLUE, 2.2))
        for name, text, colour, width in lines:
            sheet.axes.plot(x, known[name], color=colour, lw=width, marker="o", ms=4.5, zorder=3)
            last = float(known[name].dropna().iloc[-1])
            text = f"{text}\n{short_value(last, unit, decimals)}"
            y = sheet.pixel(x[-1], last)[1]
            labels.append((Words(text, colour, bold=name == "value"), y))
        area = sheet.area
        sheet.column(labels, area.right + 10, area.bottom - 6, area.top + 12)
        return sheet.svg(id)
