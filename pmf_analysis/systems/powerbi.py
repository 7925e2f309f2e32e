"""For Power BI: a star of tables, the look of our charts, and a project that reads the tables.

What tables, columns and measures there are, and the layouts of all files, is data, in the folder
``power_bi``. Each table is one Parquet file in a folder of its own, with a log beside it that
makes the folder a Delta table too, so whoever reads Delta needs no second copy.
"""

from __future__ import annotations

import io
import json
import re
from collections.abc import Mapping
from datetime import date
from functools import cache
from typing import Any
from uuid import NAMESPACE_URL, uuid5

import pandas as pd
import pyarrow as pa
from ruamel.yaml import YAML

from pmf_analysis.data.contract import Column, cast, split_series
from pmf_analysis.data.schema import typed_csv
from pmf_analysis.period_spans import period_from_start
from pmf_analysis.problems import Problems
from pmf_analysis.shipped import read_shipped

STAR = read_shipped("systems/power_bi/star.yml")
TABLES = {
    name: tuple(Column(column, rules[1], rules[2]) for column, rules in told["columns"].items())
    for name, told in STAR["tables"].items()
}
ARROW = {kind: getattr(pa, name)() for kind, name in STAR["arrow_types"].items()}
RESULTS = ("points", "trends", "targets", "comparisons", "forecasts")
DATA = "data/"
_EXAMPLES = 3  # of values that lead nowhere


def star(
    frames: Mapping[str, pd.DataFrame], own_area: str, words: Mapping[str, str] | None = None
) -> dict[str, pa.Table]:
    """Return the tables of the model from what is known and the result tables of a run.

    Parameters
    ----------
    frames
        ``register``, ``themes`` (indicator, theme), ``panel`` (observations as reports use them),
        ``aims`` (the contract's targets), and the result tables ``RESULTS``.
    own_area
        Code of the council that reports.
    words
        What the reports call a verdict, by its code; one that is not there is told by its code.

    Returns
    -------
    dict of str to pyarrow.Table
        By the names of ``star.yml``, with exactly its columns and types; a missing number or date
        is null, missing text empty.
    """
    register = frames["register"].set_index("indicator", drop=False)
    found = {name: _keyed(frame, register) for name, frame in frames.items() if "series" in frame}
    found |= {"register": frames["register"], "themes": frames["themes"]}
    for name, frame in found.items():
        if "verdict" in frame:
            told = [(words or {}).get(code, code) for code in frame["verdict"]]
            found[name] = frame.assign(verdict_words=told)
    found["targets"] = _counted(found["targets"], register)
    points = found["points"].dropna(subset=["value"])
    improvement = points["indicator_id"].map(register["polarity"]).map(STAR["directions"])
    titles = points["indicator_id"].map(register["title"])
    # A running total is on its way to a year's target, which is none for each of its quarters.
    is_running = points["indicator_id"].map(register["accumulation"]) == "ytd"
    keys = ["indicator_id", "period_end"]
    is_due = pd.MultiIndex.from_frame(points[keys]).isin(frames["aims"].set_index(keys).index)
    shown = {"title": titles, "target": points["target"].where(~is_running | is_due)}
    found["dots"] = points.assign(**shown, improvement=improvement.fillna("neutral"))
    found["areas"] = _areas(found, own_area)
    ends = pd.concat([frame["period_end"] for frame in found.values() if "period_end" in frame])
    found["dates"] = _dates(ends)
    return {name: _typed(found[told["source"]], name) for name, told in STAR["tables"].items()}


def _counted(targets: pd.DataFrame, register: pd.DataFrame) -> pd.DataFrame:
    """Say which targets the reports count; the rule is that of ``measures.target_tables``."""
    out = targets["probability"].isna() | targets["is_reference"].astype("bool")
    out |= targets["verdict"] == "no_verdict"
    # Nobody answers for measures of the whole area.
    out |= targets["indicator_id"].map(register["control"]) == "city"
    return targets.assign(is_counted=~out)


def _keyed(frame: pd.DataFrame, register: pd.DataFrame) -> pd.DataFrame:
    """Add the parts of the series, and the last day of the period where there is none."""
    # An indicator without any figure has its name for a series.
    bare = ~frame["series"].str.contains("|", regex=False)
    parts = split_series(frame["series"].mask(bare, frame["series"] + "||||v1"))
    frame = frame.join(parts.drop(columns=[name for name in parts if name in frame]))
    if "period_end" in frame:
        return frame
    how = register.reindex(frame["indicator_id"])[["frequency", "year_type"]].to_numpy()
    ends = [_end(day, *each) for day, each in zip(frame["period"], how, strict=True)]
    return frame.assign(period_end=pd.to_datetime(pd.Series(ends, frame.index)))


@cache
def _end(start: pd.Timestamp, frequency: str, year_type: Any) -> date | None:
    return None if pd.isna(start) else period_from_start(start, frequency, year_type).end


def _areas(found: Mapping[str, pd.DataFrame], own_area: str) -> pd.DataFrame:
    """Return a row an area with the newest of its names; one without a name has its code."""
    areas = found["panel"][["area_code", "area_name"]].drop_duplicates("area_code", keep="last")
    codes = {code for frame in found.values() for code in frame.get("area_code", ())} - {""}
    rows = areas.set_index("area_code").reindex(sorted(codes)).reset_index()
    names = rows["area_name"].mask(rows["area_name"] == "").fillna(rows["area_code"])
    return rows.assign(area_name=names, is_own=rows["area_code"] == own_area)


def _dates(ends: pd.Series[Any]) -> pd.DataFrame:
    """Return every day of the financial years in which periods end: without gaps."""
    years = ends.dropna().dt.to_period("Y-MAR")
    days = pd.Series(pd.date_range(years.min().start_time, years.max().end_time, normalize=True))
    year, quarters = days.dt.year, days.dt.to_period("Q-MAR").dt
    named = quarters.qyear.map(lambda last: f"{last - 1}-{last % 100:02}")
    told = {"date": days, "year": year, "financial_year": named}
    told["quarter"] = named + " Q" + quarters.quarter.astype(str)
    told["month"] = days.dt.month_name() + " " + year.astype(str)
    return pd.DataFrame(told | {"month_order": 100 * year + days.dt.month})


def _typed(frame: pd.DataFrame, table: str) -> pa.Table:
    froms = {name: rules[0] for name, rules in STAR["tables"][table]["columns"].items()}
    arrays = [
        pa.Array.from_pandas(cast(frame[froms[column.name]], column), type=ARROW[column.kind])
        for column in TABLES[table]
    ]
    return pa.Table.from_arrays(arrays, [column.name for column in TABLES[table]])


def files(
    tables: Mapping[str, pa.Table], facts: Mapping[str, Any], as_at: date, place: str = ""
) -> dict[str, bytes]:
    """Return all files of the export by name: figures under ``data/``, and the project.

    Parameters
    ----------
    tables
        As :func:`star` returns them.
    facts
        ``title``, ``about`` and ``theme``, and the colours of the palette by name; other people's
        words are escaped for each kind of file.
    as_at
        The day the figures were known on: the time that the Delta logs name.
    place
        The folder, as Power BI finds it, in which the tables lie; else one that names no machine.

    Raises
    ------
    PmfError
        When a key is missing or not unique, or rows lead to none. That the model is sound but for
        its figures is tested: no word of a council stands in it.
    """
    data: dict[str, bytes] = {}
    told = {**facts, "star": STAR, "place": place or STAR["place"]}
    told["since"] = (as_at - date(1970, 1, 1)).days * 86_400_000  # thousandths of a second
    model = {f"{STAR['folder']}{name}.tmdl": _filled(name, told) for name in STAR["layouts"]}
    for name, table in tables.items():
        data[f"{name}/{name}.parquet"] = content = _parquet(table)
        said = told | {"table": name, "size": len(content)}
        model[f"{STAR['folder']}tables/{name}.tmdl"] = _filled("table", said)
        if all(column.isidentifier() for column in table.column_names):  # as Delta asks
            data[f"{name}/_delta_log/{0:020}.json"] = _filled("delta_log", said).encode()
    dots = tables["making_data_count"].to_pandas()
    data["making_data_count.csv"] = typed_csv(dots, TABLES["making_data_count"])
    pages = YAML(typ="safe", pure=True).load(_filled("documents", told))
    _check_keys(tables, model).raise_if_errors()
    made = {f"{DATA}{name}": content for name, content in data.items()}
    made |= {name: text.encode() for name, text in model.items()}
    for name, document in pages.items():
        made[name] = (json.dumps(document, indent=2, ensure_ascii=False) + "\n").encode()
    return made


def _check_keys(tables: Mapping[str, pa.Table], model: Mapping[str, str]) -> Problems:
    """Tell of keys that are missing or not unique, and of rows that lead to none of them."""
    problems, leads_to = Problems(), STAR["leads_to"]
    file = f"{STAR['folder']}relationships.tmdl"
    for table, rows in tables.items():
        for column in [name for name in rows.column_names if leads_to.get(name, table) != table]:
            one, before = leads_to[column], model[file].partition(_id(f"{table}.{column}"))[0]
            key = STAR["tables"][one]["key"]
            place = {"file": file, "row": before.count("\n") + 1, "end": f"{one}.{key}"}
            many, keys = rows[column].to_pylist(), tables[one][key].to_pylist()
            if None in keys or len({*keys}) != len(keys):
                problems.tell("tmdl-not-unique", **place)
            if lost := sorted(map(str, {*many} - {*keys, None})):
                problems.tell("tmdl-orphan", **place, names=", ".join(lost[:_EXAMPLES]))
    return problems


def _parquet(table: pa.Table) -> bytes:
    from pyarrow.parquet import write_table

    write_table(table, stream := io.BytesIO(), compression="zstd")
    return stream.getvalue()


def _filled(layout: str, facts: Mapping[str, Any]) -> str:
    """Return a file of the folder of layouts, filled in."""
    return str(_layouts().get_template(f"{layout}.jinja").render(facts))


@cache
def _layouts() -> Any:
    from jinja2 import Environment, PackageLoader, StrictUndefined

    lines: Any = {"trim_blocks": True, "lstrip_blocks": True, "keep_trailing_newline": True}
    loader = PackageLoader("pmf_analysis.systems", "power_bi")
    made = Environment(loader=loader, undefined=StrictUndefined, **lines)
    made.filters |= {"line": _line, "id": _id, "name": quoted_name, "text": m_text}
    made.policies["json.dumps_kwargs"] = {"ensure_ascii": False}
    return made


def _line(text: str) -> str:
    """Return a text as one line of what can be printed."""
    return "".join(letter for letter in " ".join(text.split()) if letter.isprintable())


def _id(name: str) -> str:
    """Return an id that is the same in every export, so that a saved report finds its model."""
    return str(uuid5(NAMESPACE_URL, f"pmf:power-bi:{name}"))


def quoted_name(name: str) -> str:
    """Return a name as TMDL writes it: in quotes unless it is one plain word."""
    return name if re.fullmatch(r"\w+", name, re.ASCII) else "'" + name.replace("'", "''") + "'"


def m_text(text: str) -> str:
    """Return a text as Power Query's language writes it; nothing in it can end the text."""
    safe = text.replace("#(", "#(#)(").replace('"', '""')
    return '"' + re.sub(r"[\x00-\x1f]", lambda found: f"#({ord(found[0]):04x})", safe) + '"'
