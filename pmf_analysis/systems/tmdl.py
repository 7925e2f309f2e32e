"""A strict reader of TMDL, the language of Power BI's models, which asks whether a model is sound.

Microsoft gives no schema of it, and readers that are on offer accept a corrupted file, so what a
model must satisfy is asked here: of its lines, of its own names, and of the files it reads. Only
what our own models say is understood; see ``said_of`` in ``power_bi/star.yml``.
"""

from __future__ import annotations

import io
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import pyarrow as pa
from pyarrow.parquet import read_table

from pmf_analysis.problems import Problems
from pmf_analysis.shipped import read_shipped

_STAR = read_shipped("systems/power_bi/star.yml")
_INSIDE, _SAID_OF = _STAR["inside"], _STAR["said_of"]
ARROW = {kind: getattr(pa, name)() for kind, name in _STAR["arrow_types"].items()}
_TYPES = {name: ARROW[kind] for kind, name in _STAR["types"].items()}
_NAME = r"(?:'(?:[^']|'')*'|\w[\w-]*)"
_THING = re.compile(rf"(ref table|{'|'.join(_SAID_OF)})(?: ({_NAME}))?(?: = (.+))?")
_SAID = re.compile(r"(\w+)(?:: (\S.*)| =)?")
_NAMES = re.compile(_NAME)
_FIELD = re.compile(rf"({_NAME})\[([^\]]+)\]")
_USED = re.compile(r"File\.Contents\((\w+) &")
_FILE = re.compile(r'File\.Contents\(\w+ & "((?:[^"]|"")*)"\)')
_EXAMPLES = 3  # of values that lead nowhere


@dataclass
class Thing:
    """Something of a model: what it is, its name and table, where it stands, what is said of it."""

    kind: str
    name: str
    table: str
    place: dict[str, Any]
    text: str
    told: dict[str, str] = field(default_factory=dict)


def read_model(files: Mapping[str, str], problems: Problems) -> list[Thing]:
    """Return the things of a model; lines that are not understood are told."""
    return [thing for name, text in files.items() for thing in _read(name, text, problems)]


def _read(file: str, text: str, problems: Problems) -> list[Thing]:
    found: list[Thing] = []
    around: list[Thing] = []
    text_within: int | None = None
    for row, line in enumerate(text.splitlines(), start=1):
        bare, place = line.lstrip("\t"), {"file": file, "row": row}
        depth = len(line) - len(bare)
        if not bare or bare.startswith("///"):
            continue
        if text_within is not None and depth > text_within:
            around[-1].text += f"{bare}\n"
            continue
        text_within = None
        if bare[0].isspace() or depth > len(around):
            problems.tell("tmdl-indent", **place)
            continue
        del around[depth:]
        owner = around[-1].kind if around else ""
        thing, said = _THING.fullmatch(bare), _SAID.fullmatch(bare)
        if thing and _INSIDE.get(thing[1], "") == owner:
            table = around[-1].name if around else ""
            made = Thing(thing[1], _plain(thing[2] or ""), table, place, thing[3] or "")
            found.append(made)
            around.append(made)
        elif said and said[1] in _SAID_OF.get(owner, ()):
            around[-1].told[said[1]] = said[2] or ""
            text_within = depth if bare.endswith(" =") else None
        else:
            problems.tell("tmdl-line", **place, text=bare)
    return found


def _plain(name: str) -> str:
    return name[1:-1].replace("''", "'") if name.startswith("'") else name


def check_model(
    files: Mapping[str, str], data: Mapping[str, bytes], pages: Mapping[str, Any]
) -> Problems:
    """Return all that keeps a model and its report from being sound.

    Lines are indented by tabs and understood; no name is given twice; each column says its type
    and source, and is in the Parquet file with that type; each file is there; each relationship's
    ends exist, its one side is unique and holds every value of the other; all that an expression,
    a sort order or a visual names exists.

    Parameters
    ----------
    files
        The model's TMDL files by name.
    data
        The Parquet files by name within the folder that the model reads.
    pages
        The report's JSON documents by name.
    """
    problems = Problems()
    things = read_model(files, problems)
    tables = _tables(things, data, problems)
    _check_columns(things, tables, problems)
    _check_relations(things, tables, problems)
    _check_names(things, pages, problems)
    return problems


def _tables(
    things: Sequence[Thing], data: Mapping[str, bytes], problems: Problems
) -> dict[str, pa.Table]:
    """Return what the file of each table holds; of one that is not there, that is told."""
    tables = {}
    for part in (each for each in things if each.kind == "partition"):
        file = _FILE.search(part.text)
        name = file[1].replace('""', '"').replace("\\", "/").strip("/") if file else part.name
        if name in data:
            tables[part.table] = read_table(io.BytesIO(data[name]))
        else:
            problems.tell("tmdl-no-file", **part.place, name=name)
    return tables


def _check_columns(
    things: Sequence[Thing], tables: Mapping[str, pa.Table], problems: Problems
) -> None:
    for column in (each for each in things if each.kind == "column"):
        source, wanted = (column.told.get(each, "") for each in ("sourceColumn", "dataType"))
        facts = {**column.place, "name": column.name, "source": source, "wanted": wanted}
        if not source or wanted not in _TYPES:
            problems.tell("tmdl-bare-column", **facts)
        elif column.table in tables:
            schema = tables[column.table].schema
            if source not in schema.names:
                problems.tell("tmdl-no-column", **facts)
            elif (held := schema.field(source).type) != _TYPES[wanted]:
                problems.tell("tmdl-other-type", **facts, held=held)


def _check_relations(
    things: Sequence[Thing], tables: Mapping[str, pa.Table], problems: Problems
) -> None:
    columns = {(each.table, each.name): each.told for each in things if each.kind == "column"}
    for each in (each for each in things if each.kind == "relationship"):
        values = []
        for side in ("fromColumn", "toColumn"):
            owner, *name = map(_plain, _NAMES.findall(each.told.get(side, "")) or [""])
            source = columns.get((owner, ".".join(name)), {}).get("sourceColumn")
            table = tables.get(owner)
            if table is None or source not in table.column_names:
                end = ".".join([owner, *name])
                problems.tell("tmdl-no-end", **each.place, side=side, end=end)
            else:
                values.append(table[source].to_pylist())
        if len(values) == 2:
            many, one = values
            facts = {**each.place, "end": each.told["toColumn"]}
            if None in one or len({*one}) != len(one):
                problems.tell("tmdl-not-unique", **facts)
            if lost := sorted(map(str, {*many} - {*one, None})):
                problems.tell("tmdl-orphan", **facts, names=", ".join(lost[:_EXAMPLES]))


def _check_names(things: Sequence[Thing], pages: Mapping[str, Any], problems: Problems) -> None:
    """Tell of names given twice, and of those that lead nowhere."""
    seen: set[tuple[str, ...]] = set()
    for each in things:  # columns and measures of a table share their names, whatever the case
        kind = "column" if each.kind == "measure" else each.kind
        if (key := (kind, each.table, each.name.lower())) in seen:
            problems.tell("tmdl-twice", **each.place, name=each.name)
        seen.add(key)
    known = {(each.kind, each.table, each.name) for each in things}
    named = [(each.place, one) for each in things for one in _named(each)]
    named += [({"file": name}, one) for name, page in pages.items() for one in _shown(page)]
    for place, one in named:
        if one not in known:
            problems.tell("tmdl-no-reference", **place, name=".".join(filter(None, one[1:])))


def _named(each: Thing) -> Iterator[tuple[str, str, str]]:
    """Yield kind, table and name of all that is named by an expression, an order or a list."""
    if each.kind == "measure":
        for table, column in _FIELD.findall(re.sub(r'"[^"]*"', "", each.text)):
            yield "column", _plain(table), column
    if each.kind == "partition" and (used := _USED.search(each.text)):
        yield "expression", "", used[1]
    if order := each.told.get("sortByColumn"):
        yield "column", each.table, _plain(order)
    if each.kind == "ref table":
        yield "table", "", each.name


def _shown(document: Any) -> Iterator[tuple[str, str, str]]:
    """Yield kind, table and name of every field that a document of the report shows."""
    if isinstance(document, list):
        document = dict(enumerate(document))
    for key, value in document.items() if isinstance(document, dict) else ():
        if key in ("Column", "Measure"):
            yield key.lower(), value["Expression"]["SourceRef"]["Entity"], value["Property"]
        else:
            yield from _shown(value)
