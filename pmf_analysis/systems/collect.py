"""The workbook in which owners send their figures: made, and checked when it comes back.

A sheet an owner, a row a figure that is due. Each row ends with a seal, a digest of its locked
cells: a row that was changed, moved from elsewhere or never sent is told from one as it was sent.
Its words and columns are in ``collect.yml``; the mapping ``collection`` reads it.
"""

import hashlib
import io
import re
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import replace
from datetime import date, datetime, timedelta
from itertools import groupby
from typing import Any

import pandas as pd

from pmf_analysis.data.store import Store
from pmf_analysis.parameters.models import Indicator
from pmf_analysis.parameters.workspace import Workspace
from pmf_analysis.period_spans import MONTHS_A_PERIOD, add_months, months_of_span
from pmf_analysis.periods import Period, parse_period, period_from_start
from pmf_analysis.problems import PmfError, Problem
from pmf_analysis.shipped import read_shipped
from pmf_analysis.systems.blocks import find_blocks
from pmf_analysis.systems.cells import Sheet
from pmf_analysis.systems.folder import RawFile
from pmf_analysis.systems.mapping import MappingFile
from pmf_analysis.systems.results import QUARANTINE_COLUMNS, ImportResult, lines_at
from pmf_analysis.systems.rules import Context

Row = dict[str, Any]
Frame = pd.DataFrame
BOOK = read_shipped("systems/collect.yml")
COLUMNS: dict[str, dict[str, Any]] = BOOK["columns"]
_NAMES: dict[str, str] = {key: about["name"] for key, about in COLUMNS.items()}
_SEALED, _ANSWERS = (
    [about["name"] for about in COLUMNS.values() if kind in about] for kind in ("from", "answer")
)
_OPTIONS = {"in_memory": True, "strings_to_formulas": False, "strings_to_urls": False}
_LONGEST_NAME = 31
_HEADER = 3  # row of the header, counted from 0
_FAR = 1e15  # a bound where there is none
_DAY = timedelta(days=1)


def asked(workspace: Workspace, period: str, as_at: date) -> tuple[str, Period, list[Row]]:
    """Return the council's name, the period, and a row a figure of it that is due.

    Parameters
    ----------
    period
        Such as ``2026-27 Q3``; "" is the quarter that ended last before `as_at`. An indicator is
        asked for each of its own periods that ends within it.
    as_at
        The values and targets shown are those known on this day.

    Returns
    -------
    tuple
        Name, period, and rows by owner: the cells of the locked columns as text, ``due_on`` (None
        where the register has no publish_lag_days), ``limits`` of the value, and in words as
        ``bounds``, ``is_sent``, and ``newest``, the last day of the newest period that has a value.

    Raises
    ------
    PmfError
        Exit 2, when the period does not read, or nothing is due in it.
    """
    parameters = workspace.load()
    framework, year_type = parameters.framework, parameters.framework.year_type
    last_quarter = (pd.Period(as_at, "Q") - 1).start_time.date()
    chosen = period_from_start(last_quarter, "quarterly", year_type)
    chosen = parse_period(period, year_type=year_type) if period else chosen
    known = Store(workspace.store).as_known_on(as_at, "observations", "targets").values()
    values, aims = (rows[rows["area_code"] == framework.council.area_code] for rows in known)
    values = values[values["dimension"] == ""].sort_values("period_end", kind="stable")
    aims = aims[~aims["target_id"].isin(aims["supersedes"])].sort_values("set_on")
    roles = {director.id: director.role for director in framework.directors}
    bounds = Context.of(parameters, as_at).facts["bounds"]
    rows = []
    for name, each in parameters.register.indicators.items():
        held, set_for = (table[table["indicator_id"] == name] for table in (values, aims))
        owner = each.owner or roles.get(each.director, BOOK["no_owner"])
        more = {"owner": owner, "bounds": bounds[name]}
        rows += [_row(each, due, held, set_for, more) for due in _due_periods(each, chosen)]
    if not rows:
        raise PmfError(Problem.of("nothing-due", period=chosen.label))
    return framework.council.name, chosen, sorted(rows, key=_owner)


def _owner(row: Row) -> tuple[str, str]:
    return row["owner"].casefold(), row["owner"]


def _due_periods(indicator: Indicator, asked_for: Period) -> Iterator[Period]:
    """Yield the periods of an indicator that end within a period and in which it is valid."""
    months = min(MONTHS_A_PERIOD.get(indicator.frequency, 0), 12)
    first, last = indicator.valid_from or date.min, indicator.valid_to or date.max
    frequency = "annual" if indicator.frequency == "biennial" else indicator.frequency
    end = asked_for.start
    while indicator.is_chartable and end <= asked_for.end:
        after = end + _DAY
        start = add_months(after, -months) if months else after - 7 * _DAY
        if after.day == 1 if months else end.weekday() == 6:
            due = period_from_start(start, frequency, indicator.year_type)
            if due.kind != "rolling" and first <= due.end and due.start <= last:
                if span := indicator.period_span:  # the window that ends with the period
                    start = add_months(due.end + _DAY, -months_of_span(span))
                    due = period_from_start(start, frequency, indicator.year_type, span)
                yield due
        end = after


def _row(i: Indicator, due: Period, held: Frame, aims: Frame, more: Row) -> Row:
    """Return the row of one figure: the texts of its locked cells, and what these rest on."""
    number, start, end = f",.{i.decimals}f", pd.Timestamp(due.start), pd.Timestamp(due.end)
    valued = held[held["value"].notna()]
    newest: Any = valued.tail(3)[["value", "period_label", "period_end"]].to_numpy()
    last = [f"{value:{number}} ({label or day.date()})" for value, label, day in newest]
    in_force = aims[(aims["period_start"] <= start) & (aims["period_end"] >= end)].tail(1)
    aim = in_force[["target", "target_low", "target_high"]].to_numpy(float).ravel()
    lag = i.publish_lag_days
    due_on = None if lag is None else due.end + timedelta(days=lag)
    facts = {"i": i, "due": due, "due_on": due_on or BOOK["no_due"], **more}
    facts |= {"last": [*[""] * 3, *last][-3:], "counts": BOOK["accumulation"][i.accumulation]}
    facts["target"] = " to ".join(f"{bound:{number}}" for bound in aim if bound == bound)
    texts = {key: about["from"] for key, about in COLUMNS.items() if "from" in about}
    row: Row = {key: " ".join(text.format(**facts).split()) for key, text in texts.items()}
    said = held[held["period_end"] == end][["value_status", "value_note"]].tail(1)
    waits = said[said["value_status"].isin(BOOK["not_sent"])].replace(
        {"value_status": {"_": " ", "^missing$": ""}}, regex=True
    )
    row |= {"seal": _seal(row.values()), "is_sent": len(said) > len(waits), "due_on": due_on}
    row["why"] = "".join("; ".join(filter(None, told)) for told in waits.to_numpy())
    low, high = -_FAR if i.minimum is None else i.minimum, _FAR if i.maximum is None else i.maximum
    row |= {"limits": {"minimum": low, "maximum": high}, "bounds": more["bounds"]}
    return row | {"newest": "".join(str(day.date()) for *_, day in newest[-1:])}


def _seal(texts: Iterable[str]) -> str:
    return "pmf-" + hashlib.sha256("\n".join(texts).encode()).hexdigest()[:10]


def sheet_names(owners: Iterable[str]) -> dict[str, str]:
    r"""Return a name for the sheet of each owner that Excel allows and no other sheet has.

    Excel allows 31 characters, none of ``[]:*?/\``, no apostrophe at either end, and not the word
    History; capitals do not count as a difference.

    >>> sheet_names(["Parks/Roads", "parks roads"])
    {'Parks/Roads': 'Parks Roads', 'parks roads': 'parks roads 2'}
    """
    used, names = {BOOK["sheet"].casefold(), "history"}, {}
    for owner in owners:
        plain = " ".join(re.sub(r"[\[\]:*?/\\\x00-\x1f]", " ", owner).split()).strip("' ")
        name, number = plain[:_LONGEST_NAME].strip("' ") or BOOK["no_owner"], 1
        while name.casefold() in used:
            number += 1
            name = plain[: _LONGEST_NAME - 4].strip("' ") + f" {number}"
        used.add(name.casefold())
        names[owner] = name
    return names


def make_book(council: str, period: Period, rows: Sequence[Row]) -> bytes:
    """Return the workbook: how to fill it in, then a protected sheet for each owner."""
    import xlsxwriter  # type: ignore[import-untyped]  # it has no types

    written, title = io.BytesIO(), BOOK["title"].format(council=council, period=period.long_label)
    names = sheet_names(dict.fromkeys(row["owner"] for row in rows))
    with xlsxwriter.Workbook(written, _OPTIONS) as book:
        made = datetime.combine(period.end, datetime.min.time())  # the same rows, the same bytes
        book.set_properties({"title": title, "author": council, "created": made})
        formats = {name: book.add_format(given) for name, given in BOOK["formats"].items()}
        guide = book.add_worksheet(BOOK["sheet"])
        guide.set_column(0, 0, 110, formats["plain"])
        guide.write_string(0, 0, title, formats["heading"])
        told = [f"{each['name']}: {each['help']}" for each in COLUMNS.values() if "help" in each]
        guide.write_column(1, 0, [*BOOK["lines"], *told])
        for owner, name in names.items():
            sheet, mine = book.add_worksheet(name), [row for row in rows if row["owner"] == owner]
            heading = BOOK["row_title"].format(owner=owner, period=period.long_label)
            sheet.write_string(0, 0, heading, formats["heading"])
            sheet.write_string(1, 0, BOOK["row_help"])
            _write_rows(sheet, mine, formats)
    return written.getvalue()


def _write_rows(sheet: Any, rows: Sequence[Row], formats: Mapping[str, Any]) -> None:
    """Write the rows of one owner under their header, lock what is given and open what is asked."""
    header = [{"header": name, "header_format": formats["head"]} for name in _NAMES.values()]
    table = {"columns": header, "autofilter": False, "style": None}
    sheet.add_table(_HEADER, 0, _HEADER + len(rows), len(COLUMNS) - 1, table)
    for place, (key, about) in enumerate(COLUMNS.items()):
        sheet.set_column(place, place, about["width"])
        kind = about.get("answer", "locked")
        for number, row in enumerate(rows, start=_HEADER + 1):
            if rule := BOOK["let_in"].get(kind):
                if kind == "value":
                    rule = rule | row["limits"] | {"error_message": BOOK["refused"].format(**row)}
                sheet.data_validation(number, place, number, place, rule)
            sheet.write(number, place, row.get(key), formats.get(kind, formats["answer"]))
    for setting, given in BOOK["settings"].items():
        getattr(sheet, setting)(*given)


def check_returned(raw: RawFile, mapping: MappingFile, result: ImportResult) -> RawFile:
    """Return a file without the rows that are not filled in, or not as they were sent.

    The first are ignored; the others are held back, and `result` accounts for both.
    """
    return replace(raw, sheets=tuple(_checked(each, mapping, result) for each in raw.sheets))


def _checked(sheet: Sheet, mapping: MappingFile, result: ImportResult) -> Sheet:
    block = next(find_blocks(sheet, mapping, Counter()), None)
    if block is None or not re.search(mapping.match.sheets, sheet.name, re.IGNORECASE):
        return sheet
    at = {name: block.position(name) for name in _NAMES.values()}
    place: Any = {"file": result.name, "sheet": sheet.name, "table": mapping.table}
    if missing := ", ".join(name for name, position in at.items() if position is None):
        place["row"] = block.header_row
        result.problems.tell("collection-column-missing", **place, names=missing)
        return sheet
    rows = block.rows.rename(columns={position: name for name, position in at.items()})
    filled = (rows[_ANSWERS] != "").any(axis=1)
    changed = filled & (rows[_NAMES["seal"]] != [_seal(row) for row in rows[_SEALED].to_numpy()])
    held = rows[changed]
    kept = ["; ".join(filter(None, texts)) for texts in held.to_numpy()]
    lines = pd.DataFrame(place, held.index).assign(row=held.index, cells=kept)
    lines["indicator"] = held[_NAMES["indicator"]]
    lines = lines.reindex(columns=QUARANTINE_COLUMNS, fill_value="")
    result.hold(lines_at(lines, "collection-row-changed"), len(held))
    result.ignored[BOOK["unfilled"]] += int((~filled).sum())
    out = rows.index[~filled | changed]
    result.read += len(out)
    return replace(sheet, cells=sheet.cells.drop(index=out))


def standing(period: Period, rows: Sequence[Row], as_at: date) -> tuple[list[Row], list[str]]:
    """Say of each owner what was sent of what was asked, and by how many days the rest is late."""
    found, lines, told = [], [], BOOK["told"]
    for (_, owner), group in groupby(rows, key=_owner):
        mine, waiting = list(group), []
        for row in (row for row in mine if not row["is_sent"]):
            days_late = max((as_at - (row["due_on"] or as_at)).days, 0)
            shown = {name: row[name] for name in ("indicator", "period", "due", "why")}
            waiting.append(shown | {"days_late": days_late})
        facts: Row = {"owner": owner, "asked": len(mine), "missing": len(waiting)}
        facts |= {"sent": len(mine) - len(waiting), "share": len(waiting) / len(mine)}
        newest = max(row["newest"] for row in mine) or "none"
        found.append(facts | {"newest": newest, "waiting": waiting})
        lines.append(told["owner"].format(**found[-1]))
        for row in waiting:
            undated = "undated" if row["due"] == BOOK["no_due"] else "waiting"
            line = told["late" if row["days_late"] else undated].format(**row)
            lines.append(line + (told["why"].format(**row) if row["why"] else ""))
    silent = [f for f in found if not f["sent"] and any(r["days_late"] for r in f["waiting"])]
    counts = {"sent": sum(row["is_sent"] for row in rows), "asked": len(rows)}
    counts |= {"owners": len(found), "silent": len(silent)}
    lines.append(told["total"].format(**counts, period=period.label))
    return found, [*lines, *([told["silent"].format(**counts)] if silent else [])]
