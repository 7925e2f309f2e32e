"""The record of a run: what went in, what came out, what became of every notebook.

Written by rename after every notebook, so that it is whole whenever anything stops, and a run that
was stopped can be finished. It names no folder, user or machine.
"""

from __future__ import annotations

import contextlib
import hashlib
import importlib.metadata
import json
import os
import platform
import re
import secrets
import sys
import tempfile
from collections.abc import Iterator, Mapping
from datetime import datetime
from pathlib import Path
from typing import Any

from pmf_analysis.problems import PmfError, Problem

SCHEMA_VERSION = 1
MANIFEST = "manifest.json"
PARTIAL = ".partial"

_VERSIONS_OF = ("pmf-analysis", "numpy", "pandas", "scipy", "statsmodels", "papermill", "nbconvert")
_PATH = re.compile(r"(?<![\w.:/\\-])(?:[A-Za-z]:\\|/)(?:[^\s\"'<>|:/\\]+[/\\])+([^\s\"'<>|:/\\]*)")
_SECRET_NAME = re.compile(
    r"(PASSWORD|PASSWD|SECRET|TOKEN|CREDENTIAL|API_?KEY|_KEY)$", re.IGNORECASE
)


def new_run_id(now: datetime) -> str:
    """Return an id that sorts by time, such as ``20261031T093012Z-7f3a``; `now` is in UTC."""
    return f"{now:%Y%m%dT%H%M%SZ}-{secrets.token_hex(2)}"


def write_atomically(path: Path, content: str | bytes) -> None:
    """Write a file so that a reader sees the old or the new one, never a part."""
    path.parent.mkdir(parents=True, exist_ok=True)
    data = content.encode("utf-8") if isinstance(content, str) else content
    temporary = path.with_name(f".{path.name}.tmp")
    try:
        temporary.write_bytes(data)
        temporary.replace(path)
    finally:
        temporary.unlink(missing_ok=True)


def write_manifest(folder: Path, manifest: Mapping[str, Any]) -> None:
    """Write ``manifest.json`` into a run's folder."""
    text = json.dumps(manifest, indent=1, ensure_ascii=False, sort_keys=False)
    write_atomically(folder / MANIFEST, text + "\n")


def read_manifest(folder: Path) -> dict[str, Any]:
    """Return the manifest of a run's folder.

    Raises
    ------
    PmfError
        When there is none, or it is of another version of pmf.
    """
    try:
        manifest: dict[str, Any] = json.loads((folder / MANIFEST).read_text(encoding="utf-8"))
    except (OSError, ValueError):
        raise PmfError(
            Problem("This folder has no readable manifest.json.", file=folder.name)
        ) from None
    if manifest.get("schema_version") != SCHEMA_VERSION:
        raise PmfError(Problem("The run was made by another version of pmf.", file=folder.name))
    return manifest


def describe_file(path: Path) -> dict[str, Any]:
    """Return the sha256 and the size in bytes of a file."""
    with path.open("rb") as stream:
        digest = hashlib.file_digest(stream, "sha256").hexdigest()
    return {"sha256": digest, "bytes": path.stat().st_size}


def describe_files(folder: Path) -> dict[str, dict[str, Any]]:
    """Return hash and size of every file of a run but its manifest, by name within the run."""
    paths = sorted(path for path in folder.rglob("*") if path.is_file() and path.name != MANIFEST)
    return {path.relative_to(folder).as_posix(): describe_file(path) for path in paths}


def shared_files(folder: Path, manifest: dict[str, Any]) -> dict[str, Any]:
    """Describe the files of a run that belong to no single job."""
    own = tuple(f"{job_id}/" for job_id in manifest["jobs"])
    files = describe_files(folder)
    return {name: value for name, value in files.items() if not name.startswith(own)}


def is_unchanged(folder: Path, files: Mapping[str, Mapping[str, Any]]) -> bool:
    """Whether all files of a record are in the folder with the bytes they were recorded with."""
    return bool(files) and all(
        (folder / name).is_file() and describe_file(folder / name) == dict(recorded)
        for name, recorded in files.items()
    )


def digest_of(value: Any) -> str:
    """Return a sha256 of anything JSON can say, whatever the order of its keys."""
    text = json.dumps(value, sort_keys=True, separators=(",", ":"), ensure_ascii=False)
    return hashlib.sha256(text.encode()).hexdigest()


def versions() -> dict[str, str]:
    """Return the versions of Python and of the packages that can move a number."""
    found = {name: importlib.metadata.version(name) for name in _VERSIONS_OF}
    return {"python": platform.python_version(), **found}


def redacted(text: str) -> str:
    """Return a message without folders, secrets and terminal colours, fit for a published record.

    Examples
    --------
    >>> redacted("no such file: '/home/jo/council/kpi.xlsx'")
    "no such file: 'kpi.xlsx'"
    """
    text = re.sub(r"\x1b\[[0-9;]*m", "", text)
    for name, value in os.environ.items():
        if _SECRET_NAME.search(name) and len(value) >= 6:
            text = text.replace(value, "***")
    for folder in (sys.prefix, tempfile.gettempdir(), str(Path.home())):
        text = text.replace(f"{folder}{os.sep}", "/-/")
    return _PATH.sub(r"\1", text)


@contextlib.contextmanager
def locked(folder: Path) -> Iterator[None]:
    """Hold the lock of a folder; the system lets go of it by itself when the process ends.

    Raises
    ------
    PmfError
        When another run holds it.
    """
    folder.mkdir(parents=True, exist_ok=True)
    with (folder / ".lock").open("a+b") as lock:
        try:
            _lock(lock.fileno())
        except OSError:
            raise PmfError(
                Problem(
                    "Another run for this council is at work.",
                    code="run-locked",
                    fix="wait until it has finished, or stop it",
                )
            ) from None
        yield


if sys.platform == "win32":
    import msvcrt

    def _lock(descriptor: int) -> None:
        os.lseek(descriptor, 0, os.SEEK_SET)
        msvcrt.locking(descriptor, msvcrt.LK_NBLCK, 1)

else:
    import fcntl

    def _lock(descriptor: int) -> None:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
