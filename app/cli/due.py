"""What a key should post next: `due`, a client of the service over HTTP like any other."""

from typing import Annotated

import typer

from app.cli.remote import WAIT_SECONDS, KeyFile, Url, Wait, answers_told, client_from_options
from app.cli.telling import print_table, said
from app.practices.definitions import DEFAULT_PRACTICE

SOMETHING_OVERDUE = 6
"""The exit code if a row is overdue; no other command ends with it."""


def due(
    url: Url,
    key_file: KeyFile = None,
    practice: Annotated[str, typer.Option(help="Slug of the practice")] = DEFAULT_PRACTICE,
    wait: Wait = WAIT_SECONDS,
) -> None:
    """Show what the key should post next, oldest first.

    Exit codes:
    0 nothing is overdue, though something may be due
    1 a mistake in the key or the address
    2 wrong usage
    3 the server refused
    5 the server did not answer in time
    6 something is overdue
    """
    with answers_told(), client_from_options(url, key_file, wait=wait) as client:
        rows = client.due(practice=practice)["rows"]
    if not rows:
        said.print("nothing is due")
        return
    names = ((row["municipality"], row["municipality_name_fi"]) for row in rows)
    asked = ((row["what"], row["month"] or "", row["due_on"], _standing(row["days_overdue"])) for row in rows)
    headings = ("municipality", "name", "what", "month", "due on", "state")
    print_table(headings, ((*name, *what) for name, what in zip(names, asked, strict=True)))
    overdue = sum(row["overdue"] for row in rows)
    said.print(f"{len(rows)} due, {overdue} of them overdue")
    if overdue:
        raise typer.Exit(SOMETHING_OVERDUE)


def _standing(days_overdue: int) -> str:
    return f"{days_overdue} days overdue" if days_overdue else "due"
