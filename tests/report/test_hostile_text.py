"""Text that tries to be code, markup, a formula or a layout is shown as text and nothing else."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import nbformat
import nbformat.v4 as v4
import pandas as pd
import pytest

from pmf_analysis.data.contract import TABLES
from pmf_analysis.documents.audit import audit_folder
from pmf_analysis.documents.exporters import FILES, copy_of
from pmf_analysis.documents.html import render_report
from pmf_analysis.story.benchmarking_page import BenchmarkingPage
from pmf_analysis.story.realism_page import RealismPage
from pmf_analysis.story.trends_page import TrendsPage
from tests.hostile_council import (
    HOSTILE,
    LONG,
    MARKUP,
    THEME,
    TURNED,
    free_columns,
    hostile_council,
)
from tests.unit.story.made_up import INDICATORS, made_up_view

UNBROKEN = "W" * 300
# Words of pictures that reach beyond them.
CUT_WORDS = """() => [...document.querySelectorAll('svg text')].filter(words => {
    const frame = words.ownerSVGElement.getBoundingClientRect();
    const own = words.getBoundingClientRect();
    return own.width && (own.left < frame.left - 1 || own.right > frame.right + 1);
}).map(words => words.textContent)"""
# Names of rows that leave no room for what the row says.
WIDE_NAMES = """() => [...document.querySelectorAll('th[scope=row], summary')].filter(
    words => words.offsetWidth > innerWidth).map(words => words.textContent.slice(0, 40))"""
# Texts of a run's data that are told on its pages.
TOLD = {
    *("narratives text", "targets rationale", "observations value_note", "peer_sets source"),
    *("actions title", "risks title", "projects title", "observations dimension_value"),
}


@pytest.fixture(scope="session")
def hostile_run(westshire_run: Any, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Folder of a run of one theme in which every free text is hostile."""
    workspace = tmp_path_factory.mktemp("hostile")
    return hostile_council(workspace, westshire_run.workspace / "store")


@pytest.fixture(scope="session")
def hostile_copies(hostile_run: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Folder of a report of that run in every other format, made of the notebook alone."""
    pytest.importorskip("pptx")
    folder = tmp_path_factory.mktemp("hostile_copies")
    notebook = nbformat.read(hostile_run / THEME / "trends" / "notebook.ipynb", 4)  # type: ignore[no-untyped-call]
    for kind, name in FILES.items():
        (folder / name).write_bytes(copy_of(kind, notebook, {})[0])
    return folder


@pytest.fixture(scope="session")
def hostile_pages(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Folder of pages whose data, commentary, reasons and peers are hostile."""
    folder = tmp_path_factory.mktemp("hostile_pages")
    said = f"{HOSTILE} {TURNED} {LONG}"
    given: dict[str, Any] = {}
    plain = made_up_view()
    free = {"text", "author_role", "reason", "gap_reason", "area_name", "peer_set_title", "owner"}
    free |= {"title", "short_title", "message", "fix", "place", "rationale", "value_note", "source"}
    for name, table in plain.tables.items():
        held = {column: said for column in free & set(table.columns)}
        given[name] = table.assign(**held) if isinstance(table, pd.DataFrame) else table
    named = {"source": said, "licence": said, "title": said, "short_title": f"{HOSTILE} {UNBROKEN}"}
    indicators = tuple(each.model_copy(update=named) for each in INDICATORS)
    view = made_up_view(**given, council=HOSTILE, theme_title=HOSTILE, indicators=indicators)
    for page in (TrendsPage, BenchmarkingPage, RealismPage):
        opened = page(view)
        sections = (opened.headline, opened.scope, opened.pictures, opened.exceptions)
        blocks = [
            block
            for section in (*sections, opened.quality, opened.provenance)
            for block in section()
        ]
        outputs = [
            v4.new_output("display_data", {"application/vnd.pmf.block+json": block.to_json()})
            for block in blocks
        ]
        cells = [v4.new_markdown_cell("## Part"), v4.new_code_cell("", outputs=outputs)]
        made = render_report(
            v4.new_notebook(cells=cells), meta={"council": HOSTILE, "notice": said}
        )
        (folder / f"{page.analysis}.html").write_text(made, encoding="utf-8")
    return folder


@pytest.mark.parametrize("made", ["hostile_run", "hostile_pages"])
def test_hostile_text_is_shown_and_does_nothing(
    made: str, request: pytest.FixtureRequest, chromium: Any
) -> None:
    folder: Path = request.getfixturevalue(made)
    pages = sorted(folder.rglob("*.html"))
    assert len(pages) >= 3
    context = chromium.new_context(viewport={"width": 320, "height": 700}, offline=True)
    for path in pages:
        asked: list[str] = []
        page = context.new_page()
        page.on("request", lambda sent, asked=asked: asked.append(sent.url))
        page.goto(path.as_uri())
        shown = page.evaluate("document.body.innerText")
        assert "<script>window.hurt=1</script>" in shown and "{{ 7*7 }}" in shown, path.name
        assert "{% raw %}" in shown and "**b**" in shown
        assert page.evaluate("window.hurt") is None, path.name
        assert page.locator("script, img[onerror], a[href^='http://x']").count() == 0
        assert [url for url in asked if not url.startswith(("file:", "data:"))] == []
        for width in (320, 1280):
            page.set_viewport_size({"width": width, "height": 700})
            wide = page.evaluate("document.documentElement.scrollWidth")
            assert wide <= width, (path.name, wide)
            assert page.evaluate(CUT_WORDS) == [], (path.name, width)
            assert page.evaluate(WIDE_NAMES) == [], (path.name, width)
        page.close()
    context.close()


def test_every_free_column_of_the_contract_is_hostile(hostile_run: Path) -> None:
    """And what the pages tell of them they tell as it is written."""
    pages = "".join(path.read_text("utf-8") for path in hostile_run.rglob("*.html"))
    free = {f"{table} {column}" for table in TABLES for column in free_columns(table)}
    assert len(free) > 40 and free >= TOLD
    assert {name for name in free if f"({name})" in pages} >= TOLD


def test_copies_show_it_and_the_audit_finds_nothing_in_them(hostile_copies: Path) -> None:
    found = audit_folder(hostile_copies)
    assert sum(found.files.values()) == len(FILES)
    assert not found.failed, "\n".join(found.lines())
    for name, words in _words(hostile_copies).items():
        assert MARKUP[:31] in words and "{{ 7*7 }}" in words and "**b**" in words, name


def _words(folder: Path) -> dict[str, str]:
    """What each file shows, by the libraries that other programs read it with."""
    import docx
    import openpyxl
    import pymupdf
    from pptx import Presentation

    document: Any = docx.Document(str(folder / "report.docx"))
    shows: Any = Presentation(str(folder / "slides.pptx"))
    pages: Any = pymupdf.open(folder / "report.pdf")
    told = {
        "word": "\n".join(each.text for each in document.paragraphs),
        "pdf": "\n".join(page.get_text() for page in pages),
        "slides": "\n".join(
            shape.text_frame.text
            for s in shows.slides
            for shape in s.shapes
            if shape.has_text_frame
        ),
    }
    for name in ("report.xlsx", "charts.xlsx"):
        cells = [
            cell
            for sheet in openpyxl.load_workbook(folder / name).worksheets
            for row in sheet.iter_rows()
            for cell in row
        ]
        assert not [cell.value for cell in cells if cell.data_type == "f"], name
        told[name] = "\n".join(str(cell.value) for cell in cells)
    return told


def test_no_file_that_a_spreadsheet_opens_has_a_formula(hostile_run: Path) -> None:
    for path in hostile_run.rglob("*.csv"):
        cells = pd.read_csv(path, dtype=str, keep_default_na=False).to_numpy().ravel()
        assert not [cell for cell in cells if cell[:1] in "=+@\t" and cell[1:2].isalpha()], path
