"""Leads to follow up: which comparable councils improved most from a similar start.

Whoever stands first among many was partly lucky. Of the leads of 5,215 real leaders 30 % was gone
two years later, four tenths when measured afresh at both ends, and two in three leaders then did
worse than the rest (benchmarks/leads.py). Three things are done about that; what is left was then
found again: 1.03 and 1.15 of it, on the half of the indicators that the method was chosen on and on
the other. Of those who stand out, the interval held 91 % and 94 %.

* A council that starts low tends to rise, whatever it does (regression to the mean: Galton 1886;
  Barnett, van der Pols and Dobson 2005). So an improvement is what a council gained beyond the
  gain usual in its group from the same start, by a straight line through the group.
* What is left is part noise. The noise of a change is learnt from the group's own record: chance
  in single values makes changes over one step as large as changes over two, lasting moves do not,
  so it is twice the variance of the former less that of the latter (the nugget of a variogram,
  both ends together). A council whose own record is more restless than the group's, or whose
  sampling error is larger by counts or intervals, has more noise, a quieter one less.
* Each improvement is shrunk by its reliability, the share of its variance that is not noise (James
  and Stein 1961; Efron and Morris 1975). As a short record says little about noise, that share
  starts from what real groups had and moves to the group's own as its record grows.

A lead says whom to telephone, not what caused the improvement.
"""

from typing import Any

import numpy as np
import pandas as pd

from pmf_analysis.measures import history, peers, polarity
from pmf_analysis.measures.arrays import PAIR, TYPES, Flags, Floats, Frame, Places, constants

FEWEST = 10  # councils with both values below which nothing is said
_SET = constants("leads")
KEPT = 5
# Learnt on half of the real groups of benchmarks/leads.py, and held on the other half:
USUAL_RELIABILITY = 0.5  # of improvements over three years
ITS_WEIGHT = 80.0  # two-step changes in a group's record that count as much as the usual
NORMAL_95 = 1.96


def leads(known: Frame, register: Frame, *, area: str, peer_sets: Frame, years: int = 3) -> Frame:
    """Find the members of each peer set that improved most, for every series of one authority.

    A pair is looked at in the newest period in which we and ten members have a value, and those
    members one `years` earlier too. Of more than 30 such members only the third (at least ten)
    whose start was nearest to ours is compared.

    Parameters
    ----------
    known
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
        At most five rows a series and set, the largest shrunken improvement first, of councils
        whose own value moved for the better and is now better than ours; none where fewer than
        ten members can be compared or nobody differs. Columns as docs/result-tables.md
        has them, without labels. Positive is better; lower and upper are the 95 % interval of the
        improvement without noise, with the doubt about its reliability.
    """
    members = peers.tidy_peer_sets(peer_sets, area)
    rows = _comparable(known, register, [area, *members["member"]])
    who, names = pd.factorize(rows["area"], sort=True)
    own, found = int(names.get_indexer(pd.Index([area]))[0]), []
    sets = {name: names.isin(group["member"]) for name, group in members.groupby("peer_set")}
    for places in rows.groupby("key").indices.values():
        mine = places[who[places] == own]
        if len(mine):
            panel = Panel(rows.iloc[places], who[places], len(names), years)
            told = rows.loc[mine[0], ["series", "indicator"]].to_dict()
            for name, inside in sets.items():
                found.append(pd.DataFrame(told | {"peer_set": name} | panel.leads(inside, own)))
    types = TYPES["leads"]
    empty = pd.DataFrame(columns=[*types, "is_lead"])
    table = pd.concat([one for one in found if len(one)] or [empty])
    table["area"] = pd.Series(names, dtype="str").reindex(table["area"]).to_numpy()
    called = members.drop_duplicates("member").set_index("member")["member_name"]
    table["area_name"] = table["area"].map(called)
    table = table[table["is_lead"].astype(bool) & (table["improvement"] > 0)]
    order = [*PAIR, "shrunken", "improvement"]
    table = table.sort_values(order, ascending=[True, True, False, False], kind="stable")
    table["place"] = table.groupby(PAIR).cumcount() + 1
    table["stands_out"] = table["lower"] > 0
    return table[table["place"] <= KEPT].astype(types)[list(types)].reset_index(drop=True)


def _comparable(observations: Frame, register: Frame, areas: list[str]) -> Frame:
    """Rows that may be compared over time, with `good` (more is better) and `variance`."""
    rows = history.with_register(observations[observations["area"].isin(areas)], register)
    out = rows.get("is_exceptional", pd.Series(False, rows.index)).astype(bool)
    out |= (rows["data_type"] == "count") | (rows["price_basis"] == "current")
    out |= (rows["periods_per_year"] > 12) | (rows["polarity"] == "none")
    for unknown, _ in polarity.undeclared(rows):
        out |= unknown
    rows = history.with_intervals(peers.usable_rows(rows[~out])).reset_index(drop=True)
    distance = polarity.band_distance(rows["value"], rows["target_low"], rows["target_high"])
    sign = rows["polarity"].map(polarity.SIGNS).astype(float)
    good = (sign * rows["value"]).mask(rows["polarity"] == "range", -distance)
    variance = ((rows["upper"] - rows["lower"]) / (2 * NORMAL_95)) ** 2
    kept = ["key", "series", "indicator", "area", "period", "span_years", "value"]
    return rows[kept].assign(good=good, variance=variance)


class Panel:
    """Values (areas, periods) of all areas for one of our series; in `good` more is better."""

    def __init__(self, rows: Frame, who: Places, areas: int, years: int) -> None:
        self.periods, when = np.unique(rows["period"].to_numpy(), return_inverse=True)
        self.months = self.periods.astype("datetime64[M]").astype(np.int64)
        known = np.full((3, areas, len(self.periods)), np.nan)
        known[:, who, when] = rows[["good", "value", "variance"]].to_numpy(float).T
        self.step = int(np.ceil(rows["span_years"].iloc[0]))  # years between separate windows
        self.years = max(years, self.step)
        self.good, self.value, self.variance = known
        self.start, self.start_value, self.start_variance = self.earlier(known, self.years)

    def earlier(self, values: Floats, years: int) -> Floats:
        """Value so many years before each place; NaN where there is none."""
        wanted = self.months - 12 * years
        place = np.searchsorted(self.months, wanted)
        return np.where(self.months[place] == wanted, values[..., place], np.nan)

    def leads(self, members: Flags, own: int) -> dict[str, Any]:
        """Columns of the table, a row a member with a similar start (its place in `area`)."""
        both = np.isfinite(self.good + self.start) & members[:, None]
        shared = np.isfinite(self.good[own]) & (both.sum(axis=0) >= FEWEST)
        if not shared.any():
            return {"area": []}
        at = int(np.flatnonzero(shared)[-1])
        chosen = np.flatnonzero(both[:, at])
        apart = np.abs(self.start[chosen, at] - self.start[own, at])
        if len(chosen) > _SET.many and np.isfinite(apart).all():
            nearest = np.argsort(apart, kind="stable")[: max(FEWEST, -(-len(chosen) // 3))]
            chosen = np.sort(chosen[nearest])
        group = chosen, at
        change = self.good[:, at] - self.start[:, at]
        begun = self.periods[np.searchsorted(self.months, self.months[at] - 12 * self.years)]
        sampling = self.variance[group] + self.start_variance[group]
        told = {"area": chosen, "start_period": begun, "period": self.periods[at]}
        told |= {"start_value": self.start_value[group], "value": self.value[group]}
        told |= {"own_improvement": change[own], "group_improvement": change[chosen].mean()}
        told |= {"n_group": len(chosen), "years": self.years}
        told["is_lead"] = (change[chosen] > 0) & (self.good[chosen, at] > self.good[own, at])
        return told | shrunken(self.start[group], self.good[group], sampling, *self.noise(*group))

    def noise(self, chosen: Places, at: int) -> tuple[float, int, Floats]:
        """Noise variance of a change, two-step changes it rests on, and each council's share.

        Of the record until then. The share is how restless a council's own steps were: their mean
        square beside the group's, drawn towards 1 where there are few.
        """
        squares, n, own = [], 0, np.ones(len(chosen))
        for years in (self.step, 2 * self.step):
            change = (self.good - self.earlier(self.good, years))[chosen, : at + 1]
            count = np.isfinite(change).sum(axis=0)
            change, count = change[:, count > 1], count[count > 1]
            n = int(count.sum())
            if not n:
                return 0.0, 0, own
            change = change - np.nanmean(change, axis=0)
            limit = _SET.largest_change * 1.4826 * np.nanmedian(np.abs(change)) or np.inf
            inside = np.clip(change, -limit, limit) ** 2 * (count / (count - 1))
            squares.append(float(np.nanmean(inside)))
            if years == self.step and squares[0]:
                own = np.nansum(inside, axis=1) / squares[0] + _SET.group_weight
                own = own / (np.isfinite(inside).sum(axis=1) + _SET.group_weight)
        return max(2 * squares[0] - squares[1], 0.0), n, own


def shrunken(
    start: Floats, end: Floats, sampling: Floats, scatter: float, n: int, own: Floats | float = 1.0
) -> dict[str, Floats]:
    """Improvement of each council of a group beyond the usual, and what noise leaves of it.

    Parameters
    ----------
    start, end
        Values in which more is better.
    sampling
        Sampling variance of each change; where NaN, the mean of those known.
    scatter, n
        Noise variance of a change in the group's record, and two-step changes it rests on.
    own
        Noise of each council as a multiple of the group's.

    Returns
    -------
    dict
        improvement, shrunken, lower, upper, reliability: arrays in the order of the councils, all
        0 where every change is just what the start made usual.
    """
    centred = start - start.mean()
    squares = float(centred @ centred) or 1.0
    lead = end - end.mean() - centred * (centred @ end / squares)
    lead[np.abs(lead) <= _SET.precision * np.abs(end).max()] = 0.0
    variance = float(lead @ lead) / (len(lead) - 2)
    trust = n / (n + ITS_WEIGHT)
    share = trust * (1 - min(scatter / (variance or 1.0), 1.0)) + (1 - trust) * USUAL_RELIABILITY
    known = sampling[~np.isnan(sampling)]
    sampling = np.nan_to_num(sampling, nan=known.mean() if len(known) else 0.0)
    noise = np.maximum((1 - share) * variance * own - sampling.mean(), 0) + sampling
    lasting = max(variance - noise.mean(), 0)
    reliability = lasting / np.maximum(lasting + noise, np.finfo(float).tiny)
    line = reliability**2 * variance * (1 / len(lead) + centred**2 / squares)
    spread = NORMAL_95 * np.sqrt(reliability * noise + (_SET.doubt * lead) ** 2 + line)
    kept = reliability * lead
    found = {"improvement": lead, "shrunken": kept, "lower": kept - spread, "upper": kept + spread}
    return found | {"reliability": reliability}
