"""Before a trend is judged: segments, shape, and the method that each series' data allow."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd

from pmf_analysis.measures.history import complete_periods, independent_points
from pmf_analysis.measures.polarity import TARGETS, first_text, target_bands
from pmf_analysis.measures.shape import detect_shape, season_effects
from pmf_analysis.measures.spc import LIMITS

FEWEST, CHART_FROM = 5, 13  # points for any verdict; for a control chart and for assurance
BREAKS = ["definition", "boundary"]
MOST_HIDDEN = 1 / 3  # hidden values above which what is left is not the series
UNJUDGED: dict[str, Any] = {"verdict": "cannot_judge", "rule": "none", "rule_points": 0}
UNJUDGED |= {"evidence": "none", "assurance": ""}


def completed(frame: pd.DataFrame) -> pd.DataFrame:
    """Add rows for left-out periods, with the settings of their series."""
    months = dict(zip(frame["series"], 12 / frame["periods_per_year"], strict=True))
    full = complete_periods(frame, months).sort_values(["series", "period"], ignore_index=True)
    settings = ["indicator", "area", "polarity", "accumulation", "periods_per_year", "span_years"]
    settings = [name for name in [*settings, *TARGETS[1:]] if name in full.columns]
    known = frame.drop_duplicates("series", keep="last").set_index("series")[settings]
    added = full["indicator"].isna()
    full.loc[added, settings] = known.loc[full.loc[added, "series"]].to_numpy()
    return full


def with_segments(frame: pd.DataFrame, changes: pd.DataFrame | None) -> pd.DataFrame:
    """Number segments: `segment` after any break or rebase, `run` after breaks alone."""
    frame = frame.assign(segment=0, run=0)
    for change in () if changes is None else changes.to_dict("records"):
        is_break = change["kind"] in BREAKS and change.get("comparable") is not True
        if is_break or change["kind"] == "rebase":
            after = frame["indicator"] == change["indicator"]
            after &= frame["period"] >= change["period_start"]
            frame["segment"] += after.astype(int)
            frame["run"] += (after & is_break).astype(int)
    valued = frame["segment"].where(frame["value"].notna())
    newest = valued.groupby(frame["series"]).transform("max")
    return frame.assign(is_current=frame["segment"] == newest)


def plan_methods(frame: pd.DataFrame) -> pd.DataFrame:
    """Choose shape, treatment and method of every series, and refuse what cannot be judged."""
    settings = frame.drop_duplicates("series", keep="last").set_index("series")
    names = ["indicator", "area", "polarity", "periods_per_year", "accumulation"]
    plan = settings.reindex(columns=names)
    current = frame[frame["is_current"]]
    shapes = detect_shape(
        current,
        periods_per_year=by_series(plan["periods_per_year"].fillna(1)),
        declared=by_series(plan["accumulation"]),
    ).set_index("series")
    plan = plan.join(shapes[["shape", "treatment"]])
    plan = plan.fillna({"shape": "too_short", "treatment": "none"})
    rolling = current["accumulation"] == "rolling"
    counted = pd.concat([current[~rolling], independent_points(current[rolling])])
    plan["n"] = (
        counted["value"].groupby(counted["series"]).count().reindex(plan.index, fill_value=0)
    )
    plan["reason"] = _refusals(plan, frame)
    plan["method"] = np.select(
        [plan["reason"] != "", plan["n"] >= CHART_FROM], ["none", "xmr"], "mann_kendall"
    )
    plan["value"] = frame.dropna(subset=["value"]).groupby("series")["value"].last()
    unknown = dict.fromkeys(["slope", "p_value", "scatter", *LIMITS], np.nan)
    return plan.assign(**UNJUDGED, **unknown)


def _refusals(plan: pd.DataFrame, frame: pd.DataFrame) -> pd.Series:
    """Say in plain words why a series cannot be judged; "" where it can."""
    n, rolling = plan["n"].astype(str), plan["accumulation"] == "rolling"
    broken = frame.groupby("series")["segment"].max().reindex(plan.index) > 0
    since = pd.Series("", plan.index, dtype="str").mask(broken, " since the last recorded change")
    few, needed = plan["n"] < FEWEST, since + "; a verdict needs five."
    total = (
        "A running total without counts: it can only be compared with the same period last year."
    )
    windows = "The figures move as overlapping windows do; none is declared."
    reasons = [
        (plan["n"] == 0, "There is no usable value" + since + "."),
        (plan["shape"] == "ytd", total),
        ((plan["shape"] == "rolling") & ~rolling, windows),
        (few & rolling, "The figures overlap: only " + n + " share no data" + needed),
        (few, "Only " + n + " usable values" + needed),
    ]
    return first_text(plan.index, reasons)


def target_lines(frame: pd.DataFrame, targets: pd.DataFrame | None) -> pd.DataFrame:
    """Give target and band in force at every row; the register's band is the default of "range"."""
    bands = target_bands(frame, targets)
    for name in TARGETS[1:]:
        bands[name] = bands[name].fillna(frame[name].where(frame["polarity"] == "range"))
    return frame[["series", "period"]].join(bands)


def season_parts(frame: pd.DataFrame, plan: pd.DataFrame) -> pd.Series:
    """Seasonal part of every row that is judged without it; 0 elsewhere."""
    treatment = frame["series"].map(plan["treatment"])
    chosen = frame["is_current"] & (treatment == "season_means_removed")
    return season_effects(frame[chosen]).reindex(frame.index).fillna(0.0)


def tested_rows(frame: pd.DataFrame) -> pd.DataFrame:
    """Rows that methods may use: without seasons, and of overlapping windows those apart."""
    rows = frame.assign(value=frame["value"] - frame["effect"])
    rolling = rows["accumulation"] == "rolling"
    apart = independent_points(rows[rolling & rows["is_current"]])
    months = dict(zip(apart["series"], 12 * apart["span_years"], strict=True))
    apart = complete_periods(apart, months)
    return pd.concat([rows[~rolling], apart]).fillna({"is_current": True, "segment": 0})


def by_series(column: pd.Series) -> dict[str, Any]:
    """Make a mapping of a column that is indexed by series."""
    return {str(series): value for series, value in column.items()}


def with_basis(plan: pd.DataFrame, frame: pd.DataFrame, register: pd.DataFrame) -> pd.DataFrame:
    """Add the share of hidden values and the price basis of each series."""
    hidden = (frame["status"] == "suppressed") if "status" in frame.columns else frame["run"] < 0
    share = hidden.groupby(frame["series"]).mean().reindex(plan.index).fillna(0.0)
    basis = register.set_index("indicator").get("price_basis", pd.Series(dtype="str"))
    prices = plan["indicator"].map(basis.to_dict()).astype("str").fillna("")
    return plan.assign(hidden_share=share, price_basis=prices)


def without_basis(plan: pd.DataFrame) -> pd.DataFrame:
    """Withdraw the verdict where what the values stand for does not bear one."""
    reasons = {
        "In current prices, which rise with inflation: not judged.": plan["price_basis"]
        == "current",
        "Too many figures are hidden as small numbers for a verdict.": plan["hidden_share"]
        > MOST_HIDDEN,
    }
    for reason, applies in reasons.items():
        withdraw(plan, applies & (plan["verdict"] != "cannot_judge"), reason)
    return plan


def withdraw(plan: pd.DataFrame, chosen: pd.Series, reason: str) -> None:
    """Take back the verdict of the chosen series, in place, for a reason in plain words."""
    answer = {**UNJUDGED, "method": "none", "chance_alone": np.nan, "reason": reason}
    for name, value in answer.items():
        plan.loc[chosen, name] = value
