"""Drafts of real files: what direction is guessed is right or unknown, and hardly ever wrong."""

from __future__ import annotations

from collections import Counter
from pathlib import Path

import pandas as pd
import pytest

from pmf_analysis.systems.drafting import Draft, draft_register
from pmf_analysis.systems.folder import read_file
from pmf_analysis.systems.mapping import load_mappings

pytestmark = pytest.mark.realdata

# Of each file: how many are right, unknown, guessed without a direction where people gave one (or
# the other way round), and wrong.
MEASURED = {
    "hart_kpis_as_published.csv": {"right": 40, "unknown": 5, "undirected": 0, "wrong": 0},
    "bath_nes_monthly.csv.gz": {"right": 5, "unknown": 3, "undirected": 0, "wrong": 0},
    "adult_social_care_oflog.csv.gz": {"right": 4, "unknown": 3, "undirected": 0, "wrong": 0},
    "environment_transport_wellbeing.csv.gz": {
        "right": 6,
        "unknown": 2,
        "undirected": 0,
        "wrong": 0,
    },
}


def _drafted(file: Path, repository: Path) -> Draft:
    if file.name.startswith("hart"):
        mappings = load_mappings(repository / "tests" / "real" / "hart" / "parameters" / "mappings")
        return draft_register(read_file(file), mappings["hart_published"])
    mapping = load_mappings(repository / "parameters" / "mappings")["generic_tidy"]
    # The file says the polarity itself; here it is to be guessed.
    return draft_register(read_file(file), mapping)


@pytest.mark.parametrize("name", MEASURED)
def test_the_direction_guessed_is_the_one_that_people_gave(
    real_data: Path, repository: Path, name: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    from pmf_analysis.systems import drafting

    without = {key: names for key, names in drafting.RULES["columns"].items() if key != "polarity"}
    monkeypatch.setitem(drafting.RULES, "columns", without)
    known = pd.read_csv(real_data / "indicators.csv", keep_default_na=False)
    given = known["polarity"].replace("neutral", "none").set_axis(known["indicator_name"])
    given = given[~given.index.duplicated()]
    found = Counter[str]()
    for row in _drafted(real_data / "tidy" / name, repository).rows:
        polarity, said = row["polarity"], given[row["title"]]
        is_directed = {polarity, said} <= {"higher", "lower"}
        kind = "right" if polarity == said else "wrong" if is_directed else "undirected"
        found["unknown" if polarity == "unknown" else kind] += 1
    assert {kind: found[kind] for kind in MEASURED[name]} == MEASURED[name]
