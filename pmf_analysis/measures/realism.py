"""Whether a target is challenging yet realistic: the chance of meeting it on present course.

The chance is that of "nothing new is done"; a target with a small chance and a funded action can be
right. Method: target-realism.md 4 and 11, pooled as in `outlook`; verdicts: section 9.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd

from pmf_analysis.measures import calibration, polarity
from pmf_analysis.measures.arrays import SENTENCES, SHIPPED, TYPES, Floats, Frame, constants
from pmf_analysis.measures.chance import Aim
from pmf_analysis.measures.outlook import Found, Panel, Views, finite, limit, outlooks, panels

Answer = dict[str, Any]
Row = Mapping[Any, Any]
Bands = Mapping[str, float]
Years = Sequence[int]

# smallest chance of each verdict; below them all a target is not realistic
BANDS = {"too_easy": 0.85, "little_stretch": 0.60, "challenging": 0.30, "stretch": 0.10}
_SET = constants("realism")
NEVER_EASY = frozenset({"floor", "statutory", "contractual"})


def assess_targets(
    observations: Frame,
    targets: Frame,
    *,
    register: Frame,
    peer_sets: Frame | None = None,
    origin: object = None,
    bands: Bands = BANDS,
    factors: calibration.Factors | None = None,
    years: Years = _SET.years,
    found: Found | None = None,
    seed: int = 0,
) -> Frame:
    """Chance and verdict of each target.

    Parameters
    ----------
    observations
        series, indicator, area, period (start), value (NaN: not usable), of the own council and
        of those it is compared with; optional columns as in `outlook.panels`.
    targets
        target_id, series, indicator, area, period (start of that in which it is to be met), kind,
        target, and for indicators with a best range target_low and target_high.
    register
        indicator, polarity, frequency or periods_per_year; where known decimals, minimum, maximum,
        target_low, target_high, exceptional_periods.
    peer_sets, origin, years, found
        Members whose changes are evidence (all by default); last start of a period that is used;
        years after the target's period at which the chance is also asked for; what
        `outlook.panels` made of the same observations, so that it is not made again.

    Returns
    -------
    DataFrame
        A row a target in the order given: `asked` and `answers` of tables.yml. `lower` and `upper`
        span two ways of estimating; in different bands the verdict is "between" verdict_low and
        _high. `last_value`, `required_change` and shares start from the newest value of all, the
        forecast (n, horizon) from the newest outside exceptional periods.
        peer_share is the share of the peers' past changes, over as many periods, that would meet
        the target from here, similar_share of those from the same quarter of the areas, own_share
        of the own_n own ones, best_change the best of those; probability_1 to 3 are chances so many
        years after the target's period, reversion what the distance to the peers' median alone
        changes. No probability: a reason.
    """
    areas = targets["area"].unique().tolist()
    found = found or panels(observations, register, origin=origin, peer_sets=peer_sets, areas=areas)
    declared, rows = register.set_index("indicator").to_dict("index"), targets.to_dict("records")
    asked = [_question(row, declared.get(row["indicator"]), found) for row in rows]
    wanted: dict[str, set[int]] = {}
    for each in (each for each in asked if isinstance(each, Question)):
        wanted.setdefault(each.series, set()).update(each.horizons(years))
    views = outlooks(found, wanted, factors=factors, seed=seed)
    with_what = (views, years, bands, (factors or calibration.shipped_factors()).source)
    answers = [_judged(a, *with_what) if isinstance(a, Question) else a for a in asked]
    types, full = TYPES["answers"], [SHIPPED["no_answer"] | answer for answer in answers]
    table = pd.DataFrame(full, columns=list(types)).astype(types)
    return targets.reindex(columns=_SET.asked).reset_index(drop=True).join(table)


@dataclass(frozen=True)
class Question:
    """A target that can be put to a forecast."""

    series: str
    kind: str
    aim: Aim
    panel: Panel
    row: int
    due: int  # place of the period in which it is to be met
    known: Answer  # what is known of the series

    @property
    def horizon(self) -> int:
        """Periods from the newest value that a forecast may use."""
        return self.due - int(self.panel.usable.last[self.row])

    def by_year(self, years: Sequence[int]) -> dict[int, int]:
        """Periods from there to each of so many years after the one that it asks about.

        Whole years, so that a season or a year to date is held against its own.
        """
        rate = self.panel.usable.periods_per_year
        ahead = {year: self.horizon + round(year * rate) for year in years}
        farthest = _SET.longest_years * rate
        return {y: steps for y, steps in ahead.items() if self.horizon < steps <= farthest}

    def horizons(self, years: Sequence[int]) -> set[int]:
        """All periods ahead that it asks about."""
        return {self.horizon, *self.by_year(years).values()}


def _question(target: Row, indicator: Row | None, found: Found) -> Question | Answer:
    """Turn a target into a question, or give the answer for which no forecast is needed."""
    asked = question_of(target, indicator, found)
    if isinstance(asked, Question) and asked.due <= asked.panel.known.last[asked.row]:
        value = asked.panel.known.values[asked.row, asked.due] if asked.due >= 0 else np.nan
        return asked.known | already_known(asked.aim, value)
    return asked


def question_of(target: Row, indicator: Row | None, found: Found) -> Question | Answer:
    """Turn a target into a question, which may be of the past, or say why it cannot be put."""
    if target["kind"] == "baseline":
        return refusal("A baseline says where we start; there is nothing to meet.", "no_verdict")
    if indicator is None:
        return refusal("The indicator is not in the register.")
    aim = _aim(target, indicator)
    if isinstance(aim, str):
        return refusal(aim)
    series = str(target["series"])
    panel, row = found.get(series, (None, 0))
    if panel is None or panel.usable.last[row] < 0:
        return refusal("There are no values of this series.")
    if pd.isna(target["period"]):
        return refusal("The target does not say by when it is to be met.")
    values, newest = panel.known.values[row], int(panel.known.last[row])
    known: Answer = {"last_value": float(values[newest]), "last_period": panel.known.start(newest)}
    known["n"] = int(np.isfinite(panel.usable.values[row]).sum())
    due = panel.known.place_of(pd.Timestamp(target["period"]))
    question = Question(series, str(target["kind"]), aim, panel, row, due, known)
    if question.horizon > max(1.0, _SET.longest_years * panel.usable.periods_per_year):
        reason = f"The target is more than {_SET.longest_years} years ahead."
        return {**known, **refusal(reason), "horizon": question.horizon}
    return question


def refusal(reason: str, verdict: str = "cannot_judge") -> Answer:
    """Answer without a chance, with the reason."""
    return {"verdict": verdict, "reason": reason}


def _aim(target: Row, indicator: Row) -> Aim | str:
    """Say what the target asks for, or the reason why that cannot be said."""
    better = str(indicator.get("polarity"))
    if better == "none":
        return "Neither higher nor lower is better for this indicator."
    if better not in {"higher", "lower", "range"}:
        return "Nobody has declared whether higher or lower is better."
    decimals = limit(indicator, "decimals")
    places = None if decimals is None else int(decimals)
    number, ends = limit(target, "target"), [limit(target, name) for name in polarity.TARGETS[1:]]
    if better != "range":
        if number is None and ends != [None, None]:
            return "The target is a range; this indicator is judged by one number."
        return "The target is not a number." if number is None else Aim(number, better, places)
    if number is None and ends == [None, None]:
        ends = [limit(indicator, name) for name in polarity.TARGETS[1:]]
    low, high = ends
    if low is None or high is None or low > high:
        return "The target of this indicator must be a lower and an upper value."
    return Aim((low, high), better, places)


def already_known(aim: Aim, value: float) -> Answer:
    """Answer for a target whose period is over."""
    if not np.isfinite(value):
        return refusal("The target's period is over, and there is no value for it.")
    met = bool(aim.met_by(np.array([value]))[0])
    reason = f"The outcome is already known: {'met' if met else 'not met'}."
    return refusal(reason, "no_verdict") | {"method": "observed", "evidence": f"value {value:g}"}


def _best_change(aim: Aim, changes: Floats) -> float:
    best = {"higher": np.max, "lower": np.min}.get(aim.better)
    return float(best(changes)) if best and len(changes) else float("nan")


def _judged(question: Question, views: Views, years: Years, bands: Bands, source: str) -> Answer:
    """Chance, verdict and evidence of one target."""
    aim, panel, last = question.aim, question.panel, question.known["last_value"]
    view = views[question.series, question.horizon]
    answer = {**question.known, "horizon": question.horizon}
    if view.reason:
        return {**answer, **refusal(view.reason)}
    ahead = question.due - int(panel.known.last[question.row])
    changes, own, where = panel.changes(question.row, ahead), question.row, panel.quarters
    same = where == where[own, panel.known.last[own]]
    same[own] = False
    past = {"own": changes[own], "peer": np.delete(changes, own, axis=0)}
    past["similar"] = changes[same[:, : changes.shape[1]]]
    certain = aim.certainty(panel.bounds)
    draws = (view.own, view.second, view.pooled)
    alone, second, pooled = (chance_of(aim, each, certain) for each in draws)
    other = "peers' past changes" if view.has_peers else "naive forecast"
    evidence = f"own record {alone:.2f} from {view.n} values; {other} {second:.2f}; calibrated on: "
    answer |= {"lower": min(alone, second, pooled), "upper": max(alone, second, pooled)}
    answer |= {"probability": pooled, "evidence": evidence + source}
    answer["method"] = "own_and_peers" if view.has_peers else "own"
    answer["best_change"] = _best_change(aim, finite(changes[own]))
    answer["required_change"] = aim.required_change(last)
    answer["headroom"] = aim.headroom(last, panel.bounds)
    for whose, each in past.items():
        answer[f"{whose}_share"] = aim.share_of(finite(each), last)
        answer[f"{whose}_n"] = len(finite(each))
    if view.has_peers and (model := panel.peers_model(question.horizon)):
        answer["reversion"] = model.reversion(question.row, int(panel.usable.last[question.row]))
    for year, steps in question.by_year(years).items():
        later = views[question.series, steps].pooled
        answer[f"probability_{year}"] = chance_of(aim, later, certain)
    answer |= {f"value_{c}": aim.value_at(view.pooled, c / 100) for c in (60, 45, 30)}
    return answer | verdict_of(question, answer, certain, bands)


def chance_of(aim: Aim, draws: np.ndarray[Any, Any], certain: float | None) -> float:
    """Chance of meeting the target; near 0 or 1 only where arithmetic decides."""
    if certain is not None:
        return certain
    return float(np.clip(aim.chance(draws), _SET.least_chance, 1 - _SET.least_chance))


def verdict_of(question: Question, answer: Answer, certain: float | None, bands: Bands) -> Answer:
    """Verdict with the notes that explain it: "between" where two bands are found."""
    panel, row = question.panel, question.row
    is_newer = panel.known.last[row] > panel.usable.last[row]
    notes = [SENTENCES["from_before"]] if is_newer else []
    if question.kind in _SET.not_a_target:
        asked = "No target is set; this is a standing question."
        return refusal(" ".join([asked, *notes]), "no_verdict")
    ends = [shown_chance(answer[end]) for end in ("lower", "upper")]
    is_best = question.aim.target == question.aim.best(panel.bounds)
    protected = is_best or question.kind in NEVER_EASY
    low, high = (_band(end, bands, not protected) for end in ends)
    common = answer["peer_n"] >= _SET.enough_changes and answer["peer_share"] >= _SET.common
    told = {"impossible": certain == 0.0, "assured": certain == 1.0}
    told["common"] = common and ends[1] < min(bands.values())
    told["protected"] = protected and ends[1] >= max(bands.values())
    reason = " ".join([*(SENTENCES[note] for note, applies in told.items() if applies), *notes])
    found = low if low == high else "between"
    return {"verdict": found, "verdict_low": low, "verdict_high": high, "reason": reason}


def shown_chance(chance: float) -> float:
    """Chance to the nearest twentieth, as it is shown: words and verdict must not disagree."""
    return float(np.floor(20 * chance + 0.5)) / 20


def _band(chance: float, bands: Bands, may_be_easy: bool) -> str:
    """Verdict of a chance."""
    names = [*sorted(bands, key=lambda name: -bands[name]), "not_realistic"]
    place = sum(chance < smallest for smallest in bands.values())
    return names[place + (names[place] == "too_easy" and not may_be_easy)]
