"""What was known on which day stays known, and no fault of writing is read."""

from __future__ import annotations

import subprocess
import sys
from datetime import date
from pathlib import Path

import pandas as pd
import pytest

from pmf_analysis.data.contract import TABLES, conform
from pmf_analysis.data.store import FileRecord, Store, Vintage, neutral_cell
from pmf_analysis.problems import COLUMNS, PmfError, Problem, Problems

JULY, OCTOBER = date(2026, 7, 31), date(2026, 10, 31)


def values(**by_quarter: float | None) -> pd.DataFrame:
    """One row a quarter: q1=1.5; None is not yet available."""
    months = {"q1": ("04-01", "06-30"), "q2": ("07-01", "09-30")}
    rows = [
        {
            "indicator_id": "kpi",
            "period_start": f"2026-{months[quarter][0]}",
            "period_end": f"2026-{months[quarter][1]}",
            "frequency": "quarterly",
            "area_code": "X",
            "value": value,
            "value_status": "not_yet_available" if value is None else "final",
        }
        for quarter, value in by_quarter.items()
    ]
    return conform(pd.DataFrame(rows), "observations")


def peers(*members: str) -> pd.DataFrame:
    frame = pd.DataFrame({"member_code": members}).assign(peer_set="near", area_code="X")
    return conform(frame, "peer_sets")


@pytest.fixture(params=["folder", "memory"])
def store(request: pytest.FixtureRequest, tmp_path: Path) -> Store:
    if request.param == "folder":
        return Store(tmp_path)
    return Store(f"memory://{tmp_path.name}")


def known(store: Store, as_at: date) -> list[float]:
    return store.as_known_on(as_at)["observations"]["value"].tolist()


def test_a_day_sees_what_was_known_then(store: Store) -> None:
    store.add({"observations": values(q1=1.0)}, as_at=JULY)
    store.add({"observations": values(q1=1.5, q2=2.0)}, as_at=OCTOBER)
    assert known(store, date(2026, 1, 1)) == []
    assert known(store, JULY) == [1.0]
    assert known(store, OCTOBER) == [1.5, 2.0]
    assert set(store.as_known_on(JULY)) == set(TABLES)


def test_a_later_import_of_the_same_day_wins_and_repeats_make_nothing(store: Store) -> None:
    first = store.add({"observations": values(q1=1.0)}, as_at=JULY)
    assert store.add({"observations": values(q1=1.0)}, as_at=JULY) == first
    store.add({"observations": values(q1=3.0)}, as_at=JULY)
    assert len(store.vintages()) == 2
    assert known(store, JULY) == [3.0]


def test_rows_not_given_again_stay_but_a_peer_who_left_is_gone(store: Store) -> None:
    store.add({"observations": values(q1=1.0), "peer_sets": peers("A", "B")}, as_at=JULY)
    store.add({"observations": values(q2=2.0), "peer_sets": peers("B", "C")}, as_at=OCTOBER)
    assert known(store, OCTOBER) == [1.0, 2.0]
    assert store.as_known_on(OCTOBER)["peer_sets"]["member_code"].tolist() == ["B", "C"]


def test_a_list_drawn_up_on_another_day_is_another_version_of_the_set(store: Store) -> None:
    drawn = {day: pd.Timestamp(day) for day in ("2024-05-01", "2025-05-01")}
    for day, members in zip(drawn, ("AB", "BC"), strict=True):
        store.add({"peer_sets": peers(*members).assign(as_at=drawn[day])}, as_at=JULY)
    known = store.as_known_on(OCTOBER)["peer_sets"]
    assert known.groupby("as_at")["member_code"].sum().to_dict() == {
        drawn["2024-05-01"]: "AB",
        drawn["2025-05-01"]: "BC",
    }


def test_a_changed_or_withdrawn_figure_is_a_restatement_and_a_late_one_is_not(store: Store) -> None:
    store.add({"observations": values(q1=1.0, q2=None)}, as_at=JULY)
    store.add({"observations": values(q1=1.5, q2=2.0)}, as_at=OCTOBER)
    store.add({"observations": values(q2=None)}, as_at=date(2027, 1, 31))
    assert store.restatements(JULY).empty
    restated = store.restatements(OCTOBER)
    assert restated[["old_value", "new_value"]].to_numpy().tolist() == [[1.0, 1.5]]
    taken_back = store.restatements(date(2027, 1, 31)).query("new_value.isna()")
    assert taken_back["old_value"].tolist() == [2.0]


def test_a_withdrawn_vintage_is_neither_read_nor_imported_again(store: Store) -> None:
    store.add({"observations": values(q1=1.0)}, as_at=JULY)
    wrong = store.add({"observations": values(q1=9.0)}, as_at=OCTOBER)
    with pytest.raises(PmfError, match="reason"):
        store.withdraw(wrong.id, " ")
    store.withdraw(wrong.id, "wrong quarter")
    assert known(store, OCTOBER) == [1.0]
    with pytest.raises(PmfError, match="wrong quarter"):
        store.add({"observations": values(q1=9.0)}, as_at=OCTOBER)
    with pytest.raises(PmfError, match="no vintage"):
        store.withdraw("2020-01-01_abc", "x")


def test_problems_are_those_of_the_newest_import_of_each_file(store: Store) -> None:
    def keep(as_at: date, value: float, files: list[str], *told: Problem) -> Vintage:
        records = [FileRecord(name, "0" * 64) for name in files]
        rows = {"observations": values(q1=value)}
        return store.add(rows, as_at=as_at, files=records, problems=Problems(told))

    below = Problem("below nought", file="a.csv", row=7, column="C", value="-5", code="bounds")
    keep(JULY, 1.0, ["a.csv", "b.csv"], below, Problem("late", level="warning", file="b.csv"))
    wrong = keep(date(2026, 8, 31), 9.0, ["a.csv"], Problem("misread", file="a.csv"))
    keep(OCTOBER, 2.0, ["b.csv"], Problem("half-synced", file="c.csv"))
    assert store.problems(date(2026, 1, 1)).empty
    assert store.problems(date(2026, 8, 31))["message"].tolist() == ["misread", "late"]
    store.withdraw(wrong.id, "wrong quarter")
    found = store.problems(OCTOBER)
    assert found.columns.tolist() == list(COLUMNS)
    assert found["message"].tolist() == ["below nought", "half-synced"]
    assert found.loc[0, ["file", "row", "value"]].tolist() == ["a.csv", 7, "-5"]
    assert found["row"].isna().tolist() == [False, True]
    pd.testing.assert_series_equal(found.dtypes, store.problems(date(2026, 1, 1)).dtypes)


def test_an_unfinished_vintage_is_not_there(tmp_path: Path) -> None:
    store = Store(tmp_path)
    vintage = store.add({"observations": values(q1=1.0)}, as_at=JULY)
    (tmp_path / "vintages" / vintage.id / "manifest.json").unlink()
    assert store.vintages() == []
    assert store.add({"observations": values(q1=1.0)}, as_at=JULY).id == vintage.id
    assert known(store, JULY) == [1.0]


def test_tables_that_break_the_contract_are_refused(store: Store) -> None:
    with pytest.raises(PmfError) as refused:
        store.add({"observations": values(q1=1.0).assign(value_status="suppressed")}, as_at=JULY)
    assert refused.value.exit_code == 3
    assert store.vintages() == []


def test_a_newer_store_is_refused(tmp_path: Path) -> None:
    vintage = Store(tmp_path).add({"observations": values(q1=1.0)}, as_at=JULY)
    manifest = tmp_path / "vintages" / vintage.id / "manifest.json"
    text = manifest.read_text(encoding="utf-8")
    manifest.write_text(text.replace('"schema_version": 1', '"schema_version": 99'), "utf-8")
    with pytest.raises(PmfError, match="newer"):
        Store(tmp_path).vintages()


def test_digests_tell_which_series_changed(store: Store) -> None:
    other = values(q1=5.0).assign(indicator_id="other")
    both = pd.concat([values(q1=1.0), other], ignore_index=True)
    store.add({"observations": both}, as_at=JULY)
    before = store.digest(JULY)
    changed = pd.concat([other, values(q1=2.0)], ignore_index=True)
    store.add({"observations": changed}, as_at=OCTOBER)
    after = store.digest(OCTOBER)
    assert store.digest(JULY) == before
    assert after.series["other|X|||v1"] == before.series["other|X|||v1"]
    assert after.series["kpi|X|||v1"] != before.series["kpi|X|||v1"]
    assert after.overall != before.overall


def test_a_digest_does_not_depend_on_where_a_row_stood(tmp_path: Path) -> None:
    rows = values(q1=1.0, q2=2.0)
    moved = rows.iloc[::-1].assign(source_row=[8, 9], source_file="other.csv")
    one = Store(tmp_path / "one").add({"observations": rows}, as_at=JULY)
    two = Store(tmp_path / "two").add({"observations": moved}, as_at=JULY)
    assert one.series == two.series
    assert one.id == two.id


def test_digests_are_read_without_pandas(tmp_path: Path) -> None:
    Store(tmp_path).add({"observations": values(q1=1.0)}, as_at=JULY)
    script = (
        "import sys, datetime; from pmf_analysis.data.store import Store;"
        f"found = Store({str(tmp_path)!r}).digest(datetime.date(2026, 7, 31));"
        "print(len(found.series), 'pandas' in sys.modules)"
    )
    told = subprocess.run(
        [sys.executable, "-c", script], capture_output=True, text=True, check=True
    )
    assert told.stdout.split() == ["1", "False"]


@pytest.mark.parametrize("start", ["=", "+", "-", "@", "\t", "\r"])
def test_what_a_spreadsheet_would_run_is_made_harmless(tmp_path: Path, start: str) -> None:
    held = pd.DataFrame({"value": [f"{start}cmd"], "row": [3]})
    vintage = Store(tmp_path).add({"observations": values(q1=1.0)}, as_at=JULY, quarantine=held)
    text = (tmp_path / "vintages" / vintage.id / "quarantine.csv").read_bytes().decode("utf-8")
    assert neutral_cell(f"{start}cmd") == f"'{start}cmd"
    assert f"'{start}cmd" in text
    assert neutral_cell("plain") == "plain"
