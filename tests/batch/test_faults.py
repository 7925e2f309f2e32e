"""What can be wrong before a kernel starts: the right message, the right exit code, nothing run."""

from __future__ import annotations

from collections.abc import Callable
from datetime import date
from pathlib import Path

import pandas as pd
import pytest

from pmf_analysis.cli import main
from pmf_analysis.data.store import Store

MakeWorkspace = Callable[..., Path]
RUN = "parameters/runs/q2.yml"


@pytest.fixture
def council(make_workspace: MakeWorkspace, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.delenv("PMF_WORKSPACE", raising=False)
    return make_workspace(tmp_path / "council")


def _change(path: Path, old: str, new: str) -> None:
    text = path.read_text(encoding="utf-8")
    assert old in text
    path.write_text(text.replace(old, new), encoding="utf-8")


def _refused(root: Path, capsys: pytest.CaptureFixture[str], exit_code: int) -> str:
    """Run everything that is there; return the messages, each of which is one line."""
    assert main(["run", "--workspace", str(root)]) == exit_code
    told = capsys.readouterr()
    assert told.out == "" and "Traceback" not in told.err
    assert not list(root.glob("outputs/*/*/*"))
    return told.err


@pytest.mark.parametrize(
    ("file", "old", "new", "says"),
    [
        (RUN, "peer_set:", "peer_sett:", 'Did you mean "peer_set"?'),
        (RUN, "format: 1", "format: 1\nformat: 1", "format"),
        (RUN, "analyses: [trends]", "analyses: [trend]", "trends"),
        (RUN, "council: tinyshire", "council: tinyshre", 'Did you mean "tinyshire"?'),
        (RUN, '"2026-27 Q2"', '"Q2"', "period"),
        (RUN, "peer_set: neighbours", "peer_set: neighbors", 'Did you mean "neighbours"?'),
        ("parameters/indicators.yml", "[one, two]", "[one, tow]", 'Did you mean "two"?'),
        ("parameters/framework.yml", "themes:\n", "teams:\n", 'Did you mean "themes"?'),
        ("notebooks/trends.ipynb", "seed = 1", "sead = 1", 'Did you mean "seed"?'),
        ("notebooks/trends.ipynb", "seed = 1", "seed = 2", "so it is not run"),
    ],
)
def test_a_fault_is_named_with_its_file_and_nothing_runs(
    council: Path,
    capsys: pytest.CaptureFixture[str],
    file: str,
    old: str,
    new: str,
    says: str,
) -> None:
    _change(council / file, old, new)
    message = _refused(council, capsys, 2)
    assert file in message and says in message


def test_faults_of_several_files_are_told_at_once(
    council: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    _change(council / RUN, "peer_set:", "peer_sett:")
    _change(council / "parameters/indicators.yml", "polarity: higher", "polarity: up")
    message = _refused(council, capsys, 2)
    assert RUN in message and "parameters/indicators.yml" in message


@pytest.mark.parametrize(
    ("file", "says"),
    [
        ("notebooks/trends.ipynb", "notebooks/trends.ipynb: There is no such notebook."),
        (RUN, "There is no run file in parameters/runs."),
        ("parameters/indicators.yml", "parameters/indicators.yml"),
    ],
)
def test_a_missing_file_is_named(
    council: Path, capsys: pytest.CaptureFixture[str], file: str, says: str
) -> None:
    (council / file).unlink()
    assert says in _refused(council, capsys, 2)


def test_a_full_disk_is_noticed_before_anything_runs(
    council: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    from pmf_analysis.batch import plan

    monkeypatch.setattr(plan, "_FREE_BYTES", 10**18)
    assert "free on the disk" in _refused(council, capsys, 3)


def test_a_notebook_of_ones_own_is_let_in_and_the_files_remarks_stay(
    council: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    _change(council / "notebooks/trends.ipynb", "seed = 1", "seed = 2")
    assert main(["check", "--workspace", str(council)]) == 2
    assert main(["check", "--accept", "--workspace", str(council)]) == 0
    assert "Accepted: trends.ipynb." in capsys.readouterr().err
    assert (council / RUN).read_text().startswith("# The only run.\n")
    assert main(["check", "--workspace", str(council)]) == 0
    _change(council / "notebooks/trends.ipynb", "seed = 2", "seed = 3")
    assert main(["check", "--workspace", str(council)]) == 2


def test_a_file_that_holds_nothing_is_refused(
    council: Path, capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    (council / "parameters/mappings").mkdir()
    for name in ("observations_empty.csv", "observations_absent.csv"):
        path = tmp_path / name
        if "empty" in name:
            path.touch()
        assert main(["import", str(path), "--workspace", str(council)]) == 3
        told = capsys.readouterr()
        assert name in told.err and "Nothing was imported." in told.out
        assert "Traceback" not in told.err


def test_a_peer_set_that_only_its_description_names_is_refused_by_plan_as_by_run(
    council: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    _change(council / "parameters/peer_sets.yml", "    members: {X06000098: Smallshire}\n", "")
    for command in ("plan", "check", "run"):
        assert main([command, "--workspace", str(council)]) == 2
        assert 'peer set "neighbours" is not given with members' in capsys.readouterr().err
    _change(council / "parameters/runs/q2.yml", "peer_set: neighbours\n", "")
    assert main(["plan", "--workspace", str(council)]) == 0


def test_a_council_without_figures_is_told_before_anything_runs(
    council: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    _change(council / "parameters/framework.yml", "X06000099", "X06000089")
    message = _refused(council, capsys, 3)
    where = 'parameters/framework.yml line 3: In "tinyshire": no figures are stored for area_code '
    assert message.startswith(where + '"X06000089". Did you mean "X0600009')
    assert "Fix: correct area_code, or import" in message and message.count(" or ") == 2
    assert main(["check", "--workspace", str(council)]) == 3
    changes = [("X06000098", "X06000089", "merged", pd.Timestamp("2026-04-01"))]
    rows = pd.DataFrame(changes, columns=["old_code", "new_code", "kind", "on_date"])
    Store(council / "store").add({"area_changes": rows}, as_at=date(2026, 10, 31))
    assert main(["check", "--workspace", str(council)]) == 0


def test_groups_that_the_data_do_not_have_are_told(
    council: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    groups = "    reference_groups: {sex: Femal, age: Old}\n    standardised_by: sex\n"
    groups += "    standard_population: {Female: 1.0, Malle: 1.0}\n"
    _change(council / "parameters/indicators.yml", "    polarity", groups + "    polarity")
    period = {"period_start": "2026-07-01", "period_end": "2026-09-30", "frequency": "quarterly"}
    row = {"indicator_id": "KPI1", "area_code": "X06000099", "value": 1.0, "dimension": "sex"}
    rows = [period | row | {"dimension_value": name} for name in ("Female", "Male", "Other|%")]
    Store(council / "store").add({"observations": pd.DataFrame(rows)}, as_at=date(2026, 10, 31))
    assert main(["check", "--workspace", str(council)]) == 0
    told = capsys.readouterr().err
    assert "warning: parameters/indicators.yml line" in told
    assert 'group "sex: Femal" is not in the data. Did you mean "sex: Female"?' in told
    assert "Expected one of sex: Female, sex: Male, sex: Other|%." in told
    assert 'group "sex: Malle" is not in the data. Did you mean "sex: Male"?' in told
    assert 'sex: Female" is not' not in told


def test_an_imported_peer_set_of_later_is_told_by_check_as_by_run(
    council: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    _change(council / RUN, "peer_set: neighbours", "peer_set: listed")
    rows = pd.DataFrame({"peer_set": ["listed"], "member_code": ["X06000098"]})
    rows = rows.assign(area_code="X06000099", as_at=pd.Timestamp("2031-01-01"))
    Store(council / "store").add({"peer_sets": rows}, as_at=date(2026, 10, 31))
    for command in ("check", "run"):
        assert main([command, "--workspace", str(council)]) == 2
        assert 'peer set "listed" is of 2031-01-01, so nobody' in capsys.readouterr().err
    undated = {"peer_sets": rows.drop(columns="as_at")}
    Store(council / "store").add(undated, as_at=date(2026, 10, 30))
    assert main(["check", "--workspace", str(council)]) == 0


def test_a_run_with_an_old_peer_set_is_told_so(
    council: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    _change(council / "parameters/peer_sets.yml", "as_at: 2026-04-01", "as_at: 2020-04-01")
    assert main(["check", "--workspace", str(council)]) == 0
    assert "more than 24 months before" in capsys.readouterr().err
