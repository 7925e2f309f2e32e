"""Facts to sentences: what a story of the bank needs beside the facts of its row.

Which entry says what, and in which order, is in ``stories.yml``. Order: level; change; whether it
is more than noise, by which rule, and how often chance alone would do it; comparison; target and
chance; caution. What cannot be judged says why. The same facts give the same text, and every number
in it is a fact's. What is not known comes back from the bank as "" and is left out.
"""

import re

from pmf_analysis.story import bank
from pmf_analysis.story.bank import MOST_TITLE_WORDS, Sentences, phrase, say, tell, words_of
from pmf_analysis.story.facts import NEARLY_ALL, ComparisonFacts, TrendFacts
from pmf_analysis.story.figures import Facts, Figure
from pmf_analysis.story.formatting import format_age

_WIDER = ("nation_value", "region_value")
_LIMITS = ("limit_low", "limit_high")
FIRST_CAUTIONS = 2  # told with the finding; the others below the chart


def trend_title(facts: TrendFacts) -> str:
    """Headline of one trend, at most ten words."""
    return phrase("trend_title", facts=facts)


def picture_title(facts: TrendFacts) -> str:
    """Headline of a trend's chart, with the value where ten words allow it."""
    return phrase("picture_title", facts=facts, most=MOST_TITLE_WORDS) or trend_title(facts)


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
    slots = {name: facts.subject.plain(facts.more[name]) for name in _LIMITS}
    slots["place"] = rank_words(facts)
    return tell("comparison", facts=facts, nearly_all=NEARLY_ALL, **slots)


def context_sentences(facts: ComparisonFacts) -> Sentences:
    """Say where the gap goes and what would close it, then how the nation and region stand."""
    wider = {name: facts.subject.plain(facts.more[name]) for name in _WIDER}
    pace = _size(facts, facts.close_pace)
    return (*gap_sentences(facts), *tell("wider", facts=facts, pace=pace, **wider))


def gap_sentences(facts: ComparisonFacts) -> Sentences:
    """Say how wide the gap to the median is, on which side, where it goes, and who moved."""
    spelled = {name: facts.more[name].text for name in ("own_moved", "peers_moved")}
    moved = {name: re.sub(r" (?!million).*", "", size) for name, size in spelled.items()}
    return tell("gap", facts=facts, size=_size(facts, facts.gap), **moved)


def _size(facts: ComparisonFacts, change: Figure) -> str:
    """Spell how large a change is, without sign and unit in words."""
    return facts.subject.plain(change._replace(raw=abs(change.raw or 0.0)))
