"""Parameter files read strictly: YAML 1.2, every line known, every fault in plain words.

The text is composed to nodes by ruamel.yaml and turned into plain values here, because the nodes
still have their lines, their duplicate keys and their aliases.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
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
_SECRET_VALUE = re.compile(r"(AccountKey|ApplicationKey|SharedAccess\w*|[?&]sig|password)=", re.I)


@dataclass(frozen=True)
class Document:
    """A parameter file that could be read: its values, the line of each, and what is wrong."""

    name: str
    values: Any
    lines: dict[Place, int]
    sha256: str
    problems: Problems

    def line(self, place: Place) -> int:
        """Return the line of a value, or of the nearest group around it that has one."""
        while place and place not in self.lines:
            place = place[:-1]
        return self.lines.get(place, 1)

    def at(self, path: str) -> list[tuple[Place, Any]]:
        """Return place and raw value of all that stands at a path such as "themes.*.id".

        A star is each entry of a list or group; what is not there, or is no group, gives nothing.
        """
        found: list[tuple[Place, Any]] = [((), self.values)]
        for part in path.split("."):
            inside = [(place, entry) for place, group in found for entry in entries_of(group)]
            found = [((*place, key), value) for place, (key, value) in inside if part in ("*", key)]
        return found

    def texts(self, path: str) -> list[tuple[Place, str]]:
        """Return place and value of the texts at a path, without what is no text."""
        return [(place, value) for place, value in self.at(path) if isinstance(value, str)]

    def groups(self, path: str) -> list[tuple[Place, dict[str, Any]]]:
        """Return place and settings of the groups at a path, whatever their faults."""
        return [(place, value) for place, value in self.at(path) if isinstance(value, dict)]

    def get(self, name: str, default: object = None) -> Any:
        """Return the raw value of a setting of the file."""
        return dict(entries_of(self.values)).get(name, default)

    def owner(self, place: Place) -> str:
        """Return the beginning of a message: which entry a place belongs to, blank for none."""
        name = owner_of(self.values, place)
        return f'In "{name}": ' if name else ""

    def add(self, place: Place, message: str, code: str, **details: Any) -> None:
        """Add a problem that names this file and the line of a place in it."""
        row = self.line(place)
        self.problems.add(message=message, code=code, file=self.name, row=row, **details)


def read_document(path: Path, name: str, problems: Problems) -> Document | None:
    """Read a YAML file; None when it cannot be read, with the reasons added to `problems`.

    `name` is the workspace-relative name that messages print.
    """
    reader, before = _Reader(name, problems), len(problems)
    try:
        raw = path.read_bytes()
    except OSError:
        reader.refuse(None, "This file is missing or cannot be opened.", "file-missing")
        return None
    node = reader.compose(raw)
    values = None if node is None else reader.value(node, ())
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
            row = document.line(place)
            problems.add(message=sentence, code="parameter-wrong", file=document.name, row=row)
        return None


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
            node: Node | None = self.yaml.compose(raw.decode("utf-8-sig"))
        except UnicodeDecodeError as error:
            line = raw.count(b"\n", 0, error.start) + 1
            fix = "save it again with the encoding UTF-8 (in Notepad: Save as, Encoding, UTF-8)."
            self.refuse(line, "This file is not saved as UTF-8 text.", "not-utf8", fix)
        except MarkedYAMLError as error:
            self.refuse(*_yaml_fault(error))
        except YAMLError:
            self.refuse(None, "This file holds control characters; it is not text.")
        except RecursionError:
            self.refuse(None, "This file is nested too deeply to be read.")
        else:
            if node is None:
                self.refuse(None, "This file is empty.", "file-empty")
            elif not _is_too_large(node):
                return node
            else:
                message = "Anchors and aliases (& and *) in this file multiply to too many values."
                self.refuse(None, message, "alias-bomb", "write the values out.")
        return None

    def value(self, node: Node, place: Place) -> Any:
        """Return the plain value of a node and note its line."""
        line = node.start_mark.line + 1
        self.lines.setdefault(place, line)
        if str(node.tag).removeprefix(_YAML_TAG) not in _PLAIN_TAGS:
            self.refuse(line, f'The tag "{node.tag}" is not allowed.', fix="remove it.")
        elif isinstance(node, MappingNode):
            return self._mapping(node, place)
        elif isinstance(node, SequenceNode):
            return tuple(self.value(item, (*place, n)) for n, item in enumerate(node.value))
        elif _SECRET_VALUE.search(str(node.value)):
            self._refuse_secret(line, "This line holds a password or key.")
        elif _hides(str(node.value), place):
            message = "This text holds a line break or a character that is not seen."
            self.refuse(line, message, "hidden-character", "type it again, in one line.")
        else:
            try:
                return self.yaml.constructor.construct_object(node)
            except ValueError:
                text = str(node.value)[:40]
                self.refuse(line, f'"{text}" is no number or date that exists.')
        return None

    def _mapping(self, node: MappingNode, place: Place) -> dict[str, Any]:
        values: dict[str, Any] = {}
        for key_node, value_node in node.value:
            key, line = str(key_node.value), key_node.start_mark.line + 1
            if not isinstance(key_node, ScalarNode):
                self.refuse(line, "A name is expected before the colon.")
            elif key in values:
                lines = f"lines {self.lines[(*place, key)]} and {line}"
                message = f'"{key}" is given twice in one group, on {lines}.'
                self.refuse(line, message, "duplicate-key", "keep one of them.")
            elif _SECRET_NAME.search(_spelled_apart(key)):
                self._refuse_secret(line, f'"{key}" looks like a password or key.')
            else:
                self.lines[(*place, key)] = line
                values[key] = self.value(value_node, (*place, key))
        return values

    def _refuse_secret(self, line: int, message: str) -> None:
        why = "No secret is ever a parameter: credentials come from the environment."
        fix = "remove it here, and change it where it is used, since files are copied."
        self.refuse(line, f"{message} {why}", "secret-parameter", fix)

    def refuse(
        self, line: int | None, message: str, code: str = "yaml-wrong", fix: str = ""
    ) -> None:
        """Add an error of this file."""
        self.problems.add(message=message, code=code, file=self.name, row=line, fix=fix)


def _hides(text: str, place: Place) -> bool:
    """Whether a text holds hidden characters; line breaks and tabs are such in names only."""
    is_name = not _NAMES.isdisjoint(place[-1:]) or "members" in place
    return not set(HIDDEN.findall(text.strip())) <= set("" if is_name else "\n\t")


def _spelled_apart(name: str) -> str:
    """Write ApplicationKey, application-key and "application key" alike."""
    return re.sub(r"[\s.-]+|(?<=[a-z])(?=[A-Z])", "_", name).casefold()


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
