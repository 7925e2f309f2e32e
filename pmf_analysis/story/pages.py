"""What the three pages share: the sections that read alike on each.

Every indicator of the theme is on every page, judged or with the reason why not.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from datetime import date
from typing import TYPE_CHECKING, Literal

from pmf_analysis.story.bank import count_of, say, words_of
from pmf_analysis.story.blocks import Block, Column, Table
from pmf_analysis.story.facts import TrendFacts
from pmf_analysis.story.figures import Facts, Row, number, text
from pmf_analysis.story.formatting import format_date, join_words
from pmf_analysis.story.sentences import named
from pmf_analysis.story.view import ThemeView, rows_of

if TYPE_CHECKING:
    from pmf_analysis.parameters.models import Indicator

_SHOWN_PROBLEMS = 20
_NUMBERS = (
    "latest",
    "target",
    "chance",
    "value",
    "median",
    "previous",
    "last_year",
    "gap",
    "usual_low",
    "usual_high",
)
_KINDS: Mapping[
    str, tuple[Literal["left", "right"], Literal["text", "number", "status", "spark"]]
] = {
    **dict.fromkeys(_NUMBERS, ("right", "number")),
    "trend": ("left", "spark"),
    "status": ("left", "status"),
}


def table_block(
    id: str,
    caption: str,
    columns: Sequence[str],
    rows: Iterable[Mapping[str, str]],
    *,
    words: Mapping[str, str] | None = None,
    alt: str = "",
    notes: tuple[str, ...] = (),
) -> Block:
    """Make a table block whose columns are named by their entries in the bank.

    ``trend`` holds sparklines and ``status`` verdict codes; figures are set to the right.
    """
    table = data_table(caption, columns, rows, words=words)
    return Block("table", id, caption, table=table, alt=alt, notes=notes)


def data_table(
    caption: str,
    columns: Sequence[str],
    rows: Iterable[Mapping[str, str]],
    *,
    words: Mapping[str, str] | None = None,
) -> Table:
    """Make a table from rows of text; see :func:`table_block`."""
    made = tuple(
        Column(key, say(f"column.{key}"), *_KINDS.get(key, ("left", "text"))) for key in columns
    )
    return Table(caption, made, tuple(rows), status_words=words or {})


def plain_table(columns: Sequence[str], rows: Sequence[Mapping[str, str]]) -> str:
    """Write a table as aligned plain text: what a terminal shows and nbval compares."""
    lines = [[say(f"column.{key}") for key in columns]]
    lines += [[row.get(key) or "-" for key in columns] for row in rows]
    widths = [max(len(line[place]) for line in lines) for place in range(len(columns))]
    return "\n".join(
        "  ".join(cell.ljust(width) for cell, width in zip(line, widths, strict=True)).rstrip()
        for line in lines
    )


def paragraph(sentences: Iterable[str]) -> tuple[str, ...]:
    """Join sentences to one paragraph; none gives no paragraph."""
    whole = " ".join(sentences)
    return (whole,) if whole else ()


def headline_blocks(
    view: ThemeView,
    sentences: Iterable[str],
    columns: Sequence[str],
    rows: Sequence[Mapping[str, str]],
) -> list[Block]:
    """Say what a page found in a few sentences, then show every series at a glance.

    A theme without indicators says so and what to do about it; one without figures has no table.
    """
    if not view.indicators:
        nothing = say("section.nothing", theme=view.theme_title)
        next_step = say("theme.none_next")
        return [Block("finding", "headline", nothing, text=(say("theme.none"), next_step))]
    slots = {"theme": view.theme_title, "period": view.period}
    said = paragraph(sentences if view.trend_facts else [say("theme.no_data")])
    finding = Block("finding", "headline", say("section.headline", **slots), text=said)
    caption = say("section.at_a_glance", **slots)
    table = table_block("at-a-glance", caption, columns, rows, words=view.status_words)
    return [finding, table] if rows else [finding]


def counting_entry(view: ThemeView, facts: Sequence[Facts]) -> str:
    """Return which entry counts these: all indicators of the theme, some, or breakdowns too."""
    counted = {each.subject.indicator for each in facts}
    if len(counted) < len(facts):
        return "theme.of_series"
    return "theme.of" if len(counted) == len(view.indicators) else "theme.of_some"


def key_figure_blocks(
    view: ThemeView, columns: Sequence[str], rows: Sequence[Mapping[str, str]]
) -> list[Block]:
    """Show every number of a page in one table, whose plain text nbval compares."""
    words, caption = view.status_words, say("section.key_figures", period=view.period)
    plain = [{**row, "status": words.get(row["status"], row["status"])} for row in rows]
    alt = plain_table(columns, plain)
    block = table_block("key-figures", caption, columns, rows, words=words, alt=alt)
    return [block] if rows else []


def exception_blocks(said: Sequence[str]) -> list[Block]:
    """Show what needs attention, or that nothing does."""
    heading = say("section.exceptions" if said else "section.no_exceptions")
    return [Block("finding", "exceptions", heading, text=tuple(said) or (say("exceptions.none"),))]


def scope_blocks(
    view: ThemeView, judged: Mapping[str, tuple[str, str]], otherwise: str = ""
) -> list[Block]:
    """List every indicator of the theme: judged and how, or not judged and why.

    Parameters
    ----------
    view
        The theme.
    judged
        Verdict code (``judged`` or the code of what stands instead) and words, by series.
    otherwise
        Why a series that has figures is not in ``judged``.
    """
    if not view.indicators:
        return [Block("note", "scope", say("section.scope"), text=(say("theme.none"),))]
    nothing = ("cannot_judge", otherwise)
    rows = [
        _scope_row(facts.subject.title, *judged.get(facts.subject.series, nothing))
        for facts in view.trend_facts
    ]
    rows += [
        _scope_row(indicator.title, "cannot_judge", why_not(view, indicator))
        for indicator in view.without_series()
    ]
    caption = say("section.scope_table", theme=view.theme_title)
    counts = say("scope.counts", n=len(view.indicators))
    columns = ("indicator", "status", "reason")
    return [table_block("scope", caption, columns, rows, words=view.status_words, notes=(counts,))]


def why_not(view: ThemeView, indicator: Indicator, otherwise: str = "") -> str:
    """Say why an indicator has nothing on a page; ``otherwise`` where it does have figures."""
    if indicator not in view.without_series():
        return otherwise
    return say("scope.no_row" if indicator.is_chartable else "scope.not_numeric")


def _scope_row(name: str, code: str, reason: str) -> dict[str, str]:
    return {"indicator": name, "status": code, "reason": reason}


def method_words(method: str, n: int) -> str:
    """Say by which method and from how many figures something was judged."""
    name = words_of("method_name").get(method, method.replace("_", " "))
    return say("scope.judged_by", method=name, n=n)


def evidence_words(evidence: str) -> str:
    """Return the label of a kind of evidence; a text that is no code is shown as it is."""
    return words_of("evidence").get(evidence, evidence.replace("_", " "))


def source_line(view: ThemeView, indicator: str) -> str:
    """Name source and licence of an indicator; "" where none is recorded."""
    found = [each for each in view.indicators if each.id == indicator]
    parts = [part.rstrip(".") for each in found for part in (each.source, each.licence) if part]
    return say("source.line", source=". ".join(parts)) if parts else ""


def narrative_notes(view: ThemeView, indicator: str) -> tuple[str, ...]:
    """Return what the owner wrote about the newest period, each with role and date."""
    if view.narratives.empty:
        return ()
    rows = view.narratives[view.narratives["indicator_id"] == indicator]
    newest = rows_of(rows[rows["period_end"] == rows["period_end"].max()])
    return tuple(note for row in newest for note in _narrative(row))


def _narrative(row: Row) -> Iterable[str]:
    role, written = text(row, "author_role"), text(row, "written_on")[:10]
    day = format_date(date.fromisoformat(written)) if written else ""
    kind = words_of("narrative.kind").get(text(row, "kind"), text(row, "kind"))
    heading = ", ".join(filter(None, [kind, role, day]))
    yield say("narrative.note", heading=heading, text=text(row, "text"))
    due = text(row, "due_back_on_target")[:10]
    if due:
        yield say("narrative.due", date=format_date(date.fromisoformat(due)))


def quality(view: ThemeView) -> list[Block]:
    """Say what limits trust in the theme's data: states of figures, then problems found."""
    count = len(view.problems)
    found = count_of("quality.count", count) if count else say("quality.none")
    blocks = [Block("note", "quality", say("section.quality"), text=(*_states(view), found))]
    if count:
        notes = (say("quality.first", shown=_SHOWN_PROBLEMS, n=count),)
        rows = [_problem_row(row) for row in rows_of(view.problems.head(_SHOWN_PROBLEMS))]
        blocks.append(
            table_block(
                "problems",
                say("section.quality_table"),
                ("problem", "place", "fix"),
                rows,
                notes=notes if count > _SHOWN_PROBLEMS else (),
            )
        )
    return blocks


def _states(view: ThemeView) -> tuple[str, ...]:
    groups: dict[str, Callable[[TrendFacts], bool]] = {
        "provisional": lambda facts: facts.status in ("provisional", "estimated"),
        "revised": lambda facts: facts.status == "revised",
        "suppressed": lambda facts: facts.status == "suppressed",
        "stale": lambda facts: facts.is_stale,
        "breaks": lambda facts: facts.has_break,
    }
    said: list[str] = []
    for group, belongs in groups.items():
        names = [facts.subject.short for facts in view.trend_facts if belongs(facts)]
        said += named(say(f"quality.{group}"), names)
    fine = (say("quality.fine"),) if view.trend_facts else ()
    return tuple(said) or fine


def _problem_row(row: Row) -> dict[str, str]:
    line = number(row, "row")
    parts = [text(row, "indicator"), text(row, "file"), text(row, "sheet")]
    parts += [say("section.row", row=f"{line:.0f}")] if line is not None else []
    place = ", ".join(filter(None, parts))
    return {"problem": text(row, "message"), "place": place, "fix": text(row, "fix")}


def method_blocks(entries: Sequence[str]) -> list[Block]:
    """Say in a few lines how the page judges, by whose method, and what it cannot tell."""
    lines = tuple(say(f"method.{entry}") for entry in (*entries, "more"))
    return [Block("note", "method", say("section.method"), text=lines)]


def provenance(view: ThemeView) -> list[Block]:
    """Name sources, licences, as-at date and content hash; nothing about clock or machine."""
    facts = [
        view.notice,
        say("provenance.as_at", as_at=format_date(view.as_at)),
        say("provenance.vintage", hash=view.vintage[:12]) if view.vintage else "",
        say("provenance.rounding"),
        say("provenance.seed", seed=view.seed),
    ]
    sources: dict[tuple[str, str], list[str]] = {}
    for indicator in view.indicators:
        key = (indicator.source, indicator.licence)
        sources.setdefault(key, []).append(indicator.short_title or indicator.title)
    rows = [
        {"source": source, "licence": licence, "indicator": join_words(names)}
        for (source, licence), names in sources.items()
    ]
    said = tuple(filter(None, facts)) if rows else (*filter(None, facts), say("provenance.none"))
    blocks = [Block("note", "provenance", say("section.provenance"), text=said)]
    if rows:
        caption = say("section.sources_table", theme=view.theme_title)
        blocks.append(table_block("sources", caption, ("source", "licence", "indicator"), rows))
    return blocks
