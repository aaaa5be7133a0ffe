"""What commands work on: the database that the settings name, and a turn to write."""

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime

from sqlmodel import Session

from app.clock import system_clock
from app.database import Database, take_turn
from app.schema import require_schema
from app.settings import Settings, read_settings


@contextmanager
def opened(settings: Settings) -> Iterator[Database]:
    """The database that `settings` name, every connection of it closed at the end."""
    database = Database(settings)
    try:
        yield database
    finally:
        database.dispose()


@contextmanager
def turn() -> Iterator[tuple[Session, datetime]]:
    """A writing session that has its turn, and the moment to record at."""
    with opened(read_settings()) as database:
        require_schema(database)
        with database.writing() as db:
            yield db, take_turn(db, system_clock)
