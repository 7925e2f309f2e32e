"""Files that would exhaust a computer, or run something, are refused soon and in little memory."""

from __future__ import annotations

import gzip
import io
import json
import re
import socket
import subprocess
import sys
import zipfile
from collections.abc import Callable, Iterator
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet
import pytest
from docx import Document
from openpyxl import Workbook

from pmf_analysis.problems import PmfError
from pmf_analysis.systems.folder import read_content, read_file
from pmf_analysis.systems.looking import look

SHEET = "xl/worksheets/sheet1.xml"
STRINGS = "xl/sharedStrings.xml"
LAUGHS = (
    '<?xml version="1.0"?><!DOCTYPE sst [<!ENTITY a "ha">'
    + "".join(
        f'<!ENTITY {b} "{f"&{a};" * 10}">' for a, b in zip("abcdefghi", "bcdefghij", strict=True)
    )
    + "]><sst><si><t>&j;</t></si></sst>"
)


def book(edit: Callable[[Workbook], None] | None = None) -> bytes:
    made = io.BytesIO()
    workbook = Workbook()
    workbook.worksheets[0].append(["name", "value"])
    workbook.worksheets[0].append(["a", 1])
    if edit:
        edit(workbook)
    workbook.save(made)
    return made.getvalue()


def with_parts(content: bytes, parts: dict[str, bytes | Iterator[bytes]]) -> bytes:
    """Return a package with some parts put in or replaced; a part may be written in pieces."""
    made = io.BytesIO()
    with (
        zipfile.ZipFile(io.BytesIO(content)) as old,
        zipfile.ZipFile(made, "w", zipfile.ZIP_DEFLATED, compresslevel=1) as new,
    ):
        for name in old.namelist():
            if name not in parts:
                new.writestr(name, old.read(name))
        for name, part in parts.items():
            with new.open(name, "w") as file:
                for piece in [part] if isinstance(part, bytes) else part:
                    file.write(piece)
    return made.getvalue()


def sheet_of(rows: int, columns: int) -> Iterator[bytes]:
    yield b'<worksheet xmlns="http://schemas.openxmlformats.org/spreadsheetml/2006/main"><sheetData>'
    row = b"<row>" + b"<c><v>1</v></c>" * columns + b"</row>"
    for _ in range(rows):
        yield row
    yield b"</sheetData></worksheet>"


def opendocument(cells: str, kind: str = "spreadsheet") -> bytes:
    spaces = "urn:oasis:names:tc:opendocument:xmlns:"
    names = " ".join(f'xmlns:{n}="{spaces}{n}:1.0"' for n in ("office", "table", "text", "style"))
    made = io.BytesIO()
    with zipfile.ZipFile(made, "w", zipfile.ZIP_DEFLATED) as new:
        new.writestr("mimetype", f"application/vnd.oasis.opendocument.{kind}")
        new.writestr(
            "content.xml",
            f"<office:document-content {names}><office:body><office:spreadsheet>"
            f'<table:table table:name="S">{cells}</table:table></office:spreadsheet></office:body>'
            "</office:document-content>",
        )
    return made.getvalue()


def zeros(megabytes: int) -> Iterator[bytes]:
    return iter([bytes(1_000_000)] * megabytes)


def parquet_of(rows: int) -> bytes:
    made = io.BytesIO()
    pyarrow.parquet.write_table(pa.table({"a": pa.nulls(rows)}), made)
    return made.getvalue()


def document(paragraphs: int) -> bytes:
    made = io.BytesIO()
    Document().save(made)
    space = 'xmlns:w="http://schemas.openxmlformats.org/wordprocessingml/2006/main"'
    body = f"<w:document {space}><w:body>{'<w:p/>' * paragraphs}</w:body></w:document>"
    return with_parts(made.getvalue(), {"word/document.xml": body.encode()})


def gzip_of(megabytes: int) -> bytes:
    made = io.BytesIO()
    with gzip.GzipFile(fileobj=made, mode="wb", compresslevel=1) as file:
        for piece in zeros(megabytes):
            file.write(piece)
    return made.getvalue()


BOMBS: dict[str, tuple[Callable[[], bytes], str]] = {
    "zeros.xlsx": (lambda: with_parts(book(), {"xl/media/a.bin": zeros(310)}), "unpack to"),
    "ratio.ods": (lambda: with_parts(opendocument(""), {"a.bin": zeros(40)}), "unpack to"),
    "nested.xlsx": (lambda: nested(), "a ZIP archive"),
    "parts.xlsx": (
        lambda: with_parts(book(), {f"xl/p{n}.txt": b"" for n in range(10_001)}),
        "unpack to",
    ),
    "laughs.xlsx": (lambda: with_parts(book(), {STRINGS: LAUGHS.encode()}), "declares entities"),
    "laughs_utf16.xlsx": (
        lambda: with_parts(
            book(), {STRINGS: LAUGHS.replace('1.0"', '1.0" encoding="utf-16"').encode("utf-16")}
        ),
        "declares entities",
    ),
    "laughs.docx": (
        lambda: with_parts(document(1), {"word/document.xml": LAUGHS.encode()}),
        "declares entities",
    ),
    "laughs.ods": (
        lambda: with_parts(opendocument(""), {"content.xml": LAUGHS.encode()}),
        "declares entities",
    ),
    "giant.xlsx": (lambda: with_parts(book(), {SHEET: sheet_of(3000, 600)}), "1,500,000 cells"),
    "rows.xlsx": (lambda: with_parts(book(), {SHEET: sheet_of(1_600_000, 0)}), "1,500,000 cells"),
    "giant.docx": (lambda: document(1_600_000), "1,500,000 cells"),
    "repeated.ods": (
        lambda: opendocument(
            '<table:table-row table:number-rows-repeated="1048576"><table:table-cell table:number-'
            'columns-repeated="16384" office:value-type="float" office:value="1"/>'
            "</table:table-row>"
        ),
        "1,500,000 cells",
    ),
    "zeros.csv.gz": (lambda: gzip_of(420), "larger than 400 MB"),
    "rows.parquet": (lambda: parquet_of(60_000_000), "50,000,000 cells"),
}


def nested() -> bytes:
    made = io.BytesIO()
    with zipfile.ZipFile(made, "w", zipfile.ZIP_DEFLATED) as new:
        new.writestr("inner.zip", with_parts(book(), {"xl/media/a.bin": zeros(50)}))
    return made.getvalue()


MEASURE = """
import json, re, resource, sys, time
from pathlib import Path
from pmf_analysis.systems.looking import look
told = {}
for path in sorted(Path(sys.argv[1]).iterdir()):
    started = time.perf_counter()
    lines = look(path).lines()
    told[path.name] = [time.perf_counter() - started, " ".join(lines)]
# Of Linux, because what a process used is there counted from before it was this one.
status = Path("/proc/self/status")
peak = re.search(r"VmHWM:\\s+(\\d+)", status.read_text()) if status.exists() else None
peak = int(peak[1]) if peak else resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
told["memory"] = peak / 1024
print(json.dumps(told))
"""


@pytest.mark.skipif(sys.platform == "win32", reason="Windows does not say how much memory was used")
def test_bombs_are_refused_within_five_seconds_and_500_mb(tmp_path: Path) -> None:
    for name, (make, _) in BOMBS.items():
        (tmp_path / name).write_bytes(make())
    with (tmp_path / "sparse.csv").open("wb") as sparse:
        sparse.truncate(5_000_000_000)
    assert (
        sum(path.stat().st_size for path in tmp_path.iterdir() if path.name != "sparse.csv") < 9e7
    )
    command = [sys.executable, "-c", MEASURE, str(tmp_path)]
    made = subprocess.run(command, capture_output=True, text=True, check=True, timeout=120)
    told = json.loads(made.stdout)
    assert told.pop("memory") < 500
    assert "larger than" in told.pop("sparse.csv")[1]
    for name, (seconds, said) in told.items():
        assert BOMBS[name][1] in said, (name, said)
        assert "Traceback" not in said
        assert seconds < 5, (name, seconds)


def test_a_range_merged_over_a_whole_sheet_costs_nothing() -> None:
    merged = b'<mergeCells count="1"><mergeCell ref="A1:XFD1048576"/></mergeCells></worksheet>'
    plain = zipfile.ZipFile(io.BytesIO(book())).read(SHEET)
    content = with_parts(book(), {SHEET: plain.replace(b"</worksheet>", merged)})
    (sheet,) = read_content("x.xlsx", content).sheets
    assert sheet.cells.shape == (2, 2)


def typed(content: bytes, kind: str) -> bytes:
    """Return a package that declares a part of another kind, wherever it is."""
    name = "[Content_Types].xml"
    types = zipfile.ZipFile(io.BytesIO(content)).read(name)
    declared = f'<Override PartName="/xl/x.bin" ContentType="{kind}"/></Types>'.encode()
    return with_parts(content, {name: types.replace(b"</Types>", declared), "xl/x.bin": b"x"})


@pytest.mark.parametrize(
    "content",
    [
        with_parts(book(), {"xl/vbaProject.bin": b"x"}),
        typed(book(), "application/vnd.ms-office.vbaProject"),
        with_parts(book(), {"xl/macrosheets/sheet1.xml": b"<x/>"}),
        with_parts(opendocument(""), {"Basic/Standard/Module1.xml": b"<x/>"}),
        b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + "Workbook _VBA_PROJECT".encode("utf-16-le"),
    ],
)
def test_macros_are_refused_under_any_name(content: bytes) -> None:
    with pytest.raises(PmfError, match=r"macros.*without macros"):
        read_content("kpis.xlsx", content)


LINKED = {
    "[1]Sheet1!A1": True,
    "SUM('[2]Q2 figures'!B2:B9)": True,
    "1+[1]!Total": True,
    "'K:\\council\\[old.xlsx]Sheet'!A1": True,
    'IF(A1=1,"[see] note!","")': False,
    "SUM(Table1[[#This Row],[2024]],Sheet!B2)": False,
    "Table1[2024]*Sheet!A1": False,
}


@pytest.mark.parametrize(("formula", "is_linked"), LINKED.items())
def test_a_formula_with_another_workbook_in_it_is_refused(formula: str, is_linked: bool) -> None:
    def edit(workbook: Workbook) -> None:
        workbook.create_sheet("Q2")["C7"] = f"={formula}"

    if not is_linked:
        assert read_content("x.xlsx", book(edit)).sheets
        return
    with pytest.raises(PmfError) as refused:
        read_content("x.xlsx", book(edit))
    line = refused.value.problems[0].line()
    assert 'sheet "Q2" | row 7 | column C' in line
    assert "paste them as values" in line


def test_a_link_that_no_formula_uses_is_a_warning() -> None:
    content = with_parts(book(), {"xl/externalLinks/externalLink1.xml": b"<externalLink/>"})
    raw = read_content("x.xlsx", content)
    assert [problem.code for problem in raw.problems] == ["links-left-over"]


def test_nothing_outside_the_package_is_asked_for(tmp_path: Path) -> None:
    secret = tmp_path / "secret.txt"
    secret.write_text("secret")
    kinds = ("oleObject", "image", "externalLinkPath", "attachedTemplate")
    space = "http://schemas.openxmlformats.org/officeDocument/2006/relationships"
    with socket.create_server(("127.0.0.1", 0)) as server:
        server.settimeout(0)
        targets = (f"http://127.0.0.1:{server.getsockname()[1]}/x", secret.as_uri())
        links = "".join(
            f'<Relationship Id="x{n}{kind}" Type="{space}/{kind}" Target="{target}" '
            'TargetMode="External"/>'
            for n, target in enumerate(targets)
            for kind in kinds
        )
        rels = "http://schemas.openxmlformats.org/package/2006/relationships"
        part = f'<Relationships xmlns="{rels}">{links}</Relationships>'.encode()
        raw = read_content(
            "x.xlsx", with_parts(book(), {"xl/worksheets/_rels/sheet1.xml.rels": part})
        )
        assert "secret" not in repr(raw.sheets[0].cells.to_numpy().tolist())
        with pytest.raises(BlockingIOError):
            server.accept()


def other_kinds() -> dict[str, tuple[bytes, str]]:
    slides = io.BytesIO()
    pptx = pytest.importorskip("pptx", reason="the extra slides is not installed")
    pptx.Presentation().save(slides)
    old = b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1"
    return {
        "page.xlsx": (b"<!DOCTYPE html><html><table></table></html>", "a web page"),
        "2003.xls": (
            b'<?xml version="1.0"?><?mso-application progid="Excel.Sheet"?><Workbook/>',
            "Excel 2003",
        ),
        "paper.xlsx": (b"%PDF-1.7", "a PDF document"),
        "photo.xlsx": (b"\x89PNG\r\n\x1a\n", "a picture (PNG)"),
        "slides.xlsx": (slides.getvalue(), "a PowerPoint presentation"),
        "text.xlsx": (opendocument("", "text"), "an OpenDocument text"),
        "letter.xlsx": (old + "WordDocument".encode("utf-16-le"), "old DOC format"),
        "secret.xlsx": (old + "EncryptedPackage".encode("utf-16-le"), "password"),
        "secret.ods": (
            with_parts(opendocument(""), {"META-INF/manifest.xml": b"<m:encryption-data/>"}),
            "password",
        ),
        "book.xlsx": (gzip.compress(b"<html>"), "a web page"),
    }


@pytest.mark.parametrize("name", other_kinds())
def test_what_is_no_table_is_named_for_what_it_is(tmp_path: Path, name: str) -> None:
    content, words = other_kinds()[name]
    (tmp_path / name).write_bytes(content)
    with pytest.raises(PmfError, match=re.escape(words)):
        read_file(tmp_path / name)
    assert look(tmp_path / name).problems.has_errors


def test_a_table_by_another_name_is_read_and_the_name_is_noted() -> None:
    cell = '<table:table-cell office:value-type="float" office:value="2"/>'
    row = f"<table:table-row>{cell}</table:table-row>"
    for name, content, words in (
        ("kpis.xlsx", opendocument(row), "OpenDocument spreadsheet"),
        ("kpis.csv", book(), "Excel workbook (XLSX)"),
        ("kpis.xls", b"a,b\n1,2\n", "text with commas"),
    ):
        raw = read_content(name, content)
        assert raw.sheets
        (noted,) = raw.problems
        assert noted.code == "file-renamed" and words in noted.message


def test_the_limits_let_an_ordinary_file_pass() -> None:
    assert read_content("x.xlsx", with_parts(book(), {SHEET: sheet_of(2000, 20)})).problems == []
