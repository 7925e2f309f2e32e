"""Runs seal the chances they publish; later runs open them; the past is asked from the shell."""

from __future__ import annotations

import json
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path

import pandas as pd
import pytest

from pmf_analysis.batch.manifest import RunRecord
from pmf_analysis.batch.plan import make_plan
from pmf_analysis.batch.running import Options, run_plan
from pmf_analysis.cli import main
from pmf_analysis.parameters.workspace import Workspace

MakeWorkspace = Callable[..., Path]
TODAY, LATER = datetime(2026, 11, 2, 9, 30, tzinfo=UTC), datetime(2026, 12, 1, 9, 30, tzinfo=UTC)


def _run(root: Path, now: datetime = TODAY, file: str = "q2.yml", **options: bool) -> RunRecord:
    plan = make_plan(Workspace(root), file)
    return run_plan(plan, Options(**options), now=now, on_job=lambda *_: None)


def test_a_run_seals_its_chances_once_and_a_later_run_names_what_it_opens(
    make_workspace: MakeWorkspace, tmp_path: Path
) -> None:
    root = make_workspace(tmp_path / "council", themes=("one",))
    first, second = _run(root), _run(root, LATER)
    [path] = (root / "store" / "sealed").iterdir()
    assert first.manifest["seal"] == second.manifest["seal"] == path.stem
    assert first.manifest["content"]["seals"] == []  # its own seal is not opened
    assert first.manifest["content_hash"] == second.manifest["content_hash"]
    rows = pd.read_parquet(path)
    assert set(rows["sealed_on"]) == {"2026-11-02"} and set(rows["council"]) == {"tinyshire"}
    told = pd.read_parquet(first.folder / "measures" / "targets.parquet")
    told = told.dropna(subset=["probability"]).sort_values("target_id")
    assert rows["target_id"].tolist() == told["target_id"].tolist() != []
    assert rows["probability"].tolist() == told["probability"].tolist()
    assert (rows["better"] == "higher").all() and (rows["period_end"] > "2026-11-02").all()
    runs = root / "parameters" / "runs"
    text = (runs / "q2.yml").read_text(encoding="utf-8")
    (runs / "next.yml").write_text(text.replace("2026-10-31", "2027-01-31"), encoding="utf-8")
    later = _run(root, LATER, "next.yml")
    assert later.manifest["content"]["seals"] == [path.stem]
    assert later.manifest["seal"].startswith("2027-01-31_")


@pytest.mark.parametrize("fail_fast", [True, False])
def test_a_run_that_failed_or_was_stopped_seals_nothing(
    make_workspace: MakeWorkspace, tmp_path: Path, fail_fast: bool
) -> None:
    step = "assert theme != 'one'"
    root = make_workspace(tmp_path / "council", step, themes=("one", "two"))
    made = _run(root, fail_fast=fail_fast)
    assert made.exit_code == 1 and not made.manifest.get("seal")
    assert not (root / "store" / "sealed").exists()


def test_a_run_whose_store_cannot_be_written_finishes_with_a_warning(
    make_workspace: MakeWorkspace, tmp_path: Path
) -> None:
    root = make_workspace(tmp_path / "council", themes=("one",))
    (root / "store" / "sealed").write_text("in the way", encoding="utf-8")
    made = _run(root)
    assert made.exit_code == 0 and made.is_finished and made.manifest["seal"] == ""
    told = pd.read_csv(made.folder / "problems.csv", dtype="str", keep_default_na=False)
    assert (told["code"] == "not-sealed").sum() == 1
    assert made.manifest["problems"] == told["level"].value_counts().to_dict()
    assert "could not be sealed" in told["message"].iloc[-1] and str(root) not in str(told)


def test_the_past_is_asked_from_the_shell_and_kept(
    make_workspace: MakeWorkspace, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    root = make_workspace(tmp_path / "council", themes=("one",))
    assert main(["backtest", "--json", "--workspace", str(root)]) == 0
    rows = json.loads(capsys.readouterr().out)["records"]
    own = [row for row in rows if row["source"] == "backtest"]
    assert [row["band"] for row in own] == ["all"] and own[0]["n"] < 60
    assert "a record needs 60" in own[0]["reason"] and own[0]["skill"] is None
    assert {"low", "middle", "high", "all"} <= {
        row["band"] for row in rows if row["source"] == "shipped"
    }
    [path] = (root / "store" / "backtest" / "tinyshire").iterdir()
    assert len(pd.read_parquet(path)) == own[0]["n"]
    assert main(["backtest", "--workspace", str(root)]) == 0
    shown = capsys.readouterr().out
    assert "a record needs 60" in shown and "60221" in shown
    assert make_plan(Workspace(root)).content()["backtests"] == [path.stem]
