"""Calibration factors from how forecasts of the same panels fared before: do they help?

    python benchmarks/panel_factors.py DATA_FOLDER [--indicators N]

On the Local Government Benchmarking Framework, with the factors that ship and with those that the
councils' own figures up to each origin give (docs/decisions.md has what was decided).
"""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from realism_lgbf import HORIZONS, ORIGINS, load, score

from pmf_analysis.measures.arrays import Floats
from pmf_analysis.measures.backtest import rule_questions
from pmf_analysis.measures.calibration import LEVELS, Factors, shipped_factors
from pmf_analysis.measures.chance import quantiles
from pmf_analysis.measures.outlook import Found, own_forecasts, panels
from pmf_analysis.measures.realism import assess_targets
from pmf_analysis.measures.track_record import judged

FEWEST_OUTCOMES, FEWEST_SERIES, FEWEST_ORIGINS = 300, 30, 3
_SAMPLE = 1000  # forecasts put to the past, at each frequency
_YEARS, _LONGEST = 3, 12  # how far ahead, in years and in periods
_LENGTHS = (5, 8, 12, 20, 40, 96)  # of history


def panel_factors(found: Found, *, seed: int = 0) -> Factors | None:
    """Shipped factors corrected by how past forecasts of these panels fared.

    The correction is the conformal quantile of |outcome - median| / (half-width of the forecast
    with shipped factors), over all horizons (target-realism.md 4.2).

    Parameters
    ----------
    found
        As `outlook.panels` gives it: nothing after its origin is known.

    Returns
    -------
    Factors or None
        None where no frequency has FEWEST_OUTCOMES from FEWEST_SERIES series and FEWEST_ORIGINS.
    """
    shipped = shipped_factors()
    table: dict[Any, Floats] = {}
    for rate in sorted({panel.usable.periods_per_year for panel, _ in found.values()}):
        ratios = _ratios(found, rate, seed)
        if len(ratios):
            chances = np.minimum(1, np.array(LEVELS) * (1 + 1 / len(ratios)))
            whole = np.quantile(ratios, chances, axis=0, method="inverted_cdf")
            correction = whole.diagonal()  # the chance of each level in its own column
            for n in _LENGTHS:
                known = shipped.at(periods_per_year=rate, history=n, horizon=_LONGEST)
                steps = np.arange(1.0, _LONGEST + 1)
                table[rate, n] = np.column_stack([steps, known * correction])
    source = f"this panel's own past, else {shipped.source}"
    return Factors({**shipped.table, **table}, source) if table else None


def _ratios(found: Found, rate: float, seed: int) -> Floats:
    """Ratios (outcomes, LEVELS) of a sample of past forecasts; none where there are too few."""
    asked = [
        (series, panel, row, int(cut))
        for series, (panel, row) in sorted(found.items(), key=lambda item: item[0])
        if panel.usable.periods_per_year == rate
        for cut in np.flatnonzero(np.isfinite(panel.usable.history(row)))[:-1]
    ]
    drawn = np.random.default_rng(seed).permutation(len(asked))[:_SAMPLE]
    chosen = [asked[place] for place in np.sort(drawn)]
    keys = [f"{series}|{cut}" for series, _, _, cut in chosen]
    pasts = [panel.usable.values[row, : cut + 1] for _, panel, row, cut in chosen]
    horizon = min(_LONGEST, max(1, round(_YEARS * rate)))
    ratios, origins, ends = [np.empty((0, len(LEVELS)))], set(), (1 - np.array(LEVELS)) / 2
    pairs = [(panel, row) for _, panel, row, _ in chosen]
    for position, one in own_forecasts(pairs, keys, horizon, pasts=pasts, seed=seed):
        series, panel, row, cut = chosen[position]
        after = panel.usable.values[row, cut + 1 :][:horizon, None]
        low, middle, high = (quantiles(one.draws[: len(after)], q) for q in (ends, [0.5], 1 - ends))
        width = np.where(after >= middle, high - middle, middle - low)
        ratio = np.abs(after - middle) / np.where(width > 0, width, np.nan)
        ratios.append(ratio[np.isfinite(ratio).all(axis=1)])
        origins |= {(series, panel.usable.start(cut))} if len(ratios[-1]) else set()
    known, names = np.concatenate(ratios), {series for series, _ in origins}
    enough = len(known) >= FEWEST_OUTCOMES and len(names) >= FEWEST_SERIES
    enough = enough and len({start for _, start in origins}) >= FEWEST_ORIGINS
    return known if enough else known[:0]


def main() -> None:
    """Print skill and calibration error with either sort of factors."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("data", type=Path)
    parser.add_argument("--indicators", type=int, default=40)
    options = parser.parse_args()
    observations, register = load(options.data)
    register = register.iloc[:: max(1, len(register) // options.indicators)]
    observations = observations[observations["indicator"].isin(register["indicator"])]
    parts = []
    for year in ORIGINS:
        origin = pd.Timestamp(year, 4, 1)
        asked = rule_questions(observations, register, origin, HORIZONS).reset_index(drop=True)
        found = panels(observations, register, origin=origin)
        for name, factors in (("shipped", None), ("own", panel_factors(found))):
            how: dict[str, Any] = {"register": register, "found": found, "factors": factors}
            answers = assess_targets(observations, asked, years=(), **how)
            table = judged(asked.join(answers[["probability"]]), observations, "backtest")
            table = table.dropna(subset=["probability", "met"]).assign(factors=name, origin=year)
            table["base"] = table.groupby(["kind", "horizon"])["met"].transform("mean")
            parts.append(table)
    for (horizon, name), part in pd.concat(parts).groupby(["horizon", "factors"]):
        print(horizon, "years", name, score(part))


if __name__ == "__main__":
    main()
