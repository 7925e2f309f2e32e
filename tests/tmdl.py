"""A strict reader of TMDL, the language of Power BI's models, which asks whether a model is sound.

Microsoft gives no schema of it, and readers that are on offer accept a corrupted file, so what a
model must satisfy is asked here: of its lines, of its own names, and of the files it reads. Only
what our own models say is understood. No word of a council stands in a model, so what is sound
here is sound in every export; what depends on figures ``powerbi.files`` asks of each export.
"""

import io
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import pyarrow as pa
from pyarrow.parquet import read_table

from pmf_analysis.problems import Problem
from pmf_analysis.problems import Problems as FoundProblems
from pmf_analysis.systems.powerbi import ARROW, STAR

# What a model may say, by what it says it of; nothing else is understood. A thing stands inside
# another, or by itself.
_INSIDE = {
    "column": "table",
    "measure": "table",
    "partition": "table",
    "dataAccessOptions": "model",
}
_SAID_OF = {
    "database": ["compatibilityLevel"],
    "model": ["culture", "defaultPowerBIDataSourceVersion", "sourceQueryCulture"],
    "dataAccessOptions": ["legacyRedirects", "returnErrorValuesAsNull"],
    "expression": ["lineageTag"],
    "relationship": ["crossFilteringBehavior", "fromColumn", "toColumn"],
    "table": ["lineageTag", "dataCategory"],
    "column": [
        "dataType",
        "isHidden",
        "isKey",
        "formatString",
        "lineageTag",
        "summarizeBy",
        "sourceColumn",
        "sortByColumn",
    ],
    "measure": ["formatString", "lineageTag"],
    "partition": ["mode", "source"],
}
_TYPES = {name: ARROW[kind] for kind, name in STAR["types"].items()}
_NAME = r"(?:'(?:[^']|'')*'|\w[\w-]*)"
_THING = re.compile(rf"(ref table|{'|'.join(_SAID_OF)})(?: ({_NAME}))?(?: = (.+))?")
_SAID = re.compile(r"(\w+)(?:: (\S.*)| =)?")
_FIELD = re.compile(rf"({_NAME})\[([^\]]+)\]")
_EXAMPLES = 3  # of values that lead nowhere


class Problems(FoundProblems):
    """Faults, each of which is told by its code and what it is about."""

    def tell(self, fault: str, **facts: Any) -> None:
        place = {name: facts.pop(name) for name in ("file", "row") if name in facts}
        self.append(Problem(f"{fault}: {facts}", code=fault, **place))


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
    found: list[Thing] = []
    for file, text in files.items():
        around: list[Thing] = []
        text_within = len(text)  # a depth beyond which lines are the text of what is around
        for row, line in enumerate(text.splitlines(), start=1):
            bare, place = line.lstrip("\t"), {"file": file, "row": row}
            depth = len(line) - len(bare)
            if not bare or bare.startswith("///"):
                continue
            if depth > text_within:
                around[-1].text += f"{bare}\n"
                continue
            text_within = len(text)
            if bare[0].isspace() or depth > len(around):
                problems.tell("tmdl-indent", **place)
                continue
            del around[depth:]
            owner = around[-1] if around else Thing("", "", "", {}, "")
            thing, said = _THING.fullmatch(bare), _SAID.fullmatch(bare)
            if thing and _INSIDE.get(thing[1], "") == owner.kind:
                made = (thing[1], _plain(thing[2] or ""), owner.name, place, thing[3] or "")
                around.append(Thing(*made))
                found.append(around[-1])
            elif said and said[1] in _SAID_OF.get(owner.kind, ()):
                owner.told[said[1]] = said[2] or ""
                text_within = depth if bare.endswith(" =") else len(text)
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
    check = _Check(Problems(), data)
    things = read_model(files, check.problems)
    # Tables are read before their columns are looked at, and columns before what joins them.
    for kind in ("partition", "column", "relationship"):
        for thing in things:
            if thing.kind == kind:
                getattr(check, kind)(thing)
    check.names(things, pages)
    return check.problems


@dataclass
class _Check:
    """What is asked of each sort of thing; faults are told."""

    problems: Problems
    data: Mapping[str, bytes]
    tables: dict[str, pa.Table] = field(default_factory=dict)
    sources: dict[tuple[str, ...], str] = field(default_factory=dict)

    def partition(self, part: Thing) -> None:
        file = re.search(r'File\.Contents\(\w+ & "((?:[^"]|"")*)"\)', part.text)
        name = file[1].replace('""', '"').replace("\\", "/").strip("/") if file else part.name
        if name in self.data:
            self.tables[part.table] = read_table(io.BytesIO(self.data[name]))
        else:
            self.problems.tell("tmdl-no-file", **part.place, name=name)

    def column(self, column: Thing) -> None:
        source, wanted = (column.told.get(each, "") for each in ("sourceColumn", "dataType"))
        facts = {**column.place, "name": column.name, "source": source, "wanted": wanted}
        if not source or wanted not in _TYPES:
            self.problems.tell("tmdl-bare-column", **facts)
        elif column.table in self.tables:
            schema = self.tables[column.table].schema
            held = schema.field(source).type if source in schema.names else None
            if held == _TYPES[wanted]:
                self.sources[column.table, column.name] = source
            else:
                fault = "tmdl-other-type" if held else "tmdl-no-column"
                self.problems.tell(fault, **facts, held=held)

    def relationship(self, each: Thing) -> None:
        values = []
        for side in ("fromColumn", "toColumn"):
            end = tuple(map(_plain, re.findall(_NAME, each.told.get(side, ""))))
            if end in self.sources:
                values.append(self.tables[end[0]][self.sources[end]].to_pylist())
            else:
                self.problems.tell("tmdl-no-end", **each.place, side=side, end=".".join(end))
        if len(values) == 2:
            many, one = values
            facts = {**each.place, "end": each.told["toColumn"]}
            if None in one or len({*one}) != len(one):
                self.problems.tell("tmdl-not-unique", **facts)
            if lost := sorted(map(str, {*many} - {*one, None})):
                self.problems.tell("tmdl-orphan", **facts, names=", ".join(lost[:_EXAMPLES]))

    def names(self, things: Sequence[Thing], pages: Mapping[str, Any]) -> None:
        """Tell of names given twice, and of those that lead nowhere."""
        seen: set[tuple[str, ...]] = set()
        for each in things:  # columns and measures of a table share their names, whatever the case
            kind = "column" if each.kind == "measure" else each.kind
            if (key := (kind, each.table, each.name.lower())) in seen:
                self.problems.tell("tmdl-twice", **each.place, name=each.name)
            seen.add(key)
        known = {(each.kind, each.table, each.name) for each in things}
        named = [(each.place, one) for each in things for one in _named(each)]
        named += [({"file": name}, one) for name, page in pages.items() for one in _shown(page)]
        for place, one in named:
            if one not in known:
                self.problems.tell("tmdl-no-reference", **place, name=".".join(one[1:]).strip("."))


def _named(each: Thing) -> Iterator[tuple[str, str, str]]:
    """Yield kind, table and name of all that is named by an expression, an order or a list."""
    if each.kind == "measure":
        for table, column in _FIELD.findall(re.sub(r'"[^"]*"', "", each.text)):
            yield "column", _plain(table), column
    if each.kind == "partition" and (used := re.search(r"File\.Contents\((\w+) &", each.text)):
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
