"""What a change is worth: noise bands against hand-made figures, surveys against statsmodels."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd
import pytest
from statsmodels.stats.proportion import proportions_ztest

from pmf_analysis.measures.change_test import like_for_like, two_proportions

SEASONS = [8.0, -4.0, -8.0, 4.0]


def frame(values: list[float], per_year: float = 4, **columns: Any) -> pd.DataFrame:
    table = pd.DataFrame({"shown_value": values, "value": values})
    table["period"] = pd.date_range("2016-04-01", periods=len(values), freq="3MS")
    settings = {
        "series": "a", "run": 0, "segment": 0, "is_current": True, "effect": 0.0,
        "accumulation": "discrete", "data_type": "percentage", "periods_per_year": per_year,
        "numerator": np.nan, "denominator": np.nan, "ci_lower": np.nan, "ci_upper": np.nan,
    }  # fmt: skip
    return table.assign(**{**settings, **columns})


def found(values: list[float], per_year: float = 4, **columns: Any) -> pd.Series:
    return like_for_like(frame(values, per_year, **columns)).iloc[0]


def survey(value: float, **columns: float) -> pd.DataFrame:
    return pd.DataFrame({"shown_value": [value], **columns})


def test_changes_are_those_to_the_period_before_and_to_last_year() -> None:
    row = found([10.0, 11, 12, 13, 15, 14])
    assert (row["previous_value"], row["change"]) == (15, -1)
    assert (row["last_year_value"], row["change_on_year"]) == (11, 3)
    assert row["last_year_period"] == pd.Timestamp("2016-07-01")
    after_gap = found([10.0, 11, 12, 13, np.nan, 14])
    assert np.isnan(after_gap["change"]) and after_gap["change_on_year"] == 3
    broken = found([10.0, 11, 12, 13, 15, 14], run=[0, 0, 0, 0, 1, 1])
    assert broken["change"] == -1 and np.isnan(broken["change_on_year"])
    two_years = found([10.0, 11.0, 14.0], per_year=0.5)
    assert two_years["change"] == 3 and np.isnan(two_years["last_year_value"])


def test_the_band_is_wheelers_range_limit_screened_once() -> None:
    row = found([10.0, 12, 11, 13, 12, 14, 13, 15, 14, 99])  # differences 2, 1, 2, 1 …
    assert row["previous_band"] == pytest.approx(3.267 * 12 / 8)  # the newest judges, so is out
    assert np.isnan(row["last_year_band"])  # five differences only
    screened = found([10.0, 12, 11, 13, 12, 14, 60, 61, 60, 61, 60, 0])
    steps = np.array([2, 1, 2, 1, 2, 1, 1, 1, 1])  # 46 lies beyond 3.267 times the mean
    assert screened["previous_band"] == pytest.approx(3.267 * steps.mean())
    assert np.isnan(found([10.0, 12, 11, 13, 12, 14, 13, 15, 14])["previous_band"])
    assert np.isnan(found([7.0] * 12)["previous_band"])
    assert np.isnan(found([7.0] * 11 + [8.0])["previous_band"])  # one difference is no range


def test_bands_speak_of_the_current_segment_and_of_values_without_seasons() -> None:
    values = [90.0, 10, 90, 10, 90, 10, 12, 11, 13, 12, 14, 13, 15, 14, 16]
    segments = [0] * 5 + [1] * 10
    current = [segment == 1 for segment in segments]
    row = found(values, segment=segments, is_current=current)
    assert row["previous_band"] == pytest.approx(3.267 * 12 / 8)
    pattern = np.tile(SEASONS, 4)
    noise = np.tile([0.0, 1.0, 0.0, 2.0, 1.0], 4)[:16]
    seasonal = found(list(50 + pattern + noise), effect=pattern)
    plain = found(list(50 + noise))
    assert seasonal["previous_band"] == pytest.approx(plain["previous_band"])
    assert seasonal["last_year_band"] == pytest.approx(plain["last_year_band"])
    total = found([5.0, 9, 14, 20, 6, 10, 13, 22, 4, 9, 15, 21, 5, 8], accumulation="ytd")
    assert np.isnan(total["change"]) and np.isnan(total["previous_band"])
    assert total["last_year_band"] > 0


def test_the_known_example_of_two_proportions() -> None:
    now = survey(100 * 12 / 99, numerator=12, denominator=99)
    then = survey(100 * 5 / 83, numerator=5, denominator=83)
    # the example of statsmodels' own documentation
    assert two_proportions(now, then)[0] == pytest.approx(0.15918129181156992)
    by_size = survey(12.5, sample_size=400), survey(17.5, sample_size=1000)
    expected = proportions_ztest([50, 175], [400, 1000])[1]
    assert two_proportions(*by_size)[0] == pytest.approx(expected)


def test_grossed_up_counts_are_no_answers() -> None:
    now = survey(24.0, numerator=20_400, denominator=85_000, sample_size=400)
    then = survey(22.0, numerator=18_700, denominator=85_000, sample_size=400)
    expected = proportions_ztest([96, 88], [400, 400])[1]
    assert two_proportions(now, then)[0] == pytest.approx(expected)


def test_a_published_interval_carries_the_design_effect() -> None:
    sizes = {"numerator": np.nan, "denominator": np.nan, "sample_size": 1000.0}
    now, then = survey(60.0, **sizes), survey(55.0, **sizes)
    wide = [
        rows.assign(ci_lower=rows["shown_value"] - 6, ci_upper=rows["shown_value"] + 6)
        for rows in (now, then)
    ]
    assert two_proportions(now, then)[0] < 0.05
    z = 5 / np.hypot(12 / 3.92, 12 / 3.92)
    from scipy.stats import norm

    assert two_proportions(*wide)[0] == pytest.approx(2 * norm.sf(z))
    one_sided = two_proportions(wide[0], then)[0]
    assert two_proportions(now, then)[0] < one_sided < two_proportions(*wide)[0]


def test_what_a_normal_approximation_cannot_bear_is_not_tested() -> None:
    assert np.isnan(two_proportions(survey(2.0, sample_size=100), survey(4.0, sample_size=100))[0])
    assert np.isnan(two_proportions(survey(0.0, sample_size=100), survey(0.0, sample_size=100))[0])
    assert np.isnan(two_proportions(survey(50.0), survey(40.0))[0])


def test_noise_is_called_a_change_as_often_as_it_says() -> None:
    counts = np.random.default_rng(5).binomial(600, 0.4, (2, 4000)).astype(float)
    now, then = (
        pd.DataFrame({"shown_value": row / 6, "numerator": row, "denominator": 600.0})
        for row in counts
    )
    assert (two_proportions(now, then) < 0.05).mean() == pytest.approx(0.05, abs=0.01)


def test_surveys_compare_with_the_survey_before_however_long_ago() -> None:
    row = found([40.0, np.nan, 46.0], 1, data_type="survey_percentage", sample_size=900.0)
    assert (row["previous_value"], row["change"], row["change_test"]) == (40, 6, "two_proportions")
    assert row["change_p"] == pytest.approx(proportions_ztest([360, 414], [900, 900])[1])
    assert np.isnan(row["change_p_on_year"])
    plain = found([40.0, 46.0], 1, numerator=[360.0, 414.0], denominator=900.0)
    assert plain["change_test"] == "" and np.isnan(plain["change_p"])  # all cases, not a sample
    sampled = found([40.0, 46.0], 1, sample_size=900.0)
    assert sampled["change_test"] == "two_proportions"
    assert sampled["change_p"] == sampled["change_p_on_year"]
    score = found([40.0, 46.0], 1, sample_size=900.0, data_type="score")
    assert score["change_test"] == ""


def test_series_without_values_have_no_row() -> None:
    assert like_for_like(frame([np.nan, np.nan])).empty
    assert like_for_like(frame([])).empty
