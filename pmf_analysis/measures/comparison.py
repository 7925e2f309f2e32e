"""How an authority compares with its peers: by the best evidence that its numbers allow.

Evidence, best first: counts with denominators, given intervals, the natural process limits of the
authority's own history, bare values. Each verdict names its evidence and its benchmark.
"""

from collections import namedtuple

import numpy as np
import pandas as pd

from pmf_analysis.measures import arrays, denominators, history, peers, ranks, spc, spread
from pmf_analysis.measures.arrays import FEWEST_PEERS, PAIR, SENTENCES, TABLES, Column, Frame
from pmf_analysis.measures.gaps import closing_pace
from pmf_analysis.measures.history import with_intervals, with_register
from pmf_analysis.measures.polarity import first_text, said, sided, undeclared
from pmf_analysis.measures.ranks import Panel
from pmf_analysis.measures.spread import funnel
from pmf_analysis.parameters.models import ComparisonRules

__all__ = ["Comparison", "compare", "funnel"]
_SET = arrays.constants("reasons")
STRICT = ComparisonRules(level=99.8)
FEWEST_OWN = 13  # points from which own natural limits serve as evidence


# Result tables of a comparison, whose columns docs/result-tables.md explains.
Comparison = namedtuple("Comparison", "comparisons peers gaps funnels robustness")


def compare(
    known: Frame, register: Frame, rules: ComparisonRules = STRICT, *, area: str, peer_sets: Frame
) -> Comparison:
    """Compare every series of one authority with every peer set.

    A pair is compared at the newest period with a value of the authority and at least five peers.
    Similar: our interval at `level` does not exclude both the peers' median and, where there are
    counts, their pooled value. Better, worse, higher or lower: it excludes both, and our place is
    outside the peers' usual spread too (`spread.places`). somewhat_better, somewhat_worse,
    somewhat_higher or somewhat_lower: it excludes both, but our place is within that spread.

    Parameters
    ----------
    known
        Main frame of measures, all areas; a missing value is NaN. Rows are compared only where
        period and, if given, period_end and accumulation are equal.
    register
        One row an indicator: indicator, polarity, statistic, data_type, rate_base, frequency,
        accumulation, periods_per_year, target_low and target_high (the band of polarity "range").
    peer_sets
        peer_set, member, member_name, rank (NaN: no order) of this authority's sets; where given,
        built_on: "; "-joined indicators that the set was chosen by, of which it is no test.
    rules
        level: of intervals from counts and limits of the spread; published intervals are 95 %.
        overdispersion: whether the usual spread between peers is considered; else nothing is only
        somewhat so. gap_years: years in which a gap might be closed.

    Returns
    -------
    Comparison
        A row an own series and set; a peer (and ourselves); a period of the gap; a size of each
        funnel; an alternative comparison. A pair that cannot be judged says why in `reason`.
    """
    members = peers.tidy_peer_sets(peer_sets, area)
    rows, gaps, pairs, now = _beside(known, register, area, members)
    pairs["is_circular"] = _is_circular(pairs, peer_sets)
    now, panel = _panel(now, len(pairs))
    cases, z = _cases(panel, pairs, rules)
    whole = cases[cases["k"] == 0]
    beside = ranks.agreement(cases, whole)
    pairs = whole.join(ranks.counted(beside), on=PAIR).join(ranks.rank_range(panel, whole))
    pairs = pairs.merge(closing_pace(rows, pairs, years=rules.gap_years), on=PAIR, how="left")
    gaps = gaps.merge(pairs.loc[pairs["data_type"] != "count", PAIR])
    tables = _comparison_table(pairs), _peer_table(now, pairs, z, area), gaps
    return Comparison(*tables, spread.funnels(pairs, z["size"]), _robustness_table(cases, beside))


def _beside(known: Frame, register: Frame, area: str, members: Frame) -> tuple[Frame, ...]:
    """Peers' rows beside ours, gaps by period, pairs to compare, and peers' rows at that period."""
    usable = peers.usable_rows(known)
    rows = peers.peer_rows(usable, area, members)
    own = with_intervals(with_register(known[known["area"] == area], register))
    gaps = _gaps(rows, own)
    pairs = _pairs(own, members, gaps)
    # peers' intervals are by what our indicator declares
    settings = ["statistic", "data_type", "rate_base", "pair"]
    now = rows.drop(columns=settings, errors="ignore").merge(pairs[[*PAIR, "period", *settings]])
    now = with_intervals(now.reindex(columns=now.columns.union(history.COUNTS, sort=False)))
    pairs = pairs.join(peers.newest_of_peers(usable, area, members), on=PAIR)
    pairs = pairs.join(_missing_names(now, pairs, members), on=PAIR)
    pairs = pairs.join(peers.hidden_peers(known, pairs, area, members), on=PAIR)
    return rows, gaps, pairs.join(_own_limits(own, pairs), on="series"), now


def _is_circular(pairs: Frame, peer_sets: Frame) -> list[bool]:
    """Whether each pair's set was chosen by the very indicator that it would judge."""
    told = peer_sets.get("built_on", pd.Series("", peer_sets.index, dtype="str")).str.split("; ")
    built_on = dict(zip(peer_sets["peer_set"], told, strict=True))
    names = zip(pairs["indicator"], pairs["peer_set"], strict=True)
    return [indicator in built_on[peer_set] for indicator, peer_set in names]


def _gaps(rows: Frame, own: Frame) -> Frame:
    """Gap at each period with enough peers; whether ours is as if, or its denominator off."""
    found = rows.groupby([*PAIR, "period"], sort=True)
    ends = {"value": ("own_value", "first"), "peer_median": ("value", "median")}
    gaps = found.agg(**ends, n_peers=("value", "size")).query("n_peers >= @FEWEST_PEERS")
    gaps = gaps.reset_index().assign(gap=lambda table: table["value"] - table["peer_median"])
    marks = own[["series", "period", "accumulation"]].assign(is_as_if=own.get("is_as_if", False))
    return gaps.merge(marks.assign(is_off=denominators.moved_periods(own)), how="left")


def _cases(panel: Panel, pairs: Frame, rules: ComparisonRules) -> tuple[Frame, Panel]:
    """Judge every pair with its whole set (k = 0, first) and with the nearest k of it."""
    whole, z = _measured(panel, pairs.assign(k=0), rules.overdispersion)
    found = [whole]
    for k, cases, part in ranks.alternatives(panel, pairs["n_members"]):
        found.append(_measured(part, pairs.iloc[cases].assign(k=k), rules.overdispersion)[0])
    return _judged(pd.concat(found, ignore_index=True), rules), z


def _pairs(own: Frame, members: Frame, gaps: Frame) -> Frame:
    """One row an own series and set, with the own row of the period to compare."""
    usable = own.dropna(subset=["value"])
    newest = usable.groupby("series")["period"].max().rename("newest")
    shared = gaps.groupby(PAIR)["period"].max().rename("shared")
    names = own[["series"]].drop_duplicates().sort_values("series")
    pairs = names.merge(members[["peer_set"]].drop_duplicates(), how="cross")
    pairs = pairs.join(newest, on="series").join(shared, on=PAIR)
    pairs["period"] = pairs["shared"].fillna(pairs["newest"])
    settings = own.drop_duplicates("series", keep="last")[TABLES["own_settings"]]
    pairs = pairs.merge(settings, on="series", how="left")
    pairs = pairs.merge(usable[TABLES["own_values"]], on=["series", "period"], how="left")
    return pairs.assign(pair=np.arange(len(pairs)))


def _missing_names(now: Frame, pairs: Frame, members: Frame) -> Frame:
    """Count the peers in each set and those compared; name those without a value; by pair."""
    wanted = pairs[PAIR].merge(members.drop(columns="near"), on="peer_set")
    beside = wanted.merge(now[[*PAIR, "member", "area"]], on=[*PAIR, "member"], how="left")
    absent = beside[beside["area"].isna()].sort_values("member_name").groupby(PAIR)["member_name"]
    counts = beside.groupby(PAIR).agg(n_members=("member", "size"))
    return counts.assign(peers_missing=absent.agg("; ".join)).fillna({"peers_missing": ""})


def _own_limits(own: Frame, pairs: Frame) -> Frame:
    """Natural process limits of each own series up to its compared period, where they may speak.

    They may with 13 points of single periods, some variation, and no special cause at the end:
    a process that is changing says little about its present level. `silent` says why they may not.
    """
    until = pairs.groupby("series")["period"].min().rename("until")
    past = own[own["accumulation"].isin(["discrete", "snapshot"])].join(until, on="series")
    past = past[past["period"] <= past["until"]]
    months = 12 / past["periods_per_year"]
    past = history.complete_periods(past[["series", "period", "value"]], months)
    last = spc.spc_chart(past).segments.groupby("series").tail(1).set_index("series")
    short = "our own record has only " + last["n"].astype(str) + " of the 13 values needed"
    constant = ~(last["upper_limit"] > last["lower_limit"])
    kinds = [(last["n"] < FEWEST_OWN, short), (constant, "our own record is constant")]
    kinds += [(last["variation"] != "common_cause", "our own record is changing")]
    silent = first_text(last.index, kinds)
    limits = last[["lower_limit", "upper_limit"]].where(silent == "")
    return limits.assign(n_own=last["n"], silent=silent)


def _panel(now: Frame, n_pairs: int) -> tuple[Frame, Panel]:
    """Peers' rows in the order of pair and value, with their `column`, and their matrices.

    Values alone make the order, so that neither names nor the order of rows decide anything.
    """
    counts = ["numerator", "denominator"]
    now[counts] = now[counts].where(now["interval_from"] == "counts")
    keys = ["upper", "lower", "denominator", "numerator", "value", "pair"]
    now = now.iloc[np.lexsort([now[name] for name in keys])].reset_index(drop=True)
    now["column"] = now.groupby("pair").cumcount()
    # the sum of its members' tokens tells one set of councils from another, in any order
    codes = pd.factorize(now["area"], sort=True)[0]
    now["token"] = np.random.default_rng(0).integers(1, 2**43, int(codes.max(initial=0)) + 1)[codes]
    shape = n_pairs, int(now["column"].max() if len(now) else 0) + 1
    panel = {name: np.full(shape, np.nan) for name in TABLES["panel"]}
    for name, matrix in panel.items():
        matrix[now["pair"], now["column"]] = now[name]
    return now, panel


def _measured(panel: Panel, pairs: Frame, overdispersion: bool) -> tuple[Frame, Panel]:
    """Position of each case among its peers, place in their spread, evidence and benchmark."""
    n_counted = (~np.isnan(panel["numerator"])).sum(axis=1)
    size = np.where(n_counted >= FEWEST_PEERS, np.nansum(panel["denominator"], axis=1), np.nan)
    has_counts = pairs["interval_from"] == "counts"
    counted = has_counts & (n_counted >= FEWEST_PEERS)
    compared = pairs["lower"].notna() & ((~np.isnan(panel["lower"])).sum(axis=1) >= FEWEST_PEERS)
    pooled = pairs["scale"] * np.nansum(panel["numerator"], axis=1) / size
    pairs = pairs.assign(n_counted=n_counted, pooled=pooled, who=np.nansum(panel["token"], axis=1))
    pairs["scale_of"] = first_text(pairs.index, [(counted, pairs["statistic"]), (compared, "mean")])
    pairs["is_small"] = small = has_counts & (pairs["numerator"] < spread.FEWEST_EVENTS)
    pairs = pairs.join(ranks.positions(panel, pairs))
    found, z = spread.places(panel, pairs, overdispersion=overdispersion)
    pairs = pairs.join(found).assign(gap=pairs["value"] - pairs["peer_median"])
    pairs["funnel_label"] = spread.labels(pairs["adjusted_z"], pairs["numerator"], pairs)
    # Our counts alone would make any difference from peers without counts or intervals a verdict.
    alone = has_counts & (pairs["scale_of"] == "")
    given = pairs[["lower", "upper"]].mask(alone)
    given = given.mask(small, pairs[["ci_lower", "ci_upper"]].set_axis(given.columns, axis=1))
    kinds = [(counted & ~small, "counts"), (given["lower"].notna(), "interval")]
    kinds += [(pairs["lower_limit"].notna(), "own_history")]
    pairs["evidence"] = first_text(pairs.index, kinds, "values_only")
    past, small = pairs["evidence"] == "own_history", small & given["lower"].notna()
    pairs["low"] = pairs["lower"].mask(small, given["lower"]).mask(past, pairs["lower_limit"])
    pairs["high"] = pairs["upper"].mask(small, given["upper"]).mask(past, pairs["upper_limit"])
    pairs["benchmark"] = pairs["peer_median"].mask(pairs["evidence"] == "counts", pairs["pooled"])
    return pairs, z


def _judged(pairs: Frame, rules: ComparisonRules) -> Frame:
    """Verdict, method and reason of every case."""
    level, overdispersion = rules.level / 100, rules.overdispersion
    counted = pairs["evidence"] == "counts"
    strict = with_intervals(pairs.drop(columns=["lower", "upper"]), level)
    # one unusual peer can pull the pooled value away from the rest: both benchmarks must agree
    benchmarks = pairs[["benchmark", "peer_median"]]
    above = pairs["low"].mask(counted, strict["lower"]) > benchmarks.max(axis=1)
    below = pairs["high"].mask(counted, strict["upper"]) < benchmarks.min(axis=1)
    side = (above.astype(int) - below.astype(int)).mask(pairs["evidence"] == "values_only", 0)
    tested = pairs["evidence"].isin(["counts", "interval"]) & (pairs["scale_of"] != "")
    apart = (side != 0) & tested & overdispersion
    ordinary = apart & ~(pairs["adjusted_z"] * side > spread.reach(pairs["freedom"], level))
    untested = (side != 0) & ~tested & overdispersion
    verdict, reason = sided(pairs, side, pairs["benchmark"]), _why_not(pairs)
    somewhat = (ordinary | untested) & (verdict != "similar")
    verdict = verdict.mask(somewhat, ranks.SOMEWHAT + verdict)
    verdict = verdict.mask(pairs["evidence"] == "values_only", "position_only")
    pairs["verdict"] = verdict.mask(reason != "", "cannot_judge")
    unusual = ordinary & ~pairs["funnel_label"].isin(["within", ""])
    usual = {"unusual": unusual, "ordinary": ordinary, "beyond": apart, "untested": untested}
    because = _why(pairs, side, level, usual)
    pairs["evidence"] = pairs["evidence"].mask(reason != "", "none")
    by_counts = pairs["statistic"].map({"proportion": "wilson", "rate": "byar"})
    method = pairs["evidence"].replace("values_only", "position")
    pairs["method"] = method.mask(pairs["evidence"] == "counts", by_counts)
    low, high = spread.limits(pairs, pairs[["size"]].to_numpy(float), level)[:, :, 0]
    return pairs.assign(reason=reason.mask(reason == "", because), limit_low=low, limit_high=high)


def _why_not(pairs: Frame) -> Column:
    """Say why a pair cannot be judged, in plain words; "" where it can."""
    found, members = pairs["n_peers"].astype(str), pairs["n_members"].astype(str)
    hidden = pairs["n_hidden"].fillna(0).astype(int)
    unfair = hidden > _SET.hidden_share * (hidden + pairs["n_peers"])
    few = "Only " + found + " of " + members + " similar councils have a value for the"
    reasons = [
        (pairs["newest"].isna(), "We have no value that can be used."),
        *undeclared(pairs),
        (pairs["data_type"] == "count", SENTENCES["authority_total"]),
        (pairs["is_circular"], SENTENCES["circular"]),
        (pairs["n_peers"] < FEWEST_PEERS, few + " same period; five are needed."),
        (unfair, hidden.map(SENTENCES["misleading"].format)),
    ]
    return first_text(pairs.index, reasons)


def _why(pairs: Frame, side: Column, level: float, spread: dict[str, Column]) -> Column:
    """Say what a verdict rests on, and what a reader must know about the figures.

    `side`: 1 where we lie above the benchmark, -1 below, 0 for neither; `spread`: which
    sentence says what the spread between peers makes of it.
    """
    published = (pairs["interval_from"] == "interval") | pairs["is_small"]
    whose = published.map({True: "published", False: "95 %"})
    own = pairs["n_own"].fillna(0).astype(int)
    silent = pairs["silent"].fillna("our own figures overlap")
    facts = zip(pairs["evidence"], side != 0, whose, own, silent, strict=True)
    tests = [_SET.because[by][apart].format(*told, level=100 * level) for by, apart, *told in facts]
    text = pd.Series(tests, pairs.index, dtype="str") + first_text(pairs.index, said(spread))
    months = (12 * pairs[name].dt.year + pairs[name].dt.month for name in ("newest_peer", "period"))
    notes = {
        "sampled": (pairs["evidence"] == "interval") & (pairs["interval_from"] == "sample"),
        "counts_differ": pairs["counts_differ"].eq(True),
        "small_count": pairs["is_small"],
        "older": pairs["period"] < pairs["newest"],
        "behind": next(months) - next(months) > _SET.oldest * 12 / pairs["periods_per_year"],
    }
    for name, applies in notes.items():
        text += first_text(pairs.index, said({name: applies}))
    return text


def _comparison_table(pairs: Frame) -> Frame:
    """A row an own series and peer set, in the columns that pages read."""
    # A total depends on the size of a council: neither an average nor a place means anything.
    totals = pairs["data_type"] == "count"
    blank = TABLES["not_of_totals"]
    pairs[blank] = pairs[blank].astype("float64").mask(totals)
    pairs[["quarter", "quintile"]] = pairs[["quarter", "quintile"]].mask(totals, 0)
    counts = ["peers_ahead", "n_hidden", *ranks.ROBUST]
    pairs[counts] = pairs[counts].fillna(0).astype(int)
    pairs = pairs.drop(columns=["lower", "upper"]).rename(columns={"low": "lower", "high": "upper"})
    return pairs[TABLES["comparisons"]].reset_index(drop=True)


def _peer_table(now: Frame, pairs: Frame, z: Panel, area: str) -> Frame:
    """List the compared peers and ourselves, with intervals from counts or as published.

    The label of each peer is by the limits that its set's funnel has.
    """
    of = pairs.iloc[now["pair"]].reset_index(drop=True)
    theirs = pd.Series(z["z"][now["pair"], now["column"]], now.index)
    label = spread.labels(theirs, now["numerator"], of)
    others = now.assign(area_name=now["member_name"], is_own=False, label=label)
    own = pairs.dropna(subset=["value"])
    own = own.assign(area=area, area_name="", is_own=True, label=own["funnel_label"])
    table = pd.concat([own, others])[TABLES["peers"]]
    order = [*PAIR, "is_own", "value", "area"]
    return table.sort_values(order, ascending=[True, True, False, False, True], ignore_index=True)


def _robustness_table(cases: Frame, beside: Frame) -> Frame:
    """List every comparison; `agrees` of the nearest k is with their own whole set."""
    same = beside.loc[beside["peer_set"] == beside["peer_set_other"], [*PAIR, "k", "agrees"]]
    table = cases[cases["data_type"] != "count"].merge(same, on=[*PAIR, "k"], how="left")
    return table.sort_values([*PAIR, "k"], ignore_index=True)[TABLES["robustness"]]
