"""Pages: every indicator is on each, blocks can be published, and no wording lies unused."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st
from lxml import html

from pmf_analysis import __version__
from pmf_analysis.measures.chance import Aim, middles, quantiles
from pmf_analysis.story import bank as bank_module
from pmf_analysis.story.bank import is_filler
from pmf_analysis.story.benchmarking_page import BenchmarkingPage
from pmf_analysis.story.blocks import Block
from pmf_analysis.story.dots import count_meeting
from pmf_analysis.story.facts import TargetFacts
from pmf_analysis.story.figures import Subject
from pmf_analysis.story.formatting import twentieths
from pmf_analysis.story.pages import Page
from pmf_analysis.story.realism_page import RealismPage
from pmf_analysis.story.rendering import block_html
from pmf_analysis.story.results import AUDIT_COLUMNS, audit_rows, result_rows
from pmf_analysis.story.sentences import target_title
from pmf_analysis.story.track import portfolio_blocks
from pmf_analysis.story.trends_page import TrendsPage, chart_notes
from pmf_analysis.story.view import ThemeView

from .made_up import (
    INDICATORS,
    NAN,
    check_row,
    decision_rows,
    event_row,
    made_up_view,
    outcome_rows,
    outturn_row,
    path_rows,
    portfolio_rows,
    record_rows,
    target_row,
    trend_row,
    trend_rows,
)

PAGES = (TrendsPage, BenchmarkingPage, RealismPage)
TABLES = (
    *("points", "comparisons", "peers", "gaps", "targets", "forecasts", "problems", "funnels"),
    *("robustness", "leads", "equality", "value"),
)
SECTIONS = (
    *("headline", "scope", "overview", "pictures", "key_figures", "further", "exceptions"),
    *("challenge", "quality", "method", "provenance"),
)


def blocks_of(page: type[Page[Any]], view: ThemeView) -> list[Block]:
    opened = page(view)
    return [
        block for name in SECTIONS if hasattr(opened, name) for block in getattr(opened, name)()
    ]


def all_text(blocks: list[Block]) -> str:
    parts: list[str] = []
    for block in blocks:
        parts += [block.title, block.subtitle, block.alt, block.source, *block.text, *block.notes]
        if block.table:
            parts += [cell for row in block.table.rows for cell in row.values()]
    return "\n".join(parts)


def without_figures(view: ThemeView) -> ThemeView:
    empty = {name: getattr(view, name).iloc[:0] for name in TABLES}
    return made_up_view(trends=view.trends.iloc[:0], **empty)


@pytest.fixture(scope="module")
def view() -> ThemeView:
    return made_up_view()


@pytest.mark.parametrize("page", PAGES)
def test_every_indicator_is_judged_or_listed_with_the_reason(
    page: type[Page[Any]], view: ThemeView
) -> None:
    scope = page(view).scope()[0]
    listed = [row["indicator"] for row in scope.table.rows]
    heard = {row["indicator"]: row["title"] for row in trend_rows()}
    assert sorted(listed) == sorted(heard.get(each.id, each.title) for each in INDICATORS)
    assert all(row["reason"] for row in scope.table.rows)
    states = {row["indicator"]: row["status"] for row in scope.table.rows}
    assert states["Plan of the place"] == states["Unheard of the place"] == "cannot_judge"


@pytest.mark.parametrize("page", PAGES)
def test_blocks_can_be_published(page: type[Page[Any]], view: ThemeView) -> None:
    blocks = blocks_of(page, view)
    ids = [block.id for block in blocks]
    assert len(set(ids)) == len(ids)
    for block in blocks:
        assert Block.from_json(block.to_json()) == Block.from_json(block.to_json())
        if block.kind == "figure":
            assert len(block.title.split()) <= 10
            assert len(block.alt) >= 40 and re.search(r"\d", block.alt)
            assert block.subtitle and block.source and block.table and block.table.rows
            assert view.council in block.subtitle
        if block.kind == "finding":
            assert len(block.title.split()) <= 10 and block.text


@pytest.mark.parametrize("page", PAGES)
def test_the_same_input_gives_the_same_page_whatever_the_order_of_rows(
    page: type[Page[Any]], view: ThemeView
) -> None:
    names = ("trends", *TABLES, "events")
    shuffled = {name: getattr(view, name).sample(frac=1, random_state=3) for name in names}
    shuffled["targets"] = view.targets
    again = blocks_of(page, made_up_view(**shuffled))
    assert [block.to_json() for block in again] == [b.to_json() for b in blocks_of(page, view)]


@pytest.mark.parametrize("page", PAGES)
def test_a_theme_without_indicators_still_makes_a_full_honest_page(page: type[Page[Any]]) -> None:
    empty = without_figures(made_up_view())
    nothing = made_up_view(
        indicators=(),
        **{name: getattr(empty, name) for name in ("trends", *TABLES)},
    )
    told = all_text(blocks_of(page, nothing))
    assert "This theme has no indicators in the register" in told
    assert "Westshire is a fictional council." in told
    assert "31 October 2026" in told


@pytest.mark.parametrize("page", PAGES)
def test_a_theme_without_figures_lists_its_indicators(
    page: type[Page[Any]], view: ThemeView
) -> None:
    told = all_text(blocks_of(page, without_figures(view)))
    assert "No figures of this theme's indicators have been imported yet." in told
    assert "Recycling of the place" in told and "No figures have been imported" in told


@pytest.mark.parametrize("page", PAGES)
def test_city_measures_have_no_status_anywhere(page: type[Page[Any]], view: ThemeView) -> None:
    mine = [block for block in blocks_of(page, view) if block.id.endswith("-air")]
    assert mine
    assert all(block.tone in {"", "neutral"} for block in mine)
    glance = next(block for block in page(view).headline() if block.id == "at-a-glance")
    codes = [row["status"] for row in glance.table.rows if row["indicator"] == "Nitrogen dioxide"]
    assert codes and not {"improving", "worsening", "better", "worse", "not_realistic"} & set(codes)


def test_the_headline_counts_what_the_table_shows(view: ThemeView) -> None:
    finding, table = TrendsPage(view).headline()
    codes = [row["status"] for row in table.table.rows]
    said_of = " ".join(finding.text)
    assert said_of.startswith("Of the 6 indicators with figures, 1 has improved beyond")
    assert len(finding.text) > 3, "a lede, then short lines"
    assert codes.count("improving") == codes.count("rising") == codes.count("no_status") == 1
    assert "Worsening: Major planning on time." in finding.text
    said = (
        "By chance alone 0 to 1 of the 5 judged would stand out, if figures were independent; 4 did"
    )
    assert said in said_of
    assert "; in the same period of earlier years, newest first: 3 of 5 and 2 of 4." in said_of
    told = "Not judged: Homelessness prevented (four figures are too few), and 2 for other reasons."
    assert told in said_of


@pytest.mark.parametrize("page", PAGES)
def test_every_headline_says_what_was_not_judged_and_why(
    page: type[Page[Any]], view: ThemeView
) -> None:
    said = " ".join(page(view).headline()[0].text)
    listed = page(view).scope()[0].table.rows
    missing = [row for row in listed if row["status"] in ("cannot_judge", "no_verdict")]
    told = re.search(r"Not judged: (.+?) \((.+?)\)(, and (\d+) for [a-z ]+)?\.", said)
    assert told and missing
    reasons = Counter(row["reason"].lower().startswith(told[2].rstrip("…")) for row in missing)
    assert int(told[4] or 0) == reasons[False] < len(missing)


def test_a_rank_without_a_test_is_not_called_judged(view: ThemeView) -> None:
    rows = BenchmarkingPage(view).scope()[0].table.rows
    states = {row["indicator"]: row["status"] for row in rows}
    assert states["Major planning applications decided on time"] == "position_only"
    assert states["Household waste recycled or composted"] == "judged"


def test_a_series_without_a_target_has_one_row_with_both_chances(view: ThemeView) -> None:
    for block in (RealismPage(view).headline()[1], RealismPage(view).key_figures()[0]):
        (row,) = [row for row in block.table.rows if row["indicator"] == "Nitrogen dioxide"]
        assert row["status"] == "no_target" and not row.get("target")
        assert row["chance"] == ("50% of keeping 41.0 µg/m3; 5% of reaching the median, 30.0 µg/m3")


def test_a_standing_question_without_an_answer_is_told_as_not_judged() -> None:
    asked = target_row(
        kind="maintain", is_reference=True, probability=NAN, verdict="cannot_judge", reason="Few."
    )
    page = RealismPage(made_up_view(targets=pd.DataFrame([asked])))
    assert "Not judged: Household recycling (few)" in " ".join(page.headline()[0].text)
    answered = {**asked, "probability": 0.4, "verdict": "no_verdict", "target_id": "b"}
    both = RealismPage(made_up_view(targets=pd.DataFrame([answered, asked])))
    assert "Household recycling (few)" not in " ".join(both.headline()[0].text)


@pytest.mark.parametrize("page", PAGES)
def test_an_old_figure_says_its_age_in_the_finding(page: type[Page[Any]], view: ThemeView) -> None:
    old = view.trends.assign(is_stale=True, age_days=669)
    findings = [
        block
        for block in page(made_up_view(trends=old)).pictures()
        if block.id.startswith("finding-")
    ]
    aged = [
        " ".join((*block.text, *block.notes)).count("ended 2 years before this report")
        for block in findings
    ]
    assert aged and set(aged) == {1}


def test_a_city_measure_is_ranked_from_the_top_or_not_at_all(view: ThemeView) -> None:
    def told(comparisons: pd.DataFrame) -> str:
        page = BenchmarkingPage(made_up_view(comparisons=comparisons))
        rows = [row for row in page.rows() if row["indicator"] == "Nitrogen dioxide"]
        mine = [block for block in page.pictures() if block.id == "finding-air"]
        return all_text(mine) + rows[0]["rank"]

    assert not re.search(r"rank|highest|lowest|16th", told(view.comparisons))
    from_top = told(view.comparisons.assign(rank_high=view.comparisons["rank"].map({16: 1})))
    assert "We rank highest of 16" in from_top
    assert "quarter" not in from_top and from_top.endswith("highest of 16")
    assert "9th to 14th" not in from_top
    strip = next(b for b in BenchmarkingPage(view).pictures() if b.id == "strip")
    assert "Nitrogen dioxide" not in strip.alt


def test_key_figures_are_plain_text_that_nbval_can_compare(view: ThemeView) -> None:
    for page in PAGES:
        (block,) = page(view).key_figures()
        lines = block.plain_text.splitlines()
        assert len(lines) == 1 + len(block.table.rows)
        assert lines[0].startswith("Indicator  ")
        assert any(line.startswith("Household recycling") and "39.8%" in line for line in lines)


def test_a_series_without_a_target_says_no_target_set(view: ThemeView) -> None:
    block = next(b for b in RealismPage(view).pictures() if b.id == "finding-air")
    assert block.title == "Nitrogen dioxide: no target set"
    told = block.text[0]
    assert told.startswith("There is no target set.")
    assert "keeping the present level" in told and "median of 30.0" in told
    assert "Values with a 45% and 30% chance are 40.8 and 40.1" in told


def test_dots_tell_the_same_chance_as_the_words() -> None:
    near = made_up_view(targets=pd.DataFrame([target_row(probability=0.18, target=44.0)]))
    far = made_up_view(targets=pd.DataFrame([target_row(probability=0.75, target=44.0)]))
    (dots,) = [b for b in RealismPage(near).pictures() if b.id == "dots-target-2027-07-recycling"]
    assert "4 meet the target of 44.0%" in dots.alt
    assert not [b for b in RealismPage(far).pictures() if b.id == "dots-target-2027-07-recycling"]


DRAWS = st.builds(
    lambda seed, middle, spread: np.sort(np.random.default_rng(seed).normal(middle, spread, 2000)),
    st.integers(0, 999),
    st.floats(-5, 5),
    st.floats(0.05, 4),
)


@given(DRAWS, st.floats(-8, 8), st.sampled_from(["higher", "lower"]))
def test_filled_dots_are_the_twentieths_of_the_words(draws: Any, goal: float, better: str) -> None:
    target = round(goal, 1)
    chance = Aim(target, better, 1).chance(draws)
    dots = quantiles(draws, middles(20)).tolist()
    count = count_meeting(dots, target, better, 1)
    # A chance half-way between two twentieths may fall to either side, and is then not drawn.
    half_way = abs(chance * 20 % 1 - 0.5) < 1e-9
    assert count == twentieths(chance) or (half_way and abs(count - chance * 20) < 0.51)
    assert count == twentieths(min(max(chance, 0.02), 0.98)) or half_way


def test_a_long_narrative_is_folded_after_a_sentence_and_is_there_as_a_whole() -> None:
    long = "Crews were short of drivers. " * 20 + "The end."
    row = {**made_up_view().narratives.iloc[0], "text": long, "source_file": "KPI.xlsx"}
    view = made_up_view(narratives=pd.DataFrame([{**row, "source_row": 7}]))
    block = next(b for b in TrendsPage(view).pictures() if b.id == "chart-recycling")
    first, rest = block.commentary[0].split("\n\n")
    assert first.endswith("short of drivers.") and first.count("Crews") == 12
    assert f"{first.partition(': ')[2]} {rest}" == long
    page = html.fromstring(block_html(block))
    (folded,) = page.xpath("//blockquote//details")
    assert folded.xpath("string(p)") == rest
    assert folded.xpath("string(summary)").startswith("Read all")


def test_standards_at_risk_come_first_then_the_lowest_chances() -> None:
    kinds = [("stretch", "ambition", 0.4), ("not_realistic", "ambition", 0.1)]
    kinds += [("stretch", "floor", 0.6), ("stretch", "ambition", 0.3)]
    series = [row["series"] for row in trend_rows()]
    rows = [
        target_row(series=of, target_id=f"t{p}", verdict=verdict, kind=kind, probability=p)
        for of, (verdict, kind, p) in zip(series, kinds, strict=False)
    ]
    page = realism(targets=rows)
    order = sorted(
        page.listed("attention"), key=lambda facts: page.attention().index(page.in_short(facts))
    )
    assert [facts.probability.raw for facts in order] == [0.6, 0.1, 0.3, 0.4][: len(order)]
    words = " ".join(page.summary())
    assert (
        words.index("Standard at risk:")
        < words.index("Not realistic yet:")
        < words.index("A stretch:")
    )


@pytest.mark.parametrize("said", ["TBC", "n/a", "See above.", " - ", "To be confirmed"])
def test_filler_is_no_reason(said: str) -> None:
    told = made_up_view().narratives.assign(text=said)
    block = next(b for b in TrendsPage(made_up_view(narratives=told)).pictures() if b.commentary)
    assert block.commentary[0] == "No reason was given."
    assert not is_filler("None of the crews had a driver.")


def test_narratives_name_role_and_date(view: ThemeView) -> None:
    block = next(b for b in TrendsPage(view).pictures() if b.id == "chart-recycling")
    assert block.commentary == (
        "Reason given, Head of Waste, 12 October 2026: A wet summer brought less garden waste.",
        "Expected back on target by 31 March 2027.",
    )


def test_a_councils_own_status_words_come_first() -> None:
    own = made_up_view(words={"improving": "Getting better"})
    block = TrendsPage(own).headline()[1]
    assert block.table.status_words["improving"] == "Getting better"


class Recording(dict[str, str]):
    """A bank that remembers which entries were used."""

    def __init__(self, entries: Mapping[str, str]) -> None:
        super().__init__(entries)
        self.used: set[str] = set()

    def __getitem__(self, key: str) -> str:
        self.used.add(key)
        return super().__getitem__(key)


def test_every_template_of_a_signal_is_reached(monkeypatch: pytest.MonkeyPatch) -> None:
    from pmf_analysis.story.facts import TrendFacts
    from pmf_analysis.story.sentences import trend_sentences, trend_title

    recording = Recording(bank_module.bank())
    monkeypatch.setattr(bank_module, "bank", lambda: recording)
    verdicts = ["improving", "worsening", "rising", "falling", "no_clear_change", "cannot_judge"]
    rules = [
        "outside_limits",
        "trend",
        "shift",
        "two_in_three",
        "three_in_four",
        "crossings",
        "mann_kendall",
        "most_steps",
        "recent_trend",
        "none",
    ]
    choices = [
        {
            "verdict": verdict,
            "rule": rule,
            "treatment": treatment,
            "shape": shape,
            "polarity": polarity,
        }
        for verdict in verdicts
        for rule in rules
        for treatment in ("", "season_means_removed")
        for shape in ("discrete", "rolling")
        for polarity in ("higher", "range")
    ]
    states = ["provisional", "estimated", "revised", "suppressed", "not_yet_available"]
    choices += [{"status": status, "is_stale": True, "n": 14} for status in states]
    choices += [
        {"assurance": code} for code in ("consistent_pass", "inconsistent", "consistent_fail")
    ]
    quiet = {"verdict": "no_clear_change"}
    choices += [{**quiet, "method": m} for m in ("xmr", "mann_kendall", "recent_trend", "none")]
    choices += [{"period_label": "", "period_long": ""}, {"method": "mann_kendall", "n": 7}]
    choices += [{"verdict": way, "change_on_year": 0.0} for way in ("rising", "falling")]
    choices += [{"rule": "mann_kendall", "slope": NAN, "shape": ""}]
    choices += [{**quiet, "upper_limit": 36.0}, {"value": NAN}, {"control": "city"}]
    choices += [
        {"change": change, "change_on_year": year}
        for change in (-1.0, 0.0, 1.0, NAN)
        for year in (-1.0, 0.0, 1.0)
    ]
    choices += [
        {"verdict": "improving", "rule": "mann_kendall", "frequency": f}
        for f in (
            "weekly",
            "monthly",
            "quarterly",
            "termly",
            "half_yearly",
            "annual",
            "biennial",
            "x",
        )
    ]
    choices += [{**quiet, "n": 7, "method": "mann_kendall"}, {**quiet, "n": 14}]
    choices += [{"assurance": "", "value": 43.0}]
    choices += [{**quiet, "arrow_short": "improving"}, {"arrow_short": "improving"}]
    choices += [{"unit": "per 100,000 aged 10 to 17 living at home in the place"}]
    choices += [
        {**quiet, "unit": choices[-1]["unit"]},
        {"detect_4": NAN},
        {"limits_from": "frozen"},
        {"chance_alone": NAN},
    ]
    for p in (0.01, 0.3):
        choices += [
            {**each, "change_test": "z", "change_p": p} for each in (quiet, {}, {"change": 1.0})
        ]
    choices += [
        {"assurance_tolerance": code, "tolerance_low": 40.0}
        for code in ("consistent_pass", "inconsistent", "consistent_fail")
    ]
    choices += [{"features": each} for each in ("carried_forward", "gappy", "bounded;rounded")]
    choices += [{"assurance": "", "verdict_without_rebase": each} for each in verdicts]
    hidden = {"n_hidden": 2, "is_newest_hidden": True}
    choices += [hidden, {**hidden, "value": NAN}, {"change_test": "no_sample"}]
    more = {"judged": 14, "has_break": True, "has_suggestion": True}
    rebase = {**event_row(kind="rebase"), "number": 1}
    for choice in choices:
        for direction, since in ((-1, "2024-25 Q3"), (0, ""), (1, "2024-25 Q3")):
            row = trend_row(**choice)
            facts = TrendFacts.of(row, "W", direction=direction, since=since, **more)
            trend_sentences(facts)
            trend_title(facts)
            chart_notes(facts, [rebase])
    told = {key for key in recording if key.startswith(("trend.", "tension."))}
    elsewhere = {key for key in told if key.startswith(("trend.picture", "trend.level_p"))}
    # Words of a group are read together, not one by one.
    grouped = {key for key in told if key.startswith(("trend.step.", "trend.arrow.word"))}
    assert told - recording.used - elsewhere - grouped == {"trend.arrow.both"}


def test_no_wording_lies_unused(repository: Path) -> None:
    code = "".join(
        path.read_text(encoding="utf-8")
        for kind in ("story/*.py", "batch/*.py", "documents/*.py", "notebook.py", "**/*.j*")
        for path in (repository / "pmf_analysis").glob(kind)
    )
    code += "".join(
        (repository / f"pmf_analysis/story/{name}.yml").read_text(encoding="utf-8")
        for name in ("cells", "pages", "stories", "theme_page")
    )
    code = re.sub(r'([._])" (\+|~) ?[\w.]+', r'\1{}"', code.replace("%s", "{}"))
    names = set(re.findall(r"""["']([a-z_]+(?:\.(?:(?:[a-z_0-9]|\{.*?\})+))+)["']""", code))
    called = [
        re.compile(
            re.sub(r"\\\{.*?\\\}", "[a-z_0-9]+", re.escape(name)) + r"(\.(one|many|tail|apart))?"
        )
        for name in names
    ]
    kinds = "fan|dots|outturn|chart|gap|funnel|strip|overview|value|reliability"  # of figures
    called.append(re.compile(rf"({kinds})\.(title(_[a-z_]+)?|subtitle|alt|note)"))
    groups = set(re.findall(r'words_of\("([a-z_.]+)"\)', code))
    groups |= {f"cannot_tell.{page.analysis}" for page in PAGES}
    unused = [
        entry
        for entry in bank_module.bank()
        if entry.rpartition(".")[0] not in groups
        and not any(pattern.fullmatch(entry) for pattern in called)
    ]
    assert not unused, "\n".join(unused)


def test_no_story_lies_untold(repository: Path) -> None:
    modules = (repository / "pmf_analysis/story").glob("*.py")
    code = "".join(path.read_text(encoding="utf-8") for path in modules)
    named = set(re.findall(r'\b(?:tell|phrase)\(\s*"([a-z_]+)"', code))
    assert named == set(bank_module.stored("stories.yml"))


def test_good_news_stands_apart_from_what_needs_attention(view: ThemeView) -> None:
    attention, good, area = TrendsPage(view).exceptions()
    assert area.title == "Measures of the whole area that stand out"
    assert attention.text[0].startswith("Major planning on time: worsening")
    assert not any("improving" in each for each in attention.text)
    assert good.id == "good-news" and good.text[0].startswith("Household recycling: improving")


def test_an_older_comparison_names_our_newest_figure(view: ThemeView) -> None:
    shown = next(b for b in BenchmarkingPage(view).pictures() if b.id == "finding-recycling")
    newest = "compare with our newest, 39.8% (2026-27 Q2)."
    assert shown.notes[0] == f"Too few councils have a figure yet to {newest}"
    columns = [column.label for column in BenchmarkingPage(view).headline()[1].table.columns]
    assert columns[1:3] == ["Compared value", "Period"]


def test_the_audit_has_every_point_with_the_limits_it_was_tested_against(view: ThemeView) -> None:
    hostile = view.points.assign(raw_lower_limit=-3.5, effect=0.25, period_label="=1+1")
    rows = list(audit_rows(TrendsPage(made_up_view(points=hostile))))
    assert len(rows) == len(hostile) and all(tuple(row) == AUDIT_COLUMNS for row in rows)
    assert {row["lower_limit"] for row in rows} == {"-3.5"}
    assert {row["effect"] for row in rows} == {"0.25"}
    assert {row["period_label"] for row in rows} == {"'=1+1"}
    known = view.points.sort_values(["series", "period"])["value"].tolist()
    told = sorted(rows, key=lambda row: (row["series"], row["period"]))
    assert [float(row["value"]) for row in told] == pytest.approx(known)
    first = next(row for row in rows if row["indicator"] == "recycling")
    assert first["upper_limit"] == "42.6" and first["rule_profile"] == "mdc"
    assert first["version"] == __version__ and len(first["period"]) == 10
    assert "audit.csv" in all_text(TrendsPage(view).provenance())
    assert "audit.csv" not in all_text(RealismPage(view).provenance())


def test_a_contradiction_is_a_problem_shown_to_the_analyst(view: ThemeView) -> None:
    said = "Declared as single periods, but values rise within each year and start again."
    page = TrendsPage(made_up_view(trends=view.trends.assign(contradiction=said)))
    note, table = page.quality()
    assert "In the data of this theme 7 problems were found." in note.text
    assert [row["problem"] for row in table.table.rows] == [said] * 6 + ["The cell holds an error."]
    assert all(said[:-1] in row["reason"] for row in page.scope()[0].table.rows[:3])
    told = made_up_view(
        trends=view.trends.assign(contradiction=said), problems=view.problems.assign(message=said)
    )
    assert len(TrendsPage(told).quality()[1].table.rows) == 1


def test_a_doubt_about_the_unit_stands_beside_the_indicator(view: ThemeView) -> None:
    doubt = "the value is of another size; was the unit changed?"
    asked = {"code": "unit-changed", "indicator": "recycling", "message": doubt}
    page = TrendsPage(made_up_view(problems=view.problems.assign(**asked)))
    beside = {
        facts.subject.indicator: page.finding(facts, "T", ["S."]).notes
        for facts in page.view.trend_facts
    }
    # Files and rows are for the council alone: a publication has no data quality, but has findings.
    assert beside.pop("recycling") == (doubt.capitalize(),)
    assert not any(beside.values())


def test_events_have_the_numbers_of_the_chart_and_their_words_stay_words() -> None:
    hostile = "<script>alert(1)</script> {format} \n=1+1. " + "word " * 60
    events = [
        event_row(text=hostile, period=pd.Timestamp(2026, 1, 1), period_label="2025-26 Q4"),
        event_row(kind="rebase", text="New depot"),
        event_row(kind="restatement", text="", owner="", evidence="31.2"),
        event_row(kind="exceptional", text="", owner=""),
    ]
    view = made_up_view(
        events=pd.DataFrame(events),
        trends=made_up_view().trends.assign(verdict_without_rebase="improving"),
    )
    chart = next(b for b in TrendsPage(view).pictures() if b.id == "chart-recycling")
    more, *numbered = chart.notes
    assert numbered[:3] == [
        "1. 2025-26 Q2: Exceptional period, left out of the usual range.",
        "2. 2025-26 Q2: New starting point: New depot (Head of Waste).",
        "3. 2025-26 Q2: Figure restated, published before: 31.2%.",
    ]
    assert numbered[3].startswith("4. 2025-26 Q4: <script>alert(1)</script> {format} =1+1. word")
    assert numbered[3].endswith("word\u2026 (Head of Waste).") and len(numbered[3].split()) < 50
    assert "<script>" not in block_html(chart) and "&lt;script&gt;" in block_html(chart)
    assert "starting point of 2025-26 Q2 (note 2), this would also read 'improving'." in more


def test_the_newest_events_are_told_and_every_rebase() -> None:
    starts = pd.date_range("2023-04-01", periods=9, freq="QS")
    rows = [
        event_row(period=day, kind="annotation" if n else "rebase") for n, day in enumerate(starts)
    ]
    view = made_up_view(events=pd.DataFrame(rows))
    chart = next(b for b in TrendsPage(view).pictures() if b.id == "chart-recycling")
    told = [note.split(".")[0] for note in chart.notes[1:]]
    assert told == ["1", *"456789", "2 earlier events are not listed here"]


def test_the_overview_shows_every_series_that_has_a_figure(view: ThemeView) -> None:
    (block,) = TrendsPage(view).overview()
    assert block.svg.count("<svg") == 6 and len(block.svg.encode()) <= 20_000
    assert [row["status"] for row in block.table.rows][:2] == ["improving", "no_clear_change"]
    assert "Fly-tipping: 14.2 per 1,000 people, no clear change" in block.alt
    assert TrendsPage(without_figures(view)).overview() == []


def test_key_figures_have_a_picture_of_the_history_and_the_arrows(view: ThemeView) -> None:
    (block,) = TrendsPage(view).key_figures()
    (row, *others) = block.table.rows
    assert row["history"].startswith("<svg") and row["arrows"] == "worse, better"
    assert next(each for each in others if each["indicator"] == "Nitrogen dioxide")["arrows"] == ""
    glance = TrendsPage(view).headline()[1].table.rows[0]
    ids = re.findall(r'id="([a-z-]+)"', row["history"] + glance["trend"])
    assert len(ids) == len(set(ids)) == 2
    assert "<svg" not in block.alt


def further(view: ThemeView) -> dict[str, Block]:
    return {block.id: block for block in BenchmarkingPage(view).further()}


def test_the_headline_names_what_is_open_and_what_chance_would_give(view: ThemeView) -> None:
    said = " ".join(BenchmarkingPage(view).headline()[0].text)
    assert "Worse: Household recycling. Worth a closer look: Fly-tipping." in said
    assert "on all 3 tested, around 1 in" in said
    turned = view.comparisons.assign(robust_opposite=1)
    said = " ".join(BenchmarkingPage(made_up_view(comparisons=turned)).headline()[0].text)
    assert "Depends on whom we compare with: Household recycling." in said
    one = " ".join(BenchmarkingPage(made_up_view(comparison_level=95.0)).headline()[0].text)
    assert "around 1 in 10 reports at most" in one
    alike = view.comparisons.assign(verdict="similar")
    assert "chance" not in all_text(
        BenchmarkingPage(made_up_view(comparisons=alike)).headline()[:1]
    )


def test_funnels_are_drawn_of_what_stands_out_and_of_nothing_else(view: ThemeView) -> None:
    drawn = [b for b in BenchmarkingPage(view).pictures() if b.id.startswith("funnel-")]
    assert [block.id for block in drawn] == ["funnel-recycling", "funnel-flytipping"]
    assert "Westshire Council, at 39.8%, lies below the 99.8% limits." in drawn[0].alt
    assert drawn[0].table.rows[0]["council"] == "Westshire Council"
    assert len(drawn[0].table.rows) == 16 and "7.62 times" in drawn[0].notes[1]


def test_the_robustness_table_names_groups_with_source_and_date(view: ThemeView) -> None:
    block = further(view)["robustness"]
    labels = [column.label for column in block.table.columns]
    assert labels == ["Indicator", "Nearest neighbours", "The region", "Nearest 10 to 20"]
    first, second = block.table.rows
    assert [*first.values()] == [
        "Household recycling",
        "12th of 16, worse",
        "6th of 16, similar",
        "3 of 6",
    ]
    assert second["neighbours"] == "16th of 16"
    shared = made_up_view(robustness=view.robustness.assign(n_level=1))
    first = further(shared)["robustness"].table.rows[0]
    assert first["neighbours"] == "joint 12th of 16, worse"
    region = "Source: Finance institute, as at 3 November 2025."
    assert block.notes[2].startswith("The region: ") and block.notes[2].endswith(region)
    alone = view.comparisons[view.comparisons["peer_set"] == "neighbours"]
    block = further(made_up_view(comparisons=alone, robustness=pd.DataFrame()))["robustness"]
    assert block.kind == "note" and "One comparison group is declared" in block.text[0]


def test_leads_are_those_that_stand_out_and_nobody_is_called_best(view: ThemeView) -> None:
    block = further(view)["leads"]
    assert [row["council"] for row in block.table.rows] == ["Council D"]
    assert block.table.rows[0]["expected"] == "+3.4 percentage points (0.6 to 6.2)"
    assert block.table.rows[0]["ours"] == "better by 0.4 percentage points"
    assert block.notes == (
        "No council stands out beyond chance on Major planning on time.",
        "Leads could not be worked out for Fly-tipping, Nitrogen dioxide and Library visits.",
    )
    assert "starting points for a conversation" in block.text[0] and "luck" in block.text[1]
    nobody = further(made_up_view(leads=view.leads.assign(stands_out=0)))["leads"]
    assert nobody.kind == "note" and "No council stands out beyond chance" in nobody.text[0]
    assert "leads" not in further(made_up_view(leads=pd.DataFrame()))


def test_groups_are_beside_the_others_with_the_worse_first(view: ThemeView) -> None:
    block = further(view)["equality"]
    assert [row["status"] for row in block.table.rows] == [
        *("worse", "no_status", "similar", "cannot_judge"),
    ]
    assert block.table.rows[0]["difference"] == "−9.2 percentage points (−11.9 to −6.5)"
    levels = made_up_view(equality=view.equality.assign(level=98.75))
    first = further(levels)["equality"].table.rows[0]
    assert first["difference"] == "−9.2 percentage points (98.8% range −11.9 to −6.5)"
    assert first["period"] == "2026-27 Q1"
    assert block.text == ("Figures by group are held for 2 of the 7 indicators.",)
    told = BenchmarkingPage(view).attention()
    word = "Household recycling in 2026-27 Q1, groups worse beyond chance than all others (40.7%)"
    assert f"{word}: Harbour 31.5% (difference growing)." in told
    old = BenchmarkingPage(made_up_view(trends=view.trends.assign(is_stale=True))).attention()
    assert "Harbour" not in " ".join(old)
    assert "Household recycling (Lake) (the count is below 10)" in block.notes[1]
    none = further(made_up_view(equality=pd.DataFrame()))["equality"]
    assert none.text[0].startswith("Figures by group are held for none of the 7 indicators")
    many = pd.concat([view.equality] * 10, ignore_index=True)
    assert "first 24" not in all_text([block])
    assert "shows 24 of 40 groups" in all_text([further(made_up_view(equality=many))["equality"]])


def test_value_for_money_is_never_a_verdict_of_one_year(view: ThemeView) -> None:
    block = further(view)["value-waste"]
    assert block.kind == "figure" and len(block.table.rows) == 7
    assert "in 3 of 3 years. In the newest year 83% of similar councils cost less" in block.text[0]
    one = view.value.assign(verdict="one_year")
    block = further(made_up_view(value=one))["value-waste"]
    assert block.text[0].startswith("One year alone gives no verdict.")
    unknown = view.value.assign(cost_percentile=NAN, verdict="cannot_judge", reason="Too few.")
    block = further(made_up_view(value=unknown))["value-waste"]
    assert block.kind == "note"
    assert block.text == ("Value for money cannot be judged. Too few.",)


def test_a_page_without_any_peers_says_what_could_be_compared_and_what_we_know() -> None:
    view = without_peers()
    page = BenchmarkingPage(view)
    said = " ".join(page.headline()[0].text)
    assert "could be compared with similar councils" in said and "Of the" not in said
    assert "no comparison group with councils is chosen" in said
    blocks = blocks_of(BenchmarkingPage, view)
    assert {b.id for b in blocks} >= {"finding-recycling", "could", "equality"}
    assert not {b.id for b in blocks} & {"strip", "robustness", "leads", "key-figures"}
    row = further(view)["could"].table.rows[0]
    assert row["public"] == (
        "Public Health Outcomes Framework (OHID Fingertips), "
        "Single Data List return: WasteDataFlow and https://example.org/recycling"
    )
    told = all_text(page.pictures())
    assert "above the average of 39.3%" in told and "similar councils" not in told
    (nothing,) = BenchmarkingPage(made_up_view(**peerless(), equality=pd.DataFrame())).exceptions()
    assert nothing.title == "Nothing could be compared"


def peerless() -> dict[str, Any]:
    view = made_up_view()
    names = ("comparisons", "peers", "gaps", "funnels", "robustness", "leads", "value")
    return {name: getattr(view, name).iloc[:0] for name in names}


def without_peers() -> ThemeView:
    known = {"framework_refs": ("PHOF",), "sdl_ref": "WasteDataFlow"}
    first = INDICATORS[0].model_copy(
        update={**known, "source_url": "https://example.org/recycling"}
    )
    return made_up_view(**peerless(), indicators=(first, *INDICATORS[1:]))


def test_old_comparisons_and_missing_councils_are_named(view: ThemeView) -> None:
    note = BenchmarkingPage(view).quality()[-1]
    assert note.id == "comparison-quality"
    assert "Others already have a newer figure: Fly-tipping." in note.text
    absent = "Similar councils without a figure for"
    assert f"{absent} Fly-tipping: Council A and Council B." in note.text
    names = [f"Council {n}" for n in range(40)]
    lacking = view.comparisons.assign(n_peers=9, peers_missing="; ".join(names))
    told = BenchmarkingPage(made_up_view(comparisons=lacking)).quality()[-1].text
    (one,) = (each for each in told if each.startswith(absent))
    assert one.startswith(f"{absent} 5 of the 5 indicators compared: Council 0, Council 1")


def test_what_is_somewhat_worse_needs_attention_in_any_quarter(view: ThemeView) -> None:
    rows = view.comparisons.assign(verdict="similar", gap_verdict="steady", funnel_label="within")
    first = rows["series"].eq("recycling|X1|||v1") & rows["peer_set"].eq("neighbours")
    for code, quarter, is_told in (
        ("somewhat_worse", 4, True),
        ("somewhat_worse", 3, True),
        ("somewhat_better", 4, False),
    ):
        told = rows.assign(quarter=quarter).mask(first, rows.assign(verdict=code, rank=16))
        told["quarter"] = quarter
        page = BenchmarkingPage(made_up_view(comparisons=told, equality=pd.DataFrame()))
        heading = page.exceptions()[0].title
        assert (heading == "What needs attention") == is_told
        assert ("Household recycling: somewhat worse" in " ".join(page.attention())) == is_told
        assert "is somewhat" in page.headline()[0].text[0]
    good = BenchmarkingPage(
        made_up_view(
            comparisons=rows.mask(first, rows.assign(verdict="somewhat_better", quarter=1))
        )
    ).good_news()
    assert len(good) == 1 and "somewhat better" in good[0]


def test_what_stands_out_of_the_whole_area_needs_no_attention(view: ThemeView) -> None:
    rows = view.comparisons.assign(verdict="similar", gap_verdict="steady", funnel_label="within")
    told = rows.mask(rows["series"].str.startswith("air"), rows.assign(verdict="somewhat_worse"))
    page = BenchmarkingPage(made_up_view(comparisons=told, equality=pd.DataFrame()))
    *_, area = page.exceptions()
    assert area.id == "whole-area" and area.text[0].startswith("Nitrogen dioxide: ")
    assert "Nitrogen" not in " ".join((*page.attention(), *page.good_news()))


def test_nothing_stands_out_is_not_said_where_most_could_not_be_tested(view: ThemeView) -> None:
    place = {"verdict": "position_only", "funnel_label": "", "gap_verdict": "steady"}
    ranked = view.comparisons.assign(evidence="values_only", **place)
    shown = made_up_view(comparisons=ranked, equality=pd.DataFrame())
    (block,) = BenchmarkingPage(shown).exceptions()
    assert block.title == "Most could not be tested"
    assert "behind the median: Major planning on time (16th of 16)" in block.text[0]
    rest = "Of the 5 indicators compared, measures of the whole area aside, 5 could not be tested"
    assert block.text[0].endswith(f"{rest} for chance.")
    alike = ranked.assign(verdict="similar", evidence="counts")
    (block,) = BenchmarkingPage(
        made_up_view(comparisons=alike, equality=pd.DataFrame())
    ).exceptions()
    assert block.title == "No difference passed the test" and "Furthest behind" in block.text[0]
    level = made_up_view(comparisons=alike.assign(gap=0.0), equality=pd.DataFrame())
    assert BenchmarkingPage(level).exceptions()[0].title == "Nothing stands out"


def test_charts_of_the_gap_say_what_is_tested_and_what_is_missing(view: ThemeView) -> None:
    gaps = view.gaps.assign(lower_limit=-4.0, upper_limit=1.0, mean=-1.0)
    gaps = gaps[gaps["period"] != pd.Timestamp(2025, 1, 1)]
    gaps.loc[gaps["period"] < pd.Timestamp(2025, 1, 1), "n_peers"] = 9
    rows = view.comparisons.assign(gap_since="2024-25 Q3", gap_reason="Judged by a test on 6 gaps.")
    told = made_up_view(gaps=gaps, comparisons=rows)
    block = next(b for b in BenchmarkingPage(told).pictures() if b.id == "gap-recycling")
    notes = " ".join(block.notes)
    for said in ("The dashed band is our usual gap", "Figures from 2024-25 Q3 on are tested."):
        assert said in notes
    assert "as if it had existed" in notes and "Judged by a test on 6 gaps." in notes
    assert "varies from 9 to 15." in notes and "One quarter in between has too few" in notes


def test_an_older_compared_value_has_the_newest_beside_it(view: ThemeView) -> None:
    glance = BenchmarkingPage(view).headline()[1].table.rows[0]["compared"]
    assert re.fullmatch(r"39\.8% \(newest: [\d.]+%, 2026-27 Q2\)", glance)


def test_limits_that_allow_for_chance_only_say_so(view: ThemeView) -> None:
    strict = made_up_view(overdispersion=False)
    for shown, of_spread in ((view, "the limits allow for it"), (strict, "limits leave that out")):
        page = BenchmarkingPage(shown)
        notes = [note for block in page.pictures() for note in block.notes]
        assert any(of_spread in note for note in notes)
        method = " ".join(page.method()[0].text)
        assert ("somewhat better or worse" in method) == (shown is view)


def test_results_hold_leads_groups_and_how_far_a_rank_may_move(view: ThemeView) -> None:
    rows = list(result_rows(BenchmarkingPage(view)))
    nothing = made_up_view(comparisons=view.comparisons.assign(gap=-0.0))
    assert "-0" not in {row["value"] for row in result_rows(BenchmarkingPage(nothing))}
    mine = {(row["measure"], row["area"]): row for row in rows if row["indicator"] == "recycling"}
    assert mine[("rank_best", "X1")]["value"] == "9"
    assert mine[("robust_same", "X1")]["unit"] == "comparisons"
    assert mine[("shrunken", "X5")]["unit"] == "percentage points"
    assert mine[("ward=Harbour: difference", "X1")]["value"] == "-9.2"
    assert mine[("ward=Harbour: difference", "X1")]["verdict"] == "worse"


def test_absent_new_columns_and_tables_are_unknown(view: ThemeView) -> None:
    new = ["rank_best", "quarter", "funnel_label", "phi", "robust_of", "close_pace", "own_kept"]
    tables = {name: pd.DataFrame() for name in ("funnels", "robustness", "leads", "equality")}
    old = made_up_view(comparisons=view.comparisons.drop(columns=new), **tables)
    told = all_text(blocks_of(BenchmarkingPage, old))
    assert not re.search(
        r"allowing for chance\)|quarter of|Closing it|nan\b|depends on the choice", told
    )
    assert "It is worse than similar councils" in told


def realism(**tables: list[dict[str, Any]]) -> RealismPage:
    return RealismPage(made_up_view(**{name: pd.DataFrame(rows) for name, rows in tables.items()}))


def by_id(blocks: list[Block]) -> dict[str, Block]:
    return {block.id: block for block in blocks}


def test_a_target_for_the_year_has_a_card_a_chart_and_dots_of_its_own() -> None:
    page = RealismPage(
        made_up_view(
            targets=pd.DataFrame([outturn_row(), target_row()]),
            trends=made_up_view().trends.assign(polarity="higher"),
        )
    )
    shown = by_id(page.pictures())
    chart = shown["outturn-target-2027-01-visits"]
    assert [row["so_far"] for row in chart.table.rows] == [
        "122,200 visits",
        "244,400 visits",
        "",
        "",
    ]
    assert [row["on_path"] for row in chart.table.rows] == ["", "", "35%", "30%"]
    assert "about 492,000 (461,000 to" in chart.alt and len(chart.svg.encode()) <= 20_000
    assert "7 meet the target of 500,000 visits" in shown["dots-target-2027-01-visits"].alt
    (row,) = [row for row in page.rows() if row["indicator"] == "Library visits"]
    assert row["latest"] == "244,400 visits (so far)" and row["chance"] == "around 7 in 20 (35%)"
    assert "fan-visits" not in shown


def test_dots_of_a_year_without_its_own_values_are_left_out() -> None:
    row = {name: value for name, value in outturn_row().items() if not name.startswith("d0")}
    view = made_up_view(
        targets=pd.DataFrame([row]), trends=made_up_view().trends.assign(polarity="higher")
    )
    assert not [id for id in by_id(RealismPage(view).pictures()) if id.startswith("dots-")]


def test_a_card_tells_evidence_checks_and_the_rule_in_order(view: ThemeView) -> None:
    shown = by_id(RealismPage(view).pictures())
    card = shown["finding-recycling"]
    assert "The target of 44.0% is far from all 25 comparable figures" in card.text[1]
    assert "The gap is about 120 households." in card.text[0]
    rows = {
        row["looked"]: row["shows"] for row in shown["evidence-target-2027-07-recycling"].table.rows
    }
    assert len(rows) == 12
    assert rows["Does the target ask for at least that?"] == "Yes: 42.1% (similar councils)"
    assert rows["Is our own figure already better than that?"] == "No"
    refused = [id for id in shown if id.endswith("-prevention")]
    assert not [id for id in refused if id.startswith(("dots-", "outturn-"))]


def test_a_standard_is_kept_and_never_easy() -> None:
    for kind in ("floor", "statutory", "contractual"):
        row = target_row(kind=kind, verdict="too_easy", probability=0.97)
        page = realism(targets=[row])
        card = by_id(page.pictures())["finding-recycling"]
        assert card.title == "Household recycling: standard kept on present course"
        assert "the standard is kept on the present course" in card.text[0]
        assert page.rows()[0]["status"] == "kept" and "easy" not in all_text(page.pictures())
        assert "is a standard kept on the present course" in page.headline()[0].text[0]
    easy = realism(targets=[target_row(verdict="too_easy", probability=0.97)])
    assert "asks for little" in by_id(easy.pictures())["finding-recycling"].text[0]


def test_a_target_that_is_met_yet_unlikely_shows_the_figure_a_year_before_its_period() -> None:
    row = target_row(required_change=-1.0, period=pd.Timestamp(2026, 7, 1))
    for chance, is_told in ((0.3, True), (0.7, False)):
        card = by_id(realism(targets=[{**row, "probability": chance}]).pictures())
        told = card["finding-recycling"].text[0]
        assert ("A year before that period, in 2025-26 Q2, it was" in told) == is_told


def test_targets_of_one_series_have_headings_of_their_own() -> None:
    rows = [target_row(verdict="between"), target_row(target_id="b", period_label="2028-29 Q2")]
    first, second = by_id(realism(targets=rows).pictures())["finding-recycling"], rows[1]
    assert "2027-28 Q2: " in first.title and len(first.title.split()) <= 10
    facts = TargetFacts.of(second, Subject.of(trend_row(), "W"))
    assert target_title(facts, several=True).startswith("Household recycling, 2028-29 Q2: ")


def _portfolio_table(block: Block) -> list[tuple[str, ...]]:
    assert block.table is not None
    return [(row["portfolio"], row["targets"], row["met_range"]) for row in block.table.rows]


def test_all_targets_together_are_an_expected_number_with_a_range(view: ThemeView) -> None:
    block = by_id(RealismPage(view).scope())["portfolio"]
    assert block.text[0] == (
        "If nothing new is done, about 3 of 9 targets of this theme would be met "
        "(1 to 6, 8 times in 10). "
        "Leaving out standards to keep, one target has a chance of 85% or more "
        "if nothing new is done."
    )
    assert _portfolio_table(block) == [("Homes and communities", "9", "1 to 6")]
    past = record_rows()[1]
    (whole,) = portfolio_blocks(portfolio_rows(), {"homes": "Homes and communities"}, 0.85, past)
    assert whole.text[0] == (
        "If nothing new is done, about 21 of 56 targets of the council would be met. "
        "Leaving out standards to keep, one target has a chance of 85% or more "
        "if nothing new is done. "
        "Of the council's 141 past targets with a known outcome, 58 were met."
    )
    assert _portfolio_table(whole) == [
        ("The whole council", "56", ""),
        ("Homes and communities", "9", "1 to 6"),
        ("Director place", "9", "1 to 6"),
    ]
    assert "could not be worked out are left out" in block.notes[0]
    assert "no score" in block.notes[0] and "if nothing new is done" in block.table.caption
    assert "portfolio" not in by_id(realism(portfolio=[]).scope())


def test_the_record_refuses_few_and_stands_beside_shipped_evidence(view: ThemeView) -> None:
    shown = by_id(RealismPage(view).method())
    said, shipped = shown["record"].text
    assert said.startswith("Of this theme's 21 past targets with a known outcome, 8 were met.")
    assert "Our sealed forecasts cannot be scored yet: only 17 chances" in said
    assert (
        "Our back-tested chances: of 900 past questions, chances of 15%, 50% and 85% "
        "came true 19%, 54% and 89% of the time." in said
    )
    assert "1 came due, but was sealed after its period had ended" in said
    assert "about annual figures, with peers, and targets set by rule" in shipped
    chart = shown["reliability"]
    assert [row["band"] for row in chart.table.rows][::3] == [
        "Our back-tested chances, low chances",
        "Other councils' past figures, low chances",
    ]
    assert "said 15%, happened 19%, of 300" in chart.alt
    assert "sealed" not in chart.alt + chart.subtitle + chart.source
    assert [row["result"] for row in shown["opened"].table.rows] == ["Not met", "Met"]
    few = [row for row in record_rows() if row["source"] in ("targets", "sealed")]
    assert "reliability" not in by_id(realism(records=few[1:]).method())
    assert "none has come due" in all_text(realism(records=few[1:2]).method())
    assert [block.id for block in realism(records=[], outcomes=[]).method()] == ["method"]


def test_what_was_found_of_several_targets_is_told_with_the_data(view: ThemeView) -> None:
    block = by_id(RealismPage(view).quality())["target-checks"]
    assert block.text == (
        "Of 25 targets, 44 are likely to be met if nothing new is done. Which could ask for more?",
    )


def test_every_chance_says_that_nothing_new_is_done(view: ThemeView) -> None:
    page = RealismPage(view)
    for block in page.pictures():
        if block.id.startswith(("dots-", "fan-")):
            assert "if nothing new is done" in block.alt + block.subtitle
    for block in (page.headline()[1], *page.key_figures()):
        labels = {column.key: column.label for column in block.table.columns}
        told = [labels[key] for key in ("chance", "range") if key in labels]
        assert told and all("if nothing new is done" in label for label in told)
    box = by_id(page.scope())["cannot-tell"]
    assert box.title == "What we cannot tell you" and len(box.text) == 4


def test_a_run_without_the_new_tables_and_columns_is_told_as_before(view: ThemeView) -> None:
    names = ("outturn_paths", "target_checks", "decisions", "portfolio", "records", "outcomes")
    new = ["probability_1", "probability_2", "probability_3", "similar_share", "similar_n"]
    new += ["best_change", "reversion", "reversion_low", "reversion_high", "capability", "people"]
    old = made_up_view(
        **{name: pd.DataFrame() for name in names}, targets=view.targets.drop(columns=new)
    )
    blocks = blocks_of(RealismPage, old)
    told = all_text(blocks)
    assert not {b.id for b in blocks} & {"portfolio", "record", "reliability", "target-checks"}
    assert not re.search(r"\bnan\b|None\b", told) and "Meeting it is" in told


ANSWERS = ("yes", "no", "not_known", "not_asked")


def test_every_template_of_a_target_is_reached(monkeypatch: pytest.MonkeyPatch) -> None:
    from pmf_analysis.story.facts import TargetFacts
    from pmf_analysis.story.figures import Subject
    from pmf_analysis.story.sentences import (
        challenge_questions,
        evidence_rows,
        target_sentences,
        target_title,
    )

    recording = Recording(bank_module.bank())
    monkeypatch.setattr(bank_module, "bank", lambda: recording)
    codes = ["too_easy", "little_stretch", "challenging", "stretch", "not_realistic", "between"]
    base = [target_row(verdict=code) for code in (*codes, "no_verdict", "cannot_judge")]
    base += [target_row(probability=p / 20) for p in (0.2, 1, 3, 6, 9, 12, 17, 19.9)]
    base += [
        target_row(kind="floor", verdict="too_easy", probability=0.9),
        target_row(period_label=""),
    ]
    base += [target_row(kind="floor"), target_row(verdict="not_realistic", value_30=30.0)]
    base += [target_row(kind="peculiar"), target_row(kind="baseline"), target_row(people_unit="")]
    base += [target_row(required_change=c) for c in (-1.0, 0.0, 2.0)]
    base += [
        target_row(required_change=-1.0, last_label=""),
        target_row(value_60=NAN, value_45=NAN),
    ]
    base += [target_row(probability_3=NAN), target_row(probability_2=NAN, probability_3=NAN)]
    base += [target_row(method="own", lower=0.2, upper=0.2), target_row(reversion_low=NAN)]
    base += [outturn_row(done=done) for done in (0, 2, 3, 4)]
    base += [outturn_row(of=3), outturn_row(kind="contractual", verdict="stretch")]
    base += [target_row(capability=c) for c in ("consistent_pass", "inconsistent")]
    for reason in ("met.", "not met."):
        said = f"The outcome is already known: {reason}"
        base.append(target_row(reason=said, probability=NAN, verdict="no_verdict"))
    order = RealismPage(made_up_view()).shows["evidence"]
    for row in base:
        wordy = {"unit": "visits by residents of working age"}
        for more in ({}, wordy, {"polarity": "lower"}, {"polarity": "range"}, {"control": "city"}):
            facts = TargetFacts.of(row, Subject.of(trend_row(**more), "W"))
            target_title(facts), target_sentences(facts), challenge_questions(facts)
            assert facts.stated.startswith("baseline ") == (facts.kind == "baseline")
            evidence_rows(facts, order)
    for page in (
        RealismPage(made_up_view()),
        realism(portfolio=[{**row, "low": NAN, "n_easy": 2} for row in portfolio_rows()[1:2]]),
        realism(targets=[outturn_row(done=4)], outturn_paths=path_rows(done=4)),
        realism(records=record_rows(), outcomes=[*outcome_rows(), *outcome_rows()]),
        realism(records=record_rows("other")),
        realism(records=[row for row in record_rows() if row["source"] != "sealed"]),
        realism(targets=[target_row(required_change=-1.0, period=pd.Timestamp(2026, 7, 1))]),
        *(realism(decisions=[{**decision_rows()[2], "answer": each}]) for each in ANSWERS),
        realism(target_checks=[check_row(check="no_rationale"), check_row(check="no_comparator")]),
        realism(targets=[target_row(probability=0.16, target=90.0, d01=1.0)]),
        realism(
            targets=[target_row(probability=p, target=g) for p, g in ((0.99, 1.0), (0.0, 99.0))]
        ),
        RealismPage(
            made_up_view(
                trends=made_up_view().trends.assign(polarity="higher"),
                targets=pd.DataFrame([outturn_row()]),
            )
        ),
    ):
        blocks_of_page = [page.pictures(), page.scope(), page.method(), page.rows()]
        assert all(blocks_of_page)
    portfolio_blocks(portfolio_rows(), {"a": "A", "b": "B"}, 0.85, record_rows()[1])
    portfolio_blocks([{**row, "low": 1.0} for row in portfolio_rows()], {}, 0.85)
    figures = ("fan.", "dots.", "reliability.")
    prefixes = (*figures, "realism.", "outturn.", "portfolio.", "record.", "cannot_tell.")
    told = {key for key in recording if key.startswith(prefixes)}
    # Words of a group are read together; standing questions are asked elsewhere.
    grouped = (
        r"realism\.(kind|capability|level|steps|answer)\.|record\.(source|band|met)\.|cannot_tell\."
    )
    asked = r"realism\.(asked|maintain|bettered|kept_by|peer_median|no_)|.*\.on$"
    left = {key for key in told - recording.used if not re.match(f"{grouped}|{asked}", key)}
    assert left == set()


def test_what_cannot_be_judged_is_not_drawn_as_judged(view: ThemeView) -> None:
    page = TrendsPage(view)
    assert "usual_low" in by_id(page.pictures())["chart-recycling"].table.rows[0]
    series = {facts.subject.indicator: facts.subject.series for facts in page.facts}["recycling"]
    refused = view.trends["verdict"].mask(view.trends["series"] == series, "cannot_judge")
    special = view.points["point_type"].mask(view.points["series"] == series, "special_concern")
    points = view.points.assign(point_type=special)
    later = made_up_view(trends=view.trends.assign(verdict=refused), points=points)
    drawn = later.drawn(series)
    assert drawn[["lower_limit", "upper_limit", "mean"]].isna().all(axis=None)
    assert not drawn["point_type"].str.startswith("special").any()
    page = TrendsPage(later)
    assert "usual_low" not in by_id(page.pictures())["chart-recycling"].table.rows[0]
    assert "Usual range" not in by_id(page.pictures())["chart-recycling"].svg
    assert {row["indicator"]: row["usual_range"] for row in page.rows()}[
        "Household recycling"
    ] == ""


def test_the_forecast_stands_with_the_target_it_tells_of_beside_what_was_seen() -> None:
    ended = target_row(
        target_id="a", probability=NAN, reason="The outcome is already known: not met."
    )
    page = realism(targets=[ended, target_row(target_id="b", target=47.0)])
    ids = [block.id for block in page.pictures()]
    assert ids.index("finding-recycling-target-2027-07-b") < ids.index("fan-recycling")
    fan = by_id(page.pictures())["fan-recycling"]
    assert "is 47.0% for" in fan.alt
    values = [row["value"] for row in fan.table.rows]
    assert all(values[:4]) and not any(values[4:])
    labels = {column.key: column.label for column in fan.table.columns}
    assert labels["low"].startswith("Likely range from")


def test_an_address_of_a_target_is_its_own_in_every_period_and_language() -> None:
    """A target that was the second of its indicator becomes the first a period later."""
    dated = {"a": pd.Timestamp("2026-07-01"), "b": pd.Timestamp("2026-10-01")}
    targets = [target_row(target_id=id, period=period) for id, period in dated.items()]

    def addresses(language: str, rows: list[dict[str, Any]]) -> set[str]:
        with bank_module.spoken(language):
            shown = "".join(map(block_html, realism(targets=rows).pictures()))
        return set(re.findall(r' id="([a-z]+-[^"-][^"]*)"', shown))

    both, alone, welsh = (
        addresses("en", targets),
        addresses("en", targets[1:]),
        addresses("cy", targets),
    )
    kept = {id for id in both if "target-2026-10" in id and not id.endswith("-title")}
    assert {"finding-recycling-target-2026-10", "evidence-target-2026-10-recycling"} <= kept
    assert kept <= alone and "finding-recycling" in both & alone and both == welsh
