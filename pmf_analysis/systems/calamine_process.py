"""The program of the process that reads XLS and XLSB: bytes in, filled cells as JSON out.

It imports nothing of pmf, so that it starts at once.
"""

import io
import json
import sys
from contextlib import suppress
from typing import Any

from python_calamine import CalamineWorkbook, PasswordError, SheetTypeEnum, SheetVisibleEnum


def sheets(content: bytes, most: int) -> list[dict[str, Any]]:
    """Return name, whether it is hidden, and (row, column, value) of the cells of each sheet.

    Exit 4: a sheet reaches further than so many cells.
    """
    book = CalamineWorkbook.from_filelike(io.BytesIO(content))
    read = []
    for number, told in enumerate(book.sheets_metadata):
        if told.typ == SheetTypeEnum.WorkSheet:
            sheet = book.get_sheet_by_index(number)
            if sheet.height * sheet.width > most:
                sys.exit(4)
            top, left = sheet.start or (0, 0)
            cells = [
                (row, column, value)
                for row, values in enumerate(sheet.to_python(), top + 1)
                for column, value in enumerate(values, left)
                if value != ""
            ]
            is_hidden = told.visible != SheetVisibleEnum.Visible
            read.append({"name": told.name, "is_hidden": is_hidden, "cells": cells})
    return read


if __name__ == "__main__":
    with suppress(ImportError):  # Windows, which cannot limit the memory of a process
        from resource import RLIMIT_AS, setrlimit

        setrlimit(RLIMIT_AS, (int(sys.argv[1]), int(sys.argv[1])))
    try:
        found = sheets(sys.stdin.buffer.read(), int(sys.argv[2]))
    except PasswordError:
        sys.exit(3)
    print(json.dumps(found, default=str))
