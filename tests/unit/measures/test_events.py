"""What charts name: recorded breaks, restated values, annotations, suggested steps."""

from __future__ import annotations

from datetime import date
from types import SimpleNamespace
from typing import Any

import pandas as pd
import pytest

from pmf_analysis.measures.events import chart_events, declared_baselines, declared_changes

SERIES = "waste|X06000001|||v1"
REGISTER = pd.DataFrame(
    {
        "indicator": ["waste"],
        "frequency": ["quarterly"],
        "year_type": ["financial"],
        "accumulation": ["discrete"],
        "period_span": [""],
        "decimals": [1],
    }
)


@pytest.fixture
def own() -> pd.DataFrame:
    starts = pd.date_range("2023-04-01", periods=12, freq="QS-APR")
    ends = starts + pd.offsets.QuarterEnd(startingMonth=3)
    names = {"series": SERIES, "indicator": "waste"}
    return pd.DataFrame({"period": starts, "period_end": ends.normalize()}).assign(**names)


def rows(**columns: object) -> pd.DataFrame:
    return pd.DataFrame({"indicator": ["waste"], **{k: [v] for k, v in columns.items()}})


def events(own: pd.DataFrame, **recorded: pd.DataFrame) -> pd.DataFrame:
    return chart_events(own, REGISTER, recorded)


def test_a_change_holds_from_the_first_period_that_begins_with_it(own: pd.DataFrame) -> None:
    told = events(own, changes=rows(on="2024-05-01", kind="rebase", text="New rounds"))
    assert told[["kind", "period_label", "text"]].to_numpy().tolist() == [
        ["rebase", "2024-25 Q2", "New rounds"]
    ]


def test_an_annotation_belongs_to_the_period_in_which_its_day_lies(own: pd.DataFrame) -> None:
    told = events(own, annotation=rows(on="2024-05-01", text="Contract", owner="Head of Waste"))
    [event] = told.to_dict("records")
    assert (event["period_label"], event["kind"], event["owner"]) == (
        "2024-25 Q1",
        "annotation",
        "Head of Waste",
    )


def test_an_event_after_the_newest_figure_is_not_drawn(own: pd.DataFrame) -> None:
    assert events(own, annotation=rows(on="2031-05-01", text="Far away")).empty


def test_an_exceptional_span_begins_with_its_first_period_and_keeps_its_end(
    own: pd.DataFrame,
) -> None:
    told = events(own, exceptional=rows(on="2023-11-01", until="2024-05-31", text="Flood"))
    [event] = told.to_dict("records")
    assert event["period_label"] == "2023-24 Q3"  # October to December: its middle is inside
    assert pd.Timestamp(event["until"]) == pd.Timestamp("2024-05-31")


def test_a_period_that_a_span_only_touches_is_not_exceptional(own: pd.DataFrame) -> None:
    told = events(own, exceptional=rows(on="2023-12-01", until="2024-05-31", text="Flood"))
    assert told["period_label"].tolist() == ["2023-24 Q4"]


def test_a_span_that_ended_before_the_first_figure_is_no_event(own: pd.DataFrame) -> None:
    assert events(own, exceptional=rows(on="2020-03-01", until="2021-05-31", text="x")).empty


def test_a_restated_value_says_what_stood_there_last(own: pd.DataFrame) -> None:
    restated = pd.DataFrame(
        {
            **{"indicator_id": "waste", "area_code": "X06000001", "dimension": ""},
            **{"dimension_value": "", "definition_version": 1, "new_value": [3.0, 4.0]},
            "period_end": own["period_end"].iloc[[2, 2]].to_numpy(),
            "old_value": [2.04, 3.0],
            "new_as_at": ["2026-07-31", "2026-10-31"],
        }
    )
    told = chart_events(own, REGISTER, {}, restated=restated)
    assert told[["kind", "evidence", "recorded_on"]].to_numpy().tolist() == [
        ["restatement", "3.0", "2026-10-31"]
    ]


def test_a_suggested_step_beside_a_recorded_change_tells_nothing_new(own: pd.DataFrame) -> None:
    suggested = pd.DataFrame(
        {"series": SERIES, "period": own["period"].iloc[[2, 10]], "evidence": ["near", "far"]}
    )
    changes = rows(on=own["period"].iloc[3], kind="definition", text="New form")
    told = chart_events(own, REGISTER, {"changes": changes}, suggested=suggested)
    assert told["kind"].tolist() == ["definition", "suggested_step"]
    assert told["evidence"].tolist() == ["", "far"]


def test_no_events_give_a_table_without_rows(own: pd.DataFrame) -> None:
    told = events(own)
    assert told.empty
    assert {"series", "period", "kind", "text", "owner", "period_label"} <= set(told.columns)


def test_a_decision_recorded_later_is_not_known_then() -> None:
    decided = {"indicator": "waste", "reason": "r", "owner": "o", "recorded_on": date(2026, 5, 1)}
    frozen = {**decided, "period_from": None, "period_until": date(2025, 3, 31)}
    frozen |= dict.fromkeys(["mean", "lower_limit", "upper_limit"])
    rebase = {**decided, "period_start": date(2025, 4, 1), "kind": "rebase", "comparable": True}
    charts = SimpleNamespace(rebase_rows=lambda: [rebase], baseline_rows=lambda: [frozen])
    parameters: Any = SimpleNamespace(charts=charts)
    stored = pd.DataFrame([rebase]).rename(columns={"indicator": "indicator_id"}).head(0)
    for day, known in ((date(2026, 4, 30), 0), (date(2026, 5, 1), 1)):
        assert len(declared_changes(stored, parameters, day)) == known
        assert len(declared_baselines(parameters, day)) == known


def test_a_rebase_in_data_and_parameters_stands_once_as_the_parameters_have_it() -> None:
    row = {"indicator": "waste", "owner": "o", "recorded_on": date(2026, 5, 1), "comparable": True}
    row |= {"period_start": date(2025, 4, 1), "kind": "rebase", "reason": "declared"}
    parameters: Any = SimpleNamespace(charts=SimpleNamespace(rebase_rows=lambda: [row]))
    stored = pd.DataFrame([{**row, "reason": "in the data"}])
    stored = stored.rename(columns={"indicator": "indicator_id"})
    told = declared_changes(stored, parameters, date(2026, 6, 1))
    assert told["reason"].tolist() == ["declared"]
