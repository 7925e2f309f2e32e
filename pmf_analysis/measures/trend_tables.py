"""Everything a council's reports say of its trends: tables in, result tables out."""

from datetime import date

import pandas as pd

from pmf_analysis.measures.arrays import Frame
from pmf_analysis.measures.chance_signals import expected_signals, fine_figures, off_target
from pmf_analysis.measures.events import (
    chart_events,
    declared_baselines,
    independent_levels,
    recorded_events,
    with_baselines_used,
)
from pmf_analysis.measures.result_tables import clipped, complete_trends, with_labels
from pmf_analysis.measures.spc import rule_set
from pmf_analysis.measures.steps import suggested_steps
from pmf_analysis.measures.trend import trend_verdicts
from pmf_analysis.parameters.workspace import Parameters
from pmf_analysis.periods import Period

SHOWN_LIMITS = ["lower_limit", "upper_limit"]


def trend_tables(
    own: Frame,
    parameters: Parameters,
    *,
    register: Frame,
    lines: Frame,
    changes: Frame,
    restated: Frame | None,
    period: Period,
    as_at: date,
    seed: int,
) -> dict[str, Frame]:
    """Trends, points and events of every own series, and what chance makes of the packs.

    Parameters
    ----------
    own, register, lines
        As `frames.own_totals`, `frames.judged_register` and `questions.target_lines` give them.
    changes, restated
        Breaks and rebases as `events.declared_changes` gives them; `Store.restatements`.
    """
    declared = parameters.framework.trend_rules
    rules = rule_set(declared.profile, **declared.model_dump(exclude={"profile"}))
    trends, points = trend_verdicts(
        own,
        register,
        targets=lines,
        changes=changes,
        baselines=declared_baselines(parameters, as_at),
        rules=rules,
        period=period,
    )
    events = chart_events(
        own,
        register,
        recorded_events(changes, parameters, as_at),
        restated=restated,
        suggested=suggested_steps(independent_levels(trends, points)),
    )
    events = with_baselines_used(events, trends)
    area = parameters.framework.council.area_code
    trends = complete_trends(trends, own, register, lines, area=area, as_at=as_at)
    points = with_labels(points, register).merge(lines, on=["series", "period"], how="left")
    themes = {name: entry.themes for name, entry in parameters.register.indicators.items()}
    ours = trends[trends["control"] != "city"]  # nobody is off target who does not control it
    expected = expected_signals(trends, points, themes, rules=rules, seed=seed)
    return {
        "trends": clipped(fine_figures(trends), register, SHOWN_LIMITS),
        "points": clipped(points, register, SHOWN_LIMITS),
        "events": events,
        "packs": pd.concat([expected, off_target(points, ours, themes)], ignore_index=True),
    }
