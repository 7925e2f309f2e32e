"""Whether the gap between an authority and its peers closes, and what pace would close it."""

import numpy as np
import pandas as pd

from pmf_analysis.measures.arrays import Column, Floats, Frame, Places
from pmf_analysis.measures.history import OVERLAPPING, complete_periods, independent_points
from pmf_analysis.measures.peers import PAIR
from pmf_analysis.measures.polarity import SIGNS, first_text
from pmf_analysis.measures.short_series import mann_kendall
from pmf_analysis.measures.spc import LIMITS, spc_chart

FEWEST = 5  # points from which the gap is tested at all
CHART_FROM = 13  # points from which control-chart rules replace the Mann-Kendall test
CURRENT_PRICES = "A gap in money of each year's prices changes with prices alone."
ROUNDING = 1e-9  # relative; so that an improvement of exactly what is needed counts


def gap_verdicts(gaps: Frame, pairs: Frame) -> Frame:
    """Judge the gap of every series and peer set as a series of its own.

    Parameters
    ----------
    gaps
        series, peer_set, period, gap (own value minus the peers' median; NaN in periods without
        enough peers). Of pairs with rows made from a predecessor council's counts (`is_as_if`)
        only what follows the newest of those is tested: the boundary moved there. Rows whose own
        denominator is off (`is_off`) are drawn and not tested.
    pairs
        One row a series and peer set: accumulation, periods_per_year, span_years, price_basis. Of
        overlapping windows only those that share no data are used; money in current prices is not
        tested over time.

    Returns
    -------
    DataFrame
        series, peer_set, gap_verdict (closing, widening, steady, cannot_judge), gap_reason. A gap
        closes when it moves towards zero by more than chance explains. One that went through zero
        closes if it is now smaller than it usually was, and widens if it is larger.
    """
    table = pairs[PAIR].reset_index(drop=True)
    key = table["series"] + "\n" + table["peer_set"]
    tested = _tested_points(gaps, pairs)
    known = tested.dropna().sort_values("period").groupby("series")["value"]
    n = known.size()
    # Without any pair the maps are empty text.
    found = _movement(tested, n), known.last(), known.median()
    moved, level, usual = (key.map(of_series).astype("float64") for of_series in found)
    away: Column = moved * np.sign(level)
    away = away.where(level * usual >= 0, moved.abs() * np.sign(level.abs() - usual.abs()))
    points = key.map(n).fillna(0).astype(int)
    current, enough = _in_current_prices(pairs), points >= FEWEST
    verdicts = [(~enough, "cannot_judge"), (away > 0, "widening"), (away < 0, "closing")]
    few = "Only " + points.astype(str) + " separate periods can be compared; five are needed."
    test = (points >= CHART_FROM).map({True: "control-chart rules", False: "a Mann-Kendall test"})
    judged = "Judged by " + test + " on " + points.astype(str) + " gaps."
    reasons = [(current, CURRENT_PRICES), (~enough, few), (enough, judged)]
    verdict = first_text(table.index, verdicts, "steady")
    return table.assign(gap_verdict=verdict, gap_reason=first_text(table.index, reasons))


def gap_chart(gaps: Frame, pairs: Frame) -> Frame:
    """Give every gap the limits of its own control chart, so that the gap can be drawn as tested.

    Parameters are those of `gap_verdicts`. Added are mean, lower_limit, upper_limit and rule (of
    `spc.spc_chart`). They are NaN and "none" for pairs with fewer than 13 separate gaps, and for
    rows before the first tested one; a window that overlaps a tested one has limits and no rule.
    """
    tested = _tested_points(gaps, pairs)
    n = tested.groupby("series")["value"].count()
    points = spc_chart(tested[tested["series"].map(n).to_numpy(float) >= CHART_FROM]).points
    key = (gaps["series"] + "\n" + gaps["peer_set"]).astype("str")
    chart = points.groupby("series").agg({**dict.fromkeys(LIMITS, "last"), "period": "min"})
    limits = chart.reindex(key).set_axis(gaps.index)
    inside = (gaps["period"] >= limits["period"]) & gaps["gap"].notna()
    rules = points.rename(columns={"series": "key"})[["key", "period", "rule"]]
    found = gaps[["period"]].assign(key=key).merge(rules, how="left")["rule"]
    shown = limits[LIMITS].astype("float64").where(inside, axis=0)
    rule = found.set_axis(gaps.index).fillna("none").astype("str")
    return gaps.drop(columns="is_off", errors="ignore").join(shown).assign(rule=rule)


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
    asked = np.where(_in_current_prices(pairs), np.nan, behind)
    pair = pd.MultiIndex.from_frame(table).get_indexer(pd.MultiIndex.from_frame(rows[PAIR]))
    known = (pair >= 0) & ~np.isnan(asked[pair])
    rows, pair = rows.loc[known], pair[known]
    # ourselves as number 0 of each pair, then the peers
    who = np.concatenate([np.zeros(len(rows), int), 1 + pd.factorize(rows["area"])[0]])
    size = int(who.max(initial=0)) + 1
    month = np.tile(rows["period"].to_numpy("datetime64[M]").astype(np.int64), 2)
    value = rows[["own_value", "value"]].to_numpy(float).T.ravel()
    one, change = _span_changes(np.tile(pair, 2) * size + who, month, value, 12 * years)
    enough = change * sign[one // size] >= asked[one // size] * (1 - ROUNDING)
    kept = pd.Series(enough, index=one).groupby(level=0).any().astype(float)
    numbers = kept.index.to_numpy() // size
    own = kept.index % size == 0
    peers = kept[~own].groupby(numbers[~own]).agg(["size", "sum"]).reindex(table.index)
    peers = peers.astype(float).fillna(0.0)
    peers[np.isnan(asked)] = np.nan
    ours = kept[own].set_axis(numbers[own]).reindex(table.index)
    table = table.assign(close_years=years, close_pace=sign * behind / years)
    return table.assign(peers_tested=peers["size"], peers_kept=peers["sum"], own_kept=ours)


def _span_changes(one: Places, month: Places, value: Floats, months: int) -> tuple[Places, Floats]:
    """Whose, and change, of every span of so many months between two values of the same one."""
    month = month - month.min(initial=0)
    width = int(month.max(initial=0)) + months + 1
    place, first = np.unique(one * width + month, return_index=True)
    later = np.searchsorted(place, place + months)
    found = np.flatnonzero(np.append(place, -1)[later] == place + months)
    start, end = first[found], first[later[found]]
    return one[start], value[end] - value[start]


def _in_current_prices(pairs: Frame) -> Column:
    return (pairs["price_basis"] == "current").reset_index(drop=True)


def _tested_points(gaps: Frame, pairs: Frame) -> Frame:
    """List series (a key of the pair), period and value (the gap; NaN in periods left out)."""
    names = ["accumulation", "periods_per_year", "span_years", "price_basis"]
    known = gaps.join(pairs.set_index(PAIR)[names], on=PAIR)
    known = known.assign(series=known["series"] + "\n" + known["peer_set"], value=known["gap"])
    known = known[known["price_basis"] != "current"]
    marks = known.reindex(columns=["is_as_if", "is_off"]).eq(True)
    broken = known["period"].where(marks["is_as_if"]).groupby(known["series"]).transform("max")
    known = known[~(known["period"] <= broken) & ~marks["is_off"]]
    overlapping = known["accumulation"].isin(OVERLAPPING)
    kept = pd.concat([independent_points(known[overlapping]), known[~overlapping]])
    length = (12 / known["periods_per_year"]).mask(overlapping, 12 * known["span_years"])
    return complete_periods(kept[["series", "period", "value"]], length[kept.index])


def _movement(tested: Frame, n: Column) -> Column:
    """Give 1 where the gap's value rises, -1 where it falls, 0 where chance explains it."""
    is_long = tested["series"].map(n).to_numpy(float) >= CHART_FROM
    short = mann_kendall(tested[~is_long]).set_index("series")["direction"]
    moved = short.map({"increasing": 1, "decreasing": -1}).fillna(0)
    points = spc_chart(tested[is_long]).points.dropna(subset=["value"])
    flagged: Column = points.groupby("series")["direction"].last()
    both: Column = pd.concat([moved, flagged])
    return both
