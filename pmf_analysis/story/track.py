"""All targets of a theme together, and how chances given before compare with what happened.

Neither is a score: an expected number has a range, and a record of few forecasts is not scored.
"""

import math
from collections.abc import Mapping, Sequence

from pmf_analysis.data.seals import LATE
from pmf_analysis.story.bank import capital, count_of, say, say_first, stored, words_of
from pmf_analysis.story.blocks import Block
from pmf_analysis.story.facts import written_date
from pmf_analysis.story.figures import Facts, Row, Subject, number, raw, text
from pmf_analysis.story.formatting import join_words
from pmf_analysis.story.pages import cells_of, data_table, table_block
from pmf_analysis.story.reliability import draw_reliability
from pmf_analysis.story.view import ThemeView, rows_of

Records = Mapping[tuple[str, ...], Facts]
"""Rows of the result table ``records`` by source, group and band."""

_COLUMNS = stored("cells.yml")["columns"]
_SHARES = ("said", "seen", "bar_low", "bar_high")
_EXPECTED = ("ranged", "plain")
_MOST_OPENED = 12
_NONE = Subject.of({}, "")  # rows are of no series


def portfolio_blocks(
    rows: Sequence[Row], themes: Mapping[str, str], level: float, past: Row | None = None
) -> list[Block]:
    """Say how many targets would be met: of a theme on its page, of the whole council elsewhere.

    ``rows`` are of the result table ``portfolio``, ``themes`` the titles of the themes to show,
    and ``level`` is the chance from which a target is met on the present course. ``past`` is the
    row of ``records`` on the council's past targets.
    """
    said, cells = list[str](), []
    titles = {"": say("portfolio.whole"), **themes}
    place = {name: number for number, name in enumerate(titles)}
    for row in sorted(rows, key=lambda row: place.get(text(row, "name"), len(place))):
        group, name = text(row, "group"), text(row, "name")
        if group == "theme" and name not in themes:
            continue
        counts = Facts.read(row, _NONE, "portfolio")
        title = titles.get(name) or text(row, "title") or capital(name.replace("_", " "))
        told_as = {"portfolio": title, "met_range": say("number.range", **counts.more)}
        cells.append(cells_of(counts, "portfolio") | told_as)
        if not said:  # of the first row, which is the whole
            said.append(say_first(*(f"portfolio.{group}.{e}" for e in _EXPECTED), **counts.more))
            said.append(_counted("portfolio.easy", counts.n_easy.raw, level=f"{100 * level:.0f}%"))
    said.append(_past("portfolio.past", _read(past or {})))
    table = data_table(say("portfolio.table"), _COLUMNS["portfolio"], cells)
    told_of = (" ".join(filter(None, said)),)
    notes = (say("portfolio.note"), *[say("portfolio.both")][: len(themes) > 1])
    block = Block(
        "table", "portfolio", say("portfolio.title"), "", told_of, table=table, notes=notes
    )
    return [block][: len(cells)]


def record_blocks(view: ThemeView) -> list[Block]:
    """Say how many past targets were met and how far chances were off, with the shipped evidence.

    What is refused says why, and nothing is drawn of it.
    """
    keys = ("source", "group", "band")
    records = {tuple(text(row, key) for key in keys): _read(row) for row in rows_of(view.records)}
    if not records:
        return []
    past = _past("record.past", records.get(("targets", view.theme, "all"), _read({})))
    said = [past or say("record.no_past")]
    for source, name in words_of("record.source").items():
        none = _read({"reason": say("record.none")} if source == "sealed" else {})
        said.append(_score(name, records, records.get((source, "all", "all"), none)))
    said.append(_counted("record.late", len(view.of_series(view.outcomes, LATE, "reason"))))
    told_of = (" ".join(filter(None, said)), say("record.shipped"))
    note = Block("note", "record", say("record.title"), text=told_of)
    return [note, *_chart(view, records), *_opened(view)]


def _read(row: Row) -> Facts:
    return Facts.read(row, _NONE, "record")


def _past(entry: str, found: Facts) -> str:
    met = found.n * (found.seen.raw or 0.0)
    return say(entry, n=found.n, met=f"{met:.0f}") if found.n and found.seen.is_known else ""


def _counted(entry: str, n: float | None, **slots: object) -> str:
    return count_of(entry, int(n), **slots) if n else ""


def _score(name: str, records: Records, found: Facts) -> str:
    """Say what was said in each band and what happened, or why that is not told."""
    if reason := found.reason:
        return say("record.refused", name=name, reason=reason[:1].lower() + reason[1:])
    keys = ((text(found.row, "source"), "all", band) for band in words_of("record.band"))
    bands = [records[key] for key in keys if key in records]
    slots = {key: join_words([str(band.more[key]) for band in bands]) for key in ("said", "seen")}
    return say("record.score", name=name, n=found.more["n"], **slots)


def _chart(view: ThemeView, records: Records) -> list[Block]:
    """Draw what was said and what happened, a row a band; of few forecasts there are no bands."""
    cells, bands = [], []
    for source, of in words_of("record.source").items():
        for band, word in words_of("record.band").items():
            more = records.get((source, "all", band), _read({})).more
            shares = [100 * raw(more[key]) for key in _SHARES]
            if math.isfinite(sum(shares)):
                cell = {key: figure.text for key, figure in more.items()}
                cell |= {"of_n": cell["n"], "band": say("record.row", source=of, band=word)}
                cells.append(cell | {"perfect": say("record.perfect", **cell)})
                bands.append((cell["band"], say("record.told", **cell), shares))
    if not bands:
        return []
    heading = say("record.chart_title")
    alt = " ".join((say("record.chart_alt"), *(f"{name}: {words}." for name, words, _ in bands)))
    subtitle = say("record.chart_subtitle", council=view.council)
    table = data_table(say("section.data", name=heading), _COLUMNS["record"], cells)
    svg, source = draw_reliability(bands, id="reliability"), say("record.chart_source")
    return [Block("figure", "reliability", heading, subtitle, (), alt, {}, table, svg, source)]


def _opened(view: ThemeView) -> list[Block]:
    """List the newest sealed forecasts whose outcome is known."""
    rows, cells = view.of_series(view.outcomes, "sealed", "source"), []
    rows = rows.dropna(subset=["met", "probability"]).tail(_MOST_OPENED) if len(rows) else rows
    for row in rows_of(rows):
        if subject := view.subjects.get(text(row, "series")):
            cell = cells_of(Facts.read(row, subject, "outcome"), "opened")
            cell["due"] = text(row, "period_label") or written_date(row, "period")
            cell["sealed"] = written_date(row, "sealed_on")
            cell["result"] = words_of("record.met")["yes" if number(row, "met") else "no"]
            cells.append(cell)
    table = data_table(say("record.opened"), _COLUMNS["opened"], cells)
    return [table_block("opened", table)] if cells else []
