"""Every page of a whole run in a real browser: two widths, light and dark, without a network.

A page is opened once; what changes is only how wide it is and which colours are asked for. A page
that is 1280 pixels wide is 320 wide for its styles when it is enlarged to 400%.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from pmf_analysis.documents.audit import audit_folder

pytestmark = [pytest.mark.browser, pytest.mark.slow]

WIDTHS = (1280, 320)
OPEN_ALL = "all => all.forEach(each => each.open = true)"
# Contrast takes axe ten times as long as all else, so it is asked for by itself in each colouring:
# not of words in pictures, which axe cannot judge (the palette has tests of its own), and not of
# the rows of a table that look as the first three do.
ASK = """async contrast => {
    const alike = {include: [['html']], exclude: [['svg'], ['tbody tr:nth-child(n+4)']]};
    const rule = {runOnly: {type: 'rule', values: ['color-contrast', 'link-in-text-block']}};
    const others = {rules: {'color-contrast': {enabled: false}}};
    const found = await axe.run(contrast ? alike : document,
        {resultTypes: ['violations'], ...(contrast ? rule : others)});
    return found.violations.map(each => each.id + ': ' + each.nodes[0].html.slice(0, 200));
}"""
# The share of the marks of charts that have the colour of the ground, or none.
HIDDEN_MARKS = """() => {
    const ground = getComputedStyle(document.body).backgroundColor;
    const clear = colour => ['none', ground, 'rgba(0, 0, 0, 0)'].includes(colour);
    const marks = [...document.querySelectorAll('main svg :is(path, line, circle)')]
        .filter(mark => mark.getClientRects().length);
    const hidden = marks.map(mark => getComputedStyle(mark))
        .filter(look => clear(look.stroke) && clear(look.fill));
    return hidden.length / Math.max(1, marks.length);
}"""

# Whether what has the focus shows it: an outline, or a colour of its own behind it.
IS_FOCUS_SEEN = """() => {
    const own = document.activeElement, look = getComputedStyle(own);
    const shown = look.outlineStyle !== 'none' && parseFloat(look.outlineWidth) >= 2;
    const at = own.getBoundingClientRect(), is_marked = shown || look.boxShadow !== 'none';
    const is_there = at.width > 0 && at.bottom > 0 && at.top < innerHeight;
    return [own.outerHTML.slice(0, 120), own === document.body, is_marked && is_there];
}"""
ROWS_TOO = """async () => {
    const rule = {runOnly: {type: 'rule', values: ['color-contrast']}};
    const found = await axe.run({include: [['main']], exclude: [['svg']]}, rule);
    return found.violations.map(each => each.nodes[0].html.slice(0, 200));
}"""


class Tab:
    """One page of the browser for the whole run, which writes down all that is asked for."""

    def __init__(self, page: Any) -> None:
        self.page, self.asked = page, list[str]()
        page.on("request", lambda request: self.asked.append(request.url))
        page.on("pageerror", lambda error: self.asked.append(str(error)))

    def show(self, path: Path) -> None:
        self.page.goto(path.as_uri())
        self.page.eval_on_selector_all("details", OPEN_ALL)

    def resize(self, width: int) -> None:
        self.page.set_viewport_size({"width": width, "height": 900})


@pytest.fixture(scope="module")
def tab(chromium: Any) -> Iterator[Tab]:
    context = chromium.new_context(viewport={"width": WIDTHS[0], "height": 900}, offline=True)
    yield Tab(context.new_page())
    context.close()


@pytest.fixture(scope="module")
def faults(westshire_run: Any, tab: Tab) -> dict[str, list[str]]:
    """What axe finds, and how far a page can be scrolled sideways, by page, width and colours."""
    from axe_playwright_python.sync_playwright import Axe

    script, found = Axe().axe_script, dict[str, list[str]]()
    for path in westshire_run.pages:
        name = path.relative_to(westshire_run.folder).as_posix()
        tab.show(path)
        tab.page.evaluate(script)
        for width in WIDTHS:
            tab.resize(width)
            found[f"{name}, {width}"] = tab.page.evaluate(ASK, False)
            for colours in ("light", "dark"):
                tab.page.emulate_media(color_scheme=colours)
                found[f"{name}, {width}, {colours}"] = tab.page.evaluate(ASK, True)
        wide = tab.page.evaluate("document.documentElement.scrollWidth")
        found[f"{name}, sideways"] = [f"{wide} pixels"] if wide > WIDTHS[-1] else []
        tab.page.emulate_media(color_scheme="light", forced_colors="active")
        share = tab.page.evaluate(HIDDEN_MARKS)
        found[f"{name}, forced colours"] = [f"{share:.0%} of marks vanish"] if share else []
        tab.page.emulate_media(forced_colors="none")
        tab.resize(WIDTHS[0])
    return found


def _only(faults: dict[str, list[str]], *ends: str) -> dict[str, list[str]]:
    chosen = {key: found for key, found in faults.items() if key.endswith(ends)}
    assert len(chosen) >= 22 * len(ends)  # seven themes of three reports, and the index
    return {key: found for key, found in chosen.items() if found}


def test_axe_finds_nothing_on_any_page(faults: dict[str, list[str]]) -> None:
    assert _only(faults, "1280", "320", "light", "dark") == {}


def test_no_page_scrolls_sideways_on_a_phone_or_at_400_percent(
    faults: dict[str, list[str]],
) -> None:
    assert _only(faults, "sideways") == {}


def test_marks_stay_visible_in_forced_colours(faults: dict[str, list[str]]) -> None:
    assert _only(faults, "forced colours") == {}


def test_no_page_asks_for_anything_but_itself(faults: dict[str, list[str]], tab: Tab) -> None:
    assert faults
    assert {url for url in tab.asked if not (url.startswith("file:") and ".html" in url)} == set()


def test_the_audit_finds_nothing_in_the_whole_run(westshire_run: Any) -> None:
    result = audit_folder(westshire_run.folder)
    assert result.files["html"] == len(westshire_run.pages)
    assert not result.failed, "\n".join(result.lines())


def test_every_tab_stop_of_a_page_shows_where_the_keyboard_is(westshire_run: Any, tab: Tab) -> None:
    tab.page.emulate_media(reduced_motion="reduce")  # else it is still on its way there
    for name in ("index.html", "economy_and_skills/trends/report.html"):
        tab.show(westshire_run.folder / name)
        stops = 0
        while True:
            tab.page.keyboard.press("Tab")
            what, is_end, is_seen = tab.page.evaluate(IS_FOCUS_SEEN)
            if is_end:
                break
            stops += 1
            assert is_seen, (name, stops, what)
            assert stops < 1000, name
        assert stops > 15, name


def test_all_rows_of_a_page_of_each_kind_can_be_read(westshire_run: Any, tab: Tab) -> None:
    from axe_playwright_python.sync_playwright import Axe

    theme = westshire_run.folder / "effective_development_organisation"
    kinds = [theme.parent / "index.html", *sorted(theme.rglob("*.html"))]
    assert len(kinds) == 5
    for path in kinds:
        tab.show(path)
        # Of the data of figures one table is enough.
        tab.page.eval_on_selector_all("details", "all => all.slice(1).forEach(e => e.open = false)")
        tab.page.evaluate(Axe().axe_script)
        assert tab.page.evaluate(ROWS_TOO) == [], path


def test_a_printed_report_keeps_captions_with_their_charts(
    westshire_run: Any, tab: Tab, tmp_path: Path
) -> None:
    import pymupdf

    theme = westshire_run.folder / "effective_development_organisation"
    tab.show(theme / "trends" / "report.html")
    figures = tab.page.locator("figure").count()
    tab.page.pdf(path=str(tmp_path / "printed.pdf"), prefer_css_page_size=True)
    printed: Any = pymupdf.open(tmp_path / "printed.pdf")
    assert 5 <= len(printed) <= 40
    captions = 0
    for number, page in enumerate(printed, 1):
        drawn = [each["rect"] for each in page.get_drawings()]
        for x0, _, x1, *_ in page.get_text("blocks"):
            assert x0 >= 0 and x1 <= page.rect.width, (number, "words beyond the paper")
        for *place, words in (each[:5] for each in page.get_text("blocks")):
            if words.startswith("Figure ") and ":" in words[:12]:
                captions += 1
                below = [rect for rect in drawn if rect.y0 > place[1] and rect.height > 5]
                assert below, (number, words)
    assert captions == figures


def test_axe_and_the_measures_can_find_something(westshire_run: Any, tab: Tab) -> None:
    from axe_playwright_python.sync_playwright import Axe

    tab.show(westshire_run.pages[0])
    tab.page.evaluate(Axe().axe_script)
    tab.page.evaluate(
        "document.querySelector('main').insertAdjacentHTML('afterbegin',"
        "'<p style=\"color: #aaa; background: #bbb; width: 900px\">Words</p>')"
    )
    tab.resize(WIDTHS[-1])
    assert any("color-contrast" in each for each in tab.page.evaluate(ASK, True))
    assert tab.page.evaluate("document.documentElement.scrollWidth") > WIDTHS[-1]
