"""What charts are made of: a scale, the axis of time, and the marks of councils.

Others are hollow dots, we stand out by shape. Hundreds of dots are a few paths, which keeps a
picture of every council in the country small. A scale is such that history is never flat and
nothing is cut.

Positions are months since year 0, and a period stands in its middle, so that quarters, months and
years of one series and its forecast share a scale. Years are the council's: financial years begin
in April, academic years in September.
"""

import math
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from itertools import pairwise, product
from typing import Any

import numpy as np
import pandas as pd

from pmf_analysis.periods import PERIODS_PER_YEAR
from pmf_analysis.story import bank, canvas, figures, lettering, style
from pmf_analysis.story.bank import say
from pmf_analysis.story.canvas import Canvas, Ends, Floats, Numbers
from pmf_analysis.story.lettering import Words, fit, measure

MONTHS = {name: 12 / count for name, count in PERIODS_PER_YEAR.items()}
_FIRST_MONTH = {"financial": 4, "academic": 9, "calendar": 1}
_DAYS = 30.44
_MOST_NAMED, _FEW, _PAIR = {"monthly": 14, "quarterly": 7}, 12, 2

Spot = Sequence[float] | Floats
"""A place in pixels."""

DOT, _HALF, _LAYERS = 6.5, 4.0, 12
_OWN_WORDS = bank.stored("style.yml")["own_words"]
_DISTANCES = (11.0, 14.0, 18.0, 26.0, 38.0, 54.0, 75.0, 100.0)
_DIRECTIONS = (0, 180, 90, 270, 30, 150, 330, 210, 60, 120, 300, 240)
_NEAR, _FAR, _LEAST = 15.0, 40.0, 5


def positions(starts: Sequence[Any] | pd.Series, frequency: str) -> Floats:
    """Return where periods that begin on these dates stand; unknown frequencies count as months."""
    dates = pd.DatetimeIndex(pd.to_datetime(starts))
    months = dates.year * 12 + dates.month - 1 + (dates.day - 1) / _DAYS
    return np.asarray(months, float) + MONTHS.get(frequency, 1) / 2


def year_label(year: int, year_type: str) -> str:
    """Name the year that begins in this calendar year: 2026-27, academic 2026/27, or 2026."""
    join = {"financial": "-", "academic": "/"}.get(year_type)
    return f"{year}{join}{(year + 1) % 100:02d}" if join else str(year)


@contextmanager
def time_chart(
    values: Ends, span: Ends, room: tuple[float, float, float], subject: figures.Subject
) -> Iterator[Canvas]:
    """Open a canvas with a scale of values at the left and the council's time below.

    ``span`` is the places of the first and the last period.
    ``room`` is the height of the canvas without the time axis, and the margins at top and right.
    Years are centred under their span, and the
    periods stand above them where they are few enough to write the months of each.
    """
    (height, top, right), frequency = room, subject.frequency
    months = MONTHS.get(frequency, 1)
    low, high = span[0] - months / 2, span[1] + months / 2
    count, first = round((high - low) / months), _FIRST_MONTH.get(subject.year_type, 1) - 1
    has_periods = count <= _MOST_NAMED.get(frequency, 0)
    periods = _periods(low, months, count, first) if has_periods else []
    tall = 4 + max((measure(words)[1] for words, _ in periods), default=-4.0)
    sides = (height + tall + 32, right, tall + 32, top)
    width = canvas.NARROW if count <= (_PAIR if periods else _FEW) else canvas.WIDTH
    with canvas.scaled_canvas(values, subject.unit, sides, width) as sheet:
        sheet.opening = f'{style.TIMELINE_SVG}data-left="{math.ceil(sheet.area.left)}" '
        sheet.axes.set_xlim(low, high)
        sheet.write_row([(words, sheet.pixel(x, 0)[0]) for words, x in periods], 28 + tall / 2)
        _write_years(sheet, (low, high), first, subject.year_type)
        yield sheet


def labels_ahead(scale: tuple[str, int], goals: Numbers, fan: Numbers) -> list[lettering.Label]:
    """Return the labels of target (one or two ends) and forecast (low, middle, high), if any."""
    labels: list[lettering.Label] = []
    if len(goals):
        words = say("chart.target", value=lettering.short_range(goals[0], goals[-1], *scale))
        labels.append((Words(words, "target", bold=True), goals[-1]))
    if len(fan):
        words = say("chart.forecast", value=lettering.short_range(fan[1], fan[1], *scale))
        # The range's label stands at the edge farther from the target, where there is more room.
        edge = fan[2 if labels and goals[-1] <= fan[1] else 0]
        labels += [(Words(words, "blue", bold=True), fan[1]), (Words(say("chart.likely")), edge)]
    return labels


def _write_years(sheet: Canvas, ends: Ends, first: int, year_type: str) -> None:
    (low, high), area, y = ends, sheet.area, 19.0
    years = range(math.floor((low - first) / 12), math.floor((high - first - 1e-9) / 12) + 1)
    edges = [sheet.pixel(year * 12 + first, 0)[0] for year in (*years, years[-1] + 1)]
    spans = list(pairwise(np.clip(edges, area.left, area.right)))
    sheet.strokes(
        "tick", *([(x, foot) for x, _ in spans[1:]] for foot in (area.bottom, area.bottom - 5))
    )
    widest = measure(Words(year_label(years[0], year_type)))[0] + 10
    every = max(1, math.ceil(widest / max(end - start for start, end in spans)))
    for index in range(len(spans) - 1, -1, -every):
        start, end = spans[index]
        # The newest year may have begun just now; its name may reach past the end of the axis.
        middle = max((start + end) / 2, start + widest / 2) if index else (start + end) / 2
        if index == len(spans) - 1 or every > 1 or end - start >= widest:
            sheet.write(Words(year_label(years[index], year_type)), middle, y, anchor="center")


def _periods(low: float, months: float, count: int, first: int) -> list[tuple[Words, float]]:
    """Name periods by their months, and quarters by their number in the council's year above."""
    names, found = say("chart.months").split(), []
    for start in low + months * np.arange(count) + 1e-6:
        begins, ends = names[int(start) % 12], names[int(start + months - 1) % 12]
        number, span = int((start - first) % 12 // 3) + 1, dict(first=begins, last=ends)
        quarter = f"{say('chart.quarter', number=number)}\n{say('chart.span', **span)}"
        found.append((Words(begins if months == 1 else quarter), start + months / 2))
    return found


def scale_ends(low: float, high: float, share: float) -> tuple[float, float]:
    """Return the ends of a scale with some room; one that begins above zero stays above it."""
    room = share * (high - low) or 0.05 * abs(high) or 1.0
    return (0.0 if 0 <= low < room else low - room), high + room


def natural_ends(values: Numbers, unit: str) -> Ends:
    """Return what a scale never passes: 0 where no value lies below, 100 where all are shares."""
    is_share = unit == "%" and np.nanmax(values) <= 100
    return (0.0 if np.nanmin(values) >= 0 else -np.inf, 100.0 if is_share else np.inf)


def scale_for(
    shown: Floats, targets: Floats, room: float, fan: Numbers = (), wide: float = 0
) -> Ends:
    """Return the ends of a scale on which history and usual range always fit.

    Targets fit too unless they lie so far away (as a mistyped one does) that the history would
    become a flat line, and a forecast as far as that. ``wide`` is the least that counts as far.
    So few values that nothing can be said of them are seen against zero, or any two would climb.
    """
    low, high = float(np.nanmin(shown)), float(np.nanmax(shown))
    if np.isfinite(shown).sum() < _LEAST:
        low, high = min(low, 0.0), max(high, 0.0)
    reach = max(wide, 2.0 * max(high - low, 0.25 * max(abs(low), abs(high)), 1e-9))
    bottom, top = low - reach, high + reach
    near = [*targets[(targets >= bottom) & (targets <= top)], *np.clip(fan, bottom, top)]
    return scale_ends(min([low, *near]), max([high, *near]), room)


def draw_others(sheet: Canvas, spots: Floats) -> None:
    """Draw councils, a row of places each, as hollow dots, and keep words clear of them.

    A dot is a line of almost no length with round ends, grey and then white. Dots that overlap
    lie in different layers, so that each keeps its outline.
    """
    layers: list[list[list[float]]] = [[] for _ in range(_LAYERS)]
    for spot in sorted(spots.tolist()):
        clear = (each for each in layers if all(math.dist(spot, other) > DOT for other in each))
        next(clear, layers[-1]).append(spot)
        sheet.boxes.append(box_of(*spot))
    for layer, look in product(layers, ("other", "inside of other")):
        # A tenth of a pixel long, since some programs leave out what has no length at all.
        if layer:
            sheet.strokes(look, layer, np.add(layer, (0.1, 0)))


def draw_own(sheet: Canvas, spot: Spot, verdict: str = "") -> None:
    """Draw our own mark over everything, and keep words clear of it."""
    x, y = spot
    sheet.line(f"own {verdict}" if verdict in _OWN_WORDS else "own", [x], [y])
    sheet.boxes.append(box_of(x, y))


def name_own(sheet: Canvas, text: str, spot: Spot, verdict: str = "") -> None:
    """Name our own mark near it, or as a key above the axes, where a line needs room."""
    left, y = sheet.area.left + 6, sheet.area.top + 14
    words = Words(text, _OWN_WORDS.get(verdict, "ink"), bold=True)
    words = fit(words, sheet.area.right - left - 14, 3)
    if not name_mark(sheet, words, spot, math.inf):
        draw_own(sheet, (left, y), verdict)
        sheet.write(words, left + 14, y)


def name_mark(sheet: Canvas, words: Words, spot: Spot, within: float = _FAR) -> bool:
    """Name a mark at the nearest clear spot, with a fine line to it where that is not beside it."""
    (x, y), (width, height) = spot, measure(words)
    around = [
        (x + across * far + (across - 1) * width / 2, y + up * far + (up - 1) * height / 2)
        for far, angle in product(_DISTANCES, np.radians(_DIRECTIONS))
        for across, up in [(float(np.cos(angle)), float(np.sin(angle)))]
        if far <= within
    ]
    if not sheet.place(words, around, x):
        return False
    box = sheet.boxes[-1]
    end = float(np.clip(x, box.left, box.right)), float(np.clip(y, box.bottom, box.top))
    if math.dist((x, y), end) > _NEAR:
        sheet.line("leader", [x, end[0]], [y, end[1]], color=style.COLOURS[words.colour], zorder=3)
    return True


def box_of(x: float, y: float) -> canvas.Box:
    """Return the room that a mark takes."""
    return canvas.Box(x - _HALF, y - _HALF, x + _HALF, y + _HALF)
