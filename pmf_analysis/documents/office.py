"""What Word documents, slides and workbooks have in common: templates, and how a file is finished.

The same report gives the same bytes: no file says when it, or anything inside it, was written.
"""

import re
from functools import cache
from io import BytesIO
from pathlib import Path
from typing import Any
from zipfile import ZIP_DEFLATED, ZipFile, ZipInfo

from jinja2 import Environment, FileSystemLoader
from lxml import etree

from pmf_analysis.documents.pictures import RULES
from pmf_analysis.documents.reading import Report
from pmf_analysis.parameters.brand import ink_on
from pmf_analysis.story import bank, style

_TEMPLATES = Path(__file__).parent / "templates" / "office"
_STEADY = (1980, 1, 1, 0, 0, 0)  # every part's date


def visible(value: Any) -> Any:
    """Return a text without what cannot be seen in it; anything else as it is."""
    return re.sub(RULES["hidden"], "", value) if type(value) is str else value


@cache
def _templates() -> Environment:
    made = Environment(loader=FileSystemLoader(_TEMPLATES), autoescape=True, finalize=visible)
    made.trim_blocks = made.lstrip_blocks = True
    made.globals["say"] = bank.say
    return made


def filled(name: str, facts: dict[str, Any]) -> Any:
    """Return what a template of Office's XML gives, as an element."""
    from docx.oxml import parse_xml

    return parse_xml(_templates().get_template(name).render(facts))


def brand_colour(report: Report) -> str:
    """Return the council's own colour where words in it can be read on white, or ours."""
    colour = str(report.facts["brand"].get("colour"))
    is_colour = re.fullmatch(RULES["colour"], colour) is not None
    return colour if is_colour and ink_on(colour) == "#ffffff" else style.COLOURS["blue"]


def finished(content: bytes, report: Report) -> bytes:
    """Return an Office file that says what it is, and not when or by whom it was made."""
    made = BytesIO()
    with ZipFile(BytesIO(content)) as source, ZipFile(made, "w") as target:
        for name in source.namelist():
            part = source.read(name)
            if name == "docProps/core.xml":
                part = etree.tostring(filled("core.xml.jinja", {"report": report}))
            elif name.endswith(".xlsx"):
                part = finished(part, report)
            target.writestr(ZipInfo(name, _STEADY), part, ZIP_DEFLATED)
    return made.getvalue()
