"""A council's own workspace: made new, filled with the fictional council, its notebooks trusted."""

from __future__ import annotations

import io
import os
import shutil
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

from pmf_analysis.batch.manifest import describe_file, read_manifest, write_atomically
from pmf_analysis.batch.notebooks import fingerprint, is_shipped, read_notebook
from pmf_analysis.batch.plan import find_run_file
from pmf_analysis.batch.resources import shipped
from pmf_analysis.batch.runs import run_folders
from pmf_analysis.problems import PmfError, Problem

if TYPE_CHECKING:
    from pmf_analysis.parameters.workspace import Workspace

_SHIPPED_FOLDERS = ("notebooks", "parameters")
_IGNORED_BY_GIT = "store/\noutputs/\n.ipynb_checkpoints/\n"
_README = """\
# A pmf workspace

- `parameters/`: what you declare: framework, indicators, peer sets, mappings of your files, runs.
  They describe Westshire, a fictional council; change them to yours.
- `notebooks/`: the analyses, as they came with pmf.
- `store/`: the data that were imported. `outputs/`: the reports. Keep both out of version control.

Start with `pmf demo` and `pmf run`, then put your own council in place of Westshire.
"""


def new_workspace(folder: Path) -> list[str]:
    """Make a workspace in a new or empty folder, and return what is in it.

    Raises
    ------
    PmfError
        When the folder already holds something; nothing is ever written over.
    """
    if folder.exists() and (not folder.is_dir() or any(folder.iterdir())):
        raise PmfError(
            Problem("The folder is not empty.", file=folder.name, fix="give the name of a new one")
        )
    for name in _SHIPPED_FOLDERS:
        leftovers = shutil.ignore_patterns(".*", "__pycache__")
        shutil.copytree(shipped(name), folder / name, ignore=leftovers)
    for name in ("store", "outputs"):
        (folder / name).mkdir()
    write_atomically(folder / ".gitignore", _IGNORED_BY_GIT)
    write_atomically(folder / "README.md", _README)
    return sorted(path.name for path in folder.iterdir())


def accept_notebooks(workspace: Workspace, run_file: str = "") -> dict[str, str]:
    """Write into a run file the fingerprints of its notebooks that did not come with pmf.

    Comments and order of the file are kept. Returns the fingerprints, by file name.
    """
    from ruamel.yaml import YAML

    name = find_run_file(workspace, run_file)
    spec = workspace.load_run(name)
    paths = [workspace.notebooks / f"{analysis}.ipynb" for analysis in spec.analyses]
    digests = {path: fingerprint(path) for path in paths if path.is_file()}
    own = {path.name: value for path, value in digests.items() if not is_shipped(path, value)}
    if own != spec.accepted_notebooks:
        yaml, path = YAML(), workspace.root / name
        yaml.preserve_quotes = True
        declared: Any = yaml.load(path.read_text(encoding="utf-8"))
        declared["accepted_notebooks"] = own
        text = io.StringIO()
        yaml.dump(declared, text)
        write_atomically(path, text.getvalue())
    return own


def trust_notebooks(workspace: Workspace) -> int:
    """Sign the executed notebooks that are as their run's manifest recorded them; return how many.

    JupyterLab shows no SVG of a notebook that it does not trust. A notebook that was changed since
    its run, or that no run made, is not signed.
    """
    from nbformat.sign import NotebookNotary

    notary = NotebookNotary()  # type: ignore[no-untyped-call]  # nbformat carries no types
    signed = 0
    for folder in run_folders(workspace):
        for job in read_manifest(folder)["jobs"].values():
            path = folder / job["id"] / "notebook.ipynb"
            recorded = job["files"].get(path.name)
            if recorded and path.is_file() and describe_file(path) == recorded:
                notary.sign(read_notebook(path))  # type: ignore[no-untyped-call]
                signed += 1
    return signed


def start_lab(workspace: Workspace) -> int:
    """Open JupyterLab on a workspace and wait for its end; its exit code."""
    environment = {**os.environ, "PMF_WORKSPACE": str(workspace.root)}
    command = [sys.executable, "-m", "jupyterlab", str(workspace.root)]
    return subprocess.run(command, env=environment, check=False).returncode
