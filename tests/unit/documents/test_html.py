from __future__ import annotations

import copy
from typing import Any
from urllib.parse import quote

import nbformat.v4 as v4
import pytest
from lxml import html
from nbconvert.exporters.base import get_exporter

from pmf_analysis.documents.html import PmfHtmlExporter, render_report
from pmf_analysis.problems import PmfError
from pmf_analysis.story.blocks import Block, Column, Table
from pmf_analysis.story.rendering import block_html

SVG = '<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 10 10"><path d="M0 0L9 9"/></svg>'
TABLE = Table("Values", (Column("a", "A"), Column("b", "B")), ({"a": "x", "b": "1"},))
META = {
    "council": "Westshire Council",
    "notice": "Westshire is a fictional council.",
    "theme": "Place",
    "analysis": "Trends",
    "period": "Quarter 2 (July to September) 2026-27",
    "as_at": "2026-10-31",
    "results": "results.csv",
}


def figure(id: str) -> Block:
    return Block("figure", id, "Recycling is up", alt="39.8%", svg=SVG, table=TABLE)


def cell(*outputs: Any, tags: tuple[str, ...] = (), source: str = "show(secret_call())") -> Any:
    return v4.new_code_cell(source, outputs=list(outputs), metadata={"tags": list(tags)})


def shown(block: Block) -> Any:
    return v4.new_output("display_data", data=block._repr_mimebundle_())


def notebook(*cells: Any) -> Any:
    return v4.new_notebook(cells=list(cells))


def whole() -> Any:
    return notebook(
        v4.new_markdown_cell("# A title\n\nThe question of this report."),
        cell(source="theme = 'place'", tags=("parameters",)),
        cell(v4.new_output("stream", text="printed words"), tags=("setup",)),
        cell(v4.new_output("execute_result", data={"text/plain": "plain words"})),
        cell(v4.new_output("display_data", data={"text/html": "<b>mine</b>"}), tags=("analyst",)),
        v4.new_markdown_cell("## At a glance\n\nWords <script>alert(1)</script> here.\n\n### More"),
        cell(shown(figure("fig-a"))),
        v4.new_markdown_cell("## At a glance\n```\n# not a heading\n```"),
        cell(shown(figure("fig-b")), shown(Block("table", "tab-a", "Numbers", table=TABLE))),
        cell(source="injected", tags=("injected-parameters",)),
    )


def test_code_parameters_print_and_analysts_cells_stay_behind() -> None:
    page = render_report(whole(), meta=META)
    for hidden in ("secret_call", "theme =", "printed words", "plain words", "mine", "injected"):
        assert hidden not in page
    assert "<script" not in page and "&lt;script&gt;" in page


def test_page_says_what_it_is_of_whom_and_as_known_when() -> None:
    page = html.document_fromstring(render_report(whole(), meta=META))
    assert page.get("lang") == "en-GB"
    assert page.findtext(".//title") == f"Place: Trends: Westshire Council, {META['period']}"
    assert [node.text for node in page.iter("h1")] == ["Place: Trends"]
    for part in ("header", "footer"):
        assert "31 October 2026" in page.find(f".//{part}").text_content()
    words = page.text_content()
    assert words.count("Westshire is a fictional council.") == 2
    assert page.xpath("//footer//a/@href") == ["results.csv"]
    assert page.xpath("string(//*[@class='lede'])") == "The question of this report."


def test_contents_lead_to_sections_and_headings_never_jump() -> None:
    page = html.document_fromstring(render_report(whole(), meta=META))
    links = page.xpath("//nav//a/@href")
    assert links == ["#part-at-a-glance", "#part-at-a-glance--2"]
    assert all(page.get_element_by_id(link[1:]).tag == "h2" for link in links)
    first = html.document_fromstring(
        render_report(notebook(cell(shown(figure("fig-a")))), meta=META)
    )
    assert first.find(".//figcaption/h2") is not None
    assert page.find(".//figcaption/h3") is not None
    assert page.xpath("//code/text()")[0].strip() == "# not a heading"


def test_a_chart_is_headed_below_the_finding_that_it_belongs_to() -> None:
    found = Block("finding", "finding-a", "A moved", text=("A.",))
    charts = (figure("chart-a"), figure("overview"))
    source = notebook(v4.new_markdown_cell("## All"), cell(shown(found), *map(shown, charts)))
    page = html.document_fromstring(render_report(source, meta=META))
    assert page.get_element_by_id("chart-a-title").tag == "h4"
    assert page.get_element_by_id("overview-title").tag == "h3"


def test_contents_lead_to_each_of_many_findings() -> None:
    found = [Block("finding", f"finding-{n}", f"Finding {n}", text=("A.",)) for n in range(3)]
    source = notebook(v4.new_markdown_cell("## All"), cell(*map(shown, found)))
    page = html.document_fromstring(render_report(source, meta=META))
    assert page.xpath("//nav//ul/li/ul//a/@href") == ["#finding-0", "#finding-1", "#finding-2"]


def test_figures_and_tables_are_numbered_apart() -> None:
    page = html.document_fromstring(render_report(whole(), meta=META))
    heads = page.xpath("//figcaption/*/text()")
    assert heads == ["Figure 1: Recycling is up", "Figure 2: Recycling is up"]
    assert "Table 1: Values" in page.text_content()


def test_svg_names_keep_their_case() -> None:
    assert 'viewBox="0 0 10 10"' in render_report(whole(), meta=META)


def test_same_bytes_and_the_notebook_is_left_alone() -> None:
    source = whole()
    before = copy.deepcopy(source)
    first = render_report(source, meta=META)
    assert source == before
    assert render_report(whole(), meta=META) == first, "cell ids differ, bytes do not"
    source.metadata["pmf"] = META
    assert render_report(source) == first


def test_content_reference_follows_the_content() -> None:
    def reference(text: str, **meta: str) -> str:
        source = notebook(cell(shown(Block("note", "a", "A", text=(text,)))))
        page = html.document_fromstring(render_report(source, meta=META | meta))
        return str(page.findtext(".//footer//code"))

    assert reference("one") == reference("one")
    assert len({reference("one"), reference("two"), reference("one", period="Q1")}) == 3
    assert reference("one", content_hash="abc123") == "abc123"


def test_hostile_metadata_is_escaped() -> None:
    hostile = '"><script>alert(1)</script>'
    page = render_report(whole(), meta={key: hostile for key in META})
    assert "<script" not in page and "&lt;script&gt;" in page


def test_failed_cell_stops_the_export_even_where_it_is_hidden() -> None:
    error = v4.new_output("error", ename="KeyError", evalue="'x'", traceback=[])
    for tags in ((), ("setup",)):
        with pytest.raises(PmfError) as failed:
            render_report(notebook(cell(error, tags=tags), cell(error)), meta=META)
        assert [each.code for each in failed.value.problems] == ["cell-failed"] * 2
        assert "KeyError" in failed.value.problems[0].message


def test_what_is_not_a_block_and_a_repeated_block_are_named() -> None:
    frame = v4.new_output("execute_result", data={"text/html": "<table></table>", "text/plain": ""})
    broken = v4.new_output("display_data", data={"application/vnd.pmf.block+json": {"id": "a"}})
    source = notebook(cell(frame), cell(shown(figure("a"))), cell(shown(figure("a"))), cell(broken))
    with pytest.raises(PmfError) as failed:
        render_report(source, meta=META)
    codes = [each.code for each in failed.value.problems]
    assert codes == ["output-not-a-block", "block-id-repeated", "block-version"]


def test_nbconvert_finds_the_exporter_by_name() -> None:
    exporter = get_exporter("pmf-html")
    assert exporter is PmfHtmlExporter
    text, resources = exporter().from_notebook_node(whole(), {"pmf": META})
    assert resources["output_extension"] == ".html"
    assert text == render_report(whole(), meta=META)


def test_half_a_character_is_shown_as_a_sign() -> None:
    half = "a\ud800b"
    table = Table(half, (Column("a", half),), ({"a": half},))
    block = Block("figure", "t", half, alt=half, svg=SVG, notes=(half,), table=table)
    assert quote("a\ufffdb") in block_html(block)
    output = v4.new_output("display_data", data=block._repr_mimebundle_())
    cells = [v4.new_markdown_cell(f"# {half}\n\n{half}"), v4.new_code_cell("", outputs=[output])]
    page = render_report(v4.new_notebook(cells=cells), meta={"council": half})
    assert page.encode().decode().count("a\ufffdb") > 6
