"""What happened to a series: recorded breaks, restated values, annotations, suggested steps.

Events are drawn and named on charts. Recorded breaks and rebases also start a new segment (that is
`trend_plan`'s doing); annotations and suggestions change no figure.

A suggested step is a question to a person ("did anything change here?"). Nothing applies it: a new
usual range starts only where somebody has recorded a reason, a role and a date.
"""

import math
from collections.abc import Iterator
from datetime import date
from typing import Any

import numpy as np
import pandas as pd

from pmf_analysis.data.contract import series_key
from pmf_analysis.measures.arrays import PRECISION, TABLES, Floats, Frame, Frames, Known, constants
from pmf_analysis.measures.result_tables import labels
from pmf_analysis.parameters.workspace import Parameters

_SET = constants("events")
STEPS = ["series", "period", "evidence"]


def declared_changes(stored: Frame, parameters: Parameters, as_at: date) -> Frame:
    """Changes that came with the data, and the rebases that the parameters declared by then.

    A rebase that both name stands once, as the parameters have it.
    """
    rows = _known_then(parameters.charts.rebase_rows(), TABLES["changes"], as_at)
    stored = stored.rename(columns={"indicator_id": "indicator"})
    rows = pd.concat([rows, stored[TABLES["changes"]]])
    days = {name: pd.to_datetime(rows[name]) for name in ("period_start", "recorded_on")}
    keys = ["indicator", "period_start", "kind"]
    return rows.assign(**days).drop_duplicates(keys, ignore_index=True)


def declared_baselines(parameters: Parameters, as_at: date) -> Frame:
    """Frozen usual ranges: by their periods, or by three numbers; what is not given is missing."""
    return _known_then(parameters.charts.baseline_rows(), TABLES["baselines"], as_at)


def _known_then(rows: list[dict[str, Any]], columns: list[str], as_at: date) -> Frame:
    """Rows that had been recorded: a past report is made again as it was known then."""
    return pd.DataFrame([row for row in rows if row["recorded_on"] <= as_at], columns=columns)


def recorded_events(changes: Frame, frozen: Frame, parameters: Parameters) -> dict[str, Frame]:
    """All that people recorded on indicators, as `chart_events` takes it.

    `frozen`: as `declared_baselines` gives it.
    """
    entries, common = parameters.register.indicators, parameters.framework.exceptional_periods
    spans = [
        {"indicator": name, "on": span.from_, "until": span.to, "text": span.reason}
        for name, entry in entries.items()
        for span in (*common, *entry.exceptional_periods)
    ]
    frozen = frozen.assign(on=frozen["period_until"].fillna(frozen["recorded_on"]))
    told = changes[changes["kind"] != "restatement"]  # restated values are events of their own
    names = {"period_start": "on", "reason": "text"}
    found = {"changes": told.rename(columns=names), "exceptional": pd.DataFrame(spans)}
    noted = pd.DataFrame(parameters.charts.annotation_rows())
    return found | {"baseline": frozen.rename(columns=names), "annotation": noted}


def independent_levels(trends: Frame, points: Frame) -> Frame:
    """Rows in which a step may be looked for: single, independent values since the last break.

    Seasonal parts are removed, and so are series whose values depend on each other: those wander
    without any step.
    """
    plain = trends["shape"].isin(["discrete", "seasonal"]) & (trends["method"] == "xmr")
    rows = points[points["series"].isin(trends.loc[plain, "series"])]
    rows = rows[rows["segment"] == rows.groupby("series")["segment"].transform("max")]
    return rows.assign(value=rows["value"] - rows["effect"].fillna(0))


def chart_events(
    own: Frame, register: Frame, recorded: Frames, restated: Known = None, suggested: Known = None
) -> Frame:
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
        Rows of `suggested_steps`; one within a year of a recorded change is left out.

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
    if restated is not None and len(restated):
        parts.append(_restatements(restated, own, register))
    none = own[["series", "period"]].head(0).reindex(columns=TABLES["events"])
    none["until"] = none["until"].astype(own["period"].dtype)
    told = pd.concat([none, *parts], ignore_index=True)
    if suggested is not None and len(suggested):
        told = pd.concat([told, _suggestions(suggested, told)], ignore_index=True)
    days = pd.to_datetime(told["recorded_on"]).dt.strftime("%Y-%m-%d")
    texts = told[["text", "owner", "evidence"]].assign(recorded_on=days).astype("object")
    told[texts.columns] = texts.fillna("").astype("str")
    told = told.sort_values(["series", "period", "kind", "text"], ignore_index=True)
    of = own.drop_duplicates("series").set_index("series")["indicator"]
    return told.assign(period_label=labels(told["series"].map(of), told["period"], register))


def _placed(rows: Frame, own: Frame, from_next: bool) -> Frame:
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
    return first.drop_duplicates(["series", "event"]).reindex(columns=TABLES["events"])


def _restatements(restated: Frame, own: Frame, register: Frame) -> Frame:
    """Published values that were later changed: what stood there before is the evidence."""
    rows = restated.assign(series=series_key(restated), kind="restatement")
    rows = rows.merge(own[["series", "period", "period_end"]], on=["series", "period_end"])
    places = rows["indicator_id"].map(register.set_index("indicator")["decimals"]).astype(int)
    before = [f"{v:.{n}f}" for v, n in zip(rows["old_value"], places, strict=True)]
    rows = rows.assign(evidence=before, recorded_on=rows["new_as_at"])
    rows = rows.sort_values("new_as_at", kind="stable").reindex(columns=TABLES["events"])
    return rows.drop_duplicates(["series", "period"], keep="last")


def _suggestions(suggested: Frame, told: Frame) -> Frame:
    """Suggested steps that no recorded change explains."""
    rows = suggested.assign(kind="suggested_step", text="").reset_index(drop=True)
    known = told.loc[told["kind"].isin(["definition", "boundary", "rebase"]), ["series", "period"]]
    pairs = rows.rename_axis("row").reset_index().merge(known, on="series")
    near = (pairs["period_x"] - pairs["period_y"]).abs() <= pd.Timedelta(days=_SET.same_event)
    return rows.drop(pairs.loc[near, "row"].unique()).reindex(columns=TABLES["events"])


def with_baselines_used(events: Frame, trends: Frame) -> Frame:
    """Say of a recorded baseline that no limits come from that it is not used."""
    frozen = events["series"].isin(trends.loc[trends["limits_from"] == "frozen", "series"])
    unused = (events["kind"] == "baseline") & ~frozen
    return events.assign(kind=events["kind"].mask(unused, "unused_baseline"))


def suggested_steps(observations: Frame) -> Frame:
    """Suggest where the level of each series of at least 13 values stepped.

    Exact least-squares steps (ruptures' linear kernel), at least six values apart, at most three;
    only where they describe the series clearly better than one level or a straight line does, and
    not where a place nearer to an end of the two levels fits better: its date cannot be told.

    Parameters
    ----------
    observations
        Columns series, period, value; without seasons, if there are any. Missing and infinite
        values are left out.

    Returns
    -------
    DataFrame
        A row a step: series, period (first one of the new level), evidence (the averages between
        neighbouring steps).
    """
    ordered = observations.sort_values(["series", "period"], kind="stable")
    ordered = ordered[np.isfinite(ordered["value"].to_numpy(float, na_value=np.nan))]
    rows = []
    for name, part in ordered.groupby("series", sort=True):
        steps = _steps(part["value"].to_numpy(float))
        rows += [(name, part["period"].iloc[place], evidence) for place, evidence in steps]
    table = pd.DataFrame(rows, columns=STEPS)
    return table.astype(observations.dtypes[["series", "period"]]) if table.empty else table


def _steps(values: Floats) -> Iterator[tuple[int, str]]:
    """Place and evidence of every suggested step whose date the values can tell."""
    found = _starts(values) if len(values) >= _SET.fewest else []
    around = zip([0, *found], found, [*found[1:], len(values)], strict=False)
    starts = [place for low, place, high in around if _is_best(values[low:high], place - low)]
    parts = np.split(values, starts)
    for place, before, after in zip(starts, parts, parts[1:], strict=False):
        low, high = float(before.mean()), float(after.mean())
        digits = min(max(1 - math.floor(math.log10(abs(high - low))), 0), 6)
        then = f"Average of {len(before)} figures before {low:,.{digits}f}, "
        yield place, then + f"of {len(after)} after {high:,.{digits}f}."


def _is_best(values: Floats, place: int) -> bool:
    """Whether no place fits better that is merely too near an end for a step to stand there."""
    n, apart = len(values), _SET.apart
    places = [place, *range(1, apart), *range(n - apart + 1, n)]
    squares = [sum(x.var() * len(x) for x in np.split(values, [cut])) for cut in places]
    return bool(squares[0] <= min(squares))


def _starts(values: Floats) -> list[int]:
    """First position of every new level; none where one level or a line does as well."""
    from ruptures import KernelCPD

    n, centred = len(values), values - values.mean()
    spread = float(np.abs(centred).max())
    if spread <= PRECISION * float(np.abs(values).max()):
        return []
    scaled, time = centred / spread, np.arange(n) - (n - 1) / 2
    line = scaled - time * (time @ scaled) / (time @ time)
    most = min(_SET.most, n // _SET.apart - 1)
    search = KernelCPD(kernel="linear", min_size=_SET.apart).fit(scaled[:, None])
    search.predict(n_bkps=most)
    found = [search.segmentations_dict[count][:-1] for count in range(1, most + 1)]
    options: list[tuple[Floats, Any, float]] = [(scaled, [], 0.0), (line, [], _SET.line_price)]
    options += [(scaled, starts, _SET.step_price * len(starts)) for starts in found]
    # Residuals of values between -1 and 1: below the floor, exact levels are no better.
    parts = [np.split(levelled, starts) for levelled, starts, _ in options]
    squares = [sum(float(np.sum((x - x.mean()) ** 2)) for x in each) for each in parts]
    costs = n * np.log(np.maximum(squares, n * PRECISION)) + [price for *_, price in options]
    return [int(start) for start in options[int(np.argmin(costs))][1]]
