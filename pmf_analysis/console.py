"""What commands share: options and arguments, and how they speak."""

from __future__ import annotations

import json
import sys
import tempfile
import traceback
from collections.abc import Iterable
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

from typer import Argument, Option

from pmf_analysis.parameters.place import find_root, is_workspace
from pmf_analysis.problems import PmfError, Problem, without_secrets

if TYPE_CHECKING:
    from pmf_analysis.parameters.workspace import Workspace


def _root(typed: str) -> Path:
    # What was typed goes before PMF_WORKSPACE, which would else come first.
    if typed and not is_workspace(Path(typed)):
        raise PmfError(Problem.of("not-a-workspace", file=Path(typed).name))
    return Path(typed).resolve() if typed else find_root()


Names = list[str] | None
_FOUND: dict[str, Any] = {"parser": _root, "default_factory": str, "show_default": False}
_WHERE = "The workspace; else the one you are in."
Where = Annotated[Path, Option("--workspace", metavar="DIR", help=_WHERE, **_FOUND)]
AsJson = Annotated[bool, Option("--json", help="Print JSON, for other programs.")]
Files = Annotated[list[str] | None, Argument(metavar="FILE...", help="Files, folders, addresses.")]
RunFile = Annotated[str, Argument(metavar="[RUNFILE]", help="A file in parameters/runs.")]
RunId = Annotated[str, Argument(metavar="[RUN]", help="A run's id; else the newest.")]
Accept = Annotated[bool, Option("--accept", help="Let the council's own notebooks run.")]
Themes = Annotated[Names, Option("--theme", help="Only this theme; may be repeated.")]
Analyses = Annotated[Names, Option("--analysis", help="Only this analysis; may be repeated.")]
_FORMATS = "pdf, word, workbook, charts, slides; powerbi, pentana, tables. May be repeated."
Formats = Annotated[Names, Option("--to", metavar="FORMAT", help=_FORMATS)]
Version = Annotated[bool, Option("--version", help="Print the version.")]
NoStart = Annotated[bool, Option("--no-start", help="Only trust, do not open.")]


def opened(root: Path) -> Workspace:
    """Return the workspace at a root."""
    from pmf_analysis.parameters.workspace import Workspace

    return Workspace(root)


def unexpected(error: Exception) -> int:
    """Say that something failed which nobody foresaw; the traceback goes into a file."""
    details = Path(tempfile.mkdtemp(prefix="pmf-error-")) / "details.txt"
    text = without_secrets("".join(traceback.format_exception(error)))
    details.write_text(text, encoding="utf-8")
    said = [*without_secrets(str(error)).splitlines(), "no further words"][0]
    what = f"{type(error).__name__}: {said}"
    where = f"(details for whoever looks after pmf: {details})"
    print(f"pmf: something unexpected went wrong: {what} {where}", file=sys.stderr)
    return 1


def complain(problems: Iterable[Problem]) -> None:
    """Print problems on the error stream, a line each."""
    for problem in problems:
        mark = "" if problem.level == "error" else f"{problem.level}: "
        print(f"{mark}{problem.line()}", file=sys.stderr)


def say(as_json: bool, value: Any, lines: Iterable[str] = ()) -> None:
    """Print what a command found: a value for other programs, or lines for people."""
    as_text = json.dumps(value, indent=1, ensure_ascii=False, default=str) if as_json else ""
    print(as_text or "\n".join(lines))
