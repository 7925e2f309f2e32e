"""The grid: errors at several horizons have the covariance that the models imply."""

from __future__ import annotations

import numpy as np
import pytest

from pmf_analysis.measures import grid


@pytest.mark.parametrize("trailing", [0, 1, 4])
def test_joint_errors_have_the_published_variances(trailing):
    observed = np.append(np.ones(9, bool), np.zeros(trailing, bool))
    machine = grid._machine(observed.tobytes(), 6)
    joint = machine.roots @ machine.roots.transpose(0, 2, 1)
    assert np.allclose(joint.diagonal(axis1=1, axis2=2), machine.variance)


def test_errors_of_a_random_walk_add_up():
    machine = grid._machine(np.ones(30, bool).tobytes(), 4)
    walk = int(np.flatnonzero((grid.ALPHA == 1) & (grid.PHI == 0))[0])
    joint = machine.roots[walk] @ machine.roots[walk].T
    expected = np.minimum.outer(np.arange(1, 5), np.arange(1, 5))
    assert np.allclose(joint, expected, atol=0.01)  # the start is known almost exactly
