"""Westshire's tables as the files a council would hold: tidy CSV, XLSX, Parquet, and Pentana's.

Bytes depend on the tables alone: workbooks carry no clock.
"""

from __future__ import annotations

import io
import re
import zipfile
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from pmf_analysis.data.contract import SOURCE_COLUMNS

Rows = list[list[Any]]
Pentana = Mapping[str, Mapping[str, str]]  # objective, code, name and gauge by indicator

MADE_ON = (2026, 1, 1, 0, 0, 0)
TOLERANCE = 0.05  # Pentana's "Warning": within 5 % of the target
ARROWS = {1: "Improving", 0: "No Change", -1: "Getting Worse"}
MEASURES = ("Value", "Target", "Status", "Numerator", "Denominator")


def write_vintage(
    folder: Path, tables: Mapping[str, pd.DataFrame], own_area: str, pentana: Pentana
) -> list[Path]:
    """Write one vintage's files into `folder` and return their paths, in order of name."""
    folder.mkdir(parents=True, exist_ok=True)
    published = {name: table.drop(columns=list(SOURCE_COLUMNS)) for name, table in tables.items()}
    values = published.pop("observations")
    is_own, in_pentana = values["area_code"] == own_area, values["indicator_id"].isin(list(pentana))
    tidy = values[is_own & ~in_pentana]
    for frequency in ("monthly", "quarterly"):
        published[f"observations_{frequency}"] = tidy[tidy["frequency"] == frequency]
    for name, table in published.items():
        table.to_csv(folder / f"{name}.csv", index=False, lineterminator="\r\n", encoding="utf-8")
    seldom = tidy[tidy["frequency"].isin(["termly", "annual"])]
    _write_workbook("Observations", _cells(seldom), folder / "observations_annual.xlsx")
    values[~is_own].to_parquet(folder / "observations_benchmarks.parquet", index=False)
    report = _pentana_rows(pentana, values[is_own & in_pentana], published["targets"])
    _write_workbook("PI Report", report, folder / "pentana_transport.xlsx")
    return sorted(folder.iterdir())


def _cells(table: pd.DataFrame) -> Rows:
    """Return a header and rows with real dates and empty cells for what is missing."""
    rows = table.astype(object).where(table.notna(), None).to_numpy().tolist()
    dated = [[c.date() if isinstance(c, pd.Timestamp) else c for c in row] for row in rows]
    return [list(table.columns), *dated]


def _write_workbook(title: str, rows: Iterable[list[Any]], path: Path) -> None:
    """Write a workbook of one sheet; neither entries nor properties carry the time of writing."""
    from openpyxl import Workbook

    book, made, stamp = Workbook(), io.BytesIO(), b"2026-01-01T00:00:00Z"
    sheet = book.worksheets[0]
    sheet.title = title
    for row in rows:
        sheet.append(row)
    book.save(made)
    with zipfile.ZipFile(made) as old, zipfile.ZipFile(path, "w") as new:
        for name in old.namelist():
            content = old.read(name)
            if name == "docProps/core.xml":
                content = re.sub(rb"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ", stamp, content)
            new.writestr(zipfile.ZipInfo(name, MADE_ON), content, zipfile.ZIP_DEFLATED)


# The Pentana workbook: one sub-table an objective, one group of columns a quarter


def _pentana_rows(kept: Pentana, values: pd.DataFrame, targets: pd.DataFrame) -> Rows:
    rows: Rows = [["Performance indicators by quarter"]]
    aims = targets[targets["target_basis"] == "period"]
    for objective in dict.fromkeys(words["objective"] for words in kept.values()):
        under = {name: words for name, words in kept.items() if words["objective"] == objective}
        rows += [[], [objective], *_sub_table(under, values, aims)]
    return rows


def _sub_table(kept: Pentana, values: pd.DataFrame, aims: pd.DataFrame) -> Rows:
    """Return a header and a row an indicator, with the trends that Pentana would show.

    Its help page "How are the Long and Short Trends calculated?" compares the newest value with
    the one before (short) and with the mean of the four before (long).
    """
    rows = values[values["indicator_id"].isin(list(kept))]
    quarters = rows.drop_duplicates("period_start").sort_values("period_start")
    labels = quarters["period_label"].str.replace("-", "/").str.split(" ")
    groups = [f"{quarter} {year} {measure}" for year, quarter in labels for measure in MEASURES]
    made = [["Code", "Short Name", "Gauge Format", *groups, "Short Trend", "Long Trend"]]
    for indicator, words in kept.items():
        own = rows[rows["indicator_id"] == indicator].set_index("period_start")
        own_aims = aims[aims["indicator_id"] == indicator]
        sign = 1 if words["gauge"] == "Aim to Maximise" else -1
        line: list[Any] = [words["code"], words["name"], words["gauge"]]
        told = own.astype(object).where(own.notna(), None).to_dict("index")
        for start in quarters["period_start"]:
            line += _quarter_cells(told.get(start), own_aims, sign)
        known = sign * own["value"].dropna()
        changes = (known.iloc[-1] - known.iloc[-2], known.iloc[-1] - known.iloc[-5:-1].mean())
        made.append([*line, *(ARROWS[int(np.sign(change))] for change in changes)])
    return made


def _quarter_cells(row: Mapping[Any, Any] | None, aims: pd.DataFrame, sign: int) -> list[Any]:
    """Return value, target, status and counts of one quarter; a value that is absent says why."""
    if row is None:
        return ["n/a", *[None] * (len(MEASURES) - 1)]
    end = row["period_end"]
    in_force = aims[(aims["period_start"] <= end) & (aims["period_end"] >= end)]
    target = None if in_force.empty else float(in_force["target"].iloc[-1])
    value = row["value"]
    told = row["value_note"] if value is None else value
    return [told, target, _status(value, target, sign), row["numerator"], row["denominator"]]


def _status(value: float | None, target: float | None, sign: int) -> str:
    """Pentana's word for a value against its target."""
    if target is None:
        return "Data Only"
    if value is None:
        return "Unknown"
    if sign * (value - target) >= 0:
        return "OK"
    return "Warning" if abs(value - target) <= TOLERANCE * abs(target) else "Alert"
