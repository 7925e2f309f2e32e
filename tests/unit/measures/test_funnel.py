"""Funnels agree with FunnelPlotR 0.6.0 and PHEindicatormethods 2.1.0."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from pmf_analysis.measures.funnel import funnel

LABELS = {
    "High (0.001)": "high_998",
    "High (0.025)": "high_95",
    "Not significant": "within",
    "Low (0.025)": "low_95",
    "Low (0.001)": "low_998",
}


@pytest.fixture(scope="module")
def expected(repository: Path) -> pd.DataFrame:
    return pd.read_csv(repository / "tests/reference/benchmarking/funnels.csv.gz")


@pytest.mark.parametrize("name", ["f1", "f2", "f3", "f4"])
def test_every_area_of_the_reference_agrees(expected: pd.DataFrame, name: str) -> None:
    areas = expected[expected["set"] == name]
    assert len(areas) == 150
    adjusted = funnel(areas)
    for column, theirs in [("phi", "phi"), ("tau2", "tau2"), ("z", "od_z")]:
        np.testing.assert_allclose(adjusted[column], areas[theirs], rtol=1e-9, atol=1e-12)
    plain = funnel(areas, overdispersion=False)
    assert plain["label"].tolist() == areas["significance"].map(LABELS).tolist()


def test_labels_follow_the_limits_and_overdispersion_widens_them(expected: pd.DataFrame) -> None:
    areas = expected[expected["set"] == "f4"]
    adjusted, plain = funnel(areas), funnel(areas, overdispersion=False)
    assert (adjusted["upper_998"] > plain["upper_998"]).all()
    high = adjusted["value"] > adjusted["upper_998"]
    assert (adjusted.loc[high, "label"] == "high_998").all()
    inside = adjusted["value"].between(adjusted["lower_95"], adjusted["upper_95"])
    assert ((adjusted["label"] == "within") == inside).all()
    assert (plain["label"] != "within").mean() > 0.5 > (adjusted["label"] != "within").mean()


@pytest.mark.parametrize("statistic", ["proportion", "rate"])
def test_chance_alone_stays_inside(statistic: str) -> None:
    rng = np.random.default_rng(4)
    size = rng.integers(2000, 9000, 400)
    count = rng.binomial(size, 0.02)
    areas = pd.DataFrame({"area": range(400), "count": count, "denominator": size})
    for adjust in (True, False):
        found = funnel(areas, statistic=statistic, overdispersion=adjust)
        assert 0.5 < found["phi"].iloc[0] < 1.1
        assert (found["label"] != "within").mean() < 0.09
        assert found["label"].str.endswith("998").mean() < 0.015


def test_means_and_missing_areas() -> None:
    areas = pd.DataFrame(
        {"area": list("abcdef"), "value": [5, 5.1, 4.9, 5, 9, np.nan], "sd": [0.1] * 5 + [0.1]}
    )
    found = funnel(areas, statistic="mean", overdispersion=False)
    assert found["label"].tolist()[-2:] == ["high_998", ""]
    assert found["benchmark"].iloc[0] == pytest.approx(5.8)
    empty = pd.DataFrame({"area": ["a", "b"], "count": [1, np.nan], "denominator": [0, 10]})
    assert funnel(empty)["label"].tolist() == ["", ""]
