"""Everything that a council's comparison with others consists of, from one panel of values."""

from collections.abc import Mapping, Sequence
from datetime import date

import pandas as pd

from pmf_analysis.measures import areas, comparison, denominators, equality, standardised, value
from pmf_analysis.measures.arrays import PAIR, Frame
from pmf_analysis.measures.gaps import gap_trends
from pmf_analysis.measures.leads import leads
from pmf_analysis.measures.peer_sets import chosen_peer_sets
from pmf_analysis.measures.peers import with_nation
from pmf_analysis.measures.result_tables import labels, with_labels
from pmf_analysis.parameters.models import ComparisonRules, ValuePair
from pmf_analysis.parameters.workspace import Parameters

SET_FACTS = ["title", "source", "as_at", "method"]


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
    return standardised.standardised(panel, register), peer_sets, breaks, notes


def benchmark_tables(
    panel: Frame,
    register: Frame,
    *,
    area: str,
    peer_sets: Frame,
    rules: ComparisonRules,
    pairs: Sequence[ValuePair],
    peer_set: str,
    used: Mapping[str, str],
) -> dict[str, Frame]:
    """Compare one council with others in every way, and return the result tables by name.

    Parameters
    ----------
    panel, register
        Main frame of measures, all areas, and one row an indicator.
    peer_sets
        peer_set, member, member_name, rank, title, source, as_at, method: all of the council's.
    rules, pairs
        As the framework declares them.
    peer_set, used
        The run's peer set, for value for money; the set of each indicator, for leads.

    Returns
    -------
    dict
        comparisons, peers, gaps, funnels, robustness, leads, equality, value; see
        docs/result-tables.md. Without peers only equality has rows.
    """
    whole = panel[panel["dimension"] == ""]
    how = rules.model_dump(include={"overdispersion", "gap_years"})
    how |= {"area": area, "peer_sets": peer_sets, "level": rules.level / 100}
    found = comparison.compare(whole, register, **how)
    facts = peer_sets.drop_duplicates("peer_set").set_index("peer_set")[SET_FACTS]
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
    paid = value.value_for_money(whole, register, pairs, area=area, peer_sets=mine)
    starts = labels(found_leads["indicator"], found_leads["start_period"], register)
    costs, years = paid["cost_indicator"], paid["period"]
    short = register.set_index("indicator")["short_title"]
    for side in ("cost", "performance"):
        paid[f"{side}_title"] = paid[f"{side}_indicator"].map(short)
    return found._asdict() | {
        "comparisons": with_labels(with_nation(comparisons, whole, register, area), register),
        "gaps": with_labels(gaps, register),
        "robustness": found.robustness.join(facts["title"].rename("peer_set_title"), on="peer_set"),
        "leads": with_labels(found_leads, register).assign(start_label=starts),
        "equality": with_labels(equality.equality_gaps(panel, register, area=area), register),
        "value": paid.assign(year_label=labels(costs, years, register)),
    }
