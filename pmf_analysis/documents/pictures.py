"""Drawings of blocks as pictures for documents that cannot show SVG, or not everywhere."""

import re
from io import BytesIO
from pathlib import Path

from lxml import etree

from pmf_analysis.parameters.drawings import check_svg
from pmf_analysis.problems import EXIT_DATA_UNUSABLE, PmfError, Problem

_SVG = "{http://www.w3.org/2000/svg}"
_FONTS = ("DejaVuSans.ttf", "DejaVuSans-Bold.ttf")
_COLOURS = 96
_ACROSS, _SPACE = 3, 20  # small multiples in a row, and what is between them
_LONGEST_SVG, _MOST_PIXELS = 2_000_000, 16_000_000


def png_of(svg: str, width_px: int) -> bytes:
    """Return a drawing as a PNG on white, so many pixels wide.

    Nothing but the text is read, apart from fonts; where a machine has none of the chart's fonts,
    matplotlib's own stand in.

    Raises
    ------
    PmfError
        When it is no plain drawing, or too large to be one.
    """
    import matplotlib
    import resvg_py
    from PIL import Image

    check_svg(svg)
    width, height = size_of(svg)
    if len(svg) > _LONGEST_SVG or width_px**2 * height / width > _MOST_PIXELS:
        raise PmfError(Problem.of("picture-too-large"), EXIT_DATA_UNUSABLE)
    folder = Path(matplotlib.get_data_path()) / "fonts" / "ttf"
    fonts = [str(folder / name) for name in _FONTS]
    drawn = resvg_py.svg_to_bytes(
        svg, width=width_px, background="#fff", font_files=fonts, sans_serif_family="DejaVu Sans"
    )
    # A chart has few colours; said one by one they make half the file.
    made = BytesIO()
    with Image.open(BytesIO(drawn)) as picture:
        picture.convert("RGB").quantize(_COLOURS, Image.Quantize.FASTOCTREE).save(made, "PNG")
    return made.getvalue()


def size_of(svg: str) -> tuple[float, float]:
    """Return width and height of a drawing, as its ``viewBox`` or its own attributes say."""
    root = etree.fromstring(svg)
    sides = root.get("viewBox", "").replace(",", " ").split()[2:] or [
        root.get(name, "") for name in ("width", "height")
    ]
    width, height = (float(re.sub(r"[^\d.]", "", side) or 0) for side in sides)
    if not width or not height:
        raise PmfError(Problem.of("svg-malformed", error="no size"), EXIT_DATA_UNUSABLE)
    return width, height


def one_drawing(svg: str) -> str:
    """Return the drawings of a figure as one: small multiples stand in rows, as on the page."""
    pictures = list(etree.fromstring(f"<pictures>{svg}</pictures>"))
    if len(pictures) == 1:
        return svg
    sizes = [size_of(etree.tostring(picture, encoding="unicode")) for picture in pictures]
    wide, high = (max(sides) + _SPACE for sides in zip(*sizes, strict=True))
    rows = -(-len(pictures) // _ACROSS)
    whole = etree.Element(f"{_SVG}svg", nsmap={None: _SVG[1:-1]})
    whole.set("viewBox", f"0 0 {_ACROSS * wide - _SPACE:g} {rows * high - _SPACE:g}")
    for place, picture in enumerate(pictures):
        row, column = divmod(place, _ACROSS)
        picture.tag = f"{_SVG}g"
        picture.set("transform", f"translate({column * wide:g} {row * high:g})")
        picture.attrib.pop("viewBox")
        whole.append(picture)
    return etree.tostring(whole, encoding="unicode")
