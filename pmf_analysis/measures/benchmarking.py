"""Everything that a council's comparison with others consists of, from one panel of values.

Value for money is told by two percentiles side by side, year by year: what a service costs beside
what it achieves, among like councils. Cost has no good direction here: to spend less is not better.
A year alone is no verdict, as spend and performance of one year are both moved by chance.
"""

from collections.abc import Mapping, Sequence
from datetime import date

import numpy as np
import pandas as pd

from pmf_analysis.measures import areas, arrays, comparison, denominators, equality, frames
from pmf_analysis.measures.arrays import FEWEST_PEERS, PAIR, SENTENCES, TABLES, Column, Frame
from pmf_analysis.measures.gaps import gap_trends
from pmf_analysis.measures.leads import leads
from pmf_analysis.measures.peer_sets import chosen_peer_sets
from pmf_analysis.measures.peers import with_nation
from pmf_analysis.measures.result_tables import labels, with_labels
from pmf_analysis.parameters.models import Framework, ValuePair
from pmf_analysis.parameters.workspace import Parameters

_SET = arrays.constants("benchmarking")
MIDDLE = (40.0, 60.0)  # a percentile within is neither low nor high


def followed_panel(
    panel: Frame, tables: Mapping[str, Frame], parameters: Parameters, register: Frame, as_at: date
) -> tuple[Frame, Frame, Frame, Frame]:
    """Make a panel in which councils can be compared over time, and say with whom.

    Returns the panel with reorganised councils followed and rates standardised where declared, all
    peer sets of the council, the breaks in its own series, and notes on areas and denominators.
    """
    area = parameters.framework.council.area_code
    told = areas.area_notes(tables["area_changes"], panel, area)
    notes = pd.concat([told, denominators.denominator_notes(panel, register)], ignore_index=True)
    changes = areas.trusted_changes(tables["area_changes"], panel)
    peer_sets = chosen_peer_sets(tables["peer_sets"], parameters, area, panel, as_at)
    peer_sets = areas.current_members(peer_sets, changes, as_at, area=area)
    both = [area, *peer_sets["member"].unique()]
    panel, breaks = areas.follow_areas(panel, changes, register, both)
    return denominators.standardised(panel, register), peer_sets, breaks, notes


def benchmark_tables(
    council: frames.KnownCouncil, framework: Framework, *, peer_set: str, used: Mapping[str, str]
) -> dict[str, Frame]:
    """Compare one council with others in every way, and return the result tables by name.

    Parameters
    ----------
    peer_set, used
        The run's peer set, for value for money; the set of each indicator, for leads.

    Returns
    -------
    dict
        comparisons, peers, gaps, funnels, robustness, leads, equality, value; see
        docs/result-tables.md. Without peers only equality has rows.
    """
    panel, register, rules = council.panel, council.register, framework.comparison
    area, peer_sets, whole = council.area, council.peer_sets, panel[panel["dimension"] == ""]
    found = comparison.compare(whole, register, rules, area=area, peer_sets=peer_sets)
    facts = peer_sets.drop_duplicates("peer_set").set_index("peer_set")[_SET.set_facts]
    comparisons = found.comparisons.join(facts.add_prefix("peer_set_"), on="peer_set")
    # the gap over time is told of the set that an indicator is compared with
    chosen = comparisons["peer_set"] == comparisons["indicator"].map(used)
    moved, gaps = gap_trends(found.gaps, comparisons[chosen], register)
    comparisons = comparisons.merge(moved, on=PAIR, how="left")
    since = labels(comparisons["indicator"], comparisons["gap_since"], register)
    comparisons = comparisons.assign(gap_since=since).fillna({"gap_verdict": "", "gap_reason": ""})
    wanted = peer_sets[peer_sets["peer_set"].isin([peer_set, *used.values()])]
    found_leads = leads(whole, register, area=area, peer_sets=wanted, years=rules.lead_years)
    found_leads = found_leads[found_leads["peer_set"] == found_leads["indicator"].map(used)]
    mine = peer_sets[peer_sets["peer_set"] == peer_set]
    paid = value_for_money(whole, register, framework.value_for_money, area=area, peer_sets=mine)
    starts = labels(found_leads["indicator"], found_leads["start_period"], register)
    short = register.set_index("indicator")["short_title"]
    titles = {f"{of}_title": paid[f"{of}_indicator"].map(short) for of in ("cost", "performance")}
    years = labels(paid["cost_indicator"], paid["period"], register)
    return found._asdict() | {
        "comparisons": with_labels(with_nation(comparisons, whole, register, area), register),
        "gaps": with_labels(gaps, register),
        "robustness": found.robustness.join(facts["title"].rename("peer_set_title"), on="peer_set"),
        "leads": with_labels(found_leads, register).assign(start_label=starts),
        "equality": with_labels(equality.equality_gaps(panel, register, area=area), register),
        "value": paid.assign(**titles, year_label=years),
    }


def value_for_money(
    panel: Frame, register: Frame, pairs: Sequence[ValuePair], *, area: str, peer_sets: Frame
) -> Frame:
    """Place a council among its peers by cost and by performance, for declared pairs.

    Parameters
    ----------
    panel, register
        Main frame of measures, all areas, and one row an indicator with its polarity.
    pairs
        id, title, cost and performance (indicators).
    peer_sets
        peer_set, member, member_name. A council is a peer where it has both figures.

    Returns
    -------
    DataFrame
        A row a pair, set, year and council: pair, title, cost_indicator, performance_indicator,
        peer_set, period (of the cost), is_newest, area, area_name, is_own, cost_value,
        performance_value, cost_percentile (share of the peers that cost less, equals half),
        performance_percentile (share that do worse), n_peers, and on own rows quadrant, verdict,
        years_same, years, reason. Of our newest three years with both figures; those in which fewer
        than five peers have both count only where there is no other. The performance is that of the
        period that ends in the year of the cost, the last of several; failing that, the one that
        ends nearest, within a year. Peers count with those same two periods. A quadrant that all
        known years share, at least two, is the verdict; no sampling error is allowed for, and the
        reason says so. Below five peers with both figures, or without a better direction, there is
        no quadrant.
    """
    found = [pd.DataFrame()]
    whole = panel[(panel["dimension"] == "") & panel["value"].notna()]
    for pair in pairs:
        both = _matched(whole, pair, area)
        polarity = str(register.set_index("indicator")["polarity"].get(pair.performance, "unknown"))
        for name, members in peer_sets[peer_sets["member"] != area].groupby("peer_set"):
            inside = both[both["area"].isin([area, *members["member"]])]
            told = {"pair": pair.id, "title": pair.title, "peer_set": str(name)}
            told |= {"cost_indicator": pair.cost, "performance_indicator": pair.performance}
            found.append(_placed(inside, area, polarity).assign(**told))
    return pd.concat(found[1:] or found, ignore_index=True).reindex(columns=TABLES["value"])


def _matched(whole: Frame, pair: ValuePair, area: str) -> Frame:
    """Cost and performance of every council in our years; periods are never mixed."""
    keys = ["indicator", "area", "period"]
    newest = whole.sort_values("definition_version").drop_duplicates(keys, keep="last")
    costs = newest[newest["indicator"] == pair.cost].rename(columns={"value": "cost_value"})
    done = newest.loc[newest["indicator"] == pair.performance, ["area", "period_end", "value"]]
    done = done.rename(columns={"period_end": "ends", "value": "performance_value"})
    columns = ["area", "area_name", "period", "period_end", "cost_value"]
    ours = costs.loc[costs["area"] == area, columns].merge(done, on="area")
    days = (ours["ends"] - ours["period_end"]).dt.days.abs()
    inside = ours["ends"].between(ours["period"], ours["period_end"])
    ours = ours.assign(off=days + np.where(inside, 0, _SET.year))[inside | (days <= _SET.year)]
    ours = ours.sort_values(["off", "ends"]).drop_duplicates("period").sort_values("period")
    return costs[columns].merge(ours[["period", "ends"]]).merge(done)


def _placed(both: Frame, area: str, polarity: str) -> Frame:
    """Percentiles in each year, and the verdict over the years on our own rows."""
    both = both.assign(is_own=both["area"] == area)
    peers = (~both["is_own"]).groupby(both["period"]).sum()
    # A year that only we have yet is not compared; without a better one it says why not.
    kept = peers.index[peers >= FEWEST_PEERS][-_SET.years :]
    rows = both[both["period"].isin(kept if len(kept) else peers.index[-1:])]
    rows = rows.sort_values(["period", "area"], ignore_index=True)
    own, judged = rows["is_own"], polarity in ("higher", "lower")
    n = (~own).groupby(rows["period"]).transform("sum")
    # For a peer the others are the set without it, and with us in it.
    high = rows[["cost_value", "performance_value"]] * [1, -1 if polarity == "lower" else 1]
    below = high.groupby(rows["period"]).rank(method="average") - 1
    rows[_SET.places] = 100 * below.div(n.where(n > 0), axis=0)
    rows = rows.assign(n_peers=n, is_newest=rows["period"] == rows["period"].max())
    quadrant = _quadrant(rows).where(own & judged & (n >= FEWEST_PEERS), "")
    verdict = _verdict(quadrant[own].iloc[::-1].tolist(), judged)
    rows = rows.assign(quadrant=quadrant, verdict="", years_same=np.nan, years=np.nan, reason="")
    rows.loc[own, ["verdict", "years_same", "years", "reason"]] = verdict
    return rows


def _quadrant(rows: Frame) -> Column:
    cost, done = (rows[name] for name in _SET.places)
    in_middle = cost.between(*MIDDLE) | done.between(*MIDDLE)
    words = np.where(cost > MIDDLE[1], "high_cost_", "low_cost_").astype(object)
    words += np.where(done > MIDDLE[1], "high_performance", "low_performance")
    return pd.Series(np.where(in_middle, "middle", words), rows.index, dtype="str")


def _verdict(quadrants: list[str], judged: bool) -> tuple[str, int, int, str]:
    """Verdict, years that agree with the newest, years known, reason; newest year first."""
    n = sum(map(bool, quadrants))
    if not any(quadrants[:1]):
        return "cannot_judge", 0, n, SENTENCES["few_pairs" if judged else "no_better_way"]
    same = quadrants.count(quadrants[0])
    verdict = "one_year" if n == 1 else quadrants[0] if same == n else "changing"
    reason = SENTENCES.get(verdict, SENTENCES["no_sampling_error"])
    return verdict, same, n, reason.format(same, n)
