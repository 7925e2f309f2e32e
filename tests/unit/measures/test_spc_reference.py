"""`spc_chart` agrees with every row of NHSRplotthedots 0.2.2 (tests/reference/spc)."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from pmf_analysis.measures.spc import SpcChart, spc_chart

RULES = {
    "Common Cause": ("none", 0),
    "Above UCL": ("outside_limits", 1),
    "Below LCL": ("outside_limits", -1),
    "7 Point Trend (Increasing)": ("trend", 1),
    "7 Point Trend (Decreasing)": ("trend", -1),
    "2 in 3 Above CL": ("two_in_three", 1),
    "2 in 3 Below CL": ("two_in_three", -1),
    "7 Points Above CL": ("shift", 1),
    "7 Points Below CL": ("shift", -1),
}
WAYS = {"increase": "higher", "decrease": "lower", "neutral": "none"}
CASES = [
    *[(setting, way) for setting in ("screened", "unscreened") for way in WAYS],
    ("rebased", "increase"),
    ("fixed12", "decrease"),
]


@pytest.fixture(scope="module")
def reference(repository: Path) -> dict[str, pd.DataFrame]:
    folder = repository / "tests" / "reference" / "spc"
    return {path.name.split(".")[0]: pd.read_csv(path) for path in folder.glob("*.csv*")}


def chart_for(reference: dict[str, pd.DataFrame], setting: str, way: str) -> SpcChart:
    settings = reference["settings"].set_index("series")
    observations = reference["series"].rename(columns={"t": "period", "y": "value"})
    rebase = None
    if setting == "rebased":
        rebase = {series: [start] for series, start in settings["rebase"].dropna().items()}
        observations = observations[observations["series"].isin(rebase)]
    if setting == "fixed12":
        fixed = settings.index[settings["fix"].notna()]
        observations = observations[observations["series"].isin(fixed)]
    return spc_chart(
        observations,
        improvement=WAYS[way],
        screen=setting != "unscreened",
        targets=settings["target"].to_dict(),
        rebase=rebase,
        baseline_points=12 if setting == "fixed12" else None,
    )


@pytest.mark.parametrize(("setting", "way"), CASES)
def test_every_point_agrees(reference: dict[str, pd.DataFrame], setting: str, way: str) -> None:
    expected = reference["expected_points"].query("setting == @setting and direction == @way")
    points = chart_for(reference, setting, way).points
    both = points.merge(
        expected, left_on=["series", "period"], right_on=["series", "t"], suffixes=("", "_expected")
    )
    assert len(both) == len(points) == len(expected) > 3000
    assert (both["segment"] == both["rebase_group"]).all()
    assert list(zip(both["rule"], both["direction"], strict=True)) == [
        RULES[words] for words in both["special_cause_type"]
    ]
    assert (both["point_type"] == both["point_type_expected"]).all()
    for ours, theirs in [("mean", "mean_expected"), ("lower_limit", "lpl"), ("upper_limit", "upl")]:
        np.testing.assert_allclose(both[ours], both[theirs], rtol=1e-9, atol=1e-11)


@pytest.mark.parametrize(("setting", "way"), CASES)
def test_every_segment_agrees(reference: dict[str, pd.DataFrame], setting: str, way: str) -> None:
    expected = reference["expected_summary"].query("setting == @setting and direction == @way")
    expected = expected.assign(segment=expected["rebase_group"].fillna(0).astype(int))
    segments = chart_for(reference, setting, way).segments
    both = segments.merge(expected, on=["series", "segment"], suffixes=("", "_expected"))
    assert len(both) == len(segments) == len(expected) >= 200
    assert (both["n"] == both["n_expected"]).all()
    assert (both["variation"] == both["variation_type"]).all()
    assert (both["assurance"] == both["assurance_type"].fillna("")).all()
