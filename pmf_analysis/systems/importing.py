"""Files into the store: read, mapped, judged, and every row of them accounted for."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date
from pathlib import Path
from typing import TYPE_CHECKING

import pandas as pd

from pmf_analysis.data.contract import TABLES, conform
from pmf_analysis.data.store import FileRecord, Store, Vintage
from pmf_analysis.problems import PmfError, Problem, Problems
from pmf_analysis.systems.context import Context
from pmf_analysis.systems.faults import QUARANTINE_COLUMNS, quarantine_problems
from pmf_analysis.systems.folder import drop_files, read_file
from pmf_analysis.systems.mapping import MappingFile, choose_mapping, load_mappings
from pmf_analysis.systems.repeats import ImportResult, conserved, settle_repeats
from pmf_analysis.systems.rules import judge
from pmf_analysis.systems.tabular import cut_into_records

if TYPE_CHECKING:
    from pmf_analysis.parameters.workspace import Parameters, Workspace


@dataclass(frozen=True)
class ImportOutcome:
    """One import: the vintage it made (None when nothing was accepted), and all that was wrong."""

    vintage: Vintage | None
    results: tuple[ImportResult, ...]
    problems: Problems


def import_files(
    workspace: Workspace, paths: Iterable[Path], as_at: date, mapping: str | None = None
) -> ImportOutcome:
    """Import files, and the files of folders, as one vintage of a workspace's store.

    Parameters
    ----------
    paths
        Files and drop folders.
    as_at
        Day on which the files were what was known.
    mapping
        Name of the mapping to use; by default each file's is found by its name.

    Raises
    ------
    PmfError
        Exit 2, when the parameters or mapping files have faults. A file that cannot be used is a
        problem of the outcome, and the others are still imported.
    """
    parameters = workspace.load()
    mappings = load_mappings(workspace.parameters / "mappings")
    problems = Problems()
    results = []
    for path in _expanded(paths, problems):
        try:
            chosen = choose_mapping(path.name, mappings, mapping)
            context = context_of(parameters, as_at)
            results.append(_read_and_judge(path, chosen, context))
        except PmfError as error:
            problems.extend(error.problems)
    results = [_without_labels(result) for result in settle_repeats(results)]
    for result in results:
        problems.extend(result.problems)
    tables = _gathered(results)
    if not tables:
        return ImportOutcome(None, tuple(results), problems)
    store = Store(workspace.store)
    problems.extend(_overwritten_targets(store, tables, as_at))
    quarantine = pd.concat([_no_quarantine(), *(result.quarantine for result in results)])
    vintage = store.add(
        tables,
        as_at=as_at,
        files=[result.record for result in results],
        problems=problems,
        quarantine=quarantine,
    )
    return ImportOutcome(vintage, tuple(results), problems)


def import_file(
    path: Path, mapping: MappingFile, *, parameters: Parameters, as_at: date
) -> ImportResult:
    """Read one file through a mapping, without storing it.

    Raises
    ------
    PmfError
        Exit 3, when the file cannot be read at all.
    """
    result = _read_and_judge(path, mapping, context_of(parameters, as_at))
    return _without_labels(settle_repeats([result])[0])


def context_of(parameters: Parameters, as_at: date) -> Context:
    """Gather what the rules ask of the parameters."""
    council = parameters.framework.council
    return Context.of(parameters.register.indicators, council.area_code, council.name, as_at)


def _expanded(paths: Iterable[Path], problems: Problems) -> list[Path]:
    files: list[Path] = []
    for path in paths:
        if path.is_dir():
            found, skipped = drop_files(path)
            problems.extend(skipped)
            files.extend(found)
        else:
            files.append(path)
    return files


def _read_and_judge(path: Path, mapping: MappingFile, context: Context) -> ImportResult:
    raw = read_file(path)
    reading = cut_into_records(raw, mapping, frozenset(context.ids))
    problems = Problems([*raw.problems, *reading.problems])
    ignored = reading.ignored
    accepted: dict[str, list[pd.DataFrame]] = {}
    lines = [_refused_lines(mapping.table, problem, rows) for problem, rows in reading.refused]
    problems.extend(
        replace(problem, message=f"{problem.message} None of its {len(rows):,} rows were read.")
        for problem, rows in reading.refused
    )
    quarantined = sum(len(rows) for _, rows in reading.refused)
    for records in reading.records:
        judged = judge(records, raw.name, mapping, context)
        accepted.setdefault(records.table, []).append(judged.accepted)
        ignored += judged.ignored
        quarantined += int(judged.faults.bad.sum())
        quarantine = judged.faults.quarantine()
        lines.append(quarantine)
        problems.extend([*judged.faults.notes, *quarantine_problems(quarantine)])
    tables = {name: pd.concat(parts, ignore_index=True) for name, parts in accepted.items()}
    record = FileRecord(
        name=raw.name,
        sha256=raw.sha256,
        mapping=mapping.name,
        rows_read=reading.read,
        rows_accepted=sum(map(len, tables.values())),
        rows_quarantined=quarantined,
        rows_ignored=ignored.total(),
        ignored_because={reason: count for reason, count in sorted(ignored.items()) if count},
    )
    held = pd.concat([_no_quarantine(), *lines], ignore_index=True)
    return ImportResult(tables, conserved(record), problems, held)


def _no_quarantine() -> pd.DataFrame:
    return pd.DataFrame(columns=list(QUARANTINE_COLUMNS), dtype="object")


def _refused_lines(table: str, problem: Problem, rows: Sequence[int]) -> pd.DataFrame:
    """Return a quarantine line for each row of a table whose columns are wrong."""
    lines = pd.DataFrame({"row": rows}).assign(table=table, value="", cells="")
    for name in ("file", "sheet", "column", "message", "expected", "fix", "code"):
        lines[name] = getattr(problem, name)
    return lines[list(QUARANTINE_COLUMNS)]


def _without_labels(result: ImportResult) -> ImportResult:
    tables = {name: conform(frame, name) for name, frame in result.tables.items()}
    return replace(result, tables=tables)


def _gathered(results: Sequence[ImportResult]) -> dict[str, pd.DataFrame]:
    """Return the accepted rows of all files by table; tables without a row are left out."""
    found = {
        table: [result.tables[table] for result in results if len(result.tables.get(table, ()))]
        for table in TABLES
    }
    return {name: pd.concat(parts, ignore_index=True) for name, parts in found.items() if parts}


def _overwritten_targets(
    store: Store, tables: Mapping[str, pd.DataFrame], as_at: date
) -> list[Problem]:
    """Warn of targets whose value changed under the same name; both stay in the store."""
    if "targets" not in tables:
        return []
    before = store.as_known_on(as_at)["targets"].set_index("target_id")["target"]
    known = tables["targets"][tables["targets"]["target_id"].isin(before.index)]
    old = known["target_id"].map(before)
    changed = known[(old != known["target"]) & old.notna()]
    return [
        Problem(
            f"the target {row['target_id']} was {before[row['target_id']]:g} and is now "
            f"{row['target']:g}; a changed target should be a new one that supersedes the old.",
            level="warning",
            code="target-overwritten",
            file=row["source_file"],
            sheet=row["source_sheet"],
            row=int(row["source_row"]),
        )
        for row in changed.to_dict("records")
    ]
