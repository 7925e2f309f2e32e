"""The page of a theme, from the result tables."""

from __future__ import annotations

import re
from typing import Any

import pandas as pd
import pytest
from lxml import html

from pmf_analysis.documents.html import render_theme
from pmf_analysis.story.benchmarking_page import BenchmarkingPage
from pmf_analysis.story.blocks import Block, Column, Table
from pmf_analysis.story.realism_page import RealismPage
from pmf_analysis.story.rendering import block_html
from pmf_analysis.story.style import LIGHTS
from pmf_analysis.story.theme_page import ThemePage
from pmf_analysis.story.trends_page import TrendsPage
from pmf_analysis.story.view import ThemeView

from .made_up import made_up_view

ANALYSES = ("trends", "benchmarking", "target_realism")


@pytest.fixture(scope="module")
def view() -> ThemeView:
    return made_up_view()


def facts(page: ThemePage, *failed: str) -> dict[str, Any]:
    titles = [{"id": id, "title": id.replace("_", " ").capitalize()} for id in ANALYSES]
    reports = [
        {
            "analysis": id,
            "status": "Failed" if id in failed else "Made",
            "reason": "It died." if id in failed else "",
            "href": "" if id in failed else f"homes/{id}/report.html",
        }
        for id in ANALYSES
    ]
    return {
        "council": "Westshire Council",
        "title": "Homes",
        "period": "Quarter 2 (July to September) 2026-27",
        "as_at": "2026-10-31",
        "trail": [{"href": "../index.html", "label": "All reports"}],
        "blocks": page.glance(),
        "said": page.summaries(),
        "analyses": titles,
        "reports": reports,
    }


def opened(view: ThemeView, *analyses: str) -> ThemePage:
    """Return the page beside reports that tell of every series."""
    ids = {f"finding-{slug}" for slug in view.slugs.values()}
    return ThemePage(view, dict.fromkeys(analyses or ANALYSES, ids))


def rows(document: Any) -> list[Any]:
    return document.xpath("//table/tbody/tr")


def words(node: Any) -> str:
    return " ".join(node.text_content().split())


def test_every_indicator_has_a_row_that_leads_to_its_findings(view: ThemeView) -> None:
    document = html.document_fromstring(render_theme(facts(opened(view))))
    assert len(rows(document)) == len(view.trend_facts) > 3
    first = next(row for row in rows(document) if words(row).startswith("Household recycling"))
    anchor = "report.html#finding-recycling"
    assert [f"{id}/{anchor}" for id in ("trends", "trends", "benchmarking", "target_realism")] == (
        first.xpath(".//a/@href")
    )
    labels = first.xpath("td/@data-label")
    cells = dict(zip(labels, map(words, first.xpath("td")), strict=True))
    assert cells["Latest"] == "39.8%"
    assert cells["Change"].startswith("Improving")
    assert re.search(r"of 1\d* in 20\d\d", cells["Compared with similar councils"])
    assert re.fullmatch(r"\d+ figures: [\d.%]+ to [\d.%]+", cells["Trend"])
    assert words(first.find("th")) == "Household recycling"


def test_beside_a_years_target_stands_the_year_so_far_and_an_odd_target_is_marked() -> None:
    plain = made_up_view()
    targets = plain.targets.assign(of=4, last_value=1.0, reason="Low: is its unit right?")
    page = opened(made_up_view(targets=targets))
    rows = next(block.table for block in page.glance() if block.table).rows
    aimed = [row for row in rows if row["target"]]
    assert aimed and all(" so far of " in row["target"] for row in aimed)
    # The latest figure is that of one period, as on the trends page and in the line beside it.
    assert not any("so far" in row["latest"] for row in rows)
    assert all(row["target"].endswith("(is its unit right?)") for row in aimed)


def test_a_theme_without_indicators_or_figures_gives_one_reason(view: ThemeView) -> None:
    given = ((), "no indicators in the register"), (view.indicators, "have been imported yet")
    for indicators, reason in given:
        page = opened(made_up_view(trends=view.trends.iloc[:0], indicators=indicators))
        told = [block.text[0] for block in page.glance()]
        told += [texts[0] for texts in page.summaries().values()]
        assert len(told) == 4 and all(reason in each for each in told), told


def test_links_lead_to_places_that_the_reports_have(view: ThemeView) -> None:
    shown = (TrendsPage(view), BenchmarkingPage(view), RealismPage(view))
    there = {page.analysis: {block.id for block in page.pictures()} for page in shown}
    page = ThemePage(view, there)
    table = next(block.table for block in page.glance() if block.table)
    links = {row[key] for row in table.rows for key in row if key.endswith("_link")}
    parts = {f"{name}/report.html#{id}" for name, ids in there.items() for id in ids}
    assert links - parts <= {"benchmarking/report.html"} and len(links & parts) > 9
    earlier = ThemePage(view, {key: {"target-1"} for key in ANALYSES})
    table = next(block.table for block in earlier.glance() if block.table)
    assert {row["change_link"] for row in table.rows} == {"trends/report.html"}


def test_a_report_that_failed_is_told_and_nothing_leads_to_it(view: ThemeView) -> None:
    page = opened(view, "trends", "benchmarking")
    text = render_theme(facts(page, "target_realism"))
    document = html.document_fromstring(text)
    assert not [link for link in document.xpath("//a/@href") if "target_realism" in link]
    (told,) = document.xpath("//*[@id='report-target-realism']")
    assert "There is no report: failed. It died." in words(told)


def test_a_theme_without_figures_says_so() -> None:
    trends = made_up_view().trends.iloc[:0]
    empty = made_up_view(trends=trends, indicators=())
    text = render_theme(facts(opened(empty)))
    assert "no indicators" in text and "<table" not in text


def test_same_bytes_and_no_clock(view: ThemeView) -> None:
    first, second = (render_theme(facts(opened(view))) for _ in range(2))
    assert first == second


@pytest.mark.parametrize(
    "link",
    ["javascript:alert(1)", "//evil.example/x", "https://x", "/etc", '" onclick="x', "\\x"],
)
def test_a_cell_leads_to_no_other_site(link: str) -> None:
    table = Table("T", (Column("a", "A"),), ({"a": "Name", "a_link": link},))
    assert "<a" not in block_html(Block("table", "t", "T", table=table))
    near = Table("T", (Column("a", "A"),), ({"a": "Name", "a_link": "x/r.html#f-1"},))
    assert 'href="x/r.html#f-1"' in block_html(Block("table", "t", "T", table=near))


# The same data in three styles, and the plan beneath

COLOURS = [("recycling", "green", ""), ("flytipping", "", "lacks_tolerance")]
HOSTILE = "<script>hurt()</script> =HYPERLINK(1) {{ 7*7 }}"


def styled(style: str, **given: Any) -> tuple[str, str]:
    """Text of the table, with its notes, and markup of a theme's page in a style of status."""
    series = {each.indicator: key for key, each in made_up_view().subjects.items()}
    rows = [{"series": series[i], "colour": colour, "why": why} for i, colour, why in COLOURS]
    view = made_up_view(statuses=pd.DataFrame(rows), status_style=style, **given)
    page = render_theme(facts(opened(view)))
    return words(html.document_fromstring(page).get_element_by_id("at-a-glance")), page


def test_same_data_three_styles() -> None:
    spc, rag, none = (styled(style)[0] for style in ("spc", "rag", "none"))
    rule = "This colour follows the council's own rule; it does not say whether a change is real."
    assert rule in rag and rule not in spc and rule not in none
    assert "Green" in rag and "No tolerance set" in rag and "Improving" in rag
    assert "Green" not in spc + none and "No tolerance set" not in spc + none
    assert "Improving" in spc and "Improving" not in none
    for kept in ("39.8%", "Chance if nothing new is done", "Target and due"):
        assert kept in spc and kept in rag and kept in none


def test_a_colour_has_a_mark_and_a_word_and_is_in_no_page_of_another_style() -> None:
    pages = {style: styled(style)[1] for style in ("spc", "rag", "none")}
    (cell,) = html.document_fromstring(pages["rag"]).xpath("//td[contains(., 'Green')]")
    assert cell.get("data-label") == "Our own rule" and cell.xpath(".//svg[@aria-hidden='true']")
    for style, page in pages.items():
        assert any(colour in page for colour in LIGHTS.values()) == (style == "rag")


def test_the_councils_own_words_of_a_colour() -> None:
    text = styled("rag", words={"green": "On track"})[0]
    assert "On track" in text and "Green" not in text


def plan_of(**given: Any) -> dict[str, list[dict[str, str]]]:
    day = pd.Timestamp
    action = {"action_id": "A", "indicator_id": "recycling", "title": HOSTILE, "status": "at_risk"}
    action |= {"owner": "Head of Waste", "due_on": day(2026, 10, 1), "progress_pct": 40.0}
    risk = {"risk_id": "R", "indicator_id": "recycling", "title": "Strike", "owner": "Jo Bloggs"}
    risk |= {"likelihood": 4, "impact": 5, "target_likelihood": 2, "target_impact": 5}
    project = {"project_id": "P", "milestone_id": "", "title": "Depot", "indicator_id": ""}
    project |= {"planned_on": day(2026, 6, 1), "actual_on": pd.NaT, "days_late": 1.0}
    milestone = {**project, "milestone_id": "M1", "title": "Roof", "days_late": -3.0}
    tables = {
        "actions": pd.DataFrame([{**action, "days_late": 30}]),
        "risks": pd.DataFrame([risk]).astype({"likelihood": "Int64"}),
        "projects": pd.DataFrame([project, milestone]),
    }
    view = made_up_view(**tables, roles=frozenset({"head of waste"}), **given)
    return {block.id: [*block.table.rows] for block in opened(view).plan()}


def test_actions_risks_and_projects_stand_beneath_each_with_its_indicator() -> None:
    plan = plan_of()
    (action,), (risk,), projects = plan["actions"], plan["risks"], plan["projects"]
    assert action["indicator_link"] == "trends/report.html#finding-recycling"
    told = ("due", "lateness", "progress", "owner")
    assert [action[key] for key in told] == [
        *["1 October 2026", "30 days late", "40%, at risk", "Head of Waste"]
    ]
    assert risk["risk_now"] == "Likelihood high (4 of 5), impact very high (5 of 5)"
    assert risk["risk_aimed"] == "Likelihood low (2 of 5), impact very high (5 of 5)"
    assert risk["owner"] == ""  # no post that framework or register name
    assert [row["project"] for row in projects] == ["Depot", "Milestone M1: Roof"]
    assert [row["lateness"] for row in projects] == ["1 day late", "Not late"]
    assert projects[0]["planned"] == "1 June 2026" and projects[0]["reached"] == ""


def test_a_hostile_title_is_text_and_tables_are_numbered() -> None:
    assert plan_of()["actions"][0]["action"] == HOSTILE
    table = Table("T", (Column("action", "A"),), tuple(plan_of()["actions"]))
    assert "<script" not in block_html(Block("table", "t", "T", table=table))


def test_without_a_plan_there_is_nothing_beneath(view: ThemeView) -> None:
    assert opened(view).plan() == []
