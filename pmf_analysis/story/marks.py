"""How councils are marked in every comparison: the others as hollow dots, us by shape.

Hundreds of dots are a few paths, which keeps a picture of every council in the country small.
"""

import math
from collections.abc import Sequence
from itertools import product

import numpy as np

from pmf_analysis.story import bank, style
from pmf_analysis.story.canvas import Box, Canvas, Floats, Words, measure

Spot = Sequence[float] | Floats
"""A place in pixels."""

DOT, _HALF, _LAYERS = 6.5, 4.0, 12
_OWN_WORDS = bank.stored("style.yml")["own_words"]
_DISTANCES = (11.0, 14.0, 18.0, 26.0, 38.0, 54.0, 75.0, 100.0)
_DIRECTIONS = (0, 180, 90, 270, 30, 150, 330, 210, 60, 120, 300, 240)
_NEAR, _FAR = 15.0, 30.0


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
    words = Words(text, _OWN_WORDS.get(verdict, "ink"), bold=True)
    if not name_mark(sheet, words, spot, math.inf):
        left, y = sheet.area.left + 6, sheet.area.top + 14
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


def box_of(x: float, y: float) -> Box:
    """Return the room that a mark takes."""
    return Box(x - _HALF, y - _HALF, x + _HALF, y + _HALF)
