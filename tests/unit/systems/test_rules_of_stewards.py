"""Every rule that a data steward asks for, each set off through an import, and none by clean files.

The table of rules, and where each is kept: R rules.yml with rules.py and record_rules.py, H
history_rules.yml, D repeats.py, T tabular.py, C checks of parameters (held in their own tests).

| asked for | fault | kept |
|---|---|---|
| required, enum, type | required-cell-empty, not-a-choice, not-number, not-date | R |
| id unknown or retired | indicator-unknown, indicator-retired | R |
| duplicate key | repeated-and-different (both rows), repeated (a warning) | D |
| period not parsed, unequal, overlapping, future, gap | period-of-record, period-length, \
periods-overlap, period-in-future, gap-before | R, H |
| percentage outside 0 to 100, or all of 1 and less | outside-bounds, all-as-fractions | R |
| counts disagree with the value | counts-disagree | R |
| running total falls | total-falls | H |
| unit change, sign change, far from history, stale copy | unit-changed, sign-changed, \
far-from-history, stale-copy | H |
| target missing, zero, equal, far, on the wrong side | target-missing, target-zero, \
target-equals-value, target-far-from-history, target-wrong-side | H |
| polarity against the title's verb | polarity-contradicts-title | C |
| note blank, note too old | note-blank, note-too-old | H |
| suppressed value used | value-not-for-use | R |
| hidden row or sheet, no cached value, error cell, text number | hidden, formula-not-calculated, \
error-cell, text-number | R |
| mixed date orders | mixed-date-orders | R |
| restated past value, with both values | restated-on-import | H |
| late, by owner | came-late | H |
| list of peers older than 24 months | peer-list-old; peer-set-old of a run | H, C |
| benchmarks of another period | benchmark-period-differs | H |
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date
from pathlib import Path
from typing import Any, NamedTuple

import pytest
from openpyxl import Workbook

from pmf_analysis.data.store import Store
from pmf_analysis.parameters.workspace import Workspace
from pmf_analysis.problems import faults
from pmf_analysis.shipped import read_shipped
from pmf_analysis.systems.importing import ImportOutcome, import_files

AS_AT = date(2026, 10, 31)
QUARTERS = [f"{year}-{year % 100 + 1} Q{n}" for year in (2023, 2024, 2025) for n in (1, 2, 3, 4)]
STEADY = [50.0, 52, 49, 51, 50, 53, 48, 51, 50, 52, 49, 51]
OURS = {
    "DAYS": {"data_type": "days", "polarity": "lower", "owner": "Head of Homes"},
    "SUM": {"data_type": "count", "unit": "homes", "accumulation": "ytd", "polarity": "higher"},
    "NET": {"data_type": "money", "unit": "£", "allow_negative": "true"},
    "LATE": {"data_type": "days", "owner": "Head of Homes", "publish_lag_days": 30},
    "GONE": {"data_type": "days", "valid_to": "2025-03-31"},
}


class Files(NamedTuple):
    """Rows of one import, by table, under the column names of the shipped mappings."""

    observations: Sequence[Sequence[Any]] = ()
    targets: Sequence[Sequence[Any]] = ()
    narratives: Sequence[Sequence[Any]] = ()
    peer_sets: Sequence[Sequence[Any]] = ()


HEADERS = Files(
    ("indicator_id", "period", "value", "note", "collected_on", "area_code", "period_end"),
    ("indicator_id", "period", "target", "kind", "set_on"),
    ("indicator_id", "period", "kind", "text", "written_on"),
    ("peer_set", "area_code", "member_code", "as_at"),
)


@pytest.fixture
def council(workspace: Workspace) -> Workspace:
    path = workspace.parameters / "indicators.yml"
    entries = [path.read_text(encoding="utf-8")]
    for name, facts in OURS.items():
        shared = {"id": name, "title": name, "themes": "[homes]", "director": "director"}
        told = shared | {"frequency": "quarterly"} | facts
        entries.append("  - " + "\n    ".join(f"{key}: {value}" for key, value in told.items()))
    path.write_text("\n".join(entries) + "\n", encoding="utf-8")
    return workspace


def brought(council: Workspace, folder: Path, files: Files, *, day: date = AS_AT) -> ImportOutcome:
    """Import the tables of `files` as CSV, as of a day."""
    drop = folder / f"drop {day}"
    drop.mkdir()
    for name, rows in files._asdict().items():
        if rows:
            lines = [HEADERS._asdict()[name], *rows]
            text = "\n".join(",".join(map(str, row)) for row in lines) + "\n"
            (drop / f"{name}.csv").write_text(text, encoding="utf-8")
    return import_files(council, [drop], day)


def course(name: str, values: Sequence[Any] = STEADY, **last: str) -> list[list[Any]]:
    """A value a quarter; `last` adds cells to the newest: note, collected_on."""
    rows = [[name, period, value] for period, value in zip(QUARTERS, values, strict=False)]
    rows[-1] += [last.get(column, "") for column in HEADERS.observations[3:]]
    return rows


CLEAN = Files(
    observations=[*course("DAYS", note="We hired."), *course("SUM", [10, 20, 31, 40] * 3)],
    targets=[["DAYS", "2025-26 Q4", 50, "improvement", "2025-04-01"]],
    narratives=[["DAYS", "2025-26 Q4", "reason", "We hired.", "2026-05-01"]],
    peer_sets=[["near", "X06000001", "X06000002", "2026-01-01"]],
)
NEAR_TARGET = [["DAYS", "2025-26 Q4", 51.5, "improvement", ""]]


def changed(place: int, value: float) -> list[float]:
    return [*STEADY[:place], value, *STEADY[place + 1 :]]


# What is brought, and the cell and words of the warning that must come.
HISTORY: dict[str, tuple[Files, str, str]] = {
    "gap-before": (Files(course("DAYS")[:5] + course("DAYS")[7:]), "2024-25 Q4", "2024-06-30"),
    "total-falls": (Files(course("SUM", [10, 20, 31, 40, 12, 9])), "9.0", "from 12 to 9"),
    "unit-changed": (Files(course("DAYS", changed(11, 5100))), "5100.0", "middle one is 50.5"),
    "sign-changed": (Files(course("NET", changed(11, -51))), "-51.0", "of the 12 values"),
    "far-from-history": (Files(course("DAYS", changed(6, 95))), "95.0", "51 in the middle"),
    "stale-copy": (Files(course("DAYS", [*STEADY[:8], 51, 51, 51, 51])), "51.0", "5 times"),
    "target-missing": (
        Files(course("DAYS"), [["DAYS", "2024-25 Q4", 51.5, "improvement", ""]]),
        "51.0",
        "none for this period",
    ),
    "note-blank": (
        Files(course("DAYS"), [["DAYS", "2025-26 Q4", 49.5, "improvement", ""]]),
        "51.0",
        "misses its target, 49.5",
    ),
    "target-zero": (
        Files(course("DAYS", note="x"), [["DAYS", "2025-26 Q4", 0, "improvement", ""]]),
        "0.0",
        "an empty cell",
    ),
    "target-equals-value": (
        Files(course("DAYS"), [["DAYS", "2025-26 Q4", 51, "improvement", ""]]),
        "51.0",
        "copied",
    ),
    "target-far-from-history": (
        Files(course("DAYS", note="x"), [["DAYS", "2025-26 Q4", 5, "improvement", ""]]),
        "5.0",
        "12 values of its indicator, 48 to 53",
    ),
    "target-wrong-side": (
        Files(course("DAYS"), [["DAYS", "2025-26 Q4", 55, "improvement", ""]]),
        "55.0",
        "lower is better",
    ),
    "note-too-old": (
        Files(narratives=[["DAYS", "2025-26 Q4", "reason", "As before.", "2026-01-10"]]),
        "2026-01-10",
        "before its period ended",
    ),
    "peer-list-old": (
        Files(peer_sets=[["near", "X06000001", "X06000002", "2024-09-30"]]),
        "2024-09-30",
        "more than 24 months",
    ),
    "benchmark-period-differs": (
        Files([*course("DAYS")[:11], ["DAYS", QUARTERS[11], 50, "", "", "X06000002"]]),
        QUARTERS[11],
        "ends on 2026-03-31, our newest on 2025-12-31",
    ),
}


@pytest.mark.parametrize("fault", HISTORY)
def test_what_looks_odd_beside_the_history_is_noted_and_kept(
    council: Workspace, tmp_path: Path, fault: str
) -> None:
    files, value, words = HISTORY[fault]
    outcome = brought(council, tmp_path, files)
    told = [problem for problem in outcome.problems if problem.code == fault]
    assert len(told) == 1, [problem.line() for problem in outcome.problems]
    (problem,) = told
    assert problem.level == "warning"
    assert problem.value == value and words in problem.message
    assert problem.file and problem.row and problem.column and problem.expected and problem.fix
    assert sum(result.quarantined for result in outcome.results) == 0


def test_clean_files_set_off_nothing(council: Workspace, tmp_path: Path) -> None:
    assert [problem.line() for problem in brought(council, tmp_path, CLEAN).problems] == []


def test_a_value_with_its_reason_or_within_tolerance_asks_for_no_note(
    council: Workspace, tmp_path: Path
) -> None:
    files = Files(course("DAYS", note="Two vacancies."), NEAR_TARGET)
    assert [p.code for p in brought(council, tmp_path, files).problems] == []


def test_periods_that_share_days_overlap(council: Workspace, tmp_path: Path) -> None:
    rows = ["indicator_id,period_start,period_end,frequency,value"]
    rows += ["DAYS,2026-01-01,2026-03-31,quarterly,5", "DAYS,2026-03-01,2026-05-31,quarterly,6"]
    path = tmp_path / "observations.csv"
    path.write_text("\n".join(rows) + "\n", encoding="utf-8")
    (problem,) = import_files(council, [path], AS_AT).problems
    assert (problem.code, problem.row) == ("periods-overlap", 3)
    assert "2026-03-31" in problem.message


def test_a_restated_value_is_told_once_with_both_values(council: Workspace, tmp_path: Path) -> None:
    brought(council, tmp_path, Files(course("DAYS")), day=date(2026, 7, 31))
    again = brought(council, tmp_path, Files(course("DAYS", [*STEADY[:9], 52.5, 49.5, 51])))
    (problem,) = again.problems
    assert problem.code == "restated-on-import"
    assert "was 52 and is now 52.5" in problem.message and "2 such rows" in problem.message
    known = Store(council.store).restatements(AS_AT)
    assert known[["old_value", "new_value"]].to_numpy().tolist() == [[52, 52.5], [49, 49.5]]


def test_what_the_store_holds_unchanged_is_not_told_again(
    council: Workspace, tmp_path: Path
) -> None:
    files = Files(course("DAYS", changed(6, 95)))
    assert [p.code for p in brought(council, tmp_path, files, day=date(2026, 7, 31)).problems]
    assert [p.code for p in brought(council, tmp_path, files).problems] == ["imported-before"]


def test_a_late_value_names_its_owner(council: Workspace, tmp_path: Path) -> None:
    brought(council, tmp_path, Files(course("LATE")[:10]), day=date(2026, 1, 31))
    late = Files(course("LATE", collected_on="2026-05-10"))
    (problem,) = brought(council, tmp_path, late).problems
    assert problem.code == "came-late"
    assert "10 days after it was due" in problem.message
    assert "Head of Homes" in problem.message


def test_an_own_first_history_is_not_called_late(council: Workspace, tmp_path: Path) -> None:
    assert brought(council, tmp_path, Files(course("LATE"))).problems == []


def test_odd_rows_of_an_indicator_are_one_line(council: Workspace, tmp_path: Path) -> None:
    odd = Files([*course("DAYS", changed(6, 95)), *course("LATE", changed(3, 4))])
    told = brought(council, tmp_path, odd).problems
    assert sorted(problem.indicator for problem in told) == ["DAYS", "LATE"]


def test_the_month_first_in_one_date_puts_others_in_doubt(
    council: Workspace, tmp_path: Path
) -> None:
    rows = course("DAYS")
    rows[0] += ["", "04/25/2024"]
    rows[1] += ["", "05/04/2024"]
    rows[2] += ["", "2024-06-07"]
    outcome = brought(council, tmp_path, Files(rows))
    told = {problem.code: problem.value for problem in outcome.problems}
    assert told == {"not-date": "04/25/2024", "mixed-date-orders": "05/04/2024"}
    clear = brought(council, tmp_path, Files(rows[2:]), day=date(2026, 9, 30))
    assert [problem.code for problem in clear.problems] == []


RECORDS: dict[str, list[Any]] = {
    "required-cell-empty": ["", "2025-26 Q4", 5],
    "indicator-unknown": ["DAZE", "2025-26 Q4", 5],
    "indicator-retired": ["GONE", "2025-26 Q4", 5],
    "not-number": ["DAYS", "2025-26 Q4", "five"],
    "not-date": ["DAYS", "2025-26 Q4", 5, "", "soon"],
    "error-cell": ["DAYS", "2025-26 Q4", "#DIV/0!"],
    "period-not-read": ["DAYS", "2025-26 Q7", 5],
    "period-length": ["DAYS", "2025-26", 5],
    "period-in-future": ["DAYS", "2027-28 Q1", 5],
    "outside-bounds": ["PCT", "2025-26 Q4", 101],
}


@pytest.mark.parametrize("fault", RECORDS)
def test_a_record_that_breaks_a_rule_is_named(
    council: Workspace, tmp_path: Path, fault: str
) -> None:
    (problem,) = brought(council, tmp_path, Files([RECORDS[fault]])).problems
    assert problem.code == fault and problem.message and problem.row == 2


def test_more_rules_of_values(council: Workspace, tmp_path: Path) -> None:
    header = ("indicator_id", "period", "value", "numerator", "denominator", "status")
    rows = [
        header,
        ("PCT", "2025-26 Q4", 50, 40, 100, ""),
        ("DAYS", "2025-26 Q4", 5, "", "", "suppressed"),
        ("CNT", "2025-26 Q4", 5, "", "", "around"),
        ("CNT", "2025-26 Q3", 5, "", "", ""),
        ("CNT", "2025-26 Q3", 6, "", "", ""),
        ("LATE", "2025-26 Q3", 6, "", "", ""),
        ("LATE", "2025-26 Q3", 6, "", "", ""),
    ]
    path = tmp_path / "observations.csv"
    path.write_text("\n".join(",".join(map(str, row)) for row in rows), encoding="utf-8")
    told = [problem.code for problem in import_files(council, [path], AS_AT).problems]
    wanted = ["counts-disagree", "not-a-choice", "repeated", "value-not-for-use"]
    assert sorted(told) == sorted([*wanted, *["repeated-and-different"] * 2])


def test_all_as_fractions(council: Workspace, tmp_path: Path) -> None:
    shares = Files(course("PCT", [0.5, 0.52, 0.49, 0.51]))
    assert [p.code for p in brought(council, tmp_path, shares).problems] == ["stored-as-fraction"]


def test_what_a_workbook_hides(council: Workspace, tmp_path: Path) -> None:
    book = Workbook()
    sheet = book.worksheets[0]
    for row in (HEADERS.observations[:3], *course("DAYS")[:3]):
        sheet.append(list(row))
    sheet["C2"] = "50"
    sheet["C4"] = "=48+1"
    sheet.row_dimensions[3].hidden = True
    book.save(tmp_path / "observations.xlsx")
    told = import_files(council, [tmp_path / "observations.xlsx"], AS_AT).problems
    wanted = {"text-number", "hidden", "formula-not-calculated"}
    assert {problem.code for problem in told} == wanted


def test_every_rule_of_history_has_words_and_a_test() -> None:
    rules = read_shipped("systems/history_rules.yml")["rules"]
    named = [rule["fault"] for group in rules.values() for rule in group]
    assert len(named) == len(set(named))
    assert {*named} == {*HISTORY, "periods-overlap", "restated-on-import", "came-late"}
    assert {faults()[name]["level"] for name in named} == {"warning"}
    assert all({"expected", "fix"} <= faults()[name].keys() for name in named)
