"""Sheets cut into records by a mapping: columns matched, rows kept, periods unpivoted.

A record is a row of a long table, or one period of a row of a wide one; a target beside a value
is a record of its own. Nothing is typed here: cells stay as they were read, with their places.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from fnmatch import fnmatchcase
from functools import partial
from itertools import chain
from typing import Any

import pandas as pd

from pmf_analysis.data.contract import TABLES, column_names
from pmf_analysis.problems import Problem, Problems, did_you_mean
from pmf_analysis.systems import beside, blocks, doubts
from pmf_analysis.systems.beside import any_filled
from pmf_analysis.systems.blocks import Block
from pmf_analysis.systems.breakdowns import part_by_group
from pmf_analysis.systems.cells import KNOWN, Sheet, column_letter
from pmf_analysis.systems.mapping import IGNORE, Keep, MappingFile, Unpivot
from pmf_analysis.systems.patterns import LOOKED_AT, spelling
from pmf_analysis.systems.results import LAYOUT, LISTED, ImportResult, Records
from pmf_analysis.systems.values import is_blank, is_typed, state_of_text

Tell = Callable[..., None]
# Our columns and their positions, several where their cells are joined.
Columns = dict[str, list[int]]
Part = tuple[pd.DataFrame, dict[str, tuple[int, str]]]


@dataclass(frozen=True)
class Group:
    """Columns that make one record of a row: of one period, or one indicator, or all there are.

    ``told`` are cells that the header gives, such as the period; ``cells`` our columns, or
    ``ignore``, and their positions.
    """

    told: dict[str, str] = field(default_factory=dict)
    cells: list[tuple[str, int]] = field(default_factory=list)


def cut_into_records(
    sheets: Iterable[Sheet], mapping: MappingFile, known_ids: frozenset[str], result: ImportResult
) -> list[Records]:
    """Cut every sheet of a file into records; `result` accounts for all other rows."""
    found: list[Records] = []
    without_header, before, rows = [], result.read, 0
    for sheet in sheets:
        result.read += len(sheet.cells)
        rows += len(sheet.cells)
        if not re.search(mapping.match.sheets, sheet.name[:LOOKED_AT], re.IGNORECASE):
            result.ignored["on a sheet the mapping does not name"] += len(sheet.cells)
            continue
        found_here = list(blocks.find_blocks(sheet, mapping, result.ignored))
        if not found_here:
            without_header.append(sheet)
        read = (_read_block(block, mapping, known_ids, result) for block in found_here)
        parts = list(chain.from_iterable(read))
        if parts:
            joined = _joined(parts, mapping.table, sheet, result.name)
            split = beside.split(joined, mapping)
            result.read += sum(len(part.raw) for part in split) - len(joined.raw)
            found.extend(split)
    # A cover sheet or notes are passed over, but refused where no sheet of the file has the header.
    names = (n if isinstance(n, str) else " or ".join(n) for n in mapping.header.containing)
    facts = {"wanted": ", ".join(names) or f"row {mapping.header.row}"}
    nothing_else = not (found or result.lines)
    for sheet in without_header:
        facts |= {"file": result.name, "sheet": sheet.name}
        if nothing_else:
            result.refuse(Problem.of("header-not-found", **facts), mapping.table, sheet.cells)
        else:
            result.problems.tell("sheet-without-header", **facts)
            result.ignored["on a sheet without the header"] += len(sheet.cells)
    result.more = result.read - before - rows
    result.read -= result.ignored.pop("header", 0)
    return found


def _read_block(
    block: Block, mapping: MappingFile, known_ids: frozenset[str], result: ImportResult
) -> list[Part]:
    """Return the cells of one table, or refuse its rows whole when its columns are wrong."""
    faults = Problems()
    place: Any = {"file": result.name, "sheet": block.sheet.name, "row": block.header_row or None}
    tell: Tell = partial(faults.tell, **place)
    columns = _match_columns(block, mapping, tell)
    used = {p for positions in columns.values() for p in positions}
    groups = _groups(block, mapping, used, known_ids, tell)
    of_groups = [pair for group in groups for pair in group.cells]
    found = {*columns, *dict(of_groups)}.union(*(group.told for group in groups))
    if mapping.indicators and of_groups:  # those that the register lacks are told of already
        found |= {"indicator_id", "value"}
    said = mapping.period.said(block.titles, block.sheet.name, result.name)
    if said and found.isdisjoint(KNOWN["of_period"]):  # a column that names it is stronger
        groups = [replace(group, told={"period_label": said, **group.told}) for group in groups]
        found |= {"period_label"}
    _check_missing(block, mapping, found, tell)
    _check_unknown(block, mapping, used.union(p for _, p in of_groups), tell)
    rows = blocks.without_icons(block.rows, [*_at(columns), *of_groups], mapping, tell)
    for keep in mapping.keep:
        position = block.position(keep.column)
        if position is None:
            tell("keep-column-missing", name=keep.column)
        elif not faults.has_errors:
            before = mapping.prefix if keep.in_ == "register" else ""
            rows = rows[_is_kept(before + rows[position].astype("str"), keep, known_ids)]
    first = next((problem for problem in faults if problem.level == "error"), None)
    result.problems.extend(problem for problem in faults if problem is not first)
    if first:
        result.refuse(first, mapping.table, block.rows)
        return []
    result.ignored["not kept by the mapping"] += len(block.rows) - len(rows)
    repeated = pd.Series(not block.sheet.names, index=rows.index)
    names = {p: block.headers[p] for p in used if p in block.headers}
    repeated &= blocks.repeats_names(rows, names)
    result.ignored["header repeated"] += int(repeated.sum())
    rows = rows[~repeated]
    rows = doubts.without_two_names(block, rows, columns, mapping, result)
    if mapping.breakdowns:
        rows, columns = part_by_group(block, rows, columns, mapping)
    return list(_records_of(replace(block, rows=rows), columns, groups, mapping, result))


def _match_columns(block: Block, mapping: MappingFile, tell: Tell) -> Columns:
    """Positions of each of our columns; a name that two columns bear is refused."""
    columns = {}
    for ours, names in mapping.columns.items():
        if positions := block.positions(names):
            columns[ours] = positions[:1]
            if len(positions) > 1:
                tell("column-twice", name=block.headers[positions[0]])
    for ours, names in mapping.join.items():
        found = [p for name in names for p in block.positions([name])]
        if block.position(names[0]) is not None:  # the others say more of it, where they are there
            columns[ours] = found
    return columns


def _at(columns: Columns) -> Iterator[tuple[str, int]]:
    return ((ours, position) for ours, positions in columns.items() for position in positions)


def _groups(
    block: Block, mapping: MappingFile, used: set[int], known_ids: frozenset[str], tell: Tell
) -> list[Group]:
    """Return the groups of columns: of periods, of indicators, or one of none in a long table."""
    if mapping.unpivot is not None:
        free = {p: text for p, text in block.headers.items() if p not in used}
        return _period_groups(free, mapping.unpivot, tell)
    if mapping.indicators:
        return _indicator_groups(block, mapping, known_ids, tell)
    return [Group()]


def _period_groups(headers: Mapping[int, str], unpivot: Unpivot, tell: Tell) -> list[Group]:
    groups: dict[str, Group] = {}
    read = {position: unpivot.read(text) for position, text in headers.items()}
    named = {position: found for position, found in read.items() if found}
    valued = [period for period, ours in named.values() if period and ours in KNOWN["makes_value"]]
    # A measure before all periods, such as a target, belongs to the last, like one behind them.
    last = next(reversed(valued), "")
    for position, (text, ours) in named.items():
        last = text if text in valued else last
        period = text or last
        group = groups.setdefault(period, Group({"period_label": period}))
        if ours != IGNORE and ours in dict(group.cells):
            tell("column-twice", name=headers[position])
        group.cells.append((ours, position))
    return list(groups.values())


def _indicator_groups(
    block: Block, mapping: MappingFile, known_ids: frozenset[str], tell: Tell
) -> list[Group]:
    """Columns of each indicator; those that the register lacks are told of, and not read."""
    groups, unknown = [], []
    for indicator, measures in mapping.measures_by_indicator().items():
        group = Group({"indicator_id": indicator})
        for ours, names in measures.items():
            positions = block.positions(names)
            group.cells.extend((ours, position) for position in positions[:1])
            if len(positions) > 1:
                tell("column-twice", name=block.headers[positions[0]])
        if group.cells and indicator.casefold() in known_ids:
            groups.append(group)
        elif group.cells:
            unknown.append(indicator)
            groups.append(Group({}, [(IGNORE, position) for _, position in group.cells]))
    if unknown:
        tell("indicators-not-read", names=", ".join(unknown))
    return groups


def _check_missing(block: Block, mapping: MappingFile, found: set[str], tell: Tell) -> None:
    """Say which columns that the table must have are neither there nor given as constants."""
    given = found.union(mapping.constants)
    needed = [c.name for c in TABLES[mapping.table] if c.required and c.default is None]
    needed += {"observations": ["value"], "targets": ["target"]}.get(mapping.table, [])
    filled = {*KNOWN["of_period"], "frequency", "area_code"}
    filled |= {"target_id"} if "indicator_id" in given else set()
    for name in needed:
        if name not in given | filled:
            names = mapping.columns.get(name, (name,))
            hint = did_you_mean(names[0], block.headers.values())
            tell("column-missing", name=names[0], hint=hint, names=" or ".join(names))
    if "period_start" in column_names(mapping.table) and given.isdisjoint(KNOWN["of_period"]):
        tell("period-column-missing")


def _check_unknown(block: Block, mapping: MappingFile, used: set[int], tell: Tell) -> None:
    """Say which columns the mapping does not know; one without name or cells is no column."""
    parted = [name for pair in mapping.breakdowns.items() for name in (pair[0], pair[1].named_by)]
    expected = [spelling(name) for name in (*mapping.ignore, *parted)]
    unknown = [
        f'{column_letter(position)} "{name}"'
        for position in range(block.rows.shape[1])
        if position not in used
        and not _is_like(name := block.headers.get(position, ""), expected)
        and (name or not is_blank(block.rows[position]).all())
    ]
    if unknown and mapping.on_unknown_column != "ignore":
        more = f" and {len(unknown) - LISTED:,} more" if len(unknown) > LISTED else ""
        are = f"{len(unknown):,} column{'s are' if len(unknown) > 1 else ' is'}"
        level = "error" if mapping.on_unknown_column == "error" else "warning"
        names = ", ".join(unknown[:LISTED]) + more
        tell("column-unknown", level=level, column=unknown[0], are=are, names=names)
    if aims := [name for name in unknown if re.search(r"(?i)\btargets?\b", name)]:
        tell("target-not-read", column=aims[0], names=", ".join(aims[:LISTED]))


def _is_like(name: str, patterns: list[str]) -> bool:
    return any(fnmatchcase(spelling(name), pattern) for pattern in patterns)


def _is_kept(column: pd.Series[Any], keep: Keep, ids: frozenset[str]) -> pd.Series[bool]:
    text = column.astype("str").str.strip().str.casefold()
    if keep.startswith:
        return text.str.startswith(tuple(start.casefold() for start in keep.startswith))
    return text.isin([name.casefold() for name in (ids if keep.in_ == "register" else keep.in_)])


def _records_of(
    block: Block, columns: Columns, groups: list[Group], mapping: MappingFile, result: ImportResult
) -> Iterator[Part]:
    """Yield cells under our names, and where each column stood, for each group of columns.

    A group without an entry has no record; a long table is one group, without columns of its own.
    """
    rows = block.rows
    shared = {ours: _cells_of(rows, positions, mapping) for ours, positions in columns.items()}
    has_entry = pd.Series(False, index=rows.index)
    for group in groups:
        measures = {ours: position for ours, position in group.cells if ours != IGNORE}
        filled = any_filled(rows[list(measures.values())]) | (not group.cells)
        has_entry |= filled
        if filled.any():
            places = {ours: positions[0] for ours, positions in columns.items()} | measures
            places |= {ours: p for ours in group.told for _, p in group.cells[:1]}
            cells = shared | {ours: rows[position] for ours, position in measures.items()}
            raw = pd.DataFrame({ours: cells[ours][filled] for ours in cells})
            raw = raw.assign(source_row=raw.index, **group.told)
            result.read += len(raw)
            yield raw, {ours: (p, block.label(p)) for ours, p in places.items()}
    result.read -= int(has_entry.sum())
    result.ignored["row without an entry in any period"] += int((~has_entry).sum())


def _cells_of(rows: pd.DataFrame, positions: list[int], mapping: MappingFile) -> pd.Series[Any]:
    """Return a column, or several joined, without those that say that there is nothing."""
    if len(positions) == 1:
        return rows[positions[0]]
    texts = [rows[position].astype("str").str.strip() for position in positions]
    said = [text.mask(state_of_text(text, mapping.values) != "", "") for text in texts]
    joined = said[0]
    for more in said[1:]:
        joined = joined + ("; " + more).where((joined != "") & (more != ""), more)
    return joined


def _joined(parts: list[Part], table: str, sheet: Sheet, file: str) -> Records:
    """Join the tables of one sheet, so that they are typed at once."""
    numbered = [raw.assign(**{LAYOUT: number}) for number, (raw, _) in enumerate(parts)]
    raw = pd.concat(numbered, ignore_index=True)
    raw = raw.fillna({name: "" for name in raw if not is_typed(raw[name])})
    raw = raw.assign(source_file=file, source_sheet=sheet.name)
    return Records(table, sheet, raw, [layout for _, layout in parts])
