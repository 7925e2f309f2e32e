"""Records under judgement: a line in quarantine for each fault, a note for what looks odd."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pandas as pd

from pmf_analysis.problems import Problems
from pmf_analysis.systems.mapping import MappingFile
from pmf_analysis.systems.results import QUARANTINE_COLUMNS, SOURCE, first_of, lines_at
from pmf_analysis.systems.tabular import LAYOUT, Records


class Case:
    """The records of one table of one sheet while they are judged, and what is wrong with them.

    ``raw`` are the cells as read, ``typed`` what is made of them, ``facts`` what the register says
    of each record's indicator. ``bad`` marks the records that go to quarantine; ``notes`` tells
    what was noticed on others.
    """

    def __init__(self, records: Records, raw: pd.DataFrame, mapping: MappingFile) -> None:
        self.records, self.raw, self.mapping = records, raw, mapping
        self.typed = pd.DataFrame(index=raw.index)
        self.facts = pd.DataFrame(index=raw.index)
        self.bad = pd.Series(False, index=raw.index)
        self.notes = Problems()
        self._lines: list[pd.DataFrame] = []

    def typed_text(self, name: str) -> pd.Series[Any]:
        """Return a typed column; where it is not there, empty texts."""
        return self.typed.get(name, pd.Series("", index=self.raw.index))

    def raw_text(self, name: str) -> pd.Series[str]:
        """Return the texts of a column as read; where it is not there, empty ones."""
        return self.raw.get(name, pd.Series("", index=self.raw.index)).astype("str")

    def add(self, mask: pd.Series[bool], name: str, fault: str, **slots: Any) -> None:
        """Send the marked records to quarantine, because of their cell in the column `name`.

        `slots` fill the words of the fault in ``faults.yml``: one for all, or a column of them.
        """
        if mask.any():
            self.bad = self.bad | mask
            self._lines.append(lines_at(self._places(mask, name), fault, **slots))

    def note(self, mask: pd.Series[bool], name: str, fault: str, **slots: str) -> None:
        """Say once what was noticed on the marked records, with their number and the first row."""
        if mask.any():
            count = int(mask.sum())
            more = f" ({count:,} cells, this is the first)" if count > 1 else ""
            for problem in first_of(self._places(mask, name), fault, **slots):
                self.notes.add(replace(problem, message=problem.message + more))

    def quarantine(self) -> pd.DataFrame:
        """Return a line a fault, by row; ``cells`` holds the whole record, so nothing is lost."""
        if not self._lines:
            return pd.DataFrame(columns=QUARANTINE_COLUMNS)
        raw = self.records.raw.loc[self.bad].drop(columns=[LAYOUT, *SOURCE])
        cells = {
            index: "; ".join(f"{name}={cell}" for name, cell in row.items() if cell != "")
            for index, row in raw.to_dict("index").items()
        }
        lines = pd.concat(self._lines)
        indicator, area = (self.typed_text(n)[lines.index] for n in ("indicator_id", "area_code"))
        lines = lines.assign(table=self.records.table, cells=lines.index.map(cells))
        lines = lines.assign(indicator=indicator, area_code=area)
        return lines.sort_values("row", kind="stable")[QUARANTINE_COLUMNS]

    def _places(self, mask: pd.Series[bool], name: str) -> pd.DataFrame:
        raw = self.records.raw[mask]
        value = raw[name].astype("str").fillna("") if name in raw else ""
        label = self.records.labels(name, mask)
        return raw[[*SOURCE]].rename(columns=SOURCE).assign(column=label, value=value)
