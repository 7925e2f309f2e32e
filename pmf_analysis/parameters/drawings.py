"""What an SVG may hold: a drawing, and nothing that runs or leaves the page."""

import re
from typing import Any

from pmf_analysis.problems import EXIT_DATA_UNUSABLE, PmfError, Problem

SVG = "{http://www.w3.org/2000/svg}"
_DRAWING = "svg g defs path circle ellipse rect line polyline polygon text tspan use clipPath"
_SVG_TAGS = frozenset(SVG + name for name in _DRAWING.split())
_OUTSIDE = re.compile(r"url\(\s*['\"]?(?!#)|@import|javascript:|expression\(", re.IGNORECASE)


def check_svg(svg: str) -> None:
    """Refuse an SVG that is not a plain drawing; an empty text is no SVG and is fine.

    Executed notebooks travel by e-mail and shared drives, and their SVG goes into a page as it is:
    elements are allowed by name, and no attribute may start a script or leave the document.

    Raises
    ------
    PmfError
        With what is wrong.
    """
    from lxml import etree

    if not svg:
        return
    # CDATA means one thing to an XML parser and another to a browser; a chart of ours has none.
    _require("<!" not in svg, "svg-declares")
    try:
        # A figure of small multiples holds several pictures.
        text = f"<pictures>{svg}</pictures>"
        root = etree.fromstring(text, etree.XMLParser(resolve_entities=False, no_network=True))
    except etree.XMLSyntaxError as error:
        raise PmfError(Problem.of("svg-malformed", error=error), EXIT_DATA_UNUSABLE) from error
    for node in root.iterdescendants():
        draws = node.tag in _SVG_TAGS
        names = ((etree.QName(key).localname.lower(), value) for key, value in node.attrib.items())
        active = any(_is_active(str(name), str(value)) for name, value in names)
        _require(draws and not active, "svg-not-a-drawing", tag=node.tag)


def _is_active(name: str, value: str) -> bool:
    leaves = name in ("href", "src") and not value.startswith("#")
    return name.startswith("on") or leaves or bool(_OUTSIDE.search(value))


def _require(holds: object, fault: str, **facts: Any) -> None:
    if not holds:
        raise PmfError(Problem.of(fault, **facts), EXIT_DATA_UNUSABLE)
