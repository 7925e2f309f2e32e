"""The workbook in which owners send their figures: made, filled in, re-saved, and read again."""

from __future__ import annotations

import io
import shutil
import subprocess
from datetime import date
from pathlib import Path
from typing import Any

import pytest
from openpyxl import Workbook, load_workbook
from openpyxl.worksheet.worksheet import Worksheet

from pmf_analysis.cli import main
from pmf_analysis.data.store import Store
from pmf_analysis.parameters.workspace import Workspace
from pmf_analysis.systems.collect import BOOK, COLUMNS, asked, make_book, sheet_names, standing
from pmf_analysis.systems.importing import ImportOutcome, import_files

AS_AT = date(2026, 10, 10)
HEAD = 4
THEME = "themes: [homes], director: director"
OWN = """
  - {id: PCT, title: Homes fit to live in, THEME, data_type: percentage,
     frequency: quarterly, owner: "Head of Homes/Streets: North [east]", publish_lag_days: 20}
  - {id: CNT, title: "=HYPERLINK(1)", THEME, data_type: count, unit: cases,
     frequency: monthly, owner: "Head of Homes/Streets: North [west]", accumulation: ytd}
  - {id: NET, title: Surplus, THEME, data_type: money, unit: £,
     frequency: annual, year_type: calendar, owner: History, publish_lag_days: 0,
     allow_negative: true}
  - {id: POOL, title: Life expectancy, THEME, data_type: score, unit: years, frequency: annual,
     year_type: calendar, accumulation: rolling, period_span: 3y, owner: History}
  - {id: OLD, title: Old, THEME, data_type: count, unit: cases,
     frequency: quarterly, valid_to: 2026-06-30}
  - {id: SAID, title: A plan is agreed, THEME, data_type: milestone,
     frequency: quarterly}
"""
HISTORY = """indicator_id,period,value,target
PCT,2025-26 Q3,71.25,
PCT,2025-26 Q4,72,75
PCT,2026-27 Q1,73,75
PCT,2026-27 Q2,,75
CNT,Jun 2026,9,
"""


@pytest.fixture
def council(workspace: Workspace, tmp_path: Path) -> Workspace:
    path = workspace.parameters / "indicators.yml"
    path.write_text("format: 1\nindicators:" + OWN.replace("THEME", THEME), encoding="utf-8")
    history = tmp_path / "observations.csv"
    history.write_text(HISTORY, encoding="utf-8")
    import_files(workspace, [history], date(2026, 7, 31))
    return workspace


@pytest.fixture
def sent(council: Workspace, tmp_path: Path) -> Path:
    name, period, rows = asked(council, "2026-27 Q2", AS_AT)
    path = tmp_path / "KPI collection 2026-27 Q2.xlsx"
    path.write_bytes(make_book(name, period, rows))
    return path


def answer(sheet: Worksheet, row: int, **cells: Any) -> None:
    for key, cell in cells.items():
        sheet.cell(row, 1 + [*COLUMNS].index(key), cell)


def filled(path: Path, book: Workbook) -> Path:
    made = path.with_name("KPI collection back.xlsx")
    book.save(made)
    return made


def back(council: Workspace, path: Path) -> ImportOutcome:
    return import_files(council, [path], AS_AT)


def test_each_owner_gets_what_is_due_of_theirs(council: Workspace) -> None:
    _, period, rows = asked(council, "2026-27 Q2", AS_AT)
    assert [(row["indicator"], row["period"]) for row in rows] == [
        *(("PCT", "2026-27 Q2"), ("CNT", "Jul 2026"), ("CNT", "Aug 2026"), ("CNT", "Sep 2026")),
    ]
    share = rows[0]
    assert [share[name] for name in ("third", "second", "last")] == [
        *("71.2 (2025-26 Q3)", "72.0 (2025-26 Q4)", "73.0 (2026-27 Q1)"),
    ]
    assert (share["target"], share["due"], share["unit"]) == ("75.0", "2026-10-20", "%")
    assert rows[1]["counts"] == "year to date" and rows[1]["due"] == BOOK["no_due"]
    assert period.label == "2026-27 Q2"
    year = asked(council, "2026-27 Q3", AS_AT)[2]
    assert [(r["indicator"], r["period"]) for r in year if r["owner"] == "History"] == [
        ("NET", "2026"),
        ("POOL", "2024 to 2026"),
    ]
    assert asked(council, "", AS_AT)[1].label == "2026-27 Q2"
    assert asked(council, "", date(2027, 1, 1))[1].label == "2026-27 Q3"


def test_sheets_are_named_as_excel_allows() -> None:
    owners = ["Head of Homes/Streets: North [east]", "Head of Homes/Streets: North [west]"]
    owners += ["History", "'", "?" * 40, "Ann", "ANN", "How to fill this in"]
    names = sheet_names(owners)
    assert list(names) == owners
    assert all(0 < len(name) <= 31 and not set(name) & set("[]:*?/\\") for name in names.values())
    assert len({name.casefold() for name in names.values()}) == len(owners)
    assert not any(name.startswith("'") or name.endswith("'") for name in names.values())
    assert {"history", "how to fill this in"}.isdisjoint(map(str.casefold, names.values()))


def test_only_yellow_cells_are_open_and_bounded(sent: Path) -> None:
    book = load_workbook(sent)
    assert book.worksheets[0].title == BOOK["sheet"] and book.properties.title
    assert "no password" in " ".join(str(row[0].value) for row in book.worksheets[0].rows)
    for sheet in book.worksheets[1:]:
        assert sheet.protection.sheet and not sheet.protection.password
        assert sheet.freeze_panes == f"C{HEAD + 1}" and not sheet.merged_cells.ranges
        assert [cell.value for cell in sheet[HEAD]] == [each["name"] for each in COLUMNS.values()]
        assert len(sheet.tables) == 1
        for place, about in enumerate(COLUMNS.values()):
            cell = sheet.cell(HEAD + 1, place + 1)
            assert cell.protection.locked == ("answer" not in about)
            assert (cell.fill.fgColor.rgb == "FFFFF2B3") == ("answer" in about)
            assert cell.data_type != "f"
    rules = {str(rule.sqref): rule for rule in book.worksheets[1].data_validations.dataValidation}
    assert (rules["L5"].formula1, rules["L5"].formula2) == ("0.0", "100.0")
    assert rules["L5"].error == BOOK["refused"].format(bounds="a number from 0 to 100 (percentage)")
    assert "not yet available" in rules["O5"].formula1


def resaved(path: Path, tmp_path: Path) -> Path:
    office = shutil.which("soffice")
    if office is None:
        pytest.skip("LibreOffice is not installed")
    home = f"-env:UserInstallation=file://{tmp_path}/office"
    out = tmp_path / "resaved"
    command = [office, "--headless", home, "--convert-to", "xlsx", "--outdir", str(out), str(path)]
    subprocess.run(command, check=True, capture_output=True, timeout=120)
    return out / path.name


@pytest.mark.parametrize("program", ["openpyxl", "LibreOffice"])
def test_figures_and_words_come_back(
    council: Workspace, sent: Path, tmp_path: Path, program: str
) -> None:
    book = load_workbook(sent)
    _, share, counts = book.worksheets
    answer(share, 5, value=70.5, numerator=141, denominator=200, status="provisional")
    answer(share, 5, reason="Two teams merged.", action="Two posts.", written=date(2026, 10, 5))
    answer(counts, 5, value=12)
    answer(counts, 6, status="not yet available", note="The system was down.")
    made = filled(sent, book)
    outcome = back(council, resaved(made, tmp_path) if program == "LibreOffice" else made)
    assert [p.line() for p in outcome.problems if p.level == "error"] == []
    (result,) = outcome.results
    assert result.ignored["not filled in"] == 1
    values = result.tables["observations"].set_index("period_label")
    assert values["value"].fillna(-1).to_dict() == {
        "2026-27 Q2": 70.5,
        "Jul 2026": 12,
        "Aug 2026": -1,
    }
    assert values.loc["2026-27 Q2", ["numerator", "denominator"]].tolist() == [141, 200]
    assert values["value_status"].tolist() == ["provisional", "final", "not_yet_available"]
    assert values.loc["Aug 2026", "value_note"] == "The system was down."
    known = Store(council.store).as_known_on(AS_AT)["narratives"].set_index("kind")
    assert known["text"].to_dict() == {"action": "Two posts.", "reason": "Two teams merged."}
    assert set(known["author_role"]) == {"Head of Homes/Streets: North [east]"}
    assert set(known["written_on"].dt.date) == {date(2026, 10, 5)}
    record = result.record
    placed = record.rows_accepted + record.rows_quarantined + record.rows_ignored
    assert record.rows_read == placed


def test_words_alone_take_no_figure_back(council: Workspace, sent: Path) -> None:
    book = load_workbook(sent)
    answer(book.worksheets[1], 5, value=70.5)
    back(council, filled(sent, book))
    words = load_workbook(sent)
    answer(words.worksheets[1], 5, reason="Two teams merged.")
    outcome = back(council, filled(sent, words))
    assert outcome.results[0].tables["observations"].empty
    known = Store(council.store).as_known_on(AS_AT)
    assert known["observations"]["value"].tolist()[-1] == 70.5
    assert known["narratives"]["text"].tolist() == ["Two teams merged."]


def test_an_empty_workbook_changes_nothing(council: Workspace, sent: Path) -> None:
    outcome = back(council, sent)
    assert outcome.vintage is None and outcome.results[0].ignored["not filled in"] == 4
    assert [problem.line() for problem in outcome.problems] == []


@pytest.mark.parametrize("change", ["locked", "moved", "foreign", "column"])
def test_what_was_not_sent_so_is_named(council: Workspace, sent: Path, change: str) -> None:
    book = load_workbook(sent)
    share, counts = book.worksheets[1:]
    answer(share, 5, value=70.5)
    answer(counts, 6, value=12)
    if change == "locked":
        answer(share, 5, period="2026-27 Q1")
    elif change == "moved":
        answer(share, 5, indicator="CNT")
    elif change == "foreign":
        answer(share, 6, indicator="MINE", period="2026-27 Q2", value=4, owner="Me", seal="pmf-1")
    else:
        share.delete_cols(1 + [*COLUMNS].index("target"))
    outcome = back(council, filled(sent, book))
    told = [problem for problem in outcome.problems if problem.level == "error"]
    assert told and {problem.sheet for problem in told} == {share.title}
    wanted = "collection-column-missing" if change == "column" else "collection-row-changed"
    assert wanted in {problem.code for problem in told}
    if change != "column":
        row = 6 if change == "foreign" else 5
        assert [problem.row for problem in told] == [row]
        assert outcome.results[0].quarantined == 1
        assert "70.5" in outcome.results[0].quarantine["cells"][0] or change == "foreign"
        kept = [70.5, 12] if change == "foreign" else [12]
        assert outcome.results[0].tables["observations"]["value"].tolist() == kept


def test_who_has_not_sent_what(council: Workspace, sent: Path) -> None:
    book = load_workbook(sent)
    answer(book.worksheets[2], 5, value=12)
    answer(book.worksheets[2], 6, status="not applicable")
    back(council, filled(sent, book))
    day = date(2026, 11, 1)
    _, period, rows = asked(council, "2026-27 Q2", day)
    found, lines = standing(period, rows, day)
    told = {each["owner"][-6:]: (each["sent"], each["asked"], each["share"]) for each in found}
    assert told == {"[east]": (0, 1, 1.0), "[west]": (2, 3, 1 / 3)}
    assert found[0]["waiting"] == [
        {
            "indicator": "PCT",
            "period": "2026-27 Q2",
            "due": "2026-10-20",
            "why": "",
            "days_late": 12,
        }
    ]
    assert "12 days late" in "\n".join(lines) and "1 of 2 owners sent nothing" in lines[-1]
    assert found[0]["newest"] == "2026-06-30"


def test_what_is_still_to_come_is_not_sent_and_says_why(council: Workspace, sent: Path) -> None:
    book = load_workbook(sent)
    answer(book.worksheets[2], 5, status="not yet available", note="the audit is late")
    answer(book.worksheets[2], 6, status="not applicable")
    back(council, filled(sent, book))
    day = date(2026, 11, 1)
    _, period, rows = asked(council, "2026-27 Q2", day)
    found, lines = standing(period, rows, day)
    assert sum(each["sent"] for each in found) == 1
    assert "(not yet available; the audit is late)" in "\n".join(lines)
    assert "before no day set" not in "\n".join(lines)
    assert "no day is set by which it is due" in "\n".join(lines)


def test_nobody_is_called_silent_who_is_not(council: Workspace) -> None:
    day = date(2026, 10, 5)
    _, period, rows = asked(council, "2026-27 Q2", day)
    assert standing(period, rows, day)[1][-1] == "0 of 4 figures for 2026-27 Q2 sent"


def test_the_same_rows_make_the_same_bytes_and_no_formula(council: Workspace) -> None:
    name, period, rows = asked(council, "2026-27 Q2", AS_AT)
    made = make_book(name, period, rows)
    assert made == make_book(name, period, rows)
    cells = [c for s in load_workbook(io.BytesIO(made)) for row in s.rows for c in row]
    assert "=HYPERLINK(1)" in [cell.value for cell in cells]
    assert not [cell for cell in cells if cell.data_type == "f"]


def test_the_command(
    council: Workspace,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    monkeypatch.chdir(tmp_path)
    where = ["--workspace", str(council.root), "--as-at", "2026-10-10"]
    assert main(["collect", *where]) == 0
    assert capsys.readouterr().out == "KPI collection 2026-27 Q2.xlsx: 4 figures of 2 owners\n"
    assert main(["collect", *where]) == 2
    assert "somebody's answers" in capsys.readouterr().err
    assert main(["collect", "--status", *where]) == 0
    assert "0 of 4 figures for 2026-27 Q2 sent" in capsys.readouterr().out
    assert main(["collect", "--period", "2012", "--to", "x.xlsx", *where]) == 2
