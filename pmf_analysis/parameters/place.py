"""Where a council's workspace is; found without reading any of it."""

import os
from pathlib import Path

from pmf_analysis.problems import PmfError, Problem

WORKSPACE_VARIABLE = "PMF_WORKSPACE"


def find_root(start: Path | None = None) -> Path:
    """Return the workspace of the environment, else the one that a folder is inside.

    ``PMF_WORKSPACE`` comes first, so that a notebook run elsewhere finds its council.

    Raises
    ------
    PmfError
        When there is none.
    """
    named = os.environ.get(WORKSPACE_VARIABLE, "")
    folder = (Path(named) if named else start or Path.cwd()).resolve()
    for candidate in [folder] if named else [folder, *folder.parents]:
        if is_workspace(candidate):
            return candidate
    where = f"The folder that {WORKSPACE_VARIABLE} names" if named else "This folder"
    raise PmfError(Problem.of("no-workspace", where=where))


def register_name(parameters: Path) -> str:
    """Return the name of the register: the workbook where there is one, else ``indicators.yml``."""
    return "register.xlsx" if (parameters / "register.xlsx").is_file() else "indicators.yml"


def is_workspace(folder: Path) -> bool:
    """Whether a folder declares a council."""
    return any((folder / "parameters").glob("framework*.yml"))
