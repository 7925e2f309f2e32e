"""Suggested steps: found where they are, seldom where they are not, and never applied."""

from __future__ import annotations

import re
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pmf_analysis.measures import events
from pmf_analysis.measures.events import STEPS, suggested_steps


def many(values: np.ndarray) -> pd.DataFrame:
    count, n = values.shape
    periods = pd.date_range("2019-04-01", periods=n, freq="MS")
    return pd.DataFrame(
        {
            "series": np.repeat([f"s{number:04d}" for number in range(count)], n),
            "period": np.tile(periods, count),
            "value": values.ravel(),
        }
    )


def share(values: np.ndarray) -> float:
    return suggested_steps(many(values))["series"].nunique() / len(values)


def noise(count: int, n: int) -> np.ndarray:
    return np.random.default_rng(n).normal(size=(count, n))


def test_a_step_is_suggested_with_its_evidence() -> None:
    values = 12 + np.tile([0.3, -0.4, 0.1, 0.0], 6) + np.where(np.arange(24) >= 14, 6.6, 0)
    (found,) = suggested_steps(many(values[None])).to_dict("records")
    assert found["period"] == pd.Timestamp("2020-06-01")
    assert found["evidence"] == "Average of 14 figures before 12.0, of 10 after 18.6."


@pytest.mark.parametrize("late", [2, 4, 5])
def test_a_step_too_near_an_end_to_be_dated_is_not_suggested(late: int) -> None:
    values = np.tile([0.3, -0.4, 0.1, 0.0], 7) - np.where(np.arange(28) >= 28 - late, 6.6, 0)
    for each in (values, values[::-1]):
        assert suggested_steps(many(each[None])).empty
    in_time = np.tile([0.3, -0.4, 0.1, 0.0], 7) - np.where(np.arange(28) >= 22, 6.6, 0)
    assert len(suggested_steps(many(in_time[None]))) == 1


def test_a_spell_has_two_steps() -> None:
    values = noise(1, 30)[0] - np.where((np.arange(30) >= 10) & (np.arange(30) < 18), 8, 0)
    found = suggested_steps(many(values[None]))
    assert found["period"].tolist() == [pd.Timestamp("2020-02-01"), pd.Timestamp("2020-10-01")]
    averages = [re.findall(r"-?\d+\.\d+", text) for text in found["evidence"]]
    assert averages[0][1] == averages[1][0] and float(averages[0][1]) < -7


@pytest.mark.parametrize("n", [13, 24, 60])
def test_noise_and_drift_seldom_get_a_suggestion(n: int) -> None:
    assert share(noise(300, n)) <= 0.03  # the goal is 5 %
    for rise in (1.0, 3.0, 6.0, 15.0):
        assert share(noise(150, n) + rise * np.arange(n) / n) <= 0.12  # 10 %, and chance


@pytest.mark.parametrize(("n", "least"), [(24, 0.7), (60, 0.97)])
def test_a_clear_step_is_found_near_its_place(n: int, least: float) -> None:
    values = noise(150, n) + 3 * (np.arange(n) >= n // 2)
    found = suggested_steps(many(values))
    assert found["series"].nunique() / 150 >= least
    place = many(values[:1])["period"].iloc[n // 2]
    assert ((found["period"] - place).abs() <= pd.Timedelta(days=62)).mean() > 0.95


@pytest.mark.parametrize(
    "values",
    [[], [5.0], [7.0] * 30, [0.1] * 29 + [float(np.nextafter(0.1, 1))], [np.nan] * 20,
     [np.inf, -np.inf] * 10, [0.0] * 6 + [9.0] * 6, list(range(40))],
)  # fmt: skip
def test_nothing_is_suggested_without_grounds(values: list[float]) -> None:
    found = suggested_steps(many(np.array(values, dtype=float)[None]))
    assert found.empty and list(found) == STEPS


def test_exact_levels_are_steps() -> None:
    found = suggested_steps(many(np.repeat([[0.0, 1.0]], 8, axis=1)))
    assert found["evidence"].tolist() == ["Average of 8 figures before 0.0, of 8 after 1.0."]


@given(st.sampled_from([0.01, 1.0, 1e6]), st.sampled_from([0.0, -50.0, 1e4]), st.randoms())
@settings(max_examples=15, deadline=None)
def test_unit_order_and_gaps_change_nothing(scale: float, move: float, random: object) -> None:
    table = many(noise(4, 26) + 4 * (np.arange(26) >= 12))
    expected = suggested_steps(table)
    rows = list(range(len(table)))
    random.shuffle(rows)
    gaps = table.iloc[:3].assign(period=pd.Timestamp("2030-01-01"), value=[np.nan] * 3)
    gaps["series"] = ["s0000", "s0001", "s0002"]
    other = pd.concat([table.assign(value=table["value"] * scale + move).iloc[rows], gaps])
    found = suggested_steps(other)
    pd.testing.assert_frame_equal(expected[["series", "period"]], found[["series", "period"]])


def test_nothing_in_the_measures_applies_a_suggestion() -> None:
    """G19: a new usual range starts only where parameters record a reason."""
    texts = {path: path.read_text("utf-8") for path in Path(events.__file__).parent.glob("*.py")}
    users = [path.stem for path, text in texts.items() if "suggested_steps(" in text]
    assert sorted(users) == ["events", "trend_tables"]
    (table,) = [text for path, text in texts.items() if path.stem == "trend_tables"]
    assert table.count("suggested_steps(") == table.count("suggested=steps)") == 1
    assert len(re.findall(r"\bsteps\b", table)) == 2  # made, and handed to the chart's events
