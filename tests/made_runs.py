"""Whole runs by the command as a user starts it, in processes of their own."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Any

REPOSITORY = Path(__file__).resolve().parents[1]
LONGEST_SECONDS = 600


@dataclass(frozen=True)
class MadeRun:
    """A workspace with one finished run, and what the commands printed."""

    workspace: Path
    folder: Path
    printed: dict[str, Any]

    @property
    def pages(self) -> list[Path]:
        return sorted(self.folder.rglob("*.html"))


def pmf(workspace: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    """The command as a user starts it, in a process of its own."""
    start = "import sys; from pmf_analysis.cli import main; sys.exit(main())"
    return subprocess.run(
        [sys.executable, "-c", start, *arguments],
        cwd=workspace,
        env={**os.environ, "PMF_WORKSPACE": str(workspace), "PYTHONPATH": str(REPOSITORY)},
        capture_output=True,
        text=True,
        encoding="utf-8",
        timeout=LONGEST_SECONDS,
        check=False,
    )


def copied_workspace(parameters: Path, target: Path) -> Path:
    shutil.copytree(parameters, target / "parameters")
    shutil.copytree(REPOSITORY / "notebooks", target / "notebooks")
    return target


def last_run(workspace: Path) -> Path:
    """The newest finished run of a workspace."""
    manifests = sorted((workspace / "outputs").glob("*/*/*/manifest.json"))
    return manifests[-1].parent


def make_run(workspace: Path, *steps: tuple[str, ...]) -> dict[str, Any]:
    """Carry out commands that must all succeed; what each printed, by its first word."""
    printed = {}
    for step in steps:
        done = pmf(workspace, *step)
        assert done.returncode == 0, (step, done.stdout[-2000:], done.stderr[-2000:])
        printed[step[0]] = done.stdout
    return printed


def make_real(
    workspace: Path,
    council: str,
    data: Path,
    names: tuple[str, ...],
    *more: Path,
    run: str = "",
    lookups: tuple[str, ...] = (),
    by_kind: bool = False,
) -> dict[str, Any]:
    copied_workspace(REPOSITORY / "tests" / "real" / council / "parameters", workspace)
    files = [*(data / "tidy" / f"{name}.csv.gz" for name in names)]
    files += [*(data / "lookups" / name for name in ("neighbours.csv.gz", *lookups)), *more]
    if by_kind:  # the list of councils again, under another name, for another group
        files.append(workspace / "authorities_by_kind.csv")
        shutil.copy(data / "lookups" / "authorities.csv", files[-1])
    bring = ("import", *map(str, files), "--as-at", "2026-06-30")
    return make_run(workspace, bring, ("run", *filter(None, [run]), "--jobs", "2"))
