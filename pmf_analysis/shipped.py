"""What ships beside the modules as data: words, choices and recipes in YAML files."""

from pathlib import Path
from typing import Any


def read_shipped(name: str) -> dict[str, Any]:
    """Read a YAML file of the package, such as ``data/contract.yml``."""
    from ruamel.yaml import YAML

    text = (Path(__file__).parent / name).read_text(encoding="utf-8")
    return dict(YAML(typ="safe", pure=True).load(text))
