"""A drop folder and the files in it: which are whole, what each is, and its raw sheets.

What a file is, is read from its first bytes, never from its name: web pages are saved as ``.xls``
and half-synced workbooks still have their name.
"""

import csv
import gzip
import hashlib
import io
import json
import re
from collections import Counter
from dataclasses import dataclass
from itertools import zip_longest
from pathlib import Path
from typing import Any

import pandas as pd

from pmf_analysis.problems import EXIT_DATA_UNUSABLE, PmfError, Problem, Problems
from pmf_analysis.systems.cells import KNOWN, Sheet, read_workbook
from pmf_analysis.systems.values import is_typed

_WEB_PAGE = ("<!doctype", "<html", "<?xml", "<table")
_JSON = re.compile(rb'(\xef\xbb\xbf)?\s*[\[{]\s*[\[{"\]}]')
# What a workbook in the container of the old XLS format holds when it has a password.
_LOCKED = "EncryptedPackage".encode("utf-16-le")


@dataclass(frozen=True)
class RawFile:
    """A file's sheets as read, its fingerprint, and what was noticed on reading it."""

    name: str
    sha256: str
    sheets: tuple[Sheet, ...]
    problems: Problems


def drop_files(folder: Path) -> tuple[list[Path], Problems]:
    """List the files of a drop folder that may be imported, and say why others are passed over.

    Owner files of open workbooks (``~$``), temporary, hidden and empty files and other types are
    skipped with a warning each. Sub-folders are read too; the order is that of the names.
    """
    reasons = {path: _reason_to_skip(path) for path in sorted(folder.rglob("*")) if path.is_file()}
    told = [Problem.of("file-skipped", file=p.name, why=why) for p, why in reasons.items() if why]
    return [path for path, reason in reasons.items() if not reason], Problems(told)


def _reason_to_skip(path: Path) -> str:
    name = path.name.casefold()
    reasons = [why for pattern, why in KNOWN["skipped"].items() if re.search(pattern, name)]
    empty = "The file is empty; it may still be syncing, and is skipped."
    return str(next(iter(reasons), "" if path.stat().st_size else empty))


def read_file(path: Path) -> RawFile:
    """Read the raw sheets of one file of any accepted kind.

    Raises
    ------
    PmfError
        Exit 3, with one problem in plain words, for whatever cannot be read: absent, empty,
        still syncing, protected by a password, a web page or a picture by another name.
    """
    try:
        content = path.read_bytes()
    except OSError as error:
        raise _unusable(path, "closed", error.strerror) from error
    if len(content) != path.stat().st_size:
        raise _unusable(path, "growing")
    return read_content(path.name, content)


def read_content(name: str, content: bytes) -> RawFile:
    """Read the raw sheets of a file whose bytes are at hand, as :func:`read_file` does."""
    path, problems = Path(name), Problems()
    if not content.strip(b"\0 \r\n\t"):
        raise _unusable(path, "empty")
    try:
        sheets = _sheets(path, content, problems)
    except PmfError:
        raise
    except Exception as error:  # whatever a reader chokes on is a fault of the file
        raise _unusable(path, "damaged", type(error).__name__) from error
    if not any(len(sheet.cells) for sheet in sheets):
        raise _unusable(path, "no_cell")
    return RawFile(name, hashlib.sha256(content).hexdigest(), tuple(sheets), problems)


def _unusable(path: Path, reason: str, what: object = "") -> PmfError:
    why, fix = KNOWN["unusable"][reason]
    problem = Problem.of("file-unusable", file=path.name, why=why.format(what=what), fix=fix)
    return PmfError(problem, EXIT_DATA_UNUSABLE)


def _sheets(path: Path, content: bytes, problems: Problems) -> list[Sheet]:
    for start, what in KNOWN["not_tables"].items():
        if content.startswith(start.encode("latin-1")):
            raise _unusable(path, "protected" if _LOCKED in content else "other", what)
    if content.startswith(b"PK"):
        return read_workbook(content)
    if content.startswith(b"PAR1"):
        return [_parquet_sheet(content)]
    if content.startswith(b"\x1f\x8b"):
        content = gzip.decompress(content)
    if _JSON.match(content):
        return [_json_sheet(content)]
    return [_text_sheet(path, content, problems)]


def _json_sheet(content: bytes) -> Sheet:
    """Read a list of records, alone or as the first list of an object; numbers as written."""
    told = json.loads(content, parse_float=str, parse_int=str)
    lists = told.values() if isinstance(told, dict) else [told]
    rows = next((each for each in lists if isinstance(each, list)), [])
    names = list(dict.fromkeys(name for row in rows for name in row))
    texts = [[_json_text(row.get(name)) for name in names] for row in rows]
    cells = pd.DataFrame(texts, range(1, len(rows) + 1), range(len(names)), dtype="str")
    return Sheet("", cells, names=tuple(names))


def _json_text(value: object) -> str:
    if value is None:
        return ""
    return value if isinstance(value, str) else json.dumps(value)


def _parquet_sheet(content: bytes) -> Sheet:
    frame = pd.read_parquet(io.BytesIO(content))
    cells = frame.set_axis(range(frame.shape[1]), axis=1).set_axis(range(1, len(frame) + 1))
    for column in cells:
        if not is_typed(cells[column]):
            cells[column] = cells[column].astype("str").fillna("")
        elif cells[column].dtype.kind == "M":
            cells[column] = cells[column].dt.tz_localize(None)
        elif cells[column].isna().any():  # whole numbers with gaps, of a type of their own
            cells[column] = cells[column].astype("float64")
    return Sheet("", cells, names=tuple(map(str, frame.columns)))


def _text_sheet(path: Path, content: bytes, problems: Problems) -> Sheet:
    text = _decoded(path, content, problems)
    if text.lstrip()[:200].casefold().startswith(_WEB_PAGE):
        raise _unusable(path, "web_page")
    if "\0" in text[:4096]:
        raise _unusable(path, "not_text")
    if text.count('"') % 2:
        problems.tell("quotation-mark-open", file=path.name)
    head = text[:20_000].splitlines()[:20]
    delimiter = max(",;\t|", key=lambda mark: _alike(head, mark))
    return Sheet("", _text_cells(text, delimiter))


def _alike(head: list[str], mark: str) -> tuple[int, int]:
    """Return how many rows have the same number of cells, two or more, if a mark parts them."""
    widths = Counter(len(row) for row in csv.reader(head, delimiter=mark))
    return max(((n, width) for width, n in widths.items() if width > 1), default=(0, 0))


def _decoded(path: Path, content: bytes, problems: Problems) -> str:
    """Return the file's text; bytes that are no UTF-8 are read as Windows wrote them."""
    if content[:2] in {b"\xff\xfe", b"\xfe\xff"}:
        return content.decode("utf-16")
    try:
        return content.decode("utf-8-sig")
    except UnicodeDecodeError:
        problems.tell("encoding-guessed", file=path.name)
        return content.decode("cp1252", errors="replace")


def _text_cells(text: str, delimiter: str) -> pd.DataFrame:
    """Read all cells as text, rows numbered from 1; blank rows are left out."""
    as_text: Any = {"dtype": "str", "keep_default_na": False, "skip_blank_lines": False}
    try:
        cells: pd.DataFrame = pd.read_csv(io.StringIO(text), sep=delimiter, header=None, **as_text)
    except pd.errors.ParserError:  # a row is longer than the first, or a quotation mark left open
        rows = csv.reader(io.StringIO(text, newline=""), delimiter=delimiter)
        cells = pd.DataFrame(dict(enumerate(zip_longest(*rows, fillvalue=""))), dtype="str")
    cells = cells.set_axis(range(1, len(cells) + 1))
    may_be_blank = cells[cells[0].isin(["", " "])]
    return cells.drop(may_be_blank.index[may_be_blank.isin(["", " "]).all(axis=1)])
