"""What was said against what happened: three bands of chances, with the bars of a perfect system.

A perfect forecaster misses by chance too, the more the fewer its forecasts; the grey bar is where
19 in 20 perfect systems would come out (Bröcker and Smith, "Increasing the reliability of
reliability diagrams", 2007). A row a band, so that nothing collides at any number of bands.
"""

from collections.abc import Sequence
from typing import NamedTuple

from pmf_analysis.story.bank import say
from pmf_analysis.story.canvas import Words, canvas, grid, measure, no_value
from pmf_analysis.story.style import BLUE, GREY, INK, LINE, PAPER

_ROW, _TOP, _BOTTOM, _HALF = 34.0, 26.0, 30.0, 8.0


class Band(NamedTuple):
    """A band of chances in percent: its name, what was said, what happened, a perfect system's."""

    name: str
    told: str
    said: float
    seen: float
    low: float
    high: float


def draw_reliability(bands: Sequence[Band], *, id: str) -> str:
    """Draw bands from the top down and return SVG; ``told`` stands at the right of each.

    Raises
    ------
    PmfError
        When there is no band.
    """
    if not bands:
        raise no_value()
    left = 12.0 + max(measure(Words(band.name, INK))[0] for band in bands)
    right = 16.0 + max(measure(Words(band.told, bold=True))[0] for band in bands)
    height = _TOP + _BOTTOM + _ROW * len(bands)
    with canvas(height, left=left, right=right, bottom=_BOTTOM, top=_TOP) as sheet:
        sheet.axes.set(xlim=(-2, 102), ylim=(0, len(bands)), xticks=[], yticks=[])
        area = sheet.area
        for tick, text in grid(0, 100, "%"):
            sheet.axes.axvline(tick, color=LINE, lw=0.8, zorder=0)
            sheet.write(Words(text), sheet.pixel(tick, 0)[0], area.bottom - 14, anchor="center")
        for place, band in enumerate(bands):
            y = area.top - _ROW * (place + 0.5)
            ends = (band.low, band.high, band.said, band.seen)
            low, high, said, seen = (sheet.pixel(at, 0)[0] for at in ends)
            sheet.line([low, high], [y, y], color="#AEB6BA", lw=2 * _HALF, solid_capstyle="butt")
            sheet.line([said, said], [y - _HALF - 3, y + _HALF + 3], color=INK, lw=2.2, zorder=3)
            looks = {"marker": "o", "mfc": BLUE, "mec": PAPER, "ms": 11, "mew": 1.4, "zorder": 4}
            sheet.line([seen], [y], ls="", **looks)
            sheet.write(Words(band.name, INK), area.left - 10, y, anchor="right")
            sheet.write(Words(band.told, GREY), area.right + 10, y)
        sheet.write(Words(say("record.chart.key")), area.left, area.top + 14)
        return sheet.svg(id)
