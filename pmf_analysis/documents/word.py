"""Reports as Word documents that people go on writing in: real headings, tables, captions, fields.

The body is filled in from the report's blocks by ``templates/office``; python-docx opens the
council's own template and holds pictures and links. The same report gives the same bytes.
"""

import base64
import re
from collections.abc import Callable
from contextlib import suppress
from io import BytesIO
from typing import Any

from lxml import etree
from lxml.html import fragment_fromstring

from pmf_analysis.documents import pictures
from pmf_analysis.documents.office import brand_colour, filled, finished
from pmf_analysis.documents.pictures import RULES
from pmf_analysis.documents.reading import Report
from pmf_analysis.problems import PmfError, Problem
from pmf_analysis.story import bank, style
from pmf_analysis.story.asides import pieces

_RELATED = "http://schemas.openxmlformats.org/officeDocument/2006/relationships/"


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
    part, page = document.part, document.sections[-1]
    wide = page.page_width - page.left_margin - page.right_margin
    high = page.page_height - page.top_margin - page.bottom_margin
    looks = {"palette": style, "statuses": bank.stored("style.yml")["looks"]}
    ways = {"report": report, "brand_colour": brand_colour(report), "wide": wide, **looks}
    is_ours = template is None
    asides = report.facts["asides"]
    ids = _set_styles(document.styles.element, is_ours, ways)
    ways |= {
        "style_id": lambda name: ids.get(name.lower(), ""),
        "picture": lambda svg: _figure(part, svg, wide, RULES["tallest"] * high),
        "logo": _logo(part, report.facts["brand"].get("logo", "")) if is_ours else {},
        "pieces": lambda text: ((type(text)(p), of) for p, of in pieces(text, asides)),
        "link": lambda address: _link(part, address),
        "unbroken": lambda text: type(text)(re.sub(RULES["hyphen"], "\u2011", text)),
        "nodes": lambda prose: [*fragment_fromstring(prose.html, create_parent="div")],
    }
    document.element.body[:0] = filled("document.xml.jinja", ways)
    if is_ours:
        document.settings.element[:] = filled("settings.xml.jinja", ways)
        page.footer.is_linked_to_previous = False
        page.footer._element[:] = filled("footer.xml.jinja", ways)
    return saved(document, document.part.package.rels, report)


def saved(document: Any, relations: Any, report: Report) -> bytes:
    """Return an Office file without what tells by which program it was made."""
    document.core_properties.author = ""  # python-docx adds what holds it to a file without it
    _drop(relations, lambda _, kind: bool(re.fullmatch(RULES["making"], kind)))
    written = BytesIO()
    document.save(written)
    return finished(written.getvalue(), report)


def _opened(template: bytes | None) -> Any:
    """Return the document to fill: the council's own without its text, or an empty one on A4."""
    from docx import Document

    try:
        document = Document(None if template is None else BytesIO(template))
        _empty(document, template is None)
    # python-docx raises whatever it stumbles over in a file that is damaged or no document.
    except Exception as error:
        raise PmfError(Problem.of("word-template-unusable")) from error
    for part in document.part.package.iter_parts():
        outside = [each.reltype for each in part.rels.values() if each.is_external]
        fetches = any(not re.fullmatch(RULES["harmless"], kind) for kind in outside)
        if fetches or re.match(RULES["active"], part.content_type):
            raise PmfError(Problem.of("word-template-active"))
    return document


def _empty(document: Any, is_ours: bool) -> None:
    """Take out the sample text with its pictures and links, and where the template came from."""
    body, settings = document.element.body, document.settings.element
    page = body.get_or_add_sectPr()
    body[:] = [page]
    if is_ours or not page.xpath("self::*[w:pgSz and w:pgMar]"):
        page[:] = filled("page.xml.jinja", {})
    for columns in page.xpath("w:cols"):  # a report's tables and pictures take the whole line
        page.remove(columns)
    used, kept = etree.tostring(body, encoding="unicode"), RULES["kept"]
    _drop(document.part.rels, lambda id, kind: not (re.fullmatch(kept, kind) or id in used))
    for attached in settings.xpath("w:attachedTemplate"):
        settings.remove(attached)
        relations = document.part.part_related_by(f"{_RELATED}settings").rels
        _drop(relations, lambda _, kind: kind.endswith("/attachedTemplate"))


def _drop(relations: Any, is_unwanted: Callable[[str, str], bool]) -> None:
    for id, relation in list(relations.items()):
        if is_unwanted(f'"{id}"', relation.reltype):
            relations.pop(id)


def _set_styles(root: Any, is_ours: bool, looks: dict[str, Any]) -> dict[str, str]:
    """Add the styles that a document lacks, and the language; return styles' ids by their names."""
    # Lists with bullets need more than a style, and python-docx has it.
    bullets = root.xpath("w:style[w:name/@w:val='List Bullet']") if is_ours else []
    if is_ours:
        root[:] = []
    facts = {**looks, "ids": _style_ids(root), "is_ours": is_ours}
    root.extend([*filled("styles.xml.jinja", facts), *bullets])
    for language in root.xpath("//w:lang"):
        language.getparent().remove(language)
    basic = [each.get_or_add_rPr() for each in root.xpath("w:style[@w:default='1']")]
    for place in root.xpath("w:docDefaults//w:rPr") or basic[:1]:
        place.extend(filled("language.xml.jinja", looks))
    return _style_ids(root)


def _style_ids(root: Any) -> dict[str, str]:
    styles = root.xpath("w:style")
    return {each.xpath("string(w:name/@w:val)").lower(): each.styleId for each in styles}


# What the templates ask for


def _link(part: Any, address: str | None) -> str:
    """Return the id of a link to the web or to a mailbox; nothing else is a link."""
    is_safe = re.fullmatch(RULES["address"], address or "", re.ASCII)
    return part.relate_to(address, f"{_RELATED}hyperlink", is_external=True) if is_safe else ""


def _figure(part: Any, svg: str, wide: float, high: float) -> dict[str, Any]:
    """Put a figure into the document, as wide as its text but for one that is small."""
    whole = pictures.one_drawing(svg)
    return _picture(part, whole, min(wide, RULES["pixel"] * pictures.size_of(whole)[0]), high)


def _logo(part: Any, address: str) -> dict[str, Any]:
    """Put the council's logo into the document; a drawing that says no size is left out."""
    kind, _, coded = address.partition(";base64,")
    content, (wide, high) = base64.b64decode(coded), RULES["logo"]
    if kind.endswith("png"):
        png, image = part.get_or_add_image(BytesIO(content))
        return {"png": png, **_size(image.px_width, image.px_height, wide, high)}
    with suppress(PmfError, ValueError):
        drawing = re.sub(r"^\s*<\?xml[^>]*\?>", "", content.decode("utf-8-sig"))
        return _picture(part, drawing, wide, high)
    return {}


def _picture(part: Any, svg: str, wide: float, high: float) -> dict[str, Any]:
    """Put a picture into the document: SVG, which stays sharp, and PNG for programs without it."""
    from docx.opc.part import Part

    size = _size(*pictures.size_of(svg), wide, high)
    drawn = BytesIO(pictures.png_of(svg, round(size["width"] / RULES["dot"])))
    # Word takes one font, not a list of them.
    source = svg.replace(style.FONT_STACK, "Arial").encode()
    place = part.package.next_partname("/word/media/drawing%d.svg")
    made = part.relate_to(Part(place, "image/svg+xml", source, part.package), f"{_RELATED}image")
    return {"png": part.get_or_add_image(drawn)[0], "svg": made, **size}


def _size(width: float, height: float, wide: float, high: float) -> dict[str, int]:
    """Return the size of what is to fill a place without being stretched."""
    scale = min(wide / width, high / height)
    return {"width": round(scale * width), "height": round(scale * height)}
