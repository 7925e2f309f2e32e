"""The bank of wording: one data file, read once, from which everything that is said is taken."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from functools import cache
from importlib.resources import files
from typing import Any

MOST_WORDS = 25
MOST_TITLE_WORDS = 10


@cache
def bank() -> Mapping[str, str]:
    """Return every entry of the bank under its dotted name."""
    from ruamel.yaml import YAML

    stored = (files("pmf_analysis.story") / "sentences_en.yml").read_text(encoding="utf-8")
    return dict(_flatten(YAML(typ="safe", pure=True).load(stored)))


def _flatten(tree: Mapping[str, Any], prefix: str = "") -> Iterator[tuple[str, str]]:
    for key, entry in tree.items():
        if isinstance(entry, Mapping):
            yield from _flatten(entry, f"{prefix}{key}.")
        else:
            yield f"{prefix}{key}", str(entry)


def say(entry: str, **slots: object) -> str:
    """Return an entry with its slots filled; an unknown entry or slot is a programming error."""
    return bank()[entry].format_map({name: str(value) for name, value in slots.items()})


def words_of(group: str) -> dict[str, str]:
    """Return the entries directly under a dotted name, such as all status words."""
    start = f"{group}."
    found = {key.removeprefix(start): text for key, text in bank().items() if key.startswith(start)}
    return {key: text for key, text in found.items() if "." not in key}


def count_of(entry: str, n: int, **slots: object) -> str:
    """Return the singular or plural form of an entry that counts."""
    return say(f"{entry}.{'one' if n == 1 else 'many'}", n=n, **slots)


def fits(sentence: str, most: int = MOST_WORDS) -> bool:
    """Whether a sentence has no more words than readers are asked to take in at once."""
    return len(sentence.split()) <= most


def capital(sentence: str) -> str:
    """Start a sentence with a capital letter."""
    return sentence[:1].upper() + sentence[1:]


def clip_words(text: str, most: int) -> str:
    """Return at most ``most`` words of a text, with an ellipsis where it was cut."""
    words = text.split()
    return text if len(words) <= most else " ".join(words[:most]).rstrip(",;:") + "\u2026"


def title(entry: str, name: str, **slots: object) -> str:
    """Return a title of at most ten words, shortening the name where it must."""
    room = MOST_TITLE_WORDS - len(say(entry, name="", **slots).replace(": ", "", 1).split())
    return say(entry, name=clip_words(name, max(room, 1)), **slots)


def joined(first: str, second: str, *, same_way: bool) -> tuple[str, ...]:
    """Join two clauses with "and" or "but", as two sentences where one would be too long.

    The second clause may open with a small letter; ``same_way`` says whether both point one way.
    """
    tension = say("tension.same_way" if same_way else "tension.other_way")
    whole = f"{first}, {tension} {second}."
    return (whole,) if fits(whole) else (f"{first}.", f"{capital(tension)} it is {second}.")
