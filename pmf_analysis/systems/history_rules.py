"""What looks odd about new figures beside all that is known: noted for a data steward, and kept.

The rules, and what they look at, are in ``history_rules.yml``. History is what the import brings
together with what the store holds; what it holds already, unchanged, is not judged again.
"""

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

import pandas as pd

from pmf_analysis.data.contract import MAIN_COLUMN, empty_table
from pmf_analysis.data.store import Store
from pmf_analysis.period_spans import MONTHS_A_PERIOD, YEAR_STARTS
from pmf_analysis.problems import Problem
from pmf_analysis.shipped import read_shipped
from pmf_analysis.systems.repeats import Results, stacked
from pmf_analysis.systems.results import SOURCE
from pmf_analysis.systems.rules import LABEL, Context

Frame = pd.DataFrame

RULES = read_shipped("systems/history_rules.yml")
_SPAN = ["period_start", "period_end"]
_OWN = ("observations", "targets", "narratives")
_DAYS = {name: 365.25 / 12 * months for name, months in MONTHS_A_PERIOD.items()} | {"weekly": 7.0}


def note_history(results: Results, store: Store, context: Context) -> None:
    """Add to each file's problems what looks odd: a line a rule and indicator, the rest counted.

    Parameters
    ----------
    results
        The files of one import, with ``LABEL`` in their accepted rows. Only the council's own
        figures are judged; of others' it is told where their newest period is not one of ours.
    store
        What was known on the context's day is read from it.
    """
    groups: dict[str, Frame] = {}
    new = {name: rows for name in RULES["looked_at"] if len(rows := stacked(results, name))}
    if not new.keys().isdisjoint(_OWN):
        known, every = store.as_known_on(context.as_at, *_OWN), dict[str, Frame]()
        for name in _OWN:
            both = [known[name].assign(_result=-1), new.get(name, empty_table(name))]
            looked_at = [rows.reindex(columns=RULES["looked_at"][name]) for rows in both]
            every[name] = pd.concat([rows for rows in looked_at if len(rows)] or looked_at)
        groups = _beside_history(every, context)
    if "peer_sets" in new:
        oldest = pd.Timestamp(context.as_at) - pd.DateOffset(months=RULES["months"])
        groups["peer_sets"] = new["peer_sets"].assign(oldest=oldest, months=RULES["months"])
    for name, rows in groups.items():
        rows = rows[rows["_result"] >= 0]
        for rule in RULES["rules"][name]:
            odd: Any = rows.eval(rule["where"], engine="python")
            _tell(rule, rows[odd.fillna(False).astype(bool)], results)


def _tell(rule: Mapping[str, str], odd: Frame, results: Results) -> None:
    """Tell the first odd row of each indicator, with the number of its odd rows."""
    of, cell = rule.get("by", "indicator_id"), rule["cell"]
    counts = odd[of].value_counts()
    for row in odd.drop_duplicates(of).rename(columns=SOURCE).to_dict("records"):
        facts = {str(name): fact for name, fact in row.items()}
        shown = row[cell].date() if isinstance(row[cell], pd.Timestamp) else row[cell]
        label = row[LABEL] if cell in MAIN_COLUMN.values() else cell.removesuffix("_label")
        now = "missing" if pd.isna(row.get("value")) else f"{row['value']:g}"
        facts |= {"now": now, "value": str(shown), "column": label}
        problem = Problem.of(rule["fault"], **facts, indicator=row.get("indicator_id", ""))
        more = f" ({counts[row[of]]:,} such rows, this is the first)" if counts[row[of]] > 1 else ""
        problem = replace(problem, message=problem.message + more)
        results[int(row["_result"])].problems.add(problem)


def _beside_history(every: Mapping[str, Frame], context: Context) -> dict[str, Frame]:
    """Put beside rows, by the group of rules, what these look at."""
    facts = context.facts.rename(columns={"frequency": "declared"})[RULES["facts"]]
    facts = facts.replace({"owner": {"": "not named"}})
    facts = facts.astype(dict.fromkeys(facts.select_dtypes("str"), "category"))
    values = every["observations"]
    is_own, targets = values["area_code"] == context.council.area_code, every["targets"]
    others = values[~is_own & values["value"].notna()]
    history = _with_history(values[is_own].join(facts, on="indicator_id"), context)
    targets = targets[targets["area_code"] == context.council.area_code]
    totals = history[history["dimension"] == ""]
    targets = targets[~targets["target_id"].isin(targets["supersedes"])]
    targets = targets.drop_duplicates("target_id", keep="last")
    spans = totals.drop_duplicates(["indicator_id", *_SPAN], keep="last")
    outturns = spans.set_index(["indicator_id", *_SPAN])["value"].rename("outturn")
    usual = totals.drop_duplicates("indicator_id", keep="last").set_index("indicator_id")
    beside = targets.join(facts.join(usual[RULES["usual"]]), on="indicator_id")
    return {
        "observations": _with_targets(history, totals, targets, every["narratives"]),
        "targets": beside.join(outturns, on=["indicator_id", *_SPAN]),
        "narratives": every["narratives"],
        "benchmarks": _newest_of_others(others, history.dropna(subset="value")),
    }


def _with_history(rows: Frame, context: Context) -> Frame:
    """Sort values by series and put beside each the one before it and what is usual."""
    series = pd.util.hash_pandas_object(rows[RULES["series"]], index=False)
    rows = rows.assign(series=series).sort_values(["series", *_SPAN[::-1]], ignore_index=True)
    again = rows.duplicated(["series", *_SPAN])
    rows["before"] = rows["value"].shift().where(again)
    rows["in_store"] = (rows["_result"] < 0).groupby(rows["series"]).transform("any")
    rows["_result"] = rows["_result"].mask(again & (rows["value"] == rows["before"]), -1)
    rows = rows[~rows.duplicated(["series", *_SPAN], keep="last")].copy()
    of, value, end = rows["series"], rows["value"], rows["period_end"]
    starts = rows["year_type"].map(YEAR_STARTS).astype("float64").fillna(4)
    rows["year"] = end.dt.year - (end.dt.month < starts)
    rows["end_before"] = end.groupby(of).shift()
    rows["days"] = (end - rows["end_before"]).dt.days
    rows["usual_days"] = rows["frequency"].map(_DAYS).astype("float64")
    rows["usual_days"] *= 1 + (rows["declared"] == "biennial") * (rows["frequency"] == "annual")
    for name, column in (("previous", value), ("year_before", rows["year"].where(value.notna()))):
        rows[name] = column.groupby(of).ffill().groupby(of).shift()
    run = (value != rows["previous"]).cumsum()
    rows["copies"] = rows.groupby(run).cumcount() + 1
    rows["is_newest"] = value.notna() & ~rows["series"].where(value.notna()).duplicated(keep="last")
    came = rows["collected_on"].fillna(pd.Timestamp(context.as_at))
    rows["days_late"] = (came - end).dt.days - rows["publish_lag_days"]
    by = value.groupby(of)
    rows = rows.assign(**{name: by.transform(how) for name, how in RULES["of_series"].items()})
    for name, sign in (("n_below", value < 0), ("n_above", value > 0)):
        rows[name] = sign.groupby(of).transform("sum")
    return rows.assign(mad=(value - rows["median"]).abs().groupby(of).transform("median"))


def _with_targets(history: Frame, totals: Frame, targets: Frame, narratives: Frame) -> Frame:
    """Put beside the newest own totals the target in force, and whether a text tells of them."""
    newest = totals.loc[totals["is_newest"], ["indicator_id", "accumulation", *_SPAN]].reset_index()
    aims = newest.merge(targets, on="indicator_id", suffixes=("", "_of"))
    in_force = aims.query(RULES["in_force"], engine="python")
    is_held: Any = in_force.eval(RULES["held_against"], engine="python")
    in_force = in_force.assign(is_held=is_held).sort_values("is_held", kind="stable")
    in_force = in_force.drop_duplicates("index", keep="last").set_index("index")
    told = newest.merge(narratives[["indicator_id", "period_end"]])["index"]
    lacks = newest["index"].isin(aims["index"]) & ~newest["index"].isin(in_force.index)
    newest = newest.assign(lacks_target=lacks).set_index("index")
    in_force = in_force[in_force["is_held"]]
    newest["is_noted"] = newest.index.isin(told) | (history["value_note"] != "")[newest.index]
    found = in_force[["target", "target_low", "target_high"]].copy()
    share = in_force["tolerance_pct"] * in_force["target"].abs() / 100
    found["allowed"] = in_force["tolerance_abs"].fillna(share).fillna(0)
    beside = history.join([found, newest[["lacks_target", "is_noted"]]])
    flags = {"lacks_target": False, "is_noted": True}
    return beside.astype(dict.fromkeys(flags, "boolean")).fillna(flags)


def _newest_of_others(others: Frame, own: Frame) -> Frame:
    """Return the newest row of other areas for each indicator, if its period is none of ours.

    An indicator without own values is left out: it may be compared some day.
    """
    newest = others.sort_values("period_end", kind="stable")
    newest = newest.drop_duplicates("indicator_id", keep="last")
    last = own.groupby("indicator_id")["period_end"].max().rename("newest_own")
    shared = own[["indicator_id", *_SPAN]].drop_duplicates().assign(is_shared=True)
    found = newest.join(last, on="indicator_id").merge(shared, how="left")
    return found[found["newest_own"].notna() & found["is_shared"].isna()]
