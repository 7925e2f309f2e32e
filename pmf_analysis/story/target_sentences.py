"""Facts about targets to sentences, and the questions that they raise for a director.

Every chance is that of the present course and says so. What cannot be judged says why.
"""

from __future__ import annotations

from pmf_analysis.story.bank import say, title, words_of
from pmf_analysis.story.facts import TargetFacts
from pmf_analysis.story.figures import Figure
from pmf_analysis.story.sentences import WAYS, Sentences, reason_sentences

_RARE = 0.05
_STANDARDS = ("floor", "statutory", "contractual")


def target_title(facts: TargetFacts) -> str:
    """Headline of one target, at most ten words."""
    verdict = "no_target" if facts.is_reference else facts.verdict
    return title(f"realism.title.{verdict}", facts.subject.short)


def target_sentences(facts: TargetFacts) -> Sentences:
    """Say the target, its chance if nothing new is done, what it asks for, and the range."""
    if facts.is_reference:
        return (*reference_sentences(facts), *_range_sentences(facts))
    kinds = words_of("realism.kind")
    form = "target_kind" if facts.kind in kinds else "target"
    slots = {"target": facts.target, "period": facts.period_label}
    stated = say(f"realism.{form}", kind=kinds.get(facts.kind, ""), **slots)
    return (
        stated,
        *_chance_sentences(facts),
        *_required_sentences(facts),
        *_range_sentences(facts),
    )


def reference_sentences(facts: TargetFacts) -> Sentences:
    """Answer one of the two standing questions that are asked where no target is set."""
    if not facts.probability.is_known:
        return (say("realism.verdict.cannot_judge"), *reason_sentences(facts.reason))
    slots = {"target": facts.target, "period": facts.period_label, "frequency": facts.frequency}
    return (say(f"realism.{facts.kind}", **slots),)


def _chance_sentences(facts: TargetFacts) -> Sentences:
    if not facts.probability.is_known:
        refused = () if facts.verdict == "no_verdict" else (say("realism.verdict.cannot_judge"),)
        return (*refused, *reason_sentences(facts.reason))
    said = [say(f"realism.chance.{facts.band}", frequency=facts.frequency)]
    if facts.lower.is_known and facts.upper.is_known and facts.lower.text != facts.upper.text:
        said.append(say("realism.between", low=facts.lower, high=facts.upper))
    verdict = "city" if facts.subject.is_city else facts.verdict
    words = {code: word.lower() for code, word in words_of("status").items()}
    slots = {"low": words.get(facts.verdict_low), "high": words.get(facts.verdict_high)}
    return (*said, say(f"realism.verdict.{verdict}", **slots), *reason_sentences(facts.reason))


def _required_sentences(facts: TargetFacts) -> Sentences:
    is_told = facts.probability.is_known and facts.last_value.is_known and facts.last_label
    if not is_told or not facts.required_change.is_known:
        return ()
    if facts.is_met:
        return (say("realism.met", last=facts.last_value, label=facts.last_label),)
    way = WAYS[facts.sign(facts.required_change)]
    slots = {"size": facts.required_change, "last": facts.last_value, "label": facts.last_label}
    said = [say(f"realism.required.{way}", **slots)]
    if facts.own_share.is_known:
        said.append(say("realism.own_share", frequency=facts.own_share))
    if facts.peer_share.is_known and facts.peer_n:
        said.append(say("realism.peer_share", frequency=facts.peer_share, n=facts.peer_n))
    return tuple(said)


def _range_sentences(facts: TargetFacts) -> Sentences:
    values = (facts.value_60, facts.value_45, facts.value_30)
    if not all(value.is_known for value in values):
        return ()
    v60, v45 = (facts.subject.plain(value) for value in values[:2])
    return (say("realism.range", v60=v60, v45=v45, v30=values[2]),)


def challenge_questions(facts: TargetFacts, median: Figure | None = None) -> Sentences:
    """Questions for the director that the evidence raises; never about anybody's reasons."""
    slots = {"target": facts.target, "v30": facts.value_30}
    if facts.is_reference:
        low, high = sorted((facts.value_60, facts.value_30), key=lambda value: value.raw or 0.0)
        known = low.is_known and high.is_known
        return (say("challenge.no_target", low=low, high=high),) if known else ()
    verdict = facts.verdict if facts.value_30.is_known else "cannot_judge"
    is_easy = verdict in ("too_easy", "little_stretch")
    asked = "protected" if is_easy and facts.kind in _STANDARDS else verdict
    said = [say(f"challenge.{asked}", **slots)]
    if median is not None and _beyond(median, facts):
        said.append(say("challenge.peers", median=median))
    if facts.peer_share.is_known and (facts.peer_share.raw or 0.0) <= _RARE and not facts.is_met:
        said.append(say("challenge.rare", frequency=facts.peer_share))
    if not facts.rationale:
        said.append(say("challenge.basis"))
    return tuple(said)


def _beyond(median: Figure, facts: TargetFacts) -> bool:
    """Whether the peers' median is better than the target."""
    if median.raw is None or facts.target.raw is None:
        return False
    return (median.raw - facts.target.raw) * facts.subject.better_sign > 0
