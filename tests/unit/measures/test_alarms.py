"""False alarms and the smallest step shown: the shipped table against fresh simulations."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pandas as pd
import pytest

from pmf_analysis.measures.spc import (
    LENGTHS,
    PROFILES,
    TABLE,
    RuleSet,
    detectable_step,
    last_point_alarm,
    spc_chart,
)


def charted(values: np.ndarray, rules: RuleSet) -> np.ndarray:
    """Direction of every point, by way of the chart's own table."""
    count, n = values.shape
    table = pd.DataFrame(
        {
            "series": np.repeat(np.arange(count), n),
            "period": np.tile(np.arange(n), count),
            "value": values.ravel(),
        }
    )
    points = spc_chart(table, rules=rules).points
    return points["direction"].to_numpy().reshape(values.shape)


@pytest.mark.parametrize("profile", list(PROFILES))
@pytest.mark.parametrize("n", [13, 24, 48])
def test_the_last_point_is_flagged_as_often_as_the_table_says(profile: str, n: int) -> None:
    rules = PROFILES[profile]
    values = np.random.default_rng(n).normal(20, 3, size=(6000, n))
    share = float(np.mean(charted(values, rules)[:, -1] != 0))
    expected = float(last_point_alarm(rules, n))
    assert abs(share - expected) < 4 * np.sqrt(expected * (1 - expected) / 6000)


@pytest.mark.parametrize("profile", list(PROFILES))
@pytest.mark.parametrize(("n", "within"), [(13, 4), (20, 8), (48, 12)])
def test_a_step_of_the_table_is_shown_in_four_of_five(profile: str, n: int, within: int) -> None:
    rules = PROFILES[profile]
    step = float(detectable_step(rules, n, within))
    noise = np.random.default_rng(n + within).normal(size=(1500, n + within))
    noise[:, n:] += step
    shown = (charted(noise * -2 + 7, rules)[:, n:] < 0).any(axis=1)  # a fall is as good as a rise
    assert abs(shown.mean() - 0.8) < 0.045
    noise[:, n:] -= step / 2
    assert (charted(noise, rules)[:, n:] > 0).any(axis=1).mean() < 0.7


def test_the_table_is_complete_and_plausible() -> None:
    table = pd.read_csv(TABLE)
    assert set(table["profile"]) == set(PROFILES)
    for profile, part in table.groupby("profile"):
        assert part["n"].tolist() == sorted({*range(13, 61), *LENGTHS}), profile
        assert part["last_point"].between(0.005, 0.06).all()
        steps = part.dropna(subset=["within_4"])
        assert steps["n"].tolist() == list(LENGTHS)
        assert (steps["within_4"] > steps["within_8"]).all()
        assert steps[["within_4", "within_8", "within_12"]].stack().between(1, 5).all()


def test_more_points_see_smaller_steps_and_short_charts_say_nothing() -> None:
    mdc = RuleSet()
    n = np.array([5, 12, 13, 14, 20, 30, 48, 240, 999])
    for found in (last_point_alarm(mdc, n), detectable_step(mdc, n, 8)):
        assert np.isnan(found[:2]).all() and np.isfinite(found[2:]).all()
        assert found[-1] == found[-2]
    assert (np.diff(detectable_step(mdc, n[2:], 8)) <= 0).all()
    assert detectable_step(mdc, 14, 8) == pytest.approx(
        detectable_step(mdc, 13, 8) * 2 / 3 + detectable_step(mdc, 16, 8) / 3
    )


def test_other_rules_are_simulated_when_asked_for() -> None:
    six, outside = RuleSet(shift=6), RuleSet(shift=None, trend=None, two_in_three=False)
    alarms = [float(last_point_alarm(rules, 24)) for rules in (outside, RuleSet(), six)]
    assert alarms[0] < alarms[1] < alarms[2]
    assert last_point_alarm(six, 24) == last_point_alarm(replace(six), 24)
    values = np.random.default_rng(1).normal(size=(6000, 24))
    assert alarms[2] == pytest.approx(np.mean(charted(values, six)[:, -1] != 0), abs=0.007)


def test_a_chart_that_never_speaks_shows_no_step() -> None:
    silent = RuleSet(shift=None, trend=None, two_in_three=False, limit_factor=99.0)
    assert np.isnan(detectable_step(silent, 20, 4))
    assert last_point_alarm(silent, 20) == 0
