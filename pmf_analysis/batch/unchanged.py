"""What need not be made again: a whole run of the same inputs, or reports of a theme as it was.

The first question is answered without pandas, from bytes and names alone. The second is asked of
the result tables: a report's key holds all that its page reads, and nothing else does.
"""

import hashlib
import shutil
import sys
import sysconfig
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import fields, replace
from pathlib import Path
from typing import Any

from pmf_analysis.batch import manifest
from pmf_analysis.batch.manifest import RunRecord, digest_of
from pmf_analysis.places import opened
from pmf_analysis.problems import PmfError

_MARKS = "outputs/.unchanged"


def inputs_digest(root: Path, asked: Sequence[str], *, seals: bool = True) -> str:
    """Return a digest of everything that a command could read: changed where it may have changed.

    Of files their names and bytes count; of the environment, what is installed.
    """
    packages = Path(sysconfig.get_path("purelib")).glob("*.dist-info")
    installed = sorted(path.name for path in packages)
    digest = hashlib.sha256(repr((asked, sys.version, installed)).encode())
    folders = [root / "parameters", root / "notebooks", manifest.PACKAGE]
    kinds = ("vintages", "backtest", "sealed") if seals else ("vintages", "backtest")
    folders += [root / "store" / name for name in kinds]
    if (root / "parameters" / "storage.yml").is_file():
        digest.update(repr(_elsewhere(root, kinds)).encode())
    for folder in folders:
        for path in sorted(folder.rglob("*.*")):
            if "__pycache__" not in path.parts and path.is_file():
                about = path.relative_to(folder).as_posix().encode()
                digest.update(about + hashlib.sha256(path.read_bytes()).digest())
    return digest.hexdigest()


def _elsewhere(root: Path, kinds: Sequence[str]) -> list[str]:
    """Return what a data lake says of the files that a run reads there, but their bytes."""
    from pmf_analysis.parameters.workspace import Workspace

    storage = Workspace(root).storage
    asked = [f"{storage.store}/{kind}" for kind in kinds] if storage.store else []
    found = []
    for address in [*asked, *filter(None, [storage.notebooks])]:
        files, base = opened(address)
        found += [repr(file) for _, file in sorted(files.find(base, detail=True).items())]
    return found


def remember(root: Path, asked: Sequence[str], seen: str, record: RunRecord) -> None:
    """Note of which inputs a complete run was made, unless they changed while it was at work.

    ``seen`` is their digest without seals, for the run itself adds one.
    """
    if inputs_digest(root, asked, seals=False) == seen and record.manifest["status"] == "complete":
        place = record.folder.relative_to(root).as_posix()
        with suppress(OSError):  # the run itself stands
            manifest.write_atomically(root / _MARKS / inputs_digest(root, asked), place)


def last_of(root: Path, asked: Sequence[str]) -> RunRecord | None:
    """Return the complete run that was made of these inputs, if all of it is still there."""
    mark = root / _MARKS / inputs_digest(root, asked)
    try:
        record = RunRecord.read(root / mark.read_text(encoding="utf-8"))
    except (OSError, ValueError, PmfError):  # there is none, or someone wrote rubbish into it
        return None
    return replace(record, is_as_before=True) if _is_whole(record) else None


def _is_whole(record: RunRecord) -> bool:
    is_complete = record.manifest["status"] == "complete"
    return is_complete and manifest.is_unchanged(record.folder, record.files())


class Earlier:
    """The finished runs of a council and period, newest first, from which reports are taken."""

    def __init__(self, folder: Path) -> None:
        records = reversed(manifest.readable_runs(folder, "*"))
        self._records = [record for record in records if record.is_finished]

    def __len__(self) -> int:
        return len(self._records)

    def same(self, content: dict[str, Any]) -> RunRecord | None:
        """Return the complete run of the same content."""
        same = (record for record in self._records if record.manifest["content"] == content)
        found = next(filter(_is_whole, same), None)
        return found and replace(found, is_as_before=True)

    def take_measures(self, content: dict[str, Any], folder: Path) -> dict[str, Any] | None:
        """Copy the result tables of a run that differs in its jobs at most; what it counted."""
        wanted = {**content, "jobs": None}
        for record in self._records:
            files, had = record.manifest["files"], record.manifest["content"]
            shared = {n: f for n, f in files.items() if n.startswith(("measures/", "problems."))}
            if {**had, "jobs": None} == wanted and manifest.is_unchanged(record.folder, shared):
                for name in shared:
                    (folder / name).parent.mkdir(parents=True, exist_ok=True)
                    shutil.copyfile(record.folder / name, folder / name)
                return dict(record.manifest["problems"])
        return None

    def take_report(self, key: str, id: str, folder: Path) -> dict[str, Any] | None:
        """Copy a report that was made with this key, and return its record."""
        for record in self._records:
            job, source = record.jobs.get(id, {}), record.folder / id
            is_same = job.get("status") == "ok" and job.get("key") == key
            if is_same and manifest.is_unchanged(source, job["files"]):
                shutil.copytree(source, folder, dirs_exist_ok=True)
                return {**job, "made_in": job.get("made_in") or record.id}
        return None


def view_digest(view: Any) -> str:
    """Return a digest of all that the pages of a :class:`ThemeView` could say."""
    facts = {field.name: getattr(view, field.name) for field in fields(view)}
    tables = {name: table.to_csv(index=False) for name, table in facts.pop("tables").items()}
    return digest_of([repr(facts), tables])
