"""What a key should post next: `due`, a client of the service over HTTP like any other."""

import os
import re
from pathlib import Path
from typing import Annotated, Any

import httpx
import typer

from app.cli.telling import mistakes_told, print_table, said
from app.client import Client
from app.practices.definitions import DEFAULT_PRACTICE

KEY_VARIABLE = "YHDESSA_KEY"
SOMETHING_OVERDUE = 6
"""The exit code if a row is overdue; no other command ends with it."""


class NoKey(OSError):
    """There is no key to send: neither a file that holds one nor the environment."""


def due(
    url: Annotated[str, typer.Option(envvar="YHDESSA_URL", help="Where the service is, as in https://yhdessa.example")],
    key_file: Annotated[
        Path | None,
        typer.Option(envvar="YHDESSA_KEY_FILE", help=f"File that holds the key; else it is read from {KEY_VARIABLE}"),
    ] = None,
    practice: Annotated[str, typer.Option(help="Slug of the practice")] = DEFAULT_PRACTICE,
) -> None:
    """Show what the key should post next, oldest first.

    Exit codes:
    0 nothing is overdue, though something may be due
    1 there is no key, or the service refused or did not answer
    2 wrong usage
    6 something is overdue
    """
    with mistakes_told():
        rows = _asked(url, _key(key_file), practice)["rows"]
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


def _key(file: Path | None) -> str:
    """The key in `file`, or in the environment; never an argument, which everybody on the machine can read.

    Raises:
        NoKey: there is none.
    """
    where = str(file) if file else KEY_VARIABLE
    key = (file.read_text(encoding="utf-8", errors="replace") if file else os.environ.get(KEY_VARIABLE, "")).strip()
    if not re.fullmatch("[!-~]+", key):
        raise NoKey(f"{where} holds no key; name a file with --key-file, or put the key into {KEY_VARIABLE}")
    return key


def _asked(url: str, key: str, practice: str) -> dict[str, Any]:
    try:
        with Client(url, key) as client:
            return client.due(practice=practice)
    except (httpx.HTTPError, httpx.InvalidURL) as error:
        raise ConnectionError(f"{url} does not answer: {error}") from error


def _standing(days_overdue: int) -> str:
    return f"{days_overdue} days overdue" if days_overdue else "due"
