"""Facts to sentences: what a story of the bank needs beside the facts of its row.

Which entry says what, and in which order, is in ``stories.yml``. Order: level; change; whether it
is more than noise, by which rule, and how often chance alone would do it; comparison; target and
chance; caution. Of a theme as a whole: counts, names, what chance explains, how it was before. What
cannot be judged says why, and every chance of a target is that of the present course and says so.
The same facts give the same text, and every number in it is a fact's. What is not known comes back
from the bank as "" and is left out.
"""

import math
import re
from collections.abc import Callable, Sequence
from functools import partial
from itertools import chain
from typing import Any

from pmf_analysis.story import asides, bank
from pmf_analysis.story.bank import Sentences, count_of, join_words, phrase, say, tell, words_of
from pmf_analysis.story.facts import SIGNALS, ComparisonFacts, TargetFacts, TrendFacts, dated
from pmf_analysis.story.figures import Facts, Figure, Row, Subject, number, raw, text
from pmf_analysis.story.formatting import format_age, format_false_alarm, format_value
from pmf_analysis.story.parts import MONTHS

FIRST_CAUTIONS = 2  # told with the finding; the others below the chart
_CLAUSE_WORDS, _MOST_REASONS, _RARE = 11, 2, 0.05
_SHOWN = ("shows", "shows_two", "shows_alone")
_MOST_WORDS = 50  # of a rationale, about 300 characters
_SEEN: dict[str, str] = bank.stored("facts.yml")["seen"]
_CHANCES = ("own_and_peers", "own", "outturn")  # methods, each with a row of evidence of its own


def trend_title(facts: TrendFacts) -> str:
    """Headline of one trend, at most ten words."""
    return phrase("trend_title", facts=facts)


def picture_title(facts: TrendFacts) -> str:
    """Headline of a trend's chart, with the value where ten words allow it."""
    return phrase("picture_title", facts=facts, most=bank.MOST_TITLE_WORDS) or trend_title(facts)


def trend_sentences(facts: TrendFacts) -> Sentences:
    """Say what matters about one trend; its chart's notes say the rest."""
    said = (*level_sentences(facts), *noise_sentences(facts), *tell("trend_survey", facts=facts))
    cautions = caution_sentences(facts)[:FIRST_CAUTIONS]
    return (*said, *assurance_sentences(facts), *age_sentences(facts), *cautions)


def level_sentences(facts: TrendFacts) -> Sentences:
    """Say the level, and the change on the previous period and on the same period a year ago."""
    return tell("trend_level", facts=facts)


def noise_sentences(facts: TrendFacts) -> Sentences:
    """Say whether the series moved beyond normal variation, by which rule, and chance's share."""
    usual = facts.subject.range(facts.lower_limit, facts.upper_limit)
    slots = {"range": usual, "n": facts.n or None, "frequency": facts.chance_alone}
    return tell("trend_noise", facts=facts, signal=_signal_clause(facts), **slots)


def signal_sentence(facts: TrendFacts) -> str:
    """Say by which rule a series moved or is off its average."""
    return f"{bank.capital(_signal_clause(facts))}."


def _signal_clause(facts: TrendFacts) -> str:
    usual = facts.subject.range(facts.lower_limit, facts.upper_limit)
    slots = {"points": facts.rule_points or None, "step": step_word(facts)}
    return phrase("signal", facts=facts, n=facts.n or None, range=usual, **slots)


def step_word(facts: Facts) -> str:
    """Word for what lies between two figures: "quarter"."""
    steps = words_of("trend.step")
    return steps.get(facts.subject.frequency, steps["other"])


def assurance_sentences(facts: TrendFacts) -> Sentences:
    """Say what the usual range, or else the figure, makes of the target, and how often it was met.

    Nothing for city measures.
    """
    return tell("trend_assurance", facts=facts)


def caution_sentences(facts: TrendFacts) -> Sentences:
    """Say what limits trust in the figures, the most important first."""
    return tell("trend_cautions", facts=facts)


def age_sentences(facts: TrendFacts) -> Sentences:
    """Say how old the latest figure is, where it is older than it should be."""
    return (say("trend.stale", age=format_age(facts.age_days)),) if facts.is_stale else ()


def comparison_title(facts: ComparisonFacts) -> str:
    """Headline of one comparison, at most ten words."""
    return phrase("comparison_title", facts=facts, place=rank_words(facts))


def rank_words(facts: ComparisonFacts) -> str:
    """Write a rank: "joint 2nd of 16", or "12th highest of 16" where no direction is better."""
    return phrase("place", facts=facts, of=facts.rank_of)


def comparison_sentences(facts: ComparisonFacts) -> Sentences:
    """Say level, place, what the difference may mean, and whether other comparisons agree."""
    return tell("comparison", facts=facts, place=rank_words(facts))


def context_sentences(facts: ComparisonFacts) -> Sentences:
    """Say where the gap goes and what would close it, then how the nation and region stand."""
    return (*gap_sentences(facts), *tell("wider", facts=facts, pace=facts.close_pace))


def gap_sentences(facts: ComparisonFacts) -> Sentences:
    """Say how wide the gap to the median is, on which side, where it goes, and who moved."""
    bare = re.sub(r" (?!million|thousand).*", "", facts.peers_moved.text)
    return tell("gap", facts=facts, size=facts.gap, peers_moved=bare)


def event_words(row: Row, subject: Subject) -> str:
    """Say what was recorded of an event, or what measures saw, with the unit of its numbers."""
    said = " ".join(text(row, "text").split()).rstrip(".")
    seen = re.fullmatch(_SEEN.get(text(row, "kind"), "(?!)"), text(row, "evidence"))
    if said or not seen:
        return said or text(row, "evidence").rstrip(".")
    spelled = {
        name: number if name in ("n", "m") else _with_unit(number, subject)
        for name, number in seen.groupdict().items()
    }
    return say(f"event.seen.{text(row, 'kind')}", **spelled)


def _with_unit(number: str, subject: Subject) -> str:
    """Write a number of a text with its unit, to as many places as it stands there."""
    return format_value(float(number.replace(",", "")), subject.unit, len(number.partition(".")[2]))


def counted(group: str, entry: str, counts: Sequence[tuple[str, int]], total: int) -> Sentences:
    """Count verdicts of a theme in words: "Of the 9 indicators, 1 has improved ..."."""
    forms = [(code, n, count_of(f"theme.{group}.{code}", n)) for code, n in counts if n]
    parts = [form if total == 1 else say("theme.part", n=n, form=form) for _, n, form in forms]
    if forms and forms[0][0] in SIGNALS:
        parts[0] = say("theme.beyond", part=parts[0])
    said, ways = list[str](), [partial(count_of, entry, total), partial(say, "theme.further")]
    while parts:
        tries = [ways[bool(said)](parts=join_words(parts[:n])) for n in range(len(parts), 0, -1)]
        said.append(bank.fitting(tries) or tries[-1])
        parts = parts[len(parts) - tries.index(said[-1]) :]
    return (*said,)


def unjudged(reasons: Sequence[tuple[str, str]]) -> Sentences:
    """Say what was not judged and why: of many reasons the commonest, and count the others.

    ``reasons`` are pairs of an indicator's name and why it was not judged.
    """
    if not reasons:
        return ()
    # The first clause of each reason, short enough to stand in brackets.
    firsts = [re.split(r"[,;:]|\.(?=\s|$)", reason)[0] for _, reason in reasons]
    clauses = [first[:1].lower() + bank.clip_words(first, _CLAUSE_WORDS)[1:] for first in firsts]
    for (_, reason), clause in zip(reasons, clauses, strict=True):
        asides.note_part(reason, clause)
    told = sorted(dict.fromkeys(clauses), key=clauses.count, reverse=True)
    left = len(clauses) - clauses.count(told[0]) if len(told) > _MOST_REASONS else 0
    said: list[str] = []
    for clause in told[: 1 if left else _MOST_REASONS]:
        names = [name for (name, _), of in zip(reasons, clauses, strict=True) if of == clause]
        said.append(bank.listed(names, _not_judged(clause, left)))
    return (*said,)


def _not_judged(reason: str, left: int) -> Callable[[str], str]:
    """Return how names are told with their reason, and how many are left for other reasons."""
    entry = "theme.not_judged_and" if left else "theme.not_judged"
    return lambda names: say(entry, names=names, reason=reason, n=left)


def chance_among_tested(
    tests: Sequence[tuple[int, float]], *, has_somewhat: bool = False
) -> Sentences:
    """Say how many comparisons chance alone would call better or worse, at most.

    ``tests`` are pairs of how many were tested and at which level (in percent). It takes more than
    one test to call a verdict, so that chance calls fewer. ``has_somewhat``: whether verdicts are
    given that are not counted.
    """
    tested = sum(n for n, _ in tests)
    expected = round(sum(n * (1 - level / 100) for n, level in tests))
    none_of_them = math.prod((level / 100) ** n for n, level in tests)
    slots = {"expected": expected, "frequency": format_false_alarm(1 - none_of_them)}
    entry = f"theme.tested.{'about' if expected else 'rare'}"
    somewhat = say("theme.tested.somewhat") if has_somewhat else ""
    return bank.told(count_of(entry, tested, **slots), somewhat) if tested else ()


def chance_signals(rows: Sequence[Row], seen: int, of_city: int) -> Sentences:
    """Say how many signals chance alone would give among the indicators judged, as a range."""
    if not rows:
        return ()
    low, high, n = (round(number(rows[0], name) or 0) for name in ("low", "high", "n"))
    there = count_of("theme.chance_signals.seen", seen)
    there = say("theme.chance_signals.city", seen=there, n=of_city) if of_city else there
    entry = f"theme.chance_signals.{'range' if high else 'none'}"
    return bank.told(say(entry, low=low, high=high, n=n, seen=there) if n > 1 else "")


def off_target(rows: Sequence[Row]) -> Sentences:
    """Say how many are off target, and how many were in the same period of earlier years.

    ``rows`` are labelled by how many years ago they were.
    """
    counts = {
        int(row["period_label"]): say("theme.off_target.part", value=round(value), n=round(n))
        for row in rows
        if (n := number(row, "n")) and (value := number(row, "value")) is not None
    }
    now, earlier = counts.pop(0, ""), [counts[years] for years in sorted(counts)]
    lists = (join_words(earlier[:shown]) for shown in range(len(earlier), 0, -1))
    said = [say("theme.off_target.before", now=now, earlier=each) for each in lists]
    return bank.told(bank.fitting([*said, say("theme.off_target.now", now=now)]))


def target_title(facts: TargetFacts, *, several: bool = False) -> str:
    """Headline of one target, at most ten words; with its period where there are several."""
    verdict, name = "no_target" if facts.is_reference else facts.shown, facts.subject.short
    after = f", {facts.period_label}" if several else ""
    return bank.title(f"realism.title.{verdict}", name, after, **_ends(facts))


def _ends(facts: TargetFacts) -> dict[str, str]:
    """Words of the two verdicts between which a target stands."""
    words = words_of("status")
    return {end: words.get(facts.plain[f"verdict_{end}"], "").lower() for end in ("low", "high")}


def target_sentences(facts: TargetFacts) -> Sentences:
    """Say the target, its chance if nothing new is done, what it asks for, and the range."""
    people = abs(facts.people.raw or 0.0)
    # Two figures, as it is known.
    slots = {"people": f"{float(f'{people:.2g}'):,.0f}" if people >= 1 else ""}
    reason = "" if bank.is_filler(facts.rationale) else facts.rationale
    slots["rationale"] = bank.clip_sentences(reason, _MOST_WORDS)
    slots["range"] = _range_sentence(facts)
    said = {"outturn": outturn_sentences(facts), "ends": _ends(facts)}
    return tell("target", facts=facts, **slots, **said)


def outturn_sentences(facts: TargetFacts) -> Sentences:
    """Say how far the year is, what its rest needs, how often that was seen, where it ends."""
    is_year = facts.of_periods * MONTHS.get(facts.subject.frequency, 0) == 12
    slots = _known(facts) | {"period": facts.period_label, "step": step_word(facts)}
    slots["year"] = words_of("trend.step")["annual"] if is_year else ""
    return tell("outturn", facts=facts, **slots)


def _known(facts: TargetFacts) -> dict[str, Any]:
    """What a sentence may speak of; a count of nothing is not known."""
    share, more = facts.rate_share.raw, facts.more.items()
    known = {name: value or None for name, value in facts.plain.items()} | facts.more
    known |= {name[8:]: str(end).partition(" ")[0] for name, end in more if name[:8] == "outturn_"}
    reached = "" if share is None else round(share * facts.rate_n) or say("number.none")
    return known | {"reached": reached}


def check_sentence(row: Row, subject: Subject) -> str:
    """Say what a check found of a target; a check without words says its own text."""
    slots = {name: dated(text(row, name)) for name in ("text", "periods")}
    slots |= {n: subject.figure(number(row, n)).text for n in ("value", "expected")}
    slots["n"] = f"{number(row, 'n') or 0:,.0f}"
    is_stored = text(row, "check") in words_of("target_check")
    return say(f"target_check.{text(row, 'check')}", **slots) if is_stored else slots["text"]


def step_row(row: Row, subject: Subject) -> dict[str, str]:
    """Say a step of the rule for setting targets: what is asked, and what the answer rests on."""
    levels, value = words_of("realism.level"), subject.figure(number(row, "value"))
    slots = {"value": value, "level": levels.get(text(row, "comparator"), levels["other"])}
    slots["answer"] = words_of("realism.answer")[text(row, "answer")]
    slots["period"] = text(row, "period_label")
    shows = bank.say_first("realism.step_of", "realism.step_with", "realism.step", **slots)
    return {"looked": words_of("realism.steps")[text(row, "step")], "shows": shows}


def evidence_rows(facts: TargetFacts, order: Sequence[str]) -> list[dict[str, str]]:
    """Return what was looked at, and what it shows on how many, in the order given.

    What is not known has no row; a target that is met already asks for nothing.
    """
    slots = _known(facts) | {"n": facts.n or None}
    slots["within"] = words_of("realism.capability").get(facts.capability)
    slots["asked"] = facts.subject.figure(facts.required_change.raw, "signed")
    slots |= {"asked": "", "headroom": ""} if facts.is_met else {}
    slots |= {} if facts.sign(facts.reversion) else {"reversion": ""}
    slots |= {"headroom": ""} if raw(facts.headroom) < _RARE else {}
    rows = []
    for code in (code for code in order if code not in _CHANCES or code == facts.method):
        cells = {key: say(f"realism.evidence.{code}.{key}", **slots) for key in ("looked", "on")}
        shows = bank.say_first(*(f"realism.evidence.{code}.{part}" for part in _SHOWN), **slots)
        on = say("realism.evidence_on", shows=shows, on=cells.pop("on"))
        rows += [cells | {"shows": on or shows}] if shows else []
    return rows


def reference_sentences(asked: Sequence[TargetFacts]) -> Sentences:
    """Answer the standing questions that are asked of a series where no target is set."""
    said = (tell("reference", facts=each, kind=asked_kind(each)) for each in asked)
    return bank.told(*dict.fromkeys(chain(*said)), *map(_range_sentence, asked[:1]))


def asked_kind(facts: TargetFacts) -> str:
    """Return which standing question is asked: not about a median that is already bettered."""
    return "bettered" if facts.kind == "peer_median" and facts.is_met else facts.kind


def _range_sentence(facts: TargetFacts) -> str:
    offered = facts.offered if facts.probability.is_known else {}
    if not offered:
        return ""
    *first, last = offered.values()
    values = join_words([*map(facts.subject.plain, first), last.text])
    return count_of("realism.range", len(offered), chances=join_words([*offered]), values=values)


def range_words(facts: TargetFacts) -> str:
    """Write the range of values for a table, with its chances where it was cut."""
    *first, last = facts.offered.values() or [Figure(None, "")]
    spelled = facts.subject.range(first[0], last) if first else last.text
    part = say("realism.range_part", values=spelled, chances=join_words([*facts.offered]))
    return spelled if len(first) == 2 else part


def challenge_questions(facts: TargetFacts) -> Sentences:
    """Questions for the director that the evidence raises; never about anybody's reasons."""
    return tell("challenge", facts=facts, rare=_RARE)
