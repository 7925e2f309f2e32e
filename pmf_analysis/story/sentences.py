"""Facts to sentences: which entry of the bank says what, in a fixed order.

Order: level; change; whether it is more than noise, by which rule, and how often chance alone
would do it; comparison; target and chance; caution. What cannot be judged says why. The same facts
give the same text, and every number in it is a fact's. What is not known comes back from the bank
as "" and is left out.
"""

import re

from pmf_analysis.story import bank
from pmf_analysis.story.bank import capital, count_of, ended, say, say_first, title, words_of
from pmf_analysis.story.facts import NEARLY_ALL, ComparisonFacts, TrendFacts
from pmf_analysis.story.figures import Figure
from pmf_analysis.story.formatting import format_age

WAYS = {1: "up", -1: "down", 0: "same"}
_DIRECTIONS = {1: "up", -1: "down", 0: "level"}
_SIDES = {1: "favourable", -1: "unfavourable"}
_WIDER = ("nation_value", "region_value")
_LIMITS = ("limit_low", "limit_high")
_FEW = 20  # below this an XmR chart misses two changes of two standard deviations in three
_SHORT = 13  # below this a test for a steady movement finds large movements and no others
FIRST_CAUTIONS = 2  # told with the finding; the others below the chart
_SURVEY_TEST = 0.05

Sentences = tuple[str, ...]


def told(*sentences: str) -> Sentences:
    """Keep the sentences that say something."""
    return tuple(filter(None, sentences))


def reason_sentences(reason: str) -> Sentences:
    """Write a reason given by a measure as sentences of their own."""
    parts = [part.strip() for part in re.split(r";\s+|(?<=\w\.)\s+(?=[A-Z])", reason)]
    return tuple(capital(re.sub(r"(?<![.?])$", ".", part)) for part in parts if part)


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
    said = (*level_sentences(facts), *noise_sentences(facts), *_survey_sentence(facts))
    cautions = caution_sentences(facts)[:FIRST_CAUTIONS]
    return (*said, *assurance_sentences(facts), *age_sentences(facts), *cautions)


def level_sentences(facts: TrendFacts) -> Sentences:
    """Say the level, and the change on the previous period and on the same period a year ago."""
    if not facts.value.is_known:
        return (say("trend.no_level"),)
    slots = {"value": facts.value, "period": facts.period}
    level = say_first("trend.level", "trend.level_alone", **slots)
    on_year = (facts, facts.change_on_year, _year_label(facts))
    change = _moved("change", facts, facts.change, facts.previous_label)
    if not change:
        return told(level, _moved("on_year_alone", *on_year))
    if not (year := _moved("on_year", *on_year)):
        return (level, f"{change}.")
    same_way = facts.sign(facts.change) == facts.sign(facts.change_on_year)
    return (level, *bank.joined(change, year, same_way=same_way))


def _moved(entry: str, facts: TrendFacts, change: Figure, label: str) -> str:
    way = WAYS[facts.sign(change)]
    return say(f"trend.{entry}.{way}", size=change, label=label) if change.is_known else ""


def _year_label(facts: TrendFacts) -> str:
    """Name the period a year earlier, unless it is the previous one and has been told."""
    return facts.last_year_label if facts.last_year_label != facts.previous_label else ""


def noise_sentences(facts: TrendFacts) -> Sentences:
    """Say whether the series moved beyond normal variation, by which rule, and chance's share."""
    if facts.verdict == "cannot_judge":
        return (say("trend.cannot"), *reason_sentences(facts.reason))
    # What a reason says of the target is told below the chart.
    reasons = [each for each in reason_sentences(facts.reason) if "target" not in each]
    city = facts.subject.is_city
    if not facts.is_signal:
        none = "" if reasons and facts.method == "recent_trend" else _no_signal(facts)
        alone = say("trend.city") if city else ""
        after = say("trend.ended", label=facts.unusual_until or None)
        return told(f"{none}." if none else "", after, *reasons, alone)
    # A signal may contradict the change that was told last.
    on_year = facts.change_on_year.is_known and _year_label(facts)
    last = facts.sign(facts.change_on_year if on_year else facts.change)
    opposed = last * facts.direction == -1
    clause = say("trend.signal_but", clause=_signal_clause(facts)) if opposed else ""
    chance = "chance_steps" if facts.rule == "most_steps" else "chance_alone"
    meaning = say("trend.city" if city else f"trend.meaning.{facts.level}")
    return told(
        clause or signal_sentence(facts),
        *ended(meaning.rstrip("."), f"trend.{chance}", **_slots(facts)),
        *reasons,
    )


def arrow_note(facts: TrendFacts) -> str:
    """Say what a two-point arrow is worth where it tells another story than the verdict."""
    arrow, told_otherwise = facts.arrow_short, {"no_clear_change", "improving", "worsening"}
    if arrow in ("", "same") or facts.is_level or not facts.sign(facts.change):
        return ""
    differs = facts.verdict in told_otherwise - {arrow}
    return say("trend.arrow.note", word=words_of("trend.arrow.word")[arrow]) if differs else ""


def _survey_sentence(facts: TrendFacts) -> Sentences:
    """Say whether sampling error would explain the change since the last survey."""
    chance = facts.change_p.raw
    if not facts.change_test or chance is None:
        return ()
    beyond = chance <= _SURVEY_TEST
    against = beyond and facts.sign(facts.change) * facts.direction == -1
    tension = facts.verdict != "cannot_judge" and (beyond != facts.is_signal or against)
    return (say(f"trend.survey.{'but_' if tension else ''}{'beyond' if beyond else 'within'}"),)


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


def _slots(facts: TrendFacts) -> dict[str, object]:
    """What a sentence on noise may speak of."""
    usual = facts.subject.range(facts.lower_limit, facts.upper_limit)
    slots = {**facts.more, "since": facts.since, "range": usual, "step": step_word(facts)}
    counts = {"points": facts.rule_points or None, "n": facts.n or None}
    return slots | counts | {"frequency": facts.chance_alone}


def step_word(facts: TrendFacts) -> str:
    """Word for what lies between two figures: "quarter"."""
    steps = words_of("trend.step")
    return steps.get(facts.subject.frequency, steps["other"])


def _no_signal(facts: TrendFacts) -> str:
    method = facts.method if facts.method in words_of("trend.no_signal") else "none"
    if method == "xmr" and facts.lower_limit.text == facts.upper_limit.text:
        method = "constant"
    return say_first(f"trend.no_signal.{method}", "trend.no_signal.none", **_slots(facts))


def assurance_sentences(facts: TrendFacts) -> Sentences:
    """Say what the usual range, or else the figure, makes of the target, and how often it was met.

    Nothing for city measures.
    """
    entry = f"assurance.{facts.assurance}" if facts.assurance else f"target.{facts.outcome}"
    if not (facts.assurance or facts.outcome):
        return ()
    met = round((facts.met_share.raw or 0.0) * facts.judged)
    # Of a single period the target says so itself.
    is_told = facts.met_share.is_known and facts.judged > 1
    slots = {"met": met, "judged": facts.judged if is_told else None}
    state = say(f"trend.{entry}", target=facts.target)
    return ended(state, "trend.met_share", **slots) if state else ()


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
    median = facts.subject.plain(facts.peer_median)
    slots = {"value": facts.value, "period": facts.period_label, "median": median}
    entries = (f"compare.level.{which}" for which in ("full", "short", "alone"))
    level = say_first(*entries, peers=facts.n or None, **slots)
    return told(level, _rank_sentence(facts), *_verdict_sentences(facts), robust_sentence(facts))


def context_sentences(facts: ComparisonFacts) -> Sentences:
    """Say where the gap goes and what would close it, then how the nation and region stand."""
    wider = {name: facts.subject.plain(facts.more[name]) for name in _WIDER}
    nation = say_first("compare.nation_and_region", "compare.nation", **wider)
    return told(*gap_sentences(facts), *_pace_sentences(facts), nation)


def _rank_sentence(facts: ComparisonFacts) -> str:
    """Say the place, an outer quarter of the group, and how far chance could move the place."""
    place = say("compare.rank", place=rank_words(facts))
    quarter = say_first(f"compare.quarter.{_way(facts)}.{facts.quarter}")
    moved = say("compare.rank_range", range=facts.rank_range)
    level = count_of("compare.level_with", facts.n_level) if facts.n_level else ""
    return f"{place}{level}{moved}{quarter}." if place else ""


def _verdict_sentences(facts: ComparisonFacts) -> Sentences:
    kind = facts.evidence if facts.evidence in words_of("compare.noise") else "other"
    benchmark = say(f"compare.benchmark.{'counts' if kind == 'counts' else 'other'}")
    slots = {"noise": say(f"compare.noise.{kind}"), "benchmark": benchmark}
    slots["word"] = words_of("status")[facts.verdict].lower()
    # Where the spread between councils cannot be tested nothing is said to lie within it.
    entry = f"compare.verdict.{_verdict_entry(facts)}"
    if facts.is_somewhat:
        kind = "untested" if "cannot be tested" in facts.reason else _limit_entry(facts)
        slots |= {name: facts.subject.plain(facts.more[name]) for name in _LIMITS}
    verdict, reasons = say_first(f"{entry}_{kind}", entry, **slots), reason_sentences(facts.reason)
    hidden = count_of("compare.hidden", facts.n_hidden) if facts.n_hidden else ""
    if facts.verdict == "cannot_judge":
        return told(verdict, *reasons, hidden if "hidden" not in facts.reason else "")
    # The first sentence of a reason, and where councils spread, is what the verdict says plainly;
    # that an earlier period is compared stands beside our newest figure.
    told_already = ("between peers", "spread between", "our newest period")
    notes = [each for each in reasons[1:] if not any(part in each for part in told_already)]
    is_city = facts.subject.is_city and facts.verdict != "position_only"
    said = say("compare.edge") if facts.edge else verdict
    return told(said, *notes, hidden, say("trend.city") if is_city else "")


def _limit_entry(facts: ComparisonFacts) -> str:
    """Return how it is said from where on a figure on our side of the median is unusual."""
    side = "high" if facts.sign(facts.gap) > 0 else "low"
    limit, value = facts.more[f"limit_{side}"].raw, facts.value.raw or 0.0
    ends = {"low": value >= 0, "high": facts.subject.unit == "%"}
    beyond = limit is not None and (limit >= 100 if side == "high" else limit <= 0)
    return "none" if beyond and ends[side] else side


def robust_sentence(facts: ComparisonFacts) -> str:
    """Say in how many other comparisons the verdict holds or turns around; "" without a verdict."""
    if facts.verdict == "cannot_judge" or facts.subject.is_city or not facts.robust_of.raw:
        return ""
    share = (facts.robust_same.raw or 0) / facts.robust_of.raw
    extent = "all" if share == 1 else "nearly_all" if share >= NEARLY_ALL else "most"
    what = words_of("compare.robust_of")["place" if facts.verdict == "position_only" else "verdict"]
    return say(f"compare.robust.{'open' if facts.is_open else extent}", what=what, **facts.more)


def gap_sentences(facts: ComparisonFacts) -> Sentences:
    """Say how wide the gap to the median is, on which side, where it goes, and who moved."""
    if not facts.gap.is_known or not facts.gap_verdict:
        return ()
    if (sign := facts.sign(facts.gap)) == 0:
        return (say("compare.no_gap"),)
    side = 0 if facts.subject.is_city else sign * facts.subject.better_sign
    size = facts.subject.plain(facts.gap._replace(raw=abs(facts.gap.raw or 0.0)))
    gap = say(f"compare.side.{_SIDES[side] if side else WAYS[sign]}", gap=size)
    spelled = {name: facts.more[name].text for name in ("own_moved", "peers_moved")}
    moved = {name: re.sub(r" (?!million).*", "", size) for name, size in spelled.items()}
    since = facts.gap_since if facts.gap_word not in ("cannot_judge", "steady") else None
    clause = say(f"compare.gap.{facts.gap_word}", gap=gap)
    return ended(clause, "compare.moved", since=since, **moved)


def _pace_sentences(facts: ComparisonFacts) -> Sentences:
    """Say what pace would close the gap, and who has ever kept it for so long."""
    pace, kept, tested = facts.close_pace, facts.peers_kept, facts.peers_tested or None
    if not facts.is_behind or pace.raw is None or not facts.close_years:
        return ()
    spelled = facts.subject.plain(pace._replace(raw=abs(pace.raw)))
    years = count_of("number.years", facts.close_years)
    need = say("compare.pace.need", years=years, pace=spelled)
    some = count_of("compare.pace.some", kept, tested=tested, years=years)
    others = some if kept else say("compare.pace.none", tested=tested, years=years)
    entry = f"compare.pace.{'some' if kept else 'none'}_{facts.own_kept}"
    return told(need, others, say(entry) if others and facts.own_kept else "")
