"""What a control chart can tell: its false alarms, and the smallest step that it would show.

Both come from simulated series of independent normal values, because no formula covers several
rules together with limits that come from the same few points. Figures of the shipped profiles are
in a table beside this module (`benchmarks/trend_alarms.py` makes it); those of any other rule set
are simulated when they are asked for, from fewer series.
"""

from functools import lru_cache
from pathlib import Path

import numpy as np
import pandas as pd
from numpy.typing import ArrayLike

from pmf_analysis.measures.arrays import Column, Floats
from pmf_analysis.measures.spc import PROFILES, RuleSet, signals

FEWEST, MOST = 13, 240  # values: below, a chart carries no verdict; above, little changes
LENGTHS = (13, 16, 20, 25, 30, 36, 42, 48, 60, 80, 120, MOST)  # where steps are simulated
POWER = 0.8
LARGEST = 16.0  # standard deviations; a chart that does not show this step shows none
SEED = 20261031
DRAWN = 400_000  # values of an alarm: 30,000 series of 13, 6,000 of 60; an eighth for a step
TABLE = Path(__file__).with_name("chart_alarms.csv")


def last_point_alarm(rules: RuleSet, n: ArrayLike) -> Floats:
    """Chance that the last of n independent values is flagged; NaN below 13 values."""
    return _between(_curve(rules, 0), n)


def detectable_step(rules: RuleSet, n: ArrayLike, within: int) -> Floats:
    """Smallest step, in standard deviations, that a chart shows in 80 % of cases.

    After n independent normal values the level moves at once and for good. The chart is the one
    drawn `within` values later, its limits from all of its values, and shows the step where any
    value after it is flagged on the side of the step. NaN below 13 values before, and where no
    step up to 16 is shown.
    """
    return _between(_curve(rules, within), n)


def _between(known: Column, n: ArrayLike) -> Floats:
    lengths = np.asarray(n, dtype=float)
    found = np.interp(lengths, known.index.to_numpy(float), known.to_numpy(float))
    return np.where(lengths >= FEWEST, found, np.nan)


@lru_cache
def _curve(rules: RuleSet, within: int) -> Column:
    """Step (or alarm, within 0) by length: of a shipped profile from the table, else simulated."""
    table, column = pd.read_csv(TABLE), f"within_{within}" if within else "last_point"
    for profile, shipped in PROFILES.items():
        if shipped == rules and column in table:
            return table[table["profile"] == profile].set_index("n")[column].dropna()
    step = simulated_step if within else simulated_alarm
    return pd.Series([step(rules, n, within) for n in LENGTHS[::2]], LENGTHS[::2])


def simulated_alarm(rules: RuleSet, n: int, within: int = 0, drawn: int = DRAWN) -> float:
    """Share of simulated series whose last value is flagged (`within` nothing to be waited for)."""
    values = np.random.default_rng([SEED, n]).normal(size=(drawn // n, n))
    return float(np.mean(signals(values, rules)[0][:, -1] > 0))


def simulated_step(rules: RuleSet, n: int, within: int, drawn: int = DRAWN // 8) -> float:
    """Find the step by halving; every size is tried on the same noise."""
    length = n + within
    noise = np.random.default_rng([SEED, n, within]).normal(size=(drawn // length, length))
    low, high = 0.0, 2 * LARGEST
    while high - low > 0.01:
        middle = (low + high) / 2
        direction = signals(noise + middle * (np.arange(length) >= n), rules)[1]
        is_shown = np.mean((direction[:, n:] > 0).any(axis=1)) >= POWER
        low, high = (low, middle) if is_shown else (middle, high)
    return high if high <= LARGEST else float("nan")
