"""The year so far against its target: what adds up, what was planned, and where it may end.

Each period stands at its place in the year. Our figures and the path to the target are cumulative
(or the average so far); the fan is the likely range of the periods to come, and above each of
these stands the chance of being on the path when it ends.
"""

import math

import numpy as np
import pandas as pd

from pmf_analysis.story import canvas, marks, scales
from pmf_analysis.story.bank import say
from pmf_analysis.story.canvas import Canvas, Floats, Words, room_for, short_value
from pmf_analysis.story.figures import Subject
from pmf_analysis.story.formatting import format_chance, twentieths
from pmf_analysis.story.timeline import labels_ahead, positions, time_chart

_HEIGHT, _TOP = 296.0, 60.0
_COLUMNS = ["actual", "path", "q05", "q50", "q95"]


def draw_trajectory(rows: pd.DataFrame, subject: Subject, *, id: str) -> str:
    """Draw the year of one target and return SVG.

    Parameters
    ----------
    rows
        Rows of the result table ``outturn_paths`` of one target: period (start), actual (so far;
        missing where it is to come), path, q05, q50, q95 and chance_on_path (0 to 1).
    subject, id
        The series, for axis, labels and periods; prefix of every id in the SVG.

    Raises
    ------
    PmfError
        When neither a path nor a figure is known.
    """
    ordered = rows.sort_values("period")
    values = ordered[_COLUMNS].to_numpy(float).T
    canvas.require_value(np.isfinite(values[:2]).any())
    x = positions(ordered["period"], subject.frequency)
    path, *fan = values[1:, -1:]
    known = [each[np.isfinite(each)] for each in (path, np.ravel(fan))]
    labels = labels_ahead(subject.scale, *known)
    room = (_HEIGHT, _TOP, room_for(labels))
    scale = scales.scale_ends(float(np.nanmin(values)), float(np.nanmax(values)), 0.1)
    with time_chart(scale, (x[0], x[-1]), room, subject) as sheet:
        newest = _draw_lines(sheet, x, values)
        _write_chances(sheet, x, ordered["chance_on_path"].to_numpy(float))
        for n in newest:
            value = values[0][n]
            text = say("outturn.chart.so_far", value=short_value(value, *subject.scale))
            spot = sheet.pixel(x[n], value)
            sheet.boxes.append(marks.box_of(*spot))
            marks.name_mark(sheet, Words(text, "ink", bold=True), spot, math.inf)
        sheet.name_ends(labels, 4)
        return sheet.svg(id)


def _draw_lines(sheet: Canvas, x: Floats, values: Floats) -> list[int]:
    """Draw fan, path and figures; return the place of the newest figure, if there is one."""
    actual, path, *fan = values
    newest: list[int] = np.flatnonzero(np.isfinite(actual))[-1:].tolist()
    places = np.arange(len(x))
    start = np.where(np.isin(places, newest), actual, np.nan)
    ahead = places > max(newest, default=-1)
    low, middle, high = (np.where(ahead, each, start) for each in fan)
    sheet.fill("likely", x, low, high)
    for look, line in {"ahead": middle, "target": path, "so far": actual}.items():
        sheet.draw(look, x, line)
    return newest


def _write_chances(sheet: Canvas, x: Floats, chances: Floats) -> None:
    """Write the chances above the periods to come."""
    known, top = np.flatnonzero(np.isfinite(chances)), sheet.area.top
    words = [Words(format_chance(twentieths(chances[n]) / 20), "ink") for n in known]
    spots = [sheet.pixel(x[n], 0)[0] for n in known]
    sheet.write_row(list(zip(words, spots, strict=True)), top + 12)
    if words:
        sheet.write(Words(say("outturn.chart.chances")), sheet.area.right, top + 38, anchor="right")
