"""Simulate what each chart profile can tell, for the table that the package ships.

    python benchmarks/trend_alarms.py             print the table
    python benchmarks/trend_alarms.py --write     and write it (twelve minutes)
    python benchmarks/trend_alarms.py --steps     how often a step is suggested where there is none

False alarms of the last point from 4 million values a figure, the smallest step shown from 1
million: standard errors of at most 0.0011 (0.0005 up to 60 values) and about 0.02 sd.
"""

from __future__ import annotations

import argparse
from collections.abc import Iterator

import numpy as np
import pandas as pd

from pmf_analysis.measures.events import suggested_steps
from pmf_analysis.measures.spc import (
    FEWEST,
    LENGTHS,
    PROFILES,
    TABLE,
    simulated_alarm,
    simulated_step,
)

WITHIN = (4, 8, 12)
RNG = np.random.default_rng(20261031)
ALL_LENGTHS = sorted({*range(FEWEST, 61), *LENGTHS})


def lines() -> Iterator[str]:
    yield "profile,n,last_point," + ",".join(f"within_{within}" for within in WITHIN)
    for profile, rules in PROFILES.items():
        for n in ALL_LENGTHS:
            alarm = f"{simulated_alarm(rules, n, drawn=4_000_000):.4f}"
            steps = ["", "", ""]
            if n in LENGTHS:
                steps = [f"{simulated_step(rules, n, within, 1_000_000):.2f}" for within in WITHIN]
            yield ",".join([profile, str(n), alarm, *steps])


def autoregressive(coefficient: float, count: int, n: int) -> np.ndarray:
    values = RNG.normal(size=(count, n + 40))
    for step in range(1, n + 40):
        values[:, step] += coefficient * values[:, step - 1]
    return values[:, 40:]


def share_with_steps(values: np.ndarray) -> float:
    count, n = values.shape
    series, period = np.repeat(np.arange(count), n), np.tile(np.arange(n), count)
    table = pd.DataFrame({"series": series, "period": period, "value": values.ravel()})
    return suggested_steps(table)["series"].nunique() / count


def steps(count: int = 1000) -> Iterator[str]:
    yield "n,noise,ar_0.3,ar_0.6,worst_drift,step_2_middle,step_3_middle,step_3_late"
    for n in (13, 16, 20, 24, 36, 60, 120):
        kinds = [autoregressive(coefficient, count, n) for coefficient in (0.0, 0.3, 0.6)]
        shares = [share_with_steps(values) for values in kinds]
        time, rises = np.arange(n), (1, 2, 3, 4, 6, 9, 15)
        drifts = [RNG.normal(size=(count, n)) + rise * time / n for rise in rises]
        shares.append(max(share_with_steps(values) for values in drifts))
        for size, start in ((2, n // 2), (3, n // 2), (3, n - 6)):
            shares.append(share_with_steps(RNG.normal(size=(count, n)) + size * (time >= start)))
        yield f"{n}," + ",".join(f"{share:.3f}" for share in shares)


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--write", action="store_true")
    parser.add_argument("--steps", action="store_true")
    chosen = parser.parse_args()
    made = []
    for line in steps() if chosen.steps else lines():
        print(line, flush=True)
        made.append(line)
    if chosen.write and not chosen.steps:
        TABLE.write_text("\n".join(made) + "\n", encoding="utf-8")
