"""Goal G12: the printed number of chance signals against simulation, and how long it takes.

    python benchmarks/chance_signals.py [--packs N]

A pack is 60 stable quarterly indicators. "Simulated" is the mean number of signals in the newest
values of many fresh packs, judged by the methods themselves. "Printed" is what `expected_signals`
says of single packs that it sees: mean over packs, its ratio to the simulated number (goal: 0.8 to
1.2), and how often the pack's own number of signals lies in the printed range (5th to 95th
percentile; whole numbers, so somewhat more than 90 % is right). "With replacement" is the same
from periods drawn with replacement, the way not taken: repeated values make charts too narrow.
"Stated" adds up what each series says of itself, which knows normal values only.
"""

from __future__ import annotations

import argparse
import time
from collections.abc import Callable
from functools import partial

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from pmf_analysis.measures.short_series import attained_size, null_distribution
from pmf_analysis.measures.spc import spc_chart
from pmf_analysis.measures.trend_tables import expected_signals

Values = NDArray[np.float64]
Draw = Callable[[np.random.Generator, int, int], Values]
INDICATORS, CHART_FROM, DRAWS = 60, 13, 200
LENGTHS = (8, 10, 12, 13, 16, 20, 24, 36)
# chance that the last of so many normal values is flagged: simulated, as the trends page states it
ALARM = {13: 0.0146, 20: 0.0150, 30: 0.0172, 48: 0.0184}


def normal(rng: np.random.Generator, series: int, n: int, *, correlation: float) -> Values:
    """Independent or with a common factor."""
    own = rng.normal(size=(series, n)) * np.sqrt(1 - correlation)
    return own + np.sqrt(correlation) * rng.normal(size=n)


def rounded(rng: np.random.Generator, series: int, n: int) -> Values:
    """Published with so few decimals that one step is a standard deviation."""
    return np.round(rng.normal(size=(series, n)))


def counts(rng: np.random.Generator, series: int, n: int) -> Values:
    """Counts of rare events: two a period."""
    return rng.poisson(2.0, (series, n)).astype(float)


KINDS: dict[str, Draw] = {
    "independent normal": partial(normal, correlation=0.0),
    "common factor, correlation 0.5": partial(normal, correlation=0.5),
    "rounded to one standard deviation": rounded,
    "counts, two a period": counts,
}


def flags(values: Values) -> NDArray[np.bool_]:
    """Whether the last value of each row shows a signal."""
    series, n = values.shape
    if n >= CHART_FROM:
        rows = {"series": np.repeat(np.arange(series), n), "period": np.tile(np.arange(n), series)}
        chart = spc_chart(pd.DataFrame({**rows, "value": values.ravel()}))
        return chart.segments["variation"].str.startswith("special").to_numpy()
    first, second = np.triu_indices(n, 1)
    s = np.abs(np.sign(values[:, second] - values[:, first]).sum(axis=1))
    return np.array([_significant(*each) for each in zip(s, values, strict=True)])


def _significant(s: float, values: Values) -> bool:
    ties = tuple(sorted(int(size) for size in np.unique(values, return_counts=True)[1]))
    scores, chance = null_distribution(ties)
    return bool(chance[np.abs(scores) >= s].sum() <= 0.05)


def tables(values: Values) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Result tables of a pack, as the verdict layer gives them."""
    series, n = values.shape
    names = [f"i{number}|A|||v1" for number in range(series)]
    charted = n >= CHART_FROM
    stated = np.interp(n, list(ALARM), list(ALARM.values())) if charted else attained_size(n)
    trends = pd.DataFrame({"series": names, "indicator": names}).assign(
        frequency="quarterly",
        verdict="no_clear_change",
        method="xmr" if charted else "mann_kendall",
        shape="discrete",
        treatment="as_it_is",
        chance_alone=float(stated),
    )
    periods = pd.date_range("2010-04-01", periods=n, freq="3MS")
    points = pd.DataFrame({"series": np.repeat(names, n), "period": np.tile(periods, series)})
    points = points.assign(value=values.ravel(), segment=0, point_type="common_cause")
    return trends, points


def with_replacement(values: Values, rng: np.random.Generator) -> float:
    """Mean number of signals of a pack whose periods are drawn with replacement."""
    n = values.shape[1]
    drawn = values[:, rng.integers(0, n, (DRAWS // 4, n))]
    return float(flags(drawn.reshape(-1, n)).sum() / (DRAWS // 4))


def examine(draw: Draw, n: int, packs: int) -> dict[str, float]:
    rng = np.random.default_rng(20261031 + n)
    simulated = flags(np.vstack([draw(rng, INDICATORS, n) for _ in range(1_000)])).sum() / 1_000
    rows = []
    for seed in range(packs):
        values = draw(rng, INDICATORS, n)
        trends, points = tables(values)
        told = expected_signals(trends, points, {}, seed=seed, draws=DRAWS).iloc[0]
        is_covered = told["low"] <= flags(values).sum() <= told["high"]
        rows.append((told["value"], is_covered, told["high"], with_replacement(values, rng)))
    printed, covered, high, replaced = np.array(rows, dtype=float).mean(axis=0)
    return {
        "simulated": simulated,
        "printed": printed,
        "ratio": printed / simulated,
        "covered": covered,
        "high": high,
        "stated ratio": tables(draw(rng, INDICATORS, n))[0]["chance_alone"].sum() / simulated,
        "with replacement": replaced / simulated,
    }


def main() -> None:
    options = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    options.add_argument("--packs", type=int, default=100)
    packs = options.parse_args().packs
    for name, draw in KINDS.items():
        table = pd.DataFrame({n: examine(draw, n, packs) for n in LENGTHS}).T
        print(f"\n{name}: {packs} packs of {INDICATORS}\n{table.round(2).to_string()}", flush=True)
    for indicators in (INDICATORS, 300):
        trends, points = tables(normal(np.random.default_rng(1), indicators, 40, correlation=0.3))
        start = time.perf_counter()
        expected_signals(trends, points, {}, seed=1, draws=DRAWS)
        print(f"{indicators} indicators x 40 periods: {time.perf_counter() - start:.2f} s")


if __name__ == "__main__":
    main()
