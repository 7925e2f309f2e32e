"""Facts to sentences: what a story of the bank needs beside the facts of its row.

Which entry says what, and in which order, is in ``stories.yml``. Order: level; change; whether it
is more than noise, by which rule, and how often chance alone would do it; comparison; target and
chance; caution. What cannot be judged says why. The same facts give the same text, and every number
in it is a fact's. What is not known comes back from the bank as "" and is left out.
"""

import re
from typing import Any

from pmf_analysis.story import bank
from pmf_analysis.story.bank import capital, say, say_first, title, words_of
from pmf_analysis.story.facts import NEARLY_ALL, ComparisonFacts, TrendFacts
from pmf_analysis.story.figures import Facts, Figure
from pmf_analysis.story.formatting import format_age
from pmf_analysis.story.telling import Sentences, reason_sentences, tell

_DIRECTIONS = {1: "up", -1: "down", 0: "level"}
_WIDER = ("nation_value", "region_value")
_LIMITS = ("limit_low", "limit_high")
_FEW = 20  # below this an XmR chart misses two changes of two standard deviations in three
_SHORT = 13  # below this a test for a steady movement finds large movements and no others
FIRST_CAUTIONS = 2  # told with the finding; the others below the chart


def trend_title(facts: TrendFacts) -> str:
    """Headline of one trend, at most ten words."""
    return title(_trend_entry("title", facts), facts.subject.short)


def _trend_entry(kind: str, facts: TrendFacts) -> str:
    if facts.is_level:
        return f"trend.level_{kind}.{_DIRECTIONS[facts.direction]}"
    return f"trend.{kind}.{facts.verdict}"


def picture_title(facts: TrendFacts) -> str:
    """Headline of a trend's chart, with the value where ten words allow it."""
    subject, entry = facts.subject, _trend_entry("picture", facts)
    values = (facts.value.text, subject.plain(facts.value))
    titles = [say(entry, name=subject.short, value=value) for value in values]
    return bank.fitting(titles, bank.MOST_TITLE_WORDS) or trend_title(facts)


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
    return tell("trend_noise", signal=_signal_clause(facts), **_slots(facts))


def signal_sentence(facts: TrendFacts) -> str:
    """Say by which rule a series moved or is off its average."""
    return f"{capital(_signal_clause(facts))}."


def _signal_clause(facts: TrendFacts) -> str:
    """Say the rule in the words of its treatment or shape, else plainly, else without a rule."""
    seasonal = facts.treatment == "season_means_removed"
    prefix = "seasonal_" if seasonal else "windows_" if facts.shape == "rolling" else ""
    several = f"{facts.rule}_run" if facts.rule_points > 1 else facts.rule
    first = prefix + facts.rule if prefix else several
    rules = (first, several, facts.rule, f"{facts.rule}_alone", "none")
    entries = (f"trend.signal.{rule}.{_DIRECTIONS[facts.direction]}" for rule in rules)
    return say_first(*entries, **_slots(facts))


def _slots(facts: TrendFacts) -> dict[str, Any]:
    """What a sentence on noise may speak of."""
    usual = facts.subject.range(facts.lower_limit, facts.upper_limit)
    slots = {"facts": facts, "range": usual, "step": step_word(facts)}
    counts = {"points": facts.rule_points or None, "n": facts.n or None}
    return slots | counts | {"frequency": facts.chance_alone}


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
    fewest = {"xmr": ("few", _FEW)}.get(facts.method, ("short", _SHORT))
    judged = facts.verdict != "cannot_judge"
    few = facts.method != "none" and facts.n < fewest[1] and judged and not facts.is_signal
    known = {*facts.features.split(";"), facts.status, facts.treatment, facts.shape}
    flags = {"suggested_step": facts.has_suggestion and judged, "break": facts.has_break}
    # What only rolls is told by a reason; that a value was ever revised is no status.
    flags |= {fewest[0]: few, "rolling": judged and "rolling" in known}
    flags["revised"] = facts.status == "revised"
    codes = [code for code in words_of("trend.caution") if flags.get(code, code in known)]
    cautions = (say(f"trend.caution.{code}", n=facts.n) for code in codes)
    return (*reason_sentences(facts.contradiction), *cautions)


def age_sentences(facts: TrendFacts) -> Sentences:
    """Say how old the latest figure is, where it is older than it should be."""
    return (say("trend.stale", age=format_age(facts.age_days)),) if facts.is_stale else ()


def comparison_title(facts: ComparisonFacts) -> str:
    """Headline of one comparison, at most ten words."""
    entry = "edge" if facts.edge else _verdict_entry(facts)
    entry = "position_only" if facts.shown == "no_status" else entry
    slots = {"place": rank_words(facts), "word": words_of("status")[facts.verdict].lower()}
    made = title(f"compare.title.{entry}", facts.subject.short, **slots)
    return made or title("compare.title.cannot_judge", facts.subject.short)


def rank_words(facts: ComparisonFacts) -> str:
    """Write a rank: "joint 2nd of 16", or "12th highest of 16" where no direction is better."""
    rank, last = facts.rank.raw or 0, (facts.rank_of.raw or 0) - facts.n_level
    ends = {1: "highest", last: "lowest"} if _way(facts) == "plain" and rank else {}
    place = say(f"compare.place.{ends.get(rank, _way(facts))}", rank=facts.rank, of=facts.rank_of)
    return (say("compare.place.joint", place=place) if facts.n_level else "") or place


def _way(facts: ComparisonFacts) -> str:
    return "judged" if facts.subject.is_ranked_by_merit else "plain"


def _verdict_entry(facts: ComparisonFacts) -> str:
    return "somewhat" if facts.is_somewhat else facts.verdict


def comparison_sentences(facts: ComparisonFacts) -> Sentences:
    """Say level, place, what the difference may mean, and whether other comparisons agree."""
    slots = {name: facts.subject.plain(facts.more[name]) for name in _LIMITS}
    slots |= {"place": rank_words(facts), "limit": _limit_entry(facts)}
    return tell("comparison", facts=facts, nearly_all=NEARLY_ALL, **slots)


def context_sentences(facts: ComparisonFacts) -> Sentences:
    """Say where the gap goes and what would close it, then how the nation and region stand."""
    wider = {name: facts.subject.plain(facts.more[name]) for name in _WIDER}
    return (
        *gap_sentences(facts),
        *tell("wider", facts=facts, pace=_size(facts, facts.close_pace), **wider),
    )


def _limit_entry(facts: ComparisonFacts) -> str:
    """Return how it is said from where on a figure on our side of the median is unusual."""
    side = "high" if facts.sign(facts.gap) > 0 else "low"
    limit, value = facts.more[f"limit_{side}"].raw, facts.value.raw or 0.0
    ends = {"low": value >= 0, "high": facts.subject.unit == "%"}
    beyond = limit is not None and (limit >= 100 if side == "high" else limit <= 0)
    return "none" if beyond and ends[side] else side


def gap_sentences(facts: ComparisonFacts) -> Sentences:
    """Say how wide the gap to the median is, on which side, where it goes, and who moved."""
    spelled = {name: facts.more[name].text for name in ("own_moved", "peers_moved")}
    moved = {name: re.sub(r" (?!million).*", "", size) for name, size in spelled.items()}
    return tell("gap", facts=facts, size=_size(facts, facts.gap), **moved)


def _size(facts: ComparisonFacts, change: Figure) -> str:
    """Spell how large a change is, without sign and unit in words."""
    return facts.subject.plain(change._replace(raw=abs(change.raw or 0.0)))
