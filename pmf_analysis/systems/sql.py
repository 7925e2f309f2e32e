"""A database's rows by the query of a mapping: any that SQLAlchemy knows, PostgreSQL in bulk.

The address, with its password, is in a variable of the environment and in no message. Nothing is
written: only a SELECT is sent, SQLite and PostgreSQL are opened to read only, and nothing is ever
committed elsewhere. Rows come in parts, and stop at as many cells as a spreadsheet may have.
"""

import io
import os
import re
import sqlite3
import warnings
from collections import Counter
from collections.abc import Iterable, Iterator
from contextlib import closing, contextmanager
from dataclasses import replace
from datetime import date
from functools import partial
from itertools import chain
from pathlib import Path
from typing import Any
from urllib.parse import quote

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq
import sqlalchemy

from pmf_analysis.parameters.workspace import Workspace
from pmf_analysis.places import within
from pmf_analysis.problems import EXIT_DATA_UNUSABLE, PmfError, Problem, without_secrets
from pmf_analysis.shipped import read_shipped
from pmf_analysis.systems.folder import RawFile, read_content
from pmf_analysis.systems.guards import LIMITS
from pmf_analysis.systems.sources import SqlSource

FAULTS: dict[str, str] = read_shipped("systems/sql.yml")
SECONDS, _TO_CONNECT, _PART = 60, 5, 1000
_CLOCK = "Europe/London"
# Texts, quoted names and remarks of a query; and what a SELECT has only where it writes.
_NOT_SQL = re.compile(r"'[^']*'|\"[^\"]*\"|--[^\n]*|/\*.*?\*/", re.DOTALL)
_WRITES = re.compile(r";|\binto\b", re.IGNORECASE)
_READ_ONLY = f"-c default_transaction_read_only=on -c statement_timeout={SECONDS * 1000}"


def read(source: SqlSource, workspace: Workspace, as_at: date) -> list[RawFile]:
    """Read the rows of a query as one file; its fingerprint is that of the rows.

    Numbers and dates keep their type, a moment with a zone being London's; all else is text, and
    NULL is an empty cell.

    Raises
    ------
    PmfError
        Exit 3: the variable is not set, the database cannot be reached or refuses, or no row fits.
    """
    _check_query(source.query)
    if not (address := os.environ.get(source.connection, "").strip()):
        problem = Problem.of("sql-no-address", variable=source.connection)
        raise PmfError(problem, EXIT_DATA_UNUSABLE)
    try:
        rows = within(SECONDS, partial(fetched, address, source.query, workspace.root))
    except PmfError:
        raise
    # Every driver has errors of its own.
    except Exception as error:
        raise PmfError(_fault(error, source.connection), EXIT_DATA_UNUSABLE) from None
    twice = next((name for name, n in Counter(rows.column_names).items() if n > 1), None)
    if twice is not None:
        raise PmfError(Problem.of("sql-column-twice", name=twice), EXIT_DATA_UNUSABLE)
    if not rows.num_rows:
        raise PmfError(Problem.of("sql-no-rows"), EXIT_DATA_UNUSABLE)
    pq.write_table(rows, content := io.BytesIO())
    return [replace(read_content("rows.parquet", content.getvalue()), name="(database)")]


def _check_query(query: str) -> None:
    """Refuse what is no single SELECT, looking past its texts and remarks."""
    bare = _NOT_SQL.sub(" ", query).strip(" \n\t;(")
    if not re.match(r"(select|with)\b", bare, re.IGNORECASE) or _WRITES.search(bare):
        raise PmfError(Problem.of("sql-would-write"), EXIT_DATA_UNUSABLE)


def fetched(address: str, query: str, root: Path) -> pa.Table:
    """Return the rows of a query; `root` is where the path of an SQLite file begins."""
    with _before_query():
        url = sqlalchemy.make_url(address)
        kind = url.get_backend_name()
    if kind == "postgresql":
        try:
            return _typed(in_bulk(url, query))
        except PmfError:
            raise
        except Exception:  # what is wrong, the other way says as well
            pass
    return _typed(by_row(url, query, root))


def in_bulk(url: sqlalchemy.URL, query: str) -> pa.Table:
    """Return the rows of a query of PostgreSQL, column by column as ADBC brings them."""
    from adbc_driver_postgresql import dbapi

    limit = {"connect_timeout": str(_TO_CONNECT)}
    plain = url.set(drivername="postgresql").update_query_dict(limit)
    uri = f"{plain.render_as_string(hide_password=False)}&options={quote(_READ_ONLY)}"
    with dbapi.connect(uri) as connection, connection.cursor() as cursor:
        cursor.execute(query)
        reader = cursor.fetch_record_batch()
        return pa.Table.from_batches(_limited(reader, len(reader.schema)), reader.schema)


def _limited(parts: Iterable[Any], width: int) -> Iterator[Any]:
    """Yield parts of the rows until they hold more cells than a spreadsheet may."""
    cells = 0
    for part in parts:
        cells += len(part) * width
        if cells > LIMITS["cells"]:
            raise PmfError(Problem.of("sql-too-many", n=LIMITS["cells"]), EXIT_DATA_UNUSABLE)
        yield part


@contextmanager
def _before_query() -> Iterator[None]:
    """Let no words out of what fails before a query is sent, for they may quote the address."""
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", sqlalchemy.exc.SAWarning)
            yield
    except sqlalchemy.exc.DBAPIError as error:
        raise ConnectionError(str(error.orig)) from None  # its words are only matched
    except (ModuleNotFoundError, OSError):
        raise
    except Exception:
        raise sqlalchemy.exc.ArgumentError from None


def by_row(url: sqlalchemy.URL, query: str, root: Path) -> pa.Table:
    """Return the rows of a query through SQLAlchemy."""
    options: dict[str, Any] = {}
    if url.drivername == "postgresql":
        url = url.set(drivername="postgresql+psycopg")
    if url.get_backend_name() == "postgresql":
        options["connect_args"] = {"connect_timeout": _TO_CONNECT, "options": _READ_ONLY}
    if url.get_backend_name() == "sqlite":
        file = f"{(root / (url.database or '')).resolve().as_uri()}?mode=ro"
        options["creator"] = partial(sqlite3.connect, file, uri=True, check_same_thread=False)
    with _before_query():
        engine = sqlalchemy.create_engine(url, poolclass=sqlalchemy.NullPool, **options)
        opened = engine.connect()
    # A colon or a percent sign of the query is no parameter.
    how: Any = {"no_parameters": True, "stream_results": True}
    with closing(opened), opened.execution_options(**how).exec_driver_sql(query) as found:
        names = [*found.keys()]
        rows = [*chain.from_iterable(_limited(found.partitions(_PART), len(names)))]
    columns = zip(*rows, strict=True) if rows else [()] * len(names)
    return pa.Table.from_arrays([_array(column) for column in columns], names)


def _array(values: tuple[Any, ...]) -> pa.Array:
    try:
        return pa.array(values)
    except (pa.ArrowInvalid, pa.ArrowTypeError):  # of several kinds, or of one that Arrow has not
        return pa.array([None if value is None else str(value) for value in values])


def _typed(rows: pa.Table) -> pa.Table:
    """Give decimals and dates the types by which sheets know them."""
    for place, column in enumerate(rows.columns):
        kind = column.type
        if isinstance(kind, pa.ExtensionType | pa.OpaqueType):  # numbers of any length, in digits
            name, column = getattr(kind, "type_name", ""), column.cast(kind.storage_type)
            kind = pa.decimal128(1) if name == "numeric" else kind.storage_type
        if pa.types.is_decimal(kind):
            column = column.cast(pa.float64())
        elif pa.types.is_date(kind):
            column = column.cast(pa.timestamp("us"))
        elif pa.types.is_timestamp(kind) and kind.tz:
            # A moment is on the day that a clock in the council showed, not on that of UTC.
            column = pc.local_timestamp(column.cast(pa.timestamp("us", _CLOCK)))
        rows = rows.set_column(place, rows.field(place).name, column)
    return rows


def _fault(error: Exception, variable: str) -> Problem:
    """Return what is wrong in words that hold neither the address nor the password."""
    text = str(getattr(error, "orig", None) or error)
    kinds = " ".join(kind.__name__ for kind in type(error).__mro__)
    for pattern, fault in FAULTS.items():
        if found := re.search(pattern, f"{kinds}: {text}", re.IGNORECASE):
            name = next(filter(None, found.groups()), "")
            return Problem.of(fault, name=name, variable=variable, seconds=SECONDS)
    why = without_secrets(next(iter(text.splitlines()), type(error).__name__))
    why = why.rstrip(". ")
    return Problem.of("sql-refused", why=why)
