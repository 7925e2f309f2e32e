"""What is left of a lead two years later: raw leaders and shrunken ones, in real groups.

    python benchmarks/leads.py [DATA_FOLDER] [--councils N]

A group is an indicator, a year to look from, and a council's peer set: its statistical neighbours,
or the councils of a similar start among all. Nothing after that year is seen. Then, two years on:

* kept: the lead from the same start, measured again (an unlucky start still flatters it);
* afresh: the lead from one year before the start to two years after the end, so that neither of
  the two values that made the leader is in it. This is what a shrunken improvement must predict.
* worse: whether the leader did worse in those two years than the rest of its group.

Only councils whose own value moved for the better and is better than ours are leads. Cover counts
how often the lead measured afresh lies in the 95 % interval widened by what such a measurement
adds: the noise of its two ends and the moves of the three years between. Improvements are in
standard deviations of their group; later ones beyond 8 count as 8 (visits to museums that closed in
2020-21 cost up to 79 more), and the ratio without that is printed too. USUAL_RELIABILITY,
ITS_WEIGHT and DOUBT were chosen on the indicators of the first half, in which the second had no
part; both were looked at when GROUP_WEIGHT was chosen.
"""

from __future__ import annotations

import argparse
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from zlib import crc32

import numpy as np
import pandas as pd

from pmf_analysis.measures.frames import is_aggregate
from pmf_analysis.measures.leads import FEWEST, KEPT, NORMAL_95, Panel, shrunken

FILES = ("scotland_lgbf", "children_dfe_lait", "homelessness_hclic_quarterly", "housing_annual")
SCHEMES = ("dfe_statistical_neighbours_2025", "ons_2025_global")
YEARS, LATER, BEFORE, ORIGINS = 3, 2, 1, 8
WILD = 8.0  # standard deviations
TOTALS = ("Number", "number", "count", "dwellings", "households")


def indicators(data: Path) -> Iterator[tuple[str, str, pd.DataFrame]]:
    """File, indicator and its values, of those with a direction that are no totals."""
    for file in FILES:
        rows = pd.read_csv(data / "tidy" / f"{file}.csv.gz", dtype={"area_code": str})
        rows = rows[rows["polarity"].isin(["higher", "lower"]) & ~rows["unit"].isin(TOTALS)]
        rows = rows[~is_aggregate(rows["area_code"])].dropna(subset=["value"])
        rows["period"] = pd.to_datetime(rows["period_start"])
        rows = rows.drop_duplicates(["indicator_id", "area_code", "period"])
        span = rows["frequency"].str.extract(r"^(\d)-year", expand=False).astype(float)
        sign = np.where(rows["polarity"] == "higher", 1.0, -1.0)
        rows = rows.assign(span_years=span.fillna(1.0), good=sign * rows["value"], variance=0.0)
        for indicator, of_one in rows.groupby("indicator_id"):
            yield file, str(indicator), of_one.reset_index(drop=True)


def groups(
    rows: pd.DataFrame, neighbours: dict[str, dict[str, list[str]]], councils: int, rng: Any
) -> Iterator[dict[str, Any]]:
    """Every group of one indicator: its leaders, and what became of them."""
    who, names = pd.factorize(rows["area_code"], sort=True)
    whole = Panel(rows, who, len(names), YEARS)
    later, before = LATER * 12, BEFORE * 12 + whole.years * 12
    usable = [
        at
        for at, month in enumerate(whole.months)
        if np.isin([month + later, month - before], whole.months).all()
    ]
    for at in sorted(rng.permutation(usable)[:ORIGINS]):
        until = (rows["period"] <= whole.periods[at]).to_numpy()
        panel = Panel(rows[until], who[until], len(names), YEARS)
        for own in rng.permutation(np.flatnonzero(np.isfinite(whole.good[:, at])))[:councils]:
            sets = {"all": np.arange(len(names)) != own}
            for scheme, lists in neighbours.items():
                sets[scheme] = names.isin(lists.get(names[own], []))
            for name, inside in sets.items():
                found = panel.group(inside, own)
                if found and found[1] == at:
                    yield from followed(whole, panel, at, found[0], own, name)


def followed(
    whole: Panel, panel: Panel, at: int, chosen: Any, own: int, name: str
) -> Iterator[Any]:
    """Follow the leaders of one group, as known then, two years on."""
    after = np.searchsorted(whole.months, whole.months[at] + 12 * LATER)
    past = np.searchsorted(whole.months, whole.months[at] - 12 * (whole.years + BEFORE))
    chosen = chosen[np.isfinite(whole.good[chosen][:, [after, past]]).all(axis=1)]
    if len(chosen) < FEWEST:
        return
    start = panel.start[chosen, at]
    end, last, first = (whole.good[chosen, place] for place in (at, after, past))
    told = shrunken(start, end, np.zeros(len(chosen)), *panel.noise(chosen, at))
    size = float(np.sqrt((told["improvement"] ** 2).sum() / (len(chosen) - 2)))
    if size == 0:
        return
    kept, afresh = (
        shrunken(start, value, np.zeros(len(chosen)), 0.0, 0)["improvement"]
        for value in (last, last - first)
    )
    noise = (1 - told["reliability"]) * size**2
    steps = (panel.good - panel.earlier(panel.good, panel.step))[chosen, : at + 1]
    steps = steps[:, np.isfinite(steps).any(axis=0)]
    steps = steps - np.nanmean(steps, axis=0)
    moves = np.maximum(np.nanvar(steps) - noise, 0) * (LATER + BEFORE) / panel.step
    half = (told["upper"] - told["shrunken"]) / NORMAL_95
    spread = NORMAL_95 * np.sqrt(half**2 + noise + moves)
    is_lead = (told["improvement"] > 0) & (whole.good[chosen, at] > whole.good[own, at])
    is_lead &= panel.good[chosen, at] > start
    order = np.argsort(-told["shrunken"])
    for place, row in enumerate(order[is_lead[order]][:KEPT]):
        rest = np.delete(last - end, row).mean()
        yield {
            "set": name,
            "place": place + 1,
            "raw": told["improvement"][row] / size,
            "shrunken": told["shrunken"][row] / size,
            "kept": kept[row] / size,
            "afresh": afresh[row] / size,
            "worse": (last - end)[row] < rest,
            "covered": abs(afresh[row] - told["shrunken"][row]) <= spread[row],
            "stands_out": told["lower"][row] > 0,
            "reliability": told["reliability"][row],
        }


def summary(table: pd.DataFrame) -> pd.Series:
    """Figures of one lot of leads."""
    wild = table["afresh"].sum() / table["shrunken"].sum()
    later = table[["kept", "afresh"]].clip(-WILD, WILD)
    table = table.assign(kept=later["kept"], afresh=later["afresh"])
    out = table[table["stands_out"]]
    return pd.Series(
        {
            "leads": len(table),
            "raw: left, same start": table["kept"].sum() / table["raw"].sum(),
            "raw: left, afresh": table["afresh"].sum() / table["raw"].sum(),
            "then worse than the rest": table["worse"].mean(),
            "shrunken: kept / told": table["kept"].sum() / table["shrunken"].sum(),
            "shrunken: afresh / told": table["afresh"].sum() / table["shrunken"].sum(),
            "the same, none cut at 8": wild,
            "cover": table["covered"].mean(),
            "stand out": len(out) / len(table),
            "their cover": out["covered"].mean(),
            "of these still ahead": (out["kept"] > 0).mean(),
            "of these afresh / told": out["afresh"].sum() / out["shrunken"].sum(),
        }
    )


def exam(data: Path, councils: int, seed: int = 20261031) -> pd.DataFrame:
    """Every followed lead of every group."""
    lists = pd.read_csv(data / "lookups" / "neighbours.csv.gz")
    neighbours = {
        str(scheme): of_one.groupby("area_code")["neighbour_code"].agg(list).to_dict()
        for scheme, of_one in lists[lists["scheme"].isin(SCHEMES)].groupby("scheme")
    }
    rng, found = np.random.default_rng(seed), []
    for file, indicator, rows in indicators(data):
        half = "chosen on" if crc32(indicator.encode()) % 2 == 0 else "held out"
        for lead in groups(rows, neighbours, councils, rng):
            found.append(lead | {"file": file, "indicator": indicator, "half": half})
    return pd.DataFrame(found)


def main() -> None:
    options = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    options.add_argument("data", type=Path, nargs="?", default=Path("../shared/data"))
    options.add_argument("--councils", type=int, default=3, help="councils an origin")
    chosen = options.parse_args()
    table = exam(chosen.data, chosen.councils)
    first = table[table["place"] == 1]
    print(f"{len(first):,} groups of {table['indicator'].nunique()} indicators; leaders by half:")
    print(first.groupby("half").apply(summary).T.round(3).to_string())
    print("\nleaders of the held-out half, by source, by set and by reliability told:")
    held = first[first["half"] == "held out"]
    told = pd.cut(held["reliability"], [0, 0.2, 0.4, 0.6, 0.8, 1], include_lowest=True).astype(str)
    for by in (held["file"], held["set"], told):
        print(held.groupby(by).apply(summary).T.round(2).to_string(), end="\n\n")
    print("places one to five, held-out half:")
    five = table[table["half"] == "held out"]
    print(five.groupby("place").apply(summary).T.round(2).to_string())


if __name__ == "__main__":
    main()
