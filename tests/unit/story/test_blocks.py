from __future__ import annotations

import csv
import io
import json
from html.parser import HTMLParser
from urllib.parse import unquote

import pytest
from hypothesis import given
from hypothesis import strategies as st
from lxml import html as lxml_html

from pmf_analysis.parameters.drawings import check_svg
from pmf_analysis.problems import PmfError
from pmf_analysis.story.blocks import BLOCK_MIME, Block, Column, Table
from pmf_analysis.story.rendering import block_html
from pmf_analysis.story.strip import draw_spark
from pmf_analysis.story.style import PANEL_SVG

SVG = '<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 10 10"><path d="M0 0L9 9"/></svg>'
HOSTILE = "<script>alert(1)</script>\" onload='x' & </title></svg>"
ALT = "Recycling was 39.8% in quarter 2, inside its usual range."


def table(**changes: object) -> Table:
    columns = (Column("name", "Indicator"), Column("value", "Value", "right", "number"))
    fields = {"caption": "Values", "columns": columns, "rows": ({"name": "A", "value": "1"},)}
    return Table(**fields | changes)  # type: ignore[arg-type]


def figure(**changes: object) -> Block:
    fields = {"kind": "figure", "id": "fig-a", "title": "Up", "alt": ALT, "svg": SVG}
    return Block(**fields | {"table": table()} | changes)  # type: ignore[arg-type]


def test_block_survives_the_trip_through_json() -> None:
    block = figure(
        facts={"value": 39.8, "n": 26, "verdict": "improving", "gone": float("nan")},
        text=("One.", "Two."),
        notes=("Provisional.",),
        tone="better",
        table=table(status_words={"improving": "Improving"}),
    )
    again = Block.from_json(json.loads(json.dumps(block.to_json())))
    assert again.facts == {"value": 39.8, "n": 26, "verdict": "improving", "gone": None}
    assert again.table == block.table
    assert again.to_json() == block.to_json()
    assert block_html(again, number=3) == block_html(block, number=3)


def test_bundle_holds_html_alternative_text_and_structure() -> None:
    bundle = figure()._repr_mimebundle_()
    assert set(bundle) == {"text/html", "text/plain", BLOCK_MIME}
    assert bundle["text/plain"] == ALT
    assert ALT in str(bundle["text/html"])


@pytest.mark.parametrize(
    ("changes", "code"),
    [
        ({"kind": "chart"}, "block-kind"),
        ({"id": "Fig A"}, "block-id"),
        ({"id": 'a" onclick="x'}, "block-id"),
        ({"tone": "red"}, "block-tone"),
        ({"alt": "  "}, "figure-incomplete"),
        ({"svg": ""}, "figure-incomplete"),
        ({"kind": "table", "table": None}, "table-missing"),
    ],
)
def test_block_that_cannot_be_published_is_refused(changes: dict[str, object], code: str) -> None:
    with pytest.raises(PmfError) as refused:
        figure(**changes)
    assert [problem.code for problem in refused.value.problems] == [code]


@pytest.mark.parametrize(
    "stored",
    [
        {},
        {"schema_version": 99},
        {"schema_version": 1},
        {"schema_version": 1, "table": None, "x": 1},
    ],
)
def test_malformed_stored_block_is_a_problem_not_a_traceback(stored: dict[str, object]) -> None:
    with pytest.raises(PmfError):
        Block.from_json(stored)


@pytest.mark.parametrize(
    "inside",
    [
        "<script>alert(1)</script>",
        '<path onload="alert(1)" d="M0 0"/>',
        '<use href="https://example.org/x.svg#a"/>',
        '<use xmlns:xlink="http://www.w3.org/1999/xlink" xlink:href="data:image/svg+xml,x"/>',
        '<image href="x.png"/>',
        "<foreignObject><body/></foreignObject>",
        '<path style="fill:url(https://example.org/a)" d="M0 0"/>',
        '<path fill="url(javascript:x)" d="M0 0"/>',
        "<style>@import 'x.css';</style>",
        "<title><![CDATA[><script>alert(1)</script>]]></title>",
        "<!-- remark -->",
        "<path",
    ],
)
def test_svg_that_is_more_than_a_drawing_is_refused(inside: str) -> None:
    picture = f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 1 1">{inside}</svg>'
    with pytest.raises(PmfError):
        check_svg(picture)
    with pytest.raises(PmfError):
        table(
            columns=(Column("n", "N"), Column("s", "S", kind="spark")),
            rows=({"n": "a", "s": picture},),
        )


def test_reference_inside_the_drawing_is_fine() -> None:
    check_svg(SVG.replace("<path", '<path id="a" clip-path="url(#b)"'))


class _Tags(HTMLParser):
    def __init__(self) -> None:
        super().__init__()
        self.tags: set[str] = set()
        self.attributes: set[str] = set()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.add(tag)
        self.attributes |= {name for name, _ in attrs}


@given(hostile=st.sampled_from([HOSTILE, "<b>", "&amp;", "'\"><img src=x onerror=y>"]) | st.text())
def test_every_text_is_escaped(hostile: str) -> None:
    words = {"improving": hostile}
    columns = (Column("name", hostile), Column("status", "Status", kind="status"))
    rows = ({"name": hostile, "status": "improving"}, {"name": hostile, "status": "x" + hostile})
    block = figure(
        title="T" + hostile,
        subtitle=hostile,
        text=(hostile,),
        alt="A" + hostile,
        source=hostile,
        notes=(hostile,),
        table=table(caption="C" + hostile, columns=columns, rows=rows, status_words=words),
    )
    for kind in ("figure", "table", "finding", "note"):
        seen = _Tags()
        seen.feed(block_html(Block.from_json(block.to_json() | {"kind": kind})))
        assert not seen.tags & {"script", "img", "b"}
        assert not {name for name in seen.attributes if name.startswith("on")}


def test_figure_has_every_part_and_its_picture_is_named_by_the_alternative_text() -> None:
    page = lxml_html.fragment_fromstring(
        block_html(figure(subtitle="Westshire", source="WasteDataFlow"), number=2, level=4)
    )
    assert page.tag == "figure"
    assert page.xpath("string(figcaption/h4)") == "Figure 2: Up"
    assert page.xpath("string(figcaption/p)") == "Westshire"
    picture = page.find(".//svg")
    assert picture.get("role") == "img"
    assert picture.get("aria-labelledby") == picture.find("title").get("id")
    assert picture.findtext("title") == ALT
    assert "Source: WasteDataFlow" in page.text_content()
    assert page.xpath("string(details/summary)").startswith("Data table for figure 2")
    assert page.xpath("string(details//caption)") == "Values"
    assert page.xpath("string(details//th[@scope='row'])") == "A"


def test_small_multiples_are_one_picture_with_one_name() -> None:
    panel = SVG.replace("<svg ", f'{PANEL_SVG}aria-hidden="true" ')
    page = lxml_html.fragment_fromstring(block_html(figure(svg=panel * 3)))
    (picture,) = page.xpath(".//*[@role='img']")
    assert picture.get("aria-label") == ALT and len(picture.findall("svg")) == 3
    assert not page.xpath(".//figcaption/following-sibling::*[@tabindex]"), "nothing to scroll"
    assert Block.from_json(figure(svg=panel * 3).to_json()).svg == panel * 3
    for hostile in ("<b>x</b>", "<script/>", "</pictures>", "<?xml version='1.0'?>"):
        with pytest.raises(PmfError):
            check_svg(panel + hostile + panel)


def data_file(shown: str) -> str:
    address = lxml_html.fragment_fromstring(shown).xpath("string(.//a[@download]/@href)")
    kind, _, data = str(address).partition(",")
    assert kind == "data:text/csv;charset=utf-8"
    return unquote(data)


def test_every_figure_has_its_numbers_as_a_file_that_a_spreadsheet_can_read() -> None:
    columns = tuple(Column(key, key.title()) for key in ("period", "value", "range", "name"))
    rows = (
        {"period": "2026-27 Q1", "value": "−1,234.5 kg", "range": "1 to 2 kg", "name": "=1+1"},
        {"period": "2026-27 Q2", "value": "", "range": "2 to 3 kg", "name": 'a "b", c'},
    )
    shown = block_html(figure(table=table(columns=columns, rows=rows)))
    assert list(csv.reader(io.StringIO(data_file(shown).removeprefix("\ufeff")))) == [
        ["Period", "Value (kg)", "Range", "Name"],
        ["2026-27 Q1", "-1234.5", "1 to 2 kg", "'=1+1"],
        ["2026-27 Q2", "", "2 to 3 kg", 'a "b", c'],
    ]
    data = lxml_html.fragment_fromstring(shown)
    assert [each.text for each in data.iter("td")] == [
        "1,234.5".join(("−", "")),
        "1 to 2 kg",
        "=1+1",
        None,
        "2 to 3 kg",
        'a "b", c',
    ]
    assert "Value (kg)" in data.xpath("//th/text()")
    mixed = table(rows=({"name": "A", "value": "39.8%"}, {"name": "B", "value": "£2"}))
    assert "B,£2" in data_file(block_html(figure(table=mixed)))


def test_periods_and_short_values_never_break_and_long_units_break_as_a_whole() -> None:
    rows = (
        {"name": "2026-27 Q2", "value": "2nd of 17"},
        {"name": "B", "value": "3.5 per 1,000 people"},
    )
    shown = block_html(figure(kind="table", subtitle="To 2026-27 Q2.", table=table(rows=rows)))
    page = lxml_html.fragment_fromstring(shown)
    assert page.xpath("string(p/span[@class='pmf-whole'])") == "2026-27 Q2"
    short, long = page.iter("td")
    assert "pmf-whole" in short.get("class") and "pmf-whole" not in long.get("class")
    assert long.xpath("string(.//span[@class='pmf-unit'])") == "per 1,000 people"
    assert long.text_content() == "3.5 per 1,000 people"


def test_label_without_number_outside_a_page_and_parts_do_not_run_together() -> None:
    block = figure(subtitle="Westshire")
    shown = block_html(block)
    assert "Figure 1" not in shown
    assert "</h3><p" in shown, "two inline spans would run together in JupyterLab"


def test_table_has_caption_scopes_roles_and_a_dash_for_no_value() -> None:
    columns = (
        Column("name", "Indicator"),
        Column("spark", "Trend", kind="spark"),
        Column("value", "Value", "right", "number"),
        Column("status", "Change", kind="status"),
    )
    spark = draw_spark([1, 2, 3], 0, 4, id="spark-a")
    rows = (
        {"name": "A", "spark": spark, "value": "1", "status": "worsening"},
        {"name": "B", "value": "", "status": "no_clear_change"},
    )
    words = {"worsening": "Worsening"}
    block = figure(kind="table", table=table(columns=columns, rows=rows, status_words=words))
    page = lxml_html.fragment_fromstring(block_html(block, number=1))
    assert page.xpath("string(.//caption)") == "Table 1: Values"
    assert page.xpath("count(.//th[@scope='col' and @role='columnheader'])") == 4
    assert page.xpath("count(.//th[@scope='row' and @role='rowheader'])") == 2
    assert page.xpath("count(.//td[@role='cell' and @data-label])") == 6
    cells = [" ".join(cell.text_content().split()) for cell in page.iter("td")]
    assert cells == ["", "1", "Worsening", "no value", "no value", "No clear change"]
    marks = page.xpath(".//td//svg")
    assert all(mark.get("aria-hidden") == "true" for mark in marks) and len(marks) == 3
