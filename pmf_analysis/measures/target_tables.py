"""Everything a council's reports say of its targets: tables in, result tables out."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from functools import cached_property
from typing import Any

import pandas as pd

from pmf_analysis.measures.arrays import SHIPPED, TYPES, Frame
from pmf_analysis.measures.outlook import Found, panels, pooled_forecasts
from pmf_analysis.measures.outturn import assess_outturns
from pmf_analysis.measures.portfolio import portfolio
from pmf_analysis.measures.questions import reference_questions, refuse, target_questions
from pmf_analysis.measures.realism import assess_targets
from pmf_analysis.measures.result_tables import with_labels
from pmf_analysis.measures.target_checks import target_checks
from pmf_analysis.measures.target_rule import decision_path
from pmf_analysis.measures.track_record import outcomes, records
from pmf_analysis.measures.trend_plan import recorded
from pmf_analysis.periods import Period

HORIZON_YEARS = 3  # beyond this no calibration factor has been learnt


@dataclass(frozen=True)
class TargetSetting:
    """What targets are judged by, beside the figures."""

    evidence: Frame  # totals of all areas, as `with_breaks` marks them
    own: Frame
    register: Frame
    targets: Frame  # all of the contract's rows for this council
    lists: Frame  # peer_set, area, member: whose neighbours are known
    sets: Mapping[str, str]  # the peer set of each indicator
    themes: Mapping[str, Sequence[str]]
    roles: Mapping[str, str]  # of directors
    bands: Mapping[str, float]
    rule: Any
    period: Period
    as_at: date
    seed: int

    @cached_property
    def found(self) -> Found:
        """All panels, each with the neighbours' lists of the set that its indicator goes by.

        Lists leave no council out: every area's changes are evidence.
        """
        found: Found = {}
        everyone = pd.DataFrame({"member": self.evidence["area"].unique(), "area": ""})
        of = self.evidence["indicator"].map(dict(self.sets))
        for name in sorted(set(self.sets.values())):
            lists = pd.concat([everyone, self.lists[self.lists["peer_set"] == name]])
            rows = self.evidence[of == name]
            found |= panels(rows, self.register, origin=self.period.end, peer_sets=lists)
        return found

    @property
    def known(self) -> dict[str, Any]:
        """What every forecast is made with."""
        names = ("register", "seed", "found")
        return {name: getattr(self, name) for name in names} | {"origin": self.period.end}


def with_breaks(evidence: Frame, changes: Frame, area: str) -> Frame:
    """Mark values from before the last break or recorded rebase of a series (before_break).

    A definition that changed breaks every area's series, everything else the own one only.
    """
    applied, _ = recorded(changes)
    of_all = applied[applied["kind"] == "definition"]
    last_own, last = (
        pd.to_datetime(rows.groupby("indicator")["period_start"].max())
        .reindex(evidence["indicator"])
        .set_axis(evidence.index)
        for rows in (applied, of_all)
    )
    since = last.mask(evidence["area"] == area, last_own)
    return evidence.assign(before_break=evidence["period"] < since)


def target_tables(
    setting: TargetSetting,
    live: Frame,
    trends: Frame,
    comparisons: Frame,
    said_before: tuple[Frame | None, Frame | None],
) -> dict[str, Frame]:
    """All result tables about targets.

    Parameters
    ----------
    live
        As `questions.live_targets` gives it.
    trends, comparisons
        Result tables; comparisons with the set that each indicator is compared with.
    said_before
        Sealed forecasts, and questions put to the past, as `data.seals` reads them.
    """
    register, own, day = setting.register, setting.own, setting.as_at
    targets, paths = answer_targets(setting, live, trends, comparisons)
    targets = with_labels(targets, register)
    director = targets["indicator"].map(register.set_index("indicator")["director"])
    ours = director[targets["control"] != "city"]  # nobody answers for measures of the whole area
    sets = portfolio(targets.loc[ours.index].assign(director=ours), setting.themes, setting.bands)
    past = outcomes(setting.targets, own, *said_before, register, as_at=day)
    by_director = register.groupby("director")["indicator"].agg(list).to_dict()
    groups = {str(name): list(each) for name, each in by_director.items()}
    for indicator, themes in setting.themes.items():
        for theme in themes:
            groups.setdefault(theme, []).append(indicator)
    return {
        "targets": targets,
        "forecasts": with_labels(_forecasts(setting, targets), register),
        "outturn_paths": with_labels(paths, register),
        "target_checks": target_checks(
            setting.targets, own, register, targets, as_at=day, easy=max(setting.bands.values())
        ),
        "decisions": decision_path(setting.rule, comparisons, live, own, register),
        "portfolio": sets.assign(title=sets["name"].map(dict(setting.roles)).fillna("")),
        "outcomes": past,
        "records": records(past, groups=groups, seed=setting.seed),
    }


def answer_targets(
    setting: TargetSetting, live: Frame, trends: Frame, comparisons: Frame
) -> tuple[Frame, Frame]:
    """Answer every target still to be met, and the two standing questions where none is set.

    Returns
    -------
    tuple
        Result table of targets, and the paths of those that are for the year so far.
    """
    asked = target_questions(live, since=pd.Timestamp(setting.period.start))
    medians = comparisons.set_index("series")["peer_median"]
    as_at = pd.Timestamp(setting.as_at)
    standing = reference_questions(setting.own, setting.register, asked, medians, as_at=as_at)
    questions = pd.concat([asked, standing], ignore_index=True)
    of_year = questions["how"] != ""
    parts = [questions[~of_year], questions[of_year]]
    known = setting.known | {"bands": setting.bands}
    single = assess_targets(setting.evidence, parts[0], **known)
    totals, paths = assess_outturns(setting.evidence, parts[1], **known)
    answers = pd.concat([single, totals], ignore_index=True).reindex(columns=list(TYPES["answers"]))
    answers = answers.fillna(SHIPPED["no_answer"]).astype(TYPES["answers"])
    table = pd.concat(parts, ignore_index=True).join(answers)
    over = table["target_id"].isin(live.loc[live["period_end"] <= as_at, "target_id"])
    late = "This period is over; its figure has not arrived."
    table["refused"] = table["refused"].mask(over & table["probability"].notna(), late)
    statistics = setting.register.set_index("indicator")["statistic"].dropna().to_dict()
    table = refuse(with_context(table, setting.own, trends, statistics))
    return table.sort_values(["series", "period", "target_id"], ignore_index=True), paths


def with_context(table: Frame, own: Frame, trends: Frame, statistics: Mapping[Any, str]) -> Frame:
    """Add process capability, and the gap in the cases that the indicator counts (people).

    A process whose usual range lies wholly on the better side of a target meets it consistently,
    on the worse side fails it consistently (NHS "assurance"); of a series that is moving, nothing
    is said. The gap is the change asked for, at the newest denominator: value
    over numerator says how many cases a unit of the value is. Neither is said of a year so far.
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
    counts_cases = table["indicator"].map(dict(statistics)).isin(["proportion", "rate"])
    people = (table["required_change"] * cases).where(counts_cases & (table["how"] == ""))
    return table.assign(capability=capability.astype("str"), people=people)


def _forecasts(setting: TargetSetting, targets: Frame) -> Frame:
    """Forecast every own series a year ahead, or as far as its farthest target.

    These are the distributions that the targets' chances come from, so pictures and words agree.
    """
    rates = setting.register.set_index("indicator")["periods_per_year"]
    farthest = targets.groupby("series")["horizon"].max()
    horizons = {
        str(series): int(min(max(rates[indicator], 1, farthest.get(series, 0)), limit))
        for series, indicator in setting.own.groupby("series")["indicator"].first().items()
        for limit in [max(1, HORIZON_YEARS * rates[indicator])]
    }
    return pooled_forecasts(setting.found, horizons, seed=setting.seed)
