"""What follows from a comparison: whether it holds, whom to ask, who differs, what it costs.

Every part is a list of blocks, empty where nothing is known, so that no section has no content.
"""

from collections.abc import Collection, Hashable, Sequence
from dataclasses import replace
from itertools import chain
from typing import Any

import pandas as pd

from pmf_analysis.measures.arrays import SENTENCES
from pmf_analysis.measures.equality import WHOLE
from pmf_analysis.story import bank, formatting, funnel, sentences
from pmf_analysis.story.bank import listed, say, say_first, stored, tell_cells, title, words_of
from pmf_analysis.story.blocks import Block, Column, Table
from pmf_analysis.story.facts import ComparisonFacts, without_status, written_date
from pmf_analysis.story.figures import Facts, Row, Subject, number, text
from pmf_analysis.story.pages import data_rows, data_table, picture
from pmf_analysis.story.view import ThemeView, rows_of

_MOST_LEADS = 3
_MOST_GROUPS = 24
_ORDER = ("worse", "better", "higher", "lower", "similar", "cannot_judge")
_KINDS = ("cost", "performance")


def leads_of(view: ThemeView, facts: Sequence[ComparisonFacts]) -> list[Facts]:
    """Facts of the leads in the view's peer set; indicators that need attention come first."""
    if view.leads.empty:
        return []
    needed = sorted(facts, key=lambda each: not (each.is_behind or each.verdict == "worse"))
    leads = view.leads[view.leads["peer_set"] == view.peer_set].sort_values("place")
    leads = leads.rename(columns={"lower": "lead_lower", "upper": "lead_upper"})
    return [
        Facts.read(row, replace(each.subject, area=text(row, "area")), "lead")
        for each in needed
        for row in rows_of(leads[leads["series"] == each.subject.series])
    ]


def equality_of(view: ThemeView) -> list[Facts]:
    """Facts of every group beside the others, those that do worse first."""
    if view.equality.empty:
        return []
    groups = view.equality.sort_values(["dimension", "dimension_value", "reference"])
    prefix = groups["dimension"] + "=" + groups["dimension_value"] + ": "
    words = {"": say("further.others"), WHOLE: say("further.whole")}
    others = groups["reference"].replace(words)
    groups = groups.assign(of_group=prefix, others=others)
    of_series = {key: rows_of(rows) for key, rows in groups.groupby("series")}
    found = []
    for each in view.subjects.values():
        for row in of_series.get(each.series, []):
            sign = formatting.rounded_sign(number(row, "difference") or 0.0, each.decimals)
            verdict = without_status(text(row, "verdict"), each, sign)
            found.append(Facts.read(row, each, "group", verdict=verdict))
    return sorted(found, key=lambda each: _ORDER.index(each.verdict))


def robustness_blocks(view: ThemeView, facts: Sequence[ComparisonFacts]) -> list[Block]:
    """Show every verdict in every declared group and among the nearest members of the chosen one.

    Measures of the whole area are left out, since they have no verdict. Below are the groups with
    source, date and method.
    """
    sets = {text(row, "peer_set"): row for row in rows_of(view.comparisons)}
    titles = {name: text(row, "peer_set_title") or name for name, row in sets.items()}
    names = sorted(sets, key=lambda name: (name != view.peer_set, titles[name]))
    about = [_about(titles[name], sets[name]) for name in names]
    rows = [_holds(view, each) for each in facts if not each.subject.is_city]
    used, heading = {key for row in rows for key in row}, say("further.title.robust")
    if len(used) < 3:
        said = (say("further.one_set"), *about)
        return [Block("note", "robustness", heading, text=said)] if len(names) == 1 else []
    labels = {"indicator": say("column.indicator"), **{name: titles[name] for name in names}}
    labels["nearest"] = say("further.nearest")
    columns = tuple(Column(key, label) for key, label in labels.items() if key in used)
    table = Table(say("further.table.robust"), columns, tuple(row for row in rows if len(row) > 1))
    notes = (say("further.robust_note"), *about)
    return [Block("table", "robustness", heading, table=table, notes=notes)]


def _about(title: str, row: Row) -> str:
    date, source = written_date(row, "peer_set_as_at"), text(row, "peer_set_source")
    source, method = source or say("further.no_source"), text(row, "peer_set_method")
    dated = say("further.as_at", source=source, date=date if date not in source else None)
    slots = {"title": title, "method": bank.reason_words(method).rstrip(".")}
    slots["source"] = dated or source
    return say("further.set", **slots) or say("further.set_alone", **slots)


def _holds(view: ThemeView, facts: ComparisonFacts) -> dict[str, str]:
    """Place and verdict in each group, and among how many of the nearest members it holds."""
    cells, agrees = {"indicator": facts.subject.short}, []
    for row in rows_of(view.of_series(view.robustness, facts.subject.series)):
        agreed, name = number(row, "agrees"), text(row, "peer_set")
        if row["verdict"] == "cannot_judge":
            continue
        if not number(row, "k"):
            other = ComparisonFacts.of(row, facts.subject)
            word, place = view.status_words[other.verdict].lower(), sentences.rank_words(other)
            word = word if other.verdict != "position_only" else ""
            cells[name] = say("further.verdict", place=place, word=word) or place or word
        elif name == view.peer_set and agreed is not None:
            agrees.append(agreed)
    nearest = say("further.of", same=f"{sum(agrees):.0f}", of=len(agrees))
    return cells | ({"nearest": nearest} if agrees else {})


def _section(id: str, said: Sequence[str], *table: Any, notes: Sequence[str] = ()) -> list[Block]:
    """Make a section with its table (rows, words), or what is said; nothing of nothing."""
    heading = say(f"further.title.{id}")
    if table and table[0]:
        made = data_table(say(f"further.table.{id}"), stored("cells.yml")["columns"][id], *table)
        return [Block("table", id, heading, text=tuple(said), table=made, notes=tuple(notes))]
    return [Block("note", id, heading, text=tuple(said))] if said else []


def lead_blocks(leads: Sequence[Facts], compared: Sequence[ComparisonFacts]) -> list[Block]:
    """Name councils that improved beyond chance from a like start, or say that none stands out."""
    out = [each for each in leads if each.stands_out]
    shown = [_lead_cells(each) for each in out if each.place <= _MOST_LEADS]
    found, tried = ({each.subject.short for each in some} for some in (out, leads))
    names = [each.subject.short for each in compared if leads]
    lists = {"none": [e for e in names if e in tried - found]}
    lists["not"] = [e for e in names if e not in tried]
    nobody = [_about_leads(entry, some) for entry, some in lists.items() if some]
    said = (say("further.leads_note"), say("further.leads_shrunk")) if shown else nobody
    return _section("leads", said, shown, notes=nobody)


def _about_leads(entry: str, names: Sequence[str]) -> str:
    return listed(names, lambda names: say(f"further.leads.{entry}", names=names))


def _lead_cells(facts: Facts) -> dict[str, str]:
    return tell_cells("leads", facts=facts) | {"expected": _with_range(facts, "shrunken", "lead")}


def _with_range(facts: Facts, name: str, of_ends: str) -> str:
    """Write a signed number with its range, which is without the unit."""
    places, middle = facts.subject.decimals, facts.more[name]
    known = (facts.more[f"{of_ends}_{end}"].raw for end in ("lower", "upper"))
    low, high = (None if end is None else formatting.format_number(end, places) for end in known)
    ends = say("number.range", low=low, high=high)
    level = number(facts.row, "level")
    slots = {"value": middle, "range": ends, "level": None if level is None else f"{level:.3g}"}
    return say_first("further.ranged.level", "further.ranged.plain", **slots) or middle.text


def equality_blocks(view: ThemeView, groups: Sequence[Facts]) -> list[Block]:
    """Set each group beside the others, with the interval of the difference."""
    n = sum(each.is_chartable for each in view.indicators)
    if not groups:
        return _section("equality", bank.told(say("further.equality_none", n=n or None)))
    held = len({each.subject.indicator for each in groups})
    refused = [each for each in groups if each.verdict == "cannot_judge"]
    names = [f"{each.subject.short} ({each.dimension_value})" for each in refused]
    reasons = [*zip(names, (bank.reason_words(each.reason) for each in refused), strict=True)]
    said = (say("further.equality_counts", k=held, n=n),)
    rows = [_group_cells(view, each) for each in groups[:_MOST_GROUPS]]
    rest = len(groups) if len(groups) > _MOST_GROUPS else None
    more = say("further.equality_more", shown=_MOST_GROUPS, n=rest)
    notes = bank.told(say("further.equality_note"), *sentences.unjudged(reasons), more)
    return _section("equality", said, rows, view.status_words, notes=notes)


def _group_cells(view: ThemeView, facts: Facts) -> dict[str, str]:
    cells = tell_cells("equality", facts=facts, words=view.status_words)
    cells["difference"] = _with_range(facts, "difference", "difference")
    is_hidden = facts.reason == SENTENCES["group_hidden"]
    hidden = ("value", "others_value", "difference") if is_hidden else ()
    return cells | {f"{key}_why": "suppressed" for key in hidden if not cells[key]}


def group_attention(groups: Sequence[Facts]) -> list[str]:
    """Name the groups that do worse beyond chance, those of an indicator together, widest first."""
    worse: dict[str, list[str]] = {}
    for each in sorted(groups, key=lambda group: -abs(group.difference.raw or 0.0)):
        if each.verdict == "worse":
            word = say("further.equality_one", facts=each, name=each.subject.short)
            entry = "widening" if each.trend == "widening" else "plain"
            worse.setdefault(word, []).append(say(f"further.equality_group.{entry}", facts=each))
    return [*chain(*(bank.named(word, names) for word, names in worse.items()))]


def value_blocks(view: ThemeView) -> list[Block]:
    """Set cost beside performance for every declared pair, in words and if possible a picture."""
    blocks: list[Block] = []
    for pair, rows in view.value.groupby("pair", sort=True) if len(view.value) else ():
        own = rows[rows["is_own"].astype(bool) & rows["is_newest"].astype(bool)]
        id = f"value-{pair}".replace("_", "-")
        blocks += [_value_block(view, id, rows, row) for row in rows_of(own)]
    return blocks


def _value_block(view: ThemeView, id: str, rows: pd.DataFrame, own: Row) -> Block:
    subjects = {kind: _subject(view, own, kind) for kind in _KINDS}
    facts = Facts.read(own, subjects["cost"], "pair")
    said = (" ".join(bank.tell("value", facts=facts, council=view.council)),)
    name, words = text(own, "title"), words_of("further.quadrant")
    heading = title("value.title", name)
    drawn = rows.dropna(subset=["cost_percentile", "performance_percentile"])
    newest = drawn[drawn["is_newest"].astype(bool)]
    if not newest["is_own"].astype(bool).any():
        return Block("note", id, heading, text=said)
    sides = (data_rows(subjects[kind], newest, {kind: f"{kind}_value"}) for kind in _KINDS)
    cells = [cost | performance for cost, performance in zip(*sides, strict=True)]
    slots = {"council": view.council, "period": text(own, "year_label"), "n": len(newest) - 1}
    slots |= {kind: subjects[kind].title for kind in _KINDS}
    table = data_table(say("section.data", name=heading), ("council", *_KINDS), cells)
    svg = funnel.draw_quadrant(drawn, words=words, id=id, own_name=view.council)
    return picture(
        "value", name, svg, table, *said, slots=slots, id=id, text=said, facts=facts.scalars()
    )


def _subject(view: ThemeView, own: Row, kind: str) -> Subject:
    """Return what a side of a pair is; of one outside the theme no unit is known."""
    id = text(own, f"{kind}_indicator")
    row: dict[Hashable, Any] = {"indicator": id, "title": text(own, f"{kind}_title")}
    units = [{"unit": i.unit, "decimals": i.decimals} for i in view.indicators if i.id == id]
    return Subject.of({**row, **dict(*units)}, view.council)


def could_compare(view: ThemeView, compared: Collection[str]) -> list[Block]:
    """List what could be compared of indicators that are not, where it is published, and how to."""
    tools, rows = words_of("further.tool"), []
    for each in view.indicators:
        if each.is_chartable and each.id not in compared:
            named = dict.fromkeys(ref.partition(":")[0] for ref in each.framework_refs)
            refs = [tools.get(name, name) for name in named]
            places = bank.told(*refs, say("further.return", name=each.sdl_ref), each.source_url)
            public, name = bank.join_words(places), each.short_title or each.title
            cells = {"indicator": name, "public": public or say("further.local")}
            rows.append(cells | {"source": each.source})
    notes = (say("further.could_note"), say("further.could_public"))
    return _section("could", (), rows, notes=notes)
