"""The page of a theme: every indicator in one table, and what each of its three reports found.

It says nothing of its own: its cells are facts of the reports, and lead to where they rest.
"""

from collections import Counter
from collections.abc import Collection, Mapping
from dataclasses import replace
from typing import Any

from pmf_analysis.story import bank, pages, sentences
from pmf_analysis.story.bank import count_of, say, stored, words_of
from pmf_analysis.story.benchmarking_page import BenchmarkingPage
from pmf_analysis.story.blocks import Block, Column, Table
from pmf_analysis.story.facts import MARKS, ComparisonFacts, TargetFacts, TrendFacts, written_date
from pmf_analysis.story.figures import Row, number, text
from pmf_analysis.story.formatting import format_date
from pmf_analysis.story.realism_page import RealismPage
from pmf_analysis.story.trends_page import TrendsPage
from pmf_analysis.story.view import ThemeView, rows_of

_COLUMNS: Mapping[str, Mapping[str, Any]] = stored("theme_page.yml")["columns"]
_LEADS: Mapping[str, str] = stored("theme_page.yml")["leads"]
_WITHOUT: Mapping[str, list[str]] = stored("theme_page.yml")["without"]
_SHOWN_WORDS = 40


class ThemePage:
    """A theme at a glance.

    ``made`` are the analyses of which there is a report, each with the ids of its parts: cells lead
    to theirs alone, and to a report as a whole that lacks the part.
    """

    def __init__(self, view: ThemeView, made: Mapping[str, Collection[str]]) -> None:
        self.view, self.made = view, made
        self.without = _WITHOUT[view.status_style]
        self.trends, self.realism = TrendsPage(view), RealismPage(view)
        self.comparison = BenchmarkingPage(view)

    @property
    def counts(self) -> Counter[str]:
        """How many series have each status, as the trends report counts them."""
        return Counter(facts.shown for facts in self.trends.facts)

    def moved(self, code: str) -> list[dict[str, str]]:
        """Name the indicators with a status, and where their trends are told, below the run."""
        chosen = [facts.subject for facts in self.trends.facts if facts.shown == code]
        links = [self._link("trends", self.view.slugs[each.series]) for each in chosen]
        hrefs = [f"{self.view.theme}/{link}" if link else "" for link in links]
        pairs = zip(chosen, hrefs, strict=True)
        return [{"name": each.short, "href": href} for each, href in pairs]

    def summaries(self) -> dict[str, tuple[str, ...]]:
        """Return the sentences on what each report found, by its analysis."""
        reports = (self.trends, self.comparison, self.realism)
        known = self.view.trend_facts
        none = (say("theme.no_data" if self.view.indicators else "theme.none"),)
        return {page.analysis: page.summary() if known else none for page in reports}

    def glance(self) -> list[Block]:
        """Return the trends in one sentence, then the table of every indicator."""
        view, page = self.view, self.trends
        slots = {"theme": view.theme_title, "period": view.period}
        if not page.facts:
            return [page.headline()[0]]
        counts = page.count_verdicts("trends", page.counting_entry(), page.facts, named=())
        lede = Block("finding", "lede", "", text=bank.paragraph(counts))
        names = words_of("theme_page.column")
        kept = {key: look for key, look in _COLUMNS.items() if key not in self.without}
        columns = tuple(Column(key, names[key], **look) for key, look in kept.items())
        rows, words = tuple(map(self._row, page.facts)), words_of("theme_page.lacks")
        table = Table(say("theme_page.glance", **slots), columns, rows, {**page.words, **words})
        about = ("theme_page.note", "theme_page.own_rule", "theme_page.no_colour")
        notes = tuple(map(say, about if "status" in kept else about[:1]))
        return [lede, pages.table_block("at-a-glance", table, notes=notes)]

    def plan(self) -> list[Block]:
        """Return open actions and risks, and projects with their milestones, if there are any."""
        blocks, slots = [], {"theme": self.view.theme_title, "day": format_date(self.view.as_at)}
        for kind in ("actions", "risks", "projects"):
            if rows := [self._planned(kind, row) for row in rows_of(getattr(self.view, kind))]:
                columns = stored("cells.yml")["columns"][kind]
                table = pages.data_table(say(f"theme_page.plan.{kind}", **slots), columns, rows)
                notes = (say(f"theme_page.plan_note.{kind}"),)
                blocks.append(pages.table_block(kind, replace(table, rows=(*rows,)), notes=notes))
        return blocks

    def _planned(self, kind: str, row: Row) -> dict[str, str]:
        """Cells of an action, risk, project or milestone, and where its indicator's leads."""
        late, indicator = number(row, "days_late"), text(row, "indicator_id")
        names = {each.id: each.short_title or each.title for each in self.view.indicators}
        slots: dict[str, Any] = {"row": row, "day": lambda name: written_date(row, name)}
        slots |= {"title": bank.clip_words(text(row, "title"), _SHOWN_WORDS)}
        slots |= {"late": late and int(late), "done": number(row, "progress_pct")}
        slots |= {"name": names.get(indicator, ""), "owner": self.view.role(text(row, "owner"))}
        cells, series = bank.tell_cells(kind, **slots), self.view.subjects.items()
        slug = next((self.view.slugs[key] for key, of in series if of.indicator == indicator), "")
        return cells | {"indicator_link": self._link("trends", slug) if slug else ""}

    def _row(self, facts: TrendFacts) -> dict[str, str]:
        """Cells of an indicator, and beside each that leads somewhere its address."""
        series = facts.subject.series
        cells = self.trends.row(facts)
        compared = next((e for e in self.comparison.facts if e.subject.series == series), None)
        target = _next(self.realism.by_series[series])
        row = {key: cells[key] for key in ("indicator", "trend", "latest")}
        row["trend_said"] = self._drawn(facts) if row["trend"] else ""
        if "status" not in self.without:
            ours = rows_of(self.view.of_series(self.view.statuses, series))
            row["status"] = "".join(text(each, "colour") or text(each, "why") for each in ours)
        row |= {"change": cells["status"], "compared": self._compared(compared)}
        row |= self._target(target, len(self.realism.by_series[series]))
        slug = self.view.slugs[series]
        return row | {f"{key}_link": self._link(to, slug) for key, to in _LEADS.items()}

    def _link(self, analysis: str, slug: str) -> str:
        """Return where a report tells of a series; "" where there is no report."""
        part = f"#finding-{slug}" if f"finding-{slug}" in self.made.get(analysis, ()) else ""
        return f"{analysis}/report.html{part}" if analysis in self.made else ""

    def _drawn(self, facts: TrendFacts) -> str:
        """Say what a sparkline shows."""
        values = self.view.of_series(self.view.points, facts.subject.series)["value"].dropna()
        ends = (facts.subject.figure(value) for value in (values.min(), values.max()))
        return say("theme_page.drawn", n=len(values), range=facts.subject.range(*ends))

    def _compared(self, facts: ComparisonFacts | None) -> str:
        if facts is None or facts.verdict == "cannot_judge":
            return say("theme_page.not_compared")
        slots = {"place": sentences.rank_words(facts), "period": facts.period_label}
        kind = "placed" if facts.subject.is_city else "compared"
        return say(f"theme_page.{kind}", word=self.view.status_words[facts.shown].lower(), **slots)

    def _target(self, facts: TargetFacts | None, n: int) -> dict[str, str]:
        if facts is None:
            return {"target": "", "chance": self.view.status_words["no_target"]}
        due, target = facts.period_label, facts.stated
        chance = say("theme_page.chance", frequency=facts.frequency, due=due)
        said = chance or self.view.status_words[facts.shown]
        more = count_of("theme_page.more", n - 1, said=said) if n > 1 else said
        kind = "suspect" if MARKS["unit"] in facts.reason else "target"
        so_far = facts.subject.plain(facts.last_value) if facts.of_periods else ""
        said = say("theme_page.so_far", so_far=so_far, target=target)
        return {"target": say(f"theme_page.{kind}", target=said or target, due=due), "chance": more}


def _next(targets: list[TargetFacts]) -> TargetFacts | None:
    """Return the next of an indicator's own targets: the first with a chance, else the last."""
    own = [each for each in targets if not each.is_reference]
    return next((each for each in own if each.probability.is_known), own[-1] if own else None)
