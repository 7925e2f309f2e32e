"""The verdict layer: is the change real? One answer a series, by the method its data allow.

Refused, with the reason: fewer than five points, a running total without counts, overlapping
windows of which fewer than five share no data. Annual series with counts or intervals: the
Fingertips recent trend, guarded. Thirteen points and more: an XmR chart, seasons removed where
they show. Else: the exact Mann-Kendall test.
"""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd

from pmf_analysis.measures import trend_plan
from pmf_analysis.measures.dependence import coefficients, steps_test, widened
from pmf_analysis.measures.history import with_intervals, with_register
from pmf_analysis.measures.polarity import SIGNS, TARGETS, first_text, is_met
from pmf_analysis.measures.short_series import RECENT_CRITICAL, attained_size, mann_kendall
from pmf_analysis.measures.short_series import recent_trend as fingertips
from pmf_analysis.measures.spc import LIMITS, RuleSet, SpcChart, spc_chart

OUTSIDE_ONLY = RuleSet(shift=None, trend=None, two_in_three=False)
DEPENDENT = "Each figure depends on the one before, so the usual range is wider than for others."
STEPS_ALARM = 0.05  # two-sided
STABLE_FOR = 7  # latest points without special cause before limits may be held against a target
# Chance that the last of n independent normal points is flagged by the four rules, screened:
# 40,000 simulated series a length (the statistics page's 20,000 give the same to 0.002).
LAST_POINT_ALARM = {13: 0.0146, 20: 0.0150, 30: 0.0172, 48: 0.0184, 60: 0.0189}
SEASONAL_ALARM = 0.025  # the same after removing seasons: 0.022 to 0.030 at 16 to 60 points
# By construction of the Fingertips criterion; where years scatter beyond sampling error the guard
# holds it to 0.03 to 0.07 (6,000 simulated series each, scatter 1.5 to 3 times; unguarded to 0.26).
RECENT_ALARM, SCATTERED_ALARM = 0.002, 0.05
DIRECTIONS = {"increasing": 1, "decreasing": -1, "no_change": 0}
WORDS = {
    "special_cause_improvement": "improving",
    "special_cause_concern": "worsening",
    "special_cause_neutral_high": "rising",
    "special_cause_neutral_low": "falling",
}

NEWEST = ["period", "value", "status", "value_note", "previous_value", "previous_period", "change"]
NEWEST += ["last_year_value", "last_year_period", "change_on_year"]
TREND_COLUMNS = ["indicator", "area", "polarity", *NEWEST, "n", "shape", "treatment", "method"]
TREND_COLUMNS += [*LIMITS, "slope", "p_value", "rule", "rule_points", "verdict", "assurance"]
TREND_COLUMNS += [*TARGETS, "met_share", "chance_alone", "evidence", "reason"]


def trend_verdicts(
    observations: pd.DataFrame,
    register: pd.DataFrame,
    *,
    targets: pd.DataFrame | None = None,
    changes: pd.DataFrame | None = None,
    period: Any = None,
) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Judge the latest movement of every own series.

    Parameters
    ----------
    observations
        Main frame of measures, own series only; a missing value is NaN. Values of periods declared
        exceptional (`is_exceptional`) are shown, and left out of averages, limits and tests.
    register
        One row an indicator; see `history.with_register`. Undeclared polarity is not judged.
    targets
        The target in force by series and period: target, or target_low and target_high.
    changes
        indicator, period_start, kind, comparable. Definitions and boundaries that are not
        comparable, and rebases, start a new segment; only points since then are judged.
    period
        Last day (or a Period) of what is reported; rows that start later are left out.

    Returns
    -------
    trends, points
        A row a series with verdict, method, n, evidence and, where it cannot be judged, the
        reason; and the chart's table, left-out periods as rows without value. Limits of a seasonal
        series follow its seasons.
    """
    frame = with_intervals(with_register(observations, register))
    if period is not None:
        frame = frame[frame["period"] <= pd.Timestamp(getattr(period, "end", period))]
    frame["shown_value"] = frame["value"]
    if "is_exceptional" in frame.columns:
        frame["value"] = frame["value"].mask(frame["is_exceptional"].astype(bool))
    frame = trend_plan.with_segments(trend_plan.completed(frame), changes)
    plan = trend_plan.plan_methods(frame)
    frame["effect"] = trend_plan.season_parts(frame, plan)
    lines = trend_plan.target_lines(frame, targets)
    newest = lines[frame["value"].notna()].groupby("series").tail(1)
    plan = plan.join(newest.set_index("series")[TARGETS])
    tested = trend_plan.tested_rows(frame)
    plan = trend_plan.with_basis(plan, frame, register)
    plan = _with_recent_trend(plan, tested)
    chart = _chart(tested, plan, lines.assign(effect=frame["effect"]))
    plan = _with_chart(plan, chart, frame)
    plan = _with_steps(plan, tested)
    plan = _with_mann_kendall(plan, tested)
    plan = _with_assurance(plan, chart, lines, frame)
    plan["chance_alone"] = _chance_alone(plan)
    shown = frame.assign(value=frame["shown_value"])
    return _trend_table(_without_polarity(plan), shown), _point_table(shown, chart)


def _with_recent_trend(plan: pd.DataFrame, tested: pd.DataFrame) -> pd.DataFrame:
    """Judge annual series by their last five years where counts or intervals allow it.

    Fingertips' criterion, guarded: where the years scatter around the line by more than sampling
    error, chi-square is divided by that scatter before it is compared.
    """
    from scipy.stats import chi2

    annual = (plan["periods_per_year"] <= 1) & (plan["shape"] == "discrete")
    # The same people or homes are counted year after year: their counts are not fresh samples.
    annual &= plan["accumulation"] != "snapshot"
    rows = _current(tested, plan.index[annual & (plan["method"] != "none")])
    rows = rows.assign(numerator=rows["numerator"].where(rows["interval_from"] == "counts"))
    found = fingertips(rows).set_index("series").query("direction != 'cannot_judge'")
    scatter = found["dispersion"].clip(lower=1.0)
    chi_square = found["chi_square"] / scatter
    sign = found["direction"].map(DIRECTIONS).astype(float).where(chi_square > RECENT_CRITICAL, 0)
    last = _current(tested, found.index).groupby("series").tail(5)
    slope = mann_kendall(last).set_index("series")["slope"]
    settled = pd.DataFrame(
        {
            "method": "recent_trend",
            "evidence": found["method"].replace("proportion", "counts"),
            "p_value": chi2.sf(chi_square, 1),
            "n": found["n"],
            "scatter": scatter,
            "slope": slope.where(np.sign(slope) * sign >= 0),
            "sign": sign,
        },
        index=found.index,
    )
    held = found.index[(sign == 0) & (found["direction"] != "no_change")]
    plan.loc[held, "reason"] = "The years scatter by more than chance, so no trend is called."
    return _settle(plan, settled, "recent_trend")


def _with_steps(plan: pd.DataFrame, tested: pd.DataFrame) -> pd.DataFrame:
    """Of dependent series inside their wide range: do most steps go one way."""
    quiet = plan.index[plan["is_dependent"] & (plan["verdict"] == "no_clear_change")]
    rows = _current(tested, quiet).dropna(subset=["value"])
    values = rows.groupby("series")["value"]
    found = {str(name): steps_test(part.to_numpy(float)) for name, part in values}
    drifting = {name: way for name, (way, chance) in found.items() if chance <= STEPS_ALARM}
    settled = pd.DataFrame({"sign": pd.Series(drifting, dtype="float64")})
    settled["p_value"] = [found[name][1] for name in settled.index]
    return _settle(plan, settled, "mann_kendall")


def _with_mann_kendall(plan: pd.DataFrame, tested: pd.DataFrame) -> pd.DataFrame:
    rows = _current(tested, plan.index[plan["method"] == "mann_kendall"])
    found = mann_kendall(rows).set_index("series")
    sign = found["direction"].map(DIRECTIONS).astype(float).fillna(0)
    settled = found[["p_value", "slope"]].assign(evidence="own_history", sign=sign)
    return _settle(plan, settled, "mann_kendall")


def _current(tested: pd.DataFrame, series: pd.Index) -> pd.DataFrame:
    """Rows of some series since their last break or rebase."""
    return tested[tested["series"].isin(series) & tested["is_current"].astype(bool)]


def _settle(plan: pd.DataFrame, found: pd.DataFrame, rule: str) -> pd.DataFrame:
    """Take over what a test found; its `sign` becomes rule and verdict, by polarity."""
    sign, rows = found.pop("sign"), plan.loc[found.index]
    plan.loc[found.index, list(found)] = found
    to_band = (rows["value"] < rows["target_low"]).astype(int)
    to_band -= (rows["value"] > rows["target_high"]).astype(int)
    way = rows["polarity"].map(SIGNS).astype(float).fillna(0)
    goodness = way.mask(rows["polarity"] == "range", to_band) * sign
    verdicts = [
        (sign == 0, "no_clear_change"),
        (goodness > 0, "improving"),
        (goodness < 0, "worsening"),
        (sign > 0, "rising"),
        (sign < 0, "falling"),
    ]
    plan.loc[found.index, "verdict"] = first_text(found.index, verdicts)
    plan.loc[found.index, "rule"] = np.where(sign == 0, "none", rule)
    plan.loc[found.index, "rule_points"] = plan["n"].where(sign != 0, 0).astype(int)
    return plan


def _chart(tested: pd.DataFrame, plan: pd.DataFrame, lines: pd.DataFrame) -> SpcChart:
    """Draw up control charts of the series that have enough points; targets without seasons.

    Where successive values depend on each other the limits are widened and runs say nothing.
    """
    rows = tested[tested["series"].map(plan["method"]) == "xmr"]
    # Removing season means makes neighbours look alike, and SEASONAL_ALARM allows for that.
    plain = rows["series"].map(plan["treatment"]) != "season_means_removed"
    found = coefficients(rows[plain & rows["is_current"].astype(bool)])
    depend = found.index[found > 0]
    plan["is_dependent"] = plan.index.isin(depend)
    steady = _drawn(rows[~rows["series"].isin(depend)], plan, lines)
    if depend.empty:
        return steady
    rows = rows[rows["series"].isin(depend) & rows["is_current"].astype(bool)]
    usual = spc_chart(rows[["series", "period", "value"]]).segments.set_index("series")
    limits = widened(usual[list(LIMITS)], found).rename_axis("series").reset_index()
    apart = _drawn(rows.assign(segment=0), plan, lines, rules=OUTSIDE_ONLY, baseline=limits)
    return SpcChart(
        pd.concat([steady.points, apart.points], ignore_index=True),
        pd.concat([steady.segments, apart.segments], ignore_index=True),
    )


def _drawn(rows: pd.DataFrame, plan: pd.DataFrame, lines: pd.DataFrame, **options: Any) -> SpcChart:
    starts = rows[rows["segment"] > 0].groupby(["series", "segment"])["period"].min()
    without_seasons = lines[TARGETS].sub(lines["effect"], axis=0)
    return spc_chart(
        rows[["series", "period", "value"]],
        improvement=trend_plan.by_series(plan["polarity"]),
        targets=lines.assign(**without_seasons),
        rebase=trend_plan.by_series(starts.groupby("series").agg(list)),
        **options,
    )


def _with_chart(plan: pd.DataFrame, chart: SpcChart, frame: pd.DataFrame) -> pd.DataFrame:
    """Take verdict, rule and limits from the chart's last point."""
    points = chart.points.dropna(subset=["value"])
    last = points.groupby("series").tail(1).set_index("series")
    effect = frame.dropna(subset=["value"]).groupby("series")["effect"].last()
    for name in LIMITS:
        plan.loc[last.index, name] = last[name] + effect[last.index]
    plan.loc[last.index, "rule"] = last["rule"]
    plan.loc[last.index, "evidence"] = "own_history"
    plan.loc[last.index, "verdict"] = last["point_type"].map(WORDS).fillna("no_clear_change")
    for series, rows in points.groupby("series"):
        plan.loc[series, "rule_points"] = _run_of_rule(rows)
    no_width = last.index[~(last["upper_limit"] > last["lower_limit"])]
    refused = no_width[plan.loc[no_width, "shape"] != "constant"]
    depends = plan["is_dependent"] & (plan["reason"] == "")
    plan.loc[depends, "reason"] = DEPENDENT
    plan.loc[refused, ["verdict", "rule", "evidence"]] = ["cannot_judge", "none", "none"]
    plan.loc[refused, "reason"] = "Most values are equal, so their usual range cannot be measured."
    return plan


def _run_of_rule(points: pd.DataFrame) -> int:
    """Count the points of the run that the last point's rule speaks of."""
    rule, direction = points["rule"].iloc[-1], points["direction"].iloc[-1]
    if rule not in ("shift", "trend"):
        return {"none": 0, "outside_limits": 1, "two_in_three": 2}[str(rule)]
    step = points["value"] - points["mean"] if rule == "shift" else points["value"].diff()
    ended = (np.sign(step) != direction).to_numpy()[::-1]
    run = int(ended.argmax()) if ended.any() else len(ended)
    return run + int(rule == "trend")


def _with_assurance(
    plan: pd.DataFrame, chart: SpcChart, lines: pd.DataFrame, frame: pd.DataFrame
) -> pd.DataFrame:
    """Hold the usual range against the target in force, where it is long and stable enough."""
    met = is_met(frame["value"], frame["polarity"], lines)[frame["is_current"]]
    plan["met_share"] = met.groupby(frame["series"]).mean().reindex(plan.index)
    points = chart.points.dropna(subset=["value"]).groupby("series").tail(STABLE_FOR)
    unstable = (points["rule"] != "none").groupby(points["series"]).any().reindex(plan.index)
    segments = chart.segments.groupby("series").tail(1).set_index("series")
    judged = (plan["verdict"] != "cannot_judge") & plan["met_share"].notna()
    steady = (plan["method"] == "xmr") & ~plan["is_dependent"]
    stable = judged & steady & ~unstable.fillna(False).astype(bool)
    plan["assurance"] = segments["assurance"].reindex(plan.index).where(stable, "").fillna("")
    short = "Fewer than 13 single periods: whether the target can be relied on is not said."
    moving = "The series is changing: whether the target can be relied on is not said."
    withheld = pd.Series(short, plan.index).mask(plan["method"] == "xmr", moving)
    reason = plan["reason"].mask(judged & ~stable & (plan["reason"] == ""), withheld)
    return plan.assign(reason=reason)


def _chance_alone(plan: pd.DataFrame) -> pd.Series:
    """How often such a series would be called changed if only chance were at work."""
    chart = np.interp(plan["n"], list(LAST_POINT_ALARM), list(LAST_POINT_ALARM.values()))
    chart = np.where(plan["treatment"] == "season_means_removed", SEASONAL_ALARM, chart)
    test = plan["n"].map(lambda n: attained_size(int(n)))
    recent = np.where(plan["scatter"] > 1, SCATTERED_ALARM, RECENT_ALARM)
    is_chart = (plan["method"] == "xmr") & (plan["shape"] != "constant")
    methods = [is_chart, plan["method"] == "mann_kendall", plan["method"] == "recent_trend"]
    chance = pd.Series(np.select(methods, [chart, test, recent], np.nan), plan.index)
    drifts = plan["is_dependent"] & (plan["rule"] == "mann_kendall")
    chance = chance.mask(plan["is_dependent"]).mask(drifts, STEPS_ALARM)
    return chance.where(plan["verdict"] != "cannot_judge")


def _without_polarity(plan: pd.DataFrame) -> pd.DataFrame:
    """Withdraw the verdict where nobody has declared which way is better."""
    no_band = (plan["polarity"] == "range") & plan["target_low"].isna()
    declared = plan["polarity"].isin(["higher", "lower", "range", "none"]) & ~no_band
    withdrawn = ~declared & (plan["verdict"] != "cannot_judge")
    trend_plan.withdraw(plan, withdrawn, "Nobody has declared which way is better.")
    trend_plan.withdraw(plan, withdrawn & no_band, "Nobody has declared the range that is best.")
    return trend_plan.without_basis(plan)


def _trend_table(plan: pd.DataFrame, frame: pd.DataFrame) -> pd.DataFrame:
    """One row a series: its newest usable value, what it is compared with, and the verdict."""
    rows = frame.copy()
    span = rows["periods_per_year"].fillna(1).clip(lower=1)
    for name, lag in (("previous", span * 0 + 1), ("last_year", span)):
        for step, part in rows.groupby(lag):
            earlier = part.groupby(["series", "run"])[["value", "period"]].shift(int(step))
            rows.loc[part.index, f"{name}_value"] = earlier["value"]
            rows.loc[part.index, f"{name}_period"] = earlier["period"].where(
                earlier["value"].notna()
            )
    rows.loc[rows["accumulation"] == "ytd", ["previous_value", "previous_period"]] = np.nan, pd.NaT
    rows["change"] = rows["value"] - rows["previous_value"]
    rows["change_on_year"] = rows["value"] - rows["last_year_value"]
    newest = rows.dropna(subset=["value"]).groupby("series").tail(1).set_index("series")
    newest = newest.reindex(columns=NEWEST)
    table = plan.drop(columns="value").join(newest)[TREND_COLUMNS]
    return table.rename_axis("series").reset_index()


def _point_table(frame: pd.DataFrame, chart: SpcChart) -> pd.DataFrame:
    """Every period of every series; limits and signals where a chart was drawn."""
    names = [*LIMITS, "rule", "direction", "point_type"]
    points = frame.merge(
        chart.points[["series", "period", *names]], on=["series", "period"], how="left"
    )
    for name in LIMITS:
        points[name] += points["effect"]
    kind = pd.Series("common_cause", points.index, dtype="str")
    kind = kind.mask(points["value"].isna(), "missing")
    points["point_type"] = points["point_type"].fillna(kind)
    points = points.fillna({"rule": "none", "direction": 0}).astype({"direction": "int64"})
    columns = ["series", "period", "value", "status", "segment", *names]
    return points.reindex(columns=columns)
