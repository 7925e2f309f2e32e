"""Blocks as HTML, for JupyterLab and for the report page alike.

Everything is escaped here and only here. The markup needs no style sheet to make sense: captions
are block elements, tables have captions, scopes and explicit roles (some browsers forget a table's
roles once CSS lays it out as cards), and pictures are named by their alternative text.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from html import escape
from typing import TYPE_CHECKING

from pmf_analysis.story.style import icon_html, status_html

if TYPE_CHECKING:
    from pmf_analysis.story.blocks import Block, Column, Table

WORDS: Mapping[str, str] = {
    "figure": "Figure",
    "table": "Table",
    "data_table": "Data table",
    "source": "Source",
    "no_value": "no value",
}
_SVG_TAG = re.compile(r"""<svg((?:[^>"']|"[^"]*"|'[^']*')*)>""")
_SHORT_NUMBER = 12
_TONE_ICONS = {"better": "improving", "worse": "worsening"}


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
    body = {"figure": _figure, "table": _table_block}.get(block.kind, _text_block)
    return body(block, number, level)


def table_html(table: Table, *, label: str = "", cards: bool = False) -> str:
    """Return a table with caption, scopes and roles in its own scrolling, focusable group.

    ``cards`` lets the page's style sheet stack the rows of a short table on a narrow screen, and
    then every part needs its role; long data tables stay tables and scroll. A group, not a
    region: thirty landmarks would help nobody.
    """
    caption = f"{label}: {table.caption}" if label else table.caption
    head = "".join(
        f'<th scope="col"{_role("columnheader", cards)}{_cell_class(column)}>'
        f"{escape(column.label)}</th>"
        for column in table.columns
    )
    rows = "".join(_row_html(table, row, cards) for row in table.rows)
    group = _role("rowgroup", cards)
    return (
        f'<div class="pmf-scroll" role="group" tabindex="0" aria-label="{escape(caption)}">'
        f'<table class="{"pmf-cards" if cards else "pmf-data"}" role="table">'
        f"<caption>{escape(caption)}</caption>"
        f"<thead{group}><tr{_role('row', cards)}>{head}</tr></thead>"
        f"<tbody{group}>{rows}</tbody></table></div>"
    )


def _row_html(table: Table, row: Mapping[str, str], cards: bool) -> str:
    first, *others = table.columns
    cells = "".join(
        f"<td{_role('cell', cards)}{_cell_class(column)}"
        f"{_attribute('data-label', escape(column.label) if cards else '')}>"
        f"{_cell_html(table, column, row)}</td>"
        for column in others
    )
    header = f'<th scope="row"{_role("rowheader", cards)}{_cell_class(first)}>'
    return f"<tr{_role('row', cards)}>{header}{_cell_html(table, first, row)}</th>{cells}</tr>\n"


def _role(name: str, cards: bool) -> str:
    return _attribute("role", name if cards else "")


def _cell_class(column: Column) -> str:
    kind = f"pmf-{column.kind}" if column.kind != "text" else ""
    return _attribute("class", f"{kind} {'pmf-right' if column.align == 'right' else ''}".strip())


def _attribute(name: str, value: str) -> str:
    return f' {name}="{value}"' if value else ""


def _cell_html(table: Table, column: Column, row: Mapping[str, str]) -> str:
    value = row.get(column.key) or ""
    if not value:
        return (
            f'<span aria-hidden="true">–</span><span class="pmf-hidden"> {WORDS["no_value"]}</span>'
        )
    if column.kind == "status":
        return status_html(value, table.status_words)
    if column.kind == "number" and len(value) <= _SHORT_NUMBER:
        return f'<span class="pmf-whole">{escape(value)}</span>'
    return value if column.kind == "spark" else escape(value)


def _figure(block: Block, number: int | None, level: int) -> str:
    label = _label("figure", number)
    parts = [
        f'<figure class="pmf-block pmf-figure" id="{block.id}" aria-labelledby="{block.id}-title">',
        "<figcaption>",
        _heading(block, level, prefix=f"{label}: " if number else ""),
        _subtitle(block),
        "</figcaption>",
        _paragraphs(block.text),
        f'<div class="pmf-scroll pmf-chart" role="group" tabindex="0" '
        f'aria-label="{escape(f"{label}: {block.title}")}">{_named_svg(block)}</div>',
        _source_and_notes(block),
    ]
    if block.table:
        numbered = f"{WORDS['data_table']} for {label.lower()}" if number else WORDS["data_table"]
        parts.append(
            f'<details class="pmf-details"><summary>{escape(numbered)}'
            f'<span class="pmf-hidden">: {escape(block.title)}</span></summary>'
            f"{table_html(block.table)}</details>"
        )
    return "".join([*parts, "</figure>\n"])


def _named_svg(block: Block) -> str:
    """Name the picture by the block's alternative text, so the two can never disagree."""
    name = f"{block.id}-alt"
    opening = f'<svg role="img" focusable="false" aria-labelledby="{name}"'
    title = f'<title id="{name}">{escape(block.alt)}</title>'
    return _SVG_TAG.sub(lambda tag: f"{opening}{tag[1]}>{title}", block.svg, count=1)


def _table_block(block: Block, number: int | None, level: int) -> str:
    # The type says a table block has a table; the block's own check has made sure of it.
    table = block.table
    assert table is not None
    repeats = block.title.strip() == table.caption.strip()
    heading = "" if repeats else _heading(block, level) + _subtitle(block)
    return (
        f'<div class="pmf-block pmf-table" id="{block.id}">{heading}{_paragraphs(block.text)}'
        f"{table_html(table, label=_label('table', number) if number else '', cards=True)}"
        f"{_source_and_notes(block)}</div>\n"
    )


def _text_block(block: Block, number: int | None, level: int) -> str:
    tone = f" pmf-{block.tone}" if block.tone else ""
    picture = f'<div class="pmf-chart">{_named_svg(block)}</div>' if block.svg else ""
    table = table_html(block.table, cards=True) if block.table else ""
    return (
        f'<div class="pmf-block pmf-{block.kind}{tone}" id="{block.id}">'
        f"{_heading(block, level)}{_subtitle(block)}{_paragraphs(block.text)}{picture}{table}"
        f"{_source_and_notes(block)}</div>\n"
    )


def _heading(block: Block, level: int, prefix: str = "") -> str:
    if not block.title:
        return ""
    icon = icon_html(_TONE_ICONS.get(block.tone, "")) if block.kind == "finding" else ""
    return (
        f'<h{level} class="pmf-title" id="{block.id}-title">{icon}'
        f"{escape(prefix + block.title)}</h{level}>"
    )


def _subtitle(block: Block) -> str:
    return f'<p class="pmf-subtitle">{escape(block.subtitle)}</p>' if block.subtitle else ""


def _paragraphs(texts: Iterable[str], name: str = "") -> str:
    opening = f'<p class="{name}">' if name else "<p>"
    return "".join(f"{opening}{escape(text)}</p>" for text in texts if text)


def _source_and_notes(block: Block) -> str:
    named = block.source.startswith(WORDS["source"])
    source = block.source if named or not block.source else f"{WORDS['source']}: {block.source}"
    return _paragraphs((source,), "pmf-source") + _paragraphs(block.notes, "pmf-source")


def _label(kind: str, number: int | None) -> str:
    return f"{WORDS[kind]} {number}" if number else WORDS[kind]
