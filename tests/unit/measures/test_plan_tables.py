"""Actions, risks and projects as they were known on a day."""

from __future__ import annotations

from typing import Any

import pandas as pd

from pmf_analysis.data.contract import TABLES
from pmf_analysis.measures.plan_tables import plan_tables

DAY = pd.Timestamp(2026, 10, 31)


def known(**rows: list[dict[str, Any]]) -> dict[str, pd.DataFrame]:
    """Tables of the contract from some of their columns."""
    tables = {}
    for name in ("actions", "risks", "projects"):
        columns = [column.name for column in TABLES[name]]
        table = pd.DataFrame(rows.get(name, []), columns=columns)
        days = {column: "datetime64[us]" for column in columns if column.endswith("_on")}
        tables[name] = table.astype(days)
    return tables


def test_open_actions_have_their_days_late_and_done_ones_are_left_out() -> None:
    rows: list[dict[str, Any]] = [
        {"action_id": "later", "due_on": "2026-11-02", "status": "on_track"},
        {"action_id": "late", "due_on": "2026-10-01", "status": "on_track"},
        {"action_id": "today", "due_on": "2026-10-31", "status": "late"},
        {"action_id": "no day", "due_on": None, "status": "not_started"},
        {"action_id": "done", "due_on": "2026-10-01", "completed_on": "2026-10-30"},
        {"action_id": "done later", "due_on": "2026-09-30", "completed_on": "2026-11-01"},
        {"action_id": "complete", "due_on": "2026-10-01", "status": "complete"},
        {"action_id": "cancelled", "due_on": "2026-10-01", "status": "cancelled"},
    ]
    found = plan_tables(known(actions=rows), DAY)["actions"]
    late = found.set_index("action_id")["days_late"]
    assert late.dropna().to_dict() == {"done later": 31, "late": 30, "today": 0, "later": -2}
    assert [*late.index] == ["done later", "late", "today", "later", "no day"]


def test_a_closed_risk_is_left_out_and_no_score_is_made() -> None:
    rows = [
        {"risk_id": "b", "status": "open"},
        {"risk_id": "a"},
        {"risk_id": "c", "status": "closed"},
    ]
    found = plan_tables(known(risks=rows), DAY)["risks"]
    assert [*found["risk_id"]] == ["a", "b"]
    assert not [name for name in found.columns if "score" in name]


def test_projects_are_as_late_as_the_day_reached_or_now_expected() -> None:
    days = ("planned_on", "forecast_on", "actual_on")
    cases = {
        "reached late": ("2026-04-01", "2026-05-01", "2026-06-01", 61),
        "reached early": ("2026-04-01", None, "2026-03-30", -2),
        "expected late": ("2026-12-31", "2027-01-31", None, 31),
        "forecast is over": ("2026-10-01", "2026-10-15", None, 30),
        "plan is over": ("2026-10-01", None, None, 30),
        "ahead": ("2026-12-31", None, None, 0),
    }
    rows = [{"project_id": id, **dict(zip(days, case, strict=False))} for id, case in cases.items()]
    rows.append({"project_id": "unplanned", "forecast_on": "2027-01-31"})
    found = plan_tables(known(projects=rows), DAY)["projects"].set_index("project_id")["days_late"]
    assert {id: found[id] for id in cases} == {id: case[3] for id, case in cases.items()}
    assert pd.isna(found["unplanned"])


def test_a_project_stands_before_its_milestones_and_nothing_gives_empty_tables() -> None:
    rows = [{"project_id": "P", "milestone_id": m} for m in ("M2", None, "M1")]
    found = plan_tables(known(projects=rows), DAY)["projects"]
    assert [*found["milestone_id"].fillna("")] == ["", "M1", "M2"]
    assert all(table.empty for table in plan_tables(known(), DAY).values())
