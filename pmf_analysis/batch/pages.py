"""What people see of a run: its reports and index, its progress, and at its end where to look.

All that a page says of itself stands in the manifest, so that the pages can be made again later.
"""

from __future__ import annotations

import contextlib
import re
from collections import Counter
from collections.abc import Callable, Iterable, Iterator
from dataclasses import replace
from datetime import date
from pathlib import Path
from typing import TYPE_CHECKING, Any, TextIO

from pmf_analysis.batch import manifest, notebooks
from pmf_analysis.problems import Problem, Problems
from pmf_analysis.story import asides
from pmf_analysis.story.bank import say, spoken, words_of

if TYPE_CHECKING:
    from pmf_analysis.assess import Measures
    from pmf_analysis.batch.plan import Plan
    from pmf_analysis.parameters.models import Theme
    from pmf_analysis.story.theme_page import ThemePage

OnJob = Callable[[dict[str, Any], int, int], None]


def status_words(status: str) -> str:
    """Return what a reader is told of a job's status."""
    words = {"ok": "made", "skipped": "already made", "unchanged": "as before"}
    return words.get(status, status.replace("_", " "))


def describe_pages(plan: Plan) -> dict[str, Any]:
    """Return what the pages of a plan say of themselves: council, period, themes, analyses."""
    from pmf_analysis.notebook import council_facts, roles_of

    framework = plan.parameters.framework
    used = {job.theme for job in plan.jobs}
    analyses = dict.fromkeys(job.analysis for job in plan.jobs)
    with spoken(framework.language, plan.parameters.wording):
        titles = words_of("page.analysis")
    return {
        **council_facts(plan.workspace, plan.parameters, plan.spec),
        "starts": plan.period.start.isoformat(),
        "language": framework.language,
        "data_language": framework.data_language,
        "easy_level": framework.target_bands.too_easy,
        "comparison_level": framework.comparison.level,
        "overdispersion": framework.comparison.overdispersion,
        "words": framework.status_words,
        "status_style": framework.status_style,
        "roles": sorted(roles_of(plan.parameters)),
        "themes": [_theme(plan, theme) for theme in framework.themes if theme.id in used],
        "analyses": [{"id": id, "title": titles[id]} for id in analyses],
    }


def spoken_as(about: dict[str, Any]) -> contextlib.AbstractContextManager[None]:
    """Say what is said inside in the language of a run, with the council's own words."""
    return spoken(about.get("language", "en"), about.get("wording", {}))


def _theme(plan: Plan, theme: Theme) -> dict[str, Any]:
    named = {"id", "title", "short_title", "data_type"}
    register = plan.parameters.register.for_theme(theme.id)
    return {
        **theme.model_dump(include={"id", "title"}),
        "indicators": plan.indicators(theme.id),
        "register": [each.model_dump(include=named) for each in register],
        "analyses": [job.analysis for job in plan.jobs if job.theme == theme.id],
    }


def shared_facts(about: dict[str, Any]) -> dict[str, Any]:
    """Return what every page of a run says of itself."""
    # Both are absent in a run of an earlier version.
    own = {name: about.get(name, {}) for name in ("brand", "wording")}
    own["asides"] = dict.fromkeys(_named_in_data(about), about.get("data_language", "en"))
    return own | {name: about[name] for name in ("council", "notice", "period", "as_at")}


def _named_in_data(about: dict[str, Any]) -> list[str]:
    """Return what every page shows in the language of the data, where that is not its own."""
    if about.get("language", "en") == about.get("data_language", "en"):
        return []
    return [*filter(None, (about["notice"], *(theme["title"] for theme in about["themes"])))]


def page_facts(about: dict[str, Any], job: dict[str, Any]) -> dict[str, Any]:
    """Return what a report's page says of itself, from what the manifest says of all pages."""
    titles = {item["id"]: item["title"] for item in (*about["themes"], *about["analyses"])}
    theme, own = job["theme"], job["analysis"]
    planned = {each["id"]: each.get("analyses", [own]) for each in about["themes"]}
    others = [name for name in planned[theme] if name not in (own, *job.get("absent", ()))]
    with spoken_as(about):
        above, copies = say("theme_page.all_reports"), links(_copies(job))
    return {
        **shared_facts(about),
        "theme": titles[theme],
        "analysis": titles[own],
        "results": "results.csv",
        "trail": links([("../../index.html", above), ("../index.html", titles[theme])]),
        "sisters": links((f"../{name}/report.html", titles[name]) for name in others),
        "copies": copies,
    }


def links(found: Iterable[tuple[str, str]]) -> list[dict[str, str]]:
    """Return addresses and their labels as the layout takes them."""
    return [{"href": href, "label": label} for href, label in found]


def _copies(job: dict[str, Any]) -> Iterator[tuple[str, str]]:
    """Yield file and name of each copy of a report that is there, with its kind and size."""
    from pmf_analysis.documents.exporters import FILES

    for name in job.get("copies", {}):
        if file := job["files"].get(FILES[name]):
            size = f"{max(1, round(file['bytes'] / 1000)):,}"
            yield FILES[name], say(f"theme_page.copy.{name}", size=size)


def report_page(notebook: Any, about: dict[str, Any], job: dict[str, Any]) -> str:
    """Return the report of an executed notebook, from what the manifest says of pages and job."""
    from pmf_analysis.documents.html import render_report

    return render_report(notebook, meta=page_facts(about, job))


def write_index(run: manifest.RunRecord) -> None:
    """Write the index of a run and the pages of its themes, and put them on record.

    All that they say stands in the run's manifest and result tables.
    """
    with spoken_as(run.manifest["pages"]):
        _write_index(run)


def _write_index(run: manifest.RunRecord) -> None:
    from pmf_analysis.assess import read_measures
    from pmf_analysis.batch.exchange import describe_csvs
    from pmf_analysis.documents.html import render_index, render_theme

    measures, about = read_measures(run.folder / "measures"), run.manifest["pages"]
    reports, summary = [], {}
    moved: dict[str, list[dict[str, str]]] = {"improving": [], "worsening": []}
    for job in run.jobs.values():
        href = f"{job['id']}/report.html" if job["status"] == "ok" else ""
        status = status_words(job["status"]).capitalize()
        reports.append(job | {"status": status, "href": href, "reason": job["message"]})
    for theme in about["themes"]:
        own = [report for report in reports if report["theme"] == theme["id"]]
        absent = [report["analysis"] for report in own if not report["href"]]
        for report in own if absent else ():
            # Without links to what is not there; made again as soon as that is.
            run.jobs[report["id"]] |= {"absent": absent, "key": ""}
            if report["href"]:
                _make_page(run, run.jobs[report["id"]])
        page = _theme_page(run.folder, measures, about, theme, own)
        summary[theme["id"]] = page.counts
        for code, named in moved.items():
            named += [each for each in page.moved(code) if each not in named]
        trail = links([("../index.html", say("theme_page.all_reports"))])
        facts = shared_facts(about) | {"title": theme["title"], "trail": trail, "reports": own}
        titles = {each["id"]: each["title"] for each in about["analyses"]}
        there = ((job["analysis"], titles[job["analysis"]]) for job in own if job["href"])
        facts["sisters"] = links((f"{name}/report.html", title) for name, title in there)
        # A run of an earlier version has no tables of its plan.
        blocks = [*page.glance(), *(page.plan() if "roles" in about else ())]
        facts |= {"blocks": blocks, "said": page.summaries(), "analyses": about["analyses"]}
        manifest.write_atomically(run.folder / theme["id"] / "index.html", render_theme(facts))
    counted = {name: run.manifest[name] for name in ("rows", "problems", "content_hash")}
    themes = [theme | {"href": f"{theme['id']}/index.html"} for theme in about["themes"]]
    above = f"../../index.html#period-{run.folder.parent.name}"
    facts = {**about, **counted, **shared_facts(about), **_portfolio(measures, about)}
    facts |= {"themes": themes, "reports": reports, "problems_href": "problems.csv"}
    facts |= {
        "summary": summary,
        "moved": moved,
        "trail": links([(above, say("theme_page.all_periods"))]),
    }
    manifest.write_atomically(run.folder / "index.html", render_index(facts))
    describe_csvs(run, run.folder)
    run.save_with_shared_files()


def _theme_page(
    folder: Path,
    measures: Measures,
    about: dict[str, Any],
    theme: dict[str, Any],
    jobs: list[dict[str, Any]],
) -> ThemePage:
    """Return the page of a theme as far as a run's own record tells of it."""
    from pmf_analysis.notebook import ThemeTables
    from pmf_analysis.parameters.models import Indicator
    from pmf_analysis.story.theme_page import ThemePage
    from pmf_analysis.story.view import ThemeView

    ids = theme["indicators"]
    known = theme.get("register", [{"id": id, "title": id} for id in ids])
    named = ["council", "period", "comparison_level", "overdispersion", "easy_level"]
    named += ["words", "status_style", "data_language"]
    view = ThemeView(
        theme=theme["id"],
        theme_title=theme["title"],
        as_at=date.fromisoformat(about["as_at"]),
        peer_set=jobs[0]["peer_set"],
        indicators=tuple(Indicator.model_construct(**each) for each in known),
        tables=ThemeTables(measures, theme["id"], set(ids)),
        roles=frozenset(about.get("roles", ())),
        **{name: about[name] for name in named if name in about},
    )
    # Reports of an earlier version may have other places than the table leads to now.
    pages = {job["analysis"]: folder / job["href"] for job in jobs if job["href"]}
    places = {
        name: frozenset(re.findall(r' id="([\w-]+)"', page.read_text(encoding="utf-8")))
        for name, page in pages.items()
    }
    return ThemePage(view, places)


def _portfolio(measures: Measures, about: dict[str, Any]) -> dict[str, str]:
    """Return how many targets would be met, of the whole and by theme, then by director: HTML."""
    from pmf_analysis.story.figures import text
    from pmf_analysis.story.rendering import block_html
    from pmf_analysis.story.track import portfolio_blocks
    from pmf_analysis.story.view import rows_of

    themes, level = {each["id"]: each["title"] for each in about["themes"]}, about.get("easy_level")
    if not level:  # a run of an earlier version
        return {}
    past = measures.records[["source", "group"]].eq(["targets", "all"]).all(axis=1)
    row = next(iter(rows_of(measures.records[past])), None)
    post = measures.portfolio["group"] == "directorate"
    whole, posts = (rows_of(measures.portfolio[rows]) for rows in (~post, post))
    asides.forget()
    for title, language in shared_facts(about)["asides"].items():
        asides.note([title, *(text(each, "title") for each in posts)], language)
    parts = {"portfolio": portfolio_blocks(whole, themes, level, row)}
    bare = portfolio_blocks(posts, themes, level)
    parts["directors"] = [replace(e, id="directors", title="", text=(), notes=()) for e in bare]
    return {name: "".join(map(block_html, blocks)) for name, blocks in parts.items()}


def render_again(run: manifest.RunRecord) -> None:
    """Make the pages of an earlier run again from its notebooks, after a change of template.

    Raises
    ------
    PmfError
        When a notebook is no longer as the run made it; nothing is written then.
    """
    from pmf_analysis.batch.council_index import write_council_index

    made = [job for job in run.jobs.values() if job["status"] == "ok"]
    name = "notebook.ipynb"
    changed = Problems(
        Problem.of("notebook-changed", file=f"{job['id']}/{name}")
        for job in made
        if not manifest.is_unchanged(run.folder / job["id"], {name: job["files"][name]})
    )
    changed.raise_if_errors()
    for job in made:
        _make_page(run, job)
    if run.is_finished:
        write_index(run)
        write_council_index(run.folder.parents[1])
    else:
        run.save()


def _make_page(run: manifest.RunRecord, job: dict[str, Any]) -> None:
    """Make a report's page again, and put its files on record."""
    place = run.folder / job["id"]
    job["files"] = manifest.describe_files(place)  # with copies, which the page links to
    notebook = notebooks.read_notebook(place / "notebook.ipynb")
    page = report_page(notebook, run.manifest["pages"], job)
    manifest.write_atomically(place / "report.html", page)
    job["files"] = manifest.describe_files(place)


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
    from pmf_analysis.documents.plain import plain_lines

    if not run.folder.is_dir():
        return ["Stopped before anything was made."]
    states = ("unchanged" if "made_in" in job else job["status"] for job in run.jobs.values())
    counts = Counter(map(status_words, states))
    return plain_lines("result", run=run, counts=counts, status_words=status_words)


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
