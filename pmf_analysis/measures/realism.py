"""Whether a target is challenging yet realistic: the chance of meeting it on present course.

The chance is that of "nothing new is done"; a target with a small chance and a funded action can be
right. Method: target-realism.md 4 and 11, pooled as in `outlook`; verdicts: section 9.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd

from pmf_analysis.measures.aim import Aim
from pmf_analysis.measures.calibration import Factors, shipped_factors
from pmf_analysis.measures.outlook import (
    Outlook,
    Panel,
    evidence_until,
    limit,
    outlooks,
    panels,
    records,
)
from pmf_analysis.measures.verdicts import BANDS, RARE_AMONG_PEERS, verdict_of

ASKED = ["target_id", "series", "indicator", "area", "period", "target"]
_NUMBERS = ["probability", "lower", "upper", "value_60", "value_45", "value_30", "last_value"]
_SHARES = ["required_change", "own_share", "peer_share", "headroom"]
_WORDS = ["verdict", "verdict_low", "verdict_high", "evidence", "reason", "method"]
_COUNTS = ["n", "horizon", "peer_n"]
_TYPES: dict[str, Any] = {
    **dict.fromkeys(_NUMBERS, float),
    **dict.fromkeys(_WORDS, "str"),
    **dict.fromkeys(_COUNTS, "int64"),
    **dict.fromkeys(_SHARES, float),
    "last_period": "datetime64[us]",
}
_NOTHING = {
    **dict.fromkeys(_NUMBERS + _SHARES, np.nan),
    **dict.fromkeys(_WORDS, ""),
    **dict.fromkeys(_COUNTS, 0),
    "last_period": pd.NaT,
}
LONGEST_YEARS = 5  # no calibration factor has been learnt beyond
LEAST_CHANCE = 0.02  # of something that arithmetic does not rule out
ENOUGH_PEER_CHANGES = 40
NEVER_EASY = frozenset({"floor", "statutory"})
NOT_A_TARGET = frozenset({"maintain", "peer_median"})


def assess_targets(
    observations: pd.DataFrame,
    targets: pd.DataFrame,
    *,
    register: pd.DataFrame,
    peer_sets: pd.DataFrame | None = None,
    origin: object = None,
    bands: Mapping[str, float] = BANDS,
    factors: Factors | None = None,
    seed: int = 0,
) -> pd.DataFrame:
    """Chance and verdict of each target.

    Parameters
    ----------
    observations
        series, indicator, area, period (start), value (NaN: not usable), of the own council and
        of those it is compared with; optional columns as in `outlook.panels`.
    targets
        target_id, series, indicator, area, period (start of the period in which it is to be met),
        kind, target, and for indicators with a best range target_low and target_high.
    register
        indicator, polarity, frequency or periods_per_year; where known decimals, minimum, maximum,
        target_low, target_high, exceptional_periods.
    peer_sets
        Column member: the areas whose changes are evidence, beside those with targets. All areas
        in `observations` by default.
    origin
        Observations of periods that start later are not used.

    Returns
    -------
    DataFrame
        A row a target in the order given: the columns ASKED and _TYPES. `lower` and `upper` span
        the two ways of estimating; where they fall in different bands the verdict is "between"
        verdict_low and verdict_high. peer_share is the share of the peers' past changes, over as
        many periods, that would meet the target from here; own_share that of the own ones. Every
        row without a probability has a reason.
    """
    usable = evidence_until(
        observations, origin=origin, peer_sets=peer_sets, areas=targets["area"].unique()
    )
    found = panels(usable, register)
    declared = {str(row["indicator"]): row for row in records(register)}
    questions = [
        _question(target, declared.get(str(target["indicator"])), found)
        for target in records(targets)
    ]
    wanted: dict[str, set[int]] = {}
    for question in questions:
        if isinstance(question, Question):
            wanted.setdefault(question.series, set()).add(question.horizon)
    views = outlooks(found, wanted, factors=factors, seed=seed)
    source = (factors or shipped_factors()).source
    answers = [
        _judged(q, views[q.series, q.horizon], bands, source) if isinstance(q, Question) else q
        for q in questions
    ]
    full = pd.DataFrame([_NOTHING | answer for answer in answers], columns=list(_TYPES))
    return targets.reindex(columns=ASKED).reset_index(drop=True).join(full.astype(_TYPES))


Answer = dict[str, Any]


@dataclass(frozen=True)
class Question:
    """A target that can be put to a forecast."""

    series: str
    kind: str
    aim: Aim
    panel: Panel
    horizon: int
    known: Answer  # what is known of the series


def _question(
    target: Mapping[str, Any],
    indicator: Mapping[str, Any] | None,
    found: Mapping[str, tuple[Panel, int]],
) -> Question | Answer:
    """Turn a target into a question, or give the answer for which no forecast is needed."""
    if target["kind"] == "baseline":
        return _refusal("A baseline says where we start; there is nothing to meet.", "no_verdict")
    if indicator is None:
        return _refusal("The indicator is not in the register.")
    aim = _aim(target, indicator)
    if isinstance(aim, str):
        return _refusal(aim)
    series = str(target["series"])
    if series not in found or found[series][0].usable.last[found[series][1]] < 0:
        return _refusal("There are no values of this series.")
    if pd.isna(target["period"]):
        return _refusal("The target does not say by when it is to be met.")
    panel, row = found[series]
    known = _known(panel, row)
    due = panel.known.place_of(pd.Timestamp(target["period"]))
    if due <= panel.known.last[row]:
        return {
            **known,
            **_already_known(aim, panel.known.values[row, due] if due >= 0 else np.nan),
        }
    horizon = due - int(panel.usable.last[row])
    if horizon > max(1.0, LONGEST_YEARS * panel.usable.periods_per_year):
        reason = f"The target is more than {LONGEST_YEARS} years ahead."
        return {**known, **_refusal(reason), "horizon": horizon}
    return Question(series, str(target["kind"]), aim, panel, horizon, known)


def _refusal(reason: str, verdict: str = "cannot_judge") -> Answer:
    return {"verdict": verdict, "reason": reason}


def _aim(target: Mapping[str, Any], indicator: Mapping[str, Any]) -> Aim | str:
    """Say what the target asks for, or the reason why that cannot be said."""
    better = str(indicator.get("polarity"))
    if better == "none":
        return "Neither higher nor lower is better for this indicator."
    if better not in {"higher", "lower", "range"}:
        return "Nobody has declared whether higher or lower is better."
    decimals = limit(indicator, "decimals")
    places = None if decimals is None else int(decimals)
    if better != "range":
        number = limit(target, "target")
        return "The target is not a number." if number is None else Aim(number, better, places)
    low, high = (
        next((x for x in (limit(target, name), limit(indicator, name)) if x is not None), None)
        for name in ("target_low", "target_high")
    )
    if low is None or high is None or low > high:
        return "The best range of this indicator is not given as a lower and an upper value."
    return Aim((low, high), better, places)


def _known(panel: Panel, row: int) -> Answer:
    """Give what the result says of a series, whatever becomes of the target."""
    values, last = panel.usable.values[row], int(panel.usable.last[row])
    return {
        "n": int(np.isfinite(values).sum()),
        "last_value": float(values[last]),
        "last_period": panel.usable.start(last),
    }


def _already_known(aim: Aim, value: float) -> Answer:
    """Answer for a target whose period is over."""
    if not np.isfinite(value):
        return _refusal("The target's period is over, and there is no value for it.")
    met = bool(aim.met_by(np.array([value]))[0])
    reason = f"The outcome is already known: {'met' if met else 'not met'}."
    evidence = f"value {value:g}"
    return {**_refusal(reason, "no_verdict"), "method": "observed", "evidence": evidence}


def _judged(question: Question, view: Outlook, bands: Mapping[str, float], source: str) -> Answer:
    """Chance, verdict and evidence of one target."""
    aim, last = question.aim, question.known["last_value"]
    answer = {**question.known, "horizon": question.horizon}
    if view.reason:
        return {**answer, **_refusal(view.reason)}
    certain = aim.certainty(question.panel.bounds)
    own, second, pooled = (
        _chance(aim, draws, certain) for draws in (view.own, view.second, view.pooled)
    )
    peer_share = aim.share_of(view.peer_changes, last)
    answer |= {
        "probability": pooled,
        "lower": min(own, second, pooled),
        "upper": max(own, second, pooled),
        "evidence": _evidence(view, own, second, source),
        "method": "own_and_peers" if view.has_peers else "own",
        "required_change": aim.required_change(last),
        "own_share": aim.share_of(view.own_changes, last),
        "peer_share": peer_share,
        "peer_n": len(view.peer_changes),
        "headroom": aim.headroom(last, question.panel.bounds),
    }
    answer |= {f"value_{c}": aim.value_at(view.pooled, c / 100) for c in (60, 45, 30)}
    rare = len(view.peer_changes) >= ENOUGH_PEER_CHANGES and peer_share < RARE_AMONG_PEERS
    return answer | _verdict(question, answer, certain, bands, rare=rare)


def _chance(aim: Aim, draws: np.ndarray[Any, Any], certain: float | None) -> float:
    """Chance of meeting the target; near 0 or 1 only where arithmetic decides."""
    if certain is not None:
        return certain
    return min(max(aim.chance(draws), LEAST_CHANCE), 1 - LEAST_CHANCE)


def _evidence(view: Outlook, own: float, second: float, source: str) -> str:
    other = (
        f"peers' past changes {second:.2f}" if view.has_peers else f"naive forecast {second:.2f}"
    )
    return f"own record {own:.2f} from {view.n} values; {other}; calibrated on: {source}"


def _verdict(
    question: Question,
    answer: Answer,
    certain: float | None,
    bands: Mapping[str, float],
    *,
    rare: bool,
) -> Answer:
    """Verdict with the notes that explain it."""
    if question.kind in NOT_A_TARGET:
        return _refusal("No target is set; this is a standing question.", "no_verdict")
    protected = question.kind in NEVER_EASY or question.aim.is_best_possible(question.panel.bounds)
    found = verdict_of(
        answer["lower"], answer["upper"], bands, may_be_easy=not protected, rare_among_peers=rare
    )
    notes = {
        "No possible value meets the target.": certain == 0.0,
        "Every possible value meets the target.": certain == 1.0,
        "Fewer than 1 in 20 of the peers' past changes would meet it, so the verdict is one step "
        "harder.": rare and certain is None,
        "A floor, a statutory standard or the best possible value is never called too easy.": (
            protected and answer["upper"] >= max(bands.values())
        ),
    }
    reason = " ".join(note for note, applies in notes.items() if applies)
    return {
        "verdict": found.verdict,
        "verdict_low": found.low,
        "verdict_high": found.high,
        "reason": reason,
    }
