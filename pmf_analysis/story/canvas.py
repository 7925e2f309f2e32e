"""What every chart stands on: a figure, a place for words, and clean SVG out of it.

A chart is drawn with matplotlib's Figure API at one unit a pixel, without pyplot's global state.
Words are measured in DejaVu Sans, which ships with matplotlib, so that a layout is the same on
every machine; readers see Arial or Liberation Sans, which are narrower, so nothing collides there.
"""

import io
import math
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from functools import cache, lru_cache
from html import escape
from itertools import pairwise
from pathlib import Path
from threading import get_ident
from typing import Any, NamedTuple, Self

import numpy as np
from numpy.typing import NDArray

from pmf_analysis.problems import EXIT_DATA_UNUSABLE, PmfError, Problem
from pmf_analysis.story import bank, style
from pmf_analysis.story.bank import say
from pmf_analysis.story.formatting import MINUS, format_number, format_value

Floats = NDArray[np.float64]
Ends = tuple[float, float]
Numbers = Sequence[float] | Floats
WIDTH = 760.0
_LEADING, _APART, _ROOM, _MARGIN, _LONG_UNIT, _MILLION = 1.25, 4.0, 8.0, 16.0, 6, 1e6
_SCALES = {"thousand": "k", "million": "m", "billion": "bn"}


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


@dataclass(frozen=True)
class Words:
    """A label, perhaps of several lines, with its looks."""

    text: str
    colour: str = "grey"
    bold: bool = False
    size: float = style.SIZE


Label = tuple[Words, float]  # and the value they stand for


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
            foot = y + height / 2 - words.size * (0.98 + _LEADING * number)
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
        """Write a value of the scale below the axes, under a small line."""
        (x, _), foot = self.pixel(value, 1), self.area.bottom
        self.line("tick", [x, x], [foot, foot - 4])
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
        opening = self.opening
        if width < WIDTH:  # as large words as in other charts, and at the left in either direction
            ends = f"min-width:{width / 20:g}rem;max-width:{width / 12.7:.0f}rem"
            opening += f'style="{ends};margin-right:auto" '
        drawing = drawing.replace("<svg ", opening, 1)
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
    values: Ends, unit: str, height: float, right: float, bottom: float, top: float
) -> Iterator[Canvas]:
    """Open a canvas with a scale of values at the left, each with a fine line."""
    ticks = [(Words(text), tick) for tick, text in grid(*values, unit)]
    left = max([62.0, *(12.0 + measure(words)[0] for words, _ in ticks)])
    with canvas(height, left=left, right=right, bottom=bottom, top=top) as sheet:
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


def measure(words: Words) -> tuple[float, float]:
    """Return width and height of a label in pixels."""
    lines = words.text.split("\n")
    widths = (_line_width(line, words.size, words.bold) for line in lines)
    return max(widths), len(lines) * words.size * _LEADING


@lru_cache(maxsize=4096)
def _line_width(line: str, size: float, bold: bool) -> float:
    """Measure a line by the font's own outlines, which no setting and no machine changes."""
    from matplotlib import get_data_path
    from matplotlib.ft2font import FT2Font, LoadFlags

    name = "DejaVuSans-Bold.ttf" if bold else "DejaVuSans.ttf"
    font = FT2Font(Path(get_data_path()) / "fonts" / "ttf" / name)
    font.set_size(size, 72)
    font.set_text(line, 0.0, flags=LoadFlags.NO_HINTING)
    return float(font.get_width_height()[0]) / 64


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


def short_value(value: float, unit: str, decimals: int) -> str:
    """Write a value for a label in a chart; a long unit is left to the subtitle."""
    letter, money = _scale_letter(unit), unit[: unit.startswith("£")]
    attached = len(unit) <= _LONG_UNIT and not letter
    return format_value(value, unit if attached else money, decimals) + letter


def _scale_letter(unit: str) -> str:
    """Shorten the scale of a unit such as "£ million", which no label may leave out."""
    return _SCALES.get(unit.removeprefix("£").split(maxsplit=1)[0] if unit.strip("£ ") else "", "")


def short_range(low: float, high: float, unit: str, decimals: int) -> str:
    """Write a range, or the value that both its ends are; a unit in words stands after its end."""
    start = short_value(low, unit if unit[:1] in ("%", "£") else "", decimals)
    end = short_value(high, unit, decimals)
    return say("chart.span", first=start, last=end) if low != high else end


def room_for(labels: Iterable[Label]) -> float:
    """Return the width that labels at the right edge need, whichever of them say they are off."""
    beyond = Words(say("chart.off_chart"), bold=True)
    return _MARGIN + max(measure(words)[0] for words in (beyond, *(each for each, _ in labels)))


def tick_texts(values: Sequence[float], unit: str) -> list[str]:
    """Write the values of an axis with the decimals that tell them apart, millions as "m"."""
    largest, letter = max((abs(value) for value in values), default=0.0), _scale_letter(unit)
    scale, letter = (_MILLION, "m") if largest >= _MILLION and not letter else (1.0, letter)
    step = min(np.diff(values), default=1.0) / scale
    decimals = next((d for d in range(6) if abs(round(step, d) - step) < step / 1e6), 6)
    texts = [format_number(value / scale, decimals) for value in values]
    if unit.startswith("£"):
        texts = [f"{MINUS}£{a[1:]}" if a.startswith(MINUS) else f"£{a}" for a in texts]
    return [text + ("%" if unit == "%" else letter) for text in texts]


def require_value(known: object) -> None:
    """Refuse to draw a chart when no value is known for it."""
    if not known:
        raise PmfError(Problem.of("nothing-to-draw"), EXIT_DATA_UNUSABLE)


def grid(low: float, high: float, unit: str, most: int = 5) -> list[tuple[float, str]]:
    """Return about so many round values between two ends, and how they are written."""
    from matplotlib.ticker import MaxNLocator

    locator = MaxNLocator(nbins=most, steps=[1, 2, 2.5, 5, 10])
    values = [float(tick) for tick in locator.tick_values(low, high) if low <= tick <= high]
    return list(zip(values, tick_texts(values, unit), strict=True))
