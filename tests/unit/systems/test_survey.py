"""A quality of life survey: read through its mapping, judged by sampling error, by no arrow."""

from __future__ import annotations

from datetime import date
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from statsmodels.stats.proportion import confint_proportions_2indep, proportions_ztest

from pmf_analysis.data.store import Store
from pmf_analysis.measures.equality import WHOLE, equality_gaps
from pmf_analysis.measures.frames import judged_register, measure_frame, own_totals
from pmf_analysis.measures.trend import trend_verdicts
from pmf_analysis.parameters.workspace import Workspace
from pmf_analysis.story.bank import say
from pmf_analysis.systems.importing import ImportOutcome, import_files

AREA, AS_AT = "X06000001", date(2026, 10, 31)
INDICATORS = """format: 1
indicators:
  - {id: QOL1, title: Satisfied with parks, themes: [homes], director: director, polarity: higher,
     data_type: survey_percentage, frequency: annual}
  - {id: QOL2, title: Feel lonely, themes: [homes], director: director, polarity: lower,
     data_type: survey_percentage, frequency: biennial}
"""
HEADER = "Question code,Question,Year,Breakdown,Group,Per cent,Lower CI,Upper CI,Answers\n"


@pytest.fixture
def council(workspace: Workspace) -> Workspace:
    (workspace.parameters / "indicators.yml").write_text(INDICATORS, encoding="utf-8")
    return workspace


def brought(council: Workspace, folder: Path, rows: list[str]) -> ImportOutcome:
    path = folder / "Quality of life survey.csv"
    path.write_text(HEADER + "\n".join(rows) + "\n", encoding="utf-8")
    return import_files(council, [path], AS_AT)


def measured(council: Workspace) -> tuple[pd.DataFrame, pd.DataFrame]:
    register = judged_register(council.load())
    known = Store(council.store).as_known_on(AS_AT)["observations"]
    return measure_frame(known, register), register


def trends(council: Workspace) -> pd.DataFrame:
    frame, register = measured(council)
    table, _ = trend_verdicts(own_totals(frame, AREA), register)
    return table.set_index("indicator")


def groups(council: Workspace) -> pd.DataFrame:
    frame, register = measured(council)
    return equality_gaps(frame, register, area=AREA).set_index("dimension_value")


def test_estimates_groups_and_intervals_are_read(council: Workspace, tmp_path: Path) -> None:
    rows = [
        "QOL1,Parks,2025-26,,City,72.4,70.9,73.9,4100",
        "QOL1,Parks,2025-26,Ward,Ashley,61.0,50.1,71.0,81",
        "QOL1,Parks,2025-26,Deprivation,Most deprived 10%,55.5,50.0,61.0,330",
        "QOL1,Parks,2025-26,Ward,Small ward,*,,,4",
    ]
    outcome = brought(council, tmp_path, rows)
    assert [problem.line() for problem in outcome.problems if problem.level == "error"] == []
    made = outcome.results[0].tables["observations"].set_index("dimension_value")
    assert made["dimension"].tolist() == ["", "Ward", "Deprivation", "Ward"]
    assert made.loc["Ashley", ["value", "ci_lower", "ci_upper", "sample_size"]].tolist() == [
        *(61.0, 50.1, 71.0, 81),
    ]
    assert made.loc["Small ward", "value_status"] == "suppressed"


def test_two_surveys_are_two_proportions(council: Workspace, tmp_path: Path) -> None:
    """Newcombe (1998), Statistics in Medicine 17, 873-890, the pair 56 of 70 and 48 of 80."""
    rows = ["QOL1,Parks,2024-25,,,60,,,80", "QOL1,Parks,2025-26,,,80,,,70"]
    brought(council, tmp_path, rows)
    found = trends(council).loc["QOL1"]
    expected = proportions_ztest([56, 48], [70, 80])[1]
    assert found["change"] == pytest.approx(20)
    assert found["change_test"] == "two_proportions"
    assert found["change_p"] == pytest.approx(expected, rel=1e-9)
    assert found["change_p"] == pytest.approx(0.0082, abs=5e-4)
    assert found["verdict"] == "cannot_judge" and "five" in found["reason"]


def test_a_survey_two_years_ago_is_the_one_before(council: Workspace, tmp_path: Path) -> None:
    rows = ["QOL2,Lonely,2023-24,,,20.0,18.0,22.0,", "QOL2,Lonely,2025-26,,,21.0,19.0,23.0,"]
    brought(council, tmp_path, rows)
    found = trends(council).loc["QOL2"]
    error = np.hypot(4 / 3.92, 4 / 3.92)
    assert found["change_test"] == "two_proportions"
    assert found["change_p"] == pytest.approx(0.4882, abs=5e-4)
    assert error == pytest.approx(1 / 0.693, rel=1e-2)


@pytest.mark.parametrize("then", ["60,,,", "0.4,,,300"])
def test_without_answers_nothing_is_said_but_that(
    council: Workspace, tmp_path: Path, then: str
) -> None:
    now = "1.1,,,310" if then.startswith("0.4") else "80,,,"
    brought(council, tmp_path, [f"QOL1,Parks,2024-25,,,{then}", f"QOL1,Parks,2025-26,,,{now}"])
    found = trends(council).loc["QOL1"]
    assert np.isnan(found["change_p"]) and found["change_test"] == "no_sample"
    assert "cannot be tested" in say("trend.survey.no_sample")


def test_a_ward_is_held_against_the_city(council: Workspace, tmp_path: Path) -> None:
    rows = [
        "QOL1,Parks,2025-26,,City,60,,,80",
        "QOL1,Parks,2025-26,Deprivation,Most deprived,80,,,70",
    ]
    brought(council, tmp_path, rows)
    found = groups(council).loc["Most deprived"]
    low, high = confint_proportions_2indep(56, 70, 48, 80, method="newcomb")
    assert (found["reference"], found["reference_value"]) == (WHOLE, 60)
    assert found["difference"] == pytest.approx(20)
    assert found["difference_lower"] == pytest.approx(100 * low, abs=0.05)
    assert found["difference_upper"] == pytest.approx(100 * high, abs=0.05)
    assert (round(low, 4), round(high, 4)) == (0.0524, 0.3339)  # as Newcombe prints them
    assert (found["verdict"], found["evidence"]) == ("better", "interval")


def test_many_wards_widen_the_ranges_and_published_ones_are_used(
    council: Workspace, tmp_path: Path
) -> None:
    rows = ["QOL1,Parks,2025-26,,City,72.4,70.9,73.9,4100"]
    rows += [f"QOL1,Parks,2025-26,Ward,Ward {n},71,61,81,90" for n in range(9)]
    rows += ["QOL1,Parks,2025-26,Ward,Low,55,46,64,110", "QOL1,Parks,2025-26,Ward,Bare,40,,,"]
    brought(council, tmp_path, rows)
    found = groups(council)
    assert found["level"].round(2).unique().tolist() == [99.5]
    assert found.loc["Ward 3", "verdict"] == "similar"
    assert found.loc["Low", "verdict"] == "worse"
    assert found.loc["Bare", "verdict"] == "cannot_judge"
    assert "cannot be tested" in found.loc["Bare", "reason"]
