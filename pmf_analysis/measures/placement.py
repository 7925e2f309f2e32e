"""Periods as places on a regular line: a missing one is a gap and not a shorter series."""

from dataclasses import dataclass

import numpy as np
import pandas as pd

from pmf_analysis.measures.arrays import Column, Floats, Frame, Places, Texts
from pmf_analysis.period_spans import add_months

WEEKLY = 52
_LARGEST = 1e60  # no indicator comes near; squares of larger numbers overflow


@dataclass(frozen=True)
class Placed:
    """Series on one line of regular periods that starts at `anchor`; S series, T places."""

    series: list[str]
    values: Floats  # (S, T), NaN where there is no value
    last: Places  # (S,) place of the last value, -1 for none
    anchor: pd.Timestamp
    periods_per_year: float

    def history(self, row: int) -> Floats:
        """Values of one series up to its last one."""
        return np.asarray(self.values[row, : self.last[row] + 1])

    def place_of(self, start: pd.Timestamp) -> int:
        """Place of the period that starts on a day; negative before the line begins."""
        return int(places(pd.Series([start]), self.anchor, self.periods_per_year)[0])

    def start(self, place: int) -> pd.Timestamp:
        """First day of the period at a place."""
        if self.periods_per_year == WEEKLY:
            return self.anchor + pd.Timedelta(weeks=place)
        months = round(12 / self.periods_per_year) * place
        return pd.Timestamp(add_months(self.anchor.date(), months))


def sane(values: Floats) -> Floats:
    """Replace what is not a finite number of believable size by NaN."""
    with np.errstate(invalid="ignore"):
        return np.where(np.abs(values) < _LARGEST, values, np.nan)


def places(periods: Column, anchor: pd.Timestamp, periods_per_year: float) -> Places:
    """How many periods each start lies after `anchor`, to the nearest whole one."""
    if periods_per_year == WEEKLY:
        return np.asarray(((periods - anchor).dt.days / 7).round(), dtype=np.intp)
    months = periods.to_numpy("datetime64[M]") - anchor.to_datetime64().astype("datetime64[M]")
    return np.asarray((months.astype(float) * periods_per_year / 12).round(), dtype=np.intp)


def place(rows: Frame, periods_per_year: float, columns: Texts = ("value",)) -> list[Placed]:
    """Put the values of series of one frequency, by column, on a common line.

    Parameters
    ----------
    rows
        series, period (start) and `columns`. Of several values of a series at one place the last
        row counts; rows without a value only say that the series exists.
    """
    codes, labels = pd.factorize(rows["series"], sort=True)
    series = [str(label) for label in labels]
    starts = pd.to_datetime(rows["period"])
    anchor = starts.min()
    where = places(starts, anchor, periods_per_year)
    placed = []
    for column in columns:
        values = np.full((len(series), where.max(initial=-1) + 1), np.nan)
        number = sane(rows[column].to_numpy(dtype=float))
        known = np.isfinite(number)
        values[codes[known], where[known]] = number[known]
        last = np.where(np.isfinite(values), np.arange(values.shape[1]), -1).max(axis=1, initial=-1)
        placed.append(Placed(series, values, last, anchor, periods_per_year))
    return placed
