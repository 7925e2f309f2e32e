"""Notebooks as files: which one it is, what its parameters cell declares, what is kept of it.

And a council's own workspace, in which they lie: made new, its notebooks let in, shown in
JupyterLab.
"""

from __future__ import annotations

import ast
import importlib
import io
import json
import os
import shutil
import subprocess
import sys
from collections.abc import Iterable, Mapping
from copy import deepcopy
from pathlib import Path
from typing import TYPE_CHECKING, Any

from pmf_analysis.batch import manifest
from pmf_analysis.batch.kernels import KERNELS
from pmf_analysis.parameters.starting import starting_files
from pmf_analysis.problems import PmfError, Problem, Problems, did_you_mean, without_secrets

if TYPE_CHECKING:
    from pmf_analysis.parameters.workspace import Workspace

# The one interface that every notebook shares (design.md 5).
_TEXT, _NUMBER = "a text in quotes", "a whole number"
_TEXTS = ("council", "framework", "theme", "period", "as_at", "peer_set", "run_folder")
PARAMETER_TYPES = {**dict.fromkeys(_TEXTS, (str, _TEXT)), "seed": (int, _NUMBER)}


def shipped(folder: str) -> Path:
    """Return the shipped ``notebooks`` or ``parameters`` folder.

    An installed wheel carries them inside the package; in a checkout they are the repository's
    own, so that there is one copy to edit.
    """
    package = Path(__file__).resolve().parents[1]
    inside = package / "shipped" / folder
    return inside if inside.is_dir() else package.parent / folder


def read_notebook(path: Path) -> Any:
    """Return the notebook node of a file, in the current notebook format."""
    return notebook_of(path.read_text(encoding="utf-8"))


def notebook_of(text: str) -> Any:
    """Return the notebook node of a file's text, in the current notebook format."""
    return _nbformat().reads(text, as_version=4)


def _nbformat() -> Any:
    """Import nbformat, late, and as a name without types, for it has none."""
    return importlib.import_module("nbformat")


def fingerprint(path: Path) -> str:
    """Return the sha256 of what a notebook says and does.

    Kinds, sources and tags of its cells count; outputs, execution counts and an editor's own
    metadata do not, so that opening and running a notebook in JupyterLab leaves it the same.
    """
    parts = [
        [cell["cell_type"], "".join(cell["source"]), sorted(cell["metadata"].get("tags", []))]
        for cell in json.loads(path.read_text(encoding="utf-8"))["cells"]
    ]
    return manifest.digest_of(parts)


def check_notebook(path: Path, name: str, accepted: Iterable[str]) -> Problems:
    """Return everything wrong with a notebook that can be known before a kernel starts.

    Parameters
    ----------
    path, name
        The file, and its name relative to the workspace, for the messages.
    accepted
        Fingerprints that the run file accepts beside the shipped notebooks.
    """
    if not path.is_file():
        hint = did_you_mean(path.stem, sorted(each.stem for each in path.parent.glob("*.ipynb")))
        return Problems([Problem.of("missing", file=name, hint=hint)])
    try:
        digest, cells = fingerprint(path), json.loads(path.read_text(encoding="utf-8"))["cells"]
    except (ValueError, KeyError, TypeError):
        return Problems([Problem.of("not-a-notebook", file=name)])
    problems = Problems()
    _check_parameters(cells, name, problems)
    if digest not in accepted and not is_shipped(path, digest):
        problems.tell("unknown-notebook", file=name)
    return problems


def is_shipped(path: Path, digest: str) -> bool:
    """Whether a notebook says and does exactly what the shipped one of the same name does."""
    original = shipped("notebooks") / path.name
    return original.is_file() and fingerprint(original) == digest


def _check_parameters(cells: list[dict[str, Any]], file: str, problems: Problems) -> None:
    """Compare the names and types of the ``parameters`` cell with those that a run passes."""
    tagged = [cell for cell in cells if "parameters" in cell["metadata"].get("tags", [])]
    if len(tagged) != 1:
        return problems.tell("parameters-cells", file=file, count=len(tagged))
    declared = _literals("".join(tagged[0]["source"]))
    for name, (kind, words) in PARAMETER_TYPES.items():
        if type(declared.get(name)) is not kind:
            problems.tell("parameter-not-given", file=file, name=name, words=words)
    for name in declared.keys() - PARAMETER_TYPES:
        hint = did_you_mean(name, PARAMETER_TYPES)
        problems.tell("parameter-unknown", file=file, name=name, hint=hint)
    return None


def _literals(source: str) -> dict[str, Any]:
    """Return the names a cell assigns and their values; None for anything but a plain value."""
    try:
        statements = ast.parse(source).body
    except SyntaxError:
        return {}
    return {
        name.id: node.value.value if isinstance(node.value, ast.Constant) else None
        for node in statements
        if isinstance(node, ast.Assign | ast.AnnAssign)
        for name in ast.walk(node)
        if isinstance(name, ast.Name) and isinstance(name.ctx, ast.Store)
    }


def as_published(notebook: Any, parameters: Mapping[str, Any]) -> str:
    """Return the file kept of an executed notebook: the same text for the same inputs.

    Times, papermill's metadata and random cell ids go. ``run_folder`` is emptied, so that whoever
    opens the notebook later and runs it computes afresh and cannot write into the finished run.
    The notebook itself is changed, for a copy would cost as much as the page.
    """
    notebook.metadata = deepcopy(KERNELS["notebook"])
    for cell in notebook.cells:
        tags = cell.metadata.get("tags", [])
        cell.metadata = {"tags": tags} if tags else {}
        if "injected-parameters" in tags:
            cell.id = "injected-parameters"
            kept = {**parameters, "run_folder": ""}
            cell.source = "\n".join(f"{name} = {value!r}" for name, value in kept.items())
    return notebook_text(notebook)


def as_failed(unfinished: Any, title: str, message: str) -> Any:
    """Return a notebook that did not finish, with a first cell that says so in plain words."""
    notebook = deepcopy(unfinished)
    words = f"**This notebook did not finish ({title}).** No report was made from it. {message}"
    notebook.cells.insert(0, _nbformat().v4.new_markdown_cell(words, id="did-not-finish"))
    return notebook


def notebook_text(notebook: Any) -> str:
    """Return the file's text of a notebook node, in which no cell shows a password or key."""
    return without_secrets(f"{_nbformat().writes(notebook)}\n")


def new_workspace(folder: Path, council: str = "", area_code: str = "") -> list[str]:
    """Make a workspace in a new or empty folder, and return what is in it.

    It is that of Westshire, or of a council of its own, which has a framework of one theme, an
    empty register, and all mappings but those of one council's own files.

    Raises
    ------
    PmfError
        When the folder already holds something; nothing is ever written over.
    """
    if folder.exists() and (not folder.is_dir() or any(folder.iterdir())):
        raise PmfError(Problem.of("folder-not-empty", file=folder.name))
    for name in ("notebooks", "parameters/mappings" if council else "parameters"):
        leftovers = shutil.ignore_patterns(".*", "__pycache__", *["trafford_*"] * bool(council))
        shutil.copytree(shipped(name), folder / name, ignore=leftovers)
    for name in ("store", "outputs"):
        (folder / name).mkdir()
    manifest.write_atomically(folder / ".gitignore", "store/\noutputs/\n.ipynb_checkpoints/\n")
    readme = Path(__file__).with_name("workspace.md").read_bytes()
    files = starting_files(council, area_code or "own") if council else {"README.md": readme}
    for name, content in files.items():
        manifest.write_atomically(folder / name, content)
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
        manifest.write_atomically(path, text.getvalue())
    return own


def trust_notebooks(root: Path) -> int:
    """Sign the executed notebooks that are as their run's manifest recorded them; return how many.

    JupyterLab shows no SVG of a notebook that it does not trust. A notebook that was changed since
    its run, or that no run made, is not signed.
    """
    from nbformat.sign import NotebookNotary

    notary, name = NotebookNotary(), "notebook.ipynb"  # type: ignore[no-untyped-call]  # no types
    made = [
        folder / job["id"] / name
        for folder in manifest.run_folders(root)
        for job in manifest.RunRecord.read(folder).jobs.values()
        if manifest.is_unchanged(folder / job["id"], {name: job["files"].get(name)})
    ]
    for path in made:
        notary.sign(read_notebook(path))  # type: ignore[no-untyped-call]
    return len(made)


def lab_on(root: Path) -> int:
    """Open JupyterLab on a workspace and wait for its end; its exit code."""
    environment = {**os.environ, "PMF_WORKSPACE": str(root)}
    command = [sys.executable, "-m", "jupyterlab", str(root)]
    return subprocess.run(command, env=environment, check=False).returncode
