"""What the shipped mappings of web services do with files, without the extra http."""

from __future__ import annotations

import json
import subprocess
import sys
from datetime import date
from pathlib import Path

from pmf_analysis.parameters.workspace import Workspace
from pmf_analysis.systems.importing import import_files

DAY = date(2026, 11, 20)


def test_a_metric_that_the_register_lacks_is_named_with_its_system(
    workspace: Workspace, tmp_path: Path
) -> None:
    row = {"metricTypeIdentifier": 4282, "areaIdentifier": "X06000001", "periodLabel": "2024/25"}
    path = tmp_path / "lginform.json"
    path.write_text(json.dumps([row | {"areaIdentifier": "E06000001", "value": 1.5}]))
    outcome = import_files(workspace, [path], DAY)
    [problem] = [p for p in outcome.problems if p.code == "indicator-unknown"]
    assert 'no indicator "LG Inform 4282"' in problem.line()
    [result] = outcome.results
    assert result.record.rows_quarantined == result.record.rows_read == 1


def test_no_other_metric_is_offered_and_each_is_named_once(
    workspace: Workspace, tmp_path: Path
) -> None:
    register = workspace.parameters / "indicators.yml"
    text = register.read_text(encoding="utf-8")
    alias = 'id: YEARLY\n    aliases: ["LG Inform 4283"]'
    register.write_text(text.replace("id: YEARLY", alias), encoding="utf-8")
    rows = [
        {"metricTypeIdentifier": 4282, "areaIdentifier": "E06000001", "periodLabel": label}
        for label in ("2023/24", "2024/25")
    ]
    path = tmp_path / "lginform.json"
    path.write_text(json.dumps([row | {"value": 1.5} for row in rows]))
    outcome = import_files(workspace, [path], DAY)
    lines = [p.line() for p in outcome.problems if p.code == "indicator-unknown"]
    assert len([line for line in lines if "4282" in line]) == 1
    assert len(lines) == 2 and "1 more row has the same fault" in lines[1]
    assert not [line for line in lines if "4283" in line]


def test_a_source_whose_packages_are_missing_says_what_to_install(workspace: Workspace) -> None:
    mappings = workspace.parameters / "mappings"
    text = (mappings / "lginform_table.yml").read_text(encoding="utf-8")
    text = text.replace("name: lginform_table", "name: ours")
    text += "source: {kind: lginform, metrics: [1], areas: [E06000001]}\n"
    (mappings / "ours.yml").write_text(text, encoding="utf-8")
    # As if httpx were not installed.
    code = (
        "import sys; sys.modules['httpx'] = None; from pmf_analysis.cli import main;"
        "sys.exit(main(['import', '--as', 'ours', '--workspace', sys.argv[1]]))"
    )
    command = [sys.executable, "-c", code, str(workspace.root)]
    done = subprocess.run(command, capture_output=True, text=True)
    assert done.returncode == 2
    assert 'pip install "pmf-analysis[http]"' in done.stderr and "Traceback" not in done.stderr
