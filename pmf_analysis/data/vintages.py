"""What a vintage is, and the fingerprints that tell whether anything changed."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import pandas as pd

SCHEMA_VERSION = 1


@dataclass(frozen=True, slots=True)
class FileRecord:
    """One file of an import; rows_read = rows_accepted + rows_quarantined + rows_ignored."""

    name: str
    sha256: str
    mapping: str = ""
    rows_read: int = 0
    rows_accepted: int = 0
    rows_quarantined: int = 0
    rows_ignored: int = 0
    ignored_because: Mapping[str, int] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Vintage:
    """One import. ``sequence`` orders vintages of the same day; no clock is involved."""

    id: str
    as_at: date
    hash: str
    sequence: int
    files: tuple[FileRecord, ...]
    rows: Mapping[str, int]
    series: Mapping[str, str]
    tables: Mapping[str, str]
    withdrawn: str = ""

    @classmethod
    def of(
        cls,
        tables: Mapping[str, pd.DataFrame],
        as_at: date,
        sequence: int,
        files: Iterable[FileRecord],
        quarantine: pd.DataFrame | None,
    ) -> Vintage:
        """Describe an import; its hash is that of the rows accepted and held back."""
        # Of a table's rows, whatever their order.
        ordered = {name: _row_hashes(frame).sort_values() for name, frame in tables.items()}
        digests = {name: _sha256(rows.to_numpy().tobytes()) for name, rows in ordered.items()}
        held_back = "" if quarantine is None else quarantine.to_csv(index=False)
        content = _sha256(json.dumps(digests, sort_keys=True) + held_back)
        return cls(
            id=f"{as_at.isoformat()}_{content[:12]}",
            as_at=as_at,
            hash=content,
            sequence=sequence,
            files=tuple(files),
            rows={name: len(frame) for name, frame in tables.items()},
            series=_series_digests(tables["observations"]) if "observations" in tables else {},
            tables=digests,
        )


@dataclass(frozen=True, slots=True)
class Digest:
    """Fingerprint of what is known: one a series of observations, and one of everything."""

    series: Mapping[str, str]
    overall: str

    @classmethod
    def of(cls, vintages: Sequence[Vintage]) -> Digest:
        """Chain the fingerprints of vintages, oldest first; one that repeats the last is none."""
        series = _chains(vintage.series for vintage in vintages)
        tables = _chains(vintage.tables for vintage in vintages)
        return cls(
            {name: _sha256(" ".join(chain)) for name, chain in sorted(series.items())},
            _sha256(json.dumps(tables, sort_keys=True)),
        )


def _chains(digests: Iterable[Mapping[str, str]]) -> dict[str, list[str]]:
    chains: dict[str, list[str]] = {}
    for name, digest in (pair for told in digests for pair in told.items()):
        chain = chains.setdefault(name, [])
        if chain[-1:] != [digest]:
            chain.append(digest)
    return chains


def _row_hashes(frame: pd.DataFrame) -> pd.Series[int]:
    """Return a number a row; not from where the row stood, which changes as files grow."""
    import pandas as pd

    from pmf_analysis.data.contract import SOURCE_COLUMNS

    return pd.util.hash_pandas_object(frame.drop(columns=list(SOURCE_COLUMNS)), index=False)


def _series_digests(observations: pd.DataFrame) -> dict[str, str]:
    """Return a digest a series; the order of its rows in the file does not matter."""
    from pmf_analysis.data.contract import series_key

    hashes = _row_hashes(observations).to_frame("row").assign(series=series_key(observations))
    ordered = hashes.sort_values(["series", "row"])
    rows = ordered["row"].to_numpy()
    return {
        str(series): _sha256(rows[positions].tobytes())[:16]
        for series, positions in ordered.groupby("series", sort=True).indices.items()
    }


def _sha256(content: str | bytes) -> str:
    told = content.encode("utf-8") if isinstance(content, str) else content
    return hashlib.sha256(told).hexdigest()
