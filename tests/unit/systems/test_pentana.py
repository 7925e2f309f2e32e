"""Pentana's exports read: figures, targets, notes, its own arrows; actions; risks; what it says."""

from __future__ import annotations

import shutil
import subprocess
from collections.abc import Callable
from dataclasses import replace
from datetime import date
from pathlib import Path
from typing import Any

import pandas as pd
import pytest

from pmf_analysis.assess import assess_run
from pmf_analysis.data.store import Store
from pmf_analysis.notebook import theme_view
from pmf_analysis.parameters.models import RunSpec
from pmf_analysis.parameters.workspace import Workspace
from pmf_analysis.problems import PmfError
from pmf_analysis.story.trends_page import TrendsPage
from pmf_analysis.systems.importing import ImportOutcome, import_files

AS_AT = date(2026, 10, 31)
Write = Callable[..., Path]
HEADER = [
    *("Code", "Short Name", "Current Value", "Current Target", "Traffic Light"),
    *("Short Term Trend Arrow", "Long Term Trend Arrow", "Last Update", "Latest Note"),
    *("Latest Note Author", "Latest Note Date", "Managed By", "Data Collection Frequency"),
]
# Fourteen quarters from Q1 2023/24. Newest 52: before it 50, mean of the four before 50.75. Q1 50:
# before it 53, mean 50; a year before 47, mean of that quarter 50.
VALUES = [50, 52, 49, 51, 53, 48, 50, 52, 47, 51, 49, 53, 50, 52]
SAID = {  # status, short and long arrow as Pentana says them
    "Q3 2025/26": ("Alert", "", ""),  # 49 of 51: the target is missed by 4 %
    "Q4 2025/26": ("Alert", "No Change", ""),  # 53 of 51; 53 after 49
    "Q1 2026/27": ("Warning", "Improving", "No Change"),
    "Q2 2026/27": ("OK", "Improving", "Getting Worse"),
}
NOTE = (
    'Two staff left; "agency" cover is in place.\nWe expect 55 % by March, said Ms O\'Neill & team.'
)


def long_rows() -> list[list[Any]]:
    rows: list[list[Any]] = [["PI report"], [], HEADER]
    for place, value in enumerate(VALUES):
        label = f"Q{place % 4 + 1} {2023 + place // 4}/{24 + place // 4}"
        said = SAID.get(label, ("", "", ""))
        note = [NOTE, "Head of Homes", date(2026, 10, 5)] if label == "Q2 2026/27" else ["", "", ""]
        rows.append(["PCT", "Homes", value, 51, *said, label, *note, "A. Person", "Quarters"])
    rows.append(["CNT", "Cases", "Not available until 2027", "", *("", "", ""), "Q2 2026/27"])
    return rows


def store_of(workspace: Workspace, paths: list[Path], **how: Any) -> tuple[Any, ImportOutcome]:
    outcome = import_files(workspace, paths, AS_AT, **how)
    for result in outcome.results:
        assert result.record  # every row is somewhere
    return Store(workspace.store).as_known_on(AS_AT), outcome


def declare(workspace: Workspace, **settings: str) -> None:
    """Say which way is better, and how Pentana is set up."""
    register = workspace.parameters / "indicators.yml"
    told = register.read_text(encoding="utf-8")
    told = told.replace("data_type: percentage", "data_type: percentage\n    polarity: higher")
    register.write_text(told, encoding="utf-8")
    framework = workspace.parameters / "framework.yml"
    arrows = "arrows: {" + ", ".join(f"{name}: {cell}" for name, cell in settings.items()) + "}\n"
    framework.write_text(framework.read_text(encoding="utf-8") + arrows, encoding="utf-8")


def test_a_long_report_gives_values_targets_notes_and_what_pentana_says(
    workspace: Workspace, write_book: Write
) -> None:
    tables, outcome = store_of(workspace, [write_book({"PI": long_rows()}, "pentana_long.xlsx")])
    observations = tables["observations"].set_index(["indicator_id", "period_label"])
    assert observations.loc[("PCT", "Q2 2026/27"), "value"] == 52
    assert observations.loc[("CNT", "Q2 2026/27"), "value_status"] == "not_yet_available"
    assert len(observations) == 15 and len(tables["targets"]) == 14
    (told,) = tables["narratives"].to_dict("records")
    assert (told["text"], told["author_role"]) == (NOTE, "Head of Homes")
    assert told["written_on"] == pd.Timestamp(2026, 10, 5)
    said = tables["published"].set_index("period_label")
    assert said["system"].unique().tolist() == ["Pentana"]
    shown = said[["status", "short_trend", "long_trend"]].to_dict("index")
    assert shown["Q1 2026/27"] == {
        "status": "near",
        "short_trend": "improving",
        "long_trend": "same",
    }
    assert list(shown) == [*SAID]  # icons that are pictures say nothing, and are no fault
    assert not [problem for problem in outcome.problems if problem.level == "error"]


def test_another_program_may_have_saved_the_report(
    workspace: Workspace, write_book: Write, tmp_path: Path
) -> None:
    office = shutil.which("soffice")
    assert office, "LibreOffice is needed: see .ci/run"
    path, saved = write_book({"PI": long_rows()}, "pentana_long.xlsx"), tmp_path / "saved"
    place = f"-env:UserInstallation=file://{tmp_path}/office"
    command = [office, "--headless", place, "--convert-to", "xlsx", "--outdir", str(saved)]
    subprocess.run([*command, str(path)], check=True, capture_output=True, timeout=120)
    (workspace.root / "as_made").mkdir()
    found = []
    for file in (path, saved / path.name):
        tables, _ = store_of(workspace, [file])
        found.append({name: tables[name] for name in ("observations", "narratives", "published")})
    assert (saved / path.name).read_bytes() != path.read_bytes()
    for name, before in found[0].items():
        assert before.equals(found[1][name]), name


def test_an_unknown_column_and_an_unknown_word_are_told_by_place(
    workspace: Workspace, write_book: Write
) -> None:
    rows = [[*HEADER[:6], "Period", "Mood"], ["PCT", "", 1, "", "Purple", "Up", "Q1 2026/27", "x"]]
    path = write_book({"PI": rows}, "pentana_long.xlsx")
    tables, outcome = store_of(workspace, [path])
    (unknown,) = [problem for problem in outcome.problems if problem.code == "column-unknown"]
    assert 'H "Mood"' in unknown.message and unknown.level == "warning"
    held = outcome.results[0].quarantine
    assert held[["column", "value", "table"]].to_numpy().tolist() == [
        ['E "Traffic Light"', "Purple", "published"],
        ['F "Short Term Trend Arrow"', "Up", "published"],
    ]
    assert len(tables["observations"]) == 1 and tables["published"].empty


def test_the_published_layout_has_sub_tables_a_column_a_year_and_words_for_what_is_missing(
    workspace: Workspace, write_book: Write
) -> None:
    header = ["Performance Indicator", "2015/16 Value", "2016/17 Value"]
    header += ["Target", "Status", "Long Trend", "Short Trend"]
    register = workspace.parameters / "indicators.yml"
    text = register.read_text(encoding="utf-8")
    alias = 'id: YEARLY\n    aliases: ["Points per person"]'
    register.write_text(text.replace("id: YEARLY", alias), encoding="utf-8")
    rows = [
        ["Strategic Plan 2012/17: Progress in 2016/17"],
        ["Objective: a first one"],
        header,
        ["Points per person", 70, 72.5, 75, "Warning", "Improving", "Improving"],
        ["Objective: a second one"],
        header,
        ["Points per person", "", "Not available until 2018", "", "", "", ""],
    ]
    path = write_book({"Plan": rows}, "pentana_published.xlsx")
    tables, outcome = store_of(workspace, [path])
    assert tables["targets"]["target"].tolist() == [75]
    (said,) = tables["published"].to_dict("records")
    assert (said["status"], said["period_label"]) == ("near", "2016/17")
    # Two tables that say different things of one year are held back, both.
    assert outcome.results[0].quarantine["code"].tolist() == ["repeated-and-different"] * 2
    assert tables["observations"]["value"].tolist() == [70]


def test_actions_and_risks_with_and_without_an_indicator(
    workspace: Workspace, write_book: Write
) -> None:
    first = ["Code", "Action Title", "Parent Action Code", "Due Date", "Progress", "Status"]
    actions = [
        [*first, "Related PI", "Latest Note"],
        ["A1", "Plan", "", "31/03/27", "40%", "In Progress", "PCT", "Under way"],
        ["A1.1", "Hire", "A1", "30/09/26", "100%", "Completed", "", ""],
        ["A1.2", "Train", "A1", "31/09/26", "0%", "Resting", "", ""],
    ]
    first = ["Code", "Risk Title", "Current Likelihood", "Current Impact", "Risk Matrix"]
    risks = [
        [*first, "Days Till Overdue", "Internal Controls OK", "Managed By"],
        ["R1", "Staff leave", 3, 4, "", 12, "Yes", "Head"],
        ["R2", "Fire", 9, 5, "", 1, "No", "Head"],
    ]
    paths = [
        write_book({"Actions": actions}, "pentana_actions.xlsx"),
        write_book({"Risks": risks}, "pentana_risks.xlsx"),
    ]
    tables, outcome = store_of(workspace, paths)
    made = tables["actions"].set_index("action_id")
    assert made.loc["A1", ["indicator_id", "progress_pct", "status"]].tolist() == [
        "PCT",
        40,
        "on_track",
    ]
    assert made.loc["A1.1", ["parent_id", "indicator_id"]].tolist() == ["A1", ""]
    assert tables["risks"][["risk_id", "likelihood"]].to_numpy().tolist() == [["R1", 3]]
    held = pd.concat(result.quarantine for result in outcome.results)
    assert set(held["value"]) == {"31/09/26", "Resting", "9"}


def assessed(workspace: Workspace) -> tuple[Any, TrendsPage]:
    spec = RunSpec(format=1, council="smallton", period="2026-27 Q2", as_at=AS_AT)
    measures = assess_run(workspace, spec)
    view = theme_view(measures, workspace.load(), spec, "homes")
    return measures, TrendsPage(view)


def test_arrows_and_statuses_are_worked_out_again_and_every_disagreement_listed(
    workspace: Workspace, write_book: Write
) -> None:
    declare(workspace, tolerance_pct="5")
    store_of(workspace, [write_book({"PI": long_rows()}, "pentana_long.xlsx")])
    measures, page = assessed(workspace)
    table = measures.disagreements
    differ = table[table["differs"]].sort_values(["period", "what"])
    told = ["period_label", "what", "says", "recomputed", "why"]
    assert differ[told].to_numpy().tolist() == [
        ["2025-26 Q3", "status", "off_target", "near", "threshold"],
        ["2025-26 Q4", "short_trend", "same", "improving", "rounding"],
        ["2025-26 Q4", "status", "off_target", "on_target", "target"],
        ["2026-27 Q1", "short_trend", "improving", "worsening", "other_rule"],
        ["2026-27 Q2", "long_trend", "worsening", "improving", "turned"],
    ]
    agree = table[~table["differs"]].sort_values(["period", "what"])
    assert agree[["what", "says"]].to_numpy().tolist() == [
        ["long_trend", "same"],
        ["status", "near"],
        ["short_trend", "improving"],
        ["status", "on_target"],
    ]
    assert table.set_index("what")["worth"].to_dict() == {
        "status": "",
        "short_trend": "chance",
        "long_trend": "chance",
    }
    (block,) = [block for block in page.exceptions() if block.id == "arrows"]
    assert block.text[:2] == (
        "Beside the newest figures Pentana shows 2 arrows for better or worse.",
        "Of them, 2 stand where the change cannot be told from chance.",
    )
    assert "5 of 9 arrows and statuses" in block.text[-1]
    (listed,) = [block for block in page.quality() if block.id == "disagreements"]
    assert listed.table and len(listed.table.rows) == 5
    assert listed.table.rows[1]["recomputed"] == "Getting worse"
    # Where no system says anything, nothing is told of it.
    silent = replace(page.view, tables={**page.view.tables, "disagreements": table.iloc[:0]})
    ids = [block.id for part in (page.exceptions, page.quality) for block in part()]
    left = TrendsPage(silent)
    without = [block.id for part in (left.exceptions, left.quality) for block in part()]
    assert set(ids) - set(without) == {"arrows", "disagreements"}


def test_settings_of_pentana_change_what_its_rule_gives(
    workspace: Workspace, write_book: Write
) -> None:
    declare(workspace, year_to_year="[PCT]", values="1")
    store_of(workspace, [write_book({"PI": long_rows()}, "pentana_long.xlsx")])
    table = assessed(workspace)[0].disagreements.set_index(["period_label", "what"])
    assert table.loc[("2026-27 Q1", "short_trend"), "recomputed"] == "improving"  # 50 after 47
    assert table.loc[("2026-27 Q1", "long_trend"), "recomputed"] == "improving"  # one year's mean
    # No tolerance is known: whether 49 of 51 is near or off nobody can tell.
    missed = table.loc[("2025-26 Q3", "status")]
    assert (missed["recomputed"], missed["differs"]) == ("missed", False)


def test_an_unknown_indicator_among_the_settings_is_named(workspace: Workspace) -> None:
    declare(workspace, year_to_year="[PCT, NOPE]")
    with pytest.raises(PmfError, match="NOPE"):
        workspace.load()
