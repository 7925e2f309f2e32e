"""Tables found on a sheet: where each header stands, its names, and the rows under it."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass

import pandas as pd

from pmf_analysis.systems.cells import Sheet
from pmf_analysis.systems.mapping import MappingFile, spelling

HEADER = "header"


@dataclass(frozen=True)
class Block:
    """One table on a sheet: the row of its header, its names by position, and its rows."""

    sheet: Sheet
    header_row: int
    headers: dict[int, str]
    rows: pd.DataFrame

    def position(self, name: str) -> int | None:
        """Return the position of the first column of that name, in any spelling."""
        wanted = spelling(name)
        return next((p for p, text in self.headers.items() if spelling(text) == wanted), None)


def find_blocks(sheet: Sheet, mapping: MappingFile, ignored: Counter[str]) -> Iterator[Block]:
    """Yield the tables of a sheet; rows outside them are ignored, as the mapping declares."""
    cells, header = sheet.cells, mapping.header
    if sheet.names:
        yield Block(sheet, 0, dict(enumerate(sheet.names)), cells)
        return
    starts = _header_rows(cells, mapping)
    if not starts:
        return
    tops = [row - header.above for row in starts]
    ignored["above the header"] += int((cells.index < tops[0]).sum())
    for start, next_top in zip(starts, [*tops[1:], None], strict=True):
        ignored[HEADER] += len(cells.loc[start - header.above : start])
        body = cells.loc[start + 1 :] if next_top is None else cells.loc[start + 1 : next_top - 1]
        if header.several:
            is_heading = (body.map(lambda text: bool(text.strip()))).sum(axis=1) == 1
            ignored["heading or note"] += int(is_heading.sum())
            body = body[~is_heading]
        yield Block(sheet, start, _header_names(cells, start, header.above), body)


def repeats_names(rows: pd.DataFrame, names: Mapping[int, str]) -> pd.Series[bool]:
    """Whether a row holds names again, as some systems print the header on every page."""
    repeats = pd.Series(bool(names), index=rows.index)
    for position, name in names.items():
        if repeats.any():
            repeats &= rows[position].astype("str").str.strip() == name
    return repeats


def _header_rows(cells: pd.DataFrame, mapping: MappingFile) -> list[int]:
    """Row numbers of the headers: the one declared, or the rows that hold all the names."""
    header = mapping.header
    if header.row is not None:
        return [header.row] if header.row in cells.index else []
    accepted = [_accepted(name, mapping) for name in header.containing]
    # A single header stands near the top; searching 640,000 rows for it would take seconds.
    searched = cells if header.several else cells.head(200)
    found = []
    for row, texts in zip(searched.index, searched.itertuples(index=False), strict=True):
        names = {spelling(str(text)) for text in texts if text}
        if all(names & group for group in accepted):
            found.append(int(row))
            if not header.several:
                break
    return found


def _accepted(name: str, mapping: MappingFile) -> set[str]:
    """Spellings under which a header's name may stand: its own, and those of that column."""
    groups = [group for group in mapping.columns.values() if name in group]
    return {spelling(text) for text in (name, *(groups[0] if groups else ()))}


def _header_names(cells: pd.DataFrame, row: int, above: int) -> dict[int, str]:
    """Names by position; a merged cell above spans the columns up to the next filled one."""
    names = {p: str(cells.at[row, p]).strip() for p in range(cells.shape[1])}
    for upper in range(row - 1, row - 1 - above, -1):
        spanning = ""
        for position in names:
            text = str(cells.at[upper, position]).strip() if upper in cells.index else ""
            spanning = text or spanning
            names[position] = f"{spanning} {names[position]}".strip()
    return {position: text for position, text in names.items() if text}
