"""What a vintage is, and the fingerprints that tell whether anything changed."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
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


@dataclass(frozen=True, slots=True)
class Digest:
    """Fingerprint of what is known: one a series of observations, and one of everything."""

    series: Mapping[str, str]
    overall: str


def _row_hashes(frame: pd.DataFrame) -> pd.Series[int]:
    """Return a number a row; not from where the row stood, which changes as files grow."""
    import pandas as pd

    from pmf_analysis.data.contract import SOURCE_COLUMNS

    return pd.util.hash_pandas_object(frame.drop(columns=list(SOURCE_COLUMNS)), index=False)


def table_digest(frame: pd.DataFrame) -> str:
    """Return a digest of a table's rows, whatever their order."""
    return hashlib.sha256(_row_hashes(frame).sort_values().to_numpy().tobytes()).hexdigest()


def series_digests(observations: pd.DataFrame | None) -> dict[str, str]:
    """Return a digest a series; the order of its rows in the file does not matter."""
    import pandas as pd

    from pmf_analysis.data.contract import series_key

    if observations is None:
        return {}
    hashes = pd.DataFrame({"series": series_key(observations), "row": _row_hashes(observations)})
    ordered = hashes.sort_values(["series", "row"])
    rows = ordered["row"].to_numpy()
    return {
        str(series): hashlib.sha256(rows[positions].tobytes()).hexdigest()[:16]
        for series, positions in ordered.groupby("series", sort=True).indices.items()
    }


def extend_changed(chains: dict[str, list[str]], digests: Mapping[str, str]) -> None:
    """Append each digest to the chain of its name, unless it only repeats the last."""
    for name, digest in digests.items():
        chain = chains.setdefault(name, [])
        if not chain or chain[-1] != digest:
            chain.append(digest)


def sha256_of(text: str) -> str:
    """Return the SHA-256 of a text, in hexadecimal."""
    return hashlib.sha256(text.encode("utf-8")).hexdigest()
