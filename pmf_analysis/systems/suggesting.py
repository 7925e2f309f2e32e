"""A mapping file proposed for a spreadsheet: from its headers, its cells and its periods.

What is proposed is read as it stands, and says in comments what is only guessed: a person decides.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Iterator, Mapping
from contextlib import suppress
from difflib import SequenceMatcher
from pathlib import Path
from typing import Any, get_args

from pmf_analysis.data.contract import ABSENT_STATUSES, TABLES
from pmf_analysis.parameters.loading import HIDDEN
from pmf_analysis.periods import YearType, parse_period
from pmf_analysis.problems import EXIT_DATA_UNUSABLE, PmfError, Problem
from pmf_analysis.shipped import read_shipped
from pmf_analysis.systems.folder import RawFile, read_file
from pmf_analysis.systems.looking import ColumnLook, TableLook, tables_of
from pmf_analysis.systems.mapping import (
    BESIDE,
    MappingFile,
    Unpivot,
    is_period,
    load_mappings,
    spelling,
)

_SAID = read_shipped("systems/suggesting.yml")
# How like a header must be to a name that a mapping knows.
_LIKE = 0.84
_KINDS = {column.name: column.kind for t in ("observations", *BESIDE) for column in TABLES[t]}
Found = dict[str, tuple[ColumnLook, str]]


def suggest_mapping(raw: RawFile, shipped: Mapping[str, MappingFile]) -> str:
    """Return a mapping file, as text with comments, that reads the largest table of a file.

    Parameters
    ----------
    shipped
        The mappings there are: their column names are what headers are compared with.

    Raises
    ------
    PmfError
        Exit 3, when no sheet holds a table with names and cells.
    """
    tables = [table for table in tables_of(raw) if table.rows and _named(table)]
    if not tables:
        raise PmfError(Problem.of("nothing-to-map", file=raw.name), EXIT_DATA_UNUSABLE)
    table = max(tables, key=lambda each: each.rows * len(each.columns))
    known = [mapping for mapping in shipped.values() if mapping.table == "observations"]
    unpivot = next((each.unpivot for each in known if each.name == "wide_periods"), None)
    read = {c.letter: unpivot.read(c.name) if unpivot else None for c in _named(table)}
    of_period = [c for c in _named(table) if (read[c.letter] or ("", ""))[0]]
    wide = unpivot if len(of_period) > 1 else None
    free = [c for c in _named(table) if not (wide and read[c.letter])]
    found = _like_known(free, known)
    _guess(found, free, is_wide=wide is not None)
    lines = [*_head(raw, table, found), *_body(table, found, free, wide)]
    return "\n".join([*lines, *_foot(raw, table, found, free, known)]) + "\n"


def propose(place: str, folder: Path, *, write: bool = False) -> tuple[str, str]:
    """Return name and text of a mapping proposed for a file; `write` saves it in a folder.

    Raises
    ------
    PmfError
        Exit 2: a mapping of its name is there; exit 3: the file cannot be read.
    """
    known = load_mappings(folder)
    text = suggest_mapping(read_file(place), known)
    name = str(re.findall(r'^name: "(.*)"$', text, re.MULTILINE)[0])
    path = folder / f"{name}.yml"
    if write and (name in known or path.exists()):
        raise PmfError(Problem.of("mapping-there", name=name))
    if write:
        path.write_text(text, encoding="utf-8")
    return name, text


def _named(table: TableLook) -> list[ColumnLook]:
    return [column for column in table.columns if column.name]


def _like_known(columns: list[ColumnLook], known: Iterable[MappingFile]) -> Found:
    """Return the columns that bear, or nearly bear, a name that a mapping knows; the best first."""
    names: dict[str, dict[str, None]] = {}
    for mapping in known:
        for ours, listed in mapping.columns.items():
            names.setdefault(ours, {}).update(dict.fromkeys(map(spelling, listed)))
    scored = sorted(
        (
            (-max((_likeness(spelling(c.name), name) for name in listed), default=0), n, ours)
            for n, c in enumerate(columns)
            for ours, listed in names.items()
            if _can_be(c, ours)
        ),
    )
    found: Found = {}
    used: set[int] = set()
    for score, n, ours in scored:
        if -score >= _LIKE and ours not in found and n not in used:
            found[ours] = (columns[n], "" if score == -1 else _SAID["like"])
            used.add(n)
    return found


def _likeness(text: str, name: str) -> float:
    return 1.0 if text == name else 0.99 * SequenceMatcher(None, text, name).ratio()


def _can_be(column: ColumnLook, ours: str) -> bool:
    kind = _KINDS.get(ours.rpartition(".")[2], "text")
    is_number = column.kind.startswith("numbers")
    return is_number if kind in ("number", "integer") else not is_number or ours != "area_name"


def _guess(found: Found, free: list[ColumnLook], *, is_wide: bool) -> None:
    """Guess from the cells what no name tells: period, indicator, and one column of numbers."""

    def left(kind: str) -> list[ColumnLook]:
        taken = {column.letter for column, _ in found.values()}
        return [c for c in free if c.letter not in taken and c.kind.startswith(kind) and c.filled]

    coded = [c for c in left("text") if re.fullmatch(r"[A-Z]\d{8}", c.example)]
    if coded and "area_code" not in found:
        found["area_code"] = (coded[0], _SAID["guessed"])
    numbers = left("numbers")
    periods = [c for c in free if is_period(c.example) and c in (*left("text"), *left("dates"))]
    if periods and not is_wide and {"period_label", "period_start"}.isdisjoint(found):
        found["period_label"] = (periods[0], _SAID["guessed"])
    if "value" not in found and len(numbers) == 1 and not is_wide:
        found["value"] = (numbers[0], _SAID["guessed"])
    if "indicator_id" not in found and (is_wide or "value" in found) and left("text"):
        found["indicator_id"] = (left("text")[0], _SAID["guessed"])


def _head(raw: RawFile, table: TableLook, found: Found) -> Iterator[str]:
    name = re.sub(r"[^a-z0-9]+", "_", raw.name.rpartition(".")[0].casefold()).strip("_") or "file"
    files = re.sub(r"[\d\[\]?*]+", "*", raw.name)
    first = [column.name for column, _ in found.values()] or [c.name for c in _named(table)]
    said = {"file": raw.name, "name": name, "files": files, "containing": first[:3]}
    several = ", several: true" if table.repeated_headers else ""
    told = {key: _quoted(value) for key, value in said.items()}
    yield _SAID["head"].format(**told | {"file": HIDDEN.sub("", raw.name)}, several=several).strip()


def _body(
    table: TableLook, found: Found, free: list[ColumnLook], wide: Unpivot | None
) -> Iterator[str]:
    yield from ["columns:"] if found else []
    for ours, (column, why) in found.items():
        yield f"  {ours}: {_quoted([column.name])}{why and f'  # {why}'}"
    taken = {column.letter for column, _ in found.values()}
    if wide:
        yield _SAID["wide"].strip()
        for measure, ours in wide.measures.items():
            yield f"    {_quoted(measure)}: {ours}"
    elif "value" not in found:
        yield _SAID["indicators"].strip()
        for column in free:
            if column.kind.startswith("numbers") and column.letter not in taken:
                yield f"  {_quoted(column.name)}: {_quoted([column.name])}"


def _foot(
    raw: RawFile, table: TableLook, found: Found, free: list[ColumnLook], known: list[MappingFile]
) -> Iterator[str]:
    period = _period(raw, table, found)
    yield from ["period:", *period] if period else []
    pairs = [pair for mapping in known for pair in mapping.values.items()]
    states = {text: state for state, texts in reversed(pairs) for text in texts}
    enums: dict[str, dict[str, str]] = {}
    for ours, words in (pair for mapping in known for pair in mapping.enums.items()):
        if ours in found:
            enums.setdefault(ours, {}).update(words)
    yield _SAID["values"].strip()
    for state in ABSENT_STATUSES:
        yield f"  {state}: {_quoted([text for text, of in states.items() if of == state])}"
    yield from ["enums:"] if enums else []
    yield from (f"  {ours}: {_quoted(words)}" for ours, words in enums.items())
    taken = {column.letter for column, _ in found.values()}
    is_read = {"value", *found} == {*found}
    left = [c.name for c in free if c.letter not in taken]
    left = left if is_read or table.periods else [n for n in left if not _is_number(n, free)]
    yield from [_SAID["ignore"].strip(), f"ignore: {_quoted(left)}"] if left else []


def _is_number(name: str, columns: list[ColumnLook]) -> bool:
    return any(c.name == name and c.kind.startswith("numbers") for c in columns)


def _period(raw: RawFile, table: TableLook, found: Found) -> list[str]:
    """Return the settings with which the periods of a file can be read, as far as they are seen."""
    labels, told = list(table.periods), []
    if not labels and {"period_label", "period_start"}.isdisjoint(found):
        (sheet,) = [sheet for sheet in raw.sheets if sheet.name == table.sheet][:1]
        above = sheet.cells[sheet.cells.index < table.header_row].to_numpy().ravel()
        for place, texts in (("title", above), ("sheet", [sheet.name]), ("file", [raw.name])):
            for pattern in _SAID["periods"]:
                read = [m for t in texts for m in re.findall(pattern, " ".join(str(t).split()))]
                if not labels and (labels := [*filter(is_period, read)]):
                    told = [f"  {place}: {_quoted(pattern)}"]
        if not labels:
            return [_SAID["no_period"]]
    year_type = next((each for each in get_args(YearType) if _reads(labels, each)), None)
    if year_type and not _reads(labels, None):
        told.append(f"  year_type: {year_type}  # {_SAID['year_type']}")
    return told


def _reads(labels: list[str], year_type: YearType | None) -> bool:
    """Whether every label has one meaning in a type of year."""
    with suppress(PmfError):
        return bool([parse_period(label, year_type=year_type) for label in labels])
    return False


def _quoted(value: Any) -> str:
    """Return a value as YAML that no text of a file can break out of."""
    if isinstance(value, str):
        value = HIDDEN.sub("", " ".join(value.split()))
    elif isinstance(value, list):
        value = [HIDDEN.sub("", " ".join(str(each).split())) for each in value]
    return json.dumps(value, ensure_ascii=False)
