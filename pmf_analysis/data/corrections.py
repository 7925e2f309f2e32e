"""Values put right by hand: a correction applies only while the source still shows the fault."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import pandas as pd

from pmf_analysis import periods, problems
from pmf_analysis.data.contract import problem_table
from pmf_analysis.parameters.register import Register
from pmf_analysis.parameters.small_files import Correction

_DONE = {"replace": "replaced", "drop": "left out", "note": "annotated"}
_FILE = "parameters/corrections.yml"
# The parts of a wrong value are not known to be right.
_PARTS = ["value", "numerator", "denominator", "ci_lower", "ci_upper"]


def apply_corrections(
    known: pd.DataFrame, declared: Sequence[Correction], register: Register, *, own_area: str
) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Replace, drop or annotate the values that people declared wrong.

    A correction that finds no such value, or another one than it expects, is not applied, so that
    none outlives its cause.

    Returns
    -------
    observations
        The same rows; a corrected value says so in `value_note`, a dropped one has the status
        "missing".
    notes
        A row for each correction: applied (info), or why it no longer fits (warning); the columns
        of `problems.COLUMNS`, and indicator.
    """
    corrected = known.copy()
    notes = []
    for correction in declared:
        rows = _rows_of(corrected, correction, register, correction.area or own_area)
        misfit = _misfit(corrected.loc[rows, "value"], correction)
        if not misfit:
            _apply(corrected, rows, correction)
        told = {**dict(correction), "done": _DONE[correction.action], "misfit": misfit}
        fault = "correction-misfit" if misfit else "corrected"
        notes.append(problems.Problem.of(fault, **told | {"file": _FILE, "value": ""}))
    return corrected, problem_table(notes)


def _rows_of(
    observations: pd.DataFrame, correction: Correction, register: Register, area: str
) -> pd.Series[bool]:
    """Rows of the whole area's value; the window of a rolling one begins before its period."""
    indicator = register.indicators.get(correction.indicator)
    if indicator is None:
        return pd.Series(False, index=observations.index)
    known: Any = {"year_type": indicator.year_type, "frequency": indicator.frequency}
    period = periods.parse_period(correction.period, **known)
    rows = (observations["indicator_id"] == indicator.id) & (observations["area_code"] == area)
    rows &= observations["dimension"] == ""
    rows &= observations["period_end"] == pd.Timestamp(period.end)
    if indicator.accumulation == "discrete":
        rows &= observations["period_start"] == pd.Timestamp(period.start)
    return rows


def _misfit(values: pd.Series[float], correction: Correction) -> str:
    """Why a correction does not fit what the source shows now; "" where it does."""
    if values.empty:
        return "there is no such value"
    if correction.expect is not None and not np.isclose(values, correction.expect).all():
        shown = "no value" if values.isna().all() else f"{values.iloc[-1]:g}"
        return f"the source now shows {shown}, not {correction.expect:g}"
    return ""


def _apply(observations: pd.DataFrame, rows: pd.Series[bool], correction: Correction) -> None:
    said = f"Corrected by hand ({correction.provided_by}): {correction.reason}"
    observations.loc[rows, "value_note"] = said
    if correction.action == "note":
        return
    observations.loc[rows, _PARTS] = np.nan
    if correction.action == "replace":
        observations.loc[rows, "value"] = correction.value
    else:
        observations.loc[rows, "value_status"] = "missing"
