"""Chances as they were published, kept unchanged until what they were about is known.

A seal is one Parquet file, written once. Its name holds the as-at date of the run and a hash of
its rows, so that a row changed afterwards is found out. Questions put to the past by
`pmf backtest` are kept beside the seals.
"""

import hashlib
import json
from datetime import date
from pathlib import Path

import pandas as pd

from pmf_analysis.problems import Problems
from pmf_analysis.shipped import read_shipped

SEALED: dict[str, str] = read_shipped("data/seals.yml")["sealed"]
DAYS = ["first", "period", "period_end"]
LATE = "Sealed after its period had ended, so it is not counted."


def seal(
    root: Path, targets: pd.DataFrame, *, council: str, period: str, as_at: date, sealed_on: date
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
    path = root / "sealed" / f"{_name(rows)}.parquet"
    if not path.exists():
        _write(path, rows.assign(sealed_on=sealed_on.isoformat()))
    return path


def open_seals(root: Path, *, before: date) -> tuple[pd.DataFrame, Problems]:
    """Read the chances of all runs whose as-at date lies before a day.

    Returns
    -------
    tuple
        Rows of SEALED with DAYS as dates, sealed_on (text), seal (first 12 of the hash) and
        refused: why a chance does not count, as one sealed after the period that it is about. And
        a problem for each file that is not what its name says; nothing of such a file is used.
    """
    problems, found = Problems(), [pd.DataFrame(columns=[*SEALED, "sealed_on", "seal"])]
    for path in _paths(root / "sealed", f"{before}"):
        try:
            rows = pd.read_parquet(path)
            name = _name(rows)
        except (OSError, ValueError, KeyError, IndexError):  # pyarrow's are among these
            name = ""
        if name == path.stem:
            found.append(rows.assign(seal=name[-12:]))
        else:
            problems.tell("seal-broken", file=f"sealed/{path.name}", hash=path.stem[-12:])
    table = pd.concat(found[1:] or found, ignore_index=True)
    late = table["sealed_on"] > table["period_end"]
    table["refused"] = pd.Series("", table.index).mask(late, LATE)
    return table.assign(**{name: pd.to_datetime(table[name]) for name in DAYS}), problems


def keep_backtest(root: Path, asked: pd.DataFrame, *, council: str, as_at: date, data: str) -> None:
    """Keep a council's questions put to the past; `data` is the hash of the data they rest on."""
    _write(root / "backtest" / council / f"{as_at}_{data[:12]}.parquet", asked)


def read_backtest(root: Path, *, council: str, until: date) -> pd.DataFrame | None:
    """Read the newest questions put to the past with data known by a day; None where none are."""
    paths = _paths(root / "backtest" / council, f"{until}~")
    return pd.read_parquet(paths[-1]) if paths else None


def records_read(root: Path, *, council: str, as_at: date) -> dict[str, list[str]]:
    """Name the files that a run reads of what was said before: they help decide its reports."""
    seals, asked = _paths(root / "sealed", f"{as_at}"), root / "backtest" / council
    used = {"seals": seals, "backtests": _paths(asked, f"{as_at}~")[-1:]}
    return {kind: [path.stem for path in paths] for kind, paths in used.items()}


def _paths(folder: Path, limit: str) -> list[Path]:
    """Files whose names come before a text, in the order of their names: oldest first."""
    return sorted(path for path in folder.glob("*.parquet") if path.name < limit)


def _name(rows: pd.DataFrame) -> str:
    """As-at date and the first 12 of the hash of rows, in a form that any program can make."""
    plain = rows[list(SEALED)].astype("object").where(rows[list(SEALED)].notna(), None)
    text = json.dumps(plain.to_numpy().tolist(), ensure_ascii=False, separators=(",", ":"))
    return f"{rows['as_at'].iloc[0]}_{hashlib.sha256(text.encode()).hexdigest()[:12]}"


def _write(path: Path, rows: pd.DataFrame) -> None:
    """Write a file that is there whole or not at all."""
    path.parent.mkdir(parents=True, exist_ok=True)
    rows.to_parquet(part := path.with_name(f".{path.name}.partial"), index=False)
    part.replace(path)
