"""Words in charts: their size, how they break into lines, and how values are written there.

Words are measured in DejaVu Sans, which ships with matplotlib, so that a layout is the same on
every machine; readers see Arial or Liberation Sans, which are narrower, so nothing collides there.
"""

import textwrap
import warnings
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from functools import lru_cache
from pathlib import Path

import numpy as np

from pmf_analysis.story import style
from pmf_analysis.story.bank import say
from pmf_analysis.story.formatting import MINUS, format_number, format_value

LEADING = 1.25
_MARGIN, _LONG_UNIT, _MILLION = 16.0, 6, 1e6
_SCALES = {"thousand": "k", "million": "m", "billion": "bn"}


@dataclass(frozen=True)
class Words:
    """A label, perhaps of several lines, with its looks."""

    text: str
    colour: str = "grey"
    bold: bool = False
    size: float = style.SIZE


Label = tuple[Words, float]  # and the value they stand for


def measure(words: Words) -> tuple[float, float]:
    """Return width and height of a label in pixels."""
    lines = words.text.split("\n")
    widths = (_line_width(line, words.size, words.bold) for line in lines)
    return max(widths), len(lines) * words.size * LEADING


@lru_cache(maxsize=4096)
def _line_width(line: str, size: float, bold: bool) -> float:
    """Measure a line by the font's own outlines, which no setting and no machine changes."""
    from matplotlib import get_data_path
    from matplotlib.ft2font import FT2Font, LoadFlags

    name = "DejaVuSans-Bold.ttf" if bold else "DejaVuSans.ttf"
    font = FT2Font(Path(get_data_path()) / "fonts" / "ttf" / name)
    font.set_size(size, 72)
    with warnings.catch_warnings():
        # A sign that this font lacks, such as an emoji, is as wide as the box that stands for it.
        warnings.filterwarnings("ignore", "Glyph", UserWarning)
        font.set_text(line, 0.0, flags=LoadFlags.NO_HINTING)
    return float(font.get_width_height()[0]) / 64


def fit(words: Words, width: float, most: int) -> Words:
    """Break a label into at most so many lines of a width; what is longer ends in "…"."""
    for letters in range(min(len(words.text), int(width / words.size * 4)), 0, -1):
        lines = textwrap.wrap(words.text, letters, max_lines=most, placeholder="…")
        fitted = replace(words, text="\n".join(lines))
        if measure(fitted)[0] <= width:
            return fitted
    return replace(words, text="")


def short_value(value: float, unit: str, decimals: int) -> str:
    """Write a value for a label in a chart; a long unit stands once above its scale."""
    letter, money = _scale_letter(unit), unit[: unit.startswith("£")]
    attached = not letter and not is_left_out(unit)
    return format_value(value, unit if attached else money, decimals) + letter


def is_left_out(unit: str) -> bool:
    """Whether a unit is too long for labels."""
    return len(unit) > _LONG_UNIT and not _scale_letter(unit)


def _scale_letter(unit: str) -> str:
    """Shorten the scale of a unit such as "£ million", which no label may leave out."""
    return _SCALES.get(unit.removeprefix("£").split(maxsplit=1)[0] if unit.strip("£ ") else "", "")


def short_range(low: float, high: float, unit: str, decimals: int) -> str:
    """Write a range, or the value that both its ends are; a unit in words stands after its end."""
    start = short_value(low, unit if unit[:1] in ("%", "£") else "", decimals)
    end = short_value(high, unit, decimals)
    return say("chart.span", first=start, last=end) if low != high else end


def room_for(labels: Iterable[Label]) -> float:
    """Return the width that labels at the right edge need, whichever of them say they are off."""
    beyond = Words(say("chart.off_chart"), bold=True)
    return _MARGIN + max(measure(words)[0] for words in (beyond, *(each for each, _ in labels)))


def grid(low: float, high: float, unit: str, most: int = 5) -> list[tuple[float, str]]:
    """Return about so many round values between two ends, and how they are written."""
    from matplotlib.ticker import MaxNLocator

    locator = MaxNLocator(nbins=most, steps=[1, 2, 2.5, 5, 10])
    values = [float(tick) for tick in locator.tick_values(low, high) if low <= tick <= high]
    return list(zip(values, tick_texts(values, unit), strict=True))


def tick_texts(values: Sequence[float], unit: str) -> list[str]:
    """Write the values of an axis with the decimals that tell them apart, millions as "m"."""
    largest, letter = max((abs(value) for value in values), default=0.0), _scale_letter(unit)
    scale, letter = (_MILLION, "m") if largest >= _MILLION and not letter else (1.0, letter)
    step = min(np.diff(values), default=1.0) / scale
    decimals = next((d for d in range(6) if abs(round(step, d) - step) < step / 1e6), 6)
    texts = [format_number(value / scale, decimals) for value in values]
    if unit.startswith("£"):
        texts = [f"{MINUS}£{a[1:]}" if a.startswith(MINUS) else f"£{a}" for a in texts]
    return [text + ("%" if unit == "%" else letter) for text in texts]
