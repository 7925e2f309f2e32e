"""Faults of records: one line in quarantine for each, and a note for what only needs a look."""

from __future__ import annotations

from typing import Any

import pandas as pd

from pmf_analysis.problems import Problems
from pmf_analysis.systems.tabular import Records

QUARANTINE_COLUMNS = (
    *("table", "file", "sheet", "row", "column", "value"),
    *("message", "expected", "fix", "code", "cells"),
)
# So many faults of one sort are listed one by one; the rest are in the quarantine file.
LISTED = 20


_SHARED = ("file", "sheet", "column", "value", "message", "expected", "fix", "code")


class Faults:
    """What is wrong with the records of one table of one sheet.

    ``bad`` marks the records that go to quarantine.
    """

    def __init__(self, file: str, records: Records) -> None:
        self.file, self.records = file, records
        self.bad = pd.Series(False, index=records.raw.index)
        self.notes = Problems()
        self._lines: list[pd.DataFrame] = []

    def add(
        self,
        mask: pd.Series[bool],
        name: str,
        message: str | pd.Series[str],
        *,
        code: str,
        expected: str | pd.Series[str] = "",
        fix: str = "correct the cell in the source, then import again",
    ) -> None:
        """Send the marked records to quarantine, because of their cell in the column `name`."""
        if not mask.any():
            return
        self.bad = self.bad | mask
        lines = pd.DataFrame({"row": self.records.rows[mask]})
        lines["column"] = self._of("labels", name, "", mask)
        lines["value"] = self._raw(name, mask)
        lines["message"] = message[mask] if isinstance(message, pd.Series) else message
        lines["expected"] = expected[mask] if isinstance(expected, pd.Series) else expected
        self._lines.append(lines.assign(fix=fix, code=code))

    def note(
        self, mask: pd.Series[bool], name: str, message: str, *, code: str, level: Any = "warning"
    ) -> None:
        """Say once what was noticed on the marked records, with their number and the first row."""
        if not mask.any():
            return
        count = int(mask.sum())
        self.notes.add(
            message=message + (f" ({count:,} cells, this is the first)" if count > 1 else ""),
            level=level,
            code=code,
            file=self.file,
            sheet=self.records.sheet.name,
            row=int(self.records.rows[mask].iloc[0]),
            column=str(self._of("labels", name, "", mask).iloc[0]),
            value=str(self._raw(name, mask).iloc[0]),
        )

    def at_places(self, name: str, places: frozenset[tuple[int, int]]) -> pd.Series[bool]:
        """Whether the cell of each record in a column is one of the places."""
        if not places or name not in self.records.positions:
            return pd.Series(False, index=self.records.raw.index)
        positions = self._of("positions", name, -1, self.bad | True)
        pairs = zip(self.records.rows, positions, strict=True)
        return pd.Series([pair in places for pair in pairs], index=self.records.raw.index)

    def labels(self, name: str) -> pd.Series[str]:
        """Return the source column of each record's cell in the column `name`."""
        return self._of("labels", name, "", pd.Series(True, index=self.bad.index))

    def quarantine(self) -> pd.DataFrame:
        """Return a line a fault, by row; ``cells`` holds the whole record, so nothing is lost."""
        if not self._lines:
            return pd.DataFrame(columns=list(QUARANTINE_COLUMNS))
        lines = pd.concat(self._lines)
        raw = self.records.raw.loc[self.bad]
        cells = {
            index: "; ".join(f"{name}={cell}" for name, cell in row.items() if cell != "")
            for index, row in raw.to_dict("index").items()
        }
        lines["cells"] = lines.index.map(cells)
        lines = lines.assign(
            table=self.records.table, file=self.file, sheet=self.records.sheet.name
        )
        return lines.sort_values("row", kind="stable")[list(QUARANTINE_COLUMNS)]

    def _of(self, what: str, name: str, absent: Any, mask: pd.Series[bool]) -> pd.Series[Any]:
        found = getattr(self.records, what).get(name, absent)
        if isinstance(found, pd.Series):
            return found[mask]
        return pd.Series(found, index=mask.index[mask])

    def _raw(self, name: str, mask: pd.Series[bool]) -> pd.Series[str]:
        if name not in self.records.raw:
            return pd.Series("", index=mask.index[mask])
        return self.records.raw.loc[mask, name].astype("str").fillna("")


def quarantine_problems(quarantine: pd.DataFrame) -> Problems:
    """Return an error for each quarantined cell, the first of a sort listed, the rest counted."""
    problems = Problems()
    for _, sort in quarantine.groupby(["file", "sheet", "code", "column"], sort=False):
        for line in sort.head(LISTED).to_dict("records"):
            details: dict[str, Any] = {name: line[name] for name in _SHARED}
            problems.add(**details, row=int(line["row"]))
        if len(sort) > LISTED:
            last = sort.iloc[-1]
            problems.add(
                message=f"{len(sort) - LISTED:,} more rows have the same fault; all are in "
                "quarantine.csv.",
                code=last["code"],
                file=last["file"],
                sheet=last["sheet"],
                column=last["column"],
            )
    return problems
