"""The `pmf` command: thin, each command calls one function.

Nothing heavy is imported before a command needs it. Whatever goes wrong is a line on the error
stream and an exit code: 0 all made; 1 some failed; 2 wrong usage or parameters, nothing ran; 3 data
unusable, nothing ran; 130 interrupted, resumable.
"""

from __future__ import annotations

import json
import sys
import tempfile
import traceback
from collections.abc import Iterable
from dataclasses import asdict
from datetime import UTC, date, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from pmf_analysis import __version__
from pmf_analysis.problems import EXIT_DATA_UNUSABLE, PmfError, Problem

if TYPE_CHECKING:
    from pmf_analysis.batch.running import RunResult
    from pmf_analysis.parameters.workspace import Workspace
    from pmf_analysis.systems.importing import ImportOutcome

app = typer.Typer(
    name="pmf",
    help="Plain-English performance reports for UK councils, from Jupyter notebooks.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
)

Where = Annotated[
    Path | None,
    typer.Option("--workspace", metavar="DIR", help="The workspace; else the one you are in."),
]
AsJson = Annotated[bool, typer.Option("--json", help="Print JSON, for other programs.")]
RunFile = Annotated[str, typer.Argument(metavar="[RUNFILE]", help="A file in parameters/runs.")]
RunId = Annotated[str, typer.Argument(metavar="[RUN]", help="A run's id; else the newest.")]
Themes = Annotated[
    list[str] | None, typer.Option("--theme", help="Only this theme; may be repeated.")
]
Analyses = Annotated[
    list[str] | None, typer.Option("--analysis", help="Only this analysis; may be repeated.")
]


def main(arguments: list[str] | None = None) -> int:
    """Run a command and return its exit code; nothing ever ends in a traceback."""
    given = sys.argv[1:] if arguments is None else arguments
    try:
        return app(args=given, prog_name="pmf", standalone_mode=False) or 0
    except PmfError as error:
        _complain(error.problems)
        if "--json" in given:
            _print_json({"problems": error.problems.rows(), "exit_code": error.exit_code})
        return error.exit_code
    except KeyboardInterrupt:
        return 130
    # The promise is that no one sees a traceback: it goes into a file, and its place is named.
    except Exception as error:
        usage = getattr(error, "format_message", None)
        if usage is not None:
            print(f"pmf: {usage()} Try: pmf --help", file=sys.stderr)
            return 2
        return _unexpected(error)


def _unexpected(error: Exception) -> int:
    with tempfile.NamedTemporaryFile(
        "w", prefix="pmf-error-", suffix=".txt", delete=False, encoding="utf-8"
    ) as log:
        traceback.print_exception(error, file=log)
    what = str(error).splitlines()[0] if str(error) else "no further words"
    print(
        f"pmf: something unexpected went wrong: {type(error).__name__}: {what} "
        f"(details for whoever looks after pmf: {log.name})",
        file=sys.stderr,
    )
    return 1


def _complain(problems: Iterable[Problem]) -> None:
    for problem in problems:
        mark = "" if problem.level == "error" else f"{problem.level}: "
        print(f"{mark}{problem.line()}", file=sys.stderr)


def _print_json(value: Any) -> None:
    print(json.dumps(value, indent=1, ensure_ascii=False, default=str))


def _workspace(where: Path | None) -> Workspace:
    from pmf_analysis.parameters.workspace import Workspace

    # What was typed goes before PMF_WORKSPACE, which `find` would look at first.
    if where is not None and any((where / "parameters").glob("framework*.yml")):
        return Workspace(where.resolve())
    if where is not None:
        raise PmfError(Problem("This is not a workspace.", file=where.name, fix="pmf new DIR"))
    return Workspace.find()


def _version(wanted: bool) -> None:
    if wanted:
        print(f"pmf {__version__}")
        raise typer.Exit


@app.callback()
def _options(
    version: Annotated[
        bool, typer.Option("--version", callback=_version, is_eager=True, help="Print the version.")
    ] = False,
) -> None:
    pass


@app.command()
def new(
    folder: Annotated[Path, typer.Argument(metavar="DIR", help="A new or empty folder.")],
) -> None:
    """Make a council's own workspace: parameters, notebooks, store and outputs."""
    from pmf_analysis.batch.workspaces import new_workspace

    for name in new_workspace(folder):
        print(f"{folder.name}/{name}")
    print(f"Next: cd {folder.name}, then pmf demo and pmf run.")


@app.command()
def demo(workspace: Where = None) -> None:
    """Make Westshire, the fictional council, and import its files, unless it is there."""
    from pmf_analysis.systems.demo import make_demo

    made = make_demo(_workspace(workspace))
    print("Westshire, the fictional council, is made." if made else "The store holds data already.")


@app.command(name="import")
def import_(
    files: Annotated[list[Path] | None, typer.Argument(metavar="FILE...")] = None,
    as_at: Annotated[
        str, typer.Option("--as-at", metavar="DATE", help="When this was known; else today.")
    ] = "",
    withdraw: Annotated[
        str, typer.Option("--withdraw", metavar="VINTAGE", help="Take back a wrong import.")
    ] = "",
    reason: Annotated[str, typer.Option("--reason", help="Why it is taken back.")] = "",
    workspace: Where = None,
    as_json: AsJson = False,
) -> int:
    """Read files or folders through their mappings into the store."""
    place = _workspace(workspace)
    if withdraw:
        from pmf_analysis.data.store import Store

        Store(place.store).withdraw(withdraw, reason)
        print(f"Withdrawn: {withdraw}.")
        return 0
    if not files:
        raise PmfError("Name at least one file or folder to import.")
    day = _day(as_at) if as_at else date.today()
    from pmf_analysis.systems.importing import import_files

    outcome = import_files(place, files, day)
    _complain(outcome.problems)
    _print_import(outcome, as_json)
    if outcome.vintage is None:
        return EXIT_DATA_UNUSABLE
    return int(outcome.problems.has_errors)


def _day(text: str) -> date:
    try:
        return date.fromisoformat(text)
    except ValueError:
        raise PmfError(f'"{text}" is not a date such as 2026-10-31.') from None


def _print_import(outcome: ImportOutcome, as_json: bool) -> None:
    records = [result.record for result in outcome.results]
    name = outcome.vintage.id if outcome.vintage else None
    if as_json:
        rows = outcome.problems.rows()
        _print_json({"vintage": name, "files": [*map(asdict, records)], "problems": rows})
        return
    for file in records:
        print(
            f"{file.name}: {file.rows_read} rows read = {file.rows_accepted} accepted"
            f" + {file.rows_quarantined} quarantined + {file.rows_ignored} ignored"
        )
    print(f"Vintage {name}" if name else "Nothing was imported.")


@app.command()
def look(
    file: Annotated[Path, typer.Argument(metavar="FILE")],
    as_json: AsJson = False,
) -> int:
    """Say what a spreadsheet holds: sheets, headers, periods, and what is wrong with it."""
    from pmf_analysis.systems.looking import look as look_at

    seen = look_at(file)
    if as_json:
        _print_json(asdict(seen))
    else:
        print("\n".join(seen.lines()))
    return 0 if seen.tables else EXIT_DATA_UNUSABLE


@app.command()
def check(
    run_file: RunFile = "",
    accept: Annotated[
        bool, typer.Option("--accept", help="Let the council's own notebooks run.")
    ] = False,
    workspace: Where = None,
    as_json: AsJson = False,
) -> None:
    """Check everything that can be checked before a notebook runs."""
    from pmf_analysis.batch.plan import check_data, make_plan
    from pmf_analysis.batch.workspaces import accept_notebooks

    place = _workspace(workspace)
    if accept:
        names = ", ".join(accept_notebooks(place, run_file))
        print(f"Accepted: {names or 'nothing; all notebooks came with pmf'}.", file=sys.stderr)
    planned = make_plan(place, run_file)
    check_data(planned)
    warnings = planned.parameters.problems
    _complain(warnings)
    if as_json:
        _print_json({"problems": warnings.rows(), "reports": len(planned.jobs), "exit_code": 0})
    else:
        print(f"No errors: {len(planned.jobs)} reports can be made from {planned.run_file}.")


@app.command()
def plan(
    run_file: RunFile = "",
    theme: Themes = None,
    analysis: Analyses = None,
    workspace: Where = None,
    as_json: AsJson = False,
) -> None:
    """List the reports of a run and the indicators in each; nothing is made."""
    from pmf_analysis.batch.plan import make_plan

    planned = make_plan(_workspace(workspace), run_file, themes=theme, analyses=analysis)
    listed = [
        {"report": job.id, "peer_set": job.peer_set, "indicators": planned.indicators(job.theme)}
        for job in planned.jobs
    ]
    if as_json:
        _print_json(listed)
        return
    for row in listed:
        print(f"{row['report']}: {', '.join(row['indicators']) or 'no indicators'}")
    print(f"{len(listed)} reports for {planned.spec.council}, {planned.period.label}")


@app.command()
def run(
    run_file: RunFile = "",
    theme: Themes = None,
    analysis: Analyses = None,
    jobs: Annotated[int, typer.Option("--jobs", min=1, help="Notebooks at a time.")] = 2,
    timeout: Annotated[int, typer.Option("--timeout", min=1, help="Seconds a notebook.")] = 600,
    fail_fast: Annotated[
        bool, typer.Option("--fail-fast", help="Stop at the first failure.")
    ] = False,
    resume: Annotated[str, typer.Option("--resume", metavar="RUN", help="Finish this run.")] = "",
    workspace: Where = None,
    as_json: AsJson = False,
) -> int:
    """Make the reports: run the notebooks, render them, write an index."""
    from pmf_analysis.batch.plan import make_plan, plan_to_resume
    from pmf_analysis.batch.running import Options
    from pmf_analysis.batch.running import run as run_plan
    from pmf_analysis.batch.summary import progress

    place = _workspace(workspace)
    if resume:
        planned = plan_to_resume(place, resume)
    else:
        planned = make_plan(place, run_file, themes=theme, analyses=analysis)
    options = Options(jobs, timeout, fail_fast, resume)
    with progress(sys.stderr if as_json else sys.stdout, len(planned.jobs)) as on_job:
        result = run_plan(planned, options, now=datetime.now(UTC), on_job=on_job)
    _print_result(result, place, as_json)
    return result.exit_code


def _print_result(result: RunResult, workspace: Workspace, as_json: bool) -> None:
    from pmf_analysis.batch.summary import result_json, result_lines

    if as_json:
        _print_json(result_json(result, workspace.root))
    else:
        print("\n".join(result_lines(result)))


@app.command()
def render(run: RunId = "", workspace: Where = None, as_json: AsJson = False) -> int:
    """Make the pages of a run again from its executed notebooks."""
    from pmf_analysis.batch.pages import render_again
    from pmf_analysis.batch.running import result_of

    place = _workspace(workspace)
    result = result_of(place, run)
    render_again(result.folder, result.manifest)
    _print_result(result, place, as_json)
    return result.exit_code


@app.command()
def show(run: RunId = "", workspace: Where = None, as_json: AsJson = False) -> None:
    """Say what became of a run and where its reports are."""
    from pmf_analysis.batch.running import result_of

    place = _workspace(workspace)
    _print_result(result_of(place, run), place, as_json)


@app.command()
def lab(
    workspace: Where = None,
    no_start: Annotated[bool, typer.Option("--no-start", help="Only trust, do not open.")] = False,
) -> int:
    """Trust the notebooks that runs made, and open JupyterLab on the workspace."""
    from pmf_analysis.batch.workspaces import start_lab, trust_notebooks

    place = _workspace(workspace)
    print(f"{trust_notebooks(place)} executed notebooks are trusted.", flush=True)
    return 0 if no_start else start_lab(place)


if __name__ == "__main__":
    sys.exit(main())
