"""The record of a run: whole at every moment, and naming no machine."""

from __future__ import annotations

import getpass
import os
import subprocess
import sys
import tempfile
from datetime import UTC, datetime
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pmf_analysis.batch.manifest import (
    MANIFEST,
    RunRecord,
    describe_files,
    digest_of,
    find_run,
    is_unchanged,
    locked,
    new_run_id,
    redacted,
    write_atomically,
)
from pmf_analysis.parameters.workspace import Workspace
from pmf_analysis.problems import PmfError


def test_ids_sort_by_time_and_two_of_a_second_differ() -> None:
    early = [new_run_id(datetime(2026, 10, 31, 9, 30, 12, tzinfo=UTC)) for _ in range(20)]
    late = new_run_id(datetime(2026, 10, 31, 9, 30, 13, tzinfo=UTC))
    assert max(early) < late
    assert len(set(early)) > 1
    assert early[0].startswith("20261031T093012Z-")


def test_a_file_that_cannot_be_written_leaves_the_old_one(tmp_path: Path) -> None:
    path = tmp_path / "report.html"
    write_atomically(path, "old")
    with pytest.raises(UnicodeEncodeError):
        write_atomically(path, "\ud800")
    assert path.read_text() == "old"
    assert [entry.name for entry in tmp_path.iterdir()] == ["report.html"]


def test_a_full_disk_leaves_the_old_file_and_no_part(tmp_path: Path) -> None:
    path = tmp_path / "report.html"
    write_atomically(path, "old")
    code = (
        "import resource, signal, sys; from pathlib import Path;"
        "from pmf_analysis.batch.manifest import write_atomically;"
        "signal.signal(signal.SIGXFSZ, signal.SIG_IGN);"
        "resource.setrlimit(resource.RLIMIT_FSIZE, (10_000, 10_000));"
        "write_atomically(Path(sys.argv[1]), 'x' * 50_000)"
    )
    done = subprocess.run([sys.executable, "-c", code, path], capture_output=True, text=True)
    assert done.returncode == 1 and "OSError" in done.stderr
    assert path.read_text() == "old"
    assert [entry.name for entry in tmp_path.iterdir()] == ["report.html"]


def test_a_changed_a_missing_and_no_file_are_not_unchanged(tmp_path: Path) -> None:
    (tmp_path / "a").mkdir()
    (tmp_path / "a" / "x.csv").write_text("1")
    (tmp_path / MANIFEST).write_text("{}")
    files = describe_files(tmp_path)
    assert list(files) == ["a/x.csv"]
    assert is_unchanged(tmp_path, files)
    (tmp_path / "a" / "x.csv").write_text("2")
    assert not is_unchanged(tmp_path, files)
    (tmp_path / "a" / "x.csv").unlink()
    assert not is_unchanged(tmp_path, files)
    assert not is_unchanged(tmp_path, {})


def test_a_manifest_comes_back_and_a_foreign_one_is_refused(tmp_path: Path) -> None:
    RunRecord(tmp_path, {"schema_version": 1, "run": "é"}).save()
    assert RunRecord.read(tmp_path).manifest["run"] == "é"
    RunRecord(tmp_path, {"schema_version": 99}).save()
    with pytest.raises(PmfError, match="another version"):
        RunRecord.read(tmp_path)
    (tmp_path / MANIFEST).write_text('{"half')
    with pytest.raises(PmfError, match=r"no readable manifest\.json"):
        RunRecord.read(tmp_path)


def test_a_run_is_found_by_the_beginning_of_its_id(tmp_path: Path) -> None:
    workspace = Workspace(tmp_path)
    with pytest.raises(PmfError, match="There is no run yet"):
        find_run(workspace.root)
    for name in ("20261031T093012Z-7f3a", "20261031T101500Z-0b1c", "20261101T080000Z-99ff.partial"):
        folder = tmp_path / "outputs" / "council" / "2026-27-q2" / name
        RunRecord(folder, {"schema_version": 1, "status": "complete"}).save()
    assert find_run(workspace.root).id == "20261101T080000Z-99ff"
    assert not find_run(workspace.root).is_finished
    assert find_run(workspace.root, "20261031T09").folder.name == "20261031T093012Z-7f3a"
    with pytest.raises(PmfError, match='2 runs begin with "20261031"'):
        find_run(workspace.root, "20261031")
    with pytest.raises(PmfError, match='Did you mean "20261101T080000Z-99ff"'):
        find_run(workspace.root, "20261101T080000Z-98ff")


@given(st.dictionaries(st.text(), st.integers() | st.text(), max_size=5))
def test_a_digest_does_not_depend_on_order(value: dict[str, object]) -> None:
    assert digest_of(value) == digest_of(dict(reversed(value.items())))


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("[Errno 2] no such file: '/home/jo/council/kpi.xlsx'", "'kpi.xlsx'"),
        (r"cannot open C:\Users\jo\council\kpi.xlsx now", "cannot open kpi.xlsx now"),
        ("a rate of 3/4, and 2026/27 is no path", "a rate of 3/4, and 2026/27 is no path"),
        ("\x1b[31mValueError\x1b[0m", "ValueError"),
        ("outputs/westshire/x.csv is missing", "outputs/westshire/x.csv is missing"),
    ],
)
def test_a_message_names_no_folder(text: str, expected: str) -> None:
    assert expected in redacted(text)
    assert "jo" not in redacted(text).replace("job", "")


def test_a_message_names_no_user_temporary_folder_or_secret(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("LAKE_TOKEN", "s3cr3t-value")
    places = f"{Path.home()}/a.csv {tempfile.gettempdir()}/b {sys.prefix}/lib/c.py s3cr3t-value"
    clean = redacted(places)
    assert clean == "a.csv b c.py ***"
    assert os.sep not in clean and (getpass.getuser() not in clean)


def test_a_second_run_is_refused_while_the_first_is_at_work(tmp_path: Path) -> None:
    code = (
        "import sys; from pathlib import Path; from pmf_analysis.batch.manifest import locked;"
        "\ntry:\n with locked(Path(sys.argv[1])): print('free')"
        "\nexcept Exception as error: print(error)"
    )
    command = [sys.executable, "-c", code, str(tmp_path)]
    with locked(tmp_path):
        held = subprocess.run(command, capture_output=True, text=True, check=True).stdout
    assert "Another run or export for this council is at work." in held
    after = subprocess.run(command, capture_output=True, text=True, check=True).stdout
    assert after == "free\n"
