"""Copies of a whole run's reports, and what of it may leave the council."""

from __future__ import annotations

import json
import os
import re
import shutil
import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from frictionless import validate
from lxml import html
from made_runs import MadeRun, pmf

from pmf_analysis.batch.copies import make_copies
from pmf_analysis.batch.manifest import RunRecord
from pmf_analysis.documents.audit import audit_folder
from pmf_analysis.documents.exporters import FILES

HEADINGS = "What was looked at What it shows"
THEME = "environment_and_sustainability"
APPROVAL = re.compile(r'content: "([0-9a-f]{64})"')


@pytest.fixture(scope="module")
def exported(westshire_run: MadeRun, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The run's workspace, copied, with a PDF of every report; the folder of the run."""
    workspace = tmp_path_factory.mktemp("copies") / "workspace"
    shutil.copytree(westshire_run.workspace, workspace)
    done = pmf(workspace, "export", "--to", "pdf", "--json")
    assert done.returncode == 0, done.stderr
    assert len(json.loads(done.stdout)["reports"]) == 21
    return workspace / westshire_run.folder.relative_to(westshire_run.workspace)


def test_every_report_has_a_pdf_that_its_page_links_to(exported: Path) -> None:
    record = RunRecord.read(exported)
    for job in record.jobs.values():
        assert job["copies"]["pdf"] == {"route": "weasyprint", "message": ""}
        assert job["files"]["report.pdf"]["bytes"] > 20_000
        page = html.parse(str(exported / job["id"] / "report.html"))
        assert page.xpath("//footer//a[@href='report.pdf'][contains(., 'KB')]")


def test_pdfs_are_small(exported: Path) -> None:
    # 100 KB for five indicators, and 6 KB for each further one.
    for theme in RunRecord.read(exported).manifest["pages"]["themes"]:
        most = 100_000 + 6_000 * max(0, len(theme["indicators"]) - 5)
        for copy in exported.glob(f"{theme['id']}/*/report.pdf"):
            assert copy.stat().st_size <= most, copy


def test_two_independent_checkers_find_nothing_in_any_pdf(exported: Path) -> None:
    import outloud
    import pdfua

    files = sorted(exported.glob("*/*/report.pdf"))
    assert len(files) == 21
    for copy in files:
        found = outloud.check(str(copy))
        # Westshire's commentary holds an address that stays text, as text from other people does.
        told = [each for each in found.findings if each.rule != "LNK-010"]
        # Tables of evidence that begin three pages have their headings in one place on each.
        told = [each for each in told if (each.rule, each.evidence) != ("PAG-001", HEADINGS)]
        assert (found.error, found.errors, told) == (None, 0, []), copy
        report = pdfua.validate(str(copy))
        assert not [f for f in report.findings if f.severity == pdfua.Severity.ERROR], copy


def test_every_format_is_made_again_byte_by_byte(exported: Path, tmp_path: Path) -> None:
    record = RunRecord.read(exported)
    job = record.jobs[f"{THEME}/trends"]
    formats = ("pdf", "word", "workbook", "charts", "slides")
    made = []
    for name in ("one", "two"):
        folder = tmp_path / name
        folder.mkdir()
        shutil.copy(exported / job["id"] / "notebook.ipynb", folder)
        told = make_copies(folder, record.manifest["pages"], job, formats, None)
        assert not [each for each in told.values() if each["message"]]
        made.append({each: (folder / FILES[each]).read_bytes() for each in formats})
    assert made[0] == made[1]
    assert not audit_folder(tmp_path / "one").problems
    for name in ("report.docx", "report.xlsx", "charts.xlsx", "slides.pptx"):
        with zipfile.ZipFile(tmp_path / "one" / name) as parts:
            assert parts.testzip() is None


def test_a_copy_that_cannot_be_made_stops_no_other(exported: Path, tmp_path: Path) -> None:
    record = RunRecord.read(exported)
    job = record.jobs[f"{THEME}/trends"]
    shutil.copy(exported / job["id"] / "notebook.ipynb", tmp_path)
    broken = b"no Word document"
    told = make_copies(tmp_path, record.manifest["pages"], job, ("word", "workbook"), broken)
    assert "template" in told["word"]["message"]
    assert not (tmp_path / "report.docx").exists()
    assert told["workbook"] == {"route": "", "message": ""}


def test_an_unknown_format_is_refused(exported: Path) -> None:
    done = pmf(exported.parents[3], "export", "--to", "wrod")
    assert done.returncode == 2
    assert 'no format "wrod"' in done.stderr
    assert "word" in done.stderr


def test_what_is_there_is_not_made_again(exported: Path) -> None:
    before = {path: path.stat().st_mtime_ns for path in exported.glob("*/*/report.pdf")}
    done = pmf(exported.parents[3], "export", "--to", "pdf")
    assert done.returncode == 0, done.stderr
    assert before == {path: path.stat().st_mtime_ns for path in before}


# Publishing


@pytest.fixture
def allowed(exported: Path) -> Callable[..., Path]:
    """A function that writes what may be published, and returns the workspace."""
    workspace = exported.parents[3]

    def allow(reports: str, formats: str, *approvals: str) -> Path:
        lines = ["format: 1", f"reports: [{reports}]", f"formats: [{formats}]", "approvals:"]
        for content in approvals:
            lines += [
                f'  - content: "{content}"',
                "    approved_by: Head of Performance",
                "    approved_on: 2026-11-20",
            ]
        text = "\n".join(lines if approvals else lines[:-1]) + "\n"
        (workspace / "parameters" / "publication.yml").write_text(text, encoding="utf-8")
        return workspace

    return allow


def test_nothing_is_public_by_itself(allowed: Any, tmp_path: Path) -> None:
    done = pmf(allowed("", "html"), "publish", "--to", str(tmp_path / "public"))
    assert done.returncode == 3
    assert "allows no report" in done.stderr
    assert not list(tmp_path.iterdir())


def test_only_what_is_listed_and_approved_leaves(allowed: Any, tmp_path: Path) -> None:
    public = tmp_path / "public"
    listed = (f"{THEME}/trends, {THEME}/benchmarking", "html, csv, pdf, word, workbook")
    refused = pmf(allowed(*listed), "publish", "--to", str(public))
    assert refused.returncode == 3, refused.stderr
    assert not list(tmp_path.iterdir())
    content = APPROVAL.search(refused.stderr)
    assert content is not None, refused.stderr
    done = pmf(allowed(*listed, content[1]), "publish", "--to", str(public))
    assert done.returncode == 0, done.stderr
    files = {path.relative_to(public).as_posix() for path in public.rglob("*") if path.is_file()}
    kinds = ("report.html", "results.csv", "report.pdf", "report.docx", "report.xlsx")
    reports = {f"{THEME}/{each}/{kind}" for each in ("trends", "benchmarking") for kind in kinds}
    assert files == {*reports, "index.html", "published.json", "datapackage.json"}
    described = json.loads((public / "datapackage.json").read_text(encoding="utf-8"))
    paths = {each["path"] for each in described["resources"]}
    assert paths == {name for name in reports if name.endswith(".csv")}
    assert validate(public / "datapackage.json").valid
    for page in public.rglob("*.html"):
        for link in html.parse(str(page)).xpath("//a/@href[not(starts-with(., 'data:'))]"):
            if not link.startswith(("#", "http", "mailto:")):
                assert (page.parent / link.partition("#")[0]).is_file(), (page, link)
    told = (public / "published.json").read_text(encoding="utf-8")
    assert "Head of Performance" in told
    assert os.fspath(tmp_path) not in told
    assert not audit_folder(public).problems
    again = pmf(allowed(*listed, content[1]), "publish", "--to", str(public))
    assert again.returncode == 0, again.stderr


def test_nothing_internal_is_published(exported: Path, allowed: Any, tmp_path: Path) -> None:
    source = next(exported.glob("homes_and_communities/trends/report.html"))
    inside = source.read_text(encoding="utf-8")
    assert "observations_quarterly.csv" in inside
    listed = ("homes_and_communities/trends", "html")
    refused = pmf(allowed(*listed), "publish", "--to", str(tmp_path / "public"))
    content = APPROVAL.search(refused.stderr)
    assert content is not None, refused.stderr
    done = pmf(allowed(*listed, content[1]), "publish", "--to", str(tmp_path / "public"))
    assert done.returncode == 0, done.stderr
    page = next((tmp_path / "public").glob("*/trends/report.html")).read_text(encoding="utf-8")
    assert ".csv, row" not in page
    assert "observations_quarterly.csv" not in page
    assert 'id="problems"' not in page
    # What the owner wrote stands whole, to the last sentence of a reason of many.
    assert "Read all" in html.fromstring(page).text_content()


def test_another_content_needs_another_approval(allowed: Any, tmp_path: Path) -> None:
    workspace = allowed(f"{THEME}/trends", "html", "0" * 64)
    done = pmf(workspace, "publish", "--to", str(tmp_path / "public"))
    assert done.returncode == 3
    assert "Nobody has approved" in done.stderr


def test_who_approves_can_look_at_what_would_be_published(allowed: Any, tmp_path: Path) -> None:
    workspace = allowed(f"{THEME}/trends", "html")
    done = pmf(workspace, "publish", "--to", str(tmp_path / "public"))
    assert done.returncode == 3
    assert "outputs/westshire/public-draft" in done.stderr
    draft = workspace / "outputs" / "westshire" / "public-draft"
    assert (draft / THEME / "trends" / "report.html").is_file()
    content = APPROVAL.search(done.stderr)
    assert content is not None
    listed = (f"{THEME}/trends", "html", content[1])
    file = allowed(*listed) / "parameters" / "publication.yml"
    file.write_text(file.read_text(encoding="utf-8").replace("2026-11-20", "2020-01-01"))
    early = pmf(workspace, "publish", "--to", str(tmp_path / "public"))
    assert early.returncode == 3
    assert "2020-01-01 cannot be of this content" in early.stderr
    assert pmf(allowed(*listed), "publish", "--to", str(tmp_path / "public")).returncode == 0
    record = tmp_path / "public" / "published.json"
    told = json.loads(record.read_text(encoding="utf-8"))
    (tmp_path / "outside.txt").write_text("mine", encoding="utf-8")
    record.write_text(json.dumps(told | {"files": told["files"] | {"../outside.txt": {}}}))
    assert pmf(workspace, "publish", "--to", str(tmp_path / "public")).returncode == 0
    assert (tmp_path / "outside.txt").is_file()
    (tmp_path / "public" / "statement.html").write_text("mine", encoding="utf-8")
    again = pmf(workspace, "publish", "--to", str(tmp_path / "public"))
    assert again.returncode == 3
    assert "statement.html" in again.stderr
    assert (tmp_path / "public" / "statement.html").is_file()


def test_a_folder_with_something_else_is_left_alone(allowed: Any, tmp_path: Path) -> None:
    (tmp_path / "mine.txt").write_text("mine", encoding="utf-8")
    done = pmf(allowed(f"{THEME}/trends", "html"), "publish", "--to", str(tmp_path))
    assert done.returncode == 3
    assert "no earlier publication" in done.stderr
    assert (tmp_path / "mine.txt").is_file()


def test_a_file_that_was_changed_afterwards_is_not_published(
    exported: Path, allowed: Any, tmp_path: Path
) -> None:
    page = exported / THEME / "trends" / "report.html"
    kept = page.read_bytes()
    page.write_bytes(kept + b"<!-- changed -->")
    try:
        done = pmf(allowed(f"{THEME}/trends", "html"), "publish", "--to", str(tmp_path / "public"))
    finally:
        page.write_bytes(kept)
    assert done.returncode == 3
    assert "no longer as the run made them" in done.stderr


def test_a_run_makes_the_copies_that_its_file_names(exported: Path, tmp_path: Path) -> None:
    workspace = tmp_path / "workspace"
    shutil.copytree(exported.parents[3], workspace, ignore=shutil.ignore_patterns("outputs"))
    file = workspace / "parameters" / "runs" / "westshire_2026-27_q2.yml"
    file.write_text(file.read_text(encoding="utf-8") + "formats: [workbook]\n", encoding="utf-8")
    asked = ("run", file.name, "--theme", THEME, "--analysis", "trends", "--json")
    done = pmf(workspace, *asked)
    assert done.returncode == 0, done.stderr
    (report,) = json.loads(done.stdout)["reports"]
    assert report["copies"] == {"workbook": {"route": "", "message": ""}}
    folder = workspace / json.loads(done.stdout)["folder"] / report["id"]
    assert (folder / "report.xlsx").stat().st_size == report["files"]["report.xlsx"]["bytes"]
    page = html.parse(str(folder / "report.html"))
    assert page.xpath("//footer//a[@href='report.xlsx']")
    again = json.loads(pmf(workspace, *asked, "--fresh").stdout)
    assert again["reports"][0]["copies"] == report["copies"]
    assert again["reports"][0]["files"] == report["files"]
