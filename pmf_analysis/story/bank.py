"""The banks of wording, one a language, from which everything that is said is taken.

A story says, in which order, which entries of the bank tell one row of a result table; it is told
from the facts of the row.

Who opens a run says in which language, and lays the council's own words over the bank; that holds
for the context (of a notebook's kernel, a thread, a test), never for the process as a whole.
"""

import re
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from contextvars import ContextVar
from functools import cache, lru_cache, partial
from importlib.resources import files
from typing import Any, NamedTuple

from pmf_analysis.shipped import read_entries
from pmf_analysis.story import asides

Sentences = tuple[str, ...]

MOST_WORDS = 25
MOST_TITLE_WORDS = 10
WAYS = {1: "up", -1: "down", 0: "same"}
_END = "\x1e"  # of a sentence of a story; no text holds it


@cache
def stored(name: str) -> dict[str, Any]:
    """Return what a file of this room holds."""
    from ruamel.yaml import YAML

    text = (files("pmf_analysis.story") / name).read_text(encoding="utf-8")
    return dict(YAML(typ="safe", pure=True).load(text))


@cache
def template(name: str) -> Callable[..., str]:
    """Return what fills a template; its lines break between tags, or where a tag has a space."""
    from jinja2 import Environment, StrictUndefined

    text = (files("pmf_analysis.story") / name).read_text(encoding="utf-8")
    text = re.sub(r"(?<=[>}])\n\s*|\n\s*(?=[<{])", "", text).replace("\n", " ")
    made = Environment(undefined=StrictUndefined).from_string(re.sub(" +", " ", text))
    fill: Callable[..., str] = made.render
    return fill


class Wording(NamedTuple):
    """A language, and the entries of its bank that a council has in its own words."""

    language: str = "en"
    own: tuple[tuple[str, str], ...] = ()


_SPOKEN: ContextVar[Wording] = ContextVar("spoken", default=Wording())  # noqa: B039  # is a tuple


def speak(language: str, own: Mapping[str, str] | None = None) -> None:
    """Say everything from here on in a language, with the council's own words over its bank."""
    _SPOKEN.set(Wording(language, tuple((own or {}).items())))


@contextmanager
def spoken(language: str, own: Mapping[str, str] | None = None) -> Iterator[None]:
    """Say what is said inside in a language; own words in force stay so in their language."""
    before = _SPOKEN.get()
    if own is not None or language != before.language:
        speak(language, own)
    try:
        yield
    finally:
        _SPOKEN.set(before)


def language() -> str:
    """Return the language in which things are said at present."""
    return _SPOKEN.get().language


def bank() -> Mapping[str, str]:
    """Return every entry of the bank under its dotted name."""
    return _laid_over(_SPOKEN.get())


@lru_cache(maxsize=8)
def _laid_over(wording: Wording) -> Mapping[str, str]:
    return read_entries(f"story/sentences_{wording.language}.yml") | dict(wording.own)


def inflected(kind: str, text: str) -> str:
    """Apply the language's rules of a kind to a text, one after the other: its forms of words."""
    for pattern, form in stored(f"grammar_{language()}.yml")[kind]:
        text = re.sub(pattern, form, text)
    return text


def say(entry: str, **slots: object) -> str:
    """Return an entry with its slots filled, or "" when one that it uses is None or empty.

    So a sentence about something that is not known is never begun: callers leave out what comes
    back empty, or say something else. A slot that is not given is an attribute of the slot
    ``facts``. An unknown entry or slot is a programming error.
    """
    template, facts = bank()[entry], slots.get("facts")
    named = re.findall(r"{(\w+)}", template)
    known = {name: slots[name] if name in slots else getattr(facts, name) for name in named}
    texts = {name: "" if value is None else str(value) for name, value in known.items()}
    return template.format_map(texts) if all(texts.values()) else ""


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


def fitting(sentences: Iterable[str], most: int = MOST_WORDS) -> str:
    """Return the first sentence that says something and is short enough; "" if none is."""
    return next((each for each in sentences if each and fits(each, most)), "")


def say_first(*entries: str, **slots: object) -> str:
    """Say the first entry that there is, that lacks nothing and is short enough; "" if none."""
    return fitting(say(entry, **slots) for entry in entries if entry in bank())


def ended(clause: str, entry: str, **slots: object) -> Sentences:
    """End a clause with an entry's tail, or say it apart where one sentence would be too long."""
    tail, apart = (say(f"{entry}.{end}", **slots) for end in ("tail", "apart"))
    whole = fitting([f"{clause}{tail}."]) if clause else ""
    return (whole,) if whole else tuple(filter(None, [clause and f"{clause}.", apart]))


def capital(sentence: str) -> str:
    """Start a sentence with a capital letter."""
    return sentence[:1].upper() + sentence[1:]


def clip_words(text: str, most: int) -> str:
    """Return at most ``most`` words of a text, with an ellipsis where it was cut."""
    words = text.split()
    if len(words) <= most:
        return text
    return asides.note_part(text, " ".join(words[:most]).rstrip(",;:") + "\u2026")


def clip_sentences(text: str, most: int) -> str:
    """Return whole sentences of at most ``most`` words, then an ellipsis where more follow."""
    shown = text
    while not fits(shown, most) and (ends := [*re.finditer(r"[.!?](?=\s)", shown)]):
        shown = shown[: ends[-1].end()]
    if not fits(shown, most):
        return clip_words(shown, most)
    return text if shown == text else f"{asides.note_part(text, shown)} \u2026"


def is_filler(text: str) -> bool:
    """Whether a text only stands where one was asked for, such as "TBC"."""
    return bool(re.fullmatch(stored("cells.yml")["filler"], text.strip(" .")))


def title(entry: str, name: str, after: str = "", **slots: object) -> str:
    """Return a title of at most ten words, shortening the name where it must.

    ``after`` stands behind the name, and is never cut.
    """
    room = MOST_TITLE_WORDS + 1 - len(say(entry, name=f"-{after}", **slots).split())
    return say(entry, name=f"{clip_words(name, max(room, 1))}{after}", **slots)


def joined(first: str, second: str, *, same_way: bool) -> Sentences:
    """Join two clauses with "and" or "but", as two sentences where one would be too long.

    The second clause may open with a small letter, or be missing; ``same_way`` says whether both
    point one way.
    """
    if not second:
        return (f"{first}.",)
    tension = say("tension.same_way" if same_way else "tension.other_way")
    whole = f"{first}, {inflected('joined', f'{tension} {second}')}."
    apart = say("tension.apart", tension=capital(tension), second=second)
    return (whole,) if fits(whole) else (f"{first}.", apart)


def join_words(words: Sequence[str]) -> str:
    """Join words as a sentence does: "a", "a and b", "a, b and c"."""
    last = inflected("joined", f"{say('tension.same_way')} {words[-1]}") if words[1:] else ""
    return f"{', '.join(words[:-1])} {last}" if last else "".join(words)


def named(word: str, names: Sequence[str]) -> Sentences:
    """List names after a word, as many as one sentence takes, and count the others."""
    if not names:
        return ()
    said = listed(names, lambda names: say("theme.named", word=word, names=names))
    short = say("theme.named", word=word, names=clip_words(names[0], 12))
    return (fitting([said]) or short,)


def listed(names: Sequence[str], sentence: Callable[[str], str]) -> str:
    """Return the sentence on as many names as it has room for; the others are counted."""
    said = [
        sentence(join_words([*names[:shown], *([say("theme.and_more", n=rest)] if rest else [])]))
        for rest, shown in enumerate(range(len(names), 0, -1))
    ]
    return fitting(said) or said[-1]


def told(*sentences: str) -> Sentences:
    """Keep the sentences that say something."""
    return tuple(filter(None, sentences))


def paragraph(sentences: Iterable[str]) -> tuple[str, ...]:
    """Join sentences to one paragraph; none gives no paragraph."""
    whole = " ".join(sentences)
    return (whole,) if whole else ()


@cache
def _teller() -> Any:
    """Return what makes stories, whose every expression is a sentence or several."""
    from jinja2 import Environment, StrictUndefined

    def ended(said: str | Iterable[str]) -> str:
        return "".join(f"{each}{_END}" for each in ((said,) if isinstance(said, str) else said))

    made = Environment(undefined=StrictUndefined, finalize=ended)
    spoken = (words_of, joined, capital, join_words, named, names_of, title, fitting, reason_words)
    made.globals |= {each.__name__: each for each in spoken}
    made.globals |= {"reasons": reason_sentences, "ways": WAYS, **stored("facts.yml")}
    return made


@cache
def story_of(name: str) -> Callable[..., str]:
    """Return what tells a story."""
    tells: Callable[..., str] = _teller().from_string(stored("stories.yml")[name]).render
    return tells


@cache
def _cells_of(table: str) -> dict[str, Callable[..., object]]:
    declared = stored("cells.yml")["cells"][table].items()
    return {
        key: _teller().compile_expression(cell, undefined_to_none=False) for key, cell in declared
    }


def tell_cells(table: str, **slots: Any) -> dict[str, str]:
    """Tell the cells of a row of a table: expressions of ``cells.yml``, with a story's slots."""
    return {key: str(cell(_known(slots))) for key, cell in _cells_of(table).items()}


def tell(story: str, **slots: Any) -> Sentences:
    """Tell a story of ``stories.yml``: its sentences in order, without those that say nothing.

    A story has the slots, and what :func:`say` and its kin say there has them too.
    """
    return told(*map(str.strip, story_of(story)(_known(slots)).split(_END)))


def _known(slots: dict[str, Any]) -> dict[str, Any]:
    spoken = (say, say_first, count_of, ended)
    return slots | {each.__name__: partial(each, **slots) for each in spoken}


def phrase(story: str, **slots: Any) -> str:
    """Tell a story that is one sentence, or a part of one."""
    return " ".join(tell(story, **slots))


def names_of(facts: Iterable[Any]) -> list[str]:
    """Return the short names of what facts are about."""
    return [each.subject.short for each in facts]


def reason_sentences(reason: str, *without: str, having: str = "", after: int = 0) -> Sentences:
    """Write a reason given by a measure as sentences: those that have some words and lack others.

    ``after`` leaves out as many at its beginning. Measures give reasons in English,
    and the words to find are theirs; what the language has rules for is said in it.
    """
    parts = [part.strip() for part in re.split(r";\s+|(?<=\w\.)\s+(?=[A-Z])", reason)]
    said = [capital(re.sub(r"(?<![.?])$", ".", part)) for part in parts if part]
    lacking = (each for each in said[after:] if not any(word in each for word in without))
    pairs = [(each, inflected("reasons", each)) for each in lacking if having in each]
    if language() != "en":
        asides.note((told for each, told in pairs if told == each), "en")
    return tuple(told for _, told in pairs)


def reason_words(reason: str) -> str:
    """Write a reason given by a measure as it stands; in another language as its sentences."""
    return reason if language() == "en" else " ".join(reason_sentences(reason))
