"""Colours, shapes and status marks: the one palette of every chart, table and page.

Blue is better, orange is worse, grey is no clear change, and every meaning has a shape as well as
a colour, so nothing is told by colour alone (WCAG 2.2, 1.4.1). What is somewhat better or worse has
the open shape in grey. The hexes are those of the
Government Analysis Function, "Data visualisation: colours in charts". Contrast and
colour-blindness are held by a test, because axe cannot judge text inside an SVG.
"""

from collections.abc import Mapping
from html import escape
from typing import Literal

from pmf_analysis.story.bank import stored, template

Tone = Literal["better", "worse", "neutral", ""]

PAPER = "#FFFFFF"
INK = "#0B0C0C"
GREY = "#505A5F"
LINE = "#D5DADD"
BAND = "#ECEFF1"
BLUE = "#12436D"
ORANGE = "#F46A25"
ORANGE_WORDS = "#B94A0F"
TARGET = "#801650"
FAN = ("#DCE7F2", "#BCD2E8", "#95B9DC")

MARKS = {"better": BLUE, "worse": ORANGE, "neutral": GREY, "target": TARGET}
"""Colours that carry meaning in a chart: at least 3 : 1 on white, each with its own shape."""
MUTED = {"improvement": "#6F8CA9", "concern": "#BC7F5F", "neutral": "#858E93"}
"""The same for signals of earlier periods: still 3 : 1, but no longer news."""

TIMELINE_SVG = '<svg class="pmf-time" '
"""How the picture of a chart over time begins; narrow screens show its newest end first."""

PANEL_SVG = '<svg class="pmf-panel" '
"""How each of several pictures of one figure begins; the style sheet lays them out as a grid."""

FONT_STACK = "Arial, 'Liberation Sans', Helvetica, sans-serif"

# By verdict code: shape and tone.
_STATUS: Mapping[str, tuple[str, Tone]] = stored("style.yml")["looks"]


def tone_of(code: str) -> Tone:
    """Return whether a verdict code is good, bad or neutral news; ``""`` when it says neither."""
    return _STATUS.get(code, ("dash", ""))[1]


def icon_html(code: str) -> str:
    """Return the mark of a verdict code as a small decorative SVG; nothing for a plain word.

    Hidden from screen readers: the word always stands beside it. Fill and stroke are attributes,
    which a page's own style sheet may override in dark mode and which still show without one.
    """
    looks, shape = icon_shape(code) or ("", "")
    tone = tone_of(code) or "none"
    return template("icon.svg.jinja")(tone=tone, looks=looks, shape=shape) if shape else ""


def icon_shape(code: str) -> tuple[str, str] | None:
    """Return colours and shape of a mark on a square of 16 by 16; None for a plain word."""
    if code not in _STATUS:
        return None
    shape, tone = _STATUS[code]
    colour = MARKS[tone or "neutral"]
    return f'fill="{colour}" stroke="{colour}"', stored("style.yml")["shapes"][shape]


def status_word(code: str, words: Mapping[str, str]) -> str:
    """Return the word of a verdict code; an unknown code is its own words."""
    return words.get(code, code.replace("_", " ").capitalize())


def status_html(code: str, words: Mapping[str, str]) -> str:
    """Return mark and word of a verdict code."""
    # One wrapper, so that mark and word stay together when a table is laid out as cards.
    opening = f'<span class="pmf-word-{tone_of(code) or "none"}">{icon_html(code)}'
    return f"{opening} {escape(status_word(code, words))}</span>"
