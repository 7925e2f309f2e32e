"""Make the files of Westshire, the fictional council on which everything is shown and tested.

Its targets and what its people wrote are in ``westshire.yml``, and ``westshire_figures.py`` draws
its figures. They are known in two vintages, as they would be in life: what had been published by
the end of July 2026, and by the end of October 2026, when some values had been revised, restated,
or had not come at all. Everything is invented. After a change, make the files anew:

    python benchmarks/westshire.py
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from datetime import date, timedelta
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from ruamel.yaml import YAML
from westshire_figures import OWN, SEED, VINTAGES, draw_figures
from westshire_files import write_vintage

from pmf_analysis.data.contract import conform
from pmf_analysis.period_spans import add_months
from pmf_analysis.periods import Period, YearType, parse_period, period_from_start
from pmf_analysis.systems.demo import SOURCES

# How many days before a year its targets are agreed.
AGREED_BEFORE = {"financial": 27, "academic": 54, "calendar": 28}


def read_words() -> dict[str, Any]:
    """Read what is told of Westshire beside its figures."""
    return dict(YAML(typ="safe", pure=True).load(Path(__file__).with_name("westshire.yml")))


def westshire_tables(seed: int = SEED) -> dict[date, dict[str, pd.DataFrame]]:
    """Return every table Westshire has, as it knew it on each as-at date."""
    told, figures = read_words(), draw_figures(seed)
    names = figures.drop_duplicates("area_code").set_index("area_code")["area_name"]
    rows = {name: [_dated(row) for row in rows] for name, rows in told["tables"].items()}
    rows["peer_sets"] = [
        {"peer_set": name, "area_code": OWN, "rank": rank, "member_code": code}
        | {"member_name": names[code], "as_at": date(2025, 11, 3)}
        | {"source": "Invented for the fictional council"}
        for name, members in told["peer_sets"].items()
        for rank, code in enumerate(members, start=1)
    ]
    rows["targets"] = list(_targets(told))
    tables = {name: conform(pd.DataFrame(each), name) for name, each in rows.items()}
    return {
        as_at: {name: _known(table, name, as_at, told) for name, table in tables.items()}
        | {"observations": conform(figures[figures["vintage"] == str(as_at)], "observations")}
        for as_at in VINTAGES
    }


def write_sources(folder: Path) -> list[Path]:
    """Write Westshire's source files, one sub-folder a vintage, and return their paths.

    They have the same bytes each time, and the shapes that a council holds: tidy CSV, XLSX and
    Parquet, a Pentana workbook with a group of columns for each quarter, and small tables.
    """
    pentana = read_words()["pentana"]
    return [
        path
        for as_at, tables in westshire_tables().items()
        for path in write_vintage(folder / as_at.isoformat(), tables, OWN, pentana)
    ]


def _known(table: pd.DataFrame, name: str, as_at: date, told: Mapping[str, Any]) -> pd.DataFrame:
    """Leave out what was not known yet, and what had not been done yet as not done."""
    day = pd.Timestamp(as_at)
    if name in told["known_since"]:
        table = table[table[told["known_since"][name]] <= day].reset_index(drop=True)
    if done_on := told["done_on"].get(name):
        later = table[done_on] > day
        before = {done_on: pd.NaT, "status": "on_track", "progress_pct": 80.0}
        for column in table.columns.intersection(list(before)):
            table = table.assign(**{column: table[column].mask(later, before[column])})
    return table


def _targets(told: Mapping[str, Any]) -> Iterator[dict[str, Any]]:
    """One row a target and period; a revised target names the one it supersedes."""
    for year_type, indicators in told["targets"].items():
        for indicator, entries in indicators.items():
            for entry in entries:
                yield from _targets_of(indicator, told["target_rules"], entry, year_type)


def _targets_of(
    indicator: str, rules: Mapping[str, Any], entry: Mapping[str, Any], year_type: YearType
) -> Iterator[dict[str, Any]]:
    whole = rules.get(entry.get("rule", ""), {}) | entry
    for words in (whole, entry.get("revised", {})):
        for agreed_on, period, aim in _aims(words, year_type):
            name = f"{indicator}-{period.slug}-{whole['kind']}"
            yield {
                "target_id": name if words is whole else f"{name}-2",
                "supersedes": "" if words is whole else name,
                "indicator_id": indicator,
                "area_code": OWN,
                **_days(period),
                "kind": whole["kind"],
                "target_basis": whole.get("basis", "period"),
                "rationale": words["why"],
                "comparator": whole.get("comparator", ""),
                "set_by": "Corporate Leadership Board" if words is whole else "Cabinet",
                "set_on": words.get("on", agreed_on),
                "agreed_by": "" if whole["kind"] == "statutory" else "Full Council",
                **aim,
            }


def _aims(
    words: Mapping[str, Any], year_type: YearType
) -> Iterator[tuple[date, Period, dict[str, Any]]]:
    """Day, period and aim of each year's targets: one for the whole or a quarter; None is none."""
    for year in (word for word in words if word.startswith("20")):
        whole = parse_period(year, year_type=year_type, frequency="annual")
        agreed_on = whole.start - timedelta(days=AGREED_BEFORE[year_type])
        periods, aims = [whole], words[year]
        if isinstance(aims, list):
            starts = (add_months(whole.start, 3 * number) for number in range(4))
            periods = [period_from_start(start, "quarterly", year_type) for start in starts]
        for period, aim in zip(periods, np.atleast_1d(aims), strict=True):
            if aim is not None:
                yield agreed_on, period, aim if isinstance(aim, dict) else {"target": aim}


def _dated(row: Mapping[str, Any]) -> dict[str, Any]:
    """Replace the label of a period, where there is one, by its first and last day."""
    label = row.get("period")
    return {**row, **(_days(parse_period(label, year_type="financial")) if label else {})}


def _days(period: Period) -> dict[str, Any]:
    return {"period_start": period.start, "period_end": period.end, "period_label": period.label}


if __name__ == "__main__":
    write_sources(SOURCES)
