"""A council that replaced five others, from the files to the report."""

from __future__ import annotations

import csv
import gzip
import json
from datetime import date
from pathlib import Path
from typing import Any

import pytest

from pmf_analysis.data.store import Store
from pmf_analysis.measures.areas import follow_areas
from pmf_analysis.measures.frames import judged_register, measure_frame, shown_observations
from pmf_analysis.parameters.workspace import Workspace

pytestmark = pytest.mark.realdata

SOMERSET = "E06000066"
DISTRICTS = {"E07000187", "E07000188", "E07000189", "E07000246"}


def test_the_report_is_made(somerset_run: Any) -> None:
    manifest = json.loads((somerset_run.folder / "manifest.json").read_text(encoding="utf-8"))
    assert {job["status"] for job in manifest["jobs"].values()} == {"ok"}


def test_its_past_is_the_sum_of_the_published_counts(somerset_run: Any, real_data: Path) -> None:
    workspace = Workspace(somerset_run.workspace)
    tables = Store(workspace.store).as_known_on(date(2026, 6, 30))
    register = judged_register(workspace.load())
    panel = measure_frame(shown_observations(tables["observations"], register)[0], register)
    followed, breaks = follow_areas(panel, tables["area_changes"], register, [SOMERSET])
    made = followed[followed["is_as_if"] & (followed["indicator"] == "hclic_ta_rate")]
    [row] = made[made["period"] == "2023-01-01"].to_dict("records")
    path = real_data / "tidy" / "homelessness_hclic_quarterly.csv.gz"
    with gzip.open(path, "rt", encoding="utf-8", newline="") as lines:
        parts = [
            (float(each["count"]), float(each["denominator"]))
            for each in csv.DictReader(lines)
            if each["area_code"] in DISTRICTS
            and each["indicator_id"] == "hclic_ta_rate"
            and each["period_start"] == "2023-01-01"
        ]
    assert len(parts) == len(DISTRICTS)
    above, below = (sum(each) for each in zip(*parts, strict=True))
    assert (row["numerator"], row["denominator"]) == (above, below)
    assert row["value"] == pytest.approx(1000 * above / below)
    assert str(breaks["period_start"].min().date()) == "2023-04-01"
