"""Texts of cells made numbers, dates, whole numbers, choices and states of absence.

Columns are handled whole. Each function returns the typed column and the mask of cells that
could not be typed; an empty cell is missing and no fault.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from datetime import date, datetime
from typing import Any

import pandas as pd

from pmf_analysis.data.contract import Column
from pmf_analysis.systems.cells import ERROR_CELLS
from pmf_analysis.systems.mapping import spelling

Typed = tuple["pd.Series[Any]", "pd.Series[bool]"]

_THOUSANDS = re.compile(r"\d{1,3}(,\d{3})+(\.\d+)?|\d+(\.\d+)?|\.\d+")
# Day before month, as the United Kingdom writes dates.
_DATE_FORMATS = ("%d/%m/%Y", "%d-%m-%Y", "%d.%m.%Y", "%d/%m/%y", "%d %B %Y", "%d %b %Y", "%d-%b-%y")
_YES_NO = {"yes": True, "y": True, "true": True, "1": True, "no": False, "n": False}
_YES_NO |= {"false": False, "0": False}


def is_blank(cells: pd.Series[Any]) -> pd.Series[bool]:
    """Whether each cell is empty; blanks alone count as empty."""
    if cells.dtype.kind in "iufM":
        return cells.isna()
    return cells.str.strip() == ""


def is_error(cells: pd.Series[Any]) -> pd.Series[bool]:
    """Whether each cell shows a spreadsheet error such as ``#DIV/0!``."""
    if cells.dtype.kind in "iufM":
        return pd.Series(False, index=cells.index)
    return cells.str.strip().str.upper().isin(ERROR_CELLS)


def to_kind(cells: pd.Series[Any], column: Column, synonyms: Mapping[str, str]) -> Typed:
    """Type cells as a column of the contract; `synonyms` are its texts in the source's words."""
    if column.choices:
        return to_choice(cells, column.choices, synonyms)
    if column.kind == "number":
        return to_number(cells)
    if column.kind == "integer":
        numbers, bad = to_number(cells)
        bad |= numbers.notna() & (numbers % 1 != 0)
        return numbers.mask(bad).astype("Int64"), bad
    if column.kind == "date":
        return to_date(cells)
    if column.kind == "yes_no":
        return _by_text(cells, lambda text: _YES_NO.get(text.casefold()), "boolean")
    return _as_text(cells).str.strip(), is_error(cells)


def to_number(cells: pd.Series[Any]) -> Typed:
    """Read numbers as people write them: commas, a pound or per-cent sign, brackets for minus.

    A comma that does not separate thousands ("12,5") is no number.
    """
    if cells.dtype.kind in "iuf":
        numbers = cells.astype("float64")
    else:
        numbers = pd.to_numeric(cells, errors="coerce").astype("float64")
    finite = numbers.abs() != float("inf")
    numbers = numbers.where(finite)
    unread = numbers.isna() & ~is_blank(cells)
    if cells.dtype.kind not in "iufM" and unread.any():
        texts = cells[unread]
        cleaned = {text: _number(text) for text in texts.unique()}
        numbers.loc[unread] = texts.map(cleaned).astype("float64")
    return numbers, unread & numbers.isna()


def _number(text: str) -> float | None:
    cleaned = text.replace("\u00a0", " ").replace("\u2212", "-").strip()
    bracketed = re.fullmatch(r"\((.*)\)", cleaned)
    cleaned = f"-{bracketed[1]}" if bracketed else cleaned
    cleaned = re.sub(r"^(-?)\s*£\s*", r"\1", cleaned)
    cleaned = re.sub(r"\s*%$", "", cleaned)
    sign = -1.0 if cleaned.startswith("-") else 1.0
    digits = cleaned.removeprefix("-").strip()
    return sign * float(digits.replace(",", "")) if _THOUSANDS.fullmatch(digits) else None


def to_date(cells: pd.Series[Any]) -> Typed:
    """Read dates: ISO, or day before month. "04/25/2026" is refused, not turned round."""
    if cells.dtype.kind == "M":
        return cells.astype("datetime64[us]"), pd.Series(False, index=cells.index)
    return _by_text(_as_text(cells), _date, "datetime64[us]")


def _date(text: str) -> date | None:
    text = text.strip()
    if not re.match(r"\d{1,4}[-/. ]", text):  # spares seven attempts on every plain word
        return None
    try:
        return datetime.fromisoformat(text).replace(tzinfo=None)
    except ValueError:
        pass
    for pattern in _DATE_FORMATS:
        try:
            return datetime.strptime(text, pattern)
        except ValueError:
            continue
    return None


def to_choice(
    cells: pd.Series[Any], choices: tuple[str, ...], synonyms: Mapping[str, str]
) -> Typed:
    """Read one of the contract's choices, in its own or the source's words, in any spelling."""
    words = {spelling(choice): choice for choice in choices}
    words |= {spelling(text): choice for text, choice in synonyms.items()}
    return _by_text(_as_text(cells), lambda text: words.get(spelling(text)), "str")


def state_of_text(cells: pd.Series[Any], states: Mapping[str, tuple[str, ...]]) -> pd.Series[str]:
    """Return the state of absence each text stands for, ``""`` where it stands for none."""
    texts = {text: state for state, listed in states.items() for text in map(spelling, listed)}
    starts = {text.removesuffix("..."): state for text, state in texts.items() if "..." in text}

    def state(text: str) -> str:
        found = texts.get(spelling(text), "")
        if found or not text.strip():
            return found
        begun = (name for start, name in starts.items() if spelling(text).startswith(start.strip()))
        return next(begun, "")

    cells = _as_text(cells)
    return cells.map({text: state(text) for text in cells.unique()}).astype("str")


def _as_text(cells: pd.Series[Any]) -> pd.Series[str]:
    if cells.dtype.kind in "iuf":
        numbers = cells.map(lambda number: "" if number != number else f"{number:.15g}")
        return numbers.astype("str")
    return cells.astype("str").fillna("")


def _by_text(cells: pd.Series[Any], read: Any, dtype: str) -> Typed:
    """Apply `read` once to every distinct text; None where it cannot be read."""
    values = {text: read(text) if text.strip() else None for text in cells.unique()}
    typed = cells.map(values).astype(dtype)  # type: ignore[call-overload]  # dtype by name
    bad = typed.isna() & ~is_blank(cells)
    return typed.fillna("") if dtype == "str" else typed, bad
