"""The index of a council, from manifests alone; what a report's page links to."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from lxml import html

from pmf_analysis.batch import pages
from pmf_analysis.batch.council_index import write_council_index

ANALYSES = ("trends", "benchmarking", "target_realism")


def words(node: Any) -> str:
    return " ".join(node.text_content().split())


def make_run(
    root: Path, period: str, starts: str, id: str, *, status: str = "ok", said: str = ""
) -> Path:
    folder = root / period / id
    folder.mkdir(parents=True)
    about = {"council": "Westshire <b>", "notice": "", "period": said or f"Period {period}"}
    about |= {"as_at": "2026-10-31", "starts": starts, "brand": {}}
    about |= {"language": "cy" if said else "en", "themes": []}
    jobs = {"homes/trends": {"id": "homes/trends", "status": status}}
    run = {"schema_version": 1, "run": id, "status": "complete", "started": "2026-11-02T09:30:00"}
    text = json.dumps({**run, "pages": about, "jobs": jobs, "files": {}})
    (folder / "manifest.json").write_text(text, encoding="utf-8")
    return folder


def test_periods_stand_in_order_with_the_newest_run_of_each(tmp_path: Path) -> None:
    make_run(tmp_path, "2026-27-q1", "2026-04-01", "20260801T000000Z-aaaa")
    make_run(tmp_path, "2026-27-q1", "2026-04-01", "20260901T000000Z-bbbb", status="failed")
    make_run(tmp_path, "2026-27-q2", "2026-07-01", "20261031T000000Z-cccc")
    make_run(tmp_path, "2026-27-q2", "2026-07-01", "20261101T000000Z-dddd.partial")
    (tmp_path / "2026-27-q2" / "20261102T000000Z-eeee").mkdir()
    (tmp_path / "2026-27-q2" / "20261102T000000Z-eeee" / "manifest.json").write_text("{}")
    write_council_index(tmp_path)
    page = html.parse(str(tmp_path / "index.html")).getroot()
    assert page.xpath("//main//h2/text()") == ["Period 2026-27-q2", "Period 2026-27-q1"]
    newest = [words(each) for each in page.xpath("//main//section/p[@class='lede']/a/@href/..")]
    hrefs = page.xpath("//main//p[@class='lede']/a/@href")
    assert len(newest) == 2 and [href.split("-")[-1] for href in hrefs] == [
        "cccc/index.html",
        "bbbb/index.html",
    ]
    assert "0 of 1 reports; not made: homes/trends" in words(page)
    (first, second) = page.xpath("//main//section")
    assert "Not finished" in words(first) and "Earlier runs" in words(second)
    assert not [link for link in page.xpath("//a/@href") if "partial" in link]
    steps = page.xpath("//main//nav//a/@href")
    assert steps == ["#period-2026-27-q1", "#period-2026-27-q2"]
    assert set(steps) <= {f"#{id}" for id in page.xpath("//@id")}
    assert "<b>" not in (tmp_path / "index.html").read_text(encoding="utf-8")


def test_periods_are_named_in_the_language_of_the_index(tmp_path: Path) -> None:
    first, second = "Quarter 1 (April to June) 2026-27", "Quarter 2 (July to September) 2026-27"
    make_run(tmp_path, "2026-27-q1", "2026-04-01", "20260801T000000Z-aaaa", said=first)
    make_run(tmp_path, "2026-27-q2", "2026-07-01", "20261031T000000Z-bbbb", said=second)
    write_council_index(tmp_path)
    page = html.parse(str(tmp_path / "index.html")).getroot()
    named = page.xpath("//main//h2/text()")
    assert named[1] == "Chwarter 1 (Ebrill i Fehefin) 2026-27"
    assert "Quarter" not in words(page) and "April" not in words(page)
    # The one before and the one after stand first, where the address of a period leads to.
    assert [each.getnext().tag for each in page.xpath("//main//h2")] == ["nav", "nav"]


def test_a_council_without_runs_has_no_index(tmp_path: Path) -> None:
    write_council_index(tmp_path)
    assert not (tmp_path / "index.html").exists()


def test_copies_are_linked_with_kind_and_size() -> None:
    about = {"council": "W", "notice": "", "period": "Q2", "as_at": "2026-10-31"}
    about |= {"themes": [{"id": "homes", "title": "Homes", "analyses": ["trends", "benchmarking"]}]}
    about |= {"analyses": [{"id": id, "title": id.capitalize()} for id in ANALYSES]}
    job = {"id": "homes/trends", "theme": "homes", "analysis": "trends"}
    job |= {"files": {"report.pdf": {"bytes": 123_456}}, "copies": {"pdf": {}, "word": {}}}
    found = pages.page_facts(about, job)
    assert found["copies"] == [{"href": "report.pdf", "label": "Print this report (PDF, 123 KB)"}]
    assert found["sisters"] == [{"href": "../benchmarking/report.html", "label": "Benchmarking"}]
    assert [link["href"] for link in found["trail"]] == ["../../index.html", "../index.html"]
    # What failed is no page that a link could lead to.
    assert pages.page_facts(about, job | {"absent": ["benchmarking"]})["sisters"] == []
