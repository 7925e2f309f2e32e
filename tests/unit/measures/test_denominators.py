"""Councils' denominators against the nation's: only where every council is in the sum."""

from __future__ import annotations

from pathlib import Path

import pandas as pd
import pytest

from pmf_analysis.measures.denominators import denominator_notes

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


def test_the_nation_that_published_a_mean_is_found(real_data: Path) -> None:
    """Of Scotland's figures one has the mean of the councils as the nation's denominator."""
    table = pd.read_csv(real_data / "tidy/scotland_lgbf.csv.gz", low_memory=False)
    table = table.rename(columns={"indicator_id": "indicator", "area_code": "area"}).assign(
        dimension="", period_label=table["period"], period=pd.to_datetime(table["period_start"])
    )
    found = denominator_notes(table, table[["indicator"]].drop_duplicates())
    assert found["indicator"].tolist() == ["lgbf_corp03c"]
    assert "all 32 councils" in found["message"].iloc[0]
