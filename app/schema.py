"""The schema and what ships with the product: brought to the newest state by `migrate`, only checked by a server."""

from pathlib import Path

from alembic import command
from alembic.config import Config
from alembic.runtime.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import Connection
from sqlalchemy.engine import make_url

from app.clock import Clock
from app.database import Database, take_turn
from app.places.reference import load_reference_data, reference_data_loaded
from app.practices.definitions import load_shipped_practice
from app.releases.importing import load_shipped_release

_ROOT = Path(__file__).resolve().parent.parent


class NotMigrated(Exception):
    """The database is not what this version of the product needs; the message says the command."""


def migrate(database: Database, clock: Clock) -> None:
    """Bring the schema to head and load what ships and is not there yet; doing it again changes nothing."""
    _make_folder(database)
    with database.writing() as db:
        config = _config()
        config.attributes["connection"] = db.connection()
        command.upgrade(config, "head")
    with database.writing() as db:
        at = take_turn(db, clock)
        load_reference_data(db, at=at)
        db.flush()
        load_shipped_practice(db)
        db.flush()
        load_shipped_release(db, at=at)


def schema_problem(database: Database) -> str | None:
    """What is wrong with the schema and what to do about it; None if a server may start on it."""
    head = newest_revision()
    with database.engine.connect() as connection:
        found = revision_of(connection)
    if found != head:
        return f"the database is at revision {found or 'none'}, this version needs {head}; run `yhdessa migrate`"
    with database.reading() as db:
        if not reference_data_loaded(db):
            return "the registers are not loaded; run `yhdessa migrate`"
    return None


def newest_revision() -> str:
    """The revision of the schema that this version of the product works on."""
    head = ScriptDirectory.from_config(_config()).get_current_head()
    assert head, "there is a migration"
    return head


def revision_of(connection: Connection) -> str | None:
    """The revision of the schema of the database; None if it has none."""
    return MigrationContext.configure(connection).get_current_revision()


def require_schema(database: Database) -> None:
    """Do nothing if a server may start on `database`.

    Raises:
        NotMigrated: its schema is not at head, or its registers are not loaded.
    """
    if problem := schema_problem(database):
        raise NotMigrated(problem)


def _config() -> Config:
    config = Config()
    config.set_main_option("script_location", str(_ROOT / "migrations").replace("%", "%%"))
    config.set_main_option("path_separator", "os")
    return config


def _make_folder(database: Database) -> None:
    """Make the folder that SQLite's file is to lie in."""
    url = make_url(database.settings.database_url)
    if url.get_backend_name() == "sqlite" and url.database:
        Path(url.database).parent.mkdir(parents=True, exist_ok=True)
