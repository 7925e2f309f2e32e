"""The pictures of pages in docs/pictures, which the README shows: of a run, at two widths.

    pmf demo && pmf run westshire_2026-27_q2.yml
    python benchmarks/pictures.py outputs/westshire/2026-27-q2/RUN docs/pictures

It needs playwright and Pillow, and a Chromium on the path or named in PMF_CHROMIUM. A page is
pictured in pieces, because Chromium draws at most 16,384 pixels at once, in few colours and, where
it is wide and long, smaller, so that the files stay light.
"""

from __future__ import annotations

import io
import os
import shutil
import sys
from pathlib import Path
from typing import Any

from PIL import Image
from playwright.sync_api import sync_playwright

THEME = "environment_and_sustainability"
ANALYSES = ("trends", "benchmarking", "target_realism")
PAGES = {"index": "index.html", "theme": f"{THEME}/index.html"}
PAGES |= {name: f"{THEME}/{name}/report.html" for name in ANALYSES}
WIDE, NARROW, SHOWN, PIECE, COLOURS = 1280, 320, 800, 4_000, 32
# What stands still while a page is scrolled would be in each of its pieces.
STILL = ".contents, .up { position: static !important }"


def picture(page: Any, width: int) -> Image.Image:
    """Return an open page as one picture."""
    page.add_style_tag(content=STILL)
    height = page.evaluate("document.documentElement.scrollHeight")
    whole = Image.new("RGB", (width, height), "white")
    for top in range(0, height, PIECE):
        piece = {"x": 0, "y": top, "width": width, "height": min(PIECE, height - top)}
        whole.paste(Image.open(io.BytesIO(page.screenshot(full_page=True, clip=piece))), (0, top))
    return whole


def main(run: Path, folder: Path) -> None:
    """Write the picture of each page of a run at each width."""
    program = os.environ.get("PMF_CHROMIUM") or shutil.which("chromium")
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=program, args=["--no-sandbox"])
        for name, place in PAGES.items():
            for width in (WIDE, NARROW):
                page = browser.new_page(viewport={"width": width, "height": 1000})
                page.goto((run / place).as_uri())
                made = picture(page, width)
                if width == WIDE and name != "theme":
                    made = made.resize(
                        (SHOWN, round(made.height * SHOWN / WIDE)), Image.Resampling.LANCZOS
                    )
                few = made.quantize(COLOURS, Image.Quantize.MEDIANCUT, dither=Image.Dither.NONE)
                few.save(folder / f"{name}-{width}.png", optimize=True)
                print(f"{name}-{width}.png: {width} by {made.height}")
                page.close()
        browser.close()


if __name__ == "__main__":
    main(Path(sys.argv[1]).resolve(), Path(sys.argv[2]))
