"""Keep what is stored beyond the machine it is on: `backup`, `restore`, `copy`."""

from pathlib import Path
from typing import Annotated

import typer

from app.archive.manifest import Manifest
from app.archive.moving import back_up, copy as copy_archive, restore as restore_archive
from app.archive.place import place_of
from app.cli.telling import mistakes_told, print_table, said
from app.cli.working import opened
from app.clock import system_clock, written
from app.schema import require_schema
from app.settings import Settings, read_settings


def backup(
    file: Annotated[Path, typer.Argument(help="Where to put it; as confidential as the database itself")],
    force: Annotated[bool, typer.Option("--force", help="Take the place of a file of that name")] = False,
) -> None:
    """Write all that is stored, as of one moment, into a file, from SQLite or PostgreSQL; posts go on meanwhile.

    Prints what is in it. Keep the heads elsewhere, and hand them to `yhdessa restore` with --head.
    """
    with mistakes_told(), opened(read_settings()) as database:
        require_schema(database)
        manifest, sha256 = back_up(database, file, at=system_clock(), force=force)
    _print(manifest, sha256)
    said.print(
        f"{file} holds {_extent(manifest)}; notes, key hashes and replies are in it, so guard it",
        markup=False,
        soft_wrap=True,
    )


def restore(
    file: Annotated[Path, typer.Argument(help="A file that `yhdessa backup` wrote")],
    head: Annotated[list[str] | None, typer.Option(help="A hash kept elsewhere; repeat for several")] = None,
) -> None:
    """Put a backup into the database of the settings, which has to be empty; on any doubt it stays empty.

    It proves itself first: every byte, every row, both chains, every count. SQLite and PostgreSQL take one another's.
    """
    with mistakes_told(), opened(read_settings()) as database:
        manifest, sha256 = restore_archive(database, file, heads=head or ())
        where = place_of(database)
    _print(manifest, sha256)
    said.print(
        f"{where} holds {_extent(manifest)}; proved: nothing is missing, added or altered.\n"
        "What happened after that has to happen again: posts, revoked keys, erased notes.",
        markup=False,
        soft_wrap=True,
    )


def copy(
    to: Annotated[str, typer.Option(help="The empty database to fill: sqlite:///… or postgresql://…")],
) -> None:
    """Copy the database of the settings into another, as from SQLite to PostgreSQL: every entry, time, number, hash.

    What is posted after the moment of the copy stays behind: stop the server first if none may.
    """
    with mistakes_told(), opened(read_settings()) as source, opened(Settings(database_url=to)) as target:
        require_schema(source)
        manifest, sha256 = copy_archive(source, target, at=system_clock())
        where = place_of(target)
    _print(manifest, sha256)
    said.print(
        f"{where} holds {_extent(manifest)}; proved equal.\n"
        f"The source was read in one moment: what it recorded after {written(manifest.recorded_up_to)} is not in it.",
        markup=False,
        soft_wrap=True,
    )


def _print(manifest: Manifest, sha256: str) -> None:
    """Write the lengths and hashes by which the archive can be known again to standard output."""
    rows = [
        ("receipts", str(manifest.receipts.length), manifest.receipts.head),
        ("audit lines", str(manifest.audit_lines.length), manifest.audit_lines.head),
        ("all rows", str(sum(manifest.rows.values())), sha256),
    ]
    print_table(("what", "length", "hash"), rows)


def _extent(manifest: Manifest) -> str:
    return (
        f"{manifest.receipts.length} receipts with {manifest.entries} entries,"
        f" recorded up to {written(manifest.recorded_up_to)}"
    )
