"""Databases as a source: PostgreSQL started here, SQLite as a file, and what goes wrong."""

from __future__ import annotations

import sqlite3
from datetime import date, datetime
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pandas as pd
import pytest
from systems.postgres_server import PASSWORD, QUOTED
from systems.servers import free_port

from pmf_analysis.problems import PmfError
from pmf_analysis.systems.folder import RawFile
from pmf_analysis.systems.sources import SqlSource

sqlalchemy = pytest.importorskip("sqlalchemy", reason="the extra sql is not installed")
sql = pytest.importorskip("pmf_analysis.systems.sql")

EVERY_KIND = """
create table kpi (id text, day date, at timestamptz, value numeric(10, 2), n integer,
                  is_final boolean, rate float8, label uuid, note text);
insert into kpi values
 ('WES 1', '2026-09-30', '2026-09-30 10:00+00', 45.20, 3, true, 1.5,
  'a0eebc99-9c0b-4ef8-bb6d-6bb9bd380a11', '=1+1'),
 ('WES 2', null, null, null, null, null, null, null, null);
"""
# The rows of a percent sign and a colon, neither of which is a parameter.
QUERY = "select * from kpi where id like 'W%' and id <> 'a :b' order by id"


def read(root: Path, query: str = QUERY) -> RawFile:
    source = SqlSource(kind="sql", query=query, connection="COUNCIL_DATABASE")
    workspace: Any = SimpleNamespace(root=root)
    (found,) = sql.read(source, workspace, date(2026, 10, 31))
    return found


def refused(root: Path, query: str = QUERY) -> str:
    with pytest.raises(PmfError) as raised:
        read(root, query)
    assert raised.value.exit_code == 3
    told = str(raised.value)
    for secret in (PASSWORD, QUOTED, "word1", "127.0.0.1", str(root)):
        assert secret not in told
    return told


@pytest.fixture(scope="module")
def database(postgres: str) -> str:
    engine = sqlalchemy.create_engine(postgres.replace("postgresql", "postgresql+psycopg"))
    with engine.begin() as connection:
        connection.exec_driver_sql(EVERY_KIND)
    engine.dispose()
    return postgres


@pytest.fixture
def sqlite_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    path = tmp_path / "kpis of #1.db"
    with sqlite3.connect(path) as connection:
        connection.executescript(
            "create table kpi (id, day, value real, mixed);"
            "insert into kpi values ('WES 1', '2026-09-30', 45.2, 1), ('WES 2', null, null, 'n/a')"
        )
    connection.close()
    monkeypatch.setenv("COUNCIL_DATABASE", "sqlite:///kpis of #1.db")
    return path


def test_every_kind_of_cell_comes_as_what_it_is(
    database: str, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setenv("COUNCIL_DATABASE", database)
    found = read(tmp_path)
    assert found.name == "(database)" and len(found.sha256) == 64 and found.problems == []
    (sheet,) = found.sheets
    assert sheet.names == tuple(
        ["id", "day", "at", "value", "n", "is_final", "rate", "label", "note"]
    )
    kinds = [sheet.cells[column].dtype.kind for column in sheet.cells]
    assert "".join(kinds).replace("U", "O") == "OMMffOfOO"
    assert [*sheet.cells.index] == [1, 2]
    first, second = sheet.cells.to_numpy().tolist()
    assert first[0] == "WES 1" and first[1] == pd.Timestamp("2026-09-30")
    assert first[2] == pd.Timestamp("2026-09-30 11:00")  # summer time
    assert first[3:7] == [45.2, 3, "True", 1.5]
    assert first[7:] == ["a0eebc99-9c0b-4ef8-bb6d-6bb9bd380a11", "=1+1"]
    assert [*second[5:6], *second[7:]] == ["", "", ""] and pd.isna(second[1:5]).all()


def test_rows_are_the_same_in_bulk_and_one_by_one(
    database: str, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    url = sqlalchemy.make_url(database)
    assert sql.in_bulk(url, QUERY).num_rows == 2  # else the first way falls back in silence
    monkeypatch.setenv("COUNCIL_DATABASE", database)
    in_bulk = read(tmp_path)
    monkeypatch.setattr(sql, "in_bulk", None)
    by_row = read(tmp_path)
    pd.testing.assert_frame_equal(
        by_row.sheets[0].cells, in_bulk.sheets[0].cells, check_dtype=False
    )
    assert by_row.sha256 == read(tmp_path).sha256
    assert by_row.sha256 != read(tmp_path, "select id from kpi").sha256


def test_a_moment_is_on_the_day_that_a_clock_in_london_showed(
    database: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("COUNCIL_DATABASE", database)
    query = (
        "select timestamptz '2026-06-30 23:30+00' as summer, timestamptz '2026-12-31 23:30+00' as"
        " winter"
    )
    url = sqlalchemy.make_url(database)
    for rows in (sql.in_bulk(url, query), sql.by_row(url, query, tmp_path)):
        [row] = sql._typed(rows).to_pylist()
        assert row == {
            "summer": datetime(2026, 7, 1, 0, 30),
            "winter": datetime(2026, 12, 31, 23, 30),
        }


def test_a_database_cannot_be_changed(
    database: str, sqlite_file: Path, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    assert "The query would change the database" in refused(tmp_path, "delete from kpi")
    monkeypatch.setenv("COUNCIL_DATABASE", database)
    for query in ("delete from kpi returning id", "create table other (id text)"):
        assert "The query would change the database" in refused(tmp_path, query)
    assert len(read(tmp_path).sheets[0].cells) == 2


@pytest.mark.parametrize(
    ("change", "query", "said"),
    [
        ((QUOTED, "wrong-password"), QUERY, "refuses the name or the password in the variable COU"),
        (("reader", "nobody"), QUERY, "refuses the name or the password in the variable COUNCIL"),
        (("/postgres", "/no_such"), QUERY, "COUNCIL_DATABASE names cannot be reached"),
        (("127.0.0.1", "no-such-server.invalid"), QUERY, "names cannot be reached"),
        (("", ""), "select * from nothing", 'The database has no table "nothing"'),
        (("", ""), "select 1 fro m", 'The database refuses the query: syntax error at or near "m"'),
        (("", ""), "select no_such from kpi", 'column "no_such" does not exist'),
        (("", ""), "select * from kpi where false", "found no row"),
    ],
)
def test_what_postgresql_refuses_is_said_without_its_address(
    database: str,
    change: tuple[str, str],
    query: str,
    said: str,
    monkeypatch: pytest.MonkeyPatch,
    tmp_path: Path,
) -> None:
    head, middle, tail = (
        database.rpartition("/") if change[0] == "/postgres" else (database, "", "")
    )
    address = (head if middle else database.replace(*change)) + (change[1] if middle else tail)
    monkeypatch.setenv("COUNCIL_DATABASE", address)
    assert said in refused(tmp_path, query)


@pytest.mark.parametrize(
    ("address", "said"),
    [
        ("", "The environment has no variable COUNCIL_DATABASE"),
        ("wren:Robin/92@owl", "COUNCIL_DATABASE holds is no address of a database"),
        (f"otherbase://reader:{QUOTED}@there/db", "holds is no address of a database"),
        (f"mssql+pyodbc://reader:{QUOTED}@there/db", "pip install pyodbc"),
        (f"postgresql://reader:{QUOTED}@127.0.0.1:PORT/db", "cannot be reached"),
        ("postgresql://reader:P@ss:word1@server/db", "holds is no address of a database"),
        ("postgresql://reader:word1@[::1/db", "holds is no address of a database"),
        ("sqlite:///not there.db", "cannot be reached, or is not there"),
    ],
)
def test_a_database_that_is_not_there_is_said_without_its_address(
    address: str, said: str, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setenv("COUNCIL_DATABASE", address.replace("PORT", str(free_port())))
    assert said in refused(tmp_path)
    assert not [*tmp_path.iterdir()]  # an SQLite file is not made by looking for it


def test_a_query_without_end_is_given_up(
    sqlite_file: Path, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setattr(sql, "SECONDS", 0.3)
    endless = "with recursive c(x) as (select 1 union all select x + 1 from c limit 20000000)"
    assert "did not answer the query within 0.3 seconds" in refused(
        tmp_path, f"{endless} select count(*) from c"
    )


def test_sqlite_gives_numbers_text_and_empty_cells(sqlite_file: Path, tmp_path: Path) -> None:
    cells = read(tmp_path).sheets[0].cells
    assert cells[2].tolist()[0] == 45.2 and pd.isna(cells.at[2, 2])
    assert cells[[0, 1, 3]].to_numpy().tolist() == [
        ["WES 1", "2026-09-30", "1"],
        ["WES 2", "", "n/a"],
    ]
    assert 'no table "no_such"' in refused(tmp_path, "select * from no_such")


@pytest.mark.parametrize(
    "query",
    [
        "attach 'made.db' as made",
        "pragma journal_mode = wal",
        "select 1; delete from kpi",
        "/* select */ delete from kpi",
        "select * into other from kpi",
    ],
)
def test_only_a_select_is_sent(query: str, sqlite_file: Path, tmp_path: Path) -> None:
    assert "The query would change the database" in refused(tmp_path, query)
    assert [*tmp_path.iterdir()] == [sqlite_file]


def test_signs_in_texts_and_remarks_of_a_query_are_no_commands(
    sqlite_file: Path, tmp_path: Path
) -> None:
    query = "-- into; the\n(select id from kpi where id <> ';' and id <> ' into ') ;"
    assert len(read(tmp_path, query.replace("(", "").replace(") ;", ";")).sheets[0].cells) == 2


def test_what_sqlalchemy_thinks_of_an_address_is_not_said(
    sqlite_file: Path, monkeypatch: pytest.MonkeyPatch, recwarn: Any, tmp_path: Path
) -> None:
    monkeypatch.setenv("COUNCIL_DATABASE", "sqlite:///kpis of #1.db?foo=bar")
    assert len(read(tmp_path).sheets[0].cells) == 2 and not recwarn.list


def test_two_columns_of_one_name_are_refused(sqlite_file: Path, tmp_path: Path) -> None:
    query = "select id, value as id from kpi"
    assert 'two columns of the name "id"' in refused(tmp_path, query)


def test_rows_stop_at_the_cells_of_a_spreadsheet(
    database: str, sqlite_file: Path, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    endless = (
        "with recursive c(x) as (select 1 union all select x + 1 from c) select x, x as y from c"
    )
    monkeypatch.setitem(sql.LIMITS, "cells", 10_000)
    assert "more than 10,000 cells" in refused(tmp_path, endless)
    monkeypatch.setenv("COUNCIL_DATABASE", database)
    long = "select generate_series(1, 1000000000) as n, 1 as m"
    assert "more than 10,000 cells" in refused(tmp_path, long)
    monkeypatch.setattr(sql, "in_bulk", None)
    assert "more than 10,000 cells" in refused(tmp_path, long)
