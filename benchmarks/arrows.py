"""What Pentana's arrows say where nothing changes: the noise study of the systems page.

    python benchmarks/arrows.py [--series N]

Each series has 8 to 12 independent normal values of one mean and spread, higher is better. Its
newest value is asked four questions: the short arrow (against the period before), the long arrow
(against the mean of the four before), the limits of a control chart made of the same values, and
all rules of that chart. Published: worse by the short arrow 49.9 %, by the long one 49.9 %, by both
39.3 %; outside the limits 1.0 %; in 8 quarters the short arrow turns 4.6 times of 7 possible; a
target at the mean with a tolerance of 5 % is met by 51 %, nearly met by 37 %, missed by 12 %.
In theory: 50 %, 50 %, 1/4 + arcsin(sqrt(5/8)) / (2 pi) = 39.5 %; two arrows in a row differ in 2/3.
"""

from __future__ import annotations

import argparse
import time

import numpy as np
import pandas as pd

from pmf_analysis.measures.arrows import arrows, statuses
from pmf_analysis.measures.spc import RuleSet, spc_chart

SHORTEST, LONGEST = 8, 12
LIMITS_ONLY = RuleSet(shift=None, trend=None, two_in_three=False)


def stable_series(count: int, rng: np.random.Generator) -> pd.DataFrame:
    """Quarterly values of series in which nothing ever changes."""
    lengths = rng.integers(SHORTEST, LONGEST + 1, count)
    series = np.repeat(np.arange(count), lengths)
    step = np.arange(len(series)) - np.repeat(np.cumsum(lengths) - lengths, lengths)
    periods = pd.date_range("2020-04-01", periods=LONGEST, freq="3MS")[step]
    values = rng.normal(50, 5, len(series))
    names = pd.Series(series).astype("str")
    return pd.DataFrame({"series": names, "indicator": "i", "period": periods, "value": values})


def turns(count: int, rng: np.random.Generator) -> float:
    """How often the short arrow turns from one quarter to the next, in 8 arrows."""
    better = np.diff(rng.normal(size=(count, 9)), axis=1) > 0
    return float((better[:, 1:] != better[:, :-1]).sum(axis=1).mean())


def gauge(count: int, rng: np.random.Generator) -> pd.Series:
    """Shares of each status by a target at the mean, 5 % tolerance; the spread is 4.3 %."""
    rows = stable_series(count, rng).assign(
        polarity="higher", target_low=np.nan, target_high=np.nan
    )
    rows["value"] = 50 + 2.15 * rng.normal(size=len(rows))
    lines = rows[["series", "period"]].assign(target=50.0, tolerance_pct=5.0)
    return statuses(rows, lines).value_counts(normalize=True)


def main() -> None:
    options = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    options.add_argument("--series", type=int, default=20_000)
    count, rng = options.parse_args().series, np.random.default_rng(20261031)
    rows = stable_series(count, rng)
    register = pd.DataFrame({"indicator": ["i"], "polarity": ["higher"]})
    start = time.perf_counter()
    shown = arrows(rows, register)
    took = time.perf_counter() - start
    worse = shown.groupby("series").tail(1)[["short", "long"]] == "worsening"
    flags = {
        name: spc_chart(rows, rules=rules).segments["variation"].str.startswith("special").mean()
        for name, rules in [("outside the limits", LIMITS_ONLY), ("any rule", "mdc")]
    }
    told = {
        "short arrow worse": worse["short"].mean(),
        "long arrow worse": worse["long"].mean(),
        "both worse": worse.all(axis=1).mean(),
        **{f"control chart flags, {name}": share for name, share in flags.items()},
    }
    print(f"{count:,} stable series of {SHORTEST} to {LONGEST} values; the newest value:")
    for name, share in told.items():
        print(f"  {name:<42}{share:7.1%}")
    print(f"  short arrow turns in 8 quarters, of 7{turns(count, rng):12.1f}")
    for status, share in gauge(count, rng).items():
        print(f"  a target at the mean: {status:<20}{share:7.1%}")
    print(f"arrows of all series in {took:.2f} s")


if __name__ == "__main__":
    main()
