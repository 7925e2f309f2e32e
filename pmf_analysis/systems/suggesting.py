"""A mapping file proposed for a spreadsheet: from its headers, its cells and its periods.

What is proposed is read as it stands, and says in comments what is only guessed: a person decides.
"""

import json
import re
from collections.abc import Callable, Iterable, Mapping
from contextlib import suppress
from difflib import SequenceMatcher
from functools import partial
from itertools import product
from pathlib import Path
from typing import Any, get_args

from pmf_analysis.data.contract import ABSENT_STATUSES, TABLES
from pmf_analysis.parameters.loading import HIDDEN
from pmf_analysis.periods import YearType, parse_period
from pmf_analysis.problems import EXIT_DATA_UNUSABLE, PmfError, Problem
from pmf_analysis.shipped import read_shipped
from pmf_analysis.systems.folder import RawFile, read_file
from pmf_analysis.systems.looking import ColumnLook, TableLook, look_into
from pmf_analysis.systems.mapping import BESIDE, MappingFile, is_period, load_mappings, spelling
from pmf_analysis.systems.patterns import find

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
    seen = look_into(raw).tables
    tables = [table for table in seen if table.rows and any(c.name for c in table.columns)]
    if not tables:
        raise PmfError(Problem.of("nothing-to-map", file=raw.name), EXIT_DATA_UNUSABLE)
    table = max(tables, key=lambda each: each.rows * len(each.columns))
    named = [column for column in table.columns if column.name]
    open_to_all = [mapping for mapping in shipped.values() if not mapping.by_name_only]
    known = [mapping for mapping in open_to_all if mapping.table == "observations"]
    unpivot = next((each.unpivot for each in known if each.name == "wide_periods"), None)
    read = {c.name: said for c in named if unpivot and (said := unpivot.read(c.name))}
    is_wide = sum(bool(period) for period, _ in read.values()) > 1
    free = [c for c in named if not (is_wide and c.name in read)]
    found = _like_known(free, known)
    _guess(found, free, is_wide=is_wide)
    rest = [c for c in free if c not in {column for column, _ in found.values()}]
    indicators = [c.name for c in rest if _is_number(c) and not (is_wide or "value" in found)]
    groups = _groups(found, rest)
    return _written(
        name=_name_for(raw),
        file=HIDDEN.sub("", raw.name),
        files=re.sub(r"[\d\[\]?*]+", "*", raw.name),
        first=[column.name for column in (*(column for column, _ in found.values()), *rest)][:3],
        is_several=table.repeated_headers > 0,
        found=found,
        measures=unpivot.measures if is_wide and unpivot else {},
        indicators=indicators,
        period=_period(raw, table, found),
        values=_values(known),
        enums=_enums(found, known),
        groups=groups,
        whole=_SAID["whole"],
        ignored=[column.name for column in rest if column.name not in (*indicators, *groups)],
    )


def _written(**facts: Any) -> str:
    """Return a mapping file as text; no text of the file it is for can break out of its place."""
    from jinja2 import Environment, StrictUndefined

    layout = Environment(undefined=StrictUndefined, trim_blocks=True, keep_trailing_newline=True)
    layout.filters["quoted"] = _quoted
    return layout.from_string(_SAID["mapping"]).render(facts)


def propose(place: str, folder: Path, *, write: bool = False) -> tuple[str, str]:
    """Return name and text of a mapping proposed for a file; `write` saves it in a folder.

    Raises
    ------
    PmfError
        Exit 2: a mapping of its name is there; exit 3: the file cannot be read.
    """
    known = load_mappings(folder)
    raw = read_file(place)
    name, text = _name_for(raw), suggest_mapping(raw, known)
    path = folder / f"{name}.yml"
    if write and (name in known or path.exists()):
        raise PmfError(Problem.of("mapping-there", name=name))
    if write:
        path.write_text(text, encoding="utf-8")
    return name, text


def _like_known(columns: list[ColumnLook], known: Iterable[MappingFile]) -> Found:
    """Return the columns that bear, or nearly bear, a name that a mapping knows; the best first."""
    pairs = {(o, spelling(name)) for m in known for o, names in m.columns.items() for name in names}
    scored = sorted(
        (-_likeness(spelling(column.name), name), n, ours)
        for n, column in enumerate(columns)
        for ours, name in pairs
        if _can_be(column, ours)
    )
    found: Found = {}
    for score, n, ours in scored:
        is_taken = columns[n] in {column for column, _ in found.values()}
        if -score >= _LIKE and ours not in found and not is_taken:
            found[ours] = (columns[n], "" if score == -1 else _SAID["like"])
    return found


def _likeness(text: str, name: str) -> float:
    return 1.0 if text == name else 0.99 * SequenceMatcher(None, text, name).ratio()


def _is_number(column: ColumnLook) -> bool:
    return column.kind.startswith("numbers")


def _can_be(column: ColumnLook, ours: str) -> bool:
    kind = _KINDS.get(ours.rpartition(".")[2], "text")
    return (
        _is_number(column)
        if kind in ("number", "integer")
        else ours != "area_name" or not _is_number(column)
    )


def _guess(found: Found, free: list[ColumnLook], *, is_wide: bool) -> None:
    """Guess from the cells what no name tells: area, period, one column of numbers, indicator."""

    def guess(ours: str, wanted: Callable[[ColumnLook], object], *, only: bool = False) -> None:
        left = [c for c in free if c.filled and c not in {column for column, _ in found.values()}]
        fitting = [column for column in left if wanted(column)]
        if ours not in found and fitting and (len(fitting) == 1 or not only):
            found[ours] = (fitting[0], _SAID["guessed"])

    guess("area_code", lambda column: re.fullmatch(r"[A-Z]\d{8}", column.example))
    for ours, tokens in ({} if is_wide else _SAID["tokens"]).items():
        guess(ours, partial(_is_called, ours, {*tokens}))
    if not is_wide and "period_start" not in found:
        guess("period_label", lambda column: not _is_number(column) and is_period(column.example))
    if not is_wide:
        guess("value", _is_number, only=True)
    if is_wide or "value" in found:
        guess("indicator_id", lambda column: column.kind == "text")


def _is_called(ours: str, tokens: set[str], column: ColumnLook) -> bool:
    """Whether a header such as ACT_VAL has a token for what is wanted, and cells that fit."""
    has = {*re.split(r"[^a-z0-9]+", column.name.casefold())}
    fits = re.match(r"[-(£]*\d", column.example) if ours in ("value", "target") else True
    return bool(fits and has & tokens and not has & {*_SAID["other_tokens"]})


def _groups(found: Found, rest: list[ColumnLook]) -> list[str]:
    """Return the names of columns that say of whom a row tells, where no code does."""
    named = [c.name for c in rest if not _is_number(c) and spelling(c.name) in _SAID["groups"]]
    return [] if "area_code" in found else named


def _name_for(raw: RawFile) -> str:
    """Return a name for the mapping of a file, made of the file's."""
    stem = raw.name.rpartition(".")[0].casefold()
    return re.sub(r"[^a-z0-9]+", "_", stem).strip("_") or "file"


def _values(known: list[MappingFile]) -> dict[str, list[str]]:
    """Return the texts in place of numbers that other mappings know, by what they mean."""
    pairs = [pair for mapping in known for pair in mapping.values.items()]
    states = {text: state for state, texts in reversed(pairs) for text in texts}
    return {s: [text for text, of in states.items() if of == s] for s in ABSENT_STATUSES}


def _enums(found: Found, known: list[MappingFile]) -> dict[str, dict[str, str]]:
    """Return the texts of choices that other mappings know, by our column."""
    enums: dict[str, dict[str, str]] = {}
    for ours, words in (pair for mapping in known for pair in mapping.enums.items()):
        if ours in found and ours != "indicator_id":  # whose names are of one system's own
            enums.setdefault(ours, {}).update(words)
    return enums


def _period(raw: RawFile, table: TableLook, found: Found) -> dict[str, str] | None:
    """Return the settings by which the periods of a file are read; None where it names none."""
    labels, told = list(table.periods), dict[str, str]()
    if not labels and {"period_label", "period_start"}.isdisjoint(found):
        sheet = next(sheet for sheet in raw.sheets if sheet.name == table.sheet)
        above = sheet.cells[sheet.cells.index < table.header_row].to_numpy().ravel()
        places = (("title", above), ("sheet", [sheet.name]), ("file", [raw.name]))
        for (place, texts), pattern in product(places, _SAID["periods"]):
            read = [find(pattern, str(text)) for text in texts]
            if not labels and (labels := [*filter(is_period, read)]):
                told[place] = pattern
        if not labels:
            return None
    year_type = next((each for each in get_args(YearType) if _reads(labels, each)), None)
    if year_type and not _reads(labels, None):
        told["year_type"] = year_type
    return told


def _reads(labels: list[str], year_type: YearType | None) -> bool:
    """Whether every label has one meaning in a type of year."""
    with suppress(PmfError):
        return bool([parse_period(label, year_type=year_type) for label in labels])
    return False


def _quoted(value: Any) -> str:
    """Return a value as YAML that no text of a file can break out of."""
    return HIDDEN.sub("", json.dumps(value, ensure_ascii=False))
