"""Exam of the data-shape gate on generated series whose shape is known (goals G10 and G11).

    python benchmarks/shape_gate.py [--series 4000] [--seed 20261031]

Prints, by kind of series and length, how often each shape is found and how often an honest
declaration is contradicted; how often a step of three standard deviations in the last 4 of 16
quarters is found after the gate; and the seconds for a council of 300 series of 40 periods.
"""

from __future__ import annotations

import argparse
import time
from collections.abc import Callable

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from pmf_analysis.data.accumulation import to_discrete
from pmf_analysis.data.contract import TABLES
from pmf_analysis.measures.dependence import coefficients
from pmf_analysis.measures.shape import detect_shape, season_effects
from pmf_analysis.measures.spc import spc_chart

Floats = NDArray[np.float64]
Maker = Callable[[np.random.Generator, int, int, int], Floats]  # series, length, periods a year
STARTS = {4: "QS", 12: "MS"}
FOUND = ["ytd", "rolling", "seasonal", "autocorrelated", "constant", "discrete"]


def noise(rng: np.random.Generator, k: int, n: int, per_year: int) -> Floats:
    """Independent normal values."""
    return 50 + rng.normal(size=(k, n))


def trend(rng: np.random.Generator, k: int, n: int, per_year: int) -> Floats:
    """Independent values on a line of 0 to 0.3 standard deviations a period, up or down."""
    return noise(rng, k, n, per_year) + rng.uniform(-0.3, 0.3, (k, 1)) * np.arange(n)


def step(rng: np.random.Generator, k: int, n: int, per_year: int) -> Floats:
    """Independent values with one step of 2 to 6 standard deviations somewhere."""
    at = rng.integers(2, n - 1, (k, 1))
    return noise(rng, k, n, per_year) + rng.uniform(2, 6, (k, 1)) * (np.arange(n) >= at)


def seasonal(rng: np.random.Generator, k: int, n: int, per_year: int) -> Floats:
    """Independent values on a yearly pattern of at least 2 standard deviations."""
    if per_year == 12:
        turn = 2 * np.pi * (np.arange(n) / 12 + rng.uniform(size=(k, 1)))
        return noise(rng, k, n, per_year) + rng.uniform(2, 4, (k, 1)) * np.cos(turn)
    pattern = rng.permuted(np.tile([-1.0, -0.5, 0.5, 1.0], (k, 1)), axis=1)
    high = rng.uniform(2, 5, (k, 1))
    return noise(rng, k, n, per_year) + high * pattern[:, np.arange(n) % 4]


def rising_seasons(rng: np.random.Generator, k: int, n: int, per_year: int) -> Floats:
    """Single periods that rise strongly within each year, the first 0.45 to 0.75 of the last."""
    first, place = rng.uniform(0.45, 0.75, (k, 1)), (np.arange(n) % per_year) / (per_year - 1)
    return 100 * (first + (1 - first) * place) + rng.uniform(2, 10, (k, 1)) * rng.normal(
        size=(k, n)
    )


def rolling(rng: np.random.Generator, k: int, n: int, per_year: int) -> Floats:
    """Means of the last year of independent values, half of them with a drift."""
    windows = np.lib.stride_tricks.sliding_window_view(
        noise(rng, k, n + per_year - 1, per_year), per_year, axis=1
    )
    return windows.mean(axis=2) + rng.choice([0.0, 0.05], (k, 1)) * np.arange(n)


def running(rng: np.random.Generator, k: int, n: int, per_year: int) -> Floats:
    """Running totals that start again each April, of single values that vary by 5 to 30 %."""
    single = np.exp(rng.uniform(0.05, 0.3, (k, 1)) * rng.normal(size=(k, n)))
    in_year = np.arange(n) % per_year
    total = single.cumsum(axis=1)
    before = np.concatenate([np.zeros((k, 1)), total], axis=1)[:, np.arange(n) - in_year]
    return 100 * (total - before)


def autoregressive(coefficient: float) -> Maker:
    """Make series where each value starts from the last one."""

    def made(rng: np.random.Generator, k: int, n: int, per_year: int) -> Floats:
        values = [rng.normal(size=k) / np.sqrt(1 - coefficient**2)]
        for _ in range(n - 1):
            values.append(coefficient * values[-1] + rng.normal(size=k))
        return 50 + np.array(values).T

    return made


def rounded(rng: np.random.Generator, k: int, n: int, per_year: int) -> Floats:
    """Independent values rounded to one standard deviation."""
    return np.round(noise(rng, k, n, per_year))


def bounded(rng: np.random.Generator, k: int, n: int, per_year: int) -> Floats:
    """Percentages that crowd at 100."""
    return np.minimum(100.0, 99.5 + rng.normal(size=(k, n)))


def counts(rng: np.random.Generator, k: int, n: int, per_year: int) -> Floats:
    """Small counts of independent events, 2 a period."""
    return rng.poisson(2, (k, n)).astype(float)


def constant(rng: np.random.Generator, k: int, n: int, per_year: int) -> Floats:
    """One value throughout, but for the last bit of its binary form."""
    value = np.full((k, n), 0.1)
    return np.where(rng.random((k, n)) < 0.5, value, np.nextafter(value, 1))


HONEST: dict[str, Maker] = {  # single periods
    "normal": noise,
    "trend": trend,
    "one step": step,
    "rounded": rounded,
    "bounded": bounded,
    "counts of 2": counts,
}
OTHERS: dict[str, Maker] = {
    "seasonal": seasonal,
    "rising seasons": rising_seasons,
    "year to date": running,
    "rolling": rolling,
    "AR 0.3": autoregressive(0.3),
    "AR 0.6": autoregressive(0.6),
    "AR 0.8": autoregressive(0.8),
    "AR 0.9": autoregressive(0.9),
    "constant": constant,
}
DECLARED = {"year to date": "ytd", "rolling": "rolling"}
LENGTHS = [(4, n) for n in (8, 12, 16, 24, 36)] + [(12, n) for n in (24, 36, 48)]


def table(values: Floats, per_year: int) -> pd.DataFrame:
    """Observations of many series that begin in April 2015."""
    k, n = values.shape
    periods = pd.date_range("2015-04-01", periods=n, freq=STARTS[per_year])
    names = [f"s{number:05}" for number in range(k)]
    return pd.DataFrame(
        {"series": np.repeat(names, n), "period": np.tile(periods, k), "value": values.ravel()}
    )


def shares(values: Floats, per_year: int, declared: str = "") -> pd.Series:
    """Share of series of each shape, and of those with a contradiction."""
    rows = table(values, per_year)
    said = dict.fromkeys(rows["series"].unique(), declared)
    found = detect_shape(rows, periods_per_year=per_year, declared=said)
    result = found["shape"].value_counts(normalize=True).reindex(FOUND, fill_value=0.0)
    return pd.concat([result, pd.Series({"contradicted": (found["contradiction"] != "").mean()})])


def gate(series: int, seed: int) -> pd.DataFrame:
    """Shares by kind, frequency and length; contradictions of what is honestly declared."""
    rows = []
    for per_year, n in LENGTHS:
        for kind, make in {**HONEST, **OTHERS}.items():
            values = make(np.random.default_rng([seed, per_year, n]), series, n, per_year)
            found = shares(values, per_year)
            honest = shares(values, per_year, DECLARED.get(kind, "discrete"))
            label = {"per_year": per_year, "n": n, "kind": kind}
            rows.append({**label, **found, "contradicted": honest["contradicted"]})
    return pd.DataFrame(rows)


def stepped(rng: np.random.Generator, k: int, n: int, size: float) -> Floats:
    """Quarters with a step of so many standard deviations in the last four."""
    return 50 + rng.normal(size=(k, n)) + size * (np.arange(n) >= n - 4)


def flagged(rows: pd.DataFrame, last: int) -> float:
    """Share of series with a special cause among their last points."""
    points = spc_chart(rows[["series", "period", "value"]], rules="mdc").points
    newest = points.groupby("series").tail(last)
    return float((newest["rule"] != "none").groupby(newest["series"]).any().mean())


def as_contract(rows: pd.DataFrame) -> pd.DataFrame:
    """Observations of the contract's table, of counts."""
    made = pd.DataFrame({column.name: "" for column in TABLES["observations"]}, index=rows.index)
    made = made.assign(
        indicator_id=rows["series"],
        period_start=rows["period"],
        period_end=rows["period"] + pd.offsets.QuarterEnd(0),
        frequency="quarterly",
        value=rows["value"],
        value_status="final",
        source_row=1,
    )
    numbers = ["numerator", "denominator", "ci_lower", "ci_upper"]
    return made.assign(**dict.fromkeys(numbers, np.nan))


def differenced(rows: pd.DataFrame) -> pd.DataFrame:
    """Running totals made single quarters, as an import does."""
    register = pd.DataFrame({"indicator": rows["series"].unique()})
    register = register.assign(accumulation="ytd", data_type="count", year_type="financial")
    made = to_discrete(as_contract(rows), register.assign(rate_base=np.nan))[0]
    return rows.assign(value=made["value"].to_numpy())


def power(series: int, seed: int, n: int = 16) -> dict[str, tuple[float, float]]:
    """Share found with a step of 3, and with none, raw and after the gate."""
    found: dict[str, list[float]] = {}
    for size in (3.0, 0.0):
        values = stepped(np.random.default_rng([seed, n, int(size)]), series, n, size)
        single = table(values, 4)
        total = table(values.reshape(series, -1, 4).cumsum(axis=2).reshape(series, n), 4)
        waves = table(values + np.tile([4.0, -4.0, -4.0, 4.0], n // 4), 4)
        plain = waves.assign(value=waves["value"] - season_effects(waves))
        kinds = {"single": single, "ytd raw": total, "ytd made discrete": differenced(total)}
        kinds |= {"seasonal raw": waves, "seasons removed": plain}
        for kind, rows in kinds.items():
            found.setdefault(kind, []).append(flagged(rows, 4 if size else 1))
    return {kind: (with_step, without) for kind, (with_step, without) in found.items()}


def seconds(seed: int) -> dict[str, float]:
    """Best of five for a council of 300 series of 40 periods."""
    rng = np.random.default_rng(seed)
    parts = [table(noise(rng, 150, 40, each), each) for each in (4, 12)]
    rows = pd.concat([part.assign(series=part["series"] + str(i)) for i, part in enumerate(parts)])
    per_year = {name: 12.0 if name.endswith("1") else 4.0 for name in rows["series"].unique()}
    calls: dict[str, Callable[[], object]] = {
        "detect_shape": lambda: detect_shape(rows, periods_per_year=per_year),
        "coefficients": lambda: coefficients(rows),
        "season_effects": lambda: season_effects(rows),
    }
    best = dict.fromkeys(calls, np.inf)
    for name, call in list(calls.items()) * 5:
        start = time.perf_counter()
        call()
        best[name] = min(best[name], time.perf_counter() - start)
    return best


def main() -> None:
    """Print the tables."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--series", type=int, default=4000)
    parser.add_argument("--seed", type=int, default=20261031)
    chosen = parser.parse_args()
    found = gate(chosen.series, chosen.seed)
    print(found.to_string(index=False, float_format=lambda share: f"{share:.3f}"))
    for n in (12, 16, 20):
        print(f"\nStep of 3 in the last 4 of {n} quarters: found | last point flagged without one")
        for kind, (with_step, without) in power(chosen.series, chosen.seed, n).items():
            print(f"  {kind:20} {with_step:.3f} | {without:.3f}")
    print("\nSeconds:", {name: round(best, 3) for name, best in seconds(chosen.seed).items()})


if __name__ == "__main__":
    main()
