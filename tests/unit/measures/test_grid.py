"""The grid: errors at several horizons have the covariance that the models imply."""

from __future__ import annotations

import numpy as np
import pytest

from pmf_analysis.measures import grid


@pytest.mark.parametrize("trailing", [0, 1, 4])
def test_joint_errors_have_the_published_variances(trailing):
    observed = np.append(np.ones(9, bool), np.zeros(trailing, bool))
    machine = grid._machine(observed.tobytes(), 6)
    for model in (0, 20, 45, 69):  # the level and slope go from state to state
        alpha, beta, phi = grid.ALPHA[model], grid.BETA[model], grid.PHI[model]
        state, steps = np.array([alpha, beta]), []
        for _ in range(trailing + 6):
            state = np.array([[1, phi], [0, phi]]) @ state
            steps.append(state[0])
        expected = 1 + np.append(0, np.cumsum(np.square(steps)))[trailing : trailing + 6]
        start = machine.joint[model].diagonal() - expected
        level = machine.final_level[:, model] + np.outer(
            np.cumsum(phi ** np.arange(1, 7)), machine.final_slope[:, model]
        )
        covariance = machine.covariance[model]
        assert np.allclose(start, np.einsum("hi,ij,hj->h", level, covariance, level))


def test_errors_of_a_random_walk_add_up():
    machine = grid._machine(np.ones(30, bool).tobytes(), 4)
    walk = int(np.flatnonzero((grid.ALPHA == 1) & (grid.PHI == 0))[0])
    joint = machine.joint[walk]
    expected = np.minimum.outer(np.arange(1, 5), np.arange(1, 5))
    assert np.allclose(joint, expected, atol=0.01)  # the start is known almost exactly
