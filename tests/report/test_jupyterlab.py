"""An analyst's first click: each notebook opened in JupyterLab, and Run All, in a real browser."""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from pmf_analysis.story.blocks import BLOCK_MIME, PAGE_MIME

pytestmark = [pytest.mark.browser, pytest.mark.slow]

LONGEST = 240  # seconds for a notebook on a busy machine
NO_UPDATES = "jupyterlab.NeverCheckForUpdate"
ADDRESS = re.compile(r"http://127\.0\.0\.1:\d+/lab")


@pytest.fixture(scope="module")
def lab(westshire_run: Any, tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[str, Path]]:
    """JupyterLab on a workspace, without a token on the loopback; its address and the folder."""
    place = tmp_path_factory.mktemp("lab")
    workspace = place / "workspace"
    shutil.copytree(
        westshire_run.workspace, workspace, ignore=shutil.ignore_patterns("outputs", "cache")
    )
    own = {f"JUPYTER_{name}_DIR": str(place / name) for name in ("CONFIG", "RUNTIME", "DATA")}
    settings = (
        "--LabApp.news_url=None",
        "--LabApp.check_for_updates_class=jupyterlab.NeverCheckForUpdate",
    )
    options = ("--no-browser", "--ip=127.0.0.1", "--port=0", "--ServerApp.port_retries=0")
    options += ("--IdentityProvider.token=", "--ServerApp.password=", "--allow-root")
    log = place / "lab.log"
    with log.open("w", encoding="utf-8") as written:
        server = subprocess.Popen(
            [sys.executable, "-m", "jupyterlab", *options, *settings, str(workspace)],
            cwd=workspace,
            env={**os.environ, **own, "PMF_WORKSPACE": str(workspace)},
            stdout=written,
            stderr=subprocess.STDOUT,
        )
    try:
        yield _address(server, log), workspace
    finally:
        server.terminate()
        server.wait(30)


def _address(server: subprocess.Popen[bytes], log: Path) -> str:
    until = time.monotonic() + LONGEST
    while time.monotonic() < until and server.poll() is None:
        if found := ADDRESS.search(log.read_text(encoding="utf-8")):
            return found[0]
        time.sleep(0.2)
    pytest.fail(f"JupyterLab did not start: {log.read_text(encoding='utf-8')[-2000:]}")


def _saved(page: Any, file: Path) -> list[Any]:
    """The code cells as saved once every one of them has run."""
    until = time.monotonic() + LONGEST
    while time.monotonic() < until:
        page.keyboard.press("Control+s")
        page.wait_for_timeout(1000)
        cells = json.loads(file.read_text(encoding="utf-8"))["cells"]
        code = [cell for cell in cells if cell["cell_type"] == "code"]
        failed = [
            each for cell in code for each in cell["outputs"] if each["output_type"] == "error"
        ]
        assert not failed, failed
        if all(cell["execution_count"] for cell in code):
            return code
    pytest.fail("The notebook did not come to its end.")


def _told(cells: list[Any]) -> Any:
    """What the page of a notebook says of itself."""
    shown = (each.get("data", {}) for cell in cells for each in cell.get("outputs", ()))
    (told,) = (data[PAGE_MIME] for data in shown if PAGE_MIME in data)
    return told


@pytest.mark.parametrize("name", ["trends", "benchmarking", "target_realism"])
def test_run_all_shows_every_block_and_asks_nobody(
    chromium: Any, lab: tuple[str, Path], westshire_run: Any, name: str
) -> None:
    address, workspace = lab
    context = chromium.new_context(viewport={"width": 1280, "height": 1000})
    page, asked = context.new_page(), list[str]()
    page.on("request", lambda request: asked.append(request.url))
    page.goto(f"{address}/tree/notebooks/{name}.ipynb?reset")
    page.wait_for_selector(".jp-Notebook .jp-CodeCell", timeout=1000 * LONGEST)
    page.get_by_text("| Idle").wait_for(timeout=1000 * LONGEST)  # else it asks for a kernel
    page.get_by_role("menuitem", name="Run", exact=True).click()
    page.locator('[data-command="runmenu:run-all"]').click()
    code = _saved(page, workspace / "notebooks" / f"{name}.ipynb")
    shown = [each["data"] for cell in code for each in cell["outputs"] if "data" in each]
    blocks = [data[BLOCK_MIME] for data in shown if BLOCK_MIME in data]
    assert len([each for each in blocks if each["kind"] == "figure"]) > 3
    assert page.locator(".jp-OutputArea svg[role=img]").count() > 0
    kept = westshire_run.folder / "homes_and_communities" / name / "notebook.ipynb"
    assert _told(code) == _told(json.loads(kept.read_text(encoding="utf-8"))["cells"])
    outside = {url for url in asked if not url.startswith(("http://127.0.0.1", "data:", "blob:"))}
    assert outside == set()
    context.close()
