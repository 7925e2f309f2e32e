"""A small Power BI model: the tables a run would give, with two indicators and hostile names."""

from __future__ import annotations

from datetime import date
from functools import cache
from typing import Any

import pandas as pd

from pmf_analysis.systems import powerbi

OWN, PEER = "X06000001", "X06000002"
HOSTILE = 'O\'Brien "quoted" {braces} #(cr) <b> 😀\u2028\x85 \n\ttable evil'
FACTS = {
    "title": HOSTILE,
    "theme": HOSTILE,
    "about": HOSTILE,
    "blue": "#12436D",
    "grey": "#505A5F",
    "target": "#801650",
    "orange": "#F46A25",
    "paper": "#FFFFFF",
    "ink": "#0B0C0C",
}
AS_AT = date(2026, 10, 31)
_EMPTY: dict[str, Any] = {
    "text": "",
    "number": 1.5,
    "integer": 1,
    "date": pd.Timestamp("2026-09-30"),
    "yes_no": False,
}
_MADE = {"dates", "areas", "dots"}
_DERIVED = {"indicator_id", "area_code", "period_end", "dimension", "dimension_value"}


def series(indicator: str, area: str = OWN) -> str:
    return f"{indicator}|{area}|||v1"


def frames() -> dict[str, pd.DataFrame]:
    """What a run and the store would give: two indicators, two areas, two quarters."""
    tables = powerbi.STAR["tables"].values()
    found = {told["source"]: _blank(told["columns"]) for told in tables}
    given = {name: rows for name, rows in found.items() if name not in _MADE}
    quarters = [pd.Timestamp("2026-04-01"), pd.Timestamp("2026-07-01")]
    rows = [(each, day) for each in ("fly_tips", "recycling") for day in quarters]
    for name in ("points", "targets", "comparisons", "forecasts"):
        given[name] = _many(given[name], [(series(each), day) for each, day in rows])
    panel = [(series(each, area), day) for area in (OWN, PEER) for each, day in rows]
    given["panel"] = _many(given["panel"], panel)
    areas = given["panel"]["series"].str.split("|").str[1]
    given["panel"]["area"] = areas
    given["panel"]["area_name"] = areas.map({OWN: "Westshire", PEER: HOSTILE})
    last = [(series(each), quarters[1]) for each in ("fly_tips", "recycling")]
    given["trends"] = _many(given["trends"], [*last, ("without", pd.NaT)])
    for name in ("targets", "comparisons", "trends"):
        given[name]["indicator"] = given[name]["series"].str.split("|").str[0]
        given[name]["area"] = OWN
    ids = ["fly_tips", "recycling", "without"]
    register = pd.concat([given["register"]] * 3, ignore_index=True)
    told = {"indicator": ids, "title": ["Fly-tips", HOSTILE, "None"], "frequency": "quarterly"}
    given["register"] = register.assign(**told, polarity=["lower", "higher", "none"])
    given["register"]["year_type"] = "financial"
    given["register"]["accumulation"] = "discrete"
    given["aims"] = pd.DataFrame({"indicator_id": ["fly_tips"]})
    given["aims"]["period_end"] = pd.Timestamp("2026-09-30")
    given["themes"] = pd.DataFrame({"indicator": ids, "theme": ["Place", "Place", HOSTILE]})
    return given


def _blank(columns: dict[str, list[str]]) -> pd.DataFrame:
    cells = {rules[0]: [_EMPTY[rules[1]]] for rules in columns.values()}
    return pd.DataFrame({name: cell for name, cell in cells.items() if name not in _DERIVED})


def _many(one: pd.DataFrame, rows: list[tuple[str, Any]]) -> pd.DataFrame:
    whole = pd.concat([one] * len(rows), ignore_index=True)
    keys, days = zip(*rows, strict=True)
    return whole.assign(series=pd.Series(keys, dtype="str"), period=pd.to_datetime(pd.Series(days)))


@cache
def files() -> dict[str, bytes]:
    """All files of the export of this model; not to be changed."""
    return powerbi.files(powerbi.star(frames(), OWN), FACTS, AS_AT)
