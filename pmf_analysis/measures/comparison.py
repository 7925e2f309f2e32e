"""How an authority compares with its peers: by the best evidence that its numbers allow.

Evidence, best first: counts with denominators, given intervals, the natural process limits of the
authority's own history, bare values. Each verdict names its evidence and its benchmark.
"""

from typing import Any

import numpy as np
import pandas as pd

from pmf_analysis.measures import peers as peer_values
from pmf_analysis.measures.funnel import own_place
from pmf_analysis.measures.gaps import gap_verdicts
from pmf_analysis.measures.history import (
    DEFAULTS,
    NUMBERS,
    complete_periods,
    with_intervals,
    with_register,
)
from pmf_analysis.measures.peers import FEWEST_PEERS, PAIR, QUARTILES
from pmf_analysis.measures.polarity import band_distance, first_text, undeclared
from pmf_analysis.measures.spc import spc_chart

FEWEST_OWN = 13  # points from which own natural limits serve as evidence
USUAL_SPREAD = 1.96  # over-dispersion adjusted z that holds 95 % of peers
TOTAL = "A total depends on the size of an authority; only a rate or share can be compared."
ORDINARY = " The difference is more than chance in the counts, but ordinary between peers."
BEYOND = " This is beyond the usual spread between peers."
OLDER = " Fewer than five peers have our newest period, so an earlier one is compared."


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
    members = peer_values.tidy_peer_sets(peer_sets, area)
    frame = with_intervals(with_register(observations, register))
    frame = frame if period is None else frame[frame["period"] <= period]
    rows = peer_values.peer_rows(frame, area, members)
    gaps = peer_values.spread_by_period(rows)
    pairs = _pairs(frame[frame["area"] == area], members, gaps)
    now = rows.merge(pairs[[*PAIR, "period", "polarity", "target_low", "target_high"]])
    places = peer_values.positions(now, now["polarity"], now[["target_low", "target_high"]])
    pairs = pairs.join(places, on=PAIR).join(_pooled(now), on=PAIR)
    pairs = pairs.join(_missing_names(now, pairs, members), on=PAIR)
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
    values = ["series", "period", "value", "numerator", "denominator", "scale", "lower", "upper"]
    pairs = pairs.merge(settings[fixed], on="series", how="left")
    return pairs.merge(usable[[*values, "interval_from"]], on=["series", "period"], how="left")


def _pooled(now: pd.DataFrame) -> pd.DataFrame:
    """Count the peers with counts, and give their pooled value as a fraction, by pair."""
    counted = now[now["interval_from"] == "counts"].groupby(PAIR)
    pooled = counted["numerator"].sum() / counted["denominator"].sum()
    return pd.DataFrame({"n_counted": counted.size(), "pooled": pooled})


def _missing_names(now: pd.DataFrame, pairs: pd.DataFrame, members: pd.DataFrame) -> pd.DataFrame:
    """Count the peers in each set and those compared; name those without a value; by pair."""
    wanted = pairs[PAIR].merge(members.drop(columns="rank"), on="peer_set")
    beside = wanted.merge(now[[*PAIR, "member", "area"]], on=[*PAIR, "member"], how="left")
    beside["absent"] = beside["member_name"].where(beside["area"].isna(), "")
    return beside.groupby(PAIR).agg(
        n_members=("member", "size"),
        n_peers=("area", "count"),
        peers_missing=("absent", lambda names: "; ".join(filter(None, names))),
    )


def _own_limits(own: pd.DataFrame, pairs: pd.DataFrame) -> pd.DataFrame:
    """Natural process limits of each own series up to its compared period, where they may speak.

    They may with 13 points of single periods, some variation, and no special cause at the end:
    a process that is changing says little about its present level. `silent` says why they may not.
    """
    until = pairs.groupby("series")["period"].min().rename("until")
    history = own[own["accumulation"].isin(["discrete", "snapshot"])].join(until, on="series")
    history = history[history["period"] <= history["until"]]
    months = 12 / history["periods_per_year"]
    history = complete_periods(history[["series", "period", "value"]], months)
    last = spc_chart(history).segments.groupby("series").tail(1).set_index("series")
    short = "our own record has only " + last["n"].astype(str) + " of the 13 values needed"
    reasons = [
        (last["n"] < FEWEST_OWN, short),
        (~(last["upper_limit"] > last["lower_limit"]), "our own record is constant"),
        (last["variation"] != "common_cause", "our own record is changing"),
    ]
    silent = first_text(last.index, reasons)
    limits = last[["lower_limit", "upper_limit"]].where(silent == "")
    return limits.assign(n_own=last["n"], silent=silent)


def _with_evidence(pairs: pd.DataFrame, limits: pd.DataFrame) -> pd.DataFrame:
    """Choose each pair's evidence, interval and benchmark."""
    pairs = pairs.join(limits, on="series")
    counted = (pairs["interval_from"] == "counts") & (pairs["n_counted"] >= FEWEST_PEERS)
    given, steady = pairs["lower"].notna(), pairs["lower_limit"].notna()
    kinds = [(counted, "counts"), (given, "interval"), (steady, "own_history")]
    pairs["evidence"] = first_text(pairs.index, kinds, "values_only")
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
    apart = (side != 0) & (pairs["evidence"] == "counts")
    ordinary = apart & ~_is_beyond_spread(pairs[apart], now).reindex(pairs.index, fill_value=False)
    ways = [ordinary, *(pairs["polarity"] == way for way in ("higher", "lower", "range"))]
    goodness = np.select(ways, [0 * side, side, -side, -np.sign(farther) * side.abs()], 0)
    neutral, reason = (pairs["polarity"] == "none") & ~ordinary, _why_not(pairs)
    verdicts = [
        (reason != "", "cannot_judge"),
        (pairs["evidence"] == "values_only", "position_only"),
        (neutral & (side > 0), "higher"),
        (neutral & (side < 0), "lower"),
        (goodness > 0, "better"),
        (goodness < 0, "worse"),
    ]
    pairs["verdict"] = first_text(pairs.index, verdicts, "similar")
    pairs["evidence"] = pairs["evidence"].mask(reason != "", "none")
    by_counts = pairs["statistic"].map({"proportion": "wilson", "rate": "byar"})
    method = pairs["evidence"].replace("values_only", "position")
    pairs["method"] = method.mask(pairs["evidence"] == "counts", by_counts)
    rests_on = _why(pairs, side) + first_text(pairs.index, [(ordinary, ORDINARY), (apart, BEYOND)])
    older = (reason == "") & (pairs["period"] < pairs["newest"])
    reason = reason.mask(reason == "", rests_on)
    return pairs.assign(reason=reason + first_text(pairs.index, [(older, OLDER)]))


def _why_not(pairs: pd.DataFrame) -> pd.Series:
    """Say why a pair cannot be judged, in plain words; "" where it can."""
    found, members = pairs["n_peers"].astype(str), pairs["n_members"].astype(str)
    few = "Only " + found + " of " + members + " peers have a value for the"
    reasons = [
        (pairs["newest"].isna(), "We have no value that can be used."),
        *undeclared(pairs),
        (pairs["data_type"] == "count", TOTAL),
        (pairs["n_peers"] < FEWEST_PEERS, few + " same period; five are needed."),
    ]
    return first_text(pairs.index, reasons)


def _why(pairs: pd.DataFrame, side: pd.Series) -> pd.Series:
    """Say what a verdict rests on."""
    does = first_text(pairs.index, [(side != 0, "excludes")], "includes")
    both = first_text(pairs.index, [(side != 0, " and")], " or")
    own = pairs["n_own"].fillna(0).astype(int).astype(str)
    silent = pairs["silent"].fillna("our own figures overlap")
    pooled = "Our 95 % interval " + does + " the peers' combined value" + both + " their median."
    sentences = {
        "counts": pooled,
        "interval": "Our published interval " + does + " the peers' median.",
        "own_history": "The usual range of our last " + own + " values " + does + " their median.",
        "values_only": "Place only, no test: no usable counts or intervals, and " + silent + ".",
    }
    texts = [(pairs["evidence"] == evidence, text) for evidence, text in sentences.items()]
    return first_text(pairs.index, texts)


def _is_beyond_spread(found: pd.DataFrame, now: pd.DataFrame) -> pd.Series:
    """Whether a difference found in counts also exceeds the usual spread between peers.

    Counts of many thousands tell any two councils apart; only a place outside the spread that
    peers show anyway is worth a word (Spiegelhalter 2005).
    """
    counted = now[now["interval_from"] == "counts"].set_index(PAIR).sort_index()
    places = []
    for own in found[[*PAIR, "numerator", "denominator", "statistic"]].to_dict("records"):
        peers = counted.loc[[(own["series"], own["peer_set"])]]
        count, size = (peers[name].to_numpy(float) for name in ("numerator", "denominator"))
        z = own_place(own["numerator"], own["denominator"], count, size, own["statistic"])
        places.append(abs(z))
    return pd.Series(places, found.index, dtype="float64") > USUAL_SPREAD


def _comparison_table(pairs: pd.DataFrame) -> pd.DataFrame:
    columns = ["series", "indicator", "area", "peer_set", "period", "value", "lower", "upper"]
    columns += [*QUARTILES, "benchmark", "n_peers", "peers_missing", *peer_values.PLACE]
    columns += ["verdict", "method", "evidence", "reason", "gap", "gap_verdict", "gap_reason"]
    pairs = pairs.assign(gap=pairs["value"] - pairs["peer_median"])
    # A total depends on the size of a council: neither a place nor a gap means anything.
    totals = pairs["data_type"] == "count"
    blank = [*peer_values.PLACE, "gap"]
    pairs[blank] = pairs[blank].astype("float64").mask(totals)
    pairs["gap_verdict"] = pairs["gap_verdict"].mask(totals, "cannot_judge")
    pairs["gap_reason"] = pairs["gap_reason"].mask(totals, pairs["reason"])
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
