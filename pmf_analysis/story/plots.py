"""Plots for analysts: seaborn on the run's tidy result tables, in the looks of the reports.

Each takes a table such as ``run.view.points`` and the titles of the series to plot, in their order,
and returns a matplotlib Figure, which JupyterLab shows. Nothing is drawn at random and no interval
is bootstrapped: what is not in the table is not in the plot. Reports have their own charts.
"""

import io
import math
import textwrap
from collections.abc import Callable, Mapping
from contextlib import AbstractContextManager
from typing import Any

import pandas as pd

# Only analysts import this module, so these may take their second.
import seaborn as sns
from matplotlib import rc_context
from matplotlib.figure import Figure

from pmf_analysis.story.bank import stored

_ACROSS, _WIDE, _HIGH, _LETTERS = 3, 3.6, 2.4, 34
_LOOKS = stored("style.yml")["exploring"]

Table = pd.DataFrame
Names = Mapping[str, str]


class Plot(Figure):
    """A figure that JupyterLab shows by itself, without pyplot."""

    def _repr_svg_(self) -> str:
        page = io.StringIO()
        with theme():
            self.savefig(page, format="svg", metadata={"Date": None})
        return page.getvalue()


def theme() -> AbstractContextManager[None]:
    """Give matplotlib and seaborn the looks of our reports until the block is left."""
    return rc_context(_LOOKS["settings"])


def small_multiples(points: Table, names: Names) -> Plot:
    """Plot the history of each series with its usual range, from the table ``points``."""

    def draw(panel: Any, rows: Table) -> None:
        limits = (rows[name].astype(float) for name in ("lower_limit", "upper_limit"))
        panel.fill_between(rows["period"], *limits, step="mid", **_LOOKS["band"])
        sns.lineplot(rows, x="period", y="value", errorbar=None, ax=panel, **_LOOKS["history"])

    return _plot(points, names, draw)


def distribution(peers: Table, names: Names) -> Plot:
    """Plot where councils stand in each series and we among them, from the table ``peers``."""

    def draw(panel: Any, rows: Table) -> None:
        middle_half = rows.loc[~rows["is_own"], "value"].quantile([0.25, 0.75])
        panel.axvspan(*middle_half, **_LOOKS["band"])
        for is_own, look in enumerate((_LOOKS["council"], _LOOKS["own"])):
            shown = rows[rows["is_own"] == bool(is_own)]
            sns.stripplot(shown, x="value", jitter=False, ax=panel, **look)

    return _plot(peers, names, draw)


def by_dimension(equality: Table, names: Names) -> Plot:
    """Plot groups of residents with their intervals, from the table ``equality``."""

    def draw(panel: Any, rows: Table) -> None:
        panel.hlines(rows["dimension_value"], rows["lower"], rows["upper"], **_LOOKS["interval"])
        sns.scatterplot(rows, x="value", y="dimension_value", ax=panel, **_LOOKS["group"])
        panel.axvline(rows["reference_value"].iloc[0], **_LOOKS["reference"])

    return _plot(equality, names, draw)


def pairs(points: Table, names: Names) -> Plot:
    """Plot every other series of ``points`` against the first, where both have a value."""
    first = next(iter(names))
    across = points[points["series"] == first].set_index("period")["value"].astype(float)
    both = points.assign(across=points["period"].map(across)).dropna(subset=["across"])

    def draw(panel: Any, rows: Table) -> None:
        sns.regplot(rows, x="across", y="value", ci=None, ax=panel, **_LOOKS["pair"])

    figure = _plot(both[both["series"] != first], names, draw)
    figure.supxlabel(f"{names[first]} →")
    return figure


def _plot(table: Table, names: Names, draw: Callable[[Any, Table], None]) -> Plot:
    """Draw each series that has a value on axes of its own, under its title."""
    known = table.dropna(subset=["value"]).astype({"value": float})
    groups = {key: rows for key, rows in known.groupby("series", sort=False) if key in names}
    across = max(1, min(_ACROSS, len(groups)))
    down = max(1, math.ceil(len(groups) / across))
    with theme():
        figure = Plot(figsize=(_WIDE * across, _HIGH * down), layout="constrained")
        panels = figure.subplots(down, across, squeeze=False).ravel()
        for panel, key in zip(panels, [key for key in names if key in groups], strict=False):
            draw(panel, groups[key])
            panel.set(title=textwrap.fill(names[key], _LETTERS), xlabel="", ylabel="")
        for panel in panels[len(groups) :]:
            panel.set_axis_off()
    return figure
