"""A council's own targets, set by people: every fault known in them is found and named."""

from __future__ import annotations

import csv
import shutil
from datetime import date
from pathlib import Path
from typing import Any, NamedTuple

import pandas as pd
import pytest

from pmf_analysis.data.corrections import apply_corrections
from pmf_analysis.data.store import Store
from pmf_analysis.measures.frames import (
    judged_register,
    measure_frame,
    own_totals,
    shown_observations,
)
from pmf_analysis.measures.questions import live_targets
from pmf_analysis.measures.realism import assess_targets
from pmf_analysis.measures.target_checks import target_checks
from pmf_analysis.measures.target_rule import decision_path
from pmf_analysis.parameters.workspace import Parameters, Workspace
from pmf_analysis.systems.importing import ImportOutcome, import_files

pytestmark = pytest.mark.realdata

AREA, AS_AT = "E07000089", date(2014, 11, 30)
FILES = ("hart_corporate_kpis.csv.gz", "hart_kpis_as_published.csv")
CARRIED = [
    *("cs03", "ets01", "hr03", "hr05", "hr11", "hs01", "hs07"),
    *("hs16", "ia02", "ia04", "it02", "it05", "ls05", "rb07"),
    *("rb08", "rb09", "snh03", "snh04", "snh06"),
]


class Hart(NamedTuple):
    """The council's tables as far as targets need them."""

    outcome: ImportOutcome
    parameters: Parameters
    own: pd.DataFrame
    register: pd.DataFrame
    targets: pd.DataFrame
    found: pd.DataFrame

    def named(self, check: str, *columns: str) -> list[Any]:
        """Short names of what a check found, with some of its columns."""
        rows = self.found[self.found["check"] == check]
        names = rows["indicator"].str.removeprefix("hart_")
        if not columns:
            return sorted(names)
        return sorted(zip(names, *(rows[name] for name in columns), strict=True))


@pytest.fixture(scope="module")
def hart(tmp_path_factory: pytest.TempPathFactory, real_data: Path, repository: Path) -> Hart:
    folder = tmp_path_factory.mktemp("hart")
    shutil.copytree(repository / "tests" / "real" / "hart" / "parameters", folder / "parameters")
    workspace = Workspace(folder)
    outcome = import_files(workspace, [real_data / "tidy" / name for name in FILES], AS_AT)
    parameters, tables = workspace.load(), Store(workspace.store).as_known_on(AS_AT)
    register = judged_register(parameters)
    known, _ = apply_corrections(
        tables["observations"], parameters.corrections, parameters.register, own_area=AREA
    )
    own = own_totals(measure_frame(shown_observations(known, register)[0], register), AREA)
    kinds = {"indicator": "str", "kind": "str", "is_reference": bool, "probability": float}
    none = pd.DataFrame(columns=list(kinds)).astype(kinds)
    found = target_checks(tables["targets"], own, register, none, as_at=AS_AT)
    return Hart(outcome, parameters, own, register, tables["targets"], found)


def test_every_row_of_both_files_is_accounted_for(hart: Hart) -> None:
    tidy, published = (result.record for result in hart.outcome.results)
    for record in (tidy, published):
        rows = record.rows_accepted + record.rows_quarantined + record.rows_ignored
        assert record.rows_read == rows
        assert record.rows_quarantined == 0
    # 180 values, of which the register holds the quarterly ones, and 83 targets beside them
    assert (tidy.rows_read, tidy.rows_accepted) == (180 + 83, 135 + 83)
    # the pages repeat them; seven targets of 0 are in the pages alone
    assert (published.rows_read, published.rows_accepted) == (180, 7)
    assert len(hart.own) == 135
    assert len(hart.targets) == 90


def test_zeros_in_place_of_missing_figures_are_named(hart: Hart) -> None:
    assert hart.named("zero_for_missing", "periods") == [
        ("ets01", "2014/15 Q1"),
        ("ets01", "2014/15 Q2"),
        ("it06", "2014/15 Q2"),
        ("ps05", "2014/15 Q2"),
    ]
    # days beside a timetable and a change in crime may well be zero
    assert {"ls05", "snh01"} & set(hart.named("zero_for_missing")) == set()


def test_targets_that_stand_still_while_the_figure_accumulates_are_named(hart: Hart) -> None:
    told = hart.named("unprofiled", "value", "expected", "n")
    assert told == [("rb05", 24.6, 57.4, 2), ("rb06", 24.5, 59.3, 2)]
    for profiled in ("hr11", "ia01", "hs08", "hs16"):
        assert profiled not in hart.named("unprofiled")


def test_figures_carried_forward_unchanged_are_named(hart: Hart) -> None:
    assert hart.named("carried_forward") == CARRIED
    assert hart.named("mostly_carried_forward", "value", "n") == [("", 19.0, 45)]


def test_the_count_of_what_was_carried_forward_is_that_of_the_pages(
    hart: Hart, real_data: Path
) -> None:
    with (real_data / "tidy" / FILES[1]).open(encoding="utf-8") as lines:
        rows = [row for row in csv.DictReader(lines) if row["period"] == "2014/15 Q2"]
    same = [r["kpi_ref"].lower() for r in rows if float(r["value"]) == float(r["previous_value"])]
    assert sorted(same) == CARRIED


def test_colours_that_follow_no_rule_are_named(hart: Hart) -> None:
    assert hart.named("colour_disagrees", "text", "periods") == [
        ("ets01", "red", "2014/15 Q1"),
        ("ets01", "red", "2014/15 Q2"),
        ("fi06", "amber", "2014/15 Q2"),
        ("hr11", "red", "2014/15 Q2"),
        ("hs16", "green", "2014/15 Q2"),
        ("it03", "green", "2014/15 Q1"),
        ("it06", "green", "2014/15 Q2"),
        ("ps05", "green", "2014/15 Q2"),
    ]
    assert hart.named("colours_by_no_rule", "value") == [("", 8.0)]


def test_targets_of_zero_and_what_is_not_written_are_named(hart: Hart) -> None:
    assert set(hart.named("zero_target")) == {"rb09", "snh03", "snh04", "snh06"}
    assert "ls05" not in hart.named("zero_target")  # days beside a timetable: zero is meant
    assert len(hart.named("no_rationale")) == len(hart.named("no_comparator")) == 45


def test_targets_below_what_was_already_reached_are_named(hart: Hart) -> None:
    told = hart.named("wrong_side", "value", "expected")
    assert ("cs01", 90.0, 95.9) in told  # calls: 90 asked, 95.9 reached the quarter before
    assert ("rb07", 23.0, 19.94) in told  # days for new claims, where lower is better
    assert {"ia01", "rb05", "snh02"} & {name for name, *_ in told} == set()


def test_no_other_check_speaks(hart: Hart) -> None:
    told = {
        *("zero_for_missing", "unprofiled", "carried_forward", "mostly_carried_forward"),
        *("colour_disagrees", "colours_by_no_rule", "zero_target", "no_rationale"),
        *("no_comparator", "wrong_side"),
    }
    assert set(hart.found["check"]) == told


def test_three_figures_give_no_chance_and_a_plain_reason(hart: Hart) -> None:
    live = live_targets(hart.targets, hart.own, hart.register)
    ahead = live.assign(period=live["period"] + pd.DateOffset(years=1))
    answers = assess_targets(hart.own, ahead, register=hart.register)
    assert answers["probability"].isna().all()
    assert (answers["reason"].str.split().str.len().between(3, 25)).all()


def test_the_path_says_what_is_not_known(hart: Hart) -> None:
    beside = [
        "series",
        "period",
        "value",
        "peer_median",
        "peer_q1",
        "peer_q3",
        "nation_value",
        "peer_set",
    ]
    nobody = pd.DataFrame(columns=beside).astype({"series": "str", "period": "datetime64[us]"})
    live = live_targets(hart.targets, hart.own, hart.register)
    rule = hart.parameters.framework.target_rule
    told = decision_path(rule, nobody, live, hart.own, hart.register)
    assert len(told) == 90 * len(rule.steps)
    answered = told.groupby("step")["answer"].unique()
    assert set(answered["neighbours"]) == set(answered["nation"]) == {"not_known"}
    assert set(answered["required"]) == set(answered["rationale"]) == {"no"}
