"""What an operator sees of a run: progress while it works, and at its end where to look."""

from __future__ import annotations

import contextlib
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Any, TextIO

from pmf_analysis.batch.manifest import RunRecord
from pmf_analysis.batch.pages import status_words
from pmf_analysis.batch.running import OnJob


def job_line(job: dict[str, Any], done: int, total: int) -> str:
    """Return one line on one report, such as ``[3/21] place/trends made, 4.2 s``."""
    seconds = "" if job["status"] == "skipped" else f", {job['seconds']:.1f} s"
    tries = f", {job['attempts']} attempts" if job["attempts"] > 1 else ""
    why = f": {job['message']}" if job["message"] else ""
    return f"[{done}/{total}] {job['id']} {status_words(job['status'])}{seconds}{tries}{why}"


@contextlib.contextmanager
def progress(stream: TextIO, total: int) -> Iterator[OnJob]:
    """Show one line a report, and on a terminal a bar with the time left as well."""
    from rich.console import Console
    from rich.progress import Progress

    console = Console(file=stream, soft_wrap=True, markup=False, highlight=False, emoji=False)
    with Progress(console=console, transient=True, disable=not stream.isatty()) as bar:
        task = bar.add_task("Reports", total=total)

        def show(job: dict[str, Any], done: int, total: int) -> None:
            bar.update(task, completed=done)
            console.print(job_line(job, done, total))

        yield show


def result_lines(run: RunRecord) -> list[str]:
    """Return the summary of a run; its last line is the page to open, where there is one."""
    if not run.folder.is_dir():
        return ["Stopped before anything was made."]
    jobs, rows = run.jobs.values(), run.manifest["rows"]
    counts = Counter(status_words(job["status"]) for job in jobs)
    lines = [
        f"{rows['read']} rows read = {rows['accepted']} used + {rows['quarantined']} quarantined"
        f" + {rows['ignored']} ignored",
        f"{len(jobs)} reports: " + ", ".join(f"{n} {word}" for word, n in counts.items()),
    ]
    lines += [
        f"  {job['id']}: {status_words(job['status'])}: {job['message']}"
        for job in jobs
        if job["status"] not in ("ok", "not_run")
    ]
    if run.manifest["problems"]:
        found = ", ".join(f"{n} {level}" for level, n in run.manifest["problems"].items())
        lines.append(f"Problems in the data: {found}; see problems.csv.")
    unfinished = f"Not finished. Finish it with: pmf run --resume {run.id}"
    return [*lines, str(run.folder / "index.html") if run.is_finished else unfinished]


def result_json(run: RunRecord, workspace_root: Path) -> dict[str, Any]:
    """Return the summary of a run for other programs; names are relative to the workspace."""
    folder = run.folder.relative_to(workspace_root)
    return {
        **{name: run.manifest[name] for name in ("run", "status", "rows", "problems")},
        "folder": folder.as_posix(),
        "index": (folder / "index.html").as_posix() if run.is_finished else None,
        "reports": list(run.jobs.values()),
        "exit_code": run.exit_code,
    }
