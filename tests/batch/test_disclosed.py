"""What keeps a run from being published: small counts of people, whoever they are of."""

from __future__ import annotations

from pathlib import Path
from types import SimpleNamespace as Made
from typing import Any

import pandas as pd
import pytest

from pmf_analysis.batch import publish
from pmf_analysis.story.blocks import Block

OURS, PEER = "X06000001", "X06000002"
# How each indicator is declared: its data type, whether it counts people, the source's licence.
DECLARED = {
    "deaths": ("count", "hide", ""),
    "homeless": ("count", "hide", "Open Government Licence v3.0"),
    "fires": ("count", "show", ""),
    "days_lost": ("days", "hide", ""),
}


def told(folder: Path, indicator: str, table: str, *, theme: str = "people", **row: Any) -> str:
    """What is told of a run that has one row more than nothing in one table."""
    indicators = {
        id: Made(data_type=kind, small_counts=small, licence=licence, themes=("people",))
        for id, (kind, small, licence) in DECLARED.items()
    }
    council = Made(council=Made(area_code=OURS))
    parameters = Made(framework=council, register=Made(indicators=indicators))
    area = row.get("area", OURS)
    known = {"series": f"{indicator}|{area}|||v1", "status": "final"} | row
    (folder / "measures").mkdir()
    for name, columns in publish._RULES["figures"].items():
        label = "label" if name == "peers" else "period_label"
        values = dict.fromkeys({"value", *columns})
        one = pd.DataFrame([{**values, label: "Q1", **known}]).astype(dict.fromkeys(values, float))
        (one if name == table else one[:0]).to_parquet(folder / "measures" / f"{name}.parquet")
    run: Any = Made(folder=folder, manifest={"parameters": {"framework": "framework.yml"}})
    workspace: Any = Made(load=lambda name: parameters)
    found = publish._disclosed(workspace, run, [{"theme": theme}])
    return "; ".join(f"{each.message}" for each in found)


@pytest.mark.parametrize(
    ("indicator", "table", "row"),
    [
        ("deaths", "points", {"value": 3.0}),
        ("deaths", "trends", {"previous_value": 3.0}),
        ("deaths", "equality", {"reference_value": 1.0}),
        ("deaths", "peers", {"value": 4.0, "area": PEER}),
        ("deaths", "leads", {"start_value": 2.0, "area": PEER}),
        ("homeless", "peers", {"value": 4.0, "area": OURS}),
        ("days_lost", "peers", {"value": 61.5, "numerator": 2.0, "area": PEER}),
        ("days_lost", "points", {"value": 9.0, "status": "suppressed"}),
        ("gone_from_the_register", "points", {"value": 3.0}),
    ],
)
def test_a_small_or_hidden_figure_is_found_wherever_it_stands(
    tmp_path: Path, indicator: str, table: str, row: dict[str, Any]
) -> None:
    assert told(tmp_path, indicator, table, **row).startswith(f"{indicator}, Q1")


@pytest.mark.parametrize(
    ("indicator", "table", "row"),
    [
        ("deaths", "points", {"value": 0.0}),
        ("deaths", "points", {"value": 5.0}),
        ("deaths", "points", {"value": 3.0, "theme": "place"}),
        ("homeless", "peers", {"value": 4.0, "area": PEER}),
        ("fires", "peers", {"value": 4.0, "numerator": 4.0, "area": PEER}),
        ("days_lost", "points", {"value": 3.5}),
    ],
)
def test_what_shows_nobody_is_no_false_alarm(
    tmp_path: Path, indicator: str, table: str, row: dict[str, Any]
) -> None:
    assert told(tmp_path, indicator, table, **row) == ""


def test_addresses_and_telephone_numbers_of_people_are_told() -> None:
    said = "Ask jo.bloggs@westshire.example or 01632 960 123, not reports@westshire.example."
    block = Block("finding", "a", "Up", text=(f"{said} 0.12345678901 of 1,234,567,890 in 2026",))
    shown = block._repr_mimebundle_()
    notebook: Any = Made(cells=[Made(cell_type="code", get=lambda *_: [{"data": shown}])])
    found = publish._reaches_person(notebook, {"brand": {"contact": "reports@westshire.example"}})
    assert found == ["01632 960 123", "jo.bloggs@westshire.example"]


def test_a_link_in_the_folder_is_somebodys(tmp_path: Path) -> None:
    (tmp_path / "elsewhere").mkdir()
    (tmp_path / "to").mkdir()
    (tmp_path / "to" / "people").symlink_to(tmp_path / "elsewhere")
    assert publish._files(tmp_path / "to") == {"people"}
