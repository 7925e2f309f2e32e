"""What result tables carry beside the measures: titles, labels of periods, ages, missing rows."""

from functools import lru_cache
from hashlib import sha256
from typing import Any

import pandas as pd

from pmf_analysis.data.contract import series_key, split_series
from pmf_analysis.measures.arrays import SENTENCES, TABLES, Column, Day, Frame, Names, constants
from pmf_analysis.period_spans import MONTHS_A_PERIOD, add_months
from pmf_analysis.periods import period_from_start

_SET = constants("table_labels")


def labels(indicators: Column, periods: Column, register: Frame, style: str = "label") -> Column:
    """Label of each period (start of its last base period) as councils write it; "" for NaT.

    A rolling window is labelled by all that it covers. `style`: "label" or "long_label".
    """
    windows = register["period_span"].where(register["accumulation"] == "rolling", "")
    settings = zip(register["frequency"], register["year_type"], windows, strict=True)
    declared = dict(zip(register["indicator"], settings, strict=True))
    pairs = zip(indicators, periods, strict=True)
    names = [
        "" if pd.isna(day) else _label(day.date(), *declared[who], style) for who, day in pairs
    ]
    return pd.Series(names, index=periods.index, dtype="str")


@lru_cache(maxsize=10_000)
def _label(start: Day, frequency: str, year_type: Any, span: str, style: str) -> str:
    if span and frequency in MONTHS_A_PERIOD:
        longer = int(span[:-1]) * _SET.span_months[span[-1]] - MONTHS_A_PERIOD[frequency]
        start = add_months(start, -longer)
    return str(getattr(period_from_start(start, frequency, year_type, span), style))


def _indicators(table: Frame) -> Column:
    """Indicator of each row, from its series."""
    return split_series(table["series"])["indicator_id"].set_axis(table.index)


def with_labels(table: Frame, register: Frame) -> Frame:
    """Add `period_label` (and `last_label`) to a table with `series`, `period` (`last_period`)."""
    indicators = _indicators(table)
    table = table.assign(period_label=labels(indicators, table["period"], register))
    if "last_period" in table.columns:
        table["last_label"] = labels(indicators, table["last_period"], register)
    return table


def clipped(table: Frame, register: Frame, columns: list[str]) -> Frame:
    """Keep limits that are shown inside what is possible; the ones tested against are not touched.

    The unclipped ones stay in `raw_` columns.
    """
    declared, indicators = register.set_index("indicator"), _indicators(table)
    low, high = indicators.map(declared["minimum"]), indicators.map(declared["maximum"])
    shown = table[columns].clip(low, axis=0).clip(upper=high, axis=0)
    raw = table[columns].add_prefix("raw_")
    return table.assign(**{name: shown[name] for name in columns}).join(raw)


def complete_trends(
    trends: Frame, own: Frame, register: Frame, lines: Frame, *, area: str, as_at: Day
) -> Frame:
    """Give every indicator of the register its row, with titles, labels, target and age.

    An indicator without any observation gets the verdict "cannot_judge" and says so.
    """
    absent = register.loc[~register["indicator"].isin(trends["indicator"]), ["indicator"]]
    absent = absent.assign(series=absent["indicator"], area=area, n=0, verdict="cannot_judge")
    absent = absent.assign(method="none", rule="none", reason=SENTENCES["no_values"])
    rows = pd.concat([trends, absent], ignore_index=True)
    rows = rows.fillna(dict.fromkeys(rows.select_dtypes("str").columns, ""))
    rows = rows.drop(columns=[*TABLES["from_register"], "target"], errors="ignore")
    rows = rows.merge(register[["indicator", *TABLES["from_register"]]], on="indicator", how="left")
    rows = rows.merge(lines[["series", "period", "target"]], on=["series", "period"], how="left")
    for name in ("period", "previous", "last_year"):
        starts = rows[name if name == "period" else f"{name}_period"]
        rows[f"{name}_label"] = labels(rows["indicator"], starts, register)
    rows["period_long"] = labels(rows["indicator"], rows["period"], register, "long_label")
    rows = rows.assign(**_ages(rows, own, register, as_at))
    return rows.assign(target_period_label=rows["period_label"].where(rows["target"].notna(), ""))


def _ages(rows: Frame, own: Frame, register: Frame, as_at: Day) -> dict[str, Column]:
    """Days from the end of the newest period to the as-at date, and whether that is too long."""
    keys = ["series", "period"]
    ended = rows[keys].merge(own[[*keys, "period_end"]], on=keys, how="left")["period_end"]
    age = (pd.Timestamp(as_at) - ended).dt.days
    declared = register.set_index("indicator")
    allowed = _SET.stale_periods * _SET.year / rows["indicator"].map(declared["periods_per_year"])
    lag = rows["indicator"].map(declared["publish_lag_days"]).fillna(0)
    return {"age_days": age, "is_stale": age > allowed + lag}


def restatement_notes(restated: Frame, own: Frame, register: Frame) -> Frame:
    """Say which own values were published and later changed: one note a change.

    Parameters
    ----------
    restated
        Rows of `Store.restatements`.
    own
        Observations of the council: other areas' changes are not told.
    """
    mine = restated.assign(series=series_key(restated))
    mine = mine[mine["series"].isin(own["series"])].reset_index(drop=True)
    mine = mine.assign(label=labels(mine["indicator_id"], mine["period_start"], register))
    declared = register.set_index("indicator")[["title", "decimals"]]
    told = []
    for row in mine.join(declared, on="indicator_id").to_dict("records"):
        places = int(row["decimals"])
        before, now = (f"{row[name]:.{places}f}" for name in ("old_value", "new_value"))
        now = "taken back" if pd.isna(row["new_value"]) else now
        told.append(f"{row['title']}, {row['label']}: published as {before}, now {now}.")
    notes = mine[["indicator_id"]].set_axis(["indicator"], axis=1)
    notes = notes.assign(message=pd.Series(told, dtype="str"), level="info", code="restated")
    return notes[TABLES["notes"]]


def digest_table(series: Names) -> Frame:
    """Return a fingerprint of each indicator's observations, of all areas, from those of series."""
    keys = pd.Series(sorted(series), dtype="str")
    lines = keys + " " + keys.map(series)
    joined = lines.groupby(split_series(keys)["indicator_id"]).agg("\n".join)
    digests = [sha256(text.encode()).hexdigest() for text in joined]
    return pd.DataFrame({"indicator": joined.index, "digest": digests}, dtype="str")
