"""Medians and distances in MADs as the Office for Local Government published them."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd

from pmf_analysis.measures.arrays import from_median


def test_every_published_median_and_distance_of_adult_social_care(real_data: Path) -> None:
    published = pd.read_csv(real_data / "raw/oflog/ASC_data.csv.gz")
    assert len(published) == 6376
    wide = published.pivot(
        index="Local authority code",
        columns=["Code", "Financial year"],
        values=["Value", "MEDIAN", "MADs_from_median"],
    )
    value, median, distance = (
        wide[name].to_numpy(float) for name in ("Value", "MEDIAN", "MADs_from_median")
    )
    assert value.shape[1] == 42
    found, mad = from_median(value, axis=0)
    assert np.nanmax(np.abs(np.broadcast_to(found, value.shape) - median)) <= 1e-7
    ours = (value - found) / mad
    assert np.nanmax(np.abs(ours - distance)) <= 1e-7
    # what was not published has no distance, and a published nought is a value like any other
    np.testing.assert_array_equal(np.isnan(ours), np.isnan(distance))
    assert (value == 0).sum() == 6
    assert np.isfinite(ours[value == 0]).all()


def test_what_is_missing_neither_counts_nor_spreads() -> None:
    values = np.array([[0.0, 0.0, 3.0, np.nan], [np.nan] * 4, [5.0, np.nan, np.nan, np.nan]])
    median, mad = from_median(values, axis=1)
    np.testing.assert_array_equal(median, [[0.0], [np.nan], [5.0]])
    np.testing.assert_array_equal(mad, [[0.0], [np.nan], [0.0]])
    across, _ = from_median(values, axis=0)
    np.testing.assert_array_equal(across, [[2.5, 0.0, 3.0, np.nan]])
