"""Matplotlib's SVG, cut down to what a page needs and the same bytes every time."""

import re
from typing import Any

from lxml import etree

from pmf_analysis.story.style import FONT_STACK, INK

_HREF = "{http://www.w3.org/1999/xlink}href"
_NUMBER = re.compile(r"-?\d+\.\d{3,}(?:e-?\d+)?")
_LEVEL = re.compile(r"M (\S+) ([^L ]+)L(\S+) \2(?= M|$)")
_FINE = re.compile(r"-?\d+\.\d\d")
_FONT = re.compile(r"(?:font-family|font-variant|font-stretch): ?[^;]+;? ?|font: ?")
SIZE = 12.5
_USUAL = ("text-anchor:start", f"font-size:{SIZE}px", f"fill:{INK.lower()}")


def tidy_svg(svg: bytes, id: str) -> str:
    """Cut matplotlib's SVG to what a page needs.

    Ids are prefixed, since several pictures share a page, and the unused ones go; a mark is
    defined once; numbers are cut to two decimals; looks that a run of marks shares move to one
    group; fonts become the stack. Nothing is clipped: what is drawn has been kept inside.
    """
    root = etree.fromstring(svg, etree.XMLParser(remove_comments=True, remove_blank_text=True))
    for extra in root.findall("{*}metadata") + root.findall("{*}defs"):
        root.remove(extra)
    for node in list(root.iter()):
        _shorten(node)
    _name_marks(root, id)
    _share_looks(root)
    for group in root.iter("{*}g"):  # one that says nothing leaves its place to its children
        group.tag = group.tag if group.attrib else "nothing"
    etree.strip_tags(root, "nothing")
    for name in ("width", "height", "version"):
        root.attrib.pop(name, None)
    root.attrib.update({"font-family": FONT_STACK, "font-size": f"{SIZE}px", "fill": INK})
    etree.cleanup_namespaces(root)
    return etree.tostring(root, encoding="unicode")


def _shorten(node: Any) -> None:
    node.attrib.pop("clip-path", None)
    for key, value in list(node.attrib.items()):
        text = _NUMBER.sub(lambda number: f"{round(float(number[0]), 2) + 0.0:.9g}", value)
        if key == "style":
            text = _FONT.sub("", text).replace("; ", ";").replace(": ", ":").strip("; ")
            text = ";".join(look for look in text.split(";") if look not in _USUAL)
        if key == "d":
            # A tenth of a pixel is finer than any screen shows.
            text = _FINE.sub(lambda number: f"{round(float(number[0]), 1) + 0.0:g}", text)
            text = re.sub(r"\s+", " ", text).strip().replace(" L ", "L")
            text = _LEVEL.sub(lambda m: f"M{m[1]} {m[2]}h{float(m[3]) - float(m[1]):.1f}", text)
        if key == "transform" and text.startswith("rotate(-0"):
            text = ""
        if text:
            node.set(key, text)
        else:
            del node.attrib[key]


def _name_marks(root: Any, id: str) -> None:
    """Let equal marks share one definition, named after the picture; nothing else has a name."""
    kept: dict[tuple[str, str], str] = {}
    names: dict[str, str] = {}
    for definitions in list(root.iter("{*}defs")):
        for mark in list(definitions):
            looks = (mark.get("d", ""), mark.get("style", ""))
            if looks in kept:
                definitions.remove(mark)
            # Two hyphens, which no id of a block has, so that the two can never be the same.
            names[mark.get("id")] = kept.setdefault(looks, f"{id}--{len(kept) + 1}")
        if not len(definitions):
            definitions.getparent().remove(definitions)
    for node in root.iter():
        name = names.get(node.attrib.pop("id", ""))
        if name:
            node.set("id", name)
        elif node.tag.endswith("}use"):
            node.set(_HREF, "#" + names[node.get(_HREF)[1:]])


def _share_looks(root: Any) -> None:
    for group in root.iter("{*}g"):
        looks = {child.get("style") for child in group if child.tag.endswith("}use")}
        if len(group) > 1 and len(looks) == 1 and None not in looks:
            group.set("style", looks.pop())
            for child in group:
                child.attrib.pop("style", None)
