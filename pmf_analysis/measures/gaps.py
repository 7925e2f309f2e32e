"""Whether the gap between an authority and its peers closes, and what pace would close it."""

import numpy as np
import pandas as pd

from pmf_analysis.measures.arrays import LIMITS, PAIR, SENTENCES, TABLES, Frame
from pmf_analysis.measures.polarity import SIGNS, first_text, said
from pmf_analysis.measures.short_series import mann_kendall
from pmf_analysis.measures.trend import DIRECTIONS, trend_verdicts
from pmf_analysis.periods import PERIODS_PER_YEAR

ROUNDING = 1e-9  # relative; so that an improvement of exactly what is needed counts
YEAR = pd.Timedelta(days=366)


def gap_trends(gaps: Frame, pairs: Frame, register: Frame) -> tuple[Frame, Frame]:
    """Judge the gap of every pair as any series is: by its shape, seasons and dependence.

    Parameters
    ----------
    gaps
        series, peer_set, period, value, peer_median, gap. Of pairs with rows made from a
        predecessor council's counts (`is_as_if`) only what follows the newest of those is tested:
        the boundary moved there. Rows whose own denominator is off (`is_off`) are not tested.
    pairs
        series, peer_set, indicator of the pairs to judge.
    register
        One row an indicator.

    Returns
    -------
    verdicts
        series, peer_set, gap_verdict (closing, widening, crossed, steady, cannot_judge),
        gap_reason, gap_since (first period tested), own_moved and peers_moved (change of our value
        and of the median from the first year tested to the last, in means of a year). A gap closes
        when it has moved towards zero by more than chance explains, within the last year or all
        along; crossed: it moved and is now on the other side of zero than it usually was.
    gaps
        With mean, lower_limit, upper_limit, rule and direction of the gap's own chart; NaN, "none"
        and 0 where there is none.
    """
    tested = _tested(gaps.merge(pairs[[*PAIR, "indicator"]], on=PAIR))
    gaps = gaps.drop(columns=["is_off", "accumulation"], errors="ignore")
    if tested.empty:
        drawn = gaps.reindex(columns=[*gaps.columns, *LIMITS, "rule", "direction"])
        return pd.DataFrame(columns=TABLES["moved"]), drawn
    named = tested["series"] + "\n" + tested["peer_set"]
    declared = register.set_index("indicator").reindex(tested["indicator"].to_numpy())
    declared = declared.reset_index(drop=True).assign(polarity="none", statistic="")
    declared = declared.assign(indicator=named).drop_duplicates("indicator")
    names = tested.columns.intersection(["period", "is_exceptional", "accumulation"])
    rows = tested[names].assign(series=named, indicator=named, area="")
    trends, points = trend_verdicts(rows.assign(value=tested["gap"]), declared)
    trends = trends.set_index("series").join(_marked(points))
    moved = _moved(tested.assign(key=named), trends, declared)
    table = moved.reset_index(names="key")
    table[PAIR] = table.pop("key").str.split("\n", expand=True)
    points[PAIR] = points["series"].str.split("\n", expand=True)
    chart = points[[*PAIR, "period", *LIMITS, "rule", "direction"]]
    drawn = gaps.merge(chart, on=[*PAIR, "period"], how="left")
    return table, drawn.fillna({"rule": "none", "direction": 0})


def _tested(gaps: Frame) -> Frame:
    """Rows that may be tested, in order of time; those to be left out are exceptional."""
    marks = gaps.reindex(columns=["is_as_if", "is_off"]).eq(True)
    as_if = gaps["period"].where(marks["is_as_if"])
    broken = as_if.groupby([gaps[name] for name in PAIR]).transform("max")
    kept = gaps[~(gaps["period"] <= broken)].assign(is_exceptional=marks["is_off"])
    return kept.sort_values([*PAIR, "period"], ignore_index=True)


def _marked(points: Frame) -> Frame:
    """First and number of the gaps that a rule marks as the newest is, without a break before it.

    The newest gap may break a limit within a run that began long before: then it is not alone.
    """
    ordered = points.sort_values(["series", "period"])
    newest = ordered.groupby("series")["direction"].transform("last")
    ended = ordered["period"].where((ordered["direction"] != newest) | (newest == 0))
    last = ended.groupby(ordered["series"]).transform("max")
    run = ordered[~(ordered["period"] <= last)].groupby("series")["period"]
    return pd.DataFrame({"marked_from": run.min(), "marked": run.size()})


def _moved(tested: Frame, trends: Frame, declared: Frame) -> Frame:
    """Verdict, reason and who moved; by the key of the pair."""
    groups = tested.groupby("key")
    level, usual = np.sign(groups["gap"].last()), np.sign(groups["gap"].median())
    sign = trends["verdict"].map({"rising": 1, "falling": -1}).astype(float).fillna(0)
    is_chart = trends["method"] == "xmr"
    alone = is_chart & (trends["rule"] == "outside_limits") & (trends["marked"] == 1)
    held = is_chart & (sign != 0) & (trends["marked_from"] < groups["period"].last() - YEAR)
    # a run of more than a year that still goes the same way has not held
    since = tested[tested["period"] >= tested["key"].map(trends["marked_from"])]
    run = mann_kendall(since.assign(series=since["key"], value=since["gap"])).set_index("series")
    held &= ~(run["direction"].map(DIRECTIONS).reindex(sign.index).astype(float) * sign > 0)
    sign = sign.mask(alone | held, 0)
    crossed = (sign != 0) & (level * usual < 0)
    words = [(trends["verdict"] == "cannot_judge", "cannot_judge"), (crossed, "crossed")]
    words += [(sign * level > 0, "widening"), (sign * level < 0, "closing")]
    verdict = first_text(trends.index, words, "steady")
    test = trends["method"].map(SENTENCES).fillna("its own figures")
    judged = "Judged by " + test + " on " + trends["n"].astype(str) + " gaps."
    judged += first_text(trends.index, said({"gap_alone": alone, "gap_held": held}))
    # a year of figures at either end, so that no season speaks
    place, size = groups.cumcount(), groups["gap"].transform("size")
    rates = declared.set_index("indicator")["frequency"].map(PERIODS_PER_YEAR).astype(float)
    year = tested["key"].map(rates).fillna(1).round().clip(lower=1)
    values, by_key = tested[["value", "peer_median"]], tested["key"]
    ends = [values[part].groupby(by_key).mean() for part in (size - place <= year, place < year)]
    change = (ends[0] - ends[1]).reindex(trends.index)
    reason = trends["reason"].mask(verdict != "cannot_judge", judged)
    columns = [verdict, reason, groups["period"].first(), change["value"], change["peer_median"]]
    return pd.concat(columns, axis=1, keys=TABLES["moved"][2:])


def closing_pace(rows: Frame, pairs: Frame, *, years: int) -> Frame:
    """Say what pace would close each gap, and who ever kept such a pace for as long.

    The best of several spans of a noisy record overstates what was kept: a lucky end after an
    unlucky start looks like improvement. So a pace that nobody kept is hard evidence, and a pace
    that some kept is only a hint whom to ask. Peers may also move on while we catch up.

    Parameters
    ----------
    rows
        `peers.peer_rows`: series, peer_set, area, period, value, own_value; each peer's value at
        every period where we have one.
    pairs
        One row a series and peer set: value, peer_median, polarity, data_type, price_basis.
    years
        Years in which the gap would close.

    Returns
    -------
    DataFrame
        series, peer_set, close_years, close_pace (change a year that would bring us to the peers'
        present median if they stand still; NaN unless higher or lower is better, we are on the
        other side, and the value is no total), peers_tested (peers with two values `years` years
        apart, at the same time of year so that seasons cancel), peers_kept (those of them that
        improved at least as much in any such span), own_kept (the same of ourselves: 1, 0, or NaN
        without such a span). Without a pace, or in current prices, the last three are NaN.
    """
    table = pairs[PAIR].reset_index(drop=True)
    sign = pairs["polarity"].map(SIGNS).to_numpy(float)
    behind = sign * (pairs["peer_median"] - pairs["value"]).to_numpy(float)
    behind[~(behind > 0) | (pairs["data_type"] == "count").to_numpy()] = np.nan
    asked = np.where(pairs["price_basis"] == "current", np.nan, behind)
    pair = pd.MultiIndex.from_frame(table).get_indexer(pd.MultiIndex.from_frame(rows[PAIR]))
    known = (pair >= 0) & ~np.isnan(asked[pair])
    rows, pair = rows.loc[known], pair[known]
    month = rows["period"].to_numpy("datetime64[M]").astype(np.int64)
    # ourselves as number 0 of each pair, then the peers
    ours = {"pair": pair, "who": 0, "month": month, "value": rows["own_value"]}
    theirs = ours | {"who": 1 + pd.factorize(rows["area"])[0], "value": rows["value"]}
    keys = ["pair", "who", "month"]
    each = pd.concat([pd.DataFrame(ours), pd.DataFrame(theirs)]).drop_duplicates(keys)
    later = each.assign(month=each["month"] - 12 * years)
    spans = each.merge(later, on=keys, suffixes=("", "_later"))
    change, of = spans["value_later"] - spans["value"], spans["pair"]
    enough = change * sign[of] >= asked[of] * (1 - ROUNDING)
    kept = enough.groupby([of, spans["who"]]).any().astype(float)
    is_own = kept.index.get_level_values("who") == 0
    peers = kept[~is_own].groupby("pair").agg(["size", "sum"]).reindex(table.index).astype(float)
    peers = peers.fillna(0.0)
    peers[np.isnan(asked)] = np.nan
    own = kept[is_own].droplevel("who").reindex(table.index)
    table = table.assign(close_years=years, close_pace=sign * behind / years)
    return table.assign(peers_tested=peers["size"], peers_kept=peers["sum"], own_kept=own)
