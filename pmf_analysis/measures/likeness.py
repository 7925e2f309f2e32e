"""Councils that are most like ours in characteristics that the user chooses."""

from collections.abc import Collection, Sequence

import numpy as np
import pandas as pd

from pmf_analysis.measures.arrays import Frame
from pmf_analysis.measures.frames import is_aggregate

COLUMNS = ["member", "member_name", "rank", "distance"]
SCALE = 1.4826  # of a median absolute deviation, so that it estimates a standard deviation
LARGEST = 3.0  # robust standard deviations; beyond, an outlier is as far as it gets
MOST_UNKNOWN = 0.25  # share of characteristics a council may lack


def nearest_councils(
    observations: Frame,
    area: str,
    characteristics: Sequence[str],
    *,
    size: int = 15,
    among: Collection[str] | None = None,
) -> Frame:
    """Rank councils by distance from ours over several characteristics.

    Each characteristic is taken at the newest period in which we, and more than half of the
    councils that ever have it, have a value. It is standardised by median and median absolute
    deviation (times 1.4826; standard deviation where that is 0) and cut at three, so that one
    extreme council, such as the City of London, does not decide how alike the others are. The
    distance is Euclidean, divided by the root of the number of characteristics that both have; all
    count alike; one that is the same everywhere does not count. CIPFA and ONS do much the same with
    other characteristics.

    Parameters
    ----------
    observations
        Main frame of measures, all areas; later periods than the day of the set left out.
    characteristics
        Indicators; totals over all dimensions are used.
    among
        Areas to choose from; every council by default (never sums over councils).

    Returns
    -------
    DataFrame
        member, member_name, rank, distance, nearest first, then by area code; without ourselves
        and councils that lack more than a quarter of the characteristics. Empty where we do.
    """
    rows = observations[observations["indicator"].isin(list(characteristics))]
    rows = rows[(rows["dimension"] == "") & ~is_aggregate(rows["area"])].dropna(subset=["value"])
    rows = rows[rows["area"].isin([area, *(rows["area"] if among is None else among)])]
    rows = rows.sort_values("series").drop_duplicates(["indicator", "area", "period"], keep="last")
    at = rows.assign(ours=rows["area"] == area).groupby(["indicator", "period"])["ours"]
    found = at.agg(["size", "any"]).reset_index()
    ever = found["indicator"].map(rows.groupby("indicator")["area"].nunique()).astype(float)
    shared = found[found["any"] & (2 * found["size"] > ever)]
    newest = shared.groupby("indicator")["period"].max().reset_index()
    values = rows.merge(newest).pivot(index="area", columns="indicator", values="value")
    values = values.reindex(columns=pd.unique(pd.Series(list(characteristics))))
    values = values.loc[:, values.isna().all() | (values.nunique() > 1)]
    values = values[values.isna().mean(axis=1) <= MOST_UNKNOWN]
    if area not in values.index:
        return pd.DataFrame(columns=COLUMNS)
    apart = values - values.median()
    scale = SCALE * apart.abs().median()
    likeness = (apart / scale.where(scale > 0, values.std())).clip(-LARGEST, LARGEST)
    distance = ((likeness - likeness.loc[area]) ** 2).mean(axis=1) ** 0.5
    names = rows.drop_duplicates("area", keep="last").set_index("area")["area_name"]
    table = distance.drop(area).rename_axis("member").reset_index(name="distance")
    table = table.sort_values(["distance", "member"], ignore_index=True).head(size)
    table["rank"] = np.arange(1, len(table) + 1)
    return table.assign(member_name=table["member"].map(names))[COLUMNS]
