"""Keys of organisations: `key create`, `list`, `rotate`, `revoke`, `report-leak`."""

import sys
from typing import Annotated

import typer

from app.access.keys import (
    LIFETIME_DAYS,
    MOST_OVERLAP_DAYS,
    OVERLAP_DAYS,
    issue_key,
    keys_with_owners,
    report_leak,
    revoke_key,
    rotate_key,
)
from app.access.models import Action, Key
from app.cli.telling import mistakes_told, print_table, said
from app.cli.working import opened, turn
from app.clock import system_clock
from app.schema import require_schema
from app.settings import read_settings

commands = typer.Typer(no_args_is_help=True, help="Keys of organisations")


@commands.command("create")
def create_key(
    name: Annotated[str, typer.Option(help="What the key is for, as in 'Kuopio client information system'")],
    action: Annotated[list[Action], typer.Option(help="What it may do; repeat for several")],
    area: Annotated[list[str], typer.Option(help="municipality:297, county:13 or country; repeat for several")],
    organisation: Annotated[str | None, typer.Option(help="Who holds it; the name if left out")] = None,
    days: Annotated[int, typer.Option(min=1, max=3650, help="How long it is valid")] = LIFETIME_DAYS,
) -> None:
    """Make a key and print it, this once; only its hash is stored."""
    with mistakes_told(), turn() as (db, at):
        key = issue_key(db, name=name, organisation=organisation or name, actions=action, areas=area, at=at, days=days)
    _show(key)


@commands.command("list")
def list_keys() -> None:
    """Show every key without its secret."""
    with mistakes_told(), opened(read_settings()) as database:
        require_schema(database)
        with database.reading() as db:
            rows = [_described(key, owner.name) for key, owner in keys_with_owners(db)]
    headings = ("id", "name", "organisation", "actions", "areas", "expires", "state")
    print_table(headings, rows)


@commands.command("rotate")
def rotate(
    key_id: Annotated[str, typer.Argument(help="The key's id, as `key list` shows it")],
    overlap_days: Annotated[
        int, typer.Option(min=0, max=MOST_OVERLAP_DAYS, help="How long the old key stays valid beside the new one")
    ] = OVERLAP_DAYS,
) -> None:
    """Make a key that takes the place of another and print it, this once."""
    with mistakes_told(), turn() as (db, at):
        key = rotate_key(db, key_id, at=at, overlap_days=overlap_days)
    _show(key)


@commands.command("revoke")
def revoke(key_id: Annotated[str, typer.Argument(help="The key's id, as `key list` shows it")]) -> None:
    """Make a key refused from the next request on."""
    with mistakes_told(), turn() as (db, at):
        revoke_key(db, key_id, at=at)
    said.print(f"{key_id} is revoked")


@commands.command("report-leak")
def leak(
    key: Annotated[str, typer.Argument(help="The key as it was found, whole; - reads it from standard input")],
) -> None:
    """Revoke a key that was found where it should not be, and put it into the audit log."""
    found = sys.stdin.readline().strip() if key == "-" else key
    with mistakes_told(), turn() as (db, at):
        leaked = report_leak(db, found, at=at)
        key_id, replaced_by = leaked.id, leaked.replaced_by
    said.print(f"{key_id} is revoked")
    if replaced_by:
        said.print(
            f"It was replaced by {replaced_by}. If it leaked before that, whoever found it may have done so: "
            f"yhdessa key revoke {replaced_by}",
            soft_wrap=True,
        )


def _show(key: str) -> None:
    sys.stdout.write(key + "\n")
    said.print("Keep it now: it cannot be shown again. Send it as `Authorization: Bearer <key>`.")


def _described(key: Key, owner: str) -> tuple[str, ...]:
    """`key` as one row of the list."""
    actions, areas = ", ".join(key.actions), ", ".join(key.areas)
    return key.id, key.name, owner, actions, areas, f"{key.expires_at:%Y-%m-%d}", _state(key)


def _state(key: Key) -> str:
    if key.revoked_at:
        return f"revoked {key.revoked_at:%Y-%m-%d}"
    state = "expired" if key.expires_at <= system_clock() else "valid"
    return f"{state}, replaced by {key.replaced_by}" if key.replaced_by else state
