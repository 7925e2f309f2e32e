"""Text that tries to be code, markup, a formula or a layout is shown as text and nothing else."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import nbformat.v4 as v4
import pandas as pd
import pytest

from pmf_analysis.documents.html import render_report
from pmf_analysis.story.benchmarking_page import BenchmarkingPage
from pmf_analysis.story.realism_page import RealismPage
from pmf_analysis.story.trends_page import TrendsPage
from tests.made_runs import REPOSITORY, copied_workspace, last_run, make_run
from tests.unit.story.made_up import INDICATORS, made_up_view

MARKUP = "<script>window.hurt=1</script><img src=x onerror=window.hurt=1>"
CODE = "{{ 7*7 }} {% raw %} {0} ${x}"
HOSTILE = f"=HYPERLINK(1) {MARKUP} {CODE} **b** [x](http://x.example) # \U0001f600 ŵŷâ"
TURNED = "\u202eright to left\u200f"  # the loader of parameters refuses these; data may hold them
LONG = "word" * 2_500
# Settings of parameter files that are free text.
FREE = (
    r"^(\s*(?:- )?(?:title|short_title|name|role|owner|source|licence|text|reason|notice"
    r"|definition|quality_note): ).*$"
)


def tampered(path: Path) -> None:
    """Put hostile text in place of every free text of a parameter file."""
    parts, held = re.split(r"\n(?=  - id:|\w)", path.read_text(encoding="utf-8")), []
    for place, part in enumerate(parts):
        # Long texts of several lines stay as they are.
        said = HOSTILE if place % 3 else f"{HOSTILE} {'long ' * 300}"
        quoted = f"'{place} {said.strip()}'"
        held.append(
            re.sub(
                FREE,
                lambda m, q=quoted: m[0] if re.search(r": *[>|&*]", m[0]) else m[1] + q,
                part,
                flags=re.M,
            )
        )
    path.write_text("\n".join(held), encoding="utf-8")


@pytest.fixture(scope="session")
def hostile_run(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Folder of a real run whose register, framework and charts are full of hostile text.

    Others can make copies of its reports in other formats.
    """
    workspace = copied_workspace(REPOSITORY / "parameters", tmp_path_factory.mktemp("hostile"))
    for name in ("framework.yml", "framework_four.yml", "indicators.yml", "charts.yml"):
        tampered(workspace / "parameters" / name)
    run = workspace / "parameters/runs/westshire_2026-27_q2.yml"
    one = run.read_text(encoding="utf-8").replace("themes: all", "themes: [homes_and_communities]")
    run.write_text(re.sub(r"peer_sets_by_theme:\n.*\n", "", one), encoding="utf-8")
    make_run(workspace, ("demo",), ("run", run.stem, "--jobs", "2"))
    return last_run(workspace)


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
    named = {"source": said, "licence": said, "title": said, "short_title": HOSTILE}
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
        wide = page.evaluate("document.documentElement.scrollWidth")
        assert wide <= 320, (path.name, wide)
        page.close()
    context.close()


def test_no_file_that_a_spreadsheet_opens_has_a_formula(hostile_run: Path) -> None:
    for path in hostile_run.rglob("*.csv"):
        cells = pd.read_csv(path, dtype=str, keep_default_na=False).to_numpy().ravel()
        assert not [cell for cell in cells if cell[:1] in "=+@\t" and cell[1:2].isalpha()], path
