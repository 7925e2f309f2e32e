"""Blocks as HTML, for JupyterLab and for the report page alike.

Everything is escaped here and only here. The markup needs no style sheet to make sense: captions
are block elements, tables have captions, scopes and explicit roles (some browsers forget a table's
roles once CSS lays it out as cards), and pictures are named by their alternative text.
"""

import csv
import io
import re
from collections.abc import Callable, Mapping
from dataclasses import replace
from functools import partial
from html import escape
from typing import Any
from urllib.parse import quote

from pmf_analysis.data.store import neutral_cell
from pmf_analysis.story import bank, blocks, formatting, style
from pmf_analysis.story.asides import pieces
from pmf_analysis.story.style import status_html, status_word

_SVG_TAG = re.compile(r"""<svg((?:[^>"']|"[^"]*"|'[^']*')*)>""")
_PERIOD = re.compile(r"\b\d{4}[-/]\d\d\b(?: (?:Q|Ch)\d)?")
_VALUE = re.compile(rf"([+{formatting.MINUS}]?)(£?)([\d,]+(?:\.\d+)?)(%?)((?: .+)?)")
_PLAIN = re.compile(rf"(?:[+{formatting.MINUS}]?[\d,]+(?:\.\d+)?)?")
HALF = re.compile("[\ud800-\udfff]")  # of a character, which no file can hold
_SHORT_CELL, _SHORT_UNIT = 12, 16
# A file beside or below the page, maybe a place in it: no scheme and no other site.
_NEAR = re.compile(r"(?![/\\])[\w./-]+(#[\w-]+)?")
_NO_VALUE = '<span class="pmf-none">{say}</span>'


def block_html(block: blocks.Block, *, number: int | None = None, level: int = 3) -> str:
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
    prose = partial(marked, asides=block.asides)
    cell = partial(_cell_html, prose)
    ways: dict[str, Any] = {"text": escape, "prose": prose, "cell": cell, "style": style}
    ways |= {"address": _csv_address, "named": _named_svg, "short": _SHORT_CELL}
    ways |= {"units_in_headings": units_in_headings, "say": bank.say}
    with bank.spoken(block.lang):
        return bank.template("block.html.jinja")(block=block, number=number, level=level, **ways)


def marked(text: str, asides: Mapping[str, str]) -> str:
    """Escape a text, and mark its parts in other languages.

    Browsers break "2026-27 Q2" after its hyphen unless they are told not to.
    """
    parts = (
        f'<span lang="{language}">{_prose(part)}</span>' if language else _prose(part)
        for part, language in pieces(text, asides)
    )
    return "".join(parts)


def _prose(text: str) -> str:
    return _PERIOD.sub(r'<span class="pmf-whole">\g<0></span>', escape(text))


def _named_svg(block: blocks.Block) -> str:
    """Name the picture by the block's alternative text, so the two can never disagree."""
    name = f"{block.id}-alt"
    opening = f'<svg role="img" focusable="false" aria-labelledby="{name}"'
    title = f'<title id="{name}">{escape(block.alt)}</title>'
    return _SVG_TAG.sub(lambda tag: f"{opening}{tag[1]}>{title}", block.svg, count=1)


def _cell_html(
    prose: Callable[[str], str], table: blocks.Table, column: blocks.Column, row: Mapping[str, str]
) -> str:
    """Return a cell, a link where ``<key>_link`` of its row says where it leads."""
    shown, link = _plain_cell(prose, table, column, row), row.get(f"{column.key}_link", "")
    if not row.get(column.key) or not _NEAR.fullmatch(link):
        return shown
    return f'<a href="{link}">{shown}</a>'  # the headings of row and column say of what


def _plain_cell(
    prose: Callable[[str], str], table: blocks.Table, column: blocks.Column, row: Mapping[str, str]
) -> str:
    value = row.get(column.key) or ""
    if value and column.kind == "spark":
        return f'{value}<span class="pmf-hidden">{escape(row.get(f"{column.key}_said", ""))}</span>'
    if not value:
        return _NO_VALUE.format(say=bank.say("page.no_value"))
    if column.kind == "status":
        return status_html(value, table.status_words)
    parts = _VALUE.fullmatch(value) if len(value) > _SHORT_CELL else None
    if column.kind != "number" or parts is None:
        shown = escape(value) if _PERIOD.fullmatch(value) else prose(value)
        return f"<span>{shown}</span>" if "</span>" in shown else shown  # one item of a card
    # A long unit goes to the next line as a whole; the outer wrapper is one item of a card.
    value, unit = "".join(parts.groups()[:4]), parts[5].strip()
    whole = " pmf-whole" if len(unit) < _SHORT_UNIT else ""
    return f'<span>{value} <span class="pmf-unit{whole}">{prose(unit)}</span></span>'


def _csv_address(table: blocks.Table) -> str:
    """Return a table, units in its headings, as a CSV file inside an address: it stays in the page.

    Numbers are plain there, and nothing runs as a formula.
    """
    columns = []
    for column in table.columns:
        if column.kind != "spark":
            heading, is_number, cells = plain_column(table, column)
            told = cells if is_number else map(neutral_cell, cells)
            columns.append([neutral_cell(heading), *told])
    text = io.StringIO()
    csv.writer(text, lineterminator="\r\n").writerows(zip(*columns, strict=True))
    whole = HALF.sub("\ufffd", text.getvalue())
    # The byte order mark tells Excel that the text is UTF-8.
    return "data:text/csv;charset=utf-8," + quote(f"\ufeff{whole}", safe=",:()'")


def plain_column(table: blocks.Table, column: blocks.Column) -> tuple[str, bool, list[str]]:
    """Return a column's heading, whether its cells are figures, and they, as programs read them."""
    cells = [row.get(column.key) or "" for row in table.rows]
    if column.kind == "status":
        cells = [status_word(cell, table.status_words) if cell else "" for cell in cells]
    is_number = any(cells) and all(_PLAIN.fullmatch(cell) for cell in cells)
    if is_number:
        cells = [cell.lstrip("+").replace(",", "").replace(formatting.MINUS, "-") for cell in cells]
    return column.label, is_number, cells


def units_in_headings(table: blocks.Table) -> blocks.Table:
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
