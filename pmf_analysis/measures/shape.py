"""What kind of series it is: the first question, because it decides which method may be asked.

A running total, an overlapping window or a seasonal pattern breaks control charts silently:
year-to-date figures hide every change, rolling figures raise false alarms, seasons hide steps.
"""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
import pandas as pd
from numpy.typing import NDArray

Floats = NDArray[np.float64]

TREATMENTS = {
    "ytd": "same_period_last_year",
    "rolling": "non_overlapping",
    "seasonal": "season_means_removed",
}
FEWEST = 5  # values below which nothing is judged
FEWEST_FOR_YTD = 8
FULL_CYCLES = 3  # years of values before a seasonal pattern may be told from chance
SEASON_SIGNIFICANCE = 0.01
YTD_RATIO = 0.45  # first value of a year against the last of the year before; a quarter gives 0.25


def detect_shape(
    observations: pd.DataFrame,
    *,
    periods_per_year: float | Mapping[str, float],
    declared: Mapping[str, str] | None = None,
) -> pd.DataFrame:
    """Tell the shape of every series, from what is declared and else from the values.

    Parameters
    ----------
    observations
        Columns series, period (dates where seasons are to be found), value; missing values are
        left out.
    periods_per_year
        For all series or by series.
    declared
        By series its accumulation: "discrete", "snapshot", "ytd" or "rolling". It beats
        detection; "discrete" and "snapshot" leave open whether there are seasons.

    Returns
    -------
    DataFrame
        series, shape (too_short, constant, ytd, rolling, seasonal, discrete), evidence (a
        sentence), treatment (as_it_is, same_period_last_year, non_overlapping,
        season_means_removed, none). Undeclared windows are found in about 60 % of series of 12
        points and 90 % of 24, with 2 % false alarms (simulated, window of a year).
    """
    ordered = observations.sort_values(["series", "period"], kind="stable")
    ordered = ordered.assign(month=months(ordered["period"]))[["series", "value", "month"]]
    rows = []
    for name, group in ordered.groupby("series", sort=True):
        series, given = str(name), periods_per_year
        per_year = float(given[series] if isinstance(given, Mapping) else given)
        values, month = group["value"].to_numpy(float), group["month"].to_numpy()
        shape, evidence = _shape(values, month, per_year, (declared or {}).get(series, ""))
        fallback = "none" if shape in ("too_short", "constant") else "as_it_is"
        rows.append((series, shape, evidence, TREATMENTS.get(shape, fallback)))
    return pd.DataFrame(rows, columns=["series", "shape", "evidence", "treatment"])


def _shape(
    values: Floats, month: NDArray[np.intp], per_year: float, declared: str
) -> tuple[str, str]:
    known = values[~np.isnan(values)]
    if declared in ("ytd", "rolling"):
        return declared, "Declared in the register."
    if len(known) < FEWEST:
        return "too_short", f"Only {len(known)} values."
    if np.ptp(known) <= 1e-12 * np.abs(known).max():
        return "constant", "Every value is the same."
    season = _seasons(month)[~np.isnan(values)]
    if not declared and per_year > 1:
        if _is_running_total(known, season):
            return "ytd", "Values rise within each year and start again at the next."
        if _moves_like_a_window(values, int(per_year)):
            return "rolling", "Neighbouring values move together as overlapping windows do."
    p_value = _season_p_value(known, np.flatnonzero(~np.isnan(values)), season, per_year)
    if p_value < SEASON_SIGNIFICANCE:
        return "seasonal", f"Seasons differ by more than chance (p = {p_value:.2g})."
    return "discrete", "Declared in the register." if declared else "No other pattern was found."


def months(periods: pd.Series) -> NDArray[np.intp]:
    """Month of every period; 0 where periods are not dates."""
    if not pd.api.types.is_datetime64_any_dtype(periods):
        return np.zeros(len(periods), dtype=np.intp)
    return np.asarray(periods.dt.month, dtype=np.intp)


def _seasons(month: NDArray[np.intp]) -> NDArray[np.intp]:
    """Number the months that occur in a series: quarters, terms or months alike."""
    return np.unique(month, return_inverse=True)[1]


def _is_running_total(value: Floats, season: NDArray[np.intp]) -> bool:
    """Whether values climb in every year and fall back, far enough, in one and the same season."""
    if len(value) < FEWEST_FOR_YTD or value.min() < 0:
        return False
    step, into = np.diff(value), season[1:]
    for start in np.unique(into):
        opens = into == start
        climbs = not opens.all() and (step[~opens] >= 0).mean() >= 0.95
        if climbs and (step[opens] < 0).all():
            first, last = np.median(value[1:][opens]), np.median(value[:-1][opens])
            return bool(first < YTD_RATIO * last)
    return False


def _moves_like_a_window(values: Floats, window: int) -> bool:
    """Whether steps correlate like those of a moving average: not at lag 1, negatively at its span.

    Steps of independent values correlate by -0.5 at lag 1, those of a window's mean by 0, and by
    -0.5 at the lag of the window. Unlike the values' own autocorrelation, this is not fooled by a
    trend or a single step. Series with gaps are not tested.
    """
    step = np.diff(values)
    if len(step) < window + 7 or np.isnan(step).any():
        return False
    centred = step - step.mean()
    power = float((centred**2).sum())
    near = float((centred[1:] * centred[:-1]).sum()) / power
    far = float((centred[window:] * centred[:-window]).sum()) / power
    return near - far > 3.3 / len(values) - 0.1  # simulated: at most 2 % false alarms


def _design(time: NDArray[np.intp], season: NDArray[np.intp]) -> tuple[Floats, Floats]:
    """Regressors of a straight line, and of centred seasons beside it."""
    line = np.column_stack([np.ones(len(time)), time - time.mean()])
    dummies = (season[:, None] == np.unique(season)[None, 1:]).astype(float)
    return line, dummies - dummies.mean(axis=0)


def _season_p_value(
    value: Floats, time: NDArray[np.intp], season: NDArray[np.intp], per_year: float
) -> float:
    """F test of seasons beside a straight line; 1 where there are too few full years."""
    count = len(np.unique(season))
    if not 2 <= count <= 12 or count != per_year or len(value) < FULL_CYCLES * count:
        return 1.0
    from scipy.stats import f

    line, dummies = _design(time, season)
    rest = [_residuals(value, each) for each in (line, np.hstack([line, dummies]))]
    plain, seasonal = ((left**2).sum() for left in rest)
    freedom = len(value) - count - 1
    if seasonal <= 1e-20 * (value**2).sum():
        return 0.0
    return float(f.sf((plain - seasonal) / (count - 1) / (seasonal / freedom), count - 1, freedom))


def _residuals(value: Floats, design: Floats) -> Floats:
    return np.asarray(value - design @ np.linalg.lstsq(design, value, rcond=None)[0])


def season_effects(observations: pd.DataFrame) -> pd.Series:
    """How far each season lies from the series' level, beside a straight line; a row a row.

    Subtracting it leaves what a control chart can judge (power for a step of three standard
    deviations rises from none to about 0.84 at 16 quarters). Missing values get their season's
    effect too.
    """
    effects = pd.Series(0.0, index=observations.index)
    for _, group in observations.sort_values("period").groupby("series"):
        values, season = group["value"].to_numpy(float), _seasons(months(group["period"]))
        known = ~np.isnan(values)
        line, dummies = _design(np.flatnonzero(known), season[known])
        fit = np.linalg.lstsq(np.hstack([line, dummies]), values[known], rcond=None)[0]
        levels = np.append(0.0, fit[2:])
        effects[group.index] = (levels - levels[season[known]].mean())[season]
    return effects
