"""The raw zone keeps bytes as they came, by day, and never writes over them."""

from datetime import date
from pathlib import Path

import pytest

from pmf_analysis.data.raw_zone import RawZone
from pmf_analysis.problems import PmfError

DAY = date(2026, 10, 31)


def test_bytes_come_back_as_they_came(tmp_path: Path) -> None:
    zone = RawZone(tmp_path)
    content = b"\xef\xbb\xbfa,b\r\n1,2\r\n"
    assert zone.keep("lginform", "t.csv", content, DAY) == "raw/lginform/2026/10/31/t.csv"
    assert (tmp_path / "raw/lginform/2026/10/31/t.csv").read_bytes() == content
    assert zone.newest("lginform", "t.csv", DAY) == (content, DAY)
    assert zone.newest("fingertips", "t.csv", DAY) is None


def test_the_newest_until_a_day(tmp_path: Path) -> None:
    zone = RawZone(tmp_path)
    for day in (DAY, date(2026, 9, 1), date(2027, 1, 4)):
        zone.keep("s", "n.json", day.isoformat().encode(), day)
    assert zone.newest("s", "n.json", date(2026, 12, 31)) == (b"2026-10-31", DAY)
    assert zone.newest("s", "n.json", date(2026, 8, 31)) is None


def test_other_bytes_of_the_same_day_stand_beside_the_first(tmp_path: Path) -> None:
    zone = RawZone(tmp_path)
    first = zone.keep("s", "n.csv", b"one", DAY)
    assert zone.keep("s", "n.csv", b"one", DAY) == first
    assert zone.keep("s", "n.csv", b"two", DAY) != first
    assert zone.newest("s", "n.csv", DAY) == (b"two", DAY)
    assert (tmp_path / first).read_bytes() == b"one"


def test_a_copy_without_its_record_is_not_read(tmp_path: Path) -> None:
    zone = RawZone(tmp_path)
    zone.keep("s", "n.csv", b"one", DAY)
    (tmp_path / "raw/s/2026/10/31/n.csv.json").unlink()
    assert zone.newest("s", "n.csv", DAY) is None


def test_a_changed_copy_is_refused(tmp_path: Path) -> None:
    zone = RawZone(tmp_path)
    (tmp_path / zone.keep("s", "n.csv", b"one", DAY)).write_bytes(b"two")
    with pytest.raises(PmfError, match=r"raw/s/2026/10/31/n\.csv.*changed"):
        zone.newest("s", "n.csv", DAY)


@pytest.mark.parametrize("name", ["../../x.csv", "/etc/x", "..", "a\\b:c*?.csv", "*"])
def test_a_name_stays_in_its_folder(tmp_path: Path, name: str) -> None:
    zone = RawZone(tmp_path / "store")
    kept = zone.keep("../s", name, b"one", DAY)
    assert (tmp_path / "store" / kept).resolve().is_relative_to(tmp_path / "store" / "raw")
    assert zone.newest("../s", name, DAY) == (b"one", DAY)


def test_a_root_in_memory() -> None:
    zone = RawZone("memory://raw-zone-test")
    zone.keep("s", "n.csv", b"one", DAY)
    assert zone.newest("s", "n.csv", DAY) == (b"one", DAY)
