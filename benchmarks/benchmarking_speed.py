"""How long a whole comparison takes: 300 indicators of 150 authorities, five years each.

    python benchmarks/benchmarking_speed.py

Prints wall and processor seconds, best of three; and those of 4,000 Wilson and Byar intervals.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Any

import numpy as np
import pandas as pd

from pmf_analysis.measures.comparison import compare
from pmf_analysis.measures.intervals import poisson, wilson

INDICATORS, PEERS, PERIODS = 300, 150, 5
SPREAD = 0.05


def seconds(work: Callable[[], Any]) -> str:
    taken = []
    for _ in range(3):
        wall, processor = time.perf_counter(), time.process_time()
        work()
        taken.append((time.perf_counter() - wall, time.process_time() - processor))
    return " s, processor ".join(f"{min(times):.3f}" for times in zip(*taken, strict=True)) + " s"


def made(peers: int = PEERS, periods: int = PERIODS) -> dict[str, Any]:
    """Arguments of `compare`: half proportions with counts, half bare values."""
    rng = np.random.default_rng(20261122)
    areas = np.array(["OWN", *(f"P{i:03}" for i in range(peers))])
    names = np.array([f"i{i:03}" for i in range(INDICATORS)])
    starts = pd.date_range("2020-04-01", periods=periods, freq="YS-APR")
    shape = INDICATORS, peers + 1, periods
    i, j, k = (axis.ravel() for axis in np.indices(shape))
    size = np.broadcast_to(rng.integers(500, 20_000, (1, peers + 1, 1)), shape)
    rate = np.clip(rng.normal(0.5, SPREAD, shape), 0.05, 0.95)
    count = rng.binomial(size, rate).astype(float)
    count[INDICATORS // 2 :] = np.nan
    value = np.where(np.isnan(count), rate, count / size) * 100
    table = pd.DataFrame({"indicator": names[i], "area": areas[j], "period": starts[k]})
    table["series"] = table["indicator"] + "|" + table["area"] + "|||v1"
    table = table.assign(value=value.ravel(), numerator=count.ravel())
    table["denominator"] = np.where(np.isnan(count), np.nan, size).ravel()
    register = pd.DataFrame({"indicator": names, "polarity": "higher", "frequency": "annual"})
    register["statistic"] = np.where(np.arange(INDICATORS) < INDICATORS // 2, "proportion", "")
    sets = pd.DataFrame({"peer_set": "all", "member": areas[1:], "member_name": areas[1:]})
    sets["rank"] = np.nan
    return {"observations": table, "register": register, "area": "OWN", "peer_sets": sets}


def main() -> None:
    everyone = made()
    near = everyone["peer_sets"].iloc[:20].assign(peer_set="near", rank=range(1, 21))
    both = {**everyone, "peer_sets": pd.concat([everyone["peer_sets"], near])}
    print("one set of 150:", seconds(lambda: compare(**everyone)))
    print("and the nearest 10 to 20 of another:", seconds(lambda: compare(**both)))
    size = np.random.default_rng(0).integers(10, 10_000, 4000)
    count = size // 3
    print("4,000 Wilson and Byar:", seconds(lambda: (wilson(count, size), poisson(count))))


if __name__ == "__main__":
    main()
