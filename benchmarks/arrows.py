"""What Pentana's arrows say where nothing changes: the noise study of the systems page.

    python benchmarks/arrows.py [--series N]

Each series has 8 to 12 independent normal values of one mean and spread, higher is better. Its
newest value is asked four questions: the short arrow (against the period before), the long arrow
(against the mean of the four before), the limits of a control chart made of the same values, and
all rules of that chart. Published: worse by the short arrow 49.9 %, by the long one 49.9 %, by both
39.3 %; outside the limits 1.0 %; in 8 quarters the short arrow turns 4.6 times of 7 possible.
In theory: 50 %, 50 %, 1/4 + arcsin(sqrt(5/8)) / (2 pi) = 39.5 %; two arrows in a row differ in 2/3.
"""

from __future__ import annotations

import argparse
import time

import numpy as np
import pandas as pd

from pmf_analysis.measures.change_test import pentana_arrows
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
    return pd.DataFrame(
        {"series": pd.Series(series).astype("str"), "period": periods, "value": values}
    )


def turns(count: int, rng: np.random.Generator) -> float:
    """How often the short arrow turns from one quarter to the next, in 8 arrows."""
    better = np.diff(rng.normal(size=(count, 9)), axis=1) > 0
    return float((better[:, 1:] != better[:, :-1]).sum(axis=1).mean())


def main() -> None:
    options = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    options.add_argument("--series", type=int, default=20_000)
    count, rng = options.parse_args().series, np.random.default_rng(20261031)
    rows = stable_series(count, rng)
    polarity = dict.fromkeys(rows["series"], "higher")
    start = time.perf_counter()
    arrows = pentana_arrows(rows, polarity)
    took = time.perf_counter() - start
    worse = arrows == "worsening"
    flags = {
        name: spc_chart(rows, rules=rules).segments["variation"].str.startswith("special").mean()
        for name, rules in [("outside the limits", LIMITS_ONLY), ("any rule", "mdc")]
    }
    told = {
        "short arrow worse": worse["short_arrow"].mean(),
        "long arrow worse": worse["long_arrow"].mean(),
        "both worse": worse.all(axis=1).mean(),
        **{f"control chart flags, {name}": share for name, share in flags.items()},
    }
    print(f"{count:,} stable series of {SHORTEST} to {LONGEST} values; the newest value:")
    for name, share in told.items():
        print(f"  {name:<42}{share:7.1%}")
    print(f"  short arrow turns in 8 quarters, of 7{turns(count, rng):12.1f}")
    print(f"arrows of all series in {took:.2f} s")


if __name__ == "__main__":
    main()
