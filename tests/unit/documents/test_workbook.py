"""Workbooks: every cell is text, a number or a reason; nothing runs; the same bytes each time."""

from __future__ import annotations

import io
import os
import re
import shutil
import subprocess
import zipfile
from pathlib import Path
from typing import Any

import nbformat
import nbformat.v4 as v4
import openpyxl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pmf_analysis.documents.exporters import PmfWorkbookExporter
from pmf_analysis.documents.reading import read_report
from pmf_analysis.documents.workbook import make_workbook
from pmf_analysis.story import bank
from pmf_analysis.story.blocks import Block, Column, Table

SVG = '<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 9 9"><path d="M0 0L9 9"/></svg>'
FACTS = {
    "council": "Westshire Council",
    "theme": "Place",
    "analysis": "Trends",
    "period": "Quarter 2 (July to September) 2026-27",
    "as_at": "2026-10-31",
    "lang": "en-GB",
    "brand": {"contact": "performance@westshire.example", "licence": "OGL v3.0"},
}
HOSTILE = [
    '=HYPERLINK("http://evil.example","x")',
    "+1+cmd|' /C calc'!A0",
    "-2+3",
    "@SUM(A1:A9)",
    "\t=1+1",
    "\r=1+1",
    "＝1+1",
    "[click](http://evil.example)",
    "$$note$$",
    "😀",
    "—",
    "ŵŷ",
    "\u202eabc\u202c",
    "http://evil.example",
    "{=1+1}",
    "\x00\x0b",
]
PERIODS = ["2025-26 Q4", "2026-27 Q1", "2026-27 Q2"]


def _figure(number: int, values: list[str], **more: Any) -> Block:
    columns = (
        Column("period", "Period"),
        Column("value", "Value", "right", "number"),
        Column("target", "Target", "right", "number"),
        Column("note", "Note"),
    )
    rows = tuple(
        {"period": period, "value": value, "target": "42.0%", "note": "final"}
        for period, value in zip(PERIODS, values, strict=True)
    )
    facts = {"title": "Recycling has risen", "subtitle": "Recycling, Westshire"} | more
    alt = "Recycling rose to 41.5% in quarter 2 of 2026-27, below its target."
    table = Table("Recycling, data", columns, rows)
    return Block("figure", f"chart-{number}", alt=alt, svg=SVG, table=table, **facts)


def _report(*blocks: Block, **facts: Any) -> Any:
    outputs = [v4.new_output("display_data", data=each._repr_mimebundle_()) for each in blocks]
    cells = [v4.new_markdown_cell("# Trends\n\n## Part"), v4.new_code_cell("", outputs=outputs)]
    return read_report(v4.new_notebook(cells=cells), FACTS | facts)


def _opened(content: bytes) -> Any:
    return openpyxl.load_workbook(io.BytesIO(content))


def test_each_table_has_a_sheet_of_numbers_with_units_in_its_headings() -> None:
    made = make_workbook(_report(_figure(1, ["39.0%", "", "1,041.5%"], source="WasteDataFlow")))
    book = _opened(made)
    assert book.sheetnames == ["Cover", "Contents", "Figure_1", "Signs"]
    rows = [[cell.value for cell in row if cell.value is not None] for row in book["Figure_1"]]
    assert ["Figure 1: Recycling has risen"] in rows
    assert ["Source: WasteDataFlow"] in rows
    assert ["Period", "Value (%)", "Target (%)", "Note"] in rows
    assert ["2025-26 Q4", 39.0, 42.0, "final"] in rows
    assert ["2026-27 Q1", "[x]", 42.0, "final"] in rows
    assert ["2026-27 Q2", 1041.5, 42.0, "final"] in rows
    assert len(book["Figure_1"].tables) == 1
    assert book.properties.title == "Place: Trends"
    assert book.properties.language == "en-GB"
    cover = [cell.value for row in book["Cover"] for cell in row if cell.value]
    assert {"Place: Trends", "performance@westshire.example", "OGL v3.0"} <= {*cover}
    signs = [cell.value for row in book["Signs"] for cell in row]
    assert "[x]" in signs


def _rows(content: bytes, sheet: str) -> list[list[Any]]:
    rows = [[cell.value for cell in row] for row in _opened(content)[sheet]]
    return [[value for value in row if value is not None] for row in rows]


def test_years_are_names_and_each_blank_says_why() -> None:
    columns = (
        Column("period", "Period"),
        Column("value", "Value", "right", "number"),
        Column("target", "Target", "right", "number"),
        Column("median", "Median", "right", "number"),
    )
    states = ("", "suppressed", "not_yet_available", "not_applicable")
    rows = [{"period": str(2022 + n), "value_why": why} for n, why in enumerate(states)]
    rows[0] |= {"value": "+1,200 days", "target": "1 day"}
    table = Table("Days", columns, tuple({"value": "", **row} for row in rows))
    content = make_workbook(_report(Block("table", "days", "Days", table=table)))
    assert _rows(content, "Table_1")[-5:] == [
        ["Period", "Value (days)", "Target (day)", "Median"],
        ["2022", 1200, 1, "[x]"],
        ["2023", "[c]", "[z]", "[x]"],
        ["2024", "[x]", "[z]", "[x]"],
        ["2025", "[z]", "[z]", "[x]"],
    ]
    signs = [row[0] for row in _rows(content, "Signs")[3:]]
    assert signs == ["[c]", "[x]", "[z]"]
    assert any("[c], [x] and [z]" in str(row) for row in _rows(content, "Table_1"))
    whole = make_workbook(_report(_figure(1, ["39.0%", "40.0%", "41.5%"])))
    assert "Signs" not in _opened(whole).sheetnames


def test_a_number_stands_apart_from_the_words_after_it() -> None:
    columns = (
        Column("indicator", "Indicator"),
        Column("compared", "Compared", "right", "number"),
        Column("median", "Median", "right", "number"),
        Column("band", "Band", "right", "number"),
    )
    told = (
        ("94.4% (newest: 86.7%, 2026-27 Q2)", "91.1%", "13% to 14%"),
        ("£671.30 per week", "£657 per week", "£1 per week to £2 per week"),
        ("12.65 per 10,000 residents", "", "under 5%"),
        ("−1,041", "9" * 400, "over 95%"),
    )
    keys = [column.key for column in columns]
    cells = [dict(zip(keys, (f"Row {n}", *row), strict=True)) for n, row in enumerate(told)]
    table = Table("Mixed", columns, tuple(cells))
    content = make_workbook(_report(Block("table", "mixed", "Mixed", table=table)))
    rows = _rows(content, "Table_1")[-5:]
    assert rows[0] == ["Indicator", "Compared", "Unit", "Compared: more", "Median", "Band"]
    assert rows[1][1:] == [94.4, "per cent", "(newest: 86.7%, 2026-27 Q2)", 91.1, "13% to 14%"]
    assert rows[2][1:5] == [671.3, "£ per week", "[z]", 657]
    assert rows[3][1:] == [12.65, "per 10,000 residents", "[z]", "[x]", "under 5%"]
    assert rows[4][1:3] == [-1041, "[z]"]
    sheet = _opened(content)["Table_1"]
    shapes = [cell.number_format for cell in sheet["B"] if isinstance(cell.value, float | int)]
    assert shapes == ["#,##0.0", "#,##0.00", "#,##0.00", "#,##0"]


def test_a_welsh_workbook_is_welsh() -> None:
    with bank.spoken("cy"):
        book = _opened(make_workbook(_report(_figure(1, ["39.0%", "", "41.5%"]), lang="cy")))
    assert book.sheetnames == ["Clawr", "Cynnwys", "Ffigur_1", "Arwyddion"]
    cover = {cell.value for row in book["Clawr"] for cell in row}
    assert {"Beth yw hwn", "Am y ffigurau hyn", "Cysylltu"} <= cover
    assert not cover & {"Introductory information", "About these data", "Contact"}


def test_no_line_above_a_table_is_wider_than_a_page() -> None:
    notes = ("One sentence. " * 700, "x" * 10_000)
    content = make_workbook(
        _report(_figure(1, ["39.0%", "", "41.5%"], notes=notes, title=notes[1]))
    )
    lines = [str(row[0]) for row in _rows(content, "Figure_1") if row]
    assert max(map(len, lines)) <= 130
    assert sum(line.count("x") for line in lines) >= 20_000


def test_no_merged_cells_no_hidden_sheets_no_formulas() -> None:
    book = _opened(make_workbook(_report(_figure(1, ["1%", "2%", "3%"]))))
    for sheet in book:
        assert not sheet.merged_cells.ranges
        assert sheet.sheet_state == "visible"


def test_the_same_report_gives_the_same_bytes() -> None:
    report = _report(_figure(1, ["39.0%", "40.0%", "41.5%"]))
    assert make_workbook(report) == make_workbook(report)
    assert make_workbook(report, charts=True) == make_workbook(report, charts=True)
    with zipfile.ZipFile(io.BytesIO(make_workbook(report))) as parts:
        assert b"dcterms" not in re.sub(rb"xmlns:\w+", b"", parts.read("docProps/core.xml"))


def test_the_analysts_copy_has_line_charts_with_alternative_text_and_true_gaps() -> None:
    content = make_workbook(_report(_figure(1, ["39.0%", "", "41.5%"])), charts=True)
    with zipfile.ZipFile(io.BytesIO(content)) as parts:
        drawing = parts.read("xl/drawings/drawing1.xml").decode()
        chart = parts.read("xl/charts/chart1.xml").decode()
    assert 'descr="Recycling rose to 41.5%' in drawing
    assert chart.count("<c:ser>") == 2
    assert "<c:lineChart>" in chart
    sheet = _opened(content)["Figure_1"]
    row = next(row for row in sheet if row[0].value == "2026-27 Q1")
    assert row[1].value is None


def test_hostile_texts_are_text(tmp_path: Path) -> None:
    columns = tuple(Column(f"c{n}", text) for n, text in enumerate(HOSTILE))
    row = {f"c{n}": text for n, text in enumerate(HOSTILE)}
    table = Table(HOSTILE[0], columns, (row, {"c0": "a"}))
    more = {"title": HOSTILE[0], "notes": tuple(HOSTILE), "text": tuple(HOSTILE)}
    block = Block("table", "hostile", table=table, source=HOSTILE[1], subtitle=HOSTILE[3], **more)
    facts = {"council": HOSTILE[0], "notice": HOSTILE[7], "period": HOSTILE[3], "theme": "=1"}
    content = make_workbook(_report(block, **facts))
    book = _opened(content)
    cells = [cell for sheet in book for row in sheet for cell in row]
    assert not [cell.value for cell in cells if cell.data_type == "f"]
    links = [cell.hyperlink for cell in cells if cell.hyperlink]
    assert links  # the contents lead to the sheets
    assert all(link.target is None and link.location for link in links)
    texts = [str(cell.value) for cell in cells if cell.value is not None]
    assert f"'{HOSTILE[0]}" in texts
    assert not [each for each in texts if re.match(r"\s*([=@＝＠＋－]|[+-](?![\d.]+ \w))", each)]
    assert "'-2+3" in texts


def test_another_program_computes_nothing_of_it(tmp_path: Path) -> None:
    office = shutil.which("soffice")
    if office is None:
        if os.environ.get("PMF_REQUIRE_BROWSER") == "1":
            pytest.fail("LibreOffice is required here and was not found.")
        pytest.skip("LibreOffice was not found.")
    columns = (Column("a", "Name"), Column("b", "Comment"))
    rows = tuple({"a": f"row {n}", "b": text} for n, text in enumerate(HOSTILE[:6]))
    block = Block("table", "hostile", "Comments", table=Table("Comments", columns, rows))
    (tmp_path / "pack.xlsx").write_bytes(make_workbook(_report(block)))
    profile = f"-env:UserInstallation={(tmp_path / 'profile').as_uri()}"
    wanted = "csv:Text - txt - csv (StarCalc):44,34,76,1,,0,false,true,false,false,false,3"
    command = [office, profile, "--headless", "--convert-to", wanted, "--outdir", str(tmp_path)]
    subprocess.run([*command, str(tmp_path / "pack.xlsx")], check=True, timeout=120)
    text = next(tmp_path.glob("pack*.csv")).read_text(encoding="utf-8")
    assert "=HYPERLINK" in text
    assert "-2+3" in text
    assert "Err:" not in text


ANY = st.text(max_size=40)


@settings(max_examples=25, deadline=None)
@given(st.lists(ANY, min_size=4, max_size=4), ANY, ANY)
def test_any_text_at_all_makes_a_workbook(cells: list[str], label: str, title: str) -> None:
    columns = (Column("a", label), Column("b", label))
    rows = ({"a": cells[0], "b": cells[1]}, {"a": cells[2], "b": cells[3]})
    block = Block("table", "any", title, table=Table("Any", columns, rows), notes=(title,))
    book = _opened(make_workbook(_report(block)))
    assert "Table_1" in book.sheetnames


def test_very_long_cells_are_cut_and_not_lost() -> None:
    rows = ({"a": "x" * 40_000, "b": "y"},)
    table = Table("Long", (Column("a", "z" * 500), Column("b", "B")), rows)
    book = _opened(make_workbook(_report(Block("table", "long", "Long", table=table))))
    values = [str(cell.value) for row in book["Table_1"] for cell in row if cell.value]
    assert any(value.startswith("x" * 30_000) for value in values)
    assert all((row.height or 0) < 409 for row in book["Table_1"].row_dimensions.values())


def test_nbconvert_finds_the_exporter() -> None:
    block = _figure(1, ["39.0%", "40.0%", "41.5%"])
    output = v4.new_output("display_data", data=block._repr_mimebundle_())
    notebook = v4.new_notebook(cells=[v4.new_code_cell("", outputs=[output])])
    content, resources = PmfWorkbookExporter().from_notebook_node(nbformat.from_dict(notebook))
    assert resources["output_extension"] == ".xlsx"
    assert "Figure_1" in _opened(content).sheetnames
