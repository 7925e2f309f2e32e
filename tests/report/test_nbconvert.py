"""What nbconvert makes of an executed notebook of a run that lies outside any run folder."""

from __future__ import annotations

import io
import shutil
from pathlib import Path
from typing import Any

import docx
import openpyxl
import pikepdf
import pytest
from lxml import html
from nbconvert import HTMLExporter

from pmf_analysis.documents.audit import audit_html
from pmf_analysis.documents.exporters import (
    PmfSlidesExporter,
    PmfWordExporter,
    PmfWorkbookExporter,
)
from pmf_analysis.documents.html import PmfHtmlExporter
from tests.report import test_report_contract as rules
from tests.unit.documents.test_word import UA, converted

JOB = "effective_development_organisation/trends"
SAID = ("Westshire Council", "Westshire is a fictional council", "31 October 2026")


@pytest.fixture(scope="module")
def notebook(westshire_run: Any, tmp_path_factory: pytest.TempPathFactory) -> Path:
    kept = westshire_run.folder / JOB / "notebook.ipynb"
    return Path(shutil.copy(kept, tmp_path_factory.mktemp("analyst")))


def exported(exporter: Any, notebook: Path) -> Any:
    return exporter().from_filename(str(notebook))[0]


def around(page: str) -> dict[str, Any]:
    """What a page says of itself around its sections, but for the links of a run and its hash."""
    tree = html.document_fromstring(page)
    for each in tree.xpath("//header//nav | //footer//*[self::code or self::h3 or self::ul]"):
        each.drop_tree()
    parts = {name: tree.xpath(f"string(//{name})").split() for name in ("header", "footer")}
    brand = [line for line in page.splitlines() if ":root { --brand" in line]
    return {**parts, "brand": brand, "title": tree.findtext(".//title")}


def test_a_page_says_whose_it_is_as_the_runs_own_page_does(
    westshire_run: Any, notebook: Path
) -> None:
    made = around(exported(PmfHtmlExporter, notebook))
    assert made == around((westshire_run.folder / JOB / "report.html").read_text("utf-8"))
    header, footer = (" ".join(made[name]) for name in ("header", "footer"))
    assert all(said in header for said in (*SAID, "Quarter 2 (July to September) 2026-27"))
    wanted = (*SAID, "performance@westshire.example", "Open Government Licence v3.0")
    assert all(said in footer for said in wanted)
    assert made["brand"] == ["}:root { --brand: #12436d; --on-brand: #ffffff; }"]


def test_copies_say_whose_they_are(notebook: Path) -> None:
    document = docx.Document(io.BytesIO(exported(PmfWordExporter, notebook)))
    pptx = pytest.importorskip("pptx")
    slide = pptx.Presentation(io.BytesIO(exported(PmfSlidesExporter, notebook))).slides[0]
    book = openpyxl.load_workbook(io.BytesIO(exported(PmfWorkbookExporter, notebook)))
    cells = book.worksheets[0].iter_rows(values_only=True)
    shown = {
        "word": " ".join(each.text for each in document.paragraphs),
        "slides": " ".join(each.text_frame.text for each in slide.shapes if each.has_text_frame),
        "workbook": " ".join(str(cell) for row in cells for cell in row),
    }
    for name, words in shown.items():
        assert all(said in words for said in SAID[:2]), (name, words[:500])
    assert all(each.text_frame.text.strip() for each in slide.placeholders)


def test_libreoffice_makes_accessible_pdf_of_a_runs_word_report(
    notebook: Path, tmp_path: Path
) -> None:
    from outloud import check

    printed = converted(exported(PmfWordExporter, notebook), "report.docx", tmp_path, UA)
    with pikepdf.open(printed, allow_overwriting_input=True) as pdf:
        # LibreOffice says nothing of the order of links, whatever a document holds.
        for page in pdf.pages:
            page.Tabs = pikepdf.Name.S
        pdf.save(printed)
    found = [each for each in check(str(printed)).findings if each.severity == "error"]
    assert not found, found


def test_the_stock_page_of_the_same_notebook_fails(notebook: Path) -> None:
    """The control, with the template that nbconvert has for JupyterLab's looks."""
    page, _ = HTMLExporter(template_name="lab").from_filename(str(notebook))  # type: ignore[no-untyped-call]
    found = {(each.duty, each.code) for each in audit_html(page)}  # type: ignore[attr-defined]
    ours = {"code-shown", "active", "outside", "skip-link", "landmark-header", "language-uk"}
    assert found >= {("ours", code) for code in ours} | {("law", "title")}
    stock = notebook.with_suffix(".html")
    stock.write_text(page, encoding="utf-8")
    for rule in (
        rules.test_pages_pass_the_audit,
        rules.test_pages_say_whose_they_are_and_as_known_when,
    ):
        with pytest.raises((AssertionError, AttributeError)):
            rule([stock])
