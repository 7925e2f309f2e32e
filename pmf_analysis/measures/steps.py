"""Where a level seems to have stepped: suggestions for whoever knows what happened.

A suggestion is a question to a person ("did anything change here?"). Nothing applies it: a new
usual range starts only where somebody has recorded a reason, a role and a date.
"""

import math
from collections.abc import Iterator

import numpy as np
import pandas as pd

from pmf_analysis.measures.arrays import PRECISION, Floats, Frame

FEWEST, APART, MOST = 13, 6, 3  # values of a series; values between steps; steps of one series
# What each step, and a straight line instead of steps, must gain in n log(sum of squares). A price
# of 5 to 10 a step would leave suggestions in 5 % of independent noise; this stricter one makes
# them rare where values depend on each other. Shares of 1,000 simulated series with a suggestion,
# 13, 24, 60, 120 values each (`benchmarks/trend_alarms.py --steps`): independent noise .001, .000,
# .003, .007; autoregression of .3: .000, .016, .062, .095, of .6: .018, .120, .377, .589; a line
# of the worst slope .012, .027, .044, .058; a step of 3 sd midway .399, .763, .986, 1.
STEP_PRICE, LINE_PRICE = 14.0, 6.0
COLUMNS = ["series", "period", "before", "after", "size_in_sd", "gain", "evidence"]


def suggested_steps(observations: Frame) -> Frame:
    """Suggest where the level of each series of at least 13 values stepped.

    Exact least-squares steps (ruptures' linear kernel), at least six values apart, at most three;
    only where they describe the series clearly better than one level or a straight line does.

    Parameters
    ----------
    observations
        Columns series, period, value; without seasons, if there are any. Missing and infinite
        values are left out.

    Returns
    -------
    DataFrame
        A row a step: series, period (first one of the new level), before and after (averages
        between neighbouring steps), size_in_sd (after less before, in standard deviations around
        the levels; NaN where nothing varies around them), gain (share of the squared distances
        from one average that all steps of the series remove), evidence.
    """
    ordered = observations.sort_values(["series", "period"], kind="stable")
    ordered = ordered[np.isfinite(ordered["value"].to_numpy(float, na_value=np.nan))]
    rows = [
        (name, part["period"].iloc[place], *facts)
        for name, part in ordered.groupby("series", sort=True)
        for place, *facts in _steps(part["value"].to_numpy(float))
    ]
    table = pd.DataFrame(rows, columns=COLUMNS)
    kinds = observations.dtypes[["series", "period"]].to_dict() if table.empty else {}
    return table.astype(kinds | dict.fromkeys(COLUMNS[2:6], "float64"))


def _steps(values: Floats) -> Iterator[tuple[object, ...]]:
    """Place, before, after, size, gain and evidence of every suggested step."""
    starts = _starts(values) if len(values) >= FEWEST else []
    parts = np.split(values, starts)
    left, total = _squares(values, starts), _squares(values, [])
    spread = math.sqrt(left / (len(values) - len(starts) - 1)) if starts else math.nan
    for place, before, after in zip(starts, parts, parts[1:], strict=False):
        low, high = float(before.mean()), float(after.mean())
        digits = min(max(1 - math.floor(math.log10(abs(high - low))), 0), 6)
        evidence = f"Average of {len(before)} figures before {low:,.{digits}f}, "
        evidence += f"of {len(after)} after {high:,.{digits}f}."
        size = (high - low) / spread if left > PRECISION * total else math.nan
        yield place, low, high, size, 1 - left / total, evidence


def _starts(values: Floats) -> list[int]:
    """First position of every new level; none where one level or a line does as well."""
    from ruptures import KernelCPD

    n, centred = len(values), values - values.mean()
    spread = float(np.abs(centred).max())
    if spread <= PRECISION * float(np.abs(values).max()):
        return []
    scaled, time = centred / spread, np.arange(n) - (n - 1) / 2
    line = scaled - time * (time @ scaled) / (time @ time)
    most = min(MOST, n // APART - 1)
    search = KernelCPD(kernel="linear", min_size=APART).fit(scaled[:, None])
    search.predict(n_bkps=most)
    found = [search.segmentations_dict[count][:-1] for count in range(1, most + 1)]
    options: list[tuple[Floats, list[int], float]] = [(scaled, [], 0.0), (line, [], LINE_PRICE)]
    options += [(scaled, starts, STEP_PRICE * len(starts)) for starts in found]
    # Residuals of values between -1 and 1: below the floor, exact levels are no better.
    costs = [
        n * math.log(max(_squares(levelled, starts), n * PRECISION)) + price
        for levelled, starts, price in options
    ]
    return [int(start) for start in options[int(np.argmin(costs))][1]]


def _squares(values: Floats, starts: list[int]) -> float:
    """Sum of squared distances from the averages between steps."""
    return sum(float(np.sum((part - part.mean()) ** 2)) for part in np.split(values, starts))
