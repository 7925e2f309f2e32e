"""What becomes of a file's rows: accepted, held back with the reason, or ignored."""

from collections import Counter
from dataclasses import asdict, dataclass, field, replace
from typing import Any

import pandas as pd

from pmf_analysis.data.store import FileRecord
from pmf_analysis.problems import EXIT_DATA_UNUSABLE, PmfError, Problem, Problems

# So many faults of one sort are listed one by one.
LISTED = 20
SOURCE = {"source_file": "file", "source_sheet": "sheet", "source_row": "row"}
_PLACE = ("file", "sheet", "row", "column", "value")
_WHAT = ("message", "expected", "fix", "code", "indicator")
QUARANTINE_COLUMNS = ["table", *_PLACE, *_WHAT, "area_code", "cells"]
_IN_FILE = "; all are in quarantine.csv."


@dataclass
class ImportResult:
    """One file: its accepted rows by table, where its other rows went, and what was wrong.

    ``read`` counts rows that are not blank, but for headers; a row that becomes several records
    counts as many. ``quarantined`` counts those held back, each with one or more ``lines``.
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

    def hold(self, lines: pd.DataFrame, rows: int) -> None:
        """Hold back so many rows, which have these quarantine lines."""
        self.lines.append(lines)
        self.quarantined += rows
        self.problems.extend(quarantine_problems(lines))

    def refuse(self, problem: Problem, table: str, rows: list[int]) -> None:
        """Hold back rows that cannot even be cut into records, all because of one problem."""
        details = asdict(problem) | {"table": table, "area_code": "", "cells": "", "row": rows}
        self.lines.append(pd.DataFrame(details)[QUARANTINE_COLUMNS])
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
    words = ("message", "expected", "fix", "code")
    return places.assign(**{word: [getattr(said[row], word) for row in rows] for word in words})


def first_of(places: pd.DataFrame, fault: str, **slots: Any) -> list[Problem]:
    """Return a fault at the first of some places; none where there is no place.

    `places` has columns of quarantine lines that say where, or the source columns of the contract.
    """
    first: Any = places.head(1).rename(columns=SOURCE).filter(_PLACE).to_dict("records")
    return [Problem.of(fault, **slots, **place) for place in first]


def quarantine_problems(quarantine: pd.DataFrame) -> Problems:
    """Return an error for each quarantined cell, the first of a sort listed, the rest counted."""
    problems = Problems()
    for _, sort in quarantine.groupby(["file", "sheet", "code", "column"], sort=False):
        listed: Any = sort[[*_PLACE, *_WHAT]].head(LISTED).to_dict("records")
        problems.extend(Problem(**line) for line in listed)
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
