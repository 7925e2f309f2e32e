"""Everything a council's reports say of its trends: tables in, result tables out."""

import pandas as pd

from pmf_analysis.measures import events
from pmf_analysis.measures.arrays import Frame
from pmf_analysis.measures.chance_signals import expected_signals, fine_figures, off_target
from pmf_analysis.measures.frames import KnownCouncil
from pmf_analysis.measures.questions import target_lines
from pmf_analysis.measures.result_tables import clipped, complete_trends, with_labels
from pmf_analysis.measures.special_causes import rule_set
from pmf_analysis.measures.trend import trend_verdicts
from pmf_analysis.parameters.workspace import Parameters

SHOWN_LIMITS = ["lower_limit", "upper_limit"]


def trend_tables(
    council: KnownCouncil, live: Frame, parameters: Parameters, *, restated: Frame | None, seed: int
) -> dict[str, Frame]:
    """Trends, points and events of every own series, and what chance makes of the packs.

    Parameters
    ----------
    live, restated
        As `questions.live_targets` and `Store.restatements` give them.
    """
    own, register, changes, as_at = council.own, council.register, council.changes, council.as_at
    lines = target_lines(live, own)
    declared = parameters.framework.trend_rules
    rules = rule_set(declared.profile, **declared.model_dump(exclude={"profile"}))
    frozen, period = events.declared_baselines(parameters, as_at), council.period
    trends, points = trend_verdicts(
        own, register, targets=lines, changes=changes, baselines=frozen, rules=rules, period=period
    )
    recorded = events.recorded_events(changes, parameters, as_at)
    steps = events.suggested_steps(events.independent_levels(trends, points))
    told = events.chart_events(own, register, recorded, restated=restated, suggested=steps)
    trends = complete_trends(trends, own, register, lines, area=council.area, as_at=as_at)
    points = with_labels(points, register).merge(lines, on=["series", "period"], how="left")
    themes = {name: entry.themes for name, entry in parameters.register.indicators.items()}
    ours = trends[trends["control"] != "city"]  # nobody is off target who does not control it
    expected = expected_signals(trends, points, themes, rules=rules, seed=seed)
    return {
        "trends": clipped(fine_figures(trends), register, SHOWN_LIMITS),
        "points": clipped(points, register, SHOWN_LIMITS),
        "events": events.with_baselines_used(told, trends),
        "packs": pd.concat([expected, off_target(points, ours, themes)], ignore_index=True),
    }
