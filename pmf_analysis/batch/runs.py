"""The runs that a workspace holds: find them, read what became of them."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

from pmf_analysis.batch.manifest import MANIFEST, PARTIAL, read_manifest
from pmf_analysis.problems import PmfError, Problem, did_you_mean

if TYPE_CHECKING:
    from pmf_analysis.parameters.workspace import Workspace


def run_folders(workspace: Workspace) -> list[Path]:
    """Return the folders of all runs, oldest first, those still unfinished among them."""
    folders = [path.parent for path in workspace.outputs.glob(f"*/*/*/{MANIFEST}")]
    return sorted(folders, key=lambda folder: folder.name)


def run_id(folder: Path) -> str:
    """Return the id of the run in a folder."""
    return folder.name.removesuffix(PARTIAL)


def is_finished(folder: Path) -> bool:
    """Whether the run in a folder was not stopped before its end."""
    return not folder.name.endswith(PARTIAL)


def find_run(workspace: Workspace, wanted: str = "") -> Path:
    """Return the folder of a run, by its id or the beginning of it; without one the newest.

    Raises
    ------
    PmfError
        When there is no such run, or more than one begins so.
    """
    folders = run_folders(workspace)
    if not folders:
        raise PmfError(Problem("There is no run yet.", code="no-run", fix="pmf run"))
    found = [folder for folder in folders if run_id(folder).startswith(wanted)]
    exact = [folder for folder in found if run_id(folder) == wanted]
    if not wanted or exact:
        return (exact or found)[-1]
    if len(found) != 1:
        ids = [run_id(folder) for folder in folders]
        why = "More than one run begins with" if found else "There is no run"
        hint = did_you_mean(wanted, ids)
        raise PmfError(Problem(f'{why} "{wanted}".{hint}', code="unknown-run"))
    return found[0]


def unfinished_run(workspace: Workspace, wanted: str) -> tuple[Path, dict[str, Any]]:
    """Return folder and manifest of a run that was stopped and can be finished.

    Raises
    ------
    PmfError
        When there is no such run, or it has finished.
    """
    folder = find_run(workspace, wanted)
    if is_finished(folder):
        raise PmfError(Problem(f"The run {run_id(folder)} has finished.", code="run-finished"))
    return folder, read_manifest(folder)
