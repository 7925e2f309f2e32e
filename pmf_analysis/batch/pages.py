"""What people see of a run: its reports and index, its progress, and at its end where to look.

All that a page says of itself stands in the manifest, so that the pages can be made again later.
"""

from __future__ import annotations

import contextlib
from collections import Counter
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any, TextIO

from pmf_analysis.batch import manifest, notebooks
from pmf_analysis.problems import Problem, Problems

if TYPE_CHECKING:
    from pmf_analysis.batch.plan import Plan

OnJob = Callable[[dict[str, Any], int, int], None]


def status_words(status: str) -> str:
    """Return what a reader is told of a job's status."""
    words = {"ok": "made", "skipped": "already made", "unchanged": "as before"}
    return words.get(status, status.replace("_", " "))


def describe_pages(plan: Plan) -> dict[str, Any]:
    """Return what the pages of a plan say of themselves: council, period, themes, analyses."""
    framework = plan.parameters.framework
    used = {job.theme for job in plan.jobs}
    analyses = dict.fromkeys(job.analysis for job in plan.jobs)
    return {
        "council": framework.council.name,
        "notice": framework.council.notice,
        "period": plan.period.long_label,
        "as_at": plan.spec.as_at.isoformat(),
        "easy_level": framework.target_bands.too_easy,
        "themes": [
            {"id": theme.id, "title": theme.title, "indicators": plan.indicators(theme.id)}
            for theme in framework.themes
            if theme.id in used
        ],
        "analyses": [{"id": id, "title": id.replace("_", " ").capitalize()} for id in analyses],
    }


def page_facts(about: dict[str, Any], job: dict[str, Any]) -> dict[str, Any]:
    """Return what a report's page says of itself, from what the manifest says of all pages."""
    titles = {item["id"]: item["title"] for item in (*about["themes"], *about["analyses"])}
    return {
        **{name: about[name] for name in ("council", "notice", "period", "as_at")},
        "theme": titles[job["theme"]],
        "analysis": titles[job["analysis"]],
        "results": "results.csv",
        "home": "../../index.html",
    }


def report_page(notebook: Any, about: dict[str, Any], job: dict[str, Any]) -> str:
    """Return the report of an executed notebook, from what the manifest says of pages and job."""
    from pmf_analysis.documents.html import render_report

    return render_report(notebook, meta=page_facts(about, job))


def write_index(run: manifest.RunRecord) -> None:
    """Write the index of a run, from its manifest and its table of trends, and put it on record."""
    from pmf_analysis.documents.html import render_index

    reports = []
    for job in run.jobs.values():
        href = f"{job['id']}/report.html" if job["status"] == "ok" else ""
        status = status_words(job["status"]).capitalize()
        reports.append(job | {"status": status, "href": href, "reason": job["message"]})
    counted = {name: run.manifest[name] for name in ("rows", "problems")}
    counted |= {"summary": _verdicts_by_theme(run), "problems_href": "problems.csv"}
    about = run.manifest["pages"]
    counted["content_hash"] = run.manifest["content_hash"]
    facts = {**about, **counted, "reports": reports, "portfolio": _portfolio(run.folder, about)}
    manifest.write_atomically(run.folder / "index.html", render_index(facts))
    run.save_with_shared_files()


def _portfolio(folder: Path, about: dict[str, Any]) -> str:
    """Return how many targets of the council would be met, as a table's HTML."""
    from pmf_analysis.assess import read_measures
    from pmf_analysis.story.rendering import block_html
    from pmf_analysis.story.track import portfolio_blocks
    from pmf_analysis.story.view import rows_of

    themes = {theme["id"]: theme["title"] for theme in about["themes"]}
    measures, level = read_measures(folder / "measures"), about.get("easy_level")
    if not level:  # a run of an earlier version
        return ""
    past = measures.records[["source", "group"]].eq(["targets", "all"]).all(axis=1)
    row = next(iter(rows_of(measures.records[past])), None)
    blocks = portfolio_blocks(rows_of(measures.portfolio), themes, level, row)
    return "".join(block_html(block, level=3) for block in blocks)


def _verdicts_by_theme(run: manifest.RunRecord) -> dict[str, Counter[str]]:
    """Count the trend verdicts of each theme's series as its page does."""
    from pmf_analysis.assess import read_measures
    from pmf_analysis.story.facts import TrendFacts
    from pmf_analysis.story.view import rows_of

    measures = read_measures(run.folder / "measures")
    points = measures.points.dropna(subset=["value"]).sort_values("period").groupby("series")
    newest = points["direction"].last()
    counts: dict[str, Counter[str]] = {}
    for row in rows_of(measures.trends):
        facts = TrendFacts.of(row, "", direction=int(newest.get(row["series"], 0)))
        counts.setdefault(facts.subject.indicator, Counter())[facts.shown] += 1
    return {
        theme["id"]: sum((counts.get(name, Counter()) for name in theme["indicators"]), Counter())
        for theme in run.manifest["pages"]["themes"]
    }


def render_again(run: manifest.RunRecord) -> None:
    """Make the pages of an earlier run again from its notebooks, after a change of template.

    Raises
    ------
    PmfError
        When a notebook is no longer as the run made it; nothing is written then.
    """
    made = [job for job in run.jobs.values() if job["status"] == "ok"]
    name = "notebook.ipynb"
    changed = Problems(
        Problem.of("notebook-changed", file=f"{job['id']}/{name}")
        for job in made
        if not manifest.is_unchanged(run.folder / job["id"], {name: job["files"][name]})
    )
    changed.raise_if_errors()
    for job in made:
        place = run.folder / job["id"]
        page = report_page(notebooks.read_notebook(place / name), run.manifest["pages"], job)
        manifest.write_atomically(place / "report.html", page)
        job["files"] = manifest.describe_files(place)
    if run.is_finished:
        write_index(run)
    else:
        run.save()


def job_line(job: dict[str, Any], done: int, total: int) -> str:
    """Return one line on one report, such as ``[3/21] place/trends made, 4.2 s``."""
    is_made = job["status"] not in ("skipped", "unchanged")
    seconds = f", {job['seconds']:.1f} s" if is_made else ""
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


def result_lines(run: manifest.RunRecord) -> list[str]:
    """Return the summary of a run; its last line is the page to open, where there is one."""
    if not run.folder.is_dir():
        return ["Stopped before anything was made."]
    jobs, rows = run.jobs.values(), run.manifest["rows"]
    states = ("unchanged" if "made_in" in job else job["status"] for job in jobs)
    counts = Counter(map(status_words, states))
    before = f"Nothing has changed since run {run.id}: nothing was made again (or use --fresh)."
    lines = [
        *[before][: run.is_as_before],
        f"{rows['read']} rows read = {rows['accepted']} used + {rows['quarantined']} quarantined"
        f" + {rows['ignored']} ignored",
        f"{len(jobs)} reports: "
        + (", ".join(f"{n} {word}" for word, n in counts.items()) or "there is none to make"),
    ]
    lines += [
        f"  {job['id']}: {status_words(job['status'])}: {job['message']}"
        for job in jobs
        if job["status"] not in ("ok", "not_run")
    ]
    if run.manifest["problems"]:
        found = ", ".join(f"{n} {level}" for level, n in run.manifest["problems"].items())
        lines.append(f"Problems in the data: {found}; see problems.csv.")
    unfinished = f"Not finished. Unless it is still at work: pmf run --resume {run.id}"
    return [*lines, str(run.folder / "index.html") if run.is_finished else unfinished]


def result_json(run: manifest.RunRecord, workspace_root: Path) -> dict[str, Any]:
    """Return the summary of a run for other programs; names are relative to the workspace."""
    folder = run.folder.relative_to(workspace_root)
    return {
        **{name: run.manifest[name] for name in ("run", "status", "rows", "problems")},
        "folder": folder.as_posix(),
        "index": (folder / "index.html").as_posix() if run.is_finished else None,
        "reports": list(run.jobs.values()),
        "unchanged": run.is_as_before,
        "exit_code": run.exit_code,
    }
