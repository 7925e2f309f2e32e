"""What limits trust in a theme's data, who supplied it, and what its owners wrote about it."""

from collections.abc import Callable, Iterator

from pmf_analysis.story.bank import clip_sentences, count_of, named, say, words_of
from pmf_analysis.story.blocks import Block, Table
from pmf_analysis.story.facts import TrendFacts, written_date
from pmf_analysis.story.figures import Row, number, text
from pmf_analysis.story.view import ThemeView, rows_of

_SHOWN_PROBLEMS, _SHOWN_WORDS = 20, 60
_STATES = ("provisional", "revised", "suppressed", "stale", "breaks")


def quality_blocks(view: ThemeView, table: Callable[..., Table]) -> list[Block]:
    """Say what states the latest figures are in, then show the problems found."""
    problems, fix = rows_of(view.problems), say("quality.contradiction_fix")
    told = ["", *(text(row, "message") for row in problems)]
    seen: list[Row] = [
        {"message": each.contradiction, "indicator": each.subject.indicator, "fix": fix}
        for each in view.trend_facts
        if each.contradiction not in told
    ]
    rows = []
    for row in (*seen, *problems):
        place = ", ".join(filter(None, [text(row, "indicator"), _place(row, "")]))
        rows.append({"problem": text(row, "message"), "place": place, "fix": text(row, "fix")})
    count, rows = len(rows), rows[:_SHOWN_PROBLEMS]
    said: list[str] = []
    for state in _STATES:
        in_it = [each for each in view.trend_facts if _is_in(each, state)]
        said += named(say(f"quality.{state}"), [each.subject.short for each in in_it])
    fine = [say("quality.fine")] if view.trend_facts else []
    found = count_of("quality.count", count) if count else say("quality.none")
    note = Block("note", "quality", say("section.quality"), text=(*(said or fine), found))
    if not count:
        return [note]
    notes = (say("quality.first", shown=len(rows), n=count),) if count > len(rows) else ()
    shown = table(say("section.quality_table"), ("problem", "place", "fix"), rows)
    return [note, Block("table", "problems", shown.caption, table=shown, notes=notes)]


def _is_in(facts: TrendFacts, state: str) -> bool:
    status = facts.status.replace("estimated", "provisional")
    return state in (status, "stale" * facts.is_stale, "breaks" * facts.has_break)


def _place(row: Row, prefix: str) -> str:
    """Name file, sheet and row; "" where none is recorded."""
    line = number(row, f"{prefix}row")
    parts = [text(row, f"{prefix}file"), text(row, f"{prefix}sheet")]
    return ", ".join(filter(None, [*parts, say("section.row", row=line and f"{line:.0f}")]))


def source_line(view: ThemeView, indicator: str) -> str:
    """Name source and licence of an indicator, or say that none is recorded."""
    found = [each for each in view.indicators if each.id == indicator]
    parts = [part.rstrip(".") for each in found for part in (each.source, each.licence) if part]
    return say("source.line", source=". ".join(parts)) or say("source.none")


def narrative_notes(view: ThemeView, indicator: str) -> tuple[str, ...]:
    """Return what the owner wrote about the newest period, each with role and date.

    Officers go by the roles that framework and register name; any other author is the
    owner. A long text is cut at the end of a sentence, and the note says where the whole of it is.
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
    whole = text(row, "text")
    shown = clip_sentences(whole, _SHOWN_WORDS)
    slots = {"heading": ", ".join(filter(None, parts)), "text": shown, "n": len(whole.split())}
    entry = "narrative.note" if shown == whole else "narrative.note_clipped"
    yield say(entry, **slots, place=_place(row, "source_") or say("narrative.no_place"))
    yield say("narrative.due", date=written_date(row, "due_back_on_target"))
