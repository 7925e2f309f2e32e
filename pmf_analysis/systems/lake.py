"""The zones of a council's data lake beside the store of vintages, and notebooks that lie in it.

``raw`` holds what came in, byte for byte, ``quarantine`` the rows held back, and ``curated`` what
is known now, as tables for other programs: Parquet, or Delta with a version for every import.
"""

from __future__ import annotations

import io
import json
from collections.abc import Sequence
from datetime import date
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING, Any

from pmf_analysis.places import copied, opened, write_whole
from pmf_analysis.problems import PmfError, Problem
from pmf_analysis.shipped import read_shipped

if TYPE_CHECKING:
    import pyarrow as pa

    from pmf_analysis.data.store import Vintage
    from pmf_analysis.parameters.workspace import Workspace
    from pmf_analysis.systems.folder import RawFile
    from pmf_analysis.systems.results import ImportResult

    Read = Sequence[tuple[RawFile, ImportResult]]


def keep_zones(workspace: Workspace, vintage: Vintage, read: Read) -> None:
    """Keep an import's files as received and its rows held back, where the store is elsewhere."""
    import pandas as pd

    from pmf_analysis.data.raw_zone import RawZone
    from pmf_analysis.data.store import safe_csv

    if workspace.storage.store is None:
        return
    zone = RawZone(workspace.store)
    for raw, result in read:
        zone.keep(result.mapping, raw.name, raw.content, vintage.as_at)
    held = pd.concat([result.quarantine for _, result in read])
    if len(held):
        files, base = opened(workspace.store)
        write_whole(files, f"{base}/quarantine/{vintage.id}.csv", safe_csv(held))


def write_tables(workspace: Workspace) -> None:
    """Write what is known now into the zone ``curated``, as ``storage.yml`` asks for it.

    Raises
    ------
    PmfError
        Exit 2: Delta is asked for and not installed; exit 3: the lake refuses.
    """
    from pyarrow import Table
    from pyarrow.parquet import write_table

    from pmf_analysis.data.store import Store

    if workspace.storage.tables is None:
        return
    store, names = Store(workspace.store), read_shipped("systems/lake.yml")
    known = {"dim_indicator": workspace.load().register.frame()}
    known |= {names[name]: rows for name, rows in store.as_known_on(date.max).items()}
    files, base = opened(f"{workspace.store}/curated")
    newest = [vintage.id for vintage in store.vintages()][-1:]
    for name, frame in known.items():
        rows = _plain(Table.from_pandas(frame, preserve_index=False))
        # A table that had rows and lost them by a withdrawal is written too, empty.
        place = f"{name}.parquet" if workspace.storage.tables == "parquet" else name
        if not (rows.num_rows or files.exists(f"{base}/{place}")):
            continue
        if place == name:
            _write_delta(files, f"{base}/{name}", rows, "".join(newest))
        else:
            write_table(rows, content := io.BytesIO(), compression="zstd")
            write_whole(files, f"{base}/{place}", content.getvalue())


def _plain(rows: pa.Table) -> pa.Table:
    """Give a table types that every reader has: days as dates, groups of values as JSON."""
    import pyarrow as pa

    for place, field in enumerate(rows.schema):
        column = rows.column(place)
        if pa.types.is_timestamp(field.type):
            column = column.cast(pa.date32())
        elif pa.types.is_null(field.type):
            column = column.cast(pa.string())
        elif pa.types.is_nested(field.type):
            texts = [
                json.dumps(value, default=str) if value else "" for value in column.to_pylist()
            ]
            column = pa.array(texts)
        rows = rows.set_column(place, field.name, column)
    return rows.replace_schema_metadata()


def _write_delta(files: Any, place: str, rows: pa.Table, vintage: str) -> None:
    """Add a version to a Delta table, which says of which vintage it is the last.

    It is made here on a copy of the table's log, and what is new is copied there, the log last:
    the lake's own writer of Delta Lake (deltalake 1.6.6) fails at the third version.
    """
    try:
        from deltalake import CommitProperties, write_deltalake
    except ImportError:
        raise PmfError(Problem.of("lake-not-installed")) from None

    with TemporaryDirectory() as folder:
        copied(f"{place}/_delta_log/*", log := Path(folder, "_delta_log"), files)
        before = {path.name for path in log.iterdir()}
        said = CommitProperties(custom_metadata={"vintage": vintage})
        how: dict[str, Any] = {"mode": "overwrite", "schema_mode": "overwrite"}
        write_deltalake(folder, rows, commit_properties=said, **how)
        made = [path for path in Path(folder).rglob("*.*") if path.name not in before]
        for path in sorted(made, key=lambda path: path.parent == log):
            name = f"{place}/{path.relative_to(folder).as_posix()}"
            write_whole(files, name, path.read_bytes())


class LakeNotebooks:
    """Notebooks at addresses of a data lake, as papermill reads and writes them."""

    def read(self, path: str) -> str:
        """Return the text of a notebook."""
        files, place = opened(path)
        return str(files.cat_file(place).decode("utf-8"))

    def write(self, buf: str, path: str) -> None:
        """Write the text of a notebook."""
        files, place = opened(path)
        files.pipe_file(place, buf.encode("utf-8"))

    def listdir(self, path: str) -> list[str]:
        """Return the addresses of what is in a folder."""
        files, place = opened(path)
        scheme = path.partition("://")[0]
        return [f"{scheme}://{name}" for name in files.ls(place, detail=False)]

    def pretty_path(self, path: str) -> str:
        """Return the address as it is shown."""
        return path


NOTEBOOKS = LakeNotebooks()
