"""The process that has imported everything a notebook needs, and forks a kernel for each request.

``forking.Preloaded`` starts it and talks to it over one socket: a request is a kernel's command,
environment and folder, with the file of its log; the answer is the kernel's process. It ends with
the run, however that ends, takes its kernels with it, and removes the folder of their connections.
"""

import ctypes
import gc
import json
import os
import random
import selectors
import shutil
import signal
import socket
import sys
from contextlib import suppress
from importlib import import_module
from importlib.resources import files
from pathlib import Path
from typing import Any

from pmf_analysis.problems import PmfError

MOST_BYTES = 2**20
_DIE_WITH_PARENT = 1  # PR_SET_PDEATHSIG of <sys/prctl.h>
# Memory that runs out must cost a kernel, not this process and with it all of them.
_EASILY_KILLED = "500"
# What notebooks import inside functions, or only once they draw or read; the rest comes with these.
_NEEDED = (
    "IPython.core.completerlib",
    "IPython.core.debugger",
    "IPython.core.oinspect",
    "IPython.extensions.storemagic",
    "encodings.idna",
    "faulthandler",
    "fsspec.implementations.local",
    "ipykernel.debugger",
    "ipykernel.ipkernel",
    "ipykernel.kernelapp",
    "matplotlib.backends.backend_svg",
    "pmf_analysis.assess",
    "pmf_analysis.notebook",
    "pmf_analysis.systems.demo",
    "pyarrow.dataset",
    "pyarrow.parquet",
    "scipy.stats",
    "sqlite3",
    "tornado.platform.asyncio",
)


def main() -> None:
    """Import, then serve the socket whose number is the first argument until it is closed."""
    folder = sys.argv[2]
    with socket.socket(fileno=int(sys.argv[1])) as channel:
        warm_up()
        gc.collect()
        gc.freeze()  # so that a collection in a kernel leaves the memory they share untouched
        request = _next_kernel(channel)
    if request is None:
        shutil.rmtree(folder, ignore_errors=True)
    else:
        _be_kernel(request)


def warm_up() -> None:
    """Do what every notebook's first page would do again.

    Nothing is read here that a kernel would not read again when it has changed.
    """
    for name in _NEEDED:
        import_module(name)
    from pmf_analysis.parameters.workspace import Workspace
    from pmf_analysis.story.bank import bank, stored, template
    from pmf_analysis.story.canvas import Words, canvas

    bank()
    for file in files("pmf_analysis.story").iterdir():
        if file.name.endswith((".yml", ".jinja")):
            (stored if file.name.endswith(".yml") else template)(file.name)
    with canvas(100, 10, 10, 10, 10) as drawing:
        drawing.write(Words("0"), 50, 50)
        drawing.svg("none")
    with suppress(PmfError):  # which the notebook will tell
        Workspace.find().load()


def _next_kernel(channel: socket.socket) -> dict[str, Any] | None:
    """Fork a kernel for each request; None at the end, the request in the kernel's own process."""
    with selectors.DefaultSelector() as waiting:
        waiting.register(channel, selectors.EVENT_READ)
        while True:
            for key, _ in waiting.select():
                if key.data is None:
                    request, log = _received(channel)
                    if request is None:
                        _end(waiting)
                        return None
                    if _is_child(channel, waiting, log):
                        return request
                else:  # a kernel has ended; nobody else can release its number
                    waiting.unregister(key.fd)
                    os.waitid(os.P_PIDFD, key.fd, os.WEXITED)
                    os.close(key.fd)


def _is_child(channel: socket.socket, waiting: selectors.BaseSelector, log: int) -> bool:
    parent, pid = os.getpid(), os.fork()
    if pid == 0:
        _leave_parent(parent, log)
        for key in waiting.get_map().values():
            if key.data is not None:
                os.close(key.fd)
    else:
        process = os.pidfd_open(pid)
        waiting.register(process, selectors.EVENT_READ, pid)
        with suppress(OSError):  # the run has ended meanwhile, which the next message tells
            socket.send_fds(channel, [str(pid).encode()], [process])
    os.close(log)
    return pid == 0


def _received(channel: socket.socket) -> tuple[dict[str, Any] | None, int]:
    """Return the next request and the file of its log; None when the run has ended."""
    try:
        message, files, _, _ = socket.recv_fds(channel, MOST_BYTES, 1)
    except ConnectionError:
        return None, 0
    return (json.loads(message), files[0]) if message else (None, 0)


def _end(waiting: selectors.BaseSelector) -> None:
    """Kill the kernels that still run."""
    for key in waiting.get_map().values():
        if key.data is not None:
            os.killpg(key.data, signal.SIGKILL)
            os.waitid(os.P_PIDFD, key.fd, os.WEXITED)


def _leave_parent(parent: int, log: int) -> None:
    """Make the forked process one of its own: session, output, and an end with its parent."""
    os.setsid()
    ctypes.CDLL(None).prctl(_DIE_WITH_PARENT, signal.SIGKILL)
    if os.getppid() != parent:
        os._exit(1)
    with suppress(OSError):
        Path("/proc/self/oom_score_adj").write_text(_EASILY_KILLED, encoding="ascii")
    for stream in (1, 2):
        os.dup2(log, stream)


def _be_kernel(request: dict[str, Any]) -> None:
    """Be an ordinary kernel from here on, with the environment and the folder asked for."""
    import numpy as np
    from ipykernel.kernelapp import IPKernelApp

    os.environ.clear()
    os.environ.update(request["env"])
    os.chdir(request["cwd"])
    random.seed()
    np.random.seed()
    sys.argv[1:] = request["arguments"]
    # Process 1 as "parent" stands for none to watch: the system ends this one with its parent.
    app = IPKernelApp.instance(parent_handle=1)
    app.initialize(request["arguments"])  # type: ignore[no-untyped-call]
    app.start()  # type: ignore[no-untyped-call]


if __name__ == "__main__":
    main()
