"""What the command line says to people: words on standard error, tables, and mistakes in one line."""

import sys
from collections.abc import Iterable, Iterator
from contextlib import contextmanager

import typer
from pydantic import ValidationError
from rich.console import Console
from rich.table import Column, Table
from sqlalchemy.exc import DBAPIError, SQLAlchemyError

said = Console(stderr=True, highlight=False)
"""Where words for people go, so that standard output holds nothing but the result."""

_WIDE = 1_000
"""Columns of an output that is no terminal, so that a program that reads it finds each row in one line."""


class Mistake(Exception):
    """Something that whoever typed the command can put right; the words say how."""


@contextmanager
def mistakes_told() -> Iterator[None]:
    """Say a mistake of the operator in one line and end with exit code 1."""
    try:
        yield
    except Exception as error:
        if not isinstance(error, _told()):
            raise
        tell_error(_in_words(error))
        raise typer.Exit(1) from error


def tell_error(words: str) -> None:
    """Say that something went wrong."""
    said.print("error:", style="bold red", end=" ")
    said.print(words, markup=False, soft_wrap=True)


def print_table(headings: Iterable[str], rows: Iterable[Iterable[str]]) -> None:
    """Write `rows` under `headings` to standard output."""
    table = Table(*(Column(heading, overflow="fold") for heading in headings))
    for row in rows:
        table.add_row(*row)
    Console(width=None if sys.stdout.isatty() else _WIDE, markup=False, emoji=False, highlight=False).print(table)


def _told() -> tuple[type[Exception], ...]:
    """The kinds of mistakes that have words of their own."""
    # From all over the product, and not needed until there is one.
    from alembic.util import CommandError

    from app.access.keys import CannotRotate, NotAnArea, UnknownKey
    from app.archive.file import Damaged, FileInTheWay
    from app.archive.place import LaterSchema, NotEmpty, NotProved
    from app.client import Refused, Unanswered
    from app.database import NoPublicRole, StillRead, UnsafeDatabase
    from app.practices.definitions import InvalidDefinition
    from app.releases.importing import InvalidRelease
    from app.reports.notes import UnknownNote
    from app.reports.verifying import Altered
    from app.schema import CannotMigrate, NotMigrated
    from app.sending.chunks import UnknownKind
    from app.sending.progress import UnfinishedBusiness
    from app.settings import UnknownSetting, UnusableSecret
    from app.tracing.switch import TracingNotInstalled

    return (
        Altered,
        CannotMigrate,
        CannotRotate,
        CommandError,
        Damaged,
        FileInTheWay,
        InvalidDefinition,
        InvalidRelease,
        LaterSchema,
        Mistake,
        NoPublicRole,
        NotAnArea,
        NotEmpty,
        NotMigrated,
        NotProved,
        OSError,
        Refused,
        SQLAlchemyError,
        StillRead,
        Unanswered,
        TracingNotInstalled,
        UnfinishedBusiness,
        UnknownKey,
        UnknownKind,
        UnknownNote,
        UnknownSetting,
        UnsafeDatabase,
        UnusableSecret,
        ValidationError,
    )


def _in_words(error: Exception) -> str:
    """`error` in one line."""
    words = str(error)
    if isinstance(error, ValidationError):
        words = "; ".join(f"{'.'.join(map(str, item['loc']))}: {item['msg']}" for item in error.errors())
    if isinstance(error, SQLAlchemyError):
        cause = error.orig if isinstance(error, DBAPIError) else error
        words = f"the database does not answer as it should: {cause}"
    return " ".join(words.split())
