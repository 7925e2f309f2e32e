"""A correction by hand applies while its fault is there, and says when it no longer fits."""

from __future__ import annotations

from datetime import date

import pandas as pd
import pytest

from pmf_analysis.data.contract import conform
from pmf_analysis.data.corrections import apply_corrections
from pmf_analysis.parameters.models import Indicator
from pmf_analysis.parameters.register import Register
from pmf_analysis.parameters.small_files import Correction

OWN, OTHER = "X06000001", "X06000002"


def register(**facts: object) -> Register:
    told = {"title": "Waste", "themes": ("place",), "data_type": "percentage", "unit": "%"}
    told |= {"frequency": "quarterly", "polarity": "higher", "owner": "Head of Waste"}
    told |= {"director": "director_place", "source": "Own figures"}
    return Register({"waste": Indicator(id="waste", **told | facts)})


def observed(value: float | None = 4.52, start: str = "2025-10-01", **more: object) -> pd.DataFrame:
    row = {
        "indicator_id": "waste",
        "period_start": start,
        "period_end": "2025-12-31",
        "frequency": "quarterly",
        "area_code": OWN,
        "value": value,
        "numerator": 452,
        "denominator": 10_000,
        "ci_lower": 4.4,
        "ci_upper": 4.6,
    }
    kept = ({}, {"area_code": OTHER}, {"dimension": "tenure", "dimension_value": "rented"})
    return conform(pd.DataFrame([row | other | more for other in kept]), "observations")


def correction(action: str = "replace", **more: object) -> Correction:
    told = {
        "indicator": "waste",
        "period": "2025-26 Q3",
        "action": action,
        "expect": 4.52,
        "value": 45.2 if action == "replace" else None,
        "reason": "typed with the point one place to the left",
        "provided_by": "Waste officer",
        "recorded_on": date(2026, 2, 11),
    }
    return Correction(**told | more)


def corrected(rows: pd.DataFrame, made: Correction, **facts: object) -> tuple[pd.DataFrame, dict]:
    before = rows.copy()
    result, notes = apply_corrections(rows, [made], register(**facts), own_area=OWN)
    pd.testing.assert_frame_equal(rows, before)
    pd.testing.assert_frame_equal(result.iloc[1:], before.iloc[1:])
    assert notes["file"].tolist() == ["parameters/corrections.yml"]
    return result, notes.iloc[0].to_dict()


def test_a_wrong_value_is_replaced_and_its_parts_are_not_kept() -> None:
    result, note = corrected(observed(), correction())
    row = result.iloc[0]
    assert (row["value"], row["value_status"]) == (45.2, "final")
    assert row[["numerator", "denominator", "ci_lower", "ci_upper"]].isna().all()
    assert row["value_note"].startswith("Corrected by hand (Waste officer): typed with")
    assert (note["level"], note["code"], note["indicator"]) == ("info", "corrected", "waste")
    assert "waste, 2025-26 Q3, was replaced" in note["message"]


def test_a_dropped_value_is_missing_and_says_why() -> None:
    result, note = corrected(observed(), correction("drop"))
    row = result.iloc[0]
    assert row[["value", "numerator", "ci_upper"]].isna().all()
    assert row["value_status"] == "missing"
    assert "typed with" in row["value_note"]
    assert "left out" in note["message"]


def test_an_annotated_value_stays_as_it_is() -> None:
    result, note = corrected(observed(), correction("note", expect=None))
    kept = ["value", "numerator", "denominator", "ci_lower", "ci_upper", "value_status"]
    pd.testing.assert_frame_equal(result[kept], observed()[kept])
    assert result["value_note"][0].startswith("Corrected by hand")
    assert "annotated" in note["message"]


@pytest.mark.parametrize(
    ("rows", "made", "why"),
    [
        (observed(45.2), correction(), "the source now shows 45.2, not 4.52"),
        (observed(None, value_status="missing"), correction(), "shows no value, not 4.52"),
        (observed(), correction(period="2025-26 Q2"), "there is no such value"),
        (observed(), correction(area="X06000009"), "there is no such value"),
        (observed(), correction(indicator="wast"), "there is no such value"),
        (observed().iloc[:0], correction(), "there is no such value"),
    ],
    ids=["mended", "empty", "period", "area", "unknown-indicator", "no-data"],
)
def test_a_correction_that_does_not_fit_changes_nothing_and_is_reported(
    rows: pd.DataFrame, made: Correction, why: str
) -> None:
    result, note = corrected(rows, made)
    pd.testing.assert_frame_equal(result, rows)
    assert (note["level"], note["code"]) == ("warning", "correction-misfit")
    assert note["message"].startswith(f"The correction of {made.indicator}, {made.period}, was not")
    assert why in note["message"]


def test_another_area_can_be_named() -> None:
    result, _ = apply_corrections(observed(), [correction(area=OTHER)], register(), own_area=OWN)
    assert result["value"].tolist() == [4.52, 45.2, 4.52]


def test_a_rolling_value_is_found_by_the_end_of_its_window() -> None:
    rows = observed(start="2025-01-01")
    result, _ = corrected(rows, correction(), accumulation="rolling", period_span="1y")
    assert result["value"][0] == 45.2
    unchanged, note = corrected(rows, correction())
    assert unchanged["value"][0] == 4.52
    assert "no such value" in note["message"]


def test_corrections_follow_each_other_and_none_is_none() -> None:
    twice = [correction(), correction("drop", expect=45.2)]
    result, notes = apply_corrections(observed(), twice, register(), own_area=OWN)
    assert result["value_status"][0] == "missing"
    assert notes["code"].tolist() == ["corrected", "corrected"]
    nothing, no_notes = apply_corrections(observed(), [], register(), own_area=OWN)
    pd.testing.assert_frame_equal(nothing, observed())
    assert no_notes.empty
    assert no_notes.columns.tolist() == notes.columns.tolist()
