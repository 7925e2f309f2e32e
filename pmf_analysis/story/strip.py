"""The benchmark strip: where the council stands among similar ones, a row an indicator.

Each row is scaled from its worst to its best peer, so that right is better whatever the polarity;
rows without a good direction stand in their own part, from lower to higher. After the spine chart
of OHID's Fingertips, without red and green, with every peer shown and the rank in words.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

from pmf_analysis.story.canvas import Canvas, Words, canvas, measure, short_value
from pmf_analysis.story.formatting import ordinal
from pmf_analysis.story.style import BLUE, GREY, INK, LINE, ORANGE, PAPER, tone_of

_ROW, _HEAD, _FOOT = 40.0, 34.0, 6.0
_LEFT, _PLOT_LEFT, _PLOT_RIGHT, _VALUE_RIGHT, _RANK = 196.0, 216.0, 552.0, 648.0, 662.0
_BAND = "#DDE2E5"
_OWN = {"better": ("^", BLUE, 12), "worse": ("D", ORANGE, 10), "neutral": ("o", INK, 9)}


@dataclass(frozen=True)
class StripRow:
    """One indicator: the own value, those of its peers and their quartiles, all in its unit.

    A peer without a value is left out; without an own value the row has no marker and says so.
    """

    short_title: str
    own: float
    peers: Sequence[float]
    q1: float
    q3: float
    median: float
    polarity: str
    rank: int | None
    rank_of: int
    unit: str
    decimals: int
    verdict: str


@dataclass(frozen=True)
class StripLabels:
    """The words on the chart."""

    worse: str = "Worse"
    better: str = "Better"
    lower: str = "Lower"
    higher: str = "Higher"
    own: str = "Us"
    rank: str = "Rank"
    of: str = "of"
    highest: str = "highest"
    no_value: str = "no value"


def draw_strip(rows: Sequence[StripRow], *, id: str, labels: StripLabels | None = None) -> str:
    """Draw the rows in the order given, those with a good direction first, and return SVG."""
    words = labels or StripLabels()
    parts = [[row for row in rows if _is_judged(row) is judged] for judged in (True, False)]
    height = sum(_HEAD + _ROW * len(part) for part in parts if part) + _FOOT
    with canvas(max(height, _ROW), left=0, right=0, bottom=0, top=0) as sheet:
        sheet.axes.set_axis_off()
        sheet.axes.set_xlim(0, sheet.figure.bbox.width)
        sheet.axes.set_ylim(0, max(height, _ROW))
        top = height
        for part, ends in zip(
            parts, ((words.worse, words.better), (words.lower, words.higher)), strict=True
        ):
            if part:
                _draw_header(sheet, top - _HEAD / 2, ends, words)
            for number, row in enumerate(part):
                _draw_row(sheet, row, top - _HEAD - _ROW * (number + 0.5), words)
            top -= (_HEAD + _ROW * len(part)) if part else 0
        return sheet.svg(id)


def _is_judged(row: StripRow) -> bool:
    return row.polarity in ("higher", "lower")


def _draw_header(sheet: Canvas, y: float, ends: tuple[str, str], words: StripLabels) -> None:
    low = sheet.write(Words(ends[0]), _PLOT_LEFT, y)
    high = sheet.write(Words(ends[1]), _PLOT_RIGHT, y, anchor="right")
    sheet.line([low.right + 8, high.left - 8], [y, y], color=GREY, lw=0.8)
    tip = high.left - 8
    sheet.line([tip - 5, tip, tip - 5], [y + 4, y, y - 4], color=GREY, lw=0.8)
    sheet.write(Words(words.own), _VALUE_RIGHT, y, anchor="right")
    sheet.write(Words(words.rank), _RANK, y)


def _draw_row(sheet: Canvas, row: StripRow, y: float, words: StripLabels) -> None:
    peers = [float(value) for value in row.peers if math.isfinite(value)]
    own = [row.own] if math.isfinite(row.own) else []
    sheet.write(Words(_wrapped(row.short_title), INK, size=13), _LEFT, y, anchor="right")
    axes = sheet.axes
    if peers + own:
        place = Scale(min(peers + own), max(peers + own), row.polarity == "lower")
        axes.plot([_PLOT_LEFT, _PLOT_RIGHT], [y, y], color=LINE, lw=1.2, zorder=1)
        if math.isfinite(row.q1) and math.isfinite(row.q3):
            ends = sorted((place(row.q1), place(row.q3)))
            axes.plot(ends, [y, y], color=_BAND, lw=18, solid_capstyle="butt", zorder=1.5)
        if math.isfinite(row.median):
            middle = place(row.median)
            axes.plot([middle, middle], [y - 13, y + 13], color=GREY, lw=2, zorder=2)
        looks = {"ls": "", "marker": "o", "clip_on": False}
        xs = [place(value) for value in sorted(peers)]
        axes.plot(xs, [y] * len(xs), mfc=PAPER, mec=GREY, mew=1, ms=6, zorder=3, **looks)
        mark, colour, size = _OWN[tone_of(row.verdict) or "neutral"]
        edge = PAPER if colour != ORANGE else INK
        own_looks = looks | {"marker": mark, "mfc": colour, "mec": edge, "ms": size}
        axes.plot([place(value) for value in own], [y] * len(own), mew=1.1, zorder=4, **own_looks)
    value = short_value(row.own, row.unit, row.decimals) if own else words.no_value
    sheet.write(Words(value, INK, bold=bool(own)), _VALUE_RIGHT, y, anchor="right")
    if row.rank and own:
        sheet.write(Words(_rank_text(row, row.rank, words)), _RANK, y)


def _rank_text(row: StripRow, rank: int, words: StripLabels) -> str:
    """Write "12th of 17"; where no direction is good, "highest of 17" and "2nd highest of 17"."""
    if _is_judged(row):
        return f"{ordinal(rank)} {words.of} {row.rank_of}"
    place = words.highest if rank == 1 else f"{ordinal(rank)} {words.highest}"
    return f"{place}\n{words.of} {row.rank_of}"


@dataclass(frozen=True)
class Scale:
    """From a value to its place on the row; when all values are the same, the middle."""

    low: float
    high: float
    flipped: bool

    def __call__(self, value: float) -> float:
        """Return the horizontal place in pixels of a value in the row's unit."""
        span = self.high - self.low
        share = (value - self.low) / span if span > 0 else 0.5
        share = min(1.0, max(0.0, 1 - share if self.flipped else share))
        return _PLOT_LEFT + 8 + share * (_PLOT_RIGHT - _PLOT_LEFT - 16)


def _wrapped(title: str) -> str:
    """Break a title into at most two lines that fit beside the row; a longer one is cut."""
    lines = [""]
    for word in title.split():
        longer = f"{lines[-1]} {word}".strip()
        if measure(Words(longer, size=13))[0] <= _LEFT - 4 or not lines[-1]:
            lines[-1] = longer
        else:
            lines.append(word)
    shown = lines[:2] if len(lines) <= 2 else [lines[0], f"{lines[1]}…"]
    return "\n".join(_cut(line) for line in shown)


def _cut(line: str) -> str:
    while measure(Words(line, size=13))[0] > _LEFT - 4:
        line = f"{line.rstrip('…')[:-1]}…"
    return line
