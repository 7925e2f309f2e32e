"""How long forecasts of many series take, and how much memory.

    python benchmarks/forecast_speed.py [--series 10000] [--horizon 4] [--joint]

Made-up series of 20 yearly and of 20 quarterly values, one process; design goal G12 of
target-realism.md: 100,000 series in 5 minutes with less than 2 GiB.
"""

from __future__ import annotations

import argparse
import resource
import time

import numpy as np

from pmf_analysis.measures.forecast import forecasts, published

LENGTH = 20


def made_up(count: int, periods_per_year: int) -> list[np.ndarray]:
    """Random walks about 100, with a season where there is one."""
    rng = np.random.default_rng(periods_per_year)
    season = 3 * np.cos(2 * np.pi * np.arange(LENGTH) / max(periods_per_year, 1))
    walks = 100 + rng.normal(size=(count, LENGTH)).cumsum(axis=1)
    return list(walks + (season if periods_per_year > 1 else 0.0))


def main() -> None:
    """Forecast, take the published quantiles, and print time and memory."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--series", type=int, default=10_000)
    parser.add_argument("--horizon", type=int, default=4)
    parser.add_argument("--joint", action="store_true")
    options = parser.parse_args()
    keys = [str(number) for number in range(options.series)]
    for rate in (1, 4):
        histories = made_up(options.series, rate)
        wall, cpu = time.perf_counter(), time.process_time()
        given = (histories, keys, rate, options.horizon)
        for _, found in forecasts(*given, joint=options.joint):
            published(np.sort(found.draws, axis=1) if options.joint else found.draws)
        wall, cpu = time.perf_counter() - wall, time.process_time() - cpu
        peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024**2
        each = [1000 * seconds / options.series for seconds in (wall, cpu)]
        print(f"{rate} a year: {each[0]:.2f} ms a series ({each[1]:.2f} CPU), peak {peak:.2f} GiB")


if __name__ == "__main__":
    main()
