"""How councils are marked in every comparison: the others as hollow dots, us by shape.

A triangle is better, a diamond worse (open where only somewhat) and a dot neither, so nothing
hangs on colour. Hundreds of
dots are a few paths, which keeps a picture of every council in the country small.
"""

import math
from collections.abc import Sequence
from itertools import product

import numpy as np

from pmf_analysis.story.canvas import Box, Canvas, Floats, Words, measure
from pmf_analysis.story.style import BLUE, GREY, INK, ORANGE, ORANGE_WORDS, PAPER

Spot = Sequence[float] | Floats
"""A place in pixels."""

DOT, _EDGE, _HALF, _LAYERS = 6.5, 1.1, 4.0, 12
_OWN = {
    "better": ("^", BLUE, PAPER, 12.0, BLUE),
    "worse": ("D", ORANGE, INK, 10.0, ORANGE_WORDS),
    "somewhat_better": ("^", PAPER, INK, 11.0, INK),
    "somewhat_worse": ("D", PAPER, INK, 9.0, INK),
}
SIGNALS = {1: ("^", BLUE, PAPER, 9.5), -1: ("D", ORANGE, INK, 7.5), 0: ("s", GREY, PAPER, 6.5)}
"""Shape, fill, edge and size of a point that a rule has singled out, by the way it points."""
_NEITHER = ("o", INK, PAPER, 10.0, INK)
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
    for layer, (colour, width) in product(layers, ((GREY, DOT), (PAPER, DOT - 2 * _EDGE))):
        # A tenth of a pixel long, since some programs leave out what has no length at all.
        ends = np.array([[(x, y), (x + 0.1, y), (np.nan, np.nan)] for x, y in layer])
        if layer:
            x, y = ends.reshape(-1, 2).T
            sheet.line(x, y, color=colour, lw=width, solid_capstyle="round", zorder=4)


def draw_own(sheet: Canvas, spot: Spot, verdict: str = "") -> None:
    """Draw our own mark over everything, and keep words clear of it."""
    mark, fill, edge, size, _ = _OWN.get(verdict, _NEITHER)
    (x, y), width = spot, 1.8 if fill == PAPER else 1.1
    sheet.line([x], [y], ls="", zorder=7, marker=mark, mfc=fill, mec=edge, ms=size, mew=width)
    sheet.boxes.append(box_of(x, y))


def name_own(sheet: Canvas, text: str, spot: Spot, verdict: str = "") -> None:
    """Name our own mark near it, or as a key above the axes, where a line needs room."""
    words = Words(text, _OWN.get(verdict, _NEITHER)[-1], bold=True)
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
        sheet.line([x, end[0]], [y, end[1]], color=words.colour, lw=0.7, zorder=3)
    return True


def box_of(x: float, y: float) -> Box:
    """Return the room that a mark takes."""
    return Box(x - _HALF, y - _HALF, x + _HALF, y + _HALF)
