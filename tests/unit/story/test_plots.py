"""Plots for analysts: the looks of the reports, nothing at random, nothing left behind."""

from __future__ import annotations

import warnings
from collections.abc import Callable
from typing import Any

import matplotlib as mpl
import numpy as np
import pandas as pd
import pytest
from lxml import etree

from pmf_analysis.story import plots, style

NAMES = {"b": "Household waste recycled or composted in the whole of the county", "a": "Other"}


@pytest.fixture
def tables() -> dict[str, pd.DataFrame]:
    periods = pd.date_range("2022-04-01", periods=12, freq="QS")
    values = 40 + np.sin(np.arange(12))
    rows = pd.DataFrame({"period": periods, "value": values, "lower_limit": 38.0})
    rows = rows.assign(upper_limit=42.0)
    points = pd.concat(
        [rows.assign(series=name, value=values * k) for k, name in enumerate("abc", 1)]
    )
    points.loc[points["series"] == "c", "value"] = np.nan
    places = pd.DataFrame({"value": np.arange(9.0), "is_own": [False] * 8 + [True]})
    groups = pd.DataFrame({"value": [3.0, 4.0], "dimension_value": ["Young", "Old"]})
    groups = groups.assign(lower=2.0, upper=5.0, reference_value=3.5, series="a")
    peers = pd.concat([places.assign(series=name) for name in "ab"])
    return {"points": points, "peers": peers, "equality": groups}


PLOTS: dict[str, tuple[Callable[..., Any], str, int]] = {
    "small multiples": (plots.small_multiples, "points", 2),
    "distribution": (plots.distribution, "peers", 2),
    "by dimension": (plots.by_dimension, "equality", 1),
    "pairs": (plots.pairs, "points", 1),
}


@pytest.mark.parametrize("name", PLOTS)
def test_every_series_with_values_has_a_panel_in_the_order_asked_for(
    name: str, tables: dict[str, pd.DataFrame]
) -> None:
    draw, table, count = PLOTS[name]
    before = dict(mpl.rcParams)
    figure = draw(tables[table], {**NAMES, "c": "Never known"})
    titles = [panel.get_title(loc="left") for panel in figure.axes if panel.axison]
    assert len(titles) == count and not any("Never" in title for title in titles)
    assert [t.split("\n")[0] for t in titles] == (
        ["Household waste recycled or", "Other"] if count == 2 else ["Other"]
    )
    assert dict(mpl.rcParams) == before, "the analyst's own settings are given back"
    assert "pyplot" not in repr(figure.canvas.manager)


@pytest.mark.parametrize("name", PLOTS)
def test_a_plot_shows_itself_in_our_type_and_is_the_same_every_time(
    name: str, tables: dict[str, pd.DataFrame]
) -> None:
    draw, table, _ = PLOTS[name]
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        first, again = (draw(tables[table], NAMES)._repr_svg_() for _ in range(2))
    assert first == again
    root = etree.fromstring(first.encode())
    words = ["".join(node.itertext()) for node in root.iter("{*}text")]
    assert "Other" in words, "text is text"
    assert "Liberation Sans" in first and style.COLOURS["grey"].lower() in first


def test_no_series_with_a_value_is_an_empty_figure(tables: dict[str, pd.DataFrame]) -> None:
    figure = plots.small_multiples(tables["points"], {"c": "Never known"})
    assert not [panel for panel in figure.axes if panel.axison]


def test_colours_of_plots_are_those_of_the_palette() -> None:
    with plots.theme():
        cycle = [each["color"] for each in mpl.rcParams["axes.prop_cycle"]]
    assert cycle == [style.COLOURS[name] for name in ("blue", "orange", "grey", "target")]
