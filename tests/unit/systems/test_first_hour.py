"""What a first hour found: notes told once, icons, rows and records, files imported again."""

from __future__ import annotations

from collections.abc import Callable
from datetime import date
from pathlib import Path

import pytest

from pmf_analysis.batch.notebooks import new_workspace
from pmf_analysis.data.store import Store
from pmf_analysis.parameters.workspace import Workspace
from pmf_analysis.problems import PmfError
from pmf_analysis.systems.importing import import_files
from pmf_analysis.systems.mapping import load_mappings

AS_AT = date(2026, 10, 31)
Writer = Callable[..., Path]


@pytest.mark.parametrize("header", ["Comments", "Commentary", "Reason"])
def test_one_column_of_comments_is_one_text_of_the_newest_figure(
    workspace: Workspace, write_book: Writer, header: str
) -> None:
    rows = [
        ["Ref", "Q2 2026/27", "Q1 2026/27", "Q4 2025/26", header],
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


def tidy(folder: Path, rows: list[tuple[str, str, object]], name: str) -> Path:
    path = folder / f"observations {name}.csv"
    lines = ["indicator_id,period,value", *(",".join(map(str, row)) for row in rows)]
    path.write_text("\n".join(lines), encoding="utf-8")
    return path


def test_a_fraction_is_held_back_beside_what_the_store_knows(
    workspace: Workspace, tmp_path: Path
) -> None:
    past = [("PCT", f"Q{n} 2025/26", 90 + n) for n in (1, 2, 3, 4)]
    import_files(workspace, [tidy(tmp_path, past, "past")], AS_AT)
    outcome = import_files(workspace, [tidy(tmp_path, [("PCT", "Q1 2026/27", 0.94)], "new")], AS_AT)
    assert outcome.results[0].record.rows_quarantined == 1
    (line,) = outcome.results[0].quarantine.to_dict("records")
    assert line["code"] == "stored-as-fraction" and "around 92.5" in line["message"]
    # Shown as a percentage it is what it says.
    shown = import_files(workspace, [tidy(tmp_path, [("PCT", "Q1 2026/27", "0.94%")], "%")], AS_AT)
    assert shown.results[0].record.rows_accepted == 1


def test_values_of_a_wide_spread_are_no_news_and_a_value_taken_out_is_missing(
    workspace: Workspace, tmp_path: Path
) -> None:
    values = [95, 96, 94, 95, 96, 94, 95, 120, 72, 95, 80, 96]  # two in three near the middle
    quarters = [f"Q{n} {year}/{year - 1999}" for year in (2023, 2024, 2025) for n in (1, 2, 3, 4)]
    rows = [("CNT", period, value) for period, value in zip(quarters, values, strict=True)]
    outcome = import_files(workspace, [tidy(tmp_path, rows, "a")], AS_AT)
    assert "far-from-history" not in [problem.code for problem in outcome.problems]
    outcome = import_files(
        workspace, [tidy(tmp_path, [*rows[:-1], (*rows[-1][:2], "")], "b")], AS_AT
    )
    said = [p.message for p in outcome.problems if p.code == "restated-on-import"]
    assert said and "it was 96 and is now missing" in said[0]


def test_every_other_year_is_no_gap(workspace: Workspace, tmp_path: Path) -> None:
    path = workspace.parameters / "indicators.yml"
    text = path.read_text(encoding="utf-8")
    path.write_text(text.replace("frequency: annual", "frequency: biennial", 1), encoding="utf-8")
    years = [("YEARLY", "2021/22", 5), ("YEARLY", "2023/24", 6), ("YEARLY", "2025/26", 7)]
    outcome = import_files(workspace, [tidy(tmp_path, years, "two")], AS_AT)
    assert outcome.results[0].record.rows_accepted == 3
    assert "gap-before" not in [problem.code for problem in outcome.problems]
    late = import_files(
        workspace, [tidy(tmp_path, [years[0], ("YEARLY", "2025/26", 7.5)], "gap")], AS_AT
    )
    assert late.results[0].record.rows_accepted == 2


def test_one_councils_mappings_are_for_its_own_files(tmp_path: Path) -> None:
    new_workspace(tmp_path / "ws", council="Northmoor")
    known = load_mappings(tmp_path / "ws" / "parameters" / "mappings")
    assert not [name for name in known if name.startswith("trafford")]
    assert known["homelessness_hclic"].by_name_only and not known["wide_periods"].by_name_only
