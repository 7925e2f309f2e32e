"""Value for money: what a service costs us against what it achieves, beside the others.

Both ways are shares of the peers, so that right costs more and up does better whatever the units.
A place in the middle band is in no quarter, and nothing is judged by colour.
"""

from collections.abc import Mapping
from itertools import product

import pandas as pd

from pmf_analysis.story import marks, style
from pmf_analysis.story.canvas import Canvas, Floats, Words, canvas, measure, require_value

_HEIGHT, _TOP, _BOTTOM, _RIGHT = 420.0, 28.0, 32.0, 8.0
MIDDLE = (40.0, 60.0)
"""Shares of the peers between which neither cost nor performance is high or low."""
_ACROSS, _UP = (-3.0, 103.0), (-11.0, 111.0)
_PERCENTILES = ["cost_percentile", "performance_percentile"]


def draw_quadrant(rows: pd.DataFrame, *, words: Mapping[str, str], id: str, own_name: str) -> str:
    """Draw rows of the result table ``value`` of one pair and peer set, and return SVG.

    Parameters
    ----------
    rows
        Columns used: area, is_own, is_newest, year_label, cost_percentile and
        performance_percentile (0 to 100). Others are drawn for the newest year; our own earlier
        years, where given, are smaller and joined. Rows without a percentile are left out.
    words
        Names of the quarters by their codes (``low_cost_high_performance`` and so on), and the
        ends of the axes: ``costs_less``, ``costs_more``, ``does_worse``, ``does_better``.
    id, own_name
        Prefix of every id in the SVG; our own name.

    Raises
    ------
    PmfError
        When no council has both percentiles.
    """
    placed = rows.dropna(subset=_PERCENTILES).sort_values("year_label")
    require_value(len(placed))
    left = 20.0 + max(measure(Words(f"{words[end]} ↑"))[0] for end in ("does_worse", "does_better"))
    with canvas(_HEIGHT, left=left, right=_RIGHT, bottom=_BOTTOM, top=_TOP) as sheet:
        sheet.axes.set(xlim=_ACROSS, ylim=_UP)
        sheet.axes.spines[:].set(visible=True)
        _draw_quarters(sheet, words)
        spots = sheet.axes.transData.transform(placed[_PERCENTILES].to_numpy(float))
        is_own, is_newest = (placed[name].to_numpy(bool) for name in ("is_own", "is_newest"))
        marks.draw_others(sheet, spots[~is_own & is_newest])
        if is_own.any():
            _draw_own(sheet, spots[is_own], placed["year_label"][is_own].tolist(), own_name)
        return sheet.svg(id)


def _draw_quarters(sheet: Canvas, words: Mapping[str, str]) -> None:
    """Wash the middle, name the quarters in their corners and write what the ways mean."""
    area = sheet.area
    sheet.axes.axvspan(*MIDDLE, **style.looks_of("middle"))
    sheet.axes.axhspan(*MIDDLE, **style.looks_of("middle"))
    for across, up in product((0, 1), (0, 1)):
        code = f"{('low', 'high')[across]}_cost_{('low', 'high')[up]}_performance"
        x = (area.right - 10) if across else area.left + 10
        y = (area.top - 14) if up else area.bottom + 14
        sheet.write(Words(words[code], "ink"), x, y, anchor=("left", "right")[across])
    foot = area.bottom - 16
    sheet.write(Words(f"← {words['costs_less']}"), area.left, foot)
    sheet.write(Words(f"{words['costs_more']} →"), area.right, foot, anchor="right")
    sheet.write(Words(f"{words['does_better']} ↑"), area.left - 10, area.top - 14, anchor="right")
    sheet.write(Words(f"{words['does_worse']} ↓"), area.left - 10, area.bottom + 14, anchor="right")


def _draw_own(sheet: Canvas, spots: Floats, years: list[str], own_name: str) -> None:
    """Draw our newest place, and our earlier ones as small dots that lead to it."""
    x, y = spots.T
    sheet.line("own years", x, y)
    sheet.boxes += [marks.box_of(*spot) for spot in spots]
    sheet.keep_clear(*sheet.axes.transData.inverted().transform(spots).T)
    marks.draw_own(sheet, spots[-1])
    marks.name_own(sheet, f"{own_name} {years[-1]}", spots[-1])
    for year, spot in zip(years[:-1], spots[:-1], strict=True):
        marks.name_mark(sheet, Words(year, "ink"), spot)
