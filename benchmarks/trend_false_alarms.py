"""How often `trend_verdicts` calls a series changed in which nothing happens, come what may.

    python benchmarks/trend_false_alarms.py [--series 2000] [--seed 20261031]

Prints, by kind of series and length, the share that is called changed, the same among those whose
dependence was not seen, and the chance that the table states. The method page quotes these figures.
"""

from __future__ import annotations

import argparse

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from pmf_analysis.measures.trend import trend_verdicts

Floats = NDArray[np.float64]
LENGTHS = (8, 10, 16, 24)
WARM_UP = 50
REGISTER = pd.DataFrame(
    {
        "indicator": ["i"],
        "polarity": ["higher"],
        "frequency": ["quarterly"],
        "accumulation": ["discrete"],
    }
)


def autoregression(rng: np.random.Generator, shape: tuple[int, int], r: float) -> Floats:
    noise = rng.normal(size=(shape[0], shape[1] + WARM_UP))
    values = noise.copy()
    for place in range(1, values.shape[1]):
        values[:, place] = r * values[:, place - 1] + noise[:, place]
    return values[:, WARM_UP:]


def judged(values: Floats) -> pd.DataFrame:
    count, n = values.shape
    frame = pd.DataFrame(
        {
            "series": np.repeat([f"s{number}" for number in range(count)], n),
            "indicator": "i",
            "area": "A",
            "period": np.tile(pd.date_range("2010-04-01", periods=n, freq="QS-APR"), count),
            "value": 100 + values.ravel(),
        }
    )
    return trend_verdicts(frame, REGISTER)[0]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--series", type=int, default=2000)
    parser.add_argument("--seed", type=int, default=20261031)
    asked = parser.parse_args()
    rng = np.random.default_rng(asked.seed)
    print(f"{'kind':12} {'n':>3} {'called':>7} {'unseen':>7} {'stated':>7}")
    for n in LENGTHS:
        shape = (asked.series, n)
        kinds = {f"AR {r}": autoregression(rng, shape, r) for r in (0.3, 0.6, 0.8)}
        kinds = {"independent": rng.normal(size=shape), **kinds}
        for kind, values in {**kinds, "exponential": rng.exponential(size=shape)}.items():
            trends = judged(values)
            called = trends["verdict"].isin(["improving", "worsening"])
            unseen = called[trends["shape"] == "discrete"].mean()
            stated = trends["chance_alone"].median()
            print(f"{kind:12} {n:3} {called.mean():7.3f} {unseen:7.3f} {stated:7.3f}")


if __name__ == "__main__":
    main()
