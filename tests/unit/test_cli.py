"""The command line: exit codes, messages on one line, nothing heavy where nothing is done."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import zipfile
from pathlib import Path

import pytest

from pmf_analysis import __version__
from pmf_analysis.cli import app, main

COMMANDS = (
    *("new", "demo", "import", "look", "collect", "check", "plan", "run", "backtest", "render"),
    *("export", "publish", "audit", "show", "lab"),
)
HEAVY = ("pandas", "numpy", "papermill", "nbconvert", "matplotlib", "pyarrow", "scipy")


@pytest.fixture(autouse=True)
def no_workspace_variable(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("PMF_WORKSPACE", raising=False)


def _one_line(capsys: pytest.CaptureFixture[str]) -> str:
    lines = capsys.readouterr().err.splitlines()
    assert len(lines) == 1, lines
    return lines[0]


def test_every_command_of_the_design_is_there_and_is_explained(repository: Path) -> None:
    assert [command.name or command.callback.__name__ for command in app.registered_commands] == [
        *COMMANDS
    ]
    guide = (repository / "docs" / "getting-started.md").read_text(encoding="utf-8")
    assert all(f"| `pmf {name}" in guide for name in COMMANDS)


@pytest.mark.parametrize("arguments", [["--help"], ["run", "--help"], ["--version"]])
def test_help_imports_nothing_heavy(arguments: list[str]) -> None:
    code = (
        "import sys; from pmf_analysis.cli import main; main(sys.argv[1:]);"
        f"print('heavy:', sorted(set(sys.modules) & set({HEAVY!r})))"
    )
    done = subprocess.run([sys.executable, "-c", code, *arguments], capture_output=True, text=True)
    assert done.stdout.splitlines()[-1] == "heavy: []"


def test_the_version_is_the_packages(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["--version"]) == 0
    assert capsys.readouterr().out == f"pmf {__version__}\n"


def test_the_package_is_the_command_too(tmp_path: Path) -> None:
    (tmp_path / "page.html").write_text("<p>No title, no language</p>", encoding="utf-8")
    command = [sys.executable, "-m", "pmf_analysis", "audit", str(tmp_path)]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert (done.returncode, done.stderr) == (1, "") and "page.html" in done.stdout


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        (["rum"], "run"),
        (["run", "--job", "2"], "--jobs"),
        (["run", "--jobs", "0"], "--jobs"),
        (["run", "--timeout", "soon"], "--timeout"),
        (["import", "--as-at", "yesterday", "x.csv"], "not a date such as 2026-10-31"),
        (["import"], "Name at least one file"),
    ],
)
def test_wrong_usage_is_one_line_and_exit_2(
    repository: Path, arguments: list[str], says: str, capsys: pytest.CaptureFixture[str]
) -> None:
    if arguments[0] == "import":
        arguments = [*arguments, "--workspace", str(repository)]
    assert main(arguments) == 2
    assert says in _one_line(capsys)


def test_outside_a_workspace_the_message_says_what_to_do(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["plan", "--workspace", str(tmp_path)]) == 2
    line = _one_line(capsys)
    assert "not a workspace" in line and "pmf new" in line


def test_problems_come_as_json_too(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["check", "--json", "--workspace", str(tmp_path)]) == 2
    told = json.loads(capsys.readouterr().out)
    assert told["exit_code"] == 2
    assert told["problems"][0]["level"] == "error"


def test_the_unexpected_is_one_line_and_a_file(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    import tempfile

    def broken(folder: Path, *council: str) -> list[str]:
        raise RuntimeError(f"first line about {folder.name}\nsecond line")

    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    monkeypatch.setattr("pmf_analysis.batch.notebooks.new_workspace", broken)
    assert main(["new", "somewhere"]) == 1
    line = _one_line(capsys)
    assert "RuntimeError: first line about somewhere" in line and "second" not in line
    [log] = tmp_path.glob("pmf-error-*/details.txt")
    assert "Traceback" in log.read_text(encoding="utf-8") and str(log) in line


def test_a_new_workspace_is_whole_and_is_never_written_over(
    tmp_path: Path, repository: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    folder = tmp_path / "my council"
    assert main(["new", str(folder)]) == 0
    for name in ("parameters", "notebooks"):
        ours = {path.relative_to(repository / name) for path in (repository / name).rglob("*.*")}
        assert {path.relative_to(folder / name) for path in (folder / name).rglob("*.*")} >= {
            path for path in ours if ".ipynb_checkpoints" not in path.parts
        }
    (folder / "README.md").write_text("mine")
    capsys.readouterr()
    assert main(["new", str(folder)]) == 2
    assert "The folder is not empty." in _one_line(capsys)
    assert (folder / "README.md").read_text() == "mine"


def test_a_run_file_is_chosen_by_name_when_there_are_more(
    repository: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["plan", "--workspace", str(repository)]) == 2
    assert "westshire_four_2026-27_q2.yml" in _one_line(capsys)
    assert main(["plan", "westshire_2026-27_q3", "--workspace", str(repository)]) == 2
    assert 'Did you mean "westshire_2026-27_q2"?' in _one_line(capsys)


def test_the_fictional_council_is_not_mixed_with_another(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    place = tmp_path / "ours"
    arguments = ["new", str(place), "--council", "Ourtown", "--area-code", "E06000001"]
    assert main(arguments) == 0
    capsys.readouterr()
    assert main(["demo", "--workspace", str(place)]) == 2
    assert "that of Ourtown (E06000001)" in _one_line(capsys)
    store = place / "store"
    assert not store.exists() or not [*store.rglob("*.parquet"), *store.rglob("*.csv")]


def test_a_plan_lists_the_reports_and_makes_nothing(
    repository: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    before = sorted((repository / "outputs").iterdir())
    assert main(["demo", "--workspace", str(repository)]) == 0
    capsys.readouterr()
    arguments = ["plan", "westshire_2026-27_q2.yml", "--workspace", str(repository), "--json"]
    assert main(arguments) == 0
    listed = json.loads(capsys.readouterr().out)
    assert len(listed) == 21
    assert all(row["indicators"] for row in listed)
    assert main([*arguments, "--theme", "homes_and_communities", "--analysis", "trends"]) == 0
    assert len(json.loads(capsys.readouterr().out)) == 1
    assert main([*arguments, "--theme", "homes_and_community"]) == 2
    assert 'Did you mean "homes_and_communities"?' in capsys.readouterr().err
    assert sorted((repository / "outputs").iterdir()) == before


def test_an_installed_wheel_makes_a_workspace_and_plans_its_run(
    repository: Path, tmp_path: Path
) -> None:
    from hatchling.builders.wheel import WheelBuilder

    [wheel] = WheelBuilder(str(repository)).build(directory=str(tmp_path), versions=["standard"])
    with zipfile.ZipFile(wheel) as archive:
        archive.extractall(tmp_path / "site")
        assert not [name for name in archive.namelist() if "checkpoint" in name]
    code = (
        "import sys, pmf_analysis; from pmf_analysis.cli import main;"
        "assert pmf_analysis.__file__.startswith(sys.argv[1]);"
        "run = ['plan', 'westshire_2026-27_q2', '--workspace', 'ws'];"
        "demo = ['demo', '--workspace', 'ws'];"
        "sys.exit(main(['new', 'ws']) or main(demo) or main(run))"
    )
    environment = {**os.environ, "PYTHONPATH": str(tmp_path / "site")}
    done = subprocess.run(
        [sys.executable, "-c", code, str(tmp_path / "site")],
        cwd=tmp_path,
        env=environment,
        capture_output=True,
        text=True,
    )
    assert done.returncode == 0, done.stderr
    assert done.stdout.splitlines()[-1] == "21 reports for westshire, 2026-27 Q2"
