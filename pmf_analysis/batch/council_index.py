"""The index of a council: every period with its runs, outside the folders of runs.

Made from manifests alone, so it tells the truth of what is there, whoever copied or deleted a run.
"""

from pathlib import Path
from typing import Any

from pmf_analysis.batch import manifest, pages
from pmf_analysis.batch.manifest import RunRecord
from pmf_analysis.story.bank import say
from pmf_analysis.story.facts import dated


def write_council_index(folder: Path) -> None:
    """Write the ``index.html`` of a council's folder in the outputs; without a run there is none.

    A run of another version of pmf is passed over.
    """
    from pmf_analysis.documents.html import render_council

    by_period: dict[Path, list[RunRecord]] = {}
    for record in (records := manifest.readable_runs(folder, "*/*")):
        by_period.setdefault(record.folder.parent, []).append(record)
    if not records:
        return
    of_runs, about = by_period.values(), records[-1].manifest["pages"]
    with pages.spoken_as(about):
        periods = [_period(runs) for runs in sorted(of_runs, key=_starts, reverse=True)]
        facts = pages.shared_facts(about) | {"period": "", "as_at": "", "periods": periods}
        manifest.write_atomically(folder / "index.html", render_council(facts))


def _starts(runs: list[RunRecord]) -> str:
    """Return by what the period of runs is put in order; of earlier versions its folder's name."""
    return str(runs[-1].manifest["pages"].get("starts", runs[-1].folder.parent.name))


def _period(runs: list[RunRecord]) -> dict[str, Any]:
    """Return what the index says of a period: its newest run, those before, those unfinished."""
    finished = [_run(run) for run in reversed(runs) if run.is_finished]
    unfinished = [_run(run) for run in reversed(runs) if not run.is_finished]
    about = {"period": runs[-1].manifest["pages"]["period"], "newest": None}
    about |= {"newest": finished[0]} if finished else {}
    name = f"period-{runs[-1].folder.parent.name}"
    return {"id": name, **about, "earlier": finished[1:], "unfinished": unfinished}


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
