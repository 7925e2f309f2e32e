"""Whether the gap between an authority and its peers closes, widens or holds."""

import numpy as np
import pandas as pd

from pmf_analysis.measures.history import OVERLAPPING, complete_periods, independent_points
from pmf_analysis.measures.peers import PAIR
from pmf_analysis.measures.polarity import first_text
from pmf_analysis.measures.short_series import mann_kendall
from pmf_analysis.measures.spc import spc_chart

FEWEST = 5  # points from which the gap is tested at all
CHART_FROM = 13  # points from which control-chart rules replace the Mann-Kendall test


def gap_verdicts(gaps: pd.DataFrame, pairs: pd.DataFrame) -> pd.DataFrame:
    """Judge the gap of every series and peer set as a series of its own.

    Parameters
    ----------
    gaps
        series, peer_set, period, gap (own value minus the peers' median); only periods with
        enough peers.
    pairs
        One row a series and peer set: accumulation, periods_per_year, span_years. Of overlapping
        windows only those that share no data are used.

    Returns
    -------
    DataFrame
        series, peer_set, gap_verdict (closing, widening, steady, cannot_judge), gap_reason. A gap
        closes when it moves significantly towards zero from where it is now.
    """
    table = pairs[PAIR].reset_index(drop=True)
    table["key"] = table["series"] + "\n" + table["peer_set"]
    tested = _tested_points(gaps, pairs)
    n = tested.groupby("series")["value"].count()
    latest = tested.dropna().sort_values("period").groupby("series")["value"].last()
    # Without any pair the maps are empty text.
    moved = table["key"].map(_movement(tested, n)).astype("float64")
    level = table["key"].map(latest).astype("float64")
    away: pd.Series = moved * np.sign(level)
    points = table["key"].map(n).fillna(0).astype(int)
    enough = points >= FEWEST
    verdicts = [(~enough, "cannot_judge"), (away > 0, "widening"), (away < 0, "closing")]
    table["gap_verdict"] = first_text(table.index, verdicts, "steady")
    few = "Only " + points.astype(str) + " separate periods can be compared; five are needed."
    test = (points >= CHART_FROM).map({True: "control-chart rules", False: "a Mann-Kendall test"})
    judged = "Judged by " + test + " on " + points.astype(str) + " gaps."
    table["gap_reason"] = judged.where(enough, few)
    return table.drop(columns="key")


def _tested_points(gaps: pd.DataFrame, pairs: pd.DataFrame) -> pd.DataFrame:
    """List series (a key of the pair), period and value (the gap; NaN in periods left out)."""
    settings = pairs.set_index(PAIR)[["accumulation", "periods_per_year", "span_years"]]
    known = gaps.join(settings, on=PAIR)
    known = known.assign(series=known["series"] + "\n" + known["peer_set"], value=known["gap"])
    overlapping = known["accumulation"].isin(OVERLAPPING)
    kept = pd.concat([independent_points(known[overlapping]), known[~overlapping]])
    length = (12 / known["periods_per_year"]).mask(overlapping, 12 * known["span_years"])
    return complete_periods(kept[["series", "period", "value"]], length[kept.index])


def _movement(tested: pd.DataFrame, n: pd.Series) -> pd.Series:
    """Give 1 where the gap's value rises, -1 where it falls, 0 where chance explains it."""
    is_long = tested["series"].map(n).to_numpy(float) >= CHART_FROM
    short = mann_kendall(tested[~is_long]).set_index("series")["direction"]
    moved = short.map({"increasing": 1, "decreasing": -1}).fillna(0)
    points = spc_chart(tested[is_long]).points.dropna(subset=["value"])
    flagged: pd.Series = points.groupby("series")["direction"].last()
    both: pd.Series = pd.concat([moved, flagged])
    return both
