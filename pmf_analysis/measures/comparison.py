"""How an authority compares with its peers: by the best evidence that its numbers allow.

Evidence, best first: counts with denominators, given intervals, the natural process limits of the
authority's own history, bare values. Each verdict names its evidence and its benchmark.
"""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd

from pmf_analysis.measures.funnel import funnel, own_place
from pmf_analysis.measures.gaps import gap_verdicts
from pmf_analysis.measures.history import (
    DEFAULTS,
    NUMBERS,
    complete_periods,
    with_intervals,
    with_register,
)
from pmf_analysis.measures.peers import (
    FEWEST_PEERS,
    PAIR,
    peer_rows,
    positions,
    spread_by_period,
    tidy_peer_sets,
)
from pmf_analysis.measures.polarity import band_distance
from pmf_analysis.measures.spc import spc_chart

__all__ = ["compare", "funnel"]

FEWEST_OWN = 8  # points from which own natural limits serve as evidence
USUAL_SPREAD = 1.96  # over-dispersion adjusted z that holds 95 % of peers
METHODS = {"interval": "interval", "own_history": "own_history", "values_only": "position"}


def compare(
    observations: pd.DataFrame,
    register: pd.DataFrame,
    *,
    area: str,
    peer_sets: pd.DataFrame,
    period: Any = None,
) -> tuple[pd.DataFrame, pd.DataFrame, pd.DataFrame]:
    """Compare every series of one authority with every peer set.

    A pair is compared at the newest period for which the authority and at least five peers have a
    value. The benchmark is the peers' median, and where there are counts their pooled value too:
    better or worse is said only if our interval lies on one side of both.

    Parameters
    ----------
    observations
        Main frame of measures, all areas; a missing value is NaN.
    register
        One row an indicator: indicator, polarity, statistic, rate_base, frequency, accumulation,
        periods_per_year, target_low and target_high (the band of polarity "range").
    peer_sets
        peer_set, member, member_name, rank: the sets of this authority.
    period
        Later periods are left out.

    Returns
    -------
    comparisons, peers, gaps
        Result tables: a row an own series and set; a row a peer (and ourselves); a row a period.
        A pair that cannot be judged says why in `reason`.
    """
    members = tidy_peer_sets(peer_sets, area)
    frame = with_intervals(with_register(observations, register))
    frame = frame if period is None else frame[frame["period"] <= period]
    rows = peer_rows(frame, area, members)
    gaps = spread_by_period(rows)
    pairs = _pairs(frame[frame["area"] == area], members, gaps)
    now = rows.merge(pairs[[*PAIR, "period", "polarity", "target_low", "target_high"]])
    places = positions(now, now["polarity"], now[["target_low", "target_high"]])
    pairs = pairs.join(places, on=PAIR).join(_pooled(now), on=PAIR)
    pairs = pairs.merge(_missing_names(now, pairs, members), on=PAIR, how="left")
    pairs = _with_evidence(pairs, _own_limits(frame[frame["area"] == area], pairs))
    pairs = _judged(pairs, now)
    gaps = gaps[gaps["n_peers"] >= FEWEST_PEERS].reset_index(drop=True)
    pairs = pairs.merge(gap_verdicts(gaps, pairs), on=PAIR, how="left")
    return _comparison_table(pairs), _peer_table(now, pairs, area), gaps


def _pairs(own: pd.DataFrame, members: pd.DataFrame, gaps: pd.DataFrame) -> pd.DataFrame:
    """One row an own series and set, with the own row of the period to compare."""
    usable = own.dropna(subset=["value"])
    newest = usable.groupby("series")["period"].max().rename("newest")
    shared = gaps[gaps["n_peers"] >= FEWEST_PEERS].groupby(PAIR)["period"].max().rename("shared")
    names = own[["series"]].drop_duplicates().sort_values("series")
    pairs = names.merge(members[["peer_set"]].drop_duplicates(), how="cross")
    pairs = pairs.join(newest, on="series").join(shared, on=PAIR)
    pairs["period"] = pairs["shared"].fillna(pairs["newest"])
    settings = own.drop_duplicates("series", keep="last")
    fixed = ["series", "indicator", "area", *DEFAULTS, *NUMBERS, "span_years"]
    values = ["series", "period", "value", "numerator", "denominator", "scale"]
    values += ["lower", "upper", "interval_from"]
    pairs = pairs.merge(settings[fixed], on="series", how="left")
    return pairs.merge(usable[values], on=["series", "period"], how="left")


def _pooled(now: pd.DataFrame) -> pd.DataFrame:
    """Count the peers with counts, and give their pooled value as a fraction, by pair."""
    counted = now[now["interval_from"] == "counts"].groupby(PAIR)
    sums = counted[["numerator", "denominator"]].sum()
    pooled = sums["numerator"] / sums["denominator"]
    return pd.DataFrame({"n_counted": counted.size(), "pooled": pooled})


def _missing_names(now: pd.DataFrame, pairs: pd.DataFrame, members: pd.DataFrame) -> pd.DataFrame:
    """Count the peers in each set and those compared; name those without a value."""
    wanted = pairs[PAIR].merge(members.drop(columns="rank"), on="peer_set")
    found = now[[*PAIR, "member"]].assign(has_value=True)
    beside = wanted.merge(found, on=[*PAIR, "member"], how="left")
    beside["has_value"] = beside["has_value"].notna()
    beside["absent"] = beside["member_name"].where(~beside["has_value"])
    grouped = beside.groupby(PAIR)
    table = grouped.agg(n_members=("member", "size"), n_peers=("has_value", "sum"))
    return table.assign(
        peers_missing=grouped["absent"].agg(lambda names: "; ".join(names.dropna()))
    ).reset_index()


def _own_limits(own: pd.DataFrame, pairs: pd.DataFrame) -> pd.DataFrame:
    """Natural process limits of each own series up to its compared period, where they may speak.

    They may with eight points of single periods, some variation, and no special cause at the end:
    a process that is changing says little about its present level. `silent` says why they may not.
    """
    until = pairs.groupby("series")["period"].min().rename("until")
    history = own[own["accumulation"].isin(["discrete", "snapshot"])].join(until, on="series")
    history = history[history["period"] <= history["until"]]
    months = dict(zip(history["series"], 12 / history["periods_per_year"], strict=True))
    history = complete_periods(history[["series", "period", "value"]], months)
    last = spc_chart(history).segments.groupby("series").tail(1).set_index("series")
    short = "our own record has only " + last["n"].astype(str) + " of the eight values needed"
    silent = pd.Series("", last.index, dtype="str")
    silent = silent.mask(last["variation"] != "common_cause", "our own record is changing")
    silent = silent.mask(~(last["upper_limit"] > last["lower_limit"]), "our own record is constant")
    silent = silent.mask(last["n"] < FEWEST_OWN, short)
    limits = last[["lower_limit", "upper_limit"]][silent == ""].reindex(last.index)
    return limits.assign(n_own=last["n"], silent=silent)


def _with_evidence(pairs: pd.DataFrame, limits: pd.DataFrame) -> pd.DataFrame:
    """Choose each pair's evidence, interval and benchmark."""
    pairs = pairs.join(limits, on="series")
    pairs["evidence"] = np.select(
        [
            (pairs["interval_from"] == "counts") & (pairs["n_counted"] >= FEWEST_PEERS),
            pairs["lower"].notna(),
            pairs["lower_limit"].notna(),
        ],
        ["counts", "interval", "own_history"],
        "values_only",
    )
    history = pairs["evidence"] == "own_history"
    pairs["low"] = pairs["lower"].mask(history, pairs["lower_limit"])
    pairs["high"] = pairs["upper"].mask(history, pairs["upper_limit"])
    pooled = pairs["pooled"] * pairs["scale"]
    pairs["benchmark"] = pairs["peer_median"].mask(pairs["evidence"] == "counts", pooled)
    return pairs


def _judged(pairs: pd.DataFrame, now: pd.DataFrame) -> pd.DataFrame:
    """Verdict, method and reason of every pair."""
    # one unusual peer can pull the pooled value away from the rest: both benchmarks must agree
    benchmarks = pairs[["benchmark", "peer_median"]]
    above = pairs["low"] > benchmarks.max(axis=1)
    below = pairs["high"] < benchmarks.min(axis=1)
    side = above.astype(int) - below.astype(int)
    bands = pairs["target_low"], pairs["target_high"]
    farther = band_distance(pairs["value"], *bands) - band_distance(pairs["benchmark"], *bands)
    ways = [pairs["polarity"] == way for way in ("higher", "lower", "range")]
    goodness = np.select(ways, [side, -side, -np.sign(farther) * side.abs()], 0)
    neutral = pairs["polarity"] == "none"
    reason = _why_not(pairs)
    pairs["verdict"] = np.select(
        [
            reason != "",
            pairs["evidence"] == "values_only",
            neutral & (side > 0),
            neutral & (side < 0),
            goodness > 0,
            goodness < 0,
        ],
        ["cannot_judge", "position_only", "higher", "lower", "better", "worse"],
        "similar",
    )
    pairs["evidence"] = pairs["evidence"].mask(reason != "", "none")
    by_counts = pairs["statistic"].map({"proportion": "wilson", "rate": "byar"})
    method = pairs["evidence"].map(METHODS).fillna("none")
    pairs["method"] = method.mask(pairs["evidence"] == "counts", by_counts)
    pairs["reason"] = reason.mask(reason == "", _why(pairs, side) + _beyond_spread(pairs, now))
    earlier = (reason == "") & (pairs["period"] < pairs["newest"])
    pairs["reason"] += pd.Series("", pairs.index).mask(
        earlier, " Fewer than five peers have our newest period, so an earlier one is compared."
    )
    return pairs


def _why_not(pairs: pd.DataFrame) -> pd.Series:
    """Say why a pair cannot be judged, in plain words; "" where it can."""
    found, members = pairs["n_peers"].astype(str), pairs["n_members"].astype(str)
    few = "Only " + found + " of " + members + " peers have a value for the same period; five are"
    size = "A total depends on the size of an authority; only a rate or share can be compared."
    no_band = (pairs["polarity"] == "range") & pairs["target_low"].isna()
    reason = pd.Series("", pairs.index).mask(pairs["n_peers"] < FEWEST_PEERS, few + " needed.")
    reason = reason.mask(pairs["data_type"] == "count", size)
    reason = reason.mask(no_band, "Nobody has declared the range that is best.")
    unknown = ~pairs["polarity"].isin(["higher", "lower", "range", "none"])
    reason = reason.mask(unknown, "Nobody has declared which way is better.")
    return reason.mask(pairs["newest"].isna(), "We have no value that can be used.")


def _why(pairs: pd.DataFrame, side: pd.Series) -> pd.Series:
    """Say what a verdict rests on."""
    does = pd.Series("includes", pairs.index, dtype="str").mask(side != 0, "excludes")
    both = pd.Series(" or", pairs.index, dtype="str").mask(side != 0, " and")
    own = pairs["n_own"].fillna(0).astype(int).astype(str)
    silent = pairs["silent"].fillna("our own figures overlap")
    sentences: dict[str, Any] = {
        "counts": "Our 95 % interval "
        + does
        + " the peers' combined value"
        + both
        + " their median.",
        "interval": "Our published interval " + does + " the peers' median.",
        "own_history": "The usual range of our last " + own + " values " + does + " their median.",
        "values_only": "Place only, no test: no usable counts or intervals, and " + silent + ".",
    }
    text = pd.Series("", pairs.index, dtype="str")
    for evidence, sentence in sentences.items():
        text = text.mask(pairs["evidence"] == evidence, sentence)
    return text


def _beyond_spread(pairs: pd.DataFrame, now: pd.DataFrame) -> pd.Series:
    """Say of a difference found in counts whether it also exceeds the spread between peers."""
    text = pd.Series("", pairs.index)
    found = (pairs["evidence"] == "counts") & pairs["verdict"].isin(
        ["better", "worse", "higher", "lower"]
    )
    own = pairs[found].set_index(PAIR)[["numerator", "denominator", "statistic"]]
    counted = now[now["interval_from"] == "counts"].set_index(PAIR).sort_index()
    sentences = []
    for pair, row in own.iterrows():
        peers = counted.loc[[pair], ["numerator", "denominator"]].to_numpy(float)
        z = own_place(
            row["numerator"], row["denominator"], peers[:, 0], peers[:, 1], row["statistic"]
        )
        where = "beyond" if abs(z) > USUAL_SPREAD else "within"
        sentences.append(f" This is {where} the usual spread between peers.")
    return text.mask(found, pd.Series(sentences, pairs.index[found], dtype="str"))


def _comparison_table(pairs: pd.DataFrame) -> pd.DataFrame:
    columns = ["series", "indicator", "area", "peer_set", "period", "value", "lower", "upper"]
    columns += ["peer_median", "peer_q1", "peer_q3", "peer_min", "peer_max", "benchmark"]
    columns += ["n_peers", "peers_missing", "rank", "rank_of", "percentile", "mad_distance"]
    columns += ["verdict", "method", "evidence", "reason", "gap", "gap_verdict", "gap_reason"]
    pairs = pairs.assign(gap=pairs["value"] - pairs["peer_median"])
    pairs = pairs.drop(columns=["lower", "upper"]).rename(columns={"low": "lower", "high": "upper"})
    return pairs[columns].reset_index(drop=True)


def _peer_table(now: pd.DataFrame, pairs: pd.DataFrame, area: str) -> pd.DataFrame:
    """List the compared peers and ourselves, with intervals from counts or as published."""
    columns = ["series", "peer_set", "area", "area_name", "period", "value", "lower", "upper"]
    peers = now.assign(area_name=now["member_name"], is_own=False)
    own = pairs.dropna(subset=["value"]).assign(area=area, area_name="", is_own=True)
    table = pd.concat([own[[*columns, "is_own"]], peers[[*columns, "is_own"]]])
    order = [*PAIR, "is_own", "value", "area"]
    return table.sort_values(order, ascending=[True, True, False, False, True], ignore_index=True)
