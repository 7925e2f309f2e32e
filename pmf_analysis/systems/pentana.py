"""Figures and targets back into Pentana: a workbook of the four sheets that its import takes.

What does not fit Pentana's limits is never cut: it is left out of its sheet and listed, with the
reason, on a fifth that the import passes over.
"""

from __future__ import annotations

import io
import re
from collections.abc import Mapping
from datetime import datetime
from typing import Any

import pandas as pd

from pmf_analysis.data.contract import USABLE_STATUSES
from pmf_analysis.data.store import neutral_cell
from pmf_analysis.period_spans import MONTHS_A_PERIOD, YEAR_STARTS, add_months
from pmf_analysis.periods import period_from_start
from pmf_analysis.shipped import read_shipped

_SET = read_shipped("systems/pentana.yml")
_SHEETS: dict[str, Any] = _SET["sheets"]
_WHY: dict[str, Any] = _SET["not_written"]
_OPTIONS = {"in_memory": True, "strings_to_formulas": False, "strings_to_urls": False}
_DAY = pd.Timedelta(days=1)
Columns = Mapping[str, dict[str, Any]]


def write_back(register: pd.DataFrame, observations: pd.DataFrame, targets: pd.DataFrame) -> bytes:
    """Return a workbook for Pentana's import of performance indicators.

    Parameters
    ----------
    register
        `Register.frame()`, or some of its rows: the indicators to be written.
    observations, targets
        Rows of the contract's tables of one council. Targets that another supersedes are left out.

    Returns
    -------
    bytes
        XLSX: Local PI, PI Data Collection Settings, PI Annual Target and PI Value, in the order of
        the import, then Codes (the code of each indicator that is written) and Not written. A
        cell that a spreadsheet would take for a formula begins with an apostrophe.
    """
    import xlsxwriter  # type: ignore[import-untyped]  # it has no types

    rows = _rows(register, observations, targets)
    sheets: dict[str, pd.DataFrame] = {}
    refused, codes = [], None
    for kind, told in rows.items():
        # An indicator is in all of its sheets, or in none, and so is all that hangs on it.
        names = [name for name, spec in _SHEETS.items() if spec["rows"] == kind]
        columns = {key: each for name in names for key, each in _SHEETS[name]["columns"].items()}
        cells = _cells(told, columns)
        faults = _faults(cells, told, columns, codes).assign(Sheet=names[0])
        fits = faults["Reason"] == ""
        refused.append(faults[~fits])
        sheets |= {name: cells.loc[fits, [*_SHEETS[name]["columns"]]] for name in names}
        codes = cells.loc[fits, "Code"] if codes is None else codes
    sheets = {name: sheets[name] for name in _SHEETS}
    sheets[_WHY["sheet"]] = pd.concat(refused)[_WHY["columns"]]
    written = io.BytesIO()
    with xlsxwriter.Workbook(written, _OPTIONS) as book:
        # The same figures give the same bytes: the file does not say when it was made.
        book.set_properties({"created": datetime(1980, 1, 1)})
        for name, cells in sheets.items():
            sheet = book.add_worksheet(name)
            for number, row in enumerate([[*cells], *cells.to_numpy().tolist()]):
                sheet.write_row(number, 0, row)
    return written.getvalue()


def _rows(
    register: pd.DataFrame, observations: pd.DataFrame, targets: pd.DataFrame
) -> dict[str, pd.DataFrame]:
    """Return what each sheet is made of; `why` says of a row that it is none of Pentana's."""
    register = register.assign(code=[*map(_code, register["indicator"], register["aliases"])])
    is_plain = register["unit"].isin(_SET["plain_pounds"])
    large = (register["data_type"] == "money") & ~is_plain
    unit = ("Unit: " + register["unit"] + ".").where(~is_plain & (register["unit"] != "%"), "")
    register["told"] = (register["definition"].fillna("") + " " + unit).str.strip()
    register["type"] = register["data_type"].mask(large, "count")
    declared = register.set_index("indicator")[["code", "frequency", "year_type", "accumulation"]]
    values, aims = (
        table.drop(columns="frequency", errors="ignore")
        .rename(columns={"indicator_id": "indicator"})
        .join(declared, "indicator")
        .assign(code=lambda rows: rows["code"].fillna(rows["indicator"]))
        for table in (observations, targets[~targets["target_id"].isin(targets["supersedes"])])
    )
    first = values.groupby("indicator")["period_start"].min().reindex(register["indicator"])
    begun = register["valid_from"].fillna(first.set_axis(register.index))
    start = begun.dt.strftime("%d/%m/%y").fillna("")
    of_part = values["dimension"].map(lambda name: _WHY["breakdown"] if name else "")
    absent = ~values["value_status"].isin(USABLE_STATUSES) | values["value"].isna()
    return {
        "indicators": register.assign(start=start, audited="", why="", period="", shown=None),
        "targets": _of_years(aims),
        "values": values.assign(
            period=_labels(values),
            why=of_part.mask(absent, _WHY["no_value"]),
            shown=values["value"],
        ),
    }


def _of_years(aims: pd.DataFrame) -> pd.DataFrame:
    """Say which target is the one of a PI and year: as in the reports, the one that was set last.

    Of a running total the target at the end of the year is the year's too.
    """
    over = aims["period_end"] + _DAY
    is_year = over == aims["period_start"] + pd.DateOffset(years=1)
    is_last = over.dt.month == aims["year_type"].map(YEAR_STARTS)
    fits = is_year | (is_last & (aims["accumulation"] == "ytd"))
    aims = aims.assign(
        period=_labels(aims.assign(frequency=aims["frequency"].mask(fits, "annual")))
    )
    aims["why"] = fits.map({True: "", False: _WHY["not_a_year"]})
    order = {"base": aims["kind"] == "baseline", "part": ~is_year}
    some = aims.assign(**order)[fits & aims["target"].notna()]
    some = some.sort_values(
        ["base", "set_on", "part"], ascending=[True, False, True], kind="stable"
    )
    others = some[some.duplicated(["code", "period"])]
    aims.loc[others.index, "why"] = [_WHY["other"].format(kind=kind) for kind in others["kind"]]
    return aims.assign(shown=aims["target"])


def _labels(rows: pd.DataFrame) -> list[str]:
    """Name the last base period of each row in Pentana's form; "" where it has no such period."""
    named = zip(rows["period_end"], rows["frequency"], rows["year_type"], strict=True)
    return [_label(end, frequency, year_type) for end, frequency, year_type in named]


def _label(end: pd.Timestamp, frequency: str, year_type: Any) -> str:
    if frequency not in MONTHS_A_PERIOD or pd.isna(year_type):
        return ""
    start = add_months((end + _DAY).date(), -MONTHS_A_PERIOD[frequency])
    label = period_from_start(start, frequency, year_type, "").label
    for form, pentanas in _SET["periods"].items():
        label = re.sub(form, pentanas, label)
    return label


def _cells(rows: pd.DataFrame, columns: Columns) -> pd.DataFrame:
    """Return the columns of a sheet in Pentana's words; "" where a cell is empty."""
    made = {}
    for name, spec in columns.items():
        column = rows[spec["from"]].astype("object")
        column = column.map(spec["words"]) if "words" in spec else column
        column = column.where(column.notna() & (column != ""), spec.get("otherwise", ""))
        # A text that begins like a formula is none here, nor after the next copy.
        made[name] = column.map(lambda cell: neutral_cell(cell) if isinstance(cell, str) else cell)
    return pd.DataFrame(made, index=rows.index)


def _faults(
    cells: pd.DataFrame, rows: pd.DataFrame, columns: Columns, codes: pd.Series[Any] | None
) -> pd.DataFrame:
    """Return what keeps each row out of its sheets: the first fault, or "" in Reason.

    `codes` are those of the indicators that are written; None while those are looked at.
    """
    code = cells["Code"].astype("str")
    named = {"PI": code, "Year or period": rows["period"], "Value": rows["shown"]}
    told = pd.DataFrame(named | {"Reason": rows["why"]}).astype("object")
    told["Value"] = told["Value"].where(told["Value"].notna(), "")

    def tell(mask: pd.Series[bool], column: str, why: str) -> None:
        new = mask & (told["Reason"] == "")
        told.loc[new, "Reason"] = f"{column}: {why}"
        value = rows[columns[column]["from"]].astype("str").fillna("").map(neutral_cell)
        told.loc[new & rows["shown"].isna(), "Value"] = value

    for name, spec in columns.items():
        written = cells[name].astype("str")
        if "most" in spec:
            tell(written.str.len() > spec["most"], name, _WHY["most"].format(**spec))
        if spec.get("required"):
            tell(written == "", name, _WHY["no_word" if "words" in spec else "required"])
    if codes is None:
        tell(code.str.casefold().duplicated(keep=False), "Code", _WHY["twice"])
    else:
        tell(~code.isin(codes), "Code", _WHY["without_pi"])
    return told


def _code(indicator: str, aliases: str) -> str:
    """Return the code of an indicator: its id or, where no code is like that, its only alias.

    The ids of a drafted register are made from titles, in small letters; the code under which a
    figure came in is an alias then.
    """
    most = _SHEETS["Local PI"]["columns"]["Code"]["most"]
    like = re.compile(_SET["code"])
    codes = [name for name in aliases.split("; ") if like.fullmatch(name)]
    is_code = len(indicator) <= most and indicator != indicator.lower()
    return codes[0] if not is_code and len(codes) == 1 else indicator
