"""The target realism page, which asks whether targets are challenging yet realistic."""

from collections.abc import Sequence
from functools import cached_property
from itertools import chain
from typing import Any

import pandas as pd

from pmf_analysis.story import theme_sentences as spoken
from pmf_analysis.story.bank import count_of, say, title
from pmf_analysis.story.benchmarking_page import comparisons_of
from pmf_analysis.story.blocks import Block
from pmf_analysis.story.dots import count_meeting, draw_dots
from pmf_analysis.story.facts import TargetFacts, TrendFacts, shown_chance
from pmf_analysis.story.figures import Row, number, text
from pmf_analysis.story.formatting import twentieths
from pmf_analysis.story.pages import Page, data_rows, data_table, table_block
from pmf_analysis.story.sentences import reason_sentences
from pmf_analysis.story.spc import draw_spc
from pmf_analysis.story.theme_sentences import reference_sentences, target_sentences, target_title
from pmf_analysis.story.track import portfolio_blocks, record_blocks
from pmf_analysis.story.trajectory import draw_trajectory
from pmf_analysis.story.view import rows_of

_DOTS = [f"d{place:02d}" for place in range(1, 21)]
_CALLED = ("target_missed", "not_realistic", "between", "cannot_judge")
_MOST_QUESTIONS = 3


class RealismPage(Page[TargetFacts]):
    """Targets with their chances, history and forecast, and questions for the director."""

    analysis = "target_realism"

    @cached_property
    def by_series(self) -> dict[str, list[TargetFacts]]:
        """Facts of every target and standing question of each series; maybe none."""
        subjects = {trend.subject.series: trend.subject for trend in self.view.trend_facts}
        found: dict[str, list[TargetFacts]] = {series: [] for series in subjects}
        for row in rows_of(self.view.targets):
            series = text(row, "series")
            if series in found:
                found[series].append(TargetFacts.of(row, subjects[series]))
        return found

    @property
    def facts(self) -> tuple[TargetFacts, ...]:
        """Facts of every target and standing question."""
        return tuple(chain.from_iterable(self.by_series.values()))

    def _targets(self) -> list[TargetFacts]:
        return [facts for facts in self.facts if not facts.is_reference]

    def _asked(self) -> dict[str, list[TargetFacts]]:
        """Standing questions of each series that has no target of its own; maybe none."""
        every = self.by_series.items()
        return {series: own for series, own in every if all(each.is_reference for each in own)}

    def summary(self) -> tuple[str, ...]:
        """Say how many targets are challenging yet realistic."""
        targets, without = self._targets(), len(self._asked())
        if not targets:
            return (say("theme.no_targets"), say("theme.no_targets_next"))
        told = self.count_verdicts("realism", "theme.of_targets", targets)
        return (*told, count_of("theme.some_without", without)) if without else told

    def rows(self) -> list[dict[str, str]]:
        """Cells of a row for every target, and of one for every series that has none."""
        asked, rows = self._asked(), []
        for facts in self.facts:
            questions = asked.get(facts.subject.series, [facts])
            if facts is questions[0]:
                rows.append(self.row(facts) | _answers(questions))
        return rows

    def row(self, facts: TargetFacts) -> dict[str, str]:
        """Target, chance and range of values with a middling chance."""
        target = "" if facts.kind == "baseline" else facts.target.text
        cells = {"indicator": facts.subject.short, "latest": facts.last_value.text}
        cells |= {"target": target, "due": facts.period_label}
        if facts.is_outturn:
            cells["latest"] = say("realism.latest", last=facts.last_value)
        slots = {"frequency": facts.frequency, "chance": facts.probability}
        cells["chance"] = say("realism.cell", **slots)
        return cells | {"range": spoken.range_words(facts), "status": facts.shown}

    def standing(self, facts: TargetFacts) -> tuple[str, str]:
        """Status and reason of a series: judged where one of its targets has a chance."""
        known = facts.probability.is_known or facts.shown.startswith("target_")
        answered = "no_target" if facts.is_reference else "judged"
        code = answered if known else facts.verdict
        return code, self.how(facts) if known else facts.reason

    def pictures(self) -> list[Block]:
        """Return each indicator: its targets with their chances, history, forecast and dots."""
        blocks, asked = list[Block](), self._asked()
        for trend in self.view.trend_facts:
            own = self.by_series[trend.subject.series]
            if trend.subject.series in asked:
                answers = reference_sentences(own) or (say("realism.no_question"),)
                heading = title("realism.title.no_target", trend.subject.short)
                blocks.append(self.finding(trend, heading, (say("realism.no_target"), *answers)))
            else:
                for place, each in enumerate(own, start=1):
                    blocks += self._card(trend, place, each, own)
                continue
            blocks += self._fan_of(own)
        return blocks

    def _card(
        self, trend: TrendFacts, place: int, facts: TargetFacts, own: list[TargetFacts]
    ) -> list[Block]:
        """Return one target: finding, charts and evidence; the fan of all with the first."""
        rationale, view = say("realism.rationale", rationale=facts.rationale), self.view
        said = filter(None, (*target_sentences(facts), rationale))
        parts = {"place": place, "facts": facts.scalars(), "notes": self._path(facts)}
        parts["second"] = self._checks(facts, None if place > 1 else own)
        blocks = [self.finding(trend, target_title(facts), said, **parts)]
        blocks += self._fan_of(own) if place == 1 else []
        part = "" if place == 1 else f"-{place}"
        blocks += [*self._outturn(facts, part), *self._dots(facts, part)]
        if rows := spoken.evidence_rows(facts, self.shows["evidence"]):
            caption = title("realism.evidence_title", facts.subject.short)
            table = data_table(caption, ("looked", "shows", "on"), rows)
            blocks.append(table_block(f"evidence{part}-{view.slugs[facts.subject.series]}", table))
        return blocks

    def _checks(self, facts: TargetFacts, own: list[TargetFacts] | None) -> list[str]:
        """What the checks found of a target; with the first what they found of none of them."""
        others = {each.target_id for each in own or ()} - {facts.target_id}
        rows = self.view.of_series(self.view.target_checks, facts.subject.series)
        mine = [
            row
            for row in rows_of(rows)
            if (name := text(row, "target_id")) == facts.target_id
            or (own is not None and name not in others)
        ]
        return [told for row in mine if (told := spoken.check_sentence(row, facts.subject))]

    def _path(self, facts: TargetFacts) -> tuple[str, ...]:
        """Return the council's rule for setting targets, step by step as it reads here."""
        rows = rows_of(self.view.of_target(self.view.decisions, facts.target_id))
        ordered = sorted(rows, key=lambda row: number(row, "place") or 0)
        steps = [spoken.step_words(row, facts.subject) for row in ordered]
        return (say("realism.path"), *steps) if steps else ()

    def _outturn(self, facts: TargetFacts, part: str) -> list[Block]:
        """Draw the year so far against the path to its target."""
        rows = self.view.of_target(self.view.outturn_paths, facts.target_id)
        rows = rows.sort_values("period") if len(rows) else rows
        if rows.empty or rows[["actual", "path"]].isna().all(axis=None):
            return []
        subject, slug = facts.subject, self.view.slugs[facts.subject.series]
        columns = {"so_far": "actual", "path": "path"}
        told = data_rows(subject, rows, columns | {"low": "q05", "middle": "q50", "high": "q95"})
        for cells, chance in zip(told, rows["chance_on_path"], strict=True):
            cells["on_path"] = "" if pd.isna(chance) else shown_chance(subject, chance)
        slots = {"first": told[0]["period"], "last": told[-1]["period"]}
        slots |= {"title": subject.title, "council": self.view.council}
        alt = say("outturn.alt", middle=facts.outturn_mid, period=facts.period_label)
        return [
            self.figure(
                *(facts, f"outturn{part}", title("outturn.title", subject.short), told),
                subtitle=say("outturn.subtitle", **slots),
                alt=" ".join((alt, *spoken.outturn_sentences(facts))).strip(),
                svg=draw_trajectory(rows, subject, id=f"outturn{part}-{slug}"),
                notes=(say("outturn.note"),),
            )
        ]

    def _fan_of(self, own: list[TargetFacts]) -> list[Block]:
        """Draw the chart with its fan for the first question that was answered."""
        first = next((each for each in own if each.probability.is_known), None)
        if first is None:
            return []
        fans = self.view.of_series(self.view.forecasts, first.subject.series)
        return [] if fans.empty else [self._fan(first, fans, self.view.slugs[first.subject.series])]

    def _fan(self, facts: TargetFacts, fans: pd.DataFrame, slug: str) -> Block:
        subject, view = facts.subject, self.view
        points = view.of_series(view.points, subject.series)
        targets = view.of_series(view.targets, subject.series)
        targets = targets[~targets["is_reference"].astype(bool)]
        rows = data_rows(subject, fans, {"low": "q05", "middle": "q50", "high": "q95"})
        first = points.loc[points["value"].notna(), "period_label"].iloc[0]
        slots = {"first": first, "last": rows[-1]["period"], "council": view.council}
        better = say(f"polarity.{subject.polarity}")
        told = reference_sentences([facts]) if facts.is_reference else target_sentences(facts)
        entry = "realism.fan_title_no_target" if facts.is_reference else "realism.fan_title"
        return self.figure(
            *(facts, "fan", title(entry, subject.short), rows),
            subtitle=say("subtitle.trend", title=subject.title, better=better, **slots),
            alt=" ".join((say("realism.fan_alt", **rows[-1]), *told[:2])),
            svg=draw_spc(points, subject, id=f"fan-{slug}", targets=targets, forecast=fans),
        )

    def _dots(self, facts: TargetFacts, part: str) -> list[Block]:
        """Draw the chance as twenty dots, which say the same number of chances as the words.

        Both come from one distribution. Where the chance lies half-way between two twentieths and
        a quantile falls on the other side, there is no picture rather than two numbers.
        """
        subject, goal, dots = facts.subject, self._goal(facts), self._outcomes(facts)
        if not (dots and facts.target.is_known and facts.probability.is_known):
            return []
        look: dict[str, Any] = {"unit": subject.unit, "decimals": subject.decimals}
        count = count_meeting(dots, goal, subject.polarity, subject.decimals)
        if count != twentieths(facts.probability.raw or 0.0):
            return []
        slots = {"count": count, "period": facts.period_label, "target": facts.target}
        names = {"title": subject.title, "council": self.view.council}
        rows = [{"dot": str(n), "value": subject.figure(dot).text} for n, dot in enumerate(dots, 1)]
        look["id"] = f"dots{part}-{self.view.slugs[subject.series]}"
        svg = draw_dots(dots, target=goal, better=subject.polarity, **look)
        parts = {"subtitle": say("realism.dots_subtitle", **names, **slots), "svg": svg}
        parts["alt"] = say("realism.dots_alt", **slots)
        heading = title("realism.dots_title", subject.short, **slots)
        return [self.figure(facts, f"dots{part}", heading, rows, **parts)]

    def _outcomes(self, facts: TargetFacts) -> list[float]:
        """Twenty equally likely values: a year's own, else those forecast for the period."""
        row: Row = facts.row
        if not facts.is_outturn and number(row, _DOTS[0]) is None:
            fans = self.view.of_series(self.view.forecasts, facts.subject.series)
            due = rows_of(fans[fans["horizon"] == facts.horizon]) if len(fans) else []
            row = due[0] if due else {}
        found = [number(row, name) for name in _DOTS]
        return [] if None in found else [value for value in found if value is not None]

    def _goal(self, facts: TargetFacts) -> float | tuple[float, float]:
        """Return the target as the dots take it: a number, or both ends of a range."""
        targets = self.view.targets
        row = targets[targets["target_id"] == facts.target_id].iloc[0].to_dict()
        low, high = number(row, "target_low"), number(row, "target_high")
        if facts.subject.polarity == "range" and low is not None and high is not None:
            return (low, high)
        return facts.target.raw or 0.0

    def attention(self) -> list[str]:
        """Name targets that were missed, are out of reach, or are not to be judged."""
        return self._called(_CALLED)

    def good_news(self) -> list[str]:
        """Name targets that were met or are met on the present course."""
        return self._called(("target_met", "kept", "too_easy"))

    def _called(self, codes: Sequence[str]) -> list[str]:
        called = [each for code in codes for each in self._targets() if each.shown == code]
        return [f"{target_title(each)}. {' '.join(_why(each))}" for each in called]

    def scope(self) -> list[Block]:
        """Return what is covered, the targets as a whole, and what cannot be told."""
        entries = self.shows["cannot_tell"]
        text = tuple(say(f"cannot_tell.{entry}") for entry in entries)
        box = Block("note", "cannot-tell", say("section.cannot_tell"), text=text)
        return [*super().scope(), *portfolio_blocks(self.view), box]

    def method(self) -> list[Block]:
        """Return by which methods the page judges, and how such chances turned out."""
        return [*super().method(), *record_blocks(self.view, self.shows["sources"])]

    def challenge(self) -> list[Block]:
        """Return questions for the director that the evidence raises, by indicator."""
        medians = {each.subject.series: each.peer_median for each in comparisons_of(self.view)}
        references = [questions[0] for questions in self._asked().values() if questions]
        asked = [
            (each.subject, spoken.challenge_questions(each, medians.get(each.subject.series)))
            for each in self.facts
            if not each.is_reference or each in references
        ]
        told = [f"{who.short}. {' '.join(asks[:_MOST_QUESTIONS])}" for who, asks in asked if asks]
        said = tuple(dict.fromkeys(told)) or (say("challenge.nothing"),)
        return [Block("note", "challenge", say("section.challenge"), text=said)]


def _answers(questions: Sequence[TargetFacts]) -> dict[str, str]:
    """Cells of a series that has no target: the chances of both standing questions in one row."""
    if not questions[0].is_reference:
        return {}
    entries = [(f"realism.asked.{spoken.asked_kind(each)}", each) for each in questions]
    told = [say(entry, chance=each.probability, target=each.target) for entry, each in entries]
    return {"target": "", "chance": "; ".join(filter(None, told)), "status": "no_target"}


def _why(facts: TargetFacts) -> Sequence[str]:
    told = target_sentences(facts)
    return told[:2] if facts.probability.is_known else reason_sentences(facts.reason)
