"""Broken workbooks by number: the same number always gives the same file."""

from __future__ import annotations

import io
from random import Random
from typing import Any

import openpyxl
import xlsxwriter
from openpyxl.cell import MergedCell

HEADER = ["indicator_id", "period_label", "value", "numerator", "denominator", "value_note"]
ODD: list[Any] = [
    "n/a", "..", "-", "*", "TBC", "Not available until 2027", "#DIV/0!", "#N/A", "########",
    "1,234", " 12 ", "12,5", "£1.2m", "45.2%", "(12)", "1e400", 1e300, 9**25, -0.0, True, "TRUE",
    "04/25/2026", "31/03/2026", "2026-04-01", "=1/0", "@SUM(A1)", "+44", "\tx", "a\nb", "\u202eabc",
    "caf\u00e9", "\U0001f600", "x" * 5000, " ", "\u00a0", "'", '"', ";", "|", "NaN", "inf", "None",
]  # fmt: skip
IDS = ["CNT", "PCT", "RATE", "cnt", " CNT ", "old pct", "NOPE", "YEARLY", "", "#REF!"]
LABELS = ["2025-26 Q1", "2025-26 Q2", "2025/26", "Q2 2026", "June 2025", "2099-00 Q1", "soon", ""]


def broken_rows(random: Random) -> list[list[Any]]:
    """Return the cells of a sheet: some tables with rows of every kind, and rows between them."""
    rows: list[list[Any]] = [[] for _ in range(random.choice((0, 0, 1, 3)))]
    if random.random() < 0.3:
        rows += [["Performance report"], []]
    for _ in range(random.choice((1, 1, 1, 2))):
        header = HEADER[:]
        random.shuffle(header) if random.random() < 0.3 else None
        if random.random() < 0.15:
            header.append(random.choice(["value", "Colour", ""]))
        if random.random() < 0.1:
            header.remove(random.choice(header))
        rows.append(header)
        for _ in range(random.randrange(12)):
            facts: dict[str, Any] = {
                "indicator_id": random.choice(IDS),
                "period_label": random.choice(LABELS),
                "value": random.randrange(2000) / 10,
                "numerator": random.choice(["", random.randrange(50)]),
                "denominator": random.choice(["", random.randrange(90)]),
                "value_note": "",
            }
            row = [facts.get(name, "extra") for name in header]
            while random.random() < 0.4:
                row[random.randrange(len(row))] = random.choice(ODD)
            rows.append(row[: random.randrange(len(row))] if random.random() < 0.08 else row)
            if random.random() < 0.1:
                rows.append(random.choice([[], header, ["Subtotal"], ["", ""], ["a note"]]))
    return rows


def broken_csv(random: Random) -> tuple[str, bytes]:
    """Return a ragged text file in some encoding, with some delimiter and some quotation."""
    mark = random.choice(",,,;\t|")
    lines = []
    for row in broken_rows(random):
        texts = [str(value) for value in row]
        lines.append(
            mark.join(
                f'"{t.replace(chr(34), chr(34) * 2)}"' if mark in t or '"' in t or "\n" in t else t
                for t in texts
            )
        )
    text = random.choice(["\n", "\r\n"]).join(lines)
    if random.random() < 0.1:
        text += '\n"open'
    encoding = random.choice(["utf-8", "utf-8-sig", "utf-16", "cp1252", "latin-1"])
    return "broken.csv", text.encode(encoding, "replace")


def _by_xlsxwriter(random: Random) -> bytes:
    made = io.BytesIO()
    with xlsxwriter.Workbook(
        made, {"strings_to_formulas": False, "nan_inf_to_errors": True}
    ) as book:
        percent = book.add_format({"num_format": random.choice(["0%", '0.0"%"', "0.00%;[Red]-0%"])})
        day = book.add_format({"num_format": "dd/mm/yyyy"})
        for name in ["Data", "Other sheet", "Notes"][: random.choice((1, 1, 1, 1, 2, 3))]:
            sheet = book.add_worksheet(name)
            for number, row in enumerate(broken_rows(random)):
                for column, value in enumerate(row):
                    look = random.choice([None] * 12 + [percent, day])
                    if random.random() < 0.03:
                        sheet.write_formula(
                            number, column, "=A1/0", look, random.choice(["#DIV/0!", "", 3])
                        )
                    else:
                        sheet.write(number, column, value, look)
                if random.random() < 0.05:
                    sheet.set_row(number, None, None, {"hidden": True})
            if name == "Notes" and random.random() < 0.5:
                sheet.hide()
    return made.getvalue()


def _by_openpyxl(random: Random) -> bytes:
    made, book = io.BytesIO(), openpyxl.Workbook()
    for sheet in [
        book.worksheets[0],
        *(book.create_sheet("More") for _ in range(random.choice((0, 0, 0, 1)))),
    ]:
        rows = broken_rows(random)
        for number, row in enumerate(rows, 1):
            for column, value in enumerate(row, 1):
                if isinstance(value, str):
                    value = openpyxl.cell.cell.ILLEGAL_CHARACTERS_RE.sub("", value)
                sheet.cell(number, column).value = value
        for _ in range(random.choice((0, 0, 1, 2))):
            top, left = random.randint(1, len(rows) + 2), random.randint(1, 6)
            area = {"start_row": top, "end_row": top + random.randrange(3)}
            cells = [
                sheet.cell(r, c) for r in range(top, area["end_row"] + 1) for c in (left, left + 1)
            ]
            if not any(isinstance(cell, MergedCell) for cell in cells):
                sheet.merge_cells(start_column=left, end_column=left + 1, **area)
    book.save(made)
    return made.getvalue()


def broken_file(number: int) -> tuple[str, bytes]:
    """Return the name and the bytes of the broken file of that number."""
    random = Random(number)
    kind = number % 4
    if kind == 3:
        return broken_csv(random)
    return "broken.xlsx", (_by_openpyxl if kind == 2 else _by_xlsxwriter)(random)
