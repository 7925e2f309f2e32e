"""The trends page, which asks whether a change is real.

Below a chart stand its events by number and what matters less than the finding. An event's words
are written by people, and are escaped where blocks are rendered like all text.
"""

from collections import Counter
from collections.abc import Callable, Mapping
from typing import Any

import pandas as pd

from pmf_analysis.story import bank, pages, sentences, spc, strip, style
from pmf_analysis.story.bank import Sentences, count_of, say, tell, tell_cells, told, words_of
from pmf_analysis.story.blocks import Block
from pmf_analysis.story.facts import TrendFacts
from pmf_analysis.story.figures import Row, Subject, number, raw, text
from pmf_analysis.story.view import rows_of

_ADDS = "accumulation"
_SHOWN_WORDS = 40
_SHOWN_EVENTS = 6  # as many as the chart numbers
_SHOWN_STATEMENTS = 20


class TrendsPage(pages.Page[TrendFacts]):
    """Level, change, and whether it is more than noise."""

    analysis = "trends"

    @property
    def facts(self) -> tuple[TrendFacts, ...]:
        """Facts of every own series."""
        return self.view.trend_facts

    @property
    def words(self) -> Mapping[str, str]:
        """Word of each status; better and worse are meant against the series' own average."""
        return self.view.status_words | words_of("level_status")

    @property
    def methods(self) -> list[str]:
        """Methods that judged this theme."""
        used = {facts.method for facts in self.facts}
        return [name for name in super().methods if name in used]

    def summary(self) -> tuple[str, ...]:
        """Say what happened, to which indicators, what chance explains and how fresh it is."""
        facts, packs, moved = self.facts, self.view.packs_of, self.listed("whole_area")
        signals = [each for each in facts if each.is_signal]
        chance = sentences.chance_signals(packs("chance_signals"), len(signals), len(moved))
        before = sentences.off_target(packs("off_target"))
        slots = {"moved": moved, "chance": chance, "before": before}
        guessed = any(self.view.is_guessed(each.subject, _ADDS) for each in signals)
        high = max((number(row, "high") or 0 for row in packs("chance_signals")), default=0)
        slots["overlap"] = say("guess.overlap") if guessed and len(signals) > 2 * high + 1 else ""
        counts = self.count_verdicts("trends", self.counting_entry(), facts)
        return tell("trends_summary", counts=counts, facts=facts, **slots)

    def row(self, facts: TrendFacts) -> dict[str, str]:
        """Level, comparisons, usual range and arrows."""
        drawn = {key: self._spark(facts, key) for key in ("trend", "history")}
        return tell_cells("trends", facts=facts) | drawn

    def how(self, facts: TrendFacts) -> str:
        """Say on what a judgement rests, and where what is declared differs from what is seen."""
        return f"{super().how(facts)}. {facts.contradiction}".rstrip(". ")

    def _spark(self, facts: TrendFacts, name: str) -> str:
        points = self.view.of_series(self.view.points, facts.subject.series)
        values = points["value"].astype(float).tolist() if len(points) else []
        id = f"{name}-{self.view.slugs[facts.subject.series]}"
        return strip.draw_spark(values, *map(raw, facts.usual), id=id)

    def overview(self) -> list[Block]:
        """Return every trend of the theme side by side, in one figure."""
        view, panels, said = self.view, [], []
        if not (drawn := [each for each in self.facts if each.value.is_known]):
            return []
        for each in drawn:
            name, value, word = each.subject.short, each.value.text, self.words[each.shown]
            points = view.drawn(each.subject.series)
            panels.append(strip.Panel(name, value, each.shown, points, word))
            said.append(say("overview.part", name=name, value=value, word=word.lower()))
        caption = say("section.data", name=view.theme_title)
        columns = [key for key in self.shows["glance"] if key != "trend"]
        table = self._table(caption, columns, map(self.row, drawn))
        slots = {"council": view.council, "period": view.period, "n": len(drawn)}
        slots["said"] = ". ".join(said)
        svg = strip.draw_multiples(panels, id="overview")
        return [pages.picture("overview", view.theme_title, svg, table, slots=slots)]

    def pictures(self) -> list[Block]:
        """Return what each indicator means in words, then its chart with the data behind it."""
        blocks: list[Block] = []
        for facts in self.facts:
            said, heading = sentences.trend_sentences(facts), sentences.trend_title(facts)
            said = (*self._split(facts), *said)
            more = {"facts": facts.scalars(), "tone": style.tone_of(facts.level)}
            of_series = [self.finding(facts, heading, said, **more)]
            points = self.view.drawn(facts.subject.series)
            if len(points) and points["value"].notna().sum() > 1:
                of_series.append(self._chart(facts, points))
            blocks += self.beside(facts, of_series)
        return blocks

    def _split(self, facts: TrendFacts) -> Sentences:
        """Say that figures are differences of what was guessed to be running totals."""
        of = facts.subject.indicator
        totals = any(each.id == of and each.accumulation == "ytd" for each in self.view.indicators)
        if facts.shape == "ytd" or not (totals and self.view.is_guessed(facts.subject, _ADDS)):
            return ()
        return told(say("guess.split", step=sentences.step_word(facts)))

    def _chart(self, facts: TrendFacts, points: pd.DataFrame) -> Block:
        subject = facts.subject
        labels = points.loc[points["value"].notna(), "period_label"]
        ends = {"first": labels.iloc[0], "last": labels.iloc[-1]}
        slots = {**ends, "better": self.view.better(subject)}
        said = (*sentences.level_sentences(facts), *sentences.noise_sentences(facts))
        goals = points.reindex(columns=["target"])["target"].dropna().tail(1).astype(float)
        said += tuple(say("realism.target_alone", target=subject.figure(each)) for each in goals)
        rows = pages.data_rows(subject, points, bank.stored("cells.yml")["data"]["chart"])
        events, slug = self.view.events_of(subject.series), self.view.slugs[subject.series]
        svg = spc.draw_spc(points, subject, id=slug, events=events, is_stale=facts.is_stale)
        note = say("source.value_note", note=facts.value_note)
        leads = {each.id: each.leads_to for each in self.view.indicators}.get(subject.indicator)
        notes = (
            note,
            say("source.leads_to", metric=leads or ""),
            *chart_notes(facts, rows_of(events), self.view.role),
        )
        parts: Any = {"title": sentences.picture_title(facts), "notes": notes, "slots": slots}
        return self.figure(facts, "chart", lambda **_: svg, rows, *said, **parts)

    def attention(self) -> list[str]:
        """Name what falls short of its target, then what moved for the worse or neither way."""
        told, failing = sentences.assurance_sentences, self.listed("failing")
        short = (f"{each.subject.short}. {' '.join(told(each))}" for each in failing)
        hidden = bank.names_of(each for each in self.facts if each.is_newest_hidden)
        hidden = [*bank.named(say("exceptions.hidden"), hidden)]
        return [*short, *super().attention(), *self._surveyed((-1, 0)), *hidden]

    def good_news(self) -> list[str]:
        """Return what has gone well, changes between surveys among it."""
        return [*super().good_news(), *self._surveyed((1,))]

    def _surveyed(self, sides: tuple[int, ...], *, of_city: bool = False) -> list[str]:
        """Tell the changes between surveys that are for the better (1), the worse or neither."""
        moved = [e for e in self.facts if e.survey_change and e.subject.is_city == of_city]
        chosen = [e for e in moved if e.survey_change * e.subject.better_sign in sides]
        return [bank.phrase("survey_change", facts=e, better=self._guessed(e)) for e in chosen]

    def in_short(self, facts: TrendFacts) -> str:
        """Say what was seen; of a level also on which side, which the title of a movement says."""
        return " ".join(told(self._seen(facts), self._guessed(facts)))

    def _guessed(self, facts: TrendFacts) -> str:
        return self.view.better(facts.subject) if self.view.is_guessed(facts.subject) else ""

    def _seen(self, facts: TrendFacts) -> str:
        side = sentences.noise_sentences(facts)[1:2] if facts.is_level else ()
        title = f"{sentences.trend_title(facts)}."
        return " ".join((title, sentences.signal_sentence(facts), *side))

    def exceptions(self) -> list[Block]:
        """Return what needs attention and what went well, then what moved for the whole area."""
        told = [(self._seen(each), each.subject) for each in self.listed("whole_area")]
        moved = [f"{line} {self.view.better(subject)}" for line, subject in told]
        moved += self._surveyed((-1, 0, 1), of_city=True)
        found = [*super().exceptions(), *pages.words_block("finding", "whole-area", (*moved,))]
        return [*found, *self._arrows()]

    def quality(self) -> list[Block]:
        """Return what limits trust in the data, with where another system breaks its own rule."""
        differ = [row for row in self._published() if row["differs"]]
        if not differ:
            return super().quality()
        newest = sorted(differ, key=lambda row: row["period"], reverse=True)[:_SHOWN_STATEMENTS]
        rows = [self._statement(row) for row in newest]
        table = self._table(say("section.disagreements"), tuple(rows[0]), rows)
        cut = say("arrows.first", shown=len(rows), n=len(differ))
        notes = (cut,) if len(rows) < len(differ) else ()
        return [*super().quality(), pages.table_block("disagreements", table, notes=notes)]

    def _arrows(self) -> list[Block]:
        """Say what the arrows of another system were worth; nothing where it shows none."""
        rows = self._published()
        worth = Counter(text(row, "worth") for row in rows)
        slots: Any = {"system": bank.join_words(sorted({text(row, "system") for row in rows}))}
        again = [row["differs"] for row in rows if text(row, "recomputed")]
        slots |= {"differ": sum(again), "of": len(again), "not_again": len(rows) - len(again)}
        return pages.words_block("note", "arrows", tell("arrows", worth=worth, **slots))

    def _published(self) -> list[Row]:
        """Rows of what another system says itself of measures that the council controls."""
        own = [series for series, each in self.view.subjects.items() if not each.is_city]
        return [row for row in rows_of(self.view.disagreements) if row["series"] in own]

    def _statement(self, row: Row) -> dict[str, str]:
        said = {key: text(row, key) for key in ("what", "says", "recomputed", "why")}
        told = {key: words_of("published")[code] for key, code in said.items()}
        name = self.view.subjects[text(row, "series")].short
        return {"indicator": name, "period": text(row, "period_label"), **told}


def chart_notes(
    facts: TrendFacts, events: list[Row], role: Callable[[str], str] = str
) -> Sentences:
    """Return the note on the chart and one for each of its events, which have numbers.

    ``role`` returns the post that a text names, if it does.
    """
    subject, low, high = facts.subject, facts.tolerance_low, facts.tolerance_high
    edges = {"higher": low.text, "lower": high.text, "range": subject.range(low, high)}
    rebases = [row for row in events if text(row, "kind") == "rebase"]
    rebase = [{"number": row["number"], "label": text(row, "period_label")} for row in rebases]
    slots: Any = {"rebase": rebase[-1] if rebase else {}, "edge": edges.get(subject.polarity)}
    slots["cautions"] = sentences.caution_sentences(facts)[sentences.FIRST_CAUTIONS :]
    more = tell("chart_notes", facts=facts, step=sentences.step_word(facts), **slots)
    oldest = len(events) - _SHOWN_EVENTS
    shown = [row for row in events if row["number"] > oldest or row in rebases]
    left = len(events) - len(shown)
    earlier = count_of("event.earlier", left) if left else ""
    events_told = (_event_note(row, subject, role) for row in shown)
    return told(say("trend.more", text=" ".join(more)), *events_told, earlier)


def _event_note(row: Row, subject: Subject, role: Callable[[str], str]) -> str:
    """Name an event by its number: period, what happened, in whose words, and who answers."""
    kind, said = text(row, "kind"), sentences.event_words(row, subject)
    slots = {"said": bank.clip_words(said, _SHOWN_WORDS)}
    slots |= {"period": text(row, "period_label"), "owner": role(text(row, "owner"))}
    slots |= {"kind": words_of("event.kind").get(kind, ""), "number": str(row["number"])}
    return " ".join(tell("event", is_suggested=kind == "suggested_step", **slots))
