"""Every bank of words keeps the same laws, and a council's own words keep them too."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pmf_analysis.parameters.checks import wording_faults
from pmf_analysis.parameters.models import Language
from pmf_analysis.parameters.workspace import Workspace
from pmf_analysis.problems import PmfError
from pmf_analysis.shipped import read_entries, read_shipped
from pmf_analysis.story import bank, formatting
from pmf_analysis.story.bank import reason_sentences
from pmf_analysis.story.benchmarking_page import BenchmarkingPage
from pmf_analysis.story.blocks import Block
from pmf_analysis.story.facts import ComparisonFacts, TargetFacts, TrendFacts
from pmf_analysis.story.figures import Subject
from pmf_analysis.story.pages import Page
from pmf_analysis.story.realism_page import RealismPage
from pmf_analysis.story.rendering import block_html
from pmf_analysis.story.sentences import (
    challenge_questions,
    comparison_sentences,
    comparison_title,
    context_sentences,
    picture_title,
    reference_sentences,
    target_sentences,
    target_title,
    trend_sentences,
    trend_title,
)
from pmf_analysis.story.trends_page import TrendsPage, chart_notes

from .made_up import comparison_row, event_row, made_up_view, target_row, trend_row
from .test_sentences import (
    COMMON,
    COMPARISON_ROWS,
    TARGET_ROWS,
    TREND_ROWS,
    known_tokens,
    reached,
    tokens,
)

LANGUAGES = tuple(Language.__args__)
LIMITS = read_shipped("parameters/choices.yml")["wording"]
NOTHING_NEW = {"en": "if nothing new", "cy": "os na wn"}
CHANCE = {"en": r"\bchance of\b.*\bin \d", "cy": r"\bsiawns o\b.*\bo bob \d"}
PAGES = (TrendsPage, BenchmarkingPage, RealismPage)


@pytest.fixture(autouse=True, scope="module")
def compiled() -> None:
    """Stories and banks are read when they are first told, which no example's deadline counts."""
    for name in bank.stored("stories.yml"):
        bank.story_of(name)
    for each in LANGUAGES:
        with bank.spoken(each):
            assert bank.say("page.no_value") and bank.inflected("labels", "2026")


@pytest.fixture(params=LANGUAGES)
def language(request: pytest.FixtureRequest) -> Iterator[str]:
    with bank.spoken(request.param):
        yield request.param


def entries(language: str) -> dict[str, str]:
    return read_entries(f"story/sentences_{language}.yml")


def test_every_bank_has_the_same_entries_with_the_same_slots() -> None:
    ours = entries("en")
    for language in LANGUAGES:
        other = entries(language)
        assert set(other) == set(ours)
        for name, text in other.items():
            assert sorted(set(re.findall(r"{\w+}", text))) == sorted(
                set(re.findall(r"{\w+}", ours[name]))
            ), name


@pytest.mark.parametrize("language", LANGUAGES)
def test_every_entry_is_short_and_has_no_banned_word(language: str) -> None:
    told = entries(language)
    faults = [(n, f) for n, text in told.items() for f in wording_faults(n, text, text, language)]
    assert faults == []


def test_a_bank_is_in_its_own_language() -> None:
    ours, welsh = entries("en"), entries("cy")
    words = {name for name, text in ours.items() if len(re.findall(r"[a-z]{3,}", text)) > 3}
    same = {name for name in words if welsh[name] == ours[name]}
    assert same <= {
        "realism.step_of",
        "further.tool.ASCOF",
        "further.tool.PHOF",
        "further.tool.LOF",
        "event.note_owner",
        "chart.subtitle",
        "fan.subtitle",
    }


def test_every_paragraph_of_the_notebooks_has_its_welsh(repository: Path) -> None:
    import json

    told = read_shipped("story/grammar_cy.yml")["prose"]
    for path in (repository / "notebooks").glob("*.ipynb"):
        for cell in json.loads(path.read_text(encoding="utf-8"))["cells"]:
            if cell["cell_type"] == "markdown":
                paragraphs = "".join(cell["source"]).split("\n\n")
                assert [each for each in paragraphs if each not in told] == []


def check(said: list[str], facts: Any, language: str, *more: str) -> None:
    for sentence in said:
        assert len(sentence.split()) <= 25, sentence
        assert not re.search(LIMITS["banned"][language], sentence, re.IGNORECASE), sentence
        assert sentence.endswith((".", "?")) and (sentence[0].isupper() or sentence[0].isdigit())
        assert "{" not in sentence and "  " not in sentence
        if re.search(CHANCE[language], sentence):
            assert NOTHING_NEW[language] in sentence, sentence
    assert tokens(said) <= known_tokens(facts, *more)


@pytest.mark.parametrize("language", LANGUAGES)
@settings(max_examples=60)
@given(row=TREND_ROWS, direction=st.sampled_from([-1, 0, 1]))
def test_what_is_said_of_a_trend(language: str, row: dict[str, Any], direction: int) -> None:
    with bank.spoken(language):
        made = [
            TrendFacts.of(trend_row(**row), "Westshire", direction=direction, judged=14)
            for _ in range(2)
        ]
        facts, said = made[0], [trend_sentences(each) for each in made]
        met = str(round((facts.met_share.raw or 0) * facts.judged))
        check([*said[0]], facts, language, formatting.format_age(facts.age_days), met, "9 10")
        assert said[0] == said[1]
        assert len(trend_title(facts).split()) <= 10 and len(picture_title(facts).split()) <= 10


@pytest.mark.parametrize("language", LANGUAGES)
@settings(max_examples=60)
@given(row=COMPARISON_ROWS, common=st.fixed_dictionaries(COMMON))
def test_what_is_said_of_a_comparison(
    language: str, row: dict[str, Any], common: dict[str, Any]
) -> None:
    with bank.spoken(language):
        subject = Subject.of(trend_row(**common), "Westshire")
        facts = ComparisonFacts.of(comparison_row(**row), subject)
        sizes = [facts.subject.plain(each) for each in facts.more.values()]
        # Figures have their minus with them; a size is told without it.
        gaps = " ".join(each.lstrip("+\u2212") for each in sizes)
        years = str(facts.close_years)
        check([*comparison_sentences(facts)], facts, language, gaps, years)
        check([*context_sentences(facts)], facts, language, gaps, years)
        assert len(comparison_title(facts).split()) <= 10


@pytest.mark.parametrize("language", LANGUAGES)
@settings(max_examples=60)
@given(row=TARGET_ROWS, common=st.fixed_dictionaries(COMMON))
def test_what_is_said_of_a_target(
    language: str, row: dict[str, Any], common: dict[str, Any]
) -> None:
    with bank.spoken(language):
        subject = Subject.of(trend_row(**common), "Westshire")
        facts = TargetFacts.of(target_row(**row), subject)
        people = f"{float(f'{abs(facts.people.raw or 0.0):.2g}'):,.0f}"
        miss = facts.subject.figure(1 - (facts.probability.raw or 0.0), "frequency").text
        more = ("60% 45% 30% 9 10", people, miss, reached(facts))
        check([*target_sentences(facts), *challenge_questions(facts)], facts, language, *more)
        assert len(target_title(facts).split()) <= 10


def texts(block: Block) -> list[str]:
    told = [block.title, block.subtitle, block.alt, *block.text, *block.notes]
    if block.table:
        told += [column.label for column in block.table.columns]
        told += [cell for row in block.table.rows for cell in row.values() if "<svg" not in cell]
    return told


@pytest.mark.parametrize("page", PAGES)
def test_every_page_says_what_it_cannot_tell_and_all_chances_with_their_condition(
    page: type[Page[Any]], language: str
) -> None:
    opened = page(made_up_view())
    box = next(each for each in opened.scope() if each.id == "cannot-tell")
    assert box.title == bank.say("section.cannot_tell") and len(box.text) == 4
    blocks = [*opened.headline(), *opened.pictures(), *opened.exceptions(), *opened.scope()]
    for block in (*blocks, *opened.quality(), *opened.method(), *opened.provenance()):
        assert block.lang == language
        for text in texts(block):
            for sentence in re.split(r"(?<=[.?])\s", text):
                if re.search(CHANCE[language], sentence) and "19" not in sentence:
                    assert NOTHING_NEW[language] in sentence, sentence
    kinds = {block.kind for block in (*opened.method(), *opened.provenance())}
    assert {"method", "provenance"} <= kinds


@pytest.mark.parametrize("page", PAGES)
def test_a_welsh_page_has_no_english_of_ours(page: type[Page[Any]]) -> None:
    with bank.spoken("cy"):
        opened = page(replace(made_up_view(), period="2026-27 Ch2"))
        blocks = [*opened.headline(), *opened.pictures(), *opened.exceptions(), *opened.method()]
        shown = "\n".join(block_html(block, number=1) for block in blocks)
    svgs = " ".join(re.findall(r"<text[^>]*>([^<]*)", shown))
    page_text = re.sub(r"<[^>]+>", " ", re.sub(r"<svg.*?</svg>", " ", shown, flags=re.S))
    english = (
        r"\b(the|figure is|Data table|Download|Source|Quarter \d|\d{4}-\d\d Q\d|Target|latest)\b"
    )
    ours = page_text.replace("the number of", "")
    found = {
        ours[max(0, match.start() - 60) : match.end() + 40] for match in re.finditer(english, ours)
    }
    assert not found
    assert not re.search(r"\b(Target|Forecast|latest|Usual|Average|Q[1-4])\b", svgs)


def test_labels_and_forms_of_words_are_welsh() -> None:
    with bank.spoken("cy"):
        long = bank.inflected("labels", "Quarter 2 (July to September) 2026-27")
        assert long == "Chwarter 2 (Gorffennaf i Fedi) 2026-27"
        assert formatting.in_sentence(long) == "chwarter 2 (Gorffennaf i Fedi) 2026-27"
        year = bank.inflected("labels", "2026-27 financial year (April to March)")
        assert year == "blwyddyn ariannol 2026-27 (Ebrill i Fawrth)"
        assert [formatting.ordinal(n) for n in (1, 2, 4, 6, 12, 21)] == [
            *("1af", "2il", "4ydd", "6ed", "12fed", "21ain")
        ]
        assert bank.join_words(["tai", "ysgolion", "iechyd"]) == "tai, ysgolion ac iechyd"
        assert formatting.format_value(1, "diwrnod", 0) == "1 diwrnod"
        assert reason_sentences("3 values known; a forecast needs at least 7") == (
            "3 gwerth sy'n hysbys.",
            "Mae angen o leiaf 7 ar ragolwg.",
        )
    assert formatting.ordinal(12) == "12th"


def test_standing_questions_and_events_are_told(language: str) -> None:
    subject = Subject.of(trend_row(), "Westshire")
    asked = [TargetFacts.of(target_row(kind="maintain", is_reference=True), subject)]
    assert NOTHING_NEW[language] in " ".join(reference_sentences(asked))
    rows = [{**event_row(kind="rebase", owner="Jo Bloggs"), "number": 1}]
    view = made_up_view()
    notes = chart_notes(TrendFacts.of(trend_row(), "Westshire"), rows, view.role)
    assert "Jo Bloggs" not in " ".join(notes)


def test_nobody_is_named_who_is_not_known_by_a_role() -> None:
    view = made_up_view()
    named = view.narratives.assign(author_role="Jo Bloggs")
    told = {
        block.id: block.commentary
        for block in TrendsPage(made_up_view(narratives=named)).pictures()
        if block.commentary
    }
    assert told and all(block.startswith("chart-") for block in told)
    said = " ".join(note for notes in told.values() for note in notes)
    assert "Jo Bloggs" not in said and "the indicator's owner" in said


# A council's own words


def reworded(tmp_path: Path, repository: Path, text: str) -> Workspace:
    import shutil

    shutil.copytree(repository / "parameters", tmp_path / "parameters")
    (tmp_path / "parameters/wording.yml").write_text(text, encoding="utf-8")
    return Workspace(tmp_path)


def test_a_council_rewords_without_code(tmp_path: Path, repository: Path) -> None:
    text = 'format: 1\nen:\n  trend.no_level: "We hold no figure yet."\n'
    loaded = reworded(tmp_path, repository, text).load()
    assert "parameters/wording.yml" in loaded.files
    with bank.spoken("en", loaded.wording):
        assert bank.say("trend.no_level") == "We hold no figure yet."
        assert bank.say("trend.cannot") == "The trend cannot be judged."
    assert bank.say("trend.no_level") == "There is no figure yet."


@pytest.mark.parametrize(
    ("entry", "told"),
    [
        ('trend.no_levl: "None."', 'no entry "trend.no_levl"'),
        ('trend.level_alone: "It is here."', "has other slots"),
        ('trend.level_alone: "It is {value} of {0}."', "has other slots"),
        ('trend.no_level: "None {"', "has other slots"),
        (f"trend.no_level: {'word ' * 26}", "too long"),
        ('trend.title.rising: "{name}: a b c d e f g h i j"', "too long"),
        ('trend.no_level: "No significant figure."', "says what no page says"),
        ("trend.no_level: [1]", "must be text"),
    ],
)
def test_words_that_break_a_rule_are_refused_with_their_line(
    tmp_path: Path, repository: Path, entry: str, told: str
) -> None:
    workspace = reworded(tmp_path, repository, f"format: 1\nen:\n  {entry}\n")
    with pytest.raises(PmfError) as refused:
        workspace.load()
    lines = [problem.line() for problem in refused.value.problems]
    assert any("parameters/wording.yml line 3" in line and told in line for line in lines), lines
