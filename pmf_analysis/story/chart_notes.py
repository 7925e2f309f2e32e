"""What is said below a trend's chart: its events by number, and what matters less than the finding.

An event's words are written by people, and are escaped where blocks are rendered like all text.
"""

from __future__ import annotations

from pmf_analysis.story import sentences
from pmf_analysis.story.bank import clip_words, ended, say, words_of
from pmf_analysis.story.facts import TrendFacts
from pmf_analysis.story.figures import Row, text
from pmf_analysis.story.sentences import Sentences, told

_SHOWN_WORDS = 40
_SHOWN_EVENTS = 6  # as many as the chart numbers


def chart_notes(facts: TrendFacts, events: list[Row]) -> Sentences:
    """Return the note on the chart and one for each of its events, which have numbers."""
    more = [*_bands(facts), *_steps(facts), *_limits(facts, events), *_target(facts)]
    more += sentences.caution_sentences(facts)[sentences.FIRST_CAUTIONS :]
    oldest = len(events) - _SHOWN_EVENTS
    shown = [row for row in events if row["number"] > oldest or text(row, "kind") == "rebase"]
    return told(say("trend.more", text=" ".join(more)), *map(_event_note, shown))


def _bands(facts: TrendFacts) -> Sentences:
    """Say which changes on the previous period, and on the year, are usual for this series."""
    year = facts.last_year_band if facts.last_year_label != facts.previous_label else None
    slots = {"size": facts.previous_band, "step": sentences.step_word(facts)}
    return ended(say("trend.change_band", **slots), "trend.year_band", size=year)


def _steps(facts: TrendFacts) -> Sentences:
    """Say how large a lasting step must be for this chart to show it."""
    if facts.verdict == "cannot_judge":
        return ()
    soon, late = (each if facts.sign(each) else None for each in (facts.detect_4, facts.detect_12))
    further, step = late if str(late) != str(soon) else None, sentences.step_word(facts)
    seen = say("trend.step_soon", size=soon, step=step)
    return ended(seen, "trend.step_late", size=further, step=step)


def _limits(facts: TrendFacts, events: list[Row]) -> Sentences:
    """Say that the usual range is fixed, and what a starting point of its own has changed."""
    frozen = say("trend.frozen") if facts.limits_from == "frozen" else ""
    rebases = [row for row in events if text(row, "kind") == "rebase"]
    without = facts.verdict_without_rebase
    if not rebases or not without or facts.subject.is_city:
        return told(frozen)
    entry = f"trend.without_rebase.{'same' if without == facts.verdict else 'other'}"
    slots = {"label": text(rebases[-1], "period_label"), "number": rebases[-1]["number"]}
    return told(frozen, say(entry, word=words_of("status")[without].lower(), **slots))


def _target(facts: TrendFacts) -> Sentences:
    """Say what tolerance makes of the target, and why the usual range is not held against it."""
    subject, low, high = facts.subject, facts.tolerance_low, facts.tolerance_high
    edges = {"higher": low.text, "lower": high.text, "range": subject.range(low, high)}
    edge = edges.get(subject.polarity)
    code = facts.assurance_tolerance
    tolerance = say(f"trend.tolerance.{code}", edge=edge) if code else ""
    if subject.is_city or facts.assurance or facts.verdict == "cannot_judge":
        return told(tolerance)
    withheld = [each for each in sentences.reason_sentences(facts.reason) if "target" in each]
    return told(*sentences.target_sentences(facts, "withheld"), tolerance, *withheld)


def _event_note(row: Row) -> str:
    """Name an event by its number: period, what happened, in whose words, and who answers."""
    kind, words = text(row, "kind"), text(row, "text") or text(row, "evidence")
    said = clip_words(" ".join(words.split()).rstrip("."), _SHOWN_WORDS)
    name = words_of("event.kind").get(kind, "")
    said = said if text(row, "text") else said[:1].lower() + said[1:]
    said = say("event.clause", kind=name, said=said) or said or name
    slots = {"number": row["number"], "period": text(row, "period_label"), "said": said}
    note = say("event.note_owner", owner=text(row, "owner"), **slots) or say("event.note", **slots)
    return f"{note} {say('event.suggested')}" if kind == "suggested_step" else note
