"""Chances in pictures: as twenty dots, over the year so far, and what came of those given before.

Each dot is one of twenty equally likely outcomes, filled where it meets. Whole counts are
understood better than percentages (Spiegelhalter, Pearson and Short, "Visualizing uncertainty
about the future", Science 2011). Bins begin at the edge of the target, so no dot ever straddles it,
and the number of filled dots is the number in the words.

In the chart of a year each period stands at its place. Our figures and the path to the target are
cumulative (or the average so far); the fan is the likely range of the periods to come, and above
each of these stands the chance of being on the path when it ends.

A perfect forecaster misses by chance too, the more the fewer its forecasts; the grey bar is where
19 in 20 perfect systems would come out (Bröcker and Smith, "Increasing the reliability of
reliability diagrams", 2007). A row a band, so that nothing collides at any number of bands.
"""

import math
from collections import Counter
from collections.abc import Sequence

import numpy as np
import pandas as pd

from pmf_analysis.story import canvas, lettering, parts, style
from pmf_analysis.story.bank import say
from pmf_analysis.story.canvas import Canvas, Ends, Floats
from pmf_analysis.story.figures import Subject
from pmf_analysis.story.formatting import format_chance, twentieths
from pmf_analysis.story.lettering import Words, fit, measure, short_value

_WIDTH, _DOT, _TOP, _BOTTOM, _SIDE = canvas.NARROW, 18.5, 28.0, 28.0, 30.0
_MOST_BINS, _TALLEST, _UNIT_ROW = 15, 7, 18.0
_YEAR_HEIGHT, _YEAR_TOP = 250.0, 56.0
_YEAR = ["actual", "path", "q05", "q50", "q95"]
_ROWS_TOP, _ROWS_BOTTOM, _TALL = 26.0, 30.0, 11.0
_NAME, _TOLD = 160.0, 150.0

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
    bounds = parts.natural_ends([*dots, *goals], unit)
    places = _bins(dots, target, better, decimals, width)
    tallest = max(Counter(bin for bin, _ in places).values())
    scale = np.clip(_scale(places, goals, width), *bounds)
    room = (_WIDTH - 2 * _SIDE) * width / float(np.ptp(scale)) / (_DOT - 5)
    abreast = max(1, min(math.ceil(tallest / _TALLEST), int(room)))
    height = _TOP + _DOT * max(3, math.ceil(tallest / abreast)) + 6
    bottom = _BOTTOM + _UNIT_ROW * lettering.is_left_out(unit)
    with canvas.canvas(height + bottom, _SIDE, _SIDE, bottom, _TOP, _WIDTH) as sheet:
        sheet.axes.set(xlim=scale, ylim=(0, height - _TOP))
        if bottom > _BOTTOM:
            words = fit(Words(unit), _WIDTH - 2 * _SIDE, 1)
            sheet.write(words, _WIDTH / 2, _UNIT_ROW / 2, anchor="center")
        # A narrow screen shows about two thirds of it: those in which the target lies.
        sheet.opening = style.END_SVG if np.mean(goals) > np.mean(scale) else sheet.opening
        _draw_bins(sheet, places, (goals[0], width), abreast, bounds)
        _draw_targets(sheet, goals, unit, decimals)
        for tick, text in lettering.grid(float(scale[0]), float(scale[1]), unit, most=7):
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
    text = say("chart.target", value=lettering.short_range(goals[0], goals[-1], unit, decimals))
    before, after = ("← " if goals[0] < low else ""), (" →" if goals[-1] > high else "")
    words = Words(f"{before}{text}{after}", "target", bold=True)
    half = measure(words)[0] / 2 + 2
    x = sheet.pixel(float(np.clip(goals, low, high).mean()), 0)[0]
    x = max(half, min(x, sheet.axes.figure.bbox.width - half))
    sheet.write(words, x, sheet.area.top + 12, anchor="center")


def draw_trajectory(rows: pd.DataFrame, subject: Subject, *, id: str) -> str:
    """Draw the year of one target and return SVG.

    Parameters
    ----------
    rows
        Rows of the result table ``outturn_paths`` of one target: period (start), actual (so far;
        missing where it is to come), path, q05, q50, q95 and chance_on_path (0 to 1).
    subject, id
        The series, for axis, labels and periods; prefix of every id in the SVG.

    Raises
    ------
    PmfError
        When neither a path nor a figure is known.
    """
    ordered = rows.sort_values("period")
    values = ordered[_YEAR].to_numpy(float).T
    canvas.require_value(np.isfinite(values[:2]).any())
    x = parts.positions(ordered["period"], subject.frequency)
    path, *fan = values[1:, -1:]
    known = [each[np.isfinite(each)] for each in (path, np.ravel(fan))]
    labels = parts.labels_ahead(subject.scale, *known)
    room = (_YEAR_HEIGHT, _YEAR_TOP, lettering.room_for(labels))
    scale = parts.scale_ends(float(np.nanmin(values)), float(np.nanmax(values)), 0.1)
    with parts.time_chart(scale, (x[0], x[-1]), room, subject) as sheet:
        newest = _draw_lines(sheet, x, values)
        _write_chances(sheet, x, ordered["chance_on_path"].to_numpy(float))
        for n in newest:
            value = values[0][n]
            text = say("outturn.chart.so_far", value=short_value(value, *subject.scale))
            spot = sheet.pixel(x[n], value)
            sheet.boxes.append(parts.box_of(*spot))
            parts.name_mark(sheet, Words(text, "ink", bold=True), spot, math.inf)
        sheet.name_ends(labels, 4)
        return sheet.svg(id)


def _draw_lines(sheet: Canvas, x: Floats, values: Floats) -> list[int]:
    """Draw fan, path and figures; return the place of the newest figure, if there is one."""
    actual, path, *fan = values
    newest: list[int] = np.flatnonzero(np.isfinite(actual))[-1:].tolist()
    places = np.arange(len(x))
    start = np.where(np.isin(places, newest), actual, np.nan)
    ahead = places > max(newest, default=-1)
    low, middle, high = (np.where(ahead, each, start) for each in fan)
    sheet.fill("likely", x, low, high)
    for look, line in {"ahead": middle, "target": path, "so far": actual}.items():
        sheet.draw(look, x, line)
    return newest


def _write_chances(sheet: Canvas, x: Floats, chances: Floats) -> None:
    """Write the chances above the periods to come."""
    known, top = np.flatnonzero(np.isfinite(chances)), sheet.area.top
    words = [Words(format_chance(twentieths(chances[n]) / 20), "ink") for n in known]
    spots = [sheet.pixel(x[n], 0)[0] for n in known]
    sheet.write_row(list(zip(words, spots, strict=True)), top + 12)
    if words:
        sheet.write(Words(say("outturn.chart.chances")), sheet.area.right, top + 38, anchor="right")


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
    canvas.require_value(bands)
    names = [fit(Words(name, "ink"), _NAME, 3) for name, *_ in bands]
    told = [fit(Words(words), _TOLD, 3) for _, words, _ in bands]
    left, right = (14.0 + max(measure(each)[0] for each in side) for side in (names, told))
    row = 8.0 + max(measure(each)[1] for each in (*names, *told))
    height = _ROWS_TOP + _ROWS_BOTTOM + row * len(bands)
    with canvas.canvas(height, left=left, right=right, bottom=_ROWS_BOTTOM, top=_ROWS_TOP) as sheet:
        sheet.axes.set(xlim=(-2, 102), ylim=(0, len(bands)))
        area = sheet.area
        for tick, text in lettering.grid(0, 100, "%"):
            sheet.draw("grid", [tick, tick], sheet.axes.get_ylim())
            sheet.tick(tick, text)
        for place, (*_, shares) in enumerate(bands):
            y = area.top - row * (place + 0.5)
            said, seen, low, high = (sheet.pixel(share, 0)[0] for share in shares)
            sheet.line("bar", [low, high], [y, y])
            sheet.line("said", [said, said], [y - _TALL, y + _TALL])
            sheet.line("seen", [seen], [y])
            sheet.write(names[place], area.left - 10, y, anchor="right")
            sheet.write(told[place], area.right + 10, y)
        sheet.write(Words(say("record.chart.legend")), area.left, area.top + 14)
        return sheet.svg(id)
