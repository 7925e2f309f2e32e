"""A small council: six indicators, the shipped mappings, files written cell by cell."""

from __future__ import annotations

import shutil
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

import pytest
from openpyxl import Workbook

from pmf_analysis.parameters.workspace import Parameters, Workspace
from pmf_analysis.systems.mapping import MappingFile, load_mappings

FRAMEWORK = """
format: 1
title: Plan
council: {id: smallton, name: Smallton, area_code: X06000001}
directors: [{id: director, role: Director}]
themes: [{id: homes, title: Homes, director: director}]
"""

INDICATORS = {
    "PCT": {"data_type": "percentage", "aliases": ("old pct",)},
    "CNT": {"data_type": "count", "unit": "cases"},
    "RATE": {"data_type": "rate", "unit": "per 1,000", "rate_base": 1000},
    "YEARLY": {"data_type": "score", "unit": "points", "frequency": "annual"},
    "ROLL": {
        "data_type": "score",
        "unit": "points",
        "accumulation": "rolling",
        "period_span": "1y",
    },
    "SCHOOL": {
        "data_type": "score",
        "unit": "points",
        "frequency": "annual",
        "year_type": "academic",
    },
}


def make_workspace(root: Path, repository: Path) -> Workspace:
    folder = root / "parameters"
    shutil.copytree(repository / "parameters" / "mappings", folder / "mappings")
    (folder / "framework.yml").write_text(FRAMEWORK, encoding="utf-8")
    entries = ["format: 1", "indicators:"]
    for name, facts in INDICATORS.items():
        shared = {"id": name, "title": name, "themes": ["homes"], "director": "director"}
        told = shared | {"frequency": "quarterly"} | facts
        entries.append(
            "  - " + "\n    ".join(f"{key}: {_yaml(value)}" for key, value in told.items())
        )
    (folder / "indicators.yml").write_text("\n".join(entries) + "\n", encoding="utf-8")
    return Workspace(root)


@pytest.fixture
def workspace(tmp_path: Path, repository: Path) -> Workspace:
    return make_workspace(tmp_path / "council", repository)


@pytest.fixture(scope="session")
def shared_workspace(tmp_path_factory: pytest.TempPathFactory, repository: Path) -> Workspace:
    """A workspace whose store is never written."""
    return make_workspace(tmp_path_factory.mktemp("council"), repository)


@pytest.fixture(scope="session")
def parameters(shared_workspace: Workspace) -> Parameters:
    return shared_workspace.load()


def _yaml(value: Any) -> str:
    return f"[{', '.join(value)}]" if isinstance(value, list | tuple) else str(value)


Book = Mapping[str, Sequence[Sequence[Any]]]


@pytest.fixture
def write_book(tmp_path: Path) -> Callable[..., Path]:
    """Write sheets of cells as a workbook; `edit` may format it before it is saved."""

    def write(
        sheets: Book,
        name: str = "observations.xlsx",
        edit: Callable[[Workbook], None] | None = None,
    ) -> Path:
        book = Workbook()
        book.remove(book.worksheets[0])
        for title, rows in sheets.items():
            sheet = book.create_sheet(title)
            for row in rows:
                sheet.append(list(row))
        if edit:
            edit(book)
        path = tmp_path / name
        book.save(path)
        return path

    return write


@pytest.fixture(scope="session")
def mappings(shared_workspace: Workspace) -> dict[str, MappingFile]:
    return load_mappings(shared_workspace.parameters / "mappings")
