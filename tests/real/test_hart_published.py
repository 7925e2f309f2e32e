"""A council's performance pages as published: values, targets, notes and colours in one go."""

from __future__ import annotations

import csv
import shutil
from datetime import date
from pathlib import Path

import pytest

from pmf_analysis.parameters.workspace import Workspace
from pmf_analysis.systems.folder import read_file
from pmf_analysis.systems.importing import judge_file
from pmf_analysis.systems.mapping import load_mappings
from pmf_analysis.systems.rules import Context

pytestmark = pytest.mark.realdata

COLOURS = {
    "green (above target)": "on_target",
    "amber (close to target)": "near",
    "red (below target)": "off_target",
    "for information": "data_only",
    "unknown": "unknown",
}


def test_all_that_the_pages_say_is_read_in_one_go(
    tmp_path: Path, repository: Path, real_data: Path
) -> None:
    shutil.copytree(repository / "tests" / "real" / "hart" / "parameters", tmp_path / "parameters")
    path = tmp_path / "parameters" / "mappings" / "hart_published.yml"
    text = path.read_text(encoding="utf-8")
    text = text.replace("value_note: [note]", "text: [note]\n  status: [published_status]")
    text = text.replace("constants:", f"enums: {{status: {COLOURS}}}\nconstants:")
    path.write_text(text.replace(", published_status]", "]"), encoding="utf-8")
    workspace = Workspace(tmp_path)
    mapping = load_mappings(path.parent)["hart_published"]
    file = real_data / "tidy" / "hart_kpis_as_published.csv"
    context = Context.of(workspace.load(), date(2014, 11, 30))
    result = judge_file(read_file(file), mapping, context)
    assert result.record.rows_quarantined == 0, result.quarantine.head()
    with file.open(encoding="utf-8") as lines:
        rows = list(csv.DictReader(lines))
    made = result.tables
    assert made["observations"]["value"].tolist() == [float(row["value"]) for row in rows]
    targets = [float(row["target"]) for row in rows if row["target"]]
    assert made["targets"]["target"].tolist() == targets
    notes = [row["note"].strip() for row in rows if row["note"].strip()]
    assert made["narratives"]["text"].tolist() == notes
    said = [COLOURS[row["published_status"]] for row in rows if row["published_status"]]
    assert made["published"]["status"].tolist() == said
    assert set(made["published"]["system"]) == {"performance pages as published"}
    assert len(rows) == 90
