"""Year-to-date values made discrete: what happened in each period, not since the year began.

A year-to-date series rises by construction, so a trend rule on it finds nothing and its last point
looks like growth. Counts are differenced. A ratio is differenced above and below the line, then
divided again; a ratio whose counts are not known cannot be, and stays as it is, marked "ytd".
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import pandas as pd

from pmf_analysis.data.contract import USABLE_STATUSES, series_key
from pmf_analysis.problems import COLUMNS

if TYPE_CHECKING:
    from collections.abc import Sequence

_YEAR_START_MONTH = {"financial": 4, "academic": 9, "calendar": 1}
_MONTHS = {"monthly": 1, "quarterly": 3, "termly": 4, "half_yearly": 6}
_PER_HUNDRED = ("percentage", "survey_percentage")
_CERTAINTY = ("final", "revised", "provisional", "estimated")
_NOTE_COLUMNS = (*COLUMNS, "indicator", "series", "period_start")


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
        "cannot be made discrete" and why. The numerator of a count is the count.
    problems
        A row for each of these, and one for each indicator that was left as it is.
    """
    declared = register.set_index("indicator")
    accumulation = observations["indicator_id"].map(declared["accumulation"]).fillna("")
    marked = observations.assign(accumulation=accumulation)
    # The numerator of a count is the count: disclosure control looks for small ones there.
    is_count = observations["indicator_id"].map(declared["data_type"]) == "count"
    marked["numerator"] = marked["numerator"].fillna(marked["value"].where(is_count))
    chosen = (accumulation == "ytd") & observations["frequency"].isin(list(_MONTHS))
    if not chosen.any():
        return marked, _notes([])
    rows = _with_previous(marked[chosen], declared)
    differenced = rows["is_additive"] | rows["has_growing_counts"]
    made = _differenced(rows[differenced])
    left = rows.loc[~differenced, "indicator_id"].drop_duplicates()
    result = pd.concat([marked.drop(index=made.index), made[marked.columns]])
    return result.loc[marked.index], _notes([*_failures(made), *map(_left_as_it_is, left)])


def _with_previous(rows: pd.DataFrame, declared: pd.DataFrame) -> pd.DataFrame:
    """Add the place of each row in its year and the values of the row one place before it."""
    facts = declared[["data_type", "rate_base", "year_type"]]
    rows = rows.join(facts, on="indicator_id").assign(series=series_key(rows))
    months = rows["frequency"].map(_MONTHS).astype("int64")
    year_start = rows["year_type"].map(_YEAR_START_MONTH).fillna(4).astype("int64")
    since_start = (rows["period_end"].dt.month - year_start) % 12
    rows["place"] = since_start // months + 1
    # The year is named by the month count of its first month, so that December and January agree.
    rows["year"] = rows["period_end"].dt.year * 12 + rows["period_end"].dt.month - since_start
    rows["step_start"] = _start_of_step(rows["period_end"], months)
    usable = rows["value_status"].isin(USABLE_STATUSES) & rows["value"].notna()
    rows["is_usable"] = usable
    measured = ["value", "numerator", "denominator"]
    known = rows.loc[usable, ["series", "year", "place", *measured, "value_status"]]
    known = known.drop_duplicates(["series", "year", "place"], keep="last")
    before = known.assign(place=known["place"] + 1)
    joined = rows.merge(
        before, how="left", on=["series", "year", "place"], suffixes=("", "_before")
    ).set_index(rows.index)
    is_total = (joined["data_type"] == "money") & joined["denominator"].isna()
    joined["is_additive"] = (joined["data_type"] == "count") | is_total
    joined["has_growing_counts"] = _has_growing_counts(joined)
    return joined


def _start_of_step(ends: pd.Series[pd.Timestamp], months: pd.Series[int]) -> pd.Series:
    """First day of the last month, quarter or term of a year-to-date span."""
    after = ends.dt.to_period("M").astype("int64") - months + 1
    years, month0 = after // 12 + 1970, after % 12
    return pd.to_datetime({"year": years, "month": month0 + 1, "day": 1}).astype("datetime64[us]")


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
    return (
        fully_counted
        & counted.groupby(rows["series"]).transform("any")
        & ((typical >= 0.5) | (rows["data_type"] == "rate"))
    )


def _differenced(rows: pd.DataFrame) -> pd.DataFrame:
    """Replace each usable row by what its own period added, or by the reason why it cannot be."""
    made = rows.copy()
    later = made["is_usable"] & (made["place"] > 1)
    standing = (made["data_type"] == "rate") & ~(made["denominator"] > made["denominator_before"])
    added = {name: made[name] - made[f"{name}_before"] for name in ("value", "numerator")}
    below = (made["denominator"] - made["denominator_before"]).mask(standing, made["denominator"])
    base = made["rate_base"].astype("float64").fillna(1.0)
    base = base.mask(made["data_type"].isin(_PER_HUNDRED), 100.0)
    ratio = (base * added["numerator"] / below).where(below > 0)
    reason = _reasons(made, added, below)
    values = {
        "value": added["value"].where(made["is_additive"], ratio),
        "numerator": added["numerator"],
        "denominator": below.mask(made["is_additive"], made["denominator"]),
    }
    for name, change in values.items():
        made[name] = made[name].mask(later, change.mask(reason != ""))
    failed = later & (reason != "")
    made["value_status"] = _less_certain(made).where(later, made["value_status"])
    made["value_status"] = made["value_status"].mask(failed, "missing")
    made["value_note"] = made["value_note"].mask(failed, "cannot be made discrete: " + reason)
    made[["ci_lower", "ci_upper"]] = made[["ci_lower", "ci_upper"]].mask(later)
    made["period_start"] = made["step_start"]
    made["accumulation"] = "discrete"
    made["failure"] = reason.where(failed, "")
    return made


def _reasons(
    rows: pd.DataFrame, added: dict[str, pd.Series[float]], below: pd.Series[float]
) -> pd.Series[str]:
    """Why a row cannot be differenced; empty where it can."""
    reason = pd.Series("", index=rows.index)
    fell = (added["value"] < 0).where(rows["is_additive"], added["numerator"] < 0)
    reason = reason.mask(fell, "the year-to-date figure falls")
    nothing_below = ~rows["is_additive"] & ~(below > 0)
    reason = reason.mask(nothing_below & ~fell, "nothing was added below the line")
    return reason.mask(rows["value_before"].isna(), "the value of the period before is not known")


def _less_certain(rows: pd.DataFrame) -> pd.Series[str]:
    order = {status: rank for rank, status in enumerate(_CERTAINTY)}
    own, before = rows["value_status"].map(order), rows["value_status_before"].map(order)
    return rows["value_status"].where(~(before > own), rows["value_status_before"])


def _failures(made: pd.DataFrame) -> list[dict[str, object]]:
    failed = made[made["failure"] != ""]
    return [
        {
            "level": "warning",
            "code": "not-discrete",
            "file": row["source_file"],
            "sheet": row["source_sheet"],
            "row": row["source_row"],
            "message": f"{row['period_label']} cannot be made discrete: {row['failure']}.",
            "indicator": row["indicator_id"],
            "series": row["series"],
            "period_start": row["period_start"],
        }
        for row in failed.to_dict("records")
    ]


def _left_as_it_is(indicator: str) -> dict[str, object]:
    return {
        "level": "info",
        "code": "left-year-to-date",
        "message": f"{indicator} is a year-to-date ratio whose counts do not accumulate or are not "
        "given; it is left as it is and is compared with the same period of other years.",
        "indicator": indicator,
    }


def _notes(rows: Sequence[dict[str, object]]) -> pd.DataFrame:
    notes = pd.DataFrame(rows, columns=list(_NOTE_COLUMNS))
    text = [name for name in _NOTE_COLUMNS if name not in {"row", "period_start"}]
    notes[text] = notes[text].astype("str").fillna("")
    notes["row"] = notes["row"].astype("Int64")
    notes["period_start"] = pd.to_datetime(notes["period_start"]).astype("datetime64[us]")
    return notes
