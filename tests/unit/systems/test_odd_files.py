"""Files of odd types and days are read or held back, and never end in an error."""

from __future__ import annotations

from datetime import date
from pathlib import Path

import pandas as pd

from pmf_analysis.parameters.workspace import Workspace
from pmf_analysis.systems.importing import import_files
from pmf_analysis.systems.looking import look

AS_AT = date(2026, 10, 31)


def test_parquet_of_odd_types_is_read_and_looked_at(workspace: Workspace, tmp_path: Path) -> None:
    path = tmp_path / "observations.parquet"
    frame = {
        "indicator_id": pd.Categorical(["CNT", "CNT"]),
        "period": ["2025-26 Q1", "2025-26 Q2"],
        "value": pd.array([7, None], "Int64"),
        "collected_on": pd.to_datetime(["2026-01-01"] * 2).tz_localize("UTC"),
    }
    pd.DataFrame(frame).to_parquet(path)
    assert look(path).tables[0].rows == 2
    (result,) = import_files(workspace, [path], AS_AT).results
    made = result.tables["observations"]
    assert made["value"].fillna(-1).tolist() == [7, -1]
    assert set(made["collected_on"].dt.strftime("%Y-%m-%d")) == {"2026-01-01"}


def test_a_period_beyond_the_calendar_is_held_back(workspace: Workspace, tmp_path: Path) -> None:
    path = tmp_path / "observations.csv"
    path.write_text("indicator_id,period_start,frequency,value\nCNT,9999-12-31,quarterly,4\n")
    (result,) = import_files(workspace, [path], AS_AT).results
    assert "period-not-read" in result.quarantine["code"].tolist()
