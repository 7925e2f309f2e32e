"""What the pages of the fictional council's run weigh, and where their links lead."""

from __future__ import annotations

import gzip
import json
import re
from pathlib import Path
from typing import Any

import pytest
from lxml import html

from pmf_analysis.assess import read_measures

KB = 1000
FIVE, FIVE_GZIP, FURTHER = 150 * KB, 30 * KB, 25 * KB


def test_pages_are_light(westshire_run: Any) -> None:
    trends = read_measures(westshire_run.folder / "measures").trends
    for page in westshire_run.folder.glob("*/*/report.html"):
        content = page.read_bytes()
        run = westshire_run.folder / "manifest.json"
        shown = _indicators(run, page.parent.parent.name) & set(trends["indicator"])
        most = FIVE + FURTHER * max(0, len(shown) - 5)
        assert len(content) <= most, (page, len(content), most)
        zipped = len(gzip.compress(content, 9))
        assert zipped <= FIVE_GZIP * max(1, len(shown) / 5), (page, zipped)


def _indicators(manifest: Path, theme: str) -> set[str]:
    about = json.loads(manifest.read_text(encoding="utf-8"))["pages"]
    return next(set(each["indicators"]) for each in about["themes"] if each["id"] == theme)


def test_every_link_leads_to_something_that_is_there(westshire_run: Any) -> None:
    council = westshire_run.folder.parents[1] / "index.html"
    ids = {
        page: set(html.parse(str(page)).xpath("//@id")) for page in (*westshire_run.pages, council)
    }
    checked = 0
    for page in ids:
        for link in html.parse(str(page)).xpath("//a/@href"):
            if link.startswith(("data:", "https:")):
                continue
            name, _, place = link.partition("#")
            there = (page.parent / name).resolve() if name else page
            assert there.is_file(), (page, link)
            assert not place or place in ids[there], (page, link)
            checked += 1
    assert checked > 500


def test_no_page_of_a_run_names_the_run(westshire_run: Any) -> None:
    for page in westshire_run.pages:
        assert westshire_run.folder.name not in page.read_text(encoding="utf-8"), page


def test_the_index_counts_what_the_pages_show(westshire_run: Any) -> None:
    index = html.parse(str(westshire_run.folder / "index.html"))
    for row in index.xpath("//*[@id='theme-summary']//tbody/tr"):
        (link,) = row.xpath("th/a/@href")
        glance = html.parse(str(westshire_run.folder / link))
        words = [
            " ".join("".join(cell.itertext()).split()).partition(":")[0]
            for cell in glance.xpath("//td[@data-label='Change']//a")
        ]
        counted = {
            cell.get("data-label"): " ".join("".join(cell.itertext()).split())
            for cell in row.xpath("td")
        }
        numbers = [int(each) for told in counted.values() for each in re.findall(r"\d+", told)]
        assert sum(numbers) == len(words), (link, counted)
        for word in ("Improving", "Worsening", "No clear change"):
            assert int(counted.get(word, 0)) == words.count(word), (link, word)


@pytest.mark.parametrize("name", ["contact", "licence"])
def test_every_page_says_whom_to_ask_and_the_licence(westshire_run: Any, name: str) -> None:
    said = {"contact": "performance@westshire.example", "licence": "Open Government Licence v3.0"}
    for page in westshire_run.pages:
        assert said[name] in html.parse(str(page)).xpath("string(//footer)"), page


def test_every_figure_names_its_source_and_licence(westshire_run: Any) -> None:
    """Or, where it shows several indicators, the table of its page that names them."""
    seen = 0
    for page in westshire_run.folder.glob("*/*/report.html"):
        tree = html.parse(str(page))
        listed = tree.xpath("//table[contains(caption, 'Sources and licences')]//tbody/tr")
        cells = [[cell.xpath("normalize-space()") for cell in row.xpath("*")] for row in listed]
        assert cells and all(source and "no value" not in of for source, *of in cells), page
        for figure in tree.xpath("//figure"):
            said = figure.xpath("normalize-space(.//*[contains(@class, 'pmf-source')])")
            named = "Open Government Licence v3.0" in said or "Sources and licences" in said
            assert said.startswith("Source: ") and named, (page, said)
            seen += 1
    assert seen > 250
