"""The record of a run: what went in, what came out, what became of every notebook.

Written by rename after every notebook, so that it is whole whenever anything stops, and a run that
was stopped can be finished. It names no folder, user or machine.
"""

import hashlib
import json
import os
import re
import secrets
import sys
import tempfile
import time
from collections.abc import Mapping
from contextlib import AbstractContextManager, suppress
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any, Self

from pmf_analysis.problems import PmfError, Problem, did_you_mean, without_secrets

SCHEMA_VERSION = 1
MANIFEST, LOG = "manifest.json", "run.log"
PARTIAL = ".partial"
PACKAGE = Path(__file__).resolve().parents[1]

_PATH = re.compile(r"(?<![\w.:/\\-])(?:[A-Za-z]:\\|/)(?:[^\s\"'<>|:/\\]+[/\\])+([^\s\"'<>|:/\\]*)")


@dataclass(frozen=True)
class RunRecord:
    """A run on the disk: its folder, and the manifest that says what became of it."""

    folder: Path
    manifest: dict[str, Any]
    is_as_before: bool = False
    """Whether this is an earlier run, in place of one in which nothing would have changed."""

    @classmethod
    def read(cls, folder: Path) -> Self:
        """Read a run's manifest; PmfError when there is none, or another version of pmf made it."""
        try:
            manifest = json.loads((folder / MANIFEST).read_text(encoding="utf-8"))
        except (OSError, ValueError):
            raise PmfError(Problem.of("no-manifest", file=folder.name)) from None
        if manifest.get("schema_version") != SCHEMA_VERSION:
            raise PmfError(Problem.of("other-version", file=folder.name))
        return cls(folder, manifest)

    @property
    def id(self) -> str:
        """The run's id, which is its folder's name once it has finished."""
        return self.folder.name.removesuffix(PARTIAL)

    @property
    def is_finished(self) -> bool:
        """Whether the run was not stopped before its end."""
        return not self.folder.name.endswith(PARTIAL)

    @property
    def jobs(self) -> dict[str, dict[str, Any]]:
        """What became of each notebook, by the id of its job."""
        jobs: dict[str, dict[str, Any]] = self.manifest["jobs"]
        return jobs

    @property
    def asked(self) -> tuple[str, list[str], list[str], str]:
        """The run file, and the themes, analyses and share of them that were asked for."""
        jobs = self.jobs.values()
        themes, analyses = ([job[name] for job in jobs] for name in ("theme", "analysis"))
        return self.manifest["run_file"], themes, analyses, self.manifest.get("shard", "")

    def files(self) -> dict[str, Any]:
        """Return hash and size of every file of the run, by its name within the folder."""
        jobs = self.jobs.values()
        made = {f"{job['id']}/{name}": file for job in jobs for name, file in job["files"].items()}
        return {**self.manifest["files"], **made}

    def note(self, line: str) -> None:
        """Add a line to the run's log, with the time in UTC, which no report shows."""
        with (self.folder / LOG).open("a", encoding="utf-8") as log:
            log.write(f"{time.strftime('%Y-%m-%dT%H:%M:%SZ', time.gmtime())} {line}\n")

    @property
    def exit_code(self) -> int:
        """How a command that made this run ends; 1 also where a copy could not be made."""
        lacks = any(
            each["message"] for job in self.jobs.values() for each in job.get("copies", {}).values()
        )
        return {"complete": int(lacks), "interrupted": 130}.get(self.manifest["status"], 1)

    def save(self) -> None:
        """Write the manifest."""
        text = json.dumps(self.manifest, indent=1, ensure_ascii=False)
        write_atomically(self.folder / MANIFEST, text + "\n")

    def save_with_shared_files(self) -> None:
        """Write the manifest, with the files as they are now that belong to no single job."""
        own = tuple(f"{job}/" for job in self.jobs)
        files = describe_files(self.folder).items()
        self.manifest["files"] = {name: file for name, file in files if not name.startswith(own)}
        self.save()


def new_run_id(now: datetime) -> str:
    """Return an id that sorts by time, such as ``20261031T093012Z-7f3a``; `now` is in UTC."""
    return f"{now:%Y%m%dT%H%M%SZ}-{secrets.token_hex(2)}"


def run_folders(root: Path) -> list[Path]:
    """Return the folders of all runs, oldest first, those still unfinished among them."""
    folders = [path.parent for path in root.glob(f"outputs/*/*/*/{MANIFEST}")]
    return sorted(folders, key=lambda folder: folder.name)


def readable_runs(folder: Path, within: str) -> list[RunRecord]:
    """Return the runs at a pattern within a folder, oldest first; passed over: other versions'."""
    found = []
    for path in sorted(folder.glob(f"{within}/{MANIFEST}"), key=lambda path: path.parent.name):
        with suppress(PmfError):
            found.append(RunRecord.read(path.parent))
    return found


def find_run(root: Path, wanted: str = "") -> RunRecord:
    """Return a run by its id or the beginning of it; without one the newest.

    Raises
    ------
    PmfError
        When there is no such run, or more than one begins so.
    """
    folders = run_folders(root)
    found = [folder for folder in folders if folder.name.startswith(wanted)]
    if not folders:
        raise PmfError(Problem.of("no-run"))
    if not found or (wanted and len(found) > 1):
        hint = did_you_mean(wanted, [folder.name.removesuffix(PARTIAL) for folder in folders])
        how_many = f"{len(found)} runs begin" if found else "No run begins"
        raise PmfError(Problem.of("unknown-run", how_many=how_many, wanted=wanted, hint=hint))
    return RunRecord.read(found[-1])


def write_atomically(path: Path, content: str | bytes) -> None:
    """Write a file so that a reader sees the old or the new one, never a part."""
    path.parent.mkdir(parents=True, exist_ok=True)
    temporary = path.with_name(f".{path.name}.tmp")
    try:
        temporary.write_bytes(content.encode("utf-8") if isinstance(content, str) else content)
        temporary.replace(path)
    finally:
        temporary.unlink(missing_ok=True)


def describe_file(path: Path) -> dict[str, Any]:
    """Return the sha256 and the size in bytes of a file."""
    with path.open("rb") as stream:
        digest = hashlib.file_digest(stream, "sha256").hexdigest()
    return {"sha256": digest, "bytes": path.stat().st_size}


def describe_files(folder: Path) -> dict[str, dict[str, Any]]:
    """Return hash and size of a folder's files but manifest and log, by name within the folder."""
    found = (path for path in folder.rglob("*") if path.is_file())
    paths = sorted(path for path in found if path.name not in (MANIFEST, LOG))
    return {path.relative_to(folder).as_posix(): describe_file(path) for path in paths}


def is_unchanged(folder: Path, files: Mapping[str, Any]) -> bool:
    """Whether all files of a record are in the folder with the bytes they were recorded with."""
    paths = {name: folder / name for name in files}
    found = {name: describe_file(path) for name, path in paths.items() if path.is_file()}
    return bool(files) and found == files


def package_digest() -> str:
    """Return a digest of pmf's own files."""
    files = describe_files(PACKAGE).items()
    return digest_of({name: file for name, file in files if "__pycache__" not in name})


def digest_of(value: Any) -> str:
    """Return a sha256 of anything JSON can say, whatever the order of its keys."""
    text = json.dumps(value, sort_keys=True, separators=(",", ":"), ensure_ascii=False)
    return hashlib.sha256(text.encode()).hexdigest()


def redacted(text: str) -> str:
    """Return a message without folders, secrets and terminal colours, fit for a published record.

    Examples
    --------
    >>> redacted("no such file: '/home/jo/council/kpi.xlsx'")
    "no such file: 'kpi.xlsx'"
    """
    text = re.sub(r"\x1b\[[0-9;]*m", "", text)
    text = without_secrets(text)
    for folder in (sys.prefix, tempfile.gettempdir(), str(Path.home())):
        text = text.replace(f"{folder}{os.sep}", "/-/")
    return _PATH.sub(r"\1", text)


def locked(folder: Path) -> AbstractContextManager[Any]:
    """Hold the lock of a folder; the system lets go of it by itself when the process ends.

    Raises
    ------
    PmfError
        When another run or export holds it.
    """
    from filelock import FileLock, Timeout

    folder.mkdir(parents=True, exist_ok=True)
    try:
        return FileLock(folder / ".lock", timeout=0).acquire()
    except Timeout:
        raise PmfError(Problem.of("run-locked")) from None
