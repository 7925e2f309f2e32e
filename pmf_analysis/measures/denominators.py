"""Denominators: do they add up to their nation's, do they hold over time; standardised rates."""

from itertools import pairwise
from typing import Any

import numpy as np
import pandas as pd

from pmf_analysis.measures.areas import keyed
from pmf_analysis.measures.arrays import SENTENCES, TABLES, Column, Frame, constants
from pmf_analysis.measures.frames import is_aggregate
from pmf_analysis.measures.intervals import poisson

_SET = constants("denominators")
MOVED, STEADY = np.log([_SET.moved, _SET.steady])
_KEYS = ["indicator", "nation", "period"]

_KEY = ["series", "period"]


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
    is_whole = none_left & (sums["n"] == sums["known"]) & sums["n"].ge(_SET.fewest_councils)
    found = sums[is_whole].join(nations, how="inner").dropna(subset="denominator")
    found = found.groupby(level=_KEYS[:2]).tail(1).reset_index()
    total = found["denominator"]
    off = found[["councils", "districts"]].sub(total, axis=0).abs().min(axis=1)
    found = found[off.gt((_SET.agrees * total).clip(lower=_SET.rounded_to))].reset_index(drop=True)
    told = [SENTENCES["denominators_differ"].format(*row) for row in found[_SET.told].to_numpy()]
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
    long = series.groupby(series).transform("size") >= _SET.fewest_periods
    share = jump.groupby(series).transform("mean")
    asked = (usual < STEADY) & long & (share > 0) & (share <= _SET.seldom)
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


def directly_standardised(strata: Frame, *, scale: float = 1.0, confidence: float = 0.95) -> Frame:
    """Weigh the rates of strata by a standard population.

    The interval is that of Dobson, Kuulasmaa, Eberle and Scherer (1991), with Byar's interval of
    the total count, as England's public health bodies use it.

    Parameters
    ----------
    strata
        series, period, stratum, numerator (events), denominator, standard_population.
    scale
        A rate is given per so many.

    Returns
    -------
    DataFrame
        series, period, value, lower, upper, numerator (total count). A period has no value where
        a stratum that the series has at any time is absent or has no count, population or weight,
        so that no sum is partial; and none below ten events.
    """
    names = ["numerator", "denominator", "standard_population"]
    count, size, weight = strata[names].astype(float).to_numpy().T
    weight = weight / strata.groupby(_KEY)["standard_population"].transform("max").to_numpy(float)
    known = (count >= 0) & (size > 0) & (weight > 0)
    share = weight / np.where(known, size, np.nan)
    parts = strata[_KEY].assign(known=known, numerator=count, weight=weight, rate=count * share)
    sums = parts.assign(variance=count * share**2).groupby(_KEY).sum()
    wanted = strata.groupby("series")["stratum"].nunique()
    is_whole = sums["known"] == wanted.reindex(sums.index.get_level_values("series")).to_numpy()
    total = sums["numerator"].where(is_whole & (sums["numerator"] >= _SET.fewest_events))
    value = (scale * sums["rate"] / sums["weight"]).where(total.notna())
    stretch = scale * np.sqrt(sums["variance"] / total) / sums["weight"]
    lower, upper = (value + stretch * (bound - total) for bound in poisson(total, confidence))
    found = {"value": value, "lower": lower, "upper": upper, "numerator": total}
    return pd.DataFrame(found).reset_index()


def standardised(panel: Frame, register: Frame) -> Frame:
    """Give whole areas the directly standardised values that a source leaves to us.

    Parameters
    ----------
    panel
        Rows of :func:`~pmf_analysis.measures.frames.measure_frame`, all areas.
    register
        indicator, statistic, rate_base, standardised_by (a dimension; "" none) and
        standard_population (its groups with their weights).

    Returns
    -------
    DataFrame
        The same rows. A whole area's row without a value gets value, ci_lower, ci_upper (95 %),
        status "estimated" and a value_note, where every group of the standard population has
        counts. Its crude counts do not give that value and are blanked. A value that is
        suppressed stays so, and so does a published one.
    """
    weights = _weights(register)
    groups = ["indicator", "dimension", "dimension_value"]
    strata = panel.merge(weights, on=groups).rename(columns={"dimension_value": "stratum"})
    if strata.empty:
        return panel
    strata = strata.assign(dimension="", dimension_value="")
    strata["series"] = keyed(strata)
    strata = strata[strata.groupby(_KEY)["stratum"].transform("nunique") == strata["n_groups"]]
    made = directly_standardised(strata).dropna().set_index(_KEY)
    made = made.join(strata.drop_duplicates(_KEY).set_index(_KEY)[["scale", "note"]])
    made = made.reindex(pd.MultiIndex.from_frame(panel[_KEY])).set_index(panel.index)
    gets = panel["value"].isna() & (panel["status"] != "suppressed") & made["value"].notna()
    given: dict[str, Any] = {name: made[of] * made["scale"] for name, of in _SET.made.items()}
    given |= dict.fromkeys(["numerator", "denominator"], np.nan)
    given |= {"status": "estimated", "value_note": made["note"]}
    return panel.assign(**{name: panel[name].mask(gets, new) for name, new in given.items()})


def _weights(register: Frame) -> Frame:
    """One row a declared group of a standard population, with the unit of the rate."""
    told = register.reindex(columns=["indicator", "standardised_by", "standard_population"])
    unit = register["rate_base"].where(register["statistic"] == "rate", 100.0)
    rows = [
        (indicator, dimension, group, weight, len(population), scale, _SET.note + dimension + ".")
        for (indicator, dimension, population), scale in zip(told.to_numpy(), unit, strict=True)
        if isinstance(population, dict)
        for group, weight in population.items()
    ]
    columns = ["indicator", "dimension", "dimension_value", "standard_population", "n_groups"]
    return pd.DataFrame(rows, columns=[*columns, "scale", "note"])
