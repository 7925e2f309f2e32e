"""The path by which a target is set, step by step, for every own indicator: a rule that is data.

Source of the default: Brighton & Hove's target-setting guidance, 2020-21 to 2023-24 (systems.md 2).
"""

import pandas as pd

from pmf_analysis.measures.arrays import TABLES, Column, Frame, constants
from pmf_analysis.measures.polarity import SIGNS, first_text
from pmf_analysis.measures.realism import NEVER_EASY
from pmf_analysis.parameters.models import FINDING, TargetRule, TargetStep

_SET = constants("target_rule")


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
        TABLES["decisions"]: place counts steps from 1; answer "yes", "no", "not_known" or
        "not_asked"; value is the number that the answer rests on (unit of the indicator, NaN for
        none) and comparator whose it is: a kind of target, a peer set, "nation" or "present".
        Each level found takes the place of the one before if it is more challenging; a benchmark
        that is too old is none. Present performance, of the period that benchmark is for, is
        compared and takes no place.
        Targets for the year so far are not held against levels of single periods, nor what must
        be kept (a floor, a standard) against what could be asked for: "not_asked".
    """
    newest = own.dropna(subset="value").sort_values("period").groupby("series").tail(1)
    live = targets.loc[targets["kind"] != "baseline", _SET.aim]
    rows = newest[["series", "indicator", "value", "period"]].merge(live, "left", on="series")
    rows["sign"] = rows["indicator"].map(register.set_index("indicator")["polarity"]).map(SIGNS)
    rows = rows.sort_values(["series", "target_id"], ignore_index=True)
    rows = rows.assign(best=float("nan"), whose="", newest=pd.Timestamp("NaT"), ours=rows["value"])
    rows["how"] = rows["how"].fillna("")
    told = []
    for place, step in enumerate(rule.steps, start=1):
        yes, known, value, whose = _answer(step, rows, comparisons)
        if step.step in FINDING:
            harder = yes & ~((rows["best"] - value) * rows["sign"] >= 0) & rows["sign"].notna()
            best, named = rows["best"].mask(harder, value), rows["whose"].mask(harder, whose)
            ours = rows["ours"].mask(harder, rows["beside"])
            rows = rows.assign(best=best, whose=named, ours=ours)
        kept = rows["kind"].isin(NEVER_EASY) & (step.step == "as_challenging")
        codes = [(kept, "not_asked"), (~known, "not_known"), (yes, "yes")]
        answer = first_text(rows.index, codes, "no")
        step_told = {"place": place, "step": step.step, "answer": answer, "value": value}
        told.append(rows.assign(**step_told, comparator=whose)[TABLES["decisions"]])
    table = pd.concat(told) if told else rows.head(0).reindex(columns=TABLES["decisions"])
    table = table.fillna({"target_id": "", "comparator": ""})
    return table.sort_values(["series", "target_id", "place"], ignore_index=True)


def _answer(step: TargetStep, rows: Frame, comparisons: Frame) -> tuple[Column, ...]:
    """Say of one step: yes, known, value, whose. The newest benchmark's day is kept in rows."""
    best, whose, none = rows["best"], rows["whose"], pd.Series("", rows.index)
    if step.step == "required":
        required = rows[rows["kind"].isin(step.kinds)]
        levels = required[required["how"] == ""].groupby("series")[["target", "kind"]].last()
        found, rows["beside"] = levels.reindex(rows["series"]).set_index(rows.index), rows["value"]
        yes, of_year = found["target"].notna(), required.loc[required["how"] != "", "series"]
        return yes, yes | ~rows["series"].isin(of_year), found["target"], found["kind"]
    if step.step in ("neighbours", "nation"):
        chosen = comparisons[comparisons["peer_set"].eq(step.peer_set) | (step.peer_set == "")]
        beside = chosen.drop_duplicates("series").set_index("series").reindex(rows["series"])
        beside, is_nation = beside.set_index(rows.index), step.step == "nation"
        rows["beside"] = beside["value"]
        low, high = ["nation_value"] * 2 if is_nation else _SET.places[step.place]
        level: Column = beside[high].where(rows["sign"] > 0, beside[low])
        age = (rows["period"] - beside["period"]).dt.days
        fresh, known = level.notna() & (age <= step.months * _SET.days_a_month), level.notna()
        rows["newest"] = rows["newest"].fillna(beside["period"].where(fresh))
        return fresh, known, level, beside["peer_set"].mask(known & is_nation, "nation")
    ahead, better = ((rows[n] - best) * rows["sign"] for n in ("target", "ours"))
    ahead = ahead.where(rows["how"] == "")
    has, later = rows["target_id"].notna(), rows["newest"] > rows["set_on"]
    answers: dict[str, tuple[Column, ...]] = {
        "more_challenging": (best.notna(), best.notna(), best, whose),
        "already_better": (better > 0, better.notna(), rows["ours"], none + "present"),
        "as_challenging": (ahead >= 0, ahead.notna(), best, whose),
        "may_change": (later, (rows["newest"] - rows["set_on"]).notna(), best, whose),
    }
    for name in ("rationale", "comparator"):
        answers[name] = (rows[name].fillna("") != "", has, best * float("nan"), none)
    return answers[step.step]
