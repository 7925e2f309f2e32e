"""The register as a workbook, ``parameters/register.xlsx``: read as strictly as a file of settings.

The cells of its first sheet become the same raw entries that ``indicators.yml`` would give, so that
one model and one set of checks judge both. The columns are declared in ``register_book.yml``.
"""

from __future__ import annotations

import csv
import io
import re
import warnings
import zipfile
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from datetime import date, datetime
from functools import lru_cache, partial
from typing import Any, Literal, get_args, get_origin

from pmf_analysis import shipped
from pmf_analysis.parameters.loading import text_fault
from pmf_analysis.parameters.messages import Place
from pmf_analysis.parameters.models import Indicator
from pmf_analysis.problems import Problems, did_you_mean

BOOK = shipped.read_shipped("parameters/register_book.yml")
COLUMNS: dict[str, dict[str, Any]] = BOOK["columns"]
Entry = Mapping[str, Any]
# By the kind of a cell, why it holds no value that can be believed.
_NO_VALUES = {"e": "register-error", "f": "register-formula"}


def choices_of(setting: str) -> tuple[str, ...]:
    """Return what a setting of an indicator can be; nothing where it is free."""
    annotation = Indicator.model_fields[setting].annotation
    return tuple(filter(None, get_args(annotation))) if get_origin(annotation) is Literal else ()


def _number(text: str) -> int | float | str:
    for read in (int, float):
        with suppress(ValueError):
            return read(text.replace(",", ""))
    return text


def _date(text: str) -> date | str:
    with suppress(ValueError):
        return date.fromisoformat(text)
    return text


def _list(text: str) -> tuple[str, ...]:
    rows = csv.reader(text.splitlines(), delimiter=";", skipinitialspace=True)
    return tuple(entry.strip() for row in rows for entry in row if entry.strip())


def _pairs(text: str) -> dict[str, str]:
    parts = [entry.partition(":") for entry in _list(text)]
    return {name.strip(): value.strip() for name, _, value in parts}


def _spelt(text: str) -> str:
    return " ".join(re.split(r"[\s_-]+", text.strip().casefold()))


_SETTINGS = {_spelt(name): key for key, each in COLUMNS.items() for name in (each["name"], key)}
_READ: dict[str, Callable[[str], Any]] = {
    "text": str,
    "number": _number,
    "date": _date,
    "yes_no": lambda text: BOOK["yes_no"].get(text.casefold(), text),
    "list": _list,
    "pairs": _pairs,
    "weights": lambda text: {name: _number(part) for name, part in _pairs(text).items()},
}


class BookReader:
    """Turns the cells of a workbook into raw entries, and collects what is wrong with them.

    ``lines`` are the rows of the entries, ``columns`` by setting its column as a reader sees it,
    such as ``E "Polarity"``, and what it takes.
    """

    def __init__(self, name: str, problems: Problems) -> None:
        self.lines: dict[Place, int] = {}
        self.sheet: str = BOOK["sheet"]
        self.columns: dict[str, tuple[str, str]] = {}
        self._tell = partial(problems.tell, file=name, sheet=self.sheet)

    def values(self, raw: bytes) -> dict[str, Any] | None:
        """Return the entries of a workbook, None when it cannot be read at all."""
        try:
            cells = _cells(raw)
        except Exception as error:  # whatever a reader chokes on is a fault of the file
            self._tell("register-unreadable", why=type(error).__name__)
            return None
        settings: dict[str, str] = {}
        entries: dict[int, dict[str, Any]] = {}
        for row, letter, kind, text in cells:
            if row == 1:
                settings[letter] = self._setting(letter, text)
            elif setting := settings.get(letter):
                self._check(row, setting, kind, text)
                entries.setdefault(row, {})[setting] = _read(setting, text)
            elif letter not in settings:
                settings[letter] = self._setting(letter, "")
        self.lines = {("indicators", n): row for n, row in enumerate(entries)}
        return {"format": 1, "indicators": tuple(entries.values())}

    def _setting(self, letter: str, text: str) -> str:
        """Return the setting of a column; "" for one that is not declared or there twice."""
        setting, label = _SETTINGS.get(_spelt(text), ""), f'{letter} "{text}"'
        if not setting or setting in self.columns:
            hint = did_you_mean(text, [each["name"] for each in COLUMNS.values()])
            fault = "register-column-twice" if setting else "register-column-unknown"
            self._tell(fault, row=1, column=label, hint=hint)
            return ""
        self.columns[setting] = (label, COLUMNS[setting]["help"])
        return setting

    def _check(self, row: int, setting: str, kind: str, text: str) -> None:
        fault = _NO_VALUES.get(kind) or text_fault(text, (setting,))
        if fault:
            shown = "" if fault == "secret-parameter" else text
            place = {"row": row, "column": self.columns[setting][0], "value": shown}
            self._tell(fault, what="This cell holds", **place)


@lru_cache(maxsize=8)
def _cells(raw: bytes) -> list[tuple[int, str, str, str]]:
    """Row, column, kind and text of every filled cell: once a process, for all forked from it."""
    from openpyxl import load_workbook
    from openpyxl.utils import get_column_letter

    with zipfile.ZipFile(io.BytesIO(raw)) as archive:
        if sum(part.file_size for part in archive.infolist()) > BOOK["most_bytes"]:
            raise ValueError
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # of what openpyxl does not read, such as lists of choices
        cells = sorted(load_workbook(io.BytesIO(raw))[BOOK["sheet"]]._cells.items())
    found = (
        (row, get_column_letter(column), cell.data_type, _text(cell.value))
        for (row, column), cell in cells
    )
    return [cell for cell in found if cell[3]]


def _text(value: object) -> str:
    if isinstance(value, bool | datetime):
        return str(value).partition(" ")[0]
    text = f"{value:.15g}" if isinstance(value, float) else str(value)
    return "" if value is None else text.strip()


def _read(setting: str, text: str) -> Any:
    """Return a text as it would stand in YAML; what cannot be is left for the model to refuse."""
    known = {_spelt(choice): choice for choice in choices_of(setting)}
    value = _READ[COLUMNS[setting].get("kind", "text")](known.get(_spelt(text), text))
    if setting == "guessed":
        return {_SETTINGS.get(_spelt(name), name): why for name, why in value.items()}
    return value


def write_register(rows: Sequence[Entry], known: Mapping[str, Sequence[str]]) -> bytes:
    """Return a register as a workbook, with its guide and the choices of its columns.

    Parameters
    ----------
    rows
        Settings of each indicator by their names, as :class:`BookReader` returns them.
    known
        Further choices by setting, such as the directors of the framework.
    """
    import xlsxwriter  # type: ignore[import-untyped]  # it has no types
    from xlsxwriter.utility import xl_range_abs  # type: ignore[import-untyped]

    written = io.BytesIO()
    with xlsxwriter.Workbook(written, {"in_memory": True}) as book:
        book.set_properties({"created": datetime(2000, 1, 1)})  # the same rows give the same bytes
        formats = {name: book.add_format(how) for name, how in BOOK["formats"].items()}
        sheet, guide, lists = map(book.add_worksheet, (BOOK["sheet"], BOOK["guide"], "Choices"))
        sheet.freeze_panes(1, 2)
        told = [f"{about['name']}: {about['help']}" for about in COLUMNS.values()]
        guide.set_column(0, 0, 110, formats["plain"])
        guide.write_column(0, 0, [*BOOK["lines"], "", *told])
        for column, (setting, about) in enumerate(COLUMNS.items()):
            sheet.set_column(column, column, about.get("width", 12))
            sheet.write_string(0, column, about["name"], formats["head"])
            if choices := [*choices_of(setting), *known.get(setting, ())]:
                lists.write_column(0, column, [about["name"], *choices])
                source = f"=Choices!{xl_range_abs(1, column, len(choices), column)}"
                rule = {"validate": "list", "source": source}
                sheet.data_validation(1, column, BOOK["rows"], column, rule)
            for row, entry in enumerate(rows, start=1):
                _write_cell(sheet, (row, column), setting, entry, formats)
    return written.getvalue()


def _write_cell(
    sheet: Any, place: tuple[int, int], setting: str, entry: Entry, formats: Any
) -> None:
    """Write a setting as the text or number that it is; a guess is coloured, with a comment."""
    value, guesses = entry.get(setting, ""), entry.get("guessed", {})
    shown = formats["guess" if setting in guesses else "plain"]
    if isinstance(value, int | float) and not isinstance(value, bool):
        sheet.write_number(*place, value, shown)
    else:
        sheet.write_string(*place, _written(value), shown)
    if setting in guesses:
        hangs = COLUMNS[setting].get("hangs", "")
        sheet.write_comment(*place, BOOK["comment"].format(why=guesses[setting], hangs=hangs))


def _written(value: Any) -> str:
    """Return a value as the text of its cell, from which :func:`_read` makes it again."""
    if isinstance(value, dict):
        value = [f"{name}: {entry}" for name, entry in value.items()]
    if isinstance(value, list | tuple):
        doubled = {each: each.replace('"', '""') for each in value}
        value = "; ".join(f'"{doubled[e]}"' if re.search('[;"]', e) else e for e in value)
    return str(value)
