"""Stories: what is said of one row of a result table, told from its facts."""

import re
from collections.abc import Callable, Iterable
from functools import cache, partial
from typing import Any

from pmf_analysis.story import bank
from pmf_analysis.story.bank import capital, stored
from pmf_analysis.story.formatting import join_words

Sentences = tuple[str, ...]

WAYS = {1: "up", -1: "down", 0: "same"}
_END = "\x1e"  # of a sentence of a story; no text holds it


def told(*sentences: str) -> Sentences:
    """Keep the sentences that say something."""
    return tuple(filter(None, sentences))


def paragraph(sentences: Iterable[str]) -> tuple[str, ...]:
    """Join sentences to one paragraph; none gives no paragraph."""
    whole = " ".join(sentences)
    return (whole,) if whole else ()


@cache
def story_of(name: str) -> Callable[..., str]:
    """Return what tells a story, whose every expression is a sentence or several."""
    from jinja2 import Environment, StrictUndefined

    def ended(said: str | Iterable[str]) -> str:
        return "".join(f"{each}{_END}" for each in ((said,) if isinstance(said, str) else said))

    made = Environment(undefined=StrictUndefined, finalize=ended)
    tells: Callable[..., str] = made.from_string(stored("stories.yml")[name]).render
    return tells


def tell(story: str, **slots: Any) -> Sentences:
    """Tell a story of ``stories.yml``: its sentences in order, without those that say nothing.

    A story has the slots, and what :func:`say` and its kin say there has them too.
    """
    spoken = (bank.say, bank.say_first, bank.count_of, bank.ended)
    known = slots | {each.__name__: partial(each, **slots) for each in spoken}
    others = (bank.words_of, bank.joined, capital, join_words, reason_words)
    known |= {each.__name__: each for each in others}
    text = story_of(story)(
        known, reasons=reason_sentences, ways=WAYS, marks=stored("facts.yml")["marks"]
    )
    return told(*map(str.strip, text.split(_END)))


def reason_sentences(reason: str, *without: str, having: str = "", after: int = 0) -> Sentences:
    """Write a reason given by a measure as sentences: those that have some words and lack others.

    ``after`` leaves out as many at its beginning. Measures give reasons in English,
    and the words to find are theirs; what the language has rules for is said in it.
    """
    parts = [part.strip() for part in re.split(r";\s+|(?<=\w\.)\s+(?=[A-Z])", reason)]
    said = [capital(re.sub(r"(?<![.?])$", ".", part)) for part in parts if part]
    kept = (
        each
        for each in said[after:]
        if having in each and not any(word in each for word in without)
    )
    return tuple(bank.inflected("reasons", each) for each in kept)


def reason_words(reason: str) -> str:
    """Write a reason given by a measure as it stands; in another language as its sentences."""
    return reason if bank.language() == "en" else " ".join(reason_sentences(reason))
