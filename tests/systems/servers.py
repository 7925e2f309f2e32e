"""Finding and waiting for the real servers that tests of systems start on the loopback address."""

from __future__ import annotations

import os
import shutil
import socket
import subprocess
import time
from pathlib import Path
from typing import Any, NoReturn

import pytest

PATIENCE = 30


def program(name: str, *folders: Path) -> str:
    """Where a program is: in one of the folders, else on PATH; the test is left out without it."""
    found = shutil.which(name, path=os.pathsep.join(map(str, folders))) or shutil.which(name)
    return found or left_out(f"{name} is not installed, so this system cannot be tried")


def left_out(why: str) -> NoReturn:
    """Leave the tests out, saying why; where servers are required, fail."""
    if os.environ.get("PMF_REQUIRE_SERVERS") == "1":
        pytest.fail(why)
    pytest.skip(why)


def free_port() -> int:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        return int(free.getsockname()[1])


def wait_for(port: int, process: subprocess.Popen[Any]) -> None:
    """Wait until a server answers at its port; fail when it ends first."""
    deadline = time.monotonic() + PATIENCE
    while process.poll() is None and time.monotonic() < deadline:
        with socket.socket() as client:
            client.settimeout(1)
            if not client.connect_ex(("127.0.0.1", port)):
                return
        time.sleep(0.02)
    pytest.fail(f"{process.args!r} never answered at its port")


def ended(process: subprocess.Popen[Any]) -> None:
    process.terminate()
    try:
        process.wait(PATIENCE)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait()
