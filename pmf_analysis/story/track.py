"""All targets of a theme together, and how chances given before compare with what happened.

Neither is a score: an expected number has a range, and a record of few forecasts is not scored.
"""

import math
from collections.abc import Mapping, Sequence

from pmf_analysis.data.seals import LATE
from pmf_analysis.story.bank import Sentences, capital, say, stored, tell, tell_cells, words_of
from pmf_analysis.story.blocks import Block
from pmf_analysis.story.dots import draw_reliability
from pmf_analysis.story.facts import written_date
from pmf_analysis.story.figures import Facts, Row, Subject, number, raw, text
from pmf_analysis.story.pages import data_table, picture, table_block
from pmf_analysis.story.view import ThemeView, rows_of

Records = Mapping[tuple[str, ...], Facts]
"""Rows of the result table ``records`` by source, group and band."""

_COLUMNS = stored("cells.yml")["columns"]
_SHARES = ("said", "seen", "bar_low", "bar_high")
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
    said, cells = Sentences(), list[dict[str, str]]()
    titles = {"": say("portfolio.whole"), **themes}
    place = {name: number for number, name in enumerate(titles)}
    for row in sorted(rows, key=lambda row: place.get(text(row, "name"), len(place))):
        group, name = text(row, "group"), text(row, "name")
        if group == "theme" and name not in themes:
            continue
        counts = Facts.read(row, _NONE, "portfolio")
        if not cells:  # the first row is the whole
            slots = {"group": group, "level": f"{100 * level:.0f}%", "past": _read(past or {})}
            said = tell("portfolio", **slots, **counts.more)
        title = titles.get(name) or text(row, "title") or capital(name.replace("_", " "))
        cells.append({"portfolio": title, **tell_cells("portfolio", facts=counts)})
    table = data_table(say("portfolio.table"), _COLUMNS["portfolio"], cells)
    notes = (say("portfolio.note"), *[say("portfolio.both")][: len(themes) > 1])
    heading, told_of = say("portfolio.title"), (" ".join(said),)
    block = Block("table", "portfolio", heading, text=told_of, table=table, notes=notes)
    return [block][: len(cells)]


def record_blocks(view: ThemeView) -> list[Block]:
    """Say how many past targets were met and how far chances were off, with the shipped evidence.

    What is refused says why, and nothing is drawn of it.
    """
    keys = ("source", "group", "band")
    records = {tuple(text(row, key) for key in keys): _read(row) for row in rows_of(view.records)}
    if not records:
        return []
    late = len(view.of_series(view.outcomes, LATE, "reason"))
    said = tell("record", records=records, theme=view.theme, late=late)
    told_of = (" ".join(said), say("record.shipped"))
    note = Block("note", "record", say("record.title"), text=told_of)
    return [note, *_chart(view, records), *_opened(view)]


def _read(row: Row) -> Facts:
    return Facts.read(row, _NONE, "record")


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
    said = (f"{name}: {words}." for name, words, _ in bands)
    caption, source = say("section.data", name=say("reliability.title")), say("reliability.source")
    table, slots = data_table(caption, _COLUMNS["record"], cells), {"council": view.council}
    svg = draw_reliability(bands, id="reliability")
    return [picture("reliability", "", svg, table, *said, slots=slots, source=source)]


def _opened(view: ThemeView) -> list[Block]:
    """List the newest sealed forecasts whose outcome is known."""
    rows, cells = view.of_series(view.outcomes, "sealed", "source"), []
    rows = rows.dropna(subset=["met", "probability"]).tail(_MOST_OPENED) if len(rows) else rows
    for row in rows_of(rows):
        if subject := view.subjects.get(text(row, "series")):
            cell = tell_cells("opened", facts=Facts.read(row, subject, "outcome"))
            cell["due"] = text(row, "period_label") or written_date(row, "period")
            cell["sealed"] = written_date(row, "sealed_on")
            cell["result"] = words_of("record.met")["yes" if number(row, "met") else "no"]
            cells.append(cell)
    table = data_table(say("record.opened"), _COLUMNS["opened"], cells)
    return [table_block("opened", table)] if cells else []
