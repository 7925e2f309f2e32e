"""The council beside similar ones: where it stands, a row an indicator, and the gap over time.

Each row of the strip is scaled from its worst to its best peer, so that right is better whatever
the polarity; rows without a good direction stand in their own part, from lower to higher. After
the spine chart of OHID's Fingertips, without red and green, with every peer shown and the rank in
words.
"""

from __future__ import annotations

import math
import textwrap
from collections.abc import Sequence
from functools import partial
from typing import Any, NamedTuple

import pandas as pd

from pmf_analysis.story.canvas import Canvas, Words, canvas, no_value, scale_ends, short_value
from pmf_analysis.story.facts import ComparisonFacts
from pmf_analysis.story.figures import Subject, raw
from pmf_analysis.story.formatting import ordinal
from pmf_analysis.story.multiples import place
from pmf_analysis.story.style import BAND, BLUE, GREY, INK, LINE, ORANGE, PAPER, tone_of
from pmf_analysis.story.timeline import MONTHS, positions, time_chart

_ROW, _HEAD, _FOOT = 40.0, 34.0, 6.0
_LEFT, _PLOT_LEFT, _PLOT_RIGHT, _VALUE_RIGHT, _RANK = 196.0, 216.0, 552.0, 648.0, 662.0
_BAND = "#DDE2E5"
_TITLE_LETTERS = 25
_GAP_ROOM = (200.0, 14.0, 190.0)
_OWN = {
    "better": {"marker": "^", "mfc": BLUE, "mec": PAPER, "ms": 12},
    "worse": {"marker": "D", "mfc": ORANGE, "mec": INK, "ms": 10},
    "neutral": {"marker": "o", "mfc": INK, "mec": PAPER, "ms": 9},
}
_PEER = {"marker": "o", "mfc": PAPER, "mec": GREY, "ms": 6}


class StripRow(NamedTuple):
    """One indicator: its comparison, and the values of its peers.

    A peer without a value is left out; without an own value the row has no marker and says so.
    """

    facts: ComparisonFacts
    peers: Sequence[float]


def draw_strip(rows: Sequence[StripRow], *, id: str) -> str:
    """Draw the rows in the order given, those with a good direction first, and return SVG."""
    judged = [row for row in rows if _is_judged(row)]
    others = [row for row in rows if not _is_judged(row)]
    both = ((("Worse", "Better"), judged), (("Lower", "Higher"), others))
    parts = [part for part in both if part[1]]
    height = sum(_HEAD + _ROW * len(part) for _, part in parts) + _FOOT
    with canvas(max(height, _ROW), left=0, right=0, bottom=0, top=0) as sheet:
        sheet.axes.set_axis_off()
        sheet.axes.set_xlim(0, sheet.figure.bbox.width)
        sheet.axes.set_ylim(0, max(height, _ROW))
        y = height
        for ends, part in parts:
            _draw_header(sheet, y - _HEAD / 2, ends)
            y -= _HEAD
            for row in part:
                _draw_row(sheet, row, y - _ROW / 2)
                y -= _ROW
        return sheet.svg(id)


def _is_judged(row: StripRow) -> bool:
    return row.facts.subject.better_sign != 0 and not row.facts.subject.is_city


def _draw_header(sheet: Canvas, y: float, ends: tuple[str, str]) -> None:
    low = sheet.write(Words(ends[0]), _PLOT_LEFT, y)
    high = sheet.write(Words(ends[1]), _PLOT_RIGHT, y, anchor="right")
    tip = high.left - 8
    sheet.line([low.right + 8, tip], [y, y], color=GREY, lw=0.8)
    sheet.line([tip - 5, tip, tip - 5], [y + 4, y, y - 4], color=GREY, lw=0.8)
    sheet.write(Words("Us"), _VALUE_RIGHT, y, anchor="right")
    sheet.write(Words("Rank"), _RANK, y)


def _draw_row(sheet: Canvas, row: StripRow, y: float) -> None:
    subject, own = row.facts.subject, row.facts.value.raw
    title = "\n".join(textwrap.wrap(subject.short, _TITLE_LETTERS, max_lines=2, placeholder="…"))
    sheet.write(Words(title, INK, size=13), _LEFT, y, anchor="right")
    if own is None:
        sheet.write(Words("no value", INK), _VALUE_RIGHT, y, anchor="right")
    else:
        value = short_value(own, *subject.scale)
        sheet.write(Words(value, INK, bold=True), _VALUE_RIGHT, y, anchor="right")
        if row.facts.rank.is_known:
            sheet.write(Words(_rank_text(row, own)), _RANK, y)
    _draw_places(sheet.axes, row, y)


def _draw_places(axes: Any, row: StripRow, y: float) -> None:
    """Draw the peers, their middle half and median, and the own marker over them."""
    facts = row.facts
    quartiles = map(raw, (facts.peer_q1, facts.peer_median, facts.peer_q3))
    own, (q1, median, q3) = raw(facts.value), quartiles
    known = [value for value in (*row.peers, own) if math.isfinite(value)]
    if not known:
        return
    worst, best = _PLOT_LEFT + 8, _PLOT_RIGHT - 8
    box = (best, worst) if _is_judged(row) and facts.subject.better_sign < 0 else (worst, best)
    at = partial(place, ends=(min(known), max(known)), box=box)
    axes.plot([_PLOT_LEFT, _PLOT_RIGHT], [y, y], color=LINE, lw=1.2, zorder=1)
    if math.isfinite(q1) and math.isfinite(q3):
        middle_half = sorted((at(q1), at(q3)))
        axes.plot(middle_half, [y, y], color=_BAND, lw=18, solid_capstyle="butt", zorder=1.5)
    if math.isfinite(median):
        axes.plot([at(median)] * 2, [y - 13, y + 13], color=GREY, lw=2, zorder=2)
    own_looks = _OWN[tone_of(facts.verdict) or "neutral"]
    for values, looks, edge in ((row.peers, _PEER, 1.0), ([own], own_looks, 1.1)):
        xs = [at(value) for value in sorted(filter(math.isfinite, values))]
        axes.plot(xs, [y] * len(xs), ls="", mew=edge, clip_on=False, zorder=4, **looks)


def _rank_text(row: StripRow, own: float) -> str:
    """Write "12th of 17"; where no direction is good, "highest of 17" and "2nd highest of 17".

    A rank within a target range counts from the best, so the place among the values is counted.
    """
    if _is_judged(row):
        return f"{row.facts.rank} of {row.facts.rank_of}"
    place = 1 + sum(value > own for value in row.peers)
    return f"{'highest' if place == 1 else f'{ordinal(place)} highest'}\nof {row.facts.rank_of}"


def draw_gap(gaps: pd.DataFrame, subject: Subject, *, id: str) -> str:
    """Draw rows of the result table ``gaps`` of one series and peer set, and return SVG.

    Columns used: period, value, peer_median. A period where either is missing breaks the wash
    between the lines; the line of the other goes on.

    Raises
    ------
    PmfError
        When either line has no value at all.
    """
    ordered = gaps.sort_values("period")
    known = ordered[["value", "peer_median"]].astype(float)
    if known.isna().all().any():
        raise no_value()
    x = positions(ordered["period"], subject.frequency)
    half = MONTHS.get(subject.frequency, 1) / 2
    low, high = float(known.min().min()), float(known.max().max())
    ends, span = scale_ends(low, high, 0.1), (float(x[0]) - half, float(x[-1]) + half)
    with time_chart(ends, span, _GAP_ROOM, subject) as sheet:
        sheet.axes.fill_between(x, known["value"], known["peer_median"], color=BAND, lw=0, zorder=1)
        labels = []
        ours = ("value", subject.council, BLUE, 2.2)
        lines = (("peer_median", "Similar councils", GREY, 1.6), ours)
        for name, text, colour, width in lines:
            sheet.axes.plot(x, known[name], color=colour, lw=width, marker="o", ms=4.5, zorder=3)
            last = float(known[name].dropna().iloc[-1])
            text = f"{text}\n{short_value(last, *subject.scale)}"
            y = sheet.pixel(x[-1], last)[1]
            labels.append((Words(text, colour, bold=name == "value"), y))
        area = sheet.area
        sheet.column(labels, area.right + 10, area.bottom - 6, area.top + 12)
        return sheet.svg(id)
