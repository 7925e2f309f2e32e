"""Tables of other programs: OpenDocument spreadsheets, Word documents, old and binary workbooks.

OpenDocument and Word are read from their XML, because a library reads 45.2 % in OpenDocument as
0.452 and cannot say which cells are percentages: 43,314 cells of the two homelessness workbooks.
XLS and XLSB are read by calamine in a process of its own with little memory: a damaged file can
stop it, and one far cell makes it ask for gigabytes.
"""

import io
import json
import re
import subprocess
import sys
import zipfile
from pathlib import Path
from typing import Any

from lxml import etree

from pmf_analysis.systems.cells import PARSED, Found, Sheet, column_letter
from pmf_analysis.systems.guards import KNOWN, LIMITS, RefusedError

_ODF = "urn:oasis:names:tc:opendocument:xmlns:"
_OFFICE, _TABLE, _TEXT, _STYLE = (
    f"{{{_ODF}{n}:1.0}}" for n in ("office", "table", "text", "style")
)
_WORD = {"w": "http://schemas.openxmlformats.org/wordprocessingml/2006/main"}
# A reference such as ['(address of another file)'#$Sheet1.A1].
_OTHER_FILE = re.compile(r"'[^']+'#")
# How the other process says what is wrong.
_REASONS = {3: "protected", 4: "too_many_cells"}


def read_opendocument(content: bytes) -> list[Sheet]:
    """Read the sheets of an ODS workbook: values, percentages, error texts, what is hidden.

    Raises
    ------
    RefusedError
        A formula refers to another workbook, or repeated cells are more than may be read.
    """
    sheets: list[Sheet] = []
    hidden_styles, found, row, name = set(), Found(), 0, ""
    with zipfile.ZipFile(io.BytesIO(content)).open("content.xml") as part:
        for event, element in etree.iterparse(part, ("start", "end"), **PARSED):
            if event == "start":
                if element.tag == _TABLE + "table":
                    found, row, name = Found(), 0, element.get(_TABLE + "name")
            elif element.tag == _TABLE + "table-row":
                row += _read_row(element, row + 1, found, name)
                element.clear()
            elif element.tag == _STYLE + "table-properties":
                if element.get(_TABLE + "display") == "false":
                    hidden_styles.add(element.getparent().get(_STYLE + "name"))
            elif element.tag == _TABLE + "table" and found.texts:
                is_hidden = element.get(_TABLE + "style-name") in hidden_styles
                sheets.append(found.sheet(name, is_hidden=is_hidden))
                element.clear()
    return sheets


def _read_row(element: Any, row: int, found: Found, sheet: str) -> int:
    """Keep the filled cells of a row, and return as how many rows it stands."""
    times, column = int(element.get(_TABLE + "number-rows-repeated", 1)), 0
    is_hidden = element.get(_TABLE + "visibility", "visible") != "visible"
    for cell in element.iterchildren(_TABLE + "table-cell", _TABLE + "covered-table-cell"):
        wide = int(cell.get(_TABLE + "number-columns-repeated", 1))
        if _OTHER_FILE.search(cell.get(_TABLE + "formula", "")):
            raise RefusedError("linked", sheet=sheet, row=row, column=column_letter(column))
        value = _value(cell)
        if value not in (None, ""):
            if len(found.texts) + times * wide > LIMITS["cells"]:
                raise RefusedError("too_many_cells", f"{LIMITS['cells']:,}")
            is_percent = cell.get(_OFFICE + "value-type") == "percentage"
            for number in range(row, row + times):
                found.hidden_rows.update([number] if is_hidden else [])
                for position in range(column, column + wide):
                    found.add((number, position), value, is_percent=is_percent)
        column += wide
    return times


def _value(cell: Any) -> object:
    """Return a cell's value; Excel writes an error as the number 0 that is shown as the error."""
    shown = "\n".join("".join(line.itertext()) for line in cell.iterchildren(_TEXT + "p"))
    kind, number = cell.get(_OFFICE + "value-type"), cell.get(_OFFICE + "value")
    if shown in KNOWN["error_cells"]:
        return shown
    if kind == "date":
        return cell.get(_OFFICE + "date-value").replace("T", " ").removesuffix(" 00:00:00")
    if kind == "boolean":
        return cell.get(_OFFICE + "boolean-value") == "true"
    return shown or cell.get(_OFFICE + "string-value") if number is None else float(number)


def read_word(content: bytes) -> list[Sheet]:
    """Read the tables of a Word document, each as a sheet; of merged cells the first is filled."""
    with zipfile.ZipFile(io.BytesIO(content)).open("word/document.xml") as part:
        document = etree.parse(part, etree.XMLParser(**PARSED))
    sheets = []
    for number, table in enumerate(document.iter(f"{{{_WORD['w']}}}tbl"), 1):
        found = Found()
        for row, line in enumerate(_parts(table, "tr"), 1):
            column = 0
            for cell in _parts(line, "tc"):
                found.add((row, column), "\n".join(map(_paragraph, _parts(cell, "p"))))
                span = cell.xpath("string(w:tcPr/w:gridSpan/@w:val)", namespaces=_WORD)
                column += int(span or 1)
        sheets.append(found.sheet(f"Table {number}"))
    return [sheet for sheet in sheets if len(sheet.cells)]


def _parts(element: Any, name: str) -> Any:
    """Return the rows, cells or paragraphs of an element, some of which are in content controls."""
    inside = f"w:{name}|w:sdt/w:sdtContent/w:{name}"
    return element.xpath(inside, namespaces=_WORD)


def _paragraph(element: Any) -> str:
    """Return the text of a paragraph, with what tracked changes have put in."""
    return "".join(text.text or "" for text in element.iter(f"{{{_WORD['w']}}}t"))


def read_binary(content: bytes) -> list[Sheet]:
    """Read an XLS or XLSB workbook; ``lost`` in ``files.yml`` says what that loses.

    Raises
    ------
    RefusedError
        The workbook has a password, is damaged, or needs too much memory or time.
    """
    program = str(Path(__file__).with_name("calamine_process.py"))
    command = [sys.executable, "-P", program, str(LIMITS["memory"]), str(LIMITS["far"])]
    seconds = LIMITS["seconds"]
    try:
        made = subprocess.run(command, input=content, capture_output=True, timeout=seconds)
    except subprocess.TimeoutExpired:
        raise RefusedError("damaged", "it takes too long") from None
    if made.returncode:
        raise RefusedError(_REASONS.get(made.returncode, "damaged"), "calamine")
    return [_sheet(**told) for told in json.loads(made.stdout)]


def _sheet(name: str, cells: list[tuple[int, int, Any]], *, is_hidden: bool) -> Sheet:
    found = Found()
    for row, column, value in cells:
        found.add((row, column), value)
    return found.sheet(name, is_hidden=is_hidden)
