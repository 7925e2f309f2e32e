"""The store of vintages: what was known on which day, never changed afterwards.

A vintage is a folder ``vintages/<as_at>_<hash>`` of Parquet tables, written once. Its manifest is
written last and is what makes it exist, so a crash leaves nothing that is read. A wrong import is
withdrawn with a reason, never deleted. pandas is imported by the methods that need it: vintages
and digests are read without it, so that a run with nothing to do starts at once.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import asdict
from datetime import date
from pathlib import Path
from typing import TYPE_CHECKING, Any

from pmf_analysis.data.vintages import SCHEMA_VERSION, Digest, FileRecord, Vintage
from pmf_analysis.problems import EXIT_DATA_UNUSABLE, PmfError, Problem, Problems

if TYPE_CHECKING:
    import pandas as pd

__all__ = ["Digest", "FileRecord", "Store", "Vintage", "neutral_cell", "safe_csv"]
_FORMULA_STARTS = ("=", "+", "-", "@", "\t", "\r")
_NEUTRALISED = r"^'(?=[=+\-@\t\r])"


class Store:
    """Vintages under one root: a folder, or any fsspec address such as ``az://container/store``."""

    def __init__(self, root: Path | str) -> None:
        from fsspec.core import url_to_fs

        self._files, base = url_to_fs(str(root))
        self._folder = f"{base.rstrip('/')}/vintages"

    def add(
        self,
        tables: Mapping[str, pd.DataFrame],
        *,
        as_at: date,
        files: Sequence[FileRecord] = (),
        problems: Problems | None = None,
        quarantine: pd.DataFrame | None = None,
    ) -> Vintage:
        """Keep contract tables as a new vintage; the same content of the same day is kept once.

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
        known = {vintage.id: vintage for vintage in self._read_all()}
        sequence = 1 + max((other.sequence for other in known.values()), default=0)
        vintage = Vintage.of(typed, as_at, sequence, files, quarantine)
        same = known.get(vintage.id)
        if same and same.withdrawn:
            why = f'these same data were withdrawn from the store: "{same.withdrawn}".'
            fix = "correct the source file, then import it again."
            raise PmfError(Problem(why, code="vintage-withdrawn", fix=fix), EXIT_DATA_UNUSABLE)
        if same:
            return same
        told = {"problems": problem_table(problems or ())}
        self._write(
            vintage, typed, told if quarantine is None else told | {"quarantine": quarantine}
        )
        return vintage

    def vintages(self, until: date = date.max) -> list[Vintage]:
        """Return the vintages that count until a day, oldest first; withdrawn ones are left out."""
        every = self._read_all()
        return [vintage for vintage in every if not vintage.withdrawn and vintage.as_at <= until]

    def withdraw(self, vintage_id: str, reason: str) -> None:
        """Take a wrong import out of everything that is read, saying why; nothing is deleted.

        Raises
        ------
        PmfError
            Exit 2: there is no such vintage, or no reason is given.
        """
        known = [vintage.id for vintage in self._read_all()]
        if vintage_id not in known:
            why = f'there is no vintage "{vintage_id}" in the store.'
            choices = "one of " + ", ".join(known) if known else "a vintage; none is there"
            raise PmfError(Problem(why, code="vintage-unknown", expected=choices))
        if not reason.strip():
            raise PmfError("A vintage is withdrawn only with a reason.")
        self._write_last(f"{self._folder}/{vintage_id}/withdrawn.json", {"reason": reason.strip()})

    def as_known_on(self, as_at: date) -> dict[str, pd.DataFrame]:
        """Return every contract table as it was known at the end of a day.

        A row is taken from the newest vintage that holds its key. Sets of peers are replaced
        whole, so that a peer who left is gone; a list drawn up on another day is another version
        and stays. Tables without rows are there, empty.
        """
        from pmf_analysis.data.contract import KEYS, REPLACED_WHOLE, TABLES, conform

        known = {}
        for table in TABLES:
            rows = self._stacked(table, as_at)
            if table in REPLACED_WHOLE:
                newest = rows.groupby(REPLACED_WHOLE[table], dropna=False)["sequence"].transform(
                    "max"
                )
                rows = rows[rows["sequence"] == newest]
            latest = rows.drop_duplicates(list(KEYS[table]), keep="last")
            known[table] = conform(latest.sort_values(list(KEYS[table]), kind="stable"), table)
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

    def problems(self, as_at: date) -> pd.DataFrame:
        """Return what the imports known on a day had to say, as told by each file's newest one.

        A row is a problem, with the columns of `problems.COLUMNS`: row is Int64, the rest text.
        """
        import pandas as pd

        from pmf_analysis.data.contract import problem_table

        newest = {"": problem_table(())}
        for vintage in self.vintages(as_at):
            with self._files.open(f"{self._folder}/{vintage.id}/problems.csv", "rb") as file:
                rows = pd.read_csv(file, dtype="str", keep_default_na=False, encoding="utf-8-sig")
            rows = rows.apply(lambda cells: cells.str.replace(_NEUTRALISED, "", regex=True))
            rows["row"] = pd.to_numeric(rows["row"]).astype("Int64")
            for name in sorted({record.name for record in vintage.files} | set(rows["file"])):
                newest[name] = rows[rows["file"] == name]
        return pd.concat(newest.values(), ignore_index=True)

    def digest(self, as_at: date) -> Digest:
        """Return fingerprints of what was known on a day, from the manifests alone.

        A vintage that only repeats a series leaves its fingerprint as it was.
        """
        return Digest.of(self.vintages(as_at))

    def _stacked(self, table: str, as_at: date) -> pd.DataFrame:
        """Rows of `table` in every vintage known on a day, oldest first, with their vintage."""
        import pandas as pd

        from pmf_analysis.data.contract import conform, empty_table

        layers = [empty_table(table).assign(sequence=0, known_on=pd.to_datetime([]))]
        for vintage in self.vintages(as_at):
            if table in vintage.rows:
                with self._files.open(f"{self._folder}/{vintage.id}/{table}.parquet", "rb") as file:
                    rows = conform(pd.read_parquet(file), table)
                day = pd.Timestamp(vintage.as_at)
                layers.append(rows.assign(sequence=vintage.sequence, known_on=day))
        return pd.concat(layers[1:] or layers, ignore_index=True)

    def _read_all(self) -> list[Vintage]:
        paths = self._files.glob(f"{self._folder}/*/manifest.json")
        vintages = [self._read_vintage(path) for path in paths]
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

    def _write(
        self, vintage: Vintage, tables: Mapping[str, pd.DataFrame], told: Mapping[str, pd.DataFrame]
    ) -> None:
        """Write tables as Parquet, what is told of them as CSV, and the manifest last."""
        folder = f"{self._folder}/{vintage.id}"
        self._files.makedirs(folder, exist_ok=True)
        for name, frame in tables.items():
            with self._files.open(f"{folder}/{name}.parquet", "wb") as file:
                frame.to_parquet(file, index=False, compression="zstd")
        for name, frame in told.items():
            self._files.pipe_file(f"{folder}/{name}.csv", safe_csv(frame))
        manifest = asdict(vintage) | {"as_at": vintage.as_at.isoformat()}
        del manifest["withdrawn"]
        self._write_last(f"{folder}/manifest.json", manifest | {"schema_version": SCHEMA_VERSION})

    def _write_last(self, path: str, content: Mapping[str, Any]) -> None:
        """Write a small file under another name and rename it: it is there whole or not at all."""
        text = json.dumps(content, indent=1, sort_keys=True, ensure_ascii=False)
        self._files.pipe_file(f"{path}.partial", text.encode("utf-8"))
        self._files.mv(f"{path}.partial", path)


def neutral_cell(value: object) -> str:
    """Return a cell's text so that no spreadsheet takes it for a formula.

    Source: OWASP, "CSV injection": cells that begin with ``= + - @``, tab or carriage return.
    """
    text = "" if value is None else str(value)
    return f"'{text}" if text.startswith(_FORMULA_STARTS) else text


def safe_csv(table: pd.DataFrame) -> bytes:
    """Return a CSV that Excel opens as UTF-8 and in which nothing can run."""
    cells = table.astype("str").fillna("").map(neutral_cell)
    return cells.to_csv(index=False, lineterminator="\n").encode("utf-8-sig")
