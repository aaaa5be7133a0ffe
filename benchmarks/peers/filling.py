"""The same rows for the peers: a plain table of counts, one of municipalities, and one index that fits the question."""

import sqlite3
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any

from benchmarks.workload import Count, Workload

_TABLES = """
    CREATE TABLE municipality (code VARCHAR NOT NULL PRIMARY KEY, county VARCHAR NOT NULL, released BOOLEAN NOT NULL);
    CREATE INDEX ix_municipality_county ON municipality (county);
    CREATE TABLE sessioncount (
        practice VARCHAR NOT NULL,
        municipality VARCHAR NOT NULL REFERENCES municipality (code),
        year INTEGER NOT NULL,
        month INTEGER NOT NULL,
        sessions INTEGER NOT NULL,
        id {numbered}
    );
    CREATE INDEX ix_sessioncount_key ON sessioncount (practice, municipality, year, month);
"""
_COLUMNS = "practice, municipality, year, month, sessions"


def fill_sqlite(file: Path, workload: Workload, *, with_counts: bool = True) -> None:
    """A new SQLite file with the tables as the tutorial's models make them, for the tutorial and for Datasette."""
    db = sqlite3.connect(file)
    db.executescript(_TABLES.format(numbered="INTEGER NOT NULL PRIMARY KEY"))
    with db:
        db.executemany("INSERT INTO municipality VALUES (?, ?, ?)", _municipalities(workload))
        db.executemany(f"INSERT INTO sessioncount ({_COLUMNS}) VALUES (?, ?, ?, ?, ?)", _counts(workload, with_counts))
    _analyse(db)


def keep_log(file: Path) -> None:
    """Have SQLite write into a log before `file`: sqlite-utils commits every hundred rows, five times as fast so."""
    db = sqlite3.connect(file)
    db.execute("PRAGMA journal_mode = WAL")
    db.close()


def fill_postgresql(url: str, workload: Workload, *, with_counts: bool = True) -> None:
    """The same in the empty PostgreSQL database at `url`."""
    # The driver is an extra, and not there where SQLite is enough.
    import psycopg

    with psycopg.connect(url) as db, db.cursor() as cursor:
        cursor.execute(_TABLES.format(numbered="SERIAL NOT NULL PRIMARY KEY").encode())
        _copy(cursor, b"COPY municipality FROM STDIN", _municipalities(workload))
        _copy(cursor, f"COPY sessioncount ({_COLUMNS}) FROM STDIN".encode(), _counts(workload, with_counts))
    with psycopg.connect(url, autocommit=True) as db:
        db.execute("VACUUM ANALYZE")


def fill_pocketbase(folder: Path, workload: Workload, *, with_counts: bool = True) -> None:
    """Rows in the tables that PocketBase has made of its collections, while it does not run."""
    db = sqlite3.connect(folder / "data.db")
    with db:
        insert = "INSERT INTO municipalities (code, county, released) VALUES (?, ?, ?)"
        db.executemany(insert, _municipalities(workload))
        db.executemany(f"INSERT INTO counts ({_COLUMNS}) VALUES (?, ?, ?, ?, ?)", _counts(workload, with_counts))
    _analyse(db)


def _analyse(db: sqlite3.Connection) -> None:
    """Let SQLite find the municipalities of the county first: without, it looks through all counts of the practice."""
    with db:
        db.execute("ANALYZE")
    db.execute("PRAGMA wal_checkpoint(TRUNCATE)")
    db.close()


def _municipalities(workload: Workload) -> Iterator[tuple[str, str, bool]]:
    return ((place.code, place.county, place.released) for place in workload.places)


def _counts(workload: Workload, with_counts: bool) -> Iterable[Count]:
    return workload.counts_in_force() if with_counts else ()


def _copy(cursor: Any, statement: bytes, rows: Iterable[tuple[Any, ...]]) -> None:
    with cursor.copy(statement) as copying:
        for row in rows:
            copying.write_row(row)
