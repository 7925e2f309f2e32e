"""The main chart: history, usual range, special points, target and forecast in one picture.

After the XmR charts of NHS "Making Data Count", without their reds and greens. The line is broken
where a value is missing, provisional points are hollow, a point that a rule has singled out has a
shape, and every line is labelled where it ends, so there is no legend.
"""

from dataclasses import replace
from itertools import product

import numpy as np
import pandas as pd

from pmf_analysis.story import figures, parts, style
from pmf_analysis.story.bank import say
from pmf_analysis.story.canvas import Canvas, spread
from pmf_analysis.story.lettering import Words, measure, room_for
from pmf_analysis.story.spc_picture import LIMITS, Picture, Rows, build_picture, value_range

_ROOM = (224.0, 26.0)
_MOST_DOTS, _MOST_NUMBERS = 60, 6
_NEAR_END, _NEAR = 24.0, 80.0
_RECENT = 7  # newest values whose signals stand out, as many as make limits stable
_FAN = {"9": ("q05", "q95"), "5": ("q25", "q75"), "2": ("q40", "q60")}
_PROVISIONAL = ("provisional", "estimated")
_BREAKS = ("definition", "boundary")
_HATCH, _DISC = 7.0, 18.0


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
    room = (*_ROOM, room_for([*picture.end_labels, *picture.history_labels]))
    with parts.time_chart(value_range(picture), picture.span, room, subject) as sheet:
        _draw_usual_range(sheet, picture)
        _draw_events(sheet, picture)
        _draw_fan(sheet, picture)
        _draw_target(sheet, picture, subject.polarity)
        _draw_history(sheet, picture)
        # What finds no place between the axes is named at the right edge too.
        away = [each for each in picture.history_labels if not _place_along(sheet, picture, *each)]
        # Above the chart stands the word of the fan, which may reach over the labels' column.
        sheet.name_ends([*picture.end_labels, *away], 20 if picture.fan.empty else 4)
        return sheet.svg(id)


def _draw_usual_range(sheet: Canvas, picture: Picture) -> None:
    limits, half = picture.points[LIMITS].to_numpy(float), picture.step / 2
    known = np.flatnonzero(np.isfinite(limits[:, 0]))
    is_frozen = picture.x > picture.frozen_from
    parts = picture.points["segment"].to_numpy(float)[known] + 0.5 * is_frozen[known]
    for rows in np.split(known, np.flatnonzero(np.diff(parts)) + 1) if len(known) else ():
        # Limits that follow the season step from period to period; others are one step.
        steps = rows[(np.diff(limits[rows], axis=0, prepend=np.inf) != 0).any(axis=1)]
        edges = np.append(picture.x[steps], picture.x[rows[-1]] + 2 * half) - half
        x, (lower, upper, mean) = np.repeat(edges, 2)[1:-1], np.repeat(limits[steps], 2, axis=0).T
        if not is_frozen[rows[0]]:
            sheet.fill("band", x, lower, upper)
        for limit in (lower, upper):
            sheet.draw("frozen range" if is_frozen[rows[0]] else "edge", x, limit)
        sheet.draw("average", x, mean)


def _draw_events(sheet: Canvas, picture: Picture) -> None:
    """Hatch exceptional periods, and number what happened over thin lines at its beginning."""
    from matplotlib.patches import Circle

    area, low = sheet.area, sheet.axes.get_ylim()[0]
    for start, end in picture.exceptional:
        _hatch(sheet, sheet.pixel(start, low)[0], sheet.pixel(end, low)[0])
    newest = _numbered(picture.events)
    feet = [sheet.pixel(x, low)[0] for x in newest["x"]]
    # The word of the fan stands to the right of the newest period.
    end = area.right if picture.fan.empty else sheet.pixel(picture.x[-1] + picture.step / 2, 0)[0]
    row = area.top + 2 + _DISC / 2
    places = spread(feet, [_DISC + 3.0] * len(feet), area.left - _DISC, end)
    for number, kind, foot, x in zip(newest["number"], newest["kind"], feet, places, strict=True):
        suggested = kind == "suggested_step"
        look = "suggested step" if suggested else "event"
        sheet.line(look, [foot, foot, x], [area.bottom, area.top - 6, row])
        disc = style.looks_of(f"disc of {look}")
        sheet.axes.add_patch(Circle((x, row), _DISC / 2, transform=None, clip_on=False, **disc))
        words = Words(f"{number:.0f}", "ink" if suggested else "paper", bold=True, size=12)
        sheet.write(words, x, row + 0.5, anchor="center")


def _hatch(sheet: Canvas, left: float, right: float) -> None:
    """Fill a span with slanting lines, which no printer and no eye takes for the usual range."""
    height = sheet.area.top - sheet.area.bottom
    starts = np.arange(left - height + _HATCH, right, _HATCH)
    ends = (each.clip(left, right) for each in (starts, starts + height))
    sheet.strokes("exceptional", *(np.c_[x, sheet.area.bottom + x - starts] for x in ends))


def _draw_fan(sheet: Canvas, picture: Picture) -> None:
    fan = picture.fan
    if fan.empty:
        return
    start, value = picture.last
    quantiles = fan.loc[:, "q05":"q95"].clip(*sheet.axes.get_ylim())
    x, y = [start, *fan["x"]], {name: [value, *quantiles[name]] for name in quantiles}
    for times, (lower, upper) in _FAN.items():
        sheet.fill(f"{times} times in 10", x, y[lower], y[upper], clear=times == "9")
    sheet.draw("forecast", x, y["q50"])
    now = start + picture.step / 2
    sheet.draw("now", [now, now], sheet.axes.get_ylim())
    top = sheet.area.top
    numbers = [box.right + 10 for box in sheet.boxes if top < box.bottom < top + _DISC]
    left = max([sheet.pixel(now, value)[0] + 4, *numbers])
    sheet.write(Words(say("chart.forecast_begins")), left, sheet.area.top + 12)


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
        sheet.draw("target", np.repeat(edges, 2)[1:], np.repeat(shown, 2)[:-1])


def _draw_history(sheet: Canvas, picture: Picture) -> None:
    values = picture.points["value"].to_numpy(float)
    # A period that has no row at all breaks the line as one without a value does, and so does
    # a change of what is measured.
    absent = np.flatnonzero(np.diff(picture.x) > 1.5 * picture.step) + 1
    broken = picture.events.loc[picture.events["kind"].isin(_BREAKS), "x"].to_numpy(float)
    absent = np.union1d(absent, np.searchsorted(picture.x, broken))
    x, y = (np.insert(series, absent, np.nan) for series in (picture.x, values))
    sheet.draw("history", x, y)
    # A lone value between two gaps would vanish without its dot, however long the series.
    known = np.concatenate([[False], np.isfinite(y), [False]])
    lone = x[known[1:-1] & ~known[:-2] & ~known[2:]]
    kinds = picture.points["point_type"].fillna("")
    special = kinds.str.startswith("special").to_numpy(bool)
    dots = np.isfinite(values) & ((len(values) <= _MOST_DOTS) | np.isin(picture.x, lone))
    looks = {"dot": dots & ~special & ~picture.left_out, "left out": picture.left_out}
    looks["revised"] = picture.points["status"].eq("revised").to_numpy(bool)
    known_so_far = np.cumsum(np.isfinite(values))
    is_recent = known_so_far > known_so_far[-1] - _RECENT
    # A run that still lasts stands out from its beginning.
    ended = np.flatnonzero(np.isfinite(values) & ~special)
    is_recent |= np.arange(len(values)) > (ended[-1] if len(ended) else -1)
    for kind in ("improvement", "concern", "neutral"):
        which = special & kinds.str.contains(kind).to_numpy(bool)
        looks |= {kind: which & is_recent, f"earlier {kind}": which & ~is_recent}
    hollow = picture.points["status"].isin(_PROVISIONAL).to_numpy()
    for look, which in looks.items():
        for rows, each in ((which & ~hollow, look), (which & hollow, f"{look} provisional")):
            if rows.any():
                sheet.mark(each, picture.x[rows], values[rows])


def _numbered(events: pd.DataFrame) -> pd.DataFrame:
    """Events that get their number on the chart: the newest, and where the usual range begins."""
    newest = np.arange(len(events)) >= len(events) - _MOST_NUMBERS
    return events[newest | events["kind"].eq("rebase")].tail(2 * _MOST_NUMBERS)


def _place_along(sheet: Canvas, picture: Picture, words: Words, value: float) -> bool:
    """Write a label between the axes if there is more to the right and a clear spot for it.

    The newest value looks around its own point; the usual range along its edges, from the left.
    """
    (x, y), end = sheet.pixel(picture.last[0], value), sheet.area.right
    if words.bold:
        is_last = end - x <= max(_NEAR_END, sheet.pixel(picture.step, 0)[0] - sheet.pixel(0, 0)[0])
        return not is_last and parts.name_mark(sheet, words, (x, y), _NEAR)
    if picture.fan.empty:
        return False
    for event in _numbered(picture.events)["x"]:
        sheet.keep_clear([event, event], sheet.axes.get_ylim())
    words = replace(words, text=words.text.replace("\n", " "), size=12)
    width, height = measure(words)
    newest = picture.points["segment"] == picture.points["segment"].iloc[-1]
    lower = float(picture.points["lower_limit"].iloc[-1])
    start, foot = sheet.pixel(picture.x[newest][0] - picture.step / 2, lower)
    bottoms = (y + 3, foot - 3 - height, y - 3 - height, foot + 3)
    lefts = np.arange(start + 4, x - width, 6).tolist()
    return sheet.place(words, ((left, bottom) for bottom, left in product(bottoms, lefts)))
