"""A council's own look: its colour, logo and Word template, checked, and as a page takes them."""

import base64
import re
from hashlib import sha256
from pathlib import Path
from zipfile import is_zipfile

from pmf_analysis.parameters.drawings import SVG, check_svg
from pmf_analysis.parameters.loading import Document
from pmf_analysis.parameters.models import Council
from pmf_analysis.problems import PmfError

LEAST_CONTRAST, LEAST_LARGE = 4.5, 3.0  # of text, and of large text, on a colour: WCAG 2.2, 1.4.3
_MOST_LOGO_BYTES = 50_000
_LOGOS = {".png": "image/png", ".svg": "image/svg+xml"}
_PNG = b"\x89PNG\r\n\x1a\n"  # how every one begins
_KINDS = {"logo": tuple(_LOGOS), "word_template": (".docx",)}


def ink_on(colour: str) -> str:
    """Return the colour of text that can be read on a colour such as ``#12436d``.

    Black can be read wherever white cannot (WCAG 2.2).

    Examples
    --------
    >>> ink_on("#12436d"), ink_on("#ffdd00")
    ('#ffffff', '#000000')
    """
    return "#ffffff" if contrast(colour, "#ffffff") >= LEAST_CONTRAST else "#000000"


def contrast(one: str, other: str) -> float:
    """Return the contrast of two colours, 1 to 21, by the formula of WCAG 2.2.

    Examples
    --------
    >>> round(contrast("#ffffff", "#000000")), round(contrast("#777777", "#ffffff"), 2)
    (21, 4.48)
    """
    dark, light = sorted(map(_lightness, (one, other)))
    return (light + 0.05) / (dark + 0.05)


def _lightness(colour: str) -> float:
    shares = [part / 255 for part in bytes.fromhex(colour[1:])]
    linear = [s / 12.92 if s <= 0.04045 else ((s + 0.055) / 1.055) ** 2.4 for s in shares]
    return sum(weight * s for weight, s in zip((0.2126, 0.7152, 0.0722), linear, strict=True))


def check_brand(document: Document, folder: Path) -> dict[str, str]:
    """Check the files of a framework's brand; return the SHA-256 of those that are there."""
    hashes = {}
    for setting, kinds in _KINDS.items():
        for place, name in document.at(f"council.brand.{setting}", str):
            path, facts = folder / name, {"name": name, "kinds": " or ".join(kinds)}
            content = path.read_bytes() if path.is_file() else b""
            is_damaged = path.suffix == ".docx" and not is_zipfile(path)
            is_damaged |= path.suffix == ".png" and not content.startswith(_PNG)
            if path.suffix not in kinds or not content or is_damaged:
                document.tell(place, "brand-file-missing", **facts)
                continue
            hashes[f"parameters/{name}"] = sha256(content).hexdigest()
            if setting == "logo" and len(content) > _MOST_LOGO_BYTES:
                document.tell(place, "brand-logo-large", most=_MOST_LOGO_BYTES // 1000, **facts)
            if path.suffix == ".svg" and not _is_drawing(content):
                document.tell(place, "brand-logo-active", **facts)
    return hashes


def _is_drawing(content: bytes) -> bool:
    """Whether an SVG file is one plain drawing after its XML declaration."""
    from lxml import etree

    try:
        drawing = re.sub(r"^\s*<\?xml[^>]*\?>", "", content.decode("utf-8-sig"))
        check_svg(drawing)
        return bool(etree.fromstring(drawing).tag == f"{SVG}svg")
    except (PmfError, UnicodeDecodeError, etree.XMLSyntaxError):
        return False


def brand_of(council: Council, folder: Path) -> dict[str, str]:
    """Return a council's brand as texts, "" where it is not declared; the logo as a data address.

    ``ink`` is the colour of text on ``colour``.
    """
    texts: dict[str, str] = council.brand.model_dump()
    if logo := texts["logo"]:
        coded = base64.b64encode((folder / logo).read_bytes()).decode()
        texts["logo"] = f"data:{_LOGOS[Path(logo).suffix]};base64,{coded}"
    return {**texts, "ink": ink_on(texts["colour"]) if texts["colour"] else ""}
