"""All targets of a theme together, and how chances given before compare with what happened.

Neither is a score: an expected number has a range, and a record of few forecasts is not scored.
"""

from collections.abc import Mapping

from pmf_analysis.story.bank import capital, say, say_first, words_of
from pmf_analysis.story.blocks import Block
from pmf_analysis.story.facts import shown_chance, written_date
from pmf_analysis.story.figures import Row, number, text
from pmf_analysis.story.formatting import format_change, format_number
from pmf_analysis.story.pages import data_table, table_block
from pmf_analysis.story.reliability import draw_reliability
from pmf_analysis.story.sentences import Sentences, told
from pmf_analysis.story.view import ThemeView, rows_of

Records = Mapping[tuple[str, ...], Row]
"""Rows of the result table ``records`` by source, group and band."""

_COUNTS = {"targets": "n", "met_expected": "expected", "easy": "n_easy"}
_COUNTS |= {"challenging": "n_challenging", "out_of_reach": "n_out_of_reach"}
_PORTFOLIO = ("portfolio", "targets", "met_expected", "met_range", *[*_COUNTS][2:])
_SHARES = ("said", "seen", "bar_low", "bar_high")
_RECORD = ("band", "of_n", "said", "seen", "perfect")
_OPENED = ("indicator", "due", "target", "sealed", "said", "outcome", "result")
_MOST_OPENED = 12


def portfolio_blocks(view: ThemeView) -> list[Block]:
    """Say how many targets of theme and council would be met; a row for each directorate."""
    groups = {"theme": view.theme_title, "council": say("portfolio.whole"), "directorate": ""}
    found = rows_of(view.portfolio)
    said, cells = list[str](), []
    for group, row in ((g, row) for g in groups for row in found if text(row, "group") == g):
        if group == "theme" and text(row, "name") != view.theme:
            continue
        known = {key: number(row, key) for key in (*_COUNTS.values(), "low", "high")}
        slots = {key: "" if value is None else f"{value:.0f}" for key, value in known.items()}
        slots["level"] = f"{100 * view.easy_level:.0f}%"
        name = groups[group] or text(row, "title") or capital(text(row, "name").replace("_", " "))
        shown = {cell: slots[key] for cell, key in _COUNTS.items()}
        cells.append({"portfolio": name, "met_range": say("number.range", **slots), **shown})
        if groups[group]:
            entries = (f"portfolio.{group}.ranged", f"portfolio.{group}.plain")
            said += [say_first(*entries, **slots), say(f"portfolio.{group}.easy", **slots)]
    table = data_table(say("portfolio.table"), _PORTFOLIO, cells)
    heading, told_of = say("portfolio.title"), (" ".join(said),)
    notes = (say("portfolio.note"),)
    block = Block("table", "portfolio", heading, text=told_of, table=table, notes=notes)
    return [block][: len(cells)]


def record_blocks(view: ThemeView) -> list[Block]:
    """Say how many past targets were met and how far chances were off, with the shipped evidence.

    What is refused says why, and nothing is drawn of it.
    """
    keys = ("source", "group", "band")
    records = {tuple(text(row, key) for key in keys): row for row in rows_of(view.records)}
    if not records:
        return []
    past = _past("record.past", records.get(("targets", view.theme, "all"), {}))
    said = [past or say("record.no_past")]
    said.append(_past("record.past_council", records.get(("targets", "all", "all"), {})))
    for source, name in words_of("record.source").items():
        none: Row = {"reason": say("record.none")} if source == "sealed" else {}
        said += _score(name, records.get((source, "all", "all"), none))
    told_of = (" ".join(filter(None, said)), say("record.shipped"))
    note = Block("note", "record", say("record.title"), text=told_of)
    return [note, *_chart(view, records), *_opened(view)]


def _past(entry: str, row: Row) -> str:
    n, seen = number(row, "n"), number(row, "seen")
    return "" if not n or seen is None else say(entry, n=f"{n:.0f}", met=f"{n * seen:.0f}")


def _score(name: str, row: Row) -> Sentences:
    """Say by how much the chances of a source were off, or why they are not scored."""
    if reason := text(row, "reason"):
        return (say("record.refused", name=name, reason=reason[:1].lower() + reason[1:]),)
    errors = (number(row, f"{which}_error") for which in ("calibration", "perfect"))
    off, perfect = ("" if e is None else format_change(100 * e, "%", 1) for e in errors)
    skill, n = number(row, "skill"), f"{number(row, 'n') or 0:,.0f}"
    score = say("record.score", name=name, n=n, off=off, perfect=perfect)
    spelled = None if skill is None else format_number(skill, 2)
    return told(score, say("record.skill", skill=spelled))


def _chart(view: ThemeView, records: Records) -> list[Block]:
    """Draw what was said and what happened, a row a band; of few forecasts there are no bands."""
    cells, bands = [], []
    for source, of in words_of("record.source").items():
        for band, word in words_of("record.band").items():
            row = records.get((source, "all", band), {})
            shares = [100 * share for key in _SHARES if (share := number(row, key)) is not None]
            if len(shares) == len(_SHARES):
                cell = dict(zip(_SHARES, (f"{share:.0f}%" for share in shares), strict=True))
                cell |= {"of_n": f"{number(row, 'n') or 0:,.0f}"}
                cell |= {"band": say("record.row", source=of, band=word)}
                cells.append(cell | {"perfect": say("record.perfect", **cell)})
                bands.append((cell["band"], say("record.told", **cell), shares))
    if not bands:
        return []
    heading = say("record.chart_title")
    alt = " ".join((say("record.chart_alt"), *(f"{name}: {words}." for name, words, _ in bands)))
    subtitle = say("record.chart_subtitle", council=view.council)
    table = data_table(say("section.data", name=heading), _RECORD, cells)
    svg, source = draw_reliability(bands, id="reliability"), say("record.chart_source")
    return [Block("figure", "reliability", heading, subtitle, (), alt, {}, table, svg, source)]


def _opened(view: ThemeView) -> list[Block]:
    """List the newest sealed forecasts whose outcome is known."""
    subjects = {facts.subject.series: facts.subject for facts in view.trend_facts}
    rows = view.of_series(view.outcomes, "sealed", "source")
    rows = rows.dropna(subset=["met", "probability"]).tail(_MOST_OPENED) if len(rows) else rows
    cells = [
        {
            "indicator": subject.short,
            "due": text(row, "period_label") or text(row, "period")[:10],
            "target": subject.figure(number(row, "target")).text,
            "sealed": written_date(row, "sealed_on"),
            "said": shown_chance(subject, number(row, "probability")),
            "outcome": subject.figure(number(row, "outcome")).text,
            "result": words_of("record.met")["yes" if number(row, "met") else "no"],
        }
        for row in rows_of(rows)
        if (subject := subjects.get(text(row, "series")))
    ]
    return [table_block("opened", data_table(say("record.opened"), _OPENED, cells))][: len(cells)]
