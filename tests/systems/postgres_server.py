"""A PostgreSQL of the tests' own on the loopback address, started once a session."""

from __future__ import annotations

import os
import pwd
import shutil
import subprocess
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest
from systems.servers import ended, free_port, program, wait_for

PASSWORD = "wren:Robin/92@owl"
QUOTED = "wren%3ARobin%2F92%40owl"


@pytest.fixture(scope="session")
def postgres() -> Iterator[str]:
    """Address of a database whose owner needs a password."""
    folders = sorted(Path("/usr/lib/postgresql").glob("*/bin"), reverse=True)
    initdb, server = program("initdb", *folders), program("postgres", *folders)
    # It refuses to run as root; the path of its socket must be short.
    base = Path(tempfile.mkdtemp(prefix="pmf-pg-", dir="/tmp"))
    who = pwd.getpwnam("nobody") if os.geteuid() == 0 else None
    rights = {"user": who.pw_uid, "group": who.pw_gid, "extra_groups": ()} if who else {}
    (base / "password").write_text(PASSWORD)
    for path in (base, base / "password"):
        if who:
            os.chown(path, who.pw_uid, who.pw_gid)
    data, port = base / "data", free_port()
    make = [initdb, "-D", str(data), "-U", "reader", "--auth=scram-sha-256", "--no-sync"]
    make += [f"--pwfile={base / 'password'}", "--encoding=UTF8", "--locale=C"]
    run = [server, "-D", str(data), "-p", str(port), "-h", "127.0.0.1", "-k", str(base), "-F"]
    try:
        subprocess.run(make, check=True, cwd=base, stdout=subprocess.DEVNULL, **rights)
        quiet = {"stdout": subprocess.DEVNULL, "stderr": subprocess.DEVNULL}
        process = subprocess.Popen(run, cwd=base, **quiet, **rights)
        try:
            wait_for(port, process)
            yield f"postgresql://reader:{QUOTED}@127.0.0.1:{port}/postgres"
        finally:
            ended(process)
    finally:
        shutil.rmtree(base, ignore_errors=True)
