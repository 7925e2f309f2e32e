"""What leaves the council: an allow-listed, approved and disclosure-checked part of a run.

The public documents are made anew from the executed notebooks, without what is for the council
alone, such as problems in the data and the places of rows in people's files. An approval is of
exactly these bytes.
"""

import json
import re
import shutil
from collections.abc import Iterator, Mapping
from datetime import date
from pathlib import Path
from typing import Any

from pmf_analysis.batch import manifest, notebooks, pages
from pmf_analysis.batch.exchange import describe_csvs
from pmf_analysis.batch.manifest import RunRecord
from pmf_analysis.data.disclosure import MINIMUM
from pmf_analysis.data.store import Store
from pmf_analysis.documents import exporters
from pmf_analysis.parameters.small_files import PublicationFile
from pmf_analysis.parameters.workspace import Workspace
from pmf_analysis.problems import EXIT_DATA_UNUSABLE, PmfError, Problem, Problems
from pmf_analysis.shipped import read_shipped
from pmf_analysis.story import bank, blocks

RECORD, DRAFT = "published.json", "public-draft"
_FILES = {"html": "report.html", "csv": "results.csv", **exporters.FILES}
_Jobs = list[dict[str, Any]]
_RULES = read_shipped("batch/publish.yml")


def publish(workspace: Workspace, run: RunRecord, to: Path, *, today: date) -> list[str]:
    """Write the public part of a run to a folder, and say what was published.

    Parameters
    ----------
    workspace
        Where the run is; its ``parameters/publication.yml`` says what may be published.
    run
        A finished run whose files are as it made them.
    to
        A folder that is new, empty, or an earlier publication, whose files are replaced.
    today
        The last day on which an approval can have been given.

    Raises
    ------
    PmfError
        With all that stands against it. Nothing in the folder has changed then; where only the
        approval is missing, what would be published stands in the council's outputs as a draft.
    """
    declared, draft = workspace.publication(), run.folder.parents[1] / DRAFT
    chosen = [job for job in run.jobs.values() if declared.allows(job["id"])]
    Problems(_unfit(run, declared, chosen, to)).raise_if_errors(EXIT_DATA_UNUSABLE)
    Problems(_disclosed(workspace, run, chosen)).raise_if_errors(EXIT_DATA_UNUSABLE)
    shutil.rmtree(draft, ignore_errors=True)
    if draft.is_symlink() or draft.exists():  # what is open in Word cannot be deleted on Windows
        raise PmfError(Problem.of("publish-draft-open", folder=draft.name), EXIT_DATA_UNUSABLE)
    with pages.spoken_as(run.manifest["pages"]):
        told = _write(workspace, run, declared, chosen, draft)
    since = date.fromisoformat(run.manifest["pages"]["as_at"])
    approval, files = _approval(declared, draft, since, today, told)
    for name in _files(to) & _published(to):
        (to / name).unlink()
    for name in (*files, RECORD):
        manifest.write_atomically(to / name, (draft / name).read_bytes())
    if not manifest.is_unchanged(to, files):
        raise PmfError(Problem.of("publish-not-as-made", report=to.name), EXIT_DATA_UNUSABLE)
    shutil.rmtree(draft)
    return [f"{len(chosen)} reports published to {to.name}, approved by {approval}."]


def _files(folder: Path) -> set[str]:
    """Return the names of all that is in a folder; nothing where there is none."""
    found = folder.rglob("*") if folder.is_dir() else ()
    listed = (path for path in found if path.is_symlink() or not path.is_dir())
    return {path.relative_to(folder).as_posix() for path in listed}


def _published(folder: Path) -> set[str]:
    """Return the names of the files of an earlier publication in a folder."""
    record = folder / RECORD
    return {*json.loads(record.read_text("utf-8"))["files"], RECORD} if record.is_file() else set()


def _unfit(run: RunRecord, declared: PublicationFile, chosen: _Jobs, to: Path) -> Iterator[Problem]:
    """Yield what of the run, the list or the folder stands against a publication."""
    if not run.is_finished:
        yield Problem.of("run-unfinished", run=run.id)
    if not chosen:
        yield Problem.of("publish-nothing")
    known = {part for id in run.jobs for part in (id, id.partition("/")[0])}
    for name in sorted({*declared.reports} - known):
        yield Problem.of("publish-unknown", name=name)
    measured = {name: file for name, file in run.manifest["files"].items() if "measures/" in name}
    if not manifest.is_unchanged(run.folder, measured):
        yield Problem.of("publish-not-as-made", report="measures")
    for job in chosen:
        if job["status"] != "ok" or not manifest.is_unchanged(run.folder / job["id"], job["files"]):
            yield Problem.of("publish-not-as-made", report=job["id"])
    others = sorted(_files(to) - _published(to))
    if others or (to.exists() and not to.is_dir()):
        yield Problem.of("publish-not-empty", folder=to.absolute().name, names=", ".join(others))


def _disclosed(workspace: Workspace, run: RunRecord, chosen: _Jobs) -> Iterator[Problem]:
    """Yield figures that must not be seen: hidden ones with a value, and small counts of people.

    Whoever they are of. Other councils' figures count as published already where the register
    names the licence of the source; an indicator that is no longer in the register is looked at.
    """
    from pmf_analysis.assess import read_measures

    parameters = workspace.load(run.manifest["parameters"]["framework"])
    themes, own = {job["theme"] for job in chosen}, parameters.framework.council.area_code
    known = parameters.register.indicators.items()
    elsewhere = [id for id, each in known if themes.isdisjoint(each.themes)]
    of_nobody = [id for id, each in known if each.small_counts == "show"]
    no_count = [id for id, each in known if each.data_type != "count"]
    licensed = [id for id, each in known if each.licence]
    measures = read_measures(run.folder / "measures")
    for name, columns in _RULES["figures"].items():
        rows = getattr(measures, name)
        parts = rows["series"].str.split("|")
        id, area = parts.str[0], rows.get("area", parts.str[1])
        is_people = ~id.isin(of_nobody) & (area.eq(own) | ~id.isin(licensed))
        is_wrong = rows.get("status", area).eq("suppressed") & rows["value"].notna()
        for column in columns:
            is_small = rows[column].between(0, MINIMUM, "neither") & is_people
            is_wrong |= is_small if column == "numerator" else is_small & ~id.isin(no_count)
        found = rows.assign(id=id)[is_wrong & ~id.isin(elsewhere)]
        when = "period_label" if "period_label" in found else "label"
        for indicator, period in found[["id", when]].drop_duplicates().itertuples(index=False):
            yield Problem.of("publish-small", indicator=indicator, period=period)


def _write(
    workspace: Workspace, run: RunRecord, declared: PublicationFile, chosen: _Jobs, folder: Path
) -> list[Problem]:
    """Write the public documents and their index; return warnings of what may name a person."""
    from pmf_analysis.documents.html import render_published

    about, reports, told = run.manifest["pages"], [], Problems()
    template = workspace.word_template(run.manifest["parameters"]["framework"])
    names = {file.name for vintage in Store(workspace.store).vintages() for file in vintage.files}
    for job in chosen:
        source = run.folder / job["id"]
        notebook = _public(notebooks.read_notebook(source / "notebook.ipynb"), names)
        facts = _facts(run, job, declared)
        for reach in _reaches_person(notebook, facts):
            told.tell("publish-reaches-person", report=job["id"], words=reach, level="warning")
        links = []
        for name in declared.formats:
            if name == "csv":
                content = (source / _FILES[name]).read_bytes()
            else:
                content, _ = exporters.copy_of(name, notebook, facts, template)
            manifest.write_atomically(folder / job["id"] / _FILES[name], content)
            said = bank.say(f"page.published.{name}", name=f"{facts['theme']}: {facts['analysis']}")
            links.append((f"{job['id']}/{_FILES[name]}", said))
        reports.append({**facts, "copies": pages.links(links)})
    index = render_published(pages.shared_facts(about), reports)
    manifest.write_atomically(folder / "index.html", index)
    if "csv" in declared.formats:
        describe_csvs(run, folder)
    return told


def _reaches_person(notebook: Any, facts: Mapping[str, Any]) -> list[str]:
    """Return addresses and telephone numbers in what a report says, but for the council's own."""
    said = [cell.source for cell in notebook.cells if cell.cell_type == "markdown"]
    told = (each[blocks.BLOCK_MIME] for each in _shown(notebook))
    said += [json.dumps({**block, "svg": ""}, ensure_ascii=False) for block in told]
    own = json.dumps(facts["brand"], ensure_ascii=False)
    found = {each for text in said for each in re.findall(_RULES["reaches_person"], text)}
    return sorted(each for each in found if each not in own)


def _facts(run: RunRecord, job: dict[str, Any], declared: PublicationFile) -> dict[str, Any]:
    """Return what a public page says of itself: no link leads to what stays in the council."""
    others = (each for each in run.jobs.values() if each["theme"] == job["theme"])
    absent = [each["analysis"] for each in others if not declared.allows(each["id"])]
    copies = {name: 1 for name in job.get("copies", ()) if name in declared.formats}
    facts = pages.page_facts(run.manifest["pages"], {**job, "absent": absent, "copies": copies})
    facts["trail"] = facts["trail"][:1]  # the index, and not the page of a theme
    return {**facts, "results": facts["results"] if "csv" in declared.formats else ""}


def _shown(notebook: Any) -> list[Any]:
    """Return what a notebook has shown as a block, in all the forms it was shown in."""
    outputs = (each for cell in notebook.cells for each in cell.get("outputs", ()))
    shown = (each.get("data", {}) for each in outputs)
    return [each for each in shown if blocks.BLOCK_MIME in each]


def _public(notebook: Any, names: set[str]) -> Any:
    """Return a notebook without internal blocks, and without the places of rows in files."""
    files = "|".join(map(re.escape, sorted(names, key=len, reverse=True))) or "(?!)"
    # A sheet's name is one only before a row: what follows a comma otherwise is somebody's words.
    place = re.compile(rf"(?:{files})(?:(?:, [^,()\"]+)?, row \d+)?")
    for shown in _shown(notebook):
        if shown[blocks.BLOCK_MIME].get("id") in _RULES["internal"]:
            shown.clear()
        else:
            text = json.dumps(shown[blocks.BLOCK_MIME], ensure_ascii=False)
            clean = place.sub(bank.say("narrative.no_place"), text)
            shown[blocks.BLOCK_MIME] = json.loads(clean)
    return notebook


def _approval(
    declared: PublicationFile, folder: Path, since: date, until: date, told: list[Problem]
) -> tuple[str, dict[str, Any]]:
    """Return who approved exactly this content in time, and its files; put it on record there.

    Raises
    ------
    PmfError
        When the documents fail our own audit, or nobody has approved them; it says what to add.
    """
    from pmf_analysis.documents.audit import audit_folder

    found = audit_folder(folder)
    if found.failed:
        raise PmfError(found.problems, EXIT_DATA_UNUSABLE)
    files = manifest.describe_files(folder)
    content = manifest.digest_of(files)
    approval = next((each for each in declared.approvals if each.content == content), None)
    if approval is None:
        place = "/".join(folder.parts[-3:])
        missing = Problem.of("publish-not-approved", content=content, draft=place)
        raise PmfError([missing, *told], EXIT_DATA_UNUSABLE)
    if not since <= approval.approved_on <= until:
        facts = {"day": approval.approved_on, "since": since, "until": until}
        raise PmfError(Problem.of("publish-approval-date", **facts), EXIT_DATA_UNUSABLE)
    record = {**approval.model_dump(mode="json"), "files": files}
    text = json.dumps(record, indent=1, ensure_ascii=False) + "\n"
    manifest.write_atomically(folder / RECORD, text)
    return approval.approved_by, files
