"""Which questions to ask about targets: those that were set, or two that always matter.

Where no target is set, the reader still learns the chance of keeping the present level and of
reaching the peers' median one year on (kinds ``maintain`` and ``peer_median``).
"""

from __future__ import annotations

import pandas as pd

from pmf_analysis.measures.frames import base_starts
from pmf_analysis.measures.polarity import TARGETS

QUESTION = [
    *("target_id", "series", "indicator", "area", "period", "kind", *TARGETS),
    *("target_basis", "rationale", "set_by", "set_on", "is_reference"),
]


def live_targets(targets: pd.DataFrame, own: pd.DataFrame, register: pd.DataFrame) -> pd.DataFrame:
    """Targets of one council that nothing has superseded, with the series each belongs to.

    Returns
    -------
    DataFrame
        Columns of the contract plus series, indicator, area, period (start of the last base
        period that the target covers) and first (start of the first). A target of an indicator
        without any observation has no series yet and is left out.
    """
    superseded = targets["supersedes"].dropna()
    rows = targets[~targets["target_id"].isin(superseded[superseded != ""])]
    keys = own.drop_duplicates("indicator", keep="last")[["indicator", "series", "area"]]
    rows = rows.drop(columns="area_code").rename(columns={"indicator_id": "indicator"})
    rows = rows.merge(keys, on="indicator")
    frequency = rows["indicator"].map(register.set_index("indicator")["frequency"])
    starts = base_starts(rows["period_end"], frequency, rows["period_start"])
    return rows.assign(first=rows["period_start"], period=starts)


def target_lines(live: pd.DataFrame, own: pd.DataFrame) -> pd.DataFrame:
    """The target in force in each period of a series: what a chart steps along.

    Where several cover a period the one with the shortest span speaks (a quarter's milestone
    beats the year's), then the one set last. Targets for a year's total do not apply to its parts.

    Returns
    -------
    DataFrame
        series, period, target, target_low, target_high.
    """
    each = live[live["target_basis"] != "year_total"].drop(columns="period")
    each["span"] = each["period_end"] - each["first"]
    pairs = own[["series", "period"]].merge(each, on="series")
    pairs = pairs[(pairs["period"] >= pairs["first"]) & (pairs["period"] <= pairs["period_end"])]
    pairs = pairs.sort_values(["span", "set_on"], ascending=[True, False], kind="stable")
    lines = pairs.drop_duplicates(["series", "period"])[["series", "period", *TARGETS]]
    return lines.sort_values(["series", "period"])


def target_questions(live: pd.DataFrame, *, since: pd.Timestamp) -> pd.DataFrame:
    """Targets still to be met, or falling due in the period reported: one row a target."""
    rows = live[live["period_end"] >= since].assign(is_reference=False)
    return rows.sort_values(["series", "period", "target_id"])[QUESTION]


def one_year_on(starts: pd.Series, frequency: pd.Series) -> pd.Series:
    """Start of the period one year after each start; weeks move by 364 days, the rest by a year."""
    year_on = starts + pd.DateOffset(years=1)
    year_on = year_on.mask(frequency == "biennial", starts + pd.DateOffset(years=2))
    return year_on.mask(frequency == "weekly", starts + pd.Timedelta(days=364))


def reference_questions(
    own: pd.DataFrame, register: pd.DataFrame, asked: pd.DataFrame, peer_medians: pd.Series
) -> pd.DataFrame:
    """The two standing questions for each series that no target question covers.

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
    base = latest.assign(
        period=one_year_on(latest["period"], latest["indicator"].map(declared["frequency"])),
        **dict.fromkeys(["rationale", "set_by"], ""),
        **dict.fromkeys(["target_low", "target_high"], float("nan")),
        target_basis="period",
        set_on=pd.Timestamp("NaT"),
        is_reference=True,
    )
    keep = base.assign(kind="maintain", target=latest["value"])
    reach = base.assign(kind="peer_median", target=latest["series"].map(peer_medians))
    both = pd.concat([keep, reach.dropna(subset=["target"])], ignore_index=True)
    both["target_id"] = both["series"] + "#" + both["kind"]
    return both.sort_values(["series", "kind"])[QUESTION]


def unanswerable(
    questions: pd.DataFrame, discrete_from_ytd: set[str], sub_annual: set[str]
) -> pd.Series:
    """Reason why a question cannot be put to a forecast of single periods; "" where it can.

    Parameters
    ----------
    discrete_from_ytd
        Series published as a running total and judged by single periods.
    sub_annual
        Indicators with more than one period a year.
    """
    total = (questions["target_basis"] == "year_total") & questions["indicator"].isin(sub_annual)
    running = questions["series"].isin(discrete_from_ytd) & ~questions["is_reference"]
    reason = pd.Series("", index=questions.index)
    reason = reason.mask(total, "The target is for the whole year's total, not for one period.")
    return reason.mask(running, "The target is for the year so far, not for one period.")
