"""How often the gap to the peers is called moving when nothing moves.

    python benchmarks/gap_false_alarms.py

Draws gaps around a steady level that depend on the one before (first-order autoregression), and
judges them as reports do. Printed: per cent of each verdict, by length, frequency and dependence.
"""

from __future__ import annotations

import numpy as np
import pandas as pd

from pmf_analysis.measures.gaps import gap_trends
from pmf_analysis.periods import PERIODS_PER_YEAR

SERIES = 300
WARM_UP = 50  # values drawn before the first one kept
LEVEL = 3.0  # of the gap, in its own standard deviations
LENGTHS = (("annual", "YS-APR", 8), ("annual", "YS-APR", 12), ("quarterly", "QS-APR", 25))
LENGTHS += (("monthly", "MS", 48),)


def drawn(n: int, dependence: float, rng: np.random.Generator) -> np.ndarray:
    """Series with variance 1 and the given correlation of neighbours, one a row."""
    noise = rng.normal(size=(SERIES, n + WARM_UP))
    for place in range(1, n + WARM_UP):
        noise[:, place] += dependence * noise[:, place - 1]
    kept: np.ndarray = noise[:, WARM_UP:] * np.sqrt(1 - dependence**2)
    return kept


def verdicts(frequency: str, code: str, n: int, dependence: float) -> pd.Series:
    """Per cent of each verdict."""
    gap = LEVEL + drawn(n, dependence, np.random.default_rng(1)).ravel()
    names = np.repeat([f"s{number}" for number in range(SERIES)], n)
    periods = np.tile(pd.date_range("2010-04-01", periods=n, freq=code), SERIES)
    gaps = pd.DataFrame({"series": names, "peer_set": "near", "period": periods, "gap": gap})
    gaps = gaps.assign(peer_median=50.0, value=50 + gap)
    pairs = gaps[["series", "peer_set"]].drop_duplicates().assign(indicator="ind")
    rate = PERIODS_PER_YEAR[frequency]
    declared = {"indicator": "ind", "frequency": frequency, "periods_per_year": rate}
    declared |= {"accumulation": "discrete", "data_type": "percentage", "polarity": "higher"}
    found = gap_trends(gaps, pairs, pd.DataFrame([declared]))[0]
    return 100 * found["gap_verdict"].value_counts(normalize=True)


def main() -> None:
    for length in LENGTHS:
        for dependence in (0.0, 0.3, 0.6, 0.8):
            found = verdicts(*length, dependence).round(1)
            print(*length[::2], f"dependence {dependence}:", found.to_dict(), flush=True)


if __name__ == "__main__":
    main()
