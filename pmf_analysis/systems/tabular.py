"""Sheets cut into records by a mapping: columns matched, rows kept, periods unpivoted.

A record is a row of a long table, or one period of a row of a wide one; a target beside a value
is a record of its own. Nothing is typed here: cells stay as they were read, with their places.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from typing import Any

import pandas as pd

from pmf_analysis.data.contract import TABLES, column_names
from pmf_analysis.problems import Level, Problem, Problems, did_you_mean
from pmf_analysis.systems.blocks import HEADER, Block, find_blocks
from pmf_analysis.systems.cells import Mark, Sheet, column_letter
from pmf_analysis.systems.folder import RawFile
from pmf_analysis.systems.mapping import IGNORE, Keep, MappingFile, spelling
from pmf_analysis.systems.values import is_blank, is_typed

# So many faults of one sort are listed one by one.
LISTED = 20
# The number, in `raw`, of the layout that a record has.
LAYOUT = "_layout"
_PERIOD = {"period_start", "period_end", "period_label"}
_OF_VALUE = {"value", "numerator", "denominator", "value_note", "value_status"}
_OF_VALUE |= {"ci_lower", "ci_upper", "sample_size"}
# Our columns and their positions: of a table, and by period text where the header names periods.
Columns = dict[str, int]
Groups = dict[str, list[tuple[str, int]]]
Part = tuple[pd.DataFrame, dict[str, tuple[int, str]]]


@dataclass(frozen=True)
class Records:
    """Records of one table from one sheet, and where their cells stood.

    Parameters
    ----------
    raw
        A row a record: cells as read under our names, the source columns of the contract, and
        ``LAYOUT``.
    layouts
        Position and label, such as ``E "Q1 2026/27 Value"``, of the source column of each of ours.
    """

    table: str
    sheet: Sheet
    raw: pd.DataFrame
    layouts: list[dict[str, tuple[int, str]]]

    def labels(self, name: str, chosen: pd.Series[bool]) -> list[str]:
        """Source column of each chosen record's cell in the column `name`; "" where it has none."""
        known = [layout.get(name, (-1, ""))[1] for layout in self.layouts]
        return [known[number] for number in self.raw.loc[chosen, LAYOUT]]

    def marked(self, name: str, mark: Mark) -> pd.Series[bool]:
        """Whether the workbook marks the cell of each record in the column `name`."""
        if not self.sheet.marks:
            return pd.Series(False, index=self.raw.index)
        known = [layout.get(name, (-1, ""))[0] for layout in self.layouts]
        places = zip(self.raw["source_row"], self.raw[LAYOUT].map(known.__getitem__), strict=True)
        found = [self.sheet.marks.get(place) == mark for place in places]
        return pd.Series(found, index=self.raw.index, dtype=bool)


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
            joined = _joined(parts, mapping.table, sheet, raw.name)
            split = _split_targets(joined, is_wide=mapping.unpivot is not None)
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
) -> list[Part]:
    """Return the cells of one table, or refuse its rows whole when its columns are wrong."""
    faults = Problems()
    columns = _match_columns(block, mapping, faults)
    groups = _period_groups(block, mapping, faults)
    of_periods = [pair for group in groups.values() for pair in group]
    found = {*columns, *dict(of_periods), *(["period_label"] if groups else [])}
    _check_missing(block, mapping, found, faults)
    _check_unknown(block, mapping, {*columns.values(), *(p for _, p in of_periods)}, faults)
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
        return list(_unpivot(block, rows, columns, groups, reading))
    return [_cells_of(block, rows, columns)] if len(rows) else []


def _located(problem: Problem, file: str, block: Block) -> Problem:
    return replace(
        problem,
        code=problem.code or "column-missing",
        fix=problem.fix or "correct the column's name, or the mapping",
        file=file,
        sheet=block.sheet.name,
        row=block.header_row or None,
    )


def _match_columns(block: Block, mapping: MappingFile, faults: Problems) -> Columns:
    """Position of each of our columns; a name that two columns bear is refused."""
    seen = Counter(map(spelling, block.headers.values()))
    columns = {}
    for ours, names in mapping.columns.items():
        position = next((p for p in map(block.position, names) if p is not None), None)
        if position is not None:
            columns[ours] = position
            if seen[spelling(block.headers[position])] > 1:
                faults.add(message=f'two columns are called "{block.headers[position]}".')
    return columns


def _period_groups(block: Block, mapping: MappingFile, faults: Problems) -> Groups:
    """Our columns, or ``ignore``, and positions of each period of a wide table."""
    groups: Groups = {}
    if mapping.unpivot is None:
        return groups
    read = {position: mapping.unpivot.read(text) for position, text in block.headers.items()}
    named = {position: found for position, found in read.items() if found}
    # A measure before all periods, such as a target, belongs to the last, like one behind them.
    period = next((period for period, _ in reversed(named.values()) if period), "")
    for position, (text, ours) in named.items():
        period = text or period
        group = groups.setdefault(period, [])
        if ours != IGNORE and ours in dict(group):
            faults.add(message=f'two columns are called "{block.headers[position]}".')
        group.append((ours, position))
    return groups


def _check_missing(block: Block, mapping: MappingFile, found: set[str], faults: Problems) -> None:
    """Say which columns that the table must have are neither there nor given as constants."""
    given = found.union(mapping.constants)
    needed = [c.name for c in TABLES[mapping.table] if c.required and c.default is None]
    needed += {"observations": ["value"], "targets": ["target"]}.get(mapping.table, [])
    filled = {*_PERIOD, "frequency", "area_code"}
    filled |= {"target_id"} if "indicator_id" in given else set()
    for name in needed:
        if name not in given | filled:
            names = mapping.columns.get(name, (name,))
            hint = did_you_mean(names[0], block.headers.values())
            message = f'no column "{names[0]}" was found.{hint}'
            faults.add(message=message, expected=" or ".join(names))
    if "period_start" in column_names(mapping.table) and not given & _PERIOD:
        faults.add(message="no column says to which period a row belongs.")


def _check_unknown(block: Block, mapping: MappingFile, used: set[int], faults: Problems) -> None:
    """Say which columns the mapping does not know; one without name or cells is no column."""
    expected = {spelling(name) for name in mapping.ignore}
    unknown = [
        f'{column_letter(position)} "{name}"'
        for position in range(block.rows.shape[1])
        if position not in used
        and spelling(name := block.headers.get(position, "")) not in expected
        and (name or not is_blank(block.rows[position]).all())
    ]
    if unknown and mapping.on_unknown_column != "ignore":
        more = f" and {len(unknown) - LISTED:,} more" if len(unknown) > LISTED else ""
        are = "columns are" if len(unknown) > 1 else "column is"
        message = f"{len(unknown):,} {are} not known to the mapping, and not read: "
        message += ", ".join(unknown[:LISTED]) + f"{more}."
        level: Level = "error" if mapping.on_unknown_column == "error" else "warning"
        fix = "add what you need to columns, and the others to ignore, in the mapping"
        faults.add(Problem(message, level, "column-unknown", column=unknown[0], fix=fix))


def _is_kept(cells: pd.Series[Any], keep: Keep, known_ids: frozenset[str]) -> pd.Series[bool]:
    text = cells.astype("str").str.strip().str.casefold()
    if keep.startswith:
        return text.str.startswith(tuple(start.casefold() for start in keep.startswith))
    wanted = known_ids if keep.in_ == "register" else keep.in_
    return text.isin([name.casefold() for name in wanted])


def _repeats_header(rows: pd.DataFrame, block: Block, columns: Columns) -> pd.Series[bool]:
    """Whether a row is the header again, as some systems print on every page."""
    repeats = pd.Series(bool(columns) and not block.sheet.names, index=rows.index)
    for position in columns.values():
        if repeats.any():
            repeats &= rows[position].astype("str").str.strip() == block.headers[position]
    return repeats


def _cells_of(block: Block, rows: pd.DataFrame, columns: Columns) -> Part:
    """Cells under our names, one record a row, and where each column stood."""
    raw = pd.DataFrame({ours: rows[position] for ours, position in columns.items()})
    raw["source_row"] = rows.index
    labels = {ours: f'{column_letter(p)} "{block.headers[p]}"' for ours, p in columns.items()}
    return raw, {ours: (columns[ours], label) for ours, label in labels.items()}


def _unpivot(
    block: Block, rows: pd.DataFrame, columns: Columns, groups: Groups, reading: Reading
) -> Iterator[Part]:
    """Yield the records of each period of a wide table; a period without an entry has none."""
    some_entry = pd.Series(False, index=rows.index)
    for period, group in groups.items():
        measures = {ours: position for ours, position in group if ours != IGNORE}
        filled = _any_filled(rows[list(measures.values())])
        some_entry |= filled
        if filled.any():
            first = group[0][1]
            places = {**columns, **measures, "period_label": first}
            raw, layout = _cells_of(block, rows[filled], places)
            reading.read += len(raw)
            yield raw.assign(period_label=period), layout
    reading.read -= int(some_entry.sum())
    reading.ignored["row without an entry in any period"] += int((~some_entry).sum())


def _joined(parts: list[Part], table: str, sheet: Sheet, file: str) -> Records:
    """Join the tables of one sheet, so that they are typed at once."""
    numbered = [raw.assign(**{LAYOUT: number}) for number, (raw, _) in enumerate(parts)]
    raw = pd.concat(numbered, ignore_index=True)
    raw = raw.fillna({name: "" for name in raw if not is_typed(raw[name])})
    raw = raw.assign(source_file=file, source_sheet=sheet.name)
    return Records(table, sheet, raw, [layout for _, layout in parts])


def _split_targets(records: Records, *, is_wide: bool) -> list[Records]:
    """Part observations from the targets beside them.

    In a long table every row is an observation; in a wide one a target may stand alone.
    """
    raw = records.raw
    beside = sorted({*raw} & {*column_names("targets")} - {*column_names("observations")})
    if records.table != "observations" or not beside:
        return [records]
    has_target = _any_filled(raw[beside])
    # A note in a period without a value and a target is still an entry.
    is_value = _any_filled(raw.filter(["value", "numerator", "denominator"])) | ~has_target
    targets = raw[has_target].drop(columns=[*_OF_VALUE & {*raw}])
    return [
        replace(records, raw=(raw[is_value] if is_wide else raw).drop(columns=beside)),
        replace(records, table="targets", raw=targets),
    ]


def _any_filled(cells: pd.DataFrame) -> pd.Series[bool]:
    filled = pd.Series(False, index=cells.index)
    for name in cells:
        filled |= ~is_blank(cells[name])
    return filled
