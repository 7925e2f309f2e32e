"""Every council by two numbers: the funnel of size and value, and what a service costs us.

A funnel shows how far apart chance alone would put councils of each size. After Spiegelhalter,
"Funnel plots for comparing institutional performance", Statistics in Medicine 2005. The limits are
those of the result table, adjusted for over-dispersion as declared; nothing is measured here.

Value for money is cost against what it achieves. Both ways are shares of the peers, so that right
costs more and up does better whatever the units. A place in the middle band is in no quarter, and
nothing is judged by colour.
"""

from collections.abc import Mapping
from itertools import product

import numpy as np
import pandas as pd

from pmf_analysis.story import canvas, lettering, parts, style
from pmf_analysis.story.bank import say
from pmf_analysis.story.canvas import Canvas, Floats
from pmf_analysis.story.figures import Subject
from pmf_analysis.story.lettering import Words

Rows = pd.DataFrame
_HEIGHT, _TOP, _BOTTOM = 300.0, 24.0, 52.0
_WIDE, _VERY_WIDE = 20.0, 200.0
_MOST_NAMED = 3
_OUTSIDE = {"low_998": -1, "high_998": 1}
_TALL, _ABOVE, _BELOW, _RIGHT = 340.0, 28.0, 32.0, 8.0
MIDDLE = (40.0, 60.0)
"""Shares of the peers between which neither cost nor performance is high or low."""
_ACROSS, _UP = (-3.0, 103.0), (-11.0, 111.0)
_PERCENTILES = ["cost_percentile", "performance_percentile"]
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
    ends = parts.scale_ends(float(shown.min()), float(shown.max()), 0.15)
    low, high = np.clip(ends, *parts.natural_ends(shown, unit)).tolist()
    labels = _labels(limits, subject) if len(limits) else []
    room = (_HEIGHT, lettering.room_for(labels), _BOTTOM, _TOP)
    with canvas.scaled_canvas((low, high), unit, room) as sheet:
        _draw_sizes(sheet, np.append(placed["denominator"], limits["size"]))
        if labels:
            _draw_limits(sheet, limits)
            sheet.name_ends(labels)
        _draw_councils(sheet, placed, subject, own_name, verdict)
        return sheet.svg(id)


def _draw_sizes(sheet: Canvas, sizes: Floats) -> None:
    """Write the scale of sizes, which is logarithmic where they differ greatly."""
    low, high = float(sizes.min()), max(float(sizes.max()), 1.01 * float(sizes.min()))
    values, scale = [value for value, _ in lettering.grid(low, high, "")], "linear"
    if high > _WIDE * low:
        steps, scale = (1, 2, 5) if high < _VERY_WIDE * low else (1,), "log"
        values = [step * 10.0**power for power in range(10) for step in steps]
    sheet.axes.set(xlim=(low, high), xscale=scale)
    sheet.axes.minorticks_off()
    for value in (value for value in values if low <= value <= high):
        sheet.tick(value, f"{value / 1e6:g}m" if value >= 1e6 else f"{value:,.9g}")
    sheet.write(Words(say("chart.size")), sheet.area.left, sheet.area.bottom - 34)


def _labels(limits: Rows, subject: Subject) -> list[lettering.Label]:
    """Return the labels of both pairs of limits and of the benchmark."""
    last = limits.iloc[-1]
    value = lettering.short_value(last["benchmark"], *subject.scale)
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
    parts.draw_others(sheet, spots[~is_own])
    for spot, (_, row) in zip(spots[is_own], placed[is_own].iterrows(), strict=True):
        way = _OUTSIDE.get(row["label"], 0) * subject.better_sign * (not subject.is_city)
        shape = verdict or ("worse", "similar", "better")[way + 1]
        own = f"{own_name} {lettering.short_value(row['value'], *subject.scale)}", spot, shape
        parts.draw_own(sheet, spot, shape)
    named = np.flatnonzero(outside & ~is_own)
    for each in named if len(named) <= _MOST_NAMED else ():
        parts.name_mark(sheet, Words(placed["area_name"].iloc[each]), spots[each])
    if is_own.any():
        parts.name_own(sheet, *own)


def draw_quadrant(rows: Rows, *, words: Mapping[str, str], id: str, own_name: str) -> str:
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
    canvas.require_value(len(placed))
    left = 20.0 + max(
        lettering.measure(Words(f"{words[end]} ↑"))[0] for end in ("does_worse", "does_better")
    )
    with canvas.canvas(_TALL, left, _RIGHT, _BELOW, _ABOVE) as sheet:
        sheet.axes.set(xlim=_ACROSS, ylim=_UP)
        sheet.axes.spines[:].set(visible=True)
        _draw_quarters(sheet, words)
        spots = sheet.axes.transData.transform(placed[_PERCENTILES].to_numpy(float))
        is_own, is_newest = (placed[name].to_numpy(bool) for name in ("is_own", "is_newest"))
        parts.draw_others(sheet, spots[~is_own & is_newest])
        if is_own.any():
            _draw_years(sheet, spots[is_own], placed["year_label"][is_own].tolist(), own_name)
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


def _draw_years(sheet: Canvas, spots: Floats, years: list[str], own_name: str) -> None:
    """Draw our newest place, and our earlier ones as small dots that lead to it."""
    x, y = spots.T
    sheet.line("own years", x, y)
    sheet.boxes += [parts.box_of(*spot) for spot in spots]
    sheet.keep_clear(*sheet.axes.transData.inverted().transform(spots).T)
    parts.draw_own(sheet, spots[-1])
    parts.name_own(sheet, f"{own_name} {years[-1]}", spots[-1])
    for year, spot in zip(years[:-1], spots[:-1], strict=True):
        parts.name_mark(sheet, Words(year, "ink"), spot)
