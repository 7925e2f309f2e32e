"""Directly standardised rates, where a source gives strata such as age groups."""

from typing import Any

import numpy as np
import pandas as pd

from pmf_analysis.measures.areas import keyed
from pmf_analysis.measures.arrays import Frame
from pmf_analysis.measures.intervals import poisson

FEWEST_EVENTS = 10  # below this a standardised rate is not given
NOTE = "Directly standardised by us from the counts by "
_KEY = ["series", "period"]
_MADE = {"value": "value", "ci_lower": "lower", "ci_upper": "upper"}


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
    total = sums["numerator"].where(is_whole & (sums["numerator"] >= FEWEST_EVENTS))
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
    given: dict[str, Any] = {name: made[source] * made["scale"] for name, source in _MADE.items()}
    given |= dict.fromkeys(["numerator", "denominator"], np.nan)
    given |= {"status": "estimated", "value_note": made["note"]}
    return panel.assign(**{name: panel[name].mask(gets, new) for name, new in given.items()})


def _weights(register: Frame) -> Frame:
    """One row a declared group of a standard population, with the unit of the rate."""
    told = register.reindex(columns=["indicator", "standardised_by", "standard_population"])
    unit = register["rate_base"].where(register["statistic"] == "rate", 100.0)
    rows = [
        (indicator, dimension, group, weight, len(population), scale, NOTE + dimension + ".")
        for (indicator, dimension, population), scale in zip(told.to_numpy(), unit, strict=True)
        if isinstance(population, dict)
        for group, weight in population.items()
    ]
    columns = ["indicator", "dimension", "dimension_value", "standard_population", "n_groups"]
    return pd.DataFrame(rows, columns=[*columns, "scale", "note"])
