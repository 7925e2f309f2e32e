"""Shared fixtures: the repository, whole runs made once for all tests, and the real data."""

from __future__ import annotations

import json
import os
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from made_runs import (
    LONGEST_SECONDS,
    REPOSITORY,
    MadeRun,
    copied_workspace,
    last_run,
    make_real,
    make_run,
)


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


@pytest.fixture(scope="session")
def made_once(tmp_path_factory: pytest.TempPathFactory) -> Callable[..., MadeRun]:
    """Make a run once for all workers; the others wait for it."""
    base = tmp_path_factory.getbasetemp()
    shared = base.parent if os.environ.get("PYTEST_XDIST_WORKER") else base

    def made(name: str, make: Callable[[Path], dict[str, Any]]) -> MadeRun:
        workspace, record = shared / name, shared / f"{name}.json"
        try:
            (shared / f"{name}.lock").mkdir()
        except FileExistsError:
            deadline = time.monotonic() + LONGEST_SECONDS
            while not record.exists():
                assert time.monotonic() < deadline, f"another worker never finished {name}"
                time.sleep(0.2)
        else:
            written = shared / f"{name}.tmp"
            try:
                printed = make(workspace)
            except BaseException as error:
                printed = {"failed": repr(error)[-3000:]}
            written.write_text(json.dumps(printed), encoding="utf-8")
            written.replace(record)
        printed = json.loads(record.read_text(encoding="utf-8"))
        assert "failed" not in printed, printed["failed"]
        return MadeRun(workspace, last_run(workspace), printed)

    return made


@pytest.fixture(scope="session")
def westshire_run(made_once: Callable[..., MadeRun]) -> MadeRun:
    """The whole quarterly run of the fictional council, seven themes."""

    def make(workspace: Path) -> dict[str, Any]:
        copied_workspace(REPOSITORY / "parameters", workspace)
        run = ("run", "westshire_2026-27_q2.yml", "--jobs", "2")
        return make_run(workspace, ("demo",), run)

    return made_once("westshire", make)


@pytest.fixture(scope="session")
def bristol_run(made_once: Callable[..., MadeRun], real_data: Path) -> MadeRun:
    """A real council of 52 openly published indicators in seven themes."""
    names = (
        "adult_social_care_oflog",
        "children_dfe_ees_counts",
        "children_dfe_lait",
        "economy_ons_annual",
        "environment_transport_wellbeing",
        "health_index_england",
        "homelessness_hclic_quarterly",
        "housing_annual",
        "housing_economy_quarterly",
        "ons_subnational_snapshot",
        "vfm_revenue_outturn_2024_25",
    )
    groups = {"lookups": ("authorities.csv",), "by_kind": True}
    return made_once("bristol", lambda to: make_real(to, "bristol", real_data, names, **groups))


@pytest.fixture(scope="session")
def trafford_run(made_once: Callable[..., MadeRun], real_data: Path) -> MadeRun:
    """A real council's own corporate set, with the framework of four themes."""
    names = ("trafford_themes_peers",)
    return made_once("trafford", lambda where: make_real(where, "trafford", real_data, names))


@pytest.fixture(scope="session")
def somerset_run(made_once: Callable[..., MadeRun], real_data: Path) -> MadeRun:
    """One theme of a council that replaced five others on 1 April 2023."""
    names = (
        "homelessness_hclic_quarterly",
        "housing_annual",
        "children_dfe_ees_counts",
        "vfm_revenue_outturn_2024_25",
    )
    lookups = ("area_code_changes.csv", "authorities.csv")
    return made_once(
        "somerset", lambda to: make_real(to, "somerset", real_data, names, lookups=lookups)
    )


@pytest.fixture(scope="session")
def monthly_run(made_once: Callable[..., MadeRun], real_data: Path) -> MadeRun:
    """A council's monthly operational figures, and a hospital trust against a standard."""
    names = ("bath_nes_monthly", "nhs_ae_monthly_with_target")
    standard = REPOSITORY / "tests" / "real" / "bath" / "four_hour_targets.csv"

    def make(workspace: Path) -> dict[str, Any]:
        printed = make_real(
            workspace, "bath", real_data, names, standard, run="bath_2019-20_q3.yml"
        )
        return printed | {"trust": make_run(workspace, ("run", "trust_2018-19_q4.yml"))["run"]}

    return made_once("monthly", make)
