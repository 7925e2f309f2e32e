"""Medians and distances in MADs as the Office for Local Government published them."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd

from pmf_analysis.measures.ranks import positions


def test_every_published_median_and_distance_of_adult_social_care(real_data: Path) -> None:
    """Each authority among all, itself with them, as Oflog compares."""
    published = pd.read_csv(real_data / "raw/oflog/ASC_data.csv.gz")
    published = published.rename(columns={"Value": "value"})
    assert len(published) == 6376
    of = published.groupby(["Code", "Financial year"])
    place = of.ngroup()
    assert place.nunique() == 42
    wide = np.full((42, of.size().max()), np.nan)
    wide[place, of.cumcount()] = published["value"]
    own = published[["value"]].assign(polarity="higher", target_low=np.nan, target_high=np.nan)
    found = positions({"value": np.sort(wide, axis=1)[place]}, own)
    assert (found["peer_median"] - published["MEDIAN"]).abs().max() <= 1e-7
    assert (found["mad_distance"] - published["MADs_from_median"]).abs().max() <= 1e-7
    # what was not published has no distance, and a published nought is a value like any other
    hidden, nought = published["value"].isna(), published["value"] == 0
    assert (hidden.sum(), nought.sum()) == (298, 6)
    np.testing.assert_array_equal(found["mad_distance"].isna(), hidden)
    assert published.loc[hidden, "MADs_from_median"].isna().all()
