"""The workbench script: standard library only, words for an old Python, no work done twice."""

from __future__ import annotations

import ast
import importlib.util
import os
import subprocess
import sys
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest


@pytest.fixture
def workbench(repository: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> ModuleType:
    """The script, in a folder of its own that holds a lock and a pyproject."""
    spec = importlib.util.spec_from_file_location("workbench", repository / "workbench.py")
    assert spec is not None and spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    python = tmp_path / ".venv" / "bin" / "python"
    for name, value in {
        "ROOT": tmp_path,
        "VENV": tmp_path / ".venv",
        "WORK": tmp_path / ".workbench",
        "PYTHON": python,
        "STAMP": tmp_path / ".venv" / "pmf-stamp.txt",
        "LOCK": tmp_path / "requirements.lock",
    }.items():
        monkeypatch.setattr(module, name, value)
    (tmp_path / "requirements.lock").write_text("# nothing\n")
    (tmp_path / "pyproject.toml").write_text("[project]\n")
    return module


def _make_venv_by_hand(module: Any) -> None:
    module.PYTHON.parent.mkdir(parents=True)
    module.PYTHON.symlink_to(sys.executable)
    module.STAMP.write_text(module.environment_stamp(), encoding="utf-8")


def test_it_uses_the_standard_library_alone(repository: Path) -> None:
    tree = ast.parse((repository / "workbench.py").read_text(encoding="utf-8"))
    names = {
        name.split(".")[0]
        for node in ast.walk(tree)
        if isinstance(node, ast.Import | ast.ImportFrom)
        for name in (
            [node.module or ""]
            if isinstance(node, ast.ImportFrom)
            else [alias.name for alias in node.names]
        )
    }
    assert names <= set(sys.stdlib_module_names)


def test_python_3_6_can_read_it(repository: Path) -> None:
    source = (repository / "workbench.py").read_text(encoding="utf-8")
    ast.parse(source, feature_version=(3, 6))
    guard = source.index("if sys.version_info < OLDEST_PYTHON")
    assert guard < source.index("\ndef ") and guard < source.index("\nclass ")


def test_an_old_python_is_told_so(repository: Path) -> None:
    code = (
        "import sys, runpy; sys.version_info = (3, 8, 0); sys.argv = ['workbench.py', 'report'];"
        "runpy.run_path(sys.path.pop(0) if False else 'workbench.py', run_name='__main__')"
    )
    done = subprocess.run(
        [sys.executable, "-c", code], cwd=repository, capture_output=True, text=True
    )
    assert done.returncode != 0
    assert done.stderr.startswith("pmf needs Python 3.11 or newer")
    assert "Traceback" not in done.stderr


def test_the_second_start_installs_nothing(workbench: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    _make_venv_by_hand(workbench)
    monkeypatch.setattr(subprocess, "run", lambda *_a, **_k: pytest.fail("something was run"))
    workbench.make_environment(None)


@pytest.mark.parametrize("changed", ["requirements.lock", "pyproject.toml"])
def test_a_changed_lock_or_project_is_installed_again(
    workbench: Any, monkeypatch: pytest.MonkeyPatch, changed: str
) -> None:
    _make_venv_by_hand(workbench)
    (workbench.ROOT / changed).write_text("# new\n")
    (workbench.VENV / "pyvenv.cfg").write_text(f"version = {sys.version.split()[0]}\n")
    asked: list[list[str]] = []

    def record(command: list[str], **_options: Any) -> subprocess.CompletedProcess[str]:
        asked.append(command)
        return subprocess.CompletedProcess(command, 0)

    monkeypatch.setattr(subprocess, "run", record)
    workbench.make_environment(None)
    assert [("--require-hashes" in command, "-e" in command) for command in asked] == [
        (True, False),
        (False, True),
    ]
    assert {"--no-deps", "--no-build-isolation", "--no-index"} <= set(asked[1])
    assert workbench.STAMP.read_text() == workbench.environment_stamp()


def test_a_failed_installation_leaves_no_stamp_and_says_what_to_do(
    workbench: Any, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def fail(command: list[str], **_options: Any) -> subprocess.CompletedProcess[str]:
        return subprocess.CompletedProcess(command, int("pip" in command))

    monkeypatch.setattr(subprocess, "run", fail)
    assert workbench.main(["report"]) == 2
    assert "--wheels" in capsys.readouterr().err
    assert not workbench.STAMP.exists()


def test_wheels_are_taken_from_their_folder_and_nowhere_else(
    workbench: Any, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    asked: list[tuple[str, ...]] = []
    monkeypatch.setattr(workbench, "pip", lambda *words: asked.append(words) or 0)
    (tmp_path / "wheels").mkdir()
    workbench.install(str(tmp_path / "wheels"))
    assert {"--no-index", "--find-links", "--require-hashes"} <= set(asked[0])
    with pytest.raises(workbench.WorkbenchError, match="there is no folder nowhere"):
        workbench.install("nowhere")


@pytest.mark.skipif(os.name != "posix", reason="folders are made read-only by POSIX modes")
def test_a_read_only_folder_is_named(workbench: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(*_arguments: Any, **_options: Any) -> None:
        raise PermissionError

    monkeypatch.setattr(workbench.tempfile, "TemporaryFile", refuse)
    with pytest.raises(workbench.WorkbenchError, match="cannot be written to"):
        workbench.make_environment(None)


def test_a_python_without_venv_is_named(workbench: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(workbench.importlib.util, "find_spec", lambda _name: None)
    monkeypatch.setattr(workbench, "install_debian_packages", lambda _packages: False)
    with pytest.raises(workbench.WorkbenchError, match=r"no venv module .* apt install python3"):
        workbench.make_venv()


def test_totals_count_what_pytest_wrote_and_an_empty_run_fails(
    workbench: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(workbench, "PYTHON", Path(sys.executable))
    workbench.WORK.mkdir()
    tests = tmp_path / "test_some.py"
    tests.write_text(
        "import pytest\n"
        "def test_a(): pass\n"
        "def test_b(): assert False\n"
        "@pytest.mark.skip\n"
        "def test_c(): pass\n"
    )
    assert workbench.run_pytest("some", "-p", "no:cacheprovider", str(tests)) == (1, 1, 1)
    tests.write_text("")
    assert workbench.run_pytest("some", "-p", "no:cacheprovider", str(tests)) == (0, 1, 0)


@pytest.mark.parametrize(
    ("results", "code", "last"),
    [
        ([(3, 0, 1), (2, 0, 0)], 0, "8 passed, 0 failed, 1 skipped"),
        ([(3, 1, 0), (2, 0, 0)], 1, "8 passed, 1 failed, 0 skipped"),
    ],
)
def test_the_last_line_is_the_total(
    workbench: Any,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    results: list[tuple[int, int, int]],
    code: int,
    last: str,
) -> None:
    given = iter(results)
    monkeypatch.setattr(workbench, "find_system_programs", lambda _wanted: None)
    monkeypatch.setattr(workbench, "pmf", lambda *_words: 0)
    monkeypatch.setattr(workbench, "run_pytest", lambda *_words: next(given))
    monkeypatch.setattr(workbench, "run_check", lambda *_words: (1, 0, 0))
    assert workbench.run_tests() == code
    assert capsys.readouterr().out.splitlines()[-1] == last


def test_ci_runs_the_readmes_test_command_with_nothing_left_out(repository: Path) -> None:
    script = (repository / ".ci" / "run").read_text(encoding="utf-8")
    readme = (repository / "README.md").read_text(encoding="utf-8")
    assert script.splitlines()[-1] == "python3 workbench.py test"
    assert "\npython3 workbench.py test\n" in readme
    assert "PMF_REQUIRE_REAL_DATA=1" in script and "PMF_REQUIRE_BROWSER=1" in script
