"""Small pictures written by hand: the panels of a theme side by side, and sparklines of tables.

Panels have one look: the newest value in large figures, the line with its usual range, the target
as steps and the newest point in the shape of its status. Each is its own SVG, so that a page lays
them out in as many columns as fit, and one is legible on a phone. Each has its own scale, of
values and of time.

A sparkline is under 600 bytes: decoration beside the numbers, hidden from screen readers. It takes
the colour of the text around it, so it follows dark mode and forced colours by itself.
"""

import math
import textwrap
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import partial
from html import escape
from typing import TypeVar

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from pmf_analysis.story import bank, canvas, parts, style

_WIDTH, _PLOT, _FOOT, _SIDE = 260, 84, 20, 6.0
_TITLE_LETTERS = 30
_LARGE = 19.0
_PROVISIONAL = ("provisional", "estimated")
_SPARK_WIDTH, _SPARK_HEIGHT, _PAD = 100.0, 24.0, 3.0
_MOST_POINTS = 30
Number = TypeVar("Number", float, canvas.Floats)


@dataclass(frozen=True)
class Panel:
    """One indicator: title, newest value and status in words, and its rows of ``points``.

    Columns used of ``points``: period, period_label, value, status, lower_limit, upper_limit and
    target. ``status`` is a verdict code, which gives the shape; ``word`` says it.
    """

    title: str
    value_text: str
    status: str
    points: pd.DataFrame
    word: str = ""


def draw_multiples(panels: Sequence[Panel], *, id: str) -> str:
    """Draw the panels and return one SVG after the other; those without any value are left out.

    The newest 30 periods of each are drawn. Everything in a panel is said by the figure's
    alternative text and data table too, so the pictures themselves are hidden from screen readers.

    Raises
    ------
    PmfError
        When no panel has a value.
    """
    drawn = [panel for panel in panels if panel.points["value"].notna().any()]
    canvas.require_value(drawn)
    return "".join(_panel(panel, f"{id}--{number}") for number, panel in enumerate(drawn, start=1))


def _panel(panel: Panel, id: str) -> str:
    title = textwrap.wrap(panel.title, _TITLE_LETTERS, max_lines=2, placeholder="…")
    icon, top = style.icon_shape(panel.status), 18 * len(title) + 33 + 19 * bool(panel.word)
    # The mark stands before the word of the status, or before the value where there is none.
    left = 21 if icon[1] and not panel.word else 0
    width = canvas.measure(canvas.Words(panel.value_text, bold=True, size=_LARGE))[0]
    size = min(1.0, (_WIDTH - left - 2) / max(width, 1.0)) * _LARGE
    texts = {"id": id, "title": title, "icon": icon, "size": f"{size:.3g}", "text": escape}
    frame = {"left": left, "top": top, "width": _WIDTH, "height": top + _PLOT + _FOOT}
    drawn = texts | frame | _plot(panel, (top + _PLOT, top))
    return bank.template("panel.svg.jinja")(panel=panel, style=style, **drawn)


def _plot(panel: Panel, box: tuple[float, float]) -> dict[str, object]:
    """Return the paths of a panel's line, band and target, its newest point and its periods."""
    points = panel.points.sort_values("period")
    points = points.iloc[: np.flatnonzero(points["value"].notna())[-1] + 1].tail(_MOST_POINTS)
    columns = ["value", "lower_limit", "upper_limit", "target"]
    value, lower, upper, target = points.reindex(columns=columns).to_numpy(float).T
    ends = parts.scale_for(np.concatenate([value, lower, upper]), target, 0.06)
    height = partial(place, ends=ends, box=box)
    edges = np.linspace(0.0, _WIDTH - _SIDE, len(points) + 1)
    middles = (edges[:-1] + edges[1:]) / 2
    bands = [
        f"{_steps(edges[a : b + 1], height(upper[a:b]))}"
        f"L{_steps(edges[a : b + 1][::-1], height(lower[a:b])[::-1])[1:]}"
        for a, b in _runs(np.isfinite(lower) & np.isfinite(upper))
    ]
    shown = (target >= ends[0]) & (target <= ends[1])
    goal = "".join(_steps(edges[a : b + 1], height(target[a:b])) for a, b in _runs(shown))
    line = trace(zip(middles, height(value), strict=True))
    is_hollow = points["status"].iloc[-1] in _PROVISIONAL
    paths = {"bands": bands, "goal": goal, "line": line, "is_hollow": is_hollow}
    spot = f"{middles[-1] - 7:.0f} {height(value[-1]) - 7:.1f}"
    return {**paths, "spot": spot, "labels": points["period_label"].tolist()}


def _runs(holds: NDArray[np.bool_]) -> list[tuple[int, int]]:
    """Return start and end of each unbroken run of periods."""
    turns = np.flatnonzero(np.diff(np.concatenate([[False], holds, [False]]).astype(int)))
    return [(int(a), int(b)) for a, b in turns.reshape(-1, 2)]


def _steps(edges: canvas.Floats, heights: canvas.Floats) -> str:
    """Write the path of levels that each hold from one edge to the next."""
    x, y = np.rint(edges).astype(int), np.rint(heights).astype(int)
    turns = np.flatnonzero(np.diff(y, prepend=y[0] - 1))
    across, up = np.diff([*x[turns], x[-1]]), np.diff(y[turns], append=y[-1])
    moves = "".join(f"h{dx}v{dy}" for dx, dy in zip(across, up, strict=True))
    return f"M{x[0]} {y[0]}{moves}".removesuffix("v0")


def draw_spark(values: Sequence[float], lower: float, upper: float, *, id: str) -> str:
    """Draw the newest 30 values, with the usual range as a band, and return SVG.

    A missing value breaks the line; without limits there is no band; nothing to draw gives an
    empty text. ``id`` names the picture for style sheets.
    """
    shown = list(values)[-_MOST_POINTS:]
    known = [value for value in shown if math.isfinite(value)]
    if not known:
        return ""
    limits = [limit for limit in (lower, upper) if math.isfinite(limit)]
    ends = min(known + limits), max(known + limits)
    height = partial(place, ends=ends, box=(_SPARK_HEIGHT - _PAD, _PAD))
    step = (_SPARK_WIDTH - 2 * _PAD) / max(1, len(shown) - 1)
    spots = [(_PAD + number * step, height(value)) for number, value in enumerate(shown)]
    newest = trace([spot for spot in spots if math.isfinite(spot[1])][-1:])[1:].split()
    band = [f"{height(limit):.1f}" for limit in (upper, lower)] if len(limits) == 2 else []
    return bank.template("spark.svg.jinja")(id=id, band=band, line=trace(spots), newest=newest)


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
