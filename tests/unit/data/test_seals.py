"""Sealed forecasts: written once, found out when changed, opened only afterwards."""

from __future__ import annotations

from datetime import date
from pathlib import Path

import pandas as pd
import pytest

from pmf_analysis.data.seals import (
    keep_backtest,
    open_seals,
    read_backtest,
    records_read,
    seal,
)

AS_AT, LATER = date(2025, 10, 31), date(2026, 10, 31)


def said(**changes: object) -> pd.DataFrame:
    """Two targets with a chance and one without, as the result table holds them."""
    ids, start = ["t2", "t1", "t3"], pd.Timestamp("2026-01-01")
    rows = pd.DataFrame({"target_id": ids, "probability": [0.7, 1 / 3, float("nan")]})
    constant = {
        "series": "a|X|||v1", "indicator": "a", "area": "X", "first": start, "period": start,
        "period_end": pd.Timestamp("2026-03-31"), "how": "", "target": 60.0,
        "target_low": float("nan"), "target_high": float("nan"), "better": "higher",
        "decimals": 1.0, "frequency": "quarterly", "kind": "improvement", "lower": 0.2,
        "upper": 0.8, "verdict": "challenging", "is_reference": False,
    }  # fmt: skip
    return rows.assign(**constant | changes)


def sealed(root: Path, rows: pd.DataFrame, **changes: object) -> Path | None:
    how = {"council": "c", "period": "2025-26 Q2", "as_at": AS_AT, "sealed_on": AS_AT}
    return seal(root, rows, **how | changes)  # type: ignore[arg-type]  # as given


def test_a_seal_comes_back_as_it_was_said(tmp_path: Path) -> None:
    path = sealed(tmp_path, said())
    assert path is not None
    assert path.parent == tmp_path / "sealed" and path.name.startswith("2025-10-31_")
    rows, problems = open_seals(tmp_path, before=LATER)
    assert not problems
    assert rows["target_id"].tolist() == ["t1", "t2"]  # a target without a chance says nothing
    assert rows["probability"].tolist() == [1 / 3, 0.7]
    assert set(rows["seal"]) == {path.stem[-12:]} and set(rows["sealed_on"]) == {"2025-10-31"}
    assert rows["period_end"].tolist() == [pd.Timestamp("2026-03-31")] * 2
    assert rows["refused"].tolist() == ["", ""]
    assert [each.name for each in path.parent.iterdir()] == [path.name]


def test_the_same_chances_are_sealed_once_and_keep_their_first_day(tmp_path: Path) -> None:
    first = sealed(tmp_path, said())
    content = first.read_bytes() if first else b""
    again = sealed(tmp_path, said().iloc[::-1], sealed_on=LATER)
    assert again == first and first is not None and first.read_bytes() == content
    other = sealed(tmp_path, said(target=61.0))
    assert other != first and len(list((tmp_path / "sealed").iterdir())) == 2


def test_without_a_chance_nothing_is_sealed(tmp_path: Path) -> None:
    assert sealed(tmp_path, said(probability=float("nan"))) is None
    assert not (tmp_path / "sealed").exists()
    rows, problems = open_seals(tmp_path, before=LATER)
    assert rows.empty and not problems and {"refused", "seal", "period"} <= set(rows.columns)


def test_only_seals_from_before_are_opened(tmp_path: Path) -> None:
    sealed(tmp_path, said())
    sealed(tmp_path, said(), as_at=LATER)
    assert len(open_seals(tmp_path, before=AS_AT)[0]) == 0
    assert set(open_seals(tmp_path, before=LATER)[0]["as_at"]) == {"2025-10-31"}
    assert len(open_seals(tmp_path, before=date(2027, 1, 1))[0]) == 4


def test_what_was_sealed_after_its_period_is_no_forecast(tmp_path: Path) -> None:
    sealed(tmp_path, said(), sealed_on=date(2026, 3, 31))
    sealed(tmp_path, said(target=61.0), sealed_on=date(2026, 4, 1))
    rows, _ = open_seals(tmp_path, before=LATER)
    late = rows["refused"] != ""
    assert rows.loc[late, "target"].tolist() == [61.0, 61.0] and late.sum() == 2


@pytest.mark.parametrize("column", ["probability", "target", "as_at", "better"])
def test_a_changed_seal_is_refused_by_name(tmp_path: Path, column: str) -> None:
    path = sealed(tmp_path, said())
    good = sealed(tmp_path, said(target=61.0))
    assert path is not None and good is not None
    rows = pd.read_parquet(path)
    other = {"probability": 0.99, "target": 1.0, "as_at": "2024-01-01", "better": "lower"}
    rows.loc[0, column] = other[column]
    rows.to_parquet(path, index=False)
    left, problems = open_seals(tmp_path, before=LATER)
    assert set(left["target"]) == {61.0}
    (problem,) = problems
    assert problem.file == f"sealed/{path.name}" and path.stem[-12:] in problem.expected
    assert problem.fix and problem.level == "error"


def test_a_renamed_and_a_cut_seal_are_refused(tmp_path: Path) -> None:
    path = sealed(tmp_path, said())
    assert path is not None
    content = path.read_bytes()
    path.rename(path.with_name(f"2024-01-01_{path.stem[-12:]}.parquet"))
    path.write_bytes(content[: len(content) // 2])
    rows, problems = open_seals(tmp_path, before=LATER)
    assert rows.empty and [each.code for each in problems] == ["seal-broken"] * 2


_DAYS = [None, "", "never", "2026-02-30", "20251031", 7, [1], b"2025-10-31", pd.Timestamp(0)]


@pytest.mark.parametrize("day", _DAYS)
@pytest.mark.parametrize("column", ["sealed_on", "period_end"])
def test_a_seal_without_a_day_is_refused(tmp_path: Path, column: str, day: object) -> None:
    if column == "period_end":  # even where the hash fits
        path = sealed(tmp_path, said(period_end=f"{day}"))
    else:
        path = sealed(tmp_path, said())
        assert path is not None
        rows = pd.read_parquet(path).astype({column: "object"})
        rows[column] = pd.Series([day] * len(rows), dtype="object")
        rows.to_parquet(path, index=False)
    assert path is not None
    left, problems = open_seals(tmp_path, before=LATER)
    assert left.empty and [each.code for each in problems] == ["seal-broken"]
    pd.read_parquet(path).drop(columns=column).to_parquet(path, index=False)
    left, problems = open_seals(tmp_path, before=LATER)
    assert left.empty and [each.code for each in problems] == ["seal-broken"]


def test_other_files_among_the_seals_are_told_by_name_and_dot_files_ignored(tmp_path: Path) -> None:
    path = sealed(tmp_path, said())
    assert path is not None
    names = ["2025-01-01_abc.parquet", "notes.txt", f"2025-10-31_{'A' * 12}.parquet"]
    for name in [*names, ".DS_Store", ".2025-10-31_x.parquet.partial"]:
        path.with_name(name).write_bytes(path.read_bytes())
    rows, problems = open_seals(tmp_path, before=LATER)
    assert len(rows) == 2
    assert sorted(each.file for each in problems) == sorted(f"sealed/{name}" for name in names)
    assert {each.code for each in problems} == {"seal-foreign"}
    assert records_read(tmp_path, council="c", as_at=LATER)["seals"] == [path.stem]


def past(met: float = 1.0, **more: object) -> pd.DataFrame:
    """A question put to the past, with a date, a missing text and a missing number."""
    row = {"met": met, "period": pd.Timestamp("2020-04-01"), "seal": None, "target": float("nan")}
    return pd.DataFrame([row | more])


def test_the_newest_questions_of_the_past_are_read(tmp_path: Path) -> None:
    assert read_backtest(tmp_path, council="c", until=LATER) == (None, [])
    for day, met in ((AS_AT, 0.0), (LATER, 0.5), (LATER, 1.0)):  # one for each day is kept
        keep_backtest(tmp_path, past(met), council="c", as_at=day)
    keep_backtest(tmp_path, past(2.0), council="d", as_at=LATER)
    assert len(list((tmp_path / "backtest" / "c").iterdir())) == 2
    for day, met in ((AS_AT, 0.0), (date(2026, 1, 1), 0.0), (LATER, 1.0)):
        table, problems = read_backtest(tmp_path, council="c", until=day)
        assert table is not None and table["met"].tolist() == [met] and not problems
    assert read_backtest(tmp_path, council="c", until=date(2025, 1, 1)) == (None, [])


@pytest.mark.parametrize("how", ["changed", "cut", "renamed", "text", "empty"])
def test_damaged_questions_of_the_past_are_one_problem_and_not_used(
    tmp_path: Path, how: str
) -> None:
    keep_backtest(tmp_path, past(), council="c", as_at=AS_AT)
    [path] = (tmp_path / "backtest" / "c").iterdir()
    content = path.read_bytes()
    if how == "changed":
        pd.read_parquet(path).assign(met=0.0).to_parquet(path, index=False)
    if how == "renamed":
        path = path.rename(path.with_name(f"2025-10-30_{path.stem[-12:]}.parquet"))
    cut = {"cut": content[: len(content) // 2], "text": b"met\n1\n", "empty": b""}
    path.write_bytes(cut.get(how, path.read_bytes()))
    table, problems = read_backtest(tmp_path, council="c", until=LATER)
    assert table is None
    (problem,) = problems
    assert problem.code == "backtest-broken" and problem.file == f"backtest/c/{path.name}"
    assert "pmf backtest" in problem.fix


def test_no_questions_of_the_past_are_a_table_too(tmp_path: Path) -> None:
    keep_backtest(tmp_path, past().head(0), council="c", as_at=AS_AT)
    table, problems = read_backtest(tmp_path, council="c", until=LATER)
    assert table is not None and table.empty and not problems


def test_a_run_names_what_it_reads_of_the_past(tmp_path: Path) -> None:
    path = sealed(tmp_path, said())
    keep_backtest(tmp_path, past(), council="c", as_at=LATER)
    [asked] = (tmp_path / "backtest" / "c").iterdir()
    assert path is not None
    early = records_read(tmp_path, council="c", as_at=AS_AT)
    assert early == {"seals": [], "backtests": []}
    late = records_read(tmp_path, council="c", as_at=LATER)
    assert late == {"seals": [path.stem], "backtests": [asked.stem]}
    assert asked.stem.startswith("2026-10-31_")
