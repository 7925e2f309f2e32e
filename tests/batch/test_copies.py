"""Copies whose making fails: what the manifest says, and that they are made the next time."""

from __future__ import annotations

import os
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from pmf_analysis.batch import copies, manifest

JOBS = ("homes/trends", "place/trends")


def die(*_: Any) -> dict[str, dict[str, str]]:
    """What a process does that runs out of memory."""
    os._exit(9)


def make_pdf(place: Path, *_: Any) -> dict[str, dict[str, str]]:
    (place / "report.pdf").write_bytes(b"%PDF")
    return {"pdf": {"route": "weasyprint", "message": ""}}


@pytest.fixture
def run(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> manifest.RunRecord:
    """A run of two reports, whose pages nobody makes again."""
    jobs = {id: {"id": id, "status": "ok", "files": {}} for id in JOBS}
    told = {"status": "complete", "jobs": jobs, "pages": {}, "parameters": {"framework": ""}}
    for id in jobs:
        (tmp_path / id).mkdir(parents=True)

    def record(run: manifest.RunRecord) -> None:
        for job in run.jobs.values():
            job["files"] = manifest.describe_files(run.folder / job["id"])

    monkeypatch.setattr(copies.pages, "render_again", record)
    return manifest.RunRecord(tmp_path, told)


def export(run: manifest.RunRecord) -> list[str]:
    lines: list[str] = []
    workspace: Any = SimpleNamespace(word_template=lambda name: None)
    copies.export(workspace, run, ["pdf"], lines.append)
    return lines


def test_a_process_that_dies_is_told_and_forgotten_once_the_copy_is_made(
    run: manifest.RunRecord, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(copies, "make_copies", die)
    lines = export(run)
    assert [line.partition(":")[0] for line in lines] == list(JOBS)
    for job in run.jobs.values():
        assert "process ended" in job["copies"]["pdf"]["message"]
    assert run.exit_code == 1
    monkeypatch.setattr(copies, "make_copies", make_pdf)
    assert export(run) == [f"{id}: pdf" for id in JOBS]
    assert run.exit_code == 0


def test_a_copy_that_failed_is_made_again_though_a_file_is_there(
    run: manifest.RunRecord, monkeypatch: pytest.MonkeyPatch
) -> None:
    job = run.jobs[JOBS[0]]
    (run.folder / job["id"] / "report.pdf").write_bytes(b"half")
    job["files"] = manifest.describe_files(run.folder / job["id"])
    job["copies"] = {"pdf": {"route": "", "message": "It failed."}}
    monkeypatch.setattr(copies, "make_copies", make_pdf)
    export(run)
    assert job["copies"]["pdf"]["message"] == ""
    assert (run.folder / job["id"] / "report.pdf").read_bytes() == b"%PDF"


def test_a_copy_that_may_not_be_written_is_told_in_plain_words(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "report.pdf").mkdir()  # which no file can take the place of
    monkeypatch.setattr(copies.notebooks, "read_notebook", lambda path: None)
    monkeypatch.setattr(copies.pages, "page_facts", lambda about, job: {})
    monkeypatch.setattr(copies, "copy_of", lambda *given: (b"%PDF", "weasyprint"))
    job = {"id": JOBS[0]}
    told = copies.make_copies(tmp_path, {}, job, ["pdf", "word"], None)
    said = told["pdf"]["message"]
    assert said.startswith("The system did not let pmf read or write homes/trends/report.pdf: ")
    assert "Error" not in said and "tmp" not in said
    assert told["word"]["message"] == ""
