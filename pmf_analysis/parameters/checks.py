"""What entries of parameter files must agree on: names that exist, once, and labels that read.

The raw entries are checked, not the models, so that a fault in one hides no fault in another.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
from dataclasses import replace
from datetime import date
from typing import Any

from pmf_analysis.parameters.loading import Document
from pmf_analysis.parameters.messages import Place
from pmf_analysis.parameters.models import VERDICTS
from pmf_analysis.period_spans import YEAR_STARTS
from pmf_analysis.periods import Period, parse_period
from pmf_analysis.problems import PmfError, Problems, did_you_mean


def check_framework(document: Document, problems: Problems) -> None:
    """Check that ids are unique and that each director, theme and verdict exists."""
    for group in ("themes", "directors", "scorecard"):
        check_unique(document, group, problems)
    for group, kind in (("themes", "director"), ("scorecard", "theme")):
        known = ids([document], f"{kind}s")
        for place, entry in document.entries(group):
            check_known(document, (*place, kind), entry.get(kind), known, kind, problems)
    words = document.group("status_words")
    for word in words:
        check_known(document, ("status_words", word), word, VERDICTS, "verdict", problems)


def check_register(
    document: Document,
    problems: Problems,
    *,
    themes: Collection[str] | None,
    directors: Collection[str] | None,
) -> None:
    """Check that ids and aliases are unique and that themes and directors exist.

    Parameters
    ----------
    themes, directors
        Those of all framework files; None when a framework file could not be read, since every
        name would then look unknown.
    """
    check_unique(document, "indicators", problems)
    for place, entry in document.entries("indicators"):
        if directors is not None:
            where, name = (*place, "director"), entry.get("director")
            check_known(document, where, name, directors, "director", problems)
        for n, theme in texts(entry.get("themes")):
            if themes is not None:
                check_known(document, (*place, "themes", n), theme, themes, "theme", problems)
    _check_aliases(document, problems)


def _check_aliases(document: Document, problems: Problems) -> None:
    """Refuse an alias that is also another indicator's name: values would go astray."""
    entries = list(document.entries("indicators"))
    owners = {str(entry.get("id")): entry for _, entry in entries}
    for place, entry in entries:
        for n, alias in texts(entry.get("aliases")):
            other = owners.setdefault(alias, entry)
            if other is not entry:
                message = (
                    f'In "{entry.get("id")}": alias "{alias}" already stands for '
                    f'"{other.get("id")}".'
                )
                problems.add(document.problem((*place, "aliases", n), message, "alias-taken"))


def check_corrections(document: Document, register: Document, problems: Problems) -> None:
    """Check that each correction names an indicator of the register and a period that reads."""
    indicators = {str(entry.get("id")): entry for _, entry in register.entries("indicators")}
    for place, entry in document.entries("corrections"):
        name = entry.get("indicator")
        check_known(document, (*place, "indicator"), name, indicators, "indicator", problems)
        facts = {"year_type": "financial", **indicators.get(str(name), {})}
        check_period(document, (*place, "period"), entry.get("period"), facts, problems)


def check_run(
    document: Document, frameworks: Mapping[str, Document | None], problems: Problems
) -> None:
    """Check a run file against its framework; one that cannot be read is not checked against."""
    run = document.group()
    name = run.get("framework", "framework.yml")
    check_known(document, ("framework",), name, frameworks, "framework", problems)
    framework = frameworks.get(name) if isinstance(name, str) else None
    if framework is None:
        return
    themes = ids([framework], "themes")
    for n, theme in texts(run.get("themes")):
        check_known(document, ("themes", n), theme, themes, "theme", problems)
    for theme in document.group("peer_sets_by_theme"):
        check_known(document, ("peer_sets_by_theme", theme), theme, themes, "theme", problems)
    council = [name for _, name in texts((framework.group("council").get("id"),))]
    check_known(document, ("council",), run.get("council"), council, "council", problems)
    facts = {"year_type": framework.group().get("year_type", "financial")}
    period = check_period(document, ("period",), run.get("period"), facts, problems)
    as_at = run.get("as_at")
    if period and type(as_at) is date and as_at < period.start:
        message = (
            f"as_at {as_at} is before {period.long_label} begins, so nothing of it can be known."
        )
        problems.add(document.problem(("as_at",), message, "as-at-too-early"))


def check_run_peer_sets(document: Document, known: Collection[str], problems: Problems) -> None:
    """Check that the peer sets of a run are declared or came with the data."""
    named: list[tuple[Place, Any]] = [(("peer_set",), document.group().get("peer_set"))]
    for theme, name in document.group("peer_sets_by_theme").items():
        named.append((("peer_sets_by_theme", theme), name))
    for place, name in named:
        check_known(document, place, name, known, "peer set", problems)


_PLACES = {
    "theme": "in this framework",
    "director": "in this framework",
    "framework": "a file in parameters",
    "indicator": "in the register",
    "council": "the council of this framework",
    "peer set": "declared in peer_sets.yml and did not come with the data",
    "verdict": "a verdict of pmf",
}


def check_known(
    document: Document,
    place: Place,
    name: Any,
    known: Collection[str],
    kind: str,
    problems: Problems,
) -> None:
    """Add an error when a name is not known, with the nearest one that is.

    What is no text is passed over, since the model refuses it.
    """
    if not isinstance(name, str) or name in known:
        return
    owner = document.owner(place)
    where = "in any framework file" if owner and place[0] == "indicators" else _PLACES[kind]
    message = f'{owner}{kind} "{name}" is not {where}.{did_you_mean(name, known)}'
    problem = document.problem(place, message, f"unknown-{kind.replace(' ', '-')}")
    problems.add(replace(problem, expected=_few(known) if "Did you mean" not in message else ""))


def check_unique(document: Document, group: str, problems: Problems) -> None:
    """Add an error for each entry of a list whose id an earlier one has, with both lines."""
    first_lines: dict[str, int] = {}
    for place, entry in document.entries(group):
        line = document.line((*place, "id"))
        for _, name in texts((entry.get("id"),)):
            if name in first_lines:
                message = f'"{name}" is declared twice, on lines {first_lines[name]} and {line}.'
                problems.add(document.problem((*place, "id"), message, "duplicate-id"))
            first_lines.setdefault(name, line)


def check_period(
    document: Document, place: Place, label: Any, facts: Mapping[str, Any], problems: Problems
) -> Period | None:
    """Return the period of a label; None, with the reason added, when it has not one meaning.

    `facts` are the declared `year_type` and `frequency`, as raw as they stand in the file.
    """
    if not isinstance(label, str):
        return None
    year_type = next((known for known in YEAR_STARTS if known == facts.get("year_type")), None)
    frequency = facts.get("frequency")
    try:
        return parse_period(
            label,
            year_type=year_type,
            frequency=frequency if isinstance(frequency, str) else None,
        )
    except PmfError as error:
        for problem in error.problems:
            problems.add(replace(problem, file=document.name, row=document.line(place)))
        return None


def ids(documents: Iterable[Document], group: str) -> list[str]:
    """Return the ids of a list of entries in several files, each once."""
    entries = (entry for document in documents for _, entry in document.entries(group))
    return list(dict.fromkeys(n for entry in entries for _, n in texts((entry.get("id"),))))


def texts(value: object) -> list[tuple[int, str]]:
    """Return the texts of a raw list with their numbers, without what is no text."""
    entries = enumerate(value) if isinstance(value, tuple) else ()
    return [(n, entry) for n, entry in entries if isinstance(entry, str)]


def _few(known: Iterable[str]) -> str:
    """Name the choices when there are few enough to read."""
    names = list(known)
    return "one of " + ", ".join(names) if 0 < len(names) <= 12 else ""
