"""The one palette of every chart, table and page, status marks, and clean SVG.

Blue is better, orange is worse, grey is no clear change, and every meaning has a shape as well as
a colour, so nothing is told by colour alone (WCAG 2.2, 1.4.1). What is somewhat better or worse has
the open shape in grey. Contrast and colour-blindness are held by a test, because axe cannot judge
text inside an SVG. All looks are data, in ``style.yml``.

Matplotlib's SVG is cut down to what a page needs and is the same bytes every time.
"""

import re
from collections.abc import Mapping
from functools import cache
from html import escape
from typing import Any, Literal

from lxml import etree

from pmf_analysis.story.bank import stored, template

Tone = Literal["better", "worse", "neutral", "light", ""]

COLOURS: Mapping[str, str] = stored("style.yml")["colours"]
MARKS: Mapping[str, str] = stored("style.yml")["marks"]
"""Colours that carry meaning in a chart: at least 3 : 1 on white, each with its own shape."""

LIGHTS: Mapping[str, str] = stored("style.yml")["lights"]
"""Colours of a council's own rule, by their codes; each has its own shape and a word beside it."""

TIMELINE_SVG = '<svg class="pmf-time" '
"""How the picture of a chart over time begins; narrow screens show its newest end first."""

END_SVG = '<svg class="pmf-time pmf-end" '
"""How the picture of another chart begins of which narrow screens show the right end first."""

PANEL_SVG = '<svg class="pmf-panel" '
"""How each of several pictures of one figure begins; the style sheet lays them out as a grid."""

FONT_STACK = "Arial, 'Liberation Sans', Helvetica, sans-serif"
_HREF = "{http://www.w3.org/1999/xlink}href"
_NUMBER = re.compile(r"-?\d+\.\d{3,}(?:e-?\d+)?")
_LEVEL = re.compile(r"M (\S+) ([^L ]+)L(\S+) \2(?= M|$)")
_FINE = re.compile(r"-?\d+\.\d\d")
SIZE: float = stored("style.yml")["settings"]["font.size"]
_INK = COLOURS["ink"]
_ANCHORS = {"left": "", "center": "text-anchor:middle", "right": "text-anchor:end"}

# By verdict code: shape and tone.
_STATUS: Mapping[str, tuple[str, Tone]] = stored("style.yml")["looks"]


def tone_of(code: str) -> Tone:
    """Return whether a verdict code is good, bad or neutral news; ``""`` when it says neither."""
    return _STATUS.get(code, ("", ""))[1]


def icon_html(code: str) -> str:
    """Return the mark of a verdict code as a small decorative SVG; nothing for a plain word.

    Hidden from screen readers: the word always stands beside it. Fill and stroke are attributes,
    which a page's own style sheet may override in dark mode and which still show without one.
    """
    (looks, shape), tone = icon_shape(code), tone_of(code) or "none"
    return template("icon.svg.jinja")(tone=tone, looks=looks, shape=shape) if shape else ""


def icon_shape(code: str) -> tuple[str, str]:
    """Return colours and shape of a mark on a square of 16 by 16; no shape for a plain word."""
    shape, tone = _STATUS.get(code, ("", ""))
    colour = LIGHTS.get(code) or MARKS[tone or "neutral"]
    return f'fill="{colour}" stroke="{colour}"', stored("style.yml")["shapes"].get(shape, "")


@cache
def looks_of(name: str) -> dict[str, Any]:
    """Return how a line, area or mark of a chart is drawn, in matplotlib's own terms."""
    looks = stored("style.yml")["lines"][name]
    return {key: (0, look) if isinstance(look, list) else look for key, look in looks.items()}


def status_word(code: str, words: Mapping[str, str]) -> str:
    """Return the word of a verdict code; an unknown code is its own words."""
    return words.get(code, code.replace("_", " ").capitalize())


def status_html(code: str, words: Mapping[str, str]) -> str:
    """Return mark and word of a verdict code."""
    # One wrapper, so that mark and word stay together when a table is laid out as cards.
    opening = f'<span class="pmf-word-{tone_of(code) or "none"}">{icon_html(code)}'
    return f"{opening} {escape(status_word(code, words))}</span>"


def text_looks(colour: str, size: float, bold: bool, anchor: str) -> str:
    """Return the attribute of looks of a text in a picture; "" for what a picture's usual has."""
    looks = ["font-weight:700"] * bold + [f"font-size:{size:g}px"] * (size != SIZE)
    looks += [_ANCHORS[anchor]] * (anchor != "left")
    looks += [f"fill:{COLOURS[colour].lower()}"] * (colour != "ink")
    return f' style="{";".join(looks)}"' if looks else ""


def hundredth(value: float) -> str:
    """Write a place in a picture to a hundredth of a pixel."""
    # Six decimals are what is left after places have been scaled back and forth.
    return f"{round(round(value, 6), 2) + 0.0:.9g}"


def tidy_svg(svg: bytes, id: str) -> str:
    """Cut matplotlib's SVG to what a page needs.

    Ids are prefixed, since several pictures share a page, and the unused ones go; a mark is
    defined once; numbers are cut to two decimals; looks that a run of marks shares move to one
    group; the fonts are the stack. Nothing is clipped: what is drawn has been kept inside.
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
    root.attrib.update({"font-family": FONT_STACK, "font-size": f"{SIZE}px", "fill": _INK})
    etree.cleanup_namespaces(root)
    return etree.tostring(root, encoding="unicode")


def _shorten(node: Any) -> None:
    node.attrib.pop("clip-path", None)
    for key, value in list(node.attrib.items()):
        text = _NUMBER.sub(lambda number: f"{round(float(number[0]), 2) + 0.0:.9g}", value)
        if key == "style":
            text = text.replace("; ", ";").replace(": ", ":")
            text = ";".join(look for look in text.split(";") if look != f"fill:{_INK.lower()}")
        if key == "d":
            # A tenth of a pixel is finer than any screen shows.
            text = _FINE.sub(lambda number: f"{round(float(number[0]), 1) + 0.0:g}", text)
            text = re.sub(r"\s+", " ", text).strip().replace(" L ", "L")
            text = _LEVEL.sub(lambda m: f"M{m[1]} {m[2]}h{float(m[3]) - float(m[1]):.1f}", text)
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
