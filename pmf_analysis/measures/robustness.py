"""Whether a verdict holds with other peers: other sets, and the nearest 10 to 20 of one set."""

import numpy as np

from pmf_analysis.measures.arrays import PAIR, TABLES, Column, Frame, Places
from pmf_analysis.measures.ranks import Panel

NEAREST = range(10, 21)
ROBUST = ["robust_of", "robust_same", "robust_opposite"]
PLACE_ONLY = "position_only"
SOMEWHAT = "somewhat_"  # before better, worse, higher and lower
OPPOSITE = {"better": "worse", "worse": "better", "higher": "lower", "lower": "higher"}


def alternatives(panel: Panel, members: Column) -> list[tuple[int, Places, Panel]]:
    """Every k for which the k nearest of a set are fewer than all: k, its cases, their panel.

    `members`: members of each case's set. Sets without an order have no nearest.
    """
    ordered = ~np.isnan(panel["near"]).all(axis=1)
    found = []
    for k in NEAREST:
        cases = np.flatnonzero(ordered & (members.to_numpy() > k))
        if not len(cases):
            break
        near = panel["near"][cases]
        columns = np.sort(np.argsort(near, axis=1)[:, :k], axis=1)  # still in the order of values
        outside = ~(np.take_along_axis(near, columns, 1) <= k)
        chosen = {name: np.take_along_axis(m[cases], columns, 1) for name, m in panel.items()}
        for part in chosen.values():
            part[outside] = np.nan
        order = np.argsort(np.isnan(chosen["value"]), axis=1, kind="stable")
        chosen = {name: np.take_along_axis(part, order, 1) for name, part in chosen.items()}
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
    verdict, half, place = both["verdict_other"], both["half_other"], both["verdict"] == PLACE_ONLY
    agrees = (both["verdict"] == verdict).mask(place, both["half"] == half)
    opposes = (both["verdict"].map(OPPOSITE) == verdict).mask(place, both["half"] * half < 0)
    columns = [*PAIR, "peer_set_other", "k"]
    return both[columns].assign(agrees=agrees.astype(float), opposes=opposes.astype(float))


def counted(beside: Frame) -> Frame:
    """Number of other comparisons, of those that agree and of those opposed; by pair."""
    sums = beside.groupby(PAIR)[["agrees", "opposes"]].agg(["size", "sum"])
    return sums.iloc[:, [0, 1, 3]].set_axis(ROBUST, axis=1)
