"""What was said against what happened: bands of chances, with the bars of a perfect system.

A perfect forecaster misses by chance too, the more the fewer its forecasts; the grey bar is where
19 in 20 perfect systems would come out (Bröcker and Smith, "Increasing the reliability of
reliability diagrams", 2007). A row a band, so that nothing collides at any number of bands.
"""

from collections.abc import Sequence

from pmf_analysis.story.bank import say
from pmf_analysis.story.canvas import Words, canvas, grid, measure, require_value

_ROW, _TOP, _BOTTOM, _TALL = 34.0, 26.0, 30.0, 11.0


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
    require_value(bands)
    names, words, _ = zip(*bands, strict=True)
    left, right = (14.0 + max(measure(Words(each))[0] for each in told) for told in (names, words))
    height = _TOP + _BOTTOM + _ROW * len(bands)
    with canvas(height, left=left, right=right, bottom=_BOTTOM, top=_TOP) as sheet:
        sheet.axes.set(xlim=(-2, 102), ylim=(0, len(bands)))
        area = sheet.area
        for tick, text in grid(0, 100, "%"):
            sheet.draw("grid", [tick, tick], sheet.axes.get_ylim())
            sheet.tick(tick, text)
        for place, (name, told, shares) in enumerate(bands):
            y = area.top - _ROW * (place + 0.5)
            said, seen, low, high = (sheet.pixel(share, 0)[0] for share in shares)
            sheet.line("bar", [low, high], [y, y])
            sheet.line("said", [said, said], [y - _TALL, y + _TALL])
            sheet.line("seen", [seen], [y])
            sheet.write(Words(name, "ink"), area.left - 10, y, anchor="right")
            sheet.write(Words(told), area.right + 10, y)
        sheet.write(Words(say("record.chart.legend")), area.left, area.top + 14)
        return sheet.svg(id)
