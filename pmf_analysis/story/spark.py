"""A sparkline for a table cell: hand-written SVG, under 600 bytes.

It is decoration beside the numbers and hidden from screen readers. It takes the colour of the
text around it, so it follows dark mode and forced colours by itself.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from functools import partial
from typing import TypeVar

from pmf_analysis.story.canvas import Floats

_WIDTH, _HEIGHT, _PAD = 100.0, 24.0, 3.0
MOST_POINTS = 30
Number = TypeVar("Number", float, Floats)


def draw_spark(values: Sequence[float], lower: float, upper: float, *, id: str) -> str:
    """Draw the newest 30 values, with the usual range as a band, and return SVG.

    A missing value breaks the line; without limits there is no band; nothing to draw gives an
    empty text. ``id`` names the picture for style sheets.
    """
    newest = list(values)[-MOST_POINTS:]
    known = [value for value in newest if math.isfinite(value)]
    if not known:
        return ""
    limits = [limit for limit in (lower, upper) if math.isfinite(limit)]
    height = partial(
        place, ends=(min(known + limits), max(known + limits)), box=(_HEIGHT - _PAD, _PAD)
    )
    step = (_WIDTH - 2 * _PAD) / max(1, len(newest) - 1)
    spots = [(_PAD + number * step, height(value)) for number, value in enumerate(newest)]
    x, y = trace([spot for spot in spots if math.isfinite(spot[1])][-1:])[1:].split()
    band = ""
    if len(limits) == 2:
        top, foot = height(upper), height(lower)
        band = f'<path d="M0 {top:.1f}H100V{foot:.1f}H0Z" fill="#8A949B" fill-opacity=".25"/>'
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" id="{id}" class="pmf-spark" viewBox="0 0 100 24" '
        f'aria-hidden="true" focusable="false">{band}<path d="{trace(spots)}" fill="none" '
        f'stroke="currentColor"/><circle cx="{x}" cy="{y}" r="2.5" fill="currentColor"/></svg>'
    )


def place(value: Number, ends: tuple[float, float], box: tuple[float, float]) -> Number:
    """Return the height of a value between the ends of its scale; in the middle if they agree."""
    share = (value - ends[0]) / (ends[1] - ends[0]) if ends[1] > ends[0] else 0 * value + 0.5
    return box[0] + share * (box[1] - box[0])


def trace(spots: Iterable[tuple[float, float]]) -> str:
    """Write the path of a line through spots; one without a height breaks it."""
    path, pen = "", "M"
    for x, y in spots:
        if math.isfinite(y):
            path, pen = path + f"{pen}{x:.0f} {y:.1f}".replace(".0", ""), "L"
        else:
            pen = "M"
    return path
