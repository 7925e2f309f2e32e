"""What happened to a series: recorded breaks, restated values, annotations, suggested steps.

Events are drawn and named on charts. Recorded breaks and rebases also start a new segment (that is
`trend_plan`'s doing); annotations and suggestions change no figure.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date
from typing import TYPE_CHECKING, Any

import pandas as pd

from pmf_analysis.data.contract import series_key
from pmf_analysis.measures.result_tables import labels

if TYPE_CHECKING:
    from pmf_analysis.parameters.workspace import Parameters

COLUMNS = ["series", "period", "until", "kind", "text", "owner", "recorded_on", "evidence"]
_SAME_EVENT = pd.Timedelta(days=370)  # a suggestion so near a recorded change tells nothing new


_CHANGE = ["indicator", "period_start", "kind", "comparable", "reason", "owner", "recorded_on"]
_FROZEN = ["mean", "lower_limit", "upper_limit"]
_BASELINE = ["indicator", "period_from", "period_until", "recorded_on", *_FROZEN]


def declared_changes(stored: pd.DataFrame, parameters: Parameters, as_at: date) -> pd.DataFrame:
    """Changes that came with the data, and the rebases that the parameters declared by then.

    A rebase that both name stands once, as the parameters have it.
    """
    rows = _known_then(parameters.charts.rebase_rows(), _CHANGE, as_at)
    rows = pd.concat([rows, stored.rename(columns={"indicator_id": "indicator"})[_CHANGE]])
    days = {name: pd.to_datetime(rows[name]) for name in ("period_start", "recorded_on")}
    keys = ["indicator", "period_start", "kind"]
    return rows.assign(**days).drop_duplicates(keys, ignore_index=True)


def declared_baselines(parameters: Parameters, as_at: date) -> pd.DataFrame:
    """Frozen usual ranges: by their periods, or by three numbers; what is not given is missing."""
    rows = _known_then(parameters.charts.baseline_rows(), _BASELINE, as_at)
    days = {name: pd.to_datetime(rows[name]) for name in _BASELINE[1:4]}
    return rows.assign(**days).astype(dict.fromkeys(_FROZEN, float))


def _known_then(rows: list[dict[str, Any]], columns: list[str], as_at: date) -> pd.DataFrame:
    """Rows that had been recorded: a past report is made again as it was known then."""
    return pd.DataFrame([row for row in rows if row["recorded_on"] <= as_at], columns=columns)


def recorded_events(
    changes: pd.DataFrame, parameters: Parameters, as_at: date
) -> dict[str, pd.DataFrame]:
    """All that people recorded on indicators, as `chart_events` takes it."""
    entries, common = parameters.register.indicators, parameters.framework.exceptional_periods
    spans = [
        {"indicator": name, "on": span.from_, "until": span.to, "text": span.reason}
        for name, entry in entries.items()
        for span in (*common, *entry.exceptional_periods)
    ]
    charts = parameters.charts
    frozen = [
        {**row, "on": row["period_until"] or row["recorded_on"], "text": row["reason"]}
        for row in charts.baseline_rows()
        if row["recorded_on"] <= as_at
    ]
    told = changes[changes["kind"] != "restatement"]  # restated values are events of their own
    return {
        "changes": told.rename(columns={"period_start": "on", "reason": "text"}),
        "exceptional": pd.DataFrame(spans),
        "baseline": pd.DataFrame(frozen),
        "annotation": pd.DataFrame(charts.annotation_rows()),
    }


def independent_levels(trends: pd.DataFrame, points: pd.DataFrame) -> pd.DataFrame:
    """Rows in which a step may be looked for: single, independent values since the last break.

    Seasonal parts are removed, and so are series whose values depend on each other: those wander
    without any step.
    """
    plain = trends["shape"].isin(["discrete", "seasonal"]) & (trends["method"] == "xmr")
    rows = points[points["series"].isin(trends.loc[plain, "series"])]
    rows = rows[rows["segment"] == rows.groupby("series")["segment"].transform("max")]
    return rows.assign(value=rows["value"] - rows["effect"].fillna(0))


def chart_events(
    own: pd.DataFrame,
    register: pd.DataFrame,
    recorded: Mapping[str, pd.DataFrame],
    *,
    restated: pd.DataFrame | None = None,
    suggested: pd.DataFrame | None = None,
) -> pd.DataFrame:
    """Everything worth a mark on a chart, one row an event, by series and period.

    Parameters
    ----------
    own
        Observations of the council: series, indicator, period (start), period_end.
    register
        One row an indicator.
    recorded
        By kind ("changes", whose rows say theirs, "annotation", "baseline", "exceptional"):
        indicator, on (the day it began), and where known until, kind, text, owner, recorded_on.
    restated
        Rows of `Store.restatements`; those of other councils are left out.
    suggested
        Rows of `steps.suggested_steps`; one within a year of a recorded change is left out.

    Returns
    -------
    DataFrame
        series, period (that of the series in which it began: the first one for what is older,
        none for what lies beyond the newest), until, kind, text, owner, recorded_on (ISO day or
        ""), evidence, period_label.
    """
    parts = [
        _placed(rows.assign(kind=rows.get("kind", kind)), own, kind == "changes")
        for kind, rows in recorded.items()
        if len(rows)
    ]
    parts = [_empty(own), *parts, _restatements(restated, own, register)]
    told = pd.concat(parts, ignore_index=True)
    if suggested is not None and len(suggested):
        told = pd.concat([told, _suggestions(suggested, told)], ignore_index=True)
    days = pd.to_datetime(told["recorded_on"]).dt.strftime("%Y-%m-%d")
    texts = told[["text", "owner", "evidence"]].assign(recorded_on=days).astype("object")
    told[texts.columns] = texts.fillna("").astype("str")
    told = told.sort_values(["series", "period", "kind", "text"], ignore_index=True)
    of = own.drop_duplicates("series").set_index("series")["indicator"]
    return told.assign(period_label=labels(told["series"].map(of), told["period"], register))


def _empty(own: pd.DataFrame) -> pd.DataFrame:
    days = {"until": pd.Series(dtype=own["period"].dtype)}
    return own[["series", "period"]].head(0).reindex(columns=COLUMNS).assign(**days)


def _placed(rows: pd.DataFrame, own: pd.DataFrame, from_next: bool) -> pd.DataFrame:
    """Put each event at the period of each series of its indicator in which it began.

    A change holds from the first period that begins with it (`from_next`), a span from the first
    period of which the middle lies inside, as `frames.in_exceptional_period` has it; other events
    belong to the period in which their day lies.
    """
    spans = own[["series", "indicator", "period", "period_end"]]
    known = rows.reindex(columns=rows.columns.union(["until"]))
    pairs = known.assign(event=range(len(rows))).merge(spans, on="indicator")
    pairs["until"] = pd.to_datetime(pairs["until"])
    day, length = pd.to_datetime(pairs["on"]), pairs["period_end"] - pairs["period"]
    middle = pairs["period"] + length / 2
    begun = pairs["period"] >= day if from_next else pairs["period_end"] >= day
    # What happened before the first figure has no place on its chart.
    begun &= day >= pairs.groupby("series")["period"].transform("min")
    begun = begun.where(pairs["until"].isna(), middle.between(day, pairs["until"]))
    first = pairs[begun].sort_values("period", kind="stable")
    return first.drop_duplicates(["series", "event"]).reindex(columns=COLUMNS)


def _restatements(
    restated: pd.DataFrame | None, own: pd.DataFrame, register: pd.DataFrame
) -> pd.DataFrame:
    """Published values that were later changed: what stood there before is the evidence."""
    if restated is None or restated.empty:
        return _empty(own)
    rows = restated.assign(series=series_key(restated), kind="restatement")
    rows = rows.merge(own[["series", "period", "period_end"]], on=["series", "period_end"])
    places = rows["indicator_id"].map(register.set_index("indicator")["decimals"]).astype(int)
    before = [f"{v:.{n}f}" for v, n in zip(rows["old_value"], places, strict=True)]
    rows = rows.assign(evidence=before, recorded_on=rows["new_as_at"])
    rows = rows.sort_values("new_as_at", kind="stable").reindex(columns=COLUMNS)
    return rows.drop_duplicates(["series", "period"], keep="last")


def _suggestions(suggested: pd.DataFrame, told: pd.DataFrame) -> pd.DataFrame:
    """Suggested steps that no recorded change explains."""
    rows = suggested.assign(kind="suggested_step", text="")
    known = told[told["kind"].isin(["definition", "boundary", "rebase"])]
    pairs = rows[["series", "period"]].merge(known[["series", "period"]], on="series")
    near = pairs[(pairs["period_x"] - pairs["period_y"]).abs() <= _SAME_EVENT]
    explained = pd.MultiIndex.from_frame(near[["series", "period_x"]])
    keys = pd.MultiIndex.from_frame(rows[["series", "period"]])
    return rows[~keys.isin(explained)].reindex(columns=COLUMNS)


def with_baselines_used(events: pd.DataFrame, trends: pd.DataFrame) -> pd.DataFrame:
    """Say of a recorded baseline that no limits come from that it is not used."""
    frozen = events["series"].isin(trends.loc[trends["limits_from"] == "frozen", "series"])
    unused = (events["kind"] == "baseline") & ~frozen
    return events.assign(kind=events["kind"].mask(unused, "unused_baseline"))
