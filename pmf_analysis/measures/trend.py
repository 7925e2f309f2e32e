"""The verdict layer: is the change real? One answer a series, by the method its data allow.

Refused, with the reason: fewer than five points, a running total without counts, overlapping
windows of which fewer than five share no data. Annual series with counts or intervals: the
Fingertips recent trend, guarded. Thirteen points and more: an XmR chart, seasons removed where
they show. Else: the exact Mann-Kendall test.
"""

from dataclasses import asdict
from typing import Any

import numpy as np
import pandas as pd

from pmf_analysis.measures import change_test, dependence, history, short_series, spc, trend_plan
from pmf_analysis.measures.arrays import LIMITS, SENTENCES, TABLES, Frame, constants
from pmf_analysis.measures.arrows import arrows
from pmf_analysis.measures.polarity import TARGETS, point_types
from pmf_analysis.measures.special_causes import PROFILES, RuleSet, rule_set
from pmf_analysis.measures.trend_chart import chart_series, verdicts, with_assurance, with_chart

ALARMS = constants("trend_alarms")
DIRECTIONS = {"increasing": 1, "decreasing": -1, "no_change": 0}


def trend_verdicts(
    observations: Frame,
    register: Frame,
    *,
    targets: Frame | None = None,
    changes: Frame | None = None,
    baselines: Frame | None = None,
    rules: str | RuleSet = "mdc",
    period: Any = None,
) -> tuple[Frame, Frame]:
    """Judge the latest movement of every own series.

    Parameters
    ----------
    observations
        Main frame of measures, own series only; a missing or infinite value is none. Values of
        periods declared exceptional (`is_exceptional`) are shown, and left out of averages, limits
        and tests.
    register
        One row an indicator; see `history.with_register`. Undeclared polarity is not judged.
    targets
        The target in force by series and period: target, or target_low and target_high; and where
        set tolerance_abs (own unit) or tolerance_pct (per cent of the target).
    changes
        indicator, period_start, kind, comparable, reason, owner, recorded_on. Definitions and
        boundaries that are not comparable, and rebases with their record, start a new segment;
        only points since then are judged.
    baselines
        indicator, period_from and period_until, or mean, lower_limit and upper_limit; recorded_on.
        Limits stay those, until the next break or rebase.
    rules
        Profile of the control charts, or a rule set.
    period
        Last day (or a Period) of what is reported; rows that start later are left out.

    Returns
    -------
    trends, points
        A row a series with verdict, method, n, evidence and, where it cannot be judged, the
        reason (docs/result-tables.md says what each holds); and the chart's
        table, left-out periods as rows without value. Limits of a seasonal series follow its
        seasons (`effect`).
    """
    known, unrecorded = trend_plan.recorded(changes)
    frozen = trend_plan.declared_baselines(baselines)
    frame = trend_plan.with_segments(_prepared(observations, register, period), known)
    frame = trend_plan.with_baseline(frame, frozen)
    lines = trend_plan.target_lines(frame, targets)
    plan, points, frame = _judged(frame, lines, frozen, rule_set(rules))
    refused = plan["indicator"].isin(unrecorded["indicator"])
    trend_plan.add_reason(plan, refused, SENTENCES["unrecorded"])
    plan["verdict_without_rebase"] = ""
    rebased = frame[frame["is_rebased"]]
    if not rebased.empty:
        again = trend_plan.with_segments(rebased, known[known["is_break"]])
        without, *_ = _judged(again, lines.loc[rebased.index], frozen, rule_set(rules))
        plan.loc[without.index, "verdict_without_rebase"] = without["verdict"]
    return _trend_table(plan, frame, lines), _point_table(frame, points)


def _prepared(observations: Frame, register: Frame, period: Any) -> Frame:
    """Give rows their settings and intervals, hide what is not to be tested, and show gaps."""
    known = observations.assign(status=observations.get("status", np.nan))
    known["value"] = known["value"].where(np.isfinite(known["value"].astype(float)))
    frame = history.with_intervals(history.with_register(known, register))
    if period is not None:
        frame = frame[frame["period"] <= pd.Timestamp(getattr(period, "end", period))]
    frame["shown_value"] = frame["value"]
    if "is_exceptional" in frame.columns:
        tested = ["value", *history.COUNTS]
        frame[tested] = frame[tested].mask(frame["is_exceptional"].astype(bool))
    return trend_plan.completed(frame)


def _judged(frame: Frame, lines: Frame, baselines: Frame, rules: RuleSet) -> tuple[Frame, ...]:
    """Plan, chart and test every series; the plan with its verdicts, the chart, the frame."""
    plan = trend_plan.plan_methods(frame)
    frame = frame.assign(effect=trend_plan.season_parts(frame, plan))
    newest = frame[frame["shown_value"].notna()].groupby("series").tail(1)
    asked = lines.loc[newest.index].set_index("series")
    plan = plan.join(asked[[*TARGETS, *trend_plan.TOLERANCES]])
    tested = trend_plan.tested_rows(frame)
    plan = _with_recent_trend(plan, tested)
    points = chart_series(tested, plan, lines.assign(effect=frame["effect"]), rules, baselines)
    plan = with_chart(plan, points, frame, rules)
    plan = _with_steps(plan, tested)
    plan = _with_mann_kendall(plan, tested)
    plan = with_assurance(plan, points, lines, frame)
    plan = _with_odds(plan, rules)
    plan["is_newest_out"] = plan.index.isin(newest.loc[newest["value"].isna(), "series"])
    told = frame[frame["shown_value"].notna() | (frame["status"] == "suppressed")]
    last = told.groupby("series").tail(1).set_index("series")
    plan["is_newest_hidden"] = last["shown_value"].isna().reindex(plan.index, fill_value=False)
    return trend_plan.without_unjudged(plan), points, frame


def _with_recent_trend(plan: Frame, tested: Frame) -> Frame:
    """Judge annual series by their last five years where counts or intervals allow it.

    Fingertips' criterion, guarded: where the years scatter around the line by more than sampling
    error, chi-square is divided by that scatter before it is compared.
    """
    from scipy.special import chdtrc, fdtrc

    annual = (plan["periods_per_year"] <= 1) & (plan["shape"] == "discrete")
    # The same people or homes are counted year after year: their counts are not fresh samples.
    annual &= plan["accumulation"] != "snapshot"
    rows = _current(tested, plan.index[annual & (plan["method"] != "none")])
    rows = rows.assign(numerator=rows["numerator"].where(rows["interval_from"] == "counts"))
    found = short_series.recent_trend(rows).set_index("series").query("direction != 'cannot_judge'")
    scatter = found["dispersion"].clip(lower=1.0)
    chi_square = found["chi_square"] / scatter
    sign = found["direction"].map(DIRECTIONS).astype(float)
    sign = sign.where(chi_square > short_series.RECENT_CRITICAL, 0)
    last = _current(tested, found.index).groupby("series").tail(5)
    slope = short_series.mann_kendall(last).set_index("series")["slope"]
    held = found.index[(sign == 0) & (found["direction"] != "no_change")]
    plan.loc[held, "reason"] = "The years scatter by more than chance, so no trend is called."
    found["evidence"] = found["method"].replace("proportion", "counts")
    found = found[["n", "evidence"]].assign(method="recent_trend", scatter=scatter, sign=sign)
    # Divided by its own scatter on three degrees of freedom it is an F, not a chi-square.
    found["p_value"] = np.where(scatter > 1, fdtrc(1, 3, chi_square), chdtrc(1, chi_square))
    found["slope"] = slope.where(np.sign(slope) * sign >= 0)
    return _settle(plan, found, last, "recent_trend")


def _with_steps(plan: Frame, tested: Frame) -> Frame:
    """Of dependent series: do most steps go one way, inside the wide range or further out of it."""
    dependent = plan.index[plan["is_dependent"] & (plan["verdict"] != "cannot_judge")]
    rows = _current(tested, dependent).dropna(subset=["value"])
    found = dependence.steps_test(rows)
    off = (plan["value"] - plan["mean"]).reindex(found.index)
    quiet = plan["rule"].reindex(found.index) == "none"
    moved = (found["p_value"] <= ALARMS.steps) & (quiet | (found["sign"] == np.sign(off)))
    return _settle(plan, found[moved], rows, "most_steps")


def _with_mann_kendall(plan: Frame, tested: Frame) -> Frame:
    rows = _current(tested, plan.index[plan["method"] == "mann_kendall"])
    found = short_series.mann_kendall(rows).set_index("series")
    sign = found["direction"].map(DIRECTIONS).astype(float).fillna(0)
    found = found[["p_value", "slope"]].assign(evidence="own_history", sign=sign)
    return _settle(plan, found, rows, "mann_kendall")


def _current(tested: Frame, series: pd.Index) -> Frame:
    """Rows of some series since their last break or rebase."""
    return tested[tested["series"].isin(series) & tested["is_current"].astype(bool)]


def _settle(plan: Frame, found: Frame, tested: Frame, rule: str) -> Frame:
    """Take over what a test of some rows found; `sign` becomes rule and verdict, by polarity."""
    if found.empty:
        return plan
    series, sign = found.index, found["sign"]
    moved = np.where(sign == 0, "none", "trend")
    rows = plan.loc[series].assign(direction=sign, rule=moved, mean=np.nan)
    began = tested.dropna(subset=["value"]).groupby("series")["period"].min()
    verdict = verdicts(point_types(rows, rows["polarity"], rows[TARGETS])).to_numpy()
    told = {"verdict": verdict, "rule": np.where(sign == 0, "none", rule)}
    since = began.reindex(series).where(sign != 0)
    found = found.drop(columns="sign").assign(**told, signal_from=since)
    plan.loc[series, list(found)] = found
    plan.loc[series, "rule_points"] = plan["n"].where(sign != 0, 0).astype(int)
    return plan


def _with_odds(plan: Frame, rules: RuleSet) -> Frame:
    """How often chance alone would give such a verdict, and the smallest step a chart shows."""
    is_chart, dependent = plan["method"] == "xmr", plan["is_dependent"]
    seasonal = plan["treatment"] == "season_means_removed"
    factor = np.where(seasonal, ALARMS.seasonal_factor, 1.0)
    exact = plan["n"].map(lambda n: short_series.attained_size(int(n)))
    alarms = [factor * spc.last_point_alarm(rules, plan["n"]), exact, ALARMS.recent]
    is_method = [plan["method"] == name for name in ("xmr", "mann_kendall", "recent_trend")]
    chance = pd.Series(np.select(is_method, alarms, np.nan), plan.index)
    chance = chance.mask(dependent | (is_chart & (plan["shape"] == "constant")))
    chance = chance.mask(plan["rule"] == "most_steps", ALARMS.steps)
    # A stock that is tested for a tendency, and limits that others set, have rates of their own.
    stock = (plan["accumulation"] == "snapshot") & (plan["method"] == "mann_kendall")
    frozen = plan["limits_from"] == "frozen"
    known = ~stock & ~frozen & (plan["verdict"] != "cannot_judge")
    plan["chance_alone"] = chance.where(known)
    # Taking the seasons away also takes some of the spread with it.
    left = plan["n"] - np.where(seasonal, plan["periods_per_year"] - 1, 0)
    deviation = (plan["upper_limit"] - plan["mean"]) / 3 * np.sqrt(plan["n"] / left.clip(lower=1))
    deviation = deviation.where(is_chart & ~dependent & ~frozen & (deviation > 0))
    for within in ALARMS.look_ahead:
        plan[f"detect_{within}"] = deviation * spc.detectable_step(rules, plan["n"], within)
    # Of a quarter's three months each scatters by the root of three more; a year has twelve.
    monthly = deviation * np.sqrt(3) * spc.detectable_step(rules, 3 * plan["n"], 12)
    plan["detect_monthly"] = monthly.where(plan["periods_per_year"] == 4)
    profiles = [name for name, known in PROFILES.items() if known == rules]
    settings = ", ".join(f"{name}={value}" for name, value in asdict(rules).items())
    plan["rule_profile"] = np.where(is_chart, (*profiles, f"custom: {settings}")[0], "")
    return plan


def _trend_table(plan: Frame, frame: Frame, lines: Frame) -> Frame:
    """One row a series: its newest usable value, what it is compared with, and the verdict."""
    valued = frame[frame["shown_value"].notna()]
    newest = valued.groupby("series").tail(1).set_index("series")
    newest = newest.assign(value=newest["shown_value"]).reindex(columns=TABLES["newest"])
    changes = change_test.like_for_like(frame)
    shown, goals = valued.assign(value=valued["shown_value"]), lines.loc[valued.index]
    told = arrows(shown, plan.drop_duplicates("indicator"), targets=goals)
    told = told.groupby("series").tail(1).set_index("series")[["short", "long"]]
    table = plan.drop(columns="value").join([newest, changes, told.add_prefix("arrow_")])
    table = table.fillna(dict.fromkeys(["change_test", "arrow_short", "arrow_long"], ""))
    return table[TABLES["trends"]].rename_axis("series").reset_index()


def _point_table(frame: Frame, chart: Frame) -> Frame:
    """Every period of every series; limits and signals where a chart was drawn."""
    keys, names = ["series", "period"], [*LIMITS, "rule", "direction", "point_type"]
    points = frame.assign(value=frame["shown_value"])
    points = points.merge(chart[[*keys, *names]], on=keys, how="left")
    points[LIMITS] = points[LIMITS].add(points["effect"], axis=0)
    kind = points["value"].isna().map({True: "missing", False: "common_cause"})
    points["point_type"] = points["point_type"].fillna(kind)
    points = points.fillna({"rule": "none", "direction": 0}).astype({"direction": "int64"})
    return points.reindex(columns=[*keys, "value", "status", "segment", "effect", *names])
