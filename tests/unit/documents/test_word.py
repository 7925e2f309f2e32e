"""Word documents: their parts, templates, hostile text, what LibreOffice makes of them."""

from __future__ import annotations

import io
import os
import re
import shutil
import subprocess
import zipfile
from itertools import pairwise
from pathlib import Path
from typing import Any

import nbformat.v4 as v4
import pikepdf
import pytest
from docx import Document
from docx.enum.section import WD_ORIENT
from docx.enum.style import WD_STYLE_TYPE
from docx.shared import Cm, RGBColor
from hypothesis import given, settings
from hypothesis import strategies as st
from lxml import etree

from pmf_analysis.documents.exporters import PmfWordExporter
from pmf_analysis.documents.pictures import one_drawing, png_of, size_of
from pmf_analysis.documents.reading import Report, read_report
from pmf_analysis.documents.word import make_word
from pmf_analysis.problems import PmfError
from pmf_analysis.story.blocks import Block, Column, Table
from pmf_analysis.story.style import PANEL_SVG

W = "{http://schemas.openxmlformats.org/wordprocessingml/2006/main}"
SVG = (
    '<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 760 300" font-family="Arial, sans-serif">'
    '<path d="M0 0L700 290" stroke="#12436D"/><text x="9" y="40">39.8%</text></svg>'
)
PANEL = (
    f'{PANEL_SVG}xmlns="http://www.w3.org/2000/svg" width="260" viewBox="0 0 260 174">'
    '<path d="M0 0L99 99" stroke="#12436D"/></svg>'
)
COLUMNS = (
    Column("name", "Indicator"),
    Column("trend", "Trend", kind="spark"),
    Column("value", "Latest", "right", "number"),
    Column("verdict", "Status", kind="status"),
)
WORDS = {"improving": "Improving", "worsening": "Worsening", "similar": "Similar"}
ROWS = tuple(
    {"name": f"Measure {code}", "trend": SVG, "value": "39.8%", "verdict": code} for code in WORDS
)
META = {
    "council": "Westshire Council",
    "notice": "Westshire is a fictional council.",
    "theme": "Place",
    "analysis": "Trends",
    "period": "Quarter 2 (July to September) 2026-27",
    "as_at": "2026-10-31",
    "contact": "performance@westshire.example",
    "brand": {"licence": "Open Government Licence", "licence_url": "https://example.org/ogl"},
}
HOSTILE = (
    "<script>alert(1)</script> & ]]> \"'",
    '=HYPERLINK("http://evil.example")',
    "{{ 7 * 7 }}{% for a in b %} ${x}",
    '{ HYPERLINK "http://evil.example" } { INCLUDETEXT "c:\\secret" }',
    "## Not a heading [a](javascript:alert(1)) ![x](http://evil.example/x.png)",
    "\u202eevil\u202c \u2067rtl\u2069 שלום مرحبا",
    "null \x00 bell \x07 lone \ud800 not \ufffe vertical \x0b",
    "x" * 10_000,
    "👩‍👩‍👧 Ŵyr Tŷ â ê ô",
)


def figure(id: str = "chart-a", **said: Any) -> Block:
    told = {"alt": "39.8% in quarter 2.", "subtitle": "Recycling", "source": "DEFRA", "svg": SVG}
    return Block("figure", id, "Recycling is up", **told | said)


def notebook(*blocks: Block, markdown: str = "## At a glance\n\nPlain words.") -> Any:
    outputs = [v4.new_output("display_data", data=each._repr_mimebundle_()) for each in blocks]
    cells = [v4.new_markdown_cell("# Trends\n\n**Is it real?** This report says.")]
    return v4.new_notebook(
        cells=[*cells, v4.new_markdown_cell(markdown), v4.new_code_cell("show()", outputs=outputs)]
    )


def whole(*more: Block, markdown: str = "## At a glance\n\nPlain words.") -> Report:
    tones = ("better", "worse", "neutral", "")
    findings = [
        Block("finding", f"found-{t or 'x'}", f"A {t}", text=("B.",), tone=t) for t in tones
    ]
    table = Block("table", "key", "Key figures", table=Table("Key figures", COLUMNS, ROWS, WORDS))
    panels = figure("panels", svg=PANEL * 4)
    note = Block("note", "reading", "Chances are estimates", text=("No promise.",))
    blocks = (*findings, table, figure(notes=("1. An event.",)), panels, note, *more)
    return read_report(notebook(*blocks, markdown=markdown), META)


def body(content: bytes) -> Any:
    return etree.fromstring(zipfile.ZipFile(io.BytesIO(content)).read("word/document.xml"))


def words(content: bytes) -> str:
    return "".join(body(content).itertext(f"{W}t"))


def attributes(content: bytes, name: str, attribute: str) -> list[str]:
    return [node.get(attribute) for node in body(content).iter(name)]


def test_headings_begin_at_the_first_level_and_never_jump() -> None:
    document = Document(io.BytesIO(make_word(whole())))
    styles = [each.style.name for each in document.paragraphs if each.style]
    levels = [int(name[-1]) for name in styles if name.startswith("Heading")]
    assert levels[0] == 1 and levels.count(1) == 1
    assert all(after - before <= 1 for before, after in pairwise(levels))
    assert levels.count(3) == 5  # findings and note; the table's title is its caption


def test_every_table_has_header_row_caption_and_columns_that_fit_the_page() -> None:
    content = make_word(whole())
    [table] = body(content).iter(f"{W}tbl")
    assert table.find(f".//{W}tblLook").get(f"{W}firstRow") == "1"
    assert table.find(f".//{W}tblCaption").get(f"{W}val") == "Key figures"
    rows = table.findall(f"{W}tr")
    assert [row.find(f".//{W}tblHeader") is not None for row in rows] == [True, *[False] * 3]
    assert all(row.find(f".//{W}cantSplit") is not None for row in rows)
    cells = ["".join(cell.itertext(f"{W}t")) for cell in rows[1].iter(f"{W}tc")]
    assert cells == ["Measure improving", "39.8%", "▲\u00a0Improving"]
    aligned = [cell.find(f".//{W}jc") is not None for cell in rows[1].iter(f"{W}tc")]
    assert aligned == [False, True, False]
    widths = [int(column.get(f"{W}w")) for column in table.iter(f"{W}gridCol")]
    assert 9000 < sum(widths) <= 9638


def test_one_long_row_stands_upright_and_no_word_is_broken() -> None:
    columns = tuple(Column(f"c{n}", f"Heading number {n}", "right") for n in range(9))
    table = Table("All", columns, ({f"c{n}": f"{n}" for n in range(9)},))
    content = make_word(whole(Block("table", "wide", "All", table=table)))
    rows = list(body(content).iter(f"{W}tbl"))[-1].findall(f"{W}tr")
    assert len(rows) == 9
    assert "".join(rows[0].itertext(f"{W}t")) == "Heading number 00"
    long = Table(
        "Long", (Column("a", "A"), Column("b", "B")), ({"a": "Homelessness", "b": "x y" * 99},)
    )
    content = make_word(whole(Block("table", "long", "Long", table=long)))
    first = list(body(content).iter(f"{W}gridCol"))[-2]
    assert int(first.get(f"{W}w")) >= len("Homelessness") * 110


def test_every_picture_has_its_alternative_text_as_drawing_and_as_png() -> None:
    content = make_word(whole())
    name = "{http://schemas.openxmlformats.org/drawingml/2006/wordprocessingDrawing}docPr"
    assert attributes(content, name, "descr") == ["39.8% in quarter 2."] * 2
    parts = zipfile.ZipFile(io.BytesIO(content)).namelist()
    kinds = [Path(each).suffix for each in parts if each.startswith("word/media/")]
    assert sorted(kinds) == [".png", ".png", ".svg", ".svg"]


def test_language_title_and_author_but_no_clock_and_the_same_bytes() -> None:
    content = make_word(whole())
    assert make_word(whole()) == content
    about = Document(io.BytesIO(content)).core_properties
    said = (about.title, about.subject, about.author, about.language)
    assert said == ("Place: Trends", META["period"], "Westshire Council", "en-GB")
    parts = zipfile.ZipFile(io.BytesIO(content))
    assert {each.date_time for each in parts.infolist()} == {(1980, 1, 1, 0, 0, 0)}
    assert b"<dcterms" not in parts.read("docProps/core.xml")
    styles = etree.fromstring(parts.read("word/styles.xml"))
    assert {node.get(f"{W}val") for node in styles.iter(f"{W}lang")} == {"en-GB"}
    assert not styles.xpath("//@*[contains(local-name(), 'Theme')]")
    welsh = Report(whole().facts | {"lang": "cy"}, whole().sections)
    assert b'w:val="cy"' in zipfile.ZipFile(io.BytesIO(make_word(welsh))).read("word/styles.xml")


def test_parts_in_another_language_say_so() -> None:
    report = whole(
        Block("note", "n", "T", text=("Mae Bus use yn well.",), asides={"Bus use": "en"})
    )
    runs = body(make_word(report)).iter(f"{W}r")
    spoken = {
        "".join(run.itertext(f"{W}t")): run.xpath(
            "string(w:rPr/w:lang/@w:val)", namespaces={"w": W.strip("{}")}
        )
        for run in runs
    }
    assert spoken["Bus use"] == "en-GB" and spoken[" yn well."] == ""


def test_captions_count_by_words_own_fields_and_contents_lead_to_headings() -> None:
    content = make_word(whole())
    fields = attributes(content, f"{W}fldSimple", f"{W}instr")
    assert fields == [" SEQ Table \\* ARABIC ", *[" SEQ Figure \\* ARABIC "] * 2]
    assert "Figure 1: Recycling is up" in words(content)
    marks = attributes(content, f"{W}bookmarkStart", f"{W}name")
    targets = [each for each in attributes(content, f"{W}hyperlink", f"{W}anchor") if each]
    assert len(set(marks)) == len(marks) and targets == marks
    named = {
        mark.getparent().find(f"{W}bookmarkStart").get(f"{W}name"): "".join(
            mark.getparent().itertext(f"{W}t")
        )
        for mark in body(content).iter(f"{W}bookmarkStart")
    }
    entries = {
        link.get(f"{W}anchor"): "".join(link.itertext(f"{W}t"))
        for link in body(content).iter(f"{W}hyperlink")
        if link.get(f"{W}anchor")
    }
    assert entries.items() <= named.items()


def test_tones_are_told_by_bar_shape_and_word() -> None:
    content = make_word(whole())
    for word in ("▲ Favourable", "◆ Unfavourable"):
        assert word in words(content)
    assert "Neutral" not in words(content), "a finding without a tone says what it is in its title"
    used = set(attributes(content, f"{W}pStyle", f"{W}val"))
    assert {"PMFFindingbetter", "PMFFindingworse", "PMFFindingneutral", "PMFFinding"} <= used


def test_markdown_is_words_with_links_to_web_and_mail_only() -> None:
    markdown = (
        "## Words\n\nSome **bold**, *slanted* and [a guide](https://example.org/a?b=1).\n\n"
        "- one\n- two\n\n"
        f"1. first\n\n[bad](javascript:alert(1)) [file]({LOCAL}etc/passwd) [here](results.csv)\n\n"
        "[mail](mailto:a@example.org)\n\n<b onclick='x'>raw</b>"
    )
    content = make_word(whole(markdown=markdown))
    parts = zipfile.ZipFile(io.BytesIO(content))
    related = etree.fromstring(parts.read("word/_rels/document.xml.rels"))
    outside = {each.get("Target") for each in related if each.get("TargetMode") == "External"}
    wanted = {"https://example.org/a?b=1", "mailto:a@example.org", "https://example.org/ogl"}
    assert outside == wanted | {"mailto:performance@westshire.example"}
    for text in ("bad", "file", "here", "<b onclick='x'>raw</b>"):
        assert text in words(content)
    styled = {each.text: each for p in Document(io.BytesIO(content)).paragraphs for each in p.runs}
    assert styled["bold"].bold and styled["slanted"].italic
    lists = [
        p.text for p in Document(io.BytesIO(content)).paragraphs if p.style.name == "List Bullet"
    ]
    assert lists == ["one", "two"]


def hostile(text: str) -> Report:
    title = text or "-"
    columns = (
        Column("a", text),
        Column("b", text, "right", "number"),
        Column("c", "C", kind="status"),
    )
    row = {"a": text, "b": text, "c": text}
    table = Table(f"c{text}", columns, (row, row), {text: text})
    said = {"text": (text, text), "notes": (text,), "source": text}
    blocks = (
        Block("finding", "a", title, tone="worse", **said),
        figure("b", alt=f"a{text}", **said),
        Block("table", "c", title, table=table, **said),
    )
    facts = META | {"council": text, "notice": text, "contact": text, "title": text, "period": text}
    facts["content_hash"] = "0123456789ab"
    brand = dict.fromkeys(("licence", "licence_url", "footer", "colour", "contact"), text)
    report = read_report(notebook(*blocks, markdown="## At a glance"), facts | {"brand": brand})
    report.sections[-1].heading = text
    return report


@pytest.mark.parametrize("text", HOSTILE)
def test_hostile_text_is_text(text: str) -> None:
    content = make_word(hostile(text))
    kept = re.sub("[^ -\ufffd\U00010000-\U0010ffff]|[\u202a-\u202e\u2066-\u2069]", "", text)
    kept = re.sub("[\ud800-\udfff]", "\ufffd", kept)
    assert words(content).count(kept) > 10
    fields = {*attributes(content, f"{W}fldSimple", f"{W}instr")}
    fields |= {"".join(node.itertext()) for node in body(content).iter(f"{W}instrText")}
    assert {each.split()[0] for each in fields} == {"SEQ", "TOC"}
    assert (
        "TargetMode"
        not in zipfile.ZipFile(io.BytesIO(content)).read("word/_rels/document.xml.rels").decode()
    )
    assert Document(io.BytesIO(content)).core_properties.title


@settings(max_examples=30, deadline=None)
@given(st.text(alphabet=st.characters(), max_size=40))
def test_any_text_makes_a_document_that_opens(text: str) -> None:
    document = Document(io.BytesIO(make_word(hostile(text))))
    assert document.paragraphs


# The council's own template


LOCAL = "file:" + "/" * 3  # of files on this machine


def sample_template() -> Any:
    document = Document()
    section = document.sections[0]
    section.orientation = WD_ORIENT.LANDSCAPE
    section.page_width, section.page_height = Cm(29.7), Cm(21)
    section.header.paragraphs[0].add_run("Header of the council").add_picture(
        io.BytesIO(png_of(SVG, 90))
    )
    section.footer.paragraphs[0].text = "Footer of the council"
    document.styles["Heading 1"].font.color.rgb = RGBColor(0x80, 0x16, 0x50)
    document.add_paragraph("Sample text that goes")
    document.add_picture(io.BytesIO(png_of(SVG, 321)))
    document.core_properties.author = "A. Person"
    return document


def stored(document: Any) -> bytes:
    made = io.BytesIO()
    document.save(made)
    return made.getvalue()


def test_styles_header_footer_and_page_of_a_template_stay_and_its_text_goes() -> None:
    content = make_word(whole(), stored(sample_template()))
    document = Document(io.BytesIO(content))
    section = document.sections[-1]
    assert round(section.page_width.cm, 1) == 29.7
    assert section.header.paragraphs[0].text == "Header of the council"
    assert section.footer.paragraphs[0].text == "Footer of the council"
    assert str(document.styles["Heading 1"].font.color.rgb) == "801650"
    assert "Sample text" not in words(content)
    parts = zipfile.ZipFile(io.BytesIO(content))
    pictures = [name for name in parts.namelist() if name.endswith(".png")]
    assert len(pictures) == 3  # of the header, and of two figures; not of the sample
    assert b"A. Person" not in parts.read("docProps/core.xml")
    assert "docProps/app.xml" not in parts.namelist()
    assert make_word(whole(), stored(sample_template())) == content
    grid = [int(column.get(f"{W}w")) for column in body(content).iter(f"{W}gridCol")]
    assert sum(grid) > 9638, "columns are as wide as the template's page allows"


def test_styles_that_a_template_lacks_are_added_under_their_own_names() -> None:
    template = sample_template()
    for name in ("Heading 2", "Caption", "List Bullet", "TOC Heading"):
        template.styles[name].delete()
    template.styles.add_style("PMF Source", WD_STYLE_TYPE.PARAGRAPH).font.size = Cm(1)
    content = make_word(whole(markdown="## Words\n\n- one"), stored(template))
    document = Document(io.BytesIO(content))
    assert document.styles["Heading 2"].font.bold and document.styles["Caption"].font.bold
    assert abs(document.styles["PMF Source"].font.size - Cm(1)) < Cm(0.02)
    assert "• one" in [paragraph.text for paragraph in document.paragraphs]
    ids = [style.style_id for style in document.styles]
    assert len(set(ids)) == len(ids)
    assert set(attributes(content, f"{W}pStyle", f"{W}val")) <= {*ids}


def test_where_a_template_came_from_is_not_told() -> None:
    template = sample_template()
    part = template.part.part_related_by(f"{RELATED}/settings")
    id = part.relate_to(
        f"{LOCAL}server/secret.dotm", f"{RELATED}/attachedTemplate", is_external=True
    )
    made = etree.SubElement(template.settings.element, f"{W}attachedTemplate")
    made.set(f"{{{RELATED}}}id", id)
    parts = zipfile.ZipFile(io.BytesIO(make_word(whole(), stored(template))))
    assert not any(b"secret.dotm" in parts.read(name) for name in parts.namelist())


RELATED = "http://schemas.openxmlformats.org/officeDocument/2006/relationships"


def changed(content: bytes, part: str, old: str, new: str) -> bytes:
    made = io.BytesIO()
    with zipfile.ZipFile(io.BytesIO(content)) as source, zipfile.ZipFile(made, "w") as target:
        for name in source.namelist():
            text = source.read(name)
            target.writestr(
                name, text.replace(old.encode(), new.encode()) if name == part else text
            )
    return made.getvalue()


def refused() -> dict[str, bytes]:
    content, types = stored(sample_template()), "[Content_Types].xml"
    outside = sample_template()
    outside.sections[0].header.part.relate_to(
        "http://x.example/a.png", f"{RELATED}/image", is_external=True
    )
    kind = "wordprocessingml.document.main+xml"
    macros = changed(
        content,
        types,
        "application/vnd.openxmlformats-officedocument.theme+xml",
        "application/vnd.ms-office.vbaProject",
    )
    return {
        "empty": b"",
        "words": b"not a document",
        "cut": content[: len(content) // 2],
        "torn": changed(content, "word/document.xml", "</w:body>", ""),
        "dotx": changed(content, types, kind, "wordprocessingml.template.main+xml"),
        "docm": changed(
            content,
            types,
            f"openxmlformats-officedocument.{kind}",
            "ms-word.document.macroEnabled.main+xml",
        ),
        "macros": macros,
        "fetches": stored(outside),
    }


@pytest.mark.parametrize("name", list(refused()))
def test_a_template_that_cannot_or_may_not_be_used_is_refused_in_plain_words(name: str) -> None:
    with pytest.raises(PmfError) as refusal:
        make_word(whole(), refused()[name])
    [problem] = refusal.value.problems
    wanted = "word-template-active" if name in ("macros", "fetches") else "word-template-unusable"
    assert problem.code == wanted and "save" in problem.fix


def test_nbconvert_exporter_takes_a_template(tmp_path: Path) -> None:
    path = tmp_path / "council.docx"
    path.write_bytes(stored(sample_template()))
    source = notebook(figure())
    source.metadata["pmf"] = META
    content, resources = PmfWordExporter(template_path=str(path)).from_notebook_node(source)
    assert "Recycling is up" in words(content) and resources["output_extension"] == ".docx"
    assert Document(io.BytesIO(content)).sections[0].header.paragraphs[0].text.startswith("Header")


# Pictures


def test_pictures_are_as_wide_as_asked_and_small_multiples_are_one() -> None:
    import PIL.Image

    assert PIL.Image.open(io.BytesIO(png_of(SVG, 380))).size == (380, 150)
    joined = one_drawing(PANEL * 4)
    assert size_of(joined) == (3 * 260 + 2 * 20, 2 * 174 + 20)
    assert len(PIL.Image.open(io.BytesIO(png_of(joined, 820))).getcolors(9999)) > 1
    assert one_drawing(SVG) == SVG


@pytest.mark.parametrize(
    "svg",
    [
        "<svg",
        '<svg xmlns="http://www.w3.org/2000/svg"/>',
        '<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 9 0"/>',
        '<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 1 99999"/>',
        '<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 nan 9"/>',
        SVG.replace("<path", f'<image href="{LOCAL}etc/passwd"/><path'),
        SVG.replace("</svg>", f"<text>{'x' * 2_000_001}</text></svg>"),
    ],
)
def test_what_is_no_chart_is_refused(svg: str) -> None:
    with pytest.raises(PmfError):
        png_of(svg, 760)


# What LibreOffice makes of it


def converted(content: bytes, name: str, folder: Path, kind: str = "pdf") -> Path:
    """Open a file in LibreOffice, as a person would, and print it; skip where there is none."""
    program = shutil.which("soffice")
    if program is None:
        reason = "no LibreOffice found: install libreoffice-writer and libreoffice-impress"
        if os.environ.get("PMF_REQUIRE_BROWSER") == "1":
            pytest.fail(reason)
        pytest.skip(reason)
    (folder / name).write_bytes(content)
    profile = f"-env:UserInstallation={(folder / 'profile').as_uri()}"
    command = [program, profile, "--headless", "--convert-to", kind, "--outdir", str(folder)]
    subprocess.run([*command, str(folder / name)], check=True, capture_output=True, timeout=180)
    return folder / f"{Path(name).stem}.pdf"


UA = 'pdf:writer_pdf_Export:{"PDFUACompliance":{"type":"boolean","value":"true"}}'


@pytest.mark.parametrize("with_template", [False, True])
def test_libreoffice_makes_accessible_pdf_of_it(with_template: bool, tmp_path: Path) -> None:
    from outloud import check

    long = Table("Long", COLUMNS, ROWS * 14, WORDS)
    report = whole(Block("table", "long", "Long", table=long), markdown="## Words\n\n- one\n- two")
    template = stored(sample_template()) if with_template else None
    printed = converted(make_word(report, template), "report.docx", tmp_path, UA)
    with pikepdf.open(printed, allow_overwriting_input=True) as pdf:
        assert str(pdf.docinfo["/Title"]) == "Place: Trends" and str(pdf.Root.Lang) == "en-GB"
        # LibreOffice says nothing of the order of links, whatever a document holds.
        for page in pdf.pages:
            page.Tabs = pikepdf.Name.S
        pdf.save(printed)
    found = [each for each in check(str(printed)).findings if each.severity == "error"]
    assert not found, found


def test_a_document_is_small_enough_to_send() -> None:
    assert len(make_word(whole())) < 60_000
