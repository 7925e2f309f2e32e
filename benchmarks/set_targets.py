"""Exam on targets that people set: the four-hour standard of A&E departments, and Hart's own.

    python benchmarks/set_targets.py DATA_FOLDER

The standard (95 % of patients within four hours) was the same for every trust and month. For each
month from April 2017 and each trust: the chance from `assess_targets`, which sees nothing later, of
meeting it one, three and twelve months on, against what happened. Skill is against the share that
met it (of that month and horizon), and against knowing how often those met it that met it when they
were asked, and those that did not: both known only afterwards, so demanding references. Hart
District Council published three values an indicator, too few for any chance: only hits are counted.
"""

from __future__ import annotations

import argparse
from pathlib import Path

import pandas as pd
from scores import brier_skill, calibration_error

from pmf_analysis.measures.backtest import answered
from pmf_analysis.measures.track_record import judged, records, with_aims

STANDARD, HORIZONS, FIRST = "nhs_ae_4h_all", (1, 3, 12), "2017-04-01"
MAJOR = "nhs_ae_4h_type1"
REGISTER = pd.DataFrame(
    {"indicator": [STANDARD], "polarity": "higher", "frequency": "monthly", "decimals": 1}
).assign(minimum=0.0, maximum=100.0)


def load(data: Path) -> tuple[pd.DataFrame, set[str]]:
    """Monthly values of all trusts, and which of them have a major department."""
    rows = pd.read_csv(data / "tidy" / "nhs_ae_monthly_with_target.csv.gz").dropna(subset=["value"])
    major = set(rows.loc[rows["indicator_id"] == MAJOR, "area_code"])
    rows = rows[rows["indicator_id"] == STANDARD].rename(columns={"area_code": "area"})
    rows = rows.assign(
        series=rows["indicator_id"] + "|" + rows["area"] + "|||v1",
        indicator=rows["indicator_id"],
        period=pd.to_datetime(rows["period_start"]),
    )
    return rows[["series", "indicator", "area", "period", "value", "target"]], major


def asked(observations: pd.DataFrame, origin: pd.Timestamp) -> pd.DataFrame:
    """The standard, one, three and twelve months after a month, for each trust with a value."""
    now = observations[observations["period"] == origin]
    rows = [
        now.assign(
            target_id=f"{origin:%Y-%m}|{months}|" + now["area"],
            period=origin + pd.DateOffset(months=months),
            horizon=months,
            kind="statutory",
            met_now=now["value"].round(1) >= now["target"],
        )
        for months in HORIZONS
    ]
    return with_aims(pd.concat(rows, ignore_index=True).drop(columns="value"), REGISTER)


def exam(observations: pd.DataFrame) -> pd.DataFrame:
    """Every question with chance, outcome, and what the two references say."""
    origins = sorted(set(observations.loc[observations["period"] >= FIRST, "period"]))
    parts = [
        answered(observations, asked(observations, origin), REGISTER, observations, origin)
        for origin in origins[:-1]
    ]
    table = pd.concat(parts, ignore_index=True)
    table["base"] = table.groupby(["horizon", "as_at"])["met"].transform("mean")
    table["same"] = table.groupby(["horizon", "met_now"])["met"].transform("mean")
    return table


def hart(data: Path) -> pd.DataFrame:
    """Hart's published quarters against their targets; what way is better is as declared."""
    rows = pd.read_csv(data / "tidy" / "hart_corporate_kpis.csv.gz")
    rows = rows[(rows["frequency"] == "quarterly") & rows["target"].notna()]
    rows = rows.assign(period=pd.to_datetime(rows["period_start"]), indicator=rows["indicator_id"])
    rows = rows.assign(series=rows["indicator"], kind="improvement")
    one = rows.drop_duplicates("indicator")[["indicator", "polarity"]]
    aims = with_aims(rows.drop(columns="value"), one.assign(frequency="quarterly"))
    return judged(aims, rows[["series", "period", "value"]], "targets").dropna(subset=["met"])


def main() -> None:
    """Run the exam and print its scores."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("data", type=Path)
    data = parser.parse_args().data
    observations, major = load(data)
    table = exam(observations)
    for name, part in (("all", table), ("major", table[table["area"].isin(major)])):
        for months, one in part.groupby("horizon"):
            chance, met = one["probability"].to_numpy(), one["met"].to_numpy()
            skills = [brier_skill(chance, met, one[c].to_numpy()) for c in ("base", "same")]
            error = calibration_error(chance, met)
            counts = f"{one['series'].nunique()} trusts, {len(one)} questions, met {met.mean():.3f}"
            print(f"{name}, {months} months on: {counts}, said {chance.mean():.3f}")
            print(
                f"   skill {skills[0]:.3f}, against persistence {skills[1]:.3f}, error {error:.3f}"
            )
            found = records(one.assign(as_at=one["as_at"]), groups={})
            shown = ["band", "n", "said", "seen", "bar_low", "bar_high", "perfect_error"]
            print(found.loc[found["source"] == "backtest", shown].round(3).to_string(index=False))
    published = hart(data)
    print(
        "Hart, quarters that met their target:",
        published.groupby("period")["met"].agg(["sum", "size"]),
    )


if __name__ == "__main__":
    main()
