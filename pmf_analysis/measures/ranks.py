"""Where a value stands among its peers, how far chance could move it, and with which it holds.

A panel is a set of matrices, a row a case (an own series in a peer set) and a column a peer, in
the order of the peers' values, NaN behind the last; so no name of a peer decides anything.
A verdict is held against other sets, and against the nearest 10 to 20 of one set.
"""

import numpy as np
import pandas as pd
from numpy.typing import ArrayLike

from pmf_analysis.measures import arrays
from pmf_analysis.measures.arrays import FEWEST_PEERS, PAIR, TABLES, Column, Floats, Frame, Places
from pmf_analysis.measures.polarity import band_distance

Panel = dict[str, Floats]

_SET = arrays.constants("ranks")

ROBUST = ["robust_of", "robust_same", "robust_opposite"]
SOMEWHAT = "somewhat_"  # before better, worse, higher and lower


def quantile_group(rank: ArrayLike, of: ArrayLike, groups: int = 4) -> Places:
    """Quantile (1 holds rank 1) of ranks whose ties share the better rank: no tie is split.

    The rule of PHEindicatormethods' phe_quantile, in whole numbers so that no rounding decides.
    0 where there are fewer ranks than groups, or fewer than five.
    """
    place, n = np.broadcast_arrays(np.asarray(rank, float), np.asarray(of, float))
    known = (n >= max(groups, FEWEST_PEERS)) & ~np.isnan(place)
    group = groups + 1 - np.ceil((n + 1 - np.where(known, place, 1)) * groups / np.maximum(n, 1))
    return np.where(known, group, 0).astype(np.intp)


def advantage(peer: Floats, own: Floats, polarity: ArrayLike, *band: ArrayLike) -> Floats:
    """How much better a peer is than we are, in the unit of the value.

    With polarity "range" by the distance to the band; by value, high first, where no way is better.
    """
    (low, high), way = np.asarray(band, float), np.asarray(polarity)
    plain = np.where(way == "lower", -1.0, 1.0) * (peer - own)
    nearer = band_distance(own, low, high) - band_distance(peer, low, high)
    return np.where((way == "range") & ~np.isnan(low + high), nearer, plain)


def ordered_quantile(ordered: Floats, share: float) -> Floats:
    """Quantile of each row, by straight lines between values; rows ascend and end in NaN."""
    last = np.maximum((~np.isnan(ordered)).sum(axis=1) - 1, 0) * share
    below = np.floor(last).astype(int)
    rows = np.arange(len(ordered))
    low, high = ordered[rows, below], ordered[rows, np.ceil(last).astype(int)]
    return np.asarray(low + (high - low) * (last - below))


def positions(panel: Panel, own: Frame) -> Frame:
    """Quartiles, mean, rank, percentile and distance from the median of each case.

    Parameters
    ----------
    panel
        Matrix `value`.
    own
        A row a case: value, polarity, target_low, target_high.

    Returns
    -------
    DataFrame
        n_peers, peer_min, peer_q1, peer_median, peer_q3, peer_max, peer_mean, rank (1 = best,
        equal values share the better rank; highest first without polarity or band), rank_high
        (1 = highest, whatever is better), n_level (peers with the same rank), rank_of,
        percentile (share of peers that are worse, ties by half, 0 to 100), mad_distance (distance
        from the median in median absolute deviations, unscaled as Oflog has it; NaN if those are
        0), quarter (1 beyond the better quartile, 4 beyond the worse, 2 and 3 inside; 0 unknown),
        quintile (by `quantile_group`; 1 = best; 0 where equal values fill a whole one). NaN with
        fewer than five peers.
    """
    peers, value = panel["value"], own["value"].to_numpy(float)
    n = (~np.isnan(peers)).sum(axis=1)
    edges = own[["polarity", "target_low", "target_high"]].to_numpy(object).T[:, :, None]
    ahead = advantage(peers, value[:, None], *edges)
    better, level = (ahead > 0).sum(axis=1), (ahead == 0).sum(axis=1)
    known, higher = np.where(n, n, np.nan), (peers > value[:, None]).sum(axis=1)
    columns = {name: ordered_quantile(peers, i / 4) for i, name in enumerate(_SET.quartiles)}
    columns |= {"peer_mean": np.nansum(peers, axis=1) / known, "rank": 1.0 + better}
    columns |= {"rank_high": 1.0 + higher, "n_level": level, "rank_of": n + 1.0}
    columns |= {"percentile": 100 * (n - better - level / 2) / known}
    table = pd.DataFrame(columns, own.index)
    median = table["peer_median"].to_numpy()
    mad = ordered_quantile(np.sort(np.abs(peers - median[:, None]), axis=1), 0.5)
    table["mad_distance"] = (value - median) / np.where(mad > 0, mad, np.nan)
    shown: Frame = table.loc[n >= FEWEST_PEERS].reindex(own.index)
    # Many at one end, such as half at nought, share a rank that would put them in the middle.
    quintile, last = (quantile_group(shown["rank"] + k, n + 1, 5) for k in (0, shown["n_level"]))
    quintile = np.where(last - quintile > 1, 0, quintile)
    return shown.assign(quarter=_quarter(shown, own), quintile=quintile, n_peers=n)


def _quarter(shown: Frame, own: Frame) -> Column:
    """Quarter by the quartiles that are printed; of a range that is best, by the percentile."""
    above, below = own["value"] > shown["peer_q3"], own["value"] < shown["peer_q1"]
    lower, band = own["polarity"] == "lower", own["polarity"] == "range"
    best = above.where(~lower, below).where(~band, shown["percentile"] > 75)
    worst = below.where(~lower, above).where(~band, shown["percentile"] < 25)
    inside = (shown["percentile"] >= 50).map({True: 2, False: 3})
    return inside.mask(best, 1).mask(worst, 4).where(shown["rank"].notna(), 0)


def rank_range(panel: Panel, own: Frame) -> Frame:
    """Ranks (rank_best, rank_worst) that hold 95 % of what sampling error makes of our rank.

    Every value is drawn again 1,000 times from two half normals that meet its own 95 % interval,
    so that the long side of a small count stays long. Peers without an interval stay where they
    are. NaN where we, or all but four peers, have none. The rank itself always lies in the range.

    Parameters
    ----------
    panel
        Matrices value, lower, upper.
    own
        A row a case: value, lower, upper, polarity, target_low, target_high and `positions`.

    Notes
    -----
    Goldstein and Spiegelhalter (1996), "League tables and their limitations".
    """
    down, up = _spreads(panel["value"], panel["lower"], panel["upper"])
    own_value = own["value"].to_numpy(float)
    own_down, own_up = _spreads(own_value, *own[["lower", "upper"]].to_numpy(float).T)
    known = ~np.isnan(own_up) & ((~np.isnan(up)).sum(axis=1) >= FEWEST_PEERS)
    down, up = np.nan_to_num(down), np.nan_to_num(up)
    normal = np.random.default_rng(_SET.seed).standard_normal((up.shape[1] + 1, _SET.draws))
    plus, minus = np.maximum(normal, 0), np.minimum(normal, 0)
    edges = own[["polarity", "target_low", "target_high"]].to_numpy(object)
    found = np.full((len(own), 2), np.nan)
    for i in np.flatnonzero(known):
        n = int((~np.isnan(panel["value"][i])).sum())
        columns = slice(1, n + 1)
        drawn = panel["value"][i, :n, None] + up[i, :n, None] * plus[columns]
        drawn += down[i, :n, None] * minus[columns]
        ours = own_value[i] + own_up[i] * plus[0] + own_down[i] * minus[0]
        ranks = np.sort(1 + (advantage(drawn, ours, *edges[i]) > 0).sum(axis=0))
        found[i] = ranks[_SET.tail], ranks[-_SET.tail - 1]
    rank = own["rank"].to_numpy(float)
    found[:, 0] = np.minimum(found[:, 0], rank)
    found[:, 1] = np.maximum(found[:, 1], rank + own["n_level"].to_numpy(float))
    return pd.DataFrame(found, own.index, ["rank_best", "rank_worst"])


def _spreads(value: Floats, lower: Floats, upper: Floats) -> tuple[Floats, Floats]:
    """Standard deviations below and above each value; never 0 where there is an interval."""
    least = 1e-9 * (upper - lower)  # so that two values of 0 are not level in every draw
    below, above = np.maximum(value - lower, least), np.maximum(upper - value, least)
    return below / _SET.normal_95, above / _SET.normal_95


def alternatives(panel: Panel, members: Column) -> list[tuple[int, Places, Panel]]:
    """Every k for which the k nearest of a set are fewer than all: k, its cases, their panel.

    `members`: members of each case's set. Sets without an order have no nearest.
    """
    ordered = ~np.isnan(panel["near"]).all(axis=1)
    found = []
    for k in _SET.nearest:
        cases = np.flatnonzero(ordered & (members.to_numpy() > k))
        if not len(cases):
            break
        outside = ~(panel["near"][cases] <= k)
        columns = np.argsort(outside, axis=1, kind="stable")[:, :k]  # still in the order of values
        known = {name: np.where(outside, np.nan, m[cases]) for name, m in panel.items()}
        chosen = {name: np.take_along_axis(m, columns, 1) for name, m in known.items()}
        found.append((k, cases, chosen))
    return found


def agreement(cases: Frame, chosen: Frame) -> Frame:
    """Put every comparison that was judged beside each chosen one of the same series and period.

    Parameters
    ----------
    cases, chosen
        series, peer_set, k (0: the whole set), period, verdict, percentile, who (a number for the
        councils that were compared: the same councils are counted once).

    Returns
    -------
    DataFrame
        series, peer_set (of the chosen), peer_set_other, k, agrees (1 on the same side, as better
        and somewhat better are, or both similar; for a place only: in the same half of the
        ranking), opposes (better against worse, higher against lower; the other half). Without
        the chosen one itself.
    """
    judged = cases.loc[cases["verdict"] != "cannot_judge", TABLES["cases"]]
    side = judged["verdict"].str.removeprefix(SOMEWHAT)
    judged = judged.assign(verdict=side, half=np.sign(judged["percentile"] - 50))
    chosen = judged.merge(chosen[[*PAIR, "k"]]).drop(columns="k")
    both = chosen.merge(judged, on=["series", "period"], suffixes=("", "_other"))
    both = both[both["who"] != both["who_other"]].sort_values([*PAIR, "peer_set_other", "k"])
    both = both.drop_duplicates([*PAIR, "who_other"])
    verdict, half, place = both["verdict_other"], both["half_other"], both["verdict"] == _SET.place
    agrees = (both["verdict"] == verdict).mask(place, both["half"] == half)
    opposes = (both["verdict"].map(_SET.opposite) == verdict).mask(place, both["half"] * half < 0)
    columns = [*PAIR, "peer_set_other", "k"]
    return both[columns].assign(agrees=agrees.astype(float), opposes=opposes.astype(float))


def counted(beside: Frame) -> Frame:
    """Number of other comparisons, of those that agree and of those opposed; by pair."""
    sums = beside.groupby(PAIR)[["agrees", "opposes"]].agg(["size", "sum"])
    return sums.iloc[:, [0, 1, 3]].set_axis(ROBUST, axis=1)
