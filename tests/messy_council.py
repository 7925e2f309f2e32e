"""A messy workbook of a council that does not exist, as a performance officer might keep it."""

from __future__ import annotations

import random
from pathlib import Path

import openpyxl

YEARS = range(2021, 2027)
PERIODS = [
    f"Q{quarter} {year}/{(year + 1) % 100:02d}" for year in YEARS for quarter in (1, 2, 3, 4)
]
# Of the quarters, those that are over.
KNOWN = PERIODS[:22]
HEADER = ["Ref", "Indicator", "Theme", "Owner", "Unit", *KNOWN, "Comments"]


def _rows() -> list[list[object]]:
    rng = random.Random(8)
    parts = [rng.uniform(22.5, 24.5) for _ in KNOWN]
    collected = [sum(parts[n - n % 4 : n + 1]) for n in range(len(KNOWN))]
    calls = [0.82 + rng.uniform(-0.03, 0.03) - (0.14 if n > 13 else 0) for n in range(len(KNOWN))]
    missed = [round(60 + rng.uniform(-6, 6)) for _ in KNOWN]
    repairs = [round(91 + rng.uniform(-2, 2), 1) for _ in KNOWN]
    events = [round(200 + rng.uniform(-30, 30)) for _ in KNOWN]
    complaints: list[object] = [f"{round(18 + rng.uniform(-4, 4))}%" for _ in KNOWN]
    complaints[5] = "TBC"
    tax = ["FIN1", "% of council tax collected", "Money", "Head of Revenues", "%"]
    bins = [
        "ENV 2",
        "Reduce the number of missed bins (per 100,000 collections)",
        "Streets",
        "",
        "",
    ]
    return [
        [*tax, *(round(each, 1) for each in collected)],
        ["CUS1", "Calls answered within 60 seconds", "Customers", "Head of Contact", "", *calls],
        [*bins, *missed],
        ["HOU1", "Repairs completed on time", "Homes & places", "Head of Homes", "%", *repairs],
        ["CUS2", "Complaints upheld", "Customers", "Head of Contact", "", *complaints],
        ["ZZ9", "Events at the old mill", "Streets", "", "", *events],
    ]


def write_messy_workbook(path: Path) -> None:
    """Write a cover, a title over the header, percent formats, a blank row, a total of nothing."""
    book = openpyxl.Workbook()
    cover = book.active
    cover.title = "Cover"
    cover["A1"] = "Northmoor Council: our KPIs (do not edit!!)"
    sheet = book.create_sheet("KPIs Q2")
    sheet["A1"] = "Corporate KPIs"
    sheet.append([])
    sheet.append(HEADER)
    for row in _rows():
        sheet.append(row)
        if row[0] == "ENV 2":
            sheet.append([])
    for cells in sheet.iter_rows(min_row=4):
        if cells[0].value == "CUS1":
            for cell in cells[5:]:
                cell.number_format = "0.0%"
    book.save(path)
