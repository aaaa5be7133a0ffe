"""The place that an archive is put into: it has to be empty, and is left empty unless the archive proves itself."""

import fcntl
import os
from collections.abc import Collection, Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path

from sqlalchemy import inspect, text
from sqlalchemy.engine import make_url
from sqlalchemy.exc import InvalidRequestError, StatementError
from sqlmodel import Session

from app.archive.manifest import Manifest, take_time
from app.archive.rows import Tally, fill, lines
from app.database import Base, Database, LastWrite, disk_full, is_sqlite, take_migrators_turn, unavailable
from app.reports.verifying import verify
from app.rights import let_public_read, make_public_role
from app.schema import known_revisions, make_folder, newest_revision, rebuild, upgrade

# What `yhdessa migrate` puts there by itself is nothing of the operator's: how many rows at most, None for any.
_SHIPS: dict[str, int | None] = {
    "counties": None,
    "last_write": None,
    "municipalities": None,
    "practices": 1,
    "release_years": None,
    "releases": 1,
    "residents": None,
}


# What is raised for rows that no archive has, beside what says so: values of another kind, too large, nested too deep.
_UNLIKE_ROWS = (
    ArithmeticError,
    InvalidRequestError,
    LookupError,
    RecursionError,
    StatementError,
    TypeError,
    ValueError,
)


class NotEmpty(Exception):
    """The database holds something already; the message says what."""


class LaterSchema(Exception):
    """The archive has a schema that only a later version of the product knows."""


class NotProved(Exception):
    """What was stored is not what the archive says of itself; the message says in what they differ."""


def put(
    database: Database, manifest: Manifest, given: Iterable[bytes], *, sha256: str = "", heads: Collection[str] = ()
) -> Tally:
    """Store the lines of an archive in `database`, which is empty, migrated or not; what was stored.

    All of it is one transaction, at whose end the archive is read back and proved: SQLite's integrity, every line
    (`sha256`, if it is known before), both chains, and every number of the manifest. `heads` are hashes kept elsewhere:
    of a receipt, of a line of the audit log, or the SHA-256 over all rows.

    Raises:
        NotEmpty, LaterSchema, app.database.NoPublicRole: as they say; nothing was touched.
        NotProved, app.reports.verifying.Altered: the archive is not what it says; the database is as empty as before.
    """
    if manifest.revision not in known_revisions():
        raise LaterSchema(
            f"its schema {manifest.revision} is not one that this version knows; its own is {newest_revision()}:"
            " install the version that made it, or a later one"
        )
    with _left_as_found(database), database.writing() as db:
        take_migrators_turn(db)
        take_time(db)
        if found := _what_it_holds(db):
            raise NotEmpty(f"{place_of(database)} holds something already ({found}); only an empty place is filled")
        make_public_role(db, database.settings.public_role)
        rebuild(db, manifest.revision)
        told = Tally()
        try:
            fill(db, told.passing(given))
            _prove(db, manifest, told, sha256=sha256 or told.sha256, heads=heads)
        except _UNLIKE_ROWS as error:
            if unavailable(error) or disk_full(error):
                raise
            cause = (error.orig if isinstance(error, StatementError) else None) or error
            raise NotProved(f"its rows are not those of an archive: {cause}") from error
        let_public_read(db, database.settings.public_role)
    return told


def place_of(database: Database) -> str:
    """Where `database` is, without its password."""
    return make_url(database.settings.database_url).render_as_string()


@contextmanager
def _left_as_found(database: Database) -> Iterator[None]:
    """On any failure, leave no file of SQLite's where there was none.

    Raises:
        NotEmpty: there is no such file, but what is beside it may hold what was acknowledged last.
    """
    make_folder(database)
    url = make_url(database.settings.database_url)
    if url.get_backend_name() != "sqlite":
        yield
        return
    file = Path(url.database or "")
    with _alone_in(file.parent):
        new = not file.exists()
        if new and (log := Path(f"{file}-wal")).exists():
            raise NotEmpty(
                f"{log} is there without its database and may hold what was recorded last; keep the two together,"
                " or move it aside too"
            )
        try:
            yield
        except BaseException:
            if new:
                database.dispose()
                for ending in ("", "-wal", "-shm"):
                    Path(f"{file}{ending}").unlink(missing_ok=True)
            raise


@contextmanager
def _alone_in(folder: Path) -> Iterator[None]:
    """Wait until nobody else fills a place in `folder`: who fails would remove the file that another one filled."""
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX)
        yield
    finally:
        os.close(descriptor)


def _what_it_holds(db: Session) -> str | None:
    """What is in the database beside what ships; None if nothing is."""
    seen = inspect(db.connection())
    for name in sorted({*seen.get_table_names(), *seen.get_view_names()} - {"alembic_version"}):
        if name not in Base.metadata.tables:
            return f"{name}, which is not of this product"
        most = _SHIPS.get(name, 0)
        if most is not None and len(db.execute(text(f"SELECT 1 FROM {name} LIMIT {most + 1}")).all()) > most:
            return f"rows in {name}"
    return None


def _prove(db: Session, manifest: Manifest, told: Tally, *, sha256: str, heads: Collection[str]) -> None:
    """Hold what is stored now against the archive's lines, and against what the archive says of itself."""
    if is_sqlite(db):
        _same("SQLite's integrity check", db.execute(text("PRAGMA integrity_check")).scalar_one(), "ok")
    stored = Tally()
    for _ in stored.passing(lines(db, told.headings)):
        pass
    _same("the SHA-256 over all rows", stored.sha256, sha256)
    _same("the rows of each table", stored.rows, manifest.rows)
    # Chains are walked by the models, which are of the newest schema.
    upgrade(db)
    found = verify(db, heads={*heads} - {sha256})
    _same("the number of receipts", found.receipts, manifest.receipts.length)
    _same("the hash of the last receipt", found.receipts_head, manifest.receipts.head)
    _same("the number of lines in the audit log", found.lines, manifest.audit_lines.length)
    _same("the hash of the last line in the audit log", found.lines_head, manifest.audit_lines.head)
    _same("the number of entries", found.entries, manifest.entries)
    _same("the moment of the latest write", db.get_one(LastWrite, 1).recorded_at, manifest.recorded_up_to)


def _same(what: str, stored: object, said: object) -> None:
    if stored != said:
        raise NotProved(f"{what} should be {said} and is {stored}")
