"""Sheets cut into records by a mapping: columns matched, rows kept, periods unpivoted.

A record is a row of a long table, or one period of a row of a wide one; a target beside a value
is a record of its own. Nothing is typed here: cells stay as they were read, with their places.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, replace
from functools import partial
from itertools import chain
from typing import Any

import pandas as pd

from pmf_analysis.data.contract import TABLES, column_names
from pmf_analysis.problems import Problem, Problems, did_you_mean
from pmf_analysis.systems.cells import Block, Mark, Sheet, column_letter, find_blocks, repeats_names
from pmf_analysis.systems.mapping import IGNORE, Keep, MappingFile, spelling
from pmf_analysis.systems.results import LISTED, ImportResult
from pmf_analysis.systems.values import is_blank, is_typed

# The number, in `raw`, of the layout that a record has.
LAYOUT = "_layout"

_PERIOD = {"period_start", "period_end", "period_label"}
_OF_VALUE = {"value", "numerator", "denominator", "value_note", "value_status"}
_OF_VALUE |= {"ci_lower", "ci_upper", "sample_size"}
# Our columns and their positions: of a table, and by period text where the header names periods.

Tell = Callable[..., None]
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


def cut_into_records(
    sheets: Iterable[Sheet], mapping: MappingFile, known_ids: frozenset[str], result: ImportResult
) -> list[Records]:
    """Cut every sheet of a file into records; `result` accounts for all other rows."""
    found: list[Records] = []
    without_header = []
    for sheet in sheets:
        result.read += len(sheet.cells)
        if not re.search(mapping.match.sheets, sheet.name, re.IGNORECASE):
            result.ignored["on a sheet the mapping does not name"] += len(sheet.cells)
            continue
        blocks = list(find_blocks(sheet, mapping, result.ignored))
        if not blocks:
            without_header.append(sheet)
        read = (_read_block(block, mapping, known_ids, result) for block in blocks)
        parts = list(chain.from_iterable(read))
        if parts:
            joined = _joined(parts, mapping.table, sheet, result.name)
            split = _split_targets(joined, is_wide=mapping.unpivot is not None)
            result.read += sum(len(part.raw) for part in split) - len(joined.raw)
            found.extend(split)
    nothing_else = not (found or result.lines)
    for sheet in without_header:
        _pass_over(sheet, mapping, result, nothing_else=nothing_else)
    result.read -= result.ignored.pop("header", 0)
    return found


def _pass_over(
    sheet: Sheet, mapping: MappingFile, result: ImportResult, *, nothing_else: bool
) -> None:
    """Pass over a cover sheet or notes, but refuse it where no sheet of the file has the header."""
    wanted = ", ".join(mapping.header.containing) or f"row {mapping.header.row}"
    fault = "header-not-found" if nothing_else else "sheet-without-header"
    problem = Problem.of(fault, wanted=wanted, file=result.name, sheet=sheet.name)
    if nothing_else:
        result.refuse(problem, mapping.table, sheet.cells.index.tolist())
    else:
        result.problems.add(problem)
        result.ignored["on a sheet without the header"] += len(sheet.cells)


def _read_block(
    block: Block, mapping: MappingFile, known_ids: frozenset[str], result: ImportResult
) -> list[Part]:
    """Return the cells of one table, or refuse its rows whole when its columns are wrong."""
    faults = Problems()
    place: Any = {"file": result.name, "sheet": block.sheet.name, "row": block.header_row or None}
    tell: Tell = partial(faults.tell, **place)
    columns = _match_columns(block, mapping, tell)
    groups = _period_groups(block, mapping, tell)
    of_periods = [pair for group in groups.values() for pair in group]
    found = {*columns, *dict(of_periods), *(["period_label"] if groups else [])}
    _check_missing(block, mapping, found, tell)
    _check_unknown(block, mapping, {*columns.values(), *(p for _, p in of_periods)}, tell)
    rows = block.rows
    for keep in mapping.keep:
        position = block.position(keep.column)
        if position is None:
            tell("keep-column-missing", name=keep.column)
        elif not faults.has_errors:
            rows = rows[_is_kept(rows[position], keep, known_ids)]
    first = next((problem for problem in faults if problem.level == "error"), None)
    result.problems.extend(problem for problem in faults if problem is not first)
    if first:
        result.refuse(first, mapping.table, block.rows.index.tolist())
        return []
    result.ignored["not kept by the mapping"] += len(block.rows) - len(rows)
    repeated = pd.Series(not block.sheet.names, index=rows.index)
    repeated &= repeats_names(rows, {p: block.headers[p] for p in columns.values()})
    result.ignored["header repeated"] += int(repeated.sum())
    rows = rows[~repeated]
    if mapping.unpivot:
        return list(_unpivot(block, rows, columns, groups, result))
    return [_cells_of(block, rows, columns)] if len(rows) else []


def _match_columns(block: Block, mapping: MappingFile, tell: Tell) -> Columns:
    """Position of each of our columns; a name that two columns bear is refused."""
    seen = Counter(map(spelling, block.headers.values()))
    columns = {}
    for ours, names in mapping.columns.items():
        position = next((p for p in map(block.position, names) if p is not None), None)
        if position is not None:
            columns[ours] = position
            if seen[spelling(block.headers[position])] > 1:
                tell("column-twice", name=block.headers[position])
    return columns


def _period_groups(block: Block, mapping: MappingFile, tell: Tell) -> Groups:
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
            tell("column-twice", name=block.headers[position])
        group.append((ours, position))
    return groups


def _check_missing(block: Block, mapping: MappingFile, found: set[str], tell: Tell) -> None:
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
            tell("column-missing", name=names[0], hint=hint, names=" or ".join(names))
    if "period_start" in column_names(mapping.table) and not given & _PERIOD:
        tell("period-column-missing")


def _check_unknown(block: Block, mapping: MappingFile, used: set[int], tell: Tell) -> None:
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
        are = f"{len(unknown):,} column{'s are' if len(unknown) > 1 else ' is'}"
        level = "error" if mapping.on_unknown_column == "error" else "warning"
        names = ", ".join(unknown[:LISTED]) + more
        tell("column-unknown", level=level, column=unknown[0], are=are, names=names)


def _is_kept(cells: pd.Series[Any], keep: Keep, known_ids: frozenset[str]) -> pd.Series[bool]:
    text = cells.astype("str").str.strip().str.casefold()
    if keep.startswith:
        return text.str.startswith(tuple(start.casefold() for start in keep.startswith))
    wanted = known_ids if keep.in_ == "register" else keep.in_
    return text.isin([name.casefold() for name in wanted])


def _cells_of(block: Block, rows: pd.DataFrame, columns: Columns) -> Part:
    """Cells under our names, one record a row, and where each column stood."""
    raw = pd.DataFrame({ours: rows[position] for ours, position in columns.items()})
    raw["source_row"] = rows.index
    labels = {ours: f'{column_letter(p)} "{block.headers[p]}"' for ours, p in columns.items()}
    return raw, {ours: (columns[ours], label) for ours, label in labels.items()}


def _unpivot(
    block: Block, rows: pd.DataFrame, columns: Columns, groups: Groups, result: ImportResult
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
            result.read += len(raw)
            yield raw.assign(period_label=period), layout
    result.read -= int(some_entry.sum())
    result.ignored["row without an entry in any period"] += int((~some_entry).sum())


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
    return pd.DataFrame({n: ~is_blank(cells[n]) for n in cells}, index=cells.index).any(axis=1)
