"""A whole run against the shell loop that councils have, and against the least it could cost.

    python benchmarks/batch.py [--repeats 5] [--jobs 2] [--only ours,limit] [--themes 7]

On the fictional council, in one go on the same machine, the same notebooks and data:

- loop: the ``papermill`` and ``jupyter nbconvert`` commands for each report, one after the other
- loop2: the same, two at a time
- ours: ``pmf run --fresh``
- limit: the same cells, measures and pages in one plain script; its CPU divided by the cores is
  what no run of these notebooks can beat
- unchanged: ``pmf run`` again with nothing changed
- one_theme: ``pmf run`` after an import that changes one figure of one theme

Prints each measurement, then the medians and the ratios that are goals. CPU is that of all
processes started, as the system accounts it; of forked kernels, which are nobody's children in the
end, as the run's manifest has it.
"""

from __future__ import annotations

import argparse
import contextlib
import json
import os
import resource
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import date
from pathlib import Path
from typing import Any

from pmf_analysis.batch import pages
from pmf_analysis.batch.manifest import find_run
from pmf_analysis.batch.notebooks import as_published, new_workspace, notebook_of, read_notebook
from pmf_analysis.batch.plan import Job, Plan, make_plan
from pmf_analysis.parameters.workspace import Workspace
from pmf_analysis.systems.demo import make_demo

BIN = Path(sys.executable).parent
PMF = [sys.executable, "-m", "pmf_analysis.cli"]
RUN_FILE = "westshire_2026-27_q2.yml"
GOALS = {"ours/loop": 0.20, "ours/loop2": 0.40, "ours/limit": 1.4, "unchanged/ours": 0.01}


def started(command: list[str], **options: Any) -> None:
    """Run a command to its end; what it prints is shown only if it fails."""
    done = subprocess.run(command, capture_output=True, text=True, check=False, **options)
    if done.returncode:
        sys.exit(f"{command[:4]} ended with {done.returncode}: {done.stdout[-500:]} {done.stderr}")


def loop(plan: Plan, workers: int) -> None:
    """Make every report as a shell script would, `workers` at a time."""
    shutil.rmtree(plan.workspace.store / "cache", ignore_errors=True)
    with tempfile.TemporaryDirectory() as folder, ThreadPoolExecutor(workers) as pool:
        list(pool.map(lambda job: one_of_loop(plan, job, Path(folder)), plan.jobs))


def one_of_loop(plan: Plan, job: Job, folder: Path) -> None:
    """One report: execute, then convert."""
    values = plan.notebook_parameters(job, "")
    made = folder / f"{job.theme}_{job.analysis}.ipynb"
    given = [text for name, value in values.items() for text in ("-p", name, str(value))]
    where = {**os.environ, "PMF_WORKSPACE": str(plan.workspace.root)}
    source = str(plan.notebooks[job.analysis])
    started([str(BIN / "papermill"), source, str(made), *given], env=where)
    started([str(BIN / "jupyter"), "nbconvert", "--to", "html", "--no-input", str(made)], env=where)


def limit(root: Path, themes: list[str]) -> None:
    """Measure, run the cells and make the pages in this process, one after the other."""
    import IPython.display

    from pmf_analysis.assess import assess_run, write_measures

    plan = make_plan(Workspace(root), RUN_FILE, themes=themes)
    run_folder = Path("outputs/limit")
    os.environ["PMF_WORKSPACE"] = str(root)
    write_measures(assess_run(plan.workspace, plan.spec), root / run_folder / "measures")
    about = pages.describe_pages(plan)
    for job in plan.jobs:
        values = plan.notebook_parameters(job, run_folder.as_posix())
        notebook, names = read_notebook(plan.notebooks[job.analysis]), dict[str, Any]()
        for cell in (cell for cell in notebook.cells if cell.cell_type == "code"):
            shown: list[Any] = []
            IPython.display.display = lambda block, shown=shown: shown.append(block)
            exec(cell.source, names)
            if "parameters" in cell.metadata.get("tags", []):
                names.update(values)
            cell.execution_count, cell.outputs = 1, [as_output(block) for block in shown]
        kept = notebook_of(as_published(notebook, values))
        page = pages.report_page(kept, about, job.__dict__)
        (root / run_folder / f"{job.theme}_{job.analysis}.html").write_text(page, encoding="utf-8")


def as_output(block: Any) -> Any:
    """Return what a kernel sends for a block."""
    import nbformat

    data = json.loads(json.dumps(block._repr_mimebundle_()))
    return nbformat.v4.new_output("display_data", data=data)


def change_one_figure(workspace: Workspace, theme: str, by: float) -> None:
    """Import a correction of the newest figure of one indicator of a theme."""
    from pmf_analysis.data.store import Store

    store, parameters = Store(workspace.store), workspace.load()
    council = parameters.framework.council.area_code
    rows = store.as_known_on(date(2026, 10, 31), "observations")["observations"]
    wanted = parameters.register.for_theme(theme)[0].id
    rows = rows[(rows["indicator_id"] == wanted) & (rows["area_code"] == council)]
    rows = rows.sort_values("period_end").tail(1)
    store.add({"observations": rows.assign(value=rows["value"] + by)}, as_at=date(2026, 10, 31))


@contextlib.contextmanager
def measured(name: str, root: Path, found: dict[str, list[tuple[float, float]]]) -> Iterator[None]:
    """Keep wall and CPU seconds of what happens inside, of all processes that ended in it."""
    wall, cpu = time.perf_counter(), cpu_of_children()
    yield
    wall, cpu = time.perf_counter() - wall, cpu_of_children() - cpu
    if name in ("ours", "one_theme"):
        made = (job for job in find_run(root).jobs.values() if "made_in" not in job)
        cpu += sum(job["cpu_seconds"] for job in made)
    found.setdefault(name, []).append((wall, cpu))
    print(
        f"{name:10} wall {found[name][-1][0]:7.2f} s   CPU {found[name][-1][1]:7.2f} s", flush=True
    )


def cpu_of_children() -> float:
    """CPU seconds of processes that have ended, with those that they waited for."""
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    return used.ru_utime + used.ru_stime


def tell(found: dict[str, list[tuple[float, float]]], reports: int, cores: int) -> None:
    """Print medians, ratios and what a report costs beyond the limit."""
    wall = {name: statistics.median(w for w, _ in times) for name, times in found.items()}
    cpu = {name: statistics.median(c for _, c in times) for name, times in found.items()}
    print(f"\n{reports} reports, {cores} cores, medians of {len(next(iter(found.values())))}")
    for name in found:
        print(f"{name:10} wall {wall[name]:7.2f} s   CPU {cpu[name]:7.2f} s")
    if "limit" in cpu:
        wall["limit"] = cpu["limit"] / cores
        over = (cpu.get("ours", 0) - cpu["limit"]) / reports
        print(f"CPU beyond the limit: {over:.2f} s a report (goal 0.2)")
    for goal, most in GOALS.items():
        above, below = goal.split("/")
        if above in wall and below in wall:
            print(f"wall {goal}: {wall[above] / wall[below]:.3f} (goal {most})")


def main() -> None:
    """Measure what is asked for, in turn, as often as asked."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--repeats", type=int, default=5)
    parser.add_argument("--jobs", type=int, default=2)
    parser.add_argument("--themes", type=int, default=7)
    parser.add_argument("--only", default="loop,loop2,ours,limit,unchanged,one_theme")
    parser.add_argument("--limit", type=Path, help=argparse.SUPPRESS)
    parser.add_argument("--chosen", default="", help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.limit:
        return limit(options.limit, options.chosen.split(","))
    with tempfile.TemporaryDirectory() as folder:
        root, found = Path(folder) / "westshire", dict[str, list[tuple[float, float]]]()
        new_workspace(root)
        workspace = Workspace(root)
        make_demo(workspace)
        themes = [theme.id for theme in workspace.load().framework.themes][: options.themes]
        plan = make_plan(workspace, RUN_FILE, themes=themes)
        chosen = [text for theme in themes for text in ("--theme", theme)]
        run = [
            *PMF,
            "run",
            RUN_FILE,
            *chosen,
            "--workspace",
            str(root),
            "--jobs",
            str(options.jobs),
        ]
        plain = [sys.executable, __file__, "--limit", str(root), "--chosen", ",".join(themes)]
        steps: dict[str, Callable[[], None]] = {
            "loop": lambda: loop(plan, 1),
            "loop2": lambda: loop(plan, 2),
            "ours": lambda: started([*run, "--fresh"]),
            "limit": lambda: started(plain),
            "unchanged": lambda: started(run),
            "one_theme": lambda: started(run),
        }
        for repeat in range(options.repeats):
            for name in options.only.split(","):
                if name == "one_theme":
                    change_one_figure(workspace, themes[-1], 0.1 * (repeat + 1))
                with measured(name, root, found):
                    steps[name]()
        tell(found, len(plan.jobs), os.cpu_count() or 1)
        print(f"last run: {find_run(root).manifest['status']}")


if __name__ == "__main__":
    main()
