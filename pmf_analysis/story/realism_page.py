"""The target realism page, which asks whether targets are challenging yet realistic."""

import re
from collections.abc import Sequence
from functools import cached_property, partial
from itertools import chain
from typing import Any

import pandas as pd

from pmf_analysis.story import bank
from pmf_analysis.story import sentences as spoken
from pmf_analysis.story.bank import reason_sentences, reason_words, say, stored, title, told
from pmf_analysis.story.blocks import Block
from pmf_analysis.story.dots import count_meeting, draw_dots, draw_trajectory
from pmf_analysis.story.facts import TargetFacts, TrendFacts
from pmf_analysis.story.figures import Facts, Subject, number, raw
from pmf_analysis.story.formatting import twentieths
from pmf_analysis.story.pages import Page, data_rows, data_table, table_block, words_block
from pmf_analysis.story.sentences import reference_sentences, target_sentences, target_title
from pmf_analysis.story.spc import draw_spc
from pmf_analysis.story.track import portfolio_blocks, record_blocks
from pmf_analysis.story.view import rows_of

_DOTS = [f"d{place:02d}" for place in range(1, 21)]
_UNRECORDED = ("no_rationale", "no_comparator")  # named once, with the data
_KNOWN = 4  # newest figures, told beside the forecast
_GOALS = ["target", "target_low", "target_high"]
_TO_COME = ["chance_on_path", "q05", "q50", "q95"]


class RealismPage(Page[TargetFacts]):
    """Targets with their chances, history and forecast, and questions for the director."""

    analysis = "target_realism"

    @cached_property
    def by_series(self) -> dict[str, list[TargetFacts]]:
        """Facts of every target and standing question of each series; maybe none."""
        rows, easy = rows_of(self.view.targets), self.view.easy_level
        return {
            series: [TargetFacts.of(row, subject, easy) for row in rows if row["series"] == series]
            for series, subject in self.view.subjects.items()
        }

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
        told = self.count_verdicts("realism", "theme.of_targets", sorted(targets, key=_urgency))
        return (*told, bank.count_of("theme.some_without", without)) if without else told

    def rows(self) -> list[dict[str, str]]:
        """Cells of a row for every target, and of one for every series that has none."""
        asked = self._asked()
        each = ((facts, asked.get(facts.subject.series, [facts])) for facts in self.facts)
        return [self.row(facts) | _answers(own) for facts, own in each if facts is own[0]]

    def row(self, facts: TargetFacts) -> dict[str, str]:
        """Target, chance and range of values with a middling chance."""
        cells = bank.tell_cells("target_realism", facts=facts, is_set=not facts.is_reference)
        return cells | {"range": spoken.range_words(facts)}

    def standing(self, facts: TargetFacts) -> tuple[str, str]:
        """Status and reason of a series: judged where one of its targets has a chance."""
        known = facts.probability.is_known or facts.shown.startswith("target_")
        answered = "no_target" if facts.is_reference else "judged"
        return (answered, self.how(facts)) if known else (facts.verdict, reason_words(facts.reason))

    def pictures(self) -> list[Block]:
        """Return each indicator: its targets with their chances, history, forecast and dots."""
        blocks, asked = list[Block](), self._asked()
        for trend in self.view.trend_facts:
            own = self.by_series[trend.subject.series]
            if trend.subject.series in asked:
                answers = reference_sentences(own) or (say("realism.no_question"),)
                heading = title("realism.title.no_target", trend.subject.short)
                found = self.finding(trend, heading, (say("realism.no_target"), *answers))
                blocks += self.beside(trend, [found, *self._fan(own)])
            else:
                cards = (self._card(trend, each, own) for each in own)
                blocks += self.beside(trend, [*chain(*cards)])
        return blocks

    def _card(self, trend: TrendFacts, facts: TargetFacts, own: list[TargetFacts]) -> list[Block]:
        """Return one target: finding, charts and evidence; the fan of all with the one it tells of.

        What was found of the series as a whole is told with the first.
        """
        subject, part, is_first = facts.subject, _anchor(facts, own), facts is own[0]
        checks = self.view.of_series(self.view.target_checks, subject.series)
        named = (facts.target_id, "") if is_first else (facts.target_id,)
        found = [row for row in rows_of(checks) if row["target_id"] in named]
        steps = rows_of(self.view.of_series(self.view.decisions, facts.target_id, "target_id"))
        parts: dict[str, Any] = {"facts": facts.scalars(), "anchor": part, "is_first": is_first}
        parts["second"] = told(*(spoken.check_sentence(row, subject) for row in found))
        is_odd = facts.is_met and raw(facts.probability) < 1 / 2
        points = self.view.of_series(self.view.points, subject.series)
        points = points[points["period"] == facts.row["period"] - pd.DateOffset(years=1)]
        earlier = data_rows(subject, points[: int(is_odd)], {"value": "value"})
        said = told(*target_sentences(facts), *(say("realism.year_before", **e) for e in earlier))
        blocks = [self.finding(trend, target_title(facts, several=len(own) > 1), said, **parts)]
        told_of = next((each for each in own if each.probability.is_known), None)
        blocks += self._fan(own) if facts is told_of else []
        is_judged = facts.verdict != "cannot_judge"
        blocks += [*self._outturn(facts, part), *self._dots(facts, part)] if is_judged else []
        rows = spoken.evidence_rows(facts, self.shows["evidence"] if facts.band else ())
        rows += [spoken.step_row(each, subject) for each in steps]
        caption = title("realism.evidence_title", subject.short, due=facts.period_label)
        table = data_table(caption, ("looked", "shows"), rows)
        id = f"evidence-{part}-{self.view.slugs[subject.series]}"
        return [*blocks, *([table_block(id, table)] if rows else [])]

    def _outturn(self, facts: TargetFacts, part: str) -> list[Block]:
        """Draw the year so far against the path to its target."""
        subject = facts.subject
        rows = self.view.of_series(self.view.outturn_paths, facts.target_id, "target_id")
        if rows.empty or rows[["actual", "path"]].isna().all(axis=None):
            return []
        rows = rows.assign(**rows[_TO_COME].mask(rows["actual"].notna()))
        cells = data_rows(subject, rows, stored("cells.yml")["data"]["outturn"])
        draw, said = partial(draw_trajectory, rows, subject), spoken.outturn_sentences(facts)
        said = (say("realism.target_alone", facts=facts), *said)
        return [self.figure(facts, f"outturn-{part}", draw, cells, *said, slots={})]

    def _fan(self, own: list[TargetFacts]) -> list[Block]:
        """Draw the chart with its fan, for the first question that was answered.

        Its target is the last that is drawn, since that is the one named in the picture. A target
        for a year's total is no line among the figures of single periods.
        """
        facts = next((each for each in own if each.probability.is_known), None)
        fans = self.view.of_series(self.view.forecasts, facts.subject.series if facts else "")
        if facts is None or fans.empty:
            return []
        # It ends when the target is due, so that label, words and table tell of that day.
        if not facts.of_periods:
            due = fans[fans["horizon"] <= facts.horizon]
            fans = due if len(due) else fans
        subject, view = facts.subject, self.view
        points = view.drawn(subject.series)
        ids = [e.target_id for e in own[: own.index(facts) + 1] if not e.of_periods]
        lines = ids if not (facts.is_reference or facts.of_periods) else []
        points = points if lines else points.assign(target=float("nan"))
        targets = view.targets[view.targets["target_id"].isin(lines)]
        first = points.loc[points["value"].notna(), "period_label"].iloc[0]
        slots = {"first": first, "better": self.view.better(subject)}
        slots["heading"] = "title" if lines else "title_no_target"
        slots["low"] = subject.plain(subject.figure(number(rows_of(fans)[-1], "q05")))
        said = target_sentences(facts) if lines else ()
        said = reference_sentences([facts]) if facts.is_reference else said
        draw = partial(draw_spc, points, subject, targets=targets, forecast=fans)
        goals = targets[["period", *_GOALS]].drop_duplicates("period", keep="last")
        ahead = fans.drop(columns=_GOALS, errors="ignore").merge(goals, on="period", how="left")
        shown = pd.concat([points.tail(_KNOWN), ahead])
        cells = data_rows(subject, shown, stored("cells.yml")["data"]["fan"])
        return [self.figure(facts, "fan", draw, cells, *said[:2], slots=slots)]

    def _dots(self, facts: TargetFacts, part: str) -> list[Block]:
        """Draw the chance as twenty dots, which say the same number of chances as the words.

        Both come from one distribution. Where the chance lies half-way between two twentieths and
        a quantile falls on the other side, there is no picture rather than two numbers.
        """
        subject, goal, dots = facts.subject, _goal(facts), self._outcomes(facts)
        better, (unit, decimals) = subject.polarity, subject.scale
        count, chance = count_meeting(dots, goal, better, decimals), facts.probability.raw
        if not (dots and facts.target.is_known) or chance is None or count != twentieths(chance):
            return []
        cells = [{"dot": str(n), "value": str(subject.figure(d))} for n, d in enumerate(dots, 1)]
        slots = {"period": facts.period_label, "target": facts.target, "count": count}
        look = partial(draw_dots, target=goal, better=better, unit=unit, decimals=decimals)
        slots["heading"] = {0: "title_none", 20: "title_all"}.get(count, "title")
        return [self.figure(facts, f"dots-{part}", partial(look, dots), cells, slots=slots)]

    def _outcomes(self, facts: TargetFacts) -> list[float]:
        """Twenty equally likely values: a year's own, else those forecast for the period."""
        rows = [facts.row]
        if not facts.of_periods:
            fans = self.view.of_series(self.view.forecasts, facts.subject.series)
            rows = rows_of(fans[fans["horizon"] == facts.horizon]) if len(fans) else []
        dots = [value for row in rows for d in _DOTS if (value := number(row, d)) is not None]
        return dots if len(dots) == len(_DOTS) else []

    def attention(self) -> list[str]:
        """Standards at risk, then the other targets that need attention by their chance."""
        return [*map(self.in_short, sorted(self.listed("attention"), key=_urgency))]

    def in_short(self, facts: TargetFacts) -> str:
        """Say a target and its chance, or why it is not judged."""
        why = reason_sentences(facts.reason)
        why = target_sentences(facts)[:2] if facts.probability.is_known else why
        return f"{target_title(facts)}. {' '.join(why)}"

    def scope(self) -> list[Block]:
        """Return what is covered, the targets as a whole, and what cannot be told."""
        view, rows = self.view, rows_of(self.view.portfolio)
        *covered, box = super().scope()
        of_all = portfolio_blocks(rows, {view.theme: view.theme_title}, view.easy_level)
        return [*covered, *of_all, box]

    def quality(self) -> list[Block]:
        """Return what limits trust in the data, and what was found of targets taken together."""
        counts = Subject.of({"decimals": 0}, self.view.council)
        checks, named = self.view.target_checks, self.view.subjects.items()
        found = rows_of(self.view.of_series(checks, ""))
        said = told(*(spoken.check_sentence(row, counts) for row in found))
        for code in _UNRECORDED:
            without = {*self.view.of_series(checks, code, "check").get("series", ())}
            names = [subject.short for series, subject in named if series in without]
            said += bank.named(say(f"realism.{code}", n=len(names)), names)
        return [*super().quality(), *words_block("note", "target-checks", said)]

    def method(self) -> list[Block]:
        """Return by which methods the page judges, and how such chances turned out."""
        return [*super().method(), *record_blocks(self.view)]

    def challenge(self) -> list[Block]:
        """Return questions for the director that the evidence raises, by indicator."""
        references = [questions[0] for questions in self._asked().values() if questions]
        targets = [each for each in self.facts if not each.is_reference or each in references]
        asked = [(each.subject, spoken.challenge_questions(each)) for each in targets]
        told = [f"{who.short}. {' '.join(asks)}" for who, asks in asked if asks]
        said = tuple(dict.fromkeys(told)) or (say("challenge.nothing"),)
        return words_block("note", "challenge", said)


def _answers(questions: Sequence[TargetFacts]) -> dict[str, str]:
    """Cells of a series that has no target: the chances of both standing questions in one row."""
    if not questions[0].is_reference:
        return {}
    entries = [(f"realism.asked.{spoken.asked_kind(each)}", each) for each in questions]
    told = [say(entry, chance=each.probability, target=each.target) for entry, each in entries]
    return {"chance": "; ".join(filter(None, told)), "status": "no_target"}


def _urgency(facts: Facts) -> tuple[bool, bool, float]:
    """Sort standards at risk first, then what was missed, then by chance, the lowest first."""
    chance = facts.probability.raw
    is_missed = facts.shown == "target_missed"
    return facts.shown != "at_risk", not is_missed, 1.0 if chance is None else chance


def _anchor(facts: TargetFacts, own: Sequence[TargetFacts]) -> str:
    """Return what the ids of a target's parts hold: the month in which its period begins.

    Of several in one period they hold the target's own id too.
    """
    begins = f"{facts.row['period']:%Y-%m}"
    several = sum(each.row["period"] == facts.row["period"] for each in own) > 1
    name = re.sub(r"[^a-z0-9]+", "-", facts.target_id.lower()).strip("-") if several else ""
    return "-".join(filter(None, ["target", begins, name]))


def _goal(facts: TargetFacts) -> float | tuple[float, float]:
    """Return the target as the dots take it: a number, or both ends of a range."""
    low, high = number(facts.row, "target_low"), number(facts.row, "target_high")
    is_range = facts.subject.polarity == "range" and low is not None and high is not None
    return (low or 0.0, high or 0.0) if is_range else facts.target.raw or 0.0
