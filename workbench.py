#!/usr/bin/env python3
"""The two commands of the README, on a machine with nothing but Python 3.11 or newer.

    python3 workbench.py report     make the example council's reports and print where they are
    python3 workbench.py test       run every test
    (Windows: py -3 workbench.py report)

Both first make the environment in .venv from requirements.lock, whose hashes are checked; the next
start finds it made. Only the standard library is used here, and only words and syntax that an old
Python reads as well, so that an old Python gets a sentence and not a SyntaxError.
"""

import argparse
import ctypes.util
import hashlib
import importlib.util
import os
import platform
import shutil
import subprocess
import sys
import tempfile
import time
import xml.etree.ElementTree as ElementTree
from pathlib import Path

OLDEST_PYTHON = (3, 11)
if sys.version_info < OLDEST_PYTHON:
    sys.exit("pmf needs Python 3.11 or newer; this is Python " + platform.python_version() + ".")

ROOT = Path(__file__).resolve().parent
VENV = ROOT / ".venv"
WORK = ROOT / ".workbench"
PYTHON = VENV / ("Scripts/python.exe" if os.name == "nt" else "bin/python")
STAMP = VENV / "pmf-stamp.txt"
LOCK = ROOT / "requirements.lock"
EXAMPLE_RUN = "parameters/runs/westshire_2026-27_q2.yml"
NOTEBOOK_SECONDS = "300"
SUITE_COUNTS = ("tests", "failures", "errors", "skipped")

# What pip cannot install: programs or a library to look for, Debian's packages, what is missing
# without. A browser can print the pages too, where Pango is not to be had.
BROWSERS = ("chromium", "chromium-browser", "google-chrome", "microsoft-edge")
PANGO = ("libpango-1.0-0", "libpangoft2-1.0-0", "libharfbuzz-subset0", "fonts-liberation")
FOR_REPORTS = [(("pango-1.0", *BROWSERS), PANGO, "the PDF copies of the reports")]
FOR_TESTS = [
    (("pango-1.0",), PANGO, "the tests of the PDF copies"),
    (BROWSERS, ("chromium", "fonts-liberation"), "the tests that open the pages in a browser"),
    (
        ("soffice",),
        ("libreoffice-writer-nogui", "libreoffice-calc-nogui", "libreoffice-impress-nogui"),
        "the tests that open Word documents, workbooks and slides in another program",
    ),
    (("pg_ctlcluster", "initdb"), ("postgresql",), "the tests that read a PostgreSQL database"),
    (("npm",), ("nodejs", "npm"), "the tests of the data lake"),
]
# The data lake's emulator, in the version that the tests were written with.
AZURITE = "azurite@3.35.0"


class WorkbenchError(Exception):
    """The command cannot go on; the text says why and what to do."""


def main(arguments: list[str]) -> int:
    """Run one of the two commands and return the exit code."""
    parser = argparse.ArgumentParser(prog="workbench.py", description="The pmf workbench.")
    parser.add_argument("command", choices=["report", "test"])
    parser.add_argument("--wheels", metavar="DIR", help="install offline, from the wheels in DIR")
    options = parser.parse_args(arguments)
    try:
        make_environment(options.wheels)
        return report() if options.command == "report" else run_tests()
    except WorkbenchError as error:
        print(f"workbench: {error}", file=sys.stderr)
        return 2
    except KeyboardInterrupt:
        return 130


# The environment ---------------------------------------------------------------------------------


def make_environment(wheels: str | None) -> None:
    """Make .venv and install into it, unless it already is what the lock and pyproject say."""
    if not LOCK.is_file():
        raise WorkbenchError(f"{LOCK.name} is missing; start from a whole copy of the project")
    stamp = environment_stamp()
    if PYTHON.exists() and STAMP.is_file() and STAMP.read_text(encoding="utf-8") == stamp:
        return
    check_writable()
    started = time.monotonic()
    print("Making the environment in .venv (once; a few minutes) ...", flush=True)
    make_venv()
    install(wheels)
    STAMP.write_text(stamp, encoding="utf-8")
    print(f"Environment ready after {time.monotonic() - started:.0f} s.", flush=True)


def environment_stamp() -> str:
    """Return a hash of everything that decides what belongs into .venv."""
    digest = hashlib.sha256()
    for part in (
        LOCK.read_bytes(),
        (ROOT / "pyproject.toml").read_bytes(),
        sys.version.encode(),
        os.fsencode(ROOT),
    ):
        digest.update(hashlib.sha256(part).digest())
    return digest.hexdigest()


def check_writable() -> None:
    """Stop with a sentence when nothing can be written beside this file."""
    try:
        with tempfile.TemporaryFile(dir=ROOT):
            pass
    except OSError:
        raise WorkbenchError(
            f"{ROOT} cannot be written to; copy the project to a folder of your own"
        ) from None


def make_venv() -> None:
    """Make .venv with this Python, unless it is there; Debian keeps the venv module apart."""
    if PYTHON.exists() and venv_version() == f"{sys.version_info.major}.{sys.version_info.minor}":
        return
    if importlib.util.find_spec("venv") is None or importlib.util.find_spec("ensurepip") is None:
        package = f"python{sys.version_info.major}.{sys.version_info.minor}-venv"
        if not install_debian_packages([package]):
            raise WorkbenchError(
                f"this Python has no venv module (Debian and Ubuntu: apt install {package})"
            )
    made = subprocess.run([sys.executable, "-m", "venv", "--clear", str(VENV)], check=False)
    if made.returncode != 0:
        raise WorkbenchError(".venv could not be made; the lines above say why")


def venv_version() -> str:
    """Return the major and minor version of the Python that .venv was made with, or nothing."""
    settings = (VENV / "pyvenv.cfg").read_text(encoding="utf-8").splitlines()
    versions = [line.split("=")[1].strip() for line in settings if line.startswith("version")]
    return ".".join(versions[0].split(".")[:2]) if versions else ""


def install(wheels: str | None) -> None:
    """Install the locked packages, hashes checked, and then the project itself, editable."""
    source = ["--retries", "2"]
    if wheels:
        folder = Path(wheels).expanduser().resolve()
        if not folder.is_dir():
            raise WorkbenchError(f"there is no folder {wheels}")
        source = ["--no-index", "--find-links", str(folder)]
    if pip("--require-hashes", "-r", str(LOCK), *source) != 0:
        raise WorkbenchError(
            "the packages could not be installed; the lines above say why. Without a network, run\n"
            "  python3 -m pip download -r requirements.lock -d wheels\n"
            "on a machine of the same kind that has one, copy the folder here and run\n"
            "  python3 workbench.py report --wheels wheels"
        )
    if pip("--no-deps", "--no-build-isolation", "--no-index", "-e", str(ROOT)) != 0:
        raise WorkbenchError("pmf itself could not be installed; the lines above say why")


def pip(*arguments: str) -> int:
    """Run pip install in .venv, quiet unless someone is watching, and return its exit code."""
    command = [str(PYTHON), "-m", "pip", "install", "--disable-pip-version-check", "--no-input"]
    quiet = [] if sys.stdout.isatty() else ["--quiet"]
    return subprocess.run([*command, *quiet, *arguments], check=False).returncode


def install_debian_packages(packages: list[str]) -> bool:
    """Install Debian packages where this user may, and say whether that worked."""
    may_install = hasattr(os, "geteuid") and os.geteuid() == 0 and shutil.which("apt-get")
    if not may_install:
        return False
    print(f"Installing {' '.join(packages)} ...", flush=True)
    environment = {**os.environ, "DEBIAN_FRONTEND": "noninteractive"}
    for command in (
        ["apt-get", "-qq", "update"],
        ["apt-get", "-qq", "install", "-y", "--no-install-recommends", *packages],
    ):
        done = subprocess.run(command, env=environment, stdout=subprocess.DEVNULL, check=False)
    return done.returncode == 0


# The two commands --------------------------------------------------------------------------------


def pmf(*arguments: str) -> int:
    """Run the pmf command in this folder's workspace and return its exit code."""
    command = [str(PYTHON), "-m", "pmf_analysis.cli", *arguments, "--workspace", str(ROOT)]
    return subprocess.run(command, cwd=ROOT, check=False).returncode


def report() -> int:
    """Make the example council where it is absent, then its reports in every format.

    The last line is the index.
    """
    find_system_programs(FOR_REPORTS)
    return pmf("demo") or pmf("run", EXAMPLE_RUN) or pmf("export")


def run_tests() -> int:
    """Run all tests and checks; the last line gives the totals."""
    find_system_programs(FOR_TESTS)
    WORK.mkdir(exist_ok=True)
    install_azurite()
    if pmf("demo") != 0:
        raise WorkbenchError("the example council could not be made, and the notebooks need it")
    totals = [
        run_pytest("tests", "tests", "-n", "2", "--dist", "loadfile"),
        run_pytest(
            "notebooks",
            "notebooks",
            "--nbval-lax",
            "--nbval-current-env",
            f"--nbval-cell-timeout={NOTEBOOK_SECONDS}",
        ),
        run_check("ruff", "check", "."),
        run_check("ruff", "format", "--check", "."),
        run_check("mypy"),
    ]
    passed, failed, skipped = (sum(column) for column in zip(*totals, strict=True))
    print(f"{passed} passed, {failed} failed, {skipped} skipped", flush=True)
    return 1 if failed or not passed else 0


def find_system_programs(wanted: list[tuple[tuple[str, ...], tuple[str, ...], str]]) -> None:
    """Install the programs that are needed where this user may; else say what will be missing."""
    for names, packages, purpose in wanted:
        found = any(shutil.which(name) or ctypes.util.find_library(name) for name in names)
        if not found and not install_debian_packages(list(packages)):
            print(f"Not found: {names[0]}. Without it these are left out: {purpose}.", flush=True)


def install_azurite() -> None:
    """Install the emulator of the data lake with npm into .workbench, unless it is there."""
    there = WORK / "node_modules" / ".bin" / "azurite-blob"
    npm = shutil.which("npm")
    if npm is None or there.exists() or shutil.which("azurite-blob") or os.getenv("PMF_AZURITE"):
        return
    print(f"Installing {AZURITE} ...", flush=True)
    quiet = ["--no-audit", "--no-fund", "--loglevel=error"]
    subprocess.run([npm, "install", "--prefix", str(WORK), *quiet, AZURITE], check=False)


def run_pytest(name: str, *arguments: str) -> tuple[int, int, int]:
    """Run pytest and return how many tests passed, failed and were skipped.

    No test at all is a failure, and so is an exit code that no failed test explains.
    """
    log = WORK / f"{name}.xml"
    log.unlink(missing_ok=True)
    command = [str(PYTHON), "-m", "pytest", "-q", f"--junitxml={log}", *arguments]
    environment = {**os.environ, "PMF_WORKSPACE": str(ROOT), "MPLBACKEND": "agg"}
    done = subprocess.run(command, cwd=ROOT, env=environment, check=False)
    if not log.is_file():
        return 0, 1, 0
    suites = list(ElementTree.parse(log).getroot().iter("testsuite"))
    count = {key: sum(int(suite.get(key, "0")) for suite in suites) for key in SUITE_COUNTS}
    failed = count["failures"] + count["errors"]
    passed = max(0, count["tests"] - failed - count["skipped"])
    return passed, failed or int(done.returncode != 0), count["skipped"]


def run_check(module: str, *arguments: str) -> tuple[int, int, int]:
    """Run a checker of the code as one test."""
    done = subprocess.run([str(PYTHON), "-m", module, *arguments], cwd=ROOT, check=False)
    print(f"{module} {' '.join(arguments)}: {'failed' if done.returncode else 'ok'}", flush=True)
    return (0, 1, 0) if done.returncode else (1, 0, 0)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
