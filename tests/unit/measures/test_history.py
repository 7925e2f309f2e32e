"""Series made ready: declared settings, gaps that show, windows that share no data."""

from __future__ import annotations

import numpy as np
import pandas as pd

from pmf_analysis.measures.history import complete_periods, independent_points, with_register


def quarterly(n: int, series: str = "a", **columns: object) -> pd.DataFrame:
    periods = pd.date_range("2018-04-01", periods=n, freq="QS")
    table = pd.DataFrame({"series": series, "period": periods, "value": np.arange(float(n))})
    return table.assign(**columns)


def test_settings_come_from_the_register_unless_the_row_says_otherwise() -> None:
    register = pd.DataFrame(
        {
            "indicator": ["i"],
            "frequency": ["quarterly"],
            "accumulation": ["ytd"],
            "period_span": "3y",
        }
    )
    table = quarterly(2, indicator="i", accumulation="discrete")
    found = with_register(table.iloc[::-1], register)
    assert found["accumulation"].tolist() == ["discrete"] * 2
    assert found.loc[0, ["value", "polarity", "periods_per_year", "span_years"]].tolist() == [
        0.0, "unknown", 4.0, 3.0,
    ]  # fmt: skip
    assert found["numerator"].isna().all()


def test_rolling_windows_are_thinned_to_those_that_share_no_data() -> None:
    table = pd.concat([quarterly(14, span_years=1.0), quarterly(14, "b", span_years=3.0)])
    kept = independent_points(table)
    assert kept.groupby("series").size().to_dict() == {"a": 4, "b": 2}
    assert kept["period"].max() == table["period"].max()
    assert set(kept["period"].dt.month) == {table["period"].max().month}


def test_left_out_periods_get_a_row_without_value() -> None:
    table = pd.concat([quarterly(8).drop(index=[3, 4]), quarterly(3, "b")], ignore_index=True)
    found = complete_periods(table, pd.Series(3.0, table.index))
    assert found.groupby("series").size().to_dict() == {"a": 8, "b": 3}
    added = found[found["value"].isna()].sort_values("period")
    assert added["period"].dt.strftime("%Y-%m-%d").tolist() == ["2019-01-01", "2019-04-01"]
    assert found["period"].dtype == table["period"].dtype


def test_uneven_or_undeclared_series_stay_as_they_are() -> None:
    uneven = quarterly(4)
    uneven["period"] += pd.to_timedelta([0, 0, 40, 0], "D")
    assert len(complete_periods(uneven, pd.Series(3.0, uneven.index))) == 4
    gappy = quarterly(4).drop(index=1)
    assert len(complete_periods(gappy, pd.Series(np.nan, gappy.index))) == 3
