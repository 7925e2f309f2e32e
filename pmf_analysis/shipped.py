"""What ships beside the modules as data: words, choices and recipes in YAML files."""

from collections.abc import Mapping
from functools import cache
from pathlib import Path
from typing import Any


def read_shipped(name: str) -> dict[str, Any]:
    """Read a YAML file of the package, such as ``data/contract.yml``."""
    from ruamel.yaml import YAML

    text = (Path(__file__).parent / name).read_text(encoding="utf-8")
    return dict(YAML(typ="safe", pure=True).load(text))


@cache
def read_entries(name: str) -> dict[str, str]:
    """Return every text of a YAML file of the package under its dotted name."""
    return dict(_dotted(read_shipped(name), ""))


def _dotted(group: Mapping[Any, Any], before: str) -> list[tuple[str, str]]:
    found: list[tuple[str, str]] = []
    for key, entry in group.items():
        name = f"{before}{key}"
        is_group = isinstance(entry, Mapping)
        found += _dotted(entry, f"{name}.") if is_group else [(name, str(entry))]
    return found
