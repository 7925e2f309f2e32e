"""Plain text from templates, for terminals."""

import re
from pathlib import Path
from typing import Any

from jinja2 import Environment, FileSystemLoader

_UNPRINTABLE = re.compile(r"[\x00-\x1f\x7f-\x9f\u200b-\u200f\u2028-\u202e\u2066-\u2069]")


def plain_lines(name: str, **facts: Any) -> list[str]:
    """Return the lines that a template gives, without what a terminal would act upon."""
    loader = FileSystemLoader(Path(__file__).parent / "templates" / "plain")
    shaped = Environment(loader=loader, trim_blocks=True, lstrip_blocks=True)
    text = shaped.get_template(f"{name}.txt.j2").render(facts)
    return [_UNPRINTABLE.sub("?", line) for line in text.split("\n")]
