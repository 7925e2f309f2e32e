"""Levels to hold targets against: none that a comparison withholds, and seasons with seasons."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import numpy as np
import pandas as pd

from pmf_analysis.measures.benchmarks import at_part, benchmarks, seasonal_series

NAN = float("nan")
DAYS = pd.date_range("2024-01-01", periods=9, freq="QS")
NEWEST = DAYS[-2]


def told(seasonal: tuple[str, ...] = ("x|E1",), hidden: int = 0, **more: Any) -> pd.DataFrame:
    """Levels of one series; the peers' median counts quarters, the nation's is 100 more."""
    row = {"series": "x|E1", "indicator": "x", "peer_set": "near", "period": NEWEST, "value": 1.0}
    row |= {"verdict": "similar", "peer_q1": 5.0, "peer_median": 7.0, "peer_q3": 9.0, "n_peers": 9}
    row |= {"peer_min": 1.0, "peer_max": 12.0}
    gaps = pd.DataFrame({"series": "x|E1", "peer_set": "near", "period": DAYS[:-1], "value": 1.0})
    gaps = gaps.assign(peer_median=np.arange(8.0), n_peers=9)
    nation = pd.DataFrame({"period": DAYS, "value": 100 + np.arange(9.0), "area": "E92000001"})
    peers = pd.DataFrame({"period": DAYS[5], "area": [f"P{n}" for n in range(hidden)]})
    panel = pd.concat([nation, peers.assign(status="suppressed")], ignore_index=True)
    panel = panel.assign(indicator="x", dimension="")
    panel["series"] = "x|" + panel["area"]
    members = pd.DataFrame({"peer_set": "near", "member": [f"P{n}" for n in range(9)]})
    members = members.assign(member_name="", rank=NAN)
    register = pd.DataFrame({"indicator": ["x"], "data_type": ["percentage"]})
    council = SimpleNamespace(panel=panel, peer_sets=members, area="E1", register=register)
    return benchmarks(pd.DataFrame([row | more]), gaps, seasonal, council)  # type: ignore[arg-type]


def test_series_that_go_by_the_part_of_the_year() -> None:
    trends = pd.DataFrame({"series": list("abc"), "shape": ["seasonal", "discrete", "ytd"]})
    own = pd.DataFrame({"series": ["b", "d"], "accumulation": ["discrete", "ytd"]})
    assert seasonal_series(trends, own) == ["a", "c", "d"]


def test_a_seasonal_series_has_levels_of_the_year_before() -> None:
    found = told()
    assert found["period"].tolist() == [*DAYS[7:2:-1]]
    assert found["peer_median"].tolist() == [7.0, 6.0, 5.0, 4.0, 3.0]
    assert found["nation_value"].iloc[1:].tolist() == [106.0, 105.0, 104.0, 103.0]
    assert len(told(())) == 1


def test_where_many_peers_were_hidden_there_is_no_level() -> None:
    assert DAYS[5] in told(hidden=1)["period"].tolist()
    assert DAYS[5] not in told(hidden=2)["period"].tolist()


def test_what_a_comparison_withholds_is_no_benchmark() -> None:
    (row,) = told(verdict="cannot_judge").to_dict("records")
    assert np.isnan([row["peer_q1"], row["peer_median"], row["peer_q3"]]).all()


def test_the_newest_level_of_the_part_of_the_year_is_taken() -> None:
    rows = pd.DataFrame({"series": "x|E1", "due": [DAYS[8], DAYS[7], pd.NaT]}, index=[4, 2, 9])
    assert at_part(told(), rows, ["x|E1"])["peer_median"].tolist() == [4.0, 7.0, 7.0]
    assert at_part(told(), rows, [])["peer_median"].tolist() == [7.0, 7.0, 7.0]
    gone = at_part(told().iloc[:2], rows, ["x|E1"])
    assert gone.index.tolist() == [4, 2, 9] and gone["peer_median"].isna().tolist()[0]
