"""Places of periods: regular whatever the frequency, gaps kept, absurd values dropped."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from pmf_analysis.measures.placement import place


@pytest.mark.parametrize(
    ("rate", "starts"),
    [
        (52, ["2024-01-01", "2024-01-08", "2024-01-22"]),
        (12, ["2023-11-01", "2023-12-01", "2024-02-01"]),
        (4, ["2023-07-01", "2023-10-01", "2024-04-01"]),
        (3, ["2023-09-01", "2024-01-01", "2024-09-01"]),
        (2, ["2023-04-01", "2023-10-01", "2024-10-01"]),
        (1, ["2020-04-01", "2021-04-01", "2023-04-01"]),
        (0.5, ["2018-04-01", "2020-04-01", "2024-04-01"]),
    ],
)
def test_the_third_period_of_four_is_a_gap(rate, starts):
    rows = pd.DataFrame({"series": "a", "period": pd.to_datetime(starts), "value": [1.0, 2, 4]})
    (found,) = place(rows, rate)
    assert np.array_equal(found.history(0), [1, 2, np.nan, 4], equal_nan=True)
    assert [found.place_of(start) for start in rows["period"]] == [0, 1, 3]
    assert found.start(3) == rows["period"][2]
    assert found.place_of(found.start(5)) == 5


def test_series_share_a_line_and_keep_their_own_end():
    rows = pd.DataFrame(
        {
            "series": ["b", "b", "a", "a", "a", "c"],
            "period": pd.to_datetime(["2020-04-01", "2021-04-01"] + ["2022-04-01"] * 2
                                     + ["2023-04-01", "2020-04-01"]),
            "value": [1.0, 2, 3, 4, np.inf, np.nan],
        }
    )  # fmt: skip
    (found,) = place(rows, 1)
    assert found.series == ["a", "b", "c"]
    assert list(found.last) == [2, 1, -1]
    assert found.values[0, 2] == 4  # the later row of the same period
    assert len(found.history(2)) == 0
    assert place(rows.iloc[:0], 1)[0].series == []
