"""What was said against what happened: bands of chances, with the bars of a perfect system.

A perfect forecaster misses by chance too, the more the fewer its forecasts; the grey bar is where
19 in 20 perfect systems would come out (Bröcker and Smith, "Increasing the reliability of
reliability diagrams", 2007). A row a band, so that nothing collides at any number of bands.
"""

from collections.abc import Sequence

from pmf_analysis.story.bank import say
from pmf_analysis.story.canvas import Words, canvas, grid, measure, no_value
from pmf_analysis.story.style import BLUE, INK, LINE, PAPER

_ROW, _TOP, _BOTTOM, _HALF = 34.0, 26.0, 30.0, 8.0
_BAR = "#AEB6BA"


def draw_reliability(bands: Sequence[tuple[str, str, Sequence[float]]], *, id: str) -> str:
    """Draw bands from the top down and return SVG.

    Parameters
    ----------
    bands
        Of each its name, what stands at its right, and in percent: what was said, what happened,
        the ends of the bar of a perfect system.
    id
        Prefix of every id in the SVG.

    Raises
    ------
    PmfError
        When there is no band.
    """
    if not bands:
        raise no_value()
    names, words, _ = zip(*bands, strict=True)
    left, right = (14.0 + max(measure(Words(each))[0] for each in told) for told in (names, words))
    height = _TOP + _BOTTOM + _ROW * len(bands)
    with canvas(height, left=left, right=right, bottom=_BOTTOM, top=_TOP) as sheet:
        sheet.axes.set(xlim=(-2, 102), ylim=(0, len(bands)), xticks=[], yticks=[])
        area = sheet.area
        for tick, text in grid(0, 100, "%"):
            sheet.axes.axvline(tick, color=LINE, lw=0.8, zorder=0)
            sheet.write(Words(text), sheet.pixel(tick, 0)[0], area.bottom - 14, anchor="center")
        for place, (name, told, shares) in enumerate(bands):
            y = area.top - _ROW * (place + 0.5)
            said, seen, low, high = (sheet.pixel(share, 0)[0] for share in shares)
            sheet.line([low, high], [y, y], color=_BAR, lw=2 * _HALF, solid_capstyle="butt")
            sheet.line([said, said], [y - _HALF - 3, y + _HALF + 3], color=INK, lw=2.2, zorder=3)
            looks = {"mfc": BLUE, "mec": PAPER, "ms": 11, "mew": 1.4, "zorder": 4}
            sheet.line([seen], [y], ls="", marker="o", **looks)
            sheet.write(Words(name, INK), area.left - 10, y, anchor="right")
            sheet.write(Words(told), area.right + 10, y)
        sheet.write(Words(say("record.chart.key")), area.left, area.top + 14)
        return sheet.svg(id)
