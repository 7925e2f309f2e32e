"""The benchmarking page, which asks how the council compares with similar ones."""

from __future__ import annotations

from functools import cached_property

import pandas as pd

from pmf_analysis.story import sentences
from pmf_analysis.story.bank import say, title, words_of
from pmf_analysis.story.blocks import Block
from pmf_analysis.story.facts import ComparisonFacts, TrendFacts
from pmf_analysis.story.figures import text
from pmf_analysis.story.pages import Page, data_rows, data_table
from pmf_analysis.story.strip import StripRow, draw_gap, draw_strip
from pmf_analysis.story.style import tone_of
from pmf_analysis.story.theme_sentences import chance_among_tested, named
from pmf_analysis.story.view import ThemeView, rows_of

_FEWEST_GAPS = 3


def comparisons_of(view: ThemeView) -> tuple[ComparisonFacts, ...]:
    """Return facts of each series beside the view's peer set, in the order of the register."""
    rows = {
        text(row, "series"): row
        for row in rows_of(view.comparisons)
        if text(row, "peer_set") == view.peer_set
    }
    subjects = [facts.subject for facts in view.trend_facts if facts.subject.series in rows]
    return tuple(ComparisonFacts.of(rows[subject.series], subject) for subject in subjects)


class BenchmarkingPage(Page[ComparisonFacts]):
    """Level beside similar councils, what the difference may mean, and where the gap goes."""

    analysis = "benchmarking"
    glance_columns = ("indicator", "compared", "period", "median", "rank", "status", "evidence")
    key_columns = (
        *("indicator", "compared", "period", "median", "rank", "gap", "gap_trend", "status"),
    )
    absent = ("cannot_judge", "scope.no_peers")
    verdicts = (
        *("better", "worse", "higher", "lower", "similar"),
        *("position_only", "no_status", "cannot_judge"),
    )
    methods = ("compare", "compare_label", "compare_limits")

    @cached_property
    def facts(self) -> tuple[ComparisonFacts, ...]:
        """Facts of each series beside the view's peer set."""
        return comparisons_of(self.view)

    def summary(self) -> tuple[str, ...]:
        """Say how many indicators are better, similar or worse, and which."""
        if not self.facts:
            return (say("theme.no_comparison"),)
        counts = self.count_verdicts("benchmarking", self.counting_entry(), self.facts)
        peers = say("scope.peer_set", peer_set=self.facts[0].peer_set)
        tested = sum(each.evidence in ("counts", "interval") for each in self.facts)
        return (peers, *counts, *self.names("worse", "better"), *chance_among_tested(tested))

    def row(self, facts: ComparisonFacts) -> dict[str, str]:
        """Level, median, rank, gap and evidence."""
        gap_word = self.view.status_words.get(facts.gap_verdict, "") if facts.gap.is_known else ""
        return {
            "indicator": facts.subject.short,
            "compared": facts.value.text,
            "period": facts.period_label,
            "median": facts.peer_median.text,
            "middle_half": facts.subject.range(facts.peer_q1, facts.peer_q3),
            "rank": sentences.rank_words(facts),
            "gap": facts.subject.figure(facts.gap.raw, "signed").text,
            "gap_trend": gap_word,
            "status": facts.shown,
            "evidence": _evidence_words(facts),
        }

    def how(self, facts: ComparisonFacts) -> str:
        """Say on what evidence."""
        words = _evidence_words(facts) or words_of("evidence")["none"]
        return say("scope.compared_on", evidence=words)

    def pictures(self) -> list[Block]:
        """Return where the council stands on all indicators, then each with its gap over time."""
        drawn = [each for each in self.facts if each.value.is_known and each.peer_median.is_known]
        blocks = [self._strip(drawn)] if drawn else []
        trends = {trend.subject.series: trend for trend in self.view.trend_facts}
        for facts in self.facts:
            series = facts.subject.series
            # The sentences only count peers without a figure when there are many.
            many = facts.missing if len(facts.missing) > sentences.NAMED_PEERS else ()
            more = {"notes": named(say("compare.missing_note"), many), "facts": facts.scalars()}
            said, tone = _with_newest(trends[series], facts), tone_of(facts.verdict)
            heading = sentences.comparison_title(facts)
            blocks.append(self.finding(trends[series], heading, said, tone=tone, **more))
            gaps = self._of_set(self.view.gaps, series)
            if len(gaps) >= _FEWEST_GAPS:
                blocks.append(self._gap_chart(facts, gaps))
        return blocks

    def _of_set(self, table: pd.DataFrame, series: str) -> pd.DataFrame:
        """Rows of a series and the view's peer set that have all their numbers to be drawn."""
        rows = self.view.of_series(table, series)
        if rows.empty:
            return rows
        needed = [name for name in ("value", "peer_median") if name in rows.columns]
        return rows[rows["peer_set"] == self.view.peer_set].dropna(subset=needed)

    def _strip(self, facts: list[ComparisonFacts]) -> Block:
        view = self.view
        slots = {"council": view.council, "peer_set": facts[0].peer_set, "period": view.period}
        parts = [
            say("compare.strip_alt_one", name=each.subject.short, value=each.value, place=place)
            for each, place in zip(facts, map(sentences.rank_words, facts), strict=True)
        ]
        heading = say("compare.strip_title", **slots)
        columns = ("indicator", "compared", "median", "middle_half", "rank", "period")
        opening = say("compare.strip_alt", n=len(facts), **slots)
        return Block(
            *("figure", "strip", heading),
            subtitle=say("compare.strip_subtitle", **slots),
            alt=" ".join((opening, *filter(None, parts))),
            table=data_table(heading, columns, [self.row(each) for each in facts]),
            svg=draw_strip([self._strip_row(each) for each in facts], id="strip"),
            source=say("compare.strip_source"),
            notes=(say("compare.strip_note"),),
        )

    def _strip_row(self, facts: ComparisonFacts) -> StripRow:
        peers = self._of_set(self.view.peers, facts.subject.series)
        others = peers[~peers["is_own"].astype(bool)]["value"] if len(peers) else peers
        return StripRow(facts, [float(value) for value in others.to_numpy().flat])

    def _gap_chart(self, facts: ComparisonFacts, gaps: pd.DataFrame) -> Block:
        subject, council, labels = facts.subject, self.view.council, gaps["period_label"]
        slots = {"first": labels.iloc[0], "last": labels.iloc[-1], "council": council}
        names = {"title": subject.title, "peer_set": facts.peer_set}
        id = f"gap-{self.view.slugs[subject.series]}"
        rows = data_rows(subject, gaps, {"value": "value", "median": "peer_median", "gap": "gap"})
        return self.figure(
            *(facts, "gap", title("compare.gap_title", subject.short), rows),
            subtitle=say("compare.gap_subtitle", **names, **slots),
            alt=" ".join((say("compare.gap_alt", **slots), *sentences.comparison_sentences(facts))),
            svg=draw_gap(gaps, subject, id=id),
        )

    def attention(self) -> list[str]:
        """Name what is worse by more than chance, a poor gap that widens, then what differs."""
        worse, differs = self._standing("worse"), self._standing("higher", "lower")
        own = [each for each in self.facts if not each.subject.is_city]
        widening = [
            f"{title('compare.gap_title', each.subject.short)}. {sentences.gap_sentence(each)}"
            for each in own
            if each.sign(each.gap) * each.subject.better_sign < 0 and each.gap_verdict == "widening"
        ]
        return [*worse, *widening, *differs]

    def good_news(self) -> list[str]:
        """Name what is better by more than chance."""
        return self._standing("better")

    def _standing(self, *codes: str) -> list[str]:
        found = [each for code in codes for each in self.facts if each.verdict == code]
        told = [sentences.comparison_sentences(each)[:2] for each in found]
        titles = map(sentences.comparison_title, found)
        return [" ".join((f"{title}.", *said)) for title, said in zip(titles, told, strict=True)]


def _with_newest(trend: TrendFacts, facts: ComparisonFacts) -> sentences.Sentences:
    """Say beside the level our newest figure, where an older period is compared."""
    level, *others = sentences.comparison_sentences(facts)
    is_older = facts.value.is_known and trend.period_label != facts.period_label
    newest = say("compare.newest", value=trend.value, period=trend.period_label)
    return sentences.told(level, newest if is_older else "", *others)


def _evidence_words(facts: ComparisonFacts) -> str:
    return words_of("evidence").get(facts.evidence, facts.evidence.replace("_", " "))
