"""The view of a theme: the result tables and names that its three pages are made from.

And what is said of the data in it: what limits trust in them, who supplied them, and what their
owners wrote about them.
"""

import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import date
from functools import cached_property
from typing import Any

import pandas as pd

from pmf_analysis.parameters.models import Indicator
from pmf_analysis.story import asides, bank
from pmf_analysis.story.bank import count_of, say, stored, tell, told, words_of
from pmf_analysis.story.blocks import Block, Table
from pmf_analysis.story.facts import TrendFacts, written_date
from pmf_analysis.story.figures import Row, Subject, number, text

_LIMITS = ["lower_limit", "upper_limit", "mean"]
_SHOWN_PROBLEMS, _SHOWN_WORDS = 20, 60
_RECENT = 4  # newest figures among which a signal that has ended is still news


@dataclass(frozen=True)
class ThemeView:
    """The result tables of one theme, council, period and as-at date, with their names.

    ``indicators`` are those of the register. ``tables`` are the result tables, and the contract's
    ``narratives``, by their names; each is an attribute too, empty where it is not given.
    ``comparison_level`` is the level in percent at which counts are compared, ``overdispersion``
    whether the usual spread between councils is allowed for, ``easy_level`` the chance from which
    a target is met on the present course. ``roles`` are the posts that officers are named by.
    ``status_style`` is the framework's, and ``data_language`` that of the texts of register and
    data, which are marked where the page is in another.
    """

    council: str
    theme: str
    theme_title: str
    period: str
    as_at: date
    peer_set: str
    indicators: tuple[Indicator, ...]
    tables: Mapping[str, pd.DataFrame]
    notice: str = ""
    vintage: str = ""
    seed: int = 0
    comparison_level: float = 99.8
    overdispersion: bool = True
    easy_level: float = 0.85
    words: Mapping[str, str] = field(default_factory=dict)
    roles: frozenset[str] = frozenset()
    status_style: str = "spc"
    data_language: str = "en"

    def __post_init__(self) -> None:
        asides.forget()
        for kind, spoken in (("ours", "en"), ("data", self.data_language)):
            if spoken != bank.language():
                asides.note(self._texts(stored("cells.yml")["texts"][kind]), spoken)

    def _texts(self, columns: Mapping[str, list[str]]) -> Iterator[str]:
        """Yield the texts of some columns of the tables, and of some fields of the register."""
        yield from (self.theme_title, self.notice)
        for name, chosen in columns.items():
            register: list[Row] = [dict(vars(each).items()) for each in self.indicators]
            for row in register if name == "register" else rows_of(getattr(self, name)):
                yield from (text(row, column).lstrip("£% ") for column in chosen)

    def __getattr__(self, name: str) -> pd.DataFrame:
        """Return a table."""
        if name not in stored("cells.yml")["tables"]:
            raise AttributeError(name)
        if name not in self._told:
            table = self.tables.get(name, pd.DataFrame())
            labels = table.columns.intersection(stored("cells.yml")["labels"])
            named = {label: table[label].map(_told, na_action="ignore") for label in labels}
            self._told[name] = table.assign(**named) if bank.language() != "en" else table
        return self._told[name]

    @cached_property
    def _told(self) -> dict[str, pd.DataFrame]:
        """Tables with the labels of periods in the language of the page."""
        return {}

    def role(self, written: str) -> str:
        """Return a post that framework or register name; "" for any other text."""
        return written if " ".join(written.casefold().split()) in self.roles else ""

    @cached_property
    def _groups(self) -> dict[tuple[int, str], tuple[pd.DataFrame, dict[Any, pd.DataFrame]]]:
        return {}

    @cached_property
    def status_words(self) -> dict[str, str]:
        """Word of each verdict code; a council's own words come before ours."""
        return words_of("status") | dict(self.words)

    @cached_property
    def trend_facts(self) -> tuple[TrendFacts, ...]:
        """Facts of every own series of the theme, in the register's order."""
        order = {indicator.id: place for place, indicator in enumerate(self.indicators)}
        keys = {text(row, "series"): row for row in rows_of(self.trends)}
        rows = sorted(keys.items(), key=lambda item: (order[text(item[1], "indicator")], item[0]))
        return tuple(self._trend(row) for _, row in rows)

    @cached_property
    def subjects(self) -> dict[str, Subject]:
        """Every own series of the theme by its name, in the register's order."""
        return {facts.subject.series: facts.subject for facts in self.trend_facts}

    def _trend(self, row: Row) -> TrendFacts:
        points, begun = self.of_series(self.points, text(row, "series")), row.get("signal_from")
        if points.empty:
            return TrendFacts.of(row, self.council)
        known, hidden = points[points["value"].notna()], points["status"] == "suppressed"
        row = {**row, "n_hidden": int(hidden.sum())}
        if hidden[points["value"].notna() | hidden].iloc[-1:].any():
            row |= {"is_newest_hidden": True, "is_stale": False}
        held = [name for name in ("target", "target_low") if name in known.columns]
        recent = known.tail(_RECENT)
        recent = recent[recent["rule"].fillna("none") != "none"]
        lately = row["period"] - begun < pd.Timedelta(days=366) if pd.notna(begun) else False
        newest = known.loc[known["segment"] == known["segment"].max(), held]
        return TrendFacts.of(
            *(row, self.council),
            direction=int(known["direction"].fillna(0).iloc[-1:].sum()),
            judged=int(newest.notna().any(axis=1).sum()),
            has_break=known["segment"].nunique() > 1,
            has_suggestion="suggested_step" in [*self.events_of(text(row, "series"))["kind"]],
            is_lately=bool(lately),
            unusual_until="".join(recent["period_label"].tail(1)),
            since="".join(points.loc[points["period"] == begun, "period_label"]),
        )

    @cached_property
    def slugs(self) -> dict[str, str]:
        """Part of a block's id for each series: short, readable, unique in the page.

        Made from the indicator's id and the member of a breakdown, never from a title or an order,
        so that links from other documents hold when the next run has more.
        """
        slugs: dict[str, str] = {}
        for facts in self.trend_facts:
            parts = (facts.subject.indicator, facts.subject.member)
            slugged = (re.sub(r"[^a-z0-9]+", "-", part.lower()).strip("-") for part in parts)
            stem = "-of-".join(filter(None, slugged))
            same = sum(bool(re.fullmatch(rf"{stem}(-n\d+)?", other)) for other in slugs.values())
            slugs[facts.subject.series] = f"{stem}-n{same + 1}" if same else stem
        return slugs

    @cached_property
    def guesses(self) -> list[tuple[str, str, list[Indicator]]]:
        """Settings that nobody has confirmed: setting, value in words, and whose they are.

        That nobody has said which direction is good is no guess.
        """
        found = dict[tuple[str, str], list[Indicator]]()
        for setting in words_of("guess.hangs"):
            for each in (known for known in self.indicators if setting in known.guessed):
                value = getattr(each, setting, "")  # a page of a run may know less of it
                code = bank.join_words([*value]) if isinstance(value, tuple) else str(value)
                if (setting, code) != ("polarity", "unknown"):
                    found.setdefault((setting, code), []).append(each)
        named = words_of("guess.value")
        return [(setting, named.get(code, code), of) for (setting, code), of in found.items()]

    def doubts_of(self, subject: Subject) -> bank.Sentences:
        """Return what an import asked of the unit of an indicator's figures, for a whole area.

        File and row stand under data quality, which no publication has.
        """
        asked = (row for row in rows_of(self.problems) if text(row, "code") == "unit-changed")
        own = (row for row in asked if text(row, "indicator") == subject.indicator)
        return () if subject.member else told(*(bank.capital(text(row, "message")) for row in own))

    def is_guessed(self, subject: Subject, setting: str = "polarity") -> bool:
        """Whether nobody has confirmed what a setting of an indicator is taken as."""
        rows = (of for known, _, of in self.guesses if known == setting)
        return any(each.id == subject.indicator for of in rows for each in of)

    def better(self, subject: Subject) -> str:
        """Say which direction is better, and whether that was guessed."""
        said = say(f"polarity.{subject.polarity}")
        return say("guess.guessed", said=said.rstrip(".")) if self.is_guessed(subject) else said

    def of_series(self, table: pd.DataFrame, key: str, column: str = "series") -> pd.DataFrame:
        """Rows of a series, or of what another column names, oldest first."""
        if table.empty:
            return table
        # The table is kept with its groups, so that its id stays its own.
        if (id(table), column) not in self._groups:
            ordered = table.sort_values("period", kind="stable") if "period" in table else table
            groups = dict(iter(ordered.groupby(column, sort=False)))
            self._groups[id(table), column] = table, groups
        _, groups = self._groups[id(table), column]
        return groups[key] if key in groups else table.iloc[:0]

    def drawn(self, series: str) -> pd.DataFrame:
        """Points of a series as they are drawn: one that cannot be judged has no limits, no marks.

        Points left out of every judgement stay marked as such.
        """
        points = self.of_series(self.points, series)
        refused = [e.subject.series for e in self.trend_facts if e.verdict == "cannot_judge"]
        if points.empty or series not in refused:
            return points
        kinds = points["point_type"].replace("special.*", "", regex=True)
        return points.assign(**dict.fromkeys(_LIMITS, float("nan")), point_type=kinds)

    def events_of(self, series: str) -> pd.DataFrame:
        """Events of a series, oldest first, with the number that chart and notes give each."""
        rows = self.of_series(self.events, series)
        rows = rows.sort_values(["period", "kind", "text"]) if len(rows) else rows
        return rows.assign(number=range(1, len(rows) + 1))

    def packs_of(self, measure: str) -> list[Row]:
        """Rows of the theme as a whole for a measure, as they come."""
        named = {"theme": self.theme, "measure": measure}
        return [row for row in rows_of(self.packs) if named.items() <= row.items()]

    def without_series(self) -> list[Indicator]:
        """Return the indicators of the register for which there is no own series at all."""
        known = {facts.subject.indicator for facts in self.trend_facts}
        return [indicator for indicator in self.indicators if indicator.id not in known]


def _told(label: str) -> str:
    return bank.inflected("labels", label)


def rows_of(table: pd.DataFrame) -> list[Row]:
    """Return a table's rows as mappings from column to cell."""
    return [dict(row) for row in table.to_dict("records")]


def quality_blocks(view: ThemeView, table: Callable[..., Table]) -> list[Block]:
    """Show what was guessed, say what states the latest figures are in, show the problems found."""
    problems, fix = rows_of(view.problems), say("quality.contradiction_fix")
    known = ["", *(text(row, "message") for row in problems)]
    seen: list[Row] = [
        {"message": each.contradiction, "indicator": each.subject.indicator, "fix": fix}
        for each in view.trend_facts
        if each.contradiction not in known
    ]
    rows, names = [], {each.id: each.short_title or each.title for each in view.indicators}
    named = re.compile(rf"(?<![\w-])({'|'.join(map(re.escape, names)) or '(?!)'})(?![\w-])")
    for row in (*seen, *problems):
        name = text(row, "indicator")
        place = ", ".join(filter(None, [names.get(name, name), _place(row)]))
        texts = (text(row, key) for key in ("message", "fix"))
        problem, fix = (named.sub(lambda found: names[found[0]], each) for each in texts)
        rows.append({"problem": problem, "place": place, "fix": fix})
    count, rows = len(rows), rows[:_SHOWN_PROBLEMS]
    said = tell("quality", facts=view.trend_facts)
    fine = told(say("quality.fine") if view.trend_facts else "")
    found = count_of("quality.count", count) if count else say("quality.none")
    heading, guesses = say("section.quality"), guess_blocks(view, table)
    note = Block("note", "quality", heading, text=(*(said or fine), found))
    if not count:
        return [note, *guesses]
    notes = (say("quality.first", shown=len(rows), n=count),) if count > len(rows) else ()
    shown = table(say("section.quality_table"), ("problem", "place", "fix"), rows)
    return [note, *guesses, Block("table", "problems", shown.caption, table=shown, notes=notes)]


def guess_blocks(view: ThemeView, table: Callable[..., Table]) -> list[Block]:
    """Show the settings that pmf guessed and nobody has confirmed, and what hangs on each."""
    settings, hangs = words_of("guess.setting"), words_of("guess.hangs")
    rows = [
        {"guess": settings[setting], "taken": value, "hangs": hangs[setting]}
        | {"indicator": bank.join_words([each.short_title for each in of])}
        for setting, value, of in view.guesses
    ]
    if not rows:
        return []
    shown = table(say("section.guesses"), ("guess", "taken", "indicator", "hangs"), rows)
    return [Block("table", "guesses", shown.caption, table=shown, notes=(say("guess.note"),))]


def _place(row: Row) -> str:
    """Name file, sheet and row; "" where none is recorded."""
    line = number(row, "row")
    parts = [text(row, "file"), text(row, "sheet")]
    return ", ".join(filter(None, [*parts, say("section.row", row=line and f"{line:.0f}")]))


def source_line(view: ThemeView, indicator: str) -> str:
    """Name source and licence of an indicator, or say that none is recorded."""
    found = [each for each in view.indicators if each.id == indicator]
    named = (part for e in found for part in (e.source or say("source.none"), e.licence))
    parts = [part.rstrip(".") for part in named if part]
    return say("source.line", source=". ".join(parts)) or say("source.none")


def narrative_notes(view: ThemeView, indicator: str) -> tuple[str, ...]:
    """Return what the owner wrote about the newest period, each with role and date.

    Officers go by the roles that framework and register name; any other author is the
    owner. A long text has a second paragraph, which pages fold away. Filler is no reason.
    """
    if view.narratives.empty:
        return ()
    rows = view.narratives[view.narratives["indicator_id"] == indicator]
    newest = rows_of(rows[rows["period_end"] == rows["period_end"].max()])
    notes = (note for row in newest for note in _narrative(view, row) if note)
    return tuple(dict.fromkeys(notes))


def _narrative(view: ThemeView, row: Row) -> Iterator[str]:
    role = view.role(text(row, "author_role")) or say("narrative.owner")
    kind = words_of("narrative.kind").get(text(row, "kind"), text(row, "kind"))
    parts = [kind, role, written_date(row, "written_on")]
    if bank.is_filler(whole := " ".join(text(row, "text").split())):
        yield say("narrative.none") if row["kind"] == "reason" else ""
    else:
        first = bank.clip_sentences(whole, _SHOWN_WORDS).removesuffix("\u2026").rstrip()
        rest = asides.note_part(whole, whole[len(first) :].strip())
        said = "\n\n".join(told(asides.note_part(whole, first), rest))
        yield say("narrative.note", heading=", ".join(filter(None, parts)), text=said)
    yield say("narrative.due", date=written_date(row, "due_back_on_target"))
