"""What is in another language than its page is marked, and everything of ours is in the page's."""

import re

import pytest
from lxml.html import fragment_fromstring

from pmf_analysis.measures.arrays import SENTENCES, constants
from pmf_analysis.shipped import read_entries
from pmf_analysis.story import asides, bank
from pmf_analysis.story.bank import reason_sentences
from pmf_analysis.story.benchmarking_page import BenchmarkingPage
from pmf_analysis.story.realism_page import RealismPage
from pmf_analysis.story.rendering import block_html
from pmf_analysis.story.trends_page import TrendsPage

from .made_up import made_up_view
from .test_pages import blocks_of

PAGES = (TrendsPage, BenchmarkingPage, RealismPage)

NO_REASONS = ("denominator", "xmr", "mann_kendall")  # problems, and parts of a text


def test_every_reason_of_measures_has_its_welsh() -> None:
    told = SENTENCES | {
        f"{by}_{place}": each.format("published", 9, "our own figures overlap", level=95)
        for by, given in constants("reasons").because.items()
        for place, each in enumerate(given)
    }
    reasons = [v.format(5, 9) for n, v in told.items() if not n.startswith(NO_REASONS)]
    with bank.spoken("cy"):
        asides.forget()
        for each in reasons:
            reason_sentences(each)
        assert asides.found_in(reasons) == {}
        reason_sentences("A reason that nobody has put into Welsh yet.")
        assert asides.found_in(["A reason that nobody has put into Welsh yet."])


def test_a_welsh_page_marks_what_is_in_english() -> None:
    """What no bank holds is marked; nothing of the English bank stands there at all."""
    with bank.spoken("cy"):
        view = made_up_view()
        shown = [block for page in PAGES for block in blocks_of(page, view)]
        parts = [fragment_fromstring(block_html(each), create_parent="div") for each in shown]
    marked = {e.text_content() for part in parts for e in part.xpath(".//*[@lang='en']")}
    assert {"Household recycling", "Homelessness prevented"} <= marked
    for part in parts:
        for each in part.xpath(".//*[@lang='en'] | .//svg"):
            each.drop_tree()
    told = " ".join(" ".join(part.text_content() for part in parts).split())
    constant = {
        piece.strip()
        for text in read_entries("story/sentences_en.yml").values()
        for piece in re.split(r"{\w+}", text)
        if len(piece.split()) >= 4
    }
    assert [piece for piece in constant if piece in told] == []
    ours = {p for v in SENTENCES.values() for p in re.split(r"{[^}]*}", v) if len(p.split()) >= 4}
    assert [piece for piece in ours if piece.strip() in told] == []
    with bank.spoken("cy"):
        of_data = made_up_view(data_language="cy")
        assert "Household recycling" not in TrendsPage(of_data).headline()[1].asides


@pytest.mark.parametrize("language", ["en", "cy"])
def test_an_english_page_marks_data_in_welsh_alone(language: str) -> None:
    said = TrendsPage(made_up_view(data_language=language)).pictures()
    assert {spoken for block in said for spoken in block.asides.values()} == {language} - {"en"}
