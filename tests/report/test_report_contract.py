"""What every page of every report must be, without a browser."""

from __future__ import annotations

import gzip
import re
from pathlib import Path

from lxml import etree, html

from pmf_analysis.documents.audit import audit_html

# Of a page of five indicators; each further one may add to both.
MOST_BYTES, FURTHER_BYTES, MOST_GZIPPED, FURTHER_GZIPPED = 150_000, 25_000, 40_000, 6_000


def test_pages_pass_the_audit(report_pages: list[Path]) -> None:
    faults = {
        str(page): [
            f"{fault.code}: {fault.message}" for fault in audit_html(page.read_text("utf-8"))
        ]
        for page in report_pages
    }
    assert not {name: found for name, found in faults.items() if found}


def test_pages_are_light(report_pages: list[Path]) -> None:
    for page in report_pages:
        content = page.read_bytes()
        further = max(0, len(_indicators(content.decode())) - 5)
        assert len(content) <= MOST_BYTES + further * FURTHER_BYTES, page.name
        assert len(gzip.compress(content)) <= MOST_GZIPPED + further * FURTHER_GZIPPED, page.name


def _indicators(page: str) -> set[str]:
    """The indicators that have a finding of their own, with all their breakdowns and targets."""
    found = re.findall(r'id="finding-([\w-]+)"', page)
    return {re.split(r"-of-|-target-|-n\d+$", name)[0] for name in found}


def test_pages_tell_no_clock_no_run_and_no_machine(report_pages: list[Path]) -> None:
    for page in report_pages:
        text = page.read_text("utf-8")
        assert not re.search(r"\d{2}:\d{2}:\d{2}|\d{8}T\d{4}", text), page.name
        assert not re.search(r"/(home|root|tmp|work)/|[A-Z]:\\Users", text), page.name


def test_pages_say_whose_they_are_and_as_known_when(report_pages: list[Path]) -> None:
    for page in report_pages:
        tree = html.document_fromstring(page.read_text("utf-8"))
        for part in ("header", "footer"):
            words = tree.find(f".//{part}").text_content()
            assert re.search(r"\d{1,2} [A-Z][a-z]+ \d{4}", words), (page.name, part)
        assert re.fullmatch(r"[0-9a-f]{12}", tree.findtext(".//footer//code") or ""), page.name


def test_pictures_are_still_svg_for_readers_that_are_strict(report_pages: list[Path]) -> None:
    for page in report_pages:
        for picture in re.findall(r'<svg role="img".*?</svg>', page.read_text("utf-8"), re.DOTALL):
            root = etree.fromstring(picture)
            assert root.get("viewBox"), page.name
            assert root.findtext("{*}title"), page.name
