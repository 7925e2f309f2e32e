"""What is said of a theme as a whole, of its data, and of its targets with their questions.

A theme: counts, names, what chance explains, how it was before. Every chance of a target is that
of the present course and says so. What cannot be judged says why. Of data it is said what limits
trust in them, who supplied them, and what their owners wrote about them.
"""

import math
import re
from collections.abc import Callable, Iterator, Sequence
from functools import partial
from itertools import chain
from typing import Any

from pmf_analysis.story import bank
from pmf_analysis.story.bank import Sentences, count_of, join_words, say, tell, told, words_of
from pmf_analysis.story.blocks import Block, Table
from pmf_analysis.story.facts import SIGNALS, TargetFacts, dated, written_date
from pmf_analysis.story.figures import Figure, Row, Subject, number, raw, text
from pmf_analysis.story.formatting import format_false_alarm
from pmf_analysis.story.parts import MONTHS
from pmf_analysis.story.view import ThemeView, rows_of

_CLAUSE_WORDS, _RARE = 11, 0.05
_SHOWN = ("shows", "shows_two", "shows_alone")
_SHOWN_PROBLEMS, _SHOWN_WORDS = 20, 60
_MOST_WORDS = 50  # of a rationale, about 300 characters
_CHANCES = ("own_and_peers", "own", "outturn")  # methods, each with a row of evidence of its own


def counted(group: str, entry: str, counts: Sequence[tuple[str, int]], total: int) -> Sentences:
    """Count verdicts of a theme in words: "Of the 9 indicators, 1 has improved ..."."""
    forms = [(code, n, count_of(f"theme.{group}.{code}", n)) for code, n in counts if n]
    parts = [form if total == 1 else say("theme.part", n=n, form=form) for _, n, form in forms]
    if forms and forms[0][0] in SIGNALS:
        parts[0] = say("theme.beyond", part=parts[0])
    whole = count_of(entry, total, parts=join_words(parts))
    if bank.fitting([whole]) or len(parts) < 2:
        return told(whole)
    half = (len(parts) + 1) // 2
    first = count_of(entry, total, parts=join_words(parts[:half]))
    return (first, say("theme.further", parts=join_words(parts[half:])))


def unjudged(reasons: Sequence[tuple[str, str]]) -> Sentences:
    """Say in one sentence what was not judged and the commonest reason; count the others.

    ``reasons`` are pairs of an indicator's name and why it was not judged.
    """
    if not reasons:
        return ()
    # The first clause of each reason, short enough to stand in brackets.
    firsts = [re.split(r"[,;:]|\.(?=\s|$)", reason)[0] for _, reason in reasons]
    clauses = [first[:1].lower() + bank.clip_words(first, _CLAUSE_WORDS)[1:] for first in firsts]
    common = max(clauses, key=clauses.count)
    names = [name for (name, _), clause in zip(reasons, clauses, strict=True) if clause == common]
    others = len(reasons) - len(names)
    more = partial(count_of, "theme.not_judged_and", others)
    tell = more if others else partial(say, "theme.not_judged")
    return (bank.listed(names, lambda names: tell(names=names, reason=common)),)


def chance_among_tested(tests: Sequence[tuple[int, float]]) -> Sentences:
    """Say how many comparisons chance alone would call better or worse, at most.

    ``tests`` are pairs of how many were tested and at which level (in percent). It takes more than
    one test to call a verdict, so that chance calls fewer.
    """
    tested = sum(n for n, _ in tests)
    expected = round(sum(n * (1 - level / 100) for n, level in tests))
    none_of_them = math.prod((level / 100) ** n for n, level in tests)
    slots = {"expected": expected, "frequency": format_false_alarm(1 - none_of_them)}
    entry = f"theme.tested.{'about' if expected else 'rare'}"
    return (count_of(entry, tested, **slots),) if tested else ()


def chance_signals(rows: Sequence[Row], seen: int, of_city: int) -> Sentences:
    """Say how many signals chance alone would give among the indicators judged, as a range."""
    if not rows:
        return ()
    low, high, n = (round(number(rows[0], name) or 0) for name in ("low", "high", "n"))
    there = count_of("theme.chance_signals.seen", seen)
    there = say("theme.chance_signals.city", seen=there, n=of_city) if of_city else there
    entry = f"theme.chance_signals.{'range' if high else 'none'}"
    return told(say(entry, low=low, high=high, n=n, seen=there) if n > 1 else "")


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
    return told(bank.fitting([*said, say("theme.off_target.now", now=now)]))


def target_title(facts: TargetFacts, *, several: bool = False) -> str:
    """Headline of one target, at most ten words; with its period where there are several."""
    verdict, name = "no_target" if facts.is_reference else facts.shown, facts.subject.short
    entry, ends = f"realism.title.{verdict}", _ends(facts)
    if not several:
        return bank.title(entry, name, **ends)
    words = say(entry, name=facts.period_label, **ends).split()
    name = bank.clip_words(name, max(bank.MOST_TITLE_WORDS - len(words), 1))
    return say(entry, name=f"{name}, {facts.period_label}", **ends)


def _ends(facts: TargetFacts) -> dict[str, str]:
    """Words of the two verdicts between which a target stands."""
    words = words_of("status")
    return {end: words.get(facts.plain[f"verdict_{end}"], "").lower() for end in ("low", "high")}


def target_sentences(facts: TargetFacts) -> Sentences:
    """Say the target, its chance if nothing new is done, what it asks for, and the range."""
    people = abs(facts.people.raw or 0.0)
    # Two figures, as it is known.
    slots = {"people": f"{float(f'{people:.2g}'):,.0f}" if people >= 1 else ""}
    slots["rationale"] = bank.clip_sentences(facts.rationale, _MOST_WORDS)
    slots["range"] = _range_sentence(facts)
    said = {"outturn": outturn_sentences(facts), "ends": _ends(facts)}
    return tell("target", facts=facts, **slots, **said)


def outturn_sentences(facts: TargetFacts) -> Sentences:
    """Say how far the year is, what its rest needs, how often that was seen, where it ends."""
    steps, often, slots = words_of("trend.step"), facts.subject.frequency, _known(facts)
    slots["year"] = steps["annual"] if facts.of_periods * MONTHS.get(often, 0) == 12 else ""
    slots |= {"period": facts.period_label, "step": steps.get(often, steps["other"])}
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
    shows = bank.say_first("realism.step_with", "realism.step", **slots)
    return {"looked": words_of("realism.steps")[text(row, "step")], "shows": shows, "on": ""}


def evidence_rows(facts: TargetFacts, order: Sequence[str]) -> list[dict[str, str]]:
    """Return what was looked at, what it shows and on how many, in the order given.

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
        rows += [cells | {"shows": shows}] if shows else []
    return rows


def reference_sentences(asked: Sequence[TargetFacts]) -> Sentences:
    """Answer the standing questions that are asked of a series where no target is set."""
    said = (tell("reference", facts=each, kind=asked_kind(each)) for each in asked)
    return told(*dict.fromkeys(chain(*said)), *map(_range_sentence, asked[:1]))


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


def quality_blocks(view: ThemeView, table: Callable[..., Table]) -> list[Block]:
    """Say what states the latest figures are in, then show the problems found."""
    problems, fix = rows_of(view.problems), say("quality.contradiction_fix")
    known = ["", *(text(row, "message") for row in problems)]
    seen: list[Row] = [
        {"message": each.contradiction, "indicator": each.subject.indicator, "fix": fix}
        for each in view.trend_facts
        if each.contradiction not in known
    ]
    rows = []
    for row in (*seen, *problems):
        place = ", ".join(filter(None, [text(row, "indicator"), _place(row, "")]))
        rows.append({"problem": text(row, "message"), "place": place, "fix": text(row, "fix")})
    count, rows = len(rows), rows[:_SHOWN_PROBLEMS]
    said = tell("quality", facts=view.trend_facts)
    fine = told(say("quality.fine") if view.trend_facts else "")
    found = count_of("quality.count", count) if count else say("quality.none")
    note = Block("note", "quality", say("section.quality"), text=(*(said or fine), found))
    if not count:
        return [note]
    notes = (say("quality.first", shown=len(rows), n=count),) if count > len(rows) else ()
    shown = table(say("section.quality_table"), ("problem", "place", "fix"), rows)
    return [note, Block("table", "problems", shown.caption, table=shown, notes=notes)]


def _place(row: Row, prefix: str) -> str:
    """Name file, sheet and row; "" where none is recorded."""
    line = number(row, f"{prefix}row")
    parts = [text(row, f"{prefix}file"), text(row, f"{prefix}sheet")]
    return ", ".join(filter(None, [*parts, say("section.row", row=line and f"{line:.0f}")]))


def source_line(view: ThemeView, indicator: str) -> str:
    """Name source and licence of an indicator, or say that none is recorded."""
    found = [each for each in view.indicators if each.id == indicator]
    parts = [part.rstrip(".") for each in found for part in (each.source, each.licence) if part]
    return say("source.line", source=". ".join(parts)) or say("source.none")


def narrative_notes(view: ThemeView, indicator: str) -> tuple[str, ...]:
    """Return what the owner wrote about the newest period, each with role and date.

    Officers go by the roles that framework and register name; any other author is the
    owner. A long text is cut at the end of a sentence, and the note says where the whole of it is.
    """
    if view.narratives.empty:
        return ()
    rows = view.narratives[view.narratives["indicator_id"] == indicator]
    newest = rows_of(rows[rows["period_end"] == rows["period_end"].max()])
    notes = (note for row in newest for note in _narrative(view, row) if note)
    return tuple(dict.fromkeys(notes))


def _narrative(view: ThemeView, row: Row) -> Iterator[str]:
    role = view.role(text(row, "author_role")) or say("narrative.owner")
    kind = words_of("narrative.kind").get(text(row, "kind"), text(row, "kind"))
    parts = [kind, role, written_date(row, "written_on")]
    whole = text(row, "text")
    shown = bank.clip_sentences(whole, _SHOWN_WORDS)
    slots = {"heading": ", ".join(filter(None, parts)), "text": shown, "n": len(whole.split())}
    entry = "narrative.note" if shown == whole else "narrative.note_clipped"
    yield say(entry, **slots, place=_place(row, "source_") or say("narrative.no_place"))
    yield say("narrative.due", date=written_date(row, "due_back_on_target"))
