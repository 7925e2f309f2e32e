"""Cost and performance side by side: percentiles, quadrants, and no verdict from one year."""

import pandas as pd
import pytest

from pmf_analysis.measures.benchmarking import value_for_money
from pmf_analysis.parameters.models import ValuePair

PAIR = (ValuePair(id="waste", title="Waste", cost="spend", performance="recycled"),)
PEERS = [f"P{n}" for n in range(10)]
SETS = pd.DataFrame({"peer_set": "near", "member": [*PEERS, "US"], "member_name": "", "rank": 1})


def rows(indicator: str, values: dict[str, float], start: str, months: int = 12) -> pd.DataFrame:
    first = pd.Timestamp(start)
    frame = pd.DataFrame({"area": list(values), "value": list(values.values())})
    return frame.assign(
        indicator=indicator,
        area_name=frame["area"],
        dimension="",
        definition_version=1,
        period=first,
        period_end=first + pd.DateOffset(months=months) - pd.Timedelta(days=1),
    )


def spread(ours: float) -> dict[str, float]:
    """Ten peers with 10, 20 ... 100, and our own figure."""
    return {name: 10.0 * (n + 1) for n, name in enumerate(PEERS)} | {"US": ours}


def year(start: int, cost: float, done: float) -> pd.DataFrame:
    first = f"{start}-04-01"
    both = rows("spend", spread(cost), first), rows("recycled", spread(done), first)
    return pd.concat(both, ignore_index=True)


def place(*frames: pd.DataFrame, polarity: str = "higher", **asked: object) -> pd.DataFrame:
    register = pd.DataFrame({"indicator": ["recycled"], "polarity": [polarity]})
    panel = pd.concat(frames, ignore_index=True)
    found = value_for_money(panel, register, PAIR, area="US", peer_sets=SETS, **asked)
    return found[found["is_own"].astype(bool)].reset_index(drop=True)


def test_a_percentile_is_the_share_of_peers_below_and_equals_count_half():
    own = place(year(2024, cost=35, done=100)).iloc[0]
    assert (own["cost_percentile"], own["performance_percentile"], own["n_peers"]) == (30, 95, 10)
    assert own["quadrant"] == "low_cost_high_performance"
    lower = place(year(2024, cost=35, done=100), polarity="lower").iloc[0]
    assert (lower["cost_percentile"], lower["performance_percentile"]) == (30, 5)
    assert lower["quadrant"] == "low_cost_low_performance"


@pytest.mark.parametrize(
    ("years", "verdict", "same"),
    [
        ([(15, 95)], "one_year", 1),
        ([(15, 95), (15, 95)], "low_cost_high_performance", 2),
        ([(15, 95), (95, 95), (15, 95)], "changing", 2),
        ([(15, 95), (55, 95), (15, 95)], "changing", 2),
        ([(55, 95), (15, 95)], "changing", 1),
        ([(55, 55), (55, 95), (15, 55)], "middle", 3),
        ([(95, 95), (15, 95), (15, 95), (15, 95)], "low_cost_high_performance", 3),
        ([(95, 15), (95, 15)], "high_cost_low_performance", 2),
    ],
)
def test_a_verdict_needs_two_years_that_agree_and_none_that_contradicts(years, verdict, same):
    found = place(*(year(2018 + n, *values) for n, values in enumerate(years)))
    assert set(found["verdict"]) == {verdict}
    assert set(found["years_same"]) == {same}
    assert set(found["years"]) == {min(len(years), 3)}
    assert found["is_newest"].tolist() == [False] * (len(found) - 1) + [True]
    assert found["reason"].str.endswith("No sampling error is allowed for.").all()


def test_fewer_than_five_peers_or_no_better_direction_cannot_be_judged():
    few = year(2024, 15, 95)
    few = few[~few["area"].isin(PEERS[4:])]
    assert place(few)[["verdict", "quadrant"]].to_numpy().tolist() == [["cannot_judge", ""]]
    own = place(year(2024, 15, 95), year(2023, 15, 95), polarity="range")
    assert set(own["verdict"]) == {"cannot_judge"}
    assert own["reason"].str.startswith("No way is declared better").all()


def test_the_performance_is_of_the_period_that_ends_in_the_year_of_the_cost():
    spend = rows("spend", spread(15), "2024-04-01")
    inside = rows("recycled", spread(95), "2024-01-01")
    nearer = rows("recycled", spread(15), "2024-05-01")  # ends 30 April 2025
    assert place(spend, inside, nearer)["performance_value"].tolist() == [95]
    assert place(spend, nearer)["performance_value"].tolist() == [15]
    far = rows("recycled", spread(15), "2021-04-01")
    assert place(spend, far).empty


def test_peers_count_with_the_same_two_periods_only():
    late = year(2024, 15, 95)
    late.loc[late["area"].isin(PEERS[:3]) & (late["indicator"] == "recycled"), "period_end"] -= (
        pd.Timedelta(days=31)
    )
    assert place(late)["n_peers"].tolist() == [7]


def test_income_is_a_low_cost_and_shuffled_rows_change_nothing():
    frame = pd.concat([year(2024, -5, 95), year(2023, -5, 95)], ignore_index=True)
    found = place(frame)
    assert set(found["verdict"]) == {"low_cost_high_performance"}
    pd.testing.assert_frame_equal(found, place(frame.sample(frac=1, random_state=1)))


def test_a_year_that_only_we_have_yet_is_passed_over():
    alone = year(2025, 95, 15)
    found = place(year(2023, 15, 95), year(2024, 15, 95), alone[alone["area"] == "US"])
    assert found["period"].dt.year.tolist() == [2023, 2024]
    assert set(found["verdict"]) == {"low_cost_high_performance"}
    only = place(alone[alone["area"] == "US"])
    assert only[["verdict", "n_peers"]].to_numpy().tolist() == [["cannot_judge", 0]]
