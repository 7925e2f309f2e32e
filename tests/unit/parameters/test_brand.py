"""A council's colour, logo and Word template: what is taken, what is refused, and on which line."""

from __future__ import annotations

import base64
from pathlib import Path
from zipfile import ZipFile

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pmf_analysis.parameters.brand import LEAST_CONTRAST, ink_on
from pmf_analysis.parameters.workspace import Workspace
from pmf_analysis.problems import PmfError

PNG = b"\x89PNG\r\n\x1a\n" + b"0" * 40
SVG = '<?xml version="1.0"?>\n<svg xmlns="http://www.w3.org/2000/svg"><path d="M0 0h9"/></svg>'


def declare(workspace: Workspace, *lines: str) -> None:
    """Give the framework a brand, whose first line is line 5 of the file."""
    path = workspace.parameters / "framework.yml"
    text = path.read_text(encoding="utf-8")
    brand = ", ".join(lines)
    text = text.replace("area_code: X06000001}", f"area_code: X06000001,\n  brand: {{{brand}}}}}")
    path.write_text(text, encoding="utf-8")


def refused(workspace: Workspace) -> list[str]:
    with pytest.raises(PmfError) as error:
        workspace.load()
    assert error.value.exit_code == 2
    assert {problem.file for problem in error.value.problems} == {"parameters/framework.yml"}
    assert all(problem.row for problem in error.value.problems)
    return [problem.line() for problem in error.value.problems]


@pytest.mark.parametrize(
    ("lines", "said"),
    [
        (('colour: "blue"',), 'be a colour such as "#12436d"'),
        (('colour: "#12436d; } body { display: none"',), "be a colour"),
        (("logo: none.png", "logo_alt: Us"), "There is no file"),
        (("logo: ../logo.png", "logo_alt: Us"), "name of a file"),
        (("logo: logo.png",), "logo_alt"),
        (("logo: logo.gif", "logo_alt: Us"), ".png or .svg"),
        (("logo: large.png", "logo_alt: Us"), "larger than 50 KB"),
        (("logo: script.svg", "logo_alt: Us"), "more than a drawing"),
        (("logo: image.svg", "logo_alt: Us"), "more than a drawing"),
        (("logo: broken.svg", "logo_alt: Us"), "more than a drawing"),
        (("logo: words.svg", "logo_alt: Us"), "is no SVG"),
        (("logo: empty.svg", "logo_alt: Us"), ".png or .svg"),
        (("logo: other.svg", "logo_alt: Us"), "is no SVG"),
        (("logo: words.png", "logo_alt: Us"), ".png or .svg"),
        (("word_template: gone.docx",), "There is no file"),
        (("word_template: logo.png",), ".docx"),
        (('licence_url: "javascript:alert(1)"',), "begins with https://"),
        (("color: red",), 'Did you mean "colour"'),
    ],
)
def test_what_no_page_should_have_is_refused_with_its_line(
    workspace: Workspace, lines: tuple[str, ...], said: str
) -> None:
    place = workspace.parameters
    for name, content in {"logo.png": PNG, "logo.gif": b"GIF89a", "large.png": PNG * 2000}.items():
        (place / name).write_bytes(content)
    active = {"script": "<script/>", "image": '<image href="https://x/y.png"/>', "broken": "<g>"}
    for name, inside in active.items():
        (place / f"{name}.svg").write_text(SVG.replace("<path", f"{inside}<path"))
    other = {"words.svg": "no drawing", "empty.svg": "", "words.png": "no picture"}
    other["other.svg"] = SVG.replace("<svg", "<g").replace("</svg", "</g")
    for name, text in other.items():
        (place / name).write_text(text)
    declare(workspace, *lines)
    assert any(said in line for line in refused(workspace)), refused(workspace)


@pytest.mark.parametrize(("name", "kind"), [("logo.png", "image/png"), ("l.svg", "image/svg+xml")])
def test_a_brand_is_plain_texts_with_its_logo_inside(
    workspace: Workspace, name: str, kind: str
) -> None:
    content = PNG if name.endswith("png") else SVG.encode()
    (workspace.parameters / name).write_bytes(content)
    declare(workspace, 'colour: "#ffdd00"', f"logo: {name}", "logo_alt: Westshire", "footer: Bye")
    loaded = workspace.load()
    brand = workspace.brand(loaded.framework.council)
    assert all(isinstance(text, str) for text in brand.values())
    assert brand["logo"] == f"data:{kind};base64,{base64.b64encode(content).decode()}"
    assert (brand["ink"], brand["footer"], brand["contact"]) == ("#000000", "Bye", "")
    assert f"parameters/{name}" in loaded.files  # a new logo makes the pages again


def test_the_word_template_is_read_or_there_is_none(workspace: Workspace) -> None:
    assert workspace.word_template() is None
    own = workspace.parameters / "own.docx"
    with ZipFile(own, "w") as parts:
        parts.writestr("word/document.xml", "<document/>")
    declare(workspace, "word_template: own.docx")
    assert workspace.word_template("framework.yml") == own.read_bytes()
    own.write_bytes(own.read_bytes()[:30])  # cut off, as by a full disk
    with pytest.raises(PmfError):
        workspace.word_template()
    own.unlink()
    with pytest.raises(PmfError):
        workspace.word_template()


def _light(colour: str) -> float:
    shares = [int(colour[at : at + 2], 16) / 255 for at in (1, 3, 5)]
    red, green, blue = (s / 12.92 if s <= 0.04045 else ((s + 0.055) / 1.055) ** 2.4 for s in shares)
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue


@given(st.binary(min_size=3, max_size=3))
def test_text_can_be_read_on_every_colour(parts: bytes) -> None:
    colour = f"#{parts.hex()}"
    dark, light = sorted((_light(colour), _light(ink_on(colour))))
    assert (light + 0.05) / (dark + 0.05) >= LEAST_CONTRAST


def test_nothing_is_declared_by_default(workspace: Workspace, tmp_path: Path) -> None:
    brand = workspace.brand(workspace.load().framework.council)
    assert set(brand.values()) == {""}
