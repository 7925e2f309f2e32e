"""Sheets cut into records by a mapping: headers found, columns matched, periods unpivoted.

A record is a row of a long table, or one period of a row of a wide one; a target beside a value
is a record of its own. Nothing is typed here: cells stay as they were read, with their places.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

import pandas as pd

from pmf_analysis.data.contract import TABLES, column_names
from pmf_analysis.problems import Problem, Problems, did_you_mean
from pmf_analysis.systems.blocks import HEADER, Block, find_blocks
from pmf_analysis.systems.cells import Sheet, column_letter
from pmf_analysis.systems.folder import RawFile
from pmf_analysis.systems.mapping import IGNORE, Keep, MappingFile, spelling
from pmf_analysis.systems.values import is_blank

_PERIOD = ("period_start", "period_end", "period_label")


@dataclass(frozen=True)
class Records:
    """Records of one table from one sheet: raw cells under our names, and where they stood.

    ``positions`` and ``labels`` (such as ``E "Q1 2026/27 Value"``) name the source column of each
    of our columns: one for all records, or one each.
    """

    table: str
    sheet: Sheet
    raw: pd.DataFrame
    rows: pd.Series[int]
    positions: dict[str, int | pd.Series[int]]
    labels: dict[str, str | pd.Series[str]]


@dataclass
class Reading:
    """What a file held: records to type, rows refused whole, rows declared-ignored, and faults.

    ``read`` counts rows that are not blank, but for headers, before anything is decided on them;
    a row that becomes several records counts as many.
    """

    read: int = 0
    records: list[Records] = field(default_factory=list)
    refused: list[tuple[Problem, list[int]]] = field(default_factory=list)
    ignored: Counter[str] = field(default_factory=Counter)
    problems: Problems = field(default_factory=Problems)


def cut_into_records(raw: RawFile, mapping: MappingFile, known_ids: frozenset[str]) -> Reading:
    """Cut every sheet of a file into records; every row that is not blank is accounted for."""
    reading = Reading()
    without_header = []
    for sheet in raw.sheets:
        reading.read += len(sheet.cells)
        if not re.search(mapping.match.sheets, sheet.name, re.IGNORECASE):
            reading.ignored["on a sheet the mapping does not name"] += len(sheet.cells)
            continue
        blocks = list(find_blocks(sheet, mapping, reading.ignored))
        if not blocks:
            without_header.append(sheet)
        parts = [
            part
            for block in blocks
            for part in _read_block(block, raw.name, mapping, known_ids, reading)
        ]
        if parts:
            is_wide = mapping.unpivot is not None
            joined = _joined(parts)
            split = list(_split_targets(joined, is_wide=is_wide))
            reading.read += sum(len(part.raw) for part in split) - len(joined.raw)
            reading.records.extend(split)
    _account_for_sheets_without_header(without_header, raw.name, mapping, reading)
    reading.read -= reading.ignored.pop(HEADER, 0)
    return reading


def _account_for_sheets_without_header(
    sheets: list[Sheet], file: str, mapping: MappingFile, reading: Reading
) -> None:
    """Pass over cover sheets and notes, but refuse a file in which no sheet has the header."""
    nothing_else = not (reading.records or reading.refused)
    for sheet in sheets:
        wanted = ", ".join(mapping.header.containing) or f"row {mapping.header.row}"
        problem = Problem(
            "the header was not found" + ("." if nothing_else else "; the sheet was passed over."),
            level="error" if nothing_else else "info",
            code="header-not-found",
            file=file,
            sheet=sheet.name,
            expected=f"a row that holds {wanted}",
            fix="correct the column names, or the header setting of the mapping",
        )
        if nothing_else:
            reading.refused.append((problem, sheet.cells.index.tolist()))
        else:
            reading.problems.add(problem)
            reading.ignored["on a sheet without the header"] += len(sheet.cells)


def _read_block(
    block: Block, file: str, mapping: MappingFile, known_ids: frozenset[str], reading: Reading
) -> list[Records]:
    """Return the records of one table, or refuse its rows whole when its columns are wrong."""
    faults = Problems()
    columns = _match_columns(block, mapping, faults)
    groups = _period_groups(block, mapping, faults)
    _check_columns(block, mapping, columns, groups, faults)
    rows = block.rows
    for keep in mapping.keep:
        position = block.position(keep.column)
        if position is None:
            faults.add(message=f'the column "{keep.column}" of a keep rule is not there.')
        elif not faults.has_errors:
            rows = rows[_is_kept(rows[position], keep, known_ids)]
    located = [_located(problem, file, block) for problem in faults]
    if faults.has_errors:
        first = next(problem for problem in located if problem.level == "error")
        reading.problems.extend(problem for problem in located if problem is not first)
        reading.refused.append((first, block.rows.index.tolist()))
        return []
    reading.problems.extend(located)
    reading.ignored["not kept by the mapping"] += len(block.rows) - len(rows)
    repeated = _repeats_header(rows, block, columns)
    reading.ignored["header repeated"] += int(repeated.sum())
    rows = rows[~repeated]
    if mapping.unpivot:
        return list(_unpivot(block, rows, columns, groups, mapping, reading))
    return [_long(block, rows, columns, mapping)] if len(rows) else []


def _located(problem: Problem, file: str, block: Block) -> Problem:
    return Problem(
        problem.message,
        level=problem.level,
        code=problem.code or "column-missing",
        file=file,
        sheet=block.sheet.name,
        row=block.header_row or None,
        column=problem.column,
        expected=problem.expected,
        fix=problem.fix or "correct the column's name, or the mapping",
    )


def _match_columns(block: Block, mapping: MappingFile, faults: Problems) -> dict[str, int]:
    """Position of each of our columns; a name that two columns bear is refused."""
    seen = Counter(map(spelling, block.headers.values()))
    columns = {}
    for ours, names in mapping.columns.items():
        position = next((p for p in map(block.position, names) if p is not None), None)
        if position is None:
            continue
        columns[ours] = position
        if seen[spelling(block.headers[position])] > 1:
            faults.add(message=f'two columns are called "{block.headers[position]}".')
    return columns


def _period_groups(
    block: Block, mapping: MappingFile, faults: Problems
) -> dict[str, dict[str, int]]:
    """Columns of each period of a wide table: period text -> our column -> position."""
    groups: dict[str, dict[str, int]] = {}
    if mapping.unpivot is None:
        return groups
    measures = {spelling(name): ours for name, ours in mapping.unpivot.measures.items()}
    period = ""
    for position, text in block.headers.items():
        match = re.fullmatch(mapping.unpivot.pattern, " ".join(text.split()), re.IGNORECASE)
        if match:
            period = (match["period"] or period).strip()
            ours = measures.get(spelling(match["measure"]), IGNORE)
            group = groups.setdefault(period, {})
            if ours in group and ours != IGNORE:
                faults.add(message=f'two columns are called "{text}".')
            group[ours if ours != IGNORE else f"{IGNORE} {position}"] = position
    return groups


def _check_columns(
    block: Block,
    mapping: MappingFile,
    columns: dict[str, int],
    groups: dict[str, dict[str, int]],
    faults: Problems,
) -> None:
    """Say which columns are missing, and which the mapping does not know."""
    given = {*columns, *mapping.constants, *(name for group in groups.values() for name in group)}
    needed = [c.name for c in TABLES[mapping.table] if c.required and c.default is None]
    needed = [name for name in needed if name not in {*_PERIOD, "frequency", "area_code"}]
    needed += ["value"] if mapping.table == "observations" else []
    needed += ["target"] if mapping.table == "targets" else []
    for name in needed:
        if name not in given and not (name == "target_id" and "indicator_id" in given):
            names = mapping.columns.get(name, (name,))
            hint = did_you_mean(names[0], block.headers.values())
            faults.add(
                message=f'no column "{names[0]}" was found.{hint}', expected=" or ".join(names)
            )
    if "period_start" in column_names(mapping.table) and not (groups or given & set(_PERIOD)):
        faults.add(message="no column says to which period a row belongs.")
    used = {*columns.values(), *(p for group in groups.values() for p in group.values())}
    expected = {spelling(name) for name in mapping.ignore}
    for position in range(block.rows.shape[1]):
        name = block.headers.get(position, "")
        is_known = position in used or spelling(name) in expected
        if is_known or (not name and is_blank(block.rows[position]).all()):
            continue
        if mapping.on_unknown_column != "ignore":
            faults.add(
                message=f'the column "{name}" is not known to the mapping and was not read.'
                if name
                else "a column without a name was not read.",
                level="error" if mapping.on_unknown_column == "error" else "warning",
                code="column-unknown",
                column=f'{column_letter(position)} "{name}"',
                fix="add it to columns or to ignore in the mapping",
            )


def _is_kept(cells: pd.Series[Any], keep: Keep, known_ids: frozenset[str]) -> pd.Series[bool]:
    text = cells.astype("str").str.strip().str.casefold()
    if keep.startswith:
        return text.str.startswith(tuple(start.casefold() for start in keep.startswith))
    wanted = known_ids if keep.in_ == "register" else keep.in_
    return text.isin([name.casefold() for name in wanted])


def _repeats_header(rows: pd.DataFrame, block: Block, columns: dict[str, int]) -> pd.Series[bool]:
    """Whether a row is the header again, as some systems print on every page."""
    repeats = pd.Series(bool(columns) and not block.sheet.names, index=rows.index)
    for position in columns.values():
        if not repeats.any():
            break
        repeats &= rows[position].astype("str").str.strip() == block.headers[position]
    return repeats


def _long(
    block: Block, rows: pd.DataFrame, columns: dict[str, int], mapping: MappingFile
) -> Records:
    """One record a row."""
    raw = pd.DataFrame({ours: rows[position] for ours, position in columns.items()})
    labels = {ours: f'{column_letter(p)} "{block.headers[p]}"' for ours, p in columns.items()}
    raw.index = pd.RangeIndex(len(raw))
    numbers = pd.Series(rows.index, dtype="int64")
    return Records(mapping.table, block.sheet, raw, numbers, {**columns}, {**labels})


def _unpivot(
    block: Block,
    rows: pd.DataFrame,
    columns: dict[str, int],
    groups: dict[str, dict[str, int]],
    mapping: MappingFile,
    reading: Reading,
) -> Iterator[Records]:
    """Yield the records of each period of a wide table; a period without an entry has none."""
    some_entry = pd.Series(False, index=rows.index)
    for period, group in groups.items():
        measures = {ours: p for ours, p in group.items() if not ours.startswith(IGNORE)}
        filled = _any_filled(rows[list(measures.values())])
        some_entry |= filled
        if filled.any():
            part = _long(block, rows[filled], {**columns, **measures}, mapping)
            part.raw["period_label"] = period
            first = next(iter(group.values()))
            part.positions["period_label"] = first
            part.labels["period_label"] = f'{column_letter(first)} "{block.headers[first]}"'
            reading.read += len(part.raw)
            yield part
    reading.read -= int(some_entry.sum())
    reading.ignored["row without an entry in any period"] += int((~some_entry).sum())


def _joined(parts: list[Records]) -> Records:
    """Join records of one table and sheet, so that they are typed at once."""
    if len(parts) == 1:
        return parts[0]
    raw = pd.concat([part.raw for part in parts], ignore_index=True)
    return Records(
        parts[0].table,
        parts[0].sheet,
        raw.fillna(""),
        pd.concat([part.rows for part in parts], ignore_index=True),
        {str(name): _stacked(parts, "positions", name, -1) for name in raw},
        {str(name): _stacked(parts, "labels", name, "") for name in raw},
    )


def _stacked(parts: list[Records], what: str, name: Any, absent: Any) -> pd.Series[Any]:
    each = [
        pd.Series(getattr(part, what).get(name, absent), index=part.raw.index) for part in parts
    ]
    return pd.concat(each, ignore_index=True)


def _split_targets(records: Records, *, is_wide: bool) -> Iterator[Records]:
    """Yield a record of observations for each value, and one of targets for each target beside it.

    In a long table every row is an observation; in a wide one a target may stand alone.
    """
    targets = set(column_names("targets")) - set(column_names("observations"))
    beside = [name for name in records.raw if name in targets]
    if records.table != "observations" or not beside:
        yield records
        return
    facts = [name for name in records.raw if name not in targets]
    measured = [name for name in ("value", "numerator", "denominator") if name in records.raw]
    has_target = _any_filled(records.raw[beside])
    # A note in a period without a value and a target is still an entry.
    has_value = _any_filled(records.raw[measured]) | ~has_target
    yield _subset(records, "observations", facts, has_value if is_wide else has_value | True)
    of_value = {*measured, "value_note", "value_status", "ci_lower", "ci_upper", "sample_size"}
    shared = [name for name in records.raw if name not in of_value]
    yield _subset(records, "targets", shared, has_target)


def _any_filled(cells: pd.DataFrame) -> pd.Series[bool]:
    filled = pd.Series(False, index=cells.index)
    for name in cells:
        filled |= ~is_blank(cells[name])
    return filled


def _subset(records: Records, table: str, columns: list[Any], chosen: pd.Series[bool]) -> Records:
    def picked(values: dict[str, Any]) -> dict[str, Any]:
        series = {name: value for name, value in values.items() if isinstance(value, pd.Series)}
        return values | {name: v[chosen].reset_index(drop=True) for name, v in series.items()}

    raw = records.raw.loc[chosen, columns].reset_index(drop=True)
    rows = records.rows[chosen].reset_index(drop=True)
    positions, labels = picked(records.positions), picked(records.labels)
    return Records(table, records.sheet, raw, rows, positions, labels)
