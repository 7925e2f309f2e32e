"""Whether councils' denominators add up to their nation's, and whether ours holds over time."""

from itertools import pairwise

import numpy as np
import pandas as pd

from pmf_analysis.measures.arrays import SENTENCES, TABLES, Column, Frame
from pmf_analysis.measures.frames import is_aggregate

FEWEST_COUNCILS = 30
AGREES = 0.02  # relative difference that is let pass,
ROUNDED_TO = 10  # and difference that rounding of a nation's figure explains
MOVED = np.log(1.15)  # change of a denominator that is asked about,
STEADY = np.log(1.03)  # where its other changes are smaller than this (their median),
FEWEST_PERIODS = 10  # and there are so many periods,
SELDOM = 0.2  # of which at most this share begins with such a move
_KEYS = ["indicator", "nation", "period"]
_TOLD = ["n", "councils", "period_label", "denominator"]


def denominator_notes(panel: Frame, register: Frame) -> Frame:
    """Say where the sum over all councils differs by over 2 % from the nation's own denominator.

    Parameters
    ----------
    panel
        Rows of :func:`~pmf_analysis.measures.frames.measure_frame`, all areas.
    register
        One row an indicator; others are left out.

    Returns
    -------
    DataFrame
        level ("info"), code, indicator, message. Of each indicator the newest period is looked at
        in which 30 councils or more, and all that have a row then or in the period before, have a
        denominator: a partial sum is never compared. Districts and counties are not added up.
    """
    rows = panel[(panel["dimension"] == "") & panel["indicator"].isin(register["indicator"])]
    rows = rows.assign(nation=rows["area"].str[:1], tier=rows["area"].str[1:3])
    rows = rows.sort_values(_KEYS, kind="stable")
    nations = rows[rows["tier"] == "92"].set_index(_KEYS)[["denominator", "period_label"]]
    councils = rows[~is_aggregate(rows["area"])]
    place = councils.groupby(_KEYS[:2])["period"].rank("dense")
    following = place.groupby([councils["indicator"], councils["area"]]).shift(-1)
    size, tier = councils["denominator"], councils["tier"]
    parts = councils[_KEYS].assign(n=1, known=size.notna(), leaves=following != place + 1)
    parts = parts.assign(councils=size.where(tier != "07"), districts=size.where(tier != "10"))
    sums = parts.groupby(_KEYS).sum()
    none_left = sums["leaves"].groupby(level=_KEYS[:2]).shift(fill_value=0) == 0
    is_whole = none_left & (sums["n"] == sums["known"]) & (sums["n"] >= FEWEST_COUNCILS)
    found = sums[is_whole].join(nations, how="inner").dropna(subset="denominator")
    found = found.groupby(level=_KEYS[:2]).tail(1).reset_index()
    total = found["denominator"]
    off = found[["councils", "districts"]].sub(total, axis=0).abs().min(axis=1)
    found = found[off > (AGREES * total).clip(lower=ROUNDED_TO)].reset_index(drop=True)
    told = [SENTENCES["denominators_differ"].format(*row) for row in found[_TOLD].to_numpy()]
    notes = found[["indicator"]].assign(level="info", code="denominators-differ")
    return notes.assign(message=pd.Series(told, dtype="str"))[TABLES["notes"]]


def moved_periods(own: Frame) -> Column:
    """Flag the periods with another denominator than the newest, in series where it is else steady.

    A change of over 15 % from one period to the next begins a new run. Counted back from the newest
    run, one that does not come within 15 % of the run kept before it is flagged: of a figure that
    moves and comes back what lies between, of one that moves for good all that was before. Steady:
    of ten periods or more, few begin a run, and the median of the other changes, of those that are
    not zero, is below 3 %. Columns series, period, denominator; missing ones are passed over.
    """
    known = own[own["denominator"] > 0].sort_values(["series", "period"])
    series, size = known["series"], np.log(known["denominator"])
    change = size.groupby(series).diff().abs()
    jump = change > MOVED
    usual = change.where((change > 0) & ~jump).groupby(series).transform("median").fillna(0)
    long = series.groupby(series).transform("size") >= FEWEST_PERIODS
    share = jump.groupby(series).transform("mean")
    asked = (usual < STEADY) & long & (share > 0) & (share <= SELDOM)
    off = []
    for _, sizes in size[asked].groupby(series):
        level = sizes.iloc[-1]
        for _, run in reversed(list(sizes.groupby(jump.cumsum()))):
            if abs(run.iloc[-1] - level) > MOVED:
                off += list(run.index)
            else:
                level = run.iloc[0]
    return pd.Series(own.index.isin(off), own.index)


def denominator_jumps(own: Frame) -> Frame:
    """Warn of each of our series with periods that :func:`moved_periods` flags.

    Parameters
    ----------
    own
        Totals of one council: series, indicator, period, period_label, denominator.

    Returns
    -------
    DataFrame
        level ("warning"), code, indicator, message with every move, its periods and figures.
    """
    notes = []
    rows = own.assign(off=moved_periods(own))[own["denominator"] > 0]
    rows = rows[rows.groupby("series")["off"].transform("any")].sort_values("period")
    for (_, indicator), figures in rows.groupby(["series", "indicator"]):
        told = figures[["denominator", "period_label"]].itertuples(index=False)
        steps = [(*a, *b) for a, b in pairwise(told) if abs(np.log(b[0] / a[0])) > MOVED]
        moves = [SENTENCES["denominator_went"].format(*step) for step in steps]
        off = figures["off"].sum(), len(figures)
        moves.append(SENTENCES["denominator_moves"].format(*off))
        notes.append(("warning", "denominator-moved", indicator, " ".join(moves)))
    return pd.DataFrame(notes, columns=TABLES["notes"], dtype="str")
