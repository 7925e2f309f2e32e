"""The commands by which figures come in: thin, like those of :mod:`pmf_analysis.cli`."""

from dataclasses import asdict
from datetime import date
from pathlib import Path
from typing import Annotated

from typer import Argument, Option, Typer

from pmf_analysis import console
from pmf_analysis.problems import EXIT_DATA_UNUSABLE, PmfError, Problem

_REGISTER = "What stands behind the register: national frameworks of measures."
register = Typer(name="register", help=_REGISTER, no_args_is_help=True)


def import_(
    files: console.Files = None,
    as_at: Annotated[str, Option(metavar="DATE", help="When this was known; else today.")] = "",
    mapping: Annotated[str, Option("--as", metavar="MAPPING", help="Read them through this.")] = "",
    withdraw: Annotated[str, Option(metavar="VINTAGE", help="Take back a wrong import.")] = "",
    reason: Annotated[str, Option(help="Why it is taken back.")] = "",
    again: Annotated[bool, Option("--again", help="Let withdrawn data count again.")] = False,
    *,
    workspace: console.Where,
    as_json: console.AsJson = False,
) -> int:
    """Read files or folders through their mappings into the store."""
    from pmf_analysis.data.store import Store

    place = console.opened(workspace)
    store = Store(place.store)  # a lake that is down is told of before anything is read
    if withdraw:
        from pmf_analysis.systems.lake import write_tables

        store.withdraw(withdraw, reason)
        write_tables(place)
        print(f"Withdrawn: {withdraw}.")
        return 0
    if not (files or mapping):
        raise PmfError(Problem.of("nothing-to-import"))
    day = _day(as_at)
    from pmf_analysis.systems.importing import import_files

    outcome = import_files(place, files or (), day, mapping or None, again=again)
    console.complain(outcome.problems)
    records = [result.record for result in outcome.results]
    vintage = outcome.vintage.id if outcome.vintage else None
    found = {"vintage": vintage, "files": [*map(asdict, records)], "marked": outcome.marked}
    lines = [f"{result.name}: {result.in_words()}" for result in outcome.results]
    lines += [f"Marked copy: {place}" for place in outcome.marked]
    last = f"Vintage {vintage}" if vintage else "Nothing was imported."
    console.say(as_json, found | {"problems": outcome.problems.rows()}, [*lines, last])
    return int(outcome.problems.has_errors) if vintage else EXIT_DATA_UNUSABLE


def _day(typed: str) -> date:
    try:
        return date.fromisoformat(typed) if typed else date.today()
    except ValueError:
        raise PmfError(f'"{typed}" is not a date such as 2026-10-31.') from None


def collect(
    period: Annotated[str, Option(metavar="LABEL", help="Else the quarter that ended last.")] = "",
    to: Annotated[Path | None, Option(metavar="FILE", help="Where to write the workbook.")] = None,
    status: Annotated[bool, Option("--status", help="Say who has not sent what.")] = False,
    as_at: Annotated[str, Option(metavar="DATE", help="As known on this day; else today.")] = "",
    *,
    workspace: console.Where,
    as_json: console.AsJson = False,
) -> None:
    """Make the workbook in which owners send their figures, or say what is still to come."""
    from pmf_analysis.systems import collect as book

    opened, day = console.opened(workspace), _day(as_at)
    council, chosen, rows = book.asked(opened, period, day)
    if status:
        console.say(as_json, *book.standing(chosen, rows, day))
        return
    path = to or Path(book.BOOK["file"].format(period=chosen.label))
    if path.exists():
        raise PmfError(Problem.of("file-there-already", file=path.name))
    path.write_bytes(book.make_book(council, chosen, rows))
    owners = len({row["owner"] for row in rows})
    found = {"file": path.name, "figures": len(rows), "owners": owners}
    console.say(as_json, found, [f"{path.name}: {len(rows)} figures of {owners} owners"])


def look(
    file: Annotated[str, Argument(metavar="FILE")],
    page: Annotated[Path | None, Option(metavar="FILE", help="Where to write the page.")] = None,
    no_page: Annotated[bool, Option("--no-page", help="Only say what is in it.")] = False,
    as_json: console.AsJson = False,
) -> int:
    """Say what any spreadsheet holds and what is wrong with it; a page says what it is worth."""
    from pmf_analysis.systems.looking import look as look_at

    seen = look_at(file)
    lines, found = seen.lines(), asdict(seen)
    if seen.tables and not no_page:
        from pmf_analysis.batch.first_look import first_look

        place = page or Path(f"{Path(file).stem} - first look.html")
        place.write_text(first_look(Path(file), seen, date.today()), encoding="utf-8")
        lines, found = [*lines, f"Is each change real? See {place}"], found | {"page": str(place)}
    console.say(as_json, found, lines)
    return 0 if seen.tables else EXIT_DATA_UNUSABLE


@register.command()
def frameworks(
    name: Annotated[str, Argument(metavar="[NAME]", help="One framework, metric by metric.")] = "",
    *,
    workspace: console.Where,
    as_json: console.AsJson = False,
) -> None:
    """List national frameworks, and which of their metrics have an indicator in the register."""
    from pmf_analysis.systems.frameworks import coverage_of

    rows, lines = coverage_of(console.opened(workspace), name)
    console.say(as_json, rows, lines)


@register.command()
def framework(
    file: Annotated[Path, Argument(metavar="FILE", help="A saved page or CSV.")],
    *,
    workspace: console.Where,
) -> None:
    """Read a framework from its saved catalogue page, or from a CSV of metadata."""
    from pmf_analysis.systems.frameworks import import_framework

    made, problems = import_framework(file, console.opened(workspace), date.today())
    console.complain(problems)
    print(f"{made.name}: {len(made.metrics)} metrics, in parameters/frameworks")


@register.command()
def draft(
    files: Annotated[list[Path], Argument(metavar="FILE...", help="Spreadsheets with figures.")],
    to: Annotated[Path | None, Option(metavar="FILE", help="Where to; else the register.")] = None,
    *,
    workspace: console.Where,
    as_json: console.AsJson = False,
) -> None:
    """Draft the register from spreadsheets; every guess is marked, and what is there stays."""
    from pmf_analysis.systems.drafting import draft_into

    added, lines = draft_into(console.opened(workspace), files, to, date.today())
    console.say(as_json, {"added": added, "next": lines[-1]}, lines)


@register.command()
def catalogue(
    words: Annotated[list[str] | None, Argument(help="Only those with these words.")] = None,
    as_json: console.AsJson = False,
) -> None:
    """List common council indicators, with what is usual for each and its usual trap."""
    from pmf_analysis.systems.drafting import search_catalogue

    found = search_catalogue(words or ())
    console.say(
        as_json, found, [f"{each['title']}: {each['usual']}. {each['trap']}" for each in found]
    )


@register.command(name="check")
def check_register(
    ref: Annotated[str, Option(help="Only of this framework or statutory return.")] = "",
    *,
    workspace: console.Where,
    as_json: console.AsJson = False,
) -> None:
    """Say of which indicators the single list lacks type, frequency, benchmark, lead or source."""
    rows = console.opened(workspace).load().register.single_list(ref)
    lines = [f"{row['id']}: {row['lacks']}" for row in rows if row["lacks"]]
    whole = len(rows) - len(lines)
    console.say(
        as_json, rows, [*lines, f"{len(rows)} indicators: {whole} are complete and confirmed."]
    )


maps = Typer(help="Mapping files: propose one for a file, or check them.", no_args_is_help=True)


@maps.command()
def suggest(
    file: Annotated[str, Argument(metavar="FILE")],
    write: Annotated[bool, Option("--write", help="Save it in parameters/mappings.")] = False,
    *,
    workspace: console.Where,
) -> None:
    """Propose a mapping file for a spreadsheet, with comments."""
    from pmf_analysis.systems.suggesting import propose

    mappings = console.opened(workspace).parameters / "mappings"
    name, text = propose(file, mappings, write=write)
    said = f'Written: parameters/mappings/{name}.yml. Next: pmf map check {name} "{file}"'
    print(said if write else text)


@maps.command()
def check(
    name: Annotated[str, Argument(metavar="[NAME]", help="A mapping; else each by its file.")] = "",
    files: Annotated[list[str] | None, Argument(metavar="[FILE...]", help="Files to try.")] = None,
    *,
    workspace: console.Where,
    as_json: console.AsJson = False,
) -> int:
    """Name the faults of mapping files; or read files through one, and store nothing."""
    from pmf_analysis.systems import importing, mapping

    opened = console.opened(workspace)
    known = mapping.load_mappings(opened.parameters / "mappings")
    if name:
        known = {name: mapping.choose_mapping("", known, name)}
    if not files:
        lines = [f"{one.name}: version {one.version}, makes {one.table}" for one in known.values()]
        console.say(as_json, [*known], [*lines, "No faults."])
        return 0
    trials = [importing.try_mapping(opened, file, date.today(), name) for file in files]
    console.complain(problem for trial in trials for problem in trial.result.problems)
    told = [asdict(trial.result.record) | {"headers": trial.drift} for trial in trials]
    console.say(as_json, told, [line for trial in trials for line in trial.lines()])
    return int(any(trial.result.problems.has_errors for trial in trials))
