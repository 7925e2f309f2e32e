"""Own-panel factors: only with enough outcomes, wider where forecasts were too sure."""

from __future__ import annotations

import numpy as np
import pandas as pd

from pmf_analysis.measures.calibration import Factors, shipped_factors
from pmf_analysis.measures.outlook import panels
from pmf_analysis.measures.panel_factors import panel_factors

START = pd.Timestamp("2010-04-01")
REGISTER = pd.DataFrame([{"indicator": "i", "polarity": "higher", "frequency": "annual"}])


def rows(values: np.ndarray) -> pd.DataFrame:
    areas, years = values.shape
    periods = pd.date_range(START, periods=years, freq="YS-APR")
    area = np.repeat([f"a{k:02d}" for k in range(areas)], years)
    known = {"series": area, "indicator": "i", "area": area, "period": np.tile(periods, areas)}
    return pd.DataFrame(known | {"value": values.ravel()})


def wild(areas: int, years: int) -> np.ndarray:
    """Steady, then ever wilder: forecasts from the past are too sure."""
    steps = np.random.default_rng(0).normal(size=(areas, years)) * 2.0 ** np.arange(years)
    return 1e5 + steps.cumsum(axis=1)


def at(factors: Factors) -> np.ndarray:
    return factors.at(periods_per_year=1, history=9, horizon=3)


def test_forecasts_that_were_too_sure_are_widened_and_too_wide_ones_narrowed():
    wider = panel_factors(panels(rows(wild(60, 12)), REGISTER))
    assert wider is not None and (at(wider) > 1.3 * at(shipped_factors())).all()
    assert "own past" in wider.source
    calm = 50 + np.random.default_rng(1).normal(size=(60, 12))  # no memory: easier than it looks
    narrower = panel_factors(panels(rows(calm), REGISTER))
    assert narrower is not None and (at(narrower)[2] < at(shipped_factors())[2]).all()
    monthly = {"periods_per_year": 12, "history": 48, "horizon": 12}
    assert np.array_equal(wider.at(**monthly), shipped_factors().at(**monthly))


def test_too_few_series_origins_or_outcomes_give_none():
    values = wild(60, 12)
    assert panel_factors({}) is None
    assert panel_factors(panels(rows(values[:, :1]), REGISTER)) is None  # nothing to ask
    assert panel_factors(panels(rows(values[:20]), REGISTER)) is None  # 20 series
    assert panel_factors(panels(rows(values[:, :7]), REGISTER)) is None  # 2 origins
    assert panel_factors(panels(rows(values[:35, :8]), REGISTER)) is None  # 35 * (1 + 2 + 3)
    assert panel_factors(panels(rows(np.ones((60, 12))), REGISTER)) is None


def test_nothing_after_the_origin_counts_and_the_sample_is_the_same_each_time():
    values = wild(60, 14)
    other = values.copy()
    other[:, 11:] *= -5
    origin = START + pd.DateOffset(years=10)
    found = [panel_factors(panels(rows(v), REGISTER, origin=origin)) for v in (values, other)]
    assert found[0] is not None and found[1] is not None
    assert np.array_equal(at(found[0]), at(found[1]))


def test_factors_survive_a_table():
    made = panel_factors(panels(rows(wild(60, 12)), REGISTER))
    assert made is not None
    again = Factors.from_frame(made.to_frame())
    assert again.source == made.source and again.table.keys() == made.table.keys()
    assert all(np.array_equal(again.table[key], made.table[key]) for key in made.table)
