"""Kernels forked from one preloaded process, so that no notebook pays for the imports again.

Linux only. Whatever goes wrong here, the kernel is started in the ordinary way instead.
"""

import asyncio
import json
import os
import select
import signal
import socket
import subprocess
import sys
import threading
import time
import weakref
from collections.abc import Mapping
from contextlib import suppress
from pathlib import Path
from typing import Any

from jupyter_client.connect import KernelConnectionInfo
from jupyter_client.provisioning.local_provisioner import LocalProvisioner

from pmf_analysis.batch.kernels import KERNELS
from pmf_analysis.batch.preloaded import MOST_BYTES

_ANSWER_SECONDS = 30
_END_SECONDS = 5


def can_fork() -> bool:
    """Whether this system has what forked kernels need."""
    return sys.platform == "linux" and hasattr(os, "pidfd_open")


class ForkedProcess:
    """What jupyter_client uses of a ``Popen``, for a process that is a child of another.

    The process is held by its pidfd, so no signal can reach a later process of the same number.
    """

    stdin = stdout = stderr = None

    def __init__(self, pid: int, pidfd: int) -> None:
        self.pid = pid
        self.returncode: int | None = None
        self._pidfd = pidfd
        self._ended = select.poll()
        self._ended.register(pidfd, select.POLLIN)
        weakref.finalize(self, os.close, pidfd)

    def poll(self) -> int | None:
        """Return None while the process runs."""
        return self.wait(0)

    def wait(self, timeout: float | None = None) -> int | None:
        """Wait for the end; how a process ended only its parent knows, so 1 stands for any end."""
        if self.returncode is None and self._ended.poll(timeout and timeout * 1000):
            self.returncode = 1
        return self.returncode

    def send_signal(self, number: int) -> None:
        """Send a signal unless the process has ended."""
        with suppress(ProcessLookupError):
            signal.pidfd_send_signal(self._pidfd, number)

    def kill(self) -> None:
        """End the process."""
        self.send_signal(signal.SIGKILL)


class Preloaded:
    """The preloaded process of one run, as the run sees it.

    Parameters
    ----------
    environment
        As the kernels will have it.
    folder
        The folder of the kernels' connections, which the process removes when it ends.
    """

    def __init__(self, environment: Mapping[str, str], folder: Path) -> None:
        self._lock = threading.Lock()
        self._channel, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        self._channel.settimeout(_ANSWER_SECONDS)
        number = theirs.fileno()
        start = [sys.executable, "-m", "pmf_analysis.batch.preloaded", str(number), str(folder)]
        options: dict[str, Any] = dict.fromkeys(("stdin", "stdout", "stderr"), subprocess.DEVNULL)
        # A session of its own, because a Ctrl-C is for the run to deal with.
        own = {**environment, **KERNELS["while_importing"]}
        options |= {"env": own, "start_new_session": True}
        with theirs:
            self.process = subprocess.Popen(start, pass_fds=[number], **options)

    def fork(self, request: dict[str, Any], log: int) -> ForkedProcess | None:
        """Return a new kernel's process; None when there can be no more."""
        with self._lock:
            try:
                socket.send_fds(self._channel, [json.dumps(request).encode()], [log])
                answer, files, _, _ = socket.recv_fds(self._channel, MOST_BYTES, 1)
                return ForkedProcess(int(answer), files[0])
            except (OSError, ValueError):  # ended, never ready, or too large a request
                self.process.kill()  # or it might still start the kernel that is given up now
                return None

    def stop(self) -> None:
        """End the process and its kernels."""
        self._channel.close()
        try:
            self.process.wait(_END_SECONDS)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()


class ForkProvisioner(LocalProvisioner):
    """Starts a kernel by a fork of its manager's preloaded process, else in the ordinary way."""

    async def launch_kernel(self, cmd: list[str], **options: Any) -> KernelConnectionInfo:
        """Start a kernel."""
        arguments = cmd[cmd.index("ipykernel_launcher") + 1 :]
        cwd = options.get("cwd") or str(Path.cwd())
        request = {"arguments": arguments, "env": options["env"], "cwd": cwd}
        manager: Any = self.parent
        process = manager.preloaded.fork(request, options["stdout"].fileno())
        if process is None:
            return await super().launch_kernel(cmd, **options)
        self.process, self.pid, self.pgid, self.cwd = process, process.pid, process.pid, cwd
        # A client that knocks before the sockets are there comes back only a tenth of a second on.
        sockets = [Path(f"{manager.ip}-{port}") for port in manager.ports]
        end = time.monotonic() + _END_SECONDS * (manager.transport == "ipc")
        while time.monotonic() < end and not all(map(Path.exists, sockets)):
            await asyncio.sleep(0.005)
        return self.connection_info

    async def kill(self, restart: bool = False) -> None:
        """End the kernel and see it end, which its manager would look for ten times a second."""
        await super().kill(restart)
        if self.process is not None:
            self.process.wait(_END_SECONDS)
