"""The index of a council: every period with its runs, outside the folders of runs.

Made from manifests alone, so it tells the truth of what is there, whoever copied or deleted a run.
"""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

from pmf_analysis.batch import manifest, pages
from pmf_analysis.batch.manifest import RunRecord
from pmf_analysis.problems import PmfError
from pmf_analysis.story.bank import say
from pmf_analysis.story.facts import dated


def write_council_index(folder: Path) -> None:
    """Write the ``index.html`` of a council's folder in the outputs; without a run there is none.

    A run of another version of pmf is passed over.
    """
    from pmf_analysis.documents.html import render_council

    records = list(_records(folder))
    by_period: dict[tuple[str, str], list[RunRecord]] = {}
    for record in records:
        by_period.setdefault(_period_of(record), []).append(record)
    periods = [_period(runs, key) for key, runs in sorted(by_period.items(), reverse=True)]
    if periods:
        about = pages.shared_facts(records[-1].manifest["pages"]) | {"period": "", "as_at": ""}
        page = render_council(about | {"periods": periods})
        manifest.write_atomically(folder / "index.html", page)


def _records(folder: Path) -> Iterator[RunRecord]:
    """Yield the runs of a council, oldest first."""
    found = folder.glob(f"*/*/{manifest.MANIFEST}")
    for path in sorted(found, key=lambda path: path.parent.name):
        try:
            yield RunRecord.read(path.parent)
        except PmfError:
            continue


def _period_of(record: RunRecord) -> tuple[str, str]:
    """Return by what a run's period is put in order, and the name of its folder."""
    slug = record.folder.parent.name
    return record.manifest["pages"].get("starts", slug), slug


def _period(runs: list[RunRecord], key: tuple[str, str]) -> dict[str, Any]:
    """Return what the index says of a period: its newest run, those before, those unfinished."""
    finished = [_run(run) for run in reversed(runs) if run.is_finished]
    unfinished = [_run(run) for run in reversed(runs) if not run.is_finished]
    about = {"id": f"period-{key[1]}", "period": runs[-1].manifest["pages"]["period"]}
    newest = next(iter(finished), None)
    return {**about, "newest": newest, "earlier": finished[1:], "unfinished": unfinished}


def _run(run: RunRecord) -> dict[str, str]:
    """Return where a run is and what became of it, in words."""
    about, jobs = run.manifest["pages"], run.jobs.values()
    made = [job for job in jobs if job["status"] == "ok"]
    failed = [job["id"] for job in jobs if job["status"] not in ("ok", "not_run")]
    started = run.manifest["started"]
    slots: dict[str, Any] = {"made": f"{dated(started[:10])}, {started[11:16]} UTC"}
    slots |= {"n": len(made), "of": len(jobs), "failed": ", ".join(failed)}
    said = say("theme_page.run_failed", **slots) or say("theme_page.run", **slots)
    href = f"{run.folder.parent.name}/{run.folder.name}/index.html" if run.is_finished else ""
    return {"href": href, "said": said, "period": about["period"], "as_at": dated(about["as_at"])}
