"""What others reached, as a benchmark of targets: of the same part of the year where that matters.

A running total of a first quarter says nothing of what a third quarter could be, nor a summer of a
winter; so the level of the same part of a year before is taken, or none.
"""

import pandas as pd

from pmf_analysis.measures.arrays import PAIR, Frame, Texts, constants
from pmf_analysis.measures.frames import KnownCouncil
from pmf_analysis.measures.peers import hidden_peers, tidy_peer_sets, with_nation

_SET = constants("benchmarks")
HIDDEN_SHARE = constants("reasons").hidden_share  # of the peers, as in a comparison


def seasonal_series(trends: Frame, own: Frame) -> list[str]:
    """Own series whose figures go by the part of the year: seasonal ones and running totals."""
    seasonal = trends.loc[trends["shape"].isin(_SET.shapes), "series"]
    running = own.loc[own["accumulation"] == "ytd", "series"]
    return list(pd.concat([seasonal, running]).unique())


def benchmarks(comparisons: Frame, gaps: Frame, seasonal: Texts, council: KnownCouncil) -> Frame:
    """Levels that targets may be held against, newest first.

    Parameters
    ----------
    comparisons, gaps
        Result tables. What a comparison withholds, and so its median, is no benchmark.
    seasonal
        As `seasonal_series` gives them.

    Returns
    -------
    DataFrame
        Rows of `comparisons`, and of seasonal series those of the year before: series, indicator,
        peer_set, period, value (ours), peer_median and nation_value alone, unless too many peers
        were hidden then.
    """
    withheld = comparisons["verdict"] == "cannot_judge"
    now = comparisons.assign(**comparisons[_SET.of_peers].mask(withheld))
    asked = now.loc[now["series"].isin(seasonal) & ~withheld, [*PAIR, "indicator", "period"]]
    past = gaps[[*PAIR, "period", "value", "peer_median", "n_peers"]]
    past = past.merge(asked.rename(columns={"period": "newest"}), on=PAIR)
    days = (past["newest"] - past["period"]).dt.days
    past = past[(days > 0) & (days <= _SET.year)].drop(columns="newest")
    members, area = tidy_peer_sets(council.peer_sets, council.area), council.area
    fair = [past.head(0)]
    for _, part in past.groupby("period"):
        hidden = part.join(hidden_peers(council.panel, part, area, members), on=PAIR)["n_hidden"]
        hidden = hidden.fillna(0)
        fair.append(part[hidden <= HIDDEN_SHARE * (hidden + part["n_peers"])])
    earlier = pd.concat(fair).sort_values("period", ascending=False)
    earlier = earlier.assign(peer_min=float("nan"), peer_max=float("nan"))
    whole = council.panel[council.panel["dimension"] == ""]
    return pd.concat([now, with_nation(earlier, whole, council.register, area)], ignore_index=True)


def at_part(levels: Frame, rows: Frame, seasonal: Texts) -> Frame:
    """Find each row's level: the first of its series, of the part of the year that it is due.

    Parameters
    ----------
    levels
        series and period; newest first.
    rows
        series and due, NaT where nothing is due: then any part of the year will do.
    seasonal
        Series for which the part of the year matters.

    Returns
    -------
    DataFrame
        The columns of `levels`, with the index of `rows`; missing where there is none.
    """
    pairs = rows[["series", "due"]].rename_axis("row").reset_index().merge(levels, on="series")
    apart = pairs["series"].isin(seasonal) & pairs["due"].notna()
    apart &= pairs["due"].dt.month != pairs["period"].dt.month
    found: Frame = pairs[~apart].drop_duplicates("row").set_index("row")
    return found.drop(columns="due").reindex(rows.index)
