"""The trends page, which asks whether a change is real."""

from __future__ import annotations

from collections.abc import Mapping

import pandas as pd

from pmf_analysis.story.bank import count_of, say, words_of
from pmf_analysis.story.blocks import Block
from pmf_analysis.story.facts import SIGNALS, TrendFacts
from pmf_analysis.story.pages import Page, data_rows, raw
from pmf_analysis.story.sentences import (
    assurance_sentences,
    budget_sentence,
    level_sentences,
    noise_sentences,
    picture_title,
    signal_sentence,
    trend_sentences,
    trend_title,
)
from pmf_analysis.story.style import tone_of

_COLUMNS = {
    **{"value": "value", "usual_low": "lower_limit", "usual_high": "upper_limit"},
    "target": "target",
}
_LEVELS = ("better", "worse", "higher", "lower")
_NEUTRAL = ("rising", "falling", "higher", "lower")


class TrendsPage(Page[TrendFacts]):
    """Level, change, and whether it is more than noise."""

    analysis = "trends"
    glance_columns = ("indicator", "trend", "latest", "period", "target", "status")
    key_columns = (
        *("indicator", "latest", "period", "previous", "last_year", "usual_range", "status"),
    )
    absent = ("cannot_judge", "scope.no_row")
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
        entries = {"xmr": "xmr", "xmr_rules": "xmr"}
        entries |= {name: name for name in ("mann_kendall", "recent_trend")}
        return (*(entry for entry, name in entries.items() if name in used), "trends_limits")

    def summary(self) -> tuple[str, ...]:
        """Say what happened, to which indicators, what chance explains and how fresh it is."""
        facts = self.facts
        told = self.count_verdicts("trends", self.counting_entry(), facts)
        judged = [each for each in facts if each.verdict != "cannot_judge"]
        rates = [each.chance_alone.raw for each in judged if each.chance_alone.raw is not None]
        counts = {
            "provisional": sum(each.status in ("provisional", "estimated") for each in facts),
            "stale": sum(each.is_stale for each in facts),
        }
        fresh = [count_of(f"theme.{state}", n) for state, n in counts.items() if n and judged]
        names = self.names("worsening", "worse", "improving", "better")
        return (*told, *names, *budget_sentence(rates), *fresh)

    def row(self, facts: TrendFacts) -> dict[str, str]:
        """Level, comparisons, usual range and method."""
        return {
            "indicator": facts.subject.short,
            "trend": self._spark(facts),
            "latest": facts.value.text,
            "period": facts.period_label,
            "previous": facts.previous_value.text,
            "last_year": facts.last_year_value.text,
            "usual_range": facts.subject.range(facts.lower_limit, facts.upper_limit),
            "target": facts.target.text,
            "status": facts.shown,
        }

    def _spark(self, facts: TrendFacts) -> str:
        from pmf_analysis.story.spark import draw_spark

        points = self.view.of_series(self.view.points, facts.subject.series)
        values = points["value"].astype(float).tolist() if len(points) else []
        id = f"spark-{self.view.slugs[facts.subject.series]}"
        return draw_spark(values, raw(facts.lower_limit), raw(facts.upper_limit), id=id)

    def pictures(self) -> list[Block]:
        """Return what each indicator means in words, then its chart with the data behind it."""
        blocks: list[Block] = []
        for facts in self.facts:
            id = f"finding-{self.view.slugs[facts.subject.series]}"
            said, tone = trend_sentences(facts), tone_of(facts.level)
            heading = trend_title(facts)
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
        told = (*level_sentences(facts), *noise_sentences(facts))
        states = points["status"].fillna("").str.replace("_", " ")
        rows = data_rows(subject, points, _COLUMNS)
        note = say("source.value_note", note=facts.value_note)
        id = self.view.slugs[subject.series]
        return self.figure(
            facts,
            "chart",
            picture_title(facts),
            [{**row, "note": state} for row, state in zip(rows, states, strict=True)],
            subtitle=say("subtitle.trend", title=subject.title, better=better, **slots),
            alt=" ".join((say("trend.alt", name=subject.short, **slots), *told)),
            svg=draw_spc(points, polarity=subject.polarity, id=id, **subject.scale),
            notes=(note,) if note else (),
        )

    def attention(self) -> list[str]:
        """Name what falls short of its target, then what moved for the worse or neither way."""
        short = [
            f"{each.subject.short}. {' '.join(assurance_sentences(each))}"
            for each in self.facts
            if each.assurance == "consistent_fail"
        ]
        return [*short, *self._moved("worsening", "worse"), *self._moved(*_NEUTRAL)]

    def good_news(self) -> list[str]:
        """Name what moved for the better."""
        return self._moved("improving", "better")

    def _moved(self, *levels: str) -> list[str]:
        return [
            " ".join((f"{trend_title(each)}.", signal_sentence(each), *_side(each)))
            for level in levels
            for each in self.facts
            if each.level == level
        ]


def _side(facts: TrendFacts) -> tuple[str, ...]:
    """Say on which side of its average a level is; the title of a movement says its way."""
    return noise_sentences(facts)[1:2] if facts.is_level else ()
