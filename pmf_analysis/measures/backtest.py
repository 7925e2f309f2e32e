"""Questions put to the past: what the chances would have been, and what happened.

Each question sees only what was known on its day. Two sorts: targets set by seven rules, on every
series, and the real targets, asked on the day they were set.
"""

from collections.abc import Sequence
from itertools import product
from typing import Any

import pandas as pd

from pmf_analysis.measures.arrays import Frame, Known
from pmf_analysis.measures.polarity import SIGNS
from pmf_analysis.measures.questions import years_on
from pmf_analysis.measures.realism import assess_targets
from pmf_analysis.measures.track_record import KNOWN, OUTCOMES, judged, with_aims

RULES: dict[str, tuple[str, float]] = KNOWN["rules"]
FEWEST_VALUES, FEWEST_AREAS = 5, 5
NEWEST_ORIGINS = 6  # of a frequency, a year apart
Days = Sequence[pd.Timestamp]


def rule_questions(
    observations: Frame, register: Frame, origin: pd.Timestamp, horizons: Sequence[int] = (1, 2)
) -> Frame:
    """Targets by each of the seven rules for every series with a value at `origin`.

    Parameters
    ----------
    observations
        series, indicator, area, period (start), value.
    register
        indicator, polarity, frequency; where known decimals.
    horizons
        Whole years on.

    Returns
    -------
    DataFrame
        target_id, series, indicator, area, period, kind (the rule), target, horizon and what
        `judged` needs. Peers' rules need 5 areas, every rule 5 values; only higher or lower is
        better.
    """
    declared = register.set_index("indicator")
    past = observations[observations["period"] <= origin].dropna(subset=["value"])
    past["sign"] = past["indicator"].map(declared["polarity"]).map(SIGNS)
    past["good"] = past["sign"] * past["value"]
    past = past.join(past.groupby("series")["good"].agg(["max", "count"]), on="series")
    now = past[(past["period"] == origin) & (past["count"] >= FEWEST_VALUES)]
    peers, size = now.groupby("indicator")["good"], now["value"].abs()
    enough = peers.transform("size") >= FEWEST_AREAS
    asked = []
    for (rule, (source, much)), years in product(RULES.items(), horizons):
        good = now["max"] if source == "best" else now["good"] + much * size
        if source == "peers":
            good = peers.transform("quantile", much).where(enough)
        ids = f"{origin:%Y-%m-%d}|{rule}|{years}|" + now["series"]
        base = now[["series", "indicator", "area", "period"]].assign(kind=rule, horizon=years)
        asked.append(base.assign(target=good * now["sign"], target_id=ids))
    table = pd.concat(asked, ignore_index=True).dropna(subset=["target"])
    frequency = table["indicator"].map(declared["frequency"])
    table["period"] = years_on(table["period"], frequency, table["horizon"].astype("int64"))
    return with_aims(table, register)


def answered(
    known: Frame, asked: Frame, register: Frame, outcome: Frame, origin: pd.Timestamp, **how: Any
) -> Frame:
    """Questions with chance, verdict, outcome and met; those that cannot be answered left out.

    `how` is what else `assess_targets` takes, such as seed and peer_sets.
    """
    asked = asked.reset_index(drop=True)
    answers = assess_targets(known, asked, register=register, origin=origin, years=(), **how)
    table = judged(asked.join(answers[["probability", "verdict"]]), outcome, "backtest")
    return table.dropna(subset=["probability", "met"]).assign(as_at=f"{origin:%Y-%m-%d}")


def backtest(
    panel: Frame, targets: Known, register: Frame, *, origins: Days = (), area: str = "", **how: Any
) -> Frame:
    """Ask a council's past questions as they would have been answered then.

    Parameters
    ----------
    panel
        Observations as `assess_targets` takes them, of the council and of its peers.
    targets
        As `past_targets` gives them, with a panel that has period_end; None for none. Only
        those for the value of a period are asked, on the day they were set or else the first of
        the period, when values count as known whose usual time to publish had passed.
    origins
        Starts of the periods from which the rules are asked; by default the newest six of each
        frequency that lie whole years back.
    area
        The council asked about; all by default.
    how
        What else `assess_targets` takes, so that past and present are asked alike.

    Returns
    -------
    DataFrame
        Columns as `outcomes`; kind is the rule, or a real target's own.
    """
    own = (panel[panel["area"] == area] if area else panel).dropna(subset=["value"])
    done = [pd.DataFrame(columns=OUTCOMES)]
    for _, some in register.groupby("frequency"):
        known, ours = (all_[all_["indicator"].isin(some["indicator"])] for all_ in (panel, own))
        for origin in origins or _newest(ours):
            asked = rule_questions(known, some, origin).merge(ours[["series", "period"]])
            done.append(answered(known, asked, some, ours, origin, **how))
    if targets is not None:
        lags = register.set_index("indicator")["publish_lag_days"].fillna(0)
        out = panel["period_end"] + pd.to_timedelta(panel["indicator"].map(lags), unit="D")
        asked = targets[(targets["refused"] == "") & (targets["how"] == "")]
        for day, rows in asked.groupby(asked["set_on"].fillna(asked["first"])):
            known = panel[(out < day) & panel["indicator"].isin(rows["indicator"])]
            done.append(answered(known, rows, register, own, day, **how))
    return pd.concat(done[1:] or done, ignore_index=True).reindex(columns=OUTCOMES)


def _newest(rows: Frame) -> list[pd.Timestamp]:
    """Starts of the newest origins that have a value a year later, oldest first."""
    starts, newest = set(rows["period"]), rows["period"].max()
    before = [newest - pd.DateOffset(years=years) for years in range(NEWEST_ORIGINS, 0, -1)]
    return [start for start in before if start in starts]
