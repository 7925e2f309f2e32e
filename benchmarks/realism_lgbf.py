"""Exam of target realism on the Local Government Benchmarking Framework (Scottish councils).

    python benchmarks/realism_lgbf.py DATA_FOLDER [--indicators N]

For each origin, series, horizon (1 and 2 years) and seven target rules: the chance from
`assess_targets`, which sees nothing after the origin, against what happened. Skill is against the
base rate of each rule, origin and horizon, known only afterwards: a demanding reference.
"""

from __future__ import annotations

import argparse
import time
from pathlib import Path

import numpy as np
import pandas as pd
from scores import brier_skill, calibration_error

from pmf_analysis.measures import backtest
from pmf_analysis.measures.backtest import rule_questions

ORIGINS = (2016, 2017, 2018, 2020)  # first years of 2016-17, 2017-18, 2018-19 and 2020-21
HORIZONS = (1, 2)


def load(data: Path) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Annual values of councils by indicator with a declared direction, and their register."""
    rows = pd.read_csv(data / "tidy" / "scotland_lgbf.csv.gz")
    rows = rows[(rows["frequency"] == "annual") & rows["polarity"].isin(["higher", "lower"])]
    rows = rows[rows["area_code"].astype("str").str.startswith("S12")]
    observations = pd.DataFrame(
        {
            "series": rows["indicator_id"] + "|" + rows["area_code"] + "|||v1",
            "indicator": rows["indicator_id"],
            "area": rows["area_code"],
            "period": pd.to_datetime(rows["period_start"]),
            "value": rows["value"],
        }
    ).dropna(subset=["value"])
    one = rows.drop_duplicates("indicator_id")
    percent = one["unit"] == "%"
    register = pd.DataFrame(
        {
            "indicator": one["indicator_id"],
            "polarity": one["polarity"],
            "frequency": "annual",
            "minimum": np.where(percent, 0.0, np.nan),
            "maximum": np.where(percent, 100.0, np.nan),
        }
    )
    return observations.reset_index(drop=True), register.reset_index(drop=True)


def answered(observations: pd.DataFrame, register: pd.DataFrame, origin: int) -> pd.DataFrame:
    """Questions of one origin with chance, outcome and base rate; unanswerable ones left out."""
    start = pd.Timestamp(origin, 4, 1)
    asked = rule_questions(observations, register, start, HORIZONS)
    table = backtest.answered(observations, asked, register, observations, start)
    table["base"] = table.groupby(["kind", "horizon"])["met"].transform("mean")
    return table.assign(origin=origin)


def exam(observations: pd.DataFrame, register: pd.DataFrame) -> pd.DataFrame:
    """All answered questions of all origins."""
    return pd.concat(
        [answered(observations, register, origin) for origin in ORIGINS], ignore_index=True
    )


def score(table: pd.DataFrame, column: str = "probability") -> dict[str, float]:
    """Questions, Brier skill and calibration error."""
    chance, met = table[column].to_numpy(), table["met"].to_numpy()
    return {
        "questions": len(table),
        "skill": brier_skill(chance, met, table["base"].to_numpy()),
        "calibration error": calibration_error(chance, met),
    }


def main() -> None:
    """Run the exam and print its scores."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("data", type=Path)
    parser.add_argument("--indicators", type=int, help="only the first N indicators")
    options = parser.parse_args()
    observations, register = load(options.data)
    if options.indicators:
        register = register.head(options.indicators)
        observations = observations[observations["indicator"].isin(register["indicator"])]
    started = time.process_time()
    table = exam(observations, register)
    seconds = time.process_time() - started
    series = table.groupby("origin")["series"].nunique().sum()
    print(f"{series} series-origins, {1000 * seconds / series:.2f} ms CPU each")
    for horizon, part in table.groupby("horizon"):
        print(horizon, "years", score(part))
        for origin, one in part.groupby("origin"):
            print("   origin", origin, score(one))
        for rule, one in part.groupby("kind", sort=False):
            said, seen = one["probability"].mean(), one["met"].mean()
            print(f"   {rule:<13} said {said:.3f} seen {seen:.3f}")
    print(table["verdict"].value_counts(normalize=True).round(3).to_dict())
    bins = (table["probability"] * 10).astype(int).clip(upper=9)
    print(table.groupby(bins)[["probability", "met"]].mean().round(3).to_string())


if __name__ == "__main__":
    main()
