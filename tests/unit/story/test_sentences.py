"""Laws of what is said: short, plain, traceable to facts, never against polarity."""

from __future__ import annotations

import re
from collections.abc import Iterable
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pmf_analysis.story.bank import (
    bank,
    clip_sentences,
    named,
    reason_sentences,
    say,
    stored,
    words_of,
)
from pmf_analysis.story.facts import ComparisonFacts, Subject, TargetFacts, TrendFacts
from pmf_analysis.story.figures import Figure
from pmf_analysis.story.formatting import format_age, twentieths
from pmf_analysis.story.sentences import (
    assurance_sentences,
    caution_sentences,
    challenge_questions,
    chance_among_tested,
    chance_signals,
    check_sentence,
    comparison_sentences,
    comparison_title,
    context_sentences,
    counted,
    evidence_rows,
    level_sentences,
    noise_sentences,
    off_target,
    outturn_sentences,
    picture_title,
    range_words,
    reference_sentences,
    target_sentences,
    target_title,
    trend_sentences,
    trend_title,
    unjudged,
)
from pmf_analysis.story.trends_page import chart_notes

from .made_up import (
    NAN,
    PEER_NAMES,
    check_row,
    comparison_row,
    event_row,
    outturn_row,
    target_row,
    trend_row,
)


@pytest.fixture(autouse=True, scope="module")
def told_once() -> None:
    """A story is compiled when it is first told, which no example's deadline should count."""
    subject = Subject.of(trend_row(), "Westshire")
    trend = TrendFacts.of(trend_row(), "Westshire")
    comparison = ComparisonFacts.of(comparison_row(), subject)
    target = TargetFacts.of(target_row(), subject)
    assert trend_sentences(trend) and chart_notes(trend, [{**event_row(), "number": 1}])
    assert comparison_sentences(comparison) and context_sentences(comparison)
    assert target_sentences(target) and challenge_questions(target)
    assert reference_sentences([TargetFacts.of(target_row(kind="maintain"), subject)])


BANNED = re.compile(
    r"\b(significant\w*|only|best|worst|blame\w*|fault|fail\w*|disappoint\w*|excellent|poor|"
    r"because of|due to|caused|should have|deliberate\w*|lazy|gam(ing|ed))\b",
    re.IGNORECASE,
)
VALUES = st.one_of(st.floats(-2e6, 2e6), st.sampled_from([0.0, 0.04, -0.04, 1.0, NAN]))
UNITS = st.sampled_from(
    ["%", "£", "£ million", "days", "per 1,000 people", "score 0 to 10", "µg/m3"]
)
POLARITIES = st.sampled_from(["higher", "lower", "range", "none", "unknown"])
CONTROLS = st.sampled_from(["council", "shared", "city"])
SHARES = st.one_of(st.floats(0, 1), st.just(NAN))
COMMON = {
    "unit": UNITS,
    "decimals": st.integers(0, 2),
    "polarity": POLARITIES,
    "control": CONTROLS,
}
TREND_ROWS = st.fixed_dictionaries(
    {
        **COMMON,
        **dict.fromkeys(("value", "change", "change_on_year", "mean", "slope", "target"), VALUES),
        **dict.fromkeys(("lower_limit", "upper_limit"), VALUES),
        "verdict": st.sampled_from(
            ["improving", "worsening", "no_clear_change", "rising", "falling", "cannot_judge"]
        ),
        "method": st.sampled_from(["xmr", "mann_kendall", "recent_trend", "none"]),
        "rule": st.sampled_from(
            [
                "none",
                "outside_limits",
                "trend",
                "two_in_three",
                "three_in_four",
                "crossings",
                "shift",
                "mann_kendall",
                "recent_trend",
            ]
        ),
        "rule_points": st.integers(1, 40),
        "n": st.integers(0, 60),
        "assurance": st.sampled_from(["consistent_pass", "inconsistent", "consistent_fail", ""]),
        "chance_alone": SHARES,
        "status": st.sampled_from(["final", "provisional", "estimated", "revised", "suppressed"]),
        "is_stale": st.booleans(),
        "age_days": st.integers(0, 900),
        "reason": st.sampled_from(["", "Four figures are too few; five are needed"]),
        "frequency": st.sampled_from(["monthly", "quarterly", "annual", "weekly"]),
        "treatment": st.sampled_from(["", "none", "season_means_removed"]),
        "shape": st.sampled_from(["discrete", "rolling"]),
        **dict.fromkeys(("previous_band", "last_year_band", "detect_4", "detect_12"), VALUES),
        "features": st.sampled_from(["", "gappy", "bounded;rounded;carried_forward"]),
        "contradiction": st.sampled_from(["", "Declared as single periods; values rise"]),
        "change_test": st.sampled_from(["", "two_proportions"]),
        "change_p": SHARES,
        "limits_from": st.sampled_from(["own", "frozen"]),
        "verdict_without_rebase": st.sampled_from(["", "improving", "no_clear_change"]),
        **dict.fromkeys(("tolerance_low", "tolerance_high"), VALUES),
        "assurance_tolerance": st.sampled_from(["consistent_pass", "inconsistent", ""]),
        "arrow_short": st.sampled_from(["improving", "worsening", "same", ""]),
        "last_year_label": st.sampled_from(["2025-26 Q2", "2026-27 Q1", ""]),
        "previous_label": st.sampled_from(["2026-27 Q1", "1 April 2024 to 31 March 2025", ""]),
    }
)
COMPARISON_ROWS = st.fixed_dictionaries(
    {
        **dict.fromkeys(("value", "peer_median", "gap", "nation_value", "region_value"), VALUES),
        "verdict": st.sampled_from(
            [
                *("better", "similar", "worse", "higher", "lower", "position_only"),
                *("cannot_judge", "somewhat_better", "somewhat_worse", "somewhat_higher"),
            ]
        ),
        "evidence": st.sampled_from(["counts", "interval", "own_history", "values_only", "none"]),
        "rank": st.one_of(st.integers(1, 16), st.just(NAN)),
        "gap_verdict": st.sampled_from(
            ["closing", "widening", "crossed", "steady", "cannot_judge", ""]
        ),
        "gap_reason": st.sampled_from(["", "It moved more than a year ago and has held since."]),
        "gap_since": st.sampled_from(["", "2018-19 Q1"]),
        **dict.fromkeys(("own_moved", "peers_moved", "limit_low", "limit_high"), VALUES),
        **dict.fromkeys(("n_level", "n_hidden"), st.sampled_from([0, 1, 6, NAN])),
        "peers_missing": st.lists(st.sampled_from(PEER_NAMES), unique=True).map("; ".join),
        "reason": st.sampled_from(
            ["", "Our interval excludes theirs. This is within the usual spread."]
        ),
        **dict.fromkeys(("peer_mean", "pooled", "close_pace"), VALUES),
        **dict.fromkeys(("rank_best", "rank_worst"), st.sampled_from([1, 9, 14, NAN])),
        "quarter": st.integers(0, 4),
        "funnel_label": st.sampled_from(["low_998", "low_95", "within", "high_95", "", NAN]),
        "robust_of": st.sampled_from([11, 0, NAN]),
        "robust_same": st.integers(0, 11),
        "robust_opposite": st.sampled_from([0, 3, NAN]),
        **dict.fromkeys(("peers_ahead", "peers_kept", "peers_tested"), st.integers(0, 15)),
        "close_years": st.sampled_from([1, 3, NAN]),
        "own_kept": st.sampled_from([0, 1, NAN]),
    }
)
TARGET_ROWS = st.fixed_dictionaries(
    {
        **dict.fromkeys(("target", "value_60", "value_45", "value_30"), VALUES),
        **dict.fromkeys(("last_value", "required_change"), VALUES),
        **dict.fromkeys(("probability", "lower", "upper", "own_share", "peer_share"), SHARES),
        "verdict": st.sampled_from(
            [
                "too_easy",
                "little_stretch",
                "challenging",
                "stretch",
                "not_realistic",
                "between",
                "no_verdict",
                "cannot_judge",
            ]
        ),
        "verdict_low": st.sampled_from(["challenging", "stretch"]),
        "kind": st.sampled_from(
            ["floor", "improvement", "statutory", "contractual", "ambition", "peculiar"]
        ),
        "is_reference": st.just(False),
        "rationale": st.sampled_from(["", "The median of others."]),
        "own_n": st.integers(0, 500),
        "peer_n": st.integers(0, 500),
        **dict.fromkeys(("probability_1", "probability_2", "probability_3"), SHARES),
        **dict.fromkeys(("similar_share", "rate_share"), SHARES),
        **dict.fromkeys(("best_change", "reversion", "reversion_low", "reversion_high"), VALUES),
        **dict.fromkeys(("required_rate", "outturn_low", "outturn_mid", "outturn_high"), VALUES),
        **dict.fromkeys(("similar_n", "rate_n", "done", "of"), st.sampled_from([0, 1, 4, NAN])),
        "headroom": st.one_of(st.floats(-3, 3), st.just(NAN)),
        "people": st.one_of(st.floats(-1e6, 1e6), st.just(NAN)),
        "people_unit": st.sampled_from(["", "households"]),
        "capability": st.sampled_from(["", "consistent_pass", "inconsistent", "consistent_fail"]),
        "method": st.sampled_from(["own_and_peers", "own", "outturn"]),
    }
)


def tokens(texts: Iterable[str]) -> set[str]:
    return {token.rstrip(".,") for text in texts for token in re.findall(r"\d[\d,.]*", text)}


def known_tokens(facts: Any, *more: str) -> set[str]:
    """Every number that the facts hold, as it is written there."""
    texts = [str(value) for value in facts.scalars().values()]
    texts += [facts.subject.unit, facts.subject.short, facts.subject.council, *more]
    figures = [*(getattr(facts, name) for name in facts.__slots__), *facts.more.values()]
    plain = [figure.text for figure in figures if isinstance(figure, Figure)]
    return tokens([*texts, *plain])


def check(sentences: Iterable[str], facts: Any, *more: str) -> None:
    told = list(sentences)
    for sentence in told:
        assert len(sentence.split()) <= 25, sentence
        assert not BANNED.search(sentence), sentence
        assert sentence[0].isupper() or sentence[0].isdigit(), sentence
        assert sentence.endswith((".", "?")), sentence
        assert "nan" not in sentence.lower().split(), sentence
        assert "  " not in sentence and "{" not in sentence, sentence
        assert " 0.0 higher" not in sentence
    assert tokens(told) <= known_tokens(facts, *more), (
        tokens(told) - known_tokens(facts, *more),
        told,
    )


def trend(row: dict[str, Any], direction: int = 1) -> TrendFacts:
    points = {"has_break": True, "since": "2024-25 Q3", "judged": 14, "is_lately": True}
    points |= {name: row.pop(name) for name in ("is_lately", "unusual_until") if name in row}
    return TrendFacts.of(trend_row(**row), "Westshire Council", direction=direction, **points)


def split(note: str) -> list[str]:
    """Sentences of the note on a chart."""
    return re.split(r"(?<=\.) (?=[A-Z])", note.removeprefix("More about this chart. "))


@settings(max_examples=100)
@given(TREND_ROWS, st.sampled_from([-1, 0, 1]))
def test_what_is_said_of_a_trend(row: dict[str, Any], direction: int) -> None:
    facts = trend(row, direction)
    told = trend_sentences(facts)
    met = str(round((facts.met_share.raw or 0) * facts.judged))
    check(told, facts, format_age(facts.age_days), met)
    assert told == trend_sentences(trend(row, direction))
    rebase = {**event_row(kind="rebase", text="=HYPERLINK()"), "number": 3}
    more, *events = chart_notes(facts, [rebase]) or ("", "")
    assert len(events) == 1 and "=HYPERLINK() (Head of Waste)." in events[0]
    check(split(more), facts, "4 12 3 2025-26 Q2", met)
    assert len(told) <= 14 and len(set(told) & set(split(more))) == 0
    assert len(trend_title(facts).split()) <= 10


@settings(max_examples=60)
@given(TREND_ROWS, st.sampled_from([-1, 0, 1]))
def test_a_city_measure_gets_no_status(row: dict[str, Any], direction: int) -> None:
    facts = trend({**row, "control": "city"}, direction)
    told = " ".join((*trend_sentences(facts), trend_title(facts), *chart_notes(facts, [])))
    assert not re.search(r"improv|worsen|target|better", told.replace("counts as better", ""))
    assert facts.verdict not in {"improving", "worsening"}


@given(st.sampled_from(["outside_limits", "trend", "shift", "two_in_three"]), st.booleans())
def test_flipping_polarity_swaps_better_and_worse_and_nothing_else(rule: str, up: bool) -> None:
    good, bad = ("improving", "worsening") if up else ("worsening", "improving")
    row = {"rule": rule, "change": -2.5}
    one_way = {"polarity": "higher", "verdict": good, "arrow_short": "worsening"}
    other_way = {"polarity": "lower", "verdict": bad, "arrow_short": "improving"}
    higher = trend({**row, **one_way}, 1 if up else -1)
    lower = trend({**row, **other_way}, 1 if up else -1)
    swap = {"an improvement": "a worsening", "a worsening": "an improvement"}
    swap |= {"the favourable": "the unfavourable", "the unfavourable": "the favourable"}
    swap |= {"say worse": "say better", "say better": "say worse"}
    one, other = " ".join(noise_sentences(higher)), " ".join(noise_sentences(lower))
    assert re.sub("|".join(swap), lambda found: swap[found[0]], one) == other
    assert higher.direction == lower.direction == (1 if up else -1)


def test_a_change_that_rounds_to_nothing_is_the_same() -> None:
    told = " ".join(level_sentences(trend({"change": -0.04, "change_on_year": 0.04})))
    assert "the same as in 2026-27 Q1, and the same as in 2025-26 Q2" in told
    assert "higher" not in told and "lower" not in told


@pytest.mark.parametrize(
    ("change", "on_year", "tension"),
    [(-2.5, 1.2, ", but 1.2"), (2.5, 1.2, ", and 1.2"), (-2.5, -1.2, ", and 1.2")],
)
def test_the_tension_word_follows_the_signs(change: float, on_year: float, tension: str) -> None:
    assert tension in " ".join(
        level_sentences(trend({"change": change, "change_on_year": on_year}))
    )


def test_a_signal_against_the_latest_change_opens_with_but() -> None:
    row = {"change_on_year": NAN, "change": -2.5, "verdict": "improving", "rule": "shift"}
    assert noise_sentences(trend(row))[0].startswith(
        "But the last 9 figures, since 2024-25 Q3, are all"
    )
    assert noise_sentences(trend({**row, "change": 2.5}))[0].startswith("The last 9 figures, since")


def test_what_cannot_be_judged_says_why() -> None:
    facts = trend({"verdict": "cannot_judge", "reason": "4 values; a verdict needs five"})
    assert noise_sentences(facts) == (
        "The trend cannot be judged.",
        "4 values.",
        "A verdict needs five.",
    )


@settings(max_examples=100)
@given(COMPARISON_ROWS, st.fixed_dictionaries(COMMON))
def test_what_is_said_of_a_comparison(row: dict[str, Any], common: dict[str, Any]) -> None:
    subject = Subject.of(trend_row(**common), "Westshire Council")
    facts = ComparisonFacts.of(comparison_row(**row), subject)
    told = (*comparison_sentences(facts), *context_sentences(facts))
    check(told, facts, str(len(facts.missing)), "1st 95% 99.8%")
    assert len(told) == len(set(told))
    assert len(comparison_title(facts).split()) <= 10
    whole = " ".join((*told, comparison_title(facts)))
    if subject.is_city:
        assert not re.search(r"\b(better|worse|favourable|unfavourable)\b", whole)
    if facts.verdict == "position_only":
        assert "could not be tested" in whole
    if facts.verdict == "cannot_judge" and facts.reason:
        assert "Our interval excludes theirs." in told


@pytest.mark.parametrize(
    ("quarter", "said", "of_area"),
    [
        (1, "better than", "below"),
        (4, "worse than", "above"),
        *((middle, "", "") for middle in (0, 2, 3)),
    ],
)
def test_only_the_outer_quarters_are_told(quarter: int, said: str, of_area: str) -> None:
    row = comparison_row(quarter=quarter, rank_high=3)
    for control, word in (("council", said), ("city", of_area)):
        subject = Subject.of(trend_row(control=control, polarity="lower"), "W")
        told = " ".join(comparison_sentences(ComparisonFacts.of(row, subject)))
        assert (f", {word} the middle half of the others." in told) == bool(word)
        assert ("middle half" in told) == bool(word)
        assert ("(9th to 14th allowing for chance)" in told) == (control == "council")


def test_a_range_that_is_best_has_no_outer_quarter() -> None:
    subject = Subject.of(trend_row(polarity="range"), "W")
    told = " ".join(comparison_sentences(ComparisonFacts.of(comparison_row(quarter=1), subject)))
    assert "We rank" in told and "middle half" not in told


def told_of(**given: Any) -> str:
    facts = ComparisonFacts.of(comparison_row(**given), Subject.of(trend_row(), "W"))
    return " ".join((*comparison_sentences(facts), *context_sentences(facts)))


def test_what_other_comparisons_say_is_told_in_one_sentence() -> None:
    assert "That holds in most other comparisons (9 of 11)." in told_of()
    assert "That holds in nearly all other comparisons (10 of 11)." in told_of(
        robust_same=10, robust_opposite=1
    )
    assert "That holds in all 11 other comparisons." in told_of(robust_same=11)
    for few in ({"robust_same": 3}, {"robust_same": 8, "robust_opposite": 3}):
        said = f"in {few['robust_same']} of 11 other comparisons: it depends on the choice"
        assert said in told_of(**few)
    assert "We are in the same half in most other" in told_of(verdict="position_only")
    assert "other comparisons" not in told_of(robust_of=0) + told_of(verdict="cannot_judge")


def test_a_place_at_the_edge_is_worth_a_closer_look_and_similar() -> None:
    edge = {"verdict": "similar", "funnel_label": "low_95"}
    for label in ("low_95", "high_998"):
        assert "worth a closer look." in told_of(verdict="similar", funnel_label=label)
    assert "closer look" not in told_of(verdict="similar", funnel_label="within")
    assert "closer look" not in told_of(verdict="worse", funnel_label="low_998")
    facts = ComparisonFacts.of(comparison_row(**edge), Subject.of(trend_row(), "W"))
    assert comparison_title(facts) == "Household recycling: similar, but worth a closer look"
    assert facts.shown == "similar"


def test_the_pace_says_who_has_kept_it() -> None:
    need = "Closing the gap in 3 years takes 0.8 percentage points a year"
    record, better = "Of the 14 councils with a long enough record,", "improved as much in 3 years"
    luck = f"{better}; luck alone can do that."
    assert f"{need}. {record} 3 once {luck} We once did too." in told_of()
    assert f"{record} 1 once {luck} We never did." in told_of(peers_kept=1, own_kept=0)
    assert f"{record} none ever {better}. We once did." in told_of(peers_kept=0)
    assert f"{better}. We never did either." in told_of(peers_kept=0, own_kept=0)
    assert "Closing" not in told_of(gap=2.0) + told_of(close_pace=NAN)
    assert f"{need}. " in told_of(peers_tested=0, peers_kept=0, own_kept=NAN)


MOVED = {"gap_since": "2018-19 Q1", "own_moved": 3.2, "peers_moved": -8.2}


@pytest.mark.parametrize(
    ("verdict", "gap", "said"),
    [
        ("closing", -2.26, "behind the median and catching up"),
        ("widening", -2.26, "behind the median and falling further behind"),
        ("widening", 2.26, "ahead of the median and the lead is growing"),
        ("closing", 2.26, "ahead of the median and the lead is shrinking"),
    ],
)
def test_the_gap_is_told_by_side_and_with_who_moved(verdict: str, gap: float, said: str) -> None:
    years = "ince 2018-19 Q1 our average over a year has moved"
    who = f"{years} by +3.2 percentage points, the others' by −8.2."
    told = told_of(gap_verdict=verdict, gap=gap, **MOVED)
    assert f"We are 2.3 percentage points {said}" in told and who in told
    assert who not in told_of(gap_verdict="steady", gap=gap, **MOVED)
    city = Subject.of(trend_row(control="city"), "W")
    row = comparison_row(gap_verdict=verdict, gap=gap, **MOVED)
    of_area = context_sentences(ComparisonFacts.of(row, city))[0]
    assert not re.search("ahead|behind|lead|catching", of_area)
    assert ("above" if gap > 0 else "below") in of_area


def test_a_median_that_was_crossed_and_a_gap_that_holds_say_so() -> None:
    assert "We overtook the median and are" in told_of(gap_verdict="crossed", gap=2.0)
    assert "We fell behind the median and are" in told_of(gap_verdict="crossed")
    held = "Judged on 26 gaps. It moved more than a year ago and has held since."
    told = told_of(gap_verdict="steady", gap_reason=held)
    assert "the gap moved more than a year ago and has held" in told


def test_how_far_out_would_be_unusual_is_said_on_our_side_only() -> None:
    limits = {"verdict": "somewhat_worse", "limit_low": 32.5, "limit_high": 55.0}
    told = told_of(**limits)
    assert "differ so much that even 32.5% would not stand out." in told and "55" not in told
    assert "no figure on this side" in told_of(**{**limits, "limit_low": -3.0})
    assert "differ so much that even 55.0% would" in told_of(**{**limits, "gap": 2.0})
    assert "within the usual spread" in told_of(verdict="somewhat_worse")
    why = "It excludes it. Whether it is beyond the usual spread between peers cannot be tested."
    told = told_of(**limits, evidence="own_history", reason=why)
    assert "beyond our own usual variation, but the usual spread" in told
    assert "within the usual spread" not in told and "32.5" not in told


def test_what_cannot_be_compared_has_no_place_and_a_biased_median_is_not_told() -> None:
    told = told_of(verdict="cannot_judge", reason="This set was chosen by this very indicator.")
    assert "rank" not in told and "We are" not in told and "Closing" not in told
    assert "against a median of 42.1%" in told
    unfair = "Hidden for small numbers: 5 of the similar councils; a place would mislead."
    assert "median" not in told_of(verdict="cannot_judge", reason=unfair, n_hidden=5)
    few = {"verdict": "cannot_judge", "reason": "Only 4 of 16 similar councils have a value."}
    assert "The figures of 2 more councils are hidden" in told_of(**few, n_hidden=2)


def test_a_shared_rank_is_joint() -> None:
    assert "We rank joint 12th of 16, level with 6 others" in told_of(n_level=6)
    subject = Subject.of(trend_row(polarity="none"), "W")
    last = ComparisonFacts.of(comparison_row(rank=15, n_level=1), subject)
    assert "joint lowest of 16, level with 1 other" in " ".join(comparison_sentences(last))


@pytest.mark.parametrize("rank", [1, 3, 16])
def test_the_ends_of_a_ranking_without_merit_are_highest_and_lowest(rank: int) -> None:
    subject = Subject.of(trend_row(polarity="none"), "W")
    facts = ComparisonFacts.of(comparison_row(rank=rank, verdict="position_only"), subject)
    place = {1: "highest", 3: "3rd highest", 16: "lowest"}[rank]
    assert f"We rank {place} of 16" in " ".join(comparison_sentences(facts))


@pytest.mark.parametrize("word", ["better", "worse", "higher", "lower"])
def test_somewhat_is_beyond_chance_and_within_the_usual_spread(word: str) -> None:
    reason = "Our interval excludes both. It is outside the spread between peers. Our count is old."
    row = comparison_row(verdict=f"somewhat_{word}", reason=reason, rank=16)
    facts = ComparisonFacts.of(row, Subject.of(trend_row(), "W"))
    said = comparison_sentences(facts)
    assert comparison_title(facts) == f"Household recycling: somewhat {word}, 16th of 16"
    assert f"It is somewhat {word}: beyond chance, but within the usual spread" in " ".join(said)
    assert "Our count is old." in said and "between peers" not in " ".join(said)
    area = Subject.of(trend_row(control="city"), "W")
    of_area = ComparisonFacts.of(row | {"rank_high": 16}, area)
    assert of_area.verdict == ("somewhat_lower" if word in ("better", "worse") else row["verdict"])
    assert of_area.shown == "no_status"


EVIDENCE = stored("pages.yml")["target_realism"]["evidence"]
A_CHANCE = re.compile(r"\d+ in \d+\)|chance of|chance are|that chance|would end|% (after|by)")


def reached(facts: TargetFacts) -> str:
    """How many past stretches reached what is needed."""
    return str(round(facts.rate_n * (facts.rate_share.raw or 0.0)))


@settings(max_examples=100)
@given(TARGET_ROWS, st.fixed_dictionaries(COMMON))
def test_what_is_said_of_a_target(row: dict[str, Any], common: dict[str, Any]) -> None:
    facts = TargetFacts.of(target_row(**row), Subject.of(trend_row(**common), "Westshire Council"))
    told, asked = target_sentences(facts), challenge_questions(facts)
    people = f"{float(f'{abs(facts.people.raw or 0.0):.2g}'):,.0f}"
    miss = facts.subject.figure(1 - (facts.probability.raw or 0.0), "frequency").text
    check([*told, *asked], facts, "60% 45% 30%", people, "9 times in 10", miss, reached(facts))
    assert len(target_title(facts).split()) <= 10
    for sentence in told:
        if A_CHANCE.search(sentence):
            assert "if nothing new is done" in sentence
    assert all(
        question.rstrip().endswith(("?", "not say.", "this large.", "enough.")) or "?" in question
        for question in asked
    )
    if common["control"] == "city" and facts.probability.is_known:
        assert "realistic, " not in " ".join(told) and facts.verdict == "no_verdict"
        assert not asked
    if row["kind"] in ("floor", "statutory", "contractual") and facts.probability.is_known:
        whole = " ".join((*told, target_title(facts), facts.shown))
        assert not re.search(r"asks for little|little[ _]stretch|too[ _]easy", whole.lower())
        assert not facts.offered
        if facts.verdict not in ("no_verdict", "cannot_judge"):
            assert facts.verdict == (
                "kept" if twentieths(facts.probability.raw) > 16 else "at_risk"
            )


@settings(max_examples=60)
@given(TARGET_ROWS, st.fixed_dictionaries(COMMON))
def test_what_the_evidence_on_a_target_shows(row: dict[str, Any], common: dict[str, Any]) -> None:
    facts = TargetFacts.of(target_row(**row), Subject.of(trend_row(**common), "Westshire Council"))
    asked = facts.subject.figure(facts.required_change.raw, "signed").text
    rows = evidence_rows(facts, EVIDENCE)
    for cells in rows:
        said = " ".join(cells.values())
        assert len(cells["shows"].split()) <= 25 and cells["looked"]
        assert not BANNED.search(said) and "nan" not in said.lower().split() and "{" not in said
        assert tokens([said]) <= known_tokens(facts, asked, reached(facts))
        if A_CHANCE.search(cells["shows"]):
            assert "if nothing new is done" in cells["shows"]
        assert "(0 " not in cells["shows"]
    looked = [cells["looked"] for cells in rows]
    assert len(looked) == len(set(looked))
    if facts.is_met:
        assert "asks for" not in " ".join(cells["shows"] for cells in rows)


@given(st.floats(0, 1), st.floats(0, 1), st.floats(0, 1))
def test_words_and_tables_tell_the_same_twentieths(p: float, low: float, high: float) -> None:
    row = target_row(probability=p, lower=low, upper=high, probability_2=high)
    facts = TargetFacts.of(row, Subject.of(trend_row(), "W"))
    for figure, raw in ((facts.probability, p), (facts.lower, low), (facts.probability_2, high)):
        count = twentieths(raw)
        shown = {0: "under 5%", 20: "over 95%"}.get(count, f"{5 * count}%")
        assert figure == (raw, shown)
    count = twentieths(p)
    words = re.fullmatch(r"around (\d+) in (\d+)", facts.frequency.text)
    if words:
        assert abs(int(words[1]) / int(words[2]) - count / 20) <= 0.025 + 1e-9
    else:
        assert count in (0, 20) and facts.frequency.text in (
            "less than 1 in 20",
            "more than 19 in 20",
        )


@settings(max_examples=60)
@given(
    st.sampled_from([*words_of("target_check"), "unheard_of"]),
    st.fixed_dictionaries(COMMON),
    *(st.one_of(st.floats(-1e5, 1e5), st.just(NAN)) for _ in range(2)),
    st.booleans(),
)
def test_what_a_check_found_is_told_or_its_own_text(
    code: str, common: dict[str, Any], value: float, expected: float, of_set: bool
) -> None:
    row = {"decimals": 0} if of_set else trend_row(**common)
    subject = Subject.of(row, "W")
    row = check_row(check=code, value=value, expected=expected, text="Its own text", periods="Q1")
    said = check_sentence(row, subject)
    assert said == "Its own text" or code != "unheard_of"
    assert "nan" not in said.lower().split() and "{" not in said and not BANNED.search(said)
    assert all(len(sentence.split()) <= 25 for sentence in re.split(r"(?<=[.?]) ", said))


def test_a_year_so_far_says_what_is_needed_and_where_it_may_end() -> None:
    facts = TargetFacts.of(outturn_row(), Subject.of(trend_row(unit="visits", decimals=0), "W"))
    told = " ".join(outturn_sentences(facts))
    assert told == (
        "So far it stands at 244,400 visits, with 2 of 4 periods known. "
        "Each remaining quarter then needs 127,800 visits on average. "
        "Of 12 past stretches as long, 4 reached that. "
        "The year would end at about 492,000 (461,000 to 523,000 visits, "
        "9 times in 10) if nothing new is done."
    )

    def of(**given: Any) -> tuple[str, ...]:
        return outturn_sentences(TargetFacts.of(outturn_row(**given), facts.subject))

    assert of(done=0, rate_n=0)[0] == "No figure of its year is known yet."
    assert of(done=3, rate_share=0.0)[1:3] == (
        "The last quarter needs 127,800 visits.",
        "Of 12 past stretches as long, none reached that.",
    )
    assert of(of=3)[-1].startswith("By 2026-27 Q4 it would stand at about 492,000")
    assert of(done=4) == ("It ended at 244,400 visits.",)
    assert of(verdict="cannot_judge") == ()
    wordy = Subject.of(trend_row(unit="visits per 1,000 residents aged 16 and over"), "W")
    told = outturn_sentences(TargetFacts.of(outturn_row(), wordy))[-1]
    assert told.startswith("The year would end") and len(told.split()) <= 25
    single = TargetFacts.of(target_row(), facts.subject)
    assert outturn_sentences(single) == ()


@given(st.sampled_from(["maintain", "peer_median"]), st.floats(0, 1))
def test_where_no_target_is_set_the_standing_questions_are_answered(kind: str, p: float) -> None:
    row = target_row(kind=kind, probability=p, is_reference=True, verdict="no_verdict")
    facts = TargetFacts.of(row, Subject.of(trend_row(), "Westshire Council"))
    told = reference_sentences([facts])
    check(told, facts, "60% 45% 30%")
    assert "if nothing new is done" in told[0]
    assert target_title(facts).endswith("no target set")
    assert "Values with a 60%, 45% and 30% chance" in told[-1]


@given(st.lists(st.integers(0, 30), min_size=6, max_size=6).filter(lambda counts: sum(counts) > 0))
def test_counts_of_a_theme_add_up_and_stay_short(counts: list[int]) -> None:
    codes = ("improving", "worsening", "rising", "falling", "no_clear_change", "cannot_judge")
    total = sum(counts)
    told = counted("trends", "theme.of", list(zip(codes, counts, strict=True)), total)
    assert all(len(sentence.split()) <= 25 for sentence in told)
    numbers = [int(n) for n in re.findall(r"\d+", " ".join(told))]
    if total > 1:
        assert sorted(numbers) == sorted([total, *(n for n in counts if n)])
    whole = " ".join(told)
    assert ("beyond normal variation" in whole) == any(counts[:4])


@given(st.lists(st.sampled_from(["Household recycling", "Major planning on time"]), max_size=40))
def test_long_lists_of_names_are_cut_and_counted(names: list[str]) -> None:
    told = named("Worsening", names)
    assert len(told) == bool(names)
    for sentence in told:
        shown = len(re.findall(r"Household|Major", sentence))
        more = re.search(r"(\d+) more", sentence)
        assert shown + (int(more[1]) if more else 0) == len(names)
        assert len(sentence.split()) <= 25


SLOTTED = [entry for entry, text in bank().items() if "{" in text]


@given(st.sampled_from(SLOTTED), st.sampled_from(["", None, Figure(None, "")]), st.data())
def test_no_empty_slot_can_reach_a_sentence(entry: str, empty: Any, data: Any) -> None:
    slots = re.findall(r"{(\w+)}", bank()[entry])
    filled = dict.fromkeys(slots, "x")
    assert "{" not in say(entry, **filled) and "x" in say(entry, **filled)
    assert say(entry, **{**filled, data.draw(st.sampled_from(slots)): empty}) == ""


def blanked(row: dict[str, Any], names: set[str]) -> dict[str, Any]:
    """The row as it is where tables have no value: no text, NaN, or no such column."""
    kept = {"series", "indicator", "title", "short_title", "kind"}  # always written by us
    gone = sorted(names - kept)
    made = {name: value for name, value in row.items() if name not in gone[::3]}
    return made | dict.fromkeys(gone[1::3], NAN) | dict.fromkeys(gone[2::3], None)


def assert_whole(said: Iterable[str]) -> None:
    for sentence in said:
        assert sentence and "  " not in sentence and "{" not in sentence
        assert not re.search(r"\b(in|for|by|of|to|from|against|than)\s*[.,)]", sentence), sentence
        assert not re.search(r"\b(nan|None(?! of the \d)|NaT|no figure for)\b", sentence), sentence


NAMES = st.sets(st.sampled_from(sorted({*trend_row(), *comparison_row(), *target_row()})))


@settings(max_examples=100)
@given(TREND_ROWS, COMPARISON_ROWS, TARGET_ROWS, NAMES)
def test_whatever_is_missing_every_sentence_is_whole(
    row: dict[str, Any], compared: dict[str, Any], asked: dict[str, Any], gone: set[str]
) -> None:
    facts = TrendFacts.of(blanked(trend_row(**row), gone), "Westshire Council")
    beside = ComparisonFacts.of(blanked(comparison_row(**compared), gone), facts.subject)
    target = TargetFacts.of(blanked(target_row(**asked), gone), facts.subject)
    standing = TargetFacts.of(
        blanked(target_row(kind="maintain", is_reference=True), gone), facts.subject
    )
    assert_whole([*trend_sentences(facts), trend_title(facts), picture_title(facts)])
    assert_whole([*comparison_sentences(beside), *context_sentences(beside)])
    assert_whole([comparison_title(beside)])
    assert_whole([*target_sentences(target), target_title(target), *challenge_questions(target)])
    assert_whole(cells["shows"] for cells in evidence_rows(target, EVIDENCE))
    assert_whole([*reference_sentences([standing]), *challenge_questions(standing)])


@given(
    st.text("abc", min_size=1, max_size=6).map(lambda word: f"{word} " * len(word)),
    st.sampled_from(["%", "per 100,000 aged 10 to 17", "£ per resident aged 65 and over a week"]),
    st.sampled_from(["improving", "worsening", "rising", "falling", "no_clear_change"]),
)
def test_a_chart_has_a_headline_of_ten_words_at_most(name: str, unit: str, verdict: str) -> None:
    facts = trend({"short_title": name.strip(), "unit": unit, "verdict": verdict})
    assert len(picture_title(facts).split()) <= 10
    assert picture_title(facts).startswith(name.split()[0])


def test_a_long_unit_gives_way_before_the_value_does() -> None:
    row = {
        "unit": "per 100,000 aged 10 to 17",
        "short_title": "First-time entrants",
        "value": 167.0,
    }
    facts = trend({**row, "decimals": 0, "verdict": "no_clear_change"})
    assert picture_title(facts) == "First-time entrants: 167, no clear change"


@given(st.lists(st.sampled_from(["One two three.", "What now?", "A b c d e f g"]), max_size=9))
def test_a_cut_text_keeps_whole_sentences(parts: list[str]) -> None:
    whole = " ".join(parts)
    shown = clip_sentences(whole, 8)
    if shown != whole:
        assert len(whole.split()) > 8
        assert len(shown.removesuffix("…").split()) <= 8 and shown.endswith("…")
        assert whole.startswith(shown.removesuffix("…").strip())


@given(
    st.lists(
        st.tuples(
            st.sampled_from(["Household recycling", "Major planning on time", "Bus use"]),
            st.sampled_from(["Too few; five are needed.", "No peer has a value.", "x " * 30]),
        ),
        max_size=30,
    )
)
def test_what_was_not_judged_is_told_with_its_reason(reasons: list[tuple[str, str]]) -> None:
    told = unjudged(reasons)
    # a sentence for either of two reasons; of more the commonest, and a count of the others
    kinds = len({reason for _, reason in reasons})
    assert len(told) == (1 if kinds > 2 else kinds)
    assert all(len(sentence.split()) <= 25 for sentence in told)
    named_ = len(re.findall(r"Household|Major|Bus", " ".join(told)))
    counted_ = sum(int(n) for n in re.findall(r"(\d+) (?:more|for)", " ".join(told)))
    assert named_ + counted_ == len(reasons)


@given(st.integers(0, 9), st.integers(0, 9), st.integers(2, 90), st.integers(0, 90))
def test_signals_by_chance_are_told_as_a_range(low: int, more: int, n: int, seen: int) -> None:
    row = {"low": low, "high": low + more, "n": n}
    (told,) = chance_signals([row], seen, 0)
    numbers = [int(number) for number in re.findall(r"\d+", told)]
    assert numbers == ([low, low + more, n, seen] if low + more else [n, seen])
    assert len(told.split()) <= 25 and told.endswith(".")


def test_signals_of_the_area_are_told_apart_and_nothing_is_said_of_one() -> None:
    assert chance_signals([{"low": 0, "high": 2, "n": 11}], 4, 1) == (
        "By chance alone 0 to 2 of the 11 judged would stand out, if figures were independent; "
        "4 did, 1 for the whole area.",
    )
    assert chance_signals([], 4, 0) == chance_signals([{"low": 0, "high": 1, "n": 1}], 1, 0) == ()


@given(st.lists(st.tuples(st.integers(0, 40), st.integers(1, 40)), min_size=1, max_size=5))
def test_earlier_years_are_told_from_the_newest_as_far_as_a_sentence_goes(
    counts: list[tuple[int, int]],
) -> None:
    rows = [
        {"period_label": str(years), "value": float(of), "n": n}
        for years, (of, n) in enumerate(counts)
    ]
    (told,) = off_target(rows[::-1])
    assert len(told.split()) <= 25
    found = [(int(of), int(n)) for of, n in re.findall(r"(\d+) of (\d+)", told)]
    assert found == counts[: len(found)] and len(found) >= min(len(counts), 4)
    assert off_target(rows[1:]) == ()


def test_reasons_become_sentences() -> None:
    assert reason_sentences("too few; five are needed") == ("Too few.", "Five are needed.")
    assert reason_sentences("One thing. Another thing.") == ("One thing.", "Another thing.")
    assert reason_sentences("0.5 is too small") == ("0.5 is too small.",)
    assert reason_sentences("") == ()


def test_a_level_is_told_as_a_level_unless_it_is_young_and_does_not_go_back() -> None:
    row = {"rule": "shift", "verdict": "worsening"}
    level, moved = (trend({**row, "change_on_year": change}, -1) for change in (1.2, -1.2))
    assert (level.shown, moved.shown) == ("worse", "worsening")
    assert trend({**row, "change_on_year": -1.2, "is_lately": False}, -1).shown == "worse"
    assert level.verdict == "worsening"
    assert trend_title(level) == "Household recycling: low against its own record"
    assert "That is the unfavourable side of its average" in " ".join(noise_sentences(level))
    assert trend({**row, "rule": "trend", "change_on_year": 1.2}, -1).shown == "worsening"
    assert trend({**row, "control": "city"}, -1).shown == "no_status"


def test_a_run_that_has_just_ended_is_told() -> None:
    row = {"verdict": "no_clear_change", "rule": "none", "unusual_until": "2026-27 Q1"}
    assert "Figures beyond normal variation were seen until 2026-27 Q1." in noise_sentences(
        trend(row)
    )


def test_a_target_is_met_or_missed_where_assurance_is_withheld() -> None:
    told = {
        value: " ".join(assurance_sentences(trend({"assurance": "", "value": value})))
        for value in (41.0, 42.0)
    }
    assert told[41.0].startswith("It misses the target of 42.0%")
    assert told[42.0].startswith("It meets the target of 42.0%")
    assert assurance_sentences(trend({"assurance": "", "control": "city"})) == ()


@given(st.floats(30, 50), st.sampled_from(["higher", "lower"]))
def test_no_value_worse_than_the_present_level_is_offered(last: float, polarity: str) -> None:
    values = {"value_60": 38.0, "value_45": 40.0, "value_30": 42.0}
    if polarity == "lower":
        values = dict(zip(values, (42.0, 40.0, 38.0), strict=True))
    row = target_row(kind="maintain", is_reference=True, last_value=last, **values)
    facts = TargetFacts.of(row, Subject.of(trend_row(polarity=polarity), "W"))
    sign = facts.subject.better_sign
    assert all((each.raw - last) * sign > -0.051 for each in facts.offered.values())
    told = " ".join(reference_sentences([facts]))
    assert ("chance are" in told or "chance is 4" in told or "chance is 3" in told) == bool(
        facts.offered
    )
    assert len(range_words(facts)) > 0 or not facts.offered


def test_outcomes_baselines_and_units_are_told_in_their_own_words() -> None:
    def facts(**given: Any) -> TargetFacts:
        row = target_row(probability=NAN, verdict="no_verdict", **given)
        return TargetFacts.of(row, Subject.of(trend_row(), "W"))

    missed = facts(reason="The outcome is already known: not met.", method="observed")
    assert target_title(missed).endswith("target not met") and not challenge_questions(missed)
    unit = facts(reason="The target is too small: is its unit right?")
    assert challenge_questions(unit) == target_sentences(unit)[1:-1]
    assert target_sentences(unit)[-2].endswith("right?")
    baseline = facts(kind="baseline", reason="There is nothing to meet.")
    assert target_sentences(baseline) == ("The baseline is 44.0%.", "There is nothing to meet.")


def test_met_periods_are_counted() -> None:
    facts = TrendFacts.of(trend_row(met_share=1 / 7), "W", direction=1, judged=14)
    assert trend_sentences(facts)[-1].endswith("; targets so far were met in 2 of 14 periods.")


def test_a_group_without_figures_takes_one_sentence() -> None:
    subject = Subject.of(trend_row(), "W")
    names = "; ".join(PEER_NAMES)
    nobody = comparison_row(
        n_peers=0, peers_missing=names, verdict="cannot_judge", reason="Only 0 of"
    )
    told = comparison_sentences(ComparisonFacts.of(nobody, subject))
    assert "No similar council has a figure for the same period." in told
    assert not any("median" in sentence for sentence in told)


@pytest.mark.parametrize(
    ("tested", "level", "said"),
    [
        (0, 95.0, None),
        (8, 95.0, "around 1 in 3 reports at most would call any better or worse by chance."),
        (1, 95.0, "around 1 in 20 reports at most would call the one tested better or worse"),
        (40, 95.0, "would call at most about 2 better or worse."),
        (11, 99.8, "around 1 in 45 reports at most"),
        (600, 99.8, "would call at most about 1 better or worse."),
    ],
)
def test_what_chance_alone_gives_among_comparisons(
    tested: int, level: float, said: str | None
) -> None:
    told = chance_among_tested([(tested, level), (0, 95.0)])
    assert len(told) == bool(tested)
    assert not told or said in told[0]


def test_chance_among_both_kinds_of_evidence_is_told_once() -> None:
    (told,) = chance_among_tested([(4, 95.0), (1, 95.0)])
    assert "Somewhat" in chance_among_tested([(4, 95.0)], has_somewhat=True)[-1]
    assert not chance_among_tested([(0, 95.0)], has_somewhat=True)
    assert told.endswith("around 1 in 4 reports at most would call any better or worse by chance.")


def test_only_a_series_with_a_usual_range_is_said_to_have_a_rough_one() -> None:
    rough = say("trend.caution.bounded")
    for limit, is_told in ((30.0, True), (float("nan"), False)):
        ends = {"lower_limit": limit, "upper_limit": limit + 9}
        facts = TrendFacts.of(trend_row(features="bounded", **ends), "W")
        assert (rough in " ".join(caution_sentences(facts))) == is_told
