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
import shutil
import signal
import socket
import sys
from contextlib import suppress
from importlib import import_module
from importlib.resources import files
from pathlib import Path
from typing import Any

import psutil

from pmf_analysis.batch.kernels import KERNELS
from pmf_analysis.problems import PmfError

MOST_BYTES = 2**20
_DIE_WITH_PARENT = 1  # PR_SET_PDEATHSIG of <sys/prctl.h>
# Memory that runs out must cost a kernel, not this process and with it all of them.
_EASILY_KILLED = "500"


def main() -> None:
    """Import, then serve the socket whose number is the first argument until it is closed."""
    with socket.socket(fileno=int(sys.argv[1])) as channel:
        warm_up()
        gc.collect()
        gc.freeze()  # so that a collection in a kernel leaves the memory they share untouched
        signal.signal(signal.SIGCHLD, signal.SIG_IGN)  # the system forgets kernels that ended
        request = _next_kernel(channel)
    if request is None:
        _end_kernels()  # or one that is just starting would write into what is being removed
        shutil.rmtree(sys.argv[2], ignore_errors=True)
    else:
        _be_kernel(request)


def warm_up() -> None:
    """Do what every notebook's first page would do again.

    Nothing is read here that a kernel would not read again when it has changed.
    """
    for name in KERNELS["preloaded"]:
        import_module(name)
    from pmf_analysis.parameters.workspace import Workspace
    from pmf_analysis.story.bank import bank, stored, story_of, template
    from pmf_analysis.story.canvas import canvas
    from pmf_analysis.story.lettering import Words

    bank()
    for file in files("pmf_analysis.story").iterdir():
        if file.name.endswith((".yml", ".jinja")):
            (stored if file.name.endswith(".yml") else template)(file.name)
    for name in stored("stories.yml"):
        story_of(name)
    with canvas(100, 10, 10, 10, 10) as drawing:
        drawing.write(Words("0"), 50, 50)
        drawing.svg("none")
    with suppress(PmfError):  # which the notebook will tell
        Workspace.find().load()


def _next_kernel(channel: socket.socket) -> Any:
    """Fork a kernel for each request; None at the end, the request in the kernel's own process."""
    parent = os.getpid()
    with suppress(ConnectionError):  # the run has ended without a word
        while True:
            message, files, _, _ = socket.recv_fds(channel, MOST_BYTES, 1)
            if not message:
                break
            if not (pid := os.fork()):
                _leave_parent(parent, files[0])
                return json.loads(message)
            process = os.pidfd_open(pid)
            socket.send_fds(channel, [str(pid).encode()], [process])
            os.close(process)
            os.close(files[0])
    return None


def _end_kernels() -> None:
    """Kill what was forked and has not ended, and see it end."""
    for kernel in psutil.Process().children():
        with suppress(psutil.NoSuchProcess):
            kernel.kill()
    with suppress(ChildProcessError):  # raised at the last one's end, since SIGCHLD is ignored
        os.waitpid(-1, 0)


def _leave_parent(parent: int, log: int) -> None:
    """Make the forked process one of its own: session, signals, output, an end with its parent."""
    os.setsid()
    signal.signal(signal.SIGCHLD, signal.SIG_DFL)
    ctypes.CDLL(None).prctl(_DIE_WITH_PARENT, signal.SIGKILL)
    if os.getppid() != parent:
        os._exit(1)
    with suppress(OSError):
        Path("/proc/self/oom_score_adj").write_text(_EASILY_KILLED, encoding="ascii")
    os.dup2(log, 1)
    os.dup2(log, 2)
    os.close(log)


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
