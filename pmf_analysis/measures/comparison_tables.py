"""The tables of a comparison, in the columns that pages read."""

import pandas as pd

from pmf_analysis.measures.arrays import Frame
from pmf_analysis.measures.peers import PAIR, QUARTILES
from pmf_analysis.measures.robustness import ROBUST

PLACE = ["rank", "rank_high", "rank_of", "rank_best", "rank_worst", "n_level", "percentile"]
PLACE += ["mad_distance"]
AVERAGES = [*QUARTILES, "peer_mean", "pooled", "benchmark"]


def comparison_table(pairs: Frame) -> Frame:
    """A row an own series and peer set, in the columns that pages read."""
    columns = ["series", "indicator", "area", "peer_set", "period", "value", "lower", "upper"]
    columns += [*AVERAGES, "n_peers", "n_counted", "n_hidden", "peers_missing", "peers_ahead"]
    columns += [*PLACE, "quarter", "quintile", "funnel_label", "adjusted_z", "phi", "tau2"]
    columns += ["limit_low", "limit_high", "verdict", "method", "evidence", "reason", *ROBUST]
    columns += ["gap", "close_years", "close_pace", "peers_tested", "peers_kept", "own_kept"]
    # A total depends on the size of a council: neither an average nor a place means anything.
    totals = pairs["data_type"] == "count"
    blank = [*AVERAGES, *PLACE, "gap", "close_pace"]
    pairs[blank] = pairs[blank].astype("float64").mask(totals)
    pairs[["quarter", "quintile"]] = pairs[["quarter", "quintile"]].mask(totals, 0)
    counts = ["peers_ahead", "n_hidden", *ROBUST]
    pairs[counts] = pairs[counts].fillna(0).astype(int)
    pairs = pairs.drop(columns=["lower", "upper"]).rename(columns={"low": "lower", "high": "upper"})
    return pairs[columns].reset_index(drop=True)


def peer_table(now: Frame, pairs: Frame, area: str) -> Frame:
    """List the compared peers and ourselves, with intervals from counts or as published."""
    columns = ["series", "peer_set", "area", "area_name", "period", "value", "lower", "upper"]
    columns += ["numerator", "denominator", "label", "is_own"]
    peers = now.assign(area_name=now["member_name"], is_own=False)
    own = pairs.dropna(subset=["value"])
    own = own.assign(area=area, area_name="", is_own=True, label=own["funnel_label"])
    table = pd.concat([own[columns], peers[columns]])
    order = [*PAIR, "is_own", "value", "area"]
    return table.sort_values(order, ascending=[True, True, False, False, True], ignore_index=True)


def robustness_table(cases: Frame, beside: Frame) -> Frame:
    """List every comparison; `agrees` of the nearest k is with their own whole set."""
    same = beside.loc[beside["peer_set"] == beside["peer_set_other"], [*PAIR, "k", "agrees"]]
    columns = ["series", "indicator", "peer_set", "k", "period", "n_peers", "peer_median", "rank"]
    columns += ["rank_of", "quarter", "percentile", "verdict", "evidence", "agrees"]
    table = cases[cases["data_type"] != "count"].merge(same, on=[*PAIR, "k"], how="left")
    return table.sort_values([*PAIR, "k"], ignore_index=True)[columns]
