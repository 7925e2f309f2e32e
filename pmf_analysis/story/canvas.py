"""What every chart stands on: a figure, a place for words, and clean SVG out of it.

A chart is drawn with matplotlib's Figure API at one unit a pixel, without pyplot's global state.
"""

import io
import math
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from functools import cache, lru_cache
from html import escape
from itertools import pairwise
from threading import get_ident
from typing import Any, NamedTuple, Self

import numpy as np
from numpy.typing import NDArray

from pmf_analysis.problems import EXIT_DATA_UNUSABLE, PmfError, Problem
from pmf_analysis.story import bank, style
from pmf_analysis.story.bank import say
from pmf_analysis.story.lettering import LEADING, Label, Words, fit, grid, is_left_out, measure

Floats = NDArray[np.float64]
Ends = tuple[float, float]
Numbers = Sequence[float] | Floats
WIDTH, NARROW = 600.0, 436.0
"""Of a chart as a rule, which fills a printed page; of a small one, which fits a usual phone."""
_APART, _ROOM = 4.0, 8.0
_UNIT_ROW = 18.0


class Box(NamedTuple):
    """A rectangle on the canvas in pixels, origin at the lower left."""

    left: float
    bottom: float
    right: float
    top: float

    def overlaps(self, other: Self, gap: float = 0.0) -> bool:
        """Whether two boxes share area, or come nearer to each other than ``gap``."""
        across = self.left < other.right + gap and other.left < self.right + gap
        return across and self.bottom < other.top + gap and other.bottom < self.top + gap


@dataclass
class Canvas:
    """A figure with one set of axes, the boxes of the words on it and the ink to keep clear of."""

    axes: Any
    boxes: list[Box] = field(default_factory=list)
    ink: list[Floats] = field(default_factory=list)
    texts: list[str] = field(default_factory=list)
    opening: str = "<svg "

    def write(self, words: Words, x: float, y: float, *, anchor: str = "left") -> Box:
        """Write a label, centred on y, and remember its box; x and y in pixels."""
        width, height = measure(words)
        left = x - {"left": 0.0, "center": width / 2, "right": width}[anchor]
        # Matplotlib would lay each line out again, which takes as long as all else in a chart.
        looks = style.text_looks(words.colour, words.size, words.bold, anchor)
        page = self.axes.figure.bbox.height
        for number, line in enumerate(words.text.split("\n")):
            foot = y + height / 2 - words.size * (0.98 + LEADING * number)
            place = f'x="{style.hundredth(x)}" y="{style.hundredth(page - foot)}"'
            self.texts.append(f"<text{looks} {place}>{escape(line, quote=False)}</text>")
        self.boxes.append(Box(left, y - height / 2, left + width, y + height / 2))
        return self.boxes[-1]

    @property
    def area(self) -> Box:
        """The rectangle between the axes."""
        return Box(*self.axes.get_window_extent().extents)

    def pixel(self, x: float, y: float) -> tuple[float, float]:
        """Return a data point as a place in pixels."""
        across, up = self.axes.transData.transform((x, y))
        return float(across), float(up)

    def keep_clear(self, x: Iterable[float], y: Iterable[float]) -> None:
        """Remember a line's ink, a dot every few pixels, so that words avoid it; NaN breaks it."""
        corners = self.axes.transData.transform(np.array([[*x], [*y]], float).T)
        self.ink.append(corners)
        for start, end in pairwise(corners):
            length = np.hypot(*(end - start))
            if np.isfinite(length):
                steps = int(np.clip(length / 3, 2, WIDTH))
                self.ink.append(start + np.linspace(0, 1, steps)[:, None] * (end - start))

    def place(self, words: Words, spots: Iterable[tuple[float, float]], beside: float = 0) -> bool:
        """Write a label at the first clear spot, a lower-left corner, and say if there is one.

        Words that readers see narrower stay next to what stands at ``beside``.
        """
        width, height = measure(words)
        ink, area = np.concatenate([np.empty((0, 2)), *self.ink]), self.area
        for left, bottom in spots:
            box = Box(left, bottom, left + width, bottom + height)
            is_within = all(np.greater_equal((*box[:2], *area[2:]), (*area[:2], *box[2:])))
            touches = any(box.overlaps(other, 3) for other in self.boxes)
            inked = (ink > box[:2]) & (ink < box[2:])
            if is_within and not touches and not inked.all(axis=1).any():
                side = int(left + width <= beside) + int(left < beside)
                anchor = ("left", "center", "right")[side]
                self.write(words, left + side * width / 2, bottom + height / 2, anchor=anchor)
                return True
        return False

    def draw(self, look: str, x: Iterable[float], y: Iterable[float]) -> None:
        """Draw a line in the looks of that name, and keep words clear of it."""
        self.axes.plot(x, y, **style.looks_of(look))
        self.keep_clear(x, y)

    def fill(self, look: str, x: Iterable[float], *edges: Any, clear: bool = True) -> None:
        """Fill the area between two lines, and keep words clear of these."""
        self.axes.fill_between(x, *edges, **style.looks_of(look))
        for edge in edges if clear else ():
            self.keep_clear(x, edge)

    def mark(self, look: str, x: Numbers, y: Numbers) -> None:
        """Mark places on the scales, and keep words clear of the marks."""
        self.axes.plot(x, y, ls="", clip_on=False, **style.looks_of(look))
        half = style.looks_of(look)["ms"] / 2 + 1
        spots = self.axes.transData.transform(np.column_stack([x, y])).tolist()
        self.boxes += [Box(left - half, up - half, left + half, up + half) for left, up in spots]

    def line(self, look: str, x: Numbers, y: Numbers, **more: Any) -> None:
        """Draw a line in pixels, outside the axes' scales."""
        from matplotlib.lines import Line2D

        self.axes.add_line(
            Line2D(x, y, transform=None, clip_on=False, **style.looks_of(look), **more)
        )

    def strokes(self, look: str, starts: Any, ends: Any) -> None:
        """Draw separate lines in pixels as one, which is small and quick; a row is x and y."""
        corners = np.stack([starts, ends, np.full_like(ends, np.nan, float)], axis=1)
        self.line(look, *corners.reshape(-1, 2).T)

    def tick(self, value: float, text: str) -> None:
        """Write a value of the scale below the axes, under a small line, where it has room."""
        (x, _), foot, half = self.pixel(value, 1), self.area.bottom, measure(Words(text))[0] / 2
        self.line("tick", [x, x], [foot, foot - 4])
        room = Box(x - half - _APART, foot - 20, x + half + _APART, foot - 9)
        if not any(room.overlaps(other) for other in self.boxes):
            self.write(Words(text), x, foot - 14, anchor="center")

    def write_row(self, labels: Sequence[tuple[Words, float]], y: float) -> None:
        """Write labels over their places, equally far apart: the last, and others that fit."""
        if labels:
            widest = _ROOM + max(measure(words)[0] for words, _ in labels)
            apart = labels[1][1] - labels[0][1] if len(labels) > 1 else widest
            for words, x in labels[:: -math.ceil(widest / apart)]:
                self.write(words, x, y, anchor="center")

    def name_ends(self, labels: Iterable[Label], above: float = 12) -> None:
        """Write labels at the right by their values, apart, up to so far above the axes."""
        (low, high), area, placed = self.axes.get_ylim(), self.area, []
        for words, value in labels:
            if not low <= value <= high:
                words = replace(words, text=f"{words.text}\n{say('chart.off_chart')}")
            placed.append((words, self.pixel(1, min(max(value, low), high))[1]))
        placed.sort(key=lambda label: label[1])
        heights, x = [measure(words)[1] + _APART for words, _ in placed], area.right + 10
        middles = spread([y for _, y in placed], heights, area.bottom - 6, area.top + above)
        for (words, wanted), y in zip(placed, middles, strict=True):
            self.write(words, x, y)
            if abs(y - wanted) > style.SIZE:
                self.line("leader", [x - 10, x - 3], [wanted, y], color=style.COLOURS[words.colour])

    def svg(self, id: str) -> str:
        """Return the drawing as tidy SVG whose ids all begin with ``id``."""
        page, width = io.BytesIO(), self.axes.figure.bbox.width
        unprinted = dict.fromkeys(("Date", "Creator", "Format", "Type"))
        self.axes.figure.savefig(page, format="svg", metadata=unprinted)
        drawing = style.tidy_svg(page.getvalue(), id)
        # Style sheets give a narrower one that part of the width, so that words are as large.
        part = f'style="--part:{width / WIDTH:.2g}" ' if width < WIDTH else ""
        drawing = drawing.replace("<svg ", self.opening + part, 1)
        return drawing.replace("</svg>", f"{''.join(self.texts)}</svg>")


@contextmanager
def canvas(
    height: float, left: float, right: float, bottom: float, top: float, width: float = WIDTH
) -> Iterator[Canvas]:
    """Open a canvas, as a rule of the standard width; margins around its axes are in pixels.

    The settings hold until the block is left, because matplotlib reads those of SVG at saving.
    """
    from matplotlib import rc_context, rcParams

    # Only what is not so already: matplotlib checks each of its 300 settings, which takes 1 ms.
    with rc_context({name: ours for name, ours in _settings() if rcParams[name] != ours}):
        axes = _axes(get_ident())
        for artist in (*axes.lines, *axes.collections, *axes.patches):
            artist.remove()
        axes.figure.set_size_inches(width / 72, height / 72)
        sides = (left, bottom, width - left - right, height - bottom - top)
        axes.set_position(np.divide(sides, (width, height, width, height)).tolist())
        axes.set_axis_on()
        axes.spines[:].set(visible=False, color=style.COLOURS["grey"])
        axes.spines["bottom"].set_visible(True)
        if axes.get_xscale() != "linear":
            axes.set_xscale("linear")
        yield Canvas(axes)


@contextmanager
def scaled_canvas(
    values: Ends, unit: str, sides: tuple[float, float, float, float], width: float = WIDTH
) -> Iterator[Canvas]:
    """Open a canvas with a scale of values at the left, each with a fine line.

    ``sides`` are the height of the canvas and the margins at right, bottom and top. A unit that
    labels leave out stands above these at the right, which a narrow screen shows first.
    """
    height, right, bottom, top = sides
    unit_row = _UNIT_ROW * is_left_out(unit)
    ticks = [(Words(text), tick) for tick, text in grid(*values, unit)]
    left = max([56.0, *(12.0 + measure(words)[0] for words, _ in ticks)])
    with canvas(height + unit_row, left, right, bottom, top + unit_row, width) as sheet:
        if unit_row:
            words = fit(Words(unit), width, 1)
            sheet.write(words, width - 2, height + unit_row / 2, anchor="right")
        sheet.axes.set_ylim(values)
        area, heights = sheet.area, [sheet.pixel(1, tick)[1] for _, tick in ticks]
        sheet.strokes("grid", *([(x, y) for y in heights] for x in (area.left, area.right)))
        for (words, _), y in zip(ticks, heights, strict=True):
            sheet.write(words, area.left - 8, y, anchor="right")
        yield sheet


@cache
def _settings() -> list[tuple[Any, Any]]:
    """Return all of matplotlib's settings as charts have them, whatever an analyst has set."""
    from matplotlib import rcParamsDefault

    ours = rcParamsDefault.copy()
    ours.update(bank.stored("style.yml")["settings"])
    return [(name, ours[name]) for name in ours if name != "backend"]


@lru_cache(maxsize=16)
def _axes(thread: int) -> Any:
    """Return the axes that a thread draws all its charts on, since new ones take 8 ms."""
    from matplotlib.figure import Figure

    figure = Figure(dpi=72)
    figure.patch.set_visible(False)
    axes = figure.add_axes((0, 0, 1, 1))
    axes.patch.set_visible(False)
    for axis in (axes.xaxis, axes.yaxis):
        axis.set_visible(False)
    return axes


def spread(wanted: Sequence[float], sizes: Sequence[float], low: float, top: float) -> list[float]:
    """Return the middles nearest to those wanted at which labels of such heights do not overlap.

    ``wanted`` rises. What the labels below take is subtracted, and the least-squares rising fit of
    the rest is found by isotonic regression (Robertson, Wright and Dykstra, "Order restricted
    statistical inference", 1988). All stays between ``low`` and ``top`` where it fits at all.
    """
    from scipy.optimize import isotonic_regression

    tall = np.asarray(sizes, float)
    below = np.cumsum(tall) - tall
    feet = isotonic_regression(np.asarray(wanted, float) - tall / 2 - below).x
    return list(np.maximum(low, np.minimum(feet, top - tall.sum())) + below + tall / 2)


def require_value(known: object) -> None:
    """Refuse to draw a chart when no value is known for it."""
    if not known:
        raise PmfError(Problem.of("nothing-to-draw"), EXIT_DATA_UNUSABLE)
