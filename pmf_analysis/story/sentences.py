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
from pmf_analysis.story.facts import ComparisonFacts, TrendFacts
from pmf_analysis.story.formatting import format_number, join_words

WAYS = {1: "up", -1: "down", 0: "same"}
_DIRECTIONS = {1: "up", -1: "down", 0: "level"}
_SIDES = {1: "favourable", -1: "unfavourable", 0: "plain"}
_FEW = 20  # below this an XmR chart misses two changes of two standard deviations in three
NAMED_PEERS = 3
_CAUTIONED = ("season_means_removed", "rolling")
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
        size = say(f"trend.on_year_size.{WAYS[year]}", **slots)
        alone = say("trend.on_year_alone", label=facts.last_year_label, size=size)
        return (level, alone) if has_year else (level,)
    change = say(f"trend.change.{WAYS[sign]}", size=facts.change, label=facts.previous_label)
    if not has_year:
        return (level, f"{change}.")
    on_year = say(f"trend.on_year.{WAYS[year]}", **slots)
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
    seasonal = facts.treatment == "season_means_removed"
    prefix = "seasonal_" if seasonal else "windows_" if facts.shape == "rolling" else ""
    named_rules = (f"{prefix}{facts.rule}", facts.rule, "none")
    rule = next(name for name in named_rules if f"trend.signal.{name}.up" in bank())
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
    codes += [code for code in (facts.treatment, facts.shape) if code in _CAUTIONED]
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
    kind = facts.evidence if facts.evidence in words_of("compare.noise") else "other"
    with_ = {
        "noise": say(f"compare.noise.{kind}"),
        "benchmark": say(f"compare.benchmark.{'counts' if kind == 'counts' else 'other'}"),
    }
    told = say(f"compare.verdict.{facts.verdict}", **with_)
    reasons = reason_sentences(facts.reason)
    if not facts.is_tested:
        return (told, *(reasons if facts.verdict == "cannot_judge" else reasons[1:]))
    # The first sentence of a tested verdict's reason says what `told` says in plainer words.
    city = (say("compare.city"),) if facts.subject.is_city else ()
    return (told, *reasons[1:], *city)


def _gap_sentences(facts: ComparisonFacts) -> Sentences:
    if not facts.gap.is_known or not facts.gap_verdict:
        return ()
    sign = facts.sign(facts.gap)
    if sign == 0:
        return (say("compare.no_gap"),)
    side = 0 if facts.subject.is_city else sign * facts.subject.better_sign
    where = say(f"compare.side.{_SIDES[side]}")
    return (say(f"compare.gap.{facts.gap_verdict}", gap=facts.gap, side=where),)


def _nation_sentences(facts: ComparisonFacts) -> Sentences:
    if not facts.nation_value.is_known:
        return ()
    both = "nation_and_region" if facts.region_value.is_known else "nation"
    return (say(f"compare.{both}", nation=facts.nation_value, region=facts.region_value),)


def _missing_sentences(facts: ComparisonFacts) -> Sentences:
    if not facts.missing:
        return ()
    named = say("compare.missing", names=join_words(facts.missing))
    if len(facts.missing) <= NAMED_PEERS and fits(named):
        return (named,)
    return (say("compare.missing_many", count=len(facts.missing)),)


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
