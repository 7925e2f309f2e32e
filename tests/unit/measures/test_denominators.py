"""Councils' denominators against the nation's: only where every council is in the sum."""

from __future__ import annotations

from pathlib import Path

import pandas as pd
import pytest

from pmf_analysis.measures.denominators import (
    denominator_jumps,
    denominator_notes,
    moved_periods,
)

REGISTER = pd.DataFrame({"indicator": ["jobs"]})


def panel(
    nation: float, *, councils: int = 40, years: tuple[int, ...] = (2023, 2024)
) -> pd.DataFrame:
    """Councils with 1,000 each and their nation, a row a year."""
    areas = [f"E0600{n:04}" for n in range(councils)]
    rows = [
        {"area": area, "denominator": size, "period": pd.Timestamp(f"{year}-04-01")}
        for year in years
        for area, size in [*((area, 1000.0) for area in areas), ("E92000001", nation)]
    ]
    return pd.DataFrame(rows).assign(
        indicator="jobs",
        dimension="",
        period_label=lambda table: table["period"].dt.year.astype(str),
    )


@pytest.mark.parametrize(
    ("nation", "noted"), [(40_000, False), (40_790, False), (41_000, True), (39_000, True)]
)
def test_two_per_cent_decide(nation: float, noted: bool) -> None:
    found = denominator_notes(panel(nation), REGISTER)
    assert len(found) == noted
    if noted:
        row = found.iloc[0]
        assert (row["level"], row["code"], row["indicator"]) == (
            "info",
            "denominators-differ",
            "jobs",
        )
        assert row["message"].startswith(
            "The denominators of all 40 councils add up to 40,000 in 2024, "
            f"the nation's own is {nation:,}."
        )


def test_a_partial_sum_is_never_compared() -> None:
    wrong = panel(80_000)
    assert len(denominator_notes(wrong, REGISTER)) == 1
    empty = wrong.assign(denominator=wrong["denominator"].mask(wrong["area"] == "E06000003"))
    assert denominator_notes(empty, REGISTER).empty
    # a council without a row in the newest year: the year before is whole, and is looked at
    gone = wrong.drop(index=wrong.index[-2])
    assert "in 2023" in denominator_notes(gone, REGISTER)["message"].iloc[0]
    assert denominator_notes(panel(80_000, councils=29), REGISTER).empty


def test_districts_and_counties_are_two_sums_and_rounded_totals_agree() -> None:
    table = panel(40_000)
    counties = table[table["area"] == "E06000001"].assign(area="E10000001", denominator=20_000.0)
    districts = table["area"].str.replace("E06000[01]", "E07000", regex=True)
    both = pd.concat([table.assign(area=districts), counties])
    assert (districts != table["area"]).any()
    assert denominator_notes(both, REGISTER).empty
    small = table.assign(denominator=table["denominator"] / 200)  # 200 in all
    rounded = small["denominator"].mask(small["area"] == "E92000001", 210)
    assert denominator_notes(small.assign(denominator=rounded), REGISTER).empty
    assert denominator_notes(panel(80_000), pd.DataFrame({"indicator": ["other"]})).empty


def own(sizes: list[float], series: str = "jobs|E1|||v1") -> pd.DataFrame:
    periods = pd.date_range("2020-01-01", periods=len(sizes), freq="QS")
    table = pd.DataFrame({"series": series, "period": periods, "denominator": sizes})
    return table.assign(indicator="jobs", period_label=table["period"].dt.strftime("%b %Y"))


STEADY = [100_000.0, 100_500, 101_000, 101_000, 102_000, 102_500, 103_000, 103_000, 104_000]


def test_a_denominator_that_moves_and_comes_back_is_named_with_its_figures() -> None:
    table = own([*STEADY[:4], 70_000, 70_500, *STEADY[4:]])
    assert moved_periods(table).tolist() == [False] * 4 + [True] * 2 + [False] * 5
    (found,) = denominator_jumps(table).to_dict("records")
    assert (found["level"], found["indicator"]) == ("warning", "jobs")
    assert found["message"] == (
        "The denominator was 101,000 in Oct 2020, then 70,000 in Jan 2021. "
        "The denominator was 70,500 in Apr 2021, then 102,000 in Jul 2021. "
        "That alone moves the rate. Left out of the test of the gap to peers: 2 of 11 periods."
    )
    shuffled = table.sample(frac=1, random_state=1)
    assert moved_periods(shuffled).sort_index().tolist() == moved_periods(table).tolist()


def test_a_move_for_good_parts_the_old_from_the_new() -> None:
    table = own([*(1.3 * size for size in STEADY[:6]), *STEADY[6:], 104_000])
    assert moved_periods(table).tolist() == [True] * 6 + [False] * 4
    grows = own([100_000 * 1.028**year for year in range(30)])
    assert not moved_periods(grows).any()


@pytest.mark.parametrize("sizes", [STEADY, [*STEADY, 121_000], [90, 120, 100, 80, 95] * 3])
def test_what_was_never_steady_or_is_short_is_not_asked_about(sizes: list[float]) -> None:
    asked = len(sizes) == 10 and max(sizes) == 121_000
    assert moved_periods(own(sizes)).any() == asked
    assert denominator_jumps(own(sizes)).empty != asked
    assert denominator_jumps(own([*sizes[:8], float("nan")])).empty


def test_the_nation_that_published_a_mean_is_found(real_data: Path) -> None:
    """Of Scotland's figures one has the mean of the councils as the nation's denominator."""
    table = pd.read_csv(real_data / "tidy/scotland_lgbf.csv.gz", low_memory=False)
    table = table.rename(columns={"indicator_id": "indicator", "area_code": "area"}).assign(
        dimension="", period_label=table["period"], period=pd.to_datetime(table["period_start"])
    )
    found = denominator_notes(table, table[["indicator"]].drop_duplicates())
    assert found["indicator"].tolist() == ["lgbf_corp03c"]
    assert "all 32 councils" in found["message"].iloc[0]
