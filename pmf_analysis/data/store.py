"""The store of vintages: what was known on which day, never changed afterwards.

A vintage is a folder ``vintages/<as_at>_<hash>`` of Parquet tables, written once. Its manifest is
written last and is what makes it exist, so a crash leaves nothing that is read. A wrong import is
withdrawn with a reason, never deleted. pandas is imported by the methods that need it: vintages
and digests are read without it, so that a run with nothing to do starts at once.
"""

from __future__ import annotations

import hashlib
import io
import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass, field
from datetime import date
from pathlib import Path
from typing import TYPE_CHECKING, Any
from urllib.parse import unquote

from pmf_analysis.places import opened, write_whole
from pmf_analysis.problems import COLUMNS, EXIT_DATA_UNUSABLE, PmfError, Problem, Problems

if TYPE_CHECKING:
    import pandas as pd

    Tables = Mapping[str, pd.DataFrame]

SCHEMA_VERSION = 1

_NEUTRALISED = r"^'(?=[=+\-@\t\r])"


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
    """One import; its hash is that of the rows accepted and held back.

    ``sequence`` orders vintages of the same day; no clock is involved.
    """

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


class Store:
    """Vintages under one root: a folder, or any fsspec address such as ``az://container/store``."""

    def __init__(self, root: Path | str) -> None:
        self._files, base = opened(root)
        self._folder = f"{base}/vintages"

    def add(
        self,
        tables: Tables,
        *,
        as_at: date,
        files: Sequence[FileRecord] = (),
        problems: Problems | None = None,
        quarantine: pd.DataFrame | None = None,
        again: bool = False,
    ) -> Vintage:
        """Keep contract tables as a new vintage.

        The same content of the same day is kept once, unless what came since has changed some of
        it, or it was withdrawn and is to count `again`: then it is a new vintage, and takes effect.

        Raises
        ------
        PmfError
            Exit 3: a table breaks the contract, or the same data have been withdrawn.
        """
        from pmf_analysis.data.contract import conform, problem_table
        from pmf_analysis.data.schema import check_table

        typed = {name: conform(frame, name) for name, frame in tables.items() if len(frame)}
        broken = Problems(p for name, frame in typed.items() for p in check_table(frame, name))
        broken.raise_if_errors(EXIT_DATA_UNUSABLE)
        held_back = problem_table(()) if quarantine is None else quarantine
        # Of a table's rows, whatever their order.
        ordered = {name: _row_hashes(frame).sort_values() for name, frame in typed.items()}
        digests = {name: _sha256(rows.to_numpy().tobytes()) for name, rows in ordered.items()}
        content = _sha256(json.dumps(digests, sort_keys=True) + held_back.to_csv(index=False))
        known, id = self._read_all(), f"{as_at.isoformat()}_{content[:12]}"
        of_day = [vintage for vintage in known if vintage.as_at == as_at]
        if same := [vintage for vintage in of_day if vintage.hash == content]:
            if (why := same[-1].withdrawn) and not again:
                raise PmfError(Problem.of("vintage-withdrawn", why=why), EXIT_DATA_UNUSABLE)
            if not why and not _is_changed(same[-1], of_day):
                return same[-1]
            if why and problems is not None:
                problems.tell("counts-again", why=why)
            id += f"_{len(same) + 1}"
        sequence = 1 + max((other.sequence for other in known), default=0)
        rows = {name: len(frame) for name, frame in typed.items()}
        series = _series_digests(typed["observations"]) if "observations" in typed else {}
        vintage = Vintage(id, as_at, content, sequence, tuple(files), rows, series, digests)
        self._write(vintage, typed, problems=problem_table(problems or ()), quarantine=held_back)
        return vintage

    def vintages(self, until: date = date.max) -> list[Vintage]:
        """Return the vintages that count until a day, oldest first; withdrawn ones are left out."""
        return [one for one in self._read_all() if not one.withdrawn and one.as_at <= until]

    def withdraw(self, vintage_id: str, reason: str) -> None:
        """Take a wrong import out of everything that is read, saying why; nothing is deleted.

        Raises
        ------
        PmfError
            Exit 2: there is no such vintage, or no reason is given.
        """
        known = {vintage.id: vintage.withdrawn for vintage in self._read_all()}
        if vintage_id not in known:
            choices = "one of " + ", ".join(known) if known else "a vintage; none is there"
            raise PmfError(Problem.of("vintage-unknown", id=vintage_id, known=choices))
        if before := known[vintage_id]:
            raise PmfError(Problem.of("withdrawn-before", id=vintage_id, why=before))
        if not reason.strip():
            raise PmfError("A vintage is withdrawn only with a reason.")
        self._write_last(f"{self._folder}/{vintage_id}/withdrawn.json", {"reason": reason.strip()})

    def as_known_on(self, as_at: date, *tables: str) -> dict[str, pd.DataFrame]:
        """Return every contract table, or some, as it was known at the end of a day.

        A row is taken from the newest vintage that holds its key. Sets of peers are replaced
        whole, so that a peer who left is gone; a list drawn up on another day is another version
        and stays. Tables without rows are there, empty.
        """
        from pmf_analysis.data.contract import KEYS, REPLACED_WHOLE, TABLES, column_names

        known = {}
        for table in tables or TABLES:
            rows = self._stacked(table, as_at)
            if table in REPLACED_WHOLE:
                lists = rows.groupby(REPLACED_WHOLE[table], dropna=False)
                rows = rows[rows["sequence"] == lists["sequence"].transform("max")]
            latest = rows.drop_duplicates(list(KEYS[table]), keep="last")
            latest = latest.sort_values(list(KEYS[table]), kind="stable", ignore_index=True)
            known[table] = latest[column_names(table)]
        return known

    def restatements(self, as_at: date) -> pd.DataFrame:
        """Return every observation whose usable value was later changed, or taken back.

        A row is a change: the key columns, old_value, new_value (NaN: taken back), old_status,
        new_status, old_as_at, new_as_at. A value that arrives where none was is no restatement.
        """
        from pmf_analysis.data.contract import KEYS

        key = list(KEYS["observations"])
        names = {"value_status": "status", "known_on": "as_at"}
        rows = self._stacked("observations", as_at).rename(columns=names)
        told = ["value", "status", "as_at"]
        before = rows.groupby(key)[told].shift()
        changed = before["value"].notna() & (rows["value"] != before["value"])
        joined = rows[[*key, *told]].rename(columns={name: f"new_{name}" for name in told})
        joined = joined.join(before.add_prefix("old_"))[changed].reset_index(drop=True)
        return joined[[*key, *(f"{age}_{name}" for name in told for age in ("old", "new"))]]

    def problems(self, as_at: date, *, area: str = "") -> pd.DataFrame:
        """Return what the imports known on a day had to say, as told by each file's newest one.

        With `area`, return instead every fault of its rows that are in quarantine: the problems of
        an import list only the first of a sort. Rows kept by earlier versions name no area.

        A row is a problem, with the columns of `problems.COLUMNS`: row is Int64, the rest text.
        """
        import pandas as pd

        from pmf_analysis.data.contract import problem_table

        newest = {"": problem_table(())}
        for vintage in self.vintages(as_at):
            path = f"{self._folder}/{vintage.id}/{'quarantine' if area else 'problems'}.csv"
            content = io.BytesIO(self._files.cat_file(path))
            rows = pd.read_csv(content, dtype="str", keep_default_na=False, encoding="utf-8-sig")
            rows = rows.apply(lambda cells: cells.str.replace(_NEUTRALISED, "", regex=True))
            rows["row"] = pd.to_numeric(rows["row"]).astype("Int64")
            # Earlier versions named no indicator and area; what is held back is an error.
            rows = rows.reindex(columns=[*COLUMNS, "area_code"], fill_value="")
            rows = rows[rows["area_code"] == area].replace({"level": {"": "error"}})
            for name in sorted({record.name for record in vintage.files} | set(rows["file"])):
                newest[name] = rows.loc[rows["file"] == name, list(COLUMNS)]
        return pd.concat(newest.values(), ignore_index=True)

    def series(self, as_at: date) -> set[tuple[str, ...]]:
        """Return indicator, area, dimension and member of each series known on a day.

        From the manifests alone, like the digests.
        """
        keys = {key for vintage in self.vintages(as_at) for key in vintage.series}
        return {tuple(map(unquote, key.split("|")[:-1])) for key in keys}

    def digest(self, as_at: date) -> Digest:
        """Return fingerprints of what was known on a day, from the manifests alone.

        A vintage that only repeats a series leaves its fingerprint as it was.
        """
        vintages = self.vintages(as_at)
        chains = _chains(vintage.series for vintage in vintages)
        series = {name: _sha256(" ".join(chain)) for name, chain in sorted(chains.items())}
        tables = _chains(vintage.tables for vintage in vintages)
        return Digest(series, _sha256(json.dumps(tables, sort_keys=True)))

    def _stacked(self, table: str, as_at: date) -> pd.DataFrame:
        """Rows of `table` in every vintage known on a day, oldest first, with their vintage."""
        import pandas as pd

        from pmf_analysis.data.contract import conform, empty_table

        layers = [empty_table(table).assign(sequence=0, known_on=pd.to_datetime([]))]
        for vintage in self.vintages(as_at):
            if table in vintage.rows:
                name = f"{vintage.id}/{table}.parquet"
                try:
                    content = io.BytesIO(self._files.cat_file(f"{self._folder}/{name}"))
                    rows = conform(pd.read_parquet(content), table)
                except (OSError, ValueError) as error:
                    damage = Problem.of("store-damaged", file=f"store/vintages/{name}", why=error)
                    raise PmfError(damage, EXIT_DATA_UNUSABLE) from None
                day = pd.Timestamp(vintage.as_at)
                layers.append(rows.assign(sequence=vintage.sequence, known_on=day))
        return pd.concat(layers[1:] or layers, ignore_index=True)

    def _read_all(self) -> list[Vintage]:
        vintages = map(self._read_vintage, self._files.glob(f"{self._folder}/*/manifest.json"))
        return sorted(vintages, key=lambda vintage: (vintage.as_at, vintage.sequence))

    def _read_vintage(self, path: str) -> Vintage:
        manifest = json.loads(self._files.cat_file(path))
        if manifest.pop("schema_version") > SCHEMA_VERSION:
            why = "The store was written by a newer pmf. Fix: install that version or a later one."
            raise PmfError(why, EXIT_DATA_UNUSABLE)
        reason = path.replace("manifest.json", "withdrawn.json")
        manifest["as_at"] = date.fromisoformat(manifest["as_at"])
        manifest["files"] = tuple(FileRecord(**record) for record in manifest["files"])
        if self._files.exists(reason):
            manifest["withdrawn"] = json.loads(self._files.cat_file(reason))["reason"]
        return Vintage(**manifest)

    def _write(self, vintage: Vintage, tables: Tables, **told: pd.DataFrame) -> None:
        """Write tables as Parquet, what is told of them as CSV, and the manifest last."""
        folder = f"{self._folder}/{vintage.id}"
        self._files.makedirs(folder, exist_ok=True)
        for name, frame in tables.items():
            content = frame.to_parquet(None, index=False, compression="zstd")
            self._files.pipe_file(f"{folder}/{name}.parquet", content)
        for name, frame in told.items():
            self._files.pipe_file(f"{folder}/{name}.csv", safe_csv(frame))
        manifest = asdict(vintage) | {"as_at": vintage.as_at.isoformat()}
        del manifest["withdrawn"]
        self._write_last(f"{folder}/manifest.json", manifest | {"schema_version": SCHEMA_VERSION})

    def _write_last(self, path: str, content: Mapping[str, Any]) -> None:
        text = json.dumps(content, indent=1, sort_keys=True, ensure_ascii=False)
        write_whole(self._files, path, text.encode("utf-8"))


def _chains(digests: Iterable[Mapping[str, str]]) -> dict[str, list[str]]:
    chains: dict[str, list[str]] = {}
    for name, digest in (pair for told in digests for pair in told.items()):
        if (chain := chains.setdefault(name, []))[-1:] != [digest]:
            chain.append(digest)
    return chains


def _is_changed(vintage: Vintage, of_day: list[Vintage]) -> bool:
    """Whether a later vintage of the day holds other rows of a table or series of this one."""
    later = [v for v in of_day if v.sequence > vintage.sequence and not v.withdrawn]
    tables = {name: kept for name, kept in vintage.tables.items() if name != "observations"}
    own = [(vintage.series, "series"), (tables, "tables")]
    return any(
        getattr(v, of).get(k, d) != d for v in later for ds, of in own for k, d in ds.items()
    )


def _row_hashes(frame: pd.DataFrame) -> pd.Series[int]:
    """Return a number a row; not from where the row stood, which changes as files grow."""
    from pandas.util import hash_pandas_object

    from pmf_analysis.data.contract import SOURCE_COLUMNS

    return hash_pandas_object(frame.drop(columns=list(SOURCE_COLUMNS)), index=False)


def _series_digests(observations: pd.DataFrame) -> dict[str, str]:
    """Return a digest a series; the order of its rows in the file does not matter."""
    from pmf_analysis.data.contract import series_key

    hashes = _row_hashes(observations).to_frame("row").assign(series=series_key(observations))
    groups = hashes.sort_values(["series", "row"]).groupby("series")["row"]
    return {str(series): _sha256(rows.to_numpy().tobytes())[:16] for series, rows in groups}


def _sha256(content: str | bytes) -> str:
    return hashlib.sha256(content.encode() if isinstance(content, str) else content).hexdigest()


def neutral_cell(value: object) -> str:
    """Return a cell's text so that no spreadsheet takes it for a formula.

    Source: OWASP, "CSV injection": cells that begin with ``= + - @``, tab or carriage return.
    """
    text = "" if value is None else str(value)
    return f"'{text}" if text.startswith(("=", "+", "-", "@", "\t", "\r")) else text


def safe_csv(table: pd.DataFrame) -> bytes:
    """Return a CSV that Excel opens as UTF-8 and in which nothing can run."""
    cells = table.astype("str").fillna("").map(neutral_cell)
    return cells.to_csv(index=False, lineterminator="\n").encode("utf-8-sig")
