"""Chance as twenty dots: each is one of twenty equally likely outcomes, filled where it meets.

A quantile dot plot: whole counts are understood better than percentages (Spiegelhalter, Pearson
and Short, "Visualizing uncertainty about the future", Science 2011). Bins begin at the edge of
the target, so no dot ever straddles it, and the number of filled dots is the number in the words.
"""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Sequence

import numpy as np

from pmf_analysis.story.canvas import (
    Canvas,
    Words,
    canvas,
    measure,
    round_ticks,
    short_value,
    tick_texts,
)
from pmf_analysis.story.style import BLUE, GREY, PAPER, TARGET

_DOT, _TOP, _BOTTOM, _SIDE = 19.0, 30.0, 28.0, 30.0
_MOST_BINS = 15
_TALLEST = 7
_FAR = 1.0
_TO = "to"

Target = float | tuple[float, float]


def meets(dot: float, target: Target, better: str, decimals: int) -> bool:
    """Whether an outcome, as it would be published, meets the target; on the target counts."""
    value = round(dot, decimals)
    if isinstance(target, tuple):
        return round(target[0], decimals) <= value <= round(target[1], decimals)
    goal = round(target, decimals)
    return value <= goal if better == "lower" else value >= goal


def count_meeting(dots: Sequence[float], target: Target, better: str, decimals: int) -> int:
    """Return how many of the dots are filled, for the words beside the picture."""
    return sum(meets(dot, target, better, decimals) for dot in dots)


def draw_dots(
    dots: Sequence[float],
    *,
    target: Target,
    better: str,
    unit: str,
    decimals: int,
    id: str,
    label: str = "Target",
) -> str:
    """Draw the outcomes over their values and return SVG.

    ``target`` is a pair of ends when ``better`` is ``range``. A target far outside all outcomes
    is named at the edge, so that the dots keep their shape.
    """
    # The ends of a range may be the same, and then have one line and one label.
    goals = tuple(sorted(set(target))) if isinstance(target, tuple) else (target,)
    width = _bin_width(dots, goals)
    places = _bins(dots, target, better, decimals, width)
    tallest = max(Counter(bin for bin, _ in places).values())
    abreast = math.ceil(tallest / _TALLEST)
    height = _TOP + _BOTTOM + _DOT * max(3, math.ceil(tallest / abreast)) + 6
    with canvas(height, left=_SIDE, right=_SIDE, bottom=_BOTTOM, top=_TOP) as sheet:
        low, high = _scale(sheet, places, goals, width)
        sheet.axes.set_ylim(0, height - _TOP - _BOTTOM)
        _draw_bins(sheet, places, goals[0], width, abreast)
        _draw_targets(sheet, goals, label, unit, decimals)
        _draw_values(sheet, low, high, unit)
        return sheet.svg(id)


def _bin_width(dots: Sequence[float], goals: Sequence[float]) -> float:
    """Return a round width at which the dots fill about a dozen bins."""
    span = max(dots) - min(dots) or max(abs(goals[0]), 1.0) * 0.05
    raw = span / (_MOST_BINS - 3)
    power = 10.0 ** math.floor(math.log10(raw))
    return next(step * power for step in (1, 2, 2.5, 5, 10) if step * power >= raw * (1 - 1e-9))


def _bins(
    dots: Sequence[float], target: Target, better: str, decimals: int, width: float
) -> list[tuple[int, bool]]:
    """Return bin and fate of each dot; bin 0 begins at the (lower) target.

    A dot that meets the target only as rounded is moved over the edge, to the side it counts on.
    """
    edge = target[0] if isinstance(target, tuple) else target
    placed = []
    for dot in sorted(dots):
        fate, bin = meets(dot, target, better, decimals), math.floor((dot - edge) / width)
        if better == "higher":
            bin = max(bin, 0) if fate else min(bin, -1)
        elif better == "lower":
            bin = min(bin, -1) if fate else max(bin, 0)
        placed.append((bin, fate))
    return placed


def _scale(
    sheet: Canvas, places: Sequence[tuple[int, bool]], goals: Sequence[float], width: float
) -> tuple[float, float]:
    """Set the horizontal scale around the dots, and the target unless it is far away."""
    first, last = places[0][0], places[-1][0] + 1
    low, high = goals[0] + width * first, goals[0] + width * last
    reach = max(_FAR * (high - low), 3 * width)
    near = [goal for goal in goals if low - reach <= goal <= high + reach]
    low, high = min([low, *near]) - width, max([high, *near]) + width
    if high - low < 8 * width:
        middle = (low + high) / 2
        low, high = middle - 4 * width, middle + 4 * width
    sheet.axes.set_xlim(low, high)
    sheet.axes.set_xticks([])
    sheet.axes.set_yticks([])
    return low, high


def _draw_bins(
    sheet: Canvas, places: Sequence[tuple[int, bool]], edge: float, width: float, abreast: int
) -> None:
    """Stack the dots of each bin, in rows of one, or of more where a stack would be a tower."""
    heights: Counter[int] = Counter()
    spots: dict[bool, list[tuple[float, float]]] = {True: [], False: []}
    apart = (_DOT - 5) * float(np.diff(sheet.axes.get_xlim())[0]) / sheet.axes.bbox.width
    for bin, fate in places:
        row, across = divmod(heights[bin], abreast)
        x = edge + width * (bin + 0.5) + apart * (across - (abreast - 1) / 2)
        spots[fate].append((x, _DOT * (row + 0.5) + 5))
        heights[bin] += 1
    for fate, xy in spots.items():
        xs, ys = [x for x, _ in xy], [y for _, y in xy]
        looks = {"mfc": BLUE if fate else PAPER, "mec": BLUE, "mew": 1.5, "ms": _DOT - 6.5}
        sheet.axes.plot(xs, ys, ls="", marker="o", zorder=3, **looks)


def _draw_targets(
    sheet: Canvas, goals: Sequence[float], label: str, unit: str, decimals: int
) -> None:
    """Draw the edges of the target under one label, with an arrow to those that are far away."""
    area, width = sheet.axes.get_window_extent(), sheet.figure.bbox.width
    low, high = sheet.axes.get_xlim()
    near = [goal for goal in goals if low <= goal <= high]
    for goal in near:
        sheet.axes.axvline(goal, color=TARGET, lw=2, zorder=2)
    text = f"{label} {short_value(goals[0], unit, decimals)}"
    if len(goals) > 1:
        text = f"{text} {_TO} {short_value(goals[1], unit, decimals)}"
    before, after = ("← " if goals[0] < low else ""), (" →" if goals[-1] > high else "")
    words = Words(f"{before}{text}{after}", TARGET, bold=True)
    at = sum(near) / len(near) if near else (low if before else high)
    half = measure(words)[0] / 2 + 2
    x = float(sheet.axes.transData.transform((at, 0))[0])
    x = max(half, min(x, width - half))
    sheet.write(words, x, area.y1 + 12, anchor="center")


def _draw_values(sheet: Canvas, low: float, high: float, unit: str) -> None:
    area = sheet.axes.get_window_extent()
    ticks = round_ticks(low, high, most=7)
    for tick, text in zip(ticks, tick_texts(ticks, unit), strict=True):
        x = float(sheet.axes.transData.transform((tick, 0))[0])
        sheet.line([x, x], [area.y0, area.y0 - 4], color=GREY, lw=0.8)
        sheet.write(Words(text), x, area.y0 - 14, anchor="center")
