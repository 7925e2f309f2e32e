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
from pmf_analysis.data.demo_series import DESIGN_EFFECT, Recipe, World, draw_series, load_world
from pmf_analysis.data.demo_sources import write_vintage
from pmf_analysis.periods import Period, parse_period, period_from_start

SEED = 20261031
VINTAGES = (date(2026, 7, 31), date(2026, 10, 31))
Z95 = 1.959964
# How many days before a year its targets are agreed.
AGREED_BEFORE = {"financial": 27, "academic": 54, "calendar": 28}


def westshire_tables(seed: int = SEED) -> dict[date, dict[str, pd.DataFrame]]:
    """Return every table Westshire has, as it knew it on each as-at date.

    Each indicator is drawn from the seed and its own name, so a new one changes no other.
    An absent value is NaN and its status says why.
    """
    world = load_world()
    drawn = {name: draw_series(recipe, world, seed) for name, recipe in world.recipes.items()}
    return {as_at: _known_on(as_at, world, drawn) for as_at in VINTAGES}


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


def _known_on(as_at: date, world: World, drawn: Mapping[str, pd.DataFrame]) -> dict[str, Any]:
    observed = [_observed(world.recipes[name], drawn[name], as_at) for name in drawn]
    rows: dict[str, Any] = {
        **{name: [_dated(row) for row in told] for name, told in world.tables.items()},
        "observations": pd.concat(observed, ignore_index=True),
        "peer_sets": _peer_sets(world),
        "targets": [row for recipe in world.recipes.values() for row in _targets(recipe, world)],
    }
    return {
        name: _known(conform(pd.DataFrame(rows[name]), name), name, as_at, world)
        for name in TABLES
        if name in rows  # Westshire was never reorganised
    }


def _known(table: pd.DataFrame, name: str, as_at: date, world: World) -> pd.DataFrame:
    """Leave out what was not known yet, and what had not been done yet as not done."""
    day = pd.Timestamp(as_at)
    if name in world.known_since:
        table = table[table[world.known_since[name]] <= day].reset_index(drop=True)
    if done_on := world.done_on.get(name):
        later = table[done_on] > day
        before = {done_on: pd.NaT, "status": "on_track", "progress_pct": 80.0}
        for column in table.columns.intersection(list(before)):
            table[column] = table[column].mask(later, before[column])
    return table


# Observations


def _observed(recipe: Recipe, drawn: pd.DataFrame, as_at: date) -> pd.DataFrame:
    """One row a value that was due by `as_at`, with its state; an absent one has no figures."""
    is_own = drawn["role"].isin(["own", "part"])
    repeated = is_own & drawn["period_start"].isin(pd.to_datetime(recipe.carried_forward))
    lag = recipe.lag if recipe.peer_lag is None else np.where(is_own, recipe.lag, recipe.peer_lag)
    breaks = pd.Timestamp(recipe.new_definition or date.max)
    rows = drawn.assign(
        **drawn[["above", "below"]].mask(repeated).ffill(),
        indicator_id=recipe.indicator,
        frequency=recipe.frequency,
        definition_version=1 + (drawn["period_start"] >= breaks),
        collected_on=drawn["period_end"] + pd.to_timedelta(lag, unit="D"),
        value_status="final",
        value_note="",
    )
    # A new council has no past, and some never take part.
    never = (rows["period_start"] < rows["since"]) | rows["area_code"].isin(recipe.absent)
    rows = rows[~never & (rows["collected_on"] <= pd.Timestamp(as_at))].reset_index(drop=True)
    absences = [told for told in _absences(recipe, rows) if told[0].any()]
    _as_first_published(recipe, rows, as_at)
    figures = _as_published(recipe, rows["above"], rows["below"])
    rows = rows.assign(**figures)
    for absent, state, note in absences:
        rows.loc[absent, ["value_status", "value_note"]] = [state, note]
        rows.loc[absent, list(figures)] = np.nan
    approved = (rows["role"] == "own") & rows["value_status"].isin(["final", "revised"])
    rows["approved_by"] = np.where(approved, "Performance and Insight Manager", "")
    return rows.assign(approved_on=rows["collected_on"].where(approved))


def _as_first_published(recipe: Recipe, rows: pd.DataFrame, as_at: date) -> None:
    """Set Westshire's counts to what was known on the day: provisional, or not yet restated."""
    own = rows[rows["role"] == "own"]

    def mark(starts: list[Any], part: float, status: str, note: str = "") -> None:
        chosen = own.index[own["period_start"].isin(pd.to_datetime(starts))]
        above = rows.loc[chosen, "above"] * part
        rows.loc[chosen, "above"] = above.round() if recipe.has_counts else above
        rows.loc[chosen, ["value_status", "value_note"]] = [status, note]

    if recipe.provisional < 1:
        known = [own[own["collected_on"] <= pd.Timestamp(v)] for v in VINTAGES if v <= as_at]
        *before, newest = [values["period_start"].max() for values in known]
        mark(before, 1.0, "revised")
        mark([newest], recipe.provisional, "provisional")
    for day, first_published in recipe.first_published.items():
        restated = (1.0, "revised", "Restated in October 2026")
        mark([day], *((first_published, "final", "") if as_at == VINTAGES[0] else restated))


def _absences(recipe: Recipe, rows: pd.DataFrame) -> Iterator[tuple[Any, str, str]]:
    """Which values were not returned, too small, never collected or late: state and reason."""
    for code, newest in recipe.no_return.items():
        unsent = rows.index[rows["area_code"] == code][-newest:]
        yield rows.index.isin(unsent), "missing", "No return made"
    small = (rows["above"] > 0) & (rows["above"] < recipe.suppress_below)
    yield small, "suppressed", f"Count of 1 to {recipe.suppress_below - 1}"
    never = rows["period_start"].isin(pd.to_datetime(recipe.not_collected))
    yield never, "not_applicable", "Not collected in the pandemic"
    late = (rows["role"] == "own") & rows["period_start"].isin(pd.to_datetime(recipe.late))
    yield late, "not_yet_available", "Not available until January 2027"


def _as_published(recipe: Recipe, above: pd.Series, below: pd.Series) -> dict[str, Any]:
    """Return the columns of observations that `above` and `below` make, rounded as published.

    Whatever is not published is NaN: counts of surveys, intervals of everything else.
    """
    value = above if recipe.makes in ("count", "plain") else recipe.per * above / below
    lower, upper = _interval(recipe, value, below)
    return {
        "value": np.round(value, recipe.decimals),
        "numerator": above if recipe.has_counts else np.nan,
        "denominator": below if recipe.has_counts else np.nan,
        "ci_lower": np.round(lower, recipe.decimals),
        "ci_upper": np.round(upper, recipe.decimals),
        "sample_size": below if recipe.sample else np.nan,
    }


def _interval(recipe: Recipe, value: Any, below: Any) -> tuple[Any, Any]:
    """Return the 95 % interval of an estimate; for a share of a survey, that of Wilson (1927)."""
    if recipe.sample and recipe.makes == "share":
        share, answers = value / 100, below / DESIGN_EFFECT
        middle = (share + Z95**2 / (2 * answers)) / (1 + Z95**2 / answers)
        root = np.sqrt(share * (1 - share) / answers + Z95**2 / (4 * answers**2))
        half = Z95 * root / (1 + Z95**2 / answers)
        return 100 * (middle - half), 100 * (middle + half)
    width = Z95 * (recipe.error or np.nan)
    if recipe.scale == "identity":
        return value - width, value + width
    return value * np.exp(-width), value * np.exp(width)


# Peer sets, targets and the small tables


def _peer_sets(world: World) -> list[dict[str, Any]]:
    names, own = world.areas.set_index("area_code")["area_name"], world.own["area_code"]
    source = {"source": "Invented for the fictional council", "as_at": date(2025, 11, 3)}
    return [
        {"peer_set": name, "area_code": own, "rank": rank, "member_code": code}
        | {"member_name": names[code], **source}
        for name, members in world.peer_sets.items()
        for rank, code in enumerate(members, start=1)
    ]


def _targets(recipe: Recipe, world: World) -> Iterator[dict[str, Any]]:
    """One row a target and period; a revised target names the one it supersedes."""
    for told in recipe.targets:
        for words in (told, told.get("revised", {})):
            for agreed_on, period, aim in _aims(recipe, words):
                name = f"{recipe.indicator}-{period.slug}-{told['kind']}"
                yield {
                    "target_id": name if words is told else f"{name}-2",
                    "supersedes": "" if words is told else name,
                    "indicator_id": recipe.indicator,
                    "area_code": world.own["area_code"],
                    **_days(period),
                    "kind": told["kind"],
                    "target_basis": told.get("basis", "period"),
                    "rationale": words["why"],
                    "comparator": told.get("comparator", ""),
                    "set_by": "Corporate Leadership Board" if words is told else "Cabinet",
                    "set_on": words.get("on", agreed_on),
                    "agreed_by": "" if told["kind"] == "statutory" else "Full Council",
                    **aim,
                }


def _aims(recipe: Recipe, words: Mapping[str, Any]) -> Iterator[tuple[date, Period, Any]]:
    """Day, period and aim of each year's targets: one for the whole or a quarter; None is none."""
    for year in (word for word in words if word.startswith("20")):
        whole = parse_period(year, year_type=recipe.year_type, frequency="annual")
        agreed_on = whole.start - timedelta(days=AGREED_BEFORE[recipe.year_type])
        periods, aims = [whole], words[year]
        if isinstance(aims, list):
            first = period_from_start(whole.start, "quarterly", recipe.year_type)
            periods = [first.next(number) for number in range(4)]
        for period, aim in zip(periods, np.atleast_1d(aims), strict=True):
            if aim is not None:
                yield agreed_on, period, aim if isinstance(aim, dict) else {"target": aim}


def _dated(row: Mapping[str, Any]) -> dict[str, Any]:
    """Replace the label of a period, where there is one, by its first and last day."""
    label = row.get("period")
    return {**row, **(_days(parse_period(label, year_type="financial")) if label else {})}


def _days(period: Period) -> dict[str, Any]:
    return {"period_start": period.start, "period_end": period.end, "period_label": period.label}
