"""Files refused before anything parses them: bombs, macros, giants, and what is no table.

What is dropped comes from other people. A few kilobytes can unpack to gigabytes, and a workbook
can hold programs. Everything here reads as a stream and stops at a limit of ``files.yml``.
"""

import gzip
import io
import re
import zipfile
from collections.abc import Iterator
from typing import Any

from pmf_analysis.problems import Problems
from pmf_analysis.shipped import read_shipped

KNOWN = read_shipped("systems/files.yml")
LIMITS: dict[str, int] = KNOWN["limits"]
_CHUNK = 1 << 20
# Elements that are held in memory while a workbook or document is read, whatever their prefix.
_COUNTED = re.compile(
    rb"<(?:\w+:)?(?:c|row|si|xf|p|tc|tr|mergeCell|(?:covered-)?table-(?:cell|row))[\s/>]"
)
_DECLARES = re.compile(rb"<!(?:DOCTYPE|ENTITY)", re.IGNORECASE)


class RefusedError(Exception):
    """A file must not, or cannot, be read: a reason of ``files.yml``, with what fills its words.

    `place` may name a sheet, row, column and value.
    """

    def __init__(self, reason: str, what: object = "", **place: Any) -> None:
        super().__init__(reason, what)
        self.reason, self.what, self.place = reason, what, place


def unpacked(content: bytes) -> bytes:
    """Return the text in a gzip file, or refuse one that is larger than may be read."""
    with gzip.GzipFile(fileobj=io.BytesIO(content)) as stream:
        while stream.read(_CHUNK):  # nothing is kept until the size is known
            check_size(stream.tell())
    return gzip.decompress(content)


def check_size(size: int) -> None:
    """Refuse a file of more bytes than may be read at once."""
    if size > LIMITS["text"]:
        raise RefusedError("too_large", f"{LIMITS['text'] // 10**6:,} MB")


def package_kind(content: bytes, file: str, problems: Problems) -> tuple[str, str]:
    """Return which kind of ``files.yml`` a ZIP package is, and its name, having looked into it.

    Raises
    ------
    RefusedError
        It unpacks to more than may be read, has a password, holds macros or XML that declares
        entities, or is no table. Links to other workbooks that are left over are a problem.
    """
    with zipfile.ZipFile(io.BytesIO(content)) as archive:
        parts = archive.infolist()
        _check_sizes(parts)
        names = "\n".join(part.filename for part in parts)
        listed = "\n".join([names, *_declared(archive, names)])
        for reason, pattern in KNOWN["refused_parts"].items():
            if found := re.search(pattern, listed, re.MULTILINE | re.IGNORECASE):
                raise RefusedError(reason, found[0])
        kinds = KNOWN["packages"].items()
        kind, what = next((found for pattern, found in kinds if re.search(pattern, listed, re.M)))
        if not kind:
            raise RefusedError("other", what)
        if "xl/externalLinks/" in names:
            problems.tell("links-left-over", file=file)
        _check_parts(archive)
    return kind, what


def old_kind(content: bytes) -> tuple[str, str]:
    """Return that a file of old Office programs is an XLS workbook, or refuse any other."""
    kinds = KNOWN["old_kinds"].items()
    reason = next(found for text, found in kinds if text.encode("utf-16-le") in content)
    if reason:
        is_known = reason in KNOWN["unusable"]
        raise RefusedError(reason if is_known else "other", "VBA" if is_known else reason)
    return "xls", "a workbook in the old XLS format"


def _check_sizes(parts: list[zipfile.ZipInfo]) -> None:
    """Refuse a package by what it says of itself; nothing is unpacked beyond that."""
    size = sum(part.file_size for part in parts)
    packed = 1 + sum(part.compress_size for part in parts)
    is_bomb = size > LIMITS["small"] and size / packed > LIMITS["ratio"]
    if len(parts) > LIMITS["parts"] or size > LIMITS["unpacked"] or is_bomb:
        told = f"{len(parts):,} parts of {packed / 1e6:,.1f} MB that unpack to {size / 1e6:,.0f} MB"
        raise RefusedError("bomb", told)


def _declared(archive: zipfile.ZipFile, names: str) -> Iterator[str]:
    """Yield the texts in which a package says what it is, whatever its parts are called."""
    for name in KNOWN["declared_in"]:
        if re.search(f"^{re.escape(name)}$", names, re.MULTILINE):
            with archive.open(name) as part:
                yield part.read(_CHUNK).decode("utf-8", "replace")


def _check_parts(archive: zipfile.ZipFile) -> None:
    """Refuse XML with declarations, or with more cells and rows than are read in good time."""
    cells = 0
    for part in archive.infolist():
        if not re.search(KNOWN["xml_parts"], part.filename, re.IGNORECASE):
            continue
        tail = b""
        with archive.open(part) as stream:
            while chunk := stream.read(_CHUNK):
                # Of UTF-16 only the ASCII characters are left.
                text = (tail + chunk).replace(b"\0", b"")
                if _DECLARES.search(text):
                    raise RefusedError("entities", part.filename)
                cells += sum(1 for _ in _COUNTED.finditer(text))
                if cells > LIMITS["cells"]:
                    raise RefusedError("too_many_cells", f"{LIMITS['cells']:,}")
                tail = text[-12:]
