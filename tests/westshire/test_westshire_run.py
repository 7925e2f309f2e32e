"""The fictional council's whole run, as the README's first command makes it."""

from __future__ import annotations

import csv
import html
import shutil
from pathlib import Path
from typing import Any

import pandas as pd
import pytest
from made_runs import copied_workspace, last_run, make_run

from pmf_analysis.assess import TABLES, known_council, read_measures
from pmf_analysis.data.store import Store
from pmf_analysis.documents.audit import audit_html
from pmf_analysis.parameters.workspace import Workspace
from pmf_analysis.periods import parse_period

THEMES = 7


def test_all_reports_are_made_and_pass_the_audit(westshire_run: Any) -> None:
    assert len(westshire_run.pages) == THEMES * 4 + 1
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
    assert len(same) == 8  # four pages, three tables of results, the audit table of trends
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
        "packs": ["theme", "measure", "period_label"],
    }
    if table in keys:
        assert not frame.duplicated(keys[table]).any()


def test_what_cannot_be_judged_says_why(westshire_run: Any) -> None:
    measures = read_measures(westshire_run.folder / "measures")
    for table in (measures.trends, measures.comparisons, measures.targets):
        silent = table[(table["verdict"] == "cannot_judge") & (table["reason"].fillna("") == "")]
        assert silent.empty, silent[["series", "verdict"]]
    withheld = measures.targets[measures.targets["verdict"] == "cannot_judge"]
    assert len(withheld) and (withheld["evidence"] == "").all()
    assert not measures.outturn_paths["target_id"].isin(withheld["target_id"]).any()


def test_targets_are_held_against_their_own_part_of_the_year(westshire_run: Any) -> None:
    measures = read_measures(westshire_run.folder / "measures")
    due = measures.targets.set_index("target_id")["period_label"]
    names = ("council_tax_collected", "recycling")
    told = measures.decisions[measures.decisions["indicator"].isin(names)]
    told = told[told["target_id"].isin(due.index) & told["value"].notna()]
    parts = told["target_id"].map(due).str[-2:]
    assert len(told) > 10 and (told["period_label"].str[-2:] == parts).all()


def test_every_verdict_says_by_which_method_on_what_evidence(westshire_run: Any) -> None:
    trends = read_measures(westshire_run.folder / "measures").trends
    judged = trends[trends["verdict"] != "cannot_judge"]
    assert len(judged) > 40 and (judged["n"] >= 5).all()
    assert (judged["method"] != "none").all() and (judged["evidence"] != "none").all()
    pages = "".join(
        path.read_text(encoding="utf-8") for path in westshire_run.folder.glob("*/trends/*.html")
    )
    for name in judged["short_title"]:
        assert pages.count(html.escape(name, quote=False)) >= 3, name


def test_what_the_council_decided_is_on_the_chart(westshire_run: Any) -> None:
    measures = read_measures(westshire_run.folder / "measures")
    told = measures.events.groupby("kind").size()
    kinds = ["annotation", "baseline", "boundary", "definition", "exceptional", "rebase"]
    assert set(kinds) <= set(told.index)
    trends = measures.trends.set_index("indicator")
    assert trends.loc["invoices_on_time", "limits_from"] == "frozen"
    assert trends.loc["bus_punctuality", "verdict_without_rebase"] == "improving"
    assert trends.loc["bus_satisfaction", "change_p"] < 0.01


def test_chance_signals_are_counted_for_every_theme(westshire_run: Any) -> None:
    packs = read_measures(westshire_run.folder / "measures").packs
    chance = packs[packs["measure"] == "chance_signals"].set_index("theme")
    assert len(chance) == THEMES + 1 + 4  # seven themes, the four of the other framework, all
    assert (chance["low"] <= chance["value"]).all() and (chance["value"] <= chance["high"]).all()
    assert chance.loc["", "n"] <= packs["n"].max()


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


def test_a_target_without_any_figures_is_told(westshire_run: Any) -> None:
    workspace = Workspace(westshire_run.workspace)
    spec = workspace.load_run("westshire_2026-27_q2.yml")
    tables, parameters = Store(workspace.store).as_known_on(spec.as_at), workspace.load()
    rows, known = tables["observations"], (parameters, parse_period(spec.period), spec.as_at, None)
    ours = (rows["indicator_id"] == "fly_tipping") & (rows["area_code"] == "X06000001")
    for held, told in ((rows, []), (rows[~ours], ["fly_tipping"])):
        notes = known_council(tables | {"observations": held}, *known).notes
        of = notes.loc[notes["code"] == "target-without-figures", "indicator"]
        assert of.tolist() == told
