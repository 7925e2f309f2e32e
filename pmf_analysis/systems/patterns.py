"""Regular expressions and column names of mapping files: none of them can hang an import.

Python's matcher tries every way to share out a text among repeats: ``(a+)+$`` takes years for a
line of a hundred letters. A pattern may therefore hold few repeats, none within another, and only
the beginning of a text is looked at.
"""

import re
from collections.abc import Iterator
from re import _parser  # type: ignore[attr-defined]  # there is no public reader of patterns
from typing import Annotated, Any

from pydantic import AfterValidator

from pmf_analysis.parameters.messages import wording
from pmf_analysis.parameters.settings import Text

# Of a text, so many characters are looked at; so many repeats without a limit may share them.
LOOKED_AT = 300
MOST_REPEATS = 2
_FEW = 10


def spelling(text: str) -> str:
    """Return a header so that case, spaces, underscores and line breaks do not count."""
    return re.sub(r"[\s_]+", " ", text).strip().casefold()


def find(pattern: str, text: str) -> str:
    """Return the group ``period`` of a pattern found in a text, or else all that it matches."""
    match = re.search(pattern, " ".join(text.split())[:LOOKED_AT], re.IGNORECASE)
    return (match[match.re.groupindex.get("period", 0)] or "").strip() if match else ""


def fits(name: str, header: str) -> bool:
    """Whether a column name of a mapping is a header's; ``/.../`` is a pattern for all of it."""
    if is_pattern(name):
        text = " ".join(header.split())[:LOOKED_AT]
        return re.fullmatch(name[1:-1], text, re.IGNORECASE) is not None
    return spelling(name) == spelling(header)


def is_pattern(name: str) -> bool:
    """Whether a column name is a pattern: it stands between slashes."""
    return len(name) > 2 and name[0] == name[-1] == "/"


def _safe(pattern: str) -> str:
    """Return a pattern that is none of those that can take for ever.

    Raises
    ------
    ValueError
        For any other, and for what is no pattern.
    """
    try:
        found = [*_repeats(_parser.parse(pattern), within=False)]
    except (re.error, RecursionError, OverflowError):
        raise ValueError("must be a regular expression") from None
    if None in found or len(found) > MOST_REPEATS:
        raise ValueError(wording("contradictions")["slow_pattern"].format(most=MOST_REPEATS))
    return pattern


def _repeats(parsed: Any, *, within: bool) -> Iterator[int | None]:
    """Yield the greatest number of each repeat that is long; None for a choice within a repeat."""
    for operation, told in parsed:
        least, most = told[:2] if str(operation).endswith("_REPEAT") else (1, 1)
        if within and (least != most or str(operation) == "BRANCH"):
            yield None
        elif least != most and most > _FEW:
            yield most
        for part in _parts(told):
            yield from _repeats(part, within=within or most > 1)


def _parts(told: Any) -> Iterator[Any]:
    if isinstance(told, _parser.SubPattern):
        yield told
    elif isinstance(told, tuple | list):
        for each in told:
            yield from _parts(each)


def _safe_name(name: str) -> str:
    if is_pattern(name):
        _safe(name[1:-1])
    return name


Pattern = Annotated[str, AfterValidator(_safe)]
Name = Annotated[Text, AfterValidator(_safe_name)]
Names = tuple[Name, ...]
