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

from pmf_analysis.data.contract import Column, cast, split_series
from pmf_analysis.data.schema import typed_csv
from pmf_analysis.period_spans import period_from_start
from pmf_analysis.shipped import read_shipped
from pmf_analysis.systems.tmdl import ARROW, check_model

STAR = read_shipped("systems/power_bi/star.yml")
_PAGES = read_shipped("systems/power_bi/documents.yml")
TABLES = {
    name: tuple(Column(column, rules[1], rules[2]) for column, rules in told["columns"].items())
    for name, told in STAR["tables"].items()
}
RESULTS = ("points", "trends", "targets", "comparisons", "forecasts")
DATA, PLACE = "data/", _PAGES["place"]
_DELTA = {"text": "string", "number": "double", "integer": "long", "date": "date"}


def star(frames: Mapping[str, pd.DataFrame], own_area: str) -> dict[str, pa.Table]:
    """Return the tables of the model from what is known and the result tables of a run.

    Parameters
    ----------
    frames
        ``register``, ``themes`` (indicator, theme), ``panel`` (observations as reports use them),
        and the result tables ``RESULTS``.
    own_area
        Code of the council that reports.

    Returns
    -------
    dict of str to pyarrow.Table
        By the names of ``star.yml``, with exactly its columns and types; a missing number or date
        is null, missing text empty.
    """
    register = frames["register"].set_index("indicator", drop=False)
    found = {name: _keyed(frame, register) for name, frame in frames.items() if "series" in frame}
    found |= {"register": frames["register"], "themes": frames["themes"]}
    points = found["points"].dropna(subset=["value"])
    improvement = points["indicator_id"].map(register["polarity"]).map(STAR["directions"])
    titles = points["indicator_id"].map(register["title"])
    found["dots"] = points.assign(title=titles, improvement=improvement.fillna("neutral"))
    found["areas"] = _areas(found, own_area)
    ends = pd.concat([frame["period_end"] for frame in found.values() if "period_end" in frame])
    found["dates"] = _dates(ends)
    return {name: _typed(found[told["source"]], name) for name, told in STAR["tables"].items()}


def _keyed(frame: pd.DataFrame, register: pd.DataFrame) -> pd.DataFrame:
    """Add the parts of the series, and the last day of the period where there is none."""
    # An indicator without any figure has its name for a series.
    named = frame["series"].where(
        frame["series"].str.contains("|", regex=False), frame["series"] + "||||v1"
    )
    parts = split_series(named)
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
    years = ends.dropna().dt.year - (ends.dropna().dt.month < 4)
    days = pd.Series(pd.date_range(f"{years.min()}-04-01", f"{years.max() + 1}-03-31"))
    year, month = days.dt.year, days.dt.month
    first = year - (month < 4)
    named = first.astype(str) + "-" + ((first + 1) % 100).astype(str).str.zfill(2)
    told = {"date": days, "year": year, "month_order": 100 * year + month, "financial_year": named}
    told["quarter"] = named + " Q" + ((month - 4) % 12 // 3 + 1).astype(str)
    told["month"] = days.dt.month_name() + " " + year.astype(str)
    return pd.DataFrame(told)


def _typed(frame: pd.DataFrame, table: str) -> pa.Table:
    froms = {name: rules[0] for name, rules in STAR["tables"][table]["columns"].items()}
    arrays = [
        pa.Array.from_pandas(cast(frame[froms[column.name]], column), type=ARROW[column.kind])
        for column in TABLES[table]
    ]
    return pa.Table.from_arrays(arrays, [column.name for column in TABLES[table]])


def files(
    tables: Mapping[str, pa.Table], facts: Mapping[str, str], as_at: date, place: str = PLACE
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
        The day the figures were known on: the time that the Delta log names.
    place
        The folder, as Power BI finds it, in which the tables lie.

    Raises
    ------
    PmfError
        When the model is not sound; see :func:`pmf_analysis.systems.tmdl.check_model`.
    """
    made: dict[str, bytes] = {}
    for name, table in tables.items():
        made[f"{DATA}{name}/{name}.parquet"] = content = _parquet(table)
        if all(column.isidentifier() for column in table.column_names):
            log = f"{DATA}{name}/_delta_log/{0:020}.json"
            made[log] = _delta_log(name, len(content), as_at)
    dots = tables["making_data_count"].to_pandas()
    made[f"{DATA}making_data_count.csv"] = typed_csv(dots, TABLES["making_data_count"])
    known = dict(facts) | {"place": place, "report_id": _id("report"), "model_id": _id("model")}
    pages = {name: _filled(document, known) for name, document in _PAGES["documents"].items()}
    for name, visual in _PAGES["visuals"].items():
        pages[_PAGES["visual"]["file"].format(name=name)] = _visual(name, visual)
    model = {name: _layout(layout)(known | _related()) for name, layout in _PAGES["model"].items()}
    for name in TABLES:
        model[_PAGES["table_file"].format(name=name)] = _layout("table")(_told(name))
    data = {name.removeprefix(DATA): content for name, content in made.items()}
    check_model(model, data, pages).raise_if_errors()
    made |= {name: text.encode() for name, text in model.items()}
    return made | {name: _json(document) for name, document in pages.items()}


def _parquet(table: pa.Table) -> bytes:
    from pyarrow.parquet import write_table

    stream = io.BytesIO()
    write_table(table, stream, compression="zstd")
    return stream.getvalue()


def _json(document: Any) -> bytes:
    return (json.dumps(document, indent=2, ensure_ascii=False) + "\n").encode()


def _delta_log(name: str, size: int, as_at: date) -> bytes:
    """Return the first version of a Delta table of one file, the same bytes every time.

    Source: the Delta transaction log protocol, reader 1 and writer 2.
    """
    since = (as_at - date(1970, 1, 1)).days * 86_400_000
    fields = [
        {"name": each.name, "type": _DELTA.get(each.kind, "boolean"), "nullable": True}
        | {"metadata": {"comment": each.meaning}}
        for each in TABLES[name]
    ]
    about: dict[str, Any] = {
        "id": _id(name),
        "format": {"provider": "parquet", "options": {}},
        "name": name,
    }
    about |= {"schemaString": json.dumps({"type": "struct", "fields": fields})}
    about |= {"partitionColumns": [], "configuration": {}, "createdTime": since}
    added: dict[str, Any] = {"path": f"{name}.parquet", "partitionValues": {}, "size": size}
    added |= {"modificationTime": since, "dataChange": True}
    rows = [{"protocol": {"minReaderVersion": 1, "minWriterVersion": 2}}]
    return "".join(
        f"{json.dumps(row)}\n" for row in (*rows, {"metaData": about}, {"add": added})
    ).encode()


def _filled(document: Any, facts: Mapping[str, str]) -> Any:
    """Return a layout with its words filled in."""
    if isinstance(document, dict):
        return {name: _filled(each, facts) for name, each in document.items()}
    if isinstance(document, list):
        return [_filled(each, facts) for each in document]
    return document.format_map(facts) if isinstance(document, str) else document


def _visual(name: str, told: Mapping[str, Any]) -> dict[str, Any]:
    """Return a visual of the report's page."""
    place = dict(zip(("x", "y", "width", "height"), told["at"], strict=True))
    query = {
        role: {"projections": [_field(*field) for field in fields]}
        for role, fields in told["fields"].items()
    }
    title = {"show": _literal("true"), "text": _literal(f"'{told['title']}'")}
    looks = {"title": [{"properties": title}]}
    visual = {"visualType": told["type"], "query": {"queryState": query}}
    known = {"$schema": _PAGES["visual"]["schema"], "name": name, "position": place}
    return known | {"visual": visual | {"visualContainerObjects": looks}}


def _literal(value: str) -> dict[str, Any]:
    return {"expr": {"Literal": {"Value": value}}}


def _field(table: str, shown: str, kind: str) -> dict[str, Any]:
    field = {kind: {"Expression": {"SourceRef": {"Entity": table}}, "Property": shown}}
    return {"field": field, "queryRef": f"{table}.{shown}", "nativeQueryRef": shown}


def _related() -> dict[str, Any]:
    """Return what leads from one table to another, by the names of its columns."""
    tables, leads = STAR["tables"], STAR["leads_to"]
    found = [
        (name, column.name, one, tables[one]["key"])
        for name, columns in TABLES.items()
        for column in columns
        if (one := leads.get(column.name, name)) != name
    ]
    return {"relationships": found, "both_ways": STAR["both_ways"], "tables": list(TABLES)}


def _told(table: str) -> dict[str, Any]:
    """Return what the layout of a table is filled with."""
    told, rules = STAR["tables"][table], STAR["tables"][table]["columns"]
    hidden = {column for name, column, *_ in _related()["relationships"] if name == table}
    shown = {name: rule[3] for name, rule in rules.items() if rule[3:]}
    facts = {"table": table, "columns": TABLES[table], "key": told.get("key", ""), "shown": shown}
    facts |= {"hidden": hidden | {*STAR["sort_by"].values()}, "sort_by": STAR["sort_by"]}
    facts |= {"measures": STAR["measures"].get(table, ()), "types": STAR["types"]}
    return facts | {"meaning": told["meaning"], "file": f"\\{table}\\{table}.parquet"}


@cache
def _layout(name: str) -> Any:
    from jinja2 import Environment, PackageLoader, StrictUndefined

    loader = PackageLoader("pmf_analysis.systems", "power_bi")
    made = Environment(
        loader=loader, undefined=StrictUndefined, trim_blocks=True, keep_trailing_newline=True
    )
    made.filters |= {"line": lambda text: " ".join(text.split()), "id": _id}
    made.filters |= {"name": quoted_name, "text": m_text}
    return made.get_template(f"{name}.tmdl.jinja").render


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
