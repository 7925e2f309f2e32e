"""Everything a council's reports say of its targets: tables in, result tables out.

Of a set of targets: how many are met if nothing new is done, and how much they stretch. The number
met spreads more than independent targets would: what moves one indicator of a council
in a year moves others. On the Local Government Benchmarking Framework its variance by council and
year grew with the number of targets as the correlation TOGETHER would have it, to 1.6 times that of
independent ones for 52. Targets of one series are taken to be met or missed together.
"""

from collections import namedtuple
from typing import Any

import numpy as np
import pandas as pd

from pmf_analysis.measures import (
    benchmarks,
    outturn,
    realism,
    result_tables,
    target_rule,
    trend_plan,
)
from pmf_analysis.measures.arrays import (
    SENTENCES,
    SHIPPED,
    TABLES,
    TYPES,
    Column,
    Frame,
    Names,
    Texts,
    constants,
)
from pmf_analysis.measures.frames import KnownCouncil
from pmf_analysis.measures.outlook import Found, panels, pooled_forecasts
from pmf_analysis.measures.questions import reference_questions, refuse, target_questions
from pmf_analysis.measures.target_checks import target_checks
from pmf_analysis.measures.track_record import outcomes, records
from pmf_analysis.parameters.workspace import Parameters

# What the council's other tables, and what was said before, tell of its targets.
Before = namedtuple("Before", "live trends comparisons gaps sealed asked")
_SET = constants("target_tables")
TOGETHER = 0.01  # correlation between targets of different series
FEWEST_TARGETS = 5  # fewer say nothing of a set


def _panels(council: KnownCouncil, evidence: Frame, sets: Names) -> Found:
    """All panels, each with the neighbours' lists of the set that its indicator goes by.

    Lists leave no council out: every area's changes are evidence.
    """
    found: Found = {}
    everyone = pd.DataFrame({"member": evidence["area"].unique(), "area": ""})
    of, known, end = evidence["indicator"].map(dict(sets)), council.lists, council.period.end
    for name in sorted(set(sets.values())):
        lists = pd.concat([everyone, known[known["peer_set"] == name]])
        found |= panels(evidence[of == name], council.register, origin=end, peer_sets=lists)
    return found


def with_breaks(evidence: Frame, changes: Frame, area: str) -> Frame:
    """Mark values from before the last break or recorded rebase of a series (before_break).

    A definition that changed breaks every area's series, everything else the own one only.
    """
    applied, _ = trend_plan.recorded(changes)
    of_all = applied[applied["kind"] == "definition"]
    days = [rows.groupby("indicator")["period_start"].max() for rows in (applied, of_all)]
    last_own, last = (pd.to_datetime(each).reindex(evidence["indicator"]) for each in days)
    since = np.where(evidence["area"] == area, last_own, last)
    return evidence.assign(before_break=evidence["period"] < since)


def target_tables(
    council: KnownCouncil, parameters: Parameters, before: Before, *, sets: Names, seed: int
) -> dict[str, Frame]:
    """All result tables about targets.

    Parameters
    ----------
    before
        live: as `questions.live_targets` gives it; trends, comparisons, gaps: result tables,
        comparisons with the set that each indicator is compared with; sealed, asked: sealed
        forecasts, and questions put to the past, as `data.seals` reads them.
    sets
        The peer set of each indicator.
    """
    framework, register, own = parameters.framework, council.register, council.own
    evidence = with_breaks(council.evidence, council.changes, council.area)
    how = {"bands": framework.target_bands.model_dump(), "seed": seed}
    how["found"] = found = _panels(council, evidence, sets)
    seasonal = benchmarks.seasonal_series(before.trends, own)
    levels = benchmarks.benchmarks(before.comparisons, before.gaps, seasonal, council)
    medians = _medians(levels, own, seasonal)
    targets, paths = _answers(council, evidence, before, medians, **how)
    targets = result_tables.with_labels(targets, register)
    facts = register.set_index("indicator")[["director", "control", "themes"]]
    facts["themes"] = facts["themes"].str.split("; ")
    told = targets.join(facts, on="indicator")
    ours = told[told["control"] != "city"]  # nobody answers for measures of the whole area
    easy = framework.target_bands.too_easy
    whole = portfolio(ours, easy)
    roles = {director.id: director.role for director in framework.directors}
    past = outcomes(council.targets, own, *before[4:], register, as_at=council.as_at)
    named = pd.concat([facts["director"], facts["themes"].explode()])
    groups = named.index.to_series().groupby(named.to_numpy()).agg(list).to_dict()
    forecasts = pooled_forecasts(found, _horizons(council, targets), seed=seed)
    checked = target_checks(council.targets, own, register, told, as_at=council.as_at, easy=easy)
    asked = levels, before.live, own, register, seasonal
    decisions = target_rule.decision_path(framework.target_rule, *asked)
    return {
        "targets": targets,
        "forecasts": result_tables.with_labels(forecasts, register),
        "outturn_paths": result_tables.with_labels(paths, register),
        "target_checks": checked,
        "decisions": result_tables.with_labels(decisions, register),
        "portfolio": whole.assign(title=whole["name"].map(roles).fillna("")),
        "outcomes": past,
        "records": records(past, groups=groups, seed=seed),
    }


def _medians(levels: Frame, own: Frame, seasonal: Texts) -> Column:
    """Peers' median by series, of the part of the year of our newest value where that matters."""
    rows = own.dropna(subset="value").sort_values("period").drop_duplicates("series", keep="last")
    rows = rows.rename(columns={"period": "due"})
    return benchmarks.at_part(levels, rows, seasonal)["peer_median"].set_axis(rows["series"])


def _answers(
    council: KnownCouncil, known: Frame, before: Before, medians: Column, **how: Any
) -> tuple[Frame, ...]:
    """Answer every target still to be met, and the two standing questions where none is set.

    `known` as `with_breaks` marks it; `how` is what every chance is worked out with.

    Returns
    -------
    tuple
        Result table of targets, and the paths of those that are for the year so far.
    """
    register, end = council.register, council.period.end
    asked = target_questions(before.live, since=pd.Timestamp(council.period.start))
    as_at = pd.Timestamp(council.as_at)
    standing = reference_questions(council.own, register, asked, medians, as_at=as_at)
    questions = pd.concat([asked, standing], ignore_index=True)
    of_year = questions["how"] != ""
    parts = [questions[~of_year], questions[of_year]]
    how |= {"register": register, "origin": end}
    single = realism.assess_targets(known, parts[0], **how)
    totals, paths = outturn.assess_outturns(known, parts[1], **how)
    answers = pd.concat([single, totals], ignore_index=True).reindex(columns=list(TYPES["answers"]))
    answers = answers.fillna(SHIPPED["no_answer"]).astype(TYPES["answers"])
    table = pd.concat(parts, ignore_index=True).join(answers)
    over = before.live.loc[before.live["period_end"] <= as_at, "target_id"]
    late = table["target_id"].isin(over) & table["probability"].notna()
    table["refused"] = table["refused"].mask(late, SENTENCES["late"])
    statistics = register.set_index("indicator")["statistic"].dropna().to_dict()
    table = refuse(with_context(table, council.own, before.trends, statistics))
    withheld = table.loc[table["verdict"] == "cannot_judge", "target_id"]
    paths = paths[~paths["target_id"].isin(withheld)]
    return table.sort_values(["series", "period", "target_id"], ignore_index=True), paths


def with_context(table: Frame, own: Frame, trends: Frame, statistics: dict[Any, str]) -> Frame:
    """Add process capability, and the gap in the cases that the indicator counts (people).

    A process whose usual range lies wholly on the better side of a target meets it consistently,
    on the worse side fails it consistently (NHS "assurance"); of a series that is moving, nothing
    is said. The gap is the change asked for, at the newest denominator: value over numerator says
    how many cases a unit of the value is. Neither is said of a year so far.
    """
    steady = trends[trends["verdict"] == "no_clear_change"].set_index("series")
    limits = steady[["polarity", "lower_limit", "upper_limit"]].reindex(table["series"])
    limits = limits.set_index(table.index)[table["how"] == ""].reindex(table.index)
    sign = limits["polarity"].map({"higher": 1.0, "lower": -1.0})
    near, far = (sign * (limits[end] - table["target"]) for end in ("lower_limit", "upper_limit"))
    worst, best = near.where(sign > 0, far), near.where(sign < 0, far)
    capability = pd.Series("inconsistent", table.index).mask(worst >= 0, "consistent_pass")
    capability = capability.mask(best < 0, "consistent_fail").where(worst.notna(), "")
    newest = own.dropna(subset=["value", "numerator"]).drop_duplicates("series", keep="last")
    counted = newest[newest["denominator"].notna() & (newest["value"] != 0)].set_index("series")
    cases = table["series"].map(counted["numerator"] / counted["value"])
    counts_cases = table["indicator"].map(statistics).isin(["proportion", "rate"])
    people = (table["required_change"] * cases).where(counts_cases & (table["how"] == ""))
    return table.assign(capability=capability.astype("str"), people=people)


def _horizons(council: KnownCouncil, targets: Frame) -> dict[str, int]:
    """Periods ahead to forecast of every own series: a year's, or as far as its farthest target.

    Of the distributions that the targets' chances come from, so pictures and words agree.
    """
    rates = council.register.set_index("indicator")["periods_per_year"]
    a_year = council.own.groupby("series")["indicator"].first().map(rates).clip(lower=1)
    farthest = targets.groupby("series")["horizon"].max().reindex(a_year.index)
    ahead = pd.concat([a_year, farthest], axis=1).max(axis=1).clip(upper=_SET.years * a_year)
    return {str(series): int(periods) for series, periods in ahead.items()}


def portfolio(targets: Frame, easy: float) -> Frame:
    """Expected number of targets met, of the council, by theme and by directorate.

    Parameters
    ----------
    targets
        The result table, with director and themes (lists; one in several counts in each).
    easy
        The least chance of an easy target.

    Returns
    -------
    DataFrame
        group ("council", "theme" or "directorate"), name ("" for the council), n (targets with a
        chance), expected, low, high (80 % range; NaN below FEWEST_TARGETS), n_easy (at or above
        the highest band), n_challenging, n_out_of_reach, all three without standards to keep, of
        which n_kept are as likely and n_at_risk are not, q1, middle and q3 of the chances,
        mostly_easy.
    """
    judged = targets["probability"].notna() & ~targets["is_reference"].astype(bool)
    rows = targets[judged & (targets["verdict"] != "no_verdict")]
    named: Any = {"council": "", "theme": rows["themes"], "directorate": rows["director"]}
    told = []
    for group, names in named.items():
        for name, part in rows.assign(name=names).explode("name").groupby("name"):
            told.append({"group": group, "name": str(name)} | _summary(part, easy))
    return pd.DataFrame(told, columns=TABLES["portfolio"])


def _summary(rows: Frame, easy: float) -> dict[str, object]:
    chance, n = rows["probability"].to_numpy(float), len(rows)
    deviation = pd.Series(np.sqrt(chance * (1 - chance)), rows.index)
    together = deviation.groupby(rows["series"]).sum()
    spread = _SET.z * np.sqrt((1 + TOGETHER * (n - 1)) * (together**2).sum())
    spread = spread if n >= FEWEST_TARGETS else np.nan
    # Chances are shown in twentieths, and status goes by the chance as shown.
    is_likely = np.round(20 * chance) >= round(20 * easy)
    is_kept = rows["kind"].isin(realism.NEVER_EASY)
    verdicts = rows["verdict"].mask(is_kept, "")
    n_easy, n_kept = int((is_likely & ~is_kept).sum()), int((is_likely & is_kept).sum())
    expected, quarters = chance.sum(), np.quantile(chance, [0.25, 0.5, 0.75])
    low, high = np.round(max(expected - spread, 0.0)), min(np.round(expected + spread), n)
    hard = [int((verdicts == code).sum()) for code in ("challenging", "not_realistic")]
    standards = (n_kept, int(is_kept.sum()) - n_kept)
    mostly_easy = n >= FEWEST_TARGETS and n_easy > n / 2
    told = (n, expected, low, high, n_easy, *hard, *standards, *quarters, mostly_easy)
    return dict(zip(TABLES["portfolio"][2:], told, strict=True))
