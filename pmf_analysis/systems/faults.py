"""Records under judgement: a line in quarantine for each fault, a note for what looks odd."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pandas as pd

from pmf_analysis import problems, shipped
from pmf_analysis.systems.mapping import MappingFile
from pmf_analysis.systems.results import QUARANTINE_COLUMNS, SOURCE, first_of, lines_at
from pmf_analysis.systems.tabular import LAYOUT, Records

FAULTS = shipped.read_shipped("systems/faults.yml")
RULES = shipped.read_shipped("systems/rules.yml")


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
        self.notes = problems.Problems()
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
        if FAULTS[fault].get("level", "error") == "error":
            self.bad = self.bad | mask
            self._lines.append(lines_at(places, fault, **slots))
            return
        count = int(mask.sum())
        more = f" ({count:,} cells, this is the first)" if count > 1 else ""
        for problem in first_of(places, fault, **slots):
            self.notes.add(replace(problem, message=problem.message + more))

    def hold_to(self, rules: str, **known: Any) -> None:
        """Hold the records against rules of ``rules.yml``; `known` are names that they use."""
        for rule in RULES.get(rules, ()):
            names = {**self.facts, **self.typed, **known, "bad": self.bad}
            mask: Any = pd.eval(rule["where"], engine="python", local_dict=names)
            slots = {name: names[name] for name in rule.get("with", ())}
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
