"""The schema and what ships with the product: brought to the newest state by `migrate`, only checked by a server."""

import os
import re
import time
from collections.abc import Callable
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING

from sqlalchemy import Connection, inspect, text
from sqlalchemy.engine import make_url
from sqlalchemy.exc import OperationalError
from sqlmodel import Session

from app.clock import Clock
from app.database import Database, hold_turn, take_migrators_turn, take_turn
from app.places.reference import load_reference_data, reference_data_loaded
from app.practices.definitions import load_shipped_practice
from app.releases.importing import load_shipped_release
from app.rights import let_public_read, make_public_role, rights_problem

# Alembic takes longer to load than all rooms of this product, and a server that starts needs nothing of it.
if TYPE_CHECKING:
    from alembic.config import Config

_ROOT = Path(__file__).resolve().parent.parent

_ROWS_SHIPPED = 1_500
"""About so many rows of registers are put together without a word to the database."""


class NotMigrated(Exception):
    """The database is not what this version of the product needs; the message says the command."""


class CannotMigrate(Exception):
    """Somebody else kept the database busy for too long; nothing was changed, and the message says what to do."""


def migrate(database: Database, clock: Clock, *, tell: Callable[[str], None] = lambda _words: None) -> None:
    """Bring the schema to head and load what ships and is not there yet; doing it again changes nothing.

    One migrates at a time, and nobody records meanwhile. Where somebody else is at it, or reads a table that changes,
    this says so to `tell` and tries again; before it begins, a try holds others up for `lock_timeout_seconds` at most.

    Raises:
        CannotMigrate: they were still at it after `migrate_timeout_seconds`; nothing was changed.
        NotMigrated: its schema is one that only a later version knows; nothing was changed.
        NoPublicRole: there is none, and this user of the database may not make it; nothing was changed.
    """
    make_folder(database)
    most = database.settings.migrate_timeout_seconds
    began = time.monotonic()
    while True:
        try:
            return _migrate(database, clock)
        except OperationalError as error:
            if not _is_busy(error):
                raise
            if time.monotonic() - began >= most:
                raise CannotMigrate(
                    f"the database was busy with another migration or a long reading for {most:g} seconds"
                    " (YHDESSA_MIGRATE_TIMEOUT_SECONDS); nothing was changed; run `yhdessa migrate` again"
                ) from error
        tell(f"the database is busy with another migration or a long reading; waiting for {most:g} seconds at most")
        time.sleep(0.1)


def schema_problem(database: Database) -> str | None:
    """What is wrong with the database and what to do about it; None if a server may start on it."""
    if unsafe := database.unsafe():
        return unsafe
    head = newest_revision()
    with database.engine.connect() as connection:
        found = revision_of(connection)
    if not serves(found, head):
        return f"the database is at revision {found or 'none'}, this version needs {head}; run `yhdessa migrate`"
    with database.reading() as db:
        if not reference_data_loaded(db):
            return "the registers are not loaded; run `yhdessa migrate`"
    return rights_problem(database)


@cache
def newest_revision() -> str:
    """The revision of the schema that this version of the product works on: that of the last migration by its name."""
    migration = max((_ROOT / "migrations" / "versions").glob("[0-9]*.py"))
    found = re.search(r'^revision = "(.+)"$', migration.read_text(encoding="utf-8"), re.MULTILINE)
    assert found, "each migration says its revision"
    return found[1]


def revision_of(connection: Connection) -> str | None:
    """The revision of the schema of the database; None if it has none."""
    if not inspect(connection).has_table("alembic_version"):
        return None
    return connection.execute(text("SELECT version_num FROM alembic_version")).scalar_one_or_none()


def serves(found: str | None, needed: str) -> bool:
    """True if the schema `found` is the one `needed`, or a later one that says that it serves it: 0005_from_0003."""
    later = re.fullmatch(r"([0-9]{4})_from_([0-9]{4})", found or "")
    return found == needed or bool(later and later[2] <= needed[:4] < later[1])


def require_schema(database: Database) -> None:
    """Do nothing if a server may start on `database`.

    Raises:
        NotMigrated: its schema is not at head, or its registers are not loaded.
        UnsafeDatabase: it would lose acknowledged writes in a power cut.
    """
    if problem := schema_problem(database):
        raise NotMigrated(problem)


def known_revisions() -> set[str]:
    """Every revision of the schema that this version of the product can make."""
    from alembic.script import ScriptDirectory

    return {script.revision for script in ScriptDirectory.from_config(_config()).walk_revisions()}


def rebuild(db: Session, revision: str) -> None:
    """Drop every table of ours with its rows, and make those of `revision`; kept or undone with the rest of `db`.

    Raises:
        NotMigrated: the tables there are of a schema that only a later version knows.
    """
    from alembic import command

    config = _config_on(db)
    command.downgrade(config, "base")
    command.upgrade(config, revision)


def upgrade(db: Session) -> None:
    """Bring the schema to head within the transaction of `db`, and load nothing.

    Raises:
        NotMigrated: its schema is one that only a later version knows.
    """
    from alembic import command

    command.upgrade(_config_on(db), "head")


def make_folder(database: Database) -> None:
    """Make the folder that SQLite's file is to lie in; it survives a power cut, as what SQLite syncs in it does."""
    url = make_url(database.settings.database_url)
    if url.get_backend_name() == "sqlite" and url.database:
        folder = Path(url.database).absolute().parent
        new = [one for one in (folder, *folder.parents) if not one.exists()]
        folder.mkdir(parents=True, exist_ok=True)
        for one in new:
            sync_folder(one.parent)


def sync_folder(folder: Path) -> None:
    """Make a new name in `folder` survive a power cut."""
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def _migrate(database: Database, clock: Clock) -> None:
    with database.writing() as db:
        take_migrators_turn(db)
        make_public_role(db, database.settings.public_role)
        upgrade(db)
        let_public_read(db, database.settings.public_role)
    with database.writing() as db:
        at = take_turn(db, clock)
        hold_turn(db, rows=_ROWS_SHIPPED)
        load_reference_data(db, at=at)
        db.flush()
        load_shipped_practice(db, at=at)
        db.flush()
        load_shipped_release(db, at=at)


def _is_busy(error: OperationalError) -> bool:
    """True if the database answered, but somebody else held what was needed for too long."""
    busy = ("55P03", "40P01")  # PostgreSQL's lock_not_available and deadlock_detected.
    return getattr(error.orig, "sqlstate", None) in busy or "locked" in str(error.orig)


def _config_on(db: Session) -> "Config":
    """What Alembic works by, on the connection and in the transaction of `db`."""
    found = revision_of(db.connection())
    if found is not None and found not in known_revisions():
        raise NotMigrated(
            f"the database is at revision {found}, which only a later version knows; this one knows"
            f" {newest_revision()}: use the version that migrated it, or a later one"
        )
    config = _config()
    config.attributes["connection"] = db.connection()
    return config


def _config() -> "Config":
    from alembic.config import Config

    config = Config()
    config.set_main_option("script_location", str(_ROOT / "migrations").replace("%", "%%"))
    config.set_main_option("path_separator", "os")
    return config
