from __future__ import annotations

from typing import Any

import pytest
from lxml import html

from pmf_analysis.documents.audit import audit_html
from pmf_analysis.documents.html import render_index
from pmf_analysis.problems import PmfError


def run(**changes: Any) -> dict[str, Any]:
    themes = [{"id": "people", "title": "People"}, {"id": "place", "title": "Place"}]
    analyses = [{"id": "trends", "title": "Trends"}, {"id": "realism", "title": "Target realism"}]
    return {
        "council": "Westshire Council",
        "notice": "Westshire is a fictional council.",
        "period": "Quarter 2 (July to September) 2026-27",
        "as_at": "2026-10-31",
        "themes": themes,
        "analyses": analyses,
        "reports": [
            {"theme": "people", "analysis": "trends", "status": "Made", "href": "people/t.html"},
            {"theme": "people", "analysis": "realism", "status": "Failed", "reason": "It died."},
            {"theme": "place", "analysis": "trends", "status": "Made", "href": "place/t.html"},
        ],
        "summary": {"people": {"improving": 3, "worsening": 1, "no_clear_change": 7}},
        "rows": {"read": 12345, "accepted": 12300, "quarantined": 40, "ignored": 5},
        "problems": {"warning": 12},
        "problems_href": "problems.csv",
    } | changes


def cells(page: Any, caption: str) -> list[list[str]]:
    rows = page.xpath(f"//table[caption[contains(., '{caption}')]]/tbody/tr")
    return [[" ".join(cell.text_content().split()) for cell in row] for row in rows]


def test_every_theme_and_analysis_is_linked_or_says_why_not() -> None:
    page = html.document_fromstring(render_index(run()))
    assert cells(page, "Reports by theme") == [
        ["People", "Trends: People Target realism: failed It died."],
        ["Place", "Trends: Place Target realism: not asked for"],
    ]
    assert page.xpath("//td//a/@href") == ["people/t.html", "place/t.html"]


def test_counts_of_each_theme_and_rows_and_problems() -> None:
    page = html.document_fromstring(render_index(run()))
    assert cells(page, "really changed") == [
        ["People", "3", "1", "7", "none"],
        ["Place", "0", "0", "0", "none"],
    ]
    words = page.text_content()
    assert "12,345 rows read = 12,300 accepted + 40 quarantined + 5 ignored." in words
    assert "Errors: 0. Warnings: 12. Notes: 0." in words
    assert page.xpath("//a[@href='problems.csv']")


def test_statuses_that_are_no_usual_verdict_are_told_in_one_cell() -> None:
    counts = {"place": {"rising": 2, "cannot_judge": 1, "worsening": 1}}
    page = html.document_fromstring(render_index(run(summary=counts)))
    told = "2 rising, not rated; 1 cannot be judged"
    assert [row[1:] for row in cells(page, "really changed")] == [["0", "none"], ["1", told]]
    assert len(page.xpath("//th[contains(., 'Worsening')]//*[@aria-hidden='true']")) == 1
    none = html.document_fromstring(render_index(run(summary={})))
    assert cells(none, "really changed")[1] == ["Place", "none"]


def test_one_sentence_counts_what_really_changed() -> None:
    counts = {"people": {"improving": 3}, "place": {"improving": 1, "no_clear_change": 2}}
    moved = {"improving": [{"name": "Recycling", "href": "people/trends/report.html#f"}]}
    page = html.document_fromstring(render_index(run(summary=counts, moved=moved)))
    told = "Of the 6 sets of figures, 4 have improved beyond normal variation."
    assert page.xpath("string(//*[@class='lede'])") == told
    (link,) = page.xpath("//p[contains(., 'Improving:')]/a")
    assert (link.text, link.get("href")) == ("Recycling", moved["improving"][0]["href"])
    assert not html.document_fromstring(render_index(run(summary={}))).xpath("//*[@class='lede']")


def test_lost_rows_stop_the_page() -> None:
    with pytest.raises(PmfError):
        render_index(run(rows={"read": 10, "accepted": 5, "quarantined": 4, "ignored": 0}))


def test_same_bytes_and_statuses_are_escaped() -> None:
    assert render_index(run()) == render_index(run())
    reports = [{"theme": "people", "analysis": "trends", "status": "<i>Broken</i>"}]
    assert "&lt;i&gt;broken" in render_index(run(reports=reports))


def test_index_passes_the_audit() -> None:
    assert not audit_html(render_index(run())).rows()
