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


def test_a_renamed_a_cut_and_a_foreign_seal_are_refused(tmp_path: Path) -> None:
    path = sealed(tmp_path, said())
    assert path is not None
    content = path.read_bytes()
    path.rename(path.with_name(f"2024-01-01_{path.stem[-12:]}.parquet"))
    path.write_bytes(content[: len(content) // 2])
    pd.DataFrame({"x": [1]}).to_parquet(path.with_name("2025-01-01_abc.parquet"))
    rows, problems = open_seals(tmp_path, before=LATER)
    assert rows.empty and len(problems) == 3


def test_the_newest_questions_of_the_past_are_read(tmp_path: Path) -> None:
    assert read_backtest(tmp_path, council="c", until=LATER) is None
    for day, met in ((AS_AT, 0.0), (LATER, 1.0)):
        asked = pd.DataFrame({"met": [met]})
        keep_backtest(tmp_path, asked, council="c", as_at=day, data="f" * 64)
    keep_backtest(tmp_path, pd.DataFrame({"met": [2.0]}), council="d", as_at=LATER, data="0" * 64)
    for day, met in ((AS_AT, 0.0), (date(2026, 1, 1), 0.0), (LATER, 1.0)):
        table = read_backtest(tmp_path, council="c", until=day)
        assert table is not None and table["met"].tolist() == [met]
    assert read_backtest(tmp_path, council="c", until=date(2025, 1, 1)) is None


def test_a_run_names_what_it_reads_of_the_past(tmp_path: Path) -> None:
    path = sealed(tmp_path, said())
    keep_backtest(tmp_path, pd.DataFrame({"met": [1.0]}), council="c", as_at=LATER, data="f" * 64)
    assert path is not None
    early = records_read(tmp_path, council="c", as_at=AS_AT)
    assert early == {"seals": [], "backtests": []}
    late = records_read(tmp_path, council="c", as_at=LATER)
    assert late == {"seals": [path.stem], "backtests": [f"2026-10-31_{'f' * 12}"]}
