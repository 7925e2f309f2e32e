"""Notebooks as files: fingerprints, parameter cells, what is published."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import nbformat
import pytest

from pmf_analysis.batch.notebooks import (
    as_failed,
    as_published,
    check_notebook,
    fingerprint,
    notebook_text,
)


@pytest.fixture
def saved(tmp_path: Path) -> Any:
    def save(notebook: Any, name: str = "own.ipynb") -> Path:
        path = tmp_path / name
        path.write_text(notebook_text(notebook), encoding="utf-8")
        return path

    return save


def _messages(path: Path, accepted: tuple[str, ...] = ()) -> list[str]:
    known = accepted or (fingerprint(path),)
    return [problem.message for problem in check_notebook(path, f"notebooks/{path.name}", known)]


def test_a_fingerprint_is_of_what_a_notebook_does(make_notebook: Any, saved: Any) -> None:
    plain = fingerprint(saved(make_notebook("print(1)")))
    ran = make_notebook("print(1)")
    ran.cells[1].execution_count = 3
    ran.cells[1].outputs = [nbformat.v4.new_output("stream", text="1\n")]
    ran.cells[1].metadata["collapsed"] = True
    assert fingerprint(saved(ran)) == plain
    assert fingerprint(saved(make_notebook("print(2)"))) != plain
    assert fingerprint(saved(make_notebook("print(1)", tags=("analyst",)))) != plain


def test_an_unknown_notebook_is_refused_until_it_is_accepted(
    make_notebook: Any, saved: Any
) -> None:
    path = saved(make_notebook("print(1)"))
    refused = check_notebook(path, "notebooks/own.ipynb", accepted=["another"])
    assert [problem.code for problem in refused] == ["unknown-notebook"]
    assert "pmf check RUNFILE --accept" in refused[0].fix
    assert _messages(path) == []


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"them": "people"}, 'has an unknown "them". Did you mean "theme"?'),
        ({"seed": "1"}, 'The parameters cell must give "seed" as a whole number.'),
        ({"seed": True}, 'The parameters cell must give "seed" as a whole number.'),
        ({"period": 2026}, 'The parameters cell must give "period" as a text in quotes.'),
        ({"as_at": None}, 'The parameters cell must give "as_at" as a text in quotes.'),
    ],
)
def test_a_misspelt_or_mistyped_parameter_is_named(
    make_notebook: Any,
    saved: Any,
    parameters: dict[str, Any],
    change: dict[str, Any],
    message: str,
) -> None:
    path = saved(make_notebook(declared=parameters | change))
    assert any(message in found for found in _messages(path))


def test_a_missing_parameter_and_a_missing_cell_are_named(
    make_notebook: Any, saved: Any, parameters: dict[str, Any]
) -> None:
    del parameters["seed"]
    assert _messages(saved(make_notebook(declared=parameters))) == [
        'The parameters cell must give "seed" as a whole number.'
    ]
    untagged = make_notebook()
    untagged.cells[0].metadata["tags"] = []
    assert "this one has 0" in _messages(saved(untagged))[0]


def test_a_parameters_cell_that_is_not_python_is_a_problem(make_notebook: Any, saved: Any) -> None:
    notebook = make_notebook()
    notebook.cells[0].source = "council = "
    assert len(_messages(saved(notebook))) == 8


@pytest.mark.parametrize("content", ["", "{}", "[1]", '{"cells": [1]}'])
def test_a_file_that_is_no_notebook_is_said_to_be_none(tmp_path: Path, content: str) -> None:
    path = tmp_path / "trends.ipynb"
    path.write_text(content)
    problems = check_notebook(path, "notebooks/trends.ipynb", [])
    assert [problem.code for problem in problems] == ["not-a-notebook"]


def test_a_missing_notebook_is_named_with_the_likely_one(make_notebook: Any, saved: Any) -> None:
    saved(make_notebook(), "trends.ipynb")
    path = saved(make_notebook(), "x.ipynb").with_name("trend.ipynb")
    assert 'Did you mean "trends"?' in check_notebook(path, "notebooks/trend.ipynb", [])[0].message


def test_two_executions_publish_the_same_bytes(
    make_notebook: Any, parameters: dict[str, Any]
) -> None:
    texts = set()
    for run in ("20261031T093012Z-7f3a", "20261101T080000Z-0001"):
        executed = make_notebook("print(1)")
        executed.metadata["papermill"] = {"start_time": run}
        injected = nbformat.v4.new_code_cell(f"# Parameters\nrun_folder = 'outputs/{run}'\n")
        injected.metadata["tags"] = ["injected-parameters"]
        injected.metadata["papermill"] = {"duration": 0.1}
        executed.cells.insert(1, injected)
        own = {**parameters, "run_folder": f"outputs/{run}"}
        texts.add(as_published(executed, own))
    assert len(texts) == 1
    text = texts.pop()
    assert "run_folder = ''" in text and "council = 'westshire'" in text
    assert "papermill" not in text


def test_a_failed_notebook_says_so_first(make_notebook: Any) -> None:
    failed = as_failed(make_notebook("1/0"), "timed out", "the cell never ended")
    assert failed.cells[0].source.startswith("**This notebook did not finish (timed out).**")
    assert failed.cells[2].source == "1/0"
    nbformat.validate(failed)
