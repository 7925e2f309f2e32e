"""What an operator sees of a run: progress while it works, and at its end where to look."""

from __future__ import annotations

import contextlib
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Any, TextIO

from pmf_analysis.batch.pages import STATUS_WORDS
from pmf_analysis.batch.running import OnJob, RunResult
from pmf_analysis.batch.runs import is_finished, run_id

_MADE = ("ok", "skipped")


def job_line(record: dict[str, Any], done: int, total: int) -> str:
    """Return one line on one report, such as ``[3/21] place/trends made, 4.2 s``."""
    words = STATUS_WORDS[record["status"]]
    seconds = "" if record["status"] == "skipped" else f", {record['seconds']:.1f} s"
    tries = f", {record['attempts']} attempts" if record["attempts"] > 1 else ""
    why = f": {record['message']}" if record["message"] else ""
    return f"[{done}/{total}] {record['id']} {words}{seconds}{tries}{why}"


@contextlib.contextmanager
def progress(stream: TextIO, total: int) -> Iterator[OnJob]:
    """Show progress: a bar with the time left on a terminal, one line a report elsewhere."""
    if not stream.isatty():
        yield lambda record, done, of: print(job_line(record, done, of), file=stream, flush=True)
        return
    from rich.console import Console
    from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn
    from rich.progress import TimeRemainingColumn as TimeLeftColumn

    console = Console(file=stream)
    columns = (TextColumn("Reports"), BarColumn(), MofNCompleteColumn(), TimeLeftColumn())
    with Progress(*columns, console=console, transient=True) as bar:
        task = bar.add_task("Reports", total=total)

        def show(record: dict[str, Any], done: int, of: int) -> None:
            bar.update(task, completed=done)
            console.print(job_line(record, done, of), markup=False, highlight=False)

        yield show


def result_lines(result: RunResult) -> list[str]:
    """Return the summary of a run; its last line is the page to open, where there is one."""
    manifest, folder = result.manifest, result.folder
    records = manifest["jobs"].values()
    counts = Counter(STATUS_WORDS[record["status"]] for record in records)
    rows = manifest["rows"]
    lines = [
        f"{rows['read']} rows read = {rows['accepted']} used + {rows['quarantined']} quarantined"
        f" + {rows['ignored']} ignored",
        f"{len(records)} reports: " + ", ".join(f"{n} {word}" for word, n in counts.items()),
    ]
    lines += [
        f"  {record['id']}: {STATUS_WORDS[record['status']]}: {record['message']}"
        for record in records
        if record["status"] not in (*_MADE, "not_run")
    ]
    if manifest["problems"]:
        found = ", ".join(f"{count} {level}" for level, count in manifest["problems"].items())
        lines.append(f"Problems in the data: {found}; see problems.csv.")
    if not folder.is_dir():
        return ["Stopped before anything was made."]
    if not is_finished(folder):
        return [*lines, f"Not finished. Finish it with: pmf run --resume {run_id(folder)}"]
    return [*lines, str(folder / "index.html")]


def result_json(result: RunResult, workspace_root: Path) -> dict[str, Any]:
    """Return the summary of a run for other programs; names are relative to the workspace."""
    folder = result.folder.relative_to(workspace_root)
    kept = ("id", "status", "message", "seconds", "attempts")
    return {
        "run": result.manifest["run"],
        "status": result.manifest["status"],
        "folder": folder.as_posix(),
        "index": (folder / "index.html").as_posix() if is_finished(folder) else None,
        "reports": [
            {key: record[key] for key in kept} for record in result.manifest["jobs"].values()
        ],
        "rows": result.manifest["rows"],
        "problems": result.manifest["problems"],
        "exit_code": result.exit_code,
    }
