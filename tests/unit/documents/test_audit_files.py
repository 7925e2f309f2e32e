"""Folders of anything: what cannot be read is told, and nothing ends in a traceback."""

from __future__ import annotations

import os
import re
import zipfile
from pathlib import Path
from typing import Any

import pikepdf
import pytest
from documents_to_audit import OFFICE, good_page, good_pdf, saved, zipped
from hypothesis import given, settings
from hypothesis import strategies as st
from lxml import html

from pmf_analysis.documents.audit import AuditResult, audit_folder, audit_html, statement
from pmf_analysis.problems import PmfError
from pmf_analysis.shipped import read_shipped

SHIPPED = read_shipped("documents/audit.yml")
ENDS = {kind: told["suffixes"][0] for kind, told in SHIPPED["kinds"].items() if told["suffixes"]}
KINDS = [kind for kind in ENDS if kind != "old"]
COUNCIL = {
    "name": "Westshire Council",
    "contact": "reports@westshire.example",
    "date": "2026-11-22",
}
OLE = b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1"
DOCUMENT = "word/document.xml"
LAUGHS = (
    '<!DOCTYPE d [<!ENTITY a "ha"><!ENTITY b "&a;&a;&a;&a;&a;&a;&a;&a;">'
    '<!ENTITY c "&b;&b;&b;&b;&b;&b;&b;&b;">]><d>&c;</d>'
)


def good(kind: str) -> bytes:
    if kind == "pdf":
        return saved(good_pdf())
    return good_page().encode() if kind == "html" else zipped(OFFICE[kind])


def codes(folder: Path, name: str, content: bytes) -> set[str]:
    path = folder / name
    path.write_bytes(content)
    return {found.code for found in audit_folder(path).problems}


@pytest.mark.parametrize("kind", KINDS)
def test_empty_and_cut_files_are_told(tmp_path: Path, kind: str) -> None:
    whole = good(kind)
    assert codes(tmp_path, f"a{ENDS[kind]}", b"") == {"file-empty"}
    if kind == "pdf":
        assert codes(tmp_path, "a.pdf", whole[:60]) == {"file-damaged"}
    elif kind != "html":
        assert codes(tmp_path, f"a{ENDS[kind]}", whole[:300]) == {"file-damaged"}


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("other", KINDS)
def test_a_file_under_another_name_is_told(tmp_path: Path, kind: str, other: str) -> None:
    found = codes(tmp_path, f"a{ENDS[other]}", good(kind))
    assert found == (set() if kind == other else {"file-wrong-name"})


def test_files_with_a_password_are_told(tmp_path: Path) -> None:
    locked = saved(good_pdf(), encryption=pikepdf.Encryption(owner="x", user="y"))
    assert codes(tmp_path, "a.pdf", locked) == {"file-locked"}
    assert codes(tmp_path, "a.docx", OLE + b"\0" * 2000) == {"file-locked"}


def test_old_files_are_told(tmp_path: Path) -> None:
    for end in SHIPPED["kinds"]["old"]["suffixes"]:
        assert codes(tmp_path, f"a{end}", OLE) == {"file-old"}


def test_definitions_that_multiply_are_not_followed(tmp_path: Path) -> None:
    assert codes(tmp_path, "a.docx", zipped({DOCUMENT: LAUGHS})) == {"file-entities"}
    outside = '<!DOCTYPE d [<!ENTITY a SYSTEM "a.txt">]><d>&a;</d>'
    assert codes(tmp_path, "a.docx", zipped({DOCUMENT: outside})) == {"file-entities"}


def test_a_small_file_that_unpacks_to_a_huge_one_is_not_unpacked(tmp_path: Path) -> None:
    path = tmp_path / "a.xlsx"
    members = zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED)
    with members, members.open("xl/worksheets/sheet1.xml", "w") as sheet:
        for _ in range(101):
            sheet.write(b" " * 1_000_000)
    assert path.stat().st_size < 1_000_000
    assert {found.code for found in audit_folder(path).problems} == {"file-too-large"}


def test_a_huge_file_is_not_read(tmp_path: Path) -> None:
    path = tmp_path / "a.html"
    with path.open("wb") as sparse:
        sparse.truncate(101_000_000)
    assert {found.code for found in audit_folder(path).problems} == {"file-too-large"}


def test_a_file_that_cannot_be_opened_is_told(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(path: Path) -> bytes:
        raise PermissionError(13, "no", str(path))

    (tmp_path / "a.html").write_text("x", encoding="utf-8")
    monkeypatch.setattr(Path, "read_bytes", refuse)  # root may read everything
    assert [found.code for found in audit_folder(tmp_path).problems] == ["file-unreadable"]


def test_a_link_out_of_the_folder_is_not_followed(tmp_path: Path) -> None:
    inside, outside = tmp_path / "inside", tmp_path / "outside"
    inside.mkdir()
    outside.mkdir()
    (outside / "bad.html").write_text("<p>Secret", encoding="utf-8")
    (inside / "good.html").write_text(good_page(), encoding="utf-8")
    (inside / "bad.html").symlink_to(outside / "bad.html")
    (inside / "all").symlink_to(outside)
    result = audit_folder(inside)
    assert (result.problems, result.others) == ([], 1)


def test_a_folder_that_cannot_be_opened_is_told(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(folder: Path, onerror: Any) -> list[Any]:
        onerror(PermissionError(13, "no", str(folder / "closed")))
        return [(str(folder), ["closed"], ["a.html"])]

    (tmp_path / "a.html").write_text(good_page(), encoding="utf-8")
    monkeypatch.setattr(os, "walk", refuse)  # root may open everything
    found = audit_folder(tmp_path).problems
    assert [(each.code, each.file) for each in found] == [("file-unreadable", "closed")]


def test_pages_in_the_coding_of_windows_are_read(tmp_path: Path) -> None:
    head = '<meta charset="windows-1252"><title>Caf\xe9</title>'
    (tmp_path / "a.html").write_bytes(f"<html>{head}".encode("latin-1"))
    assert 'The title "Caf\xe9" is one word' in str(audit_folder(tmp_path).problems)
    assert codes(tmp_path, "a.html", head.replace("windows", "no").encode()) >= {"title-words"}


def test_headings_of_a_councils_own_styles_are_headings(tmp_path: Path) -> None:
    parts = OFFICE["word"]
    own = (
        '<w:style w:styleId="H1"><w:name w:val="Report title"/><w:pPr><w:outlineLvl w:val="0"/>'
        '</w:pPr></w:style><w:style w:styleId="H2"><w:name w:val="Part"/><w:basedOn w:val="H4"/>'
        '</w:style><w:style w:styleId="H4"><w:name w:val="heading 2"/></w:style>'
    )
    styles = re.sub('<w:style w:styleId="H[123]">.*?</w:style>', "", parts["word/styles.xml"])
    styles = styles.replace("</w:docDefaults>", f"</w:docDefaults>{own}")
    assert codes(tmp_path, "a.docx", zipped(parts | {"word/styles.xml": styles})) == set()


def test_every_reason_not_to_read_a_file_is_tested() -> None:
    told = {rule["code"] for rule in SHIPPED["files"]}
    text = Path(__file__).read_text(encoding="utf-8")
    assert {code for code in told if f'"{code}"' not in text} == set()


def test_very_deep_files_are_judged_or_told(tmp_path: Path) -> None:
    assert codes(tmp_path, "a.html", b"<div>" * 50_000)
    deep = "<d>" * 50_000 + "</d>" * 50_000
    assert codes(tmp_path, "a.docx", zipped({DOCUMENT: deep})) == {"file-damaged"}
    pdf = good_pdf()
    tag = pdf.Root.StructTreeRoot.K
    for _ in range(1000):
        below = pdf.make_indirect(pikepdf.Dictionary(S=pikepdf.Name.P))
        tag.K, tag = pikepdf.Array([below]), below
    tag.K = pdf.Root.StructTreeRoot.K  # and round again
    assert "file-damaged" not in codes(tmp_path, "a.pdf", saved(pdf))


@pytest.mark.parametrize("kind", KINDS)
def test_random_bytes_never_raise(kind: str, tmp_path: Path) -> None:
    whole, path = good(kind), tmp_path / f"a{ENDS[kind]}"

    @settings(max_examples=25, deadline=None)
    @given(st.binary(max_size=300), st.integers(0, len(whole)), st.integers(0, 200))
    def hold(noise: bytes, start: int, cut: int) -> None:
        for content in (noise, whole[:start] + noise + whole[start + cut :]):
            path.write_bytes(content)
            result = audit_folder(path)
            assert result.lines() and len(result.rows()) == len(result.problems)

    hold()


@pytest.mark.parametrize("kind", OFFICE)
def test_random_bytes_within_a_part_never_raise(kind: str, tmp_path: Path) -> None:
    parts, path = OFFICE[kind], tmp_path / f"a{ENDS[kind]}"

    @settings(max_examples=25, deadline=None)
    @given(st.sampled_from(sorted(parts)), st.integers(0, 3000), st.text(max_size=30))
    def hold(name: str, start: int, noise: str) -> None:
        text = parts[name]
        path.write_bytes(zipped(parts | {name: text[:start] + noise + text[start + 9 :]}))
        assert audit_folder(path).lines()

    hold()


@given(st.text(max_size=300))
@settings(max_examples=25, deadline=None)
def test_random_words_in_a_page_never_raise(words: str) -> None:
    audit_html(f"<html><body><p title='{words}'>{words}</p><h1>{words}&#8;&#xfffe;</h1>{words}")


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """Good and bad files, files of other kinds, hidden files and locks."""
    (tmp_path / "deep").mkdir()
    for kind in KINDS:
        (tmp_path / f"good{ENDS[kind]}").write_bytes(good(kind))
    worse = good_page().replace('lang="en-GB"', "").replace('role="table"', "")
    rows = "<table><tr><td>nan</td><td>nan</td></tr></table>" * 5
    (tmp_path / "deep" / "bad.html").write_text(worse.replace("</main>", rows), encoding="utf-8")
    (tmp_path / "old.doc").write_bytes(OLE)
    (tmp_path / "numbers.csv").write_text("a,b\n", encoding="utf-8")
    (tmp_path / "~$good.docx").write_bytes(b"lock")
    (tmp_path / ".hidden.html").write_bytes(b"")
    return tmp_path


def test_a_folder_is_told_by_duty_file_and_rule_with_counts(folder: Path) -> None:
    result = audit_folder(folder)
    assert dict(result.files) == {"html": 2, "word": 1, "excel": 1, "slides": 1, "pdf": 1, "old": 1}
    assert result.others == 1 and result.failed
    lines = result.lines()
    headings = [line for line in lines if line in SHIPPED["duties"].values()]
    assert headings == list(SHIPPED["duties"].values())
    assert "deep/bad.html (web page)" in lines
    assert "  10 x cell-leak (plain words)" in lines
    assert "    and 7 more" in lines
    assert any(
        line.startswith("    line ") and 'under "Figure 1: Recycling is up"' in line
        for line in lines
    )
    fixes = [line for line in lines if line.startswith("    How to fix: ")]
    assert len(fixes) == len({(found.file, found.code) for found in result.problems})
    assert re.fullmatch(
        r"\d+ failures found by pmf audit \S+ with \d+ rules in 7 files "
        r"\(\d+ of what the law asks for\); "
        r"1 other file was not looked at\.",
        lines[-1],
    )


def test_rows_are_for_other_programs(folder: Path) -> None:
    rows = audit_folder(folder).rows()
    assert {row["duty"] for row in rows} == {"law", "ours", "file"}
    wanted = {"file", "kind", "duty", "code", "criterion", "where", "message", "fix"}
    assert all(set(row) == wanted and row["message"] and row["fix"] for row in rows)


def test_places_are_those_that_people_know(tmp_path: Path) -> None:
    book, show = dict(OFFICE["excel"]), dict(OFFICE["slides"])
    book["xl/drawings/d.xml"] = re.sub('descr="[^"]*"', "", book["xl/drawings/d.xml"])
    show["ppt/slides/slide4.xml"] = re.sub('type="title"', "", show["ppt/slides/slide4.xml"])
    (tmp_path / "a.xlsx").write_bytes(zipped(book))
    (tmp_path / "b.pptx").write_bytes(zipped(show))
    pdf = good_pdf()
    del pdf.Root.StructTreeRoot.K.K[2]["/Alt"]
    (tmp_path / "c.pdf").write_bytes(saved(pdf))
    places = {(found.code, found.where) for found in audit_folder(tmp_path).problems}
    assert places >= {
        ("excel-alt", 'sheet "Recycling"'),
        ("slides-slide-title", "slide 2"),
        ("pdf-alt", "page 1"),
    }


def test_a_clean_folder_says_that_no_failure_was_found(tmp_path: Path) -> None:
    (tmp_path / "a.html").write_text(good_page(), encoding="utf-8")
    result = audit_folder(tmp_path)
    assert not result.failed
    assert re.fullmatch(
        r"No failure found by pmf audit \S+ with \d+ rules in 1 file\.", *result.lines()
    )


def test_a_folder_that_is_not_there_is_told(tmp_path: Path) -> None:
    with pytest.raises(PmfError):
        audit_folder(tmp_path / "nowhere")


# The statement


def _said(result: AuditResult, **more: str) -> str:
    page = statement(result, COUNCIL | more)
    assert [(found.code, found.message) for found in audit_html(page)] == []
    return page


def _words(page: str) -> str:
    return " ".join(html.document_fromstring(page).find(".//main").text_content().split())


def test_the_statement_lists_what_was_found_and_claims_no_more(folder: Path) -> None:
    words = _words(_said(audit_folder(folder)))
    for part in ("22 November 2026", "Equality and Human Rights Commission", "(EASS)"):
        assert part in words
    assert "deep/bad.html: The page does not say in which language it is" in words
    assert "success criterion 3.1.1" in words and COUNCIL["contact"] in words


def test_no_statement_claims_more_than_was_found(folder: Path, tmp_path: Path) -> None:
    clean = tmp_path / "deep"
    (clean / "bad.html").write_text(good_page(), encoding="utf-8")
    for result in (audit_folder(folder), audit_folder(clean)):
        words = _words(_said(result)).casefold()
        assert not re.search(
            r"(?<!non-)\baccessible\b|fully|(?<!partially )compliant|conform", words
        )
    assert re.search(r"no failure found by pmf audit \S+ with \d+ rules", words)
    assert "judges the contrast of colours only where" in words
    for heading in ("compliance status", "non-accessible content", "disproportionate burden"):
        assert heading in words


def test_a_statement_shows_hostile_names_as_text(tmp_path: Path) -> None:
    (tmp_path / "<script>alert(1)<").mkdir()
    (tmp_path / "<script>alert(1)<" / "a.html").write_text("<p>{{ 7*7 }}", encoding="utf-8")
    page = _said(audit_folder(tmp_path), name="<b>Us</b> & {{ 7*7 }}", contact="<script>x()")
    assert "<script" not in page and "{{ 7*7 }}" in page


def test_the_same_result_makes_the_same_statement(folder: Path) -> None:
    assert _said(audit_folder(folder)) == _said(audit_folder(folder))


# Its page in docs


def rules_table() -> str:
    """What docs/checking-accessibility.md says of the rules; its test prints it."""
    lines = []
    for kind, told in SHIPPED["kinds"].items():
        rules = [rule for rule in SHIPPED["rules"] if rule["kind"] == kind]
        if rules:
            lines += ["", f"### {told['name'][0].upper()}{told['name'][1:]}", ""]
            lines += ["| rule | asked for by | what fails |", "|---|---|---|"]
        for rule in rules:
            asked = "law" if rule.get("duty", "law") == "law" else "us"
            says = re.sub(r' ?"?\{\w+\}"?', " …", rule["says"]).replace("|", "\\|").strip()
            lines.append(f"| `{rule['code']}` | {asked}, {rule['criterion']} | {says} |")
    return "\n".join(lines).strip() + "\n"


def test_the_page_in_docs_lists_every_rule(repository: Path) -> None:
    page = (repository / "docs" / "checking-accessibility.md").read_text(encoding="utf-8")
    held = re.search(r"<!-- rules -->\n(.*?)<!-- end of rules -->", page, re.DOTALL)
    assert held and held[1].strip() == rules_table().strip()
    assert len(re.findall(r"^\d+\. ", page, re.MULTILINE)) == 12
    assert f"{len(SHIPPED['rules'])} rules" in page
