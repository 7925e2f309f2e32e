"""The kernels of one run: how each is started, and how all are stopped at once."""

from __future__ import annotations

import itertools
import os
import re
import sys
import tempfile
import threading
from collections.abc import Mapping
from contextlib import AbstractContextManager
from pathlib import Path
from typing import TYPE_CHECKING, Any, BinaryIO, ClassVar, Self

from pmf_analysis.shipped import read_shipped

if TYPE_CHECKING:
    from jupyter_client.manager import AsyncKernelManager

    from pmf_analysis.batch.forking import Preloaded

KERNEL_NAME = "python3"

KERNELS = read_shipped("batch/kernels.yml")
# A Unix socket's path may have 104 bytes on macOS (108 on Linux), and "-1" to "-5" are appended.
_LONGEST_SOCKET_PATH = 100


_START = [sys.executable, "-m", "ipykernel_launcher", "-f", "{connection_file}"]


class Kernels(AbstractContextManager["Kernels"]):
    """Starts Jupyter kernels of the Python that is running now.

    A context manager: entering it starts the process from which kernels are forked, where the
    system has what that needs; leaving it kills what still runs and removes the connection files.

    Parameters
    ----------
    environment
        Variables every kernel gets on top of the driver's own, such as ``PMF_WORKSPACE``.
    fork
        Whether kernels may be forked; each start that fails is made in the ordinary way.
    """

    def __init__(self, environment: Mapping[str, str], *, fork: bool = True) -> None:
        self._cleaner = tempfile.TemporaryDirectory(prefix="pmf-", ignore_cleanup_errors=True)
        self._folder = Path(self._cleaner.name)
        # A user's own IPython start-up files must not change a report.
        own = {"IPYTHONDIR": str(self._folder / "ipython")}
        self._environment = {**os.environ, **KERNELS["environment"], **own, **environment}
        self._managers: list[AsyncKernelManager] = []
        self._numbers = itertools.count(1)
        self._lock = threading.Lock()
        self._may_fork = fork
        self._preloaded: Preloaded | None = None
        self.stopped = False

    def __enter__(self) -> Self:
        from pmf_analysis.batch.forking import Preloaded, can_fork

        if self._may_fork and can_fork():
            self._preloaded = Preloaded(self._environment, self._folder)
        return self

    def __exit__(self, *exception: object) -> None:
        self.stop()
        if self._preloaded is not None:
            self._preloaded.stop()
        self._cleaner.cleanup()

    def stop(self) -> None:
        """Kill every running kernel, now, and let none start again."""
        with self._lock:
            self.stopped = True
        self._kill_those(object)

    def _kill_those(self, kind: type) -> None:
        with self._lock:
            for manager in self._managers:
                if isinstance(manager, kind):
                    _kill(manager)

    def manager_class(self, log: BinaryIO, *, fork: bool = True) -> Any:
        """Return the class with which nbclient starts one kernel, whose own noise goes to `log`.

        A class made for each kernel, since nbclient accepts a class and no instance. Its `kill`
        ends the kernel; its `used` is, in the end, what the kernel used.
        """
        from jupyter_client.kernelspec import KernelSpec
        from jupyter_client.manager import AsyncKernelManager

        kernels = self
        spec = KernelSpec(argv=_START, display_name="Python", language="python")
        spec.metadata = {"supported_encryption": ["curve"]}
        if fork and self._preloaded is not None:
            spec.metadata["kernel_provisioner"] = {"provisioner_name": "pmf-fork"}

        class RunKernelManager(AsyncKernelManager):
            """A kernel of the running Python, over Unix sockets where they work."""

            preloaded = self._preloaded
            used: ClassVar[dict[str, float]] = {}

            @property
            def kernel_spec(self) -> Any:
                # Never a kernelspec found on the disk: a user's own "python3" could be any Python.
                return spec

            # AsyncKernelManager, too, is asynchronous where its parent class is not.
            async def start_kernel(self, **options: Any) -> None:  # type: ignore[override]
                kernels._place(self)
                options |= {"env": dict(kernels._environment), "stdout": log, "stderr": log}
                await super().start_kernel(**options)
                kernels._started(self)

            async def shutdown_kernel(self, **options: Any) -> None:  # type: ignore[override]
                type(self).used = _used_by(getattr(self.provisioner, "pid", 0))
                await super().shutdown_kernel(**options)

            @classmethod
            def kill(cls) -> None:
                """End the kernel, whatever its client waits for."""
                kernels._kill_those(cls)

        return RunKernelManager

    def _place(self, manager: AsyncKernelManager) -> None:
        """Give a kernel its own connection file, over Unix sockets where the path is short."""
        socket = self._folder / f"k{next(self._numbers)}"
        manager.connection_file = f"{socket}.json"
        if os.name == "posix" and len(os.fsencode(f"{socket}-1")) <= _LONGEST_SOCKET_PATH:
            manager.transport, manager.ip = "ipc", str(socket)
        else:
            # Windows and very long paths: TCP on the loopback address, encrypted.
            manager.transport_encryption = "auto"

    def _started(self, manager: AsyncKernelManager) -> None:
        """Remember a kernel for as long as it lives; kill it at once in a run that was stopped."""
        with self._lock:
            self._managers = [known for known in self._managers if known.has_kernel] + [manager]
            if self.stopped:
                _kill(manager)


def _used_by(pid: int) -> dict[str, float]:
    """Return what a process used so far; nothing where only Linux tells."""
    told = Path(f"/proc/{pid}")
    try:
        times = (told / "stat").read_text(encoding="utf-8").rpartition(")")[2].split()[11:13]
        peak = re.search(r"VmHWM:\s+(\d+) kB", (told / "status").read_text(encoding="utf-8"))
    except OSError:
        return {}
    seconds = sum(int(time) for time in times) / os.sysconf("SC_CLK_TCK")
    return {"cpu_seconds": seconds, "peak_mb": int(peak[1]) // 1024 if peak else 0}


def _kill(manager: AsyncKernelManager) -> None:
    process = getattr(manager.provisioner, "process", None)
    if process is not None and process.poll() is None:
        process.kill()
