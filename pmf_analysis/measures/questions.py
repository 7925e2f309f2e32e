"""Which questions to ask about targets: those that were set, or two that always matter.

Where no target is set, the reader still learns the chance of keeping the present level and of
reaching the peers' median one year on (kinds ``maintain`` and ``peer_median``).
"""

import pandas as pd

from pmf_analysis.measures.arrays import SHIPPED, TABLES, Column, Frame
from pmf_analysis.measures.frames import base_starts
from pmf_analysis.measures.polarity import TARGETS, first_text, said
from pmf_analysis.period_spans import YEAR_STARTS

TOLERANCES = ["tolerance_abs", "tolerance_pct"]
MISFIT = 5  # times, or part of, the usual figure and beyond all figures: the unit is probably wrong
OLDEST_YEARS = 3  # older figures say too little about a period that is still to come


def live_targets(targets: Frame, own: Frame, register: Frame) -> Frame:
    """Targets of one council that nothing has superseded, with the series each belongs to.

    Returns
    -------
    DataFrame
        Columns of the contract plus series, indicator, area, period (start of the last base
        period that the target covers), first (start of the first), how and refused. Where `how` is
        "sum" or "mean" the target is for the year so far, from `first` on; where it is "" for the
        value of one period. `refused`: why it cannot be held against such values, "" where it can.
        A target of an indicator without any observation has no series yet and is left out.
    """
    superseded = targets["supersedes"].dropna()
    rows = targets[~targets["target_id"].isin(superseded[superseded != ""])]
    keys = own.drop_duplicates("indicator", keep="last")[["indicator", "series", "area"]]
    rows = rows.drop(columns="area_code").rename(columns={"indicator_id": "indicator"})
    rows = rows.merge(keys, on="indicator")
    declared = register.set_index("indicator").reindex(rows["indicator"]).set_index(rows.index)
    rows["period"] = base_starts(rows["period_end"], declared["frequency"], rows["period_start"])
    accumulation = register.set_index("indicator")["accumulation"]
    rows["how"] = _ways(rows, own, declared, accumulation)
    kinds = declared.get("year_type", pd.Series("financial", rows.index))
    month = kinds.map(YEAR_STARTS).astype("int64")
    year = rows["period"].dt.year - (rows["period"].dt.month < month)
    begins = pd.to_datetime(pd.DataFrame({"year": year, "month": month, "day": 1}))
    rows["first"] = rows["period_start"].mask(rows["how"] != "", begins)
    # A running figure that is no sum meets its target in the last period, and not on the way there.
    on_the_way = (declared["accumulation"] == "ytd") & (rows["how"] == "")
    rows["first"] = rows["first"].mask(on_the_way, rows["period"])
    return rows.assign(refused=_refusals(rows, own, declared))


def _ways(rows: Frame, own: Frame, declared: Frame, accumulation: Column) -> Column:
    """How the year so far is counted where a target is for that: sum, mean or "" for no year."""
    differenced = own["accumulation"] != own["indicator"].map(accumulation)
    running = rows["series"].isin(own.loc[differenced, "series"])
    windows = declared["accumulation"].isin(["snapshot", "rolling"])
    whole_year = (rows["target_basis"] == "year_total") & ~windows
    frequent = declared["periods_per_year"].astype(float) > 1
    adding = own.loc[own.get("adds_up", False) & differenced, "series"]
    sums = declared["data_type"].isin(["count", "money"]) | rows["series"].isin(adding)
    sums |= whole_year & declared["data_type"].isin(["rate", "ratio"])
    ways = sums.map({True: "sum", False: "mean"})
    return ways.where((running | whole_year) & frequent, "").astype("str")


def _refusals(rows: Frame, own: Frame, declared: Frame) -> Column:
    """Why each target cannot be held against the values of its periods; "" where it can."""
    if rows.empty:  # of no observations there are no days to count from
        return pd.Series("", rows.index, dtype="str")
    values = own.dropna(subset=["value"]).groupby("series")["value"]
    facts = values.agg(["median", "max", "min"]).reindex(rows["series"]).set_index(rows.index)
    months = (rows["period"] - rows["first"]).dt.days / 30.4
    spanned = months.round() * declared["periods_per_year"].astype(float) / 12 + 1
    facts = facts.mul(spanned.round().where(rows["how"] == "sum", 1.0), axis=0)
    usual, highest, lowest = (facts[name] for name in facts)
    target = rows["target"].astype(float)
    begun = rows["series"].map(own.groupby("series")["period"].min())
    apart = (rows["period"].dt.year - begun.dt.year) * 12 + rows["period"].dt.month - begun.dt.month
    step = 12 / declared["periods_per_year"].astype(float)
    beside = (apart % step != 0) | (rows["period"].dt.day != begun.dt.day)
    beside &= declared["frequency"] != "weekly"
    too_high = (target > MISFIT * usual) & (target > highest) & (usual > 0)
    too_low = (target > 0) & (target < usual / MISFIT) & (target < lowest)
    tests = {"target_beside": beside, "target_high": too_high, "target_low": too_low}
    return first_text(rows.index, said(tests))


def target_lines(live: Frame, own: Frame) -> Frame:
    """The target in force in each period of a series: what a chart steps along.

    Where several cover a period the one with the shortest span speaks (a quarter's milestone
    beats the year's), then the one set last. No lines are refused targets, baselines and targets
    for the year so far.

    Returns
    -------
    DataFrame
        series, period, target, target_low, target_high, tolerance_abs (own unit) and
        tolerance_pct (per cent of the target).
    """
    is_line = (live["refused"] == "") & (live["kind"] != "baseline") & (live["how"] == "")
    each = live[is_line].drop(columns="period")
    each["span"] = each["period_end"] - each["first"]
    pairs = own[["series", "period"]].merge(each, on="series")
    pairs = pairs[(pairs["period"] >= pairs["first"]) & (pairs["period"] <= pairs["period_end"])]
    pairs = pairs.sort_values(["span", "set_on"], ascending=[True, False], kind="stable")
    lines = pairs.drop_duplicates(["series", "period"])[["series", "period", *TARGETS, *TOLERANCES]]
    return lines.sort_values(["series", "period"])


def target_questions(live: Frame, *, since: pd.Timestamp) -> Frame:
    """Targets still to be met, or falling due in the period reported: one row a target."""
    rows = live[live["period_end"] >= since].assign(is_reference=False)
    return rows.sort_values(["series", "period", "target_id"])[TABLES["questions"]]


def years_on(starts: Column, frequency: Column, years: Column) -> Column:
    """Start of the period some years after each start; weeks move by 364 days a year."""
    moved = [
        start + (pd.Timedelta(weeks=52 * n) if name == "weekly" else pd.DateOffset(years=n))
        for start, name, n in zip(starts, frequency, years, strict=True)
    ]
    return pd.Series(moved, index=starts.index, dtype="datetime64[us]")


def reference_questions(
    own: Frame, register: Frame, asked: Frame, peer_medians: Column, *, as_at: pd.Timestamp
) -> Frame:
    """The two standing questions for each series that no target question covers.

    They ask about the first period, whole years on, that is not over on `as_at`. Totals depend on
    the size of a council, so nobody is asked to reach the peers' median of one.

    Parameters
    ----------
    own
        Observations of the council; the newest value of a series is its present level.
    asked
        Target questions; their series are left out.
    peer_medians
        Peer median by series, NaN where it may not be shown.
    """
    declared = register.set_index("indicator")
    judged = own["indicator"].map(declared["polarity"]).isin(["higher", "lower"])
    rows = own[judged & ~own["series"].isin(asked["series"])].dropna(subset=["value"])
    latest = rows.sort_values(["series", "period"], kind="stable").groupby("series").tail(1)
    age = ((as_at - latest["period_end"]).dt.days / 365.25).clip(lower=0)
    years = age.astype("int64") + 1
    old = "The newest figure is " + (years - 1).astype("str") + " years old: too old for a chance."
    due = years_on(latest["period"], latest["indicator"].map(declared["frequency"]), years)
    told = SHIPPED["standing_question"] | {"set_on": pd.NaT, "period": due, "first": due}
    base = latest.assign(**told, refused=old.where(years > OLDEST_YEARS, ""))
    keep = base.assign(kind="maintain", target=latest["value"])
    reach = base.assign(kind="peer_median", target=latest["series"].map(peer_medians))
    reach = reach[reach["indicator"].map(declared["data_type"]) != "count"]
    both = pd.concat([keep, reach.dropna(subset=["target"])], ignore_index=True)
    both["target_id"] = both["series"] + "#" + both["kind"]
    return both.sort_values(["series", "kind"])[TABLES["questions"]]


def refuse(rows: Frame) -> Frame:
    """Withdraw the answer of each question that has a reason against it."""
    against = rows["refused"] != ""
    numbers = SHIPPED["chances"]
    rows.loc[against, numbers] = float("nan")
    rows.loc[against, ["verdict_low", "verdict_high", "capability", "evidence"]] = ""
    rows.loc[against, "verdict"] = "cannot_judge"
    rows.loc[against, "reason"] = rows["refused"]
    return rows.drop(columns="refused")
