"""What the operator can prove: `audit verify`, `audit list`, and `redact`."""

from typing import Annotated, Literal

import typer

from app.access.audit import lines
from app.cli.telling import mistakes_told, print_table, said
from app.cli.working import opened, turn
from app.clock import written
from app.publishing.proving import verify_releases
from app.reports.notes import redact as redact_note
from app.reports.verifying import Altered, verify as verify_everything
from app.schema import require_schema
from app.settings import read_settings

ALTERED = 3
"""The exit code that says something was altered, apart from a mistake in calling (1 and 2)."""

commands = typer.Typer(no_args_is_help=True, help="What was stored, proved; what was refused, listed")


@commands.command()
def verify(
    head: Annotated[list[str] | None, typer.Option(help="A hash kept elsewhere; repeat for several")] = None,
) -> None:
    """Prove that no receipt, entry, note, audit line or release was altered; exit code 3 if one was.

    Prints the two heads. Keep them elsewhere and hand them back with --head, so that a cut-off end is noticed too.
    """
    with mistakes_told(), opened(read_settings()) as database:
        require_schema(database)
        with database.reading() as db:
            try:
                found = verify_everything(db, heads=head or ())
                verify_releases(db)
            except Altered as altered:
                said.print("altered:", style="bold red", end=" ")
                said.print(str(altered), markup=False, soft_wrap=True)
                raise typer.Exit(ALTERED) from altered
    kinds = (("receipts", found.receipts, found.receipts_head), ("audit lines", found.lines, found.lines_head))
    print_table(("chain", "length", "head"), [(name, str(length), hash_) for name, length, hash_ in kinds])
    said.print(f"nothing was altered; the receipts have {found.entries} entries")


@commands.command("list")
def list_lines(
    key: Annotated[str | None, typer.Option(help="Only lines about the key with this id")] = None,
    limit: Annotated[int, typer.Option(min=1, help="How many lines")] = 50,
) -> None:
    """Show what happened to keys and notes and what known keys were refused, newest first."""
    with mistakes_told(), opened(read_settings()) as database:
        require_schema(database)
        with database.reading() as db:
            found = lines(db, key_id=key, most=limit)
    rows = [(str(one.id), written(one.recorded_at), one.kind, one.key_id or "", one.detail) for one in found]
    print_table(("line", "at", "what", "key", "detail"), rows)


def redact(
    list_name: Annotated[Literal["counts", "statuses"], typer.Argument(metavar="LIST", help="counts or statuses")],
    entry: Annotated[int, typer.Argument(help="Number of the entry, as the history of the figure shows it")],
) -> None:
    """Erase the note beside an entry for good; the figure stays, and so does the proof of it. Backups keep theirs."""
    with mistakes_told(), opened(read_settings()) as database:
        with turn() as (db, at):
            redact_note(db, list_name, entry, at=at)
        database.erase_deleted()
    said.print(f"the note beside entry {entry} of {list_name} is erased")
