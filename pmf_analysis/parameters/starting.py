"""What a council of its own begins with: a framework, an empty register, a first run."""

import json
import re
from collections.abc import Iterable
from datetime import date

from pmf_analysis import shipped
from pmf_analysis.parameters.register_book import write_register

_TEXTS = shipped.read_shipped("parameters/starting.yml")


def slug_of(text: str) -> str:
    """Return a text as a name for themes and councils, such as ``homes_and_places``."""
    plain = re.sub(r"[^a-z0-9]+", "_", text.casefold().replace("&", " and ")).strip("_")
    return (plain if plain[:1].isalpha() else f"n_{plain}")[:60].strip("_")


def framework_text(council: str, area_code: str, themes: Iterable[str] = ()) -> str:
    """Return a framework file with these themes, or with one of all indicators."""
    titles = {slug_of(title): title for title in themes} or {"all_indicators": _TEXTS["everything"]}
    listed = [_TEXTS["theme"].format(id=id, title=_quoted(of)) for id, of in titles.items()]
    facts = {"id": slug_of(council), "name": council, "title": f"{council} performance framework"}
    said = {key: _quoted(text) for key, text in {**facts, "area_code": area_code}.items()}
    return str(_TEXTS["framework"].format(**said, themes="\n".join(listed).replace("\n", "\n  ")))


def _quoted(text: str) -> str:
    return json.dumps(text, ensure_ascii=False)


def run_text(council: str, period: str, as_at: date) -> str:
    """Return a run file for all themes."""
    return str(_TEXTS["run"].format(council=council, period=_quoted(period), as_at=as_at))


def starting_files(council: str, area_code: str) -> dict[str, str | bytes]:
    """Return the files of a new workspace by their names; mappings and notebooks are copied."""
    return {
        "parameters/framework.yml": framework_text(council, area_code),
        "parameters/register.xlsx": write_register([], {"director": ["director"]}),
        "README.md": str(_TEXTS["readme"].format(name=council)),
    }
