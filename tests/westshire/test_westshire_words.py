"""What every page of the fictional council's run says, held against the laws of its words."""

from __future__ import annotations

import csv
import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from lxml import html

BANNED = re.compile(
    r"\b(only|best|worst|significant\w*|blame\w*|fault|disappoint\w*|excellent|poor|because of|"
    r"due to|caused|should have)\b",
    re.IGNORECASE,
)
MOST_WORDS = 25
BLOCK_MIME = "application/vnd.pmf.block+json"
# Chances as frequencies, which are rounded to twentieths elsewhere.
CHANCES = re.compile(r"\b\d+ (?:in|times in) [\d,]+\b|\d+%(?:,? (?:and )?\d+%)* chance")
NUMBER = re.compile(r"(?<![\w.,-])\d+(?:,\d{3})*(?:\.\d+)?(?![\w-])")
# What people wrote is theirs: commentary, reasons, what is recorded of events, names of sources.
THEIRS = "//blockquote | //*[contains(@class, 'pmf-source')] | //*[@id='events']"
NOT_READ = "//style | //script | //svg | //*[contains(@class, 'pmf-subtitle')] | //footer"
READ = "//p | //li | //td | //th | //caption | //summary | //h1 | //h2 | //h3 | //h4"
OWN_WORDS = ("Reason given when it was set:", "Source: ")


def _texts(page: Path) -> Iterator[str]:
    """Visible texts of a page, and the alternatives of its pictures."""
    tree = html.parse(str(page)).getroot()
    for each in tree.xpath(f"{THEIRS} | {NOT_READ}"):
        each.drop_tree()
    for each in tree.xpath(READ):
        if not each.xpath(".//p | .//li | .//td"):
            yield " ".join(each.text_content().split())


def _alternatives(tree: Any) -> list[str]:
    return [" ".join(each.split()) for each in tree.xpath(".//svg/title/text() | .//@aria-label")]


def _sentences(text: str) -> list[str]:
    own = next((each for each in OWN_WORDS if each in text), None)
    said = text.partition(own)[0] if own else text
    return re.split(r"(?<=[.?!])\s+(?=[A-Z(‘“'\d])", said)


def test_sentences_are_short_and_claim_no_more_than_their_test(westshire_run: Any) -> None:
    read = 0
    for page in westshire_run.pages:
        for text in _texts(page):
            for sentence in _sentences(text):
                read += 1
                assert len(sentence.split()) <= MOST_WORDS, (page, sentence)
                assert not BANNED.search(sentence), (page, sentence)
    assert read > 5000


def test_no_reader_meets_the_id_of_an_indicator(westshire_run: Any) -> None:
    about = json.loads((westshire_run.folder / "manifest.json").read_text(encoding="utf-8"))
    ids = {each for theme in about["pages"]["themes"] for each in theme["indicators"]}
    raw = re.compile(rf"\b({'|'.join(each for each in ids if '_' in each)})\b")
    for page in westshire_run.pages:
        for text in (*_texts(page), *_alternatives(html.parse(str(page)))):
            assert not raw.search(text), (page, text)


def _figures(run: Any) -> Iterator[tuple[Path, Any]]:
    for page in sorted(run.folder.glob("*/*/report.html")):
        for figure in html.parse(str(page)).xpath("//figure"):
            yield page, figure


def test_the_target_named_in_a_picture_is_the_one_that_is_told(westshire_run: Any) -> None:
    seen = 0
    for page, figure in _figures(westshire_run):
        told = " ".join(_alternatives(figure))
        for label in figure.xpath(".//svg//text()"):
            if found := re.match(r"Target (.*\d%?)", " ".join(label.split())):
                number = NUMBER.search(found[1])
                assert number and number[0] in NUMBER.findall(told), (page, figure.get("id"), label)
                seen += 1
    assert seen > 50


def _blocks(run: Any) -> Iterator[tuple[Path, dict[str, Any]]]:
    for path in sorted(run.folder.glob("*/*/notebook.ipynb")):
        for cell in json.loads(path.read_text(encoding="utf-8"))["cells"]:
            for output in cell.get("outputs", ()):
                if block := output.get("data", {}).get(BLOCK_MIME):
                    yield path, block


def _spelled(facts: dict[str, Any], decimals: int) -> set[str]:
    """Numbers of the facts to as many places as a text has, and shares as percentages."""
    plain = [abs(each) for each in facts.values() if isinstance(each, int | float)]
    return {f"{of * each:,.{decimals}f}" for each in plain for of in (1, 100)}


def test_the_numbers_told_of_a_figure_are_those_of_its_data_and_facts(westshire_run: Any) -> None:
    seen = 0
    for path, block in _blocks(westshire_run):
        if block["kind"] != "figure":
            continue
        facts = block["facts"]
        rows = [cell for row in block["table"]["rows"] for cell in row.values()]
        labels = [each for each in facts.values() if isinstance(each, str)]
        count, words = len(block["table"]["rows"]), (*rows, *labels, block["subtitle"])
        known = {str(count), *NUMBER.findall(" ".join(words))}
        for text in (block["alt"], block["title"]):
            for number in NUMBER.findall(CHANCES.sub("", text)):
                there = known | _spelled(facts, len(number.partition(".")[2]))
                assert number in there, (path, block["id"], number, text)
                seen += 1
    assert seen > 1000


def test_the_numbers_of_a_headline_are_those_of_the_results(westshire_run: Any) -> None:
    """The counts of a report's first sentences add up to the series of its results."""
    for path, block in _blocks(westshire_run):
        if block["id"] != "headline" or path.parent.name != "trends":
            continue
        with (path.parent / "results.csv").open(encoding="utf-8-sig", newline="") as lines:
            series = {row["series"] for row in csv.DictReader(lines) if row["area"]}
        first, *others = re.split(r"(?<=\.)\s", " ".join(block["text"]))
        total, *counts = map(int, re.findall(r"\d+", first))
        more = [each for each in others if each.startswith("Of the others, ")]
        counts += [int(each) for told in more for each in re.findall(r"\d+", told)]
        assert total == sum(counts) == len(series), (path, first, more)


def test_the_lede_of_the_index_and_of_each_theme_adds_up(westshire_run: Any) -> None:
    for page in (westshire_run.folder / "index.html", *westshire_run.folder.glob("*/index.html")):
        tree = html.parse(str(page))
        (lede,) = tree.xpath("//p[@class='lede'] | //*[@id='lede']")
        total, *counts = map(int, re.findall(r"\d+", lede.text_content()))
        if page.parent == westshire_run.folder:  # it names what moved; the table has the rest
            cells = tree.xpath("//*[@id='theme-summary']//tbody/tr/td[position() < 3]")
            assert sum(counts) == sum(int(cell.text_content()) for cell in cells) < total
        else:
            assert total == sum(counts) > 0, (page, lede.text_content())
