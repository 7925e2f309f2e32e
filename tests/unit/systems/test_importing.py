"""From cells to the store: what is accepted, what is held back and why, and that no row is lost."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from datetime import date
from pathlib import Path
from typing import Any

import pandas as pd
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from openpyxl import Workbook

from pmf_analysis.data.contract import empty_table
from pmf_analysis.data.schema import check_table
from pmf_analysis.data.store import Store
from pmf_analysis.parameters.workspace import Parameters, Workspace
from pmf_analysis.systems.folder import read_file
from pmf_analysis.systems.importing import ImportOutcome, import_files, judge_file
from pmf_analysis.systems.mapping import MappingFile, Unpivot
from pmf_analysis.systems.repeats import drop_labels, settle_repeats
from pmf_analysis.systems.results import ImportResult
from pmf_analysis.systems.rules import Context

AS_AT = date(2026, 10, 31)
HEADER = ("indicator_id", "period", "value")


def csv_file(folder: Path, rows: Sequence[Sequence[Any]], name: str = "observations.csv") -> Path:
    path = folder / name
    path.write_text("\n".join(",".join(map(str, row)) for row in rows) + "\n", encoding="utf-8")
    return path


def one(outcome: ImportOutcome) -> ImportResult:
    (result,) = outcome.results
    return result


def codes(outcome: ImportOutcome, level: str = "error") -> list[str]:
    return [problem.code for problem in outcome.problems if problem.level == level]


def rows_of(outcome: ImportOutcome, table: str = "observations") -> pd.DataFrame:
    return one(outcome).tables[table]


def test_a_tidy_file_becomes_a_vintage(workspace: Workspace, tmp_path: Path) -> None:
    rows = [
        HEADER,
        ("PCT", "2026-27 Q1", 45.5),
        ("old PCT", "2026-27 Q2", "c"),
        ("CNT", "2026-27 Q1", ""),
    ]
    outcome = import_files(workspace, [csv_file(tmp_path, rows)], AS_AT)
    made = rows_of(outcome)
    assert made["indicator_id"].tolist() == ["PCT", "PCT", "CNT"]
    assert made["value_status"].tolist() == ["final", "suppressed", "missing"]
    assert set(made["area_code"]) == {"X06000001"}
    assert made["source_row"].tolist() == [2, 3, 4]
    assert outcome.vintage is not None
    known = Store(workspace.store).as_known_on(AS_AT)["observations"]
    assert len(known) == 3
    again = import_files(workspace, [tmp_path / "observations.csv"], AS_AT)
    assert again.vintage == outcome.vintage


@pytest.mark.parametrize(
    ("row", "code", "column"),
    [
        (("PCT", "2026-27 Q1", "#DIV/0!"), "error-cell", 'C "value"'),
        (("PCT", "2026-27 Q1", "about 40"), "not-number", 'C "value"'),
        (("PCT", "2026-27 Q1", "101"), "outside-bounds", 'C "value"'),
        (("CNT", "2026-27 Q1", "-1"), "outside-bounds", 'C "value"'),
        (("PTC", "2026-27 Q1", "4"), "indicator-unknown", 'A "indicator_id"'),
        (("", "2026-27 Q1", "4"), "required-cell-empty", 'A "indicator_id"'),
        (("PCT", "", "4"), "period-not-read", 'B "period"'),
        (("PCT", "Q9 2026", "4"), "period-not-read", 'B "period"'),
        (("PCT", "2026-27 Q4", "4"), "period-in-future", 'B "period"'),
        (("PCT", "2025-26", "4"), "period-length", 'B "period"'),
        (("PCT", "As at 30 Jun 2026", "4"), "period-length", 'B "period"'),
        (("CNT", "Jan 2023 to Dec 2025", "4"), "period-length", 'B "period"'),
        (("CNT", "2026-27 Q1", "9" * 400), "not-believable", 'C "value"'),
        (("CNT", "2026-27 Q1", "45%"), "shown-as-percentage", 'C "value"'),
    ],
)
def test_a_wrong_cell_is_held_back_with_its_place(
    workspace: Workspace, tmp_path: Path, row: Sequence[str], code: str, column: str
) -> None:
    path = csv_file(tmp_path, [HEADER, ("CNT", "2026-27 Q1", 1), row])
    outcome = import_files(workspace, [path], AS_AT)
    (held,) = one(outcome).quarantine.to_dict("records")
    assert (held["code"], held["row"], held["column"]) == (code, 3, column)
    assert held["file"] == "observations.csv"
    assert held["expected"] or code == "period-in-future"
    assert held["fix"]
    assert codes(outcome) == [code]
    assert len(rows_of(outcome)) == 1
    assert outcome.vintage is not None
    folder = workspace.store / "vintages" / outcome.vintage.id
    assert code in (folder / "quarantine.csv").read_text(encoding="utf-8-sig")


def test_an_unknown_indicator_is_guessed(workspace: Workspace, tmp_path: Path) -> None:
    outcome = import_files(
        workspace, [csv_file(tmp_path, [HEADER, ("YEARL", "2025-26", 4)])], AS_AT
    )
    assert "Did you mean" in outcome.problems[0].message
    assert outcome.vintage is None


def test_first_day_and_frequency_decide_and_the_label_is_only_shown(
    workspace: Workspace, tmp_path: Path
) -> None:
    header = (*HEADER, "period_start", "frequency")
    rows = [
        header,
        ("CNT", "Q1 2022", 5, "2022-01-01", "quarterly"),
        ("ROLL", "year to March", 5, "2021-04-01", "quarterly"),
        ("YEARLY", "whatever", 5, "2025-09-01", "year"),
    ]
    made = rows_of(import_files(workspace, [csv_file(tmp_path, rows)], AS_AT))
    assert made["period_end"].dt.strftime("%Y-%m-%d").tolist() == [
        "2022-03-31",
        "2022-03-31",
        "2026-08-31",
    ]
    assert made["period_label"].tolist() == ["Q1 2022", "year to March", "whatever"]
    assert made["frequency"].tolist() == ["quarterly", "quarterly", "annual"]


def test_the_registers_type_of_year_reads_the_label(workspace: Workspace, tmp_path: Path) -> None:
    rows = [HEADER, ("YEARLY", "2024/25", 5), ("SCHOOL", "2024/25 (prov)", 5)]
    made = rows_of(import_files(workspace, [csv_file(tmp_path, rows)], AS_AT))
    assert made["period_start"].dt.strftime("%Y-%m-%d").tolist() == ["2024-04-01", "2024-09-01"]
    assert made["value_status"].tolist() == ["final", "provisional"]


def test_repeats_are_one_and_contradictions_are_none(workspace: Workspace, tmp_path: Path) -> None:
    first = csv_file(
        tmp_path, [HEADER, ("PCT", "2026-27 Q1", 4), ("CNT", "2026-27 Q1", 7)], "observations_a.csv"
    )
    second = csv_file(
        tmp_path,
        [HEADER, ("PCT", "Q1 2026/27", "4.0"), ("CNT", "2026-27 Q1", 8)],
        "observations_b.csv",
    )
    outcome = import_files(workspace, [first, second], AS_AT)
    counts = [
        (r.record.rows_accepted, r.record.rows_quarantined, r.record.rows_ignored)
        for r in outcome.results
    ]
    assert counts == [(1, 1, 0), (0, 1, 1)]
    assert codes(outcome) == ["repeated-and-different"] * 2
    assert codes(outcome, "warning") == ["repeated"]
    assert (
        "observations_a.csv row 3: 7.0; observations_b.csv row 3: 8.0"
        in outcome.problems[0].message
    )


def test_odd_values_are_kept_and_noted(workspace: Workspace, tmp_path: Path) -> None:
    header = (*HEADER, "numerator", "denominator")
    quarters = [f"2025-26 Q{n}" for n in (1, 2, 3, 4)]
    rows = [("PCT", quarter, 0.5, 50, 100) for quarter in quarters]
    outcome = import_files(workspace, [csv_file(tmp_path, [header, *rows])], AS_AT)
    assert codes(outcome, "warning") == ["stored-as-fraction", "counts-disagree"]
    assert len(rows_of(outcome)) == 4


FULL = (
    *(*HEADER, "period_start", "period_end", "frequency", "dimension", "dimension_value"),
    *("numerator", "denominator", "ci_lower", "value_status", "sample_size", "target"),
)


@pytest.mark.parametrize(
    ("cells", "code"),
    [
        ({"numerator": "9" * 400}, "not-believable"),
        ({"denominator": "1e300"}, "not-believable"),
        ({"ci_lower": "-2e15"}, "not-believable"),
        ({"sample_size": "9" * 30}, "not-believable"),
        ({"target": "9" * 400}, "not-believable"),
        ({"target": 101}, "outside-bounds"),
        ({"target": "80%", "indicator_id": "CNT", "value": 3}, "shown-as-percentage"),
        ({"numerator": "80%"}, "shown-as-percentage"),
        ({"numerator": 120, "denominator": 100}, "numerator-above-denominator"),
        ({"numerator": 5, "denominator": 0}, "denominator-zero"),
        ({"numerator": -5, "denominator": 100}, "numerator-negative"),
        ({"dimension": "sex"}, "dimension-unpaired"),
        ({"dimension_value": "female"}, "dimension-unpaired"),
        ({"period_start": "2026-04-01", "period_end": "2026-03-31"}, "period-reversed"),
        ({"period_start": "2026-04-01", "period_end": "2026-04-01"}, "period-length"),
        ({"period_start": "2026-04-01", "frequency": "monthly"}, "period-length"),
        ({"indicator_id": "YEARLY", "period": "2023-24 to 2025-26"}, "period-length"),
    ],
)
def test_a_row_that_cannot_be_is_held_back_alone(
    workspace: Workspace, tmp_path: Path, cells: dict[str, Any], code: str
) -> None:
    row = {"indicator_id": "PCT", "period": "2026-27 Q1", "value": 40} | cells
    good = ("CNT", "2025-26 Q4", 7)
    path = csv_file(tmp_path, [FULL, good, [row.get(name, "") for name in FULL]])
    outcome = import_files(workspace, [path], AS_AT)
    held = one(outcome).quarantine
    assert held["code"].tolist() == [code]
    assert held["row"].tolist() == [3]
    assert held["expected"].all()
    assert held["fix"].all()
    assert 7 in rows_of(outcome)["value"].tolist()
    holds_the_law(one(outcome))


def test_pooled_values_among_yearly_ones_can_be_ignored(
    workspace: Workspace, tmp_path: Path
) -> None:
    mapping = workspace.parameters / "mappings" / "generic_tidy.yml"
    rule = "period: {other_lengths: ignore}\n"
    mapping.write_text(mapping.read_text(encoding="utf-8") + rule, encoding="utf-8")
    rows = [HEADER, ("YEARLY", "2025-26", 5), ("YEARLY", "2023-24 to 2025-26", 4)]
    outcome = import_files(workspace, [csv_file(tmp_path, rows)], AS_AT)
    assert rows_of(outcome)["value"].tolist() == [5]
    because = one(outcome).record.ignored_because
    assert because == {"period of another length than the indicator's": 1}


@pytest.mark.parametrize(
    ("values", "held"),
    [
        ((75, "0.76", 77), ["0.76"]),
        (("75%", "0.76", 0.5), ["0.76", "0.5"]),
        ((75, "0.76%", 77), []),
        ((2, 0.02, 3), []),
        ((75, 0.02, 77), []),
    ],
)
def test_a_fraction_among_percentages_is_held_back(
    workspace: Workspace, tmp_path: Path, values: Sequence[Any], held: list[str]
) -> None:
    rows = [("PCT", f"2025-26 Q{number}", value) for number, value in enumerate(values, 1)]
    found = one(import_files(workspace, [csv_file(tmp_path, [HEADER, *rows])], AS_AT)).quarantine
    assert found["value"].tolist() == held
    assert set(found["message"]) <= {"stored as a fraction?"}


def test_an_unformatted_cell_among_percent_cells_is_held_back(
    workspace: Workspace, write_book: Callable[..., Path]
) -> None:
    def edit(book: Workbook) -> None:
        book["S"]["C2"].number_format = book["S"]["C4"].number_format = "0%"

    rows = [("PCT", "2025-26 Q1", 0.75), ("PCT", "2025-26 Q2", 0.77), ("CNT", "2025-26 Q1", 0.4)]
    outcome = import_files(workspace, [write_book({"S": [HEADER, *rows]}, edit=edit)], AS_AT)
    held = one(outcome).quarantine
    assert held["code"].tolist() == ["stored-as-fraction", "shown-as-percentage"]
    assert "the register says cases" in held["message"].tolist()[1]


def test_counts_and_limits_beside_an_absent_value_are_left_out(
    workspace: Workspace, tmp_path: Path
) -> None:
    header = (*HEADER, "numerator", "denominator", "ci_lower", "ci_upper")
    rows = [header, ("PCT", "2026-27 Q1", "c", 3, 400, 0.2, 2), ("PCT", "2025-26 Q4", 0, 0, 0)]
    outcome = import_files(workspace, [csv_file(tmp_path, rows)], AS_AT)
    made = rows_of(outcome)
    assert made["value_status"].tolist() == ["suppressed", "not_applicable"]
    assert made[["value", *header[3:]]].isna().all(axis=None)
    assert codes(outcome, "warning") == ["beside-absent-value", "nothing-counted"]
    told = outcome.problems[0]
    assert told.message.startswith("numerator, denominator, ci_lower, ci_upper were left out")
    assert told.column == 'D "numerator"' and told.fix


def test_counts_that_are_not_whole_are_told_once_a_column(
    workspace: Workspace, tmp_path: Path
) -> None:
    header = (*HEADER, "numerator", "denominator")
    rows = [header, ("PCT", "2026-27 Q1", 50, 80.5, 161), ("PCT", "2025-26 Q4", 50, 1.5, 3.0)]
    rows += [("RATE", "2026-27 Q1", 5, 5, 1000), ("YEARLY", "2025-26", 5, 7.5, 1.5)]
    outcome = import_files(workspace, [csv_file(tmp_path, rows)], AS_AT)
    assert codes(outcome, "warning") == ["count-not-whole"]
    told = outcome.problems[0]
    assert (told.row, told.column, told.value) == (2, 'D "numerator"', "80.5")
    assert "cannot use it as a count. (2 cells" in told.message


def test_a_quarantined_row_names_its_indicator_and_area(
    workspace: Workspace, tmp_path: Path
) -> None:
    header = (*HEADER, "area_code")
    rows = [header, ("old pct", "2026-27 Q1", "n=5", ""), ("PCT", "2026-27 Q1", "bad", "X06000002")]
    rows += [
        ("CNT", "2026-27 Q1", 7, ""),
        ("CNT", "2026-27 Q1", 8, ""),
        ("NEW", "Q1 2026/27", 1, ""),
    ]
    rows += [("PCT", f"20{year}-{year + 1} Q1", "bad", "") for year in range(10, 20)] * 3
    rows += [("PCT", "2025-26 Q1", 5, "")]
    outcome = import_files(workspace, [csv_file(tmp_path, rows)], AS_AT)
    found = {problem.row: problem.indicator for problem in outcome.problems}
    assert [found[row] for row in (2, 3, 4, 5, 6)] == ["PCT", "PCT", "CNT", "CNT", "NEW"]
    store = Store(workspace.store)
    own = store.problems(AS_AT, area="X06000001")
    assert len(own) == 34 and set(own["level"]) == {"error"}  # beyond those listed one by one
    assert own["indicator"].value_counts().to_dict() == {"PCT": 31, "CNT": 2, "NEW": 1}
    assert store.problems(AS_AT, area="X06000002")["row"].tolist() == [3]
    assert store.problems(AS_AT)["indicator"].tolist()[:2] == ["PCT", "PCT"]


def test_area_changes_that_nobody_can_follow_are_held_back(
    workspace: Workspace, tmp_path: Path
) -> None:
    rows = [
        ("old_code", "new_code", "kind", "date"),
        ("E1", "E1", "recoded", ""),
        ("E2", "E3", "merged", ""),
        ("E4", "E5", "split", ""),
        ("E6", "E7", "recoded", ""),
        ("E8", "E9", "merged", "2023-03-31"),
        ("E8", "E9", "merged", "2024-03-31"),
    ]
    outcome = import_files(workspace, [csv_file(tmp_path, rows, "area_changes.csv")], AS_AT)
    assert rows_of(outcome, "area_changes")["old_code"].tolist() == ["E6"]
    held = ["area-unchanged", *["area-change-undated"] * 2, *["repeated-and-different"] * 2]
    assert codes(outcome) == held
    assert all(problem.expected and problem.fix for problem in outcome.problems)
    assert "area_changes.csv row 7: 2024-03-31" in outcome.problems[-1].message


def test_rows_of_a_list_without_a_day_that_contradict_each_other_are_held_back(
    workspace: Workspace, tmp_path: Path
) -> None:
    rows = [("set", "area_code", "member_code", "rank"), ("a", "X1", "X2", 1), ("a", "X1", "X2", 2)]
    outcome = import_files(workspace, [csv_file(tmp_path, rows, "our neighbours.csv")], AS_AT)
    assert codes(outcome) == ["repeated-and-different"] * 2


@pytest.mark.parametrize(
    ("days", "rows"), [(("2025-01-31", "2025-01-13", ""), [4, 5]), (("", "", ""), [])]
)
def test_a_list_cut_in_two_by_its_days_is_told(
    workspace: Workspace, tmp_path: Path, days: tuple[str, ...], rows: list[int]
) -> None:
    cells = [("peer_set", "area_code", "member_code", "as_at"), ("b", "X1", "X9", "2020-01-01")]
    cells += [("a", "X1", f"X{n}", day) for n, day in enumerate(days, start=2)]
    outcome = import_files(workspace, [csv_file(tmp_path, cells, "peer_sets.csv")], AS_AT)
    told = [problem for problem in outcome.problems if problem.code == "list-of-several-days"]
    assert [problem.row for problem in told] == rows[:1]
    assert codes(outcome) == [] and all(f"({len(rows)} cells" in each.message for each in told)


def test_names_lose_what_nobody_sees(workspace: Workspace, tmp_path: Path) -> None:
    hostile = '"Line\nTwo\u202e"'
    rows = [(*HEADER, "area_code", "area_name"), ("PCT", "2026-27 Q1", 5, "X06000001", hostile)]
    rows += [("PCT", "2026-27 Q1", 5, "X06000002", "A  plain name")]
    outcome = import_files(workspace, [csv_file(tmp_path, rows)], AS_AT)
    assert rows_of(outcome)["area_name"].tolist() == ["Line Two", "A  plain name"]
    assert codes(outcome, "warning") == ["hidden-characters"]


def test_where_nothing_is_accepted_no_quarantine_file_is_named(
    workspace: Workspace, tmp_path: Path
) -> None:
    path = csv_file(tmp_path, [HEADER, *[("nobody", "2026-27 Q1", n) for n in range(50)]])
    outcome = import_files(workspace, [path], AS_AT)
    assert outcome.vintage is None
    last = outcome.problems[-1].message
    assert last.startswith("49 more rows have the same fault (3, 4,")
    assert last.endswith("and on); nothing was stored.")


def test_a_target_beside_a_value_is_a_target(workspace: Workspace, tmp_path: Path) -> None:
    rows = [(*HEADER, "target"), ("PCT", "2026-27 Q1", "bad", 50), ("CNT", "2026-27 Q1", 3, "TBC")]
    outcome = import_files(workspace, [csv_file(tmp_path, rows)], AS_AT)
    (target,) = rows_of(outcome, "targets").to_dict("records")
    assert (target["target"], target["kind"]) == (50, "improvement")
    assert target["target_id"] == "PCT|X06000001|2026-04-01|2026-06-30|improvement"
    record = one(outcome).record
    assert (record.rows_read, record.rows_accepted, record.rows_quarantined) == (4, 2, 1)
    assert record.ignored_because == {"no target set": 1}
    moved = csv_file(tmp_path, [(*HEADER, "target"), ("PCT", "2026-27 Q1", 4, 55)])
    assert "target-overwritten" in codes(import_files(workspace, [moved], AS_AT), "warning")


def test_a_declared_state_stands_beside_an_empty_cell(workspace: Workspace, tmp_path: Path) -> None:
    states = ["suppressed", "not_applicable", "not_yet_available", "missing", "final", ""]
    quarters = [f"{2024 + n // 4}-{25 + n // 4} Q{n % 4 + 1}" for n in range(len(states) + 1)]
    rows = [("CNT", quarter, "", state) for quarter, state in zip(quarters, states, strict=False)]
    rows.append(("CNT", quarters[-1], "c", "not_applicable"))
    path = csv_file(tmp_path, [(*HEADER, "value_status"), *rows])
    made = rows_of(import_files(workspace, [path], AS_AT))
    # A text in the cell says more than the column beside it; an empty cell says less.
    assert made["value_status"].tolist() == [*states[:4], "missing", "missing", "suppressed"]


YEAR = ("PCT", "2026-27", 50, "The plan.")


@pytest.mark.parametrize(
    ("cell", "kept", "code"),
    [
        (("PCT", "2026-27 Q1", 4, 50), 1, "repeated"),
        (("PCT", "2026-27 Q1", 4, 45), 2, ""),
        (("CNT", "2026-27 Q1", 4, 50), 2, ""),
    ],
)
@pytest.mark.parametrize("in_one_import", [True, False])
def test_the_same_target_from_two_files_is_one(
    workspace: Workspace,
    tmp_path: Path,
    cell: tuple[str, str, int, int],
    kept: int,
    code: str,
    in_one_import: bool,
) -> None:
    table = csv_file(tmp_path, [("kpi", "period", "target", "rationale"), YEAR], "targets.csv")
    report = csv_file(tmp_path, [(*HEADER, "target"), cell])
    imports = [[report, table]] if in_one_import else [[table], [report]]
    for files in imports:
        outcome = import_files(workspace, files, AS_AT)
    targets = Store(workspace.store).as_known_on(AS_AT)["targets"]
    assert len(targets) == kept
    assert "The plan." in targets["rationale"].tolist()
    assert codes(outcome, "info") == [code] * (kept == 1)
    because = outcome.results[0].record.ignored_because
    assert because == ({"the same target is given in another file": 1} if kept == 1 else {})


def test_two_targets_for_one_period_are_both_kept_and_said(
    workspace: Workspace, tmp_path: Path
) -> None:
    table = csv_file(
        tmp_path,
        [("kpi", "period", "target", "type"), ("PCT", "2026-27 Q1", 50, "floor")],
        "targets.csv",
    )
    report = csv_file(tmp_path, [(*HEADER, "target"), ("PCT", "2026-27 Q1", 4, 55)])
    outcome = import_files(workspace, [report, table], AS_AT)
    assert codes(outcome, "warning") == ["targets-differ"]
    assert len(Store(workspace.store).as_known_on(AS_AT)["targets"]) == 2


def test_a_target_that_says_more_than_the_one_known_is_kept_and_said(
    workspace: Workspace, tmp_path: Path
) -> None:
    report = csv_file(tmp_path, [(*HEADER, "target"), ("PCT", "2026-27 Q1", 4, 50)])
    rows = [
        ("kpi", "period", "target", "type", "rationale"),
        ("PCT", "2026-27 Q1", 50, "floor", "Why."),
    ]
    import_files(workspace, [report], AS_AT)
    outcome = import_files(workspace, [csv_file(tmp_path, rows, "targets.csv")], AS_AT)
    assert codes(outcome, "warning") == ["targets-differ"]
    assert "supersedes" in outcome.problems[0].message
    assert len(Store(workspace.store).as_known_on(AS_AT)["targets"]) == 2


def test_a_target_that_supersedes_one_of_the_same_value_is_kept(
    workspace: Workspace, tmp_path: Path
) -> None:
    header = ("target_id", "kpi", "period", "target", "rationale", "supersedes")
    old = csv_file(tmp_path, [header, ("T1", *YEAR, "")], "targets.csv")
    new = csv_file(tmp_path, [header, ("T2", *YEAR[:3], "The new plan.", "T1")], "targets_b.csv")
    for path in (old, new):
        assert import_files(workspace, [path], AS_AT).problems == []
    known = Store(workspace.store).as_known_on(AS_AT)["targets"]
    assert sorted(known["target_id"]) == ["T1", "T2"]


REPLACING = ("target_id", "kpi", "period", "target", "supersedes")


def test_targets_that_lead_back_to_themselves_or_elsewhere_are_held_back(
    workspace: Workspace, tmp_path: Path
) -> None:
    year = ("PCT", "2026-27", 50)
    rows = [
        REPLACING,
        ("own", *year, "own"),
        ("a", *year, "b"),
        ("b", "PCT", "2026-27", 51, "a"),
        ("tail", "PCT", "2026-27", 52, "good"),
        ("good", "PCT", "2026-27", 53, ""),
        ("other", "CNT", "2026-27", 54, "good"),
        ("lost", "PCT", "2026-27", 55, "nobody"),
    ]
    outcome = import_files(workspace, [csv_file(tmp_path, rows, "targets.csv")], AS_AT)
    result = one(outcome)
    assert sorted(result.tables["targets"]["target_id"]) == ["good", "lost", "tail"]
    held = result.quarantine
    assert set(held["code"]) == {"supersedes-stray"} and sorted(held["row"]) == [2, 3, 4, 7]


@pytest.mark.parametrize(
    ("start", "end", "code"),
    [
        ("1899-04-01", "2026-09-30", "period-not-read"),
        ("2026-04-01", "9999-12-31", "period-not-read"),
        ("2101-04-01", "2102-03-31", "period-not-read"),
        ("2026-04-01", "", "required-cell-empty"),
        ("2026-04-01", "2027-03-31", ""),
    ],
)
def test_a_target_has_both_its_days_and_they_are_of_this_age(
    workspace: Workspace, tmp_path: Path, start: str, end: str, code: str
) -> None:
    rows = [("indicator_id", "period_start", "period_end", "target"), ("PCT", start, end, 50)]
    outcome = import_files(workspace, [csv_file(tmp_path, rows, "targets.csv")], AS_AT)
    assert set(one(outcome).quarantine["code"]) == {code} - {""}


def test_hidden_characters_are_taken_out_of_what_is_said_of_a_target(
    workspace: Workspace, tmp_path: Path
) -> None:
    odd = "as\u202e agreed"
    header = ("kpi", "period", "target", "rationale", "comparator", "set_by")
    rows = [header, ("PCT", "2026-27", 50, odd, odd, odd)]
    outcome = import_files(workspace, [csv_file(tmp_path, rows, "targets.csv")], AS_AT)
    kept = one(outcome).tables["targets"][["rationale", "comparator", "set_by"]]
    assert kept.iloc[0].tolist() == ["as agreed"] * 3
    assert codes(outcome, "warning") == ["hidden-characters"] * 3


def test_missing_and_unknown_columns_refuse_or_warn(workspace: Workspace, tmp_path: Path) -> None:
    rows = [("indicator_id", "value", "colour"), ("PCT", 4, "red")]
    outcome = import_files(workspace, [csv_file(tmp_path, rows)], AS_AT)
    assert outcome.vintage is None
    record = one(outcome).record
    assert (record.rows_read, record.rows_quarantined) == (1, 1)
    assert "column-unknown" in codes(outcome, "warning")
    no_header = csv_file(tmp_path, [("a", "b"), (1, 2)], "observations_b.csv")
    assert codes(import_files(workspace, [no_header], AS_AT)) == ["header-not-found"]


def test_keep_rules_are_counted(workspace: Workspace, tmp_path: Path) -> None:
    mapping = workspace.parameters / "mappings" / "generic_tidy.yml"
    rule = "keep:\n  - {column: indicator_id, in: register}\n"
    rule += '  - {column: period, startswith: ["2026"]}\n'
    mapping.write_text(mapping.read_text(encoding="utf-8") + rule, encoding="utf-8")
    rows = [HEADER, ("pct", "2026-27 Q1", 4), ("PCT", "2025-26 Q1", 4), ("X", "2026-27 Q1", 4)]
    record = one(import_files(workspace, [csv_file(tmp_path, rows)], AS_AT)).record
    assert record.rows_accepted == 1
    assert record.ignored_because == {"not kept by the mapping": 2}


def test_a_wide_report_yields_observations_and_targets(
    workspace: Workspace, write_book: Callable[..., Path]
) -> None:
    def edit(book: Workbook) -> None:
        sheet = book["PI Report"]
        sheet["C4"].number_format = "0.0%"
        sheet["D4"].data_type = "e"
        sheet["C10"].value = "=1+1"

    header = [
        "Code",
        "Short Name",
        "Q1 2026/27 Value",
        "Q1 2026/27 Target",
        "Q2 2026/27 Value",
        "Target",
        "Status",
    ]
    rows = [
        ["Performance report"],
        ["Objective: homes"],
        header,
        ["PCT", "Share", 0.452, "#DIV/0!", "Not available until 2027", 50, "Alert"],
        ["CNT", "Cases", "1,234", 1000, None, None, "OK"],
        ["RATE", "Rate", None, None, None, None, None],
        [],
        ["Objective: money"],
        [*header[:4], "2025/26 Value", *header[5:]],
        ["RATE", "Rate", None, None, 5, None, "OK"],
        ["CNT", "Cases", 5, None, None, None, "Alert"],
    ]
    outcome = import_files(
        workspace, [write_book({"PI Report": rows}, "pentana.xlsx", edit)], AS_AT
    )
    made = rows_of(outcome).set_index(["indicator_id", "period_label"])
    assert made.loc[("PCT", "Q1 2026/27"), "value"] == 45.2
    assert made.loc[("PCT", "Q2 2026/27"), "value_status"] == "not_yet_available"
    assert "CNT" not in made.index.get_level_values(0)
    targets = rows_of(outcome, "targets")
    assert targets[["indicator_id", "target"]].to_numpy().tolist() == [["CNT", 1000], ["PCT", 50]]
    held = one(outcome).quarantine
    assert set(held["code"]) == {
        "error-cell",
        "formula-not-calculated",
        "period-length",
        "repeated-and-different",
    }
    error = held.set_index("code").loc["error-cell"]
    assert (error["row"], error["column"]) == (4, 'D "Q1 2026/27 Target"')
    assert {"percent-format"} == set(codes(outcome, "info"))
    ignored = one(outcome).record.ignored_because
    assert ignored == {
        "above the header": 2,
        "heading or note": 1,
        "row without an entry in any period": 1,
    }


@pytest.mark.parametrize("kind", ["xlsx", "csv"])
@pytest.mark.parametrize("target_first", [False, True])
def test_a_column_for_each_period_needs_no_pattern(
    workspace: Workspace,
    tmp_path: Path,
    write_book: Callable[..., Path],
    kind: str,
    target_first: bool,
) -> None:
    def row(*cells: Any) -> list[Any]:
        return [*cells[:2], *cells[-2:], *cells[2:-2]] if target_first else list(cells)

    rows = [
        row("Ref", "Indicator", "Q1 2025/26", "Q2 2025/26", "2026/27 Q1", "Target", "RAG"),
        row("Homes", "", "", "", "", "", ""),
        row("PCT", "Share", 45.5, "TBC", 47, 50, "G"),
        row("old pct", "Share as it was", "", "", "", "", ""),
        row("CNT", "Cases", 5, 6, "", "", "A"),
    ]
    name = f"KPIs by period.{kind}"
    path = csv_file(tmp_path, rows, name) if kind == "csv" else write_book({"KPI": rows}, name)
    outcome = import_files(workspace, [path], AS_AT)
    assert [problem.code for problem in outcome.problems] == ["gap-before"]  # Q3 and Q4 of 2025/26
    made = rows_of(outcome)[["indicator_id", "period_label", "value", "value_status"]]
    assert sorted(made.fillna(-1).to_numpy().tolist()) == [
        ["CNT", "Q1 2025/26", 5, "final"],
        ["CNT", "Q2 2025/26", 6, "final"],
        ["PCT", "2026/27 Q1", 47, "final"],
        ["PCT", "Q1 2025/26", 45.5, "final"],
        ["PCT", "Q2 2025/26", -1, "not_yet_available"],
    ]
    (target,) = rows_of(outcome, "targets").to_dict("records")
    assert (target["indicator_id"], target["target"]) == ("PCT", 50)
    assert target["period_start"].date() == date(2026, 4, 1)


def test_many_unknown_columns_are_one_warning(workspace: Workspace, tmp_path: Path) -> None:
    extra = [f"x{number}" for number in range(30)]
    path = csv_file(tmp_path, [(*HEADER, *extra), ("PCT", "2026-27 Q1", 4, *extra)])
    (said,) = import_files(workspace, [path], AS_AT).problems
    assert said.message.startswith("30 columns are not known to the mapping")
    assert said.message.endswith('W "x19" and 10 more.')
    assert said.column == 'D "x0"'


@pytest.mark.parametrize(
    ("header", "read"),
    [
        ("Q1 2026/27", ("Q1 2026/27", "value")),
        ("Q1  2026/27\nTARGET", ("Q1 2026/27", "target")),
        ("Sep 2026 - Target", ("Sep 2026", "target")),
        ("Target", ("", "target")),
        ("RAG", ("", "ignore")),
        ("Q1 2026/27 Commentary", ("Q1 2026/27", "text")),
        ("Indicator", None),
        ("Annual Target", None),
        ("Offtarget", None),
        ("", None),
    ],
)
def test_a_header_is_read_by_its_period_and_measure(
    header: str, read: tuple[str, str] | None, mappings: Mapping[str, MappingFile]
) -> None:
    unpivot = mappings["wide_periods"].unpivot
    assert unpivot is not None
    assert unpivot.read(header) == read


def test_a_pattern_may_leave_the_measure_out() -> None:
    unpivot = Unpivot(pattern=r"(?P<period>.*?)( (?P<measure>Aim))?", measures={"Aim": "target"})
    assert unpivot.read("Q1 2026/27") == ("Q1 2026/27", "value")
    assert unpivot.read("Q1 2026/27 Aim") == ("Q1 2026/27", "target")
    assert unpivot.read("Code") is None


def test_names_in_merged_cells_above_the_header(
    workspace: Workspace, write_book: Callable[..., Path]
) -> None:
    mapping = workspace.parameters / "mappings" / "pentana_pi_wide.yml"
    text = mapping.read_text(encoding="utf-8").replace(
        "  several: true", "  several: true\n  above: 1"
    )
    mapping.write_text(text, encoding="utf-8")

    def edit(book: Workbook) -> None:
        book["S"].merge_cells("C1:D1")

    rows = [
        [None, None, "Q1 2026/27", None],
        ["Code", "Short Name", "Value", "Target"],
        ["CNT", "Cases", 3, 4],
    ]
    outcome = import_files(workspace, [write_book({"S": rows}, "pentana.xlsx", edit)], AS_AT)
    assert rows_of(outcome)["value"].tolist() == [3]
    assert rows_of(outcome, "targets")["target"].tolist() == [4]


def test_hidden_rows_and_sheets_are_read_and_said(
    workspace: Workspace, write_book: Callable[..., Path]
) -> None:
    def edit(book: Workbook) -> None:
        book["A"].row_dimensions[2].hidden = True
        book["B"].sheet_state = "hidden"

    sheets = {
        "A": [HEADER, ("PCT", "2026-27 Q1", "45")],
        "B": [HEADER, ("CNT", "2026-27 Q1", 4)],
        "Cover": [["Prepared by the policy team"]],
    }
    outcome = import_files(workspace, [write_book(sheets, edit=edit)], AS_AT)
    assert codes(outcome, "warning") == ["text-number", "hidden", "hidden"]
    assert len(rows_of(outcome)) == 2
    assert one(outcome).record.ignored_because == {"on a sheet without the header": 1}


def test_one_bad_file_does_not_stop_the_others(workspace: Workspace, tmp_path: Path) -> None:
    folder = tmp_path / "drop"
    folder.mkdir()
    csv_file(folder, [HEADER, ("CNT", "2026-27 Q1", 3)])
    (folder / "~$observations.xlsx").write_bytes(b"x")
    (folder / "observations_half.xlsx").write_bytes(b"PK\3\4half")
    (folder / "unmapped.csv").write_text("a,b\n1,2\n", encoding="utf-8")
    outcome = import_files(workspace, [folder, folder / "absent_observations.csv"], AS_AT)
    assert outcome.vintage is not None
    assert sorted(codes(outcome)) == ["file-unusable", "file-unusable", "mapping-not-found"]
    assert codes(outcome, "warning") == ["file-skipped"]


def test_parquet_keeps_its_types(workspace: Workspace, tmp_path: Path) -> None:
    frame = pd.DataFrame(
        {
            "indicator_id": ["PCT", "CNT"],
            "period_start": pd.to_datetime(["2026-04-01", "2026-04-01"]),
            "period_end": pd.to_datetime(["2026-06-30", "2026-06-30"]),
            "frequency": ["quarterly", "quarterly"],
            "value": [0.1 + 0.2, None],
            "value_status": ["final", "suppressed"],
        }
    )
    frame.to_parquet(tmp_path / "observations.parquet")
    outcome = import_files(workspace, [tmp_path / "observations.parquet"], AS_AT)
    assert outcome.problems == []
    assert rows_of(outcome)["value"].tolist()[0] == 0.1 + 0.2


def test_other_tables_by_their_own_mappings(workspace: Workspace, tmp_path: Path) -> None:
    texts = {
        "narratives.csv": 'kpi,period,kind,comment\nPCT,2026-27 Q1,reason,"=late, as told"\n',
        "peer_sets.csv": "set,area_code,member_code,rank\nnear,X06000001,X06000002,1\n",
        "actions.csv": "code,kpi,title,due date,status\nA1,PCT,Do,31/03/2027,In progress\n",
        "changes.csv": "kpi,period_start,kind,why,comparable\nPCT,2026-04-01,definition,New,no\n",
        "targets.csv": "kpi,period,target,type\nPCT,2026-27,50,statutory\n",
    }
    for name, text in texts.items():
        (tmp_path / name).write_text(text, encoding="utf-8")
    outcome = import_files(workspace, [tmp_path / name for name in texts], AS_AT)
    assert [problem.line() for problem in outcome.problems] == []
    assert outcome.vintage is not None
    assert set(outcome.vintage.rows) == {"narratives", "peer_sets", "actions", "changes", "targets"}
    known = Store(workspace.store).as_known_on(AS_AT)
    assert known["actions"]["status"].tolist() == ["on_track"]
    assert known["narratives"]["text"].tolist() == ["=late, as told"]
    assert known["changes"]["comparable"].tolist() == [False]


@pytest.mark.realdata
def test_a_large_open_file_is_cut_down_to_the_register_and_counted(
    workspace: Workspace, real_data: Path
) -> None:
    register = workspace.parameters / "indicators.yml"
    entries = register.read_text(encoding="utf-8").replace("id: YEARLY", "id: lait_16_17_neet")
    register.write_text(entries, encoding="utf-8")
    mapping = workspace.parameters / "mappings" / "generic_tidy.yml"
    rule = "keep:\n  - {column: indicator_id, in: register}\n"
    mapping.write_text(mapping.read_text(encoding="utf-8") + rule, encoding="utf-8")
    path = real_data / "tidy" / "children_dfe_lait.csv.gz"
    outcome = import_files(workspace, [path], AS_AT, mapping="generic_tidy")
    record = one(outcome).record
    assert record.rows_read == 640_900
    assert record.rows_quarantined == 0
    assert record.rows_accepted == len(rows_of(outcome)) > 1000
    assert set(rows_of(outcome)["indicator_id"]) == {"lait_16_17_neet"}


# The law: rows read = accepted + quarantined + declared-ignored, whatever a workbook holds.

broken_cells = st.sampled_from(
    [
        *(None, "", "n/a", "c", "#DIV/0!", "#REF!", "1,234", "12,5", "45%", "TBC", "x", "=A1"),
        *(0.452, 45.2, -3, 1e9, 0, True, date(2026, 4, 1), "£5", "abc", " "),
        "Not available until 2027",
    ]
)
ids = st.sampled_from(["PCT", "CNT", "pct", "old pct", "YEARLY", "nobody", None, "", 7, "#N/A"])
labels = st.sampled_from(
    [
        *("2026-27 Q1", "Q1 2026/27", "2026-27 Q2", "2025-26", "Q1 2022", "soon", None, 2025),
        *(date(2026, 4, 1), "Apr 2026", "2030-31 Q1"),
    ]
)
tidy_rows = st.lists(st.one_of(st.tuples(ids, labels, broken_cells), st.just(())), max_size=12)
wide_rows = st.lists(
    st.one_of(
        st.tuples(ids, st.just("name"), *[broken_cells] * 4),
        st.just(()),
        st.just(("Objective",)),
        st.just(
            ("Code", "Short Name", "Q1 2025/26 Value", "Target", "2025/26 Value", "Q1 2025/26 Note")
        ),
    ),
    max_size=10,
)
LAW = settings(
    max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)


def holds_the_law(result: ImportResult) -> None:
    record = result.record
    accepted = sum(map(len, result.tables.values()))
    assert record.rows_read == accepted + record.rows_quarantined + record.rows_ignored
    assert record.rows_ignored == sum(record.ignored_because.values())
    for name, table in result.tables.items():
        assert check_table(table, name) == []
    held = result.quarantine
    assert len(held) >= record.rows_quarantined
    assert (held[["file", "message", "fix", "code"]] != "").all(axis=None)
    assert held["row"].notna().all()


def import_file(path: Path, mapping: MappingFile, parameters: Parameters) -> ImportResult:
    """Read one file through a mapping, without storing it."""
    result = judge_file(read_file(path), mapping, Context.of(parameters, AS_AT))
    settle_repeats([result], empty_table("targets"))
    drop_labels([result])
    return result


@LAW
@given(
    rows=tidy_rows, hidden=st.sets(st.integers(2, 9)), percent=st.booleans(), merge=st.booleans()
)
def test_no_row_of_a_tidy_sheet_is_lost(
    rows: list[tuple[Any, ...]],
    hidden: set[int],
    percent: bool,
    merge: bool,
    write_book: Callable[..., Path],
    parameters: Parameters,
    mappings: dict[str, MappingFile],
) -> None:
    def edit(book: Workbook) -> None:
        for row in hidden:
            book["S"].row_dimensions[row].hidden = True
        for (cell,) in book["S"].iter_rows(min_row=2, min_col=3, max_col=3):
            cell.number_format = "0%" if percent else "General"
        if merge:
            book["S"].merge_cells("A3:A4")

    path = write_book({"S": [HEADER, *rows]}, edit=edit)
    result = import_file(path, mappings["generic_tidy"], parameters)
    holds_the_law(result)
    filled = set(read_file(path).sheets[0].cells.index) - {1}
    placed = [*result.tables.get("observations", pd.DataFrame({"source_row": []}))["source_row"]]
    assert result.record.rows_read == len(filled)
    assert set(placed) | set(result.quarantine["row"]) <= filled
    assert not set(placed) & set(result.quarantine["row"])
    ignored = len(filled) - len(set(placed)) - result.quarantine["row"].nunique()
    assert ignored == result.record.rows_ignored


@LAW
@given(rows=wide_rows)
def test_no_entry_of_a_wide_sheet_is_lost(
    rows: list[tuple[Any, ...]],
    write_book: Callable[..., Path],
    parameters: Parameters,
    mappings: dict[str, MappingFile],
) -> None:
    path = write_book({"S": [["Report"], *rows]}, "pentana.xlsx")
    holds_the_law(import_file(path, mappings["pentana_pi_wide"], parameters))


def test_an_id_with_two_names_is_held_back_whole(workspace: Workspace, tmp_path: Path) -> None:
    rows = [
        ("indicator_id", "Indicator", "period", "value"),
        ("PCT", "Homes empty", "2026-27 Q1", 1),
        ("CNT", "Dogs lost", "2026-27 Q1", 2),
        ("PCT", "Dogs lost", "2026-27 Q2", 10),
    ]
    outcome = import_files(workspace, [csv_file(tmp_path, rows)], AS_AT)
    assert rows_of(outcome)["indicator_id"].tolist() == ["CNT"]
    assert codes(outcome) == ["id-with-two-names"]
    told = " ".join(problem.message for problem in outcome.problems)
    assert 'two names, "Homes empty" and "Dogs lost", in rows 2, 4' in told
    assert one(outcome).quarantine["row"].tolist() == [2, 4]
    spelt = [(*rows[0],), rows[1], ("PCT", "homes  Empty", "2026-27 Q2", 10)]
    same = import_files(workspace, [csv_file(tmp_path, spelt, "observations_2.csv")], AS_AT)
    assert len(rows_of(same)) == 2


def test_a_number_with_two_meanings_is_held_back(workspace: Workspace, tmp_path: Path) -> None:
    rows = [HEADER, ("CNT", "2026-27 Q1", '"12,5"'), ("CNT", "2026-27 Q2", "1.234")]
    outcome = import_files(workspace, [csv_file(tmp_path, rows)], AS_AT)
    assert codes(outcome) == ["not-number", "two-meanings"] and outcome.vintage is None
    assert "1.234 or 1,234" in str(outcome.problems)


def test_rows_that_look_like_thousands_are_noted(workspace: Workspace, tmp_path: Path) -> None:
    quarters = [f"{year} Q{n}" for year in ("2024-25", "2025-26") for n in (1, 2)]
    for cells, said in (
        (["1.234", "987", "1.310", "1.287"], 1),
        (["1.234", "1.2", "1.310", "1.287"], 0),
    ):
        rows = [HEADER, *(("CNT", q, cell) for q, cell in zip(quarters, cells, strict=True))]
        outcome = import_files(workspace, [csv_file(tmp_path, rows)], AS_AT)
        assert codes(outcome, "warning").count("thousands-perhaps") == said
        assert len(rows_of(outcome)) == 4
