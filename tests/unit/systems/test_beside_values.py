"""Targets, narratives and what a system says itself, in columns beside the values of one file."""

from __future__ import annotations

from collections.abc import Callable
from datetime import date
from pathlib import Path

import pandas as pd
import pytest

from pmf_analysis.data.store import Store
from pmf_analysis.parameters.workspace import Workspace
from pmf_analysis.problems import PmfError
from pmf_analysis.systems.importing import import_files
from pmf_analysis.systems.mapping import load_mappings

LONG = """\
format: 1
name: suite
system: The Suite
version: 1
table: observations
match: {files: ["suite*"]}
header: {containing: [Code, Current Value]}
columns:
  indicator_id: [Code]
  period_label: [Period]
  value: [Current Value]
  target: [Current Target]
  status: [Status]
  short_trend: [Short Trend]
  narratives.reason: [Latest Note]
  narratives.action: [What we do]
  author_role: [Managed By]
  written_on: [Note Date]
constants: {targets.kind: statutory}
enums:
  status: {OK: on_target, Warning: near, Alert: off_target}
  short_trend: {Improving: improving, Getting Worse: worsening}
period: {year_type: financial}
on_unknown_column: error
"""
HEAD = ["Code", "Period", "Current Value", "Current Target", "Status", "Short Trend"]
HEAD += ["Latest Note", "What we do", "Managed By", "Note Date"]
ROWS = [
    HEAD,
    [
        "CNT",
        "Q1 2026/27",
        41,
        40,
        "OK",
        "Improving",
        "It went well.",
        "Go on.",
        "Head",
        "01/07/2026",
    ],
    ["CNT", "Q2 2026/27", 38, 40, "Alert", "", "", "Hire two.", "Head", ""],
    ["PCT", "Q1 2026/27", "", "", "Warning", "Sideways", "", "", "Head", ""],
    ["PCT", "Q2 2026/27", 71, "", "", "", "", "", "Head", ""],
]


def imported(
    workspace: Workspace, mapping: str, path: Path
) -> tuple[dict[str, pd.DataFrame], pd.DataFrame]:
    (workspace.parameters / "mappings" / "suite.yml").write_text(mapping, encoding="utf-8")
    outcome = import_files(workspace, [path], date(2026, 10, 31))
    (result,) = outcome.results
    record = result.record
    placed = record.rows_accepted + record.rows_quarantined + record.rows_ignored
    assert record.rows_read == placed
    return Store(workspace.store).as_known_on(date(2026, 10, 31)), result.quarantine


def test_each_table_gets_its_rows(workspace: Workspace, write_book: Callable[..., Path]) -> None:
    tables, held = imported(workspace, LONG, write_book({"PI": ROWS}, "suite.xlsx"))
    assert len(tables["observations"]) == 4
    assert tables["targets"]["target"].tolist() == [40, 40]
    assert set(tables["targets"]["kind"]) == {"statutory"}
    texts = tables["narratives"][["indicator_id", "kind", "text", "author_role"]]
    assert sorted(texts.itertuples(index=False, name=None)) == [
        ("CNT", "action", "Go on.", "Head"),
        ("CNT", "action", "Hire two.", "Head"),
        ("CNT", "reason", "It went well.", "Head"),
    ]
    said = tables["published"]
    assert said[["status", "short_trend"]].values.tolist() == [
        ["on_target", "improving"],
        ["off_target", ""],
    ]
    assert set(said["system"]) == {"The Suite"}
    assert set(said["period_end"].dt.strftime("%Y-%m-%d")) == {"2026-06-30", "2026-09-30"}
    # an arrow nobody knows holds back what the system says, not the value beside it
    assert held[["table", "row", "column", "value"]].values.tolist() == [
        ["published", 4, 'F "Short Trend"', "Sideways"]
    ]


def test_in_a_wide_table_what_is_beside_may_stand_alone(
    workspace: Workspace, write_book: Callable[..., Path]
) -> None:
    wide = """\
format: 1
name: suite
system: The Suite
version: 1
table: observations
match: {files: ["suite*"]}
header: {containing: [Code]}
columns: {indicator_id: [Code]}
unpivot:
  measures: {Value: value, Target: target, Status: published.status, Note: narratives.text}
enums: {published.status: {OK: on_target, Alert: off_target}}
constants: {narratives.kind: outlook}
period: {year_type: financial}
"""
    head = [
        "Code",
        *(f"Q{n} 2026/27 {m}" for n in (1, 2) for m in ("Value", "Target", "Status", "Note")),
    ]
    rows = [
        head,
        ["CNT", 41, 40, "OK", "It holds.", "", 45, "", ""],
        ["PCT", 70, "", "", "", "", "", "Alert", "Late."],
    ]
    tables, held = imported(workspace, wide, write_book({"PI": rows}, "suite.xlsx"))
    assert held.empty
    assert len(tables["observations"]) == 2
    assert tables["targets"]["target"].tolist() == [40, 45]
    assert tables["published"]["status"].tolist() == ["on_target", "off_target"]
    assert tables["narratives"][["text", "kind"]].values.tolist() == [
        ["It holds.", "outlook"],
        ["Late.", "outlook"],
    ]


@pytest.mark.parametrize(
    ("old", "new", "words"),
    [
        (
            "constants: {targets.kind",
            "constants: {kind",
            'write "targets.kind" or "narratives.kind"',
        ),
        ("narratives.reason:", "narratives.reasons:", 'Did you mean "narratives.reason'),
        ("table: observations", "table: targets", "is no column of the table targets"),
    ],
)
def test_a_column_is_of_one_table(tmp_path: Path, old: str, new: str, words: str) -> None:
    (tmp_path / "suite.yml").write_text(LONG.replace(old, new), encoding="utf-8")
    with pytest.raises(PmfError) as refused:
        load_mappings(tmp_path)
    assert words in str(refused.value)
