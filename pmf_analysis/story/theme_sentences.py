"""What is said of a theme as a whole: counts, names, what chance explains, how it was before."""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence

from pmf_analysis.story.bank import clip_words, count_of, fits, fitting, say
from pmf_analysis.story.facts import SIGNALS
from pmf_analysis.story.figures import Row, number
from pmf_analysis.story.formatting import join_words
from pmf_analysis.story.sentences import Sentences, told

_CLAUSE_WORDS = 11


def reason_clause(reason: str) -> str:
    """Return the first clause of a reason, short enough to stand in brackets."""
    clause = clip_words(re.split(r"[,;:]|\.(?=\s|$)", reason)[0], _CLAUSE_WORDS)
    return clause[:1].lower() + clause[1:]


def counted(group: str, entry: str, counts: Sequence[tuple[str, int]], total: int) -> Sentences:
    """Count verdicts of a theme in words: "Of the 9 indicators, 1 has improved ..."."""
    forms = [(code, n, count_of(f"theme.{group}.{code}", n)) for code, n in counts if n]
    parts = [form if total == 1 else say("theme.part", n=n, form=form) for _, n, form in forms]
    if forms and forms[0][0] in SIGNALS:
        parts[0] = say("theme.beyond", part=parts[0])
    whole = count_of(entry, total, parts=join_words(parts))
    if fits(whole) or len(parts) < 2:
        return told(whole)
    half = (len(parts) + 1) // 2
    first = count_of(entry, total, parts=join_words(parts[:half]))
    return (first, say("theme.further", parts=join_words(parts[half:])))


def named(word: str, names: Sequence[str]) -> Sentences:
    """List names after a word, as many as one sentence takes, and count the others."""
    if not names:
        return ()
    said = _listed(names, lambda listed: say("theme.named", word=word, names=listed))
    short = say("theme.named", word=word, names=clip_words(names[0], 12))
    return (fitting([said]) or short,)


def _listed(names: Sequence[str], sentence: Callable[[str], str]) -> str:
    """Return the sentence on as many names as it has room for; the others are counted."""
    said = [
        sentence(join_words([*names[:shown], *([say("theme.and_more", n=rest)] if rest else [])]))
        for rest, shown in enumerate(range(len(names), 0, -1))
    ]
    return fitting(said) or said[-1]


def unjudged(reasons: Sequence[tuple[str, str]]) -> Sentences:
    """Say in one sentence what was not judged and the commonest reason; count the others.

    ``reasons`` are pairs of an indicator's name and why it was not judged.
    """
    if not reasons:
        return ()
    clauses = [reason_clause(reason) for _, reason in reasons]
    common = max(clauses, key=clauses.count)
    names = [name for (name, _), clause in zip(reasons, clauses, strict=True) if clause == common]
    others = len(reasons) - len(names)

    def sentence(listed: str) -> str:
        alone = say("theme.not_judged", names=listed, reason=common)
        more = count_of("theme.not_judged_and", others, names=listed, reason=common)
        return more if others else alone

    return (_listed(names, sentence),)


def chance_among_tested(tested: int) -> Sentences:
    """Say how many of the comparisons tested at 95% would differ by chance alone."""
    if not tested:
        return ()
    entry = "theme.tested.under_one" if tested < 20 else "theme.tested.about"
    return (say(entry, n=tested, expected=round(tested / 20)),)


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
    said = [say("theme.off_target.before", now=now, earlier=listed) for listed in lists]
    return told(fitting([*said, say("theme.off_target.now", now=now)]))
