"""Parameter files read strictly: YAML 1.2, every line known, every fault in plain words.

The text is composed to nodes by ruamel.yaml and turned into plain values here, because the nodes
still have their lines, their duplicate keys and their aliases.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import lru_cache
from hashlib import sha256
from pathlib import Path
from typing import Any, TypeVar

from pydantic import BaseModel, ValidationError
from ruamel.yaml import YAML
from ruamel.yaml.error import MarkedYAMLError, YAMLError
from ruamel.yaml.nodes import MappingNode, Node, ScalarNode, SequenceNode

from pmf_analysis.parameters.messages import Place, entries_of, owner_of, said_of, sentences
from pmf_analysis.problems import Problems

Model = TypeVar("Model", bound=BaseModel)

# Far above any council's files; an "alias bomb" of ten lines asks for billions.
MOST_VALUES = 200_000
_YAML_TAG = "tag:yaml.org,2002:"
_PLAIN_TAGS = {"map", "seq", "str", "null", "bool", "int", "float", "timestamp"}
# Control characters, lone surrogates, and marks that turn the direction of writing.
HIDDEN = re.compile("[\x00-\x1f\x7f-\x9f\u200e\u200f\u2028-\u202e\u2066-\u2069\ud800-\udfff]")
_NAMES = {"name", "title", "short_title", "role"}
_SECRET_NAME = re.compile(r"passw|passphrase|secret|token|credential|api_?key|(^|_)(key|pwd)$")
_SECRET_VALUE = re.compile(
    r"(AccountKey|ApplicationKey|SharedAccess\w*|[?&]sig|password)=|://[^\s/:@]*:[^\s/@]+@", re.I
)


@dataclass(frozen=True)
class Document:
    """A parameter file that could be read: its values, the line of each, and what is wrong.

    Of a workbook, ``columns`` are by setting the column, as a reader sees it, and what it takes.
    """

    name: str
    values: Any
    lines: dict[Place, int]
    sha256: str
    problems: Problems
    sheet: str = ""
    columns: Mapping[str, tuple[str, str]] = field(default_factory=dict)

    def line(self, place: Place) -> int:
        """Return the line of a value, or of the nearest group around it that has one."""
        while place and place not in self.lines:
            place = place[:-1]
        return self.lines.get(place, 1)

    def at(self, path: str, kind: type = object) -> list[tuple[Place, Any]]:
        """Return place and raw value of all of a kind that stands at a path such as "themes.*.id".

        A star is each entry of a list or group; what is not there, or is no group, gives nothing.
        Texts are of the kind ``str`` and groups, whatever their faults, of ``dict``.
        """
        found: list[tuple[Place, Any]] = [((), self.values)]
        for part in path.split("."):
            inside = [(place, entry) for place, group in found for entry in entries_of(group)]
            found = [
                ((*place, key), value) for place, (key, value) in inside if part in ("*", str(key))
            ]
        return [(place, value) for place, value in found if isinstance(value, kind)]

    def get(self, name: str, default: object = None) -> Any:
        """Return the raw value of a setting of the file."""
        return dict(entries_of(self.values)).get(name, default)

    def tell(self, place: Place, fault: str, **facts: Any) -> None:
        """Add a fault of ``problems.yml`` at a place in this file; {owner} is its entry, if any."""
        name = owner_of(self.values, place)
        owner = f'In "{name}": ' if name else ""
        self.problems.tell(fault, **self.where(place), owner=owner, **facts)

    def where(self, place: Place) -> dict[str, Any]:
        """Return file and line of a place; of a workbook the cell too, and what it should hold."""
        found: dict[str, Any] = {"file": self.name, "row": self.line(place), "sheet": self.sheet}
        setting = next((part for part in place if part in self.columns), None)
        if setting is not None:
            column, expected = self.columns[str(setting)]
            value = dict(self.at(".".join(map(str, place)))).get(place, "")
            fix = f"correct cell {column.split()[0]}{found['row']}"
            shown = "" if isinstance(value, dict | tuple) else str(value)
            found |= {"column": column, "value": shown, "expected": expected, "fix": fix}
        return found


def read_document(path: Path, name: str, problems: Problems) -> Document | None:
    """Read a YAML file, or a register's workbook; None when it cannot be read.

    The reasons are added to `problems`. `name` is the workspace-relative name that messages print.
    """
    before, reader = len(problems), _Reader(name, problems)
    try:
        raw = path.read_bytes()
    except OSError:
        reader.refuse("file-missing")
        return None
    if path.suffix == ".xlsx":
        from pmf_analysis.parameters.register_book import read_book

        return read_book(raw, name, problems)
    values = reader.values(raw)
    if len(problems) > before:
        return None
    return Document(name, values, reader.lines, sha256(raw).hexdigest(), problems)


def validated(model: type[Model], document: Document | None, problems: Problems) -> Model | None:
    """Return the document as a model; None when it has faults, all of which are added."""
    if document is None:
        return None
    try:
        return model.model_validate(document.values)
    except ValidationError as error:
        found = sentences(error, model, document.values)
        for place, sentence in sorted(found, key=lambda fault: document.line(fault[0])):
            problems.add(message=sentence, code="parameter-wrong", **document.where(place))
        return None


@lru_cache(maxsize=32)
def _composed(raw: bytes) -> Any:
    """Compose a text once a process: every notebook that is forked from it reads the same files."""
    return YAML(typ="safe", pure=True).compose(raw.decode("utf-8-sig"))


class _Reader:
    """Turns the text of one file into values and collects what is wrong with it."""

    def __init__(self, name: str, problems: Problems) -> None:
        self.name = name
        self.problems = problems
        self.lines: dict[Place, int] = {}
        self.yaml = YAML(typ="safe", pure=True)

    def values(self, raw: bytes) -> Any:
        """Return the plain values of a text, None after a fault."""
        try:
            node: Node | None = _composed(raw)
        except UnicodeDecodeError as error:
            self.refuse("not-utf8", raw.count(b"\n", 0, error.start) + 1)
        except MarkedYAMLError as error:
            line, said = _yaml_fault(error)
            self.refuse("yaml-wrong", line, said=said)
        except YAMLError:
            self.refuse("control-characters")
        except RecursionError:
            self.refuse("nested-too-deeply")
        else:
            if node is not None and not _is_too_large(node):
                return self.value(node, ())
            self.refuse("file-empty" if node is None else "alias-bomb")
        return None

    def value(self, node: Node, place: Place) -> Any:
        """Return the plain value of a node and note its line."""
        line = node.start_mark.line + 1
        self.lines.setdefault(place, line)
        if str(node.tag).removeprefix(_YAML_TAG) not in _PLAIN_TAGS:
            self.refuse("tag", line, tag=node.tag)
        elif isinstance(node, MappingNode):
            return self._mapping(node, place)
        elif isinstance(node, SequenceNode):
            return tuple(self.value(item, (*place, n)) for n, item in enumerate(node.value))
        elif fault := text_fault(str(node.value), place):
            self.refuse(fault, line, what="This line holds")
        else:
            try:
                return self.yaml.constructor.construct_object(node)
            except ValueError:
                self.refuse("no-number", line, text=str(node.value)[:40])
        return None

    def _mapping(self, node: MappingNode, place: Place) -> dict[str, Any]:
        values: dict[str, Any] = {}
        for key_node, value_node in node.value:
            key, line = str(key_node.value), key_node.start_mark.line + 1
            # ApplicationKey, application-key and "application key" are written alike.
            apart = re.sub(r"[\s.-]+|(?<=[a-z])(?=[A-Z])", "_", key).casefold()
            if not isinstance(key_node, ScalarNode):
                self.refuse("no-name", line)
            elif key in values:
                self.refuse("duplicate-key", line, key=key, first=self.lines[(*place, key)])
            elif _SECRET_NAME.search(apart):
                self.refuse("secret-parameter", line, what=f'"{key}" looks like')
            else:
                self.lines[(*place, key)] = line
                values[key] = self.value(value_node, (*place, key))
        return values

    def refuse(self, fault: str, line: int | None = None, **facts: Any) -> None:
        """Add a fault of this file."""
        self.problems.tell(fault, file=self.name, row=line, **facts)


def text_fault(text: str, place: Place) -> str:
    """Return the fault of a text that holds a secret or hidden characters; else "".

    Line breaks and tabs are hidden in names only.
    """
    if _SECRET_VALUE.search(text):
        return "secret-parameter"
    is_name = not _NAMES.isdisjoint(place[-1:]) or "members" in place
    is_plain = set(HIDDEN.findall(text.strip())) <= set("" if is_name else "\n\t")
    return "" if is_plain else "hidden-character"


def _is_too_large(root: Node) -> bool:
    """Whether aliases, written out, give more values than any council's file needs."""
    count, waiting = 0, [root]
    while waiting and count <= MOST_VALUES:
        count, node = count + 1, waiting.pop()
        if isinstance(node, MappingNode):
            waiting.extend(part for pair in node.value for part in pair)
        elif isinstance(node, SequenceNode):
            waiting.extend(node.value)
    return count > MOST_VALUES


def _yaml_fault(error: MarkedYAMLError) -> tuple[int | None, str]:
    """Return line and sentence for a fault of the grammar of YAML."""
    text, mark = error.problem or "", error.problem_mark or error.context_mark
    sentence = said_of("yaml_opened", text)
    if sentence:
        mark = error.context_mark or mark
    sentence = sentence or said_of("yaml", text) or f"This line is not valid YAML: {text}."
    return None if mark is None else mark.line + 1, sentence
