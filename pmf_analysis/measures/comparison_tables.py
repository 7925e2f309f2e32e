"""The tables of a comparison, in the columns that pages read."""

import pandas as pd

from pmf_analysis.measures.arrays import TABLES, Frame
from pmf_analysis.measures.peers import PAIR
from pmf_analysis.measures.robustness import ROBUST


def comparison_table(pairs: Frame) -> Frame:
    """A row an own series and peer set, in the columns that pages read."""
    # A total depends on the size of a council: neither an average nor a place means anything.
    totals = pairs["data_type"] == "count"
    blank = TABLES["not_of_totals"]
    pairs[blank] = pairs[blank].astype("float64").mask(totals)
    pairs[["quarter", "quintile"]] = pairs[["quarter", "quintile"]].mask(totals, 0)
    counts = ["peers_ahead", "n_hidden", *ROBUST]
    pairs[counts] = pairs[counts].fillna(0).astype(int)
    pairs = pairs.drop(columns=["lower", "upper"]).rename(columns={"low": "lower", "high": "upper"})
    return pairs[TABLES["comparisons"]].reset_index(drop=True)


def peer_table(now: Frame, pairs: Frame, area: str) -> Frame:
    """List the compared peers and ourselves, with intervals from counts or as published."""
    peers = now.assign(area_name=now["member_name"], is_own=False)
    own = pairs.dropna(subset=["value"])
    own = own.assign(area=area, area_name="", is_own=True, label=own["funnel_label"])
    table = pd.concat([own, peers])[TABLES["peers"]]
    order = [*PAIR, "is_own", "value", "area"]
    return table.sort_values(order, ascending=[True, True, False, False, True], ignore_index=True)


def robustness_table(cases: Frame, beside: Frame) -> Frame:
    """List every comparison; `agrees` of the nearest k is with their own whole set."""
    same = beside.loc[beside["peer_set"] == beside["peer_set_other"], [*PAIR, "k", "agrees"]]
    table = cases[cases["data_type"] != "count"].merge(same, on=[*PAIR, "k"], how="left")
    return table.sort_values([*PAIR, "k"], ignore_index=True)[TABLES["robustness"]]
