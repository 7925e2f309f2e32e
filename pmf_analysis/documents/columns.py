"""Tables as the columns of a workbook: numbers, what follows them, and a sign for each blank.

A number is apart from the words that follow it, its unit stands in a heading or beside it, and a
cell without a value says why it has none. Every text is one that gptables takes and nothing runs.
"""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from pmf_analysis.documents.office import visible
from pmf_analysis.documents.pictures import RULES
from pmf_analysis.story.bank import say, words_of
from pmf_analysis.story.blocks import Table
from pmf_analysis.story.formatting import MINUS
from pmf_analysis.story.rendering import plain_column, units_in_headings

_NUMBER = re.compile(rf"([+{MINUS}]?)(£?)(\d[\d,]{{0,20}}(?:\.\d{{1,9}})?)(%?(?: .*)?)")
_LONGEST_CELL, _LONGEST_HEADING = 32_000, 200
_WIDEST = 32  # letters across a column


@dataclass
class Written:
    """A column as it is written; ``shapes`` is how each number looks, "" of other cells."""

    key: str
    heading: str
    cells: list[Any]
    shapes: Sequence[str] = ()

    @property
    def shape(self) -> str:
        """How the longest of its numbers look; "" of a column without any."""
        return max(self.shapes, key=lambda shape: (len(shape), shape), default="")

    @property
    def letters(self) -> int:
        """Letters across: headings break between words, and long texts wrap."""
        longest = max(len(str(cell)) for cell in (*self.cells, ""))
        words = max(map(len, self.heading.split()), default=0)
        return min(max(words, longest, min(len(self.heading) // 2, 16)), _WIDEST)


def signs_of(columns: Sequence[Written]) -> list[str]:
    """Return the signs that stand in columns, in the order in which they are explained."""
    cells = {cell for column in columns for cell in column.cells if isinstance(cell, str)}
    return [sign for sign in words_of("workbook.sign").values() if sign in cells]


def written_columns(table: Table) -> list[Written]:
    """Return columns as they are written: numbers apart from the words that follow them.

    Units that are not those of a whole column have one of their own, since rows share them.
    """
    table, made, figures = units_in_headings(table), list[Written](), dict[int, Any]()
    for each in table.columns:
        if each.kind != "spark":
            heading, is_number, cells = plain_column(table, each)
            may_be = bool(made) and each.key not in RULES["labels"]
            if may_be and (is_number or each.kind == "number"):
                figures[len(made)] = [_parted(row.get(each.key) or "") for row in table.rows]
            made.append(Written(each.key, heading, list(map(plain, cells))))
    rows = zip(*figures.values(), strict=True)
    rests = [[rest.partition(" (")[0] for _, rest in row] for row in rows]
    units = [min(filter(None, row), key=len, default="") for row in rests]
    for at, parts in sorted(figures.items(), reverse=True):
        column, numbers = made[at], [number for number, _ in parts]
        is_signed = any(number.startswith("+") for number in numbers)
        column.shapes = [_shape(number, is_signed) for number in numbers]
        column.cells = [
            float(number) if number else cell
            for number, cell in zip(numbers, column.cells, strict=True)
        ]
        more = [_after(rest, unit) for (_, rest), unit in zip(parts, units, strict=True)]
        if any(more):
            heading = say("workbook.more", column=column.heading)
            made.insert(at + 1, Written("more", heading, list(map(plain, more))))
    if any(units):
        words = {"%": say("workbook.units.percent"), "£": say("workbook.units.pounds")}
        units = [words.get(unit, unit) for unit in units]
        first = min(at for at, parts in figures.items() if any(rest for _, rest in parts))
        made.insert(first + 1, Written("unit", say("workbook.unit"), list(map(plain, units))))
    for column, heading in zip(made, apart([each.heading for each in made]), strict=True):
        pairs = zip(table.rows, column.cells, strict=True)
        column.heading = heading
        column.cells = [_sign(row, column.key) if cell == "" else cell for row, cell in pairs]
    return made


def _parted(cell: str) -> tuple[str, str]:
    """Return the number with which a cell begins and what follows it; of other cells nothing."""
    found, between = _NUMBER.fullmatch(cell), say("number.range", low="|", high="|").strip("|")
    ranged = rf"{re.escape(between)}[£{MINUS}]?\d"
    if found is None or re.search(ranged, found[4].partition("(")[0]):
        return "", ""
    number = f"{found[1]}{found[3]}".replace(",", "").replace(MINUS, "-")
    return number, f"{found[2]}{found[4]}".strip()


def _after(rest: str, unit: str) -> str:
    """Return what follows a unit; a rest that has another unit as it stands."""
    return re.sub(rf"^{re.escape(unit)}(?!\w)\s*", "", rest)


def _shape(number: str, is_signed: bool) -> str:
    """Return how Excel shows a number: with its decimals, and a plus where its column has one."""
    decimals = len(number.partition(".")[2])
    shape = "#,##0" + f".{'0' * decimals}" * bool(decimals)
    shape = f"+{shape};-{shape};{shape}" if is_signed else shape
    return shape if number else ""


def _sign(row: Mapping[str, str], key: str) -> str:
    """Return the sign for a cell without a value, which says why it has none."""
    usual = "z" if key in RULES["not_due"] else "x"
    return say(f"workbook.sign.{RULES['signs'].get(row.get(f'{key}_why'), usual)}")


def apart(names: Sequence[str]) -> list[str]:
    """Return names as Excel takes those of columns: short, no two alike, none empty."""
    made: list[str] = []
    for name in names:
        short = plain(name)[:_LONGEST_HEADING] or f"({len(made) + 1})"
        made.append(f"{short} ({len(made) + 1})" if short in made else short)
    return made


def plain(text: str) -> str:
    """Return a text that gptables writes as it stands, or as nearly so as Excel allows.

    gptables takes ``$$`` for a note's mark and ``[a](b)`` for a link, and refuses signs alone.
    """
    shown = str(visible(text))[:_LONGEST_CELL]
    shown = shown.replace("](", "] (").replace("$$", "$ $")
    # A cell is text here, but would run once somebody edits it, unless it is a number and its unit.
    shown = re.sub(r"^(?=\s*[=@\t\r＝＠＋－]|\s*[+-](?![\d.,]+%?(?: [\w(]|$)))", "'", shown)
    is_told = not shown.strip() or re.search("[a-zA-Z0-9]", shown)
    return shown if is_told else f"{shown} ({say('workbook.sign_alone')})"
