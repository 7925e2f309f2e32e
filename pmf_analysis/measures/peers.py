"""Peer sets beside an authority's own values: who, at which period, and where among them.

Own values never count among the peers'. Percentiles and ranks treat ties alike for everybody.
"""

import numpy as np
import pandas as pd

from pmf_analysis.data.contract import split_series
from pmf_analysis.measures.polarity import band_distance

FEWEST_PEERS = 5  # below this neither a median nor a rank is shown
NATION_FACTOR = 2  # a nation is an average of councils, so it cannot lie far outside them
PAIR = ["series", "peer_set"]
PLACE = ["rank", "rank_high", "rank_of", "percentile", "mad_distance"]
QUARTILES = ["peer_min", "peer_q1", "peer_median", "peer_q3", "peer_max"]


def tidy_peer_sets(peer_sets: pd.DataFrame, area: str) -> pd.DataFrame:
    """Members of each set, once, without the authority itself; nearest first where ranked."""
    columns = ["peer_set", "member", "member_name", "rank"]
    members = peer_sets[peer_sets["member"] != area].sort_values(["peer_set", "rank"])
    return members.drop_duplicates(["peer_set", "member"])[columns].reset_index(drop=True)


def with_key(observations: pd.DataFrame) -> pd.DataFrame:
    """Add `key`: the series without its area, which own and peers' series have in common."""
    names = observations["series"].drop_duplicates()
    parts = split_series(names).drop(columns="area_code").astype("str")
    key = parts.iloc[:, 0].str.cat(parts.iloc[:, 1:], sep="|")
    return observations.assign(key=observations["series"].map(dict(zip(names, key, strict=True))))


def peer_rows(observations: pd.DataFrame, area: str, members: pd.DataFrame) -> pd.DataFrame:
    """Every peer's usable value beside each own series, set and period.

    Returns
    -------
    DataFrame
        Columns of the observations of the peers, with series (own), own_value, peer_set and
        member_name. A period without own value has no rows.
    """
    keyed = with_key(observations).dropna(subset=["value"])
    own = keyed.loc[keyed["area"] == area, ["series", "key", "period", "value"]]
    peers = keyed[keyed["area"].isin(members["member"])].drop(columns="series")
    beside = peers.merge(members.drop(columns="rank"), left_on="area", right_on="member")
    return beside.merge(
        own.rename(columns={"value": "own_value"}), on=["key", "period"], validate="m:1"
    )


def spread_by_period(rows: pd.DataFrame) -> pd.DataFrame:
    """Gap table: own value, peers' median and number at each period with enough peers.

    Columns series, peer_set, period, value, peer_median, gap (own minus median, in the unit of
    the value), n_peers. The median is NaN where fewer than five peers have a value.
    """
    grouped = rows.groupby([*PAIR, "period"], sort=True)
    table = grouped.agg(
        value=("own_value", "first"), peer_median=("value", "median"), n_peers=("area", "size")
    ).reset_index()
    table["peer_median"] = table["peer_median"].where(table["n_peers"] >= FEWEST_PEERS)
    return table.assign(gap=table["value"] - table["peer_median"])


def positions(rows: pd.DataFrame, polarity: pd.Series, bands: pd.DataFrame) -> pd.DataFrame:
    """Quartiles, rank, percentile and distance from the median of each own series in each set.

    Parameters
    ----------
    rows
        `peer_rows` of one period a pair.
    polarity, bands
        Beside each row: which way is better; target_low and target_high (for "range", where the
        smaller distance to the band is better).

    Returns
    -------
    DataFrame
        Indexed by series and peer_set: peer_median, peer_q1, peer_q3, peer_min, peer_max, rank
        (1 = best, equal values share the better rank; highest first without polarity or band),
        rank_high (1 = highest, whatever is better), rank_of, percentile (share of peers that are
        worse, ties by half, 0 to 100), mad_distance (distance from the median in median absolute
        deviations, unscaled as Oflog has it; NaN if those are 0). All NaN with fewer than five
        peers.
    """
    sign = np.where(polarity == "lower", -1.0, 1.0)
    has_band = (polarity == "range") & bands.notna().all(axis=1)
    scores = []
    for values in (rows["value"], rows["own_value"]):
        distance = band_distance(values, bands["target_low"], bands["target_high"])
        scores.append((sign * values).mask(has_band, -distance))
    better, level = scores[0] > scores[1], scores[0] == scores[1]
    higher = rows["value"] > rows["own_value"]
    rows = rows.assign(better=better, worse=~better - level / 2, higher=higher)
    grouped = rows.groupby(PAIR, sort=True)
    n = grouped.size()
    points = np.linspace(0, 1, 5)
    quartiles = grouped["value"].quantile(points).unstack().reindex(columns=points)
    quartiles = quartiles.set_axis(QUARTILES, axis=1)
    middle = grouped["value"].transform("median")
    mad = (rows["value"] - middle).abs().groupby([rows[name] for name in PAIR]).median()
    table = quartiles.assign(
        rank=1 + grouped["better"].sum(),
        rank_high=1 + grouped["higher"].sum(),
        rank_of=n + 1,
        percentile=100 * grouped["worse"].sum() / n,
        mad_distance=(grouped["own_value"].first() - quartiles["peer_median"]) / mad.where(mad > 0),
    )
    return table.astype(float)[n >= FEWEST_PEERS].reindex(table.index)


def with_nation(
    comparisons: pd.DataFrame, panel: pd.DataFrame, register: pd.DataFrame, area: str
) -> pd.DataFrame:
    """Add the nation's value of the same period, unless it must count something else."""
    rows = panel[(panel["area"] == f"{area[0]}92000001") & (panel["dimension"] == "")]
    rows = rows[["indicator", "period", "value"]].rename(columns={"value": "nation_value"})
    kept = comparisons.merge(rows, on=["indicator", "period"], how="left")
    data_type = kept["indicator"].map(register.set_index("indicator")["data_type"])
    low, high = kept["peer_min"] / NATION_FACTOR, kept["peer_max"] * NATION_FACTOR
    likely = kept["nation_value"].between(low, high) & (data_type != "count")
    return kept.assign(nation_value=kept["nation_value"].where(likely))
