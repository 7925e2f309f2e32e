"""Drawings of blocks as pictures for documents that cannot show SVG, or not everywhere."""

from io import BytesIO
from pathlib import Path

from lxml import etree

from pmf_analysis.parameters.drawings import check_svg
from pmf_analysis.problems import EXIT_DATA_UNUSABLE, PmfError, Problem
from pmf_analysis.shipped import read_shipped

RULES = read_shipped("documents/office.yml")


def png_of(svg: str, width_px: int) -> bytes:
    """Return a drawing as a PNG on white, so many pixels wide.

    Nothing but the text is read, apart from fonts; where a machine has none of a chart's fonts,
    matplotlib's own stand in.

    Raises
    ------
    PmfError
        When it is no plain drawing, has no size, or is too large to be a chart.
    """
    import matplotlib
    import resvg_py
    from PIL import Image

    check_svg(svg)
    width, height = size_of(svg)
    if len(svg) > RULES["longest_svg"] or width_px**2 * height / width > RULES["most_pixels"]:
        raise PmfError(Problem.of("picture-too-large"), EXIT_DATA_UNUSABLE)
    folder = Path(matplotlib.get_data_path()) / "fonts" / "ttf"
    fonts = [str(folder / name) for name in ("DejaVuSans.ttf", "DejaVuSans-Bold.ttf")]
    drawn = resvg_py.svg_to_bytes(svg, width=width_px, font_files=fonts, **RULES["drawn"])
    # A chart has few colours; named one by one they make half the file.
    made = BytesIO()
    with Image.open(BytesIO(drawn)) as picture:
        few = picture.convert("RGB").quantize(RULES["colours"], Image.Quantize.FASTOCTREE)
    few.putpalette([255 if each > RULES["white"] else each for each in few.getpalette() or ()])
    few.save(made, "PNG")
    return made.getvalue()


def size_of(svg: str) -> tuple[float, float]:
    """Return width and height of a drawing, as its ``viewBox`` says, or else itself."""
    try:
        root = etree.fromstring(svg)
        sides = (root.get(name, "").rstrip("cimnptx") for name in ("width", "height"))
        width, height = map(float, root.get("viewBox", "").split()[2:] or sides)
    except (ValueError, etree.XMLSyntaxError):
        width = height = 0
    if not (0 < width < RULES["longest_side"] and 0 < height < RULES["longest_side"]):
        raise PmfError(Problem.of("svg-malformed", error="no size"), EXIT_DATA_UNUSABLE)
    return width, height


def one_drawing(svg: str) -> str:
    """Return the drawings of a figure as one: small multiples stand in rows, as on the page."""
    parts = svg.replace("</svg>", "</g>").split("<svg ")[1:]
    if len(parts) < 2:
        return svg
    wide, high = (side + RULES["space"] for side in size_of(svg[: svg.index("</svg>") + 6]))
    across, rows = RULES["across"], -(-len(parts) // RULES["across"])
    places = [(place % across * wide, place // across * high) for place in range(len(parts))]
    moved = [
        f'<g transform="translate({x:g} {y:g})" {part}'
        for (x, y), part in zip(places, parts, strict=True)
    ]
    room = f"0 0 {across * wide - RULES['space']:g} {rows * high - RULES['space']:g}"
    return f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="{room}">{"".join(moved)}</svg>'
