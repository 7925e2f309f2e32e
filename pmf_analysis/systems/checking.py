"""A mapping tried on a file, before anything is imported: what it reads, which headers differ."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date

from pmf_analysis.data.contract import empty_table
from pmf_analysis.parameters.workspace import Workspace
from pmf_analysis.systems import folder, importing, repeats, rules
from pmf_analysis.systems.blocks import find_blocks
from pmf_analysis.systems.mapping import MappingFile, choose_mapping, load_mappings
from pmf_analysis.systems.patterns import fits
from pmf_analysis.systems.results import ImportResult


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
    result = importing.judge_file(raw, mapping, rules.Context.of(workspace.load(), as_at))
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
