"""What an analyst's first hour found: notes told once, icons, rows and records, files imported again."""

from __future__ import annotations

from collections.abc import Callable
from datetime import date
from pathlib import Path

import pytest

from pmf_analysis.data.store import Store
from pmf_analysis.parameters.workspace import Workspace
from pmf_analysis.problems import PmfError
from pmf_analysis.systems.importing import import_files

AS_AT = date(2026, 10, 31)
Writer = Callable[..., Path]


def test_one_column_of_comments_is_one_text_of_the_newest_figure(
    workspace: Workspace, write_book: Writer
) -> None:
    path = workspace.parameters / "mappings" / "wide_periods.yml"
    text = path.read_text(encoding="utf-8").replace("    Comment: value_note\n", "")
    text = text.replace("columns:\n", "columns:\n  text: [Comments]\n", 1)
    path.write_text(text, encoding="utf-8")
    rows = [
        ["Ref", "Q2 2026/27", "Q1 2026/27", "Q4 2025/26", "Comments"],
        ["PCT", "TBC", 61, 60, "New contractor"],
        ["CNT", 12, 11, 10, "Seasonal"],
    ]
    outcome = import_files(workspace, [write_book({"K": rows}, "by period.xlsx")], AS_AT)
    (result,) = outcome.results
    texts = result.tables["narratives"].set_index("indicator_id")
    assert texts["text"].to_dict() == {"PCT": "New contractor", "CNT": "Seasonal"}
    ends = texts["period_end"].dt.strftime("%Y-%m-%d").to_dict()
    assert ends == {"PCT": "2026-06-30", "CNT": "2026-09-30"}
    # Two rows make three values each, and a text.
    said = "2 rows: 8 records read = 8 accepted + 0 quarantined + 0 ignored"
    assert result.in_words() == said


def test_icons_are_counted_once_and_words_are_read(
    workspace: Workspace, write_book: Writer
) -> None:
    names = ["Code", "Short Name", "Q1 2026/27 Value", "Q1 2026/27 Status"]
    names += ["Q2 2026/27 Value", "Q2 2026/27 Status", "Short Trend", "Latest Note"]
    rows = [
        names,
        ["PCT", "a", 60, "✔", 61, "⚠️", "⬆", "As expected."],
        ["CNT", "b", 10, "Red", 11, None, "Improving", None],
    ]
    outcome = import_files(workspace, [write_book({"PIs": rows}, "pentana.xlsx")], AS_AT)
    (result,) = outcome.results
    assert result.record.rows_quarantined == 0
    codes = {problem.code: problem.message for problem in outcome.problems}
    assert "3 cells" in codes["icons-not-read"] and "column-unknown" not in codes
    published = result.tables["published"]
    assert set(published["indicator_id"]) == {"CNT"} and "off_target" in set(published["status"])
    assert result.tables["narratives"]["text"].tolist() == ["As expected."]


def test_what_was_changed_since_takes_effect_when_it_is_imported_again(
    workspace: Workspace, write_book: Writer
) -> None:
    def book(value: float) -> Path:
        rows = [["indicator_id", "period", "value"], ["PCT", "Q1 2026/27", value]]
        return write_book({"Data": rows}, f"observations {value}.xlsx")

    def known() -> list[float]:
        return store.as_known_on(AS_AT, "observations")["observations"]["value"].tolist()

    store, old, new = Store(workspace.store), book(23.5), book(31.4)
    first = import_files(workspace, [old], AS_AT).vintage
    import_files(workspace, [new], AS_AT)
    assert known() == [31.4]
    again = import_files(workspace, [old], AS_AT).vintage
    assert first and again and known() == [23.5] and again.id != first.id
    # What is the newest already is kept once.
    assert import_files(workspace, [old], AS_AT).vintage == again
    store.withdraw(again.id, "the old file by mistake")
    assert known() == [31.4]
    with pytest.raises(PmfError, match="--again"):
        import_files(workspace, [old], AS_AT)
    outcome = import_files(workspace, [old], AS_AT, again=True)
    assert known() == [23.5]
    assert "counts-again" in [problem.code for problem in outcome.problems]
