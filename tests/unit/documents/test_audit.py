"""Every rule of the audit finds the fault it is for, and none in a document without one."""

from __future__ import annotations

import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import nbformat.v4 as v4
import pikepdf
import pytest
from documents_to_audit import ALT, OFFICE, good_page, good_pdf, saved, zipped
from nbconvert import HTMLExporter
from pikepdf import Array, Dictionary, Name, String

from pmf_analysis.documents.audit import audit_folder, audit_html
from pmf_analysis.shipped import read_shipped

SHIPPED = read_shipped("documents/audit.yml")
RULES = {rule["code"]: rule for rule in SHIPPED["rules"]}
ENDS = {kind: told["suffixes"][0] for kind, told in SHIPPED["kinds"].items() if told["suffixes"]}
STOCK_ALT = "No description has been provided for this image"
END = "</main>"

# code, pattern, what stands in its place
PAGES = [
    ("language", 'lang="en-GB"', ""),
    ("language-uk", 'lang="en-GB"', 'lang="en"'),
    ("title", "<title>[^<]*", "<title>stock_run"),
    ("title", "<title>[^<]*", "<title>report.ipynb"),
    ("title", "<title>[^<]*", "<title>"),
    ("title-words", "<title>[^<]*", "<title>Recycling"),
    ("landmark-main", "<main", "<div"),
    ("landmark-header", "<header>", "<div>"),
    ("landmark-footer", "<footer", "<div"),
    ("landmark-name", 'aria-labelledby="contents-title"', ""),
    ("skip-link", '<a class="skip"[^>]*>', '<a href="#part-recycling">'),
    ("bypass", r"<body>.*</body>", "<body><p>Words</p></body>"),
    ("zoom", "initial-scale=1", "initial-scale=1, user-scalable=no"),
    ("viewport", '<meta name="viewport"[^>]*>', ""),
    ("refresh", "<title>", '<meta http-equiv="Refresh" content="9"><title>'),
    ("moving", END, "<marquee>News</marquee></main>"),
    ("captions", END, '<video src="a.mp4"></video></main>'),
    ("h1", "<h1>.*</h1>", ""),
    ("heading-jump", "<h3 (.*?)</h3>", r"<h4 \1</h4>"),
    ("heading-empty", r'(<h2 id="part-recycling"[^>]*>)Recycling', r"\1"),
    ("id-repeated", 'id="part-recycling"', 'id="main"'),
    ("id-missing", 'id="part-recycling"', ""),
    ("alt", ALT, STOCK_ALT),
    ("alt", END, '<img src="data:image/png;base64,AA"></main>'),
    ("alt", END, '<img alt="chart.png" src="data:image/png;base64,AA"></main>'),
    ("alt", END, '<img alt="Image 3" src="data:image/png;base64,AA"></main>'),
    ("alt", END, '<img alt="Line chart" src="data:image/png;base64,AA"></main>'),
    ("alt-meaning", ALT, "A line chart of the recycling rate of the council"),
    ("picture-role", END, '<svg viewBox="0 0 9 9"><path d="M0 0"/></svg></main>'),
    ("caption", "<caption>[^<]*", "<caption>"),
    ("table-headings", END, "<table><tr><td>1</td><td>2</td></tr></table></main>"),
    ("table-role", 'role="table"', ""),
    ("scope", 'scope="row"', ""),
    ("th-empty", ">Quarter<", "><"),
    ("cell-leak", r"<td (.*?)>.*?</td>", r"<td \1>nan</td>"),
    ("headline", "Recycling is up", "One two three four five six seven eight nine ten eleven"),
    ("subtitle", '<p class="pmf-subtitle">[^<]*', '<p class="pmf-subtitle">'),
    ("source", "Source: WasteDataFlow", "WasteDataFlow"),
    ("data-table", "<table.*</table>", ""),
    ("csv", 'href="data:text/csv', 'href="data:text/html'),
    ("active", END, "<script></script></main>"),
    ("active", "<main", '<main onclick="x()"'),
    ("outside", END, '<img src="https://example.org/a.png"></main>'),
    ("outside", "<style>", "<style>@import 'https://example.org/a.css';"),
    ("code-shown", END, '<pre class="input_area">x = 1</pre></main>'),
    ("link-text", ">Recycling</a>", "></a>"),
    ("link-vague", ">Recycling</a>", ">Click here</a>"),
    ("button-name", END, "<button></button></main>"),
    ("form-label", END, '<input type="text"></main>'),
    ("frame-title", END, '<iframe src="a.html"></iframe></main>'),
    ("tabindex", 'tabindex="0"', 'tabindex="3"'),
    ("focus-name", 'tabindex="0" aria-label="[^"]*"', 'tabindex="0"'),
    ("language-part", END, '<p lang="welsh">Croeso</p></main>'),
    ("contrast", END, '<p style="color:#999;background:#fff">Faint</p></main>'),
    ("contrast", "<style>", "<style>td { background-color: rgb(255, 221, 0); color: white }"),
    ("contrast", END, '<p style="background: yellow; color: #FFF">Faint</p></main>'),
    ("spacing", END, '<p style="line-height: 1 !important">Near</p></main>'),
    ("focus-seen", "<style>", "<style>a:focus { outline: none; }"),
    ("landmark-same", END, '<nav aria-label="A"></nav><nav aria-label="A"></nav></main>'),
    ("heading-bold", END, "<p><b>Our results</b></p><p>Words.</p></main>"),
    ("list", END, "<ul><p>Words</p></ul></main>"),
    ("list-typed", END, "<p>• One</p><p>• Two</p></main>"),
    ("picture-object", END, "<canvas id='chart'></canvas></main>"),
    ("headers", END, "<table><tr><td headers='gone'>1</td></tr></table></main>"),
    ("hidden-focus", END, '<p aria-hidden="true"><a href="#main">Up</a></p></main>'),
    ("nested", END, "<button>Go <select></select></button></main>"),
    ("role", END, '<p role="buton">Go</p></main>'),
    ("aria-unknown", END, '<p aria-labeledby="main">Words</p></main>'),
    ("place", END, '<a href="file://C:/Users/jo/b.xlsx">The figures</a></main>'),
    ("place", END, r'<a href="C:\\Users\\jo\\b.xlsx">The figures</a></main>'),
    ("button-name", END, '<span role="button" tabindex="0"></span></main>'),
    ("form-label", END, '<label for="q"></label><input id="q" type="text"></main>'),
]

FOLDERS = {"word": "word", "excel": "xl", "slides": "ppt"}
DOCUMENT, SHEET, SLIDE = "word/document.xml", "xl/worksheets/sheet7.xml", "ppt/slides/slide1.xml"
CORE, BOOK, TABLE = "docProps/core.xml", "xl/workbook.xml", "xl/tables/table1.xml"
TEXTS, DRAWN = "xl/sharedStrings.xml", "xl/drawings/d.xml"
RUN, MADE = (
    "<w:r><w:t>9</w:t></w:r>",
    "<dc:creator>Jo Bloggs</dc:creator><cp:created>2026</cp:created>",
)
EMPTY, LINKED = "<w:p/>", "<w:t>The guide to the method</w:t>"
# code, part, pattern, what stands in its place
PARTS = [
    ("word-title", CORE, "<dc:title>[^<]*", "<dc:title>Word Document"),
    ("word-title", CORE, "<dc:title>.*</dc:title>", ""),
    ("word-language", "word/styles.xml", '<w:lang w:val="en-GB"/>', ""),
    ("word-language-uk", "word/styles.xml", "en-GB", "en-US"),
    ("word-headings", DOCUMENT, "<w:pStyle [^>]*>", ""),
    ("word-h1", DOCUMENT, 'w:val="H2"', 'w:val="H1"'),
    ("word-heading-jump", DOCUMENT, 'w:val="H2"', 'w:val="H3"'),
    ("word-heading-empty", DOCUMENT, "<w:t>Recycling</w:t>", ""),
    ("word-alt", DOCUMENT, f'descr="{ALT}"', ""),
    ("word-alt", DOCUMENT, ALT, "A picture"),
    ("word-alt", DOCUMENT, ALT, "Chart, line chart. Description automatically generated"),
    ("word-alt-meaning", DOCUMENT, ALT, "The recycling rate of the council by quarter"),
    ("word-floating", DOCUMENT, "wp:inline", "wp:anchor"),
    ("word-table-header", DOCUMENT, "<w:tblHeader/>", ""),
    ("word-table-header", DOCUMENT, "<w:tblHeader/>", '<w:tblHeader w:val="0"/>'),
    ("word-merged", DOCUMENT, "<w:tcPr/>", '<w:tcPr><w:gridSpan w:val="2"/></w:tcPr>'),
    ("word-table-alt", DOCUMENT, "<w:tblCaption[^>]*>", ""),
    ("word-caption", DOCUMENT, 'w:val="C"', 'w:val="Normal"'),
    ("word-blank", DOCUMENT, "</w:body>", f"{EMPTY}{EMPTY}</w:body>"),
    ("word-link-text", DOCUMENT, LINKED, ""),
    ("word-link-vague", DOCUMENT, LINKED, "<w:t>https://example.org/a/b</w:t>"),
    (
        "word-contrast",
        DOCUMENT,
        "<w:t>Words 3",
        '<w:rPr><w:color w:val="AAAAAA"/></w:rPr><w:t>Words 3',
    ),
    ("word-heading-bold", DOCUMENT, "<w:t>Words 3.", "<w:rPr><w:b/></w:rPr><w:t>Our results"),
    ("word-list-typed", DOCUMENT, "Words [34]", "• Words"),
    ("word-review", DOCUMENT, "<w:r><w:t>Words 3.*?</w:r>", f"<w:ins>{RUN}</w:ins>"),
    (
        "word-review",
        DOCUMENT,
        "<w:r><w:t>Words 3.*?</w:r>",
        "<w:del><w:delText>9</w:delText></w:del>",
    ),
    ("word-hidden-text", DOCUMENT, "<w:t>Words 3", "<w:rPr><w:vanish/></w:rPr><w:t>Words 3"),
    *((f"{kind}-author", CORE, "</cp:core", f"{MADE}</cp:core") for kind in OFFICE),
    ("excel-title", CORE, "<dc:title>[^<]*", "<dc:title>Book1"),
    ("excel-language", CORE, "en-GB", "en-US"),
    ("excel-sheet-name", BOOK, "Recycling", "Sheet1"),
    ("excel-hidden-sheet", BOOK, "<s:sheet ", '<s:sheet state="veryHidden" '),
    ("excel-hidden-cells", SHEET, '<s:row r="3"', '<s:row hidden="1" r="3"'),
    (
        "excel-merged",
        SHEET,
        "<s:tableParts",
        '<s:mergeCells><s:mergeCell ref="A1:B1"/></s:mergeCells><s:tableParts',
    ),
    ("excel-start", SHEET, '<s:row r="1">.*?</s:row>', ""),
    ("excel-table", SHEET, "<s:tableParts.*</s:tableParts>", ""),
    ("excel-table-header", TABLE, "<s:table ", '<s:table headerRowCount="0" '),
    ("excel-header-blank", TABLE, "Percent", "Column2"),
    ("excel-header-blank", TABLE, "Percent", " "),
    ("excel-alt", DRAWN, f'descr="{ALT}"', ""),
    ("excel-alt-meaning", DRAWN, ALT, "The recycling rate"),
    ("excel-cell-leak", SHEET, '<s:c r="A3"><s:v>1', '<s:c r="A3" t="e"><s:v>#DIV/0!'),
    ("excel-cell-leak", TEXTS, "Recycling by quarter", "nan"),
    ("excel-formula", TEXTS, "Recycling by quarter", '=HYPERLINK("a")'),
    ("excel-formula", SHEET, '<s:c r="A3">', '<s:c r="A3"><s:f>HYPERLINK("https://a")</s:f>'),
    ("slides-title", CORE, "<dc:title>[^<]*", "<dc:title>PowerPoint Presentation"),
    ("slides-slide-title", SLIDE, 'type="title"', 'type="body"'),
    ("slides-same-title", SLIDE, "Recycling is up", "Fly-tipping is steady"),
    ("slides-language", "*", ' lang="en-GB"', ""),
    ("slides-language-uk", SLIDE, "en-GB", "en-US"),
    ("slides-alt", SLIDE, f'descr="{ALT}"', ""),
    ("slides-alt-meaning", SLIDE, ALT, "The recycling rate"),
    ("slides-table-header", SLIDE, 'firstRow="1"', ""),
    ("slides-merged", SLIDE, "<a:tc/>", '<a:tc gridSpan="2"/>'),
    ("excel-place", "xl/_rels/workbook.xml.rels", "worksheets/sheet7", "file://C:/Users/jo/b"),
    ("slides-place", "ppt/_rels/presentation.xml.rels", "slides/slide1", r"\\\\\\\\server\\\\jo/b"),
    ("slides-hidden", SLIDE, "<p:sld ", '<p:sld show="0" '),
    ("slides-link-vague", SLIDE, "The guide to the method", "click here"),
]
# code, a part that a good document does not have, what is in it
ADDED = [
    ("word-place", "word/_rels/settings.xml.rels", '<a><Relationship Target="file://C:/jo"/></a>'),
    ("word-review", "word/comments.xml", "<comments><comment>Who?</comment></comments>"),
    *((f"{kind}-macro", f"{folder}/vbaProject.bin", "x") for kind, folder in FOLDERS.items()),
    (
        "excel-comment",
        "xl/comments1.xml",
        "<comments><commentList><comment/></commentList></comments>",
    ),
    ("slides-comment", "ppt/comments/comment1.xml", "<cmLst><cm/></cmLst>"),
]


def _tag(pdf: pikepdf.Pdf, number: int) -> Any:
    return pdf.Root.StructTreeRoot.K.K[number]


def _retitle(pdf: pikepdf.Pdf, title: str) -> None:
    pdf.docinfo["/Title"] = title


def _without(pdf: pikepdf.Pdf, key: str) -> None:
    with pdf.open_metadata(set_pikepdf_as_editor=False, update_docinfo=False) as said:
        del said[key]


def _lengthen(pdf: pikepdf.Pdf) -> None:
    for _ in range(20):
        pdf.add_blank_page()


Breaker = Callable[[pikepdf.Pdf], object]
# code, how it is broken
PDFS: list[tuple[str, Breaker]] = [
    ("pdf-scan", lambda pdf: pdf.pages[0].Resources.__delitem__("/Font")),
    ("pdf-tagged", lambda pdf: pdf.Root.__delitem__("/StructTreeRoot")),
    ("pdf-tagged", lambda pdf: pdf.Root.MarkInfo.__setitem__("/Marked", False)),
    ("pdf-title", lambda pdf: _retitle(pdf, "Microsoft Word - report.docx")),
    ("pdf-display-title", lambda pdf: pdf.Root.__delitem__("/ViewerPreferences")),
    ("pdf-xmp-title", lambda pdf: _without(pdf, "dc:title")),
    ("pdf-claim", lambda pdf: pdf.Root.__delitem__("/StructTreeRoot")),
    ("pdf-language", lambda pdf: pdf.Root.__delitem__("/Lang")),
    ("pdf-language-uk", lambda pdf: pdf.Root.__setitem__("/Lang", String("en-US"))),
    ("pdf-headings", lambda pdf: [_tag(pdf, n).__setitem__("/S", Name.P) for n in (0, 1)]),
    ("pdf-heading-jump", lambda pdf: _tag(pdf, 1).__setitem__("/S", Name.H3)),
    ("pdf-heading-jump", lambda pdf: _tag(pdf, 0).__setitem__("/S", Name.H2)),
    ("pdf-alt", lambda pdf: _tag(pdf, 2).__delitem__("/Alt")),
    ("pdf-alt", lambda pdf: _tag(pdf, 2).__setitem__("/Alt", String(STOCK_ALT))),
    ("pdf-table-headings", lambda pdf: _tag(pdf, 3).K.__delitem__(0)),
    ("pdf-th-scope", lambda pdf: _tag(pdf, 3).K[0].K[0].__delitem__("/A")),
    ("pdf-table-regular", lambda pdf: _tag(pdf, 3).K[1].K[0].__delitem__("/A")),
    ("pdf-list", lambda pdf: _tag(pdf, 4).K[0].__setitem__("/K", 0)),
    ("pdf-bookmarks", _lengthen),
    ("pdf-fonts", lambda pdf: pdf.pages[0].Resources.Font.F1.__delitem__("/FontDescriptor")),
    ("pdf-contents", lambda pdf: pdf.pages[0].Annots[0].__delitem__("/Contents")),
    ("pdf-field-name", lambda pdf: pdf.pages[0].Annots[1].__delitem__("/TU")),
    ("pdf-tabs", lambda pdf: pdf.pages[0].__delitem__("/Tabs")),
    ("pdf-author", lambda pdf: pdf.docinfo.__setitem__("/Author", "Jo Bloggs")),
    ("pdf-attached", lambda pdf: pdf.attachments.__setitem__("a.xlsx", b"secret")),
    ("pdf-script", lambda pdf: pdf.Root.__setitem__("/Names", Dictionary(JavaScript=Dictionary()))),
]


def codes(page: str) -> set[str]:
    return {problem.code for problem in audit_html(page)}


def found_in(folder: Path, kind: str, content: bytes) -> set[str]:
    """The codes of what is wrong with one file of a kind."""
    path = folder / f"made{ENDS[kind]}"
    path.write_bytes(content)
    return {problem.code for problem in audit_folder(path).problems}


def test_every_rule_is_broken_by_an_example() -> None:
    broken = {case[0] for case in [*PAGES, *PARTS, *ADDED, *PDFS]} | {"pdf-locked"}
    assert broken == set(RULES)
    assert len(RULES) == len(SHIPPED["rules"])


def test_good_documents_pass(tmp_path: Path) -> None:
    assert audit_html(good_page()).rows() == []
    assert found_in(tmp_path, "html", good_page().encode()) == set()
    assert found_in(tmp_path, "pdf", saved(good_pdf())) == set()
    for kind, parts in OFFICE.items():
        assert found_in(tmp_path, kind, zipped(parts)) == set()


@pytest.mark.parametrize(("code", "pattern", "instead"), PAGES)
def test_each_rule_of_pages_finds_its_fault(code: str, pattern: str, instead: str) -> None:
    page = good_page()
    worse = re.sub(pattern, instead, page, flags=re.DOTALL)
    assert worse != page
    assert code in codes(worse)


@pytest.mark.parametrize(("code", "part", "pattern", "instead"), PARTS)
def test_each_rule_of_office_files_finds_its_fault(
    tmp_path: Path, code: str, part: str, pattern: str, instead: str
) -> None:
    kind = RULES[code]["kind"]
    good = OFFICE[kind]
    names = list(good) if part == "*" else [part]
    worse = good | {name: re.sub(pattern, instead, good[name]) for name in names}
    assert worse != good
    assert code in found_in(tmp_path, kind, zipped(worse))


@pytest.mark.parametrize(("code", "part", "content"), ADDED)
def test_what_should_not_be_published_with_an_office_file_is_found(
    tmp_path: Path, code: str, part: str, content: str
) -> None:
    kind = RULES[code]["kind"]
    assert found_in(tmp_path, kind, zipped(OFFICE[kind] | {part: content})) == {code}


@pytest.mark.parametrize(("code", "spoil"), PDFS)
def test_each_rule_of_pdf_finds_its_fault(tmp_path: Path, code: str, spoil: Breaker) -> None:
    pdf = good_pdf()
    spoil(pdf)
    assert code in found_in(tmp_path, "pdf", saved(pdf))


def test_a_pdf_that_keeps_screen_readers_out_is_found(tmp_path: Path) -> None:
    allow = pikepdf.Permissions(accessibility=False)
    how = {"owner": "x", "user": "", "R": 3, "aes": False, "metadata": False}
    locked = saved(good_pdf(), encryption=pikepdf.Encryption(**how, allow=allow))  # type: ignore[arg-type]
    assert found_in(tmp_path, "pdf", locked) == {"pdf-locked"}


def test_stock_page_of_nbconvert_fails() -> None:
    """The control: what everybody publishes, with which axe is content."""
    frame = "<table class='dataframe'><thead><tr><th></th><th>rate</th></tr></thead></table>"
    outputs = [
        v4.new_output("display_data", data={"image/png": "iVBORw0KGgo="}),
        v4.new_output("execute_result", data={"text/html": frame}),
    ]
    notebook = v4.new_notebook(cells=[v4.new_code_cell("plot()", outputs=outputs)])
    page, _ = HTMLExporter().from_notebook_node(notebook)
    assert STOCK_ALT in page
    wanted = {"alt", "caption", "scope", "th-empty", "active", "outside", "skip-link", "code-shown"}
    assert codes(page) >= wanted | {"language-uk", "title", "h1"}


def test_a_page_of_another_tool_can_pass_what_the_law_asks() -> None:
    page = """<!DOCTYPE html><html lang="en"><head><title>Bins in Westshire</title></head><body>
    <main><h1>Bins</h1><img alt="" src="a.png"><p><a href="/bins">When we collect</a></p>
    <table><tr><th>Day</th></tr><tr><td>Monday</td></tr></table></main></body></html>"""
    assert {found.duty for found in audit_html(page)} == {"ours"}  # type: ignore[attr-defined]


def test_good_ways_of_other_pages_are_no_faults() -> None:
    """What other checkers have called a fault: large zoom, redirects, own focus, short figures."""
    page = """<!DOCTYPE html><html lang="en-GB"><head><title>Bins in Westshire</title>
    <meta name="viewport" content="width=device-width, maximum-scale=5">
    <meta http-equiv="refresh" content="0; url=/new">
    <style>a:focus { outline: 0; box-shadow: 0 0 0 3px #0b0c0c }
    .button { color: #fff; background-color: #00703c } a:focus:not(:focus-visible) { outline: 0 }
    .button[disabled] { color: #888; background: #999 }</style></head><body>
    <a href="#main">Skip to main content</a>
    <header><a href="/" aria-label="Home"><svg aria-hidden="true"></svg></a></header>
    <main id="main"><h1>Bins</h1><p><strong>Important</strong> words.</p><p><b>Contact:</b></p>
    <p>– only one dash</p><svg><title>Warning</title></svg><svg style="display: none"></svg>
    <figure><img src="a.png" alt=""><figcaption>A lorry</figcaption></figure>
    <table><caption>Days</caption><tr><th scope="col">Day</th></tr><tr><td>Monday</td></tr></table>
    <form><label>Search <input type="search"></label><input type="submit" value="Search">
    <button><img src="s.png" alt="Go"></button></form><p lang="cy">Croeso</p>
    <ul role="list"><li>One</li></ul><details><summary>More</summary></details>
    <video controls><track kind="captions" src="c.vtt"></video></main><footer></footer>
    """
    assert codes(page) == set()


def test_marks_of_decoration_are_believed(tmp_path: Path) -> None:
    said = '<a:ext uri="x"><a:decorative val="1"/></a:ext></wp:docPr>'
    hidden = OFFICE["word"][DOCUMENT].replace(f'descr="{ALT}"/>', f">{said}")
    assert hidden != OFFICE["word"][DOCUMENT]
    assert found_in(tmp_path, "word", zipped(OFFICE["word"] | {DOCUMENT: hidden})) == set()


def test_a_composite_font_leaves_its_letters_to_another(tmp_path: Path) -> None:
    pdf = good_pdf()
    fonts = pdf.pages[0].Resources.Font
    kinds = {"Type": Name.Font, "Subtype": Name.Type0, "BaseFont": Name.Arial}
    fonts.F2 = pdf.make_indirect(Dictionary(**kinds, DescendantFonts=Array([fonts.F1])))
    assert found_in(tmp_path, "pdf", saved(pdf)) == set()
