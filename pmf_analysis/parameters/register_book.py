"""The register as a workbook, ``parameters/register.xlsx``: read as strictly as a file of settings.

The cells of its first sheet become the same raw entries that ``indicators.yml`` would give, so that
one model and one set of checks judge both. The columns are declared in ``register_book.yml``.
"""

import csv
import io
import re
import warnings
import zipfile
from collections.abc import Callable, Mapping, Sequence
from datetime import datetime
from functools import lru_cache, partial
from hashlib import sha256
from typing import Any, Literal, get_args, get_origin

from pmf_analysis import shipped
from pmf_analysis.parameters.loading import Document, text_fault
from pmf_analysis.parameters.messages import Place
from pmf_analysis.parameters.models import Indicator
from pmf_analysis.problems import Problems, did_you_mean

BOOK = shipped.read_shipped("parameters/register_book.yml")
COLUMNS: dict[str, dict[str, Any]] = BOOK["columns"]
Entry = Mapping[str, Any]
_OPTIONS = {"in_memory": True, "default_date_format": "yyyy-mm-dd"}
# By the kind of a cell, why it holds no value that can be believed.
_NO_VALUES = {"e": "register-error", "f": "register-formula"}


def choices_of(setting: str) -> tuple[str, ...]:
    """Return what a setting of an indicator can be; nothing where it is free."""
    annotation = Indicator.model_fields[setting].annotation
    return tuple(filter(None, get_args(annotation))) if get_origin(annotation) is Literal else ()


def spelt(text: str) -> str:
    """Return a heading or choice so that case, spaces, underscores and hyphens do not count."""
    return " ".join(re.split(r"[\s_-]+", text.strip().casefold()))


def _list(text: str) -> tuple[str, ...]:
    rows = csv.reader(text.splitlines(), delimiter=";", skipinitialspace=True)
    return tuple(entry.strip() for row in rows for entry in row if entry.strip())


def _pairs(text: str) -> dict[str, str]:
    parts = [entry.partition(":") for entry in _list(text)]
    return {_SETTINGS.get(spelt(name), name.strip()): value.strip() for name, _, value in parts}


def _weights(text: str) -> dict[str, float | str]:
    pairs = _pairs(text).items()
    return {name: float(part) if re.fullmatch(r"\d*\.?\d+", part) else part for name, part in pairs}


_SETTINGS = {spelt(name): key for key, each in COLUMNS.items() for name in (each["name"], key)}
_READ: dict[str, Callable[[str], Any]] = {"list": _list, "pairs": _pairs, "weights": _weights}


def read_book(raw: bytes, name: str, problems: Problems) -> Document | None:
    """Read a register's workbook; None when it cannot be read at all.

    The document has all rows whatever their faults, so that all are told at once. Its lines are
    the rows of the entries, its columns by setting the label and what it takes.
    """
    tell = partial(problems.tell, file=name, sheet=BOOK["sheet"])
    try:
        cells = _cells(raw)
    except Exception as error:  # whatever a reader chokes on is a fault of the file
        tell("register-unreadable", why=type(error).__name__)
        return None
    settings: dict[str, str] = {}
    columns: dict[str, tuple[str, str]] = {}
    entries: dict[int, dict[str, Any]] = {}
    for row, letter, kind, value in cells:
        if letter not in settings:
            head = str(value) if row == 1 else ""
            setting = settings[letter] = _SETTINGS.get(spelt(head), "")
            if not setting or setting in columns:
                fault = "register-column-twice" if setting else "register-column-unknown"
                hint = did_you_mean(head, [each["name"] for each in COLUMNS.values()])
                tell(fault, row=1, column=f'{letter} "{head}"', hint=hint)
            else:
                columns[setting] = (f'{letter} "{head}"', COLUMNS[setting]["help"])
        if row > 1 and (setting := settings[letter]):
            if fault := _NO_VALUES.get(kind) or text_fault(str(value), (setting,)):
                shown = "" if fault == "secret-parameter" else str(value)
                place = {"row": row, "column": columns[setting][0], "value": shown}
                tell(fault, what="This cell holds", **place)
            entries.setdefault(row, {})[setting] = _read(setting, value)
    values = {"format": 1, "indicators": tuple(entries.values())}
    lines: dict[Place, int] = {("indicators", n): row for n, row in enumerate(entries)}
    return Document(name, values, lines, sha256(raw).hexdigest(), problems, BOOK["sheet"], columns)


@lru_cache(maxsize=8)
def _cells(raw: bytes) -> list[tuple[int, str, str, Any]]:
    """Row, column, kind and value of every filled cell: once a process, for all forked from it."""
    from openpyxl import load_workbook
    from openpyxl.utils import get_column_letter

    with zipfile.ZipFile(io.BytesIO(raw)) as archive:
        if sum(part.file_size for part in archive.infolist()) > BOOK["most_bytes"]:
            raise ValueError
    with warnings.catch_warnings():
        # Of what openpyxl does not read, such as lists of choices.
        warnings.filterwarnings("ignore", category=UserWarning, module="openpyxl")
        found = sorted(load_workbook(io.BytesIO(raw))[BOOK["sheet"]]._cells.items())
    named = [(row, get_column_letter(column), cell) for (row, column), cell in found]
    filled = [each for each in named if str("" if each[2].value is None else each[2].value).strip()]
    return [(row, letter, cell.data_type, cell.value) for row, letter, cell in filled]


def _read(setting: str, value: Any) -> Any:
    """Return a value as it would stand in YAML; what cannot be is left for the model to refuse."""
    if isinstance(value, datetime):
        return value.date()
    number = int(value) if isinstance(value, float) and value.is_integer() else value
    kind = COLUMNS[setting].get("kind", "text")
    if kind == "number":
        return number
    known, text = {spelt(choice): choice for choice in choices_of(setting)}, str(number).strip()
    return _READ.get(kind, str)(known.get(spelt(text), text))


def write_register(rows: Sequence[Entry], known: Mapping[str, Sequence[str]]) -> bytes:
    """Return a register as a workbook, with its guide and the choices of its columns.

    Parameters
    ----------
    rows
        Settings of each indicator by their names, as :func:`read_book` returns them.
    known
        Further choices by setting, such as the directors of the framework.
    """
    import xlsxwriter  # type: ignore[import-untyped]  # it has no types
    from xlsxwriter.utility import xl_range_abs  # type: ignore[import-untyped]

    written = io.BytesIO()
    with xlsxwriter.Workbook(written, _OPTIONS) as book:
        book.set_properties({"created": datetime(2000, 1, 1)})  # the same rows give the same bytes
        head, plain, guess = map(book.add_format, BOOK["formats"])
        sheet, guide, lists = map(book.add_worksheet, (BOOK["sheet"], BOOK["guide"], "Choices"))
        sheet.freeze_panes(1, 2)
        told = [f"{about['name']}: {about['help']}" for about in COLUMNS.values()]
        guide.set_column(0, 0, 110, plain)
        guide.write_column(0, 0, [*BOOK["lines"], "", *told])
        for column, (setting, about) in enumerate(COLUMNS.items()):
            sheet.set_column(column, column, about.get("width", 12))
            sheet.write_string(0, column, about["name"], head)
            if choices := [*choices_of(setting), *known.get(setting, ())]:
                lists.write_column(0, column, [about["name"], *choices])
                source = f"=Choices!{xl_range_abs(1, column, len(choices), column)}"
                rule = {"validate": "list", "source": source}
                sheet.data_validation(1, column, BOOK["rows"], column, rule)
            for row, entry in enumerate(rows, start=1):
                why, value = entry.get("guessed", {}).get(setting), _written(entry.get(setting, ""))
                write = sheet.write_string if isinstance(value, str) else sheet.write
                shown = None if isinstance(value, datetime) else plain
                write(row, column, value, shown if why is None else guess)
                if why is not None:
                    said = BOOK["comment"].format(why=why, hangs=about["hangs"])
                    sheet.write_comment(row, column, said)
    return written.getvalue()


def _written(value: Any) -> Any:
    """Return what a cell holds, from which :func:`_read` makes the value again."""
    if isinstance(value, Mapping):
        value = [f"{name}: {entry}" for name, entry in value.items()]
    if isinstance(value, list | tuple):
        doubled = {each: each.replace('"', '""') for each in value}
        return "; ".join(f'"{doubled[e]}"' if re.search('[;"]', e) else e for e in value)
    return value if isinstance(value, str | int | float) else datetime.fromisoformat(str(value))
