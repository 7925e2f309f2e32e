"""Westshire in a workspace: its source files are written and imported like any council's own."""

from __future__ import annotations

import hashlib
import json
from pathlib import Path
from typing import TYPE_CHECKING, Any

from pmf_analysis.data.store import Store
from pmf_analysis.problems import EXIT_DATA_UNUSABLE

if TYPE_CHECKING:
    from pmf_analysis.parameters.workspace import Workspace

_SOURCES = "demo_sources"
_MARKER = "complete.json"


def make_demo(workspace: Workspace) -> bool:
    """Write Westshire's files and import them, unless the store holds data; whether it was made.

    A store that holds nothing but an older Westshire is emptied and made again, so that a new
    version of pmf shows the new one. Data of a council's own are never touched or mixed with it.

    Raises
    ------
    PmfError
        Exit 2, when the workspace's parameters or mappings have faults; 3, when nothing of
        Westshire fits them.
    """
    found = {vintage.id for vintage in Store(workspace.store).vintages()}
    sources = workspace.store / _SOURCES
    made = _read_marker(sources)
    is_half_made = sources.is_dir() and not made
    if found and not is_half_made:
        if not made or made["recipe"] == _recipe_digest() or not found <= set(made["vintages"]):
            return False
        _empty(workspace.store)
    from pmf_analysis.data.demo import VINTAGES, write_sources
    from pmf_analysis.systems.importing import import_files

    sources.mkdir(parents=True, exist_ok=True)
    paths = write_sources(sources)
    vintages = []
    for as_at in VINTAGES:
        files = [path for path in paths if path.parent.name == as_at.isoformat()]
        outcome = import_files(workspace, files, as_at)
        outcome.problems.raise_if_errors(EXIT_DATA_UNUSABLE)
        if outcome.vintage is not None:
            vintages.append(outcome.vintage.id)
    marker = {"recipe": _recipe_digest(), "vintages": vintages}
    (sources / _MARKER).write_text(json.dumps(marker), encoding="utf-8")
    return True


def _read_marker(sources: Path) -> dict[str, Any]:
    try:
        marker: dict[str, Any] = json.loads((sources / _MARKER).read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return {}
    return marker


def _recipe_digest() -> str:
    """Return a digest of the files from which Westshire is made, and of those that read them."""
    data = Path(__file__).parents[1] / "data"
    files = [*sorted(data.glob("demo*.py")), data / "westshire.yml"]
    files += sorted(Path(__file__).parent.glob("*.py"))
    return hashlib.sha256(b"".join(file.read_bytes() for file in files)).hexdigest()


def _empty(store: Path) -> None:
    """Remove the vintages and sources of an older Westshire, which can be made again."""
    import shutil

    for name in ("vintages", _SOURCES, "cache"):
        shutil.rmtree(store / name, ignore_errors=True)
