"""Values put right by hand: a correction applies only while the source still shows the fault."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from pmf_analysis.periods import parse_period
from pmf_analysis.problems import COLUMNS

if TYPE_CHECKING:
    from pmf_analysis.parameters.models import Correction, Indicator
    from pmf_analysis.parameters.register import Register


def apply_corrections(
    observations: pd.DataFrame,
    corrections: Iterable[Correction],
    register: Register,
    *,
    own_area: str,
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
        A row for each correction: applied (info), or why it no longer fits (warning).
    """
    corrected = observations.copy()
    notes = []
    for correction in corrections:
        indicator = register.indicators.get(correction.indicator)
        if indicator is None:
            rows = corrected.index[:0]
        else:
            rows = _rows_of(corrected, correction, indicator, correction.area or own_area)
        problem = _misfit(corrected.loc[rows, "value"], correction)
        if not problem:
            _apply(corrected, rows, correction)
        notes.append(_note(correction, problem))
    return corrected, pd.DataFrame(notes, columns=[*COLUMNS, "indicator"])


def _rows_of(
    observations: pd.DataFrame, correction: Correction, indicator: Indicator, area: str
) -> pd.Index:
    period = parse_period(
        correction.period, year_type=indicator.year_type, frequency=indicator.frequency
    )
    found = (
        (observations["indicator_id"] == correction.indicator)
        & (observations["area_code"] == area)
        & (observations["dimension"] == "")
        & (observations["period_start"] == pd.Timestamp(period.start))
    )
    return observations.index[found]


def _misfit(values: pd.Series, correction: Correction) -> str:
    """Why a correction does not fit what the source shows now; "" where it does."""
    if values.empty:
        return "there is no such value"
    if correction.expect is not None and not np.isclose(values, correction.expect).all():
        return f"the source now shows {values.iloc[-1]:g}, not {correction.expect:g}"
    return ""


def _apply(observations: pd.DataFrame, rows: pd.Index, correction: Correction) -> None:
    observations.loc[rows, "value_note"] = (
        f"Corrected by hand ({correction.provided_by}): {correction.reason}"
    )
    if correction.action == "note":
        return
    # The parts of a wrong value are not known to be right.
    observations.loc[rows, ["numerator", "denominator", "ci_lower", "ci_upper"]] = np.nan
    if correction.action == "replace":
        observations.loc[rows, "value"] = correction.value
    else:
        observations.loc[rows, "value"] = np.nan
        observations.loc[rows, "value_status"] = "missing"


def _note(correction: Correction, problem: str) -> dict[str, object]:
    done = {"replace": "replaced", "drop": "left out", "note": "annotated"}[correction.action]
    what = f"the correction of {correction.indicator}, {correction.period}"
    row: dict[str, object] = dict.fromkeys(COLUMNS, "")
    row |= {"row": None, "file": "parameters/corrections.yml", "indicator": correction.indicator}
    if problem:
        return row | {
            "level": "warning",
            "code": "correction-misfit",
            "message": f"{what.capitalize()}, was not applied: {problem}.",
            "fix": "remove the correction, or bring it up to date.",
        }
    return row | {
        "level": "info",
        "code": "corrected",
        "message": f"{correction.indicator}, {correction.period}, was {done}: {correction.reason}.",
    }
