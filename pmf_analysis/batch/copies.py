"""Copies of a run's reports in the formats that people work with: PDF, Word, workbook, slides.

HTML is the report; a copy is made from the same executed notebook, and stands beside it. Each is
made in a process of its own, as many at a time as there are processors, and a copy that cannot be
made stops no other: the manifest says why.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from concurrent.futures import ProcessPoolExecutor
from concurrent.futures.process import BrokenProcessPool
from contextlib import suppress
from multiprocessing import get_context
from pathlib import Path
from typing import TYPE_CHECKING, Any

from pmf_analysis.batch import exchange, manifest, notebooks, pages
from pmf_analysis.batch.manifest import RunRecord
from pmf_analysis.documents.exporters import FILES, copy_of
from pmf_analysis.parameters.models import FORMATS
from pmf_analysis.problems import PmfError, Problem, did_you_mean

if TYPE_CHECKING:
    from pmf_analysis.parameters.workspace import Workspace

OnCopy = Callable[[str], None]
_Facts = dict[str, Any]


def export(
    workspace: Workspace,
    run: RunRecord,
    formats: Sequence[str],
    on_copy: OnCopy,
    folder: Path | None = None,
) -> None:
    """Make the copies that a run lacks, and link them from its pages; or what other systems take.

    Parameters
    ----------
    workspace
        Where the run is; its framework may name a Word document whose styles Word copies have.
    run
        A run, finished or about to be; reports that failed are passed over. Its manifest says of
        each copy by which route it was made, and why one could not be made.
    formats
        Some of ``FORMATS`` and of ``exchange.MAKERS``; none means PDF, Word and workbook.
    on_copy
        Told one line a report.
    folder
        Where what another system takes is put too; see :func:`exchange.export`.

    Raises
    ------
    PmfError
        When a format is not known, the Word template is not there, or a folder cannot be used.
    """
    wanted, known = list(dict.fromkeys(formats)), [*FORMATS, *exchange.MAKERS]
    for name in sorted({*wanted} - {*known}):
        hint = did_you_mean(name, known)
        raise PmfError(Problem.of("unknown-format", name=name, formats=", ".join(known), hint=hint))
    whole = [name for name in wanted if name in exchange.MAKERS]
    if folder and len(whole) != 1:
        raise PmfError(Problem.of("exchange-folder"))
    if whole:
        for line in exchange.export(exchange.Known.of(workspace, run), whole, folder):
            on_copy(line)
    if reports := [name for name in wanted or FORMATS[:3] if name in FORMATS]:
        _export_reports(workspace, run, reports, on_copy)


def _export_reports(
    workspace: Workspace, run: RunRecord, wanted: Sequence[str], on_copy: OnCopy
) -> None:
    """Make the copies of reports."""
    template = workspace.word_template(run.manifest["parameters"]["framework"])
    about, made = run.manifest["pages"], [job for job in run.jobs.values() if job["status"] == "ok"]
    looks = manifest.digest_of((template or b"").hex())
    lacking = [_lacking(run, job, wanted, looks) for job in made]
    ended = {"route": "", "message": Problem.of("copy-failed", why="its process ended").line()}
    # Started afresh, since a fork of a process with threads may hang. A process that dies ends all
    # that were still at work, and what is said beforehand stays true of their copies.
    with suppress(BrokenProcessPool), ProcessPoolExecutor(mp_context=get_context("spawn")) as pool:
        futures = []
        for job, names in zip(made, lacking, strict=True):
            order = (run.folder / job["id"], about, {**job}, names, template)
            job["copies"] = {**job.get("copies", {}), **dict.fromkeys(names, ended)}
            futures.append(pool.submit(make_copies, *order))
        for job, names, future in zip(made, lacking, futures, strict=True):
            with suppress(BrokenProcessPool):
                job["copies"] |= future.result()
            told = [f"{name} {job['copies'][name]['message']}".strip() for name in names]
            on_copy(f"{job['id']}: {', '.join(told) or 'as before'}")
            if "word" in names:
                job["copies"]["word"] |= {"template": looks}
    pages.render_again(run)


def _lacking(run: RunRecord, job: _Facts, wanted: Sequence[str], looks: str) -> list[str]:
    """Return the formats of which a report has no whole copy, or one on another template."""
    place, told = run.folder / job["id"], job.get("copies", {})
    whole = {name for name in told if not told[name]["message"]}
    whole -= {"word"} if told.get("word", {}).get("template") != looks else set()
    files = {name: {FILES[name]: job["files"].get(FILES[name])} for name in wanted}
    kept = {name for name in wanted if manifest.is_unchanged(place, files[name])}
    return [name for name in wanted if name not in whole & kept]


def make_copies(
    place: Path, about: _Facts, job: _Facts, formats: Sequence[str], template: bytes | None
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
            continue
        except PmfError as error:
            problems: Iterable[Problem] = error.problems
        except OSError as error:
            problems = [Problem.refused(error, f"{job['id']}/{FILES[name]}")]
        # A fault of one writer is this copy's alone, and the other copies are still made.
        except Exception as error:
            why = manifest.redacted(f"{type(error).__name__}: {error}")
            problems = [Problem.of("copy-failed", why=why)]
        told[name] = {"route": "", "message": " ".join(each.line() for each in problems)}
        with suppress(OSError):
            (place / FILES[name]).unlink()  # of an earlier attempt
    return told
