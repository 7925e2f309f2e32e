"""Shared fixtures: the repository, and the real indicator data where they are present."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

REPOSITORY = Path(__file__).resolve().parents[1]


@pytest.fixture(scope="session")
def repository() -> Path:
    return REPOSITORY


@pytest.fixture(scope="session")
def real_data() -> Path:
    """The folder of openly licensed real data; absent on other people's machines, so they skip."""
    folder = REPOSITORY.parent / "shared" / "data"
    if folder.is_dir():
        return folder
    if os.environ.get("PMF_REQUIRE_REAL_DATA") == "1":
        pytest.fail(f"PMF_REQUIRE_REAL_DATA is set but {folder.name} is not beside the checkout")
    pytest.skip("the real indicator data are not beside this checkout (../shared/data)")
