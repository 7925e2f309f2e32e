"""Before a trend is judged: segments, shape, and the method that each series' data allow."""

import numpy as np
import pandas as pd

from pmf_analysis.measures.arrays import LIMITS, SENTENCES, TABLES, Column, Flags, Frame, constants
from pmf_analysis.measures.history import complete_periods, independent_points
from pmf_analysis.measures.polarity import TARGETS, first_text, said, target_bands, undeclared
from pmf_analysis.measures.shape import detect_shape, season_effects

FEWEST, CHART_FROM = 5, 13  # points for any verdict; for a control chart and for assurance
TOLERANCES = ["tolerance_low", "tolerance_high"]
_SET = constants("trend_plan")
UNJUDGED = _SET.unjudged | {"signal_from": pd.NaT}


def completed(frame: Frame) -> Frame:
    """Add rows for left-out periods, with the settings of their series."""
    full = complete_periods(frame, 12 / frame["periods_per_year"])
    full = full.sort_values(["series", "period"], ignore_index=True)
    settings = frame.columns.intersection(["indicator", "area", *TABLES["settings"], *TARGETS[1:]])
    known = frame.drop_duplicates("series", keep="last").set_index("series")[settings]
    added = full["indicator"].isna()
    full.loc[added, settings] = known.loc[full.loc[added, "series"]].to_numpy()
    return full


def recorded(changes: Frame | None) -> tuple[Frame, Frame]:
    """Part changes into breaks and rebases that count, and rebases that lack their record.

    A rebase hides what went before, so it needs a reason, an owner and the day it was recorded.
    """
    changes = (pd.DataFrame() if changes is None else changes).reindex(columns=TABLES["changes"])
    is_break = changes["kind"].isin(["definition", "boundary"])
    is_break &= ~changes["comparable"].isin([True])
    record = changes[["reason", "owner", "recorded_on"]].astype("object")
    told = (record.notna() & (record != "")).all(axis=1)
    rebase = changes["kind"] == "rebase"
    return changes.assign(is_break=is_break)[is_break | (rebase & told)], changes[rebase & ~told]


def with_segments(frame: Frame, changes: Frame) -> Frame:
    """Number segments: `segment` after any break or rebase, `run` after breaks alone.

    `is_current` marks the newest segment that has a value, `is_rebased` series whose run has
    values before that segment.
    """
    segment, run = np.zeros((2, len(frame)), dtype=np.int64)
    for change in changes.to_dict("records"):
        begun = frame["period"] >= change["period_start"]
        after = (begun & (frame["indicator"] == change["indicator"])).to_numpy(bool)
        segment += after
        run += after & change["is_break"]
    frame = frame.assign(segment=segment, run=run)
    of, valued = frame["series"], frame["value"].notna()
    current = segment == frame["segment"].where(valued).groupby(of).transform("max")
    same_run = run == frame["run"].where(current).groupby(of).transform("max")
    rebased = (valued & ~current & same_run).groupby(of).transform("any")
    return frame.assign(is_current=current, is_rebased=rebased.astype(bool))


def plan_methods(frame: Frame) -> Frame:
    """Choose shape, treatment and method of every series, and refuse what cannot be judged."""
    settings = frame.drop_duplicates("series", keep="last").set_index("series")
    plan = settings.reindex(columns=["indicator", "area", *TABLES["settings"]])
    hidden = (frame["status"] == "suppressed").groupby(frame["series"]).mean()
    plan["hidden_share"] = hidden.reindex(plan.index)
    current = frame[frame["is_current"]]
    rates, declared = plan["periods_per_year"].fillna(1).to_dict(), plan["accumulation"].to_dict()
    # Values left out as exceptional are no gaps, and a carried one may repeat them.
    shapes, seen = (
        detect_shape(rows, periods_per_year=rates, declared=declared).set_index("series")
        for rows in (current, current.assign(value=current["shown_value"]))
    )
    shapes = shapes.assign(features=seen["features"], shape_evidence=shapes["evidence"])
    plan = plan.join(shapes[_SET.shape].astype("str")).fillna(dict.fromkeys(_SET.shape, ""))
    plan = plan.replace({"shape": {"": "too_short"}, "treatment": {"": "none"}})
    # What pmf guessed nobody has declared: values that look otherwise are not judged by it.
    plan["is_guessed"] = plan["guessed"].str.contains("accumulation", na=False)
    said = plan["contradiction"].str.replace("Declared as", "Taken as")
    plan["contradiction"] = plan["contradiction"].mask(plan["is_guessed"], said)
    rolling = current["accumulation"] == "rolling"
    counted = pd.concat([current[~rolling], independent_points(current[rolling])])
    plan["n"] = counted.groupby("series")["value"].count().reindex(plan.index, fill_value=0)
    plan["reason"] = _refusals(plan, frame)
    methods = [plan["reason"] != "", plan["n"] >= CHART_FROM]
    plan["method"] = np.select(methods, ["none", "xmr"], "mann_kendall")
    plan["value"] = frame.groupby("series")["value"].last()
    unknown = dict.fromkeys(["slope", "p_value", "scatter", *LIMITS], np.nan)
    return plan.assign(**UNJUDGED, **unknown)


def _refusals(plan: Frame, frame: Frame) -> Column:
    """Say in plain words why a series cannot be judged; "" where it can."""
    n, rolling = plan["n"].astype(str), plan["accumulation"] == "rolling"
    broken = frame.groupby("series")["segment"].max().reindex(plan.index) > 0
    since = first_text(plan.index, [(broken, " since the last recorded change")])
    few, needed = plan["n"] < FEWEST, since + "; a verdict needs five."
    short = plan["n"] < CHART_FROM
    reasons = [
        (plan["n"] == 0, "There is no usable value" + since + "."),
        (plan["shape"] == "ytd", SENTENCES["total"]),
        ((plan["shape"] == "rolling") & ~rolling, SENTENCES["windows"]),
        (plan["is_guessed"] & ~rolling & (plan["contradiction"] != ""), plan["contradiction"]),
        (few & rolling, "The figures overlap: those that share no data are " + n + needed),
        (plan["n"] == 1, "There is one usable value" + needed),
        (few, "There are " + n + " usable values" + needed),
        (short & (plan["treatment"] == "season_means_removed"), SENTENCES["few_seasons"]),
        (short & (plan["treatment"] == "wider_limits"), SENTENCES["few_dependent"]),
    ]
    return first_text(plan.index, reasons)


def target_lines(frame: Frame, targets: Frame | None) -> Frame:
    """Target, band and tolerated edge in force at every row.

    Where a range is best: the target's own band, else its value with its tolerance on both sides,
    else the register's band. `tolerance_low` (`tolerance_high`) is the outer edge of what is still
    tolerated below (above) the target, NaN on a side where nothing is.
    """
    bands = target_bands(frame, targets, ["tolerance_abs", "tolerance_pct"])
    way, target, low, high = frame["polarity"], *(bands[name] for name in TARGETS)

    def allowed(edge: Column) -> Column:
        width = bands["tolerance_abs"].fillna(bands["tolerance_pct"] / 100 * edge.abs())
        return width.where(width > 0)

    by_value = low.isna() & high.isna() & (way == "range")
    for name, sign, edge in (("low", -1, low), ("high", 1, high)):
        bands[f"target_{name}"] = edge.mask(by_value, target + sign * allowed(target))
        outer = (edge + sign * allowed(edge)).where(way == "range")
        wanted = way == ("higher" if sign < 0 else "lower")
        bands[f"tolerance_{name}"] = outer.mask(wanted, target + sign * allowed(target))
        default = frame[f"target_{name}"].where(way == "range")
        bands[f"target_{name}"] = bands[f"target_{name}"].fillna(default)
    return frame[["series", "period"]].join(bands[[*TARGETS, *TOLERANCES]])


def with_baseline(frame: Frame, baselines: Frame) -> Frame:
    """Mark the rows of recorded baselines that are given as periods: `in_baseline`."""
    known = baselines.set_index("indicator")[["period_from", "period_until"]]
    spans = frame[["indicator"]].join(known, on="indicator")
    inside = frame["period"] <= spans["period_until"]
    return frame.assign(in_baseline=inside & ~(frame["period"] < spans["period_from"]))


def declared_baselines(baselines: Frame | None) -> Frame:
    """Give recorded baselines all their columns, with dates as dates."""
    dates = ["period_from", "period_until", "recorded_on"]
    table = pd.DataFrame() if baselines is None else baselines
    kinds = {"indicator": "str", **dict.fromkeys(dates, "datetime64[us]")}
    kinds |= dict.fromkeys(LIMITS, "float64")
    return table.reindex(columns=list(kinds)).astype(kinds)


def season_parts(frame: Frame, plan: Frame) -> Column:
    """Seasonal part of every row that is judged without it; 0 elsewhere.

    Taken from the recorded baseline where that covers full years enough, so that frozen limits do
    not move with the seasons of later years.
    """
    treatment = frame["series"].map(plan["treatment"])
    rows = frame[frame["is_current"] & (treatment == "season_means_removed")]
    base = rows[rows["in_baseline"]].dropna(subset=["value"])
    years = base.groupby("series")["value"].count() / plan["periods_per_year"]
    seen, seasons = (
        part["period"].dt.month.groupby(part["series"]).nunique().reindex(plan.index)
        for part in (base, rows)
    )
    whole = plan.index[(years.reindex(plan.index) >= _SET.baseline_years) & (seen == seasons)]
    apart = rows["series"].isin(whole) & ~rows["in_baseline"]
    effects = season_effects(rows.assign(value=rows["value"].mask(apart)))
    return effects.reindex(frame.index).fillna(0.0)


def tested_rows(frame: Frame) -> Frame:
    """Rows that methods may use: without seasons, and of overlapping windows those apart."""
    rows = frame.assign(value=frame["value"] - frame["effect"])
    rolling = rows["accumulation"] == "rolling"
    if not rolling.any():
        return rows
    apart = independent_points(rows[rolling & rows["is_current"]])
    apart = complete_periods(apart, 12 * apart["span_years"]).sort_values(["series", "period"])
    for name in ("is_current", "segment", "in_baseline"):
        apart[name] = apart[name].ffill().astype(rows[name].dtype)
    return pd.concat([rows[~rolling], apart])


def without_unjudged(plan: Frame) -> Frame:
    """Withdraw the verdict where nobody said what is better, or the values do not bear one."""
    tests = {
        "newest_out": plan["is_newest_out"],
        "newest_hidden": plan["is_newest_hidden"],
        "current_prices": plan["price_basis"] == "current",
    }
    tests["hidden"] = plan["hidden_share"] > _SET.most_hidden
    reason = first_text(plan.index, [*undeclared(plan), *said(tests)])
    chosen = (reason != "") & (plan["verdict"] != "cannot_judge")
    withdrawn = UNJUDGED | {"method": "none", "chance_alone": np.nan}
    plan.loc[chosen, list(withdrawn)] = list(withdrawn.values())
    return plan.assign(reason=plan["reason"].mask(chosen, reason))


def add_reason(plan: Frame, chosen: Column | Flags, text: str) -> None:
    """Say one thing more about the chosen series, in place."""
    plan["reason"] = plan["reason"].mask(chosen, (plan["reason"] + " " + text).str.strip())
