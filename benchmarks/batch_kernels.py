"""What a forked kernel costs beside an ordinary one, and whether many of them leave anything.

    python benchmarks/batch_kernels.py [--repeats 9] [--forks 500]

Prints the time from the start of a kernel to ``import pmf_analysis.notebook`` done in it, forked
and ordinary, one after the other; then runs as many tiny reports as asked for in one run of
``pmf``'s own driver, and prints the driver's memory as it goes and what is left afterwards.
"""

from __future__ import annotations

import argparse
import asyncio
import statistics
import sys
import tempfile
import time
from pathlib import Path
from typing import IO, Any

import nbformat
import psutil

from pmf_analysis.batch.kernels import Kernels
from pmf_analysis.batch.notebooks import notebook_text
from pmf_analysis.batch.plan import Job
from pmf_analysis.batch.reports import Order, make_report

FROM_TO = (20, 500)
ABOUT = {
    "council": "Tinyshire",
    "notice": "",
    "period": "July to September 2026",
    "as_at": "2026-10-31",
    "analyses": [{"id": "trends", "title": "Trends"}],
}


async def started(kernels: Kernels, log: IO[bytes]) -> tuple[float, float, float]:
    """Start a kernel and import; wall seconds, CPU seconds of the kernel and of this process."""
    manager = kernels.manager_class(log)(kernel_name="python3")
    wall, cpu = time.perf_counter(), time.process_time()
    await manager.start_kernel(extra_arguments=[])
    client = manager.client()
    client.start_channels()
    await client.wait_for_ready(timeout=60)
    await client.execute_interactive("import pmf_analysis.notebook", store_history=False)
    taken = time.perf_counter() - wall
    await manager.shutdown_kernel(now=True)
    client.stop_channels()
    return taken, type(manager).used["cpu_seconds"], time.process_time() - cpu


def medians(fork: bool, repeats: int) -> list[float]:
    """Medians over some starts, after one that waits for the preloaded process."""
    with tempfile.TemporaryFile() as log, Kernels({}, fork=fork) as kernels:
        runs = [asyncio.run(started(kernels, log)) for _ in range(repeats + 1)][1:]
    return [statistics.median(each) for each in zip(*runs, strict=True)]


def tiny_notebook() -> Any:
    """A notebook that only writes its results."""
    cell = nbformat.v4.new_code_cell('run_folder = ""', id="parameters")
    cell.metadata["tags"] = ["parameters"]
    source = 'import pathlib; pathlib.Path(run_folder, "results.csv").write_text("a")'
    language = {"kernelspec": {"name": "python3", "display_name": "", "language": "python"}}
    cells = [cell, nbformat.v4.new_code_cell(source, id="write")]
    return nbformat.v4.new_notebook(cells=cells, metadata=language)


def many(count: int) -> None:
    """Make many reports in one run, and print memory on the way and what is left."""
    me, found = psutil.Process(), dict[int, float]()
    with tempfile.TemporaryDirectory() as place, Kernels({"PMF_WORKSPACE": place}) as kernels:
        began = time.perf_counter()
        for number in range(1, count + 1):
            folder = Path(place) / str(number)
            job = Job(f"theme{number}", "trends", "")
            about = {**ABOUT, "themes": [{"id": job.theme, "title": job.theme}]}
            order = Order(job, TEXT, {"run_folder": str(folder)}, about, 60, 60)
            record = make_report(order, folder, kernels)
            if record["status"] != "ok" or record["retried"]:
                sys.exit(f"report {number}: {record}")
            if number in (*FROM_TO, count):
                found[number] = me.memory_info().rss / 2**20
                print(f"after {number} reports the driver has {found[number]:.0f} MB")
        seconds = (time.perf_counter() - began) / count
    print(f"{seconds:.2f} s a report; processes left: {len(me.children(recursive=True))}")


def main() -> None:
    """Measure starts, then many forks."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--repeats", type=int, default=9)
    parser.add_argument("--forks", type=int, default=500)
    options = parser.parse_args()
    forked, ordinary = medians(True, options.repeats), medians(False, options.repeats)
    for name, a, b in zip(("wall", "kernel CPU", "driver CPU"), forked, ordinary, strict=True):
        print(f"{name}: forked {a:.3f} s, ordinary {b:.3f} s, ratio {a / b:.3f}")
    many(options.forks)


TEXT = notebook_text(tiny_notebook())

if __name__ == "__main__":
    main()
