"""What result tables carry beside the measures: titles, labels of periods, ages, missing rows."""

from __future__ import annotations

from collections.abc import Hashable
from datetime import date
from typing import Any

import pandas as pd

from pmf_analysis.data.contract import series_key, split_series
from pmf_analysis.measures.frames import MONTHS_A_PERIOD
from pmf_analysis.periods import label_starts, period_from_start

_FROM_REGISTER = [
    "title",
    "short_title",
    "unit",
    "data_type",
    "decimals",
    "polarity",
    "frequency",
    "year_type",
    "control",
    "owner",
    "director",
    "source",
]
_SPAN_MONTHS = {"m": 1, "q": 3, "y": 12}
_STALE_PERIODS = 2  # a newest value older than this many of its own periods is stale
_DAYS_A_YEAR = 365.25


def labels(indicators: pd.Series, periods: pd.Series, register: pd.DataFrame) -> pd.Series:
    """Label of each period (start of its last base period) as councils write it; "" for NaT.

    A rolling window is labelled by all that it covers.
    """
    declared = register.set_index("indicator")
    made = pd.Series("", index=periods.index)
    parts = []
    for indicator, starts in periods.dropna().groupby(indicators):
        entry = declared.loc[indicator]
        span = entry["period_span"] if entry["accumulation"] == "rolling" else ""
        opened = window_starts(starts, str(entry["frequency"]), span)
        days = [start.date() for start in opened]
        names = label_starts(days, entry["frequency"], entry["year_type"], span)
        parts.append(pd.Series(names, index=starts.index, dtype="str"))
    return pd.concat(parts).reindex(periods.index).fillna("") if parts else made


def window_starts(starts: pd.Series, frequency: str, span: str) -> pd.Series:
    """First day of windows of length `span` whose last base period starts on `starts`."""
    base = MONTHS_A_PERIOD.get(frequency)
    if not span or base is None:
        return starts
    longer = int(span[:-1]) * _SPAN_MONTHS[span[-1]] - base
    return starts - pd.DateOffset(months=longer)


def with_labels(table: pd.DataFrame, register: pd.DataFrame) -> pd.DataFrame:
    """Add `period_label` (and `last_label`) to a table with `series`, `period` (`last_period`)."""
    indicators = split_series(table["series"])["indicator_id"].set_axis(table.index)
    labelled = table.assign(period_label=labels(indicators, table["period"], register))
    if "last_period" in table.columns:
        labelled["last_label"] = labels(indicators, table["last_period"], register)
    return labelled


def clipped(table: pd.DataFrame, register: pd.DataFrame, columns: list[str]) -> pd.DataFrame:
    """Keep limits that are shown inside what is possible; the ones tested against are not touched.

    The unclipped ones stay in `raw_` columns.
    """
    declared = register.set_index("indicator")
    indicators = split_series(table["series"])["indicator_id"].set_axis(table.index)
    low, high = indicators.map(declared["minimum"]), indicators.map(declared["maximum"])
    raw = table[columns].add_prefix("raw_")
    shown = table[columns].clip(low, axis=0).clip(upper=high, axis=0)
    return table.assign(**{name: shown[name] for name in columns}).join(raw)


def complete_trends(
    trends: pd.DataFrame,
    own: pd.DataFrame,
    register: pd.DataFrame,
    lines: pd.DataFrame,
    *,
    area: str,
    as_at: date,
) -> pd.DataFrame:
    """Give every indicator of the register its row, with titles, labels, target and age.

    An indicator without any observation gets the verdict "cannot_judge" and says so.
    """
    absent = register.loc[~register["indicator"].isin(trends["indicator"]), ["indicator"]]
    absent = absent.assign(
        series=absent["indicator"],
        area=area,
        n=0,
        verdict="cannot_judge",
        method="none",
        rule="none",
        reason="There are no values for this council.",
    )
    rows = pd.concat([trends, absent], ignore_index=True)
    rows = rows.drop(columns=[c for c in _FROM_REGISTER if c in rows.columns])
    rows = rows.merge(register[["indicator", *_FROM_REGISTER]], on="indicator", how="left")
    rows = rows.assign(
        period_label=labels(rows["indicator"], rows["period"], register),
        previous_label=labels(rows["indicator"], rows["previous_period"], register),
        last_year_label=labels(rows["indicator"], rows["last_year_period"], register),
        period_long=_long_labels(rows, register),
        **_ages(rows, own, register, as_at),
    )
    met = lines.merge(own[["series", "period", "value"]], on=["series", "period"])
    rows = rows.merge(
        lines[["series", "period", "target"]],
        on=["series", "period"],
        how="left",
        suffixes=("_x", ""),
    )
    rows["target_period_label"] = rows["period_label"].where(rows["target"].notna(), "")
    rows["met_share"] = rows["series"].map(_met_shares(met, register))
    return rows[[c for c in rows.columns if not c.endswith("_x")]]


def _long_labels(rows: pd.DataFrame, register: pd.DataFrame) -> pd.Series:
    declared: dict[Any, Any] = register.set_index("indicator").to_dict("index")
    long = [
        _long_label(row["period"], declared[row["indicator"]])
        for row in rows[["indicator", "period"]].to_dict("records")
    ]
    return pd.Series(long, index=rows.index, dtype="str")


def _long_label(period: pd.Timestamp, entry: dict[str, Any]) -> str:
    if pd.isna(period):
        return ""
    span = entry["period_span"] if entry["accumulation"] == "rolling" else ""
    start = window_starts(pd.Series([period]), entry["frequency"], span).iloc[0].date()
    return period_from_start(start, entry["frequency"], entry["year_type"], span).long_label


def _ages(
    rows: pd.DataFrame, own: pd.DataFrame, register: pd.DataFrame, as_at: date
) -> dict[str, pd.Series]:
    """Days from the end of the newest period to the as-at date, and whether that is too long."""
    ends = own.set_index(["series", "period"])["period_end"]
    ended = rows[["series", "period"]].merge(ends.reset_index(), how="left")["period_end"]
    age = (pd.Timestamp(as_at) - ended).dt.days.set_axis(rows.index)
    declared = register.set_index("indicator")
    allowed = _STALE_PERIODS * _DAYS_A_YEAR / rows["indicator"].map(declared["periods_per_year"])
    lag = rows["indicator"].map(declared["publish_lag_days"]).fillna(0)
    return {"age_days": age, "is_stale": age > allowed + lag}


def _met_shares(met: pd.DataFrame, register: pd.DataFrame) -> pd.Series:
    """Share of the periods with a value and a target in which the target was met."""
    indicator = split_series(met["series"])["indicator_id"].set_axis(met.index)
    polarity = indicator.map(register.set_index("indicator")["polarity"])
    met = met.assign(polarity=polarity).dropna(subset=["value"])
    high = met["value"] >= met["target"]
    low = met["value"] <= met["target"]
    band = met["value"].between(met["target_low"], met["target_high"])
    is_met = high.where(met["polarity"] == "higher", low.where(met["polarity"] == "lower", band))
    judged = met["polarity"].isin(["higher", "lower", "range"])
    return is_met[judged].astype("float64").groupby(met.loc[judged, "series"]).mean()


def restatement_notes(
    restated: pd.DataFrame, own: pd.DataFrame, register: pd.DataFrame
) -> pd.DataFrame:
    """Say which own values were published and later changed: one note a change.

    Parameters
    ----------
    restated
        Rows of `Store.restatements`.
    own
        Observations of the council: other areas' changes are not told.
    """
    mine = restated.assign(series=series_key(restated))
    mine = mine[mine["series"].isin(own["series"])].reset_index(drop=True)
    declared: dict[Any, Any] = register.set_index("indicator").to_dict("index")
    mine = mine.assign(label=labels(mine["indicator_id"], mine["period_start"], register))
    notes = [
        {
            "level": "info",
            "code": "restated",
            "indicator": row["indicator_id"],
            "message": _restatement(row, declared[row["indicator_id"]]),
        }
        for row in mine.to_dict("records")
    ]
    return pd.DataFrame(notes, columns=["level", "code", "indicator", "message"])


def _restatement(row: dict[Hashable, Any], entry: dict[str, Any]) -> str:
    places = int(entry["decimals"])
    now = "taken back" if pd.isna(row["new_value"]) else f"{row['new_value']:.{places}f}"
    before = f"{row['old_value']:.{places}f}"
    return f"{entry['title']}, {row['label']}: published as {before}, now {now}."
