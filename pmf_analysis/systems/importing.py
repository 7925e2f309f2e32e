"""Files into the store: read, mapped, judged, and every row of them accounted for.

Or only tried: what a mapping reads of a file, and which headers differ, before it is imported.
"""

from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import Any

import pandas as pd

from pmf_analysis.data.contract import SOURCE_COLUMNS, TABLES, empty_table
from pmf_analysis.data.store import Store, Vintage
from pmf_analysis.parameters.workspace import Workspace
from pmf_analysis.problems import PmfError, Problem, Problems
from pmf_analysis.systems import collect, folder, history_rules, lake, marked, repeats, rules
from pmf_analysis.systems.blocks import find_blocks
from pmf_analysis.systems.mapping import MappingFile, choose_mapping, load_mappings
from pmf_analysis.systems.patterns import fits
from pmf_analysis.systems.results import ImportResult, first_of, unstored
from pmf_analysis.systems.sources import read_source
from pmf_analysis.systems.tabular import cut_into_records


@dataclass(frozen=True)
class ImportOutcome:
    """One import: the vintage it made (None when nothing was accepted), and all that was wrong.

    ``marked`` says where the Excel copies are in which faulty cells are marked.
    """

    vintage: Vintage | None
    results: tuple[ImportResult, ...]
    problems: Problems
    marked: list[str]


def import_files(
    workspace: Workspace,
    paths: Sequence[Path | str],
    as_at: date,
    mapping: str | None = None,
    *,
    again: bool = False,
) -> ImportOutcome:
    """Import files, and the files of folders, as one vintage of a workspace's store.

    Parameters
    ----------
    paths
        Files, drop folders and addresses such as ``az://container/kpis``; without any, the
        mapping's own source is read.
    as_at
        Day on which the files were what was known.
    mapping
        Name of the mapping to use; by default each file's is found by its name.
    again
        Whether data that were withdrawn may count again.

    Raises
    ------
    PmfError
        Exit 2, when the parameters or mapping files have faults. A file that cannot be used is a
        problem of the outcome, and the others are still imported.
    """
    mappings = load_mappings(workspace.parameters / "mappings")
    store = Store(workspace.store)
    context = rules.Context.of(workspace.load(), as_at, store)
    problems, judged = Problems(), list[tuple[folder.RawFile, ImportResult]]()
    if paths:
        files = _files_of(paths, problems)
    else:
        files = iter(read_source(workspace, choose_mapping("", mappings, mapping), as_at))
    for raw in files:
        try:
            chosen = choose_mapping(raw.name, mappings, mapping)
            judged.append((raw, judge_file(raw, chosen, context)))
        except PmfError as error:
            problems.extend(error.problems)
    results = [result for _, result in judged]
    known = _judge_together(results, store, context, problems)
    tables = {name: rows for name in TABLES if len(rows := repeats.stacked(results, name))}
    if not tables:
        kept = marked.keep_marked(judged, workspace.outputs / "marked")
        return ImportOutcome(None, tuple(results), unstored(problems), kept)
    problems.extend(_overwritten_targets(known, tables.get("targets", known)))
    records, held = [r.record for r in results], pd.concat([r.quarantine for r in results])
    kept_with: Any = {"problems": problems, "quarantine": held, "again": again}
    vintage = store.add(tables, as_at=as_at, files=records, **kept_with)
    kept = marked.keep_marked(judged, f"{workspace.store}/vintages/{vintage.id}/marked")
    lake.keep_zones(workspace, vintage, judged)
    lake.write_tables(workspace)
    return ImportOutcome(vintage, tuple(results), problems, kept)


def _judge_together(
    results: list[ImportResult], store: Store, context: rules.Context, problems: Problems
) -> pd.DataFrame:
    """Judge files beside each other and what the store holds; returns the targets known before."""
    seen = {file.sha256: one.id for one in store.vintages() for file in one.files}
    for result in results:
        if result.sha256 in seen:
            problems.tell("imported-before", file=result.name, vintage=seen[result.sha256])
    known = empty_table("targets")
    if any("targets" in result.tables for result in results):
        known = store.as_known_on(context.as_at, "targets")["targets"]
    repeats.settle_repeats(results, known)
    history_rules.note_history(results, store, context)
    repeats.drop_labels(results)
    problems.extend(problem for result in results for problem in result.problems)
    return known


def _files_of(paths: Sequence[Path | str], problems: Problems) -> Iterator[folder.RawFile]:
    """Yield the files at some places that can be read; `problems` says why others cannot."""
    for path in paths:
        found, skipped = folder.drop_files(path)
        problems.extend(skipped)
        for file in found:
            try:
                yield folder.read_file(file)
            except PmfError as error:
                problems.extend(error.problems)


def judge_file(raw: folder.RawFile, mapping: MappingFile, context: rules.Context) -> ImportResult:
    """Cut one file into records through a mapping and judge them."""
    result = ImportResult(raw.name, raw.sha256, mapping.name, raw.problems)
    raw = collect.check_returned(raw, mapping, result) if mapping.sealed else raw
    kept: dict[str, list[pd.DataFrame]] = {}
    for records in cut_into_records(raw.sheets, mapping, frozenset(context.ids), result):
        kept.setdefault(records.table, []).append(rules.judge(records, mapping, context, result))
    result.tables = {name: pd.concat(parts, ignore_index=True) for name, parts in kept.items()}
    return result


def _overwritten_targets(before: pd.DataFrame, targets: pd.DataFrame) -> Iterator[Problem]:
    """Warn of targets whose value changed under the same name; both stay in the store."""
    old = targets["target_id"].map(before.set_index("target_id")["target"])
    changed = targets.assign(old=old)[old.notna() & (old != targets["target"])]
    for number, row in enumerate(changed.to_dict("records")):
        told = {"id": row["target_id"], "old": row["old"], "new": row["target"]}
        yield from first_of(changed[[*SOURCE_COLUMNS]].iloc[number:], "target-overwritten", **told)


@dataclass(frozen=True)
class Trial:
    """What a mapping made of a file; ``drift`` says how its headers differ from those it names."""

    mapping: MappingFile
    result: ImportResult
    drift: tuple[str, ...]

    def lines(self) -> Iterator[str]:
        """Yield the trial in plain words."""
        record = self.result.record
        yield f"{record.name}, read through {record.mapping} (version {self.mapping.version}):"
        yield f"  {self.result.in_words()}"
        yield from (f"  accepted: {len(rows)} {name}" for name, rows in self.result.tables.items())
        yield from (f"  ignored: {n} {why}" for why, n in record.ignored_because.items())
        yield from (f"  headers: {line}" for line in self.drift)
        yield "  Nothing was stored."


def try_mapping(workspace: Workspace, place: str, as_at: date, chosen: str | None = None) -> Trial:
    """Read a file through a mapping, chosen or found by its name; nothing is stored.

    Raises
    ------
    PmfError
        Exit 2: parameters or mappings have faults; exit 3: the file or its mapping is unusable.
    """
    mappings = load_mappings(workspace.parameters / "mappings")
    raw = folder.read_file(place)
    mapping = choose_mapping(raw.name, mappings, chosen)
    result = judge_file(raw, mapping, rules.Context.of(workspace.load(), as_at))
    repeats.settle_repeats([result], empty_table("targets"))
    return Trial(mapping, result, tuple(dict.fromkeys(drift(raw, mapping))))


def drift(raw: folder.RawFile, mapping: MappingFile) -> Iterator[str]:
    """Yield how a file's headers differ from the first names of the mapping's columns."""
    columns = mapping.columns | {ours: names[:1] for ours, names in mapping.join.items()}
    known = [name for names in (*columns.values(), *mapping.join.values()) for name in names]
    for block in (b for sheet in raw.sheets for b in find_blocks(sheet, mapping, Counter())):
        for ours, names in columns.items():
            found = [name for name in names if block.position(name) is not None]
            if not found:
                yield f'no "{names[0]}" ({ours})'
            elif found[0] != names[0]:
                yield f'"{found[0]}" in place of "{names[0]}"'
        unpivot = mapping.unpivot
        for text in block.headers.values():
            is_known = any(fits(name, text) for name in (*known, *mapping.ignore))
            if not (is_known or mapping.indicators or (unpivot and unpivot.read(text))):
                yield f'"{" ".join(text.split())}" is not known to the mapping'
