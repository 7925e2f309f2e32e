"""Westshire in a workspace: its source files are copied and imported like any council's own.

``benchmarks/westshire.py`` makes them: a folder for each day on which they were what was known.
"""

import hashlib
import json
import shutil
from datetime import date
from pathlib import Path

from pmf_analysis.data.store import Store
from pmf_analysis.parameters.workspace import Workspace
from pmf_analysis.places import opened
from pmf_analysis.problems import EXIT_DATA_UNUSABLE, PmfError, Problem

SOURCES = Path(__file__).parents[1] / "data" / "westshire"
AREA = "X06000001"
"""Westshire's code, which is nobody's of the ONS."""
_COPIED = "demo_sources"


def make_demo(workspace: Workspace) -> bool:
    """Copy Westshire's files and import them, unless the store holds data; whether it was made.

    A store that holds nothing but an older Westshire is emptied and made again, so that a new
    version of pmf shows the new one. Data of a council's own are never touched or mixed with it.

    Raises
    ------
    PmfError
        Exit 2, when the workspace's parameters or mappings have faults or are another council's;
        3, when nothing of Westshire fits them.
    """
    council = workspace.load().framework.council
    if council.area_code != AREA:
        facts = {"council": council.name, "area": council.area_code}
        raise PmfError(Problem.of("demo-other-council", **facts))
    sources = workspace.local_store / _COPIED
    found = {vintage.id for vintage in Store(workspace.store).vintages()}
    marker = sources / "complete.json"
    try:
        made = json.loads(marker.read_text(encoding="utf-8"))
    except (OSError, ValueError):
        made = {"recipe": "", "vintages": []}
    if found and (made["recipe"] == _recipe_digest() or not found <= set(made["vintages"])):
        return False
    files, base = opened(workspace.store)
    if found:
        files.rm(f"{base}/vintages", recursive=True)
    for name in ("cache", _COPIED):
        shutil.rmtree(workspace.local_store / name, ignore_errors=True)
    from pmf_analysis.systems.importing import import_files

    shutil.copytree(SOURCES, sources)
    made = {"recipe": "", "vintages": []}
    for folder in sorted(path for path in sources.iterdir() if path.is_dir()):
        outcome = import_files(workspace, [folder], date.fromisoformat(folder.name))
        outcome.problems.raise_if_errors(EXIT_DATA_UNUSABLE)
        made["vintages"] += [outcome.vintage.id] if outcome.vintage else []
        # Without its recipe, so that what is left by a crash is known and made again.
        marker.write_text(json.dumps(made), encoding="utf-8")
    marker.write_text(json.dumps(made | {"recipe": _recipe_digest()}), encoding="utf-8")
    return True


def _recipe_digest() -> str:
    """Return a digest of the files of Westshire, and of those that read them."""
    files = [*sorted(SOURCES.glob("*/*")), *sorted(Path(__file__).parent.glob("*.py"))]
    return hashlib.sha256(b"".join(file.read_bytes() for file in files)).hexdigest()
