"""A sparkline for a table cell: hand-written SVG, under 600 bytes.

It is decoration beside the numbers and hidden from screen readers. It takes the colour of the
text around it, so it follows dark mode and forced colours by itself.
"""

from __future__ import annotations

import math
from collections.abc import Sequence

_WIDTH, _HEIGHT, _PAD = 100.0, 24.0, 3.0
_MOST_POINTS = 30


def draw_spark(values: Sequence[float], lower: float, upper: float, *, id: str) -> str:
    """Draw the newest 30 values, with the usual range as a band, and return SVG.

    A missing value breaks the line; without limits there is no band; nothing to draw gives an
    empty text. ``id`` names the picture for style sheets.
    """
    newest = list(values)[-_MOST_POINTS:]
    known = [value for value in newest if math.isfinite(value)]
    if not known:
        return ""
    limits = [limit for limit in (lower, upper) if math.isfinite(limit)]
    low, high = min(known + limits), max(known + limits)
    span = (high - low) or 1.0
    step = (_WIDTH - 2 * _PAD) / max(1, len(newest) - 1)

    def height(value: float) -> float:
        share = (value - low) / span if high > low else 0.5
        return _HEIGHT - _PAD - share * (_HEIGHT - 2 * _PAD)

    line, pen, dot = "", "M", ""
    for number, value in enumerate(newest):
        if math.isfinite(value):
            place = f"{_PAD + number * step:.0f} {height(value):.1f}".replace(".0", "")
            line, pen, dot = line + pen + place, "L", place
        else:
            pen = "M"
    x, y = dot.split()
    band = ""
    if len(limits) == 2:
        top, foot = height(upper), height(lower)
        band = f'<path d="M0 {top:.1f}H100V{foot:.1f}H0Z" fill="#8A949B" fill-opacity=".25"/>'
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" id="{id}" class="pmf-spark" viewBox="0 0 100 24" '
        f'aria-hidden="true" focusable="false">{band}<path d="{line}" fill="none" '
        f'stroke="currentColor"/><circle cx="{x}" cy="{y}" r="2.5" fill="currentColor"/></svg>'
    )
