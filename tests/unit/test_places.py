"""Where files are, how long is waited for an answer, and which words never leave this machine."""

from __future__ import annotations

import threading
import time
from pathlib import Path

import fsspec
import pytest

from pmf_analysis import places
from pmf_analysis.batch import manifest
from pmf_analysis.parameters.workspace import Workspace
from pmf_analysis.problems import PmfError, without_secrets

KEY = "c2VjcmV0IG9mIG5vYm9keSBhdCBhbGw="


def workspace(root: Path, text: str) -> Workspace:
    (root / "parameters").mkdir()
    (root / "parameters" / "storage.yml").write_text(text)
    return Workspace(root)


def test_without_a_file_all_is_in_the_workspace(tmp_path: Path) -> None:
    place = Workspace(tmp_path)
    assert (place.store, place.notebooks) == (tmp_path / "store", tmp_path / "notebooks")
    assert (place.storage.runs, place.storage.tables) == (None, None)


def test_a_lake_is_declared_by_its_address(tmp_path: Path) -> None:
    text = "format: 1\nstore: az://pmf\nruns: abfss://pmf@council.dfs.core.windows.net/runs\n"
    place = workspace(tmp_path, text)
    assert place.store == "az://pmf" and place.local_store == tmp_path / "store"
    assert place.storage.runs == "abfss://pmf@council.dfs.core.windows.net/runs"


@pytest.mark.parametrize(
    ("line", "said"),
    [
        ("store: pmf/store", 'be an address such as "az://container/folder"'),
        ("store: az://pmf:99/store", "without a port, key or signature"),
        ("tables: csv", '"tables" is "csv", which is not known.'),
        ("stores: az://pmf", 'Did you mean "store"?'),
        (f"store: az://pmf/x?sig={KEY}", "No secret is ever a parameter"),
        (f"store: az://jo:{KEY}@pmf/x", "No secret is ever a parameter"),
        (f'store: "AccountName=pmf;AccountKey={KEY}"', "No secret is ever a parameter"),
    ],
)
def test_a_fault_of_the_file_is_told_with_its_line(tmp_path: Path, line: str, said: str) -> None:
    with pytest.raises(PmfError) as raised:
        _ = workspace(tmp_path, f"format: 1\n{line}\n").store
    told = str(raised.value)
    assert raised.value.exit_code == 2
    assert told.startswith("parameters/storage.yml line 2: ") and said in told
    assert KEY not in told


@pytest.mark.parametrize(
    ("variable", "value", "secret"),
    [
        ("AZURE_STORAGE_CONNECTION_STRING", f"AccountName=pmf;AccountKey={KEY};X=1", KEY),
        ("PMF_DATABASE", "postgresql://reader:wren%40home@server:5432/db", "wren%40home"),
        ("PMF_DATABASE", "postgresql://reader:wren%40home@server:5432/db", "wren@home"),
        ("OUR_DSN", "host=server password=wrenhome user=reader", "wrenhome"),
        ("AZURE_STORAGE_SAS_TOKEN", f"?sv=2024&sig={KEY}&se=2027", KEY),
        ("AZURE_STORAGE_ACCOUNT_KEY", KEY, KEY),
    ],
)
def test_no_part_of_the_environment_that_is_a_secret_stays(
    variable: str, value: str, secret: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv(variable, value)
    for clean in (without_secrets, manifest.redacted):
        assert clean(f"refused: {secret}, at port 5432") == "refused: ***, at port 5432"


def test_an_address_without_a_password_is_no_secret(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SOME_SERVICE", "http://127.0.0.1:8080/x")
    assert without_secrets("port 8080/x of 127.0.0.1") == "port 8080/x of 127.0.0.1"


def test_work_that_takes_too_long_is_left_to_itself() -> None:
    release, started = threading.Event(), time.monotonic()
    with pytest.raises(TimeoutError):
        places.within(0.05, release.wait)
    assert time.monotonic() - started < 5
    release.set()
    assert places.within(30, lambda: 42) == 42
    with pytest.raises(ZeroDivisionError):
        places.within(30, lambda: 1 / 0)


def test_a_file_written_whole_takes_the_place_of_the_one_before(tmp_path: Path) -> None:
    memory = fsspec.filesystem("memory")
    local, base = places.opened(tmp_path)
    for files, path in ((local, f"{base}/a/b.json"), (memory, "/places/a/b.json")):
        for content in (b"one", b"another"):
            places.write_whole(files, path, content)
        assert files.cat_file(path) == b"another"
        assert len(files.find(path.rpartition("/")[0])) == 1
    memory.store.clear()
