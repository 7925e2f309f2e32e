"""Exam of target realism on English panels that nothing was learnt from.

    python benchmarks/realism_panels.py DATA_FOLDER [PANEL ...] [--indicators N]

Children's services (two collections), housing, and quarterly homelessness. For each origin, series,
horizon and seven rules of setting a target: the chance from `assess_targets`, which sees nothing
after the origin, against what happened; beside it a naive normal forecast (the newest value, as
uncertain as past changes were) on the same questions. The year from April 2020 is declared
exceptional, as a council would have done. Skill is against the base rate of each rule, origin and
horizon, known only afterwards.
"""

from __future__ import annotations

import argparse
import time
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pandas as pd
from scipy.special import ndtr
from scores import brier_skill, calibration_error

from pmf_analysis.measures import backtest
from pmf_analysis.measures.backtest import rule_questions

PANELS = {  # file: (frequency, horizons in periods, years of origins)
    "children_dfe_ees_counts": ("annual", (1, 2), range(2017, 2024)),
    "children_dfe_lait": ("annual", (1, 2), range(2017, 2024)),
    "housing_annual": ("annual", (1, 2), range(2012, 2023)),
    "homelessness_hclic_quarterly": ("quarterly", (1, 2, 4), range(2020, 2026)),
}
COVID = ((pd.Timestamp(2020, 4, 1), pd.Timestamp(2021, 3, 31)),)
FEWEST_VALUES, FEWEST_AREAS = {"annual": 5, "quarterly": 8}, 40
PERIODS = {"annual": 1, "quarterly": 4}


def load(data: Path, name: str) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Values of English councils by indicator with a declared direction, and their register."""
    rows = pd.read_csv(data / "tidy" / f"{name}.csv.gz", low_memory=False)
    rows = rows[(rows["frequency"] == PANELS[name][0]) & rows["polarity"].isin(["higher", "lower"])]
    rows = rows[rows["area_code"].astype("str").str.match("E0[6-9]|E10")].dropna(subset=["value"])
    areas = rows.groupby("indicator_id")["area_code"].nunique()
    rows = rows[rows["indicator_id"].isin(areas.index[areas >= FEWEST_AREAS])]
    text = rows["value"].round(6).astype("str").str.rpartition(".")[2].str.rstrip("0")
    places = text.str.len().groupby(rows["indicator_id"]).quantile(0.99)
    observations = pd.DataFrame(
        {
            "series": rows["indicator_id"] + "|" + rows["area_code"] + "|||v1",
            "indicator": rows["indicator_id"],
            "area": rows["area_code"],
            "period": pd.to_datetime(rows["period_start"]),
            "value": rows["value"],
        }
    )
    one = rows.drop_duplicates("indicator_id").set_index("indicator_id")
    shares = (one["unit"] == "%") | one["unit"].astype("str").str.startswith("%")
    register = pd.DataFrame(
        {
            "indicator": one.index,
            "polarity": one["polarity"].to_numpy(),
            "frequency": PANELS[name][0],
            "decimals": places.reindex(one.index).clip(upper=6).astype(int).to_numpy(),
            "minimum": np.where(
                rows.groupby("indicator_id")["value"].min()[one.index] >= 0, 0, np.nan
            ),
            "maximum": np.where(shares, 100.0, np.nan),
            "exceptional_periods": [COVID] * len(one),
        }
    )
    return observations.reset_index(drop=True), register


def origins(observations: pd.DataFrame, years: range) -> Iterator[pd.Timestamp]:
    """Starts of periods in those years, in order."""
    starts = pd.Series(observations["period"].unique()).sort_values()
    yield from starts[starts.dt.year.isin(list(years))]


def naive(observations: pd.DataFrame, asked: pd.DataFrame, origin: pd.Timestamp) -> np.ndarray:
    """Chance from a normal distribution about the newest value, by past one-period changes."""
    past = observations[observations["period"] <= origin].sort_values(["series", "period"])
    values = past.groupby("series")["value"]
    last, spread = values.last(), values.apply(lambda v: np.sqrt((v.diff() ** 2).mean()))
    centre = last.reindex(asked["series"]).to_numpy(float)
    scale = spread.reindex(asked["series"]).to_numpy(float) * np.sqrt(asked["horizon"].to_numpy())
    distance = asked["sign"].to_numpy() * (centre - asked["target"].to_numpy(float))
    return np.asarray(ndtr(distance / np.maximum(scale, 1e-12)))


def answered(
    observations: pd.DataFrame, register: pd.DataFrame, origin: pd.Timestamp, name: str
) -> pd.DataFrame:
    """Questions of one origin with both chances and what happened."""
    frequency, horizons, _ = PANELS[name]
    known = observations[observations["period"] <= origin]
    enough = known.groupby("series")["value"].transform("size") >= FEWEST_VALUES[frequency]
    if not (enough & (known["period"] == origin)).any():
        return known.head(0)
    rules = rule_questions(known[enough], register, origin, (1,))
    months = 12 // PERIODS[frequency]
    asked = pd.concat(
        [
            rules.assign(horizon=h, period=origin + pd.DateOffset(months=months * h))
            for h in horizons
        ]
    )
    asked["target_id"] += "|" + asked["horizon"].astype("str")
    asked["sign"] = asked["better"].map({"higher": 1.0, "lower": -1.0})
    table = backtest.answered(observations, asked, register, observations, origin)
    table["naive"] = naive(observations, table, origin)
    table["base"] = table.groupby(["kind", "horizon"])["met"].transform("mean")
    return table.assign(origin=origin)


def exam(data: Path, name: str, most: int | None) -> pd.DataFrame:
    """All answered questions of a panel."""
    observations, register = load(data, name)
    if most:
        register = register.iloc[:: max(1, len(register) // most)].head(most)
        observations = observations[observations["indicator"].isin(register["indicator"])]
    starts = origins(observations, PANELS[name][2])
    parts = [answered(observations, register, origin, name) for origin in starts]
    return pd.concat([part for part in parts if len(part)], ignore_index=True)


def report(name: str, table: pd.DataFrame, seconds: float) -> None:
    """Print skill and calibration error of ours and of the naive forecast, by horizon."""
    series = table.groupby("origin")["series"].nunique().sum()
    print(f"{name}: {series} series-origins, {1000 * seconds / series:.2f} ms CPU each")
    for horizon, part in table.groupby("horizon"):
        met, base = part["met"].to_numpy(), part["base"].to_numpy()
        own, naive_chance = part["probability"].to_numpy(), part["naive"].to_numpy()
        skills = [brier_skill(chance, met, base) for chance in (own, naive_chance)]
        error = calibration_error(own, met)
        print(
            f"  {horizon} ahead: {len(part)} questions, skill {skills[0]:.3f}, "
            f"naive normal {skills[1]:.3f}, calibration error {error:.3f}"
        )


def main() -> None:
    """Examine the panels named, or all."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("data", type=Path)
    parser.add_argument("panels", nargs="*", default=list(PANELS))
    parser.add_argument("--indicators", type=int, help="about so many of each panel")
    options = parser.parse_args()
    for name in options.panels:
        started = time.process_time()
        table = exam(options.data, name, options.indicators)
        report(name, table, time.process_time() - started)


if __name__ == "__main__":
    main()
