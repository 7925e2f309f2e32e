"""The plan beside its indicators: what is being done, what may go wrong, and what is built."""

import pandas as pd

from pmf_analysis.measures.arrays import Frame, Frames


def plan_tables(known: Frames, as_at: pd.Timestamp) -> dict[str, Frame]:
    """Open actions, open risks, and projects with their milestones, as known on a day.

    Parameters
    ----------
    known
        The contract's actions, risks and projects.

    Returns
    -------
    dict
        The three tables. `days_late` of an action runs from the day it was due to `as_at`; of a
        project or milestone from the day planned to that reached, or else now expected, which is
        not before `as_at`. Negative is early, NaN where no day was set.
    """
    actions, risks, projects = (known[name] for name in ("actions", "risks", "projects"))
    done = actions["status"].isin(["complete", "cancelled"]) | (actions["completed_on"] <= as_at)
    late = (as_at - actions["due_on"]).dt.days
    actions = actions.assign(days_late=late)[~done].sort_values(["due_on", "action_id"])
    expected = projects["forecast_on"].fillna(projects["planned_on"])
    ends = projects["actual_on"].fillna(expected.mask(expected < as_at, as_at))
    projects = projects.assign(days_late=(ends - projects["planned_on"]).dt.days)
    return {
        "actions": actions,
        "risks": risks[risks["status"] != "closed"].sort_values("risk_id"),
        "projects": projects.sort_values(["project_id", "milestone_id"], na_position="first"),
    }
