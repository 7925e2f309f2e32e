"""Peer sets beside an authority's own values: who, at which period, and where among them.

Own values never count among the peers'. Percentiles and ranks treat ties alike for everybody.
"""

import pandas as pd

from pmf_analysis.measures.arrays import PAIR, Column, Frame, constants

_SET = constants("peers")


def tidy_peer_sets(peer_sets: Frame, area: str) -> Frame:
    """Members of each set, once, without the authority itself; nearest first where ranked.

    Columns peer_set, member, member_name, near (1 = nearest; NaN in sets where any rank is NaN).
    """
    columns = ["peer_set", "member", "member_name", "rank"]
    members = peer_sets[peer_sets["member"] != area].sort_values(["peer_set", "rank", "member"])
    members = members.drop_duplicates(["peer_set", "member"])[columns].reset_index(drop=True)
    ranked = members["rank"].notna().groupby(members["peer_set"]).transform("all").astype(bool)
    near = 1.0 + members.groupby("peer_set").cumcount()
    return members.drop(columns="rank").assign(near=near.where(ranked))


def usable_rows(observations: Frame) -> Frame:
    """Rows with a value, with `key`: the series without its area, common to own and peers'."""
    known = observations.dropna(subset=["value"])
    codes, names = pd.factorize(known["series"])
    keys = pd.Series(names, dtype="str").str.replace(r"\|[^|]*", "", n=1, regex=True)
    return known.assign(key=pd.factorize(keys)[0][codes])


def peer_rows(usable: Frame, area: str, members: Frame) -> Frame:
    """Every peer's usable value beside each own series, set and period.

    Only what covers the same span in the same way is beside ours: period_end and accumulation,
    where given, must be equal too.

    Parameters
    ----------
    usable
        `usable_rows` of all areas.

    Returns
    -------
    DataFrame
        Columns of the observations of the peers, with series (own), own_value, peer_set, member,
        member_name and near. A period without own value has no rows.
    """
    same = [name for name in _SET.same if name in usable.columns]
    own = usable.loc[usable["area"] == area, [*same, "series", "value"]]
    peers = usable[usable["area"].isin(members["member"])].drop(columns="series")
    beside = peers.merge(own.rename(columns={"value": "own_value"}), on=same, validate="m:1")
    return beside.merge(members, left_on="area", right_on="member")


def newest_of_peers(usable: Frame, area: str, members: Frame) -> Frame:
    """Newest period of any peer, and number of peers with a newer one than ours; by pair."""
    newest = usable.groupby(["key", "area"])["period"].max().rename("theirs").reset_index()
    own = newest[newest["area"] == area].rename(columns={"theirs": "ours"}).drop(columns="area")
    names = usable.loc[usable["area"] == area, ["key", "series"]].drop_duplicates()
    beside = newest.merge(members, left_on="area", right_on="member").merge(own).merge(names)
    beside["ahead"] = beside["theirs"] > beside["ours"]
    return beside.groupby(PAIR).agg(newest_peer=("theirs", "max"), peers_ahead=("ahead", "sum"))


def hidden_peers(observations: Frame, pairs: Frame, area: str, members: Frame) -> Column:
    """Number of peers (`n_hidden`) whose value of the compared period is suppressed; by pair."""
    status = observations.get("status", pd.Series("", observations.index))
    hidden = observations[status == "suppressed"]
    ours = hidden["series"].astype("str").str.replace(r"\|[^|]*", f"|{area}", n=1, regex=True)
    beside = hidden[["area", "period"]].assign(series=ours).merge(pairs[[*PAIR, "period"]])
    beside = beside.merge(members, left_on=["peer_set", "area"], right_on=["peer_set", "member"])
    return beside.groupby(PAIR).size().rename("n_hidden")


def with_nation(comparisons: Frame, panel: Frame, register: Frame, area: str) -> Frame:
    """Add the nation's value of the same period, unless it must count something else."""
    rows = panel.loc[panel["area"] == f"{area[0]}92000001"]
    rows = rows[["indicator", "period", "value"]].rename(columns={"value": "nation_value"})
    kept = comparisons.merge(rows, on=["indicator", "period"], how="left")
    data_type = kept["indicator"].map(register.set_index("indicator")["data_type"])
    low, high = kept["peer_min"] / _SET.nation_factor, kept["peer_max"] * _SET.nation_factor
    likely = ~data_type.isin(_SET.totals) | kept["nation_value"].between(low, high)
    likely &= data_type != "count"
    return kept.assign(nation_value=kept["nation_value"].where(likely))
