"""The page of a theme, from the result tables."""

from __future__ import annotations

import re
from typing import Any

import pytest
from lxml import html

from pmf_analysis.documents.html import render_theme
from pmf_analysis.story.benchmarking_page import BenchmarkingPage
from pmf_analysis.story.blocks import Block, Column, Table
from pmf_analysis.story.realism_page import RealismPage
from pmf_analysis.story.rendering import block_html
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


def rows(document: Any) -> list[Any]:
    return document.xpath("//table/tbody/tr")


def words(node: Any) -> str:
    return " ".join(node.text_content().split())


def test_every_indicator_has_a_row_that_leads_to_its_findings(view: ThemeView) -> None:
    document = html.document_fromstring(render_theme(facts(ThemePage(view, ANALYSES))))
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
    page = ThemePage(made_up_view(targets=targets), ANALYSES)
    rows = next(block.table for block in page.glance() if block.table).rows
    aimed = [row for row in rows if row["target"]]
    assert aimed and all(row["latest"].endswith("(so far)") for row in aimed)
    assert all(row["target"].endswith("(is its unit right?)") for row in aimed)


def test_links_lead_to_places_that_the_reports_have(view: ThemeView) -> None:
    shown = (TrendsPage(view), BenchmarkingPage(view), RealismPage(view))
    there = {f"{p.analysis}/report.html#{b.id}" for p in shown for b in p.pictures()}
    table = next(block.table for block in ThemePage(view, ANALYSES).glance() if block.table)
    links = {row[key] for row in table.rows for key in row if key.endswith("_link")}
    without = {series.indicator for series in view.subjects.values()} - {
        each.subject.indicator for each in shown[1].facts
    }
    assert {link for link in links - there if "benchmarking" not in link} == set()
    assert all(any(name in link for name in without) for link in links - there)


def test_a_report_that_failed_is_told_and_nothing_leads_to_it(view: ThemeView) -> None:
    page = ThemePage(view, ("trends", "benchmarking"))
    text = render_theme(facts(page, "target_realism"))
    document = html.document_fromstring(text)
    assert not [link for link in document.xpath("//a/@href") if "target_realism" in link]
    (told,) = document.xpath("//*[@id='report-target-realism']")
    assert "There is no report: failed. It died." in words(told)


def test_a_theme_without_figures_says_so() -> None:
    trends = made_up_view().trends.iloc[:0]
    empty = made_up_view(trends=trends, indicators=())
    text = render_theme(facts(ThemePage(empty, ANALYSES)))
    assert "no indicators" in text and "<table" not in text


def test_same_bytes_and_no_clock(view: ThemeView) -> None:
    first, second = (render_theme(facts(ThemePage(view, ANALYSES))) for _ in range(2))
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
