"""Year-to-date values made discrete: what happened in each period, not since the year began.

A year-to-date series rises by construction, so a trend rule on it finds nothing and its last point
looks like growth. Counts are differenced. A ratio is differenced above and below the line, then
divided again; a ratio whose counts are not known cannot be, and stays as it is, marked "ytd".
"""

from __future__ import annotations

from typing import Any

import pandas as pd

from pmf_analysis.data.contract import USABLE_STATUSES, problem_table, series_key
from pmf_analysis.period_spans import MONTHS_A_PERIOD, YEAR_STARTS
from pmf_analysis.problems import Problem

_MONTHS = {frequency: months for frequency, months in MONTHS_A_PERIOD.items() if months < 12}
_PER_HUNDRED = ("percentage", "survey_percentage")
_CERTAINTY = {"final": 0, "revised": 1, "provisional": 2, "estimated": 3}
_MEASURED = ["value", "numerator", "denominator"]


def to_discrete(
    observations: pd.DataFrame, register: pd.DataFrame
) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Difference year-to-date observations inside their year.

    Parameters
    ----------
    observations
        Rows of the contract's table.
    register
        One row an indicator: indicator, accumulation, data_type, frequency, year_type, rate_base.

    Returns
    -------
    observations
        The same rows, with a column ``accumulation``: "discrete" where differenced, "ytd" where a
        ratio without usable counts was left, else as declared. A differenced row covers its last
        month, quarter or term, has no interval, and is as certain as the less certain of the two
        values. After a gap or a fall it has no value, status ``missing``, and ``value_note`` says
        "cannot be made discrete" and why. The numerator of a count is the count. ``adds_up`` says
        of a differenced row that the year's figure is the sum of its periods' (counts, and rates
        on a population that stands still), not a ratio of sums.
    problems
        A row for each of these, and one for each indicator that was left as it is; the columns of
        `problems.COLUMNS`, and indicator.
    """
    declared = register.set_index("indicator")
    accumulation = observations["indicator_id"].map(declared["accumulation"]).fillna("")
    marked = observations.assign(accumulation=accumulation, adds_up=False)
    # The numerator of a count is the count: disclosure control looks for small ones there.
    is_count = observations["indicator_id"].map(declared["data_type"]) == "count"
    marked["numerator"] = marked["numerator"].fillna(marked["value"].where(is_count))
    chosen = (accumulation == "ytd") & observations["frequency"].isin(list(_MONTHS))
    if not chosen.any():
        return marked, _notes(marked.iloc[:0].assign(failure=""), [])
    rows = _with_previous(marked[chosen], declared)
    differenced = rows["is_additive"] | _has_growing_counts(rows)
    made = _differenced(rows[differenced])
    left = rows.loc[~differenced, "indicator_id"].unique().tolist()
    result = pd.concat([marked.drop(index=made.index), made[marked.columns]])
    return result.loc[marked.index], _notes(made[made["failure"] != ""], left)


def _with_previous(rows: pd.DataFrame, declared: pd.DataFrame) -> pd.DataFrame:
    """Add the place of each row in its year and the values of the row one place before it."""
    facts = declared[["data_type", "rate_base", "year_type"]]
    rows = rows.join(facts, on="indicator_id").assign(series=series_key(rows))
    step = rows["frequency"].map(_MONTHS).astype("int64")
    first_month = rows["year_type"].map(YEAR_STARTS).fillna(4).astype("int64")
    months = rows["period_end"].dt.to_period("M").astype("int64")  # counted from January 1970
    into_year = (months + 1 - first_month) % 12
    # The year is named by the count of its first month, so that December and January agree.
    rows = rows.assign(year=months - into_year, place=into_year // step + 1)
    starts = (months - step + 1).to_numpy().astype("datetime64[M]")
    rows["step_start"] = starts.astype("datetime64[us]")
    rows["is_usable"] = rows["value_status"].isin(USABLE_STATUSES) & rows["value"].notna()
    place = ["series", "year", "place"]
    known = rows.loc[rows["is_usable"], [*place, *_MEASURED, "value_status"]]
    known = known.drop_duplicates(place, keep="last").assign(place=known["place"] + 1)
    joined = rows.merge(known, how="left", on=place, suffixes=("", "_before"))
    joined = joined.set_index(rows.index)
    is_total = (joined["data_type"] == "money") & joined["denominator"].isna()
    return joined.assign(is_additive=(joined["data_type"] == "count") | is_total)


def _has_growing_counts(rows: pd.DataFrame) -> pd.Series[bool]:
    """Whether a ratio's counts accumulate, so that both can be differenced.

    A rate on a population has a denominator that stands still and is divided by it as it is. A
    percentage of a fixed yearly total (council tax due) is a profile of the year, not a ratio of
    the period: differencing would change what it says, so it is left. A denominator accumulates
    if it grows by at least half of what equal periods would give, in the median over the series.
    """
    counted = rows["numerator"].notna() & rows["denominator"].notna()
    growth = (rows["denominator"] / rows["denominator_before"] - 1) * (rows["place"] - 1)
    typical = growth.groupby(rows["series"]).transform("median")
    fully_counted = (counted | ~rows["is_usable"]).groupby(rows["series"]).transform("all")
    some_counted = counted.groupby(rows["series"]).transform("any")
    return fully_counted & some_counted & ((typical >= 0.5) | (rows["data_type"] == "rate"))


def _differenced(rows: pd.DataFrame) -> pd.DataFrame:
    """Replace each usable row by what its own period added, or by the reason why it cannot be."""
    later = rows["is_usable"] & (rows["place"] > 1)
    added = pd.DataFrame({name: rows[name] - rows[f"{name}_before"] for name in _MEASURED})
    stands_still = (rows["data_type"] == "rate") & ~(added["denominator"] > 0)
    below = added["denominator"].mask(stands_still, rows["denominator"])
    base = rows["rate_base"].astype("float64").fillna(1.0)
    base = base.mask(rows["data_type"].isin(_PER_HUNDRED), 100.0)
    ratio = (base * added["numerator"] / below).where(below > 0)
    added["value"] = added["value"].where(rows["is_additive"], ratio)
    added["denominator"] = below.mask(rows["is_additive"], rows["denominator"])
    reason = _reasons(rows, added).where(later, "")
    status, before = rows["value_status"], rows["value_status_before"]
    less_certain = status.where(~(before.map(_CERTAINTY) > status.map(_CERTAINTY)), before)
    made = rows.assign(
        value_status=status.mask(later, less_certain).mask(reason != "", "missing"),
        value_note=rows["value_note"].mask(reason != "", "cannot be made discrete: " + reason),
        period_start=rows["step_start"],
        accumulation="discrete",
        adds_up=rows["is_additive"] | stands_still,
        failure=reason,
    )
    made[_MEASURED] = made[_MEASURED].mask(later, added.mask(reason != ""))
    made[["ci_lower", "ci_upper"]] = made[["ci_lower", "ci_upper"]].mask(later)
    return made


def _reasons(rows: pd.DataFrame, added: pd.DataFrame) -> pd.Series[str]:
    """Why a difference cannot be taken; "" where it can."""
    fell = (added["value"] < 0).where(rows["is_additive"], added["numerator"] < 0)
    nothing_below = ~rows["is_additive"] & ~(added["denominator"] > 0)
    reason = pd.Series("", index=rows.index)
    reason = reason.mask(nothing_below, "nothing was added below the line")
    reason = reason.mask(fell, "the year-to-date figure falls")
    return reason.mask(rows["value_before"].isna(), "the value of the period before is not known")


def _notes(failed: pd.DataFrame, left: list[str]) -> pd.DataFrame:
    """Return the problems of values that could not be differenced, and of indicators left."""
    told = ["indicator_id", "source_file", "source_sheet", "source_row", "period_label", "failure"]
    rows: Any = failed[told].set_axis(["indicator", "file", "sheet", "row", *told[4:]], axis=1)
    problems = [Problem.of("not-discrete", **row) for row in rows.to_dict("records")]
    problems += [Problem.of("left-year-to-date", indicator=indicator) for indicator in left]
    return problem_table(problems)
