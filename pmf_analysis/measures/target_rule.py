"""The path by which a target is set, step by step, for every own indicator: a rule that is data.

Source of the default: Brighton & Hove's target-setting guidance, 2020-21 to 2023-24 (systems.md 2).
"""

import pandas as pd

from pmf_analysis.measures.arrays import TABLES, Column, Frame, Texts, constants
from pmf_analysis.measures.benchmarks import at_part
from pmf_analysis.measures.polarity import SIGNS, first_text
from pmf_analysis.measures.realism import NEVER_EASY
from pmf_analysis.parameters.models import FINDING, TargetRule, TargetStep

_SET = constants("target_rule")


def decision_path(
    rule: TargetRule,
    levels: Frame,
    targets: Frame,
    own: Frame,
    register: Frame,
    seasonal: Texts = (),
) -> Frame:
    """Answer each step of the rule for each target, or for an indicator that has none.

    Parameters
    ----------
    levels
        As `benchmarks` gives them; of several peer sets the first is used, or the step's own.
    targets
        Live targets, as `questions.live_targets` gives them; baselines are none.
    own, register
        As `frames.own_totals` and `frames.judged_register` give them.
    seasonal
        Series whose levels, ours and others', count for targets of the same part of the year only.

    Returns
    -------
    DataFrame
        TABLES["decisions"]: place counts steps from 1; answer "yes", "no", "not_known" or
        "not_asked"; value is the number that the answer rests on (unit of the indicator, NaN for
        none), period that of it (NaT for every period) and comparator whose it is: a kind of
        target, a peer set, "nation" or "present".
        Each level found takes the place of the one before if it is more challenging; a benchmark
        that is too old is none. Present performance, of the period that benchmark is for, is
        compared and takes no place.
        Targets for the year so far are not held against levels of single periods, nor what must
        be kept (a floor, a standard) against what could be asked for: "not_asked".
    """
    rows = _rows(targets, own, register, seasonal)
    told = []
    for place, step in enumerate(rule.steps, start=1):
        yes, known, value, whose, when = _answer(step, rows, levels, seasonal)
        if step.step in FINDING:
            harder = yes & ~((rows["best"] - value) * rows["sign"] >= 0) & rows["sign"].notna()
            found = value, whose, when, rows["beside"], when.fillna(rows["period"])
            for name, each in zip(_SET.carried, found, strict=True):
                rows[name] = rows[name].mask(harder, each)
        kept = rows["kind"].isin(NEVER_EASY) & (step.step == "as_challenging")
        codes = [(kept, "not_asked"), (~known, "not_known"), (yes, "yes")]
        answer = first_text(rows.index, codes, "no")
        step_told = {"place": place, "step": step.step, "answer": answer, "comparator": whose}
        step_told |= {"value": value.where(known), "period": when.where(known & value.notna())}
        told.append(rows.assign(**step_told)[TABLES["decisions"]])
    table = pd.concat(told) if told else rows.head(0).reindex(columns=TABLES["decisions"])
    table = table.fillna({"target_id": "", "comparator": ""})
    return table.sort_values(["series", "target_id", "place"], ignore_index=True)


def _rows(targets: Frame, own: Frame, register: Frame, seasonal: Texts) -> Frame:
    """A row a target, or a series without one, with our own figure of its part of the year."""
    figures = own.dropna(subset="value").sort_values("period", ascending=False)
    newest = figures.drop_duplicates("series")[["series", "indicator", "period"]]
    live = targets[targets["kind"] != "baseline"].rename(columns={"period": "due"})[_SET.aim]
    rows = newest.rename(columns={"period": "latest"}).merge(live, "left", on="series")
    rows["sign"] = rows["indicator"].map(register.set_index("indicator")["polarity"]).map(SIGNS)
    rows = rows.sort_values(["series", "target_id"], ignore_index=True)
    rows = rows.join(at_part(figures[["series", "period", "value"]], rows, seasonal).iloc[:, 1:])
    never = pd.Series(pd.NaT, rows.index, dtype="datetime64[us]")
    rows = rows.assign(best=float("nan"), whose="", best_of=never, newest=never)
    rows = rows.assign(ours=rows["value"], ours_of=rows["period"])
    return rows.fillna({"how": ""})


def _answer(step: TargetStep, rows: Frame, levels: Frame, seasonal: Texts) -> tuple[Column, ...]:
    """Say of one step: yes, known, value, whose, when. The newest benchmark's day stays in rows."""
    best, whose, none = rows["best"], rows["whose"], pd.Series("", rows.index)
    when, never = rows["best_of"], pd.Series(pd.NaT, rows.index, dtype="datetime64[us]")
    if step.step == "required":
        required = rows[rows["kind"].isin(step.kinds)]
        asked = required[required["how"] == ""].groupby("series")[["target", "kind"]].last()
        found, rows["beside"] = asked.reindex(rows["series"]).set_index(rows.index), rows["value"]
        yes, of_year = found["target"].notna(), required.loc[required["how"] != "", "series"]
        return yes, yes | ~rows["series"].isin(of_year), found["target"], found["kind"], never
    if step.step in ("neighbours", "nation"):
        chosen = levels[levels["peer_set"].eq(step.peer_set) | (step.peer_set == "")]
        beside, is_nation = at_part(chosen, rows, seasonal), step.step == "nation"
        rows["beside"] = beside["value"]
        low, high = ["nation_value"] * 2 if is_nation else _SET.places[step.place]
        level: Column = beside[high].where(rows["sign"] > 0, beside[low])
        age = (rows["latest"] - beside["period"]).dt.days
        fresh, known = level.notna() & (age <= step.months * _SET.days_a_month), level.notna()
        rows["newest"] = rows["newest"].fillna(beside["period"].where(fresh))
        named = beside["peer_set"].mask(known & is_nation, "nation")
        return fresh, known, level, named, beside["period"].where(known)
    ahead, better = ((rows[n] - best) * rows["sign"] for n in ("target", "ours"))
    ahead = ahead.where(rows["how"] == "")
    has, later = rows["target_id"].notna(), rows["newest"] > rows["set_on"]
    answers: dict[str, tuple[Column, ...]] = {
        "more_challenging": (best.notna(), best.notna(), best, whose, when),
        "already_better": (
            better > 0,
            better.notna(),
            rows["ours"],
            none + "present",
            rows["ours_of"],
        ),
        "as_challenging": (ahead >= 0, ahead.notna(), best, whose, when),
        "may_change": (later, (rows["newest"] - rows["set_on"]).notna(), best, whose, when),
    }
    for name in ("rationale", "comparator"):
        answers[name] = (rows[name].fillna("") != "", has, best * float("nan"), none, never)
    return answers[step.step]
