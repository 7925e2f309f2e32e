"""A council's own workspace: made new, its notebooks let in, shown in JupyterLab."""

import io
import os
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

from pmf_analysis.batch.manifest import RunRecord, is_unchanged, run_folders, write_atomically
from pmf_analysis.batch.notebooks import fingerprint, is_shipped, read_notebook, shipped
from pmf_analysis.parameters.workspace import Workspace
from pmf_analysis.problems import PmfError, Problem

_README = Path(__file__).with_name("workspace.md")


def new_workspace(folder: Path) -> list[str]:
    """Make a workspace in a new or empty folder, and return what is in it.

    Raises
    ------
    PmfError
        When the folder already holds something; nothing is ever written over.
    """
    if folder.exists() and (not folder.is_dir() or any(folder.iterdir())):
        raise PmfError(Problem.of("folder-not-empty", file=folder.name))
    for name in ("notebooks", "parameters"):
        leftovers = shutil.ignore_patterns(".*", "__pycache__")
        shutil.copytree(shipped(name), folder / name, ignore=leftovers)
    for name in ("store", "outputs"):
        (folder / name).mkdir()
    write_atomically(folder / ".gitignore", "store/\noutputs/\n.ipynb_checkpoints/\n")
    shutil.copyfile(_README, folder / "README.md")
    return sorted(path.name for path in folder.iterdir())


def accept_notebooks(workspace: Workspace, run_file: str = "") -> dict[str, str]:
    """Write into a run file the fingerprints of its notebooks that did not come with pmf.

    Comments and order of the file are kept. Returns the fingerprints, by file name.
    """
    from ruamel.yaml import YAML

    name = workspace.run_file(run_file)
    spec = workspace.load_run(name)
    paths = [workspace.notebooks / f"{analysis}.ipynb" for analysis in spec.analyses]
    digests = {path: fingerprint(path) for path in paths if path.is_file()}
    own = {path.name: value for path, value in digests.items() if not is_shipped(path, value)}
    if own != spec.accepted_notebooks:
        yaml, path, text = YAML(), workspace.root / name, io.StringIO()
        yaml.preserve_quotes = True
        declared: Any = yaml.load(path)
        declared["accepted_notebooks"] = own
        yaml.dump(declared, text)
        write_atomically(path, text.getvalue())
    return own


def trust_notebooks(workspace: Workspace) -> int:
    """Sign the executed notebooks that are as their run's manifest recorded them; return how many.

    JupyterLab shows no SVG of a notebook that it does not trust. A notebook that was changed since
    its run, or that no run made, is not signed.
    """
    from nbformat.sign import NotebookNotary

    notary, name = NotebookNotary(), "notebook.ipynb"  # type: ignore[no-untyped-call]  # no types
    made = [
        folder / job["id"] / name
        for folder in run_folders(workspace)
        for job in RunRecord.read(folder).jobs.values()
        if is_unchanged(folder / job["id"], {name: job["files"].get(name)})
    ]
    for path in made:
        notary.sign(read_notebook(path))  # type: ignore[no-untyped-call]
    return len(made)


def lab_on(workspace: Workspace) -> int:
    """Open JupyterLab on a workspace and wait for its end; its exit code."""
    environment = {**os.environ, "PMF_WORKSPACE": str(workspace.root)}
    command = [sys.executable, "-m", "jupyterlab", str(workspace.root)]
    return subprocess.run(command, env=environment, check=False).returncode
