"""Parameter files read strictly: YAML 1.2, every line known, every fault in plain words.

The text is composed to nodes by ruamel.yaml and turned into plain values here, because the nodes
still have their lines, their duplicate keys and their aliases.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from hashlib import sha256
from pathlib import Path
from typing import Any, TypeVar

from pydantic import BaseModel, ValidationError
from ruamel.yaml import YAML
from ruamel.yaml.error import MarkedYAMLError, YAMLError
from ruamel.yaml.nodes import MappingNode, Node, ScalarNode, SequenceNode

from pmf_analysis.parameters.messages import Place, owner_of, sentences
from pmf_analysis.problems import Level, Problem, Problems

Model = TypeVar("Model", bound=BaseModel)

# Far above any council's files; an "alias bomb" of ten lines asks for billions.
MOST_VALUES = 200_000
_YAML_TAG = "tag:yaml.org,2002:"
_PLAIN_TAGS = {"map", "seq", "str", "null", "bool", "int", "float", "timestamp"}
_SECRET_NAME = re.compile(r"passw|passphrase|secret|token|credential|api_?key|(^|_)(key|pwd)$")
_SECRET_VALUE = re.compile(r"(AccountKey|ApplicationKey|SharedAccess\w*|[?&]sig|password)=", re.I)
_NO_SECRETS = "No secret is ever a parameter: credentials come from the environment."
_SECRET_FIX = "remove it here, and change it where it is used, since files are copied."


@dataclass(frozen=True)
class Document:
    """A parameter file that could be read: its values, and the line of each of them."""

    name: str
    values: Any
    lines: dict[Place, int]
    sha256: str

    def line(self, place: Place) -> int:
        """Return the line of a value, or of the nearest group around it that has one."""
        while place and place not in self.lines:
            place = place[:-1]
        return self.lines.get(place, 1)

    def group(self, name: str = "") -> dict[str, Any]:
        """Return the raw settings of the file, or of a group in it; empty when it is no group."""
        group = self.values if isinstance(self.values, dict) else {}
        inner = group.get(name, {}) if name else group
        return inner if isinstance(inner, dict) else {}

    def owner(self, place: Place) -> str:
        """Return the beginning of a message: which entry a place belongs to, blank for none."""
        name = owner_of(self.values, place)
        return f'In "{name}": ' if name else ""

    def entries(self, group: str) -> Iterator[tuple[Place, dict[str, Any]]]:
        """Yield the place and the raw settings of each entry of a list, whatever their faults."""
        found = self.group().get(group)
        for n, entry in enumerate(found if isinstance(found, tuple) else ()):
            if isinstance(entry, dict):
                yield (group, n), entry

    def problem(self, place: Place, message: str, code: str, level: Level = "error") -> Problem:
        """Return a problem that names this file and the line of a place in it."""
        return Problem(message, level=level, code=code, file=self.name, row=self.line(place))


def read_document(path: Path, name: str, problems: Problems) -> Document | None:
    """Read a YAML file; None when it cannot be read, with the reasons added to `problems`.

    Parameters
    ----------
    name
        The workspace-relative name that messages print.
    """
    try:
        raw = path.read_bytes()
    except OSError:
        problems.add(
            message="This file is missing or cannot be opened.", code="file-missing", file=name
        )
        return None
    reader = _Reader(name, problems)
    before = len(problems.errors)
    node = reader.compose(raw)
    values = None if node is None else reader.value(node, ())
    if len(problems.errors) > before:
        return None
    return Document(name, values, reader.lines, sha256(raw).hexdigest())


def validated(model: type[Model], document: Document | None, problems: Problems) -> Model | None:
    """Return the document as a model; None when it has faults, all of which are added."""
    if document is None:
        return None
    try:
        return model.model_validate(document.values)
    except ValidationError as error:
        found = [
            document.problem(place, message, "parameter-wrong")
            for place, message in sentences(error, model, document.values)
        ]
        problems.extend(sorted(found, key=lambda problem: problem.row or 0))
        return None


class _TooManyValuesError(Exception):
    """Aliases multiply the values of a file beyond all need."""


class _Reader:
    """Turns the text of one file into values and collects what is wrong with it."""

    def __init__(self, name: str, problems: Problems) -> None:
        self.name = name
        self.problems = problems
        self.lines: dict[Place, int] = {}
        self.yaml = YAML(typ="safe", pure=True)

    def compose(self, raw: bytes) -> Node | None:
        """Return the root node, None after a fault."""
        try:
            text = raw.decode("utf-8-sig")
        except UnicodeDecodeError as error:
            line = raw.count(b"\n", 0, error.start) + 1
            self._refuse(
                line,
                "This file is not saved as UTF-8 text.",
                "not-utf8",
                "save it again with the encoding UTF-8 (in Notepad: Save as, Encoding, UTF-8).",
            )
            return None
        try:
            node: Node | None = self.yaml.compose(text)
            if node is None:
                self._refuse(None, "This file is empty.", "file-empty")
            else:
                count_values(node)
        except MarkedYAMLError as error:
            self._refuse(*_yaml_fault(error), "yaml-wrong")
            return None
        except YAMLError:
            self._refuse(None, "This file holds control characters; it is not text.", "yaml-wrong")
            return None
        except RecursionError:
            self._refuse(None, "This file is nested too deeply to be read.", "yaml-wrong")
            return None
        except _TooManyValuesError:
            message = "Anchors and aliases (& and *) in this file multiply to too many values."
            self._refuse(None, message, "alias-bomb", "write the values out.")
            return None
        return node

    def value(self, node: Node, place: Place) -> Any:
        """Return the plain value of a node and note its line."""
        self.lines.setdefault(place, node.start_mark.line + 1)
        if str(node.tag).removeprefix(_YAML_TAG) not in _PLAIN_TAGS:
            line = node.start_mark.line + 1
            self._refuse(line, f'The tag "{node.tag}" is not allowed.', "yaml-wrong", "remove it.")
            return None
        if isinstance(node, MappingNode):
            return self._mapping(node, place)
        if isinstance(node, SequenceNode):
            return tuple(self.value(item, (*place, n)) for n, item in enumerate(node.value))
        return self._scalar(node)

    def _mapping(self, node: MappingNode, place: Place) -> dict[str, Any]:
        values: dict[str, Any] = {}
        first_lines: dict[str, int] = {}
        for key_node, value_node in node.value:
            key, line = str(key_node.value), key_node.start_mark.line + 1
            if not isinstance(key_node, ScalarNode):
                self._refuse(line, "A name is expected before the colon.", "yaml-wrong")
            elif key in first_lines:
                self._refuse(
                    line,
                    f'"{key}" is given twice in one group, on lines {first_lines[key]} and {line}.',
                    "duplicate-key",
                    "keep one of them.",
                )
            elif _SECRET_NAME.search(_spelled_apart(key)):
                message = f'"{key}" looks like a password or key. {_NO_SECRETS}'
                self._refuse(line, message, "secret-parameter", _SECRET_FIX)
            else:
                first_lines[key] = line
                self.lines[(*place, key)] = line
                values[key] = self.value(value_node, (*place, key))
        return values

    def _scalar(self, node: Node) -> Any:
        line = node.start_mark.line + 1
        if _SECRET_VALUE.search(str(node.value)):
            message = f"This line holds a password or key. {_NO_SECRETS}"
            self._refuse(line, message, "secret-parameter", _SECRET_FIX)
            return None
        try:
            return self.yaml.constructor.construct_object(node)
        except ValueError:
            message = f'"{str(node.value)[:40]}" is no number or date that exists.'
            self._refuse(line, message, "yaml-wrong")
            return None

    def _refuse(self, line: int | None, message: str, code: str, fix: str = "") -> None:
        self.problems.add(Problem(message, code=code, file=self.name, row=line, fix=fix))


def _spelled_apart(name: str) -> str:
    """Write ApplicationKey, application-key and "application key" alike."""
    return re.sub(r"[\s.-]+|(?<=[a-z])(?=[A-Z])", "_", name).casefold()


def count_values(root: Node) -> int:
    """Count the values that a document has once its aliases are written out.

    Raises
    ------
    _TooManyValuesError
        As soon as there are more than any council's file needs, or when a value holds itself.
    """
    count = 0
    waiting = [root]
    while waiting:
        count += 1
        if count > MOST_VALUES:
            raise _TooManyValuesError
        waiting.extend(_children(waiting.pop()))
    return count


def _children(node: Node) -> Iterator[Node]:
    if isinstance(node, MappingNode):
        for pair in node.value:
            yield from pair
    elif isinstance(node, SequenceNode):
        yield from node.value


def _yaml_fault(error: MarkedYAMLError) -> tuple[int | None, str]:
    """Return line and sentence for a fault of the grammar of YAML."""
    text = error.problem or ""
    for fragment, sentence in _YAML_FAULTS.items():
        if fragment in text:
            opened = fragment in _TOLD_WHERE_OPENED and error.context_mark is not None
            mark = error.context_mark if opened else error.problem_mark or error.context_mark
            return None if mark is None else mark.line + 1, sentence
    mark = error.problem_mark or error.context_mark
    return None if mark is None else mark.line + 1, f"This line is not valid YAML: {text}."


# What ruamel.yaml says, and what we say instead.
_YAML_FAULTS = {
    "'\\t'": "This line is indented with a tab; use spaces.",
    "mapping values are not allowed": (
        "This line has a second colon or a wrong indentation. Put text that holds a colon in "
        'quotes, as in title: "Homes: new", and indent the settings of one group alike.'
    ),
    "unexpected end of stream": "A quotation mark is opened here and never closed.",
    "<stream end>": "A bracket is opened and never closed.",
    "expected ':'": "A colon and a value are missing after this name.",
    "<block end>": "The indentation of this line does not fit the lines above it.",
    "another document": "A second document begins here (---); a parameter file has one.",
    "undefined alias": "An alias (*) has no anchor (&). Put text that begins with * in quotes.",
    "cannot start any token": (
        "A value begins with a sign that YAML keeps for itself; put it in quotes."
    ),
}
_TOLD_WHERE_OPENED = {"unexpected end of stream", "<stream end>", "expected ':'"}
