"""Records parted by table: values, and the targets, texts and arrows that stand beside them."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import suppress
from dataclasses import replace
from datetime import date

import pandas as pd

from pmf_analysis.data.contract import column_names
from pmf_analysis.periods import parse_period
from pmf_analysis.problems import PmfError
from pmf_analysis.systems.cells import KNOWN
from pmf_analysis.systems.mapping import BESIDE, KINDS, MappingFile
from pmf_analysis.systems.results import Records
from pmf_analysis.systems.values import is_blank, to_number


def split(records: Records, mapping: MappingFile) -> list[Records]:
    """Part observations from the targets, narratives and what is published beside them.

    In a long table every row is an observation; in a wide or sealed one what stands beside may be
    alone.
    """
    raw, found = _told_once(records.raw, mapping), []
    has_other = pd.Series(False, index=raw.index)
    others = [(table, names) for table in mapping.tables()[1:] for names in _beside(raw, table)]
    keys = list(dict.fromkeys(key for _, names in others for key in names))
    for table, names in others:
        wanted = [key for key, name in names.items() if name in (BESIDE[table] or names.values())]
        filled = any_filled(raw[wanted])
        has_other |= filled
        cells = raw.loc[filled, list(names)].set_axis(list(names.values()), axis=1)
        kind = {key: {"kind": key.rpartition(".")[2]} for key in names if _is_kind(key)}
        shared = raw[filled].drop(columns=[*keys, *KNOWN["of_value"]], errors="ignore")
        made = pd.concat([shared, cells], axis=1).assign(**next(iter(kind.values()), {}))
        layouts = [{names.get(key, key): at for key, at in one.items()} for one in records.layouts]
        found.append(Records(table, records.sheet, made, layouts))
    # A note in a period without a value and without anything beside it is still an entry.
    is_value = any_filled(raw.filter(KNOWN["makes_value"])) | ~has_other
    is_wide = mapping.unpivot or mapping.indicators or mapping.sealed
    values = (raw[is_value] if is_wide else raw).drop(columns=keys)
    return [replace(records, raw=values), *found]


def _beside(raw: pd.DataFrame, table: str) -> Iterator[dict[str, str]]:
    """Yield the columns of a table that stand beside values, and its names for them.

    Each kind of narrative with a column of its own has a row of its own.
    """
    own = {*column_names("observations"), "period_label"}
    names = {key: key.removeprefix(f"{table}.") for key in map(str, raw) if key not in own}
    kinds = [key for key in names if table == "narratives" and _is_kind(key)]
    plain = {k: name for k, name in names.items() if name in column_names(table)}
    if not {*BESIDE[table]}.isdisjoint(plain.values()) or (plain and not BESIDE[table]):
        yield plain
    for key in kinds:
        about = {k: name for k, name in plain.items() if name not in ("text", "kind")}
        yield {key: "text", **about}


def _is_kind(key: str) -> bool:
    return key.startswith("narratives.") and key.rpartition(".")[2] in KINDS


def _told_once(raw: pd.DataFrame, mapping: MappingFile) -> pd.DataFrame:
    """Leave a text that a wide row tells of no period beside its newest figure alone."""
    shared = {*mapping.columns, *mapping.join}
    texts = [key for key in map(str, raw) if key in shared and (key == "text" or _is_kind(key))]
    if mapping.unpivot is None or not texts:
        return raw
    labels, values = raw["period_label"].astype("str"), raw.get("value", pd.Series("", raw.index))
    ends = labels.map({label: _end_of(label, mapping) for label in labels.unique()})
    order = pd.DataFrame({"figure": to_number(values)[0].notna(), "end": ends})
    newest = order.sort_values(["figure", "end"], kind="stable").groupby(raw["source_row"]).tail(1)
    return raw.assign(**{key: raw[key].where(raw.index.isin(newest.index), "") for key in texts})


def _end_of(label: str, mapping: MappingFile) -> date:
    with suppress(PmfError):
        return parse_period(label, year_type=mapping.period.year_type or "financial").end
    return date.min


def any_filled(frame: pd.DataFrame) -> pd.Series[bool]:
    """Whether each row has a cell that is not blank."""
    return pd.DataFrame({n: ~is_blank(frame[n]) for n in frame}, index=frame.index).any(axis=1)
