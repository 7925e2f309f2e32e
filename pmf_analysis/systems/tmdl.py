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
from pyarrow import compute
from pyarrow.parquet import read_table

from pmf_analysis.problems import Problem, Problems
from pmf_analysis.shipped import read_shipped

_STAR = read_shipped("systems/power_bi/star.yml")
_INSIDE, _SAID_OF = _STAR["inside"], _STAR["said_of"]
ARROW = {
    "text": pa.string(),
    "number": pa.float64(),
    "integer": pa.int64(),
    "date": pa.date32(),
    "yes_no": pa.bool_(),
}
_TYPES = {name: ARROW[kind] for kind, name in _STAR["types"].items()}
_NAME = r"(?:'(?:[^']|'')*'|\w[\w-]*)"
_THING = re.compile(rf"(ref table|{'|'.join(_SAID_OF)})(?: ({_NAME}))?(?: = (.+))?")
_SAID = re.compile(r"(\w+)(?:: (\S.*)| =)?")
_END = re.compile(rf"({_NAME})\.({_NAME})")
_FIELD = re.compile(rf"({_NAME})\[([^\]]+)\]")
_FILE = re.compile(r'File\.Contents\((\w+) & "((?:[^"]|"")*)"\)')
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
    names = {(each.kind, each.table, each.name) for each in things}
    tables: dict[str, pa.Table] = {}
    problems.extend(_files_read(things, data, tables))
    problems.extend(_columns(things, tables))
    problems.extend(_twice(things))
    problems.extend(_relations(things, tables))
    problems.extend(_references(things, names))
    for name, page in pages.items():
        shown = {field for field in _shown(page) if field not in names}
        problems.extend(_lost({"file": name}, [f"{table}.{own}" for _, table, own in shown]))
    return problems


def _files_read(
    things: Sequence[Thing], data: Mapping[str, bytes], tables: dict[str, pa.Table]
) -> Iterator[Problem]:
    """Read the file of each partition into `tables`, and yield what is not there."""
    known = {each.name for each in things if each.kind == "expression"}
    for part in (each for each in things if each.kind == "partition"):
        file = _FILE.search(part.text)
        name = file[2].replace('""', '"').replace("\\", "/").strip("/") if file else ""
        if name in data:
            tables[part.table] = read_table(io.BytesIO(data[name]))
        else:
            yield Problem.of("tmdl-no-file", **part.place, name=name or part.name)
        if file and file[1] not in known:
            yield from _lost(part.place, [file[1]])


def _columns(things: Sequence[Thing], tables: Mapping[str, pa.Table]) -> Iterator[Problem]:
    for column in (each for each in things if each.kind == "column"):
        facts = {**column.place, "name": column.name}
        source, wanted = (column.told.get(each, "") for each in ("sourceColumn", "dataType"))
        if not source or wanted not in _TYPES:
            yield Problem.of("tmdl-bare-column", **facts)
        elif column.table in tables:
            schema = tables[column.table].schema
            held = schema.field(source).type if source in schema.names else None
            if held is None:
                yield Problem.of("tmdl-no-column", **facts, source=source)
            elif held != _TYPES[wanted]:
                yield Problem.of("tmdl-other-type", **facts, wanted=wanted, held=held)


def _twice(things: Sequence[Thing]) -> Iterator[Problem]:
    """Yield names given twice: columns and measures of a table share theirs, whatever the case."""
    seen: set[tuple[str, ...]] = set()
    for each in things:
        kind = "column" if each.kind == "measure" else each.kind
        if (key := (kind, each.table, each.name.lower())) in seen:
            yield Problem.of("tmdl-twice", **each.place, name=each.name)
        seen.add(key)


def _relations(things: Sequence[Thing], tables: Mapping[str, pa.Table]) -> Iterator[Problem]:
    sources = {
        (each.table, each.name): each.told.get("sourceColumn")
        for each in things
        if each.kind == "column"
    }
    for each in (each for each in things if each.kind == "relationship"):
        values = []
        for side in ("fromColumn", "toColumn"):
            end = _END.fullmatch(each.told.get(side, ""))
            table, column = (_plain(end[1]), _plain(end[2])) if end else ("", "")
            source = sources.get((table, column))
            if table in tables and source in tables[table].column_names:
                values.append(tables[table][source])
            else:
                yield Problem.of("tmdl-no-end", **each.place, side=side, end=f"{table}.{column}")
        if len(values) == 2:
            many, one = (column.combine_chunks() for column in values)
            if one.null_count or compute.count_distinct(one).as_py() != len(one):
                yield Problem.of("tmdl-not-unique", **each.place, end=each.told["toColumn"])
            lost = sorted({*map(str, many.drop_null().unique())} - {*map(str, one.unique())})
            if lost:
                facts = {"end": each.told["toColumn"], "names": ", ".join(lost[:_EXAMPLES])}
                yield Problem.of("tmdl-orphan", **each.place, **facts)


def _references(things: Sequence[Thing], names: set[tuple[str, str, str]]) -> Iterator[Problem]:
    """Yield what is named by an expression, a sort order or the model's list and is not there."""
    kinds = ("column", "measure")
    for each in things:
        if each.kind == "measure":
            bare = re.sub(r'"[^"]*"', "", each.text)
            named = [(_plain(table), column) for table, column in _FIELD.findall(bare)]
            lost = [p for p in named if not any((kind, *p) in names for kind in kinds)]
            yield from _lost(each.place, [f"{table}[{column}]" for table, column in lost])
        order = _plain(each.told.get("sortByColumn", ""))
        if order and ("column", each.table, order) not in names:
            yield from _lost(each.place, [order])
        if each.kind == "ref table" and ("table", "", each.name) not in names:
            yield from _lost(each.place, [each.name])


def _lost(place: Mapping[str, Any], names: Sequence[str]) -> Iterator[Problem]:
    for name in sorted(names):
        yield Problem.of("tmdl-no-reference", **place, name=name)


def _shown(document: Any) -> Iterator[tuple[str, str, str]]:
    """Yield kind, table and name of every field that a document of the report shows."""
    for key, value in document.items() if isinstance(document, dict) else ():
        if key in ("Column", "Measure"):
            yield key.lower(), value["Expression"]["SourceRef"]["Entity"], value["Property"]
        else:
            yield from _shown(value)
    for value in document if isinstance(document, list) else ():
        yield from _shown(value)
