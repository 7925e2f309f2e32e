"""The benchmarking page, which asks how the council compares with similar ones."""

from dataclasses import replace
from functools import cached_property, partial
from itertools import chain
from typing import Any

import numpy as np
import pandas as pd

from pmf_analysis.story import bank, further, sentences
from pmf_analysis.story.bank import fits, named, say, stored, tell, tell_cells, told, words_of
from pmf_analysis.story.blocks import Block
from pmf_analysis.story.facts import ComparisonFacts, TrendFacts
from pmf_analysis.story.figures import Facts, text
from pmf_analysis.story.funnel import draw_funnel
from pmf_analysis.story.pages import Page, data_rows, data_table, picture, words_block
from pmf_analysis.story.parts import MONTHS, positions
from pmf_analysis.story.strip import StripRow, draw_gap, draw_strip
from pmf_analysis.story.style import tone_of
from pmf_analysis.story.view import ThemeView, rows_of

_FEWEST_GAPS, _MOST_NAMES, _FURTHEST = 3, 10, 3
_AS_IF = ("lower_limit", "is_as_if")  # columns of gaps whose marks are explained
_CALLED = ("better", "worse", "higher", "lower")
_OUT = [["low_998", "high_998"], ["low_998", "low_95", "high_95", "high_998"]]  # at 99.8 %, 95 %
_LEVELS = {"interval": 95.0, "own_history": 99.7}  # of surveys, and of three standard deviations


def comparisons_of(view: ThemeView) -> tuple[ComparisonFacts, ...]:
    """Return facts of each series beside the view's peer set, in the order of the register."""
    of_set = [row for row in rows_of(view.comparisons) if row["peer_set"] == view.peer_set]
    rows = {text(row, "series"): row for row in of_set}
    subjects = view.subjects.items()
    return tuple(ComparisonFacts.of(rows[name], each) for name, each in subjects if name in rows)


class BenchmarkingPage(Page[ComparisonFacts]):
    """Level beside similar councils, what the difference may mean, and where the gap goes."""

    analysis = "benchmarking"

    @property
    def methods(self) -> list[str]:
        """How councils are compared, and whether the limits allow for their spread."""
        off = {} if self.view.overdispersion else {"compare_spread": "compare_chance"}
        return [off.get(each, each) for each in super().methods]

    @cached_property
    def facts(self) -> tuple[ComparisonFacts, ...]:
        """Facts of each series beside the view's peer set."""
        return comparisons_of(self.view)

    @cached_property
    def trends(self) -> dict[str, TrendFacts]:
        """Facts of every own series by its name."""
        return {trend.subject.series: trend for trend in self.view.trend_facts}

    @cached_property
    def leads(self) -> list[Facts]:
        """Facts of councils that improved more than was usual."""
        return further.leads_of(self.view, self.facts)

    @cached_property
    def groups(self) -> list[Facts]:
        """Facts of groups beside the others."""
        return further.equality_of(self.view)

    @property
    def more_facts(self) -> list[Facts]:
        """Leads and groups, for the results."""
        return [*self.leads, *self.groups]

    @property
    def compared(self) -> list[ComparisonFacts]:
        """Facts of series that can be set beside similar councils."""
        return [each for each in self.facts if each.verdict != "cannot_judge"]

    @property
    def tests(self) -> dict[str, float]:
        """Level at which each kind of evidence is tested for chance."""
        return {"counts": self.view.comparison_level, **_LEVELS}

    @property
    def of_council(self) -> list[ComparisonFacts]:
        """Facts of what is compared but for the whole area, of which nothing is better or worse."""
        return [each for each in self.compared if not each.subject.is_city]

    def summary(self) -> tuple[str, ...]:
        """Say how many indicators are better, similar or worse, and which."""
        if not self.compared:
            return (say("theme.no_comparison"), say("theme.no_comparison_next"))
        facts = self.facts
        tested = [each.evidence for each in self.of_council]
        called = any(each.shown.endswith(_CALLED) for each in facts)
        tests = [(tested.count(kind), level) for kind, level in self.tests.items() if called]
        counts = self.count_verdicts("benchmarking", self.counting_entry(), facts)
        has_somewhat = any(each.is_somewhat for each in self.of_council)
        chance = sentences.chance_among_tested(tests, has_somewhat=has_somewhat)
        slots = {"chance": chance, "peer_set": facts[0].peer_set}
        return tell("peers_summary", counts=counts, facts=facts, **slots)

    def row(self, facts: ComparisonFacts) -> dict[str, str]:
        """Level, median, rank, gap and evidence."""
        slots = {"place": sentences.rank_words(facts), "words": self.view.status_words}
        told = tell_cells("benchmarking", facts=facts, newest=self._newest(facts), **slots)
        return told | {"evidence": _evidence_words(facts)}

    def how(self, facts: ComparisonFacts) -> str:
        """Say on what evidence."""
        words = _evidence_words(facts) or words_of("evidence")["none"]
        return say("scope.compared_on", evidence=words)

    def pictures(self) -> list[Block]:
        """Return where the council stands on all indicators, then each with its charts.

        Without any similar council's figure, what our own record says of each indicator.
        """
        own = self.view.trend_facts
        if not self.compared:
            said = ((*sentences.level_sentences(e), *sentences.noise_sentences(e)) for e in own)
            found = map(self.finding, own, map(sentences.trend_title, own), said)
            return [self.beside(e, [block])[0] for e, block in zip(own, found, strict=True)]
        drawn = [each for each in self.facts if each.value.is_known and each.gap.is_known]
        of_series = ([self._finding(each), *self._charts(each)] for each in self.facts)
        trends = (self.trends[each.subject.series] for each in self.facts)
        parts = map(self.beside, trends, of_series)
        return [*([self._strip(drawn)] if drawn else []), *chain(*parts)]

    def _finding(self, facts: ComparisonFacts) -> Block:
        is_compared = facts.verdict != "cannot_judge"
        missing = named(say("compare.missing"), facts.missing if is_compared else ())
        peers = self._of_set(self.view.peers, facts.subject.series)
        limits = _OUT[self.view.comparison_level < 99]
        out = peers.reindex(columns=["label"]).isin(limits).any(axis=None)
        slots = {"newest": self._newest(facts), "missing": missing, "has_unusual": out}
        notes = tell("comparison_notes", facts=facts, **slots)
        more = {"notes": notes, "facts": facts.scalars(), "tone": tone_of(facts.verdict)}
        more["second"] = sentences.context_sentences(facts)
        trend, heading = self.trends[facts.subject.series], sentences.comparison_title(facts)
        return self.finding(trend, heading, sentences.comparison_sentences(facts), **more)

    def _newest(self, facts: ComparisonFacts) -> dict[str, object]:
        """Our newest value and its period where an older one is compared, else None."""
        trend = self.trends[facts.subject.series]
        is_older = facts.value.is_known and trend.period_label != facts.period_label
        return {"value": trend.value, "period": trend.period_label if is_older else None}

    def _charts(self, facts: ComparisonFacts) -> list[Block]:
        """Return the funnel of what stands out and the gap over time, where there is one."""
        tables = (self.view.funnels, self.view.gaps)
        limits, gaps = (self._of_set(table, facts.subject.series) for table in tables)
        is_out = facts.funnel_label not in ("", "within") and len(limits)
        funnel = [self._funnel(facts, limits)] if is_out else []
        is_drawn = len(gaps) >= _FEWEST_GAPS and facts.gap.is_known
        return funnel + ([self._gap_chart(facts, gaps)] if is_drawn else [])

    def _of_set(self, table: pd.DataFrame, series: str) -> pd.DataFrame:
        """Rows of a series and the view's peer set that have all their numbers to be drawn."""
        rows = self.view.of_series(table, series)
        if rows.empty:
            return rows
        needed = [name for name in ("value", "peer_median") if name in rows.columns]
        return rows[rows["peer_set"] == self.view.peer_set].dropna(subset=needed)

    def _strip(self, facts: list[ComparisonFacts]) -> Block:
        view = self.view
        slots: dict[str, Any] = {"council": view.council, "period": view.period}
        slots["peer_set"] = facts[0].peer_set
        shown = [(e.subject.short, e.value, sentences.rank_words(e)) for e in facts]
        said = told(*(say("strip.alt_one", name=n, value=v, place=p) for n, v, p in shown))
        columns = stored("cells.yml")["columns"]["strip"]
        table = data_table(say("strip.title", name=view.council), columns, map(self.row, facts))
        svg = draw_strip([self._strip_row(each) for each in facts], id="strip")
        slots, notes = slots | {"n": len(facts)}, [say("strip.rank_note")]
        notes += [say("strip.range_note")] if any(each.rank_range for each in facts) else []
        return picture("strip", view.council, svg, table, *said, slots=slots, notes=notes)

    def _strip_row(self, facts: ComparisonFacts) -> StripRow:
        peers = self._of_set(self.view.peers, facts.subject.series)
        others = peers[~peers["is_own"].astype(bool)]["value"] if len(peers) else peers
        return StripRow(facts, [float(value) for value in others.to_numpy().flat])

    def _funnel(self, facts: ComparisonFacts, limits: pd.DataFrame) -> Block:
        subject = facts.subject
        peers = self._of_set(self.view.peers, subject.series).dropna(subset=["denominator"])
        labels = words_of("compare.funnel_label")
        named = peers.assign(position=peers["label"].map(labels).fillna(""))
        rows = data_rows(subject, named, stored("cells.yml")["data"]["funnel"])
        slots = {"peer_set": facts.peer_set, "period": facts.period_label, "n": len(rows)}
        slots |= {"value": facts.value, "place": labels[facts.funnel_label]}
        look = partial(draw_funnel, peers, limits, subject, own_name=self.view.council)
        draw, notes = partial(look, verdict=facts.verdict), (self._spread_note(facts),)
        return self.figure(facts, "funnel", draw, rows, slots=slots, notes=notes)

    def _spread_note(self, facts: ComparisonFacts) -> str:
        """Say how widely these councils scatter, and whether the limits allow for it."""
        entry = "wide" if self.view.overdispersion else "not_allowed"
        is_wide = (facts.phi.raw or 0.0) > 1
        return say(f"compare.funnel_phi.{entry if is_wide else 'close'}", phi=facts.phi)

    def _gap_chart(self, facts: ComparisonFacts, gaps: pd.DataFrame) -> Block:
        rows = data_rows(facts.subject, gaps, stored("cells.yml")["data"]["gap"])
        draw, said = partial(draw_gap, gaps, facts.subject), sentences.gap_sentences(facts)
        parts: Any = {"slots": {"peer_set": facts.peer_set}, "notes": _gap_notes(facts, gaps)}
        return self.figure(facts, "gap", draw, rows, *said, **parts)

    def further(self) -> list[Block]:
        """Return whether comparisons hold, whom to ask, which groups differ, and value for money.

        Then what could be compared that is not.
        """
        view, compared = self.view, {each.subject.indicator for each in self.facts if each.n}
        holds = further.robustness_blocks(view, self.compared) if compared else []
        groups, value = further.equality_blocks(view, self.groups), further.value_blocks(view)
        leads = further.lead_blocks(self.leads, self.compared)
        return [*holds, *leads, *groups, *value, *further.could_compare(view, compared)]

    def exceptions(self) -> list[Block]:
        """Return what needs attention, or who is behind without one, and what was not tested.

        Then what is well, and what stands out of the whole area.
        """
        first, *others = super().exceptions()
        area = map(self.in_short, self.listed("whole_area"))
        others += words_block("finding", "whole-area", (*area,))
        of, behind = len(self.of_council), [each for each in self.of_council if each.is_behind]
        n = sum(each.evidence in self.tests for each in self.of_council)
        entry = "rest" if of == len(self.compared) else "rest_of_council"
        rest = [say(f"exceptions.{entry}", n=of - n, of=of)] if n < of else []
        if self.attention():
            return [replace(first, text=(*first.text, *rest)), *others]
        behind.sort(key=lambda each: -(each.rank.raw or 0.0) / (each.rank_of.raw or 1.0))
        names = [f"{e.subject.short} ({sentences.rank_words(e)})" for e in behind[:_FURTHEST]]
        entry = "not_tested" if 2 * n < of else "not_passed" if behind else "none"
        entry = entry if self.compared else "not_compared"
        title = say(f"section.{entry}") if entry != "none" else first.title
        said = (say(f"exceptions.{entry}"), *named(say("exceptions.behind"), names), *rest)
        return [replace(first, title=title, text=bank.paragraph(said)), *others]

    def quality(self) -> list[Block]:
        """Return what limits the data, then old comparisons and councils without a figure."""
        compared, trends = self.compared, self.trends
        older = [e for e in compared if e.period_label != trends[e.subject.series].period_label]
        slots = {"older": older, "compared": compared, "missing": self._missing()}
        said = tell("comparison_quality", **slots)
        return [*super().quality(), *words_block("note", "comparison-quality", said)]

    def _missing(self) -> list[str]:
        """Name the councils that lack the same indicators together, the largest group first."""
        lacking: dict[tuple[str, ...], list[str]] = {}
        for name in sorted({name for each in self.compared for name in each.missing}):
            without = (each.subject.short for each in self.compared if name in each.missing)
            lacking.setdefault(tuple(without), []).append(name)
        said: list[str] = []
        for lacked, councils in sorted(lacking.items(), key=lambda group: -len(group[1])):
            names, counts = bank.join_words(lacked), {"n": len(lacked), "of": len(self.compared)}
            few = say("quality.missing", names=names if fits(names, _MOST_NAMES) else None)
            said += named(few or say("quality.missing_many", **counts), councils)
        return said

    def attention(self) -> list[str]:
        """Name what is worse by more than chance, at the edge, or behind and farther each year.

        Then groups that do worse, and what differs without being better or worse.
        """
        title, first = sentences.comparison_title, self.listed("attention")
        edge = (f"{title(e)}. {say('compare.edge')}" for e in self.facts if e.edge)
        behind = [e for e in self.facts if e.is_widening and e not in first]
        wider = (" ".join((f"{title(e)}.", *sentences.gap_sentences(e))) for e in behind)
        groups = [e for e in self.groups if not self.trends[e.subject.series].is_stale]
        others = map(self.in_short, self.listed("neutral"))
        return [*super().attention(), *edge, *wider, *further.group_attention(groups), *others]

    def in_short(self, facts: ComparisonFacts) -> str:
        """Say level, place and what the difference may mean; a gap only where it grows."""
        level, place, *others = sentences.comparison_sentences(facts)
        # The title of what is only somewhat better or worse has the place.
        said = [f"{sentences.comparison_title(facts)}.", level, "" if facts.is_somewhat else place]
        gap = sentences.gap_sentences(facts) if facts.is_widening else ()
        return " ".join(told(*said, *others, *gap))


def _gap_notes(facts: ComparisonFacts, gaps: pd.DataFrame) -> bank.Sentences:
    """Say what the marks mean, what is tested, and where councils or periods are missing."""
    known, frequency = gaps.reindex(columns=[*_AS_IF, "n_peers"]), facts.subject.frequency
    counts = {"low": f"{known['n_peers'].min():.0f}", "high": f"{known['n_peers'].max():.0f}"}
    steps = np.diff(positions(gaps["period"], frequency)) / MONTHS.get(frequency, 1)
    gone, step = round((steps - 1).sum()), sentences.step_word(facts)
    has = known.replace(False, None).any()
    slots = {**counts, "signs": [name for name in _AS_IF if has[name]], "gone": gone, "step": step}
    return tell("gap_notes", facts=facts, **slots)


def _evidence_words(facts: ComparisonFacts) -> str:
    return words_of("evidence").get(facts.evidence, facts.evidence.replace("_", " "))
