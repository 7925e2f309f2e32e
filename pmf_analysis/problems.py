"""What is wrong, where it is, what was expected and how to put it right.

Every room reports faults of the user's data and parameters as :class:`Problem` rows, collected
in a :class:`Problems` list and raised once, so that an officer sees all of them in one go and
never a traceback.
"""

import os
import re
from collections.abc import Iterable
from dataclasses import dataclass
from functools import cache
from pathlib import PureWindowsPath
from typing import Any, Literal
from urllib.parse import unquote

from pmf_analysis.shipped import read_shipped

Level = Literal["error", "warning", "info"]

EXIT_WRONG_USAGE = 2
EXIT_DATA_UNUSABLE = 3

PLACE = ("file", "sheet", "row", "column", "value")
COLUMNS = ("level", "code", *PLACE, "message", "expected", "fix", "indicator")
_LONGEST_VALUE = 80
_SECRET_NAME = re.compile(
    r"(?i)(PASSWORD|PASSWD|SECRET|TOKEN|CREDENTIAL|CONNECTION_STRING|API_?KEY|_KEY)$"
)
# Within an address or a string of connection, whatever its variable is called.
_SECRET_PART = re.compile(
    r"(?i)(?:(?:AccountKey|SharedAccessSignature|Password|Pwd|sig)=|://[^\s/:@]*:(?=\S*@))"
    r"([^\s;&@]{4,})"
)
# A fault of a spreadsheet in one line.
_SAID = ("{}", 'sheet "{}"', "row {}", "column {}", 'value "{}"', "expected {}", "{}", "fix: {}")
_FIELDS = dict(zip((*PLACE, "expected", "message", "fix"), _SAID, strict=True))


@dataclass(frozen=True, slots=True)
class Problem:
    """One thing that is wrong, in words that its owner can act on.

    Parameters
    ----------
    message
        What is wrong, one plain sentence.
    level
        ``error``: the thing cannot be used; ``warning``: used, but look at it; ``info``: noted.
    code
        Stable kebab-case id such as ``value-not-a-number``, for filters and tests.
    file
        Base name or workspace-relative name. An absolute path is cut to its base name, because
        problems are printed in published files and those name no machine.
    sheet, row, column, value
        The place; ``row`` is the line of a text file. ``column`` is given as the reader sees it,
        such as ``E "Current Target"``.
    expected, fix
        What would have been right, and what to do about it.
    indicator
        The indicator concerned, by its id where the register knows it; blank where it is not one.
    """

    message: str
    level: Level = "error"
    code: str = ""
    file: str = ""
    sheet: str = ""
    row: int | None = None
    column: str = ""
    value: str = ""
    expected: str = ""
    fix: str = ""
    indicator: str = ""

    def __post_init__(self) -> None:
        path = PureWindowsPath(self.file)  # which knows the slashes of other systems too
        if path.root:
            object.__setattr__(self, "file", path.name)

    @classmethod
    def of(cls, fault: str, **facts: Any) -> "Problem":
        """Return a fault of ``problems.yml`` or ``systems/faults.yml``.

        The facts are its place, or fill its words.
        """
        words = {what: text.format_map(facts) for what, text in faults()[fault].items()}
        given = {name: facts[name] for name in ("level", *PLACE, "indicator") if name in facts}
        return cls(**{"code": fault, **words, **given})

    @classmethod
    def refused(cls, error: OSError, place: str) -> "Problem":
        """Return what a person is told where the system refused to read or write a file.

        Examples
        --------
        >>> told = Problem.refused(PermissionError(13, "Permission denied"), "outputs/.a.pdf.tmp")
        >>> told.message
        'The system did not let pmf read or write outputs/a.pdf: Permission denied.'
        """
        # What is written whole or not at all is first written under a name of its own.
        place = re.sub(r"(^|[/\\])\.([^/\\]+)\.tmp$", r"\1\2", place)
        return cls.of("system-refused", place=place, why=error.strerror or error)

    def line(self) -> str:
        """Return the problem as one line of text.

        Faults of a spreadsheet read as fields between bars, from the file to the fix; faults of a
        parameter file read as a compiler's message, ``file line N: sentence``.

        Examples
        --------
        >>> Problem('theme "plce" is not declared.', file="parameters/x.yml", row=8).line()
        'parameters/x.yml line 8: theme "plce" is not declared.'
        """
        if self.file.endswith((".yml", ".yaml")) or not (self.sheet or self.column):
            place = f"{self.file}{'' if self.row is None else f' line {self.row}'}".strip()
            expected = self.expected and f"Expected {self.expected.rstrip('.')}."
            parts = [self.message, expected, self.fix and f"Fix: {self.fix}"]
            return (place and f"{place}: ") + " ".join(filter(None, parts))
        told = {name: getattr(self, name) for name in _FIELDS} | {"value": _shortened(self.value)}
        parts = [_FIELDS[name].format(text) for name, text in told.items() if text]
        return " | ".join(parts)


@cache
def faults() -> dict[str, dict[str, str]]:
    """Return the words of every fault by its name."""
    return read_shipped("problems.yml") | read_shipped("systems/faults.yml")


class Problems(list[Problem]):
    """A list of problems that is filled while work goes on and raised once at its end."""

    def add(self, problem: Problem | None = None, **details: Any) -> None:
        """Append a problem, given whole or as the fields of one."""
        self.append(Problem(**details) if problem is None else problem)

    def tell(self, fault: str, **facts: Any) -> None:
        """Append a fault of ``problems.yml``."""
        self.append(Problem.of(fault, **facts))

    @property
    def has_errors(self) -> bool:
        """Whether any problem is an error."""
        return any(problem.level == "error" for problem in self)

    def raise_if_errors(self, exit_code: int = EXIT_WRONG_USAGE) -> None:
        """Raise :class:`PmfError` with all problems, warnings too, when one is an error."""
        if self.has_errors:
            raise PmfError(self, exit_code)

    def rows(self) -> list[dict[str, str | int | None]]:
        """Return a dict per problem with the columns of ``problems.csv``, in their order."""
        return [{name: getattr(problem, name) for name in COLUMNS} for problem in self]


class PmfError(Exception):
    """Work cannot go on; says why with problems, and how the command shall exit.

    Parameters
    ----------
    problems
        Everything found so far; a single problem or sentence is accepted.
    exit_code
        2: wrong usage or parameters; 3: data unusable.
    """

    def __init__(self, problems: Iterable[Problem] | Problem | str, exit_code: int = 2) -> None:
        if isinstance(problems, str):
            problems = Problem(problems)
        self.problems = Problems([problems] if isinstance(problems, Problem) else problems)
        self.exit_code = exit_code
        # Both arguments go to the base class, so that the error survives a trip between processes.
        super().__init__(self.problems, exit_code)

    def __str__(self) -> str:
        return "\n".join(problem.line() for problem in self.problems)


def did_you_mean(word: str, choices: Iterable[str], most: int = 1) -> str:
    """Return `` Did you mean "place"?`` for the choices nearest to a word, or nothing.

    Case, spaces, hyphens and underscores do not count as differences. The text begins with a
    space, to be joined to a sentence.

    Examples
    --------
    >>> did_you_mean("plce", ["people", "place"])
    ' Did you mean "place"?'
    >>> did_you_mean("zebra", ["people", "place"])
    ''
    """
    from difflib import get_close_matches

    by_key = {_spelling_key(choice): choice for choice in choices}
    nearest = get_close_matches(_spelling_key(word), by_key, n=most, cutoff=0.6)
    named = " or ".join(f'"{by_key[key]}"' for key in nearest)
    return f" Did you mean {named}?" if nearest else ""


def without_secrets(text: str) -> str:
    """Return a text in which no password or key of the environment stands any more."""
    for name, value in os.environ.items():
        found = {value} if _SECRET_NAME.search(name) and len(value) >= 6 else set()
        parts = _SECRET_PART.findall(value)
        for secret in sorted({*found, *parts, *map(unquote, parts)}, key=len, reverse=True):
            text = text.replace(secret, "***")
    return text


def _spelling_key(word: str) -> str:
    return re.sub(r"[\s_-]+", " ", word.strip().casefold())


def _shortened(value: str) -> str:
    """Cut a long cell text, which would bury the rest of the message."""
    text = " ".join(value.split())
    return text if len(text) <= _LONGEST_VALUE else text[: _LONGEST_VALUE - 1] + "…"
