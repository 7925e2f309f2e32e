"""Pentana's short and long trend arrows, by the rule its help pages publish.

"How are the Long and Short Trends calculated?" (Pentana Risk help, article 360007944400): of an
Ongoing trend the short arrow compares the newest value with the period before, the long one with
the mean of the last x values; of a Year to Year trend the short arrow compares with the same period
last year, the long one with the mean of that period in the last x years. Better is more (Aim to
Max), less (Aim to Min) or closer to target (Goldilocks); equal is no change.

An arrow says which of two numbers is larger, not whether anything changed: where nothing does it
points down half of the time (benchmarks/arrows.py).
"""

from collections.abc import Mapping
from typing import Any, Literal

import numpy as np
import pandas as pd

from pmf_analysis.measures.arrays import PRECISION, Column, Frame
from pmf_analysis.measures.polarity import SIGNS, Target, band_distance, first_text, target_bands


def pentana_arrows(
    observations: Frame,
    polarity: Mapping[Any, str],
    *,
    targets: Mapping[str, Target] | Frame | None = None,
    trend_type: Literal["ongoing", "year_to_year"] = "ongoing",
    window: int = 4,
    periods_per_year: Mapping[Any, float],
) -> Frame:
    """Short and long arrow of every series, as Pentana would show them.

    Parameters
    ----------
    observations
        Columns series, period (dates), value; one row a series and period. Missing and infinite
        values are left out: the newest value is the last usable one, and the previous period of an
        Ongoing trend is the last usable one before it, whatever lies between.
    polarity
        By series: higher, lower, range (Goldilocks), none or unknown.
    targets
        By series a number or a pair, or columns series, period, target, target_low, target_high.
        Only Goldilocks asks for them: both values are held against the target of the newest
        period, a band where there is one. Inside a band nothing is closer than anything else.
    window
        Values (years) of the long arrow's mean. Where there are fewer, the mean is of those.
    periods_per_year
        By series; finds the same period last year of series that are more often than monthly.

    Returns
    -------
    DataFrame
        series, short_arrow, long_arrow: improving, worsening, same, or "" where there is nothing to
        compare with, no target for Goldilocks, or no direction that is better.
    """
    known = observations[["series", "period", "value"]].astype({"value": float})
    known = known[np.isfinite(known["value"])].sort_values(["series", "period"])
    newest = known.groupby("series").tail(1).reset_index(drop=True)
    last = known.groupby("series")["period"].transform("max")
    lag = years_before(known["period"], last, known["series"].map(dict(periods_per_year)))
    if trend_type == "ongoing":
        lag = known.groupby("series").cumcount(ascending=False).astype(float)
    compared = {"short_arrow": known[lag == 1], "long_arrow": known[lag.between(1, window)]}
    bands, better = target_bands(newest, targets), newest["series"].map(dict(polarity)).fillna("")
    arrows = pd.DataFrame({"series": newest["series"]})
    for name, earlier in compared.items():
        means = newest["series"].map(earlier.groupby("series")["value"].mean()).astype(float)
        arrows[name] = _arrow(newest["value"], means, better, bands)
    names = pd.DataFrame({"series": np.sort(observations["series"].unique())})
    return names.merge(arrows, on="series", how="left").fillna("")


def years_before(period: Column, newest: Column, periods_per_year: Column) -> Column:
    """Whole years from each period to the newest of its series; NaN where not of that season.

    Up to twelve periods a year the month decides. Weeks and days are counted: 52 weeks are a year.
    """
    rate = periods_per_year.astype(float)
    months = (newest.dt.year - period.dt.year) * 12 + newest.dt.month - period.dt.month
    counted = (newest - period).dt.days / (365.25 / rate).round() / rate
    years = counted.where(rate > 12, months / 12)
    return years.where((years - years.round()).abs() < PRECISION)


def _arrow(newest: Column, reference: Column, better: Column, bands: Frame) -> Column:
    """Say whether the newest value is better than what it is compared with."""
    low, high = (bands[name].fillna(bands["target"]) for name in ("target_low", "target_high"))
    closer = band_distance(reference, low, high) - band_distance(newest, low, high)
    gain = (better.map(SIGNS).astype(float) * (newest - reference)).where(better != "range", closer)
    equal = gain.abs() <= PRECISION * np.maximum(newest.abs(), reference.abs())
    told = [(equal, "same"), (gain > 0, "improving"), (gain < 0, "worsening")]
    return first_text(newest.index, told)
