"""Westshire, the fictional council on which everything is shown and tested.

Its figures come from the recipes in ``westshire.yml`` and one seed. They are known in two vintages,
as they would be in life: what had been published by the end of July 2026, and by the end of October
2026, when some values had been revised, restated, or had not come at all. Everything is invented.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from datetime import date, timedelta
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from pmf_analysis.data.contract import TABLES, conform
from pmf_analysis.data.demo_recipes import Recipe, World, load_world
from pmf_analysis.data.demo_series import Drawn, as_published, draw_series
from pmf_analysis.data.demo_sources import write_vintage
from pmf_analysis.periods import Period, YearType, parse_period

SEED = 20261031
VINTAGES = (date(2026, 7, 31), date(2026, 10, 31))
# Month and day on which a year's targets are agreed, before it starts.
TARGETS_SET_ON: dict[YearType, tuple[int, int]] = {
    "financial": (3, 5),
    "academic": (7, 9),
    "calendar": (12, 4),
}
# The date since when a row was known, in tables that tell it; and the date of a deed.
KNOWN_SINCE = {
    "targets": "set_on",
    "narratives": "written_on",
    "risks": "reviewed_on",
    "statements": "period_end",
    "changes": "recorded_on",
}
DONE_ON = {"actions": "completed_on", "projects": "actual_on"}


def westshire_tables(seed: int = SEED) -> dict[date, dict[str, pd.DataFrame]]:
    """Return every table of the contract, as Westshire knew it on each as-at date.

    Each indicator is drawn from the seed and its own name, so a new one changes no other.
    An absent value is NaN and its status says why.
    """
    world = load_world()
    drawn = {name: draw_series(recipe, world, seed) for name, recipe in world.recipes.items()}
    return {as_at: _tables_known_on(as_at, world, drawn) for as_at in VINTAGES}


def write_sources(folder: Path, seed: int = SEED) -> list[Path]:
    """Write Westshire's source files, one sub-folder a vintage, and return their paths.

    The same seed gives the same bytes. The files have the shapes that a council holds: tidy CSV,
    XLSX and Parquet, a Pentana workbook with a group of columns for each quarter, and small tables.
    """
    return [
        path
        for as_at, tables in westshire_tables(seed).items()
        for path in write_vintage(folder / as_at.isoformat(), tables, load_world())
    ]


def _tables_known_on(
    as_at: date, world: World, drawn: Mapping[str, Drawn]
) -> dict[str, pd.DataFrame]:
    observed = [_observed(world.recipes[name], drawn[name], as_at) for name in drawn]
    rows: dict[str, Any] = {
        **{name: [_dated(row) for row in told] for name, told in world.tables.items()},
        "observations": pd.concat(observed, ignore_index=True),
        "peer_sets": _peer_sets(world),
        "targets": [row for recipe in world.recipes.values() for row in _targets(recipe, world)],
    }
    return {name: _known(conform(pd.DataFrame(rows[name]), name), name, as_at) for name in TABLES}


def _known(table: pd.DataFrame, name: str, as_at: date) -> pd.DataFrame:
    """Leave out what was not known yet, and what had not been done yet as not done."""
    day = pd.Timestamp(as_at)
    if name in KNOWN_SINCE:
        table = table[table[KNOWN_SINCE[name]] <= day].reset_index(drop=True)
    if name in DONE_ON:
        later = table[DONE_ON[name]] > day
        table[DONE_ON[name]] = table[DONE_ON[name]].mask(later)
        if name == "actions":
            table["status"] = table["status"].mask(later, "on_track")
            table["progress_pct"] = table["progress_pct"].mask(later, 80.0)
    return table


# Observations


def _observed(recipe: Recipe, drawn: Drawn, as_at: date) -> pd.DataFrame:
    """One row a value that was due by `as_at`, with its state."""
    known = _is_known(recipe, drawn, as_at)
    part, status, note = _own_history(recipe, drawn, as_at)
    above = drawn.above.copy()
    above[0] = np.round(above[0] * part) if recipe.has_counts else above[0] * part
    measured = as_published(recipe, above, drawn.below)
    states, notes = np.full(known.shape, "final", object), np.full(known.shape, "", object)
    states[0], notes[0] = status, note
    for absent, state, reason in _absences(recipe, drawn, known):
        states[absent], notes[absent] = state, reason
        measured = {name: np.where(absent, np.nan, told) for name, told in measured.items()}
    rows, columns = np.nonzero(known)
    frame = _keys(recipe, drawn, rows, columns)
    for name, values in {**measured, "value_status": states, "value_note": notes}.items():
        frame[name] = values[rows, columns]
    return _approved(frame, rows == 0)


def _is_known(recipe: Recipe, drawn: Drawn, as_at: date) -> Any:
    """Whether each value was out by `as_at`; a new council has no past, an absent one nothing."""
    return np.array(
        [
            [
                period.end + timedelta(days=recipe.days_late(place)) <= as_at
                and period.start >= place.since
                and place.code not in recipe.absent
                for period in drawn.periods
            ]
            for place in drawn.places
        ]
    )


def _own_history(recipe: Recipe, drawn: Drawn, as_at: date) -> tuple[Any, Any, Any]:
    """How much of Westshire's final count was known on the day, its state, and a note."""
    count = len(drawn.periods)
    part, status, note = np.ones(count), np.full(count, "final", object), np.full(count, "", object)
    if recipe.provisional < 1:
        *before, newest = (
            np.flatnonzero(_is_known(recipe, drawn, vintage)[0])[-1]
            for vintage in VINTAGES
            if vintage <= as_at
        )
        status[before] = "revised"
        part[newest], status[newest] = recipe.provisional, "provisional"
    starts = [period.start for period in drawn.periods]
    for day, first_published in recipe.first_published.items():
        place = starts.index(day)
        if as_at == VINTAGES[0]:
            part[place] = first_published
        else:
            status[place], note[place] = "revised", "Restated in October 2026"
    return part, status, note


def _absences(recipe: Recipe, drawn: Drawn, known: Any) -> Iterator[tuple[Any, str, str]]:
    """Which values were not returned, too small, never collected or late: state and reason."""
    codes = [place.code for place in drawn.places]
    unsent = np.zeros(known.shape, dtype=bool)
    for code, newest in recipe.no_return.items():
        row = codes.index(code)
        unsent[row, np.flatnonzero(known[row])[-newest:]] = True
    yield unsent, "missing", "No return made"
    small = (drawn.above > 0) & (drawn.above < recipe.suppress_below)
    yield small, "suppressed", f"Count of 1 to {recipe.suppress_below - 1}"
    never, late = (
        np.array([period.start in days for period in drawn.periods])
        for days in (recipe.not_collected, recipe.late)
    )
    everywhere = np.ones((len(codes), 1), dtype=bool)
    yield everywhere & never, "not_applicable", "Not collected in the pandemic"
    is_own = np.array([[place.role == "own"] for place in drawn.places])
    yield is_own & late, "not_yet_available", "Not available until January 2027"


def _keys(recipe: Recipe, drawn: Drawn, rows: Any, columns: Any) -> pd.DataFrame:
    """Return what identifies each value, and when it was collected."""
    places = [drawn.places[row] for row in rows]
    periods = [drawn.periods[column] for column in columns]
    lag = [timedelta(days=recipe.days_late(place)) for place in places]
    break_day = recipe.new_definition or date.max
    return pd.DataFrame(
        {
            "indicator_id": recipe.indicator,
            "period_start": [period.start for period in periods],
            "period_end": [period.end for period in periods],
            "period_label": [period.label for period in periods],
            "frequency": recipe.frequency,
            "area_code": [place.code for place in places],
            "area_name": [place.name for place in places],
            "dimension": [place.dimension for place in places],
            "dimension_value": [place.member for place in places],
            "definition_version": [1 + (period.start >= break_day) for period in periods],
            "collected_on": [p.end + late for p, late in zip(periods, lag, strict=True)],
        }
    )


def _approved(frame: pd.DataFrame, is_own: Any) -> pd.DataFrame:
    agreed = is_own & frame["value_status"].isin(["final", "revised"])
    frame["approved_by"] = np.where(agreed, "Performance and Insight Manager", "")
    frame["approved_on"] = frame["collected_on"].where(agreed)
    return frame


# Peer sets, targets and the small tables


def _peer_sets(world: World) -> list[dict[str, Any]]:
    names = {place.code: place.name for place in world.peers}
    return [
        {
            "peer_set": name,
            "area_code": world.own.code,
            "member_code": code,
            "member_name": names[code],
            "rank": rank,
            "source": "Invented for the fictional council",
            "as_at": date(2025, 11, 3),
        }
        for name, members in world.peer_sets.items()
        for rank, code in enumerate(members, start=1)
    ]


def _targets(recipe: Recipe, world: World) -> Iterator[dict[str, Any]]:
    """One row a target and period; a revised target names the one it supersedes."""
    for told in recipe.targets:
        for year, aim in told.items():
            if not year.startswith("20"):
                continue
            for row in _targets_of_year(recipe, told, year, aim):
                yield {"area_code": world.own.code, "set_by": "Corporate Leadership Board", **row}
            revised = told.get("revised", {})
            for row in _targets_of_year(recipe, told, year, revised.get(year)):
                yield {
                    **row,
                    "area_code": world.own.code,
                    "target_id": row["target_id"] + "-2",
                    "supersedes": row["target_id"],
                    "rationale": revised["why"],
                    "set_by": "Cabinet",
                    "set_on": revised["on"],
                }


def _targets_of_year(
    recipe: Recipe, told: Mapping[str, Any], year: str, aim: Any
) -> Iterator[dict[str, Any]]:
    """Targets of one year: one for the whole, or one a quarter; None is no target."""
    whole = parse_period(year, year_type=recipe.year_type, frequency="annual")
    month, day = TARGETS_SET_ON[recipe.year_type]
    aims = zip(_quarters(whole), aim, strict=True) if isinstance(aim, list) else [(whole, aim)]
    for period, value in aims:
        if value is not None:
            yield {
                "target_id": f"{recipe.indicator}-{period.slug}-{told['kind']}",
                "indicator_id": recipe.indicator,
                "period_start": period.start,
                "period_end": period.end,
                "kind": told["kind"],
                "target_basis": told.get("basis", "period"),
                "rationale": told["why"],
                "comparator": told.get("comparator", ""),
                "set_on": date(whole.start.year - (month > whole.start.month), month, day),
                "agreed_by": "" if told["kind"] == "statutory" else "Full Council",
                **(value if isinstance(value, dict) else {"target": value}),
            }


def _quarters(year: Period) -> list[Period]:
    first = parse_period(f"{year.label} Q1", year_type=year.year_type, frequency="quarterly")
    return [first.next(number) for number in range(4)]


def _dated(row: Mapping[str, Any]) -> dict[str, Any]:
    """Replace the label of a period, where there is one, by its first and last day."""
    if "period" not in row:
        return dict(row)
    period = parse_period(row["period"], year_type="financial")
    days = {"period_start": period.start, "period_end": period.end, "period_label": period.label}
    return {**row, **days}
