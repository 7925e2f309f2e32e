"""Leads to follow up: the group, the start regressed out, the noise, and what is never said."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pmf_analysis.measures.leads import ITS_WEIGHT, USUAL_RELIABILITY, leads, shrunken

PEERS = [f"P{i:02}" for i in range(12)]
REGISTER = {
    "indicator": "ind", "polarity": "higher", "statistic": "", "data_type": "percentage",
    "rate_base": np.nan, "frequency": "annual", "accumulation": "discrete",
    "periods_per_year": 1.0, "target_low": np.nan, "target_high": np.nan,
}  # fmt: skip


def register(**columns: Any) -> pd.DataFrame:
    return pd.DataFrame([{**REGISTER, **columns}])


def sets(members: list[str] = PEERS) -> pd.DataFrame:
    names = [f"Council {code}" for code in members]
    ranks = range(1, len(members) + 1)
    table = {"peer_set": "near", "member": members, "member_name": names, "rank": ranks}
    return pd.DataFrame(table)


def panel(values: dict[str, Any], first: str = "2010-04-01") -> pd.DataFrame:
    """One row an area and year."""
    tables = []
    for area, numbers in values.items():
        periods = pd.date_range(first, periods=len(numbers), freq="YS-APR")
        columns = {"series": f"ind|{area}|||v1", "area": area, "period": periods}
        tables.append(pd.DataFrame(columns | {"value": np.asarray(numbers, dtype=float)}))
    return pd.concat(tables, ignore_index=True).assign(indicator="ind")


def made(seed: int = 0, years: int = 10, peers: list[str] = PEERS, noise: float = 1.0) -> Any:
    """Everybody differs in level and wobbles; P03 truly gains twelve in the last three years."""
    rng = np.random.default_rng(seed)
    values = {area: 50 + rng.normal(0, 5) + rng.normal(0, noise, years) for area in ["OWN", *peers]}
    values["P03"][-1] += 12
    return panel(values)


def found(observations: pd.DataFrame, **columns: Any) -> pd.DataFrame:
    names = sorted(set(observations["area"]) - {"OWN"})
    return leads(observations, register(**columns), area="OWN", peer_sets=sets(names))


def test_who_truly_gained_leads_and_stands_out() -> None:
    table = found(made())
    first = table.iloc[0]
    assert table["place"].tolist() == list(range(1, len(table) + 1)) and len(table) <= 5
    assert (first["area"], first["area_name"]) == ("P03", "Council P03")
    assert first["stands_out"] == 1 and (table["stands_out"] == (table["lower"] > 0)).all()
    assert (first["n_group"], first["years"]) == (12, 3)
    assert (first["start_period"].year, first["period"].year) == (2016, 2019)
    assert 0 < first["shrunken"] < first["improvement"] < 14
    assert table["lower"].lt(table["shrunken"]).all() and table["shrunken"].lt(table["upper"]).all()


def test_a_lead_gained_itself_and_is_ahead_of_us() -> None:
    rows = made()
    assert "P03" in set(found(rows)["area"])
    best = rows["value"].max() + 1
    ours = (rows["area"] == "OWN") & (rows["period"] == rows["period"].max())
    assert found(rows.assign(value=rows["value"].mask(ours, best))).empty
    # everybody lost, P03 only less than the others: no example to follow
    falls = rows["value"] - 20 * (rows["period"].dt.year > 2016)
    assert found(rows.assign(value=falls)).empty


def test_of_a_restless_council_less_is_believed() -> None:
    rows = made(years=16)
    wobble = 6 * (-1.0) ** rows["period"].dt.year * (rows["area"] == "P03")
    last = rows["period"].dt.year.isin([2022, 2025])  # start and end stay as they were
    restless = rows.assign(value=rows["value"] + wobble.mask(last, 0.0))
    calm, moved = (found(table).set_index("area").loc["P03"] for table in (rows, restless))
    assert moved["improvement"] == pytest.approx(calm["improvement"])
    assert moved["reliability"] < calm["reliability"]
    assert moved["lower"] < calm["lower"] and moved["shrunken"] < calm["shrunken"]


def test_raw_changes_of_ours_and_of_the_group_are_told() -> None:
    observations = made()
    first = found(observations).iloc[0]
    wide = observations.pivot(index="area", columns="period", values="value")
    change = wide[first["period"]] - wide[first["start_period"]]
    assert first["own_improvement"] == pytest.approx(change["OWN"])
    assert first["group_improvement"] == pytest.approx(change[PEERS].mean())
    assert first["value"] - first["start_value"] == pytest.approx(change["P03"])


def test_where_only_chance_is_at_work_hardly_anybody_stands_out() -> None:
    rng, names = np.random.default_rng(3), [f"i{number}" for number in range(60)]
    many = [
        panel({area: rng.normal(50, 2, 12) for area in ["OWN", *PEERS]}).assign(indicator=name)
        for name in names
    ]
    rows = pd.concat(many, ignore_index=True)
    rows["series"] = rows["indicator"] + "|" + rows["area"] + "|||v1"
    declared = pd.concat([register(indicator=name) for name in names])
    table = leads(rows, declared, area="OWN", peer_sets=sets())
    firsts = table[table["place"] == 1]
    assert 50 < len(firsts) <= 60  # in some sets nobody who gained is ahead of us
    assert firsts["stands_out"].mean() <= 0.1
    # the usual reliability gives way to what the groups' own records show
    assert firsts["reliability"].mean() < USUAL_RELIABILITY - 0.1
    assert (firsts["shrunken"] < 0.5 * firsts["improvement"]).mean() > 0.8


def test_a_rise_that_the_start_made_usual_is_no_improvement() -> None:
    """Whoever starts low catches up by half in this group; nobody does better than that."""
    starts = {area: 40.0 + number for number, area in enumerate(["OWN", *PEERS])}
    values = {area: [start] * 4 + [start + (60 - start) / 2] for area, start in starts.items()}
    assert found(panel(values)).empty
    values["P00"][-1] += 4
    table = found(panel(values))
    assert table["area"].iloc[0] == "P00" and table["improvement"].iloc[0] < 4


def test_many_councils_are_cut_to_those_of_a_similar_start() -> None:
    areas = [f"P{number:02}" for number in range(60)]
    rng = np.random.default_rng(5)
    values = {area: [float(number)] * 4 + [0.0] for number, area in enumerate(areas)}
    for series in values.values():
        series[-1] = series[0] + rng.normal(0, 3)
    values["P59"][-1] += 90  # improved most, from a start that is not ours
    values["OWN"] = [10.0] * 5
    table = found(panel(values))
    assert table["n_group"].tolist() == [20] * len(table)
    assert table["start_value"].between(0, 20).all()


@pytest.mark.parametrize(
    "settings",
    [
        {"data_type": "count"},
        {"polarity": "unknown"},
        {"polarity": "none"},
        {"price_basis": "current"},
        {"polarity": "range"},  # nobody declared the range
        {"periods_per_year": 52.0, "frequency": "weekly"},
    ],
)
def test_nothing_is_said_where_nothing_can_be(settings: dict[str, Any]) -> None:
    table = found(made(), **settings)
    assert table.empty and list(table) == list(found(made()))


def test_fewer_than_ten_councils_are_not_ranked() -> None:
    assert found(made(peers=PEERS[:9])).empty
    assert len(found(made(peers=PEERS[:10])))
    assert found(made()[lambda rows: rows["area"] != "OWN"]).empty


def test_exceptional_years_are_neither_start_nor_end() -> None:
    rows = made()
    years = rows["period"].dt.year
    table = found(rows.assign(is_exceptional=years == 2016))  # the start of 2019
    assert (table["period"].dt.year == 2018).all()
    table = found(rows.assign(is_exceptional=years == 2019))
    assert (table["period"].dt.year == 2018).all()


def test_rolling_windows_share_no_data() -> None:
    table = found(made(years=12), accumulation="rolling", period_span="5y")
    assert set(table["years"]) == {5}
    assert (table["period"].dt.year - table["start_period"].dt.year == 5).all()


def test_a_band_is_improved_towards() -> None:
    rows = made().assign(value=lambda table: table["value"] - 70)
    table = found(rows, polarity="range", target_low=-5.0, target_high=5.0)
    assert table["area"].iloc[0] == "P03" and table["improvement"].iloc[0] > 0


def test_sampling_error_that_is_known_shrinks_those_it_concerns() -> None:
    start, end = np.arange(12.0), np.arange(12.0) + np.tile([2.0, -2.0], 6)
    sampling = np.where(np.arange(12) == 0, 3.0, 1.0)
    known = shrunken(start, end, sampling, 0.0, 500)["reliability"]
    assert known[0] < known[1:].min() == known[1:].max()
    some = np.where(np.arange(12) < 6, sampling, np.nan)  # the others count as these on average
    partly = shrunken(start, end, some, 0.0, 500)["reliability"]
    assert known[0] < partly[6] < known[1]
    nothing = shrunken(start, end, sampling + 100, 0.0, 500)
    assert nothing["shrunken"].tolist() == [0.0] * 12 and (nothing["lower"] <= 0).all()


def test_the_usual_reliability_gives_way_to_a_long_record() -> None:
    start, end = np.zeros(12), np.tile([2.0, -2.0], 6)
    variance = 48 / 10
    short = shrunken(start, end, start, 0.75 * variance, 0)["reliability"]
    assert short == pytest.approx(np.full(12, USUAL_RELIABILITY))
    half = shrunken(start, end, start, 0.75 * variance, int(ITS_WEIGHT))["reliability"]
    assert half == pytest.approx(np.full(12, (USUAL_RELIABILITY + 0.25) / 2))


@given(st.integers(0, 10_000), st.sampled_from([0, 1, 2]))
@settings(max_examples=12, deadline=None)
def test_laws(seed: int, law: int) -> None:
    """Order of rows, a council outside the set, and the mirror image change nothing."""
    rows = made(seed)
    expected = found(rows)
    if law == 0:
        actual = found(rows.sample(frac=1, random_state=seed))
    elif law == 1:
        stranger = panel({"X": np.random.default_rng(seed).normal(90, 9, 10)})
        mixed = pd.concat([stranger, rows], ignore_index=True)
        actual = leads(mixed, register(), area="OWN", peer_sets=sets())
    else:
        actual = found(rows.assign(value=-rows["value"]), polarity="lower")
        actual[["start_value", "value"]] *= -1
    pd.testing.assert_frame_equal(expected, actual)


def test_shrunken_leads_hold_in_made_up_groups() -> None:
    """Half of each change lasts: what is told is what lasted, and its interval holds."""
    rng, told, lasting, inside = np.random.default_rng(11), 0.0, 0.0, []
    for _ in range(150):
        gain, level = rng.normal(0, 1, 20), rng.normal(0, 5, 20)
        start, end = level + rng.normal(0, 0.7, 20), level + gain + rng.normal(0, 0.7, 20)
        one = shrunken(start, end, np.zeros(20), 0.98, 400)
        first = int(np.argmax(one["shrunken"]))
        truth = gain[first] - gain.mean()
        told, lasting = told + one["shrunken"][first], lasting + truth
        inside.append(one["lower"][first] <= truth <= one["upper"][first])
    assert 0.85 < lasting / told < 1.15
    assert np.mean(inside) >= 0.9
