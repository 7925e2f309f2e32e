"""Workbooks of other programs and Word documents hold the same figures as an XLSX workbook."""

from __future__ import annotations

import io
import shutil
import struct
import subprocess
import zipfile
from datetime import date
from pathlib import Path

import pytest
import xlsxwriter
from docx import Document

from pmf_analysis.parameters.workspace import Workspace
from pmf_analysis.problems import PmfError
from pmf_analysis.systems.cells import Sheet
from pmf_analysis.systems.folder import RawFile, read_content, read_file
from pmf_analysis.systems.importing import import_files

OFFICE = shutil.which("soffice")
HEADER = ["indicator_id", "period_label", "value", "value_note"]
FIGURES = [("CNT", f"2025-26 Q{n}", 10.25 * n, f"note {n}") for n in range(1, 5)]


@pytest.fixture(scope="module")
def saved(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    """One workbook, as Excel would save it and as LibreOffice saves it in three formats."""
    if OFFICE is None:
        pytest.skip("LibreOffice is not installed, so nothing can save a workbook again")
    folder = tmp_path_factory.mktemp("office")
    made = folder / "kpis.xlsx"
    with xlsxwriter.Workbook(made) as book:
        sheet, percent = book.add_worksheet("Figures"), book.add_format({"num_format": "0.0%"})
        sheet.write_row(0, 0, HEADER)
        for row, figures in enumerate(FIGURES, 1):
            sheet.write_row(row, 0, figures)
        other = book.add_worksheet("Evidence")
        other.write_row(0, 0, ["percent", "error", "text number", "date", "formula", "true"])
        other.write(1, 0, 0.452, percent)
        other.write_formula(1, 1, "=1/0", None, "#DIV/0!")
        other.write_string(1, 2, "1234")
        other.write_datetime(1, 3, date(2026, 4, 1), book.add_format({"num_format": "yyyy-mm-dd"}))
        other.write_formula(1, 4, "=2+3", None, 5)
        other.write_boolean(1, 5, True)
        other.set_row(1, None, None, {"hidden": True})
        other.merge_range("A4:C5", "merged")
        book.add_worksheet("Hidden").hide()
        book.get_worksheet_by_name("Hidden").write(0, 0, "x")
        far = book.add_worksheet("Far")
        far.write(9, 5, 7)
    profile = f"-env:UserInstallation={(folder / 'profile').as_uri()}"
    found = {"made": made}
    for kind in ("xlsx", "ods", "xls"):
        command = [OFFICE, "--headless", profile, "--convert-to", kind, "--outdir"]
        to = folder / kind
        subprocess.run([*command, str(to), str(made)], check=True, capture_output=True, timeout=120)
        found[kind] = to / f"kpis.{kind}"
    return found


def sheet(raw: RawFile, name: str) -> Sheet:
    return next(sheet for sheet in raw.sheets if sheet.name == name)


@pytest.mark.parametrize("kind", ["xlsx", "ods", "xls"])
def test_saved_again_by_another_program_the_figures_are_the_same(
    saved: dict[str, Path], kind: str, workspace: Workspace, tmp_path: Path
) -> None:
    raws = [read_file(saved[which]) for which in ("made", kind)]
    first, again = (sheet(raw, "Figures").cells for raw in raws)
    assert first.equals(again)
    far = sheet(raws[1], "Far").cells
    assert (far.index.tolist(), far.loc[10].tolist()) == ([10], ["", "", "", "", "", "7"])
    accepted = []
    for which in ("made", kind):
        outcome = import_files(workspace, [saved[which]], date(2026, 10, 31), "generic_tidy")
        accepted.append(outcome.results[0].tables["observations"]["value"].tolist())
    assert accepted == [[10.25, 20.5, 30.75, 41.0]] * 2


@pytest.mark.parametrize("kind", ["made", "xlsx", "ods"])
def test_evidence_is_kept(saved: dict[str, Path], kind: str) -> None:
    raw = read_file(saved[kind])
    found = sheet(raw, "Evidence")
    yes = "1" if kind == "ods" else "TRUE"  # which LibreOffice writes as a number there
    assert found.cells.loc[2].tolist() == ["45.2", "#DIV/0!", "1234", "2026-04-01", "5", yes]
    assert found.marks == {(2, 0): "percent", (2, 2): "text number"}
    assert found.hidden_rows == {2}
    assert found.cells.loc[4].tolist()[:2] == ["merged", ""]
    assert sheet(raw, "Hidden").is_hidden
    assert raw.problems == []


def test_what_an_xls_workbook_loses_is_said(saved: dict[str, Path]) -> None:
    raw = read_file(saved["xls"])
    (said,) = raw.problems
    assert said.code == "evidence-lost" and "fractions" in said.message
    assert sheet(raw, "Evidence").cells.loc[2, 0] == "0.452"
    assert sheet(raw, "Hidden").is_hidden


def test_a_link_to_another_workbook_is_refused_in_ods() -> None:
    spaces = "urn:oasis:names:tc:opendocument:xmlns:"
    names = " ".join(f'xmlns:{n}="{spaces}{n}:1.0"' for n in ("office", "table"))
    formula = "of:=['file:" + "///K:/other.ods'#$Sheet1.A1]"
    made = io.BytesIO()
    with zipfile.ZipFile(made, "w") as new:
        new.writestr("mimetype", "application/vnd.oasis.opendocument.spreadsheet")
        new.writestr(
            "content.xml",
            f'<office:body {names}><table:table table:name="Q2"><table:table-row>'
            f'<table:table-cell table:number-columns-repeated="3"/><table:table-cell '
            f'table:formula="{formula}" office:value="1"/></table:table-row></table:table>'
            "</office:body>",
        )
    with pytest.raises(PmfError) as refused:
        read_content("x.ods", made.getvalue())
    assert 'sheet "Q2" | row 1 | column D' in str(refused.value)


def record(kind: int, content: bytes = b"") -> bytes:
    """Return a record of the binary format: kind and length in groups of seven bits."""
    head = bytes([kind & 0x7F | 0x80, kind >> 7]) if kind > 0x7F else bytes([kind])
    return head + bytes([len(content)]) + content


def wide(text: str) -> bytes:
    return struct.pack("<I", len(text)) + text.encode("utf-16-le")


def binary_book(places: dict[tuple[int, int], float]) -> bytes:
    """Return an XLSB workbook of one sheet, as section 2.1.7 of MS-XLSB describes it."""
    space = "http://schemas.openxmlformats.org"
    sheet = record(145)
    for (row, column), value in places.items():
        sheet += record(0, struct.pack("<IIHBBB", row, 0, 0, 0, 0, 0) + struct.pack("<I", 0))
        sheet += record(5, struct.pack("<IId", column, 0, value))
    last = max(places)
    size = record(148, struct.pack("<IIII", 0, last[0], 0, last[1]))
    book = record(143) + record(156, struct.pack("<II", 0, 1) + wide("rId1") + wide("Data"))
    parts = {
        "[Content_Types].xml": f'<Types xmlns="{space}/package/2006/content-types"/>',
        "xl/_rels/workbook.bin.rels": (
            f'<Relationships xmlns="{space}/package/2006/relationships"><Relationship Id="rId1" '
            f'Type="{space}/officeDocument/2006/relationships/worksheet" '
            'Target="worksheets/sheet1.bin"/></Relationships>'
        ),
        "xl/workbook.bin": record(131) + book + record(144) + record(132),
        "xl/worksheets/sheet1.bin": record(129) + size + sheet + record(146) + record(130),
    }
    made = io.BytesIO()
    with zipfile.ZipFile(made, "w") as new:
        for name, part in parts.items():
            new.writestr(name, part)
    return made.getvalue()


def test_a_binary_workbook_is_read_and_its_losses_are_said() -> None:
    raw = read_content("kpis.xlsb", binary_book({(0, 0): 1.5, (2, 1): 7.0}))
    (found,) = raw.sheets
    assert (found.name, found.cells.loc[3].tolist()) == ("Data", ["", "7"])
    assert [problem.code for problem in raw.problems] == ["evidence-lost"]


def test_a_far_cell_of_a_binary_workbook_takes_no_memory() -> None:
    with pytest.raises(PmfError, match=r"more than|damaged"):
        read_content("far.xlsb", binary_book({(0, 0): 1.5, (1_048_575, 16_383): 7.0}))


def test_a_damaged_old_workbook_says_so(saved: dict[str, Path]) -> None:
    content = saved["xls"].read_bytes()
    with pytest.raises(PmfError, match="old Office program"):
        read_content("half.xls", content[: len(content) // 3])
    with pytest.raises(PmfError, match="damaged"):
        read_content("zeros.xls", content[:512] + bytes(1536) + content[2048:])


def test_each_table_of_a_word_document_is_a_sheet() -> None:
    document = Document()
    document.add_paragraph("Performance report")
    for number in (1, 2):
        table = document.add_table(3, 3)
        for row in range(3):
            for column in range(3):
                table.cell(row, column).text = f"{number}{row}{column}"
        table.cell(1, 0).merge(table.cell(1, 1))
    made = io.BytesIO()
    document.save(made)
    raw = read_content("report.docx", made.getvalue())
    assert [sheet.name for sheet in raw.sheets] == ["Table 1", "Table 2"]
    assert raw.sheets[1].cells.loc[3].tolist() == ["220", "221", "222"]
    assert raw.sheets[0].cells.loc[2].tolist() == ["110\n111", "", "112"]
    assert [problem.code for problem in raw.problems] == ["evidence-lost"]
    plain = io.BytesIO()
    Document().save(plain)
    with pytest.raises(PmfError, match="no cell"):
        read_content("letter.docx", plain.getvalue())
