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

import pandas as pd

from pmf_analysis.data.contract import SOURCE_COLUMNS
from pmf_analysis.data.demo_recipes import Recipe, World

MADE_ON = (2026, 1, 1, 0, 0, 0)
TOLERANCE = 0.05  # Pentana's "Warning": within 5 % of the target
MEASURES = ("Value", "Target", "Status", "Numerator", "Denominator")
Cell = str | float | None


def write_vintage(folder: Path, tables: Mapping[str, pd.DataFrame], world: World) -> list[Path]:
    """Write one vintage's files into `folder` and return their paths, in order of name."""
    folder.mkdir(parents=True, exist_ok=True)
    published = {name: table.drop(columns=list(SOURCE_COLUMNS)) for name, table in tables.items()}
    values = published.pop("observations")
    is_own = values["area_code"] == world.own.code
    kept = [recipe for recipe in world.recipes.values() if recipe.pentana]
    in_pentana = values["indicator_id"].isin([recipe.indicator for recipe in kept])
    tidy = values[is_own & ~in_pentana]
    for frequency in ("monthly", "quarterly"):
        rows = tidy[tidy["frequency"] == frequency]
        _write_csv(rows, folder / f"observations_{frequency}.csv")
    seldom = tidy[tidy["frequency"].isin(["termly", "annual"])]
    _write_workbook("Observations", _cells(seldom), folder / "observations_annual.xlsx")
    values[~is_own].to_parquet(folder / "observations_benchmarks.parquet", index=False)
    report = _pentana_rows(kept, values[is_own & in_pentana], published["targets"])
    _write_workbook("PI Report", report, folder / "pentana_transport.xlsx")
    for name, table in published.items():
        _write_csv(table, folder / f"{name}.csv")
    return sorted(folder.iterdir())


def _write_csv(table: pd.DataFrame, path: Path) -> None:
    table.to_csv(path, index=False, lineterminator="\r\n", date_format="%Y-%m-%d", encoding="utf-8")


def _cells(table: pd.DataFrame) -> list[list[Any]]:
    """Return a header and rows with real dates and empty cells for what is missing."""
    rows = table.astype(object).where(table.notna(), None).to_numpy().tolist()
    dated = [[c.date() if isinstance(c, pd.Timestamp) else c for c in row] for row in rows]
    return [list(table.columns), *dated]


def _write_workbook(title: str, rows: Iterable[list[Any]], path: Path) -> None:
    from openpyxl import Workbook

    book = Workbook()
    sheet = book.worksheets[0]
    sheet.title = title
    for row in rows:
        sheet.append(row)
    made = io.BytesIO()
    book.save(made)
    path.write_bytes(_without_clock(made.getvalue()))


def _without_clock(workbook: bytes) -> bytes:
    """Repack a workbook so that neither entries nor properties carry the time of writing."""
    result, stamp = io.BytesIO(), b"2026-01-01T00:00:00Z"
    with zipfile.ZipFile(io.BytesIO(workbook)) as old, zipfile.ZipFile(result, "w") as new:
        for name in old.namelist():
            content = old.read(name)
            if name == "docProps/core.xml":
                content = re.sub(rb"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ", stamp, content)
            new.writestr(zipfile.ZipInfo(name, MADE_ON), content, zipfile.ZIP_DEFLATED)
    return result.getvalue()


# The Pentana workbook: one sub-table an objective, one group of columns a quarter


def _pentana_rows(
    kept: list[Recipe], values: pd.DataFrame, targets: pd.DataFrame
) -> list[list[Cell]]:
    rows: list[list[Cell]] = [["Performance indicators by quarter"]]
    aims = targets[targets["target_basis"] == "period"]
    for objective in dict.fromkeys(r.pentana.objective for r in kept if r.pentana):
        recipes = [r for r in kept if r.pentana and r.pentana.objective == objective]
        rows += [[], [objective], *_sub_table(recipes, values, aims)]
    return rows


def _sub_table(recipes: list[Recipe], values: pd.DataFrame, aims: pd.DataFrame) -> list[list[Cell]]:
    """Return a header and a row an indicator, with the trends that Pentana would show.

    Its help page "How are the Long and Short Trends calculated?" compares the newest value with
    the one before (short) and with the mean of the four before (long).
    """
    rows = values[values["indicator_id"].isin([recipe.indicator for recipe in recipes])]
    quarters = rows.drop_duplicates("period_start").sort_values("period_start")
    labels = [_quarter(label) for label in quarters["period_label"]]
    groups = [f"{label} {measure}" for label in labels for measure in MEASURES]
    header = ["Code", "Short Name", "Gauge Format", *groups, "Short Trend", "Long Trend"]
    made: list[list[Cell]] = [list(header)]
    for recipe in recipes:
        own = rows[rows["indicator_id"] == recipe.indicator].set_index("period_start")
        own_aims = aims[aims["indicator_id"] == recipe.indicator]
        sign = 1 if recipe.pentana and recipe.pentana.gauge == "Aim to Maximise" else -1
        line: list[Cell] = list((recipe.pentana or ())[1:])
        for start in quarters["period_start"]:
            line += _quarter_cells(own, own_aims, start, sign)
        known = sign * own["value"].dropna()
        changes = (known.iloc[-1] - known.iloc[-2], known.iloc[-1] - known.iloc[-5:-1].mean())
        made.append([*line, *map(_arrow, changes)])
    return made


def _quarter(label: str) -> str:
    """Write "2026-27 Q2" as Pentana does, "Q2 2026/27"."""
    year, quarter = label.split(" ")
    return f"{quarter} {year.replace('-', '/')}"


def _quarter_cells(
    own: pd.DataFrame, aims: pd.DataFrame, start: pd.Timestamp, sign: int
) -> list[Cell]:
    """Return value, target, status and counts of one quarter; a value that is absent says why."""
    if start not in own.index:
        return ["n/a", *[None] * (len(MEASURES) - 1)]
    in_force = aims[(aims["period_start"] <= start) & (aims["period_end"] >= start)]
    target = None if in_force.empty else float(in_force["target"].iloc[-1])
    value, *counts = (
        None if pd.isna(own.at[start, name]) else float(own.at[start, name])
        for name in ("value", "numerator", "denominator")
    )
    told = str(own.at[start, "value_note"]) if value is None else value
    return [told, target, _status(value, target, sign), *counts]


def _status(value: float | None, target: float | None, sign: int) -> str:
    """Pentana's word for a value against its target."""
    if target is None:
        return "Data Only"
    if value is None:
        return "Unknown"
    if sign * (value - target) >= 0:
        return "OK"
    return "Warning" if abs(value - target) <= TOLERANCE * abs(target) else "Alert"


def _arrow(change: float) -> str:
    if change == 0:
        return "No Change"
    return "Improving" if change > 0 else "Getting Worse"
