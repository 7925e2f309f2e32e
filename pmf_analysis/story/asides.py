"""Parts of a text that are in another language than the page: they are marked where they stand.

The bank speaks the language of the page; titles, units, commentary and sources speak that of the
council's data, and what has no translation yet is in English. A view notes such texts, and a block
keeps those that it shows, so that every document can say of each word which language it is in.
"""

import re
from collections.abc import Iterable, Iterator, Mapping
from contextvars import ContextVar
from functools import lru_cache
from types import MappingProxyType

_SHORTEST = 3
_NOTED: ContextVar[Mapping[str, str]] = ContextVar("asides", default=MappingProxyType({}))


def forget() -> None:
    """Begin anew: what was noted belongs to another page."""
    _NOTED.set({})


def note(texts: Iterable[str], language: str) -> None:
    """Note texts that are in a language other than the page's, with and without a capital."""
    clean = (" ".join(text.split()).rstrip(".") for text in texts)
    worth = [each for each in clean if len(each) >= _SHORTEST and re.search(r"[^\W\d]", each)]
    capital = (each[:1].upper() + each[1:] for each in worth)
    _NOTED.set({**_NOTED.get(), **dict.fromkeys([*worth, *capital], language)})


def note_part(whole: str, part: str) -> str:
    """Return a part of a text; it is noted where the text begins with what was noted."""
    known = (spoken for text, spoken in _NOTED.get().items() if whole.startswith(text))
    if (language := next(known, None)) and part != whole:
        note([part.rstrip("\u2026 ")], language)
    return part


def found_in(texts: Iterable[str]) -> dict[str, str]:
    """Return what was noted and stands in some texts, with its language."""
    noted = _NOTED.get()
    shown = "\n".join(" ".join(text.split()) for text in texts) if noted else ""
    return {text: spoken for text, spoken in sorted(noted.items()) if text in shown}


def pieces(text: str, asides: Mapping[str, str]) -> Iterator[tuple[str, str]]:
    """Yield the parts of a text in order, each with its language; "" is that of the page."""
    parts = _pattern(tuple(asides)).split(text) if text and asides else [text]
    return ((part, asides.get(" ".join(part.split()), "")) for part in parts if part)


@lru_cache(maxsize=256)
def _pattern(texts: tuple[str, ...]) -> re.Pattern[str]:
    longest_first = map(re.escape, sorted(texts, key=len, reverse=True))
    spaced = "|".join(longest_first).replace(r"\ ", r"\s+")
    return re.compile(rf"(?<!\w)({spaced})(?!\w)")
