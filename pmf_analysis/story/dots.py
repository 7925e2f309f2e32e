"""Chance as twenty dots: each is one of twenty equally likely outcomes, filled where it meets.

A quantile dot plot: whole counts are understood better than percentages (Spiegelhalter, Pearson
and Short, "Visualizing uncertainty about the future", Science 2011). Bins begin at the edge of
the target, so no dot ever straddles it, and the number of filled dots is the number in the words.
"""

import math
from collections import Counter
from collections.abc import Sequence

import numpy as np

from pmf_analysis.story import canvas, scales, style
from pmf_analysis.story.bank import say
from pmf_analysis.story.canvas import Canvas, Ends, Words

_WIDTH, _DOT, _TOP, _BOTTOM, _SIDE = 560.0, 19.0, 30.0, 28.0, 30.0
_MOST_BINS, _TALLEST = 15, 7

Target = float | Ends
Values = Sequence[float]
Places = list[tuple[int, bool]]
"""Bin of each dot, and whether it meets the target."""


def meets(dot: float, target: Target, better: str, decimals: int) -> bool:
    """Whether an outcome, as it would be published, meets the target; on the target counts."""
    value = round(dot, decimals)
    if isinstance(target, tuple):
        return round(target[0], decimals) <= value <= round(target[1], decimals)
    goal = round(target, decimals)
    return value <= goal if better == "lower" else value >= goal


def count_meeting(dots: Values, target: Target, better: str, decimals: int) -> int:
    """Return how many of the dots are filled, for the words beside the picture."""
    return sum(meets(dot, target, better, decimals) for dot in dots)


def draw_dots(
    dots: Values, *, target: Target, better: str, unit: str, decimals: int, id: str
) -> str:
    """Draw the outcomes over their values and return SVG.

    ``target`` is a pair of ends when ``better`` is ``range``. A target far outside all outcomes
    is named at the edge, so that the dots keep their shape.
    """
    # The ends of a range may be the same, and then have one line and one label.
    goals = tuple(sorted(set(target))) if isinstance(target, tuple) else (target,)
    width = _bin_width(dots, goals)
    bounds = scales.natural_ends([*dots, *goals], unit)
    places = _bins(dots, target, better, decimals, width)
    tallest = max(Counter(bin for bin, _ in places).values())
    scale = np.clip(_scale(places, goals, width), *bounds)
    room = (_WIDTH - 2 * _SIDE) * width / float(np.ptp(scale)) / (_DOT - 5)
    abreast = max(1, min(math.ceil(tallest / _TALLEST), int(room)))
    height = _TOP + _BOTTOM + _DOT * max(3, math.ceil(tallest / abreast)) + 6
    with canvas.canvas(height, _SIDE, _SIDE, _BOTTOM, _TOP, _WIDTH) as sheet:
        sheet.axes.set(xlim=scale, ylim=(0, height - _TOP - _BOTTOM))
        # A narrow screen shows about two thirds of it: those in which the target lies.
        sheet.opening = style.END_SVG if np.mean(goals) > np.mean(scale) else sheet.opening
        _draw_bins(sheet, places, (goals[0], width), abreast, bounds)
        _draw_targets(sheet, goals, unit, decimals)
        for tick, text in canvas.grid(float(scale[0]), float(scale[1]), unit, most=7):
            sheet.tick(tick, text)
        return sheet.svg(id)


def _bin_width(dots: Values, goals: Values) -> float:
    """Return a round width at which the dots fill about a dozen bins."""
    span = max(dots) - min(dots) or max(abs(goals[0]), 1.0) * 0.05
    raw = span / (_MOST_BINS - 3)
    power = 10.0 ** math.floor(math.log10(raw))
    return next(step * power for step in (1, 2, 2.5, 5, 10) if step * power >= raw * (1 - 1e-9))


def _bins(dots: Values, target: Target, better: str, decimals: int, width: float) -> Places:
    """Return bin and fate of each dot; bin 0 begins at the (lower) target.

    A dot that meets the target only as rounded is moved over the edge, to the side it counts on.
    """
    edge = target[0] if isinstance(target, tuple) else target
    placed = []
    for dot in sorted(dots):
        fate, bin = meets(dot, target, better, decimals), math.floor((dot - edge) / width)
        if better != "range":
            bin = max(bin, 0) if fate == (better == "higher") else min(bin, -1)
        placed.append((bin, fate))
    return placed


def _scale(places: Places, goals: Values, width: float) -> Ends:
    """Return a scale around the dots, and around the target unless it is far away."""
    low, high = goals[0] + width * places[0][0], goals[0] + width * (places[-1][0] + 1)
    reach = max(high - low, 3 * width)
    near = [goal for goal in goals if low - reach <= goal <= high + reach]
    low, high = min([low, *near]) - width, max([high, *near]) + width
    middle, half = (low + high) / 2, max((high - low) / 2, 4 * width)
    return middle - half, middle + half


def _draw_bins(sheet: Canvas, places: Places, bins: Ends, abreast: int, bounds: Ends) -> None:
    """Stack the dots of each bin, in rows of one, or of more where a stack would be a tower."""
    (edge, width), heights = bins, Counter[int]()
    spots: dict[bool, list[Ends]] = {True: [], False: []}
    apart = (_DOT - 5) * float(np.diff(sheet.axes.get_xlim())[0]) / sheet.axes.bbox.width
    for bin, fate in places:
        row, across = divmod(heights[bin], abreast)
        ends = np.clip([edge + width * bin, edge + width * (bin + 1)], *bounds)
        x = float(ends.mean()) + apart * (across - (abreast - 1) / 2)
        spots[fate].append((x, _DOT * (row + 0.5) + 5))
        heights[bin] += 1
    for fate, places_of in spots.items():
        sheet.mark("met" if fate else "not met", *np.array(places_of).reshape(-1, 2).T)


def _draw_targets(sheet: Canvas, goals: Values, unit: str, decimals: int) -> None:
    """Draw the edges of the target under one label, with an arrow to those that are far away."""
    low, high = sheet.axes.get_xlim()
    for goal in goals:
        if low <= goal <= high:
            sheet.draw("goal", [goal, goal], sheet.axes.get_ylim())
    text = say("chart.target", value=canvas.short_range(goals[0], goals[-1], unit, decimals))
    before, after = ("← " if goals[0] < low else ""), (" →" if goals[-1] > high else "")
    words = Words(f"{before}{text}{after}", "target", bold=True)
    half = canvas.measure(words)[0] / 2 + 2
    x = sheet.pixel(float(np.clip(goals, low, high).mean()), 0)[0]
    x = max(half, min(x, sheet.axes.figure.bbox.width - half))
    sheet.write(words, x, sheet.area.top + 12, anchor="center")
