"""The command line `yhdessa`: run the service, its keys, practices and releases."""

import json
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime
from pathlib import Path
from typing import Annotated

import typer
import uvicorn
from alembic.util import CommandError
from fastapi import FastAPI
from pydantic import ValidationError
from rich.console import Console
from rich.table import Column, Table
from sqlalchemy.exc import DBAPIError, SQLAlchemyError
from sqlmodel import Session

from app.access.keys import LIFETIME_DAYS, NotAnArea, UnknownKey, issue_key, keys_with_owners, revoke_key
from app.access.models import Action, Key
from app.client import Refused
from app.clock import system_clock
from app.database import Database, UnsafeDatabase, take_turn
from app.demo.run import run_demo
from app.main import create_app, openapi
from app.practices.definitions import InvalidDefinition, define_practice, set_live_from
from app.practices.models import PracticePublic
from app.releases.importing import InvalidRelease, import_release, parse_release
from app.schema import NotMigrated, migrate as migrate_database, require_schema
from app.settings import DEFAULT_DATABASE_URL, Settings, UnknownSetting, read_settings
from app.web.requests_log import configure_logging

app = typer.Typer(no_args_is_help=True, add_completion=False, help="Yhdessä aika adoption tracking")
key_app = typer.Typer(no_args_is_help=True, help="Keys of organisations")
practice_app = typer.Typer(no_args_is_help=True, help="Practices that are being adopted")
release_app = typer.Typer(no_args_is_help=True, help="What counties made public")
app.add_typer(key_app, name="key")
app.add_typer(practice_app, name="practice")
app.add_typer(release_app, name="release")

said = Console(stderr=True, highlight=False)
"""Where words for people go, so that standard output holds nothing but the result."""

_WIDE = 1_000
"""Columns of an output that is no terminal, so that a program that reads it finds each row in one line."""

_TOLD = (
    CommandError,
    InvalidDefinition,
    InvalidRelease,
    NotAnArea,
    NotMigrated,
    OSError,
    Refused,
    SQLAlchemyError,
    UnknownKey,
    UnknownSetting,
    UnsafeDatabase,
    ValidationError,
)


@app.command()
def serve(
    host: Annotated[str, typer.Option(help="Address to listen on")] = "127.0.0.1",
    port: Annotated[int, typer.Option(help="Port to listen on")] = 8000,
    workers: Annotated[int, typer.Option(min=1, help="Processes that answer")] = 1,
) -> None:
    """Run the server. The embedded SQLite default is migrated first; any other database must be migrated already."""
    with _mistakes_told():
        settings = read_settings()
        with _opened(settings) as database:
            if settings.database_url == DEFAULT_DATABASE_URL:
                migrate_database(database, system_clock)
            require_schema(database)
    uvicorn.run(
        "app.cli:served",
        factory=True,
        host=host,
        port=port,
        workers=workers,
        log_config=None,
        access_log=False,
        server_header=False,
        # There are none, and uvicorn logs their addresses with the query, at the level debug their headers too.
        ws="none",
        timeout_graceful_shutdown=settings.shutdown_seconds,
    )


def served() -> FastAPI:
    """The application as each worker of `serve` makes it."""
    settings = read_settings()
    configure_logging(settings.log_level)
    return create_app(settings)


@app.command()
def demo(
    port: Annotated[int, typer.Option(min=0, max=65_535, help="Port to listen on; 0 takes a free one")] = 0,
    once: Annotated[bool, typer.Option("--once", help="End after showing the result")] = False,
) -> None:
    """Post an illustrative breakdown of North Savo's published totals and show the trend beside the release."""
    with _mistakes_told():
        run_demo(port=port, once=once)


@app.command()
def migrate() -> None:
    """Bring the database to the newest schema and load the registers and the first release; safe to repeat."""
    with _mistakes_told(), _opened(read_settings()) as database:
        migrate_database(database, system_clock)
        said.print("the database is at the newest schema and its reference data is loaded")


@app.command("openapi")
def write_contract(
    output: Annotated[Path | None, typer.Option(help="File to write; standard output if left out")] = None,
) -> None:
    """Write the contract, an OpenAPI 3.1.0 document."""
    with _mistakes_told():
        text = json.dumps(openapi(create_app(read_settings())), indent=2, ensure_ascii=False) + "\n"
        if output is None:
            sys.stdout.write(text)
        else:
            output.write_text(text, encoding="utf-8")


@key_app.command("create")
def create_key(
    name: Annotated[str, typer.Option(help="What the key is for, as in 'Kuopio client information system'")],
    action: Annotated[list[Action], typer.Option(help="What it may do; repeat for several")],
    area: Annotated[list[str], typer.Option(help="municipality:297, county:13 or country; repeat for several")],
    organisation: Annotated[str | None, typer.Option(help="Who holds it; the name if left out")] = None,
    days: Annotated[int, typer.Option(min=1, max=3650, help="How long it is valid")] = LIFETIME_DAYS,
) -> None:
    """Make a key and print it, this once; only its hash is stored."""
    with _mistakes_told(), _turn() as (db, at):
        key = issue_key(db, name=name, organisation=organisation or name, actions=action, areas=area, at=at, days=days)
    sys.stdout.write(key + "\n")
    said.print("Keep it now: it cannot be shown again. Send it as `Authorization: Bearer <key>`.")


@key_app.command("list")
def list_keys() -> None:
    """Show every key without its secret."""
    with _mistakes_told(), _opened(read_settings()) as database:
        require_schema(database)
        with database.reading() as db:
            rows = [(key, owner.name) for key, owner in keys_with_owners(db)]
    headings = ("id", "name", "organisation", "actions", "areas", "expires", "state")
    table = Table(*(Column(heading, overflow="fold") for heading in headings))
    for key, owner in rows:
        actions, areas = ", ".join(key.actions), ", ".join(key.areas)
        table.add_row(key.id, key.name, owner, actions, areas, f"{key.expires_at:%Y-%m-%d}", _state(key))
    Console(width=None if sys.stdout.isatty() else _WIDE).print(table)


@key_app.command("revoke")
def revoke(key_id: Annotated[str, typer.Argument(help="The key's id, as `key list` shows it")]) -> None:
    """Make a key refused from the next request on."""
    with _mistakes_told(), _turn() as (db, at):
        revoke_key(db, key_id, at=at)
    said.print(f"{key_id} is revoked")


@practice_app.command("add")
def add_practice(
    slug: Annotated[str, typer.Argument(help="Short name in addresses, as in ohjaus-ja-neuvonta")],
    name_fi: Annotated[str, typer.Option()],
    name_sv: Annotated[str, typer.Option()],
    name_en: Annotated[str, typer.Option()],
    definition: Annotated[str, typer.Option(help="What it is")],
    criteria_pilot: Annotated[str, typer.Option(help="When a municipality has it on trial")],
    criteria_in_use: Annotated[str, typer.Option(help="When a municipality has it in use")],
    contact: Annotated[str, typer.Option(help="Who answers for the definition")],
    counting_rule: Annotated[str, typer.Option(help="What is one session, and in which municipality")] = "",
    counted: Annotated[bool, typer.Option(help="Whether sessions are counted at all")] = True,
) -> None:
    """Make a practice, or give one a new definition; the earlier definition stays readable with as_of."""
    with _mistakes_told(), _turn() as (db, at):
        words = {"definition": definition, "counting_rule": counting_rule, "contact": contact}
        names = {"name_fi": name_fi, "name_sv": name_sv, "name_en": name_en}
        criteria = {"criteria_pilot": criteria_pilot, "criteria_in_use": criteria_in_use}
        define_practice(db, PracticePublic(slug=slug, counted=counted, **words, **names, **criteria), at=at)
    said.print(f"{slug} is recorded")


@practice_app.command("live-from")
def live_from(
    practice: Annotated[str, typer.Argument(help="Slug of the practice")],
    county: Annotated[str, typer.Argument(help="Code of the county; North Savo is 13")],
    year: Annotated[int, typer.Argument(help="First year for which the county's reports speak")],
) -> None:
    """Let a county's reports speak from a year on, in place of its releases."""
    with _mistakes_told(), _turn() as (db, at):
        set_live_from(db, practice, county, year, at=at)
    said.print(f"{practice} in county {county} is live from {year}")


@release_app.command("import")
def import_file(
    file: Annotated[Path, typer.Argument(help="JSON, or CSV with one line per year; see the README")],
) -> None:
    """Add a release of county totals that is public already."""
    with _mistakes_told(), _turn() as (db, at):
        release = parse_release(file.read_bytes(), as_csv=file.suffix.lower() == ".csv")
        number = import_release(db, release, at=at)
    said.print(f"release {number} of county {release.county} is public from {release.published_on}")


@contextmanager
def _turn() -> Iterator[tuple[Session, datetime]]:
    """A writing session that has its turn, and the moment to record at."""
    with _opened(read_settings()) as database:
        require_schema(database)
        with database.writing() as db:
            yield db, take_turn(db, system_clock)


@contextmanager
def _opened(settings: Settings) -> Iterator[Database]:
    """The database that `settings` name, every connection of it closed at the end."""
    database = Database(settings)
    try:
        yield database
    finally:
        database.dispose()


@contextmanager
def _mistakes_told() -> Iterator[None]:
    """Say a mistake of the operator in one line and end with exit code 1."""
    try:
        yield
    except _TOLD as error:
        said.print("error:", style="bold red", end=" ")
        said.print(_in_words(error), markup=False, soft_wrap=True)
        raise typer.Exit(1) from error


def _in_words(error: Exception) -> str:
    """`error` in one line."""
    words = str(error)
    if isinstance(error, ValidationError):
        words = "; ".join(f"{'.'.join(map(str, item['loc']))}: {item['msg']}" for item in error.errors())
    if isinstance(error, SQLAlchemyError):
        cause = error.orig if isinstance(error, DBAPIError) else error
        words = f"the database does not answer as it should: {cause}"
    return " ".join(words.split())


def _state(key: Key) -> str:
    if key.revoked_at:
        return f"revoked {key.revoked_at:%Y-%m-%d}"
    return "expired" if key.expires_at <= system_clock() else "valid"


if __name__ == "__main__":
    app()
