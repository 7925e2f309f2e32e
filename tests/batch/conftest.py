"""Tiny notebooks and a kernel room, shared by the tests of the batch."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from datetime import date
from pathlib import Path
from typing import Any

import nbformat
import pandas as pd
import pytest

from pmf_analysis.batch.kernels import Kernels
from pmf_analysis.batch.notebooks import fingerprint, notebook_text
from pmf_analysis.data.store import Store

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

    def make(
        *steps: str, declared: dict[str, Any] | None = None, tags: tuple[str, ...] = ()
    ) -> Any:
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
    with Kernels(
        {"PMF_WORKSPACE": str(tmp_path), "RESULTS": str(tmp_path / "results.csv")}
    ) as room:
        yield room


FRAMEWORK = """\
format: 1
title: Plan
council: {{id: tinyshire, name: Tinyshire Council, area_code: X06000099, notice: Not a real place.}}
directors:
  - {{id: director, role: Director}}
themes:
{themes}
"""
THEME = "  - {{id: {0}, title: Theme {0}, director: director, description: One of them.}}"
INDICATORS = """\
format: 1
indicators:
  - id: KPI1
    title: Homes inspected
    themes: {themes}
    data_type: percentage
    polarity: higher
    frequency: quarterly
    director: director
"""
PEERS = """\
format: 1
peer_sets:
  - id: neighbours
    title: Neighbours
    source: Made up
    as_at: 2026-04-01
    members: {X06000098: Smallshire}
"""
RUN = """\
# The only run.
format: 1
council: tinyshire
period: "2026-27 Q2"
as_at: 2026-10-31
analyses: [trends]
peer_set: neighbours
"""
# What every notebook of these tests does in the end; a notebook of pmf does it by finish(run).
WRITE_RESULTS = """\
import os, pathlib
folder = pathlib.Path(os.environ["PMF_WORKSPACE"], run_folder, theme, "trends")
(folder / "results.csv").write_text("council,theme\\n" + council + "," + theme + "\\n")
"""


@pytest.fixture
def make_workspace(make_notebook: MakeNotebook) -> Callable[..., Path]:
    """A council with one indicator, one notebook of its own (accepted), and the given themes."""

    def make(root: Path, *steps: str, themes: tuple[str, ...] = ("one", "two")) -> Path:
        parameters = root / "parameters"
        (parameters / "runs").mkdir(parents=True)
        (root / "notebooks").mkdir()
        notebook = make_notebook(*steps, WRITE_RESULTS)
        path = root / "notebooks" / "trends.ipynb"
        path.write_text(notebook_text(notebook), encoding="utf-8")
        lines = "\n".join(THEME.format(theme) for theme in themes)
        files = {
            "framework.yml": FRAMEWORK.format(themes=lines),
            "indicators.yml": INDICATORS.format(themes=f"[{', '.join(themes)}]"),
            "peer_sets.yml": PEERS,
            "runs/q2.yml": f"{RUN}accepted_notebooks: {{trends.ipynb: {fingerprint(path)}}}\n",
        }
        for name, text in files.items():
            (parameters / name).write_text(text, encoding="utf-8")
        Store(root / "store").add({"observations": _observations()}, as_at=date(2026, 10, 31))
        return root

    return make


def _observations() -> pd.DataFrame:
    starts = pd.date_range("2022-04-01", periods=18, freq="QS")
    rows = [
        {
            "indicator_id": "KPI1",
            "period_start": start,
            "period_end": start + pd.offsets.QuarterEnd(),
            "period_label": "",
            "frequency": "quarterly",
            "area_code": area,
            "area_name": area,
            "value": 60.0 + (7 * number + shift) % 5,
        }
        for shift, area in enumerate(("X06000099", "X06000098"))
        for number, start in enumerate(starts)
    ]
    return pd.DataFrame(rows)
