"""SPAR.net and InPhase: tables with a mapping, narratives word for word, polarity and titles."""

from __future__ import annotations

from collections.abc import Callable
from datetime import date
from pathlib import Path
from typing import Any

import pandas as pd
import pytest

from pmf_analysis.data.store import Store
from pmf_analysis.parameters.workspace import Workspace
from pmf_analysis.systems.importing import ImportOutcome, import_files

AS_AT = date(2026, 10, 31)
Write = Callable[..., Path]
WORDS = "  Fewer homes came free (38).\n\nNext: =new lettings team; see O'Brien's note – 5 %.  "
FIGURES = ["Actual", "Target"]
HEADERS = {
    "spar": [
        *("KPI Ref", "KPI Title", "Reporting Period", *FIGURES),
        *("Commentary", "Commentary By", "Commentary Date", "Direction of Travel"),
    ],
    "inphase": [
        *("Measure ID", "Measure", "Period", *FIGURES),
        *("Comments", "Updated By", "Updated On", "RAG"),
    ],
}
OF_TEXTS = {
    "spar": ["KPI Ref", "Period", "Narrative Type", "Narrative", "Author", "Date"],
    "inphase": ["Measure ID", "Period", "Kind", "Narrative", "Written By", "Date Written"],
}


def imported(workspace: Workspace, *paths: Path) -> tuple[dict[str, pd.DataFrame], ImportOutcome]:
    outcome = import_files(workspace, paths, AS_AT)
    for result in outcome.results:
        assert result.record  # every row is somewhere
    return Store(workspace.store).as_known_on(AS_AT), outcome


@pytest.mark.parametrize("system", ["spar", "inphase"])
def test_figures_targets_and_commentary_of_one_table(
    workspace: Workspace, write_book: Write, system: str
) -> None:
    rows: list[list[Any]] = [
        HEADERS[system],
        ["PCT", "Increase homes let", "Q1 2026/27", 71.5, 75, WORDS, "Head", "12/07/2026", "Up"],
        ["PCT", "Increase homes let", "Q2 2026/27", "Data not due", 75, "", "", "", ""],
        ["CNT", "Reduce cases", "Q2 2026/27", "1,204", "", "", "", "", "Down"],
    ]
    tables, outcome = imported(workspace, write_book({"KPIs": rows}, f"{system}_q2.xlsx"))
    made = tables["observations"].set_index(["indicator_id", "period_label"])
    assert made.loc[("PCT", "Q1 2026/27"), "value"] == 71.5
    assert made.loc[("PCT", "Q2 2026/27"), "value_status"] == "not_yet_available"
    assert made.loc[("CNT", "Q2 2026/27"), "value"] == 1204
    assert tables["targets"]["target"].tolist() == [75, 75]
    (told,) = tables["narratives"].to_dict("records")
    assert told["text"] == WORDS.strip()
    assert (told["author_role"], told["written_on"]) == ("Head", pd.Timestamp(2026, 7, 12))
    # Its arrows follow no published rule, so they are not taken for any.
    assert tables["published"].empty
    assert [problem.code for problem in outcome.problems if problem.level == "error"] == []


@pytest.mark.parametrize("system", ["spar", "inphase"])
def test_narratives_of_their_own_export_are_kept_word_for_word(
    workspace: Workspace, write_book: Write, system: str
) -> None:
    rows: list[list[Any]] = [
        OF_TEXTS[system],
        ["PCT", "Q1 2026/27", "Reason for variance", WORDS, "Head", date(2026, 7, 12)],
        ["PCT", "Q1 2026/27", "Corrective action", "Hire two.", "Director", "01/08/2026"],
        ["PCT", "Q2 2026/27", "", "", "Head", ""],
    ]
    tables, outcome = imported(workspace, write_book({"N": rows}, f"{system}_narratives.xlsx"))
    texts = tables["narratives"].set_index("kind")
    assert texts["text"].to_dict() == {"reason": WORDS.strip(), "action": "Hire two."}
    assert texts["written_on"].tolist() == [pd.Timestamp(2026, 8, 1), pd.Timestamp(2026, 7, 12)]
    assert texts["author_role"].to_dict() == {"reason": "Head", "action": "Director"}
    assert outcome.results[0].quarantine["code"].tolist() == ["required-cell-empty"]


@pytest.mark.parametrize("system", ["spar", "inphase"])
def test_an_unknown_column_is_a_clear_error_and_no_row_is_lost(
    workspace: Workspace, write_book: Write, system: str
) -> None:
    rows = [[*HEADERS[system], "Confidence"], ["PCT", "", "Q1 2026/27", 71.5, *[""] * 5, "low"]]
    path = write_book({"KPIs": rows}, f"{system}_q2.xlsx")
    outcome = import_files(workspace, [path], AS_AT)
    (problem,) = [problem for problem in outcome.problems if problem.code == "column-unknown"]
    assert problem.level == "error" and problem.file == path.name and problem.sheet == "KPIs"
    assert 'J "Confidence"' in problem.message and problem.fix
    assert outcome.vintage is None and len(outcome.results[0].quarantine) == 1


def test_polarity_is_held_against_the_verb_of_the_title(
    workspace: Workspace, write_book: Write
) -> None:
    register = workspace.parameters / "indicators.yml"
    text = register.read_text(encoding="utf-8")
    for name, title, polarity in (
        ("PCT", "Increase homes let", "lower"),
        ("CNT", "Reduce cases", "lower"),
        ("RATE", "Reducing falls", "higher"),
    ):
        text = text.replace(
            f"id: {name}\n    title: {name}",
            f"id: {name}\n    title: {title}\n    polarity: {polarity}",
        )
    register.write_text(text, encoding="utf-8")
    rows = [HEADERS["spar"], ["PCT", "Increase homes let", "Q1 2026/27", 71.5, *[""] * 5]]
    tables, _ = imported(workspace, write_book({"KPIs": rows}, "spar_q2.xlsx"))
    assert tables["observations"]["indicator_id"].tolist() == ["PCT"]
    doubted = [
        problem.message
        for problem in workspace.load().problems
        if problem.code == "polarity-contradicts-title"
    ]
    assert len(doubted) == 2
    assert "Increase" in doubted[0] and "Reducing" in doubted[1]
