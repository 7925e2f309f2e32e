"""One file's rows as accepted, and what becomes of rows that are given more than once."""

from collections.abc import Sequence
from typing import Any

import pandas as pd

from pmf_analysis.data.contract import KEYS, MAIN_COLUMN, SOURCE_COLUMNS, column_names
from pmf_analysis.systems import results as outcome
from pmf_analysis.systems.rules import LABEL

Results = Sequence[outcome.ImportResult]
Mask = pd.Series  # of bool
# So many places are named of rows that contradict each other.
_NAMED = 3


def settle_repeats(results: Results, known_targets: pd.DataFrame) -> None:
    """Part rows that are given twice, in one file or in several of one import.

    Rows with the same key and figures are one: the first stays, the others are ignored with a
    warning. Rows of one key that differ all go to quarantine, because nobody can tell which is
    right. A target that another file, or the store (`known_targets`), gives too is ignored, see
    :func:`_settle_targets`.
    """
    for table, key in KEYS.items():
        rows = stacked(results, table)
        repeated = rows.duplicated(list(key), keep=False) if len(rows) else pd.Series(dtype=bool)
        if repeated.any():
            differs = _differs(rows[repeated], table).reindex(rows.index, fill_value=False)
            spare = repeated & ~differs & rows.duplicated(list(key))
            lines = _lines(rows[differs], table, "repeated-and-different")
            _take_out(results, table, "repeated", rows, spare, lines)
    _hold_strays(results, known_targets)
    _settle_targets(results, known_targets)


def drop_labels(results: Results) -> None:
    """Take ``LABEL`` out of accepted rows, when all that could be wrong with them is told."""
    for result in results:
        result.tables = {name: rows.drop(columns=LABEL) for name, rows in result.tables.items()}


def stacked(results: Results, table: str) -> pd.DataFrame:
    """Accepted rows of all files, with the number of their file in ``_result``."""
    held = [(number, r.tables[table]) for number, r in enumerate(results) if table in r.tables]
    parts = [rows.assign(_result=number) for number, rows in held]
    return pd.concat(parts, ignore_index=True) if parts else pd.DataFrame()


def _differs(twins: pd.DataFrame, table: str) -> Mask:
    """Whether a row shares its key with one of other figures."""
    left_out = {*KEYS[table], *SOURCE_COLUMNS}
    compared = outcome.RULES["figures"] if table == "observations" else column_names(table)
    figures = twins[[name for name in compared if name not in left_out]]
    content = pd.util.hash_pandas_object(figures, index=False)
    keys = [twins[name] for name in KEYS[table]]
    return content.groupby(keys, dropna=False).transform("nunique") > 1


def _lines(rows: pd.DataFrame, table: str, fault: str) -> pd.DataFrame:
    """Quarantine lines, by the index of `rows`, that tell rows of one key of each other."""
    if rows.empty:
        return pd.DataFrame(columns=outcome.QUARANTINE_COLUMNS)
    shown = rows[MAIN_COLUMN[table]].astype("str").fillna("")
    places = rows.rename(columns=outcome.SOURCE | {"indicator_id": "indicator"})
    place = places["file"] + " row " + places["row"].astype("str")
    place += ": " + shown.replace("", "no value")
    differ = place.groupby([rows[name] for name in KEYS[table]], dropna=False).transform(_listed)
    cells = rows[[*KEYS[table]]].astype("str").fillna("").agg("; ".join, axis=1)
    lines = places.reindex(columns=outcome.QUARANTINE_COLUMNS, fill_value="")
    lines = lines.assign(column=rows[LABEL], value=shown, table=table, cells=cells)
    lines = lines.astype({"row": "int64"})
    return outcome.lines_at(lines, fault, differ=differ, key=", ".join(KEYS[table]))


def _listed(places: pd.Series) -> str:
    more = len(places) - _NAMED
    return "; ".join([*places.head(_NAMED), *([f"and {more} more"] if more > 0 else [])]) + "."


def _take_out(
    results: Results, table: str, fault: str, rows: pd.DataFrame, spare: Mask, lines: pd.DataFrame
) -> None:
    """Take spare rows, and those that have a quarantine line, out of their files' accepted ones."""
    is_held = rows.index.isin(lines.index)
    for number in rows.loc[spare | is_held, "_result"].unique():
        result, mine = results[number], rows["_result"] == number
        kept = rows[mine & ~spare & ~is_held]
        result.tables[table] = kept.drop(columns="_result").reset_index(drop=True)
        held, ignored = lines[mine[is_held]], rows[mine & spare]
        result.hold(held, len(held))
        result.ignored[outcome.RULES["reasons"][fault]] += len(ignored)
        result.problems.extend(outcome.first_of(ignored[[*SOURCE_COLUMNS]], fault, n=len(ignored)))


def _hold_strays(results: Results, known: pd.DataFrame) -> None:
    """Hold back targets that replace themselves, in a ring too, or another thing's target."""
    rows, of = stacked(results, "targets"), ["indicator_id", "area_code"]
    if rows.empty:
        return
    every = pd.concat([known, rows]).drop_duplicates("target_id", keep="last")
    ring, size = every, 0
    while len(ring) != size:  # what replaces nothing, or is not replaced, is on no ring
        ring, size = ring[ring["supersedes"].isin(ring["target_id"])], len(ring)
        ring = ring[ring["target_id"].isin(ring["supersedes"])]
    other = every.set_index("target_id")[of].reindex(rows["supersedes"]).set_axis(rows.index)
    stray = (other != rows[of]).any(axis=1) & other["area_code"].notna()
    stray |= rows["target_id"].isin(ring["target_id"])
    lines = _lines(rows[stray], "targets", "supersedes-stray").assign(column="supersedes")
    _take_out(results, "targets", "same-target", rows, stray & False, lines)


def _settle_targets(results: Results, known: pd.DataFrame) -> None:
    """Ignore targets that another file gives too, and warn where two files differ.

    The same target is the same aim for the same indicator and area in the same period, or in one
    within it: a report's cell for a quarter repeats the target of the year. The one that says
    more, such as why and by whom, is kept; then the longer, the one known, the one read first.
    Other targets for one period, and those known that say less, are all kept, with a warning. One
    that supersedes another is never the same.
    """
    rows = stacked(results, "targets")
    if rows.empty:
        return
    pairs = _pairs_of_targets(rows, known[~known["target_id"].isin(rows["target_id"])])
    is_spare: Any = pairs.eval(outcome.RULES["same_target"], engine="python")
    is_beside: Any = pairs.eval(outcome.RULES["target_beside"], engine="python")
    beside = pairs[is_beside & ~is_spare]
    for number in beside["_result"].unique():
        mine = beside[beside["_result"] == number]
        places, other = mine[[*SOURCE_COLUMNS]], mine["source_file_other"].iloc[0]
        told = outcome.first_of(places, "targets-differ", n=len(mine), other=other)
        results[number].problems.extend(told)
    spare = pd.Series(rows.index.isin(pairs.loc[is_spare, "_row"]), index=rows.index)
    _take_out(results, "targets", "same-target", rows, spare, _lines(rows.head(0), "targets", ""))


def _pairs_of_targets(rows: pd.DataFrame, known: pd.DataFrame) -> pd.DataFrame:
    """Each target of an import beside those, as ``_other``, of other files that came before it.

    Those known come before all; ``_is_lesser`` says that the other one says as much or more.
    """
    both = pd.concat([known.assign(_result=-1), rows.assign(_row=rows.index)], ignore_index=True)
    both = both[(both["supersedes"] == "") & ~both["target_id"].isin(both["supersedes"])]
    told = both[outcome.RULES["of_target"]]
    both["_told"] = (told.notna() & (told != "")).sum(axis=1)
    both["_length"] = both["period_end"] - both["period_start"]
    both = both.sort_values(["_told", "_length"], ascending=False, kind="stable")
    both = both.assign(_order=range(len(both)))
    pairs = both.merge(both, on=["indicator_id", "area_code"], suffixes=("", "_other"))
    pairs["_is_lesser"] = pairs["_order"] > pairs["_order_other"]
    is_other = (pairs["_result"] >= 0) & (pairs["_result"] != pairs["_result_other"])
    return pairs[is_other & (pairs["_is_lesser"] | (pairs["_result_other"] == -1))]
