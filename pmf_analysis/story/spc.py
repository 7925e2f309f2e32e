"""The main chart: history, usual range, special points, target and forecast in one picture.

After the XmR charts of NHS "Making Data Count", without their reds and greens. The line is broken
where a value is missing, provisional points are hollow, a point that a rule has singled out has a
shape, and every line is labelled where it ends, so there is no legend.
"""

from collections.abc import Iterator
from dataclasses import replace
from itertools import product

import numpy as np
import pandas as pd

from pmf_analysis.story import figures, marks, timeline
from pmf_analysis.story.canvas import DISC, Box, Canvas, Words, measure, spread
from pmf_analysis.story.spc_picture import LIMITS, Flags, Picture, Rows, build_picture, value_range
from pmf_analysis.story.style import BAND, BLUE, FAN, GREY, INK, MUTED, PAPER, TARGET

Spot = tuple[float, float]
Looks = tuple[str, str, float]
"""Fill, edge and size of a mark."""

_ROOM = (290.0, 26.0)
_MOST_DOTS, _MOST_NUMBERS = 60, 6
_RECENT = 7  # newest values whose signals stand out, as many as make limits stable
_FAN_BANDS = (("q05", "q95"), ("q25", "q75"), ("q40", "q60"))
_PROVISIONAL = ("provisional", "estimated")
_BREAKS = ("definition", "boundary")
_HATCH, _HATCH_LINE = 7.0, "#AEB6BA"
_OFF_CHART = "(off this chart)"
_DOT = ("o", (BLUE, BLUE, 4.5), (PAPER, BLUE, 6.0))
_CROSS = ("x", *((PAPER, GREY, 6.0),) * 2)
_RING = ("o", *(("none", INK, 13.0),) * 2)
_WAYS = {"improvement": 1, "concern": -1, "neutral": 0}


def draw_spc(
    points: pd.DataFrame,
    subject: figures.Subject,
    *,
    id: str,
    targets: Rows = None,
    forecast: Rows = None,
    events: Rows = None,
    is_stale: bool = False,
) -> str:
    """Draw one series and return SVG.

    Parameters
    ----------
    points
        Rows of the result table ``points`` of one series: period, value, status, segment, mean,
        lower_limit, upper_limit, point_type, target. A period without a value breaks the line;
        a segment without limits has no band.
    subject, id
        The series, for axis, labels and periods (signals of a city measure are grey squares,
        neither better nor worse); prefix of every id in the SVG.
    targets, forecast
        Rows of these result tables of this series, after the last point. No forecast: no fan.
    events
        Rows of that table of this series, with the ``number`` under which each is
        explained beside the chart. The newest six numbers are drawn; every break, exceptional
        period and baseline is.
    is_stale
        Whether the newest value is old: it is then labelled with its period.

    Raises
    ------
    PmfError
        When no point has a value.
    """
    if subject.is_city:
        kinds = points["point_type"].str.replace("improvement|concern", "neutral", regex=True)
        points = points.assign(point_type=kinds)
    picture = build_picture(points, (targets, forecast, events), subject, is_stale)
    # At the right edge there is room for every label, whichever end up there.
    labels = [*picture.end_labels, *picture.history_labels, (Words(_OFF_CHART, bold=True), 0.0)]
    room = (*_ROOM, 16.0 + max(measure(words)[0] for words, _ in labels))
    with timeline.time_chart(value_range(picture), picture.span, room, subject) as sheet:
        _draw_usual_range(sheet, picture)
        _draw_events(sheet, picture)
        _draw_fan(sheet, picture)
        _draw_target(sheet, picture, subject.polarity)
        _draw_history(sheet, picture)
        _label(sheet, picture)
        return sheet.svg(id)


def _draw_usual_range(sheet: Canvas, picture: Picture) -> None:
    points, half = picture.points, picture.step / 2
    beyond = pd.Series(picture.x > picture.frozen_from, points.index)
    charted = points[points["lower_limit"].notna()]
    for (_, is_frozen), rows in charted.groupby([charted["segment"], beyond], sort=False):
        # Limits that follow the season step from period to period; others are one step.
        steps = rows.loc[rows[LIMITS].ne(rows[LIMITS].shift()).any(axis=1), LIMITS]
        edges = np.append(picture.x[steps.index], picture.x[rows.index[-1]] + 2 * half) - half
        levels = np.append(steps.to_numpy(float), steps.to_numpy(float)[-1:], axis=0)
        x, (lower, upper, mean) = np.repeat(edges, 2)[1:-1], np.repeat(levels[:-1], 2, axis=0).T
        # Limits that are kept beyond their own periods are no measure of these: open and dotted.
        edge = {"fc": PAPER, "ls": (0, (1, 2))} if is_frozen else {"fc": BAND, "ls": (0, (4, 3))}
        sheet.axes.fill_between(x, lower, upper, zorder=0.5, ec=GREY, lw=0.9, **edge)
        sheet.axes.plot(x, mean, color=GREY, lw=1.2, zorder=1)
        for level in (lower, upper, mean):
            sheet.keep_clear(x, level)


def _draw_events(sheet: Canvas, picture: Picture) -> None:
    """Hatch exceptional periods, and number what happened over thin lines at its beginning."""
    area, low = sheet.area, sheet.axes.get_ylim()[0]
    for start, end in picture.exceptional:
        _hatch(sheet, sheet.pixel(start, low)[0], sheet.pixel(end, low)[0])
    newest = _numbered(picture.events)
    feet = [sheet.pixel(x, low)[0] for x in newest["x"]]
    # The word of the fan stands to the right of the newest period.
    end = area.right if picture.fan.empty else sheet.pixel(picture.x[-1] + picture.step / 2, 0)[0]
    row = area.top + 2 + DISC / 2
    places = spread(feet, [DISC + 3.0] * len(feet), area.left - DISC, end)
    for number, kind, foot, x in zip(newest["number"], newest["kind"], feet, places, strict=True):
        suggested = kind == "suggested_step"
        looks = {"color": GREY, "lw": 1.0, "ls": (0, (1, 2.5) if suggested else (5, 3))}
        sheet.line([foot, foot, x], [area.bottom, area.top - 6, row], zorder=1.2, **looks)
        sheet.disc(f"{number:.0f}", x, row, hollow=suggested)


def _hatch(sheet: Canvas, left: float, right: float) -> None:
    """Fill a span with slanting lines, which no printer and no eye takes for the usual range."""
    height = sheet.area.top - sheet.area.bottom
    starts = np.arange(left - height + _HATCH, right, _HATCH)[:, None]
    x = np.hstack([starts, starts + height, starts * np.nan]).clip(left, right)
    y = sheet.area.bottom + x - starts
    sheet.line(x.ravel(), y.ravel(), color=_HATCH_LINE, lw=0.7, zorder=0.7)


def _draw_fan(sheet: Canvas, picture: Picture) -> None:
    fan = picture.fan
    if fan.empty:
        return
    start, value = picture.last
    quantiles = fan.loc[:, "q05":"q95"].clip(*sheet.axes.get_ylim())
    x, y = [start, *fan["x"]], {name: [value, *quantiles[name]] for name in quantiles}
    for (lower, upper), tint in zip(_FAN_BANDS, FAN, strict=True):
        sheet.axes.fill_between(x, y[lower], y[upper], color=tint, lw=0, zorder=1.5)
    sheet.axes.plot(x, y["q50"], color=BLUE, lw=1.6, ls=(0, (4, 2)), zorder=2.5)
    for edge_of_fan in ("q05", "q50", "q95"):
        sheet.keep_clear(x, y[edge_of_fan])
    now = start + picture.step / 2
    sheet.axes.axvline(now, color=GREY, lw=1, ls=(0, (1, 2)), zorder=1.6)
    sheet.keep_clear([now, now], sheet.axes.get_ylim())
    numbers = [box.right + 10 for box in sheet.boxes if box.bottom > sheet.area.top]
    left = max([sheet.pixel(now, value)[0] + 4, *numbers])
    sheet.write(Words("Forecast →"), left, sheet.area.top + 12)


def _draw_target(sheet: Canvas, picture: Picture, polarity: str) -> None:
    """Draw the target as steps: each holds from the period after the one before, up to its own."""
    steps = picture.targets
    if steps.empty:
        return
    x = steps["x"].to_numpy(float)
    edges = np.concatenate([[x[0] - picture.step], x]) + picture.step / 2
    low, high = sheet.axes.get_ylim()
    for side in ("low", "high") if polarity == "range" else ("high",):
        shown = steps[side].where(steps[side].between(low, high)).to_numpy(float)
        shown = np.append(shown, shown[-1])
        sheet.axes.step(edges, shown, where="post", color=TARGET, lw=2, zorder=3)
        sheet.keep_clear(np.repeat(edges, 2)[1:], np.repeat(shown, 2)[:-1])


def _draw_history(sheet: Canvas, picture: Picture) -> None:
    values = picture.points["value"].to_numpy(float)
    # A period that has no row at all breaks the line as one without a value does, and so does
    # a change of what is measured.
    absent = np.flatnonzero(np.diff(picture.x) > 1.5 * picture.step) + 1
    broken = picture.events.loc[picture.events["kind"].isin(_BREAKS), "x"].to_numpy(float)
    absent = np.union1d(absent, np.searchsorted(picture.x, broken))
    x, y = (np.insert(series, absent, np.nan) for series in (picture.x, values))
    sheet.axes.plot(x, y, color=BLUE, lw=2, zorder=4, solid_joinstyle="round")
    sheet.keep_clear(x, y)
    # A lone value between two gaps would vanish without its dot, however long the series.
    known = np.concatenate([[False], np.isfinite(y), [False]])
    lone = x[known[1:-1] & ~known[:-2] & ~known[2:]]
    kinds = picture.points["point_type"].fillna("")
    special = kinds.str.startswith("special").to_numpy(bool)
    dots = np.isfinite(values) & ((len(values) <= _MOST_DOTS) | np.isin(picture.x, lone))
    _marks(sheet, picture, dots & ~special & ~picture.left_out, *_DOT)
    _marks(sheet, picture, picture.left_out, *_CROSS)
    _marks(sheet, picture, picture.points["status"].eq("revised").to_numpy(bool), *_RING)
    known_so_far = np.cumsum(np.isfinite(values))
    is_recent = known_so_far > known_so_far[-1] - _RECENT
    # A run that still lasts stands out from its beginning.
    ended = np.flatnonzero(np.isfinite(values) & ~special)
    is_recent |= np.arange(len(values)) > (ended[-1] if len(ended) else -1)
    for kind, way in _WAYS.items():
        (mark, fill, edge, size), muted = marks.SIGNALS[way], MUTED[kind]
        which = special & kinds.str.contains(kind).to_numpy(bool)
        _marks(sheet, picture, which & is_recent, mark, (fill, edge, size), (PAPER, fill, size))
        _marks(sheet, picture, which & ~is_recent, mark, (muted, PAPER, 7.0), (PAPER, muted, 5.5))


def _marks(sheet: Canvas, picture: Picture, which: Flags, mark: str, *looks: Looks) -> None:
    """Draw marks in one look where the value is final, in another where it may be revised."""
    values = picture.points["value"].to_numpy(float)
    hollow = picture.points["status"].isin(_PROVISIONAL).to_numpy()
    for rows, (fill, edge, size) in zip((which & ~hollow, which & hollow), looks, strict=True):
        if not rows.any():
            continue
        width = 0 if edge == fill else 1.8 if fill == PAPER else 1.1
        style = {"marker": mark, "mfc": fill, "mec": edge, "mew": width, "ms": size}
        sheet.axes.plot(picture.x[rows], values[rows], ls="", zorder=5, clip_on=False, **style)
        half = size / 2 + 1
        spots = sheet.axes.transData.transform(np.column_stack([picture.x[rows], values[rows]]))
        sheet.boxes += [Box(x - half, y - half, x + half, y + half) for x, y in spots.tolist()]


def _numbered(events: pd.DataFrame) -> pd.DataFrame:
    """Events that get their number on the chart: the newest, and where the usual range begins."""
    newest = np.arange(len(events)) >= len(events) - _MOST_NUMBERS
    return events[newest | events["kind"].eq("rebase")].tail(2 * _MOST_NUMBERS)


def _label(sheet: Canvas, picture: Picture) -> None:
    """Put every label: at the end of its line, or along it where a fan stands in between."""
    away = [each for each in picture.history_labels if not _place_along(sheet, picture, *each)]
    (low, high), area, placed = sheet.axes.get_ylim(), sheet.area, []
    for words, value in (*picture.end_labels, *away):
        if not low <= value <= high:
            words = replace(words, text=f"{words.text}\n{_OFF_CHART}")
        placed.append((words, sheet.pixel(0, min(max(value, low), high))[1]))
    # Above the chart stands the word of the fan, which may reach over the labels' column.
    top = area.top + (20 if picture.fan.empty else 4)
    sheet.column(placed, area.right + 10, area.bottom - 6, top)


def _place_along(sheet: Canvas, picture: Picture, words: Words, value: float) -> bool:
    """Write a label between the axes if there is a fan and a clear spot, and say whether."""
    if picture.fan.empty:
        return False
    if not words.bold:
        # The newest value may lie over the thin line of an event, sooner than far from its point.
        for x in _numbered(picture.events)["x"]:
            sheet.keep_clear([x, x], sheet.axes.get_ylim())
        words = replace(words, text=words.text.replace("\n", " "), size=11.5)
    return sheet.place(words, _spots(sheet, picture, words, value))


def _spots(sheet: Canvas, picture: Picture, words: Words, value: float) -> Iterator[Spot]:
    """Yield places for a label: by the edges of the newest usual range, from the left.

    The newest value looks around its own point instead.
    """
    width, height = measure(words)
    x, y = sheet.pixel(picture.last[0], value)
    if words.bold:
        lefts = (x - width / 2, x - width, x - width - 8, x + 6)
        for gap, left in product((6, 10, 16, 24, 34), lefts):
            yield from ((left, y - gap - height), (left, y + gap))
        return
    newest = picture.points["segment"] == picture.points["segment"].iloc[-1]
    lower = float(picture.points["lower_limit"].iloc[-1])
    start, foot = sheet.pixel(picture.x[newest][0] - picture.step / 2, lower)
    bottoms = (y + 3, foot - 3 - height, y - 3 - height, foot + 3)
    for bottom, left in product(bottoms, np.arange(start + 4, x - width, 6)):
        yield float(left), bottom
