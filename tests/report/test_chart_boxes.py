"""Words in charts as a browser sets them: none on another, none cut off, none on a mark."""

from __future__ import annotations

from itertools import combinations
from pathlib import Path
from typing import Any

import pytest
from awkward_charts import awkward_charts

pytestmark = pytest.mark.browser

# Of a text its box without the empty room that a font keeps above capitals; of a mark all of it.
# Marks are repeated shapes, of which areas are left out.
MEASURE = """all => all.map(svg => {
  const view = svg.viewBox.baseVal, box = node => node.getBBox();
  const texts = [...svg.querySelectorAll('text')].map(node => {
    const { x, y, width, height } = box(node), size = parseFloat(getComputedStyle(node).fontSize);
    const foot = node.getStartPositionOfChar(0).y;
    return [node.textContent, x, foot - 0.75 * size, x + width, foot + 0.2 * size];
  });
  const marks = [...svg.querySelectorAll('use')].map(box).filter(each => each.width < 20)
    .map(each => ['mark', each.x, each.y, each.x + each.width, each.y + each.height]);
  return { name: svg.dataset.name || svg.querySelector('[id]')?.id || svg.id,
           size: [view.width, view.height], texts, marks };
})"""
Spot = tuple[str, float, float, float, float]


def overlap(one: Spot, other: Spot) -> bool:
    across = one[1] < other[3] and other[1] < one[3]
    return across and one[2] < other[4] and other[2] < one[4]


def faults(chart: dict[str, Any]) -> list[str]:
    texts, (width, height), name = chart["texts"], chart["size"], chart["name"]
    found = [f"{name}: {a[0]} | {b[0]}" for a, b in combinations(texts, 2) if overlap(a, b)]
    for text in texts:
        if text[1] < -0.5 or text[2] < -0.5 or text[3] > width + 0.5 or text[4] > height + 0.5:
            found.append(f"{name}: {text[0]} | edge {text[1:]} of {width} by {height}")
        found += [f"{name}: {text[0]} | mark" for mark in chart["marks"] if overlap(text, mark)]
    return found


def measured(tab: Any) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = tab.eval_on_selector_all("svg:has(text)", MEASURE)
    return found


@pytest.fixture
def tab(chromium: Any) -> Any:
    context = chromium.new_context(viewport={"width": 1280, "height": 900}, offline=True)
    yield context.new_page()
    context.close()


def test_words_of_awkward_charts_keep_clear(tab: Any) -> None:
    charts = awkward_charts()
    named = [svg.replace("<svg ", f'<svg data-name="{name}" ', 1) for name, svg in charts.items()]
    tab.set_content(f"<body>{''.join(named)}</body>")
    found = measured(tab)
    assert len(found) == len(charts) > 400
    assert [fault for chart in found for fault in faults(chart)] == []
    large = {name: len(svg.encode()) for name, svg in charts.items() if len(svg.encode()) > 20_000}
    assert not large


def test_words_of_charts_on_pages_keep_clear(report_pages: list[Path], tab: Any) -> None:
    found = []
    for page in report_pages:
        tab.goto(page.as_uri())
        found += [f"{page.parent}: {each}" for chart in measured(tab) for each in faults(chart)]
    assert found == []


def test_the_measure_can_find_each_fault(tab: Any) -> None:
    words = '<text x="5" y="20">Words</text>'
    use = '<defs><circle id="m" r="4"/></defs><use href="#m" x="{}" y="50"/>'
    for inside, expected in (
        (words + use.format(80), 0),
        (words * 2 + use.format(80), 1),
        (words.replace("20", "52") + use.format(10), 1),
        ('<text x="90" y="20">Words</text>', 1),
        ('<text x="5" y="3">Words</text>', 1),
    ):
        tab.set_content(f'<svg viewBox="0 0 100 100" width="100" font-size="12">{inside}</svg>')
        (chart,) = measured(tab)
        assert len(faults(chart)) == expected, inside


def test_target_of_the_dots_is_in_sight_at_any_width(report_pages: list[Path], tab: Any) -> None:
    places = """svg => {
      const box = node => node.getBoundingClientRect(), chart = svg.closest('.pmf-chart');
      const texts = [...svg.querySelectorAll('text')];
      const target = texts.find(each => each.textContent.includes('Target'));
      return [box(chart), box(svg), box(target)].flatMap(each => [each.left, each.right]);
    }"""
    for width in (1280, 320):
        tab.set_viewport_size({"width": width, "height": 900})
        tab.goto(report_pages[-1].as_uri())
        left, right, start, _, begins, ends = tab.eval_on_selector(
            "svg:has([id^='dots--'])", places
        )
        assert left <= begins < ends <= right, "the target lies right of the middle"
        assert width == 320 or abs(start - left) < 1, "not at the right of a wide page"


def test_words_of_charts_of_a_whole_run_keep_clear(westshire_run: Any, tab: Any) -> None:
    found, count = [], 0
    for page in westshire_run.pages:
        tab.goto(page.as_uri())
        charts = measured(tab)
        count += len(charts)
        found += [f"{page.parent.name}: {fault}" for chart in charts for fault in faults(chart)]
    assert found == [] and count > 200
