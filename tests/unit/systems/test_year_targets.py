"""A target of the year to date without a period of its own is the year's, and missed only then."""

from __future__ import annotations

from collections.abc import Callable
from datetime import date
from pathlib import Path

import pandas as pd
import pytest

from pmf_analysis.parameters.workspace import Workspace
from pmf_analysis.systems.importing import import_files

TAX = """  - id: TAX
    title: Council tax collected
    themes: [homes]
    director: director
    frequency: quarterly
    data_type: percentage
    accumulation: ytd
    polarity: higher
"""
QUARTERS = ["Q1 2026/27", "Q2 2026/27"]


@pytest.fixture
def council(workspace: Workspace) -> Workspace:
    path = workspace.parameters / "indicators.yml"
    path.write_text(path.read_text(encoding="utf-8") + TAX, encoding="utf-8")
    return workspace


def aims(council: Workspace, path: Path) -> tuple[list[tuple[str, str, float]], dict[str, str]]:
    outcome = import_files(council, [path], date(2026, 10, 31))
    (result,) = outcome.results
    assert result.record.rows_quarantined == 0
    rows = result.tables["targets"]
    days = [rows[name].dt.strftime("%Y-%m-%d") for name in ("period_start", "period_end")]
    told = {problem.code: problem.column for problem in outcome.problems}
    return [*zip(*days, rows["target"], strict=True)], told


YEAR, Q1, Q2 = ("2026-04-01", "2027-03-31"), ("2026-04-01", "2026-06-30"), "2026-07-01"


@pytest.mark.parametrize(
    ("header", "period"),
    [
        ("Target", YEAR),
        ("Target 2026/27", YEAR),
        ("2026/27 Target", YEAR),
        ("Annual Target 2026/27", YEAR),
        ("Q2 2026/27 Target", (Q2, "2026-09-30")),
    ],
)
def test_the_target_of_a_wide_table(
    council: Workspace, write_book: Callable[..., Path], header: str, period: tuple[str, str]
) -> None:
    rows = [["Ref", *QUARTERS, header, "RAG"], ["TAX", 28.5, 55.4, 97.5, "Red"]]
    found, told = aims(council, write_book({"KPIs": rows}, "KPIs by period.xlsx"))
    assert found == [(*period, 97.5)]
    # Only a target for the quarter itself is missed in it; the year's is there, and not due.
    assert ("note-blank" in told) is (period != YEAR) and "target-missing" not in told


def test_a_quarterly_figure_that_does_not_accumulate_keeps_its_target(
    council: Workspace, write_book: Callable[..., Path]
) -> None:
    rows = [["Ref", *QUARTERS, "Target"], ["PCT", 60, 61, 62]]
    found, _ = aims(council, write_book({"KPIs": rows}, "KPIs by period.xlsx"))
    assert found == [(Q2, "2026-09-30", 62)]


@pytest.mark.parametrize(
    ("targets", "basis", "expected"),
    [
        ([97.5, 97.5], "", [(*YEAR, 97.5)]),  # told in each row, and one target
        ([28, 56], "", [(*Q1, 28), (Q2, "2026-09-30", 56)]),  # milestones
        (["", 56], "period", [(Q2, "2026-09-30", 56)]),  # the file says so
    ],
)
def test_the_target_of_a_long_table(
    council: Workspace,
    tmp_path: Path,
    targets: list[object],
    basis: str,
    expected: list[tuple[str, str, float]],
) -> None:
    path = council.parameters / "mappings" / "generic_tidy.yml"
    text = path.read_text(encoding="utf-8")
    path.write_text(
        text.replace("  target: [target]", "  target: [target]\n  target_basis: [basis]")
    )
    pairs = zip(QUARTERS, targets, strict=True)
    rows = [["TAX", period, 30.0 + place, aim, basis] for place, (period, aim) in enumerate(pairs)]
    names = ["indicator_id", "period", "value", "target", "basis"]
    pd.DataFrame(rows, columns=names).to_csv(tmp_path / "observations.csv", index=False)
    assert aims(council, tmp_path / "observations.csv")[0] == expected


def test_the_current_target_of_pentana(council: Workspace, write_book: Callable[..., Path]) -> None:
    rows = [
        ["Code", "Short Name", "Current Value", "Current Target", "Last Update"],
        ["TAX", "Council tax", 55.4, 97.5, "Q2 2026/27"],
    ]
    found, told = aims(council, write_book({"PIs": rows}, "pentana current.xlsx"))
    assert found == [(*YEAR, 97.5)] and "note-blank" not in told


def test_a_column_named_like_a_target_is_not_passed_over_in_silence(
    council: Workspace, write_book: Callable[..., Path]
) -> None:
    rows = [["Ref", *QUARTERS, "Target", "Stretch target"], ["TAX", 28.5, 55.4, 97.5, 99]]
    _, told = aims(council, write_book({"KPIs": rows}, "KPIs by period.xlsx"))
    assert told["target-not-read"] == 'E "Stretch target"'
