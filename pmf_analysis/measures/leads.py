"""Leads to follow up: which comparable councils improved most from a similar start.

Whoever stands first among many was partly lucky: of real leaders a third of the lead is gone two
years later, and two in three then do worse than the rest (benchmarks/leads.py). Three things are
done about that.

* A council that starts low tends to rise, whatever it does (regression to the mean: Galton 1886;
  Barnett, van der Pols and Dobson 2005). So an improvement is what a council gained beyond the
  gain usual in its group from the same start, by a straight line through the group.
* What is left is part noise. The noise of a change is learnt from the group's own record: chance
  in single values makes changes over one step as large as changes over two, lasting moves do not,
  so it is twice the variance of the former less that of the latter (the nugget of a variogram,
  both ends together). Where counts or intervals say that a council's own sampling error is larger
  or smaller than the group's, its noise is larger or smaller too.
* Each improvement is shrunk by its reliability, the share of its variance that is not noise (James
  and Stein 1961; Efron and Morris 1975). As a short record says little about noise, that share
  starts from what real groups had and moves to the group's own as its record grows.

A lead says whom to telephone, not what caused the improvement.
"""

from typing import Any

import numpy as np
import pandas as pd

from pmf_analysis.measures.arrays import Floats, Places
from pmf_analysis.measures.history import with_intervals, with_register
from pmf_analysis.measures.peers import tidy_peer_sets, usable_rows
from pmf_analysis.measures.polarity import SIGNS, band_distance, undeclared

FEWEST = 10  # councils with both values below which nothing is said
MANY = 30  # councils above which only the third with the most similar start is compared
KEPT = 5
FEWEST_ROUND_MEAN = 5  # councils of a period whose changes are held against their mean
LARGEST_CHANGE = 4.0  # in robust standard deviations: one slip of the pen is not a group's noise
# Learnt on half of the real groups of benchmarks/leads.py, and held on the other half:
USUAL_RELIABILITY = 0.5  # of improvements over three years
ITS_WEIGHT = 80.0  # two-step changes in a group's record that count as much as the usual
DOUBT = 0.15  # standard error of a reliability
NORMAL_95 = 1.96
_TEXT = ["series", "indicator", "peer_set", "area", "area_name"]
COLUMNS = ["series", "indicator", "peer_set", "place", "area", "area_name", "start_period"]
COLUMNS += ["period", "start_value", "value", "improvement", "shrunken", "lower", "upper"]
COLUMNS += ["own_improvement", "group_improvement", "n_group", "years", "reliability", "stands_out"]


def leads(
    observations: pd.DataFrame,
    register: pd.DataFrame,
    *,
    area: str,
    peer_sets: pd.DataFrame,
    years: int = 3,
) -> pd.DataFrame:
    """Find the members of each peer set that improved most, for every series of one authority.

    A pair is looked at in the newest period in which we and ten members have a value, and those
    members one `years` earlier too. Of more than 30 such members only the third (at least ten)
    whose start was nearest to ours is compared.

    Parameters
    ----------
    observations
        Main frame of measures, all areas. Missing values, and rows marked `is_exceptional`, are
        left out: such a period is neither start nor end.
    register
        As `comparison.compare` takes it. Totals, money in current prices, weekly figures and
        indicators of which nobody said what is better are left out.
    peer_sets
        peer_set, member, member_name, rank: the sets of this authority.
    years
        Years between start and end; as many as a rolling window covers where that is longer.

    Returns
    -------
    DataFrame
        At most five rows a series and set, the largest shrunken improvement first; none where
        fewer than ten members can be compared or nobody differs. Columns as docs/result-tables.md
        has them, without labels. Positive is better; lower and upper are the 95 % interval of the
        improvement without noise, with the doubt about its reliability.
    """
    members = tidy_peer_sets(peer_sets, area)
    rows = _comparable(observations, register, [area, *members["member"]])
    sets = dict(list(members.groupby("peer_set")))
    found = [pd.DataFrame(columns=COLUMNS)]
    for _, of_one in rows.groupby("key"):
        panel = _Panel(of_one, area, years)
        found += [panel.leads(group).assign(peer_set=name) for name, group in sets.items()]
    table = pd.concat([one for one in found if len(one)] or found)
    table = table.sort_values(["series", "peer_set", "place"], ignore_index=True)[COLUMNS]
    return table.astype(dict.fromkeys(_TEXT, "str"))


def _comparable(
    observations: pd.DataFrame, register: pd.DataFrame, areas: list[str]
) -> pd.DataFrame:
    """Rows that may be compared over time, with `good` (more is better) and `variance`."""
    rows = with_register(observations[observations["area"].isin(areas)], register)
    out = (rows["data_type"] == "count") | (rows["price_basis"] == "current")
    out |= (rows["periods_per_year"] > 12) | (rows["polarity"] == "none")
    for unknown, _ in undeclared(rows):
        out |= unknown
    out |= rows.get("is_exceptional", pd.Series(False, rows.index)).astype(bool)
    rows = with_intervals(usable_rows(rows[~out]))
    distance = band_distance(rows["value"], rows["target_low"], rows["target_high"])
    good = (rows["value"] * rows["polarity"].map(SIGNS)).mask(
        rows["polarity"] == "range", -distance
    )
    variance = ((rows["upper"] - rows["lower"]) / (2 * NORMAL_95)) ** 2
    return rows.assign(good=good, variance=variance.fillna(0.0))


class _Panel:
    """Values (areas, periods) of all areas beside one of our series."""

    def __init__(self, rows: pd.DataFrame, area: str, years: int) -> None:
        who, names = pd.factorize(rows["area"], sort=True)
        self.periods, when = np.unique(rows["period"].to_numpy(), return_inverse=True)
        self.months = self.periods.astype("datetime64[M]").astype(np.int64)
        known = np.full((3, len(names), len(self.periods)), np.nan)
        known[:, who, when] = rows[["good", "value", "variance"]].to_numpy(float).T
        self.good, self.value, self.variance = known
        self.step = int(np.ceil(rows["span_years"].iloc[0]))  # years between separate windows
        self.years = max(years, self.step)
        self.names, self.own = names, names.get_indexer(pd.Index([area]))[0]
        mine = rows.loc[rows["area"] == area, ["series", "indicator"]]
        self.titles = dict(mine.iloc[0]) if len(mine) else {}

    def earlier(self, values: Floats, years: int) -> Floats:
        """Value so many years before each place; NaN where there is none."""
        wanted = self.months - 12 * years
        place = np.searchsorted(self.months, wanted)
        return np.where(self.months[place] == wanted, values[:, place], np.nan)

    def leads(self, members: pd.DataFrame) -> pd.DataFrame:
        """Rows of the table for one set."""
        start = self.earlier(self.good, self.years)
        both = np.isfinite(self.good + start) & self.names.isin(members["member"])[:, None]
        shared = np.isfinite(self.good[self.own]) & (both.sum(axis=0) >= FEWEST)
        if self.own < 0 or not shared.any():
            return pd.DataFrame()
        at = int(np.flatnonzero(shared)[-1])
        chosen, begin = np.flatnonzero(both[:, at]), start[:, at]
        if len(chosen) > MANY and np.isfinite(begin[self.own]):
            order = np.argsort(np.abs(begin[chosen] - begin[self.own]), kind="stable")
            chosen = np.sort(chosen[order[: max(FEWEST, -(-len(chosen) // 3))]])
        sampling = self.variance + self.earlier(self.variance, self.years)
        end, noise = self.good[chosen, at], self._noise(chosen, at)
        table = shrunken(begin[chosen], end, sampling[chosen, at], *noise)
        change = self.good[:, at] - begin
        where = np.searchsorted(self.months, self.months[at] - 12 * self.years)
        table = table.assign(
            **self.titles,
            area=self.names[chosen],
            start_period=self.periods[where],
            period=self.periods[at],
            start_value=self.value[chosen, where],
            value=self.value[chosen, at],
            own_improvement=change[self.own],
            group_improvement=change[chosen].mean(),
            n_group=len(chosen),
            years=self.years,
        )
        by = ["shrunken", "improvement", "area"]
        table = table[table["improvement"] > 0].sort_values(by, ascending=[False, False, True])
        table = table.head(KEPT).assign(place=range(1, min(KEPT, len(table)) + 1))
        names = members.set_index("member")["member_name"]
        table["area_name"] = table["area"].map(names)
        return table

    def _noise(self, chosen: Places, at: int) -> tuple[float, int]:
        """Noise variance of a change in the record until then; two-step changes it rests on."""
        squares, n = [], 0
        for years in (self.step, 2 * self.step):
            change = (self.good - self.earlier(self.good, years))[chosen, : at + 1]
            count = np.isfinite(change).sum(axis=0)
            change, count = change[:, count >= FEWEST_ROUND_MEAN], count[count >= FEWEST_ROUND_MEAN]
            n = int(count.sum())
            if not n:
                return 0.0, 0
            change = change - np.nanmean(change, axis=0)
            limit = LARGEST_CHANGE * 1.4826 * np.nanmedian(np.abs(change)) or np.inf
            inside = np.clip(change, -limit, limit) ** 2 * (count / (count - 1))
            squares.append(float(np.nanmean(inside)))
        return max(2 * squares[0] - squares[1], 0.0), n


def shrunken(start: Floats, end: Floats, sampling: Floats, scatter: float, n: int) -> pd.DataFrame:
    """Improvement of each council of a group beyond the usual, and what noise leaves of it.

    Parameters
    ----------
    start, end
        Values in which more is better.
    sampling
        Sampling variance of each change; 0 where unknown.
    scatter, n
        Noise variance of a change in the group's record, and two-step changes it rests on.

    Returns
    -------
    DataFrame
        improvement, shrunken, lower, upper, reliability, stands_out (1 where lower is above 0); no
        rows where all changes are what the start made usual.
    """
    centred = start - start.mean()
    squares = float(centred @ centred) or 1.0
    lead = end - end.mean() - centred * (centred @ end / squares)
    variance = float(lead @ lead) / (len(lead) - 2)
    if variance <= (1e-9 * np.abs(end).max()) ** 2:
        return pd.DataFrame({"improvement": lead[:0], "shrunken": lead[:0]})
    trust = n / (n + ITS_WEIGHT)
    share = trust * max(1 - scatter / variance, 0) + (1 - trust) * USUAL_RELIABILITY
    noise = np.maximum((1 - share) * variance - sampling.mean(), 0) + sampling
    lasting = max(variance - noise.mean(), 0)
    reliability = lasting / np.maximum(lasting + noise, variance * 1e-9)
    line = reliability**2 * variance * (1 / len(lead) + centred**2 / squares)
    spread = NORMAL_95 * np.sqrt(reliability * noise + (DOUBT * lead) ** 2 + line)
    kept = reliability * lead
    columns: dict[str, Any] = {"improvement": lead, "shrunken": kept, "lower": kept - spread}
    columns |= {"upper": kept + spread, "reliability": reliability}
    return pd.DataFrame(columns | {"stands_out": (kept > spread).astype(int)})
