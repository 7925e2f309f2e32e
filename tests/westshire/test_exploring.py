"""The lines that docs/exploring.md tells analysts to type."""

from __future__ import annotations

import re
import shutil
from pathlib import Path
from typing import Any

import pytest


def test_every_line_of_the_page_runs(
    westshire_run: Any, repository: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from matplotlib.figure import Figure

    for name in ("store", "parameters"):
        shutil.copytree(westshire_run.workspace / name, tmp_path / name)
    monkeypatch.setenv("PMF_WORKSPACE", str(tmp_path))
    monkeypatch.chdir(tmp_path)
    page = (repository / "docs" / "exploring.md").read_text(encoding="utf-8")
    blocks = re.findall(r"```python\n(.*?)```", page, re.DOTALL)
    assert len(blocks) == 7
    scope: dict[str, Any] = {}
    figures = []
    for block in blocks:
        *most, last = block.rstrip().split("\n")
        if last.startswith("plots."):
            exec("\n".join(most), scope)
            figures.append(eval(last, scope))
        else:
            exec(block, scope)
    assert len(figures) == 4 and all(isinstance(figure, Figure) for figure in figures)
    assert all("<text" in figure._repr_svg_() for figure in figures)
    assert (tmp_path / "my_plot.svg").stat().st_size > 1000
