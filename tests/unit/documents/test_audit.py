from __future__ import annotations

import base64
import re

import nbformat.v4 as v4
import pytest
from nbconvert import HTMLExporter

from pmf_analysis.documents.audit import audit_html
from pmf_analysis.documents.html import render_report
from pmf_analysis.story.blocks import Block, Column, Table

ALT = "Recycling was 39.8% in quarter 2, inside its usual range of 36% to 43%."
SVG = '<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 10 10"><path d="M0 0L9 9"/></svg>'
PNG = base64.b64encode(b"\x89PNG\r\n\x1a\n").decode()
META = {"council": "Westshire Council", "theme": "Place", "analysis": "Trends", "results": "r.csv"}


def good_page() -> str:
    table = Table(
        "Values by quarter", (Column("a", "Quarter"), Column("b", "Value")), ({"a": "x"},)
    )
    block = Block(
        "figure",
        "fig-a",
        "Recycling is up",
        subtitle="Household recycling, Westshire, 2020 to 2026",
        alt=ALT,
        svg=SVG,
        table=table,
        source="WasteDataFlow",
    )
    shown = v4.new_output("display_data", data=block._repr_mimebundle_())
    cells = [v4.new_markdown_cell("## Recycling"), v4.new_code_cell("x", outputs=[shown])]
    return render_report(v4.new_notebook(cells=cells), meta=META)


def codes(page: str) -> set[str]:
    return {problem.code for problem in audit_html(page)}


def test_good_page_passes() -> None:
    assert audit_html(good_page()).rows() == []


def test_stock_page_of_nbconvert_fails() -> None:
    """The control: what everybody publishes, with which axe is content."""
    frame = "<table class='dataframe'><thead><tr><th></th><th>rate</th></tr></thead></table>"
    outputs = [
        v4.new_output("display_data", data={"image/png": PNG}),
        v4.new_output("execute_result", data={"text/html": frame}),
    ]
    notebook = v4.new_notebook(cells=[v4.new_code_cell("plot()", outputs=outputs)])
    page, _ = HTMLExporter().from_notebook_node(notebook)
    assert "No description has been provided" in page
    wanted = {"alt", "caption", "scope", "th-empty", "active", "outside", "skip-link", "code-shown"}
    assert codes(page) >= wanted | {"lang", "title", "landmark", "h1", "table-role"}


@pytest.mark.parametrize(
    ("pattern", "instead", "code"),
    [
        ('lang="en-GB"', 'lang="en"', "lang"),
        ("<title>[^<]*", "<title>stock_run", "title"),
        ("<title>[^<]*", "<title>report.ipynb", "title"),
        ("<main", "<div", "landmark"),
        ('aria-labelledby="contents-title"', "", "landmark"),
        ('<a class="skip"[^>]*>', '<a href="#part-recycling">', "skip-link"),
        ("initial-scale=1", "initial-scale=1, user-scalable=no", "viewport"),
        ("<h1>.*</h1>", "", "h1"),
        ("<h3 (.*?)</h3>", r"<h4 \1</h4>", "heading-jump"),
        (r'<h2 id="part-recycling">Recycling', '<h2 id="part-recycling">', "heading-empty"),
        ('id="part-recycling"', 'id="main"', "id-repeated"),
        ('<h2 id="part-recycling"', "<h2", "id-missing"),
        (ALT, "No description has been provided for this image", "alt"),
        (ALT, "A line chart of the recycling rate of the council", "alt"),
        ('role="img"', "", "picture-role"),
        ("<caption>[^<]*", "<caption>", "caption"),
        ('role="table"', "", "table-role"),
        ('scope="row"', "", "scope"),
        (">Quarter<", "><", "th-empty"),
        (
            '<span aria-hidden="true">–</span><span class="pmf-hidden"> no value</span>',
            "nan",
            "cell-leak",
        ),
        ("Recycling is up", "One two three four five six seven eight nine ten eleven", "headline"),
        ('<p class="pmf-subtitle">[^<]*', '<p class="pmf-subtitle">', "subtitle"),
        ("Source: WasteDataFlow", "WasteDataFlow", "source"),
        ("<table.*</table>", "", "data-table"),
        ('href="data:text/csv', 'href="data:text/html', "csv"),
        ("</main>", "<script></script></main>", "active"),
        ("<main", '<main onclick="x()"', "active"),
        ("</main>", '<img src="https://example.org/a.png"></main>', "outside"),
        ("<style>", "<style>@import 'https://example.org/a.css';", "outside"),
        ("</main>", '<pre class="input_area">x = 1</pre></main>', "code-shown"),
        (">Recycling</a>", "></a>", "link-text"),
        ('tabindex="0"', 'tabindex="3"', "tabindex"),
        ('tabindex="0" aria-label="[^"]*"', 'tabindex="0"', "focus-name"),
    ],
)
def test_each_check_finds_its_fault(pattern: str, instead: str, code: str) -> None:
    page = good_page()
    worse = re.sub(pattern, instead, page, flags=re.DOTALL)
    assert worse != page
    assert code in codes(worse)
