"""Funnels agree with FunnelPlotR 0.6.0 and PHEindicatormethods 2.1.0."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pmf_analysis.measures.intervals import poisson, wilson
from pmf_analysis.measures.spread import Statistic, funnel

from .funnel_limits import funnel_limits

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


@settings(deadline=None, max_examples=60)
@given(st.floats(0.001, 0.999), st.integers(1, 3000), st.sampled_from(["proportion", "rate"]))
def test_exact_limits_are_where_the_label_changes(
    benchmark: float, size: int, statistic: Statistic
) -> None:
    limits = funnel_limits([size], benchmark, None, statistic).iloc[0]
    most = size if statistic == "proportion" else 3 * size + 30
    count = np.arange(most + 1)
    for name, confidence in [("95", 0.95), ("998", 0.998)]:
        if statistic == "proportion":
            lower, upper = wilson(count, size, confidence)
        else:
            lower, upper = (bound / size for bound in poisson(count, confidence))
        on_edge = np.isclose(lower, benchmark, rtol=1e-9) | np.isclose(upper, benchmark, rtol=1e-9)
        value = count / size
        np.testing.assert_array_equal(
            (lower > benchmark)[~on_edge], (value > limits[f"upper_{name}"])[~on_edge]
        )
        np.testing.assert_array_equal(
            (upper < benchmark)[~on_edge], (value < limits[f"lower_{name}"])[~on_edge]
        )


@pytest.mark.parametrize("statistic", ["proportion", "rate", "mean"])
@pytest.mark.parametrize("tau2", [None, 0.0, 0.002])
def test_limits_narrow_smoothly_with_size(statistic: Statistic, tau2: float | None) -> None:
    limits = funnel_limits(np.geomspace(20, 1e6, 400), 0.2, tau2, statistic)
    for name in ("95", "998"):
        width = limits[f"upper_{name}"] - limits[f"lower_{name}"]
        assert (width.diff().dropna() <= 0).all()
        # a step of the size by 3 % never moves a limit by more than half of that
        assert (limits[f"upper_{name}"].pct_change().abs().dropna() < 0.015).all()
    assert (limits["upper_998"] > limits["upper_95"]).all()
    final = limits.iloc[-1]
    wide = tau2 is not None and tau2 > 0
    assert (final["upper_95"] - 0.2 > 0.01) == wide


def test_a_ratio_is_a_rate_of_what_was_expected() -> None:
    areas = pd.DataFrame(
        {
            "area": list("abcdef"),
            "count": [12, 9, 30, 25, 4, 60],
            "denominator": [10.5] * 5 + [30.2],
        }
    )
    for adjust in (True, False):
        as_ratio = funnel(areas, statistic="ratio", overdispersion=adjust)
        as_rate = funnel(areas, statistic="rate", overdispersion=adjust)
        pd.testing.assert_frame_equal(as_ratio, as_rate)
    assert as_ratio["value"].iloc[0] == pytest.approx(12 / 10.5)
    assert as_ratio["label"].iloc[2] == "high_95"
    assert np.isnan(funnel_limits([0, np.nan], 1.0, None, "ratio")["upper_95"]).all()


@pytest.mark.parametrize("adjust", [True, False])
def test_no_event_anywhere_is_no_comparison(adjust: bool) -> None:
    areas = pd.DataFrame({"area": list("ab"), "count": [0, 0], "denominator": [10, 20]})
    found = funnel(areas, statistic="rate", overdispersion=adjust)
    assert found["label"].tolist() == ["", ""]
