"""Functions that other people's notebooks and tests call keep their names and arguments."""

from __future__ import annotations

import inspect
from importlib import import_module

import pytest

FIXED = {
    "spc.spc_chart": "observations improvement rules screen targets rebase baseline_points "
    "baseline",
    "shape.detect_shape": "observations periods_per_year declared",
    "intervals.wilson": "count denominator confidence",
    "intervals.poisson": "count confidence",
    "comparison.funnel": "areas statistic overdispersion",
    "forecast.forecast": "history periods_per_year horizon bounds factors seed",
    "forecast.forecast_many": "observations periods_per_year horizon",
    "forecast.Forecast.quantile": "q",
    "forecast.Forecast.probability": "target horizon better decimals",
    "realism.assess_targets": "observations targets register peer_sets origin",
}


@pytest.mark.parametrize("name", FIXED)
def test_a_function_that_others_call_keeps_its_arguments(name: str) -> None:
    module, *path = name.split(".")
    found = import_module(f"pmf_analysis.measures.{module}")
    for part in path:
        found = getattr(found, part)
    asked = [each for each in inspect.signature(found).parameters if each != "self"]
    assert set(FIXED[name].split()) <= set(asked)
