"""Rows drawn at random reach every sentence on trends, comparisons, themes and questions.

A sentence that no row can reach is said by nobody, and belongs out of the banks.
"""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pmf_analysis.story import bank, sentences
from pmf_analysis.story.facts import ComparisonFacts, TargetFacts, TrendFacts
from pmf_analysis.story.figures import Subject
from pmf_analysis.story.trends_page import chart_notes

from .made_up import NAN, comparison_row, event_row, target_row, trend_row
from .test_pages import Recording
from .test_sentences import COMPARISON_ROWS, TARGET_ROWS, TREND_ROWS

GROUPS = ("trend.", "compare.", "theme.", "further.value", "challenge.", "arrows.")
# Said once on a page, whatever its rows: the tests of pages hold them.
OF_PAGES = ("compare.funnel_phi", "compare.gap_mark", "theme.none", "theme.no_", "arrows.first")
OF_PAGES += ("theme.some_without", "challenge.nothing", "compare.nobody", "theme.tested.about.one")
OF_PAGES += ("challenge.no_target_none", "trend.no_signal.constant", "trend.no_signal.none")
FEW, LEVELS = st.integers(0, 2), st.sampled_from([95.0, 99.8])
PACE = st.fixed_dictionaries(
    {
        "close_pace": st.just(0.4),
        "close_years": st.integers(1, 3),
        "peers_tested": st.integers(3, 9),
        **dict.fromkeys(("peers_kept", "peers_ahead"), FEW),
        "own_kept": st.sampled_from([0.0, 1.0, NAN]),
        "gap": st.sampled_from([-3.0, 0.0, 3.0]),
        "robust_of": st.just(11),
        "robust_same": st.sampled_from([3, 7, 10, 11]),
        "robust_opposite": st.sampled_from([0, 3]),
        "n_peers": st.sampled_from([0, 15]),
        "gap_verdict": st.sampled_from(["closing", "steady"]),
        "reason": st.sampled_from(
            ["", "x. Whether it is beyond the usual spread between peers cannot be tested."]
        ),
    }
)
STATES = st.fixed_dictionaries(
    {
        "change_test": st.sampled_from(["two_proportions", "no_sample"]),
        "change": st.sampled_from([-2.0, 2.0]),
        "change_p": st.sampled_from([0.01, 0.6]),
        "verdict": st.sampled_from(["improving", "no_clear_change"]),
        "rule": st.sampled_from(["most_steps", "none", "trend"]),
        "method": st.sampled_from(["xmr", "mann_kendall", "recent_trend"]),
        "status": st.sampled_from(["provisional", "not_yet_available"]),
        "period_label": st.sampled_from(["2026-27 Q2", ""]),
        "period_long": st.just(""),
        "n": st.sampled_from([8, 16, 30]),
        "n_hidden": FEW,
        "is_newest_hidden": st.just(True),
        "is_stale": st.booleans(),
        "value": st.sampled_from([40.0, NAN]),
        "verdict_without_rebase": st.sampled_from(["improving", "worsening"]),
        "assurance_tolerance": st.sampled_from(["consistent_fail", "consistent_pass"]),
    }
)


def _trends(row: dict[str, Any], states: list[dict[str, Any]]) -> None:
    told = [TrendFacts.of(trend_row(**row), "W", direction=1)]
    for each in states:
        shown = dict(each)
        if each["n_hidden"]:
            shown.pop("is_newest_hidden")
        told.append(
            TrendFacts.of(
                trend_row(**shown), "W", has_break=bool(each["n_hidden"]), has_suggestion=True
            )
        )
    for facts in told:
        sentences.trend_sentences(facts)
        events = [{**event_row(kind=kind), "number": 1} for kind in ("rebase", "method_change")]
        chart_notes(facts, events)
    nothing: Any = {"counts": "", "moved": [], "chance": "", "overlap": "", "before": ""}
    bank.tell("trends_summary", facts=told * 12, **nothing)
    bank.tell("trends_summary", facts=told, **nothing)
    bank.tell("counts", facts=[], codes=[], counts="", words={})
    names = [("Recycling", f"Reason {n}.") for n in range(2 * len(states))]
    assert bool(sentences.unjudged(names)) == bool(sentences.unjudged(names[:1])) == bool(names)


def _compared(row: dict[str, Any], pace: dict[str, Any]) -> None:
    subject = Subject.of(trend_row(), "W")
    for made in (row, {**row, **pace}):
        facts = ComparisonFacts.of(comparison_row(**made), subject)
        sentences.comparison_sentences(facts), sentences.context_sentences(facts)
        rest: Any = {"newest": {"value": "1", "period": "Q1"}, "missing": "", "has_unusual": False}
        bank.tell("comparison_notes", facts=facts, **rest)
        n = pace["peers_kept"]
        marks: Any = {"signs": [], "low": n, "high": 2, "gone": n, "step": "quarter"}
        bank.tell("gap_notes", facts=facts, **marks)


def _counted(n: int, of: int, level: float, of_city: int) -> None:
    total = max(n + of, 1)
    for entry in ("of", "of_some", "of_series", "of_targets"):
        sentences.counted("trends", f"theme.{entry}", [("improving", total)], total)
    many = [
        (code, 3) for code in bank.words_of("status") if f"theme.trends.{code}.many" in bank.bank()
    ]
    sentences.counted("trends", "theme.of", many, 3 * len(many))
    sentences.chance_among_tested([(n, level), (40 * of, 95.0)], has_somewhat=True)
    sentences.chance_signals([{"low": 0, "high": n, "n": 9}], of, of_city)
    sentences.off_target(
        [{"period_label": str(each), "value": 1.0, "n": 2} for each in range(total)]
    )
    worth = dict(zip(("borne_out", "chance", "against", "not_judged"), (0, n, of, of), strict=True))
    slots: Any = {"system": "S", "differ": n, "of": of, "not_again": of}
    bank.tell("arrows", worth=SimpleNamespace(**worth), **slots)


def _questions(row: dict[str, Any], n: int, *, is_city: bool) -> None:
    subject = Subject.of(trend_row(control="city" if is_city else "council"), "W")
    values = dict(zip(("value_60", "value_45", "value_30"), (47.0, 48.0, 49.0), strict=True))
    values |= dict.fromkeys([*values][: n + 1], NAN if n else 40.0)
    rows = (row, {"kind": "maintain", "is_reference": True, **values}, {"verdict": "kept"})
    rows = (*rows, {"verdict": "not_realistic", **dict.fromkeys(values, 30.0)})
    rows = (*rows, {"verdict": "little_stretch"}, {"peer_share": 0.0, "peer_n": 9})
    for each in rows:
        sentences.challenge_questions(TargetFacts.of(target_row(**each), subject))


@settings(max_examples=300, deadline=None, database=None, derandomize=True)
@given(TREND_ROWS, st.lists(STATES, max_size=2), COMPARISON_ROWS, PACE, TARGET_ROWS, st.data())
def _tell_all(trend: Any, states: Any, row: Any, pace: Any, asked: Any, data: Any) -> None:
    _trends(trend, states)
    _compared(row, pace)
    _counted(data.draw(FEW), data.draw(FEW), data.draw(LEVELS), data.draw(FEW))
    _questions(asked, data.draw(FEW), is_city=data.draw(st.booleans()))
    verdict = data.draw(st.sampled_from(["", *bank.words_of("further.value")]))
    numbers = dict.fromkeys(
        ("years_same", "years", "cost_percentile", "performance_percentile"), "3"
    )
    facts = SimpleNamespace(verdict=verdict, reason="", council="W", **numbers)
    bank.tell("value", facts=facts, council="W")


def test_every_sentence_is_reached(monkeypatch: pytest.MonkeyPatch) -> None:
    recording = Recording(bank.bank())
    monkeypatch.setattr(bank, "bank", lambda: recording)
    _tell_all()
    said = {key for key, text in recording.items() if text.endswith((".", "?"))}
    asked = {key for key in said if key.startswith(GROUPS) and not key.startswith(OF_PAGES)}
    assert len(asked) > 150
    assert sorted(asked - recording.used) == []
