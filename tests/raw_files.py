"""Workspaces for real files: a register made from a tidy table, and mapping files."""

from __future__ import annotations

import json
import shutil
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import pandas as pd
from made_runs import REPOSITORY

from pmf_analysis.parameters.workspace import Workspace

FRAMEWORK = """\
format: 1
title: Plan
council: {id: council, name: Council, area_code: E08000009}
directors: [{id: director, role: Director}]
themes: [{id: all, title: All, director: director}]
"""


def workspace_of(
    root: Path, indicators: Sequence[Mapping[str, Any]], mappings: Mapping[str, str]
) -> Workspace:
    """A workspace of these indicators, the shipped mappings and some more."""
    folder = root / "parameters"
    shutil.copytree(REPOSITORY / "parameters" / "mappings", folder / "mappings")
    (folder / "framework.yml").write_text(FRAMEWORK, encoding="utf-8")
    shared = {"themes": ["all"], "director": "director", "unit": "units", "data_type": "score"}
    entries = [shared | {"allow_negative": True, "polarity": "none"} | dict(i) for i in indicators]
    lines = [f"  - {json.dumps(entry, ensure_ascii=False)}" for entry in entries]
    register = "\n".join(["format: 1", "indicators:", *lines]) + "\n"
    (folder / "indicators.yml").write_text(register, encoding="utf-8")
    for name, text in mappings.items():
        (folder / "mappings" / f"{name}.yml").write_text(text, encoding="utf-8")
    return Workspace(root)


def tidy(path: Path) -> pd.DataFrame:
    rows = pd.read_csv(path, dtype="str", keep_default_na=False)
    numbers = [name for name in ("value", "count", "denominator") if name in rows]
    return rows.assign(**{name: pd.to_numeric(rows[name]) for name in numbers})
