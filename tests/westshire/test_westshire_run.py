"""The fictional council's whole run, as the README's first command makes it."""

from __future__ import annotations

import csv
import shutil
from pathlib import Path
from typing import Any

import pandas as pd
import pytest
from made_runs import copied_workspace, last_run, make_run

from pmf_analysis.assess import TABLES, read_measures
from pmf_analysis.documents.audit import audit_html

THEMES = 7


def test_all_reports_are_made_and_pass_the_audit(westshire_run: Any) -> None:
    assert len(westshire_run.pages) == THEMES * 3 + 1
    for page in westshire_run.pages:
        assert not [f.message for f in audit_html(page.read_text(encoding="utf-8"))], page


def test_every_page_says_that_the_council_is_fictional(westshire_run: Any) -> None:
    for page in westshire_run.pages:
        assert "Westshire is a fictional council" in page.read_text(encoding="utf-8"), page


def test_two_runs_with_the_same_inputs_give_the_same_bytes(
    westshire_run: Any, tmp_path: Path, repository: Path
) -> None:
    workspace = copied_workspace(repository / "parameters", tmp_path / "again")
    shutil.copytree(westshire_run.workspace / "store", workspace / "store")
    theme = "transport_and_connectivity"
    run = ("run", "westshire_2026-27_q2.yml", "--theme", theme, "--jobs", "1")
    make_run(workspace, run)
    again = last_run(workspace)
    same = [p for p in sorted((again / theme).rglob("*")) if p.suffix in (".html", ".csv")]
    assert len(same) == 6
    for path in same:
        assert path.read_bytes() == (westshire_run.folder / path.relative_to(again)).read_bytes()


def test_results_and_measures_tell_the_same_verdicts(westshire_run: Any) -> None:
    measures = read_measures(westshire_run.folder / "measures")
    verdicts = measures.trends.set_index("series")["verdict"]
    for path in westshire_run.folder.glob("*/trends/results.csv"):
        with path.open(encoding="utf-8-sig", newline="") as lines:
            for row in csv.DictReader(lines):
                if row["measure"] == "trend":
                    assert row["verdict"] == verdicts[row["series"]]


@pytest.mark.parametrize("table", TABLES)
def test_result_tables_have_rows_and_unique_keys(westshire_run: Any, table: str) -> None:
    frame = getattr(read_measures(westshire_run.folder / "measures"), table)
    assert len(frame)
    keys = {
        "trends": ["series"],
        "points": ["series", "period"],
        "comparisons": ["series", "peer_set"],
        "peers": ["series", "peer_set", "area"],
        "gaps": ["series", "peer_set", "period"],
        "targets": ["target_id"],
        "forecasts": ["series", "horizon"],
    }
    if table in keys:
        assert not frame.duplicated(keys[table]).any()


def test_what_cannot_be_judged_says_why(westshire_run: Any) -> None:
    measures = read_measures(westshire_run.folder / "measures")
    for table in (measures.trends, measures.comparisons, measures.targets):
        silent = table[(table["verdict"] == "cannot_judge") & (table["reason"].fillna("") == "")]
        assert silent.empty, silent[["series", "verdict"]]


def test_the_dots_are_the_chance(westshire_run: Any) -> None:
    """Forecasts and chances come from one distribution: 20 dots, counted, give the chance."""
    measures = read_measures(westshire_run.folder / "measures")
    better = measures.trends.set_index("series")["polarity"]
    asked = measures.targets.dropna(subset=["probability", "target"])
    joined = asked.merge(measures.forecasts, on=["series", "horizon"], suffixes=("", "_forecast"))
    assert len(joined) > 30
    dots = joined[[f"d{n:02d}" for n in range(1, 21)]]
    higher = joined["series"].map(better) == "higher"
    met = dots.ge(joined["target"], axis=0).where(higher, dots.le(joined["target"], axis=0))
    # The chance is that of the value as published, so a whole rounding step may lie between.
    close = (met.mean(axis=1) - joined["probability"]).abs() <= 0.1
    assert close.mean() > 0.9, pd.concat([met.mean(axis=1), joined["probability"]], axis=1)[~close]
