from __future__ import annotations

import re
from functools import cache
from importlib.resources import files
from itertools import combinations

import pytest
from awkward_charts import awkward_charts
from colorspacious import cspace_convert, deltaE
from lxml import etree

from pmf_analysis.story import style
from pmf_analysis.story.bank import stored
from pmf_analysis.story.style import COLOURS, LIGHTS, MARKS, icon_html, icon_shape

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


# Looks that carry nothing alone: grounds, grids and small strokes whose meaning a label, an edge or
# a mark beside them has; of these a reader loses nothing.
QUIET = {"grid", "band", "row", "gap", "middle", "middle half", "bar", "exceptional", "likely"}
QUIET |= {"9 times in 10", "5 times in 10", "2 times in 10", "leader", "inside of other"}
LINES: dict[str, dict[str, object]] = stored("style.yml")["lines"]
# Where one of these colours, of health services or of traffic lights, would have been at hand.
FOREIGN = ("#FAB428", "#ED8B00", "#F47738", "#FFBF00", "#FF0000", "#D4351C", "#00703C", "#009639")


def colours_of(look: dict[str, object]) -> list[str]:
    keys = ("color", "fc", "ec", "mfc", "mec")
    return [str(look[key]) for key in keys if str(look.get(key, "none")) != "none"]


@pytest.mark.parametrize("name", sorted(set(LINES) - QUIET))
def test_every_line_and_mark_stands_out_or_has_an_outline_that_does(name: str) -> None:
    assert max(contrast(colour, COLOURS["paper"]) for colour in colours_of(LINES[name])) >= 3


def test_quiet_looks_are_quiet() -> None:
    assert set(LINES) >= QUIET
    loud = [
        max(contrast(c, COLOURS["paper"]) for c in colours_of(LINES[name]))
        for name in QUIET - {"leader"}
    ]
    assert max(loud) < 3


def drawn_words() -> list[tuple[str, str]]:
    """Colour and words of every text in charts of every kind."""
    found = []
    for svg in awkward_charts(4).values():
        for root in etree.fromstring(f"<p>{svg}</p>"):
            for node in root.iter("{*}text"):
                colour = re.search("fill:(#[0-9a-f]{6})", node.get("style", ""))
                nodes = (node, *node.iterancestors())
                inherited = next((each.get("fill") for each in nodes if each.get("fill")), "")
                found.append((colour[1] if colour else inherited, "".join(node.itertext())))
    return found


def test_every_word_in_a_chart_can_be_read_where_it_stands() -> None:
    words = drawn_words()
    assert len(words) > 500 and len({colour for colour, _ in words}) > 4
    for colour, text in words:
        if colour.upper() == COLOURS["paper"]:
            assert text.isdigit(), "only numbers of events, on their grey discs"
        else:
            assert contrast(colour, COLOURS["paper"]) >= 4.5, text
    grounds = [
        LINES[name]
        for name in ("band", "likely", "9 times in 10", "5 times in 10", "2 times in 10")
    ]
    for ground in grounds:  # the newest value may be named on the fan
        assert contrast(COLOURS["ink"], str(ground["color"])) >= 4.5


@cache
def as_seen(colour: str, simulated: str) -> object:
    space = {"name": "sRGB1+CVD", "cvd_type": simulated, "severity": 100}
    rgb = _rgb(colour)
    return rgb if simulated == "none" else cspace_convert(rgb, space, "sRGB1").clip(0, 1)


@pytest.mark.parametrize("simulated", _SIMULATED)
def test_marks_and_lines_of_one_chart_differ_in_colour_or_in_shape(simulated: str) -> None:
    kinds = {
        "points": [
            "improvement",
            "concern",
            "neutral",
            "left out",
            "dot",
            "target",
            "forecast",
            "average",
        ],
        "earlier points": ["earlier improvement", "earlier concern", "earlier neutral", "dot"],
        "councils": ["own better", "own worse", "own somewhat_better", "own somewhat_worse", "own"],
        "gap": ["us", "similar councils", "edge"],
        "dots": ["met", "not met", "goal"],
        "year": ["target", "so far", "ahead"],
    }
    steps = ("target", "goal")  # drawn as steps, and as one upright line
    for names in kinds.values():
        for one, other in combinations(names, 2):
            looks = [LINES[name] for name in (one, other)]
            shapes = [
                (str(look.get("marker", "")), str(look.get("ls", "")), name in steps)
                for look, name in zip(looks, (one, other), strict=True)
            ]
            fills = [str(look.get("mfc", look.get("color"))) for look in looks]
            apart = deltaE(*(as_seen(fill, simulated) for fill in fills), input_space="sRGB1")
            assert apart >= _APART or shapes[0] != shapes[1], (one, other)


def dark() -> dict[str, str]:
    sheet = files("pmf_analysis.documents") / "templates" / "pmf" / "page.css"
    rules = sheet.read_text(encoding="utf-8").split("prefers-color-scheme: dark")[1]
    root = rules.split(":root {")[1].split("}")[0]
    return dict(re.findall(r"--([a-z-]+):\s*(#[0-9a-fA-F]{6})", root))


def test_icons_and_their_words_stand_out_in_dark_mode_too() -> None:
    colours = dark()
    for ground in (colours["paper"], colours["wash"]):
        for icon in ("better", "worse", "quiet"):
            assert contrast(colours[icon], ground) >= 3
        for words in ("ink", "quiet", "better", "worse-words"):
            assert contrast(colours[words], ground) >= 4.5
    # An orange mark keeps its fill from the palette; its outline is drawn in its own colour there.
    assert contrast(MARKS["worse"], colours["paper"]) >= 3


@pytest.mark.parametrize("simulated", _SIMULATED)
def test_icons_of_dark_mode_are_told_apart(simulated: str) -> None:
    colours = dark()
    seen = [as_seen(colours[name], simulated) for name in ("better", "worse")]
    assert deltaE(*seen, input_space="sRGB1") >= _APART


def test_no_colour_of_another_scheme_is_used() -> None:
    sheet = files("pmf_analysis.documents") / "templates" / "pmf" / "page.css"
    told = (files("pmf_analysis.story") / "style.yml").read_text(encoding="utf-8")
    used = (told + sheet.read_text(encoding="utf-8")).upper()
    assert [colour for colour in FOREIGN if colour in used] == []


def test_a_councils_own_colours_stand_out_on_both_pages_and_have_their_own_shapes() -> None:
    for colour in LIGHTS.values():
        assert all(contrast(colour, ground) >= 3 for ground in (COLOURS["paper"], "#14191D"))
    looks = [icon_shape(code) for code in LIGHTS]
    assert len({shape for _, shape in looks}) == len({colour for colour, _ in looks}) == 4
