"""Factors and scores."""

from __future__ import annotations

import importlib.util
from pathlib import Path
from types import ModuleType

import numpy as np
import pytest

from pmf_analysis.measures.calibration import LEVELS, UNCALIBRATED, Factors, shipped_factors


def load_scores() -> ModuleType:
    """The scores and factors that benchmarks learn and examine by."""
    path = Path(__file__).parents[3] / "benchmarks" / "scores.py"
    spec = importlib.util.spec_from_file_location("scores", path)
    assert spec is not None and spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


scores = load_scores()


def test_conformal_factor_is_the_corrected_quantile():
    ratios = np.arange(1.0, 20.0)  # 19 of them: (19 + 1) * .95 = the 19th
    assert scores.conformal_factor(ratios, 0.95) == 19
    assert scores.conformal_factor(ratios, 0.5) == 10
    assert scores.conformal_factor(np.append(ratios, np.nan), 0.5) == 10
    assert scores.conformal_factor(np.array([np.nan]), 0.5) == 1


def test_width_ratios_take_the_side_of_the_outcome():
    draws = np.linspace(0, 1, 1001) ** 2  # median .25, quartiles .0625 and .5625
    assert scores.width_ratios(np.array(0.5625), draws, 0.5) == pytest.approx(1)
    assert scores.width_ratios(np.array(0.0625), draws, 0.5) == pytest.approx(1)
    assert np.isnan(scores.width_ratios(np.array(2.0), np.ones(9), 0.5))


def test_factors_learnt_on_draws_too_narrow_restore_the_coverage():
    rng = np.random.default_rng(2)
    draws = np.sort(rng.normal(size=(4000, 400)), axis=1)
    outcome = 2 * rng.normal(size=4000)
    learnt = [
        scores.conformal_factor(scores.width_ratios(outcome[:2000], draws[:2000], c), c)
        for c in LEVELS
    ]
    assert learnt == pytest.approx([2, 2, 2], rel=0.12)
    factors = Factors({(1, 10): np.array([[1, *learnt]])}, "test")
    stretched = factors.stretch(draws[2000:, None], periods_per_year=1, history=10)[:, 0]
    for level in LEVELS:
        low, high = np.quantile(stretched, [(1 - level) / 2, (1 + level) / 2], axis=1)
        inside = (outcome[2000:] >= low) & (outcome[2000:] <= high)
        assert inside.mean() == pytest.approx(level, abs=0.03)


def test_shipped_factors_are_sane_and_reach_every_frequency():
    factors = shipped_factors()
    assert "M3" not in factors.source
    for frequency in (0.5, 1, 2, 3, 4, 12, 52):
        for history in (5, 9, 200):
            found = factors.at(periods_per_year=frequency, history=history, horizon=20)
            assert found.shape == (20, len(LEVELS))
            assert (found > 0.6).all() and (found < 2.5).all()
    exact = factors.at(periods_per_year=1, history=8, horizon=2)[1]
    assert exact == pytest.approx(factors.table[1, 8][1, 1:])
    between = factors.at(periods_per_year=1, history=10, horizon=1)[0, 2]
    ends = sorted(factors.table[1, length][0, 3] for length in (8, 12))
    assert ends[0] <= between <= ends[1]


def test_stretch_keeps_the_median_and_the_order():
    draws = np.sort(np.random.default_rng(0).lognormal(size=(3, 2, 1000)), axis=2)
    found = shipped_factors().stretch(draws, periods_per_year=1, history=6)
    assert np.allclose(np.median(found, axis=2), np.median(draws, axis=2))
    assert (np.diff(found, axis=2) >= 0).all()
    assert np.allclose(UNCALIBRATED.stretch(draws, periods_per_year=1, history=6), draws)


def test_scores():
    happened = np.array([1.0, 0, 1, 0])
    base = np.full(4, 0.5)
    assert scores.brier_skill(happened, happened, base) == 1
    assert scores.brier_skill(base, happened, base) == 0
    assert scores.brier_skill(1 - happened, happened, base) == -3
    assert scores.calibration_error(base, happened) == 0
    assert scores.calibration_error(np.array([0.9, 0.9]), np.array([1.0, 0])) == pytest.approx(0.4)
