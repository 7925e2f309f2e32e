from __future__ import annotations

from importlib.resources import files
from itertools import combinations

import pytest
from colorspacious import cspace_convert, deltaE
from lxml import etree

from pmf_analysis.story import style
from pmf_analysis.story.style import COLOURS, MARKS, icon_html, icon_shape

_SIMULATED = ("none", "deuteranomaly", "protanomaly", "tritanomaly")
_APART = 10.0
WASH = "#F3F5F8"  # the ground of boxes, which only the style sheet knows
# A target is the only mark that is a line of steps.
SHAPES = {"target": "step"} | {
    tone: icon_shape(code)[1]
    for code, tone in (("better", "better"), ("worse", "worse"), ("similar", "neutral"))
}


def _rgb(colour: str) -> list[float]:
    return [int(colour[at : at + 2], 16) / 255 for at in (1, 3, 5)]


def contrast(one: str, other: str) -> float:
    """WCAG 2.2 contrast ratio (relative luminance of sRGB)."""

    def luminance(colour: str) -> float:
        parts = [c / 12.92 if c <= 0.04045 else ((c + 0.055) / 1.055) ** 2.4 for c in _rgb(colour)]
        return sum(w * part for w, part in zip((0.2126, 0.7152, 0.0722), parts, strict=True))

    light, dark = sorted((luminance(one), luminance(other)), reverse=True)
    return (light + 0.05) / (dark + 0.05)


def test_contrast_is_that_of_wcag() -> None:
    assert contrast("#000000", "#FFFFFF") == pytest.approx(21)
    assert contrast("#767676", COLOURS["paper"]) == pytest.approx(4.54, abs=0.01)
    assert contrast("#F46A25", COLOURS["paper"]) == pytest.approx(3.03, abs=0.01)


def test_the_style_sheet_has_the_colours_that_are_judged_here() -> None:
    sheet = files("pmf_analysis.documents") / "templates" / "pmf" / "page.css"
    used = sheet.read_text(encoding="utf-8").lower()
    colours = (COLOURS["ink"], COLOURS["grey"], COLOURS["blue"], WASH, COLOURS["orange words"])
    assert [colour for colour in colours if colour.lower() not in used] == []


@pytest.mark.parametrize("name", ("ink", "grey", "blue", "orange words", "target"))
def test_words_can_be_read(name: str) -> None:
    for ground in (COLOURS["paper"], WASH):
        assert contrast(COLOURS[name], ground) >= 4.5
    if name in ("grey", "ink"):  # the only words that stand on the usual range
        assert contrast(COLOURS[name], COLOURS["band"]) >= 4.5


def test_numbers_of_events_can_be_read() -> None:
    assert (
        contrast(COLOURS["paper"], COLOURS["grey"]) >= 4.5
        and contrast(COLOURS["ink"], COLOURS["paper"]) >= 4.5
    )


@pytest.mark.parametrize("meaning", MARKS)
def test_marks_stand_out(meaning: str) -> None:
    outlined = (
        meaning == "worse"
    )  # the diamond has an outline in ink, for grounds that are not white
    assert contrast(MARKS[meaning], COLOURS["paper"]) >= 3
    assert outlined or contrast(MARKS[meaning], COLOURS["band"]) >= 3


@pytest.mark.parametrize("simulated", _SIMULATED)
def test_marks_are_told_apart_by_everyone(simulated: str) -> None:
    space = {"name": "sRGB1+CVD", "cvd_type": simulated, "severity": 100}
    seen = {
        name: _rgb(colour)
        if simulated == "none"
        else cspace_convert(_rgb(colour), space, "sRGB1").clip(0, 1)
        for name, colour in MARKS.items()
    }
    for one, other in combinations(MARKS, 2):
        apart = deltaE(seen[one], seen[other], input_space="sRGB1")
        assert apart >= _APART or SHAPES[one] != SHAPES[other]
    assert deltaE(seen["better"], seen["worse"], input_space="sRGB1") >= _APART


def test_every_meaning_has_its_own_shape() -> None:
    assert len(set(SHAPES.values())) == len(MARKS)


def test_better_and_worse_swap_their_marks_with_their_words() -> None:
    pairs = [("improving", "worsening"), ("better", "worse"), ("closing", "widening")]
    for good, bad in pairs:
        assert (style.tone_of(good), style.tone_of(bad)) == ("better", "worse")
        assert icon_html(good) != icon_html(bad)
    for word in ("rising", "falling", "higher", "lower", "no_clear_change", "cannot_judge"):
        assert style.tone_of(word) not in ("better", "worse")
    assert icon_html("challenging") == ""


def test_icons_are_well_formed_and_hidden_from_screen_readers() -> None:
    for code in ("improving", "worsening", "similar", "rising", "falling", "cannot_judge"):
        assert etree.fromstring(icon_html(code)).get("aria-hidden") == "true"
