"""Our side: a database with the workload in it, written in the shapes that the product writes, and the server on it.

Rows go straight into the tables, since posting millions of figures would take hours. The hash of a receipt is not that
of its content here, so `yhdessa audit verify` finds fault with such a database; no answer depends on it.
"""

import hashlib
import itertools
import os
import subprocess
import sys
from collections.abc import Iterable, Iterator, Mapping
from contextlib import AbstractContextManager
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, time, timedelta
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from sqlalchemy import insert
from sqlmodel import Session, select

from app.access.keys import issue_key
from app.access.models import Action, Key
from app.clock import BEGINNING, system_clock
from app.database import Database, is_sqlite, take_turn
from app.periods import period as period_named
from app.places.register import counties, municipalities
from app.practices.definitions import SHIPPED_PRACTICE, define_practice, set_live_from
from app.releases.importing import import_release, parse_release
from app.reports.tables import CountEntry, StatusEntry, Submission
from app.schema import migrate
from app.settings import Settings
from benchmarks.servers import Server, free_port, running
from benchmarks.workload import (
    ASKED_COUNTY,
    ASKED_PRACTICE,
    FIRST_YEAR,
    Count,
    Place,
    Workload,
    corrected_on,
    recorded_on,
)

ROOT = Path(__file__).resolve().parent.parent
ROWS_AT_ONCE = 20_000

SETTINGS = {
    "YHDESSA_REQUESTS_PER_MINUTE": "1000000",
    "YHDESSA_MAX_ROWS": "1000000",
    "YHDESSA_MAX_BODY_BYTES": "200000000",
    "YHDESSA_BODY_TIMEOUT_SECONDS": "600",
    "YHDESSA_ANSWER_TIMEOUT_SECONDS": "600",
    "YHDESSA_LOCK_TIMEOUT_SECONDS": "30",
}
"""Limits that stand in the way of measuring; nothing of what makes writing durable is among them."""


@dataclass(frozen=True, slots=True)
class Filled:
    """A database at `url` and a key for the whole country that may read and report."""

    url: str
    key: str

    @property
    def headers(self) -> Mapping[str, str]:
        """What shows the key."""
        return {"Authorization": f"Bearer {self.key}"}


def known_places() -> list[Place]:
    """The 309 municipalities of 2021 to 2024 as they ship with the product."""
    with TemporaryDirectory() as folder:
        database = Database(Settings(database_url=f"sqlite:///{folder}/places.db"))
        try:
            migrate(database, system_clock)
            with database.reading() as db:
                return _places(db)
        finally:
            database.dispose()


def fill(url: str, workload: Workload, *, with_counts: bool = True) -> Filled:
    """Make the empty database at `url` into one with the workload; or with its practices, statuses and key alone."""
    database = Database(Settings(database_url=url))
    try:
        migrate(database, system_clock)
        with database.writing() as db:
            at = take_turn(db, system_clock)
            _define(db, workload)
            key = _issue(db, at)
            ledger = _Ledger(db, db.exec(select(Key)).one())
            if with_counts:
                if is_sqlite(db):
                    # Room for the whole index; SQLite's own 2 MB are too little for L.
                    db.connection().exec_driver_sql("PRAGMA cache_size = -1000000")
                _import_releases(db, workload, at)
                ledger.write(workload)
            else:
                ledger.write_statuses_alone(workload)
        _analyse(database)
    finally:
        database.dispose()
    if with_counts:
        _publish(url)
    return Filled(url, key)


def served(filled: Filled, *, log: Path, ready: str = "/livez") -> AbstractContextManager[Server]:
    """The server of the product on the database, one process, as `yhdessa serve` starts it."""
    port = free_port()
    command = [sys.executable, "-m", "app.cli", "serve", "--port", str(port)]
    environment = SETTINGS | {"YHDESSA_DATABASE_URL": filled.url}
    return running(command, port=port, ready=ready, log=log, environment=environment, folder=ROOT)


def submission(counts: Iterable[Count]) -> dict[str, Any]:
    """The counts as POST /v1/submissions takes them."""
    return {
        "counts": [
            {
                "municipality": count.municipality,
                "practice": count.practice,
                "period": count.period,
                "sessions": count.sessions,
            }
            for count in counts
        ]
    }


def submission_csv(counts: Iterable[Count]) -> bytes:
    """The same as a CSV file."""
    lines = (f"{count.municipality},{count.practice},{count.period},{count.sessions}\n" for count in counts)
    return ("municipality,practice,period,sessions\n" + "".join(lines)).encode()


def _analyse(database: Database) -> None:
    """Do at once what PostgreSQL does by itself within a minute; SQLite does nothing by itself, so neither do we."""
    if database.engine.dialect.name == "postgresql":
        with database.engine.connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
            connection.exec_driver_sql("VACUUM ANALYZE")


def _places(db: Session) -> list[Place]:
    real = counties(db)
    return [
        Place(place.code, place.county if place.county in real else "")
        for place in municipalities(db).values()
        if place.in_register(date(2021, 1, 1))
    ]


def _define(db: Session, workload: Workload) -> None:
    """The practices, and that every county's reports speak from the beginning."""
    for slug in workload.practices[1:]:
        define_practice(db, SHIPPED_PRACTICE.model_copy(update={"slug": slug, "name_en": slug}), at=BEGINNING)
    db.flush()
    for county in counties(db):
        set_live_from(db, ASKED_PRACTICE, county, FIRST_YEAR, at=BEGINNING)


def _issue(db: Session, at: datetime) -> str:
    actions = (Action.READ, Action.REPORT)
    return issue_key(db, name="Benchmark", organisation="Benchmark", actions=actions, areas=["country"], at=at)


def _import_releases(db: Session, workload: Workload, at: datetime) -> None:
    """For each county but one a release with the totals of its counts, as `yhdessa release import` takes it."""
    for county in sorted({place.county for place in workload.released_places}):
        head = "practice,county,published_on,state,title,source,year,municipalities,sessions,through\n"
        lines = [
            f"{ASKED_PRACTICE},{county},2024-01-15,final,Benchmark,Benchmark,"
            f"{total.year},{total.municipalities},{total.sessions},{total.year}-12-31\n"
            for total in workload.totals(workload.places_of(county))
        ]
        import_release(db, parse_release((head + "".join(lines)).encode(), as_csv=True), at=at)


def _publish(url: str) -> None:
    """Make a release of the county that is asked about, with its municipalities, as the county does."""
    about = ["--county", ASKED_COUNTY, "--title", "Benchmark", "--source", "Benchmark", "--municipalities"]
    explained = [f"--change={year}:revision:By reports" for year in range(FIRST_YEAR, FIRST_YEAR + 20)]
    command = [sys.executable, "-m", "app.cli", "release", "publish", *about, *explained]
    environment = os.environ | {"YHDESSA_DATABASE_URL": url}
    subprocess.run(command, cwd=ROOT, env=environment, check=True, stdout=subprocess.DEVNULL)


@dataclass
class _Ledger:
    """Writes submissions with their entries, oldest first."""

    db: Session
    key: Key
    submissions: Iterator[int] = field(default_factory=lambda: itertools.count(1))
    counts: Iterator[int] = field(default_factory=lambda: itertools.count(1))
    statuses: Iterator[int] = field(default_factory=lambda: itertools.count(1))
    last_hash: str = "0" * 64

    def write(self, workload: Workload) -> None:
        """Statuses and the counts of each month for every practice, then the corrections of the one asked about."""
        begins = date(FIRST_YEAR, 1, 1)
        self._write_statuses(workload, begins, "pilot")
        for month in range(workload.size.months):
            if month == 6:
                self._write_statuses(workload, date(FIRST_YEAR, 7, 1), "in_use")
            self._write_counts(recorded_on(month), "created", workload.month_of_counts(month, workload.practices))
        self._write_statuses(workload, workload.ends, "ended")
        for correction in range(1, workload.size.corrections + 1):
            corrected = (
                count
                for month in range(workload.size.months)
                for count in workload.month_of_counts(month, [ASKED_PRACTICE], correction=correction)
            )
            self._write_counts(corrected_on(correction, workload.ends), "corrected", corrected)

    def write_statuses_alone(self, workload: Workload) -> None:
        """That every municipality has all practices in use, or each of its counts would be doubted."""
        self._write_statuses(workload, date(FIRST_YEAR, 1, 1), "in_use")

    def _write_statuses(self, workload: Workload, day: date, status: str) -> None:
        number, common = self._submission(day)
        rows = [
            {
                **common,
                "id": next(self.statuses),
                "practice": practice,
                "municipality": place.code,
                "outcome": "created",
                "day": day,
                "date_precision": "day",
                "status": status,
            }
            for practice in workload.practices
            for place in workload.places
        ]
        self._receipt(number, common["recorded_at"], "statuses", "created", [row["id"] for row in rows])
        self._insert(StatusEntry, rows)

    def _write_counts(self, day: date, outcome: str, counts: Iterable[Count]) -> None:
        number, common = self._submission(day)
        rows = []
        for count in counts:
            period = period_named(count.period)
            rows.append(
                {
                    **common,
                    "id": next(self.counts),
                    "practice": count.practice,
                    "municipality": count.municipality,
                    "outcome": outcome,
                    "period": period.text,
                    "first_day": period.first,
                    "last_day": period.last,
                    "counted_to": period.last,
                    "sessions": count.sessions,
                }
            )
        self._receipt(number, common["recorded_at"], "counts", outcome, [row["id"] for row in rows])
        self._insert(CountEntry, rows)

    def _submission(self, day: date) -> tuple[int, dict[str, Any]]:
        """A number, and what all entries of the submission have in common."""
        number = next(self.submissions)
        recorded_at = datetime.combine(day, time(10), tzinfo=UTC) + timedelta(seconds=number)
        common = {"submission_id": number, "organisation_id": self.key.organisation_id, "recorded_at": recorded_at}
        return number, common | {"note_hash": None}

    def _receipt(self, number: int, at: datetime, list_name: str, outcome: str, entries: list[int]) -> None:
        rows = ",".join(
            f'{{"list":"{list_name}","index":{index},"outcome":"{outcome}","entry":{entry},'
            '"superseded":[],"warnings":[],"errors":[]}'
            for index, entry in enumerate(entries)
        )
        this_hash = hashlib.sha256(f"{self.last_hash} {number}".encode()).hexdigest()
        receipt = {
            "id": number,
            "organisation_id": self.key.organisation_id,
            "key_id": self.key.id,
            "recorded_at": at,
            "rows": f"[{rows}]",
            "previous_hash": self.last_hash,
            "hash": this_hash,
            outcome: len(entries),
        }
        self.last_hash = this_hash
        self.db.connection().execute(insert(Submission), receipt)

    def _insert(self, table: type[CountEntry | StatusEntry], rows: list[dict[str, Any]]) -> None:
        for first in range(0, len(rows), ROWS_AT_ONCE):
            self.db.connection().execute(insert(table), rows[first : first + ROWS_AT_ONCE])
