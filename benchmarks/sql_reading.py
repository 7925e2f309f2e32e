"""PostgreSQL read in bulk by ADBC and row by row through SQLAlchemy, side by side.

    PMF_DATABASE=postgresql://reader:PASSWORD@127.0.0.1/postgres python benchmarks/sql_reading.py

Any database will do: the query makes the rows, and nothing is written. Each way reads the rows
into a sheet's columns, five times in turn after once to warm up; the ratio is that of the medians.
"""

from __future__ import annotations

import os
import statistics
import time
from pathlib import Path

import sqlalchemy

from pmf_analysis.systems.sql import by_row, in_bulk

ROWS, TIMES = 120_000, 5
QUERY = f"""
select 'KPI ' || i % 69 as id, date '2010-01-01' + i % 5000 as day, i * 0.1::float8 as value,
       case when i % 7 > 0 then i % 1000 end as n, 'A note of ' || i as note
from generate_series(1, {ROWS}) as i
"""


def main() -> None:
    url = sqlalchemy.make_url(os.environ["PMF_DATABASE"])
    ways = {"ADBC": lambda: in_bulk(url, QUERY), "SQLAlchemy": lambda: by_row(url, QUERY, Path())}
    took: dict[str, list[float]] = {name: [] for name in ways}
    for turn in range(TIMES + 1):
        for name, read in ways.items():
            started = time.perf_counter()
            rows = read()
            assert rows.num_rows == ROWS and rows["n"].null_count == ROWS // 7
            if turn:
                took[name].append(time.perf_counter() - started)
    for name, seconds in took.items():
        print(f"{name}: median {statistics.median(seconds):.3f} s ({min(seconds):.3f} least)")
    ratio = statistics.median(took["SQLAlchemy"]) / statistics.median(took["ADBC"])
    print(f"{ROWS:,} rows: SQLAlchemy takes {ratio:.1f} times as long")


if __name__ == "__main__":
    main()
