"""What a page must be beyond what axe can see.

axe is content with an alternative text that says "No description has been provided", with a file
name for a title and with tables that nobody introduced. These checks are not. They need no
browser, take milliseconds, and work on any HTML page, so that a council can audit its own packs.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Callable, Iterator
from itertools import pairwise
from typing import Any

from lxml import html

from pmf_analysis.problems import Problem, Problems

_FAKE_ALT = re.compile(r"no description|^<figure|\.(png|svg|jpe?g)$|^(image|chart|graph)$", re.I)
_FILE_NAME = re.compile(r"\.\w{2,5}$|_|^\w+$")
_OUTSIDE = re.compile(r"^\s*(https?:)?//", re.IGNORECASE)
_OUTSIDE_CSS = re.compile(r"@import|url\(\s*['\"]?(https?:)?//", re.IGNORECASE)
_LEAKS = re.compile(r"^(nan|NaN|None|NaT|<NA>|inf|Unnamed: \d+)$")
_CODE = "contains(@class, 'jp-CodeMirrorEditor') or contains(@class, 'input_area')"
_SHORTEST_ALT, _LONGEST_HEADLINE = 40, 10
_LABEL = re.compile(r"^(Figure|Table)( \d+)?: ")

Finding = tuple[str, str]


def audit_html(text: str) -> Problems:
    """Return what is wrong with a page, an error for each fault; an empty list is a pass."""
    page = html.document_fromstring(text)
    problems = Problems()
    for check in CHECKS:
        for code, message in check(page):
            problems.add(Problem(message, code=code))
    return problems


def _check_document(page: Any) -> Iterator[Finding]:
    """Language, title, landmarks, a way past the header, and zoom."""
    if not page.get("lang", "").startswith(("en-GB", "cy")):
        yield "lang", "The page does not say that it is in British English or Welsh."
    title = _text(page.find(".//title"))
    if not title or _FILE_NAME.search(title):
        yield "title", f'The title "{title}" is missing or is the name of a file.'
    for name in ("main", "header", "footer"):
        if len(page.findall(f".//{name}")) != 1:
            yield "landmark", f"The page does not have one <{name}>."
    if any(not _is_named(nav) for nav in page.iter("nav")):
        yield "landmark", "A <nav> has no name."
    first = page.find(".//a[@href]")
    if first is None or first.get("href") != "#main":
        yield "skip-link", "The first link does not lead to the main content."
    view = "".join(page.xpath("//meta[@name='viewport']/@content"))
    if not view or "user-scalable=no" in view or "maximum-scale" in view:
        yield "viewport", "The page does not fit a phone, or forbids zooming."


def _check_headings(page: Any) -> Iterator[Finding]:
    headings = list(page.iter("h1", "h2", "h3", "h4", "h5", "h6"))
    levels = [int(node.tag[1]) for node in headings]
    if levels.count(1) != 1:
        yield "h1", f"The page has {levels.count(1)} first-level headings, not one."
    if any(after > before + 1 for before, after in pairwise(levels)):
        yield "heading-jump", "A heading skips a level."
    if not all(map(_text, headings)):
        yield "heading-empty", "A heading has no text."


def _check_ids(page: Any) -> Iterator[Finding]:
    counts = Counter(page.xpath("//@id"))
    for name in [name for name, count in counts.items() if count > 1]:
        yield "id-repeated", f'The id "{name}" is used more than once.'
    wanted = " ".join(page.xpath("//@aria-labelledby | //@aria-describedby")).split()
    wanted += [link[1:] for link in page.xpath("//@href") if link.startswith("#") and link != "#"]
    for name in sorted(set(wanted) - set(counts)):
        yield "id-missing", f'Something refers to "{name}", which is not on the page.'


def _check_pictures(page: Any) -> Iterator[Finding]:
    """Every picture is decoration, or says what it means and with which numbers."""
    for node in page.iter("img", "svg", "div"):
        if node.get("aria-hidden") == "true" or (node.tag == "div" and node.get("role") != "img"):
            continue
        name = "alt" if node.tag == "img" else "aria-label"
        alt = node.get(name, "") or _text(node.find("title"))
        if node.tag == "svg" and node.get("role") != "img":
            yield "picture-role", "A drawing is neither an image with a name nor hidden."
        if _FAKE_ALT.search(alt) or len(alt) < _SHORTEST_ALT or not re.search(r"\d", alt):
            yield "alt", f'The alternative text "{alt[:60]}" does not say what the picture means.'


def _check_tables(page: Any) -> Iterator[Finding]:
    for table in page.iter("table"):
        caption = _text(table.find("caption"))
        named = f'Table "{caption[:50]}"'
        if not caption:
            yield "caption", "A table has no caption."
        if table.get("role") != "table":
            yield "table-role", f"{named} loses its meaning when it is laid out as cards."
        for cell in table.iter("th"):
            if cell.get("scope") not in ("col", "row"):
                yield "scope", f"{named}: a heading does not say whether it is of row or column."
            if not _text(cell):
                yield "th-empty", f"{named}: a heading is empty."
        for cell in table.iter("td", "th"):
            if _LEAKS.match(_text(cell)):
                yield "cell-leak", f'{named}: a cell says "{_text(cell)}".'


def _check_figures(page: Any) -> Iterator[Finding]:
    """Headline, subtitle, source and data with every figure, as a table and as a file."""
    for figure in page.iter("figure"):
        heads = figure.xpath("./figcaption//*[self::h2 or self::h3 or self::h4]")
        headline = _LABEL.sub("", _text(heads[0])) if heads else ""
        named = f'Figure "{headline[:50]}"'
        if not 0 < len(headline.split()) <= _LONGEST_HEADLINE:
            yield "headline", f"{named} has no headline of 1 to {_LONGEST_HEADLINE} words."
        if not figure.xpath("./figcaption//p[normalize-space()]"):
            yield "subtitle", f"{named} does not say what is measured, where and when."
        if "source" not in _text(figure).lower():
            yield "source", f"{named} names no source."
        if figure.find(".//table") is None:
            yield "data-table", f"{named} has no data table."
        if not figure.xpath(".//a[contains(@href, '.csv') or starts-with(@href, 'data:text/csv')]"):
            yield "csv", f"{named} has no file of its numbers."


def _check_requests(page: Any) -> Iterator[Finding]:
    """No script, and nothing fetched from anywhere."""
    if page.xpath("//script | //iframe | //object | //embed | //@*[starts-with(name(), 'on')]"):
        yield "active", "The page holds a script, frame or embedded object."
    fetched = page.xpath("//@src | //@srcset | //link/@href | //*[local-name()='use']/@href")
    styles = page.xpath("//style/text() | //@style")
    if any(map(_OUTSIDE.match, fetched)) or any(map(_OUTSIDE_CSS.search, styles)):
        yield "outside", "The page asks the network for something."


def _check_reading(page: Any) -> Iterator[Finding]:
    """No code, no link without words, nothing that takes the keyboard out of order."""
    if page.xpath(f"//*[{_CODE}]"):
        yield "code-shown", "The page shows code."
    for link in page.xpath("//a[@href]"):
        words = _text(link) or link.get("aria-label", "")
        if words.lower() in ("", "click here", "here", "more", "¶"):
            yield "link-text", f'A link to "{link.get("href")}" does not say where it leads.'
    if page.xpath("//*[number(@tabindex) > 0]"):
        yield "tabindex", "An element jumps the keyboard's order."
    if not all(map(_is_named, page.xpath("//*[@tabindex='0']"))):
        yield "focus-name", "A scrolling region that takes the focus has no name."


def _is_named(node: Any) -> bool:
    return bool(node.get("aria-label") or node.get("aria-labelledby"))


def _text(node: Any) -> str:
    return "" if node is None else " ".join(node.text_content().split())


CHECKS: tuple[Callable[[Any], Iterator[Finding]], ...] = (
    *(_check_document, _check_headings, _check_ids, _check_pictures, _check_tables),
    *(_check_figures, _check_requests, _check_reading),
)
