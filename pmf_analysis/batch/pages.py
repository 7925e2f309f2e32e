"""The pages of a run: each report from its executed notebook, and the index that joins them.

All that a page says of itself stands in the manifest, so that the pages can be made again later.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

from pmf_analysis.batch.manifest import (
    describe_files,
    is_unchanged,
    shared_files,
    write_atomically,
    write_manifest,
)
from pmf_analysis.batch.notebooks import read_notebook
from pmf_analysis.batch.plan import Plan
from pmf_analysis.batch.runs import is_finished
from pmf_analysis.problems import EXIT_WRONG_USAGE, Problems

STATUS_WORDS = {
    "ok": "made",
    "failed": "failed",
    "kernel_died": "kernel died",
    "timed_out": "timed out",
    "skipped": "already made",
    "not_run": "not run",
}


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
        "themes": [
            {"id": theme.id, "title": theme.title, "indicators": plan.indicators(theme.id)}
            for theme in framework.themes
            if theme.id in used
        ],
        "analyses": [
            {"id": name, "title": name.replace("_", " ").capitalize()} for name in analyses
        ],
    }


def report_page(notebook: Any, manifest: dict[str, Any], record: dict[str, Any]) -> str:
    """Return the report of an executed notebook."""
    from pmf_analysis.documents.html import render_report

    about = manifest["pages"]
    titles = {item["id"]: item["title"] for item in (*about["themes"], *about["analyses"])}
    meta = {
        **{name: about[name] for name in ("council", "notice", "period", "as_at")},
        "theme": titles[record["theme"]],
        "analysis": titles[record["analysis"]],
        "results": "results.csv",
        "home": "../../index.html",
    }
    return render_report(notebook, meta=meta)


def index_page(folder: Path, manifest: dict[str, Any]) -> str:
    """Return the index of a run, from its manifest and its table of trends."""
    from pmf_analysis.documents.index import render_index

    reports = [
        {
            "theme": record["theme"],
            "analysis": record["analysis"],
            "status": STATUS_WORDS[record["status"]],
            "href": f"{record['id']}/report.html" if record["status"] == "ok" else "",
            "reason": record["message"],
        }
        for record in manifest["jobs"].values()
    ]
    about = manifest["pages"]
    return render_index(
        {
            **about,
            "reports": reports,
            "summary": _verdicts_by_theme(folder, about["themes"]),
            "rows": manifest["rows"],
            "problems": manifest["problems"],
            "problems_href": "problems.csv",
            "status_words": {word: word.capitalize() for word in STATUS_WORDS.values()},
        }
    )


def _verdicts_by_theme(folder: Path, themes: list[dict[str, Any]]) -> dict[str, dict[str, int]]:
    """Count the trend verdicts of each theme's indicators; parts of an indicator do not count."""
    from pmf_analysis.assess import read_measures
    from pmf_analysis.data.contract import split_series

    trends = read_measures(folder / "measures").trends
    whole = trends[split_series(trends["series"])["dimension"] == ""]
    counts = {}
    for theme in themes:
        verdicts = whole.loc[whole["indicator"].isin(theme["indicators"]), "verdict"]
        counts[theme["id"]] = {str(word): int(n) for word, n in verdicts.value_counts().items()}
    return counts


def render_again(folder: Path, manifest: dict[str, Any]) -> None:
    """Make the pages of an earlier run again from its notebooks, after a change of template.

    Raises
    ------
    PmfError
        When a notebook is no longer as the run made it; nothing is written then.
    """
    made = [record for record in manifest["jobs"].values() if record["status"] == "ok"]
    _check_notebooks(folder, made)
    for record in made:
        place = folder / record["id"]
        page = report_page(read_notebook(place / "notebook.ipynb"), manifest, record)
        write_atomically(place / "report.html", page)
        record["files"] = describe_files(place)
    if is_finished(folder):
        write_atomically(folder / "index.html", index_page(folder, manifest))
        manifest["files"] = shared_files(folder, manifest)
    write_manifest(folder, manifest)


def _check_notebooks(folder: Path, made: list[dict[str, Any]]) -> None:
    problems, name = Problems(), "notebook.ipynb"
    for record in made:
        if not is_unchanged(folder / record["id"], {name: record["files"][name]}):
            problems.add(
                message="This notebook has been changed since its run, so it is not rendered.",
                file=f"{record['id']}/{name}",
                code="notebook-changed",
            )
    problems.raise_if_errors(EXIT_WRONG_USAGE)
