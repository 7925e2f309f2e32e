"""The trends page, which asks whether a change is real."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import pandas as pd

from pmf_analysis.story import sentences
from pmf_analysis.story.bank import count_of, say, title, words_of
from pmf_analysis.story.blocks import Block
from pmf_analysis.story.chart_notes import chart_notes
from pmf_analysis.story.facts import SIGNALS, TrendFacts
from pmf_analysis.story.pages import Page, data_rows, raw
from pmf_analysis.story.style import tone_of
from pmf_analysis.story.theme_sentences import chance_signals, off_target
from pmf_analysis.story.view import rows_of

_COLUMNS = {"value": "value", "usual_low": "lower_limit", "usual_high": "upper_limit"}
_COLUMNS |= {"target": "target"}
_METHODS = ("xmr", "mann_kendall", "recent_trend")
_LEVELS = ("better", "worse", "higher", "lower")
_NEUTRAL = ("rising", "falling", "higher", "lower")


class TrendsPage(Page[TrendFacts]):
    """Level, change, and whether it is more than noise."""

    analysis = "trends"
    glance_columns = ("indicator", "trend", "latest", "period", "target", "status")
    key_columns = (
        *("indicator", "history", "latest", "period", "previous", "last_year", "usual_range"),
        *("arrows", "status"),
    )
    absent = ("cannot_judge", "scope.no_row")
    files = ("audit",)
    verdicts = (*SIGNALS, *_LEVELS, "no_clear_change", "no_status", "cannot_judge")

    @property
    def facts(self) -> tuple[TrendFacts, ...]:
        """Facts of every own series."""
        return self.view.trend_facts

    @property
    def words(self) -> Mapping[str, str]:
        """Word of each status; better and worse are meant against the series' own average."""
        return self.view.status_words | words_of("level_status")

    @property
    def methods(self) -> tuple[str, ...]:
        """Methods that judged this theme, and what they cannot tell."""
        used = {facts.method for facts in self.facts}
        return (*(name for name in _METHODS if name in used), "trends_limits")

    def summary(self) -> tuple[str, ...]:
        """Say what happened, to which indicators, what chance explains and how fresh it is."""
        facts = self.facts
        told = self.count_verdicts("trends", self.counting_entry(), facts)
        judged = any(each.verdict != "cannot_judge" for each in facts)
        signals = [each for each in facts if each.is_signal]
        of_city = sum(each.subject.is_city for each in signals)
        chance = chance_signals(self.view.packs_of("chance_signals"), len(signals), of_city)
        before = off_target(self.view.packs_of("off_target"))
        early = sum(each.status in ("provisional", "estimated") for each in facts)
        counts = {"provisional": early, "stale": sum(each.is_stale for each in facts)}
        fresh = [count_of(f"theme.{state}", n) for state, n in counts.items() if n and judged]
        names = self.names("worsening", "worse", "improving", "better")
        return (*told, *names, *chance, *before, *fresh)

    def row(self, facts: TrendFacts) -> dict[str, str]:
        """Level, comparisons, usual range and arrows."""
        words = words_of("trend.arrow.word")
        arrows = {"short": words.get(facts.arrow_short), "long": words.get(facts.arrow_long)}
        return {
            "indicator": facts.subject.short,
            **{key: self._spark(facts, key) for key in ("trend", "history")},
            "latest": facts.value.text,
            "period": facts.period_label,
            "previous": facts.previous_value.text,
            "last_year": facts.last_year_value.text,
            "usual_range": facts.subject.range(facts.lower_limit, facts.upper_limit),
            "target": facts.target.text,
            "arrows": say("trend.arrow.both", **arrows),
            "status": facts.shown,
        }

    def how(self, facts: TrendFacts) -> str:
        """Say on what a judgement rests, and where what is declared differs from what is seen."""
        return f"{super().how(facts)}. {facts.contradiction}".rstrip(". ")

    def _spark(self, facts: TrendFacts, name: str) -> str:
        from pmf_analysis.story.spark import draw_spark

        points = self.view.of_series(self.view.points, facts.subject.series)
        values = points["value"].astype(float).tolist() if len(points) else []
        id = f"{name}-{self.view.slugs[facts.subject.series]}"
        return draw_spark(values, raw(facts.lower_limit), raw(facts.upper_limit), id=id)

    def overview(self) -> list[Block]:
        """Return every trend of the theme side by side, in one figure."""
        from pmf_analysis.story.multiples import Panel, draw_multiples

        view, panels, said = self.view, [], []
        drawn = [each for each in self.facts if each.value.is_known]
        for each in drawn:
            name, value, word = each.subject.short, each.value.text, self.words[each.shown]
            points = view.of_series(view.points, each.subject.series)
            panels.append(Panel(name, value, each.shown, points, word))
            said.append(say("trend.overview_part", name=name, value=value, word=word.lower()))
        if not drawn:
            return []
        heading = title("section.overview", view.theme_title)
        caption = say("section.data", name=view.theme_title)
        columns = [key for key in self.glance_columns if key != "trend"]
        parts: dict[str, Any] = {
            "subtitle": say("subtitle.overview", council=view.council, period=view.period),
            "alt": say("trend.overview", n=len(drawn), said="; ".join(said)),
            "svg": draw_multiples(panels, id="overview"),
            "table": self._table(caption, columns, map(self.row, drawn)),
            "source": say("compare.strip_source"),
        }
        return [Block("figure", "overview", heading, **parts)]

    def pictures(self) -> list[Block]:
        """Return what each indicator means in words, then its chart with the data behind it."""
        blocks: list[Block] = []
        for facts in self.facts:
            id = f"finding-{self.view.slugs[facts.subject.series]}"
            said, tone = sentences.trend_sentences(facts), tone_of(facts.level)
            heading = sentences.trend_title(facts)
            blocks.append(self.finding(facts, id, heading, said, facts=facts.scalars(), tone=tone))
            points = self.view.of_series(self.view.points, facts.subject.series)
            if len(points) and points["value"].notna().any():
                blocks.append(self._chart(facts, points))
        return blocks

    def _chart(self, facts: TrendFacts, points: pd.DataFrame) -> Block:
        from pmf_analysis.story.spc import draw_spc

        subject = facts.subject
        labels = points.loc[points["value"].notna(), "period_label"]
        slots = {"first": labels.iloc[0], "last": labels.iloc[-1], "council": self.view.council}
        better = say(f"polarity.{subject.polarity}")
        told = (*sentences.level_sentences(facts), *sentences.noise_sentences(facts))
        states = points["status"].fillna("").str.replace("_", " ")
        rows = data_rows(subject, points, _COLUMNS)
        events = self.view.events_of(subject.series)
        note = say("source.value_note", note=facts.value_note)
        looks = {**subject.scale, "events": events, "neutral": subject.is_city}
        looks["is_stale"] = facts.is_stale
        id = self.view.slugs[subject.series]
        return self.figure(
            facts,
            "chart",
            sentences.picture_title(facts),
            [{**row, "note": state} for row, state in zip(rows, states, strict=True)],
            subtitle=say("subtitle.trend", title=subject.title, better=better, **slots),
            alt=" ".join((say("trend.alt", name=subject.short, **slots), *told)),
            svg=draw_spc(points, polarity=subject.polarity, id=id, **looks),
            notes=(*filter(None, [note]), *chart_notes(facts, rows_of(events))),
        )

    def attention(self) -> list[str]:
        """Name what falls short of its target, then what moved for the worse or neither way."""
        failing = [each for each in self.facts if each.assurance == "consistent_fail"]
        told = sentences.assurance_sentences
        short = [f"{each.subject.short}. {' '.join(told(each))}" for each in failing]
        return [*short, *self._moved("worsening", "worse"), *self._moved(*_NEUTRAL)]

    def good_news(self) -> list[str]:
        """Name what moved for the better."""
        return self._moved("improving", "better")

    def _moved(self, *levels: str) -> list[str]:
        return [
            " ".join((f"{sentences.trend_title(each)}.", *_told(each)))
            for level in levels
            for each in self.facts
            if each.level == level
        ]


def _told(facts: TrendFacts) -> tuple[str, ...]:
    """Say what was seen; of a level also on which side, which the title of a movement says."""
    side = sentences.noise_sentences(facts)[1:2] if facts.is_level else ()
    return (sentences.signal_sentence(facts), *side)
