"""The `pmf` command: thin, each command calls one function.

Nothing heavy is imported before a command needs it. Whatever goes wrong is a line on the error
stream and an exit code: 0 all made; 1 some failed; 2 wrong usage or parameters, nothing ran; 3 data
unusable, nothing ran; 130 interrupted, resumable.
"""

from __future__ import annotations

import json
import os
import signal
import sys
from datetime import UTC, date, datetime
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

from typer import Argument, Exit, Option, Typer

from pmf_analysis import __version__, cli_data, console
from pmf_analysis.batch import manifest, unchanged
from pmf_analysis.problems import EXIT_DATA_UNUSABLE, PmfError, Problem

if TYPE_CHECKING:
    from pmf_analysis.batch.plan import Plan

_PURPOSE = "Plain-English performance reports for UK councils, from Jupyter notebooks."
app = Typer(name="pmf", help=_PURPOSE, no_args_is_help=True, add_completion=False)


def _planned(root: Path, run_file: str, **asked: Any) -> Plan:
    """Return a plan of which everything has been checked."""
    from pmf_analysis.batch.plan import check_data, make_plan

    planned = make_plan(console.opened(root), run_file, **asked)
    check_data(planned)
    return planned


def main(arguments: list[str] | None = None) -> int:
    """Run a command and return its exit code; nothing ever ends in a traceback."""
    given = sys.argv[1:] if arguments is None else arguments
    try:
        return app(args=given, prog_name="pmf", standalone_mode=False) or 0
    except PmfError as error:
        console.complain(error.problems)
        if "--json" in given:
            console.say(True, {"problems": error.problems.rows(), "exit_code": error.exit_code})
        return error.exit_code
    except KeyboardInterrupt:
        print("Stopped before anything was made.", file=sys.stderr)
        return 130
    except OSError as error:
        console.complain([Problem.refused(error, str(error.filename or "a file"))])
        return EXIT_DATA_UNUSABLE
    # The promise is that no one sees a traceback: it goes into a file, and its place is named.
    except Exception as error:
        usage = getattr(error, "format_message", None)
        if usage is None:
            return console.unexpected(error)
        print(f"pmf: {usage()} Try: pmf --help", file=sys.stderr)
        return 2


@app.callback(invoke_without_command=True)
def _options(version: console.Version = False) -> None:
    if version:
        print(f"pmf {__version__}")
        raise Exit


@app.command()
def new(
    folder: Annotated[Path, Argument(metavar="DIR", help="A new or empty folder.")],
    council: Annotated[str, Option(help="Your council's name; else the fictional one.")] = "",
    area_code: Annotated[str, Option(help="Its code of the ONS, such as E06000001.")] = "",
) -> None:
    """Make a workspace: parameters, notebooks, store and outputs."""
    from pmf_analysis.batch.notebooks import new_workspace

    for name in new_workspace(folder, council.strip(), area_code):
        print(f"{folder.name}/{name}")
    first = 'register draft "YOUR FILE"' if council else "demo"
    print(f"Next: cd {folder.name}, then pmf {first}.")


@app.command()
def demo(*, workspace: console.Where) -> None:
    """Make Westshire, the fictional council, and import its files, unless it is there."""
    from pmf_analysis.systems.demo import make_demo

    made = make_demo(console.opened(workspace))
    print("Westshire, the fictional council, is made." if made else "The store holds data already.")


app.command(name="import")(cli_data.import_)
app.command()(cli_data.look)
app.command()(cli_data.collect)
app.add_typer(cli_data.maps, name="map")
app.add_typer(cli_data.register)


@app.command()
def check(
    run_file: console.RunFile = "",
    accept: console.Accept = False,
    *,
    workspace: console.Where,
    as_json: console.AsJson = False,
) -> None:
    """Check everything that can be checked before a notebook runs."""
    if accept:
        from pmf_analysis.batch.notebooks import accept_notebooks

        names = ", ".join(accept_notebooks(console.opened(workspace), run_file))
        print(f"Accepted: {names or 'nothing; all notebooks came with pmf'}.", file=sys.stderr)
    planned = _planned(workspace, run_file)
    warnings, reports = planned.parameters.problems, len(planned.jobs)
    console.complain(warnings)
    line = f"No errors: {reports} reports can be made from {planned.run_file}."
    console.say(as_json, {"problems": warnings.rows(), "reports": reports, "exit_code": 0}, [line])


@app.command()
def plan(
    run_file: console.RunFile = "",
    theme: console.Themes = None,
    analysis: console.Analyses = None,
    *,
    workspace: console.Where,
    as_json: console.AsJson = False,
) -> None:
    """List the reports of a run and the indicators in each; nothing is made."""
    planned = _planned(workspace, run_file, themes=theme, analyses=analysis)
    rows = [
        {"report": job.id, "peer_set": job.peer_set, "indicators": planned.indicators(job.theme)}
        for job in planned.jobs
    ]
    lines = [f"{row['report']}: {', '.join(row['indicators']) or 'no indicators'}" for row in rows]
    total = f"{len(rows)} reports for {planned.spec.council}, {planned.period.label}"
    console.say(as_json, rows, [*lines, total])


@app.command()
def run(
    run_file: console.RunFile = "",
    theme: console.Themes = None,
    analysis: console.Analyses = None,
    jobs: Annotated[int | None, Option(min=1, help="Notebooks at a time.")] = None,
    timeout: Annotated[int, Option(min=1, help="Seconds a notebook.")] = 600,
    cell_timeout: Annotated[int, Option(min=1, help="Seconds a cell.")] = 300,
    fail_fast: Annotated[bool, Option("--fail-fast", help="Stop at the first failure.")] = False,
    fresh: Annotated[bool, Option("--fresh", help="Make again what has not changed too.")] = False,
    resume: Annotated[str, Option(metavar="RUN", help="Finish this run.")] = "",
    shard: Annotated[str, Option(metavar="I/N", help="Only this share of the reports.")] = "",
    cluster: Annotated[str, Option(metavar="ADDRESS", help="Make them on a Dask cluster.")] = "",
    copy_to: Annotated[str | None, Option(metavar="URL", help="Copy the run there.")] = None,
    *,
    workspace: console.Where,
    as_json: console.AsJson = False,
) -> int:
    """Make the reports: run the notebooks, render them, write an index."""
    if copy_to is not None and not copy_to.strip():
        raise PmfError(Problem.of("copy-nowhere"))
    # A scheduler's stop leaves as clean a run as a person's Ctrl-C.
    signal.signal(signal.SIGTERM, signal.default_int_handler)
    # A run file may lie outside the workspace, so what it says counts, and not its name alone.
    said = Path(run_file).read_text(encoding="utf-8") if Path(run_file).is_file() else ""
    asked = [run_file, said, shard, *sorted(theme or ()), "", *sorted(analysis or ())]
    if not (fresh or resume or copy_to) and (same := unchanged.last_of(workspace, asked)):
        return _copied(same, workspace, "", as_json)
    seen = unchanged.inputs_digest(workspace, asked, seals=False)
    from pmf_analysis.batch import pages, running

    resumed = manifest.find_run(workspace, resume) if resume else None
    if resumed:
        run_file, theme, analysis, shard = resumed.asked
    planned = _planned(workspace, run_file, themes=theme, analyses=analysis, shard=shard)
    how = running.Options(
        jobs or (os.cpu_count() or 1) + 1, timeout, cell_timeout, fail_fast, fresh, cluster
    )
    with pages.progress(sys.stderr if as_json else sys.stdout, len(planned.jobs)) as on_job:
        facts: dict[str, Any] = {"now": datetime.now(UTC), "on_job": on_job, "resumed": resumed}
        made = running.run_plan(planned, how, **facts)
    if not resume:
        unchanged.remember(workspace, asked, seen, made)
    return _copied(made, workspace, copy_to or "", as_json)


def _copied(made: manifest.RunRecord, root: Path, copy_to: str, as_json: bool) -> int:
    """Copy a finished run where it was asked for, or where `storage.yml` says, and tell of it."""
    declared = (root / "parameters" / "storage.yml").is_file()
    copy_to = copy_to or (declared and console.opened(root).storage.runs) or ""
    if copy_to and made.is_finished:
        from pmf_analysis.batch.cluster import copy_run

        copy_run(made.folder, copy_to)
    return _say_result(made, root, as_json)


def _say_result(made: manifest.RunRecord, root: Path, as_json: bool) -> int:
    from pmf_analysis.batch.pages import result_json, result_lines

    console.say(as_json, result_json(made, root), result_lines(made))
    return made.exit_code


@app.command()
def backtest(
    run_file: console.RunFile = "", *, workspace: console.Where, as_json: console.AsJson = False
) -> None:
    """Put past questions to the council's own figures, and say how good the chances were."""
    from pmf_analysis.batch.past import ask_past

    planned = _planned(workspace, run_file)
    found = ask_past(planned)
    table = found.to_string(index=False, na_rep="", float_format="{:.3f}".format)
    console.say(as_json, {"records": json.loads(found.to_json(orient="records"))}, [table])


@app.command()
def render(
    run: console.RunId = "", *, workspace: console.Where, as_json: console.AsJson = False
) -> int:
    """Make the pages of a run again from its executed notebooks."""
    from pmf_analysis.batch.pages import render_again

    made = manifest.find_run(workspace, run)
    render_again(made)
    return _say_result(made, workspace, as_json)


@app.command()
def export(
    run: console.RunId = "",
    to: console.Formats = None,
    folder: Annotated[Path | None, Option(metavar="DIR", help="Put it there too.")] = None,
    *,
    workspace: console.Where,
    as_json: console.AsJson = False,
) -> int:
    """Make copies of a run's reports, or what Power BI, Pentana and others take."""
    from pmf_analysis.batch import copies

    made = manifest.find_run(workspace, run)
    if not made.is_finished:
        raise PmfError(Problem.of("run-unfinished", run=made.id))
    with manifest.locked(made.folder.parents[1]):
        made = manifest.RunRecord.read(made.folder)
        tell = partial(print, file=sys.stderr)
        copies.export(console.opened(workspace), made, to or (), tell, folder)
    return _say_result(made, workspace, as_json)


@app.command()
def publish(
    run: console.RunId = "",
    *,
    to: Annotated[Path, Option(metavar="DIR", help="A new folder, or an earlier publication.")],
    workspace: console.Where,
    as_json: console.AsJson = False,
) -> None:
    """Copy what is approved for the public, and nothing else, out of a run."""
    from pmf_analysis.batch.publish import publish as publish_run

    lines = publish_run(
        console.opened(workspace), manifest.find_run(workspace, run), to, today=date.today()
    )
    console.say(as_json, {"published": lines}, lines)


@app.command()
def audit(
    folder: Annotated[Path, Argument(metavar="FOLDER", help="Any pages and documents.")],
    statement: Annotated[Path | None, Option(metavar="FILE", help="Write a statement.")] = None,
    council: Annotated[str, Option(help="Whose statement it is.")] = "",
    contact: Annotated[str, Option(help="Whom to ask for other formats.")] = "",
    as_json: console.AsJson = False,
) -> int:
    """Check a folder of pages, PDF and Office files for what accessibility asks of them."""
    from pmf_analysis.documents import audit as auditing

    found = auditing.audit_folder(folder)
    if statement:
        about = {"name": council, "contact": contact, "date": date.today().isoformat()}
        manifest.write_atomically(statement, auditing.statement(found, about))
    console.say(as_json, found.rows(), found.lines())
    return int(found.failed)


@app.command()
def show(
    run: console.RunId = "", *, workspace: console.Where, as_json: console.AsJson = False
) -> None:
    """Say what became of a run and where its reports are."""
    _say_result(manifest.find_run(workspace, run), workspace, as_json)


@app.command()
def lab(*, workspace: console.Where, no_start: console.NoStart = False) -> int:
    """Trust the notebooks that runs made, and open JupyterLab on the workspace."""
    from pmf_analysis.batch import notebooks

    print(f"{notebooks.trust_notebooks(workspace)} executed notebooks are trusted.", flush=True)
    return 0 if no_start else notebooks.lab_on(workspace)


if __name__ == "__main__":
    sys.exit(main())
