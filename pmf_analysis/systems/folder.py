"""A drop folder and the files in it: which are whole, what each is, and its raw sheets.

What a file is, is read from its first bytes, never from its name: web pages are saved as ``.xls``
and half-synced workbooks still have their name.
"""

import csv
import hashlib
import io
import json
import re
import time
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import date
from itertools import zip_longest
from pathlib import Path, PurePosixPath
from typing import Any

import pandas as pd

from pmf_analysis.parameters.workspace import Workspace
from pmf_analysis.places import is_address, opened
from pmf_analysis.problems import EXIT_DATA_UNUSABLE, PmfError, Problem, Problems
from pmf_analysis.systems import guards, legacy
from pmf_analysis.systems.cells import Sheet, read_workbook
from pmf_analysis.systems.guards import KNOWN, RefusedError
from pmf_analysis.systems.sources import FolderSource
from pmf_analysis.systems.values import is_typed

_JSON = re.compile(rb'(\xef\xbb\xbf)?\s*[\[{]\s*[\[{"\]}]')
# A file that is syncing grows between two looks so many seconds apart.
_BETWEEN_LOOKS = 0.25
_READERS: dict[str, Callable[[bytes], list[Sheet]]] = {
    "xlsx": read_workbook,
    "xlsb": legacy.read_binary,
    "xls": legacy.read_binary,
    "ods": legacy.read_opendocument,
    "docx": legacy.read_word,
}


@dataclass(frozen=True)
class RawFile:
    """A file's sheets as read, its fingerprint, what was noticed on reading it, and its bytes."""

    name: str
    sha256: str
    sheets: tuple[Sheet, ...]
    problems: Problems
    content: bytes = field(default=b"", repr=False)


def read(source: FolderSource, workspace: Workspace, as_at: date) -> list[RawFile]:
    """Read every file of the folder that a mapping names, a path in or outside the workspace.

    A file that cannot be used has no sheets and says why, so that the others are imported.

    Raises
    ------
    PmfError
        Exit 3: the folder cannot be reached, or holds no file that may be imported.
    """
    path = source.path
    place = path if is_address(path) else workspace.root / Path(path).expanduser()
    files, skipped = drop_files(place)
    if not files:
        raise PmfError([Problem.of("folder-empty", file=source.path), *skipped], EXIT_DATA_UNUSABLE)
    found = []
    for file in files:
        try:
            found.append(read_file(file))
        except PmfError as error:
            found.append(RawFile(_name(file), "", (), error.problems))
    found[0].problems.extend(skipped)
    return found


def drop_files(place: Path | str) -> tuple[list[Path | str], Problems]:
    """List the files at a place that may be imported, and say why others are passed over.

    A place is a file, a folder, or an address that fsspec knows such as ``az://container/kpis``.
    Owner files of open workbooks (``~$``), temporary, hidden, empty and growing files and other
    types are skipped with a warning each; a file that is named itself never is. Sub-folders are
    read too; the order is that of the names.

    Raises
    ------
    PmfError
        Exit 3: the place cannot be reached.
    """
    try:
        files, base = opened(place)
        if not files.isdir(base):
            return [place], Problems()
        first = files.find(base, detail=True)
        if files.protocol[0] == "file":
            time.sleep(_BETWEEN_LOOKS)
            files.invalidate_cache()
        sizes = {path: told["size"] for path, told in files.find(base, detail=True).items()}
    except OSError as error:
        raise _unusable(place, "closed", error.strerror or type(error).__name__) from error
    reasons = {
        path: _reason_to_skip(path, size, first.get(path, {}).get("size"))
        for path, size in sorted(sizes.items())
    }
    told = [Problem.of("file-skipped", file=_name(p), why=why) for p, why in reasons.items() if why]
    listed = [path for path, reason in reasons.items() if not reason]
    remote = is_address(place)
    return [files.unstrip_protocol(p) if remote else Path(p) for p in listed], Problems(told)


def _name(place: Path | str) -> str:
    return PurePosixPath(Path(place).as_posix()).name


def _reason_to_skip(path: str, size: int, before: int | None) -> str:
    name = _name(path).casefold()
    reasons = [why for pattern, why in KNOWN["skipped"].items() if re.search(pattern, name)]
    reasons += [] if size else ["The file is empty; it may still be syncing, and is skipped."]
    reasons += [] if size == before else ["The file is still syncing: it grows, and is skipped."]
    return str(next(iter(reasons), ""))


def read_file(place: Path | str) -> RawFile:
    """Read the raw sheets of one file of any accepted kind.

    What a file is, its content decides; a name that says otherwise is noted.

    Raises
    ------
    PmfError
        Exit 3, with one problem in plain words, for whatever cannot be read: absent, empty,
        still syncing, protected by a password, with macros, too large, a web page or a picture
        by another name.
    """
    try:
        files, path = opened(place)
        guards.check_size(size := files.size(path))
        content = files.cat_file(path)
    except OSError as error:
        raise _unusable(place, "closed", error.strerror or type(error).__name__) from error
    except RefusedError as refused:
        raise _unusable(place, refused.reason, refused.what) from refused
    if len(content) != size:
        raise _unusable(place, "growing")
    return read_content(_name(place), content)


def read_content(name: str, content: bytes) -> RawFile:
    """Read the raw sheets of a file whose bytes are at hand, as :func:`read_file` does."""
    problems = Problems()
    if not content.strip(b"\0 \r\n\t"):
        raise _unusable(name, "empty")
    try:
        sheets = _sheets(name, content, problems)
    except RefusedError as refused:
        raise _unusable(name, refused.reason, refused.what, **refused.place) from refused
    except Exception as error:  # whatever a reader chokes on is a fault of the file
        raise _unusable(name, "damaged", type(error).__name__) from error
    if not any(len(sheet.cells) for sheet in sheets):
        raise _unusable(name, "no_cell")
    return RawFile(name, hashlib.sha256(content).hexdigest(), tuple(sheets), problems, content)


def _unusable(place: Path | str, reason: str, what: object = "", **cell: Any) -> PmfError:
    why, fix = KNOWN["unusable"][reason]
    told = {"why": why.format(what=what), "fix": fix, "file": _name(place)}
    return PmfError(Problem.of("file-unusable", **told, **cell), EXIT_DATA_UNUSABLE)


def _sheets(name: str, content: bytes, problems: Problems) -> list[Sheet]:
    for start, what in KNOWN["not_tables"].items():
        if content.startswith(start.encode("latin-1")):
            raise RefusedError("other", what)
    kind, what = "text", "text with commas, semicolons or tabs"
    if content.startswith(b"PK"):
        kind, what = guards.package_kind(content, name, problems)
    elif content.startswith(b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1"):
        kind, what = guards.old_kind(content)
    elif content.startswith(b"PAR1"):
        kind, what = "parquet", "a Parquet table"
    elif content.startswith(b"\x1f\x8b"):
        content, name = guards.unpacked(content), re.sub(r"(?i)\.gz$", "", name)
    if not re.search(rf"(?i)\.({KNOWN['endings'][kind]})$", name):
        problems.tell("file-renamed", file=name, what=what)
    if kind in KNOWN["lost"]:
        problems.tell("evidence-lost", file=name, what=what, lost=KNOWN["lost"][kind])
    if kind == "text":
        is_json = _JSON.match(content)
        return [_json_sheet(content) if is_json else _text_sheet(name, content, problems)]
    return [_parquet_sheet(content)] if kind == "parquet" else _READERS[kind](content)


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
    from pyarrow.parquet import read_metadata

    told = read_metadata(io.BytesIO(content))
    if told.num_rows * told.num_columns > guards.LIMITS["parquet_cells"]:
        raise RefusedError("too_many_cells", f"{guards.LIMITS['parquet_cells']:,}")
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


def _text_sheet(name: str, content: bytes, problems: Problems) -> Sheet:
    text = _decoded(name, content, problems)
    for pattern, what in KNOWN["not_text_tables"].items():
        if re.search(pattern, text[:400], re.IGNORECASE):
            raise RefusedError("other", what)
    if "\0" in text[:4096]:
        raise RefusedError("not_text")
    if text.count('"') % 2:
        problems.tell("quotation-mark-open", file=name)
    head = text[:20_000].splitlines()[:20]
    delimiter = max(",;\t|", key=lambda mark: _alike(head, mark))
    return Sheet("", _text_cells(text, delimiter))


def _alike(head: list[str], mark: str) -> tuple[int, int]:
    """Return how many rows have the same number of cells, two or more, if a mark parts them."""
    widths = Counter(len(row) for row in csv.reader(head, delimiter=mark))
    return max(((n, width) for width, n in widths.items() if width > 1), default=(0, 0))


def _decoded(name: str, content: bytes, problems: Problems) -> str:
    """Return the file's text; bytes that are no UTF-8 are read as Windows wrote them."""
    if content[:2] in {b"\xff\xfe", b"\xfe\xff"}:
        return content.decode("utf-16")
    try:
        return content.decode("utf-8-sig")
    except UnicodeDecodeError:
        problems.tell("encoding-guessed", file=name)
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
    if may_be_blank.empty:  # which is at once known of very wide tables too
        return cells
    return cells.drop(may_be_blank.index[may_be_blank.isin(["", " "]).all(axis=1)])
