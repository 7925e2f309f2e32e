"""Word documents as Word is strict about them: order of elements, ids, references, kinds of part.

Word itself cannot be run here. The orders are those of the transitional schema of ECMA-376.
"""

from __future__ import annotations

import base64
import io
import posixpath
import zipfile
from typing import Any

import pytest
from docx import Document
from lxml import etree

from pmf_analysis.documents.pictures import png_of
from pmf_analysis.documents.reading import Report
from pmf_analysis.documents.word import make_word

from .test_word import SVG, W, attributes, body, sample_template, stored, whole, words

RELATED = "{http://schemas.openxmlformats.org/officeDocument/2006/relationships}"
DRAWN = "{http://schemas.openxmlformats.org/drawingml/2006/wordprocessingDrawing}"
ORDER = {
    name: order.split()
    for name, order in {
        "pPr": "pStyle keepNext keepLines pageBreakBefore framePr widowControl numPr "
        "suppressLineNumbers pBdr shd tabs suppressAutoHyphens kinsoku wordWrap overflowPunct "
        "topLinePunct autoSpaceDE autoSpaceDN bidi adjustRightInd snapToGrid spacing ind "
        "contextualSpacing mirrorIndents suppressOverlap jc textDirection textAlignment "
        "textboxTightWrap outlineLvl divId cnfStyle rPr sectPr pPrChange",
        "rPr": "rStyle rFonts b bCs i iCs caps smallCaps strike dstrike outline shadow emboss "
        "imprint noProof snapToGrid vanish webHidden color spacing w kern position sz szCs "
        "highlight u effect bdr shd fitText vertAlign rtl cs em lang eastAsianLayout specVanish",
        "tblPr": "tblStyle tblpPr tblOverlap bidiVisual tblStyleRowBandSize tblStyleColBandSize "
        "tblW jc tblCellSpacing tblInd tblBorders shd tblLayout tblCellMar tblLook tblCaption "
        "tblDescription",
        "tcPr": "cnfStyle tcW gridSpan hMerge vMerge tcBorders shd noWrap tcMar textDirection "
        "tcFitText vAlign hideMark",
        "sectPr": "headerReference footerReference footnotePr endnotePr type pgSz pgMar paperSrc "
        "pgBorders lnNumType pgNumType cols formProt vAlign noEndnote titlePg textDirection bidi "
        "rtlGutter docGrid printerSettings",
        "style": "name aliases basedOn next link autoRedefine hidden uiPriority semiHidden "
        "unhideWhenUsed qFormat locked personal personalCompose personalReply rsid pPr rPr tblPr "
        "trPr tcPr tblStylePr",
        "styles": "docDefaults latentStyles style",
        "docDefaults": "rPrDefault pPrDefault",
        "tblStylePr": "pPr rPr tblPr trPr tcPr",
        "settings": "writeProtection view zoom proofState attachedTemplate defaultTabStop "
        "characterSpacingControl savePreviewPicture compat rsids mathPr themeFontLang "
        "clrSchemeMapping doNotAutoCompressPictures shapeDefaults decimalSymbol listSeparator "
        "docId defaultImageDpi",
        "pBdr": "top left bottom right between bar",
        "tblBorders": "top left start bottom right end insideH insideV",
        "tcBorders": "top left start bottom right end insideH insideV",
        "tblCellMar": "top left start bottom right end",
        "tbl": "tblPr tblGrid tr",
        "tr": "tblPrEx trPr tc",
        "inline": "extent effectExtent docPr cNvGraphicFramePr graphic",
        "pic": "nvPicPr blipFill spPr",
        "blipFill": "blip srcRect stretch",
    }.items()
}


def logo(kind: str) -> Report:
    drawn = SVG.replace("viewBox", 'width="76mm" height="30mm" viewBox')
    content = {"svg+xml": f'<?xml version="1.0"?>\n{drawn}'.encode(), "png": png_of(SVG, 90)}[kind]
    address = f"data:image/{kind};base64,{base64.b64encode(content).decode()}"
    report = whole(markdown="## Words\n\n- one\n\n### Part\n\n1. two\n\n[a](https://example.org)")
    brand = report.facts["brand"] | {"logo": address, "logo_alt": "Westshire Council's oak"}
    return Report(report.facts | {"brand": brand}, report.sections)


def bare_template() -> Any:
    """Two columns, and hardly a style."""
    template = sample_template()
    styles = template.styles.element
    for each in styles.xpath("w:docDefaults|w:style[not(@w:default='1')]"):
        if not str(each.get(f"{W}styleId")).startswith(("Header", "Footer")):
            styles.remove(each)
    template.sections[0]._sectPr.xpath("w:cols")[0].set(f"{W}num", "2")
    return template


TEMPLATES = {"own look": None, "template": sample_template, "bare template": bare_template}


@pytest.fixture(params=TEMPLATES, scope="module")
def made(request: pytest.FixtureRequest) -> bytes:
    """A whole report, on each kind of template."""
    template = TEMPLATES[request.param]
    return make_word(logo("svg+xml"), template and stored(template()))


def parts(content: bytes) -> dict[str, Any]:
    with zipfile.ZipFile(io.BytesIO(content)) as file:
        names = [name for name in file.namelist() if name.endswith((".xml", ".rels"))]
        return {name: etree.fromstring(file.read(name)) for name in names}


def test_elements_stand_in_the_order_of_the_schema(made: bytes) -> None:
    seen = set()
    for name, root in parts(made).items():
        for node in root.iter(etree.Element):
            order = ORDER.get(etree.QName(node).localname)
            if order is None or "/theme/" in name:
                continue
            kids = [etree.QName(kid).localname for kid in node]
            places = [order.index(kid) for kid in kids if kid in order]
            told = (name, etree.QName(node).localname, kids)
            assert places == sorted(places), told
            assert len(places) == len(kids), told
            seen.add(etree.QName(node).localname)
    assert {"pPr", "rPr", "tblPr", "tcPr", "sectPr", "style", "inline", "pBdr"} <= seen


def test_cells_end_with_a_paragraph_and_no_paragraph_is_empty(made: bytes) -> None:
    document = body(made)
    assert all(cell[-1].tag == f"{W}p" for cell in document.iter(f"{W}tc"))
    assert document[0][-1].tag == f"{W}sectPr"
    assert document[0][-2].tag == f"{W}p"
    filled = (f"{W}t", f"{W}drawing")
    for paragraph in document.iter(f"{W}p"):
        assert any(each.tag in filled and (len(each) or (each.text or "").strip())
                   for each in paragraph.iter(*filled))  # fmt: skip


def test_ids_are_unique_and_every_reference_leads_somewhere(made: bytes) -> None:
    told = parts(made)
    for tag, key in ((f"{DRAWN}docPr", "id"), (f"{W}bookmarkStart", f"{W}id")):
        ids = [node.get(key) for root in told.values() for node in root.iter(tag)]
        assert len(ids) == len({*ids}) and ids
    ids = [node.get(f"{W}styleId") for node in told["word/styles.xml"].iter(f"{W}style")]
    assert len(ids) == len({*ids})
    for name in {*told} - {"word/numbering.xml"}:  # python-docx's has lists that nothing uses
        root = told[name]
        for kind in ("pStyle", "rStyle", "tblStyle", "basedOn", "next", "link"):
            used = {node.get(f"{W}val") for node in root.iter(f"{W}{kind}")}
            assert used <= {*ids}, kind
    numbers = {node.get(f"{W}numId") for node in told["word/numbering.xml"].iter(f"{W}num")}
    styled = {node.get(f"{W}val") for node in told["word/styles.xml"].iter(f"{W}numId")}
    assert styled <= numbers


def test_every_part_is_there_and_has_a_kind(made: bytes) -> None:
    told, files = parts(made), zipfile.ZipFile(io.BytesIO(made)).namelist()
    types = told["[Content_Types].xml"]
    named = {node.get("PartName") for node in types}
    endings = {node.get("Extension") for node in types}
    assert all(f"/{f}" in named or f.rpartition(".")[2] in endings for f in files)
    for name, root in told.items():
        if not name.endswith(".rels"):
            continue
        place = posixpath.dirname(posixpath.dirname(name))
        source = told.get(f"{place}/{posixpath.basename(name).removesuffix('.rels')}")
        for each in root:
            inside = posixpath.normpath(posixpath.join(place, each.get("Target")))
            assert each.get("TargetMode") == "External" or inside.lstrip("/") in files
        if source is not None:
            used = {value for node in source.iter() for key, value in node.attrib.items()
                    if str(key).startswith(RELATED)}  # fmt: skip
            assert used <= {each.get("Id") for each in root}


def test_contents_list_every_heading_below_the_title(made: bytes) -> None:
    document = Document(io.BytesIO(made))
    headings = [(p.style.name[-1], p.text) for p in document.paragraphs
                if p.style.name.startswith("Heading")]  # fmt: skip
    entries = [(p.style.name[-1], p.text) for p in document.paragraphs
               if p.style.name.lower().startswith("toc ")]  # fmt: skip
    assert entries == headings[1:]
    assert ("3", "A better") in entries and ("3", "Part") in entries
    assert r'TOC \o "2-3"' in "".join(body(made).itertext(f"{W}instrText"))


def test_headings_and_captions_stay_with_what_is_below_and_findings_may_leave_their_chart(
    made: bytes,
) -> None:
    for paragraph in Document(io.BytesIO(made)).paragraphs:
        name, follows = paragraph.style.name, paragraph.paragraph_format.keep_with_next
        if name.startswith("Heading") or name == "Caption":
            assert follows, "whatever the template's style says"
        if name in ("PMF Subtitle", "PMF Picture"):
            assert paragraph.style.paragraph_format.keep_with_next
        if name.startswith("PMF Finding"):
            assert bool(follows) == ("avourable" in paragraph.text)


def test_the_page_has_one_column_and_words_have_a_language(made: bytes) -> None:
    assert not [*body(made).iter(f"{W}cols")]
    spoken = parts(made)["word/styles.xml"].iter(f"{W}lang")
    assert [node.get(f"{W}val") for node in spoken] == ["en-GB"]


@pytest.mark.parametrize("kind", ["svg+xml", "png"])
def test_the_logo_of_a_council_leads_its_report(kind: str) -> None:
    content = make_word(logo(kind))
    [first, *_] = body(content).iter(f"{DRAWN}inline")
    size = first.find(f"{DRAWN}extent")
    assert first.find(f"{DRAWN}docPr").get("descr") == "Westshire Council's oak"
    assert (int(size.get("cx")), int(size.get("cy"))) in {(1459200, 576000), (1440000, 576000)}
    paragraph = next(first.iterancestors(f"{W}p"))
    assert "".join(paragraph.getnext().itertext(f"{W}t")) == "Westshire Council"
    assert "Westshire Council's oak" not in attributes(
        make_word(logo(kind), stored(sample_template())), f"{DRAWN}docPr", "descr"
    )


def test_a_logo_without_size_is_left_out() -> None:
    report = logo("svg+xml")
    drawing = base64.b64encode(b'<svg xmlns="http://www.w3.org/2000/svg" width="100%"/>').decode()
    brand = report.facts["brand"] | {"logo": f"data:image/svg+xml;base64,{drawing}"}
    content = make_word(Report(report.facts | {"brand": brand}, report.sections))
    assert len(attributes(content, f"{DRAWN}docPr", "id")) == 2
    assert "Westshire Council" in words(content)


def test_a_welsh_document_is_welsh_throughout() -> None:
    report = whole()
    told = parts(make_word(Report(report.facts | {"lang": "cy"}, report.sections)))
    for name, root in told.items():
        spoken = [node.get(f"{W}val") for node in root.iter(f"{W}lang", f"{W}themeFontLang")]
        assert {*spoken} <= {"cy"}, name
