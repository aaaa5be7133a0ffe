"""What counties made public: `release import`."""

from pathlib import Path
from typing import Annotated

import typer

from app.cli.telling import mistakes_told, said
from app.cli.working import turn
from app.releases.importing import import_release, parse_release

commands = typer.Typer(no_args_is_help=True, help="What counties made public")


@commands.command("import")
def import_file(
    file: Annotated[Path, typer.Argument(help="JSON, or CSV with one line per year; see the README")],
) -> None:
    """Add a release of county totals that is public already."""
    with mistakes_told(), turn() as (db, at):
        release = parse_release(file.read_bytes(), as_csv=file.suffix.lower() == ".csv")
        number = import_release(db, release, at=at)
    said.print(f"release {number} of county {release.county} is public from {release.published_on}")
