"""Whether councils' denominators add up to what is published for their nation."""

import pandas as pd

from pmf_analysis.measures.frames import is_aggregate

FEWEST_COUNCILS = 30
AGREES = 0.02  # relative difference that is let pass,
ROUNDED_TO = 10  # and difference that rounding of a nation's figure explains
_KEYS = ["indicator", "nation", "period"]
_TOLD = ["n", "councils", "period_label", "denominator"]


def denominator_notes(panel: pd.DataFrame, register: pd.DataFrame) -> pd.DataFrame:
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
    parts = councils[_KEYS].assign(
        known=size.notna(),
        leaves=following != place + 1,
        councils=size.where(tier != "07"),
        districts=size.where(tier != "10"),
    )
    sums = parts.groupby(_KEYS).sum()
    sums["n"] = parts.groupby(_KEYS).size()
    none_left = sums["leaves"].groupby(level=_KEYS[:2]).shift(fill_value=0) == 0
    is_whole = none_left & (sums["n"] == sums["known"]) & (sums["n"] >= FEWEST_COUNCILS)
    found = sums[is_whole].join(nations, how="inner").dropna(subset="denominator")
    found = found.groupby(level=_KEYS[:2]).tail(1).reset_index()
    total = found["denominator"]
    off = found[["councils", "districts"]].sub(total, axis=0).abs().min(axis=1)
    found = found[off > (AGREES * total).clip(lower=ROUNDED_TO)].reset_index(drop=True)
    told = [
        f"The denominators of all {n} councils add up to {added:,.0f} in {label}, the nation's own "
        f"is {total:,.0f}. One of them may count something else."
        for n, added, label, total in found[_TOLD].to_numpy()
    ]
    notes = {"level": "info", "code": "denominators-differ", "indicator": found["indicator"]}
    return pd.DataFrame(notes).assign(message=pd.Series(told, dtype="str"))
