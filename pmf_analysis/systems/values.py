"""Texts of cells made numbers, dates, whole numbers, choices and states of absence.

Columns are handled whole. Each function returns the typed column and the mask of cells that
could not be typed; an empty cell is missing and no fault.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from contextlib import suppress
from datetime import date, datetime
from typing import Any

import pandas as pd

from pmf_analysis.data.contract import Column
from pmf_analysis.systems.cells import KNOWN
from pmf_analysis.systems.mapping import spelling

Typed = tuple["pd.Series[Any]", "pd.Series[bool]"]
# No figure of a council is larger; digits alone can go beyond what a float holds.
LARGEST = 1e15

# A comma that does not separate thousands ("12,5") is no part of a number.
_NUMBER = re.compile(r"-?\s*(\d{1,3}(,\d{3})+(\.\d+)?|\d+(\.\d+)?|\.\d+)")


def is_typed(cells: pd.Series[Any]) -> bool:
    """Whether the file itself declares numbers or dates (Parquet); all else is text."""
    return cells.dtype.kind in "iufM"


def is_blank(cells: pd.Series[Any]) -> pd.Series[bool]:
    """Whether each cell is empty; blanks alone count as empty."""
    return cells.isna() if is_typed(cells) else cells.str.strip() == ""


def is_error(cells: pd.Series[Any]) -> pd.Series[bool]:
    """Whether each cell shows a spreadsheet error such as ``#DIV/0!``."""
    return _as_text(cells).str.strip().str.upper().isin(KNOWN["error_cells"])


def to_kind(cells: pd.Series[Any], column: Column, synonyms: Mapping[str, str]) -> Typed:
    """Type cells as a column of the contract; `synonyms` are its texts in the source's words."""
    if column.choices:
        return to_choice(cells, column.choices, synonyms)
    if column.kind in ("number", "integer"):
        numbers, bad = to_number(cells)
        if column.kind == "number":
            return numbers, bad
        bad |= numbers.notna() & (numbers % 1 != 0)
        return numbers.mask(bad).astype("Int64"), bad
    if column.kind == "date":
        return to_date(cells)
    if column.kind == "yes_no":
        return _by_text(cells, lambda text: KNOWN["yes_no"].get(text.casefold()), "boolean")
    words = {spelling(text): ours for text, ours in synonyms.items()}
    texts = _as_text(cells).str.strip()
    ours = {text: words.get(spelling(text), text) for text in texts.unique()} if words else {}
    return texts.replace(ours), is_error(cells)


def to_number(cells: pd.Series[Any]) -> Typed:
    """Read numbers as people write them: commas, a pound or per-cent sign, brackets for minus."""
    numbers = _read_numbers(cells)
    numbers = numbers.mask(numbers.abs() > LARGEST)
    return numbers, numbers.isna() & ~is_blank(cells)


def is_too_large(cells: pd.Series[Any]) -> pd.Series[bool]:
    """Whether each cell is a number that is too large to be believed."""
    return _read_numbers(cells).abs() > LARGEST


def _read_numbers(cells: pd.Series[Any]) -> pd.Series[float]:
    """Return the numbers in cells, those beyond the range of a float as infinite."""
    cells = _as_text(cells) if cells.dtype.kind == "M" else cells  # a day is no number of seconds
    numbers = pd.to_numeric(cells, errors="coerce").astype("float64")
    unread = numbers.isna() & ~is_blank(cells)
    if unread.any():
        numbers.loc[unread] = _by_text(cells[unread].astype("str"), _number, "float64")[0]
    return numbers


def _number(text: str) -> float | None:
    cleaned = text.replace("\u00a0", " ").replace("\u2212", "-").strip()
    cleaned = re.sub(r"^\((.*)\)$", r"-\1", cleaned)
    cleaned = re.sub(r"^(-?)\s*£\s*|\s*%$", r"\1", cleaned)
    return float(re.sub(r"[,\s]", "", cleaned)) if _NUMBER.fullmatch(cleaned) else None


def to_date(cells: pd.Series[Any]) -> Typed:
    """Read dates: ISO, or day before month. "04/25/2026" is refused, not turned round."""
    if cells.dtype.kind == "M":
        return cells.astype("datetime64[us]"), pd.Series(False, index=cells.index)
    return _by_text(_as_text(cells), _date, "datetime64[us]")


def _date(text: str) -> date | None:
    text = text.strip()
    if not re.match(r"\d{1,4}[-/. ]", text):  # spares eight attempts on every plain word
        return None
    with suppress(ValueError):
        return datetime.fromisoformat(text).replace(tzinfo=None)
    for pattern in KNOWN["dates"]:
        with suppress(ValueError):
            return datetime.strptime(text, pattern)
    return None


def to_choice(cells: pd.Series[Any], choices: Sequence[str], synonyms: Mapping[str, str]) -> Typed:
    """Read one of the contract's choices, in its own or the source's words, in any spelling."""
    words = {spelling(choice): choice for choice in choices}
    words |= {spelling(text): choice for text, choice in synonyms.items()}
    return _by_text(_as_text(cells), lambda text: words.get(spelling(text)), "str")


def state_of_text(cells: pd.Series[Any], states: Mapping[str, tuple[str, ...]]) -> pd.Series[str]:
    """Return the state of absence each text stands for, ``""`` where it stands for none."""
    texts = {spelling(text): state for state, listed in states.items() for text in listed}
    starts = {text[:-3].strip(): state for text, state in texts.items() if text.endswith("...")}

    def state(text: str) -> str:
        begun = (start for start in starts if text and text.startswith(start))
        return texts.get(text) or starts.get(next(begun, ""), "")

    cells = _as_text(cells)
    return cells.map({text: state(spelling(text)) for text in cells.unique()}).astype("str")


def _as_text(cells: pd.Series[Any]) -> pd.Series[str]:
    if cells.dtype.kind in "iuf":
        cells = cells.map(lambda number: "" if number != number else f"{number:.15g}")
    return cells.astype("str").fillna("")


def _by_text(cells: pd.Series[Any], read: Any, dtype: str) -> Typed:
    """Apply `read` once to every distinct text; None where it cannot be read."""
    values = {text: read(text) if text.strip() else None for text in cells.unique()}
    typed = cells.map(values).astype(dtype)  # type: ignore[call-overload]  # dtype by name
    return typed.fillna("") if dtype == "str" else typed, typed.isna() & ~is_blank(cells)
