"""Ranks: quantiles that split no tie, and how far sampling error could move a rank."""

from __future__ import annotations

import math

import numpy as np
import pandas as pd
import pytest

from pmf_analysis.measures.intervals import poisson, wilson
from pmf_analysis.measures.ranks import positions, quantile_group, rank_range


@pytest.mark.parametrize("groups", [4, 5, 10])
def test_quantiles_follow_the_published_rule(groups: int) -> None:
    for n in range(5, 60):
        found = quantile_group(np.arange(1, n + 1), n, groups)
        if n < groups:
            assert (found == 0).all()
            continue
        expected = [
            max(1, math.floor(groups + 1 - math.ceil((n + 1 - rank) * groups / n)))
            for rank in range(1, n + 1)
        ]
        assert found.tolist() == expected
        assert found[0] == 1 and found[-1] == groups
        sizes = np.bincount(found)[1:]
        assert sizes.max() - sizes.min() <= 1


def test_a_tie_is_never_split_and_few_have_no_quantile() -> None:
    rank = pd.Series([9, 7, 7, 7, 7, 7, 3, 2, 1, 0]).rank(ascending=False, method="min")
    assert len(set(quantile_group(rank, 10)[1:6])) == 1
    assert quantile_group([1, 2, np.nan], [4, 4, 10]).tolist() == [0, 0, 0]


def one_case(value: np.ndarray, lower: np.ndarray, upper: np.ndarray) -> tuple[float, float]:
    """Range of the rank of the first among the others."""
    order = 1 + np.argsort(value[1:])
    names = {"value": value, "lower": lower, "upper": upper}
    panel = {name: column[order][None, :] for name, column in names.items()}
    own = {name: column[:1] for name, column in names.items()}
    own |= {"polarity": "higher", "target_low": np.nan, "target_high": np.nan, "n_level": 0}
    rank = 1.0 + (value[1:] > value[0]).sum()
    return tuple(rank_range(panel, pd.DataFrame({**own, "rank": rank})).iloc[0])


@pytest.mark.parametrize("own_count", [6, 15, 40, 120])
@pytest.mark.parametrize("kind", ["beta", "gamma"])
def test_ranges_agree_with_exact_simulation(own_count: int, kind: str) -> None:
    rng = np.random.default_rng(5)
    size = np.full(31, 400.0)
    count = np.r_[own_count, rng.integers(5, 130, 30)].astype(float)
    if kind == "beta":
        lower, upper = wilson(count, size)
        drawn = rng.beta(count + 0.5, size - count + 0.5, (20_000, 31))
    else:
        lower, upper = (bound / size for bound in poisson(count))
        drawn = rng.gamma(count + 0.5, 1 / size, (20_000, 31))
    ranks = 1 + (drawn[:, 1:] > drawn[:, :1]).sum(axis=1)
    best, worst = one_case(count / size, lower, upper)
    assert (best, worst) == pytest.approx(np.quantile(ranks, [0.025, 0.975]), abs=1.01)
    assert 0.93 <= ((ranks >= best) & (ranks <= worst)).mean() <= 0.996


def test_no_range_without_errors_of_us_and_five_peers() -> None:
    value = np.arange(10.0)
    assert np.isnan(one_case(value, value * np.nan, value * np.nan)).all()
    few = np.where(np.arange(10) < 5, 1.0, np.nan)  # us and four peers
    assert np.isnan(one_case(value, value - few, value + few)).all()
    five = np.where(np.arange(10) < 6, 1.0, np.nan)
    assert not np.isnan(one_case(value, value - five, value + five)).any()


def test_a_block_of_73_joint_lowest_is_in_no_fifth() -> None:
    """Sharing the better rank, 78 of 150, they would all stand in the middle fifth."""
    rest = np.arange(1.0, 78.0)
    peers = np.sort(np.r_[np.zeros(72), rest])[None, :]
    row = {"polarity": "higher", "target_low": np.nan, "target_high": np.nan}
    found = positions({"value": peers}, pd.DataFrame([row | {"value": 0.0}])).iloc[0]
    assert (found["rank"], found["n_level"], found["quintile"]) == (78, 72, 0)
    peers = np.sort(np.r_[np.zeros(73), np.delete(rest, 40)])[None, :]
    one = positions({"value": peers}, pd.DataFrame([row | {"value": 41.0}])).iloc[0]
    assert (one["rank"], one["quintile"]) == (37, 2)
