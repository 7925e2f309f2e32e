"""Tiny notebooks and a kernel room, shared by the tests of the batch."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import nbformat
import pytest

from pmf_analysis.batch.kernels import Kernels

PARAMETERS: dict[str, Any] = {
    "council": "westshire",
    "framework": "framework.yml",
    "theme": "people",
    "period": "2026-27 Q2",
    "as_at": "2026-10-31",
    "peer_set": "nearest_neighbours",
    "run_folder": "outputs/run",
    "seed": 1,
}
MakeNotebook = Callable[..., Any]


@pytest.fixture
def parameters() -> dict[str, Any]:
    return dict(PARAMETERS)


@pytest.fixture
def make_notebook() -> MakeNotebook:
    """A notebook with a parameters cell and the given code cells, ids ``step-1`` and so on."""

    def make(*steps: str, declared: dict[str, Any] | None = None, tags: tuple[str, ...] = ()) -> Any:
        values = PARAMETERS if declared is None else declared
        source = "\n".join(f"{name} = {value!r}" for name, value in values.items())
        first = nbformat.v4.new_code_cell(source, id="parameters")
        first.metadata["tags"] = ["parameters"]
        cells = [first]
        for number, step in enumerate(steps, start=1):
            cell = nbformat.v4.new_code_cell(step, id=f"step-{number}")
            if tags:
                cell.metadata["tags"] = list(tags)
            cells.append(cell)
        notebook = nbformat.v4.new_notebook(cells=cells)
        notebook.metadata["kernelspec"] = {
            "name": "python3",
            "display_name": "Python 3",
            "language": "python",
        }
        return notebook

    return make


@pytest.fixture
def kernels(tmp_path: Path) -> Iterator[Kernels]:
    with Kernels({"PMF_WORKSPACE": str(tmp_path), "RESULTS": str(tmp_path / "results.csv")}) as room:
        yield room
