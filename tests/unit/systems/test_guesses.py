"""Guesses of a draft say no more than titles, columns and figures bear out."""

from __future__ import annotations

from datetime import date
from pathlib import Path
from typing import Any

import pytest

from pmf_analysis.cli import main
from pmf_analysis.parameters.workspace import Workspace
from pmf_analysis.periods import parse_period
from pmf_analysis.systems.drafting import draft_into

TODAY = date(2026, 11, 22)
QUARTERS = [f"Q{q} {year}/{year - 1999}" for year in (2023, 2024, 2025) for q in (1, 2, 3, 4)]
LEVEL = [62, 58, 61, 66, 57, 60, 63, 59, 64, 61, 58, 62]
YEARS_OF_SUMS = [20, 45, 80, 120, 18, 47, 84, 121, 25, 60, 88, 130]


@pytest.fixture
def workspace(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Workspace:
    monkeypatch.delenv("PMF_WORKSPACE", raising=False)
    assert main(["new", str(tmp_path / "ws"), "--council", "Northmoor"]) == 0
    return Workspace(tmp_path / "ws")


def _wide(
    workspace: Workspace, rows: list[list[Any]], *heads: str, periods: list[str] = QUARTERS
) -> tuple[dict[str, dict[str, Any]], list[str]]:
    path = workspace.root.parent / "KPIs by period.csv"
    cells = [["Ref", "Indicator", *heads, *periods]]
    cells += [[f"K{n}", *row] for n, row in enumerate(rows)]
    path.write_text("\n".join(",".join(map(str, row)) for row in cells), encoding="utf-8")
    added, lines = draft_into(workspace, [path], None, TODAY)
    return {row["title"]: row for row in added}, lines


def test_units_and_running_totals_are_not_invented(workspace: Workspace) -> None:
    titles = {
        "Number of missed bins": ("count", "number", "discrete"),
        "Missed bins": ("count", "number", "discrete"),
        "Missed collections per 100k": ("rate", "per 100k", "discrete"),
        "Staff turnover": ("percentage", "%", "discrete"),
        "Staff turnover (rolling 12 months)": ("percentage", "%", "rolling"),
        "New homes completed in quarter": ("count", "number", "discrete"),
        "Budget variance (£000)": ("money", "£ thousand", "snapshot"),
        "Capital receipts £m": ("money", "£ million", "discrete"),
        "New homes completed": ("count", "number", "discrete"),
    }
    rows, _ = _wide(workspace, [[title, *LEVEL] for title in titles])
    found = {name: (r["data_type"], r["unit"], r["accumulation"]) for name, r in rows.items()}
    assert found == titles
    assert rows["Missed collections per 100k"]["rate_base"] == 100_000
    why = rows["Staff turnover"]
    assert why["guessed"]["accumulation"].startswith("Staff turnover is often of the last 12")
    assert why["quality_note"]
    assert "goes with" in rows["Missed bins"]["guessed"]["unit"]
    assert "says" in rows["Missed collections per 100k"]["guessed"]["unit"]


def test_a_running_total_of_the_catalogue_needs_figures_that_run(workspace: Workspace) -> None:
    rows, _ = _wide(workspace, [["New homes completed", *YEARS_OF_SUMS[:6]]], periods=QUARTERS[:6])
    assert rows["New homes completed"]["accumulation"] == "ytd"


def test_nouns_are_no_verbs_and_what_a_column_says_is_taken(workspace: Workspace) -> None:
    titles = [
        ("Increase in complaints", "", "unknown"),
        ("Reduction in customer satisfaction", "", "unknown"),
        ("Lower quartile widgets", "", "unknown"),
        ("Increase widgets", "", "higher"),
        ("Reduce the widgets", "", "lower"),
        ("Recycling rate", "Low", "lower"),
        ("Council tax arrears", "Maximise", "higher"),
    ]
    told = [[title, said, *LEVEL] for title, said, _ in titles]
    rows, _ = _wide(workspace, told, "Good performance is")
    assert {t: r["polarity"] for t, r in rows.items()} == {t: way for t, _, way in titles}
    assert "polarity" not in rows["Recycling rate"]["guessed"]


def test_what_no_theme_is_named_for_has_one_of_its_own(workspace: Workspace) -> None:
    rows, _ = _wide(workspace, [["A", "Homes", *LEVEL], ["B", "", *LEVEL]], "Theme")
    assert {title: row["themes"] for title, row in rows.items()} == {
        "A": ["homes"],
        "B": ["other_indicators"],
    }
    themes = workspace.load().framework.themes
    assert [theme.title for theme in themes] == ["Homes", "Other indicators"]


def test_headings_over_tables_are_themes(workspace: Workspace) -> None:
    path = workspace.root.parent / "PI Report.csv"
    head = "Code,Short Name,Q1 2025/26 Value,Q1 2025/26 Target,Q1 2025/26 Status"
    lines = ["Clean and green", head, "E1,Litter,4,5,OK", "", "Healthy lives", head]
    path.write_text("\n".join([*lines, "H1,Swims,4,5,OK"]), encoding="utf-8")
    added, _ = draft_into(workspace, [path], None, TODAY)
    assert [row["themes"] for row in added] == [["clean_and_green"], ["healthy_lives"]]


def test_each_quarter_has_a_run_file_of_its_own(workspace: Workspace) -> None:
    assert _wide(workspace, [["A", *LEVEL[:11]]], periods=QUARTERS[:11])[1][-1].endswith(
        "run first_report"
    )
    runs = workspace.parameters / "runs"
    first = (runs / "first_report.yml").read_bytes()
    for _ in range(2):
        assert _wide(workspace, [["A", *LEVEL]])[1][-1] == "Then: pmf run report_2025_26_q4"
        assert workspace.load_run("report_2025_26_q4").period == "2025-26 Q4"
    assert (runs / "first_report.yml").read_bytes() == first
    assert len([*runs.glob("*.yml")]) == 2


def test_a_survey_of_bare_years_is_drafted_whole(workspace: Workspace) -> None:
    path = workspace.root.parent / "Quality of life survey 2025.csv"
    head = "Question code,Question,Year,Breakdown,Group,Per cent,Answers"
    rows = [f"Q1,% satisfied with the area,{year},,City,7{year % 7},900" for year in (2021, 2023)]
    rows += ["Q1,% satisfied with the area,2025,,City,71,900"]
    path.write_text("\n".join([head, *rows]), encoding="utf-8")
    (row,), lines = draft_into(workspace, [path], None, TODAY)
    assert (row["title"], row["data_type"]) == ("% satisfied with the area", "survey_percentage")
    assert (row["frequency"], row["year_type"]) == ("biennial", "calendar")
    assert lines[-1] == "Then: pmf run first_report"
    period = parse_period(workspace.load_run("first_report").period)
    assert (period.start, period.end) == (date(2025, 1, 1), date(2025, 12, 31))
    asked = ["import", str(path), "--as", "qol_survey", "--workspace", str(workspace.root)]
    assert main(asked) == 0
