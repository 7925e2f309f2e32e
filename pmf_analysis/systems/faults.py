"""Records under judgement: a line in quarantine for each fault, a note for what looks odd."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pandas as pd

from pmf_analysis.data.contract import read_shipped
from pmf_analysis.problems import Level, Problem, Problems
from pmf_analysis.systems.mapping import MappingFile
from pmf_analysis.systems.tabular import LAYOUT, LISTED, Records

_PLACE = ("file", "sheet", "row", "column", "value")
_SOURCE = {"source_file": "file", "source_sheet": "sheet", "source_row": "row"}
_WHAT = ("message", "expected", "fix", "code")
QUARANTINE_COLUMNS = ["table", *_PLACE, *_WHAT, "cells"]
_IN_FILE = "; all are in quarantine.csv."
FAULTS: dict[str, dict[str, Any]] = read_shipped("faults.yml", "systems")
CORRECT = "correct the cell in the source, then import again"


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
            told = {"code": fault, "expected": "", "fix": CORRECT} | FAULTS[fault]
            filled = pd.DataFrame(slots, index=mask.index)[mask].to_dict("records")
            words = {
                what: [text.format_map(row) for row in filled] if "{" in text else text
                for what, text in told.items()
            }
            self._lines.append(self._places(mask, name).assign(**words))

    def note(self, mask: pd.Series[bool], name: str, fault: str, **slots: str) -> None:
        """Say once what was noticed on the marked records, with their number and the first row."""
        if mask.any():
            told, count = FAULTS[fault], int(mask.sum())
            message = told["message"].format_map(slots)
            message += f" ({count:,} cells, this is the first)" if count > 1 else ""
            code, level = told.get("code", fault), told["level"]
            self.notes.extend(first_of(self._places(mask, name), code, message, level))

    def quarantine(self) -> pd.DataFrame:
        """Return a line a fault, by row; ``cells`` holds the whole record, so nothing is lost."""
        if not self._lines:
            return pd.DataFrame(columns=QUARANTINE_COLUMNS)
        raw = self.records.raw.loc[self.bad].drop(columns=[LAYOUT, *_SOURCE])
        cells = {
            index: "; ".join(f"{name}={cell}" for name, cell in row.items() if cell != "")
            for index, row in raw.to_dict("index").items()
        }
        lines = pd.concat(self._lines)
        lines = lines.assign(table=self.records.table, cells=lines.index.map(cells))
        return lines.sort_values("row", kind="stable")[QUARANTINE_COLUMNS]

    def _places(self, mask: pd.Series[bool], name: str) -> pd.DataFrame:
        raw = self.records.raw[mask]
        value = raw[name].astype("str").fillna("") if name in raw else ""
        label = self.records.labels(name, mask)
        return raw[[*_SOURCE]].rename(columns=_SOURCE).assign(column=label, value=value)


def first_of(
    places: pd.DataFrame, code: str, message: str, level: Level = "warning"
) -> list[Problem]:
    """Return a problem at the first of some places; none where there is no place.

    `places` has columns of quarantine lines that say where, or the source columns of the contract.
    """
    first = places.head(1).rename(columns=_SOURCE).filter(_PLACE).to_dict("records")
    return [Problem(message, level, code, **{str(k): v for k, v in row.items()}) for row in first]


def quarantine_problems(quarantine: pd.DataFrame) -> Problems:
    """Return an error for each quarantined cell, the first of a sort listed, the rest counted."""
    problems = Problems()
    for _, sort in quarantine.groupby(["file", "sheet", "code", "column"], sort=False):
        listed = sort[[*_PLACE, *_WHAT]].head(LISTED).to_dict("records")
        problems.extend(Problem(**{str(k): v for k, v in line.items()}) for line in listed)
        if len(sort) > LISTED:
            rest = sort["row"].iloc[LISTED:].astype("str")
            named = ", ".join(rest.head(LISTED)) + (" and on" if len(rest) > LISTED else "")
            more = f"{len(rest):,} more rows have the same fault ({named})"
            place = {name: sort[name].iloc[-1] for name in ("code", "file", "sheet", "column")}
            problems.add(message=more + _IN_FILE, **place)
    return problems


def unstored(problems: Problems) -> Problems:
    """Return the problems of an import that stored nothing, which wrote no quarantine.csv."""
    nothing = "; nothing was stored."
    return Problems(replace(p, message=p.message.replace(_IN_FILE, nothing)) for p in problems)
