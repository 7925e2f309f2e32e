"""The peers' model: regression to the mean is found; one year's movement is one observation."""

from __future__ import annotations

import numpy as np
import pytest

from pmf_analysis.measures.peers_model import fit_peers


def spread(draws: np.ndarray) -> float:
    return float(draws[974] - draws[25])


def test_regression_to_the_mean_is_learnt():
    rng = np.random.default_rng(0)
    values = 50 + 5 * rng.normal(size=(30, 10))  # no memory at all
    model = fit_peers(values, horizon=1, season_length=1)
    assert model is not None
    assert model.slopes[0] > 0.6
    worst, best = np.argmin(values[:, -1]), np.argmax(values[:, -1])
    assert np.median(model.draws(worst, 9)) > values[worst, -1] + 3
    assert np.median(model.draws(best, 9)) < values[best, -1] - 3
    walks = 50 + rng.normal(size=(30, 12)).cumsum(axis=1)
    assert abs(fit_peers(walks, horizon=1, season_length=1).slopes[0]) < 0.15


def test_a_common_movement_is_one_observation_a_year():
    rng = np.random.default_rng(1)
    own = rng.normal(size=(40, 9)).cumsum(axis=1)
    shared = own + np.cumsum([0, 6, -6, 6, -6, 6, -6, 6, -6])
    alone = fit_peers(own, horizon=1, season_length=1)
    together = fit_peers(shared, horizon=1, season_length=1)
    ratio = spread(together.unexplained * together.scale[0]) / spread(
        alone.unexplained * alone.scale[0]
    )
    assert ratio > 2.5


def test_a_steady_common_drift_moves_the_forecast():
    rng = np.random.default_rng(2)
    values = 3.0 * np.arange(12) + rng.normal(size=(30, 12)).cumsum(axis=1) * 0.5
    model = fit_peers(values, horizon=2, season_length=1)
    assert np.median(model.draws(0, 11)) - values[0, 11] == pytest.approx(6, abs=2)


def test_too_few_changes_or_no_movement_give_no_model():
    rng = np.random.default_rng(3)
    assert fit_peers(rng.normal(size=(6, 7)), horizon=1, season_length=1) is None
    assert fit_peers(rng.normal(size=(60, 2)), horizon=1, season_length=1) is None
    assert fit_peers(np.ones((40, 10)), horizon=1, season_length=1) is None
    assert fit_peers(np.full((40, 10), np.nan), horizon=1, season_length=1) is None


def test_one_absurd_value_does_not_turn_the_slopes():
    rng = np.random.default_rng(6)
    walks = 50 + rng.normal(size=(30, 12)).cumsum(axis=1)
    clean = fit_peers(walks, horizon=1, season_length=1)
    walks[7, 5] *= 100  # two digits too many
    assert np.abs(fit_peers(walks, horizon=1, season_length=1).slopes - clean.slopes).max() < 0.1


def test_missing_values_leave_only_their_own_changes_out():
    rng = np.random.default_rng(4)
    values = 50 + rng.normal(size=(20, 12)).cumsum(axis=1)
    whole = fit_peers(values, horizon=1, season_length=1)
    values[3, 5] = np.nan
    holed = fit_peers(values, horizon=1, season_length=1)
    assert (
        len(whole.changes) - len(holed.changes) == 3
    )  # to it, from it, and with it as last change
    values[3, 10] = np.nan  # the last change of area 3 is not known now
    assert np.isfinite(fit_peers(values, horizon=1, season_length=1).draws(3, 11)).all()


def test_seasonal_moves_of_single_areas_are_features():
    rng = np.random.default_rng(5)
    size = rng.normal(size=(30, 1)) * 8  # every area has its own season
    values = 100 + size * np.tile([1.0, 0, -1, 0], 7) + 0.5 * rng.normal(size=(30, 28))
    model = fit_peers(values, horizon=1, season_length=4)
    assert model is not None and model.features.shape[2] == 4
    moves = np.array([np.median(model.draws(row, 27)) - values[row, 27] for row in range(30)])
    assert np.corrcoef(moves, size[:, 0])[0, 1] > 0.9


def test_a_record_shorter_than_the_year_looked_back_to_has_no_model_and_no_error():
    values = np.random.default_rng(1).normal(size=(60, 7)).cumsum(axis=1)
    assert fit_peers(values, horizon=5, season_length=4) is None
