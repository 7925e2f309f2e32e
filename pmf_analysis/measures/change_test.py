"""Like for like: the change since the period before and since last year, and what it is worth.

Beside each change stands its noise band: the largest change from one period to another, so many
periods apart, that is usual for this series. Survey estimates are compared as two proportions.
"""

from typing import Any

import numpy as np
import pandas as pd

from pmf_analysis.measures import arrays, history, spc
from pmf_analysis.measures.arrays import PRECISION, TABLES, Column, Flags, Floats, Frame, Places

_SET = arrays.constants("change_test")


def like_for_like(frame: Frame) -> Frame:
    """Compare the newest value of each series with the one before and with last year's.

    Values on either side of a break are not compared. Of a survey the one before is the newest
    earlier survey, however long ago; of a running total there is none.

    Parameters
    ----------
    frame
        Sorted by series and period, no period left out: series, period, run and segment (numbers),
        is_current, shown_value, value (NaN where left out of tests), effect (seasonal part),
        accumulation, periods_per_year, data_type, counts and intervals; sample_size where known.

    Returns
    -------
    DataFrame
        By series, for each that has a value: columns `like_for_like` of tables.yml. Bands are
        Wheeler's upper range limit, 3.267 times the mean absolute difference at that lag since
        the last break or rebase, screened once and without the newest, in the unit of the series;
        for seasonal series, of values without their seasons. NaN below eight differences or where
        nearly all are nought. change_test is "two_proportions" where change_p says how often
        chance alone would part two surveys of one population so far; change_p_on_year says it of
        last year's; it
        is "no_sample" where a survey cannot be tested, since its answers and interval are unknown
        or too few answers are of one kind.
    """
    series = pd.factorize(frame["series"])[0]
    run = pd.factorize(series * (frame["run"].max() + 1) + frame["run"])[0]
    sampled = frame.get("sample_size", pd.Series(np.nan, frame.index)).notna()
    may_be = (frame["data_type"] == "survey_percentage") | sampled
    is_survey = np.asarray(may_be & frame["data_type"].isin(history.SAMPLED))
    before, year_ago = _places(frame, run, is_survey)
    valued = np.flatnonzero(frame["shown_value"].notna())
    newest = valued[np.diff(series[valued], append=-1) != 0]
    rows = frame.iloc[newest].reset_index(drop=True)
    table: dict[str, Any] = {}
    for name, on, places in (("previous", "", before), ("last_year", "_on_year", year_ago)):
        then = frame.iloc[places[newest]].reset_index(drop=True)
        known = (places[newest] >= 0) & then["shown_value"].notna()
        table[f"{name}_value"] = then["shown_value"].where(known)
        table[f"{name}_period"] = then["period"].where(known)
        table[f"change{on}"] = rows["shown_value"] - table[f"{name}_value"]
        table[f"{name}_band"] = _band(frame, series, places)[series[newest]]
        chance = pd.Series(two_proportions(rows, then), rows.index)
        table[f"change_p{on}"] = chance.where(known & is_survey[newest])
    blind = (rows["data_type"] == "survey_percentage") & table["change"].notna()
    tests = [table["change_p"].notna(), blind]
    table["change_test"] = np.select(tests, ["two_proportions", "no_sample"], "")
    return pd.DataFrame(table)[TABLES["like_for_like"]].set_index(pd.Index(rows["series"]))


def _places(frame: Frame, run: Places, is_survey: Flags) -> tuple[Places, ...]:
    """Rows of the period before and of a year ago, -1 where there is none since a break."""
    here = np.arange(len(frame))
    valued = np.where(frame["shown_value"].notna(), here, -1)
    survey = np.append(-1, np.maximum.accumulate(valued))[: len(here)]
    rate = frame["periods_per_year"].fillna(1).to_numpy(float)
    before = np.where(is_survey, survey, here - 1)
    before[frame["accumulation"] == "ytd"] = -1
    year_ago = np.where(rate < 1, -1, here - np.maximum(rate, 1).astype(np.intp))
    places = before, year_ago
    return tuple(np.where((at >= 0) & (run[np.maximum(at, 0)] == run), at, -1) for at in places)


def _band(frame: Frame, series: Places, places: Places) -> Floats:
    """Usual range of the differences between each row and its place, by number of series."""
    value = (frame["value"] - frame["effect"]).where(frame["is_current"]).to_numpy(float)
    known = pd.Series(value).notna().groupby(series)
    is_newest = known.cumsum() == known.transform("sum")
    apart = np.where((places >= 0) & ~is_newest, np.abs(value - value[places]), np.nan)
    difference = pd.Series(apart)
    each = difference.groupby(series)
    kept = difference.where(difference < spc.SCREEN_FACTOR * each.transform("mean"))
    usual, level = kept.groupby(series).mean(), pd.Series(np.abs(value)).groupby(series).max()
    measured = (each.count() >= _SET.fewest_differences) & (usual > PRECISION * level)
    return np.asarray((spc.SCREEN_FACTOR * usual).where(measured), dtype=float)


def two_proportions(now: Frame, then: Frame) -> Floats:
    """Two-sided p-value that two survey percentages come from one share; row beside row.

    A published interval gives the standard error (its width / 3.92, which carries the survey's
    design effect). Without one: the pooled z test, from counts that reproduce the value or from
    the value and its sample size, as if the answers were a simple random sample; NaN where fewer
    than five answers of a kind are expected.
    """
    from scipy.special import ndtr

    share, size, error = np.stack([_estimate(now), _estimate(then)], axis=1)
    with np.errstate(invalid="ignore", divide="ignore"):
        pooled = (size * share).sum(axis=0) / size.sum(axis=0)
        cases = size.min(axis=0) * np.minimum(pooled, 1 - pooled)
        sampling = np.sqrt(pooled * (1 - pooled) * (1 / size).sum(axis=0))
        spread = np.where(cases >= _SET.fewest_cases, sampling, np.nan)
        own = np.where(np.isnan(error), np.sqrt(share * (1 - share) / size), error)
        unpublished = np.isnan(error).all(axis=0)
        z = (share[0] - share[1]) / np.where(unpublished, spread, np.hypot(*own))
    return np.asarray(np.where(np.isfinite(z), 2 * ndtr(-np.abs(z)), np.nan))


def _estimate(rows: Frame) -> tuple[Floats, Floats, Floats]:
    """Share, number of answers and published standard error of each row; NaN where unknown."""
    numbers = rows.reindex(columns=["shown_value", "sample_size", *history.COUNTS]).astype(float)
    value, answers, count, base, low, high = numbers.to_numpy().T
    with np.errstate(invalid="ignore", divide="ignore"):
        counted = 100 * count / base
        agree = np.abs(counted - value) <= np.maximum(history.COUNTS_AGREE * np.abs(value), 0.1)
    share = np.where(agree, counted, value) / 100
    size = np.where(np.isnan(answers), base, answers)  # counts may be grossed up to a population
    width = np.where(high > low, high - low, np.nan)
    return share, np.where(size > 0, size, np.nan), width / _SET.interval_widths / 100


def years_before(period: Column, newest: Column, periods_per_year: Column) -> Column:
    """Whole years from each period to the newest of its series; NaN where not of that season.

    Up to twelve periods a year the month decides. Weeks and days are counted: 52 weeks are a year.
    """
    rate = periods_per_year.astype(float)
    months = (newest.dt.year - period.dt.year) * 12 + newest.dt.month - period.dt.month
    counted = (newest - period).dt.days / (365.25 / rate).round() / rate
    years = counted.where(rate > 12, months / 12)
    return years.where((years - years.round()).abs() < PRECISION)
