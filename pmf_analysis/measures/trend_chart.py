"""Control charts of the verdict layer: own or frozen limits, what the newest point says, assurance.

Each stretch of a series between breaks and rebases is charted by itself. Limits are its own; or
frozen, where a baseline was recorded, until the next break or rebase; or widened, where successive
values depend on each other.
"""

import numpy as np
import pandas as pd

from pmf_analysis.measures import arrays, dependence, spc
from pmf_analysis.measures.arrays import LIMITS, PRECISION, SENTENCES, SHIPPED, Column, Frame
from pmf_analysis.measures.polarity import TARGETS, held_against, is_met
from pmf_analysis.measures.special_causes import RuleSet
from pmf_analysis.measures.trend_plan import CHART_FROM, TOLERANCES, UNJUDGED, add_reason

_SET = arrays.constants("trend_chart")


def chart_series(tested: Frame, plan: Frame, lines: Frame, rules: RuleSet, fixed: Frame) -> Frame:
    """Chart the series whose plan says so, and note in the plan what their limits are.

    Parameters
    ----------
    tested
        Rows that methods may use; `in_baseline` marks periods of a recorded baseline.
    plan
        One row a series; gets limits_from ("own", "frozen", ""), is_dependent and reasons.
    lines
        Target, band and seasonal `effect` of every series and period.
    fixed
        Recorded limits in numbers: indicator, mean, lower_limit, upper_limit, recorded_on.

    Returns
    -------
    DataFrame
        Charted rows by series and period: stretch (a number), value, limits, rule, direction,
        point_type.
    """
    rows = tested[tested["series"].map(plan["method"]) == "xmr"]
    rows = rows.sort_values(["series", "period"], ignore_index=True)
    current = rows[rows["is_current"].astype(bool)]
    # Where seasons were removed neighbours look alike, which their alarm rate allows for.
    may_depend = current["series"].map(plan["treatment"]).isin(["wider_limits", "non_overlapping"])
    found = dependence.coefficients(current[may_depend])
    depends = found.index[found > 0]
    plan["is_dependent"] = plan.index.isin(depends)
    given, frozen = _declared(current, plan, fixed), _frozen(rows, plan, fixed, rules)
    is_frozen = plan.index.isin([*given.index, *frozen.index])
    plan["limits_from"] = np.select([plan["method"] != "xmr", is_frozen], ["", "frozen"], "own")
    apart = current[current["series"].isin(depends)]
    own = _limits(apart[~apart["series"].map(plan["limits_from"]).eq("frozen")], rules)
    limits = pd.concat([given, dependence.widened(pd.concat([frozen, own]), found)])
    drawn = rows[~rows["series"].isin(depends) | rows["is_current"].astype(bool)]
    points = _drawn(drawn, lines, rules, limits)
    # Of dependent values only those outside the limits say anything.
    unsaid = points["series"].isin(depends) & ~points["rule"].isin(["none", "outside_limits"])
    points.loc[unsaid, list(_SET.unsaid)] = list(_SET.unsaid.values())
    return points


def _limits(rows: Frame, rules: RuleSet) -> Frame:
    segments = spc.spc_chart(rows[["series", "period", "value"]], rules=rules).segments
    return segments.set_index("series")[LIMITS]


def _frozen(rows: Frame, plan: Frame, baselines: Frame, rules: RuleSet) -> Frame:
    """Limits from the recorded periods of each series; the reason where they are too few or flat.

    A baseline whose periods lie before the newest break or rebase is no longer in force.
    """
    all_of_it = rows[rows["in_baseline"].astype(bool)]
    span = all_of_it[all_of_it["is_current"].astype(bool)]
    limits = _limits(span, rules).reindex(plan.index)
    known = all_of_it.groupby("series")["value"].count().reindex(plan.index, fill_value=0)
    asked = plan["indicator"].isin(baselines.dropna(subset="period_until")["indicator"])
    few = (plan["method"] == "xmr") & asked & (known < CHART_FROM)
    enough = span.groupby("series")["value"].count().reindex(plan.index, fill_value=0) >= CHART_FROM
    flat = enough & ~(limits["upper_limit"] > limits["lower_limit"])
    add_reason(plan, few, SENTENCES["few_in_baseline"])
    add_reason(plan, flat, "Most values of the recorded baseline are equal, so it is not used.")
    return limits[enough & ~flat]


def _declared(current: Frame, plan: Frame, baselines: Frame) -> Frame:
    """Limits recorded as numbers, unless a break or rebase began after they were."""
    known = baselines.dropna(subset=LIMITS).set_index("indicator")
    numbers = known[[*LIMITS, "recorded_on"]].reindex(plan["indicator"]).set_index(plan.index)
    since = current.groupby("series").agg({"period": "min", "segment": "max"}).reindex(plan.index)
    in_force = (since["segment"] == 0) | (numbers["recorded_on"] >= since["period"])
    return numbers.loc[in_force & numbers["mean"].notna(), LIMITS].astype(float)


def _drawn(rows: Frame, lines: Frame, rules: RuleSet, limits: Frame) -> Frame:
    """Charts with every stretch between breaks and rebases by itself; targets without seasons."""
    stretch = rows.groupby(["series", "segment"]).ngroup()
    rows = rows.assign(stretch=stretch).sort_values(["stretch", "period"], ignore_index=True)
    keys = ["series", "period"]
    beside = rows[keys].merge(lines[[*keys, *TARGETS, "effect"]], on=keys, how="left")
    bands = beside[TARGETS].sub(beside["effect"].fillna(0.0), axis=0)
    each = rows[["stretch", "period", "value"]].set_axis([*keys, "value"], axis=1)
    first = rows.drop_duplicates("stretch").set_index("stretch")
    current = first[first["is_current"].astype(bool) & first["series"].isin(limits.index)]
    frozen = limits.loc[current["series"]].set_index(current.index.rename("series")).reset_index()
    ways, targets = dict(first["polarity"]), each[keys].join(bands)
    chart = spc.spc_chart(each, improvement=ways, rules=rules, targets=targets, baseline=frozen)
    points = chart.points.rename(columns={"series": "stretch"})
    return points.assign(series=rows["series"], segment=rows["segment"])


def with_chart(plan: Frame, points: Frame, frame: Frame, rules: RuleSet) -> Frame:
    """Take verdict, rule and limits from the chart's newest point."""
    last = points.dropna(subset=["value"]).groupby("series").tail(1).set_index("series")
    effect = frame.dropna(subset=["value"]).groupby("series")["effect"].last()
    plan.loc[last.index, LIMITS] = last[LIMITS].add(effect[last.index], axis=0)
    found = last[["rule"]].assign(evidence="own_history", verdict=verdicts(last["point_type"]))
    found = found.join(_runs(points, rules))
    plan.loc[last.index, list(found)] = found
    add_reason(plan, plan["is_dependent"], SENTENCES["dependent"])
    no_width = last.index[~(last["upper_limit"] > last["lower_limit"])]
    # Most newest figures repeat the one before: they have no moving range.
    rows = points[points["stretch"] == points.groupby("series")["stretch"].transform("max")]
    share = (rows.groupby("series")["value"].diff().dropna() == 0).groupby(rows["series"]).mean()
    repeating = share.index[share > _SET.most_repeated]
    flat = plan.index.isin([*no_width, *repeating]) & (plan["shape"] != "constant")
    plan.loc[flat, list(UNJUDGED)] = list(UNJUDGED.values())
    add_reason(plan, flat, "Most values are equal, so their usual range cannot be measured.")
    return plan


def verdicts(point_type: Column) -> Column:
    """What a type of point says of its series."""
    return point_type.map(SHIPPED["verdicts"]).fillna("no_clear_change")


def _runs(points: Frame, rules: RuleSet) -> Frame:
    """Points of the run that the newest point's rule speaks of, and where it began; by series."""
    last = points.dropna(subset=["value"]).groupby("series").tail(1)
    said = last[last["rule"] != "none"]
    starts = points["stretch"].searchsorted(said["stretch"])
    runs = [_run(points.iloc[a : b + 1], rules) for a, b in zip(starts, said.index, strict=True)]
    table = pd.DataFrame(runs, said["series"], ["rule_points", "signal_from"])
    table = table.reindex(last["series"]).fillna({"rule_points": 0})
    return table.astype({"rule_points": "int64", "signal_from": points["period"].dtype})


def _run(stretch: Frame, rules: RuleSet) -> tuple[int, pd.Timestamp]:
    """Points of the run that ends a stretch, and the period in which it began."""
    rule, direction = stretch[["rule", "direction"]].iloc[-1]
    value, mean = stretch["value"].to_numpy(float), stretch["mean"].to_numpy(float)
    is_trend, counted = rule == "trend", ~np.isnan(value)
    belongs = np.arange(len(value))[::-1] < _SET.neighbours.get(rule, len(value))
    if rule == "outside_limits":
        out = (stretch["rule"] == rule) & (stretch["direction"] == direction)
        counted = belongs = out.to_numpy()
    elif rule in ("trend", "shift"):
        off = np.diff(value, prepend=value[0]) if is_trend else value - mean
        none = np.abs(off) <= PRECISION * np.maximum(np.abs(value), np.abs(mean))
        counted = ~none & (np.sign(off) == direction)
        skips = (is_trend and rules.ties == "skip") or rules.shift == "by_length"
        belongs = counted | (none & skips)
    start = len(value) - int(np.logical_and.accumulate(belongs[::-1]).sum())
    size = int(counted[start:].sum()) + is_trend
    return _SET.neighbours.get(rule, size + 1) - 1, stretch["period"].iloc[max(start - is_trend, 0)]


def with_assurance(plan: Frame, points: Frame, lines: Frame, frame: Frame) -> Frame:
    """Hold the usual range against target and tolerance, where it is long and stable enough.

    Limits of a seasonal series are held against the target of each period of its last year. The
    share of periods met counts those since the last break that have a value and a target.
    """
    met = is_met(frame["shown_value"], frame["polarity"], lines).where(frame["is_current"])
    plan["met_share"] = met.groupby(frame["series"]).mean().reindex(plan.index)
    latest = points.dropna(subset=["value"]).groupby("series").tail(_SET.stable_for)
    moving = (latest["rule"] != "none").groupby(latest["series"]).any().reindex(plan.index)
    judged = (plan["verdict"] != "cannot_judge") & plan["met_share"].notna()
    steady = (plan["method"] == "xmr") & ~plan["is_dependent"]
    stable = judged & steady & ~moving.fillna(False).astype(bool)
    edges = lines.assign(target=lines["tolerance_low"].fillna(lines["tolerance_high"]))
    edges[TARGETS[1:]] = lines[TOLERANCES]
    for name, bands in (("assurance", lines), ("assurance_tolerance", edges)):
        held = _held(plan[stable], points, bands, frame)
        plan[name] = held.reindex(plan.index).fillna("").astype("str")
    withheld = (plan["method"] == "xmr").map({True: SENTENCES["moving"], False: SENTENCES["short"]})
    silent = judged & ~stable & (plan["reason"] == "")
    return plan.assign(reason=plan["reason"].mask(silent, withheld))


def _held(plan: Frame, points: Frame, bands: Frame, frame: Frame) -> Column:
    """One word a series; where the periods of a seasonal year differ, "inconsistent"."""
    rows = frame[frame["shown_value"].notna() & frame["series"].isin(plan.index)]
    seasonal = rows["series"].map(plan["treatment"]) == "season_means_removed"
    back = rows.groupby("series").cumcount(ascending=False)
    rows = rows[back < rows["periods_per_year"].where(seasonal, 1).clip(lower=1)]
    asked = bands.loc[rows.index, TARGETS].sub(rows["effect"], axis=0)
    limits = points.dropna(subset=["value"]).groupby("series")[LIMITS].last()
    beside = asked.join(limits.loc[rows["series"]].set_index(rows.index))
    beside["is_constant"] = beside["lower_limit"] == beside["upper_limit"]
    words = held_against(beside, rows["polarity"], PRECISION * beside["mean"].abs().to_numpy())
    of = rows["series"].to_numpy()
    kinds, newest = words.where(words != "").groupby(of).nunique(), words.groupby(of).last()
    return newest.mask((kinds > 1) & (newest != ""), "inconsistent")
