"""The path by which a target is set, step by step, for every own indicator: a rule that is data.

Source of the default: Brighton & Hove's target-setting guidance, 2020-21 to 2023-24 (systems.md 2).
"""

import pandas as pd

from pmf_analysis.measures.arrays import TABLES, Column, Frame
from pmf_analysis.measures.polarity import SIGNS, first_text
from pmf_analysis.parameters.models import TargetRule, TargetStep

DAYS_A_MONTH = 365.25 / 12
# Which number of a comparison is the benchmark, where lower and where higher is better.
PLACES = {"median": ["peer_median"] * 2, "best_quarter": ["peer_q1", "peer_q3"]}
NATION = ["nation_value"] * 2
_AIM = ["series", "target_id", "target", "kind", "set_on", "rationale", "comparator"]
_BESIDE = ["series", "period", "peer_median", "peer_q1", "peer_q3", "nation_value", "peer_set"]


def decision_path(
    rule: TargetRule, comparisons: Frame, targets: Frame, own: Frame, register: Frame
) -> Frame:
    """Answer each step of the rule for each target, or for an indicator that has none.

    Parameters
    ----------
    comparisons
        The result table; of several peer sets of a series the first is used, or the step's own.
    targets
        Live targets, as `questions.live_targets` gives them; baselines are none.
    own, register
        As `frames.own_totals` and `frames.judged_register` give them.

    Returns
    -------
    DataFrame
        TABLES["decisions"]: place counts steps from 1; answer "yes", "no" or "not_known"; value is
        the number that the answer rests on (unit of the indicator, NaN for none) and comparator
        whose it is: a kind of target, a peer set, "nation" or "present". Each benchmark found
        takes the place of those before if it is more challenging.
    """
    newest = own.dropna(subset="value").sort_values("period").groupby("series").tail(1)
    live = targets.loc[targets["kind"] != "baseline", _AIM]
    rows = newest[["series", "indicator", "value", "period"]].merge(live, "left", on="series")
    rows["sign"] = rows["indicator"].map(register.set_index("indicator")["polarity"]).map(SIGNS)
    rows = rows.sort_values(["series", "target_id"], ignore_index=True)
    rows = rows.assign(best=float("nan"), whose="", newest=pd.Timestamp("NaT"))
    told = [rows.head(0)]
    for place, step in enumerate(rule.steps, start=1):
        yes, known, value, whose = _taken(step, rows, comparisons.reindex(columns=_BESIDE))
        answer = first_text(rows.index, [(~known, "not_known"), (yes, "yes")], "no")
        answered = {"place": place, "step": step.step, "answer": answer}
        told.append(rows.assign(**answered, number=value, comparator=whose))
    table = pd.concat(told).drop(columns="value").rename(columns={"number": "value"})
    table = table.reindex(columns=TABLES["decisions"]).fillna({"target_id": "", "comparator": ""})
    return table.sort_values(["series", "target_id", "place"], ignore_index=True)


Answer = tuple[Column, Column, Column, Column | str]  # yes, known, value, whose


def _taken(step: TargetStep, rows: Frame, beside: Frame) -> Answer:
    """Take one step: what it answers; what it finds is kept in best, whose and newest of rows."""
    every, name, has = rows["series"].notna(), step.step, rows["target_id"].notna()
    ahead = (rows["target"] - rows["best"]) * rows["sign"]
    if name == "required":
        required = rows[rows["kind"].isin(step.kinds)].groupby("series")[["target", "kind"]].last()
        found = required.reindex(rows["series"]).set_index(rows.index)
        _keep(rows, found["target"], found["kind"])
        return found["target"].notna(), every, found["target"], found["kind"]
    if name in ("neighbours", "nation"):
        return _benchmark(step, rows, beside)
    if name == "already_better":
        better = (rows["value"] - rows["best"]) * rows["sign"] > 0
        known = rows["best"].notna()
        _keep(rows, rows["value"], pd.Series("present", rows.index), better)
        return better, known, rows["value"], "present"
    if name in ("rationale", "comparator"):
        return rows[name].fillna("") != "", has, rows["target"], ""
    if name == "may_change":
        known = rows["set_on"].notna() & rows["newest"].notna()
        return rows["newest"] > rows["set_on"], known, rows["best"], rows["whose"]
    known = rows["best"].notna() if name == "more_challenging" else ahead.notna()
    return (known if name == "more_challenging" else ahead >= 0), known, rows["best"], rows["whose"]


def _keep(rows: Frame, value: Column, whose: Column, which: Column | None = None) -> None:
    """Keep values that are more challenging than the best so far, with whose they are."""
    harder = rows["sign"].notna() & value.notna()
    harder &= ~((rows["best"] - value) * rows["sign"] >= 0) if which is None else which
    rows["best"] = rows["best"].mask(harder, value)
    rows["whose"] = rows["whose"].mask(harder, whose)


def _benchmark(step: TargetStep, rows: Frame, beside: Frame) -> Answer:
    """Latest benchmark that is not too old; "no" for one that is, not known where there is none."""
    chosen = beside[beside["peer_set"].eq(step.peer_set) | (step.peer_set == "")]
    found = chosen.drop_duplicates("series").set_index("series").reindex(rows["series"])
    found = found.set_index(rows.index)
    low, high = NATION if step.step == "nation" else PLACES[step.place]
    value = found[high].where(rows["sign"] > 0, found[low])
    whose = found["peer_set"].mask(value.notna() & (step.step == "nation"), "nation")
    fresh = (rows["period"] - found["period"]).dt.days <= step.months * DAYS_A_MONTH
    fresh &= value.notna()
    _keep(rows, value.where(fresh), whose)
    rows["newest"] = rows["newest"].fillna(found["period"].where(fresh))
    return fresh, value.notna(), value, whose.where(value.notna())
