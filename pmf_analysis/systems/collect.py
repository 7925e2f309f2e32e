"""The workbook in which owners send their figures: made, and checked when it comes back.

A sheet an owner, a row a figure that is due. Each row ends with a seal, a digest of its locked
cells: a row that was changed, moved from elsewhere or never sent is told from one as it was sent.
Its words and columns are in ``collect.yml``; the mapping ``collection`` reads it.
"""

from __future__ import annotations

import hashlib
import io
import re
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import replace
from datetime import date, timedelta
from typing import Any

import pandas as pd

from pmf_analysis.data.store import Store
from pmf_analysis.parameters.models import Indicator
from pmf_analysis.parameters.workspace import Parameters, Workspace
from pmf_analysis.period_spans import MONTHS_A_PERIOD, add_months
from pmf_analysis.periods import Period, parse_period, period_from_start
from pmf_analysis.problems import PmfError, Problem
from pmf_analysis.shipped import read_shipped
from pmf_analysis.systems.blocks import find_blocks
from pmf_analysis.systems.cells import Sheet
from pmf_analysis.systems.folder import RawFile
from pmf_analysis.systems.mapping import MappingFile
from pmf_analysis.systems.results import QUARANTINE_COLUMNS, ImportResult, lines_at

Row = dict[str, Any]

BOOK = read_shipped("systems/collect.yml")
COLUMNS: dict[str, dict[str, Any]] = BOOK["columns"]
_NAMES = {key: about["name"] for key, about in COLUMNS.items()}
_SEALED = [name for key, name in _NAMES.items() if "answer" not in COLUMNS[key]][:-1]
_ANSWERS = [name for key, name in _NAMES.items() if "answer" in COLUMNS[key]]
_OPTIONS = {"in_memory": True, "strings_to_formulas": False, "strings_to_urls": False}
_LONGEST_NAME = 31
_HEADER = 3  # row of the header, counted from 0
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
        Name, period, and rows: the cells of the locked columns as text, ``due_on`` (None where the
        register has no publish_lag_days), ``bounds``, ``is_sent``, and ``newest``, the last day of
        the newest period that has a value.

    Raises
    ------
    PmfError
        Exit 2, when the period does not read, or nothing is due in it.
    """
    parameters = workspace.load()
    year_type = parameters.framework.year_type
    if period:
        chosen = parse_period(period, year_type=year_type)
    else:
        month = add_months(as_at.replace(day=1), -3)
        start = add_months(month, -((month.month - 1) % 3))
        chosen = period_from_start(start, "quarterly", year_type)
    known = Store(workspace.store).as_known_on(as_at, "observations", "targets")
    own = {name: rows[rows["area_code"] == parameters.framework.council.area_code]
           for name, rows in known.items()}  # fmt: skip
    values = own["observations"].query("dimension == ''").sort_values("period_end")
    held = dict(iter(values.groupby("indicator_id")))
    aims = dict(iter(own["targets"].sort_values("set_on").groupby("indicator_id")))
    rows = [
        _row(parameters, indicator, due, held.get(indicator.id), aims.get(indicator.id))
        for indicator in parameters.register.indicators.values()
        for due in _due_periods(indicator, chosen)
    ]
    if not rows:
        raise PmfError(Problem.of("nothing-due", period=chosen.label))
    council = parameters.framework.council.name
    return council, chosen, sorted(rows, key=lambda row: str(row["owner"]).casefold())


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
                yield due
        end = after


def _row(
    parameters: Parameters,
    indicator: Indicator,
    due: Period,
    held: pd.DataFrame | None,
    aims: pd.DataFrame | None,
) -> Row:
    """Return the row of one figure: the texts of its locked cells, and what these rest on."""
    director = {each.id: each.role for each in parameters.framework.directors}
    lag = indicator.publish_lag_days
    due_on = None if lag is None else due.end + timedelta(days=lag)
    last, is_sent, newest = ["", "", ""], False, ""
    if held is not None:
        known = held[held["value"].notna()].tail(3)
        labels = [f" ({name})" if name else "" for name in known["period_label"]]
        shown = [f"{value:,.{indicator.decimals}f}" for value in known["value"]]
        last = (last + [a + b for a, b in zip(shown, labels, strict=True)])[-3:]
        newest = str(known["period_end"].max().date()) if len(known) else ""
        same = held[held["period_end"] == pd.Timestamp(due.end)]
        is_sent = bool((same["value_status"] != "missing").any())
    span = {"span": indicator.period_span}
    cells_of = {
        "indicator": indicator.id,
        "title": indicator.title,
        "unit": indicator.unit,
        "counts": BOOK["accumulation"][indicator.accumulation].format(**span),
        "period": due.label,
        **dict(zip(("third", "second", "last"), last, strict=True)),
        "target": _target_words(indicator, due, aims),
        "due": BOOK["no_due"] if due_on is None else due_on.isoformat(),
        "owner": indicator.owner or director.get(indicator.director) or BOOK["no_owner"],
    }
    bounds = (indicator.minimum, indicator.maximum)
    told = {name: " ".join(str(text).split()) for name, text in cells_of.items()}
    told["seal"] = _seal([told[name] for name in told])
    return {**told, "due_on": due_on, "bounds": bounds, "is_sent": is_sent, "newest": newest}


def _target_words(indicator: Indicator, due: Period, aims: pd.DataFrame | None) -> str:
    """Return the target in force in a period, the last that was set; "" where there is none."""
    if aims is None:
        return ""
    start, end = pd.Timestamp(due.start), pd.Timestamp(due.end)
    live = aims[~aims["target_id"].isin(aims["supersedes"])]
    live = live[(live["period_start"] <= start) & (live["period_end"] >= end)]
    for aim in live.tail(1).to_dict("records"):
        ends = (
            [aim["target"]] if pd.notna(aim["target"]) else [aim["target_low"], aim["target_high"]]
        )
        return " to ".join(f"{end:,.{indicator.decimals}f}" for end in ends if pd.notna(end))
    return ""


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
        plain, number = plain or BOOK["no_owner"], 1
        name = plain[:_LONGEST_NAME].strip("' ")
        while name.casefold() in used:
            number += 1
            end = f" {number}"
            name = plain[: _LONGEST_NAME - len(end)].strip("' ") + end
        used.add(name.casefold())
        names[owner] = name
    return names


def make_book(council: str, period: Period, rows: Sequence[Row]) -> bytes:
    """Return the workbook: how to fill it in, then a protected sheet for each owner."""
    import xlsxwriter  # type: ignore[import-untyped]  # it has no types

    written, facts = io.BytesIO(), {"council": council, "period": period.long_label}
    owners = list(dict.fromkeys(row["owner"] for row in rows))
    with xlsxwriter.Workbook(written, _OPTIONS) as book:
        title = BOOK["title"].format(**facts)
        made = period.end + _DAY  # the same rows give the same bytes
        about = {"title": title, "author": council, "company": council, "subject": BOOK["sheet"]}
        book.set_properties(about | {"created": pd.Timestamp(made).to_pydatetime()})
        formats = {name: book.add_format(given) for name, given in BOOK["formats"].items()}
        guide = book.add_worksheet(BOOK["sheet"])
        guide.set_column(0, 0, 110, formats["plain"])
        guide.write_string(0, 0, title, formats["heading"])
        told = [f"{each['name']}: {each['help']}" for each in COLUMNS.values() if "help" in each]
        guide.write_column(1, 0, [*BOOK["lines"], *told])
        for owner, name in sheet_names(owners).items():
            mine = [row for row in rows if row["owner"] == owner]
            heading = BOOK["row_title"].format(owner=owner, period=period.long_label)
            _write_sheet(book.add_worksheet(name), heading, mine, formats)
    return written.getvalue()


def _write_sheet(sheet: Any, heading: str, rows: Sequence[Row], formats: Mapping[str, Any]) -> None:
    """Write the rows of one owner under their header, lock what is given and open what is asked."""
    sheet.write_string(0, 0, heading, formats["heading"])
    sheet.write_string(1, 0, BOOK["row_help"])
    end = _HEADER + len(rows)
    header = [{"header": name, "header_format": formats["head"]} for name in _NAMES.values()]
    table = {"columns": header, "autofilter": False, "style": None}
    sheet.add_table(_HEADER, 0, end, len(COLUMNS) - 1, table)
    for place, (key, about) in enumerate(COLUMNS.items()):
        kind = about.get("answer", "locked")
        given = formats.get(kind, formats["answer"])
        sheet.set_column(place, place, about["width"])
        for number, row in enumerate(rows, start=_HEADER + 1):
            if kind == "locked":
                sheet.write_string(number, place, row[key], given)
            else:
                sheet.write_blank(number, place, None, given)
            if rule := _validation(kind, row["bounds"] if key == "value" else (0, None)):
                sheet.data_validation(number, place, number, place, rule)
    sheet.freeze_panes(_HEADER + 1, 2)
    sheet.set_landscape()
    sheet.fit_to_pages(1, 0)
    sheet.repeat_rows(_HEADER)
    sheet.protect("", {"format_columns": True, "format_rows": True})


def _validation(kind: str, bounds: tuple[float | None, float | None]) -> dict[str, Any]:
    """Return what Excel lets into a cell; nothing where any text may go in."""
    if kind == "choice":
        return {"validate": "list", "source": BOOK["choices"]}
    if kind == "date":
        return {"validate": "date", "criteria": ">", "value": date(2000, 1, 1)}
    if kind not in ("number", "count"):
        return {}
    low, high = bounds
    which = "both" if None not in bounds else "low" if low is not None else "high"
    which = "none" if low is None and high is None else which
    said = BOOK["refused"].format(bounds=BOOK["bounds"][which].format(low, high))
    far = 1e15
    limits = {"minimum": -far if low is None else low, "maximum": far if high is None else high}
    return {"validate": "decimal", "criteria": "between", **limits, "error_message": said}


def check_returned(raw: RawFile, mapping: MappingFile, result: ImportResult) -> RawFile:
    """Return a file without the rows that are not filled in, or not as they were sent.

    The first are ignored; the others are held back, and `result` accounts for both.
    """
    return replace(raw, sheets=tuple(_checked(each, mapping, result) for each in raw.sheets))


def _checked(sheet: Sheet, mapping: MappingFile, result: ImportResult) -> Sheet:
    is_ours = re.search(mapping.match.sheets, sheet.name, re.IGNORECASE)
    for block in find_blocks(sheet, mapping, Counter()) if is_ours else ():
        at = {name: block.position(name) for name in (*_SEALED, *_ANSWERS, _NAMES["seal"])}
        if missing := [name for name, place in at.items() if place is None]:
            result.problems.tell("collection-column-missing", file=result.name, sheet=sheet.name,
                                 row=block.header_row, names=", ".join(missing))  # fmt: skip
            return sheet
        rows = block.rows
        filled = (rows[[at[name] for name in _ANSWERS]] != "").any(axis=1)
        seals = [_seal(texts) for texts in rows[[at[name] for name in _SEALED]].to_numpy()]
        changed = filled & (rows[at[_NAMES["seal"]]] != pd.Series(seals, rows.index))
        result.ignored[BOOK["unfilled"]] += int((~filled).sum())
        held = rows[changed]
        places = held.assign(file=result.name, sheet=sheet.name, row=held.index, value="")
        places["indicator"] = held[at[_NAMES["indicator"]]]
        places["cells"] = ["; ".join(filter(None, texts)) for texts in held.to_numpy()]
        given = dict.fromkeys(("table", "column", "area_code"), "") | {"table": mapping.table}
        lines = lines_at(places.assign(**given), "collection-row-changed")
        result.hold(lines[QUARANTINE_COLUMNS], len(held))
        out = rows.index[~filled | changed]
        result.read += len(out)
        return replace(sheet, cells=sheet.cells.drop(index=out))
    return sheet


def standing(period: Period, rows: Sequence[Row], as_at: date) -> tuple[list[Row], list[str]]:
    """Say of each owner what was sent of what was asked, and by how many days the rest is late."""
    told, found, lines = BOOK["told"], [], []
    for owner in dict.fromkeys(row["owner"] for row in rows):
        mine = [row for row in rows if row["owner"] == owner]
        open_ = [row for row in mine if not row["is_sent"]]
        newest = max(row["newest"] for row in mine) or "none"
        facts = {"owner": owner, "asked": len(mine), "missing": len(open_), "newest": newest}
        facts |= {"sent": len(mine) - len(open_), "share": len(open_) / len(mine)}
        lines.append(told["owner"].format(**facts))
        facts["late"] = []
        for row in open_:
            days = (as_at - row["due_on"]).days if row["due_on"] else 0
            lines.append(told["late" if days > 0 else "waiting"].format(**row, days=days))
            facts["late"].append({name: row[name] for name in ("indicator", "period", "due")}
                                 | {"days_late": max(days, 0)})  # fmt: skip
        found.append(facts)
    silent = sum(not e["sent"] and any(x["days_late"] for x in e["late"]) for e in found)
    counts = {"sent": sum(e["sent"] for e in found), "asked": len(rows), "owners": len(found)}
    lines.append(told["total"].format(**counts, silent=silent, period=period.label))
    return found, lines
