"""One file's rows as accepted, and what becomes of rows that are given more than once."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

import pandas as pd

from pmf_analysis.data.contract import KEYS, SOURCE_COLUMNS, TABLES, column_names
from pmf_analysis.data.store import FileRecord
from pmf_analysis.problems import EXIT_DATA_UNUSABLE, PmfError, Problem, Problems
from pmf_analysis.systems.faults import QUARANTINE_COLUMNS, quarantine_problems
from pmf_analysis.systems.rules import LABEL, MAIN_COLUMN

# Notes and approvals may differ between two copies of a value; the figures may not.
_NAMED = 3
_FIGURES = ["value", "value_status", "numerator", "denominator"]


@dataclass(frozen=True)
class ImportResult:
    """One file: its accepted rows by table, its counts, and what was wrong."""

    tables: Mapping[str, pd.DataFrame]
    record: FileRecord
    problems: Problems
    quarantine: pd.DataFrame


def conserved(record: FileRecord) -> FileRecord:
    """Return the record if every row is in exactly one place; a lost row is a fault of pmf."""
    placed = record.rows_accepted + record.rows_quarantined + record.rows_ignored
    if placed != record.rows_read:
        raise PmfError(
            Problem(
                f"pmf read {record.rows_read:,} rows but placed {placed:,}; nothing was imported.",
                code="rows-not-conserved",
                file=record.name,
                fix="send this file and its mapping to the makers of pmf",
            ),
            exit_code=EXIT_DATA_UNUSABLE,
        )
    return record


def settle_repeats(results: Sequence[ImportResult]) -> list[ImportResult]:
    """Part rows that share a key, in one file or in several of one import.

    Rows with the same figures are one: the first stays, the others are ignored with a warning.
    Rows that differ all go to quarantine, because nobody can tell which is right.
    """
    settled = list(results)
    for table in TABLES:
        rows = _stacked_with_origin(results, table)
        if rows.empty:
            continue
        repeated = rows.duplicated(list(KEYS[table]), keep=False)
        if not repeated.any():
            continue
        differs = _differs(rows, repeated, table)
        spare = repeated & ~differs & rows.duplicated(list(KEYS[table]))
        others = _told_of_each_other(rows[differs], table)
        for number in rows.loc[repeated, "_result"].unique():
            mine = rows["_result"] == number
            settled[number] = _without(
                settled[number], table, rows[mine], differs[mine], spare[mine], others
            )
    return settled


def _stacked_with_origin(results: Sequence[ImportResult], table: str) -> pd.DataFrame:
    parts = [
        result.tables[table].assign(_result=number)
        for number, result in enumerate(results)
        if table in result.tables
    ]
    return pd.concat(parts, ignore_index=True) if parts else pd.DataFrame()


def _differs(rows: pd.DataFrame, repeated: pd.Series[bool], table: str) -> pd.Series[bool]:
    """Whether a row shares its key with one of other figures."""
    left_out = {*KEYS[table], *SOURCE_COLUMNS}
    compared = _FIGURES if table == "observations" else column_names(table)
    twins = rows.loc[repeated, [name for name in compared if name not in left_out]]
    content = pd.util.hash_pandas_object(twins, index=False)
    keys = [rows.loc[repeated, name] for name in KEYS[table]]
    kinds = content.groupby(keys, dropna=False).transform("nunique")
    return (kinds > 1).reindex(rows.index, fill_value=False)


def _told_of_each_other(conflicts: pd.DataFrame, table: str) -> pd.Series[str]:
    """Say for each conflicting row where the first rows of its key stand and what they hold."""
    if conflicts.empty:
        return pd.Series(dtype="str")
    shown = conflicts[MAIN_COLUMN[table]].astype("str").fillna("no value")
    place = conflicts["source_file"] + " row " + conflicts["source_row"].astype("str")
    keys = [conflicts[name] for name in KEYS[table]]
    return (place + ": " + shown).groupby(keys, dropna=False).transform(_listed)


def _listed(places: pd.Series[str]) -> str:
    more = len(places) - _NAMED
    named = "; ".join(places.head(_NAMED))
    return f"{named}; and {more} more." if more > 0 else f"{named}."


def _without(
    result: ImportResult,
    table: str,
    rows: pd.DataFrame,
    differs: pd.Series[bool],
    spare: pd.Series[bool],
    others: pd.Series[str],
) -> ImportResult:
    """Take conflicting and spare rows out of one file's accepted rows."""
    lines = _conflict_lines(rows[differs], table, others)
    problems = Problems([*result.problems, *quarantine_problems(lines)])
    problems.extend(_spare_note(rows[spare]))
    reasons = Counter(result.record.ignored_because)
    reasons["repeats a row with the same figures"] += int(spare.sum())
    record = replace(
        result.record,
        rows_accepted=result.record.rows_accepted - int((differs | spare).sum()),
        rows_quarantined=result.record.rows_quarantined + int(differs.sum()),
        rows_ignored=result.record.rows_ignored + int(spare.sum()),
        ignored_because={reason: count for reason, count in reasons.items() if count},
    )
    kept = rows[~(differs | spare)].drop(columns="_result").reset_index(drop=True)
    held = pd.concat([result.quarantine, lines], ignore_index=True)
    return ImportResult({**result.tables, table: kept}, conserved(record), problems, held)


def _conflict_lines(bad: pd.DataFrame, table: str, others: pd.Series[str]) -> pd.DataFrame:
    key = list(KEYS[table])
    lines = pd.DataFrame(
        {
            "file": bad["source_file"],
            "sheet": bad["source_sheet"],
            "row": bad["source_row"].astype("int64"),
            "column": bad[LABEL],
            "value": bad[MAIN_COLUMN[table]].astype("str").fillna(""),
            "message": "rows that should be one differ: " + others.reindex(bad.index),
            "cells": ["; ".join(map(str, row)) for row in bad[key].itertuples(index=False)],
        }
    )
    return lines.assign(
        table=table,
        expected="one row for each " + ", ".join(key),
        fix="delete the wrong row in the source, then import again",
        code="repeated-and-different",
    )[list(QUARANTINE_COLUMNS)]


def _spare_note(spare: pd.DataFrame) -> list[Problem]:
    if spare.empty:
        return []
    first = spare.iloc[0]
    return [
        Problem(
            f"{len(spare):,} rows repeat another with the same figures; one of each was kept. "
            "This is the first.",
            level="warning",
            code="repeated",
            file=first["source_file"],
            sheet=first["source_sheet"],
            row=int(first["source_row"]),
        )
    ]
