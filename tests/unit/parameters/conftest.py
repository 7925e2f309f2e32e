"""A small council's workspace, right in every file, for tests to spoil."""

from pathlib import Path

import pytest

from pmf_analysis.parameters.place import WORKSPACE_VARIABLE
from pmf_analysis.parameters.workspace import Workspace

FILES = {
    "framework.yml": """
format: 1
title: A plan in two themes
council: {id: westshire, name: Westshire Council, area_code: X06000001}
directors:
  - {id: director_people, role: Director of People}
  - {id: director_place, role: Director of Place}
themes:
  - {id: people, title: People, director: director_people}
  - {id: place, title: Place, director: director_place}
""",
    "framework_other.yml": """
format: 1
title: Another plan
council: {id: westshire, name: Westshire Council, area_code: X06000001}
directors:
  - {id: director_streets, role: Director of Streets}
themes:
  - {id: streets, title: Streets, director: director_streets}
exceptional_periods:
  - {from: 2020-04-01, to: 2021-03-31, reason: COVID-19}
""",
    "indicators.yml": """
format: 1
indicators:
  - id: recycling
    title: Household waste recycled
    themes: [place, streets]
    data_type: percentage
    polarity: higher
    frequency: quarterly
    director: director_place
    aliases: [NI192]
  - id: visits
    title: Visits to libraries
    themes: [people]
    data_type: rate
    unit: per 1,000 people
    rate_base: 1000
    polarity: higher
    frequency: monthly
    director: director_people
""",
    "peer_sets.yml": """
format: 1
peer_sets:
  - id: neighbours
    title: Nearest neighbours
    source: Invented
    as_at: 2026-04-01
    members: {X06000002: Ambleford}
""",
    "corrections.yml": "format: 1\ncorrections: []\n",
    "runs/q2.yml": """
format: 1
council: westshire
period: "2026-27 Q2"
as_at: 2026-10-31
peer_set: neighbours
""",
}


@pytest.fixture
def workspace(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Workspace:
    monkeypatch.delenv(WORKSPACE_VARIABLE, raising=False)
    for name, text in FILES.items():
        path = tmp_path / "parameters" / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text.lstrip("\n"), encoding="utf-8")
    return Workspace(tmp_path)


@pytest.fixture
def spoil(workspace: Workspace):
    """Replace a text in a file of the workspace."""

    def replace(name: str, old: str, new: str) -> None:
        path = workspace.parameters / name
        text = path.read_text(encoding="utf-8")
        assert old in text
        path.write_text(text.replace(old, new, 1), encoding="utf-8")

    return replace


@pytest.fixture(scope="session")
def invalid() -> Path:
    return Path(__file__).parent / "invalid"
