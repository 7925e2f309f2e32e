"""Facts about targets to sentences, and the questions that they raise for a director.

Every chance is that of the present course and says so. What cannot be judged says why.
"""

from __future__ import annotations

from collections.abc import Sequence

from pmf_analysis.story.bank import count_of, say, say_first, title, words_of
from pmf_analysis.story.facts import TargetFacts
from pmf_analysis.story.figures import Figure
from pmf_analysis.story.formatting import join_words
from pmf_analysis.story.sentences import WAYS, Sentences, reason_sentences, told

_RARE = 0.05
_STATED = ("target_kind", "target", "target_alone")
_STANDARDS = ("floor", "statutory", "contractual")


def target_title(facts: TargetFacts) -> str:
    """Headline of one target, at most ten words."""
    verdict = "no_target" if facts.is_reference else facts.shown
    return title(f"realism.title.{verdict}", facts.subject.short)


def target_sentences(facts: TargetFacts) -> Sentences:
    """Say the target, its chance if nothing new is done, what it asks for, and the range."""
    slots: dict[str, object] = {"target": facts.target, "period": facts.period_label}
    if facts.kind == "baseline":
        return told(say("realism.baseline", target=facts.target), *reason_sentences(facts.reason))
    slots["kind"] = words_of("realism.kind").get(facts.kind)
    stated = say_first(*(f"realism.{entry}" for entry in _STATED), **slots)
    said = (*_chance_sentences(facts), *_required_sentences(facts), _range_sentence(facts))
    return told(stated, *said)


def reference_sentences(asked: Sequence[TargetFacts]) -> Sentences:
    """Answer the standing questions that are asked of a series where no target is set."""
    said: list[str] = []
    for facts in asked:
        slots = {"target": facts.target, "period": facts.period_label}
        answer = say(f"realism.{asked_kind(facts)}", frequency=facts.frequency, **slots)
        refusal = (say("realism.verdict.cannot_judge"), *reason_sentences(facts.reason))
        said += [answer] if facts.probability.is_known else refusal
    ranges = [_range_sentence(facts) for facts in asked[:1]]
    return told(*dict.fromkeys(said), *ranges)


def asked_kind(facts: TargetFacts) -> str:
    """Return which standing question is asked: not about a median that is already bettered."""
    return "bettered" if facts.kind == "peer_median" and facts.is_met else facts.kind


def _chance_sentences(facts: TargetFacts) -> Sentences:
    reasons = reason_sentences(facts.reason)
    if not facts.probability.is_known:
        refused = facts.verdict != "no_verdict"
        return told(say("realism.verdict.cannot_judge") if refused else "", *reasons)
    ends = {"low": facts.lower, "high": facts.upper}
    verdict = "city" if facts.subject.is_city else facts.verdict
    words = {code: word.lower() for code, word in words_of("status").items()}
    readings = {"low": words.get(facts.verdict_low), "high": words.get(facts.verdict_high)}
    return told(
        say(f"realism.chance.{facts.band}", frequency=facts.frequency),
        say("realism.between", **ends) if facts.lower.text != facts.upper.text else "",
        say(f"realism.verdict.{verdict}", **readings),
        *reasons,
    )


def _required_sentences(facts: TargetFacts) -> Sentences:
    if not facts.probability.is_known or not facts.required_change.is_known:
        return ()
    slots = {"last": facts.last_value, "label": facts.last_label}
    if facts.is_met:
        return told(say_first("realism.met", "realism.met_alone", **slots))
    way = WAYS[facts.sign(facts.required_change)]
    required = say(f"realism.required.{way}", size=facts.required_change, **slots)
    own = say("realism.own_share", frequency=facts.own_share)
    peers = say("realism.peer_share", frequency=facts.peer_share, n=facts.peer_n or None)
    return told(required, own, peers)


def _range_sentence(facts: TargetFacts) -> str:
    offered = facts.offered
    if not facts.probability.is_known:
        return ""
    if not offered:
        is_stretch = facts.is_reference and facts.kind == "maintain" and facts.value_30.is_known
        return say("realism.kept_by_stretch", frequency=facts.frequency) if is_stretch else ""
    *first, last = offered.values()
    values = join_words([*map(facts.subject.plain, first), last.text])
    return count_of("realism.range", len(offered), chances=join_words([*offered]), values=values)


def range_words(facts: TargetFacts) -> str:
    """Write the range of values for a table, with its chances where it was cut."""
    *first, last = facts.offered.values() or [facts.value_30]
    spelled = facts.subject.range(first[0], last) if first else last.text
    if not facts.offered or len(first) == 2:
        return spelled if facts.offered else ""
    return say("realism.range_part", values=spelled, chances=join_words([*facts.offered]))


def challenge_questions(facts: TargetFacts, median: Figure | None = None) -> Sentences:
    """Questions for the director that the evidence raises; never about anybody's reasons."""
    if facts.is_reference:
        values = sorted(facts.offered.values(), key=lambda value: value.raw or 0.0)
        if not values:
            return told(say("challenge.no_target_none") if facts.value_30.is_known else "")
        entry = "challenge.no_target" if len(values) > 1 else "challenge.no_target_one"
        return told(say(entry, low=values[0], high=values[-1]))
    if facts.reason.endswith("?"):
        return reason_sentences(facts.reason)
    if facts.shown.startswith("target_"):
        return ()
    verdict = facts.verdict if facts.value_30.is_known else "cannot_judge"
    is_easy = verdict in ("too_easy", "little_stretch")
    asked = "protected" if is_easy and facts.kind in _STANDARDS else verdict
    is_rare = facts.peer_share.is_known and (facts.peer_share.raw or 0.0) <= _RARE
    beyond = median if median is not None and _beyond(median, facts) else None
    return told(
        say(f"challenge.{asked}", target=facts.target, v30=facts.value_30),
        say("challenge.peers", median=beyond),
        say("challenge.rare", frequency=facts.peer_share) if is_rare and not facts.is_met else "",
        say("challenge.basis") if not facts.rationale else "",
    )


def _beyond(median: Figure, facts: TargetFacts) -> bool:
    """Whether the peers' median is better than the target and than the present level."""
    if median.raw is None or facts.target.raw is None:
        return False
    levels = [level for level in (facts.target.raw, facts.last_value.raw) if level is not None]
    return all((median.raw - level) * facts.subject.better_sign > 0 for level in levels)
