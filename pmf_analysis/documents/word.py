"""Reports as Word documents that people go on writing in: real headings, tables, captions, fields.

The body is filled in from the report's blocks by ``templates/word``; python-docx opens
the council's own template and holds pictures and links. The same report gives the same bytes.
"""

import re
from collections.abc import Mapping, Sequence
from functools import cache
from io import BytesIO
from pathlib import Path
from typing import Any, NamedTuple
from zipfile import ZIP_DEFLATED, ZipFile, ZipInfo

from jinja2 import Environment, FileSystemLoader
from lxml import etree
from lxml.html import fragment_fromstring
from nbconvert.exporters import Exporter
from traitlets import Unicode

from pmf_analysis.documents import pictures
from pmf_analysis.documents.reading import Report, read_report
from pmf_analysis.problems import PmfError, Problem
from pmf_analysis.story import bank, style
from pmf_analysis.story.blocks import Block, Column, Table

TEMPLATES = Path(__file__).parent / "templates" / "word"
# What XML cannot hold, and marks that turn the direction of the words after them.
_HIDDEN = re.compile(
    r"[^\t\n\r -\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]"
    r"|[\x7f-\x9f\u200e\u200f\u2028-\u202e\u2066-\u2069]"
)
_ADDRESS = re.compile(
    r"https?://[\w.-]+(:\d+)?([/?#][\w./?#@!$&'()*+,;=:%~-]*)?|mailto:[\w.+-]+@[\w.-]+", re.ASCII
)
_COLOUR = re.compile("#[0-9A-Fa-f]{6}")
_BULLETS = 9001  # a number that no template has come to
_TWENTIETH, _PIXEL = 635, 9525  # of a point, and of a screen, in the smallest unit of Word
_LETTER, _DENSE_LETTER = 118, 98  # twentieths of a point that a letter of a cell takes up
_LONGEST_WORD, _LONGEST_TEXT, _MOST_COLUMNS = 30, 60, 6
_TALLEST = 0.9  # of the height of a page, which a picture and its caption share
_SHARP = 2  # pixels of a PNG to each of its drawing
_FONT = "Arial"
_LONGEST_PROPERTY = 255
_LARGEST_TEMPLATE = 100_000_000
_STEADY = (1980, 1, 1, 0, 0, 0)  # every file's date, so that the same report gives the same bytes
# What belongs to a template, not to the sample text in it.
_KEPT = re.compile(r".*/(styles|numbering|settings|theme|fontTable|(foot|end)notes)")
_HARMLESS = re.compile(r".*/(hyperlink|attachedTemplate)")
_ACTIVE = re.compile(r".*(macroEnabled|vbaProject|activeX|oleObject)", re.IGNORECASE)
# What says when and by whom a template was made.
_MAKING = re.compile(r".*/(extended-properties|thumbnail)")


class _Cell(NamedTuple):
    """A cell as it is written; ``code`` is that of a status."""

    text: str
    is_right: bool
    code: str = ""


class _Grid(NamedTuple):
    """A table as it is written, its first row the headings; widths are in twentieths of a point."""

    caption: str
    rows: Sequence[Sequence[_Cell]]
    widths: list[int]
    is_dense: bool


class _Drawing(NamedTuple):
    """A picture of the document: the ids of its two forms, and its size."""

    png: str
    svg: str
    width: int
    height: int


class PmfWordExporter(Exporter):
    """nbconvert exporter ``pmf-word``: a report as a Word document."""

    export_from_notebook = "Word (pmf)"
    output_mimetype = "application/vnd.openxmlformats-officedocument.wordprocessingml.document"
    file_extension = ".docx"
    template_path = Unicode(help="A Word document that gives styles and header.").tag(config=True)

    def from_notebook_node(  # type: ignore[override]  # as other exporters of nbconvert do
        self, nb: Any, resources: dict[str, Any] | None = None, **kw: Any
    ) -> tuple[bytes, dict[str, Any]]:
        """Return the document and nbconvert's resources."""
        nb, resources = super().from_notebook_node(nb, resources, **kw)
        template = Path(self.template_path).read_bytes() if self.template_path else None
        return make_word(read_report(nb, resources.get("pmf")), template), resources


def make_word(report: Report, template: bytes | None = None) -> bytes:
    """Return a report as a Word document.

    Parameters
    ----------
    report
        Any report; every text of it is written as text.
    template
        A ``.docx`` whose styles, header, footer and page are kept and whose text goes.

    Raises
    ------
    PmfError
        When the template is no Word document, holds macros, or fetches something from elsewhere.
    """
    document = _opened(template)
    part, facts, page = document.part, report.facts, document.sections[-1]
    colour = str(facts["brand"].get("colour"))
    brand = colour if _COLOUR.fullmatch(colour) else style.COLOURS["blue"]
    looks = {"colours": style.COLOURS, "marks": style.MARKS, "brand": brand, "report": report}
    ids = _set_styles(document, template is None, looks)
    ways = {
        "style_id": lambda name: ids[name.lower()],
        "picture": lambda svg: _drawing(part, svg, *_room(page)),
        "grid": lambda table: _grid(table, _room(page)[0] // _TWENTIETH),
        "link": lambda address: _link(part, address),
        "nodes": lambda prose: [*fragment_fromstring(prose.html, create_parent="div")],
        "is_headed": _is_headed,
        "statuses": bank.stored("style.yml")["looks"],
    }
    document.element.body[:0] = _filled("document.xml.jinja", **ways, **looks)
    if template is None:
        page.footer.is_linked_to_previous = False
        page.footer._element[:] = _filled("footer.xml.jinja", **ways, **looks)
    _set_properties(document, facts)
    written = BytesIO()
    document.save(written)
    return settled(written.getvalue())


def shown(text: str) -> str:
    """Return a text without what cannot be seen in it."""
    return _HIDDEN.sub("", text)


def settled(content: bytes) -> bytes:
    """Return an Office file without the times at which it, and what is inside it, was written."""
    made = BytesIO()
    with ZipFile(BytesIO(content)) as source, ZipFile(made, "w") as target:
        for name in source.namelist():
            part = source.read(name)
            if name.endswith(".xlsx"):
                part = settled(part)
            elif name == "docProps/core.xml":
                part = re.sub(rb"<dcterms:(\w+).*?</dcterms:\1>", b"", part, flags=re.DOTALL)
            target.writestr(ZipInfo(name, _STEADY), part, ZIP_DEFLATED)
    return made.getvalue()


def _opened(template: bytes | None) -> Any:
    """Return the document to fill: the council's own without its text, or an empty one on A4."""
    from docx import Document
    from docx.shared import Cm

    try:
        if template is not None and _unpacked_size(template) > _LARGEST_TEMPLATE:
            raise ValueError("it is too large")
        document = Document(None if template is None else BytesIO(template))
        _empty(document)
    # python-docx raises whatever it stumbles over in a file that is damaged or no document.
    except Exception as error:
        raise PmfError(Problem.of("word-template-unusable")) from error
    for part in document.part.package.iter_parts():
        outside = [each.reltype for each in part.rels.values() if each.is_external]
        if _ACTIVE.match(part.content_type) or not all(map(_HARMLESS.fullmatch, outside)):
            raise PmfError(Problem.of("word-template-active"))
    if template is None:
        page = document.sections[-1]
        page.page_width, page.page_height = Cm(21), Cm(29.7)
        page.left_margin = page.right_margin = page.top_margin = page.bottom_margin = Cm(2)
    return document


def _unpacked_size(template: bytes) -> int:
    with ZipFile(BytesIO(template)) as parts:
        return sum(each.file_size for each in parts.infolist())


def _empty(document: Any) -> None:
    """Take out the sample text with its pictures and links, and where the template came from."""
    body, part, settings = document.element.body, document.part, document.settings
    page = body.get_or_add_sectPr()
    body[:] = [page]
    used = etree.tostring(page, encoding="unicode")
    for id, relation in list(part.rels.items()):
        if not _KEPT.fullmatch(relation.reltype) and f'"{id}"' not in used:
            del part.rels[id]
    for attached in settings.element.xpath("w:attachedTemplate"):
        del settings.part.rels[attached.xpath("string(@r:id)")]
        settings.element.remove(attached)


def _set_styles(document: Any, is_ours: bool, looks: dict[str, Any]) -> dict[str, str]:
    """Add the styles that a document lacks, and the language; return styles' ids by their names."""
    root = document.styles.element
    if is_ours:
        root[:] = []
    known = _style_ids(root)
    root.extend(_filled("styles.xml.jinja", ids=known, bullets=_BULLETS, **looks))
    if "list bullet" not in known:
        _add_bullets(document.part)
    for language in root.xpath("//w:lang"):
        language.getparent().remove(language)
    for usual in root.xpath("w:style[@w:default='1'][@w:type='paragraph']"):
        usual.get_or_add_rPr().extend(_filled("language.xml.jinja", **looks))
    return _style_ids(root)


def _style_ids(root: Any) -> dict[str, str]:
    styles = root.xpath("w:style")
    return {each.xpath("string(w:name/@w:val)").lower(): each.styleId for each in styles}


def _add_bullets(part: Any) -> None:
    """Add what makes the bullets of a list, which a document may have no place for yet."""
    from docx.opc.constants import CONTENT_TYPE, RELATIONSHIP_TYPE
    from docx.opc.packuri import PackURI
    from docx.opc.part import XmlPart

    ours = _filled("numbering.xml.jinja", bullets=_BULLETS)
    try:
        lists = part.part_related_by(RELATIONSHIP_TYPE.NUMBERING).element
    except KeyError:
        place = PackURI("/word/numbering.xml")
        made = XmlPart(place, CONTENT_TYPE.WML_NUMBERING, ours, part.package)
        part.relate_to(made, RELATIONSHIP_TYPE.NUMBERING)
        return
    # What a list looks like comes before all lists; pictures of bullets come first.
    kinds, [kind, own] = lists.xpath("w:abstractNum | w:num"), ours
    lists.insert(lists.index(kinds[0]) if kinds else len(lists), kind)
    (lists.xpath("w:num") or [kind])[-1].addnext(own)


def _set_properties(document: Any, facts: dict[str, Any]) -> None:
    about, council = document.core_properties, facts["council"]
    about._element[:] = []
    said = {"title": facts["title"], "subject": facts["period"], "comments": facts["notice"]}
    said |= {"author": council, "last_modified_by": council, "language": facts["lang"]}
    for name, text in said.items():
        setattr(about, name, shown(text)[:_LONGEST_PROPERTY])
    relations = document.part.package.rels
    for id, relation in list(relations.items()):
        if _MAKING.fullmatch(relation.reltype):
            del relations[id]


# What the templates ask for


@cache
def _templates() -> Any:
    made = Environment(loader=FileSystemLoader(TEMPLATES), autoescape=True, finalize=_visible)
    made.trim_blocks = made.lstrip_blocks = True
    return made


def _visible(value: Any) -> Any:
    return shown(value) if type(value) is str else value


def _filled(name: str, **facts: Any) -> Any:
    from docx.oxml import parse_xml

    return parse_xml(_templates().get_template(name).render(facts))


def _is_headed(block: Block) -> bool:
    """Whether a block has a heading of its own, and not only a caption."""
    captioned = block.table is not None and block.table.caption.strip() == block.title.strip()
    return bool(block.title and block.kind != "figure" and not captioned)


def _link(part: Any, address: str | None) -> str:
    """Return the id of a link to the web or to a mailbox; nothing else is a link."""
    from docx.opc.constants import RELATIONSHIP_TYPE

    is_safe = _ADDRESS.fullmatch(address or "")
    return part.relate_to(address, RELATIONSHIP_TYPE.HYPERLINK, is_external=True) if is_safe else ""


def _room(page: Any) -> tuple[int, int]:
    """Return width and height of what a page has for text."""
    margins = page.left_margin + page.right_margin, page.top_margin + page.bottom_margin
    return page.page_width - margins[0], page.page_height - margins[1]


def _drawing(part: Any, svg: str, wide: int, high: int) -> _Drawing:
    """Put a picture into the document: SVG, which stays sharp, and PNG for programs without it."""
    from docx.opc.constants import RELATIONSHIP_TYPE
    from docx.opc.packuri import PackURI
    from docx.opc.part import Part

    whole = pictures.one_drawing(svg)
    width, height = pictures.size_of(whole)
    scale = min(_PIXEL, wide / width, _TALLEST * high / height)
    png, _ = part.get_or_add_image(BytesIO(pictures.png_of(whole, round(_SHARP * width))))
    place: PackURI = part.package.next_partname("/word/media/drawing%d.svg")
    # Word takes one font, not a list of them.
    drawn = whole.replace(style.FONT_STACK, _FONT).encode()
    picture = Part(place, "image/svg+xml", drawn, part.package)
    svg_id = part.relate_to(picture, RELATIONSHIP_TYPE.IMAGE)
    return _Drawing(png, svg_id, round(scale * width), round(scale * height))


def _grid(table: Table, room: int) -> _Grid:
    """Return a table in writing; one wide row stands upright, and sparklines stay on the page."""
    columns = [column for column in table.columns if column.kind != "spark"]
    rows = [[_Cell(column.label, column.align == "right") for column in columns]]
    rows += [[_cell(table, column, row) for column in columns] for row in table.rows]
    if len(rows) == 2 and len(columns) > _MOST_COLUMNS:
        pairs = zip(*rows, strict=True)
        rows = [[heading._replace(is_right=False), cell] for heading, cell in pairs]
    texts = [[cell.text or "-" for cell in column] for column in zip(*rows, strict=True)]
    words = [max(len(word) for text in column for word in text.split()) for column in texts]
    needs = [min(longest, _LONGEST_WORD) + 2 for longest in words]
    wants = [min(max(map(len, column)), _LONGEST_TEXT) + 2 for column in texts]
    is_dense = sum(needs) * _LETTER > room
    # No word is broken; what is left of the line goes to columns with longer texts.
    spare = max(0, room / (_DENSE_LETTER if is_dense else _LETTER) - sum(needs))
    share = spare / max(1, sum(wants) - sum(needs))
    letters = [need + share * (want - need) for need, want in zip(needs, wants, strict=True)]
    widths = [int(room * each / sum(letters)) for each in letters]
    return _Grid(table.caption, rows, widths, is_dense)


def _cell(table: Table, column: Column, row: Mapping[str, str]) -> _Cell:
    value, is_right = row.get(column.key) or "", column.align == "right"
    if column.kind != "status" or not value:
        return _Cell(value, is_right)
    return _Cell(style.status_word(value, table.status_words), is_right, value)
