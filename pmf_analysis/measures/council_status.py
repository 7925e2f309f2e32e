"""Colour of each indicator by the council's own rule, which says nothing of chance."""

from collections.abc import Collection, Mapping, Sequence
from typing import Any

import numpy as np
import pandas as pd

from pmf_analysis.measures.arrays import PRECISION, TABLES, Frame, constants
from pmf_analysis.measures.arrows import arrow, gauge
from pmf_analysis.measures.polarity import TARGETS, band_distance, first_text, good_values

_SET = constants("council_status")


def council_statuses(
    trends: Frame, steps: Sequence[Mapping[str, Any]], aimed: Collection[str] = ()
) -> Frame:
    """Colour of the newest value of each indicator that the council controls.

    The first step that holds gives the colour. Where a step that comes before cannot be answered
    there is none, because another answer could have given another colour.

    Parameters
    ----------
    trends
        Result table. The target is that in force in the period of the newest value.
    steps
        As in a framework's `status_rule`: colour, when and pct (per cent of the target; nothing
        but the target itself is within any per cent of nought). Where there is a step for
        no_target, nothing that asks for a target holds of an indicator without one.
    aimed
        Series that have a target, though maybe for another period than that of the newest value:
        they are not without a target.

    Returns
    -------
    DataFrame
        series, indicator, period, value, target, colour, step (counted from 1, 0 where there is
        none) and why: what is lacking (lacks_value, lacks_way, lacks_target, lacks_tolerance,
        lacks_last_year), "" where there is a colour. A tolerance of nought counts as none. City
        measures have no row.
    """
    rows = trends[trends["control"] != "city"].reset_index(drop=True)
    value, bare = rows["value"], rows[TARGETS].isna().all(axis=1)
    elsewhere = bare & rows["series"].isin(aimed)
    untargeted = bare & ~elsewhere & any(step["when"] == "no_target" for step in steps)
    low, high = good_values(rows["polarity"], rows)
    state = gauge(rows, rows)
    edge = np.abs(np.select([value < low, value > high], [low, high], 0.0))
    moved = arrow(value, rows["last_year_value"], rows["polarity"], rows)
    known = {name: state.map(at).mask(untargeted, 0) for name, at in _SET.states.items()}
    known["improved_on_last_year"] = moved.map(_SET.moves)
    known["no_target"] = bare.astype(float).mask(elsewhere)
    known["otherwise"] = pd.Series(True, rows.index)
    no_way = ~rows["polarity"].isin(["higher", "lower", "range"])
    lacks = [(value.isna(), "lacks_value"), (bare, "lacks_target"), (no_way, "lacks_way")]
    told = rows.assign(colour="", step=0, why="")
    for place, step in enumerate(steps, start=1):
        near = band_distance(value, low, high) <= ((step["pct"] or 0) / 100 + PRECISION) * edge
        holds = known.get(step["when"], near.where(known["met"].notna()))
        is_open = (told["colour"] == "") & (told["why"] == "")
        lacking = first_text(rows.index, lacks, _SET.lacks.get(step["when"], ""))
        told["why"] = told["why"].mask(is_open & holds.isna(), lacking)
        told.loc[is_open & (holds == 1), ["colour", "step"]] = [step["colour"], place]
    return told[TABLES["statuses"]]
