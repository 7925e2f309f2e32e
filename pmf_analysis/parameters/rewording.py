"""A council's own words: ``parameters/wording.yml``, which there may be none of.

Under a language stand the entries of its bank that the council says in its own way. Each has the
slots of the entry in whose place it stands, is as short, and says nothing that no page may say.
"""

import re
from collections.abc import Iterator
from typing import get_args

from pydantic import Field

from pmf_analysis.parameters import loading, models, settings
from pmf_analysis.problems import did_you_mean
from pmf_analysis.shipped import read_entries, read_shipped

_LIMITS = read_shipped("parameters/choices.yml")["wording"]


class WordingFile(settings.SettingsFile):
    """Entries of the banks by their dotted names, in a council's own words."""

    en: dict[str, settings.Text] = Field(default_factory=dict)
    cy: dict[str, settings.Text] = Field(default_factory=dict)

    def of(self, language: str) -> dict[str, str]:
        """Return the council's own words in a language."""
        found: dict[str, str] = getattr(self, language)
        return found


def check_wording(document: loading.Document) -> None:
    """Check that every entry is known, keeps its slots, is short and has no word that is banned."""
    for language in get_args(models.Language):
        entries = read_entries(f"story/sentences_{language}.yml")
        for place, said in document.at(f"{language}.*", str):
            name = str(place[-1])
            if name not in entries:
                hint = did_you_mean(name, entries)
                document.tell(place, "wording-unknown", name=name, hint=hint, language=language)
                continue
            for fault, expected in wording_faults(name, entries[name], said, language):
                document.tell(place, fault, name=name, expected=expected)


def wording_faults(name: str, entry: str, said: str, language: str) -> Iterator[tuple[str, str]]:
    """Yield each fault of a text in the place of an entry, with what is expected."""
    slots, told = (sorted(set(re.findall(r"{\w+}", text))) for text in (entry, said))
    plain = re.sub(r"{\w+}", "-", said)
    # A brace that is no slot's would end the making of a page.
    if told != slots or re.search("[{}]", plain):
        yield "wording-slots", " ".join(slots) or "no slot and no brace"
    is_title = any(mark in name for mark in _LIMITS["titles"])
    most = _LIMITS["most_title_words"] if is_title else _LIMITS["most_words"]
    if max(len(each.split()) for each in re.split(r"[.?!]\s", said)) > most:
        yield "wording-long", f"at most {most} words"
    if banned := re.search(_LIMITS["banned"][language], plain, re.IGNORECASE):
        yield "wording-banned", f'other words than "{banned[0]}"'
