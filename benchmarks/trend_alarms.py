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

from pmf_analysis.measures.alarms import (
    FEWEST,
    LENGTHS,
    TABLE,
    simulated_alarm,
    simulated_step,
)
from pmf_analysis.measures.spc import PROFILES

WITHIN = (4, 8, 12)
ALL_LENGTHS = sorted({*range(FEWEST, 61), *LENGTHS})


def lines() -> Iterator[str]:
    yield "profile,n,last_point," + ",".join(f"within_{within}" for within in WITHIN)
    for profile, rules in PROFILES.items():
        for n in ALL_LENGTHS:
            alarm = f"{simulated_alarm(rules, n, 4_000_000):.4f}"
            steps = ["", "", ""]
            if n in LENGTHS:
                steps = [f"{simulated_step(rules, n, within, 1_000_000):.2f}" for within in WITHIN]
            yield ",".join([profile, str(n), alarm, *steps])


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--write", action="store_true")
    write = parser.parse_args().write
    made = []
    for line in lines():
        print(line, flush=True)
        made.append(line)
    if write:
        TABLE.write_text("\n".join(made) + "\n", encoding="utf-8")
