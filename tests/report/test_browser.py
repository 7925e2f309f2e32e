"""What every page of every report must be, in a real browser without a network."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

pytestmark = pytest.mark.browser

WIDE, NARROW = 1280, 320
OPEN_ALL = "all => all.forEach(each => each.open = true)"
Open = Callable[..., Any]


@pytest.fixture
def open_page(chromium: Any) -> Any:
    """Open a page offline at a width; fails the test when the page asks for anything else."""
    contexts: list[Any] = []
    asked: list[str] = []

    def opened(page: Path, width: int = WIDE, **looks: Any) -> Any:
        viewport = {"width": width, "height": 900}
        contexts.append(chromium.new_context(viewport=viewport, offline=True, **looks))
        tab = contexts[-1].new_page()
        tab.on("request", lambda request: asked.append(request.url))
        tab.on("pageerror", lambda error: asked.append(str(error)))
        tab.goto(page.as_uri())
        tab.eval_on_selector_all("details", OPEN_ALL)
        return tab

    yield opened
    for context in contexts:
        context.close()
    assert not [url for url in asked if not (url.startswith("file:") and url.endswith(".html"))]


def violations(tab: Any) -> list[str]:
    from axe_playwright_python.sync_playwright import Axe

    found = Axe().run(tab).response["violations"]
    return [f"{each['id']}: {each['nodes'][0]['html'][:200]}" for each in found]


@pytest.mark.parametrize("width", [WIDE, NARROW])
def test_axe_finds_nothing(report_pages: list[Path], open_page: Open, width: int) -> None:
    found = {str(page): violations(open_page(page, width)) for page in report_pages}
    assert not {name: faults for name, faults in found.items() if faults}


def test_axe_finds_nothing_in_dark_mode(report_pages: list[Path], open_page: Open) -> None:
    found = {str(page): violations(open_page(page, color_scheme="dark")) for page in report_pages}
    assert not {name: faults for name, faults in found.items() if faults}


def test_axe_can_find_something(report_pages: list[Path], open_page: Open) -> None:
    tab = open_page(report_pages[0])
    tab.evaluate("document.documentElement.removeAttribute('lang')")
    assert violations(tab)


def test_narrow_page_never_scrolls_sideways(report_pages: list[Path], open_page: Open) -> None:
    for page in report_pages:
        tab = open_page(page, NARROW)
        assert tab.evaluate("document.documentElement.scrollWidth") <= NARROW, page.name
        charts = tab.eval_on_selector_all(
            ".pmf-chart",
            "all => all.map(each => [each.scrollWidth > each.clientWidth, each.tabIndex])",
        )
        assert all(chart == [True, 0] for chart in charts), page.name


def test_charts_over_time_show_their_newest_end_first(
    report_pages: list[Path], open_page: Open
) -> None:
    tab = open_page(report_pages[-1], NARROW)
    hidden = tab.eval_on_selector_all(
        ".pmf-chart:has(> .pmf-time)",
        "all => all.map(each => [...each.querySelectorAll('text')].filter(t => t.textContent."
        "includes('latest')).some(t => t.getBoundingClientRect().right > innerWidth))",
    )
    assert hidden and not any(hidden)
    axes = tab.eval_on_selector_all(
        ".pmf-axis", "all => all.map(each => each.getBoundingClientRect().toJSON())"
    )
    assert axes and all(0 <= each["left"] < 40 < each["width"] for each in axes)
    assert tab.locator(".pmf-hint").first.is_visible()
    assert not open_page(report_pages[-1]).locator(".pmf-hint").first.is_visible()


def test_tables_keep_their_roles_as_cards(report_pages: list[Path], open_page: Open) -> None:
    for page in report_pages:
        counts = [
            [tab.get_by_role(role).count() for role in ("table", "row", "cell", "rowheader")]
            for tab in (open_page(page, WIDE), open_page(page, NARROW))
        ]
        assert counts[0] == counts[1] and counts[0][0] > 0, page.name


def test_first_tab_stop_is_the_way_past_the_header(
    report_pages: list[Path], open_page: Open
) -> None:
    for page in report_pages:
        tab = open_page(page)
        tab.keyboard.press("Tab")
        assert tab.evaluate("document.activeElement.getAttribute('href')") == "#main"
        assert tab.evaluate("document.activeElement.getBoundingClientRect().left") >= 0
        tab.keyboard.press("Enter")
        assert tab.evaluate("document.activeElement.id") == "main"


def test_pictures_have_size_and_are_named(report_pages: list[Path], open_page: Open) -> None:
    for page in report_pages:
        tab = open_page(page)
        boxes = tab.eval_on_selector_all(
            "svg:not(.pmf-axis > svg)",  # an axis comes into view on narrow screens
            "all => all.map(each => each.getBoundingClientRect().width)",
        )
        assert all(width >= 8 for width in boxes), page.name
        sparks = tab.eval_on_selector_all(
            "svg.pmf-spark", "all => all.map(each => each.getBoundingClientRect().width)"
        )
        assert all(110 <= width <= 140 for width in sparks), page.name
        named = tab.get_by_role("img").count()
        assert named == tab.locator(".pmf-chart > svg, .pmf-panels").count(), page.name


def test_print_leaves_out_what_paper_cannot_use(report_pages: list[Path], open_page: Open) -> None:
    tab = open_page(report_pages[-1])
    assert tab.locator("nav.contents").is_visible()
    tab.emulate_media(media="print")
    assert not tab.locator("nav.contents").is_visible()
    assert not tab.locator("a.skip").is_visible()


def test_forced_colours_keep_marks_visible(report_pages: list[Path], open_page: Open) -> None:
    tab = open_page(report_pages[-1], forced_colors="active")
    fills = tab.eval_on_selector_all(
        ".pmf-icon-better", "all => all.map(each => getComputedStyle(each).fill)"
    )
    assert fills and set(fills) == {"rgb(0, 0, 0)"}
