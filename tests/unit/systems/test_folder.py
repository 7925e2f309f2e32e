"""Whatever lies in a drop folder is read or passed over with a sentence, never a traceback."""

from __future__ import annotations

import gzip
from datetime import date
from pathlib import Path
from threading import Event, Thread

import fsspec
import pytest
from openpyxl import Workbook

from pmf_analysis.parameters.workspace import Workspace
from pmf_analysis.problems import PmfError
from pmf_analysis.systems.folder import drop_files, read, read_file
from pmf_analysis.systems.looking import look
from pmf_analysis.systems.sources import FolderSource


def test_owner_temporary_empty_and_foreign_files_are_skipped_with_a_reason(tmp_path: Path) -> None:
    for name in ("~$KPI.xlsx", "half.tmp", ".hidden.csv", "notes.msg", "b.CSV", "a/x.csv.gz"):
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).write_text("a,b\n1,2\n", encoding="utf-8")
    (tmp_path / "zero.xlsx").touch()
    files, problems = drop_files(tmp_path)
    assert [path.name for path in files] == ["x.csv.gz", "b.CSV"]
    said = {problem.file: problem.message for problem in problems}
    assert "owner file" in said["~$KPI.xlsx"]
    assert "syncing" in said["zero.xlsx"]
    assert set(said) == {"~$KPI.xlsx", "half.tmp", ".hidden.csv", "notes.msg", "zero.xlsx"}
    assert {problem.level for problem in problems} == {"warning"}


def workbook_bytes(tmp_path: Path) -> bytes:
    book = Workbook()
    book.worksheets[0].append(["a", "b"])
    book.save(tmp_path / "whole.xlsx")
    return (tmp_path / "whole.xlsx").read_bytes()


def test_unusable_files_say_why(tmp_path: Path) -> None:
    whole = workbook_bytes(tmp_path)
    protected = b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + "EncryptedPackage".encode("utf-16-le")
    cases = {
        "empty.csv": (b"", "empty"),
        "zeros.xlsx": (b"\0" * 500, "empty"),
        "half.xlsx": (whole[: len(whole) // 2], "syncing or damaged"),
        "page.xls": (b"<html><table><tr><td>1</td></tr></table></html>", "web page"),
        "secret.xlsx": (protected, "password"),
        "old.xls": (b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + b"\0" * 100, "old Office"),
        "photo.csv": (b"\x89PNG\r\n\x1a\n", "picture"),
        "paper.xlsx": (b"%PDF-1.7", "PDF"),
        "zip.xlsx": (b"PK\x03\x04" + b"x" * 50, "damaged"),
        "gz.csv.gz": (gzip.compress(b"a,b")[:-9], "damaged"),
        "binary.csv": (b"abc\0def\0", "not text"),
        "table.parquet": (b"PAR1" + b"\1" * 40, "damaged"),
        "blank.csv": (b",,\n,,\n", "no cell"),
    }
    for name, (content, words) in cases.items():
        (tmp_path / name).write_bytes(content)
        with pytest.raises(PmfError) as refused:
            read_file(tmp_path / name)
        assert words in str(refused.value), name
        assert refused.value.exit_code == 3
        assert str(tmp_path) not in str(refused.value)
        assert look(tmp_path / name).problems.has_errors
    assert look(tmp_path / "absent.csv").problems.has_errors


@pytest.mark.parametrize("seed", range(25))
def test_looking_at_damaged_files_never_fails(tmp_path: Path, seed: int) -> None:
    import numpy as np

    random = np.random.default_rng(seed)
    content = bytearray(workbook_bytes(tmp_path) if seed % 2 else b'a,"b\n1;2,3\n\xa34,"x"\n' * 9)
    for place in random.integers(0, len(content), 12):
        content[place] = random.integers(256)
    (tmp_path / "broken.dat").write_bytes(content[: random.integers(1, len(content))])
    assert look(tmp_path / "broken.dat").lines()


def test_text_files_in_every_common_encoding(tmp_path: Path) -> None:
    path = tmp_path / "x.csv"
    for encoding, warns in (("utf-8-sig", False), ("utf-16", False), ("cp1252", True)):
        path.write_bytes("name;cost\nCafé;£5\n".encode(encoding))
        raw = read_file(path)
        assert raw.sheets[0].cells.loc[2].tolist() == ["Café", "£5"]
        assert bool(raw.problems) is warns


def test_rows_keep_their_numbers_past_blank_and_ragged_ones(tmp_path: Path) -> None:
    path = tmp_path / "x.csv"
    path.write_text('a,b,c\n\n1,"two\nlines",3\n,,\n4,5\n6,7,8,9\n', encoding="utf-8")
    cells = read_file(path).sheets[0].cells
    assert cells.index.tolist() == [1, 3, 5, 6]
    assert cells.loc[3].tolist() == ["1", "two\nlines", "3", ""]
    assert cells.loc[6].tolist() == ["6", "7", "8", "9"]


def test_a_quotation_mark_left_open_is_said(tmp_path: Path) -> None:
    path = tmp_path / "x.csv"
    path.write_text('a,b\n1,"open\n2,x\n', encoding="utf-8")
    assert [problem.code for problem in read_file(path).problems] == ["quotation-mark-open"]


def test_semicolons_in_commentary_do_not_part_the_cells(tmp_path: Path) -> None:
    rows = ["indicator,period,note", *(f'k{n},2026-27 Q2,"a; b; c; d; e; f"' for n in range(4))]
    path = tmp_path / "notes.csv"
    path.write_text("\n".join(rows), encoding="utf-8")
    (sheet,) = read_file(path).sheets
    assert sheet.cells.shape == (5, 3)


def test_records_of_json_are_a_table_with_numbers_as_written(tmp_path: Path) -> None:
    path = tmp_path / "answer.json"
    path.write_text('{"rows": [{"a": 1.50, "b": null}, {"b": "x", "c": true, "d": [1, 2]}]}')
    [sheet] = read_file(path).sheets
    assert sheet.names == ("a", "b", "c", "d")
    assert sheet.cells.to_numpy().tolist() == [
        ["1.50", "", "", ""],
        ["", "x", "true", '["1", "2"]'],
    ]
    assert list(sheet.cells.index) == [1, 2]


@pytest.mark.parametrize("text", ['[{"a": 1}, {"a"', '[{"a": 1}]]', "[" * 100_000])
def test_json_that_is_no_list_of_records_is_refused(tmp_path: Path, text: str) -> None:
    path = tmp_path / "answer.json"
    path.write_text(text)
    with pytest.raises(PmfError, match="damaged"):
        read_file(path)


def test_a_mapping_reads_a_synced_folder(workspace: Workspace, tmp_path: Path) -> None:
    library = tmp_path / "Teams - KPIs"
    library.mkdir()
    source = FolderSource(kind="folder", path=str(library))
    with pytest.raises(PmfError, match="no file to import"):
        read(source, workspace, date(2026, 10, 31))
    (library / "~$b.xlsx").write_text("owner")
    (library / "a.xlsx").write_bytes(b"PK\x03\x04half")
    (library / "b.csv").write_text("a,b\n1,2\n")
    half, whole = read(source, workspace, date(2026, 10, 31))
    assert half.sheets == () and half.problems.has_errors
    assert "syncing or damaged" in half.problems[0].message
    assert "owner file" in half.problems[1].message
    assert whole.name == "b.csv" and whole.problems == []


def test_a_file_that_grows_is_passed_over(tmp_path: Path) -> None:
    path = tmp_path / "growing.csv"
    path.write_text("a,b\n")
    done = Event()

    def grow() -> None:
        while not done.wait(0.01):
            with path.open("a") as file:
                file.write("1,2\n")

    writer = Thread(target=grow)
    writer.start()
    try:
        files, problems = drop_files(tmp_path)
    finally:
        done.set()
        writer.join()
    assert files == [] and "still syncing" in problems[0].message
    assert drop_files(tmp_path)[0] == [path]


def test_an_address_is_read_like_a_folder() -> None:
    files = fsspec.filesystem("memory")
    files.pipe_file("/kpis/q2/a.csv", b"a,b\n1,2\n")
    files.pipe_file("/kpis/~$a.xlsx", b"owner")
    found, problems = drop_files("memory://kpis")
    assert [problem.file for problem in problems] == ["~$a.xlsx"]
    raw = read_file(found[0])
    assert (raw.name, len(raw.sheets[0].cells)) == ("a.csv", 2)
