"""The tables of a sheet: where each header stands, its names, and the rows under it."""

import re
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass

import pandas as pd

from pmf_analysis.systems.cells import Sheet, column_letter
from pmf_analysis.systems.mapping import MappingFile
from pmf_analysis.systems.patterns import fits, is_pattern, spelling


@dataclass(frozen=True)
class Block:
    """One table on a sheet: the row of its header, its names by position, and its rows.

    ``titles`` are the texts over it, the nearest first.
    """

    sheet: Sheet
    header_row: int
    headers: dict[int, str]
    rows: pd.DataFrame
    titles: tuple[str, ...] = ()

    def position(self, name: str) -> int | None:
        """Return the position of the first column of that name, which may be ``column A``."""
        return next(iter(self.positions([name])), None)

    def positions(self, names: Iterable[str]) -> list[int]:
        """Return the positions of the columns that have the first of these names that any has."""
        for name in names:
            if found := [p for p, text in self.headers.items() if fits(name, text)]:
                return found
            if letter := re.fullmatch(r"column ([a-z]{1,3})", name, re.IGNORECASE):
                wanted = letter[1].upper()
                return [p for p in range(self.rows.shape[1]) if column_letter(p) == wanted]
        return []

    def label(self, position: int) -> str:
        """Return a column as its reader sees it, such as ``E "Current Target"``."""
        return f'{column_letter(position)} "{self.headers.get(position, "")}"'


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
    before = 0
    for start, top, next_top in zip(starts, tops, [*tops[1:], None], strict=True):
        body = cells.loc[start + 1 :] if next_top is None else cells.loc[start + 1 : next_top - 1]
        last = _last_of_header(sheet, start, body, mapping)
        body = body.loc[last + 1 :]
        ignored["header"] += len(cells.loc[top:last])
        if header.several:
            is_heading = (body.map(lambda text: bool(text.strip()))).sum(axis=1) == 1
            ignored["heading or note"] += int(is_heading.sum())
            body = body[~is_heading]
        over = cells.loc[before + 1 : top - 1].iloc[::-1].to_numpy().ravel()
        titles = tuple(str(text) for text in over if text)
        yield Block(sheet, start, _header_names(cells, top, last), body, titles)
        before = last


def repeats_names(rows: pd.DataFrame, names: Mapping[int, str]) -> "pd.Series[bool]":
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
    # A name may stand in any of the spellings of its column.
    spelt = {name: [name, *names] for names in reversed(mapping.columns.values()) for name in names}
    wanted = [[name] if isinstance(name, str) else [*name] for name in header.containing]
    accepted = [[each for name in any_of for each in spelt.get(name, [name])] for any_of in wanted]
    plain = [set(map(spelling, names)) for names in accepted]
    slashed = [[*filter(is_pattern, names)] for names in accepted]
    # A single header stands near the top; searching 640,000 rows for it would take seconds.
    searched = cells if header.several else cells.head(200)
    found = []
    for row, texts in zip(searched.index, searched.itertuples(index=False), strict=True):
        filled = [str(text) for text in texts if text]
        names = {*map(spelling, filled)}
        if all(
            names & group or any(fits(name, text) for name in others for text in filled)
            for group, others in zip(plain, slashed, strict=True)
        ):
            found.append(int(row))
            if not header.several:
                break
    return found


def _last_of_header(sheet: Sheet, start: int, body: pd.DataFrame, mapping: MappingFile) -> int:
    """Return the last row of a header: under its first, those without a cell in a column."""
    until = mapping.header.until
    if not until:
        return start
    names = _header_names(sheet.cells, start, start)
    found = Block(sheet, start, names, body).positions(mapping.columns.get(until, (until,)))
    filled = body.index[body[found[0]].astype("str").str.strip() != ""] if found else body.index
    under = body.index[body.index < filled[0]] if len(filled) else body.index[:0]
    return int(under[-1]) if len(under) else start


def _header_names(cells: pd.DataFrame, top: int, last: int) -> dict[int, str]:
    """Names by position, those of several rows joined.

    A merged cell spans the columns up to the next filled one, as far as they have a name under it.
    """
    names: dict[int, str] = {}
    for row in range(last, top - 1, -1):
        spanning = ""
        for position in range(cells.shape[1]):
            text = str(cells.at[row, position]).strip() if row in cells.index else ""
            spanning = text or spanning
            if text or position in names:
                names[position] = f"{spanning} {names.get(position, '')}".strip()
    return {position: names[position] for position in sorted(names)}


def without_icons(
    rows: pd.DataFrame,
    at: Iterable[tuple[str, int]],
    mapping: MappingFile,
    tell: Callable[..., None],
) -> pd.DataFrame:
    """Empty the cells of signs that stand for nothing, as the mapping's enums say; told once."""
    count, rows = 0, rows.copy()
    for ours, position in at:
        if icons := [text for text, means in mapping.enums.get(ours, {}).items() if not means]:
            texts = rows[position].astype("str").str.replace("\ufe0f", "").str.strip()
            count += int(texts.isin(icons).sum())
            rows[position] = rows[position].mask(texts.isin(icons), "")
    if count:
        tell("icons-not-read", n=count)
    return rows
