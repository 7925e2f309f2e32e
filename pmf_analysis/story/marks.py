"""How councils are marked in every comparison: the others as hollow dots, us by shape.

A triangle is better, a diamond worse and a dot neither, so nothing hangs on colour. Hundreds of
dots are a few paths, which keeps a picture of every council in the country small.
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from itertools import product

import numpy as np

from pmf_analysis.story.canvas import Box, Canvas, Floats, Words, measure
from pmf_analysis.story.style import BLUE, GREY, INK, ORANGE, ORANGE_WORDS, PAPER, Tone

Spot = tuple[float, float]
"""A place in pixels."""

DOT, _EDGE, _HALF = 6.5, 1.1, 4.0
_OWN = {
    "better": ("^", BLUE, PAPER, 12.0, BLUE),
    "worse": ("D", ORANGE, INK, 10.0, ORANGE_WORDS),
    "neutral": ("o", INK, PAPER, 10.0, INK),
}
_DISTANCES = (11.0, 14.0, 18.0, 26.0, 38.0, 54.0, 75.0, 100.0)
_DIRECTIONS = (0, 180, 90, 270, 30, 150, 330, 210, 60, 120, 300, 240)
_NEAR, _FAR = 15.0, 30.0


def draw_others(sheet: Canvas, x: Floats, y: Floats) -> None:
    """Draw councils as hollow dots at places in pixels, and keep words clear of them.

    A dot is a line of almost no length with round ends, grey and then white. Dots that overlap
    lie in different layers, so that each keeps its outline.
    """
    layers: list[list[Spot]] = []
    for spot in sorted(zip(x.tolist(), y.tolist(), strict=True)):
        clear = (each for each in layers if all(math.dist(spot, other) > DOT for other in each))
        layer = next(clear, None)
        if layer is None:
            layers.append(layer := [])
        layer.append(spot)
        sheet.boxes.append(_box(*spot))
    for layer, (colour, width) in product(layers, ((GREY, DOT), (PAPER, DOT - 2 * _EDGE))):
        # A tenth of a pixel long, since some programs leave out what has no length at all.
        corners = np.array([[(a, b), (a + 0.1, b), (np.nan, np.nan)] for a, b in layer])
        ends = corners.reshape(-1, 2).T
        sheet.line(*ends, color=colour, lw=width, solid_capstyle="round", zorder=4)


def draw_own(sheet: Canvas, spot: Spot, tone: Tone) -> None:
    """Draw our own mark over everything, and keep words clear of it."""
    mark, fill, edge, size, _ = _OWN[tone or "neutral"]
    x, y = spot
    sheet.line([x], [y], ls="", zorder=7, marker=mark, mfc=fill, mec=edge, ms=size, mew=1.1)
    sheet.boxes.append(_box(x, y))


def name_own(sheet: Canvas, text: str, spot: Spot, tone: Tone = "") -> None:
    """Name our own mark near it, or as a key above the axes, where a line needs room."""
    words = Words(text, _OWN[tone or "neutral"][-1], bold=True)
    if not name_mark(sheet, words, spot, math.inf):
        left, y = sheet.area.left + 6, sheet.area.top + 14
        draw_own(sheet, (left, y), tone)
        sheet.write(words, left + 14, y)


def name_mark(sheet: Canvas, words: Words, spot: Spot, within: float = _FAR) -> bool:
    """Name a mark at the nearest clear spot, with a fine line to it where that is not beside it."""
    if not sheet.place(words, _around(words, spot, within), spot[0]):
        return False
    (x, y), box = spot, sheet.boxes[-1]
    end = float(np.clip(x, box.left, box.right)), float(np.clip(y, box.bottom, box.top))
    if math.dist((x, y), end) > _NEAR:
        sheet.line([x, end[0]], [y, end[1]], color=words.colour, lw=0.7, zorder=3)
    return True


def _around(words: Words, spot: Spot, within: float) -> Iterator[Spot]:
    """Yield lower-left corners of a label around a mark, nearer ones and its right first."""
    (x, y), (width, height) = spot, measure(words)
    for distance, angle in product(_DISTANCES, np.radians(_DIRECTIONS)):
        if distance <= within:
            across, up = float(np.cos(angle)), float(np.sin(angle))
            left = x + across * distance + (across - 1) * width / 2
            yield left, y + up * distance + (up - 1) * height / 2


def _box(x: float, y: float) -> Box:
    return Box(x - _HALF, y - _HALF, x + _HALF, y + _HALF)
