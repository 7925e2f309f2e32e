"""The indicators of a theme side by side: beside similar councils, over time, and in tables.

Each row of the strip is scaled from its worst to its best peer, so that right is better whatever
the polarity; rows without a good direction stand in their own part, from lower to higher. After
the spine chart of OHID's Fingertips, without red and green, with every peer shown and the rank in
words. The chart of a gap over time stands with it.

Panels of a theme and sparklines are written by hand. A panel shows the newest value in large
figures, the line with its usual range, the target as steps and the newest point in the shape of its
status. Each is its own SVG, so that a page lays them out in as many columns as fit, and one is
legible on a phone. Each has its own scale, of values and of time.

A sparkline is under 600 bytes: decoration beside the numbers, hidden from screen readers. It takes
the colour of the text around it, so it follows dark mode and forced colours by itself.
"""

import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from functools import partial
from html import escape
from typing import NamedTuple, TypeVar

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from pmf_analysis.story import bank, canvas, figures, lettering, parts, sentences, style
from pmf_analysis.story.bank import say
from pmf_analysis.story.canvas import Canvas, Floats
from pmf_analysis.story.facts import ComparisonFacts
from pmf_analysis.story.lettering import Label, Words, fit, measure, short_value

_WIDTH, _PLOT, _UNDER, _SIDE = 220, 70, 20, 6.0
_LARGE, _USUAL, _PERIODS = 18.0, 14.0, 13.0
_PROVISIONAL = ("provisional", "estimated")
_SPARK_WIDTH, _SPARK_HEIGHT, _PAD = 100.0, 24.0, 3.0
_MOST_POINTS = 30
Number = TypeVar("Number", float, Floats)
_ROW, _HEAD, _FOOT = 49.0, 30.0, 4.0
_PLOT_RIGHT, _RANK, _SMALL = 280.0, 292.0, 12.0
_TITLE, _MIDDLE, _LABEL = 8.5, 31.0, 130.0
# Heights over its row at which a council may stand: on it, then clear of one that already does.
_LANES = (0.0, 6.5, -6.5, 13.0, -13.0, 3.25, -3.25, 9.75, -9.75, 16.25, -16.25)
_MOST_NEAR = 40
_GAP_ROOM, _MOST_DOTS = (192.0, 14.0), 60
_LEVELS = ["value", "peer_median", "mean", "lower_limit", "upper_limit", "direction"]


class StripRow(NamedTuple):
    """One indicator: its comparison, and the values of its peers.

    A peer without a value is left out; without an own value the row has no marker and says so.
    """

    facts: ComparisonFacts
    peers: Sequence[float]


def draw_strip(rows: Sequence[StripRow], *, id: str) -> str:
    """Draw the rows in the order given, those with a good direction first, and return SVG."""
    judged = [(row, _rank(row)) for row in rows if _is_judged(row)]
    others = [(row, _rank(row)) for row in rows if not _is_judged(row)]
    both = (("chart.ends_better", judged), ("chart.ends_higher", others))
    shown = [part for part in both if part[1]]
    height = max(sum(_HEAD + sum(map(_height, part)) for _, part in shown) + _FOOT, _ROW)
    with canvas.canvas(height, 0, 0, 0, 0, canvas.NARROW) as sheet:
        sheet.axes.set_axis_off()
        sheet.axes.set(xlim=(0, sheet.axes.figure.bbox.width), ylim=(0, height))
        y = height
        for ends, part in shown:
            _draw_header(sheet, y - _HEAD / 2, say(ends).split("|"))
            y -= _HEAD
            for row, rank in part:
                _draw_row(sheet, row, rank, y)
                y -= _height((row, rank))
        return sheet.svg(id)


def _is_judged(row: StripRow) -> bool:
    return row.facts.subject.better_sign != 0 and not row.facts.subject.is_city


def _rank(row: StripRow) -> Words:
    """Return the rank, and below it from where to where chance alone could put us."""
    words = Words("", size=_SMALL)
    if not (row.facts.value.is_known and row.facts.rank.is_known):
        return words
    rank = replace(words, text=sentences.rank_words(row.facts))
    lines = fit(rank, canvas.NARROW - _RANK, 2).text, row.facts.rank_range
    return replace(words, text="\n".join(filter(None, lines)))


def _height(row: tuple[StripRow, Words]) -> float:
    return max(_ROW, 2 * _TITLE + measure(row[1])[1] + 4)


def _draw_header(sheet: Canvas, y: float, ends: Sequence[str]) -> None:
    sheet.write(Words(f"← {ends[0]}"), 0, y)
    sheet.write(Words(f"{ends[1]} →"), _PLOT_RIGHT, y, anchor="right")
    sheet.write(Words(say("chart.us")), _RANK, y)


def _draw_row(sheet: Canvas, row: StripRow, rank: Words, top: float) -> None:
    """Draw a title over its councils, and at the right our value over our rank."""
    subject, own = row.facts.subject, row.facts.value.raw
    title = fit(Words(subject.short, "ink"), _RANK - 8, 1)
    sheet.write(title, 0, top - _TITLE)
    value = say("chart.no_value") if own is None else short_value(own, *subject.scale)
    foot = sheet.write(Words(value, "ink", bold=own is not None), _RANK, top - _TITLE).bottom
    if rank.text:
        sheet.write(rank, _RANK, foot - measure(rank)[1] / 2)
    _draw_places(sheet, row, top - _MIDDLE)


def _draw_places(sheet: Canvas, row: StripRow, y: float) -> None:
    """Draw the peers, their middle half and median, and the own marker over them."""
    facts = row.facts
    quartiles = map(figures.raw, (facts.peer_q1, facts.peer_median, facts.peer_q3))
    own, (q1, median, q3) = figures.raw(facts.value), quartiles
    known = [value for value in (*row.peers, own) if math.isfinite(value)]
    if not known:
        return
    worst, best = 8.0, _PLOT_RIGHT - 8
    box = (best, worst) if _is_judged(row) and facts.subject.better_sign < 0 else (worst, best)
    at = partial(place, ends=(min(known), max(known)), box=box)
    sheet.line("row", [0, _PLOT_RIGHT], [y, y])
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
    where there is no gap, with its average. A gap that a rule has singled
    out has a shape, and figures as if the council had existed then are hollow. A period where
    either line is missing breaks the band; the line of the other goes on.

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
    is_usual = np.isfinite(lower).any()
    labels = [_line_label(say("chart.others"), others, subject, "grey")]
    labels.append(_line_label(subject.council, ours, subject, "blue"))
    if is_usual:
        labels.append((Words(say("chart.average_gap")), float(mean[np.isfinite(mean)][-1])))
    room = (*_GAP_ROOM, lettering.room_for(labels))
    with parts.time_chart(ends, (x[0], x[-1]), room, subject) as sheet:
        if is_usual:
            sheet.fill("gap", x, lower, upper)
            for look, level in (("edge", lower), ("edge", upper), ("average", mean)):
                sheet.draw(look, x, level)
        for look, values in {"similar councils": others, "us": ours}.items():
            sheet.draw(f"{look}, long" if len(x) > _MOST_DOTS else look, x, values)
        way = np.where(np.isfinite(way), way, np.sign(ours - mean)) * subject.better_sign
        _mark_gaps(sheet, x, ours, ordered, np.nan_to_num(0 * way if subject.is_city else way))
        sheet.name_ends(labels)
        return sheet.svg(id)


def _line_label(name: str, values: Floats, subject: figures.Subject, colour: str) -> Label:
    """Return the label of a line: whose it is, and its newest value."""
    last = float(values[np.isfinite(values)][-1])
    words = fit(Words(name, colour, bold=colour == "blue"), _LABEL, 3)
    return replace(words, text=f"{words.text}\n{short_value(last, *subject.scale)}"), last


def _mark_gaps(sheet: Canvas, x: Floats, y: Floats, rows: pd.DataFrame, ways: Floats) -> None:
    """Give the gaps that a rule has singled out their shapes, and hollow what is as if."""
    special, as_if = ~rows["rule"].isin(["none", "", None, np.nan]), rows["is_as_if"].eq(True)
    for at, up, way, has_shape, is_hollow in zip(x, y, ways, special, as_if, strict=True):
        shape = ("neutral", "better", "worse")[int(way)] if has_shape else "usual"
        if has_shape or is_hollow:
            sheet.mark(f"gap {shape}{' as if' * is_hollow}", [at], [up])


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
    title = fit(Words(panel.title, bold=True, size=_USUAL), _WIDTH, 2).text.split("\n")
    icon, top = style.icon_shape(panel.status), 18 * len(title) + 33 + 19 * bool(panel.word)
    # The mark stands before the word of the status, or before the value where there is none.
    left = 21 if icon[1] and not panel.word else 0
    width = measure(Words(panel.value_text, bold=True, size=_LARGE))[0]
    size = min(1.0, (_WIDTH - left - 2) / max(width, 1.0)) * _LARGE
    word = fit(Words(panel.word, size=_USUAL), _WIDTH - 21, 1).text
    texts = {"id": id, "title": title, "icon": icon, "size": f"{size:.3g}", "word": word}
    frame = {"left": left, "top": top, "width": _WIDTH, "height": top + _PLOT + _UNDER}
    drawn = texts | frame | _plot(panel, (top + _PLOT, top))
    return bank.template("panel.svg.jinja")(panel=panel, style=style, text=escape, **drawn)


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
    labels = points["period_label"].tolist()
    wide = sum(measure(Words(label, size=_PERIODS))[0] for label in (labels[0], labels[-1]))
    first = labels[0] if len(labels) > 1 and wide + _SIDE < _WIDTH else ""
    return {**paths, "spot": spot, "first": first, "last": labels[-1]}


def _runs(holds: NDArray[np.bool_]) -> list[tuple[int, int]]:
    """Return start and end of each unbroken run of periods."""
    turns = np.flatnonzero(np.diff(np.concatenate([[False], holds, [False]]).astype(int)))
    return [(int(a), int(b)) for a, b in turns.reshape(-1, 2)]


def _steps(edges: Floats, heights: Floats) -> str:
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
