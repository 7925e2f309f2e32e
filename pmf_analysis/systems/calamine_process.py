"""The program of the process that reads XLS and XLSB: bytes in, filled cells as JSON out.

It imports nothing of pmf, so that it starts at once.
"""

import io
import json
import sys
from datetime import datetime

import python_calamine


def limit_memory(size: int) -> None:
    """Let this process take no more bytes, where the system can say so."""
    try:
        import resource
    except ImportError:  # Windows
        return
    resource.setrlimit(resource.RLIMIT_AS, (size, size))


def sheets(content: bytes, most: int) -> list[dict[str, object]]:
    """Return name, whether it is hidden, and (row, column, value) of the cells of each sheet.

    Exit 4: a sheet reaches further than so many cells.
    """
    book = python_calamine.CalamineWorkbook.from_filelike(io.BytesIO(content))
    read = []
    for number, told in enumerate(book.sheets_metadata):
        if told.typ != python_calamine.SheetTypeEnum.WorkSheet:
            continue
        sheet = book.get_sheet_by_index(number)
        if sheet.height * sheet.width > most:
            sys.exit(4)
        top, left = sheet.start or (0, 0)
        cells = [
            (row, column, str(value) if isinstance(value, datetime) else value)
            for row, values in enumerate(sheet.to_python(), top + 1)
            for column, value in enumerate(values, left)
            if value != ""
        ]
        is_hidden = told.visible != python_calamine.SheetVisibleEnum.Visible
        read.append({"name": told.name, "is_hidden": is_hidden, "cells": cells})
    return read


if __name__ == "__main__":
    limit_memory(int(sys.argv[1]))
    try:
        found = sheets(sys.stdin.buffer.read(), int(sys.argv[2]))
    except python_calamine.PasswordError:
        sys.exit(3)
    print(json.dumps(found, default=str))
