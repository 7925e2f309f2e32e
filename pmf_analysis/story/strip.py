"""The council beside similar ones: where it stands, a row an indicator, and the gap over time.

Each row of the strip is scaled from its worst to its best peer, so that right is better whatever
the polarity; rows without a good direction stand in their own part, from lower to higher. After
the spine chart of OHID's Fingertips, without red and green, with every peer shown and the rank in
words.
"""

import math
import textwrap
from collections.abc import Sequence
from functools import partial
from typing import NamedTuple

import numpy as np
import pandas as pd

from pmf_analysis.story import canvas, figures, multiples, parts, sentences
from pmf_analysis.story.bank import say
from pmf_analysis.story.canvas import Canvas, Floats, Words, short_value
from pmf_analysis.story.facts import ComparisonFacts

_ROW, _LINE, _HEAD, _FOOT = 42.0, 12.0, 34.0, 6.0
_LEFT, _PLOT_LEFT, _PLOT_RIGHT, _VALUE_RIGHT, _RANK = 196.0, 216.0, 546.0, 642.0, 656.0
_TITLE_LETTERS = 25
_SMALL = 11.0
# Heights over its row at which a council may stand: on it, then clear of one that already does.
_LANES = (0.0, 6.5, -6.5, 13.0, -13.0, 3.25, -3.25, 9.75, -9.75, 16.25, -16.25)
_MOST_NEAR = 40
_GAP_ROOM, _MOST_DOTS = (230.0, 14.0), 60
_LEVELS = ["value", "peer_median", "mean", "lower_limit", "upper_limit", "direction"]


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
    # Where no way is better a rank is told in a line more.
    both = (("chart.ends_better", judged, _ROW), ("chart.ends_higher", others, _ROW + _LINE))
    shown = [part for part in both if part[1]]
    height = max(sum(_HEAD + row * len(part) for _, part, row in shown) + _FOOT, _ROW)
    with canvas.canvas(height, left=0, right=0, bottom=0, top=0) as sheet:
        sheet.axes.set_axis_off()
        sheet.axes.set(xlim=(0, sheet.axes.figure.bbox.width), ylim=(0, height))
        y = height
        for ends, part, row_height in shown:
            _draw_header(sheet, y - _HEAD / 2, say(ends).split("|"))
            y -= _HEAD
            for row in part:
                _draw_row(sheet, row, y - row_height / 2)
                y -= row_height
        return sheet.svg(id)


def _is_judged(row: StripRow) -> bool:
    return row.facts.subject.better_sign != 0 and not row.facts.subject.is_city


def _draw_header(sheet: Canvas, y: float, ends: Sequence[str]) -> None:
    sheet.write(Words(f"← {ends[0]}"), _PLOT_LEFT, y)
    sheet.write(Words(f"{ends[1]} →"), _PLOT_RIGHT, y, anchor="right")
    sheet.write(Words(say("chart.us")), _VALUE_RIGHT, y, anchor="right")
    sheet.write(Words(say("chart.rank")), _RANK, y)


def _draw_row(sheet: Canvas, row: StripRow, y: float) -> None:
    subject, own = row.facts.subject, row.facts.value.raw
    title = "\n".join(textwrap.wrap(subject.short, _TITLE_LETTERS, max_lines=2, placeholder="…"))
    sheet.write(Words(title, "ink", size=13), _LEFT, y, anchor="right")
    value = say("chart.no_value") if own is None else short_value(own, *subject.scale)
    sheet.write(Words(value, "ink", bold=own is not None), _VALUE_RIGHT, y, anchor="right")
    if own is not None and row.facts.rank.is_known:
        _write_rank(sheet, row, y)
    _draw_places(sheet, row, y)


def _write_rank(sheet: Canvas, row: StripRow, y: float) -> None:
    """Write the rank, and below in small type from where to where chance alone could put us."""
    text, spread = sentences.rank_words(row.facts), row.facts.rank_range
    text = text if _is_judged(row) else text.replace(" of ", "\nof ")
    foot = sheet.write(Words(text), _RANK, y + (_SMALL / 2 + 1) * bool(spread)).bottom
    if spread:
        sheet.write(Words(spread, size=_SMALL), _RANK, foot - _SMALL / 2 - 1)


def _draw_places(sheet: Canvas, row: StripRow, y: float) -> None:
    """Draw the peers, their middle half and median, and the own marker over them."""
    facts = row.facts
    quartiles = map(figures.raw, (facts.peer_q1, facts.peer_median, facts.peer_q3))
    own, (q1, median, q3) = figures.raw(facts.value), quartiles
    known = [value for value in (*row.peers, own) if math.isfinite(value)]
    if not known:
        return
    worst, best = _PLOT_LEFT + 8, _PLOT_RIGHT - 8
    box = (best, worst) if _is_judged(row) and facts.subject.better_sign < 0 else (worst, best)
    at = partial(multiples.place, ends=(min(known), max(known)), box=box)
    sheet.line("row", [_PLOT_LEFT, _PLOT_RIGHT], [y, y])
    if math.isfinite(q1) and math.isfinite(q3):
        sheet.line("middle half", sorted((at(q1), at(q3))), [y, y])
    if math.isfinite(median):
        sheet.line("median", [at(median)] * 2, [y - 13, y + 13])
    x = np.sort([at(value) for value in row.peers if math.isfinite(value)])
    parts.draw_others(sheet, np.column_stack([x, y + _lanes(x, at(own))]))
    if math.isfinite(own):
        parts.draw_own(sheet, (at(own), y), facts.verdict)


def _lanes(across: Floats, own: float) -> Floats:
    """Return heights over the row at which councils of one value are seen to be several.

    The first clear lane is taken, else the clearest; nobody stands under our own marker.
    """
    start = int(math.isfinite(own))
    taken = [(own, 0.0)] * start
    for x in across.tolist():
        near = [*taken[:start], *taken[start:][-_MOST_NEAR:]]
        room = {up: min([parts.DOT, *(math.dist((x, up), each) for each in near)]) for up in _LANES}
        taken.append((x, max(_LANES, key=lambda up: room[up])))
    return np.array([up for _, up in taken[start:]])


def draw_gap(gaps: pd.DataFrame, subject: figures.Subject, *, id: str) -> str:
    """Draw rows of the result table ``gaps`` of one series and peer set, and return SVG.

    Columns used: period, value, peer_median, and where known mean, lower_limit, upper_limit, rule,
    direction and is_as_if. The usual range of the gap is laid along the others' line, which is
    where there is no gap; without limits the gap itself is washed. A gap that a rule has singled
    out has a shape, and figures as if the council had existed then are hollow. A period where
    either line is missing breaks the wash; the line of the other goes on.

    Raises
    ------
    PmfError
        When either line has no value at all.
    """
    ordered = gaps.reindex(columns=["period", *_LEVELS, "rule", "is_as_if"]).sort_values("period")
    known = ordered[_LEVELS].astype(float)
    canvas.require_value(known[["value", "peer_median"]].notna().any().all())
    ours, others, mean, lower, upper, way = known.to_numpy().T
    # no share lies above 100% and no count below 0, whatever a chart of the gap allows
    bounds = parts.natural_ends(np.concatenate([ours, others]), subject.unit)
    mean, lower, upper = np.clip(others + np.array([mean, lower, upper]), *bounds)
    x = parts.positions(ordered["period"], subject.frequency)
    levels = np.concatenate([ours, others, lower, upper])
    ends = parts.scale_ends(float(np.nanmin(levels)), float(np.nanmax(levels)), 0.1)
    is_usual, wash = np.isfinite(lower).any(), (ours, others)
    labels = [_line_label(say("chart.others"), others, subject, "grey")]
    labels.append(_line_label(subject.council, ours, subject, "blue"))
    if is_usual:
        labels.append((Words(say("chart.average_gap")), float(mean[np.isfinite(mean)][-1])))
        wash = (lower, upper)
    room = (*_GAP_ROOM, canvas.room_for(labels))
    with parts.time_chart(ends, (x[0], x[-1]), room, subject) as sheet:
        sheet.fill("gap", x, *wash)
        for edge in wash if is_usual else ():
            sheet.draw("edge", x, edge)
        for look, values in {"similar councils": others, "us": ours}.items():
            sheet.draw(f"{look}, long" if len(x) > _MOST_DOTS else look, x, values)
        way = np.where(np.isfinite(way), way, np.sign(ours - mean)) * subject.better_sign
        _mark_gaps(sheet, x, ours, ordered, np.nan_to_num(0 * way if subject.is_city else way))
        sheet.name_ends(labels)
        return sheet.svg(id)


def _line_label(name: str, values: Floats, subject: figures.Subject, colour: str) -> canvas.Label:
    """Return the label of a line: whose it is, and its newest value."""
    last = float(values[np.isfinite(values)][-1])
    lines = [*textwrap.wrap(name, _TITLE_LETTERS), short_value(last, *subject.scale)]
    return Words("\n".join(lines), colour, bold=colour == "blue"), last


def _mark_gaps(sheet: Canvas, x: Floats, y: Floats, rows: pd.DataFrame, ways: Floats) -> None:
    """Give the gaps that a rule has singled out their shapes, and hollow what is as if."""
    special, as_if = ~rows["rule"].isin(["none", "", None, np.nan]), rows["is_as_if"].eq(True)
    for at, up, way, has_shape, is_hollow in zip(x, y, ways, special, as_if, strict=True):
        shape = ("neutral", "better", "worse")[int(way)] if has_shape else "usual"
        if has_shape or is_hollow:
            sheet.mark(f"gap {shape}{' as if' * is_hollow}", [at], [up])
