"""Calibration factors from how forecasts of the same panels fared before."""

from typing import Any

import numpy as np

from pmf_analysis.measures.arrays import Floats
from pmf_analysis.measures.calibration import LEVELS, Factors, shipped_factors
from pmf_analysis.measures.chance import quantiles
from pmf_analysis.measures.outlook import Found, own_forecasts

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
