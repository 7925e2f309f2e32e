"""What entries of parameter files must agree on: names that exist, once, and labels that read.

The raw entries are checked, not the models, so that a fault in one hides no fault in another.
"""

import re
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import replace
from datetime import date
from typing import Any, get_args

from pmf_analysis.parameters.loading import Document
from pmf_analysis.parameters.messages import Place, owner_of
from pmf_analysis.parameters.models import VERDICTS, Language
from pmf_analysis.parameters.small_files import PeerSetSpec
from pmf_analysis.period_spans import YEAR_STARTS, add_months
from pmf_analysis.periods import Period, parse_period
from pmf_analysis.problems import PmfError, did_you_mean
from pmf_analysis.shipped import read_entries, read_shipped

Found = Iterable[tuple[Place, Any]]
Facts = dict[str, dict[str, Any]]

_IN_FRAMEWORK = "in this framework"
_MONTHS_OF_A_PEER_SET = 24
_LIMITS = read_shipped("parameters/choices.yml")["wording"]
_MONEY = ("£", "€", "GBP", "pound")


def check_framework(document: Document) -> None:
    """Check that ids are unique and that each director, theme and verdict exists."""
    for group in ("themes", "directors", "scorecard", "value_for_money"):
        check_unique(document, f"{group}.*.id")
    for path, kind in (("themes.*.director", "director"), ("scorecard.*.theme", "theme")):
        known = [name for _, name in document.at(f"{kind}s.*.id", str)]
        check_known(document, document.at(path, str), known, kind, _IN_FRAMEWORK)
    words = [(place, place[-1]) for place, _ in document.at("status_words.*")]
    check_known(document, words, VERDICTS, "verdict", "a verdict of pmf")


def check_register(document: Document, frameworks: Sequence[Document | None]) -> None:
    """Check that ids and aliases are unique and that themes and directors exist in a framework.

    While a framework file cannot be read, its names are not known and none is looked for.
    """
    check_unique(document, "indicators.*.id")
    read = [framework for framework in frameworks if framework is not None]
    for setting, kind in (("director", "director"), ("themes.*", "theme")):
        if len(read) == len(frameworks):
            found = document.at(f"indicators.*.{setting}", str)
            known = [name for each in read for _, name in each.at(f"{kind}s.*.id", str)]
            check_known(document, found, list(dict.fromkeys(known)), kind, "in any framework file")
    check_indicators(document, document, "indicators.*.parts.*")
    # An alias that is also another indicator's name would send values astray.
    owners = {name: place[:2] for place, name in document.at("indicators.*.id", str)}
    for place, alias in document.at("indicators.*.aliases.*", str):
        other = owners.setdefault(alias, place[:2])
        if other != place[:2]:
            document.tell(place, "alias-taken", alias=alias, other=owner_of(document.values, other))


def check_corrections(document: Document, register: Document) -> None:
    """Check that each correction names an indicator of the register and a period that reads."""
    indicators = check_indicators(document, register)
    for place, entry in document.at("corrections.*", dict):
        facts = {"year_type": "financial", **indicators.get(str(entry.get("indicator")), {})}
        check_period(document, (*place, "period"), entry.get("period"), facts)


def check_indicators(document: Document, register: Document, *paths: str) -> Facts:
    """Check that each indicator named in a file is in the register; returns those there by id."""
    indicators = {str(entry.get("id")): entry for _, entry in register.at("indicators.*", dict)}
    found = [named for path in paths or ("*.*.indicator",) for named in document.at(path, str)]
    check_known(document, found, indicators, "indicator", "in the register")
    return indicators


def check_run(document: Document, frameworks: Mapping[str, Document | None]) -> None:
    """Check a run file against its framework; one that cannot be read is not checked against."""
    named = document.at("framework", str) or [((), "framework.yml")]
    check_known(document, named, frameworks, "framework", "a file in parameters")
    framework = frameworks.get(named[0][1])
    if framework is None:
        return
    themes = [name for _, name in framework.at("themes.*.id", str)]
    by_theme = [(place, place[-1]) for place, _ in document.at("peer_sets_by_theme.*")]
    used = [*document.at("themes.*", str), *by_theme]
    check_known(document, used, themes, "theme", _IN_FRAMEWORK)
    council = [name for _, name in framework.at("council.id", str)]
    where = "the council of this framework"
    check_known(document, document.at("council", str), council, "council", where)
    facts = {"year_type": framework.get("year_type", "financial")}
    period = check_period(document, ("period",), document.get("period"), facts)
    as_at = document.get("as_at")
    if period and type(as_at) is date and as_at < period.start:
        document.tell(("as_at",), "as-at-too-early", as_at=as_at, period=period.long_label)


def check_peer_sets(
    document: Document, declared: Mapping[str, PeerSetSpec], stored: Collection[str] | None
) -> None:
    """Check the peer sets of a run: the members of each are known, and none is out of date.

    `stored` are those that came with the data, or a mapping from them to the days on which they
    were drawn up; None when none is known yet, and then a set without members is let through.
    """
    named = [*document.at("peer_set", str), *document.at("peer_sets_by_theme.*", str)]
    used = [(place, name) for place, name in named if name]
    if stored is not None:
        known = [*(name for name, spec in declared.items() if not spec.is_described), *stored]
        where = "given with members in peer_sets.yml and did not come with the data"
        check_known(document, used, known, "peer set", where)
    as_at, days = document.get("as_at"), stored if isinstance(stored, Mapping) else {}
    for name, place in {name: place for place, name in reversed(used)}.items():
        of = declared[name].as_at if name in declared else days.get(name)
        if not of or type(as_at) is not date:
            continue
        facts = {"name": name, "of": of, "as_at": as_at, "months": _MONTHS_OF_A_PEER_SET}
        if as_at < of:
            document.tell(place, "peer-set-not-yet-known", **facts)
        elif add_months(of, _MONTHS_OF_A_PEER_SET) < as_at:
            document.tell(place, "peer-set-old", **facts)


def check_built_sets(document: Document, register: Document | None) -> None:
    """Check what sets are built from: indicators of the register, and another set's members.

    A set that is itself built is no choice, so that none waits for the other.
    """
    if register is not None:
        check_indicators(document, register, "peer_sets.*.characteristics.*")
    groups = [entry for _, entry in document.at("peer_sets.*", dict)]
    sets = {str(entry.get("id")) for entry in groups if not entry.get("characteristics")}
    where = "another set of this file that is not built itself"
    check_known(document, document.at("peer_sets.*.among", str), sets, "peer set", where)


def check_charts(document: Document, register: Document | None) -> None:
    """Check that indicators exist and that nothing is decided twice."""
    if register is not None:
        check_indicators(document, register)
    check_unique(document, "rebases.*.indicator", "from")
    check_unique(document, "baselines.*.indicator")
    check_unique(document, "annotations.*.indicator", "on", "text")


def check_value_pairs(document: Document, register: Document) -> None:
    """Check that each pair names a cost in money and a performance with a good direction.

    With the other indicators that a framework names.
    """
    paths = ("value_for_money.*.cost", "value_for_money.*.performance")
    indicators = check_indicators(document, register, *paths, "arrows.year_to_year.*")
    costs, performances = (document.at(path, str) for path in paths)
    for place, name in costs:
        kind = indicators.get(name, {}).get("data_type", "money")
        unit = str(indicators.get(name, {}).get("unit"))
        in_money = kind in ("rate", "ratio") and any(sign in unit for sign in _MONEY)
        if kind != "money" and not in_money:
            document.tell(place, "cost-not-money", name=name)
        if name in {other for _, other in performances}:
            document.tell(place, "cost-and-performance", name=name)
    for place, name in performances:
        if indicators.get(name, {"polarity": "higher"}).get("polarity") not in ("higher", "lower"):
            document.tell(place, "performance-without-direction", name=name)


def check_names_in_data(
    framework: Document, register: Document, series: Iterable[tuple[str, ...]], areas: set[str]
) -> None:
    """Check that our area has figures, and warn of groups that no breakdown of an indicator has.

    `series` are indicator, area, dimension and member of all that is stored; `areas` have figures.
    An indicator without any figures is passed over.
    """
    for place, own in framework.at("council.area_code", str):
        if own not in areas:
            framework.tell(place, "area-without-data", name=own, hint=did_you_mean(own, areas, 3))
    known: dict[str, set[str]] = {}
    for indicator, _, dimension, member in series:
        known.setdefault(indicator, set()).add(f"{dimension}: {member}")
    for place, entry in register.at("indicators.*", dict):
        groups = entry.get("reference_groups", {})
        weights, by = entry.get("standard_population", {}), entry.get("standardised_by")
        named = [((*place, "reference_groups", name), f"{name}: {groups[name]}") for name in groups]
        named += [((*place, "standard_population", name), f"{by}: {name}") for name in weights]
        if stored := known.get(str(entry.get("id"))):
            there = sorted(stored - {": "})
            check_known(register, named, there, "group", "in the data", level="warning")


def check_known(
    document: Document, found: Found, known: Collection[str], kind: str, where: str, **more: Any
) -> None:
    """Add an error for each name found that is not known, with the nearest one that is.

    `more` are further fields of the problem.
    """
    for place, name in found:
        if name not in known:
            hint = did_you_mean(name, known)
            few = "one of " + ", ".join(known) if not hint and 0 < len(known) <= 12 else ""
            facts = {"id": kind.replace(" ", "-"), "kind": kind, "name": name, "where": where}
            document.tell(place, "unknown-name", **facts, hint=hint, few=few, **more)


def check_unique(document: Document, path: str, *others: str) -> None:
    """Add an error for each name that an earlier entry has, with both lines.

    With `others`, only where these settings beside the name are the same too.
    """
    group, _, setting = path.rpartition(".")
    with_same = f" with the same {' and '.join(others)}" if others else ""
    first_lines: dict[tuple[str, ...], int] = {}
    for place, entry in document.at(group, dict):
        key = tuple(str(entry.get(name)) for name in (setting, *others))
        line = document.line((*place, setting))
        if first_lines.setdefault(key, line) != line and isinstance(entry.get(setting), str):
            facts = {"name": key[0], "with_same": with_same, "first": first_lines[key]}
            document.tell((*place, setting), "duplicate-id", **facts)


def check_period(
    document: Document, place: Place, label: object, facts: Mapping[str, Any]
) -> Period | None:
    """Return the period of a label; None, with the reason added, when it has not one meaning.

    `facts` are the declared `year_type` and `frequency`; they and the label are as raw as they
    stand in the file, and what is no text is left to the model to refuse.
    """
    if not isinstance(label, str):
        return None
    year_type = next((known for known in YEAR_STARTS if known == facts.get("year_type")), None)
    frequency = facts["frequency"] if isinstance(facts.get("frequency"), str) else None
    try:
        return parse_period(label, year_type=year_type, frequency=frequency)
    except PmfError as error:
        row = document.line(place)
        document.problems.extend(replace(p, file=document.name, row=row) for p in error.problems)
        return None


def check_wording(document: Document) -> None:
    """Check that every entry is known, keeps its slots, is short and has no word that is banned."""
    for language in get_args(Language):
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
