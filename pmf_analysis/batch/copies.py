"""Copies of a run's reports in the formats that people work with: PDF, Word, workbook, slides.

HTML is the report; a copy is made from the same executed notebook, and stands beside it. Each is
made in a process of its own, as many at a time as there are processors, and a copy that cannot be
made stops no other: the manifest says why.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from concurrent.futures import ProcessPoolExecutor
from multiprocessing import get_context
from pathlib import Path
from typing import TYPE_CHECKING, Any

from pmf_analysis.batch import manifest, notebooks, pages
from pmf_analysis.parameters.models import FORMATS
from pmf_analysis.problems import PmfError, Problem, did_you_mean

if TYPE_CHECKING:
    from pmf_analysis.parameters.workspace import Workspace

FILES = {
    "pdf": "report.pdf",
    "word": "report.docx",
    "workbook": "report.xlsx",
    "charts": "charts.xlsx",
    "slides": "slides.pptx",
}
OnCopy = Callable[[str], None]


def export(
    workspace: Workspace, run: manifest.RunRecord, formats: Sequence[str], on_copy: OnCopy
) -> None:
    """Make the copies that a run lacks, and link them from its pages.

    Parameters
    ----------
    workspace
        Where the run is; its framework may name a Word document whose styles Word copies have.
    run
        A run, finished or about to be; reports that failed are passed over. Its manifest says of
        each copy by which route it was made, and why one could not be made.
    formats
        Some of ``FORMATS``; none means PDF, Word and workbook.
    on_copy
        Told one line a report.

    Raises
    ------
    PmfError
        When a format is not known, or the Word template is not there.
    """
    wanted = list(dict.fromkeys(formats)) or list(FORMATS[:3])
    for name in sorted({*wanted} - {*FORMATS}):
        hint = did_you_mean(name, FORMATS)
        raise PmfError(
            Problem.of("unknown-format", name=name, formats=", ".join(FORMATS), hint=hint)
        )
    template = workspace.word_template(run.manifest["parameters"]["framework"])
    made = [job for job in run.jobs.values() if job["status"] == "ok"]
    about = run.manifest["pages"]
    # Started afresh, since a fork of a process with threads may hang.
    with ProcessPoolExecutor(mp_context=get_context("spawn")) as pool:
        todo = [(run.folder / job["id"], about, job, _lacking(run, job, wanted)) for job in made]
        futures = [pool.submit(make_copies, *each, template) for each in todo]
        for job, future in zip(made, futures, strict=True):
            job["copies"] = {**job.get("copies", {}), **future.result()}
            why = [
                f"{name}: {each['message']}"
                for name, each in job["copies"].items()
                if each["message"]
            ]
            on_copy(f"{job['id']}: {'; '.join(why) or ', '.join(wanted)}")
    pages.render_again(run)


def _lacking(run: manifest.RunRecord, job: dict[str, Any], wanted: Sequence[str]) -> list[str]:
    """Return the formats of which a report has no whole copy."""
    there = {name: {name: job["files"].get(name)} for name in map(FILES.__getitem__, wanted)}
    place = run.folder / job["id"]
    return [each for each in wanted if not manifest.is_unchanged(place, there[FILES[each]])]


def make_copies(
    place: Path,
    about: dict[str, Any],
    job: dict[str, Any],
    formats: Sequence[str],
    template: bytes | None,
) -> dict[str, dict[str, str]]:
    """Write copies of one report beside it; by format, by which route and why one is not there."""
    notebook = notebooks.read_notebook(place / "notebook.ipynb")
    facts = pages.page_facts(about, job)
    told = {}
    for name in formats:
        try:
            content, route = copy_of(name, notebook, facts, template)
            manifest.write_atomically(place / FILES[name], content)
            told[name] = {"route": route, "message": ""}
        except PmfError as error:
            told[name] = {"route": "", "message": " ".join(p.line() for p in error.problems)}
        # A fault of one writer is this copy's alone, and the other copies are still made.
        except Exception as error:
            why = manifest.redacted(f"{type(error).__name__}: {error}")
            told[name] = {"route": "", "message": Problem.of("copy-failed", why=why).line()}
    return told


def copy_of(
    name: str, notebook: Any, facts: dict[str, Any], template: bytes | None
) -> tuple[bytes, str]:
    """Return a copy's bytes and by which program it was printed, "" where there is one way only."""
    from pmf_analysis.documents import html, pdf, reading, slides, word, workbook

    if name == "html":
        return html.render_report(notebook, meta=facts).encode(), ""
    if name == "pdf":
        made = pdf.make_pdf(html.render_report(notebook, meta=facts))
        return made.content, made.route
    report = reading.read_report(notebook, facts)
    ways: dict[str, Callable[[], bytes]] = {
        "word": lambda: word.make_word(report, template),
        "workbook": lambda: workbook.make_workbook(report),
        "charts": lambda: workbook.make_workbook(report, charts=True),
        "slides": lambda: slides.make_slides(report),
    }
    return ways[name](), ""
