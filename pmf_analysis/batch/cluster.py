"""Reports made by the workers of a Dask cluster, and a finished run copied to another place.

Workers share no disk with this machine. They get what notebooks read (parameters and result
tables) once a run, keep it in a folder of their own, and send finished files back; only this
machine writes into the run. What a lost worker was making is made again by another.
"""

from __future__ import annotations

import shutil
import tempfile
import weakref
from collections.abc import Generator, Iterator, Sequence
from contextlib import ExitStack, contextmanager
from functools import cached_property, partial
from pathlib import Path
from typing import Any

from pmf_analysis.batch import manifest
from pmf_analysis.batch.execute import Outcome
from pmf_analysis.batch.kernels import Kernels
from pmf_analysis.batch.plan import versions
from pmf_analysis.batch.reports import Order, make_report, record_of
from pmf_analysis.places import opened
from pmf_analysis.problems import PmfError, Problem

Reports = Generator[dict[str, Any], None, None]


def program() -> dict[str, str]:
    """Return what decides how this machine makes a report: versions, and pmf's own files."""
    return versions() | {"files of pmf": manifest.package_digest()[:8]}


@contextmanager
def connected(address: str, *, seconds: float = 30) -> Iterator[Any]:
    """Connect to a cluster whose workers run the same program as this machine.

    Parameters
    ----------
    address
        Of the scheduler, such as ``tcp://10.0.0.5:8786``.
    seconds
        How long to wait for the scheduler, and then for a first worker.

    Raises
    ------
    PmfError
        Exit 2: the extra is not installed, nobody answers, or a worker has another program.
    """
    if "://" not in address:
        raise PmfError(Problem.of("cluster-not-found", address=address))
    try:
        from distributed import Client
    except ImportError:
        raise PmfError(Problem.of("cluster-not-installed")) from None
    with ExitStack() as opened:
        try:
            client = opened.enter_context(Client(address, timeout=seconds, set_as_default=False))  # type: ignore[no-untyped-call]
            client.wait_for_workers(1, timeout=seconds)
        except (OSError, ValueError):
            raise PmfError(Problem.of("cluster-not-found", address=address)) from None
        own = program()
        for told in client.run(program, on_error="return").values():
            theirs = told if isinstance(told, dict) else {}  # or the error of a machine without pmf
            other = [f"{n} {theirs.get(n, 'missing')}" for n in own if theirs.get(n) != own[n]]
            if other:
                raise PmfError(Problem.of("cluster-differs", other=", ".join(other)))
        yield client


class Parcel:
    """What the notebooks of a run read, unpacked on a worker, and the worker's kernels for them.

    They go when the scheduler takes the parcel away, because the run has ended or its driver is
    gone, and with the worker itself: kernels end by themselves then, and the folder is in the
    worker's own directory, which Dask clears even after a crash.
    """

    def __init__(self, files: dict[str, bytes]) -> None:
        self.files = files

    def __reduce__(self) -> tuple[type[Parcel], tuple[dict[str, bytes]]]:
        return Parcel, (self.files,)  # another worker unpacks its own

    @cached_property
    def place(self) -> tuple[Path, Kernels]:
        """The workspace and the kernels, made when the first report needs them."""
        from distributed import get_worker

        with ExitStack() as opened:
            place = get_worker().local_directory
            folder = tempfile.TemporaryDirectory(dir=place, ignore_cleanup_errors=True)
            root = opened.enter_context(folder)
            for name, content in self.files.items():
                manifest.write_atomically(Path(root) / name, content)
            kernels = opened.enter_context(Kernels({"PMF_WORKSPACE": root}))
            weakref.finalize(self, opened.pop_all().close)
        return Path(root), kernels


def make_reports(client: Any, orders: Sequence[Order], root: Path, run_folder: Path) -> Reports:
    """Make reports on the workers, write their files into the run, and yield their records.

    A report whose worker is lost is made by another; one that takes several workers with it has
    failed. Closing the generator withdraws what is not made yet.

    Parameters
    ----------
    client
        Of `connected`.
    root, run_folder
        The workspace, and the run in it that holds the result tables and gets the reports.
    """
    from distributed import as_completed

    paths = [*(root / "parameters").rglob("*.yml"), *run_folder.glob("measures/*.parquet")]
    files = {path.relative_to(root).as_posix(): path.read_bytes() for path in paths}
    # A task that returns it, unlike scattered data, is repeated when all its holders are lost.
    parcel = client.submit(Parcel, files, key=f"parcel-{run_folder.name}")
    send = partial(client.submit, _made, retries=2)
    asked = {send(each, parcel, key=(run_folder.name, each.job.id)): each for each in orders}
    try:
        for future in as_completed(asked, loop=client.loop, raise_errors=False):  # type: ignore[no-untyped-call]
            yield _kept(future, asked.pop(future), run_folder)
    finally:
        client.cancel([*asked, parcel])


def _made(order: Order, parcel: Parcel) -> tuple[dict[str, Any], dict[str, bytes]]:
    """Make one report on this worker; its record, and its files by name."""
    root, kernels = parcel.place
    folder = root / order.parameters["run_folder"] / order.job.id
    record = make_report(order, folder, kernels)
    return record, {name: (folder / name).read_bytes() for name in record["files"]}


def _kept(future: Any, order: Order, run_folder: Path) -> dict[str, Any]:
    """Write the files of a finished report into the run; its record."""
    try:
        record, files = future.result()
    # A fault of one worker, such as a full disk, costs no other report.
    except Exception as error:
        why = f"no worker could make it ({type(error).__name__}); see the logs of the workers"
        return record_of(order.job, Outcome("not_run" if future.cancelled() else "failed", why))
    shutil.rmtree(folder := run_folder / order.job.id, ignore_errors=True)
    for name, content in files.items():
        manifest.write_atomically(folder / name, content)
    return dict(record)


def copy_run(folder: Path, url: str) -> None:
    """Copy a finished run, its manifest last: who finds a manifest finds the whole run.

    It gets the place it has in the outputs, ``URL/<council>/<period>/<run id>``.

    Parameters
    ----------
    url
        A folder, or any address that fsspec can write to, such as ``az://container/reports``.

    Raises
    ------
    PmfError
        Exit 1 when it could not be copied; the run itself is not touched.
    """
    last = [name for name in (manifest.LOG, manifest.MANIFEST) if (folder / name).is_file()]
    names = [*manifest.describe_files(folder), *last]
    try:
        there, place = opened("/".join([url.rstrip("/"), *folder.parts[-3:]]))
        if there.exists(copied := f"{place}/{manifest.MANIFEST}"):
            if there.cat_file(copied) == (folder / manifest.MANIFEST).read_bytes():
                return
            there.rm_file(copied)  # of an earlier copy, replaced now
        for name in names:
            there.makedirs(f"{place}/{name}".rpartition("/")[0], exist_ok=True)
            there.put_file(str(folder / name), f"{place}/{name}")
    # Every kind of store has errors of its own.
    except Exception as error:
        told = error.problems[0].message if isinstance(error, PmfError) else str(error)
        why = manifest.redacted(told).rstrip(".")
        raise PmfError(Problem.of("not-copied", file=folder.name, why=why), 1) from None
