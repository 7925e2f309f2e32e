"""Facts to sentences: which entry of the bank says what, in a fixed order.

Order: level; change; whether it is more than noise, by which rule, and how often chance alone
would do it; comparison; target and chance; caution. What cannot be judged says why. The same facts
give the same text, and every number in it is a fact's.
"""

from __future__ import annotations

import re
from collections.abc import Sequence

from pmf_analysis.story.bank import (
    bank,
    capital,
    clip_words,
    count_of,
    fits,
    joined,
    say,
    title,
    words_of,
)
from pmf_analysis.story.facts import ComparisonFacts, Figure, TargetFacts, TrendFacts
from pmf_analysis.story.formatting import format_number, join_words

_WAYS = {1: "up", -1: "down", 0: "same"}
_DIRECTIONS = {1: "up", -1: "down", 0: "level"}
_FEW = 20  # below this an XmR chart misses two changes of two standard deviations in three
_NAMED_PEERS = 3
_SIGNALS = ("improving", "worsening", "rising", "falling")

Sentences = tuple[str, ...]


def reason_sentences(reason: str) -> Sentences:
    """Write a reason given by a measure as sentences of their own."""
    parts = [part.strip() for part in re.split(r";\s+|(?<=\w\.)\s+(?=[A-Z])", reason)]
    return tuple(f"{part[:1].upper()}{part[1:].rstrip('.')}." for part in parts if part)


def trend_title(facts: TrendFacts) -> str:
    """Headline of one trend, at most ten words."""
    return title(f"trend.title.{facts.verdict}", facts.subject.short)


def trend_sentences(facts: TrendFacts, *, with_target: bool = True) -> Sentences:
    """Say everything about one trend."""
    target = assurance_sentences(facts) if with_target else ()
    return (
        *level_sentences(facts),
        *noise_sentences(facts),
        *target,
        *caution_sentences(facts),
    )


def level_sentences(facts: TrendFacts) -> Sentences:
    """Say the level, and the change on the previous period and on the same period a year ago."""
    if not facts.value.is_known:
        return (say("trend.no_level"),)
    level = say("trend.level", value=facts.value, period=facts.period)
    sign, year = facts.sign(facts.change), facts.sign(facts.change_on_year)
    has_previous = facts.change.is_known and facts.previous_label
    is_other = facts.last_year_label != facts.previous_label
    has_year = facts.change_on_year.is_known and facts.last_year_label and is_other
    slots = {"size": facts.change_on_year, "label": facts.last_year_label}
    if not has_previous:
        size = say(f"trend.on_year_size.{_WAYS[year]}", **slots)
        alone = say("trend.on_year_alone", label=facts.last_year_label, size=size)
        return (level, alone) if has_year else (level,)
    change = say(f"trend.change.{_WAYS[sign]}", size=facts.change, label=facts.previous_label)
    if not has_year:
        return (level, f"{change}.")
    on_year = say(f"trend.on_year.{_WAYS[year]}", **slots)
    return (level, *joined(change, on_year, same_way=sign == year))


def noise_sentences(facts: TrendFacts) -> Sentences:
    """Say whether the series moved beyond normal variation, by which rule, and chance's share."""
    if facts.verdict == "cannot_judge":
        return (say("trend.cannot"), *reason_sentences(facts.reason))
    if not facts.is_signal:
        return (_no_signal(facts), *_city(facts))
    clause = _signal_clause(facts)
    opposed = _last_sign(facts) * facts.direction == -1
    opening = say("trend.signal_but", clause=clause) if opposed else f"{capital(clause)}."
    chance = say("trend.chance_alone", frequency=facts.chance_alone)
    meaning = "city" if facts.subject.is_city else facts.verdict
    said = (opening, say(f"trend.meaning.{meaning}"))
    return (*said, chance) if facts.chance_alone.is_known else said


def _city(facts: TrendFacts) -> Sentences:
    return (say("trend.meaning.city"),) if facts.subject.is_city else ()


def _last_sign(facts: TrendFacts) -> int:
    """Direction of the change that was told last, which a signal may contradict."""
    is_other = facts.last_year_label != facts.previous_label
    if facts.change_on_year.is_known and facts.last_year_label and is_other:
        return facts.sign(facts.change_on_year)
    return facts.sign(facts.change)


def _signal_clause(facts: TrendFacts) -> str:
    rule = facts.rule if f"trend.signal.{facts.rule}.up" in bank() else "none"
    return say(
        f"trend.signal.{rule}.{_DIRECTIONS[facts.direction]}",
        range=facts.subject.range(facts.lower_limit, facts.upper_limit),
        mean=facts.mean,
        points=facts.rule_points,
        n=facts.n,
        slope=facts.slope,
        step=words_of("trend.step").get(facts.subject.frequency) or say("trend.step.other"),
    )


def _no_signal(facts: TrendFacts) -> str:
    method = facts.method if facts.method in ("mann_kendall", "recent_trend") else "none"
    if facts.method == "xmr" and facts.lower_limit.is_known:
        flat = facts.lower_limit.text == facts.upper_limit.text
        method = "constant" if flat else "xmr"
    limits = facts.subject.range(facts.lower_limit, facts.upper_limit)
    return say(f"trend.no_signal.{method}", n=facts.n, range=limits, mean=facts.mean)


def assurance_sentences(facts: TrendFacts) -> Sentences:
    """Say what the usual range makes of the target in force; nothing for city measures."""
    if not facts.assurance or not facts.target.is_known:
        return ()
    states = say(f"trend.assurance.{facts.assurance}", target=facts.target)
    return (states, say(f"trend.assurance_means.{facts.assurance}"))


def caution_sentences(facts: TrendFacts) -> Sentences:
    """Say what limits trust in the latest figure."""
    known = words_of("trend.caution")
    codes = [facts.status] if facts.status in known else []
    codes += ["stale"] if facts.is_stale else []
    codes += ["few"] if facts.method == "xmr" and facts.n < _FEW and _is_judged(facts) else []
    codes += ["break"] if facts.has_break else []
    return tuple(say(f"trend.caution.{code}", days=facts.age_days, n=facts.n) for code in codes)


def _is_judged(facts: TrendFacts) -> bool:
    return facts.verdict != "cannot_judge"


def comparison_title(facts: ComparisonFacts) -> str:
    """Headline of one comparison, at most ten words."""
    verdict = facts.verdict if facts.rank or facts.verdict != "position_only" else "cannot_judge"
    slots = {"rank": facts.rank, "of": facts.rank_of}
    return title(f"compare.title.{verdict}", facts.subject.short, **slots)


def comparison_sentences(facts: ComparisonFacts) -> Sentences:
    """Say level, rank, what the difference may mean, who is missing, and where the gap goes."""
    level = "level" if facts.peer_median.is_known else "level_alone"
    said = [
        say(
            f"compare.{level}",
            value=facts.value,
            period=facts.period_label,
            median=facts.peer_median,
            peers=facts.n_peers,
        ),
        *_rank_sentences(facts),
        *_verdict_sentences(facts),
        *_gap_sentences(facts),
        *_nation_sentences(facts),
        *_missing_sentences(facts),
    ]
    return tuple(said)


def _rank_sentences(facts: ComparisonFacts) -> Sentences:
    if not facts.rank:
        return ()
    subject = facts.subject
    judged = subject.polarity in ("higher", "lower", "range") and not subject.is_city
    way = "judged" if judged else "plain"
    # 1st is the better end where one is declared, else the highest figure.
    ends = ("lowest", "highest") if subject.polarity == "lower" else ("highest", "lowest")
    end = ends[1] if facts.quarter == "last" else ends[0]
    slots = {"rank": facts.rank, "of": facts.rank_of, "end": ends[0]}
    said = say(f"compare.rank.{way}", council=subject.council, **slots)
    return (
        (said, say(f"compare.quarter.{way}.{facts.quarter}", end=end)) if facts.quarter else (said,)
    )


def _verdict_sentences(facts: ComparisonFacts) -> Sentences:
    noise = words_of("compare.noise").get(facts.evidence) or say("compare.noise.other")
    said = [say(f"compare.verdict.{facts.verdict}", noise=noise)]
    if facts.verdict == "cannot_judge":
        said += reason_sentences(facts.reason)
    if facts.subject.is_city and facts.verdict not in ("position_only", "cannot_judge"):
        said.append(say("compare.city"))
    return tuple(said)


def _gap_sentences(facts: ComparisonFacts) -> Sentences:
    if not facts.gap.is_known or not facts.gap_verdict:
        return ()
    if facts.sign(facts.gap) == 0:
        return (say("compare.no_gap"),)
    return (say(f"compare.gap.{facts.gap_verdict}", gap=facts.gap),)


def _nation_sentences(facts: ComparisonFacts) -> Sentences:
    if not facts.nation_value.is_known:
        return ()
    both = "nation_and_region" if facts.region_value.is_known else "nation"
    return (say(f"compare.{both}", nation=facts.nation_value, region=facts.region_value),)


def _missing_sentences(facts: ComparisonFacts) -> Sentences:
    if not facts.missing:
        return ()
    named = say("compare.missing", names=join_words(facts.missing))
    if len(facts.missing) <= _NAMED_PEERS and fits(named):
        return (named,)
    return (say("compare.missing_many", count=len(facts.missing)),)


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
        return (say("realism.verdict.cannot_judge"), *reason_sentences(facts.reason))
    said = [say(f"realism.chance.{facts.band}", frequency=facts.frequency)]
    if facts.lower.is_known and facts.lower.text != facts.upper.text:
        said.append(say("realism.between", low=facts.lower, high=facts.upper))
    verdict = "city" if facts.subject.is_city else facts.verdict
    words = {code: word.lower() for code, word in words_of("status").items()}
    slots = {"low": words.get(facts.verdict_low), "high": words.get(facts.verdict_high)}
    said.append(say(f"realism.verdict.{verdict}", **slots))
    return (*said, *(reason_sentences(facts.reason) if verdict == "no_verdict" else ()))


def _required_sentences(facts: TargetFacts) -> Sentences:
    if not facts.required_change.is_known or not facts.last_value.is_known:
        return ()
    if facts.is_met:
        return (say("realism.met", last=facts.last_value, label=facts.last_label),)
    way = _WAYS[facts.sign(facts.required_change)]
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
    return (say("realism.range", v60=values[0], v45=values[1], v30=values[2]),)


def challenge_questions(facts: TargetFacts, median: Figure | None = None) -> Sentences:
    """Questions for the director that the evidence raises; never about anybody's reasons."""
    slots = {"target": facts.target, "v30": facts.value_30}
    if facts.is_reference:
        low, high = sorted((facts.value_60, facts.value_30), key=lambda value: value.raw or 0.0)
        known = low.is_known and high.is_known
        return (say("challenge.no_target", low=low, high=high),) if known else ()
    verdict = facts.verdict if facts.value_30.is_known else "cannot_judge"
    said = [say(f"challenge.{verdict}", **slots)]
    if median is not None and _beyond(median, facts):
        said.append(say("challenge.peers", median=median))
    if facts.peer_share.is_known and (facts.peer_share.raw or 0.0) <= 0.05 and not facts.is_met:
        said.append(say("challenge.rare", frequency=facts.peer_share))
    if not facts.rationale:
        said.append(say("challenge.basis"))
    return tuple(said)


def _beyond(median: Figure, facts: TargetFacts) -> bool:
    """Whether the peers' median is better than the target."""
    if median.raw is None or facts.target.raw is None:
        return False
    return (median.raw - facts.target.raw) * facts.subject.better_sign > 0


def counted(group: str, entry: str, counts: Sequence[tuple[str, int]], total: int) -> Sentences:
    """Count verdicts of a theme in words: "Of the 9 indicators, 1 has improved ..."."""
    forms = [(code, n, count_of(f"theme.{group}.{code}", n)) for code, n in counts if n]
    parts = [form if total == 1 else say("theme.part", n=n, form=form) for _, n, form in forms]
    if forms and forms[0][0] in _SIGNALS:
        parts[0] = say("theme.beyond", part=parts[0])
    whole = count_of(entry, total, parts=join_words(parts))
    if fits(whole) or len(parts) < 2:
        return (whole,)
    half = (len(parts) + 1) // 2
    first = count_of(entry, total, parts=join_words(parts[:half]))
    return (first, say("theme.further", parts=join_words(parts[half:])))


def named(word: str, names: Sequence[str]) -> Sentences:
    """List names after a word, as many as one sentence takes, and count the others."""
    for shown in range(len(names), 0, -1):
        rest = len(names) - shown
        more = [say("theme.and_more", n=rest)] if rest else []
        said = say("theme.named", word=word, names=join_words([*names[:shown], *more]))
        if fits(said):
            return (said,)
    return (say("theme.named", word=word, names=clip_words(names[0], 12)),) if names else ()


def budget_sentence(chances: Sequence[float]) -> Sentences:
    """Say how many signals chance alone would give among series with these false-alarm rates."""
    if not chances:
        return ()
    expected = sum(chances)
    form = "few" if expected < 0.05 else "some"
    return (say(f"theme.budget.{form}", n=len(chances), expected=format_number(expected, 1)),)
