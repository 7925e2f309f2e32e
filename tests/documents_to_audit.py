"""Small documents without a fault, one for each kind, to be broken by hand."""

from __future__ import annotations

import io
import zipfile

import nbformat.v4 as v4
import pikepdf
from pikepdf import Array, Dictionary, Name, String

from pmf_analysis.documents.html import render_report
from pmf_analysis.story.blocks import Block, Column, Table

ALT = "Recycling was 39.8% in quarter 2, inside its usual range of 36% to 43%."
SVG = '<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 10 10"><path d="M0 0L9 9"/></svg>'
META = {"council": "Westshire Council", "theme": "Place", "analysis": "Trends", "results": "r.csv"}
TITLE = "Place: Trends, Westshire Council"


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


def _part(name: str, content: str) -> str:
    known = {
        "w": "http://schemas.openxmlformats.org/wordprocessingml/2006/main",
        "wp": "http://schemas.openxmlformats.org/drawingml/2006/wordprocessingDrawing",
        "a": "http://schemas.openxmlformats.org/drawingml/2006/main",
        "p": "http://schemas.openxmlformats.org/presentationml/2006/main",
        "s": "http://schemas.openxmlformats.org/spreadsheetml/2006/main",
        "c": "http://schemas.openxmlformats.org/drawingml/2006/chart",
        "xdr": "http://schemas.openxmlformats.org/drawingml/2006/spreadsheetDrawing",
        "r": "http://schemas.openxmlformats.org/officeDocument/2006/relationships",
        "cp": "http://schemas.openxmlformats.org/package/2006/metadata/core-properties",
        "dc": "http://purl.org/dc/elements/1.1/",
    }
    spaces = "".join(f' xmlns:{prefix}="{uri}"' for prefix, uri in known.items())
    return f"<{name}{spaces}>{content}</{name}>"


def _links(**targets: str) -> str:
    inside = "".join(f'<Relationship Id="{id}" Target="{to}"/>' for id, to in targets.items())
    return f"<Relationships>{inside}</Relationships>"


CORE = _part("cp:coreProperties", f"<dc:title>{TITLE}</dc:title><dc:language>en-GB</dc:language>")


def _paragraph(text: str, style: str = "") -> str:
    styled = f'<w:pPr><w:pStyle w:val="{style}"/></w:pPr>' if style else ""
    return f"<w:p>{styled}<w:r><w:t>{text}</w:t></w:r></w:p>"


_CELLS = "".join(f"<w:tc><w:tcPr/>{_paragraph(text)}</w:tc>" for text in ("Quarter", "Value"))
_DRAWING = (
    '<w:p><w:r><w:drawing><wp:inline><wp:extent cx="5000000" cy="3000000"/>'
    f'<wp:docPr id="1" name="Picture 1" descr="{ALT}"/></wp:inline></w:drawing></w:r></w:p>'
)
_LINK = (
    '<w:p><w:hyperlink r:id="r1"><w:r><w:t>The guide to the method</w:t></w:r></w:hyperlink></w:p>'
)
_STYLES = "".join(
    f'<w:style w:styleId="{id}"><w:name w:val="{name}"/></w:style>'
    for id, name in [
        ("H1", "heading 1"),
        ("H2", "heading 2"),
        ("H3", "heading 3"),
        ("C", "caption"),
    ]
)
WORD = {
    "docProps/core.xml": CORE,
    "word/document.xml": _part(
        "w:document",
        "<w:body>"
        + _paragraph("Place", "H1")
        + _paragraph("Recycling", "H2")
        + "".join(_paragraph(f"Words {n}.") for n in range(11))
        + _DRAWING
        + _LINK
        + _paragraph("Table 1: values by quarter", "C")
        + '<w:tbl><w:tblPr><w:tblCaption w:val="Values"/></w:tblPr>'
        + f"<w:tr><w:trPr><w:tblHeader/></w:trPr>{_CELLS}</w:tr><w:tr>{_CELLS}</w:tr></w:tbl>"
        + _paragraph("The end.")
        + "</w:body>",
    ),
    "word/styles.xml": _part(
        "w:styles",
        "<w:docDefaults><w:rPrDefault><w:rPr>"
        f'<w:lang w:val="en-GB"/></w:rPr></w:rPrDefault></w:docDefaults>{_STYLES}',
    ),
}

EXCEL = {
    "docProps/core.xml": CORE,
    "xl/workbook.xml": _part(
        "s:workbook", '<s:sheets><s:sheet name="Recycling" sheetId="1" r:id="r1"/></s:sheets>'
    ),
    "xl/_rels/workbook.xml.rels": _links(r1="worksheets/sheet7.xml"),
    "xl/worksheets/sheet7.xml": _part(
        "s:worksheet",
        '<s:sheetData><s:row r="1"><s:c r="A1" t="s"><s:v>0</s:v></s:c></s:row>'
        + "".join(
            f'<s:row r="{n}"><s:c r="A{n}"><s:v>1</s:v></s:c>'
            f'<s:c r="B{n}"><s:v>2</s:v></s:c></s:row>'
            for n in (2, 3, 4)
        )
        + '</s:sheetData><s:tableParts count="1"><s:tablePart r:id="r1"/></s:tableParts>',
    ),
    "xl/worksheets/_rels/sheet7.xml.rels": _links(
        r1="../tables/table1.xml", r2="/xl/drawings/d.xml"
    ),
    "xl/tables/table1.xml": _part(
        "s:table",
        '<s:tableColumns count="2"><s:tableColumn id="1" name="Quarter"/>'
        '<s:tableColumn id="2" name="Percent"/></s:tableColumns>',
    ),
    "xl/drawings/d.xml": _part(
        "xdr:wsDr",
        f'<xdr:graphicFrame><xdr:nvGraphicFramePr><xdr:cNvPr id="2" name="Chart 1" descr="{ALT}"/>'
        "</xdr:nvGraphicFramePr></xdr:graphicFrame>",
    ),
    "xl/sharedStrings.xml": _part("s:sst", "<s:si><s:t>Recycling by quarter</s:t></s:si>"),
}


def _slide(title: str, content: str = "") -> str:
    words = f'<a:p><a:r><a:rPr lang="en-GB"/><a:t>{title}</a:t></a:r></a:p>'
    return _part(
        "p:sld",
        '<p:sp><p:nvSpPr><p:nvPr><p:ph type="title"/></p:nvPr></p:nvSpPr>'
        f"<p:txBody>{words}</p:txBody></p:sp>{content}",
    )


_CHART = (
    f'<p:graphicFrame><p:nvGraphicFramePr><p:cNvPr id="4" name="Chart 3" descr="{ALT}"/>'
    "</p:nvGraphicFramePr><a:graphic><a:graphicData><c:chart/></a:graphicData></a:graphic>"
    "</p:graphicFrame>"
)
_GRID = (
    '<p:graphicFrame><a:graphic><a:graphicData><a:tbl><a:tblPr firstRow="1"/><a:tr><a:tc/></a:tr>'
    "</a:tbl></a:graphicData></a:graphic></p:graphicFrame>"
)
_SOURCE = (
    '<p:sp><p:txBody><a:p><a:r><a:rPr lang="en-GB"><a:hlinkClick r:id="r9"/></a:rPr>'
    "<a:t>The guide to the method</a:t></a:r></a:p></p:txBody></p:sp>"
)
SLIDES = {
    "docProps/core.xml": CORE,
    "ppt/presentation.xml": _part(
        "p:presentation",
        '<p:sldIdLst><p:sldId id="256" r:id="r1"/><p:sldId id="257" r:id="r2"/></p:sldIdLst>',
    ),
    "ppt/_rels/presentation.xml.rels": _links(r1="slides/slide1.xml", r2="slides/slide4.xml"),
    "ppt/slides/slide1.xml": _slide("Recycling is up", _CHART + _GRID + _SOURCE),
    "ppt/slides/slide4.xml": _slide("Fly-tipping is steady"),
}
OFFICE = {"word": WORD, "excel": EXCEL, "slides": SLIDES}


def zipped(parts: dict[str, str]) -> bytes:
    held = io.BytesIO()
    with zipfile.ZipFile(held, "w", zipfile.ZIP_DEFLATED) as members:
        for name, text in parts.items():
            members.writestr(name, text)
    return held.getvalue()


def _tag(pdf: pikepdf.Pdf, role: str, *kids: pikepdf.Object, **more: object) -> pikepdf.Object:
    return pdf.make_indirect(Dictionary(S=Name(f"/{role}"), K=Array(kids), **more))


def _cell(pdf: pikepdf.Pdf, role: str, **about: object) -> pikepdf.Object:
    return _tag(pdf, role, **({"A": Dictionary(O=Name.Table, **about)} if about else {}))


def good_pdf() -> pikepdf.Pdf:
    """Three pages with tags for headings, a figure, a table with a tall cell, a list and a link."""
    pdf = pikepdf.new()
    for _ in range(3):
        pdf.add_blank_page()
    held = pdf.make_stream(b"font")
    about = pdf.make_indirect(Dictionary(Type=Name.FontDescriptor, FontFile2=held))
    kinds = {"Type": Name.Font, "Subtype": Name.TrueType, "BaseFont": Name.Arial}
    font = pdf.make_indirect(Dictionary(**kinds, FontDescriptor=about))
    page = pdf.pages[0]
    page.Resources = Dictionary(Font=Dictionary(F1=font))
    page.Tabs = Name.S
    link = Dictionary(Type=Name.Annot, Subtype=Name.Link, Contents=String("The guide"), F=4)
    field = Dictionary(Type=Name.Annot, Subtype=Name.Widget, TU=String("Your name"), F=4)
    page.Annots = Array([pdf.make_indirect(link), pdf.make_indirect(field)])
    pdf.Root.AcroForm = Dictionary(Fields=Array([page.Annots[1]]))
    head = _tag(pdf, "TR", _cell(pdf, "TH", Scope=Name.Column), _cell(pdf, "TH", Scope=Name.Column))
    tall = _tag(pdf, "TR", _cell(pdf, "TD", RowSpan=2), _cell(pdf, "TD"))
    short = _tag(pdf, "TR", _cell(pdf, "TD"))
    figure = _tag(pdf, "Picture", Alt=String(ALT), Pg=page.obj)
    item = _tag(pdf, "LI", _tag(pdf, "LBody"))
    parts = [_tag(pdf, "H1"), _tag(pdf, "H2"), figure, _tag(pdf, "Table", head, tall, short)]
    document = _tag(pdf, "Document", *parts, _tag(pdf, "L", item))
    tree = Dictionary(Type=Name.StructTreeRoot, K=document)
    tree.RoleMap = Dictionary(Picture=Name.Figure)
    pdf.Root.StructTreeRoot = pdf.make_indirect(tree)
    pdf.Root.MarkInfo = Dictionary(Marked=True)
    pdf.Root.ViewerPreferences = Dictionary(DisplayDocTitle=True)
    pdf.Root.Lang = String("en-GB")
    with pdf.open_metadata(set_pikepdf_as_editor=False) as said:
        said["dc:title"] = TITLE
        said["pdfuaid:part"] = "1"
    pdf.docinfo["/Title"] = TITLE
    return pdf


def saved(pdf: pikepdf.Pdf, **how: object) -> bytes:
    held = io.BytesIO()
    pdf.save(held, **how)  # type: ignore[arg-type]
    return held.getvalue()
