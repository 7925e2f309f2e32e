"""Comparison with peers: the evidence chosen, the verdict drawn, and what is refused."""

from __future__ import annotations

import re
from typing import Any

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pmf_analysis.measures.comparison import compare
from pmf_analysis.measures.ranks import agreement
from pmf_analysis.parameters.models import ComparisonRules

PEERS = [f"P{i:02}" for i in range(1, 11)]
ANNUAL = pd.date_range("2012-04-01", periods=13, freq="YS-APR")


def peer_sets(members: list[str] = PEERS, name: str = "near") -> pd.DataFrame:
    return pd.DataFrame(
        {
            "peer_set": name,
            "member": ["OWN", *members],
            "member_name": ["Us", *[f"Council {code}" for code in members]],
            "rank": range(len(members) + 1),
        }
    )


def register(**settings: Any) -> pd.DataFrame:
    row = {
        "indicator": "ind", "polarity": "higher", "statistic": "", "rate_base": np.nan,
        "frequency": "annual", "accumulation": "discrete", "periods_per_year": 1.0,
        "target_low": np.nan, "target_high": np.nan,
    }  # fmt: skip
    return pd.DataFrame([{**row, **settings}])


def rows(area: str, values: list[float], **columns: Any) -> pd.DataFrame:
    periods = ANNUAL[-len(values) :]
    table = pd.DataFrame({"series": f"ind|{area}|||v1", "period": periods, "value": values})
    return table.assign(indicator="ind", area=area, **columns)


def panel(own: list[float], peer_level: float = 50.0, **columns: Any) -> pd.DataFrame:
    """Peers at level - 4.5 ... level + 4.5 in every period of ours."""
    peers = [
        rows(code, [peer_level + i - 4.5] * len(own), **columns) for i, code in enumerate(PEERS)
    ]
    return pd.concat([rows("OWN", own, **columns), *peers], ignore_index=True)


def first(observations: pd.DataFrame, declared: pd.DataFrame, **sets: Any) -> pd.Series:
    comparisons, *_ = compare(observations, declared, area="OWN", peer_sets=peer_sets(**sets))
    assert len(comparisons) == 1
    return comparisons.iloc[0]


STEADY = [48.0, 49.0, 48.5, 47.5, 48.0, 49.0, 48.0, 48.5, 49.0, 48.0, 47.5, 49.0, 48.5]


def counted(own: int) -> pd.DataFrame:
    table = panel([own / 10], denominator=1000.0)
    return table.assign(numerator=table["value"] * 10)


@pytest.mark.parametrize(("own", "verdict"), [(300, "worse"), (500, "similar"), (700, "better")])
def test_counts_are_tested_against_the_pooled_value(own: int, verdict: str) -> None:
    found = first(counted(own), register(statistic="proportion"))
    assert (found["verdict"], found["evidence"]) == (verdict, "counts")
    assert found["benchmark"] == pytest.approx(50)
    assert found["lower"] < own / 10 < found["upper"]
    assert ("spread between peers" in found["reason"]) == (verdict != "similar")


def test_a_difference_that_is_ordinary_among_peers_is_somewhat_so() -> None:
    """Big counts tell any two councils apart; the spread between peers says by how much."""
    table = panel([47.0], denominator=200_000.0)
    table["numerator"] = table["value"] * 2000
    found = first(table, register(statistic="proportion"))
    assert found["upper"] < 48
    assert (found["verdict"], found["evidence"]) == ("somewhat_worse", "counts")
    assert "ordinary between peers" in found["reason"]
    assert first(table, register(statistic="proportion", polarity="none"))["verdict"] == (
        "somewhat_lower"
    )
    plain, *_ = compare(
        table,
        register(statistic="proportion"),
        area="OWN",
        peer_sets=peer_sets(),
        rules=ComparisonRules(level=99.8, overdispersion=False),
    )
    assert plain["verdict"].tolist() == ["worse"]


def test_published_intervals_beyond_the_median_are_held_against_the_spread_too() -> None:
    """Last of eleven, far from the median by its interval, and ordinary by the spread."""
    table = panel([43.0])
    table["ci_lower"], table["ci_upper"] = table["value"] - 1, table["value"] + 1
    found = first(table, register())
    assert (found["rank"], found["verdict"], found["evidence"]) == (
        11,
        "somewhat_worse",
        "interval",
    )
    table.loc[table["area"] == "OWN", ["value", "ci_lower", "ci_upper"]] = [30.0, 29.0, 31.0]
    assert first(table, register())["verdict"] == "worse"
    table.loc[table["area"] == "OWN", ["value", "ci_lower", "ci_upper"]] = [49.5, 48.5, 50.5]
    assert first(table, register())["verdict"] == "similar"


def test_totals_have_no_place_and_no_gap() -> None:
    found = first(panel(STEADY), register(data_type="count"))
    assert found["verdict"] == "cannot_judge"
    assert found[["rank", "rank_high", "percentile", "gap"]].isna().all()


def test_rates_use_poisson_intervals_in_their_own_unit() -> None:
    table = panel([20.0], denominator=2000.0)
    table["numerator"] = table["value"] * 2
    found = first(table, register(statistic="rate", rate_base=1000, polarity="lower"))
    assert (found["verdict"], found["evidence"]) == ("better", "counts")
    assert (found["lower"], found["upper"]) == pytest.approx((14.288, 27.235), abs=0.01)


def test_counts_that_do_not_give_the_value_are_not_used() -> None:
    table = counted(400).assign(numerator=lambda frame: frame["numerator"] / 2)
    assert first(table, register(statistic="proportion"))["evidence"] == "values_only"


@pytest.mark.parametrize(
    ("bounds", "verdict"), [((44, 49.9), "worse"), ((44, 50), "similar"), ((50.1, 60), "better")]
)
def test_given_intervals_are_tested_against_the_median(bounds, verdict) -> None:
    table = panel([sum(bounds) / 2])
    own = table["area"] == "OWN"
    table.loc[own, ["ci_lower", "ci_upper"]] = bounds
    found = first(table, register())
    # peers without intervals show no spread beyond which we could lie
    verdict = verdict if verdict == "similar" else f"somewhat_{verdict}"
    assert (found["verdict"], found["evidence"], found["benchmark"]) == (verdict, "interval", 50.0)
    assert ("cannot be tested" in found["reason"]) == (verdict != "similar")


def test_own_history_speaks_from_thirteen_steady_points() -> None:
    found = first(panel(STEADY), register())
    assert (found["verdict"], found["evidence"]) == ("similar", "own_history")
    assert "our last 13 values" in found["reason"]
    lower = [value - 20 for value in STEADY]
    assert first(panel(lower), register())["verdict"] == "somewhat_worse"
    twelve = first(panel(STEADY[1:]), register())
    assert (twelve["verdict"], twelve["evidence"]) == ("position_only", "values_only")
    assert "only 12 of the 13 values" in twelve["reason"]
    changing = first(panel([*STEADY[:-1], 90.0]), register())
    assert changing["evidence"] == "values_only" and "changing" in changing["reason"]
    rolling = first(panel(STEADY), register(accumulation="rolling"))
    assert rolling["evidence"] == "values_only" and "overlap" in rolling["reason"]


def test_money_is_not_a_count() -> None:
    pounds = counted(400).assign(numerator=lambda frame: frame["numerator"] + 0.25)
    assert first(pounds, register(statistic="proportion"))["evidence"] == "values_only"


def test_periods_with_another_denominator_are_drawn_and_not_tested() -> None:
    values = [50.0] * 8 + [62.0, 61.0] + [50.0] * 3
    table = panel(values, denominator=100_000.0)
    table["numerator"] = table["value"] * 1000
    declared = register(statistic="proportion")
    odd = (table["area"] == "OWN") & (table["value"] > 60)
    table.loc[odd, "denominator"] = 1e7 / 200
    table.loc[odd, "numerator"] = table.loc[odd, "value"] * 500
    off = compare(table, declared, area="OWN", peer_sets=peer_sets())
    assert len(off.gaps) == 13 and off.gaps["gap"].max() == 12
    assert off.gaps["is_off"].tolist() == [False] * 8 + [True] * 2 + [False] * 3
    table.loc[odd, ["denominator", "numerator"]] *= 2
    on = compare(table, declared, area="OWN", peer_sets=peer_sets())
    assert not on.gaps["is_off"].any()


def test_one_unusual_peer_cannot_make_us_worse() -> None:
    table = counted(520).assign(denominator=1000.0)
    giant = table["area"] == "P10"
    table.loc[giant, ["numerator", "denominator"]] = [90_000.0, 100_000.0]
    table.loc[giant, "value"] = 90.0
    found = first(table, register(statistic="proportion"))
    assert found["benchmark"] > 85 and found["upper"] < 60  # the pooled value alone would say worse
    assert found["verdict"] == "similar"


def test_totals_are_not_compared() -> None:
    found = first(panel(STEADY), register(data_type="count"))
    assert found["verdict"] == "cannot_judge" and "size of an authority" in found["reason"]


def test_position_ties_and_robust_distance() -> None:
    found = first(panel([53.5]), register())  # equal to the ninth peer
    assert (found["rank"], found["rank_of"], found["percentile"]) == (2, 11, 85.0)
    assert found["peer_median"] == 50 and found["mad_distance"] == pytest.approx(3.5 / 2.5)
    lower = first(panel([53.5]), register(polarity="lower"))
    assert (lower["rank"], lower["percentile"]) == (9, 15.0)
    assert lower["mad_distance"] == found["mad_distance"]
    # measures outside the council's control are placed from the highest value, ties at the better
    for way in ("higher", "lower", "range", "none", "unknown"):
        assert first(panel([53.5]), register(polarity=way))["rank_high"] == 2


@pytest.mark.parametrize(
    ("settings", "words"),
    [
        ({"polarity": "unknown"}, "Nobody has declared which way is better"),
        ({"polarity": "range"}, "Nobody has declared the range"),
    ],
)
def test_undeclared_polarity_is_not_judged(settings, words) -> None:
    found = first(panel(STEADY), register(**settings))
    assert (found["verdict"], found["evidence"]) == ("cannot_judge", "none")
    assert words in found["reason"] and found["rank"] == 7


def test_no_polarity_says_higher_or_lower() -> None:
    low = [value - 20 for value in STEADY]
    assert first(panel(low), register(polarity="none"))["verdict"] == "somewhat_lower"
    band = register(polarity="range", target_low=27.0, target_high=30.0)
    assert first(panel(low), band)["verdict"] == "somewhat_better"


def test_fewer_than_five_peers_are_counted_and_named() -> None:
    table = panel(STEADY)
    table.loc[table["area"].isin(PEERS[4:]), "value"] = np.nan
    found = first(table, register())
    assert found["verdict"] == "cannot_judge" and "Only 4 of 10 similar" in found["reason"]
    assert np.isnan(found["peer_median"]) and np.isnan(found["rank"])
    assert found["peers_missing"].startswith("Council P05; Council P06")


def test_an_earlier_shared_period_is_compared_and_said() -> None:
    table = panel(STEADY)
    newest = (table["period"] == ANNUAL[-1]) & (table["area"] != "OWN")
    found = first(table[~newest], register())
    assert found["period"] == ANNUAL[-2] and found["value"] == 49.0
    assert "an earlier one is compared" in found["reason"]


def test_no_usable_value_of_our_own() -> None:
    found = first(panel([np.nan]), register())
    assert found["verdict"] == "cannot_judge" and "We have no value" in found["reason"]


def test_other_definitions_are_not_compared() -> None:
    table = panel(STEADY)
    others = table["area"] != "OWN"
    table.loc[others, "series"] = table.loc[others, "series"].str.replace("v1", "v2")
    assert first(table, register())["verdict"] == "cannot_judge"


def test_a_gap_is_our_value_minus_the_median_of_the_others() -> None:
    closing = [30.0 + 1.5 * step for step in range(12)]
    _, peers, gaps, *_ = compare(panel(closing), register(), area="OWN", peer_sets=peer_sets())
    assert gaps["gap"].tolist() == pytest.approx([value - 50 for value in closing])
    assert len(peers) == 11 and peers["is_own"].sum() == 1


def test_hidden_peers_leave_no_fair_picture() -> None:
    table = panel(STEADY).assign(status="final")
    hidden = table["area"].isin(PEERS[:2])
    table.loc[hidden, ["value", "status"]] = [np.nan, "suppressed"]
    found = first(table, register())
    assert (found["n_hidden"], found["verdict"]) == (2, "cannot_judge")
    assert "small numbers: 2 of the" in found["reason"]
    table.loc[hidden, "status"] = "missing"
    assert first(table, register())["verdict"] == "somewhat_worse"


def test_a_set_that_was_chosen_by_the_indicator_does_not_judge_it() -> None:
    sets = peer_sets().assign(built_on="other; ind")
    found = compare(panel(STEADY), register(), area="OWN", peer_sets=sets).comparisons.iloc[0]
    assert found["verdict"] == "cannot_judge" and "very indicator" in found["reason"]
    sets = peer_sets().assign(built_on="other; index")
    found = compare(panel(STEADY), register(), area="OWN", peer_sets=sets).comparisons.iloc[0]
    assert found["verdict"] == "similar"


def test_quarters_go_by_the_quartiles_that_are_printed() -> None:
    for value, quarter in [(52.5, 1), (52.0, 2), (50.0, 2), (49.0, 3), (47.75, 3), (47.0, 4)]:
        assert first(panel([value]), register())["quarter"] == quarter
        flipped = first(panel([100 - value]), register(polarity="lower"))
        assert flipped["quarter"] == quarter


def test_the_usual_range_is_where_the_verdict_changes() -> None:
    found = first(counted(300), register(statistic="proportion"))
    assert found["verdict"] == "worse" and found["value"] < found["limit_low"]
    inside = first(counted(10 * int(found["limit_low"] + 1)), register(statistic="proportion"))
    assert inside["verdict"] == "somewhat_worse"


def mirrored(verdict: str) -> str:
    swap = {"better": "worse", "worse": "better"}
    return re.sub("better|worse", lambda found: swap[found[0]], verdict)


@given(st.lists(st.integers(30, 70).map(float), min_size=1, max_size=12))
@settings(max_examples=4, deadline=None)
def test_flipping_polarity_swaps_better_and_worse_and_nothing_else(own: list[float]) -> None:
    up, down = (
        compare(panel(own), register(polarity=way), area="OWN", peer_sets=peer_sets())[0]
        for way in ("higher", "lower")
    )
    assert up["verdict"].map(mirrored).tolist() == down["verdict"].tolist()
    assert up["percentile"].tolist() == (100 - down["percentile"]).tolist()
    # a gap is only closed from the unfavourable side, which has moved to the other council
    closing = ["close_years", "close_pace", "peers_tested", "peers_kept", "own_kept"]
    flipped = ["verdict", "rank", "percentile", "quarter", "quintile", *closing]
    pd.testing.assert_frame_equal(up.drop(columns=flipped), down.drop(columns=flipped))


def test_shuffled_rows_and_added_areas_change_nothing() -> None:
    table = panel(STEADY)
    stranger = rows("X", [1.0] * 8)
    mixed = pd.concat([stranger, table.sample(frac=1, random_state=2)], ignore_index=True)
    arguments = {"area": "OWN", "peer_sets": peer_sets()}
    for ours, theirs in zip(
        compare(table, register(), **arguments),
        compare(mixed, register(), **arguments),
        strict=True,
    ):
        pd.testing.assert_frame_equal(ours, theirs)


def made(seed: int = 3, peers: int = 15, size: int = 800) -> pd.DataFrame:
    """Counts of us and peers whose true levels differ, in three years."""
    rng = np.random.default_rng(seed)
    tables = []
    for name in ["OWN", *[f"P{i:02}" for i in range(1, peers + 1)]]:
        sizes = rng.integers(size // 2, 2 * size, 3)
        count = rng.binomial(sizes, np.clip(rng.normal(0.5, 0.06), 0.05, 0.95))
        columns = {"numerator": count.astype(float), "denominator": sizes.astype(float)}
        tables.append(rows(name, list(100 * count / sizes), **columns))
    return pd.concat(tables, ignore_index=True)


def sets_of(peers: int = 15) -> pd.DataFrame:
    names = [f"P{i:02}" for i in range(1, peers + 1)]
    other = peer_sets(names[:7], "other").assign(rank=np.nan)
    return pd.concat([peer_sets(names), other], ignore_index=True)


@given(st.integers(0, 10_000))
@settings(max_examples=3, deadline=None)
def test_strangers_order_and_names_of_peers_move_nothing(seed: int) -> None:
    table, declared = made(seed), register(statistic="proportion")
    found = compare(table, declared, area="OWN", peer_sets=sets_of())
    renamed = {f"P{i:02}": f"Q{(7 * i) % 16:02}" for i in range(1, 16)}
    other = table.assign(area=table["area"].replace(renamed))
    other["series"] = "ind|" + other["area"] + "|||v1"
    stranger = rows("X", [1.0, 2.0, 3.0], numerator=10.0, denominator=1000.0)
    other = pd.concat([stranger, other.sample(frac=1, random_state=seed)], ignore_index=True)
    sets = sets_of().assign(member=lambda frame: frame["member"].replace(renamed))
    again = compare(other, declared, area="OWN", peer_sets=sets.sample(frac=1, random_state=seed))
    for name in ("comparisons", "gaps", "funnels", "robustness"):
        pd.testing.assert_frame_equal(getattr(found, name), getattr(again, name))
    names = ["area"]
    pd.testing.assert_frame_equal(found.peers.drop(columns=names), again.peers.drop(columns=names))


@given(st.integers(0, 10_000))
@settings(max_examples=3, deadline=None)
def test_flipped_polarity_mirrors_ranks_and_their_range(seed: int) -> None:
    up, down = (
        compare(
            made(seed, size=60),
            register(statistic="proportion", polarity=way),
            area="OWN",
            peer_sets=sets_of(),
        )
        for way in ("higher", "lower")
    )
    ours, theirs = up.comparisons, down.comparisons
    best, worst = (ours["rank_of"] + 1 - theirs[name] for name in ("rank_worst", "rank_best"))
    pd.testing.assert_series_equal(ours["rank_best"], best, check_names=False)
    pd.testing.assert_series_equal(ours["rank_worst"], worst, check_names=False)
    assert ours["rank"].between(ours["rank_best"], ours["rank_worst"]).all()
    assert ours["verdict"].map(mirrored).tolist() == theirs["verdict"].tolist()
    same = ["funnel_label", "adjusted_z", "phi", "tau2", "robust_of", "robust_same", "reason"]
    pd.testing.assert_frame_equal(ours[same], theirs[same])
    pd.testing.assert_frame_equal(up.funnels, down.funnels)


def test_other_sets_and_the_nearest_are_counted() -> None:
    found = compare(made(), register(statistic="proportion"), area="OWN", peer_sets=sets_of())
    table = found.robustness
    assert table.loc[table["peer_set"] == "near", "k"].tolist() == [0, 10, 11, 12, 13, 14]
    assert table.loc[table["peer_set"] == "other", "k"].tolist() == [0]  # no order, no nearest
    assert table.loc[table["k"] > 0, "n_peers"].tolist() == [10, 11, 12, 13, 14]
    nearest = compare(
        made(),
        register(statistic="proportion"),
        area="OWN",
        peer_sets=sets_of().query("rank <= 10"),
    ).comparisons.iloc[0]
    row = table[table["k"] == 10].iloc[0]
    assert row[["peer_median", "rank", "n_level"]].equals(
        nearest[["peer_median", "rank", "n_level"]]
    )
    assert found.comparisons["robust_of"].tolist() == [6, 6]


def test_somewhat_better_is_on_the_side_of_better_and_against_worse() -> None:
    verdicts = ["better", "somewhat_better", "similar", "somewhat_worse", "worse"]
    sets = [f"set {n}" for n in range(5)]
    cases = pd.DataFrame({"peer_set": sets, "verdict": verdicts})
    cases = cases.assign(series="a", k=0, period=ANNUAL[0], percentile=60.0, who=range(5))
    beside = agreement(cases, cases).set_index(["peer_set", "peer_set_other"])
    agrees, opposes = beside["agrees"].unstack(), beside["opposes"].unstack()
    assert agrees.loc["set 1"].dropna().tolist() == [1, 0, 0, 0]
    assert agrees.loc["set 2"].dropna().tolist() == [0, 0, 0, 0]
    assert opposes.loc["set 1"].dropna().tolist() == [0, 0, 1, 1]
    again = cases.assign(verdict="similar")
    assert agreement(again, again)[["agrees", "opposes"]].mean().tolist() == [1, 0]


def test_the_three_averages_are_three_columns() -> None:
    table = counted(500)
    giant = table["area"] == "P10"
    table.loc[giant, ["numerator", "denominator", "value"]] = [90_000.0, 100_000.0, 90.0]
    found = first(table, register(statistic="proportion"))
    assert found["peer_median"] == 50.0
    assert found["peer_mean"] == pytest.approx((sum(range(9)) + 9 * 45.5 + 90) / 10)
    peers = table[table["area"] != "OWN"]
    pooled = 100 * peers["numerator"].sum() / peers["denominator"].sum()
    assert found["pooled"] == pytest.approx(pooled) and found["n_counted"] == 10


def test_a_count_below_ten_gives_no_verdict_and_the_next_evidence_speaks() -> None:
    table = counted(500)
    own = table["area"] == "OWN"
    table.loc[own, ["numerator", "denominator", "value"]] = [9.0, 900.0, 1.0]
    found = first(table, register(statistic="proportion"))
    assert (found["verdict"], found["funnel_label"]) == ("position_only", "")
    assert "below 10" in found["reason"]
    table.loc[own, ["ci_lower", "ci_upper"]] = [0.5, 2.0]
    found = first(table, register(statistic="proportion"))
    assert (found["verdict"], found["evidence"], found["upper"]) == ("worse", "interval", 2.0)


def test_a_sample_size_gives_an_interval_that_says_what_it_assumes() -> None:
    table = panel([10.0], sample_size=400.0)
    found = first(table, register(data_type="survey_percentage"))
    assert (found["verdict"], found["evidence"]) == ("worse", "interval")
    assert found["lower"] == pytest.approx(7.430, abs=1e-3) and "design effect" in found["reason"]
    assert first(table, register(data_type="score"))["evidence"] == "values_only"


def test_our_counts_alone_beside_bare_values_of_peers_are_no_test() -> None:
    table = counted(300)
    peers = table["area"] != "OWN"
    table.loc[peers, ["numerator", "denominator"]] = np.nan
    assert first(table, register(statistic="proportion"))["verdict"] == "position_only"
    five = table["area"].isin(PEERS[:5])
    table.loc[five, ["ci_lower", "ci_upper"]] = [[40.0, 55.0]] * 5
    assert first(table, register(statistic="proportion"))["evidence"] == "interval"


def test_money_index_and_ratio_never_count_as_counts() -> None:
    for data_type in ("money", "index", "ratio"):
        declared = register(statistic="proportion", data_type=data_type)
        assert first(counted(400), declared)["evidence"] == "values_only"


def test_spans_that_differ_are_never_mixed() -> None:
    table = panel(STEADY, period_end=pd.Timestamp("2025-03-31"))
    table.loc[table["area"] != "OWN", "period_end"] += pd.Timedelta(days=365)
    assert first(table, register())["verdict"] == "cannot_judge"
    table = panel(STEADY, accumulation="ytd")
    table.loc[table["area"] != "OWN", "accumulation"] = "rolling"
    assert first(table, register())["verdict"] == "cannot_judge"


def test_peers_that_are_ahead_are_counted_and_long_delays_said() -> None:
    table = panel(STEADY)
    own_old = (table["area"] == "OWN") & (table["period"] > ANNUAL[-4])
    found = first(table[~own_old], register())
    assert found["peers_ahead"] == 10 and found["period"] == ANNUAL[-4]
    assert "more than two of our periods newer" in found["reason"]
    near = (table["area"] == "OWN") & (table["period"] > ANNUAL[-3])
    assert "periods newer" not in first(table[~near], register())["reason"]


def test_labels_are_those_of_the_limits_drawn() -> None:
    found = compare(made(8), register(statistic="proportion"), area="OWN", peer_sets=sets_of())
    peers = found.peers[found.peers["peer_set"] == "near"]
    limits = found.funnels[found.funnels["peer_set"] == "near"]
    assert len(limits) == 40 and limits["size"].is_monotonic_increasing
    high = np.interp(peers["denominator"], limits["size"], limits["upper_95"])
    low = np.interp(peers["denominator"], limits["size"], limits["lower_95"])
    expected = np.sign(peers["value"] - high) + np.sign(peers["value"] - low)
    names = {"low_998": -2, "low_95": -2, "within": 0, "high_95": 2, "high_998": 2}
    assert peers["label"].map(names).tolist() == expected.tolist()
    assert found.comparisons["n_counted"].tolist() == [15, 7]


def test_without_peers_or_own_rows_every_table_has_its_columns() -> None:
    full = compare(made(), register(statistic="proportion"), area="OWN", peer_sets=sets_of())
    nobody = compare(made(), register(), area="OWN", peer_sets=sets_of().iloc[:0])
    nothing = compare(made(), register(), area="NONE", peer_sets=sets_of())
    for tables in (nobody, nothing):
        for name, table in tables._asdict().items():
            assert table.empty and list(table.columns) == list(getattr(full, name).columns), name
