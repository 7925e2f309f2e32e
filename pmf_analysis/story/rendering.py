"""Blocks as HTML, for JupyterLab and for the report page alike.

Everything is escaped here and only here. The markup needs no style sheet to make sense: captions
are block elements, tables have captions, scopes and explicit roles (some browsers forget a table's
roles once CSS lays it out as cards), and pictures are named by their alternative text.
"""

import csv
import io
import re
from collections.abc import Iterable, Mapping
from dataclasses import replace
from functools import partial
from html import escape
from urllib.parse import quote

from pmf_analysis.data.store import neutral_cell
from pmf_analysis.story.blocks import Block, Column, Table
from pmf_analysis.story.formatting import MINUS
from pmf_analysis.story.style import PANEL_SVG, TIMELINE_SVG, icon_html, status_html, status_word

_SVG_TAG = re.compile(r"""<svg((?:[^>"']|"[^"]*"|'[^']*')*)>""")
_PERIOD = re.compile(r"\b\d{4}[-/]\d\d\b(?: Q\d)?")
_VALUE = re.compile(rf"({MINUS}?)(£?)([\d,]+(?:\.\d+)?)(%?)((?: .+)?)")
_PLAIN = re.compile(rf"(?:{MINUS}?[\d,]+(?:\.\d+)?)?")
_SHORT_CELL = 12
_TONE_ICONS = {"better": "improving", "worse": "worsening"}
_NO_VALUE = '<span aria-hidden="true">–</span><span class="pmf-hidden"> no value</span>'


def block_html(block: Block, *, number: int | None = None, level: int = 3) -> str:
    """Return a block as HTML.

    Parameters
    ----------
    block
        The block; every text of it is escaped.
    number
        Number of the figure or table in its page; without it the label has no number.
    level
        Heading level of the block's title, so that a page never skips one.
    """
    return (_figure if block.kind == "figure" else _division)(block, number, level)


def _figure(block: Block, number: int | None, level: int) -> str:
    label = f"Figure {number}" if number else "Figure"
    heading = _heading(block, level, prefix=f"{label}: " if number else "")
    files = ""
    if block.table:
        data = _units_in_headings(block.table)
        of_figure = f" for {label.lower()}" if number else ""
        name = f'{of_figure}<span class="pmf-hidden">: {escape(block.title)}</span>'
        files = (
            f'<details class="pmf-details"><summary>Data table{name}</summary>'
            f'{_table(data)}</details><p class="pmf-file"><a download="{block.id}.csv" '
            f'href="{_csv_address(data)}">Download the data{name} (CSV)</a></p>'
        )
    return (
        f'<figure class="pmf-block pmf-figure" id="{block.id}" aria-labelledby="{block.id}-title">'
        f"<figcaption>{heading}</figcaption>{_paragraphs(block.text)}"
        f"{_picture(block, label)}{_source_and_notes(block)}{files}</figure>\n"
    )


def _picture(block: Block, label: str) -> str:
    """Return a chart that scrolls on a narrow screen, or panels that go below each other there."""
    if block.svg.startswith(PANEL_SVG):
        return (
            f'<div class="pmf-panels" role="img" aria-label="{escape(block.alt)}">{block.svg}</div>'
        )
    hidden = "earlier periods" if TIMELINE_SVG in block.svg else "the rest"
    return (
        f'<p class="pmf-hint">Scroll sideways for {hidden}.</p>'
        f'<div class="pmf-scroll pmf-chart" role="group" tabindex="0" '
        f'aria-label="{escape(f"{label}: {block.title}")}">{_named_svg(block)}</div>'
    )


def _division(block: Block, number: int | None, level: int) -> str:
    tone = f" pmf-{block.tone}" if block.tone else ""
    is_captioned = block.table is not None and block.title.strip() == block.table.caption.strip()
    heading = "" if is_captioned else _heading(block, level)
    picture = f'<div class="pmf-chart">{_named_svg(block)}</div>' if block.svg else ""
    label = f"Table {number}" if number else ""
    table = _table(block.table, label=label, cards=True) if block.table else ""
    return (
        f'<div class="pmf-block pmf-{block.kind}{tone}" id="{block.id}">{heading}'
        f"{_paragraphs(block.text)}{picture}{table}{_source_and_notes(block)}</div>\n"
    )


def _heading(block: Block, level: int, prefix: str = "") -> str:
    icon = icon_html(_TONE_ICONS.get(block.tone, "")) if block.kind == "finding" else ""
    title = (
        f'<h{level} class="pmf-title" id="{block.id}-title">{icon}'
        f"{_prose(prefix + block.title)}</h{level}>"
    )
    return (title if block.title else "") + _paragraphs((block.subtitle,), "pmf-subtitle")


def _paragraphs(texts: Iterable[str], name: str = "") -> str:
    opening = f'<p class="{name}">' if name else "<p>"
    return "".join(f"{opening}{_prose(text)}</p>" for text in texts if text)


def _prose(text: str) -> str:
    """Escape a text; browsers break "2026-27 Q2" after its hyphen unless they are told not to."""
    return _PERIOD.sub(r'<span class="pmf-whole">\g<0></span>', escape(text))


def _source_and_notes(block: Block) -> str:
    named = block.source.startswith("Source") or not block.source
    source = block.source if named else f"Source: {block.source}"
    return _paragraphs((source, *block.notes), "pmf-source")


def _named_svg(block: Block) -> str:
    """Name the picture by the block's alternative text, so the two can never disagree."""
    name = f"{block.id}-alt"
    opening = f'<svg role="img" focusable="false" aria-labelledby="{name}"'
    title = f'<title id="{name}">{escape(block.alt)}</title>'
    return _SVG_TAG.sub(lambda tag: f"{opening}{tag[1]}>{title}", block.svg, count=1)


def _table(table: Table, *, label: str = "", cards: bool = False) -> str:
    """Return a table with caption, scopes and roles in its own scrolling, focusable group.

    ``cards`` lets the page's style sheet stack the rows of a short table on a narrow screen, and
    then every part needs its role; long data tables stay tables and scroll. A group, not a
    region: thirty landmarks would help nobody.
    """
    caption = f"{label}: {table.caption}" if label else table.caption
    role = ' role="{}"'.format if cards else lambda name: ""
    head = "".join(
        f'<th scope="col"{role("columnheader")}{_cell_class(column)}>{escape(column.label)}</th>'
        for column in table.columns
    )
    rows = "".join(_row_html(table, row, cards) for row in table.rows)
    return (
        f'<div class="pmf-scroll" role="group" tabindex="0" aria-label="{escape(caption)}">'
        f'<table class="{"pmf-cards" if cards else "pmf-data"}" role="table">'
        f"<caption>{_prose(caption)}</caption><thead{role('rowgroup')}><tr{role('row')}>{head}"
        f"</tr></thead><tbody{role('rowgroup')}>{rows}</tbody></table></div>"
    )


def _row_html(table: Table, row: Mapping[str, str], cards: bool) -> str:
    (first, *others), html = table.columns, partial(_cell_html, table, row=row)
    if not cards:
        # Long tables are mostly numbers: the style sheet sets those right, and words are marked.
        opening = {"left": '<td class="pmf-left">', "right": "<td>"}
        cells = "".join(f"{opening[each.align]}{html(each)}</td>" for each in others)
        return f'<tr><th scope="row"{_cell_class(first)}>{html(first)}</th>{cells}</tr>\n'
    cells = "".join(
        f'<td role="cell"{_cell_class(each, row.get(each.key))} data-label="{escape(each.label)}">'
        f"{html(each)}</td>"
        for each in others
    )
    header = f'<th scope="row" role="rowheader"{_cell_class(first)}>{html(first)}</th>'
    return f'<tr role="row">{header}{cells}</tr>\n'


def _cell_class(column: Column, value: str | None = "") -> str:
    """Class a cell by its column; a short value of a card, such as "2nd of 17", stays whole."""
    names = [f"pmf-{column.kind}"] if column.kind != "text" else []
    names += ["pmf-right"] if column.align == "right" else []
    names += ["pmf-whole"] if 0 < len(value or "") <= _SHORT_CELL else []
    return f' class="{" ".join(names)}"' if names else ""


def _cell_html(table: Table, column: Column, row: Mapping[str, str]) -> str:
    value = row.get(column.key) or ""
    if not value or column.kind == "spark":
        return value or _NO_VALUE
    if column.kind == "status":
        return status_html(value, table.status_words)
    parts = _VALUE.fullmatch(value) if len(value) > _SHORT_CELL else None
    if column.kind != "number" or parts is None:
        return escape(value)
    # A long unit goes to the next line as a whole; the outer wrapper is one item of a card.
    value, unit = "".join(parts.groups()[:4]), escape(parts[5].strip())
    return f'<span>{value} <span class="pmf-unit">{unit}</span></span>'


def _csv_address(table: Table) -> str:
    """Return a table, units in its headings, as a CSV file inside an address: it stays in the page.

    Numbers are plain there, and nothing runs as a formula.
    """
    columns = [_csv_column(table, column) for column in table.columns if column.kind != "spark"]
    text = io.StringIO()
    csv.writer(text, lineterminator="\r\n").writerows(zip(*columns, strict=True))
    # The byte order mark tells Excel that the text is UTF-8.
    return "data:text/csv;charset=utf-8," + quote(f"\ufeff{text.getvalue()}", safe=",:()'")


def _csv_column(table: Table, column: Column) -> list[str]:
    cells = [row.get(column.key) or "" for row in table.rows]
    if column.kind == "status":
        cells = [status_word(cell, table.status_words) if cell else "" for cell in cells]
    if all(_PLAIN.fullmatch(cell) for cell in cells):
        plain = [cell.replace(",", "").replace(MINUS, "-") for cell in cells]
        return [neutral_cell(column.label), *plain]
    return [neutral_cell(cell) for cell in (column.label, *cells)]


def _units_in_headings(table: Table) -> Table:
    """Move a unit that all values of a column share to its heading; numbers stay in the cells."""
    columns, rows = list(table.columns), [dict(row) for row in table.rows]
    for place, column in enumerate(columns):
        found = [_VALUE.fullmatch(row[column.key]) for row in rows if row.get(column.key)]
        units = {f"{value[2]}{value[4]}{value[5]}".strip() if value else "" for value in found}
        unit = units.pop() if len(units) == 1 else ""
        if unit:
            columns[place] = replace(column, label=f"{column.label} ({unit})")
            for row in rows:
                row[column.key] = _VALUE.sub(r"\1\3", row.get(column.key) or "")
    return replace(table, columns=tuple(columns), rows=tuple(rows))
