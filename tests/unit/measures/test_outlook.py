"""Outlooks: what counts as usable, neighbours, no surer than counting allows, no leakage."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pmf_analysis.measures.calibration import shipped_factors
from pmf_analysis.measures.outlook import outlooks, panels

YEARS = pd.date_range("2012-04-01", periods=12, freq="YS-APR")


def table(values: np.ndarray, **more: object) -> pd.DataFrame:
    """One indicator: a row of `values` an area."""
    parts = [
        pd.DataFrame(
            {
                "series": f"i|a{k:02d}",
                "indicator": "i",
                "area": f"a{k:02d}",
                "period": YEARS[: values.shape[1]],
                "value": row,
            }
        )
        for k, row in enumerate(values)
    ]
    return pd.concat(parts, ignore_index=True).assign(**more)


def register(**more: object) -> pd.DataFrame:
    return pd.DataFrame([{"indicator": "i", "polarity": "higher", "frequency": "annual"} | more])


def looked(rows: pd.DataFrame, known: pd.DataFrame, *, ahead: int = 1, **how: object) -> dict:
    found = panels(rows, known, **how)  # type: ignore[arg-type]  # passed on
    series = [name for name, (panel, row) in found.items() if panel.usable.last[row] >= 0]
    return outlooks(found, {name: [ahead] for name in series}, factors=None, seed=0)


def walks(areas: int = 20, years: int = 12, seed: int = 0) -> np.ndarray:
    return 50 + np.random.default_rng(seed).normal(size=(areas, years)).cumsum(axis=1)


def test_values_before_a_break_are_kept_but_not_used():
    values = walks()
    values[:, :4] += 1000
    rows = table(values)
    marked = rows.assign(before_break=rows["period"] < YEARS[4])
    view = looked(marked, register())["i|a00", 1]
    clean = looked(table(values[:, 4:]).assign(period=rows["period"][4:12].tolist() * 20),
                   register())["i|a00", 1]  # fmt: skip
    assert view.n == 8
    assert np.allclose(view.pooled, clean.pooled)
    panel, row = panels(marked, register())["i|a00"]
    assert panel.known.values[row, 0] > 900


@pytest.mark.parametrize(
    ("kind", "error"),
    [
        ({"statistic": "proportion"}, 100 * np.sqrt(0.5 * 0.5 / 40)),
        ({"statistic": "rate"}, 100 * np.sqrt(20) / 40),
        ({"statistic": "mean"}, np.nan),
        ({}, np.nan),
    ],
)
def test_a_forecast_is_no_surer_than_counting(kind, error):
    rng = np.random.default_rng(1)
    values = 50 + 0.2 * rng.normal(size=(4, 8))  # by luck far steadier than 20 cases of 40 can be
    rows = table(values, numerator=20.0, denominator=40.0)
    panel, row = panels(rows, register(**kind))["i|a00"]
    assert panel.errors[row] == pytest.approx(error, rel=0.02, nan_ok=True)
    view = looked(rows, register(**kind))["i|a00", 1]
    bare = looked(table(values), register(**kind))["i|a00", 1]
    for draws, narrow in ((view.own, bare.own), (view.second, bare.second)):
        spread = (draws[840] - draws[159]) / 2
        if np.isnan(error):
            assert np.array_equal(draws, narrow)
        else:
            assert spread == pytest.approx(panel.errors[row], rel=0.05)


def test_counts_have_the_error_of_poisson_also_at_zero():
    values = np.tile([[4.0, 0, 1, 0, 2, 9, 0, 0]], (3, 1))
    panel, row = panels(table(values), register(data_type="count"))["i|a00"]
    assert panel.errors[row] == pytest.approx(np.sqrt((4 + 2 + 9 + 5) / 8))


def test_own_neighbours_are_a_second_point_of_reversion():
    rng = np.random.default_rng(2)
    level = np.repeat([30.0, 70.0], 20)[:, None]  # two kinds of council, no memory within
    rows = table(level + 5 * rng.normal(size=(40, 12)))
    areas = [f"a{k:02d}" for k in range(40)]
    lists = pd.DataFrame(
        [(a, b) for k, a in enumerate(areas) for j, b in enumerate(areas)
         if a != b and k // 20 == j // 20],
        columns=["area", "member"],
    )  # fmt: skip
    known, near = (panels(rows, register(), peer_sets=sets)["i|a00"][0] for sets in (None, lists))
    few = panels(rows, register(), peer_sets=lists[lists["area"].isin(areas[::3])])["i|a00"][0]
    assert known.lists is None and few.lists is None and near.lists.shape == (40, 40)
    alone, beside = known.peers_model(1), near.peers_model(1)
    assert beside.slopes[1] > 0.6 > alone.slopes[0] + 0.3
    assert beside.unexplained.std() < 0.9 * alone.unexplained.std()
    low = int(np.argmin(near.usable.values[:20, 11]))
    change = beside.reversion(low, 11)
    assert change == pytest.approx(30 - near.usable.values[low, 11], abs=3)


@settings(max_examples=20, deadline=None)
@given(seed=st.integers(0, 10**6), ahead=st.integers(1, 3))
def test_nothing_after_the_origin_changes_a_draw(seed, ahead):
    values = walks(6, 12, seed)
    other = values.copy()
    np.random.default_rng(seed).shuffle(other[:, 8:].ravel())
    other[:, 8:] = other[:, 8:][:, ::-1] * 3
    views = [looked(table(v), register(), origin=YEARS[7], ahead=ahead) for v in (values, other)]
    for key, view in views[0].items():
        assert np.array_equal(view.pooled, views[1][key].pooled)


@settings(max_examples=40, deadline=None)
@given(
    values=st.lists(
        st.lists(st.sampled_from([0.0, 1.0, -3.0, 1e9, 50.0, 50.1, np.nan, np.inf]), min_size=12,
                 max_size=12),
        min_size=1, max_size=5,
    ),
    years=st.integers(1, 12),
    kind=st.sampled_from([{}, {"data_type": "count", "minimum": 0.0}, {"statistic": "proportion"}]),
    counts=st.sampled_from([(0.0, 0.0), (0.0, 10.0), (3.0, 2.0), (np.nan, 5.0)]),
)  # fmt: skip
def test_any_panel_gives_finite_draws_or_a_reason(values, years, kind, counts):
    rows = table(np.array(values)[:, :years], numerator=counts[0], denominator=counts[1])
    for view in looked(rows, register(**kind)).values():
        assert np.isnan(view.own).all() if view.reason else np.isfinite(view.pooled).all()
        assert view.reason or np.all(np.diff(view.pooled) >= 0)


def test_without_anything_known_shipped_factors_are_used():
    view, same = (
        outlooks(panels(table(walks()), register()), {"i|a03": [1]}, factors=factors, seed=3)
        for factors in (None, shipped_factors())
    )
    assert np.array_equal(view["i|a03", 1].own, same["i|a03", 1].own)
