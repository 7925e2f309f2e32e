"""What becomes of a file's records: accepted, held back with the reason, or ignored.

A record under judgement gets a line in quarantine for each fault, a note for what looks odd.
"""

from __future__ import annotations

from collections import Counter
from dataclasses import asdict, dataclass, field, replace
from typing import Any

import pandas as pd

from pmf_analysis.data.store import FileRecord
from pmf_analysis.problems import EXIT_DATA_UNUSABLE, PLACE, PmfError, Problem, Problems, faults
from pmf_analysis.shipped import read_shipped
from pmf_analysis.systems.cells import Mark, Sheet
from pmf_analysis.systems.mapping import MappingFile

RULES = read_shipped("systems/rules.yml")

# So many faults of one sort are listed one by one.
LISTED = 20
SOURCE = {"source_file": "file", "source_sheet": "sheet", "source_row": "row"}
_SAID = ("message", "expected", "fix", "code")
_WHAT = (*_SAID, "indicator")
QUARANTINE_COLUMNS = ["table", *PLACE, *_WHAT, "area_code", "cells"]
_IN_FILE = "; all are in quarantine.csv."
# The number, in `raw`, of the layout that a record has.
LAYOUT = "_layout"


@dataclass(frozen=True)
class Records:
    """Records of one table from one sheet, and where their cells stood.

    Parameters
    ----------
    raw
        A row a record: cells as read under our names, the source columns of the contract, and
        ``LAYOUT``.
    layouts
        Position and label, such as ``E "Q1 2026/27 Value"``, of the source column of each of ours.
    """

    table: str
    sheet: Sheet
    raw: pd.DataFrame
    layouts: list[dict[str, tuple[int, str]]]

    def labels(self, name: str, chosen: pd.Series[bool]) -> list[str]:
        """Source column of each chosen record's cell in the column `name`; "" where it has none."""
        known = [layout.get(name, (-1, ""))[1] for layout in self.layouts]
        return [known[number] for number in self.raw.loc[chosen, LAYOUT]]

    def marked(self, name: str, mark: Mark) -> pd.Series[bool]:
        """Whether the workbook marks the cell of each record in the column `name`."""
        if not self.sheet.marks:
            return pd.Series(False, index=self.raw.index)
        known = [layout.get(name, (-1, ""))[0] for layout in self.layouts]
        places = zip(self.raw["source_row"], self.raw[LAYOUT].map(known.__getitem__), strict=True)
        found = [self.sheet.marks.get(place) == mark for place in places]
        return pd.Series(found, index=self.raw.index, dtype=bool)


@dataclass
class ImportResult:
    """One file: its accepted rows by table, where its other rows went, and what was wrong.

    ``read`` counts rows that are not blank, but for headers; a row that becomes several records
    counts as many, and ``more`` of them than there are rows. ``quarantined`` counts those held
    back, each with one or more ``lines``.
    """

    name: str
    sha256: str
    mapping: str
    problems: Problems
    read: int = 0
    tables: dict[str, pd.DataFrame] = field(default_factory=dict)
    ignored: Counter[str] = field(default_factory=Counter)
    quarantined: int = 0
    lines: list[pd.DataFrame] = field(default_factory=list)
    more: int = 0

    def in_words(self) -> str:
        """Say what became of every row."""
        made, rows = self.record, self.read - self.more
        read = f"{rows} rows: {self.read} records" if self.more else f"{rows} rows"
        held = f"{made.rows_quarantined} quarantined + {made.rows_ignored} ignored"
        return f"{read} read = {made.rows_accepted} accepted + {held}"

    def hold(self, lines: pd.DataFrame, rows: int) -> None:
        """Hold back so many rows, which have these quarantine lines."""
        self.lines.append(lines)
        self.quarantined += rows
        self.problems.extend(quarantine_problems(lines))

    def refuse(self, problem: Problem, table: str, rows: pd.DataFrame) -> None:
        """Hold back rows that cannot even be cut into records, all because of one problem."""
        place: dict[str, Any] = {"table": table, "area_code": "", "cells": "", "row": rows.index}
        self.lines.append(pd.DataFrame(asdict(problem) | place)[QUARANTINE_COLUMNS])
        self.quarantined += len(rows)
        message = f"{problem.message} None of its {len(rows):,} rows were read."
        self.problems.add(replace(problem, message=message))

    @property
    def quarantine(self) -> pd.DataFrame:
        """A line a fault, with the columns of ``quarantine.csv``."""
        nothing = pd.DataFrame(columns=QUARANTINE_COLUMNS, dtype="object")
        return pd.concat([nothing, *self.lines], ignore_index=True)

    @property
    def record(self) -> FileRecord:
        """The counts for the manifest.

        Raises
        ------
        PmfError
            Exit 3, unless every row is in exactly one place; a lost row is a fault of pmf.
        """
        accepted = sum(map(len, self.tables.values()))
        placed = accepted + self.quarantined + self.ignored.total()
        if placed != self.read:
            facts = {"file": self.name, "read": self.read, "placed": placed}
            raise PmfError(Problem.of("rows-not-conserved", **facts), EXIT_DATA_UNUSABLE)
        because = {reason: count for reason, count in sorted(self.ignored.items()) if count}
        counts = (self.read, accepted, self.quarantined, self.ignored.total())
        return FileRecord(self.name, self.sha256, self.mapping, *counts, because)


def lines_at(places: pd.DataFrame, fault: str, **slots: Any) -> pd.DataFrame:
    """Return quarantine lines of a fault; a slot of its words is one for all, or a column."""
    told = pd.DataFrame({"fault": fault, **slots}, index=places.index)
    rows = [*told.itertuples(index=False, name=None)]
    said = {row: Problem.of(**dict(zip(["fault", *slots], row, strict=True))) for row in {*rows}}
    return places.assign(**{word: [getattr(said[row], word) for row in rows] for word in _SAID})


def first_of(places: pd.DataFrame, fault: str, **slots: Any) -> list[Problem]:
    """Return a fault at the first of some places; none where there is no place.

    `places` has columns of quarantine lines that say where, or the source columns of the contract.
    """
    first: Any = places.head(1).rename(columns=SOURCE).filter(PLACE).to_dict("records")
    return [Problem.of(fault, **slots, **place) for place in first]


def quarantine_problems(quarantine: pd.DataFrame) -> Problems:
    """Return an error for each quarantined cell, the first of a sort listed, the rest counted."""
    problems = Problems()
    for _, sort in quarantine.groupby(["file", "sheet", "code", "column"], sort=False):
        sort = sort.reset_index(drop=True)
        # What the register lacks is said once, however many periods and areas it has.
        is_new = ~sort.duplicated("message") | (sort["code"] != "indicator-unknown")
        listed = sort[is_new].head(LISTED)
        lines: Any = listed[[*PLACE, *_WHAT]].to_dict("records")
        problems.extend(Problem(**line) for line in lines)
        if len(sort) > len(listed):
            rest = sort["row"].drop(listed.index).astype("str")
            named = ", ".join(rest.head(LISTED)) + (" and on" if len(rest) > LISTED else "")
            rows = "row has" if len(rest) == 1 else "rows have"
            more = f"{len(rest):,} more {rows} the same fault ({named})"
            place = {name: sort[name].iloc[-1] for name in ("code", "file", "sheet", "column")}
            problems.add(message=more + _IN_FILE, **place)
    return problems


def unstored(problems: Problems) -> Problems:
    """Return the problems of an import that stored nothing, which wrote no quarantine.csv."""
    nothing = "; nothing was stored."
    return Problems(replace(p, message=p.message.replace(_IN_FILE, nothing)) for p in problems)


class Case:
    """The records of one table of one sheet while they are judged, and what is wrong with them.

    ``raw`` are the cells as read; ``typed`` what is made of them, with every column of the
    contract; ``facts`` what the register says of each record's indicator. ``bad`` marks the
    records that go to quarantine; ``notes`` tells what was noticed on others.
    """

    def __init__(self, records: Records, raw: pd.DataFrame, mapping: MappingFile) -> None:
        self.records, self.raw, self.mapping = records, raw, mapping
        self.typed = pd.DataFrame(index=raw.index)
        self.facts = pd.DataFrame(index=raw.index)
        self.bad = pd.Series(False, index=raw.index)
        self.notes = Problems()
        self._lines: list[pd.DataFrame] = []
        # What says to a reader in which period a record is; "period" where a cell is named.
        of_start = "period_start" in raw and "period_label" not in raw
        self.period_cell = "period_start" if of_start else "period_label"

    def raw_text(self, name: str) -> pd.Series[str]:
        """Return the texts of a column as read; where it is not there, empty ones."""
        return self.raw.get(name, pd.Series("", index=self.raw.index)).astype("str")

    def tell(self, mask: pd.Series[bool], name: str, fault: str, **slots: Any) -> None:
        """Tell a fault of the marked records, in their cell of the column `name`.

        An error sends each of them to quarantine; anything else is said once, with their number.
        `slots` fill the words of the fault in ``faults.yml``: one for all, or a column of them.
        """
        if not mask.any():
            return
        places = self._places(mask, self.period_cell if name == "period" else name)
        slots["cell"] = name.replace("_", " ")
        if faults()[fault].get("level", "error") == "error":
            self.bad = self.bad | mask
            self._lines.append(lines_at(places, fault, **slots))
            return
        count = int(mask.sum())
        more = f" ({count:,} cells, this is the first)" if count > 1 else ""
        for problem in first_of(places, fault, **slots):
            self.notes.add(replace(problem, message=problem.message + more))

    def where(self, expression: str, **known: Any) -> pd.Series[bool]:
        """Return the records for which an expression of ``rules.yml`` holds."""
        mask: Any = pd.eval(expression, engine="python", local_dict=self._names(known))
        return pd.Series(mask, dtype=bool)

    def _names(self, known: dict[str, Any]) -> dict[str, Any]:
        return {**self.facts, **self.typed, **known, "bad": self.bad}

    def hold_to(self, rules: str, **known: Any) -> None:
        """Hold the records against rules of ``rules.yml``; `known` are names that they use."""
        for rule in RULES.get(rules, ()):
            mask = self.where(rule["where"], **known)
            slots = {name: self._names(known)[name] for name in rule.get("with", ())}
            for name, cell in rule.get("then", {}).items():
                self.typed.loc[mask, name] = cell
            self.tell(mask, rule["cell"], rule["fault"], **slots)

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
        known = self.typed.reindex(columns=["indicator_id", "area_code"], fill_value="")
        lines = lines.join(known.rename(columns={"indicator_id": "indicator"}))
        lines = lines.assign(table=self.records.table, cells=lines.index.map(cells))
        return lines.sort_values("row", kind="stable")[QUARANTINE_COLUMNS]

    def _places(self, mask: pd.Series[bool], name: str) -> pd.DataFrame:
        raw = self.records.raw[mask]
        value = raw[name].astype("str").fillna("") if name in raw else ""
        label = self.records.labels(name, mask)
        return raw[[*SOURCE]].rename(columns=SOURCE).assign(column=label, value=value)
