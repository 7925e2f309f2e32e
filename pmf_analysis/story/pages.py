"""What the three pages share: a page of a theme, and the sections that read alike on each.

Every indicator of the theme is on every page, judged or with the reason why not.
"""

from abc import ABC, abstractmethod
from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from operator import attrgetter
from pathlib import Path
from typing import Any, ClassVar, Generic, TypeVar

import pandas as pd

from pmf_analysis.parameters.models import Indicator
from pmf_analysis.story import bank, sentences
from pmf_analysis.story.bank import join_words, paragraph, say, stored, title, told, words_of
from pmf_analysis.story.blocks import Block, Column, Kind, Table
from pmf_analysis.story.facts import TrendFacts, target_of
from pmf_analysis.story.figures import Facts, Subject, number, text
from pmf_analysis.story.formatting import format_date
from pmf_analysis.story.view import ThemeView, narrative_notes, quality_blocks, rows_of, source_line

F = TypeVar("F", bound=Facts)
Cells = Mapping[str, str]
Rows = Sequence[Cells]
Slots = Mapping[str, Any]
Draw = Callable[..., str]

_REFUSED = ("cannot_judge", "no_verdict")
_UNJUDGED = (*_REFUSED, "position_only")
_SOURCES = ("source", "licence", "indicator")
_STANDING = ("indicator", "short", "status", "reason")
_SIDES = {"number": "right"}  # where the cells of a kind of column are set, if not to the left


def data_table(
    caption: str, columns: Sequence[str], rows: Iterable[Cells], words: Cells | None = None
) -> Table:
    """Make a table from rows of text; ``columns`` are keys, named by their entries in the bank.

    ``trend`` holds sparklines and ``status`` verdict codes; figures are set to the right. Cells of
    other columns are left out, and so is a column that is empty in every row.
    """
    cells = tuple(rows)
    named = [key for key in columns if not key.endswith("_why")]
    used = [key for key in named if not cells or any(row.get(key) for row in cells)]
    declared = stored("pages.yml")["columns"].items()
    kinds: Any = {key: (_SIDES.get(kind, "left"), kind) for kind, keys in declared for key in keys}
    made = [Column(key, say(f"column.{key}"), *kinds.get(key, ("left", "text"))) for key in used]
    empty, whys = dict.fromkeys(used, ""), {*used, *(f"{key}_why" for key in used)}
    shown = tuple(empty | {key: row[key] for key in row if key in whys} for row in cells)
    return Table(caption, tuple(made), shown, status_words=words or {})


def table_block(id: str, table: Table, *, alt: str = "", notes: tuple[str, ...] = ()) -> Block:
    """Make a block of a table, with the table's caption as its title."""
    return Block("table", id, table.caption, table=table, alt=alt, notes=notes)


def words_block(kind: Kind, id: str, said: bank.Sentences) -> list[Block]:
    """Make a block of words under the heading of its id; nothing of nothing."""
    heading = say(f"section.{id.replace('-', '_')}")
    return [Block(kind, id, heading, text=said)] if said else []


def picture(
    kind: str, name: str, svg: str, table: Table, *said: str, slots: Slots, **parts: Any
) -> Block:
    """Make a figure in the words of its kind; its text alternative ends with what is said.

    The sources are those of several indicators, unless ``parts`` have one.
    """
    subtitle, alt = (say(f"{kind}.{part}", name=name, **slots) for part in ("subtitle", "alt"))
    heading = f"{kind}.{slots.get('heading', 'title')}"
    note = say(f"{kind}.note") if "note" in words_of(kind) else ""
    parts = {"id": kind, "source": say("source.several"), "svg": svg, "table": table, **parts}
    parts["title"] = parts.get("title") or title(heading, name, **slots)
    parts["notes"] = told(note, *parts.get("notes", ()))
    return Block("figure", subtitle=subtitle, alt=" ".join(told(alt, *said)), **parts)


@dataclass(frozen=True)
class Page(ABC, Generic[F]):
    """One analysis of one theme: every section is a method that returns blocks, ready to show.

    ``results_folder`` is where its numbers are written; None outside a batch run. What a page
    shows is in ``pages.yml``; ``absent`` there is what stands for a series without facts (code and
    entry of the bank).
    """

    view: ThemeView
    results_folder: Path | None = None

    analysis: ClassVar[str]

    @property
    def shows(self) -> dict[str, list[Any]]:
        """What the page shows."""
        return dict(stored("pages.yml")[self.analysis])

    @property
    def methods(self) -> list[str]:
        """Entries of the bank that say how the page judges, and what it cannot tell."""
        return self.shows["methods"]

    @property
    @abstractmethod
    def facts(self) -> tuple[F, ...]:
        """Facts of the page's rows, in the order of the register."""

    @property
    def more_facts(self) -> Sequence[Facts]:
        """Facts of other things than the page's rows, for the results."""
        return ()

    @abstractmethod
    def summary(self) -> tuple[str, ...]:
        """Say in a few sentences what the page found; there are figures."""

    @abstractmethod
    def row(self, facts: F) -> dict[str, str]:
        """Cells of both tables."""

    @abstractmethod
    def in_short(self, facts: F) -> str:
        """Paragraph on a row that needs attention or has gone well."""

    @abstractmethod
    def pictures(self) -> list[Block]:
        """Return each indicator's finding and charts."""

    @property
    def words(self) -> Cells:
        """Word of each status code on this page."""
        return self.view.status_words

    def listed(self, name: str) -> list[F]:
        """Facts that have what a rule of a list of the page asks for, by the order of its rules."""
        rules = self.shows[name]
        return [facts for rule in rules for facts in self.facts if _has(facts, rule)]

    def attention(self) -> list[str]:
        """Paragraphs on what needs attention, the unfavourable first."""
        return [*map(self.in_short, self.listed("attention"))]

    def good_news(self) -> list[str]:
        """Paragraphs on what has gone well."""
        return [*map(self.in_short, self.listed("good_news"))]

    def headline(self) -> list[Block]:
        """Return the finding and the table of every indicator at a glance.

        A theme without indicators says so and what to do about it; one without figures has no
        table.
        """
        theme, rows = self.view.theme_title, self.rows()
        if not self.view.indicators:
            said = (say("theme.none"), say("theme.none_next"))
            return [Block("finding", "headline", say("section.nothing", theme=theme), text=said)]
        view, slots = self.view, {"theme": theme, "period": self.view.period}
        known = view.trend_facts
        refused = [row for row in self._standings() if row["status"] in _REFUSED]
        reasons = [(bank.clip_words(row["short"], 6), row["reason"]) for row in refused]
        # The lede, then short lines.
        refusals = sentences.unjudged(reasons)
        found = (*self.summary(), *refusals) if known else (say("theme.no_data"),)
        of = {each.id for *_, named in view.guesses for each in named}
        guessed = bank.count_of("guess.first", len(of), of=len(view.indicators)) if of else ""
        heading = say("section.headline", **slots)
        finding = Block("finding", "headline", heading, text=told(guessed, *found))
        table = self._table(say("section.at_a_glance", **slots), self.shows["glance"], rows)
        return [finding, table_block("at-a-glance", table)] if rows else [finding]

    def scope(self) -> list[Block]:
        """Return every indicator of the theme: judged and how, or not judged and why."""
        if not self.view.indicators:
            return [*words_block("note", "scope", (say("theme.none"),)), self.cannot_tell()]
        caption = say("section.scope_table", theme=self.view.theme_title)
        counts = (say("scope.counts", n=len(self.view.indicators)),)
        table = self._table(caption, ("indicator", "status", "reason"), self._standings())
        return [table_block("scope", table, notes=counts), self.cannot_tell()]

    def cannot_tell(self) -> Block:
        """Return the box of what the page cannot tell."""
        said = tuple(words_of(f"cannot_tell.{self.analysis}").values())
        return words_block("finding", "cannot-tell", said)[0]

    def key_figures(self) -> list[Block]:
        """Return the numbers in one table, whose plain text nbval compares."""
        caption = say("section.key_figures", period=self.view.period)
        table = self._table(caption, self.shows["key"], self.rows())
        return [table_block("key-figures", table, alt=table.plain_text)] if table.rows else []

    def exceptions(self) -> list[Block]:
        """Return what needs attention, or that nothing does; then what has gone well."""
        said = tuple(dict.fromkeys(self.attention()))
        heading = say("section.exceptions" if said else "section.no_exceptions")
        text = said or (say("exceptions.none"),)
        blocks = [Block("finding", "exceptions", heading, text=text)]
        if good := tuple(dict.fromkeys(self.good_news())):
            heading = say(f"section.good_news.{self.analysis}")
            blocks.append(Block("finding", "good-news", heading, text=good))
        return blocks

    def quality(self) -> list[Block]:
        """Return what limits trust in the data: states of figures, then problems found."""
        return quality_blocks(self.view, self._table)

    def method(self) -> list[Block]:
        """Return by which methods the page judges, and what they cannot tell."""
        level = f"{self.view.comparison_level:g}"
        lines = tuple(say(f"method.{entry}", level=level) for entry in (*self.methods, "more"))
        return [Block("method", "method", say("section.method"), text=lines)]

    def provenance(self) -> list[Block]:
        """Return sources, licences, as-at date and content hash; nothing of clock or machine."""
        view, sources = self.view, dict[tuple[str, str], list[str]]()
        for each in view.indicators:
            names = sources.setdefault((each.source, each.licence), [])
            names.append(each.short_title or each.title)
        rows = [dict(zip(_SOURCES, (*of, join_words(n)), strict=True)) for of, n in sources.items()]
        slots = {"notice": view.notice, "files": self.shows["files"], "seed": view.seed}
        slots |= {"as_at": format_date(view.as_at), "hash": view.vintage[:12], "sources": rows}
        note = words_block("provenance", "provenance", bank.tell("provenance", **slots))
        table = self._table(say("section.sources_table", theme=view.theme_title), _SOURCES, rows)
        return [*note, table_block("sources", table)] if rows else note

    def rows(self) -> list[dict[str, str]]:
        """Cells of every row of the page's tables."""
        return [self.row(facts) for facts in self.facts]

    def how(self, facts: F) -> str:
        """Say on what a judgement rests: by which method and on how many figures."""
        name = words_of("method_name").get(facts.method or "none", facts.method.replace("_", " "))
        return bank.count_of("scope.judged_by", facts.n, method=name)

    def standing(self, facts: F) -> tuple[str, str]:
        """Status and reason of a series in the table of what is covered."""
        code = facts.verdict if facts.verdict in _UNJUDGED else "judged"
        reason = facts.reason if facts.verdict in _REFUSED else ""
        return code, bank.reason_words(reason) if reason else self.how(facts)

    def why_not(self, indicator: Indicator) -> str:
        """Say why an indicator has nothing on this page."""
        if indicator not in self.view.without_series():
            return say(self.shows["absent"][1])
        return say("scope.no_row" if indicator.is_chartable else "scope.not_numeric")

    def finding(self, trend: TrendFacts, title: str, said: Iterable[str], **more: Any) -> Block:
        """Make the finding of an indicator, with the age of an old figure.

        ``anchor`` names one of several, the first of which has the address of the indicator too.
        ``second`` are the sentences of a second paragraph, after which an age is a note.
        """
        anchor, is_first = more.pop("anchor", ""), more.pop("is_first", True)
        aged, second = sentences.age_sentences(trend), paragraph(more.pop("second", ()))
        doubts = self.view.doubts_of(trend.subject)
        notes = (*more.pop("notes", ()), *(aged if second else ()), *doubts)
        id = f"finding-{self.view.slugs[trend.subject.series]}"
        if anchor and is_first:
            more["facts"] = {**more.get("facts", {}), "address": f"{id}-{anchor}"}
        id += "" if is_first else f"-{anchor}"
        text = paragraph(dict.fromkeys((*said, *(() if second else aged))))
        return Block("finding", id, title, text=(*text, *second), notes=notes, **more)

    def beside(self, trend: TrendFacts, blocks: Sequence[Block]) -> list[Block]:
        """Set the owner's words beside an indicator's first figure, or its finding without one."""
        said = narrative_notes(self.view, trend.subject.indicator)
        first = next((block for block in blocks if block.kind == "figure"), blocks[0])
        return [replace(each, commentary=said) if each is first else each for each in blocks]

    def figure(
        self, facts: Facts, kind: str, draw: Draw, rows: Rows, *said: str, slots: Slots, **more: Any
    ) -> Block:
        """Make a figure of a series with its source and data; what its last row holds are slots."""
        subject, id = facts.subject, f"{kind}-{self.view.slugs[facts.subject.series]}"
        ends = {end: row.get("period") for end, row in (("first", rows[0]), ("last", rows[-1]))}
        slots = {**ends, **rows[-1], "title": subject.title, "council": self.view.council, **slots}
        # The names of rolling periods hold a "to" of their own.
        kind_of_span = "span_of_long" if len(str(slots["first"]).split()) > 2 else "span"
        slots["span"] = say(f"chart.{kind_of_span}", **slots)
        table = data_table(say("section.data", name=subject.short), tuple(rows[0]), rows)
        more |= {"id": id, "facts": facts.scalars()}
        more["source"] = source_line(self.view, subject.indicator)
        kind = kind.partition("-")[0]
        return picture(kind, subject.short, draw(id=id), table, *said, slots=slots, **more)

    def count_verdicts(
        self, group: str, entry: str, facts: Sequence[Facts], named: Sequence[str] | None = None
    ) -> tuple[str, ...]:
        """Count the verdicts in words, and name who has those of ``named`` or the page."""
        counts, shows = Counter(each.shown for each in facts), self.shows
        seen = [(code, counts[code]) for code in shows["verdicts"]]
        slots = {"counts": sentences.counted(group, entry, seen, len(facts)), "words": self.words}
        codes = shows["named"] if named is None else named
        return bank.tell("counts", facts=facts, codes=codes, **slots)

    def counting_entry(self) -> str:
        """Return which entry counts: all indicators of the theme, some, or breakdowns too."""
        counted = {each.subject.indicator for each in self.facts}
        if len(counted) < len(self.facts):
            return "theme.of_series"
        return "theme.of" if len(counted) == len(self.view.indicators) else "theme.of_some"

    def _table(self, caption: str, columns: Sequence[str], rows: Iterable[Cells]) -> Table:
        return data_table(caption, columns, rows, self.words)

    def _standings(self) -> list[Cells]:
        """Title, short title, status and reason of every series and of indicators without one."""
        found: dict[str, tuple[str, str]] = {}
        for facts in self.facts:
            if found.get(facts.subject.series, _UNJUDGED)[0] in _UNJUDGED:
                found[facts.subject.series] = self.standing(facts)
        code, entry = self.shows["absent"]
        subjects = [facts.subject for facts in self.view.trend_facts]
        told = [(s.title, s.short, *found.get(s.series, (code, say(entry)))) for s in subjects]
        for each in self.view.without_series():
            name = each.short_title or each.title
            told.append((each.title, name, "cannot_judge", self.why_not(each)))
        return [dict(zip(_STANDING, row, strict=True)) for row in told]


def _has(facts: Facts, rule: Mapping[str, Any]) -> bool:
    return all(attrgetter(name)(facts) == value for name, value in rule.items())


def data_rows(subject: Subject, table: pd.DataFrame, columns: Cells) -> list[dict[str, str]]:
    """Numbers of each row of a result table; ``columns`` go by the key of their cell.

    Before them stands the period, or of a table of councils their names, our own first.
    """
    spelled, of_peers = stored("cells.yml")["spelled"], "is_own" in table.columns
    if of_peers:
        table = table.sort_values(["is_own", "area_name"], ascending=[False, True])
    rows = []
    for row in rows_of(table):
        council = subject.council if of_peers and row["is_own"] else text(row, "area_name")
        cells = {"council": council} if of_peers else {"period": text(row, "period_label")}
        for key, name in columns.items():
            how, code = spelled.get(key, "value"), text(row, name)
            told = words_of("figure_status").get(code, code.replace("_", " "))
            cells[key] = told if how == "text" else subject.figure(number(row, name), how).text
        if "target" in columns:
            cells["target"] = target_of(row, subject).text
        if cells.get("value") == "" and text(row, "status"):
            cells["value_why"] = text(row, "status")
        rows.append(cells)
    return rows
