"""Chances as they were published, kept unchanged until what they were about is known.

A seal is one Parquet file, written once. Its name holds the as-at date of the run and a hash of
its rows, so that a row changed afterwards is found out. Questions put to the past by
`pmf backtest` are kept beside the seals.
"""

import hashlib
import io
import json
import re
from collections.abc import Sequence
from datetime import date
from pathlib import Path
from typing import Any

import pandas as pd

from pmf_analysis.places import opened, write_whole
from pmf_analysis.problems import Problems
from pmf_analysis.shipped import read_shipped

SEALED: dict[str, str] = read_shipped("data/seals.yml")["sealed"]
DAYS = ["first", "period", "period_end"]
LATE = "Sealed after its period had ended, so it is not counted."
_NAMED = re.compile(r"\d{4}-\d\d-\d\d_[0-9a-f]{12}\.parquet")


def seal(
    root: Path | str,
    targets: pd.DataFrame,
    *,
    council: str,
    period: str,
    as_at: date,
    sealed_on: date,
) -> Path | None:
    """Keep every chance of a run's result table `targets`; the same ones twice are kept once.

    Parameters
    ----------
    root
        The store of the workspace.
    targets
        The result table with better, decimals, frequency and period_end, as `with_aims` gives them.
    sealed_on
        The day by the real clock; of the same chances the first one stays.

    Returns
    -------
    Path | None
        ``sealed/<as_at>_<first 12 of the hash>.parquet``; None where no chance was given.
    """
    said = targets[targets["probability"].notna()].sort_values(["target_id", "period"])
    if said.empty:
        return None
    rows = said.assign(council=council, run_period=period, as_at=as_at.isoformat())
    rows = rows[list(SEALED)].astype(SEALED)
    files, base = opened(root)
    path = f"{base}/sealed/{_name(rows, as_at)}.parquet"
    if not files.exists(path):
        _write(files, path, rows.assign(sealed_on=sealed_on.isoformat()))
    return Path(path)


def open_seals(root: Path | str, *, before: date) -> tuple[pd.DataFrame, Problems]:
    """Read the chances of all runs whose as-at date lies before a day.

    Returns
    -------
    tuple
        Rows of SEALED with DAYS as dates, sealed_on (text), seal (first 12 of the hash) and
        refused: why a chance does not count, as one sealed after the period that it is about. And
        a problem for each file that is no seal, or not what its name says; nothing of such a file
        is used.
    """
    problems, found = Problems(), [pd.DataFrame(columns=[*SEALED, "sealed_on", "seal"])]
    files, base = opened(root)
    for path in map(Path, sorted(files.glob(f"{base}/sealed/[!.]*"))):
        if not _NAMED.fullmatch(path.name):
            problems.tell("seal-foreign", file=f"sealed/{path.name}")
        elif path.name < f"{before}":
            rows = _unchanged(files, path, "as_at", [*SEALED], ["sealed_on", *DAYS])
            name = path.stem[-12:]
            found += [] if rows is None else [rows.assign(seal=name)]
            if rows is None:
                problems.tell("seal-broken", file=f"sealed/{path.name}", hash=name)
    table = pd.concat(found[1:] or found, ignore_index=True)
    table = table.assign(**{name: pd.to_datetime(table[name]) for name in DAYS})
    in_time = pd.to_datetime(table["sealed_on"]) <= table["period_end"]
    return table.assign(refused=pd.Series(LATE, table.index).mask(in_time, "")), problems


def keep_backtest(root: Path | str, asked: pd.DataFrame, *, council: str, as_at: date) -> None:
    """Keep a council's questions put to the past, in place of others of the same day."""
    rows, (files, base) = asked.assign(run_as_at=f"{as_at}"), opened(root)
    folder = f"{base}/backtest/{council}"
    _write(files, kept := f"{folder}/{_name(rows, as_at)}.parquet", rows)
    for other in {*files.glob(f"{folder}/{as_at}_*.parquet")} - {kept}:
        files.rm_file(other)


def read_backtest(
    root: Path | str, *, council: str, until: date
) -> tuple[pd.DataFrame | None, Problems]:
    """Read the newest questions put to the past with data known by a day; None where none are.

    A file that is not what its name says is a problem, and is not used.
    """
    problems, (files, base) = Problems(), opened(root)
    for path in _paths(files, f"{base}/backtest/{council}", f"{until}~")[-1:]:
        rows = _unchanged(files, path, "run_as_at")
        if rows is not None:
            return rows, problems
        problems.tell("backtest-broken", file=f"backtest/{council}/{path.name}")
    return None, problems


def records_read(root: Path | str, *, council: str, as_at: date) -> dict[str, list[str]]:
    """Name the files that a run reads of what was said before: they help decide its reports."""
    files, base = opened(root)
    asked = _paths(files, f"{base}/backtest/{council}", f"{as_at}~")[-1:]
    used = {"seals": _paths(files, f"{base}/sealed", f"{as_at}"), "backtests": asked}
    return {kind: [path.stem for path in paths] for kind, paths in used.items()}


def _paths(files: Any, folder: str, limit: str) -> list[Path]:
    """Files whose names come before a text, in the order of their names: oldest first."""
    found = map(Path, files.glob(f"{folder}/*.parquet"))
    kept = (path for path in found if _NAMED.fullmatch(path.name))
    return sorted(path for path in kept if path.name < limit)


def _unchanged(
    files: Any, path: Path, day: str, hashed: list[str] | None = None, dates: Sequence[str] = ()
) -> pd.DataFrame | None:
    """Rows of a file with all its `dates` that are those its name was made of; else None."""
    try:
        rows = pd.read_parquet(io.BytesIO(files.cat_file(path.as_posix())))
        days = [text for name in dates for text in rows[name].unique()]
        is_whole = days == [date.fromisoformat(text).isoformat() for text in days]
        is_whole &= bool(rows[day].eq(path.name[:10]).all())
        name = _name(rows[hashed or [*rows]], path.name[:10])
    except Exception:  # of a file that anybody may have made; the reader fails in many ways
        return None
    return rows if is_whole and name == path.stem else None


def _name(rows: pd.DataFrame, day: object) -> str:
    """As-at date and the first 12 of the hash of rows, in a form that any program can make."""
    plain = rows.astype("object").where(rows.notna(), None).to_numpy().tolist()
    text = json.dumps(plain, ensure_ascii=False, separators=(",", ":"), default=str)
    return f"{day}_{hashlib.sha256(text.encode()).hexdigest()[:12]}"


def _write(files: Any, path: str, rows: pd.DataFrame) -> None:
    write_whole(files, path, rows.to_parquet(None, index=False))
