"""Slides: one for each finding that is news, charts that can be edited, hostile text."""

from __future__ import annotations

import builtins
import io
import os
import shutil
import subprocess
import zipfile
from pathlib import Path
from typing import Any

import nbformat.v4 as v4
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from openpyxl import load_workbook

from pmf_analysis.documents.exporters import PmfSlidesExporter
from pmf_analysis.documents.reading import Report, Section, Shown, read_report
from pmf_analysis.documents.slides import make_slides
from pmf_analysis.problems import PmfError
from pmf_analysis.story import bank
from pmf_analysis.story.blocks import Block, Column, Table

Presentation = pytest.importorskip("pptx", reason="the extra slides is not installed").Presentation

SVG = '<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 10 10"><path d="M0 0L9 9"/></svg>'
META = {
    "council": "Westshire Council",
    "notice": "Westshire is a fictional council.",
    "theme": "Place",
    "analysis": "Trends",
    "period": "Quarter 2 (July to September) 2026-27",
    "content_hash": "0123456789ab",
}
COLUMNS = (
    Column("period", "Period"),
    Column("value", "Value", "right", "number"),
    Column("usual_low", "Usual range from", "right", "number"),
    Column("target", "Target", "right", "number"),
)
ROWS = (
    {"period": "2025-26 Q4", "value": "1,039.8%", "usual_low": "1%", "target": ""},
    {"period": "2026-27 Q1", "value": "", "usual_low": "1%", "target": "44.0%"},
    {"period": "2026-27 Q2", "value": "−0.5%", "usual_low": "1%", "target": "44.0%"},
)
TEXT = "The latest figure is 41%. It fell. " + "This sentence says more about it than fits. " * 12


def finding(id: str, tone: str, title: str = "Recycling: low against its own record") -> Block:
    return Block("finding", id, title, text=(TEXT,), tone=tone, notes=("A reason.",))


def figure(id: str, **said: Any) -> Block:
    told = {"alt": "41% in quarter 2.", "subtitle": "Share recycled", "source": "DEFRA"}
    table = Table("The data", COLUMNS, ROWS)
    return Block("figure", id, "Recycling", **{**told, "svg": SVG, "table": table} | said)


def report(*blocks: Block, **facts: Any) -> Report:
    return read_report(notebook(*blocks), META | facts)


def notebook(*blocks: Block) -> Any:
    outputs = [v4.new_output("display_data", data=each._repr_mimebundle_()) for each in blocks]
    return v4.new_notebook(cells=[v4.new_code_cell("show()", outputs=outputs)])


def whole() -> Report:
    return report(
        finding("a", "worse"),
        figure("a-chart"),
        figure("a-other"),
        finding("b", "neutral", "Nothing new"),
        figure("b-chart"),
        finding("c", "better"),
        Block("table", "t", "More", table=Table("More", COLUMNS, ROWS)),
        finding("d", "", "No tone"),
        figure("d-chart"),
    )


def slides(content: bytes) -> list[Any]:
    return list(Presentation(io.BytesIO(content)).slides)


def test_one_slide_for_each_exception_after_the_title() -> None:
    shown = slides(make_slides(whole()))
    titles = [slide.shapes.title.text for slide in shown]
    again = "Recycling: low against its own record"
    assert titles == ["Place: Trends", again, f"{again} (3)"]
    subtitles = [
        shape.text_frame.text
        for slide in shown
        for shape in slide.shapes
        if shape.name == "Subtitle"
    ]
    assert subtitles[1:] == ["◆ Unfavourable. Share recycled", "▲ Favourable. "]
    assert [shape.has_chart for shape in shown[1].shapes].count(True) == 1
    assert not any(shape.has_chart for shape in shown[2].shapes), "no figure stands below it"


def test_what_is_said_is_short_and_the_notes_have_the_rest() -> None:
    shown = slides(make_slides(whole()))[1]
    lines = [line.text for line in shown.placeholders[1].text_frame.paragraphs]
    assert lines[:2] == ["The latest figure is 41%.", "It fell."]
    assert len(" ".join(lines).split()) <= 50 and lines[-1].endswith(".")
    notes = shown.notes_slide.notes_text_frame.text
    for text in (" ".join(TEXT.split()), "41% in quarter 2.", "DEFRA"):
        assert text in " ".join(notes.split())
    long = report(finding("a", "worse", "One two three four five six seven eight nine ten eleven"))
    assert len(slides(make_slides(long))[1].shapes.title.text.split()) == 10


def test_chart_is_native_with_gaps_target_and_alternative_text() -> None:
    shown = slides(make_slides(whole()))[1]
    [frame] = [shape for shape in shown.shapes if shape.has_chart]
    assert frame._element.nvGraphicFramePr.cNvPr.get("descr") == "41% in quarter 2."
    plot = frame.chart.plots[0]
    assert list(plot.categories) == ["2025-26 Q4", "2026-27 Q1", "2026-27 Q2"]
    values = {series.name: series.values for series in plot.series}
    assert values == {"Value (%)": (1039.8, None, -0.5), "Target": (None, 44.0, 44.0)}
    assert frame.chart._chartSpace.xpath("//c:dispBlanksAs/@val") == ["gap"]
    book = load_workbook(io.BytesIO(frame.chart.part.chart_workbook.xlsx_part.blob))
    assert [cell.value for cell in book.active["B"]] == ["Value (%)", 1039.8, None, -0.5]


def test_reading_order_shape_of_screens_and_language() -> None:
    content = make_slides(report(finding("a", "worse"), figure("a-chart"), lang="cy"))
    show = Presentation(io.BytesIO(content))
    assert round(show.slide_width / show.slide_height, 3) == 1.778
    names = [shape.name for shape in show.slides[1].shapes]
    assert [name.partition(" ")[0] for name in names] == [
        "Title",
        "Subtitle",
        "Text",
        "Chart",
        "Source",
    ]
    for shape in (shape for slide in show.slides for shape in slide.shapes):
        assert shape.left >= 0 and shape.left + shape.width <= show.slide_width
        assert shape.top >= 0 and shape.top + shape.height <= show.slide_height
    about = show.core_properties
    assert (about.title, about.language, about.author) == (
        "Place: Trends",
        "cy",
        "Westshire Council",
    )
    parts = zipfile.ZipFile(io.BytesIO(content))
    for name in parts.namelist():
        if name.endswith(".xml"):
            assert b'lang="en' not in parts.read(name), name


def test_the_same_bytes_without_a_clock() -> None:
    content = make_slides(whole())
    assert make_slides(whole()) == content
    parts = zipfile.ZipFile(io.BytesIO(content))
    [book] = [name for name in parts.namelist() if name.endswith(".xlsx")]
    inside = zipfile.ZipFile(io.BytesIO(parts.read(book)))
    assert b"<dcterms" not in inside.read("docProps/core.xml") + parts.read("docProps/core.xml")
    times = {each.date_time for each in (*parts.infolist(), *inside.infolist())}
    assert times == {(1980, 1, 1, 0, 0, 0)}


def test_a_report_without_news_says_so() -> None:
    quiet = report(finding("a", "neutral"), figure("a-chart"))
    assert [slide.shapes.title.text for slide in slides(make_slides(quiet))] == [
        "Place: Trends",
        "Nothing to bring up from this report",
    ]
    with bank.spoken("cy"):
        assert slides(make_slides(quiet))[1].shapes.title.text.startswith("Dim byd i'w godi")


def test_a_forecast_is_drawn_and_only_as_many_periods_named_as_fit() -> None:
    keys = {"period": "Period", "value": "Value", "target": "Target", "middle": "Middle"}
    columns = tuple(Column(key, label, kind="number") for key, label in keys.items())
    rows = [{"period": f"20{n}-{n + 1} Q1", "value": "1,200 homes"} for n in range(10, 50)]
    rows[-1] = {"period": "2051-52", "middle": "1,300 homes", "target": "1,400 homes"}
    drawn = figure("a-chart", table=Table("Forecast", columns, tuple(rows)))
    shown = slides(make_slides(report(finding("a", "worse"), drawn)))[1]
    [chart] = [shape.chart for shape in shown.shapes if shape.has_chart]
    assert [series.name for series in chart.plots[0].series] == [
        "Value (homes)",
        "Target",
        "Middle",
    ]
    space = chart._chartSpace
    assert int(space.xpath("//c:catAx/c:tickLblSkip/@val")[0]) >= 5
    assert space.xpath("//c:ser[c:idx/@val='2']//a:prstDash/@val") == ["dash"]
    assert len(space.xpath("//c:ser/c:marker/c:symbol[@val='circle']")) == 3


@pytest.mark.parametrize("word", ["x" * 10_000, "It fell since a depot closed. " * 300])
def test_no_text_is_longer_than_its_place(word: str) -> None:
    for slide in slides(make_slides(hostile(word))):
        for shape in (each for each in slide.shapes if each.has_text_frame):
            assert len(shape.text_frame.text) < 900, shape.name


def test_what_a_report_lists_is_brought_up_and_no_caution_is_cut_off() -> None:
    text = "It is 41%. " + "It says a lot more here than fits. " * 9
    text += " ".join(f"Number {i} says more here than fits." for i in range(9))
    caution = "Depending on the method, that chance is 25% to 40%."
    low = Block("finding", "a", "Waste: somewhat worse", text=(text, caution), tone="neutral")
    items = (f"{low.title}. It is 41%.", "Homes, Q2: not met. It is known.", "No more than this.")
    listed = Block("finding", "exceptions", "What needs attention", text=items)
    shown = slides(make_slides(report(listed, low, figure("a-chart"))))
    titles = [slide.shapes.title.text for slide in shown[1:]]
    assert titles == ["Waste: somewhat worse", "Homes, Q2: not met"]
    told = shown[1].placeholders[1].text_frame.text.split("\n")
    assert told[0] == "It is 41%." and told[-1] == caution and "Number 8" not in str(told)
    assert shown[2].placeholders[1].text_frame.text == "It is known."
    assert [shape.has_chart for shape in shown[1].shapes].count(True) == 1


def test_what_is_listed_for_another_reason_has_the_latest_figure_chart_and_mark() -> None:
    waste = Block("finding", "a", "Waste: no clear change", text=("It is 41%.",), tone="neutral")
    items = ("Waste. The whole usual range falls short of the target of 50%.",)
    listed = Block("finding", "exceptions", "What needs attention", text=items)
    [_, shown] = slides(make_slides(report(listed, waste, figure("a-chart"))))
    assert shown.shapes.title.text == "Waste"
    told = shown.placeholders[1].text_frame.text.split("\n")
    assert told == [items[0].removeprefix("Waste. "), "It is 41%."]
    assert [shape.has_chart for shape in shown.shapes].count(True) == 1


def test_a_figure_without_periods_gets_no_chart() -> None:
    words = Table(
        "W", (Column("period", "Period"), Column("value", "V")), ({"value": "no number"},)
    )
    for table in (None, words):
        shown = slides(make_slides(report(finding("a", "worse"), figure("f", table=table))))
        assert not any(shape.has_chart for shape in shown[1].shapes)


def test_without_its_package_the_message_says_what_to_install(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    known = builtins.__import__

    def missing(name: str, *rest: Any, **kw: Any) -> Any:
        if name == "pptx":
            raise ImportError(name)
        return known(name, *rest, **kw)

    monkeypatch.setattr(builtins, "__import__", missing)
    with pytest.raises(PmfError) as refusal:
        make_slides(whole())
    assert refusal.value.problems[0].fix == "pip install pmf-analysis[slides]"


def test_nbconvert_exporter() -> None:
    source = notebook(finding("a", "worse"), figure("a-chart"))
    source.metadata["pmf"] = META
    content, resources = PmfSlidesExporter().from_notebook_node(source)
    assert len(slides(content)) == 2 and resources["output_extension"] == ".pptx"


def hostile(text: str) -> Report:
    rows = ({"period": text, "value": "1"}, {"period": text, "value": ""})
    columns = (Column("period", text), Column("value", text, kind="number"))
    said = {"text": (text, text), "notes": (text,), "source": text, "subtitle": text}
    blocks = (
        Block("finding", "a", text, tone="worse", **said),
        figure("b", alt=f"a{text}", table=Table(f"c{text}", columns, rows), **said),
        Block("finding", "c", text, tone="better", **said),
    )
    known = dict.fromkeys(("title", "council", "notice", "period"), text)
    parts = [Shown(block, 1) for block in blocks]
    facts = report().facts | known | {"brand": {"colour": text}}
    return Report(facts, [Section("a", text, list(parts))])


@pytest.mark.parametrize(
    "text",
    [
        "<script>alert(1)</script> & ]]>",
        '=HYPERLINK("http://evil.example")',
        "{=1+1}",
        "http://evil.example/",
        "{{ 7 * 7 }} {% for %}",
        "null \x00 \x0b lone \ud800 \ufffe \u202eevil",
        "x" * 10_000,
        "👩‍👩‍👧 Ŵyr Tŷ â ê ô",
    ],
)
def test_hostile_text_is_text(text: str) -> None:
    shown = slides(make_slides(hostile(text)))
    assert len({slide.shapes.title.text for slide in shown}) == 3
    assert not any("hlinkClick" in str(slide._element.xpath("//a:hlinkClick")) for slide in shown)
    [chart] = [shape.chart for shape in shown[1].shapes if shape.has_chart]
    book = load_workbook(io.BytesIO(chart.part.chart_workbook.xlsx_part.blob))
    cells = [cell for row in book.active for cell in row]
    assert not any(cell.data_type == "f" or cell.hyperlink for cell in cells)


@settings(max_examples=30, deadline=None)
@given(st.text(alphabet=st.characters(), max_size=40))
def test_any_text_makes_slides_that_open(text: str) -> None:
    assert len(slides(make_slides(hostile(text)))) == 3


def test_libreoffice_opens_them(tmp_path: Path) -> None:
    program = shutil.which("soffice")
    if program is None:
        reason = "no LibreOffice found: install libreoffice-impress"
        if os.environ.get("PMF_REQUIRE_BROWSER") == "1":
            pytest.fail(reason)
        pytest.skip(reason)
    import pikepdf

    (tmp_path / "slides.pptx").write_bytes(make_slides(whole()))
    profile = f"-env:UserInstallation={(tmp_path / 'profile').as_uri()}"
    command = [program, profile, "--headless", "--convert-to", "pdf", "--outdir", str(tmp_path)]
    subprocess.run(
        [*command, str(tmp_path / "slides.pptx")], check=True, capture_output=True, timeout=180
    )
    with pikepdf.open(tmp_path / "slides.pdf") as pdf:
        assert len(pdf.pages) == 3
